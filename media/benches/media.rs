//! What a packet and a frame cost: `cargo bench -p media`.

use std::{hint::black_box, net::SocketAddr, time::Duration};

use criterion::{Criterion, criterion_group, criterion_main};
use media::{
    record::Job,
    rtp::{HEADER, Header, write_header},
    shard::{Out, Plane, Setup, Shard, Slot},
    time::At,
    wire::{Audience, BridgeId, Codec, Command, Event, LegId, Remote},
};

/// A world that takes everything and keeps nothing.
struct Nowhere;
impl Out for Nowhere {
    fn send(&mut self, _: Slot, _: Plane, _: SocketAddr, packet: &[u8]) {
        black_box(packet);
    }
    fn event(&mut self, _: Event) {}
    fn record(&mut self, _: Job) -> bool {
        true
    }
    fn gone(&mut self, _: Slot) {}
}

fn peer(n: u64) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, 1], 10_000 + n as u16 * 2))
}

fn shard(codecs: &[Codec]) -> (Shard, Vec<Slot>) {
    let mut s = Shard::new(Setup { seed: 1, ntp_at_zero: 0 });
    let mut slots = Vec::new();
    let legs: Vec<LegId> = (0..codecs.len() as u64).map(LegId).collect();
    for (leg, codec) in legs.iter().zip(codecs) {
        slots.push(s.open(At(0), *leg).expect("room"));
        let at = peer(leg.0);
        let plain = Remote::plain(at, *codec, codec.static_pt().expect("G.711"));
        let remote = Remote { rtcp: at, dtmf_pt: Some((101, 101)), ..plain };
        s.command(At(0), Command::Agree { leg: *leg, remote }, &mut Nowhere);
    }
    s.command(At(0), Command::Bridge { bridge: BridgeId(1), audience: Audience::all(&legs) }, &mut Nowhere);
    (s, slots)
}

fn packet(codec: Codec, n: u32) -> [u8; HEADER + 160] {
    let mut p = [0x55; HEADER + 160];
    let pt = codec.static_pt().expect("G.711");
    let h = Header { marker: false, pt, seq: n as u16, ts: n.wrapping_mul(160), ssrc: 9 };
    write_header(&h, p.first_chunk_mut().expect("twelve bytes"));
    p
}

fn benches(c: &mut Criterion) {
    let mut n = 0u32;
    let (mut s, slots) = shard(&[Codec::Pcma, Codec::Pcma]);
    c.bench_function("relay: one packet in, one out", |b| {
        b.iter(|| {
            n = n.wrapping_add(1);
            let now = At(u64::from(n) * 20_000_000);
            s.packet(now, slots[0], Plane::Rtp, peer(0), &mut packet(Codec::Pcma, n), &mut Nowhere);
        });
    });
    assert_eq!(s.totals().relayed, s.totals().packets_in, "every packet was relayed");
    for legs in [3, 10] {
        let codecs: Vec<Codec> = (0..legs).map(|i| if i % 2 == 0 { Codec::Pcma } else { Codec::Pcmu }).collect();
        let (mut s, slots) = shard(&codecs);
        let mut n = 0u32;
        c.bench_function(&format!("mixer: 20 ms of a bridge of {legs}, everybody speaks"), |b| {
            b.iter(|| {
                n = n.wrapping_add(1);
                let now = At(0) + Duration::from_millis(20) * n;
                for (i, slot) in slots.iter().enumerate() {
                    s.packet(now, *slot, Plane::Rtp, peer(i as u64), &mut packet(codecs[i], n), &mut Nowhere);
                }
                s.tick(now, &mut Nowhere);
            });
        });
    }
}

criterion_group!(all, benches);
criterion_main!(all);
