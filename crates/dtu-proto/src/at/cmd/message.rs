//! Sending messages, and how messages are spoken of (3GPP TS 27.005).

use alloc::format;
use alloc::string::{String, ToString};
use sms_codec::address::Address;
use sms_codec::dcs::Dcs;
use sms_codec::time::{Civil, TimeStamp};
use sms_codec::user_data::Body;

use super::super::command::{Command, TakesEffect};
use super::super::outcome::{Lines, Next, Outcome, SlowCommand};
use super::super::param::{Kind, Param};
use super::super::prompt::{Ends, MessagePrompt, Prompt, PromptKind};
use super::super::reply::{Code, Error, Quoted};
use super::super::sms as typed;
use super::super::values::Values;
use super::super::view::View;
use super::{accepted, one};
use crate::cellular::parse_clock;
use crate::config::{Config, Notify, ServiceCenter, TextCharset, TextParameters, TextValidity};
use crate::ids::{Origin, PhoneNumber};
use crate::sms::{self, MailboxChange, Template};

pub(in super::super) const COMMANDS: &[Command] = &[
    Command::new(
        "+CMGF",
        "2.8.6.9",
        "Message format",
        &[Param::new("MODE", Kind::Choice(&[(0, "PDU"), (1, "text")]), "").factory("0")],
    )
    .example("AT+CMGF=1", "OK")
    .reads(read_format)
    .sets(set_format)
    .saved(|config| one(format!("AT+CMGF={}", u8::from(config.messages.text_mode))), TakesEffect::Now),
    Command::new(
        "+CSCA",
        "2.8.6.17, 2.8.6.18",
        "Service centre of messages",
        &[
            Param::new("NUMBER", Kind::Shape("1..=20 digits, + in front allowed, or \"\""), "\"\" = the SIM's own")
                .factory(""),
            Param::new("TOA", TOA, "type of address, 145 = international").factory("145").left_off_is("145"),
        ],
    )
    .example("AT+CSCA?", "+CSCA: \"8613800531500\", 145\nOK")
    .notes("The read form shows the SIM's own where none is set. `sim` has \"8613800531500\", as the manual.")
    .reads(read_center)
    .sets(set_center)
    .saved(|config| one(center_line(config)), TakesEffect::Now),
    Command::new(
        "+CMGS",
        "2.8.6.16",
        "Sends a message",
        &[
            Param::new("TO", Kind::Shape("number in text mode, length in PDU mode"), ""),
            Param::new("TOA", Kind::ZeroOr { min: 128, max: 255 }, "type of address, text mode").left_off_is("0"),
        ],
    )
    .example("AT+CMGS=10086", "> ")
    .notes(
        "Answers `> `; then the text or PDU is typed, 0x1A sends it, ESC gives it up. In PDU mode the length is that of \
         the PDU without the service centre in front; what is quoted, begins with + or is above 184 is a number, and one \
         text follows as in text mode. In text mode a text is sent in GSM 7-bit if it can be, else in \
         UCS2, in up to 10 parts; with a CSMP coding of 8-bit data it is typed in hex digits.",
    )
    .acts_on(send),
    Command::new(
        "+CISMSSEND",
        "2.8.6.33",
        "Sends a message",
        &[
            Param::new("PHNUM", Kind::Phone, ""),
            Param::new("FORMAT", Kind::Choice(&[(1, "ASCII"), (3, "Chinese")]), ""),
            Param::new("DATA", Kind::Bytes { min: 1, max: 1000 }, "text in the charset of the serial line"),
        ],
    )
    .example("AT+CISMSSEND=10086,1,hello", "OK")
    .notes(
        "The text is everything behind the second comma, commas, semicolons and full-width characters with it; quotes \
         around it are optional. It goes in up to 10 parts. OK comes when the network has taken all of them.",
    )
    .acts_on(send_text),
    Command::new(
        "+CSMP",
        "27.005 3.3.3",
        "What messages of the text mode are sent with",
        &[
            Param::new("FO", OCTET, "first octet of a SUBMIT").factory("17").left_off_is("17"),
            Param::new("VP", Kind::Shape("0..=255 or \"yy/MM/dd,hh:mm:ss±zz\""), "validity period; 167 = 24 h")
                .factory("167")
                .left_off_is("167"),
            Param::new("PID", OCTET, "protocol identifier").factory("0").left_off_is("0"),
            Param::new("DCS", OCTET, "coding").factory("0").left_off_is("0"),
        ],
    )
    .example("AT+CSMP=17,167,0,0", "OK")
    .reads(read_parameters)
    .sets(set_parameters)
    .saved(|config| one(format!("AT+CSMP={}", parameters(&config.messages.parameters))), TakesEffect::Now),
    Command::new(
        "+CSDH",
        "27.005 3.3.4",
        "Text mode shows the whole header",
        &[Param::new("SHOW", super::ON_OFF, "").factory("0").left_off_is("0")],
    )
    .example("AT+CSDH=1", "OK")
    .reads(read_details)
    .sets(set_details)
    .saved(|config| one(format!("AT+CSDH={}", u8::from(config.messages.details))), TakesEffect::Now),
    Command::new(
        "+CSCS",
        "27.007 5.5",
        "Charset of texts",
        &[Param::new("CHARSET", Kind::Words(&["GSM", "IRA", "UCS2", "HEX", "UTF-8"]), "").factory("IRA")],
    )
    .example("AT+CSCS=\"GSM\"", "OK")
    .notes("In `IRA`, typed bytes that are not ASCII are in the charset of the serial line. Text that a charset does not have is shown in UCS2.")
    .reads(read_charset)
    .sets(set_charset)
    .saved(|config| one(format!("AT+CSCS=\"{}\"", config.messages.charset.name())), TakesEffect::Now),
    Command::new(
        "+CNMI",
        "27.005 3.4.1",
        "How messages that come are told",
        &[
            Param::new("MODE", Kind::Number { min: 0, max: 3 }, "2, 3 = later, where the line carries data")
                .factory("2")
                .left_off_is("0"),
            Param::new("MT", Kind::Number { min: 0, max: 3 }, "0 not, 1 +CMTI, 2 +CMT, 3 +CMT of class 3")
                .factory("1")
                .left_off_is("0"),
            Param::new("BM", Kind::Number { min: 0, max: 3 }, "without effect").factory("0").left_off_is("0"),
            Param::new("DS", Kind::Number { min: 0, max: 2 }, "status reports: 0 not, 1 +CDS, 2 stored and +CDSI")
                .factory("0")
                .left_off_is("0"),
            Param::new("BFR", Kind::Number { min: 0, max: 1 }, "without effect").factory("0").left_off_is("0"),
        ],
    )
    .example("AT+CNMI=2,1", "OK")
    .notes(
        "Nothing is told while the line carries data. Beside these, a whole message is told by \
         `+CISMS:<number>,<yy-mm-dd-hh:mm:ss>,<text>` whenever the line is in the command state and AT+CMEE is not 1: who asks for error numbers is a program for any modem, and gets only what CNMI asks for.",
    )
    .reads(read_notify)
    .sets(set_notify)
    .saved(|config| one(format!("AT+CNMI={}", notify(&config.messages.notify))), TakesEffect::Now),
    Command::new(
        "+CSMS",
        "27.005 3.2.1",
        "Message service",
        &[Param::new("SERVICE", Kind::Choice(&[(0, "phase 2"), (1, "phase 2+")]), "both are served alike").factory("0")],
    )
    .example("AT+CSMS=1", "+CSMS: 1,1,0\nOK")
    .reads(read_service)
    .acts_on(set_service),
    Command::new("+CNMA", "27.005 3.4.4", "Accepted without effect: what is told is acknowledged already", &[
        Param::new("N", Kind::Number { min: 0, max: 2 }, "").left_off_is("0"),
    ])
    .example("AT+CNMA", "OK")
    .acts(accepted)
    .acts_on(accepted),
];

const OCTET: Kind = Kind::Number { min: 0, max: 255 };
const TOA: Kind = Kind::Number { min: 128, max: 255 };

fn read_format(_: &Values, view: &View<'_>) -> Result<Lines, Error> {
    Ok(format!("+CMGF: {}", u8::from(view.config.messages.text_mode)).into())
}

fn set_format(values: &Values, config: &mut Config) -> Result<(), Error> {
    config.messages.text_mode = values.flag(0)?;
    Ok(())
}

fn read_center(values: &Values, view: &View<'_>) -> Result<Lines, Error> {
    let set = view.config.messages.service_center;
    let sim = view.status.radio.service_center;
    let center = set.or_else(|| {
        sim.map(|number| ServiceCenter {
            number,
            type_of_address: INTERNATIONAL,
        })
    });
    let Some(ServiceCenter {
        number,
        type_of_address,
    }) = center
    else {
        return Err(values.refuse(
            Code::Message(NO_CENTER),
            "the SIM names no service centre, and none is set",
        ));
    };
    let number = typed::in_charset(&number.to_string(), view.config.messages.charset);
    Ok(format!("+CSCA: \"{number}\", {type_of_address}").into())
}

fn set_center(values: &Values, config: &mut Config) -> Result<(), Error> {
    let type_of_address = values.narrow(1)?;
    let number = typed::number_of(&values.text(0)?, config.messages.charset);
    if number.is_empty() {
        config.messages.service_center = None;
        return Ok(());
    }
    let center = PhoneNumber::new(&number).map(|number| ServiceCenter {
        number,
        type_of_address,
    });
    let center = center.filter(|center| center.address().is_some());
    let wrong = format!("NUMBER must be 1..=20 digits, + in front allowed, or \"\", got {number}");
    config.messages.service_center =
        Some(center.ok_or_else(|| values.refuse(Code::IncorrectParameters, &wrong))?);
    Ok(())
}

fn center_line(config: &Config) -> String {
    match config.messages.service_center {
        Some(ServiceCenter {
            number,
            type_of_address,
        }) => format!("AT+CSCA=\"{number}\",{type_of_address}"),
        None => "AT+CSCA=\"\"".to_string(),
    }
}

/// Whether there is a modem that can send.
pub(super) fn check_modem(values: &Values, view: &View<'_>) -> Result<(), Error> {
    match &view.status.radio.modem {
        None => Err(values.refuse(Code::NotAllowed, "there is no modem")),
        Some(modem) if !modem.abilities.messages => {
            Err(values.refuse(Code::NotSupported, "this modem cannot send messages"))
        }
        Some(_) => Ok(()),
    }
}

fn send(values: &Values, view: &View<'_>, outcome: &mut Outcome) -> Result<(), Error> {
    check_modem(values, view)?;
    let what = if view.config.messages.text_mode || is_number(values)? {
        MessagePrompt::SendText(receiver(values, view)?)
    } else {
        MessagePrompt::SendPdu(length(values)?)
    };
    prompt(values, view, what, outcome)
}

/// What no PDU's length can be is a number in PDU mode too (decisions 16.13): the manual types `AT+CMGS=10086`.
fn is_number(values: &Values) -> Result<bool, Error> {
    let text = values.text(0)?;
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let too_long = digits
        && text
            .parse()
            .map_or(true, |length: usize| length > NO_LENGTH);
    // mutant: quoted-number
    Ok(values.is_quoted(0) || text.starts_with('+') || too_long)
}

/// Asks the DTE for a text.
pub(super) fn prompt(
    values: &Values,
    view: &View<'_>,
    what: MessagePrompt,
    outcome: &mut Outcome,
) -> Result<(), Error> {
    if view.origin != Origin::Serial {
        return Err(values.refuse(
            Code::NotAllowed,
            "its text is typed on the serial line; CISMSSEND sends from everywhere",
        ));
    }
    let max = what.max();
    outcome.next = Next::Prompt(Prompt {
        what: PromptKind::Message(what),
        max,
        ends: Ends::Mark,
    });
    Ok(())
}

/// The receiver of the text mode.
pub(super) fn receiver(values: &Values, view: &View<'_>) -> Result<Address, Error> {
    let number = values.text(0)?;
    let address = typed::address_of(&number, values.number(1)?, view.config.messages.charset);
    let wrong = format!(
        "TO must be a number, or in PDU mode (AT+CMGF=0) a length: 1..=20 digits, + in front allowed, got {number}"
    );
    address.ok_or_else(|| values.refuse(Code::IncorrectParameters, &wrong))
}

/// The length of the PDU mode.
pub(super) fn length(values: &Values) -> Result<usize, Error> {
    let text = values.text(0)?;
    let length = text
        .parse()
        .ok()
        .filter(|length| (LENGTH_MIN..=LENGTH_MAX).contains(length));
    let wrong = format!(
        "TO must be a length in PDU mode (AT+CMGF=0): {LENGTH_MIN}..={LENGTH_MAX}, got {text}"
    );
    length.ok_or_else(|| values.refuse(Code::IncorrectParameters, &wrong))
}

fn send_text(values: &Values, view: &View<'_>, outcome: &mut Outcome) -> Result<(), Error> {
    check_modem(values, view)?;
    let (to, text) = (values.text(0)?, values.typed_text(2)?);
    let body = match values.number(1)? {
        1 if !text.is_ascii() => {
            return Err(values.refuse(
                Code::IncorrectParameters,
                "DATA must be ASCII in format 1; format 3 is Chinese",
            ));
        }
        1 => Body::text(&text),
        _ => Body::ucs2(&text),
    };
    let to = Address::number(&to)
        .ok_or_else(|| values.refuse(Code::IncorrectParameters, "PHNUM is no number"))?;
    // Used up even where the text is too long.
    outcome.mailbox(MailboxChange::NextConcatReference);
    let reference = view.mailbox.next_concat_reference();
    let center = view.config.messages.service_center;
    let parts = sms::compose(
        body,
        &Template {
            to: &to,
            center,
            parameters: None,
            reference,
        },
    );
    let parts =
        parts.map_err(|why| values.refuse(Code::IncorrectParameters, &format!("DATA: {why}")))?;
    let mut submission = typed::submission("CISMSSEND", parts, None);
    submission.tells_reference = false;
    outcome.wait(SlowCommand::Submit(submission));
    Ok(())
}

fn parameters(parameters: &TextParameters) -> String {
    let TextParameters {
        first_octet,
        validity,
        pid,
        dcs,
    } = parameters;
    let period = match validity {
        TextValidity::Relative(octet) => octet.to_string(),
        TextValidity::Until(stamp) => sms::stamp(*stamp),
    };
    format!("{first_octet},{period},{pid},{}", dcs.0)
}

fn read_parameters(_: &Values, view: &View<'_>) -> Result<Lines, Error> {
    Ok(format!("+CSMP: {}", parameters(&view.config.messages.parameters)).into())
}

fn set_parameters(values: &Values, config: &mut Config) -> Result<(), Error> {
    let period = values.text(1)?;
    let number = period.parse().ok().map(TextValidity::Relative);
    let validity = number.or_else(|| until(&period).map(TextValidity::Until));
    let wrong = format!("VP must be 0..=255 or \"yy/MM/dd,hh:mm:ss±zz\", got {period}");
    let validity = validity.ok_or_else(|| values.refuse(Code::IncorrectParameters, &wrong))?;
    let (first_octet, pid, dcs) = (values.narrow(0)?, values.narrow(2)?, Dcs(values.narrow(3)?));
    config.messages.parameters = TextParameters {
        first_octet,
        validity,
        pid,
        dcs,
    };
    Ok(())
}

/// `yy/MM/dd,hh:mm:ss±zz`
fn until(text: &str) -> Option<TimeStamp> {
    parse_clock(text)?;
    let field = |from: usize| text.get(from..from + 2)?.parse::<u8>().ok();
    let year = field(0)?;
    let zone = match text.get(17..) {
        Some("") | None => 0,
        Some(zone) => zone.parse().ok()?,
    };
    TimeStamp::of(Civil {
        year: if year < 90 { 2000 } else { 1900 } + u16::from(year),
        month: field(3)?,
        day: field(6)?,
        hour: field(9)?,
        minute: field(12)?,
        second: field(15)?,
        zone,
    })
}

fn read_details(_: &Values, view: &View<'_>) -> Result<Lines, Error> {
    Ok(format!("+CSDH: {}", u8::from(view.config.messages.details)).into())
}

fn set_details(values: &Values, config: &mut Config) -> Result<(), Error> {
    config.messages.details = values.flag(0)?;
    Ok(())
}

fn read_charset(_: &Values, view: &View<'_>) -> Result<Lines, Error> {
    Ok(format!("+CSCS: {}", Quoted(view.config.messages.charset.name())).into())
}

fn set_charset(values: &Values, config: &mut Config) -> Result<(), Error> {
    let place: usize = values.narrow(0)?;
    if let Some(charset) = TextCharset::ALL.get(place) {
        config.messages.charset = *charset;
    }
    Ok(())
}

fn notify(notify: &Notify) -> String {
    let Notify {
        mode,
        messages,
        broadcasts,
        reports,
        buffer,
    } = notify;
    format!("{mode},{messages},{broadcasts},{reports},{buffer}")
}

fn read_notify(_: &Values, view: &View<'_>) -> Result<Lines, Error> {
    Ok(format!("+CNMI: {}", notify(&view.config.messages.notify)).into())
}

fn set_notify(values: &Values, config: &mut Config) -> Result<(), Error> {
    config.messages.notify = Notify {
        mode: values.narrow(0)?,
        messages: values.narrow(1)?,
        broadcasts: values.narrow(2)?,
        reports: values.narrow(3)?,
        buffer: values.narrow(4)?,
    };
    Ok(())
}

/// Messages that come, messages that go, no cell broadcast.
fn read_service(_: &Values, _: &View<'_>) -> Result<Lines, Error> {
    Ok("+CSMS: 0,1,1,0".into())
}

fn set_service(_: &Values, _: &View<'_>, outcome: &mut Outcome) -> Result<(), Error> {
    outcome.say("+CSMS: 1,1,0".to_string());
    Ok(())
}

const INTERNATIONAL: u8 = 145;
/// 27.005 3.2.5: the service centre is not known.
const NO_CENTER: u16 = 330;
const LENGTH_MIN: usize = 6;
/// A number above this is that of a phone (decisions 16.13).
const NO_LENGTH: usize = 184;
/// Octets of the longest SUBMIT.
const LENGTH_MAX: usize = 164;
