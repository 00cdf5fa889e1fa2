//! A simulated cellular network ([`radio`]) and AT modems in it ([`modem`]), in virtual time.
//!
//! A product part: `dtud --modem sim` runs the device on a port of the network, `dtu-sim modem` serves the AT modems on
//! ptys, and `dtu-sim world` draws its radio from here. Nothing here reads a clock or opens a file.
#![forbid(unsafe_code)]

pub mod modem;
pub mod radio;
mod rng;

pub use rng::Rng;
