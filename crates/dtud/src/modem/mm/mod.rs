//! A modem that ModemManager keeps (`--modem mm`), over D-Bus.
//!
//! ```text
//! loop ── Mm ══ orders, news (bounded) ══ task: worker ── session ── bus ── ModemManager
//!          └── the address of the interface that the bearer uses
//! ```
//! The task holds no word of its own: what it tells is what MM's properties say, read again whenever a signal says
//! that they changed.

use std::collections::VecDeque;
use std::task::{Context, Poll};

use dtu_proto::event::{ModemInput, ModemOutput};
use dtu_proto::radio::SubmitFailure;
use dtu_proto::time::Instant;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::AbortHandle;
use tracing::{error, warn};

use super::Driver;
use crate::netif::Interface;

mod bus;
mod calls;
mod data;
#[cfg(test)]
mod fake;
mod messages;
mod session;
#[cfg(test)]
mod tests;
mod words;
mod worker;

pub(super) use worker::Options;
use worker::{Transport, Worker};

/// From the task to the loop.
#[derive(Debug)]
enum WorkerEvent {
    Modem(ModemInput),
    /// The interface that the bearer uses; `None` = there is no bearer.
    Data(Option<String>),
    /// How it stands.
    Status(String),
}

pub(super) struct Mm {
    orders: Sender<ModemOutput>,
    news: Receiver<WorkerEvent>,
    /// Answers to orders that could not be given.
    unheard: VecDeque<ModemInput>,
    bearer: Option<Interface>,
    attached: bool,
    status: String,
    task: AbortHandle,
}

impl Mm {
    pub(super) fn new(options: Options) -> Self {
        Self::through(Transport::System, options)
    }

    fn through(transport: Transport, options: Options) -> Self {
        let (orders, to_do) = channel(ORDERS);
        let (tell, news) = channel(NEWS);
        let task = tokio::spawn(Worker::new(transport, options, to_do, tell).run()).abort_handle();
        let status = "looking for ModemManager".to_owned();
        let (unheard, bearer, attached) = (VecDeque::new(), None, false);
        Self {
            orders,
            news,
            unheard,
            bearer,
            attached,
            status,
            task,
        }
    }

    fn use_bearer(&mut self, name: Option<&str>) {
        self.bearer = name.and_then(|name| {
            Interface::watch(name)
                .inspect_err(|why| error!("modem: netlink: {why}"))
                .ok()
        });
    }

    /// The bearer is of use when its interface has an address.
    fn poll_bearer(&mut self, cx: &mut Context<'_>, now: Instant) -> Option<ModemInput> {
        let address = match &mut self.bearer {
            Some(interface) => interface.poll(cx, now)?,
            None => None,
        };
        let was = std::mem::replace(&mut self.attached, address.is_some());
        match address {
            Some(address) => Some(ModemInput::Attached(address)),
            None => was.then_some(ModemInput::Detached),
        }
    }
}

impl Driver for Mm {
    fn order(&mut self, order: ModemOutput, _now: Instant, _cx: &mut Context<'_>) {
        let Err(refused) = self.orders.try_send(order) else {
            return;
        };
        // It has not taken a hundred orders: ModemManager does not answer.
        let order = refused.into_inner();
        warn!("modem: no answer from ModemManager; an order is lost");
        if let ModemOutput::Submit { token, .. } = order {
            let outcome = Err(SubmitFailure::TIMED_OUT);
            self.unheard
                .push_back(ModemInput::Submitted { token, outcome });
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>, now: Instant) -> Option<ModemInput> {
        if let Some(news) = self.unheard.pop_front() {
            return Some(news);
        }
        loop {
            if let Some(news) = self.poll_bearer(cx, now) {
                return Some(news);
            }
            match self.news.poll_recv(cx) {
                Poll::Ready(Some(WorkerEvent::Modem(news))) => return Some(news),
                Poll::Ready(Some(WorkerEvent::Data(name))) => self.use_bearer(name.as_deref()),
                Poll::Ready(Some(WorkerEvent::Status(text))) => self.status = text,
                Poll::Ready(None) | Poll::Pending => return None,
            }
        }
    }

    fn deadline(&self) -> Option<Instant> {
        self.bearer.as_ref().and_then(Interface::deadline)
    }

    fn status(&self) -> String {
        self.status.clone()
    }

    fn interface(&self) -> Option<&str> {
        self.bearer.as_ref().map(Interface::name)
    }
}

impl Drop for Mm {
    fn drop(&mut self) {
        self.task.abort();
    }
}

const ORDERS: usize = 128;
const NEWS: usize = 64;
