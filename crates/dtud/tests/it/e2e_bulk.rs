//! Much data both ways at once: every byte arrives, in order.

use std::os::fd::AsFd;
use std::time::Duration;

use sha2::{Digest, Sha256};

use crate::common;

use common::daemon::Setup;
use common::pump::exchange;
use common::random::Random;
use common::server::Server;
use common::{SOON, within};

/// `DTU_E2E_MIB`, each way.
fn size() -> u64 {
    let mib = std::env::var("DTU_E2E_MIB")
        .map_or(64, |text| text.parse().expect("DTU_E2E_MIB is a number"));
    mib * 1024 * 1024
}

/// Sends `bytes` random bytes of `seed` while it receives as many: the sums of what went and what came.
fn both_ways(io: impl AsFd, seed: u64, bytes: u64) -> [Vec<u8>; 2] {
    let (mut random, mut left) = (Random::new(seed), bytes);
    let (mut sent, mut received) = (Sha256::new(), Sha256::new());
    let source = |buffer: &mut [u8]| {
        let n = usize::try_from(left)
            .unwrap_or(usize::MAX)
            .min(buffer.len());
        random.fill(&mut buffer[..n]);
        sent.update(&buffer[..n]);
        left -= n as u64;
        n
    };
    exchange(
        io,
        source,
        bytes,
        |got| received.update(got),
        within(Duration::from_secs(170)),
    )
    .expect("both ways");
    [sent.finalize().to_vec(), received.finalize().to_vec()]
}

#[test]
fn sums_are_equal_both_ways_when_much_goes_both_ways_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start();
    let setup = Setup::new(folder.path());
    let daemon = setup.packing(10).link(1, server.port()).start();
    let (line, connection) = (daemon.line(), server.accept(SOON));
    let bytes = size();

    let ([up_sent, down_received], [down_sent, up_received]) = std::thread::scope(|scope| {
        let far = scope.spawn(|| both_ways(&connection.stream, 2, bytes));
        (both_ways(&line, 1, bytes), far.join().unwrap())
    });

    assert_eq!(up_sent, up_received, "line to network");
    assert_eq!(down_sent, down_received, "network to line");
}
