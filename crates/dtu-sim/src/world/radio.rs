//! The cellular network around the device ([`cellular_sim::radio`]): phones that write, command and call, trouble with
//! the modem, and the disk's copy of messages.

use std::collections::{BTreeSet, VecDeque};

use bytes::Bytes;
use cellular_sim::Rng;
use cellular_sim::radio::{Id, Network, PhoneNews, Settings, Subscriber};
use dtu_proto::config::{FACTORY_PASSWORD, FactoryPassword};
use dtu_proto::event::{Input, ModemInput, ModemOutput, StoreInput};
use dtu_proto::radio::{PhoneNumber, Registration};
use dtu_proto::time::Duration;
use encoding_rs::GBK;
use sms_codec::address::Address;
use sms_codec::dcs::Dcs;
use sms_codec::pdu::{Deliver, Pdu, Tpdu};
use sms_codec::time::TimeStamp;
use sms_codec::udh::{Header, Ports};
use sms_codec::user_data::{Body, UserData};

use super::{Event, Rule, World};
use crate::commands::{Change, Deed};
use crate::{MS, SEC};

/// Phones that write letters, and as many that send commands.
const PHONES: usize = 3;
/// Letters that go to the storage, in parts: fewer than it has places, for nobody reads them.
const STORED_MAX: u64 = 40;
/// Letters that a modem and the device together may hold back.
const WAITING_MAX: usize = 60;
/// Messages for applications: far fewer than the storage has places.
const PUSHES_MAX: u64 = 20;

pub(super) struct Radio {
    pub(super) network: Network,
    modem: Id,
    rng: Rng,
    /// News on their way through the host.
    inbox: VecDeque<ModemInput>,
    news_planned: bool,
    /// When the network is looked at next.
    wake: Option<u64>,
    letters: u64,
    command_second: u64,
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
            news_planned: false,
            wake: None,
            letters: 0,
            command_second: 0,
            taken: BTreeSet::new(),
            reference,
            disk: MessageDisk::default(),
        }
    }

    fn own(&self) -> PhoneNumber {
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

fn number(text: &str) -> PhoneNumber {
    // Only called with digits.
    PhoneNumber::new(text).unwrap_or_else(|| unreachable!("{text} is a number"))
}

/// Phones 0.. write letters, from [`PHONES`] on they send commands.
fn phone(place: usize) -> PhoneNumber {
    number(&format!("+86139000000{place:02}"))
}

fn place_of(number: PhoneNumber) -> Option<usize> {
    (0..2 * PHONES).find(|place| phone(*place) == number)
}

impl World {
    pub(super) fn begin_radio(&mut self) {
        let style = self.scenario.radio.clone();
        self.books.post.disk_fails = self.scenario.store_fails > 0;
        let acts = [
            (style.letter_every, Event::Letter),
            (style.command_every, Event::PhoneCommand),
            (style.call_every, Event::Call),
            (style.trouble_every, Event::RadioTrouble),
        ];
        for (every, event) in acts {
            self.radio_again(every, event);
        }
        self.radio_moves();
    }

    fn radio_again(&mut self, every: u64, event: Event) {
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
        self.radio.network.order(modem, &order, now);
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
    fn radio_moves(&mut self) {
        while let Some((_, news)) = self.radio.network.poll_news() {
            self.radio.inbox.push_back(news);
        }
        while let Some(news) = self.radio.network.poll_phone() {
            self.phone_sees(news);
        }
        if !self.radio.inbox.is_empty() && !self.radio.news_planned {
            self.radio.news_planned = true;
            let late = self.scenario.host.late_read;
            let wait = if late == 0 {
                50
            } else {
                self.radio.rng.range(50, late)
            };
            self.after(wait, Event::RadioNews);
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

    pub(super) fn radio_news(&mut self) {
        self.radio.news_planned = false;
        while let Some(news) = self.radio.inbox.pop_front() {
            self.catch_up();
            self.note("modem news", None, 0, format!("{news:?}").as_bytes());
            self.call(Input::Modem(&news));
        }
        self.radio_moves();
    }

    fn phone_sees(&mut self, news: PhoneNews) {
        self.note("phone", None, 0, format!("{news:?}").as_bytes());
        let PhoneNews::Text { phone, data, .. } = news else {
            return;
        };
        let judged = match place_of(phone) {
            Some(place) => self.books.post.replied(place),
            None if self.scenario.radio.sms_mode => self.books.post.arrived(phone.as_str(), &data),
            None => Err(format!("{phone} gets a message that nobody sent")),
        };
        self.hold(Rule::Messages, judged);
    }

    pub(super) fn send_letter(&mut self) {
        self.radio_again(self.scenario.radio.letter_every, Event::Letter);
        if self.healed || self.radio.network.waiting_for(self.radio.own()) > WAITING_MAX {
            return;
        }
        self.radio.letters += 1;
        let place = self.radio.rng.size(0, PHONES - 1);
        let body = if self.scenario.radio.sms_mode {
            self.letter_to_line(place)
        } else {
            self.letter_to_store()
        };
        if let Some(body) = body {
            self.phone_sends(place, body);
        }
        if self.scenario.radio.sms_mode
            && self.radio.letters.is_multiple_of(8)
            && self.radio.letters / 8 <= PUSHES_MAX
        {
            self.push_to_port();
        }
    }

    /// A message for an application, of a phone that may command, with a command in it: it is stored, and neither
    /// printed nor run (M12). No two are alike.
    fn push_to_port(&mut self) {
        let text = format!("{},AT+CSQ", self.scenario.config.password);
        let ports = Ports {
            to: 2948,
            from: u16::try_from(self.radio.letters).unwrap_or(0),
        };
        let data = UserData {
            header: Some(Header::default().with_ports(ports)),
            body: Body::text(&text),
        };
        let Some(from) = Address::number(phone(PHONES).as_str()) else {
            return;
        };
        let stamp = TimeStamp([0x62, 0x10, 0x10, 0, 0, 0, 0x23]);
        let (no_more, forwarded, report, reply_path) = (true, false, false, false);
        let dcs = Dcs::of(data.body.alphabet());
        let deliver = Deliver {
            no_more,
            forwarded,
            report,
            reply_path,
            from,
            pid: 0,
            dcs,
            stamp,
            data,
        };
        let (modem, now) = (self.radio.modem, self.clock());
        // A full centre has none for it.
        let _ = self
            .radio
            .network
            .inject(modem, Tpdu::Deliver(deliver), now);
        self.radio_moves();
    }

    /// Each letter is another: a running number, in letters of GSM, of GBK, or as octets.
    fn letter_to_line(&mut self, place: usize) -> Option<Body> {
        let radio = &mut self.radio;
        // Where the disk fails parts may come again after their message is forgotten: there all letters are short.
        let most = if self.scenario.store_fails > 0 {
            60
        } else {
            500
        };
        let (kind, length) = (radio.rng.range(0, 9), radio.rng.wait(60).min(most));
        let head = format!("L{} ", radio.letters);
        let tail = usize::try_from(length).unwrap_or(0);
        let (body, bytes) = match kind {
            0..=4 => {
                let text = head + &"abc, 42 ".repeat(tail / 8);
                (Body::text(&text), text.into_bytes())
            }
            5..=7 => {
                let text = head + &"泵温度".repeat(tail / 9);
                (Body::text(&text), GBK.encode(&text).0.into_owned())
            }
            _ => {
                let bytes = [head.into_bytes(), radio.rng.bytes(tail)].concat();
                (Body::Octets(bytes.clone()), bytes)
            }
        };
        self.books.post.letter(place, bytes);
        Some(body)
    }

    fn letter_to_store(&mut self) -> Option<Body> {
        let text = format!("note {}", self.radio.letters);
        if self.books.post.to_store >= STORED_MAX {
            return None;
        }
        self.books.post.to_store += 1;
        Some(Body::text(&text))
    }

    fn phone_sends(&mut self, place: usize, body: Body) {
        let (own, now) = (self.radio.own(), self.clock());
        if let Err(problem) = self.radio.network.send_body(phone(place), own, body, now) {
            self.break_rule(Rule::Messages, format!("phone {place}: {problem}"));
        }
        self.radio_moves();
    }

    /// A question with the right password; who sends it gets a reply.
    pub(super) fn send_command(&mut self) {
        self.radio_again(self.scenario.radio.command_every, Event::PhoneCommand);
        let password = self.scenario.config.password.clone();
        let off = self.scenario.options.factory_password == FactoryPassword::Off;
        if self.healed || (off && password == FACTORY_PASSWORD) {
            return;
        }
        // Two that are the same in the same second are one to the device.
        let second = self.now / SEC;
        if std::mem::replace(&mut self.radio.command_second, second) == second {
            return;
        }
        let place = PHONES + self.radio.rng.size(0, PHONES - 1);
        let query = self
            .radio
            .rng
            .pick(&["AT+CSQ", "AT+CIPNUM?", "AT+CIVER", "AT+NOSUCH", "AT"]);
        self.books.post.owe(place);
        self.phone_sends(place, Body::text(&format!("{password},{query}")));
    }

    /// Where phones send commands nobody changes the password, for a message with the old one could be on its way.
    pub(super) fn spare_password(&self, (text, deed): (String, Deed)) -> (String, Deed) {
        let changes = matches!(deed, Deed::Set(Change::Password(_)));
        if changes && self.scenario.radio.command_every > 0 {
            ("AT+CIVER".to_owned(), Deed::Nothing)
        } else {
            (text, deed)
        }
    }

    pub(super) fn phone_calls(&mut self) {
        self.radio_again(self.scenario.radio.call_every, Event::Call);
        if self.healed {
            return;
        }
        let (own, now) = (self.radio.own(), self.clock());
        // A phone that has a call, or hangs up without one, does nothing.
        let caller = number("+8613900000099");
        if self.radio.network.call(caller, own, now).is_ok() {
            let wait = self.radio.rng.range(1, 20) * SEC;
            self.after(wait, Event::CallEnds);
        }
        self.radio_moves();
    }

    pub(super) fn phone_hangs_up(&mut self) {
        let now = self.clock();
        let _ = self.radio.network.hang_up(number("+8613900000099"), now);
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
        self.books.post.set_begins(number);
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
        self.books.post.set_stored(number);
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
        self.books.post.crashed(self.radio.disk.number);
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
        let settled = self.books.post.settled();
        self.hold(Rule::Messages, settled);
        if self.scenario.radio.sms_mode {
            return;
        }
        let status = self.device.status(self.clock()).messages;
        let kept = u64::from(status.stored) + status.for_line as u64;
        let (sent, shown) = (self.books.post.to_store, self.books.post.shown);
        // One that was printed by itself may still be on the disk when the host dies, and come again.
        if kept > sent || kept + shown < sent || (shown == 0 && kept != sent) {
            let text = format!(
                "{kept} messages are stored or wait, {shown} were printed whole, {sent} were sent"
            );
            self.break_rule(Rule::Messages, text);
        }
    }
}
