//! A serial device of the operating system.

use std::io;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::time::Duration;

use dtu_proto::config::{LineFormat, Parity};
use rustix::fs::{FlockOperation, Mode, OFlags};
use rustix::io::Errno;
use rustix::termios::{ControlModes, InputModes, OptionalActions, SpecialCodeIndex, Termios};
use tracing::warn;

use super::{Wiring, characters};
use crate::port::{Port, ShortRead};
use crate::sys;

pub(super) struct Tty {
    device: PathBuf,
    wiring: Wiring,
}

impl Tty {
    pub(super) const fn new(device: PathBuf, wiring: Wiring) -> Self {
        Self { device, wiring }
    }

    /// Opens it for this program alone and sets it.
    pub(super) fn open(&self, format: Option<LineFormat>) -> io::Result<Port> {
        // Without NONBLOCK the call would wait for the carrier of a modem.
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let fd = rustix::fs::open(&self.device, flags, Mode::empty())?;
        if !rustix::termios::isatty(&fd) {
            return Err(io::Error::other("is not a serial device"));
        }
        // The first keeps out programs that ask, the second those that do not (root excepted).
        match rustix::fs::flock(&fd, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(Errno::WOULDBLOCK) => return Err(io::Error::other("opened by somebody else")),
            Err(error) => return Err(error.into()),
        }
        if !is_pty(&fd)? {
            rustix::termios::ioctl_tiocexcl(&fd)?;
        }
        if self.wiring.rs485
            && let Err(error) = sys::enable_rs485(&fd)
        {
            warn!(
                "serial: {} does not switch RS-485 by itself: {error}",
                self.device.display()
            );
        }
        let port = Port::new(fd, ShortRead::EmptyTty)?;
        if let Err(why) = self.configure(&port, format.unwrap_or_default()) {
            warn!("serial: {}: {why}", self.device.display());
        }
        Ok(port)
    }

    /// Sets rate and format, and looks whether the driver took them.
    pub(super) fn configure(&self, port: &Port, format: LineFormat) -> Result<(), String> {
        let mut wanted = rustix::termios::tcgetattr(port).map_err(|error| error.to_string())?;
        describe(&mut wanted, format, self.wiring.rts_cts).map_err(|error| error.to_string())?;
        rustix::termios::tcsetattr(port, OptionalActions::Now, &wanted)
            .map_err(|error| error.to_string())?;
        let is = rustix::termios::tcgetattr(port).map_err(|error| error.to_string())?;
        compare(&is, &wanted)
    }
}

/// The slave of a pty (somebody's virtual serial line) would stay exclusive when this program is gone, for as long as
/// its master is open, and shut out the next start.
fn is_pty(fd: &OwnedFd) -> io::Result<bool> {
    let device = rustix::fs::fstat(fd)?.st_rdev;
    Ok(UNIX98_SLAVES.contains(&rustix::fs::major(device)))
}

fn describe(attributes: &mut Termios, format: LineFormat, rts_cts: bool) -> io::Result<()> {
    attributes.make_raw();
    // A break or a byte with a wrong parity bit is data, not a signal and not a mark.
    attributes.input_modes |= InputModes::IGNBRK;
    attributes.input_modes &= !(InputModes::INPCK | InputModes::PARMRK);
    let modes = &mut attributes.control_modes;
    modes.insert(ControlModes::CREAD | ControlModes::CLOCAL);
    modes.remove(FORMAT | ControlModes::HUPCL);
    modes.insert(if format.data_bits == 7 {
        ControlModes::CS7
    } else {
        ControlModes::CS8
    });
    modes.set(ControlModes::CSTOPB, format.stop_bits == 2);
    match format.parity {
        Parity::None => {}
        Parity::Even => modes.insert(ControlModes::PARENB),
        Parity::Odd => modes.insert(ControlModes::PARENB | ControlModes::PARODD),
    }
    modes.set(ControlModes::CRTSCTS, rts_cts);
    attributes.special_codes[SpecialCodeIndex::VMIN] = 1;
    attributes.special_codes[SpecialCodeIndex::VTIME] = 0;
    Ok(attributes.set_speed(format.baud)?)
}

fn compare(is: &Termios, wanted: &Termios) -> Result<(), String> {
    // UARTs divide a clock: a rate within 3 % works (each end of a character of 10 bits is still in its bit).
    let (has, asked) = (
        u64::from(is.output_speed()),
        u64::from(wanted.output_speed()),
    );
    if has.abs_diff(asked) * 100 > asked * 3 {
        return Err(format!(
            "rate {asked} is not possible, the device runs at {has}"
        ));
    }
    let differs = (is.control_modes ^ wanted.control_modes) & FORMAT;
    if differs.is_empty() {
        return Ok(());
    }
    let kinds = [
        (ControlModes::CSIZE, "data bits"),
        (ControlModes::CSTOPB, "stop bits"),
        (ControlModes::PARENB.union(ControlModes::PARODD), "parity"),
        (ControlModes::CRTSCTS, "flow control"),
    ];
    let refused: Vec<&str> = kinds
        .into_iter()
        .filter(|(bits, _)| differs.intersects(*bits))
        .map(|(_, kind)| kind)
        .collect();
    Err(format!(
        "not possible with this device: {}",
        refused.join(", ")
    ))
}

/// How long until what was written has left the line; zero when it has.
pub(super) fn time_to_drain(port: &Port, format: Option<LineFormat>) -> Duration {
    let format = format.unwrap_or_default();
    let unsent = sys::unsent(port).unwrap_or(0);
    if unsent > 0 {
        return characters(u32::try_from(unsent).unwrap_or(u32::MAX), format)
            .clamp(SHORTEST_LOOK, LONGEST_LOOK);
    }
    match sys::transmitter_empty(port) {
        Ok(false) => characters(1, format).max(SHORTEST_LOOK),
        // A driver that cannot tell has no shift register that we know of (USB, pty).
        Ok(true) | Err(_) => Duration::ZERO,
    }
}

/// Major numbers of the slaves of ptys (Documentation/admin-guide/devices.txt).
const UNIX98_SLAVES: std::ops::RangeInclusive<u32> = 136..=143;
const FORMAT: ControlModes = ControlModes::CSIZE
    .union(ControlModes::CSTOPB)
    .union(ControlModes::PARENB)
    .union(ControlModes::PARODD)
    .union(ControlModes::CRTSCTS);
const SHORTEST_LOOK: Duration = Duration::from_millis(1);
const LONGEST_LOOK: Duration = Duration::from_millis(50);

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::pty::OpenptFlags;

    #[tokio::test]
    async fn a_pty_is_not_left_exclusive_for_the_next_start() {
        let master = rustix::pty::openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        rustix::pty::grantpt(&master).unwrap();
        rustix::pty::unlockpt(&master).unwrap();
        let name = rustix::pty::ptsname(&master, Vec::new())
            .unwrap()
            .into_string()
            .unwrap();
        let tty = Tty::new(name.clone().into(), Wiring::default());
        drop(tty.open(None).unwrap());
        let slave = rustix::fs::open(&*name, OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).unwrap();
        assert!(!sys::is_exclusive(&slave));
    }
}
