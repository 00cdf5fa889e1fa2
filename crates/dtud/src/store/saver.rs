//! Saves beside the loop: waiting for the disk must not stop the line.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use tokio::task::JoinHandle;

use super::{MessageStore, ParameterStore};
use crate::disk::Guard;

/// What keeps one text.
pub(crate) trait Keep: Send + 'static {
    /// As `ParameterStore::save`.
    fn keep(&mut self, text: &str) -> io::Result<()>;
}

impl Keep for ParameterStore {
    fn keep(&mut self, text: &str) -> io::Result<()> {
        self.save(text)
    }
}

impl Keep for MessageStore {
    fn keep(&mut self, text: &str) -> io::Result<()> {
        self.save(text)
    }
}

/// Writes one text at a time. Of those that come meanwhile only the newest is written.
#[derive(Debug)]
pub(crate) struct Saver<K> {
    store: Arc<Mutex<K>>,
    guard: Arc<Guard>,
    writing: Option<(u64, JoinHandle<io::Result<()>>)>,
    waiting: Option<(u64, String)>,
}

impl<K: Keep> Saver<K> {
    pub(crate) fn new(store: K, guard: Arc<Guard>) -> Self {
        Self {
            store: Arc::new(Mutex::new(store)),
            guard,
            writing: None,
            waiting: None,
        }
    }

    /// Stores the text of that number; `poll` tells the outcome. A number that was passed over is not answered: the
    /// one that took its place is.
    pub(crate) fn save(&mut self, number: u64, text: String) {
        if self.writing.is_some() {
            self.waiting = Some((number, text));
            return;
        }
        let (store, guard) = (Arc::clone(&self.store), Arc::clone(&self.guard));
        let work = move || {
            guard.check()?;
            store
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .keep(&text)
        };
        self.writing = Some((number, tokio::task::spawn_blocking(work)));
    }

    pub(crate) const fn is_saving(&self) -> bool {
        self.writing.is_some()
    }

    /// The number that is stored now, or why it could not be.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<u64, String>> {
        let Some((number, work)) = &mut self.writing else {
            return Poll::Pending;
        };
        let done = std::task::ready!(Pin::new(work).poll(cx));
        let number = *number;
        self.writing = None;
        if let Some((number, text)) = self.waiting.take() {
            self.save(number, text);
        }
        Poll::Ready(match done {
            Ok(saved) => saved.map(|()| number).map_err(|error| error.to_string()),
            Err(broken) => Err(broken.to_string()),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::sync::mpsc;

    use super::*;

    /// Tells what it is asked to store, and waits for the outcome.
    struct ScriptedStore {
        asked: mpsc::Sender<String>,
        outcomes: mpsc::Receiver<io::Result<()>>,
    }

    impl Keep for ScriptedStore {
        fn keep(&mut self, text: &str) -> io::Result<()> {
            self.asked.send(text.to_owned()).unwrap();
            self.outcomes.recv().unwrap()
        }
    }

    #[test]
    fn of_the_texts_that_come_while_one_is_written_only_the_newest_is_written() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        let (asked, texts) = mpsc::channel();
        let (decide, outcomes) = mpsc::channel();
        runtime.block_on(async {
            let mut saver = Saver::new(
                ScriptedStore { asked, outcomes },
                Guard::new("/".as_ref(), None),
            );
            for (number, text) in [(1, "a"), (2, "b"), (3, "c"), (4, "d")] {
                saver.save(number, text.to_owned());
            }
            decide.send(Ok(())).unwrap();
            assert_eq!(poll_fn(|cx| saver.poll(cx)).await, Ok(1));
            assert!(saver.is_saving(), "the newest is being written");
            decide.send(Err(io::ErrorKind::StorageFull.into())).unwrap();
            assert!(poll_fn(|cx| saver.poll(cx)).await.is_err());
            assert!(!saver.is_saving());
            saver.save(5, "e".to_owned());
            decide.send(Ok(())).unwrap();
            assert_eq!(poll_fn(|cx| saver.poll(cx)).await, Ok(5));
        });
        assert_eq!(texts.iter().collect::<Vec<_>>(), ["a", "d", "e"]);
    }

    #[test]
    fn a_store_that_breaks_is_a_failure_and_the_next_text_is_tried() {
        struct Breaks(bool);
        impl Keep for Breaks {
            fn keep(&mut self, _text: &str) -> io::Result<()> {
                assert!(std::mem::replace(&mut self.0, true), "the first breaks");
                Ok(())
            }
        }
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        runtime.block_on(async {
            let mut saver = Saver::new(Breaks(false), Guard::new("/".as_ref(), None));
            saver.save(1, String::new());
            saver.save(2, String::new());
            assert!(poll_fn(|cx| saver.poll(cx)).await.is_err());
            assert_eq!(poll_fn(|cx| saver.poll(cx)).await, Ok(2));
        });
    }
}
