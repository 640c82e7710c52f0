//! What it costs to hear one leg, for each frame of 20 ms: `cargo bench -p media --bench hearing`.

use std::{hint::black_box, time::Duration};

use criterion::{Criterion, criterion_group, criterion_main};
use media::{
    dsp::{agc::Agc, answerer::Answerer, plc::Plc, vad::Vad},
    dtmf::detect::Detector,
    jitter::{Buffer, Packet},
    playout::Playout,
    time::At,
    tone,
    wire::{Codec, Rate},
};

fn at(n: u32) -> At {
    At(u64::from(n) * 20_000_000)
}

fn benches(c: &mut Criterion) {
    let music = tone::hold_music().pcm;
    let mut frames = music.chunks_exact(160).cycle();
    let mut next = || frames.next().expect("a cycle has no end");

    let (mut buffer, mut n) = (Buffer::new(8_000, 4_096), 0u32);
    c.bench_function("jitter buffer: one packet put and pulled", |b| {
        b.iter(|| {
            n = n.wrapping_add(1);
            let payload = &[0x55; 160];
            let p = Packet { seq: n as u16, ts: n.wrapping_mul(160), ticks: 160, marker: false, comfort: false, payload };
            black_box(buffer.put(at(n), p));
            black_box(buffer.pull(at(n), 0, 160));
        });
    });
    for (what, lost) in [("nothing lost", u32::MAX), ("one in twenty lost", 20)] {
        let (mut playout, mut n, mut out) = (Playout::new(Codec::Pcma, Rate::K8, 1), 0u32, [0; 160]);
        c.bench_function(&format!("receive path of G.711, {what}"), |b| {
            b.iter(|| {
                n = n.wrapping_add(1);
                if n % lost != 7 {
                    let payload = [(n as u8) | 1; 160];
                    black_box(playout.packet(at(n), n as u16, n.wrapping_mul(160), false, &payload));
                }
                black_box(playout.frame(at(n), &mut out));
            });
        });
    }
    let (mut plc, mut out) = (Plc::new(Rate::K8, 1), [0; 160]);
    c.bench_function("concealment: a frame heard, a frame made up", |b| {
        b.iter(|| {
            out.copy_from_slice(next());
            plc.heard(&mut out);
            plc.conceal(&mut out);
            black_box(&out);
        });
    });
    let mut digits = Detector::default();
    c.bench_function("digits as tones", |b| b.iter(|| black_box(digits.frame(next(), false))));
    let mut vad = Vad::new(Duration::from_millis(500));
    c.bench_function("speech or not", |b| b.iter(|| black_box(vad.frame(next()))));
    let mut answerer = Answerer::default();
    c.bench_function("who answered, and the beep", |b| b.iter(|| black_box(answerer.frame(next()))));
    let mut agc = Agc::default();
    c.bench_function("gain", |b| {
        b.iter(|| {
            agc.frame(&mut out);
            black_box(&out);
        });
    });
}

criterion_group! { name = all; config = Criterion::default().sample_size(20); targets = benches }
criterion_main!(all);
