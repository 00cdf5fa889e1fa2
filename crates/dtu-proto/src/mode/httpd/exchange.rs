//! One request and its answer.

use alloc::vec::Vec;

use crate::event::{HttpdTrouble, LinkDownReason};
use crate::net::connection::Down;
use crate::time::{Duration, Instant};
use crate::wire::http::{Answer, Fault, Step};

/// The host must get a request rid of within this time, or the server take some more of it.
const SEND_PATIENCE: Duration = Duration::from_secs(60);

/// A request that was given to the host.
#[derive(Debug)]
pub(super) struct Exchange {
    pub(super) answer: Answer,
    /// Where the request begins and ends in the connection.
    begin: u64,
    end: u64,
    /// The connection had carried an answer before.
    reused: bool,
    /// The host has handed all of it to the socket.
    pub(super) sent: bool,
    /// A byte of the answer has come.
    begun: bool,
    /// Bytes of its body so far.
    pub(super) body: u64,
    pub(super) timeout: Duration,
    /// Of this the connection that was made for it took so much.
    spent: Duration,
    /// The answer must be whole by then; zero = whenever.
    whole: Option<Instant>,
    /// The head of the answer is not printed.
    filters: bool,
    /// The user lets the connection stand.
    may_go_on: bool,
    /// The last sign of life.
    alive_at: Instant,
    /// Since when the device takes no bytes: the server cannot be blamed.
    held_up: Option<Instant>,
}

/// What an exchange is made of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terms {
    pub(super) begin: u64,
    pub(super) end: u64,
    pub(super) reused: bool,
    pub(super) timeout: Duration,
    pub(super) spent: Duration,
    pub(super) whole_within: Option<Duration>,
    pub(super) filters: bool,
    pub(super) may_go_on: bool,
}

/// What bytes of the server meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FeedResult {
    /// More must come. Whether the head has just become whole.
    More { head: bool },
    /// The answer is whole; so many bytes are left behind it.
    Whole { head: bool, left: usize },
    /// That is no answer.
    Bad(Fault),
}

impl Exchange {
    pub(super) fn new(terms: Terms, now: Instant) -> Self {
        let Terms {
            begin,
            end,
            reused,
            timeout,
            spent,
            whole_within,
            filters,
            may_go_on,
        } = terms;
        Self {
            answer: Answer::new(),
            begin,
            end,
            reused,
            sent: false,
            begun: false,
            body: 0,
            timeout,
            spent,
            whole: whole_within.map(|within| now + within),
            filters,
            may_go_on,
            alive_at: now,
            held_up: None,
        }
    }

    /// The socket has all of it, or some more.
    pub(super) const fn progress(&mut self, sent: bool, now: Instant) {
        if sent || !self.sent {
            self.alive_at = now;
        }
        self.sent |= sent;
    }

    /// Bytes of the server. What goes to the serial line is added to `print`.
    pub(super) fn take(
        &mut self,
        mut data: &[u8],
        now: Instant,
        print: &mut Vec<u8>,
    ) -> FeedResult {
        self.alive_at = now;
        self.begun |= !data.is_empty();
        let mut head = false;
        loop {
            match self.answer.step(&mut data) {
                Ok(Step::More) => return FeedResult::More { head },
                Ok(Step::End) => {
                    return FeedResult::Whole {
                        head,
                        left: data.len(),
                    };
                }
                Ok(Step::Head) => {
                    head = true;
                    // mutant: head-filtered
                    if !self.filters {
                        print.extend_from_slice(self.answer.head());
                    }
                }
                Ok(Step::Body(bytes)) => {
                    self.body += bytes.len() as u64;
                    print.extend_from_slice(bytes);
                }
                Err(fault) => return FeedResult::Bad(fault),
            }
        }
    }

    /// Whether the device takes bytes; while it does not, no time passes.
    pub(super) fn hold_up(&mut self, held_up: bool, now: Instant) {
        match self.held_up {
            None if held_up => self.held_up = Some(now),
            Some(since) if !held_up => {
                self.held_up = None;
                self.alive_at = now;
                if let Some(whole) = &mut self.whole {
                    *whole += now.since(since);
                }
            }
            None | Some(_) => {}
        }
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        match (self.sent, self.held_up) {
            (false, _) => Some(self.alive_at + SEND_PATIENCE),
            // mutant: silent-server
            (true, None) => {
                let next = self.alive_at + self.patience();
                Some(self.whole.map_or(next, |whole| next.min(whole)))
            }
            (true, Some(_)) => None,
        }
    }

    /// Name, TCP, TLS and the first byte of the answer share `HTPTO`; then each byte has it.
    const fn patience(&self) -> Duration {
        if self.begun {
            self.timeout
        } else {
            self.timeout.saturating_sub(self.spent)
        }
    }

    /// Why there is no whole answer, at its deadline.
    pub(super) fn trouble(&self, now: Instant) -> HttpdTrouble {
        match self.whole {
            Some(whole) if self.begun && whole <= now && now < self.alive_at + self.timeout => {
                HttpdTrouble::Slow
            }
            _ if self.begun => HttpdTrouble::Stalled {
                after: self.timeout,
            },
            _ => HttpdTrouble::NoAnswer {
                after: self.timeout,
            },
        }
    }

    /// Whether a connection that was good for an earlier request has brought not one byte of this one to the server
    /// (somebody between forgot it): another is tried. The server's TCP has acknowledged so much of the connection.
    pub(super) const fn was_forgotten(&self, acked: u64) -> bool {
        // mutant: forgotten-request
        self.sent && self.reused && !self.begun && acked <= self.begin
    }

    /// Whether the server's TCP has all of the request.
    pub(super) const fn was_taken(&self, acked: u64) -> bool {
        acked >= self.end
    }

    /// Whether a byte of the answer has come.
    pub(super) const fn begun(&self) -> bool {
        self.begun
    }

    /// Whether the connection may carry the next request, now that the answer is whole.
    pub(super) fn lets_go_on(&self) -> bool {
        self.sent && self.may_go_on && self.answer.may_go_on()
    }

    /// Whether the server cannot have got the request: it never left whole, or it came too late for a connection that
    /// the server had closed already.
    pub(super) const fn may_be_repeated(&self, down: &Down) -> bool {
        let network = matches!(
            down.reason,
            LinkDownReason::Network(_) | LinkDownReason::NoAnswer
        );
        let unseen = if self.sent {
            // mutant: no-second-request
            network && self.reused && down.acked <= self.begin
        } else {
            down.acked < self.end
        };
        unseen && !self.begun
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::CloseReason;

    const TIMEOUT: Duration = Duration::from_secs(10);

    const fn at(seconds: u64) -> Instant {
        Instant::from_millis(seconds * 1000)
    }

    /// Of bytes 100 to 150 of its connection.
    fn exchange(reused: bool) -> Exchange {
        let terms = Terms {
            begin: 100,
            end: 150,
            reused,
            timeout: TIMEOUT,
            spent: Duration::ZERO,
            whole_within: None,
            filters: true,
            may_go_on: true,
        };
        Exchange::new(terms, at(0))
    }

    fn sent(reused: bool) -> Exchange {
        let mut exchange = exchange(reused);
        exchange.progress(true, at(0));
        exchange
    }

    fn down(reason: LinkDownReason, acked: u64) -> Down {
        Down {
            reason,
            was_up: true,
            acked,
        }
    }

    #[test]
    fn sending_has_a_time_that_progress_renews_and_the_answer_has_another() {
        let mut exchange = exchange(false);
        assert_eq!(exchange.deadline(), Some(at(60)));
        exchange.progress(false, at(5));
        assert_eq!(exchange.deadline(), Some(at(65)));
        exchange.progress(true, at(7));
        assert_eq!(exchange.deadline(), Some(at(17)));
        exchange.progress(false, at(9));
        assert_eq!(
            exchange.deadline(),
            Some(at(17)),
            "acknowledgements of what is sent say nothing of the answer"
        );
        exchange.take(b"HTTP", at(12), &mut Vec::new());
        assert_eq!(exchange.deadline(), Some(at(22)));
    }

    #[test]
    fn no_time_passes_for_the_server_while_the_device_takes_nothing() {
        let mut exchange = sent(false);
        exchange.hold_up(true, at(3));
        assert_eq!(exchange.deadline(), None);
        exchange.hold_up(true, at(500));
        exchange.hold_up(false, at(900));
        assert_eq!(exchange.deadline(), Some(at(910)));
        exchange.hold_up(false, at(905));
        assert_eq!(exchange.deadline(), Some(at(910)), "it was not held up");
        let mut exchange = super::tests::exchange(false);
        exchange.hold_up(true, at(3));
        assert_eq!(exchange.deadline(), Some(at(60)), "the request goes on");
    }

    #[test]
    fn the_head_is_printed_only_where_it_is_not_filtered_and_what_is_left_is_told() {
        for filters in [true, false] {
            let mut exchange = Exchange {
                filters,
                ..sent(false)
            };
            let mut print = Vec::new();
            let head = &b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"[..];
            assert_eq!(
                exchange.take(&head[..9], at(1), &mut print),
                FeedResult::More { head: false }
            );
            assert_eq!(
                exchange.take(&[&head[9..], b"12"].concat(), at(1), &mut print),
                FeedResult::More { head: true }
            );
            let taken = exchange.take(b"345rest", at(1), &mut print);
            assert_eq!(
                (taken, exchange.body),
                (
                    FeedResult::Whole {
                        head: false,
                        left: 4
                    },
                    5
                )
            );
            let wanted = if filters {
                b"12345".to_vec()
            } else {
                [head, b"12345"].concat()
            };
            assert_eq!(print, wanted);
        }
        assert!(matches!(
            sent(false).take(b"what?\r\n", at(1), &mut Vec::new()),
            FeedResult::Bad(_)
        ));
    }

    #[test]
    fn a_connection_goes_on_only_where_everybody_lets_it() {
        let whole = |mut exchange: Exchange, head: &str| {
            exchange.take(head.as_bytes(), at(1), &mut Vec::new());
            exchange.lets_go_on()
        };
        let good = "HTTP/1.1 204 x\r\n\r\n";
        assert!(whole(sent(false), good));
        assert!(!whole(exchange(false), good), "answered before it was sent");
        assert!(!whole(
            Exchange {
                may_go_on: false,
                ..sent(false)
            },
            good
        ));
        assert!(!whole(
            sent(false),
            "HTTP/1.1 204 x\r\nConnection: close\r\n\r\n"
        ));
    }

    #[test]
    fn only_a_request_that_the_server_cannot_have_is_repeated() {
        let reset = LinkDownReason::Network(CloseReason::Reset);
        // It did not leave whole.
        assert!(exchange(false).may_be_repeated(&down(reset, 149)));
        assert!(exchange(false).may_be_repeated(&down(LinkDownReason::Ordered, 0)));
        assert!(
            !exchange(false).may_be_repeated(&down(reset, 150)),
            "the server has all of it"
        );
        // It left whole.
        assert!(
            !sent(false).may_be_repeated(&down(reset, 100)),
            "a new connection"
        );
        assert!(
            sent(true).may_be_repeated(&down(reset, 100)),
            "closed by the server before it came"
        );
        assert!(
            !sent(true).may_be_repeated(&down(reset, 101)),
            "the server has begun to read it"
        );
        assert!(!sent(true).may_be_repeated(&down(LinkDownReason::Ordered, 100)));
        for mut begun in [exchange(true), sent(true)] {
            assert!(!begun.begun());
            begun.take(b"", at(1), &mut Vec::new());
            assert!(
                begun.may_be_repeated(&down(reset, 100)),
                "an empty read is no answer"
            );
            begun.take(b"H", at(1), &mut Vec::new());
            assert!(begun.begun() && !begun.may_be_repeated(&down(reset, 100)));
        }
    }
}
