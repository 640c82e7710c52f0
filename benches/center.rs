//! What the center takes in a second: calls from INVITE to the end of wrap-up, with flow, key, queue, agent and recording.
//!
//! First the center alone: what it was given in a simulated hour is given to a fresh one once more (parsing included). Then
//! the same hour with phones, network, engine and journal simulated around it.

use std::{hint::black_box, time::Duration};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ringdesk::{
    base::{ms, secs},
    sim::{Manner, World, tape::replay},
};

const SEED: u64 = 1;

/// Calls one after another: greeting, key, queue, agent, talk, hang-up, wrap-up.
fn calls(w: &mut World, n: u32) {
    let caller = w.phone("+3265551234").there();
    for _ in 0..n {
        w.dials(caller, "4000");
        w.until(|w| w.hears(caller, "press one"));
        w.presses(caller, "1");
        w.until(|w| w.is_over(caller) || w.leg_of(caller).is_some_and(|l| w.media.plays_to(l).is_none()));
        w.pass(secs(20));
        w.hangs_up(caller);
        w.pass(secs(15));
    }
}

fn desk() -> World {
    let mut w = World::new(SEED);
    w.audit = false;
    w.tape = Some(Vec::new());
    for name in ["anna", "ben"] {
        let agent = w.agent(name).ready();
        w.manner(agent, Manner::Answer(ms(700)));
    }
    w
}

fn walk(c: &mut Criterion) {
    let mut group = c.benchmark_group("center");
    group.measurement_time(Duration::from_secs(8)).sample_size(20);
    let mut recorded = desk();
    calls(&mut recorded, 20);
    let tape = recorded.tape.take().expect("it was asked for");
    group.throughput(Throughput::Elements(tape.len() as u64));
    group.bench_function("inputs of a tape of calls", |b| {
        b.iter(|| replay(SEED, black_box(&tape), |out| drop(black_box(out))));
    });
    group.bench_function("the same with the whole world around it", |b| {
        b.iter(|| {
            let mut w = desk();
            w.tape = None;
            calls(&mut w, 20);
            w.inputs
        });
    });
    group.finish();
}

criterion_group!(benches, walk);
criterion_main!(benches);
