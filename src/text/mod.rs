//! Conversations in writing.
