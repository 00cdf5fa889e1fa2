//! Parameters of short messages (3GPP TS 27.005).

use sms_codec::dcs::Dcs;
use sms_codec::time::TimeStamp;
use sms_codec::validity::Validity;

use crate::ids::PhoneNumber;

/// The stored parameters of messages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Messages {
    /// `CMGF`: text mode, else PDU mode.
    pub text_mode: bool,
    /// `CSCA`; `None` = the one that the SIM names.
    pub service_center: Option<ServiceCenter>,
    /// `CNMI`.
    pub notify: Notify,
    /// `CSMP`.
    pub parameters: TextParameters,
    /// `CSDH`: text mode shows all of a message's header.
    pub details: bool,
    /// `CSCS`.
    pub charset: TextCharset,
}

/// The service centre of `CSCA`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServiceCenter {
    /// As it was typed.
    pub number: PhoneNumber,
    /// 145 international, 129 otherwise.
    pub type_of_address: u8,
}

/// What the DTE is told of messages that come: `CNMI` (27.005 3.4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Notify {
    /// 0, 1: what comes in the data state is not told; 2, 3: it is told later.
    pub mode: u8,
    /// 0 nothing, 1 `+CMTI`, 2 `+CMT`, 3 `+CMT` for class 3 and `+CMTI` for the others.
    pub messages: u8,
    /// Cell broadcast: kept and shown, there are none.
    pub broadcasts: u8,
    /// Status reports: 0 nothing, 1 `+CDS`, 2 stored and `+CDSI`.
    pub reports: u8,
    /// Kept and shown.
    pub buffer: u8,
}

impl Default for Notify {
    fn default() -> Self {
        Self {
            mode: 2,
            messages: 1,
            broadcasts: 0,
            reports: 0,
            buffer: 0,
        }
    }
}

/// What messages of the text mode are sent with: `CSMP` (27.005 3.3.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TextParameters {
    /// The first octet of a SUBMIT (23.040 9.2.2.2).
    pub first_octet: u8,
    /// The validity period that goes with it.
    pub validity: TextValidity,
    /// Protocol identifier.
    pub pid: u8,
    /// Coding of the user data.
    pub dcs: Dcs,
}

/// A validity period as `CSMP` writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextValidity {
    /// A number.
    Relative(u8),
    /// A time.
    Until(TimeStamp),
}

impl Default for TextParameters {
    /// 27.005 3.3.3: 17, 167 (24 hours), 0, 0.
    fn default() -> Self {
        Self {
            first_octet: 17,
            validity: TextValidity::Relative(167),
            pid: 0,
            dcs: Dcs(0),
        }
    }
}

impl TextParameters {
    /// The validity period, as the format bits of the first octet say.
    #[must_use]
    pub const fn period(&self) -> Validity {
        match (self.first_octet >> 3 & 3, self.validity) {
            (2, TextValidity::Relative(octet)) => Validity::Relative(octet),
            (3, TextValidity::Until(stamp)) => Validity::Absolute(stamp),
            _ => Validity::Network,
        }
    }
}

/// What text is written in at the AT interface: `CSCS` (27.007 5.5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum TextCharset {
    /// `GSM`: the default alphabet of 23.038, a septet a byte.
    Gsm,
    /// `IRA`: ASCII. Other bytes of the DTE are in the charset of the serial line.
    #[default]
    Ira,
    /// `UCS2`: four hex digits a unit.
    Ucs2,
    /// `HEX`: septets of the default alphabet, two hex digits each.
    Hex,
    /// `UTF-8`.
    Utf8,
}

impl TextCharset {
    /// All, in the order of `AT+CSCS=?`.
    pub const ALL: [Self; 5] = [Self::Gsm, Self::Ira, Self::Ucs2, Self::Hex, Self::Utf8];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gsm => "GSM",
            Self::Ira => "IRA",
            Self::Ucs2 => "UCS2",
            Self::Hex => "HEX",
            Self::Utf8 => "UTF-8",
        }
    }
}
