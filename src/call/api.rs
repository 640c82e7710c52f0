//! What legs may be told and what they say.

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use media::{
    pipe::Pipe,
    wire::{Answerer, Audience, BridgeId, LegId, PlayId, RecordFormat, RecordId, RecordTrouble, Repeat, TapId},
};
use serde::{Deserialize, Serialize};

use super::{Cause, MediaPolicy, PhonePolicies, Quality, trunk};
use crate::{
    base::{TenantId, TrunkId},
    sip::{
        auth::{Credentials, Grant, Revoke},
        dialog::DialogSnapshot,
        locate,
        stack::{self, LampChange, ReferId, SipSettings, Who},
        stir,
        transport::{Flow, PeerId, Source, Transport},
    },
};

/// What happens to the calls.
#[derive(Debug)]
pub enum Input {
    /// For the SIP stack.
    Sip(stack::Input),
    /// From the media engine.
    Media(media::wire::Event),
    /// The core upstairs wants something.
    Do(Action),
    /// Somebody has looked at the seal of a caller ([`Output::Verify`]).
    Verified {
        /// Whose.
        leg: LegId,
        /// Whether it holds.
        seal: Result<(), stir::Fault>,
    },
    /// A deadline may have passed.
    Tick,
}

/// A name and a number to present.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Party {
    /// Number or user name; empty when withheld.
    pub number: String,
    /// Display name.
    pub display: Option<String>,
}

/// What can be rung.
#[derive(Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// Every registered phone of an agent; the first to answer wins.
    Agent {
        /// Whose.
        tenant: TenantId,
        /// The user part of the address of record.
        user: String,
    },
    /// A number by a trunk, as the guard permits it.
    Trunk(trunk::Permit),
}

/// What is played.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Prompt {
    /// A recorded prompt, by its name below the prompt folders.
    File(Arc<str>),
    /// To be spoken.
    Say {
        /// The words.
        text: Arc<str>,
        /// `zh-CN`, `en-US`.
        lang: Arc<str>,
    },
    /// Nothing, for so long.
    Silence(Duration),
    /// A tone.
    Tone {
        /// Frequency.
        hz: u16,
        /// How long, milliseconds.
        ms: u32,
    },
    /// Music by name.
    Music(Arc<str>),
}

/// What a leg may be told.
#[derive(Debug, PartialEq)]
#[expect(missing_docs, reason = "the fields are what their types say")]
pub enum Action {
    /// Call somebody; `leg` is from [`Calls::next_leg`](super::Calls::next_leg). It is offered the codec of the leg `like` first,
    /// so that a bridge of the two is a relay.
    Ring { leg: LegId, to: Endpoint, caller: Party, headers: Vec<(String, String)>, ring_for: Duration, like: Option<LegId> },
    /// Let an incoming caller hear it ring.
    Progress { leg: LegId },
    /// Let an incoming caller hear something before the call is taken and charged for: [`Event::EarlyMedia`] says from when on.
    /// A caller that cannot be sure to get our offer hears it ring instead.
    EarlyMedia { leg: LegId },
    /// Take an incoming call.
    Answer { leg: LegId },
    /// Refuse an incoming call.
    Reject { leg: LegId, cause: Cause },
    /// End a leg, whatever it is doing.
    Hangup { leg: LegId, cause: Cause },
    /// These hear each other.
    Bridge { bridge: BridgeId, legs: Vec<LegId> },
    /// Who hears whom, exactly.
    Audience { bridge: BridgeId, audience: Audience },
    /// Out of its bridge.
    Unbridge { leg: LegId },
    /// Play to a leg.
    Play { leg: LegId, play: PlayId, prompts: Vec<Prompt>, repeat: Repeat },
    /// Stop that.
    StopPlay { leg: LegId, play: PlayId },
    /// Send digits.
    SendDtmf { leg: LegId, digits: String },
    /// Record into a two-channel file.
    Record { record: RecordId, left: Option<LegId>, right: Option<LegId>, path: PathBuf, format: RecordFormat },
    /// Other legs on the channels.
    RecordSides { record: RecordId, left: Option<LegId>, right: Option<LegId> },
    /// Silence instead of sound, or back.
    RecordPause { record: RecordId, paused: bool },
    /// Close the file.
    StopRecord { record: RecordId },
    /// Answer [`Event::Referred`]: below 300 it is done, else the refusal.
    AnswerRefer { leg: LegId, refer: ReferId, code: u16 },
    /// Ask the carrier of a leg to take it away to where the permit leads (REFER). Ends in [`Event::TakenAway`].
    TakeAway { leg: LegId, permit: trunk::Permit },
    /// Answer [`Event::SentOn`]: go where the permit leads, or take it for a refusal.
    Follow { leg: LegId, permit: Option<trunk::Permit> },
    /// Say [`Event::Dialog`] once more: it is somebody else's now.
    Snapshot { leg: LegId },
    /// Copy what a leg says and hears into pipes, until it is stopped or the leg is gone.
    Tap { tap: TapId, leg: LegId, said: Pipe, heard: Option<Pipe> },
    /// No more of that; the pipes are closed.
    StopTap { tap: TapId },
    /// Find out whether a person or a machine has answered: [`Event::Answerer`], and [`Event::Beep`] of a machine.
    WhoAnswered { leg: LegId },
    /// Put the peer on hold by signalling (sendonly), or take it back.
    Hold { leg: LegId, on: bool },
    /// What the phones of colleagues show of a user.
    Lamp { tenant: TenantId, user: String, change: LampChange },
    /// From now on somebody may call with this.
    Grant(Grant),
    /// From now on nobody may any more.
    Revoke(Revoke),
}

/// What the calls want done.
#[derive(Debug)]
pub enum Output {
    /// Send a SIP message.
    Send {
        /// Along this path.
        flow: Flow,
        /// The message.
        bytes: Bytes,
    },
    /// Tell the media engine.
    Media(media::wire::Command),
    /// Make clips of these and play them.
    Play {
        /// To whom.
        leg: LegId,
        /// Under which name.
        play: PlayId,
        /// What.
        prompts: Vec<Prompt>,
        /// Once or for ever.
        repeat: Repeat,
    },
    /// Fetch the certificate and look whether the seal of a caller holds; answer with [`Input::Verified`].
    Verify {
        /// Whose.
        leg: LegId,
        /// What.
        seal: Box<stir::Seal>,
    },
    /// Something the core upstairs must know.
    Event(Event),
}

/// An INVITE nobody has answered yet.
#[derive(Debug, Clone)]
pub struct Arrival {
    /// Its leg.
    pub leg: LegId,
    /// Whose number was dialled.
    pub tenant: TenantId,
    /// Who calls.
    pub who: Who,
    /// The user part of the Request-URI.
    pub dialled: String,
    /// What the caller presents; an authenticated user's own name.
    pub caller: Party,
    /// The number dialled first, before the call was led here, if a trusted trunk says so.
    pub diverted: Option<String>,
    /// Call-ID.
    pub call_id: String,
    /// Where it came from.
    pub source: Source,
    /// The leg it wants to take the place of.
    pub replaces: Option<LegId>,
    /// Who vouches for the caller; none where nobody has looked.
    pub verdict: Option<stir::Verdict>,
}

/// Who ended a leg.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// An action of ours.
    Us,
    /// The other side.
    Peer,
    /// Neither: a timeout, a broken path.
    Network,
}

/// A leg's media as it stands, for the journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LegSnapshot {
    /// Our RTP port.
    pub rtp_port: u16,
    /// Where we send.
    pub remote: SocketAddr,
    /// `pcmu`, `pcma`, `g722`, ...
    pub codec: String,
    /// Our session's id and version in SDP.
    pub session: (u64, u64),
    /// How packets are protected: `sdes`, `dtls`; empty: not. Never the keys.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub security: String,
    /// The trunk it goes by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trunk: Option<TrunkId>,
}

/// What happened to a leg.
#[derive(Debug)]
#[expect(missing_docs, reason = "the fields are what their types say")]
pub enum Event {
    /// Somebody calls.
    Arrived(Arrival),
    /// The called phone rings.
    Ringing { leg: LegId },
    /// Sound flows before the answer: what a called number says, or what this caller is to be played.
    EarlyMedia { leg: LegId },
    /// Up: media is agreed and flows.
    Answered { leg: LegId },
    /// The peer put us on hold, or took us back.
    Held { leg: LegId, on: bool },
    /// A digit was pressed (RFC 4733 or INFO).
    Digit { leg: LegId, digit: char },
    /// The phone of this leg wants it handed on: to a number or name, or to whom another leg of it talks with (attended). Wants
    /// [`Action::AnswerRefer`].
    Referred { leg: LegId, refer: ReferId, to: String, replaces: Option<LegId> },
    /// The carrier has the caller where they were to go, and the leg may be hung up; or it has not, and here is the permit back.
    TakenAway { leg: LegId, permit: Option<trunk::Permit> },
    /// The call of a leg is to go elsewhere, says the callee's side (3xx): from the number called to one of these, preferred
    /// first. Wants [`Action::Follow`].
    SentOn { leg: LegId, from: String, to: Vec<String> },
    /// A playback is over.
    Played { leg: LegId, play: PlayId, finished: bool },
    /// The digits are out.
    DtmfSent { leg: LegId },
    /// A recording is closed.
    Recorded { record: RecordId, duration: Duration, bytes: u64, trouble: Option<RecordTrouble> },
    /// A recording is in trouble.
    RecordTrouble { record: RecordId, trouble: RecordTrouble },
    /// The reader of a tap was too slow for so much.
    TapLost { tap: TapId, lost: Duration },
    /// Nothing was heard from the peer for the time the settings name.
    Silent { leg: LegId },
    /// Nothing has been heard from the peer for a while, or something again: one way of the sound is broken.
    Unheard { leg: LegId, on: bool },
    /// What comes from the peer is sound of nobody, for a while: a muted or dead microphone.
    Muted { leg: LegId },
    /// Who has answered, as far as can be told by the sound.
    Answerer { leg: LegId, by: Answerer },
    /// The machine that has answered records from now on.
    Beep { leg: LegId },
    /// The leg is gone and its port is free. Exactly once per leg.
    Ended { leg: LegId, cause: Cause, by: By, quality: Option<Quality> },
    /// An agent's phones: how many can be rung.
    Registered { tenant: TenantId, user: String, contacts: usize },
    /// None any more.
    Unregistered { tenant: TenantId, user: String },
    /// A registrar of ours has answered, or has not: 408. Without a code: a trunk that registers with us is there, or no longer.
    TrunkRegistered { tenant: TenantId, trunk: TrunkId, on: bool, code: Option<u16> },
    /// A call that was let out is over: its number in the books, how long it was up, what it cost (millionths).
    CalledOut { tenant: TenantId, permit: u64, talked_s: u64, spent: u64 },
    /// A carrier does not answer any more, or does again.
    TrunkUp { tenant: TenantId, trunk: TrunkId, up: bool },
    /// The dialog stands or has changed: what a restart needs.
    Dialog { leg: LegId, snapshot: Box<DialogSnapshot>, media: LegSnapshot },
}

/// A carrier, resolved.
#[derive(Debug, Clone)]
pub struct TrunkTarget {
    /// Datagram or stream.
    pub transport: Transport,
    /// Where calls are sent.
    pub place: Place,
    /// Where else, in this order, when nobody answers there (RFC 3263 4.3).
    pub next: Vec<locate::Target>,
    /// The host as written, for URIs.
    pub host: String,
    /// The port as written, for URIs; none when the name servers say it.
    pub port: Option<u16>,
    /// Which transport it wants is for the name servers to say, and where they say nothing, ours to choose.
    pub open: bool,
    /// Whose certificate it must show over TLS.
    pub peer: Option<PeerId>,
    /// When it asks.
    pub credentials: Option<Credentials>,
    /// Most calls at once.
    pub max_calls: Option<u32>,
    /// What is spoken with it.
    pub media: MediaPolicy,
    /// Everything else.
    pub policy: trunk::Policy,
}

/// Where the calls out by a trunk go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// To this address.
    At(SocketAddr),
    /// To wherever it has registered with us, under this name of the tenant's realm. Transport, further places and the peer's
    /// certificate mean nothing then: the registration says them.
    Registered(String),
}

impl TrunkTarget {
    /// An exchange that registers with us under `user`; `realm` stands for its host in URIs.
    pub fn registered(user: &str, realm: &str) -> Self {
        TrunkTarget { place: Place::Registered(user.to_owned()), ..Self::new(Transport::Udp, ([0, 0, 0, 0], 0).into(), realm) }
    }

    /// The first address, if it is known.
    pub fn addr(&self) -> Option<SocketAddr> {
        match self.place {
            Place::At(addr) => Some(addr),
            Place::Registered(_) => None,
        }
    }

    /// A carrier at an address, and nothing special about it.
    pub fn new(transport: Transport, addr: SocketAddr, host: &str) -> Self {
        let media = MediaPolicy::default();
        let policy = trunk::Policy::default();
        TrunkTarget {
            transport,
            place: Place::At(addr),
            next: Vec::new(),
            host: host.to_owned(),
            port: None,
            open: false,
            peer: None,
            credentials: None,
            max_calls: None,
            media,
            policy,
        }
    }
}

/// The addresses peers reach our RTP ports at, one of each family the ports are bound on. Without any, it is the address a peer
/// reached our signalling at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MediaAddrs {
    /// IPv4.
    pub v4: Option<Ipv4Addr>,
    /// IPv6.
    pub v6: Option<Ipv6Addr>,
}

impl MediaAddrs {
    /// The one for a peer of a family; the other one where the ports are not bound on that: a peer that speaks both can take it.
    pub fn towards(&self, v6: bool) -> Option<IpAddr> {
        let (v4_addr, v6_addr) = (self.v4.map(IpAddr::V4), self.v6.map(IpAddr::V6));
        if v6 { v6_addr.or(v4_addr) } else { v4_addr.or(v6_addr) }
    }
}

/// What the calls need to know of the world.
#[derive(Debug, Clone)]
pub struct CallSettings {
    /// For the stack.
    pub sip: Arc<SipSettings>,
    /// Where peers reach our RTP ports.
    pub media: MediaAddrs,
    /// Carriers.
    pub trunks: BTreeMap<(TenantId, TrunkId), TrunkTarget>,
    /// Several of them under one name.
    pub groups: BTreeMap<(TenantId, TrunkId), Vec<trunk::Member>>,
    /// A leg nothing is heard from for so long is given up; `None`: never.
    pub media_timeout: Option<Duration>,
    /// Packet time we ask for, milliseconds.
    pub ptime_ms: u8,
    /// What is spoken with phones and strangers.
    pub phones: BTreeMap<TenantId, PhonePolicies>,
    /// SHA-256 of the certificate the engine shows in DTLS handshakes. `None`: no browsers; they are refused with 488.
    pub fingerprint: Option<[u8; 32]>,
}
