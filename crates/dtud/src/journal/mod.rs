//! What the log says of the device's events.
//!
//! A line begins with the thing that it is about (`link 1`, `serial`, `SMS` …), and a cause is told once: what goes on is
//! told again as a sum, or as a reminder.

use dtu_proto::Dtu;
use dtu_proto::event::{CallEvent, Connect, Event, HttpdEvent};
use dtu_proto::radio::PhoneNumber;
use dtu_proto::time::Instant;
use tracing::{debug, info, warn};

use crate::link::{Contact, LinkNews};

mod peers;
#[cfg(test)]
mod tests;

use peers::Peers;
pub(crate) use peers::Place;

/// What was said, as far as it matters for what is to be said.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    peers: Peers,
}

impl Journal {
    /// The device orders a connection.
    pub(crate) fn connecting(&mut self, place: Place, target: &Connect) {
        self.peers.connecting(place, target);
    }

    /// Called with all news of a socket, before the device has them.
    pub(crate) fn hear(&mut self, place: Place, news: &LinkNews, contact: &Contact) {
        self.peers.hear(place, news, contact);
    }

    /// Writes an event down, if it is news.
    pub(crate) fn log(&mut self, event: &Event, dtu: &Dtu, now: Instant) {
        match event {
            Event::LinkUp(link) => self.peers.up((*link).into(), now),
            Event::ChannelUp(channel) => self.peers.up((*channel).into(), now),
            Event::LinkDown { link, reason, was_up } => {
                self.peers.down((*link).into(), *reason, *was_up, now);
            }
            Event::ChannelDown { channel, reason, was_up } => {
                self.peers.down((*channel).into(), *reason, *was_up, now);
            }
            Event::ModeStarted => info!("device: {} begins", dtu.status(now).mode),
            Event::PowerOn(reason) => info!("device: power on: {reason}"),
            Event::CommandState(on) => info!("serial: command state {}", if *on { "begins" } else { "ends" }),
            Event::FrameDropped { queue, bytes } => debug!("{queue}: a frame of {bytes} bytes is dropped"),
            Event::WindowFrameDropped { bytes } => {
                warn!("serial: set-up window: a frame of {bytes} bytes found no room")
            }
            Event::WrongPassword(door) => warn!("{door}: a command with a wrong password"),
            Event::DoorShut(door) => {
                warn!("{door}: no command is heard for five minutes, five passwords were wrong")
            }
            Event::SerialPresent(present) => debug!("serial: {}", if *present { "open" } else { "missing" }),
            Event::LineRefused(why) => warn!("serial: {why}"),
            Event::MessageLost(loss) => warn!("SMS: {loss}"),
            Event::MessagesNotStored(why) => warn!("SMS: messages are not stored: {why}"),
            Event::BackupActive { backup, primary, active: true } => {
                info!("link {backup}: serves for link {primary}")
            }
            Event::BackupActive { backup, primary, active: false } => {
                info!("link {backup}: hands back to link {primary}");
            }
            Event::Lost(lost) => warn!("{lost}"),
            Event::Call(event) => log_call(*event),
            Event::Httpd(event @ HttpdEvent::Answered { .. }) => debug!("HTTPD: {event}"),
            Event::Httpd(event @ (HttpdEvent::Redirect { .. } | HttpdEvent::Repeated(_))) => {
                info!("HTTPD: {event}")
            }
            Event::Httpd(event @ (HttpdEvent::Failed(_) | HttpdEvent::Stray { .. })) => {
                warn!("HTTPD: {event}")
            }
        }
    }

    /// When something is to be said without any news.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.peers.deadline()
    }

    /// Says what is due.
    pub(crate) fn fire(&mut self, now: Instant) {
        self.peers.fire(now);
    }
}

fn log_call(event: CallEvent) {
    let who = |number: Option<PhoneNumber>| number.map_or_else(|| String::from("unknown"), |n| n.to_string());
    match event {
        CallEvent::Dialled(number) => info!("call: to {number}"),
        CallEvent::NotPlaced(number) => warn!("call: to {number} not made, there is a call already"),
        CallEvent::Incoming(from) => info!("call: from {}", who(from)),
        CallEvent::Refused(from) => info!("call: from {} hung up on, AT+CIRINGSTA=1", who(from)),
        CallEvent::Answered(with) => info!("call: with {} answered", who(with)),
        CallEvent::Ended(why) => info!("call: over, {why}"),
    }
}
