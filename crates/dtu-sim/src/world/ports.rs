//! The serial port's buffers and the disk of the host.

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;
use dtu_proto::config::Config;
use dtu_proto::event::{Origin, QUEUES, QueueId, SerialInput, SocketId, StoreInput};
use dtu_proto::{from_store_text, to_store_text};

use super::{Event, Rule, World};
use crate::MS;
use crate::model::Phase;

/// What a pty holds on each way.
pub(super) const PTY: usize = 4096;

/// Between DTE and host.
#[derive(Debug, Default)]
pub(super) struct SerialPort {
    /// On its way to the host.
    pub(super) up: VecDeque<u8>,
    pub(super) read_planned: bool,
    /// The one outstanding write, and how much of it is in the buffer.
    pub(super) write: Option<(Bytes, usize)>,
    pub(super) written_planned: bool,
    pub(super) configuring: bool,
    /// On its way to the DTE.
    pub(super) down: VecDeque<u8>,
    pub(super) dte_read_planned: bool,
    pub(super) deaf_until: u64,
    pub(super) gone: bool,
    /// The device waits for what is left of its write.
    pub(super) discarding: bool,
    /// So many bytes of that write never got out.
    pub(super) taken_back: usize,
    pub(super) generation: u64,
}

/// The stored parameters, and the spool.
#[derive(Debug)]
pub(super) struct Disk {
    pub(super) text: String,
    pub(super) config: Config,
    pub(super) saving: Option<(String, Config)>,
    pub(super) generation: u64,
    pub(super) spool: [BTreeMap<u64, Bytes>; QUEUES],
    /// The frame that may have gone, where none goes twice.
    pub(super) sending: [Option<u64>; QUEUES],
}

impl Disk {
    pub(super) fn new(config: &Config) -> Self {
        Self {
            text: to_store_text(config),
            config: config.clone(),
            saving: None,
            generation: 0,
            spool: Default::default(),
            sending: Default::default(),
        }
    }
}

impl World {
    /// Puts as much of the outstanding write into the pty as it takes.
    pub(super) fn push_serial(&mut self) {
        if self.serial.gone {
            return;
        }
        let Some((bytes, done)) = &mut self.serial.write else {
            return;
        };
        let room = PTY - self.serial.down.len().min(PTY);
        let part = room.min(bytes.len() - *done);
        self.serial.down.extend(&bytes[*done..*done + part]);
        *done += part;
        let whole = *done == bytes.len();
        if whole && !self.serial.written_planned {
            self.serial.written_planned = true;
            self.after(200, Event::SerialWritten(self.serial.generation));
        }
        self.plan_dte_read();
    }

    pub(super) fn serial_written(&mut self, generation: u64) {
        if generation != self.serial.generation || !self.serial.written_planned {
            return;
        }
        self.serial.written_planned = false;
        let Some((bytes, _)) = self.serial.write.take() else {
            return;
        };
        if bytes[..] == b"a"[..] {
            self.ledger.line.prompt_written(self.now);
        }
        self.ledger.sms.written();
        self.ledger.last_written = self.now;
        self.serial_input(SerialInput::Written);
    }

    /// What is left of the outstanding write goes; what is whole in the buffer is told as written first.
    pub(super) fn discard_serial(&mut self) {
        self.serial.discarding = true;
        let left = match &self.serial.write {
            Some((bytes, done)) if !self.serial.written_planned => bytes.len() - done,
            Some(_) | None => 0,
        };
        if !self.serial.written_planned {
            self.serial.write = None;
        }
        self.after(300, Event::SerialDiscarded(self.serial.generation, left));
    }

    pub(super) fn serial_discarded(&mut self, generation: u64, left: usize) {
        if generation == self.serial.generation {
            self.serial.taken_back = left;
            // What nobody has read breaks no silence.
            if left > 0 {
                self.ledger.last_data = self
                    .ledger
                    .last_data
                    .min(self.ledger.last_written.max(self.ledger.last_read));
            }
            self.serial_input(SerialInput::Discarded(left));
            (self.serial.discarding, self.serial.taken_back) = (false, 0);
        }
    }

    /// Network bytes are dropped: only for a line that is missing, or by a restart.
    pub(super) fn line_dropped(&mut self, bytes: usize, of: Option<SocketId>) {
        let starts_or_ends = self.ledger.banners > 0 || self.ending || self.stopping.is_some();
        if !(self.serial.gone || self.serial.discarding || starts_or_ends) {
            self.break_rule(
                Rule::Downlink,
                format!("{bytes} bytes are dropped though the line is there"),
            );
        }
        // What the device had written counts as printed since then.
        if of.is_none() && bytes == self.serial.taken_back {
            self.serial.taken_back = 0;
        } else {
            self.ledger.downlink.drop_oldest(bytes, of);
        }
    }

    pub(super) fn serial_configured(&mut self, generation: u64) {
        if generation == self.serial.generation && std::mem::take(&mut self.serial.configuring) {
            let refused = self.rng.chance(20).then_some("7 data bits: not on a pty");
            self.serial_input(SerialInput::Configured(refused));
        }
    }

    pub(super) fn plan_dte_read(&mut self) {
        if !self.serial.down.is_empty() && !self.serial.dte_read_planned {
            self.serial.dte_read_planned = true;
            let wait = self.serial.deaf_until.saturating_sub(self.now).max(300);
            self.after(wait, Event::DteReads);
        }
    }

    pub(super) fn dte_reads(&mut self) {
        self.serial.dte_read_planned = false;
        if self.serial.deaf_until <= self.now {
            let bytes: Vec<u8> = self.serial.down.drain(..).collect();
            self.dte_receives(&bytes);
            self.push_serial();
        }
        self.plan_dte_read();
    }

    /// The host looks at the serial line when there is something and the device wants it.
    pub(super) fn plan_serial_read(&mut self) {
        let ready = !self.serial.up.is_empty() && !self.serial.gone;
        if ready && !self.serial.read_planned && self.device.wants_serial() {
            self.serial.read_planned = true;
            let late = self.lateness(self.scenario.host.late_read);
            self.after(late, Event::SerialRead);
        }
    }

    pub(super) fn host_reads_serial(&mut self) {
        self.serial.read_planned = false;
        if self.serial.gone || !self.device.wants_serial() {
            return;
        }
        let most = self.scenario.host.read_max.min(self.serial.up.len());
        let bytes: Vec<u8> = self.serial.up.drain(..most).collect();
        if !bytes.is_empty() {
            self.serial_input(SerialInput::Data(&bytes));
        }
    }

    pub(super) fn unplug(&mut self) {
        if self.healed || self.serial.gone {
            return;
        }
        self.serial.gone = true;
        // What is on the wire is lost with the adapter; what the device has written stays in the host's hands.
        self.serial.up.clear();
        if matches!(self.ledger.line.phase, Phase::Text { .. }) {
            // A text may be whole, and the host late.
            self.wake_if_due();
        }
        if matches!(self.ledger.line.phase, Phase::Text { .. }) {
            // Nobody is there to answer it.
            self.ledger.line.prompt_ends();
            let paid = self.ledger.pay(Origin::Serial);
            self.hold(Rule::Dialogue, paid);
        }
        self.serial_input(SerialInput::Gone);
        let away = self.rng.wait(self.scenario.radio.line_away);
        self.after(away, Event::Replug);
        self.again(self.scenario.unplug_every, Event::Unplug);
    }

    pub(super) fn replug(&mut self) {
        if std::mem::take(&mut self.serial.gone) {
            self.serial_input(SerialInput::Present);
            self.push_serial();
        }
    }

    pub(super) fn save(&mut self, text: String) {
        if self.disk.saving.is_some() {
            return self.break_rule(Rule::Bounds, "a save is ordered while another is under way");
        }
        // What the text must say; whether it does is seen at the next start from it.
        self.disk.saving = Some((text, self.device.config().clone()));
        let wait = self.rng.range(1, 40) * MS;
        self.after(wait, Event::Stored(self.disk.generation));
    }

    pub(super) fn stored(&mut self, generation: u64) {
        if generation != self.disk.generation {
            return;
        }
        let Some((text, config)) = self.disk.saving.take() else {
            return;
        };
        if !self.healed && self.rng.chance(self.scenario.store_fails) {
            return self.store_input(StoreInput::Failed("no space left on device"));
        }
        let (read_back, problems) = from_store_text(&text);
        if read_back != config || !problems.is_empty() {
            let text = format!("the stored text does not give the settings back: {problems:?}");
            self.break_rule(Rule::Commands, text);
        }
        (self.disk.text, self.disk.config) = (text, config);
        self.store_input(StoreInput::Saved);
    }

    pub(super) fn queue_has_spool(&self, queue: QueueId) -> bool {
        let options = &self.scenario.options;
        match queue {
            QueueId::Link(link) => options.links[link.index()].spool,
            QueueId::Httpd | QueueId::SerialCommand => options.modes.spool,
        }
    }

    fn has_spool(&mut self, queue: QueueId) -> bool {
        let has = self.queue_has_spool(queue);
        if !has {
            self.break_rule(
                Rule::Frames,
                format!("an order for the spool of {queue}, which has none"),
            );
        }
        has
    }

    pub(super) fn spool_append(&mut self, queue: QueueId, number: u64, bytes: Bytes) {
        if !self.has_spool(queue) {
            return;
        }
        let spool = &mut self.disk.spool[queue.index()];
        if spool
            .last_key_value()
            .is_some_and(|(last, _)| *last >= number)
        {
            return self.break_rule(Rule::Frames, "spool numbers do not grow");
        }
        spool.insert(number, bytes);
    }

    /// What moves is on the disk, and nothing else that waits is left behind.
    pub(super) fn spool_move(&mut self, queue: QueueId, frames: Vec<(u64, Bytes)>) {
        let spool = &self.disk.spool[queue.index()];
        if frames
            .iter()
            .any(|(_, moved)| !spool.values().any(|known| known == moved))
        {
            return self.break_rule(Rule::Frames, "a frame moves that is not on the spool");
        }
        let Some((first, _)) = frames.first() else {
            return self.break_rule(Rule::Frames, "nothing moves on a spool");
        };
        let first = *first;
        for (number, frame) in frames {
            self.spool_append(queue, number, frame);
        }
        self.spool_release(queue, first);
    }

    pub(super) fn spool_sending(&mut self, queue: QueueId, frame: Option<u64>) {
        if self.has_spool(queue) {
            self.disk.sending[queue.index()] = frame;
        }
    }

    pub(super) fn spool_release(&mut self, queue: QueueId, below: u64) {
        if !self.has_spool(queue) {
            return;
        }
        let spool = &mut self.disk.spool[queue.index()];
        *spool = spool.split_off(&below);
    }
}
