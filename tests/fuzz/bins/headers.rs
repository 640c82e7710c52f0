//! The program of the target `headers`: see `tests/fuzz/targets/mod.rs`.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| ringdesk_fuzz::headers(data));
