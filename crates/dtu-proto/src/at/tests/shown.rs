//! What a log shows of a command line (decisions 16.23).

use alloc::format;
use std::string::{String, ToString as _};
use std::vec::Vec;

use proptest::prelude::*;

use super::super::shown::{ShownLine, shown_answer, shown_text};

#[track_caller]
fn shows(line: impl AsRef<[u8]>, wanted: &str) -> ShownLine {
    let shown = ShownLine::of(line.as_ref());
    assert_eq!(shown.text, wanted);
    shown
}

#[test]
fn k8_a_log_shows_a_command_as_it_was_typed_without_its_secrets() {
    shows("AT+CSQ", "AT+CSQ");
    shows(
        " at+cipscont=1,\"TCP\", \"10.0.0.1\",9000,1 ",
        "AT+cipscont=1,\"TCP\", \"10.0.0.1\",9000,1",
    );
    shows("AT+CIPSW=abcde", "AT+CIPSW=****");
    shows(
        "AT+CSTT=\"net\",\"user\",\"secret\"",
        "AT+CSTT=\"net\",\"user\",****",
    );
    shows("at+cstt=\"net\", \"user\"", "AT+cstt=\"net\", \"user\"");
    shows("AT+HTPHD=Authorization: Basic c2VjcmV0", "AT+HTPHD=****");
    shows(
        "AT+CIPR=9600;+CIPSW=\"abc\";W",
        "AT+CIPR=9600;+CIPSW=****;W",
    );
    shows("AT+CPIN=1234", "AT+CPIN=****");
    shows("AT+CIPSW", "AT+CIPSW");
    shows("AT+CIPSW=?", "AT+CIPSW=?");
    // The secret is in a value that cannot be read, or behind another command.
    shows("AT+CIPSW=\"abc", "AT+CIPSW=****");
    shows("AT+CSQ;+CIPSW=\"a\"b", "AT+CSQ;+CIPSW=****");
}

#[test]
fn k8_a_secret_that_stands_where_none_belongs_is_not_logged_either() {
    for (line, wanted) in [
        ("AT+CPIN=\"12345678\",\"8765\"", "AT+CPIN=****,****"),
        ("AT+CIPSW=a,SEC05", "AT+CIPSW=****,****"),
        (
            "AT+CSTT=\"net\",\"user\",\"SEC1\",\"SEC2\"",
            "AT+CSTT=\"net\",\"user\",****,****",
        ),
        ("AT+CIPSW SEC01", "AT+CIPSW****"),
        ("AT+CIPSW:SEC02", "AT+CIPSW****"),
        ("AT+CIPSW?SEC21", "AT+CIPSW****"),
        ("AT+CPWD=\"SC\",\"1234\",\"9876\"", "AT+CPWD=****"),
        ("AT+CGAUTH=1,1,\"SEC\"", "AT+CGAUTH=****"),
        ("AT+CIPSWD=SEC22", "AT+CIPSWD=****"),
        ("ATCIPSW=SEC23", "ATCIPSW=****"),
        ("AT+CIPSW=\"SEC12", "AT+CIPSW=****"),
    ] {
        let shown = ShownLine::of(line.as_bytes());
        assert_eq!(shown.text, wanted, "{line}");
        assert!(
            !shown
                .refusal(&format!("\"{line}\" is unknown"))
                .contains("SEC"),
            "{line}"
        );
    }
    // What is known and has no secret is shown, faults and all.
    shows("AT+CIPR=9600 8", "AT+CIPR=9600 8");
    shows("AT+CIPACK=\"x", "AT+CIPACK=****");
    shows("AT+CIPPACK=\"x", "AT+CIPPACK=\"x");
}

#[test]
fn k8_a_line_of_a_log_is_one_line_and_not_long() {
    shows(
        "AT+CIPPACK=0,\"a\r\nb\x1b[31m\"",
        "AT+CIPPACK=0,\"a\\r\\nb[31m\"",
    );
    shows(b"AT+CIMODID=\"\xff\"".as_slice(), "AT+CIMODID=\"\\xFF\"");
    let long = ShownLine::of(&[b'A'; 1000]);
    assert_eq!(long.text.len(), 203);
}

#[test]
fn k8_a_refusal_is_told_unless_it_gives_the_secret_away() {
    let psw = shows("AT+CIPSW=abcdefgh", "AT+CIPSW=****");
    assert_eq!(
        psw.refusal("CIPSW: PSW must be 1..=5, got 8 bytes"),
        "CIPSW: PSW must be 1..=5, got 8 bytes"
    );
    assert!(!psw.refusal("\"abcdefgh\" is no password").contains("abcd"));
    let broken = shows("AT+CIPSW=\"abc", "AT+CIPSW=****");
    assert!(
        !broken
            .refusal("the quote before abc is not closed")
            .contains("abc")
    );
    assert_eq!(ShownLine::of(b"AT+CIPR=1").refusal("CIPR: no"), "CIPR: no");
}

#[test]
fn k8_a_secret_is_masked_wherever_its_command_stands() {
    for (line, wanted) in [
        ("+CIPSW=\"abcde\"", "+CIPSW=****"),
        ("CIPSW=abcde", "CIPSW=****"),
        ("cipsw = abcde", "CIPSW=****"),
        (
            "xAT+CSTT=\"net\",\"me\",\"geheim\"",
            "xAT+CSTT=\"net\",\"me\",****",
        ),
        ("\u{7f}~at+cipsw＝abcde", "\\u{7f}~AT+CIPSW=****"),
        ("x＋CIPSW=abcde", "x+CIPSW=****"),
        ("say \"AT+CIPSW=abcde", "say \"AT+CIPSW=****"),
        ("admin,AT+CIPSWD=abcde", "****,AT+CIPSWD=****"),
        ("AT+CSQ=+CIPSW=abcde", "AT+CSQ=+CIPSW****"),
        ("AT D+CIPSW=abcde", "ATD+CIPSW****"),
        ("ATCPIN=abcde", "ATCPIN=****"),
        ("AT+CSQ;HTPHD=abcde", "AT+CSQ;HTPHD=****"),
        ("AT+CIPR=9600 +CIPSW=abcde", "AT+CIPR=9600 +CIPSW****"),
        ("ATE0+CIPSW=abcde", "ATE0+CIPSW=****"),
    ] {
        let shown = ShownLine::of(line.as_bytes());
        assert!(shown.has_secrets(), "{line}");
        assert_eq!(shown.text, wanted, "{line}");
    }
    for plain in [
        "CIPSW",
        "the CIPSW of it",
        "x+CIPSW?",
        "+CME ERROR: CIPSW: PSW must be 1..=5, got 8 bytes",
        "+CME ERROR: AT+CIPX: unknown command; AT+HELP lists them",
    ] {
        assert_eq!(shown_answer(plain), None, "{plain}");
    }
}

#[test]
fn k8_the_state_of_the_card_in_an_answer_is_no_secret() {
    for state in ["READY", "SIM PIN", "SIM PUK"] {
        let answer = format!("+CPIN: {state}");
        assert_eq!(shown_answer(&answer), None);
        let talk = format!("AT+CPIN?\r\r\n{answer}\r\n\r\nOK\r\n");
        assert_eq!(shown_text(talk.as_bytes()), None, "{talk}");
    }
    // A slip of the pen makes the form of an answer, and a command is none.
    for (line, wanted) in [
        ("+CPIN: 1234", "+CPIN: ****"),
        ("+CPIN:READY,1234", "+CPIN: ****,****"),
        ("+CPIN=1234", "+CPIN=****"),
        ("AT+CPIN=READY", "AT+CPIN=****"),
        ("+CSTT: READY,READY,READY", "+CSTT: READY,READY,****"),
    ] {
        assert_eq!(shown_answer(line).as_deref(), Some(wanted));
    }
}

#[test]
fn k8_text_of_several_lines_is_masked_line_by_line() {
    assert_eq!(
        shown_text(
            b"xAT+CI\x08\x1bIPSW=abcde\r\r\n+CSTT: \"net\", \"me\", \"geheim\"\r\n\xff\r\nOK\r\n"
        )
        .unwrap(),
        b"xAT+CIPSW=****\r\r\n+CSTT: \"net\",\"me\",****\r\n\xff\r\nOK\r\n"
    );
    assert_eq!(shown_text(b"\r\n+CIPR:115200\r\n\r\nOK\r\n"), None);
    assert_eq!(shown_text(b""), None);
}

/// Letters of both cases.
fn any_case(text: String) -> impl Strategy<Value = String> {
    let flips = prop::collection::vec(any::<bool>(), text.len());
    (Just(text), flips).prop_map(|(text, flips)| {
        let flip = |(letter, flip): (char, bool)| {
            if flip {
                letter.to_ascii_lowercase()
            } else {
                letter
            }
        };
        text.chars().zip(flips).map(flip).collect()
    })
}

/// A command that sets this secret, as a person or a program may write it.
fn sets(secret: &'static str) -> impl Strategy<Value = Vec<u8>> {
    let commands: Vec<(String, usize)> = crate::commands()
        .flat_map(|command| {
            let name = command.name.clone();
            let places = command.parameters.into_iter().enumerate();
            places
                .filter(|(_, parameter)| parameter.secret)
                .map(move |(place, _)| (name.clone(), place))
                .collect::<Vec<_>>()
        })
        .collect();
    let name = prop::sample::select(commands)
        .prop_flat_map(|(name, place)| (any_case(name[3..].to_string()), Just(place)));
    let sign = |twins: &[&'static [u8]]| prop::sample::select(twins.to_vec());
    let front = sign(&[
        b"",
        b"AT",
        b"at",
        b"xAT",
        b"\xffAT",
        b" AT ",
        b"AT+CSQ;",
        b"ATE0",
        b"AT+FOO=1;",
        b"psw,AT",
        b"\"at",
        b"OK\xa1AT",
        b"+CME ERROR: AT",
        b"AT D",
        b"AT+CISMSSEND=1,1,",
    ]);
    let plus = sign(&[b"+", "＋".as_bytes(), &[0xA3, 0xAB], b"", b"+ "]);
    let equals = sign(&[b"=", "＝".as_bytes(), &[0xA3, 0xBD], b" = "]);
    let quotes = sign(&[b"", b"\"", "”".as_bytes(), &[0xA1, 0xB1]]);
    let end = sign(&[b"", b"\"", b"\"x", b";W", b",\"more\"", b"  "]);
    (front, plus, name, equals, quotes, end).prop_map(
        move |(front, plus, (name, place), equals, quote, end)| {
            let others = b"\"a\",".repeat(place);
            [
                front,
                plus,
                name.as_bytes(),
                equals,
                &others,
                quote,
                secret.as_bytes(),
                quote,
                end,
            ]
            .concat()
        },
    )
}

proptest! {
    #[test]
    fn k8_no_clothing_of_a_command_shows_the_secret_that_it_sets(line in sets("g7#Z")) {
        let holds = |text: &[u8]| text.windows(4).any(|part| part == b"g7#Z");
        let shown = ShownLine::of(&line);
        prop_assert!(!holds(shown.text.as_bytes()), "{}", shown.text);
        let text = [&line[..], b"\r\nOK\r\n"].concat();
        let shown = shown_text(&text).unwrap_or(text);
        prop_assert!(!holds(&shown), "{}", String::from_utf8_lossy(&shown));
    }

    #[test]
    fn k8_no_answer_shows_a_secret(
        front in prop::sample::select(&["", "x", "\r\n", "OK", "+CME ERROR: "][..]),
        blanks in " {0,2}",
    ) {
        let line = format!("{front}+CSTT{blanks}:{blanks}\"net\", \"me\", \"g7#Z\"");
        let shown = shown_text(line.as_bytes()).unwrap();
        prop_assert!(!shown.windows(4).any(|part| part == b"g7#Z"));
    }

    #[test]
    fn foreign_text_is_shown_without_a_panic(text in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = shown_text(&text);
        let _ = ShownLine::of(&text);
    }
}

/// Some modems put a blank in front of the colon.
#[test]
fn an_answer_with_a_blank_in_front_of_its_colon_is_one() {
    for colon in [":", " :", "  :"] {
        shows(
            format!("+CPIN{colon} READY"),
            &format!("+CPIN{colon} READY"),
        );
        shows(format!("+CPIN{colon} 1234"), "+CPIN: ****");
    }
}

#[test]
fn the_name_alone_of_a_command_with_a_secret_hides_nothing() {
    let line = "AT+CIPR=+CIPSW";
    assert!(!shows(line, line).has_secrets());
    shows(format!("{line}=ab"), &format!("{line}****"));
}

/// Backspace and DEL take a character back (V.250 5.2.2), ESC none.
#[test]
fn a_secret_is_found_behind_what_was_rubbed_out() {
    for echo in [
        "AT+CIPSWX\u{8}=abc",
        "AT+CIPSWX\u{7F}=abc",
        "AT+CIPSW\u{1B}=abc",
    ] {
        let shown = shown_text(format!("{echo}\r\n").as_bytes());
        let shown = String::from_utf8(shown.unwrap_or_default()).unwrap();
        assert_eq!(shown, "AT+CIPSW=****\r\n", "{echo:?}");
    }
}

/// `psw,AT+…` typed where no password belongs, and over a link.
#[test]
fn a_password_in_front_of_a_command_is_hidden() {
    for (line, shown) in [
        ("Wq4Pw,AT+CSQ", "****,AT+CSQ"),
        ("wrong, at+cipcfg?", "****,AT+cipcfg?"),
        ("data 7 Wq4Pw,AT+CSQ", "data 7 ****,AT+CSQ"),
        ("a,b,AT+CIPSW=new", "a,****,AT+CIPSW=****"),
    ] {
        let shown_line = shows(line, shown);
        assert!(shown_line.has_secrets(), "{line}");
        assert_eq!(shown_text(line.as_bytes()).unwrap(), shown.as_bytes());
    }
    let refused = shows("Wq4Pw,AT+CSQ", "****,AT+CSQ");
    let why = refused.refusal("a command line begins with AT, got Wq4Pw,AT+CSQ");
    assert!(!why.contains("Wq4Pw"), "{why}");
    for line in ["AT+CSQ", ",AT+CSQ", "x AT+CSQ", "20,4 kWh"] {
        assert!(!ShownLine::of(line.as_bytes()).has_secrets(), "{line}");
    }
}
