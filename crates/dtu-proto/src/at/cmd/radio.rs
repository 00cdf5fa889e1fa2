//! What the modem knows: SIM, registration, operator, signal, cell.

use alloc::format;
use alloc::string::{String, ToString};

use super::super::command::{Command, TakesEffect};
use super::super::outcome::{Change, Lines, Outcome};
use super::super::param::{Kind, Param};
use super::super::registration::{Domain, registration_line};
use super::super::reply::{Code, Error, Quoted};
use super::super::sms;
use super::super::values::Values;
use super::super::view::View;
use super::{one, says_ok};
use crate::config::Config;
use crate::radio::{ModemIdentity, Operator, Signal, SimState};

pub(in super::super) const COMMANDS: &[Command] = &[
    Command::new(
        "+CPIN",
        "27.007 8.3",
        "State of the SIM card",
        &[Param::new("PIN", Kind::Shape("the PIN of the card"), "").secret_told_as(CARD_STATES)],
    )
    .example("AT+CPIN?", "+CPIN: READY\nOK")
    .reads(read_sim)
    .acts_on(set_pin)
    .notes("The PIN is not typed here: it stands in the settings file, `[modem] pin`.")
    .now(),
    Command::new(
        "+CFUN",
        "27.007 8.2",
        "The radio is on",
        &[
            Param::new("FUN", Kind::Choice(&[(1, "on")]), "").factory("1").left_off_is("1"),
            Param::new("RST", Kind::Choice(&[(0, "no reset")]), "").factory("0").left_off_is("0"),
        ],
    )
    .example("AT+CFUN?", "+CFUN: 1\nOK")
    .reads(read_power)
    .asks_for(says_ok),
    Command::new("+CSQ", "2.8.6.14", "Signal", &[])
        .example("AT+CSQ", "+CSQ: 31, 99\nOK")
        .notes("Strength 0..=31 (-113 to -51 dBm, 2 dBm a step) and error class 0..=7; 99 = not known.")
        .asks(signal)
        .tests(signal_ranges),
    Command::new("+COPS", "2.8.6.15", "Operator", OPERATOR)
        .example("AT+COPS?", "+COPS: 0,0,\"China Mobile\"\nOK")
        .notes(
            "The modem chooses the network by itself: 0 is accepted without effect, 3 only sets the format.",
        )
        .reads(operator)
        .acts_on(set_operator)
        .loads(load_operator)
        .tests(operators)
        .saved(|config| one(format!("AT+COPS=3,{}", config.operator_format)), TakesEffect::Now),
    Command::new("+CREG", "27.007 7.2", "Registration in the network", REPORTS)
        .example("AT+CREG?", "+CREG: 0,1\nOK")
        .notes(REGISTRATION)
        .reads(|values, view| read_registration(values, view, Domain::Circuit))
        .sets(|values, config| set_registration(values, config, Domain::Circuit))
        .saved(|config| one(format!("AT+CREG={}", config.registration_reports[0])), TakesEffect::Now),
    Command::new("+CGREG", "27.007 10.1.20", "Registration in the network for data", REPORTS)
        .example("AT+CGREG?", "+CGREG: 0,1\nOK")
        .notes(REGISTRATION)
        .reads(|values, view| read_registration(values, view, Domain::Packet))
        .sets(|values, config| set_registration(values, config, Domain::Packet))
        .saved(|config| one(format!("AT+CGREG={}", config.registration_reports[1])), TakesEffect::Now),
    Command::new("+CEREG", "27.007 10.1.22", "As CGREG, for programs that know LTE", REPORTS)
        .example("AT+CEREG?", "+CEREG: 0,1\nOK")
        .notes(REGISTRATION)
        .reads(|values, view| read_registration(values, view, Domain::Evolved))
        .sets(|values, config| set_registration(values, config, Domain::Evolved))
        .saved(|config| one(format!("AT+CEREG={}", config.registration_reports[2])), TakesEffect::Now),
    Command::new(
        "+CGATT",
        "27.007 10.1.9",
        "Attached to the network for data",
        &[Param::new("STATE", Kind::Choice(&[(1, "attached; the device sees to it")]), "").factory("1")],
    )
    .example("AT+CGATT?", "+CGATT: 1\nOK")
    .reads(attached)
    .asks_for(says_ok),
    Command::new("+CNUM", "27.007 7.1", "Own number, where the SIM tells it", &[])
        .example("AT+CNUM", "+CNUM: \"\",\"+8613912345678\",145\nOK")
        .asks(own_number),
    Command::new("+CILAC", "2.8.6.43, 2.8.6.48", "Area and cell of the base station", &[])
        .example("AT+CILAC?", "+CILAC:LAC:21269,CELLID:34093\nOK")
        .reads(cell),
    Command::new("+GCAP", "V.250 6.1.9", "Kinds of commands: those of GSM", &[])
        .example("AT+GCAP", "+GCAP: +CGSM\nOK")
        .asks(capabilities),
];

const OPERATOR: &[Param] = &[
    Param::new(
        "MODE",
        Kind::Choice(&[(0, "automatic"), (3, "only the format")]),
        "",
    )
    .left_off_is("0"),
    Param::new(
        "FORMAT",
        Kind::Choice(&[(0, "name"), (1, "short name"), (2, "digits")]),
        "",
    )
    .left_off_is("0"),
    Param::new("OPER", Kind::Shape("text"), "without effect").left_off_is(""),
];

const REPORTS: &[Param] = &[Param::new(
    "N",
    Kind::Choice(&[
        (0, "tells nothing unasked"),
        (1, "tells changes"),
        (2, "tells changes, with area and cell"),
    ]),
    "",
)
.factory("0")
.left_off_is("0")];

const REGISTRATION: &str = "\
States: 0 not registered, 1 home, 2 searching, 3 denied, 4 not known, 5 roaming. Area and cell are hex digits. Changes are told in \
the command state and the set-up window.";

/// The modem, or that there is none.
pub(super) fn modem<'v>(values: &Values, view: &View<'v>) -> Result<&'v ModemIdentity, Error> {
    let modem = view.status.radio.modem.as_ref();
    modem.ok_or_else(|| values.refuse(Code::NotAllowed, "there is no modem"))
}

const CARD_STATES: &[&str] = &["READY", "SIM PIN", "SIM PUK"];

fn read_sim(values: &Values, view: &View<'_>) -> Result<Lines, Error> {
    modem(values, view)?;
    let state = match view.status.radio.sim {
        SimState::Ready => CARD_STATES[0],
        SimState::PinNeeded => CARD_STATES[1],
        SimState::PukNeeded => CARD_STATES[2],
        SimState::Missing => return Err(values.refuse(Code::NoSim, "there is no SIM")),
        SimState::Unknown => return Err(values.refuse(Code::SimBusy, "the SIM is not known yet")),
    };
    Ok(format!("+CPIN: {state}").into())
}

fn set_pin(values: &Values, view: &View<'_>, _: &mut Outcome) -> Result<(), Error> {
    modem(values, view)?;
    let why = match view.status.radio.sim {
        SimState::PinNeeded => "the PIN stands in the settings file: [modem] pin",
        SimState::PukNeeded => "the SIM waits for its PUK, which a telephone must be used for",
        SimState::Ready | SimState::Missing | SimState::Unknown => "no PIN is asked for",
    };
    Err(values.refuse(Code::NotAllowed, why))
}

fn read_power(values: &Values, view: &View<'_>) -> Result<Lines, Error> {
    modem(values, view)?;
    Ok("+CFUN: 1".into())
}

fn signal(values: &Values, view: &View<'_>) -> Result<Lines, Error> {
    modem(values, view)?;
    let Signal {
        strength,
        error_rate,
    } = view.status.radio.signal;
    Ok(format!("+CSQ: {strength}, {error_rate}").into())
}

fn signal_ranges(_: &Values, _: &View<'_>) -> Result<Lines, Error> {
    Ok("+CSQ: (0-31,99),(0-7,99)".into())
}

fn operator(values: &Values, view: &View<'_>) -> Result<Lines, Error> {
    modem(values, view)?;
    let format = view.config.operator_format;
    let shown = view
        .status
        .radio
        .operator
        .as_ref()
        .map(|operator| named(operator, format));
    Ok(match shown.filter(|name| !name.is_empty()) {
        // mutant: operator-charset
        Some(name) => format!("+COPS: 0,{format},{}", Quoted(&in_charset(view, &name))).into(),
        None => "+COPS: 0".into(),
    })
}

fn named(operator: &Operator, format: u8) -> String {
    let wanted = if format == 2 {
        &operator.code
    } else {
        &operator.name
    };
    line_of(wanted)
}

/// A name from the network as one line.
fn line_of(name: &str) -> String {
    name.chars()
        .map(|char| if char.is_control() { ' ' } else { char })
        .collect()
}

/// Decisions 16.15: `CSCS="UCS2"` holds for names and numbers of the network, too.
fn in_charset(view: &View<'_>, text: &str) -> String {
    sms::in_charset(text, view.config.messages.charset)
}

fn set_operator(values: &Values, view: &View<'_>, outcome: &mut Outcome) -> Result<(), Error> {
    if values.number(0)? != ONLY_FORMAT {
        return modem(values, view).map(|_| ());
    }
    let mut config = view.config.clone();
    config.operator_format = values.narrow(1)?;
    outcome.change(Change::Config(config.into()));
    Ok(())
}

/// Only the format is stored.
fn load_operator(values: &Values, config: &mut Config) -> Result<(), Error> {
    if values.number(0)? != ONLY_FORMAT {
        return Err(values.refuse(Code::NotAllowed, "there is no modem"));
    }
    config.operator_format = values.narrow(1)?;
    Ok(())
}

/// The operators that are known (27.007 7.3), which is the one in use.
fn operators(values: &Values, view: &View<'_>) -> Result<Lines, Error> {
    modem(values, view)?;
    let known = view
        .status
        .radio
        .operator
        .as_ref()
        .map(|Operator { name, code }| {
            let (name, code) = (
                in_charset(view, &line_of(name)),
                in_charset(view, &line_of(code)),
            );
            format!(
                "(2,{},{},{}),,",
                Quoted(&name),
                Quoted(&name),
                Quoted(&code)
            )
        });
    Ok(format!(
        "+COPS: {}(0,3),(0-2)",
        known.unwrap_or_else(|| String::from(",,"))
    )
    .into())
}

fn read_registration(values: &Values, view: &View<'_>, domain: Domain) -> Result<Lines, Error> {
    modem(values, view)?;
    let reports = view.config.registration_reports[domain.index()];
    let (radio, attached) = (&view.status.radio, view.status.attached.is_some());
    Ok(registration_line(domain, Some(reports), reports, radio, attached).into())
}

fn set_registration(values: &Values, config: &mut Config, domain: Domain) -> Result<(), Error> {
    config.registration_reports[domain.index()] = values.narrow(0)?;
    Ok(())
}

fn attached(_: &Values, view: &View<'_>) -> Result<Lines, Error> {
    Ok(format!("+CGATT: {}", u8::from(view.status.attached.is_some())).into())
}

fn own_number(values: &Values, view: &View<'_>) -> Result<Lines, Error> {
    modem(values, view)?;
    let line = view.status.radio.own_number.map(|number| {
        let shown = in_charset(view, &number.to_string());
        format!("+CNUM: \"\",\"{shown}\",{}", number.type_of_address())
    });
    Ok(line.into_iter().collect())
}

fn cell(values: &Values, view: &View<'_>) -> Result<Lines, Error> {
    modem(values, view)?;
    let cell = view.status.radio.cell;
    let cell = cell.ok_or_else(|| {
        let registered = view.status.radio.registration.is_registered();
        // M7: there are modems that tell the registration alone.
        values.refuse(
            Code::NoNetwork,
            if registered {
                "the modem tells no cell"
            } else {
                "no cell is known: not registered"
            },
        )
    })?;
    Ok(format!("+CILAC:LAC:{},CELLID:{}", cell.area, cell.id).into())
}

fn capabilities(_: &Values, _: &View<'_>) -> Result<Lines, Error> {
    Ok("+GCAP: +CGSM".into())
}

/// `COPS` mode 3.
const ONLY_FORMAT: u32 = 3;
