//! Two sides back to back over a link.
