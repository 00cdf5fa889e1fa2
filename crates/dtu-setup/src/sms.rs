//! A device that is reached by short messages: `psw,AT+…`, each as one text (manual 2.8.5), through a modem on this
//! machine. Each text costs money and takes seconds, so that none is sent which is not needed.

use std::collections::VecDeque;
use std::hash::{Hash, Hasher};
use std::io;
use std::time::Duration;

use dtu_proto::radio::{
    ModemInput, ModemOutput, PhoneNumber, Registration, SimState, SubmitFailure,
};
use dtu_proto::shown_command;
use dtu_proto::time::Instant;
use modem_proto::{Input, Modem, Output, Settings};
use sms_codec::address::Address;
use sms_codec::join::{Concatenation, Content, Limits, Outcome, Part, join};
use sms_codec::pdu::{Deliver, Pdu, Submit, Tpdu};
use sms_codec::time::TimeStamp;
use sms_codec::user_data::{Body, UserData};

use crate::door::{Door, DoorError, End, Reply};
use crate::remote::new_password;
use crate::say::Sentence;
use crate::serial::Port;
use crate::talk::whole_reply;
use crate::words;

/// A device whose number is known, and the modem by which it is written to.
pub struct Sms<P> {
    port: P,
    modem: Modem,
    radio: Radio,
    to: Address,
    password: String,
    parts: Concatenation<Text, Duration>,
    /// Whole texts of the device that nobody has looked at; each is whole or given up before the next is sent.
    whole: VecDeque<Vec<Text>>,
    /// What came last, for a modem may report a text again.
    seen: VecDeque<(TimeStamp, UserData)>,
    submitted: Option<Result<u8, SubmitFailure>>,
    token: u32,
    /// No text goes out before.
    next_at: Duration,
    traffic: Traffic,
    /// Texts that stay with the modem: so many of others, and these of the device.
    others: usize,
    unasked: VecDeque<UserData>,
    /// Something was not answered: what comes now may belong to that.
    is_in_doubt: bool,
}

/// What the modem has told of itself.
#[derive(Default)]
struct Radio {
    has_messages: Option<bool>,
    sim: SimState,
    registration: Registration,
}

/// A part, with its number at the modem. A copy has another number, and is the same.
#[derive(Clone, Debug)]
struct Text {
    id: u64,
    data: UserData,
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        self.data == other.data
    }
}

impl Hash for Text {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.data.hash(state);
    }
}

/// Texts so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// That the network took.
    pub sent: usize,
    /// Of the device, in answer to them.
    pub received: usize,
    /// Of the device, and no answer: they stay with the modem.
    pub unasked: usize,
    /// Of other numbers, and what is no text: they stay with the modem.
    pub of_others: usize,
}

/// A modem that starts probes, registers, and reads its messages.
const READY: Duration = Duration::from_secs(90);
/// What it reads by itself at its start has ended when the line has been quiet for so long.
const SETTLED: Duration = Duration::from_secs(3);
/// The modem answers within three minutes.
const SUBMIT: Duration = Duration::from_secs(200);
/// Time stamps have seconds: texts that are alike are told from copies only if they are so far apart. That holds for
/// commands as it holds for answers.
const APART: Duration = Duration::from_millis(1100);
/// Both ways through the service centre.
const REPLY: Duration = Duration::from_secs(300);
/// A box that restarts and registers; the service centre tries again after minutes.
const RESTARTED: Duration = Duration::from_secs(900);
/// To delete what was read.
const CLEARED: Duration = Duration::from_secs(10);
/// The modem's dialogue reports no more than 64 texts that are left with it.
const MOST_LEFT: usize = 60;
/// Texts of the device that are known when they come again.
const SEEN: usize = 64;
/// Septets of a text (3GPP TS 23.040 9.2.3.24), and UTF-16 units.
const SEPTETS: usize = 160;
const UNITS: usize = 70;

impl<P: Port> Sms<P> {
    /// Brings the modem up, and lets it read what it has. No text is sent.
    ///
    /// # Errors
    /// The modem does not answer, cannot do messages, its SIM cannot be used, or it finds no network.
    pub fn enter(port: P, to: PhoneNumber, password: String) -> Result<Self, DoorError> {
        let Some(address) = Address::number(to.as_str()) else {
            return Err(DoorError::Other(words::no_number(to.as_str())));
        };
        let now = instant(port.now());
        let mut this = Self {
            modem: Modem::new(Settings::default(), now),
            port,
            radio: Radio::default(),
            to: address,
            password,
            parts: Concatenation::new(Limits {
                messages: 8,
                parts: 64,
                ..Limits::default()
            }),
            whole: VecDeque::new(),
            seen: VecDeque::new(),
            submitted: None,
            token: 0,
            next_at: Duration::ZERO,
            traffic: Traffic::default(),
            others: 0,
            unasked: VecDeque::new(),
            is_in_doubt: false,
        };
        this.modem.handle_input(Input::Opened, now);
        this.wait_until_ready()?;
        Ok(this)
    }

    /// The modem's port, to look at.
    pub const fn port(&self) -> &P {
        &self.port
    }

    /// The modem's port, for other uses.
    pub fn into_port(self) -> P {
        self.port
    }

    /// Texts so far.
    pub const fn traffic(&self) -> Traffic {
        self.traffic
    }

    fn wait_until_ready(&mut self) -> Result<(), DoorError> {
        let until = self.port.now() + READY;
        let is_done = |this: &mut Self| {
            let is_locked = matches!(this.radio.sim, SimState::PinNeeded | SimState::PukNeeded);
            let cannot = this.radio.has_messages == Some(false);
            (is_locked || cannot || this.radio.registration.is_registered()).then_some(())
        };
        let told = self.run(until, is_done)?;
        let fault = match (self.radio.has_messages, self.radio.sim) {
            (None, _) => Some(words::modem_silent(READY.as_secs())),
            (Some(false), _) => Some(words::modem_without_messages()),
            (_, SimState::PinNeeded) => Some(words::sim_wants_pin()),
            (_, SimState::PukNeeded) => Some(words::sim_wants_puk()),
            (_, SimState::Missing) => Some(words::no_sim()),
            (_, SimState::Ready | SimState::Unknown) if told.is_none() => {
                Some(words::not_registered(READY.as_secs()))
            }
            (_, SimState::Ready | SimState::Unknown) => None,
        };
        if let Some(fault) = fault {
            return Err(DoorError::Other(fault));
        }
        self.settle()
    }

    /// Old texts are read now, before one is sent: none of them is an answer.
    fn settle(&mut self) -> Result<(), DoorError> {
        let most = self.port.now() + READY;
        let mut heard = self.modem.counters();
        while self.port.now() < most {
            let until = self.port.now() + SETTLED;
            let before = self.port.now();
            // Any byte is a turn of its own.
            let talks = self.turn(until)?;
            let news = self.modem.counters();
            let is_quiet = !talks && news == heard && self.port.now() >= before + SETTLED;
            heard = news;
            if is_quiet {
                break;
            }
        }
        self.forget_whole();
        let left = self.others + self.unasked.len();
        if left >= MOST_LEFT {
            return Err(DoorError::Other(words::modem_is_full(left)));
        }
        Ok(())
    }

    /// Texts of the device that answer nothing.
    fn forget_whole(&mut self) {
        while let Some(text) = self.whole.pop_front() {
            self.leave_there(text);
        }
    }

    fn leave_there(&mut self, texts: impl IntoIterator<Item = Text>) {
        for text in texts {
            self.traffic.unasked += 1;
            if self.unasked.len() == SEEN {
                self.unasked.pop_front();
            }
            self.unasked.push_back(text.data);
        }
    }

    /// Turns until that is so; `None`: it was not in that time.
    fn run<R>(
        &mut self,
        until: Duration,
        mut done: impl FnMut(&mut Self) -> Option<R>,
    ) -> Result<Option<R>, DoorError> {
        loop {
            self.carry_out()?;
            if let Some(result) = done(self) {
                return Ok(Some(result));
            }
            if self.port.now() >= until {
                return Ok(None);
            }
            self.turn(until)?;
        }
    }

    /// Waits for bytes of the modem or for its next deadline; whether there were bytes.
    fn turn(&mut self, until: Duration) -> Result<bool, DoorError> {
        self.carry_out()?;
        let due = self.modem.poll_timeout().map(|deadline| deadline.at);
        let due = due.map_or(until, |at| since_start(at).min(until));
        let mut buffer = [0; 1024];
        let count = if due > self.port.now() {
            self.port.read(&mut buffer, due)?
        } else {
            0
        };
        let now = instant(self.port.now());
        if count > 0 {
            let bytes = buffer.get(..count).unwrap_or_default();
            self.modem.handle_input(Input::Bytes(bytes), now);
        }
        self.modem.handle_timeout(now);
        self.carry_out()?;
        Ok(count > 0)
    }

    fn carry_out(&mut self) -> Result<(), DoorError> {
        while let Some(output) = self.modem.poll_output() {
            match output {
                Output::Write(bytes) => self.port.write(&bytes)?,
                Output::Report(news) => self.on_news(news),
                Output::Reopen => {
                    let now = instant(self.port.now());
                    self.modem.handle_input(Input::Opened, now);
                }
                Output::Event(_) => {}
            }
        }
        Ok(())
    }

    fn on_news(&mut self, news: ModemInput) {
        match news {
            ModemInput::Present(who) => self.radio.has_messages = Some(who.abilities.messages),
            ModemInput::Gone => {
                self.radio = Radio::default();
                // It reports what it has once more.
                self.others = 0;
            }
            ModemInput::Sim(state) => self.radio.sim = state,
            ModemInput::Registration(registration) => self.radio.registration = registration,
            ModemInput::Message { id, pdu } => self.on_message(id, &pdu),
            ModemInput::Submitted { token, outcome } if token == self.token => {
                self.submitted = Some(outcome);
            }
            ModemInput::Submitted { .. }
            | ModemInput::Attached(_)
            | ModemInput::Detached
            | ModemInput::Operator(_)
            | ModemInput::Signal(_)
            | ModemInput::Cell(_)
            | ModemInput::OwnNumber(_)
            | ModemInput::ServiceCenter(_)
            | ModemInput::Lacks(_)
            | ModemInput::Clock(_)
            | ModemInput::Call(_) => {}
        }
    }

    fn on_message(&mut self, id: u64, pdu: &[u8]) {
        let decoded = Pdu::decode(pdu).map(|decoded| decoded.pdu.tpdu);
        let Ok(Tpdu::Deliver(deliver)) = decoded else {
            return self.leave_to_others();
        };
        if !is_same_number(&deliver.from, &self.to) || deliver.data.ports().is_some() {
            return self.leave_to_others();
        }
        let Deliver {
            from, stamp, data, ..
        } = deliver;
        let concat = data
            .header
            .as_ref()
            .and_then(sms_codec::udh::Header::concat);
        let text = Text {
            id,
            data: data.clone(),
        };
        let Some(concat) = concat else {
            let news = (stamp, text.data.clone());
            if self.seen.contains(&news) {
                return self.on_copy(id, &news.1);
            }
            if self.seen.len() == SEEN {
                self.seen.pop_front();
            }
            self.seen.push_back(news);
            return self.whole.push_back(vec![text]);
        };
        let part = Part {
            sender: &from,
            concat,
            stamp,
            value: text,
        };
        let arrival = self.parts.insert(part, self.port.now());
        for broken in arrival.given_up {
            self.leave_there(broken.parts.into_iter().flatten());
        }
        match arrival.outcome {
            Outcome::Complete(parts) => self.whole.push_back(parts),
            Outcome::Waiting => {}
            Outcome::Duplicate => self.on_copy(id, &data),
        }
    }

    /// The network has delivered it twice; or it is left with the modem, which has restarted and reports it again.
    fn on_copy(&mut self, id: u64, data: &UserData) {
        if !self.unasked.contains(data) {
            self.take(id);
        }
    }

    fn leave_to_others(&mut self) {
        self.traffic.of_others += 1;
        self.others += 1;
    }

    /// The modem may forget it.
    fn take(&mut self, id: u64) {
        let now = instant(self.port.now());
        let order = ModemOutput::Taken(id);
        self.modem.handle_input(Input::Order(&order), now);
    }

    fn exchange(&mut self, line: &str, within: Duration) -> Result<Reply, DoorError> {
        if self.is_in_doubt {
            return Err(DoorError::Other(words::sms_in_doubt()));
        }
        self.fits(line).map_err(DoorError::Other)?;
        // What has come meanwhile answers nothing.
        let until = self.next_at;
        self.run(until, |_| None::<()>)?;
        self.turn(self.port.now())?;
        self.forget_whole();
        self.submit(line)?;
        let until = self.port.now() + within;
        let answer = self.run(until, |this| this.answer_to(line));
        // Stopped in between it is as much in doubt.
        self.is_in_doubt = true;
        let Some(reply) = answer? else {
            let line = shown_command(line);
            return Err(DoorError::Other(words::no_text(line, within.as_secs())));
        };
        self.is_in_doubt = false;
        self.next_at = self.port.now() + APART;
        Ok(reply)
    }

    fn submit(&mut self, line: &str) -> Result<(), DoorError> {
        let data = UserData::plain(Body::text(&self.text_of(line)));
        let pdu = Pdu {
            smsc: None,
            tpdu: Tpdu::Submit(Submit::new(self.to.clone(), data)),
        };
        let pdu = pdu
            .encode()
            .map_err(|error| io::Error::other(error.to_string()))?;
        self.token += 1;
        self.submitted = None;
        let order = ModemOutput::Submit {
            token: self.token,
            pdu: pdu.into(),
        };
        let now = instant(self.port.now());
        self.modem.handle_input(Input::Order(&order), now);
        let until = self.port.now() + SUBMIT;
        let outcome = self.run(until, |this| this.submitted.take());
        self.is_in_doubt = true;
        let why = match outcome? {
            Some(Ok(_)) => {
                self.is_in_doubt = false;
                self.traffic.sent += 1;
                return Ok(());
            }
            Some(Err(failure)) => {
                // Without an answer of the network it may have gone.
                self.is_in_doubt = failure == SubmitFailure::TIMED_OUT;
                failure.to_string()
            }
            None => SubmitFailure::TIMED_OUT.to_string(),
        };
        let line = shown_command(line);
        Err(DoorError::Other(words::text_not_sent(line, why)))
    }

    /// The first whole text of the device that answers this.
    fn answer_to(&mut self, line: &str) -> Option<Reply> {
        while let Some(parts) = self.whole.pop_front() {
            let text = match join(parts.iter().map(|part| &part.data)) {
                Content::Text(text) => text,
                Content::Octets(octets) => String::from_utf8_lossy(&octets).into_owned(),
            };
            let reply = whole_reply(line, &text);
            if answers(line, &reply) {
                self.traffic.received += parts.len();
                for part in parts {
                    self.take(part.id);
                }
                return Some(reply);
            }
            self.leave_there(parts);
        }
        None
    }

    fn text_of(&self, line: &str) -> String {
        format!("{},{line}", self.password)
    }
}

impl<P: Port> Door for Sms<P> {
    fn command(&mut self, line: &str) -> Result<Reply, DoorError> {
        let reply = self.exchange(line, REPLY)?;
        if reply.end == End::Ok
            && let Some(password) = new_password(line)
        {
            self.password = password;
        }
        Ok(reply)
    }

    fn restart(&mut self, command: &str, _: Option<u32>) -> Result<(), DoorError> {
        self.exchange(command, REPLY)?.taken(command)?;
        if command == FACTORY {
            FACTORY_PASSWORD.clone_into(&mut self.password);
        }
        // The service centre keeps it until the device has its network again.
        self.exchange("AT", RESTARTED).map(|_| ())
    }

    /// Waits until the modem has deleted what was read: it would be old news to the next one.
    fn leave(&mut self) -> Result<(), DoorError> {
        let until = self.port.now() + CLEARED;
        let taken = u64::try_from(self.traffic.received).unwrap_or(u64::MAX);
        self.run(until, |this| {
            (this.modem.counters().deleted >= taken).then_some(())
        })?;
        Ok(())
    }

    fn shut_by(&self) -> &[&str] {
        &["CIPSW"]
    }

    /// The new password holds at once.
    fn is_shut_at_once(&self) -> bool {
        true
    }

    fn is_dear(&self) -> bool {
        true
    }

    fn fits(&self, line: &str) -> Result<(), Sentence> {
        let (units, room) = match Body::text(&self.text_of(line)) {
            Body::Septets(septets) => (septets.len(), SEPTETS),
            Body::Ucs2(units) => (units.len(), UNITS),
            Body::Octets(octets) => (octets.len(), SEPTETS * 7 / 8),
        };
        if units <= room {
            Ok(())
        } else {
            Err(words::no_room_in_text(shown_command(line), units, room))
        }
    }
}

/// Whether this is the answer to that command: it ends as one, or tells of what was asked.
fn answers(line: &str, reply: &Reply) -> bool {
    let asked = line.to_ascii_uppercase();
    let names = |told: &String| {
        let name = told.split([':', '=']).next().unwrap_or_default().trim();
        name.starts_with('+').then(|| name.to_ascii_uppercase())
    };
    let told: Vec<String> = reply.lines.iter().filter_map(names).collect();
    // A dump tells all (manual 2.8.6.32).
    let is_dump = asked.contains("+CIPSCONT?");
    let is_of_it = is_dump || told.iter().any(|name| asked.contains(name.as_str()));
    match reply.end {
        End::Ok => told.is_empty() || is_of_it,
        End::Refused(_) => true,
        End::Silence => is_of_it && !told.is_empty(),
    }
}

/// As people write it and as networks show it: `13800138000`, `+8613800138000`.
fn is_same_number(one: &Address, other: &Address) -> bool {
    if one.is_name() || other.is_name() {
        return false;
    }
    let [one, other] = [one, other].map(|it| it.text().trim_start_matches('0'));
    let (short, long) = if one.len() < other.len() {
        (one, other)
    } else {
        (other, one)
    };
    short == long || short.len() >= NATIONAL && long.ends_with(short)
}

/// A national number has so many digits at least.
const NATIONAL: usize = 7;
const FACTORY: &str = "AT+CIRELOAD";
const FACTORY_PASSWORD: &str = "admin";

fn instant(now: Duration) -> Instant {
    Instant::from_micros(u64::try_from(now.as_micros()).unwrap_or(u64::MAX))
}

const fn since_start(at: Instant) -> Duration {
    Duration::from_micros(at.as_micros())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_known_however_it_is_written() {
        let same = |one: &str, other: &str| {
            let [one, other] =
                [one, other].map(|text| Address::number(text).unwrap_or_else(|| panic!("{text}")));
            is_same_number(&one, &other)
        };
        assert!(same("+8613800138000", "13800138000"));
        assert!(same("10086", "10086"));
        assert!(same("004915112345678", "+4915112345678"));
        assert!(!same("+8613800138000", "13800138001"));
        assert!(!same("10086", "0086"), "no suffix of a short number");
        assert!(!same("110086", "10086"));
    }

    #[test]
    fn an_answer_tells_of_what_was_asked() {
        let is = |line: &str, text: &str| answers(line, &whole_reply(line, text));
        assert!(is("AT+CSQ", "+CSQ: 31, 99\r\n\r\nOK"));
        assert!(is("AT+CIPCFG=1,30", "OK"));
        assert!(is("AT+CIPCFG=1,30", "ERROR"));
        assert!(is("AT+CIPSCONT?", "+CIPMODE: 0\r\n+CIPSTART=1,\"TCP\""));
        assert!(is("AT+CGSN", "135790246811220\r\n\r\nOK"));
        // Late answers, and data of its serial line.
        assert!(!is("AT+CSQ", "+CIPNUM: 10086\r\n\r\nOK"));
        assert!(!is("AT+CIPCFG=1,30", "+CSQ: 31, 99\r\n\r\nOK"));
        assert!(!is("AT+CSQ", "42 kWh"));
    }
}
