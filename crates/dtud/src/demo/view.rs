//! The scene in the terminal, or as plain lines where there is none.

use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use ratatui::crossterm::event::{self, Event, KeyCode, KeyModifiers};
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::scene::{self, Scene, SharedScene};
use super::screen;
use crate::control::Control;

/// Shows the scene until its time is over or somebody ends it; then asks the device to stop.
pub(super) async fn show(
    time: Option<Duration>,
    terminal: bool,
    scene: SharedScene,
    control: Arc<Control>,
) -> anyhow::Result<()> {
    let end = time.map(|time| Instant::now() + time);
    let over = || end.is_some_and(|end| Instant::now() >= end) || control.is_stopping();
    let shown = if terminal { draw(&scene, over).await } else { print(&scene, over).await };
    control.stop_once();
    shown
}

async fn print(scene: &SharedScene, over: impl Fn() -> bool) -> anyhow::Result<()> {
    let mut ticks = interval(TICK);
    let mut count = 0_u32;
    while !over() {
        ticks.tick().await;
        if count % TICKS_PER_LINE == TICKS_PER_LINE - 1 {
            // Who reads it may be gone (`| head`): the end of the scene.
            writeln!(std::io::stdout(), "{}", plain(&scene::lock(scene)))?;
        }
        count = count.wrapping_add(1);
    }
    Ok(())
}

async fn draw(scene: &SharedScene, over: impl Fn() -> bool) -> anyhow::Result<()> {
    let mut terminal = ratatui::try_init()?;
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut shown = Ok(());
    while !over() && shown.is_ok() {
        ticks.tick().await;
        // Asking a terminal that is gone for keys never returns.
        if over() || !terminal_is_there() {
            break;
        }
        shown = terminal.draw(|frame| screen::draw(frame, &scene::lock(scene))).map(drop);
        if shown.is_err() {
            break;
        }
        match asked_to_end() {
            Ok(true) => break,
            Ok(false) => {}
            Err(error) => shown = Err(error),
        }
    }
    let _ = ratatui::try_restore();
    if !terminal_is_there() {
        // Its drop would complain of the cursor with a macro that panics where stderr is that terminal.
        std::mem::forget(terminal);
    }
    Ok(shown?)
}

fn terminal_is_there() -> bool {
    rustix::termios::tcgetattr(std::io::stdout()).is_ok()
}

/// The terminal is in raw mode: Ctrl-C comes as a key.
fn asked_to_end() -> std::io::Result<bool> {
    while event::poll(Duration::ZERO)? {
        if let Event::Key(key) = event::read()? {
            let control = key.modifiers.contains(KeyModifiers::CONTROL);
            if matches!(key.code, KeyCode::Char('q') | KeyCode::Esc)
                || (control && key.code == KeyCode::Char('c'))
            {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

fn plain(scene: &Scene) -> String {
    let time = scene.status.as_ref().map_or(0, |status| status.now.as_micros() / 1_000_000);
    let links = scene.status.as_ref().map(|status| {
        let [one, two, ..] = status.links;
        format!("link 1 {}, link 2 {}", screen::state(one.state), screen::state(two.state))
    });
    let reading = scene.reading.map_or_else(
        || "no reading yet".to_owned(),
        |r| {
            format!(
                "{:.1} V  {:.2} A  {:.0} W  {:.2} Hz  {:.3} kWh",
                r.volts, r.amperes, r.watts, r.hertz, r.kilowatt_hours
            )
        },
    );
    format!(
        "{time:>4} s  {}  |  {reading}  |  good {} bad {} time-outs {} heartbeats {}",
        links.unwrap_or_default(),
        scene.good,
        scene.bad,
        scene.timeouts,
        scene.heartbeats
    )
}

const TICK: Duration = Duration::from_millis(100);
const TICKS_PER_LINE: u32 = 10;
