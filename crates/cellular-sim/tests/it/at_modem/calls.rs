//! Calls, and two modems.

use super::*;

#[test]
fn a_call_goes_out_and_its_state_can_be_asked_for() {
    let mut host = Host::generic();
    assert_eq!(host.say("ATD10086;"), "\r\nOK\r\n");
    assert_eq!(host.say("AT+CLCC"), ok("+CLCC: 1,0,2,0,0,\"10086\",129"));
    host.run(1900);
    assert_eq!(host.say("AT+CLCC"), ok("+CLCC: 1,0,3,0,0,\"10086\",129"));
    host.run(3000);
    assert_eq!(host.say("AT+CLCC"), ok("+CLCC: 1,0,0,0,0,\"10086\",129"));
    assert_eq!(host.say("ATH"), "\r\nOK\r\n");
    assert_eq!(host.say("AT+CLCC"), "\r\nOK\r\n");
    host.run(3000);
    assert_eq!(host.heard(), "");
    for (does, end) in [
        ("busy", "BUSY"),
        ("rings", "NO ANSWER"),
        ("off", "NO CARRIER"),
    ] {
        host.does(&format!("phone +8613912345678 {does}"));
        host.say("ATDT+8613912345678;");
        host.run(70_000);
        assert_eq!(host.heard(), format!("\r\n{end}\r\n"));
    }
    assert_eq!(host.say("ATD10086"), "\r\nNO CARRIER\r\n", "no data calls");
}

#[test]
fn a_call_comes_in_rings_and_is_answered_or_refused() {
    let mut host = Host::generic();
    host.say("AT+CLIP=1");
    host.does("call from +8613912345678");
    host.run(5000);
    let ring = "\r\nRING\r\n\r\n+CLIP: \"+8613912345678\",145,\"\",0,\"\",0\r\n";
    assert_eq!(host.heard(), ring.repeat(2));
    assert_eq!(
        host.say("AT+CLCC"),
        ok("+CLCC: 1,1,4,0,0,\"+8613912345678\",145")
    );
    assert_eq!(host.say("ATA"), "\r\nOK\r\n");
    host.does("hangup +8613912345678");
    assert_eq!(host.heard(), "\r\nNO CARRIER\r\n");
    assert_eq!(host.say("ATA"), "\r\nNO CARRIER\r\n");

    host.say("AT+CRC=1;+CLIP=0;S0=2");
    host.does("call from +8613912345678");
    host.run(5000);
    assert_eq!(host.heard(), "\r\n+CRING: VOICE\r\n".repeat(2));
    assert_eq!(
        host.say("AT+CLCC"),
        ok("+CLCC: 1,1,0,0,0,\"+8613912345678\",145")
    );
    assert_eq!(host.say("AT+CHUP"), "\r\nOK\r\n");
}

#[test]
fn two_modems_write_to_and_call_each_other() {
    let mut host = Host::generic();
    let other = host.add();
    host.type_at(other, b"ATE0+CNMI=2,1\r");
    let (length, digits) = pdu("+8613800100002", "to you", |_| {});
    host.say(&format!("AT+CMGS={length}"));
    host.type_at(0, format!("{digits}\x1a").as_bytes());
    host.run(3000);
    assert_eq!(host.heard_of(other), "\r\n+CMTI: \"SM\",1\r\n");
    assert!(
        host.type_at(other, b"AT+CMGF=1;+CMGR=1\r")
            .contains("\"+8613800100001\"")
    );
    host.say("ATD+8613800100002;");
    host.run(2000);
    assert_eq!(host.heard_of(other), "\r\nRING\r\n");
    host.type_at(other, b"ATA\r");
    assert!(host.say("AT+CLCC").contains("+CLCC: 1,0,0,"));
    host.type_at(other, b"ATH\r");
    assert_eq!(host.heard(), "\r\nNO CARRIER\r\n");
}

#[test]
fn sim800_tells_of_calls_and_of_the_time() {
    let mut host = Host::new(Setup {
        dialect: Dialect::Sim800,
        ..Setup::default()
    });
    host.say("ATE0+MORING=1;+CLCC=1;+CLTS=1");
    host.say("ATD10086;");
    host.run(5000);
    let heard = host.heard();
    for wanted in [
        "MO RING",
        "MO CONNECTED",
        "+CLCC: 1,0,3,0,0,\"10086\",129",
        "+CLCC: 1,0,0,0,0,\"10086\",129",
    ] {
        assert!(heard.contains(wanted), "{wanted}: {heard}");
    }
    host.does("registration lost 1s");
    host.run(2000);
    assert!(host.heard().contains("*PSUTTZ: 2026,1,1,0,0,6,\"+32\",0"));
}
