//! The stored file: one AT set command a line, from the same table that serves AT commands of every origin.

use alloc::string::String;
use alloc::vec::Vec;

use super::Config;
use crate::at;

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
pub fn to_store_text(config: &Config) -> String {
    at::store_lines(config)
        .into_iter()
        .fold(String::new(), |text, line| text + &line + "\n")
}

/// The parameters in `text`; what it does not name has its factory value. Lines that cannot be used (of a later
/// version, say) are passed over and reported; empty ones and those that begin with `#` say nothing.
#[must_use]
pub fn from_store_text(text: &str) -> (Config, Vec<Problem>) {
    let mut config = Config::default();
    let mut problems = Vec::new();
    for (line, content) in (1..).zip(text.lines()) {
        let content = content.trim();
        if content.is_empty() || content.starts_with('#') {
            continue;
        }
        if let Err(text) = at::load(content, &mut config) {
            problems.push(Problem { line, text });
        }
    }
    (config, problems)
}
