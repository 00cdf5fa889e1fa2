//! `dtud`: the device.
fn main() {}
