//! The packet data context (27.007 10.1): access point, user, password, and the connection itself where it is wanted.

use core::net::IpAddr;

use dtu_proto::config::Apn;
use dtu_proto::radio::ModemInput;
use dtu_proto::time::{Duration, Instant};

use crate::answer::{Answer, Outcome, fields};
use crate::channel::Request;
use crate::event::Event;
use crate::job::Job;
use crate::lack::Lack;
use crate::modem::Modem;

/// Context 1, the one that the makers' own network interfaces use.
#[derive(Debug, Default)]
pub(crate) struct Data {
    /// As the device ordered it.
    pub(crate) apn: Option<Apn>,
    /// User and password were set at this modem before.
    pub(crate) authenticated: bool,
    /// The one that is being set, or is set; `None` = this modem was not asked yet.
    chosen: Option<Apn>,
    /// It is set.
    settled: bool,
    /// An attempt to connect is under way or waits, or the connection stands.
    connecting: bool,
    address: Option<IpAddr>,
}

impl Data {
    /// The modem is gone; the order stands.
    pub(crate) fn forget(&mut self) {
        *self = Self {
            apn: self.apn.take(),
            ..Self::default()
        };
    }
}

impl Modem {
    pub(crate) fn use_apn(&mut self, apn: &Apn) {
        if self.data.apn.as_ref() == Some(apn) {
            return;
        }
        let can_be_sent = |text: &str| {
            text.bytes()
                .all(|byte| (b' '..=b'~').contains(&byte) && byte != b'"')
        };
        if ![&apn.name, &apn.user, &apn.password]
            .into_iter()
            .all(|text| can_be_sent(text))
        {
            return self.note(Event::ApnRefused);
        }
        self.data.apn = Some(apn.clone());
        // What is being set now is set to its end first.
        if self.data.settled {
            self.data.settled = false;
            self.data.chosen = None;
        }
        if self.present {
            self.data_wanted();
        }
    }

    /// The card is open, the network is there, or the access point is another one.
    pub(crate) fn data_wanted(&mut self) {
        if !self.sim.is_usable() || self.data.apn.is_none() {
            return;
        }
        if self.data.settled {
            self.connect();
        } else if self.data.chosen.is_none() {
            self.data.chosen.clone_from(&self.data.apn);
            self.agenda.push(Job::Contexts);
        }
    }

    /// The one that is set is left alone: setting it costs writes of the modem's memory, and the connection.
    pub(crate) fn know_contexts(&mut self, answer: &Answer) {
        let Some(apn) = &self.data.apn else { return };
        // Without a name the modem's own stays.
        let is_set = apn.name.is_empty()
            || answer.lines.iter().any(|line| {
                let fields = fields(line);
                let text = |at: usize| fields.get(at).map(|field| field.text);
                text(0) == Some("1")
                    && text(2).is_some_and(|name| name.eq_ignore_ascii_case(&apn.name))
            });
        if is_set {
            return self.authenticate();
        }
        if self.data.connecting {
            self.agenda.push(Job::Activate(false));
        }
        let name = self.mask(&apn.name);
        self.note(Event::ApnSet(name));
        self.agenda.push(Job::Context);
    }

    pub(crate) fn context_is_set(&mut self, request: &Request, answer: &Answer) {
        self.complain(request, answer);
        self.lack_if_refused(answer, Lack::AccessPoint);
        self.authenticate();
    }

    /// User and password cannot be read back, so they are set once a start.
    fn authenticate(&mut self) {
        if self.authentication().is_some() {
            self.agenda.push(Job::Authentication);
        } else {
            self.settled();
        }
    }

    pub(crate) fn authentication_is_set(&mut self, request: &Request, answer: &Answer) {
        self.complain(request, answer);
        self.lack_if_refused(answer, Lack::Authentication);
        self.data.authenticated = true;
        self.settled();
    }

    fn settled(&mut self) {
        self.data.settled = self.data.chosen == self.data.apn;
        if !self.data.settled {
            self.data.chosen = None;
        }
        self.data_wanted();
    }

    fn connect(&mut self) {
        let wanted = self.settings.activate && self.network.is_registered();
        if wanted && !core::mem::replace(&mut self.data.connecting, true) {
            self.agenda.push(Job::Attach);
        }
    }

    pub(crate) fn attached(&mut self, answer: &Answer, now: Instant) {
        // Many attach by themselves, and refuse to be told.
        if answer.outcome == Outcome::TimedOut {
            self.agenda.later(now + RETRY, Job::Attach);
        } else {
            self.agenda.push(Job::Activate(true));
        }
    }

    pub(crate) fn activated(&mut self, on: bool, answer: &Answer, now: Instant) {
        if !on {
            self.data_lost();
        } else if answer.is_ok() {
            self.lack_no_more(Lack::Connection);
            self.agenda.push(Job::Address);
        } else {
            self.lack(Lack::Connection);
            self.agenda.later(now + RETRY, Job::Attach);
        }
    }

    /// `+CGPADDR: 1,"10.0.0.2"`, with or without quotes.
    pub(crate) fn know_address(&mut self, answer: &Answer, now: Instant) {
        self.agenda.later(now + LOOK, Job::IsActive);
        let address = answer
            .fields()
            .get(1)
            .and_then(|field| field.number::<IpAddr>());
        let Some(address) = address.filter(|address| answer.is_ok() && !address.is_unspecified())
        else {
            return;
        };
        if self.data.address.replace(address) != Some(address) {
            self.tell(ModemInput::Attached(address));
        }
    }

    pub(crate) fn know_active(&mut self, answer: &Answer, now: Instant) {
        let is =
            |line: &str| matches!(*fields(line), [id, on, ..] if id.text == "1" && on.text == "1");
        if !answer.is_ok() || answer.lines.iter().any(|line| is(line)) {
            return self.agenda.later(now + LOOK, Job::IsActive);
        }
        self.data_lost();
        self.connect();
    }

    pub(crate) fn data_news(&mut self, line: &str, now: Instant) -> bool {
        let is_news = line.starts_with("+CGEV:");
        if is_news && self.data.connecting {
            self.agenda.later(now + SOON, Job::IsActive);
        }
        is_news
    }

    pub(crate) fn data_lost(&mut self) {
        self.data.connecting = false;
        self.agenda.cancel(|job| {
            matches!(
                job,
                Job::Attach | Job::Activate(true) | Job::Address | Job::IsActive
            )
        });
        if self.data.address.take().is_some() {
            self.tell(ModemInput::Detached);
        }
    }
}

/// Between two attempts to connect.
const RETRY: Duration = Duration::from_secs(30);
/// Between two looks at a connection.
const LOOK: Duration = Duration::from_secs(60);
/// After news of the connection.
const SOON: Duration = Duration::from_secs(2);
