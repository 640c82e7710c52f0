//! A second of something like speech, for those who decode and encode it: their work depends on what is said.

use std::time::Duration;

use media::{
    codec::{Decoder, Encoder},
    wire::{Codec, Opus, Rate},
};

use crate::proc;

/// Frames of 20 ms in it.
pub const FRAMES: usize = 50;
/// Bytes an encoded frame may have.
const ROOM: usize = 400;

/// Harmonics of a voice that rise and fall four times a second, and a little noise; mono, 16 bit.
fn pcm(rate: Rate) -> Vec<i16> {
    let mut noise = 1u32;
    let sample = |i: usize| {
        let t = i as f64 / f64::from(rate.hz());
        let tau = std::f64::consts::TAU;
        let pitch = 140.0 + 20.0 * (tau * 1.5 * t).sin();
        let voiced: f64 = (1..=12).map(|k| (tau * pitch * f64::from(k) * t).sin() / f64::from(k)).sum();
        let loud = 0.5 - 0.5 * (tau * 4.0 * t).cos();
        noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (6_000.0 * voiced * loud + f64::from(noise >> 16) / 65.536 - 500.0) as i16
    };
    (0..rate.samples(1_000)).map(sample).collect()
}

/// It as packets of 20 ms. Opus comes at its full rate, as from a browser.
pub fn frames(codec: Codec) -> Vec<Vec<u8>> {
    let rate = if codec == Codec::Opus { Rate::K48 } else { Rate::K8 };
    let mut encoder = Encoder::new(codec, rate, Opus::default());
    let encode = |frame: &[i16]| {
        let mut out = vec![0; ROOM];
        let n = encoder.encode(frame, &mut out);
        out.truncate(n);
        out
    };
    pcm(rate).chunks(rate.samples(20)).map(encode).collect()
}

/// What the codec library itself takes for one encoding and one decoding of 20 ms at 8 kHz, microseconds of processor time.
pub fn opus_us() -> std::io::Result<f64> {
    let sound = pcm(Rate::K8);
    let packets = frames(Codec::Opus);
    let (mut encoder, mut decoder) =
        (Encoder::new(Codec::Opus, Rate::K8, Opus::default()), Decoder::new(Codec::Opus, Rate::K8));
    let (mut bytes, mut samples) = ([0; ROOM], [0; Rate::K8.samples(120)]);
    let pid = std::process::id();
    let (before, mut rounds) = (proc::cpu_ns(pid)?, 0);
    while proc::cpu_ns(pid)? - before < Duration::from_millis(300).as_nanos() as u64 {
        for (frame, packet) in sound.chunks(Rate::K8.samples(20)).zip(&packets) {
            std::hint::black_box(encoder.encode(frame, &mut bytes));
            std::hint::black_box(decoder.decode(packet, &mut samples));
        }
        rounds += 1;
    }
    Ok((proc::cpu_ns(pid)? - before) as f64 / 1e3 / f64::from(rounds) / FRAMES as f64)
}
