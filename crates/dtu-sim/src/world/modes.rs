//! The working mode as it changes: what is printed where, what the equipment does about it, what a start restores.

use dtu_proto::config::WorkingMode;
use dtu_proto::event::QueueId;
use dtu_proto::status::LinkState;

use super::ends::Backlog;
use super::{Rule, World};
use crate::commands::{self, Action};
use crate::downlink::ConnectionCode;
use crate::model::Phase;
use crate::{MS, SEC};

impl World {
    /// The line is in the command state all the time.
    pub(super) fn is_at_mode(&self) -> bool {
        self.ledger.applied.mode == WorkingMode::AtCommand
            && self.ledger.line.phase != Phase::Window
    }

    /// What a modem tells without being asked may be printed.
    pub(super) fn is_command_state(&self) -> bool {
        self.ledger.talking || self.ledger.line.phase == Phase::Window || self.is_at_mode()
    }

    /// The mode changes while the device runs.
    pub(super) fn switch_lines(&mut self, new: WorkingMode) {
        self.sum.switches += 1;
        self.recoveries_change(new);
        self.ledger.at.forget();
        self.ledger.command.stop();
        if new == WorkingMode::AtCommand {
            self.ledger.line.command_state();
            self.ledger.talking = false;
        } else {
            self.ledger.line.phase = Phase::Data;
        }
    }

    /// A word about a connection is printed.
    pub(super) fn code_printed(&mut self, code: ConnectionCode) {
        if self.is_at_mode() {
            return self.at_code_printed(code);
        }
        let judged = self.ledger.command.code_printed(code);
        self.hold(Rule::Packets, judged);
    }

    /// What is wrong with a packet is printed.
    pub(super) fn packet_error(&mut self) {
        let (due, printed) = &mut self.ledger.command.errors;
        *printed += 1;
        if *printed > *due {
            let text = format!("{printed} errors about packets are printed, {due} are due");
            self.break_rule(Rule::Packets, text);
        }
    }

    /// The host has started again: what was on the disk is in the queues.
    pub(super) fn restore_modes(&mut self, kept: &Backlog, all: bool) {
        for queue in [QueueId::Httpd, QueueId::SerialCommand] {
            let frames = kept[queue.index()].clone();
            let kept: Vec<Vec<u8>> = frames.iter().map(|(_, bytes)| bytes.to_vec()).collect();
            self.device.restore(queue, frames);
            let holds = match queue {
                _ if !self.scenario.options.modes.spool && !all => Ok(()),
                QueueId::Httpd => self.ledger.http.spool_holds(&kept),
                QueueId::SerialCommand | QueueId::Link(_) => self.ledger.command.spool_holds(&kept),
            };
            self.hold(Rule::Frames, holds);
            match queue {
                QueueId::Httpd => self.ledger.http.crashed(&kept),
                QueueId::SerialCommand | QueueId::Link(_) => {
                    let read = self.ledger.command.crashed(&kept);
                    self.hold(Rule::Packets, read);
                }
            }
        }
    }

    /// The equipment changes the mode.
    pub(super) fn wander(&mut self) {
        let modes = [
            WorkingMode::Transparent,
            WorkingMode::SerialCommand,
            WorkingMode::Httpd,
            WorkingMode::AtCommand,
        ];
        let mode = self.dte.rng.pick(&modes);
        match self.dte.rng.range(0, 9) {
            0 | 1 => self.change_by_restart(mode),
            // Set and not in force: nothing may change.
            2 => {
                self.set_mode(mode);
                self.leave_command_state();
            }
            _ => self.change_mode(mode),
        }
    }

    fn set_mode(&mut self, mode: WorkingMode) {
        let (text, action) = commands::mode(mode);
        self.order(&text, action);
    }

    fn order(&mut self, text: &str, action: Action) {
        self.ledger.watch.know(text, action);
        self.type_command(text);
    }

    fn change_mode(&mut self, mode: WorkingMode) {
        self.set_mode(mode);
        self.order("AT+CIAPPLY", Action::Apply);
        self.dte.pause(300 * MS);
    }

    fn change_by_restart(&mut self, mode: WorkingMode) {
        self.set_mode(mode);
        self.order("ATW", Action::Save);
        self.order("AT+CIRESET", Action::Restart);
        self.dte.pause(2 * SEC);
    }

    /// In the AT mode: dialogue, or off to another mode.
    pub(super) fn at_next(&mut self) {
        if self.healed {
            return self.visit_what_waits();
        }
        if self.scenario.modes.wanders && self.dte.rng.chance(10) {
            return self.wander();
        }
        self.at_act();
    }

    /// All is healed: the equipment goes to the modes for which something waits.
    pub(super) fn visit_what_waits(&mut self) {
        if !self.scenario.modes.wanders {
            return;
        }
        let status = self.device.status(self.clock());
        let links = status
            .links
            .iter()
            .any(|link| link.state != LinkState::Off && link.waiting_frames > 0);
        let waiting = [
            (links, WorkingMode::Transparent),
            (status.httpd.waiting_frames > 0, WorkingMode::Httpd),
            (
                status.serial_command.waiting_packets > 0,
                WorkingMode::SerialCommand,
            ),
        ];
        let here = self.ledger.applied.mode;
        if waiting.iter().any(|(waits, mode)| *waits && *mode == here) {
            return;
        }
        let Some((_, mode)) = waiting.into_iter().find(|(waits, _)| *waits) else {
            return;
        };
        self.dte_escapes();
        self.change_mode(mode);
    }
}
