//! Messages at the AT interface: the manual's examples to the byte, and what real clients send.

use bytes::Bytes;
use sms_codec::address::Address;
use sms_codec::hex;
use sms_codec::pdu::{Pdu, Submit, Tpdu};
use sms_codec::user_data::{Body, UserData};
use std::format;
use std::string::{String, ToString};
use std::vec::Vec;

use super::super::outcome::Submission;
use super::super::prompt::MessagePrompt;
use super::super::{
    Entry, LineOutcome, ParkedLine, Prompt, SlowCommand, SlowResult, answer_prompt, resume,
};
use super::Desk;
use crate::config::{Charset, Config, TextCharset};
use crate::event::Origin;
use crate::radio::{PhoneNumber, SubmitFailure};
use crate::sms::{State, Stored};

/// 2.8.6.7: from 8618954102857, `ttttzgh`.
pub(super) const MANUAL: &str =
    "0891683108504405F0240D91688159142058F700004190015160012307743A9DAE3FA301";
const LIST: &str =
    "+CMGL: 1, 1,, 27\r\n0891683108504405F0240D91688159142058F700004190015160012307743A9DAE3FA301";

fn octets(digits: &str) -> Bytes {
    Bytes::from(hex::decode(digits).unwrap())
}

impl Desk {
    pub(super) fn holding(state: State, pdus: &[&str]) -> Self {
        let mut desk = Self::with_modem();
        for (index, pdu) in (1..).zip(pdus) {
            desk.mailbox.storage.put_at(
                index,
                Stored {
                    state,
                    announced: false,
                    pdu: octets(pdu),
                },
            );
        }
        desk
    }

    /// The line ends with a prompt.
    #[track_caller]
    fn asks(&mut self, line: &str) -> Prompt {
        match self.run(line) {
            LineOutcome::Prompt { reply, prompt, .. } => {
                assert_eq!(reply, b"\r\n> ");
                prompt
            }
            other @ (LineOutcome::Done { .. } | LineOutcome::Parked { .. }) => {
                panic!("{line}: {other:?}")
            }
        }
    }

    #[track_caller]
    fn types(&mut self, line: &str, text: &[u8]) -> LineOutcome {
        let prompt = self.asks(line);
        self.with(|device| answer_prompt(prompt, Entry::Text(text.to_vec()), device))
    }

    /// What is typed becomes this message; then the network takes it.
    #[track_caller]
    fn sends(&mut self, line: &str, text: &[u8]) -> Vec<Submit> {
        let ran = self.types(line, text);
        let (parked, submits) = parts(ran);
        let told = self.with(|device| resume(parked, SlowResult::Submitted(Ok(7)), device));
        assert_eq!(told, done("\r\n+CMGS: 7\r\n\r\nOK\r\n"), "{line}");
        submits
    }

    #[track_caller]
    fn refuses_text(&mut self, line: &str, text: &[u8], error: &str) {
        let reply = format!("\r\n{error}\r\n");
        assert_eq!(self.types(line, text), done(&reply), "{line}");
    }
}

fn done(reply: &str) -> LineOutcome {
    LineOutcome::Done {
        reply: reply.as_bytes().to_vec(),
        effects: Vec::new(),
        refusal: None,
    }
}

#[track_caller]
fn parts(ran: LineOutcome) -> (ParkedLine, Vec<Submit>) {
    let LineOutcome::Parked { reply, parked, .. } = ran else {
        panic!("{ran:?}")
    };
    assert_eq!(reply, b"");
    let SlowCommand::Submit(submission) = &parked.waits else {
        panic!("{parked:?}")
    };
    let submits = submission
        .parts
        .iter()
        .map(|part| submit_of(part))
        .collect();
    (parked, submits)
}

fn submit_of(pdu: &[u8]) -> Submit {
    match Pdu::decode(pdu).unwrap().pdu.tpdu {
        Tpdu::Submit(submit) => submit,
        other @ (Tpdu::Deliver(_) | Tpdu::StatusReport(_)) => panic!("{other:?}"),
    }
}

fn text(submits: &[Submit]) -> String {
    submits
        .iter()
        .map(|submit| submit.data.text().unwrap())
        .collect()
}

#[test]
fn manual_2_8_6_7_cmgl() {
    let mut desk = Desk::holding(State::Read, &[MANUAL]);
    desk.tells("AT+CMGL=4", LIST);
    desk.tells("AT+CMGL=1", LIST);
    desk.tells("AT+CMGL=\"ALL\"", LIST);
    desk.tells("AT+CMGL=\"REC READ\"", LIST);
    desk.ok("AT+CMGL=0");
    desk.ok("AT+CMGL");
    desk.tells("AT+CMGL=?", "+CMGL: (0-4)");
    let states = "0..=4, or \"REC UNREAD\", \"REC READ\", \"STO UNSENT\", \"STO SENT\", \"ALL\"";
    desk.refuses("AT+CMGL=5", &format!("CMGL: STAT must be {states}, got 5"));
}

#[test]
fn listing_makes_a_message_read_unless_it_is_to_stay_unread() {
    let mut desk = Desk::holding(State::Unread, &[MANUAL]);
    let unread = LIST.replace("1, 1,", "1, 0,");
    desk.tells("AT+CMGL=4,1", &unread);
    desk.tells("AT+CMGL=0", &unread);
    desk.ok("AT+CMGL=0");
    desk.tells("AT+CMGL=4", LIST);
}

#[test]
fn manual_2_8_6_8_cmgr() {
    let mut desk = Desk::holding(State::Unread, &[MANUAL]);
    desk.tells("AT+CMGR=1,1", &format!("+CMGR: 0,, 27\r\n{MANUAL}"));
    desk.tells("AT+CMGR=1", &format!("+CMGR: 0,, 27\r\n{MANUAL}"));
    desk.tells("AT+CMGR=1", &format!("+CMGR: 1,, 27\r\n{MANUAL}"));
    let nothing = "\r\n+CMS ERROR: CMGR: there is no message at 2\r\n";
    assert_eq!(desk.reply("AT+CMGR=2"), nothing);
    assert_eq!(
        desk.reply("AT+CMGR=51"),
        "\r\n+CMS ERROR: CMGR: INDEX must be 1..=50, got 51\r\n"
    );
    desk.refuses("AT+CMGR=X", "CMGR: INDEX must be 0..=255, got X");
    desk.ok("AT+CMEE=1");
    assert_eq!(desk.reply("AT+CMGR=2"), "\r\n+CMS ERROR: 321\r\n");
}

#[test]
fn manual_2_8_6_8_in_text_mode() {
    let mut desk = Desk::holding(State::Read, &[MANUAL]);
    desk.ok("AT+CMGF=1");
    let head = "\"REC READ\",\"+8618954102857\",,\"14/09/10,15:06:10+32\"";
    desk.tells("AT+CMGR=1", &format!("+CMGR: {head}\r\nttttzgh"));
    desk.tells("AT+CMGL=\"ALL\"", &format!("+CMGL: 1,{head}\r\nttttzgh"));
    desk.ok("AT+CSDH=1");
    desk.tells(
        "AT+CMGR=1",
        &format!("+CMGR: {head},145,4,0,0,\"+8613800544500\",145,7\r\nttttzgh"),
    );
    desk.tells("AT+CMGL=4", &format!("+CMGL: 1,{head},145,7\r\nttttzgh"));
    desk.ok("AT+CSDH=0;+CSCS=\"UCS2\"");
    let number = "\"002B0038003600310038003900350034003100300032003800350037\"";
    let head = head.replace("\"+8618954102857\"", number);
    desk.tells(
        "AT+CMGR=1",
        &format!("+CMGR: {head}\r\n0074007400740074007A00670068"),
    );
}

#[test]
fn manual_2_8_6_9_cmgf() {
    let mut desk = Desk::new();
    desk.tells("AT+CMGF?", "+CMGF: 0");
    desk.ok("AT+CMGF=1");
    desk.tells("AT+CMGF?", "+CMGF: 1");
    desk.tells("AT+CMGF=?", "+CMGF: (0,1)");
    desk.refuses("AT+CMGF=2", "CMGF: MODE must be 0 (PDU) or 1 (text), got 2");
}

#[test]
fn manual_2_8_6_16_cmgs_in_text_mode() {
    let mut desk = Desk::with_modem();
    desk.ok("AT+CMGF=1");
    let submits = desk.sends("AT+CMGS=10086", b"hello");
    assert_eq!(text(&submits), "hello");
    assert_eq!(submits[0].to, Address::number("10086").unwrap());
    assert_eq!(
        submits[0].validity,
        sms_codec::validity::Validity::Relative(167)
    );
    let submits = desk.sends("AT+CMGS=\"+8613800138000\"", &[0xCB, 0xAE, 0xB1, 0xC3]);
    assert_eq!(
        (text(&submits).as_str(), submits[0].to.type_of_address()),
        ("水泵", 145)
    );
    assert_eq!(
        desk.sends("AT+CMGS=\"8613800138000\",145", b"x")[0]
            .to
            .type_of_address(),
        145
    );
}

#[test]
fn a_long_text_goes_in_parts_up_to_ten() {
    let mut desk = Desk::with_modem();
    desk.ok("AT+CMGF=1");
    for (length, count) in [(160, 1), (161, 2), (1530, 10)] {
        let submits = desk.sends("AT+CMGS=10086", "x".repeat(length).as_bytes());
        assert_eq!((submits.len(), text(&submits).len()), (count, length));
    }
    let error = "+CMS ERROR: CMGS: the message takes 11 parts, at most 10 are allowed";
    desk.refuses_text("AT+CMGS=10086", "x".repeat(1531).as_bytes(), error);
}

#[test]
fn manual_2_8_6_16_cmgs_in_pdu_mode() {
    let mut desk = Desk::with_modem();
    // As gammu and smstools3 send it: no service centre, then 0x1A; the length does not count the first octet.
    let submits = desk.sends(
        "AT+CMGS=20",
        b"0011000D91683108108300F00000AA05E8329BFD06\r",
    );
    assert_eq!(text(&submits), "hello");
    desk.refuses_text(
        "AT+CMGS=19",
        b"0011000D91683108108300F00000AA05E8329BFD06",
        "+CMS ERROR: CMGS: LENGTH said 19 octets behind the service centre, 20 came",
    );
    desk.refuses_text(
        "AT+CMGS=27",
        MANUAL.as_bytes(),
        "+CMS ERROR: CMGS: only a SUBMIT can be sent",
    );
    desk.refuses_text(
        "AT+CMGS=27",
        b"zz",
        "+CMS ERROR: CMGS: octet 0: 'z' is no hex digit (character 0)",
    );
    desk.ok("AT+CMEE=1");
    desk.refuses_text("AT+CMGS=27", b"zz", "+CMS ERROR: 304");
}

#[test]
fn the_service_centre_that_is_set_is_used_where_the_pdu_has_none() {
    let mut desk = Desk::with_modem();
    desk.ok("AT+CSCA=\"+8613800531500\"");
    let center = |pdu: &[u8]| {
        Pdu::decode(pdu)
            .unwrap()
            .pdu
            .smsc
            .map(|smsc| format!("{smsc}"))
    };
    for (pdu, expected) in [
        (
            "0011000D91683108108300F00000AA05E8329BFD06",
            "+8613800531500",
        ),
        (
            "07915348501050F211000D91683108108300F00000AA05E8329BFD06",
            "+35840501052",
        ),
    ] {
        let ran = desk.types("AT+CMGS=20", pdu.as_bytes());
        let (parked, _) = parts(ran);
        let SlowCommand::Submit(Submission { parts, .. }) = parked.waits else {
            panic!()
        };
        assert!(
            center(&parts[0]).unwrap().starts_with(&expected[..9]),
            "{pdu}"
        );
    }
}

#[test]
fn a_prompt_is_given_up_without_a_word() {
    let mut desk = Desk::with_modem();
    let prompt = desk.asks("AT+CMGS=20");
    assert_eq!(
        desk.with(|device| answer_prompt(prompt, Entry::Cancelled, device)),
        done("\r\nOK\r\n")
    );
    let prompt = desk.asks("AT+CMGS=20");
    let ran = desk.with(|device| answer_prompt(prompt, Entry::TooLong(5000), device));
    assert_eq!(
        ran,
        done("\r\n+CMS ERROR: CMGS: a text has at most 512 bytes\r\n")
    );
    let prompt = desk.asks("AT+CMGS=20");
    let ran = desk.with(|device| answer_prompt(prompt, Entry::Abandoned(0), device));
    assert_eq!(
        ran,
        done("\r\n+CMS ERROR: CMGS: no text came for 60 s; nothing was sent\r\n")
    );
}

#[test]
fn what_cannot_be_sent_is_said_before_the_prompt() {
    let mut desk = Desk::with_modem();
    // Decisions 16.13: above 184 it is a number.
    desk.refuses(
        "AT+CMGS=184",
        "CMGS: TO must be a length in PDU mode (AT+CMGF=0): 6..=164, got 184",
    );
    desk.ok("AT+CMGF=1");
    let number = "TO must be a number, or in PDU mode (AT+CMGF=0) a length: 1..=20 digits, + in front allowed, got me";
    desk.refuses("AT+CMGS=me", &format!("CMGS: {number}"));
    desk.origin = Origin::Console;
    let elsewhere = "CMGS: its text is typed on the serial line; CISMSSEND sends from everywhere";
    desk.refuses("AT+CMGS=10086", elsewhere);
    desk.status.radio.modem.as_mut().unwrap().abilities.messages = false;
    desk.refuses("AT+CMGS=10086", "CMGS: this modem cannot send messages");
    desk.status.radio.modem = None;
    for line in ["AT+CMGS=10086", "AT+CMSS=1", "AT+CISMSSEND=10086,1,x"] {
        let name = &line[3..line.find('=').unwrap()];
        desk.refuses(line, &format!("{name}: there is no modem"));
    }
}

#[test]
fn a_refusal_of_the_network_is_answered_with_its_number() {
    let mut desk = Desk::with_modem();
    desk.ok("AT+CMGF=1");
    let ran = desk.types("AT+CMGS=10086", b"x");
    let (parked, _) = parts(ran);
    let answer = SlowResult::Submitted(Err(SubmitFailure(28)));
    let told = desk.with(|device| resume(parked, answer, device));
    assert_eq!(
        told,
        done("\r\n+CMS ERROR: CMGS: the subscriber is not known (28)\r\n")
    );
}

#[test]
fn manual_2_8_6_17_csca_read() {
    let mut desk = Desk::with_modem();
    desk.tells("AT+CSCA?", "+CSCA: \"8613800531500\", 145");
    desk.status.radio.service_center = None;
    let unknown = "\r\n+CMS ERROR: CSCA: the SIM names no service centre, and none is set\r\n";
    assert_eq!(desk.reply("AT+CSCA?"), unknown);
}

#[test]
fn manual_2_8_6_18_csca_set() {
    let mut desk = Desk::new();
    desk.ok("AT+CSCA=\"8613800531500\"");
    desk.tells("AT+CSCA?", "+CSCA: \"8613800531500\", 145");
    desk.ok("AT+CSCA=\"10086\",129");
    desk.tells("AT+CSCA?", "+CSCA: \"10086\", 129");
    desk.refuses(
        "AT+CSCA=\"x\"",
        "CSCA: NUMBER must be 1..=20 digits, + in front allowed, or \"\", got x",
    );
    desk.ok("AT+CSCA=\"\"");
    assert_eq!(desk.config, Config::default());
}

#[track_caller]
fn cismssend(desk: &mut Desk, line: impl AsRef<[u8]>) -> Vec<Submit> {
    let ran = desk.run(line);
    let (parked, submits) = parts(ran);
    assert_eq!(
        desk.with(|device| resume(parked, SlowResult::Submitted(Ok(1)), device)),
        done("\r\nOK\r\n")
    );
    submits
}

#[test]
fn manual_2_8_6_33_cismssend() {
    let mut desk = Desk::with_modem();
    let submits = cismssend(&mut desk, "AT+CISMSSEND=10086,1,hello");
    assert_eq!(
        (text(&submits).as_str(), &submits[0].to.to_string()[..]),
        ("hello", "10086")
    );
    assert_eq!(submits[0].dcs.0, 0);
    let pump = [&b"AT+CISMSSEND=10086,3,"[..], &[0xCB, 0xAE, 0xB1, 0xC3]].concat();
    let submits = cismssend(&mut desk, pump);
    assert_eq!((text(&submits).as_str(), submits[0].dcs.0), ("水泵", 8));
    desk.refuses(
        [&b"AT+CISMSSEND=10086,1,"[..], &[0xCB, 0xAE]].concat(),
        "CISMSSEND: DATA must be ASCII in format 1; format 3 is Chinese",
    );
    desk.refuses(
        b"AT+CISMSSEND=10086,3,\xCB",
        "CISMSSEND: DATA must be text in GBK",
    );
    desk.refuses(
        "AT+CISMSSEND=10086,2,x",
        "CISMSSEND: FORMAT must be 1 (ASCII) or 3 (Chinese), got 2",
    );
    desk.refuses(
        "AT+CISMSSEND=10086,1,",
        "CISMSSEND: DATA is missing; it must be 1..=1000 bytes",
    );
    desk.refuses(
        "AT+CISMSSEND=10086,1",
        "CISMSSEND: DATA is missing; it must be 1..=1000 bytes",
    );
    desk.tells(
        "AT+CISMSSEND=?",
        "+CISMSSEND: (1-20 digits),(1,3),(1-1000 bytes)",
    );
}

#[test]
fn the_text_of_cismssend_is_everything_behind_the_second_comma() {
    let mut desk = Desk::with_modem();
    for (typed, expected) in [
        ("AT+CISMSSEND=10086,1,a, b;c=\"d\"", "a, b;c=\"d\""),
        ("at +cismssend = \"10086\" , 1 , a,b", "a,b"),
        ("AT+CISMSSEND=10086,1,\"a, b\"", "a, b"),
        ("AT+CISMSSEND=10086,1,AT+CIRESET;W", "AT+CIRESET;W"),
    ] {
        assert_eq!(text(&cismssend(&mut desk, typed)), expected, "{typed}");
    }
    desk.options.charset = Charset::Utf8;
    let submits = cismssend(&mut desk, "AT+CISMSSEND＝10086，3，你好，“泵”；");
    assert_eq!(text(&submits), "你好，“泵”；");
    let gbk = [
        &b"AT+CISMSSEND=10086,3,"[..],
        &[0xC4, 0xE3, 0xA3, 0xAC, 0xC3, 0xB1],
    ]
    .concat();
    desk.options.charset = Charset::Gbk;
    assert_eq!(text(&cismssend(&mut desk, gbk)), "你，帽");
}

#[test]
fn the_storage_is_told_by_all_its_names() {
    let mut desk = Desk::holding(State::Read, &[MANUAL]);
    desk.tells("AT+CPMS=?", "+CPMS: (\"SM\"),(\"SM\"),(\"SM\")");
    desk.tells("AT+CPMS?", "+CPMS: \"SM\",1,50,\"SM\",1,50,\"SM\",1,50");
    desk.tells("AT+CPMS=\"SM\"", "+CPMS: 1,50,1,50,1,50");
    desk.tells("AT+CPMS=\"SM\",\"SM\"", "+CPMS: 1,50,1,50,1,50");
    desk.tells("AT+CPMS=\"ME\",\"MT\",\"SM\"", "+CPMS: 1,50,1,50,1,50");
    desk.tells("AT+CPMS?", "+CPMS: \"ME\",1,50,\"MT\",1,50,\"SM\",1,50");
    desk.refuses("AT+CPMS=\"BM\"", "CPMS: MEM1 must be SM, ME or MT, got BM");
}

#[test]
fn messages_are_deleted_one_by_one_or_by_kind() {
    let mut desk = Desk::holding(State::Read, &[MANUAL, MANUAL, MANUAL]);
    desk.ok("AT+CMGD=2");
    desk.ok("AT+CMGD=2,0");
    assert_eq!(desk.mailbox.storage.used(), 2);
    desk.mailbox.storage.get_mut(3).unwrap().state = State::Unread;
    desk.ok("AT+CMGD=1,3");
    assert!(desk.mailbox.storage.get(3).is_some() && desk.mailbox.storage.used() == 1);
    desk.ok("AT+CMGD=1,4");
    assert_eq!(desk.mailbox.storage.used(), 0);
    desk.tells("AT+CMGD=?", "+CMGD: (1-50),(0-4)");
}

#[test]
fn a_message_is_stored_and_sent_from_the_storage() {
    let mut desk = Desk::with_modem();
    desk.ok("AT+CMGF=1");
    assert_eq!(
        desk.types("AT+CMGW=\"10086\"", b"kept"),
        done("\r\n+CMGW: 1\r\n\r\nOK\r\n")
    );
    desk.tells(
        "AT+CMGL=\"STO UNSENT\"",
        "+CMGL: 1,\"STO UNSENT\",\"10086\",,\r\nkept",
    );
    let ran = desk.run("AT+CMSS=1");
    let (parked, submits) = parts(ran);
    assert_eq!(text(&submits), "kept");
    let told = desk.with(|device| resume(parked, SlowResult::Submitted(Ok(9)), device));
    assert_eq!(told, done("\r\n+CMSS: 9\r\n\r\nOK\r\n"));
    assert_eq!(desk.mailbox.storage.get(1).unwrap().state, State::Sent);
    let ran = desk.run("AT+CMSS=1,\"+8613800138000\"");
    assert_eq!(parts(ran).1[0].to.to_string(), "+8613800138000");
    desk.ok("AT+CMGF=0");
    let pdu = b"0011000D91683108108300F00000AA05E8329BFD06";
    assert_eq!(
        desk.types("AT+CMGW=20", pdu),
        done("\r\n+CMGW: 2\r\n\r\nOK\r\n")
    );
    assert_eq!(
        desk.types("AT+CMGW=27,1", MANUAL.as_bytes()),
        done("\r\n+CMGW: 3\r\n\r\nOK\r\n")
    );
    // 0 is REC UNREAD (27.005 3.1), but the state that is left off is that of a message to be sent.
    assert_eq!(
        desk.types("AT+CMGW=27,0", MANUAL.as_bytes()),
        done("\r\n+CMGW: 4\r\n\r\nOK\r\n")
    );
    let states = [2, 3, 4].map(|index| desk.mailbox.storage.get(index).unwrap().state);
    assert_eq!(states, [State::Unsent, State::Read, State::Unread]);
    let received = "\r\n+CMS ERROR: CMSS: the message was received; it cannot be sent\r\n";
    assert_eq!(desk.reply("AT+CMSS=3"), received);
}

#[test]
fn a_full_storage_takes_no_message_of_the_dte() {
    let mut desk = Desk::holding(State::Read, &[MANUAL; 50]);
    let pdu = b"0011000D91683108108300F00000AA05E8329BFD06";
    let full = "+CMS ERROR: CMGW: the storage is full; AT+CMGD deletes messages";
    desk.refuses_text("AT+CMGW=20", pdu, full);
    let list = desk.reply("AT+CMGL=4");
    assert_eq!(list.matches("+CMGL: ").count(), 50);
}

#[test]
fn text_mode_parameters_are_those_of_27_005() {
    let mut desk = Desk::with_modem();
    desk.tells("AT+CSMP?", "+CSMP: 17,167,0,0");
    desk.ok("AT+CSMP=49,167,0,0;+CMGF=1");
    assert!(desk.sends("AT+CMGS=10086", b"x")[0].report);
    desk.ok("AT+CSMP=25,\"14/09/11,15:06:10+32\"");
    desk.tells("AT+CSMP?", "+CSMP: 25,\"14/09/11,15:06:10+32\",0,0");
    desk.ok("AT+CSMP=17,255,0,8");
    assert_eq!(text(&desk.sends("AT+CMGS=10086", b"6CF5")), "泵");
    desk.ok("AT+CSMP=17,255,0,4");
    assert_eq!(
        desk.sends("AT+CMGS=10086", b"00FF")[0].data.body,
        Body::Octets(Vec::from([0, 255]))
    );
    desk.ok("AT+CSMP=17,255,0,16");
    assert_eq!(desk.sends("AT+CMGS=10086", b"x")[0].dcs.class(), Some(0));
    desk.refuses(
        "AT+CSMP=17,256",
        "CSMP: VP must be 0..=255 or \"yy/MM/dd,hh:mm:ss±zz\", got 256",
    );
}

#[test]
fn texts_are_typed_in_the_charset_that_is_set() {
    let mut desk = Desk::with_modem();
    desk.ok("AT+CMGF=1");
    desk.tells(
        "AT+CSCS=?",
        "+CSCS: (\"GSM\",\"IRA\",\"UCS2\",\"HEX\",\"UTF-8\")",
    );
    desk.tells("AT+CSCS?", "+CSCS: \"IRA\"");
    for (charset, typed) in [
        ("GSM", &b"a\x00"[..]),
        ("IRA", b"a@"),
        ("HEX", b"6100"),
        ("UCS2", b"00610040"),
    ] {
        desk.ok(format!("AT+CSCS=\"{charset}\""));
        assert_eq!(text(&desk.sends("AT+CMGS=10086", typed)), "a@", "{charset}");
    }
    assert_eq!(desk.config.messages.charset, TextCharset::Ucs2);
    let submits = desk.sends("AT+CMGS=\"00310030003000380036\"", b"0061");
    assert_eq!(submits[0].to.to_string(), "10086");
}

#[test]
fn notifications_are_set_with_one_to_five_values() {
    let mut desk = Desk::new();
    desk.tells("AT+CNMI?", "+CNMI: 2,1,0,0,0");
    for (line, shown) in [
        ("AT+CNMI=2,1,0,2", "2,1,0,2,0"),
        ("AT+CNMI=2,1,2,1,0", "2,1,2,1,0"),
        ("AT+CNMI=1,2,0", "1,2,0,0,0"),
        ("AT+CNMI=3,1,,1", "3,1,0,1,0"),
        ("AT+CNMI=0", "0,0,0,0,0"),
    ] {
        desk.ok(line);
        desk.tells("AT+CNMI?", &format!("+CNMI: {shown}"));
    }
    desk.tells("AT+CNMI=?", "+CNMI: (0-3),(0-3),(0-3),(0-2),(0-1)");
    desk.tells("AT+CSMS=1", "+CSMS: 1,1,0");
    desk.tells("AT+CSMS?", "+CSMS: 0,1,1,0");
    desk.tells("AT+CSMS=?", "+CSMS: (0,1)");
}

#[test]
fn data_of_every_kind_is_shown_in_text_mode() {
    let shown = |data: UserData, charset: TextCharset| {
        let mut desk = Desk::with_modem();
        desk.config.messages.text_mode = true;
        desk.config.messages.charset = charset;
        let tpdu = Tpdu::Submit(Submit::new(Address::number("10086").unwrap(), data));
        let pdu = Bytes::from(Pdu { smsc: None, tpdu }.encode().unwrap());
        desk.mailbox.storage.put_at(
            1,
            Stored {
                state: State::Sent,
                announced: false,
                pdu,
            },
        );
        let reply = desk.reply("AT+CMGR=1");
        String::from(reply.lines().nth(2).unwrap())
    };
    assert_eq!(
        shown(
            UserData::plain(Body::Octets(Vec::from([0, 255]))),
            TextCharset::Ira
        ),
        "00FF"
    );
    assert_eq!(
        shown(UserData::plain(Body::text("泵")), TextCharset::Ira),
        "6CF5"
    );
    assert_eq!(
        shown(UserData::plain(Body::text("泵")), TextCharset::Utf8),
        "泵"
    );
    assert_eq!(
        shown(UserData::plain(Body::text("a@")), TextCharset::Hex),
        "6100"
    );
}

#[test]
fn a_prompt_takes_no_more_than_can_make_sense() {
    let address = Address::number("10086").unwrap();
    assert_eq!(MessagePrompt::SendText(address).max(), 4096);
    assert_eq!(MessagePrompt::SendPdu(20).max(), 512);
    assert!(PhoneNumber::new("10086").is_some());
}
