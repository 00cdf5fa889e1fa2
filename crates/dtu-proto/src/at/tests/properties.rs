//! Whatever comes: nothing panics, a refusal changes nothing, and what is stored comes back.

use std::string::String;
use std::vec::Vec;

use proptest::prelude::*;

use super::super::{LineOutcome, from_store_text, to_store_text};
use super::Desk;
use crate::cellular::parse_clock;
use crate::config::{
    Apn, Charset, Config, HeartbeatTo, LinkConfig, Parity, Problem, Protocol, RegistrationWhen,
    Role, WorkingMode,
};
use crate::event::{LINKS, LinkId};
use crate::time::{Duration, Instant};

/// Lines that come near to commands.
fn line() -> impl Strategy<Value = Vec<u8>> {
    let names: Vec<String> = crate::commands().map(|command| command.name).collect();
    let tail = prop::collection::vec(
        prop_oneof![
            prop::sample::select(b"=?,;\"\" 0123456789+-abAB&\x1b\0".to_vec())
                .prop_map(|byte| Vec::from([byte])),
            prop::sample::select(["，", "“", "”", "＝", "；", "泵"].to_vec())
                .prop_map(|text| text.as_bytes().to_vec()),
            prop::sample::select(names.clone()).prop_map(|name| name.as_bytes()[2..].to_vec()),
            any::<u8>().prop_map(|byte| Vec::from([byte])),
        ],
        0..12,
    );
    (prop::sample::select(names), tail)
        .prop_map(|(name, tail)| [name.into_bytes(), tail.concat()].concat())
}

/// A text that a parameter takes.
fn text(pattern: &'static str) -> impl Strategy<Value = String> {
    proptest::string::string_regex(pattern).unwrap()
}

fn link() -> impl Strategy<Value = LinkConfig> {
    (
        any::<bool>(),
        text("[a-zA-Z][-a-zA-Z0-9._]{0,254}|\\[?::[a-f0-9:%]{0,40}\\]?"),
        1..=u16::MAX,
        any::<bool>(),
    )
        .prop_map(|(tcp, address, port, enabled)| LinkConfig {
            protocol: if tcp { Protocol::Tcp } else { Protocol::Udp },
            address,
            port,
            enabled,
            local_port: 0,
            role: Role::Always,
        })
}

/// Any links, with ports that differ and roles that make sense.
fn links() -> impl Strategy<Value = [LinkConfig; LINKS]> {
    let ports = prop::collection::hash_set(1..=u16::MAX, LINKS).prop_map(Vec::from_iter);
    let uses_port = prop::array::uniform4(any::<bool>());
    let order = Just(LinkId::ALL.to_vec()).prop_shuffle();
    let chained = prop::array::uniform4(any::<bool>());
    (
        prop::array::uniform4(link()),
        ports,
        uses_port,
        order,
        chained,
    )
        .prop_map(|(mut links, ports, uses_port, order, chained)| {
            for place in 0..LINKS {
                links[place].local_port = if uses_port[place] { ports[place] } else { 0 };
                if place > 0 && chained[place] {
                    links[order[place].index()].role = Role::Backup(order[place - 1]);
                }
            }
            links
        })
}

fn apn() -> impl Strategy<Value = Apn> {
    (
        text("[!-+\\--~]{0,100}"),
        text("[ -~]{0,64}"),
        text("[ -~]{0,64}"),
    )
        .prop_map(|(name, user, password)| Apn {
            name,
            user,
            password,
        })
}

prop_compose! {
    fn numbers()(
        auto_mode in any::<bool>(),
        heartbeat_interval in any::<u16>(),
        packing_time in prop_oneof![Just(0), 10..=60_000_u16],
        packing_length in 0..=1024_u16,
        restart_time in any::<u16>(),
        heartbeat in prop::collection::vec(any::<u8>(), 0..=40),
        serial in any::<bool>(),
        registration in prop::collection::vec(any::<u8>(), 0..=40),
        with_data in any::<bool>(),
        flags in prop::array::uniform7(any::<bool>()),
        cmee in 0..=2_u8,
        auto_answer in any::<u8>(),
        calls in prop::array::uniform3(any::<bool>()),
        registration_reports in prop::array::uniform3(0..=2_u8),
        operator_format in 0..=2_u8,
    ) -> Config {
        Config {
            auto_mode, heartbeat_interval, packing_time, packing_length, restart_time, heartbeat, registration, cmee,
            auto_answer, registration_reports, operator_format,
            refuse_calls: calls[0],
            caller_id: calls[1],
            extended_ring: calls[2],
            heartbeat_to: if serial { HeartbeatTo::Serial } else { HeartbeatTo::Network },
            registration_when: if with_data { RegistrationWhen::WithData } else { RegistrationWhen::OnConnect },
            mode: if flags[0] { WorkingMode::Transparent } else { WorkingMode::AtCommand },
            network_at: flags[1],
            serial_at: flags[2],
            long_links: flags[3],
            echo: flags[4],
            verbose: flags[5],
            quiet: flags[6],
            ..Config::default()
        }
    }
}

prop_compose! {
    fn config()(
        mut config in numbers(),
        apn in apn(),
        links in links(),
        sms_number in text("\\+[0-9]{1,19}|[0-9]{1,20}"),
        password in text("[!-+\\--~]{1,5}"),
        banner in text("\\PC{0,16}"),
        baud in prop::sample::select([110, 2400, 9600, 57_600, 115_200, 921_600].to_vec()),
        data_bits in 7..=8_u8,
        stop_bits in 1..=2_u8,
        parity in prop::sample::select([Parity::Odd, Parity::Even, Parity::None].to_vec()),
    ) -> Config {
        config.apn = apn;
        config.links = links;
        config.sms_number = sms_number;
        config.password = password;
        config.banner = banner;
        config.line.baud = baud;
        config.line.data_bits = data_bits;
        config.line.stop_bits = stop_bits;
        config.line.parity = parity;
        config
    }
}

/// Whether no semicolon, in any of its spellings, makes this several commands, of which the first may have worked.
fn is_one_command(line: &[u8]) -> bool {
    let spellings = [&b";"[..], "；".as_bytes(), b"\xA3\xBB"];
    !spellings.iter().any(|semicolon| {
        line.windows(semicolon.len())
            .any(|window| window == *semicolon)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_bytes_get_one_answer(bytes in prop::collection::vec(any::<u8>(), 0..64), cmee in 0..=2_u8) {
        let mut desk = Desk::new();
        desk.config.cmee = cmee;
        for line in [bytes.clone(), [b"AT".as_slice(), &bytes].concat(), [b"AT+".as_slice(), &bytes].concat()] {
            if let LineOutcome::Done { reply, .. } = desk.run(&line) {
                let told = desk.config.quiet || reply.is_empty() || reply.ends_with(b"\r\n") || reply.ends_with(b"\r");
                prop_assert!(told, "{:?}", String::from_utf8_lossy(&reply));
            }
        }
    }

    #[test]
    fn a_refused_command_changes_nothing(line in line(), before in config()) {
        let mut desk = Desk::new();
        desk.config = Config { verbose: true, quiet: false, cmee: 0, ..before };
        let before = desk.config.clone();
        if let LineOutcome::Done { reply, effects, .. } = desk.run(&line)
            && reply.ends_with(b"\r\nERROR\r\n")
            && is_one_command(&line)
            && line.starts_with(b"AT+")
        {
            prop_assert_eq!(effects, []);
            prop_assert_eq!(&desk.config, &before);
        }
        // Few of the lines above are refused; these are, whatever is set.
        for refused in ["AT+CIPR=1", "AT+NOSUCH=1", "AT+CIPSCONT=1,\"TCP\"", "AT+CIPCFG=1,65536,0,100,10,1800"] {
            desk.config.clone_from(&before);
            prop_assert_eq!(desk.reply(refused), "\r\nERROR\r\n");
            prop_assert_eq!(&desk.config, &before);
        }
    }

    #[test]
    fn a_slow_command_ends_whatever_the_store_says(line in line(), fails in any::<bool>()) {
        let mut desk = Desk::new();
        let mut ran = desk.run(&line);
        let mut answers = 0;
        while let LineOutcome::Parked { parked, .. } = ran {
            answers += 1;
            prop_assert!(answers <= line.len());
            ran = desk.resume(parked, if fails { Err("disk full") } else { Ok(()) });
        }
    }

    #[test]
    fn what_is_stored_comes_back(config in config()) {
        let text = to_store_text(&config);
        let lines_fit = text.lines().all(|line| line.len() <= crate::line::assembler::LINE_MAX);
        prop_assert!(lines_fit);
        let (back, problems) = from_store_text(&text);
        prop_assert_eq!(problems, []);
        prop_assert_eq!(back, config);
    }

    #[test]
    fn a_stored_file_can_be_typed(config in config()) {
        let mut desk = Desk::new();
        // The file is in UTF-8.
        desk.options.charset = Charset::Utf8;
        for line in to_store_text(&config).lines() {
            desk.run(line);
        }
        prop_assert_eq!(&desk.config, &config);
    }

    #[test]
    fn every_second_of_the_century_can_be_set_and_read(seconds in 0..3_155_760_000_u32, millis in any::<u32>()) {
        let mut desk = Desk::new();
        let now = Instant::from_millis(millis.into());
        desk.clock.set(seconds, now);
        let text = desk.clock.text(now);
        prop_assert_eq!(parse_clock(&text), Some(seconds), "{}", &text);
        let next = desk.clock.text(now + Duration::from_secs(1));
        prop_assert_eq!(parse_clock(&next), Some((seconds + 1) % 3_155_760_000));
    }

    #[test]
    fn any_text_is_read_as_a_stored_file(text in "(\\PC{0,20}|AT\\+?[A-Z&]{1,8}[=?]?[0-9\",;]{0,9}|\n|\r\n){0,12}") {
        let (config, _) = from_store_text(&text);
        let (again, problems) = from_store_text(&to_store_text(&config));
        prop_assert_eq!(problems, []);
        prop_assert_eq!(again, config);
    }
}

#[test]
fn a_stored_file_passes_over_what_it_does_not_know() {
    let text = "# a comment\n\nAT+CIPNUM=123\r\nAT+FUTURE=1\nAT+CIPR=12\nnonsense\nAT+CIRESET\nAT+CIPR?\nATW\n\
                AT+CINETAT=1;+CICOMAT=1\nAT+CIMOD=5\nAT\nATE1";
    let (config, problems) = from_store_text(text);
    assert_eq!(
        (config.sms_number.as_str(), config.echo, config.network_at),
        ("123", true, false)
    );
    let rates = "110, 300, 600, 1200, 2400, 4800, 9600, 14400, 19200, 38400, 56000, 57600, 115200, 230400, 460800 or 921600";
    let expected = [
        (4, "AT+FUTURE: unknown command; AT+HELP lists them"),
        (5, &std::format!("CIPR: RATE must be {rates}, got 12")),
        (6, "the line does not begin with AT"),
        (7, "+CIRESET is no stored setting"),
        (8, "+CIPR is no stored setting"),
        (9, "W is no stored setting"),
        (10, "the line has more than one command"),
        (
            11,
            "CIMOD: MOD must be 0 (transparent), 1 (serial command), 2 (AT command), 3 (HTTPD) or 4 (SMS), got 5",
        ),
        (12, "the line has no command"),
    ];
    let expected = expected.map(|(line, text)| Problem {
        line,
        text: String::from(text),
    });
    assert_eq!(problems, expected);
}

#[test]
fn an_empty_file_is_a_new_device() {
    assert_eq!(from_store_text(""), (Config::default(), Vec::new()));
}
