//! Each signature is good for one call: whoever has heard one on the way cannot make another call of it while it is fresh (RFC
//! 8224 section 12.1).
//!
//! Kept is what was signed, of calls that held, for as long as it could come again. A call that comes a second time (another
//! way was tried, or the INVITE was sent again) has the same Call-ID, and is no other call.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use sha2::{Digest as _, Sha256};

use crate::base::{Mono, limits::STIR_SEEN_MAX};

type Hash = [u8; 32];

/// What has been signed for calls of late.
#[derive(Debug, Default)]
pub struct Once {
    calls: BTreeMap<Hash, Hash>,
    /// Until when each is kept, the oldest first.
    until: VecDeque<(Mono, Hash)>,
}

impl Once {
    /// A call with something signed for it: true unless that has served another call. `lasts`: how long it may come again.
    ///
    /// Beyond [`STIR_SEEN_MAX`] the oldest is forgotten, and would pass again.
    pub fn is_first(&mut self, now: Mono, signed: &str, call_id: &str, lasts: Duration) -> bool {
        while self.until.front().is_some_and(|(until, _)| *until <= now || self.until.len() >= STIR_SEEN_MAX) {
            if let Some((_, old)) = self.until.pop_front() {
                self.calls.remove(&old);
            }
        }
        let (what, call) = (Sha256::digest(signed).into(), Sha256::digest(call_id).into());
        match self.calls.get(&what) {
            Some(first) => *first == call,
            None => {
                self.calls.insert(what, call);
                self.until.push_back((now + lasts, what));
                true
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::secs;

    #[test]
    fn what_was_signed_serves_one_call_while_it_is_fresh() {
        let (mut once, start) = (Once::default(), Mono(1));
        assert!(once.is_first(start, "a.b", "one", secs(120)));
        assert!(once.is_first(start + secs(1), "a.b", "one", secs(120)), "the same call by another way");
        assert!(!once.is_first(start + secs(2), "a.b", "two", secs(120)));
        assert!(once.is_first(start + secs(2), "a.c", "two", secs(120)));
        assert!(!once.is_first(start + secs(119), "a.b", "three", secs(120)));
        assert!(once.is_first(start + secs(120), "a.b", "three", secs(120)), "too old for anybody to believe by now");
        assert_eq!((once.calls.len(), once.until.len()), (2, 2));
    }

    #[test]
    fn it_never_grows_beyond_its_bound() {
        let (mut once, at) = (Once::default(), Mono(1));
        for n in 0..STIR_SEEN_MAX + 10 {
            assert!(once.is_first(at, &n.to_string(), "one", secs(120)));
        }
        assert_eq!((once.calls.len(), once.until.len()), (STIR_SEEN_MAX, STIR_SEEN_MAX));
        assert!(!once.is_first(at, "20", "two", secs(120)), "the oldest were forgotten, no others");
    }
}
