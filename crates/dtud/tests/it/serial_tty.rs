//! The device on a tty that comes and goes. A pty's slave, behind a link, plays the adapter.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use crate::serial_bench;

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::FlockOperation;
use rustix::pty::OpenptFlags;
use serial_bench::{Device, accept, read_exactly};

/// A serial adapter; dropping it pulls it out.
struct Adapter {
    master: File,
    slave: PathBuf,
}

impl Adapter {
    fn plugged_into(device: &Path) -> Self {
        let master =
            rustix::pty::openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)
                .unwrap();
        rustix::pty::grantpt(&master).unwrap();
        rustix::pty::unlockpt(&master).unwrap();
        let name = rustix::pty::ptsname(&master, Vec::new()).unwrap();
        let slave = PathBuf::from(std::ffi::OsStr::from_bytes(name.as_bytes()));
        let _ = fs::remove_file(device);
        std::os::unix::fs::symlink(&slave, device).unwrap();
        Self {
            master: master.into(),
            slave,
        }
    }

    fn read(&mut self, count: usize) -> Vec<u8> {
        let mut bytes = vec![0; count];
        self.master.read_exact(&mut bytes).unwrap();
        bytes
    }
}

#[test]
fn an_adapter_that_is_missing_pulled_and_put_back_is_only_a_state() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut device = Device::new().link(1, "TCP", listener.local_addr().unwrap().port());
    let tty = device.folder().join("ttyUSB9");
    device = device.on_tty(&tty);
    device.start_without_waiting();
    // The links do not wait for the line.
    let mut stream = accept(&listener);
    let mut adapter = Adapter::plugged_into(&tty);
    device.wait_until_ready();
    assert_eq!(adapter.read(19), b"\r\nUSR-GPRS232-DTU\r\n");
    adapter.master.write_all(b"first").unwrap();
    assert_eq!(read_exactly(&mut stream, 5), b"first");

    drop(adapter);
    stream.write_all(b"for later").unwrap();
    let mut adapter = Adapter::plugged_into(&tty);
    assert_eq!(adapter.read(9), b"for later");
    adapter.master.write_all(b"second").unwrap();
    assert_eq!(read_exactly(&mut stream, 6), b"second");
    assert!(device.is_running());
    assert_eq!(device.stop(), Some(0));
}

#[test]
fn the_line_is_set_as_the_stored_parameters_say() {
    let folder = tempfile::tempdir().unwrap();
    let tty = folder.path().join("tty");
    let mut adapter = Adapter::plugged_into(&tty);
    let device = Device::new().at("CIPR=19200").on_tty(&tty).start();
    assert_eq!(adapter.read(19), b"\r\nUSR-GPRS232-DTU\r\n");
    let until = std::time::Instant::now() + serial_bench::PATIENCE;
    // The master of a pty shows the settings of its slave.
    while rustix::termios::tcgetattr(&adapter.master)
        .unwrap()
        .output_speed()
        != 19200
    {
        assert!(std::time::Instant::now() < until, "the rate was not set");
        std::thread::yield_now();
    }
    drop(device);
}

#[test]
fn a_line_that_somebody_else_holds_is_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let tty = folder.path().join("tty");
    let mut adapter = Adapter::plugged_into(&tty);
    let other = File::options()
        .read(true)
        .write(true)
        .open(&adapter.slave)
        .unwrap();
    rustix::fs::flock(&other, FlockOperation::LockExclusive).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut device = Device::new()
        .link(1, "TCP", listener.local_addr().unwrap().port())
        .on_tty(&tty);
    device.start_without_waiting();
    // Its links are up, so it has tried the line.
    let _stream = accept(&listener);
    assert!(!device.has_spoken());
    rustix::fs::flock(&other, FlockOperation::Unlock).unwrap();
    device.wait_until_ready();
    // And now nobody else can have it.
    assert!(rustix::fs::flock(&other, FlockOperation::NonBlockingLockExclusive).is_err());
    assert_eq!(adapter.read(19), b"\r\nUSR-GPRS232-DTU\r\n");
}

#[test]
fn a_serial_server_on_the_network_can_be_the_line() {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut device = Device::new().link(1, "TCP", listener.local_addr().unwrap().port());
    device = device.on_server(server.local_addr().unwrap().port());
    device.start_again();
    let mut line = accept(&server);
    let mut stream = accept(&listener);
    assert_eq!(read_exactly(&mut line, 19), b"\r\nUSR-GPRS232-DTU\r\n");
    line.write_all(b"up").unwrap();
    assert_eq!(read_exactly(&mut stream, 2), b"up");
    drop(line);
    let mut line = accept(&server);
    stream.write_all(b"down").unwrap();
    assert_eq!(read_exactly(&mut line, 4), b"down");
}

/// D11: what a serial server had not taken when its connection broke is lost, and counted.
#[test]
fn d11_what_a_broken_connection_to_a_serial_server_held_is_counted() {
    const DROP_ALL: socket2::SockFilter = socket2::SockFilter::new(0x06, 0, 0, 0);
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut device = Device::new().link(1, "TCP", listener.local_addr().unwrap().port());
    device = device.on_server(server.local_addr().unwrap().port());
    device.start_again();
    let mut line = accept(&server);
    let mut stream = accept(&listener);
    assert_eq!(read_exactly(&mut line, 19), b"\r\nUSR-GPRS232-DTU\r\n");
    // From now on its TCP sees and acknowledges nothing.
    socket2::SockRef::from(&line)
        .attach_filter(&[DROP_ALL])
        .unwrap();
    stream.write_all(&[0x55; 1000]).unwrap();
    // What goes up comes from behind what has gone down.
    line.write_all(b"up").unwrap();
    assert_eq!(read_exactly(&mut stream, 2), b"up");
    std::thread::sleep(std::time::Duration::from_millis(100));
    socket2::SockRef::from(&line)
        .set_linger(Some(std::time::Duration::ZERO))
        .unwrap();
    drop(line);
    let mut line = accept(&server);
    std::thread::sleep(std::time::Duration::from_millis(260));
    line.write_all(b"+++").unwrap();
    assert_eq!(read_exactly(&mut line, 1), b"a");
    line.write_all(b"a").unwrap();
    assert_eq!(read_exactly(&mut line, 7), b"\r\n+ok\r\n");
    line.write_all(b"AT+CISTAT\r").unwrap();
    let mut reply = String::new();
    while !reply.ends_with("\r\nOK\r\n") {
        reply.push(char::from(read_exactly(&mut line, 1)[0]));
    }
    assert!(
        reply
            .lines()
            .any(|line| line.starts_with("+CISTAT:SERIAL,") && line.contains(",lost=1000,")),
        "{reply}"
    );
}
