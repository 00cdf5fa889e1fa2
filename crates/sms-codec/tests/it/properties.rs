//! Whatever the message: it comes back from its PDU, and from its parts; and no bytes break the decoder.
#![allow(clippy::unwrap_used, reason = "in a test it is an assertion")]

use proptest::prelude::*;
use sms_codec::address::Address;
use sms_codec::dcs::{Alphabet, Dcs};
use sms_codec::gsm7::{self, Language, Shifts};
use sms_codec::join::{Content, join};
use sms_codec::pdu::{Decoded, Deliver, Pdu, Status, StatusReport, Submit, Tpdu};
use sms_codec::split::split;
use sms_codec::time::{Civil, TimeStamp};
use sms_codec::udh::{Header, Ports, Reference};
use sms_codec::user_data::{Body, LONGEST, UserData};
use sms_codec::validity::Validity;

fn number() -> impl Strategy<Value = Address> {
    prop_oneof!["[+]?[0-9*#a-c]{1,20}", "[+]?[0-9]{1,20}"]
        .prop_map(|text: String| Address::number(&text).unwrap())
}

fn address() -> impl Strategy<Value = Address> {
    prop_oneof![
        4 => number(),
        1 => "[ -Z@ÄΩ]{0,11}".prop_map(|text: String| Address::name(&text).unwrap()),
        1 => ((0x80..=0xFFu8).prop_filter("a number", |toa| toa >> 4 & 7 != 5), "[0-9]{0,20}")
            .prop_map(|(toa, digits)| Address::new(toa, &digits).unwrap()),
    ]
}

fn header() -> impl Strategy<Value = Header> {
    prop_oneof![
        any::<(u16, u16)>().prop_map(|(to, from)| Header::default().with_ports(Ports { to, from })),
        prop::collection::vec(any::<u8>(), 0..140).prop_map(|content| Header::new(&content)),
    ]
}

/// User data that fits, and a coding that says its alphabet.
fn user_data() -> impl Strategy<Value = (UserData, Dcs)> {
    let dcs = any::<u8>().prop_map(Dcs);
    (
        dcs,
        prop::option::of(header()),
        prop::collection::vec(any::<u16>(), 0..=160),
    )
        .prop_map(|(dcs, header, units)| {
            let head = header.as_ref().map_or(0, Header::size);
            let low = |unit: &u16| unit.to_le_bytes()[0];
            let body = match dcs.alphabet() {
                Alphabet::Gsm7 => Body::Septets(
                    units
                        .iter()
                        .take(160 - gsm7::septets_of(head))
                        .map(|unit| low(unit) & 0x7F)
                        .collect(),
                ),
                Alphabet::Ucs2 => {
                    Body::Ucs2(units.into_iter().take((LONGEST - head) / 2).collect())
                }
                Alphabet::Octets => {
                    Body::Octets(units.iter().take(LONGEST - head).map(low).collect())
                }
            };
            (UserData { header, body }, dcs)
        })
}

fn stamp() -> impl Strategy<Value = TimeStamp> {
    any::<[u8; 7]>().prop_map(TimeStamp)
}

fn validity() -> impl Strategy<Value = Validity> {
    prop_oneof![
        Just(Validity::Network),
        any::<u8>().prop_map(Validity::Relative),
        any::<[u8; 7]>().prop_map(Validity::Enhanced),
        stamp().prop_map(Validity::Absolute),
    ]
}

fn submit() -> impl Strategy<Value = Tpdu> {
    (
        any::<[bool; 3]>(),
        any::<[u8; 2]>(),
        address(),
        validity(),
        user_data(),
    )
        .prop_map(|(flags, [reference, pid], to, validity, (data, dcs))| {
            let [reject_duplicates, report, reply_path] = flags;
            let submit = Submit {
                reject_duplicates,
                report,
                reply_path,
                reference,
                pid,
                validity,
                ..Submit::new(to, data)
            };
            Tpdu::Submit(Submit { dcs, ..submit })
        })
}

fn deliver() -> impl Strategy<Value = Tpdu> {
    (
        any::<[bool; 4]>(),
        any::<u8>(),
        address(),
        stamp(),
        user_data(),
    )
        .prop_map(
            |([no_more, forwarded, report, reply_path], pid, from, stamp, (data, dcs))| {
                Tpdu::Deliver(Deliver {
                    no_more,
                    forwarded,
                    report,
                    reply_path,
                    from,
                    pid,
                    dcs,
                    stamp,
                    data,
                })
            },
        )
}

fn status_report() -> impl Strategy<Value = Tpdu> {
    let optional = (any::<Option<u8>>(), prop::option::of(user_data()));
    (
        any::<[bool; 3]>(),
        any::<[u8; 2]>(),
        address(),
        stamp(),
        stamp(),
        optional,
    )
        .prop_map(
            |(
                [no_more, forwarded, of_command],
                [reference, status],
                to,
                stamp,
                discharge,
                (pid, data),
            )| {
                let (data, dcs) = data.unzip();
                let status = Status(status);
                Tpdu::StatusReport(StatusReport {
                    no_more,
                    forwarded,
                    of_command,
                    reference,
                    to,
                    stamp,
                    discharge,
                    status,
                    pid,
                    dcs,
                    data,
                })
            },
        )
}

/// Any bytes, and PDUs with some of their octets overwritten.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let damage = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4);
    let damaged =
        (prop_oneof![submit(), deliver(), status_report()], damage).prop_map(|(tpdu, damage)| {
            let mut octets = Pdu { smsc: None, tpdu }.encode().unwrap();
            for (at, octet) in damage {
                let at = at.index(octets.len());
                octets[at] = octet;
            }
            octets
        });
    prop_oneof![1 => prop::collection::vec(any::<u8>(), 0..200), 4 => damaged]
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-zA-Z0-9 @£Δ]{0,700}",
        "[a-c€\\[\\]{}~^|]{0,700}",
        "[泵水a😀-😄]{0,400}",
        any::<String>(),
    ]
}

fn reference() -> impl Strategy<Value = Reference> {
    prop_oneof![
        any::<u8>().prop_map(Reference::Narrow),
        any::<u16>().prop_map(Reference::Wide)
    ]
}

fn language() -> impl Strategy<Value = Option<Language>> {
    prop::option::of(prop::sample::select(Language::ALL.to_vec()))
}

proptest! {
    #[test]
    fn a_message_comes_back_from_its_pdu(
        smsc in prop::option::of(number()),
        tpdu in prop_oneof![submit(), deliver(), status_report()],
    ) {
        let pdu = Pdu { smsc, tpdu };
        let octets = pdu.encode().unwrap();
        prop_assert_eq!(Pdu::decode(&octets), Ok(Decoded { pdu, missing: 0, surplus: 0 }));
    }

    #[test]
    fn any_bytes_are_read_or_refused_and_what_was_read_comes_back(octets in bytes()) {
        if let Ok(decoded) = Pdu::decode(&octets) {
            let again = Pdu::decode(&decoded.pdu.encode().unwrap());
            prop_assert_eq!(again.map(|again| again.pdu), Ok(decoded.pdu));
        }
    }

    #[test]
    fn a_cut_pdu_is_refused_or_tells_what_is_missing(tpdu in prop_oneof![submit(), deliver()], at in 0..200usize) {
        let octets = Pdu { smsc: None, tpdu }.encode().unwrap();
        if at < octets.len() {
            match Pdu::decode(&octets[..at]) {
                Ok(decoded) => prop_assert_eq!(decoded.missing, octets.len() - at),
                Err(error) => prop_assert!(error.offset <= at),
            }
        }
    }

    #[test]
    fn a_text_comes_back_from_its_parts(text in text(), reference in reference()) {
        let body = Body::text(&text);
        let parts = split(body, Header::default(), reference, 255).unwrap();
        for (index, part) in parts.iter().enumerate() {
            prop_assert!(part.octets().len() <= LONGEST);
            let concat = part.header.as_ref().and_then(Header::concat);
            let place = concat.map_or((1, 1), |concat| (usize::from(concat.part), usize::from(concat.total)));
            prop_assert_eq!(place, (index + 1, parts.len()));
        }
        // No part ends inside a character, so the texts of the parts make the text too.
        prop_assert_eq!(parts.iter().filter_map(UserData::text).collect::<String>(), text.clone());
        prop_assert_eq!(join(&parts), Content::Text(text));
    }

    #[test]
    fn octets_come_back_from_their_parts(
        octets in prop::collection::vec(any::<u8>(), 0..1000),
        reference in reference(),
    ) {
        let parts = split(Body::Octets(octets.clone()), Header::default(), reference, 255).unwrap();
        prop_assert_eq!(join(&parts), Content::Octets(octets));
    }

    #[test]
    fn septets_of_any_tables_come_back_as_text_from_parts(
        septets in prop::collection::vec(0..0x80u8, 0..600),
        locking in language(),
        single in language(),
    ) {
        let shifts = Shifts { locking, single };
        let text = gsm7::decode(&septets, shifts).replace('\u{FFFD}', "");
        let header = Header::default().with_shifts(shifts);
        let parts = split(Body::gsm7(&text, shifts).unwrap(), header, Reference::Narrow(1), 255).unwrap();
        prop_assert_eq!(join(&parts), Content::Text(text));
    }

    #[test]
    fn what_others_cut_in_two_is_whole_again(text in text(), at in 0..400usize) {
        let whole = Body::text(&text);
        let halves = match &whole {
            Body::Septets(septets) => {
                let (left, right) = septets.split_at(at.min(septets.len()));
                [Body::Septets(left.to_vec()), Body::Septets(right.to_vec())]
            }
            Body::Ucs2(units) => {
                let (left, right) = units.split_at(at.min(units.len()));
                [Body::Ucs2(left.to_vec()), Body::Ucs2(right.to_vec())]
            }
            Body::Octets(_) => unreachable!("a text"),
        };
        prop_assert_eq!(join(&halves.map(UserData::plain)), Content::Text(text));
    }

    #[test]
    fn a_time_comes_back_from_its_stamp(
        (year, month, day) in (1990..2090u16, 1..13u8, 1..29u8),
        (hour, minute, second) in (0..24u8, 0..60u8, 0..60u8),
        zone in -79..80i8,
    ) {
        let civil = Civil { year, month, day, hour, minute, second, zone };
        prop_assert_eq!(TimeStamp::of(civil).and_then(TimeStamp::civil), Some(civil));
    }
}
