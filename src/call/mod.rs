//! Legs, bridges, trunks.
