//! Stories of a tone sent through a network to a listener.

use super::*;
use crate::{codec::Encoder, measure, time::Chance, wire};

const MS: u64 = 1_000_000;

/// What a network does to packets: percentages, and milliseconds of even jitter in which order is kept, but for packets
/// that skip the queue.
#[derive(Clone, Copy)]
struct Network {
    lost: u32,
    jitter_ms: u32,
    reordered: u32,
    twice: u32,
    /// Of the sender's clock, parts in a million.
    ppm: i64,
}

const GOOD: Network = Network { lost: 0, jitter_ms: 0, reordered: 0, twice: 0, ppm: 0 };
const BAD: Network = Network { lost: 5, jitter_ms: 100, reordered: 2, twice: 1, ppm: 0 };

/// A tone that is sent through a network to a listener.
struct Story {
    playout: Playout,
    heard: Vec<i16>,
    kinds: Vec<Heard>,
    /// Milliseconds at each tick at which something was heard.
    delays: Vec<u64>,
}

struct Sender {
    codec: Codec,
    rate: Rate,
    ptime_ms: u32,
    hz: f64,
}

const G711: Sender = Sender { codec: Codec::Pcma, rate: Rate::K8, ptime_ms: 20, hz: 440.0 };

impl Story {
    /// `seconds` of it. The sender is silent while `silent` says so (of milliseconds since the start).
    fn tell(s: &Sender, net: Network, seconds: u32, silent: impl Fn(u64) -> bool) -> Self {
        let mut story = Self { playout: Playout::new(s.codec, s.rate, 1), heard: vec![], kinds: vec![], delays: vec![] };
        let mut encoder = Encoder::new(s.codec, s.rate, wire::Opus { fec: true, ..wire::Opus::default() });
        let mut chance = Chance::new(7);
        let n = s.rate.samples(s.ptime_ms);
        let sine = |i: usize| (8_191.0 * (std::f64::consts::TAU * s.hz * i as f64 / f64::from(s.rate.hz())).sin()) as i16;
        let mut on_the_way: Vec<(u64, u32, Vec<u8>)> = Vec::new();
        let (mut sent, mut last) = (0u32, 0);
        let mut frame = vec![0; s.rate.samples(20)];
        for tick in 0..u64::from(seconds) * 50 {
            let now = tick * 20 * MS;
            loop {
                let spoken = u64::from(sent * s.ptime_ms) * (1_000_000 - net.ppm) as u64 / 1_000_000;
                let leaves = (spoken + u64::from(s.ptime_ms)) * MS + 3 * MS;
                if leaves > now {
                    break;
                }
                let pcm: Vec<i16> = (0..n).map(|i| sine(sent as usize * n + i)).collect();
                let mut payload = vec![0; 1_500];
                let length = encoder.encode(&pcm, &mut payload);
                payload.truncate(length);
                sent += 1;
                if silent(spoken) || chance.word() % 100 < net.lost {
                    continue;
                }
                for _ in 0..if chance.word() % 100 < net.twice { 2 } else { 1 } {
                    let wait = u64::from(chance.word() % (net.jitter_ms * 1_000 + 1)) * 1_000;
                    let due = if chance.word() % 100 < net.reordered {
                        leaves
                    } else {
                        last = (leaves + wait).max(last);
                        last
                    };
                    on_the_way.push((due, sent - 1, payload.clone()));
                }
            }
            on_the_way.sort_by_key(|p| p.0);
            while on_the_way.first().is_some_and(|p| p.0 <= now) {
                let (due, n, payload) = on_the_way.remove(0);
                let ts = n.wrapping_mul(s.codec.clock_hz() / 1_000 * s.ptime_ms).wrapping_add(4_294_900_000);
                story.playout.packet(At(due), n as u16, ts, false, &payload);
            }
            story.kinds.push(story.playout.frame(At(now), &mut frame));
            story.heard.extend_from_slice(&frame);
            story.delays.extend(story.playout.delay(At(now)).map(|d| d.as_millis() as u64));
        }
        story
    }

    /// Share of the 10 ms pieces after the first second in which the tone was 6 dB too low.
    fn dropped(&self, rate: Rate) -> f64 {
        let frames = self.heard[rate.samples(1_000)..].chunks_exact(rate.samples(10));
        let all = frames.len() as f64;
        frames.filter(|f| measure::level_dbfs(f) < -18.0).count() as f64 / all
    }

    fn longest_delay(&self) -> u64 {
        self.delays[self.delays.len() / 10..].iter().copied().max().unwrap_or(0)
    }

    fn mean_delay(&self) -> u64 {
        let late = &self.delays[self.delays.len() / 2..];
        late.iter().sum::<u64>() / late.len().max(1) as u64
    }

    fn share(&self, kind: Heard) -> f64 {
        self.kinds.iter().filter(|k| **k == kind).count() as f64 / self.kinds.len() as f64
    }
}

#[test]
fn over_a_good_network_a_tone_arrives_whole_and_within_a_frame_and_a_half() {
    let story = Story::tell(&G711, GOOD, 30, |_| false);
    assert_eq!(story.dropped(Rate::K8), 0.0);
    assert_eq!(story.playout.concealed_ms(), 0);
    assert!(story.longest_delay() <= 30, "{} ms", story.longest_delay());
    let last = &story.heard[story.heard.len() - 8_000..];
    assert!((measure::tone_dbfs(last, 440.0) + 12.0).abs() < 0.2);
}

#[test]
fn over_a_bad_network_a_tone_drops_out_less_than_six_percent_and_the_delay_stays_bounded() {
    let story = Story::tell(&G711, BAD, 180, |_| false);
    let (dropped, concealed) = (story.dropped(Rate::K8), story.share(Heard::Concealed));
    assert!(dropped < 0.01, "{dropped:.4} of the time, {concealed:.4} made up");
    assert!(concealed < 0.09, "{concealed:.4} made up, with 5 % lost");
    assert!((50..=150).contains(&story.mean_delay()), "{} ms", story.mean_delay());
    assert!(story.longest_delay() <= 300, "{} ms", story.longest_delay());
}

#[test]
fn packets_of_any_length_sound_alike() {
    for ptime_ms in [10, 20, 30, 40, 60] {
        for (codec, rate) in [(Codec::Pcmu, Rate::K8), (Codec::G722, Rate::K16), (Codec::L16(Rate::K16), Rate::K8)] {
            if matches!(codec, Codec::L16(_)) && ptime_ms > 40 {
                // 1,920 bytes: no network carries that in one piece.
                continue;
            }
            let sender = Sender { codec, rate, ptime_ms, hz: 440.0 };
            let clean = Story::tell(&sender, GOOD, 5, |_| false);
            assert_eq!((clean.dropped(rate), clean.playout.concealed_ms()), (0.0, 0), "{codec:?} {ptime_ms} ms");
            let rough = Story::tell(&sender, Network { jitter_ms: 40, lost: 1, ..GOOD }, 20, |_| false);
            assert!(rough.dropped(rate) < 0.01, "{codec:?} {ptime_ms} ms: {:.4}", rough.dropped(rate));
            let [clean, rough] = [clean, rough].map(|s| s.mean_delay());
            assert!(clean <= 35 && rough <= 100, "{codec:?} {ptime_ms} ms: {clean} and {rough} ms");
        }
    }
}

#[test]
fn clocks_that_run_apart_by_500_ppm_build_up_no_delay_and_lose_no_sound() {
    for ppm in [-500, 500] {
        let story = Story::tell(&G711, Network { ppm, jitter_ms: 10, ..GOOD }, 600, |_| false);
        assert!(story.dropped(Rate::K8) < 0.000_5, "{ppm} ppm: {}", story.dropped(Rate::K8));
        assert!(story.longest_delay() <= 65, "{ppm} ppm: {} ms", story.longest_delay());
        assert!(story.playout.concealed_ms() < 200, "{ppm} ppm: {} ms made up", story.playout.concealed_ms());
    }
}

#[test]
fn a_cut_of_thirty_seconds_is_silent_and_then_the_speaker_is_back() {
    let story = Story::tell(&G711, BAD, 60, |ms| (10_000..40_000).contains(&ms));
    let seconds: Vec<&[i16]> = story.heard.chunks(8_000).collect();
    for (at, sound) in seconds.iter().enumerate() {
        let level = measure::level_dbfs(sound);
        match at {
            1..=9 | 42.. => assert!(level > -14.0, "{level} in second {at}"),
            12..=39 => assert!(level < -100.0, "{level} in second {at}"),
            _ => {}
        }
    }
}

#[test]
fn a_lost_voice_packet_between_comfort_noise_is_made_up_and_the_noise_goes_on() {
    let mut p = Playout::new(Codec::Pcmu, Rate::K8, 3);
    let mut out = [0; 160];
    let mut kinds = Vec::new();
    for n in 0u32..100 {
        let now = At(u64::from(n) * 20 * MS);
        match n {
            10 => assert_eq!(p.comfort(now, 10, 1_600, &[50]), Put::Taken),
            0..10 | 60.. if n != 70 => {
                let seq = if n < 10 { n } else { n - 49 };
                p.packet(now, seq as u16, n * 160, n == 60, &[0x35; 160]);
            }
            _ => {}
        }
        kinds.push(p.frame(now, &mut out));
        if (20..55).contains(&n) {
            assert!((-60.0..-40.0).contains(&level::dbfs(&out)), "{} at {n}", level::dbfs(&out));
        }
    }
    assert!(kinds[2..10].iter().all(|k| *k == Heard::Sound), "{kinds:?}");
    assert!(kinds[13..60].iter().all(|k| *k == Heard::Comfort), "{kinds:?}");
    assert_eq!(kinds[62..].iter().filter(|k| **k == Heard::Concealed).count(), 1, "{kinds:?}");
}

#[test]
fn the_receive_path_of_a_telephone_takes_eight_kilobytes() {
    let p = Playout::new(Codec::Pcmu, Rate::K8, 1);
    let bytes = size_of::<Playout>() + p.buffer.memory() + p.plc.memory() + size_of_val(&*p.staged);
    assert!(bytes <= 8 * 1_024 + 256, "{bytes}");
}

#[test]
fn the_length_of_an_opus_packet_is_in_its_first_bytes() {
    // SILK 60 ms; hybrid 20 ms; CELT 2.5 ms twice; CELT 20 ms three times; code 3 without its count.
    for (payload, ticks) in
        [(&[3 << 3, 0][..], 2_880), (&[15 << 3], 960), (&[16 << 3 | 1], 240), (&[31 << 3 | 3, 3], 2_880), (&[3], 0), (&[], 0)]
    {
        assert_eq!(super::ticks(Codec::Opus, payload), ticks, "{payload:?}");
    }
}

/// How far what is heard is from what would have been heard had nothing been lost, when every tenth packet of a voice is.
#[cfg(feature = "opus")]
fn off_by(fec: bool) -> f64 {
    let (rate, seconds) = (Rate::K16, 20);
    let voice = crate::dsp::speechlike::voice(rate, seconds, 120.0, 4);
    let mut encoder = Encoder::new(Codec::Opus, rate, wire::Opus { fec, ..wire::Opus::default() });
    // What the peer's reports tell: without it nothing is sent twice.
    encoder.set_loss(10);
    let [mut whole, mut holed] = [(); 2].map(|()| Playout::new(Codec::Opus, rate, 1));
    let mut frames = [[0; 320]; 2];
    let mut off = 0.0;
    let mut payload = [0; 1_500];
    for (n, pcm) in voice.chunks_exact(rate.samples(20)).enumerate() {
        let length = encoder.encode(pcm, &mut payload);
        // Every third packet is 30 ms late: the next one is there when one is found to be missing.
        let sent = n as u64 * 20 * MS + if n % 3 == 0 { 30 * MS } else { 0 };
        for (p, loses) in [(&mut whole, false), (&mut holed, true)] {
            if !(loses && n > 100 && n % 10 == 0) {
                p.packet(At(sent), n as u16, n as u32 * 960, false, &payload[..length]);
            }
        }
        whole.frame(At(n as u64 * 20 * MS + 5 * MS), &mut frames[0]);
        holed.frame(At(n as u64 * 20 * MS + 5 * MS), &mut frames[1]);
        off += frames[0].iter().zip(&frames[1]).map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2)).sum::<f64>();
    }
    off
}

#[cfg(feature = "opus")]
#[test]
fn opus_makes_up_for_what_is_lost_from_the_next_packet() {
    let (with, without) = (off_by(true), off_by(false));
    assert!(with < 0.5 * without, "{:.2} of it", with / without);
}
