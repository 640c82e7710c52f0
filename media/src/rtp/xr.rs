//! Extended reports of RTCP (RFC 3611): how it sounds where it is heard, and the round trip of those who send nothing.
//!
//! Three blocks of those there are: receiver reference time (4.4), its answer, the delay since the last of it (4.5), and VoIP
//! metrics (4.7). Others are passed over. Which of them a peer is sent is agreed in SDP (`a=rtcp-xr`).

use super::{burst::G_MIN, rtcp::word};
use crate::wire::VoipMetrics;

/// Packet type of an extended report.
pub(super) const KIND: u8 = 207;
const RECEIVER_TIME: u8 = 4;
const DELAYS: u8 = 5;
const VOIP: u8 = 7;
/// A figure that is not known.
const UNKNOWN: u8 = 127;
/// Losses are concealed by more than repeating (10), the buffer follows the jitter (11), at no particular rate.
const ENHANCED_ADAPTIVE: u8 = 0b1011_0000;
/// Bytes of all three blocks, with one delay, and of the packet's head.
pub(super) const WRITE_MAX: usize = 8 + 12 + 16 + 36;

/// When somebody who may send no sound at all said so, and how long ago that was (RFC 3611 section 4.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Delay {
    /// Whose receiver reference time.
    pub ssrc: u32,
    /// Its middle 32 bits; zero if none came.
    pub last_rr: u32,
    /// Time since it came, in 65536ths of a second.
    pub delay_since_rr: u32,
}

/// One block of a report.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Block<'a> {
    /// The wall clock of who reports, NTP format.
    ReceiverTime(u64),
    /// What of others' receiver reference times reached who reports.
    Delays(Delays<'a>),
    /// How a sender sounds to who reports.
    Voip {
        /// The sender spoken of.
        ssrc: u32,
        /// The figures.
        metrics: VoipMetrics,
    },
}

/// The parts of a block of delays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delays<'a>(&'a [u8]);

impl Iterator for Delays<'_> {
    type Item = Delay;
    fn next(&mut self) -> Option<Delay> {
        let (b, rest) = self.0.split_at_checked(12)?;
        self.0 = rest;
        Some(Delay { ssrc: word(b, 0)?, last_rr: word(b, 4)?, delay_since_rr: word(b, 8)? })
    }
}

/// The blocks of one packet that are known here, until they end or stop making sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Blocks<'a>(pub(super) &'a [u8]);

impl<'a> Iterator for Blocks<'a> {
    type Item = Block<'a>;
    fn next(&mut self) -> Option<Block<'a>> {
        loop {
            let head: &[u8; 4] = self.0.first_chunk()?;
            let length = (usize::from(u16::from_be_bytes([head[2], head[3]])) + 1) * 4;
            let (block, rest) = self.0.split_at_checked(length)?;
            self.0 = rest;
            let body = &block[4..];
            match (head[0], body.len()) {
                (RECEIVER_TIME, 8) => {
                    return Some(Block::ReceiverTime(u64::from(word(body, 0)?) << 32 | u64::from(word(body, 4)?)));
                }
                (DELAYS, _) => return Some(Block::Delays(Delays(body))),
                (VOIP, 32) => return Some(Block::Voip { ssrc: word(body, 0)?, metrics: voip(body.first_chunk()?) }),
                _ => {}
            }
        }
    }
}

fn voip(b: &[u8; 32]) -> VoipMetrics {
    let half = |at: usize| u16::from_be_bytes([b[at], b[at + 1]]);
    let known = |at: usize| Some(b[at]).filter(|n| *n != UNKNOWN);
    // Tenths, from 1 to 5; what is beyond is no score.
    let mos = |at: usize| known(at).filter(|n| (10..=50).contains(n)).map(|n| f32::from(n) / 10.0);
    VoipMetrics {
        loss: b[4],
        discard: b[5],
        burst_density: b[6],
        gap_density: b[7],
        burst_ms: half(8),
        gap_ms: half(10),
        round_trip_ms: half(12),
        end_system_ms: half(14),
        r_factor: known(20).filter(|r| *r <= 100),
        mos_listening: mos(22),
        mos_conversation: mos(23),
        buffer_ms: half(26),
        buffer_max_ms: half(28),
    }
}

/// What we say in one report.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Say {
    /// Our wall clock, NTP format, when we sent nothing that would tell it.
    pub receiver_time: Option<u64>,
    /// That of the peer's which reached us.
    pub delay: Option<Delay>,
    /// How a sender sounds to us.
    pub voip: Option<(u32, VoipMetrics)>,
}

impl Say {
    /// Whether there is nothing to say.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The blocks, each a head and words, one after the other through `bytes`.
    pub(super) fn write(&self, mut bytes: impl FnMut(&[u8])) {
        if let Some(ntp) = self.receiver_time {
            bytes(&[RECEIVER_TIME, 0, 0, 2]);
            bytes(&ntp.to_be_bytes());
        }
        if let Some(d) = self.delay {
            bytes(&[DELAYS, 0, 0, 3]);
            [d.ssrc, d.last_rr, d.delay_since_rr].iter().for_each(|w| bytes(&w.to_be_bytes()));
        }
        if let Some((ssrc, m)) = &self.voip {
            bytes(&[VOIP, 0, 0, 8]);
            bytes(&ssrc.to_be_bytes());
            bytes(&[m.loss, m.discard, m.burst_density, m.gap_density]);
            [m.burst_ms, m.gap_ms, m.round_trip_ms, m.end_system_ms].iter().for_each(|h| bytes(&h.to_be_bytes()));
            // Levels are not measured where nothing is decoded.
            bytes(&[UNKNOWN, UNKNOWN, UNKNOWN, G_MIN]);
            let tenths = |mos: Option<f32>| mos.map_or(UNKNOWN, |m| (m * 10.0).round() as u8);
            bytes(&[m.r_factor.unwrap_or(UNKNOWN), UNKNOWN, tenths(m.mos_listening), tenths(m.mos_conversation)]);
            bytes(&[if m.buffer_ms > 0 { ENHANCED_ADAPTIVE } else { 0 }, 0]);
            [m.buffer_ms, m.buffer_max_ms, m.buffer_max_ms].iter().for_each(|h| bytes(&h.to_be_bytes()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_blocks_read_back_and_an_unknown_one_between_them_is_passed_over() {
        let metrics = VoipMetrics {
            loss: 12,
            discard: 3,
            burst_density: 99,
            gap_density: 1,
            burst_ms: 240,
            gap_ms: 9_000,
            round_trip_ms: 42,
            end_system_ms: 80,
            r_factor: Some(83),
            mos_listening: Some(4.1),
            mos_conversation: Some(3.9),
            buffer_ms: 40,
            buffer_max_ms: 300,
        };
        let delay = Delay { ssrc: 9, last_rr: 0x1122_3344, delay_since_rr: 65_536 };
        let mut bytes = Vec::new();
        Say { receiver_time: Some(0x1122_3344_5566_7788), ..Say::default() }.write(|b| bytes.extend_from_slice(b));
        bytes.extend([1, 0, 0, 1, 0, 0, 0, 0]);
        Say { delay: Some(delay), voip: Some((5, metrics)), ..Say::default() }.write(|b| bytes.extend_from_slice(b));
        assert_eq!(bytes.len(), WRITE_MAX - 8 + 8);
        let blocks: Vec<_> = Blocks(&bytes).collect();
        let [Block::ReceiverTime(0x1122_3344_5566_7788), Block::Delays(delays), Block::Voip { ssrc: 5, metrics: m }] =
            blocks[..]
        else {
            panic!("{blocks:?}")
        };
        assert_eq!((delays.collect::<Vec<_>>(), m), (vec![delay], metrics));
        let mut unknown = Vec::new();
        Say { voip: Some((5, VoipMetrics::default())), ..Say::default() }.write(|b| unknown.extend_from_slice(b));
        assert_eq!(Blocks(&unknown).next(), Some(Block::Voip { ssrc: 5, metrics: VoipMetrics::default() }));
    }

    #[test]
    fn a_block_longer_than_its_packet_is_not_read() {
        assert_eq!(Blocks(&[VOIP, 0, 0, 8, 1, 2, 3, 4]).count(), 0);
        assert_eq!(Blocks(&[VOIP, 0, 0, 0, RECEIVER_TIME, 0]).count(), 0);
    }
}
