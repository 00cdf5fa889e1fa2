//! Any bytes of a modem, in any pieces at any times, with orders of the device in between, through the whole dialogue:
//! nothing panics, there is always a deadline while the device is open, and every message gets its answer.
//!
//! The input is a list of records: a byte of kind, a byte of delay, a byte of length, the bytes.
#![no_main]

use bytes::Bytes;
use dtu_proto::config::Apn;
use dtu_proto::radio::{ModemInput, ModemOutput, PhoneNumber};
use dtu_proto::time::{Duration, Instant};
use libfuzzer_sys::fuzz_target;
use modem_proto::{Input, Modem, Output, Pin, Settings};

fuzz_target!(|script: &[u8]| {
    let settings = Settings { pin: Pin::new("4711"), activate: true, ..Settings::default() };
    let mut host = Host { modem: Modem::new(settings, Instant::ZERO), now: Instant::ZERO, open: false, asked: 0 };
    host.feed(Input::Opened);
    let mut rest = script;
    while let [kind, delay, len, tail @ ..] = rest {
        let (bytes, behind) = tail.split_at(usize::from(*len).min(tail.len()));
        rest = behind;
        host.wait(Duration::from_millis(u64::from(*delay) * if kind & 1 == 0 { 1 } else { 400 }));
        match kind >> 1 & 15 {
            0 => host.feed(Input::Opened),
            1 => host.feed(Input::Gone),
            2 => host.order(ModemOutput::Reset),
            3 => host.order(ModemOutput::Taken(u64::from(*len))),
            4 => host.order(ModemOutput::Submit { token: 1, pdu: Bytes::copy_from_slice(bytes) }),
            5 => PhoneNumber::new("10086").into_iter().for_each(|number| host.order(ModemOutput::Dial(number))),
            6 => host.order(ModemOutput::HangUp),
            7 => host.order(ModemOutput::Answer),
            8 => {
                let name = String::from_utf8_lossy(bytes).into_owned();
                host.order(ModemOutput::UseApn(Apn { name, ..Apn::default() }));
            }
            // A modem that says yes brings the dialogue further than noise does.
            9 | 10 => host.feed(Input::Bytes(b"\r\nOK\r\n")),
            _ => host.feed(Input::Bytes(bytes)),
        }
    }
    host.wait(Duration::from_secs(180));
    assert_eq!(host.asked, 0, "a message without an answer");
});

struct Host {
    modem: Modem,
    now: Instant,
    open: bool,
    /// Messages without an answer.
    asked: usize,
}

impl Host {
    fn order(&mut self, order: ModemOutput) {
        self.asked += usize::from(matches!(order, ModemOutput::Submit { .. }));
        self.feed(Input::Order(&order));
    }

    fn feed(&mut self, input: Input<'_>) {
        self.modem.handle_input(input, self.now);
        self.carry_out();
        match input {
            Input::Opened => self.open = true,
            Input::Gone => self.open = false,
            Input::Bytes(_) | Input::Order(_) | Input::PinNotSaved => {}
        }
        assert!(!self.open || self.modem.poll_timeout().is_some(), "open, and waits for nothing");
    }

    fn wait(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(deadline) = self.modem.poll_timeout().filter(|deadline| deadline.at <= end) {
            self.now = self.now.max(deadline.at);
            self.modem.handle_timeout(self.now);
            assert!(self.modem.poll_timeout().is_none_or(|next| next.at > self.now), "a deadline that does not move");
            self.carry_out();
        }
        self.now = end;
    }

    fn carry_out(&mut self) {
        while let Some(output) = self.modem.poll_output() {
            match output {
                Output::Report(ModemInput::Submitted { .. }) => self.asked -= 1,
                Output::Reopen => {
                    self.open = true;
                    self.modem.handle_input(Input::Opened, self.now);
                }
                Output::Event(event) => assert!(!event.to_string().contains("4711")),
                Output::Report(_) | Output::Write(_) => {}
            }
        }
    }
}
