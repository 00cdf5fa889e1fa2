//! What the system allows: descriptors, and local ports for one address.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Descriptors beside those of the devices.
const OWN: u64 = 64;

/// Raises the limit of descriptors as far as it may go, and says whether it is enough for so many.
///
/// # Errors
/// It is not; the text names the limit and the way to raise it.
pub fn raise_descriptors(wanted: u64) -> Result<(), String> {
    let limit = getrlimit(Resource::Nofile);
    let needed = wanted + OWN;
    if limit.current.is_some_and(|current| current < needed) {
        let raised = limit.maximum.map_or(needed, |maximum| maximum.min(needed));
        let new = Rlimit {
            current: Some(raised),
            maximum: limit.maximum,
        };
        setrlimit(Resource::Nofile, new)
            .map_err(|error| format!("the limit of open files cannot be raised: {error}"))?;
    }
    match limit.maximum {
        Some(maximum) if maximum < needed => Err(format!(
            "{wanted} connections need {needed} open files, the hard limit (RLIMIT_NOFILE) is {maximum}; as root: \
             prlimit --nofile={needed} --pid $$, or LimitNOFILE= of a systemd unit, or nofile in \
             /etc/security/limits.conf"
        )),
        _ => Ok(()),
    }
}

/// Where the connections of a fleet come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sources {
    /// Devices that share one address; 0 = the system chooses for all.
    each: u32,
}

impl Sources {
    /// For so many devices. One address has so many local ports for a target; where that is not enough, and the target is
    /// this host, further addresses of 127.0.0.0/8 are used.
    ///
    /// # Errors
    /// The target is elsewhere, or is IPv6: there is one source address only.
    pub fn new(count: u32, target: SocketAddr, ports: u32) -> Result<Self, String> {
        // Ports rest in TIME_WAIT, and others want some as well.
        let usable = (ports / 4 * 3).max(1);
        if count <= usable {
            return Ok(Self { each: 0 });
        }
        if !matches!(target.ip(), IpAddr::V4(address) if address.is_loopback()) {
            return Err(format!(
                "{count} connections to {target}: one source address has {ports} local ports (net.ipv4.ip_local_port_range), \
                 of which {usable} are used; more addresses are taken from 127.0.0.0/8 only where the target is there. \
                 Widen the range, or run several fleets from several hosts"
            ));
        }
        Ok(Self { each: usable })
    }

    /// The source address of a device; `None` = the system's choice.
    #[must_use]
    pub fn of(self, device: u32) -> Option<Ipv4Addr> {
        let number = device.checked_div(self.each)? + 1;
        Some(Ipv4Addr::from(
            u32::from(Ipv4Addr::new(127, 0, 0, 0)) + number,
        ))
    }
}

/// Whether the system has so many more ptys.
///
/// # Errors
/// It has not; the text names the limit.
pub fn check_ptys(wanted: u32) -> Result<(), String> {
    let number = |name| -> Option<u32> {
        let text = std::fs::read_to_string(format!("/proc/sys/kernel/pty/{name}")).ok()?;
        text.trim().parse().ok()
    };
    match number("max").zip(number("nr")) {
        Some((most, used)) if most.saturating_sub(used) < wanted => Err(format!(
            "{wanted} ptys are wanted, the system has {} left of {most} (kernel.pty.max)",
            most.saturating_sub(used)
        )),
        _ => Ok(()),
    }
}

/// Local ports of one source address.
#[must_use]
pub fn local_ports() -> u32 {
    let text =
        std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").unwrap_or_default();
    let mut numbers = text
        .split_whitespace()
        .filter_map(|word| word.parse::<u32>().ok());
    match (numbers.next(), numbers.next()) {
        (Some(first), Some(last)) if last >= first => last - first + 1,
        _ => 28_232,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_shared_out_only_on_this_host() {
        let here = "127.0.0.1:9000".parse().unwrap();
        let few = Sources::new(20_000, here, 28_232).unwrap();
        assert_eq!(few.of(19_999), None);
        let many = Sources::new(60_000, here, 28_232).unwrap();
        assert_eq!(many.of(0), Some(Ipv4Addr::new(127, 0, 0, 1)));
        assert_eq!(many.of(21_173), Some(Ipv4Addr::new(127, 0, 0, 1)));
        assert_eq!(many.of(21_174), Some(Ipv4Addr::new(127, 0, 0, 2)));
        let away = Sources::new(60_000, "192.0.2.1:9000".parse().unwrap(), 28_232);
        assert!(away.unwrap_err().contains("ip_local_port_range"));
    }

    #[test]
    fn ptys_that_the_system_does_not_have_are_told() {
        check_ptys(1).unwrap();
        assert!(check_ptys(u32::MAX).unwrap_err().contains("kernel.pty.max"));
    }

    #[test]
    fn a_limit_that_is_too_low_is_named_with_the_way_to_raise_it() {
        let error = raise_descriptors(1 << 40).unwrap_err();
        assert!(
            error.contains("RLIMIT_NOFILE") && error.contains("prlimit"),
            "{error}"
        );
        raise_descriptors(100).unwrap();
    }
}
