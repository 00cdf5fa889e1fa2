//! Regular checks, the healing of all faults, and the judgement at the end.

use dtu_proto::config::DropPolicy;
use dtu_proto::drops::DropPlace;
use dtu_proto::event::{LinkId, Origin, SOCKETS, SocketId};
use dtu_proto::status::{LinkState, LinkStatus, Status};

use super::socket::{Socket, State};
use super::{Event, Failure, Rule, Summary, World};
use crate::commands::origin_slot;
use crate::model::Phase;
use crate::{MS, SEC};

/// What may wait for the serial line: the limit at which sockets stop being read, four more reads, replies.
///
/// Each peer is read up to 64 KiB at most, and one read more.
const SERIAL_WAITING: usize = (SOCKETS) * (64 + 60) * 1024 + 8 * 1024;
/// The longest a healed world may need: back-off, connect time-out, hand-back of a backup, slow caches.
const DRAIN: u64 = 900 * SEC;

impl World {
    pub(super) fn regular_check(&mut self) {
        self.check_stop();
        self.excuse_unwanted();
        let status = self.device.status(self.clock());
        self.check_status(&status);
        self.check_silence();
        self.check_reading();
        self.after(1000 * MS, Event::Check);
    }

    fn check_status(&mut self, status: &Status) {
        for link in LinkId::ALL {
            let of = &status.links[link.index()];
            let balanced = balance(link, of);
            self.hold(Rule::Counters, balanced);
            let options = &self.scenario.options.links[link.index()];
            let caches = &self.scenario.options.links;
            // A cache that blocks takes what its backup hands back, whole.
            let uplink = self.ledger.uplink(link);
            let bound: usize = uplink.links.iter().map(|of| caches[of.index()].cache).sum();
            // A small cache that blocks has no headroom for the read that fills it.
            let read = if options.drop_policy == DropPolicy::Block && bound < 10 * 1024 {
                5 * 1024
            } else {
                0
            };
            if of.waiting_bytes > bound + read {
                let text = format!(
                    "link {link}: {} bytes wait in a cache of {bound}",
                    of.waiting_bytes
                );
                self.break_rule(Rule::Bounds, text);
            }
        }
        if status.serial.waiting > SERIAL_WAITING {
            let text = format!("{} bytes wait for the serial line", status.serial.waiting);
            self.break_rule(Rule::Bounds, text);
        }
        self.check_books(status);
        self.check_modes(status);
        self.check_drops();
    }

    /// What the log will say of drops is what was told, one by one.
    fn check_drops(&mut self) {
        let drops = self.device.drops();
        let count_of = |link: LinkId| (DropPlace::Link(link), self.ledger.dropped[link.index()]);
        let modes = [
            (DropPlace::Httpd, self.ledger.http.dropped),
            (DropPlace::Packets, self.ledger.command.dropped),
        ];
        let wrong = LinkId::ALL
            .into_iter()
            .map(count_of)
            .chain(modes)
            .find(|(place, count)| drops[place.index()].count != *count);
        if let Some((place, count)) = wrong {
            let sum = drops[place.index()];
            self.break_rule(
                Rule::Counters,
                format!("{count} drops of {place} were told, the sum is {sum:?}"),
            );
        }
    }

    fn check_modes(&mut self, status: &Status) {
        if self.socket(SocketId::Httpd).state != State::Closing {
            let agrees = self.ledger.http.agrees(&status.httpd);
            self.hold(Rule::Requests, agrees);
        }
    }

    /// The device's frames against the world's.
    fn check_books(&mut self, status: &Status) {
        for place in 0..self.ledger.uplinks.len() {
            let uplink = &self.ledger.uplinks[place];
            let sum = |pick: fn(&LinkStatus) -> u64| -> u64 {
                uplink
                    .links
                    .iter()
                    .map(|link| pick(&status.links[link.index()]))
                    .sum()
            };
            let given = sum(|link| link.counters.frames_in);
            let bytes = sum(|link| link.counters.bytes_in);
            let out = sum(|link| link.counters.frames_out);
            let due = (uplink.given, uplink.given_bytes, uplink.acknowledged);
            if (given, bytes) != (due.0, due.1) {
                let text = format!(
                    "links {:?}: the device counts {given} frames, {bytes} bytes in; the model {}, {}",
                    uplink.links, due.0, due.1
                );
                return self.break_rule(Rule::Frames, text);
            }
            if out != due.2 {
                let text = format!(
                    "links {:?}: {out} frames count as delivered, {} are",
                    uplink.links, due.2
                );
                return self.break_rule(Rule::Frames, text);
            }
        }
    }

    /// Everything that was broken works from now on, and the DTE only listens.
    pub(super) fn heal_and_drain(&mut self) {
        if self.stopped.is_some() {
            return;
        }
        self.note("heal", None, 0, &[]);
        self.healed = true;
        self.serial.deaf_until = 0;
        self.attach();
        self.replug();
        self.heal_sockets();
        self.heal_radio();
        let end = self.now + DRAIN;
        let mut next_look = self.now + 20 * SEC;
        while self.stopped.is_none() && self.step(end) {
            if self.now >= next_look {
                if self.drained() {
                    return;
                }
                next_look = self.now + SEC;
            }
        }
    }

    fn drained(&self) -> bool {
        let status = self.device.status(self.clock());
        let waiting = |link: &LinkStatus| link.state != LinkState::Off && link.waiting_frames > 0;
        let serial_idle = self.serial.write.is_none()
            && self.ledger.downlink.waiting == 0
            && self.serial.up.is_empty();
        let is_idle = |socket: &Socket| {
            socket.send.is_none() && (socket.id.link().is_some() || socket.inbound_bytes == 0)
        };
        let sockets_idle = self.sockets.iter().all(is_idle);
        serial_idle
            && sockets_idle
            && self.dte.at_rest()
            && (self.ledger.line.phase == Phase::Data || self.is_at_mode())
            && status.httpd.waiting_frames == 0
            && status.serial_command.waiting_packets == 0
            && status.serial_command.unfinished_bytes == 0
            && self.ledger.line.unfinished() == 0
            && !status.links.iter().any(waiting)
            && self.messages_drained(&status)
    }

    fn messages_drained(&self, status: &Status) -> bool {
        let of = &status.messages;
        // A `+CMT` waits for the command state.
        let for_line = if self.scenario.radio.sms_mode {
            of.for_line
        } else {
            0
        };
        let waiting = [of.parts, for_line, of.outgoing, of.not_taken];
        waiting.iter().all(|count| *count == 0)
            && self.radio.at_rest()
            && self.ledger.sms.unprinted() == 0
    }

    pub(super) fn judge_the_end(mut self) -> Result<Summary, Box<Failure>> {
        if self.stopped.is_none() {
            self.last_checks();
        }
        if let Some((rule, text)) = self.stopped.take() {
            return Err(self.failure(rule, text));
        }
        self.sum.micros = self.now;
        (self.sum.phone_sms, self.sum.printed_sms, self.sum.replies) = (
            self.ledger.sms.phone_count,
            self.ledger.sms.printed_count,
            self.ledger.sms.replies,
        );
        (self.sum.seed, self.sum.hash, self.sum.outputs) =
            (self.seed, self.trace.hash(), self.outputs.get());
        self.sum.packets = self.ledger.command.delivered();
        self.sum.typed = self.ledger.at.texts;
        self.sum.repeated += self.ledger.command.repeated();
        self.sum.delivered = self
            .ledger
            .uplinks
            .iter()
            .map(|uplink| uplink.acknowledged)
            .sum();
        self.sum.repeated += self
            .ledger
            .uplinks
            .iter()
            .map(|uplink| uplink.repeated)
            .sum::<u64>();
        Ok(self.sum)
    }

    fn last_checks(&mut self) {
        let status = self.device.status(self.clock());
        if !self.drained() {
            let waits: Vec<_> = status
                .links
                .iter()
                .map(|link| (link.state, link.waiting_frames))
                .collect();
            let text = format!(
                "healed {} s ago and not drained: links {waits:?}, serial {:?}, {:?}, {} reads unprinted, {:?}, \
                 {} requests, packets {}",
                DRAIN / SEC,
                status.phase,
                self.ledger.line.phase,
                self.ledger.downlink.waiting,
                status.messages,
                status.httpd.waiting_frames,
                status.serial_command.waiting_packets,
            );
            return self.break_rule(Rule::Liveness, text);
        }
        self.check_status(&status);
        let settled = self.ledger.watch.settle(self.device.config());
        self.hold(Rule::Commands, settled);
        self.check_missing(&status);
        self.judge_messages();
        self.judge_packets();
        let settled = self.ledger.at.settled();
        self.hold(Rule::Dialogue, settled);
        let settled = self.ledger.http.settled();
        self.hold(Rule::Requests, settled);
        self.check_debts(&status);
    }

    fn check_missing(&mut self, status: &Status) {
        for place in 0..self.ledger.uplinks.len() {
            let uplink = &self.ledger.uplinks[place];
            let off = uplink
                .links
                .iter()
                .all(|link| status.links[link.index()].state == LinkState::Off);
            let dropped: u64 = uplink
                .links
                .iter()
                .map(|link| status.links[link.index()].counters.dropped_frames)
                .sum();
            let missing = uplink.missing();
            if missing > dropped && !off {
                let text = format!(
                    "links {:?}: {missing} frames never came, {dropped} are counted",
                    uplink.links
                );
                self.break_rule(Rule::Frames, text);
            }
        }
    }

    /// Every command that was let in has had its reply, and was said.
    fn check_debts(&mut self, status: &Status) {
        if let Some((least, _)) = self.ledger.to_log.into_iter().find(|(least, _)| *least > 0) {
            self.break_rule(
                Rule::Commands,
                format!("{least} commands from afar were not said to the log"),
            );
        }
        for origin in [Origin::Serial, Origin::SerialFrame] {
            let (least, _) = self.ledger.owed[origin_slot(origin)];
            if least > 0 {
                self.break_rule(
                    Rule::Commands,
                    format!("{least} commands at {origin:?} had no reply"),
                );
            }
        }
        for link in LinkId::ALL {
            let (least, _) = self.ledger.owed[origin_slot(Origin::Link(link))];
            let dropped = status.links[link.index()].counters.dropped_replies;
            if u64::from(least) > dropped {
                self.break_rule(
                    Rule::Commands,
                    format!("{least} commands of link {link} had no reply"),
                );
            }
        }
    }
}

fn balance(link: LinkId, status: &LinkStatus) -> Result<(), String> {
    let c = &status.counters;
    let bytes = (c.bytes_in + c.moved_in_bytes)
        == c.bytes_out + c.dropped_bytes + c.moved_out_bytes + status.waiting_bytes as u64;
    let frames = (c.frames_in + c.moved_in_frames)
        == c.frames_out + c.dropped_frames + c.moved_out_frames + status.waiting_frames as u64;
    if bytes && frames {
        Ok(())
    } else {
        Err(format!(
            "link {link}: in is not out + dropped + waiting: {status:?}"
        ))
    }
}
