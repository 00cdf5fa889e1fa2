//! The device on a real pty and real sockets.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use crate::serial_bench;

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, UdpSocket};
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::time::{Duration, Instant};

use rustix::termios::{LocalModes, OptionalActions};
use serial_bench::{Device, Dte, accept, read_exactly};

const ALL_BYTES: [u8; 256] = {
    let mut all = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        all[byte] = byte as u8;
        byte += 1;
    }
    all
};

#[test]
fn every_byte_crosses_four_links_both_ways() {
    let tcp = [0; 2].map(|_| TcpListener::bind("127.0.0.1:0").unwrap());
    let udp = [0; 2].map(|_| UdpSocket::bind("127.0.0.1:0").unwrap());
    let device = Device::new()
        .link(1, "TCP", tcp[0].local_addr().unwrap().port())
        .link(2, "UDP", udp[0].local_addr().unwrap().port())
        .link(3, "TCP", tcp[1].local_addr().unwrap().port())
        .link(4, "UDP", udp[1].local_addr().unwrap().port())
        .start();
    let mut streams = [accept(&tcp[0]), accept(&tcp[1])];
    let mut dte = device.dte();
    dte.expect_banner();
    dte.send(&ALL_BYTES);
    for stream in &mut streams {
        assert_eq!(read_exactly(stream, 256), ALL_BYTES);
    }
    let peers = udp.each_ref().map(|socket| {
        socket
            .set_read_timeout(Some(Duration::from_secs(10)))
            .unwrap();
        let mut buf = [0; 2048];
        let (count, peer) = socket.recv_from(&mut buf).unwrap();
        assert_eq!(&buf[..count], ALL_BYTES);
        peer
    });
    for stream in &mut streams {
        stream.write_all(&ALL_BYTES).unwrap();
        assert_eq!(dte.read(256), ALL_BYTES);
    }
    for (socket, peer) in udp.iter().zip(peers) {
        socket.send_to(&ALL_BYTES, peer).unwrap();
        assert_eq!(dte.read(256), ALL_BYTES);
    }
}

#[test]
fn the_link_outlives_a_dte_that_closes_and_opens_it() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let device = Device::new()
        .link(1, "TCP", listener.local_addr().unwrap().port())
        .start();
    let mut stream = accept(&listener);
    let target = fs::read_link(device.line()).unwrap();
    let mut first = device.dte();
    first.expect_banner();
    first.send(b"first");
    assert_eq!(read_exactly(&mut stream, 5), b"first");
    drop(first);
    // What comes while nobody has it open waits in the line.
    stream.write_all(b"meanwhile").unwrap();
    let mut second = device.dte();
    assert_eq!(second.read(9), b"meanwhile");
    second.send(b"second");
    assert_eq!(read_exactly(&mut stream, 6), b"second");
    assert_eq!(fs::read_link(device.line()).unwrap(), target);
}

#[test]
fn d6_what_a_dte_left_unread_reaches_no_later_one_and_is_counted() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let device = Device::new()
        .settings("[serial]\nhold = 1\n")
        .at("CIPSW=x")
        .at("CINETAT=1")
        .link(1, "TCP", listener.local_addr().unwrap().port())
        .start();
    let mut stream = accept(&listener);
    let mut first = device.dte();
    first.expect_banner();
    stream.write_all(b"old order").unwrap();
    // The pty has it.
    std::thread::sleep(Duration::from_millis(300));
    drop(first);
    std::thread::sleep(Duration::from_millis(1800));
    let mut second = device.dte();
    stream.write_all(b"new").unwrap();
    assert_eq!(second.read(3), b"new");
    stream.write_all(b"x,AT+CISTAT?").unwrap();
    let mut answer = String::new();
    while !answer.contains("OK\r\n") {
        answer.push_str(&String::from_utf8(read_exactly(&mut stream, 1)).unwrap());
    }
    assert!(answer.contains(",lost=9,"), "{answer}");
}

#[test]
fn seven_data_bits_are_imitated_both_ways() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    // ICF format 5: 7 data bits, 1 stop bit.
    let device = Device::new()
        .at("ICF=5,3")
        .link(1, "TCP", listener.local_addr().unwrap().port())
        .start();
    let mut stream = accept(&listener);
    let mut dte = device.dte();
    dte.expect_banner();
    let masked = ALL_BYTES.map(|byte| byte & 0x7f);
    dte.send(&ALL_BYTES);
    assert_eq!(read_exactly(&mut stream, 256), masked);
    stream.write_all(&ALL_BYTES).unwrap();
    assert_eq!(dte.read(256), masked);
}

#[test]
fn three_plus_signs_open_a_command_session() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let device = Device::new()
        .link(1, "TCP", listener.local_addr().unwrap().port())
        .start();
    let mut stream = accept(&listener);
    let mut dte = device.dte();
    dte.expect_banner();
    // The guard times are part of what is typed.
    std::thread::sleep(Duration::from_millis(250));
    dte.send(b"+++");
    assert_eq!(dte.read(1), b"a");
    dte.send(b"a");
    assert_eq!(dte.read(7), b"\r\n+ok\r\n");
    dte.send(b"AT+CIPR?\r");
    assert_eq!(dte.read(23), b"\r\n+CIPR: 115200\r\n\r\nOK\r\n");
    dte.send(b"AT+ENTM\r");
    assert_eq!(dte.read(6), b"\r\nOK\r\n");
    dte.send(b"data again");
    assert_eq!(read_exactly(&mut stream, 10), b"data again");
}

#[test]
fn a_clean_stop_takes_the_link_away() {
    let mut device = Device::new().start();
    assert!(fs::symlink_metadata(device.line()).is_ok());
    assert_eq!(device.stop(), Some(0));
    assert!(fs::symlink_metadata(device.line()).is_err());
}

#[test]
fn the_link_of_a_dead_process_is_replaced() {
    let mut device = Device::new().start();
    device.kill();
    let stale = fs::read_link(device.line()).unwrap();
    assert!(stale.starts_with("/dev/pts"));
    device.start_again();
    let mut dte = device.dte();
    dte.expect_banner();
}

#[test]
fn what_is_no_link_to_a_pty_is_left_alone() {
    let mut device = Device::new();
    fs::write(device.line(), "a file of somebody").unwrap();
    let (status, _, complaint) = device.run_to_end();
    assert_eq!(status, Some(1));
    assert!(complaint.contains("left alone"), "{complaint}");
    assert_eq!(
        fs::read_to_string(device.line()).unwrap(),
        "a file of somebody"
    );
}

#[test]
fn a_line_that_runs_is_not_taken_over() {
    let device = Device::new().start();
    let mut second = Device::new().on_line(&device.line());
    let (status, _, complaint) = second.run_to_end();
    assert_eq!(status, Some(1));
    assert!(complaint.contains("another program serves"), "{complaint}");
    let mut dte = device.dte();
    dte.expect_banner();
}

#[test]
fn the_end_of_a_connection_is_seen_at_once() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let device = Device::new()
        .link(1, "TCP", listener.local_addr().unwrap().port())
        .start();
    let mut dte = device.dte();
    dte.expect_banner();
    let mut stream = accept(&listener);
    stream.write_all(b"last words").unwrap();
    drop(stream);
    // What was said before the end is printed, and the first new attempt comes within 100 ms.
    assert_eq!(dte.read(10), b"last words");
    let mut again = accept(&listener);
    dte.send(b"still here");
    assert_eq!(read_exactly(&mut again, 10), b"still here");
}

#[test]
fn a_fixed_local_port_is_used_again_after_a_reconnect() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = serial_bench::free_port();
    let device = Device::new()
        .at(&format!("CINETPT=1,{port}"))
        .link(1, "TCP", listener.local_addr().unwrap().port())
        .start();
    let mut dte = device.dte();
    dte.expect_banner();
    for round in 0..3 {
        let mut stream = accept(&listener);
        assert_eq!(stream.peer_addr().unwrap().port(), port, "round {round}");
        dte.send(b"hello");
        assert_eq!(read_exactly(&mut stream, 5), b"hello");
    }
}

#[test]
fn a_wrong_at_line_ends_the_start_with_its_reason() {
    let (status, ready, complaint) = Device::new().at("CIPR=12345").run_to_end();
    assert_eq!(status, Some(2));
    assert!(
        complaint.contains("AT+CIPR=12345") && complaint.contains("ERROR"),
        "{complaint}"
    );
    assert_eq!(ready, "");
}

#[test]
fn frames_that_were_not_delivered_survive_a_clean_stop() {
    let port = serial_bench::free_port();
    let witness = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut device = Device::new()
        .link(1, "TCP", port)
        .link(2, "TCP", witness.local_addr().unwrap().port())
        .start();
    let mut dte = device.dte();
    dte.expect_banner();
    dte.send(b"kept over the stop");
    // What one link has, all have.
    assert_eq!(
        read_exactly(&mut accept(&witness), 18),
        b"kept over the stop"
    );
    assert_eq!(device.stop(), Some(0));
    let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
    device.start_again();
    let mut stream = accept(&listener);
    assert_eq!(read_exactly(&mut stream, 18), b"kept over the stop");
}

#[test]
fn a_dte_that_never_reads_does_not_stop_the_other_way() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let device = Device::new()
        .link(1, "TCP", listener.local_addr().unwrap().port())
        .start();
    let mut stream = accept(&listener);
    let mut dte = Dte::open(&device.line());
    dte.expect_banner();
    let mut down = stream.try_clone().unwrap();
    down.set_write_timeout(Some(Duration::from_millis(300)))
        .unwrap();
    // Until everything between is full.
    while down.write(&[0x55; 65536]).is_ok() {}
    for _ in 0..20 {
        dte.send(b"up goes on");
        assert_eq!(read_exactly(&mut stream, 10), b"up goes on");
    }
    let mut one = [0];
    assert_eq!(dte.file.read(&mut one).unwrap(), 1);
}

/// How a DTE that opens the line finds it: whether it is raw, and shut for others.
fn found(device: &Device) -> (bool, bool) {
    let dte = std::fs::OpenOptions::new()
        .read(true)
        .write(true)
        .open(device.line())
        .unwrap();
    let attributes = rustix::termios::tcgetattr(&dte).unwrap();
    let mut exclusive: libc::c_int = 0;
    // SAFETY: TIOCGEXCL stores one int through the pointer, which is valid for the call.
    assert_eq!(
        unsafe { libc::ioctl(dte.as_raw_fd(), libc::TIOCGEXCL, &raw mut exclusive) },
        0
    );
    let cooked = LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG;
    (!attributes.local_modes.intersects(cooked), exclusive != 0)
}

/// A DTE that leaves the line as `stty sane` does, and locked.
fn spoil(dte: &Dte) {
    let mut attributes = rustix::termios::tcgetattr(&dte.file).unwrap();
    attributes.local_modes |= LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG;
    rustix::termios::tcsetattr(&dte.file, OptionalActions::Now, &attributes).unwrap();
    rustix::termios::ioctl_tiocexcl(&dte.file).unwrap();
}

fn soon(what: &str, mut is: impl FnMut() -> bool) {
    let end = Instant::now() + serial_bench::PATIENCE;
    while !is() {
        assert!(Instant::now() < end, "not soon: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn d12_the_next_dte_finds_the_line_raw_and_free_whatever_the_last_one_did() {
    let device = Device::new().start();
    let (first, second) = (device.dte(), device.dte());
    spoil(&first);
    drop(first);
    // Not while somebody has it open: the settings are his.
    std::thread::sleep(Duration::from_millis(100));
    assert_eq!(found(&device), (false, true));
    drop(second);
    soon("raw and free", || found(&device) == (true, false));
}

#[test]
fn d12_an_echo_of_the_dte_does_not_send_downlink_up_again() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let device = Device::new()
        .link(1, "TCP", listener.local_addr().unwrap().port())
        .start();
    let mut stream = accept(&listener);
    let mut dte = device.dte();
    dte.expect_banner();
    spoil(&dte);
    stream.write_all(b"downlink\n").unwrap();
    assert_eq!(dte.read(9), b"downlink\n");
    dte.send(b"uplink");
    assert_eq!(read_exactly(&mut stream, 6), b"uplink");
    drop(dte);
    soon("raw and free", || found(&device) == (true, false));
}

#[test]
fn d12_the_line_is_for_whom_the_settings_say() {
    let mode = |device: &Device| fs::metadata(device.line()).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&Device::new().start()), 0o600);
    let group = fs::metadata("/proc/self").unwrap().gid();
    let text = format!("[serial]\npty_mode = \"0660\"\npty_group = \"{group}\"\n");
    let device = Device::new().settings(&text).start();
    assert_eq!(mode(&device), 0o660);
    assert_eq!(fs::metadata(device.line()).unwrap().gid(), group);
}
