//! Bytes from a device, and bytes to it.

use bytes::Bytes;

use super::Hub;
use crate::connection::Stage;
use crate::device::{Device, UDP_WINDOW, Via};
use crate::downlink::{Next, Over};
use crate::event::{End, Log, Output, ProgramOutput, Row, What};
use crate::journal::Then;
use crate::stream::Piece;
use crate::time::Instant;

impl Hub {
    /// A read of a device with a session.
    pub(super) fn uplink(&mut self, place: u32, bytes: &[u8], now: Instant) {
        let mut messages = std::mem::take(&mut self.scratch);
        let Some(device) = self.device_mut(place) else {
            return;
        };
        let what = device.presence.heard(now);
        let Device { stream, record, .. } = device;
        stream.feed(&record.reading, bytes, now, &mut |piece| {
            collect(&mut messages, piece)
        });
        if let Some(what) = what {
            self.event(place, what, now);
        }
        self.messages(place, messages, now);
        self.plan_device(place, now);
    }

    pub(super) fn stream_due(&mut self, place: u32, now: Instant) {
        let mut messages = std::mem::take(&mut self.scratch);
        if let Some(Device { stream, record, .. }) = self.device_mut(place) {
            stream.fire(&record.reading, now, &mut |piece| {
                collect(&mut messages, piece)
            });
        }
        self.messages(place, messages, now);
    }

    /// Nothing more comes in this session: what waits in the stream is a message.
    pub(super) fn flush(&mut self, place: u32, now: Instant) {
        let mut messages = std::mem::take(&mut self.scratch);
        if let Some(Device { stream, record, .. }) = self.device_mut(place) {
            stream.end(&record.reading, &mut |piece| collect(&mut messages, piece));
        }
        self.messages(place, messages, now);
    }

    fn messages(&mut self, place: u32, mut messages: Vec<Bytes>, now: Instant) {
        for bytes in messages.drain(..) {
            self.message(place, &bytes, now);
        }
        self.scratch = messages;
    }

    /// "numbers every chunk (epoch, sequence), appends it to the history batch and publishes it"
    fn message(&mut self, place: u32, bytes: &Bytes, now: Instant) {
        let Some(device) = self.device_mut(place) else {
            return;
        };
        let (before, position) = device.number();
        let id = device.record.id;
        self.counters.messages += 1;
        self.publish(place, id, before, position, bytes, now);
        let row = Row::Uplink {
            device: id,
            position,
            at: now,
            bytes: bytes.clone(),
        };
        self.journal.push(row, now);
        self.tell_groups(place, bytes, now);
    }

    /// Sends what can be sent to a device now.
    pub(super) fn pump(&mut self, place: u32, now: Instant) {
        loop {
            let Self {
                devices,
                connections,
                ..
            } = self;
            let Some(device) = devices.get_mut(place as usize).and_then(Option::as_mut) else {
                return;
            };
            if device.downlink.bytes() == 0 || now < device.pause_until {
                break;
            }
            let can_send = match device.via {
                None => false,
                Some(Via::Udp(_)) => now.since(device.presence.heard_at()) <= UDP_WINDOW,
                Some(Via::Tcp(connection)) => connections
                    .get(connection as usize)
                    .and_then(Option::as_ref)
                    .is_some_and(crate::connection::Connection::is_free),
            };
            if !can_send {
                break;
            }
            match device.downlink.next() {
                Next::Nothing => break,
                Next::Note(message) => {
                    let then = Then::Noted(place, message);
                    self.journal.push_then(Row::Sending(message), then, now);
                }
                Next::Send(bytes) => {
                    device.pause_until = now + device.record.gap;
                    self.send_message(place, bytes, now);
                }
            }
        }
        self.plan_device(place, now);
    }

    fn send_message(&mut self, place: u32, bytes: Bytes, now: Instant) {
        match self.device(place).and_then(|device| device.via) {
            Some(Via::Tcp(connection)) => {
                self.send(connection, bytes);
                let end = self.connection(connection).map_or(0, |own| own.sent());
                if let Some(device) = self.device_mut(place) {
                    device.downlink.sent(end);
                }
            }
            Some(Via::Udp(to)) => {
                self.outputs.push_back(Output::Datagram(to, bytes));
                if let Some(device) = self.device_mut(place) {
                    device.downlink.sent(0);
                }
                // A datagram has no answer: sent is all that can be known.
                self.acknowledge(place, 0, now);
            }
            None => {}
        }
    }

    /// The TCP of a device has so many bytes.
    pub(super) fn acked(&mut self, connection: u32, total: u64, now: Instant) {
        let stage = self.connection(connection).map(|own| &own.stage);
        if let Some(Stage::Session(place)) = stage {
            let place = *place;
            self.acknowledge(place, total, now);
        }
    }

    fn acknowledge(&mut self, place: u32, total: u64, now: Instant) {
        while let Some(over) = self
            .device_mut(place)
            .and_then(|device| device.downlink.acked(total))
        {
            self.done(over, End::Delivered, now);
        }
    }

    fn done(&mut self, over: Over, end: End, now: Instant) {
        if over.kept {
            self.journal.push(Row::Done(over.id, end), now);
        }
    }

    pub(super) fn uncertain(&mut self, place: u32, over: Over, now: Instant) {
        self.done(over, End::Uncertain, now);
        self.event(place, What::Uncertain(over.id), now);
    }

    pub(super) fn expire(&mut self, place: u32, now: Instant) {
        while let Some(over) = self
            .device_mut(place)
            .and_then(|device| device.downlink.expire(now))
        {
            self.done(over, End::Expired, now);
            self.event(place, What::Expired(over.id), now);
        }
    }

    /// A batch is on disk: what follows from it, in the order of its rows.
    pub(super) fn committed(&mut self, batch: u64, now: Instant) {
        if self.journal.committed(batch) {
            self.log(Log::StoreBack);
        }
        while let Some(then) = self.journal.follows(batch) {
            match then {
                Then::Session(connection, device, epoch) => {
                    self.claimed(connection, device, epoch, now);
                }
                Then::Accepted(place, message) => {
                    let answer = self
                        .device_mut(place)
                        .and_then(|device| device.downlink.accepted(message));
                    if let Some((program, tag)) = answer {
                        self.tell_program(program, ProgramOutput::Answered(tag));
                    }
                    self.expire(place, now);
                    self.pump(place, now);
                }
                Then::Noted(place, message) => {
                    if let Some(device) = self.device_mut(place) {
                        device.downlink.noted(message);
                    }
                    self.expire(place, now);
                    self.pump(place, now);
                }
                Then::Subscribed(session, subscription) => {
                    if let Some(program) = self.session(session).and_then(|own| own.attached) {
                        self.tell_program(program, ProgramOutput::Subscribed(subscription));
                    }
                }
            }
        }
        for key in std::mem::take(&mut self.wait_for_disk) {
            if let Some(session) = self.session(key) {
                session.waits_for_disk = false;
            }
            self.read_history(key);
        }
    }
}

fn collect(messages: &mut Vec<Bytes>, piece: Piece<'_>) {
    match piece {
        Piece::Message(message) => messages.push(Bytes::copy_from_slice(message)),
        Piece::TakenOut(_) => {}
    }
}
