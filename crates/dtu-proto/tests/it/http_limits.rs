//! The limits of an answer, and what a request and its settings leave to the user.
#![allow(missing_docs, clippy::unwrap_used)]

use dtu_proto::wire::http::{
    Answer, Fault, HEAD_MAX, Method, Request, Step, head_lines, server, url,
};

/// The body, or what is wrong.
fn read(bytes: &str) -> Result<Vec<u8>, Fault> {
    let (mut answer, mut rest, mut body) = (Answer::new(), bytes.as_bytes(), Vec::new());
    loop {
        match answer.step(&mut rest)? {
            Step::More => panic!("the answer is whole"),
            Step::Head => {}
            Step::Body(bytes) => body.extend_from_slice(bytes),
            Step::End => return Ok(body),
        }
    }
}

fn padded(before: &str, behind: &str, length: usize) -> String {
    let padding = "x".repeat(length - before.len() - behind.len());
    format!("{before}{padding}{behind}")
}

#[test]
fn a_head_has_16_kib_at_most() {
    let before = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX: ";
    for (length, result) in [
        (HEAD_MAX, Ok(b"ok".to_vec())),
        (HEAD_MAX + 1, Err(Fault::HeadTooLong)),
    ] {
        let answer = padded(before, "\r\n\r\n", length) + "ok";
        assert_eq!(read(&answer), result, "{length}");
    }
}

#[test]
fn sixteen_interim_answers_may_come_first() {
    let last = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    for (count, result) in [(16, Ok(b"ok".to_vec())), (17, Err(Fault::TooManyInterim))] {
        let answer = "HTTP/1.1 100 Continue\r\n\r\n".repeat(count) + last;
        assert_eq!(read(&answer), result, "{count}");
    }
}

const CHUNKED: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

#[test]
fn the_line_of_a_chunk_has_a_kibibyte_at_most() {
    for (length, result) in [(1024, Ok(b"ok".to_vec())), (1025, Err(Fault::BadChunk))] {
        let size = padded("2;", "\r\n", length);
        let answer = format!("{CHUNKED}{size}ok\r\n0\r\n\r\n");
        assert_eq!(read(&answer), result, "{length}");
    }
}

#[test]
fn a_trailer_has_16_kib_at_most() {
    // The empty line that ends it is a part of it.
    for (length, result) in [
        (HEAD_MAX - 2, Ok(Vec::new())),
        (HEAD_MAX - 1, Err(Fault::TrailerTooLong)),
    ] {
        let trailer = padded("X: ", "\r\n", length);
        let answer = format!("{CHUNKED}0\r\n{trailer}\r\n");
        assert_eq!(read(&answer), result, "{length}");
    }
}

#[test]
fn each_fault_is_a_sentence() {
    let faults = [
        Fault::NotHttp,
        Fault::BadField,
        Fault::HeadTooLong,
        Fault::TooManyFields,
        Fault::TooManyInterim,
        Fault::Switching,
        Fault::BadLength,
        Fault::UnknownCoding,
        Fault::BadChunk,
        Fault::TrailerTooLong,
        Fault::HeadCut,
        Fault::BodyCut,
    ];
    let mut said: Vec<_> = faults.iter().map(ToString::to_string).collect();
    assert_eq!(said[2], "the head of the answer has more than 16384 bytes");
    assert!(said.iter().all(|words| words.contains(' ')));
    said.sort();
    said.dedup();
    assert_eq!(said.len(), faults.len());
}

/// RFC 9112 9.3: `close` in the field `Connection` alone ends it.
#[test]
fn only_the_field_connection_closes_the_connection() {
    let (server, url) = (server("a", 80).unwrap(), url("/").unwrap());
    for (head, goes_on) in [
        ("Connection: close", false),
        ("connection: keep-alive, Close", false),
        ("Connection: keep-alive", true),
        ("X-Close: close", true),
        ("Accept: */*", true),
    ] {
        let lines = head_lines(head).unwrap();
        let request = Request {
            method: Method::Get,
            server: &server,
            url: &url,
            lines: &lines,
        };
        assert_eq!(request.may_go_on(), goes_on, "{head}");
    }
}

#[test]
fn a_wrong_server_is_refused_with_the_hint_that_fits() {
    for (typed, hint) in [
        ("test.usr.cn/path", "the path belongs to HTPURL"),
        ("test.usr.cn:80", "the port is a value of its own"),
    ] {
        let error = server(typed, 80).unwrap_err().to_string();
        assert!(error.ends_with(hint), "{error}");
    }
    let error = server("test usr", 80).unwrap_err().to_string();
    assert!(
        !error.contains("port is a value") && !error.contains("HTPURL"),
        "{error}"
    );
}
