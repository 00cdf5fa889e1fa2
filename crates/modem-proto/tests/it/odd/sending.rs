//! Reports, refusals, resets (M4, M5, M6, M7, M8).

use super::*;

#[test]
fn m4_reports_that_are_stored_are_read() {
    let mut bench = bench(|bench| {
        bench
            .device
            .on("AT+CNMI=2,1,0,1,0", &[&["+CMS ERROR: 303"]]);
        bench
            .device
            .on("AT+CPMS=\"SR\"", &[&["+CPMS: 1,20,1,20,1,20", "OK"]]);
    });
    assert_eq!(bench.count("AT+CNMI=2,1,0,2,0"), 1);
    bench.device.storage.insert(7, (0, PDU.into()));
    bench.says("+CDSI: \"SR\",7");
    bench.run(10);
    assert_eq!(bench.messages().len(), 1);
    assert!(bench.device.storage.is_empty());
    assert_eq!(lacks(&bench), []);
}

#[test]
fn m4_a_modem_that_knows_reports_in_phase_2_gets_its_acknowledgement() {
    let mut bench = bench(|bench| {
        for form in ["2,1,0,1,0", "2,1,0,2,0", "2,1,0,1,1", "2,1,0,2,1"] {
            bench.device.on(&format!("AT+CNMI={form}"), &[&["ERROR"]]);
        }
        bench.device.on("AT+CNMI=2,1,0,1,0", &[&["ERROR"], &["OK"]]);
    });
    assert_eq!(bench.count("AT+CSMS=1"), 1);
    bench.says("+CDS: 27");
    bench.says(PDU);
    bench.run(2);
    assert_eq!((bench.messages().len(), bench.count("AT+CNMA")), (1, 1));
}

#[test]
fn m4_a_modem_without_reports_says_so() {
    let bench = bench(|bench| {
        for ds in [1, 2] {
            bench.device.refuse(&format!("AT+CNMI=2,1,0,{ds}"), "ERROR");
        }
    });
    assert_eq!(bench.count("AT+CNMI=2,1,0,0,0"), 1);
    assert_eq!(lacks(&bench), [Limitation::Reports]);
}

#[test]
fn m5_not_allowed_yet_is_temporary() {
    assert!(SubmitFailure(302).is_temporary());
    assert!(!SubmitFailure(304).is_temporary());
}

#[test]
fn m5_a_modem_that_refuses_every_message_is_reset_once_an_hour_at_most() {
    let mut bench = Bench::ready();
    bench.device.submit_reply = Some(vec!["+CMS ERROR: 500".into()]);
    let from = bench.now;
    for token in 0..90 {
        bench.submit(token);
        bench.run(60);
    }
    let resets: Vec<_> = bench
        .device
        .commands
        .iter()
        .filter(|(_, line)| line == "AT+CFUN=1,1")
        .map(|(at, _)| (*at - from).as_secs() / 60)
        .collect();
    assert_eq!(resets, [10, 70], "{:?}", bench.submitted());
    assert_eq!(
        bench
            .events
            .iter()
            .filter(|event| **event == Event::RefusesMessages)
            .count(),
        2
    );
}

#[test]
fn m6_a_modem_that_shows_0_is_believed_once_and_then_asked() {
    let mut bench = bench(|bench| bench.device.on("AT+CREG?", &[&["+CREG: 0,1", "OK"]]));
    bench.run(600);
    assert_eq!(bench.modem.counters().restarts, 1);
    assert!(bench.has(&ModemInput::Registration(Registration::Home)));
    assert_eq!(lacks(&bench), [Limitation::RegistrationUrc]);
    bench.device.on("AT+CREG?", &[&["+CREG: 0,5", "OK"]]);
    bench.run(11);
    assert!(bench.has(&ModemInput::Registration(Registration::Roaming)));
}

#[test]
fn m6_starts_in_a_loop_back_off_and_are_told_once() {
    let mut bench = Bench::ready();
    for _ in 0..3600 {
        bench.says("RDY");
        bench.run(1);
    }
    let restarts = bench.modem.counters().restarts;
    assert!((8..=40).contains(&restarts), "{restarts}");
    let told = |wanted: &Event| bench.events.iter().filter(|event| *event == wanted).count();
    assert_eq!(
        (told(&Event::Restarted), told(&Event::RestartsOften)),
        (3, 1)
    );
    bench.run(400);
    assert!(bench.gone() <= 40 && bench.identity().is_some());
    assert_eq!(
        bench
            .news
            .iter()
            .rev()
            .find(|news| matches!(news, ModemInput::Present(_) | ModemInput::Gone))
            .map(|news| *news == ModemInput::Gone),
        Some(false)
    );
}

#[test]
fn m7_what_modems_write_otherwise_is_read() {
    let bench = bench(|bench| {
        bench.device.answers_raw(
            "AT+COPS?",
            "\r\n+COPS: 0,0,\"\r\r\nMobile\r\r\n\"\r\n\r\nOK\r\n",
        );
        bench
            .device
            .on("AT+CCLK?", &[&["+CCLK: 26/07/26,11:42:15+32", "OK"]]);
        bench.device.on("AT+CREG?", &[&["ERROR"]]);
        bench
            .device
            .on("AT+CEREG?", &[&["+CEREG: 2,1, 1F00, 20 ,79D903 ,7", "OK"]]);
        bench.device.on("AT+CEREG=2", &[&["OK"]]);
        let maker =
            "\r\nACME\r\n+CUSD: 0,\"Your balance\r\nis 5.00\r\nthank you\",15\r\n\r\nOK\r\n";
        bench.device.answers_raw("AT+CGMI", maker);
    });
    let operator = bench.news.iter().find_map(|news| match news {
        ModemInput::Operator(Some(operator)) => Some(operator.name.clone()),
        _ => None,
    });
    assert_eq!(operator.as_deref(), Some("Mobile"));
    assert!(
        bench
            .news
            .iter()
            .any(|news| matches!(news, ModemInput::Clock(time) if time.zone == Some(32)))
    );
    assert!(
        bench.has(&ModemInput::Cell(Some(Cell {
            area: 0x1F00,
            id: 0x0079_D903
        }))),
        "{:?}",
        bench.news
    );
    assert_eq!(bench.identity().unwrap().model, "ACME M1");
}

#[test]
fn m7_news_that_come_first_are_no_maker() {
    let bench = bench(|bench| {
        let maker =
            "\r\n+CUSD: 0,\"Your balance\r\nis 5.00\r\nthank you\",15\r\nACME\r\n\r\nOK\r\n";
        bench.device.answers_raw("AT+CGMI", maker);
    });
    assert_eq!(bench.identity().unwrap().model, "ACME M1");
}

#[test]
fn m7_registration_without_quotes_is_news() {
    let mut bench = Bench::ready();
    bench.says("+CREG: 5,0001,0010,0");
    bench.run(2);
    assert!(bench.has(&ModemInput::Registration(Registration::Roaming)));
    assert!(bench.has(&ModemInput::Cell(Some(Cell { area: 1, id: 16 }))));
}

#[test]
fn m8_no_access_point_leaves_the_modem_s_own_alone_and_another_is_logged() {
    let mut bench = Bench::ready();
    bench
        .device
        .on("AT+CGDCONT?", &[&["+CGDCONT: 1,\"IP\",\"own\"", "OK"]]);
    bench.order(ModemOutput::UseApn(Apn::default()));
    bench.run(5);
    assert!(
        !bench
            .commands()
            .iter()
            .any(|command| command.starts_with("AT+CGDCONT="))
    );
    bench.order(ModemOutput::UseApn(Apn {
        name: "cmiot".into(),
        ..Apn::default()
    }));
    bench.run(5);
    assert_eq!(bench.count("AT+CGDCONT=1,\"IP\",\"cmiot\""), 1);
    assert!(bench.events.contains(&Event::ApnSet("cmiot".into())));
}
