//! Whether anybody is heard on a leg that is relayed and whose packets cannot be looked into one by one.
//!
//! Once a second its first packets are put aside on their way, and judged later, on the tick. Opus says most by the size of
//! its packets: a voice makes them large and small, a dead line makes them all alike. Only where they are (a dead line, or a
//! sender of constant rate) is it decoded, and G.722, whose packets are all of one size, always. A decoder that begins in the
//! middle of a stream is right after a few packets: of those put aside only the last one is listened to.

use std::time::Duration;

use crate::{
    codec::{self, g722},
    dsp::level,
    time::At,
    wire::{Codec, Rate},
};

/// Packets put aside: the first of them only bring the decoder up to where the sender is.
const KEPT: usize = 3;
/// Bytes for them: three packets of 60 ms of G.722 do not fit, and need not.
const BYTES: usize = 1_024;
/// Judged so often.
const EVERY: Duration = Duration::from_secs(1);
/// A sender that leaves silence out says it anew twice a second: after so long there were enough packets, or there is nothing.
const AT_MOST: Duration = Duration::from_secs(3);
/// Opus packets up to this are no sound, but the lack of it (DTX).
const NOTHING: usize = 2;
/// The largest packet of a second of a voice is larger than its smallest by more than a quarter and so many bytes.
const ALIKE: usize = 8;
/// 20 ms at the most any of these codecs is decoded to here, and no more of a longer packet.
const ROOM: usize = Rate::K16.samples(20);

/// What was put aside of one leg.
#[derive(Debug)]
pub(super) struct Sample {
    codec: Codec,
    /// When the first packet of this second came.
    since: Option<At>,
    lengths: [u16; KEPT],
    kept: usize,
    filled: usize,
    /// Of all packets of this second that are sound, bytes.
    smallest: usize,
    largest: usize,
    bytes: [u8; BYTES],
}

/// What a second was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Somebody may be there.
    Alive,
    /// Sound of nobody, for so long.
    Dead(Duration),
}

impl Sample {
    /// Of what comes in `codec`; `None` if that is looked into packet by packet.
    pub fn of(codec: Codec) -> Option<Box<Self>> {
        let (lengths, bytes) = ([0; KEPT], [0; BYTES]);
        let fresh = Self { codec, since: None, lengths, kept: 0, filled: 0, smallest: usize::MAX, largest: 0, bytes };
        matches!(codec, Codec::Opus | Codec::G722).then(|| Box::new(fresh))
    }

    /// Of what it is.
    pub fn codec(&self) -> Codec {
        self.codec
    }

    /// A packet passes by.
    #[inline]
    pub fn packet(&mut self, now: At, payload: &[u8]) {
        self.since.get_or_insert(now);
        let length = payload.len();
        if self.codec == Codec::Opus && length <= NOTHING {
            return;
        }
        self.smallest = self.smallest.min(length);
        self.largest = self.largest.max(length);
        if let Some(room) = self.bytes.get_mut(self.filled..self.filled + length).filter(|_| self.kept < KEPT) {
            room.copy_from_slice(payload);
            self.lengths[self.kept] = length as u16;
            self.kept += 1;
            self.filled += length;
        }
    }

    /// What the second that is over was; `None` while none is.
    pub fn judge(&mut self, now: At) -> Option<Verdict> {
        let lasted = now.since(self.since?);
        let varied = self.largest.saturating_sub(ALIKE) > self.smallest.saturating_mul(5) / 4;
        if lasted < EVERY || self.kept < KEPT && !varied && lasted < AT_MOST {
            return None;
        }
        // Nothing put aside, and yet there was sound: a packet that large is no silence.
        let dead = !varied && if self.kept == 0 { self.largest == 0 } else { self.silent() };
        (self.since, self.kept, self.filled, self.smallest, self.largest) = (None, 0, 0, usize::MAX, 0);
        Some(if dead { Verdict::Dead(lasted) } else { Verdict::Alive })
    }

    /// Whether the last of the packets put aside is silence.
    fn silent(&self) -> bool {
        let mut rest = &self.bytes[..self.filled];
        let packets = self.lengths[..self.kept].iter().filter_map(|n| {
            let (packet, behind) = rest.split_at_checked(usize::from(*n))?;
            rest = behind;
            Some(packet)
        });
        let mut pcm = [0; ROOM];
        let n = if self.codec == Codec::G722 {
            let mut decoder = g722::Decoder::new();
            packets.map(|p| decoder.decode(p, &mut pcm)).last()
        } else {
            let mut decoder = codec::Decoder::new(self.codec, Rate::K8);
            packets.map(|p| decoder.decode(p, &mut pcm)).last()
        };
        level::power(&pcm[..n.unwrap_or(0)]) <= level::power_of(level::DEAD_DBFS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{codec::Encoder, dsp::speechlike, time::Chance, tone, wire::Opus};

    /// A second of packets is one verdict.
    fn verdicts(codec: Codec, opus: Opus, rate: Rate, pcm: &[i16]) -> Vec<Verdict> {
        let mut sample = Sample::of(codec).expect("not looked into packet by packet");
        let (mut encoder, mut packet) = (Encoder::new(codec, rate, opus), [0; 1_400]);
        let mut all = Vec::new();
        for (i, frame) in pcm.chunks_exact(rate.samples(20)).enumerate() {
            let now = At(i as u64 * 20_000_000);
            let n = encoder.encode(frame, &mut packet);
            if n > 0 {
                sample.packet(now, &packet[..n]);
            }
            if i % 10 == 9 {
                all.extend(sample.judge(now));
            }
        }
        all
    }

    fn at(dbfs: f32, mut pcm: Vec<i16>) -> Vec<i16> {
        let factor = 10f32.powf((dbfs - level::dbfs(&pcm)) / 20.0);
        pcm.iter_mut().for_each(|s| *s = (f32::from(*s) * factor) as i16);
        pcm
    }

    #[test]
    fn a_dead_line_is_dead_and_a_voice_or_a_room_is_not_in_opus_and_g722() {
        let mut chance = Chance::new(5);
        for rate in [Rate::K8, Rate::K16, Rate::K48] {
            let seconds = 20 * rate.samples(1_000);
            let noise: Vec<i16> = (0..seconds).map(|_| (chance.word() as i32 / 65_536) as i16).collect();
            let voice = speechlike::voice(rate, 20, 130.0, 3);
            for (codec, opus) in [
                (Codec::G722, Opus::default()),
                (Codec::Opus, Opus::default()),
                (Codec::Opus, Opus { dtx: true, ..Opus::default() }),
                (Codec::Opus, Opus { fec: true, bitrate: Some(12_000), ..Opus::default() }),
            ] {
                for dead in [vec![0; seconds], at(-76.0, noise.clone())] {
                    let found = verdicts(codec, opus, rate, &dead);
                    let time: Duration = found.iter().map(|v| if let Verdict::Dead(d) = v { *d } else { Duration::ZERO }).sum();
                    assert!(time > Duration::from_secs(14), "{codec:?} {opus:?} {rate:?} {}: {found:?}", level::dbfs(&dead));
                }
                for alive in [at(-46.0, noise.clone()), voice.clone(), at(-40.0, voice.clone())] {
                    let found = verdicts(codec, opus, rate, &alive);
                    // A second may fall into a pause between words, not several in a row.
                    let pauses = found.split(|v| *v == Verdict::Alive).map(<[_]>::len).max();
                    assert!(
                        pauses <= Some(2) && found.len() > 6,
                        "{codec:?} {opus:?} {rate:?} {}: {found:?}",
                        level::dbfs(&alive)
                    );
                }
            }
        }
    }

    #[test]
    fn a_tone_of_one_size_is_decoded_and_found_alive() {
        let sine = tone::sine(440.0, -30.0, Duration::from_secs(5)).pcm;
        assert!(verdicts(Codec::Opus, Opus::default(), Rate::K8, &sine).iter().all(|v| *v == Verdict::Alive));
        assert!(Sample::of(Codec::Pcma).is_none());
    }

    #[test]
    fn packets_of_nothing_at_all_are_silence_and_too_large_ones_are_not() {
        let mut sample = Sample::of(Codec::Opus).expect("Opus");
        (0..16u64).for_each(|i| sample.packet(At(i * 200_000_000), &[0x78]));
        assert_eq!(sample.judge(At(3_000_000_000)), Some(Verdict::Dead(Duration::from_secs(3))));
        (0..50u64).for_each(|i| sample.packet(At(i * 20_000_000), &[0xFC; 1_200]));
        assert_eq!(sample.judge(At(1_000_000_000)), None);
        assert_eq!(sample.judge(At(3_000_000_000)), Some(Verdict::Alive));
    }
}
