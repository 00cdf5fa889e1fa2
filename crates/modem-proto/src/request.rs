//! The command of each errand: its text, which lines are its answer, and how long that may take.
//!
//! 27.007 names hardly any time; the limits are those of the makers' manuals, rounded up.

use alloc::format;
use alloc::string::{String, ToString as _};
use bytes::Bytes;
use sms_codec::hex;

use dtu_proto::time::Duration;

use crate::channel::{LEAVE_DATA, Request, SUBSTITUTE, Wants};
use crate::dialect::{Authentication, GENERIC};
use crate::job::Job;
use crate::modem::Modem;

impl Modem {
    /// The command; `None` = the errand is moot by now.
    pub(crate) fn request(&self, job: Job) -> Option<Request> {
        let (text, wants) = self.command(job)?;
        let body = self.body(job);
        Some(Request {
            job,
            text,
            limit: limit(job),
            wants,
            body,
        })
    }

    fn command(&self, job: Job) -> Option<(String, Wants)> {
        let plain = |text: &str| Some((text.to_string(), Wants::Nothing));
        let asks = |text: &str, prefix| Some((text.to_string(), Wants::Prefix(prefix)));
        let names = |text: &str, prefix| Some((text.to_string(), Wants::Plain(prefix)));
        match job {
            Job::Probe(number) => plain(probe(number)),
            Job::Reset { plain: false } => plain(self.dialect.reset),
            Job::Reset { plain: true } => plain(GENERIC.reset),
            Job::EchoOff => plain("ATE0"),
            Job::ErrorCodes => plain("AT+CMEE=1"),
            Job::Charset(0) => plain("AT+CSCS=\"IRA\""),
            Job::Charset(_) => plain("AT+CSCS=\"GSM\""),
            Job::Maker => names("AT+CGMI", "+CGMI:"),
            Job::Model => names("AT+CGMM", "+CGMM:"),
            Job::Imei => names("AT+CGSN", "+CGSN:"),
            Job::DialectInit(number) => plain(self.dialect.init.get(number)?),
            Job::UserInit(number) => plain(self.settings.init.get(number)?),
            Job::MessageMode => plain("AT+CMGF=0"),
            Job::IsPduMode => asks("AT+CMGF?", "+CMGF:"),
            Job::CallAbility | Job::Calls => asks("AT+CLCC", "+CLCC:"),
            Job::ShowCaller => plain("AT+CLIP=1"),
            Job::Function => asks("AT+CFUN?", "+CFUN:"),
            Job::FunctionOn => plain("AT+CFUN=1"),
            Job::Sim => asks("AT+CPIN?", "+CPIN:"),
            Job::PinTries => asks(self.dialect.pin_tries.0, self.dialect.pin_tries.1),
            Job::Pin => plain(&format!(
                "AT+CPIN=\"{}\"",
                self.settings.pin.as_ref()?.as_str()
            )),
            Job::Imsi => names("AT+CIMI", "+CIMI:"),
            Job::Chosen | Job::Introduce => None,
            Job::Watch(domain, mode) => plain(&format!("{}={mode}", domain.command())),
            Job::Registration(domain) => asks(&format!("{}?", domain.command()), domain.prefix()),
            Job::OperatorFormat(format) => plain(&format!("AT+COPS=3,{format}")),
            Job::Operator(_) => asks("AT+COPS?", "+COPS:"),
            Job::Signal => asks("AT+CSQ", "+CSQ:"),
            Job::Clock => asks("AT+CCLK?", "+CCLK:"),
            Job::OwnNumber => asks("AT+CNUM", "+CNUM:"),
            Job::ServiceCenter => asks("AT+CSCA?", "+CSCA:"),
            Job::Contexts => asks("AT+CGDCONT?", "+CGDCONT:"),
            Job::Context => plain(&format!(
                "AT+CGDCONT=1,\"IP\",\"{}\"",
                self.data.apn.as_ref()?.name
            )),
            Job::Authentication => plain(&self.authentication()?),
            Job::Attach => plain("AT+CGATT=1"),
            Job::Activate(on) => plain(if on { "AT+CGACT=1,1" } else { "AT+CGACT=0,1" }),
            Job::IsActive => asks("AT+CGACT?", "+CGACT:"),
            Job::Address => asks("AT+CGPADDR=1", "+CGPADDR:"),
            Job::MessageService => asks("AT+CSMS=0", "+CSMS:"),
            Job::Announce(number) => plain(ANNOUNCE.get(usize::from(number))?),
            Job::Storages => asks("AT+CPMS?", "+CPMS:"),
            Job::Acknowledge => plain("AT+CNMA"),
            Job::Storage(store) => asks(&self.storage_command(store), "+CPMS:"),
            Job::List(_) => plain("AT+CMGL=4"),
            Job::Read(place) => plain(&format!("AT+CMGR={}", place.index)),
            Job::Delete(place) => plain(&format!("AT+CMGD={}", place.index)),
            Job::Submit => {
                let pdu = &self.mail.submitting.as_ref()?.pdu;
                let center = usize::from(*pdu.first()?);
                asks(
                    &format!("AT+CMGS={}", pdu.len().checked_sub(1 + center)?),
                    "+CMGS:",
                )
            }
            Job::Dial(number) => plain(&format!("ATD{number};")),
            Job::Answer => plain("ATA"),
            Job::HangUp { plain: false } => plain("AT+CHUP"),
            Job::HangUp { plain: true } => plain("ATH"),
            Job::RefuseSecond => plain("AT+CHLD=0"),
        }
    }

    fn body(&self, job: Job) -> Option<(Bytes, Duration)> {
        if job != Job::Submit {
            return None;
        }
        let mut digits = hex::encode(&self.mail.submitting.as_ref()?.pdu).into_bytes();
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

fn limit(job: Job) -> Duration {
    Duration::from_secs(match job {
        Job::Probe(tries) => return probe_limit(tries),
        Job::Reset { .. } => 5,
        Job::Operator(_) => 45,
        Job::FunctionOn | Job::Dial(_) | Job::Answer | Job::HangUp { .. } | Job::Pin => 20,
        Job::List(_) | Job::Delete(_) => 25,
        Job::Attach | Job::Activate(_) => 75,
        Job::Read(_)
        | Job::Submit
        | Job::OwnNumber
        | Job::ServiceCenter
        | Job::Storages
        | Job::Storage(_)
        | Job::Announce(_)
        | Job::Acknowledge
        | Job::Imsi
        | Job::Sim
        | Job::PinTries
        | Job::UserInit(_) => 10,
        Job::EchoOff
        | Job::ErrorCodes
        | Job::Charset(_)
        | Job::Maker
        | Job::Model
        | Job::Imei
        | Job::Chosen
        | Job::DialectInit(_)
        | Job::MessageMode
        | Job::IsPduMode
        | Job::CallAbility
        | Job::ShowCaller
        | Job::Function
        | Job::Introduce
        | Job::Watch(..)
        | Job::Registration(_)
        | Job::OperatorFormat(_)
        | Job::Signal
        | Job::Clock
        | Job::Contexts
        | Job::Context
        | Job::Authentication
        | Job::IsActive
        | Job::Address
        | Job::MessageService
        | Job::Calls
        | Job::RefuseSecond => 5,
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
