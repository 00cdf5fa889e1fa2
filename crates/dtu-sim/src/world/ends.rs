//! The host program ends, by a kill or in good order, and is started again. After a good end nothing is missing: what it
//! kept is what waited, to the frame, also of queues in memory.

use bytes::Bytes;
use dtu_proto::event::{Input, LINKS, LinkId, QUEUES, QueueId, SocketId};
use dtu_proto::from_store_text;

use super::host::power_on;
use super::ports::SerialPort;
use super::socket::State;
use super::{Event, Rule, World};
use crate::model::Phase;
use crate::{MS, SEC};

/// Everything that a stop waits for (a command that waits for the disk, replies, sockets) has an end by then.
const STOPS_WITHIN: u64 = 30 * SEC;
/// The device waits for its host so long: in this time nothing may be left open.
const PATIENCE: u64 = 1900 * MS;

/// What the host hands to the next run, in each queue.
pub(super) type Backlog = [Vec<(u64, Bytes)>; QUEUES];

pub(super) const QUEUE_IDS: [QueueId; QUEUES] = {
    let [one, two, three, four] = LinkId::ALL;
    [
        QueueId::Link(one),
        QueueId::Link(two),
        QueueId::Link(three),
        QueueId::Link(four),
        QueueId::Httpd,
        QueueId::SerialCommand,
    ]
};

impl World {
    /// `SIGTERM`.
    pub(super) fn ask_to_stop(&mut self) {
        self.again(self.scenario.ends.stop_every, Event::Stop);
        let typing = matches!(self.ledger.line.phase, Phase::Text { .. });
        if self.healed || self.stopping.is_some() || typing {
            return;
        }
        self.catch_up();
        self.note("stop", None, 0, &[]);
        self.excuse_all();
        self.stopping = Some(self.now);
        // What has come is data; but the line is as it was until the device has stopped.
        self.ledger.stops_in_window = self.ledger.line.phase == Phase::Window;
        self.ledger.line.flush();
        self.take_line_events();
        self.mode_starts();
        self.call(Input::Shutdown);
    }

    pub(super) fn check_stop(&mut self) {
        if self
            .stopping
            .is_some_and(|since| self.now > since + STOPS_WITHIN)
        {
            let text = format!(
                "{} s after it was asked to, the device has not stopped",
                STOPS_WITHIN / SEC
            );
            self.break_rule(Rule::Liveness, text);
        }
    }

    /// `Power::Stop`.
    pub(super) fn device_stops(&mut self) {
        let Some(since) = self.stopping else {
            return self.break_rule(Rule::Commands, "the device stops unasked");
        };
        self.stopped_at = Some(since);
    }

    /// The host starts again at once, from what it kept.
    pub(super) fn start_again(&mut self, asked_at: u64) {
        self.note("stopped", None, 0, &[]);
        self.sum.restarts += 1;
        self.sum.stops += 1;
        if self.now < asked_at + PATIENCE {
            self.check_rest();
        }
        // What came meanwhile is data, too.
        self.ledger.line.flush();
        self.take_line_events();
        let kept = self.what_is_kept();
        self.host_dies();
        self.start_from(&kept, true);
    }

    /// Nothing is left half done.
    fn check_rest(&mut self) {
        let sockets = self.sockets.iter();
        let open: Vec<SocketId> = sockets
            .filter(|socket| socket.state != State::Idle)
            .map(|socket| socket.id)
            .collect();
        if !open.is_empty() {
            let text = format!("the device has stopped, and connections stand: {open:?}");
            self.break_rule(Rule::Bounds, text);
        }
        let printing = self.serial.write.is_some() || self.ledger.downlink.waiting > 0;
        if printing && !self.serial.gone {
            let (write, reads) = (&self.serial.write, self.ledger.downlink.waiting);
            let text = format!(
                "the device has stopped, {write:?} is being printed and {reads} reads are not"
            );
            self.break_rule(Rule::Downlink, text);
        }
        if self.disk.saving.is_some() {
            self.break_rule(
                Rule::Commands,
                "the device has stopped while settings are being saved",
            );
        }
    }

    /// What waits: as the spool has it, else by the device's own word.
    fn what_is_kept(&mut self) -> Backlog {
        let mut kept = Backlog::default();
        for queue in QUEUE_IDS {
            let waiting: Vec<(u64, Bytes)> = self
                .device
                .undelivered(queue)
                .map(|(number, bytes)| (number, bytes.clone()))
                .collect();
            kept[queue.index()] = if self.queue_has_spool(queue) {
                let spool = self.on_spool(queue);
                // A spool lets go of the oldest only. Packets are delivered out of their order, and frames are dropped
                // behind those that the socket has.
                let in_order = queue == QueueId::SerialCommand || spool.first() == waiting.first();
                if !in_order || !waiting.iter().all(|frame| spool.contains(frame)) {
                    let (waiting, spooled) = (waiting.len(), spool.len());
                    let text =
                        format!("{waiting} frames wait for {queue}, {spooled} are on its spool");
                    self.break_rule(Rule::Frames, text);
                }
                spool
            } else {
                waiting
            };
        }
        kept
    }

    /// The host program dies, perhaps in the middle of a save, and is started again: from the last whole file.
    pub(super) fn crash(&mut self) {
        if self.healed {
            return;
        }
        self.note("crash", None, 0, &[]);
        self.sum.restarts += 1;
        self.host_dies();
        let kept = QUEUE_IDS.map(|queue| self.on_spool(queue));
        self.start_from(&kept, false);
        self.again(self.scenario.crash_every, Event::Crash);
    }

    /// What another run finds there: not what the server may have by now.
    fn on_spool(&mut self, queue: QueueId) -> Vec<(u64, Bytes)> {
        let spool = &mut self.disk.spool[queue.index()];
        if let Some(sent) = self.disk.sending[queue.index()].take() {
            spool.remove(&sent);
        }
        spool.clone().into_iter().collect()
    }

    fn host_dies(&mut self) {
        self.drop_sockets();
        self.disk.saving = None;
        self.disk.generation += 1;
        self.radio_host_dies();
        self.serial = SerialPort {
            generation: self.serial.generation + 1,
            ..Default::default()
        };
        (self.ending, self.stopping) = (false, None);
    }

    /// Another run of the host. `all`: the last one could keep what waited in memory, too.
    fn start_from(&mut self, kept: &Backlog, all: bool) {
        let (config, problems) = from_store_text(&self.disk.text);
        if config != self.disk.config {
            let text = format!("the stored text does not give the stored settings: {problems:?}");
            self.break_rule(Rule::Commands, text);
        }
        self.device = power_on(&config, &self.scenario, self.seed ^ self.now, self.now);
        self.sleep = None;
        let dropped = self.ledger.dropped;
        self.ledger.crashed(&config);
        self.dte.start_over();
        self.restore(kept, &dropped, all);
        self.restore_modes(kept, all);
        // What has no room any more is dropped, frame by frame.
        while let Some(output) = self.device.poll_output() {
            self.carry_out(output);
        }
        self.host_starts();
        self.radio_host_starts();
    }

    /// Frames that were kept come back; those in memory only are lost with a host that dies, and leave the ledger.
    fn restore(&mut self, kept: &Backlog, before: &[u64; LINKS], all: bool) {
        for place in 0..self.ledger.uplinks.len() {
            let mut waiting = Vec::new();
            let links = self.ledger.uplinks[place].links.clone();
            for link in links.clone() {
                let frames = kept[QueueId::Link(link).index()].clone();
                waiting.extend(frames.iter().map(|(_, bytes)| bytes.to_vec()));
                self.device.restore(link, frames);
            }
            let spooled = links
                .iter()
                .all(|link| self.scenario.options.links[link.index()].spool);
            let dropped = links.iter().map(|link| before[link.index()]).sum();
            if spooled || all {
                let checked = self.ledger.uplinks[place].spool_holds(&waiting, dropped);
                self.hold(Rule::Frames, checked);
            }
            self.ledger.uplinks[place].crashed(&waiting);
        }
    }
}
