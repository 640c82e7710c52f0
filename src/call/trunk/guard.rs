//! The gate to the outside: every call by a trunk needs a [`Permit`], and only [`Guard::permit`] makes one.
//!
//! Toll fraud is somebody else's calls on our bill: a stolen password, a flow that transfers where the caller says, a phone that
//! answers with a 302 to a premium number. So whoever wants to call out, for whatever reason, comes through here, and
//! [`Endpoint::Trunk`](crate::call::Endpoint) cannot be made of anything but the permit. A permit is for one call to one
//! number; it cannot be copied.
//!
//! Judged is the number as the carrier will get it, brought to E.164. In this order: emergency numbers always pass; what is no
//! number never does; then `deny`, opening hours, the destination (own country open, premium and foreign numbers closed unless
//! opened, short numbers closed unless listed), then the caps of the agent, of the source and of the tenant: calls, minutes and
//! money within the last hour, running calls included. What is left of the minutes and the money is the longest the call may
//! last.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};

use super::{Books, premium};
use crate::base::{
    AgentId, CalendarId, Mono, Now, NumberPattern, TenantId, TrunkId, e164,
    limits::{GUARD_SOURCES_MAX, GUARD_WINDOW},
    redact::Redact,
};

/// Who may call where, and how much.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Toll {
    /// Opened whatever else is closed: `+31*`, `1818`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub allow: Vec<NumberPattern>,
    /// Closed whatever else is open.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub deny: Vec<NumberPattern>,
    /// Numbers of other countries are open.
    pub international: bool,
    /// Premium numbers are open.
    pub premium: bool,
    /// Always open, and never counted: `112`, `110`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub emergency: Vec<String>,
    /// Calls out only while this calendar is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calendar: Option<CalendarId>,
    /// No call lasts longer, minutes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_call_min: Option<u32>,
    /// For each agent.
    pub per_agent: Caps,
    /// For each source: the number of the caller who is transferred, the agent's own phone.
    pub per_source: Caps,
    /// For everybody together.
    pub per_tenant: Caps,
    /// What a minute costs, by number; the most particular pattern counts. What matches nothing costs nothing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rates: Vec<Rate>,
}

/// The most within an hour.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Caps {
    /// Calls begun.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calls_h: Option<u32>,
    /// Minutes talked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub minutes_h: Option<u32>,
    /// Money spent, in the unit of the rates.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spend_h: Option<f64>,
}

/// A line of the rate table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    /// `+44*`.
    pub to: NumberPattern,
    /// A minute.
    pub per_minute: f64,
}

/// Somebody wants to call out.
#[derive(Debug, Clone, Copy)]
pub struct Wish<'a> {
    /// Whose line.
    pub tenant: &'a TenantId,
    /// Whose wish, if a person's.
    pub agent: Option<&'a AgentId>,
    /// Whom it is for: the caller's number, the phone's user.
    pub source: &'a str,
    /// The number of ours that was called, when a caller is handed on.
    pub diverted: Option<&'a str>,
    /// By which trunk or group.
    pub trunk: &'a TrunkId,
    /// As the carrier will get it.
    pub number: &'a str,
    /// Country code without plus, for numbers in national form.
    pub country: Option<&'a str>,
    /// The national prefix.
    pub national: Option<&'a str>,
    /// The calendar of the rules is open now.
    pub open: bool,
}

/// Why not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Denied {
    /// It is no telephone number.
    NoNumber,
    /// The administrator has closed it.
    Closed,
    /// Not at this hour.
    Hours,
    /// A premium number.
    Premium,
    /// Another country.
    International,
    /// A short number nobody has opened.
    Short,
    /// Too many calls, too long, or too expensive within the hour: the agent.
    AgentCap,
    /// The same: the source.
    SourceCap,
    /// The same: the tenant.
    TenantCap,
}

impl Denied {
    /// The word in records.
    pub const fn as_str(self) -> &'static str {
        match self {
            Denied::NoNumber => "no_number",
            Denied::Closed => "closed",
            Denied::Hours => "hours",
            Denied::Premium => "premium",
            Denied::International => "international",
            Denied::Short => "short",
            Denied::AgentCap => "agent_cap",
            Denied::SourceCap => "source_cap",
            Denied::TenantCap => "tenant_cap",
        }
    }
    /// True for a cap: somebody is calling more than anybody should.
    pub const fn is_cap(self) -> bool {
        matches!(self, Denied::AgentCap | Denied::SourceCap | Denied::TenantCap)
    }
}

impl std::fmt::Display for Denied {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Denied::NoNumber => "this is no telephone number",
            Denied::Closed => "this number is closed",
            Denied::Hours => "no calls out at this hour",
            Denied::Premium => "premium numbers are closed",
            Denied::International => "this country is closed",
            Denied::Short => "this short number is not opened",
            Denied::AgentCap => "the agent has reached the limit of this hour",
            Denied::SourceCap => "this caller has reached the limit of this hour",
            Denied::TenantCap => "the limit of this hour is reached",
        })
    }
}

/// Names a permitted call in the books.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct PermitId(u64);

/// The right to make one call to one number. Made by [`Guard::permit`] alone.
#[derive(Debug, PartialEq, Eq)]
pub struct Permit {
    id: PermitId,
    tenant: TenantId,
    trunk: TrunkId,
    number: String,
    diverted: Option<String>,
    emergency: bool,
    longest: Option<Duration>,
    rate: u64,
}

impl Permit {
    /// Its number in the books, and what a minute costs, millionths. None for those that are never counted.
    pub fn booked(&self) -> Option<(u64, u64)> {
        (!self.emergency).then_some((self.id.0, self.rate))
    }
    /// The number of ours that was called, when a caller is handed on.
    pub fn diverted(&self) -> Option<&str> {
        self.diverted.as_deref()
    }
    /// In the books.
    pub fn id(&self) -> PermitId {
        self.id
    }
    /// Whose line.
    pub fn tenant(&self) -> &TenantId {
        &self.tenant
    }
    /// By which trunk or group.
    pub fn trunk(&self) -> &TrunkId {
        &self.trunk
    }
    /// As the carrier will get it.
    pub fn number(&self) -> &str {
        &self.number
    }
    /// Somebody needs help: no limit holds it up.
    pub fn is_emergency(&self) -> bool {
        self.emergency
    }
    /// It may last so long.
    pub fn longest(&self) -> Option<Duration> {
        self.longest
    }
}

/// Who a meter is for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Meter {
    Agent(TenantId, AgentId),
    Source(TenantId, String),
    Tenant(TenantId),
}

/// Used within one minute.
#[derive(Debug, Clone, Copy, Default)]
struct Used {
    calls: u32,
    seconds: u64,
    /// Millionths.
    money: u64,
}

/// Sixty minutes, the oldest overwritten.
#[derive(Debug)]
struct Hour {
    minute: u64,
    slots: [Used; SLOTS],
}

const SLOTS: usize = 60;

impl Hour {
    fn new(now: Mono) -> Self {
        Hour { minute: minute(now), slots: [Used::default(); SLOTS] }
    }
    /// The slot of this minute, after those nobody used were emptied.
    fn slot(&mut self, now: Mono) -> &mut Used {
        let m = minute(now);
        let missed = m.saturating_sub(self.minute).min(SLOTS as u64);
        for i in 0..missed {
            self.slots[((self.minute + 1 + i) % SLOTS as u64) as usize] = Used::default();
        }
        self.minute = self.minute.max(m);
        &mut self.slots[(self.minute % SLOTS as u64) as usize]
    }
    /// Adds what was used a while ago, on a clock that may not have run then; what is older than the hour is gone.
    fn add(&mut self, now: Mono, ago: Duration, used: Used) {
        self.slot(now);
        let back = ago.as_secs() / (GUARD_WINDOW.as_secs() / SLOTS as u64);
        if back >= SLOTS as u64 {
            return;
        }
        let slot = &mut self.slots[((self.minute + SLOTS as u64 - back) % SLOTS as u64) as usize];
        slot.calls += used.calls;
        slot.seconds += used.seconds;
        slot.money += used.money;
    }
    fn total(&mut self, now: Mono) -> Used {
        self.slot(now);
        self.slots.iter().fold(Used::default(), |a, b| Used {
            calls: a.calls + b.calls,
            seconds: a.seconds + b.seconds,
            money: a.money + b.money,
        })
    }
}

fn minute(now: Mono) -> u64 {
    now.0 / (GUARD_WINDOW.as_nanos() as u64 / SLOTS as u64)
}

/// A permitted call that is not over.
#[derive(Debug)]
struct Running {
    tenant: TenantId,
    meters: Vec<Meter>,
    up: Option<Mono>,
    /// Millionths a minute.
    rate: u64,
}

/// What was decided. Only grows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Decided {
    /// Calls let out.
    pub permitted: u64,
    /// Calls kept in.
    pub denied: u64,
}

/// The gate of a node.
#[derive(Debug, Default)]
pub struct Guard {
    hours: BTreeMap<Meter, Hour>,
    running: BTreeMap<PermitId, Running>,
    next: u64,
    /// The minute it was last looked through for accounts nobody uses.
    swept: u64,
    decided: Decided,
    /// Ends of calls nobody upstairs has been told of: whose, which, seconds up, millionths.
    ended: Vec<(TenantId, u64, u64, u64)>,
}

impl Guard {
    /// Ends of calls since this was asked last: whose, which, seconds up, millionths spent.
    pub fn ended(&mut self) -> Vec<(TenantId, u64, u64, u64)> {
        std::mem::take(&mut self.ended)
    }

    /// Counts again what the journal has of a tenant's last hour.
    pub fn restore(&mut self, now: Now, tenant: &TenantId, books: &Books) {
        for (call, began, ended) in books.counting(now.wall) {
            let meters = self.meters_of(now.mono, tenant, call.agent.as_ref(), &call.source);
            for m in meters {
                let hour = self.hours.entry(m).or_insert_with(|| Hour::new(now.mono));
                hour.add(now.mono, began, Used { calls: 1, ..Used::default() });
                if let Some((ago, over)) = ended {
                    hour.add(now.mono, ago, Used { calls: 0, seconds: over.talked_s, money: over.spent });
                }
            }
        }
    }

    /// What has been decided so far.
    pub fn decided(&self) -> Decided {
        self.decided
    }

    /// Lets a call out, once, or says why not.
    pub fn permit(&mut self, now: Mono, toll: &Toll, wish: Wish<'_>) -> Result<Permit, Denied> {
        let judged = self.judge(now, toll, wish);
        match judged {
            Ok(_) => self.decided.permitted += 1,
            Err(_) => self.decided.denied += 1,
        }
        let verdict = judged?;
        self.next += 1;
        let id = PermitId(self.next);
        if !verdict.emergency {
            let meters = self.meters(now, wish);
            for m in &meters {
                self.hours.entry(m.clone()).or_insert_with(|| Hour::new(now)).slot(now).calls += 1;
            }
            self.running.insert(id, Running { tenant: wish.tenant.clone(), meters, up: None, rate: verdict.rate });
        }
        Ok(Permit {
            id,
            tenant: wish.tenant.clone(),
            trunk: wish.trunk.clone(),
            number: wish.number.to_owned(),
            diverted: wish.diverted.map(str::to_owned),
            emergency: verdict.emergency,
            longest: verdict.longest,
            rate: verdict.rate,
        })
    }

    /// Whether a call would be let out, before anybody is rung for it. Nothing is counted.
    pub fn check(&mut self, now: Mono, toll: &Toll, wish: Wish<'_>) -> Result<(), Denied> {
        self.judge(now, toll, wish).map(|_| ())
    }

    /// The call was answered: from now on it costs.
    pub fn answered(&mut self, now: Mono, id: PermitId) {
        if let Some(r) = self.running.get_mut(&id) {
            r.up.get_or_insert(now);
        }
    }

    /// The call is over.
    pub fn over(&mut self, now: Mono, id: PermitId) {
        let Some(r) = self.running.remove(&id) else { return };
        let used = r.used(now);
        self.ended.push((r.tenant, id.0, used.seconds, used.money));
        for m in r.meters {
            let slot = self.hours.entry(m).or_insert_with(|| Hour::new(now)).slot(now);
            (slot.seconds, slot.money) = (slot.seconds + used.seconds, slot.money + used.money);
        }
    }

    fn judge(&mut self, now: Mono, toll: &Toll, wish: Wish<'_>) -> Result<Verdict, Denied> {
        if toll.emergency.iter().any(|n| n == wish.number) {
            return Ok(Verdict { emergency: true, longest: None, rate: 0 });
        }
        let number = destination(wish).ok_or(Denied::NoNumber)?;
        let listed = |list: &[NumberPattern]| list.iter().any(|p| p.matches(&number));
        if listed(&toll.deny) {
            return Err(Denied::Closed);
        }
        if !wish.open {
            return Err(Denied::Hours);
        }
        if !listed(&toll.allow) {
            let foreign = number.starts_with('+') && !premium::is_home(&number, wish.country);
            if premium::is_premium(&number) && !toll.premium {
                return Err(Denied::Premium);
            }
            if foreign && !toll.international {
                return Err(Denied::International);
            }
            if !number.starts_with('+') && wish.country.is_some() {
                return Err(Denied::Short);
            }
        }
        let rate = toll.rates.iter().filter(|r| r.to.matches(&number)).min_by(|a, b| a.to.cmp(&b.to));
        let rate = rate.map_or(0, |r| millionths(r.per_minute));
        let mut longest = toll.max_call_min.map(|m| crate::base::mins(u64::from(m)));
        for m in self.meters(now, wish) {
            let (caps, denied) = match &m {
                Meter::Agent(..) => (toll.per_agent, Denied::AgentCap),
                Meter::Source(..) => (toll.per_source, Denied::SourceCap),
                Meter::Tenant(_) => (toll.per_tenant, Denied::TenantCap),
            };
            let left = self.left(now, &m, caps, rate).ok_or(denied)?;
            longest = longest.into_iter().chain(left).min();
        }
        Ok(Verdict { emergency: false, longest, rate })
    }

    /// How long another call of this rate may last by these caps: `Some(None)` for ever, `None` not at all.
    fn left(&mut self, now: Mono, m: &Meter, caps: Caps, rate: u64) -> Option<Option<Duration>> {
        let mut used = self.hours.get_mut(m).map(|h| h.total(now)).unwrap_or_default();
        for r in self.running.values().filter(|r| r.meters.contains(m)) {
            let u = r.used(now);
            (used.seconds, used.money) = (used.seconds + u.seconds, used.money + u.money);
        }
        if caps.calls_h.is_some_and(|max| used.calls >= max) {
            return None;
        }
        let seconds = caps.minutes_h.map(|m| (u64::from(m) * 60).saturating_sub(used.seconds));
        let money = caps.spend_h.map(|s| millionths(s).saturating_sub(used.money));
        if seconds == Some(0) || money == Some(0) {
            return None;
        }
        let affordable = money.filter(|_| rate > 0).map(|m| m.saturating_mul(60) / rate);
        if affordable == Some(0) {
            return None;
        }
        Some(seconds.into_iter().chain(affordable).min().map(Duration::from_secs))
    }

    /// The meters a wish runs on. Of more sources than can be kept apart, the last share one.
    fn meters(&mut self, now: Mono, wish: Wish<'_>) -> Vec<Meter> {
        self.meters_of(now, wish.tenant, wish.agent, wish.source)
    }

    fn meters_of(&mut self, now: Mono, tenant: &TenantId, agent: Option<&AgentId>, source: &str) -> Vec<Meter> {
        let tenant = tenant.clone();
        let mut source = Meter::Source(tenant.clone(), source.chars().take(64).collect());
        if self.hours.len() >= GUARD_SOURCES_MAX && !self.hours.contains_key(&source) {
            // Looked through once a minute: nothing falls silent faster.
            if std::mem::replace(&mut self.swept, minute(now)) != minute(now) {
                self.hours.retain(|_, h| {
                    let t = h.total(now);
                    (t.calls, t.seconds, t.money) != (0, 0, 0)
                });
            }
            if self.hours.len() >= GUARD_SOURCES_MAX {
                source = Meter::Source(tenant.clone(), String::new());
            }
        }
        let agent = agent.map(|a| Meter::Agent(tenant.clone(), a.clone()));
        agent.into_iter().chain([source, Meter::Tenant(tenant)]).collect()
    }
}

impl Running {
    fn used(&self, now: Mono) -> Used {
        // Begun seconds count whole.
        let seconds = self.up.map_or(0, |at| now.since(at).as_millis().div_ceil(1_000) as u64);
        Used { calls: 0, seconds, money: (self.rate.saturating_mul(seconds)).div_ceil(60) }
    }
}

/// What [`Guard::judge`] found.
#[derive(Debug, Clone, Copy)]
struct Verdict {
    emergency: bool,
    longest: Option<Duration>,
    rate: u64,
}

/// The number in E.164, or a short or local one as it is. `None`: no carrier should get this.
fn destination(wish: Wish<'_>) -> Option<String> {
    let raw = wish.number;
    let digits = raw.strip_prefix('+').unwrap_or(raw);
    if digits.is_empty() || digits.len() > 20 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    // North America dials abroad with 011.
    let abroad = raw.strip_prefix("011").filter(|_| wish.country == Some("1")).map(|rest| format!("+{rest}"));
    let number = abroad.unwrap_or_else(|| e164::normalise(raw, wish.country, wish.national));
    (!number.starts_with('+') || e164::is_whole(&number)).then_some(number)
}

fn millionths(money: f64) -> u64 {
    // Saturates; a negative or impossible amount is none.
    (money * 1e6).round() as u64
}

impl Toll {
    /// Mistakes the types cannot see.
    pub fn problems(&self, at: &str, bad: &mut Vec<String>) {
        for r in self.rates.iter().filter(|r| !(r.per_minute.is_finite() && r.per_minute >= 0.0)) {
            bad.push(format!("{at}.rates ({}): per_minute is no price", r.to));
        }
        for (name, caps) in [("per_agent", self.per_agent), ("per_source", self.per_source), ("per_tenant", self.per_tenant)] {
            if caps.spend_h.is_some_and(|s| !(s.is_finite() && s >= 0.0)) {
                bad.push(format!("{at}.{name}.spend_h: is no amount"));
            }
            if caps.spend_h.is_some() && self.rates.is_empty() {
                bad.push(format!("{at}.{name}.spend_h: without rates nothing ever costs anything"));
            }
        }
        for n in self.emergency.iter().filter(|n| n.is_empty() || n.len() > 6 || !n.bytes().all(|b| b.is_ascii_digit())) {
            bad.push(format!("{at}.emergency: `{n}` is no emergency number; expected up to six digits"));
        }
    }
}

/// A number as it may be written into logs and alarms.
pub fn shown(number: &str) -> String {
    Redact(number).to_string()
}

#[cfg(test)]
mod tests;
