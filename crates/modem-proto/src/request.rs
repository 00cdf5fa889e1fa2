//! The text of each command, which lines are its response, and how long that may take.
//!
//! 27.007 names hardly any time; the limits are those of the makers' manuals, rounded up.

use alloc::format;
use alloc::string::{String, ToString as _};
use bytes::Bytes;
use sms_codec::hex;

use dtu_proto::time::Duration;

use crate::command::Command;
use crate::dialect::{Authentication, GENERIC};
use crate::exchange::{InfoText, LEAVE_DATA, Request, SUBSTITUTE};
use crate::modem::Modem;

impl Modem {
    /// The command; `None` = it is moot by now.
    pub(crate) fn request(&self, command: Command) -> Option<Request> {
        let (text, info) = self.command(command)?;
        let body = self.body(command);
        Some(Request {
            command,
            text,
            limit: limit(command),
            info,
            body,
        })
    }

    fn command(&self, command: Command) -> Option<(String, InfoText)> {
        let plain = |text: &str| Some((text.to_string(), InfoText::None));
        let asks = |text: &str, prefix| Some((text.to_string(), InfoText::Prefix(prefix)));
        let names = |text: &str, prefix| Some((text.to_string(), InfoText::Bare(prefix)));
        match command {
            Command::Probe(number) => plain(probe(number)),
            Command::Reset { plain: false } => plain(self.dialect.reset),
            Command::Reset { plain: true } => plain(GENERIC.reset),
            Command::EchoOff => plain("ATE0"),
            Command::EnableCmeErrors => plain("AT+CMEE=1"),
            Command::SetCharset(0) => plain("AT+CSCS=\"IRA\""),
            Command::SetCharset(_) => plain("AT+CSCS=\"GSM\""),
            Command::QueryManufacturer => names("AT+CGMI", "+CGMI:"),
            Command::QueryModel => names("AT+CGMM", "+CGMM:"),
            Command::QueryImei => names("AT+CGSN", "+CGSN:"),
            Command::DialectInit(number) => plain(self.dialect.init.get(number)?),
            Command::UserInit(number) => plain(self.settings.init.get(number)?),
            Command::SetPduMode => plain("AT+CMGF=0"),
            Command::QueryPduMode => asks("AT+CMGF?", "+CMGF:"),
            Command::TestCallList | Command::ListCalls => asks("AT+CLCC", "+CLCC:"),
            Command::EnableClip => plain("AT+CLIP=1"),
            Command::QueryRadio => asks("AT+CFUN?", "+CFUN:"),
            Command::EnableRadio => plain("AT+CFUN=1"),
            Command::QuerySim => asks("AT+CPIN?", "+CPIN:"),
            Command::QueryPinTries => asks(self.dialect.pin_tries.0, self.dialect.pin_tries.1),
            Command::EnterPin => plain(&format!(
                "AT+CPIN=\"{}\"",
                self.settings.pin.as_ref()?.as_str()
            )),
            Command::QueryImsi => names("AT+CIMI", "+CIMI:"),
            Command::SelectDialect | Command::ReportPresent => None,
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
            Command::DefineContext => plain(&format!(
                "AT+CGDCONT=1,\"IP\",\"{}\"",
                self.data.apn.as_ref()?.name
            )),
            Command::SetAuthentication => plain(&self.authentication()?),
            Command::Attach => plain("AT+CGATT=1"),
            Command::Activate(on) => plain(if on { "AT+CGACT=1,1" } else { "AT+CGACT=0,1" }),
            Command::QueryActive => asks("AT+CGACT?", "+CGACT:"),
            Command::QueryAddress => asks("AT+CGPADDR=1", "+CGPADDR:"),
            Command::SelectMessageService => asks("AT+CSMS=0", "+CSMS:"),
            Command::SetCnmi(number) => plain(ANNOUNCE.get(usize::from(number))?),
            Command::QueryStorages => asks("AT+CPMS?", "+CPMS:"),
            Command::Acknowledge => plain("AT+CNMA"),
            Command::SelectStorage(store) => asks(&self.storage_command(store), "+CPMS:"),
            Command::ListMessages(_) => plain("AT+CMGL=4"),
            Command::ReadMessage(slot) => plain(&format!("AT+CMGR={}", slot.index)),
            Command::DeleteMessage(slot) => plain(&format!("AT+CMGD={}", slot.index)),
            Command::Submit => {
                let pdu = &self.mailbox.submission.as_ref()?.pdu;
                let center = usize::from(*pdu.first()?);
                asks(
                    &format!("AT+CMGS={}", pdu.len().checked_sub(1 + center)?),
                    "+CMGS:",
                )
            }
            Command::Dial(number) => plain(&format!("ATD{number};")),
            Command::AnswerCall => plain("ATA"),
            Command::HangUp { plain: false } => plain("AT+CHUP"),
            Command::HangUp { plain: true } => plain("ATH"),
            Command::RejectWaitingCall => plain("AT+CHLD=0"),
        }
    }

    fn body(&self, command: Command) -> Option<(Bytes, Duration)> {
        if command != Command::Submit {
            return None;
        }
        let mut digits = hex::encode(&self.mailbox.submission.as_ref()?.pdu).into_bytes();
        digits.push(SUBSTITUTE);
        Some((Bytes::from(digits), NETWORK_ANSWER))
    }

    /// Where there is something to be set or taken back.
    pub(crate) fn authentication(&self) -> Option<String> {
        let apn = self.data.apn.as_ref()?;
        let (name, user, password) = (&apn.name, &apn.user, &apn.password);
        if user.is_empty() && password.is_empty() {
            let none = matches!(
                self.dialect.authentication,
                Authentication::Standard | Authentication::PasswordFirst
            );
            return (none && self.data.authenticated).then(|| "AT+CGAUTH=1,0".to_string());
        }
        Some(match self.dialect.authentication {
            Authentication::Standard => format!("AT+CGAUTH=1,1,\"{user}\",\"{password}\""),
            Authentication::PasswordFirst => format!("AT+CGAUTH=1,1,\"{password}\",\"{user}\""),
            Authentication::Quectel => {
                format!("AT+QICSGP=1,1,\"{name}\",\"{user}\",\"{password}\",3")
            }
            Authentication::Cstt => format!("AT+CSTT=\"{name}\",\"{user}\",\"{password}\""),
        })
    }
}

/// What makes a modem answer that is in some state of a former user: plain; inside a prompt; without words or
/// results (`ATV0`, `ATQ1`); in the data state.
pub(crate) const fn probe(number: u32) -> &'static str {
    match number % 4 {
        0 => "AT",
        1 => "\u{1b}AT",
        2 => "ATQ0V1E0",
        _ => LEAVE_DATA,
    }
}

/// Longer and longer, for a modem that boots takes its time and one that is not there needs no hurry.
pub(crate) const fn probe_limit(tries: u32) -> Duration {
    Duration::from_secs(match tries {
        0..=2 => 1,
        3..=5 => 2,
        6..=8 => 4,
        _ => 8,
    })
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

/// 27.005 3.4.1, from the best down. Received messages are stored and announced (`mt` 1): a message that no one reads
/// stays where it is, which direct delivery (`mt` 2) does not promise. Status reports come directly (`ds` 1): few
/// modems store them. The further ones are for modems that know fewer values.
/// Some know `ds` 2 only (reports are stored, and announced by `+CDSI`), some `bfr` 1 only, and some no `ds` at all
/// before `AT+CSMS=1`, which wants each report that comes directly to be acknowledged.
pub(crate) const ANNOUNCE: [&str; 11] = [
    "AT+CNMI=2,1,0,1,0",
    // mutant: reports-stored
    "AT+CNMI=2,1,0,2,0",
    "AT+CNMI=2,1,0,1,1",
    "AT+CNMI=2,1,0,2,1",
    PHASE_2,
    "AT+CNMI=2,1,0,1,0",
    "AT+CNMI=2,1,0,2,0",
    PHASE_1,
    "AT+CNMI=2,1,0,0,0",
    "AT+CNMI=1,1,0,0,0",
    "AT+CNMI=2,1",
];
pub(crate) const PHASE_2: &str = "AT+CSMS=1";
pub(crate) const PHASE_1: &str = "AT+CSMS=0";
/// After the prompt: SIM7600 and EC2x say 120 s at most; the device wants an answer within three minutes in all.
const NETWORK_ANSWER: Duration = Duration::from_secs(100);
