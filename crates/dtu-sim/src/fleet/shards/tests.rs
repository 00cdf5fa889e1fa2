//! Fleets in virtual time: the same devices, faults and account as with sockets, and the same on any number of threads.

use super::*;
use crate::fleet::{Check, Content, Fault, FaultKind, Scenario, Template, Texts};

fn plan() -> Plan {
    Plan {
        count: 50,
        ramp: 10_000.0,
        register: Template::parse("DTU{id}").unwrap(),
        heartbeat: Template::parse("HB").unwrap(),
        period: Duration::from_secs(1),
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

fn run(plan: &Plan) -> Simulated {
    run_on(plan, Simulation::default())
}

fn run_on(plan: &Plan, how: Simulation) -> Simulated {
    simulate(plan, how, |_| true).unwrap()
}

/// The fleet of [`plan`] with a fault that lasts from 10 s to 15 s; all that is sent must be accounted for.
fn run_with(kind: FaultKind, change: impl FnOnce(&mut Plan, &mut Fault)) -> Simulated {
    let mut plan = plan();
    let mut fault = Fault {
        kind,
        at: Duration::from_secs(10),
        lasts: Duration::from_secs(5),
        share: 1.0,
        every: Duration::ZERO,
    };
    change(&mut plan, &mut fault);
    plan.faults.push(fault);
    let done = run(&plan);
    let account = &done.account;
    assert_eq!(account.end.missing, 0, "{account}");
    assert_eq!(
        account.sent,
        account.answered + account.end.cut_off + account.dropped,
        "{account}"
    );
    assert_eq!(
        (account.misdirected, account.connected),
        (0, 0),
        "{account}"
    );
    assert_eq!(account.started, plan.count);
    account.judge().unwrap();
    done
}

#[test]
fn a_thousand_devices_send_and_every_frame_is_answered() {
    let Simulated { account, served } = run(&Plan {
        count: 1000,
        ..plan()
    });
    assert_eq!(
        (account.started, account.registered, account.registrations),
        (1000, 1000, 1000)
    );
    assert_eq!(
        (
            account.sent,
            account.answered,
            account.end.acknowledged,
            account.end.missing
        ),
        (40_000, 40_000, 40_000, 0)
    );
    assert_eq!(
        (account.again, account.damaged, account.other_bytes),
        (0, 0, 0),
        "{account}"
    );
    assert_eq!(
        (
            served.connections,
            served.registered,
            served.bytes,
            served.broken
        ),
        (1000, 1000, account.sent_bytes, 0)
    );
    // The last of 1000 is switched on after 0.1 s; all are done soon after their 40 s.
    assert!(
        (39_000_000..42_000_000).contains(&account.end.took),
        "{account}"
    );
    // 100 ms of silence, 100 ms of network, and sixteen bytes at least on the line, both ways.
    let quickest = account.round_trip.permille(1);
    assert!((201_000..230_000).contains(&quickest), "{account}");
    account.judge().unwrap();
}

#[test]
fn it_is_the_same_on_any_number_of_threads() {
    let mut plan = Plan {
        count: 70,
        texts: Some(Texts {
            devices: 20,
            every: Duration::from_secs(1),
        }),
        ..plan()
    };
    for kind in [
        FaultKind::Flap,
        FaultKind::HalfOpen,
        FaultKind::Herd,
        FaultKind::Restart,
    ] {
        plan.faults.push(Fault {
            kind,
            at: Duration::from_secs(5 + 5 * plan.faults.len() as u64),
            lasts: Duration::from_secs(3),
            share: 0.4,
            every: Duration::ZERO,
        });
    }
    let on = |threads| {
        run_on(
            &plan,
            Simulation {
                threads,
                ..Simulation::default()
            },
        )
    };
    let one = on(1);
    assert!(
        one.account.texts_received > 10 && one.account.restarts > 10,
        "{}",
        one.account
    );
    for threads in [2, 5] {
        let many = on(threads);
        assert_eq!(
            (many.account, many.served),
            (one.account.clone(), one.served)
        );
    }
    let other = run(&Plan {
        seed: 2,
        ..plan.clone()
    });
    assert_ne!(other.account, one.account);
}

#[test]
fn a_frame_that_the_server_swallows_is_missing() {
    let swallowing = Simulation {
        swallow: Some(250),
        ..Simulation::default()
    };
    let Simulated { account, served } = run_on(&plan(), swallowing);
    assert!(served.swallowed > 0, "{served:?}");
    assert_eq!(
        (account.end.missing, account.sent - account.answered),
        (served.swallowed, served.swallowed),
        "{account}"
    );
    assert_eq!(account.end.acknowledged, account.sent);
    assert!(account.judge().unwrap_err().contains("missing"));
}

#[test]
fn flaps_lose_answers_and_no_frame() {
    let Simulated { account, served } = run_with(FaultKind::Flap, |plan, fault| {
        plan.period = Duration::from_millis(150);
        plan.frames = Some(150);
        fault.share = 0.5;
        fault.every = Duration::from_secs(1);
    });
    assert!(account.registrations > 50, "{account}");
    // What was not acknowledged goes again; the answer to the first was on its way.
    assert!(
        account.end.resent > 0 && served.bytes > account.sent_bytes,
        "{account}"
    );
    assert!(
        account.registrations <= served.registered && served.broken > 0,
        "{served:?}"
    );
    assert_eq!(account.dropped, 0);
}

#[test]
fn a_herd_comes_back_and_registers_again() {
    let Simulated { account, served } = run_with(FaultKind::Herd, |_, _| {});
    assert_eq!(
        (account.registrations, served.registered),
        (100, 100),
        "{account}"
    );
}

#[test]
fn devices_start_over_as_by_at() {
    let Simulated { account, served } = run_with(FaultKind::Restart, |_, _| {});
    assert_eq!(
        (account.restarts, served.connections),
        (50, 100),
        "{account}"
    );
}

#[test]
fn a_radio_shadow_delays_and_loses_nothing() {
    let Simulated { account, served } = run_with(FaultKind::HalfOpen, |_, fault| fault.share = 0.5);
    assert_eq!(
        (served.connections, account.answered),
        (50, 2000),
        "{account}"
    );
    assert!(
        (4_000_000..5_500_000).contains(&account.round_trip.max()),
        "{account}"
    );
}

#[test]
fn a_long_shadow_is_half_open_for_the_server() {
    let Simulated { account, served } = run_with(FaultKind::HalfOpen, |plan, fault| {
        plan.heartbeat_every = 2;
        fault.lasts = Duration::from_secs(20);
    });
    assert_eq!(
        (served.connections, served.registered),
        (100, 100),
        "{account}"
    );
    // Nobody told the server that the first of each is over.
    assert_eq!(served.broken, 0);
}

#[test]
fn equipment_that_reads_slowly_gets_all_of_it() {
    let Simulated { account, .. } = run_with(FaultKind::SlowReader(0), |_, _| {});
    assert_eq!(account.answered, 2000);
    assert!(account.round_trip.max() > 4_000_000, "{account}");
    // At 110 Bd hardly anything of what comes back fits through the line: the server is held up, and then the device.
    let Simulated { account, .. } = run_with(FaultKind::SlowReader(110), |plan, fault| {
        plan.period = Duration::from_millis(50);
        plan.content.length = 1024..=1024;
        plan.line_speed = 0;
        plan.heartbeat_every = 0;
        plan.frames = Some(1000);
        plan.count = 3;
        fault.lasts = Duration::from_secs(30);
    });
    assert_eq!((account.answered, account.dropped), (3000, 0), "{account}");
    assert!(account.round_trip.max() > 25_000_000, "{account}");
}

#[test]
fn a_cache_that_overflows_drops_frames_and_none_is_missing() {
    // The server reads no more, for minutes; devices give their connections up, and drop what finds no room.
    let Simulated { account, .. } = run_with(FaultKind::SlowReader(110), |plan, fault| {
        plan.period = Duration::from_millis(50);
        plan.content.length = 900..=1024;
        plan.line_speed = 0;
        plan.packing = 0;
        plan.frames = Some(3000);
        plan.count = 5;
        fault.lasts = Duration::from_secs(120);
    });
    assert!(
        account.dropped > 1000 && account.end.cut_off > 100,
        "{account}"
    );
    assert!(
        account
            .end
            .losses
            .iter()
            .any(|(_, count)| *count == account.dropped),
        "{account}"
    );
}

#[test]
fn wrong_packets_are_sent_and_seen_and_no_answer_is_missed() {
    let Simulated { account, served } = run_with(FaultKind::WrongPackets(4), |plan, fault| {
        // The last one is right: nobody waits for what need not be answered.
        plan.frames = Some(41);
        fault.at = Duration::ZERO;
        fault.lasts = Duration::from_secs(60);
    });
    assert_eq!(
        (account.wrong_packets, account.sent),
        (500, 1550),
        "{account}"
    );
    assert_eq!(served.strange, 500, "{served:?}");
}

#[test]
fn a_wrong_registration_packet_is_sent_and_seen() {
    let Simulated { account, served } = run_with(FaultKind::WrongRegistration, |_, fault| {
        fault.share = 0.5;
    });
    let wrong = account.wrong_registrations;
    assert!((10..40).contains(&wrong), "{account}");
    assert_eq!(served.wrong_registrations, wrong);
    // Before, and again behind it.
    assert_eq!(
        (account.registrations, served.registered),
        (50 + wrong, 50 + wrong)
    );
    // Also of devices that are switched on meanwhile.
    let Simulated { account, served } = run_with(FaultKind::WrongRegistration, |plan, fault| {
        plan.ramp = 5.0;
        fault.at = Duration::ZERO;
    });
    assert!((20..30).contains(&account.wrong_registrations), "{account}");
    assert_eq!(served.wrong_registrations, account.wrong_registrations);
    assert_eq!(account.registered, 50);
}

#[test]
fn a_wrong_heartbeat_is_sent_and_seen() {
    let Simulated { account, served } = run_with(FaultKind::WrongHeartbeat, |plan, _| {
        plan.heartbeat_every = 2;
        plan.period = Duration::from_secs(10);
        plan.frames = Some(4);
    });
    assert!(
        (50..=150).contains(&account.end.wrong_heartbeats),
        "{account}"
    );
    assert_eq!(served.strange, account.end.wrong_heartbeats);
    assert_eq!(
        served.heartbeats + served.strange,
        account.end.heartbeats,
        "{account}"
    );
}

#[test]
fn acknowledged_is_enough_where_nothing_is_sent_back() {
    let Simulated { account, served } = run(&Plan {
        check: Check::Acknowledgement,
        ..plan()
    });
    assert_eq!(
        (
            account.sent,
            account.end.acknowledged,
            account.answered,
            account.end.missing
        ),
        (2000, 2000, 0, 0)
    );
    assert_eq!(served.bytes, 0);
}

#[test]
fn a_server_has_the_answers_of_a_script() {
    let text = "[[step]]\nsend = \"HELLO {id}\\\\n\"\nexpect = \"WELCOME\"\n\
                [[step]]\nsend = \"READ {index} {number}\\\\n\"\nexpect = \"VALUE {number};\"\n";
    let scenario = Scenario::read(
        "s.toml".as_ref(),
        &format!("target = \"tcp://127.0.0.1:1\"\n{text}"),
    );
    let content = scenario.unwrap().plan().unwrap().content;
    let Simulated { account, .. } = run_with(FaultKind::Flap, |plan, _| {
        plan.check = Check::Script;
        plan.content = content;
    });
    assert_eq!(
        (account.sent, account.answered + account.end.cut_off),
        (2000, 2000),
        "{account}"
    );
}

#[test]
fn devices_write_to_each_other() {
    let Simulated { account, .. } = run(&Plan {
        frames: None,
        duration: Some(Duration::from_secs(60)),
        texts: Some(Texts {
            devices: 4,
            every: Duration::from_secs(3),
        }),
        ..plan()
    });
    assert!(account.texts_sent > 10, "{account}");
    assert_eq!(
        (account.texts_received, account.texts_refused),
        (account.texts_sent, 0),
        "{account}"
    );
    account.judge().unwrap();
}

/// The examples of this repository as they are, but with fewer devices.
#[test]
fn the_examples_run() {
    for name in ["load-test", "herd-after-restart", "bad-radio-day"] {
        let path = format!("{}/../../examples/{name}.toml", env!("CARGO_MANIFEST_DIR"));
        let mut plan = Scenario::load(path.as_ref()).unwrap().plan().unwrap();
        plan.count = 10;
        let Simulated { account, .. } = run(&plan);
        assert_eq!(
            (account.started, account.registered),
            (10, 10),
            "{name}: {account}"
        );
        assert!(
            account.sent > 200 && account.end.missing == 0,
            "{name}: {account}"
        );
        account.judge().unwrap();
    }
}

#[test]
fn what_cannot_be_is_refused() {
    let endless = Plan {
        frames: None,
        ..plan()
    };
    let with_pty = Plan {
        ptys: Some(1..=2),
        ..plan()
    };
    for (plan, wanted) in [
        (endless, "--duration or --frames"),
        (with_pty, "--pty does not go"),
    ] {
        let error = simulate(&plan, Simulation::default(), |_| true).unwrap_err();
        assert!(error.to_string().contains(wanted), "{error}");
    }
}

#[test]
fn who_watches_can_end_it() {
    // The first look comes behind a quarter of a second; there is work for hours.
    let long = Plan {
        count: 1_000_000,
        ..plan()
    };
    let done = simulate(&long, Simulation::default(), |progress| {
        assert_eq!(progress.count, 1_000_000);
        false
    });
    let account = done.unwrap().account;
    assert!(account.started < long.count, "{account}");
    assert_eq!(account.sent, u64::from(account.started) * 40);
    account.judge().unwrap();
}
