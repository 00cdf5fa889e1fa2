use super::*;

fn small() -> Recorder {
    Recorder::new(Sizes {
        data: 4096,
        events: 4096,
        log: 4096,
        frame: 16,
    })
}

fn line(bytes: &[u8]) -> Frame<'_> {
    Frame {
        of: Place::Line,
        dir: Dir::In,
        prefix: b"",
        bytes,
        note: "",
        injected: false,
    }
}

#[test]
fn a_row_has_what_came_in_and_its_true_length() {
    let recorder = small();
    recorder.frame(
        1_500_000,
        &Frame {
            of: Place::Link(3),
            dir: Dir::Out,
            prefix: b"reg",
            bytes: &[0xFF; 300],
            note: "why",
            injected: false,
        },
    );
    recorder.event(1_600_000, Place::Link(3), "connected");
    let page = recorder.rows(0, 10);
    assert_eq!((page.missed, page.next), (0, 2));
    let [frame, event] = &page.items[..] else {
        panic!("{page:?}")
    };
    assert_eq!(
        (frame.len, frame.data.len(), &frame.data[..4]),
        (303, 16, &b"reg\xFF"[..])
    );
    assert_eq!(
        (frame.of, frame.dir, frame.note.as_deref()),
        (Place::Link(3), Dir::Out, Some("why"))
    );
    assert_eq!(
        (event.kind, event.note.as_deref(), event.seq),
        (Kind::Event, Some("connected"), 1)
    );
    let json = serde_json::to_value(frame).unwrap();
    assert_eq!(json["at"], 1500);
    assert_eq!(
        (
            json["of"].as_str(),
            json["dir"].as_str(),
            json["kind"].as_str()
        ),
        (Some("link3"), Some("out"), Some("data"))
    );
    assert_eq!(json["data"], "cmVn/////////////////w==");
}

#[test]
fn traffic_pushes_out_traffic_and_no_event_and_what_is_missed_is_counted() {
    let recorder = small();
    recorder.event(0, Place::Device, "power on");
    for _ in 0..1000 {
        recorder.frame(0, &line(&[7; 100]));
    }
    let page = recorder.rows(0, usize::MAX);
    assert_eq!(page.items[0].note.as_deref(), Some("power on"));
    assert_eq!(
        (page.next, page.missed + page.items.len() as u64),
        (1001, 1001)
    );
    assert!(page.missed > 900);
    let last = page.items.last().unwrap().seq;
    assert_eq!(last, 1000);
    assert_eq!(
        recorder
            .last_rows(3)
            .items
            .iter()
            .map(|row| row.seq)
            .collect::<Vec<_>>(),
        [998, 999, 1000]
    );
    let nothing = recorder.rows(1001, 10);
    assert_eq!(
        (nothing.items.len(), nothing.missed, nothing.next),
        (0, 0, 1001)
    );
}

#[test]
fn pages_follow_each_other_and_their_gaps_add_up() {
    let recorder = small();
    for count in 0..500_u32 {
        if count % 50 == 0 {
            recorder.event(0, Place::Line, "event");
        } else {
            recorder.frame(0, &line(&count.to_le_bytes()));
        }
    }
    let (mut from, mut seen, mut missed) = (0, Vec::new(), 0);
    loop {
        let page = recorder.rows(from, 7);
        if page.items.is_empty() {
            break;
        }
        (from, missed) = (page.next, missed + page.missed);
        seen.extend(page.items.iter().map(|row| row.seq));
    }
    assert_eq!((from, seen.len() as u64 + missed), (500, 500));
    assert!(seen.is_sorted() && seen.len() > 60);
}

#[test]
fn the_log_is_a_ring_of_its_own() {
    let recorder = small();
    recorder.log(2_000, Level::Warn, Some(Place::Link(1)), "link 1: lost");
    recorder.log(3_000, Level::Info, None, "短信");
    let page = recorder.lines(0, 10);
    assert_eq!(page.items.len(), 2);
    assert_eq!(
        (
            page.items[0].level,
            page.items[0].of,
            page.items[0].text.as_str()
        ),
        (Level::Warn, Some(Place::Link(1)), "link 1: lost")
    );
    assert_eq!(
        (page.items[1].of, page.items[1].text.as_str(), page.next),
        (None, "短信", 2)
    );
    for _ in 0..100 {
        recorder.log(0, Level::Debug, None, &"x".repeat(2000));
    }
    let page = recorder.lines(1, 1);
    assert!(page.missed > 90 && page.items[0].text.len() == LINE_MAX);
    assert_eq!(recorder.next_line(), 102);
}

#[test]
fn who_reads_many_rows_lets_the_device_in_between() {
    let recorder = Recorder::default();
    (0..1500).for_each(|_| recorder.frame(0, &line(b"before")));
    let turns = std::cell::Cell::new(0);
    let between = || {
        turns.set(turns.get() + 1);
        assert!(recorder.rows.is_free(), "the device would wait");
        recorder.frame(0, &line(b"while it is read"));
    };
    let page = recorder.rows_in_turns(400, 1000, &between);
    assert!(page.items.iter().map(|row| row.seq).eq(400..1400));
    assert_eq!((page.missed, page.next), (0, 1400));
    // A thousand copies, and the way to the first of them.
    assert!(turns.get() >= 1000 / 16 + 400 / 64, "{}", turns.get());
    // What came meanwhile is for the next page.
    let page = recorder.rows_in_turns(1400, 1000, &|| recorder.frame(0, &line(b"more")));
    let seqs = page.items.iter().map(|row| row.seq);
    assert!(seqs.eq(1400..1500 + turns.get()), "{}", page.next);
    assert_eq!((page.missed, page.next), (0, 1500 + turns.get()));
}

#[test]
fn who_reads_sees_whole_rows_while_somebody_writes() {
    let recorder = std::sync::Arc::new(small());
    let writer = recorder.clone();
    let writes = std::thread::spawn(move || {
        for count in 0..20_000_u32 {
            writer.frame(0, &line(&[count as u8; 16]));
        }
    });
    let mut from = 0;
    while from < 20_000 {
        let page = recorder.rows(from, 100);
        for row in &page.items {
            assert_eq!(row.data, [row.seq as u8; 16]);
        }
        from = page.next;
    }
    writes.join().unwrap();
}
