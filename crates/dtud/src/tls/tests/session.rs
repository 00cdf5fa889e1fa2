//! Bytes, counts and the end.

use super::*;

fn goodbye(mut stream: Stream) {
    stream.conn.send_close_notify();
    stream.flush().unwrap();
}

fn noise(count: usize) -> Vec<u8> {
    let mut state = 720_u32;
    let next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    };
    std::iter::repeat_with(next).take(count).collect()
}

#[tokio::test]
async fn plain_bytes_go_both_ways_and_only_they_are_counted() {
    let authority = Authority::new();
    let (port, served) = serve(authority.server(&["127.0.0.1"]), |mut stream| {
        let mut got = [0; 5];
        stream.read_exact(&mut got).unwrap();
        stream.write_all(b"answer").unwrap();
        goodbye(stream);
        got
    });
    let mut bench = Bench::new(&authority);
    assert!(matches!(
        bench.connect("127.0.0.1", port).await,
        SocketEvent::Connected { .. }
    ));
    bench.send(&b"12345"[..]).await;
    assert_eq!(bench.news().await.0, SocketEvent::Sent);
    assert_eq!(
        bench.read_out().await,
        (b"answer".to_vec(), closed(CloseReason::PeerClosed, 5))
    );
    assert_eq!(&served.join().unwrap(), b"12345");
}

#[tokio::test]
async fn a_megabyte_each_way_is_whole_and_acknowledged_by_whole_records() {
    let authority = Authority::new();
    let (port, served) = serve(authority.server(&["127.0.0.1"]), |mut stream| {
        let mut got = vec![0; 1 << 20];
        stream.read_exact(&mut got).unwrap();
        // From now on with another key, for which the device must make one too.
        stream.conn.refresh_traffic_keys().unwrap();
        stream.write_all(&got).unwrap();
        goodbye(stream);
    });
    let mut bench = Bench::new(&authority);
    bench.connect("127.0.0.1", port).await;
    let sent = noise(1 << 20);
    bench.send(sent.clone()).await;
    let mut last = 0;
    loop {
        match bench.news().await.0 {
            SocketEvent::Acked(total) => {
                assert!(
                    total > last && total.is_multiple_of(PIECE as u64),
                    "{total} behind {last}"
                );
                last = total;
            }
            SocketEvent::Sent => break,
            other @ (SocketEvent::Connected { .. }
            | SocketEvent::Data(_)
            | SocketEvent::Unread(_)
            | SocketEvent::Datagrams(_)
            | SocketEvent::Closed { .. }) => {
                panic!("{other:?}")
            }
        }
    }
    let (got, end) = bench.read_out().await;
    assert!(
        got == sent,
        "{} of {} bytes came back",
        got.len(),
        sent.len()
    );
    assert_eq!(end, closed(CloseReason::PeerClosed, 1 << 20));
    served.join().unwrap();
}

#[tokio::test]
async fn an_acknowledgement_comes_when_it_is_due_and_then_no_timer_is_left() {
    let authority = Authority::new();
    let (port, served) = serve(authority.server(&["127.0.0.1"]), |mut stream| {
        stream.read_exact(&mut [0; 5]).unwrap();
        stream.write_all(b"!").unwrap();
        stream
    });
    let mut bench = Bench::new(&authority);
    bench.connect("127.0.0.1", port).await;
    bench.send(&b"12345"[..]).await;
    assert_eq!(bench.news().await.0, SocketEvent::Sent);
    // The answer's segment acknowledges the question's.
    assert_eq!(bench.news().await.0, SocketEvent::Data(1));
    let stream = served.join().unwrap();
    bench.now = bench.socket.deadline().expect("bytes are on their way");
    assert_eq!(bench.news().await.0, SocketEvent::Acked(5));
    assert_eq!(bench.socket.deadline(), None);
    drop(stream);
}

#[tokio::test]
async fn an_end_that_was_not_announced_is_no_end_in_good_order() {
    let authority = Authority::new();
    let (port, _served) = serve(authority.server(&["127.0.0.1"]), |mut stream| {
        stream.write_all(b"half of an ans").unwrap();
        stream.sock.shutdown(std::net::Shutdown::Write).unwrap();
        stream
    });
    let mut bench = Bench::new(&authority);
    bench.connect("127.0.0.1", port).await;
    assert_eq!(
        bench.read_out().await,
        (b"half of an ans".to_vec(), closed(CloseReason::Reset, 0))
    );
}

#[tokio::test]
async fn what_came_before_a_broken_record_is_read() {
    let authority = Authority::new();
    let (port, _served) = serve(authority.server(&["127.0.0.1"]), |mut stream| {
        stream.write_all(b"good").unwrap();
        stream.sock.write_all(&[0x17, 3, 3, 0, 32]).unwrap();
        stream.sock.write_all(&[0; 32]).unwrap();
        stream
    });
    let mut bench = Bench::new(&authority);
    bench.connect("127.0.0.1", port).await;
    assert_eq!(
        bench.read_out().await,
        (b"good".to_vec(), closed(CloseReason::Tls, 0))
    );
}

#[tokio::test]
async fn an_order_to_close_tells_the_peer_that_the_end_is_one() {
    let authority = Authority::new();
    let (port, served) = serve(authority.server(&["127.0.0.1"]), |mut stream| {
        let mut got = Vec::new();
        stream.read_to_end(&mut got).map(|_| got)
    });
    let mut bench = Bench::new(&authority);
    bench.connect("127.0.0.1", port).await;
    bench.send(&b"last words"[..]).await;
    bench.order(SocketOutput::Close).await;
    let (_, end) = bench.read_out().await;
    assert!(
        matches!(
            end,
            SocketEvent::Closed {
                reason: CloseReason::Local,
                ..
            }
        ),
        "{end:?}"
    );
    assert_eq!(served.join().unwrap().unwrap(), b"last words");
}

#[tokio::test]
async fn what_the_peer_never_acknowledged_is_not_counted_after_a_reset() {
    const TOTAL: usize = 1 << 20;
    let authority = Authority::new();
    let (port, served) = serve(authority.server(&["127.0.0.1"]), |mut stream| {
        let socket = socket2::SockRef::from(&stream.sock);
        socket.set_recv_buffer_size(4096).unwrap();
        socket.set_linger(Some(Duration::ZERO)).unwrap();
        stream.read_exact(&mut [0; 100]).unwrap();
    });
    let mut bench = Bench::new(&authority);
    bench.connect("127.0.0.1", port).await;
    bench.send(vec![7; TOTAL]).await;
    let (_, end) = bench.read_out().await;
    let SocketEvent::Closed {
        reason: CloseReason::Reset,
        acked,
    } = end
    else {
        panic!("{end:?}")
    };
    assert!(
        acked < TOTAL as u64 && acked.is_multiple_of(PIECE as u64),
        "{acked}"
    );
    served.join().unwrap();
}

#[tokio::test]
async fn nothing_is_read_while_the_device_wants_nothing() {
    let authority = Authority::new();
    let (port, _served) = serve(authority.server(&["127.0.0.1"]), |mut stream| {
        stream
            .sock
            .set_write_timeout(Some(Duration::from_secs(30)))
            .unwrap();
        stream.write_all(&noise(1 << 20)).map(|()| goodbye(stream))
    });
    let mut bench = Bench::new(&authority);
    bench.connect("127.0.0.1", port).await;
    bench.wanted = false;
    let silent = tokio::time::timeout(Duration::from_millis(50), bench.news()).await;
    assert!(silent.is_err(), "{:?}", silent.map(|(news, _)| news));
    bench.wanted = true;
    let (got, end) = bench.read_out().await;
    assert!(got == noise(1 << 20), "{} bytes", got.len());
    assert_eq!(end, closed(CloseReason::PeerClosed, 0));
}
