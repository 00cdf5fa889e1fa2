//! What is typed wrong, and what the device makes of it.

use std::format;
use std::vec::Vec;

use super::super::parse::{normalize, quote_free_text};
use super::super::{begins_with_a_command, from_store_text};
use super::Desk;
use crate::config::Charset;

fn refusal(desk: &mut Desk, line: impl AsRef<[u8]>) -> std::string::String {
    desk.config.cmee = 2;
    desk.reply(line)
}

/// Off and on have many names. Other choices do not: 0 and 1 mean something else there.
#[test]
fn only_a_switch_is_cured_of_yes_and_no() {
    let mut desk = Desk::new();
    for (typed, cure) in [
        ("yes", "write 1"),
        ("TRUE", "write 1"),
        ("no", "write 0"),
        ("False", "write 0"),
    ] {
        let refused = refusal(&mut desk, format!("AT+CINETAT={typed}"));
        assert!(refused.contains(cure), "{refused}");
    }
    for typed in ["yes", "no", "true", "false"] {
        let refused = refusal(&mut desk, format!("AT+CIMOD={typed}"));
        assert!(!refused.contains("write"), "{refused}");
    }
}

/// Text that is not in the charset of the serial line; UTF-8 on a line of GBK is the usual reason.
#[test]
fn a_text_of_another_charset_is_refused_with_the_setting_that_helps() {
    let mut desk = Desk::new();
    desk.options.charset = Charset::Gbk;
    // Three bytes: GBK reads the first two as a character, and the third begins another one.
    let refused = refusal(&mut desk, "AT+CIMODID=\"中\"".as_bytes());
    assert!(
        refused.contains("must be text in GBK; UTF-8 wants serial.charset"),
        "{refused}"
    );
    let refused = refusal(&mut desk, b"AT+CIMODID=\"\xFF\xFF\"");
    assert!(refused.contains("must be text in GBK\r"), "{refused}");
    desk.options.charset = Charset::Utf8;
    let refused = refusal(&mut desk, b"AT+CIMODID=\"\xFF\xFF\"");
    assert!(refused.contains("must be text in UTF-8\r"), "{refused}");
}

#[test]
fn a_value_of_forty_bytes_is_shown_whole_and_a_longer_one_cut() {
    let mut desk = Desk::new();
    for (length, cut) in [(40, false), (41, true)] {
        let typed = "9".repeat(length);
        let refused = refusal(&mut desk, format!("AT+CINETAT={typed}"));
        assert_eq!(refused.contains(&typed), !cut, "{refused}");
        assert_eq!(refused.contains("... (41 bytes)"), cut, "{refused}");
    }
}

#[test]
fn what_begins_a_command_is_a_plus_or_a_name_of_the_table() {
    for (line, is) in [
        ("AT", true),
        ("AT+ANYTHING", true),
        ("AT+CSQ", true),
        ("ATE0", true),
        ("AT+CSQ=\"open", true),
        ("attic", false),
        ("at 5 pm", false),
    ] {
        assert_eq!(begins_with_a_command(line.as_bytes()), is, "{line}");
    }
}

/// `+CISMSSEND=PHNUM,FORMAT,DATA`: the text begins behind the second comma that stands in no quotes.
#[test]
fn free_text_begins_behind_commas_outside_quotes() {
    for (line, quoted) in [
        ("AT+CISMSSEND=1,1,a b", "AT+CISMSSEND=1,1,\"a b\""),
        (
            "AT+CISMSSEND=\"1,2\",1,a b",
            "AT+CISMSSEND=\"1,2\",1,\"a b\"",
        ),
        ("AT+CISMSSEND=1，1，a b", "AT+CISMSSEND=1，1，\"a b\""),
    ] {
        let seen = quote_free_text(line.as_bytes());
        assert_eq!(seen.as_deref(), Some(quoted.as_bytes()), "{line}");
    }
}

#[test]
fn a_stored_file_has_settings_and_nothing_else() {
    for line in [
        "AT+CSQ",
        "AT+CSQ?",
        "AT+CINETAT?",
        "AT+CINETAT=?",
        "AT+CIRESET",
    ] {
        let (_, problems) = from_store_text(line);
        let texts: Vec<_> = problems.iter().map(|problem| &problem.text).collect();
        assert!(
            matches!(texts[..], [text] if text.ends_with("is no stored setting")),
            "{line}: {texts:?}"
        );
    }
}

/// Characters of one to four bytes stand in front of the comma, which has three.
#[test]
fn a_full_width_comma_is_seen_behind_any_character() {
    for char in ["a", "é", "中", "\u{1F001}"] {
        let (wide, plain) = (format!("AT+X={char}，1"), format!("AT+X={char},1"));
        assert_eq!(normalize(wide.as_bytes()), plain.as_bytes(), "{char}");
    }
}
