//! The scene in the terminal, or as plain lines where there is none.

use std::io::Write as _;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

use ratatui::crossterm::event::{self, Event, KeyCode, KeyEventKind, KeyModifiers};
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};

use super::scene::{self, Scene, SharedScene};
use super::screen;
use crate::control::Control;

/// Who looks at the scene, and turns its keys.
pub(super) struct View {
    /// The length of the demo, if it has one.
    pub(super) time: Option<Duration>,
    pub(super) scene: SharedScene,
    pub(super) control: Arc<Control>,
    /// Whether the network is cut.
    pub(super) network: watch::Sender<bool>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Key {
    End,
    Cut,
}

impl View {
    /// Shows the scene until its time is over or somebody ends it; then asks the device to stop.
    pub(super) async fn show(self, start: Instant, terminal: bool) -> anyhow::Result<()> {
        let shown = if terminal {
            self.draw(start).await
        } else {
            self.print(start).await
        };
        self.settle().await;
        self.control.stop_once();
        shown
    }

    fn is_over(&self, start: Instant) -> bool {
        self.time.is_some_and(|time| start.elapsed() >= time) || self.control.is_stopping()
    }

    /// The story goes on.
    fn tick(&self, now: Duration) {
        let mut scene = scene::lock(&self.scene);
        scene.tick(now);
        let cut = scene.story.is_cut();
        drop(scene);
        self.network
            .send_if_modified(|is| std::mem::replace(is, cut) != cut);
    }

    /// So that the last account is one of frames that are somewhere.
    async fn settle(&self) {
        scene::lock(&self.scene).closing = true;
        let end = Instant::now() + SETTLED_WITHIN;
        while Instant::now() < end
            && !self.control.is_stopping()
            && !scene::lock(&self.scene).is_settled()
        {
            sleep(TICK).await;
        }
    }

    async fn print(&self, start: Instant) -> anyhow::Result<()> {
        let mut ticks = interval(TICK);
        let mut count = 0_u32;
        while !self.is_over(start) {
            ticks.tick().await;
            self.tick(start.elapsed());
            if count % TICKS_PER_LINE == TICKS_PER_LINE - 1 {
                // Who reads it may be gone (`| head`): the end of the scene.
                writeln!(
                    std::io::stdout(),
                    "{}",
                    plain(&scene::lock(&self.scene), start.elapsed())
                )?;
            }
            count = count.wrapping_add(1);
        }
        Ok(())
    }

    async fn draw(&self, start: Instant) -> anyhow::Result<()> {
        let mut terminal = ratatui::try_init()?;
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let keys = keys();
        let (mut shown, mut ended) = (Ok(()), false);
        while !self.is_over(start) && shown.is_ok() && !ended {
            ticks.tick().await;
            if self.is_over(start) || !terminal_is_there() {
                break;
            }
            let now = start.elapsed();
            self.tick(now);
            shown = terminal
                .draw(|frame| screen::draw(frame, &scene::lock(&self.scene), now))
                .map(drop);
            while let Ok(key) = keys.try_recv() {
                match key {
                    Key::End => ended = true,
                    Key::Cut => scene::lock(&self.scene).turn(now),
                }
            }
        }
        let _ = ratatui::try_restore();
        if !terminal_is_there() {
            // Its drop would complain of the cursor with a macro that panics where stderr is that terminal.
            std::mem::forget(terminal);
        }
        Ok(shown?)
    }
}

fn terminal_is_there() -> bool {
    rustix::termios::tcgetattr(std::io::stdout()).is_ok()
}

/// Reads keys in a thread of its own, which ends with the program: a terminal that is gone holds up whoever asks it, and
/// it may go at any moment.
fn keys() -> Receiver<Key> {
    let (found, keys) = sync_channel(KEYS_MAX);
    std::thread::spawn(move || {
        while let Ok(key) = next_key()
            && found.send(key).is_ok()
        {}
    });
    keys
}

/// The terminal is in raw mode: Ctrl-C comes as a key.
fn next_key() -> std::io::Result<Key> {
    loop {
        if let Event::Key(key) = event::read()?
            && key.kind == KeyEventKind::Press
        {
            let control = key.modifiers.contains(KeyModifiers::CONTROL);
            let letter = key.code.as_char();
            if key.code == KeyCode::Esc || letter == Some('q') || (control && letter == Some('c')) {
                return Ok(Key::End);
            }
            if letter == Some('c') {
                return Ok(Key::Cut);
            }
        }
    }
}

fn plain(scene: &Scene, now: Duration) -> String {
    format!(
        "{:>4} s  link 1 {:<16}  {}  registered {}  heartbeats {}  | {}",
        now.as_secs(),
        screen::link_state(scene),
        scene.sum(),
        scene.registrations,
        scene.heartbeats,
        scene.sentence(now)
    )
}

/// Keys that wait for the next tick.
const KEYS_MAX: usize = 16;
const TICK: Duration = Duration::from_millis(100);
const TICKS_PER_LINE: u32 = 10;
/// At the end: so long the last readings may take to arrive.
const SETTLED_WITHIN: Duration = Duration::from_secs(3);
