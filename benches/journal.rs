//! What a restart costs: 100,000 facts read back and folded; and what keeping them costs in the first place.
//!
//! `cargo bench --bench journal`. The facts are those of real calls: the simulator lives them once. The database is SQLite in a
//! temporary folder (`TMPDIR` names another disk).

use std::{hint::black_box, time::Duration};

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use ringdesk::{
    base::secs,
    center::{fact::Record, memory::Memory},
    sim::{Manner, World},
    store::{Journal, Store},
};

const FACTS: usize = 100_000;
/// Written at a time: a busy minute of a large center.
const WRITTEN: usize = 10_000;
const FLUSH: Duration = secs(120);

/// Answered calls, one after the other, until there are enough facts.
fn facts() -> Vec<Record> {
    let mut w = World::new(1);
    w.audit = false;
    let anna = w.agent("anna").ready();
    w.manner(anna, Manner::Answer(secs(2)));
    let callers: Vec<_> = (0..100).map(|i| w.phone(&format!("+32655500{i:02}")).there()).collect();
    for caller in callers.iter().cycle() {
        w.dials(*caller, "4001");
        w.pass(secs(20));
        w.hangs_up(*caller);
        w.pass(secs(20));
        if w.store.facts().len() >= FACTS {
            break;
        }
    }
    let mut facts = w.store.facts().to_vec();
    facts.truncate(FACTS);
    facts
}

fn fold<'r>(facts: impl IntoIterator<Item = &'r Record>) -> Memory {
    let mut memory = Memory::default();
    for r in facts {
        memory.apply(r);
    }
    memory
}

fn journal(c: &mut Criterion) {
    let facts = facts();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let folder = tempfile::tempdir().expect("a folder");
    let place = |name: &str| folder.path().join(name).display().to_string();
    let keep = |store: Store, facts: Vec<Record>| {
        runtime.block_on(async {
            let journal = Journal::start(store, |_| {});
            journal.handle().append(facts).expect("an empty journal takes facts");
            assert_eq!(journal.shut_down(FLUSH).await, 0, "all facts are written");
        });
    };
    let store = runtime.block_on(Store::open(&place("replay.sqlite"))).expect("a database");
    keep(store.clone(), facts.clone());

    let mut group = c.benchmark_group("journal");
    group.sample_size(10);
    group.throughput(Throughput::Elements(FACTS as u64));
    group.bench_function("100,000 facts folded", |b| b.iter_with_large_drop(|| fold(black_box(&facts))));
    group.bench_function("100,000 facts read from SQLite and folded", |b| {
        b.iter_with_large_drop(|| {
            let mut memory = Memory::default();
            let read = runtime.block_on(store.replay(1, |r| memory.apply(&r))).expect("the journal reads back");
            assert_eq!(read, FACTS as u64);
            memory
        });
    });
    group.throughput(Throughput::Elements(WRITTEN as u64));
    let mut n = 0;
    group.bench_function("10,000 facts stored with their projections", |b| {
        b.iter_batched(
            || {
                n += 1;
                let store = runtime.block_on(Store::open(&place(&format!("{n}.sqlite")))).expect("a database");
                (store, facts[..WRITTEN].to_vec())
            },
            |(store, facts)| keep(store, facts),
            BatchSize::PerIteration,
        );
    });
    group.finish();
}

criterion_group!(benches, journal);
criterion_main!(benches);
