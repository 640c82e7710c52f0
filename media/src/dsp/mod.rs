//! Arithmetic on linear sound, without memory of calls: what goes in and out is samples.

pub mod agc;
pub mod answerer;
pub mod level;
pub mod pitch;
pub mod plc;
pub mod resample;
#[cfg(test)]
pub mod speechlike;
pub mod stretch;
pub mod tones;
pub mod vad;
