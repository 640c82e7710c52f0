//! SUBSCRIBE, and the NOTIFYs after it (RFC 6665): who may watch whom, and the table of who does.
//!
//! ```text
//! SUBSCRIBE ─▶ who asks? (digest) ─▶ may they? ─▶ 200, NOTIFY with everything
//! Lamp, a registration ─▶ whoever watches that user: NOTIFY, no more often than the subscription's gap lets it
//! ```
//! Users of a tenant may watch each other's calls and presence; registrations and messages are everybody's own. When a NOTIFY may
//! go out is [`Subscription`]'s to say, what is in it the packages' in [`event`](crate::sip::event). A REFER's subscription lives
//! and dies with its call (`refer.rs`).

use std::{collections::BTreeMap, collections::BTreeSet, time::Duration};

use super::{
    Output, Stack, Timer,
    identity::Login,
    tx::{Purpose, TxId},
};
use crate::{
    base::{
        Now, TenantId,
        limits::{SIP_SUBSCRIPTIONS_MAX, SIP_SUBSCRIPTIONS_PER_USER},
    },
    sip::{
        dialog::Dialog,
        event::{
            ALLOW_EVENTS, Condition, Lamp, Package, Presence, Shown, Subscription, Waiting, dialog_info, presence, reg_info,
            subscription::{self, EXPIRES_MAX_S, EXPIRES_MIN_S},
            summary,
        },
        msg::{Message, Method, Name, SipUri, Uri},
        registrar::Aor,
        transport::{ConnId, Source},
    },
};

/// Names a subscription.
pub(super) type WatchKey = u64;

/// What is to be seen of a user has changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LampChange {
    /// Whether they are there.
    Presence(Presence),
    /// A call of one of their phones, by a name never used twice; `None`: it is over.
    Call(u64, Option<Shown>),
    /// Messages that wait for them.
    Waiting(Waiting),
}

/// One subscription.
#[derive(Debug)]
struct Watch {
    subscription: Subscription,
    package: Package,
    /// The `id` of its Event header.
    id: Option<String>,
    watcher: Aor,
    watched: Aor,
    /// The watched, as the watcher calls them.
    entity: String,
    dialog: Dialog,
    tag: String,
    /// Of the next document.
    version: u32,
    /// What a busy lamp has been told; `None`: the next document tells everything.
    told: Option<dialog_info::Calls>,
}

/// Who watches whom, and what there is to be seen.
#[derive(Debug, Default)]
pub(super) struct Watches {
    table: BTreeMap<WatchKey, Watch>,
    /// Our tag names the subscription.
    tags: BTreeMap<String, WatchKey>,
    by_watched: BTreeMap<(Package, Aor), BTreeSet<WatchKey>>,
    by_watcher: BTreeMap<Aor, usize>,
    board: BTreeMap<Aor, Lamp>,
    next: WatchKey,
}

impl Watches {
    pub(super) fn len(&self) -> usize {
        self.table.len()
    }

    fn add(&mut self, w: Watch) -> WatchKey {
        self.next += 1;
        self.tags.insert(w.tag.clone(), self.next);
        self.by_watched.entry((w.package, w.watched.clone())).or_default().insert(self.next);
        *self.by_watcher.entry(w.watcher.clone()).or_default() += 1;
        self.table.insert(self.next, w);
        self.next
    }

    fn remove(&mut self, key: WatchKey) -> Option<Watch> {
        let w = self.table.remove(&key)?;
        self.tags.remove(&w.tag);
        let place = (w.package, w.watched.clone());
        if let Some(keys) = self.by_watched.get_mut(&place) {
            keys.remove(&key);
            if keys.is_empty() {
                self.by_watched.remove(&place);
            }
        }
        if let Some(n) = self.by_watcher.get_mut(&w.watcher) {
            *n -= 1;
            if *n == 0 {
                self.by_watcher.remove(&w.watcher);
            }
        }
        Some(w)
    }
}

impl Stack {
    /// A SUBSCRIBE that makes a dialog (RFC 6665 4.2.1).
    pub(super) fn subscribe(&mut self, now: Now, id: TxId, m: &Message, source: Source, out: &mut Vec<Output>) {
        let Some((package, event_id)) = m.headers.get(&Name::Event).and_then(|e| Package::parse(&e)) else {
            return self.bad_event(now, id, out);
        };
        let Some(watcher) = self.watcher(now, id, m, out) else { return };
        let Some(uri) = m.uri().and_then(Uri::sip) else { return self.refuse(now, id, 416, "", out) };
        let accept = m.headers.items(&Name::Accept);
        if !accept.is_empty() && !accept.iter().any(|a| package.fits(a)) {
            return self.refuse(now, id, 406, "", out);
        }
        let named = Aor { tenant: watcher.tenant.clone(), user: m.uri().map(|u| u.user().into_owned()).unwrap_or_default() };
        let known = self.known_as(&named);
        let watched = match (package, known) {
            (Package::Dialog | Package::Presence, Some(aor)) => aor,
            (Package::Dialog | Package::Presence, None) => return self.refuse(now, id, 404, "", out),
            (Package::Reg, Some(aor)) if aor == watcher => aor,
            // Phones ask for their messages at all kinds of numbers of a mailbox; there is one, their own.
            (Package::Summary, aor) if aor.is_none() || aor.as_ref() == Some(&watcher) => watcher.clone(),
            _ => return self.refuse(now, id, 403, "", out),
        };
        let Some(expires) = self.granted(now, id, m, out) else { return };
        if self.watches.len() >= SIP_SUBSCRIPTIONS_MAX {
            self.counters.overload += 1;
            return self.busy_watching(now, id, out);
        }
        if self.watches.by_watcher.get(&watcher).is_some_and(|n| *n >= SIP_SUBSCRIPTIONS_PER_USER) {
            return self.refuse(now, id, 403, "Too Many Subscriptions", out);
        }
        let Some(tag) = self.servers.get(&id).map(|s| s.tag.clone()) else { return };
        let Ok(dialog) = Dialog::accept(m, &tag, source, true) else {
            return self.refuse(now, id, 400, "Contact missing or unreadable", out);
        };
        let user = if package == Package::Summary { &watched.user } else { &named.user };
        let entity = SipUri::new(Some(user), uri.host.clone(), None).to_string();
        let subscription = Subscription::new(now.mono);
        let watch =
            Watch { subscription, package, id: event_id, watcher, watched, entity, dialog, tag, version: 0, told: None };
        let key = self.watches.add(watch);
        self.subscribed(now, id, key, m, source, expires, out);
    }

    /// A SUBSCRIBE in the dialog of an earlier one: it goes on, or ends.
    pub(super) fn resubscribe(&mut self, now: Now, id: TxId, m: &Message, source: Source, out: &mut Vec<Output>) {
        let gone = |s: &mut Self, out: &mut Vec<Output>| s.refuse(now, id, 481, "", out);
        let event = m.headers.get(&Name::Event).and_then(|e| Package::parse(&e));
        let key = m.to_tag().and_then(|t| self.watches.tags.get(&t).copied());
        let Some((key, w)) = key.and_then(|k| Some((k, self.watches.table.get(&k)?))) else { return gone(self, out) };
        let same = w.dialog.remote_tag() == m.from_tag() && m.call_id().is_ok_and(|c| c == w.dialog.call_id);
        if !same || event != Some((w.package, w.id.clone())) {
            return gone(self, out);
        }
        let Some(watcher) = self.watcher(now, id, m, out) else { return };
        let Some(expires) = self.granted(now, id, m, out) else { return };
        let Some(w) = self.watches.table.get_mut(&key) else { return };
        if w.watcher != watcher {
            return self.refuse(now, id, 403, "", out);
        }
        match m.cseq() {
            Ok(cseq) if w.dialog.take_seq(cseq.number) => {}
            _ => return self.refuse(now, id, 500, "CSeq Out Of Order", out),
        }
        w.dialog.refresh(m, source);
        w.told = None;
        self.subscribed(now, id, key, m, source, expires, out);
    }

    #[expect(clippy::too_many_arguments, reason = "a request, its subscription and what was granted")]
    fn subscribed(
        &mut self,
        now: Now,
        id: TxId,
        key: WatchKey,
        m: &Message,
        source: Source,
        expires: u32,
        out: &mut Vec<Output>,
    ) {
        let (Some(s), Some(w)) = (self.servers.get(&id), self.watches.table.get(&key)) else { return };
        let mut response = self.reply(m, 200, "", &s.tag);
        response.headers.copy(&Name::RecordRoute, &m.headers);
        response.headers.push(Name::Contact, self.contact(Some(&w.watched.user), &source));
        response.headers.push(Name::Expires, expires);
        response.headers.push(Name::AllowEvents, ALLOW_EVENTS);
        self.respond(now, id, &response, out);
        self.feed_watch(now, key, subscription::Input::Subscribed(expires), out);
    }

    /// Which user of ours asks; `None`: it was answered.
    fn watcher(&mut self, now: Now, id: TxId, m: &Message, out: &mut Vec<Output>) -> Option<Aor> {
        let Some(tenant) = self.tenant_of(id) else {
            self.refuse(now, id, 404, "", out);
            return None;
        };
        match self.login(now, m, &tenant) {
            Login::User(user) if self.is_own(&tenant, &user, m.from()) => Some(Aor { tenant, user }),
            Login::User(_) | Login::Trunk { .. } | Login::Guest { .. } => {
                self.refuse(now, id, 403, "", out);
                None
            }
            Login::Ask { stale } => {
                self.challenge(now, id, &tenant, stale, out);
                None
            }
            Login::Bad(code) => {
                self.refuse(now, id, code, "", out);
                None
            }
        }
    }

    /// For how long; `None`: it was answered.
    fn granted(&mut self, now: Now, id: TxId, m: &Message, out: &mut Vec<Output>) -> Option<u32> {
        let wish = m.expires().unwrap_or(EXPIRES_MAX_S);
        if wish == 0 || wish >= EXPIRES_MIN_S {
            return Some(wish.min(EXPIRES_MAX_S));
        }
        let s = self.servers.get(&id)?;
        let mut response = self.reply(m, 423, "", &s.tag);
        response.headers.push(Name::MinExpires, EXPIRES_MIN_S);
        self.respond(now, id, &response, out);
        None
    }

    /// An event nobody here knows (RFC 6665 4.2.1.1).
    pub(super) fn bad_event(&mut self, now: Now, id: TxId, out: &mut Vec<Output>) {
        let Some(s) = self.servers.get(&id) else { return };
        let mut response = self.reply(&s.request, 489, "", &s.tag);
        response.headers.push(Name::AllowEvents, ALLOW_EVENTS);
        self.respond(now, id, &response, out);
    }

    fn busy_watching(&mut self, now: Now, id: TxId, out: &mut Vec<Output>) {
        let wait = 30 + self.rng.below(60);
        let Some(s) = self.servers.get(&id) else { return };
        let mut response = self.reply(&s.request, 503, "", &s.tag);
        response.headers.push(Name::RetryAfter, wait);
        self.respond(now, id, &response, out);
    }

    /// Whom a name or number of the tenant means, if somebody is called so.
    pub(super) fn known_as(&self, named: &Aor) -> Option<Aor> {
        let known = |aor: &Aor| {
            self.settings.users.contains_key(&(aor.tenant.clone(), aor.user.clone()))
                || self.watches.board.contains_key(aor)
                || !self.registrar.bindings(aor).is_empty()
        };
        if known(named) {
            return Some(named.clone());
        }
        let user = self.settings.extensions.get(&(named.tenant.clone(), named.user.clone()))?;
        Some(Aor { tenant: named.tenant.clone(), user: user.clone() })
    }

    // ---- what there is to be seen ----

    /// [`Action::Lamp`](super::Action::Lamp).
    pub(super) fn lamp(&mut self, now: Now, tenant: TenantId, user: String, change: LampChange, out: &mut Vec<Output>) {
        let aor = Aor { tenant, user };
        let lamp = self.watches.board.entry(aor.clone()).or_default();
        let packages: &[Package] = match change {
            LampChange::Presence(p) if lamp.presence.as_ref() != Some(&p) => {
                lamp.presence = Some(p);
                &[Package::Presence]
            }
            LampChange::Call(id, shown) if lamp.calls.get(&id) != shown.as_ref() => {
                match shown {
                    Some(shown) => lamp.calls.insert(id, shown),
                    None => lamp.calls.remove(&id),
                };
                &[Package::Dialog, Package::Presence]
            }
            LampChange::Waiting(w) if lamp.waiting != w => {
                lamp.waiting = w;
                &[Package::Summary]
            }
            _ => &[],
        };
        if *lamp == Lamp::default() {
            self.watches.board.remove(&aor);
        }
        self.news(now, &aor, packages, out);
    }

    /// A user's phones can be reached, or not any more.
    pub(super) fn reach_news(&mut self, now: Now, aor: &Aor, out: &mut Vec<Output>) {
        self.news(now, aor, &[Package::Reg, Package::Presence], out);
    }

    fn news(&mut self, now: Now, aor: &Aor, packages: &[Package], out: &mut Vec<Output>) {
        for package in packages {
            let keys: Vec<WatchKey> =
                self.watches.by_watched.get(&(*package, aor.clone())).into_iter().flatten().copied().collect();
            for key in keys {
                self.feed_watch(now, key, subscription::Input::News, out);
            }
        }
    }

    // ---- NOTIFY ----

    /// One thing that happens to a subscription.
    pub(super) fn feed_watch(&mut self, now: Now, key: WatchKey, input: subscription::Input, out: &mut Vec<Output>) {
        let Some(w) = self.watches.table.get_mut(&key) else { return };
        let failed = match input {
            subscription::Input::Answered { code, .. } => code >= 300,
            subscription::Input::Unanswered(_) => true,
            _ => false,
        };
        if failed {
            w.told = None;
        }
        let mut wanted = Vec::new();
        w.subscription.handle(now.mono, input, &mut wanted);
        for o in wanted {
            match o {
                subscription::Output::Notify { n, condition } => self.send_notify(now, key, n, condition, out),
                subscription::Output::Over => {
                    self.deadlines.clear(&Timer::Watch(key));
                    self.watches.remove(key);
                }
            }
        }
        if let Some(w) = self.watches.table.get(&key) {
            self.deadlines.set(Timer::Watch(key), w.subscription.deadline());
        }
    }

    /// The answer to a NOTIFY.
    pub(super) fn notify_answered(&mut self, now: Now, key: WatchKey, n: u32, m: &Message, out: &mut Vec<Output>) {
        let code = m.code().unwrap_or(500);
        if code < 200 {
            return;
        }
        let retry_after = m.seconds(&Name::RetryAfter).map(|s| Duration::from_secs(u64::from(s.min(EXPIRES_MAX_S))));
        self.feed_watch(now, key, subscription::Input::Answered { n, code, retry_after }, out);
    }

    fn send_notify(&mut self, now: Now, key: WatchKey, n: u32, condition: Condition, out: &mut Vec<Output>) {
        let Some(w) = self.watches.table.get_mut(&key) else { return };
        let nobody = Lamp::default();
        let lamp = self.watches.board.get(&w.watched).unwrap_or(&nobody);
        let bindings = self.registrar.bindings(&w.watched);
        let version = w.version;
        w.version += 1;
        let text = match w.package {
            Package::Dialog => {
                let text = dialog_info::write(&w.entity, version, w.told.as_ref(), &lamp.calls);
                w.told = Some(lamp.calls.clone());
                text
            }
            Package::Presence => {
                let there = if bindings.is_empty() { Presence::Offline } else { Presence::Available };
                presence::write(&w.entity, lamp.presence.as_ref().unwrap_or(&there), !lamp.calls.is_empty())
            }
            Package::Summary => summary::write(&w.entity, lamp.waiting),
            Package::Reg => reg_info::write(&w.entity, version, now.mono, bindings),
        };
        let (mut m, flow) = w.dialog.request(Method::Notify);
        let event = match &w.id {
            Some(id) => format!("{};id={id}", w.package.as_str()),
            None => w.package.as_str().to_owned(),
        };
        let (user, kind) = (w.watched.user.clone(), w.package.content_type());
        m.headers.push(Name::Contact, self.contact(Some(&user), &flow));
        m.headers.push(Name::Event, event);
        m.headers.push(Name::SubscriptionState, condition);
        if !self.settings.user_agent.is_empty() {
            m.headers.push(Name::UserAgent, &self.settings.user_agent);
        }
        m.set_body(kind, text);
        self.send_request(now, m, flow, Purpose::Watch(key, n), out);
    }

    /// A WebSocket is gone, and with it the way to whoever subscribed over it.
    pub(super) fn watches_closed(&mut self, conn: ConnId) {
        let gone = |w: &Watch| w.dialog.flow.transport.is_web() && w.dialog.flow.conn == Some(conn);
        let keys: Vec<WatchKey> = self.watches.table.iter().filter(|(_, w)| gone(w)).map(|(k, _)| *k).collect();
        for key in keys {
            self.deadlines.clear(&Timer::Watch(key));
            self.watches.remove(key);
        }
    }
}
