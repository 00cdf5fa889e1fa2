//! What a device takes of memory (the allocator counts, so this test is a program of its own).

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::net::{Ipv4Addr, SocketAddr};

use dtu_proto::config::{Config, Options};
use dtu_proto::event::{
    Input, LinkId, ModemInput, Output, SerialInput, SerialOutput, SocketId, SocketInput,
    SocketOutput,
};
use dtu_proto::status::LinkState;
use dtu_proto::time::{Duration, Instant};
use dtu_proto::{Dtu, Identity};

/// The whole of the struct at most, and the heap of a device that idles with one link up, the struct included.
const STRUCT_MAX: usize = 4 * 1024;
const IDLE_MAX: usize = 6 * 1024;

/// Counts what this thread holds.
struct Counting;

thread_local! {
    static HELD: Cell<usize> = const { Cell::new(0) };
}

fn count(change: impl Fn(usize) -> usize) {
    // A thread that ends has no counter any more, and is nobody's concern.
    let _ = HELD.try_with(|held| held.set(change(held.get())));
}

// SAFETY: `System` does the work; to count allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(|held| held.wrapping_add(layout.size()));
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        count(|held| held.wrapping_sub(layout.size()));
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

struct Host {
    dtu: Box<Dtu>,
    now: Instant,
    sent: u64,
}

impl Host {
    fn new() -> Self {
        let mut config = Config {
            packing_time: 0,
            ..Config::default()
        };
        config.links[0].enabled = true;
        let dtu = Dtu::new(
            config,
            Options::default(),
            Identity::default(),
            1,
            Instant::ZERO,
        );
        Self {
            dtu: Box::new(dtu),
            now: Instant::ZERO,
            sent: 0,
        }
    }

    fn input(&mut self, input: Input<'_>) {
        self.dtu.handle_input(input, self.now);
        self.carry_out();
    }

    fn later(&mut self, by: Duration) {
        self.now += by;
        self.dtu.handle_timeout(self.now);
        self.carry_out();
    }

    fn carry_out(&mut self) {
        while let Some(output) = self.dtu.poll_output() {
            match output {
                Output::Serial(SerialOutput::Write(_)) => {
                    self.news(Input::Serial(SerialInput::Written))
                }
                Output::Serial(SerialOutput::Configure(_)) => {
                    self.news(Input::Serial(SerialInput::Configured(None)));
                }
                Output::Socket(socket, SocketOutput::Connect(_)) => {
                    let local = SocketAddr::from((Ipv4Addr::LOCALHOST, 40_000));
                    self.news(Input::Socket(socket, SocketInput::Connected { local }));
                }
                Output::Socket(socket, SocketOutput::Send(payload)) => {
                    self.sent += payload.len() as u64;
                    self.news(Input::Socket(socket, SocketInput::Sent));
                    self.news(Input::Socket(socket, SocketInput::Acked(self.sent)));
                }
                Output::Serial(SerialOutput::Discard)
                | Output::Socket(_, SocketOutput::Close)
                | Output::Modem(_)
                | Output::Store(_)
                | Output::Console(_)
                | Output::Leds(_)
                | Output::Power(_)
                | Output::Event(_) => {}
            }
        }
    }

    fn news(&mut self, input: Input<'_>) {
        self.dtu.handle_input(input, self.now);
    }
}

#[test]
fn an_idle_device_with_one_link_takes_at_most_6_kib() {
    let before = HELD.get();
    let mut host = Host::new();
    let new = HELD.get() - before;
    host.input(Input::Serial(SerialInput::Present));
    host.input(Input::Modem(&ModemInput::Attached(
        Ipv4Addr::LOCALHOST.into(),
    )));
    host.later(Duration::from_secs(6));
    host.later(Duration::from_secs(1));
    assert_eq!(
        host.dtu.status(host.now).links[0].state,
        LinkState::Connected
    );
    let idle = HELD.get() - before;
    for _ in 0..100 {
        host.input(Input::Serial(SerialInput::Data(&[b'u'; 57])));
        host.input(Input::Socket(
            SocketId::Link(LinkId::ALL[0]),
            SocketInput::Data(&[b'd'; 57]),
        ));
        host.later(Duration::from_millis(50));
    }
    host.later(Duration::from_secs(1));
    let used = HELD.get() - before;
    println!(
        "the struct {}, on the heap: new {new}, idle with one link {idle}, after traffic {used}",
        size_of::<Dtu>()
    );
    assert_eq!(host.sent, 5700);
    assert!(
        size_of::<Dtu>() <= STRUCT_MAX,
        "the struct takes {} bytes",
        size_of::<Dtu>()
    );
    assert!(
        idle <= IDLE_MAX && used <= IDLE_MAX,
        "an idle device takes {idle} bytes, {used} after traffic"
    );
}
