//! Sets DTUs up: reads what a device stores, compares it with what is wanted, sets, saves, restarts, reads back.
//!
//! Settings go by AT commands only, so a real USR-GPRS232-7xx is set up by the same steps as `dtud`. What can be set, its
//! ranges and its error sentences come from the command table of `dtu-proto`.

pub mod apply;
pub mod charset;
pub mod check;
pub mod chinese;
pub mod door;
pub mod file;
pub mod reading;
pub mod remote;
pub mod reply;
pub mod say;
pub mod schema;
pub mod serial;
pub mod sms;
pub mod status;
mod talk;
pub mod trial;
pub mod values;
mod words;

pub use say::{Language, Sentence};
pub use schema::{Group, Key, Schema};
pub use talk::whole_reply;
pub use values::{Change, Values};
