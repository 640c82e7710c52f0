//! The machine: every leg of the node, the stack under them, and the one way a leg ends.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use bytes::Bytes;
use media::wire::{self, Audience, Codec, Command, Ice, LegId, Remote, Security, Stats};

use super::{
    Action, By, CallSettings, Cause, Event, Figures, Handshake, Input, LegSnapshot, MediaPolicy, Output, Quality,
    lamps::Lit,
    quality::Meter,
    trunk::{Permit, Trunks},
};
use crate::{
    base::{Admission, Deadlines, Mono, Now, Rng, TenantId, TrunkId},
    sdp::{self, Session},
    sip::{
        msg::{Headers, Name},
        stack::{self, Counters, DialogKey, Stack, TrailId},
        transport::Flow,
    },
};

/// All legs of a node.
#[derive(Debug)]
pub struct Calls {
    pub(super) settings: Arc<CallSettings>,
    pub(super) stack: Stack,
    pub(super) rng: Rng,
    pub(super) legs: BTreeMap<LegId, Leg>,
    pub(super) dialogs: BTreeMap<DialogKey, LegId>,
    pub(super) timers: Deadlines<LegId>,
    pub(super) figures: Figures,
    pub(super) trunks: Trunks,
    /// Whose messages are kept: which Call-IDs each leg has had.
    pub(super) ladders: BTreeMap<LegId, Vec<TrailId>>,
    next_leg: u64,
}

/// One leg.
#[derive(Debug)]
pub(super) struct Leg {
    pub state: State,
    /// The dialog that counts: the caller's, or the phone that answered.
    pub dialog: Option<DialogKey>,
    /// The path of its signalling.
    pub flow: Option<Flow>,
    /// The port, once bound.
    pub port: Option<u16>,
    /// True from Open until Closed or OpenFailed.
    pub media_open: bool,
    /// Our SDP session id.
    pub session_id: u64,
    /// Our last description.
    pub ours: Option<Session>,
    /// An offer that has no answer yet, and whether it holds the peer.
    pub offered: Option<(Session, bool)>,
    /// What was agreed last.
    pub agreed: Option<Remote>,
    /// What is spoken with this peer.
    pub policy: MediaPolicy,
    /// The codec that would make a relay of the bridge this leg is meant for.
    pub prefer: Option<Codec>,
    /// Our credentials, when the port was opened for a peer that checks connectivity.
    pub ice: Option<Ice>,
    /// Why media could not be agreed on, for the Warning header.
    pub why: Option<&'static str>,
    /// How it sounds.
    pub meter: Meter,
    /// How the handshake for its keys went.
    pub handshake: Option<Handshake>,
    /// Nothing has been heard of it for a while, and people have been told.
    pub unheard: bool,
    /// We want the peer on hold.
    pub hold: bool,
    /// The peer has us on hold.
    pub held: bool,
    /// Keys that go out one by one in INFO.
    pub keys: VecDeque<char>,
    /// The trunk it goes by, for its call limit.
    pub trunk: Option<(TenantId, TrunkId)>,
    /// The lamp it lights.
    pub lamp: Option<super::lamps::Lit>,
    /// Where it has been sent on to (3xx).
    pub sent_on: Vec<String>,
    /// Its carrier has been asked to take it away to where this leads.
    pub taking: Option<Box<Permit>>,
    /// For whom it is made, should it be sent on.
    pub asked: Option<Box<(super::Party, Headers)>>,
}

/// Where a leg is. Data that exists in one state only lives there.
#[derive(Debug)]
pub(super) enum State {
    /// A caller waits for our decision.
    Arrived { offer: Option<Session> },
    /// We answer as soon as the port is bound; `early`: with sound only.
    Opening { offer: Option<Session>, early: bool },
    /// 183 with our description is out; the caller hears us and waits.
    Early,
    /// 200 is out, ACK is not in.
    Answering,
    /// Our call goes out as soon as the port is bound.
    Dialling(Box<super::outgoing::Dial>),
    /// Phones ring.
    Ringing(super::outgoing::Ringing),
    /// Both sides talk.
    Up,
    /// The signalling is over; the port is being given back.
    Closing { cause: Cause, by: By },
}

impl Leg {
    pub fn new(state: State, policy: MediaPolicy, rng: &mut Rng) -> Self {
        Leg {
            state,
            dialog: None,
            flow: None,
            port: None,
            media_open: false,
            // RFC 8866 5.2: numeric; kept below 2^53 for peers that read it into a double.
            session_id: rng.u64() >> 11,
            ours: None,
            offered: None,
            agreed: None,
            policy,
            prefer: None,
            ice: None,
            why: None,
            meter: Meter::default(),
            handshake: None,
            unheard: false,
            hold: false,
            held: false,
            keys: VecDeque::new(),
            trunk: None,
            lamp: None,
            sent_on: Vec::new(),
            taking: None,
            asked: None,
        }
    }
}

impl Calls {
    /// No legs yet.
    pub fn new(settings: Arc<CallSettings>, mut rng: Rng) -> Self {
        let stack = Stack::new(settings.sip.clone(), rng.fork(), stack::Timers::default());
        Calls {
            settings,
            stack,
            rng,
            legs: BTreeMap::new(),
            dialogs: BTreeMap::new(),
            timers: Deadlines::default(),
            figures: Figures::default(),
            trunks: Trunks::new(),
            ladders: BTreeMap::new(),
            next_leg: 0,
        }
    }

    /// From now on the world looks like this; calls in progress go on.
    pub fn settings(&mut self, settings: Arc<CallSettings>) {
        self.stack.settings(settings.sip.clone());
        self.settings = settings;
        self.trunks.changed();
    }

    /// A leg never used before.
    pub fn next_leg(&mut self) -> LegId {
        self.next_leg += 1;
        LegId(self.next_leg)
    }

    /// How many legs there are.
    pub fn len(&self) -> usize {
        self.legs.len()
    }

    /// True when there is none.
    pub fn is_empty(&self) -> bool {
        self.legs.is_empty()
    }

    /// Whether this leg is there, if only to be closed.
    pub fn has(&self, leg: LegId) -> bool {
        self.legs.contains_key(&leg)
    }

    /// Every leg there is.
    pub fn leg_ids(&self) -> impl Iterator<Item = LegId> {
        self.legs.keys().copied()
    }

    /// Whether a leg's signalling is over and only its port is still to be given back.
    pub fn is_closing(&self, leg: LegId) -> bool {
        self.legs.get(&leg).is_some_and(|l| matches!(l.state, State::Closing { .. }))
    }

    /// Whether an agent has a phone that can be rung.
    pub fn reachable(&self, tenant: &TenantId, user: &str) -> bool {
        !self.stack.bindings(tenant, user).is_empty()
    }

    /// From now on so many new calls are let in.
    pub fn admission(&mut self, admission: Admission) {
        self.stack.admission(admission);
    }

    /// What the stack has seen.
    pub fn counters(&self) -> Counters {
        self.stack.counters()
    }

    /// When to be handed a `Tick`.
    pub fn deadline(&self) -> Option<Mono> {
        let trunks = self.trunks.deadline(&self.settings);
        [self.stack.deadline(), self.timers.next(), trunks].into_iter().flatten().min()
    }

    /// One thing that happens, and everything that follows.
    pub fn handle(&mut self, now: Now, input: Input, out: &mut Vec<Output>) {
        match input {
            Input::Sip(i) => self.stack_input(now, i, out),
            Input::Media(e) => self.media_event(now, e, out),
            Input::Do(a) => self.act(now, a, out),
            Input::Verified { leg, seal } => self.verified(now, leg, seal, out),
            Input::Tick => {
                self.stack_input(now, stack::Input::Tick, out);
                while let Some(leg) = self.timers.pop_due(now.mono) {
                    self.ring_over(now, leg, out);
                }
                self.trunks_tick(now, out);
            }
        }
        for (tenant, permit, talked_s, spent) in self.trunks.guard.ended() {
            out.push(Output::Event(Event::CalledOut { tenant, permit, talked_s, spent }));
        }
    }

    fn act(&mut self, now: Now, action: Action, out: &mut Vec<Output>) {
        let mut media = |c| out.push(Output::Media(c));
        match action {
            Action::Ring { leg, to, caller, headers, ring_for, like } => {
                let prefer = like.and_then(|l| self.codec_of(l));
                self.ring(now, leg, to, caller, headers, ring_for, prefer, out);
            }
            Action::Progress { leg } => self.progress(now, leg, out),
            Action::EarlyMedia { leg } => self.early_media(now, leg, out),
            Action::Answer { leg } => {
                self.answer(now, leg, out);
                self.lamp(now, leg, out);
            }
            Action::Reject { leg, cause } | Action::Hangup { leg, cause } => self.hang_up(now, leg, cause, By::Us, out),
            Action::Bridge { bridge, legs } => {
                let legs: Vec<LegId> = legs.into_iter().filter(|l| self.live(*l)).collect();
                media(Command::Bridge { bridge, audience: Audience::all(&legs) });
            }
            Action::Audience { bridge, mut audience } => {
                audience.rows.retain(|(leg, _)| self.live(*leg));
                audience.rows.iter_mut().for_each(|(_, speakers)| speakers.retain(|leg| self.live(*leg)));
                media(Command::Bridge { bridge, audience });
            }
            Action::Unbridge { leg } if self.live(leg) => media(Command::Unbridge { leg }),
            Action::Play { leg, play, prompts, repeat } => match self.live(leg) {
                true => out.push(Output::Play { leg, play, prompts, repeat }),
                // Nobody waits for ever for a sound to a leg that is gone.
                false => out.push(Output::Event(Event::Played { leg, play, finished: false })),
            },
            Action::StopPlay { leg, play } if self.live(leg) => media(Command::StopPlay { leg, play }),
            Action::SendDtmf { leg, digits } if self.live(leg) => self.send_digits(now, leg, digits, out),
            Action::Unbridge { .. } | Action::StopPlay { .. } | Action::SendDtmf { .. } => {}
            Action::Record { record, left, right, path, format } => {
                let (left, right) = (left.filter(|l| self.live(*l)), right.filter(|l| self.live(*l)));
                media(Command::Record { record, left, right, path, format });
            }
            Action::RecordSides { record, left, right } => {
                let (left, right) = (left.filter(|l| self.live(*l)), right.filter(|l| self.live(*l)));
                media(Command::RecordSides { record, left, right });
            }
            Action::RecordPause { record, paused } => media(Command::RecordPause { record, paused }),
            Action::StopRecord { record } => media(Command::StopRecord { record }),
            Action::AnswerRefer { leg, refer, code } => self.answer_refer(now, leg, refer, code, out),
            Action::Snapshot { leg } => self.tell_dialog(leg, out),
            Action::TakeAway { leg, permit } => self.take_away(now, leg, permit, out),
            Action::Follow { leg, permit } => self.follow(now, leg, permit, out),
            Action::Tap { tap, leg, said, heard } if self.live(leg) => {
                media(Command::Tap { tap, leg, said: Some(said), heard });
            }
            // Whoever reads must not wait for what never comes.
            Action::Tap { said, heard, .. } => [said].iter().chain(&heard).for_each(media::pipe::Pipe::close),
            Action::StopTap { tap } => media(Command::StopTap { tap }),
            Action::WhoAnswered { leg } if self.live(leg) => self.detect(leg, true, out),
            Action::WhoAnswered { .. } => {}
            Action::Hold { leg, on } => self.hold(now, leg, on, out),
            Action::Grant(grant) => self.stack_input(now, stack::Input::Grant(grant), out),
            Action::Revoke(which) => self.stack_input(now, stack::Input::Revoke(which), out),
            Action::Lamp { tenant, user, change } => self.sip(now, stack::Action::Lamp { tenant, user, change }, out),
        }
    }

    pub(super) fn live(&self, leg: LegId) -> bool {
        self.legs.get(&leg).is_some_and(|l| l.media_open && !matches!(l.state, State::Closing { .. }))
    }

    pub(super) fn sip(&mut self, now: Now, action: stack::Action, out: &mut Vec<Output>) {
        self.stack_input(now, stack::Input::Do(action), out);
    }

    fn stack_input(&mut self, now: Now, input: stack::Input, out: &mut Vec<Output>) {
        let mut said = Vec::new();
        self.stack.handle(now, input, &mut said);
        for o in said {
            match o {
                stack::Output::Send { flow, bytes } => out.push(Output::Send { flow, bytes }),
                stack::Output::Event(e) => self.sip_event(now, e, out),
            }
        }
    }

    fn sip_event(&mut self, now: Now, event: stack::Event, out: &mut Vec<Output>) {
        use stack::Event as E;
        match event {
            E::Incoming { dialog, request, source, tenant, who, replaces } => {
                let user =
                    if let stack::Who::User { tenant, user } = &who { Some((tenant.clone(), user.clone())) } else { None };
                let trunk = if let stack::Who::Trunk(t) = &who { Some((tenant.clone(), t.clone())) } else { None };
                if trunk.as_ref().is_some_and(|key| self.trunk_full(now, dialog, key, out)) {
                    return;
                }
                self.incoming(now, dialog, &request, source, (tenant, who), replaces, out);
                if let Some(l) = self.dialogs.get(&dialog).and_then(|leg| self.legs.get_mut(leg)) {
                    l.trunk = trunk;
                    l.lamp = user.map(|user| Lit::new(user, true));
                }
                self.lamp_of(now, dialog, out);
            }
            E::Referred { dialog, refer } => self.referred(now, dialog, refer, out),
            E::ReferAnswered { dialog, code } => self.refer_answered(now, dialog, code, out),
            E::ReferProgress { dialog, code, over } => self.refer_progress(now, dialog, code, over, out),
            E::Told { ask, code, answer } => self.trunk_told(now, ask, code, answer, out),
            E::Registered { tenant, user, contacts } => out.push(Output::Event(self.reach(tenant, user, contacts))),
            E::Unregistered { tenant, user } => out.push(Output::Event(self.reach(tenant, user, 0))),
            E::Cancelled { dialog, reason } => {
                let told = reason.as_deref().and_then(Cause::from_reason).filter(|c| *c == Cause::ElsewhereAnswered);
                self.ended(now, dialog, told.unwrap_or(Cause::CallerGaveUp), By::Peer, out);
            }
            E::Progress { dialog, code, body } => {
                self.trunk_progress(dialog, code);
                self.progressed(dialog, code, body, out);
                self.lamp_of(now, dialog, out);
            }
            E::Pracked { dialog, body } => self.pracked(now, dialog, body, out),
            E::InfoSent { dialog, taken } => self.info_sent(now, dialog, taken, out),
            E::Answered { dialog, body, .. } => {
                self.trunk_answered(now, dialog);
                self.peer_answered(now, dialog, body, out);
                self.lamp_of(now, dialog, out);
            }
            E::Refused { dialog, code, reason_header, retry_after, contacts, .. } => {
                if !self.trunk_refused(now, dialog, code, retry_after, out) && !self.sent_on(dialog, code, &contacts, out) {
                    self.peer_refused(now, dialog, code, reason_header.as_deref(), out);
                }
            }
            E::Acked { dialog, body } => {
                self.acked(now, dialog, body, out);
                self.lamp_of(now, dialog, out);
            }
            E::Reoffer { dialog, body } => self.reoffered(now, dialog, body, out),
            E::ReAnswered { dialog, body } => self.reanswered(now, dialog, body, out),
            E::ReRefused { dialog, code } => self.rerefused(dialog, code),
            E::InfoDtmf { dialog, digit } => {
                if let Some(&leg) = self.dialogs.get(&dialog) {
                    out.push(Output::Event(Event::Digit { leg, digit }));
                }
            }
            E::Ended { dialog, by, reason } => {
                let (cause, by) = match by {
                    stack::EndedBy::Local => (Cause::Normal, By::Us),
                    stack::EndedBy::Remote => {
                        (reason.as_deref().and_then(Cause::from_reason).unwrap_or(Cause::Normal), By::Peer)
                    }
                    stack::EndedBy::Timeout | stack::EndedBy::Network => (Cause::Network, By::Network),
                };
                self.ended(now, dialog, cause, by, out);
            }
        }
    }

    fn media_event(&mut self, now: Now, event: wire::Event, out: &mut Vec<Output>) {
        use wire::Event as E;
        let say = |e, out: &mut Vec<Output>| out.push(Output::Event(e));
        match event {
            E::Opened { leg, rtp_port } => self.opened(now, leg, rtp_port, out),
            E::OpenFailed { leg, error } => {
                tracing::warn!(?leg, %error, "no media port");
                if let Some(l) = self.legs.get_mut(&leg) {
                    l.media_open = false;
                }
                match self.legs.get(&leg).map(|l| &l.state) {
                    Some(State::Closing { .. }) => self.closed(now, leg, None, out),
                    Some(_) => self.hang_up(now, leg, Cause::Congestion, By::Us, out),
                    None => {}
                }
            }
            E::Closed { leg, stats } => {
                if let Some(l) = self.legs.get_mut(&leg) {
                    l.media_open = false;
                    // The engine gave the port up by itself: the call cannot go on.
                    if !matches!(l.state, State::Closing { .. }) {
                        self.hang_up(now, leg, Cause::Internal, By::Us, out);
                    } else {
                        self.closed(now, leg, Some(stats), out);
                    }
                }
            }
            E::Latched { .. } => {}
            E::Secured { leg } => self.shook_hands(leg, Handshake::Done),
            E::Stats { leg, stats } => self.reported(now, leg, stats, out),
            E::Silent { leg } => self.silent(leg, out),
            E::Quiet { leg } if self.legs.get(&leg).is_some_and(|l| !l.hold && !l.held) => say(Event::Muted { leg }, out),
            // The peer has shown a certificate that is not the one it announced, or none: nothing may flow.
            E::Unsecured { leg, reason } => {
                tracing::warn!(?leg, reason, "no keys for the sound");
                self.shook_hands(leg, Handshake::of(reason));
                self.hang_up(now, leg, Cause::Internal, By::Us, out);
            }
            // Asked for by nobody here.
            E::Quiet { .. } | E::Voice { .. } => {}
            E::Answerer { leg, by } => say(Event::Answerer { leg, by }, out),
            E::Beep { leg } => say(Event::Beep { leg }, out),
            E::TapLost { tap, lost } => say(Event::TapLost { tap, lost }, out),
            E::Digit { leg, digit, .. } => say(Event::Digit { leg, digit }, out),
            E::Played { leg, play, finished } => say(Event::Played { leg, play, finished }, out),
            E::DtmfSent { leg } => say(Event::DtmfSent { leg }, out),
            E::Recorded { record, duration, bytes, trouble } => say(Event::Recorded { record, duration, bytes, trouble }, out),
            E::RecordTrouble { record, trouble } => say(Event::RecordTrouble { record, trouble }, out),
        }
    }

    fn opened(&mut self, now: Now, leg: LegId, port: u16, out: &mut Vec<Output>) {
        let Some(l) = self.legs.get_mut(&leg) else { return };
        l.port = Some(port);
        match l.state {
            State::Opening { early: true, .. } => self.early_now(now, leg, out),
            State::Opening { .. } => self.answer_now(now, leg, out),
            State::Dialling(_) => self.dial_now(now, leg, out),
            _ => {}
        }
        self.lamp(now, leg, out);
    }

    // ---- the end of a leg ----

    /// Ends a leg from our side, whatever it is doing.
    pub(super) fn hang_up(&mut self, now: Now, leg: LegId, cause: Cause, by: By, out: &mut Vec<Output>) {
        let Some(l) = self.legs.get_mut(&leg) else { return };
        if matches!(l.state, State::Closing { .. }) {
            return;
        }
        self.timers.clear(&leg);
        let was = std::mem::replace(&mut l.state, State::Closing { cause, by });
        let (dialog, why) = (l.dialog, l.why);
        match (was, dialog) {
            (State::Arrived { .. } | State::Opening { .. } | State::Early, Some(dialog)) => {
                let (code, phrase) = cause.status();
                let mut headers = reason(cause);
                if code == 503 {
                    // By chance, that they do not all come back together.
                    headers.push(Name::RetryAfter, 5 + self.rng.below(26));
                }
                if let Some(why) = why {
                    // Miscellaneous, by us (RFC 3261 20.43): a person reads it.
                    headers.push(Name::Warning, format!("399 ringdesk \"{why}\""));
                }
                self.sip(now, stack::Action::Respond { dialog, code, reason: phrase.into(), headers, body: None }, out);
            }
            (State::Answering | State::Up, Some(dialog)) => {
                self.sip(now, stack::Action::Bye { dialog, headers: reason(cause) }, out);
            }
            (State::Ringing(r), _) => self.cancel_all(now, r, None, cause, out),
            _ => {}
        }
        self.release(now, leg, out);
    }

    /// The peer, or the path to it, ended the dialog.
    fn ended(&mut self, now: Now, dialog: DialogKey, cause: Cause, by: By, out: &mut Vec<Output>) {
        let Some(leg) = self.dialogs.remove(&dialog) else { return };
        let Some(l) = self.legs.get_mut(&leg) else { return };
        // A phone that lost the race, or our own hang-up echoed.
        if l.dialog != Some(dialog) || matches!(l.state, State::Closing { .. }) {
            return;
        }
        l.state = State::Closing { cause, by };
        self.timers.clear(&leg);
        self.release(now, leg, out);
    }

    /// Gives the port back; the leg is over when the engine says so.
    pub(super) fn release(&mut self, now: Now, leg: LegId, out: &mut Vec<Output>) {
        self.lamp(now, leg, out);
        match self.legs.get(&leg).is_some_and(|l| l.media_open) {
            true => out.push(Output::Media(Command::Close { leg })),
            false => self.closed(now, leg, None, out),
        }
    }

    fn closed(&mut self, now: Now, leg: LegId, stats: Option<Stats>, out: &mut Vec<Output>) {
        let Some(mut l) = self.legs.remove(&leg) else { return };
        self.trunk_leg_over(now, leg);
        if let Some(permit) = l.taking.take() {
            self.trunks.guard.over(now.mono, permit.id());
        }
        self.dialogs.retain(|_, l| *l != leg);
        if let State::Closing { cause, by } = l.state {
            let quality = stats.map(|stats| {
                l.meter.report(now, stats);
                Quality { handshake: l.handshake, ..l.meter.whole() }
            });
            quality.iter().for_each(|q| self.figures.add(q));
            out.push(Output::Event(Event::Ended { leg, cause, by, quality }));
        }
    }

    // ---- descriptions ----

    /// Puts what was agreed in force and says so upstairs the first time.
    pub(super) fn agree(&mut self, leg: LegId, agreed: sdp::Agreed, out: &mut Vec<Output>) {
        let Some(l) = self.legs.get_mut(&leg) else { return };
        let changed = l.agreed.as_ref() != Some(&agreed.remote);
        l.agreed = Some(agreed.remote.clone());
        if changed {
            out.push(Output::Media(Command::Agree { leg, remote: agreed.remote }));
        }
        if changed && matches!(l.state, State::Up) {
            // Silence counts from here: the one before was the hold's.
            self.watch(leg, out);
        }
        if let Some(l) = self.legs.get_mut(&leg).filter(|l| l.held != agreed.hold) {
            l.held = agreed.hold;
            out.push(Output::Event(Event::Held { leg, on: agreed.hold }));
        }
    }

    /// The leg stands: its dialog is written down, silence is watched for.
    pub(super) fn up(&mut self, leg: LegId, out: &mut Vec<Output>) {
        let Some(l) = self.legs.get_mut(&leg) else { return };
        l.state = State::Up;
        self.timers.clear(&leg);
        self.watch(leg, out);
        self.detect(leg, false, out);
        self.tell_dialog(leg, out);
        out.push(Output::Event(Event::Answered { leg }));
    }

    pub(super) fn tell_dialog(&self, leg: LegId, out: &mut Vec<Output>) {
        let Some(l) = self.legs.get(&leg) else { return };
        let (Some(dialog), Some(port), Some(remote)) = (l.dialog, l.port, &l.agreed) else { return };
        let Some(snapshot) = self.stack.snapshot(dialog) else { return };
        let codec = sdp::codec_name(remote.codec);
        let version = l.ours.as_ref().map_or(1, |s| s.origin.version);
        let security = match remote.security {
            Security::Clear => "",
            Security::Sdes { .. } => "sdes",
            Security::Dtls { .. } => "dtls",
        };
        let media = LegSnapshot {
            rtp_port: port,
            remote: remote.rtp,
            codec: codec.into(),
            session: (l.session_id, version),
            security: security.into(),
            trunk: l.trunk.as_ref().map(|(_, t)| t.clone()),
        };
        out.push(Output::Event(Event::Dialog { leg, snapshot: Box::new(snapshot), media }));
    }
}

/// A Reason header (RFC 3326) for a cause.
pub(super) fn reason(cause: Cause) -> Headers {
    let mut h = Headers::new();
    h.push(Name::Reason, cause.reason_header());
    h
}

/// A description as a message body.
pub(super) fn body(session: &Session) -> stack::Body {
    ("application/sdp".into(), Bytes::from(session.write()))
}
