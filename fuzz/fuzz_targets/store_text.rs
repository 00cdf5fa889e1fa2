//! Any text as a stored file.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| dtu_proto::fuzzing::store_text(text));
