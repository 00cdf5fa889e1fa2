//! The UDP door.

use std::net::SocketAddr;

use super::Hub;
use crate::device::Via;
use crate::door::{Seen, Who};
use crate::event::{Output, Row};
use crate::time::Instant;

impl Hub {
    /// As "any DTU", by the prefix of each datagram, which renews the address.
    pub(super) fn datagram(&mut self, from: SocketAddr, bytes: &[u8], now: Instant) {
        let knows = |account, who: Who<'_>| self.whom(account, who);
        let Seen::Packet {
            device,
            length,
            answer,
        } = self.rules.see(bytes, true, knows)
        else {
            return self.stray(from, bytes, now);
        };
        let (has_room, is_failing) = (self.journal.has_room(), self.journal.is_failing());
        let Some(own) = self.device_mut(device) else {
            return;
        };
        // Nobody can be told not to send datagrams: what finds no room is dropped.
        let is_lost = !has_room || own.alternation.is_quarantined(now);
        match own.via {
            // Its port changes with what is between; its address only after a silence, like that of any newcomer.
            Some(Via::Udp(to)) if to.ip() == from.ip() && !is_lost => {
                own.via = Some(Via::Udp(from));
            }
            _ if is_lost || is_failing || own.is_alive(now) => {
                self.counters.datagrams_dropped += 1;
                return;
            }
            _ => {
                let (epoch, id) = (own.claim(), own.record.id);
                // Nobody is answered for it, so it need not be on disk first; its row comes before those of its bytes.
                self.journal.push(Row::Session(id, epoch), now);
                if !self.may_begin(device, epoch, from.ip(), now) {
                    return;
                }
                self.begin(device, epoch, Via::Udp(from), from.ip(), now);
            }
        }
        if !answer.is_empty() {
            self.outputs.push_back(Output::Datagram(from, answer));
        }
        self.uplink(device, &bytes[length..], now);
        self.pump(device, now);
    }

    fn stray(&mut self, from: SocketAddr, bytes: &[u8], now: Instant) {
        self.counters.datagrams_dropped += 1;
        self.unknowns.note(bytes, from.ip(), now);
    }
}
