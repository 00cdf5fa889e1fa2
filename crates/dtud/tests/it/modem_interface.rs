//! `[modem] interface`: the device is attached while the interface has an address. In a network namespace of its own,
//! where a user may do as root does.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

const SOON: Duration = Duration::from_secs(20);

/// A shell in the namespace, with what it and its children say on stderr.
struct Shell {
    input: Option<ChildStdin>,
    said: Receiver<String>,
    child: std::process::Child,
}

impl Shell {
    fn start() -> Self {
        let mut command = Command::new("unshare");
        command.args(["--map-root-user", "--net", "sh", "-e"]);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let mut child = command.spawn().expect("unshare of util-linux");
        let stderr = BufReader::new(child.stderr.take().expect("a pipe"));
        let (tell, said) = channel();
        std::thread::spawn(move || {
            stderr
                .lines()
                .map_while(Result::ok)
                .for_each(|line| drop(tell.send(line)));
        });
        Self {
            input: child.stdin.take(),
            said,
            child,
        }
    }

    fn run(&mut self, line: &str) {
        writeln!(self.input.as_mut().expect("still open"), "{line}").expect("the shell reads");
    }

    fn hears(&self, wanted: &str) {
        let deadline = Instant::now() + SOON;
        let mut heard = Vec::new();
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let Ok(line) = self.said.recv_timeout(left) else {
                panic!("no {wanted:?} in {heard:#?}")
            };
            if line.ends_with(wanted) {
                return;
            }
            heard.push(line);
        }
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        drop(self.input.take());
        let ended = self.child.wait();
        drop(ended);
    }
}

#[test]
fn the_device_is_attached_while_the_interface_has_an_address() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("s.toml"),
        "[modem]\ninterface = \"wwan0\"\n",
    )
    .unwrap();
    let mut shell = Shell::start();
    shell.run(&format!("cd {}", folder.path().display()));
    let options =
        "--modem none --serial pty:./line --state ./state --settings s.toml --console off";
    shell.run(&format!(
        "{} {options} & device=$!; trap 'kill $device' EXIT",
        env!("CARGO_BIN_EXE_dtud")
    ));
    shell.hears("modem: detached");
    shell.run("ip tuntap add wwan0 mode tun; ip link set wwan0 up");
    shell.run("ip address add 10.9.8.7/32 dev wwan0");
    shell.hears("modem: attached, 10.9.8.7");
    shell.run("ip address add 10.9.8.6/32 dev wwan0; ip address del 10.9.8.7/32 dev wwan0");
    shell.hears("modem: attached, 10.9.8.6");
    shell.run("ip link del wwan0");
    shell.hears("modem: detached");
}
