//! The way of AT commands, for one at a time.

use std::sync::Arc;
use std::time::Duration;

use dtu_setup::door::Door;
use tokio::time::timeout;

use super::app::App;
use super::fault::{Answer, Fault};
use crate::device::Unavailable;

/// So long a request waits for another one.
const TURN: Duration = Duration::from_secs(5);

/// Runs `work` with the device in a state where it takes commands, and lets it go on with its own work whatever comes of
/// that.
pub(crate) async fn with_door<R: Send + 'static>(
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
pub(crate) async fn in_turn<R: Send + 'static>(
    app: &Arc<App>,
    work: impl FnOnce(&App) -> Answer<R> + Send + 'static,
) -> Answer<R> {
    let turn = timeout(TURN, Arc::clone(&app.door).acquire_owned());
    let Ok(Ok(turn)) = turn.await else {
        return Err(Fault::busy());
    };
    let done = blocking(app, move |app| {
        // Held here, not by the request: a client that goes away leaves nothing half done.
        let _turn = turn;
        work(app)
    });
    let within = app.device.patience();
    let late = |_| Err(Unavailable::Silent(within).into());
    timeout(within, done).await.unwrap_or_else(late)
}

/// So long a request takes at most. What it began goes on, and has its end.
pub(crate) fn patience(app: &App) -> Duration {
    TURN + app.device.patience()
}

/// On a thread that may wait.
pub(crate) async fn blocking<R: Send + 'static>(
    app: &Arc<App>,
    work: impl FnOnce(&App) -> Answer<R> + Send + 'static,
) -> Answer<R> {
    let app = Arc::clone(app);
    let done = tokio::task::spawn_blocking(move || work(&app)).await;
    done.map_err(|_| Fault::broken("it stopped while it worked"))?
}
