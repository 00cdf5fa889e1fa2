//! Fleets against an echo server in this process. A run ends when all its frames are answered: nothing here waits for a
//! clock.

use std::os::unix::net::UnixStream;
use std::thread::JoinHandle;
use std::time::Duration;

use super::*;
use crate::echo::{Echo, Echoed, Packets};

fn packets() -> Packets {
    Packets {
        register: Template::parse("DTU{id}").ok(),
        heartbeat: Template::parse("HB").ok(),
    }
}

/// An echo server on a thread of its own.
struct Server {
    address: SocketAddr,
    stop: Option<UnixStream>,
    thread: Option<JoinHandle<Echoed>>,
}

impl Server {
    fn start(swallow: Option<u64>) -> Self {
        let echo = Echo::bind(([127, 0, 0, 1], 0).into(), packets()).unwrap();
        let echo = match swallow {
            Some(each) => echo.swallowing(each),
            None => echo,
        };
        let (stop, stopped) = UnixStream::pair().unwrap();
        let address = echo.local();
        let thread = std::thread::spawn(move || echo.run(&stopped, |_| {}).unwrap());
        Self {
            address,
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    fn end(mut self) -> Echoed {
        drop(self.stop.take());
        self.thread.take().unwrap().join().unwrap()
    }
}

fn plan(target: SocketAddr) -> Plan {
    Plan {
        count: 50,
        target,
        ramp: 10_000.0,
        register: Template::parse("DTU{id}").unwrap(),
        period: Duration::from_millis(20),
        packing: 0,
        drain: Duration::from_secs(20),
        frames: Some(40),
        content: Content {
            length: 16..=80,
            seed: 1,
            recorded: None,
            script: None,
        },
        ..Plan::default()
    }
}

fn run_to_end(plan: &Plan) -> Account {
    let (_stop, stopped) = UnixStream::pair().unwrap();
    run(plan, &stopped, &mut ()).unwrap()
}

#[test]
fn every_frame_of_a_fleet_is_answered() {
    let server = Server::start(None);
    let account = run_to_end(&plan(server.address));
    let echoed = server.end();
    assert_eq!(
        (account.started, account.registered, account.registrations),
        (50, 50, 50)
    );
    assert_eq!(
        (account.sent, account.answered, account.end.missing),
        (2000, 2000, 0)
    );
    assert_eq!(account.end.acknowledged, 2000);
    assert_eq!(
        (account.again, account.damaged, account.misdirected),
        (0, 0, 0)
    );
    assert_eq!(
        (echoed.connections, echoed.registered, echoed.most),
        (50, 50, 50)
    );
    assert_eq!(echoed.bytes, account.sent_bytes);
    assert_eq!(account.round_trip.count(), 2000);
    account.judge().unwrap();
}

#[test]
fn a_frame_that_the_server_swallows_is_missing() {
    let server = Server::start(Some(250));
    let account = run_to_end(&Plan {
        frames: None,
        duration: Some(Duration::from_millis(600)),
        drain: Duration::from_millis(300),
        ..plan(server.address)
    });
    let echoed = server.end();
    assert!(echoed.swallowed > 0, "{echoed:?}");
    assert_eq!(account.end.missing, account.sent - account.answered);
    assert!(account.end.missing >= echoed.swallowed, "{account}");
    assert_eq!(
        account.end.acknowledged, account.sent,
        "TCP acknowledged all of it"
    );
    assert!(account.judge().unwrap_err().contains("missing"));
}

#[test]
fn a_target_that_is_not_there_is_told() {
    let free = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let account = run_to_end(&Plan {
        count: 3,
        period: Duration::ZERO,
        frames: None,
        duration: Some(Duration::from_millis(300)),
        ..plan(free)
    });
    let error = account.judge().unwrap_err();
    assert_eq!(error, "the target could not be reached: refused");
}

/// Runs the fleet of [`plan`] with one fault; all that is sent must be accounted for.
fn run_with(kind: FaultKind, change: impl FnOnce(&mut Plan, &mut Fault)) -> (Account, Echoed) {
    let server = Server::start(None);
    let mut fault = Fault {
        kind,
        at: Duration::from_millis(500),
        lasts: Duration::from_millis(500),
        share: 1.0,
        every: Duration::ZERO,
    };
    // Long enough for the fault on a machine that is busy.
    let mut plan = Plan {
        frames: Some(75),
        ..plan(server.address)
    };
    change(&mut plan, &mut fault);
    plan.faults.push(fault);
    let account = run_to_end(&plan);
    let echoed = server.end();
    assert_eq!(account.end.missing, 0, "{account}");
    assert_eq!(
        account.sent,
        account.answered + account.end.cut_off + account.dropped,
        "{account}"
    );
    assert_eq!(
        (account.misdirected, account.end.waiting),
        (0, 0),
        "{account}"
    );
    account.judge().unwrap();
    (account, echoed)
}

#[test]
fn flaps_lose_answers_and_no_frame() {
    let (account, echoed) = run_with(FaultKind::Flap, |_, fault| {
        fault.share = 0.5;
        fault.every = Duration::from_millis(100);
    });
    assert!(account.registrations > 50, "{account}");
    // A reset may come between the packet and its acknowledgement.
    assert!(account.registrations <= echoed.registered, "{account}");
    assert_eq!(account.dropped, 0);
}

#[test]
fn a_herd_comes_back_and_registers_again() {
    let (account, echoed) = run_with(FaultKind::Herd, |_, _| {});
    // A device that had no connection yet when the network went has one only.
    assert_eq!((account.registered, account.sent), (50, 3750), "{account}");
    assert!((51..=100).contains(&account.registrations), "{account}");
    assert!(account.registrations <= echoed.registered, "{account}");
}

#[test]
fn devices_start_over_as_by_at() {
    let (account, echoed) = run_with(FaultKind::Restart, |_, _| {});
    assert_eq!(account.restarts, 50, "{account}");
    assert!((51..=100).contains(&echoed.connections), "{account}");
}

#[test]
fn a_radio_shadow_delays_and_loses_nothing() {
    let (account, echoed) = run_with(FaultKind::HalfOpen, |_, fault| fault.share = 0.5);
    assert_eq!(
        (echoed.connections, account.answered, account.end.cut_off),
        (50, 3750, 0),
        "{account}"
    );
    assert!(account.round_trip.max() > 200_000, "{account}");
}

#[test]
fn a_long_shadow_is_half_open_for_the_server() {
    // The device gives a connection up on which nothing is acknowledged for two heartbeats.
    let (account, echoed) = run_with(FaultKind::HalfOpen, |plan, fault| {
        plan.heartbeat_every = 1;
        plan.heartbeat = Template::parse("HB").unwrap();
        plan.count = 10;
        plan.frames = Some(150);
        fault.lasts = Duration::from_millis(2500);
    });
    assert_eq!(
        (account.started, account.registrations),
        (10, echoed.registered),
        "{account}"
    );
    // Others came while the server still had the first of each.
    assert!(echoed.connections > 10 && echoed.most > 10, "{echoed:?}");
}

#[test]
fn equipment_that_reads_slowly_gets_all_of_it() {
    let (account, _) = run_with(FaultKind::SlowReader(0), |_, _| {});
    assert_eq!(account.answered, 3750);
    assert!(account.round_trip.max() > 200_000, "{account}");
}

#[test]
fn wrong_packets_are_sent_and_no_answer_is_missed() {
    let (account, echoed) = run_with(FaultKind::WrongPackets(4), |_, fault| {
        fault.at = Duration::ZERO;
        fault.lasts = Duration::from_secs(60);
    });
    assert!(account.wrong_packets >= 750, "{account}");
    assert_eq!(account.sent + account.wrong_packets, 3750);
    assert!(echoed.bytes > account.sent_bytes, "they went over the wire");
}

#[test]
fn a_server_sees_wrong_registration_packets() {
    let (account, echoed) = run_with(FaultKind::WrongRegistration, |_, _| {});
    // A reset may come between the packet and its acknowledgement.
    assert!(
        (1..=echoed.wrong_registrations).contains(&account.wrong_registrations),
        "{account} {echoed}"
    );
    assert!(echoed.wrong_registrations <= 50, "{echoed}");
    assert_eq!(account.registered, 50, "{account}");
}

#[test]
fn a_server_sees_wrong_heartbeats() {
    let (account, echoed) = run_with(FaultKind::WrongHeartbeat, |plan, fault| {
        plan.heartbeat = Template::parse("HB").unwrap();
        plan.heartbeat_every = 1;
        plan.count = 5;
        plan.period = Duration::from_millis(2200);
        plan.frames = Some(2);
        fault.at = Duration::ZERO;
        fault.lasts = Duration::from_secs(10);
    });
    assert!(account.end.wrong_heartbeats > 0, "{account}");
    assert_eq!(echoed.strange, account.end.wrong_heartbeats, "{account}");
}

#[test]
fn the_lines_of_a_fleet_have_their_speed() {
    let (account, _) = run_with(FaultKind::Flap, |plan, fault| {
        fault.share = 0.0;
        plan.line_speed = 9600;
        plan.period = Duration::from_millis(100);
        plan.frames = Some(3);
    });
    // Sixteen bytes back through the line take 16.6 ms at least.
    assert!(account.round_trip.permille(1) >= 16_000, "{account}");
}

#[test]
fn acknowledged_is_enough_where_nothing_is_sent_back() {
    let server = Server::start(Some(1));
    let account = run_to_end(&Plan {
        check: Check::Acknowledgement,
        ..plan(server.address)
    });
    server.end();
    assert_eq!(
        (
            account.sent,
            account.end.acknowledged,
            account.answered,
            account.end.missing
        ),
        (2000, 2000, 0, 0)
    );
}

#[test]
fn a_script_says_what_is_answered() {
    let text = "[[step]]\nsend = \"HELLO {id}\\\\n\"\nexpect = \"HELLO\"\n\
                [[step]]\nsend = \"READ {index} {number}\\\\n\"\nexpect = \"READ {index} {number}\"\n";
    let scenario = Scenario::read(
        "s.toml".as_ref(),
        &format!("target = \"tcp://127.0.0.1:1\"\n{text}"),
    );
    let content = scenario.unwrap().plan().unwrap().content;
    let server = Server::start(None);
    let good = Plan {
        check: Check::Script,
        content,
        ..plan(server.address)
    };
    let account = run_to_end(&good);
    server.end();
    assert_eq!(
        (account.sent, account.answered, account.end.missing),
        (2000, 2000, 0),
        "{account}"
    );
    // A server that says nothing.
    let server = Server::start(Some(1));
    let account = run_to_end(&Plan {
        target: server.address,
        frames: Some(2),
        drain: Duration::from_millis(100),
        duration: Some(Duration::from_millis(300)),
        ..good
    });
    server.end();
    assert!(
        account.sent > 0 && account.end.missing == account.sent,
        "{account}"
    );
}

/// The examples of this repository, with their times divided and fewer devices, against a server here.
#[test]
fn the_examples_run() {
    for name in ["load-test", "herd-after-restart", "bad-radio-day"] {
        let server = Server::start(None);
        let path = format!("{}/../../examples/{name}.toml", env!("CARGO_MANIFEST_DIR"));
        let mut plan = Scenario::load(path.as_ref()).unwrap().plan().unwrap();
        let factor = plan.duration.unwrap().as_secs_f64();
        let shorten = |time: &mut Duration| *time = time.div_f64(factor);
        plan.duration.iter_mut().for_each(shorten);
        for fault in &mut plan.faults {
            shorten(&mut fault.at);
            shorten(&mut fault.lasts);
            shorten(&mut fault.every);
        }
        plan.target = server.address;
        plan.count = 20;
        plan.ramp = 1000.0;
        plan.drain = Duration::from_secs(20);
        plan.period = Duration::from_millis(50);
        plan.line_speed = 0;
        let account = run_to_end(&plan);
        server.end();
        assert_eq!(
            (account.started, account.registered),
            (20, 20),
            "{name}: {account}"
        );
        assert!(
            account.sent > 40 && account.end.missing == 0,
            "{name}: {account}"
        );
        account.judge().unwrap();
    }
}

#[test]
fn devices_write_to_each_other() {
    let server = Server::start(None);
    let account = run_to_end(&Plan {
        count: 5,
        frames: None,
        duration: Some(Duration::from_millis(1500)),
        texts: Some(Texts {
            devices: 4,
            every: Duration::from_millis(150),
        }),
        ..plan(server.address)
    });
    server.end();
    assert!(account.texts_sent > 0, "{account}");
    assert_eq!(
        (account.texts_received, account.texts_refused),
        (account.texts_sent, 0),
        "{account}"
    );
    assert_eq!(
        (account.registered, account.end.missing),
        (5, 0),
        "{account}"
    );
    account.judge().unwrap();
}
