//! Any bytes as an answer, in any reads: nothing panics, how they are cut changes nothing, and each byte is head, frame of
//! a chunk, body or left over.
//!
//! The first byte says how long the reads are.
#![no_main]

use dtu_proto::wire::http::{Answer, Fault, HEAD_MAX, Step};
use libfuzzer_sys::fuzz_target;

#[derive(Debug, PartialEq, Eq)]
struct Seen {
    body: Vec<u8>,
    status: Option<u16>,
    head: Vec<u8>,
    may_go_on: bool,
    /// Whole at this byte.
    end: Option<usize>,
    fault: Option<Fault>,
    closed: Result<(), Fault>,
}

fuzz_target!(|input: &[u8]| {
    let Some((first, bytes)) = input.split_first() else { return };
    let whole = take(bytes, bytes.len().max(1));
    assert_eq!(whole, take(bytes, 1), "read by read and byte by byte");
    assert_eq!(whole, take(bytes, usize::from(*first) + 1), "read by read and as it was drawn");
    assert!(whole.body.len() <= bytes.len());
    assert!(whole.head.len() <= HEAD_MAX);
    assert!(whole.end.is_none_or(|end| end <= bytes.len()) && (whole.end.is_none() || whole.closed.is_ok()));
    if let Some(status) = whole.status {
        // A status that does not exist counts as one of the server's faults (RFC 9110 15).
        assert!(!(100..200).contains(&status), "an answer of the kind 1xx is none: {status}");
    }
});

fn take(bytes: &[u8], most: usize) -> Seen {
    let mut answer = Answer::new();
    let (mut body, mut end, mut fault) = (Vec::new(), None, None);
    'reads: for (read, part) in bytes.chunks(most).enumerate() {
        let mut rest = part;
        loop {
            let before = rest.len();
            match answer.step(&mut rest) {
                Ok(Step::Body(part)) => body.extend_from_slice(part),
                Ok(Step::Head) => {}
                Ok(Step::End) => {
                    end = Some(read * most + part.len() - rest.len());
                    break 'reads;
                }
                Ok(Step::More) if rest.is_empty() => break,
                Ok(Step::More) => assert!(rest.len() < before, "it stands still"),
                Err(found) => {
                    fault = Some(found);
                    break 'reads;
                }
            }
        }
    }
    let (status, head, may_go_on) = (answer.status(), answer.head().to_vec(), answer.may_go_on());
    Seen {
        body,
        status,
        head,
        may_go_on,
        end,
        closed: if fault.is_none() { answer.closed() } else { Ok(()) },
        fault,
    }
}
