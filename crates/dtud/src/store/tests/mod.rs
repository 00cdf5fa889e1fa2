use super::files::FileOps;
use super::sheet::{Found, read};
use super::*;
use crate::fs::MAX_DAMAGED;
use std::collections::BTreeMap;
use std::os::unix::fs::DirBuilderExt as _;
use std::os::unix::fs::PermissionsExt as _;

mod crashes;
mod files;

const CURRENT: &str = "parameters";

const PREVIOUS: &str = "parameters.previous";

const NEW: &str = "parameters.new";

const OLD: &str = "AT+CIPR=9600\n";

const NEWER: &str = "AT+CIPR=115200\nAT+CIPSW=\"secret\"\n";

/// As `ParameterStore::open`, with the folder's lock.
fn open(dir: &Path) -> io::Result<((ParameterStore, State), Config, Vec<String>)> {
    let (state, mut said) = State::open(&Fs::default(), dir)?;
    let (store, config, messages) = ParameterStore::open(&state)?;
    said.extend(messages);
    Ok(((store, state), config, said))
}

fn dir() -> &'static Path {
    Path::new("/state")
}
