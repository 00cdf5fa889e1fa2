//! The access point and the data context.

use super::*;

fn apn(name: &str, user: &str) -> Apn {
    Apn {
        name: name.into(),
        user: user.into(),
        password: user.into(),
    }
}

/// 27.007 10.1.1, 10.1.31: set once, whichever case the modem shows it in; user and password are taken back.
#[test]
fn an_access_point_is_set_where_the_modem_shows_another_one() {
    for (shown, is_set) in [
        ("+CGDCONT: 1,\"IP\",\"CMNET\"", false),
        ("+CGDCONT: 2,\"IP\",\"cmnet\"", true),
        ("+CGDCONT: 1,\"IP\",\"cmnet2\"", true),
    ] {
        let mut bench = Bench::ready();
        bench.device.on("AT+CGDCONT?", &[&[shown, "OK"]]);
        bench.order(ModemOutput::UseApn(apn("cmnet", "")));
        bench.run(5);
        let count = bench.count("AT+CGDCONT=1,\"IP\",\"cmnet\"");
        assert_eq!(count, usize::from(is_set), "{shown}");
        assert_eq!(
            bench.count("AT+CGAUTH=1,0"),
            0,
            "there is nothing to take back"
        );
    }
    let mut bench = Bench::ready();
    bench.order(ModemOutput::UseApn(apn("cmnet", "me")));
    bench.run(5);
    assert_eq!(bench.count("AT+CGAUTH=1,1,\"me\",\"me\""), 1);
    bench.order(ModemOutput::UseApn(apn("cmnet", "")));
    bench.run(5);
    assert_eq!(bench.count("AT+CGAUTH=1,0"), 1);
}

#[test]
fn an_access_point_that_changes_while_the_old_one_is_set_is_set_next() {
    let mut bench = Bench::ready();
    bench.device.delay = Duration::from_secs(2);
    bench.order(ModemOutput::UseApn(apn("first", "")));
    bench.run(3);
    bench.order(ModemOutput::UseApn(apn("second", "")));
    bench.run(20);
    assert_eq!(bench.count("AT+CGDCONT?"), 2);
    assert_eq!(bench.count("AT+CGDCONT=1,\"IP\",\"second\""), 1);
    bench.device.commands.clear();
    bench.order(ModemOutput::UseApn(apn("second", "")));
    bench.run(20);
    assert_eq!(bench.count("AT+CGDCONT?"), 0, "the same again");
}

fn connected(change: impl FnOnce(&mut Bench)) -> Bench {
    let settings = Settings {
        activate: true,
        ..Settings::default()
    };
    let mut bench = started(settings, 20, change);
    bench.order(ModemOutput::UseApn(apn("cmnet", "")));
    bench.run(10);
    bench
}

fn addresses(bench: &Bench) -> Vec<Option<String>> {
    let changes = bench.news.iter().filter_map(|report| match report {
        ModemInput::Attached(address) => Some(Some(address.to_string())),
        ModemInput::Detached => Some(None),
        _ => None,
    });
    changes.collect()
}

/// 27.007 10.1.10, 10.1.12, 10.1.23: context 1 counts, and a URC makes the look come soon.
#[test]
fn a_connection_is_looked_at_each_minute_and_soon_after_a_urc() {
    let address = |bench: &mut Bench| {
        let lines = ["+CGPADDR: 1,\"10.0.0.2\"", "OK"];
        bench.device.on("AT+CGPADDR=1", &[&lines]);
        let lines = ["+CGACT: 2,0", "+CGACT: 1,1", "OK"];
        bench.device.on("AT+CGACT?", &[&lines]);
    };
    let mut bench = connected(address);
    assert_eq!(addresses(&bench), [Some("10.0.0.2".into())]);
    bench.run(200);
    assert_eq!(seconds(&bench, "AT+CGACT?"), [60, 60]);
    bench.device.commands.clear();
    let unknown = bench.modem.counters().unknown_lines;
    bench.says("+CGEV: NW DEACT");
    bench.run(3);
    assert_eq!(bench.count("AT+CGACT?"), 1);
    assert_eq!(bench.modem.counters().unknown_lines, unknown);
    bench
        .device
        .on("AT+CGACT?", &[&["+CGACT: 2,1", "+CGACT: 1,0", "OK"]]);
    bench.says("+CGEV: NW DEACT");
    bench.run(3);
    assert_eq!(
        addresses(&bench).get(1),
        Some(&None),
        "lost, and opened again"
    );
    bench.run(3);
    assert_eq!(addresses(&bench).len(), 3);
    // Without a wish for it nothing is asked.
    let mut bench = Bench::ready();
    bench.says("+CGEV: NW DEACT");
    bench.run(5);
    assert_eq!(bench.count("AT+CGACT?"), 0);
}

#[test]
fn a_connection_that_is_refused_is_tried_again_after_half_a_minute() {
    let mut bench = connected(|bench| bench.device.refuse("AT+CGACT=1,1", "+CME ERROR: 30"));
    bench.run(70);
    assert_eq!(seconds(&bench, "AT+CGACT=1,1"), [30, 30]);
    assert_eq!(limitations(&bench), [Limitation::Connection]);
    for (shown, is_one) in [("0.0.0.0", false), ("10.0.0.3", true)] {
        let line = format!("+CGPADDR: 1,{shown}");
        let bench = connected(|bench| {
            bench.device.on("AT+CGPADDR=1", &[&[&line, "OK"]]);
        });
        assert_eq!(!addresses(&bench).is_empty(), is_one, "{shown}");
    }
}

#[test]
fn an_attach_that_is_not_answered_is_tried_again() {
    let mut bench = connected(|bench| bench.device.never_answers("AT+CGATT=1"));
    bench.run(150);
    assert_eq!(bench.count("AT+CGATT=1"), 2);
    assert_eq!(bench.count("AT+CGACT=1,1"), 0);
    let bench = connected(|bench| bench.device.refuse("AT+CGATT=1", "ERROR"));
    assert_eq!(bench.count("AT+CGACT=1,1"), 1, "many attach by themselves");
}

/// 27.007 10.1.31: a user without a password, and a password without a user, are set too.
#[test]
fn a_user_or_a_password_alone_is_set() {
    for (user, password) in [("me", ""), ("", "secret")] {
        let mut bench = Bench::ready();
        bench.order(ModemOutput::UseApn(Apn {
            name: "cmnet".into(),
            user: user.into(),
            password: password.into(),
        }));
        bench.run(5);
        let command = format!("AT+CGAUTH=1,1,\"{user}\",\"{password}\"");
        assert_eq!(bench.count(&command), 1, "{command}");
    }
}
