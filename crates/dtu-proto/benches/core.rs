//! `cargo bench -p dtu-proto`: what the device itself costs, with a host that carries every output out at once.

use bytes::Bytes;
use divan::Bencher;
use divan::counter::BytesCount;

use dtu_proto::config::{Config, Options};
use dtu_proto::status::LinkState;
use dtu_proto::testing::{Bench, LINK1, one_link};
use dtu_proto::time::Duration;

fn main() {
    divan::main();
}

/// As much as one read of a raw pty returns at most.
const READ: usize = 4095;
/// What an adapter delivers at once at 115200 Bd.
const SLICE: usize = 57;

/// A device in its working mode with so many links up.
fn up(links: usize, packing_time: u16) -> Bench {
    let mut config = Config {
        packing_time,
        restart_time: 0,
        ..one_link()
    };
    config.links[..links]
        .iter_mut()
        .for_each(|link| link.enabled = true);
    let options = Options {
        setup_window: Duration::ZERO,
        ..Options::default()
    };
    let mut dev = Bench::lean(config, options);
    dev.at(5000);
    let status = dev.dtu.status(dev.now);
    let connected = status
        .links
        .iter()
        .filter(|link| link.state == LinkState::Connected);
    assert_eq!(connected.count(), links, "the links are up");
    dev
}

/// One read of the serial line, `step` after the last; `true` = the device goes on reading.
fn reads(dev: &mut Bench, bytes: &[u8], step: Duration) -> bool {
    dev.now += step;
    dev.serial(bytes).dtu.wants_serial()
}

/// A full read to so many links, sent at once.
#[divan::bench(args = [1, 4])]
fn up_without_packing(bencher: Bencher<'_, '_>, links: usize) {
    let (mut dev, bytes) = (up(links, 0), [b'U'; READ]);
    bencher
        .counter(BytesCount::new(READ))
        .bench_local(|| reads(&mut dev, &bytes, Duration::from_micros(50)));
}

/// 57-byte reads that become 1024-byte frames.
#[divan::bench(args = [1, 4])]
fn up_with_packing(bencher: Bencher<'_, '_>, links: usize) {
    let (mut dev, bytes) = (up(links, 50), [b'U'; SLICE]);
    bencher
        .counter(BytesCount::new(SLICE))
        .bench_local(|| reads(&mut dev, &bytes, Duration::from_micros(4950)));
}

/// A full read from a link to the line.
#[divan::bench]
fn down(bencher: Bencher<'_, '_>) {
    let (mut dev, bytes) = (up(1, 0), [b'D'; READ]);
    bencher.counter(BytesCount::new(READ)).bench_local(|| {
        dev.now += Duration::from_micros(50);
        dev.network(LINK1, bytes);
    });
}

/// What the host pays to ask when to wake up.
#[divan::bench]
fn next_deadline(bencher: Bencher<'_, '_>) {
    let dev = up(4, 50);
    bencher.bench_local(|| dev.dtu.poll_timeout());
}

/// An empty wake-up.
#[divan::bench]
fn spurious_timeout(bencher: Bencher<'_, '_>) {
    let mut dev = up(4, 50);
    bencher.bench_local(|| {
        dev.now += Duration::from_micros(1);
        dev.timeout();
    });
}

/// One allocation and one copy of a read: the floor under `up_without_packing`.
#[divan::bench]
fn copy_of_a_read(bencher: Bencher<'_, '_>) {
    let bytes = [b'U'; READ];
    bencher
        .counter(BytesCount::new(READ))
        .bench_local(|| Bytes::copy_from_slice(divan::black_box(&bytes)));
}
