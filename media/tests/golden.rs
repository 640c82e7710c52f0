//! Sound through every codec, measured: as loud, as high and as clean as it went in, at every rate and packet time.

use std::f64::consts::TAU;

use media::{
    codec::{Decoder, Encoder, FRAME_MAX},
    wire::{Codec, Opus, Rate},
};

const RATES: [Rate; 3] = [Rate::K8, Rate::K16, Rate::K48];
/// A tone inside every codec's band that fits no frame.
const HZ: f64 = 1_004.0;
const DBFS: f64 = -12.0;

fn tone(rate: Rate, ms: u32) -> Vec<i16> {
    let height = 32_767.0 * 10f64.powf(DBFS / 20.0);
    (0..rate.samples(ms)).map(|i| (height * (TAU * HZ * i as f64 / f64::from(rate.hz())).sin()).round() as i16).collect()
}

/// Through a fresh encoder and decoder, packet by packet; a frame left over is not sent.
fn through(codec: Codec, from: Rate, to: Rate, ptime_ms: u8, pcm: &[i16]) -> Vec<i16> {
    let (mut encoder, mut decoder) = (Encoder::new(codec, from, Opus::default()), Decoder::new(codec, to));
    let ms = u32::from(codec.ptime_ms(ptime_ms));
    let (mut packet, mut out, mut all) = ([0; 2 * FRAME_MAX], [0; FRAME_MAX], Vec::new());
    for frame in pcm.chunks_exact(from.samples(ms)) {
        let n = encoder.encode(frame, &mut packet);
        let m = decoder.decode(&packet[..n], &mut out);
        assert_eq!(m, to.samples(ms), "{codec:?} {ms} ms from {from:?} to {to:?}, {n} bytes");
        all.extend_from_slice(&out[..m]);
    }
    all
}

/// The best fitting sine of `HZ`: its level (dBFS), its phase, and how far all else lies below it (dB).
fn fit(pcm: &[i16], rate: Rate) -> (f64, f64, f64) {
    let wave = |i: usize| (TAU * HZ * i as f64 / f64::from(rate.hz())).sin_cos();
    let [mut ss, mut cc, mut sc, mut xs, mut xc] = [0.0; 5];
    for (i, x) in pcm.iter().enumerate() {
        let ((s, c), x) = (wave(i), f64::from(*x));
        (ss, cc, sc, xs, xc) = (ss + s * s, cc + c * c, sc + s * c, xs + x * s, xc + x * c);
    }
    let d = ss * cc - sc * sc;
    let (a, b) = ((xs * cc - xc * sc) / d, (xc * ss - xs * sc) / d);
    let noise = pcm.iter().enumerate().map(|(i, x)| (f64::from(*x) - a * wave(i).0 - b * wave(i).1).powi(2)).sum::<f64>();
    let signal = pcm.len() as f64 * (a * a + b * b) / 2.0;
    (20.0 * (a.hypot(b) / 32_767.0).log10(), b.atan2(a), 10.0 * (signal / noise).log10())
}

/// The tone of `pcm` has the right level, is off by less than a fiftieth of a hertz, and is so clean; the first 300 ms, in
/// which everything settles, do not count.
fn check(what: &str, pcm: &[i16], rate: Rate, snr_min: f64) {
    let pcm = &pcm[rate.samples(300)..];
    let (level, _, snr) = fit(pcm, rate);
    assert!((level - DBFS).abs() < 0.5, "{what}: {level:.2} dBFS instead of {DBFS}");
    assert!(snr > snr_min, "{what}: {snr:.1} dB above the noise");
    // Over whole periods, the phase of one half second against the next tells the frequency.
    let (first, second) = (&pcm[..rate.samples(500)], &pcm[rate.samples(500)..rate.samples(1_000)]);
    let turned = (fit(second, rate).1 - fit(first, rate).1 + TAU * 1.5).rem_euclid(TAU) - TAU / 2.0;
    let off = turned / TAU / 0.5;
    assert!(off.abs() < 0.02, "{what}: off by {off:.4} Hz");
}

/// What a codec must leave between the tone and its noise, dB, for sound that comes at `from`.
fn floor(codec: Codec, from: Rate) -> f64 {
    match codec {
        Codec::Pcmu | Codec::Pcma => 36.0,
        Codec::G722 => 45.0,
        Codec::L16(_) => 70.0,
        // The narrow band of a voice coder, at 16 kbit/s.
        Codec::Opus if from == Rate::K8 => 17.0,
        Codec::Opus => 33.0,
    }
}

#[test]
fn a_tone_keeps_level_pitch_and_purity_through_every_codec_at_every_rate_and_packet_time() {
    for codec in Codec::ALL {
        for from in RATES {
            let pcm = tone(from, 1_320);
            for to in RATES {
                for ptime in [10, 20, 30, 40, 50, 60] {
                    let out = through(*codec, from, to, ptime, &pcm);
                    check(&format!("{codec:?} from {from:?} to {to:?} at {ptime} ms"), &out, to, floor(*codec, from));
                }
            }
        }
    }
}

#[test]
fn a_tone_survives_any_codec_after_any_other() {
    for first in Codec::ALL {
        for second in Codec::ALL {
            for rate in RATES {
                let once = through(*first, rate, rate, 20, &tone(rate, 1_320));
                let twice = through(*second, rate, rate, 20, &once);
                let floor = floor(*first, rate).min(floor(*second, rate)) - 5.0;
                check(&format!("{first:?} then {second:?} at {rate:?}"), &twice, rate, floor);
            }
        }
    }
}

#[test]
fn whatever_a_peer_sends_nothing_breaks_and_no_more_than_asked_for_is_written() {
    let mut x = 1u32;
    let mut chance = || {
        x = x.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        x >> 8
    };
    for codec in Codec::ALL {
        for rate in RATES {
            let mut decoder = Decoder::new(*codec, rate);
            for round in 0..300 {
                let length = if round % 10 == 0 { 9_000 } else { chance() as usize % 400 };
                let payload: Vec<u8> = (0..length).map(|_| chance() as u8).collect();
                let mut out = vec![0; chance() as usize % FRAME_MAX];
                assert!(decoder.decode(&payload, &mut out) <= out.len());
                assert!(decoder.conceal(&mut out) <= out.len());
                assert!(decoder.recover(&payload, &mut out) <= out.len());
            }
            assert_eq!(decoder.decode(&[], &mut [0; FRAME_MAX]), 0);
        }
    }
}

#[test]
fn a_room_too_small_for_a_packet_cuts_it_and_an_odd_frame_makes_none_of_opus() {
    for codec in Codec::ALL {
        for rate in RATES {
            let mut encoder = Encoder::new(*codec, rate, Opus::default());
            assert!(encoder.encode(&vec![500; rate.samples(20)], &mut [0; 16]) <= 16);
            assert_eq!(encoder.encode(&[], &mut [0; 160]), 0);
        }
    }
    assert_eq!(Encoder::new(Codec::Opus, Rate::K8, Opus::default()).encode(&[500; 8 * 30], &mut [0; 500]), 0);
}
