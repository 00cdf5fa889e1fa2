//! Any text as a recorded run.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok((_, entries)) = dtu_proto::record::parse(text) {
        entries.take_while(Result::is_ok).for_each(drop);
    }
});
