//! libFuzzer over the parser that this program is named after.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    muster::fuzzing::run(env!("CARGO_BIN_NAME"), bytes);
});
