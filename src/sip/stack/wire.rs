//! What the stack may be told and what it says: closed sets, like the media engine's.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::{AskKey, Asking, LampChange};
use crate::{
    base::{TenantId, TrunkId},
    sip::{
        auth::{Credentials, Grant, Revoke},
        dialog::DialogSnapshot,
        msg::{Headers, Message, Method, NameAddr, ParseError, SipUri, Uri},
        transport::{ConnId, Flow, PeerId, Source},
    },
};

/// One call leg, from its INVITE to its end. Made by the stack for incoming calls, by [`next_key`](super::Stack::next_key) for
/// outgoing ones; never used twice in a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DialogKey(pub u64);

/// One REFER of a call: its CSeq, by which RFC 3515 2.4.6 tells several apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ReferId(pub u32);

/// A REFER of theirs.
#[derive(Debug, Clone)]
pub struct Refer {
    /// Its name.
    pub id: ReferId,
    /// Whom we are asked to call.
    pub to: Uri,
    /// In the place of this call of theirs with us (attended).
    pub replaces: Option<DialogKey>,
    /// Who is said to ask (Referred-By).
    pub by: Option<String>,
}

/// A body and its type.
pub type Body = (String, Bytes);

/// What happens to the stack.
#[derive(Debug, Clone)]
pub enum Input {
    /// A message, or what the door could make of one.
    Received {
        /// The verdict of the parser.
        message: Result<Message, ParseError>,
        /// Where from.
        source: Source,
    },
    /// A message could not be sent this way (connection refused, reset, no route).
    TransportFailed {
        /// Which way.
        flow: Flow,
    },
    /// The network says that nobody took this request, and quotes enough of it to be believed: a datagram of ours came back.
    Undelivered {
        /// Its method.
        method: Method,
        /// The branch of its Via, which nobody can guess.
        branch: String,
    },
    /// A stream is gone.
    Closed {
        /// Which.
        conn: ConnId,
    },
    /// Somebody who is signed in may log in a phone in the browser.
    Grant(Grant),
    /// Such logins are over. What is registered with them ends when it would have to be renewed.
    Revoke(Revoke),
    /// The core upstairs wants something.
    Do(Action),
    /// A deadline may have come.
    Tick,
}

/// Where an outgoing call goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The Request-URI.
    pub uri: Uri,
    /// What to put into To; the Request-URI when `None` (an agent is dialled by name, not by the address of the phone).
    pub to: Option<Uri>,
    /// The way: a binding's flow, a trunk's address.
    pub flow: Flow,
    /// Requests always go this way, whatever Contact the peer names: set for bindings.
    pub sticky: bool,
    /// Where else, in this order, when nobody is there (RFC 3263 4.3).
    pub next: Vec<Flow>,
    /// The body for places of the other IP family than `flow`'s, who would be told of an address they cannot reach; `None`: the
    /// same for all.
    pub elsewhere: Option<Body>,
    /// Proxies on the way, nearest first: the path a binding was registered by (RFC 3327).
    pub routes: Vec<NameAddr>,
    /// Nobody has said which transport the peer wants: a long request goes by TCP first.
    pub open: bool,
}

/// What the core upstairs may want.
#[derive(Debug, Clone)]
pub enum Action {
    /// Call somebody. Ends in [`Event::Refused`] or [`Event::Ended`].
    Invite {
        /// A fresh key.
        dialog: DialogKey,
        /// Whom.
        to: Target,
        /// As whom; the tag is added here.
        from: NameAddr,
        /// More headers.
        headers: Headers,
        /// The offer; `None` asks the peer for one, and [`Action::Ack`] must answer it.
        body: Option<Body>,
        /// For a trunk that asks.
        credentials: Option<Credentials>,
    },
    /// Stop calling. The key is over at once; what crosses on the wire is cleaned up here.
    Cancel {
        /// Which.
        dialog: DialogKey,
        /// More headers (Reason).
        headers: Headers,
    },
    /// Answer an incoming call, provisionally or for good. A refusal ends the key.
    Respond {
        /// Which.
        dialog: DialogKey,
        /// 101 to 699.
        code: u16,
        /// Empty for the usual phrase.
        reason: String,
        /// More headers.
        headers: Headers,
        /// The body.
        body: Option<Body>,
    },
    /// Answer the offer that came in the 2xx of a call made without one.
    Ack {
        /// Which.
        dialog: DialogKey,
        /// The answer.
        body: Option<Body>,
    },
    /// Answer the offer that came in a reliable provisional response to a call made without one.
    Prack {
        /// Which.
        dialog: DialogKey,
        /// The answer.
        body: Body,
    },
    /// End an answered call. The key is over at once.
    Bye {
        /// Which.
        dialog: DialogKey,
        /// More headers (Reason).
        headers: Headers,
    },
    /// Offer other media: by re-INVITE; before the call is answered by UPDATE, if offer and answer are through by then.
    Reinvite {
        /// Which.
        dialog: DialogKey,
        /// The offer.
        body: Body,
    },
    /// Answer [`Event::Reoffer`].
    RespondReinvite {
        /// Which.
        dialog: DialogKey,
        /// 200 or a refusal (488).
        code: u16,
        /// The answer, or the offer when theirs was empty.
        body: Option<Body>,
    },
    /// Send an INFO. Ends in [`Event::InfoSent`].
    Info {
        /// Which.
        dialog: DialogKey,
        /// What.
        body: Body,
    },
    /// Answer [`Event::Referred`]: 202, or a refusal.
    RespondRefer {
        /// Which.
        dialog: DialogKey,
        /// Which of its REFERs.
        refer: ReferId,
        /// 202 to 699.
        code: u16,
    },
    /// Say what became of a REFER that was answered 202; nothing for who does not want to hear it.
    Notify {
        /// Which.
        dialog: DialogKey,
        /// Which of its REFERs.
        refer: ReferId,
        /// The status of the call that was asked for.
        code: u16,
        /// That was the last word.
        over: bool,
    },
    /// Ask the peer to call somebody else in our place. Ends in a refusal in [`Event::ReferAnswered`], or in the last
    /// [`Event::ReferProgress`].
    Refer {
        /// Which.
        dialog: DialogKey,
        /// Whom.
        to: Box<SipUri>,
        /// In the place of this call of ours.
        replaces: Option<DialogKey>,
        /// More headers.
        headers: Headers,
    },
    /// End a dialog of an earlier life of this process.
    ByeRestored {
        /// From the journal.
        dialog: Box<DialogSnapshot>,
        /// More headers (Reason).
        headers: Headers,
        /// Whose certificate the peer must show over TLS.
        peer: Option<PeerId>,
        /// When it asks who we are.
        credentials: Option<Credentials>,
    },
    /// Send a request that makes no dialog. Ends in [`Event::Told`].
    Ask {
        /// A fresh key.
        ask: AskKey,
        /// What.
        request: Box<Asking>,
    },
    /// What is to be seen of a user has changed: whoever watches is told.
    Lamp {
        /// Whose.
        tenant: TenantId,
        /// Who.
        user: String,
        /// What.
        change: LampChange,
    },
}

/// What the stack wants done or known.
#[derive(Debug, Clone)]
pub enum Output {
    /// Put these bytes on the wire.
    Send {
        /// The way.
        flow: Flow,
        /// A whole message.
        bytes: Bytes,
    },
    /// Something the core upstairs must know.
    Event(Event),
}

/// Who sends a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Who {
    /// A user of ours, who proved it.
    User {
        /// Whose.
        tenant: TenantId,
        /// The user part of the address of record.
        user: String,
    },
    /// A trunk, by address or login.
    Trunk(TrunkId),
    /// Somebody with a login for one call to one place, which this request has used up.
    Guest {
        /// The name of the login.
        login: String,
    },
    /// Anybody. Only what is public may be reached.
    Stranger,
}

/// Who ended a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndedBy {
    /// An action of ours.
    Local,
    /// Their BYE.
    Remote,
    /// No ACK, no answer to a re-INVITE.
    Timeout,
    /// The transport.
    Network,
}

/// What happened. Of `Cancelled`, `Refused` and `Ended` each key sees exactly one, as its last event.
#[derive(Debug, Clone)]
pub enum Event {
    /// Somebody calls. 100 is already sent.
    Incoming {
        /// A new key.
        dialog: DialogKey,
        /// The INVITE.
        request: Arc<Message>,
        /// Where from.
        source: Source,
        /// The tenant its Request-URI, trunk or user belongs to.
        tenant: TenantId,
        /// Who it is.
        who: Who,
        /// The call it wants to take the place of (RFC 3891). Whether it may is decided upstairs.
        replaces: Option<DialogKey>,
    },
    /// The caller gave up before an answer.
    Cancelled {
        /// Which.
        dialog: DialogKey,
        /// Their Reason header.
        reason: Option<String>,
    },
    /// A provisional response (not 100).
    Progress {
        /// Which.
        dialog: DialogKey,
        /// 101 to 199.
        code: u16,
        /// Early media: the answer to our offer; when the INVITE had none, an offer that wants [`Action::Prack`].
        body: Option<Body>,
    },
    /// The first 2xx. When the INVITE had no offer the body is one, and wants [`Action::Ack`].
    Answered {
        /// Which.
        dialog: DialogKey,
        /// The answer; `None` also when it was given before, and has changed since.
        body: Option<Body>,
        /// The response.
        response: Arc<Message>,
    },
    /// A refusal, a timeout (408) or a broken transport (503).
    Refused {
        /// Which.
        dialog: DialogKey,
        /// 300 to 699.
        code: u16,
        /// The phrase.
        reason: String,
        /// Try again after this.
        retry_after: Option<Duration>,
        /// Their Reason header.
        reason_header: Option<String>,
        /// Where else, says a 3xx, preferred first. Whether that is followed is decided upstairs.
        contacts: Vec<Uri>,
    },
    /// Our 2xx was acknowledged: the call stands.
    Acked {
        /// Which.
        dialog: DialogKey,
        /// The answer to our offer.
        body: Option<Body>,
    },
    /// Our offer in a reliable provisional response was answered.
    Pracked {
        /// Which.
        dialog: DialogKey,
        /// The answer to our offer.
        body: Option<Body>,
    },
    /// They offer other media (`None`: they ask us to). Wants [`Action::RespondReinvite`].
    Reoffer {
        /// Which.
        dialog: DialogKey,
        /// The offer.
        body: Option<Body>,
    },
    /// Their answer to our [`Action::Reinvite`].
    ReAnswered {
        /// Which.
        dialog: DialogKey,
        /// The answer.
        body: Option<Body>,
    },
    /// They do not want our [`Action::Reinvite`]; all stays as it was.
    ReRefused {
        /// Which.
        dialog: DialogKey,
        /// 300 to 699.
        code: u16,
    },
    /// The call is over.
    Ended {
        /// Which.
        dialog: DialogKey,
        /// Who did it.
        by: EndedBy,
        /// Their Reason header.
        reason: Option<String>,
    },
    /// An [`Action::Info`] is answered.
    InfoSent {
        /// Which.
        dialog: DialogKey,
        /// They took it.
        taken: bool,
    },
    /// They ask us to call somebody else in their place. Wants [`Action::RespondRefer`].
    Referred {
        /// Which.
        dialog: DialogKey,
        /// Whom.
        refer: Refer,
    },
    /// Our REFER was taken (2xx), or not.
    ReferAnswered {
        /// Which.
        dialog: DialogKey,
        /// 200 to 699.
        code: u16,
    },
    /// What becomes of it.
    ReferProgress {
        /// Which.
        dialog: DialogKey,
        /// The status of the call that was asked for.
        code: u16,
        /// That was the last word.
        over: bool,
    },
    /// The final answer to a request that makes no dialog, or that there will be none.
    Told {
        /// Which.
        ask: AskKey,
        /// Of the answer; 408 and 503 also when nobody answered or nothing could be sent.
        code: u16,
        /// The answer, if there is one.
        answer: Option<Arc<Message>>,
    },
    /// A digit by INFO.
    InfoDtmf {
        /// Which.
        dialog: DialogKey,
        /// `0-9*#A-D`.
        digit: char,
    },
    /// An address of record has this many bindings now.
    Registered {
        /// Whose.
        tenant: TenantId,
        /// Who.
        user: String,
        /// How many.
        contacts: usize,
    },
    /// An address of record can no longer be reached.
    Unregistered {
        /// Whose.
        tenant: TenantId,
        /// Who.
        user: String,
    },
}

/// What the stack has seen. Only grows, except the last four.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counters {
    /// Requests taken.
    pub requests: u64,
    /// Responses taken.
    pub responses: u64,
    /// Messages that were none.
    pub malformed: u64,
    /// Messages that belonged to nothing.
    pub stray: u64,
    /// Messages sent again by a timer or for a repeated request.
    pub resent: u64,
    /// Requests of ours nobody answered.
    pub timeouts: u64,
    /// Credentials that were wrong.
    pub auth_failures: u64,
    /// Requests refused because a limit was reached.
    pub overload: u64,
    /// New calls, and phones nobody knew, turned away under load.
    pub shed: u64,
    /// New requests dropped because too many came from one address.
    pub limited: u64,
    /// New requests dropped because their address is banned.
    pub barred: u64,
    /// Addresses banned so far.
    pub bans: u64,
    /// Requests sent over UDP above the 1,300 bytes where RFC 3261 18.1.1 advises a stream: they may be lost in fragments.
    pub oversize: u64,
    /// Transactions alive.
    pub transactions: usize,
    /// Dialogs alive, early ones included.
    pub dialogs: usize,
    /// Addresses of record that can be reached.
    pub registered: usize,
    /// Subscriptions alive.
    pub subscriptions: usize,
}
