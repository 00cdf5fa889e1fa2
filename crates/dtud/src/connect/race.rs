//! Attempts beside each other (RFC 8305, "happy eyeballs").

use std::future::poll_fn;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use tokio::time::{Sleep, sleep};

type Attempt<'a, T, E> = Pin<Box<dyn Future<Output = Result<T, E>> + 'a>>;

/// The first that succeeds; else the error of the last that failed, `None` where there was nothing to try. The next
/// attempt begins [`BESIDE`] after the one before, at once where that one failed. The others are dropped.
pub(super) async fn race<'a, A, T, E>(
    mut waiting: impl Iterator<Item = A>,
    attempt: impl Fn(A) -> Attempt<'a, T, E>,
) -> Result<T, Option<E>> {
    let mut running: Vec<Attempt<'a, T, E>> = Vec::new();
    let mut next = None;
    let mut last = None;
    poll_fn(|cx| {
        loop {
            let before = running.len();
            let mut index = 0;
            while let Some(one) = running.get_mut(index) {
                match one.as_mut().poll(cx) {
                    Poll::Pending => index += 1,
                    Poll::Ready(Ok(won)) => return Poll::Ready(Ok(won)),
                    Poll::Ready(Err(error)) => {
                        drop(running.remove(index));
                        last = Some(error);
                    }
                }
            }
            let failed = running.len() < before;
            let waits = |next: &mut Pin<Box<Sleep>>| next.as_mut().poll(cx).is_pending();
            if before > 0 && !failed && next.as_mut().is_none_or(waits) {
                return Poll::Pending;
            }
            match waiting.next() {
                Some(address) => {
                    running.push(attempt(address));
                    next = Some(Box::pin(sleep(BESIDE)));
                }
                None if running.is_empty() => return Poll::Ready(Err(last.take())),
                None => {
                    // There is nothing to begin any more.
                    next = None;
                    return Poll::Pending;
                }
            }
        }
    })
    .await
}

/// In which order addresses are tried: the one that worked last, then the two families by turns, each in the order of the
/// resolver.
pub(super) fn order(addresses: Vec<SocketAddr>, worked: Option<IpAddr>) -> Vec<SocketAddr> {
    let (known, rest): (Vec<_>, Vec<_>) = addresses
        .into_iter()
        .partition(|address| Some(address.ip()) == worked);
    // The family that is begun with: not that of an address that went before.
    let first = known.first().map_or_else(
        || rest.first().is_some_and(SocketAddr::is_ipv6),
        SocketAddr::is_ipv4,
    );
    let (six, four): (Vec<_>, Vec<_>) = rest.into_iter().partition(SocketAddr::is_ipv6);
    let (one, other) = if first { (six, four) } else { (four, six) };
    let (mut one, mut other) = (one.into_iter(), other.into_iter());
    let turns = std::iter::from_fn(move || {
        let pair: Vec<SocketAddr> = one.next().into_iter().chain(other.next()).collect();
        (!pair.is_empty()).then_some(pair)
    });
    known.into_iter().chain(turns.flatten()).collect()
}

/// "Connection Attempt Delay" of RFC 8305.
const BESIDE: Duration = Duration::from_millis(250);

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;

    /// What happens to the attempt that begins at a turn: so many milliseconds until its result.
    type Fate = (u64, Result<&'static str, &'static str>);

    /// The result, and when it was there.
    async fn raced(fates: &[Fate]) -> (Result<&'static str, Option<&'static str>>, u128) {
        let start = Instant::now();
        let result = race(fates.iter(), |(after, result)| {
            Box::pin(async move {
                sleep(Duration::from_millis(*after)).await;
                *result
            })
        });
        (result.await, start.elapsed().as_millis())
    }

    const NEVER: u64 = 1_000_000;

    #[tokio::test(start_paused = true)]
    async fn d10_a_dead_address_costs_a_quarter_of_a_second() {
        assert_eq!(
            raced(&[(NEVER, Err("dead")), (40, Ok("good"))]).await,
            (Ok("good"), 290)
        );
        assert_eq!(
            raced(&[(40, Ok("good")), (NEVER, Err("dead"))]).await,
            (Ok("good"), 40)
        );
    }

    #[tokio::test(start_paused = true)]
    async fn d10_a_failure_begins_the_next_at_once() {
        assert_eq!(
            raced(&[(10, Err("a")), (10, Err("b")), (10, Ok("c"))]).await,
            (Ok("c"), 30)
        );
    }

    #[tokio::test(start_paused = true)]
    async fn d10_a_slow_address_still_wins_where_the_others_fail() {
        assert_eq!(
            raced(&[(900, Ok("slow")), (10, Err("b")), (10, Err("c"))]).await,
            (Ok("slow"), 900)
        );
    }

    #[tokio::test(start_paused = true)]
    async fn d10_the_last_failure_is_told_and_nothing_to_try_is_one_too() {
        assert_eq!(
            raced(&[(700, Err("late")), (10, Err("early"))]).await,
            (Err(Some("late")), 700)
        );
        assert_eq!(raced(&[]).await, (Err(None), 0));
    }

    #[test]
    fn d10_families_take_turns_behind_the_address_that_worked_last() {
        let addresses = |text: &str| -> Vec<SocketAddr> {
            text.split(' ')
                .map(|ip| SocketAddr::new(ip.parse().unwrap(), 1))
                .collect()
        };
        let worked = |ip: &str| Some(ip.parse().unwrap());
        let found = addresses("::1 ::2 ::3 10.0.0.1 10.0.0.2");
        assert_eq!(
            order(found.clone(), None),
            addresses("::1 10.0.0.1 ::2 10.0.0.2 ::3")
        );
        assert_eq!(
            order(found.clone(), worked("10.0.0.2")),
            addresses("10.0.0.2 ::1 10.0.0.1 ::2 ::3")
        );
        assert_eq!(
            order(found.clone(), worked("::2")),
            addresses("::2 10.0.0.1 ::1 10.0.0.2 ::3")
        );
        assert_eq!(
            order(found, worked("::9")),
            addresses("::1 10.0.0.1 ::2 10.0.0.2 ::3")
        );
    }
}
