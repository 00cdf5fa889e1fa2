//! How a line is read, and how its reply is framed.

use std::string::String;

use super::super::{Effect, LineOutcome, SlowCommand, error_reply};
use super::Desk;
use crate::config::{Charset, Config};
use crate::line::assembler::LINE_MAX;

#[test]
fn nothing_is_answered_to_nothing() {
    for empty in ["", " ", "\t ", "\x1b", "\x1b \x1b"] {
        assert_eq!(Desk::new().reply(empty), "");
    }
}

#[test]
fn a_line_that_is_no_command_line_is_told_so() {
    let mut desk = Desk::new();
    desk.refuses("hello", "a command line begins with AT, got hello");
    desk.refuses(
        b"\0\xff\r",
        "a command line begins with AT, got \\x00\\xFF\\x0D",
    );
    desk.refuses("A", "a command line begins with AT, got A");
    desk.refuses(
        "x".repeat(41),
        &std::format!(
            "a command line begins with AT, got {}... (41 bytes)",
            "x".repeat(32)
        ),
    );
}

#[test]
fn unknown_commands_are_named() {
    let mut desk = Desk::new();
    desk.refuses("AT+FOO=1", "AT+FOO: unknown command; AT+HELP lists them");
    desk.refuses("AT+", "AT+: unknown command; AT+HELP lists them");
    desk.refuses("ATB", "ATB: unknown command; AT+HELP lists them");
    desk.refuses("AT&B1", "AT&B: unknown command; AT+HELP lists them");
    desk.refuses("ATS99=3", "ATS99: unknown command; AT+HELP lists them");
    desk.refuses("AT$X=1", "$X=1 is no command; AT+HELP lists them");
    desk.refuses("AT&", "AT&: a letter must follow");
    desk.refuses("ATS0", "ATS0: = or ? must follow");
}

#[test]
fn forms_that_a_command_does_not_have_are_refused() {
    let mut desk = Desk::new();
    desk.refuses(
        "AT+CIPR",
        "CIPR: must be written AT+CIPR? or AT+CIPR=<RATE>",
    );
    desk.refuses("AT+CIRESET=1", "CIRESET: must be written AT+CIRESET");
    desk.refuses("AT+CIPR?x", "CIPR: x does not belong behind the command");
    desk.refuses("AT+CGSN x", "CGSN: x does not belong behind the command");
    desk.refuses("ATE2", "ATE: ECHO must be 0 (off) or 1 (on), got 2");
}

#[test]
fn case_blanks_and_quotes_do_not_matter() {
    for line in [
        "AT+CIPSCONT=1,\"TCP\",\"h\",5,1",
        "at+cipscont=1,tcp,h,5,1",
        "  aT + CipsCont = 1 , Tcp ,\th , \"5\" , \"1\"  ",
        "\x1bAT+CIPSCONT=1,TCP,h,5,1;",
        "AT+CIPSCONT＝1，“TCP”，“h”，5，1；",
    ] {
        let mut desk = Desk::new();
        desk.ok(line);
        let link = &desk.config.links[0];
        assert_eq!(
            (link.address.as_str(), link.port, link.enabled),
            ("h", 5, true),
            "{line}"
        );
    }
}

#[test]
fn full_width_punctuation_counts_in_gbk_bytes_too() {
    let mut desk = Desk::new();
    desk.ok(b"AT+CIPPACK\xA3\xBD0\xA3\xAC\xA1\xB031313131\xA1\xB1\xA3\xAC\xA1\xB01\xA1\xB1");
    assert_eq!(desk.config.heartbeat, b"1111");
    // Two GBK characters whose inner bytes look like a comma (A3 AC) are no comma.
    desk.ok(b"AT+CIMODID=\xC4\xA3\xAC\xB0");
    assert_eq!(desk.config.banner, "模\u{e0cb}");
}

#[test]
fn quoted_text_keeps_everything() {
    let mut desk = Desk::new();
    desk.options.charset = Charset::Utf8;
    for (typed, meant) in [
        ("\"a,b;c\"", "a,b;c"),
        ("\"，；“”＝\"", "，；“”＝"),
        ("“a，b”", "a，b"),
        ("\" a \"", " a "),
        ("\"say \"\"hi\"\"\"", "say \"hi\""),
        ("\"?\"", "?"),
        ("say \"hi\"", "say \"hi\""),
        ("  two words ", "two words"),
    ] {
        desk.ok(std::format!("AT+CIMODID={typed}"));
        assert_eq!(desk.config.banner, meant, "{typed}");
    }
    desk.refuses(
        "AT+CIMODID=\"open",
        "CIMODID: the quote before open is not closed",
    );
    desk.refuses(
        "AT+CIMODID=\"a\" b",
        "CIMODID: b stands behind a closing quote",
    );
}

#[test]
fn numbers_have_digits_only() {
    let mut desk = Desk::new();
    for bad in [
        "+1",
        "-1",
        "1 0",
        "0x1",
        "1.0",
        "\" 1\"",
        "4294967296",
        "99999999999999999999999",
        "１",
        "\"\"",
    ] {
        let reply = desk.reply(std::format!("AT+CINETPT=1,{bad}"));
        assert!(
            reply.starts_with("\r\n+CME ERROR: CINETPT: PORT must be 0..=65535, got "),
            "{reply}"
        );
    }
    desk.ok("AT+CINETPT=01,00007");
    assert_eq!(desk.config.links[0].local_port, 7);
}

#[test]
fn commands_are_chained_and_glued() {
    let mut desk = Desk::new();
    desk.ok("ATE1V1+CMEE=1;X0");
    assert_eq!((desk.config.echo, desk.config.cmee), (true, 1));
    assert_eq!(desk.reply("ATQ0 V1 E0 S0=2 &B1"), "\r\n+CME ERROR: 4\r\n");
    assert_eq!(desk.config.auto_answer, 2);
    assert!(!desk.config.echo, "what stands before the fault has run");
    desk.ok("AT+CMEE=2");
    desk.ok("ATQ0 V1 E1 S0=0 &C1");
    desk.ok("AT S7=45 S0=0 L1 V1 X4 &c1 E1 Q0");
    desk.ok("ATQ0 V1 E0 &C1 &D2 X4 M0 Z0 &F");
    assert_eq!(desk.config, Config::default());
    assert_eq!(
        desk.reply("AT+CIPR?;+ICF?;;+CGSN"),
        "\r\n+CIPR: 115200\r\n\r\n+ICF: 3,3\r\n\r\n135790246811220\r\n\r\nOK\r\n"
    );
}

#[test]
fn a_fault_ends_the_line_and_what_came_before_it_counts() {
    let mut desk = Desk::new();
    let reply = desk.reply("AT+CINETAT=1;+CIPR?;+FOO;+CICOMAT=1");
    assert_eq!(
        reply,
        "\r\n+CIPR: 115200\r\n\r\n+CME ERROR: AT+FOO: unknown command; AT+HELP lists them\r\n"
    );
    assert!(desk.config.network_at && !desk.config.serial_at);
}

#[test]
fn cmee_chooses_how_errors_look() {
    let mut desk = Desk::new();
    desk.ok("AT+CMEE=0");
    assert_eq!(desk.reply("AT+CIPR=1"), "\r\nERROR\r\n");
    assert_eq!(desk.reply("ATV0+CIPR=1"), "4\r");
    desk.done("ATV1");
    desk.ok("AT+CMEE=1");
    desk.tells("AT+CMEE?", "+CMEE: 1");
    assert_eq!(desk.reply("AT+CIPR=1"), "\r\n+CME ERROR: 50\r\n");
    assert_eq!(desk.reply("AT+FOO"), "\r\n+CME ERROR: 4\r\n");
    assert_eq!(error_reply("busy", &desk.config), b"\r\n+CME ERROR: 3\r\n");
    desk.refuses("AT+CMEE=3", "50");
    assert_eq!(desk.config.cmee, 1);
}

#[test]
fn digits_and_silence_as_v250_has_them() {
    let mut desk = Desk::new();
    assert_eq!(desk.reply("ATV0"), "0\r");
    assert_eq!(desk.reply("AT+CIPR?"), "+CIPR: 115200\r\n0\r");
    assert_eq!(desk.reply("ATV1Q1"), "");
    assert_eq!(desk.reply("AT+CIPR?"), "\r\n+CIPR: 115200\r\n");
    assert_eq!(desk.reply("AT+FOO"), "");
    desk.ok("ATQ");
}

#[test]
fn z_goes_back_to_what_is_stored_and_f_to_the_factory() {
    let mut desk = Desk::new();
    desk.stored.cmee = 1;
    desk.stored.echo = true;
    desk.config.banner = String::from("kept");
    desk.ok("ATZ");
    assert_eq!(
        (
            desk.config.cmee,
            desk.config.echo,
            desk.config.banner.as_str()
        ),
        (1, true, "kept")
    );
    desk.ok("AT&F");
    assert_eq!(
        (
            desk.config.cmee,
            desk.config.echo,
            desk.config.banner.as_str()
        ),
        (2, false, "kept")
    );
}

#[test]
fn a_long_line_is_refused_whole() {
    let mut desk = Desk::new();
    let most = std::format!("AT+CICOMAT=1{}", ";".repeat(LINE_MAX - 12));
    desk.ok(&most);
    desk.config.serial_at = false;
    desk.refuses(
        most + ";",
        "a command line has at most 1024 bytes, got 1025",
    );
}

#[test]
fn no_line_asks_for_megabytes() {
    let mut desk = Desk::new();
    let reply = desk.reply(std::format!("AT{}", "+HELP;".repeat(170)));
    assert!(
        reply.ends_with("has at most 32768 bytes; ask in several lines\r\n"),
        "{}",
        reply.len()
    );
    assert!(reply.len() < 64 * 1024);
}

#[test]
fn what_stands_behind_a_slow_command_runs_when_the_store_has_answered() {
    let mut desk = Desk::new();
    let LineOutcome::Parked {
        reply,
        effects,
        parked,
    } = desk.run("AT+CIPR=9600;W+CIPR?;+CIRESET")
    else {
        panic!("must wait for the store")
    };
    assert_eq!(
        (reply.as_slice(), effects.as_slice()),
        (&b""[..], &[Effect::LineChanged][..])
    );
    assert_eq!(parked.waits, SlowCommand::Save);
    let LineOutcome::Done { reply, effects, .. } = desk.resume(parked, Ok(())) else {
        panic!("must be done")
    };
    assert_eq!(reply, b"\r\n+CIPR: 9600\r\n\r\nOK\r\n");
    assert_eq!(effects.len(), 1);
}

#[test]
fn a_failed_save_is_told_and_ends_the_line() {
    let mut desk = Desk::new();
    let LineOutcome::Parked { parked, .. } = desk.run("ATW;+CIRESET") else {
        panic!("must wait for the store")
    };
    let reply = b"\r\n+CME ERROR: ATW: not stored: disk full\r\n".to_vec();
    assert_eq!(
        desk.resume(parked, Err("disk\nfull")),
        LineOutcome::Done {
            reply,
            effects: [].to_vec(),
            refusal: None,
        }
    );
}

/// What it does, what stands there from the factory, and what a place that is left off means.
#[test]
fn help_tells_all_of_a_parameter() {
    let mut desk = Desk::new();
    let reply = desk.reply("AT+HELP=\"S0\"");
    let line = "+HELP: RINGS = 0..=255; 0 = never; factory 0; nothing means 0";
    assert!(reply.lines().any(|of| of == line), "{reply}");
}
