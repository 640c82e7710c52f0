//! Arithmetic on linear sound, without memory of calls: what goes in and out is samples.

pub mod level;
pub mod pitch;
pub mod plc;
pub mod resample;
pub mod stretch;
