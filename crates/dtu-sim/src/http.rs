//! The other side of HTTP: a strict reader of requests, and a writer of answers in every framing, good and broken.
//!
//! Written from RFC 9112 and decisions 9 alone; it shares no code with the device.

use cellular_sim::Rng;

use crate::model::REQUEST_MAX;

/// The longest head: a GET carries a whole frame in its target, each byte of it at most as `%XX`, and URL and head
/// lines of the settings stand beside it.
const HEAD_MAX: usize = 3 * REQUEST_MAX + 4096;

/// A request, as a server reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) target: Vec<u8>,
    /// The head lines, as they stand.
    pub(crate) head: Vec<Vec<u8>>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    /// The values of a field.
    pub(crate) fn field<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.head.iter().filter_map(move |line| {
            let (found, value) = split_field(line)?;
            found
                .eq_ignore_ascii_case(name.as_bytes())
                .then(|| value.trim_ascii())
        })
    }

    /// Whether the client wants the connection to end behind the answer.
    pub(crate) fn closes(&self) -> bool {
        self.field("connection")
            .any(|value| value.eq_ignore_ascii_case(b"close"))
    }
}

fn split_field(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    Some((&line[..colon], &line[colon + 1..]))
}

/// The first request of `bytes` and its length, if it is all there. Anything that a strict server would refuse is an
/// error: a bare CR or LF, a target with bytes that may not stand there, two lengths.
pub(crate) fn take_request(bytes: &[u8]) -> Result<Option<(Request, usize)>, String> {
    let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
        return if bytes.len() > HEAD_MAX {
            Err("a head without an end".to_owned())
        } else {
            Ok(None)
        };
    };
    let mut lines = Vec::new();
    let mut rest = &bytes[..end + 2];
    while !rest.is_empty() {
        let stop = rest
            .windows(2)
            .position(|two| two == b"\r\n")
            .unwrap_or(rest.len());
        lines.push(checked_line(&rest[..stop])?.to_vec());
        rest = rest.get(stop + 2..).unwrap_or_default();
    }
    let first = lines.remove(0);
    let (method, target) = request_line(&first)?;
    let mut request = Request {
        method,
        target,
        head: lines,
        body: Vec::new(),
    };
    let length = body_length(&request)?;
    let start = end + 4;
    let Some(body) = bytes.get(start..start + length) else {
        return Ok(None);
    };
    request.body = body.to_vec();
    Ok(Some((request, start + length)))
}

fn checked_line(line: &[u8]) -> Result<&[u8], String> {
    let control = line
        .iter()
        .any(|byte| (*byte < b' ' && *byte != b'\t') || *byte == 0x7F);
    if control {
        Err(format!(
            "a control character in the head line \"{}\"",
            line.escape_ascii()
        ))
    } else {
        Ok(line)
    }
}

fn request_line(line: &[u8]) -> Result<(String, Vec<u8>), String> {
    let parts: Vec<&[u8]> = line.split(|byte| *byte == b' ').collect();
    let [method, target, b"HTTP/1.1"] = parts[..] else {
        return Err(format!("no request line: \"{}\"", line.escape_ascii()));
    };
    if !target.starts_with(b"/") || !is_target(target) {
        return Err(format!("no request target: \"{}\"", target.escape_ascii()));
    }
    Ok((
        String::from_utf8_lossy(method).into_owned(),
        target.to_vec(),
    ))
}

/// RFC 3986: `pchar`, `/` and `?`, and each `%` with two hexadecimal digits.
fn is_target(target: &[u8]) -> bool {
    target.iter().enumerate().all(|(at, byte)| match byte {
        b'%' => target
            .get(at + 1..at + 3)
            .is_some_and(|two| two.iter().all(u8::is_ascii_hexdigit)),
        byte => may_stand(*byte),
    })
}

fn may_stand(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/?".contains(&byte)
}

fn body_length(request: &Request) -> Result<usize, String> {
    if request.head.iter().any(|line| {
        split_field(line).is_none_or(|(name, _)| name.is_empty() || name.contains(&b' '))
    }) {
        return Err("a head line without a name".to_owned());
    }
    if request.field("transfer-encoding").next().is_some() {
        return Err("a transfer coding in a request".to_owned());
    }
    if request.field("host").count() != 1 {
        return Err("not one Host line".to_owned());
    }
    let mut lengths = request.field("content-length");
    let Some(length) = lengths.next() else {
        return Ok(0);
    };
    if lengths.next().is_some() {
        return Err("two lengths".to_owned());
    }
    let text = std::str::from_utf8(length).unwrap_or_default();
    text.parse().map_err(|_| format!("a length of \"{text}\""))
}

/// Decisions 9: URL and frame without the line end of the frame; what may not stand in a target is percent-encoded.
pub(crate) fn target_of(url: &[u8], frame: &[u8]) -> Vec<u8> {
    let tail = frame
        .iter()
        .rev()
        .take_while(|byte| matches!(byte, b'\r' | b'\n'))
        .count();
    let glued = [url, &frame[..frame.len() - tail]].concat();
    let mut target = Vec::new();
    for (at, byte) in glued.iter().enumerate() {
        let escape = || {
            glued
                .get(at + 1..at + 3)
                .is_some_and(|two| two.iter().all(u8::is_ascii_hexdigit))
        };
        if may_stand(*byte) || (*byte == b'%' && escape()) {
            target.push(*byte);
        } else {
            target.extend(format!("%{byte:02X}").bytes());
        }
    }
    target
}

/// Bytes of an answer, and what of them the serial line must get.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) bytes: Vec<u8>,
    pub(crate) print: Print,
}

/// What of a piece is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Print {
    Nothing,
    /// Each byte as it comes.
    Stream,
    /// All of it, once its last byte has come.
    Whole,
}

/// How an answer ends for the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// Whole, and the connection may be used again.
    Keep,
    /// Whole with its last byte; the server closes behind it.
    Close,
    /// Whole when the server closes.
    AtClose,
    /// Never whole: the device gives it up by itself.
    Broken,
    /// Never whole: the server closes amid it.
    Cut,
    /// Never whole: the server resets the connection amid it.
    Reset,
    /// Never whole: nothing more comes.
    Silent,
}

/// An answer.
#[derive(Clone, Debug)]
pub(crate) struct Response {
    pub(crate) pieces: Vec<Piece>,
    pub(crate) end: End,
    pub(crate) status: u16,
}

struct Writer<'a> {
    rng: &'a mut Rng,
    filter: bool,
    pieces: Vec<Piece>,
}

impl Writer<'_> {
    fn put(&mut self, bytes: impl Into<Vec<u8>>, print: Print) {
        let bytes = bytes.into();
        if !bytes.is_empty() {
            self.pieces.push(Piece { bytes, print });
        }
    }

    fn hidden(&mut self, bytes: impl Into<Vec<u8>>) {
        self.put(bytes, Print::Nothing);
    }

    fn head(&mut self, text: &str) {
        let print = if self.filter {
            Print::Nothing
        } else {
            Print::Whole
        };
        self.put(format!("{text}\r\n"), print);
    }

    fn chunked(&mut self, body: &[u8]) {
        let mut rest = body;
        while !rest.is_empty() {
            let most = self.rng.pick(&[1, 5, 100, 4000]);
            let (chunk, tail) = rest.split_at(self.rng.size(1, most).min(rest.len()));
            let extension = self.rng.pick(&["", "", "", ";a=b", " ;x=\"y;z\""]);
            let length = chunk.len();
            let size = if self.rng.chance(50) {
                format!("{length:x}")
            } else {
                format!("{length:04X}")
            };
            let line_end = self.rng.pick(&["\r\n", "\r\n", "\r\n", "\n", "\r\r\n"]);
            self.hidden(format!("{size}{extension}{line_end}"));
            self.put(chunk, Print::Stream);
            self.hidden(line_end);
            rest = tail;
        }
    }
}

/// Draws an answer with this body. `closes`: the client has asked for the end of the connection.
pub(crate) fn draw_response(
    rng: &mut Rng,
    body: &[u8],
    filter: bool,
    closes: bool,
    faults: u64,
) -> Response {
    // A body of nothing cannot end too early.
    let broken = rng.chance(faults) && !body.is_empty();
    let mut writer = Writer {
        rng,
        filter,
        pieces: Vec::new(),
    };
    let (status, end) = if broken {
        bad(&mut writer, body)
    } else {
        good(&mut writer, body, closes)
    };
    Response {
        pieces: writer.pieces,
        end,
        status,
    }
}

fn good(w: &mut Writer<'_>, body: &[u8], closes: bool) -> (u16, End) {
    if w.rng.chance(10) {
        let interim = w.rng.pick(&[
            "100 Continue\r\n",
            "103 Early Hints\r\nLink: </a>\r\n",
            "102 Processing\r\n",
        ]);
        w.hidden(format!("HTTP/1.1 {interim}\r\n"));
    }
    let (status, reason) = w.rng.pick(&[
        (200, "OK"),
        (200, "OK"),
        (201, "Created"),
        (302, "Found\r\nLocation: /other"),
        (404, "Not Found"),
        (500, ""),
    ]);
    let close = closes || w.rng.chance(20);
    let after = if close { End::Close } else { End::Keep };
    let connection = if close { "Connection: close\r\n" } else { "" };
    let extra = match w.rng.range(0, 9) {
        0 => format!("X-Long: {}\r\n", "y".repeat(w.rng.size(100, 12_000))),
        1 => "Server: t\r\nX: 1\r\n".repeat(30),
        2 => "content-type:text/plain\r\n".to_owned(),
        3 => "X-Odd: a\0b\x1b\nno field\0\r\r\n".to_owned(),
        _ => String::new(),
    };
    let head = format!("HTTP/1.1 {status} {reason}\r\n{extra}{connection}");
    let length = body.len();
    match w.rng.range(0, 11) {
        0..=3 => {
            w.head(&format!("{head}Content-Length: {length}\r\n"));
            w.put(body, Print::Stream);
        }
        4..=6 => {
            w.head(&format!("{head}Transfer-Encoding: chunked\r\n"));
            w.chunked(body);
            let trailer = w.rng.pick(&["", "", "X-Sum: 1\r\n"]);
            w.hidden(format!("0\r\n{trailer}\r\n"));
        }
        7 => {
            w.head(&head);
            w.put(body, Print::Stream);
            return (status, End::AtClose);
        }
        8 => {
            w.head(&format!("HTTP/1.1 204 No Content\r\n{connection}"));
            return (204, after);
        }
        9 => {
            w.head(&format!("{head}Content-Length: 0\r\n"));
        }
        10 => {
            // A coding and a length: the coding counts, and the connection is not to be trusted further.
            w.head(&format!(
                "{head}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n"
            ));
            w.chunked(body);
            w.hidden("0\r\n\r\n");
            return (status, End::Close);
        }
        _ => {
            w.head(&format!(
                "HTTP/1.0 {status} {reason}\r\nContent-Length: {length}\r\n"
            ));
            w.put(body, Print::Stream);
            return (status, End::Close);
        }
    }
    (status, after)
}

/// What a device cannot make an answer of: it ends too early, or breaks the rules.
fn bad(w: &mut Writer<'_>, body: &[u8]) -> (u16, End) {
    let length = body.len();
    let part = &body[..w.rng.size(0, length.saturating_sub(1))];
    let early = w.rng.pick(&[End::Silent, End::Cut, End::Reset]);
    match w.rng.range(0, 12) {
        0..=2 => return (0, early),
        3 => {
            w.hidden("HTTP/1.1 200 O");
            return (0, early);
        }
        4 => {
            w.head(&format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n"));
            w.put(part, Print::Stream);
            return (200, early);
        }
        5 => {
            w.head("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n");
            w.chunked(part);
            return (200, early);
        }
        6 => {
            w.head("HTTP/1.1 200 OK\r\n");
            w.put(part, Print::Stream);
            return (200, w.rng.pick(&[End::Silent, End::Reset]));
        }
        7 => {
            w.head("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n");
            w.chunked(part);
            let size = w.rng.pick(&["xyz", "-1", "1_0", "fffffffffffffffff", ""]);
            w.hidden(format!("{size}\r\nno more\r\n"));
        }
        8 => w.hidden("SSH-2.0-OpenSSH_9.2\r\n\r\n"),
        9 => w.hidden(format!(
            "HTTP/1.1 200 OK\r\nX-Long: {}\r\n\r\n",
            "z".repeat(17_000)
        )),
        10 => w.hidden("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd"),
        11 => w.hidden("HTTP/1.1 200 OK\r\nContent-Length: -3\r\n\r\nabc"),
        _ => w.hidden("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"),
    }
    (0, End::Broken)
}
