//! A telephone: a real user agent on our own stack and our own offer/answer, with a person in front of it.
//!
//! It registers with digest, calls, rings, answers, declines, hangs up. What it hears is [`FakeMedia`](super::media::FakeMedia)'s
//! to know; which port it listens on is said here.

mod carrier;
mod describe;
mod keys;
mod register;
mod watch;

pub use carrier::Takes;
pub use watch::Watching;

use std::{
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use media::wire::{Codec, Ice, Remote, SrtpKey, SrtpSuite};

use crate::{
    base::{Mono, Now, NumberPattern, Rng, TenantId, redact::Secret},
    sdp::{self, Offering, Session},
    sip::{
        auth::Credentials,
        msg::{Headers, Message, Method, Name, NameAddr, Uri},
        stack::{Action, DialogKey, Event, Input, Listener, Output, SipSettings, Stack, Target, Timers},
        transport::{Flow, Transport},
    },
};

/// What the person does when it rings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Manner {
    /// Nothing: a test decides.
    #[default]
    Ignore,
    /// Picks up after so long.
    Answer(Duration),
    /// Refuses after so long.
    Decline(Duration),
    /// A carrier that cannot: refuses at once with this status, and asks for so many seconds of patience.
    Refuse(u16, Option<u32>),
    /// Sends the caller on to this number (302).
    SendOn(&'static str),
}

/// Where a call of a phone stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Dialled, nothing heard yet.
    Calling,
    /// The other side rings.
    Ringback,
    /// It rings here.
    Ringing,
    /// Connected.
    Up,
    /// Over: the refusal, or 0 when it had been connected.
    Over(u16),
}

/// One call of a phone.
#[derive(Debug, Clone)]
pub struct PhoneCall {
    /// Where it stands.
    pub stage: Stage,
    /// What was dialled, or who is said to call.
    pub other: String,
    /// Our description.
    ours: Option<Session>,
    offer: Option<Bytes>,
    /// What was agreed: where we send.
    pub agreed: Option<Remote>,
    /// Where we listen.
    pub rtp: SocketAddr,
    /// `X-CC-Call-Id` and its like.
    pub marks: Vec<(String, String)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Deed {
    Answer(DialogKey),
    Decline(DialogKey),
    BreakDown(DialogKey, u16),
    Register,
    /// Send the REGISTER again that nobody has answered.
    Again,
    /// The same with a SUBSCRIBE.
    Watch(usize),
    /// Renew a subscription.
    Renew(usize),
}

/// A telephone.
#[derive(Debug)]
pub struct Phone {
    /// Number, or the name it registers under.
    pub user: String,
    /// Where it is.
    pub addr: SocketAddr,
    server: SocketAddr,
    domain: String,
    credentials: Option<Credentials>,
    stack: Stack,
    rng: Rng,
    /// What its person does when it rings.
    pub manner: Manner,
    /// Its calls, old ones included.
    pub calls: BTreeMap<DialogKey, PhoneCall>,
    /// The call spoken of when none is named: the newest that is not over.
    deeds: Vec<(Mono, Deed)>,
    registration: Option<register::Registration>,
    /// True between a 200 to REGISTER and whatever else.
    pub registered: bool,
    next_port: u16,
    /// A second call is refused with 486 while one is on.
    pub one_at_a_time: bool,
    /// Nothing comes out of it any more, whatever goes in.
    pub dead: bool,
    /// The last INVITE that made it ring, for its headers.
    pub rung_by: Option<Arc<Message>>,
    /// What kind of offers it makes, and so what kind of phone it is.
    pub speaks: Offering,
    /// What it can speak, preferred first.
    pub codecs: Vec<Codec>,
    /// Its keys, for offers and answers with SDES.
    pub keys: Vec<SrtpKey>,
    /// Its certificate, if it is a browser.
    pub fingerprint: [u8; 32],
    /// Its credentials, if it is a browser.
    pub ice: Ice,
    /// More headers of its INVITEs: `Require: 100rel`.
    pub extras: Headers,
    /// Which instance it says to be when it registers.
    pub instance: Option<String>,
    /// The address it was given for that.
    pub gruu: Option<String>,
    /// It calls without an offer, and answers ours.
    pub late_offer: bool,
    /// It lets a caller hear something before it is answered.
    pub early: bool,
    /// The address it has in its own house, which is all it knows and says: behind a NAT.
    pub inside: Option<IpAddr>,
    /// What it was told by INFO.
    pub told: String,
    /// Its lamps.
    pub watches: Vec<Watching>,
    /// What was written to it.
    pub pages: Vec<String>,
    /// What it does when asked to call somebody else.
    pub takes: Takes,
    /// Whom it was asked to call.
    pub asked_to_call: Vec<String>,
    /// What became of its transfers, as it was told: 202, 100, 200; or the refusal.
    pub transferred: Vec<(DialogKey, u16)>,
}

impl Phone {
    /// A phone at `addr` that reaches the center at `server`. `password`: it registers and proves who it is.
    pub fn new(user: &str, addr: SocketAddr, server: SocketAddr, domain: &str, password: Option<&str>, mut rng: Rng) -> Phone {
        let tenant = TenantId::parse("phone").expect("a plain word");
        let any = NumberPattern::parse("*").expect("a plain pattern");
        let settings = SipSettings {
            default_tenant: Some(tenant.clone()),
            public_numbers: vec![(tenant, any)],
            user_agent: "a phone".into(),
            listeners: vec![Listener { transport: Transport::Udp, local: addr, public: None }],
            ..SipSettings::default()
        };
        let credentials =
            password.map(|p| Credentials { realm: domain.into(), user: user.into(), password: Secret::new(p), hosts: vec![] });
        let stack = Stack::new(Arc::new(settings), rng.fork(), Timers::default());
        let (key, fingerprint) = (rng.bytes::<30>(), rng.bytes());
        let keys = vec![SrtpKey { suite: SrtpSuite::Aes128Sha1Tag80, key_and_salt: media::wire::Secret(key.into()) }];
        let ice = Ice { ufrag: rng.hex(2), pwd: media::wire::Secret(rng.hex(11).into_bytes().into()) };
        Phone {
            user: user.into(),
            addr,
            server,
            domain: domain.into(),
            credentials,
            stack,
            rng,
            manner: Manner::default(),
            calls: BTreeMap::new(),
            deeds: Vec::new(),
            registration: None,
            registered: false,
            next_port: 20_000,
            one_at_a_time: true,
            dead: false,
            rung_by: None,
            speaks: Offering::Plain,
            codecs: vec![Codec::Pcma, Codec::Pcmu],
            keys,
            fingerprint,
            ice,
            extras: Headers::new(),
            instance: None,
            gruu: None,
            late_offer: false,
            early: false,
            inside: None,
            told: String::new(),
            takes: Takes::default(),
            asked_to_call: Vec::new(),
            watches: Vec::new(),
            pages: Vec::new(),
            transferred: Vec::new(),
        }
    }

    // ---- what a test asks ----

    /// How it proves who it is.
    pub fn credentials(&self) -> Option<&Credentials> {
        self.credentials.as_ref()
    }

    /// The call that is not over, newest first.
    pub fn call(&self) -> Option<(DialogKey, &PhoneCall)> {
        self.calls.iter().rev().find(|(_, c)| !matches!(c.stage, Stage::Over(_))).map(|(k, c)| (*k, c))
    }
    /// Its stage, of the newest call whatever it is.
    pub fn stage(&self) -> Option<Stage> {
        self.call().map(|(_, c)| c.stage).or_else(|| self.calls.values().next_back().map(|c| c.stage))
    }

    // ---- what its person does ----

    /// Dials.
    pub fn dial(&mut self, now: Now, number: &str, out: &mut Vec<(SocketAddr, Bytes)>) {
        let key = self.stack.next_key();
        let rtp = self.port();
        let ours = self.as_browser(rtp, sdp::offer(&self.local(rtp, 1), self.speaks));
        // A stranger is known by the address it calls from; one of ours by the domain it proves to be in.
        let from_host = if self.credentials.is_some() { self.domain.clone() } else { self.addr.ip().to_string() };
        // A whole address may be dialled, too.
        let uri = |user: &str, host: &str| {
            let text = if user.contains('@') { format!("sip:{user}") } else { format!("sip:{user}@{host}") };
            Uri::parse(&text).expect("numbers and names make a URI that can be read")
        };
        let from = NameAddr::new(uri(&self.user, &from_host));
        let to = Target {
            uri: uri(number, &self.domain),
            to: None,
            flow: Flow::udp(self.addr, self.server),
            sticky: true,
            next: vec![],
            routes: vec![],
            open: false,
            elsewhere: None,
        };
        let call = PhoneCall {
            stage: Stage::Calling,
            other: number.into(),
            ours: (!self.late_offer).then(|| ours.clone()),
            offer: None,
            agreed: None,
            rtp,
            marks: Vec::new(),
        };
        self.calls.insert(key, call);
        let invite = Action::Invite {
            dialog: key,
            to,
            from,
            headers: self.extras.clone(),
            body: (!self.late_offer).then(|| body(&ours)),
            credentials: self.credentials.clone(),
        };
        self.feed(now, Input::Do(invite), out);
    }

    /// Picks up what rings.
    pub fn answer(&mut self, now: Now, out: &mut Vec<(SocketAddr, Bytes)>) -> bool {
        let found = self.calls.iter().find(|(_, c)| c.stage == Stage::Ringing).map(|(k, _)| *k);
        found.is_some_and(|key| {
            self.pick_up(now, key, out);
            true
        })
    }

    fn pick_up(&mut self, now: Now, key: DialogKey, out: &mut Vec<(SocketAddr, Bytes)>) {
        let Some(call) = self.calls.get(&key).filter(|c| c.stage == Stage::Ringing) else { return };
        if let Some(ours) = call.ours.clone() {
            return self.take(now, key, &ours, out);
        }
        let local = self.local(call.rtp, 1);
        let offer = call.offer.as_ref().and_then(|b| sdp::parse(b).ok());
        let Some(Ok((ours, agreed))) = offer.map(|o| sdp::answer(&o, &local, None)) else {
            return self.say_no(now, key, 488, out);
        };
        let ours = self.as_browser(call.rtp, ours);
        let call = self.calls.get_mut(&key).expect("it was there on the lines above");
        call.ours = Some(ours.clone());
        call.agreed = Some(agreed.remote);
        self.take(now, key, &ours, out);
    }

    fn take(&mut self, now: Now, key: DialogKey, ours: &Session, out: &mut Vec<(SocketAddr, Bytes)>) {
        let ok =
            Action::Respond { dialog: key, code: 200, reason: String::new(), headers: Headers::new(), body: Some(body(ours)) };
        self.set_stage(key, Stage::Up);
        self.feed(now, Input::Do(ok), out);
    }

    /// Says something to a caller who has not been answered.
    fn speak_early(&mut self, now: Now, key: DialogKey, out: &mut Vec<(SocketAddr, Bytes)>) {
        let Some(call) = self.calls.get(&key) else { return };
        let local = self.local(call.rtp, 1);
        let offer = call.offer.as_ref().and_then(|b| sdp::parse(b).ok());
        let Some(Ok((ours, agreed))) = offer.map(|o| sdp::answer(&o, &local, None)) else { return };
        let ours = self.as_browser(call.rtp, ours);
        let call = self.calls.get_mut(&key).expect("it was there on the lines above");
        call.ours = Some(ours.clone());
        call.agreed = Some(agreed.remote);
        let (reason, headers) = (String::new(), Headers::new());
        let speaks = Action::Respond { dialog: key, code: 183, reason, headers, body: Some(body(&ours)) };
        self.feed(now, Input::Do(speaks), out);
    }

    /// Answers the offer a call of ours without one was sent.
    fn answer_late(&mut self, key: DialogKey, theirs: Option<&(String, Bytes)>) -> Option<(String, Bytes)> {
        let call = self.calls.get(&key).filter(|c| c.ours.is_none())?;
        let offer = theirs.and_then(|(_, b)| sdp::parse(b).ok())?;
        let (ours, agreed) = sdp::answer(&offer, &self.local(call.rtp, 1), None).ok()?;
        let ours = self.as_browser(call.rtp, ours);
        let call = self.calls.get_mut(&key)?;
        call.agreed = Some(agreed.remote);
        call.ours = Some(ours.clone());
        Some(body(&ours))
    }

    /// Refuses what rings.
    pub fn decline(&mut self, now: Now, out: &mut Vec<(SocketAddr, Bytes)>) -> bool {
        let found = self.calls.iter().find(|(_, c)| c.stage == Stage::Ringing).map(|(k, _)| *k);
        found.is_some_and(|key| {
            self.say_no(now, key, 603, out);
            true
        })
    }

    fn say_no(&mut self, now: Now, key: DialogKey, code: u16, out: &mut Vec<(SocketAddr, Bytes)>) {
        let no = Action::Respond { dialog: key, code, reason: String::new(), headers: Headers::new(), body: None };
        if let Some(c) = self.calls.get_mut(&key) {
            c.stage = Stage::Over(code);
        }
        self.feed(now, Input::Do(no), out);
    }

    /// Puts the receiver down, whatever the call is doing.
    pub fn hang_up(&mut self, now: Now, out: &mut Vec<(SocketAddr, Bytes)>) -> bool {
        let Some((key, stage)) = self.call().map(|(k, c)| (k, c.stage)) else { return false };
        let action = match stage {
            Stage::Calling | Stage::Ringback => Action::Cancel { dialog: key, headers: Headers::new() },
            Stage::Ringing => {
                self.say_no(now, key, 603, out);
                return true;
            }
            Stage::Up => Action::Bye { dialog: key, headers: Headers::new() },
            Stage::Over(_) => return false,
        };
        if let Some(c) = self.calls.get_mut(&key) {
            c.stage = Stage::Over(if stage == Stage::Up { 0 } else { 487 });
        }
        self.feed(now, Input::Do(action), out);
        true
    }

    /// Registers, now and again and again.
    pub fn register(&mut self, now: Now) {
        self.deeds.retain(|(_, d)| !matches!(d, Deed::Register | Deed::Again));
        self.deeds.push((now.mono, Deed::Register));
    }

    /// Lets the registration run out.
    pub fn stop_registering(&mut self) {
        self.deeds.retain(|(_, d)| !matches!(d, Deed::Register | Deed::Again));
    }

    /// Pulled out of the wall: it registers no more and forgets its calls. Nobody is told.
    pub fn unplug(&mut self) {
        self.deeds.clear();
        self.registration = None;
        self.registered = false;
        self.stack = Stack::new(self.stack.current_settings().clone(), self.rng.fork(), Timers::default());
        for c in self.calls.values_mut() {
            c.stage = Stage::Over(0);
        }
    }

    // ---- the machine ----

    /// When it wants to be called.
    pub fn deadline(&self) -> Option<Mono> {
        self.stack.deadline().into_iter().chain(self.deeds.iter().map(|(at, _)| *at)).min()
    }

    /// A deadline passed.
    pub fn tick(&mut self, now: Now, out: &mut Vec<(SocketAddr, Bytes)>) {
        if self.stack.deadline().is_some_and(|d| d <= now.mono) {
            self.feed(now, Input::Tick, out);
        }
        while let Some(i) = self.deeds.iter().position(|(at, _)| *at <= now.mono) {
            match self.deeds.remove(i).1 {
                Deed::Answer(key) => self.pick_up(now, key, out),
                Deed::Decline(key) => {
                    if self.calls.get(&key).is_some_and(|c| c.stage == Stage::Ringing) {
                        self.say_no(now, key, 603, out);
                    }
                }
                Deed::BreakDown(key, code) => self.say_no(now, key, code, out),
                Deed::Register => self.register_now(now, out),
                Deed::Again => self.register_again(now, out),
                Deed::Watch(i) => self.watch_again(now, i, out),
                Deed::Renew(i) => self.renew(now, i, out),
            }
        }
    }

    /// Bytes arrived.
    pub fn receive(&mut self, now: Now, from: SocketAddr, bytes: Bytes, out: &mut Vec<(SocketAddr, Bytes)>) {
        if self.dead {
            return;
        }
        let message = Message::parse_datagram(bytes);
        if let Ok(m) = &message
            && m.code().is_some()
            && m.cseq().is_ok_and(|c| c.method == Method::Register)
        {
            return self.register_answered(now, m, out);
        }
        if let Ok(m) = &message
            && self.lamp_message(now, from, m, out)
        {
            return;
        }
        self.feed(now, Input::Received { message, source: Flow::udp(self.addr, from) }, out);
    }

    fn feed(&mut self, now: Now, input: Input, out: &mut Vec<(SocketAddr, Bytes)>) {
        let mut said = Vec::new();
        self.stack.handle(now, input, &mut said);
        for o in said {
            match o {
                Output::Send { flow, bytes } => out.push((flow.remote, bytes)),
                Output::Event(e) => self.event(now, e, out),
            }
        }
    }

    fn event(&mut self, now: Now, event: Event, out: &mut Vec<(SocketAddr, Bytes)>) {
        match event {
            Event::Incoming { dialog, request, .. } => self.rung(now, dialog, &request, out),
            Event::Progress { dialog, body: sound, .. } => {
                self.set_stage(dialog, Stage::Ringback);
                if let Some(answer) = self.answer_late(dialog, sound.as_ref()) {
                    return self.feed(now, Input::Do(Action::Prack { dialog, body: answer }), out);
                }
                self.settle(dialog, sound.as_ref());
            }
            Event::Answered { dialog, body: answer, .. } => {
                if let Some(answer) = self.answer_late(dialog, answer.as_ref()) {
                    self.feed(now, Input::Do(Action::Ack { dialog, body: Some(answer) }), out);
                }
                self.settle(dialog, answer.as_ref());
                self.set_stage(dialog, Stage::Up);
            }
            Event::InfoDtmf { digit, .. } => self.told.push(digit),
            Event::Referred { dialog, refer } => self.asked(now, dialog, &refer, out),
            Event::ReferAnswered { dialog, code } => self.transferred.push((dialog, code)),
            Event::ReferProgress { dialog, code, .. } => self.transferred.push((dialog, code)),
            Event::Pracked { .. } | Event::InfoSent { .. } | Event::Told { .. } => {}
            Event::Cancelled { dialog, .. } => self.set_stage(dialog, Stage::Over(487)),
            Event::Refused { dialog, code, .. } => self.set_stage(dialog, Stage::Over(code)),
            Event::Ended { dialog, .. } => self.set_stage(dialog, Stage::Over(0)),
            Event::Reoffer { dialog, body: offer } => {
                let Some(c) = self.calls.get(&dialog) else { return };
                let (rtp, local, last) = (c.rtp, self.local(c.rtp, 1), c.ours.clone());
                let offer = offer.as_ref().and_then(|(_, b)| sdp::parse(b).ok());
                let answer = offer.and_then(|o| sdp::answer(&o, &local, None).ok());
                let reply = match (answer, last) {
                    (Some((ours, agreed)), Some(last)) => {
                        let ours = self.as_browser(rtp, ours).following(&last);
                        let c = self.calls.get_mut(&dialog).expect("it was there on the lines above");
                        c.ours = Some(ours.clone());
                        c.agreed = Some(agreed.remote);
                        Action::RespondReinvite { dialog, code: 200, body: Some(body(&ours)) }
                    }
                    _ => Action::RespondReinvite { dialog, code: 488, body: None },
                };
                self.feed(now, Input::Do(reply), out);
            }
            Event::ReAnswered { dialog, body } => self.settle(dialog, body.as_ref()),
            Event::Acked { .. } | Event::ReRefused { .. } | Event::Registered { .. } | Event::Unregistered { .. } => {}
        }
    }

    fn settle(&mut self, dialog: DialogKey, theirs: Option<&(String, Bytes)>) {
        let theirs = theirs.and_then(|(_, b)| sdp::parse(b).ok());
        if let Some(c) = self.calls.get_mut(&dialog)
            && let Some((ours, theirs)) = c.ours.as_ref().zip(theirs)
            && let Ok(agreed) = sdp::agreed(ours, &theirs, None)
        {
            c.agreed = Some(agreed.remote);
        }
    }

    fn set_stage(&mut self, dialog: DialogKey, stage: Stage) {
        if let Some(c) = self.calls.get_mut(&dialog).filter(|c| !matches!(c.stage, Stage::Over(_))) {
            c.stage = stage;
        }
    }

    fn rung(&mut self, now: Now, dialog: DialogKey, request: &Message, out: &mut Vec<(SocketAddr, Bytes)>) {
        let busy = self.one_at_a_time && self.call().is_some();
        let rtp = self.port();
        let other = request.from().map(|f| f.uri.user().into_owned()).unwrap_or_default();
        let ours = ["Call-Id", "Offer-Id", "Queue", "Auto-Answer", "Consult", "Reattach", "Callback"];
        let names = ours.map(|n| format!("X-CC-{n}")).into_iter().chain(["Answer-Mode".to_owned()]);
        let marks = names.filter_map(|n| {
            let value = request.headers.get(&Name::parse(n.clone().into())?)?.into_owned();
            Some((n, value))
        });
        let call = PhoneCall {
            stage: Stage::Ringing,
            other,
            ours: None,
            offer: Some(request.body.clone()),
            agreed: None,
            rtp,
            marks: marks.collect(),
        };
        self.calls.insert(dialog, call);
        self.rung_by = Some(Arc::new(request.clone()));
        if busy {
            return self.say_no(now, dialog, 486, out);
        }
        if let Manner::SendOn(number) = self.manner {
            return self.send_on(now, dialog, number, out);
        }
        if let Manner::Refuse(code, patience) = self.manner {
            let mut headers = Headers::new();
            patience.iter().for_each(|s| headers.push(Name::RetryAfter, s));
            self.set_stage(dialog, Stage::Over(code));
            let no = Action::Respond { dialog, code, reason: String::new(), headers, body: None };
            return self.feed(now, Input::Do(no), out);
        }
        let ringing = Action::Respond { dialog, code: 180, reason: String::new(), headers: Headers::new(), body: None };
        self.feed(now, Input::Do(ringing), out);
        if self.early {
            self.speak_early(now, dialog, out);
        }
        match self.manner {
            Manner::Ignore => {}
            Manner::Answer(after) => self.deeds.push((now.mono + after, Deed::Answer(dialog))),
            Manner::Decline(after) => self.deeds.push((now.mono + after, Deed::Decline(dialog))),
            Manner::Refuse(..) | Manner::SendOn(_) => {}
        }
    }

    fn port(&mut self) -> SocketAddr {
        self.next_port = if self.next_port >= 60_000 { 20_000 } else { self.next_port + 2 };
        SocketAddr::new(self.addr.ip(), self.next_port)
    }
}

fn body(session: &Session) -> (String, Bytes) {
    ("application/sdp".into(), Bytes::from(session.write()))
}
