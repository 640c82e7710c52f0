//! Which packet of a source a sequence number means, and whether it came before (RFC 3711 sections 3.3.1 and 3.3.2).

/// Sources kept per direction. A peer that changes its source more often loses the memory of the one unheard for longest.
const SOURCES: usize = 4;
/// Packets a window looks back on.
pub(super) const DEPTH: u64 = u128::BITS as u64;
/// Numbers an RTP source has under one key.
const INDICES: u64 = 1 << 48;

/// The index with these low 16 bits that is nearest to `highest`. `None`: there is none left under this key.
pub(super) fn nearest(highest: u64, seq: u16) -> Option<u64> {
    let ahead = i64::from(seq.wrapping_sub(highest as u16) as i16);
    // Before the very first number there is none: then it is the one after the wrap, which only its tag can prove.
    let index = highest.checked_add_signed(ahead).unwrap_or(u64::from(seq) + (highest & !0xFFFF));
    (index < INDICES).then_some(index)
}

/// The last indices of one source.
#[derive(Debug, Clone, Copy)]
pub(super) struct Window {
    highest: u64,
    /// Bit n: `highest - n` came.
    seen: u128,
}

impl Window {
    pub fn highest(&self) -> u64 {
        self.highest
    }

    /// Neither seen nor too old to say.
    pub fn is_new(&self, index: u64) -> bool {
        match self.highest.checked_sub(index) {
            None => true,
            Some(age) => age < DEPTH && self.seen >> age & 1 == 0,
        }
    }

    fn take(&mut self, index: u64) {
        if index > self.highest {
            self.seen = u32::try_from(index - self.highest).ok().and_then(|n| self.seen.checked_shl(n)).unwrap_or(0) | 1;
            self.highest = index;
        } else if self.highest - index < DEPTH {
            self.seen |= 1 << (self.highest - index);
        }
    }
}

/// The windows of a few sources, the one heard last in front.
#[derive(Debug, Default)]
pub(super) struct Sources([Option<(u32, Window)>; SOURCES]);

impl Sources {
    pub fn find(&self, ssrc: u32) -> Option<&Window> {
        self.0.iter().flatten().find(|s| s.0 == ssrc).map(|s| &s.1)
    }

    pub fn full(&self) -> bool {
        self.0.iter().all(Option::is_some)
    }

    /// This index came from there, and its tag was right.
    pub fn take(&mut self, ssrc: u32, index: u64) {
        let at = self.0.iter().position(|s| s.is_none_or(|s| s.0 == ssrc)).unwrap_or(SOURCES - 1);
        self.0[..=at].rotate_right(1);
        match &mut self.0[0] {
            Some((id, window)) if *id == ssrc => window.take(index),
            seat => *seat = Some((ssrc, Window { highest: index, seen: 1 })),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_means_the_nearest_packet_on_either_side_of_the_wrap() {
        assert_eq!(nearest(0x1_FFFE, 3), Some(0x2_0003));
        assert_eq!(nearest(0x2_0003, 0xFFFE), Some(0x1_FFFE), "late");
        assert_eq!(nearest(0x2_0003, 0x7FFF), Some(0x2_7FFF));
        assert_eq!(nearest(5, 0xFFFE), Some(0xFFFE), "there is no wrap before the first");
        assert_eq!(nearest(INDICES - 1, 0), None);
    }

    #[test]
    fn a_window_takes_each_of_its_last_128_packets_once() {
        let mut s = Sources::default();
        s.take(7, 1_000);
        for index in [1_000 - DEPTH + 1, 999, 1_001, 1_003, 1_002] {
            assert!(s.find(7).expect("known").is_new(index), "{index}");
            s.take(7, index);
            assert!(!s.find(7).expect("known").is_new(index), "{index}");
        }
        assert!(!s.find(7).expect("known").is_new(1_003 - DEPTH), "too old to say");
        s.take(7, 1_003 + DEPTH);
        assert!(!s.find(7).expect("known").is_new(1_003) && s.find(7).expect("known").is_new(1_004));
        s.take(7, 1 << 40);
        assert_eq!(s.find(7).expect("known").seen, 1);
    }

    #[test]
    fn a_fifth_source_takes_the_place_of_the_one_unheard_for_longest() {
        let mut s = Sources::default();
        (1..=4).for_each(|ssrc| s.take(ssrc, 1));
        s.take(1, 2);
        assert!(s.full());
        s.take(5, 1);
        assert!(s.find(2).is_none() && [1, 3, 4, 5].iter().all(|n| s.find(*n).is_some()));
        assert_eq!(s.find(1).expect("known").highest(), 2);
    }
}
