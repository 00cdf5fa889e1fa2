//! The modem loses the network for a while, and with it the device its data connection.

use std::net::{IpAddr, Ipv4Addr};

use dtu_proto::event::{CloseReason, Input, ModemInput, SocketId};

use super::socket::SocketEvent;
use super::{Event, World};
use crate::{MS, SEC};

/// Connections outlive an absence of this length.
const OUTLIVED: u64 = 30 * SEC;

impl World {
    pub(super) fn modem_input(&mut self, attached: bool) {
        self.catch_up();
        self.note(if attached { "attached" } else { "detached" }, None, 0, &[]);
        let address = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 2));
        let input = if attached {
            ModemInput::Attached(address)
        } else {
            ModemInput::Detached
        };
        self.call(Input::Modem(&input));
    }

    pub(super) fn detach(&mut self) {
        if self.healed || !self.attached {
            return;
        }
        self.attached = false;
        self.excuse_all();
        self.modem_input(false);
        let away = self.rng.wait(40 * SEC);
        self.after(away, Event::Attach);
        if away > OUTLIVED {
            for id in SocketId::ALL {
                let end = SocketEvent::Down(CloseReason::TimedOut);
                self.socket_after(id, OUTLIVED, end);
            }
        }
        self.again(self.scenario.detach_every, Event::Detach);
    }

    pub(super) fn attach(&mut self) {
        if self.attached {
            return;
        }
        self.attached = true;
        self.modem_input(true);
        for id in SocketId::ALL {
            if self.healed && id.link().is_none() {
                self.heal_socket(id);
            }
            self.tick(id, MS);
            self.plan_socket_read(id);
        }
    }
}
