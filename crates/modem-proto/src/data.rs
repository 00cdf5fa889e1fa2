//! The packet data context (27.007 10.1): access point, user, password, and the connection itself where it is wanted.

use core::net::IpAddr;

use dtu_proto::config::Apn;
use dtu_proto::radio::ModemInput;
use dtu_proto::time::{Duration, Instant};

use crate::command::Command;
use crate::event::Event;
use crate::exchange::Request;
use crate::limitation::Limitation;
use crate::modem::Modem;
use crate::response::{Outcome, Response, fields};

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
            return self.log(Event::ApnRefused);
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
            self.queue.push(Command::QueryContexts);
        }
    }

    /// The one that is set is left alone: setting it costs writes of the modem's memory, and the connection.
    pub(crate) fn on_contexts(&mut self, response: &Response) {
        let Some(apn) = &self.data.apn else { return };
        // Without a name the modem's own stays.
        let is_set = apn.name.is_empty()
            || response.lines.iter().any(|line| {
                let fields = fields(line);
                let text = |at: usize| fields.get(at).map(|field| field.text);
                text(0) == Some("1")
                    && text(2).is_some_and(|name| name.eq_ignore_ascii_case(&apn.name))
            });
        if is_set {
            return self.authenticate();
        }
        if self.data.connecting {
            self.queue.push(Command::Activate(false));
        }
        let name = self.mask(&apn.name);
        self.log(Event::ApnSet(name));
        self.queue.push(Command::DefineContext);
    }

    pub(crate) fn context_is_set(&mut self, request: &Request, response: &Response) {
        self.complain(request, response);
        self.limited_if_refused(response, Limitation::AccessPoint);
        self.authenticate();
    }

    /// User and password cannot be read back, so they are set once a start.
    fn authenticate(&mut self) {
        if self.authentication().is_some() {
            self.queue.push(Command::SetAuthentication);
        } else {
            self.settled();
        }
    }

    pub(crate) fn authentication_is_set(&mut self, request: &Request, response: &Response) {
        self.complain(request, response);
        self.limited_if_refused(response, Limitation::Authentication);
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
            self.queue.push(Command::Attach);
        }
    }

    pub(crate) fn attached(&mut self, response: &Response, now: Instant) {
        // Many attach by themselves, and refuse to be told.
        if response.outcome == Outcome::TimedOut {
            self.queue.schedule(now + RETRY, Command::Attach);
        } else {
            self.queue.push(Command::Activate(true));
        }
    }

    pub(crate) fn activated(&mut self, on: bool, response: &Response, now: Instant) {
        if !on {
            self.data_lost();
        } else if response.is_ok() {
            self.clear_limitation(Limitation::Connection);
            self.queue.push(Command::QueryAddress);
        } else {
            self.add_limitation(Limitation::Connection);
            self.queue.schedule(now + RETRY, Command::Attach);
        }
    }

    /// `+CGPADDR: 1,"10.0.0.2"`, with or without quotes.
    pub(crate) fn on_address(&mut self, response: &Response, now: Instant) {
        self.queue.schedule(now + LOOK, Command::QueryActive);
        let address = response
            .fields()
            .get(1)
            .and_then(|field| field.number::<IpAddr>());
        let Some(address) = address.filter(|address| response.is_ok() && !address.is_unspecified())
        else {
            return;
        };
        if self.data.address.replace(address) != Some(address) {
            self.emit(ModemInput::Attached(address));
        }
    }

    pub(crate) fn on_active(&mut self, response: &Response, now: Instant) {
        let is =
            |line: &str| matches!(*fields(line), [id, on, ..] if id.text == "1" && on.text == "1");
        if !response.is_ok() || response.lines.iter().any(|line| is(line)) {
            return self.queue.schedule(now + LOOK, Command::QueryActive);
        }
        self.data_lost();
        self.connect();
    }

    pub(crate) fn on_data_urc(&mut self, line: &str, now: Instant) -> bool {
        let is_news = line.starts_with("+CGEV:");
        if is_news && self.data.connecting {
            self.queue.schedule(now + SOON, Command::QueryActive);
        }
        is_news
    }

    pub(crate) fn data_lost(&mut self) {
        self.data.connecting = false;
        self.queue.cancel(|command| {
            matches!(
                command,
                Command::Attach
                    | Command::Activate(true)
                    | Command::QueryAddress
                    | Command::QueryActive
            )
        });
        if self.data.address.take().is_some() {
            self.emit(ModemInput::Detached);
        }
    }
}

/// Between two attempts to connect.
const RETRY: Duration = Duration::from_secs(30);
/// Between two looks at a connection.
const LOOK: Duration = Duration::from_secs(60);
/// After news of the connection.
const SOON: Duration = Duration::from_secs(2);
