//! The only place below `main` that reads the system's clocks.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use crate::base::{Mono, Now, Wall};

/// Both clocks of the process. Cheap to copy; all copies agree.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    start: Instant,
}

impl Clock {
    /// Starts the timer clock. It begins far from zero, so that what happened before a restart can be put before now.
    #[expect(clippy::disallowed_methods, reason = "this is the clock everybody else is handed")]
    pub fn start() -> Self {
        Clock { start: Instant::now() }
    }

    /// This instant on both clocks.
    #[expect(clippy::disallowed_methods, reason = "this is the clock everybody else is handed")]
    pub fn now(&self) -> Now {
        // Ten years: older than anything a journal remembers of a live contact.
        const HEAD_START: u64 = 10 * 365 * 24 * 3600 * 1_000_000_000;
        let run = u64::try_from(self.start.elapsed().as_nanos()).unwrap_or(u64::MAX / 2);
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Now { mono: Mono(HEAD_START + run), wall: Wall(i64::try_from(wall.as_micros()).unwrap_or(i64::MAX)) }
    }
}
