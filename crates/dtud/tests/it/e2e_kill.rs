//! A server that dies a hundred times: everything arrives, in order, and only whole frames come twice.
//!
//! A machine that dies takes with it what its TCP had acknowledged, and that counts as received; what it had not
//! acknowledged counts as not received. So the death is made exact: a socket filter drops every further segment,
//! then the receive queue is drained, then the connection ends.

use std::time::Duration;

use crate::common;

use common::daemon::Setup;
use common::pump::exchange;
use common::random::Random;
use common::server::{Connection, Server};
use common::{SOON, within};

/// With a TIME longer than the test a frame closes at its largest size and nowhere else.
const FRAME: usize = 1024;
const FRAMES: u64 = 10 * 1024;
const KILLS: u32 = 100;
const REGISTRATION: &[u8] = b"USR-GPRS232-720 number 00000000000000017";
const SEED: u64 = 720;
/// A hundred times the device waits for its next attempt, which is 1 s at most; the pace of the last connection is the
/// kernel's (80 kB/s were seen, with BBR and this small window). What stands still fails sooner, at the server.
const PATIENCE: Duration = Duration::from_secs(400);

fn frame(number: u64) -> [u8; FRAME] {
    let mut bytes = [0; FRAME];
    Random::new(number ^ SEED).fill(&mut bytes);
    bytes[..8].copy_from_slice(&number.to_be_bytes());
    bytes
}

/// What has arrived over all connections.
#[derive(Debug, Default)]
struct Delivered {
    /// Frames below this have arrived.
    next: u64,
    repeated: u64,
}

/// What arrives over one connection.
#[derive(Debug, Default)]
struct Stream {
    registered: bool,
    last: Option<u64>,
    rest: Vec<u8>,
}

impl Stream {
    fn take(&mut self, bytes: &[u8], delivered: &mut Delivered) {
        self.rest.extend_from_slice(bytes);
        if !self.registered {
            let n = self.rest.len().min(REGISTRATION.len());
            assert_eq!(
                self.rest[..n],
                REGISTRATION[..n],
                "the first bytes are the registration packet"
            );
            if n < REGISTRATION.len() {
                return;
            }
            self.rest.drain(..n);
            self.registered = true;
        }
        let whole = self.rest.len() / FRAME * FRAME;
        let whole: Vec<u8> = self.rest.drain(..whole).collect();
        for bytes in whole.chunks(FRAME) {
            self.last = Some(self.judge(bytes, delivered));
        }
    }

    fn judge(&self, bytes: &[u8], delivered: &mut Delivered) -> u64 {
        let number = u64::from_be_bytes(bytes[..8].try_into().expect("eight bytes"));
        assert!(
            number < FRAMES,
            "frame {number:#x} behind {:?}: a connection began inside a frame",
            self.last
        );
        assert!(bytes == frame(number), "frame {number} is damaged");
        match self.last {
            Some(last) => {
                assert_eq!(
                    number,
                    last + 1,
                    "inside one connection frames are in order, each once"
                )
            }
            None => assert!(
                number <= delivered.next,
                "frames {}..{number} are lost",
                delivered.next
            ),
        }
        delivered.repeated += u64::from(number < delivered.next);
        delivered.next = delivered.next.max(number + 1);
        number
    }

    /// The connection is over: what is left is the beginning of the next frame.
    fn end(&self, delivered: &Delivered) {
        let Some(expected) = self
            .last
            .map(|last| last + 1)
            .filter(|_| !self.rest.is_empty())
        else {
            return;
        };
        let cut = frame(expected);
        assert!(
            self.rest == cut[..self.rest.len()],
            "the piece behind frame {expected} is not its successor's"
        );
        assert!(expected <= delivered.next);
    }
}

/// Reads until `count` bytes are there or everything is delivered.
fn receive(
    connection: &Connection,
    mut count: usize,
    stream: &mut Stream,
    delivered: &mut Delivered,
) {
    while count > 0 && delivered.next < FRAMES {
        let left = usize::try_from((FRAMES - delivered.next) * FRAME as u64).expect("10 MiB");
        let bytes = connection.receive_some(count.min(left).min(4096), Duration::from_secs(30));
        count -= bytes.len();
        stream.take(&bytes, delivered);
    }
}

/// Dies by the dice, and is there again at once or up to 200 ms later.
fn die(
    mut connection: Connection,
    server: &mut Server,
    stream: &mut Stream,
    delivered: &mut Delivered,
    dice: &mut Random,
) {
    stream.take(&connection.freeze(), delivered);
    stream.end(delivered);
    server.refuse();
    match dice.below(10) {
        0..=6 => connection.reset(),
        7 | 8 => connection.finish(),
        _ => {
            // Nobody answers for a while; then the machine, up again, does not know the connection.
            std::thread::sleep(Duration::from_millis(dice.below(800)));
            connection.reset();
        }
    }
    // One in three is back before the device's first attempt.
    if dice.below(3) > 0 {
        std::thread::sleep(Duration::from_millis(dice.below(200)));
    }
    server.listen();
}

fn serve(mut server: Server) -> Delivered {
    let (mut delivered, mut dice) = (Delivered::default(), Random::new(SEED));
    for _ in 0..KILLS {
        let connection = server.accept(Duration::from_secs(30));
        let mut stream = Stream::default();
        // One in eight dies during the registration packet.
        let life = if dice.below(8) == 0 {
            0
        } else {
            usize::try_from(dice.below(80 * 1024)).expect("small")
        };
        receive(&connection, life, &mut stream, &mut delivered);
        die(
            connection,
            &mut server,
            &mut stream,
            &mut delivered,
            &mut dice,
        );
    }
    assert!(
        delivered.next < FRAMES,
        "the server was to die {KILLS} times before everything was there"
    );
    let connection = server.accept(Duration::from_secs(30));
    receive(
        &connection,
        usize::MAX,
        &mut Stream::default(),
        &mut delivered,
    );
    delivered
}

#[test]
fn every_byte_arrives_and_only_whole_frames_are_repeated_when_the_server_dies_100_times() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::with_window(16 * 1024);
    let hex: String = REGISTRATION
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let daemon = Setup::new(folder.path())
        .settings("[link]\ndrop_policy = \"block\"\nbackoff_max = 1")
        .packing(60_000)
        .at(&format!("CIPPACK=1,\"{hex}\",0"))
        .link(1, server.port())
        .start();
    let line = daemon.line();

    let delivered = std::thread::scope(|scope| {
        let served = scope.spawn(|| serve(server));
        let mut numbers = 0..FRAMES;
        let mut rest: Vec<u8> = Vec::new();
        let source = |buffer: &mut [u8]| {
            if rest.is_empty() {
                rest = numbers
                    .next()
                    .map(|number| frame(number).to_vec())
                    .unwrap_or_default();
            }
            let n = rest.len().min(buffer.len());
            buffer[..n].copy_from_slice(&rest[..n]);
            rest.drain(..n);
            n
        };
        exchange(&line, source, 0, |_| {}, within(PATIENCE)).expect("the line takes everything");
        served.join().unwrap()
    });

    assert_eq!(delivered.next, FRAMES);
    // What can be on its way unacknowledged: 64 KiB (SO_SNDBUF, as the kernel counts it).
    let bound = u64::from(KILLS) * 64;
    assert!(
        delivered.repeated <= bound,
        "{} frames came twice, {bound} would be explained",
        delivered.repeated
    );
    assert!(
        line.drain(SOON / 100).is_empty(),
        "nothing was sent to the DTE"
    );
}
