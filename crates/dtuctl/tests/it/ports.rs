//! The port: who has it, how it is left, what the device says on it.

use std::io::Read as _;
use std::net::TcpListener;
use std::path::PathBuf;
use std::time::Duration;

use rustix::fs::{FlockOperation, Mode, OFlags};
use rustix::process::Signal;
use rustix::termios::{ControlModes, OptionalActions, tcgetattr, tcsetattr};

use crate::apply::two_settings;
use crate::common::SOON;
use crate::device::Device;
use crate::program::{Ended, command, on, prints, send, started};
use crate::scripted::{OnPty, Plays, Scripted};

#[test]
fn a_port_that_is_in_use_names_the_process() {
    let device = Device::start(&[]);
    let dte = device.dte();
    rustix::fs::flock(&dte, FlockOperation::NonBlockingLockExclusive).unwrap();
    let refused = on(&device.port(), &["at", "AT"]).with(1);
    let holder = format!("in use by process {} (", std::process::id());
    assert!(refused.err.contains(&holder), "{}", refused.err);
    // Children that other tests are about to start have the file open, too.
    rustix::fs::flock(&dte, FlockOperation::Unlock).unwrap();
    on(&device.port(), &["at", "AT"]).with(0);
}

/// Ctrl-C, a broken ssh or a stop in the middle of a long talk: the device carries data again.
#[test]
fn an_interrupted_talk_leaves_the_device_in_its_working_mode() {
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        is_left_at_work(signal);
    }
}

fn is_left_at_work(signal: Signal) {
    let center = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = center.local_addr().unwrap().port();
    let device = Device::start(&[
        "CIPCFG=1,0,0,20,0,0",
        &format!("CIPSCONT=1,\"TCP\",\"127.0.0.1\",{port},1"),
    ]);
    let (mut connection, _) = center.accept().unwrap();
    connection.set_read_timeout(Some(SOON)).unwrap();
    let dte = device.dte();
    // Their replies are more than a pipe holds: it cannot be through before the signal, however late that comes.
    let many = vec!["AT+CIPSCONT?"; 20_000];
    let mut child = started(&device.port(), &[&["at"][..], &many].concat());
    prints(&mut child, "OK\n");
    send(&child, signal);
    let ended = Ended::from(child.wait_with_output().unwrap()).with(1);
    assert!(ended.err.contains("stopped by the user"), "{}", ended.err);
    assert!(!ended.err.contains("failed"), "{}", ended.err);
    assert!(!ended.err.contains("may still be"), "{}", ended.err);
    dte.drain(Duration::from_millis(100));
    dte.send(b"42 kWh");
    let mut got = [0; 6];
    connection.read_exact(&mut got).unwrap();
    assert_eq!(&got, b"42 kWh");
}

/// Without a set-up window it carries data at once: neither an apply nor one that is stopped behind the restart sends its
/// data center a byte.
#[test]
fn a_restart_sends_nothing_to_the_data_center() {
    for stops in [false, true] {
        nothing_is_sent_by_a_restart(stops);
    }
}

fn nothing_is_sent_by_a_restart(stops: bool) {
    let center = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = center.local_addr().unwrap().port();
    let link = format!("CIPSCONT=1,\"TCP\",\"127.0.0.1\",{port},1");
    let device = Device::start(&["CIPCFG=1,0,0,20,0,0", &link]);
    let dte = device.dte();
    let apn = "AT+CSTT=\"a\",\"b\",\"geheim\"";
    on(&device.port(), &["at", apn, "ATW"]).with(0);
    let (first, _) = center.accept().unwrap();
    let file = device.file("new.toml", "[CSTT]\nAPN = \"uninet\"\n");
    let mut child = started(&device.port(), &["apply", "--json", &file]);
    // The link that is made again tells of the restart.
    let mut connections = vec![first];
    connections.push(center.accept().unwrap().0);
    if stops {
        send(&child, Signal::INT);
    }
    let code = child.wait().unwrap().code();
    assert_eq!(code, Some(i32::from(stops)), "stopped: {stops}");
    if stops {
        // The old values need a restart, too.
        connections.push(center.accept().unwrap().0);
    }
    dte.drain(Duration::from_millis(100));
    dte.send(b"42 kWh");
    let mut last = connections.pop().unwrap();
    last.set_read_timeout(Some(SOON)).unwrap();
    let mut got = [0; 6];
    last.read_exact(&mut got).unwrap();
    assert_eq!(&got, b"42 kWh");
    for mut connection in connections {
        connection.set_read_timeout(Some(SOON)).unwrap();
        let mut got = Vec::new();
        // One that the device resets has brought nothing, too.
        let _ = connection.read_to_end(&mut got);
        assert_eq!(got, b"", "{}", got.escape_ascii());
    }
}

/// nohup: who has it go on when the terminal ends does not want it stopped by that.
#[test]
fn a_hang_up_that_is_ignored_stops_nothing() {
    let device = Device::start(&[]);
    let port = device.port();
    let mut calls = std::process::Command::new("sh");
    let program = env!("CARGO_BIN_EXE_dtuctl");
    let many = "AT+CISTAT ".repeat(2000);
    let script = format!(
        "trap '' HUP; exec {program} --port {} at {many}",
        port.display()
    );
    let pipes = calls
        .args(["-c", &script])
        .stdout(std::process::Stdio::piped());
    let mut child = pipes.spawn().unwrap();
    prints(&mut child, "OK\n");
    send(&child, Signal::HUP);
    Ended::from(child.wait_with_output().unwrap()).with(0);
}

/// `dtuctl apply FILE | head -1`, or a terminal that is gone: what was begun is ended, and the device let go on.
#[test]
fn who_reads_no_more_stops_nothing_in_the_middle() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("new.txt");
    std::fs::write(&file, "AT+CIPNUM=10010\n").unwrap();
    let calls: [&[&str]; 3] = [
        &["apply", file.to_str().unwrap()],
        &["set", "CIPNUM=10010"],
        &["at", "AT+CIPNUM=10010", "AT+CIMOD?"],
    ];
    for arguments in calls {
        let device = Scripted::start(two_settings(|_| false));
        let port = ["--port", device.port().to_str().unwrap()];
        let gone = || std::io::pipe().unwrap().1;
        let mut child = command(&[&port, arguments].concat())
            .stdout(gone())
            .stderr(gone())
            .spawn()
            .unwrap();
        let status = child.wait().unwrap();
        assert_eq!(status.code(), Some(0), "{arguments:?}");
        let sent = device.look(|device| device.commands.clone());
        assert!(sent.contains(&"AT+CIPNUM=10010".to_owned()), "{sent:?}");
        assert_eq!(sent.last().unwrap(), "AT+ENTM", "{arguments:?}");
    }
}

#[test]
fn a_device_that_is_in_its_command_state_is_used_and_let_go() {
    let device = Device::start(&[]);
    let dte = device.dte();
    dte.escape();
    let read = on(&device.port(), &["--enter", "none", "at", "AT+CSQ"]).with(0);
    assert_eq!(read.out, "+CSQ: 31, 99\nOK\n");
    // It has left: the escape leads in again. And one that was left there answers +++, too.
    on(&device.port(), &["at", "AT"]).with(0);
    dte.escape();
    on(&device.port(), &["at", "AT"]).with(0);
}

/// Colours, titles and worse are shown, not carried out.
#[test]
fn text_of_the_device_does_not_drive_the_terminal() {
    let device = Scripted::start(|_| "\r\n+X: \x1b]0;owned\x07\u{202E}\r\nOK\r\n".to_owned());
    let told = on(device.port(), &["--charset", "utf-8", "at", "AT+X?"]).with(0);
    assert_eq!(told.out, "+X: \\u{1b}]0;owned\\u{7}\\u{202e}\nOK\n");
    device.look(|device| assert!(device.carries_data()));
}

#[test]
fn factory_asks() {
    let device = Device::with_window(1, &[]);
    let port = device.port();
    on(&port, &["set", "CIMODID=Pump 7"]).with(0);
    on(&port, &["save"]).with(0);
    let refused = on(&port, &["factory"]).with(2);
    assert!(refused.err.contains("--yes"), "{}", refused.err);
    let told = on(&port, &["at", "AT+CIMODID?"]).with(0).out;
    assert!(told.contains("Pump 7"), "{told}");
    on(&port, &["factory", "--yes"]).with(0);
    let told = on(&port, &["at", "AT+CIMODID?"]).with(0).out;
    assert!(told.contains("USR-GPRS232-DTU"), "{told}");
}

/// Some boxes restart with DTR, which falls when a port with HUPCL is closed.
#[test]
fn dtr_stays_when_the_port_is_closed() {
    let device = Device::start(&[]);
    let dte = device.dte();
    let mut termios = tcgetattr(&dte).unwrap();
    termios.control_modes |= ControlModes::HUPCL;
    tcsetattr(&dte, OptionalActions::Now, &termios).unwrap();
    on(&device.port(), &["at", "AT"]).with(0);
    let left = tcgetattr(&dte).unwrap().control_modes;
    assert!(!left.intersects(ControlModes::HUPCL | ControlModes::CRTSCTS));
}

/// A box at 9600 Bd: at any other rate it hears noise, and takes it for data.
struct At9600<F> {
    hears: Scripted<F>,
    path: Option<PathBuf>,
    noise: Vec<(u32, Vec<u8>)>,
}

impl<F: FnMut(&str) -> String + Send + 'static> Plays for At9600<F> {
    fn play(&mut self, bytes: &[u8], now: Duration) -> Vec<u8> {
        let Some(path) = self.path.as_ref().filter(|_| !bytes.is_empty()) else {
            return Vec::new();
        };
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let line = rustix::fs::open(path, flags, Mode::empty()).unwrap();
        let rate = tcgetattr(&line).unwrap().output_speed();
        if rate == 9600 {
            return self.hears.play(bytes, now);
        }
        self.noise.push((rate, bytes.to_vec()));
        Vec::new()
    }
}

#[test]
fn the_rate_is_looked_for_on_request_alone_and_no_command_goes_out_at_a_wrong_one() {
    let device = OnPty::start(At9600 {
        hears: Scripted::new(|_| "\r\nOK\r\n".to_owned()),
        path: None,
        noise: Vec::new(),
    });
    device.played.lock().unwrap().path = Some(device.port().to_owned());
    let noise = || std::mem::take(&mut device.played.lock().unwrap().noise);
    on(device.port(), &["at", "AT"]).with(1);
    let heard = noise();
    assert!(
        !heard.is_empty() && heard.iter().all(|(rate, _)| *rate == 115_200),
        "{heard:?}"
    );
    let found = on(device.port(), &["--baud", "auto", "at", "AT"]).with(0);
    assert!(found.err.contains("9600 Bd"), "{}", found.err);
    let heard = noise();
    assert!(
        heard
            .iter()
            .all(|(_, bytes)| bytes.iter().all(|byte| *byte == b'+')),
        "{heard:?}"
    );
    let help = crate::program::dtuctl(&["--help"]).with(0).out;
    let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        help.contains("what is sent at a wrong rate may reach the server as noise"),
        "{help}"
    );
}
