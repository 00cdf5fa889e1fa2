//! What a socket or a tty has not got rid of yet. No safe wrapper offers this call, and the two hosts of the device,
//! `dtud` and the fleet of `dtu-sim`, need it for the same thing: what is acknowledged.

use std::io;
use std::os::fd::{AsFd, AsRawFd as _};

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
