//! One trunk as it is now: registered or not, there or not, asked for patience or not, and what has happened on it.

use std::time::Duration;

use serde::Serialize;

use super::{Level, Options, health::Health, rate::Rate, registration::Registration};
use crate::{
    base::{Mono, Now, Rng, Wall},
    call::{Place, TrunkTarget},
    sip::{auth::Credentials, transport::Transport},
};

/// The longest a carrier may keep calls away with `Retry-After`.
const RETRY_AFTER_MAX: Duration = crate::base::secs(3_600);

/// A pulse that is taken only because a person wants to know.
pub(super) const TEST: Options = Options { every_s: 3_600, patience_ms: 5_000, down_after: 1, up_after: 1 };

/// What has happened since the start. Only grows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Calls that went out by it, those tried here and then elsewhere included.
    pub attempts: u64,
    /// Of these, answered.
    pub answered: u64,
    /// Of these, refused by the carrier, not by the callee, or met by silence.
    pub failed: u64,
    /// Calls that came in by it.
    pub incoming: u64,
    /// Calls, either way, that a limit kept away.
    pub limited: u64,
    /// Callers somebody we trust vouched for.
    pub verified: u64,
    /// Callers somebody seemed to vouch for, and it did not hold.
    pub unverified: u64,
    /// Callers nobody vouched for, where that was looked at.
    pub unvouched: u64,
}

/// One trunk for people to look at.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Snapshot {
    /// `up`, `down`; `unknown` where nobody has asked.
    pub state: &'static str,
    /// `registered`, `not_registered`; `off` where none is wanted.
    pub registration: &'static str,
    /// What the registrar said last: status and words.
    pub registrar_said: Option<String>,
    /// When it said so.
    pub registrar_said_at: Option<Wall>,
    /// How much longer the registration is good for, seconds.
    pub registered_for_s: Option<u64>,
    /// How long the last answer to an OPTIONS took, milliseconds.
    pub rtt_ms: Option<f64>,
    /// When the last answer to an OPTIONS came.
    pub answered_at: Option<Wall>,
    /// A question a person asked is under way.
    pub testing: bool,
    /// For so many seconds no call is sent there: it has asked for that.
    pub paused_for_s: Option<u64>,
    /// Calls at once, both ways.
    pub calls: usize,
    /// Why the last call that failed on it did.
    pub last_failure: Option<String>,
    /// When that was.
    pub last_failure_at: Option<Wall>,
    /// What has happened since the start.
    pub counts: Counts,
}

/// What a registration depends on: another value, and it has to be made anew.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Made {
    pub place: Place,
    pub transport: Transport,
    pub host: String,
    pub credentials: Option<Credentials>,
    pub wanted: Option<super::Register>,
    /// Our side, as the carrier is told.
    pub contact: Option<String>,
}

/// One trunk.
#[derive(Debug)]
pub(super) struct Line {
    pub made: Made,
    pub registration: Option<Registration>,
    pub health: Option<Health>,
    pub rate: Rate,
    /// No calls until then.
    pub paused: Option<Mono>,
    pub counts: Counts,
    pub failure: Option<(Wall, String)>,
    pub answered_at: Option<Wall>,
    /// A question asked by a person is under way or due.
    pub testing: bool,
    /// Somebody looks regularly whether it is there; what a single question found out is forgotten soon.
    pub watched: bool,
}

impl Line {
    pub fn new(now: Mono, rng: &mut Rng, t: &TrunkTarget, made: Made) -> Self {
        let registration = t.policy.register.as_ref().map(|r| Registration::new(now, rng, r.expires_s));
        let health = t.policy.options.as_ref().map(|_| Health::new(now));
        Line {
            made,
            registration,
            health,
            rate: Rate::default(),
            paused: None,
            counts: Counts::default(),
            failure: None,
            answered_at: None,
            testing: false,
            watched: t.policy.options.is_some(),
        }
    }

    /// When something is to be done about it.
    pub fn due(&self, t: &TrunkTarget) -> Option<Mono> {
        let registration = self.registration.as_ref().and_then(Registration::due);
        let options = t.policy.options.as_ref().or(self.testing.then_some(&TEST));
        let health = self.health.as_ref().zip(options).map(|(h, o)| h.due(o));
        registration.into_iter().chain(health).min()
    }

    /// The carrier, or nobody, refused a call.
    pub fn failed(&mut self, now: Now, code: u16, why: &str, retry_after: Option<Duration>) {
        self.counts.failed += 1;
        self.failure = Some((now.wall, format!("{code} {why}")));
        if let Some(wait) = retry_after.filter(|_| code == 503 || code == 500) {
            self.paused = Some(now.mono + wait.min(RETRY_AFTER_MAX));
        }
    }

    /// Whether it has asked for no calls now.
    pub fn is_paused(&self, now: Mono) -> bool {
        self.paused.is_some_and(|until| until > now)
    }

    /// Whether a call has a chance there, as far as is known.
    pub fn is_hopeful(&self, now: Mono) -> bool {
        let registered = self.registration.as_ref().is_none_or(|r| r.is_good(now));
        registered && self.health.as_ref().is_none_or(|h| !self.watched || h.level() != Level::Down)
    }

    pub fn snapshot(&self, now: Now, calls: usize) -> Snapshot {
        let level = self.health.as_ref().map_or(Level::Unknown, Health::level);
        let said = self.registration.as_ref().and_then(Registration::said);
        let left = |until: Mono| until.since(now.mono).as_secs();
        Snapshot {
            state: match level {
                Level::Unknown => "unknown",
                Level::Up => "up",
                Level::Down => "down",
            },
            registration: match &self.registration {
                None => "off",
                Some(r) if r.is_good(now.mono) => "registered",
                Some(_) => "not_registered",
            },
            registrar_said: said.map(|s| format!("{} {}", s.code, s.reason)),
            registrar_said_at: said.map(|s| s.at),
            registered_for_s: self.registration.as_ref().and_then(Registration::good_until).map(left).filter(|s| *s > 0),
            rtt_ms: self.health.as_ref().and_then(Health::rtt).map(|d| d.as_secs_f64() * 1_000.0),
            answered_at: self.answered_at,
            testing: self.testing,
            paused_for_s: self.paused.map(left).filter(|s| *s > 0),
            calls,
            last_failure: self.failure.as_ref().map(|(_, why)| why.clone()),
            last_failure_at: self.failure.as_ref().map(|(at, _)| *at),
            counts: self.counts,
        }
    }
}
