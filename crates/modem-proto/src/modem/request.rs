//! The text of each command, which lines are its response, and how long that may take.
//!
//! 27.007 names hardly any time; the limits are those of the makers' manuals, rounded up.

use alloc::format;
use alloc::string::{String, ToString as _};

use dtu_proto::time::Duration;

use crate::command::Command;
use crate::dialect::GENERIC;
use crate::exchange::{InfoText, Request};
use crate::startup::{probe_limit, probe_text};
use crate::storage::Storages;

use super::Modem;

impl Modem {
    /// The command; `None` = it is moot by now.
    pub(super) fn request(&self, command: Command) -> Option<Request> {
        if command == Command::Submit {
            return self.submit_request();
        }
        let (text, info) = self.text(command)?;
        Some(Request {
            command,
            text,
            limit: limit(command),
            info,
            body: None,
        })
    }

    fn submit_request(&self) -> Option<Request> {
        let (text, body) = self.outbox.command()?;
        Some(Request {
            command: Command::Submit,
            text,
            limit: limit(Command::Submit),
            info: InfoText::Prefix("+CMGS:"),
            body: Some((body, NETWORK_ANSWER)),
        })
    }

    fn text(&self, command: Command) -> Option<(String, InfoText)> {
        let plain = |text: &str| Some((text.to_string(), InfoText::None));
        let asks = |text: &str, prefix| Some((text.to_string(), InfoText::Prefix(prefix)));
        let names = |text: &str, prefix| Some((text.to_string(), InfoText::Bare(prefix)));
        match command {
            Command::Probe(number) => plain(probe_text(number)),
            Command::Reset { plain: false } => plain(self.cx.dialect.reset),
            Command::Reset { plain: true } => plain(GENERIC.reset),
            Command::EchoOff => plain("ATE0"),
            Command::EnableCmeErrors => plain("AT+CMEE=1"),
            Command::SetCharset(0) => plain("AT+CSCS=\"IRA\""),
            Command::SetCharset(_) => plain("AT+CSCS=\"GSM\""),
            Command::QueryManufacturer => names("AT+CGMI", "+CGMI:"),
            Command::QueryModel => names("AT+CGMM", "+CGMM:"),
            Command::QueryImei => names("AT+CGSN", "+CGSN:"),
            Command::DialectInit(number) => plain(self.cx.dialect.init.get(number)?),
            Command::UserInit(number) => plain(self.cx.settings.init.get(number)?),
            Command::SetPduMode => plain("AT+CMGF=0"),
            Command::QueryPduMode => asks("AT+CMGF?", "+CMGF:"),
            Command::TestCallList | Command::ListCalls => asks("AT+CLCC", "+CLCC:"),
            Command::EnableClip => plain("AT+CLIP=1"),
            Command::QueryRadio => asks("AT+CFUN?", "+CFUN:"),
            Command::EnableRadio => plain("AT+CFUN=1"),
            Command::QuerySim => asks("AT+CPIN?", "+CPIN:"),
            Command::QueryPinTries => {
                asks(self.cx.dialect.pin_tries.0, self.cx.dialect.pin_tries.1)
            }
            Command::EnterPin => plain(&format!(
                "AT+CPIN=\"{}\"",
                self.cx.settings.pin.as_ref()?.as_str()
            )),
            Command::QueryImsi => names("AT+CIMI", "+CIMI:"),
            Command::SelectDialect | Command::ReportPresent | Command::Submit => None,
            Command::EnableRegUrc(domain, mode) => plain(&format!("{}={mode}", domain.command())),
            Command::QueryRegistration(domain) => {
                asks(&format!("{}?", domain.command()), domain.prefix())
            }
            Command::OperatorFormat(format) => plain(&format!("AT+COPS=3,{format}")),
            Command::QueryOperator(_) => asks("AT+COPS?", "+COPS:"),
            Command::QuerySignal => asks("AT+CSQ", "+CSQ:"),
            Command::QueryClock => asks("AT+CCLK?", "+CCLK:"),
            Command::QueryOwnNumber => asks("AT+CNUM", "+CNUM:"),
            Command::QueryServiceCenter => asks("AT+CSCA?", "+CSCA:"),
            Command::QueryContexts => asks("AT+CGDCONT?", "+CGDCONT:"),
            Command::DefineContext => plain(&self.data.define_command()?),
            Command::SetAuthentication => {
                plain(&self.data.authentication_command(self.cx.dialect)?)
            }
            Command::Attach => plain("AT+CGATT=1"),
            Command::Activate(on) => plain(if on { "AT+CGACT=1,1" } else { "AT+CGACT=0,1" }),
            Command::QueryActive => asks("AT+CGACT?", "+CGACT:"),
            Command::QueryAddress => asks("AT+CGPADDR=1", "+CGPADDR:"),
            Command::SelectMessageService => asks("AT+CSMS=0", "+CSMS:"),
            Command::SetCnmi(number) => plain(Storages::cnmi_command(number)?),
            Command::QueryStorages => asks("AT+CPMS?", "+CPMS:"),
            Command::Acknowledge => plain("AT+CNMA"),
            Command::SelectStorage(storage) => {
                asks(&self.mailbox.storages.select_command(storage), "+CPMS:")
            }
            Command::ListMessages(_) => plain("AT+CMGL=4"),
            Command::ReadMessage(slot) => plain(&format!("AT+CMGR={}", slot.index)),
            Command::DeleteMessage(slot) => plain(&format!("AT+CMGD={}", slot.index)),
            Command::Dial(number) => plain(&format!("ATD{number};")),
            Command::AnswerCall => plain("ATA"),
            Command::HangUp { plain: false } => plain("AT+CHUP"),
            Command::HangUp { plain: true } => plain("ATH"),
            Command::RejectWaitingCall => plain("AT+CHLD=0"),
        }
    }
}

fn limit(command: Command) -> Duration {
    Duration::from_secs(match command {
        Command::Probe(tries) => return probe_limit(tries),
        Command::Reset { .. } => 5,
        Command::QueryOperator(_) => 45,
        Command::EnableRadio
        | Command::Dial(_)
        | Command::AnswerCall
        | Command::HangUp { .. }
        | Command::EnterPin => 20,
        Command::ListMessages(_) | Command::DeleteMessage(_) => 25,
        Command::Attach | Command::Activate(_) => 75,
        Command::ReadMessage(_)
        | Command::Submit
        | Command::QueryOwnNumber
        | Command::QueryServiceCenter
        | Command::QueryStorages
        | Command::SelectStorage(_)
        | Command::SetCnmi(_)
        | Command::Acknowledge
        | Command::QueryImsi
        | Command::QuerySim
        | Command::QueryPinTries
        | Command::UserInit(_) => 10,
        Command::EchoOff
        | Command::EnableCmeErrors
        | Command::SetCharset(_)
        | Command::QueryManufacturer
        | Command::QueryModel
        | Command::QueryImei
        | Command::SelectDialect
        | Command::DialectInit(_)
        | Command::SetPduMode
        | Command::QueryPduMode
        | Command::TestCallList
        | Command::EnableClip
        | Command::QueryRadio
        | Command::ReportPresent
        | Command::EnableRegUrc(..)
        | Command::QueryRegistration(_)
        | Command::OperatorFormat(_)
        | Command::QuerySignal
        | Command::QueryClock
        | Command::QueryContexts
        | Command::DefineContext
        | Command::SetAuthentication
        | Command::QueryActive
        | Command::QueryAddress
        | Command::SelectMessageService
        | Command::ListCalls
        | Command::RejectWaitingCall => 5,
    })
}

/// After the prompt: SIM7600 and EC2x say 120 s at most; the device wants an answer within three minutes in all.
const NETWORK_ANSWER: Duration = Duration::from_secs(100);
