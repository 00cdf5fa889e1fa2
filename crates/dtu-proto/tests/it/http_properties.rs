//! What holds of HTTP for all bytes (decisions 9). `httparse` judges requests from outside.
#![allow(missing_docs)]

use dtu_proto::wire::http::{Answer, Fault, Method, Request, Step, head_lines, server, url};
use proptest::prelude::*;

/// Everything an answer gives: its head, its body, how it ended, and the bytes behind it.
#[derive(Debug, Default, PartialEq)]
struct Read {
    head: Vec<u8>,
    body: Vec<u8>,
    fault: Option<Fault>,
    ended: bool,
    left: usize,
}

/// Takes the bytes in, in reads of these lengths (in turn).
fn take(bytes: &[u8], cuts: &[usize]) -> Read {
    let (mut answer, mut read) = (Answer::new(), Read::default());
    let mut cuts = cuts.iter().copied().cycle();
    let mut rest = bytes;
    while !rest.is_empty() && !read.ended && read.fault.is_none() {
        let (mut chunk, behind) =
            rest.split_at(cuts.next().unwrap_or(usize::MAX).clamp(1, rest.len()));
        step_on(&mut answer, &mut chunk, &mut read);
        rest = behind;
        read.left = chunk.len() + rest.len();
    }
    if read.fault.is_none() && !read.ended {
        read.fault = answer.closed().err();
    }
    read
}

fn step_on(answer: &mut Answer, chunk: &mut &[u8], read: &mut Read) {
    loop {
        match answer.step(chunk) {
            Ok(Step::More) => return assert!(chunk.is_empty()),
            Ok(Step::Head) => read.head.extend_from_slice(answer.head()),
            Ok(Step::Body(bytes)) => {
                assert!(!bytes.is_empty());
                read.body.extend_from_slice(bytes);
            }
            Ok(Step::End) => return read.ended = true,
            Err(fault) => return read.fault = Some(fault),
        }
    }
}

/// A body in chunks of these sizes.
fn chunked(body: &[u8], size: usize, line_end: &str) -> Vec<u8> {
    let mut out = Vec::new();
    for chunk in body.chunks(size) {
        out.extend_from_slice(format!("{:x};a=b{line_end}", chunk.len()).as_bytes());
        out.extend_from_slice(chunk);
        out.extend_from_slice(line_end.as_bytes());
    }
    out.extend_from_slice(format!("0{line_end}T: x{line_end}{line_end}").as_bytes());
    out
}

/// An answer that carries the body, in every way that servers do it.
fn answers(body: Vec<u8>) -> impl Strategy<Value = (Vec<u8>, Vec<u8>, bool)> {
    (0_u8..4, 1_usize..40, any::<bool>()).prop_map(move |(kind, size, bare)| {
        let length = body.len();
        let head = match kind {
            0 => format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n"),
            1 => {
                "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
                    .to_string()
            }
            2 => "HTTP/1.0 200 OK\r\n\r\n".to_string(),
            _ => "\r\nHTTP/1.1 500 no\nX: y\0z\nTransfer-Encoding:chunked\n\n".to_string(),
        };
        let coded = if kind % 2 == 1 {
            chunked(&body, size, if bare { "\n" } else { "\r\n" })
        } else {
            body.clone()
        };
        ([head.as_bytes(), &coded].concat(), body.clone(), kind != 2)
    })
}

/// Bytes that look like an answer here and there.
fn noise() -> impl Strategy<Value = Vec<u8>> {
    let words = prop_oneof![
        Just(b"HTTP/1.1 200 OK\r\n".to_vec()),
        Just(b"HTTP/1.1 100 x\r\n\r\n".to_vec()),
        Just(b"Content-Length: 3\r\n".to_vec()),
        Just(b"Transfer-Encoding: chunked\r\n".to_vec()),
        Just(b"\r\n".to_vec()),
        Just(b"\n".to_vec()),
        Just(b"\r\r\n".to_vec()),
        Just(b"X: a\0\x1bb\r\n".to_vec()),
        Just(b"\0: b\n".to_vec()),
        Just(b"3\nabc\n".to_vec()),
        Just(b"3\r\nabc\r\n".to_vec()),
        Just(b"0\r\n".to_vec()),
        prop::collection::vec(any::<u8>(), 0..8),
    ];
    prop::collection::vec(words, 0..12).prop_map(|words| words.concat())
}

proptest! {
    #[test]
    fn reads_cut_anywhere_give_the_same_body(
        (bytes, body, ends) in prop::collection::vec(any::<u8>(), 0..200).prop_flat_map(answers),
        cuts in prop::collection::vec(1_usize..30, 1..6),
    ) {
        let read = take(&bytes, &cuts);
        prop_assert_eq!(read.fault, None);
        prop_assert_eq!(&read.body, &body);
        prop_assert_eq!(read.left, 0);
        if ends {
            let more = [&bytes[..], b"more"].concat();
            let read = take(&more, &cuts);
            prop_assert!(read.ended);
            prop_assert_eq!((read.body, read.left), (body, 4));
        }
    }

    #[test]
    fn reads_cut_anywhere_find_the_same_fault(bytes in noise(), cuts in prop::collection::vec(1_usize..9, 1..5)) {
        let (whole, cut) = (take(&bytes, &[usize::MAX]), take(&bytes, &cuts));
        prop_assert_eq!((whole.head, whole.body), (cut.head, cut.body));
        prop_assert_eq!((whole.fault, whole.ended), (cut.fault, cut.ended));
        if whole.ended {
            prop_assert_eq!(whole.left, cut.left);
        }
    }

    #[test]
    fn any_frame_makes_exactly_one_request(
        frame in prop::collection::vec(any::<u8>(), 0..1024),
        post in any::<bool>(),
        head in prop_oneof![Just(""), Just("Accept:text/html"), Just("content-LENGTH: 3||X:[7C]||")],
    ) {
        let method = if post { Method::Post } else { Method::Get };
        let (to, path, lines) = (server("test.usr.cn", 80).unwrap(), url("/1.php?").unwrap(), head_lines(head).unwrap());
        let bytes = Request { method, server: &to, url: &path, lines: &lines }.encode(&frame);
        let mut fields = [httparse::EMPTY_HEADER; 8];
        let mut request = httparse::Request::new(&mut fields);
        let end = request.parse(&bytes).expect("one that servers understand").unwrap();
        prop_assert_eq!((request.method, request.version), (Some(method.name()), Some(1)));
        let of = |name: &'static str| {
            let named = request.headers.iter().filter(move |field| field.name.eq_ignore_ascii_case(name));
            named.map(|field| field.value)
        };
        let lengths: Vec<usize> =
            of("Content-Length").map(|value| String::from_utf8_lossy(value).parse().unwrap()).collect();
        let body = &bytes[end..];
        prop_assert!(lengths.iter().all(|length| *length == body.len()), "{:?}", lengths);
        prop_assert_eq!((of("Host").count(), of("Connection").count(), of("Transfer-Encoding").count()), (1, 1, 0));
        let target = request.path.unwrap_or_default();
        let fits = |byte: u8| byte.is_ascii_graphic() && !b"\"<>\\^`{|}[]#".contains(&byte);
        prop_assert!(target.bytes().all(fits), "{}", target);
        if post {
            prop_assert_eq!(lengths.len(), 1);
            prop_assert_eq!((target, body), ("/1.php?", &frame[..]));
        } else {
            prop_assert!(body.is_empty());
            let end = frame.iter().rposition(|byte| !b"\r\n".contains(byte)).map_or(0, |at| at + 1);
            let asked = target.strip_prefix("/1.php?").unwrap_or_default();
            prop_assert_eq!(decoded(asked), decoded_bytes(&frame[..end]));
        }
    }

    #[test]
    fn settings_are_refused_or_give_a_head_that_holds(typed in "[ -~\\r\\n|\\[\\]0-9A-D:]{0,40}") {
        let Ok(lines) = head_lines(&typed) else { return Ok(()) };
        let (to, path) = (server("h", 80).unwrap(), url("/").unwrap());
        let bytes = Request { method: Method::Post, server: &to, url: &path, lines: &lines }.encode(b"x");
        let mut fields = [httparse::EMPTY_HEADER; 40];
        let mut request = httparse::Request::new(&mut fields);
        prop_assert_eq!(request.parse(&bytes).map(|end| bytes.len() - end.unwrap()), Ok(1), "{}", typed);
        prop_assert!((lines.len()..=lines.len() + 3).contains(&request.headers.len()));
    }
}

fn decoded(target: &str) -> Vec<u8> {
    decoded_bytes(target.as_bytes())
}

/// `%41` as `A`: what a server makes of a target.
fn decoded_bytes(bytes: &[u8]) -> Vec<u8> {
    let (mut out, mut rest) = (Vec::new(), bytes);
    while let Some((first, behind)) = rest.split_first() {
        let digits = behind
            .get(..2)
            .filter(|digits| *first == b'%' && digits.iter().all(u8::is_ascii_hexdigit));
        let byte = digits
            .and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok());
        out.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { &behind[2..] } else { behind };
    }
    out
}
