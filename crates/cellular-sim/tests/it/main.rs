//! The simulated modem and network as their users meet them. One program, so that it is linked once.

mod at_modem;
mod radio;
