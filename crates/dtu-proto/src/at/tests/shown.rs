//! What a log shows of a command line (decisions 16.23).

use alloc::format;

use super::super::shown::ShownLine;

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
