//! Outside messages to text and back.
