//! The manual's commands of calls and of the network, and those that programs for modems send beside them.

use std::string::String;
use std::vec::Vec;

use super::super::Effect;
use super::Desk;
use crate::radio::{Cell, Operator, PhoneNumber, Registration, Signal, SimState};
use crate::status::{CallState, CurrentCall, RadioStatus};

const NO_MODEM: &str = "there is no modem";

fn number(text: &str) -> PhoneNumber {
    PhoneNumber::new(text).unwrap()
}

/// A desk whose call is in this state.
fn with_call(state: CallState, incoming: bool, from: Option<&str>) -> Desk {
    let mut desk = Desk::with_modem();
    desk.status.call.current = Some(CurrentCall {
        state,
        incoming,
        number: from.map(number),
    });
    desk
}

#[track_caller]
fn orders(desk: &mut Desk, line: &str, effect: Effect) {
    assert_eq!(
        desk.done(line),
        (String::from("\r\nOK\r\n"), Vec::from([effect])),
        "{line}"
    );
}

#[test]
fn manual_2_8_6_6_atd() {
    let mut desk = Desk::with_modem();
    orders(&mut desk, "ATD10086;", Effect::Dial(number("10086")));
    for same in [
        "atdt10086;",
        "ATDP10086;",
        "ATD 100-86 ;",
        "ATD(100) 86;",
        "AT D10086;",
    ] {
        orders(&mut desk, same, Effect::Dial(number("10086")));
    }
    orders(
        &mut desk,
        "ATD+8613800531500;",
        Effect::Dial(number("+8613800531500")),
    );
    orders(&mut desk, "ATD*100#;", Effect::Dial(number("*100#")));
    let refused =
        "NUMBER must be 1..=20 digits, * and #, + in front allowed, with ; behind it, got";
    for bad in [
        "USR;",
        "1+2;",
        "T;",
        "1,2;",
        ">1;",
        "123456789012345678901;",
        ";",
    ] {
        desk.refuses(
            std::format!("ATD{bad}"),
            &std::format!("ATD: {refused} {bad}"),
        );
    }
    desk.refuses(
        "ATD*99#",
        "ATD: data calls are not possible; the number of a voice call ends with ;",
    );
    let (reply, effects) = desk.done("ATD10086;+CSQ");
    assert_eq!(reply, "\r\n+CSQ: 31, 99\r\n\r\nOK\r\n");
    assert_eq!(effects, [Effect::Dial(number("10086"))]);
}

#[test]
fn a_call_is_not_made_without_a_modem_that_can_or_beside_another() {
    Desk::new().refuses("ATD10086;", &std::format!("ATD: {NO_MODEM}"));
    let mut desk = Desk::with_modem();
    desk.status.radio.modem.as_mut().unwrap().abilities.calls = false;
    desk.refuses("ATD10086;", "ATD: this modem cannot make calls");
    let mut desk = with_call(CallState::Active, true, None);
    desk.refuses("ATD10086;", "ATD: there is a call already; ATH ends it");
}

#[test]
fn manual_2_8_6_10_ath() {
    for mut desk in [
        Desk::new(),
        Desk::with_modem(),
        with_call(CallState::Active, false, Some("10086")),
    ] {
        for line in ["ATH", "ATH0", "AT+CHUP"] {
            orders(&mut desk, line, Effect::HangUp);
        }
    }
    Desk::new().ok("AT+CHUP=?");
}

#[test]
fn manual_2_8_6_11_ata() {
    orders(
        &mut with_call(CallState::Incoming, true, Some("10086")),
        "ATA",
        Effect::Answer,
    );
    for mut desk in [
        Desk::new(),
        Desk::with_modem(),
        with_call(CallState::Alerting, false, Some("10086")),
    ] {
        for cmee in 0..=2 {
            desk.config.cmee = cmee;
            assert_eq!(desk.reply("ATA"), "\r\nNO CARRIER\r\n");
        }
        desk.config.verbose = false;
        assert_eq!(desk.reply("ATA"), "3\r");
    }
}

#[test]
fn manual_2_8_6_12_atdl() {
    let mut desk = Desk::with_modem();
    desk.refuses("ATDL", "ATDL: no number was called yet");
    desk.status.call.last_dialled = Some(number("10086"));
    orders(&mut desk, "ATDL", Effect::Dial(number("10086")));
    orders(&mut desk, "atdl;", Effect::Dial(number("10086")));
    desk.status.radio.modem = None;
    desk.refuses("ATDL", &std::format!("ATDL: {NO_MODEM}"));
}

#[test]
fn manual_2_8_6_13_ats0() {
    let mut desk = Desk::new();
    desk.tells("ATS0?", "000");
    desk.ok("ATS0=2");
    assert_eq!(desk.config.auto_answer, 2);
    desk.tells("ATS0?", "002");
    desk.refuses("ATS0=256", "ATS0: RINGS must be 0..=255, got 256");
    desk.ok("ATS0=0");
    assert_eq!(desk.config.auto_answer, 0);
}

#[test]
fn manual_2_8_6_14_csq() {
    let mut desk = Desk::with_modem();
    desk.tells("AT+CSQ", "+CSQ: 31, 99");
    desk.status.radio.signal = Signal::UNKNOWN;
    desk.tells("AT+CSQ", "+CSQ: 99, 99");
    Desk::new().refuses("AT+CSQ", &std::format!("CSQ: {NO_MODEM}"));
    Desk::new().tells("AT+CSQ=?", "+CSQ: (0-31,99),(0-7,99)");
}

#[test]
fn manual_2_8_6_15_cops() {
    let mut desk = Desk::with_modem();
    desk.tells("AT+COPS?", "+COPS: 0,0,\"China Mobile\"");
    desk.tells("AT+COPS=3,2;+COPS?", "+COPS: 0,2,\"46000\"");
    desk.tells("AT+COPS=3,1;+COPS?", "+COPS: 0,1,\"China Mobile\"");
    desk.tells("AT+COPS=3,0;+COPS?", "+COPS: 0,0,\"China Mobile\"");
    desk.ok("AT+COPS=0");
    desk.ok("AT+COPS=0,,");
    desk.tells(
        "AT+COPS=?",
        "+COPS: (2,\"China Mobile\",\"China Mobile\",\"46000\"),,(0,3),(0-2)",
    );
    desk.refuses(
        "AT+COPS=1,2,\"46001\"",
        "COPS: MODE must be 0 (automatic) or 3 (only the format), got 1",
    );
    desk.status.radio.operator = Some(Operator {
        name: String::from("a\"b\r\nc"),
        code: String::new(),
    });
    desk.tells("AT+COPS?", "+COPS: 0,0,\"a\"\"b  c\"");
    desk.tells("AT+COPS=3,2;+COPS?", "+COPS: 0");
    desk.status.radio.operator = None;
    desk.tells("AT+COPS?", "+COPS: 0");
    desk.tells("AT+COPS=?", "+COPS: ,,(0,3),(0-2)");
    for line in ["AT+COPS?", "AT+COPS=?", "AT+COPS=0"] {
        Desk::new().refuses(line, &std::format!("COPS: {NO_MODEM}"));
    }
}

#[test]
fn manual_2_8_6_43_cilac() {
    let mut desk = Desk::with_modem();
    desk.status.radio.cell = None;
    desk.refuses("AT+CILAC?", "CILAC: the modem tells no cell");
    Desk::new().refuses("AT+CILAC?", &std::format!("CILAC: {NO_MODEM}"));
}

#[test]
fn manual_2_8_6_44_ciringsta() {
    let mut desk = Desk::new();
    desk.tells("AT+CIRINGSTA?", "+CIRINGSTA:0");
    desk.ok("AT+CIRINGSTA =1");
    assert!(desk.config.refuse_calls);
    desk.tells("AT+CIRINGSTA?", "+CIRINGSTA:1");
    desk.refuses(
        "AT+CIRINGSTA=2",
        "CIRINGSTA: ON must be 0 (off) or 1 (on), got 2",
    );
}

#[test]
fn manual_2_8_6_48_cilac() {
    Desk::with_modem().tells("AT+CILAC? ", "+CILAC:LAC:21269,CELLID:34093");
}

#[test]
fn registration_is_told_with_area_and_cell_in_hex() {
    let mut desk = Desk::with_modem();
    for name in ["CREG", "CGREG", "CEREG"] {
        desk.tells(&std::format!("AT+{name}?"), &std::format!("+{name}: 0,1"));
        desk.ok(std::format!("AT+{name}=2"));
        desk.tells(
            &std::format!("AT+{name}?"),
            &std::format!("+{name}: 2,1,\"5315\",\"852D\""),
        );
        desk.tells(
            &std::format!("AT+{name}=?"),
            &std::format!("+{name}: (0,1,2)"),
        );
        Desk::new().refuses(
            std::format!("AT+{name}?"),
            &std::format!("{name}: {NO_MODEM}"),
        );
    }
    desk.status.radio.cell = Some(Cell {
        area: 0xA,
        id: 0x0100_8D0A,
    });
    desk.tells("AT+CREG?", "+CREG: 2,1,\"000A\",\"1008D0A\"");
    desk.status.attached = None;
    desk.tells(
        "AT+CGREG?;+CREG?",
        "+CGREG: 2,0\r\n\r\n+CREG: 2,1,\"000A\",\"1008D0A\"",
    );
    desk.status.radio.registration = Registration::Searching;
    desk.tells("AT+CGREG?;+CREG?", "+CGREG: 2,2\r\n\r\n+CREG: 2,2");
}

#[test]
fn the_state_of_the_sim_is_told() {
    let mut desk = Desk::with_modem();
    desk.tells("AT+CPIN?", "+CPIN: READY");
    desk.refuses("AT+CPIN=1234", "CPIN: no PIN is asked for");
    desk.status.radio.sim = SimState::PinNeeded;
    desk.tells("AT+CPIN?", "+CPIN: SIM PIN");
    desk.refuses(
        "AT+CPIN=\"1234\"",
        "CPIN: the PIN stands in the settings file: [modem] pin",
    );
    desk.status.radio.sim = SimState::PukNeeded;
    desk.tells("AT+CPIN?", "+CPIN: SIM PUK");
    desk.ok("AT+CMEE=1");
    for (state, code) in [(SimState::Missing, 10), (SimState::Unknown, 14)] {
        desk.status.radio.sim = state;
        assert_eq!(
            desk.reply("AT+CPIN?"),
            std::format!("\r\n+CME ERROR: {code}\r\n")
        );
    }
    Desk::new().refuses("AT+CPIN?", &std::format!("CPIN: {NO_MODEM}"));
}

#[test]
fn the_modem_says_who_it_is_before_the_host_does() {
    let mut desk = Desk::with_modem();
    let modem = desk.status.radio.modem.as_mut().unwrap();
    (modem.imei, modem.imsi) = (
        String::from("490154203237518"),
        String::from("262011234567890"),
    );
    desk.tells("AT+CGSN", "490154203237518");
    desk.tells("AT+GSN", "490154203237518");
    desk.tells("AT+CIMI", "262011234567890");
    desk.status.radio = RadioStatus::default();
    desk.tells("AT+CGSN;+CIMI", "135790246811220\r\n\r\n460023633887978");
}

#[test]
fn the_call_is_listed() {
    Desk::with_modem().ok("AT+CLCC");
    let cases = [
        (
            CallState::Dialling,
            false,
            Some("10086"),
            "+CLCC: 1,0,2,0,0,\"10086\",129",
            4,
        ),
        (
            CallState::Alerting,
            false,
            Some("+8610086"),
            "+CLCC: 1,0,3,0,0,\"+8610086\",145",
            4,
        ),
        (
            CallState::Active,
            false,
            Some("10086"),
            "+CLCC: 1,0,0,0,0,\"10086\",129",
            4,
        ),
        (
            CallState::Incoming,
            true,
            None,
            "+CLCC: 1,1,4,0,0,\"\",128",
            3,
        ),
    ];
    for (state, incoming, from, line, activity) in cases {
        let mut desk = with_call(state, incoming, from);
        desk.tells("AT+CLCC", line);
        desk.tells("AT+CPAS", &std::format!("+CPAS: {activity}"));
    }
    Desk::with_modem().tells("AT+CPAS", "+CPAS: 0");
    Desk::new().refuses("AT+CPAS", &std::format!("CPAS: {NO_MODEM}"));
}

#[test]
fn what_programs_for_modems_ask_is_answered() {
    let mut desk = Desk::with_modem();
    for (line, answer) in [
        ("AT+GCAP", "+GCAP: +CGSM"),
        ("AT+CFUN?", "+CFUN: 1"),
        ("AT+CGATT?", "+CGATT: 1"),
        ("AT+CNUM", "+CNUM: \"\",\"+8613912345678\",145"),
        ("AT+CLIP?", "+CLIP: 0,1"),
        ("AT+CRC?", "+CRC: 0"),
        ("AT+CVHU?", "+CVHU: 0"),
        ("ATS3?", "013"),
        ("ATS4?", "010"),
        ("ATS5?", "008"),
        ("ATS7?", "120"),
    ] {
        desk.tells(line, answer);
    }
    for line in [
        "AT+CMEE=1;+CREG=2",
        "AT+CFUN=1",
        "AT+CFUN=1,0",
        "AT+CGATT=1",
        "AT+COPS=3,0",
        "AT+CLIP=1",
        "AT+CRC=1",
        "AT+CVHU=0",
        "AT+CNUM=?",
        "ATS3=13",
        "ATX4",
        "AT&D2",
    ] {
        desk.ok(line);
    }
    assert_eq!(
        (desk.config.caller_id, desk.config.extended_ring),
        (true, true)
    );
    desk.status.radio.own_number = None;
    desk.ok("AT+CNUM");
}

#[test]
fn a_program_gets_its_settings_back_as_they_are_stored() {
    let mut desk = Desk::new();
    desk.stored.auto_answer = 3;
    desk.stored.registration_reports = [1, 0, 0];
    desk.ok("ATS0=1 E1 +CREG=2;+CGREG=2;+CLIP=1;+CRC=1;+COPS=3,2");
    desk.ok("ATZ");
    assert_eq!(desk.config, desk.stored);
    desk.ok("AT&F");
    assert_eq!(desk.config, crate::config::Config::default());
}
