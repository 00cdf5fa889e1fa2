//! `dtuctl pdu encode`.

use sms_codec::address::Address;
use sms_codec::gsm7::{Language, Shifts};
use sms_codec::hex;
use sms_codec::pdu::{Pdu, Submit, Tpdu};
use sms_codec::split::split;
use sms_codec::udh::{Header, Ports, Reference};
use sms_codec::user_data::Body;
use sms_codec::validity::Validity;
use std::time::{Duration, SystemTime};

use super::{Failure, json, print};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  dtuctl pdu encode --to +8618954102857 --text 'pump 3 on'
  dtuctl pdu encode --to 10086 --text '水泵已启动' --report --smsc +8613800531500
  dtuctl pdu encode --to +905321234567 --text 'İyi günler ğ' --locking turkish
  dtuctl pdu encode --to 10086 --data 0103000000020BC4 --ports 5000:5000

The field pdu is what AT+CMGS takes behind its prompt, tpdu_len the length that it wants.")]
#[group(skip)]
pub(crate) struct Encode {
    /// The receiver: digits, * # a b c, with + in front if the number is international
    #[arg(long, value_name = "NUMBER", value_parser = number)]
    to: Address,
    /// The text; in the GSM 7-bit alphabet if that has all its characters, else in UCS2
    #[arg(long, required_unless_present = "data", allow_hyphen_values = true)]
    text: Option<String>,
    /// 8-bit data in hex digits, instead of a text
    #[arg(long, value_name = "HEX", value_parser = octets, conflicts_with_all = ["text", "gsm7", "ucs2", "eight_bit", "locking", "single"])]
    data: Option<Octets>,
    /// The service centre; without it the modem's is used
    #[arg(long, value_name = "NUMBER", value_parser = number)]
    smsc: Option<Address>,
    /// Ask for a status report
    #[arg(long)]
    report: bool,
    /// The text in the GSM 7-bit alphabet, or not at all
    #[arg(long, conflicts_with_all = ["ucs2", "eight_bit"])]
    gsm7: bool,
    /// The text in UCS2 (UTF-16)
    #[arg(long, conflicts_with_all = ["eight_bit", "locking", "single"])]
    ucs2: bool,
    /// The text's UTF-8 bytes as 8-bit data
    #[arg(long = "8bit", conflicts_with_all = ["locking", "single"])]
    eight_bit: bool,
    /// 7-bit text with the main table of a language: turkish, portuguese, hindi …
    #[arg(long, value_name = "LANGUAGE", value_parser = language)]
    locking: Option<Language>,
    /// 7-bit text with the extension table of a language: turkish, spanish, portuguese, hindi …
    #[arg(long, value_name = "LANGUAGE", value_parser = language)]
    single: Option<Language>,
    /// Message class: 0 is shown at once and not kept
    #[arg(long, value_name = "0..3", value_parser = clap::value_parser!(u8).range(0..=3))]
    class: Option<u8>,
    /// How long the service centre tries: 30m, 12h, 3d, 2w; at most 63w
    #[arg(long, value_name = "TIME", value_parser = period)]
    valid_for: Option<Duration>,
    /// The service centre shall refuse this message if it has it already
    #[arg(long)]
    reject_duplicates: bool,
    /// Application ports, the receiver's first
    #[arg(long, value_name = "TO:FROM", value_parser = ports)]
    ports: Option<Ports>,
    /// Number that the parts of a long message share; above 255 it takes 16 bits [default: from the clock]
    #[arg(long, value_name = "N")]
    reference: Option<u16>,
    /// A reference of 16 bits
    #[arg(long)]
    wide: bool,
    /// Parts that a message may have
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u8).range(1..))]
    max_parts: u8,
}

impl Encode {
    pub(super) fn run(self) -> Result<(), Failure> {
        let shifts = Shifts {
            locking: self.locking,
            single: self.single,
        };
        let body = self.body(shifts)?;
        let header = self
            .ports
            .map_or_else(Header::default, |ports| Header::default().with_ports(ports));
        let parts = split(
            body,
            header.with_shifts(shifts),
            self.reference(),
            self.max_parts,
        );
        for part in parts.map_err(|error| Failure::Reason(error.to_string()))? {
            let mut submit = Submit {
                reject_duplicates: self.reject_duplicates,
                report: self.report,
                validity: self
                    .valid_for
                    .map_or(Validity::Network, Validity::for_at_least),
                ..Submit::new(self.to.clone(), part)
            };
            submit.dcs = self
                .class
                .map_or(submit.dcs, |class| submit.dcs.with_class(class));
            let pdu = Pdu {
                smsc: self.smsc.clone(),
                tpdu: Tpdu::Submit(submit),
            };
            let octets = pdu
                .encode()
                .map_err(|error| Failure::Reason(error.to_string()))?;
            let decoded =
                Pdu::decode(&octets).map_err(|error| Failure::Reason(error.to_string()))?;
            print(&json::object(&octets, &decoded))?;
        }
        Ok(())
    }

    fn body(&self, shifts: Shifts) -> Result<Body, Failure> {
        let Some(text) = &self.text else {
            return Ok(Body::Octets(self.data.clone().unwrap_or_default().0));
        };
        if self.ucs2 {
            Ok(Body::ucs2(text))
        } else if self.eight_bit {
            Ok(Body::Octets(text.clone().into_bytes()))
        } else if self.gsm7 || shifts != Shifts::default() {
            Body::gsm7(text, shifts).map_err(|error| Failure::Reason(format!("--text: {error}")))
        } else {
            Ok(Body::text(text))
        }
    }

    fn reference(&self) -> Reference {
        let since = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        let [low, high, ..] = since.as_millis().to_le_bytes();
        match self.reference {
            Some(number) => match u8::try_from(number) {
                Ok(number) if !self.wide => Reference::Narrow(number),
                _ => Reference::Wide(number),
            },
            None if self.wide => Reference::Wide(u16::from_le_bytes([low, high])),
            None => Reference::Narrow(low),
        }
    }
}

/// Octets of an argument.
#[derive(Clone, Debug, Default)]
struct Octets(Vec<u8>);

fn octets(text: &str) -> Result<Octets, String> {
    hex::decode(text)
        .map(Octets)
        .map_err(|error| error.to_string())
}

fn number(text: &str) -> Result<Address, String> {
    let wanted = "must be 1 to 20 digits (* # a b c too), with + in front if international";
    Address::number(text).ok_or_else(|| wanted.to_owned())
}

fn language(text: &str) -> Result<Language, String> {
    let name = |language: &Language| format!("{language:?}").to_lowercase();
    let found = Language::ALL
        .into_iter()
        .find(|language| name(language) == text.to_lowercase());
    found.ok_or_else(|| {
        format!(
            "must be one of {}",
            Language::ALL.each_ref().map(name).join(", ")
        )
    })
}

fn period(text: &str) -> Result<Duration, String> {
    let wanted = || "must be a number with m, h, d or w: 30m, 12h, 3d, 2w".to_owned();
    let (number, unit) = text
        .split_at_checked(text.len().saturating_sub(1))
        .ok_or_else(wanted)?;
    let minutes: u64 = match unit {
        "m" => 1,
        "h" => 60,
        "d" => 24 * 60,
        "w" => 7 * 24 * 60,
        _ => return Err(wanted()),
    };
    let number: u64 = number.parse().map_err(|_| wanted())?;
    let minutes = number
        .checked_mul(minutes)
        .filter(|minutes| (1..=LONGEST).contains(minutes));
    minutes
        .map(|minutes| Duration::from_secs(minutes * 60))
        .ok_or_else(|| "must be 1m to 63w".to_owned())
}

fn ports(text: &str) -> Result<Ports, String> {
    let port = |text: &str| text.parse::<u16>().ok();
    let both = text.split_once(':').and_then(|(to, from)| {
        Some(Ports {
            to: port(to)?,
            from: port(from)?,
        })
    });
    both.ok_or_else(|| "must be two ports of 0..=65535, as 5000:5001".to_owned())
}

/// Minutes in 63 weeks.
const LONGEST: u64 = 63 * 7 * 24 * 60;
