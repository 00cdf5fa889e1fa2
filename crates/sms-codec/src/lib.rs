//! Short messages as bytes and values: PDUs, alphabets, long messages (3GPP TS 23.040, 23.038, 27.005).
//!
//! A short message travels between a modem and its host as a PDU in hex digits (3GPP TS 27.005, `AT+CMGF=0`):
//!
//! ```text
//!   08 91683108504405F0 | 24 0D 91688159142058F7 00 00 41900151600123 07 743A9DAE3FA301
//!   service centre      | TPDU: first octet, address, PID, DCS, time stamp, user data length, user data
//!   (27.005, 24.011)    | (23.040)                 septets, alphabets: 23.038
//! ```
//!
//! [`Pdu::decode`](pdu::Pdu::decode) takes that apart without loss: user data stays in the units of its alphabet
//! (septets, UTF-16 units, octets), and [`UserData::text`](user_data::UserData::text) reads it. So parts of a long
//! message can be joined where a sender has cut a character in two. [`split`] makes parts, [`join`] joins them.
//!
//! ```
//! use sms_codec::{address::Address, hex, pdu::{Pdu, Tpdu}};
//!
//! let octets = hex::decode("0891683108504405F0240D91688159142058F700004190015160012307743A9DAE3FA301")?;
//! let Tpdu::Deliver(deliver) = Pdu::decode(&octets)?.pdu.tpdu else { panic!("not a received message") };
//! assert_eq!(deliver.from, Address::number("+8618954102857").unwrap());
//! assert_eq!(deliver.data.text().as_deref(), Some("ttttzgh"));
//! assert_eq!(deliver.stamp.to_string(), "2014-09-10T15:06:10+08:00");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Where what stands
//!
//! | module | what | source |
//! |---|---|---|
//! | [`pdu`] | SUBMIT, DELIVER, STATUS-REPORT, the service centre in front | 23.040 9.2.2, 27.005 3.1 |
//! | [`address`] | numbers and names | 23.040 9.1.2.5 |
//! | [`dcs`] | the data coding scheme: which alphabet | 23.038 4 |
//! | [`user_data`], [`udh`] | user data and its header: parts, ports, national languages | 23.040 9.2.3.24 |
//! | [`gsm7`] | the GSM 7-bit alphabet, its extension and national tables, packing | 23.038 6.1, 6.2, annex A |
//! | [`ucs2`] | UTF-16 units | 23.038 6.2.3 |
//! | [`split`], [`join`] | a long message to parts, and parts to it | 23.040 9.2.3.24.1 and .8 |
//! | [`time`], [`validity`] | time stamps, how long a message is tried | 23.040 9.2.3.11, 9.2.3.12 |
//! | [`hex`] | octets as the digits of a PDU in `AT+CMGS` and `+CMGL` | 27.005 3.1 |
//!
//! Values in and out: no IO, no clock. The one thing with a memory is [`join::Concatenation`], and time is its argument.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod address;
pub mod dcs;
pub mod gsm7;
pub mod hex;
pub mod join;
pub mod pdu;
mod reader;
pub mod split;
pub mod time;
pub mod ucs2;
pub mod udh;
pub mod user_data;
pub mod validity;

pub use reader::{DecodeError, Fault};
