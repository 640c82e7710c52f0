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
    /// How what we send sounds to the peer, where it says so.
    pub peer: Option<VoipMetrics>,
}

/// How a stream sounds where it is heard (RFC 3611 section 4.7). Zero of a time is unknown, too.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct VoipMetrics {
    /// Share of the packets lost on the way since the beginning, in 256ths.
    pub loss: u8,
    /// Share that came too late to be heard, in 256ths.
    pub discard: u8,
    /// Share lost within bursts of losses, in 256ths.
    pub burst_density: u8,
    /// Share lost between them, in 256ths.
    pub gap_density: u8,
    /// Mean length of a burst, milliseconds.
    pub burst_ms: u16,
    /// Mean length of what lies between two, milliseconds.
    pub gap_ms: u16,
    /// Round trip, milliseconds.
    pub round_trip_ms: u16,
    /// Delay within the device, its buffers and codecs, milliseconds.
    pub end_system_ms: u16,
    /// Rating of the E-model (ITU-T G.107), 0 to 100.
    pub r_factor: Option<u8>,
    /// Mean opinion score of a listener, 1 to 5.
    pub mos_listening: Option<f32>,
    /// Of somebody who talks, too: delay counts.
    pub mos_conversation: Option<f32>,
    /// Delay of the jitter buffer now, milliseconds.
    pub buffer_ms: u16,
    /// The longest it may get, milliseconds.
    pub buffer_max_ms: u16,
}

impl Stats {
    /// What somebody in the call would say of the sound that came in, 1 (bad) to 4.4: the E-model (ITU-T G.107) for G.711
    /// with losses concealed (G.113: Bpl 25.1), from loss, jitter, and half the round trip. `None` before the first packet.
    pub fn mos(&self) -> Option<f32> {
        self.r_factor().map(mos)
    }

    /// The same of somebody who only listens: delay does not matter.
    pub fn mos_listening(&self) -> Option<f32> {
        self.without_delay().map(mos)
    }

    /// The rating behind [`Self::mos`], 0 to 93.2.
    pub fn r_factor(&self) -> Option<f32> {
        // One way: half the round trip, a frame, and a buffer of twice the jitter.
        let delay = self.rtt_us.unwrap_or(0) as f32 / 2_000.0 + 20.0 + 2.0 * self.jitter_us as f32 / 1_000.0;
        let by_delay = 0.024 * delay + 0.11 * (delay - 177.3).max(0.0);
        self.without_delay().map(|r| (r - by_delay).max(0.0))
    }

    fn without_delay(&self) -> Option<f32> {
        if self.packets_in == 0 {
            return None;
        }
        let missing = (self.lost + self.discarded) as f32;
        let loss = 100.0 * missing / (self.packets_in as f32 + missing);
        Some(93.2 - 95.0 * loss / (loss + 25.1))
    }
}

/// ITU-T G.107 annex B.
fn mos(r: f32) -> f32 {
    match r {
        r if r <= 0.0 => 1.0,
        r => (1.0 + 0.035 * r + r * (r - 60.0) * (100.0 - r) * 7e-6).clamp(1.0, 4.5),
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
