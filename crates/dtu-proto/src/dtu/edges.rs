//! What a device at rest does not do, whose deadline comes first, and the order of what its parts ask for.

use std::vec::Vec;

use super::*;
use crate::config::WorkingMode;
use crate::event::{
    CloseReason, LinkId, Lost, ModemInput, SerialInput, SerialOutput, SocketId, SocketInput,
    SocketOutput, Timer,
};
use crate::line::LineState;
use crate::line::prompt::Ends;
use crate::status::Losses;
use crate::time::Duration;

fn at(ms: u64) -> Instant {
    Instant::from_millis(ms)
}

fn one_link() -> Config {
    let mut config = Config::default();
    config.links[0].enabled = true;
    (config.heartbeat_interval, config.restart_time) = (0, 0);
    config
}

/// It carries data; the host does at once what it is told.
fn up(config: Config) -> Dtu {
    let options = Options {
        setup_window: Duration::ZERO,
        ..Options::default()
    };
    let mut dtu = Dtu::new(config, options, Identity::default(), 1, at(0));
    input(&mut dtu, 0, Input::Serial(SerialInput::Present));
    let attached = ModemInput::Attached([10, 0, 0, 2].into());
    input(&mut dtu, 1, Input::Modem(&attached));
    input(&mut dtu, 10_000, Input::Lost(Lost::Overrun(0)));
    dtu
}

fn input(dtu: &mut Dtu, ms: u64, input: Input<'_>) {
    dtu.handle_input(input, at(ms));
    loop {
        let mut answers = Vec::new();
        while let Some(output) = dtu.poll_output() {
            if let Output::Serial(SerialOutput::Write(_)) = output {
                answers.push(Input::Serial(SerialInput::Written));
            } else if let Output::Serial(SerialOutput::Configure(_)) = output {
                answers.push(Input::Serial(SerialInput::Configured(None)));
            } else if let Output::Socket(socket, SocketOutput::Connect(_)) = output {
                let local = ([10, 0, 0, 2], 40_000).into();
                answers.push(Input::Socket(socket, SocketInput::Connected { local }));
            } else if let Output::Socket(socket, SocketOutput::Send(_)) = output {
                answers.push(Input::Socket(socket, SocketInput::Sent));
            }
        }
        if answers.is_empty() {
            return;
        }
        for answer in answers {
            dtu.handle_input(answer, at(ms));
        }
    }
}

#[test]
fn where_only_frames_pass_nobody_else_is_asked() {
    let mut dtu = up(one_link());
    assert_eq!(dtu.line.state(), LineState::OnlineData);
    assert!(dtu.only_frames_pass() && dtu.messages_rest());
    assert!(!dtu.settle_modes(), "they ask for nothing");
    assert!(dtu.mailbox.saving.rests() && dtu.cellular.calls.rest());

    dtu.cellular.submitter.begin(Vec::from([Bytes::new()]));
    assert!(!dtu.cellular.submitter.rests() && !dtu.only_frames_pass());
    dtu.cellular.submitter.begin(Vec::new());
    assert!(dtu.only_frames_pass());
    dtu.mailbox.changed();
    assert!(!dtu.messages_rest() && !dtu.only_frames_pass());
}

#[test]
fn a_device_with_nothing_to_do_has_no_deadline() {
    let mut config = one_link();
    config.links[0].enabled = false;
    config.auto_mode = false;
    let dtu = up(config);
    assert_eq!(dtu.find_deadline(true), None);
}

/// A recorded run is replayed in the order that it had.
#[test]
fn of_two_deadlines_at_one_time_that_of_the_links_comes_last() {
    let mut config = one_link();
    (config.heartbeat, config.heartbeat_interval) = (b"HB".to_vec(), 700);
    let mut dtu = up(config);
    let links = dtu.find_deadline(true).unwrap();
    assert_eq!(links.timer, Timer::Mode(WorkingMode::Transparent));
    Arc::make_mut(&mut dtu.config).restart_time = 600;
    dtu.last_received = at(links.at.as_micros() / 1000 - 600_000);
    let first = dtu.find_deadline(true).unwrap();
    assert_eq!((first.at, first.timer), (links.at, Timer::NoData));
}

/// What is asked for while an act is carried out comes before the acts behind it.
#[test]
fn acts_are_carried_out_in_front_of_those_that_were_pending() {
    let mut dtu = up(one_link());
    for bytes in [1, 10, 100] {
        dtu.acts.push_back(Act::Untaken { bytes });
    }
    dtu.carry_out_acts(1);
    let left = |dtu: &Dtu| dtu.acts.len();
    assert_eq!((dtu.line.counters().dropped_bytes, left(&dtu)), (110, 1));
    // The same where a mode asks for nothing, and for something.
    dtu.with_modes(|_, _| ());
    assert_eq!((dtu.line.counters().dropped_bytes, left(&dtu)), (110, 1));
    dtu.with_modes(|_, cx| cx.acts.push_back(Act::Untaken { bytes: 1000 }));
    assert_eq!((dtu.line.counters().dropped_bytes, left(&dtu)), (1110, 1));
    dtu.carry_out_acts(0);
    assert_eq!((dtu.line.counters().dropped_bytes, left(&dtu)), (1111, 0));
}

#[test]
fn a_start_forgets_the_prompt() {
    let mut dtu = up(one_link());
    dtu.line.open_prompt(Ends::Mark, 160, at(10_000));
    dtu.power_on(RestartReason::Command);
    assert!(dtu.line.prompt().is_none());
}

/// A link or a mode that has lost nothing in an earlier run takes no memory; one that has shows it.
#[test]
fn what_lost_something_in_an_earlier_run_is_there_in_this_one() {
    let fresh = || {
        let (config, options) = (Config::default(), Options::default());
        Dtu::new(config, options, Identity::default(), 1, at(0))
    };
    let mut none = fresh();
    none.restore_losses(&Losses::default());
    assert!(!none.modes.httpd.is_made() && !none.modes.packets.is_made());
    assert!(!none.modes.transparent.links.is_used(LinkId::ALL[2]));
    let mut losses = Losses::default();
    losses.others[Losses::LINK + 2 * Losses::OF_LINK] = 7;
    losses.others[Losses::HTTPD] = 5;
    let mut some = fresh();
    some.restore_losses(&losses);
    assert!(some.modes.httpd.is_made() && !some.modes.packets.is_made());
    assert!(some.modes.transparent.links.is_used(LinkId::ALL[2]));
    assert_eq!(some.losses().others, losses.others);
}

/// A server that may command and sends more than the line takes.
fn fills(dtu: &mut Dtu, link: LinkId, bytes: usize) {
    let socket = SocketId::Link(link);
    dtu.handle_input(
        Input::Socket(socket, SocketInput::Data(&std::vec![b'x'; bytes])),
        dtu.now,
    );
    while dtu.poll_output().is_some() {}
}

/// The line takes nothing. Two links share what waits, and both are read on: somebody can say that nothing comes.
#[test]
fn a_full_line_is_deaf_only_where_a_peer_that_is_there_is_not_read() {
    let mut config = one_link();
    config.links[1].enabled = true;
    let mut dtu = up(config);
    for link in [LinkId::ALL[0], LinkId::ALL[1]] {
        fills(&mut dtu, link, 8 * 1024);
    }
    assert!(!dtu.line.has_room_for_all() && !dtu.unheard);
    // The second is not read any more. What is waited for then stands still.
    fills(&mut dtu, LinkId::ALL[1], 8 * 1024);
    assert!(dtu.unheard && !dtu.wants_socket(LinkId::ALL[1]));
    dtu.handle_timeout(at(60_000));
    dtu.handle_input(Input::Lost(Lost::Overrun(0)), at(60_000));
    assert_eq!(dtu.last_received, at(60_000));
    // It is heard again when it has gone: its last moment of deafness counts.
    let closed = SocketInput::Closed {
        reason: CloseReason::PeerClosed,
        acked: 0,
    };
    dtu.handle_input(Input::Socket(LinkId::ALL[1].into(), closed), at(90_000));
    assert_eq!((dtu.unheard, dtu.last_received), (false, at(90_000)));
    dtu.handle_input(Input::Lost(Lost::Overrun(0)), at(91_000));
    assert_eq!(dtu.last_received, at(90_000));
}

#[test]
fn a_set_that_is_as_it_was_stored_takes_no_memory_of_its_own() {
    let mut dtu = up(one_link());
    assert!(Arc::ptr_eq(&dtu.config, &dtu.stored));
    for (line, same) in [("ATS0=2", false), ("AT+CSQ", false), ("ATS0=0", true)] {
        input(&mut dtu, 10_001, Input::Console(line));
        assert_eq!(Arc::ptr_eq(&dtu.config, &dtu.stored), same, "{line}");
    }
}
