//! `dtud demo`: a whole scene in one process.
//!
//! ```text
//! meter ── pty ── the device ── link 1, TCP ── network, which can be cut ── data center: counts what comes
//! ```
//!
//! The story: the device registers, readings go through, a heartbeat comes while the meter rests, the network is cut,
//! frames wait, the network is back, they arrive, none is lost. Counted is at both ends, by the numbers in the readings.

mod account;
mod center;
mod meter;
mod reading;
mod scene;
mod screen;
mod story;
mod view;

use std::io::IsTerminal as _;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use sms_codec::hex::encode;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::at_lines::StartLine;
use crate::cli;
use crate::console;
use crate::control::{Control, HangUp, listen_to_signals};
use crate::log;
use crate::machine::{Machine, Setup};
use crate::modem;
use crate::reactor;
use crate::serial::Address;
use crate::settings::{ConsoleAddress, Settings};
use scene::{SharedScene, Watcher};
use view::View;

/// Plays the scene until Ctrl-C, or for `time`, with the device's web console there.
pub(crate) fn run(
    time: Option<Duration>,
    console: Option<ConsoleAddress>,
) -> anyhow::Result<ExitCode> {
    let terminal = std::io::stdout().is_terminal();
    log::start(None, if terminal { "off" } else { "warn" }).map_err(anyhow::Error::msg)?;
    let runtime = cli::runtime()?;
    let scene = SharedScene::default();
    reactor::block_on(runtime, play(time, console, terminal, Arc::clone(&scene)))??;
    cli::print_line(format_args!("{}", scene::lock(&scene).summary()));
    Ok(ExitCode::SUCCESS)
}

async fn play(
    time: Option<Duration>,
    console: Option<ConsoleAddress>,
    terminal: bool,
    scene: SharedScene,
) -> anyhow::Result<()> {
    let folder = tempfile::tempdir().context("no room for the demo's files")?;
    let line = folder.path().join("meter");
    let center = center::Center::bind(Arc::clone(&scene)).await?;
    let setup = Setup {
        serial: Address::Pty(line.clone()),
        modem: modem::Address::Sim,
        state: folder.path().join("state"),
        settings: Settings::default(),
        settings_path: None,
        setup_window: Some(Duration::ZERO),
        at: at_lines(center.port())
            .iter()
            .map(|line| StartLine::argument(line))
            .collect(),
        record: None,
    };
    let config = console::config(console, &setup.settings.console, &setup.state);
    if let Some(Err(why)) = config.as_ref().map(console::check) {
        anyhow::bail!("{why}");
    }
    let kind = console::Kind::new(&setup.modem, &setup.serial);
    let control = Arc::new(Control::default());
    listen_to_signals(Arc::clone(&control), HangUp::Stop)?;
    let start = Instant::now();
    let watcher = Watcher::new(Arc::clone(&scene), start);
    let mut machine = Machine::new(setup, Arc::clone(&control))?.observed_by(Box::new(watcher));
    let mut server = None;
    if let Some(config) = config {
        let (serves, console) = console::start(config, kind, &control)?;
        serves.told().clone_into(&mut scene::lock(&scene).console);
        machine = machine.with_console(console);
        server = Some(serves);
    }
    if !terminal {
        let told = server.as_ref().map_or("off", console::Server::told);
        machine = machine.announcing(told);
    }
    let meter = meter::Meter::open(&line, Arc::clone(&scene), start)?;
    let (network, cut) = watch::channel(false);
    let center = tokio::spawn(center.run(cut));
    // Its line has the reactor of this thread.
    let meter = async {
        meter.run().await;
        std::future::pending::<()>().await;
    };
    let view = View {
        time,
        scene,
        control: Arc::clone(&control),
        network,
    };
    let view = tokio::spawn(view.show(start, terminal));
    // Whatever ends it, the view puts the terminal back before anything is printed.
    tokio::select! {
        _ = machine => {}
        () = meter => {}
    }
    center.abort();
    control.stop_once();
    if let Some(server) = server {
        server.stop();
    }
    view.await.context("the view broke")?
}

fn at_lines(center: u16) -> Vec<String> {
    vec![
        "CIMODID=\"DTU demo\"".to_owned(),
        format!("CIPSCONT=1,\"TCP\",\"127.0.0.1\",{center},1"),
        format!("CIPPACK=1,\"{}\",0", encode(scene::REGISTRATION)),
        format!("CIPPACK=0,\"{}\",0", encode(scene::HEARTBEAT)),
        // A heartbeat after 2 s of silence, frames end after 20 ms of silence, no restart for want of data.
        "CIPCFG=1,2,0,20,10,0".to_owned(),
    ]
}
