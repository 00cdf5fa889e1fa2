//! The ledger of a world: what went in, what must come of it, and what the device has been told.

use std::collections::VecDeque;
use std::rc::Rc;

use dtu_proto::config::{Config, Options, Role, WorkingMode};
use dtu_proto::event::{Connect, LINKS, LinkId, Origin};

use super::at_mode::DialogueLedger;
use super::command_mode::PacketLedger;
use super::httpd::HttpLedger;
use super::sms_ledger::SmsLedger;
use crate::commands::{Gate, Watch, origin_slot};
use crate::downlink::Downlink;
use crate::micros;
use crate::model::{LineModel, Phase};
use crate::uplink::Uplink;

/// What the set-up window keeps.
const WINDOW_BYTES: usize = 15 * 1024;

pub(super) struct Ledger {
    pub(super) line: LineModel,
    pub(super) watch: Watch,
    pub(super) gates: [Gate; 1 + LINKS],
    pub(super) uplinks: Vec<Uplink>,
    uplink_of: [usize; LINKS],
    pub(super) downlink: Downlink,
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
    pub(super) to_log: [(u32, u32); 3 + LINKS],
    pub(super) prompts: u32,
    pub(super) escapes: u32,
    pub(super) banners: u32,
    /// Between the printed `+ok` and the `OK` of `ENTM`.
    pub(super) talking: bool,
    /// A stop came in the set-up window.
    pub(super) stops_in_window: bool,
    pub(super) last_data: u64,
    /// The last write that the line took whole.
    pub(super) last_written: u64,
    /// The last read of the DTE.
    pub(super) last_read: u64,
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
    pub(super) sms: SmsLedger,
    pub(super) http: HttpLedger,
    pub(super) command: PacketLedger,
    pub(super) at: DialogueLedger,
}

impl Ledger {
    pub(super) fn new(config: &Config, options: &Options) -> Self {
        let (uplinks, uplink_of) = pair(config, options);
        Self {
            line: LineModel::new(
                Phase::Window,
                config.packing_time,
                micros(options.escape_gap),
            ),
            watch: Watch::new(config.clone()),
            gates: Default::default(),
            uplinks,
            uplink_of,
            downlink: Downlink::default(),
            applied: config.clone(),
            window_until: 0,
            before: (config.mode, false),
            kept: VecDeque::new(),
            kept_bytes: 0,
            owed: Default::default(),
            to_log: Default::default(),
            prompts: 0,
            escapes: 0,
            banners: 0,
            talking: false,
            stops_in_window: false,
            last_data: 0,
            last_written: 0,
            last_read: 0,
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
            sms: SmsLedger::default(),
            http: HttpLedger::default(),
            command: PacketLedger::new(options.modes.resend),
            at: DialogueLedger::default(),
        }
    }

    pub(super) fn uplink(&mut self, link: LinkId) -> &mut Uplink {
        &mut self.uplinks[self.uplink_of[link.index()]]
    }

    pub(super) fn connected(&mut self, link: LinkId, udp: bool) {
        let registers = !self.watch.expected.registration.is_empty();
        self.uplink(link).connected(link.into(), udp, registers);
    }

    pub(super) fn arrived(&mut self, link: LinkId, bytes: u64) {
        self.uplink(link).arrived(link.into(), bytes);
    }

    pub(super) fn acknowledged(&mut self, link: LinkId, bytes: u64) {
        self.uplink(link).acknowledged_to(link.into(), bytes);
    }

    pub(super) fn sent(&mut self, link: LinkId) {
        self.uplink(link).sent(link.into());
    }

    pub(super) fn closed(&mut self, link: LinkId, acked: u64) {
        self.uplink(link).closed(link.into(), acked);
        // Replies for this connection have nowhere to go.
        self.owed[origin_slot(Origin::Link(link))].0 = 0;
    }

    pub(super) fn owe(&mut self, origin: Origin, surely: bool) {
        let (least, most) = &mut self.owed[origin_slot(origin)];
        *least += u32::from(surely);
        *most += 1;
    }

    /// A command is said to the log.
    pub(super) fn log_command(&mut self, origin: Origin, line: &str) -> Result<(), String> {
        let shown = line.to_ascii_uppercase();
        if let Some((_, value)) = shown.split_once("+CIPSW=")
            && !value.starts_with("****")
        {
            return Err(format!("a password is said to the log: {line}"));
        }
        if !matches!(origin, Origin::SerialFrame | Origin::Link(_)) {
            return Ok(());
        }
        let (least, most) = &mut self.to_log[origin_slot(origin)];
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

    /// A frame for the mode: to every uplink with an enabled link.
    pub(super) fn route(&mut self, bytes: &Rc<[u8]>) {
        match self.applied.mode {
            WorkingMode::Sms => return self.sms.frame(&self.watch.expected.sms_number, bytes),
            WorkingMode::Httpd => return self.http.give(bytes),
            WorkingMode::SerialCommand => return self.command.frame(bytes, self.last_read),
            WorkingMode::Transparent => {}
            // Of the set-up window: there is nobody to send it to.
            WorkingMode::AtCommand => {
                self.nowhere += 1;
                return;
            }
        }
        let links = &self.applied.links;
        let mut taken = false;
        for uplink in &mut self.uplinks {
            if uplink.links.iter().any(|link| links[link.index()].enabled) {
                uplink.push(bytes);
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

    pub(super) fn keep(&mut self, bytes: Rc<[u8]>) {
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
    /// the ledger: they must arrive or be counted.
    pub(super) fn restarted(&mut self, stored: &Config) {
        self.watch.restart(stored.clone());
        self.line = self.line.restarted(stored.packing_time);
        (self.talking, self.stops_in_window) = (false, false);
        self.at.forget();
        self.command.stop();
        // What was under way may have no answer.
        self.to_log.iter_mut().for_each(|(least, _)| *least = 0);
    }

    /// The host is gone, and with it what it and the device had in memory.
    pub(super) fn crashed(&mut self, stored: &Config) {
        self.restarted(stored);
        self.line = self.line.anew(stored.packing_time);
        self.downlink.forget();
        self.owed = Default::default();
        self.to_log = Default::default();
        (self.prompts, self.escapes, self.banners) = (0, 0, 0);
        self.kept.clear();
        self.kept_bytes = 0;
        self.gates = Default::default();
        self.dropped = [0; LINKS];
    }
}

/// One uplink for each link, or for a primary together with its backups.
fn pair(config: &Config, options: &Options) -> (Vec<Uplink>, [usize; LINKS]) {
    let mut owner = [0, 1, 2, 3];
    for link in LinkId::ALL {
        let role = options.links[link.index()]
            .role
            .unwrap_or(config.links[link.index()].role);
        if let Role::Backup(primary) = role {
            owner[link.index()] = primary.index();
        }
    }
    let uplinks = LinkId::ALL.map(|first| {
        let links: Vec<LinkId> = LinkId::ALL
            .into_iter()
            .filter(|link| owner[link.index()] == first.index())
            .collect();
        let resend = links.iter().any(|link| options.links[link.index()].resend);
        Uplink::new(links, resend)
    });
    (uplinks.into(), owner)
}
