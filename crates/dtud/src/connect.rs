//! From a name to a connected socket: resolve afresh, try every address, the next beside the first (decisions 16.24).

use std::fmt;
use std::future::poll_fn;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs as _};
use std::os::fd::OwnedFd;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use dtu_proto::config::Protocol;
use dtu_proto::event::{CloseReason, Connect};
use socket2::{Domain, SockAddr, Socket, Type};
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout, timeout_at};
use tracing::debug;

use crate::port::{Port, ShortRead};
use crate::reactor::{Interest, Watched};
use crate::tls;
use crate::words::plain;

mod race;

use race::{order, race};

/// A socket that stands.
#[derive(Debug)]
pub(crate) struct Established {
    pub(crate) port: Port,
    /// What speaks TLS over it.
    pub(crate) session: Option<Box<tls::Session>>,
    pub(crate) local: SocketAddr,
    pub(crate) peer: SocketAddr,
}

/// Why there is no socket: for the device, and in words for a person, who wants to know which address it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) reason: CloseReason,
    pub(crate) text: String,
}

impl Failure {
    fn new(reason: CloseReason, text: impl Into<String>) -> Self {
        Self {
            reason,
            text: text.into(),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// How to get there.
#[derive(Clone, Debug, Default)]
pub(crate) struct Route {
    /// The only network interface that may be used.
    pub(crate) interface: Option<String>,
    pub(crate) resolver: Resolver,
    pub(crate) tls: tls::Client,
    /// The address of the last connection that stood.
    pub(crate) worked: LastGoodAddress,
}

/// An address that is remembered by all copies of a route.
pub(crate) type LastGoodAddress = Arc<Mutex<Option<IpAddr>>>;

impl Route {
    fn worked(&self) -> Option<IpAddr> {
        *self.worked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note_worked(&self, address: IpAddr) {
        *self.worked.lock().unwrap_or_else(PoisonError::into_inner) = Some(address);
    }
}

/// An attempt under way.
pub(crate) type Attempt = Pin<Box<dyn Future<Output = Result<Established, Failure>>>>;

/// Asks for names for one link (or line), one question at a time. The system's resolver cannot be interrupted and may
/// hold a thread much longer than an attempt waits: without this bound a dead DNS would take all threads, also those
/// that save parameters.
#[derive(Clone, Debug)]
pub(crate) struct Resolver {
    turn: Arc<Semaphore>,
    /// What it answers instead of asking.
    #[cfg(test)]
    pub(crate) answers: Arc<Mutex<Option<Vec<SocketAddr>>>>,
}

impl Default for Resolver {
    fn default() -> Self {
        Self {
            turn: Arc::new(Semaphore::new(1)),
            #[cfg(test)]
            answers: Arc::default(),
        }
    }
}

impl Resolver {
    async fn ask(self, name: String, port: u16) -> io::Result<Vec<SocketAddr>> {
        #[cfg(test)]
        if let Some(answers) = self
            .answers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
        {
            return Ok(answers);
        }
        let turn = self.turn.acquire_owned().await.map_err(io::Error::other)?;
        let question = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            (name.as_str(), port)
                .to_socket_addrs()
                .map(Iterator::collect)
        });
        question.await.map_err(io::Error::other)?
    }
}

/// Resolves, connects and shakes hands, in at most [`ATTEMPT`].
pub(crate) async fn connect(target: Connect, route: Route) -> Result<Established, Failure> {
    let end = Instant::now() + ATTEMPT;
    if is_encrypted(&target) {
        prepare(&route.tls, end).await?;
    }
    let addresses = resolve(&target.address, target.port, route.resolver.clone()).await?;
    let peers = order(addresses, route.worked());
    let (target, route) = (&target, &route);
    let attempt = |address| -> Pin<Box<dyn Future<Output = _>>> {
        Box::pin(async move {
            open(target, address, route).await.map_err(|error| {
                let failure = failure(&error, address, target, route);
                debug!("connection: {failure}");
                failure
            })
        })
    };
    match timeout_at(end, race(peers.iter().copied(), attempt)).await {
        Ok(Ok(established)) => {
            route.note_worked(established.peer.ip());
            Ok(established)
        }
        Ok(Err(last)) => Err(last.unwrap_or_else(|| no_address(&target.address))),
        Err(_) => {
            let peers: Vec<String> = peers.iter().map(SocketAddr::to_string).collect();
            Err(Failure::new(
                CloseReason::TimedOut,
                format!("no answer from {}", peers.join(", ")),
            ))
        }
    }
}

/// Where a name of a UDP peer leads by now: a socket to another address than `peer`, if there is one. Where `refused`,
/// another address of the same name is one too.
pub(crate) async fn elsewhere(
    target: Connect,
    route: Route,
    peer: SocketAddr,
    refused: bool,
) -> Option<Established> {
    let addresses = resolve(&target.address, target.port, route.resolver.clone())
        .await
        .ok()?;
    if addresses.contains(&peer) && !refused {
        return None;
    }
    for address in order(addresses, None)
        .into_iter()
        .filter(|address| *address != peer)
    {
        match open(&target, address, &route).await {
            Ok(established) => {
                route.note_worked(address.ip());
                return Some(established);
            }
            Err(error) => debug!("connection: {address}: {error}"),
        }
    }
    None
}

fn is_encrypted(target: &Connect) -> bool {
    target.tls && target.protocol == Protocol::Tcp
}

async fn prepare(tls: &tls::Client, end: Instant) -> Result<(), Failure> {
    match timeout_at(end, tls.prepare()).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(Failure::new(CloseReason::Tls, tls::in_words(&error))),
        Err(_) => Err(Failure::new(
            CloseReason::Tls,
            "the root certificates cannot be read within the time of an attempt",
        )),
    }
}

async fn resolve(name: &str, port: u16, resolver: Resolver) -> Result<Vec<SocketAddr>, Failure> {
    // An address needs no resolver, and no thread that asks it.
    if let Some(address) = literal(name) {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    match timeout(RESOLVE, resolver.ask(name.to_owned(), port)).await {
        Ok(Ok(found)) => {
            let mut addresses: Vec<SocketAddr> = Vec::new();
            for address in found {
                if !addresses.contains(&address) && addresses.len() < MOST_ADDRESSES {
                    addresses.push(address);
                }
            }
            if addresses.is_empty() {
                Err(no_address(name))
            } else {
                Ok(addresses)
            }
        }
        Ok(Err(error)) => {
            let text = format!("the name {name} is not found: {error}");
            Err(Failure::new(CloseReason::NameNotFound, text))
        }
        Err(_) => {
            let text = format!("the name {name} is not found: no answer from the resolver");
            Err(Failure::new(CloseReason::NameNotFound, text))
        }
    }
}

/// The address that is written instead of a name. IPv6 may have its brackets.
pub(crate) fn literal(name: &str) -> Option<IpAddr> {
    let bare = name
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(name);
    bare.parse().ok()
}

async fn open(target: &Connect, peer: SocketAddr, route: &Route) -> io::Result<Established> {
    let socket = socket(target, peer, route.interface.as_deref())?;
    match socket.connect(&SockAddr::from(peer)) {
        Ok(()) => {}
        Err(error) if error.raw_os_error() == Some(libc::EINPROGRESS) => {}
        Err(error) => return Err(error),
    }
    let socket = match target.protocol {
        Protocol::Tcp => connected(socket).await?,
        Protocol::Udp => socket,
    };
    let local = socket
        .local_addr()?
        .as_socket()
        .ok_or(io::ErrorKind::AddrNotAvailable)?;
    let short_read = match target.protocol {
        Protocol::Tcp => ShortRead::Empty,
        Protocol::Udp => ShortRead::Unknown,
    };
    let mut port = Port::new(OwnedFd::from(socket), short_read)?;
    let session = if is_encrypted(target) {
        Some(encrypt(target, &route.tls, &mut port).await?)
    } else {
        None
    };
    Ok(Established {
        port,
        session,
        local,
        peer,
    })
}

async fn encrypt(
    target: &Connect,
    tls: &tls::Client,
    port: &mut Port,
) -> io::Result<Box<tls::Session>> {
    let session = tls.shake_hands(&target.address, port).await;
    session.map(Box::new)
}

async fn connected(socket: Socket) -> io::Result<Socket> {
    let twin = Watched::new(socket.try_clone()?.into(), Interest::Writable)?;
    poll_fn(|cx| twin.poll_ready(cx)).await;
    drop(twin);
    match socket.take_error()? {
        // Without a server, a port of this host may meet itself (simultaneous open): the device would send to itself,
        // and keep the server from its port.
        None if socket.local_addr()? == socket.peer_addr()? => {
            // No TIME_WAIT, which would go on keeping it.
            socket.set_linger(Some(Duration::ZERO))?;
            Err(io::Error::from_raw_os_error(libc::ECONNREFUSED))
        }
        None => Ok(socket),
        Some(error) => Err(error),
    }
}

fn socket(target: &Connect, peer: SocketAddr, interface: Option<&str>) -> io::Result<Socket> {
    let kind = match target.protocol {
        Protocol::Tcp => Type::STREAM,
        Protocol::Udp => Type::DGRAM,
    };
    let socket = Socket::new(Domain::for_address(peer), kind, None)?;
    socket.set_nonblocking(true)?;
    if let Some(interface) = interface {
        socket.bind_device(Some(interface.as_bytes()))?;
    }
    if target.protocol == Protocol::Tcp {
        set_tcp_options(&socket, target.local_port != 0)?;
    }
    if target.local_port != 0 {
        let any = match peer {
            SocketAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            SocketAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        };
        socket.set_reuse_address(true)?;
        socket.bind(&SockAddr::from(SocketAddr::new(any, target.local_port)))?;
    }
    Ok(socket)
}

fn set_tcp_options(socket: &Socket, fixed_port: bool) -> io::Result<()> {
    link_socket::set_options(socket)?;
    if fixed_port {
        // The old connection would else wait in TIME_WAIT, and the same four numbers could not be used again.
        socket.set_linger(Some(Duration::ZERO))?;
    }
    Ok(())
}

/// What an error of the operating system means for a link.
pub(crate) fn reason(error: &io::Error) -> CloseReason {
    if let Some(reason) = tls::reason(error) {
        return reason;
    }
    link_socket::reason(error)
}

fn connect_reason(error: &io::Error, local_port: u16) -> CloseReason {
    match error.raw_os_error() {
        // With a port of its own: the same connection still exists. Without: this host has no such kind of address.
        Some(libc::EADDRNOTAVAIL) if local_port != 0 => CloseReason::LocalPortTaken,
        Some(libc::EADDRNOTAVAIL | libc::EAFNOSUPPORT) => CloseReason::Unreachable,
        Some(_) | None => reason(error),
    }
}

/// A failed attempt, in words.
fn failure(error: &io::Error, peer: SocketAddr, target: &Connect, route: &Route) -> Failure {
    let reason = connect_reason(error, target.local_port);
    let text = match (reason, &route.interface) {
        (CloseReason::Refused, _) => format!("connection refused by {peer}"),
        (CloseReason::Reset, _) => format!("connection reset by {peer}"),
        (CloseReason::TimedOut, _) => format!("no answer from {peer}"),
        (CloseReason::LocalPortTaken, _) => format!("local port {} is taken", target.local_port),
        (CloseReason::Certificate | CloseReason::Tls, _) => {
            format!(
                "TLS with {} ({peer}): {}",
                target.address,
                tls::in_words(error)
            )
        }
        (_, Some(interface)) => format!("{peer} through interface {interface}: {}", plain(error)),
        (_, None) => format!("{peer}: {}", plain(error)),
    };
    Failure::new(reason, text)
}

fn no_address(name: &str) -> Failure {
    Failure::new(
        CloseReason::NameNotFound,
        format!("the name {name} has no address"),
    )
}

/// The address of this host that its default route uses.
pub(crate) fn own_address() -> IpAddr {
    // Connecting a datagram socket asks the routing table and sends nothing. The peer is of TEST-NET-1 (RFC 5737).
    let ask = || -> io::Result<IpAddr> {
        let socket = std::net::UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
        socket.connect((Ipv4Addr::new(192, 0, 2, 1), 9))?;
        Ok(socket.local_addr()?.ip())
    };
    ask().unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST))
}

/// All of one attempt.
const ATTEMPT: Duration = Duration::from_secs(30);
/// The resolver.
const RESOLVE: Duration = Duration::from_secs(10);
/// Addresses of one name that are tried.
const MOST_ADDRESSES: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_link_asks_the_resolver_one_question_at_a_time() {
        let resolver = Resolver::default();
        let hanging = Arc::clone(&resolver.turn).acquire_owned().await.unwrap();
        let mut asked = Box::pin(resolve("localhost", 9, resolver.clone()));
        let early = timeout(Duration::from_millis(50), &mut asked).await;
        assert!(early.is_err(), "the question before is not answered");
        drop(hanging);
        let found = asked.await.unwrap();
        assert!(
            found
                .iter()
                .all(|address| address.ip().is_loopback() && address.port() == 9),
            "{found:?}"
        );
        assert!(!found.is_empty());
    }
}
