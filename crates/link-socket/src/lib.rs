//! The TCP socket of a link, as both hosts of the device with real sockets have it, `dtud` and the fleet of `dtu-sim`: how
//! it is set, what its errors mean, and what the peer has acknowledged (for which no safe wrapper has the call).

use std::io;
use std::os::fd::{AsFd, AsRawFd as _};
use std::time::Duration;

use dtu_proto::event::CloseReason;
use socket2::{Socket, TcpKeepalive};

const KEEPALIVE_IDLE: Duration = Duration::from_secs(60);
/// So short that the first probe behind USER_TIMEOUT, which ends the connection, comes before 90 s.
const KEEPALIVE_PAUSE: Duration = Duration::from_secs(4);
/// Unacknowledged data or probes end a connection after this (decisions 16.21). While it is set the number of probes
/// counts for nothing.
const USER_TIMEOUT: Duration = Duration::from_secs(85);
const KEEPALIVE_PROBES: u32 = 6;
/// The kernel doubles it for its own book-keeping.
const SEND_BUFFER: usize = 32 * 1024;

/// What is set on each, before it connects.
///
/// # Errors
/// The kernel's.
pub fn set_options(socket: &Socket) -> io::Result<()> {
    // The device packs by itself.
    socket.set_tcp_nodelay(true)?;
    // A byte that was sent as urgent is a byte of the stream, in its place.
    socket.set_out_of_band_inline(true)?;
    let keepalive = TcpKeepalive::new()
        .with_time(KEEPALIVE_IDLE)
        .with_interval(KEEPALIVE_PAUSE);
    socket.set_tcp_keepalive(&keepalive.with_retries(KEEPALIVE_PROBES))?;
    socket.set_tcp_user_timeout(Some(USER_TIMEOUT))?;
    // The kernel would else swallow minutes of a slow line's data, and lose it with the connection.
    socket.set_send_buffer_size(SEND_BUFFER)
}

/// What an error of the operating system means for a link.
#[must_use]
pub fn reason(error: &io::Error) -> CloseReason {
    match error.raw_os_error() {
        Some(libc::ECONNREFUSED) => CloseReason::Refused,
        Some(libc::ECONNRESET | libc::EPIPE | libc::ECONNABORTED) => CloseReason::Reset,
        Some(libc::ETIMEDOUT) => CloseReason::TimedOut,
        Some(
            libc::EHOSTUNREACH
            | libc::ENETUNREACH
            | libc::ENETDOWN
            | libc::EHOSTDOWN
            | libc::ENODEV,
        ) => CloseReason::Unreachable,
        Some(libc::EADDRINUSE) => CloseReason::LocalPortTaken,
        Some(code) => CloseReason::Os(code),
        None => CloseReason::Os(0),
    }
}

/// Bytes that were written and have not left: on a TCP socket those that the peer's TCP has not acknowledged
/// (`SIOCOUTQ`), on a tty those that the driver still holds (`TIOCOUTQ`, the same number on Linux).
///
/// # Errors
/// The descriptor is neither.
pub fn unsent(fd: impl AsFd) -> io::Result<usize> {
    let mut count: libc::c_int = 0;
    // SAFETY: TIOCOUTQ stores one int through the pointer, which is valid for the call.
    let answer = unsafe { libc::ioctl(fd.as_fd().as_raw_fd(), libc::TIOCOUTQ, &raw mut count) };
    if answer == 0 {
        Ok(usize::try_from(count).unwrap_or(0))
    } else {
        Err(io::Error::last_os_error())
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::{TcpListener, TcpStream};

    use super::*;

    #[test]
    fn a_peer_that_does_not_read_leaves_bytes_behind() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut near = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (mut far, _) = listener.accept().unwrap();
        assert_eq!(unsent(&near).unwrap(), 0);
        near.set_nonblocking(true).unwrap();
        let mut written = 0;
        while let Ok(count) = near.write(&[0; 65536]) {
            written += count;
        }
        let left = unsent(&near).unwrap();
        assert!(left > 0 && left < written, "{left} of {written}");
        // Once the peer has read all of it, all of it is acknowledged.
        let mut read = 0;
        let mut buffer = vec![0; 65536];
        while read < written {
            read += far.read(&mut buffer).unwrap();
        }
        while unsent(&near).unwrap() > 0 {
            std::thread::yield_now();
        }
        assert!(unsent(std::fs::File::open("/dev/null").unwrap()).is_err());
    }
}
