//! Dialogues with the simulated AT modem, one command group after the other, and its faults.
#![expect(
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test"
)]

use cellular_sim::modem::{Dialect, Rack, RackOutput, Setup};
use cellular_sim::radio::{PhoneEvent, Script, Settings, Subscriber};
use dtu_proto::time::{Duration, Instant};
use sms_codec::address::Address;
use sms_codec::hex;
use sms_codec::pdu::{Pdu, Submit, Tpdu};
use sms_codec::user_data::{Body, UserData};

/// A host at the first modem's line.
struct Host {
    rack: Rack,
    now: Instant,
    seen: Vec<String>,
    others: Vec<RackOutput>,
}

impl Host {
    fn new(setup: Setup) -> Self {
        let mut rack = Rack::new(1, Settings::default());
        rack.add(setup, Subscriber::default(), Instant::ZERO);
        let mut host = Self {
            rack,
            now: Instant::ZERO,
            seen: vec![String::new()],
            others: Vec::new(),
        };
        host.drain();
        host
    }

    fn generic() -> Self {
        let mut host = Self::new(Setup::default());
        host.say("ATE0");
        host
    }

    fn add(&mut self) -> usize {
        self.seen.push(String::new());
        self.rack
            .add(Setup::default(), Subscriber::default(), self.now)
    }

    fn drain(&mut self) {
        while let Some(output) = self.rack.poll_output() {
            match output {
                RackOutput::Bytes(modem, bytes) => {
                    self.seen[modem] += &String::from_utf8(bytes).unwrap()
                }
                other => self.others.push(other),
            }
        }
    }

    fn run(&mut self, millis: u64) {
        let end = self.now + Duration::from_millis(millis);
        while let Some(at) = self.rack.poll_timeout().filter(|at| *at <= end) {
            assert!(at >= self.now, "a deadline in the past");
            self.now = at;
            self.rack.handle_timeout(at);
            self.drain();
        }
        self.now = end;
        self.rack.handle_timeout(end);
        self.drain();
    }

    /// What a modem said since it was last asked.
    fn heard_of(&mut self, modem: usize) -> String {
        std::mem::take(&mut self.seen[modem])
    }

    fn heard(&mut self) -> String {
        self.heard_of(0)
    }

    fn type_at(&mut self, modem: usize, bytes: &[u8]) -> String {
        self.rack.read(modem, bytes, self.now);
        self.drain();
        self.heard_of(modem)
    }

    /// A line, and what is said at once.
    fn say(&mut self, line: &str) -> String {
        self.type_at(0, format!("{line}\r").as_bytes())
    }

    fn does(&mut self, line: &str) {
        let (modem, verb) = Script::parse_now(line).unwrap().unwrap();
        self.rack.carry_out(modem, &verb, self.now);
        self.drain();
    }

    fn phone_texts(&self) -> Vec<String> {
        let texts = self.others.iter().filter_map(|output| match output {
            RackOutput::Phone(PhoneEvent::Text { data, .. }) => data.text(),
            _ => None,
        });
        texts.collect()
    }

    fn get_text(&mut self, text: &str) {
        self.does(&format!("sms from +8613912345678 \"{text}\""));
        self.run(1000);
    }
}

fn ok(lines: &str) -> String {
    format!("\r\n{}\r\n\r\nOK\r\n", lines.replace('\n', "\r\n"))
}

fn pdu(to: &str, text: &str, change: impl Fn(&mut Submit)) -> (usize, String) {
    let data = UserData::plain(Body::text(text));
    let mut submit = Submit::new(Address::number(to).unwrap(), data);
    change(&mut submit);
    let octets = Pdu {
        smsc: None,
        tpdu: Tpdu::Submit(submit),
    }
    .encode()
    .unwrap();
    (octets.len() - 1, hex::encode(&octets))
}

#[test]
fn echo_is_on_until_it_is_switched_off_and_lines_may_be_glued() {
    let mut host = Host::new(Setup::default());
    assert_eq!(host.say("AT"), "AT\r\r\nOK\r\n");
    assert_eq!(host.say("ATE0"), "ATE0\r\r\nOK\r\n");
    assert_eq!(host.say("ATQ0 V1 E1 S0=0 &C1 +CMEE=1"), "\r\nOK\r\n");
    assert_eq!(
        host.say("ATE0;+CMEE?"),
        "ATE0;+CMEE?\r\r\n+CMEE: 1\r\n\r\nOK\r\n"
    );
    assert_eq!(
        host.say("\u{1b}"),
        "",
        "what is no command line is not answered"
    );
    assert_eq!(host.say("a/"), ok("+CMEE: 1"));
    assert_eq!(host.say("ATV0"), "0\r");
    assert_eq!(host.say("AT+NONSENSE"), "4\r");
    assert_eq!(host.say("ATQ1"), "");
    assert_eq!(host.say("ATZ"), "\r\nOK\r\n");
    assert_eq!(host.say("ATX9+"), "ATX9+\r\r\nERROR\r\n");
}

#[test]
fn bytes_one_by_one_crlf_and_backspace_make_a_line() {
    let mut host = Host::generic();
    let mut said = String::new();
    for byte in b"\nAT+CXX\x08\x08SQ\r\n" {
        said += &host.type_at(0, &[*byte]);
    }
    assert_eq!(said, ok("+CSQ: 31,99"));
    let long = format!("AT{}", "X".repeat(2000));
    assert_eq!(host.say(&long), "\r\nERROR\r\n");
    assert_eq!(host.say("AT"), "\r\nOK\r\n");
}

#[test]
fn it_says_who_it_is() {
    let mut host = Host::generic();
    assert_eq!(host.say("AT+CGSN"), ok("135790246811220"));
    assert_eq!(host.say("AT+CIMI"), ok("460023633887978"));
    assert_eq!(host.say("ATI"), ok("dtu-sim\nSimulated modem\ndtu-sim 0.1"));
    assert_eq!(
        host.say("AT+CNUM"),
        ok("+CNUM: \"\",\"+8613800100001\",145")
    );
    assert_eq!(host.say("AT+GCAP"), ok("+GCAP: +CGSM,+DS,+ES"));
    assert_eq!(
        host.say("AT+CRSM=176,12258,0,0,10"),
        ok("+CRSM: 144,0,\"98680021436587092143\"")
    );
    for name in ["+CGMI", "+CGMM", "+CGMR", "+CLAC"] {
        assert!(
            host.say(&format!("AT{name}")).ends_with("\r\n\r\nOK\r\n"),
            "{name}"
        );
    }
    let mut ec2x = Host::new(Setup {
        dialect: Dialect::Ec2x,
        ..Setup::default()
    });
    ec2x.say("ATE0");
    assert_eq!(ec2x.say("AT+CGMM"), ok("EC25"));
}

#[test]
fn errors_are_told_as_cmee_wants() {
    let mut host = Host::generic();
    assert_eq!(host.say("AT+CFUN=9"), "\r\nERROR\r\n");
    host.say("AT+CMEE=1");
    assert_eq!(host.say("AT+CFUN=9"), "\r\n+CME ERROR: 50\r\n");
    host.say("AT+CMEE=2");
    assert_eq!(
        host.say("AT+CFUN=9"),
        "\r\n+CME ERROR: incorrect parameters\r\n"
    );
    assert_eq!(
        host.say("AT+CMGR=300"),
        "\r\n+CMS ERROR: there is no message at this index\r\n"
    );
    assert_eq!(
        host.say("AT+CSQ;+CFUN=9;+CSQ"),
        "\r\n+CSQ: 31,99\r\n\r\n+CME ERROR: incorrect parameters\r\n"
    );
}

#[test]
fn a_pin_is_asked_for_and_three_wrong_ones_lock_the_card() {
    let mut host = Host::new(Setup {
        pin: Some("1234".into()),
        dialect: Dialect::Sim800,
        ..Setup::default()
    });
    host.say("ATE0+CMEE=1");
    assert_eq!(host.say("AT+CPIN?"), ok("+CPIN: SIM PIN"));
    assert_eq!(host.say("AT+CREG?"), ok("+CREG: 0,0"));
    assert_eq!(host.say("AT+CIMI"), "\r\n+CME ERROR: 11\r\n");
    assert_eq!(host.say("AT+CMGF=0"), "\r\n+CMS ERROR: 311\r\n");
    assert_eq!(host.say("AT+CPIN=\"0000\""), "\r\n+CME ERROR: 16\r\n");
    assert_eq!(
        host.say("AT+CPIN=\"1234\""),
        "\r\nOK\r\n\r\n+CPIN: READY\r\n"
    );
    host.run(5000);
    assert_eq!(host.heard(), "\r\nCall Ready\r\n\r\nSMS Ready\r\n");
    assert_eq!(
        host.say("AT+CPIN?;+CREG?"),
        "\r\n+CPIN: READY\r\n\r\n+CREG: 0,1\r\n\r\nOK\r\n"
    );

    host.say("AT+CFUN=1,1");
    host.run(20_000);
    host.say("ATE0+CMEE=1");
    for _ in 0..3 {
        assert_eq!(
            host.say("AT+CPIN=\"9999\"")
                .matches("+CME ERROR: 16")
                .count(),
            1
        );
    }
    assert_eq!(host.say("AT+CPIN?").matches("SIM PUK").count(), 1);
}

/// What some modems do, and a host must not lock a card for.
#[test]
fn k6_a_pin_may_go_unheeded_and_the_count_of_tries_stand_still() {
    let mut host = Host::new(Setup {
        pin: Some("1234".into()),
        ..Setup::default()
    });
    host.say("ATE0+CMEE=1");
    host.does("pin-unheeded on");
    assert_eq!(host.say("AT+CPIN=\"1234\""), "\r\nOK\r\n");
    assert_eq!(host.say("AT+CPIN?"), ok("+CPIN: SIM PIN"));
    host.does("pin-unheeded off");
    host.does("tries-stay on");
    assert_eq!(host.say("AT+CPIN=\"0000\""), "\r\n+CME ERROR: 16\r\n");
    assert_eq!(host.say("AT+CPINR=\"SIM PIN\""), ok("+CPINR: SIM PIN,3,3"));
    host.does("tries-stay off");
    assert_eq!(host.say("AT+CPINR=\"SIM PIN\""), ok("+CPINR: SIM PIN,2,3"));
}

#[test]
fn a_reset_brings_the_boot_lines_and_forgets_settings() {
    let mut host = Host::new(Setup {
        dialect: Dialect::Ec2x,
        ..Setup::default()
    });
    host.say("ATE0");
    assert_eq!(host.say("AT+CFUN=1,1"), "\r\nOK\r\n");
    assert_eq!(host.say("AT"), "", "it is away");
    host.run(20_000);
    let lines = [
        "RDY",
        "+CFUN: 1",
        "+CPIN: READY",
        "+QIND: SMS DONE",
        "+QIND: PB DONE",
    ];
    assert_eq!(
        host.heard(),
        lines.map(|line| format!("\r\n{line}\r\n")).concat()
    );
    assert_eq!(host.say("AT"), "AT\r\r\nOK\r\n", "echo is on again");
}

#[test]
fn registration_is_asked_for_and_told() {
    let mut host = Host::generic();
    assert_eq!(host.say("AT+CREG?"), ok("+CREG: 0,1"));
    host.say("AT+CREG=2;+CGREG=1");
    assert_eq!(
        host.say("AT+CREG?;+CEREG?"),
        "\r\n+CREG: 2,1,\"5315\",\"852D\"\r\n\r\n+CEREG: 0,1\r\n\r\nOK\r\n"
    );
    host.does("registration denied 10s");
    assert_eq!(host.heard(), "\r\n+CREG: 3\r\n\r\n+CGREG: 3\r\n");
    assert_eq!(host.say("AT+COPS?"), ok("+COPS: 0"));
    assert_eq!(host.say("AT+CSQ"), ok("+CSQ: 99,99"));
    host.run(11_000);
    let searching = "\r\n+CREG: 2\r\n\r\n+CGREG: 2\r\n";
    assert_eq!(
        host.heard(),
        format!("{searching}\r\n+CREG: 1,\"5315\",\"852D\"\r\n\r\n+CGREG: 1\r\n")
    );
    host.does("cell 1 2");
    assert_eq!(
        host.heard(),
        "\r\n+CREG: 1,\"0001\",\"0002\"\r\n\r\n+CGREG: 1\r\n"
    );
    assert_eq!(host.say("AT+COPS=3,2;+COPS?"), ok("+COPS: 0,2,\"46000\""));
    assert_eq!(
        host.say("AT+COPS=3,0;+COPS?"),
        ok("+COPS: 0,0,\"China Mobile\"")
    );
    assert_eq!(host.say("AT+COPS=?"), "");
    host.run(3000);
    assert_eq!(
        host.heard(),
        ok("+COPS: (2,\"China Mobile\",\"ChinaMob\",\"46000\"),,(0,1,2,3,4),(0,1,2)")
    );
    host.does("signal 12 3");
    assert_eq!(host.say("AT+CSQ"), ok("+CSQ: 12,3"));
}

#[test]
fn cells_are_told_as_the_dialect_does() {
    let mut host = Host::new(Setup {
        dialect: Dialect::Sim800,
        ..Setup::default()
    });
    host.say("ATE0");
    assert_eq!(
        host.say("AT+CENG?"),
        ok("+CENG: 3,0\n+CENG: 0,\"460,00,5315,852d,26,31\"")
    );
    let mut host = Host::new(Setup {
        dialect: Dialect::Ec2x,
        ..Setup::default()
    });
    host.say("ATE0");
    assert!(
        host.say("AT+QENG=\"servingcell\"")
            .contains("\"LTE\",\"FDD\",460,00,852D,")
    );
    host.say("AT+CREG=2");
    assert_eq!(host.say("AT+CREG?"), ok("+CREG: 2,1,\"5315\",\"852D\",7"));
}

#[test]
fn the_transmitter_goes_off_and_on() {
    let mut host = Host::generic();
    host.say("AT+CREG=1");
    assert_eq!(host.say("AT+CFUN=4"), "");
    host.run(1000);
    assert_eq!(host.heard(), "\r\nOK\r\n\r\n+CREG: 0\r\n");
    host.say("AT+CFUN=1");
    host.run(1000);
    assert_eq!(host.heard(), "\r\nOK\r\n\r\n+CREG: 1\r\n");
    assert_eq!(host.say("AT+CFUN?"), ok("+CFUN: 1"));
}

#[test]
fn packet_data_has_contexts_and_addresses() {
    let mut host = Host::generic();
    host.say("AT+CMEE=1");
    assert_eq!(host.say("AT+CGDCONT=1,\"IP\",\"CMNET\""), "\r\nOK\r\n");
    assert_eq!(
        host.say("AT+CGDCONT?"),
        ok("+CGDCONT: 1,\"IP\",\"CMNET\",\"\",0,0")
    );
    assert_eq!(host.say("AT+CGPADDR=1"), ok("+CGPADDR: 1,\"0.0.0.0\""));
    assert_eq!(host.say("AT+CGACT=1,2"), "\r\n+CME ERROR: 30\r\n");
    assert_eq!(host.say("AT+CGACT=1,1;+CGACT?"), ok("+CGACT: 1,1"));
    assert_eq!(host.say("AT+CGPADDR=1"), ok("+CGPADDR: 1,\"10.64.0.2\""));
    assert_eq!(host.say("AT+CGATT?"), ok("+CGATT: 1"));
    assert_eq!(host.say("AT+CGDCONT=0"), "\r\n+CME ERROR: 50\r\n");
}

#[test]
fn the_clock_runs_and_can_be_set() {
    let mut host = Host::generic();
    assert_eq!(host.say("AT+CCLK?"), ok("+CCLK: \"26/01/01,00:00:00+32\""));
    assert_eq!(host.say("AT+CCLK=\"14/09/10,15:01:07-14\""), "\r\nOK\r\n");
    host.run(60_000);
    assert_eq!(host.say("AT+CCLK?"), ok("+CCLK: \"14/09/10,15:02:07-14\""));
    for bad in ["14/13/10,15:01:07", "14/09/10", "", "14/09/10,15:01:07+99"] {
        assert_eq!(
            host.say(&format!("AT+CCLK=\"{bad}\"")),
            "\r\nERROR\r\n",
            "{bad}"
        );
    }
}

#[test]
fn a_message_is_sent_as_a_pdu() {
    let mut host = Host::generic();
    let (length, digits) = pdu("+8613912345678", "hello", |_| {});
    assert_eq!(host.say(&format!("AT+CMGS={length}")), "\r\n> ");
    assert_eq!(host.type_at(0, digits.as_bytes()), "");
    assert_eq!(host.type_at(0, b"\x1a"), "", "the network takes its time");
    host.run(2000);
    assert_eq!(host.heard(), ok("+CMGS: 1"));
    assert_eq!(host.phone_texts(), ["hello"]);
    // A wrong length, no PDU at all, and an escape.
    host.say(&format!("AT+CMGS={}", length + 1));
    assert_eq!(
        host.type_at(0, format!("{digits}\x1a").as_bytes()),
        "\r\n+CMS ERROR: 304\r\n"
    );
    host.say("AT+CMGS=20");
    assert_eq!(host.type_at(0, b"no pdu\x1a"), "\r\n+CMS ERROR: 304\r\n");
    host.say("AT+CMGS=20");
    assert_eq!(host.type_at(0, b"001\x1b"), "\r\nOK\r\n");
    assert_eq!(host.say("AT+CMGS=0"), "\r\n+CMS ERROR: 304\r\n");
    host.does("registration lost");
    host.say(&format!("AT+CMGS={length}"));
    assert_eq!(
        host.type_at(0, format!("{digits}\x1a").as_bytes()),
        "\r\n+CMS ERROR: 331\r\n"
    );
}

#[test]
fn a_repeat_keeps_its_reference_and_is_refused_as_a_duplicate() {
    let mut host = Host::generic();
    let again = |submit: &mut Submit| (submit.reference, submit.reject_duplicates) = (77, true);
    let (length, digits) = pdu("10086", "once", again);
    for wanted in [ok("+CMGS: 77"), "\r\n+CMS ERROR: 197\r\n".to_owned()] {
        host.say(&format!("AT+CMGS={length}"));
        host.type_at(0, format!("{digits}\x1a").as_bytes());
        host.run(1000);
        assert_eq!(host.heard(), wanted);
    }
}

#[test]
fn a_message_is_sent_as_text_in_each_charset() {
    let mut host = Host::generic();
    host.say("AT+CMGF=1");
    let cases = [
        ("GSM", "0", "price @ 5\r\nnew"),
        ("UCS2", "8", "6CF56C34"),
        ("HEX", "4", "00FF"),
        ("UCS2", "0", "0041"),
    ];
    for (charset, dcs, typed) in cases {
        assert_eq!(
            host.say(&format!("AT+CSCS=\"{charset}\";+CSMP=17,167,0,{dcs}")),
            "\r\nOK\r\n"
        );
        assert_eq!(host.say("AT+CMGS=\"+8613912345678\""), "\r\n> ");
        host.type_at(0, format!("{typed}\x1a").as_bytes());
        host.run(2000);
        assert!(host.heard().contains("+CMGS: "), "{charset}");
    }
    assert_eq!(host.phone_texts(), ["price @ 5\nnew", "泵水", "A"]);
    host.say("AT+CMGS=\"10086\"");
    assert_eq!(host.type_at(0, b"no hex\x1a"), "\r\n+CMS ERROR: 305\r\n");
}

#[test]
fn a_received_message_is_stored_told_read_and_deleted() {
    let mut host = Host::generic();
    host.say("AT+CNMI=2,1");
    host.get_text("hello");
    assert_eq!(host.heard(), "\r\n+CMTI: \"SM\",1\r\n");
    let digits = "0891683108501305F0040D91683119325476F8000062101000000023";
    let list = host.say("AT+CMGL=4");
    assert!(
        list.starts_with("\r\n+CMGL: 1,0,,25\r\n") && list.contains(&digits[..30]),
        "{list}"
    );
    assert!(
        host.say("AT+CMGR=1").starts_with("\r\n+CMGR: 1,,25\r\n"),
        "read now"
    );
    assert_eq!(
        host.say("AT+CPMS?"),
        ok("+CPMS: \"SM\",1,30,\"SM\",1,30,\"SM\",1,30")
    );
    assert_eq!(host.say("AT+CMGD=1"), "\r\nOK\r\n");
    assert_eq!(host.say("AT+CMGR=1"), "\r\nOK\r\n", "an empty place");
    assert_eq!(host.say("AT+CMGD=31"), "\r\n+CMS ERROR: 321\r\n");
    assert_eq!(host.say("AT+CMGL=4"), "\r\nOK\r\n");
}

#[test]
fn manual_2_8_6_7_a_text_is_listed_in_text_mode() {
    let mut host = Host::generic();
    host.say("AT+CMGF=1;+CNMI=2,0");
    host.get_text("hello");
    host.does("sms from 10086 \"余额\"");
    host.run(1000);
    assert_eq!(host.heard(), "");
    let stamp = "26/01/01,00:00:0";
    let list = host.say("AT+CMGL=\"ALL\"");
    let wanted = [
        format!("+CMGL: 1,\"REC UNREAD\",\"+8613912345678\",,\"{stamp}0+32\"\r\nhello"),
        format!("+CMGL: 2,\"REC UNREAD\",\"10086\",,\"{stamp}1+32\"\r\n4F59989D"),
    ];
    assert_eq!(list, format!("\r\n{}\r\n\r\nOK\r\n", wanted.join("\r\n")));
    assert_eq!(host.say("AT+CMGL=\"REC UNREAD\""), "\r\nOK\r\n");
    host.say("AT+CSDH=1");
    let read = host.say("AT+CMGR=1");
    assert!(
        read.contains("+32\",145,4,0,0,\"+8613800531500\",145,5\r\nhello\r\n"),
        "{read}"
    );
    assert_eq!(host.say("AT+CMGL=\"SOME\""), "\r\n+CMS ERROR: 302\r\n");
}

#[test]
fn a_full_card_leaves_messages_with_the_network_until_a_place_is_free() {
    let mut host = Host::new(Setup {
        places: 2,
        ..Setup::default()
    });
    host.say("ATE0+CNMI=2,1");
    host.heard();
    for text in ["1", "2", "3"] {
        host.get_text(text);
    }
    assert_eq!(
        host.heard(),
        "\r\n+CMTI: \"SM\",1\r\n\r\n+CMTI: \"SM\",2\r\n"
    );
    host.run(600_000);
    assert_eq!(host.heard(), "", "the network tries in vain");
    assert_eq!(host.say("AT+CMGD=1"), "\r\nOK\r\n\r\n+CMTI: \"SM\",1\r\n");
    assert_eq!(host.rack.network().counters().delivered, 3);
    assert_eq!(
        host.say("AT+CPMS=\"ME\",\"ME\",\"ME\""),
        ok("+CPMS: 0,2,0,2,0,2")
    );
    host.get_text("4");
    assert_eq!(host.heard(), "\r\n+CMTI: \"ME\",1\r\n");
}

#[test]
fn messages_go_straight_to_the_host_and_with_csms_1_are_acknowledged() {
    let mut host = Host::generic();
    host.say("AT+CNMI=2,2,0,1,0");
    host.get_text("hello");
    let heard = host.heard();
    assert!(
        heard.starts_with("\r\n+CMT: ,25\r\n0891683108501305F0"),
        "{heard}"
    );
    assert_eq!(host.say("AT+CMGL=4"), "\r\nOK\r\n");
    assert_eq!(host.say("AT+CSMS=1"), ok("+CSMS: 1,1,1"));
    host.get_text("again");
    host.heard();
    assert_eq!(host.rack.network().counters().delivered, 1);
    assert_eq!(host.say("AT+CNMA"), "\r\nOK\r\n");
    assert_eq!(host.rack.network().counters().delivered, 2);
    assert_eq!(host.say("AT+CNMA"), "\r\n+CMS ERROR: 340\r\n");
    // Not acknowledged: shown no more, but not lost.
    host.get_text("third");
    host.run(20_000);
    host.heard();
    assert_eq!(host.say("AT+CNMI?"), ok("+CNMI: 2,0,0,0,0"));
    host.run(200_000);
    assert!(host.say("AT+CMGL=4").contains("+CMGL: 1,0,,"));
}

#[test]
fn a_report_comes_as_cds_or_is_stored() {
    let mut host = Host::generic();
    host.say("AT+CNMI=2,1,0,1,0");
    let (length, digits) = pdu("10010", "report", |submit| submit.report = true);
    for wanted in ["+CDS: 22\r\n", "+CDSI: \"SM\",1\r\n"] {
        host.say(&format!("AT+CMGS={length}"));
        host.type_at(0, format!("{digits}\x1a").as_bytes());
        host.run(5000);
        assert!(host.heard().contains(wanted), "{wanted}");
        host.say("AT+CNMI=2,1,0,2,0");
    }
}

#[test]
fn messages_are_written_and_sent_from_the_store() {
    let mut host = Host::generic();
    let (length, digits) = pdu("10010", "stored", |_| {});
    host.say(&format!("AT+CMGW={length}"));
    assert_eq!(
        host.type_at(0, format!("{digits}\x1a").as_bytes()),
        ok("+CMGW: 1")
    );
    assert!(host.say("AT+CMGL=2").contains("+CMGL: 1,2,,"));
    assert_eq!(host.say("AT+CMSS=1"), "");
    host.run(2000);
    assert_eq!(host.heard(), ok("+CMSS: 1"));
    assert!(host.say("AT+CMGL=3").contains("+CMGL: 1,3,,"));
    host.say("AT+CMSS=1,\"+8613912345678\"");
    host.run(2000);
    assert_eq!(host.heard(), ok("+CMSS: 2"));
    assert_eq!(host.phone_texts(), ["stored", "stored"]);
    assert_eq!(host.say("AT+CMSS=9"), "\r\n+CMS ERROR: 321\r\n");
}

#[test]
fn every_test_form_that_clients_ask_for_is_answered() {
    let mut host = Host::generic();
    let names = [
        "CMGF", "CPMS", "CSCS", "CNMI", "CSMS", "CMGD", "CMGL", "CREG", "CFUN", "CGDCONT", "CLCC",
        "CMEE", "CSQ", "CCLK", "CGATT", "CGACT",
    ];
    for name in names {
        let answer = host.say(&format!("AT+{name}=?"));
        assert!(answer.ends_with("\r\nOK\r\n"), "{name}: {answer}");
    }
}

#[test]
fn a_call_goes_out_and_its_state_can_be_asked_for() {
    let mut host = Host::generic();
    assert_eq!(host.say("ATD10086;"), "\r\nOK\r\n");
    assert_eq!(host.say("AT+CLCC"), ok("+CLCC: 1,0,2,0,0,\"10086\",129"));
    host.run(1900);
    assert_eq!(host.say("AT+CLCC"), ok("+CLCC: 1,0,3,0,0,\"10086\",129"));
    host.run(3000);
    assert_eq!(host.say("AT+CLCC"), ok("+CLCC: 1,0,0,0,0,\"10086\",129"));
    assert_eq!(host.say("ATH"), "\r\nOK\r\n");
    assert_eq!(host.say("AT+CLCC"), "\r\nOK\r\n");
    host.run(3000);
    assert_eq!(host.heard(), "");
    for (does, end) in [
        ("busy", "BUSY"),
        ("rings", "NO ANSWER"),
        ("off", "NO CARRIER"),
    ] {
        host.does(&format!("phone +8613912345678 {does}"));
        host.say("ATDT+8613912345678;");
        host.run(70_000);
        assert_eq!(host.heard(), format!("\r\n{end}\r\n"));
    }
    assert_eq!(host.say("ATD10086"), "\r\nNO CARRIER\r\n", "no data calls");
}

#[test]
fn a_call_comes_in_rings_and_is_answered_or_refused() {
    let mut host = Host::generic();
    host.say("AT+CLIP=1");
    host.does("call from +8613912345678");
    host.run(5000);
    let ring = "\r\nRING\r\n\r\n+CLIP: \"+8613912345678\",145,\"\",0,\"\",0\r\n";
    assert_eq!(host.heard(), ring.repeat(2));
    assert_eq!(
        host.say("AT+CLCC"),
        ok("+CLCC: 1,1,4,0,0,\"+8613912345678\",145")
    );
    assert_eq!(host.say("ATA"), "\r\nOK\r\n");
    host.does("hangup +8613912345678");
    assert_eq!(host.heard(), "\r\nNO CARRIER\r\n");
    assert_eq!(host.say("ATA"), "\r\nNO CARRIER\r\n");

    host.say("AT+CRC=1;+CLIP=0;S0=2");
    host.does("call from +8613912345678");
    host.run(5000);
    assert_eq!(host.heard(), "\r\n+CRING: VOICE\r\n".repeat(2));
    assert_eq!(
        host.say("AT+CLCC"),
        ok("+CLCC: 1,1,0,0,0,\"+8613912345678\",145")
    );
    assert_eq!(host.say("AT+CHUP"), "\r\nOK\r\n");
}

#[test]
fn two_modems_write_to_and_call_each_other() {
    let mut host = Host::generic();
    let other = host.add();
    host.type_at(other, b"ATE0+CNMI=2,1\r");
    let (length, digits) = pdu("+8613800100002", "to you", |_| {});
    host.say(&format!("AT+CMGS={length}"));
    host.type_at(0, format!("{digits}\x1a").as_bytes());
    host.run(3000);
    assert_eq!(host.heard_of(other), "\r\n+CMTI: \"SM\",1\r\n");
    assert!(
        host.type_at(other, b"AT+CMGF=1;+CMGR=1\r")
            .contains("\"+8613800100001\"")
    );
    host.say("ATD+8613800100002;");
    host.run(2000);
    assert_eq!(host.heard_of(other), "\r\nRING\r\n");
    host.type_at(other, b"ATA\r");
    assert!(host.say("AT+CLCC").contains("+CLCC: 1,0,0,"));
    host.type_at(other, b"ATH\r");
    assert_eq!(host.heard(), "\r\nNO CARRIER\r\n");
}

#[test]
fn sim800_tells_of_calls_and_of_the_time() {
    let mut host = Host::new(Setup {
        dialect: Dialect::Sim800,
        ..Setup::default()
    });
    host.say("ATE0+MORING=1;+CLCC=1;+CLTS=1");
    host.say("ATD10086;");
    host.run(5000);
    let heard = host.heard();
    for wanted in [
        "MO RING",
        "MO CONNECTED",
        "+CLCC: 1,0,3,0,0,\"10086\",129",
        "+CLCC: 1,0,0,0,0,\"10086\",129",
    ] {
        assert!(heard.contains(wanted), "{wanted}: {heard}");
    }
    host.does("registration lost 1s");
    host.run(2000);
    assert!(host.heard().contains("*PSUTTZ: 2026,1,1,0,0,6,\"+32\",0"));
}

#[test]
fn a_modem_that_is_silent_hears_nothing_and_then_goes_on() {
    let mut host = Host::generic();
    host.does("silent 60s");
    assert_eq!(host.say("AT"), "");
    host.get_text("meanwhile");
    host.run(58_000);
    assert_eq!(host.say("AT"), "");
    host.run(2000);
    assert_eq!(host.heard(), "");
    assert_eq!(host.say("AT"), "\r\nOK\r\n");
    assert!(host.say("AT+CMGL=4").contains("+CMGL: 1,0"));
}

#[test]
fn traps_of_real_modems_can_be_switched_on() {
    let mut host = Host::generic();
    host.does("blank-lines on");
    assert_eq!(
        host.say("AT+CSQ"),
        "\r\n\r\n+CSQ: 31,99\r\n\r\n\r\n\r\nOK\r\n\r\n"
    );
    host.does("blank-lines off");
    host.does("bare-prompt on");
    assert_eq!(host.say("AT+CMGS=20"), "\r\n>");
    host.type_at(0, b"\x1b");
    host.does("bare-prompt off");
    host.does("prompt-errors 1");
    assert_eq!(host.say("AT+CMGS=20"), "\r\n> \r\nERROR\r\n");
    assert_eq!(host.say("AT+CMGS=20"), "\r\n> ");
    host.type_at(0, b"\x1b");
    host.does("lines-inside on");
    assert_eq!(
        host.say("AT+CSQ"),
        "\r\n+CSQ: 31,99\r\n\r\n+CIEV: 2,4\r\n\r\nOK\r\n"
    );
    host.does("lines-inside off");
    host.does("slow 300ms");
    assert_eq!(host.say("AT"), "");
    host.run(299);
    assert_eq!(host.heard(), "");
    host.run(1);
    assert_eq!(host.heard(), "\r\nOK\r\n");
}

#[test]
fn a_modem_vanishes_and_comes_back() {
    let mut host = Host::generic();
    host.does("leave 30s");
    assert_eq!(host.others, [RackOutput::Vanished(0)]);
    host.get_text("while away");
    host.run(28_000);
    assert_eq!(host.others.len(), 1);
    host.run(2000);
    assert_eq!(
        host.others,
        [RackOutput::Vanished(0), RackOutput::Appeared(0)]
    );
    host.run(1000);
    assert!(
        host.say("AT+CMGL=4").contains("+CMGL: 1,0"),
        "it waited in the centre"
    );
}

#[test]
fn unsolicited_lines_wait_for_the_end_of_a_command() {
    let mut host = Host::generic();
    host.say("AT+CNMI=2,1");
    let (length, digits) = pdu("10010", "x", |_| {});
    host.say(&format!("AT+CMGS={length}"));
    host.get_text("in the middle");
    assert_eq!(host.heard(), "", "nothing is said into a prompt");
    host.type_at(0, format!("{digits}\x1a").as_bytes());
    host.run(2000);
    assert_eq!(
        host.heard(),
        format!("{}\r\n+CMTI: \"SM\",1\r\n", ok("+CMGS: 1"))
    );
}

#[test]
fn what_is_typed_while_a_command_runs_is_done_afterwards() {
    let mut host = Host::generic();
    host.type_at(0, b"AT+COPS=?\rAT+CSQ\r");
    host.run(2500);
    let heard = host.heard();
    assert!(
        heard.ends_with(&ok("+CSQ: 31,99")) && heard.contains("+COPS: ("),
        "{heard}"
    );
    let flood = vec![b'x'; 20_000];
    host.type_at(0, b"AT+COPS=?\r");
    host.type_at(0, &flood);
    assert_eq!(host.rack.modem(0).unwrap().lost(), 20_000 - 8192);
}

#[test]
fn a_script_plays_by_the_clock_and_its_problems_are_told() {
    let mut host = Host::generic();
    host.say("AT+CNMI=2,1");
    host.rack.play(
        Script::parse("at 5s sms from 10010 \"a\"\nat 10s hangup 10010\nat 1s modem 7 back")
            .unwrap(),
    );
    host.run(20_000);
    assert_eq!(host.heard(), "\r\n+CMTI: \"SM\",1\r\n");
    let problems = host.others.iter().filter_map(|output| match output {
        RackOutput::Problem(text) => Some(text.as_str()),
        _ => None,
    });
    assert_eq!(
        problems.collect::<Vec<_>>(),
        [
            "line 3: there is no modem of this number",
            "line 2: this phone has no such call"
        ]
    );
}

proptest::proptest! {
    #[test]
    fn no_bytes_make_it_panic_or_run_away(pieces in proptest::collection::vec(proptest::collection::vec(proptest::num::u8::ANY, 0..80), 0..20)) {
        let mut host = Host::generic();
        for piece in pieces {
            host.rack.read(0, &piece, host.now);
            while host.rack.poll_output().is_some() {}
            host.rack.handle_timeout(host.now + Duration::from_secs(5));
        }
    }

    #[test]
    fn no_command_line_makes_it_panic(
        words in proptest::collection::vec(proptest::sample::select(vec![
            "AT", "+CMGS", "=", "?", "\"", ",", "5", "\r", "\x1a", "\x1b", "+CMGW", "+CPMS", "D", "1;", "E", "&", "S0", "+CNMI", "+CGDCONT", "+CMGL", "+CCLK", "99999999999999", "泵", ";",
        ]), 0..40)
    ) {
        let mut host = Host::new(Setup::default());
        host.rack.read(0, words.concat().as_bytes(), host.now);
        host.rack.handle_timeout(host.now + Duration::from_secs(5));
    }
}
