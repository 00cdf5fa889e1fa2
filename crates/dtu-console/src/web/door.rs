//! The way of AT commands, for one at a time.

use std::sync::Arc;
use std::time::Duration;

use dtu_setup::door::{Door, Reply};
use dtu_setup::trial::Trial;
use serde_json::Value;
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::app::App;
use super::fault::{Answer, Fault};
use super::settings::Known;
use crate::words;

/// So long a request waits for another one.
const TURN: Duration = Duration::from_secs(5);
/// For what is asked beside the door: the state, the sets of settings.
const BESIDE: Duration = Duration::from_secs(5);

/// Runs `work` with the device in a state where it takes commands, and lets it go on with its own work whatever comes of
/// that.
pub(crate) async fn with_door<R: Done>(
    app: &Arc<App>,
    work: impl FnOnce(&App, &mut dyn Door) -> Answer<R> + Send + 'static,
) -> Answer<R> {
    in_turn(app, move |app| {
        let mut door = app.device.door()?;
        let result = work(app, door.as_mut());
        if let Err(error) = door.leave() {
            tracing::warn!("console: the device may still be in its command state: {error}");
        }
        result
    })
    .await
}

/// Runs `work` while nobody else has the door.
pub(crate) async fn in_turn<R: Done>(
    app: &Arc<App>,
    work: impl FnOnce(&App) -> Answer<R> + Send + 'static,
) -> Answer<R> {
    let turn = timeout(TURN, Arc::clone(&app.door).acquire_owned());
    let Ok(Ok(turn)) = turn.await else {
        return Err(Fault::busy());
    };
    let (answer, answered) = oneshot::channel();
    let owned = Arc::clone(app);
    tokio::task::spawn_blocking(move || {
        // Held here, not by the request: a client that goes away leaves nothing half done.
        let _turn = turn;
        if let Err(unheard) = answer.send(work(&owned))
            && let Some(end) = end_of(&unheard)
        {
            tracing::warn!(
                "console: nobody waits any more for what was asked; it has ended: {end}"
            );
        }
    });
    let within = app.device.patience();
    match timeout(within, answered).await {
        Ok(answer) => answer.unwrap_or_else(|_| Err(Fault::stopped())),
        Err(_) => Err(Fault::goes_on(within)),
    }
}

/// What work with the door leaves behind: who asked may have gone by then, and the log is all that tells of it.
pub(crate) trait Done: Send + 'static {
    /// Its end, in a sentence; `None`: it changed nothing, or the device has told so itself.
    fn end(&self) -> Option<String>;
}

impl Done for () {
    fn end(&self) -> Option<String> {
        Some(words::is_done().to_string())
    }
}

/// An outcome of the API.
impl Done for Value {
    fn end(&self) -> Option<String> {
        let why = self["failure"].as_str().unwrap_or_default();
        let end = match self["outcome"].as_str() {
            Some("nothing") => return None,
            Some("trial") => words::is_on_trial(),
            Some("put_back") => words::was_put_back(why),
            Some("mixed") => words::is_mixed(why),
            Some(_) | None => words::is_done(),
        };
        Some(end.to_string())
    }
}

impl Done for Known {
    fn end(&self) -> Option<String> {
        None
    }
}

impl Done for Option<Trial> {
    fn end(&self) -> Option<String> {
        None
    }
}

/// The device logs each command.
impl Done for Reply {
    fn end(&self) -> Option<String> {
        None
    }
}

fn end_of<R: Done>(answer: &Answer<R>) -> Option<String> {
    match answer {
        Ok(done) => done.end(),
        Err(fault) => Some(fault.to_string()),
    }
}

/// So long a request takes at most, once its body is there. What it began goes on, and has its end.
pub(crate) fn patience(app: &App) -> Duration {
    TURN + app.device.patience() + BESIDE
}

/// On a thread that may wait.
pub(crate) async fn blocking<R: Send + 'static>(
    app: &Arc<App>,
    work: impl FnOnce(&App) -> Answer<R> + Send + 'static,
) -> Answer<R> {
    let app = Arc::clone(app);
    let done = tokio::task::spawn_blocking(move || work(&app)).await;
    done.map_err(|_| Fault::stopped())?
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_changed_something_is_told_when_nobody_waits_for_it() {
        let end = |value| end_of(&Ok::<Value, Fault>(value)).unwrap_or_default();
        assert_eq!(end(json!({ "outcome": "nothing" })), "");
        assert_eq!(end(json!({ "outcome": "done" })), "it is done");
        let trial = json!({ "outcome": "trial" });
        assert_eq!(end(trial), "the settings are on trial");
        let back = json!({ "outcome": "put_back", "failure": "AT: no" });
        assert_eq!(end(back), "it failed, and the old values are back: AT: no");
        let mixed = json!({ "outcome": "mixed", "failure": "AT: no" });
        let told = "it failed, and not all old values are back: AT: no";
        assert_eq!(end(mixed), told);
        assert_eq!(end_of(&Ok(())).as_deref(), Some("it is done"));
        let fault = Err::<(), _>(Fault::busy());
        assert_eq!(end_of(&fault), Some(words::busy().to_string()));
    }
}
