//! Random walks: as many as there is time for here, ten thousand with `RINGDESK_SIM_SEEDS=10000`.

use crate::sim::walk::{Walk, walk};

#[test]
fn whatever_people_do_nobody_is_lost_and_nothing_is_left() {
    let seeds = std::env::var("RINGDESK_SIM_SEEDS").ok().and_then(|n| n.parse().ok()).unwrap_or(60u64);
    let first = std::env::var("RINGDESK_SIM_FIRST").ok().and_then(|n| n.parse().ok()).unwrap_or(1u64);
    let mut inputs = 0;
    for seed in first..first + seeds {
        inputs += walk(seed, Walk::default()).inputs;
    }
    assert!(inputs > seeds * 100, "walks in which nothing happens prove nothing: {inputs} inputs in {seeds} walks");
}

#[test]
fn the_same_seed_is_the_same_day() {
    for seed in [3, 77] {
        assert_eq!(walk(seed, Walk::default()), walk(seed, Walk::default()));
    }
}
