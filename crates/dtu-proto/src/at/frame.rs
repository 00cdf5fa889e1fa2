//! What the DTE typed at the prompt of `CISEND`.

use alloc::format;
use bytes::Bytes;

use super::connection::ConnectionCode;
use super::outcome::{Change, Next, Outcome, SlowCommand};
use super::prompt::{CISEND_MAX, Entry};
use super::reply::{Code, Error};

/// Each byte is data, 0x1A too (decisions 16.11); only a frame of one ESC is none. With `exact` even that.
pub(super) fn prompted(
    exact: Option<usize>,
    entry: Entry,
    outcome: &mut Outcome,
) -> Result<(), Error> {
    match (entry, exact) {
        (Entry::Text(frame), None) if frame == [CANCEL] => {}
        // mutant: 1a-is-data
        (Entry::Text(frame), _) => outcome.wait(SlowCommand::Send(Bytes::from(frame))),
        (Entry::Cancelled, _) => {}
        (Entry::TooLong(came), _) => {
            outcome.change(Change::DropFrame(came));
            let text = format!(
                "CISEND: a frame has at most {CISEND_MAX} bytes, got {came}; nothing was sent"
            );
            return Err(Error::new(Code::NotAllowed, text));
        }
        // The DTE fell silent before it was whole.
        (Entry::Abandoned(came), _) => {
            outcome.change(Change::DropFrame(came));
            outcome.next = Next::End(ConnectionCode::SendFail);
        }
    }
    Ok(())
}

/// ESC gives it up, as at the prompt of a message (27.005 3.5.1).
const CANCEL: u8 = 0x1B;
