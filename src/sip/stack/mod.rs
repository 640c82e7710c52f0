//! The SIP stack of one node: transactions, dialogs, registrar and digest behind one `handle`.
//!
//! ```text
//! Received ─▶ receive ─▶ tx (which transaction? repeats end here) ─▶ uas      requests outside dialogs: Incoming
//!                                                                 ├▶ register REGISTER
//!                                                                 ├▶ subscribe, pager: SUBSCRIBE, MESSAGE
//!                                                                 ├▶ midcall  requests inside dialogs: Reoffer, Ended ..
//!                                                                 └▶ uac      responses: Progress, Answered, Refused
//!                              reliable (PRACK), offers (what we ask inside dialogs), session (its timer), refer (REFER, NOTIFY,
//!                              Replaces) stand beside these; ladder notes what comes in and what goes out; shed turns new
//!                              calls away under load, and whoever sends too much or guesses passwords
//! Do ───────▶ uac, uas, midcall ─▶ tx ─▶ Send
//! Tick ─────▶ every timer that is due
//! ```
//!
//! It owns no socket and no clock. Whom a number leads to, what media is agreed and when a ringing call is given up is decided
//! upstairs; here is only what RFC 3261 and its kin say about messages.
//!
//! Tests: `tests.rs` and `early_tests.rs` for the rules one by one, `storm.rs` for two stacks over a bad network.

mod asking;
mod build;
mod calls;
mod identity;
mod ladder;
mod midcall;
mod next;
mod offers;
mod pager;
mod receive;
mod refer;
mod register;
mod reliable;
mod session;
mod settings;
mod shed;
mod subscribe;
mod tx;
mod uac;
mod uas;
mod wire;

#[cfg(test)]
mod early_tests;
#[cfg(test)]
mod storm;
#[cfg(test)]
mod subscribe_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod torture;

use std::{collections::BTreeMap, sync::Arc};

pub use crate::sip::transaction::Timers;
pub use asking::{AskKey, Asking};
pub use ladder::{Entry, Trail, TrailId, Wire};
pub use settings::{Listener, Reliable, SipSettings, TrunkPeer};
pub use subscribe::LampChange;
pub use wire::{Action, Body, Counters, DialogKey, EndedBy, Event, Input, Output, Refer, ReferId, Target, Who};

use self::{
    calls::{Call, State},
    tx::{Client, Server, TxId},
};
use crate::{
    base::{Admission, Deadlines, Mono, Now, Rng, TenantId, limits::SIP_NONCE_LIFE},
    sip::{
        auth::{DigestServer, Grants},
        dialog::DialogSnapshot,
        gate::Gate,
        msg::Message,
        registrar::{Aor, Binding, Reach, Registrar},
        transaction::matching::{ClientKey, ServerKey},
        transport::ConnId,
    },
};

/// What a deadline is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Timer {
    Client(TxId),
    Server(TxId),
    Call(DialogKey),
    Watch(subscribe::WatchKey),
    Sweep,
}

/// The stack.
#[derive(Debug)]
pub struct Stack {
    settings: Arc<SipSettings>,
    rng: Rng,
    timers: Timers,
    digest: DigestServer,
    grants: Grants,
    registrar: Registrar,
    next_key: u64,
    next_tx: u64,
    clients: BTreeMap<TxId, Client>,
    client_index: BTreeMap<ClientKey, TxId>,
    servers: BTreeMap<TxId, Server>,
    server_index: BTreeMap<ServerKey, TxId>,
    /// Requests without To tag by what stays equal when a proxy forks one to us twice (8.2.2.2).
    merged: BTreeMap<tx::MergeKey, TxId>,
    calls: BTreeMap<DialogKey, Call>,
    /// Our tag names the dialog: we made it, and never twice.
    tags: BTreeMap<String, DialogKey>,
    watches: subscribe::Watches,
    deadlines: Deadlines<Timer>,
    counters: Counters,
    trails: ladder::Trails,
    admission: Admission,
    gate: Gate,
    /// What lots are drawn with when not everybody is let in.
    salt: u64,
    /// Stands where a request was that is not needed any more.
    nothing: Arc<Message>,
}

impl Stack {
    /// A stack with nothing going on.
    pub fn new(settings: Arc<SipSettings>, mut rng: Rng, timers: Timers) -> Self {
        // A look ahead: what is drawn from here on is as it was without it.
        let salt = rng.clone().u64();
        let digest = DigestServer::new(rng.fork());
        Self {
            settings,
            rng,
            timers,
            digest,
            grants: Grants::default(),
            registrar: Registrar::default(),
            next_key: 0,
            next_tx: 0,
            clients: BTreeMap::new(),
            client_index: BTreeMap::new(),
            servers: BTreeMap::new(),
            server_index: BTreeMap::new(),
            merged: BTreeMap::new(),
            calls: BTreeMap::new(),
            tags: BTreeMap::new(),
            watches: subscribe::Watches::default(),
            deadlines: Deadlines::default(),
            counters: Counters::default(),
            trails: ladder::Trails::default(),
            admission: Admission::default(),
            gate: Gate::default(),
            salt,
            nothing: Arc::new(Message::response(200, "")),
        }
    }

    /// From now on the world looks like this. Calls in progress go on; a user who is gone loses the bindings at expiry.
    pub fn settings(&mut self, settings: Arc<SipSettings>) {
        self.settings = settings;
    }

    /// The settings in force.
    pub fn current_settings(&self) -> &Arc<SipSettings> {
        &self.settings
    }

    /// A key for an outgoing call.
    pub fn next_key(&mut self) -> DialogKey {
        self.next_key += 1;
        DialogKey(self.next_key)
    }

    /// One thing that happens.
    pub fn handle(&mut self, now: Now, input: Input, out: &mut Vec<Output>) {
        let (first, ladder) = (out.len(), self.settings.ladder);
        if let Input::Received { message: Ok(message), source } = &input
            && ladder
        {
            self.trails.received(now, message, *source);
        }
        match input {
            Input::Received { message: Ok(message), source } => self.received(now, message, source, out),
            Input::Received { message: Err(error), source } => self.malformed(&error, source, out),
            Input::TransportFailed { flow } => self.transport_failed(now, &flow, out),
            Input::Undelivered { method, branch } => self.undelivered(now, method, &branch, out),
            Input::Closed { conn } => self.closed(now, conn, out),
            Input::Grant(grant) => self.grants.add(now.mono, grant),
            Input::Revoke(which) => self.grants.revoke(&which),
            Input::Do(action) => self.act(now, action, out),
            Input::Tick => {}
        }
        self.tick(now, out);
        if ladder {
            self.note_sent(now, &out[first..]);
        }
    }

    fn act(&mut self, now: Now, action: Action, out: &mut Vec<Output>) {
        match action {
            Action::Invite { dialog, to, from, headers, body, credentials } => {
                self.invite(now, dialog, to, from, headers, body, credentials, out);
            }
            Action::Cancel { dialog, headers } => self.cancel(now, dialog, headers, out),
            Action::Respond { dialog, code, reason, headers, body } => {
                self.respond_invite(now, dialog, reliable::Wanted { code, reason, headers, body }, out);
            }
            Action::Ack { dialog, body } => self.late_ack(dialog, body, out),
            Action::Prack { dialog, body } => self.prack_answer(now, dialog, body, out),
            Action::Bye { dialog, headers } => self.hang_up(now, dialog, headers, out),
            Action::Reinvite { dialog, body } => self.reinvite(now, dialog, body, out),
            Action::RespondReinvite { dialog, code, body } => self.respond_reinvite(now, dialog, code, body, out),
            Action::Info { dialog, body } => self.info(now, dialog, body, out),
            Action::RespondRefer { dialog, refer, code } => self.respond_refer(now, dialog, refer, code, out),
            Action::Notify { dialog, refer, code, over } => self.notify(now, dialog, refer, code, over, out),
            Action::Refer { dialog, to, replaces, headers } => self.refer(now, dialog, *to, replaces, &headers, out),
            Action::ByeRestored { dialog, headers, peer, credentials } => {
                self.bye_restored(now, &dialog, &headers, (peer, credentials), out);
            }
            Action::Ask { ask, request } => self.ask(now, ask, *request, out),
            Action::Lamp { tenant, user, change } => self.lamp(now, tenant, user, change, out),
        }
    }

    fn tick(&mut self, now: Now, out: &mut Vec<Output>) {
        while let Some(timer) = self.deadlines.pop_due(now.mono) {
            match timer {
                Timer::Client(id) => self.tick_client(now, id, out),
                Timer::Server(id) => self.feed_server(now, id, tx::ServerInput::Tick, out),
                Timer::Call(key) => self.tick_call(now, key, out),
                Timer::Watch(key) => self.feed_watch(now, key, crate::sip::event::subscription::Input::Tick, out),
                Timer::Sweep => {
                    self.digest.sweep(now.wall);
                    if self.digest.remembered() > 0 {
                        self.deadlines.set(Timer::Sweep, now.mono + SIP_NONCE_LIFE);
                    }
                }
            }
        }
        let changes = self.registrar.expire(now.mono);
        self.tell_reach(now, changes, out);
    }

    /// A stream is gone. Over a WebSocket nothing can come any more, so what waits for an answer has failed (RFC 5626 flow
    /// failure); over another stream the answer may come by a new connection (RFC 3261 18.2.2).
    fn closed(&mut self, now: Now, conn: ConnId, out: &mut Vec<Output>) {
        let changes = self.registrar.closed(conn);
        self.tell_reach(now, changes, out);
        self.watches_closed(conn);
        self.web_closed(now, conn, out);
    }

    fn tell_reach(&mut self, now: Now, changes: Vec<(Aor, Reach)>, out: &mut Vec<Output>) {
        for (aor, reach) in changes {
            if reach != Reach::Same {
                self.reach_news(now, &aor, out);
            }
            let Aor { tenant, user } = aor;
            out.push(Output::Event(match reach {
                Reach::Same => continue,
                Reach::Registered(contacts) => Event::Registered { tenant, user, contacts },
                Reach::Unregistered => Event::Unregistered { tenant, user },
            }));
        }
    }

    /// When [`Input::Tick`] is wanted.
    pub fn deadline(&self) -> Option<Mono> {
        [self.deadlines.next(), self.registrar.deadline()].into_iter().flatten().min()
    }

    /// Where a user can be reached, preferred first.
    pub fn bindings(&self, tenant: &TenantId, user: &str) -> &[Binding] {
        self.registrar.bindings(&Aor { tenant: tenant.clone(), user: user.to_owned() })
    }

    /// Whether a description in a provisional response to this call would be sure to arrive: only then may it be an offer
    /// (RFC 6337 2.2).
    pub fn is_reliable(&self, key: DialogKey) -> bool {
        let Some(Call { state: State::Incoming { tx }, .. }) = self.calls.get(&key) else { return false };
        self.servers.get(tx).is_some_and(|s| self.reliably(&s.request, true))
    }

    /// A standing dialog, for the journal.
    pub fn snapshot(&self, key: DialogKey) -> Option<DialogSnapshot> {
        Some(self.calls.get(&key)?.dialog.as_ref()?.snapshot())
    }

    /// What was seen.
    pub fn counters(&self) -> Counters {
        Counters {
            transactions: self.clients.len() + self.servers.len(),
            dialogs: self.calls.len(),
            registered: self.registrar.len(),
            subscriptions: self.watches.len(),
            ..self.counters
        }
    }
}
