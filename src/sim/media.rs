//! A media engine made of bookkeeping: it answers every command of [`media::wire`] and knows who would hear whom.
//!
//! No sound is made. A prompt lasts as long as somebody would need to say it.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use media::{
    pipe::Pipe,
    wire::{
        Audience, BridgeId, Command, Event, Ice, LegId, OpenError, PlayId, RecordFormat, RecordId, Remote, Repeat, Stats, TapId,
    },
};

use crate::{
    base::{Mono, ms, secs},
    call::Prompt,
};

/// How long the engine takes to bind, to close, to answer.
const LATENCY: Duration = ms(1);

/// What will happen in the engine.
#[derive(Debug, Clone)]
pub enum Soon {
    /// It says this.
    Say(Event),
    /// A playback comes to its end, unless it was stopped.
    Over(LegId, PlayId),
}

/// One leg.
#[derive(Debug, Clone, Default)]
pub struct MediaLeg {
    /// Its port.
    pub port: u16,
    /// Our credentials, when it was opened for a peer that checks connectivity.
    pub ice: Option<Ice>,
    /// What was agreed.
    pub remote: Option<Remote>,
    /// What is played to it, and the words.
    pub playing: Option<(PlayId, String)>,
    /// The bridge it is in.
    pub bridge: Option<BridgeId>,
    /// Who has answered is listened for.
    pub screened: bool,
    opened: Mono,
}

#[derive(Debug, Clone, Copy)]
struct Recording {
    began: Mono,
    /// What it plays so far, up to a pause.
    before: Duration,
    paused: bool,
    sides: (Option<LegId>, Option<LegId>),
}

/// The engine.
#[derive(Debug)]
pub struct FakeMedia {
    /// First and last RTP port.
    pub range: (u16, u16),
    used: BTreeSet<u16>,
    /// The next pair tried: ports are not taken again at once.
    next: u16,
    legs: BTreeMap<LegId, MediaLeg>,
    bridges: BTreeMap<BridgeId, Audience>,
    records: BTreeMap<RecordId, Recording>,
    /// Copies: whose, and where to.
    taps: BTreeMap<TapId, (LegId, Vec<Pipe>)>,
    /// Commands that make no sense to an engine: a bug upstairs.
    pub complaints: Vec<String>,
    /// Names already used by legs.
    seen: BTreeSet<LegId>,
    /// Legs that got no port.
    failed: BTreeSet<LegId>,
}

impl FakeMedia {
    /// An engine with the ports of a range.
    pub fn new(range: (u16, u16)) -> FakeMedia {
        FakeMedia {
            range,
            used: BTreeSet::new(),
            next: range.0,
            legs: BTreeMap::new(),
            bridges: BTreeMap::new(),
            records: BTreeMap::new(),
            taps: BTreeMap::new(),
            complaints: Vec::new(),
            seen: BTreeSet::new(),
            failed: BTreeSet::new(),
        }
    }

    /// The process is gone, and so is all of this.
    pub fn crash(&mut self) {
        *self = FakeMedia { complaints: std::mem::take(&mut self.complaints), ..FakeMedia::new(self.range) };
    }

    /// Legs open now.
    pub fn legs(&self) -> impl Iterator<Item = (&LegId, &MediaLeg)> {
        self.legs.iter()
    }
    /// Ports taken now.
    pub fn ports_used(&self) -> usize {
        self.used.len()
    }
    /// Copies running of what is said on a leg and to it.
    pub fn taps(&self, of: LegId) -> Vec<TapId> {
        self.taps.iter().filter(|(_, (leg, _))| *leg == of).map(|(tap, _)| *tap).collect()
    }
    /// Recordings running now.
    pub fn recordings(&self) -> usize {
        self.records.len()
    }
    /// Those that run.
    pub fn running(&self) -> impl Iterator<Item = RecordId> {
        self.records.keys().copied()
    }
    /// What is on the left and right channel of each.
    pub fn sides(&self) -> impl Iterator<Item = (Option<LegId>, Option<LegId>)> {
        self.records.values().map(|r| r.sides)
    }
    /// The leg that sends to this address; to somebody behind a NAT, once it has heard from there.
    pub fn leg_to(&self, rtp: std::net::SocketAddr) -> Option<LegId> {
        let meant = |r: &Remote| (r.nat.unwrap_or(r.rtp.ip()), r.rtp.port()) == (rtp.ip(), rtp.port());
        self.legs.iter().find(|(_, l)| l.remote.as_ref().is_some_and(meant)).map(|(id, _)| *id)
    }
    /// What a leg hears besides people.
    pub fn plays_to(&self, leg: LegId) -> Option<&str> {
        self.legs.get(&leg)?.playing.as_ref().map(|(_, words)| words.as_str())
    }
    /// Whether `listener` hears `speaker`: in one bridge whose table says so, and nothing played over it.
    pub fn hears(&self, listener: LegId, speaker: LegId) -> bool {
        let Some(l) = self.legs.get(&listener).filter(|l| l.playing.is_none()) else { return false };
        let Some(audience) = l.bridge.and_then(|b| self.bridges.get(&b)) else { return false };
        let row = audience.rows.iter().find(|(who, _)| *who == listener);
        self.legs.contains_key(&speaker) && row.is_some_and(|(_, speakers)| speakers.contains(&speaker))
    }

    /// Does as told; what follows from it comes with a delay.
    pub fn command(&mut self, now: Mono, command: Command, soon: &mut Vec<(Duration, Soon)>) {
        match command {
            Command::Open { leg, port, ice } => {
                self.open(now, leg, port, soon);
                if let Some(l) = self.legs.get_mut(&leg) {
                    l.ice = ice;
                }
            }
            Command::Agree { leg, remote } => match self.legs.get_mut(&leg) {
                Some(l) if remote.ice.is_some() && l.ice.is_none() => {
                    self.complain(format!("{leg:?} was not opened for a peer that checks connectivity"));
                }
                Some(_) if !remote.codec.available() => self.complain(format!("{leg:?} cannot speak {:?}", remote.codec)),
                Some(l) => l.remote = Some(remote),
                None => self.complain(format!("Agree for {leg:?}, which is not open")),
            },
            Command::Close { leg } => self.close(now, leg, soon),
            Command::Bridge { bridge, audience } => self.bridge(bridge, audience),
            Command::Unbridge { leg } => self.unbridge(leg),
            Command::Play { leg, .. } => self.complain(format!("clips for {leg:?} that nobody made")),
            Command::StopPlay { leg, play } => {
                if let Some(l) = self.legs.get_mut(&leg)
                    && l.playing.as_ref().is_some_and(|(p, _)| *p == play)
                {
                    l.playing = None;
                    soon.push((LATENCY, Soon::Say(Event::Played { leg, play, finished: false })));
                }
            }
            Command::SendDtmf { leg, digits, tone, gap } => {
                let n = u32::try_from(digits.len()).unwrap_or(u32::MAX);
                soon.push(((tone + gap) * n, Soon::Say(Event::DtmfSent { leg })));
            }
            Command::Record { record, left, right, path, format } => {
                let ending = if format == RecordFormat::OggOpus { "ogg" } else { "wav" };
                if path.extension().is_none_or(|e| e != ending) {
                    self.complain(format!("{record:?} of {format:?} goes to {}", path.display()));
                }
                for leg in [left, right].into_iter().flatten().filter(|l| !self.legs.contains_key(l)).collect::<Vec<_>>() {
                    self.complain(format!("{record:?} of {leg:?}, which is not open"));
                }
                self.records
                    .insert(record, Recording { began: now, before: Duration::ZERO, paused: false, sides: (left, right) });
            }
            Command::Credentials { leg, ice } => match self.legs.get_mut(&leg) {
                Some(l) if l.ice.is_some() => l.ice = Some(ice),
                _ => self.complain(format!("credentials for {leg:?}, which was not opened for any")),
            },
            Command::RecordSides { record, left, right } => match self.records.get_mut(&record) {
                Some(r) => r.sides = (left, right),
                None => self.complain(format!("other sides for {record:?}, which is not running")),
            },
            Command::RecordPause { record, paused } => {
                if let Some(r) = self.records.get_mut(&record) {
                    r.paused = paused;
                }
            }
            Command::StopRecord { record } => match self.records.remove(&record) {
                Some(r) => {
                    let duration = r.before + (now - r.began);
                    let bytes = 44 + u64::try_from(duration.as_millis()).unwrap_or(0) * 32;
                    soon.push((ms(2), Soon::Say(Event::Recorded { record, duration, bytes, trouble: None })));
                }
                None => self.complain(format!("{record:?} is not running")),
            },
            Command::PlayPipe { leg, .. } => self.complain(format!("a live pipe for {leg:?} that nobody fills")),
            Command::Tap { tap, leg, said: Some(said), heard } => {
                if !self.legs.contains_key(&leg) {
                    self.complain(format!("{tap:?} of {leg:?}, which is not open"));
                }
                self.taps.insert(tap, (leg, [said].into_iter().chain(heard).collect()));
            }
            Command::Tap { tap, .. } => self.complain(format!("{tap:?} of what is heard alone")),
            Command::StopTap { tap } => {
                if let Some((_, pipes)) = self.taps.remove(&tap) {
                    pipes.iter().for_each(Pipe::close);
                }
            }
            Command::Detect { leg, detect } => {
                if let Some(l) = self.legs.get_mut(&leg) {
                    l.screened = detect.answerer;
                }
            }
            Command::WatchSilence { .. } => {}
            Command::Report { leg } => soon.push((LATENCY, Soon::Say(Event::Stats { leg, stats: Stats::default() }))),
        }
    }

    /// Plays prompts that would have become clips.
    pub fn play(&mut self, leg: LegId, play: PlayId, prompts: &[Prompt], repeat: Repeat, soon: &mut Vec<(Duration, Soon)>) {
        let Some(l) = self.legs.get_mut(&leg) else {
            return soon.push((LATENCY, Soon::Say(Event::Played { leg, play, finished: false })));
        };
        let words: Vec<String> = prompts.iter().map(words_of).collect();
        if let Some((old, _)) = l.playing.replace((play, words.join(" "))) {
            soon.push((LATENCY, Soon::Say(Event::Played { leg, play: old, finished: false })));
        }
        if repeat == Repeat::Once {
            soon.push((prompts.iter().map(length_of).sum::<Duration>() + LATENCY, Soon::Over(leg, play)));
        }
    }

    /// A playback came to its end, if it still runs.
    pub fn over(&mut self, leg: LegId, play: PlayId) -> Option<Event> {
        let l = self.legs.get_mut(&leg)?;
        l.playing.take_if(|(p, _)| *p == play)?;
        Some(Event::Played { leg, play, finished: true })
    }

    fn open(&mut self, now: Mono, leg: LegId, port: Option<u16>, soon: &mut Vec<(Duration, Soon)>) {
        if !self.seen.insert(leg) {
            self.complain(format!("{leg:?} is opened a second time"));
        }
        let (lo, hi) = self.range;
        let found = match port {
            Some(p) => Some(p).filter(|p| !self.used.contains(p)).ok_or(OpenError::InUse { port: p }),
            None => {
                let all = (self.next..hi).chain(lo..self.next).filter(|p| p % 2 == 0 && *p < hi);
                let mut free = all.filter(|p| !self.used.contains(p));
                free.next().ok_or(OpenError::NoPorts { lo, hi })
            }
        };
        let event = match found {
            Ok(port) => {
                self.used.insert(port);
                self.next = port + 2;
                self.legs.insert(leg, MediaLeg { port, opened: now, ..MediaLeg::default() });
                Event::Opened { leg, rtp_port: port }
            }
            Err(error) => {
                self.failed.insert(leg);
                Event::OpenFailed { leg, error }
            }
        };
        soon.push((LATENCY, Soon::Say(event)));
    }

    fn close(&mut self, now: Mono, leg: LegId, soon: &mut Vec<(Duration, Soon)>) {
        self.unbridge(leg);
        let Some(l) = self.legs.remove(&leg) else {
            // A close may cross with the word that there was no port.
            return match self.failed.contains(&leg) {
                true => {}
                false => self.complain(format!("Close of {leg:?}, which is not open")),
            };
        };
        self.used.remove(&l.port);
        self.taps.retain(|_, (of, pipes)| {
            if *of == leg {
                pipes.iter().for_each(Pipe::close);
            }
            *of != leg
        });
        if let Some((play, _)) = l.playing {
            soon.push((LATENCY, Soon::Say(Event::Played { leg, play, finished: false })));
        }
        let packets = u64::try_from((now - l.opened).as_millis() / 20).unwrap_or(0);
        let stats = Stats { packets_in: packets, packets_out: packets, ..Stats::default() };
        soon.push((LATENCY, Soon::Say(Event::Closed { leg, stats })));
    }

    fn bridge(&mut self, bridge: BridgeId, audience: Audience) {
        let named: Vec<LegId> = audience.rows.iter().map(|(l, _)| *l).collect();
        for leg in &named {
            let Some(l) = self.legs.get_mut(leg) else {
                self.complain(format!("{bridge:?} of {leg:?}, which is not open"));
                continue;
            };
            let old = l.bridge.replace(bridge).filter(|b| *b != bridge);
            if let Some(old) = old {
                self.leave(old, *leg);
            }
        }
        for (id, l) in &mut self.legs {
            if l.bridge == Some(bridge) && !named.contains(id) {
                l.bridge = None;
            }
        }
        self.bridges.insert(bridge, audience);
    }

    fn unbridge(&mut self, leg: LegId) {
        if let Some(bridge) = self.legs.get_mut(&leg).and_then(|l| l.bridge.take()) {
            self.leave(bridge, leg);
        }
    }

    fn leave(&mut self, bridge: BridgeId, leg: LegId) {
        if let Some(a) = self.bridges.get_mut(&bridge) {
            a.rows.retain(|(l, _)| *l != leg);
            if a.rows.is_empty() {
                self.bridges.remove(&bridge);
            }
        }
    }

    /// Bridges with legs in them.
    pub fn bridges(&self) -> usize {
        self.bridges.len()
    }

    fn complain(&mut self, what: String) {
        if self.complaints.len() < 100 {
            self.complaints.push(what);
        }
    }
}

fn words_of(p: &Prompt) -> String {
    match p {
        Prompt::File(name) => format!("[{name}]"),
        Prompt::Say { text, .. } => text.to_string(),
        Prompt::Silence(_) => "…".into(),
        Prompt::Tone { hz, .. } => format!("♪{hz}"),
        Prompt::Music(name) => format!("♫{name}"),
    }
}

/// Ten letters a second.
fn length_of(p: &Prompt) -> Duration {
    match p {
        Prompt::File(_) => secs(3),
        Prompt::Say { text, .. } => ms(100) * u32::try_from(text.chars().count()).unwrap_or(1),
        Prompt::Silence(d) => *d,
        Prompt::Tone { ms: length, .. } => ms(u64::from(*length)),
        Prompt::Music(_) => secs(60),
    }
}
