//! Nothing is lost, and nothing but whole frames comes twice, whatever the connections do.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use crate::serial_bench;

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::thread;

use serial_bench::{Device, accept, read_exactly};

/// Bytes that tell their place: xorshift64.
fn noise(count: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut bytes = Vec::with_capacity(count + 8);
    while bytes.len() < count {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend(state.to_le_bytes());
    }
    bytes.truncate(count);
    bytes
}

/// Everything that comes until `most` bytes or the end.
fn read_up_to(stream: &mut TcpStream, most: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    let _ = stream.take(most as u64).read_to_end(&mut bytes);
    bytes
}

#[test]
fn a_server_that_closes_again_and_again_gets_every_byte_in_order() {
    const STEP: usize = 128 * 1024;
    let data = noise(3 << 20);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    // The kernel would else take megabytes before the server has read any.
    socket2::SockRef::from(&listener)
        .set_recv_buffer_size(16 * 1024)
        .unwrap();
    let device = Device::new()
        .settings("[link]\ndrop_policy = \"block\"\nbackoff_max = 1\n")
        .link(1, "TCP", listener.local_addr().unwrap().port())
        .start();
    let mut dte = device.dte();
    dte.expect_banner();
    let sent = data.clone();
    let writer = thread::spawn(move || {
        dte.send(&sent);
        dte
    });
    let mut have = 0;
    let mut kills = 0;
    while have < data.len() {
        let mut stream = accept(&listener);
        let first = read_exactly(&mut stream, 32);
        // Where this connection begins: behind what is there, or earlier by frames that were not acknowledged.
        let start = (0..=have)
            .rev()
            .find(|at| data.get(*at..at + 32) == Some(&first[..]))
            .unwrap_or_else(|| panic!("connection {kills} leaves a gap behind byte {have}"));
        let most = (have - start + STEP).min(data.len() - start - 32);
        let mut rest = read_up_to(&mut stream, most);
        // All that the peer's TCP has acknowledged is there to be read after the end, too.
        stream.shutdown(Shutdown::Write).unwrap();
        let _ = stream.read_to_end(&mut rest);
        let end = start + 32 + rest.len();
        assert!(
            data[start + 32..end] == rest,
            "connection {kills} brought other bytes from {start} on"
        );
        have = have.max(end);
        kills += 1;
    }
    assert!(kills >= 5, "only {kills} connections: nothing was tried");
    drop(writer.join().unwrap());
}

#[test]
fn megabytes_cross_both_ways_at_once_unchanged() {
    let data = noise(8 << 20);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let device = Device::new()
        .link(1, "TCP", listener.local_addr().unwrap().port())
        .start();
    let mut dte = device.dte();
    dte.expect_banner();
    let mut stream = accept(&listener);
    let mut reader = serial_bench::Dte {
        file: dte.file.try_clone().unwrap(),
    };
    let (up, down) = (data.clone(), data.clone());
    let mut into_network = stream.try_clone().unwrap();
    let writers = [
        thread::spawn(move || dte.send(&up)),
        thread::spawn(move || into_network.write_all(&down).unwrap()),
    ];
    let count = data.len();
    let from_line = thread::spawn(move || reader.read(count));
    assert!(read_exactly(&mut stream, count) == data, "up");
    assert!(from_line.join().unwrap() == data, "down");
    writers
        .into_iter()
        .for_each(|writer| writer.join().unwrap());
}

#[test]
fn a_link_that_nobody_reads_does_not_slow_the_others() {
    let listeners = [0; 2].map(|_| TcpListener::bind("127.0.0.1:0").unwrap());
    let device = Device::new()
        .link(1, "TCP", listeners[0].local_addr().unwrap().port())
        .link(2, "TCP", listeners[1].local_addr().unwrap().port())
        .start();
    let mut dte = device.dte();
    dte.expect_banner();
    let _never_read = accept(&listeners[0]);
    let mut stream = accept(&listeners[1]);
    let data = noise(1 << 16);
    // More than the silent one's buffers and cache hold.
    for _ in 0..160 {
        dte.send(&data);
        assert!(read_exactly(&mut stream, data.len()) == data);
    }
}
