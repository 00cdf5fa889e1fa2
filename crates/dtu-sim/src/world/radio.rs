//! The cellular network around the device ([`cellular_sim::radio`]): phones that write, command and call, trouble with
//! the modem, and the disk's copy of messages.

use std::collections::{BTreeSet, VecDeque};

use bytes::Bytes;
use cellular_sim::Rng;
use cellular_sim::radio::{Id, Network, Settings, Subscriber};
use dtu_proto::event::{Input, ModemInput, ModemOutput, StoreInput};
use dtu_proto::radio::{PhoneNumber, Registration};
use dtu_proto::time::Duration;
use sms_codec::pdu::{Pdu, Tpdu};

use super::phones::number;
use super::{Event, Rule, World};
use crate::{MS, SEC};

pub(super) struct Radio {
    pub(super) network: Network,
    pub(super) modem: Id,
    pub(super) rng: Rng,
    /// News on their way through the host.
    inbox: VecDeque<ModemInput>,
    inputs_planned: bool,
    /// When the network is looked at next.
    wake: Option<u64>,
    pub(super) sms_sent: u64,
    pub(super) command_second: u64,
    /// Messages that the device has let the modem forget: the centre gives each number once.
    taken: BTreeSet<u64>,
    /// TP-MR that the modem has given last, where it counts itself (27.005: unless copies are to be refused).
    reference: Option<u8>,
    pub(super) disk: MessageDisk,
}

/// The file of messages.
#[derive(Debug, Default)]
pub(super) struct MessageDisk {
    pub(super) text: String,
    number: u64,
    saving: Option<(u64, String)>,
    planned: bool,
}

impl Radio {
    pub(super) fn new(mut rng: Rng, settings: Settings) -> Self {
        let mut network = Network::new(rng.word(), settings);
        // The first number is the one behind that of a new device: what it sends first may have to be repeated.
        let reference = rng.clone().chance(50).then_some(0);
        let modem = network.add(Subscriber::default(), dtu_proto::time::Instant::ZERO);
        Self {
            network,
            modem,
            rng,
            inbox: VecDeque::new(),
            inputs_planned: false,
            wake: None,
            sms_sent: 0,
            command_second: 0,
            taken: BTreeSet::new(),
            reference,
            disk: MessageDisk::default(),
        }
    }

    pub(super) fn own(&self) -> PhoneNumber {
        self.network
            .subscriber(self.modem)
            .number
            .unwrap_or(number("10086"))
    }

    /// What the modem sends: one that counts gives a message its number, unless copies are to be refused.
    fn counted(&mut self, pdu: &Bytes) -> Bytes {
        let decoded = Pdu::decode(pdu).map(|decoded| decoded.pdu);
        let Ok(Pdu {
            smsc,
            tpdu: Tpdu::Submit(mut submit),
        }) = decoded
        else {
            return pdu.clone();
        };
        let Some(last) = &mut self.reference else {
            return pdu.clone();
        };
        if !submit.reject_duplicates {
            submit.reference = last.wrapping_add(1);
        }
        if submit.reference.wrapping_sub(*last) < 128 {
            *last = submit.reference;
        }
        let counted = Pdu {
            smsc,
            tpdu: Tpdu::Submit(submit),
        }
        .encode();
        counted.map_or_else(|_| pdu.clone(), Bytes::from)
    }

    /// Nothing is under way between the phones and the device.
    pub(super) fn at_rest(&self) -> bool {
        self.inbox.is_empty() && self.disk.saving.is_none() && self.network.held() == 0
    }
}

impl World {
    pub(super) fn begin_radio(&mut self) {
        let style = self.scenario.radio.clone();
        self.ledger.sms.disk_fails = self.scenario.store_fails > 0;
        let acts = [
            (style.sms_every, Event::Sms),
            (style.command_every, Event::PhoneCommand),
            (style.call_every, Event::Call),
            (style.trouble_every, Event::RadioTrouble),
        ];
        for (every, event) in acts {
            self.radio_again(every, event);
        }
        self.radio_moves();
    }

    pub(super) fn radio_again(&mut self, every: u64, event: Event) {
        if every > 0 && !self.healed {
            let wait = self.radio.rng.wait(every);
            self.after(wait, event);
        }
    }

    pub(super) fn radio_order(&mut self, order: &ModemOutput) {
        self.note("modem order", None, 0, format!("{order:?}").as_bytes());
        if let ModemOutput::Taken(id) = order
            && !self.radio.taken.insert(*id)
        {
            self.break_rule(
                Rule::Messages,
                format!("message {id} of the modem is taken twice"),
            );
        }
        let (modem, now) = (self.radio.modem, self.clock());
        let mut order = order.clone();
        if let ModemOutput::Submit { pdu, .. } = &mut order {
            *pdu = self.radio.counted(pdu);
        }
        self.radio.network.handle_order(modem, &order, now);
        self.radio_moves();
    }

    pub(super) fn radio_wakes(&mut self) {
        if self.radio.wake.is_some_and(|at| at <= self.now) {
            self.radio.wake = None;
            let now = self.clock();
            self.radio.network.handle_timeout(now);
            self.radio_moves();
        }
    }

    /// The network may have news, and may want to be called at another time.
    pub(super) fn radio_moves(&mut self) {
        while let Some((_, input)) = self.radio.network.poll_event() {
            self.radio.inbox.push_back(input);
        }
        while let Some(event) = self.radio.network.poll_phone_event() {
            self.on_phone_event(event);
        }
        if !self.radio.inbox.is_empty() && !self.radio.inputs_planned {
            self.radio.inputs_planned = true;
            let late = self.scenario.host.late_read;
            let wait = if late == 0 {
                50
            } else {
                self.radio.rng.range(50, late)
            };
            self.after(wait, Event::ModemInputs);
        }
        let due = self
            .radio
            .network
            .poll_timeout()
            .map(|at| at.as_micros().max(self.now));
        if let Some(at) = due
            && self.radio.wake.is_none_or(|planned| planned > at)
        {
            self.radio.wake = Some(at);
            self.after(at - self.now, Event::Radio);
        }
    }

    pub(super) fn give_modem_inputs(&mut self) {
        self.radio.inputs_planned = false;
        while let Some(input) = self.radio.inbox.pop_front() {
            self.catch_up();
            self.note("modem news", None, 0, format!("{input:?}").as_bytes());
            self.call(Input::Modem(&input));
        }
        self.radio_moves();
    }

    pub(super) fn radio_trouble(&mut self) {
        self.radio_again(self.scenario.radio.trouble_every, Event::RadioTrouble);
        if self.healed {
            return;
        }
        let (modem, now) = (self.radio.modem, self.clock());
        let during = Duration::from_micros(self.radio.rng.wait(20 * SEC));
        let kind = self.radio.rng.range(0, 3);
        let network = &mut self.radio.network;
        match kind {
            0 => network.force_registration(modem, Registration::Denied, Some(during), now),
            1 => network.force_registration(modem, Registration::NotRegistered, Some(during), now),
            _ => network.leave(modem, Some(during), now),
        }
        self.radio_moves();
    }

    /// Everybody is reachable from now on, and nothing is lost.
    pub(super) fn heal_radio(&mut self) {
        let (modem, now) = (self.radio.modem, self.clock());
        self.radio.network.set_faults(Default::default());
        self.radio.network.come_back(modem, now);
        self.radio
            .network
            .force_registration(modem, Registration::Home, None, now);
        self.radio_moves();
    }

    /// One set of messages is written at a time; a newer one takes the place of one that waits.
    pub(super) fn save_messages(&mut self, number: u64, text: String) {
        self.ledger.sms.set_begins(number);
        self.radio.disk.saving = Some((number, text));
        if !std::mem::replace(&mut self.radio.disk.planned, true) {
            let wait = if self.radio.rng.chance(90) {
                self.radio.rng.range(1, 40) * MS
            } else {
                3 * SEC
            };
            self.after(wait, Event::MessagesStored(self.disk.generation));
        }
    }

    pub(super) fn messages_stored(&mut self, generation: u64) {
        if generation != self.disk.generation {
            return;
        }
        self.radio.disk.planned = false;
        let Some((number, text)) = self.radio.disk.saving.take() else {
            return;
        };
        if !self.healed && self.radio.rng.chance(self.scenario.store_fails) {
            return self.store_input(StoreInput::MessagesFailed("no space left on device"));
        }
        (self.radio.disk.number, self.radio.disk.text) = (number, text);
        self.ledger.sms.set_stored(number);
        self.store_input(StoreInput::MessagesSaved(number));
    }

    /// The host dies: a set under way is on the disk or is not.
    pub(super) fn radio_host_dies(&mut self) {
        let disk = &mut self.radio.disk;
        disk.planned = false;
        if let Some((number, text)) = disk.saving.take()
            && self.radio.rng.chance(50)
        {
            (disk.number, disk.text) = (number, text);
        }
        self.ledger.sms.crashed(self.radio.disk.number);
        // Numbers begin again with the next start.
        self.radio.disk.number = 0;
        self.radio.inbox.clear();
    }

    /// Another host: the messages of the disk, and everything that the modem knows.
    pub(super) fn radio_host_starts(&mut self) {
        let problems = self.device.restore_messages(&self.radio.disk.text);
        if !problems.is_empty() {
            self.break_rule(
                Rule::Messages,
                format!("the stored messages cannot be read: {problems:?}"),
            );
        }
        let (modem, now) = (self.radio.modem, self.clock());
        self.radio.network.open_anew(modem, now);
        self.radio_moves();
    }

    pub(super) fn judge_messages(&mut self) {
        let settled = self.ledger.sms.settled();
        self.hold(Rule::Messages, settled);
        if self.scenario.radio.sms_mode {
            return;
        }
        let status = self.device.status(self.clock()).messages;
        let kept = u64::from(status.stored) + status.for_line as u64;
        let (sent, shown) = (self.ledger.sms.to_store, self.ledger.sms.shown);
        // One that was printed by itself may still be on the disk when the host dies, and come again.
        if kept > sent || kept + shown < sent || (shown == 0 && kept != sent) {
            let text = format!(
                "{kept} messages are stored or wait, {shown} were printed whole, {sent} were sent"
            );
            self.break_rule(Rule::Messages, text);
        }
    }
}
