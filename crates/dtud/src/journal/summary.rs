//! The whole device in one line, for `systemctl status`.

use std::fmt::Write as _;

use dtu_proto::event::{LINKS, LinkDownReason};
use dtu_proto::status::{LinkState, LinkStatus, Phase, Status, WaitingFor};

use super::drops::Total;
use crate::serial::Address;
use crate::words::Count;

/// `transparent mode; link 1 up, link 2 down: refused; 12 frames (3072 bytes) wait; 85 (21760 bytes) dropped`
pub(super) fn summary(status: &Status, serial: &Address, dropped: Total) -> String {
    let mut line = match status.phase {
        Phase::SetupWindow => "set-up window".to_owned(),
        Phase::Ending => "ending".to_owned(),
        Phase::Command => format!("{}, command state", status.mode),
        Phase::Data => status.mode.to_string(),
    };
    if !status.serial.present {
        let _ = match serial {
            // There also where nobody has it open.
            Address::Pty(_) => write!(line, "; no equipment on the serial line"),
            Address::Tty(_) | Address::Tcp(..) => write!(line, "; serial line missing: {serial}"),
        };
    }
    if status.attached.is_none() {
        line.push_str("; no network");
    }
    let links: Vec<String> = (1..=LINKS).zip(&status.links).filter_map(of_link).collect();
    if !links.is_empty() {
        let _ = write!(line, "; {}", links.join(", "));
    }
    let waits = |(frames, bytes), link: &LinkStatus| {
        (frames + link.waiting_frames, bytes + link.waiting_bytes)
    };
    let modes = (
        status.httpd.waiting_frames + status.serial_command.waiting_packets,
        status.httpd.waiting_bytes + status.serial_command.waiting_bytes,
    );
    let (frames, bytes) = status.links.iter().fold(modes, waits);
    if frames > 0 {
        let _ = write!(
            line,
            "; {} ({}) wait",
            Count(frames as u64, "frame"),
            Count(bytes as u64, "byte")
        );
    }
    if status.messages.outgoing > 0 {
        let _ = write!(
            line,
            "; {} to be sent",
            Count(status.messages.outgoing.into(), "message")
        );
    }
    if dropped != Total::default() {
        let _ = write!(line, "; {dropped} dropped");
    }
    line
}

fn of_link((number, link): (usize, &LinkStatus)) -> Option<String> {
    link_state(link.state, link.last_down).map(|state| format!("link {number} {state}"))
}

/// In words; `None` = it has nothing to do. A link that is down says why, where that is given.
pub(crate) fn link_state(state: LinkState, last_down: Option<LinkDownReason>) -> Option<String> {
    Some(match state {
        LinkState::Off | LinkState::Waiting(WaitingFor::Mode) => return None,
        LinkState::Connected => "up".to_owned(),
        LinkState::Connecting | LinkState::Waiting(WaitingFor::Retry) => match last_down {
            Some(why) if why != LinkDownReason::Ordered => format!("down: {why}"),
            Some(_) | None => "connecting".to_owned(),
        },
        LinkState::Waiting(WaitingFor::Network) => "waits for the network".to_owned(),
        LinkState::Waiting(WaitingFor::Data) => "waits for data".to_owned(),
        LinkState::Waiting(WaitingFor::Primary) => "stands by".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use dtu_proto::config::{Config, Options};
    use dtu_proto::time::Instant;
    use dtu_proto::{Dtu, Identity};

    use super::*;

    /// H8: a tty that was pulled out is another matter than a pty that nobody has open.
    #[test]
    fn h8_a_line_that_is_missing_is_told_from_one_without_equipment() {
        let dtu = Dtu::new(
            Config::default(),
            Options::default(),
            Identity::default(),
            1,
            Instant::ZERO,
        );
        for (line, wanted) in [
            ("pty:/run/dtu", "; no equipment on the serial line;"),
            ("tty:/dev/ttyUSB0", "; serial line missing: /dev/ttyUSB0;"),
            ("tcp:box:4001", "; serial line missing: box:4001;"),
        ] {
            let line = Address::parse(line).unwrap();
            let said = summary(&dtu.status(Instant::ZERO), &line, Total::default());
            assert!(said.contains(wanted), "{said}");
        }
    }
}
