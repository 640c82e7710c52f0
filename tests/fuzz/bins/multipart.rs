//! The program of the target `multipart`: see `tests/fuzz/targets/mod.rs`.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| ringdesk_fuzz::multipart(data));
