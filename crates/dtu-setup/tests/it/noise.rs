//! Lines that are never silent, and lines that always are: every wait has an end.

use std::io;
use std::time::Duration;

use dtu_setup::door::DoorError;
use dtu_setup::serial::{Port, Serial};

/// A line that repeats this for ever.
struct Repeats {
    now: Duration,
    what: &'static [u8],
}

impl Port for Repeats {
    fn now(&self) -> Duration {
        self.now
    }

    fn write(&mut self, _: &[u8]) -> io::Result<()> {
        Ok(())
    }

    fn read(&mut self, buffer: &mut [u8], until: Duration) -> io::Result<usize> {
        if self.what.is_empty() {
            self.now = self.now.max(until);
            return Ok(0);
        }
        self.now += Duration::from_millis(1);
        let count = buffer.len().min(self.what.len());
        buffer[..count].copy_from_slice(&self.what[..count]);
        Ok(count)
    }

    fn set_baud(&mut self, _: u32) -> io::Result<()> {
        Ok(())
    }

    fn baud(&self) -> u32 {
        115_200
    }
}

/// What a line says for ever, and how long it is listened to at most.
const LINES: [(&[u8], u64, u64); 4] = [
    (b"", 3, 91),
    (b"\x00\x80\xFF", 4, 25),
    (b"42 kWh\r\n", 4, 25),
    (b"\r\n", 4, 25),
];

type Opened = Result<Serial<Repeats>, (Repeats, DoorError)>;

fn gives_up(what: &'static [u8], most: u64, enter: impl FnOnce(Repeats) -> Opened) {
    let now = Duration::ZERO;
    let Err((line, _)) = enter(Repeats { now, what }) else {
        panic!("{what:?} is no device");
    };
    assert!(
        line.now <= Duration::from_secs(most),
        "{what:?}: {:?}",
        line.now
    );
}

/// By what came, and what was done: nobody has sent `+++` here, or asked for a restart.
#[test]
fn what_is_no_command_state_is_named_by_what_came() {
    let of = |what| {
        let now = Duration::ZERO;
        let Err((_, error)) = Serial::in_command_state(Repeats { now, what }) else {
            panic!("{what:?} is no device");
        };
        error
    };
    assert!(matches!(of(b""), DoorError::Silent));
    assert!(matches!(of(b"AT\r"), DoorError::Silent), "an echo alone");
    for noise in [&b"\x00\x80\xFF"[..], b"\x80\xFE\xAA\r\n"] {
        assert!(matches!(of(noise), DoorError::Noise { baud: 115_200 }));
    }
    for text in [&b"42 kWh\r\n"[..], b"no line ends here "] {
        let error = of(text);
        assert!(
            matches!(error, DoorError::NoOk { is_text: true }),
            "{error}"
        );
        assert!(!error.to_string().contains("does not answer +++"));
    }
    let now = Duration::ZERO;
    let line = Repeats { now, what: b"" };
    let Err((_, error)) = Serial::by_window(line, Duration::from_secs(90)) else {
        panic!("nobody has switched it on");
    };
    let words = error.to_string();
    assert!(words.starts_with("nothing came within 90 s"), "{words}");
}

#[test]
fn no_line_is_listened_to_for_ever() {
    for (what, none, window) in LINES {
        gives_up(what, none, Serial::in_command_state);
        gives_up(what, window, |line| {
            Serial::by_window(line, Duration::from_secs(90))
        });
        gives_up(what, 10, Serial::enter);
    }
}
