//! gammu-smsd: a hundred messages each way through its folders.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::common::eventually;
use super::program::{Running, texts};
use super::{Device, ECHO, assert_each_once, hundred_texts};

/// It waits about a second a message, and so does the machine when it is busy.
const PATIENCE: Duration = Duration::from_secs(900);

#[test]
fn gammu_smsd_sends_and_receives_a_hundred_messages_each_once() {
    let device = Device::new();
    let [inbox, outbox, sent, failed] = ["inbox", "outbox", "sent", "failed"].map(|name| {
        let folder = device.folder().join(name);
        std::fs::create_dir(&folder).expect("a folder");
        folder
    });
    let log = device.folder().join("smsd.log");
    let configuration = device.folder().join("smsdrc");
    let slash = |folder: &Path| format!("{}/", folder.display());
    let text = format!(
        "[gammu]\ndevice = {}\nconnection = at115200\nsynchronizetime = no\n\
         [smsd]\nservice = files\nlogfile = {}\ndebuglevel = 1\ninboxpath = {}\noutboxpath = {}\nsentsmspath = {}\n\
         errorsmspath = {}\ninboxformat = standard\nchecksecurity = 0\ncommtimeout = 1\nreceivefrequency = 3\n\
         loopsleep = 1\nstatusfrequency = 0\n",
        device.line().display(),
        log.display(),
        slash(&inbox),
        slash(&outbox),
        slash(&sent),
        slash(&failed),
    );
    std::fs::write(&configuration, text).expect("write the configuration");
    let messages = hundred_texts();
    for (number, message) in messages.iter().enumerate() {
        let path = outbox.join(format!(
            "OUTA20261122_120000_{number:03}_{ECHO}_sernum.txta"
        ));
        std::fs::write(path, message).expect("queue a message");
    }
    let mut command = Command::new("gammu-smsd");
    command
        .arg("-c")
        .arg(&configuration)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let _smsd = Running::start(command, "gammu-smsd");
    eventually("all sent", PATIENCE, || {
        std::thread::sleep(Duration::from_millis(200));
        let log = || std::fs::read_to_string(&log).unwrap_or_default();
        assert!(texts(&failed).is_empty(), "a message failed: {}", log());
        (texts(&sent).len() == messages.len()).then_some(())
    });
    eventually("all received", PATIENCE, || {
        std::thread::sleep(Duration::from_millis(200));
        (texts(&inbox).len() >= messages.len()).then_some(())
    });
    assert_each_once(texts(&inbox), &messages);
}
