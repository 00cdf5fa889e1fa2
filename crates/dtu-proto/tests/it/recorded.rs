//! The text of a recorded run, line by line.
#![allow(missing_docs, clippy::unwrap_used)]

use core::net::{Ipv6Addr, SocketAddr, SocketAddrV6};

use dtu_proto::Identity;
use dtu_proto::event::{Input, LinkId, SocketInput};
use dtu_proto::record::{Header, encode_header, encode_input, parse};
use dtu_proto::time::Instant;

#[test]
fn what_was_not_lost_is_not_recorded() {
    let header = Header::default();
    let recorded = encode_header(&header);
    assert!(
        !recorded.contains("counted") && !recorded.contains("lost"),
        "{recorded}"
    );
}

#[test]
fn a_loss_of_nobody_known_is_refused() {
    for (line, known) in [
        ("lost 1 1 2 3", true),
        ("lost line 1 2 3", true),
        ("lost other 1 2 3", false),
    ] {
        let log = format!("dtu-record 1\n{line}\nbegin\n");
        assert_eq!(parse(&log).is_ok(), known, "{line}");
    }
}

#[test]
fn a_text_that_looks_like_none_comes_back() {
    let header = Header {
        identity: Identity {
            imei: "-".into(),
            imsi: String::new(),
            ..Identity::default()
        },
        ..Header::default()
    };
    let recorded = encode_header(&header);
    assert_eq!(parse(&recorded).unwrap().0, header);
}

/// The usual form of an address leaves flow label and zone out; they are recorded where there are any.
#[test]
fn an_address_has_flow_and_zone_where_they_are() {
    for (flow, scope, recorded) in [
        (0, 0, "[::1]:80"),
        (7, 0, "[::1]:80 7 0"),
        (0, 9, "[::1]:80 0 9"),
    ] {
        let local = SocketAddr::V6(SocketAddrV6::new(Ipv6Addr::LOCALHOST, 80, flow, scope));
        let mut line = String::new();
        let [first, ..] = LinkId::ALL;
        let input = Input::Socket(first.into(), SocketInput::Connected { local });
        encode_input(&mut line, Instant::ZERO, &input);
        assert_eq!(line, format!("0 link 1 connected {recorded}\n"));
    }
}
