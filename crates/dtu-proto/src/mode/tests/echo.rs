//! A mode that gives each frame back to the DTE: all that a new one takes.

use alloc::sync::Arc;
use alloc::vec::Vec;
use bytes::Bytes;

use crate::act::Act;
use crate::config::Options;
use crate::cx::Cx;
use crate::event::SocketId;
use crate::mode::{Mode, Stop};

/// The mode.
#[derive(Debug)]
pub(crate) struct Echo {
    is_running: bool,
    /// Came while it did not run.
    waiting: Vec<Bytes>,
}

impl Mode for Echo {
    fn new(_options: &Arc<Options>) -> Self {
        Self {
            is_running: false,
            waiting: Vec::new(),
        }
    }

    fn start(&mut self, cx: &mut Cx<'_>) {
        self.is_running = true;
        for frame in core::mem::take(&mut self.waiting) {
            self.frame(&frame, cx);
        }
    }

    fn stop(&mut self, _why: Stop, _cx: &mut Cx<'_>) {
        self.is_running = false;
    }

    fn frame(&mut self, frame: &Bytes, cx: &mut Cx<'_>) {
        let data = frame.clone();
        if self.is_running {
            let socket = SocketId::AtMode;
            cx.acts.push_back(Act::Print { socket, data });
        } else {
            self.waiting.push(data);
        }
    }
}
