//! The log as a person reads it, in virtual time.

use super::Journal;
use super::drops::{Drops, Total};
use super::peers::Peers;
use crate::socket::{Contact, SocketEvent};
use dtu_proto::config::{Config, Options, Protocol};
use dtu_proto::drops::{DropPlace, Dropped};
use dtu_proto::event::{
    CloseReason, Connect, Event as DeviceEvent, LinkDownReason, LinkId, Origin, SocketId,
};
use dtu_proto::radio::PhoneNumber;
use dtu_proto::time::Instant;
use dtu_proto::{Dtu, Identity};
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, Once};
use std::time::Duration;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Metadata, Subscriber, span};

mod drops;
mod lines;

/// Does `work`; what this thread says meanwhile goes to `subscriber`.
pub(crate) fn captured_by<R>(
    subscriber: impl Subscriber + Send + Sync,
    work: impl FnOnce() -> R,
) -> R {
    static NOBODY_IN_PARTICULAR: Once = Once::new();
    // Where one subscriber alone exists, a thread without one that comes first to a line of the log would have it
    // noted, for all threads, that nobody listens to that line.
    NOBODY_IN_PARTICULAR.call_once(|| {
        tracing::subscriber::set_global_default(tracing_subscriber::registry()).unwrap();
    });
    tracing::subscriber::with_default(subscriber, || {
        tracing::callsite::rebuild_interest_cache();
        work()
    })
}

/// Keeps what is said at INFO and above.
#[derive(Clone, Default)]
pub(crate) struct LogCapture(Arc<Mutex<Vec<String>>>);

impl LogCapture {
    pub(crate) fn capture<R>(&self, work: impl FnOnce() -> R) -> R {
        captured_by(self.clone(), work)
    }

    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

struct Message(String);

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        if field.name() == "message" {
            write!(self.0, "{value:?}").unwrap();
        }
    }
}

impl Subscriber for LogCapture {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= Level::INFO
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut message = Message(format!("{:5} ", event.metadata().level()));
        event.record(&mut message);
        self.0.lock().unwrap().push(message.0);
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}
