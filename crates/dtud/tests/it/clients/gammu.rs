//! gammu: identify, send (text, unicode, long), list, delete.

use std::time::Duration;

use super::common::eventually;
use super::program::{Outcome, run};
use super::{Device, ECHO};

const PATIENCE: Duration = Duration::from_secs(90);

struct Gammu {
    device: Device,
    rc: std::path::PathBuf,
}

impl Gammu {
    fn new() -> Self {
        let device = Device::new();
        let rc = device.folder().join("gammurc");
        let line = device.line();
        let text = format!(
            "[gammu]\ndevice = {}\nconnection = at115200\nsynchronizetime = no\n",
            line.display()
        );
        std::fs::write(&rc, text).expect("write gammu's configuration");
        Self { device, rc }
    }

    #[track_caller]
    fn run(&self, arguments: &[&str]) -> Outcome {
        let mut all: Vec<&dyn AsRef<std::ffi::OsStr>> = vec![&"-c", &self.rc];
        all.extend(
            arguments
                .iter()
                .map(|argument| argument as &dyn AsRef<std::ffi::OsStr>),
        );
        run("gammu", &all, PATIENCE)
    }

    #[track_caller]
    fn does(&self, arguments: &[&str]) -> String {
        let Outcome { success, out } = self.run(arguments);
        assert!(
            success,
            "gammu {arguments:?}: {out}\n{}",
            self.device.daemon().messages()
        );
        out
    }

    /// The listing, once it shows this.
    #[track_caller]
    fn lists(&self, text: &str) -> String {
        eventually(text, PATIENCE, || {
            Some(self.does(&["getallsms"])).filter(|out| out.contains(text))
        })
    }
}

#[test]
fn gammu_identifies_the_device() {
    let out = Gammu::new().does(&["identify"]);
    for fact in ["135790246811220", "460023633887978", "GPRS232-DTU"] {
        assert!(out.contains(fact), "{fact} is not in {out}");
    }
}

#[test]
fn gammu_sends_lists_and_deletes() {
    let gammu = Gammu::new();
    gammu.does(&["sendsms", "TEXT", ECHO, "-text", "pump 1 is on"]);
    let out = gammu.lists("pump 1 is on");
    assert!(out.contains(ECHO) && out.contains("Location 1"), "{out}");
    gammu.does(&["deletesms", "1", "1"]);
    let out = gammu.does(&["getallsms"]);
    assert!(
        !out.contains("pump 1 is on") && out.contains("0 SMS parts in 0 SMS sequences"),
        "{out}"
    );
}

#[test]
fn gammu_sends_unicode() {
    let gammu = Gammu::new();
    gammu.does(&["sendsms", "TEXT", ECHO, "-unicode", "-text", "水泵已启动"]);
    gammu.lists("水泵已启动");
}

#[test]
fn gammu_sends_a_long_message_in_parts() {
    let gammu = Gammu::new();
    let text: String = (0..40)
        .map(|number| format!("reading{number:03} "))
        .collect();
    let text = text.trim();
    gammu.does(&["sendsms", "TEXT", ECHO, "-len", "440", "-text", text]);
    gammu.lists("reading039");
    let out = gammu.does(&["geteachsms"]);
    assert!(out.replace('\n', "").contains(text), "{out}");
    assert!(out.contains("3 SMS parts in 1 SMS sequences"), "{out}");
}
