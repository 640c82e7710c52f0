//! Counting: events in, numbers out. Every number is a pure fold over [`MetricEvent`]s, so a report can be rebuilt from the log.
//!
//! Definitions are those of the project's metric table: strict service level by default, four others by name; short abandons,
//! callbacks and overflows are not abandons; wait counts from entering the queue to the answer.
//!
//! Conservation, checked by [`QueueCounts::conserved`] and the tests: offered = answered + abandoned + overflow + callback +
//! error + waiting now; the sum of an agent's time in its states is the time signed in.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};

use super::contract::StopWhy;
use crate::base::{AgentId, Channel, InteractionId, QueueId, Wall};

/// How an entry of a queue ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExitKind {
    /// An agent took it.
    Answered,
    /// The customer left while waiting.
    Abandoned,
    /// It went another way: too long, too many, nobody there, the customer's choice.
    Overflow,
    /// The customer is called back.
    CallbackTaken,
    /// Our fault.
    SystemError,
}

/// What an agent's time is spent on. One at a time; work goes before state, talking before wrap-up before ringing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activity {
    /// Ready, nothing in hand.
    Idle,
    /// It rings. Neither handling nor idle.
    Alerting,
    /// At least one conversation.
    Talking,
    /// After-call work only.
    WrapUp,
    /// Not ready.
    NotReady,
    /// Away.
    Away,
}

/// Something to count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum MetricEvent {
    /// An interaction entered a queue.
    Entered {
        /// Where.
        queue: QueueId,
        /// The medium.
        channel: Channel,
        /// Which.
        interaction: InteractionId,
        /// When.
        at: Wall,
    },
    /// It left. Exactly one for every `Entered`.
    Left {
        /// Where.
        queue: QueueId,
        /// The medium.
        channel: Channel,
        /// Which.
        interaction: InteractionId,
        /// When it had entered.
        entered: Wall,
        /// When.
        at: Wall,
        /// How.
        exit: ExitKind,
    },
    /// An offer ended.
    Offered {
        /// From where.
        queue: Option<QueueId>,
        /// Which.
        interaction: InteractionId,
        /// To whom.
        agent: AgentId,
        /// When it began to ring.
        from: Wall,
        /// When it ended.
        at: Wall,
        /// How.
        why: StopWhy,
    },
    /// An agent's segment of an interaction is over, wrap-up included.
    Handled {
        /// From where.
        queue: Option<QueueId>,
        /// The medium.
        channel: Channel,
        /// Which.
        interaction: InteractionId,
        /// By whom.
        agent: AgentId,
        /// When it was over.
        at: Wall,
        /// Talking, microseconds, without hold.
        talk_us: u64,
        /// On hold, microseconds.
        hold_us: u64,
        /// After-call work, microseconds.
        acw_us: u64,
    },
    /// An agent spent a stretch of time on one thing.
    Spent {
        /// Who.
        agent: AgentId,
        /// On what.
        activity: Activity,
        /// From.
        from: Wall,
        /// To.
        to: Wall,
    },
}

/// How many waits fell into which band; enough for a median and a p90 within 9 %. Bands grow by a quarter of an octave.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Waits(BTreeMap<u8, u64>);

impl Waits {
    /// Counts one wait.
    pub fn add(&mut self, wait: Duration) {
        // Band 0 is below 100 ms; band 255 is never reached (2^63 x 100 ms).
        let tenths = (wait.as_millis() / 100).max(1) as f64;
        *self.0.entry((tenths.log2() * 4.0) as u8).or_default() += 1;
    }
    fn absorb(&mut self, other: &Waits) {
        for (band, n) in &other.0 {
            *self.0.entry(*band).or_default() += n;
        }
    }
    /// The wait that a share of `p` (0 to 1) did not exceed: the middle of its band. None when nothing was counted.
    pub fn quantile(&self, p: f64) -> Option<Duration> {
        let total: u64 = self.0.values().sum();
        let rank = (p.clamp(0.0, 1.0) * total as f64).ceil().max(1.0) as u64;
        let mut seen = 0;
        for (band, n) in &self.0 {
            seen += n;
            if seen >= rank {
                let seconds = if *band == 0 { 0.0 } else { 0.1 * ((f64::from(*band) + 0.5) / 4.0).exp2() };
                return Some(Duration::from_secs_f64(seconds));
            }
        }
        None
    }
}

/// The counters of one queue and what follows from them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct QueueCounts {
    /// T: the service level's target, seconds.
    pub target_s: u32,
    /// s: callers who leave within so many seconds are short abandons.
    pub short_s: u32,
    /// O: entries.
    pub offered: u64,
    /// A: answered.
    pub answered: u64,
    /// A_T: answered within T.
    pub answered_in_target: u64,
    /// B: abandoned, short ones included.
    pub abandoned: u64,
    /// B_s: abandoned within s.
    pub abandoned_short: u64,
    /// B_T: abandoned within T.
    pub abandoned_in_target: u64,
    /// Left another way.
    pub overflow: u64,
    /// Called back instead.
    pub callback: u64,
    /// Callbacks taken within T.
    pub callback_in_target: u64,
    /// Lost by our fault.
    pub error: u64,
    /// Waiting now.
    pub waiting: u64,
    /// Sum of the waits of the answered, microseconds.
    pub wait_us: u64,
    /// Sum of the waits of all who left, microseconds: the exposure the abandonment rate is measured over.
    pub exposure_us: u64,
    /// Longest wait of an answered one, microseconds.
    pub wait_max_us: u64,
    /// The waits of the answered.
    pub waits: Waits,
    /// Offers that rang out.
    pub no_answer: u64,
    /// Segments handled.
    pub handled: u64,
    /// Sum of talking, microseconds.
    pub talk_us: u64,
    /// Sum of hold, microseconds.
    pub hold_us: u64,
    /// Sum of after-call work, microseconds.
    pub acw_us: u64,
}

fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

impl QueueCounts {
    /// Nothing counted yet.
    pub fn new(target_s: u32, short_s: u32) -> Self {
        Self {
            target_s,
            short_s,
            offered: 0,
            answered: 0,
            answered_in_target: 0,
            abandoned: 0,
            abandoned_short: 0,
            abandoned_in_target: 0,
            overflow: 0,
            callback: 0,
            callback_in_target: 0,
            error: 0,
            waiting: 0,
            wait_us: 0,
            exposure_us: 0,
            wait_max_us: 0,
            waits: Waits::default(),
            no_answer: 0,
            handled: 0,
            talk_us: 0,
            hold_us: 0,
            acw_us: 0,
        }
    }

    /// Counts one event. The caller has chosen those of this queue.
    pub fn add(&mut self, event: &MetricEvent) {
        match event {
            MetricEvent::Entered { .. } => self.enter(),
            MetricEvent::Left { entered, at, exit, .. } => self.left(at.since(*entered), *exit),
            MetricEvent::Offered { why: StopWhy::NoAnswer, .. } => self.no_answer += 1,
            MetricEvent::Handled { talk_us, hold_us, acw_us, .. } => {
                self.handled += 1;
                self.talk_us += talk_us;
                self.hold_us += hold_us;
                self.acw_us += acw_us;
            }
            MetricEvent::Offered { .. } | MetricEvent::Spent { .. } => {}
        }
    }

    /// Somebody entered.
    pub(super) fn enter(&mut self) {
        self.offered += 1;
        self.waiting += 1;
    }

    /// Adds what others counted, each by their own promise.
    pub(super) fn absorb(&mut self, o: &QueueCounts) {
        self.waits.absorb(&o.waits);
        self.wait_max_us = self.wait_max_us.max(o.wait_max_us);
        for (sum, more) in [
            (&mut self.offered, o.offered),
            (&mut self.answered, o.answered),
            (&mut self.answered_in_target, o.answered_in_target),
            (&mut self.abandoned, o.abandoned),
            (&mut self.abandoned_short, o.abandoned_short),
            (&mut self.abandoned_in_target, o.abandoned_in_target),
            (&mut self.overflow, o.overflow),
            (&mut self.callback, o.callback),
            (&mut self.callback_in_target, o.callback_in_target),
            (&mut self.error, o.error),
            (&mut self.waiting, o.waiting),
            (&mut self.wait_us, o.wait_us),
            (&mut self.exposure_us, o.exposure_us),
            (&mut self.no_answer, o.no_answer),
            (&mut self.handled, o.handled),
            (&mut self.talk_us, o.talk_us),
            (&mut self.hold_us, o.hold_us),
            (&mut self.acw_us, o.acw_us),
        ] {
            *sum = sum.saturating_add(more);
        }
    }

    /// Somebody who had entered left.
    pub(super) fn left(&mut self, wait: Duration, exit: ExitKind) {
        let in_target = u64::from(wait <= Duration::from_secs(self.target_s.into()));
        let us = u64::try_from(wait.as_micros()).unwrap_or(u64::MAX);
        self.waiting = self.waiting.saturating_sub(1);
        self.exposure_us = self.exposure_us.saturating_add(us);
        match exit {
            ExitKind::Answered => {
                self.answered += 1;
                self.answered_in_target += in_target;
                self.wait_us = self.wait_us.saturating_add(us);
                self.wait_max_us = self.wait_max_us.max(us);
                self.waits.add(wait);
            }
            ExitKind::Abandoned => {
                self.abandoned += 1;
                self.abandoned_in_target += in_target;
                self.abandoned_short += u64::from(wait <= Duration::from_secs(self.short_s.into()));
            }
            ExitKind::Overflow => self.overflow += 1,
            ExitKind::CallbackTaken => {
                self.callback += 1;
                self.callback_in_target += in_target;
            }
            ExitKind::SystemError => self.error += 1,
        }
    }

    /// SL1, strict, the default: answered in time of all who did not leave at once.
    pub fn sl1(&self) -> Option<f64> {
        share(self.answered_in_target, self.answered + self.abandoned - self.abandoned_short)
    }
    /// SL2: answered in time of the answered (Asterisk's first).
    pub fn sl2(&self) -> Option<f64> {
        share(self.answered_in_target, self.answered)
    }
    /// SL3: answered or abandoned in time of both (Asterisk's second).
    pub fn sl3(&self) -> Option<f64> {
        share(self.answered_in_target + self.abandoned_in_target, self.answered + self.abandoned)
    }
    /// SL4: answered, abandoned or called back in time of all offered (Connect).
    pub fn sl4(&self) -> Option<f64> {
        share(self.answered_in_target + self.abandoned_in_target + self.callback_in_target, self.offered)
    }
    /// SL5: answered less answered late, of answered and abandoned (Genesys, without its options).
    pub fn sl5(&self) -> Option<f64> {
        share(self.answered_in_target, self.answered + self.abandoned)
    }
    /// Abandoned of offered, both without the short ones.
    pub fn abandonment(&self) -> Option<f64> {
        share(self.abandoned - self.abandoned_short, self.offered - self.abandoned_short)
    }
    /// Average speed of answer.
    pub fn asa(&self) -> Option<Duration> {
        self.wait_us.checked_div(self.answered).map(Duration::from_micros)
    }
    /// Average handling time: talk, hold and after-call work per segment.
    pub fn aht(&self) -> Option<Duration> {
        (self.talk_us + self.hold_us + self.acw_us).checked_div(self.handled).map(Duration::from_micros)
    }
    /// Average talk time per segment.
    pub fn att(&self) -> Option<Duration> {
        self.talk_us.checked_div(self.handled).map(Duration::from_micros)
    }
    /// Average after-call work per segment.
    pub fn acw(&self) -> Option<Duration> {
        self.acw_us.checked_div(self.handled).map(Duration::from_micros)
    }
    /// True while nothing was lost and nothing counted twice.
    pub fn conserved(&self) -> bool {
        self.offered == self.answered + self.abandoned + self.overflow + self.callback + self.error + self.waiting
    }
}

/// The counters of one agent.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct AgentCounts {
    /// Microseconds per activity.
    pub spent_us: BTreeMap<Activity, u64>,
    /// Segments handled.
    pub handled: u64,
    /// Sum of talking, microseconds.
    pub talk_us: u64,
    /// Sum of hold, microseconds.
    pub hold_us: u64,
    /// Sum of after-call work, microseconds.
    pub acw_us: u64,
    /// Offers made.
    pub offers: u64,
    /// Offers that rang out.
    pub no_answer: u64,
}

impl AgentCounts {
    /// Counts one event. The caller has chosen those of this agent.
    pub fn add(&mut self, event: &MetricEvent) {
        match event {
            MetricEvent::Spent { activity, from, to, .. } => {
                *self.spent_us.entry(*activity).or_default() += to.since(*from).as_micros() as u64;
            }
            MetricEvent::Offered { why, .. } => {
                self.offers += 1;
                self.no_answer += u64::from(*why == StopWhy::NoAnswer);
            }
            MetricEvent::Handled { talk_us, hold_us, acw_us, .. } => {
                self.handled += 1;
                self.talk_us += talk_us;
                self.hold_us += hold_us;
                self.acw_us += acw_us;
            }
            MetricEvent::Entered { .. } | MetricEvent::Left { .. } => {}
        }
    }

    fn of(&self, activity: Activity) -> u64 {
        self.spent_us.get(&activity).copied().unwrap_or(0)
    }
    /// Time signed in: the sum over all activities.
    pub fn signed_in(&self) -> Duration {
        Duration::from_micros(self.spent_us.values().sum())
    }
    /// Time at work (talking, hold, wrap-up) of the time at work or idle. Ringing is neither; several chats at once count once.
    pub fn occupancy(&self) -> Option<f64> {
        let handle = self.of(Activity::Talking) + self.of(Activity::WrapUp);
        share(handle, handle + self.of(Activity::Idle))
    }
    /// Time at work of the time signed in.
    pub fn utilisation(&self) -> Option<f64> {
        let handle = self.of(Activity::Talking) + self.of(Activity::WrapUp);
        share(handle, self.spent_us.values().sum())
    }
}

/// How evenly something is shared out: the coefficient of variation (standard deviation over mean). 0 is perfectly even. For
/// the occupancy of agents of equal skill; none for fewer than two values or a mean of zero.
pub fn unevenness(values: &[f64]) -> Option<f64> {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    if values.len() < 2 || mean == 0.0 {
        return None;
    }
    let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0);
    Some(variance.sqrt() / mean)
}

/// How much longer the worse-off class waits: the larger p95 over the smaller, of classes of equal priority. 1 is fair; none
/// while a class has no waits or one that never waits.
pub fn wait_ratio(classes: &[&Waits]) -> Option<f64> {
    let p95: Option<Vec<f64>> = classes.iter().map(|w| w.quantile(0.95).map(|d| d.as_secs_f64())).collect();
    let p95 = p95.filter(|p| p.len() > 1)?;
    let (low, high) = p95.iter().fold((f64::MAX, 0.0_f64), |(l, h), v| (l.min(*v), h.max(*v)));
    (low > 0.0).then(|| high / low)
}
