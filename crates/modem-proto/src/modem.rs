//! The dialogue: the contract's methods, and the one place that routes between its parts.

mod dispatch;
mod request;

use alloc::collections::VecDeque;

use dtu_proto::radio::{ModemInput, ModemOutput};
use dtu_proto::time::{Duration, Instant};

use crate::action::Action;
use crate::call::Calls;
use crate::command::Command;
use crate::cx::Cx;
use crate::data::{DataAccess, DataContext};
use crate::event::{Counters, Deadline, Event, Input, Output, Timer};
use crate::exchange::Request;
use crate::limitation::Limitation;
use crate::line::Piece;
use crate::mailbox::Mailbox;
use crate::network::{Network, is_registration_urc};
use crate::response::{Outcome, Response};
use crate::settings::Settings;
use crate::sim::{SimCard, is_messages_ready};
use crate::startup::Startup;
use crate::submit::Outbox;

/// We as the host of one modem. See the [crate's page](crate) for the contract.
#[derive(Debug)]
pub struct Modem {
    cx: Cx,
    outputs: VecDeque<Output>,
    startup: Startup,
    sim: SimCard,
    network: Network,
    data: DataContext,
    mailbox: Mailbox,
    outbox: Outbox,
    calls: Calls,
}

impl Modem {
    /// A dialogue that waits for its device. Nothing is reported before the modem is known.
    #[must_use]
    pub fn new(settings: Settings, now: Instant) -> Self {
        let sim = SimCard::new(settings.pin_history);
        Self {
            cx: Cx::new(settings, now),
            outputs: VecDeque::new(),
            startup: Startup::new(),
            sim,
            network: Network::default(),
            data: DataContext::default(),
            mailbox: Mailbox::default(),
            outbox: Outbox::default(),
            calls: Calls::default(),
        }
    }

    /// Something happened. Due deadlines fire first.
    pub fn handle_input(&mut self, input: Input<'_>, now: Instant) {
        self.handle_timeout(now);
        self.cx.now = now;
        match input {
            Input::Opened => self.startup.on_opened(&mut self.cx),
            Input::Gone => self.startup.on_gone(&mut self.cx),
            Input::Bytes(bytes) => bytes.iter().for_each(|byte| self.on_byte(*byte)),
            Input::Order(order) => self.handle_order(order),
            Input::PinNotSaved => self.on_pin_not_saved(),
        }
        self.carry_out();
        self.pump();
    }

    /// The deadline of [`Self::poll_timeout`] is there. A spurious call does nothing.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.cx.now = now;
        // Each round ends at least one deadline; the bound is for what no round can end.
        for _ in 0..MAX_ROUNDS {
            if self.poll_timeout().is_none_or(|deadline| deadline.at > now) {
                return;
            }
            self.expire();
            self.pump();
        }
    }

    /// What is to be done next; to be drained to `None`.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When `handle_timeout` wants to be called; `None` = only while the device is not open.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Deadline> {
        let deadline = |at: Option<Instant>, timer| at.map(|at| Deadline { at, timer });
        let cx = &self.cx;
        let probe = cx.quiet_until.or_else(|| self.startup.next_probe(cx));
        let deadlines = [
            deadline(cx.exchange.deadline(), Timer::Answer),
            deadline(probe, Timer::Quiet),
            deadline(cx.queue.next_due(), Timer::Poll),
            deadline(self.outbox.deadline(), Timer::Submit),
            deadline(self.calls.deadline(), Timer::Call),
        ];
        deadlines
            .into_iter()
            .flatten()
            .min_by_key(|deadline| deadline.at)
    }

    /// What was dropped or went wrong so far.
    #[must_use]
    pub fn counters(&self) -> Counters {
        Counters {
            overlong_lines: self.cx.exchange.overlong_lines(),
            ..self.cx.counters
        }
    }

    /// What the modem cannot, as far as it was found out since its start.
    pub fn limitations(&self) -> impl Iterator<Item = Limitation> + '_ {
        self.cx.limitations.iter()
    }

    fn expire(&mut self) {
        if let Some((request, response)) = self.cx.exchange.expire(self.cx.now) {
            self.command_timeout(request, &response);
        }
        self.startup.end_quiet(&mut self.cx);
        while let Some(command) = self.cx.queue.pop_due(self.cx.now) {
            if matches!(command, Command::ListCalls) {
                self.cx.queue.push_urgent(command)
            } else {
                self.cx.queue.push(command)
            }
        }
        self.outbox.handle_timeout(&mut self.cx);
        self.calls.handle_timeout(&mut self.cx);
        self.carry_out();
    }

    fn on_byte(&mut self, byte: u8) {
        if self.startup.is_closed() {
            return;
        }
        match self.cx.exchange.push(byte) {
            None => {}
            Some(Piece::Prompt) => {
                self.cx.log(Event::Received(">".into()));
                if let Some(body) = self.cx.exchange.take_body(self.cx.now) {
                    self.cx.write(body);
                }
            }
            Some(Piece::Line(line)) => self.on_line(&line),
        }
        self.carry_out();
    }

    fn on_line(&mut self, line: &str) {
        let masked = self.cx.mask(line);
        self.cx.log(Event::Received(masked));
        self.startup.extend_quiet(&mut self.cx);
        let exchange = &mut self.cx.exchange;
        if exchange.is_echo(line) || exchange.take_pdu_header(line) {
            return;
        }
        if let Some(pdu) = exchange.match_pdu(line) {
            return self.mailbox.on_pdu(&mut self.cx, &pdu);
        }
        if let Some((request, response)) = exchange.complete(line) {
            return self.on_response(request, &response);
        }
        if is_registration_urc(line) || !exchange.take_info_line(line) {
            self.on_urc(line);
        } else if line.starts_with("+CMGS:") {
            // The network has it; only the result code is missing.
            exchange.hurry(self.cx.now + AFTER_REFERENCE);
        }
    }

    /// A line that answers nothing.
    fn on_urc(&mut self, line: &str) {
        let cx = &mut self.cx;
        let is_known = self.startup.on_urc(cx, line)
            || self.network.on_urc(cx, line)
            || self.on_sim_urc(line)
            || self.data.on_urc(&mut self.cx, line)
            || self.mailbox.on_urc(&mut self.cx, line)
            || self.calls.on_urc(&mut self.cx, line);
        if !is_known {
            self.cx.counters.unknown_lines += 1;
        }
    }

    fn on_sim_urc(&mut self, line: &str) -> bool {
        if is_messages_ready(line) {
            self.outbox.on_messages_ready(&mut self.cx);
            if self.cx.present {
                self.network.query_card(&mut self.cx);
            }
        }
        let is_ready = self.startup.is_ready();
        self.sim.on_urc(&mut self.cx, is_ready, line)
    }

    fn on_response(&mut self, request: Request, response: &Response) {
        if self.startup.on_echo(&mut self.cx, request.command) {
            return;
        }
        if response.is_ok() && response.lines.is_empty() && has_text(request.command) {
            // That was the end of something older: from here on every answer would be taken for another one's.
            let response = Response {
                outcome: Outcome::TimedOut,
                ..response.clone()
            };
            return self.command_timeout(request, &response);
        }
        self.dispatch(&request, response);
    }

    /// No answer in time: whatever comes now may belong to it, so the modem is asked `AT` until it answers, and then
    /// left alone for a moment.
    fn command_timeout(&mut self, request: Request, response: &Response) {
        self.dispatch(&request, response);
        // What it leads to comes first: it may have ended the phase.
        self.carry_out();
        if !matches!(request.command, Command::Probe(_) | Command::Reset { .. }) {
            self.cx.counters.unanswered += 1;
            let had_body = request.body.is_some();
            self.startup.resynchronize(&mut self.cx, had_body);
        }
    }

    fn handle_order(&mut self, order: &ModemOutput) {
        let access = self.data_access();
        let cx = &mut self.cx;
        match order {
            ModemOutput::Reset => self.startup.reset(cx),
            ModemOutput::UseApn(apn) => self.data.use_apn(cx, access, apn),
            ModemOutput::Submit { token, pdu } => self.outbox.submit(cx, *token, pdu),
            ModemOutput::Taken(id) => self.mailbox.on_taken(cx, *id),
            ModemOutput::Dial(number) => self.calls.dial(cx, *number),
            ModemOutput::Answer => self.calls.answer(cx),
            ModemOutput::HangUp => self.calls.hang_up(cx),
        }
    }

    fn on_pin_not_saved(&mut self) {
        if self.cx.exchange.command() != Some(&Command::EnterPin) {
            return;
        }
        self.outputs
            .retain(|output| !matches!(output, Output::Write(_) | Output::Event(Event::Sent(_))));
        self.sim.on_pin_not_saved(&mut self.cx);
    }

    /// Sends what is next, if nothing is outstanding.
    fn pump(&mut self) {
        while self.cx.exchange.is_idle() && self.cx.quiet_until.is_none() {
            let Some(command) = self.startup.next_command(&mut self.cx) else {
                return;
            };
            if command == Command::SelectDialect {
                self.startup.on_identified(&mut self.cx);
            } else if command == Command::ReportPresent {
                self.report_present();
            } else {
                self.begin(command);
            }
            self.carry_out();
        }
    }

    fn begin(&mut self, command: Command) {
        let cx = &mut self.cx;
        let command = self.outbox.before_submit(cx, command);
        let command = self.mailbox.storages.before_access(cx, command);
        let Some(request) = self.request(command) else {
            return;
        };
        if command == Command::EnterPin {
            self.sim.on_pin_sent(&mut self.cx);
        } else if matches!(command, Command::Probe(_)) {
            self.startup.on_probe_sent(self.cx.now);
        }
        let text = self.cx.mask(&request.text);
        self.cx.log(Event::Sent(text));
        let bytes = self.cx.exchange.start(request, self.cx.now);
        self.cx.write(bytes);
    }

    /// Who it is goes to the device; what was reported before is void.
    fn report_present(&mut self) {
        let access = self.data_access();
        let cx = &mut self.cx;
        self.startup.on_present();
        cx.present = true;
        let identity = cx.identity.clone();
        cx.emit(ModemInput::Present(identity));
        cx.emit(ModemInput::Sim(self.sim.state()));
        self.network.on_present(cx);
        if cx.identity.abilities.calls {
            cx.queue.push(Command::ListCalls);
        }
        self.sim.schedule_query(cx);
        if self.sim.is_usable() {
            self.mailbox.on_present(cx);
            cx.queue.push(Command::QueryServiceCenter);
            cx.queue.push(Command::QueryOwnNumber);
            self.data.advance(cx, access);
        }
        self.calls.on_present(cx);
        if cx.limitations.iter().next().is_some() {
            cx.emit_limitations();
        }
    }

    fn data_access(&self) -> DataAccess {
        DataAccess {
            sim_usable: self.sim.is_usable(),
            registered: self.network.is_registered(),
        }
    }

    /// Does what parts asked for, in their order; what that leads to comes before the rest.
    fn carry_out(&mut self) {
        for action in self.cx.take_actions() {
            match action {
                Action::Output(output) => self.outputs.push_back(output),
                Action::Restarted => self.startup.on_restarted(&mut self.cx),
                Action::Reset => self.startup.reset(&mut self.cx),
                Action::Forget => self.forget_modem(),
                Action::Registered => {
                    let access = self.data_access();
                    self.data.advance(&mut self.cx, access);
                }
                Action::Unregistered => self.data.on_lost(&mut self.cx),
            }
            self.carry_out();
        }
    }

    /// Everything that hangs on the modem ends, the report of the modem last.
    fn forget_modem(&mut self) {
        self.outbox.forget(&mut self.cx);
        self.calls.on_modem_lost(&mut self.cx);
        self.mailbox.forget();
        self.network.forget();
        self.data.forget();
        self.sim.forget();
        if core::mem::take(&mut self.cx.present) {
            self.cx.emit(ModemInput::Gone);
        }
    }
}

/// Questions that no modem answers with a bare `OK`.
const fn has_text(command: Command) -> bool {
    matches!(
        command,
        Command::QueryRadio
            | Command::QuerySim
            | Command::QueryRegistration(_)
            | Command::QuerySignal
            | Command::QueryClock
            | Command::QueryStorages
    )
}

/// Rounds of one `handle_timeout`.
const MAX_ROUNDS: usize = 1000;
/// Between the network's reference and the result code.
const AFTER_REFERENCE: Duration = Duration::from_secs(5);
