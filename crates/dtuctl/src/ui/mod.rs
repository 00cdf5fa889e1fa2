//! `ui`: the web console for a device on a port or behind a link.

use std::io::{self, Read as _, Write as _};
use std::net::SocketAddr;
use std::os::unix::net::UnixStream;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use clap::Args;
use dtu_console::{Config, Console, PORT};
use signal_hook::consts::{SIGINT, SIGTERM};

use crate::device::PortArgs;
use crate::say::{self, Usage, tell};
use crate::settings::Ended;

mod remote;
mod status;

use remote::Remote;

/// The web console for this device.
#[derive(Debug, Args)]
pub(crate) struct Ui {
    /// Where it listens, on this host alone; without it on 127.0.0.1:7200 or the next free port
    #[arg(long, value_name = "ADDR")]
    console: Option<SocketAddr>,
}

impl Ui {
    pub(crate) fn run(&self, port: PortArgs) -> Ended {
        if port.is_sms() {
            bail!(Usage(say::no_ui_by_sms()));
        }
        let usual = SocketAddr::from(([127, 0, 0, 1], PORT));
        let listen = self.console.unwrap_or(usual);
        if !listen.ip().to_canonical().is_loopback() {
            bail!(Usage(say::beyond_this_host(listen.to_string())));
        }
        let signals = signals()?;
        // A wrong port is told here, where somebody can give another one.
        let device = Arc::new(Remote::reach(port)?);
        let config = Config {
            listen,
            explicit: self.console.is_some(),
            version: concat!("dtuctl ", env!("CARGO_PKG_VERSION")).to_owned(),
            ..Config::default()
        };
        let console = Console::spawn(config, device.clone(), None)?;
        let mut out = io::stdout().lock();
        writeln!(out, "{}", console.url())?;
        out.flush()?;
        drop(out);
        wait(signals);
        console.stop();
        if !device.wait_until_left() {
            tell(say::may_be_left());
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Where a byte comes for each signal.
fn signals() -> anyhow::Result<UnixStream> {
    let (ours, theirs) = UnixStream::pair().context("signals")?;
    for signal in [SIGINT, SIGTERM] {
        signal_hook::low_level::pipe::register(signal, theirs.try_clone()?)?;
    }
    Ok(ours)
}

fn wait(mut signals: UnixStream) {
    let mut byte = [0];
    while let Err(error) = signals.read(&mut byte) {
        if error.kind() != io::ErrorKind::Interrupted {
            break;
        }
    }
}
