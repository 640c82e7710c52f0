//! A call comes in: which tenant's number it is, where that leads, who calls, and which matter it joins.

use std::{collections::BTreeMap, time::Duration};

use media::wire::LegId;

use super::{
    Center, LegUse, Output, Step,
    desk::identity_of,
    fact::{EndedBy, Fact, LegRole, Way},
    interaction::{Interaction, Talk, Voice},
    settings::TenantSettings,
    talk_now::Guest,
    trunks::Behalf,
};
use crate::{
    base::{AgentId, Channel, CustomerId, FlowId, InteractionId, Now, QueueId, Region, TenantId, TicketId, VisitorId},
    call::{self, Action, Cause, Endpoint, Party, route, trunk::Permit},
    ivr, routing,
    sip::{stack::Who, stir::Verdict},
};
use std::sync::Arc;

/// What a new contact begins with.
pub(super) struct Opening {
    pub tenant: TenantId,
    pub channel: Channel,
    pub way: Way,
    pub to: String,
    pub from: String,
    pub customer: CustomerId,
    pub ticket: Option<TicketId>,
    /// Whose session on a page it is.
    pub visitor: Option<VisitorId>,
    /// Who vouches for the caller.
    pub verdict: Option<Verdict>,
}

/// How long a number outside is rung.
pub(super) const RING_OUTSIDE: Duration = Duration::from_secs(60);

impl Center {
    /// An INVITE nobody has answered yet. It waits for the store where that knows the person and we do not any more.
    pub(super) fn arrived(&mut self, now: Now, a: call::Arrival, out: &mut Vec<Output>) {
        self.arrived_as(now, a, false, out);
    }

    /// An INVITE of somebody of whom everything is here.
    pub(super) fn arrived_known(&mut self, now: Now, a: call::Arrival, out: &mut Vec<Output>) {
        self.arrived_as(now, a, true, out);
    }

    /// While nothing can be written down no contact begins but a call for help, and what belongs to a call in progress: a talk that
    /// is taken to another phone. What they leave to be written is little.
    fn comes_in_anyway(&self, a: &call::Arrival) -> bool {
        let is_help = |t: &super::Tenant| t.settings.config.toll.emergency.contains(&a.dialled);
        a.replaces.is_some() || self.tenants.get(&a.tenant).is_some_and(is_help)
    }

    fn arrived_as(&mut self, now: Now, a: call::Arrival, known: bool, out: &mut Vec<Output>) {
        let leg = a.leg;
        let refuse = |c: &mut Center, cause| c.call(Action::Reject { leg, cause });
        if !self.admission && !self.comes_in_anyway(&a) {
            return refuse(self, Cause::Congestion);
        }
        if self.takes_place(now, &a, out) {
            return;
        }
        let Some(settings) = self.tenants.get(&a.tenant).map(|t| t.settings.clone()) else {
            return refuse(self, Cause::NotFound);
        };
        if let Who::Guest { login } = &a.who {
            let login = login.clone();
            return self.guest_arrived(now, &settings, a, &login, known, out);
        }
        let asker = match &a.who {
            Who::User { .. } => route::Asker::User,
            Who::Trunk { .. } => route::Asker::Trunk,
            Who::Guest { .. } | Who::Stranger => route::Asker::Stranger,
        };
        let found = settings.config.route_of(&a.dialled, asker).map(|(r, form)| (r.to.clone(), form));
        // Colleagues reach each other by name without a route of their own.
        let colleague = || {
            AgentId::parse(&a.dialled).ok().filter(|id| asker == route::Asker::User && settings.plan.agents.contains_key(id))
        };
        let Some((to, form)) = found.or_else(|| colleague().map(|g| (route::Destination::Agent(g), a.dialled.clone()))) else {
            return refuse(self, Cause::NotFound);
        };
        let person = if let route::Destination::Trunk(_) = &to { &a.dialled } else { &a.caller.number };
        if !known && self.call_waits(now, &a, identity_of(&settings.config.number(person)), out) {
            return;
        }
        let caller = match &a.who {
            Who::User { user, .. } => AgentId::parse(user).ok(),
            _ => None,
        };
        match to {
            route::Destination::Trunk(o) => match caller {
                Some(agent) if self.on_a_call(&a.tenant, &agent) => refuse(self, Cause::Busy),
                Some(agent) => {
                    let whose = Behalf { agent: Some(&agent), source: agent.as_str(), diverted: None, interaction: None };
                    match self.permit_by(now, &settings, whose, &o.trunk, &o.rewrite(&form), out) {
                        Ok(permit) => self.dialled_out(now, &settings, a, agent, permit, out),
                        Err(_) => refuse(self, Cause::NotAllowed),
                    }
                }
                None => refuse(self, Cause::NotAllowed),
            },
            route::Destination::Flow(f) => self.inbound(now, &settings, a, Lead::Flow(f), None, out),
            route::Destination::Queue(q) => self.inbound(now, &settings, a, Lead::Queue(q), None, out),
            // One phone of theirs, and it is not there: the others are not meant.
            route::Destination::Agent(g) if !self.phone_is_there(&a.tenant, &g, a.device.as_deref()) => {
                refuse(self, Cause::Unreachable);
            }
            route::Destination::Agent(g) => self.inbound(now, &settings, a, Lead::Agent(g), None, out),
        }
    }

    /// A visitor calls from a page: where that leads is the configuration's word, whatever the tenant's routes allow others.
    fn guest_arrived(
        &mut self,
        now: Now,
        settings: &Arc<TenantSettings>,
        a: call::Arrival,
        login: &str,
        known: bool,
        out: &mut Vec<Output>,
    ) {
        let leg = a.leg;
        let target = settings.config.chat.talk_now.as_ref().filter(|t| t.to.dialled() == a.dialled);
        let lead = target.and_then(|t| settings.config.talk_leads(&t.to)).and_then(|to| match to {
            route::Destination::Flow(f) => Some(Lead::Flow(f)),
            route::Destination::Queue(q) => Some(Lead::Queue(q)),
            route::Destination::Agent(g) => Some(Lead::Agent(g)),
            // Nobody calls out at our cost from a page.
            route::Destination::Trunk(_) => None,
        });
        let (Some(guest), Some(lead)) = (self.guest(&a.tenant, login).cloned(), lead) else {
            return self.call(Action::Reject { leg, cause: Cause::NotAllowed });
        };
        if !known && self.call_waits(now, &a, guest.identity(), out) {
            return;
        }
        self.inbound(now, settings, a, lead, Some((login, guest)), out);
    }

    fn inbound(
        &mut self,
        now: Now,
        settings: &Arc<TenantSettings>,
        a: call::Arrival,
        lead: Lead,
        guest: Option<(&str, Guest)>,
        out: &mut Vec<Output>,
    ) {
        // What a browser's phone is called is nothing anybody could call back.
        let from = if guest.is_some() { String::new() } else { settings.config.number(&a.caller.number) };
        let internal = matches!(a.who, Who::User { .. });
        let way = if internal { Way::Internal } else { Way::Inbound };
        let customer = guest.as_ref().and_then(|(_, g)| self.guest_customer(now, g, out));
        let customer =
            customer.unwrap_or_else(|| self.customer_by_number(now, &a.tenant, &from, a.caller.display.as_deref(), out));
        let id = InteractionId::new(now, &mut self.rng);
        let called_by = guest.as_ref().map_or(&from, |(_, g)| &g.name);
        let title = format!("{} → {}", if called_by.is_empty() { "?" } else { called_by }, a.dialled);
        let ticket = (!internal).then(|| self.ticket_for(now, &a.tenant, customer, id, Channel::Voice, title, out)).flatten();
        let opening = Opening {
            tenant: a.tenant.clone(),
            channel: Channel::Voice,
            way,
            to: a.dialled.clone(),
            from: from.clone(),
            customer,
            ticket,
            visitor: guest.as_ref().map(|(_, g)| g.visitor),
            verdict: a.verdict.clone(),
        };
        self.open(now, id, opening, settings, out);
        let i = self.interactions.get_mut(&id).expect("it was opened on the line above");
        i.voice = Some(Voice { leg: Some(a.leg), ..Voice::default() });
        i.attributes.extend(a.diverted.iter().map(|d| ("diverted_from".to_owned(), d.clone())));
        if let Some((login, guest)) = &guest {
            i.attributes.extend(guest.attributes());
            self.guest_calls(now, login, id);
        }
        self.attach(a.leg, id, LegUse::Customer);
        self.leg_fact(now, id, a.leg, LegRole::Customer, from.clone(), a.call_id.clone(), out);
        match lead {
            Lead::Flow(flow) => {
                if !self.flow_begin(now, id, &flow, out) {
                    return self.close(now, id, Cause::Internal, EndedBy::System, out);
                }
                self.call(Action::Answer { leg: a.leg });
            }
            Lead::Queue(queue) => {
                // Who cannot be answered (no port is free) has not waited.
                if let Some(v) = self.interactions.get_mut(&id).and_then(|i| i.voice.as_mut()) {
                    v.queue_dialled = Some(queue);
                }
                self.call(Action::Answer { leg: a.leg });
            }
            // A colleague or a caller to an agent's own number hears it ring and is not charged for it.
            Lead::Agent(agent) => {
                if let Some(v) = self.interactions.get_mut(&id).and_then(|i| i.voice.as_mut()) {
                    v.device = a.device.map(|device| (agent.clone(), device));
                }
                self.call(Action::Progress { leg: a.leg });
                self.route(&a.tenant, routing::Input::Assign { interaction: id, agent, channel: Channel::Voice });
            }
        }
    }

    /// An agent's own phone dialled out.
    fn dialled_out(
        &mut self,
        now: Now,
        settings: &Arc<TenantSettings>,
        a: call::Arrival,
        agent: AgentId,
        permit: Permit,
        out: &mut Vec<Output>,
    ) {
        let to = settings.config.number(&a.dialled);
        let id = self.outbound_open(now, settings, &to, out);
        self.attach(a.leg, id, LegUse::Agent);
        self.leg_fact(now, id, a.leg, LegRole::Agent, agent.to_string(), a.call_id.clone(), out);
        let i = self.interactions.get_mut(&id).expect("it was opened on the line above");
        i.talk = Some(Talk::dialling(agent.clone(), now, a.leg));
        self.route(
            &a.tenant,
            routing::Input::Engage { interaction: id, agent: agent.clone(), channel: Channel::Voice, queue: None },
        );
        self.call(Action::Progress { leg: a.leg });
        self.ring_customer(now, id, permit, out);
    }

    /// An outbound contact with a number.
    pub(super) fn outbound_open(
        &mut self,
        now: Now,
        settings: &Arc<TenantSettings>,
        number: &str,
        out: &mut Vec<Output>,
    ) -> InteractionId {
        let tenant = settings.id.clone();
        let customer = self.customer_by_number(now, &tenant, number, None, out);
        let id = InteractionId::new(now, &mut self.rng);
        let ticket = self.ticket_for(now, &tenant, customer, id, Channel::Voice, format!("→ {number}"), out);
        let (to, from) = (number.to_owned(), number.to_owned());
        let opening = Opening {
            tenant,
            channel: Channel::Voice,
            way: Way::Outbound,
            to,
            from,
            customer,
            ticket,
            visitor: None,
            verdict: None,
        };
        self.open(now, id, opening, settings, out);
        let i = self.interactions.get_mut(&id).expect("it was opened on the line above");
        i.voice = Some(Voice::default());
        id
    }

    /// Rings the customer of an outbound contact by a trunk.
    pub(super) fn ring_customer(&mut self, now: Now, id: InteractionId, permit: Permit, out: &mut Vec<Output>) {
        let Some(i) = self.interactions.get_mut(&id) else { return };
        let leg = self.calls.next_leg();
        let like = i.talk.as_ref().and_then(|t| t.leg);
        if let Some(v) = i.voice.as_mut() {
            v.leg = Some(leg);
        }
        self.attach(leg, id, LegUse::Customer);
        self.leg_fact(now, id, leg, LegRole::Customer, permit.number().to_owned(), String::new(), out);
        self.call(Action::Ring {
            leg,
            to: Endpoint::Trunk(permit),
            caller: Party::default(),
            headers: Vec::new(),
            ring_for: RING_OUTSIDE,
            like,
        });
    }

    /// Writes down a new contact and holds it.
    pub(super) fn open(
        &mut self,
        now: Now,
        id: InteractionId,
        o: Opening,
        settings: &Arc<TenantSettings>,
        out: &mut Vec<Output>,
    ) {
        let fact = Fact::InteractionOpened {
            interaction: id,
            channel: o.channel,
            way: o.way,
            to: o.to.clone(),
            from: o.from.clone(),
            customer: o.customer,
            ticket: o.ticket,
            visitor: o.visitor,
            verdict: o.verdict.clone(),
        };
        self.hold(now, id, o, settings);
        let tenant = settings.id.clone();
        self.fact(now, &tenant, fact, out);
    }

    /// Holds a contact that has been written down.
    pub(super) fn hold(&mut self, now: Now, id: InteractionId, o: Opening, settings: &Arc<TenantSettings>) {
        let mut attributes = o.verdict.as_ref().map(vouched).unwrap_or_default();
        let theirs = if o.way == Way::Outbound { &o.to } else { &o.from };
        if let Some(region) = Region::of(theirs).filter(|_| o.channel == Channel::Voice) {
            attributes.insert("caller.region".into(), region.to_string());
        }
        self.interactions.insert(
            id,
            Interaction {
                id,
                tenant: o.tenant,
                settings: settings.clone(),
                channel: o.channel,
                way: o.way,
                to: o.to,
                from: o.from,
                customer: o.customer,
                ticket: o.ticket,
                opened: now,
                path: Vec::new(),
                attributes,
                run: None,
                queue: None,
                waiting: None,
                stood: None,
                callback: None,
                booked: None,
                recovered: None,
                rings: BTreeMap::new(),
                talk: None,
                wraps: BTreeMap::new(),
                supervisors: BTreeMap::new(),
                voice: None,
                chat: None,
                legs: 0,
                unheard: BTreeMap::new(),
                stage_since: now.wall,
                closed: false,
            },
        );
    }

    /// Starts a flow for a contact; it begins to run once the customer can hear it. False if there is no such flow.
    pub(super) fn flow_begin(&mut self, now: Now, id: InteractionId, flow: &FlowId, out: &mut Vec<Output>) -> bool {
        let Some(i) = self.interactions.get(&id) else { return false };
        let Some(f) = i.settings.library.flows.get(flow).cloned() else {
            tracing::error!(interaction = %id, %flow, "a route names a flow that is not loaded");
            return false;
        };
        let env = self.flow_env(i);
        let (tenant, hash) = (i.tenant.clone(), f.hash.clone());
        let run = ivr::Run::start(f, i.settings.library.clone(), env);
        let text = i.channel.is_text();
        let i = self.interactions.get_mut(&id).expect("it was there on the lines above");
        i.run = Some(run);
        self.fact(now, &tenant, Fact::FlowStarted { interaction: id, flow: flow.clone(), hash }, out);
        if text {
            self.step(Step::Run(id, ivr::Input::Begin));
        }
        true
    }

    fn flow_env(&self, i: &Interaction) -> ivr::Env {
        let customer = self.tenants.get(&i.tenant).and_then(|t| t.customers.get(i.customer));
        ivr::Env {
            channel: i.channel,
            ani: i.from.clone(),
            dnis: i.to.clone(),
            // Only what is known of this person: a flow asks the others, or speaks its own first language.
            lang: customer.and_then(|c| c.lang.clone()),
            tenant: i.tenant.clone(),
            interaction: i.id.to_string(),
            inputs: customer.map(flow_fields).unwrap_or_default().into_iter().chain(caller_fields(i)).collect(),
        }
    }

    #[expect(clippy::too_many_arguments, reason = "a fact with these fields, and where to write it")]
    pub(super) fn leg_fact(
        &mut self,
        now: Now,
        id: InteractionId,
        leg: LegId,
        role: LegRole,
        party: String,
        call_id: String,
        out: &mut Vec<Output>,
    ) {
        let Some(tenant) = self.interactions.get(&id).map(|i| i.tenant.clone()) else { return };
        self.ladder_leg(id, &tenant, leg, role, &party);
        self.fact(now, &tenant, Fact::LegOpened { interaction: id, leg: leg.0, role, party, call_id }, out);
    }
}

enum Lead {
    Flow(FlowId),
    Queue(QueueId),
    Agent(AgentId),
}

/// What is known of who vouches for a caller, as attributes of the contact: routing goes by these too.
fn vouched(v: &Verdict) -> BTreeMap<String, String> {
    let attestation = v.attestation.map(|a| ("caller.attestation", a.as_str()));
    let why = v.why.map(|w| ("caller.verstat_why", w.as_str()));
    let all = [("caller.verstat", v.verstat.as_str())].into_iter().chain(attestation).chain(why);
    all.map(|(k, v)| (k.to_owned(), v.to_owned())).collect()
}

/// What a flow may know of it: inputs `caller.verstat`, `caller.attestation`, `caller.verstat_why`, `caller.region`.
fn caller_fields(i: &Interaction) -> impl Iterator<Item = (String, ivr::Value)> {
    let mine = i.attributes.iter().filter(|(k, _)| k.starts_with("caller."));
    mine.map(|(k, v)| (k.clone(), ivr::Value::Text(v.clone())))
}

/// What a flow may know of a customer: inputs `customer.name`, `customer.tier`, `customer.ATTRIBUTE`.
fn flow_fields(c: &crate::customer::Customer) -> BTreeMap<String, ivr::Value> {
    let text = |s: &str| ivr::Value::Text(s.into());
    let mut fields: BTreeMap<String, ivr::Value> =
        c.attributes.iter().map(|(k, v)| (format!("customer.{k}"), text(v))).collect();
    fields.insert("customer.name".into(), text(&c.name));
    fields.insert("customer.tier".into(), text(c.tier.as_str()));
    fields
}
