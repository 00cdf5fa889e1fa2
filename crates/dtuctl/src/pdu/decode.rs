//! `dtuctl pdu decode`.

use sms_codec::hex;
use sms_codec::pdu::{Decoded, Pdu};
use std::io::{self, BufRead as _};

use super::{Failure, json, print};
use crate::say::to_stderr;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  dtuctl pdu decode 0891683108504405F0240D91688159142058F700004190015160012307743A9DAE3FA301
  dtuctl pdu decode - < pdus.txt | jq -r .text

A bad PDU is told on stderr with the octet at fault, counted from 0; the others are printed all the same.")]
pub(crate) struct Decode {
    /// A PDU in hex digits, as AT+CMGL prints it in PDU mode; - reads one from each line of stdin
    #[arg(required = true, value_name = "HEX")]
    pdus: Vec<String>,
    /// The PDUs begin behind the service centre (TPDU)
    #[arg(long)]
    tpdu: bool,
    /// Print a PDU that is too short or too long for its own lengths all the same
    #[arg(long)]
    lenient: bool,
}

/// What does not fit the lengths that the PDU itself names.
fn length_fault(decoded: &Decoded) -> Option<String> {
    let octets = |count: usize| {
        if count == 1 {
            "1 octet".to_owned()
        } else {
            format!("{count} octets")
        }
    };
    match (decoded.missing, decoded.surplus) {
        (0, 0) => None,
        (0, surplus) => Some(format!("{} too many at the end", octets(surplus))),
        (missing, _) => Some(format!(
            "{} of user data missing at the end",
            octets(missing)
        )),
    }
}

impl Decode {
    pub(super) fn run(self) -> Result<(), Failure> {
        let mut good = true;
        for (number, pdu) in (1..).zip(&self.pdus) {
            good &= if pdu == "-" {
                self.lines()?
            } else {
                self.one(&format!("PDU {number}"), pdu)?
            };
        }
        if good { Ok(()) } else { Err(Failure::Told) }
    }

    fn lines(&self) -> Result<bool, Failure> {
        let mut good = true;
        for (number, line) in (1..).zip(io::stdin().lock().split(b'\n')) {
            let line = line.map_err(|error| Failure::Reason(format!("stdin: {error}")))?;
            let line = String::from_utf8_lossy(&line);
            if !line.trim().is_empty() {
                good &= self.one(&format!("line {number}"), &line)?;
            }
        }
        Ok(good)
    }

    /// Prints one; whether it was good.
    fn one(&self, place: &str, text: &str) -> io::Result<bool> {
        match self.read(text.trim()) {
            Ok((octets, decoded)) => {
                if let Some(fault) = length_fault(&decoded) {
                    let cure = if self.lenient {
                        ""
                    } else {
                        "; --lenient prints what is there"
                    };
                    to_stderr(&format!("dtuctl: {place}: {fault}{cure}\n"));
                    if !self.lenient {
                        return Ok(false);
                    }
                }
                print(&json::object(&octets, &decoded)).map(|()| true)
            }
            Err(reason) => {
                to_stderr(&format!("dtuctl: {place}: {reason}\n"));
                Ok(false)
            }
        }
    }

    fn read(&self, text: &str) -> Result<(Vec<u8>, Decoded), String> {
        let octets = hex::decode(text).map_err(|error| error.to_string())?;
        if !self.tpdu {
            return Pdu::decode(&octets)
                .map(|decoded| (octets, decoded))
                .map_err(|error| error.to_string());
        }
        // An empty service centre in front; places are counted without it.
        let whole: Vec<u8> = std::iter::once(0).chain(octets).collect();
        let decoded = Pdu::decode(&whole).map_err(|mut error| {
            error.offset = error.offset.saturating_sub(1);
            error.to_string()
        })?;
        Ok((whole, decoded))
    }
}
