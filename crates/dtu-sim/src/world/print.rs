//! What the device prints on the serial line, judged piece by piece.

use dtu_proto::config::HeartbeatTo;
use dtu_proto::event::Origin;

use super::{Rule, World};
use crate::commands::origin_slot;
use crate::downlink::Printout;
use crate::model::Phase;
use crate::{MS, SEC};

impl World {
    /// The device prints on the serial line.
    pub(super) fn judge_print(&mut self, bytes: &[u8]) {
        if self.ledger.sms.prints(bytes) {
            self.ledger.last_data = self.now;
            if self.is_command_state() {
                self.break_rule(Rule::Messages, "a message is printed in the command state");
            }
            return;
        }
        let may_print_urc =
            self.is_command_state() || self.ledger.before.1 || self.ledger.stops_in_window;
        if self.is_urc(bytes) && !may_print_urc {
            let text = format!("\"{}\" is printed into data", bytes.escape_ascii());
            self.break_rule(Rule::Messages, text);
        }
        if self.judge_notice(bytes) {
            return;
        }
        let set = &self.ledger.watch.expected;
        self.ledger.downlink.settings(&set.banner, &set.heartbeat);
        match self.ledger.downlink.print(bytes, self.ledger.prompts > 0) {
            Ok(pieces) => pieces.into_iter().for_each(|piece| self.printed(piece)),
            Err(text) => self.break_rule(Rule::Downlink, text),
        }
    }

    /// `+CMTI` and `+CMT` where `CNMI` asks for them; what cannot be printed whole when it comes is stored. Whether it
    /// is a whole message.
    fn judge_notice(&mut self, bytes: &[u8]) -> bool {
        let notify = self.ledger.watch.expected.messages.notify;
        let (indicates, whole) = (
            bytes.starts_with(b"\r\n+CMTI"),
            bytes.starts_with(b"\r\n+CMT:"),
        );
        self.ledger.sms.shown += u64::from(whole);
        let asked = [(indicates, [1, 2, 3].as_slice()), (whole, &[2])];
        let unasked = asked
            .iter()
            .any(|(is, wanted)| *is && !wanted.contains(&notify.messages));
        if unasked || (indicates && notify.mode == 0) {
            let text = format!("\"{}\" is printed with {notify:?}", bytes.escape_ascii());
            self.break_rule(Rule::Messages, text);
        }
        whole
    }

    /// What a modem tells without being asked.
    fn is_urc(&self, bytes: &[u8]) -> bool {
        let texts = [
            "RING",
            "NO CARRIER",
            "+CMTI",
            "+CISMS",
            "+CMT:",
            "+CDS",
            "+CREG",
            "+CLIP",
        ];
        let line = bytes.strip_prefix(b"\r\n").unwrap_or_default();
        texts.iter().any(|text| line.starts_with(text.as_bytes()))
    }

    fn printed(&mut self, piece: Printout) {
        // Decisions 16.11: the end of its connection is told at once, and the last bytes stand before it.
        let prompted = matches!(self.ledger.line.phase, Phase::Text { .. }) && !self.at_has_ended();
        let ledger = &mut self.ledger;
        match piece {
            Printout::Read(slot) if prompted => {
                let text = format!("a read of {slot} is printed while a prompt waits");
                self.break_rule(Rule::Dialogue, text);
            }
            Printout::Read(slot) => {
                ledger.last_data = self.now;
                self.sum.reads += 1;
                // A device that stops or restarts prints what it has.
                let ends =
                    self.device.status(self.clock()).phase == dtu_proto::status::Phase::Ending;
                if self.ledger.talking && self.stopping.is_none() && !ends {
                    self.break_rule(
                        Rule::Downlink,
                        format!("a read of {slot} is printed in the command state"),
                    );
                }
            }
            Printout::Heartbeat => self.serial_heartbeat(),
            Printout::ServersReply => ledger.last_data = self.now,
            Printout::Prompt if ledger.prompts > 0 => ledger.prompts -= 1,
            Printout::Prompt => {
                self.break_rule(Rule::Escape, "an `a` is printed without a whole +++")
            }
            Printout::Escaped if ledger.escapes > 0 => {
                ledger.escapes -= 1;
                ledger.talking = true;
            }
            Printout::Escaped => {
                self.break_rule(Rule::Escape, "+ok is printed without a handshake")
            }
            Printout::Result => self.result_printed(),
            Printout::Packet => self.packet_error(),
            Printout::Connection(code) => self.code_printed(code),
            Printout::Ask => self.at_asks(),
            Printout::Banner => {
                if ledger.banners == 0 {
                    self.break_rule(Rule::Downlink, "a banner without a start");
                }
                self.ledger.banners = self.ledger.banners.saturating_sub(1);
            }
            Printout::Text => {}
        }
    }

    pub(super) fn result_printed(&mut self) {
        if matches!(self.ledger.line.phase, Phase::Text { .. }) {
            // The prompt has waited too long.
            self.ledger.line.prompt_ends();
        }
        let inline = self.ledger.pay(Origin::SerialFrame);
        let paid = if inline.is_ok() {
            inline
        } else {
            self.ledger.pay(Origin::Serial)
        };
        self.hold(Rule::Commands, paid);
        if self.ledger.owed[origin_slot(Origin::Serial)].1 == 0
            && self.ledger.line.phase == Phase::Data
        {
            self.ledger.talking = false;
        }
    }

    fn serial_heartbeat(&mut self) {
        self.sum.heartbeats += 1;
        let set = &self.ledger.watch.expected;
        let idle = self.now - self.ledger.last_data;
        let text = if set.heartbeat_to != HeartbeatTo::Serial || set.heartbeat_interval == 0 {
            "a heartbeat to the serial line, which is off".to_owned()
        } else if self.ledger.frame_open {
            "a heartbeat cuts a frame that is being received".to_owned()
        } else if idle < u64::from(set.heartbeat_interval) * SEC {
            format!(
                "a heartbeat to the serial line after {} ms of silence",
                idle / MS
            )
        } else {
            return;
        };
        self.break_rule(Rule::Heartbeat, text);
    }
}
