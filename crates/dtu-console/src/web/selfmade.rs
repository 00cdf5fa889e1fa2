//! A certificate of the console's own, for who has none: ECDSA on P-256, signed by its own key. Who opens the console
//! compares its fingerprint with the one that the log tells.

use std::fs;
use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};

use crate::password;
use crate::recorder::base64;

/// Certificate and key, in the state directory. Without the file a new one is made.
const FILE: &str = "console-tls.pem";
/// Who reads a certificate looks no further.
const NAMES: usize = 32;

pub(super) fn path(state: &Path) -> PathBuf {
    state.join(FILE)
}

/// Makes it where there is none yet.
pub(super) fn ensure(state: &Path, names: &[String], address: IpAddr) -> io::Result<()> {
    let path = path(state);
    match fs::symlink_metadata(&path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            password::write(&path, make(names, address)?.as_bytes())
        }
        Err(error) => Err(error),
    }
}

fn make(names: &[String], address: IpAddr) -> io::Result<String> {
    let random = SystemRandom::new();
    let unmade = |_| io::Error::other("no certificate can be made");
    let algorithm = &ECDSA_P256_SHA256_ASN1_SIGNING;
    let key = EcdsaKeyPair::generate_pkcs8(algorithm, &random).map_err(unmade)?;
    let pair = EcdsaKeyPair::from_pkcs8(algorithm, key.as_ref(), &random)
        .map_err(|error| io::Error::other(format!("no certificate can be made: {error}")))?;
    let told = of_key(pair.public_key().as_ref(), names, address);
    let signature = pair.sign(&random, &told).map_err(unmade)?;
    let certificate = sequence(&[
        &told,
        &sequence(&[ECDSA_WITH_SHA256]),
        &bits(signature.as_ref()),
    ]);
    Ok(pem("CERTIFICATE", &certificate) + &pem("PRIVATE KEY", key.as_ref()))
}

/// What is signed (RFC 5280, 4.1).
fn of_key(point: &[u8], names: &[String], address: IpAddr) -> Vec<u8> {
    let mut serial = password::random::<16>();
    // Positive, and of its full length.
    serial[0] = serial[0] & 0x7F | 0x40;
    let name = sequence(&[&tlv(
        SET,
        &sequence(&[COMMON_NAME, &tlv(UTF8_STRING, b"dtud console")]),
    )]);
    // A device whose clock is wrong must be reachable, too; the second one means: no end.
    let validity = sequence(&[
        &tlv(UTC_TIME, b"200101000000Z"),
        &tlv(GENERALIZED_TIME, b"99991231235959Z"),
    ]);
    let key = sequence(&[&sequence(&[EC_PUBLIC_KEY, P256]), &bits(point)]);
    let mut alternatives: Vec<Vec<u8>> = names
        .iter()
        .filter(|name| name.is_ascii() && name.parse::<IpAddr>().is_err())
        .take(NAMES)
        .map(|name| tlv(DNS_NAME, name.as_bytes()))
        .collect();
    let named = names
        .iter()
        .filter_map(|name| name.parse().ok())
        .take(NAMES);
    for ip in named.chain((!address.is_unspecified()).then_some(address)) {
        alternatives.push(match ip {
            IpAddr::V4(ip) => tlv(IP_ADDRESS, &ip.octets()),
            IpAddr::V6(ip) => tlv(IP_ADDRESS, &ip.octets()),
        });
    }
    let extensions = sequence(&[
        &extension(BASIC_CONSTRAINTS, &sequence(&[])),
        &extension(KEY_USAGE, DIGITAL_SIGNATURE),
        &extension(EXTENDED_KEY_USAGE, &sequence(&[SERVER])),
        &extension(ALTERNATIVE_NAMES, &tlv(SEQUENCE, &alternatives.concat())),
    ]);
    sequence(&[
        &tlv(VERSION, &tlv(INTEGER, &[2])),
        &tlv(INTEGER, &serial),
        &sequence(&[ECDSA_WITH_SHA256]),
        &name,
        &validity,
        &name,
        &key,
        &tlv(EXTENSIONS, &extensions),
    ])
}

fn extension(id: &[u8], value: &[u8]) -> Vec<u8> {
    sequence(&[id, &tlv(OCTETS, value)])
}

fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    tlv(SEQUENCE, &parts.concat())
}

fn bits(bytes: &[u8]) -> Vec<u8> {
    tlv(BITS, &[&[0], bytes].concat())
}

/// A value of DER with its tag and its length.
fn tlv(tag: u8, value: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    let length = value.len().to_be_bytes();
    let digits = &length[length.iter().take_while(|byte| **byte == 0).count()..];
    match digits {
        [] => out.push(0),
        [short] if *short < 0x80 => out.push(*short),
        long => {
            out.push(0x80 | long.len() as u8);
            out.extend_from_slice(long);
        }
    }
    out.extend_from_slice(value);
    out
}

fn pem(what: &str, der: &[u8]) -> String {
    let mut text = format!("-----BEGIN {what}-----\n");
    let digits = base64(der);
    for at in (0..digits.len()).step_by(64) {
        text.push_str(&digits[at..digits.len().min(at + 64)]);
        text.push('\n');
    }
    text + &format!("-----END {what}-----\n")
}

const INTEGER: u8 = 0x02;
const BITS: u8 = 0x03;
const OCTETS: u8 = 0x04;
const UTF8_STRING: u8 = 0x0C;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const VERSION: u8 = 0xA0;
const EXTENSIONS: u8 = 0xA3;
const DNS_NAME: u8 = 0x82;
const IP_ADDRESS: u8 = 0x87;
const ECDSA_WITH_SHA256: &[u8] = b"\x06\x08\x2A\x86\x48\xCE\x3D\x04\x03\x02";
const EC_PUBLIC_KEY: &[u8] = b"\x06\x07\x2A\x86\x48\xCE\x3D\x02\x01";
const P256: &[u8] = b"\x06\x08\x2A\x86\x48\xCE\x3D\x03\x01\x07";
const COMMON_NAME: &[u8] = b"\x06\x03\x55\x04\x03";
const BASIC_CONSTRAINTS: &[u8] = b"\x06\x03\x55\x1D\x13";
const KEY_USAGE: &[u8] = b"\x06\x03\x55\x1D\x0F";
const EXTENDED_KEY_USAGE: &[u8] = b"\x06\x03\x55\x1D\x25";
const ALTERNATIVE_NAMES: &[u8] = b"\x06\x03\x55\x1D\x11";
const DIGITAL_SIGNATURE: &[u8] = b"\x03\x02\x07\x80";
const SERVER: &[u8] = b"\x06\x08\x2B\x06\x01\x05\x05\x07\x03\x01";
