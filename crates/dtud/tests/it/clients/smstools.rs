//! smstools3: a hundred messages each way through its folders.

use std::process::{Command, Stdio};
use std::time::Duration;

use super::common::eventually;
use super::program::{Running, texts};
use super::{Device, ECHO, assert_each_once, hundred_texts};

const PATIENCE: Duration = Duration::from_secs(900);

#[test]
fn smstools3_sends_and_receives_a_hundred_messages_each_once() {
    let device = Device::new();
    let folder = device.folder().join("spool");
    for name in ["outgoing", "checked", "incoming", "sent", "failed", "stats"] {
        std::fs::create_dir_all(folder.join(name)).expect("a folder");
    }
    let configuration = device.folder().join("smsd.conf");
    let text = format!(
        "devices = DTU\noutgoing = {0}/outgoing\nchecked = {0}/checked\nincoming = {0}/incoming\nsent = {0}/sent\n\
         failed = {0}/failed\nlogfile = {0}/log\ninfofile = {0}/info\npidfile = {0}/pid\nloglevel = 7\ndelaytime = 1\n\
         autosplit = 3\n\n[DTU]\ndevice = {1}\nincoming = yes\nbaudrate = 115200\nmemory_start = 1\n",
        folder.display(),
        device.line().display(),
    );
    std::fs::write(&configuration, text).expect("write the configuration");
    let messages = hundred_texts();
    // `s`: a short number, which is not international.
    let number = format!("s{ECHO}");
    for (index, message) in messages.iter().enumerate() {
        let path = folder.join(format!("outgoing/m{index:03}"));
        std::fs::write(path, format!("To: {number}\n\n{message}")).expect("queue a message");
    }
    let mut command = Command::new("smsd");
    command
        .arg("-t")
        .arg("-c")
        .arg(&configuration)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let _smsd = Running::start(command, "smsd");
    eventually("all sent and received", PATIENCE, || {
        std::thread::sleep(Duration::from_millis(200));
        let failed = texts(&folder.join("failed"));
        assert!(
            failed.is_empty(),
            "{failed:?}: {}",
            std::fs::read_to_string(folder.join("log")).unwrap_or_default()
        );
        let [sent, received] = ["sent", "incoming"].map(|name| texts(&folder.join(name)).len());
        (sent == messages.len() && received >= messages.len()).then_some(())
    });
    assert_each_once(
        texts(&folder.join("incoming"))
            .iter()
            .map(|file| body(file))
            .collect(),
        &messages,
    );
}

/// The text behind the head of a file.
fn body(file: &str) -> String {
    file.split_once("\n\n")
        .map_or(file, |(_, body)| body)
        .trim_end()
        .to_owned()
}
