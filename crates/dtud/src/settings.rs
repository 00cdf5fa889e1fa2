//! The settings file.
use dtu_proto::config::Options;
use dtu_proto::event::LinkId;
use std::path::Path;

/// Flow control.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FlowControl {
    /// None.
    #[default]
    None,
    /// RTS/CTS.
    RtsCts,
}
/// Line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Serial {
    /// Flow control.
    pub flow_control: FlowControl,
    /// RS-485.
    pub rs485: bool,
}
/// Lamps.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Leds {
    /// POW.
    pub pow: Option<String>,
    /// NET.
    pub net: Option<String>,
    /// DATA.
    pub data: Option<String>,
}
/// All.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// Line.
    pub serial: Serial,
    /// Lamps.
    pub leds: Leds,
}
/// Error.
pub type Error = String;
impl Settings {
    /// # Errors
    /// All.
    pub fn load(path: &Path) -> Result<Self, Error> {
        Err(format!("{}:1:1: not read yet", path.display()))
    }
    /// Knobs.
    #[must_use]
    pub fn options(&self) -> Options {
        Options::default()
    }
    /// Interface.
    #[must_use]
    pub fn link_interface(&self, _link: LinkId) -> Option<&str> {
        None
    }
}
