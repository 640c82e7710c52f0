//! Queueing formulas: Erlang B (nobody waits), C (everybody waits), A (people give up). Oracles of the routing tests, and the
//! arithmetic of staffing.
//!
//! λ arrivals and μ completions per agent and θ give-ups per waiting caller are rates in the same unit of time; so are the
//! waits that come out. `n` agents; offered load a = λ/μ Erlang; ρ = a/n. Sources: Erlang 1917; Palm's model with the formulas
//! of Mandelbaum & Zeltyn 2005 ("The Palm/Erlang-A queue").

/// Probability that all `n` agents are busy when nobody waits, for offered load `a` (Erlang B, by the stable recursion
/// B(0)=1, B(k)=a·B(k−1)/(k+a·B(k−1))).
pub fn b(n: u32, a: f64) -> f64 {
    (1..=n).fold(1.0, |b, k| a * b / (f64::from(k) + a * b))
}

/// What Erlang C says of a queue.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct C {
    /// P(W>0).
    pub p_wait: f64,
    /// E\[W\], over all: the average speed of answer.
    pub asa: f64,
    /// nμ−λ: the rate at which the conditional wait decays.
    decay: f64,
}

impl C {
    /// Share answered within `t`: 1 − P(W>0)·e^(−(nμ−λ)t).
    pub fn service_level(&self, t: f64) -> f64 {
        1.0 - self.p_wait * (-self.decay * t).exp()
    }
}

/// Erlang C. None when the load is not below `n`: the queue would grow for ever.
pub fn c(lambda: f64, mu: f64, n: u32) -> Option<C> {
    let (a, n_f) = (lambda / mu, f64::from(n));
    if !(a.is_finite() && a > 0.0 && a < n_f) {
        return None;
    }
    let (rho, b) = (a / n_f, b(n, a));
    let p_wait = b / (1.0 - rho * (1.0 - b));
    let decay = n_f * mu - lambda;
    Some(C { p_wait, asa: p_wait / decay, decay })
}

/// What Erlang A says of a queue.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct A {
    /// P(W>0).
    pub p_wait: f64,
    /// P(Ab).
    pub p_abandon: f64,
    /// E\[W\] over all, those who gave up included: P(Ab)/θ.
    pub wait: f64,
}

/// Erlang A: as C, and each who waits gives up at rate `theta`. None for rates that are not positive numbers or `n` = 0.
pub fn a(lambda: f64, mu: f64, theta: f64, n: u32) -> Option<A> {
    if n == 0 || [lambda, mu, theta].iter().any(|r| !(r.is_finite() && *r > 0.0)) {
        return None;
    }
    let n_f = f64::from(n);
    let (x, y) = (n_f * mu / theta, lambda / theta);
    // A(x,y) = 1 + Σ y^j / Π(x+k): terms fall for good once x + j exceeds y.
    let (mut sum, mut term, mut j) = (1.0, 1.0, 0.0);
    loop {
        j += 1.0;
        term *= y / (x + j);
        sum += term;
        if term < sum * 1e-15 || j > 10_000_000.0 {
            break;
        }
    }
    if !f64::is_finite(sum) {
        // Patience beyond measure under overload: all wait, the surplus gives up.
        let p_abandon = 1.0 - n_f * mu / lambda;
        return Some(A { p_wait: 1.0, p_abandon, wait: p_abandon / theta });
    }
    let (load, blocked) = (lambda / mu, b(n, lambda / mu));
    let rho = load / n_f;
    let p_wait = sum * blocked / (1.0 + (sum - 1.0) * blocked);
    let p_abandon = (p_wait * (1.0 / (rho * sum) + 1.0 - 1.0 / rho)).max(0.0);
    Some(A { p_wait, p_abandon, wait: p_abandon / theta })
}

/// Fewest agents that answer a share of `level` (0 to 1) within `t` by Erlang C. None when no number up to 100,000 does.
pub fn agents_for(lambda: f64, mu: f64, t: f64, level: f64) -> Option<u32> {
    let load = lambda / mu;
    if !(load.is_finite() && load > 0.0 && load < 100_000.0) {
        return None;
    }
    let good = |n: u32| c(lambda, mu, n).is_some_and(|c| c.service_level(t) >= level);
    let (mut low, mut high) = (load as u32, load as u32 + 1);
    while !good(high) {
        (low, high) = (high, high * 2);
        if high > 200_000 {
            return None;
        }
    }
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if good(middle) { high = middle } else { low = middle }
    }
    Some(high)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(a: f64, b: f64) {
        assert!((a - b).abs() < 1e-6, "{a} is not {b}");
    }

    /// P(i in the system) solved from the balance equations, to hold the closed forms against.
    fn chain(lambda: f64, mu: f64, theta: f64, n: u32) -> (f64, f64) {
        let (mut p, mut total, mut wait, mut queue) = (1.0, 1.0, 0.0, 0.0);
        for i in 1..5_000u32 {
            let over = f64::from(i.saturating_sub(n));
            p *= lambda / (f64::from(i.min(n)) * mu + over * theta);
            total += p;
            queue += over * p;
            if i >= n {
                wait += p;
            }
        }
        (wait / total, queue / total)
    }

    #[test]
    fn the_formulas_agree_with_tables_and_with_the_chain_they_solve() {
        near(b(10, 5.0), 0.018_384_570);
        let c = c(2.0, 0.25, 10).expect("8 Erlang on 10");
        let (p, queue) = chain(2.0, 0.25, 0.0, 10);
        near(c.p_wait, p);
        near(c.asa, queue / 2.0);
        for (l, m, t, n) in [(2.0, 0.25, 0.5, 8), (10.0, 1.0, 0.2, 9), (0.5, 1.0, 3.0, 1)] {
            let a = a(l, m, t, n).expect("positive rates");
            let (p, queue) = chain(l, m, t, n);
            near(a.p_wait, p);
            near(a.wait, queue / l);
            near(a.p_abandon, queue * t / l);
        }
        let a = a(2.0, 0.25, 0.5, 8).expect("positive rates");
        near(a.p_wait, 0.471_912);
        near(a.p_abandon, 0.162_738);
    }

    #[test]
    fn staffing_gives_the_fewest_who_keep_the_promise() {
        // 100 calls in half an hour of 3 minutes each, 80 % in 20 s: 14 agents.
        let (lambda, mu) = (100.0 / 1800.0, 1.0 / 180.0);
        assert_eq!(agents_for(lambda, mu, 20.0, 0.8), Some(14));
        assert!(c(lambda, mu, 13).is_some_and(|c| c.service_level(20.0) < 0.8));
        assert_eq!(c(lambda, mu, 9), None);
        assert_eq!(agents_for(f64::NAN, mu, 20.0, 0.8), None);
    }
}
