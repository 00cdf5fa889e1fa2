//! python-gsmmodem-new: sends, receives by `+CMTI`, calls.

use std::time::Duration;

use super::program::run;
use super::{Device, ECHO};

#[test]
fn python_gsmmodem_sends_receives_and_calls() {
    let device = Device::new();
    let script = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/it/clients/drive_gsmmodem.py"
    );
    let outcome = run(
        "python3",
        &[&script, &device.line(), &ECHO, &"20"],
        Duration::from_secs(300),
    );
    assert!(
        outcome.success,
        "{}\n{}",
        outcome.out,
        device.daemon().messages()
    );
    for fact in [
        "imei 135790246811220",
        "network China Mobile",
        "signal 31",
        "answered True",
        "done",
    ] {
        assert!(
            outcome.out.contains(fact),
            "{fact} is not in {}",
            outcome.out
        );
    }
}
