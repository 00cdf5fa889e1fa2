//! The packet data context (27.007 10.1): access point, user, password, and the connection itself where it is wanted.

use alloc::format;
use alloc::string::{String, ToString as _};
use core::net::IpAddr;

use dtu_proto::config::Apn;
use dtu_proto::radio::ModemInput;
use dtu_proto::time::Duration;

use crate::command::Command;
use crate::cx::Cx;
use crate::dialect::{Authentication, Dialect};
use crate::event::Event;
use crate::exchange::Request;
use crate::limitation::Limitation;
use crate::response::{Outcome, Response, fields};

/// Context 1, the one that the makers' own network interfaces use.
#[derive(Debug, Default)]
pub(crate) struct DataContext {
    /// As the device ordered it.
    apn: Option<Apn>,
    /// User and password were set at this modem before.
    authenticated: bool,
    /// The one that is being set, or is set; `None` = this modem was not asked yet.
    requested: Option<Apn>,
    /// It is set.
    is_set: bool,
    /// An attempt to connect is under way or waits, or the connection stands.
    connecting: bool,
    address: Option<IpAddr>,
}

/// What a data connection needs of other parts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DataAccess {
    pub(crate) sim_usable: bool,
    pub(crate) registered: bool,
}

impl DataContext {
    /// The modem is gone; the order stands.
    pub(crate) fn forget(&mut self) {
        *self = Self {
            apn: self.apn.take(),
            ..Self::default()
        };
    }

    pub(crate) fn use_apn(&mut self, cx: &mut Cx, access: DataAccess, apn: &Apn) {
        if self.apn.as_ref() == Some(apn) {
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
            return cx.log(Event::ApnRefused);
        }
        cx.password = Some(apn.password.clone());
        self.apn = Some(apn.clone());
        // What is being set now is set to its end first.
        if self.is_set {
            self.is_set = false;
            self.requested = None;
        }
        if cx.present {
            self.advance(cx, access);
        }
    }

    /// The card is open, the network is there, or the access point is another one.
    pub(crate) fn advance(&mut self, cx: &mut Cx, access: DataAccess) {
        if !access.sim_usable || self.apn.is_none() {
            return;
        }
        if self.is_set {
            self.connect(cx, access);
        } else if self.requested.is_none() {
            self.requested.clone_from(&self.apn);
            cx.queue.push(Command::QueryContexts);
        }
    }

    /// The one that is set is left alone: setting it costs writes of the modem's memory, and the connection.
    pub(crate) fn on_contexts(&mut self, cx: &mut Cx, access: DataAccess, response: &Response) {
        let Some(apn) = &self.apn else { return };
        // Without a name the modem's own stays.
        let is_set = apn.name.is_empty()
            || response.lines.iter().any(|line| {
                let fields = fields(line);
                let text = |at: usize| fields.get(at).map(|field| field.text);
                text(0) == Some("1")
                    && text(2).is_some_and(|name| name.eq_ignore_ascii_case(&apn.name))
            });
        if is_set {
            return self.authenticate(cx, access);
        }
        if self.connecting {
            cx.queue.push(Command::Activate(false));
        }
        let name = cx.mask(&apn.name);
        cx.log(Event::ApnSet(name));
        cx.queue.push(Command::DefineContext);
    }

    pub(crate) fn on_context_set(
        &mut self,
        cx: &mut Cx,
        access: DataAccess,
        request: &Request,
        response: &Response,
    ) {
        cx.log_refusal(request, response);
        cx.limited_if_refused(response, Limitation::AccessPoint);
        self.authenticate(cx, access);
    }

    /// User and password cannot be read back, so they are set once a start.
    fn authenticate(&mut self, cx: &mut Cx, access: DataAccess) {
        if self.authentication_command(cx.dialect).is_some() {
            cx.queue.push(Command::SetAuthentication);
        } else {
            self.on_set(cx, access);
        }
    }

    pub(crate) fn on_authentication_set(
        &mut self,
        cx: &mut Cx,
        access: DataAccess,
        request: &Request,
        response: &Response,
    ) {
        cx.log_refusal(request, response);
        cx.limited_if_refused(response, Limitation::Authentication);
        self.authenticated = true;
        self.on_set(cx, access);
    }

    /// `AT+CGDCONT=1,…`
    pub(crate) fn define_command(&self) -> Option<String> {
        let name = &self.apn.as_ref()?.name;
        Some(format!("AT+CGDCONT=1,\"IP\",\"{name}\""))
    }

    /// Where there is something to be set or taken back.
    pub(crate) fn authentication_command(&self, dialect: &Dialect) -> Option<String> {
        let apn = self.apn.as_ref()?;
        let (name, user, password) = (&apn.name, &apn.user, &apn.password);
        if user.is_empty() && password.is_empty() {
            let none = matches!(
                dialect.authentication,
                Authentication::Standard | Authentication::PasswordFirst
            );
            return (none && self.authenticated).then(|| "AT+CGAUTH=1,0".to_string());
        }
        Some(match dialect.authentication {
            Authentication::Standard => format!("AT+CGAUTH=1,1,\"{user}\",\"{password}\""),
            Authentication::PasswordFirst => format!("AT+CGAUTH=1,1,\"{password}\",\"{user}\""),
            Authentication::Quectel => {
                format!("AT+QICSGP=1,1,\"{name}\",\"{user}\",\"{password}\",3")
            }
            Authentication::Cstt => format!("AT+CSTT=\"{name}\",\"{user}\",\"{password}\""),
        })
    }

    fn on_set(&mut self, cx: &mut Cx, access: DataAccess) {
        self.is_set = self.requested == self.apn;
        if !self.is_set {
            self.requested = None;
        }
        self.advance(cx, access);
    }

    fn connect(&mut self, cx: &mut Cx, access: DataAccess) {
        let wanted = cx.settings.activate && access.registered;
        if wanted && !core::mem::replace(&mut self.connecting, true) {
            cx.queue.push(Command::Attach);
        }
    }

    pub(crate) fn on_attach(&mut self, cx: &mut Cx, response: &Response) {
        // Many attach by themselves, and refuse the command.
        if response.outcome == Outcome::TimedOut {
            cx.queue.schedule(cx.now + RETRY, Command::Attach);
        } else {
            cx.queue.push(Command::Activate(true));
        }
    }

    pub(crate) fn on_activate(&mut self, cx: &mut Cx, on: bool, response: &Response) {
        if !on {
            self.on_lost(cx);
        } else if response.is_ok() {
            cx.clear_limitation(Limitation::Connection);
            cx.queue.push(Command::QueryAddress);
        } else {
            cx.add_limitation(Limitation::Connection);
            cx.queue.schedule(cx.now + RETRY, Command::Attach);
        }
    }

    /// `+CGPADDR: 1,"10.0.0.2"`, with or without quotes.
    pub(crate) fn on_address(&mut self, cx: &mut Cx, response: &Response) {
        cx.queue.schedule(cx.now + LOOK, Command::QueryActive);
        let address = response
            .fields()
            .get(1)
            .and_then(|field| field.number::<IpAddr>());
        let Some(address) = address.filter(|address| response.is_ok() && !address.is_unspecified())
        else {
            return;
        };
        if self.address.replace(address) != Some(address) {
            cx.emit(ModemInput::Attached(address));
        }
    }

    pub(crate) fn on_active(&mut self, cx: &mut Cx, access: DataAccess, response: &Response) {
        let is =
            |line: &str| matches!(*fields(line), [id, on, ..] if id.text == "1" && on.text == "1");
        if !response.is_ok() || response.lines.iter().any(|line| is(line)) {
            return cx.queue.schedule(cx.now + LOOK, Command::QueryActive);
        }
        self.on_lost(cx);
        self.connect(cx, access);
    }

    pub(crate) fn on_urc(&mut self, cx: &mut Cx, line: &str) -> bool {
        let is_urc = line.starts_with("+CGEV:");
        if is_urc && self.connecting {
            cx.queue.schedule(cx.now + SOON, Command::QueryActive);
        }
        is_urc
    }

    pub(crate) fn on_lost(&mut self, cx: &mut Cx) {
        self.connecting = false;
        cx.queue.cancel(|command| {
            matches!(
                command,
                Command::Attach
                    | Command::Activate(true)
                    | Command::QueryAddress
                    | Command::QueryActive
            )
        });
        if self.address.take().is_some() {
            cx.emit(ModemInput::Detached);
        }
    }
}

/// Between two attempts to connect.
const RETRY: Duration = Duration::from_secs(30);
/// Between two looks at a connection.
const LOOK: Duration = Duration::from_secs(60);
/// After a URC about the connection.
const SOON: Duration = Duration::from_secs(2);
