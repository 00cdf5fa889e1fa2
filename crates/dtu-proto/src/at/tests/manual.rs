//! One test a section of the manual's command list, its examples to the byte.

use std::string::String;

use super::super::{Effect, LineOutcome, ParkedLine, SlowCommand};
use super::Desk;
use crate::config::{Config, HeartbeatTo, Parity, Protocol, RegistrationWhen, WorkingMode};
use crate::event::{CloseReason, LinkDownReason, Origin, RestartReason};
use crate::status::{LinkState, Phase, WaitingFor};
use crate::time::{Duration, Instant};

#[test]
fn manual_2_8_6_1_at() {
    Desk::new().ok("AT");
}

#[test]
fn manual_2_8_6_2_cgsn() {
    let mut desk = Desk::new();
    desk.tells("AT+CGSN", "135790246811220");
    desk.tells("AT+CGSN ", "135790246811220");
    desk.identity.imei.clear();
    desk.refuses("AT+CGSN", "CGSN: there is no modem");
}

#[test]
fn manual_2_8_6_3_cimi() {
    let mut desk = Desk::new();
    desk.tells("AT+CIMI", "460023633887978");
    desk.identity.imsi.clear();
    desk.refuses("AT+CIMI", "CIMI: there is no SIM");
}

#[test]
fn manual_2_8_6_4_cclk_read() {
    let mut desk = Desk::new();
    desk.tells("AT+CCLK?", "+CCLK: \"14/01/01,00:00:00\"");
    desk.status.now = Instant::from_millis(86_400_000 + 61_000);
    desk.tells("AT+CCLK?", "+CCLK: \"14/01/02,00:01:01\"");
}

#[test]
fn manual_2_8_6_5_cclk_set() {
    let mut desk = Desk::new();
    desk.status.now = Instant::from_millis(5_900);
    desk.ok("AT+CCLK=\"14/09/10,15:00:20\"");
    desk.status.now = Instant::from_millis(5_900 + 47_999);
    desk.tells("AT+CCLK?", "+CCLK: \"14/09/10,15:01:07\"");
    desk.ok("AT+CCLK=\"00/02/29,23:59:59-96\"");
    desk.status.now += Duration::from_secs(1);
    desk.tells("AT+CCLK?", "+CCLK: \"00/03/01,00:00:00\"");
    desk.ok("AT+CCLK=\"99/12/31,23:59:59+32\"");
    desk.tells("AT+CCLK?", "+CCLK: \"99/12/31,23:59:59\"");
    for bad in [
        "",
        "14/09/10",
        "14/13/10,15:00:20",
        "14/00/10,15:00:20",
        "14/04/31,15:00:20",
        "14/02/29,15:00:20",
        "14/09/00,15:00:20",
        "14/09/10,24:00:20",
        "14/09/10,15:60:20",
        "14/09/10,15:00:60",
        "2014/09/10,15:00:20",
        "14/09/10 15:00:20",
        "14/09/10,15:00:20+",
        "14/09/10,15:00:20+97",
        "14/09/10,15:00:20Z00",
        "１4/09/10,15:00:2",
    ] {
        let reply = desk.reply(std::format!("AT+CCLK=\"{bad}\""));
        assert!(
            reply.starts_with("\r\n+CME ERROR: CCLK: TIME must be \"yy/MM/dd,hh:mm:ss\""),
            "{reply}"
        );
        desk.tells("AT+CCLK?", "+CCLK: \"99/12/31,23:59:59\"");
    }
}

#[test]
fn manual_2_8_6_19_cstt() {
    let mut desk = Desk::new();
    // The manual has CMNET from the factory; decisions 16.14: none, the modem's own stays.
    desk.tells("AT+CSTT?", "+CSTT: \"\", \"\", \"\"");
    desk.ok("AT+CSTT=\"APN\",\"UNAME\",\"UPSW\"");
    desk.tells("AT+CSTT?", "+CSTT: \"APN\", \"UNAME\", \"UPSW\"");
    desk.ok("AT+CSTT=\"CMNET\"");
    assert_eq!(desk.config.apn.name, "CMNET");
    desk.ok("AT+CSTT=\"\"");
    assert_eq!(desk.config.apn, Config::default().apn);
}

#[test]
fn manual_2_8_6_20_cipcfg() {
    let mut desk = Desk::new();
    desk.ok("AT+CIPCFG=1,60,0,50,20,3600");
    desk.tells("AT+CIPCFG?", "+CIPCFG: 1, 60, 0, 50, 20, 3600");
    desk.ok("AT+CIPCFG=1,30,0,100,10,1800");
    desk.tells("AT+CIPCFG?", "+CIPCFG: 1, 30, 0, 100, 10, 1800");
    assert_eq!(desk.config, Config::default());
    desk.ok("AT+CIPCFG=0,0,0,0,0,0");
    desk.refuses(
        "AT+CIPCFG=1,99999,0,100,10,1800",
        "CIPCFG: HEAT must be 0..=65535, got 99999",
    );
    desk.refuses(
        "AT+CIPCFG=1,30,0,9,10,1800",
        "CIPCFG: TIME must be 0 or 10..=60000, got 9",
    );
    desk.refuses(
        "AT+CIPCFG=1,30,1,100,10,1800",
        "CIPCFG: RESERVED must be 0, got 1",
    );
    desk.refuses(
        "AT+CIPCFG=2,30,0,100,10,1800",
        "CIPCFG: AUTO must be 0 (stay in the command state) or 1 (enter the working mode), got 2",
    );
    desk.refuses(
        "AT+CIPCFG=1,30,0,100,10",
        "CIPCFG: RTIME is missing; it must be 0..=65535; write , for 1800",
    );
    desk.refuses(
        "AT+CIPCFG=1,30,0,100,10,1800,7",
        "CIPCFG: takes 6 parameters (AUTO,HEAT,RESERVED,TIME,LEN,RTIME), got 7; a value with a comma needs quotes",
    );
}

#[test]
fn manual_2_8_6_21_cippack_heartbeat() {
    let mut desk = Desk::new();
    desk.ok("AT+CIPPACK=0,\"31313131\"，\"1\"");
    assert_eq!(
        (desk.config.heartbeat.as_slice(), desk.config.heartbeat_to),
        (&b"1111"[..], HeartbeatTo::Serial)
    );
    desk.tells(
        "AT+CIPPACK?",
        "+CIPPACK: 0, \"31313131\",1\r\n+CIPPACK: 1, \"\" , 0",
    );
    desk.ok("AT+CIPPACK=0,,0");
    assert_eq!(desk.config, Config::default());
    desk.ok(std::format!("AT+CIPPACK=0,{}", "00".repeat(40)));
    let most = "an even number of hex digits, at most 80 (40 bytes)";
    desk.refuses(
        "AT+CIPPACK=0,313,1",
        &std::format!("CIPPACK: DATA must be {most}, got 313"),
    );
    desk.refuses(
        "AT+CIPPACK=0,3x,1",
        &std::format!("CIPPACK: DATA must be {most}, got 3x; text \"3x\" in hex is 3378"),
    );
    let long = "00".repeat(41);
    desk.refuses(
        std::format!("AT+CIPPACK=0,{long},1"),
        &std::format!(
            "CIPPACK: DATA must be {most}, got {}... (82 bytes)",
            &long[..32]
        ),
    );
}

#[test]
fn manual_2_8_6_22_cippack_registration() {
    let mut desk = Desk::new();
    desk.ok("AT+CIPPACK=1,\"31303031\",\"0\"");
    assert_eq!(desk.config.registration, b"1001");
    assert_eq!(desk.config.registration_when, RegistrationWhen::OnConnect);
    desk.tells(
        "AT+CIPPACK?",
        "+CIPPACK: 0, \"\",0\r\n+CIPPACK: 1, \"31303031\" , 0",
    );
    desk.ok("AT+CIPPACK=1,aBcD,1");
    desk.tells(
        "AT+CIPPACK?",
        "+CIPPACK: 0, \"\",0\r\n+CIPPACK: 1, \"ABCD\" , 1",
    );
}

#[test]
fn manual_2_8_6_23_cimod() {
    let mut desk = Desk::new();
    desk.ok("AT+CIMOD=\"2\"");
    desk.tells("AT+CIMOD?", "+CIMOD: 2");
    desk.ok("AT+CIMOD=\"0\"");
    assert_eq!(desk.config.mode, WorkingMode::Transparent);
    for mode in WorkingMode::ALL {
        desk.ok(std::format!("AT+CIMOD={}", mode.number()));
        assert_eq!(desk.config.mode, mode);
    }
    desk.refuses(
        "AT+CIMOD=5",
        "CIMOD: MOD must be 0 (transparent), 1 (serial command), 2 (AT command), 3 (HTTPD) or 4 (SMS), got 5",
    );
}

#[test]
fn manual_2_8_6_24_cinetpt() {
    let mut desk = Desk::new();
    desk.ok("AT+CINETPT=1,10101");
    desk.tells(
        "AT+CINETPT?",
        "+CINETPT:1,10101\r\n+CINETPT:2,0\r\n+CINETPT:3,0\r\n+CINETPT:4,0",
    );
    desk.ok("AT+CINETPT=1,10101");
    desk.refuses(
        "AT+CINETPT=3,10101",
        "CINETPT: PORT 10101 is the local port of link 1; links need different ports, or 0",
    );
    desk.ok("AT+CINETPT=3,0");
    desk.refuses("AT+CINETPT=5,1", "CINETPT: NUM must be 1..=4, got 5");
    desk.refuses(
        "AT+CINETPT=1,65536",
        "CINETPT: PORT must be 0..=65535, got 65536",
    );
}

#[test]
fn manual_2_8_6_25_cipscont() {
    let mut desk = Desk::new();
    desk.ok("AT+CIPSCONT=1,\"TCP\",\"usrcn.gicp.net\", 10101,1");
    let mut wanted = Config::default();
    wanted.links[0].enabled = true;
    assert_eq!(desk.config, wanted);
    desk.ok("AT+CIPSCONT=4, \"udp\",\"fe80::1%eth0\", \"7\",0");
    let link = &desk.config.links[3];
    assert_eq!(
        (link.protocol, link.address.as_str(), link.port),
        (Protocol::Udp, "fe80::1%eth0", 7)
    );
    desk.refuses(
        "AT+CIPSCONT=1,SCTP,a,1,1",
        "CIPSCONT: PROTOCOL must be TCP or UDP, got SCTP",
    );
    desk.refuses(
        "AT+CIPSCONT=1,TCP,a,0,1",
        "CIPSCONT: PORT must be 1..=65535, got 0",
    );
    desk.refuses(
        "AT+CIPSCONT=1,TCP,http://a/,80,1",
        "CIPSCONT: ADDRESS must be 1..=255 letters, digits and . - _ : % [ ], got http://a/; write the name or address alone: a",
    );
    desk.refuses(
        "AT+CIPSCONT=1,TCP,,80,1",
        "CIPSCONT: ADDRESS is missing; it must be 1..=255 letters, digits and . - _ : % [ ]",
    );
}

#[test]
fn manual_2_8_6_26_icf_set() {
    let mut desk = Desk::new();
    assert_eq!(
        desk.done("AT+ICF=4,1"),
        (String::from("\r\nOK\r\n"), [Effect::LineChanged].to_vec())
    );
    let line = desk.config.line;
    assert_eq!(
        (line.data_bits, line.stop_bits, line.parity),
        (7, 2, Parity::Even)
    );
    desk.ok("AT+ICF=3,3");
    assert_eq!(desk.config, Config::default());
    desk.refuses(
        "AT+ICF=3,2",
        "ICF: PARITY must be 0 (odd), 1 (even) or 3 (none), got 2",
    );
}

#[test]
fn manual_2_8_6_27_cipr_set() {
    let mut desk = Desk::new();
    for rate in [
        110, 300, 600, 1200, 4800, 9600, 14400, 19200, 38400, 56000, 57600, 115_200,
    ] {
        let line = std::format!("AT+CIPR={rate}");
        assert_eq!(
            desk.done(line),
            (String::from("\r\nOK\r\n"), [Effect::LineChanged].to_vec())
        );
        assert_eq!(desk.config.line.baud, rate);
    }
    let reply = desk.reply("AT+CIPR=115201");
    assert!(
        reply.ends_with("460800 or 921600, got 115201\r\n"),
        "{reply}"
    );
}

#[test]
fn manual_2_8_6_28_cipnum() {
    let mut desk = Desk::new();
    desk.tells("AT+CIPNUM?", "+CIPNUM: 10086");
    desk.ok("AT+CIPNUM=+8613800138000");
    desk.tells("AT+CIPNUM?", "+CIPNUM: +8613800138000");
    desk.ok("AT+CIPNUM=10086");
    for bad in ["+", "1+2", "12a", "123456789012345678901"] {
        desk.refuses(
            std::format!("AT+CIPNUM={bad}"),
            &std::format!("CIPNUM: PHNUM must be 1..=20 digits, + in front allowed, got {bad}"),
        );
    }
}

#[test]
fn manual_2_8_6_29_atw() {
    let mut desk = Desk::new();
    let LineOutcome::Parked {
        reply,
        effects,
        parked,
    } = desk.run("ATW")
    else {
        panic!("must wait for the store")
    };
    assert_eq!(
        (reply.as_slice(), effects.as_slice(), &parked.waits),
        (&b""[..], &[][..], &SlowCommand::Save)
    );
    let reply = b"\r\nOK\r\n".to_vec();
    assert_eq!(
        desk.resume(parked, Ok(())),
        LineOutcome::Done {
            reply,
            effects: [].to_vec(),
            refusal: None,
        }
    );
}

#[test]
fn manual_2_8_6_30_cipr_read() {
    Desk::new().tells("AT+CIPR? ", "+CIPR: 115200");
}

#[test]
fn manual_2_8_6_31_icf_read() {
    let mut desk = Desk::new();
    desk.tells("AT+ICF?", "+ICF: 3,3");
    for format in ["1,0", "3,1", "4,3", "5,0"] {
        desk.ok(std::format!("AT+ICF={format}"));
        desk.tells("AT+ICF?", &std::format!("+ICF: {format}"));
    }
}

#[test]
fn manual_2_8_6_32_the_dump_to_the_byte() {
    let mut desk = Desk::new();
    for line in [
        "AT+CIPPACK=0,\"31313131\"，\"1\"",
        "AT+CIPPACK=1,\"31303031\",\"0\"",
        "AT+CSTT=\"uninet\"",
        "AT+CIPSCONT=1,\"TCP\",\"usrcn.gicp.net\",10101,1",
        "AT+CIPSCONT=2,\"TCP\",\"usrcn.gicp.net\",10102,1",
        "AT+CIPSCONT=4,\"TCP\",\"usrcn.gicp.net\",10104,1",
        "AT+CIMOD=\"2\"",
    ] {
        desk.ok(line);
    }
    let dump = [
        "+CIPCFG: 1, 30, 0, 100, 10, 1800",
        "+CIPPACK: 0, \"31313131\",1",
        "+CIPPACK: 1, \"31303031\" , 0",
        "+CSTT: \"uninet\", \"\", \"\"",
        "+CIPNUM: 10086",
        "+CIPSTART:1,\"TCP\", \"usrcn.gicp.net\",10101, 1",
        "+CIPSTART:2,\"TCP\", \"usrcn.gicp.net\",10102, 1",
        "+CIPSTART:3,\"TCP\", \"usrcn.gicp.net\",10103, 0",
        "+CIPSTART:4,\"TCP\", \"usrcn.gicp.net\",10104, 1",
        "+CIMOD: 2",
        "+CINETAT:0",
        "+CICOMAT:0",
        "+CINETPT:1,0",
        "+CINETPT:2,0",
        "+CINETPT:3,0",
        "+CINETPT:4,0",
    ];
    desk.tells("AT+CIPSCONT?", &dump.join("\r\n"));
}

#[test]
fn manual_2_8_6_34_ciopen() {
    let line = "AT+CIOPEN= TCP,usrcn.gicp.net,10101";
    let mut desk = Desk::new();
    desk.refuses(line, "CIOPEN: possible only in the AT mode (AT+CIMOD=2)");
    desk.status.mode = WorkingMode::AtCommand;
    assert_eq!(
        desk.done(line),
        ("\r\nOK\r\n".into(), std::vec![Effect::Open])
    );
    desk.refuses(
        line,
        "CIOPEN: a connection is open already; AT+CICLOSE closes it",
    );
    for (origin, started, why) in [
        (Origin::Console, true, "possible only on the serial line"),
        (
            Origin::Serial,
            false,
            "the AT mode has not begun; AT+ENTM begins it",
        ),
    ] {
        let mut desk = Desk::new();
        (desk.status.mode, desk.origin, desk.status.mode_started) =
            (WorkingMode::AtCommand, origin, started);
        desk.refuses(line, &std::format!("CIOPEN: {why}"));
    }
}

#[test]
fn ciopen_names_what_is_wrong() {
    let mut desk = Desk::new();
    desk.status.mode = WorkingMode::AtCommand;
    desk.refuses(
        "AT+CIOPEN=FTP,host,1",
        "CIOPEN: PROTOCOL must be TCP or UDP, got FTP",
    );
    desk.refuses(
        "AT+CIOPEN=TCP,host,0",
        "CIOPEN: PORT must be 1..=65535, got 0",
    );
    desk.refuses(
        "AT+CIOPEN=TCP,host",
        "CIOPEN: PORT is missing; it must be 1..=65535",
    );
    desk.refuses(
        "AT+CIOPEN=TCP,\"a b\",1",
        "CIOPEN: ADDRESS must be 1..=255 letters, digits and . - _ : % [ ], got a b",
    );
    desk.tells(
        "AT+CIOPEN=?",
        "+CIOPEN: (\"TCP\",\"UDP\"),(1-255 characters),(1-65535)",
    );
}

#[test]
fn manual_2_8_6_35_cisend() {
    let mut desk = Desk::new();
    desk.refuses(
        "AT+CISEND",
        "CISEND: possible only in the AT mode (AT+CIMOD=2)",
    );
    desk.status.mode = WorkingMode::AtCommand;
    let why = "CISEND: not connected; AT+CIOPEN=TCP,address,port opens a connection";
    desk.refuses("AT+CISEND", why);
    desk.refuses("AT+CISEND=5", why);
    desk.refuses("AT+CISEND=1025", "CISEND: COUNT must be 1..=1024, got 1025");
}

#[test]
fn manual_2_8_6_36_ciclose() {
    let mut desk = Desk::new();
    desk.refuses(
        "AT+CICLOSE",
        "CICLOSE: possible only in the AT mode (AT+CIMOD=2)",
    );
    desk.status.mode = WorkingMode::AtCommand;
    desk.refuses("AT+CICLOSE", "CICLOSE: no connection is open");
}

#[test]
fn manual_2_8_6_37_cipsw() {
    let mut desk = Desk::new();
    for good in ["a", "admin", "a\"b;", "\"\"\"\""] {
        let quoted = std::format!("AT+CIPSW=\"{}\"", good.replace('"', "\"\""));
        desk.ok(quoted);
        assert_eq!(desk.config.password, good);
    }
    let rule = "1..=5 printable ASCII characters without comma or blank";
    for bad in [
        "\"\"",
        "\"123456\"",
        "\"a b\"",
        "\"a,b\"",
        "密",
        "\"a\x07\"",
    ] {
        let reply = desk.reply(std::format!("AT+CIPSW={bad}"));
        assert!(
            reply.starts_with(&std::format!(
                "\r\n+CME ERROR: CIPSW: PSW must be {rule}, got "
            )),
            "{reply}"
        );
        assert_eq!(desk.config.password, "\"\"\"\"");
    }
    desk.refuses("AT+CIPSW?", "CIPSW: must be written AT+CIPSW=<PSW>");
    desk.ok("AT+CIPSW=admin");
}

#[test]
fn manual_2_8_6_38_cinetat() {
    let mut desk = Desk::new();
    desk.ok("AT+CINETAT=1");
    desk.tells("AT+CINETAT?", "+CINETAT:1");
    desk.ok("AT+CINETAT=0");
    desk.tells("AT+CINETAT?", "+CINETAT:0");
    desk.refuses(
        "AT+CINETAT=2",
        "CINETAT: ON must be 0 (off) or 1 (on), got 2",
    );
}

#[test]
fn manual_2_8_6_39_cicomat() {
    let mut desk = Desk::new();
    desk.ok("AT+ CICOMAT =1");
    desk.tells("AT+CICOMAT?", "+CICOMAT:1");
    desk.ok("AT+CICOMAT=0");
    desk.tells("AT+CICOMAT?", "+CICOMAT:0");
}

#[test]
fn manual_2_8_6_40_cioptime() {
    let mut desk = Desk::new();
    desk.status.phase = Phase::SetupWindow;
    for seconds in [0, 60, 3600] {
        let effects = [Effect::WindowFor(Duration::from_secs(seconds))].to_vec();
        assert_eq!(
            desk.done(std::format!("AT+CIOPTIME={seconds}")),
            (String::from("\r\nOK\r\n"), effects)
        );
    }
    desk.refuses(
        "AT+CIOPTIME=3601",
        "CIOPTIME: TIME must be 0..=3600, got 3601",
    );
    desk.status.phase = Phase::Command;
    desk.refuses(
        "AT+CIOPTIME=60",
        "CIOPTIME: possible only in the set-up window after power-on",
    );
}

#[test]
fn manual_2_8_6_41_cireload() {
    let mut desk = Desk::new();
    desk.ok("AT+CIPNUM=123");
    let parked = reload(&mut desk);
    assert_eq!(
        (&parked.waits, desk.config.sms_number.as_str()),
        (&SlowCommand::Factory, "123")
    );
    let effects = [Effect::Restart(RestartReason::Factory)].to_vec();
    let reply = b"\r\nOK\r\n".to_vec();
    assert_eq!(
        desk.resume(parked, Ok(())),
        LineOutcome::Done {
            reply,
            effects,
            refusal: None,
        }
    );
    assert_eq!(desk.config, Config::default());
}

#[test]
fn manual_2_8_6_41_cireload_keeps_everything_when_the_store_fails() {
    let mut desk = Desk::new();
    desk.ok("AT+CIPNUM=123");
    let before = desk.config.clone();
    let parked = reload(&mut desk);
    let reply = b"\r\n+CME ERROR: CIRELOAD: not stored: disk full\r\n".to_vec();
    assert_eq!(
        desk.resume(parked, Err("disk full")),
        LineOutcome::Done {
            reply,
            effects: [].to_vec(),
            refusal: None,
        }
    );
    assert_eq!(desk.config, before);
}

#[track_caller]
fn reload(desk: &mut Desk) -> ParkedLine {
    match desk.run("AT+CIRELOAD") {
        LineOutcome::Parked {
            reply,
            effects,
            parked,
        } => {
            assert_eq!((reply.len(), effects.len()), (0, 0));
            parked
        }
        LineOutcome::Done { .. } | LineOutcome::Prompt { .. } => panic!("must wait for the store"),
    }
}

#[test]
fn manual_2_8_6_42_entm() {
    let effects = [Effect::EnterMode].to_vec();
    assert_eq!(
        Desk::new().done("AT+ENTM"),
        (String::from("\r\nOK\r\n"), effects)
    );
}

#[test]
fn manual_2_8_6_45_cidtuip() {
    let mut desk = Desk::new();
    desk.tells("AT+CIDTUIP?", "+CIDTUIP:0.0.0.0");
    desk.status.attached = Some([10, 0, 0, 2].into());
    desk.tells("AT+CIDTUIP?", "+CIDTUIP:10.0.0.2");
}

#[test]
fn manual_2_8_6_46_cisoclink() {
    let mut desk = Desk::new();
    desk.tells("AT+CISOCLINK?", "+CISOCLINK:1");
    desk.ok("AT+CISOCLINK=0 ");
    desk.tells("AT+CISOCLINK?", "+CISOCLINK:0");
    desk.ok("AT+CISOCLINK=1");
    desk.refuses(
        "AT+CISOCLINK=2",
        "CISOCLINK: LONG must be 0 (short) or 1 (long), got 2",
    );
}

#[test]
fn manual_2_8_6_47_cinet() {
    let mut desk = Desk::new();
    desk.tells(
        "AT+CINET?",
        "+CINET:1,OFF\r\n+CINET:2,OFF\r\n+CINET:3,OFF\r\n+CINET:4,OFF",
    );
    let links = &mut desk.status.links;
    links[0].state = LinkState::Connected;
    links[1].state = LinkState::Waiting(WaitingFor::Retry);
    links[1].last_down = Some(LinkDownReason::Network(CloseReason::Refused));
    links[2].state = LinkState::Connecting;
    links[3].state = LinkState::Waiting(WaitingFor::Primary);
    desk.tells(
        "AT+CINET?",
        "+CINET:1,CONNECTED\r\n+CINET:2,WAITING,refused\r\n+CINET:3,CONNECTING\r\n+CINET:4,WAITING,backup",
    );
}

#[test]
fn manual_2_8_6_49_civer() {
    Desk::new().tells("AT+CIVER?", concat!("+CIVER:", env!("CARGO_PKG_VERSION")));
}

#[test]
fn manual_2_8_6_50_cireset() {
    let effects = [Effect::Restart(RestartReason::Command)].to_vec();
    assert_eq!(
        Desk::new().done("AT+CIRESET"),
        (String::from("\r\nOK\r\n"), effects)
    );
}

#[test]
fn manual_2_8_6_51_cishutdown() {
    let effects = [Effect::Shutdown].to_vec();
    assert_eq!(
        Desk::new().done("AT+CISHUTDOWN"),
        (String::from("\r\nOK\r\n"), effects)
    );
}

#[test]
fn manual_2_8_6_52_cimodid() {
    let mut desk = Desk::new();
    desk.tells("AT+CIMODID?", "+CIMODID:\"USR-GPRS232-DTU\"");
    desk.ok("AT+CIMODID=Pump 7");
    desk.tells("AT+CIMODID?", "+CIMODID:\"Pump 7\"");
    // Decisions 16.15: in the charset of the line, which is GBK by factory.
    let gbk = [
        &b"AT+CIMODID=\""[..],
        &[0xB1, 0xC3, 0xA3, 0xAC, 0xC6, 0xDF],
        b"\"",
    ]
    .concat();
    desk.ok(gbk);
    assert_eq!(desk.config.banner, "泵，七");
    desk.ok("AT+CIMODID=\"\"");
    assert_eq!(desk.config.banner, "");
    desk.ok(std::format!("AT+CIMODID={}", "x".repeat(64)));
    let reply = desk.reply(std::format!("AT+CIMODID={}", "x".repeat(65)));
    assert!(
        reply.contains("CIMODID: NAME must be 0..=64 printable characters"),
        "{reply}"
    );
    assert_eq!(desk.config.banner, "x".repeat(64));
}
