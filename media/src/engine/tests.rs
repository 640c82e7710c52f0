//! The engine on real sockets: few and short, because what it decides is tested on the shard. Nothing sleeps: every wait is
//! for an event or a packet, with a deadline.

use std::{
    net::{Ipv4Addr, SocketAddr, UdpSocket},
    ops::RangeInclusive,
    path::PathBuf,
    sync::{
        Mutex,
        atomic::{AtomicU32, Ordering::Relaxed},
        mpsc::{self, Receiver},
    },
    time::Duration,
};

use super::*;
use crate::{
    codec::{Decoder, Encoder},
    measure::{level_dbfs, tone_dbfs},
    rtp::{HEADER, Header, parse, write_header},
    tone,
    wire::{Audience, BridgeId, Clip, Codec, Opus, PlayId, Rate, RecordFormat, RecordTrouble, Remote, Repeat},
};

const PATIENCE: Duration = Duration::from_secs(10);

/// A row of free ports, each given once in this run. It lies below the ports the system gives away by itself: one of those
/// may be taken by any phone of any test before the engine comes to it.
fn free_row(count: u16) -> RangeInclusive<u16> {
    const LOW: u32 = 10_000;
    const HIGH: u32 = 32_000;
    static NEXT: AtomicU32 = AtomicU32::new(0);
    // Where this run begins is the process's own, for the case that two runs go on at once.
    let begin = std::process::id().wrapping_mul(512);
    for _ in 0..HIGH - LOW {
        let from = begin.wrapping_add(NEXT.fetch_add(u32::from(count), Relaxed)) % (HIGH - LOW - u32::from(count)) + LOW;
        let lo = u16::try_from(from).expect("below 32,000").next_multiple_of(2);
        let row = lo..=lo + count - 1;
        if row.clone().all(|p| UdpSocket::bind((Ipv4Addr::LOCALHOST, p)).is_ok()) {
            return row;
        }
    }
    panic!("no {count} free ports in a row between {LOW} and {HIGH}");
}

struct Rig {
    engine: Engine,
    events: Receiver<Event>,
}

impl Rig {
    /// An engine with room for so many pairs somewhere nobody is.
    fn new(pairs: u16, threads: usize) -> Self {
        let (send, events) = mpsc::channel();
        let send = Mutex::new(send);
        let config = EngineConfig { bind: Ipv4Addr::LOCALHOST.into(), ports: free_row(2 * pairs), threads, pin: true };
        let engine = Engine::start(config, move |e| {
            // The test may be over before the engine is.
            let _ = send.lock().expect("no panic").send(e);
        });
        Self { engine: engine.expect("threads"), events }
    }

    /// The next event that is wanted; others are passed over.
    fn wait<T>(&self, what: &str, wanted: impl Fn(&Event) -> Option<T>) -> T {
        loop {
            let e = self.events.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("waited in vain for {what}"));
            if let Some(t) = wanted(&e) {
                return t;
            }
        }
    }

    fn open(&self, leg: u64) -> Phone {
        let leg = LegId(leg);
        self.engine.send(Command::Open { leg, port: None, ice: None });
        let port = self.wait("Opened", |e| match e {
            Event::Opened { leg: l, rtp_port } if *l == leg => Some(*rtp_port),
            Event::OpenFailed { error, .. } => panic!("{error}"),
            _ => None,
        });
        let phone = Phone::new(leg, port);
        let at = phone.socket.local_addr().expect("bound");
        self.engine.send(Command::Agree { leg, remote: remote(at) });
        phone
    }
}

fn remote(at: SocketAddr) -> Remote {
    let dtmf_pt = Some((101, 101));
    Remote { rtcp: SocketAddr::new(at.ip(), 9), dtmf_pt, ..Remote::plain(at, Codec::Pcma, 8) }
}

struct Phone {
    leg: LegId,
    socket: UdpSocket,
    to: SocketAddr,
    seq: u16,
}

impl Phone {
    fn new(leg: LegId, port: u16) -> Self {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        socket.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        Self { leg, socket, to: (Ipv4Addr::LOCALHOST, port).into(), seq: 0 }
    }

    /// So many frames of a clip, all at once.
    fn say(&mut self, clip: &Clip, frames: usize) {
        for frame in clip.pcm.chunks_exact(160).take(frames) {
            let mut p = [0; HEADER + 160];
            let h = Header { marker: false, pt: 8, seq: self.seq, ts: u32::from(self.seq) * 160, ssrc: self.leg.0 as u32 };
            write_header(&h, p.first_chunk_mut().expect("twelve bytes"));
            Encoder::new(Codec::Pcma, Rate::K8, Opus::default()).encode(frame, &mut p[HEADER..]);
            self.socket.send_to(&p, self.to).expect("sent");
            self.seq += 1;
        }
    }

    /// So many packets, which must follow one another.
    fn hear(&self, packets: usize) -> Vec<i16> {
        self.listen(packets, |_| true)
    }

    /// The same without counting silence: who is alone in a bridge for a moment hears some.
    fn hear_sound(&self, packets: usize) -> Vec<i16> {
        self.listen(packets, |pcm| level_dbfs(pcm) > -60.0)
    }

    fn listen(&self, packets: usize, counts: impl Fn(&[i16]) -> bool) -> Vec<i16> {
        let (mut heard, mut before, mut n) = (Vec::new(), None::<u16>, 0);
        while n < packets {
            let mut bytes = [0; 2_048];
            let (length, from) =
                self.socket.recv_from(&mut bytes).unwrap_or_else(|e| panic!("{:?} heard {n} packets: {e}", self.leg));
            assert_eq!(from, self.to, "symmetric RTP");
            let (h, payload) = parse(&bytes[..length]).expect("RTP");
            assert!(before.is_none_or(|b| h.seq == b.wrapping_add(1)));
            before = Some(h.seq);
            let mut pcm = [0; 480];
            let samples = Decoder::new(Codec::Pcma, Rate::K8).decode(&bytes[payload], &mut pcm);
            if counts(&pcm[..samples]) {
                heard.extend_from_slice(&pcm[..samples]);
                n += 1;
            }
        }
        heard
    }
}

fn near(level: f64, wanted: f64) -> bool {
    (level - wanted).abs() < 1.0
}

#[test]
fn legs_that_began_on_different_threads_are_bridged_and_lose_nothing() {
    let rig = Rig::new(60, 3);
    let mut phones: Vec<Phone> = (0..40).map(|n| rig.open(n)).collect();
    for pair in phones.chunks(2) {
        let audience = Audience::all(&[pair[0].leg, pair[1].leg]);
        rig.engine.send(Command::Bridge { bridge: BridgeId(pair[0].leg.0), audience });
        // The answer comes after the bridge is there.
        rig.engine.send(Command::Report { leg: pair[0].leg });
        rig.wait("Stats", |e| matches!(e, Event::Stats { .. }).then_some(()));
    }
    let (low, high) = (tone::sine(440.0, -12.0, Duration::from_secs(1)), tone::sine(1_000.0, -12.0, Duration::from_secs(1)));
    for pair in phones.chunks_mut(2) {
        let [a, b] = pair else { continue };
        a.say(&low, 25);
        b.say(&high, 25);
        assert!(near(tone_dbfs(&b.hear_sound(25), 440.0), -12.0) && near(tone_dbfs(&a.hear_sound(25), 1_000.0), -12.0));
    }
    // Everybody changes partners: groups move as a whole, again and again.
    for round in 1..4 {
        phones.rotate_left(round);
        for pair in phones.chunks_mut(2) {
            let [a, b] = pair else { continue };
            let audience = Audience::all(&[a.leg, b.leg]);
            rig.engine.send(Command::Bridge { bridge: BridgeId(1_000 * round as u64 + a.leg.0), audience });
            rig.engine.send(Command::Report { leg: a.leg });
            rig.wait("Stats", |e| matches!(e, Event::Stats { .. }).then_some(()));
            a.say(&low, 10);
            assert!(near(tone_dbfs(&b.hear_sound(10), 440.0), -12.0));
        }
    }
    rig.engine.send(Command::Report { leg: LegId(7) });
    let stats = rig.wait("Stats", |e| if let Event::Stats { stats, .. } = e { Some(*stats) } else { None });
    assert_eq!((stats.lost, stats.discarded, stats.foreign), (0, 0, 0));
}

#[test]
fn streams_that_run_while_their_legs_change_threads_lose_nothing_and_stay_in_order() {
    let rig = Rig::new(60, 3);
    // Some ten legs to a thread at the beginning.
    let mut phones: Vec<Phone> = (0..54).map(|n| rig.open(n)).collect();
    let (talking, others) = phones.split_at_mut(36);
    let clip = tone::sine(440.0, -12.0, Duration::from_secs(2));
    for (n, pair) in talking.chunks_mut(2).enumerate() {
        let [a, b] = pair else { continue };
        rig.engine.send(Command::Bridge { bridge: BridgeId(n as u64), audience: Audience::all(&[a.leg, b.leg]) });
        rig.engine.send(Command::Report { leg: a.leg });
        rig.wait("Stats", |e| matches!(e, Event::Stats { .. }).then_some(()));
        a.say(&clip, 30);
        b.say(&clip, 30);
        // A recording of two legs brings them onto one thread, and the rest of their bridges with them.
        let (record, dir) = (RecordId(n as u64), tempfile::tempdir().expect("a folder"));
        let (left, right) = (Some(a.leg), Some(others[n].leg));
        rig.engine.send(Command::Record { record, left, right, path: dir.path().join("r.wav"), format: RecordFormat::Wav });
        a.say(&clip, 60);
        b.say(&clip, 60);
        assert!(near(tone_dbfs(&b.hear_sound(90), 440.0), -12.0) && near(tone_dbfs(&a.hear_sound(90), 440.0), -12.0));
    }
}

#[test]
fn a_stranger_who_sends_to_every_port_gets_no_answer() {
    let rig = Rig::new(8, 1);
    let phone = rig.open(1);
    let play =
        Command::Play { leg: phone.leg, play: PlayId(1), clips: vec![Arc::new(tone::hold_music())], repeat: Repeat::Forever };
    rig.engine.send(play);
    phone.hear(2);
    let mut stranger = Phone::new(LegId(66), phone.to.port());
    stranger.say(&tone::beep(), 10);
    stranger.to.set_port(phone.to.port() + 1);
    stranger.say(&tone::beep(), 5);
    // By then the shard has been round its sockets several times.
    phone.hear(10);
    rig.engine.send(Command::Close { leg: phone.leg });
    let stats = rig.wait("Closed", |e| if let Event::Closed { stats, .. } = e { Some(*stats) } else { None });
    assert_eq!((stats.foreign, stats.packets_in), (15, 0));
    stranger.socket.set_nonblocking(true).expect("possible");
    assert!(stranger.socket.recv_from(&mut [0; 2_048]).is_err(), "the port is closed, and nothing ever came");
}

#[test]
fn a_caller_who_talks_into_a_prompt_is_counted_packet_by_packet_and_heard_by_the_agent_from_the_first_word() {
    let rig = Rig::new(8, 1);
    let (mut caller, agent) = (rig.open(1), rig.open(2));
    let play =
        Command::Play { leg: caller.leg, play: PlayId(1), clips: vec![Arc::new(tone::hold_music())], repeat: Repeat::Forever };
    rig.engine.send(play);
    let clip = tone::sine(440.0, -12.0, Duration::from_secs(1));
    // A word now and then, over many turns of the shard, while the music plays.
    for _ in 0..20 {
        caller.say(&clip, 3);
        caller.hear(2);
    }
    let leg = caller.leg;
    // What was sent is on its way for a moment.
    let counted = |wanted: u64| {
        let asked = (0..100_000).map(|_| {
            rig.engine.send(Command::Report { leg });
            rig.wait("Stats", |e| match e {
                Event::Stats { leg: l, stats } if *l == leg => Some(*stats),
                _ => None,
            })
        });
        asked.into_iter().find(|s| s.packets_in == wanted).expect("all of them came")
    };
    let stats = counted(60);
    assert_eq!((stats.lost, stats.discarded, stats.foreign), (0, 0, 0));
    rig.engine.send(Command::StopPlay { leg, play: PlayId(1) });
    rig.engine.send(Command::Bridge { bridge: BridgeId(1), audience: Audience::all(&[leg, agent.leg]) });
    rig.engine.send(Command::Report { leg: agent.leg });
    rig.wait("Stats", |e| matches!(e, Event::Stats { leg, .. } if *leg == agent.leg).then_some(()));
    caller.say(&clip, 25);
    assert!(near(tone_dbfs(&agent.hear_sound(25), 440.0), -12.0));
    assert_eq!((counted(85).lost, counted(85).discarded), (0, 0));
}

#[test]
fn a_prompt_is_heard_and_recorded_and_the_file_says_how_long_it_is() {
    let dir = tempfile::tempdir().expect("a folder");
    let path: PathBuf = dir.path().join("2026/call.wav");
    let rig = Rig::new(8, 2);
    let phone = rig.open(1);
    let record = RecordId(1);
    rig.engine.send(Command::Record {
        record,
        left: Some(phone.leg),
        right: None,
        path: path.clone(),
        format: RecordFormat::Wav,
    });
    let clips = vec![Arc::new(tone::sine(1_000.0, -12.0, Duration::from_millis(700)))];
    rig.engine.send(Command::Play { leg: phone.leg, play: PlayId(1), clips, repeat: Repeat::Once });
    assert!(near(tone_dbfs(&phone.hear(35), 1_000.0), -12.0));
    rig.wait("Played", |e| matches!(e, Event::Played { finished: true, .. }).then_some(()));
    rig.engine.send(Command::StopRecord { record });
    let (duration, bytes, trouble) = rig.wait("Recorded", |e| match e {
        Event::Recorded { duration, bytes, trouble, .. } => Some((*duration, *bytes, *trouble)),
        _ => None,
    });
    assert!(duration >= Duration::from_millis(680) && trouble.is_none(), "{duration:?} {trouble:?}");
    assert_eq!(bytes, std::fs::metadata(&path).expect("a file").len());
    let mut wav = hound::WavReader::open(&path).expect("a WAV file");
    let right: Vec<i16> = wav.samples::<i16>().map(|s| s.expect("whole")).skip(1).step_by(2).collect();
    assert!(tone_dbfs(&right[..5_440], 1_000.0) > -14.0);
    // Nowhere to write: said, and the call goes on.
    let record = RecordId(2);
    rig.engine.send(Command::Record {
        record,
        left: Some(phone.leg),
        right: None,
        path: "/proc/nowhere/x.wav".into(),
        format: RecordFormat::Wav,
    });
    let trouble = rig.wait("trouble", |e| if let Event::RecordTrouble { trouble, .. } = e { Some(*trouble) } else { None });
    assert_eq!(trouble, RecordTrouble::Io);
    let clips = vec![Arc::new(tone::beep())];
    rig.engine.send(Command::Play { leg: phone.leg, play: PlayId(2), clips, repeat: Repeat::Once });
    rig.wait("Played", |e| matches!(e, Event::Played { finished: true, .. }).then_some(()));
}

#[test]
fn when_the_ports_run_out_it_is_said_and_a_closed_leg_makes_room() {
    let rig = Rig::new(4, 2);
    let mut open = Vec::new();
    let mut failed = 0;
    for leg in 0..8 {
        rig.engine.send(Command::Open { leg: LegId(leg), port: None, ice: None });
        match rig.wait("an answer", |e| Some(e.clone())) {
            Event::Opened { leg, rtp_port } => open.push((leg, rtp_port)),
            Event::OpenFailed { error: OpenError::NoPorts { .. }, .. } => failed += 1,
            other => panic!("{other:?}"),
        }
    }
    // Another process may sit in our range.
    assert!((1..=4).contains(&open.len()) && failed == 8 - open.len(), "{open:?}");
    assert!(open.iter().all(|(_, port)| port % 2 == 0));
    let (leg, port) = open[0];
    rig.engine.send(Command::Open { leg: LegId(50), port: Some(port), ice: None });
    let error = rig.wait("a refusal", |e| if let Event::OpenFailed { error, .. } = e { Some(error.clone()) } else { None });
    assert_eq!(error, OpenError::InUse { port });
    rig.engine.send(Command::Close { leg });
    rig.wait("Closed", |e| matches!(e, Event::Closed { .. }).then_some(()));
    rig.engine.send(Command::Open { leg: LegId(51), port: None, ice: None });
    rig.wait("Opened", |e| matches!(e, Event::Opened { leg: LegId(51), .. }).then_some(()));
}

#[test]
fn stopping_the_engine_closes_every_leg_and_every_recording() {
    let dir = tempfile::tempdir().expect("a folder");
    let rig = Rig::new(8, 2);
    let phones: Vec<Phone> = (0..3).map(|n| rig.open(n)).collect();
    for (n, p) in phones.iter().enumerate() {
        let path = dir.path().join(format!("{n}.wav"));
        rig.engine.send(Command::Record {
            record: RecordId(n as u64),
            left: Some(p.leg),
            right: None,
            path,
            format: RecordFormat::Wav,
        });
    }
    let Rig { engine, events } = rig;
    let shared = engine.shared.clone();
    engine.shutdown();
    let said: Vec<Event> = events.try_iter().collect();
    let closed = said.iter().filter(|e| matches!(e, Event::Closed { .. })).count();
    let recorded = said.iter().filter(|e| matches!(e, Event::Recorded { trouble: None, .. })).count();
    assert_eq!((closed, recorded), (3, 3), "{said:?}");
    assert_eq!(shared.ports.count(), (8, 8));
}

#[test]
fn settings_that_cannot_work_are_refused_at_the_start_by_name() {
    let start = |bind: &str, ports| {
        let config = EngineConfig { bind: bind.parse().expect("an address"), ports, threads: 1, pin: false };
        Engine::start(config, |_| {}).expect_err("it cannot work").to_string()
    };
    assert!(start("192.0.2.1", 40_000..=40_100).contains("192.0.2.1"));
    assert!(start("127.0.0.1", 40_001..=40_002).contains("40001-40002"));
}

#[test]
fn a_shard_keeps_getting_legs_until_another_has_clearly_less_to_do() {
    let mut load = Load::default();
    for _ in 0..5 {
        load.legs += 1;
    }
    assert!((load.expected() - 5.0 * LEG_LOAD).abs() < 1e-9);
    load.look(At(1_000_000), 900_000);
    assert_eq!(load.legs, 5, "a millisecond says nothing");
    load.look(At(500_000_000), 100_000_000);
    assert!((load.expected() - 0.2).abs() < 1e-9, "what was seen counts, not what was assumed");
    load.legs -= 1;
    assert!(load.expected() < 0.2);
}
