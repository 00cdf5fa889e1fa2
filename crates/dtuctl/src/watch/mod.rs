//! `watch`: a terminal on the line, and JSON lines into a pipe.

mod app;
mod escape;
mod feed;
mod prompt;
mod rows;
mod screen;
mod view;

use std::io::{self, IsTerminal as _, Write as _};
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use clap::Args;
use serde_json::json;

use crate::device::PortArgs;
use crate::port::stop_cleanly;
use crate::settings::Ended;
use feed::{Feed, News};

/// A terminal on the line, with hex and text.
#[derive(Debug, Args)]
pub(crate) struct Watch {
    /// JSON lines on stdout also where that is a terminal; into a pipe they are printed anyway
    #[arg(long)]
    json: bool,
}

impl Watch {
    pub(crate) fn run(&self, port: &PortArgs) -> Ended {
        let (name, baud) = port.watched()?;
        if self.prints_lines() {
            stop_cleanly()?;
            print_lines(&mut Feed::open(&name, baud)?)?;
        } else {
            screen::run(&name, baud, port.charset())?;
        }
        Ok(ExitCode::SUCCESS)
    }

    /// Whether stdout gets JSON lines.
    pub(crate) fn prints_lines(&self) -> bool {
        self.json || !(io::stdin().is_terminal() && io::stdout().is_terminal())
    }
}

/// One object a read, until somebody stops it.
fn print_lines(feed: &mut Feed) -> anyhow::Result<()> {
    loop {
        let line = match feed.next(FAR) {
            Ok(Some(News::Bytes(bytes))) => json!({
                "time": crate::clock::utc(SystemTime::now()),
                "from": "device",
                "bytes": bytes.len(),
                "hex": rows::hex(&bytes, ""),
                "text": rows::text(&bytes),
            }),
            Ok(Some(News::Gone(why))) => json!({
                "time": crate::clock::utc(SystemTime::now()),
                "event": "gone",
                "why": why.english(),
            }),
            Ok(Some(News::Back(gap))) => json!({
                "time": crate::clock::utc(SystemTime::now()),
                "event": "back",
                "gap_ms": u64::try_from(gap.as_millis()).unwrap_or(u64::MAX),
            }),
            Ok(None) => continue,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        let mut out = io::stdout().lock();
        writeln!(out, "{line}")?;
        out.flush()?;
    }
}

const FAR: Duration = Duration::from_secs(3600);
