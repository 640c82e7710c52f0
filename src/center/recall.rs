//! What is finished lives in the store: customers nobody has had to do with for a while are let go with their tickets, and read
//! back when a call, a command or a clock needs them.
//!
//! ```text
//!   in memory ──more than `Config::kept`, everything about them stored, nobody talks to them──▶ in the store
//!       ◀── Recalled ── Recall ── a number that may be theirs calls, an id is named in a command, a ticket's clock rings
//! ```
//!
//! Who waits for the store waits here, goes on as if nothing had been, and is refused when the store does not answer. Nothing
//! is decided on half of what is known: what has facts under way is not let go, and while a question is under way only what
//! was stored when it was put, so that no answer is older than what was let go meanwhile. And a question names everything that
//! is needed, also what is still here: it may be let go before the answer comes.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use super::{
    Center, Output, Timer,
    command::{Command, Envelope, Refusal, RefusalCode},
    desk,
    memory::Memory,
};
use crate::{
    base::{Channel, CustomerId, Now, TenantId, TicketId, limits, secs},
    call::{self, Action, Cause},
    customer::{self, Identity},
    ticket::{self, Ticket},
};

/// When a ticket's clock rings again that could not be read.
const AGAIN: Duration = secs(60);

/// Names a question to the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecallId(pub u64);

/// Something the store is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// Whoever is recognised by this, with their tickets that are not closed.
    Person(Identity),
    /// The same by an id of today or of before a merge.
    Customer(CustomerId),
    /// The same, with closed tickets too.
    Everything(CustomerId),
    /// One ticket.
    Ticket(TicketId),
}

/// A question to the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recall {
    /// Its name.
    pub id: RecallId,
    /// Whose.
    pub tenant: TenantId,
    /// What.
    pub wanted: Vec<Wanted>,
}

/// What the store knows of it. What it does not know is not here.
#[derive(Debug, Clone, Default)]
pub struct Recalled {
    /// People, each with everybody merged into them.
    pub people: Vec<customer::Directory>,
    /// Tickets.
    pub tickets: Vec<Ticket>,
}

/// Who waits for the store.
#[derive(Debug)]
enum Waiting {
    Call(call::Arrival),
    Command(Envelope),
    Clock(TicketId),
}

#[derive(Debug)]
struct Parked {
    /// The last fact that was stored when the store was asked.
    stored: u64,
    tenant: TenantId,
    who: Waiting,
}

/// What is let go as one: a customer with the tickets, or a ticket whose customer is not here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Matter {
    Customer(CustomerId),
    Ticket(TicketId),
}

/// Who was had to do with when, and who waits for the store.
#[derive(Debug, Default)]
pub(super) struct Recent {
    /// By turn: the longest untouched first. The last fact about each.
    order: BTreeMap<u64, (TenantId, Matter, u64)>,
    turns: BTreeMap<(TenantId, Matter), u64>,
    turn: u64,
    /// Not looked for something to let go before there are so many.
    look_at: usize,
    /// Prints of what those who were let go are recognised by: whoever is not among them is new, without asking.
    outside: BTreeSet<u64>,
    /// There are more of them than are remembered: anybody may be one.
    outside_any: bool,
    /// Something was let go since the start.
    any: bool,
    parked: BTreeMap<RecallId, Parked>,
    /// Everything up to this fact is stored.
    stored: u64,
}

impl Recent {
    fn touch(&mut self, tenant: &TenantId, matter: Matter, seq: u64) {
        self.turn += 1;
        if let Some(old) = self.turns.insert((tenant.clone(), matter), self.turn) {
            self.order.remove(&old);
        }
        self.order.insert(self.turn, (tenant.clone(), matter, seq));
    }

    fn forget(&mut self, turn: u64) -> Option<(TenantId, Matter)> {
        let (tenant, matter, _) = self.order.remove(&turn)?;
        self.turns.remove(&(tenant.clone(), matter));
        Some((tenant, matter))
    }

    fn outside(&mut self, identity: &Identity) {
        self.outside.insert(print(identity));
        if self.outside.len() > limits::OUTSIDE_KNOWN_MAX {
            self.outside.clear();
            self.outside_any = true;
        }
    }

    /// Calls that wait here: their legs are nobody's yet.
    pub fn calls(&self) -> impl Iterator<Item = media::wire::LegId> {
        self.parked.values().filter_map(|p| if let Waiting::Call(a) = &p.who { Some(a.leg) } else { None })
    }

    /// How many wait, customers and tickets counted as one are held, and prints of those who are not.
    pub fn sizes(&self) -> [(&'static str, usize); 3] {
        [("waiting for the store", self.parked.len()), ("matters", self.turns.len()), ("prints", self.outside.len())]
    }
}

/// FNV-1a of an identity: the same in every run.
fn print(identity: &Identity) -> u64 {
    let (kind, of, value) = match identity {
        Identity::Number { number } => ("number", "", number),
        Identity::Mail { address } => ("mail", "", address),
        Identity::Channel { channel, id } => ("channel", channel.as_str(), id),
        Identity::External { system, id } => ("external", system.as_str(), id),
    };
    let bytes = [kind, of, value].into_iter().flat_map(|part| part.bytes().chain([0]));
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, b| (hash ^ u64::from(b)).wrapping_mul(0x0000_0100_0000_01b3))
}

impl Center {
    /// A fact about a customer was written.
    pub(super) fn customer_touched(&mut self, tenant: &TenantId, id: CustomerId) {
        self.recent.touch(tenant, Matter::Customer(id), self.seq);
    }

    /// A fact about a ticket was written.
    pub(super) fn ticket_touched(&mut self, tenant: &TenantId, id: TicketId) {
        let Some(t) = self.tenants.get(tenant) else { return };
        let customer = t.tickets.get(id).and_then(|t| t.head().customer).filter(|c| t.customers.holds(*c));
        self.recent.touch(tenant, customer.map_or(Matter::Ticket(id), Matter::Customer), self.seq);
    }

    /// After a restart everybody is here: those who were had to do with last are kept.
    pub(super) fn everybody_is_here(&mut self, tenant: &TenantId) {
        let Some(t) = self.tenants.get(tenant) else { return };
        let mut all: Vec<_> = t.customers.iter().map(|c| (c.updated, Matter::Customer(c.id))).collect();
        for ticket in t.tickets.iter().map(Ticket::head) {
            if ticket.customer.is_none_or(|c| !t.customers.holds(c)) {
                all.push((ticket.updated, Matter::Ticket(ticket.id)));
            }
        }
        all.sort();
        for (_, matter) in all {
            self.recent.touch(tenant, matter, self.seq);
        }
    }

    /// Everything up to `seq` is stored: what is over the bound and finished is let go.
    pub(super) fn let_go(&mut self, seq: u64) {
        self.recent.stored = self.recent.stored.max(seq);
        let (kept, held) = (self.config.kept, self.recent.turns.len());
        if held <= kept || held < self.recent.look_at {
            return;
        }
        let in_use = self.in_use();
        let sure = self.recent.parked.values().map(|p| p.stored).min().unwrap_or(self.recent.stored);
        let old = self.recent.order.iter().take_while(|(_, (.., seq))| *seq <= sure);
        let free = old.filter(|(_, (tenant, matter, _))| !in_use.contains(&(tenant, *matter)));
        let turns: Vec<u64> = free.map(|(turn, _)| *turn).take(held - kept).collect();
        let mut people: BTreeMap<TenantId, BTreeSet<CustomerId>> = BTreeMap::new();
        for turn in turns {
            let Some((tenant, matter)) = self.recent.forget(turn) else { continue };
            let Some(t) = self.tenants.get_mut(&tenant) else { continue };
            match matter {
                Matter::Customer(id) => {
                    // What was touched by itself goes by itself.
                    let own = |t: &TicketId| self.recent.turns.contains_key(&(tenant.clone(), Matter::Ticket(*t)));
                    let with = t.tickets.of_customer(id).map(|t| t.head().id).filter(|t| !own(t));
                    for ticket in with.collect::<Vec<_>>() {
                        t.tickets.drop_from_memory(ticket);
                    }
                    // Who was merged into another goes with them.
                    if t.customers.holds(id) {
                        people.entry(tenant).or_default().insert(id);
                    }
                }
                Matter::Ticket(id) => {
                    let with = t.tickets.get(id).and_then(|t| t.head().customer).filter(|c| t.customers.holds(*c));
                    if with.is_none() {
                        t.tickets.drop_from_memory(id);
                    }
                }
            }
            self.recent.any = true;
        }
        for (tenant, ids) in people {
            let Some(t) = self.tenants.get_mut(&tenant) else { continue };
            for identity in t.customers.let_go(&ids) {
                self.recent.outside(&identity);
            }
        }
        // Looking through the contacts that are going on is paid for by several at once.
        self.recent.look_at = self.recent.turns.len().max(kept) + kept / 32;
    }

    /// Customers and tickets of contacts that are going on.
    fn in_use(&self) -> BTreeSet<(&TenantId, Matter)> {
        let mut used = BTreeSet::new();
        for i in self.interactions.values() {
            let Some(t) = self.tenants.get(&i.tenant) else { continue };
            used.insert((&i.tenant, Matter::Customer(t.customers.resolve(i.customer))));
            let Some(ticket) = i.ticket else { continue };
            used.insert((&i.tenant, Matter::Ticket(ticket)));
            let whose = t.tickets.get(ticket).and_then(|t| t.head().customer);
            used.extend(whose.map(|c| (&i.tenant, Matter::Customer(c))));
        }
        used
    }

    /// Whether some of it is not here and may be in the store.
    fn is_missing(&self, tenant: &TenantId, wanted: &[Wanted]) -> bool {
        let Some(t) = self.tenants.get(tenant).filter(|_| self.recent.any) else { return false };
        let missing = |w: &Wanted| match w {
            Wanted::Person(identity) => {
                let may_be = self.recent.outside_any || self.recent.outside.contains(&print(identity));
                may_be && t.customers.by_identity(identity).is_none()
            }
            Wanted::Customer(id) => t.customers.get(*id).is_none(),
            Wanted::Everything(_) => true,
            Wanted::Ticket(id) => t.tickets.get(*id).is_none(),
        };
        wanted.iter().any(missing)
    }

    /// Whether a call has to wait for what the store knows of this number. If so it is taken from the caller.
    pub(super) fn call_waits(&mut self, now: Now, a: &call::Arrival, person: Option<Identity>, out: &mut Vec<Output>) -> bool {
        let wanted: Vec<Wanted> = person.map(Wanted::Person).into_iter().collect();
        let waits = self.is_missing(&a.tenant, &wanted);
        if waits {
            self.recall(now, &a.tenant, wanted, Waiting::Call(a.clone()), out);
        }
        waits
    }

    /// The command, if it needs nothing from the store; it waits here otherwise.
    pub(super) fn command_or_wait(&mut self, now: Now, e: Envelope, out: &mut Vec<Output>) -> Option<Envelope> {
        let wanted = self.wanted_by(&e);
        if !self.is_missing(&e.tenant, &wanted) {
            return Some(e);
        }
        self.recall(now, &e.tenant.clone(), wanted, Waiting::Command(e), out);
        None
    }

    /// A ticket's clock rings.
    pub(super) fn ticket_rings(&mut self, now: Now, tenant: &TenantId, id: TicketId, out: &mut Vec<Output>) {
        let wanted = vec![Wanted::Ticket(id)];
        if !self.is_missing(tenant, &wanted) {
            return self.ticket_due(now, tenant, id, out);
        }
        self.recall(now, tenant, wanted, Waiting::Clock(id), out);
    }

    /// The customers and tickets a command is about.
    fn wanted_by(&self, e: &Envelope) -> Vec<Wanted> {
        let Some(t) = self.tenants.get(&e.tenant) else { return Vec::new() };
        let number = |number: &str| desk::identity_of(&t.settings.config.number(number)).map(Wanted::Person);
        match &e.command {
            Command::Dial { number: to, .. } => number(to).into_iter().collect(),
            Command::ChatOpen { visitor, contact, .. } => {
                let visitor = Identity::channel(Channel::Webchat, &visitor.to_string()).ok();
                let contact = contact.as_deref().and_then(|c| desk::contact_of(&t.settings, c));
                visitor.into_iter().chain(contact).map(Wanted::Person).collect()
            }
            Command::Leave { visitor, contact, .. } => {
                let visitor = Identity::channel(Channel::Webchat, &visitor.to_string()).ok();
                let contact = desk::contact_of(&t.settings, contact);
                visitor.into_iter().chain(contact).map(Wanted::Person).collect()
            }
            Command::CallMe { visitor, number: to, .. } => {
                let visitor = Identity::channel(Channel::Webchat, &visitor.to_string()).ok();
                visitor.map(Wanted::Person).into_iter().chain(number(to)).collect()
            }
            Command::TicketOpen { customer, .. } => customer.map(Wanted::Customer).into_iter().collect(),
            Command::Ticket { ticket, change } => {
                let other = match change {
                    ticket::Change::MergedInto { into } => Some(*into),
                    ticket::Change::Unmerged { out_of } => Some(*out_of),
                    _ => None,
                };
                [*ticket].into_iter().chain(other).map(Wanted::Ticket).collect()
            }
            Command::Customer { customer, change } => {
                let more = match change {
                    customer::Change::Absorbed { from } => Some(Wanted::Everything(*from)),
                    // It may be another's.
                    customer::Change::Linked { identity, .. } => Some(Wanted::Person(identity.clone())),
                    _ => None,
                };
                [Wanted::Customer(*customer)].into_iter().chain(more).collect()
            }
            _ => Vec::new(),
        }
    }

    fn recall(&mut self, now: Now, tenant: &TenantId, wanted: Vec<Wanted>, who: Waiting, out: &mut Vec<Output>) {
        if self.recent.parked.len() >= limits::RECALLS_MAX {
            return self.not_recalled(now, tenant, who, out);
        }
        let id = RecallId(self.name());
        self.recent.parked.insert(id, Parked { stored: self.recent.stored, tenant: tenant.clone(), who });
        out.push(Output::Recall(Recall { id, tenant: tenant.clone(), wanted }));
    }

    /// The store has answered, or says why not.
    pub(super) fn recalled(&mut self, now: Now, id: RecallId, answer: Result<Recalled, String>, out: &mut Vec<Output>) {
        let Some(Parked { tenant, who, .. }) = self.recent.parked.remove(&id) else { return };
        match answer {
            Ok(found) => self.take_in(&tenant, found),
            Err(why) => {
                tracing::warn!(%tenant, why, "the store did not say what it knows of a customer or ticket");
                return self.not_recalled(now, &tenant, who, out);
            }
        }
        match who {
            // Who has hung up meanwhile never came.
            Waiting::Call(a) if !self.calls.has(a.leg) || self.calls.is_closing(a.leg) => {}
            Waiting::Call(a) => self.arrived_known(now, a, out),
            Waiting::Command(e) => self.carry_out(now, e, out),
            Waiting::Clock(ticket) => self.ticket_due(now, &tenant, ticket, out),
        }
    }

    fn not_recalled(&mut self, now: Now, tenant: &TenantId, who: Waiting, out: &mut Vec<Output>) {
        match who {
            Waiting::Call(a) => self.call(Action::Reject { leg: a.leg, cause: Cause::Congestion }),
            Waiting::Command(e) => {
                let why = "the database does not answer right now; try again soon";
                out.push(Output::Reply(e.id, Err(Refusal::new(RefusalCode::Unavailable, why))));
            }
            Waiting::Clock(ticket) => self.timers.set(Timer::Ticket(tenant.clone(), ticket), now.mono + AGAIN),
        }
    }

    /// What is here already is newer than what was read.
    fn take_in(&mut self, tenant: &TenantId, found: Recalled) {
        let Some(t) = self.tenants.get_mut(tenant) else { return };
        let mut people = Vec::new();
        for directory in found.people {
            people.extend(directory.iter().map(|c| c.id));
            t.customers.take_in(directory);
        }
        let new: Vec<Ticket> = found.tickets.into_iter().filter(|f| t.tickets.get(f.head().id).is_none()).collect();
        let tickets: Vec<TicketId> = new.iter().map(|t| t.head().id).collect();
        new.into_iter().for_each(|ticket| t.tickets.insert(ticket));
        let here = |c: &CustomerId| self.tenants.get(tenant).is_some_and(|t| t.customers.holds(*c));
        for id in people.into_iter().filter(here).collect::<Vec<_>>() {
            self.customer_touched(tenant, id);
        }
        for id in tickets {
            self.ticket_touched(tenant, id);
        }
    }

    /// How many entries everything has that is held beyond one contact.
    pub fn held(&self) -> BTreeMap<&'static str, usize> {
        let mut held: BTreeMap<&'static str, usize> = self.recent.sizes().into();
        let tickets = self.tenants.values().map(|t| t.tickets.iter().count()).sum();
        let customers = self.tenants.values().map(|t| t.customers.len()).sum();
        let places = self.tenants.values().map(|t| t.places.len()).sum();
        held.extend([("customers", customers), ("tickets", tickets), ("kept places", places)]);
        held.extend([
            ("contacts", self.interactions.len()),
            ("legs", self.legs.len()),
            ("legs of the calls", self.calls.len()),
        ]);
        held.extend([
            ("visitors", self.visitors.len()),
            ("guests", self.guests.len()),
            ("recordings", self.records.len()),
            ("questions", self.asks.len()),
        ]);
        held.extend([("live copies", self.streams.len()), ("unstored messages", self.unstored.len())]);
        held.extend([("timers", self.timers.len()), ("dialogs", self.calls.counters().dialogs)]);
        held
    }

    /// The customers of a tenant who are in memory, each with what is held of their tickets.
    pub fn customers_held(&self, tenant: &TenantId) -> Vec<(&customer::Customer, Vec<&ticket::Head>)> {
        let Some(t) = self.tenants.get(tenant) else { return Vec::new() };
        t.customers.iter().map(|c| (c, t.tickets.of_customer(c.id).map(Ticket::head).collect())).collect()
    }
}

impl Memory {
    /// What this memory knows of it, as the store would say it.
    pub fn recall(&self, tenant: &TenantId, wanted: &[Wanted]) -> Recalled {
        let mut found = Recalled::default();
        let Some(m) = self.tenants.get(tenant) else { return found };
        for w in wanted {
            let (customer, all) = match w {
                Wanted::Person(identity) => (m.customers.by_identity(identity).map(|c| c.id), false),
                Wanted::Customer(id) => (m.customers.get(*id).map(|c| c.id), false),
                Wanted::Everything(id) => (m.customers.get(*id).map(|c| c.id), true),
                Wanted::Ticket(id) => {
                    found.tickets.extend(m.tickets.get(*id).cloned());
                    continue;
                }
            };
            let Some(customer) = customer else { continue };
            found.people.push(m.customers.part(customer));
            let tickets = m.tickets.of_customer(customer).filter(|t| all || !t.head().state.is_final());
            found.tickets.extend(tickets.cloned());
        }
        found
    }
}
