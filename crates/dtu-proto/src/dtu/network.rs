//! The network side of the device: which links get a frame, and what comes from them.

use bytes::Bytes;

use super::Dtu;
use crate::config::WorkingMode;
use crate::event::{LinkId, Origin, SocketId, SocketInput};
use crate::line::port::Source;
use crate::net::Link;
use crate::time::Instant;

impl Dtu {
    pub(super) fn handle_socket(&mut self, socket: SocketId, input: SocketInput<'_>) {
        match socket {
            SocketId::Link(link) => self.handle_link(link, input),
            SocketId::AtMode => self.at_connection_news(input),
            SocketId::Httpd => self.httpd_news(input),
            SocketId::Destination(_) => self.serial_command_news(socket, input),
        }
    }

    fn handle_link(&mut self, link: LinkId, input: SocketInput<'_>) {
        let was_up = self.links[link.index()].is_up();
        let news = self.with_link(link, |l, cx| l.handle(input, cx));
        if let SocketInput::Data(data) = input
            && was_up
            && !data.is_empty()
        {
            self.last_received = self.now;
            self.led_driver.data(self.now);
            if !news.filtered {
                self.network_data(link, data);
            }
        }
        self.print_released();
        if news.up && !self.links[link.index()].is_udp() {
            self.recovery.link_up();
        }
        if news.down {
            self.fail_over(link);
        }
    }

    /// Received bytes that were looked through for an expected reply, and are none.
    pub(super) fn print_released(&mut self) {
        if !self.links.iter().any(Link::has_released) {
            return;
        }
        for link in LinkId::ALL {
            if self.links[link.index()].has_released() {
                let data = self.links[link.index()].take_released();
                self.network_data(link, &data);
            }
        }
    }

    fn network_data(&mut self, link: LinkId, data: &[u8]) {
        // mutant: network-gate
        if !(self.config.network_at && self.inline_command(Origin::Link(link), data)) {
            // mutant: all-bytes
            let data = Bytes::copy_from_slice(data);
            self.print(data, Source::Socket(SocketId::Link(link)));
        }
    }

    /// Gives a frame of the DTE to the working mode.
    pub(super) fn route(&mut self, frame: &Bytes) {
        self.led_driver.data(self.now);
        // mutant: mode-in-force
        match self.mode {
            WorkingMode::Transparent => self.route_to_links(frame),
            WorkingMode::SerialCommand => self.serial_command_frame(frame),
            WorkingMode::Httpd => self.httpd_frame(frame),
            WorkingMode::Sms => self.send_frame(frame),
            // Of the set-up window: there is nobody to send it to.
            WorkingMode::AtCommand => self.drop_frame(frame),
        }
    }

    fn route_to_links(&mut self, frame: &Bytes) {
        let mut taken = false;
        for link in LinkId::ALL {
            if self.receives(link) {
                taken = true;
                self.with_link(link, |l, cx| l.push(frame.clone(), cx));
            }
        }
        if !taken {
            self.drop_frame(frame);
        }
    }

    /// Nobody takes the frame.
    pub(super) const fn drop_frame(&mut self, frame: &Bytes) {
        self.line.counters.dropped_frames += 1;
        self.line.counters.dropped_bytes += frame.len() as u64;
    }

    pub(super) fn link_deadline(&self, link: LinkId) -> Option<Instant> {
        let own = self.links[link.index()].deadline(&self.config);
        [own, self.fail_back_at(link)].into_iter().flatten().min()
    }

    pub(super) fn link_due(&mut self, link: LinkId) {
        if self.fail_back_at(link).is_some_and(|at| at <= self.now) {
            self.fail_back(link);
        }
        if self.links[link.index()]
            .deadline(&self.config)
            .is_some_and(|at| at <= self.now)
        {
            let news = self.with_link(link, |l, cx| l.fire(cx));
            if news.down {
                self.fail_over(link);
            }
        }
    }
}
