//! The SMS mode (4): a frame of the DTE becomes a message (manual 2.1.5, decisions 10).

use alloc::sync::Arc;
use bytes::Bytes;
use sms_codec::user_data::Body;

use super::{Mode, Stop};
use crate::act::Act;
use crate::config::{FrameKind, Options};
use crate::cx::Cx;
use crate::sms;

/// The mode. What waits to be sent, and what comes, is the mailbox's.
#[derive(Debug)]
pub(crate) struct Sms;

impl Mode for Sms {
    fn new(_options: &Arc<Options>) -> Self {
        Self
    }

    fn start(&mut self, _cx: &mut Cx<'_>) {}

    fn stop(&mut self, _why: Stop, _cx: &mut Cx<'_>) {}

    fn frame(&mut self, frame: &Bytes, cx: &mut Cx<'_>) {
        let text = sms::from_serial(frame, cx.options.charset);
        let body = text.map_or_else(|| Body::Octets(frame.to_vec()), |text| Body::text(&text));
        cx.acts.push_back(Act::Message(body));
    }

    fn frames() -> FrameKind {
        FrameKind::Text
    }

    fn prints_messages() -> bool {
        true
    }
}
