//! What the log says of the device's events.
//!
//! A line begins with the thing that it is about (`link 1`, `serial`, `SMS` …), and a cause is told once: what goes on is
//! told again as a sum, or as a reminder.

use std::time::Duration;

use dtu_proto::Dtu;
use dtu_proto::drops::{DropPlace, Dropped};
use dtu_proto::event::{CallEvent, Connect, Event, HttpdEvent, Origin, SocketId, TrialEvent};
use dtu_proto::radio::PhoneNumber;
use dtu_proto::status::Status;
use dtu_proto::time::Instant;
use tracing::{debug, error, info, warn};

use crate::serial::Address;
use crate::socket::{Contact, SocketEvent};

#[cfg(test)]
mod day;
mod drops;
mod peers;
mod repeats;
mod summary;

pub(crate) use summary::link_state;
#[cfg(test)]
mod tests;
#[cfg(test)]
pub(crate) use tests::{LogCapture, captured_by};

use drops::Drops;
pub(crate) use drops::Total;
use peers::Peers;
pub(crate) use repeats::Repeats;

/// What was said, as far as it matters for what is to be said.
#[derive(Debug)]
pub(crate) struct Journal {
    peers: Peers,
    drops: Drops,
    /// Of the HTTPD client, since its last answer.
    httpd_told: Vec<HttpdEvent>,
    /// Who had a wrong password, and when that was told.
    strangers: Vec<(Origin, Instant)>,
    /// Of the parameter store.
    store: Repeats,
}

impl Journal {
    /// `counted`: what was dropped before, and is no news.
    pub(crate) fn new(counted: [Dropped; DropPlace::COUNT]) -> Self {
        Self {
            peers: Peers::default(),
            drops: Drops::new(counted),
            httpd_told: Vec::new(),
            strangers: Vec::new(),
            store: Repeats::default(),
        }
    }

    /// The device orders a connection.
    pub(crate) fn connecting(&mut self, socket: SocketId, target: &Connect) {
        self.peers.connecting(socket, target);
    }

    /// Called with all news of a socket, before the device has them.
    pub(crate) fn on_socket(&mut self, socket: SocketId, news: &SocketEvent, contact: &Contact) {
        self.peers.on_socket(socket, news, contact);
    }

    /// Writes an event down, if it is news.
    pub(crate) fn log(&mut self, event: &Event, dtu: &Dtu, now: Instant) {
        match event {
            Event::Connected(socket) => {
                self.peers.up(*socket, now);
                if let SocketId::Link(link) = socket {
                    self.drops.link_up(*link, now);
                }
            }
            Event::Disconnected {
                socket,
                reason,
                was_up,
            } => self.peers.down(*socket, *reason, *was_up, now),
            Event::ModeStarted => info!("device: {} begins", dtu.status(now).mode),
            Event::PowerOn(reason) => {
                self.report_all_drops(now, dtu);
                self.peers.begin_anew();
                info!("device: power on: {reason}");
            }
            Event::CommandState(on) => info!(
                "serial: command state {}",
                if *on { "begins" } else { "ends" }
            ),
            Event::FrameDropped { queue, bytes } => {
                debug!("{queue}: a frame of {bytes} bytes is dropped")
            }
            Event::LineDropped { bytes, .. } => {
                debug!("serial: {bytes} bytes for the equipment are dropped")
            }
            Event::WindowFrameDropped { bytes } => {
                debug!("serial: a frame of {bytes} bytes found no room")
            }
            // The web console asks for all settings, again and again.
            Event::Command {
                origin: origin @ Origin::Console,
                line,
                outcome: Ok(()),
            } if only_asks(line) => debug!("{}{line}: OK", self.who(*origin)),
            Event::Command {
                origin,
                line,
                outcome: Ok(()),
            } => info!("{}{line}: OK", self.who(*origin)),
            Event::Command {
                origin,
                line,
                outcome: Err(why),
            } => {
                info!("{}{line}: refused: {why}", self.who(*origin));
            }
            Event::WrongPassword(origin) => self.log_wrong_password(*origin, now),
            Event::OriginLocked(origin) => {
                warn!(
                    "{}, no command is heard for five minutes",
                    from(*origin, "five wrong passwords")
                );
            }
            Event::SerialPresent(present) => {
                debug!("serial: {}", if *present { "open" } else { "missing" })
            }
            Event::LineRefused(why) => warn!("serial: {why}"),
            Event::MessageLost(loss) if self.drops.lasts(DropPlace::Messages) => {
                debug!("SMS: {loss}")
            }
            Event::MessageLost(loss) => warn!("SMS: {loss}"),
            Event::MessageToPort { from, port } => {
                info!(
                    "SMS: a message from {from} to port {port} is for an application: not printed"
                );
            }
            Event::MessagesNotStored(why) => warn!("SMS: messages are not stored: {why}"),
            Event::BackupActive {
                backup,
                primary,
                active: true,
            } => {
                info!("link {backup}: serves for link {primary}")
            }
            Event::BackupActive {
                backup,
                primary,
                active: false,
            } => {
                info!("link {backup}: hands back to link {primary}");
            }
            Event::Lost(lost) => debug!("{lost}"),
            Event::Call(event) => log_call(*event),
            Event::Httpd(event) => self.log_httpd(event),
            Event::Trial(
                event @ (TrialEvent::Begins { .. } | TrialEvent::Kept | TrialEvent::Undone),
            ) => {
                info!("device: {event}");
            }
            Event::Trial(event @ (TrialEvent::Expired | TrialEvent::Restarted)) => {
                warn!("device: {event}")
            }
        }
    }

    /// The beginning of a line about a command.
    fn who(&self, origin: Origin) -> String {
        match origin {
            Origin::Link(link) => {
                format!(
                    "{origin}: command from {}: ",
                    self.peers.address(SocketId::Link(link))
                )
            }
            Origin::Sms(number) => format!("SMS: command from {number}: "),
            Origin::SerialFrame => "serial: command in a frame: ".to_owned(),
            Origin::Serial | Origin::Console => format!("{origin}: command: "),
        }
    }

    /// Once a stranger: guesses come in fives, and then the origin is locked, which is told.
    fn log_wrong_password(&mut self, origin: Origin, now: Instant) {
        self.strangers
            .retain(|(_, told)| now.since(*told) < STRANGER_FOR);
        if self.strangers.iter().any(|(known, _)| *known == origin) {
            debug!("{}", from(origin, "a command with a wrong password"));
        } else if self.strangers.len() < STRANGERS_MAX {
            self.strangers.push((origin, now));
            warn!("{}refused, its password is wrong", self.who(origin));
        }
    }

    /// The parameters could not be stored.
    pub(crate) fn not_stored(&mut self, why: &str, now: Instant) {
        match self.store.again(why, now) {
            Some(text) => error!("store: {text}"),
            None => debug!("store: {why}"),
        }
    }

    /// The device has come to its end.
    pub(crate) fn stopped(&mut self, now: Instant, dtu: &Dtu) {
        self.report_all_drops(now, dtu);
        info!("device: stopped");
    }

    /// Also what was dropped since the last look.
    fn report_all_drops(&mut self, now: Instant, dtu: &Dtu) {
        self.drops.look(now, dtu.drops());
        self.drops.report_all(now);
    }

    /// Each kind once between two answers: a server that is gone fails every request alike.
    fn log_httpd(&mut self, event: &HttpdEvent) {
        let known = self.httpd_told.contains(event);
        match event {
            HttpdEvent::Answered { .. } => {
                debug!("HTTPD: {event}");
                // Of redirects each answer has one.
                self.httpd_told
                    .retain(|told| matches!(told, HttpdEvent::Redirect { .. }));
                return;
            }
            HttpdEvent::Stray { .. } => debug!("HTTPD: {event}"),
            HttpdEvent::Failed(_) if self.drops.lasts(DropPlace::HttpdRequests) => {
                debug!("HTTPD: {event}")
            }
            HttpdEvent::Failed(_) | HttpdEvent::Cut { .. } => warn!("HTTPD: {event}"),
            HttpdEvent::Redirect { .. } | HttpdEvent::Repeated(_) if known => {
                debug!("HTTPD: {event}")
            }
            HttpdEvent::Redirect { .. } | HttpdEvent::Repeated(_) => info!("HTTPD: {event}"),
        }
        if !known && self.httpd_told.len() < HTTPD_TOLD_MAX {
            self.httpd_told.push(event.clone());
        }
    }

    /// Looks what was dropped since the last look.
    pub(crate) fn look(&mut self, now: Instant, dtu: &Dtu) {
        self.drops.look(now, dtu.drops());
    }

    /// Everything that was dropped.
    pub(crate) fn dropped(&self) -> Total {
        self.drops.total()
    }

    /// The whole device in one line.
    pub(crate) fn summary(&self, status: &Status, serial: &Address) -> String {
        summary::summary(status, serial, self.dropped())
    }

    /// When something is to be said without any news.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        [self.peers.deadline(), self.drops.deadline()]
            .into_iter()
            .flatten()
            .min()
    }

    /// Says what is due.
    pub(crate) fn fire(&mut self, now: Instant) {
        self.peers.fire(now);
        self.drops.fire(now);
    }
}

/// Whether a command line sets nothing.
fn only_asks(line: &str) -> bool {
    line.ends_with('?') && !line.contains('=')
}

/// A line about an origin, with the thing that it is of in front.
fn from(origin: Origin, what: &str) -> String {
    match origin {
        Origin::Sms(number) => format!("SMS: {what} from {number}"),
        Origin::SerialFrame => format!("serial: {what} in frames"),
        Origin::Link(_) | Origin::Serial | Origin::Console => format!("{origin}: {what}"),
    }
}

fn log_call(event: CallEvent) {
    let who = |number: Option<PhoneNumber>| {
        number.map_or_else(|| String::from("unknown"), |n| n.to_string())
    };
    match event {
        CallEvent::Dialled(number) => info!("call: to {number}"),
        CallEvent::NotPlaced(number) => {
            warn!("call: to {number} not made, there is a call already")
        }
        CallEvent::Incoming(from) => info!("call: from {}", who(from)),
        CallEvent::Refused(from) => info!("call: from {} hung up on, AT+CIRINGSTA=1", who(from)),
        CallEvent::Answered(with) => info!("call: with {} answered", who(with)),
        CallEvent::Ended(why) => info!("call: over, {why}"),
    }
}

/// Between two lines about what stays as bad as it is.
pub(crate) const REMINDER: Duration = Duration::from_secs(10 * 60);
/// What lasted so long does not come and go any more.
pub(crate) const STEADY: Duration = Duration::from_secs(60);
/// Places of redirects that are remembered.
const HTTPD_TOLD_MAX: usize = 16;
/// A wrong password is news again after so long.
const STRANGER_FOR: Duration = Duration::from_secs(10 * 60);
const STRANGERS_MAX: usize = 16;
