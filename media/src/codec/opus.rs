//! Opus (RFC 6716) with the library the standard's authors keep: one channel, made for speech.

use super::COMPLEXITY;
use crate::wire::{self, Rate};
use audiopus::{
    Application, Bandwidth, Bitrate, Channels, MutSignals, SampleRate, Signal,
    coder::{Decoder as LibDecoder, Encoder as LibEncoder},
    packet::Packet,
};

const fn lib_rate(rate: Rate) -> SampleRate {
    match rate {
        Rate::K8 => SampleRate::Hz8000,
        Rate::K16 => SampleRate::Hz16000,
        Rate::K48 => SampleRate::Hz48000,
    }
}

/// Linear sound to packets.
#[derive(Debug)]
pub struct Encoder {
    lib: LibEncoder,
    asked: wire::Opus,
    /// Bits a second that suit the rate, whatever the peer asks.
    suits: u32,
}

impl Encoder {
    /// For sound at `rate`, within what the peer asks.
    pub fn new(rate: Rate, asked: wire::Opus) -> Self {
        let lib = LibEncoder::new(lib_rate(rate), Channels::Mono, Application::Voip).expect("an Opus encoder has memory");
        let (bandwidth, suits) = match rate.min(asked.rate) {
            Rate::K8 => (Bandwidth::Narrowband, 16_000),
            Rate::K16 => (Bandwidth::Wideband, 24_000),
            Rate::K48 => (Bandwidth::Fullband, 32_000),
        };
        let mut encoder = Self { lib, asked, suits };
        [
            encoder.lib.set_max_bandwidth(bandwidth),
            encoder.lib.set_signal(Signal::Voice),
            encoder.lib.set_inband_fec(asked.fec),
            encoder.lib.set_dtx(asked.dtx),
        ]
        .into_iter()
        .collect::<Result<(), _>>()
        .expect("libopus knows the settings of its own documentation");
        encoder.set_complexity(COMPLEXITY);
        encoder.set_loss(0);
        encoder
    }

    /// 0 (cheap) to 10 (best).
    pub fn set_complexity(&mut self, complexity: u8) {
        self.lib.set_complexity(complexity.min(10)).expect("0 to 10 are complexities");
    }

    /// What it was told last.
    #[cfg(test)]
    pub fn complexity(&self) -> Option<u8> {
        self.lib.complexity().ok()
    }

    /// How many packets of a hundred the peer misses. From 1 on, forward error correction is sent if the peer asked for it,
    /// at half as many bits again: within the plain bit rate the library finds no room for it.
    pub fn set_loss(&mut self, percent: u8) {
        let bits = if self.asked.fec && percent > 0 { self.suits * 3 / 2 } else { self.suits };
        // RFC 7587 section 6.1 has 6 to 510 kbit/s.
        let bits = self.asked.bitrate.map_or(bits, |most| most.min(bits)).max(6_000);
        self.lib.set_packet_loss_perc(percent.min(100)).expect("0 to 100 are percentages");
        self.lib.set_bitrate(Bitrate::BitsPerSecond(bits as i32)).expect("6 to 48 kbit/s are bit rates");
    }

    /// One packet of 2.5, 5, 10, 20, 40 or 60 ms; its length. 0: no such frame, no room, or a silence not worth a packet.
    pub fn encode(&mut self, pcm: &[i16], out: &mut [u8]) -> usize {
        match self.lib.encode(pcm, out) {
            // One or two bytes are a packet that need not be sent (RFC 7587 section 3.1.3).
            Ok(n) if self.asked.dtx && n <= 2 => 0,
            Ok(n) => n,
            Err(_) => 0,
        }
    }
}

/// Packets to linear sound; stereo comes out as one channel.
#[derive(Debug)]
pub struct Decoder {
    lib: LibDecoder,
    /// Samples in 2.5 ms, of which every frame is a multiple.
    grain: usize,
}

impl Decoder {
    /// With sound at `rate`.
    pub fn new(rate: Rate) -> Self {
        let lib = LibDecoder::new(lib_rate(rate), Channels::Mono).expect("an Opus decoder has memory");
        Self { lib, grain: rate.samples(5) / 2 }
    }

    /// See [`super::Decoder::decode`].
    pub fn decode(&mut self, payload: &[u8], out: &mut [i16]) -> usize {
        self.run(Some(payload), out, false)
    }

    /// See [`super::Decoder::conceal`].
    pub fn conceal(&mut self, out: &mut [i16]) -> usize {
        let whole = out.len() / self.grain * self.grain;
        self.run(None, &mut out[..whole], false)
    }

    /// See [`super::Decoder::recover`].
    pub fn recover(&mut self, next_payload: &[u8], out: &mut [i16]) -> usize {
        let whole = out.len() / self.grain * self.grain;
        self.run(Some(next_payload), &mut out[..whole], true)
    }

    fn run(&mut self, payload: Option<&[u8]>, out: &mut [i16], fec: bool) -> usize {
        let Ok(packet) = payload.map(Packet::try_from).transpose() else { return 0 };
        let Ok(signals) = MutSignals::try_from(out) else { return 0 };
        self.lib.decode(packet, signals, fec).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{measure::level_dbfs, tone::sine, wire::Opus};
    use std::time::Duration;

    const FRAME: usize = Rate::K8.samples(20);

    /// Packets of 20 ms at 8 kHz.
    fn packets(encoder: &mut Encoder, pcm: &[i16]) -> Vec<Vec<u8>> {
        let mut out = [0; 1_000];
        pcm.chunks_exact(FRAME)
            .map(|frame| {
                let n = encoder.encode(frame, &mut out);
                out[..n].to_vec()
            })
            .collect()
    }

    #[test]
    fn what_the_next_packet_says_about_a_lost_one_is_nearer_to_it_than_a_guess() {
        // Syllables of a quarter of a second, pulses of 120 Hz through a resonance; lost is a packet in which one begins.
        let mut y = [0; 2];
        let syllables = |i: i32| {
            let pulse = if i % 67 == 0 && i % 4_000 < 2_000 { 6_000 } else { 0 };
            y = [pulse + (y[0] * 28 - y[1] * 15) / 16, y[0]];
            y[0] as i16
        };
        let pcm: Vec<i16> = (0..64_000).map(syllables).collect();
        let mut encoder = Encoder::new(Rate::K8, Opus { fec: true, ..Opus::default() });
        encoder.set_loss(5);
        let packets = packets(&mut encoder, &pcm);
        let mut off = [0.0; 2];
        for (by_fec, off) in off.iter_mut().enumerate() {
            for lost in (26..380).step_by(25) {
                let mut decoder = Decoder::new(Rate::K8);
                let (mut whole, mut frame) = (Decoder::new(Rate::K8), [[0; FRAME]; 2]);
                for p in &packets[..lost] {
                    decoder.decode(p, &mut frame[0]);
                    whole.decode(p, &mut frame[1]);
                }
                let n = if by_fec == 1 {
                    decoder.recover(&packets[lost + 1], &mut frame[0])
                } else {
                    decoder.conceal(&mut frame[0])
                };
                assert_eq!((n, whole.decode(&packets[lost], &mut frame[1])), (FRAME, FRAME));
                *off += frame[0].iter().zip(frame[1]).map(|(a, b)| (f64::from(*a) - f64::from(b)).powi(2)).sum::<f64>();
            }
        }
        assert!(off[1] < 0.5 * off[0], "recovered {:.0}, guessed {:.0}", off[1], off[0]);
    }

    #[test]
    fn a_lost_packet_in_a_vowel_is_hardly_missed_and_a_long_loss_fades() {
        let packets = packets(&mut Encoder::new(Rate::K8, Opus::default()), &sine(300.0, -12.0, Duration::from_secs(1)).pcm);
        let (mut decoder, mut frame) = (Decoder::new(Rate::K8), [0; FRAME]);
        packets.iter().for_each(|p| assert_eq!(decoder.decode(p, &mut frame), FRAME));
        assert_eq!(decoder.conceal(&mut frame), FRAME);
        assert!((level_dbfs(&frame) + 12.0).abs() < 6.0, "{}", level_dbfs(&frame));
        for _ in 0..25 {
            decoder.conceal(&mut frame);
        }
        assert!(level_dbfs(&frame) < -30.0, "{}", level_dbfs(&frame));
    }

    #[test]
    fn a_stereo_packet_comes_out_as_one_channel() {
        let stereo = LibEncoder::new(SampleRate::Hz48000, Channels::Stereo, Application::Audio).expect("memory");
        let height = |i: usize| (8_000.0 * (std::f64::consts::TAU * 1_000.0 * i as f64 / 48_000.0).sin()) as i16;
        let mut decoder = Decoder::new(Rate::K16);
        let (mut packet, mut out) = ([0; 1_500], [0; Rate::K16.samples(20)]);
        for frame in 0..20 {
            let left_only: Vec<i16> = (frame * 960..(frame + 1) * 960).flat_map(|i| [height(i), 0]).collect();
            let n = stereo.encode(&left_only, &mut packet).expect("20 ms");
            assert_eq!(decoder.decode(&packet[..n], &mut out), out.len());
        }
        // Half of 8000: the mean of both.
        assert!((level_dbfs(&out) + 18.3).abs() < 1.0, "{}", level_dbfs(&out));
    }

    #[test]
    fn silence_is_left_out_for_a_peer_that_wants_it_so_and_sent_to_others() {
        let quiet = |dtx| {
            let mut encoder = Encoder::new(Rate::K8, Opus { dtx, ..Opus::default() });
            packets(&mut encoder, &[0; FRAME * 100]).iter().filter(|p| p.is_empty()).count()
        };
        assert!(quiet(true) > 60, "{} of 100 left out", quiet(true));
        assert_eq!(quiet(false), 0);
    }

    #[test]
    fn the_bits_a_second_are_those_of_the_rate_or_fewer_if_the_peer_says_so() {
        let bits = |rate: Rate, asked: Opus| {
            let mut encoder = Encoder::new(rate, asked);
            let (mut x, mut out, mut bytes) = (1u32, [0; 1_500], 0);
            for _ in 0..100 {
                let frame: Vec<i16> = (0..rate.samples(20))
                    .map(|_| {
                        x = x.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                        (x >> 19) as i16
                    })
                    .collect();
                bytes += encoder.encode(&frame, &mut out);
            }
            bytes as f64 * 4.0
        };
        let near = |got: f64, expected: f64| assert!((got / expected - 1.0).abs() < 0.25, "{got} bit/s, not {expected}");
        near(bits(Rate::K8, Opus::default()), 16_000.0);
        near(bits(Rate::K16, Opus::default()), 24_000.0);
        near(bits(Rate::K48, Opus::default()), 32_000.0);
        near(bits(Rate::K16, Opus { bitrate: Some(12_000), ..Opus::default() }), 12_000.0);
        near(bits(Rate::K48, Opus { rate: Rate::K8, ..Opus::default() }), 16_000.0);
    }
}
