//! Whatever is said in the AT mode, and whenever the peer talks or closes: each byte in its place, both ways.
#![allow(missing_docs)]

use dtu_proto::config::{Config, WorkingMode};
use dtu_proto::event::{CloseReason, SocketId};
use dtu_proto::testing::{Bench, one_link};
use proptest::collection::vec;
use proptest::prelude::*;

const AT: SocketId = SocketId::AtMode;
/// Silence that ends a frame, in ms.
const TIME: u64 = 100;

#[derive(Clone, Debug)]
enum Step {
    Ask,
    Open,
    Close,
    PeerTalks(Vec<u8>),
    PeerCloses,
    Send {
        data: Vec<u8>,
        form: Form,
        cuts: Vec<(usize, u64)>,
        meanwhile: Vec<u8>,
        closes: bool,
    },
}

#[derive(Clone, Copy, Debug)]
enum Form {
    Silence,
    Mark,
    Length,
}

fn step() -> impl Strategy<Value = Step> {
    let bytes = || {
        vec(
            prop_oneof![any::<u8>(), Just(0x1A), Just(0x1B), Just(b'+'), Just(b'\r')],
            1..40,
        )
    };
    let form = prop_oneof![Just(Form::Silence), Just(Form::Mark), Just(Form::Length)];
    let cuts = vec((0usize..1024, 0..TIME), 0..4);
    let data = prop_oneof![4 => bytes(), 1 => vec(any::<u8>(), 1020..=1024)];
    let send = (
        data,
        form,
        cuts,
        vec(any::<u8>(), 0..50),
        prop::bool::weighted(0.2),
    )
        .prop_map(|(data, form, cuts, meanwhile, closes)| Step::Send {
            data,
            form,
            cuts,
            meanwhile,
            closes,
        });
    prop_oneof![
        1 => Just(Step::Ask),
        3 => Just(Step::Open),
        1 => Just(Step::Close),
        2 => bytes().prop_map(Step::PeerTalks),
        1 => Just(Step::PeerCloses),
        5 => send,
    ]
}

/// What the DTE and the peer must have got.
#[derive(Default)]
struct Books {
    open: bool,
    printed: Vec<u8>,
    sent: Vec<u8>,
}

impl Books {
    fn prints(&mut self, bytes: impl AsRef<[u8]>) {
        self.printed.extend_from_slice(bytes.as_ref());
    }

    fn refused(&mut self, why: &str) {
        self.prints(format!("\r\n+CME ERROR: {why}\r\n"));
    }
}

fn take(dev: &mut Bench, books: &mut Books, step: &Step) {
    match step {
        Step::Ask => {
            dev.serial("AT\r\n");
            books.prints("\r\nOK\r\n");
        }
        Step::Open => {
            dev.serial("AT+CIOPEN=TCP,host,7\r\n");
            if books.open {
                books.refused("CIOPEN: a connection is open already; AT+CICLOSE closes it");
            } else {
                books.prints("\r\nOK\r\n\r\nCONNECT OK\r\n");
            }
            books.open = true;
        }
        Step::Close => {
            dev.serial("AT+CICLOSE\r\n");
            if books.open {
                books.prints("\r\nCLOSE OK\r\n");
            } else {
                books.refused("CICLOSE: no connection is open");
            }
            books.open = false;
        }
        Step::PeerTalks(data) if books.open => {
            dev.network(AT, data);
            books.prints(data);
        }
        Step::PeerCloses if books.open => {
            dev.lose(AT, CloseReason::PeerClosed, 0);
            books.prints("\r\nCLOSED\r\n");
            books.open = false;
        }
        Step::PeerTalks(_) | Step::PeerCloses => {}
        Step::Send {
            data,
            form,
            cuts,
            meanwhile,
            closes,
        } => {
            let length = matches!(form, Form::Length).then(|| format!("={}", data.len()));
            dev.serial(format!("AT+CISEND{}\r\n", length.unwrap_or_default()));
            if !books.open {
                return books.refused(
                    "CISEND: not connected; AT+CIOPEN=TCP,address,port opens a connection",
                );
            }
            books.prints("\r\n> ");
            dev.network(AT, meanwhile);
            if *closes {
                dev.lose(AT, CloseReason::Reset, 0);
                // Told at once (decisions 16.11).
                books.prints(meanwhile);
                books.prints("\r\nCLOSED\r\n");
            }
            frame(dev, data, *form, cuts);
            books.prints(if *closes {
                "\r\nSEND FAIL\r\n"
            } else {
                "\r\nSEND OK\r\n"
            });
            if *closes {
                books.open = false;
            } else {
                books.prints(meanwhile);
                books.sent.extend_from_slice(&typed(data, *form));
            }
        }
    }
}

/// What is typed, all of it data (decisions 16.11): one ESC alone would give up.
fn typed(data: &[u8], form: Form) -> Vec<u8> {
    let gives_up = data == [0x1B] && !matches!(form, Form::Length);
    // A frame has at most 1024 bytes.
    let marked = matches!(form, Form::Mark) && data.len() < 1024;
    let mark: &[u8] = if gives_up || marked { &[0x1A] } else { &[] };
    [data, mark].concat()
}

/// Types a frame in pieces.
fn frame(dev: &mut Bench, data: &[u8], form: Form, cuts: &[(usize, u64)]) {
    let typed = typed(data, form);
    let mut cuts: Vec<_> = cuts
        .iter()
        .map(|(at, pause)| (at % typed.len(), *pause))
        .collect();
    cuts.sort_unstable();
    cuts.dedup_by_key(|(at, _)| *at);
    let mut from = 0;
    for (at, pause) in cuts {
        dev.serial(&typed[from..at]).wait(pause);
        from = at;
    }
    dev.serial(&typed[from..]);
    if !matches!(form, Form::Length) {
        dev.wait(TIME);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn each_byte_is_in_its_place_both_ways(steps in vec((step(), 0u64..2000), 1..30)) {
        let mut dev = Bench::new(Config { mode: WorkingMode::AtCommand, restart_time: 0, ..one_link() });
        dev.at(300).prints("\r\nUSR-GPRS232-DTU\r\n");
        let mut books = Books::default();
        for (step, pause) in &steps {
            take(&mut dev, &mut books, step);
            dev.wait(*pause);
        }
        // Whatever was refused above: at the end a frame goes out.
        if !books.open {
            take(&mut dev, &mut books, &Step::Open);
        }
        let (data, form) = (b"the last".to_vec(), Form::Length);
        take(&mut dev, &mut books, &Step::Send { data, form, cuts: vec![], meanwhile: vec![], closes: false });
        prop_assert!(books.sent.ends_with(b"the last"));
        prop_assert_eq!(dev.printed(), books.printed.escape_ascii().to_string());
        prop_assert_eq!(dev.received(AT), books.sent);
        let status = dev.dtu.status(dev.now);
        let (counters, serial) = (status.at_connection.counters, status.serial.counters);
        prop_assert_eq!(counters.bytes_in, counters.bytes_out + counters.dropped_bytes);
        prop_assert_eq!(counters.frames_in, counters.frames_out + counters.dropped_frames);
        prop_assert_eq!(serial.bytes_in, serial.command_bytes);
    }
}
