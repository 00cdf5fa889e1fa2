//! Which lines are the response to the command that is outstanding.

use super::*;

fn exchange(text: &str, info: InfoText) -> Exchange {
    let mut exchange = Exchange::default();
    let limit = Duration::from_secs(5);
    exchange.start(
        Request {
            command: Command::QuerySignal,
            text: text.into(),
            limit,
            info,
            body: None,
        },
        Instant::ZERO,
    );
    exchange
}

#[test]
fn a_pdu_finds_its_header_although_urcs_came_between_them() {
    let mut exchange = exchange("AT+CMGR=1", InfoText::None);
    assert!(exchange.take_pdu_header("+CMGR: 0,,9"));
    assert!(exchange.take_pdu_header("+CMT: ,8"));
    let of = |exchange: &mut Exchange, digits: &str| {
        exchange.match_pdu(digits).map(|announced| announced.header)
    };
    assert_eq!(
        of(&mut exchange, "0001020304050607FF"),
        Some("+CMT: ,8".into())
    );
    assert_eq!(
        of(&mut exchange, "000102030405060708FF"),
        Some("+CMGR: 0,,9".into())
    );
    assert_eq!(of(&mut exchange, "000102030405060708FF"), None);
}

#[test]
fn urcs_in_the_middle_are_no_part_of_an_answer_without_a_prefix() {
    let mut exchange = exchange("AT+CGMI", InfoText::Bare("+CGMI:"));
    assert!(!exchange.take_info_line("+CMTI: \"SM\",3"));
    assert!(!exchange.take_info_line("^BOOT:1,0"));
    assert!(!exchange.take_info_line("AT+CPIN=\"1234\""));
    assert!(exchange.take_info_line("Quectel"));
    assert_eq!(exchange.complete("OK").unwrap().1.text(), Some("Quectel"));
}

#[test]
fn an_abandoned_command_is_over_and_what_it_announced_does_not_come() {
    let mut exchange = exchange("AT+CMGR=1", InfoText::Prefix("+CMGR:"));
    exchange.take_pdu_header("+CMGR: 0,,9");
    exchange.take_pdu_header("+CMT: ,9");
    let abandoned = exchange.abandon().map(|request| request.text);
    assert_eq!(abandoned.as_deref(), Some("AT+CMGR=1"));
    assert!(exchange.is_idle());
    assert_eq!((exchange.deadline(), exchange.command()), (None, None));
    assert!(exchange.complete("OK").is_none(), "the answer is nobody's");
    let of = |exchange: &mut Exchange, digits: &str| {
        exchange.match_pdu(digits).map(|announced| announced.header)
    };
    assert_eq!(
        of(&mut exchange, "000102030405060708FF"),
        Some("+CMT: ,9".into())
    );
    assert_eq!(of(&mut exchange, "000102030405060708FF"), None);
}

#[test]
fn a_command_that_comes_back_is_an_echo() {
    let mut exchange = exchange("\u{1b}AT", InfoText::None);
    assert!(exchange.is_echo("AT") && exchange.echoes);
    assert!(!exchange.is_echo("OK"));
}

fn submit(now: Instant) -> Exchange {
    let mut exchange = Exchange::default();
    let bytes = exchange.start(
        Request {
            command: Command::Submit,
            text: "AT+CMGS=2".into(),
            limit: Duration::from_secs(10),
            info: InfoText::Prefix("+CMGS:"),
            body: Some((Bytes::from_static(b"001122\x1A"), Duration::from_secs(100))),
        },
        now,
    );
    assert_eq!(bytes, "AT+CMGS=2\r");
    exchange
}

const fn at(seconds: u64) -> Instant {
    Instant::from_millis(seconds * 1000)
}

/// 27.005 3.5.1: in front of the prompt only a refusal can be meant; behind it the network has its own time.
#[test]
fn a_text_goes_out_behind_its_prompt_and_has_a_time_limit_of_its_own() {
    let mut exchange = submit(at(5));
    assert_eq!(exchange.deadline(), Some(at(15)));
    assert!(exchange.complete("OK").is_none(), "of something older");
    assert!(!exchange.take_info_line("+CMGS: 1"));
    assert_eq!(exchange.push(b'>'), Some(Piece::Prompt));
    assert_eq!(exchange.take_body(at(7)).unwrap(), "001122\x1A");
    assert!(exchange.take_body(at(7)).is_none(), "once");
    assert_eq!(exchange.deadline(), Some(at(107)));
    assert_eq!(exchange.push(b'>'), None, "no prompt is awaited");
    assert!(exchange.take_info_line("+CMGS: 1"));
    exchange.hurry(at(200));
    assert_eq!(exchange.deadline(), Some(at(107)), "never later");
    exchange.hurry(at(9));
    assert!(exchange.expire(Instant::from_millis(8_999)).is_none());
    let (_, response) = exchange.expire(at(9)).unwrap();
    assert_eq!(response.outcome, Outcome::TimedOut);
    assert_eq!(response.lines, ["+CMGS: 1"]);
    let refused = submit(at(0)).complete("ERROR");
    let refused = refused.map(|(_, response)| response.outcome);
    assert!(matches!(refused, Some(Outcome::Failed(_))));
}

#[test]
fn a_text_that_comes_back_is_an_echo_and_other_lines_are_not() {
    let mut exchange = submit(at(0));
    assert!(exchange.is_echo("001122"));
    assert!(exchange.is_echo("001122\u{1a}"));
    assert!(!exchange.echoes, "the text says nothing about ATE");
    assert!(!exchange.is_echo("0011"));
    assert!(!exchange.is_echo("\u{1b}"));
    assert!(exchange.is_echo("AT+CMGS=2"));
    assert!(exchange.echoes);
    assert!(!Exchange::default().is_echo("AT"));
}

/// `ATV0` of a former host answers with digits: the probe is answered by one, another command is not.
#[test]
fn a_digit_is_a_result_of_the_probe_only() {
    let mut other = exchange("AT", InfoText::None);
    assert!(other.complete("0").is_none());
    let mut probe = exchange("AT", InfoText::None);
    if let Some(outstanding) = &mut probe.current {
        outstanding.request.command = Command::Probe(0);
    }
    assert!(probe.complete("4").is_none());
    assert!(probe.complete("0").unwrap().1.is_ok());
}

#[test]
fn the_escape_sequence_goes_out_without_an_end_of_line() {
    let mut exchange = Exchange::default();
    let request = Request {
        command: Command::Probe(3),
        text: ESCAPE_SEQUENCE.into(),
        limit: Duration::from_secs(1),
        info: InfoText::None,
        body: None,
    };
    assert_eq!(exchange.start(request, at(0)), "+++");
}

/// 27.005 3.4.1, 4.1, 4.2: how a header of PDU mode differs from one of text mode.
#[test]
fn headers_of_text_mode_are_told_from_those_of_pdu_mode() {
    for (header, is_text) in [
        ("+CMGR: 0,,24", false),
        ("+CMGR: 0,24", false),
        (
            "+CMGR: \"REC READ\",\"+86\",,\"26/01/01,00:00:00+32\"",
            true,
        ),
        ("+CMGR: \"REC READ\",\"+86\",,1", true),
        ("+CMGL: 1,0,,24", false),
        ("+CMGL: 1,\"REC READ\",\"+86\",,24", true),
        ("+CMGL: 1,\"REC READ\"", true),
        ("+CMT: ,24", false),
        ("+CMT:,24", false),
        ("+CMT: \"+86\",,24", true),
        ("+CMT: \"+86\",\"26/01/01,00:00:00+32\"", true),
        ("+CDS: 6,1,\"+86\",145,1,2,0", false),
        ("+CDS: 24", false),
    ] {
        assert_eq!(is_of_text_mode(header), is_text, "{header}");
        let mut exchange = Exchange::default();
        assert!(exchange.take_pdu_header(header));
        assert_eq!(exchange.text_mode, is_text, "{header}");
    }
    assert!(!Exchange::default().take_pdu_header("+CMTI: \"SM\",3"));
}

#[test]
fn a_pdu_has_16_digits_at_least_and_a_wrong_length_is_seen() {
    let mut exchange = Exchange::default();
    assert!(
        exchange.match_pdu("0001020304050607").is_none(),
        "nothing announced it"
    );
    exchange.take_pdu_header("+CMT: ,7");
    assert!(exchange.match_pdu("00010203040506").is_none());
    assert!(exchange.match_pdu("000102030405060x").is_none());
    let pdu = exchange.match_pdu("0001020304050607").unwrap();
    assert!(pdu.length_matches);
    exchange.take_pdu_header("+CMT: ,8");
    exchange.take_pdu_header("+CDS: 9");
    let pdu = exchange.match_pdu("0001020304050607").unwrap();
    assert_eq!(
        (pdu.header.as_str(), pdu.length_matches),
        ("+CDS: 9", false)
    );
    exchange.take_pdu_header("+CMT: ,7");
    let pdu = exchange.match_pdu("01FF01020304050607").unwrap();
    assert!(pdu.length_matches, "behind a service centre of one octet");
}

#[test]
fn four_headers_wait_at_most_and_the_oldest_goes() {
    let mut exchange = Exchange::default();
    for length in 7..12 {
        exchange.take_pdu_header(&alloc::format!("+CMT: ,{length}"));
    }
    let headers = core::iter::from_fn(|| exchange.match_pdu("FF01020304050607"));
    let headers: Vec<_> = headers.map(|pdu| pdu.header).collect();
    assert_eq!(headers, ["+CMT: ,11", "+CMT: ,10", "+CMT: ,9", "+CMT: ,8"]);
}

/// 27.007 7.15: the text of a `+CUSD` has line ends in it; its lines are no part of another response.
#[test]
fn a_urc_of_several_lines_is_no_part_of_a_response() {
    let mut exchange = exchange("AT+CGMI", InfoText::Bare("+CGMI:"));
    assert!(!exchange.take_info_line("+CUSD: 0,\"first"));
    assert!(!exchange.take_info_line("second"));
    assert!(!exchange.take_info_line("third\",15"));
    assert!(exchange.take_info_line("Quectel"));
    assert!(!exchange.take_info_line("+CUSD: 0,\"whole\",15"));
    assert!(exchange.take_info_line("Revision"));
    // One that never ends does not swallow everything.
    assert!(!exchange.take_info_line("+CUSD: 0,\"first"));
    for _ in 0..16 {
        assert!(!exchange.take_info_line("more"));
    }
    assert!(exchange.take_info_line("more"));
    let (_, response) = exchange.complete("OK").unwrap();
    assert_eq!(response.lines, ["Quectel", "Revision", "more"]);
}

/// 27.007 7.3: an operator's name may have line ends in it.
#[test]
fn a_name_of_several_lines_is_one() {
    let mut exchange = exchange("AT+COPS?", InfoText::Prefix("+COPS:"));
    assert!(exchange.take_info_line("+COPS: 0,0,\"CHINA"));
    assert!(!exchange.take_info_line("+CREG: 2"));
    assert!(exchange.take_info_line("MOBILE\""));
    assert!(!exchange.take_info_line("more"));
    let (_, response) = exchange.complete("OK").unwrap();
    assert_eq!(response.lines, ["+COPS: 0,0,\"CHINAMOBILE\""]);
}

#[test]
fn a_response_keeps_64_lines() {
    let mut exchange = exchange("AT+CLCC", InfoText::Prefix("+CLCC:"));
    for _ in 0..70 {
        assert!(exchange.take_info_line("+CLCC: 1,0,0,0,0"));
    }
    assert_eq!(exchange.complete("OK").unwrap().1.lines.len(), 64);
}

#[test]
fn what_was_outstanding_is_forgotten_with_the_device() {
    let mut exchange = exchange("AT+CSQ", InfoText::Prefix("+CSQ:"));
    exchange.take_pdu_header("+CMT: ,7");
    for byte in b"half" {
        assert!(exchange.push(*byte).is_none());
    }
    exchange.clear();
    assert!(exchange.is_idle());
    assert!(exchange.match_pdu("0001020304050607").is_none());
    for byte in b"OK" {
        assert!(exchange.push(*byte).is_none());
    }
    assert_eq!(exchange.push(b'\n'), Some(Piece::Line("OK".into())));
}
