//! The stream of what happens. Nothing wakes up while nobody looks; who reads slowly gets gaps, counted, and slows nobody.

use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::IntoResponse as _;
use bytes::Bytes;
use http_body::Frame;
use serde_json::{Value, json};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::time::{Instant, interval, sleep_until};

use super::app::{App, lock};
use super::body::Asked;
use super::door::blocking;
use super::fault::{Answer, Fault};
use super::feed::{log_lines, traffic_rows};
use super::peer::Peer;
use super::who::Identity;
use crate::recorder::Row;
use crate::words;

/// Streams at a time.
pub(crate) const STREAMS: usize = 64;
/// Batches.
const BATCH: Duration = Duration::from_millis(100);
/// States, in batches.
const STATUS_EACH: u32 = 5;
/// Rows of a batch.
const ROWS: usize = 300;
/// Bytes of rows in a chunk. Three of them are on their way at most: here, in the channel, in the connection.
const CHUNK: usize = 32 * 1024;
/// Names, numbers and the note.
const ROW_WITHOUT_DATA: usize = 160;
/// Who is further behind goes on with the newest ones.
const BEHIND: u64 = 2000;
/// A comment, so that what stands between keeps the stream open.
const COMMENT: Duration = Duration::from_secs(15);
/// A state that has not come by then is not waited for.
const STATUS_WAIT: Duration = Duration::from_secs(1);

/// Looks at the device for all streams at once, as long as there are any.
#[derive(Debug)]
pub(crate) struct Hub {
    pub(crate) places: Arc<Semaphore>,
    news: watch::Sender<News>,
    looks: Mutex<bool>,
    /// Times that the device was asked how it is. Held while it is asked, so that its answers have the order of these.
    asked: Mutex<u64>,
}

/// How far things are.
#[derive(Clone, Debug, Default)]
struct News {
    rows: u64,
    lines: u64,
    /// The state, and the number of the question.
    status: Option<(u64, Arc<Value>)>,
}

impl Default for Hub {
    fn default() -> Self {
        Self {
            places: Arc::new(Semaphore::new(STREAMS)),
            news: watch::Sender::new(News::default()),
            looks: Mutex::new(false),
            asked: Mutex::new(0),
        }
    }
}

impl Hub {
    /// Streams that are open.
    pub(crate) fn streams(&self) -> usize {
        STREAMS - self.places.available_permits()
    }

    /// How the device is, with the number of the question: it answers in their order.
    async fn ask(app: &Arc<App>) -> (u64, Option<Value>) {
        let asked = blocking(app, |app| {
            let mut asked = lock(&app.hub.asked);
            *asked += 1;
            let (number, answer) = (*asked, app.device.ask_status(STATUS_WAIT));
            drop(asked);
            Ok((number, answer().ok()))
        });
        // Without an answer there is nothing that it would be older than.
        asked.await.unwrap_or_default()
    }

    fn subscribe(&self, app: &Arc<App>) -> watch::Receiver<News> {
        let news = self.news.subscribe();
        let mut looks = lock(&self.looks);
        if !*looks {
            *looks = true;
            tokio::spawn(look(Arc::clone(app)));
        }
        news
    }
}

async fn look(app: Arc<App>) {
    let mut ticks = interval(BATCH);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let is_live = app.device.features().live;
    let mut count = 0_u32;
    loop {
        ticks.tick().await;
        {
            let mut looks = lock(&app.hub.looks);
            if app.hub.news.receiver_count() == 0 {
                *looks = false;
                return;
            }
        }
        let status = if is_live && count.is_multiple_of(STATUS_EACH) {
            let (number, status) = Hub::ask(&app).await;
            status.map(|status| (number, Arc::new(status)))
        } else {
            None
        };
        count = count.wrapping_add(1);
        let (rows, lines) = match &app.recorder {
            Some(recorder) => (recorder.next_row(), recorder.next_line()),
            None => (0, 0),
        };
        app.hub.news.send_if_modified(|news| {
            let is_news = news.rows != rows || news.lines != lines || status.is_some();
            (news.rows, news.lines) = (rows, lines);
            if status.is_some() {
                news.status = status;
            }
            is_news
        });
    }
}

pub(crate) async fn events(
    State(app): State<Arc<App>>,
    method: Method,
    Extension(peer): Extension<Peer>,
    Extension(identity): Extension<Identity>,
    asked: Asked,
    headers: HeaderMap,
) -> Answer {
    let head = [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    let unbuffered = [("x-accel-buffering", "no")];
    // Who asks for the head alone looks at nothing, and takes no place.
    if method == Method::HEAD {
        return Ok((head, unbuffered).into_response());
    }
    let Ok(place) = Arc::clone(&app.hub.places).try_acquire_owned() else {
        return Err(Fault::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "full",
            words::many_streams(STREAMS),
        )
        .with("retry_after", 10));
    };
    peer.becomes_stream(place);
    let want = asked.word("want").unwrap_or("status,rows,log");
    let has = |word: &str| want.split(',').any(|own| own.trim() == word);
    // A number of another run says nothing.
    let seen = headers.get("last-event-id").and_then(|id| {
        let (run, number) = id.to_str().ok()?.split_once('-')?;
        number.parse::<u64>().ok().filter(|_| run == app.run)
    });
    let (sender, receiver) = mpsc::channel(1);
    let stream = Stream {
        news: app.hub.subscribe(&app),
        app: Arc::clone(&app),
        identity: identity.clone(),
        status: has("status"),
        rows: has("rows"),
        log: has("log") && !identity.is_viewer(),
        sender,
        next_row: 0,
        next_line: 0,
        state: 0,
        burst: 0,
    };
    tokio::spawn(stream.run(seen));
    let body = Body::new(Chunks { receiver });
    Ok((head, unbuffered, body).into_response())
}

/// One who looks.
struct Stream {
    app: Arc<App>,
    news: watch::Receiver<News>,
    identity: Identity,
    status: bool,
    rows: bool,
    log: bool,
    /// Takes one chunk: the next one is made when that is on its way.
    sender: mpsc::Sender<Bytes>,
    next_row: u64,
    next_line: u64,
    state: u64,
    /// Rows of this batch so far.
    burst: usize,
}

impl Stream {
    async fn run(mut self, seen: Option<u64>) {
        let hello = self.hello(seen).await;
        if self.sender.send(Bytes::from(hello)).await.is_err() {
            return;
        }
        let mut said = Instant::now();
        loop {
            if !self.is_still_let_in() {
                return;
            }
            let text = self.batch();
            let text = if text.is_empty() && said.elapsed() >= COMMENT {
                ": \n\n".to_owned()
            } else {
                text
            };
            if !text.is_empty() {
                said = Instant::now();
                if self.sender.send(Bytes::from(text)).await.is_err() {
                    return;
                }
            }
            if self.burst < ROWS && self.burst > 0 && self.news.borrow().rows > self.next_row {
                continue;
            }
            self.burst = 0;
            tokio::select! {
                changed = self.news.changed() => if changed.is_err() { return },
                () = sleep_until(said + COMMENT) => {}
                () = self.sender.closed() => return,
            }
        }
    }

    /// A session that has ended takes its streams along.
    fn is_still_let_in(&self) -> bool {
        match &self.identity {
            Identity::Session(_, token) => lock(&self.app.sessions).find(token).is_some(),
            Identity::Local => true,
            Identity::Nobody => false,
        }
    }

    /// What there is: where it goes on from.
    async fn hello(&mut self, seen: Option<u64>) -> String {
        let mut status = None;
        if self.app.device.features().live {
            // What was asked for before is older, whenever it is told.
            (self.state, status) = Hub::ask(&self.app).await;
        }
        if let Some(recorder) = &self.app.recorder {
            (self.next_row, self.next_line) = (recorder.next_row(), recorder.next_line());
        }
        let hello = json!({
            "run": self.app.run,
            "status": status,
            "rows": { "next": self.next_row },
            "log": { "next": self.next_line },
        });
        // One that comes again goes on where it was.
        if let Some(seen) = seen.filter(|seen| *seen < self.next_row) {
            self.next_row = seen + 1;
        }
        event("hello", None, &hello)
    }

    fn batch(&mut self) -> String {
        let news = self.news.borrow_and_update().clone();
        let mut text = String::new();
        if let Some((number, status)) = news.status.filter(|_| self.status)
            && number > self.state
        {
            self.state = number;
            text.push_str(&event("status", None, &status));
        }
        let Some(recorder) = self.app.recorder.clone() else {
            return text;
        };
        if self.rows && news.rows > self.next_row {
            let skipped = too_old(self.next_row, news.rows);
            let page = recorder.rows(self.next_row + skipped, ROWS - self.burst);
            let items = first_of(&page.items);
            self.burst += items.len();
            self.next_row = match items.last() {
                Some(last) if items.len() < page.items.len() => last.seq + 1,
                Some(_) | None => page.next,
            };
            text.push_str(&gap("rows", skipped + page.missed));
            if let Some(last) = items.last() {
                let rows = traffic_rows(items, self.identity.is_viewer());
                let id = format!("{}-{}", self.app.run, last.seq);
                text.push_str(&event("rows", Some(&id), &rows));
            }
        }
        if self.log && news.lines > self.next_line {
            let skipped = too_old(self.next_line, news.lines);
            let page = recorder.lines(self.next_line + skipped, ROWS);
            self.next_line = page.next;
            text.push_str(&gap("lines", skipped + page.missed));
            if !page.items.is_empty() {
                text.push_str(&event("log", None, &log_lines(&page.items)));
            }
        }
        text
    }
}

/// How many a reader leaves out who is far behind: the newest are what he wants to see.
fn too_old(next: u64, newest: u64) -> u64 {
    if newest - next > BEHIND {
        newest - ROWS as u64 - next
    } else {
        0
    }
}

fn gap(of: &str, skipped: u64) -> String {
    if skipped == 0 {
        return String::new();
    }
    event("gap", None, &json!({ of: skipped }))
}

/// As many rows as make a chunk.
fn first_of(rows: &[Row]) -> &[Row] {
    let mut size = 0;
    let fits = rows.iter().take_while(|row| {
        size += row.data.len() * 4 / 3 + ROW_WITHOUT_DATA;
        size <= CHUNK
    });
    let count = fits.count().max(1);
    rows.get(..count).unwrap_or(rows)
}

/// JSON has no line ends of its own.
fn event(name: &str, id: Option<&str>, data: &Value) -> String {
    let id = id.map(|id| format!("id: {id}\n")).unwrap_or_default();
    format!("event: {name}\n{id}data: {data}\n\n")
}

/// The body of a stream. With it goes its place.
struct Chunks {
    receiver: mpsc::Receiver<Bytes>,
}

impl http_body::Body for Chunks {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let next = self.receiver.poll_recv(context);
        next.map(|chunk| chunk.map(|bytes| Ok(Frame::data(bytes))))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use dtu_setup::door::{Door, DoorError};

    use super::super::Config;
    use super::*;
    use crate::device::{Device, Features, Order, Unavailable};

    /// Tells how many questions were put before.
    struct Counting(AtomicU64);

    impl Device for Counting {
        fn features(&self) -> Features {
            unreachable!("nobody asks")
        }

        fn door(&self) -> Result<Box<dyn Door + Send + '_>, DoorError> {
            unreachable!("nobody asks")
        }

        fn status(&self, _: Duration) -> Result<Value, Unavailable> {
            unreachable!("it is put first, and waited for then")
        }

        fn ask_status(&self, _: Duration) -> Box<dyn FnOnce() -> Result<Value, Unavailable> + '_> {
            let before = self.0.fetch_add(1, Ordering::Relaxed);
            Box::new(move || Ok(before.into()))
        }

        fn order(&self, _: Order) -> Result<(), Unavailable> {
            unreachable!("nobody orders")
        }

        fn messages(&self) -> Result<Value, Unavailable> {
            unreachable!("nobody asks")
        }
    }

    #[tokio::test]
    async fn the_number_of_a_state_is_that_of_its_question() {
        let (_stop, stopped) = watch::channel(false);
        let device = Arc::new(Counting(AtomicU64::new(0)));
        let app = App::new(Config::default(), device, None, stopped).unwrap();
        let ask = |_| {
            let app = Arc::clone(&app);
            tokio::spawn(async move { Hub::ask(&app).await })
        };
        let asked: Vec<_> = (0..500).map(ask).collect();
        for answer in asked {
            let (number, status) = answer.await.unwrap();
            assert_eq!(status.unwrap(), number - 1);
        }
    }
}
