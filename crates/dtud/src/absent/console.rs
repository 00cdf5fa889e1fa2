//! In the place of `console` where the feature is left out: it never is, and who asks for it is told so.

use std::convert::Infallible;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use dtu_proto::Dtu;
use dtu_proto::event::{Input, Output};
use dtu_proto::time::Instant;
use tracing::{Subscriber, warn};
use tracing_subscriber::Layer;

use crate::control::Control;
use crate::machine::Machine;
use crate::modem;
use crate::settings::{self, ConsoleAddress};

pub(crate) struct Console(Infallible);

pub(crate) struct Config(Infallible);

pub(crate) struct Server(Infallible);

pub(crate) struct Kind;

impl Kind {
    pub(crate) fn new(_modem: &modem::Address, _line: &dyn std::fmt::Display) -> Self {
        Self
    }
}

pub(crate) fn config(
    argument: Option<ConsoleAddress>,
    settings: &settings::Console,
    _state: &Path,
) -> Option<Config> {
    if let Some(ConsoleAddress::At(_)) = argument.or(settings.addr) {
        warn!("console: {MISSING}");
    }
    None
}

pub(crate) const fn check(config: &Config) -> Result<(), String> {
    match config.0 {}
}

pub(crate) const fn check_files(_settings: &settings::Console) -> Result<(), String> {
    Ok(())
}

pub(crate) const fn start(
    config: Config,
    _kind: Kind,
    _control: &Arc<Control>,
) -> std::io::Result<(Server, Console)> {
    match config.0 {}
}

pub(crate) fn change_password(
    _state: &Path,
    _viewer: bool,
    _remove: bool,
) -> anyhow::Result<ExitCode> {
    anyhow::bail!(MISSING)
}

impl Server {
    pub(crate) const fn told(&self) -> &str {
        match self.0 {}
    }

    pub(crate) const fn stop(&self) {
        match self.0 {}
    }
}

impl Console {
    pub(crate) const fn watch(_dtu: &mut Dtu) {}

    pub(crate) const fn reload(&self) {
        match self.0 {}
    }

    pub(crate) const fn fingerprint(&self) -> Option<String> {
        match self.0 {}
    }

    pub(crate) const fn next_line(&mut self, _dtu: &Dtu, _now: Instant) -> Option<String> {
        match self.0 {}
    }

    pub(crate) const fn has_lines(&self) -> bool {
        match self.0 {}
    }

    pub(crate) const fn runs_a_line(&self) -> bool {
        match self.0 {}
    }

    pub(crate) const fn reply(&mut self, _reply: &str) -> bool {
        match self.0 {}
    }

    pub(crate) const fn give_up(&mut self, _now: Instant) {
        match self.0 {}
    }

    pub(crate) const fn deadline(&self) -> Option<Instant> {
        match self.0 {}
    }

    pub(crate) const fn input(&mut self, _input: &Input<'_>, _dtu: &Dtu) {
        match self.0 {}
    }

    pub(crate) const fn seen(&mut self, _dtu: &mut Dtu, _now: Instant) {
        match self.0 {}
    }

    pub(crate) const fn output(&mut self, _output: &Output, _dtu: &Dtu) {
        match self.0 {}
    }
}

impl Machine {
    pub(crate) const fn answer_console(&mut self, _now: Instant) -> bool {
        false
    }
}

pub(crate) mod log {
    use super::{Layer, Subscriber};

    pub(crate) struct Keeper;

    impl<S: Subscriber> Layer<S> for Keeper {}
}

const MISSING: &str = "this build has no web console (feature \"console\")";
