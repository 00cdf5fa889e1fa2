//! The codec by examples; what holds for all bytes is in `tests/http_properties.rs`.

use std::string::{String, ToString};
use std::vec::Vec;

use super::*;

/// The answer's head and body, what is left behind it, and whether the connection may go on. The server closes behind
/// the bytes.
fn read(bytes: &[u8]) -> Result<(u16, String, usize, bool), Fault> {
    let (mut answer, mut rest, mut body) = (Answer::new(), bytes, Vec::new());
    loop {
        match answer.step(&mut rest)? {
            Step::More => {
                answer.closed()?;
                break;
            }
            Step::Head => {}
            Step::Body(bytes) => body.extend_from_slice(bytes),
            Step::End => break,
        }
    }
    let status = answer.status().expect("a whole answer has a status");
    Ok((
        status,
        String::from_utf8(body).unwrap(),
        rest.len(),
        answer.may_go_on(),
    ))
}

#[track_caller]
fn reads(bytes: &str, status: u16, body: &str, left: usize, goes_on: bool) {
    assert_eq!(
        read(bytes.as_bytes()),
        Ok((status, body.to_string(), left, goes_on)),
        "{bytes}"
    );
}

#[track_caller]
fn refuses(bytes: &str, fault: Fault) {
    assert_eq!(read(bytes.as_bytes()), Err(fault), "{bytes}");
}

#[test]
fn a_body_ends_with_its_length() {
    reads(
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        200,
        "hello",
        0,
        true,
    );
    reads(
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhelloHTTP",
        200,
        "hello",
        4,
        true,
    );
    reads(
        "HTTP/1.1 404 Not Found\r\ncontent-length:0\r\n\r\n",
        404,
        "",
        0,
        true,
    );
    reads(
        "HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\nContent-Length: 2\r\n\r\nok",
        200,
        "ok",
        0,
        true,
    );
    reads("HTTP/1.1 200\nContent-Length: 2\n\nok", 200, "ok", 0, true);
    reads(
        "\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length : 2\r\n\r\nok",
        200,
        "ok",
        0,
        true,
    );
}

#[test]
fn a_body_without_a_mark_ends_with_the_connection() {
    reads(
        "HTTP/1.1 200 OK\r\n\r\nall of it",
        200,
        "all of it",
        0,
        false,
    );
    reads("HTTP/1.0 200 OK\r\nServer: old\r\n\r\n", 200, "", 0, false);
    reads(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n\r\nx",
        200,
        "x",
        0,
        false,
    );
}

#[test]
fn chunks_are_joined_and_extensions_and_trailers_passed_over() {
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n";
    let of = |body: &str| String::from(chunked) + body;
    reads(
        &of("3\r\nabc\r\n0a;name=\"v\"\r\n0123456789\r\n0\r\n\r\n"),
        200,
        "abc0123456789",
        0,
        true,
    );
    reads(
        &of("2 \r\nok\r\n000\r\nA: b\r\nTransfer-Encoding: x\r\n\r\nleft"),
        200,
        "ok",
        4,
        true,
    );
    for bad in [
        "\r\n",
        "x\r\n",
        "-1\r\n",
        "0x1\r\n",
        "1_0\r\n",
        "1\r\nab",
        "11111111111111111\r\n",
    ] {
        refuses(&of(bad), Fault::BadChunk);
    }
    refuses(
        &of(&std::format!("1;{}\r\n", "x".repeat(1024))),
        Fault::BadChunk,
    );
    refuses(
        &of(&std::format!("1\r\na{}\n", "\r".repeat(1024))),
        Fault::BadChunk,
    );
    refuses(
        &of(&std::format!(
            "0\r\n{}",
            "A: b\r\n".repeat(HEAD_MAX / 6 + 1)
        )),
        Fault::TrailerTooLong,
    );
    for cut in [
        "",
        "3",
        "3\r\nab",
        "3\r\nabc",
        "3\r\nabc\r\n",
        "0\r\n",
        "0\r\nA: b\r\n",
    ] {
        refuses(&of(cut), Fault::BodyCut);
    }
}

/// H3: old programs leave the CR out, and such as write through a text file of Windows have one too many.
#[test]
fn h3_a_line_feed_ends_every_line_with_or_without_cr() {
    for end in ["\n", "\r\n", "\r\r\n"] {
        let chunked =
            "HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n3\nabc\n2;x\nde\n0\nT: x\n\nleft";
        reads(&chunked.replace('\n', end), 200, "abcde", 4, true);
        let counted = "\nHTTP/1.1 100 x\n\nHTTP/1.0 404 no\nContent-Length: 2\nX:\n\nok!";
        reads(&counted.replace('\n', end), 404, "ok", 1, false);
    }
    reads("HTTP/1.1  200  OK\nContent-Length: 0\n\n", 200, "", 0, true);
}

/// H3: such bytes cost no answer; what they stand in is read as clients read it.
#[test]
fn h3_a_control_character_in_the_head_loses_no_answer() {
    let length = "Content-Length: 2\r\n\r\nok";
    for control in (0_u8..32)
        .filter(|byte| *byte != b'\n')
        .chain([127])
        .map(char::from)
    {
        for line in [
            "X: a~b", "X: ~", "X: ab~", "X:~ab", "X~: b", "~X: b", "~x", "a~b", "X: a~~b",
        ] {
            let line = line.replace('~', &control.to_string());
            reads(
                &std::format!("HTTP/1.1 200 O{control}K\r\n{line}\r\n{length}"),
                200,
                "ok",
                0,
                true,
            );
        }
        reads(
            &std::format!("HTTP/1.1 200 x\r\nContent-Length: 2{control}\r\n\r\nok"),
            200,
            "ok",
            0,
            true,
        );
        if control == '\t' {
            continue;
        }
        // Such a line is none of the field before it, either.
        let close = std::format!(
            "HTTP/1.1 204 x\r\nConnection: close\r\n{control}Content-Length: 9\r\n\r\n"
        );
        reads(&close, 204, "", 0, false);
    }
    refuses(
        "HTTP/1.1 200 x\r\nContent-Length: 1\x002\r\n\r\nok",
        Fault::BadLength,
    );
    refuses("\0HTTP/1.1 200 x\r\n\r\n", Fault::NotHttp);
}

#[test]
fn some_answers_have_no_body_whatever_they_say() {
    reads("HTTP/1.1 204 No Content\r\n\r\nHTTP", 204, "", 4, true);
    reads(
        "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n",
        304,
        "",
        0,
        true,
    );
    reads(
        "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n",
        204,
        "",
        0,
        true,
    );
}

#[test]
fn answers_of_the_kind_1xx_are_passed_over_but_for_101() {
    let go_on = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n";
    reads(
        &(String::from(go_on) + "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"),
        200,
        "ok",
        0,
        true,
    );
    refuses(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n",
        Fault::Switching,
    );
    refuses(
        &"HTTP/1.1 100 Continue\r\n\r\n".repeat(20),
        Fault::TooManyInterim,
    );
    refuses(&"\r\n".repeat(20), Fault::TooManyInterim);
}

#[test]
fn where_the_framing_is_in_doubt_the_connection_ends_with_the_answer() {
    let both = "HTTP/1.1 200 OK\r\nContent-Length: 99\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n";
    reads(both, 200, "ok", 0, false);
    reads(
        "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        200,
        "ok",
        0,
        false,
    );
    reads(
        "HTTP/1.1 200 OK\r\nConnection: x, Close\r\nContent-Length: 2\r\n\r\nok",
        200,
        "ok",
        0,
        false,
    );
    for bad in [
        "1\r\nContent-Length: 2",
        "+1",
        "-1",
        "0x1",
        "",
        "1, 2",
        "18446744073709551616",
        "1,",
        "1 1",
    ] {
        refuses(
            &std::format!("HTTP/1.1 200 OK\r\nContent-Length: {bad}\r\n\r\nxx"),
            Fault::BadLength,
        );
    }
    for coding in [
        "gzip",
        "gzip, chunked",
        "chunked, chunked",
        "chunked, gzip",
        "xchunked",
    ] {
        refuses(
            &std::format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: {coding}\r\n\r\n"),
            Fault::UnknownCoding,
        );
    }
}

#[test]
fn what_is_no_answer_is_told_as_soon_as_a_line_of_it_is_there() {
    let told = |bytes: &str| Answer::new().step(&mut bytes.as_bytes()).err();
    assert_eq!(told("SSH-2.0-OpenSSH_9\r\n"), Some(Fault::NotHttp));
    assert_eq!(told("HTTP/2 200\r\n"), Some(Fault::NotHttp));
    assert_eq!(told("HTTP/1.1 2x0 OK\r\n"), Some(Fault::NotHttp));
    assert_eq!(told("HTTP/1.1 200 OK\r\n"), None);
    refuses("", Fault::HeadCut);
    refuses("HTTP/1.1 200 OK\r\nContent-Le", Fault::HeadCut);
    refuses(
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell",
        Fault::BodyCut,
    );
}

#[test]
fn a_head_has_a_bound() {
    let line = std::format!("X: {}\r\n", "x".repeat(HEAD_MAX));
    assert_eq!(
        read(std::format!("HTTP/1.1 200 OK\r\n{line}\r\n").as_bytes()),
        Err(Fault::HeadTooLong)
    );
    let fields = |count: usize| std::format!("HTTP/1.1 204 x\r\n{}\r\n", "A: b\r\n".repeat(count));
    reads(&fields(FIELDS_MAX), 204, "", 0, true);
    refuses(&fields(FIELDS_MAX + 1), Fault::TooManyFields);
}

#[test]
fn an_answer_shows_its_head_as_received() {
    let mut answer = Answer::new();
    let head = "HTTP/1.1 302 Found\r\nlocation:  /there \r\nX-Y:z\r\n\r\n";
    let both = std::format!("HTTP/1.1 100 Continue\r\n\r\n{head}");
    assert_eq!(answer.head(), b"");
    assert_eq!(answer.step(&mut both.as_bytes()), Ok(Step::Head));
    assert_eq!(answer.head(), head.as_bytes());
    assert_eq!(
        (answer.status(), answer.location()),
        (Some(302), Some(&b"/there"[..]))
    );
}

fn encoded(method: Method, to: (&str, u16), path: &str, head: &str, frame: &[u8]) -> String {
    let (to, path, lines) = (
        server(to.0, to.1).unwrap(),
        url(path).unwrap(),
        head_lines(head).unwrap(),
    );
    let request = Request {
        method,
        server: &to,
        url: &path,
        lines: &lines,
    };
    request
        .encode(frame)
        .escape_ascii()
        .to_string()
        .replace("\\r\\n", "\n")
}

#[test]
fn what_may_not_stand_in_a_target_is_escaped_and_everything_else_is_not() {
    let target = |path: &str, frame: &[u8]| {
        let request = encoded(Method::Get, ("h", 80), path, "", frame);
        request
            .strip_prefix("GET ")
            .unwrap()
            .split_once(" HTTP/1.1\n")
            .unwrap()
            .0
            .to_string()
    };
    let plain = "abcXYZ019-._~!$&\\'()*+,;=:@/?%41%fF";
    assert_eq!(
        target("/", plain.replace('\\', "").as_bytes()),
        std::format!("/{plain}")
    );
    assert_eq!(
        target("/?", b"a b#c\"d\\e<>^`{|}[]%%4g"),
        "/?a%20b%23c%22d%5Ce%3C%3E%5E%60%7B%7C%7D%5B%5D%25%254g"
    );
    assert_eq!(
        target("/?", b"a\r\nb\0\x7f\x80\xff\r\n\n\r"),
        "/?a%0D%0Ab%00%7F%80%FF"
    );
    assert_eq!(
        target("/x[3F]y=[0D][0a][5b]3F]", b""),
        "/x?y=%0D%0A%5B3F%5D"
    );
    assert_eq!(target("/%4", b"1"), "/%41");
}

#[test]
fn what_the_user_left_out_is_added_and_what_he_wrote_stays() {
    let post = |to, head: &str| encoded(Method::Post, to, "/p", head, b"body");
    let added = "Host: h\nContent-Length: 4\nConnection: keep-alive\n\nbody";
    assert_eq!(
        post(("h", 80), ""),
        std::format!("POST /p HTTP/1.1\n{added}")
    );
    assert_eq!(
        post(
            ("h", 80),
            "x-A:b||HOST:  other||connection:close||content-length:99 "
        ),
        "POST /p HTTP/1.1\nx-A:b\nHOST:  other\nconnection:close\ncontent-length:4\n\nbody"
    );
    let host = |to| post(to, "").lines().nth(1).unwrap().to_string();
    assert_eq!(host(("h", 8080)), "Host: h:8080");
    assert_eq!(host(("https://h", 443)), "Host: h");
    assert_eq!(host(("https://h", 80)), "Host: h:80");
    assert_eq!(host(("http://h/", 443)), "Host: h:443");
    assert_eq!(host(("[fe80::1%eth0]", 80)), "Host: [fe80::1]");
    assert_eq!(host(("::1", 81)), "Host: [::1]:81");
    let get = encoded(Method::Get, ("h", 80), "/g", "Content-Length: 5", b"x");
    assert_eq!(
        get,
        "GET /gx HTTP/1.1\nContent-Length: 0\nHost: h\nConnection: keep-alive\n\n"
    );
}

#[test]
fn a_server_is_a_name_or_an_address() {
    let of = |host: &str, tls| {
        Ok(Server {
            host: host.to_string(),
            port: 80,
            tls,
        })
    };
    assert_eq!(server("test.usr.cn", 80), of("test.usr.cn", false));
    assert_eq!(server("HTTPS://test.usr.cn", 80), of("test.usr.cn", true));
    assert_eq!(
        server("http://[2001:db8::1]/", 80),
        of("2001:db8::1", false)
    );
    let fault = |typed: &str| server(typed, 80).unwrap_err().to_string();
    assert!(fault("h/x").ends_with(", got h/x; the path belongs to HTPURL"));
    assert!(fault("h:80").ends_with("allowed, got h:80; the port is a value of its own"));
    for bad in [
        "",
        "http://",
        "a b",
        "h\u{e9}",
        "ftp:h",
        "[h]",
        "u@h",
        "::1%",
        "[::1%a b]",
        &"x".repeat(256),
    ] {
        assert!(server(bad, 80).is_err(), "{bad}");
    }
}

#[test]
fn a_url_begins_with_a_slash() {
    assert_eq!(url("[2F]a[3f]").unwrap(), b"/a?");
    assert_eq!(
        url("").unwrap_err().to_string(),
        "must begin with /, got nothing"
    );
    assert_eq!(
        url("1.php").unwrap_err().to_string(),
        "must begin with /, got 1.php"
    );
    assert!(url(&std::format!("/{}", "x".repeat(URL_MAX - 1))).is_ok());
    assert!(url(&std::format!("/{}", "x".repeat(URL_MAX))).is_err());
}

#[test]
fn head_lines_are_divided_before_escapes_are_read() {
    let lines = |typed: &str| -> Vec<String> {
        let lines = head_lines(typed).unwrap();
        let text = |line: &HeadLine| [line.name(), b":", line.blanks(), line.value()].concat();
        lines
            .iter()
            .map(|line| text(line).escape_ascii().to_string())
            .collect()
    };
    assert_eq!(lines("Accept:text/html"), ["Accept:text/html"]);
    assert_eq!(
        lines("A: b||C:[0D][0a]D:\t e ||[0D][0A]"),
        ["A: b", "C:", "D:\\t e "]
    );
    assert_eq!(
        lines("A:x[7C][7C]y|z||B:[09][e9]"),
        ["A:x||y|z", "B:\\t\\xe9"]
    );
    assert_eq!(lines(""), Vec::<String>::new());
    assert_eq!(lines("||||"), Vec::<String>::new());
}

#[test]
fn a_bad_head_line_is_named() {
    let fault = |typed: &str| head_lines(typed).unwrap_err().to_string();
    assert_eq!(
        fault("A:b||||C:d"),
        "line 2 is empty, which would end the head"
    );
    assert_eq!(
        fault("A:b||C:[0A]d"),
        "line 2 has the control character [0A]"
    );
    assert_eq!(fault("A:[0D]"), "line 1 has the control character [0D]");
    assert_eq!(
        fault("A:[0D]||[0A]B:c"),
        "line 1 has the control character [0D]"
    );
    assert_eq!(
        fault("A:b||C"),
        "line 2 must be name:value, there is no colon"
    );
    for bad in [":x", "A :x", " A:x", "A(:x", "\u{e9}:x"] {
        assert!(fault(bad).contains("a name has letters"), "{bad}");
    }
    for name in ["Transfer-Encoding", "te", "TRAILER", "upgrade"] {
        assert!(
            fault(&std::format!("A:b||{name}: x")).contains("would change where requests end"),
            "{name}"
        );
    }
    assert_eq!(fault("Host:a||host:b"), "line 2 is a second Host");
}
