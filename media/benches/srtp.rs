//! What protecting and opening a packet costs: `cargo bench -p media --bench srtp`.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use media::{
    rtp::{HEADER, Header, write_header},
    srtp::{GROWTH_MAX, Receiver, Sender},
    wire::{Secret, SrtpKey, SrtpSuite},
};

fn benches(c: &mut Criterion) {
    for suite in SrtpSuite::ALL {
        let (key, salt) = suite.lengths();
        let key = SrtpKey { suite, key_and_salt: Secret(vec![7; key + salt].into()) };
        let (mut sender, mut receiver) = (Sender::new(&key).expect("fits"), Receiver::new(&key).expect("fits"));
        let mut seq = 0u16;
        c.bench_function(&format!("srtp: 160 bytes protected and opened, {}", suite.name()), |b| {
            b.iter(|| {
                let mut packet = [0x55; HEADER + 160 + GROWTH_MAX];
                let h = Header { marker: false, pt: 8, seq, ts: 0, ssrc: 7 };
                write_header(&h, packet.first_chunk_mut().expect("twelve bytes"));
                seq = seq.wrapping_add(1);
                let n = sender.protect_rtp(&mut packet, HEADER + 160).expect("sendable");
                assert_eq!(receiver.unprotect_rtp(&mut packet[..n]), Ok(HEADER + 160));
                black_box(&packet);
            });
        });
    }
}

criterion_group!(all, benches);
criterion_main!(all);
