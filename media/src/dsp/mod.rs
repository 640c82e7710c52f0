//! Arithmetic on linear sound, without memory of calls: what goes in and out is samples.

pub mod resample;
