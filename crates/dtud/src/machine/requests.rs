//! What the web console asks of the machine: answered in one turn.

use dtu_console::device::{Order, Sets};
use dtu_proto::event::{Input, LinkId, SerialInput, SocketId, SocketInput};
use dtu_proto::status::LinkState;
use dtu_proto::time::Instant;
use dtu_proto::to_store_text;
use dtu_setup::Sentence;
use dtu_setup::say::Spoken as _;
use tracing::info;

use super::sources::Source;
use super::{Machine, SERIAL_READ};
use crate::console::{self, Injected, What, words};
use crate::modem::Act;
use crate::words::Count;

impl Machine {
    /// Answers what somebody asks; says whether somebody did.
    pub(super) fn answer_console(&mut self, now: Instant) -> bool {
        let Some(question) = self.console.as_ref().and_then(|c| c.next_question()) else {
            return false;
        };
        self.sources.mark(Source::Asker);
        // Who asked may have gone.
        match question {
            What::Status(answer) => {
                let trials = self.console.as_ref().map(|console| console.trials());
                let radio = self.dtu.status(now).radio;
                let told = console::status::of(&self.report(now), &radio, trials);
                let _ = answer.try_send(told);
            }
            What::Sets(answer) => {
                let sets = Sets {
                    running: to_store_text(self.dtu.config()),
                    stored: to_store_text(self.dtu.stored_config()),
                    applied: to_store_text(&self.dtu.fallback_config()),
                };
                let _ = answer.try_send(sets);
            }
            What::Messages(answer) => {
                let _ = answer.try_send(self.modem.messages());
            }
            What::Order(order, answer) => {
                let _ = answer.try_send(self.obey(order, now));
            }
            What::Line(line) => {
                if let Some(console) = &mut self.console {
                    console.queue(line, now);
                }
                self.run_at_lines(now);
            }
        }
        true
    }

    fn obey(&mut self, order: Order, now: Instant) -> Result<(), Sentence> {
        match order {
            Order::FromDte(bytes) => self.inject_line(&bytes, now),
            Order::FromPeer(link, bytes) => self.inject_link(link, &bytes, now),
            Order::Message(from, text) => self.act(&Act::Message { from, text }, now),
            Order::Call(from) => self.act(&Act::Call { from }, now),
            Order::HangUp => self.act(&Act::HangUp, now),
        }
    }

    fn act(&mut self, act: &Act, now: Instant) -> Result<(), Sentence> {
        self.sources.mark(Source::Modem);
        self.modem.act(act, now).map_err(|why| why.spoken())
    }

    /// As one read of the line.
    fn inject_line(&mut self, bytes: &[u8], now: Instant) -> Result<(), Sentence> {
        fits(bytes)?;
        // The device counts on no read while it says so.
        if !self.dtu.wants_serial() {
            return Err(words::line_not_read());
        }
        let count = Count(bytes.len() as u64, "byte");
        info!("console: {count} put in as if the DTE had sent them");
        self.mark(Injected::Dte(bytes), now);
        self.feed(Input::Serial(SerialInput::Data(bytes)), now);
        Ok(())
    }

    /// As one read of the link's connection, or one datagram.
    fn inject_link(&mut self, number: u8, bytes: &[u8], now: Instant) -> Result<(), Sentence> {
        fits(bytes)?;
        let link = LinkId::from_number(number).ok_or_else(|| words::no_link(number))?;
        let socket = SocketId::Link(link);
        if self.dtu.status(now).links[link.index()].state != LinkState::Connected {
            return Err(words::no_connection(number));
        }
        if !self.dtu.wants_socket(socket) {
            return Err(words::link_not_read(number));
        }
        let count = Count(bytes.len() as u64, "byte");
        info!("console: {count} put in as if the peer of link {number} had sent them");
        self.mark(Injected::Peer(link), now);
        self.feed(Input::Socket(socket, SocketInput::Data(bytes)), now);
        Ok(())
    }

    fn mark(&mut self, what: Injected<'_>, now: Instant) {
        if let Some(console) = &mut self.console {
            console.injects(what, &self.dtu, now);
        }
    }
}

fn fits(bytes: &[u8]) -> Result<(), Sentence> {
    if bytes.is_empty() || bytes.len() > SERIAL_READ {
        return Err(words::not_at_once(SERIAL_READ, bytes.len()));
    }
    Ok(())
}
