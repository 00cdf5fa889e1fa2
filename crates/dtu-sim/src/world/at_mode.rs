//! The AT mode (2): the equipment opens a connection, sends and closes by command. What is printed is judged by what the
//! connection really did.

use std::collections::BTreeMap;

use dtu_proto::config::Protocol;
use dtu_proto::event::{CloseReason, Connect, Origin, SocketId};

use super::socket::State;
use super::{Rule, World};
use crate::downlink::ConnectionCode;
use crate::model::{FRAME_MAX, Phase};
use crate::packet::Destination;
use crate::{MS, SEC};

#[derive(Debug, Default)]
pub(super) struct DialogueLedger {
    /// `AT+CIOPEN` was typed, and nothing has come of it yet.
    ordered: Option<Destination>,
    /// `AT+CICLOSE` was typed.
    closing: bool,
    /// The last `AT+CISEND`: so many bytes, or (0) a frame.
    asked: Option<usize>,
    /// A text was typed, and its result is not printed yet; what of it the socket must get.
    typed: bool,
    due: Option<Vec<u8>>,
    taken: bool,
    /// Words that must be printed.
    owed: BTreeMap<ConnectionCode, u32>,
    pub(super) texts: u64,
}

impl DialogueLedger {
    fn owe(&mut self, code: ConnectionCode) {
        *self.owed.entry(code).or_default() += 1;
    }

    fn pay(&mut self, code: ConnectionCode) -> Result<(), String> {
        let owed = self.owed.entry(code).or_default();
        *owed = owed
            .checked_sub(1)
            .ok_or_else(|| format!("{code:?} is printed, and is not so"))?;
        Ok(())
    }

    pub(super) fn settled(&self) -> Result<(), String> {
        let unpaid: Vec<_> = self.owed.iter().filter(|(_, count)| **count > 0).collect();
        if !unpaid.is_empty() || self.due.is_some() {
            return Err(format!(
                "never printed: {unpaid:?}, never sent: {:?}",
                self.due
            ));
        }
        Ok(())
    }

    /// The device starts over, or the mode ends.
    pub(super) fn forget(&mut self) {
        *self = Self {
            texts: self.texts,
            ..Self::default()
        };
    }
}

impl World {
    fn at_state(&self) -> State {
        self.sockets[SocketId::AtMode.index()].state
    }

    /// The connection has ended, and the equipment must hear of it.
    pub(super) fn at_has_ended(&self) -> bool {
        self.ledger
            .at
            .owed
            .get(&ConnectionCode::Closed)
            .is_some_and(|owed| *owed > 0)
    }

    /// A command line of this mode.
    pub(super) fn at_line(&mut self, line: &[u8]) {
        let text = String::from_utf8_lossy(line);
        if let Some(values) = text.strip_prefix("AT+CIOPEN=") {
            // One that is being closed makes room.
            let free = matches!(self.at_state(), State::Idle | State::Closing)
                && self.ledger.at.ordered.is_none();
            let named = self
                .scenario
                .modes
                .destinations
                .iter()
                .find(|to| open_values(to) == values);
            if let Some(to) = named.filter(|_| free) {
                self.ledger.at.ordered = Some(to.clone());
            }
        }
        if let Some(count) = text.strip_prefix("AT+CISEND") {
            self.ledger.at.asked = Some(count.trim_start_matches('=').parse().unwrap_or(0));
        }
        self.ledger.at.closing = text == "AT+CICLOSE";
        if self.ledger.at.closing {
            self.ledger.at.ordered = None;
        }
    }

    pub(super) fn at_may_connect(&mut self, connect: &Connect) -> Result<(), String> {
        let Some(to) = self.ledger.at.ordered.take() else {
            return Err("a connection that nobody has ordered".to_owned());
        };
        let protocol = if to.tcp { Protocol::Tcp } else { Protocol::Udp };
        let should = (protocol, to.address.text(), to.port, 0, false);
        let is = (
            connect.protocol,
            connect.address.clone(),
            connect.port,
            connect.local_port,
            connect.tls,
        );
        if is == should {
            Ok(())
        } else {
            Err(format!("connects to {is:?}, ordered is {should:?}"))
        }
    }

    pub(super) fn at_connected(&mut self) {
        self.ledger.at.owe(ConnectionCode::ConnectOk);
        self.peer_will_speak(SocketId::AtMode);
    }

    pub(super) fn at_closed(&mut self, reason: CloseReason) {
        let was_up = self.at_state() == State::Up;
        self.ledger.at.due = None;
        if reason != CloseReason::Local {
            self.ledger.at.owe(if was_up {
                ConnectionCode::Closed
            } else {
                ConnectionCode::ConnectFail
            });
        }
    }

    /// The prompt is printed: what comes now is a text.
    pub(super) fn at_asks(&mut self) {
        let Some(wanted) = self.ledger.at.asked else {
            return self.break_rule(Rule::Dialogue, "a prompt that nobody asked for");
        };
        self.ledger.line.prompt_opens(wanted);
    }

    /// The text is whole.
    pub(super) fn at_text(&mut self, text: &[u8]) {
        self.note("text", None, 0, text);
        let counted = self.ledger.at.asked.take().is_some_and(|wanted| wanted > 0);
        let due = match text {
            _ if counted => Some(text),
            [0x1B] => None,
            _ => Some(text),
        };
        let due = due.filter(|data| data.len() <= FRAME_MAX && self.at_state() == State::Up);
        self.ledger.at.typed = true;
        self.ledger.at.taken = false;
        self.ledger.at.due = due.map(<[u8]>::to_vec);
    }

    pub(super) fn at_send(&mut self, bytes: &[u8]) -> Result<(), String> {
        match self.ledger.at.due.take() {
            Some(due) if due == bytes => Ok(()),
            due => Err(format!(
                "{} bytes are sent, due is {:?}",
                bytes.len(),
                due.map(|due| due.len())
            )),
        }
    }

    pub(super) fn at_sent(&mut self) {
        self.ledger.at.taken = true;
        self.ledger.at.texts += 1;
        self.ledger.at.owe(ConnectionCode::SendOk);
    }

    /// The peer answers now and then.
    pub(super) fn at_receives(&mut self, bytes: &[u8]) {
        if self.sockets[SocketId::AtMode.index()].rng.chance(40) {
            self.peer_says(SocketId::AtMode, bytes.len());
        }
    }

    /// A word about the connection is printed.
    pub(super) fn at_code_printed(&mut self, code: ConnectionCode) {
        let prompted = matches!(self.ledger.line.phase, Phase::Text { .. });
        let judged = match code {
            _ if prompted && code != ConnectionCode::Closed => {
                Err(format!("{code:?} is printed while a prompt waits"))
            }
            ConnectionCode::ConnectOk => self.ledger.at.pay(code),
            ConnectionCode::ConnectFail if self.ledger.at.ordered.take().is_some() => Ok(()),
            ConnectionCode::ConnectFail => self.ledger.at.pay(code),
            ConnectionCode::Closed if self.ledger.downlink.waits(SocketId::AtMode) => {
                Err("CLOSED in front of bytes of the peer".to_owned())
            }
            ConnectionCode::Closed => self.ledger.at.pay(code),
            ConnectionCode::SendOk if self.ledger.at.typed => {
                self.ledger.at.pay(code).and_then(|()| self.at_result())
            }
            ConnectionCode::SendFail if self.ledger.at.typed && !self.ledger.at.taken => {
                self.at_result()
            }
            // It waited for the end of the command state, which was that of the serial command mode.
            ConnectionCode::SendOk | ConnectionCode::SendFail => {
                self.ledger.command.code_printed(code)
            }
            ConnectionCode::CloseOk if self.ledger.at.closing && self.at_state() == State::Idle => {
                self.at_result()
            }
            ConnectionCode::CloseOk => Err("CLOSE OK, and nothing is closed".to_owned()),
        };
        self.hold(Rule::Dialogue, judged);
    }

    fn at_result(&mut self) -> Result<(), String> {
        (self.ledger.at.typed, self.ledger.at.due) = (false, None);
        self.ledger.at.closing = false;
        self.ledger.pay(Origin::Serial)
    }

    /// What the equipment does next.
    pub(super) fn at_act(&mut self) {
        let pause = self.scenario.dte.pause;
        let roll = self.dte.rng.range(0, 99);
        let open = self.at_state() == State::Up;
        match roll {
            0..=9 => self.at_command(),
            10..=17 => self.at_close(),
            18..=19 => self.at_open(),
            _ if open => self.at_sends(),
            _ => self.at_open(),
        }
        let wait = self.dte.rng.wait(pause);
        self.dte.pause(wait);
    }

    fn at_command(&mut self) {
        let expected = self.ledger.watch.expected.clone();
        let drawn = crate::commands::draw(&mut self.dte.rng, &expected, true);
        let (text, action) = self.keep_password(drawn);
        self.ledger.watch.know(&text, action);
        self.type_command(&text);
    }

    fn at_open(&mut self) {
        let place = self.dte.rng.size(0, 2);
        let values = open_values(&self.scenario.modes.destinations[place]);
        self.type_command(&format!("AT+CIOPEN={values}"));
        self.dte.await_text(b"CONNECT ", 45 * SEC);
    }

    fn at_close(&mut self) {
        self.type_command("AT+CICLOSE");
    }

    /// A text at a prompt: in one write, ended by silence, or of a length, or given up.
    fn at_sends(&mut self) {
        let most = self.scenario.dte.write_max.clamp(10, 1000);
        let length = self.dte.rng.size(1, most);
        let mut text = self.dte.data(length);
        let silence = self.quiet_gap();
        let counted = self.dte.rng.chance(40);
        let line = if counted {
            format!("AT+CISEND={length}")
        } else {
            "AT+CISEND".to_owned()
        };
        if !counted {
            match self.dte.rng.range(0, 9) {
                0 => text = vec![0x1B],
                1 | 2 => text.push(0x1A),
                3 => text.extend(vec![b'l'; 1100]),
                _ => {}
            }
        }
        self.type_line(&line);
        self.dte.await_text(b"\r\n> ", 3 * SEC);
        self.dte.write(text);
        if !counted {
            self.dte.pause(silence);
        }
        self.dte.await_text(b"\r\n", 70 * SEC);
        self.dte.pause(100 * MS);
    }
}

/// The values of `AT+CIOPEN`.
fn open_values(to: &Destination) -> String {
    let protocol = if to.tcp { "TCP" } else { "UDP" };
    format!("{protocol},{},{}", to.address.text(), to.port)
}
