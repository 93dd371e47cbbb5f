#![no_main]

#[path = "../../tests/common/checks/mod.rs"]
mod checks;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| checks::graphemes(bytes));
