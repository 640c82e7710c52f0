//! Contacts that wait, moved by hand: to another agent or queue, to a supervisor, up or down the line.

use super::{
    Center, Output,
    command::{Actor, Done, Refusal, RefusalCode, TransferTo},
    commands::refused,
    fact::{Fact, Unqueued, millis},
};
use crate::{
    base::{AgentId, InteractionId, Now, QueueId, TenantId},
    routing,
};

impl Center {
    /// The head start of a waiting contact.
    pub(super) fn prioritise(
        &mut self,
        now: Now,
        tenant: &TenantId,
        by: &Actor,
        id: InteractionId,
        minutes: i32,
        out: &mut Vec<Output>,
    ) -> Result<Done, Refusal> {
        self.may_supervise(tenant, by, id)?;
        let input = routing::Input::SetPriority { interaction: id, priority_min: minutes };
        self.router_input(now, tenant, input, out).map_err(refused)?;
        if let Some(w) = self.interactions.get_mut(&id).and_then(|i| i.waiting.as_mut()) {
            w.entry.priority_min = minutes;
        }
        self.fact(now, tenant, Fact::Prioritised { interaction: id, by: by.clone(), minutes }, out);
        Ok(Done::Ok)
    }

    /// Gives a contact that waits, or is being offered, to an agent or another queue.
    pub(super) fn reassign(
        &mut self,
        now: Now,
        tenant: &TenantId,
        by: &Actor,
        id: InteractionId,
        to: TransferTo,
        out: &mut Vec<Output>,
    ) -> Result<Done, Refusal> {
        let i = self.may_supervise(tenant, by, id)?;
        if i.talk.is_some() || (i.waiting.is_none() && i.rings.is_empty()) {
            return Err(Refusal::wrong_state(id, "is not waiting"));
        }
        let (channel, settings) = (i.channel, i.settings.clone());
        self.target(&settings, channel, &to)?;
        match &to {
            TransferTo::Agent { agent } => {
                let input = routing::Input::Assign { interaction: id, agent: agent.clone(), channel };
                self.router_input(now, tenant, input, out).map_err(refused)?;
            }
            TransferTo::Queue { queue } => self.requeue(now, tenant, id, queue, out)?,
            TransferTo::Number { .. } => {
                return Err(Refusal::new(RefusalCode::Invalid, "who waits is given to an agent or a queue"));
            }
        }
        self.fact(now, tenant, Fact::Reassigned { interaction: id, by: by.clone(), to }, out);
        Ok(Done::Ok)
    }

    /// From one queue to another, arrival, head start and music kept; a flow that waits for an answer still gets it.
    fn requeue(
        &mut self,
        now: Now,
        tenant: &TenantId,
        id: InteractionId,
        queue: &QueueId,
        out: &mut Vec<Output>,
    ) -> Result<(), Refusal> {
        let Some(i) = self.interactions.get_mut(&id) else { return Ok(()) };
        if i.waiting.as_ref().is_some_and(|w| w.entry.queue == *queue) {
            return Err(Refusal::wrong_state(id, format_args!("waits in {queue} already")));
        }
        let (channel, opened, waited) = (i.channel, i.opened.wall, i.waiting.take());
        self.withdraw(now, id, routing::Withdrawn::Left, out);
        let (mut entry, music, by_flow) = match waited {
            Some(w) => {
                let (queue, waited_ms) = (w.entry.queue.clone(), millis(now.mono - w.since));
                self.fact(now, tenant, Fact::Unqueued { interaction: id, queue, why: Unqueued::Moved, waited_ms }, out);
                (w.entry, w.music, w.by_flow)
            }
            None => (routing::Entry::new(id, queue.clone(), channel, opened), "default".into(), false),
        };
        entry.queue = queue.clone();
        entry.entered = Some(now.wall);
        // What the old queue needed is not what this one does.
        entry.needs.clear();
        entry.prefer = None;
        self.enqueue(now, id, entry, music, by_flow, out);
        self.music(id);
        Ok(())
    }

    /// A supervisor takes a contact: out of a queue or an offer to their own phone, out of other hands by taking it over.
    pub(super) fn pull(
        &mut self,
        now: Now,
        tenant: &TenantId,
        by: &Actor,
        id: InteractionId,
        who: AgentId,
        out: &mut Vec<Output>,
    ) -> Result<Done, Refusal> {
        let i = self.may_supervise(tenant, by, id)?;
        if i.talk.is_some() {
            return self.take_over(now, tenant, by, id, who, out);
        }
        self.themselves(tenant, by, &who)?;
        if i.waiting.is_none() && i.rings.is_empty() {
            return Err(Refusal::wrong_state(id, "is not waiting"));
        }
        let channel = i.channel;
        let input = routing::Input::Pull { interaction: id, agent: who.clone(), channel };
        self.router_input(now, tenant, input, out).map_err(refused)?;
        let to = TransferTo::Agent { agent: who.clone() };
        self.fact(now, tenant, Fact::Reassigned { interaction: id, by: by.clone(), to }, out);
        let rings = self.interactions.get(&id).map(|i| i.rings.iter());
        let offer = rings.and_then(|mut r| r.find(|(_, r)| r.agent == who && r.leg.is_none()).map(|(o, _)| *o));
        if let Some(offer) = offer.filter(|_| channel.is_text()) {
            // Who takes a chat has it: there is no phone to be picked up.
            self.router_input(now, tenant, routing::Input::Accept { offer }, out).map_err(refused)?;
        }
        Ok(Done::Ok)
    }
}
