//! New calls per second: a bucket that fills evenly and holds one second's worth.

use crate::base::Mono;

/// The bucket.
#[derive(Debug, Clone, Copy, Default)]
pub struct Rate {
    /// Filled up to here; earlier than now by as much as is in it.
    full_at: Mono,
}

impl Rate {
    /// Takes one out of a bucket of `per_s`. False: it is empty.
    pub fn take(&mut self, now: Mono, per_s: u32) -> bool {
        let each = 1_000_000_000 / u64::from(per_s.max(1));
        let start = self.full_at.0.max(now.0.saturating_sub(1_000_000_000));
        if start + each > now.0 {
            return false;
        }
        self.full_at = Mono(start + each);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{ms, secs};

    #[test]
    fn a_burst_of_one_second_goes_through_and_then_the_rate() {
        let (mut r, mut now) = (Rate::default(), Mono(0) + secs(100));
        let burst = (0..50).filter(|_| r.take(now, 10)).count();
        assert_eq!(burst, 10);
        let mut later = 0;
        for _ in 0..50 {
            now = now + ms(20);
            later += usize::from(r.take(now, 10));
        }
        assert_eq!(later, 10, "one second later");
    }
}
