//! Any bytes as one AT line.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|line: &[u8]| dtu_proto::fuzzing::at_line(line));
