//! A pty as an abstract socket: ModemManager without udev opens only those.
//!
//! It closes and opens its port again within milliseconds. socat has a process for each connection, and for a moment
//! the old one would read what is meant for the new one; here one connection follows the other.

use std::os::fd::AsFd;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};
use std::path::Path;

use rustix::event::{PollFd, PollFlags, poll};

use super::common::line::Line;
use super::common::pump::read_now;

/// Serves the line at an abstract name, until the test program ends.
pub(crate) fn relay(name: &str, line: &Path) {
    let address = SocketAddr::from_abstract_name(name).expect("a short name");
    let listener = UnixListener::bind_addr(&address).expect("the name is free");
    let line = Line::open(line).expect("open the line");
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            // The end of either side ends the connection.
            drop(copy(&stream, &line));
        }
    });
}

fn copy(stream: &UnixStream, line: &Line) -> std::io::Result<()> {
    stream.set_nonblocking(true)?;
    let mut buffer = [0; 4096];
    loop {
        let (stream_fd, line_fd) = (stream.as_fd(), line.as_fd());
        let mut fds = [
            PollFd::new(&stream_fd, PollFlags::IN),
            PollFd::new(&line_fd, PollFlags::IN),
        ];
        poll(&mut fds, None)?;
        if let Some(count) = read_now(stream, &mut buffer)? {
            send(line, &buffer[..count])?;
        }
        if let Some(count) = read_now(line, &mut buffer)? {
            send(stream, &buffer[..count])?;
        }
    }
}

fn send(to: impl AsFd, mut bytes: &[u8]) -> std::io::Result<()> {
    while !bytes.is_empty() {
        let fd = to.as_fd();
        poll(&mut [PollFd::new(&fd, PollFlags::OUT)], None)?;
        let count = super::common::pump::write_now(&to, bytes)?;
        bytes = &bytes[count..];
    }
    Ok(())
}
