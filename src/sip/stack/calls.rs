//! The table of calls: one [`Call`] a key, found by our tag, and its timers.
//!
//! ```text
//! caller   Calling ──2xx──▶ Confirmed            (no offer of ours: AwaitAck ──Ack──▶ Confirmed)
//! callee   Incoming ──2xx──▶ Answering ──ACK──▶ Confirmed
//!                                └─64*T1─▶ BYE, Ended
//! ```
//! A call leaves the table the moment its last event is said, except one that is hung up before its ACK has come: a BYE must
//! wait for that (RFC 3261 15). What is still on the wire then is the transactions' to clean up.

use std::{sync::Arc, time::Duration};

use super::{
    DialogKey, EndedBy, Event, Output, Stack, Timer,
    refer::Referral,
    reliable::{Early, Provisionals, Wanted},
    session::Sessions,
    tx::{Purpose, ServerInput, TxId},
    wire::Body,
};
use crate::{
    base::{Mono, Now},
    sip::{
        auth::Credentials,
        dialog::{Dialog, DialogSnapshot},
        msg::{Headers, Message, Method},
        transaction::Class,
        transport::{Flow, PeerId},
    },
};

/// One call leg.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) state: State,
    /// There is one from the INVITE on (callee) or from the 2xx on (caller).
    pub(super) dialog: Option<Dialog>,
    pub(super) local_tag: String,
    pub(super) call_id: String,
    pub(super) credentials: Option<Credentials>,
    /// An INVITE inside the dialog.
    pub(super) re: Option<Re>,
    /// Hung up before the ACK came: the BYE that waits for it. Upstairs already knows the call is over.
    pub(super) bye: Option<Headers>,
    /// What we said before the answer (callee).
    pub(super) said: Provisionals,
    /// The phones that ring (caller).
    pub(super) early: Vec<Early>,
    /// Its timer.
    pub(super) sessions: Sessions,
    /// Our last description.
    pub(super) ours: Option<Body>,
    /// Their REFERs that are not over.
    pub(super) refers: Vec<Referral>,
    /// A REFER of ours is not over.
    pub(super) referring: bool,
}

impl Call {
    pub(super) fn new(state: State, dialog: Option<Dialog>, local_tag: String, call_id: String) -> Self {
        Call {
            state,
            dialog,
            local_tag,
            call_id,
            credentials: None,
            re: None,
            bye: None,
            said: Provisionals::default(),
            early: Vec::new(),
            sessions: Sessions::default(),
            ours: None,
            refers: Vec::new(),
            referring: false,
        }
    }
}

/// Where a call stands.
#[derive(Debug)]
pub(super) enum State {
    /// Our INVITE is out.
    Calling {
        tx: TxId,
        sticky: bool,
        /// The nonce answered last.
        answered: Option<String>,
        /// Where else, when nobody is there.
        next: Vec<Flow>,
        /// What is described there, where it is another family than here.
        elsewhere: Option<Body>,
        /// Something has come back that was no refusal.
        heard: bool,
    },
    /// Their INVITE is in.
    Incoming { tx: TxId },
    /// Our 2xx is out, their ACK is not in.
    Answering(Accepted),
    /// Their 2xx is in, their offer waits for our answer.
    AwaitAck { tx: TxId, seq: u32 },
    /// Both know.
    Confirmed,
}

/// A 2xx of ours that wants an ACK; the core repeats it on every transport (13.3.1.4).
#[derive(Debug, Clone, Copy)]
pub(super) struct Accepted {
    pub(super) tx: TxId,
    pub(super) seq: u32,
    n: u32,
    resend_at: Mono,
    give_up: Mono,
}

/// An INVITE (or UPDATE) inside the dialog.
#[derive(Debug)]
pub(super) enum Re {
    /// Ours is out.
    Ours { body: Body, answered: Option<String> },
    /// Ours met theirs; it is tried again (14.1).
    Later { at: Mono, body: Body },
    /// Theirs waits for upstairs.
    Theirs { tx: TxId },
    /// Theirs is accepted and waits for the ACK.
    Accepted(Accepted),
}

impl Stack {
    pub(super) fn accepted(&self, now: Now, tx: TxId, seq: u32) -> Accepted {
        let t = &self.timers;
        Accepted { tx, seq, n: 0, resend_at: now.mono + t.g(0), give_up: now.mono + t.h() }
    }

    pub(super) fn add_call(&mut self, key: DialogKey, call: Call) {
        self.tags.insert(call.local_tag.clone(), key);
        self.calls.insert(key, call);
    }

    /// The transaction of a call of ours that nobody has answered.
    pub(super) fn invite_of(&self, key: DialogKey) -> Option<TxId> {
        match self.calls.get(&key)?.state {
            State::Calling { tx, .. } => Some(tx),
            _ => None,
        }
    }

    /// Takes a call out of the table. What they asked inside it and nobody will answer now is refused (15.1.2 says so for a
    /// BYE received; the same holds for every other end).
    pub(super) fn drop_call(&mut self, now: Now, key: DialogKey, out: &mut Vec<Output>) -> Option<Call> {
        let mut call = self.calls.remove(&key)?;
        self.tags.remove(&call.local_tag);
        self.deadlines.clear(&Timer::Call(key));
        if let Some(Re::Theirs { tx }) = call.re {
            self.refuse(now, tx, 487, "", out);
        }
        self.refers_over(now, &mut call, out);
        Some(call)
    }

    /// The call a request inside a dialog belongs to (12.2.2): our tag, their tag, the Call-ID.
    pub(super) fn call_of(&self, m: &Message) -> Option<DialogKey> {
        let key = *self.tags.get(&m.to_tag()?)?;
        let call = self.calls.get(&key)?;
        let same_peer = call.dialog.as_ref().is_none_or(|d| d.remote_tag() == m.from_tag());
        (same_peer && m.call_id().ok()? == call.call_id).then_some(key)
    }

    pub(super) fn set_call_deadline(&mut self, key: DialogKey) {
        let Some(call) = self.calls.get(&key) else { return };
        let of = |a: &Accepted| a.resend_at.min(a.give_up);
        let state = if let State::Answering(a) = &call.state { Some(of(a)) } else { None };
        let re = match &call.re {
            Some(Re::Accepted(a)) => Some(of(a)),
            // An offer from before the answer that met theirs: it waits for the ACK as well, which comes by here.
            Some(Re::Later { at, .. }) if state.is_none() => Some(*at),
            _ => None,
        };
        match state.into_iter().chain(re).chain(call.said.deadline()).chain(call.sessions.deadline()).min() {
            Some(at) => self.deadlines.set(Timer::Call(key), at),
            None => drop(self.deadlines.clear(&Timer::Call(key))),
        }
    }

    pub(super) fn tick_call(&mut self, now: Now, key: DialogKey, out: &mut Vec<Output>) {
        self.tick_accepted(now, key, out);
        self.tick_provisional(now, key, out);
        self.tick_session(now, key, out);
        self.set_call_deadline(key);
    }

    /// A 2xx of ours without its ACK, or an offer of ours that waited after a glare.
    fn tick_accepted(&mut self, now: Now, key: DialogKey, out: &mut Vec<Output>) {
        let t = self.timers;
        let Some(call) = self.calls.get_mut(&key) else { return };
        let pending = match (&mut call.state, &mut call.re) {
            (State::Answering(a), _) | (_, Some(Re::Accepted(a))) => a,
            (_, Some(Re::Later { at, body })) if *at <= now.mono => {
                let body = body.clone();
                call.re = None;
                return self.reinvite(now, key, body, out);
            }
            _ => return,
        };
        if pending.give_up <= now.mono {
            return self.end_with_bye(now, key, EndedBy::Timeout, out);
        }
        if pending.resend_at <= now.mono {
            pending.n += 1;
            pending.resend_at = now.mono + t.g(pending.n);
            let tx = pending.tx;
            self.feed_server(now, tx, ServerInput::Respond(Class::Success), out);
        }
    }

    /// The last word about the call is not said yet: one that was ended here may still wait with its BYE for an ACK, and what
    /// was asked inside it may be answered after its end.
    pub(super) fn has_news(&self, key: DialogKey) -> bool {
        self.calls.get(&key).is_some_and(|c| c.bye.is_none())
    }

    /// Says the last word about a call and forgets it.
    pub(super) fn ended(&mut self, now: Now, key: DialogKey, by: EndedBy, reason: Option<String>, out: &mut Vec<Output>) {
        if let Some(call) = self.drop_call(now, key, out)
            && call.bye.is_none()
        {
            out.push(Output::Event(Event::Ended { dialog: key, by, reason }));
        }
    }

    /// Ends a call whose other side may still think it stands.
    pub(super) fn end_with_bye(&mut self, now: Now, key: DialogKey, by: EndedBy, out: &mut Vec<Output>) {
        let Some(call) = self.drop_call(now, key, out) else { return };
        let told = call.bye.is_some();
        self.send_bye(now, call.dialog, call.credentials, &call.bye.unwrap_or_default(), out);
        if !told {
            out.push(Output::Event(Event::Ended { dialog: key, by, reason: None }));
        }
    }

    /// Sends a BYE and cares no more, but for a challenge.
    pub(super) fn send_bye(
        &mut self,
        now: Now,
        dialog: Option<Dialog>,
        credentials: Option<Credentials>,
        headers: &Headers,
        out: &mut Vec<Output>,
    ) {
        let Some(mut dialog) = dialog else { return };
        let (mut bye, flow) = dialog.request(Method::Bye);
        super::build::add_all(&mut bye.headers, headers);
        let retry = credentials.map(|c| Box::new((dialog, c)));
        self.send_request(now, bye, flow, Purpose::Bye(retry), out);
    }

    /// [`Action::Bye`](super::Action::Bye).
    pub(super) fn hang_up(&mut self, now: Now, key: DialogKey, headers: Headers, out: &mut Vec<Output>) {
        let Some(call) = self.calls.get_mut(&key).filter(|c| c.bye.is_none()) else { return };
        match call.state {
            State::Calling { .. } => return self.cancel(now, key, headers, out),
            State::Incoming { .. } => {
                let no = Wanted { code: 603, reason: String::new(), headers, body: None };
                return self.respond_invite(now, key, no, out);
            }
            State::Answering(_) => {
                call.bye = Some(headers);
                // What becomes of an offer of ours nobody wants to know any more.
                if matches!(call.re, Some(Re::Ours { .. } | Re::Later { .. })) {
                    call.re = None;
                }
                out.push(Output::Event(Event::Ended { dialog: key, by: EndedBy::Local, reason: None }));
                return;
            }
            State::AwaitAck { .. } => self.late_ack(key, None, out),
            State::Confirmed => {}
        }
        if let Some(call) = self.drop_call(now, key, out) {
            self.send_bye(now, call.dialog, call.credentials, &headers, out);
            out.push(Output::Event(Event::Ended { dialog: key, by: EndedBy::Local, reason: None }));
        }
    }

    /// [`Action::ByeRestored`](super::Action::ByeRestored). A snapshot that cannot be read leaves the peer to its own timers.
    pub(super) fn bye_restored(
        &mut self,
        now: Now,
        s: &DialogSnapshot,
        headers: &Headers,
        (peer, credentials): (Option<PeerId>, Option<Credentials>),
        out: &mut Vec<Output>,
    ) {
        let dialog = Dialog::restore(s).ok().map(|mut d| {
            d.flow.peer = peer;
            d
        });
        self.send_bye(now, dialog, credentials, headers, out);
    }

    /// A random wait before an INVITE that met theirs is tried again (14.1): 2.1 to 4 s for the owner of the Call-ID, up to 2 s
    /// for the other, in steps of 10 ms.
    pub(super) fn glare_wait(&mut self, caller: bool) -> Duration {
        let (from, steps) = if caller { (210, 191) } else { (0, 201) };
        Duration::from_millis(10 * (from + self.rng.below(steps)))
    }

    /// Upstairs' view of a message is shared, not copied.
    pub(super) fn shared(&self, tx: TxId) -> Option<Arc<Message>> {
        self.servers.get(&tx).map(|s| s.request.clone())
    }
}
