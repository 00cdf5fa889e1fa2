//! Logs of dialogues, played back: registration, signal and messages work with each modem, and what is missing is said.
#![allow(missing_docs, clippy::unwrap_used, clippy::wildcard_enum_match_arm)]

use bytes::Bytes;
use cellular_sim::modem::{ReplayModem, Transcript};
use dtu_proto::radio::{ModemInput, ModemOutput, Registration, Signal};
use dtu_proto::time::{Duration, Instant};
use modem_proto::{Input, Limitation, Modem, Output, Settings};

/// A SUBMIT of 13 octets behind a service centre that is the SIM's own.
const SUBMIT: &[u8] = &[
    0, 0x11, 0, 5, 0x81, 0x01, 0x80, 0xF6, 0, 0, 0xAA, 2, 0x41, 0xE1,
];

struct Bench {
    modem: Modem,
    played: ReplayModem,
    now: Instant,
    news: Vec<ModemInput>,
}

impl Bench {
    fn new(log: &str) -> Self {
        let modem = Modem::new(Settings::default(), Instant::ZERO);
        let played = ReplayModem::new(Transcript::parse(log).unwrap(), Instant::ZERO);
        let mut bench = Self {
            modem,
            played,
            now: Instant::ZERO,
            news: Vec::new(),
        };
        bench.modem.handle_input(Input::Opened, bench.now);
        bench
    }

    fn run(&mut self, seconds: u64) {
        let end = self.now + Duration::from_secs(seconds);
        while self.now < end {
            self.carry_out();
            let modem = self.modem.poll_timeout().map(|deadline| deadline.at);
            let next = [modem, self.played.poll_timeout()]
                .into_iter()
                .flatten()
                .min();
            self.now = next.unwrap_or(end).clamp(self.now, end);
            self.modem.handle_timeout(self.now);
        }
    }

    fn carry_out(&mut self) {
        loop {
            if let Some(output) = self.modem.poll_output() {
                self.obey(output);
            } else if let Some(bytes) = self.played.poll_output(self.now) {
                self.modem.handle_input(Input::Bytes(&bytes), self.now);
            } else {
                return;
            }
        }
    }

    fn obey(&mut self, output: Output) {
        match output {
            Output::Write(bytes) => self.played.read(&bytes, self.now),
            Output::Reopen => self.modem.handle_input(Input::Opened, self.now),
            Output::Report(news) => {
                if let ModemInput::Message { id, .. } = &news {
                    self.modem
                        .handle_input(Input::Order(&ModemOutput::Taken(*id)), self.now);
                }
                self.news.push(news);
            }
            Output::Event(_) => {}
        }
    }
}

fn drive(log: &str, model: &str, lacks: &[Limitation]) {
    let mut bench = Bench::new(log);
    bench.run(60);
    bench.modem.handle_input(
        Input::Order(&ModemOutput::Submit {
            token: 1,
            pdu: Bytes::from_static(SUBMIT),
        }),
        bench.now,
    );
    bench.run(60);
    let has = |wanted: &ModemInput| bench.news.contains(wanted);
    let known = |news: &ModemInput| matches!(news, ModemInput::Present(identity) if identity.model.ends_with(model));
    assert!(bench.news.iter().any(known), "{model}: {:?}", bench.news);
    assert!(
        has(&ModemInput::Registration(Registration::Home)),
        "{model}"
    );
    assert!(
        has(&ModemInput::Signal(Signal {
            strength: 20,
            error_rate: 0
        })),
        "{model}"
    );
    assert!(
        bench
            .news
            .iter()
            .any(|news| matches!(news, ModemInput::ServiceCenter(Some(_)))),
        "{model}"
    );
    let messages = bench
        .news
        .iter()
        .filter(|news| matches!(news, ModemInput::Message { .. }))
        .count();
    assert_eq!(messages, 1, "{model}");
    assert!(
        has(&ModemInput::Submitted {
            token: 1,
            outcome: Ok(5)
        }),
        "{model}: {:?}",
        bench.news
    );
    assert_eq!(
        bench.modem.limitations().collect::<Vec<_>>(),
        lacks,
        "{model}"
    );
    let told = bench
        .news
        .iter()
        .any(|news| matches!(news, ModemInput::Lacks(words) if !words.is_empty()));
    assert_eq!(told, !lacks.is_empty(), "{model}");
}

#[test]
fn ten_modems_work_and_say_what_is_missing() {
    drive(include_str!("transcripts/sim800.log"), "SIM800L", &[]);
    drive(include_str!("transcripts/sim7600.log"), "SIM7600E-H", &[]);
    drive(include_str!("transcripts/a7670.log"), "A7670E-FASE", &[]);
    drive(include_str!("transcripts/ec2x.log"), "EC25", &[]);
    drive(
        include_str!("transcripts/e3372.log"),
        "E3372",
        &[Limitation::Clock, Limitation::Calls],
    );
    drive(
        include_str!("transcripts/e220.log"),
        "E220",
        &[Limitation::Clock],
    );
    drive(include_str!("transcripts/bgs5.log"), "BGS5", &[]);
    drive(include_str!("transcripts/mc75i.log"), "MC75i", &[]);
    drive(include_str!("transcripts/sim900.log"), "SIM900", &[]);
    drive(
        include_str!("transcripts/zte.log"),
        "MF190",
        &[
            Limitation::Reports,
            Limitation::RegistrationUrc,
            Limitation::Clock,
        ],
    );
}
