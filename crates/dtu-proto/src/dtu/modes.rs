//! Lends the modes what they need, and does what they and other parts ask for.

use bytes::Bytes;

use super::Dtu;
use crate::act::{Act, PacketReply, Progress};
use crate::at::{self, ConnectionCode, SlowCommand, SlowResult, connection_text};
use crate::config::WorkingMode;
use crate::cx::Cx;
use crate::event::{LinkId, Origin, SocketId};
use crate::line::prompt::Prompt;
use crate::line::{Line, Source};
use crate::mode::Modes;
use crate::mode::at::AtConnection;
use crate::net::Link;

impl Dtu {
    /// The line and the modes, and what they are lent.
    pub(super) fn parts(&mut self) -> (&mut Line, &mut Modes, Cx<'_>) {
        let cx = Cx {
            now: self.now,
            config: &self.config,
            options: &self.options,
            outputs: &mut self.outputs,
            acts: &mut self.acts,
            rng: &mut self.rng,
            attached: self.cellular.is_attached(),
            last_from_dte: self.line.last_from_dte(),
            is_ending: self.ending.is_some(),
        };
        (&mut self.line, &mut self.modes, cx)
    }

    /// The modes work, and what they ask for is done.
    pub(super) fn with_modes<R>(&mut self, run: impl FnOnce(&mut Modes, &mut Cx<'_>) -> R) -> R {
        let pending = self.acts.len();
        let (_, modes, mut cx) = self.parts();
        let result = run(modes, &mut cx);
        if self.acts.len() > pending {
            self.carry_out_acts(pending);
        }
        result
    }

    pub(super) fn with_link<R>(
        &mut self,
        link: LinkId,
        run: impl FnOnce(&mut Link, &mut Cx<'_>) -> R,
    ) -> R {
        self.with_modes(|modes, cx| modes.transparent.links.with(link, |link| run(link, cx)))
    }

    fn with_at_connection(&mut self, run: impl FnOnce(&mut AtConnection, &mut Cx<'_>)) {
        self.with_modes(|modes, cx| run(modes.at.make(cx.options), cx));
    }

    /// Does what parts asked for. To be called whenever one has returned; so many acts were pending before it ran.
    pub(super) fn carry_out_acts(&mut self, pending: usize) {
        // What is asked for while an act is carried out comes before the acts behind it. Usually there are none, and each
        // frame comes by here.
        if pending > 0 {
            self.acts.rotate_left(pending);
        }
        while self.acts.len() > pending
            && let Some(act) = self.acts.pop_front()
        {
            self.carry_out_act(act);
        }
    }

    fn carry_out_act(&mut self, act: Act) {
        match act {
            Act::Print { socket, data } => self.print(data, Source::Socket(socket)),
            Act::FromLink { link, data } => self.link_data(link, data),
            Act::Received => {
                self.last_received = self.now;
                self.led_driver.data(self.now);
            }
            Act::Passes => self.led_driver.data(self.now),
            Act::LinkUp => self.recovery.link_up(),
            Act::Untaken { bytes } => {
                let counters = self.line.counters_mut();
                counters.dropped_frames += 1;
                counters.dropped_bytes += bytes as u64;
            }
            Act::GoOn(mode) => self.with_modes(|modes, cx| modes.go_on(mode, cx)),
            Act::PacketReply(told) => self.print_packet_reply(&told),
            Act::Connection(progress) => self.connection_went_on(progress),
            Act::Message(body) => self.send_message(body),
        }
    }

    fn link_data(&mut self, link: LinkId, data: Bytes) {
        // mutant: network-gate
        if !(self.config.network_at && self.inline_command(Origin::Link(link), &data)) {
            self.print(data, Source::Socket(SocketId::Link(link)));
        }
    }

    /// Tells the DTE, who need not read.
    fn print_packet_reply(&mut self, told: &PacketReply) {
        let text = match told {
            PacketReply::Reply { delivered: true } => Bytes::from_static(b"\r\nSEND OK\r\n"),
            PacketReply::Reply { delivered: false } => Bytes::from_static(b"\r\nSEND FAIL\r\n"),
            PacketReply::Error(text) => Bytes::from(at::error_reply(text, &self.config)),
            PacketReply::Nothing => return self.line.reply_dropped(),
        };
        self.say(text);
    }

    fn connection_went_on(&mut self, progress: Progress) {
        match progress {
            Progress::Opened => self.print_connection_code(ConnectionCode::ConnectOk),
            Progress::NotOpened => self.print_connection_code(ConnectionCode::ConnectFail),
            Progress::Ended => self.print_connection_code(ConnectionCode::Closed),
            Progress::Sent(sent) => {
                if self.waits_for(|waits| matches!(waits, SlowCommand::Send(_))) {
                    self.answer_waiting(SlowResult::Sent(sent));
                }
            }
            Progress::Closed => {
                if self.waits_for(|waits| matches!(waits, SlowCommand::Close)) {
                    self.answer_waiting(SlowResult::Closed);
                }
            }
        }
    }

    fn waits_for(&self, what: impl Fn(&SlowCommand) -> bool) -> bool {
        self.session.awaited().is_some_and(what)
    }

    /// A result code that comes by itself: in its place among the bytes of the connection.
    fn print_connection_code(&mut self, code: ConnectionCode) {
        let text = connection_text(code, &self.config);
        if !text.is_empty() {
            self.print(text.into(), Source::Device);
        }
        // Told at once, though a prompt of `CISEND` is open (decisions 16.11): its frame is swallowed, SEND FAIL.
        if self.line.prompt().is_some_and(Prompt::is_for_connection) {
            self.print_held();
        }
    }

    /// `CIOPEN`, behind its reply.
    pub(super) fn open_at_connection(&mut self) {
        self.with_at_connection(AtConnection::open);
    }

    /// `CISEND`: the DTE has typed its frame.
    pub(super) fn send_at_connection(&mut self, frame: Bytes) {
        self.with_at_connection(|connection, cx| connection.send(frame, cx));
    }

    /// The socket does not take that frame.
    pub(super) fn send_is_late(&mut self) {
        self.with_at_connection(AtConnection::send_is_late);
    }

    /// `CICLOSE`
    pub(super) fn close_at_connection(&mut self) {
        self.with_at_connection(AtConnection::close);
    }

    /// The host does not say that the connection is closed.
    pub(super) fn close_is_late(&mut self) {
        self.connection_went_on(Progress::Closed);
    }

    /// Whether the AT mode runs.
    pub(super) fn is_at_mode(&self) -> bool {
        self.modes.runs(WorkingMode::AtCommand)
    }
}
