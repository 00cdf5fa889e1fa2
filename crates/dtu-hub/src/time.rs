//! The hub's own time: microseconds since the start of the host program, counted as the device counts its own. It only
//! enters the hub as an argument; the host knows which hour of the day that is.

pub use dtu_proto::time::{Duration, Instant};
