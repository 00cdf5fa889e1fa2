//! A network that swallows everything without a word is found in time (decisions 16.21): the real daemon in a network
//! namespace of its own, behind a packet filter.
//!
//! Needs root, `ip` and `nft`; where they are missing the tests say that they are skipped, and fail if `DTUD_NAMESPACES` is
//! set, as it is in CI.

use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use crate::common;

use common::daemon::{Daemon, Setup};
use common::{SOON, eventually};

/// For timers of the kernel, and a loaded machine.
const SLACK: Duration = Duration::from_secs(3);

fn run(command: &str) -> Result<(), String> {
    let mut words = command.split(' ');
    let program = words.next().unwrap_or_default();
    let output = Command::new(program)
        .args(words)
        .output()
        .map_err(|error| format!("{program}: {error}"))?;
    let text = String::from_utf8_lossy(&output.stderr);
    if output.status.success() {
        Ok(())
    } else {
        Err(format!("{command}: {text}"))
    }
}

/// A namespace with one wire to this one.
struct Namespace {
    name: String,
    /// This end's address.
    here: String,
}

impl Namespace {
    fn new(number: u8) -> Result<Self, String> {
        // Test programs may run beside each other.
        let id = std::process::id();
        let (name, here) = (format!("dtud-{id}-{number}"), format!("198.18.{number}.1"));
        let [inner, outer] = ["i", "o"].map(|end| format!("dt{end}{}-{number}", id % 100_000));
        run(&format!("ip netns add {name}"))?;
        let namespace = Self { name, here };
        let name = &namespace.name;
        run(&format!(
            "ip link add {outer} type veth peer name {inner} netns {name}"
        ))?;
        run(&format!("ip addr add {}/30 dev {outer}", namespace.here))?;
        run(&format!("ip link set {outer} up"))?;
        for command in [
            format!("ip addr add 198.18.{number}.2/30 dev {inner}"),
            format!("ip link set {inner} up"),
            "nft add table inet hole".to_owned(),
        ] {
            run(&format!("ip netns exec {name} {command}"))?;
        }
        Ok(namespace)
    }

    /// From now on nothing comes in.
    fn become_a_black_hole(&self) -> Result<(), String> {
        let chain = "{ type filter hook input priority 0 ; policy drop ; }";
        run(&format!(
            "ip netns exec {} nft add chain inet hole in {chain}",
            self.name
        ))
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        drop(run(&format!("ip netns del {}", self.name)));
    }
}

/// Whether the machine lets us; said aloud where it does not.
fn is_possible() -> bool {
    static ANSWER: OnceLock<bool> = OnceLock::new();
    *ANSWER.get_or_init(|| {
        let Err(why) = Namespace::new(0).and_then(|namespace| namespace.become_a_black_hole())
        else {
            return true;
        };
        assert!(
            std::env::var_os("DTUD_NAMESPACES").is_none(),
            "no network namespaces: {why}"
        );
        eprintln!("SKIPPED: a black hole in a network namespace: {why}");
        false
    })
}

struct Case {
    number: u8,
    /// HEAT and the heartbeat packet; `None` = factory settings.
    heat: Option<u8>,
    /// The equipment sends a frame each second.
    talks: bool,
    within: Duration,
}

impl Case {
    fn start(&self, namespace: &Namespace, folder: &std::path::Path) -> (Daemon, TcpStream) {
        let listener = TcpListener::bind((namespace.here.as_str(), 0)).expect("bind");
        let port = listener.local_addr().expect("an address").port();
        let setup = Setup::new(folder).environment("RUST_LOG", "debug");
        let setup = setup.at(&format!(
            "CIPSCONT=1,\"TCP\",\"{}\",{port},1",
            namespace.here
        ));
        let setup = match self.heat {
            Some(heat) => setup
                .at(&format!("CIPCFG=1,{heat},0,100,10,0"))
                .at("CIPPACK=0,\"62656174\",0"),
            None => setup,
        };
        let daemon = setup.start_in(&namespace.name);
        let (stream, _) = listener.accept().expect("accept");
        (daemon, stream)
    }

    fn run(&self) {
        let namespace = Namespace::new(self.number).expect("a namespace");
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (daemon, _stream) = self.start(&namespace, folder.path());
        let line = daemon.line();
        daemon.says("link 1: up");
        line.send(b"hello");
        // The frame is acknowledged before the network goes.
        std::thread::sleep(Duration::from_millis(500));
        namespace.become_a_black_hole().expect("nft");
        let start = Instant::now();
        let mut next = start;
        eventually("the end of the link", self.within + SLACK + SOON, || {
            if self.talks && Instant::now() >= next {
                line.send(b"frame");
                next += Duration::from_secs(1);
            }
            daemon
                .messages()
                .contains("link 1: lost after")
                .then_some(())
        });
        let took = start.elapsed();
        let Self {
            heat,
            talks,
            within,
            ..
        } = self;
        assert!(
            took <= *within + SLACK,
            "HEAT {heat:?}, traffic {talks}: found after {took:?}, not {within:?}"
        );
        println!("HEAT {heat:?}, traffic {talks}: found after {took:?}");
    }
}

#[test]
fn d8_a_black_hole_is_found_within_two_heartbeats_or_90_s() {
    if !is_possible() {
        return;
    }
    let cases = [
        (1, Some(10), false, 20),
        (2, Some(10), true, 20),
        (3, None, false, 90),
        (4, None, true, 90),
    ];
    std::thread::scope(|scope| {
        for (number, heat, talks, seconds) in cases {
            let case = Case {
                number,
                heat,
                talks,
                within: Duration::from_secs(seconds),
            };
            scope.spawn(move || case.run());
        }
    });
}
