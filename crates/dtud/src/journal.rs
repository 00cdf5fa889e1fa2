//! What the log says of the device's events.

use dtu_proto::event::{CHANNELS, CallEvent, ChannelId, Event, HttpdEvent, LINKS, LinkDownReason};
use dtu_proto::radio::{CallEnd, PhoneNumber};
use tracing::{debug, info, warn};

/// Why each link or channel did not come up, as last told: a reason is news once, not at each attempt.
#[derive(Debug, Default)]
pub(crate) struct Troubles([Option<LinkDownReason>; LINKS + CHANNELS]);

impl Troubles {
    /// Writes an event down, if it is news.
    pub(crate) fn log(&mut self, event: &Event) {
        if let Event::LinkUp(link) = event {
            self.0[link.index()] = None;
        }
        if let Event::ChannelUp(channel) = event {
            self.0[LINKS + channel.index()] = None;
        }
        if let Event::LinkDown { link, reason, was_up: false } = event
            && self.is_new(link.index(), *reason)
        {
            info!("link {link} did not come up, it is tried again: {reason}");
        } else if let Event::ChannelDown { channel, reason, was_up: false } = event
            && (*channel == ChannelId::AT_MODE || self.is_new(LINKS + channel.index(), *reason))
        {
            // In the AT mode each attempt was asked for.
            info!("{channel}: not connected: {reason}");
        } else {
            log(event);
        }
    }

    /// What the device ordered itself is no trouble.
    fn is_new(&mut self, place: usize, reason: LinkDownReason) -> bool {
        reason != LinkDownReason::Ordered && self.0[place].replace(reason) != Some(reason)
    }
}

fn log(event: &Event) {
    match event {
        Event::PowerOn(reason) => info!("power on: {reason:?}"),
        Event::ModeStarted => info!("working mode begins"),
        Event::CommandState(on) => info!("command state {}", if *on { "begins" } else { "ends" }),
        Event::LinkUp(link) => info!("link {link} is up"),
        Event::LinkDown { link, reason, was_up: true } => info!("link {link} is down: {reason}"),
        Event::LinkDown { link, reason, was_up: false } => debug!("link {link} did not come up: {reason}"),
        Event::ChannelUp(channel) => info!("{channel}: connected"),
        Event::ChannelDown { channel, reason, was_up: true } => info!("{channel}: connection over: {reason}"),
        Event::ChannelDown { channel, reason, was_up: false } => debug!("{channel}: not connected: {reason}"),
        Event::FrameDropped { queue, bytes } => {
            debug!("{queue}: a frame of {bytes} bytes is lost, the cache is full")
        }
        Event::WindowFrameDropped { bytes } => warn!("set-up window: a frame of {bytes} bytes found no room"),
        Event::WrongPassword(door) => warn!("wrong password from {door:?}"),
        Event::DoorShut(door) => warn!("{door:?} is ignored for five minutes: five wrong passwords"),
        Event::SerialPresent(present) => debug!("serial present: {present}"),
        Event::LineRefused(why) => warn!("serial line: {why}"),
        Event::MessageLost(loss) => warn!("{loss}"),
        Event::MessagesNotStored(why) => warn!("messages are not stored: {why}"),
        Event::BackupActive { backup, primary, active: true } => {
            info!("link {backup} serves for link {primary}")
        }
        Event::BackupActive { backup, primary, active: false } => {
            info!("link {backup} hands back to link {primary}");
        }
        Event::Lost(lost) => warn!("{lost}"),
        Event::Call(event) => log_call(*event),
        Event::Httpd(event @ HttpdEvent::Answered { .. }) => debug!("HTTPD: {event}"),
        Event::Httpd(event @ (HttpdEvent::Redirect { .. } | HttpdEvent::Repeated(_))) => {
            info!("HTTPD: {event}")
        }
        Event::Httpd(event @ (HttpdEvent::Failed(_) | HttpdEvent::Stray { .. })) => warn!("HTTPD: {event}"),
    }
}

fn log_call(event: CallEvent) {
    let who = |number: Option<PhoneNumber>| number.map_or_else(|| String::from("unknown"), |n| n.to_string());
    match event {
        CallEvent::Dialled(number) => info!("call to {number}"),
        CallEvent::NotPlaced(number) => warn!("call to {number}: not made, there is a call already"),
        CallEvent::Incoming(from) => info!("call from {}", who(from)),
        CallEvent::Refused(from) => info!("call from {}: hung up on, AT+CIRINGSTA=1", who(from)),
        CallEvent::Answered(with) => info!("call with {}: answered", who(with)),
        CallEvent::Ended(CallEnd::HungUp) => info!("call over: hung up"),
        CallEvent::Ended(CallEnd::Busy) => info!("call over: busy"),
        CallEvent::Ended(CallEnd::NoAnswer) => info!("call over: not answered"),
        CallEvent::Ended(CallEnd::NoCarrier) => info!("call over: no connection"),
    }
}

#[cfg(test)]
mod tests {
    use dtu_proto::event::{CloseReason, LinkId};

    use super::*;

    #[test]
    fn why_a_link_does_not_come_up_is_told_once_a_reason() {
        let (refused, unknown) = (
            LinkDownReason::Network(CloseReason::Refused),
            LinkDownReason::Network(CloseReason::NameNotFound),
        );
        let mut troubles = Troubles::default();
        let [first, second, ..] = LinkId::ALL;
        let (one, two) = (first.index(), second.index());
        assert!(troubles.is_new(one, refused));
        assert!(!troubles.is_new(one, refused));
        assert!(troubles.is_new(two, refused));
        assert!(troubles.is_new(one, unknown));
        assert!(!troubles.is_new(one, LinkDownReason::Ordered));
        troubles.log(&Event::LinkUp(second));
        assert!(troubles.is_new(two, refused));
    }
}
