//! All books of a world in one place, and how a device's sends and prints are judged by them.

use std::collections::VecDeque;
use std::rc::Rc;

use dtu_proto::config::{
    Config, FACTORY_PASSWORD, FactoryPassword, HeartbeatTo, Options, Role, WorkingMode,
};
use dtu_proto::event::{Connect, LINKS, LinkId, Origin};

use super::at_mode::AtBook;
use super::command_mode::CommandBook;
use super::httpd::HttpBook;
use super::post::Post;
use super::{Rule, World};
use crate::commands::{Deed, Gate, Verdict, Watch, origin_slot};
use crate::downlink::{Downlink, Printed, REPLY};
use crate::model::{Found, Line, Phase};
use crate::uplink::Book;
use crate::{MS, SEC};

/// What the set-up window keeps.
const WINDOW_BYTES: usize = 15 * 1024;

pub(super) struct Books {
    pub(super) line: Line,
    pub(super) watch: Watch,
    gates: [Gate; 1 + LINKS],
    pub(super) uplinks: Vec<Book>,
    book_of: [usize; LINKS],
    pub(super) down: Downlink,
    /// Links as they are in force (since the start of the mode, or `CIAPPLY`).
    pub(super) applied: Config,
    pub(super) window_until: u64,
    /// The mode and the command state when this call began: what was due by then comes before anything else.
    pub(super) before: (WorkingMode, bool),
    kept: VecDeque<Rc<[u8]>>,
    kept_bytes: usize,
    /// Replies owed: at least, at most.
    pub(super) owed: [(u32, u32); 3 + LINKS],
    /// Commands from afar that are to be said to the log: at least, at most.
    pub(super) to_say: [(u32, u32); 3 + LINKS],
    pub(super) prompts: u32,
    pub(super) escapes: u32,
    pub(super) banners: u32,
    /// Between the printed `+ok` and the `OK` of `ENTM`.
    pub(super) talking: bool,
    /// A stop came in the set-up window.
    pub(super) stops_in_window: bool,
    pub(super) last_data: u64,
    /// The last write that the line took whole.
    pub(super) taken: u64,
    /// The last read of the DTE.
    pub(super) heard: u64,
    /// Whether the device reads the line, and since when: what it does not read cannot be late.
    pub(super) reads: bool,
    pub(super) reads_since: u64,
    /// This call is about what the DTE wrote.
    pub(super) from_line: bool,
    /// The set-up window was open when this call began.
    pub(super) in_window: bool,
    /// Since when the line was not read though nothing moves.
    pub(super) stuck_since: u64,
    /// A frame was being received when this call began.
    pub(super) frame_open: bool,
    /// Heartbeat interval and length in force, and since when.
    pub(super) beat: (u16, usize),
    pub(super) settings_at: u64,
    pub(super) dropped: [u64; LINKS],
    pub(super) nowhere: u64,
    pub(super) post: Post,
    pub(super) http: HttpBook,
    pub(super) command: CommandBook,
    pub(super) at: AtBook,
}

impl Books {
    pub(super) fn new(config: &Config, options: &Options) -> Self {
        let (uplinks, book_of) = pair(config, options);
        Self {
            line: Line::new(
                Phase::Window,
                config.packing_time,
                micros(options.escape_gap),
            ),
            watch: Watch::new(config.clone()),
            gates: Default::default(),
            uplinks,
            book_of,
            down: Downlink::default(),
            applied: config.clone(),
            window_until: 0,
            before: (config.mode, false),
            kept: VecDeque::new(),
            kept_bytes: 0,
            owed: Default::default(),
            to_say: Default::default(),
            prompts: 0,
            escapes: 0,
            banners: 0,
            talking: false,
            stops_in_window: false,
            last_data: 0,
            taken: 0,
            heard: 0,
            reads: true,
            reads_since: 0,
            from_line: false,
            in_window: false,
            stuck_since: 0,
            frame_open: false,
            beat: (0, 0),
            settings_at: 0,
            dropped: [0; LINKS],
            nowhere: 0,
            post: Post::default(),
            http: HttpBook::default(),
            command: CommandBook::new(options.modes.resend),
            at: AtBook::default(),
        }
    }

    pub(super) fn book(&mut self, link: LinkId) -> &mut Book {
        &mut self.uplinks[self.book_of[link.index()]]
    }

    pub(super) fn connected(&mut self, link: LinkId, udp: bool) {
        let registers = !self.watch.expected.registration.is_empty();
        self.book(link).connected(link.into(), udp, registers);
    }

    pub(super) fn arrived(&mut self, link: LinkId, bytes: u64) {
        self.book(link).arrived(link.into(), bytes);
    }

    pub(super) fn acknowledged(&mut self, link: LinkId, bytes: u64) {
        self.book(link).acknowledged_to(link.into(), bytes);
    }

    pub(super) fn sent(&mut self, link: LinkId) {
        self.book(link).sent(link.into());
    }

    pub(super) fn closed(&mut self, link: LinkId, acked: u64) {
        self.book(link).closed(link.into(), acked);
        // Replies for this connection have nowhere to go.
        self.owed[origin_slot(Origin::Link(link))].0 = 0;
    }

    pub(super) fn owe(&mut self, origin: Origin, surely: bool) {
        let (least, most) = &mut self.owed[origin_slot(origin)];
        *least += u32::from(surely);
        *most += 1;
    }

    /// A command is said to the log.
    pub(super) fn said(&mut self, origin: Origin, line: &str) -> Result<(), String> {
        let shown = line.to_ascii_uppercase();
        if let Some((_, value)) = shown.split_once("+CIPSW=")
            && !value.starts_with("****")
        {
            return Err(format!("a password is said to the log: {line}"));
        }
        if !matches!(origin, Origin::SerialFrame | Origin::Link(_)) {
            return Ok(());
        }
        let (least, most) = &mut self.to_say[origin_slot(origin)];
        if *most == 0 {
            return Err(format!(
                "{line} of {origin:?} is said, and nobody sent it, or it was said before"
            ));
        }
        (*least, *most) = (least.saturating_sub(1), *most - 1);
        Ok(())
    }

    pub(super) fn pay(&mut self, origin: Origin) -> Result<(), String> {
        let (least, most) = &mut self.owed[origin_slot(origin)];
        if *most == 0 {
            return Err(format!("a reply at {origin:?} where no command came from"));
        }
        *most -= 1;
        *least = least.saturating_sub(1);
        Ok(())
    }

    /// The device connects where the settings in force say.
    pub(super) fn connect_is_as_set(&self, link: LinkId, connect: &Connect) -> Result<(), String> {
        let set = &self.applied.links[link.index()];
        let same = (
            connect.protocol,
            &connect.address,
            connect.port,
            connect.local_port,
        ) == (set.protocol, &set.address, set.port, set.local_port);
        let transparent = [self.applied.mode, self.before.0].contains(&WorkingMode::Transparent);
        if same && set.enabled && transparent {
            Ok(())
        } else {
            Err(format!(
                "link {link} connects to {connect:?}, set is {set:?}"
            ))
        }
    }

    /// A frame for the mode: to every book with an enabled link.
    pub(super) fn route(&mut self, bytes: &Rc<[u8]>) {
        match self.applied.mode {
            WorkingMode::Sms => return self.post.frame(&self.watch.expected.sms_number, bytes),
            WorkingMode::Httpd => return self.http.give(bytes),
            WorkingMode::SerialCommand => return self.command.frame(bytes, self.heard),
            WorkingMode::Transparent => {}
            // Of the set-up window: there is nobody to send it to.
            WorkingMode::AtCommand => {
                self.nowhere += 1;
                return;
            }
        }
        let links = &self.applied.links;
        let mut taken = false;
        for book in &mut self.uplinks {
            if book.links.iter().any(|link| links[link.index()].enabled) {
                book.give(bytes);
                taken = true;
            }
        }
        self.nowhere += u64::from(!taken);
    }

    pub(super) fn mode_starts(&mut self) {
        self.applied = self.watch.expected.clone();
        for bytes in std::mem::take(&mut self.kept) {
            self.route(&bytes);
        }
        self.kept_bytes = 0;
        if self.applied.mode == WorkingMode::AtCommand {
            self.line.command_state();
        }
    }

    fn keep(&mut self, bytes: Rc<[u8]>) {
        self.kept_bytes += bytes.len();
        self.kept.push_back(bytes);
        while self.kept_bytes > WINDOW_BYTES
            && let Some(oldest) = self.kept.pop_front()
        {
            self.kept_bytes -= oldest.len();
            self.nowhere += 1;
        }
    }

    /// The device starts over, from what is stored. Frames in caches and what waits for the serial line stay on
    /// the books: they must arrive or be counted.
    pub(super) fn restarted(&mut self, stored: &Config) {
        self.watch.restart(stored.clone());
        self.line = self.line.restarted(stored.packing_time);
        (self.talking, self.stops_in_window) = (false, false);
        self.at.forget();
        self.command.stop();
        // What was under way may have no answer.
        self.to_say.iter_mut().for_each(|(least, _)| *least = 0);
    }

    /// The host is gone, and with it what it and the device had in memory.
    pub(super) fn crashed(&mut self, stored: &Config) {
        self.restarted(stored);
        self.line = self.line.anew(stored.packing_time);
        self.down.forget();
        self.owed = Default::default();
        self.to_say = Default::default();
        (self.prompts, self.escapes, self.banners) = (0, 0, 0);
        self.kept.clear();
        self.kept_bytes = 0;
        self.gates = Default::default();
        self.dropped = [0; LINKS];
    }
}

/// One book for each link, or for a primary together with its backups.
fn pair(config: &Config, options: &Options) -> (Vec<Book>, [usize; LINKS]) {
    let mut owner = [0, 1, 2, 3];
    for link in LinkId::ALL {
        let role = options.links[link.index()]
            .role
            .unwrap_or(config.links[link.index()].role);
        if let Role::Backup(primary) = role {
            owner[link.index()] = primary.index();
        }
    }
    let books = LinkId::ALL.map(|first| {
        let links: Vec<LinkId> = LinkId::ALL
            .into_iter()
            .filter(|link| owner[link.index()] == first.index())
            .collect();
        let resend = links.iter().any(|link| options.links[link.index()].resend);
        Book::new(links, resend)
    });
    (books.into(), owner)
}

impl World {
    /// What the model found becomes entries in the books. Called before the device sees the same input.
    pub(super) fn take_found(&mut self) {
        while let Some(found) = self.books.line.next() {
            match found {
                Found::Frame(bytes) if self.books.line.phase == Phase::Window => {
                    self.books.keep(Rc::from(bytes));
                }
                Found::Frame(bytes) => self.frame(bytes),
                Found::Prompt => self.books.prompts += 1,
                Found::Escaped(_) => {
                    self.books.escapes += 1;
                    self.sum.escapes += 1;
                }
                Found::Line(line) => self.command_line(&line),
                Found::Text(text) => self.at_text(&text),
            }
        }
    }

    fn frame(&mut self, bytes: Vec<u8>) {
        self.note("frame", None, 0, &bytes);
        let set = &self.books.watch.expected;
        let amid =
            self.books.applied.mode == WorkingMode::SerialCommand && self.books.command.is_inside();
        let verdict =
            self.books.gates[0].judge(&bytes, set.serial_at && !amid, &set.password, self.now);
        match verdict {
            Verdict::Command(text) => {
                self.note("inline command", None, 0, &text);
                self.let_in(Origin::SerialFrame, &text, true);
            }
            Verdict::Ignored => {}
            Verdict::Data => {
                self.sum.frames += 1;
                self.books.route(&Rc::from(bytes));
            }
        }
    }

    fn command_line(&mut self, line: &[u8]) {
        self.note("command line", None, 0, line);
        let line = behind_noise(line);
        if self.is_at_mode() {
            self.at_line(line);
        }
        if line.len() >= 2 && line[..2].eq_ignore_ascii_case(b"AT") {
            self.let_in(Origin::Serial, line, true);
        } else {
            self.books.owe(Origin::Serial, false);
        }
    }

    fn let_in(&mut self, origin: Origin, text: &[u8], full: bool) {
        self.sum.commands += 1;
        self.books.owe(origin, true);
        if origin != Origin::Serial {
            let (least, most) = &mut self.books.to_say[origin_slot(origin)];
            (*least, *most) = (*least + 1, *most + 1);
        }
        if self.disk.saving.is_some() || self.ending {
            // Answered as busy.
            return;
        }
        match self.books.watch.accept(text, full) {
            // In the AT mode the line stays as it is.
            Deed::EnterMode if self.is_at_mode() => {}
            Deed::EnterMode => self.books.line.phase = Phase::Data,
            Deed::Restart => self.ending = true,
            Deed::Apply => self.applied_at(),
            Deed::Nothing | Deed::Set(_) | Deed::Save => {}
        }
    }

    /// `CIAPPLY`: a frame that is being received belongs to the mode that ends.
    fn applied_at(&mut self) {
        let (old, new) = (self.books.applied.mode, self.books.watch.expected.mode);
        if self.books.line.phase == Phase::Window {
            return;
        }
        if old != new {
            self.books.line.flush();
            self.take_found();
            self.switch_lines(new);
        }
        self.books.applied = self.books.watch.expected.clone();
    }

    /// One read of a link: a command, or data for the serial line.
    pub(super) fn take_read(&mut self, link: LinkId, bytes: &[u8]) {
        let set = &self.books.watch.expected;
        let factory = set.password == FACTORY_PASSWORD;
        let rights = self.scenario.options.factory_password;
        let full = !factory || rights == FactoryPassword::Full;
        let open = set.network_at && !(factory && rights == FactoryPassword::Off);
        let gate = &mut self.books.gates[1 + link.index()];
        match gate.judge(bytes, open, &set.password, self.now) {
            Verdict::Command(text) => {
                self.note("link command", Some(link), 0, &text);
                self.let_in(Origin::Link(link), &text, full);
            }
            Verdict::Ignored => {}
            Verdict::Data if bytes == REPLY => self.servers_reply(link),
            Verdict::Data => self.books.down.expect(link.into(), bytes),
        }
    }

    /// The device prints on the serial line.
    pub(super) fn judge_print(&mut self, bytes: &[u8]) {
        if self.books.post.prints(bytes) {
            self.books.last_data = self.now;
            if self.is_command_state() {
                self.break_rule(Rule::Messages, "a message is printed in the command state");
            }
            return;
        }
        let told = self.is_command_state() || self.books.before.1 || self.books.stops_in_window;
        if self.is_unasked(bytes) && !told {
            let text = format!("\"{}\" is printed into data", bytes.escape_ascii());
            self.break_rule(Rule::Messages, text);
        }
        if self.judge_notice(bytes) {
            return;
        }
        let set = &self.books.watch.expected;
        self.books.down.settings(&set.banner, &set.heartbeat);
        match self.books.down.print(bytes, self.books.prompts > 0) {
            Ok(pieces) => pieces.into_iter().for_each(|piece| self.printed(piece)),
            Err(text) => self.break_rule(Rule::Downlink, text),
        }
    }

    /// `+CMTI` and `+CMT` where `CNMI` asks for them; what cannot be printed whole when it comes is stored. Whether it
    /// is a whole message.
    fn judge_notice(&mut self, bytes: &[u8]) -> bool {
        let notify = self.books.watch.expected.messages.notify;
        let (told, whole) = (
            bytes.starts_with(b"\r\n+CMTI"),
            bytes.starts_with(b"\r\n+CMT:"),
        );
        self.books.post.shown += u64::from(whole);
        let asked = [(told, [1, 2, 3].as_slice()), (whole, &[2])];
        let unasked = asked
            .iter()
            .any(|(is, wanted)| *is && !wanted.contains(&notify.messages));
        if unasked || (told && notify.mode == 0) {
            let text = format!("\"{}\" is printed with {notify:?}", bytes.escape_ascii());
            self.break_rule(Rule::Messages, text);
        }
        whole
    }

    /// What a modem tells without being asked.
    fn is_unasked(&self, bytes: &[u8]) -> bool {
        let texts = [
            "RING",
            "NO CARRIER",
            "+CMTI",
            "+CISMS",
            "+CMT:",
            "+CDS",
            "+CREG",
            "+CLIP",
        ];
        let line = bytes.strip_prefix(b"\r\n").unwrap_or_default();
        texts.iter().any(|text| line.starts_with(text.as_bytes()))
    }

    fn printed(&mut self, piece: Printed) {
        // Decisions 16.11: the end of its connection is told at once, and the last bytes stand before it.
        let prompted = matches!(self.books.line.phase, Phase::Text { .. }) && !self.at_has_ended();
        let books = &mut self.books;
        match piece {
            Printed::Read(slot) if prompted => {
                let text = format!("a read of {slot} is printed while a prompt waits");
                self.break_rule(Rule::Dialogue, text);
            }
            Printed::Read(slot) => {
                books.last_data = self.now;
                self.sum.reads += 1;
                // A device that stops or restarts prints what it has.
                let ends =
                    self.device.status(self.clock()).phase == dtu_proto::status::Phase::Ending;
                if self.books.talking && self.stopping.is_none() && !ends {
                    self.break_rule(
                        Rule::Downlink,
                        format!("a read of {slot} is printed in the command state"),
                    );
                }
            }
            Printed::Heartbeat => self.serial_heartbeat(),
            Printed::ServersReply => books.last_data = self.now,
            Printed::Prompt if books.prompts > 0 => books.prompts -= 1,
            Printed::Prompt => {
                self.break_rule(Rule::Escape, "an `a` is printed without a whole +++")
            }
            Printed::Escaped if books.escapes > 0 => {
                books.escapes -= 1;
                books.talking = true;
            }
            Printed::Escaped => self.break_rule(Rule::Escape, "+ok is printed without a handshake"),
            Printed::Result => self.result_printed(),
            Printed::Packet => self.packet_error(),
            Printed::Told(told) => self.told(told),
            Printed::Ask => self.at_asks(),
            Printed::Banner => {
                if books.banners == 0 {
                    self.break_rule(Rule::Downlink, "a banner without a start");
                }
                self.books.banners = self.books.banners.saturating_sub(1);
            }
            Printed::Text => {}
        }
    }

    pub(super) fn result_printed(&mut self) {
        if matches!(self.books.line.phase, Phase::Text { .. }) {
            // The prompt has waited too long.
            self.books.line.prompt_ends();
        }
        let inline = self.books.pay(Origin::SerialFrame);
        let paid = if inline.is_ok() {
            inline
        } else {
            self.books.pay(Origin::Serial)
        };
        self.hold(Rule::Commands, paid);
        if self.books.owed[origin_slot(Origin::Serial)].1 == 0
            && self.books.line.phase == Phase::Data
        {
            self.books.talking = false;
        }
    }

    fn serial_heartbeat(&mut self) {
        self.sum.heartbeats += 1;
        let set = &self.books.watch.expected;
        let idle = self.now - self.books.last_data;
        let text = if set.heartbeat_to != HeartbeatTo::Serial || set.heartbeat_interval == 0 {
            "a heartbeat to the serial line, which is off".to_owned()
        } else if self.books.frame_open {
            "a heartbeat cuts a frame that is being received".to_owned()
        } else if idle < u64::from(set.heartbeat_interval) * SEC {
            format!(
                "a heartbeat to the serial line after {} ms of silence",
                idle / MS
            )
        } else {
            return;
        };
        self.break_rule(Rule::Heartbeat, text);
    }
}

/// Decisions 16.9: what is not printable right in front of the first `AT` makes all before it noise, and no more.
fn behind_noise(line: &[u8]) -> &[u8] {
    let Some(at) = (1..line.len()).find(|at| line[at - 1..=*at].eq_ignore_ascii_case(b"AT")) else {
        return line;
    };
    let (before, command) = line.split_at(at - 1);
    match before.iter().rev().find(|byte| **byte != b' ') {
        Some(b'!'..=b'~') | None => line,
        Some(_) => command,
    }
}

pub(super) fn micros(duration: dtu_proto::time::Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
