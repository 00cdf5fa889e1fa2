//! Limits of the cache to the byte and the frame, and replies that come to a socket that is not read.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use bytes::Bytes;

use super::cache::Cache;
use super::connection::{Connection, News};
use super::expect::Awaiting;
use super::queue::Queue;
use crate::config::{DropPolicy, Expect, LinkOptions, Protocol};
use crate::event::{Connect, QueueId, SocketId, SocketInput};
use crate::status::Loss;
use crate::time::{Duration, Instant};

const FRAMES_MAX: usize = 65_536;

fn put(cache: &mut Cache, bytes: &'static [u8]) -> bool {
    let number = cache.next_seq();
    cache.insert(Bytes::from_static(bytes), number, 0, |_| {})
}

fn with_frames(count: usize, limit: usize) -> Cache {
    let mut cache = Cache::new(limit, DropPolicy::Newest);
    for _ in 0..count {
        assert!(put(&mut cache, b""));
    }
    cache
}

#[test]
fn half_full_is_more_than_half_of_the_bytes_or_of_the_frames() {
    let mut cache = Cache::new(10, DropPolicy::Newest);
    put(&mut cache, b"12345");
    assert!(!cache.is_half_full());
    put(&mut cache, b"6");
    assert!(cache.is_half_full());
    let mut cache = with_frames(FRAMES_MAX / 2, 100);
    assert!(!cache.is_half_full());
    put(&mut cache, b"");
    assert!(cache.is_half_full());
}

/// One read brings 5 KiB at most, which may be as many frames.
#[test]
fn nearly_full_has_no_room_for_the_frames_of_one_read() {
    let mut cache = with_frames(FRAMES_MAX - 5 * 1024, 1 << 20);
    assert!(!cache.is_nearly_full());
    put(&mut cache, b"");
    assert!(cache.is_nearly_full());
}

#[test]
fn half_of_the_cache_may_be_in_the_sockets_hands_to_the_byte() {
    let mut cache = Cache::new(8, DropPolicy::Newest);
    for frame in [b"12", b"34", b"56"] {
        put(&mut cache, frame);
    }
    assert!(cache.hand_over(|_| 2).is_some());
    assert!(cache.hand_over(|_| 4).is_some(), "four of eight bytes");
    assert!(cache.hand_over(|_| 6).is_none());
    assert_eq!(cache.handed_over_bytes(), 4);
}

fn expect() -> Expect {
    Expect {
        reply: b"OK!".to_vec(),
        within: Duration::from_secs(5),
        misses: 2,
        pass: false,
    }
}

/// What came before the socket was left unread is looked at all the same; the next reply's time stands still.
#[test]
fn the_time_of_the_next_reply_does_not_begin_while_the_socket_is_not_read() {
    let (expect, now) = (expect(), Instant::ZERO);
    for gives_up in [false, true] {
        let (mut awaiting, mut rest) = (Awaiting::default(), Vec::new());
        awaiting.expect(Some(&expect), now);
        awaiting.be_heard(false, now);
        if gives_up {
            awaiting.give_up(&mut rest);
        } else {
            awaiting.take_out(b"OK!", Some(&expect), now, &mut rest);
        }
        assert!(!awaiting.is_awaited());
        awaiting.expect(Some(&expect), now);
        assert_eq!(awaiting.deadline(), None);
        let read_again = now + Duration::from_secs(60);
        awaiting.be_heard(true, read_again);
        assert_eq!(awaiting.deadline(), Some(read_again + expect.within));
    }
}

#[test]
fn only_the_beginning_of_a_reply_is_held_for_a_moment() {
    let (expect, now) = (expect(), Instant::ZERO);
    let (mut awaiting, mut rest) = (Awaiting::default(), Vec::new());
    awaiting.expect(Some(&expect), now);
    awaiting.take_out(b"data", Some(&expect), now, &mut rest);
    assert_eq!(awaiting.deadline(), Some(now + expect.within));
    awaiting.take_out(b"O", Some(&expect), now, &mut rest);
    assert_eq!(awaiting.deadline(), Some(now + Duration::from_millis(500)));
    assert_eq!(rest, b"data");
}

/// The host may say it more than once.
#[test]
fn what_is_acknowledged_once_more_is_no_news() {
    let (mut connection, mut outputs) = (Connection::new(SocketId::AtMode), VecDeque::new());
    let connect = Connect {
        protocol: Protocol::Tcp,
        address: "server".into(),
        port: 9000,
        local_port: 0,
        tls: false,
    };
    connection.connect(connect, Instant::ZERO, &mut outputs);
    let local = ([10, 0, 0, 2], 40_000).into();
    connection.handle(SocketInput::Connected { local }, &mut outputs);
    let acked = |connection: &mut Connection, total| {
        connection.handle(SocketInput::Acked(total), &mut VecDeque::new())
    };
    assert!(matches!(acked(&mut connection, 5), News::Acked));
    assert!(matches!(acked(&mut connection, 5), News::Nothing));
    assert!(matches!(acked(&mut connection, 4), News::Nothing));
    assert!(matches!(acked(&mut connection, 6), News::Acked));
}

#[test]
fn a_queue_that_was_ever_used_is_known() {
    let mut queue = Queue::new(Some(QueueId::Httpd), &LinkOptions::default());
    assert!(queue.is_unused());
    queue.push(Bytes::from_static(b"x"), &mut VecDeque::new());
    assert!(!queue.is_unused());
    queue.discard(&mut VecDeque::new());
    assert!(!queue.is_unused(), "it has dropped something");
    let mut passed = Queue::new(Some(QueueId::Httpd), &LinkOptions::default());
    passed.add_loss(Loss {
        frames: 1,
        ..Loss::default()
    });
    assert!(!passed.is_unused());
}

/// What one frame leaves goes on to as many as it takes, to the byte.
#[test]
fn bytes_beyond_the_limit_pass_from_a_frame_that_goes_to_those_behind_it() {
    let mut cache = Cache::new(10, DropPolicy::Oldest);
    cache.insert_extra(Bytes::from_static(b"0123456789"), 1);
    for frame in [&b"abcd"[..], b"efg", b"hi"] {
        assert!(put(&mut cache, frame));
    }
    assert!(!cache.is_full_for(1) && cache.is_full_for(2));
    cache.pass_extra_on(1);
    // 4, 3 and 2 of the 10, and the 10 of the frame that still stands there.
    assert!(!cache.is_full_for(0) && cache.is_full_for(1));
}

/// Frames of an earlier run have no part in it.
#[test]
fn the_frames_that_the_limit_is_for_are_counted() {
    let mut cache = Cache::new(1 << 20, DropPolicy::Newest);
    for number in 0..40_000 {
        cache.insert_extra(Bytes::from_static(b"x"), number);
    }
    for _ in 0..FRAMES_MAX {
        assert!(put(&mut cache, b"y"));
    }
    assert!(!put(&mut cache, b"y"));
}
