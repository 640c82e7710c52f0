//! A report as it is answered.

use serde::Serialize;
use utoipa::ToSchema;

use super::make::Scope;
use crate::routing::{
    metrics::Activity,
    report::{AgentTally, Report, Tally},
};

/// Stretches of talk, and what was said of them. Times are milliseconds.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct HandledFigures {
    /// Stretches of talk that began.
    pub handled: u64,
    /// Talk in these, hold included.
    pub talk_ms: u64,
    /// Hold in these.
    pub hold_ms: u64,
    /// After-call work of these.
    pub wrap_ms: u64,
    /// Average handling time: (talk with hold + after-call work) / handled.
    pub aht_ms: Option<u64>,
    /// The handling time half of these did not exceed.
    pub handle_p50_ms: Option<u32>,
    /// Nine in ten.
    pub handle_p90_ms: Option<u32>,
    /// Nineteen in twenty.
    pub handle_p95_ms: Option<u32>,
    /// Ratings given; of an agent those of contacts they had last.
    pub rated: u64,
    /// Of these, 4 and 5 of 5, or the thumb up.
    pub satisfied: u64,
}

fn whole(d: std::time::Duration) -> u64 {
    u64::try_from(d.as_millis()).unwrap_or(u64::MAX)
}

fn fine(share: f64) -> f64 {
    (share * 1e6).round() / 1e6
}

impl From<&Tally> for HandledFigures {
    fn from(t: &Tally) -> Self {
        let c = &t.counts;
        HandledFigures {
            handled: c.handled,
            talk_ms: (c.talk_us + c.hold_us) / 1_000,
            hold_ms: c.hold_us / 1_000,
            wrap_ms: c.acw_us / 1_000,
            aht_ms: c.aht().map(whole),
            handle_p50_ms: t.handle_ms(0.5),
            handle_p90_ms: t.handle_ms(0.9),
            handle_p95_ms: t.handle_ms(0.95),
            rated: t.rated,
            satisfied: t.satisfied,
        }
    }
}

/// What came and what became of it. Times are milliseconds, shares are 0 to 1; a share or average of nothing is null.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct QueueFigures {
    /// O: entered.
    pub offered: u64,
    /// A: of these, taken by an agent.
    pub answered: u64,
    /// A_T: of these, taken within the queue's target.
    pub answered_in_time: u64,
    /// B: left while waiting.
    pub abandoned: u64,
    /// B_s: of these, left so soon that nobody could have helped them.
    pub abandoned_short: u64,
    /// B_T: left within the target.
    pub abandoned_in_time: u64,
    /// Sent elsewhere by the queue, by the customer's choice, or ended by us.
    pub overflowed: u64,
    /// To be called back.
    pub called_back: u64,
    /// Lost by us.
    pub lost: u64,
    /// Still waiting.
    pub waiting: u64,
    /// Offers that rang out.
    pub no_answer: u64,
    /// SL1, the default: A_T / (A + B - B_s).
    pub sl1: Option<f64>,
    /// SL2: A_T / A.
    pub sl2: Option<f64>,
    /// SL3: (A_T + B_T) / (A + B).
    pub sl3: Option<f64>,
    /// SL4: (A_T + B_T + called back in time) / O.
    pub sl4: Option<f64>,
    /// SL5: A_T / (A + B).
    pub sl5: Option<f64>,
    /// (B - B_s) / (O - B_s).
    pub abandonment: Option<f64>,
    /// Average speed of answer: waiting of the answered / A.
    pub asa_ms: Option<u64>,
    /// The wait half of the answered did not exceed.
    pub wait_p50_ms: Option<u32>,
    /// Nine in ten.
    pub wait_p90_ms: Option<u32>,
    /// Nineteen in twenty.
    pub wait_p95_ms: Option<u32>,
    /// The longest wait of an answered one.
    pub wait_max_ms: u64,
    /// Who was talked to, and for how long.
    #[serde(flatten)]
    pub handled: HandledFigures,
}

impl From<&Tally> for QueueFigures {
    fn from(t: &Tally) -> Self {
        let c = &t.counts;
        QueueFigures {
            offered: c.offered,
            answered: c.answered,
            answered_in_time: c.answered_in_target,
            abandoned: c.abandoned,
            abandoned_short: c.abandoned_short,
            abandoned_in_time: c.abandoned_in_target,
            overflowed: c.overflow,
            called_back: c.callback,
            lost: c.error,
            waiting: c.waiting,
            no_answer: c.no_answer,
            sl1: c.sl1().map(fine),
            sl2: c.sl2().map(fine),
            sl3: c.sl3().map(fine),
            sl4: c.sl4().map(fine),
            sl5: c.sl5().map(fine),
            abandonment: c.abandonment().map(fine),
            asa_ms: c.asa().map(whole),
            wait_p50_ms: t.wait_ms(0.5),
            wait_p90_ms: t.wait_ms(0.9),
            wait_p95_ms: t.wait_ms(0.95),
            wait_max_ms: c.wait_max_us / 1_000,
            handled: t.into(),
        }
    }
}

/// One queue in one interval; a sum over queues has no queue, one over the span no interval.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ReportInterval {
    /// Which queue.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queue: Option<String>,
    /// Beginning of the interval, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// What came.
    #[serde(flatten)]
    pub figures: QueueFigures,
}

/// Queues by interval.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReportIntervals {
    /// From, RFC 3339.
    pub from: String,
    /// Until, RFC 3339.
    pub to: String,
    /// Length of an interval, minutes.
    pub step_min: u16,
    /// Whose midnight intervals are counted from.
    pub zone: String,
    /// By queue and time; intervals in which nothing came are not there.
    pub rows: Vec<ReportInterval>,
    /// All queues, by time.
    pub intervals: Vec<ReportInterval>,
    /// The whole span, by queue.
    pub queues: Vec<ReportInterval>,
    /// All queues over the whole span.
    pub whole: QueueFigures,
    /// Offered is answered + abandoned + overflowed + called back + lost + waiting, in every row and every sum.
    pub conserved: bool,
}

impl ReportIntervals {
    pub(super) fn of(r: &Report, s: &Scope) -> Self {
        let start = |at: usize| r.grid().starts().get(at).map(|w| w.rfc3339());
        let row = |queue: Option<String>, from, t: &Tally| ReportInterval { queue, from, figures: t.into() };
        ReportIntervals {
            from: s.from.rfc3339(),
            to: s.to.rfc3339(),
            step_min: s.step_min,
            zone: s.zone.clone(),
            rows: r.cells().map(|(queue, at, t)| row(Some(queue.to_string()), start(at), t)).collect(),
            intervals: r.by_interval().iter().map(|(at, t)| row(None, start(*at), t)).collect(),
            queues: r.by_queue().iter().map(|(queue, t)| row(Some(queue.to_string()), None, t)).collect(),
            whole: (&r.whole()).into(),
            conserved: r.conserved(),
        }
    }
}

/// What an agent did. Times are milliseconds.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AgentFigures {
    /// Who was talked to, and for how long.
    #[serde(flatten)]
    pub handled: HandledFigures,
    /// Offers made.
    pub offers: u64,
    /// Offers that rang out.
    pub no_answer: u64,
    /// Time signed in: the sum of the next six.
    pub signed_in_ms: u64,
    /// Talking, several at once counted once.
    pub talking_ms: u64,
    /// After-call work and nothing else.
    pub wrapping_ms: u64,
    /// It rang, and nothing else.
    pub alerting_ms: u64,
    /// Ready, nothing in hand.
    pub idle_ms: u64,
    /// Not ready.
    pub not_ready_ms: u64,
    /// Away.
    pub away_ms: u64,
    /// (talking + after-call work) / (talking + after-call work + idle).
    pub occupancy: Option<f64>,
    /// (talking + after-call work) / signed in.
    pub utilisation: Option<f64>,
}

impl From<&AgentTally> for AgentFigures {
    fn from(a: &AgentTally) -> Self {
        let spent = |activity| a.spent_us.get(&activity).map_or(0, |us| us / 1_000);
        AgentFigures {
            handled: (&a.handled).into(),
            offers: a.offers,
            no_answer: a.no_answer,
            signed_in_ms: a.signed_in_us() / 1_000,
            talking_ms: spent(Activity::Talking),
            wrapping_ms: spent(Activity::WrapUp),
            alerting_ms: spent(Activity::Alerting),
            idle_ms: spent(Activity::Idle),
            not_ready_ms: spent(Activity::NotReady),
            away_ms: spent(Activity::Away),
            occupancy: a.occupancy().map(fine),
            utilisation: a.utilisation().map(fine),
        }
    }
}

/// One agent over the span.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ReportAgent {
    /// Who.
    pub agent: String,
    /// What they did.
    #[serde(flatten)]
    pub figures: AgentFigures,
}

/// Agents over a span.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReportAgents {
    /// From, RFC 3339.
    pub from: String,
    /// Until, RFC 3339.
    pub to: String,
    /// By agent.
    pub rows: Vec<ReportAgent>,
}

impl ReportAgents {
    pub(super) fn of(r: &Report, s: &Scope) -> Self {
        // Of some queues only those who were offered something from them: what others did is not asked.
        let concerned = |a: &AgentTally| s.only.is_none() || a.offers > 0 || a.handled.counts.handled > 0;
        let agents = r.by_agent();
        let rows = agents.iter().filter(|(_, a)| concerned(a));
        let rows = rows.map(|(agent, a)| ReportAgent { agent: agent.to_string(), figures: a.into() }).collect();
        ReportAgents { from: s.from.rfc3339(), to: s.to.rfc3339(), rows }
    }
}
