//! The HTTPD client (mode 3): one frame, one request (manual 2.1.3, decisions 9).

use alloc::boxed::Box;
use bytes::Bytes;

use super::{Dtu, Parts};
use crate::config::{Options, WorkingMode};
use crate::cx::Cx;
use crate::event::{SocketId, SocketInput};
use crate::mode::httpd::Httpd;
use crate::status::{HttpdCounters, HttpdStatus, LinkState};
use crate::time::Instant;

impl Dtu {
    /// Whether the mode began, ended, or its settings changed: starts, stops or restarts what must be. What waits stays.
    pub(super) fn apply_httpd(&mut self) {
        if self.mode == WorkingMode::Httpd {
            self.make_httpd();
            self.with_httpd(Httpd::apply);
        } else {
            self.stop_httpd();
        }
    }

    /// Ends every connection: the device restarts or stops. What waits stays.
    pub(super) fn stop_httpd(&mut self) {
        self.with_httpd(Httpd::stop);
    }

    /// Whether the host has still to say that something is closed.
    pub(super) fn httpd_is_closing(&self) -> bool {
        self.httpd.as_ref().is_some_and(|httpd| httpd.is_closing())
    }

    pub(super) fn httpd_is_up(&self) -> bool {
        self.httpd.as_ref().is_some_and(|httpd| httpd.is_up())
    }

    pub(super) fn httpd_status(&self) -> HttpdStatus {
        let off = HttpdStatus {
            state: LinkState::Off,
            trouble: None,
            counters: HttpdCounters::default(),
            waiting_frames: 0,
            waiting_bytes: 0,
        };
        self.httpd
            .as_ref()
            .map_or(off, |httpd| httpd.status(self.attached.is_some()))
    }

    /// A frame of the DTE.
    pub(super) fn httpd_frame(&mut self, frame: &Bytes) {
        self.make_httpd();
        self.with_httpd(|httpd, cx| httpd.push(frame.clone(), cx));
    }

    /// A frame of an earlier run.
    pub(super) fn restore_httpd(&mut self, seq: u64, frame: Bytes) {
        self.make_httpd();
        self.with_httpd(|httpd, cx| httpd.restore(seq, frame, cx.outputs));
    }

    /// The frames that wait, oldest first, with their numbers.
    pub(super) fn httpd_undelivered(&self) -> impl Iterator<Item = (u64, &Bytes)> {
        self.httpd.iter().flat_map(|httpd| httpd.undelivered())
    }

    /// The network is there, or gone.
    pub(super) fn httpd_network_changed(&mut self) {
        self.with_httpd(Httpd::network_changed);
    }

    /// News of `SocketId::Httpd`. What it brings is never a command (manual 2.8.6.25 speaks of the transparent mode).
    pub(super) fn httpd_news(&mut self, input: SocketInput<'_>) {
        if matches!(input, SocketInput::Data(data) if !data.is_empty()) && self.httpd_is_up() {
            self.last_received = self.now;
            self.led_driver.data(self.now);
        }
        self.with_httpd(|httpd, cx| httpd.handle(input, cx));
    }

    /// Tells the client whether the device takes bytes of the network.
    pub(super) fn httpd_listens(&mut self) {
        if self.httpd.is_none() {
            return;
        }
        let listens = self.wants_socket(SocketId::Httpd);
        if let Some(httpd) = &mut self.httpd {
            httpd.listen(listens, self.now);
        }
    }

    pub(super) fn httpd_deadline(&self) -> Option<Instant> {
        self.httpd.as_ref()?.deadline()
    }

    pub(super) fn httpd_due(&mut self) {
        self.with_httpd(Httpd::fire);
    }

    /// The mode begins, or something waits for it.
    pub(super) fn make_httpd(&mut self) -> &mut Httpd {
        let Options {
            modes,
            http_answer_max,
            ..
        } = &*self.options;
        self.httpd
            .get_or_insert_with(|| Box::new(Httpd::new(modes.clone(), *http_answer_max)))
    }

    /// Works with the client, if there is one: else there is nothing to do.
    fn with_httpd(&mut self, run: impl FnOnce(&mut Httpd, &mut Cx<'_>)) {
        let (
            Parts {
                httpd: Some(httpd), ..
            },
            mut cx,
        ) = self.parts()
        else {
            return;
        };
        run(httpd, &mut cx);
        self.carry_out_acts();
    }
}
