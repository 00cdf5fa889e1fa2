//! The stored file: one AT set command a line.

use alloc::string::String;
use alloc::vec::Vec;

use super::Config;

/// A line of a stored file that was passed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Counted from 1.
    pub line: usize,
    /// What is wrong with it.
    pub text: String,
}

/// All stored parameters as text.
#[must_use]
pub fn to_store_text(_config: &Config) -> String {
    String::new()
}

/// The parameters in `text`; what it does not name has its factory value. Lines that cannot be used (of a later
/// version, say) are passed over and reported.
#[must_use]
pub fn from_store_text(_text: &str) -> (Config, Vec<Problem>) {
    (Config::default(), Vec::new())
}
