//! The simulated modem, network and world as their users meet them. One program, so that it is linked once.

mod at_modem;
mod pty;
mod radio;
mod script;
mod seeds;
mod traps;
