//! The settings of the HTTPD client (manual 2.1.3).

use std::format;

use super::super::{from_store_text, to_store_text};
use super::Desk;
use crate::config::{Config, HttpdConfig, Method};
use crate::event::{HttpdTrouble, LinkDownReason};
use crate::status::{HttpdCounters, HttpdStatus, LinkState, WaitingFor};
use crate::time::Duration;

#[test]
fn manual_2_1_3_what_is_set_is_read_back_as_typed() {
    let mut desk = Desk::new();
    for (set, read) in [
        ("HTPTP=post", "HTPTP:\"POST\""),
        (
            "HTPSV=https://Test.usr.cn,8443",
            "HTPSV:\"https://Test.usr.cn\",8443",
        ),
        ("HTPSV=\"[2001:db8::1]\" , 80", "HTPSV:\"[2001:db8::1]\",80"),
        (
            "HTPURL=/a,b;c[3F]x=\"1\" ",
            "HTPURL:\"/a,b;c[3F]x=\"\"1\"\"\"",
        ),
        ("HTPURL=\"/a b,\"", "HTPURL:\"/a b,\""),
        (
            "HTPHD=Accept: a;q=0.5, b||X:\"y\"",
            "HTPHD:\"Accept: a;q=0.5, b||X:\"\"y\"\"\"",
        ),
        (
            "HTPHD=\"A:b[0D][0A]C:d[0D][0A]\"",
            "HTPHD:\"A:b[0D][0A]C:d[0D][0A]\"",
        ),
        ("HTPHD = Accept:text/html", "HTPHD:\"Accept:text/html\""),
        ("HTPHD=", "HTPHD:\"\""),
        ("HTPTO=600", "HTPTO:600"),
        ("HTPFLT=off", "HTPFLT:\"OFF\""),
    ] {
        desk.ok(format!("AT+{set}"));
        let name = &read[..read.find(':').unwrap()];
        desk.tells(&format!("at+{name}?"), &format!("+{read}"));
        let (stored, problems) = from_store_text(&to_store_text(&desk.config));
        assert_eq!((stored, problems.len()), (desk.config.clone(), 0), "{set}");
        // What the read form prints can be set.
        desk.ok(format!("AT+{}", read.replacen(':', "=", 1)));
        assert_eq!(from_store_text(&to_store_text(&desk.config)).0, desk.config);
    }
}

#[test]
fn manual_2_1_3_a_new_device_asks_the_makers_server() {
    let mut desk = Desk::new();
    let HttpdConfig {
        method,
        server,
        port,
        url,
        head,
        timeout,
        filter,
    } = Config::default().httpd;
    assert_eq!(
        (method, server.as_str(), port),
        (Method::Get, "test.usr.cn", 80)
    );
    assert_eq!(
        (url.as_str(), head.as_str(), timeout, filter),
        ("/1.php?", "Accept:text/html", 10, true)
    );
    desk.tells("AT+HTPTP?;+HTPTO?", "+HTPTP:\"GET\"\r\n\r\n+HTPTO:10");
    desk.tells("AT+HTPTP=?", "+HTPTP: (\"GET\",\"POST\")");
    desk.tells("AT+HTPURL=?", "+HTPURL: (1-1024 characters)");
    desk.tells("AT+HTPTO=?", "+HTPTO: (1-600)");
}

#[test]
fn settings_that_cannot_be_used_are_refused_by_name() {
    let mut desk = Desk::new();
    desk.refuses("AT+HTPTP=PUT", "HTPTP: TYPE must be GET or POST, got PUT");
    desk.refuses("AT+HTPSV=h", "HTPSV: PORT is missing; it must be 1..=65535");
    desk.refuses("AT+HTPSV=h,0", "HTPSV: PORT must be 1..=65535, got 0");
    desk.refuses(
        "AT+HTPSV=h/1.php,80",
        "HTPSV: SERVER must be a name or an address of 1..=255 letters, digits and - . _, http:// or https:// in front \
         allowed, got h/1.php; the path belongs to HTPURL",
    );
    desk.refuses(
        "AT+HTPURL=1.php",
        "HTPURL: URL must begin with /, got 1.php",
    );
    desk.refuses(
        "AT+HTPURL=",
        "HTPURL: URL is missing; it must be 1..=1024 bytes of printable UTF-8 text",
    );
    desk.refuses(
        "AT+HTPHD=A:b||C",
        "HTPHD: HEAD line 2 must be name:value, there is no colon",
    );
    desk.refuses(
        "AT+HTPHD=A:b[0D]",
        "HTPHD: HEAD line 1 has the control character [0D]",
    );
    desk.refuses(
        "AT+HTPHD=Transfer-Encoding: chunked",
        "HTPHD: HEAD line 1 Transfer-Encoding is not possible: it would change where requests end",
    );
    desk.refuses("AT+HTPTO=0", "HTPTO: TIME must be 1..=600, got 0");
    desk.refuses("AT+HTPFLT=1", "HTPFLT: FILTER must be OFF or ON, got 1");
}

#[test]
fn a_value_may_fill_the_line() {
    let mut desk = Desk::new();
    let url = format!("/{}", "x".repeat(1024 - "AT+HTPURL=/".len()));
    desk.ok(format!("AT+HTPURL={url}"));
    assert_eq!(desk.config.httpd.url, url);
    desk.refuses(
        format!("AT+HTPURL={url}x"),
        "a command line has at most 1024 bytes, got 1025",
    );
}

#[test]
fn cinet_and_cistat_tell_of_the_client() {
    let mut desk = Desk::new();
    let links = "+CINET:1,OFF\r\n+CINET:2,OFF\r\n+CINET:3,OFF\r\n+CINET:4,OFF";
    let timed_out = HttpdTrouble::NoAnswer {
        after: Duration::from_secs(10),
    };
    for (state, trouble, line) in [
        (LinkState::Off, Some(timed_out), ""),
        (LinkState::Connected, None, "\r\n+CINET:0,CONNECTED"),
        (
            LinkState::Connecting,
            Some(timed_out),
            "\r\n+CINET:0,CONNECTING,no answer in 10 s",
        ),
        (
            LinkState::Waiting(WaitingFor::Data),
            None,
            "\r\n+CINET:0,WAITING,no data",
        ),
        (
            LinkState::Waiting(WaitingFor::Data),
            Some(timed_out),
            "\r\n+CINET:0,WAITING,no answer in 10 s",
        ),
        (
            LinkState::Waiting(WaitingFor::Retry),
            None,
            "\r\n+CINET:0,WAITING,retry",
        ),
        (
            LinkState::Waiting(WaitingFor::Network),
            Some(timed_out),
            "\r\n+CINET:0,WAITING,no network",
        ),
        (
            LinkState::Waiting(WaitingFor::Retry),
            Some(HttpdTrouble::NoConnection(LinkDownReason::HostSilent)),
            "\r\n+CINET:0,WAITING,no answer from the host",
        ),
    ] {
        (desk.status.httpd.state, desk.status.httpd.trouble) = (state, trouble);
        desk.tells("AT+CINET?", &format!("{links}{line}"));
    }
    desk.status.httpd = HttpdStatus {
        state: LinkState::Connected,
        trouble: None,
        counters: HttpdCounters {
            bytes_in: 1,
            frames_in: 2,
            requests: 3,
            answered: 4,
            answered_other: 5,
            failed: 6,
            timed_out: 7,
            retried: 8,
            failed_attempts: 9,
            received_bytes: 10,
            printed_bytes: 11,
            stray_bytes: 12,
            dropped_bytes: 15,
            dropped_frames: 16,
            unread_bytes: 17,
            spool_refused: 18,
        },
        waiting_bytes: 13,
        waiting_frames: 14,
    };
    let line = "\r\n+CISTAT:HTTPD,state=CONNECTED,in=1,in_frames=2,requests=3,answered=4,answered_other=5,failed=6,\
                timed_out=7,retried=8,failed_attempts=9,received=10,printed=11,stray=12,waiting=13,waiting_frames=14,\
                dropped=15,dropped_frames=16,unread=17,spool_refused=18\r\n";
    assert!(desk.reply("AT+CISTAT").contains(line));
}
