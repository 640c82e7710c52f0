//! What agents do besides answering: sign in and out, choose a state, come and go with their endpoints, hold, end, wrap up.

use std::time::Duration;

use super::{
    agent::Doing,
    contract::*,
    metrics::MetricEvent,
    plan::{ENDPOINT_FAILED, NO_ANSWER},
    router::{Router, Timer},
};
use crate::base::{AgentId, Channel, CodeId, InteractionId, Now, Wall, limits::WRAP_UP_MAX, secs};

impl Router {
    pub(super) fn known(&self, agent: &AgentId) -> Result<(), Refused> {
        let known = self.plan.agents.contains_key(agent) && self.agents.contains_key(agent);
        if known { Ok(()) } else { Err(Refused::UnknownAgent(agent.clone())) }
    }

    pub(super) fn signed_in(&self, agent: &AgentId) -> Result<(), Refused> {
        self.known(agent)?;
        match self.agents[agent].state {
            AgentState::SignedOut => Err(Refused::NotSignedIn(agent.clone())),
            _ => Ok(()),
        }
    }

    /// Something of the agent changed: the indexes, and whoever watches, must know.
    pub(super) fn touch(&mut self, now: Now, agent: &AgentId) {
        self.reindex(now, agent);
        self.dirty_agents.insert(agent.clone());
        self.touched.insert(agent.clone());
    }

    // -- state -----------------------------------------------------------------------------------------------------------

    pub(super) fn sign_in(&mut self, now: Now, agent: &AgentId) -> Result<(), Refused> {
        self.known(agent)?;
        let a = self.agents.get_mut(agent).expect("known");
        if a.state != AgentState::SignedOut {
            // A second window, or a change of mind: nothing is interrupted.
            if a.pending == Some(AgentState::SignedOut) {
                a.pending = None;
                self.touch(now, agent);
            }
            return Ok(());
        }
        a.handled = 0;
        self.enter(now, agent, AgentState::Away);
        Ok(())
    }

    /// At once, or when the conversations are over. What rings goes back in line, what is written up is finished.
    pub(super) fn sign_out(&mut self, now: Now, agent: &AgentId, out: &mut Vec<Output>) {
        let Some(a) = self.agents.get_mut(agent) else { return };
        a.pending = Some(AgentState::SignedOut);
        if let Some(offer) = a.alerting {
            let interaction = self.stop(now, offer, StopWhy::Declined, out).map(|o| o.interaction);
            if let Some(interaction) = interaction {
                self.back_in_line(now, interaction, out);
            }
        }
        let Some(a) = self.agents.get(agent) else { return };
        let writing: Vec<InteractionId> = a.work.iter().filter(|(_, w)| w.in_wrap_up()).map(|(id, _)| *id).collect();
        for interaction in writing {
            self.wrap_up_over(now, agent, interaction, false, out);
        }
        self.rest(now, agent);
        self.release_kept(now, agent);
    }

    pub(super) fn set_state(&mut self, now: Now, agent: &AgentId, choice: Choice) -> Result<(), Refused> {
        self.signed_in(agent)?;
        if let Choice::NotReady(code) = &choice {
            let own = [NO_ANSWER, ENDPOINT_FAILED].contains(&code.as_str());
            if !own && !self.plan.reasons.contains_key(code) {
                return Err(Refused::UnknownReason(code.clone()));
            }
        }
        let a = self.agents.get_mut(agent).expect("known");
        let state = AgentState::from(choice);
        if a.state == AgentState::Ready && state != AgentState::Ready && a.at_work() {
            a.pending = Some(state);
            self.touch(now, agent);
            self.release_kept(now, agent);
            return Ok(());
        }
        if a.state == AgentState::Ready && state == AgentState::Ready {
            // Only takes back a pause; the place among the idle is kept.
            a.pending = None;
            self.touch(now, agent);
            return Ok(());
        }
        self.enter(now, agent, state);
        Ok(())
    }

    /// Enters a state now.
    pub(super) fn enter(&mut self, now: Now, agent: &AgentId, state: AgentState) {
        let Some(a) = self.agents.get_mut(agent) else { return };
        // Who asked to go home still goes home, unless they say ready.
        let leaving = a.pending.take().filter(|p| *p == AgentState::SignedOut && state != AgentState::Ready && a.at_work());
        if state == AgentState::Ready {
            a.idle_since = now.wall;
            // Coming back is a new start: what rang out before may ring again.
            a.excluded.clear();
        }
        if state == AgentState::SignedOut {
            a.excluded.clear();
        } else {
            a.pending = leaving;
        }
        (a.state, a.since) = (state, now.wall);
        self.touch(now, agent);
        self.schedule_retry(now.mono, agent);
        self.release_kept(now, agent);
    }

    /// Enters the state that waited for the work, if there is no more work.
    pub(super) fn rest(&mut self, now: Now, agent: &AgentId) {
        self.touch(now, agent);
        let Some(a) = self.agents.get_mut(agent) else { return };
        if !a.at_work()
            && let Some(state) = a.pending.take()
        {
            self.enter(now, agent, state);
        }
    }

    /// Gives what was kept for an agent who will not take it to the pool.
    fn release_kept(&mut self, now: Now, agent: &AgentId) {
        let Some(kept) = self.kept.get(agent).cloned() else { return };
        for place in kept {
            let expected =
                self.waiting.get(&place.id).zip(self.agents.get(agent)).is_some_and(|(w, a)| a.expected_on(w.channel));
            if !expected {
                self.list(now, place.id);
                self.schedule(now, place.id);
            }
        }
    }

    pub(super) fn reachable(
        &mut self,
        now: Now,
        agent: &AgentId,
        channel: Channel,
        up: bool,
        out: &mut Vec<Output>,
    ) -> Result<(), Refused> {
        self.known(agent)?;
        let a = self.agents.get_mut(agent).expect("known");
        let changed = if up { a.reachable.insert(channel) } else { a.reachable.remove(&channel) };
        if !changed {
            return Ok(());
        }
        let rings = a.alerting.filter(|o| !up && self.offers.get(o).is_some_and(|o| o.channel == channel));
        if let Some(offer) = rings
            && let Some(offer) = self.stop(now, offer, StopWhy::EndpointFailed, out)
        {
            self.touch(now, agent);
            self.back_in_line(now, offer.interaction, out);
        }
        self.touch(now, agent);
        self.release_kept(now, agent);
        Ok(())
    }

    // -- work ------------------------------------------------------------------------------------------------------------

    pub(super) fn hold(&mut self, now: Now, interaction: InteractionId, agent: &AgentId, on: bool) -> Result<(), Refused> {
        let work = self.agents.get_mut(agent).and_then(|a| a.work.get_mut(&interaction)).filter(|w| !w.in_wrap_up());
        let Some(work) = work else { return Err(Refused::NotWorking { agent: agent.clone(), interaction }) };
        work.turn(if on { Doing::Hold } else { Doing::Talking }, now.wall);
        self.touch(now, agent);
        Ok(())
    }

    /// Listened, or gave advice: free again, and nothing to wrap up.
    pub(super) fn released(&mut self, now: Now, interaction: InteractionId, agent: &AgentId) -> Result<(), Refused> {
        let removed = self.agents.get_mut(agent).and_then(|a| {
            a.work.get(&interaction).filter(|w| !w.in_wrap_up())?;
            a.work.remove(&interaction)
        });
        if removed.is_none() {
            return Err(Refused::NotWorking { agent: agent.clone(), interaction });
        }
        self.rest(now, agent);
        Ok(())
    }

    /// The agent's part is over: wrap-up begins, if the queue has one.
    pub(super) fn end_talk(
        &mut self,
        now: Now,
        interaction: InteractionId,
        agent: &AgentId,
        out: &mut Vec<Output>,
    ) -> Result<(), Refused> {
        let a = self.agents.get_mut(agent);
        let going = a.as_ref().is_some_and(|a| a.pending == Some(AgentState::SignedOut));
        let Some(work) = a.and_then(|a| a.work.get_mut(&interaction)).filter(|w| !w.in_wrap_up()) else {
            return Err(Refused::NotWorking { agent: agent.clone(), interaction });
        };
        let plan = work.queue.as_ref().and_then(|q| self.plan.queues.get(q));
        let wrap_up = plan.map_or(Duration::ZERO, |p| secs(p.wrap_up_s.into()));
        let until = now.wall + wrap_up;
        work.turn(Doing::WrapUp { until }, now.wall);
        if wrap_up.is_zero() || going {
            self.wrap_up_over(now, agent, interaction, false, out);
            return Ok(());
        }
        self.timers.set(Timer::WrapUp(agent.clone(), interaction), now.mono + wrap_up);
        out.push(Output::WrapUp { agent: agent.clone(), interaction, until });
        self.touch(now, agent);
        Ok(())
    }

    pub(super) fn dispose(&mut self, agent: &AgentId, interaction: InteractionId, code: &CodeId) -> Result<(), Refused> {
        let Some(work) = self.agents.get_mut(agent).and_then(|a| a.work.get_mut(&interaction)) else {
            return Err(Refused::NotWorking { agent: agent.clone(), interaction });
        };
        let queue = work.queue.as_ref().and_then(|q| self.plan.queues.get(q));
        let known = match queue.map(|q| &q.dispositions).filter(|d| !d.is_empty()) {
            Some(own) => own.contains(code),
            None => self.plan.dispositions.contains_key(code),
        };
        if !known {
            return Err(Refused::UnknownDisposition(code.clone()));
        }
        work.disposition = Some(code.clone());
        self.touched.insert(agent.clone());
        Ok(())
    }

    fn until(&self, agent: &AgentId, interaction: InteractionId) -> Result<(Wall, Wall), Refused> {
        match self.agents.get(agent).and_then(|a| a.work.get(&interaction)).map(|w| (w.doing, w.since)) {
            Some((Doing::WrapUp { until }, since)) => Ok((since, until)),
            _ => Err(Refused::NotInWrapUp { agent: agent.clone(), interaction }),
        }
    }

    pub(super) fn wrap_up_done(
        &mut self,
        now: Now,
        agent: &AgentId,
        interaction: InteractionId,
        out: &mut Vec<Output>,
    ) -> Result<(), Refused> {
        self.until(agent, interaction)?;
        let work = &self.agents[agent].work[&interaction];
        let plan = work.queue.as_ref().and_then(|q| self.plan.queues.get(q));
        if work.disposition.is_none() && plan.is_some_and(|p| p.wrap_up_mandatory) {
            return Err(Refused::DispositionMissing { agent: agent.clone(), interaction });
        }
        self.wrap_up_over(now, agent, interaction, false, out);
        Ok(())
    }

    pub(super) fn extend_wrap_up(
        &mut self,
        now: Now,
        agent: &AgentId,
        interaction: InteractionId,
        by: Duration,
        out: &mut Vec<Output>,
    ) -> Result<(), Refused> {
        let (since, until) = self.until(agent, interaction)?;
        let longer = (until + by).min(since + WRAP_UP_MAX);
        if longer <= until {
            return Err(Refused::WrapUpLimit { agent: agent.clone() });
        }
        if let Some(work) = self.agents.get_mut(agent).and_then(|a| a.work.get_mut(&interaction)) {
            work.doing = Doing::WrapUp { until: longer };
        }
        self.timers.set(Timer::WrapUp(agent.clone(), interaction), now.mono_at(longer));
        out.push(Output::WrapUp { agent: agent.clone(), interaction, until: longer });
        self.touched.insert(agent.clone());
        Ok(())
    }

    /// The segment is over: counted, and the agent is free for the next.
    pub(super) fn wrap_up_over(
        &mut self,
        now: Now,
        agent: &AgentId,
        interaction: InteractionId,
        timed_out: bool,
        out: &mut Vec<Output>,
    ) {
        self.timers.clear(&Timer::WrapUp(agent.clone(), interaction));
        let Some(a) = self.agents.get_mut(agent) else { return };
        let Some(mut work) = a.work.remove(&interaction) else { return };
        let doing = work.doing;
        let acw_us = work.turn(doing, now.wall);
        a.handled += 1;
        a.idle_since = now.wall;
        out.push(Output::WrapUpOver { agent: agent.clone(), interaction, disposition: work.disposition, timed_out });
        let handled = MetricEvent::Handled {
            queue: work.queue,
            channel: work.channel,
            interaction,
            agent: agent.clone(),
            at: now.wall,
            talk_us: work.talk_us,
            hold_us: work.hold_us,
            acw_us,
        };
        self.count(handled, out);
        self.rest(now, agent);
    }

    /// Counts the time since the last change of activity.
    pub(super) fn account(&mut self, now: Now, agent: &AgentId, out: &mut Vec<Output>) {
        let Some(a) = self.agents.get_mut(agent) else { return };
        let present = a.activity();
        if a.activity.map(|(activity, _)| activity) == present {
            return;
        }
        let before = std::mem::replace(&mut a.activity, present.map(|p| (p, now.wall)));
        if let Some((activity, from)) = before.filter(|(_, from)| *from < now.wall) {
            self.count(MetricEvent::Spent { agent: agent.clone(), activity, from, to: now.wall }, out);
        }
    }
}
