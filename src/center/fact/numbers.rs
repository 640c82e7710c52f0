//! Numbers as the journal has them.

use std::time::Duration;

/// Not written where it says nothing.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants it so")]
pub(super) fn is_zero(n: &u64) -> bool {
    *n == 0
}

/// Milliseconds of a duration as a journal number.
pub fn millis(d: Duration) -> u64 {
    u64::try_from(d.as_millis()).unwrap_or(u64::MAX)
}
