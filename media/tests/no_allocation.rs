//! The way of a packet through the shard takes no memory from the heap. Alone in its program, because it
//! brings its own allocator; counted per thread, because the test harness has threads of its own.
#![allow(unsafe_code)]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
    net::SocketAddr,
    sync::mpsc::{Receiver, SyncSender, sync_channel},
    time::Duration,
};

use media::{
    codec::{Decoder, Encoder, FRAME_MAX},
    detect::Detectors,
    dsp::agc::Agc,
    playout::Playout,
    record::{Block, Job},
    rtp::{HEADER, Header, write_header},
    shard::{Out, Plane, Setup, Shard, Slot},
    srtp::{GROWTH_MAX, Sender},
    time::At,
    wire::{
        Audience, BridgeId, Codec, Command, Detect, Event, LegId, Opus, Rate, RecordFormat, RecordId, Remote, Secret, Security,
        SrtpKey, SrtpSuite,
    },
};

thread_local! {
    static TAKEN: Cell<u64> = const { Cell::new(0) };
}

/// Heap blocks this thread took so far.
fn taken() -> u64 {
    TAKEN.get()
}

struct Counting;

// SAFETY: everything is handed to the system's allocator unchanged; only a number is counted beside it.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // A thread that is ending has no counter any more, and nobody asks for it.
        let _ = TAKEN.try_with(|t| t.set(t.get() + 1));
        // SAFETY: the caller keeps the promises of this very function.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the promises of this very function.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Counts what is sent; blocks of recordings go round as they do between a shard and its writer.
struct Counted(u64, SyncSender<Box<Block>>, Receiver<Box<Block>>);

impl Default for Counted {
    fn default() -> Self {
        let (home, spare) = sync_channel(16);
        Self(0, home, spare)
    }
}

impl Out for Counted {
    fn send(&mut self, _: Slot, _: Plane, _: SocketAddr, _: &[u8]) {
        self.0 += 1;
    }
    fn event(&mut self, _: Event) {}
    fn record(&mut self, job: Job) -> bool {
        if let Job::Block { block, .. } = job {
            block.give_back();
        }
        true
    }
    fn block(&mut self) -> Box<Block> {
        self.2.try_recv().unwrap_or_else(|_| Box::new(Block::new(Some(self.1.clone()))))
    }
    fn gone(&mut self, _: Slot) {}
}

fn peer(n: u64) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, 1], 10_000 + n as u16 * 2))
}

/// Ten seconds of so many phones speaking; heap blocks taken and packets sent after the first second.
fn ten_seconds(codecs: &[Codec], recorded: bool) -> (u64, u64) {
    let (mut s, mut out) = (Shard::new(Setup { seed: 1, ntp_at_zero: 0 }), Counted::default());
    let legs: Vec<LegId> = (0..codecs.len() as u64).map(LegId).collect();
    let mut slots = Vec::new();
    for (leg, codec) in legs.iter().zip(codecs) {
        slots.push(s.open(At(0), *leg).expect("room"));
        let pt = codec.static_pt().expect("G.711");
        let rtcp = SocketAddr::from(([192, 0, 2, 1], 9));
        let remote = Remote { rtcp, dtmf_pt: Some((101, 101)), ..Remote::plain(peer(leg.0), *codec, pt) };
        s.command(At(0), Command::Agree { leg: *leg, remote }, &mut out);
    }
    s.command(At(0), Command::Bridge { bridge: BridgeId(1), audience: Audience::all(&legs) }, &mut out);
    if recorded {
        let (left, right) = (Some(legs[0]), Some(legs[1]));
        let (record, path) = (RecordId(1), "kept nowhere.wav".into());
        s.command(At(0), Command::Record { record, left, right, path, format: RecordFormat::Wav }, &mut out);
    }
    let mut before = (0, 0);
    for n in 0..500u32 {
        if n == 50 {
            before = (taken(), out.0);
        }
        let now = At(0) + Duration::from_millis(20) * n;
        for (i, slot) in slots.iter().enumerate() {
            let mut p = [0x55; HEADER + 160];
            let pt = codecs[i].static_pt().expect("G.711");
            let h = Header { marker: false, pt, seq: n as u16, ts: n * 160, ssrc: i as u32 };
            write_header(&h, p.first_chunk_mut().expect("twelve bytes"));
            s.packet(now, *slot, Plane::Rtp, peer(i as u64), &mut p, &mut out);
        }
        s.tick(now, &mut out);
    }
    (taken() - before.0, out.0 - before.1)
}

#[test]
fn neither_a_relayed_or_recorded_packet_nor_a_mixed_frame_nor_a_report_takes_memory() {
    for recorded in [false, true] {
        let (taken, sent) = ten_seconds(&[Codec::Pcma, Codec::Pcma], recorded);
        assert!(taken == 0 && sent >= 900, "relay, recorded {recorded}: {taken} blocks for {sent} packets");
    }
    let (taken, sent) = ten_seconds(&[Codec::Pcma, Codec::Pcmu, Codec::Pcma], false);
    assert!(taken == 0 && sent >= 1_300, "mix: {taken} blocks for {sent} packets");
}

/// Two phones with keys: opened, relayed, protected again.
#[test]
fn a_packet_opened_and_protected_takes_no_memory() {
    for suite in SrtpSuite::ALL {
        let (key, salt) = suite.lengths();
        let key = SrtpKey { suite, key_and_salt: Secret(vec![7; key + salt].into()) };
        let (mut s, mut out) = (Shard::new(Setup { seed: 1, ntp_at_zero: 0 }), Counted::default());
        let legs = [LegId(0), LegId(1)];
        let mut slots = Vec::new();
        for leg in legs {
            slots.push(s.open(At(0), leg).expect("room"));
            let security = Security::Sdes { send: key.clone(), receive: key.clone() };
            let rtcp = SocketAddr::from(([192, 0, 2, 1], 9));
            let remote = Remote { rtcp, security, ..Remote::plain(peer(leg.0), Codec::Pcma, 8) };
            s.command(At(0), Command::Agree { leg, remote }, &mut out);
        }
        s.command(At(0), Command::Bridge { bridge: BridgeId(1), audience: Audience::all(&legs) }, &mut out);
        let mut phones = [Sender::new(&key).expect("fits"), Sender::new(&key).expect("fits")];
        let mut before = (0, 0);
        for n in 0..300u32 {
            if n == 50 {
                before = (taken(), out.0);
            }
            let now = At(0) + Duration::from_millis(20) * n;
            for (i, phone) in phones.iter_mut().enumerate() {
                let mut p = [0x55; HEADER + 160 + GROWTH_MAX];
                let h = Header { marker: false, pt: 8, seq: n as u16, ts: n * 160, ssrc: i as u32 };
                write_header(&h, p.first_chunk_mut().expect("twelve bytes"));
                let length = phone.protect_rtp(&mut p, HEADER + 160).expect("sendable");
                s.packet(now, slots[i], Plane::Rtp, peer(i as u64), &mut p[..length], &mut out);
            }
            s.tick(now, &mut out);
        }
        let (taken, sent) = (taken() - before.0, out.0 - before.1);
        assert!(taken == 0 && sent >= 500, "{suite:?}: {taken} blocks for {sent} packets");
    }
}

#[test]
fn no_codec_takes_memory_for_a_frame_at_any_rate() {
    for codec in Codec::ALL {
        for rate in [Rate::K8, Rate::K16, Rate::K48] {
            let (mut encoder, mut decoder) = (Encoder::new(*codec, rate, Opus::default()), Decoder::new(*codec, rate));
            let (pcm, mut packet, mut out) = ([500; Rate::K48.samples(20)], [0; 2 * FRAME_MAX], [0; FRAME_MAX]);
            let before = taken();
            let n = encoder.encode(&pcm[..rate.samples(20)], &mut packet);
            assert_eq!(decoder.decode(&packet[..n], &mut out), rate.samples(20));
            decoder.conceal(&mut out[..rate.samples(20)]);
            assert_eq!(taken() - before, 0, "{codec:?} at {rate:?}");
        }
    }
}

#[test]
fn hearing_a_leg_over_a_bad_network_takes_no_memory() {
    let mut playout = Playout::new(Codec::G722, Rate::K16, 1);
    let (mut detectors, mut agc) = (Detectors::default(), Agc::default());
    detectors.look_for(Detect { tones: true, voice: true, answerer: true }, Rate::K16);
    detectors.watch_microphone(Some(Duration::from_secs(1)));
    let (mut frame, before) = ([0; 320], taken());
    for n in 0..2_000u32 {
        let now = At(0) + Duration::from_millis(20) * n;
        // Lost, twice, and after a pause.
        for _ in 0..[1, 1, 0, 2, 1][n as usize % 5] * u32::from(n % 400 < 350) {
            playout.packet(now, n as u16, n * 160, false, &[n as u8; 160]);
        }
        playout.frame(now, &mut frame);
        agc.frame(&mut frame);
        detectors.frame(&frame, false);
    }
    assert_eq!(taken() - before, 0);
    assert!(playout.concealed_ms() > 1_000);
}
