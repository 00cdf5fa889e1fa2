//! The stored file: one AT set command a line, from the same table that serves AT commands of every origin.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::call::Call;
use super::parse::{self, Form};
use super::{Clock, Context, Rights, table};
use crate::config::{Config, Options, Problem, WorkingMode};
use crate::event::{LINKS, Leds, Origin};
use crate::identity::Identity;
use crate::mode::at::AtConnection;
use crate::sms::Mailbox;
use crate::status::{
    CallStatus, HttpdCounters, HttpdStatus, LinkCounters, LinkState, LinkStatus, MessageStatus,
    Phase, RadioStatus, SerialCommandStatus, SerialStatus, Status,
};
use crate::time::{Duration, Instant};

/// All stored parameters as text.
#[must_use]
pub fn to_store_text(config: &Config) -> String {
    store_lines(config)
        .into_iter()
        .fold(String::new(), |text, line| text + &line + "\n")
}

/// The parameters in `text`; what it does not name has its factory value. Lines that cannot be used (of a later
/// version, say) are passed over and reported; empty ones and those that begin with `#` say nothing.
#[must_use]
pub fn from_store_text(text: &str) -> (Config, Vec<Problem>) {
    let mut config = Config::default();
    let mut problems = Vec::new();
    for (line, content) in (1..).zip(text.lines()) {
        let content = content.trim();
        if content.is_empty() || content.starts_with('#') {
            continue;
        }
        if let Err(text) = load(content, &mut config) {
            problems.push(Problem { line, text });
        }
    }
    (config, problems)
}

/// The set commands that make this configuration out of the factory one.
pub(super) fn store_lines(config: &Config) -> Vec<String> {
    table::all()
        .filter_map(|command| command.saved)
        .flat_map(|lines| lines(config))
        .collect()
}

/// Applies one stored line. An error says what is wrong, and the configuration is as before.
fn load(line: &str, config: &mut Config) -> Result<(), String> {
    let line = parse::normalize(line.as_bytes());
    let rest = parse::behind_at(parse::trim(&line)).ok_or("the line does not begin with AT")?;
    let (piece, rest) = parse::next(rest).ok_or("the line has no command")?;
    let piece = piece?;
    if parse::next(rest).is_some() {
        return Err(String::from("the line has more than one command"));
    }
    let saved = table::find(&piece.name).is_none_or(|command| command.saved.is_some());
    if !saved || matches!(piece.form, Form::Read | Form::Test) {
        return Err(format!("{} is no stored setting", piece.name));
    }
    let stored = Config::default();
    let (mut clock, mut mailbox, mut connection) = (
        Clock::default(),
        Mailbox::default(),
        AtConnection::default(),
    );
    let mut ctx = Context {
        config,
        stored: &stored,
        options: &Options::default(),
        identity: &Identity::default(),
        status: &blank_status(),
        clock: &mut clock,
        mailbox: &mut mailbox,
        connection: &mut connection,
        origin: Origin::Console,
        rights: Rights::Full,
        refusal: &mut None,
    };
    Call::run(&piece, &mut ctx)
        .map(|_| ())
        .map_err(|error| error.text)
}

/// Of a device that does nothing.
pub(super) fn blank_status() -> Status {
    let link = LinkStatus {
        state: LinkState::Off,
        last_down: None,
        counters: LinkCounters::default(),
        waiting_frames: 0,
        waiting_bytes: 0,
    };
    Status {
        now: Instant::ZERO,
        uptime: Duration::ZERO,
        restarts: 0,
        phase: Phase::Command,
        mode: WorkingMode::Transparent,
        mode_started: true,
        attached: None,
        radio: RadioStatus::default(),
        messages: MessageStatus::default(),
        call: CallStatus::default(),
        leds: Leds::default(),
        serial: SerialStatus::default(),
        links: [link; LINKS],
        httpd: HttpdStatus {
            state: LinkState::Off,
            trouble: None,
            counters: HttpdCounters::default(),
            waiting_frames: 0,
            waiting_bytes: 0,
        },
        at_connection: AtConnection::default().status(),
        serial_command: SerialCommandStatus::default(),
    }
}
