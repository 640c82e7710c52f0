//! The whole center in virtual time.
