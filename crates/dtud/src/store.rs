//! The parameter store.
use dtu_proto::config::Config;
use std::path::Path;
pub(crate) struct ParameterStore;
impl ParameterStore {
    pub(crate) fn open(_dir: &Path) -> std::io::Result<(Self, Config, Vec<String>)> {
        Ok((Self, Config::default(), Vec::new()))
    }
    pub(crate) fn save(&mut self, _text: &str) -> std::io::Result<()> {
        Ok(())
    }
}
