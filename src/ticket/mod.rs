//! Tickets and their clocks.
