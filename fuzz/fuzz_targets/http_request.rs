//! Any settings and any frame: what is accepted gives exactly one request, to the byte of its length, and nothing of the
//! frame is in the head but what may stand in a request target. `httparse` is the judge.
//!
//! The input is: flags, length of the URL, of the server, of the head lines, these, and the frame.
#![no_main]

use dtu_proto::wire::http::{Method, Request, head_lines, server, url};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let [flags, url_length, server_length, lines_length, rest @ ..] = input else { return };
    let (url_text, rest) = rest.split_at(usize::from(*url_length).min(rest.len()));
    let (server_text, rest) = rest.split_at(usize::from(*server_length).min(rest.len()));
    let (lines_text, frame) = rest.split_at(usize::from(*lines_length).min(rest.len()));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    // What is refused would leave the frame without a judge.
    let target = url(&text(url_text)).or_else(|_| url("/x?")).expect("a good URL");
    let to = server(&text(server_text), 80).or_else(|_| server("host", 8080)).expect("a good server");
    let lines = head_lines(&text(lines_text)).or_else(|_| head_lines("")).expect("good lines");
    let method = if flags & 1 == 0 { Method::Get } else { Method::Post };
    let bytes = Request { method, server: &to, url: &target, lines: &lines }.encode(frame);
    judge(&bytes, method, frame);
});

fn judge(bytes: &[u8], method: Method, frame: &[u8]) {
    let mut fields = [httparse::EMPTY_HEADER; 512];
    let mut request = httparse::Request::new(&mut fields);
    let head = match request.parse(bytes) {
        Ok(httparse::Status::Complete(head)) => head,
        other => panic!("no whole request: {other:?} {}", bytes.escape_ascii()),
    };
    assert_eq!(request.method, Some(method.name()));
    let target = request.path.expect("a target");
    assert!(target.starts_with('/') && target.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#'));
    let ends = bytes[..head].windows(2).filter(|two| *two == b"\r\n").count();
    let breaks = bytes[..head].iter().filter(|byte| matches!(byte, b'\r' | b'\n')).count();
    assert_eq!(breaks, ends * 2, "a bare CR or LF");
    assert_eq!(ends, request.headers.len() + 2, "a line that is no field");
    let all = |name: &str| {
        request.headers.iter().filter(|field| field.name.eq_ignore_ascii_case(name)).collect::<Vec<_>>()
    };
    assert!(all("transfer-encoding").is_empty());
    let body = &bytes[head..];
    assert_eq!(body, if method == Method::Post { frame } else { b"" });
    for length in all("content-length") {
        assert_eq!(
            std::str::from_utf8(length.value).ok().and_then(|text| text.parse().ok()),
            Some(body.len())
        );
    }
    assert!(method == Method::Get || !all("content-length").is_empty());
    assert!(!all("host").is_empty() && !all("connection").is_empty());
}
