//! The program of the target `rtp`: see `tests/fuzz/targets/mod.rs`.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| ringdesk_fuzz::rtp(data));
