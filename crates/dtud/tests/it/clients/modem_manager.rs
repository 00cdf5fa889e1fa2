//! ModemManager, which takes the device's line for a modem: without udev, system bus or hardware, on a bus of its own.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use super::common::eventually;
use super::program::{Outcome, Running, run};
use super::relay::relay;
use super::{Device, ECHO};

/// It probes slowly, and leaves a second between some of its commands.
const PATIENCE: Duration = Duration::from_secs(120);

/// A bus, a ModemManager on it, and a modem on a pty.
pub(crate) struct Bus {
    pub(crate) address: String,
    _daemon: Running,
    manager: Option<Running>,
    port: String,
}

impl Bus {
    pub(crate) fn with_modem(line: &std::path::Path) -> Self {
        let mut daemon = Command::new("dbus-daemon");
        daemon
            .args(["--session", "--print-address", "--nofork"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut daemon = Running::start(daemon, "dbus-daemon");
        let mut address = String::new();
        let stdout = daemon.0.stdout.take().expect("stdout is a pipe");
        BufReader::new(stdout)
            .read_line(&mut address)
            .expect("the address of the bus");
        let address = address.trim().to_owned();

        // ModemManager opens ports by name; a name that begins so is an abstract socket to it.
        static PORTS: AtomicU32 = AtomicU32::new(0);
        let number = PORTS.fetch_add(1, Ordering::Relaxed);
        let port = format!("abstract:dtu-{}-{number}", std::process::id());
        relay(&port, line);
        let mut bus = Self {
            address,
            _daemon: daemon,
            manager: None,
            port,
        };
        bus.start_manager();
        bus
    }

    /// It knows no modem until it is told of one: without udev it finds none.
    pub(crate) fn start_manager(&mut self) {
        let mut manager = Command::new("ModemManager");
        manager.args([
            "--test-session",
            "--test-enable",
            "--test-no-udev",
            "--test-no-suspend-resume",
        ]);
        manager.args(["--test-no-qrtr", "--no-auto-scan"]);
        manager
            .env("DBUS_SESSION_BUS_ADDRESS", &self.address)
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        self.manager = Some(Running::start(manager, "ModemManager"));
        self.set_profile(&self.port);
    }

    /// As if it had crashed.
    pub(crate) fn kill_manager(&mut self) {
        self.manager = None;
    }

    fn set_profile(&self, port: &str) {
        let ports = format!("array:string:{port}");
        let method = "org.freedesktop.ModemManager1.Test.SetProfile";
        let arguments = [
            "--session",
            "--print-reply",
            "--dest=org.freedesktop.ModemManager1",
        ];
        let object = [
            "/org/freedesktop/ModemManager1",
            method,
            "string:test-profile",
            "string:generic",
            &ports,
        ];
        eventually("ModemManager on its bus", PATIENCE, || {
            let mut send = Command::new("dbus-send");
            send.args(arguments)
                .args(object)
                .env("DBUS_SESSION_BUS_ADDRESS", &self.address);
            send.output()
                .expect("dbus-send")
                .status
                .success()
                .then_some(())
        });
    }

    fn mmcli(&self, arguments: &[&str]) -> Outcome {
        let address = format!("DBUS_SYSTEM_BUS_ADDRESS={}", self.address);
        let mut all: Vec<&dyn AsRef<std::ffi::OsStr>> = vec![&address, &"mmcli"];
        all.extend(
            arguments
                .iter()
                .map(|argument| argument as &dyn AsRef<std::ffi::OsStr>),
        );
        run("env", &all, PATIENCE)
    }

    #[track_caller]
    fn does(&self, arguments: &[&str]) -> String {
        let Outcome { success, out } = self.mmcli(arguments);
        assert!(success, "mmcli {arguments:?}: {out}");
        out
    }

    /// The output, once the command works and shows this.
    #[track_caller]
    pub(crate) fn shows(&self, arguments: &[&str], what: &str) -> String {
        eventually(what, PATIENCE, || {
            std::thread::sleep(Duration::from_millis(100));
            let Outcome { success, out } = self.mmcli(arguments);
            (success && out.contains(what)).then_some(out)
        })
    }
}

#[test]
fn modem_manager_takes_the_device_for_a_modem_and_messages_go_both_ways() {
    let device = Device::new();
    let bus = Bus::with_modem(&device.line());
    bus.shows(&["-L"], "/Modem/0");
    let modem = bus.shows(&["-m", "0"], "135790246811220");
    assert!(modem.contains("GPRS232-DTU"), "{modem}");
    bus.does(&["-m", "0", "-e"]);
    bus.shows(&["-m", "0"], "registered");
    let message = format!("--messaging-create-sms=text='42 kWh',number='{ECHO}'");
    let created = bus.does(&["-m", "0", &message]);
    let path = created
        .split_whitespace()
        .find(|word| word.starts_with("/org"))
        .expect("a path");
    bus.does(&["-s", path, "--send"]);
    let list = bus.shows(&["-m", "0", "--messaging-list-sms"], "(received)");
    let received = list
        .lines()
        .find(|line| line.contains("(received)"))
        .expect("a line");
    let path = received.split_whitespace().next().expect("a path");
    let text = bus.does(&["-s", path]);
    assert!(text.contains("42 kWh") && text.contains(ECHO), "{text}");
}
