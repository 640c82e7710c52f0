//! Phones around a shard in virtual time, for its tests: they speak a tone, keep what they hear, and their network may lose,
//! repeat and reorder.

use std::{net::SocketAddr, time::Duration};

use super::{Out, Plane, Setup, Shard, Slot};
use crate::{
    codec::{Decoder, Encoder},
    dtmf,
    limits::FRAME,
    measure::tone_dbfs,
    record::{Job, timeline::Timeline},
    rtp::{HEADER, Header, parse, write_header},
    time::{At, Chance},
    tone,
    wire::{Audience, BridgeId, Codec, Command, Event, LegId, Opus, Rate, RecordFormat, RecordId, Remote},
};

/// What the shard did.
#[derive(Default)]
pub(super) struct Did {
    pub sent: Vec<(Slot, Plane, SocketAddr, Vec<u8>)>,
    pub events: Vec<Event>,
    pub jobs: Vec<Job>,
}

impl Out for Did {
    fn send(&mut self, slot: Slot, plane: Plane, to: SocketAddr, packet: &[u8]) {
        self.sent.push((slot, plane, to, packet.to_vec()));
    }
    fn event(&mut self, event: Event) {
        self.events.push(event);
    }
    fn record(&mut self, job: Job) -> bool {
        self.jobs.push(job);
        true
    }
    fn gone(&mut self, _: Slot) {}
}

/// One far end.
pub(super) struct Phone {
    pub leg: LegId,
    pub slot: Slot,
    pub at: SocketAddr,
    pub codec: Codec,
    /// What it says; `None`: it sends nothing.
    pub hz: Option<f64>,
    pub seq: u16,
    pub ts: u32,
    pub ssrc: u32,
    /// Every RTP packet it got, and the sound in them.
    pub got: Vec<(At, Header)>,
    pub heard: Vec<i16>,
    pub events: Vec<(Header, dtmf::Payload)>,
    /// Descriptions of silence.
    pub comfort: Vec<(At, Header, Vec<u8>)>,
    pub rtcp: Vec<Vec<u8>>,
    voice: Vec<i16>,
    /// Samples said so far.
    said: usize,
    mouth: Option<(Codec, Encoder)>,
    ear: Option<(Codec, Decoder)>,
}

/// The payload type a phone uses for a codec.
pub(super) fn pt(codec: Codec) -> u8 {
    match codec {
        Codec::Opus => 111,
        Codec::L16(_) => 96,
        other => other.static_pt().expect("the others have one"),
    }
}

pub(super) struct World {
    pub shard: Shard,
    pub now: At,
    pub did: Did,
    pub phones: Vec<Phone>,
    pub chance: Chance,
    /// Percent of the packets on their way to the shard that are lost, repeated, and held back up to 60 ms.
    pub bad: (u32, u32, u32),
    late: Vec<(At, usize, Vec<u8>)>,
}

pub(super) const EVENT_PT: u8 = 101;
pub(super) const COMFORT_PT: u8 = 13;

impl Phone {
    /// What it will say, a second of it.
    pub fn say(&mut self, voice: Vec<i16>) {
        self.voice = voice;
    }

    /// Its microphone is dead: it goes on sending, silence.
    pub fn mute(&mut self) {
        self.voice.fill(0);
    }
}

impl World {
    pub fn new() -> Self {
        let shard = Shard::new(Setup { seed: 7, ntp_at_zero: 0x1234 << 32 });
        let now = At(1_000_000_000);
        Self { shard, now, did: Did::default(), phones: Vec::new(), chance: Chance::new(3), bad: (0, 0, 0), late: Vec::new() }
    }

    pub fn remote(&self, n: usize) -> Remote {
        let p = &self.phones[n];
        let event = EVENT_PT + n as u8 % 8;
        Remote { dtmf_pt: Some((event, EVENT_PT)), ..Remote::plain(p.at, p.codec, pt(p.codec)) }
    }

    /// A phone whose leg is open and agreed. Its index; its leg has the same number.
    pub fn phone(&mut self, codec: Codec, hz: Option<f64>) -> usize {
        let n = self.phones.len();
        let leg = LegId(n as u64);
        let slot = self.shard.open(self.now, leg).expect("room");
        let voice = hz.map_or(Vec::new(), |hz| tone::sine(hz, -12.0, Duration::from_secs(1)).pcm.into_vec());
        self.phones.push(Phone {
            leg,
            slot,
            at: SocketAddr::from(([198, 51, 100, n as u8 + 1], 4_000)),
            codec,
            hz,
            seq: 65_500,
            ts: u32::MAX - 4_000 * n as u32,
            ssrc: 100 + n as u32,
            got: Vec::new(),
            heard: Vec::new(),
            events: Vec::new(),
            comfort: Vec::new(),
            rtcp: Vec::new(),
            voice,
            said: 0,
            mouth: None,
            ear: None,
        });
        let remote = self.remote(n);
        self.tell(Command::Agree { leg, remote });
        n
    }

    pub fn tell(&mut self, c: Command) {
        self.shard.command(self.now, c, &mut self.did);
    }

    pub fn bridge(&mut self, id: u64, phones: &[usize]) {
        let legs: Vec<LegId> = phones.iter().map(|n| self.phones[*n].leg).collect();
        self.tell(Command::Bridge { bridge: BridgeId(id), audience: Audience::all(&legs) });
    }

    pub fn record(&mut self, id: u64, left: Option<usize>, right: Option<usize>) {
        let leg = |n: Option<usize>| n.map(|n| self.phones[n].leg);
        let (left, right, path) = (leg(left), leg(right), "x.wav".into());
        self.tell(Command::Record { record: RecordId(id), left, right, path, format: RecordFormat::Wav });
    }

    /// The bytes of one packet.
    pub fn rtp(h: Header, payload: &[u8]) -> Vec<u8> {
        let mut p = vec![0; HEADER];
        write_header(&h, p.first_chunk_mut().expect("twelve bytes"));
        p.extend_from_slice(payload);
        p
    }

    /// From wherever, straight to the shard.
    pub fn packet(&mut self, slot: Slot, plane: Plane, from: SocketAddr, mut bytes: Vec<u8>) {
        self.shard.packet(self.now, slot, plane, from, &mut bytes, &mut self.did);
    }

    /// From a phone, over its network.
    pub fn phone_sends(&mut self, n: usize, bytes: Vec<u8>) {
        let mut happens = |percent: u32| self.chance.word() % 100 < percent;
        let (lost, twice, late) = (happens(self.bad.0), happens(self.bad.1), happens(self.bad.2));
        if lost {
            return;
        }
        if late {
            let by = Duration::from_millis(u64::from(self.chance.word() % 60));
            return self.late.push((self.now + by, n, bytes));
        }
        let (slot, at) = (self.phones[n].slot, self.phones[n].at);
        if twice {
            self.packet(slot, Plane::Rtp, at, bytes.clone());
        }
        self.packet(slot, Plane::Rtp, at, bytes);
    }

    /// An event packet from a phone: takes a sequence number, not a timestamp.
    pub fn event(&mut self, n: usize, ts: u32, marker: bool, payload: dtmf::Payload) {
        let p = &mut self.phones[n];
        let h = Header { marker, pt: EVENT_PT, seq: p.seq, ts, ssrc: p.ssrc };
        p.seq = p.seq.wrapping_add(1);
        self.phone_sends(n, Self::rtp(h, &payload.bytes()));
    }

    /// A phone presses a key for 100 ms; 100 ms later it is ready for the next. Its voice is silent meanwhile.
    pub fn press(&mut self, n: usize, code: u8) {
        let voice = self.phones[n].hz.take();
        let (ts, frame) = (self.phones[n].ts, self.phones[n].codec.clock_hz() / 50);
        for i in 1..=7u16 {
            let duration = i.min(5) * frame as u16;
            self.event(n, ts, i == 1, dtmf::Payload { code, end: i >= 5, volume: 10, duration });
            self.run(20);
        }
        self.run(60);
        self.phones[n].ts = ts.wrapping_add(10 * frame);
        self.phones[n].hz = voice;
    }

    /// Time passes; phones speak every 20 ms, the shard ticks when it wants to.
    pub fn run(&mut self, ms: u64) {
        for _ in 0..ms / 5 {
            if self.now.0.is_multiple_of(20_000_000) {
                (0..self.phones.len()).for_each(|n| self.speak(n));
            }
            let now = self.now;
            for (_, n, bytes) in self.late.extract_if(.., |l| l.0 <= now).collect::<Vec<_>>() {
                let (slot, at) = (self.phones[n].slot, self.phones[n].at);
                self.packet(slot, Plane::Rtp, at, bytes);
            }
            if self.shard.deadline().is_some_and(|d| d <= self.now) {
                self.shard.tick(self.now, &mut self.did);
            }
            self.deliver();
            self.now = self.now + Duration::from_millis(5);
        }
    }

    fn speak(&mut self, n: usize) {
        let p = &mut self.phones[n];
        if p.hz.is_none() {
            return;
        }
        let start = p.said % 8_000;
        p.said += FRAME;
        p.mouth.take_if(|m| m.0 != p.codec);
        let (_, encoder) = p.mouth.get_or_insert_with(|| (p.codec, Encoder::new(p.codec, Rate::K8, Opus::default())));
        let mut payload = [0; 1_400];
        let length = encoder.encode(&p.voice[start..start + FRAME], &mut payload);
        let h = Header { marker: false, pt: pt(p.codec), seq: p.seq, ts: p.ts, ssrc: p.ssrc };
        (p.seq, p.ts) = (p.seq.wrapping_add(1), p.ts.wrapping_add(p.codec.clock_hz() / 50));
        self.phone_sends(n, Self::rtp(h, &payload[..length]));
    }

    fn deliver(&mut self) {
        for (slot, plane, to, bytes) in std::mem::take(&mut self.did.sent) {
            let port = |p: &Phone| if plane == Plane::Rtp { p.at.port() } else { p.at.port() + 1 };
            let p = self.phones.iter_mut().find(|p| p.at.ip() == to.ip() && port(p) == to.port());
            let p = p.unwrap_or_else(|| panic!("a packet to a stranger: {to}"));
            assert_eq!(p.slot, slot, "sent from the wrong port");
            if plane == Plane::Rtcp {
                p.rtcp.push(bytes);
                continue;
            }
            let (h, payload) = parse(&bytes).expect("we send valid packets");
            p.got.push((self.now, h));
            if h.pt == pt(p.codec) {
                p.ear.take_if(|e| e.0 != p.codec);
                let (_, decoder) = p.ear.get_or_insert_with(|| (p.codec, Decoder::new(p.codec, Rate::K8)));
                let mut pcm = [0; 960];
                let n = decoder.decode(&bytes[payload], &mut pcm);
                p.heard.extend_from_slice(&pcm[..n]);
            } else if h.pt == COMFORT_PT {
                p.comfort.push((self.now, h, bytes[payload].to_vec()));
            } else {
                p.events.push((h, dtmf::Payload::parse(&bytes[payload]).expect("an event")));
            }
        }
    }

    /// Level at `hz` of the last `ms` a phone heard; silence if it did not hear that much.
    pub fn hears(&self, n: usize, hz: f64, ms: usize) -> f64 {
        let heard = &self.phones[n].heard;
        heard.len().checked_sub(ms * 8).map_or(-120.0, |start| tone_dbfs(&heard[start..], hz))
    }

    pub fn digits(&self, leg: LegId) -> String {
        let digit = |e: &Event| match e {
            Event::Digit { leg: l, digit, .. } if *l == leg => Some(*digit),
            _ => None,
        };
        self.did.events.iter().filter_map(digit).collect()
    }

    /// The two channels of what was handed to the writer, of the one recording there is.
    pub fn recorded(&self) -> (Vec<i16>, Vec<i16>) {
        let (mut timeline, mut all) = (Timeline::default(), Vec::new());
        let mut page = |at: u64, pcm: &[i16]| {
            all.resize(at as usize * 2, 0);
            all.extend_from_slice(pcm);
        };
        for job in &self.did.jobs {
            match job {
                Job::Open { .. } => {}
                Job::Block { until, block, .. } => timeline.take(*until, block, &mut page),
                Job::Pause { at, paused, .. } => timeline.pause(*at, *paused, &mut page),
                Job::Close { at, .. } => timeline.close(*at, &mut page),
            }
        }
        (all.iter().step_by(2).copied().collect(), all.iter().skip(1).step_by(2).copied().collect())
    }
}
