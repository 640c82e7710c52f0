//! The door to the world of telephones: what carriers report, who may call by them, and whom load turns away: supervisors see an alarm while a trunk is away, and when somebody calls
//! where or more than anybody should.
//!
//! Whatever leads to a trunk (an agent's phone, click to dial, a transfer by hand or by a flow) asks here for its
//! [`Permit`](crate::call::trunk::Permit); every decision is a fact.

use std::time::Duration;

use media::wire::LegId;

use super::{
    Center, LegUse, Output, Timer,
    command::{Refusal, RefusalCode},
    fact::{Fact, Way},
    settings::TenantSettings,
};
use crate::{
    base::{Admission, AgentId, InteractionId, Now, TenantId, TrunkId, mins, overload::Verdict},
    call::{
        Action, route,
        trunk::{Denied, Permit, Wish, shown},
    },
    routing,
};

/// For whom a call out is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Behalf<'a> {
    /// Whose wish, if a person's.
    pub agent: Option<&'a AgentId>,
    /// The number of the caller who is handed over, or the agent's own.
    pub source: &'a str,
    /// The number of ours that was called, when a caller is handed on.
    pub diverted: Option<&'a str>,
    /// The contact it belongs to.
    pub interaction: Option<InteractionId>,
}

/// An alarm about calls out is over when nothing has been kept in for so long.
const QUIET: Duration = mins(60);
/// Numbers kept in within that time that make an alarm: one may be a slip of the finger.
const PROBES: u32 = 5;
/// The word of the alarm while new calls are turned away.
const OVERLOAD: &str = "overload";
/// The word of the alarm about calls out.
const ALARM: &str = "toll_fraud";

/// Where a number leads outside.
pub(super) fn outward(settings: &TenantSettings, number: &str) -> Result<(TrunkId, String), Refusal> {
    match settings.config.route_of(number, route::Asker::User).map(|(r, form)| (&r.to, form)) {
        Some((route::Destination::Trunk(o), form)) => Ok((o.trunk.clone(), o.rewrite(&form))),
        _ => Err(Refusal::new(RefusalCode::NotAllowed, format!("no route of this tenant leads to {number} outside"))),
    }
}

impl Center {
    /// Part of the new calls is turned away, or all, or no longer any. Supervisors see when it begins and when it is over.
    pub(super) fn overloaded(&mut self, now: Now, verdict: Verdict, out: &mut Vec<Output>) {
        self.calls.admission(verdict.admission);
        let message = format!("New calls are turned away: {}.", verdict.why.words());
        let tenants: Vec<TenantId> = self.tenants.keys().cloned().collect();
        for tenant in tenants {
            self.alarm(now, &tenant, OVERLOAD, &message, verdict.admission != Admission::Open, out);
        }
    }

    /// The registrar of a trunk has answered, or has not.
    pub(super) fn trunk_registered(
        &mut self,
        now: Now,
        tenant: &TenantId,
        trunk: &TrunkId,
        on: bool,
        code: Option<u16>,
        out: &mut Vec<Output>,
    ) {
        let message = match code {
            Some(code) => format!("The trunk {trunk} is not registered: its carrier answered {code}."),
            None => format!("The trunk {trunk} is not registered with us any more."),
        };
        self.alarm(now, tenant, &format!("trunk_registration_{trunk}"), &message, !on, out);
    }

    /// A trunk is down, or up again.
    pub(super) fn trunk_up(&mut self, now: Now, tenant: &TenantId, trunk: &TrunkId, up: bool, out: &mut Vec<Output>) {
        let message = format!("The trunk {trunk} does not answer.");
        self.alarm(now, tenant, &format!("trunk_down_{trunk}"), &message, !up, out);
        self.numbers_look(now, tenant);
    }

    /// The right to call a number outside, by the route that leads there.
    pub(super) fn permit(
        &mut self,
        now: Now,
        settings: &TenantSettings,
        whose: Behalf<'_>,
        number: &str,
        out: &mut Vec<Output>,
    ) -> Result<Permit, Refusal> {
        let (trunk, number) = outward(settings, number)?;
        self.permit_by(now, settings, whose, &trunk, &number, out)
    }

    /// A call of ours was sent on by whoever was called. It goes on if the one who called could have dialled that number; what
    /// leads to somebody of ours does not, for whom to ring is the router's to say.
    pub(super) fn sent_on(&mut self, now: Now, leg: LegId, from: &str, to: &[String], out: &mut Vec<Output>) {
        let permit = to.iter().find_map(|number| self.sent_on_to(now, leg, from, number, out));
        if permit.is_none() {
            tracing::info!(?leg, from = %shown(from), "a call was sent on, and is not followed");
        }
        self.call(Action::Follow { leg, permit });
    }

    fn sent_on_to(&mut self, now: Now, leg: LegId, from: &str, number: &str, out: &mut Vec<Output>) -> Option<Permit> {
        let (id, usage) = self.legs.get(&leg)?.clone();
        let i = self.interactions.get(&id).filter(|i| !i.closed)?;
        let settings = i.settings.clone();
        let talks = i.talk.as_ref().map(|t| t.agent.clone());
        let agent = match usage {
            LegUse::Customer | LegUse::Helper => Some(talks?),
            LegUse::Outside => None,
            // A colleague's phone that sends on: the agent who dialled has the right, or not. A customer has none.
            LegUse::Offer(_) if i.way == Way::Internal => {
                AgentId::parse(&i.from).ok().filter(|a| settings.plan.agents.contains_key(a))
            }
            LegUse::Offer(_) | LegUse::Agent | LegUse::Supervisor(_) => return None,
        };
        if agent.is_none() && usage != LegUse::Outside {
            return None;
        }
        let source = agent.as_ref().map_or(i.from.clone(), ToString::to_string);
        let whose = Behalf { agent: agent.as_ref(), source: &source, diverted: Some(from), interaction: Some(id) };
        self.permit(now, &settings, whose, number, out).ok()
    }

    /// The same by a trunk.
    pub(super) fn permit_by(
        &mut self,
        now: Now,
        settings: &TenantSettings,
        whose: Behalf<'_>,
        trunk: &TrunkId,
        number: &str,
        out: &mut Vec<Output>,
    ) -> Result<Permit, Refusal> {
        let permit = self.calls.permit(now, &settings.config.toll, wish(now, settings, whose, trunk, number));
        self.decided(now, settings, whose, trunk, number, permit.as_ref().map_err(|denied| *denied), out);
        permit.map_err(|denied| Refusal::new(RefusalCode::NotAllowed, denied.to_string()))
    }

    /// Whether an agent may call a number, before any phone rings for it.
    pub(super) fn may_call(
        &mut self,
        now: Now,
        settings: &TenantSettings,
        agent: &AgentId,
        number: &str,
        out: &mut Vec<Output>,
    ) -> Result<(), Refusal> {
        let whose = Behalf { agent: Some(agent), source: agent.as_str(), diverted: None, interaction: None };
        self.may_call_out(now, settings, whose, number, out)
    }

    /// The same of anybody.
    pub(super) fn may_call_out(
        &mut self,
        now: Now,
        settings: &TenantSettings,
        whose: Behalf<'_>,
        number: &str,
        out: &mut Vec<Output>,
    ) -> Result<(), Refusal> {
        let (trunk, number) = outward(settings, number)?;
        self.may_call_by(now, settings, whose, &trunk, &number, out)
    }

    /// The same by a trunk.
    pub(super) fn may_call_by(
        &mut self,
        now: Now,
        settings: &TenantSettings,
        whose: Behalf<'_>,
        trunk: &TrunkId,
        number: &str,
        out: &mut Vec<Output>,
    ) -> Result<(), Refusal> {
        let may = self.calls.may_call_out(now, &settings.config.toll, wish(now, settings, whose, trunk, number));
        may.map_err(|denied| {
            self.decided(now, settings, whose, trunk, number, Err(denied), out);
            Refusal::new(RefusalCode::NotAllowed, denied.to_string())
        })
    }

    #[expect(clippy::too_many_arguments, reason = "the fields of one fact")]
    fn decided(
        &mut self,
        now: Now,
        settings: &TenantSettings,
        whose: Behalf<'_>,
        trunk: &TrunkId,
        number: &str,
        permit: Result<&Permit, Denied>,
        out: &mut Vec<Output>,
    ) {
        let (tenant, agent) = (settings.id.clone(), whose.agent.cloned());
        let to = number.chars().take(80).collect();
        let (interaction, trunk) = (whose.interaction, trunk.clone());
        let denied_for = permit.err();
        let (permit, per_minute) = permit.ok().and_then(Permit::booked).unzip();
        let fact = Fact::CallOut {
            interaction,
            agent,
            trunk: trunk.clone(),
            to,
            denied: denied_for,
            source: whose.source.chars().take(64).collect(),
            permit,
            per_minute: per_minute.unwrap_or(0),
        };
        self.fact(now, &tenant, fact, out);
        let Some(denied) = denied_for else { return };
        let who = whose.agent.map_or_else(|| shown(whose.source), |a| a.to_string());
        tracing::warn!(%tenant, %trunk, who, to = %shown(number), why = denied.as_str(), "a call was kept in");
        let Some(t) = self.tenants.get_mut(&tenant) else { return };
        t.kept_in += 1;
        self.timers.set(Timer::Toll(tenant.clone()), now.mono + QUIET);
        if denied.is_cap() || t.kept_in >= PROBES {
            let message = format!("A call of {who} to {} was kept in: {denied}.", shown(number));
            self.alarm(now, &tenant, ALARM, &message, true, out);
        }
    }

    /// A call that was let out is over: what it used is kept for whoever restarts.
    pub(super) fn called_out(&mut self, now: Now, tenant: &TenantId, over: (u64, u64, u64), out: &mut Vec<Output>) {
        let (permit, talked_s, spent) = over;
        if self.tenants.contains_key(tenant) {
            self.fact(now, tenant, Fact::CallOutOver { permit, talked_s, spent }, out);
        }
    }

    /// Nothing has been kept in for an hour.
    pub(super) fn toll_quiet(&mut self, now: Now, tenant: &TenantId, out: &mut Vec<Output>) {
        if let Some(t) = self.tenants.get_mut(tenant) {
            t.kept_in = 0;
        }
        self.alarm(now, tenant, ALARM, "", false, out);
    }
}

fn wish<'a>(now: Now, settings: &'a TenantSettings, whose: Behalf<'a>, trunk: &'a TrunkId, number: &'a str) -> Wish<'a> {
    let config = &settings.config;
    let calendar = config.toll.calendar.as_ref().and_then(|c| settings.plan.calendars.get(c));
    Wish {
        tenant: &settings.id,
        agent: whose.agent,
        source: whose.source,
        diverted: whose.diverted,
        trunk,
        number,
        country: config.country.as_deref(),
        national: config.trunk_prefix.as_deref(),
        open: calendar.is_none_or(|c| c.state(now.wall) == routing::hours::State::Open),
    }
}
