//! Storages, reading, and what is kept back (M1, M14).

use super::*;

#[test]
fn m1_a_modem_that_wants_all_three_storages_is_read() {
    let mut bench = bench(|bench| {
        bench.device.on(SM, &[&["+CMS ERROR: 303"]]);
        bench.device.on(
            "AT+CPMS=\"SM\",\"SM\",\"SM\"",
            &[&["+CPMS: 1,20,1,20,1,20", "OK"]],
        );
    });
    stored(&mut bench);
    assert_eq!(bench.messages().len(), 1);
    assert!(bench.device.storage.is_empty());
    assert_eq!(lacks(&bench), []);
}

#[test]
fn m1_a_bare_ok_is_an_answer() {
    let mut bench = bench(|bench| bench.device.on(SM, &[&["OK"]]));
    stored(&mut bench);
    assert_eq!(bench.messages().len(), 1);
    assert_eq!(bench.modem.counters().unanswered, 0);
}

#[test]
fn m1_a_modem_that_takes_no_form_reads_what_it_shows_and_that_is_said_once() {
    let mut bench = bench(|bench| bench.device.refuse("AT+CPMS=", "ERROR"));
    stored(&mut bench);
    bench.run(1000);
    assert_eq!(bench.messages().len(), 1);
    assert!(bench.device.storage.is_empty());
    assert_eq!(lacks(&bench), [Limitation::Storage]);
}

#[test]
fn m14_a_busy_storage_is_asked_again_in_a_second() {
    let mut bench = Bench::ready();
    bench.device.on(
        SM,
        &[&["+CME ERROR: 515"], &["+CPMS: 1,20,1,20,1,20", "OK"]],
    );
    bench.run(300);
    bench.device.on(
        SM,
        &[&["+CME ERROR: 515"], &["+CPMS: 1,20,1,20,1,20", "OK"]],
    );
    bench.device.storage.insert(2, (0, PDU.into()));
    bench.says("+CMTI: \"SM\",2");
    bench.run(3);
    assert_eq!(bench.messages().len(), 1);
}
