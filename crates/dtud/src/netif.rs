//! One network interface of the host: the address it has, and when that changes (rtnetlink, RFC 3549).
//!
//! The kernel tells of every change of addresses and interfaces; what there is then is asked for afresh, so a piece
//! of news that was lost, or that is not understood, does no harm.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::fd::{AsFd, OwnedFd};
use std::task::Context;
use std::time::Duration;

use dtu_proto::time::Instant;
use rustix::io::Errno;
use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::{AddressFamily, Protocol, RecvFlags, SendFlags, SocketFlags, SocketType};

use crate::reactor::{Interest, Watched};

/// Watches the address of one interface.
pub(crate) struct Interface {
    name: String,
    news: Watched,
    /// When to look; changes come in swarms.
    look_at: Option<Instant>,
    /// As it was last told.
    told: Option<Option<IpAddr>>,
}

impl Interface {
    /// # Errors
    /// There is no netlink (a sandbox without `AF_NETLINK`). An interface that is missing is no error: it may come.
    pub(crate) fn watch(name: &str) -> io::Result<Self> {
        let socket = socket(GROUPS)?;
        Ok(Self {
            name: name.to_owned(),
            news: Watched::new(socket, Interest::Readable)?,
            look_at: Some(Instant::ZERO),
            told: None,
        })
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Another address than the last that was told; the first answer comes at once.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>, now: Instant) -> Option<Option<IpAddr>> {
        if self.has_changed(cx) {
            self.look_at = self.look_at.or(Some(now + SETTLE));
        }
        self.look_at.take_if(|at| *at <= now)?;
        let address = address(&self.name).unwrap_or_else(|error| {
            tracing::warn!("interface {}: {error}", self.name);
            None
        });
        (self.told.replace(address) != Some(address)).then_some(address)
    }

    pub(crate) const fn deadline(&self) -> Option<Instant> {
        self.look_at
    }

    /// Reads and forgets what the kernel tells.
    fn has_changed(&self, cx: &mut Context<'_>) -> bool {
        let mut any = false;
        let mut buffer = [0; 4096];
        while self.news.poll_ready(cx).is_ready() {
            match rustix::net::recv(&self.news, &mut buffer, RecvFlags::DONTWAIT) {
                Err(Errno::AGAIN) => self.news.clear(),
                // More has happened than there was room for.
                Ok(_) | Err(Errno::NOBUFS) => any = true,
                Err(_) => {
                    self.news.clear();
                    any = true;
                }
            }
        }
        any
    }
}

/// The address that the interface can be used from: IPv4 first. `None` where it has none, or is not there.
fn address(name: &str) -> io::Result<Option<IpAddr>> {
    let socket = socket(0)?;
    let index = match rustix::net::netdevice::name_to_index(&socket, name) {
        Ok(index) => index,
        Err(Errno::NODEV) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    rustix::net::send(&socket, &addresses_wanted(), SendFlags::empty())?;
    let mut best = None;
    let mut buffer = vec![0; 32 * 1024];
    loop {
        let (length, _) = rustix::net::recv(&socket, &mut buffer[..], RecvFlags::empty())?;
        for message in messages(buffer.get(..length).unwrap_or_default()) {
            match message.kind {
                DONE => return Ok(best),
                ERROR => return Err(io::Error::other("the kernel does not list addresses")),
                ADDRESS => best = better(best, usable(message.body, index)),
                _ => {}
            }
        }
    }
}

fn better(old: Option<IpAddr>, new: Option<IpAddr>) -> Option<IpAddr> {
    match (old, new) {
        (Some(IpAddr::V6(_)), Some(IpAddr::V4(_))) | (None, Some(_)) => new,
        (Some(_) | None, _) => old,
    }
}

fn socket(groups: u32) -> io::Result<OwnedFd> {
    let flags = SocketFlags::CLOEXEC
        | if groups == 0 {
            SocketFlags::empty()
        } else {
            SocketFlags::NONBLOCK
        };
    let (family, kind) = (AddressFamily::NETLINK, SocketType::RAW);
    let socket = rustix::net::socket_with(family, kind, flags, ROUTE)?;
    // Tells all of what the kernel has to say to `socket` alone.
    rustix::net::bind(socket.as_fd(), &SocketAddrNetlink::new(0, groups))?;
    Ok(socket)
}

/// `RTM_GETADDR` for all families.
fn addresses_wanted() -> [u8; 24] {
    const GET_ADDRESS: u16 = 22;
    /// `NLM_F_REQUEST | NLM_F_DUMP`
    const FLAGS: u16 = 0x301;
    let mut request = [0; 24];
    request[..4].copy_from_slice(&24u32.to_ne_bytes());
    request[4..6].copy_from_slice(&GET_ADDRESS.to_ne_bytes());
    request[6..8].copy_from_slice(&FLAGS.to_ne_bytes());
    request[8..12].copy_from_slice(&1u32.to_ne_bytes());
    request
}

/// One netlink message.
struct Message<'a> {
    kind: u16,
    body: &'a [u8],
}

fn messages(mut rest: &[u8]) -> impl Iterator<Item = Message<'_>> {
    std::iter::from_fn(move || {
        let length = usize::try_from(u32_at(rest, 0)?)
            .ok()
            .filter(|length| *length >= HEAD)?;
        let message = Message {
            kind: u16_at(rest, 4)?,
            body: rest.get(HEAD..length)?,
        };
        rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some(message)
    })
}

/// The address of an `ifaddrmsg`, if it belongs to the interface and can be used.
fn usable(body: &[u8], index: u32) -> Option<IpAddr> {
    let [family, _prefix, flags, scope] = *body.first_chunk::<4>()?;
    if u32_at(body, 4)? != index || flags & NOT_USABLE != 0 {
        return None;
    }
    let mut rest = body.get(8..)?;
    let (mut local, mut address) = (None, None);
    while let (Some(length), Some(kind)) = (u16_at(rest, 0), u16_at(rest, 2)) {
        let value = rest.get(4..usize::from(length))?;
        match kind {
            1 => address = Some(value),
            2 => local = Some(value),
            _ => {}
        }
        rest = rest
            .get(usize::from(length).next_multiple_of(4)..)
            .unwrap_or_default();
    }
    // Where they differ (point to point), `IFA_ADDRESS` is the other end's.
    let value = local.or(address)?;
    match u16::from(family) {
        family if family == AddressFamily::INET.as_raw() => <[u8; 4]>::try_from(value)
            .ok()
            .map(|octets| Ipv4Addr::from(octets).into()),
        // Those of one link only, `fe80::…`, reach nobody behind it.
        family if family == AddressFamily::INET6.as_raw() && scope != SCOPE_LINK => {
            <[u8; 16]>::try_from(value)
                .ok()
                .map(|octets| Ipv6Addr::from(octets).into())
        }
        _ => None,
    }
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes
        .get(at..at + 2)?
        .try_into()
        .ok()
        .map(u16::from_ne_bytes)
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes
        .get(at..at + 4)?
        .try_into()
        .ok()
        .map(u32::from_ne_bytes)
}

/// `NETLINK_ROUTE`, number 0.
const ROUTE: Option<Protocol> = None;
/// Bytes in front of a message's body.
const HEAD: usize = 16;
const ERROR: u16 = 2;
const DONE: u16 = 3;
const ADDRESS: u16 = 20;
/// `RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR`
const GROUPS: u32 = 0x111;
/// `IFA_F_DADFAILED | IFA_F_DEPRECATED | IFA_F_TENTATIVE`
const NOT_USABLE: u8 = 0x68;
const SCOPE_LINK: u8 = 253;
/// Changes come in swarms; an address that comes is used so much later at most.
const SETTLE: Duration = Duration::from_millis(100);

#[cfg(test)]
mod tests {
    use super::*;

    fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
        let length = u16::try_from(value.len() + 4).unwrap();
        let mut bytes = [length.to_ne_bytes(), kind.to_ne_bytes()].concat();
        bytes.extend(value);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes
    }

    fn body(family: u8, flags: u8, scope: u8, attributes: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = vec![family, 32, flags, scope];
        bytes.extend(7u32.to_ne_bytes());
        bytes.extend(attributes.concat());
        bytes
    }

    #[test]
    fn the_loopback_interface_has_its_address_and_a_missing_one_has_none() {
        assert_eq!(address("lo").unwrap(), Some(Ipv4Addr::LOCALHOST.into()));
        assert_eq!(address("nosuch0").unwrap(), None);
    }

    #[test]
    fn the_own_end_of_a_point_to_point_link_counts_and_other_interfaces_do_not() {
        let both = [
            attribute(1, &[10, 0, 0, 1]),
            attribute(3, b"wwan0\0"),
            attribute(2, &[10, 0, 0, 2]),
        ];
        let message = body(2, 0x80, 0, &both);
        assert_eq!(usable(&message, 7), Some([10, 0, 0, 2].into()));
        assert_eq!(usable(&message, 8), None);
    }

    #[test]
    fn an_address_that_is_tentative_or_of_the_link_only_is_passed_over() {
        let six = [attribute(1, &[0x20; 16])];
        assert_eq!(usable(&body(10, 0x80, 0, &six), 7), Some([0x20; 16].into()));
        assert_eq!(usable(&body(10, 0xC0, 0, &six), 7), None);
        assert_eq!(usable(&body(10, 0x80, SCOPE_LINK, &six), 7), None);
        assert_eq!(
            better(Some([0x20; 16].into()), Some([1, 2, 3, 4].into())),
            Some([1, 2, 3, 4].into())
        );
    }

    #[test]
    fn what_is_cut_short_gives_nothing_and_ends() {
        let whole = body(2, 0, 0, &[attribute(2, &[1, 2, 3, 4])]);
        for length in 0..whole.len() {
            assert_eq!(usable(&whole[..length], 7), None);
        }
        assert_eq!(messages(&[0; 64]).count(), 0);
        assert_eq!(messages(&[255; 64]).count(), 0);
        let mut endless = body(2, 0, 0, &[]);
        endless.extend([0; 8]);
        assert_eq!(usable(&endless, 7), None);
    }
}
