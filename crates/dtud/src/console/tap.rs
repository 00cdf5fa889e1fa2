//! What of the loop's inputs and outputs is recorded.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use dtu_console::recorder::{Dir, Frame, Place, Recorder, now_micros};
use dtu_proto::Dtu;
use dtu_proto::event::{
    Event, Input, LINKS, LinkId, Output, Payload, QueueId, SerialInput, SerialOutput, SocketId,
    SocketInput, SocketOutput,
};
use dtu_proto::seen::{Cut, Seen, Sent, ShownCommand, Written};
use dtu_proto::time::Instant;

use super::inbox::Purpose;
use super::marks::Marks;
use super::mask::{Printed, text_without_secrets};

/// What somebody puts in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Injected<'a> {
    /// The next read of the line, as if of the DTE.
    Dte(&'a [u8]),
    /// The next read of this link.
    Peer(LinkId),
}

/// What the last commands of a peer let its replies repeat.
#[derive(Clone, Copy, Debug, Default)]
struct Asked {
    secret: bool,
    answered: bool,
}

impl Asked {
    /// A reply may be that of the command before: a secret is hidden until one has gone.
    const fn command(&mut self, secret: bool) {
        self.secret = secret || (self.secret && !self.answered);
        self.answered = false;
    }
}

pub(super) struct Tap {
    recorder: Arc<Recorder>,
    printed: Printed,
    /// Of each link.
    asked: [Asked; LINKS],
    asked_here: Asked,
    marks: Marks,
    injected_peer: Option<LinkId>,
}

impl Tap {
    pub(super) fn new(recorder: Arc<Recorder>) -> Self {
        Self {
            recorder,
            printed: Printed::default(),
            asked: [Asked::default(); LINKS],
            asked_here: Asked::default(),
            marks: Marks::default(),
            injected_peer: None,
        }
    }

    pub(super) fn injects(&mut self, what: Injected<'_>, dtu: &Dtu, now: Instant) {
        match what {
            Injected::Dte(bytes) => {
                let silence = Duration::from_millis(dtu.config().packing_time.into());
                self.marks.put_in(bytes, silence + CUT_WITHIN, now);
            }
            Injected::Peer(link) => self.injected_peer = Some(link),
        }
    }

    /// `purpose`: of a line of the console.
    pub(super) fn input(&mut self, input: &Input<'_>, purpose: Purpose, dtu: &Dtu) {
        if let Input::Serial(SerialInput::Data(read)) = input {
            self.marks.read(read.len());
        }
        if let Input::Console(line) = input {
            let shown = shown_line(line);
            self.asked_here.command(shown.secret);
            match purpose {
                Purpose::Own => self.command(Place::Console, &shown, COMMAND, false),
                // Half a hundred commands would push out the traffic that somebody is looking for.
                Purpose::ReadsFirst => {
                    self.recorder
                        .event(now_micros(), Place::Console, ALL_ARE_READ)
                }
                Purpose::Reads => {}
            }
        }
        let Input::Socket(socket, SocketInput::Data(read)) = input else {
            return;
        };
        let injected = self.injected_peer.take().map(SocketId::Link) == Some(*socket);
        let note = if injected { INJECTED } else { "" };
        match dtu.shown_read(*socket, read) {
            None => self.came(place(*socket), read, note, injected),
            Some(shown) => {
                if let Some(link) = socket.link() {
                    self.asked[link.index()].command(shown.secret);
                }
                let note = if injected {
                    "command; injected"
                } else {
                    COMMAND
                };
                self.command(place(*socket), &shown, note, injected);
            }
        }
    }

    pub(super) fn seen(&mut self, dtu: &mut Dtu, now: Instant) {
        self.marks.had(now);
        while let Some(seen) = dtu.poll_seen() {
            match seen {
                Seen::Frame { bytes, cut } => {
                    let (note, injected) = self.with_mark(bytes.len(), cut.words(), false, now);
                    // In the set-up window a slip of the pen makes data of a command.
                    let slip = (cut == Cut::Window).then(|| dtu_proto::shown_text(&bytes));
                    if let Some(text) = slip.flatten() {
                        let shown = ShownCommand {
                            text,
                            len: bytes.len(),
                            secret: true,
                        };
                        self.command(Place::Line, &shown, &note, injected);
                        continue;
                    }
                    self.came(Place::Line, &bytes, &note, injected);
                }
                Seen::Command(shown) => {
                    self.printed.command(shown.secret);
                    let (note, injected) = self.with_mark(shown.len, COMMAND, true, now);
                    self.command(Place::Line, &shown, &note, injected);
                }
                Seen::Text(text) => {
                    let (note, injected) = self.with_mark(text.len(), AT_PROMPT, false, now);
                    self.came(Place::Line, &text, &note, injected);
                }
            }
        }
    }

    fn with_mark(
        &mut self,
        len: usize,
        note: &'static str,
        is_command: bool,
        now: Instant,
    ) -> (Cow<'static, str>, bool) {
        if self.marks.row(len, is_command, now) {
            (format!("{note}; {INJECTED}").into(), true)
        } else {
            (note.into(), false)
        }
    }

    pub(super) fn output(&mut self, output: &Output, purpose: Purpose, dtu: &Dtu) {
        match output {
            Output::Serial(SerialOutput::Write(bytes)) => match dtu.writing() {
                Some(Written::Text) => {
                    if let Some(shown) = self.printed.push(bytes) {
                        let masked = ShownCommand {
                            text: shown.text,
                            len: shown.len,
                            secret: false,
                        };
                        self.kept(Place::Line, Dir::Out, &masked, "", false);
                    }
                }
                Some(Written::Data) | None => self.went(Place::Line, b"", bytes, ""),
                Some(Written::Message) => self.went(Place::Line, b"", bytes, "short message"),
            },
            Output::Socket(socket, SocketOutput::Send(payload)) => {
                self.sent(*socket, payload, dtu.sending(*socket));
            }
            Output::Console(reply) => self.answered(reply.as_bytes(), purpose),
            Output::Event(event) => self.event(event, dtu),
            Output::Serial(SerialOutput::Configure(_) | SerialOutput::Discard)
            | Output::Socket(_, SocketOutput::Connect(_) | SocketOutput::Close)
            | Output::Modem(_)
            | Output::Store(_)
            | Output::Leds(_)
            | Output::Power(_) => {}
        }
    }

    fn sent(&mut self, socket: SocketId, payload: &Payload, what: Option<Sent>) {
        let Payload { prefix, body } = payload;
        let note = what_is_sent(what, !prefix.is_empty());
        let replies = socket.link().filter(|_| what == Some(Sent::Reply));
        let masked = replies.and_then(|link| {
            let asked = &mut self.asked[link.index()];
            asked.answered = true;
            text_without_secrets(body, asked.secret)
        });
        match masked {
            None => self.went(place(socket), prefix, body, note),
            Some(text) => {
                let shown = ShownCommand {
                    text: [prefix, &text[..]].concat(),
                    len: prefix.len() + body.len(),
                    secret: false,
                };
                self.kept(place(socket), Dir::Out, &shown, note, false);
            }
        }
    }

    /// To a line of the console.
    fn answered(&mut self, reply: &[u8], purpose: Purpose) {
        self.asked_here.answered = true;
        if purpose != Purpose::Own {
            return;
        }
        let text = text_without_secrets(reply, self.asked_here.secret);
        let shown = ShownCommand {
            text: text.unwrap_or_else(|| reply.to_vec()),
            len: reply.len(),
            secret: false,
        };
        self.kept(Place::Console, Dir::Out, &shown, "", false);
    }

    fn came(&self, of: Place, bytes: &[u8], note: &str, injected: bool) {
        let frame = Frame {
            of,
            dir: Dir::In,
            prefix: b"",
            bytes,
            note,
            injected,
        };
        self.recorder.frame(now_micros(), &frame);
    }

    fn went(&self, of: Place, prefix: &[u8], bytes: &[u8], note: &str) {
        let frame = Frame {
            of,
            dir: Dir::Out,
            prefix,
            bytes,
            note,
            injected: false,
        };
        self.recorder.frame(now_micros(), &frame);
    }

    fn command(&self, of: Place, shown: &ShownCommand, note: &str, injected: bool) {
        self.kept(of, Dir::In, shown, note, injected);
    }

    /// A row whose bytes are not those that passed.
    fn kept(&self, of: Place, dir: Dir, shown: &ShownCommand, note: &str, injected: bool) {
        let frame = Frame {
            of,
            dir,
            prefix: b"",
            bytes: &shown.text,
            note,
            injected,
        };
        self.recorder.masked(now_micros(), &frame, shown.len);
    }

    fn event(&self, event: &Event, dtu: &Dtu) {
        if let Event::FrameDropped { queue, .. } = event {
            self.recorder.count_drops(place_of(*queue), 1);
        }
        if let Event::LineDropped { .. } | Event::WindowFrameDropped { .. } = event {
            self.recorder.count_drops(Place::Line, 1);
        }
        if let Some((of, text)) = words(event, dtu) {
            self.recorder.event(now_micros(), of, &text);
        }
    }
}

fn place(socket: SocketId) -> Place {
    match socket {
        SocketId::Link(link) => Place::Link(link.number()),
        SocketId::AtMode => Place::At,
        SocketId::Httpd => Place::Httpd,
        SocketId::Destination(of) => Place::Destination(of.index() as u8 + 1),
    }
}

/// Mode 1 has one queue for all destinations, and the event does not tell whose frame it was.
const fn place_of(queue: QueueId) -> Place {
    match queue {
        QueueId::Link(link) => Place::Link(link.number()),
        QueueId::Httpd => Place::Httpd,
        QueueId::SerialCommand => Place::Device,
    }
}

fn shown_line(line: &str) -> ShownCommand {
    let text = dtu_proto::shown_command(line);
    ShownCommand {
        secret: text != line,
        text: text.into_bytes(),
        len: line.len(),
    }
}

pub(super) const fn what_is_sent(what: Option<Sent>, registers: bool) -> &'static str {
    match what {
        Some(Sent::Registration) => "registration packet",
        Some(Sent::Heartbeat) => "heartbeat",
        Some(Sent::Reply) => "reply to a command",
        Some(Sent::Frame { again: true }) if registers => {
            "registration packet in front; sent again"
        }
        Some(Sent::Frame { again: true }) => "sent again",
        Some(Sent::Frame { again: false }) if registers => "registration packet in front",
        Some(Sent::Frame { again: false }) | None => "",
    }
}

/// What happened, where it belongs among the traffic. The log has more, and says more.
pub(super) fn words(event: &Event, dtu: &Dtu) -> Option<(Place, String)> {
    Some(match event {
        Event::Connected(socket) => (place(*socket), "connected".to_owned()),
        Event::Disconnected {
            socket,
            reason,
            was_up,
        } => {
            let what = if *was_up {
                "disconnected"
            } else {
                "no connection"
            };
            (place(*socket), format!("{what}: {reason}"))
        }
        Event::FrameDropped { queue, bytes } => (
            place_of(*queue),
            format!("a frame of {bytes} bytes is dropped"),
        ),
        Event::LineDropped { bytes, .. } => (
            Place::Line,
            format!("{bytes} bytes for the DTE are dropped"),
        ),
        Event::WindowFrameDropped { bytes } => (
            Place::Line,
            format!("a frame of {bytes} bytes found no room in the set-up window"),
        ),
        Event::CommandState(begins) => {
            let what = if *begins { "begins" } else { "ends" };
            (Place::Line, format!("command state {what}"))
        }
        Event::SerialPresent(present) => {
            let what = if *present { "open" } else { "missing" };
            (Place::Line, what.to_owned())
        }
        Event::LineRefused(why) => (Place::Line, why.clone()),
        Event::PowerOn(reason) => (Place::Device, format!("power on: {reason}")),
        Event::ModeStarted => {
            let mode = dtu.config().mode;
            (Place::Device, format!("{mode} begins"))
        }
        Event::Trial(trial) => (Place::Device, trial.to_string()),
        Event::BackupActive {
            backup,
            primary,
            active,
        } => {
            let what = if *active {
                "serves for"
            } else {
                "hands back to"
            };
            (
                Place::Link(backup.number()),
                format!("{what} link {primary}"),
            )
        }
        Event::WrongPassword(origin) => (
            Place::Device,
            format!("{origin}: a command with a wrong password"),
        ),
        Event::OriginLocked(origin) => {
            (Place::Device, format!("{origin}: locked for five minutes"))
        }
        Event::Httpd(event) => (Place::Httpd, event.to_string()),
        Event::Command { .. }
        | Event::MessageLost(_)
        | Event::MessageToPort { .. }
        | Event::MessagesNotStored(_)
        | Event::Lost(_)
        | Event::Call(_) => return None,
    })
}

const COMMAND: &str = "command";
const INJECTED: &str = "injected";
const AT_PROMPT: &str = "text at a prompt";
pub(super) const ALL_ARE_READ: &str = "all settings are read";
/// Beyond the packing time.
const CUT_WITHIN: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use dtu_console::recorder::{Kind, Row};
    use dtu_proto::Identity;
    use dtu_proto::config::{Config, Options};

    use super::*;

    fn rows(put: impl FnOnce(&mut Tap, &Dtu)) -> Vec<Row> {
        let recorder = Arc::new(Recorder::default());
        let mut tap = Tap::new(Arc::clone(&recorder));
        let (config, options) = (Config::default(), Options::default());
        let dtu = Dtu::new(config, options, Identity::default(), 1, Instant::ZERO);
        put(&mut tap, &dtu);
        recorder.rows(0, 100).items
    }

    #[test]
    fn lines_of_the_console_are_recorded_without_their_secrets() {
        let rows = rows(|tap, dtu| {
            for (line, reply) in [
                ("AT+CIPR?", "\r\n+CIPR: 115200\r\n\r\nOK\r\n"),
                ("AT+CIPSW=s3cret", "\r\ns3cret\r\n\r\nOK\r\n"),
                ("AT", "\r\nOK\r\n"),
            ] {
                tap.input(&Input::Console(line), Purpose::Own, dtu);
                let reply = Output::Console(reply.to_owned());
                tap.output(&reply, Purpose::Own, dtu);
            }
        });
        let told = |row: &Row| {
            (
                row.of,
                row.dir,
                String::from_utf8(row.data.clone()).unwrap(),
            )
        };
        let told: Vec<_> = rows.iter().map(told).collect();
        let row = |dir, text: &str| (Place::Console, dir, text.to_owned());
        assert_eq!(told[0], row(Dir::In, "AT+CIPR?"));
        assert_eq!(told[1], row(Dir::Out, "\r\n+CIPR: 115200\r\n\r\nOK\r\n"));
        assert_eq!(told[2], row(Dir::In, "AT+CIPSW=****"));
        assert_eq!(told[4..], [row(Dir::In, "AT"), row(Dir::Out, "\r\nOK\r\n")]);
        assert!(!format!("{told:?}").contains("s3cret"), "{told:?}");
        assert_eq!(rows[2].len, 15, "the length is the true one");
    }

    #[test]
    fn a_reading_of_all_settings_is_one_row() {
        let rows = rows(|tap, dtu| {
            let mut asks = |line: &str, purpose| {
                tap.input(&Input::Console(line), purpose, dtu);
                let reply = Output::Console("\r\nOK\r\n".to_owned());
                tap.output(&reply, purpose, dtu);
            };
            asks("AT+CIPSCONT?", Purpose::ReadsFirst);
            (0..53).for_each(|_| asks("AT+CIPR?", Purpose::Reads));
            asks("AT+CIPR?", Purpose::Own);
        });
        let told: Vec<_> = rows.iter().map(|row| (row.kind, row.len)).collect();
        assert_eq!(told, [(Kind::Event, 0), (Kind::Data, 8), (Kind::Data, 6)]);
        assert_eq!(rows[0].note.as_deref(), Some(ALL_ARE_READ));
    }

    /// Of the event and of its count.
    #[test]
    fn a_drop_has_one_place() {
        for (queue, place) in [
            (QueueId::Link(LinkId::ALL[1]), Place::Link(2)),
            (QueueId::Httpd, Place::Httpd),
            (QueueId::SerialCommand, Place::Device),
        ] {
            let rows = rows(|tap, dtu| {
                let event = Event::FrameDropped { queue, bytes: 7 };
                tap.output(&Output::Event(event), Purpose::Own, dtu);
            });
            assert_eq!((rows.len(), rows[0].of), (1, place));
            assert_eq!(place_of(queue), place);
        }
    }
}
