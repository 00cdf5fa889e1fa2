use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::net::{Ipv6Addr, SocketAddr, SocketAddrV6};
use proptest::prelude::*;

use super::*;
use crate::config::{Charset, DropPolicy, Expect, FactoryPassword, LinkOptions, Role, Shutdown};
use crate::event::{
    CloseReason, LinkId, Lost, QUEUES, SerialInput, SocketId, SocketInput, StoreInput,
};
use crate::radio::*;
use crate::status::{Loss, Losses};
use crate::time::Duration;

fn link() -> impl Strategy<Value = LinkId> {
    (0..4_usize).prop_map(|index| LinkId::ALL[index])
}

fn socket() -> impl Strategy<Value = SocketId> {
    (0..SocketId::ALL.len()).prop_map(|index| SocketId::ALL[index])
}

fn address() -> impl Strategy<Value = SocketAddr> {
    prop_oneof![
        (any::<[u8; 4]>(), any::<u16>()).prop_map(SocketAddr::from),
        (any::<[u16; 8]>(), any::<u16>(), any::<u32>(), any::<u32>()).prop_map(
            |(ip, port, flow, scope)| {
                SocketAddrV6::new(Ipv6Addr::from(ip), port, flow, scope).into()
            }
        ),
    ]
}

fn reason() -> impl Strategy<Value = CloseReason> {
    prop_oneof![
        prop_oneof![Just(CloseReason::Certificate), Just(CloseReason::Tls)],
        Just(CloseReason::Local),
        Just(CloseReason::PeerClosed),
        Just(CloseReason::Reset),
        Just(CloseReason::Refused),
        Just(CloseReason::TimedOut),
        Just(CloseReason::NameNotFound),
        Just(CloseReason::Unreachable),
        Just(CloseReason::LocalPortTaken),
        any::<i32>().prop_map(CloseReason::Os),
    ]
}

fn socket_input() -> impl Strategy<Value = SocketInput<'static>> {
    prop_oneof![
        address().prop_map(|local| SocketInput::Connected { local }),
        Just(SocketInput::Sent),
        any::<u64>().prop_map(SocketInput::Acked),
        (reason(), any::<u64>()).prop_map(|(reason, acked)| SocketInput::Closed { reason, acked }),
    ]
}

fn number() -> impl Strategy<Value = Option<PhoneNumber>> {
    "[+]?[0-9*#]{1,20}".prop_map(|text| PhoneNumber::new(&text))
}

fn call_news() -> impl Strategy<Value = CallNews> {
    let ends = [
        CallEnd::HungUp,
        CallEnd::Busy,
        CallEnd::NoAnswer,
        CallEnd::NoCarrier,
    ];
    prop_oneof![
        number().prop_map(|from| CallNews::Incoming { from }),
        Just(CallNews::Alerting),
        Just(CallNews::Answered),
        proptest::sample::select(ends.to_vec()).prop_map(CallNews::Ended),
    ]
}

fn sim_state() -> impl Strategy<Value = SimState> {
    use SimState::{Missing, PinNeeded, PukNeeded, Ready, Unknown};
    proptest::sample::select(Vec::from([Unknown, Ready, PinNeeded, PukNeeded, Missing]))
}

fn identity() -> impl Strategy<Value = ModemIdentity> {
    (any::<[String; 3]>(), any::<[bool; 2]>()).prop_map(
        |([imei, imsi, model], [messages, calls])| ModemIdentity {
            imei,
            imsi,
            model,
            abilities: Abilities { messages, calls },
        },
    )
}

fn operator() -> impl Strategy<Value = Option<Operator>> {
    proptest::option::of(any::<[String; 2]>().prop_map(|[name, code]| Operator { name, code }))
}

fn modem_input() -> impl Strategy<Value = ModemInput> {
    let bytes = proptest::collection::vec(any::<u8>(), 0..40).prop_map(Bytes::from);
    let outcome = prop_oneof![
        any::<u8>().prop_map(Ok),
        any::<u16>().prop_map(|code| Err(SubmitFailure(code)))
    ];
    let state = prop_oneof![
        identity().prop_map(ModemInput::Present),
        Just(ModemInput::Gone),
        sim_state().prop_map(ModemInput::Sim),
        (0..=5_u8).prop_map(|number| ModemInput::Registration(Registration::from_number(number))),
        address().prop_map(|address| ModemInput::Attached(address.ip())),
        Just(ModemInput::Detached),
        operator().prop_map(ModemInput::Operator),
        any::<[u8; 2]>().prop_map(|[strength, error_rate]| ModemInput::Signal(Signal {
            strength,
            error_rate
        })),
        proptest::option::of(any::<[u32; 2]>().prop_map(|[area, id]| Cell { area, id }))
            .prop_map(ModemInput::Cell),
    ];
    prop_oneof![
        state,
        number().prop_map(ModemInput::OwnNumber),
        number().prop_map(ModemInput::ServiceCenter),
        prop::collection::vec(".+", 0..3).prop_map(ModemInput::Lacks),
        (any::<u32>(), any::<Option<i8>>())
            .prop_map(|(seconds, zone)| ModemInput::Clock(NetworkTime { seconds, zone })),
        (any::<u64>(), bytes).prop_map(|(id, pdu)| ModemInput::Message { id, pdu }),
        (any::<u32>(), outcome)
            .prop_map(|(token, outcome)| ModemInput::Submitted { token, outcome }),
        call_news().prop_map(ModemInput::Call),
    ]
}

fn lost() -> impl Strategy<Value = Lost> {
    prop_oneof![
        (socket(), any::<u64>()).prop_map(|(of, count)| Lost::Unread(of, count)),
        (socket(), any::<u64>()).prop_map(|(of, count)| Lost::Datagrams(of, count)),
        any::<u64>().prop_map(Lost::InLine),
        any::<u64>().prop_map(Lost::Overrun),
    ]
}

fn store_input() -> impl Strategy<Value = StoreInput<'static>> {
    prop_oneof![
        Just(StoreInput::Saved),
        any::<u64>().prop_map(StoreInput::MessagesSaved),
        (0..QueueId::ALL.len(), any::<u64>())
            .prop_map(|(index, frames)| StoreInput::SpoolRefused(QueueId::ALL[index], frames)),
    ]
}

fn happening() -> impl Strategy<Value = Happening> {
    let plain = prop_oneof![
        Just(Input::Serial(SerialInput::Written)),
        Just(Input::Serial(SerialInput::Configured(None))),
        prop_oneof![
            Just(Input::Serial(SerialInput::Present)),
            Just(Input::Serial(SerialInput::Gone))
        ],
        any::<usize>().prop_map(|left| Input::Serial(SerialInput::Discarded(left))),
        (socket(), socket_input()).prop_map(|(socket, news)| Input::Socket(socket, news)),
        store_input().prop_map(Input::Store),
        lost().prop_map(Input::Lost),
        Just(Input::Shutdown),
    ];
    let bytes = || proptest::collection::vec(any::<u8>(), 0..40);
    let input = prop_oneof![
        bytes().prop_map(OwnedInput::SerialData),
        any::<String>().prop_map(OwnedInput::SerialRefused),
        (socket(), bytes()).prop_map(|(socket, bytes)| OwnedInput::SocketData(socket, bytes)),
        any::<String>().prop_map(OwnedInput::StoreFailed),
        any::<String>().prop_map(OwnedInput::MessagesFailed),
        modem_input().prop_map(OwnedInput::Modem),
        any::<String>().prop_map(OwnedInput::Console),
        plain.prop_map(OwnedInput::Plain),
    ];
    prop_oneof![1 => Just(Happening::Timeout), 9 => input.prop_map(Happening::Input)]
}

fn expect() -> impl Strategy<Value = Option<Expect>> {
    let some = (
        proptest::collection::vec(any::<u8>(), 0..8),
        any::<u32>(),
        any::<u8>(),
        any::<bool>(),
    )
        .prop_map(|(reply, within, misses, pass)| {
            let within = Duration::from_micros(within.into());
            Expect {
                reply,
                within,
                misses,
                pass,
            }
        });
    proptest::option::of(some)
}

fn link_options() -> impl Strategy<Value = LinkOptions> {
    let role = prop_oneof![Just(Role::Always), link().prop_map(Role::Backup)];
    let policy = prop_oneof![
        Just(DropPolicy::Auto),
        Just(DropPolicy::Oldest),
        Just(DropPolicy::Newest),
        Just(DropPolicy::Block)
    ];
    let flags = (any::<usize>(), policy, any::<bool>(), any::<bool>());
    let rest = (
        any::<u32>(),
        any::<u32>(),
        proptest::option::of(role),
        expect(),
        expect(),
    );
    (flags, rest).prop_map(
        |((cache, drop_policy, resend, spool), (backoff, idle, role, first, second))| LinkOptions {
            cache,
            drop_policy,
            resend,
            spool,
            backoff_max: Duration::from_micros(backoff.into()),
            short_link_idle: Duration::from_micros(idle.into()),
            role,
            expect_registration: first.map(Box::new),
            expect_heartbeat: second.map(Box::new),
        },
    )
}

fn options() -> impl Strategy<Value = Options> {
    let password = prop_oneof![
        Just(FactoryPassword::Query),
        Just(FactoryPassword::Full),
        Just(FactoryPassword::Off)
    ];
    let shutdown = prop_oneof![Just(Shutdown::Restart), Just(Shutdown::Stop)];
    let links = (
        [
            link_options(),
            link_options(),
            link_options(),
            link_options(),
        ],
        link_options(),
    );
    let line = (any::<bool>(), any::<u32>(), any::<u32>());
    let messages = (
        prop_oneof![Just(Charset::Gbk), Just(Charset::Utf8)],
        proptest::collection::vec(
            "\\+?[0-9*#]{1,20}".prop_filter_map("a number", |text| PhoneNumber::new(&text)),
            0..3,
        ),
    );
    (
        any::<u32>(),
        shutdown,
        any::<bool>(),
        password,
        any::<bool>(),
        (messages, line),
        links,
    )
        .prop_map(
            |(
                window,
                shutdown,
                recovery,
                factory_password,
                length_enabled,
                ((charset, sms_allow), (line_holds, line_hold, escape_gap)),
                (links, modes),
            )| {
                Options {
                    setup_window: Duration::from_micros(window.into()),
                    shutdown,
                    recovery,
                    factory_password,
                    length_enabled,
                    escape_gap: Duration::from_micros(escape_gap.into()),
                    charset,
                    line_holds,
                    line_hold: Duration::from_micros(line_hold.into()),
                    http_answer_max: None,
                    sms_allow,
                    links,
                    modes,
                }
            },
        )
}

fn header() -> impl Strategy<Value = Header> {
    let identity =
        (any::<String>(), any::<String>(), any::<String>()).prop_map(|(imei, imsi, version)| {
            Identity {
                imei,
                imsi,
                version,
            }
        });
    let frame = proptest::collection::vec(any::<u8>(), 0..20).prop_map(Bytes::from);
    let queue = (0..QueueId::ALL.len()).prop_map(|index| QueueId::ALL[index]);
    let restored = proptest::collection::vec((queue, any::<u64>(), frame), 0..4);
    let texts = [any::<String>(), any::<String>()];
    (
        any::<u64>(),
        any::<u64>(),
        identity,
        options(),
        texts,
        restored,
        losses(),
    )
        .prop_map(
            |(seed, started, identity, options, [stored, messages], restored, losses)| Header {
                seed,
                started: Instant::from_micros(started),
                identity,
                options,
                stored,
                restored,
                messages,
                losses,
            },
        )
}

fn losses() -> impl Strategy<Value = Losses> {
    let loss = || {
        any::<[u64; 3]>().prop_map(|[frames, bytes, spool_refused]| Loss {
            frames,
            bytes,
            spool_refused,
        })
    };
    let others = any::<[u64; 18]>()
        .prop_map(|figures| core::array::from_fn(|place| figures[place % 18] >> (place / 18)));
    ([(); QUEUES].map(|()| loss()), loss(), others).prop_map(|(queues, line, others)| Losses {
        queues,
        line,
        others,
    })
}

fn encode(header: &Header, entries: &[Entry]) -> String {
    let mut text = encode_header(header);
    for Entry { at, what } in entries {
        match what {
            Happening::Input(input) => encode_input(&mut text, *at, &input.as_input()),
            Happening::Timeout => encode_timeout(&mut text, *at),
        }
    }
    text
}

proptest! {
    #[test]
    fn a_log_comes_back_as_it_was_written(
        header in header(),
        entries in proptest::collection::vec((any::<u64>(), happening()), 0..20),
    ) {
        let entries: Vec<_> = entries.into_iter()
            .map(|(at, what)| Entry { at: Instant::from_micros(at), what })
            .collect();
        let text = encode(&header, &entries);
        prop_assert!(text.is_ascii());
        let (read, rest) = parse(&text).unwrap();
        prop_assert_eq!(read, header);
        prop_assert_eq!(rest.collect::<Result<Vec<_>, _>>().unwrap(), entries);
    }

    #[test]
    fn foreign_text_is_an_error_and_never_a_panic(text in any::<String>(), tail in "[ -~\n]{0,80}") {
        prop_assert!(parse(&text).is_err());
        let entries = Entries { rest: &tail, line: 0 };
        prop_assert_eq!(entries.count(), tail.lines().count());
    }

    #[test]
    fn a_damaged_log_never_panics(
        header in header(), what in happening(), place in any::<prop::sample::Index>(), byte in 0..128_u8,
    ) {
        let entries = [Entry { at: Instant::ZERO, what }];
        let mut bytes = encode(&header, &entries).into_bytes();
        let place = place.index(bytes.len());
        bytes[place] = byte;
        if let Ok((_, entries)) = parse(core::str::from_utf8(&bytes).unwrap()) {
            prop_assert!(entries.count() <= 2);
        }
    }
}

#[test]
fn an_error_names_the_line_and_what_is_allowed() {
    let mut text = encode_header(&Header::default());
    let lines = text.lines().count();
    text.push_str(
        "12 serial dat 00\n13 link 5 sent\n14 serial data 0\n15 timeout now\n16 timeout\n",
    );
    let (_, entries) = parse(&text).unwrap();
    let said: Vec<_> = entries
        .map(|entry| entry.map_err(|error| error.to_string()))
        .collect();
    let place = |offset: usize| alloc::format!("line {}: ", lines + offset);
    let serial = "unknown serial input `dat`, allowed: data, written, configured, refused, present, gone, discarded";
    assert_eq!(said[0], Err(place(1) + serial));
    assert_eq!(said[1], Err(place(2) + "a link is 1..=4, got 5"));
    assert_eq!(
        said[2],
        Err(place(3) + "bytes must be an even number of hex digits, or -")
    );
    assert_eq!(
        said[3],
        Err(place(4) + "`now`: nothing more is allowed on this line")
    );
    assert_eq!(
        said[4].as_ref().unwrap().what,
        Happening::Timeout,
        "a bad line does not end the log"
    );
}

#[test]
fn a_log_cut_inside_its_header_says_so() {
    let error = parse("dtu-record 1\nseed 4\n").unwrap_err();
    assert_eq!(
        error.to_string(),
        "line 3: the log ends before its `begin` line"
    );
    assert_eq!(
        parse("").unwrap_err().text,
        "a recorded log begins with `dtu-record 1`"
    );
}

#[test]
fn a_last_line_that_was_cut_is_not_taken_for_a_shorter_one() {
    let mut text = encode_header(&Header::default());
    encode_input(
        &mut text,
        Instant::ZERO,
        &Input::Serial(SerialInput::Data(b"whole")),
    );
    for cut in 1..=b"616c6c0a".len() {
        let (_, mut entries) = parse(&text[..text.len() - cut]).unwrap();
        assert!(entries.next().unwrap().is_err());
    }
}

#[test]
fn the_lines_are_readable() {
    let mut text = String::new();
    encode_input(
        &mut text,
        Instant::from_millis(2),
        &Input::Serial(SerialInput::Data(b"hi\0")),
    );
    encode_input(
        &mut text,
        Instant::from_millis(3),
        &Input::Console("AT+CSTT=\"a b\""),
    );
    encode_input(
        &mut text,
        Instant::from_millis(4),
        &Input::Socket(SocketId::Link(LinkId::ALL[2]), SocketInput::Data(b"")),
    );
    encode_timeout(&mut text, Instant::from_millis(5));
    let lines: Vec<_> = text.lines().collect();
    let wanted = [
        "2000 serial data 686900",
        "3000 console AT+CSTT=\"a%20b\"",
        "4000 link 3 data -",
        "5000 timeout",
    ];
    assert_eq!(lines, wanted);
}
