//! `--modem mm`: the device on a modem that a real ModemManager keeps. The modem is `dtu-sim modem` on a pty.
//!
//! ```text
//! DTE ── dtud --modem mm ══ bus ══ ModemManager ── pty ── dtu-sim modem
//! ```

use sms_codec::address::Address;
use sms_codec::hex;
use sms_codec::pdu::{Deliver, Pdu, Tpdu};
use sms_codec::split::split;
use sms_codec::time::TimeStamp;
use sms_codec::udh::{Header, Reference};
use sms_codec::user_data::Body;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use super::ECHO;
use super::common::daemon::{Daemon, Setup};
use super::common::eventually;
use super::common::line::Line;
use super::modem_manager::Bus;
use super::program::Running;

/// ModemManager asks for calls every few seconds only, and leaves time between its commands.
const PATIENCE: Duration = Duration::from_secs(120);

/// A simulated network with one modem.
struct Network {
    verbs: ChildStdin,
    said: Receiver<String>,
    _program: Running,
}

impl Network {
    fn start(pty: &Path) -> Self {
        let mut command = Command::new(simulator());
        command
            .args(["modem", "--number", "+8613800138000", "--pty"])
            .arg(pty);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut program = Running::start(command, "dtu-sim");
        let verbs = program.0.stdin.take().expect("stdin is a pipe");
        let stdout = BufReader::new(program.0.stdout.take().expect("stdout is a pipe"));
        let (tell, said) = channel();
        std::thread::spawn(move || {
            stdout
                .lines()
                .map_while(Result::ok)
                .for_each(|line| drop(tell.send(line)));
        });
        let network = Self {
            verbs,
            said,
            _program: program,
        };
        network.says("ready");
        network
    }

    /// Makes it happen.
    fn does(&mut self, verb: &str) {
        writeln!(self.verbs, "{verb}").expect("the simulator reads");
    }

    #[track_caller]
    fn says(&self, wanted: &str) {
        while let Ok(line) = self.said.recv_timeout(PATIENCE) {
            if line.contains(wanted) {
                return;
            }
        }
        panic!("the network never said {wanted:?}");
    }
}

/// Built by `scripts/clients.sh`, beside the device.
fn simulator() -> PathBuf {
    let path = Path::new(env!("CARGO_BIN_EXE_dtud")).with_file_name("dtu-sim");
    assert!(
        path.is_file(),
        "{} is missing: cargo build -p dtu-sim",
        path.display()
    );
    path
}

/// All of the picture above.
struct Scene {
    line: Line,
    daemon: Daemon,
    bus: Bus,
    network: Network,
    _folder: tempfile::TempDir,
}

impl Scene {
    fn start() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let pty = folder.path().join("modem");
        let network = Network::start(&pty);
        let bus = Bus::with_modem(&pty);
        let setup = Setup::new(folder.path())
            .modem("mm")
            .environment("DBUS_SYSTEM_BUS_ADDRESS", &bus.address);
        // Without PPP there is no data through such a modem.
        let setup = setup.settings("[modem]\ninterface = \"lo\"");
        let daemon = setup.at("CIMOD=2").start();
        let line = daemon.line();
        let scene = Self {
            line,
            daemon,
            bus,
            network,
            _folder: folder,
        };
        scene.log_has("registered, home network", 1);
        scene
    }

    /// So many times.
    #[track_caller]
    fn log_has(&self, text: &str, times: usize) {
        eventually(text, PATIENCE, || {
            (self.daemon.messages().matches(text).count() >= times).then_some(())
        });
    }

    #[track_caller]
    fn prints(&self, text: &str) {
        self.line.receive_to(text.as_bytes(), PATIENCE);
    }
}

#[test]
fn the_device_knows_the_modem_that_modem_manager_keeps() {
    let scene = Scene::start();
    for (command, wanted) in [
        ("AT+CGSN", "135790246811220"),
        ("AT+CIMI", "460023633887978"),
        ("AT+COPS?", "China Mobile"),
        ("AT+CIDTUIP?", "127.0.0.1"),
        ("AT+CNUM", "+8613800138000"),
        ("AT+CPIN?", "READY"),
    ] {
        let reply = scene.line.command(command);
        assert!(reply.contains(wanted), "{command}: {reply}");
    }
}

/// A message of two parts, as hex.
fn parts(text: &str) -> [String; 2] {
    let parts =
        split(Body::text(text), Header::default(), Reference::Narrow(7), 2).expect("two parts");
    let [first, second] = parts.as_slice() else {
        panic!("two parts")
    };
    [first, second].map(|data| {
        let from = Address::number("+8613912345678").expect("a number");
        let stamp = TimeStamp([0x62, 0x11, 0x22, 0x71, 0x00, 0x00, 0x23]);
        let deliver = Deliver::new(from, data.clone(), stamp);
        let pdu = Pdu {
            smsc: Address::number("+8613800531500"),
            tpdu: Tpdu::Deliver(deliver),
        };
        hex::encode(&pdu.encode().expect("a PDU"))
    })
}

#[test]
fn messages_go_both_ways_through_modem_manager() {
    let mut scene = Scene::start();
    scene
        .network
        .does("sms from +8613912345678 \"open valve 7\"");
    scene.prints("open valve 7\r\n");
    // A long one, which ModemManager joins. It is announced once, whole.
    let long = "0123456789".repeat(30);
    let [first, second] = parts(&long);
    scene.network.does(&format!("pdu {first}"));
    // Of two that come in the same moment ModemManager 1.20 reads one.
    scene
        .bus
        .shows(&["-m", "0", "--messaging-list-sms"], "(receiving)");
    scene.network.does(&format!("pdu {second}"));
    scene.prints(&format!("{long}\r\n"));
    let sent = scene
        .line
        .command(&format!("AT+CISMSSEND=\"{ECHO}\",1,\"42 kWh\""));
    assert!(sent.contains("OK"), "{sent}");
    scene.prints("42 kWh\r\n");
}

#[test]
fn calls_come_and_go_through_modem_manager() {
    let mut scene = Scene::start();
    scene.network.does("call from +8613912345678");
    scene.prints("RING\r\n");
    assert!(scene.line.command("ATA").contains("OK"));
    scene.network.says("talking");
    // ModemManager takes a `NO CARRIER` for the answer to its `ATA` while that is under way.
    scene
        .bus
        .shows(&["-m", "0", "--voice-list-calls"], "(active)");
    scene.network.does("hangup +8613912345678");
    scene.prints("NO CARRIER\r\n");
    assert!(scene.line.command("ATD10086;").contains("OK"));
    scene.prints("VOICE\r\n");
    assert!(scene.line.command("ATH").contains("OK"));
}

#[test]
fn a_modem_manager_that_dies_and_returns_is_found_again_and_no_message_is_lost() {
    let mut scene = Scene::start();
    scene.bus.kill_manager();
    scene.log_has("modem: gone", 1);
    scene
        .network
        .does("sms from +8613912345678 \"while nobody looked\"");
    scene.bus.start_manager();
    scene.log_has("registered, home network", 2);
    scene.prints("while nobody looked\r\n");
}
