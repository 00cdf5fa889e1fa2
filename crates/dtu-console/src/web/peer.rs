//! Who is at the other end of a connection.

use std::fs;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use tokio::sync::OnceCell;
use tokio::sync::OwnedSemaphorePermit;

use super::app::lock;

/// A connection, as its requests know it.
#[derive(Clone, Debug)]
pub(crate) struct Peer(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    remote: SocketAddr,
    own: SocketAddr,
    user: OnceCell<Option<u32>>,
    place: Mutex<Option<OwnedSemaphorePermit>>,
}

impl Peer {
    pub(crate) fn new(remote: SocketAddr, own: SocketAddr, place: OwnedSemaphorePermit) -> Self {
        Self(Arc::new(Inner {
            remote,
            own,
            user: OnceCell::new(),
            place: Mutex::new(Some(place)),
        }))
    }

    pub(crate) fn ip(&self) -> IpAddr {
        self.0.remote.ip().to_canonical()
    }

    /// The address of this end: what a browser may have in its address line.
    pub(crate) fn own_ip(&self) -> IpAddr {
        self.0.own.ip().to_canonical()
    }

    /// A stream has a place among the streams, and leaves its own to another connection. It keeps that place until the
    /// connection ends, which may serve other requests behind the stream.
    pub(crate) fn becomes_stream(&self, place: OwnedSemaphorePermit) {
        *lock(&self.0.place) = Some(place);
    }

    /// The user of the program at the other end; `None`: it is not on this host, or gone.
    pub(crate) async fn user(&self) -> Option<u32> {
        if !self.ip().is_loopback() || !self.own_ip().is_loopback() {
            return None;
        }
        let (remote, own) = (self.0.remote, self.0.own);
        let find = || async move {
            let found = tokio::task::spawn_blocking(move || user_of(remote, own)).await;
            found.ok().flatten()
        };
        *self.0.user.get_or_init(find).await
    }

    /// Whether the other end is a program of this user or of root, on this host.
    pub(crate) async fn is_own_user(&self) -> bool {
        let this = rustix::process::geteuid().as_raw();
        let user = self.user().await;
        user.is_some_and(|user| user == 0 || user == this)
    }
}

/// Whose socket the other end is; `None`: it is not on this host, or gone.
fn user_of(remote: SocketAddr, own: SocketAddr) -> Option<u32> {
    let wanted = (canonical(remote), canonical(own));
    ["/proc/net/tcp", "/proc/net/tcp6"]
        .iter()
        .filter_map(|path| fs::read_to_string(path).ok())
        .find_map(|table| find_user(&table, wanted))
}

fn canonical(address: SocketAddr) -> (IpAddr, u16) {
    (address.ip().to_canonical(), address.port())
}

/// The other end has our remote address as its local one.
fn find_user(table: &str, wanted: ((IpAddr, u16), (IpAddr, u16))) -> Option<u32> {
    table.lines().skip(1).find_map(|line| {
        let mut words = line.split_whitespace();
        let local = parse(words.nth(1)?)?;
        let remote = parse(words.next()?)?;
        // Any other state than an open one shows the user 0.
        if (local, remote) != wanted || words.next()? != OPEN {
            return None;
        }
        words.nth(3)?.parse().ok()
    })
}

/// `TCP_ESTABLISHED` of the kernel.
const OPEN: &str = "01";

/// `0100007F:1C20`, in words of the host's byte order.
fn parse(text: &str) -> Option<(IpAddr, u16)> {
    let (address, port) = text.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    let mut bytes = Vec::new();
    for at in (0..address.len()).step_by(8) {
        let word = u32::from_str_radix(address.get(at..at + 8)?, 16).ok()?;
        bytes.extend(word.to_ne_bytes());
    }
    let ip = match <[u8; 4]>::try_from(bytes.as_slice()) {
        Ok(four) => IpAddr::from(four),
        Err(_) => Ipv6Addr::from(<[u8; 16]>::try_from(bytes.as_slice()).ok()?).to_canonical(),
    };
    Some((ip, port))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "in a test it is an assertion")]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use super::{find_user, parse, user_of};

    #[cfg(target_endian = "little")]
    #[test]
    fn the_user_of_a_connection_stands_in_the_table() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n\
            \u{20}  0: 0100007F:1C20 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0\n\
            \u{20}  1: 0100007F:D431 0100007F:1C20 01 00000000:00000000 00:00000000 00000000  1000        0 2 1 0\n\
            \u{20}  2: 0100007F:1C20 0100007F:D431 01 00000000:00000000 00:00000000 00000000     7        0 3 1 0\n";
        let console = parse("0100007F:1C20").unwrap();
        let browser = parse("0100007F:D431").unwrap();
        assert_eq!(console, ("127.0.0.1".parse().unwrap(), 7200));
        assert_eq!(find_user(table, (browser, console)), Some(1000));
        assert_eq!(find_user(table, (browser, browser)), None);
        let mapped = parse("0000000000000000FFFF00000100007F:1C20").unwrap();
        assert_eq!(mapped, console);
    }

    #[test]
    fn an_own_connection_is_of_the_own_user() {
        for listen in ["127.0.0.1:0", "[::1]:0"] {
            let listener = TcpListener::bind(listen).unwrap();
            let _browser = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            let (stream, remote) = listener.accept().unwrap();
            let user = user_of(remote, stream.local_addr().unwrap());
            assert_eq!(user, Some(rustix::process::geteuid().as_raw()), "{listen}");
        }
    }
}
