//! The desk in front of the media engine.
