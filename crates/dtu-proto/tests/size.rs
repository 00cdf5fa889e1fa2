//! What a device takes of memory (the allocator counts, so this test is a program of its own).

use dtu_proto::Dtu;
use dtu_proto::config::{Config, Options};
use dtu_proto::status::LinkState;
use dtu_proto::testing::{Bench, LINK1, one_link};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

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

#[test]
fn an_idle_device_with_one_link_takes_at_most_6_kib() {
    let config = Config {
        packing_time: 0,
        ..one_link()
    };
    let before = HELD.get();
    // The bench itself has nothing on the heap when it has forgotten what it saw; the struct is not there, either.
    let held = |dev: &mut Bench| {
        dev.forget();
        HELD.get() - before + size_of::<Dtu>()
    };
    let mut dev = Bench::cold(config, Options::default());
    let new = held(&mut dev);
    dev.attaches().at(7000);
    assert_eq!(dev.dtu.status(dev.now).links[0].state, LinkState::Connected);
    let idle = held(&mut dev);
    for _ in 0..100 {
        dev.serial([b'u'; 57]).network(LINK1, [b'd'; 57]).wait(50);
    }
    dev.wait(1000);
    let used = held(&mut dev);
    assert_eq!(dev.peer(LINK1).sent_bytes, 5700);
    assert!(dev.line.printed_bytes() >= 5700);
    println!(
        "the struct {}, on the heap: new {new}, idle with one link {idle}, after traffic {used}",
        size_of::<Dtu>()
    );
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
