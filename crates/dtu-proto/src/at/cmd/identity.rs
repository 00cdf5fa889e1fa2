//! Who the device is.

use alloc::format;
use alloc::string::{String, ToString};

use super::super::command::Command;
use super::super::outcome::Lines;
use super::super::param::{Kind, Param};
use super::super::reply::{Code, Error};
use super::super::values::Values;
use super::super::view::View;
use crate::radio::ModemIdentity;

pub(in super::super) const COMMANDS: &[Command] = &[
    Command::new(
        "I",
        "V.250 6.1.3",
        "Model and version",
        &[Param::new("PAGE", Kind::Number { min: 0, max: 9 }, "without effect").left_off_is("0")],
    )
    .example("ATI", "GPRS232-DTU\nRevision: 0.1.0\nOK")
    .asks(page),
    Command::new("+CGMI", "27.007 5.1", "Maker", &[])
        .example("AT+CGMI", "Software DTU\nOK")
        .asks(maker),
    Command::new("+CGMM", "27.007 5.2", "Model", &[])
        .example("AT+CGMM", "GPRS232-DTU\nOK")
        .asks(model),
    Command::new("+CGMR", "27.007 5.3", "Version", &[])
        .example("AT+CGMR", "0.1.0\nOK")
        .asks(revision),
    Command::new("+GMI", "V.250 6.1.4", "Maker", &[])
        .example("AT+GMI", "Software DTU\nOK")
        .asks(maker),
    Command::new("+GMM", "V.250 6.1.5", "Model", &[])
        .example("AT+GMM", "GPRS232-DTU\nOK")
        .asks(model),
    Command::new("+GMR", "V.250 6.1.6", "Version", &[])
        .example("AT+GMR", "0.1.0\nOK")
        .asks(revision),
    Command::new("+CGSN", "2.8.6.2", "Serial number of the modem (IMEI)", &[])
        .example("AT+CGSN", "135790246811220\nOK")
        .asks(imei),
    Command::new(
        "+GSN",
        "V.250 6.1.7",
        "Serial number of the modem (IMEI)",
        &[],
    )
    .example("AT+GSN", "135790246811220\nOK")
    .asks(imei),
    Command::new(
        "+CIMI",
        "2.8.6.3",
        "Subscriber number of the SIM (IMSI)",
        &[],
    )
    .example("AT+CIMI", "460023633887978\nOK")
    .asks(imsi),
    Command::new("+CIVER", "2.8.6.49", "Version", &[])
        .example("AT+CIVER?", "+CIVER:0.1.0\nOK")
        .reads(version),
];

fn page(_: &Values, view: &View<'_>) -> Result<Lines, Error> {
    let revision = format!("Revision: {}", view.identity.version);
    Ok(Lines::from_iter([MODEL.to_string(), revision]))
}

fn maker(_: &Values, _: &View<'_>) -> Result<Lines, Error> {
    Ok(MAKER.into())
}

fn model(_: &Values, _: &View<'_>) -> Result<Lines, Error> {
    Ok(MODEL.into())
}

fn revision(_: &Values, view: &View<'_>) -> Result<Lines, Error> {
    Ok(view.identity.version.clone().into())
}

fn version(_: &Values, view: &View<'_>) -> Result<Lines, Error> {
    Ok(format!("+CIVER:{}", view.identity.version).into())
}

fn imei(values: &Values, view: &View<'_>) -> Result<Lines, Error> {
    let imei = stated(view, |modem| &modem.imei, &view.identity.imei);
    let imei = imei.ok_or_else(|| values.refuse(Code::NotAllowed, "there is no modem"))?;
    Ok(imei.into())
}

fn imsi(values: &Values, view: &View<'_>) -> Result<Lines, Error> {
    let imsi = stated(view, |modem| &modem.imsi, &view.identity.imsi);
    let imsi = imsi.ok_or_else(|| values.refuse(Code::NoSim, "there is no SIM"))?;
    Ok(imsi.into())
}

/// What the modem says of itself, else what the host says of it.
fn stated(view: &View<'_>, of: fn(&ModemIdentity) -> &String, host: &str) -> Option<String> {
    let modem = view
        .status
        .radio
        .modem
        .as_ref()
        .map(|modem| of(modem).as_str());
    let text = modem.filter(|text| !text.is_empty()).unwrap_or(host);
    (!text.is_empty()).then(|| text.to_string())
}

const MAKER: &str = "Software DTU";
const MODEL: &str = "GPRS232-DTU";
