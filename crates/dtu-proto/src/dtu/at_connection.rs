//! The connection of the AT mode (2): `CIOPEN`, `CISEND`, `CICLOSE` (manual 2.8.6.34 to .36, decisions 12).

use bytes::Bytes;

use super::Dtu;
use crate::at::{ConnectionCode, SlowCommand, SlowResult, connection_text};
use crate::config::WorkingMode;
use crate::event::{CloseReason, Event, LinkDownReason, Payload, SocketId, SocketInput};
use crate::line::port::Source;
use crate::line::prompt::Prompt;
use crate::net::connection::{Down, News};
use crate::time::{Duration, Instant};

/// The host gives an attempt up after 30 s; the device waits a little longer for its word.
const PATIENCE: Duration = Duration::from_secs(40);

impl Dtu {
    /// Whether the AT mode runs.
    pub(super) fn is_at_mode(&self) -> bool {
        self.mode_started && self.mode == WorkingMode::AtCommand
    }

    /// `CIOPEN`, behind its reply; or the connection before it is closed by now.
    pub(super) fn open_at_connection(&mut self) {
        let Some(connect) = self.at_connection.take_order() else {
            return;
        };
        if self.attached.is_some() {
            self.at_connection
                .connection
                .connect(connect, self.now + PATIENCE, &mut self.outputs);
            return;
        }
        let reason = LinkDownReason::Network(CloseReason::Unreachable);
        self.at_connection.not_made(reason);
        self.event(Event::Disconnected {
            socket: SocketId::AtMode,
            reason,
            was_up: false,
        });
        self.tell_connection(ConnectionCode::ConnectFail);
    }

    /// `CISEND`: the DTE has typed its frame.
    pub(super) fn send_at_connection(&mut self, frame: Bytes) {
        self.at_connection.begin_send(frame.len());
        if self.at_connection.connection.is_free() {
            self.led_driver.data(self.now);
            let payload = Payload {
                prefix: Bytes::new(),
                body: frame,
            };
            // mutant: send-ok
            self.at_connection
                .connection
                .send(payload, &mut self.outputs);
        } else {
            self.send_ended(false);
        }
    }

    fn send_ended(&mut self, sent: bool) {
        self.at_connection.end_send(sent);
        if self.waits_for(|waits| matches!(waits, SlowCommand::Send(_))) {
            self.answer_waiting(SlowResult::Sent(sent));
        }
    }

    /// The socket takes nothing: what it has of the frame nobody knows, so the stream is spoilt.
    pub(super) fn send_is_late(&mut self) {
        let reason = LinkDownReason::Network(CloseReason::TimedOut);
        self.at_connection
            .connection
            .close(reason, self.now, &mut self.outputs);
        self.send_ended(false);
    }

    /// `CICLOSE`
    pub(super) fn close_at_connection(&mut self) {
        self.at_connection
            .connection
            .close(LinkDownReason::Ordered, self.now, &mut self.outputs);
        if !self.at_connection.connection.is_closing() {
            self.close_ended();
        }
    }

    pub(super) fn close_ended(&mut self) {
        if self.waits_for(|waits| matches!(waits, SlowCommand::Close)) {
            self.answer_waiting(SlowResult::Closed);
        }
    }

    fn waits_for(&self, what: impl Fn(&SlowCommand) -> bool) -> bool {
        self.session.awaited().is_some_and(what)
    }

    /// News of `SocketId::AtMode`.
    pub(super) fn at_connection_news(&mut self, input: SocketInput<'_>) {
        let news = self
            .at_connection
            .connection
            .handle(input, &mut self.outputs);
        self.take_connection_news(news);
    }

    fn take_connection_news(&mut self, news: News<'_>) {
        match news {
            News::Up => {
                self.at_connection.counters.opened += 1;
                self.tell_connection(ConnectionCode::ConnectOk);
            }
            // A datagram without a byte is nothing to print, and would take room in what is held.
            News::Data([]) | News::Nothing | News::Acked | News::Moved => {}
            News::Data(data) => self.received_on_connection(data),
            News::Sent => self.send_ended(true),
            News::Down(down) => self.connection_ended(&down),
        }
    }

    fn received_on_connection(&mut self, data: &[u8]) {
        self.last_received = self.now;
        self.led_driver.data(self.now);
        let counters = &mut self.at_connection.counters;
        counters.received_bytes += data.len() as u64;
        counters.received_reads += 1;
        self.print(
            Bytes::copy_from_slice(data),
            Source::Socket(SocketId::AtMode),
        );
    }

    fn connection_ended(&mut self, down: &Down) {
        self.outputs
            .push_back(self.at_connection.connection.event(down));
        self.at_connection.ended(down);
        self.send_ended(false);
        self.close_ended();
        // mutant: closed-told
        if down.reason != LinkDownReason::Ordered {
            let code = if down.was_up {
                ConnectionCode::Closed
            } else {
                ConnectionCode::ConnectFail
            };
            self.tell_connection(code);
            // Told at once, though a prompt of `CISEND` is open (decisions 16.11): its frame is swallowed, SEND FAIL.
            if self.line.prompt().is_some_and(Prompt::is_for_connection) {
                self.print_held();
            }
        }
        self.open_at_connection();
    }

    /// A result code that comes by itself: in its place among the bytes of the connection.
    fn tell_connection(&mut self, code: ConnectionCode) {
        let text = connection_text(code, &self.config);
        if !text.is_empty() {
            self.print(text.into(), Source::Device);
        }
    }

    /// Closes the connection without a word: the mode ends, the device restarts or stops.
    pub(super) fn stop_at_connection(&mut self) {
        self.at_connection.forget_order();
        self.at_connection
            .connection
            .close(LinkDownReason::Ordered, self.now, &mut self.outputs);
    }

    /// Whether the host has still to say that it is closed.
    pub(super) const fn at_connection_is_closing(&self) -> bool {
        self.at_connection.connection.is_closing()
    }

    pub(super) const fn at_connection_deadline(&self) -> Option<Instant> {
        self.at_connection.connection.deadline()
    }

    pub(super) fn at_connection_due(&mut self) {
        let news = self
            .at_connection
            .connection
            .fire(self.now, &mut self.outputs);
        self.take_connection_news(news);
    }
}
