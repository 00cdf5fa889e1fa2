//! `dtu-sim`: worlds and replays.
fn main() {}
