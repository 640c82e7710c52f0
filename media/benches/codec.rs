//! What 20 ms of sound cost each codec and resampler: `cargo bench -p media --bench codec`.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use media::{
    codec::{COMPLEXITY, Decoder, Encoder, FRAME_MAX, g711},
    dsp::resample::Resampler,
    wire::{Codec, Opus, Rate},
};

const RATES: [Rate; 3] = [Rate::K8, Rate::K16, Rate::K48];

/// A second like a voice, in frames of 20 ms: pulses of 120 Hz through a resonance.
fn voice(rate: Rate) -> Vec<Vec<i16>> {
    let (mut y, period) = ([0i32; 2], rate.hz() as usize / 120);
    let all: Vec<i16> = (0..rate.samples(1_000))
        .map(|i| {
            let pulse = if i % period == 0 { 9_000 } else { 0 };
            y = [pulse + (y[0] * 28 - y[1] * 15) / 16, y[0]];
            y[0] as i16
        })
        .collect();
    all.chunks_exact(rate.samples(20)).map(<[i16]>::to_vec).collect()
}

fn codecs(c: &mut Criterion) {
    for codec in Codec::ALL {
        for rate in RATES {
            let voice = voice(rate);
            let (mut packet, mut out) = ([0; 2 * FRAME_MAX], [0; FRAME_MAX]);
            let mut encoder = Encoder::new(*codec, rate, Opus::default());
            let packets: Vec<Vec<u8>> = voice
                .iter()
                .map(|frame| {
                    let n = encoder.encode(frame, &mut packet);
                    packet[..n].to_vec()
                })
                .collect();
            let mut frames = voice.iter().cycle();
            c.bench_function(&format!("encode: {codec:?} from {rate:?}"), |b| {
                b.iter(|| black_box(encoder.encode(frames.next().expect("endless"), &mut packet)));
            });
            let (mut decoder, mut packets) = (Decoder::new(*codec, rate), packets.iter().cycle());
            c.bench_function(&format!("decode: {codec:?} to {rate:?}"), |b| {
                b.iter(|| black_box(decoder.decode(packets.next().expect("endless"), &mut out)));
            });
        }
    }
    for complexity in [0, 1, 3, COMPLEXITY, 8, 10] {
        let (voice, mut packet) = (voice(Rate::K16), [0; 2 * FRAME_MAX]);
        let mut encoder = Encoder::new(Codec::Opus, Rate::K16, Opus::default());
        encoder.set_complexity(complexity);
        let mut frames = voice.iter().cycle();
        c.bench_function(&format!("encode: Opus from K16, complexity {complexity}"), |b| {
            b.iter(|| black_box(encoder.encode(frames.next().expect("endless"), &mut packet)));
        });
    }
    let mut payload = [0x5A; 160];
    c.bench_function("transcode: mu-law to A-law by table", |b| {
        b.iter(|| g711::transcode(Codec::Pcmu, Codec::Pcma, black_box(&mut payload)));
    });
    let (mut decoder, mut packet, mut pcm) = (Decoder::new(Codec::Pcma, Rate::K16), [0; 1_500], [0; Rate::K16.samples(20)]);
    let mut encoder = Encoder::new(Codec::Opus, Rate::K16, Opus::default());
    c.bench_function("transcode: A-law to Opus at 16 kHz", |b| {
        b.iter(|| {
            let n = decoder.decode(&payload, &mut pcm);
            black_box(encoder.encode(&pcm[..n], &mut packet))
        });
    });
}

fn resamplers(c: &mut Criterion) {
    for from in RATES {
        for to in RATES.into_iter().filter(|to| *to != from) {
            let (voice, mut stream, mut out) = (voice(from), Resampler::new(from, to), [0; FRAME_MAX]);
            let mut frames = voice.iter().cycle();
            c.bench_function(&format!("resample: {from:?} to {to:?}"), |b| {
                b.iter(|| black_box(stream.process(frames.next().expect("endless"), &mut out)));
            });
        }
    }
}

criterion_group!(all, codecs, resamplers);
criterion_main!(all);
