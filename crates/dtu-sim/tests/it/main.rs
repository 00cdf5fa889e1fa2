//! The world, the device in it, and `dtu-sim modem`, as their users meet them. One program, so that it is linked once.

mod fleet;
mod pty;
mod seeds;
