//! The real router against queueing theory: Poisson arrivals, exponential service and patience, n agents who answer at once.
//!
//! Waits in a queue are correlated, so the error of a simulated mean is taken from batch means: the run is cut into batches
//! much longer than the memory of the queue, whose means are nearly independent.

use std::{collections::BTreeMap, fmt::Write as _, time::Duration};

use super::{
    super::{erlang, *},
    floor::*,
};
use crate::base::{AgentId, InteractionId, Mono, Rng, secs};

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Arrival,
    Done(InteractionId, AgentId),
    Patience(InteractionId),
}

/// What one caller met.
struct Caller {
    waited: bool,
    abandoned: bool,
    wait_s: f64,
}

/// An exponential time of `rate` per second.
fn exponential(rng: &mut Rng, rate: f64) -> Duration {
    Duration::from_secs_f64(-(1.0 - rng.unit()).ln() / rate)
}

fn simulate(lambda: f64, mu: f64, theta: Option<f64>, n: usize, callers: usize, seed: u64) -> Vec<Caller> {
    let mut yaml = String::from("queues: { q: { wrap_up_s: 0 } }\nagents:\n");
    for i in 0..n {
        writeln!(yaml, "  a{i}: {{ queues: [q] }}").expect("a string takes anything");
    }
    let mut f = Floor::new(&yaml);
    for i in 0..n {
        f.ready(&format!("a{i}"));
    }
    let mut rng = Rng::seeded(seed);
    let mut events: BTreeMap<(Mono, u64), Event> = BTreeMap::new();
    let (mut seq, mut arrived) = (0, 0);
    let mut began: BTreeMap<InteractionId, Mono> = BTreeMap::new();
    let mut seen: Vec<Caller> = Vec::new();
    events.insert((f.now.mono + exponential(&mut rng, lambda), 0), Event::Arrival);
    while let Some(((at, _), event)) = events.pop_first() {
        f.now = f.now.later(at - f.now.mono);
        let mut later = |at: Mono, event: Event| {
            seq += 1;
            events.insert((at, seq), event);
        };
        match event {
            Event::Arrival => {
                let interaction = InteractionId::new(f.now, &mut rng);
                began.insert(interaction, at);
                f.ok(Input::Enqueue(Entry::new(interaction, queue("q"), crate::base::Channel::Voice, f.now.wall)));
                if let Some(theta) = theta {
                    later(at + exponential(&mut rng, theta), Event::Patience(interaction));
                }
                arrived += 1;
                if arrived < callers {
                    later(at + exponential(&mut rng, lambda), Event::Arrival);
                }
            }
            Event::Done(interaction, agent) => f.ok(Input::Ended { interaction, agent }),
            Event::Patience(interaction) => {
                if let Some(since) = began.remove(&interaction) {
                    f.ok(Input::Withdraw { interaction, why: Withdrawn::Abandoned });
                    seen.push(Caller { waited: true, abandoned: true, wait_s: (at - since).as_secs_f64() });
                }
            }
        }
        // Whoever is rung answers in the same instant.
        let offers = std::mem::take(&mut f.log).into_iter().filter_map(|o| match o {
            Output::Offer { offer, interaction, agent, .. } => Some((offer, interaction, agent)),
            _ => None,
        });
        for (offer, interaction, agent) in offers {
            f.ok(Input::Accept { offer });
            let wait = at - began.remove(&interaction).expect("offered once");
            seen.push(Caller { waited: !wait.is_zero(), abandoned: false, wait_s: wait.as_secs_f64() });
            later(at + exponential(&mut rng, mu), Event::Done(interaction, agent));
        }
    }
    let counts = f.counts("q");
    assert!(counts.conserved() && counts.waiting == 0 && counts.offered as usize == callers);
    seen
}

/// The theory's value lies within four standard errors of the batch means (chance of a false alarm below 1 in 1,000 with 30
/// batches), and these are small enough to mean something.
fn agrees(what: &str, seen: &[Caller], value: impl Fn(&Caller) -> f64, theory: f64) {
    let batches = 30;
    let size = seen.len() / batches;
    let means: Vec<f64> =
        seen.chunks_exact(size).take(batches).map(|b| b.iter().map(&value).sum::<f64>() / size as f64).collect();
    let mean = means.iter().sum::<f64>() / batches as f64;
    let variance = means.iter().map(|m| (m - mean).powi(2)).sum::<f64>() / (batches - 1) as f64;
    let error = (variance / batches as f64).sqrt();
    assert!((mean - theory).abs() < 4.0 * error, "{what}: simulated {mean:.4} ± {error:.4}, theory {theory:.4}");
    assert!(error < 0.15 * theory, "{what}: an error of {error:.4} at {theory:.4} would agree with anything");
}

fn waited(c: &Caller) -> f64 {
    f64::from(u8::from(c.waited))
}

#[test]
fn callers_who_never_give_up_wait_as_erlang_c_says() {
    for (lambda, mu, n, seed) in [(0.5, 1.0, 1, 11), (2.0, 0.25, 10, 12), (1.5, 0.5, 4, 13)] {
        let theory = erlang::c(lambda, mu, n).expect("a stable queue");
        let seen = simulate(lambda, mu, None, n as usize, 12_000, seed);
        agrees("P(wait)", &seen, waited, theory.p_wait);
        agrees("ASA", &seen, |c| c.wait_s, theory.asa);
        let in_time = |c: &Caller| f64::from(u8::from(c.wait_s <= 1.0));
        agrees("SL(1 s)", &seen, in_time, theory.service_level(1.0));
    }
}

#[test]
fn callers_who_give_up_do_so_as_erlang_a_says() {
    for (lambda, mu, theta, n, seed) in [(2.0, 0.25, 0.5, 8, 21), (3.0, 1.0, 0.3, 3, 22), (2.0, 0.5, 1.0, 3, 23)] {
        let theory = erlang::a(lambda, mu, theta, n).expect("positive rates");
        let seen = simulate(lambda, mu, Some(theta), n as usize, 12_000, seed);
        agrees("P(wait)", &seen, waited, theory.p_wait);
        agrees("P(abandon)", &seen, |c| f64::from(u8::from(c.abandoned)), theory.p_abandon);
        agrees("E[W]", &seen, |c| c.wait_s, theory.wait);
    }
}

#[test]
fn the_estimate_told_to_callers_is_what_they_then_wait_on_average() {
    // One who comes sixth in line behind five busy agents, many times over, all patient: c = 5, 1/μ = 100 s.
    let mut rng = Rng::seeded(31);
    let (runs, mut total, mut inside, mut told) = (300, 0.0, 0, Duration::ZERO);
    for run in 0..runs {
        let mut f = Floor::new(
            "queues: { q: { wrap_up_s: 0, expected_handle_s: 100 } }\nagents: { a0: { queues: [q] }, a1: { queues: [q] }, a2: { queues: [q] }, a3: { queues: [q] }, a4: { queues: [q] } }",
        );
        let mut done: BTreeMap<(Mono, usize), (String, String)> = BTreeMap::new();
        for i in 0..5 {
            f.ready(&format!("a{i}"));
        }
        for i in 0..11 {
            f.calls(&format!("c{i}"), "q");
            if i < 5 {
                let who = f.rings(&format!("c{i}")).remove(0);
                f.accepts(&who);
                done.insert((f.now.mono + exponential(&mut rng, 0.01), i), (format!("c{i}"), who));
            }
        }
        let last = f.id("c10");
        let (start, ewt) = (f.now.mono, f.router.ewt(last).expect("c10 waits"));
        told = ewt.mean;
        let mut next = 5;
        while f.router.is_waiting(last) {
            let ((at, _), (caller, who)) = done.pop_first().expect("somebody talks");
            f.now = f.now.later(at - f.now.mono);
            f.ends(&caller, &who);
            f.accepts(&who);
            done.insert((at + exponential(&mut rng, 0.01), next), (format!("c{next}"), who));
            next += 1;
        }
        let wait = f.now.mono - start;
        total += wait.as_secs_f64();
        inside += usize::from(ewt.low <= wait && wait <= ewt.high);
        assert!(run < runs && next == 11);
    }
    assert_eq!(told, secs(120));
    let mean = total / f64::from(runs);
    assert!((mean - 120.0).abs() < 4.0 * 120.0 / (6.0 * f64::from(runs)).sqrt(), "waited {mean:.1} s on average");
    let share = inside as f64 / f64::from(runs);
    assert!((0.73..0.87).contains(&share), "four in five wait within the range: {share}");
}
