//! The course of a request: sent, answered, failed, or sent again.

use alloc::string::ToString;
use alloc::vec::Vec;
use bytes::Bytes;

use super::exchange::{Exchange, FeedResult, Terms};
use super::{Httpd, IDLE};
use crate::act::Act;
use crate::cx::Cx;
use crate::event::{
    CloseReason, Event, HttpdEvent, HttpdTrouble, LinkDownReason, Output, Payload, SocketId,
};
use crate::net::connection::Down;
use crate::time::Duration;

impl Httpd {
    /// Sends the frame that has waited longest.
    pub(super) fn request(&mut self, cx: &mut Cx<'_>) {
        let Some(settings) = self
            .settings
            .as_ref()
            .filter(|_| !self.spent && self.connection.is_free())
        else {
            return;
        };
        let Some(request) = settings.request() else {
            return;
        };
        let number = self.queue.cache().first();
        let Some((frame, _)) = self.queue.hand_over(|_| u64::MAX) else {
            return;
        };
        // mutant: sending-noted
        self.spool_sending(number, cx);
        let body = Bytes::from(request.encode(&frame));
        let length = body.len() as u64;
        let end = self.connection.send(
            Payload {
                prefix: Bytes::new(),
                body,
            },
            cx.outputs,
        );
        self.backoff.asked();
        self.requested = end;
        let terms = Terms {
            begin: end - length,
            end,
            reused: self.answers > 0,
            timeout: settings.timeout(),
            spent: core::mem::take(&mut self.attempt_took),
            whole_within: self.answer_max,
            filters: settings.filters(),
            may_go_on: request.may_go_on(),
        };
        self.exchange = Some(Exchange::new(terms, cx.now));
    }

    pub(super) fn sent(&mut self, cx: &Cx<'_>) {
        let Some(exchange) = &mut self.exchange else {
            return;
        };
        exchange.progress(true, cx.now);
        self.counters.requests += 1;
    }

    pub(super) fn acked(&mut self, cx: &Cx<'_>) {
        if let Some(exchange) = &mut self.exchange {
            exchange.progress(false, cx.now);
        }
    }

    pub(super) fn received(&mut self, data: &[u8], cx: &mut Cx<'_>) {
        self.counters.received_bytes += data.len() as u64;
        let Some(exchange) = &mut self.exchange else {
            return self.stray(data.len(), cx);
        };
        let mut print = Vec::new();
        let taken = exchange.take(data, cx.now, &mut print);
        self.counters.printed_bytes += print.len() as u64;
        if !print.is_empty() {
            let (socket, data) = (SocketId::Httpd, print.into());
            cx.acts.push_back(Act::Print { socket, data });
        }
        match taken {
            FeedResult::More { head } => self.note_head(head, cx),
            FeedResult::Whole { head, left } => {
                self.note_head(head, cx);
                self.answered(cx);
                self.stray(left, cx);
            }
            FeedResult::Bad(fault) => {
                self.failed(HttpdTrouble::Bad(fault), LinkDownReason::Ordered, cx)
            }
        }
    }

    /// Bytes that nobody asked for: what they belong to is not known, so the connection is of no more use.
    fn stray(&mut self, bytes: usize, cx: &mut Cx<'_>) {
        if bytes > 0 {
            self.counters.stray_bytes += bytes as u64;
            cx.outputs
                .push_back(Output::Event(Event::Httpd(HttpdEvent::Stray { bytes })));
            self.close(LinkDownReason::Ordered, cx);
        }
    }

    /// A redirect is not followed, but told.
    fn note_head(&self, whole: bool, cx: &mut Cx<'_>) {
        let answer = self
            .exchange
            .as_ref()
            .filter(|_| whole)
            .map(|exchange| &exchange.answer);
        let Some((status, location)) =
            answer.and_then(|answer| Some((answer.status()?, answer.location()?)))
        else {
            return;
        };
        if (300..400).contains(&status) {
            let location = location
                .iter()
                .take(LOCATION_MAX)
                .copied()
                .collect::<Vec<u8>>()
                .escape_ascii()
                .to_string();
            cx.outputs
                .push_back(Output::Event(Event::Httpd(HttpdEvent::Redirect {
                    status,
                    location,
                })));
        }
    }

    /// The answer is whole.
    fn answered(&mut self, cx: &mut Cx<'_>) {
        let Some(exchange) = self.done(cx) else {
            return;
        };
        let status = exchange.answer.status().unwrap_or_default();
        match status {
            200..300 => self.counters.answered += 1,
            _ => self.counters.answered_other += 1,
        }
        self.trouble = None;
        self.backoff.reset();
        self.answers += 1;
        self.idle_until = cx.now + idle_for(exchange.answer.keeps_for());
        let event = HttpdEvent::Answered {
            status,
            body: exchange.body,
        };
        cx.outputs.push_back(Output::Event(Event::Httpd(event)));
        // mutant: server-closes
        if self.spent || !exchange.lets_go_on() {
            self.close(LinkDownReason::Ordered, cx);
        }
    }

    /// There will be no answer, or no whole one.
    fn failed(&mut self, trouble: HttpdTrouble, reason: LinkDownReason, cx: &mut Cx<'_>) {
        let acked = self.connection.acked();
        let Some(exchange) = self.done(cx) else {
            return;
        };
        if exchange.was_taken(acked) {
            self.backoff.reset();
        }
        match trouble {
            HttpdTrouble::NoAnswer { .. } | HttpdTrouble::Stalled { .. } | HttpdTrouble::Slow => {
                self.counters.timed_out += 1;
            }
            HttpdTrouble::NoConnection(_)
            | HttpdTrouble::NotTaken
            | HttpdTrouble::Lost(_)
            | HttpdTrouble::Broken(_)
            | HttpdTrouble::Bad(_)
            | HttpdTrouble::Settings => self.counters.failed += 1,
        }
        if trouble != HttpdTrouble::Lost(LinkDownReason::Ordered) {
            self.trouble = Some(trouble);
        }
        cx.outputs
            .push_back(Output::Event(Event::Httpd(HttpdEvent::Failed(trouble))));
        self.close(reason, cx);
    }

    /// Nothing has moved for too long.
    pub(super) fn overdue(&mut self, cx: &mut Cx<'_>) {
        match &self.exchange {
            // What the close brings decides: `down`.
            Some(exchange) if exchange.was_forgotten(self.connection.acked()) => {
                self.close(LinkDownReason::NoAnswer, cx);
            }
            Some(exchange) if exchange.sent => {
                self.failed(exchange.trouble(cx.now), LinkDownReason::NoAnswer, cx);
            }
            Some(_) => {
                self.trouble = Some(HttpdTrouble::NotTaken);
                self.close(LinkDownReason::HostSilent, cx);
            }
            None => {}
        }
    }

    /// The frame of the request under way has had its turn.
    fn done(&mut self, cx: &mut Cx<'_>) -> Option<Exchange> {
        let exchange = self.exchange.take()?;
        self.counters.requests += u64::from(!exchange.sent);
        self.queue.delivered(u64::MAX, cx.outputs);
        Some(exchange)
    }

    /// The connection, or the attempt, is over.
    pub(super) fn down(&mut self, down: Down, cx: &mut Cx<'_>) {
        cx.outputs.push_back(self.connection.event(&down));
        if down.acked > 0 {
            self.backoff.heard();
        }
        // It took the whole request: it is there, whatever it makes of it.
        let is_done = down.was_up && down.acked >= self.requested;
        self.backoff.ended(cx.now, is_done);
        let Some(exchange) = &self.exchange else {
            return self.attempt_failed(down);
        };
        let ended = down.reason == LinkDownReason::Network(CloseReason::PeerClosed);
        match exchange.answer.closed() {
            Ok(()) if ended => self.answered(cx),
            _ if exchange.may_be_repeated(&down) => self.repeat(down, cx),
            Err(fault) if ended && exchange.begun() => {
                self.failed(HttpdTrouble::Bad(fault), down.reason, cx)
            }
            _ if down.reason == LinkDownReason::NoAnswer => {
                self.failed(exchange.trouble(cx.now), down.reason, cx);
            }
            _ if exchange.begun() => {
                self.failed(HttpdTrouble::Broken(down.reason), down.reason, cx)
            }
            Ok(()) | Err(_) => self.failed(HttpdTrouble::Lost(down.reason), down.reason, cx),
        }
    }

    fn attempt_failed(&mut self, down: Down) {
        if !down.was_up && down.reason != LinkDownReason::Ordered {
            self.counters.failed_attempts += 1;
            self.trouble = Some(HttpdTrouble::NoConnection(down.reason));
        }
    }

    /// The server cannot have got the request: its frame waits again.
    fn repeat(&mut self, down: Down, cx: &mut Cx<'_>) {
        let Some(exchange) = self.exchange.take() else {
            return;
        };
        self.queue.rewind(true, cx.outputs);
        self.spool_sending(None, cx);
        self.counters.retried += 1;
        if exchange.sent {
            self.counters.requests -= 1;
            self.backoff.reset();
        } else if matches!(down.reason, LinkDownReason::Network(_)) {
            self.trouble = Some(HttpdTrouble::Lost(down.reason));
        }
        cx.outputs
            .push_back(Output::Event(Event::Httpd(HttpdEvent::Repeated(
                down.reason,
            ))));
    }
}

/// A request must not meet the close of its connection on the way.
const MARGIN: Duration = Duration::from_secs(1);

/// So long a connection is kept for the next request.
fn idle_for(keeps_for: Option<u64>) -> Duration {
    let told = keeps_for
        .map_or(IDLE + MARGIN, Duration::from_secs)
        .min(IDLE + MARGIN);
    told.saturating_sub(MARGIN).max(told / 2).min(IDLE)
}

/// Bytes of a redirect's target that are told at most.
const LOCATION_MAX: usize = 256;
