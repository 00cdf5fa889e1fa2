//! picocom and minicom: a person (or a chat script) at the line, who leaves the data state by `+++`.

use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use super::Device;
use super::common::SOON;
use super::common::eventually;
use super::common::server::Server;
use super::program::{Running, run};

/// A device in the transparent mode with a link to a server of ours.
fn transparent() -> (Device, Server) {
    let server = Server::start();
    let port = server.port();
    (
        Device::set_up(|setup| setup.packing(20).link(1, port)),
        server,
    )
}

#[test]
fn minicom_s_chat_leaves_the_data_state_asks_and_goes_back() {
    let (device, server) = transparent();
    let connection = server.accept(SOON);
    let [script, log] = ["chat", "chat.log"].map(|name| device.folder().join(name));
    // runscript's `send` adds a line end unless \c stops it; the escape wants none.
    let text = "timeout 20\nsleep 1\nsend \"+++\\c\"\nexpect {\n  \"a\"\n}\nsend \"a\\c\"\nexpect {\n  \"+ok\"\n}\n\
                send \"AT+CSQ\"\nexpect {\n  \"+CSQ: 31, 99\"\n}\nexpect {\n  \"OK\"\n}\nsend \"AT+ENTM\"\nexpect {\n  \"OK\"\n}\n\
                send \"42 kWh\\c\"\n! echo chat-is-over\nexit 0\n";
    std::fs::write(&script, text).expect("write the chat");
    let outcome = runscript(&script, &log, &device.line());
    assert_eq!(connection.receive(6, SOON), b"42 kWh", "{outcome}");
}

/// The chat of minicom as minicom runs it: `runscript` with the line as its input and output.
fn runscript(script: &Path, log: &Path, line: &Path) -> String {
    let shell = format!(
        "stty -F {line} raw -echo 115200; runscript {script} {log} {home} < {line} > {line} 2> {log}.err",
        line = line.display(),
        script = script.display(),
        log = log.display(),
        home = script.parent().unwrap_or(script).display(),
    );
    let outcome = run("sh", &[&"-c", &shell], Duration::from_secs(60));
    let errors = std::fs::read_to_string(log.with_extension("log.err")).unwrap_or_default();
    assert!(outcome.success, "{}{errors}", outcome.out);
    outcome.out + &errors
}

#[test]
fn picocom_types_the_escape_and_a_command() {
    let (device, server) = transparent();
    let connection = server.accept(SOON);
    let mut command = Command::new("picocom");
    command
        .args(["--quiet", "--baud", "115200", "--noreset"])
        .arg(device.line());
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut picocom = Running::start(command, "picocom");
    let mut keys = picocom.0.stdin.take().expect("stdin is a pipe");
    let mut screen = picocom.0.stdout.take().expect("stdout is a pipe");
    let (tell, shown) = mpsc::channel();
    std::thread::spawn(move || {
        let mut buffer = [0; 256];
        while let Ok(n @ 1..) = screen.read(&mut buffer) {
            drop(tell.send(buffer[..n].to_vec()));
        }
    });
    let mut seen: Vec<u8> = Vec::new();
    let mut shows = |what: &str| {
        eventually(what, SOON, || {
            seen.extend(shown.try_iter().flatten());
            let at = seen
                .windows(what.len())
                .position(|part| part == what.as_bytes())?;
            drop(seen.drain(..at + what.len()));
            Some(())
        });
    };
    let mut types = |text: &str| {
        keys.write_all(text.as_bytes())
            .and_then(|()| keys.flush())
            .expect("type")
    };
    types("data");
    assert_eq!(connection.receive(4, SOON), b"data");
    // The guard time in front of the escape.
    std::thread::sleep(Duration::from_millis(400));
    types("+++");
    shows("a");
    types("a");
    shows("+ok");
    types("AT+CIVER?\r");
    shows("+CIVER:");
    shows("OK");
    types("AT+ENTM\r");
    shows("OK");
    types("more");
    assert_eq!(connection.receive(4, SOON), b"more");
}
