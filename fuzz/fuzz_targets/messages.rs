//! Foreign messages through the whole device, and foreign text as a mailbox. Nothing panics; every message that the
//! device has taken is done with or kept; what is kept can be read back.
//!
//! The first byte chooses the mode. Then: a byte of length, so many octets as a PDU, until they end. Text behind a zero
//! length is the mailbox that the device starts with.
#![no_main]

use bytes::Bytes;
use dtu_proto::config::{Config, Options, WorkingMode};
use dtu_proto::event::{Input, ModemInput, ModemOutput, Output, SerialInput, SerialOutput, StoreInput, StoreOutput};
use dtu_proto::radio::{Abilities, ModemIdentity, Registration, SubmitFailure};
use dtu_proto::time::{Duration, Instant};
use dtu_proto::{Dtu, Identity};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((mode, data)) = data.split_first() else { return };
    let mut pdus = Vec::new();
    let mut rest = data;
    while let Some((length, behind)) = rest.split_first() {
        rest = behind;
        if *length == 0 {
            break;
        }
        let (pdu, behind) = rest.split_at(usize::from(*length).min(rest.len()));
        pdus.push(Bytes::copy_from_slice(pdu));
        rest = behind;
    }
    let mut host = Host::start(*mode, &String::from_utf8_lossy(rest));
    for (id, pdu) in (1..).zip(&pdus) {
        host.news(ModemInput::Message { id, pdu: pdu.clone() });
        host.wait(Duration::from_secs(1));
    }
    host.serial(b"AT+CMGL=4\rAT+CMGF=1\rAT+CMGL=\"ALL\"\rAT+CSDH=1;+CSCS=\"UCS2\"\rAT+CMGL=\"ALL\"\r");
    host.wait(Duration::from_secs(25 * 3600));
    let text = host.kept.clone();
    let mut next = Host::start(*mode, "");
    let problems = next.dtu.restore_messages(&text);
    assert!(problems.is_empty() || !host.saved, "{text}");
    let status = next.dtu.status(next.now).messages;
    let before = host.dtu.status(host.now).messages;
    assert_eq!((status.stored, status.outgoing), (before.stored, before.outgoing));
});

struct Host {
    dtu: Dtu,
    now: Instant,
    /// What is on the disk: at first the foreign mailbox.
    kept: String,
    /// Whether the device has stored it anew.
    saved: bool,
    refusals: u16,
}

impl Host {
    fn start(mode: u8, mailbox: &str) -> Self {
        let mode = match mode % 3 {
            0 => WorkingMode::Sms,
            1 => WorkingMode::AtCommand,
            _ => WorkingMode::Transparent,
        };
        let config = Config { mode, password: "abc".into(), restart_time: 0, ..Config::default() };
        let options = Options { setup_window: Duration::ZERO, ..Options::default() };
        let mut dtu = Dtu::new(config, options, Identity::default(), 1, Instant::ZERO);
        dtu.restore_messages(mailbox);
        let mut host = Self { dtu, now: Instant::ZERO, kept: mailbox.to_owned(), saved: false, refusals: 0 };
        host.drain();
        host.input(Input::Serial(SerialInput::Present));
        let abilities = Abilities { messages: true, calls: true };
        host.news(ModemInput::Present(ModemIdentity { abilities, ..ModemIdentity::default() }));
        host.news(ModemInput::Registration(Registration::Home));
        host.wait(Duration::from_secs(1));
        host
    }

    fn news(&mut self, news: ModemInput) {
        self.input(Input::Modem(&news));
    }

    fn serial(&mut self, bytes: &[u8]) {
        self.input(Input::Serial(SerialInput::Data(bytes)));
    }

    fn input(&mut self, input: Input<'_>) {
        self.dtu.handle_input(input, self.now);
        self.drain();
    }

    fn wait(&mut self, time: Duration) {
        let until = self.now + time;
        while let Some(deadline) = self.dtu.poll_timeout().filter(|deadline| deadline.at <= until) {
            self.now = self.now.max(deadline.at);
            self.dtu.handle_timeout(self.now);
            self.drain();
        }
        self.now = until;
    }

    fn drain(&mut self) {
        while let Some(output) = self.dtu.poll_output() {
            match output {
                Output::Serial(SerialOutput::Write(_)) => self.answer(Input::Serial(SerialInput::Written)),
                Output::Serial(SerialOutput::Discard) => self.answer(Input::Serial(SerialInput::Discarded(0))),
                Output::Serial(SerialOutput::Configure(_)) => {
                    self.answer(Input::Serial(SerialInput::Configured(None)));
                }
                Output::Store(StoreOutput::Messages { number, text }) => {
                    (self.kept, self.saved) = (text, true);
                    self.answer(Input::Store(StoreInput::MessagesSaved(number)));
                }
                Output::Store(StoreOutput::Save(_)) => self.answer(Input::Store(StoreInput::Saved)),
                Output::Modem(ModemOutput::Submit { token, .. }) => {
                    self.refusals += 1;
                    let outcome = match self.refusals % 3 {
                        0 => Err(SubmitFailure(self.refusals)),
                        _ => Ok(1),
                    };
                    self.answer(Input::Modem(&ModemInput::Submitted { token, outcome }));
                }
                _ => {}
            }
        }
    }

    fn answer(&mut self, input: Input<'_>) {
        self.dtu.handle_input(input, self.now);
    }
}
