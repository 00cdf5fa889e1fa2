//! What a device sends first, door by door, and who came that nobody knows.

mod cloud;
mod d2d;
mod pattern;
mod rules;
mod unknown;

pub use cloud::Code;
pub(crate) use cloud::{Cloud, Told};
pub(crate) use d2d::Greeting;
pub use pattern::{Pattern, PatternFault};
pub use rules::{Rules, Seen, Who};
pub use unknown::Unknown;
pub(crate) use unknown::Unknowns;
