//! Where the subjects meet.
