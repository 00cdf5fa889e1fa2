//! Rights, secrets, roles and the commands that are our own.

use std::string::String;
use std::vec::Vec;

use super::super::command::Handler;
use super::super::{Effect, LineOutcome, Rights, from_store_text, table, to_store_text};
use super::Desk;
use crate::config::{Config, Role};
use crate::event::{LinkId, Origin};
use crate::status::{AtConnectionCounters, LinkState, MessageCounters, MessageStatus};
use crate::time::Duration;

const LINK1: LinkId = LinkId::ALL[0];

/// Decisions 16.20: setting the password over the air let two texts take over a device.
#[test]
fn k5_the_factory_password_lets_only_queries_through() {
    let mut desk = Desk::new();
    desk.rights = Rights::Query;
    for query in [
        "AT",
        "ATI",
        "AT+CIPSCONT?",
        "AT+CIPR=?",
        "AT+CGSN",
        "AT+CISTAT",
        "AT+HELP",
        "AT+HELP=CIPR",
        "AT+CLAC",
    ] {
        let reply = desk.reply(query);
        assert!(reply.ends_with("\r\nOK\r\n"), "{query}: {reply}");
    }
    for (order, name) in [
        ("AT+CIPR=9600", "CIPR"),
        ("ATD10086;", "ATD"),
        ("ATA", "ATA"),
        ("ATH", "ATH"),
        ("ATS0=1", "ATS0"),
        ("ATE1", "ATE"),
        ("ATZ", "ATZ"),
        ("AT&F", "AT&F"),
        ("ATW", "ATW"),
        ("AT+CIRELOAD", "CIRELOAD"),
        ("AT+CIRESET", "CIRESET"),
        ("AT+CISHUTDOWN", "CISHUTDOWN"),
        ("AT+ENTM", "ENTM"),
        ("AT+CIAPPLY", "CIAPPLY"),
        ("AT+CCLK=\"14/09/10,15:00:20\"", "CCLK"),
        ("AT+CIOPTIME=5", "CIOPTIME"),
        ("AT+CIPSW=x", "CIPSW"),
        ("AT+CIPSW=\"admin\"", "CIPSW"),
        ("AT+CISMSSEND=\"10086\",1,\"hi\"", "CISMSSEND"),
        ("AT+CMGD=1,4", "CMGD"),
        ("AT+CMGL", "CMGL"),
    ] {
        desk.refuses(order, &factory_refusal(name));
    }
}

/// A line may join commands: one that only asks opens the way for no other.
#[test]
fn k5_an_order_behind_a_query_is_refused_with_the_factory_password() {
    let mut desk = Desk::with_modem();
    desk.rights = Rights::Query;
    for (order, name) in [
        ("AT+CSQ;+CIPSW=x", "CIPSW"),
        ("AT+CIPR?;+CIPR=9600", "CIPR"),
        ("AT+CIPR=?;+CINETAT=1", "CINETAT"),
        ("AT+CSQ;W", "ATW"),
        ("ATIW", "ATW"),
        ("AT;+CIRELOAD", "CIRELOAD"),
    ] {
        let before = desk.config.clone();
        let reply = desk.reply(order);
        assert!(
            reply.ends_with(&std::format!(
                "\r\n+CME ERROR: {}\r\n",
                factory_refusal(name)
            )),
            "{order}: {reply}"
        );
        assert_eq!(desk.config, before, "{order}");
    }
}

/// Whatever the table lets through changes nothing: a new command is looked at here.
#[test]
fn k5_no_form_that_the_factory_password_opens_changes_anything() {
    let open_sets = table::all()
        .filter(|command| command.set.is_some_and(Handler::is_open))
        .map(|command| command.name);
    // Each has one value, which is what holds anyway; `HELP` names a command.
    assert_eq!(
        open_sets.collect::<Vec<_>>(),
        ["+HELP", "+CFUN", "+CGATT", "+CVHU", "+CISTAT"]
    );
    let mut passed = 0;
    for command in table::all() {
        for form in ["", "?", "=?"] {
            let mut desk = Desk::with_modem();
            desk.rights = Rights::Query;
            let (config, mailbox) = (desk.config.clone(), std::format!("{:?}", desk.mailbox));
            let line = std::format!("{}{form}", command.typed());
            let LineOutcome::Done { reply, effects, .. } = desk.run(&line) else {
                panic!("{line} waits")
            };
            assert_eq!((&desk.config, &effects), (&config, &Vec::new()), "{line}");
            assert_eq!(std::format!("{:?}", desk.mailbox), mailbox, "{line}");
            passed += usize::from(reply.ends_with(b"\r\nOK\r\n"));
        }
    }
    assert!(passed > 150, "{passed} passed");
}

fn factory_refusal(name: &str) -> String {
    std::format!("{name}: factory password: set a new one at the serial line first (AT+CIPSW)")
}

#[test]
fn secrets_do_not_cross_a_network() {
    let mut desk = Desk::new();
    desk.ok("AT+CSTT=\"uninet\",\"me\",\"pss\"");
    desk.origin = Origin::Link(LINK1);
    desk.tells("AT+CSTT?", "+CSTT: \"uninet\", \"me\", \"****\"");
    let dump = desk.reply("AT+CIPSCONT?");
    assert!(dump.contains("\"****\"") && !dump.contains("pss"));
    desk.refuses(
        "AT+CSTT=a,b,\"\x01pss\"",
        "CSTT: PASSWORD must be 0..=64 printable ASCII characters, got 4 bytes",
    );
    for local in [Origin::Serial, Origin::SerialFrame, Origin::Console] {
        desk.origin = local;
        desk.tells("AT+CSTT?", "+CSTT: \"uninet\", \"me\", \"pss\"");
    }
    desk.ok("AT+CSTT=\"uninet\"");
    desk.origin = Origin::Link(LINK1);
    desk.tells("AT+CSTT?", "+CSTT: \"uninet\", \"\", \"\"");
}

#[test]
fn a_link_becomes_a_backup_and_comes_back() {
    let mut desk = Desk::new();
    desk.ok("AT+CIROLE=2,backup:1");
    assert_eq!(desk.config.links[1].role, Role::Backup(LINK1));
    desk.ok("AT+CIROLE=3,BACKUP:2");
    desk.tells(
        "AT+CIROLE?",
        "+CIROLE:1,always\r\n+CIROLE:2,backup:1\r\n+CIROLE:3,backup:2\r\n+CIROLE:4,always",
    );
    desk.ok("AT+CIROLE=2,backup:1");
    desk.ok("AT+CIROLE=3,always;+CIROLE=2,\"Always\"");
    assert_eq!(desk.config, Config::default());
}

#[test]
fn impossible_roles_are_refused() {
    let mut desk = Desk::new();
    desk.refuses(
        "AT+CIROLE=2,backup:2",
        "CIROLE: ROLE: link 2 cannot be its own backup",
    );
    desk.ok("AT+CIROLE=2,backup:1");
    desk.refuses(
        "AT+CIROLE=3,backup:1",
        "CIROLE: ROLE: link 1 has link 2 as its backup already",
    );
    let ring = "CIROLE: ROLE: link 2 is itself a backup of link 1, directly or through others";
    desk.refuses("AT+CIROLE=1,backup:2", ring);
    desk.ok("AT+CIROLE=3,backup:2");
    desk.refuses(
        "AT+CIROLE=1,backup:3",
        "CIROLE: ROLE: link 3 is itself a backup of link 1, directly or through others",
    );
    for bad in [
        "backup",
        "backup:5",
        "backup:0",
        "backup:",
        "backup:1x",
        "never",
        "backup: 1",
    ] {
        desk.refuses(
            std::format!("AT+CIROLE=4,{bad}"),
            &std::format!("CIROLE: ROLE must be always or backup:1..=4, got {bad}"),
        );
    }
}

/// What `CIROLE` has accepted, the next start drops not, whatever was stored of a link that the settings file fixes.
#[test]
fn an_accepted_role_is_in_the_set_that_the_next_start_loads() {
    let mut desk = Desk::new();
    desk.ok("AT+CIROLE=2,backup:3");
    desk.options.links[1].role = Some(Role::Backup(LINK1));
    desk.ok("AT+CIROLE=3,backup:2");
    let (stored, problems) = from_store_text(&to_store_text(&desk.config));
    assert_eq!(problems, []);
    assert_eq!(stored, desk.config);
    assert_eq!(stored.links[2].role, Role::Backup(LinkId::ALL[1]));
}

#[test]
fn a_role_of_the_settings_file_is_shown_and_stays() {
    let mut desk = Desk::new();
    desk.options.links[1].role = Some(Role::Backup(LINK1));
    desk.refuses(
        "AT+CIROLE=2,always",
        "CIROLE: the settings file fixes the role of link 2",
    );
    desk.refuses(
        "AT+CIROLE=3,backup:1",
        "CIROLE: ROLE: link 1 has link 2 as its backup already",
    );
    let roles = desk.reply("AT+CIROLE?");
    assert!(roles.contains("+CIROLE:2,backup:1"));
}

#[test]
fn apply_asks_the_device() {
    assert_eq!(
        Desk::new().done("AT+CIAPPLY"),
        (String::from("\r\nOK\r\n"), Vec::from([Effect::Apply]))
    );
}

#[test]
fn cistat_counts_everything_once() {
    let mut desk = Desk::new();
    desk.status.uptime = Duration::from_millis(61_999);
    desk.status.restarts = 2;
    let counters = &mut desk.status.serial.counters;
    (
        counters.bytes_in,
        counters.command_bytes,
        counters.frames_in,
        counters.frame_bytes,
    ) = (1, 2, 3, 4);
    (
        counters.bytes_out,
        counters.dropped_bytes,
        counters.dropped_frames,
        counters.heartbeats,
    ) = (5, 7, 8, 9);
    (
        counters.dropped_replies,
        counters.lost_bytes,
        counters.overrun_bytes,
    ) = (10, 11, 12);
    counters.dropped_urcs = 13;
    desk.status.serial.waiting = 6;
    desk.status.serial.present = true;
    let link = &mut desk.status.links[2];
    link.state = LinkState::Connected;
    (link.waiting_bytes, link.waiting_frames) = (5, 6);
    let counters = &mut link.counters;
    (
        counters.bytes_in,
        counters.frames_in,
        counters.bytes_out,
        counters.frames_out,
    ) = (1, 2, 3, 4);
    (counters.dropped_bytes, counters.dropped_frames) = (7, 8);
    (counters.resent_bytes, counters.resent_frames) = (9, 10);
    (counters.moved_in_bytes, counters.moved_in_frames) = (11, 12);
    (counters.moved_out_bytes, counters.moved_out_frames) = (13, 14);
    (
        counters.received_bytes,
        counters.received_reads,
        counters.reconnects,
    ) = (15, 16, 17);
    (counters.heartbeats, counters.dropped_replies) = (18, 19);
    (
        counters.unread_bytes,
        counters.unread_datagrams,
        counters.spool_refused,
    ) = (20, 21, 22);
    let calls = &mut desk.status.call.counters;
    (
        calls.dialled,
        calls.received,
        calls.refused,
        calls.answered,
        calls.unconfirmed,
    ) = (1, 2, 3, 4, 5);
    desk.status.messages = MessageStatus {
        counters: MessageCounters {
            received: 1,
            duplicates: 2,
            unreadable: 3,
            reports: 4,
            commands: 5,
            printed: 6,
            stored: 7,
            evicted: 8,
            incomplete: 9,
            sent: 10,
            retried: 11,
            refused: 12,
            expired: 13,
            dropped: 14,
            cut: 15,
            turned_away: 16,
        },
        stored: 1,
        parts: 2,
        for_line: 3,
        outgoing: 4,
        not_taken: 5,
    };
    let reply = desk.reply("AT+CISTAT?");
    let lines: Vec<&str> = reply.lines().collect();
    assert_eq!(
        lines[1],
        "+CISTAT:DEVICE,uptime=61,restarts=2,phase=command,mode=0"
    );
    assert_eq!(
        lines[2],
        "+CISTAT:SERIAL,present=1,in=1,commands=2,frames=3,frame_bytes=4,out=5,waiting=6,dropped=7,undelivered=0,dropped_frames=8,\
         heartbeats=9,dropped_replies=10,lost=11,overrun=12,dropped_urcs=13"
    );
    assert!(lines[3].starts_with("+CISTAT:1,state=OFF,in=0,"));
    assert_eq!(
        lines[5],
        "+CISTAT:3,state=CONNECTED,in=1,in_frames=2,out=3,out_frames=4,waiting=5,waiting_frames=6,dropped=7,\
         dropped_frames=8,resent=9,resent_frames=10,moved_in=11,moved_in_frames=12,moved_out=13,moved_out_frames=14,\
         received=15,reads=16,reconnects=17,heartbeats=18,dropped_replies=19,unread=20,unread_datagrams=21,spool_refused=22"
    );
    assert_eq!(
        lines[7],
        "+CISTAT:CALLS,state=idle,dialled=1,received=2,refused=3,answered=4,unconfirmed=5"
    );
    assert_eq!(
        lines[8],
        "+CISTAT:SMS,received=1,duplicates=2,unreadable=3,reports=4,commands=5,printed=6,placed=7,evicted=8,incomplete=9,\
         stored=1,parts=2,for_line=3,not_taken=5,turned_away=16,sent=10,outgoing=4,retried=11,\
         refused=12,expired=13,dropped=14,cut=15"
    );
    assert_eq!(desk.reply("AT+CISTAT"), reply);
}

#[test]
fn cistat_counts_what_the_connection_of_the_at_mode_carries() {
    let mut desk = Desk::new();
    desk.status.at_connection.state = LinkState::Connected;
    desk.status.at_connection.counters = AtConnectionCounters {
        bytes_in: 1,
        frames_in: 2,
        bytes_out: 3,
        frames_out: 4,
        dropped_bytes: 5,
        dropped_frames: 6,
        received_bytes: 7,
        received_reads: 8,
        opened: 9,
        failed: 10,
        lost: 11,
        unread_bytes: 12,
        unread_datagrams: 13,
    };
    let line = "+CISTAT:AT,state=CONNECTED,in=1,in_frames=2,out=3,out_frames=4,dropped=5,dropped_frames=6,\
                received=7,reads=8,opened=9,failed=10,lost=11,unread=12,unread_datagrams=13\r\n";
    assert!(desk.reply("AT+CISTAT").contains(line));
}

#[test]
fn help_tells_of_one_command_or_all() {
    let mut desk = Desk::new();
    let one = desk.reply("AT+HELP=CIPR");
    assert!(one.starts_with(
        "\r\n+HELP: AT+CIPR? AT+CIPR=<RATE> - Rate of the serial line (2.8.6.27, 2.8.6.30)\r\n"
    ));
    assert!(
        one.contains("\r\n+HELP: RATE = 110, 300, ") && one.contains("; factory 115200\r\n"),
        "{one}"
    );
    for name in ["+cipr", "AT+CIPR", "\"at+cipr\""] {
        assert_eq!(desk.reply(std::format!("AT+HELP={name}")), one);
    }
    assert_eq!(desk.reply("AT+HELP=ATE"), desk.reply("AT+HELP=e"));
    desk.refuses(
        "AT+HELP=NIX",
        "HELP: COMMAND must be a command or a subject that AT+HELP lists, got NIX",
    );
    assert!(
        one.ends_with("\r\n+HELP: example: AT+CIPR=9600 -> OK\r\n\r\nOK\r\n"),
        "{one}"
    );
    let one = desk.reply("AT+HELP=CIPPACK");
    assert!(one.contains("AT+CIPPACK=<PACKET>,<DATA>[,<STA>]"), "{one}");
    assert!(
        desk.reply("AT+HELP=D").contains("ATD<NUMBER>;")
            && desk.reply("AT+HELP=E").contains("ATE[<ECHO>]")
    );
    let lines = desk.reply("AT+HELP=links");
    assert!(
        lines.starts_with("\r\n+HELP: AT+CIPSCONT?") && !lines.contains("CIPR"),
        "{lines}"
    );
    let all = desk.reply("AT+HELP");
    assert!(
        all.contains("\r\n+HELP: LINKS\r\n")
            && all.contains(lines.trim_end_matches("\r\nOK\r\n").trim_start()),
        "{all}"
    );
    assert!(all.contains(
        "\r\n+HELP: AT+CLOUDEN? AT+CLOUDEN=<STATE> - Cloud link (2.4) [needs the cloud link, which this version does not have]\r\n"
    ));
}

#[test]
fn clac_lists_what_is_served() {
    let list = Desk::new().reply("AT+CLAC");
    assert!(list.contains("\r\nAT+CIPSCONT\r\n") && list.contains("\r\nATE\r\n"));
    assert!(list.contains("\r\nATD\r\n") && list.contains("CIOPEN") && !list.contains("CLOUD"));
}

#[test]
fn maker_model_and_version_are_plain_lines() {
    let mut desk = Desk::new();
    for (gsm, v250) in [
        ("AT+CGMI", "AT+GMI"),
        ("AT+CGMM", "AT+GMM"),
        ("AT+CGMR", "AT+GMR"),
    ] {
        let reply = desk.reply(gsm);
        assert_eq!(reply.lines().count(), 4, "{reply}");
        assert_eq!(desk.reply(v250), reply);
    }
    desk.tells(
        "ATI",
        concat!("GPRS232-DTU\r\nRevision: ", env!("CARGO_PKG_VERSION")),
    );
}

/// A refusal says what to type instead, where it is plain what was meant.
#[test]
fn a_refused_value_names_the_cure() {
    let mut desk = Desk::new();
    let hex = "CIPPACK: DATA must be an even number of hex digits, at most 80 (40 bytes), got";
    desk.refuses(
        "AT+CIPPACK=1,DTU0001,0",
        &std::format!("{hex} DTU0001; text \"DTU0001\" in hex is 44545530303031"),
    );
    // Longer than a packet may be, or nothing that is text: no cure is known.
    let long = "x".repeat(32);
    desk.refuses(
        std::format!("AT+CIPPACK=1,{long}123456789"),
        &std::format!("{hex} {long}... (41 bytes)"),
    );
    desk.refuses(
        "AT+CIPCFG=1,30,0,100",
        "CIPCFG: LEN is missing; it must be 0..=1024; write , for 10",
    );
    desk.refuses(
        "AT+CIPNUM=139-1234 5678",
        "CIPNUM: PHNUM must be 1..=20 digits, + in front allowed, got 139-1234 5678; write 13912345678",
    );
    let refused = desk.reply("AT+CIPSCONT=1,TCP,http://a.example/x,80,1");
    assert!(
        refused.contains("; write the name or address alone: a.example\r\n"),
        "{refused}"
    );
    let refused = desk.reply("AT+CIPPACK=heartbeat,00,0");
    assert!(refused.contains("got heartbeat; write 0\r\n"), "{refused}");
}

#[test]
fn cistat_of_one_link_is_its_line_alone() {
    let mut desk = Desk::new();
    let one = desk.reply("AT+CISTAT=2");
    assert!(
        one.starts_with("\r\n+CISTAT:2,state=") && one.lines().count() == 4,
        "{one}"
    );
    assert!(
        desk.reply("AT+CISTAT")
            .contains(one.lines().nth(1).unwrap())
    );
    assert!(
        desk.reply("AT+CISTAT=5")
            .contains("NUM must be 1..=4, got 5")
    );
}

/// Behind the lines that were there before: programs that read those find them as they were.
#[test]
fn m_what_the_modem_lacks_is_shown_behind_the_links() {
    let mut desk = Desk::new();
    let links = desk.reply("AT+CINET?");
    assert!(!desk.reply("AT+CISTAT").contains("MODEM"));
    desk.status.radio.lacks = [
        "no delivery reports (AT+CNMI)",
        "no signal strength (AT+CSQ)",
    ]
    .map(String::from)
    .to_vec();
    let missing = "missing=\"no delivery reports (AT+CNMI); no signal strength (AT+CSQ)\"\r\n";
    let wanted = links.replace("\r\nOK", &std::format!("+CINET:MODEM,{missing}\r\nOK"));
    assert_eq!(desk.reply("AT+CINET?"), wanted);
    assert!(
        desk.reply("AT+CISTAT")
            .contains(&std::format!("\r\n+CISTAT:MODEM,{missing}"))
    );
    assert!(!desk.reply("AT+CISTAT=1").contains("MODEM"));
}

#[test]
fn a_port_behind_an_address_and_an_address_that_is_none_are_refused_with_the_cure() {
    let mut desk = Desk::new();
    for (line, why) in [
        (
            "AT+CIPSCONT=1,TCP,127.0.0.1:9000,9000,1",
            "the port is a value of its own: write 127.0.0.1,9000",
        ),
        (
            "AT+CIPSCONT=1,TCP,[::1]:9000,9000,1",
            "the port is a value of its own: write [::1],9000",
        ),
        (
            "AT+CIPSCONT=1,TCP,256.1.1.1,9000,1",
            "each number of an address is 0..=255",
        ),
        ("AT+CIPSCONT=1,TCP,h,9000,on", "write 1"),
        ("AT+CINETAT=off", "write 0"),
    ] {
        let reply = desk.reply(line);
        assert!(reply.contains(why), "{line}: {reply}");
    }
    for line in [
        "AT+CIPSCONT=1,TCP,::1,9000,1",
        "AT+CIPSCONT=1,TCP,1.2.3.4.example,9000,1",
    ] {
        assert!(desk.reply(line).contains("OK"), "{line}");
    }
}

#[test]
fn a_full_width_plus_and_question_mark_of_an_input_method_are_ascii_where_no_text_is() {
    let mut desk = Desk::new();
    for line in [
        "AT+CIPR\u{ff1f}",
        "AT\u{ff0b}CIPR?",
        "AT\u{ff0b}CIPR\u{ff1f}",
    ] {
        assert!(desk.reply(line).contains("+CIPR: 115200"), "{line}");
    }
}
