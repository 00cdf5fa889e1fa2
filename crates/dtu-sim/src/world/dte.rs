//! The equipment on the serial line: bursts and trickles, teasing plus signs, real escapes with commands, inline
//! commands right and wrong, and times when it does not listen.

use std::collections::VecDeque;

use cellular_sim::Rng;
use dtu_proto::config::WorkingMode;

use super::{Event, World, ports};
use crate::commands::{self, Action};
use crate::model::Phase;
use crate::{MS, SEC};

#[derive(Clone, Debug)]
enum DteStep {
    Write(Vec<u8>),
    Pause(u64),
    /// Waits until this is heard, or so long; then the rest of the act is off.
    Await(&'static [u8], u64),
}

pub(super) struct Dte {
    pub(super) rng: Rng,
    steps: VecDeque<DteStep>,
    received: Vec<u8>,
    patience: Option<u64>,
    position: u64,
    quiet_until: u64,
    pub(super) wants_restart: bool,
}

impl Dte {
    pub(super) fn new(rng: Rng) -> Self {
        Self {
            rng,
            steps: VecDeque::new(),
            received: Vec::new(),
            patience: None,
            position: 0,
            quiet_until: 0,
            wants_restart: false,
        }
    }

    /// It sees the device go dark: whatever it was doing is off.
    pub(super) fn start_over(&mut self) {
        self.steps.clear();
        self.received.clear();
        self.patience = None;
        self.wants_restart = false;
    }

    pub(super) fn at_rest(&self) -> bool {
        self.steps.is_empty()
    }

    /// Bytes that occur once: a running number under a scrambler, so that a lost or moved one shows.
    pub(super) fn data(&mut self, len: usize) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(len);
        for _ in 0..len {
            self.position += 1;
            bytes.push(Rng::new(self.position).word().to_le_bytes()[3]);
        }
        bytes
    }

    fn then(&mut self, step: DteStep) {
        self.steps.push_back(step);
    }

    pub(super) fn write(&mut self, bytes: Vec<u8>) {
        self.then(DteStep::Write(bytes));
    }

    pub(super) fn pause(&mut self, wait: u64) {
        self.then(DteStep::Pause(wait));
    }

    /// Waits for this; if it does not come the rest of the act is off.
    pub(super) fn await_text(&mut self, text: &'static [u8], patience: u64) {
        self.then(DteStep::Await(text, patience));
    }
}

impl World {
    pub(super) fn dte_receives(&mut self, bytes: &[u8]) {
        self.dte.received.extend_from_slice(bytes);
        if self.dte.patience.is_some() {
            self.after(self.scenario.dte.pause.min(60 * MS), Event::Dte);
        }
    }

    pub(super) fn dte_acts(&mut self) {
        if self.dte.quiet_until > self.now {
            return;
        }
        if self.dte.steps.is_empty() {
            self.next_act();
        }
        let wait = match self.dte.steps.pop_front() {
            None => self.dte_rests(),
            Some(DteStep::Pause(wait)) => wait,
            Some(DteStep::Write(bytes)) => self.dte_writes(bytes),
            Some(DteStep::Await(text, patience)) => self.dte_listens(text, patience),
        };
        self.dte.quiet_until = self.now + wait;
        self.after(wait, Event::Dte);
    }

    fn dte_rests(&self) -> u64 {
        if self.healed {
            SEC
        } else {
            self.scenario.dte.pause
        }
    }

    fn dte_writes(&mut self, mut bytes: Vec<u8>) -> u64 {
        let room = ports::PTY.saturating_sub(self.serial.up.len());
        if self.serial.gone || room == 0 {
            self.dte.steps.push_front(DteStep::Write(bytes));
            return 20 * MS;
        }
        let rest = bytes.split_off(bytes.len().min(room));
        self.serial.up.extend(bytes);
        if !rest.is_empty() {
            self.dte.steps.push_front(DteStep::Write(rest));
        }
        self.plan_serial_read();
        if rest_is_long(&self.dte.steps) {
            5 * MS
        } else {
            300
        }
    }

    fn dte_listens(&mut self, text: &'static [u8], patience: u64) -> u64 {
        let until = *self.dte.patience.get_or_insert(self.now + patience);
        if let Some(at) = self
            .dte
            .received
            .windows(text.len())
            .position(|part| part == text)
        {
            self.dte.received.drain(..at + text.len());
            self.dte.patience = None;
            return 40 * MS;
        }
        if self.now >= until {
            self.dte.patience = None;
            self.dte.steps.clear();
            return 300 * MS;
        }
        self.dte.steps.push_front(DteStep::Await(text, patience));
        (until - self.now).min(100 * MS)
    }

    fn next_act(&mut self) {
        self.dte.received.clear();
        let style = self.scenario.dte.clone();
        match self.ledger.line.phase {
            Phase::Window => return self.early(),
            Phase::Command if self.is_at_mode() => return self.at_next(),
            Phase::Text { .. } => return self.dte.pause(SEC),
            Phase::Command => return self.leave_command_state(),
            Phase::Data => {}
        }
        if self.healed {
            return self.visit_what_waits();
        }
        let roll = self.dte.rng.range(0, 99);
        if std::mem::take(&mut self.dte.wants_restart) || roll < style.escapes {
            self.session();
        } else if roll < style.escapes + style.teases {
            self.tease();
        } else if roll < style.escapes + style.teases + style.inline {
            self.inline();
        } else if self.dte.rng.chance(style.deaf) {
            self.serial.deaf_until = self.now + self.dte.rng.wait(5 * SEC);
        } else if self.ledger.applied.mode == WorkingMode::SerialCommand && self.dte.rng.chance(95)
        {
            self.packets();
        } else {
            self.burst();
        }
        let pause = self.dte.rng.wait(style.pause);
        self.dte.then(DteStep::Pause(pause));
    }

    fn burst(&mut self) {
        let style = &self.scenario.dte;
        let most = if style.trickle {
            style.write_max.min(60)
        } else {
            style.write_max
        };
        let len = self.dte.rng.size(1, most);
        let bytes = self.dte.data(len);
        if !style.trickle {
            return self.dte.then(DteStep::Write(bytes));
        }
        let gap = self.dte.rng.pick(&[90, 1000, 8 * MS, 12 * MS]);
        for byte in bytes {
            self.dte.then(DteStep::Write(vec![byte]));
            self.dte.then(DteStep::Pause(gap));
        }
    }

    /// In the set-up window: now and then data whose second letter is that of a command. Not in the SMS mode: whether a
    /// frame that is open when the mode starts is in the first set of messages, the ledger of a late host cannot say.
    fn early(&mut self) {
        if !self.healed && !self.scenario.radio.sms_mode && self.ends_rng.chance(20) {
            // Each another: frames that are alike cannot be told apart.
            let text = format!("Step {}\r\n", self.now);
            self.dte.then(DteStep::Write(text.into_bytes()));
        }
        self.dte.then(DteStep::Pause(100 * MS));
    }

    /// Plus signs that mostly are no escape: gaps near the limits, chunks of all kinds, tails behind them.
    fn tease(&mut self) {
        let limit = self.ledger.line.gap;
        let dte = &mut self.dte;
        let lead = dte.rng.pick(&[0, 150 * MS, 201 * MS, 260 * MS, 700 * MS]);
        dte.then(DteStep::Pause(lead));
        let plan = dte.rng.pick(&[
            "+", "++", "+++", "+ + +", "++ +", "+ ++", "+++a", "+++x", "x+++", "++++", "+++\r",
            "+  +",
        ]);
        for mark in plan.bytes() {
            if mark == b' ' {
                let gap = dte.rng.pick(&[5 * MS, limit - 20 * MS, limit + 5 * MS]);
                dte.then(DteStep::Pause(gap));
            } else {
                dte.then(DteStep::Write(vec![mark]));
            }
        }
        let tail = dte.rng.pick(&[0, 10 * MS, 30 * MS, 300 * MS, 3500 * MS]);
        dte.then(DteStep::Pause(tail));
        let answer = dte.rng.pick(&["", "b", "+", "ab", "+++", "a?"]);
        let mut bytes = answer.as_bytes().to_vec();
        let len = dte.rng.size(0, 6);
        bytes.extend(dte.data(len));
        if !bytes.is_empty() {
            dte.then(DteStep::Write(bytes));
        }
    }

    /// `psw,AT+…` as a frame of its own, with the right or a wrong password, or behind other bytes.
    fn inline(&mut self) {
        let apart = self.quiet_gap();
        let drawn = commands::draw(&mut self.dte.rng, &self.ledger.watch.expected, true);
        let (text, action) = self.keep_password(drawn);
        let (expected, dte) = (&self.ledger.watch.expected, &mut self.dte);
        if text.len() > 60 || self.scenario.host.read_max < 512 {
            // A read of few bytes may cut it, and what is left may be another command.
            return;
        }
        let password = if dte.rng.chance(60) {
            &expected.password
        } else {
            "admin"
        };
        let head = dte.rng.pick(&["", "", "", "", "z", "data "]);
        let tail = dte.rng.pick(&["", "\r\n", "\r"]);
        let line = format!("{head}{password},{text}{tail}").into_bytes();
        self.ledger.watch.know(&text, action);
        dte.then(DteStep::Pause(apart));
        dte.then(DteStep::Write(line));
        dte.then(DteStep::Pause(apart));
    }

    /// Longer than any frame stays open, whatever the host does.
    pub(super) fn quiet_gap(&self) -> u64 {
        let host = &self.scenario.host;
        self.ledger.line.packing + 2 * host.late_read + 2 * host.late_timer + 4200 * MS
    }

    fn hand_shake(&mut self, quiet: u64) {
        let tail = self.dte.rng.pick(&["", "", "\r", "\r\n"]);
        self.dte.then(DteStep::Pause(quiet));
        self.dte
            .then(DteStep::Write(format!("+++{tail}").into_bytes()));
        self.dte.then(DteStep::Await(b"a", 2 * SEC));
        self.dte
            .then(DteStep::Write(format!("a{tail}").into_bytes()));
        self.dte.then(DteStep::Await(b"+ok", 2 * SEC));
    }

    /// To the command state, if the line is not in it.
    pub(super) fn dte_escapes(&mut self) {
        if self.ledger.line.phase == Phase::Data {
            let quiet = self.quiet_gap();
            self.hand_shake(quiet);
        }
    }

    /// The whole dance: silence, `+++`, `a`, `a`, `+ok`, commands, `AT+ENTM`.
    fn session(&mut self) {
        let restart = self.scenario.restart_every > 0 && self.dte.rng.chance(20);
        let quiet = self.quiet_gap();
        let expected = self.ledger.watch.expected.clone();
        self.hand_shake(quiet);
        if self.scenario.modes.wanders && self.dte.rng.chance(60) {
            return self.wander();
        }
        for _ in 0..self.dte.rng.size(0, 4) {
            let drawn = commands::draw(&mut self.dte.rng, &expected, true);
            let (text, action) = self.keep_password(drawn);
            self.ledger.watch.know(&text, action);
            self.type_command(&text);
        }
        if restart {
            self.ledger.watch.know("AT+CIRESET", Action::Restart);
            self.type_command("AT+CIRESET");
            self.dte.then(DteStep::Pause(2 * SEC));
        }
        self.leave_command_state();
    }

    pub(super) fn leave_command_state(&mut self) {
        self.ledger.watch.know("AT+ENTM", Action::EnterMode);
        self.type_command("AT+ENTM");
        self.dte.then(DteStep::Pause(100 * MS));
    }

    pub(super) fn type_command(&mut self, text: &str) {
        self.type_line(text);
        self.dte.then(DteStep::Await(b"\r\n", 3 * SEC));
        self.dte.then(DteStep::Pause(150 * MS));
    }

    pub(super) fn type_line(&mut self, text: &str) {
        // A read of few bytes would part CR from LF by more than a line does.
        let ends: &[&str] = if self.scenario.host.read_max < 512 {
            &["\r", "\n"]
        } else {
            &["\r", "\n", "\r\n", "\n\r"]
        };
        let end = self.dte.rng.pick(ends);
        self.dte
            .then(DteStep::Write(format!("{text}{end}").into_bytes()));
    }
}

fn rest_is_long(steps: &VecDeque<DteStep>) -> bool {
    matches!(steps.front(), Some(DteStep::Write(bytes)) if bytes.len() > 64)
}
