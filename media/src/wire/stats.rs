//! What a leg has seen so far, and what a listener would say of it.

/// What a leg has seen so far.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Stats {
    /// RTP packets received and taken.
    pub packets_in: u64,
    /// RTP packets sent.
    pub packets_out: u64,
    /// Payload bytes received.
    pub bytes_in: u64,
    /// Payload bytes sent.
    pub bytes_out: u64,
    /// Packets the sequence numbers say were lost (RFC 3550 A.3).
    pub lost: u64,
    /// Packets that were not RTP, not for us, or from a stranger: dropped.
    pub foreign: u64,
    /// Packets that came twice or too late.
    pub discarded: u64,
    /// Interarrival jitter (RFC 3550 A.8), microseconds.
    pub jitter_us: u32,
    /// Round trip from RTCP (RFC 3550 6.4.1), microseconds; `None` until a report came back.
    pub rtt_us: Option<u32>,
    /// Fraction lost the peer reported about us, 0 to 255 (RFC 3550 6.4.1).
    pub peer_fraction_lost: Option<u8>,
    /// Jitter the peer reported about us, microseconds.
    pub peer_jitter_us: Option<u32>,
    /// How much of what the peer should have said was made up or left silent, milliseconds. Known only where we decode.
    pub concealed_ms: u32,
    /// Packets whose SRTP tag was wrong or that were replayed; part of `foreign`.
    pub unauthentic: u64,
}

impl Stats {
    /// What a listener would say of the sound that came in, 1 (bad) to 4.4: the E-model (ITU-T G.107) for G.711 with losses
    /// concealed (G.113: Bpl 25.1), from loss, jitter, and half the round trip. `None` before the first packet.
    pub fn mos(&self) -> Option<f32> {
        if self.packets_in == 0 {
            return None;
        }
        let missing = (self.lost + self.discarded) as f32;
        let loss = 100.0 * missing / (self.packets_in as f32 + missing);
        // One way: half the round trip, a frame, and a buffer of twice the jitter.
        let delay = self.rtt_us.unwrap_or(0) as f32 / 2_000.0 + 20.0 + 2.0 * self.jitter_us as f32 / 1_000.0;
        let by_delay = 0.024 * delay + 0.11 * (delay - 177.3).max(0.0);
        let r = 93.2 - by_delay - 95.0 * loss / (loss + 25.1);
        Some(match r {
            r if r <= 0.0 => 1.0,
            r => (1.0 + 0.035 * r + r * (r - 60.0) * (100.0 - r) * 7e-6).clamp(1.0, 4.5),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clean_call_is_good_one_in_twenty_lost_is_fair_and_a_third_lost_is_bad() {
        let mos = |lost, rtt_us| Stats { packets_in: 1_000 - lost, lost, rtt_us, ..Stats::default() }.mos().expect("packets");
        assert!(mos(0, Some(20_000)) > 4.3);
        assert!((3.3..4.0).contains(&mos(50, None)), "{}", mos(50, None));
        assert!(mos(330, None) < 2.2);
        assert!(mos(0, Some(800_000)) < 3.7, "a satellite is no pleasure");
        assert_eq!(Stats::default().mos(), None);
    }
}
