//! The tables of transactions: makes them, feeds them, and does what their figures say.

use std::sync::Arc;

use bytes::Bytes;

use super::{DialogKey, EndedBy, Output, Stack, Timer, build, calls::State};
use crate::{
    base::{Mono, Now},
    sip::{
        auth::Credentials,
        dialog::{Dialog, request_uri},
        msg::{Headers, Message, Method, Name, Start, Via},
        registrar::{Aor, gruu},
        transaction::{
            Class, Step,
            invite_client::{self, InviteClient},
            invite_server::{self, InviteServer},
            matching::{ClientKey, ServerKey},
            non_invite_client::{self, NonInviteClient},
            non_invite_server::{self, NonInviteServer},
        },
        transport::{ConnId, Flow, Source},
    },
};

/// Names a transaction in the tables.
pub(super) type TxId = u64;

/// Call-ID, From tag, CSeq number and method (8.2.2.2).
pub(super) type MergeKey = (String, String, u32, Method);

/// What a request of ours is for.
#[derive(Debug, Clone)]
pub(super) enum Purpose {
    /// The INVITE that makes a call.
    Invite(DialogKey),
    /// Another INVITE inside it.
    Reinvite(DialogKey),
    /// A BYE; with what is needed to answer a challenge, once.
    Bye(Option<Box<(Dialog, Credentials)>>),
    /// A request that stands alone.
    Ask(super::AskKey),
    /// Anything else inside a dialog.
    Inside {
        key: DialogKey,
        what: Inside,
        /// A challenge has been answered.
        tried: bool,
    },
    /// The `n`th NOTIFY of a subscription.
    Watch(super::subscribe::WatchKey, u32),
    /// Whatever comes back changes nothing (CANCEL).
    Quiet,
}

/// What a request inside a dialog is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Inside {
    /// Acknowledges a provisional response.
    Prack,
    /// UPDATE with an offer.
    Update,
    /// UPDATE without: the session goes on.
    Refresh,
    /// Digits.
    Info,
    /// Hands the call on.
    Refer,
    /// Says what became of their REFER.
    Notify,
}

#[derive(Debug)]
enum ClientFigure {
    Invite(InviteClient),
    Other(NonInviteClient),
}

/// A request of ours.
#[derive(Debug)]
pub(super) struct Client {
    key: ClientKey,
    figure: ClientFigure,
    pub(super) request: Arc<Message>,
    bytes: Bytes,
    pub(super) flow: Flow,
    pub(super) purpose: Purpose,
    /// ACKs sent for 2xx, by To tag: a repeated 2xx gets the same one again, long after the call may be over.
    pub(super) acks: Vec<(Option<String>, Bytes, Flow)>,
    /// The call was given up: cancel as soon as a provisional response allows it, with these headers.
    pub(super) cancel: Option<Headers>,
    /// The highest number used in an early dialog of this INVITE: a BYE to a fork nobody wants goes above it.
    pub(super) last_seq: u32,
    /// After a CANCEL an INVITE does not wait for ever (9.1).
    abandon_at: Option<Mono>,
    /// There is another place to try: this one must have said something by then.
    give_up_at: Option<Mono>,
}

/// How long an INVITE inside a dialog may stay without a final response.
const REINVITE_PATIENCE: std::time::Duration = crate::base::secs(120);

/// Most branches of one forked INVITE that are acknowledged; the rest run into their own timers.
pub(super) const FORKS_MAX: usize = 16;

#[derive(Debug)]
enum ServerFigure {
    Invite(InviteServer),
    Other(NonInviteServer),
}

/// A request of theirs.
#[derive(Debug)]
pub(super) struct Server {
    key: ServerKey,
    merge: Option<MergeKey>,
    figure: ServerFigure,
    /// As it came, until its final response is made: what is kept of a transaction for 64 T1 after that is small.
    pub(super) request: Arc<Message>,
    pub(super) source: Source,
    reply: Flow,
    last: Option<Bytes>,
    /// The final response is made.
    answered: bool,
    /// The tag of our answers.
    pub(super) tag: String,
    /// The call it made or belongs to.
    pub(super) call: Option<DialogKey>,
}

impl Server {
    /// True for an INVITE without a final response.
    pub(super) fn invite_pending(&self) -> bool {
        matches!(&self.figure, ServerFigure::Invite(f) if f.pending())
    }
}

impl Client {
    /// True until a final response has come.
    fn pending(&self) -> bool {
        matches!(&self.figure, ClientFigure::Invite(f) if f.pending())
    }
}

/// What happens to a server transaction.
#[derive(Debug, Clone, Copy)]
pub(super) enum ServerInput {
    Again,
    Ack,
    Respond(Class),
    Failed,
    Tick,
}

/// What happens to a client transaction.
#[derive(Debug, Clone, Copy)]
pub(super) enum ClientInput {
    Response(Class),
    Failed,
    Tick,
}

impl Stack {
    /// Puts a Via on a request and sends it in a new transaction.
    pub(super) fn send_request(
        &mut self,
        now: Now,
        mut m: Message,
        flow: Flow,
        purpose: Purpose,
        out: &mut Vec<Output>,
    ) -> TxId {
        self.send_home(&mut m);
        let branch = build::branch(&mut self.rng);
        let (host, port) = self.settings.public_address(&flow);
        m.headers.push_front(Name::Via, Via::new(flow.transport, host, Some(port), &branch));
        self.send_with_via(now, m, &branch, flow, purpose, out)
    }

    /// A phone that is known by an address we gave it (RFC 5627 section 6.1) is sent requests at the one it gave us.
    fn send_home(&self, m: &mut Message) {
        let Start::Request { uri, .. } = &mut m.start else { return };
        let Some(named) = uri.sip() else { return };
        let (Some(instance), Some(tenant)) = (gruu::instance(named), self.settings.tenant(&named.host)) else { return };
        let aor = Aor { tenant: tenant.clone(), user: uri.user().into_owned() };
        if let Some(phone) = self.registrar.bindings(&aor).iter().find(|b| gruu::is_of(b, &instance)) {
            *uri = request_uri(&phone.contact);
        }
    }

    fn send_with_via(
        &mut self,
        now: Now,
        m: Message,
        branch: &str,
        flow: Flow,
        purpose: Purpose,
        out: &mut Vec<Output>,
    ) -> TxId {
        let method = m.method().cloned().unwrap_or(Method::Options);
        let bytes = m.write();
        if !flow.transport.is_reliable() && bytes.len() > super::next::DATAGRAM_MAX {
            self.counters.oversize += 1;
        }
        let reliable = flow.transport.is_reliable();
        let figure = if method == Method::Invite {
            ClientFigure::Invite(InviteClient::new(now.mono, self.timers, reliable))
        } else {
            ClientFigure::Other(NonInviteClient::new(now.mono, self.timers, reliable))
        };
        self.next_tx += 1;
        let id = self.next_tx;
        let key = ClientKey::new(branch, method);
        self.client_index.insert(key.clone(), id);
        out.push(Output::Send { flow, bytes: bytes.clone() });
        // Nobody rings for an INVITE inside a dialog: a peer that said 100 and then no more (its call ended, and with it the
        // repeats of its 2xx) must not be waited for.
        let abandon_at = matches!(purpose, Purpose::Reinvite(_)).then(|| now.mono + REINVITE_PATIENCE);
        let (request, acks) = (Arc::new(m), Vec::new());
        let (cancel, last_seq, give_up_at) = (None, 0, None);
        let client = Client { key, figure, request, bytes, flow, purpose, acks, cancel, last_seq, abandon_at, give_up_at };
        self.clients.insert(id, client);
        self.set_client_deadline(id);
        id
    }

    pub(super) fn clients_len(&self) -> usize {
        self.clients.len()
    }

    /// Whether an INVITE of ours has no answer at all yet.
    pub(super) fn is_unanswered(&self, id: TxId) -> bool {
        self.clients.get(&id).is_some_and(|c| matches!(&c.figure, ClientFigure::Invite(f) if f.pending() && !f.proceeding()))
    }

    fn set_client_deadline(&mut self, id: TxId) {
        let Some(c) = self.clients.get(&id) else { return };
        let own = match &c.figure {
            ClientFigure::Invite(f) => f.deadline(),
            ClientFigure::Other(f) => f.deadline(),
        };
        match [own, c.abandon_at, c.give_up_at].into_iter().flatten().min() {
            Some(at) => self.deadlines.set(Timer::Client(id), at),
            None => drop(self.deadlines.clear(&Timer::Client(id))),
        }
    }

    /// Feeds a client transaction; `response` is what arrived, if that is what happened.
    pub(super) fn feed_client(
        &mut self,
        now: Now,
        id: TxId,
        input: ClientInput,
        response: Option<&Arc<Message>>,
        out: &mut Vec<Output>,
    ) {
        let Some(c) = self.clients.get_mut(&id) else { return };
        let mut steps = Vec::new();
        match &mut c.figure {
            ClientFigure::Invite(f) => f.handle(
                now.mono,
                match input {
                    ClientInput::Response(class) => invite_client::Input::Response(class),
                    ClientInput::Failed => invite_client::Input::TransportFailed,
                    ClientInput::Tick => invite_client::Input::Tick,
                },
                &mut steps,
            ),
            ClientFigure::Other(f) => f.handle(
                now.mono,
                match input {
                    ClientInput::Response(class) => non_invite_client::Input::Response(class),
                    ClientInput::Failed => non_invite_client::Input::TransportFailed,
                    ClientInput::Tick => non_invite_client::Input::Tick,
                },
                &mut steps,
            ),
        }
        if matches!(c.figure, ClientFigure::Invite(_)) && !c.pending() {
            // A final response came: it is not sent again.
            c.bytes = Bytes::new();
        }
        for step in steps {
            match (step, response) {
                (Step::Send, _) => {
                    if let Some(c) = self.clients.get(&id) {
                        self.counters.resent += 1;
                        out.push(Output::Send { flow: c.flow, bytes: c.bytes.clone() });
                    }
                }
                (Step::Ack, Some(response)) => {
                    if let Some(c) = self.clients.get(&id) {
                        let ack = build::ack_of_refusal(&c.request, response);
                        out.push(Output::Send { flow: c.flow, bytes: ack.write() });
                    }
                }
                (Step::Pass, Some(response)) => self.response(now, id, response, out),
                (Step::TimedOut, _) => {
                    self.counters.timeouts += 1;
                    self.no_response(now, id, 408, out);
                }
                (Step::Failed, _) => self.no_response(now, id, 503, out),
                (Step::Over, _) => self.drop_client(id),
                (Step::Ack | Step::Pass, None) => {}
            }
        }
        self.set_client_deadline(id);
    }

    /// A request that has another place to go to waits for this one until then.
    pub(super) fn give_up_at(&mut self, id: TxId, at: Mono) {
        if let Some(c) = self.clients.get_mut(&id) {
            c.give_up_at = Some(at);
            self.set_client_deadline(id);
        }
    }

    /// Nothing has come back in time, and there is another place. What comes later is cancelled, or hung up on.
    fn silent(&mut self, now: Now, id: TxId, out: &mut Vec<Output>) {
        let Some(c) = self.clients.get_mut(&id) else { return };
        c.give_up_at = None;
        if matches!(&c.figure, ClientFigure::Invite(f) if f.pending() && !f.proceeding()) {
            c.cancel.get_or_insert_default();
            self.no_response(now, id, 408, out);
        }
    }

    pub(super) fn tick_client(&mut self, now: Now, id: TxId, out: &mut Vec<Output>) {
        if self.clients.get(&id).is_some_and(|c| c.give_up_at.is_some_and(|at| at <= now.mono)) {
            self.silent(now, id, out);
        }
        if self.clients.get(&id).is_some_and(|c| c.abandon_at.is_some_and(|at| at <= now.mono)) {
            // 9.1: no answer to the INVITE 64*T1 after its CANCEL; for our side the call was over long ago. An INVITE inside
            // a dialog takes its call with it, if there still is one that waits for it.
            if self.clients.get(&id).is_some_and(|c| c.pending()) {
                self.no_response(now, id, 408, out);
            }
            return self.drop_client(id);
        }
        self.feed_client(now, id, ClientInput::Tick, None, out);
    }

    fn drop_client(&mut self, id: TxId) {
        if let Some(c) = self.clients.remove(&id) {
            self.client_index.remove(&c.key);
            self.deadlines.clear(&Timer::Client(id));
        }
    }

    /// Remembers the ACK of a 2xx and sends it.
    pub(super) fn send_ack(&mut self, id: TxId, to_tag: Option<String>, ack: Message, flow: Flow, out: &mut Vec<Output>) {
        let bytes = self.ack_bytes(ack, &flow);
        if let Some(c) = self.clients.get_mut(&id)
            && c.acks.len() < FORKS_MAX
        {
            c.acks.push((to_tag, bytes.clone(), flow));
        }
        out.push(Output::Send { flow, bytes });
    }

    /// An ACK of a 2xx is a transaction of its own as far as its Via goes (13.2.2.4).
    fn ack_bytes(&mut self, mut ack: Message, flow: &Flow) -> Bytes {
        self.send_home(&mut ack);
        let branch = build::branch(&mut self.rng);
        let (host, port) = self.settings.public_address(flow);
        ack.headers.push_front(Name::Via, Via::new(flow.transport, host, Some(port), &branch));
        ack.write()
    }

    /// Sends the CANCEL of an INVITE if a provisional response has come and it was not sent yet; else it is sent then.
    pub(super) fn try_cancel(&mut self, now: Now, id: TxId, out: &mut Vec<Output>) {
        let Some(c) = self.clients.get_mut(&id) else { return };
        let ready = matches!(&c.figure, ClientFigure::Invite(f) if f.proceeding());
        if !ready || c.abandon_at.is_some() {
            return;
        }
        let Some(headers) = c.cancel.clone() else { return };
        c.abandon_at = Some(now.mono + self.timers.b());
        let (mut cancel, flow, key) = (build::cancel(&c.request), c.flow, c.key.clone());
        build::add_all(&mut cancel.headers, &headers);
        self.send_with_via(now, cancel, key.branch(), flow, Purpose::Quiet, out);
        self.set_client_deadline(id);
    }

    /// Opens a server transaction for a request that belongs to none.
    pub(super) fn open_server(&mut self, key: ServerKey, request: Message, source: Source, reply: Flow) -> TxId {
        let reliable = source.transport.is_reliable();
        let figure = if request.method() == Some(&Method::Invite) {
            ServerFigure::Invite(InviteServer::new(self.timers, reliable))
        } else {
            ServerFigure::Other(NonInviteServer::new(self.timers, reliable))
        };
        self.next_tx += 1;
        let id = self.next_tx;
        let merge = build::merge_key(&request);
        if let Some(m) = &merge {
            self.merged.entry(m.clone()).or_insert(id);
        }
        self.server_index.insert(key.clone(), id);
        let tag = self.rng.hex(8);
        let request = Arc::new(request);
        self.servers
            .insert(id, Server { key, merge, figure, request, source, reply, last: None, answered: false, tag, call: None });
        id
    }

    /// Answers a request: the response goes out, and again whenever its figure says so.
    pub(super) fn respond(&mut self, now: Now, id: TxId, response: &Message, out: &mut Vec<Output>) {
        let class = Class::of(response.code().unwrap_or(500));
        if let Some(s) = self.servers.get_mut(&id).filter(|s| !s.answered) {
            s.last = Some(response.write());
            if class != Class::Provisional {
                s.answered = true;
                s.request = self.nothing.clone();
            }
            self.feed_server_quietly(now, id, ServerInput::Respond(class), false, out);
        }
    }

    /// Feeds a server transaction.
    pub(super) fn feed_server(&mut self, now: Now, id: TxId, input: ServerInput, out: &mut Vec<Output>) {
        self.feed_server_quietly(now, id, input, true, out);
    }

    fn feed_server_quietly(&mut self, now: Now, id: TxId, input: ServerInput, again: bool, out: &mut Vec<Output>) {
        let Some(s) = self.servers.get_mut(&id) else { return };
        let mut steps = Vec::new();
        match &mut s.figure {
            ServerFigure::Invite(f) => f.handle(
                now.mono,
                match input {
                    ServerInput::Again => invite_server::Input::Invite,
                    ServerInput::Ack => invite_server::Input::Ack,
                    ServerInput::Respond(class) => invite_server::Input::Respond(class),
                    ServerInput::Failed => invite_server::Input::TransportFailed,
                    ServerInput::Tick => invite_server::Input::Tick,
                },
                &mut steps,
            ),
            ServerFigure::Other(f) => f.handle(
                now.mono,
                match input {
                    ServerInput::Again | ServerInput::Ack => non_invite_server::Input::Request,
                    ServerInput::Respond(class) => non_invite_server::Input::Respond(class),
                    ServerInput::Failed => non_invite_server::Input::TransportFailed,
                    ServerInput::Tick => non_invite_server::Input::Tick,
                },
                &mut steps,
            ),
        }
        let deadline = match &s.figure {
            ServerFigure::Invite(f) => f.deadline(),
            ServerFigure::Other(f) => f.deadline(),
        };
        match deadline {
            Some(at) => self.deadlines.set(Timer::Server(id), at),
            None => drop(self.deadlines.clear(&Timer::Server(id))),
        }
        for step in steps {
            match step {
                Step::Send => {
                    let sent = self.servers.get(&id).and_then(|s| Some((s.reply, s.last.clone()?)));
                    if let Some((flow, bytes)) = sent {
                        self.counters.resent += u64::from(again);
                        out.push(Output::Send { flow, bytes });
                    }
                }
                Step::Over => self.drop_server(id),
                // A refusal nobody acknowledged, a response that could not be sent: the caller is gone, and so is the call.
                Step::TimedOut => self.counters.timeouts += 1,
                Step::Failed => self.answer_failed(now, id, out),
                Step::Pass | Step::Ack => {}
            }
        }
    }

    fn drop_server(&mut self, id: TxId) {
        if let Some(s) = self.servers.remove(&id) {
            self.server_index.remove(&s.key);
            self.deadlines.clear(&Timer::Server(id));
            if let Some(m) = s.merge.filter(|m| self.merged.get(m) == Some(&id)) {
                self.merged.remove(&m);
            }
        }
    }

    /// A way is broken: what still waits on it has failed.
    pub(super) fn transport_failed(&mut self, now: Now, flow: &Flow, out: &mut Vec<Output>) {
        let same = |f: &Flow| {
            f.transport == flow.transport
                && f.remote == flow.remote
                && (flow.conn.is_none() || f.conn.is_none() || f.conn == flow.conn)
        };
        self.fail_where(now, same, out);
    }

    /// A datagram came back: its transaction has failed (18.4).
    pub(super) fn undelivered(&mut self, now: Now, method: Method, branch: &str, out: &mut Vec<Output>) {
        if let Some(id) = self.client_index.get(&ClientKey::new(branch, method)).copied() {
            self.feed_client(now, id, ClientInput::Failed, None, out);
        }
    }

    /// A WebSocket is gone: nothing it was waited for can come by another way. A page that comes back is another phone and
    /// knows nothing of the calls it had, so these are over.
    pub(super) fn web_closed(&mut self, now: Now, conn: ConnId, out: &mut Vec<Output>) {
        let gone = |f: &Flow| f.transport.is_web() && f.conn == Some(conn);
        self.fail_where(now, gone, out);
        let confirmed = self.calls.iter().filter(|(_, c)| matches!(c.state, State::Confirmed));
        let over: Vec<_> =
            confirmed.filter(|(_, c)| c.dialog.as_ref().is_some_and(|d| gone(&d.flow))).map(|(k, _)| *k).collect();
        for key in over {
            self.ended(now, key, EndedBy::Network, None, out);
        }
    }

    fn fail_where(&mut self, now: Now, same: impl Fn(&Flow) -> bool, out: &mut Vec<Output>) {
        let clients: Vec<TxId> = self.clients.iter().filter(|(_, c)| same(&c.flow)).map(|(id, _)| *id).collect();
        let servers: Vec<TxId> = self.servers.iter().filter(|(_, s)| same(&s.reply)).map(|(id, _)| *id).collect();
        for id in clients {
            self.feed_client(now, id, ClientInput::Failed, None, out);
        }
        for id in servers {
            self.feed_server(now, id, ServerInput::Failed, out);
        }
    }
}
