use alloc::collections::VecDeque;

use super::*;
use crate::config::Charset;
use crate::rng::Rng;

mod edges;

/// A line in the online data state, with what it is lent.
struct Bench {
    line: Line,
    config: Config,
    now: Instant,
}

impl Bench {
    fn new(frames: FrameKind) -> Self {
        let options = Options {
            charset: Charset::Utf8,
            length_enabled: true,
            ..Options::default()
        };
        let now = Instant::from_millis(1000);
        let config = Config {
            packing_length: 0,
            ..Config::default()
        };
        let mut line = Line::new(config.line, Arc::new(options), now);
        line.state = LineState::OnlineData;
        line.pack_as(frames);
        Self { line, config, now }
    }

    /// What reads make, one a millisecond, and the silence behind them.
    fn reads<'d>(&mut self, reads: impl IntoIterator<Item = &'d [u8]>) -> Vec<Vec<u8>> {
        let mut frames = Vec::new();
        let (mut outputs, mut acts, mut rng) = (VecDeque::new(), VecDeque::new(), Rng::new(1));
        let mut cx = Cx {
            options: &self.line.options.clone(),
            is_ending: false,
            last_from_dte: self.now,
            now: self.now,
            config: &self.config,
            outputs: &mut outputs,
            acts: &mut acts,
            rng: &mut rng,
            attached: true,
        };
        let mut take = |event: LineEvent| {
            let LineEvent::Frame(frame) = event else {
                panic!("{event:?}");
            };
            frames.push(frame.to_vec());
        };
        for mut read in reads {
            cx.now += Duration::from_millis(1);
            while let Some(event) = self.line.next(&mut read, false, &mut cx) {
                take(event);
            }
        }
        self.line.frame_due(&mut cx).into_iter().for_each(take);
        frames
    }
}

#[test]
fn size_cuts_no_character_however_the_reads_fall() {
    let text = "温度".repeat(600);
    for len in [1, 7, 500, 1024, 1025, 4000] {
        let frames = Bench::new(FrameKind::Text).reads(text.as_bytes().chunks(len));
        assert_eq!(frames.concat(), text.as_bytes(), "{len}");
        let lengths: Vec<usize> = frames.iter().map(Vec::len).collect();
        assert_eq!(lengths, [1023, 1023, 1023, 531], "{len}");
    }
}

/// A LEN below that of a character would cut each one.
#[test]
fn len_closes_no_frame_of_text_below_4_bytes() {
    for len in 1..=4 {
        let mut bench = Bench::new(FrameKind::Text);
        bench.config.packing_length = len;
        let (first, rest) = "温度ab".as_bytes().split_at(2);
        let frames = bench.reads([first, rest]);
        assert_eq!(frames, ["温", "度a", "b"].map(str::as_bytes), "{len}");
    }
}

#[test]
fn an_escape_that_fails_joins_the_frame_that_it_belongs_to() {
    for reads in [
        &[&b"+++"[..], b"x", b"y"][..],
        &[b"+", b"+", b"+xy"],
        &[b"++", b"+", b"xy"],
    ] {
        let frames = Bench::new(FrameKind::Data).reads(reads.iter().copied());
        assert_eq!(frames, [b"+++xy"], "{reads:?}");
    }
}
