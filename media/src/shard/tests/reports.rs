//! Reports (RTCP), and extended ones (RFC 3611) only to who asked for them.

use super::*;
use crate::{
    rtp::xr::{Block, Delay, Say},
    wire::{Remote, VoipMetrics, Xr},
};

/// What the extended reports a phone got say, oldest first: (receiver times, delays, metrics).
fn told(w: &World, n: usize) -> (Vec<u64>, Vec<Delay>, Vec<(u32, VoipMetrics)>) {
    let mut all = (Vec::new(), Vec::new(), Vec::new());
    for packet in w.phones[n].rtcp.iter().flat_map(|bytes| rtcp::parse(bytes).expect("a compound")) {
        let rtcp::Packet::Extended { blocks, .. } = packet else { continue };
        for block in blocks {
            match block {
                Block::ReceiverTime(ntp) => all.0.push(ntp),
                Block::Delays(delays) => all.1.extend(delays),
                Block::Voip { ssrc, metrics } => all.2.push((ssrc, metrics)),
            }
        }
    }
    all
}

fn asks(w: &mut World, n: usize, xr: Xr, direction: Direction) {
    let remote = Remote { xr, direction, ..w.remote(n) };
    w.tell(Command::Agree { leg: LegId(n as u64), remote });
}

/// A phone's report with these extensions.
fn reports(w: &mut World, n: usize, extended: Say) {
    let mut bytes = [0; rtcp::WRITE_MAX];
    let say = rtcp::Say { ssrc: w.phones[n].ssrc, info: None, report: None, cname: "phone", extended, bye: false };
    let length = rtcp::write(&say, &mut bytes);
    let (slot, at) = (w.phones[n].slot, w.phones[n].at);
    w.packet(slot, Plane::Rtcp, SocketAddr::new(at.ip(), at.port() + 1), bytes[..length].to_vec());
}

fn stats(w: &mut World, n: usize) -> Stats {
    w.tell(Command::Report { leg: LegId(n as u64) });
    match w.did.events.last() {
        Some(Event::Stats { stats, .. }) => *stats,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_peer_that_asked_is_told_how_it_sounds_and_who_did_not_is_not() {
    let mut w = World::new();
    let (a, b, c) = (w.phone(Pcma, Some(440.0)), w.phone(Pcma, Some(1_000.0)), w.phone(Pcmu, None));
    asks(&mut w, a, Xr { voip: true, round_trip: false }, Direction::SendRecv);
    w.bad = (5, 0, 0);
    w.bridge(1, &[a, b]);
    w.run(20_000);
    let (times, delays, metrics) = told(&w, a);
    assert_eq!((times.len(), delays.len(), told(&w, b)), (0, 0, (vec![], vec![], vec![])));
    let (ssrc, m) = *metrics.last().expect("a report every few seconds");
    assert!(ssrc == w.phones[a].ssrc && (7..=20).contains(&m.loss) && m.discard == 0, "{m:?}");
    assert!(m.mos_listening > Some(3.0) && m.mos_listening < Some(4.2) && m.mos_conversation <= m.mos_listening, "{m:?}");
    assert_eq!((m.buffer_ms, m.end_system_ms), (0, 0), "a relay keeps nothing");
    assert!(m.burst_density > m.gap_density && m.gap_ms > 500, "{m:?}");
    // A mix has a buffer that waits for those who are late.
    w.bad = (5, 0, 20);
    w.bridge(1, &[a, b, c]);
    w.run(10_000);
    let (_, m) = *told(&w, a).2.last().expect("metrics");
    assert!((10..=300).contains(&m.buffer_ms) && m.end_system_ms >= m.buffer_ms + 20 && m.buffer_max_ms == 300, "{m:?}");
}

#[test]
fn both_sides_know_the_round_trip_while_one_sends_nothing() {
    let mut w = World::new();
    let a = w.phone(Pcma, Some(440.0));
    asks(&mut w, a, Xr { voip: false, round_trip: true }, Direction::RecvOnly);
    w.run(4_000);
    let (times, delays, metrics) = told(&w, a);
    assert_eq!((delays.len(), metrics.len(), stats(&mut w, a).rtt_us), (0, 0, None));
    // It took 30 ms here and there, and half a second to answer.
    let (ours, last) = (times.last().copied().expect("our clock"), w.phones[a].rtcp.last().cloned().expect("a report"));
    let Some(rtcp::Packet::Receiver { ssrc, .. }) = rtcp::parse(&last).expect("a compound").next() else { panic!("{last:?}") };
    let sent = (u64::from((ours >> 16) as u32) - (0x1234 << 16)) * 1_000_000_000 / 65_536;
    let waits = w.now.0 - sent - 60_000_000;
    let answer = Delay { ssrc, last_rr: (ours >> 16) as u32, delay_since_rr: (waits * 65_536 / 1_000_000_000) as u32 };
    let theirs = 0x0000_5555_6666_0000;
    reports(&mut w, a, Say { receiver_time: Some(theirs), delay: Some(answer), ..Say::default() });
    let rtt = stats(&mut w, a).rtt_us.expect("a round trip");
    assert!((59_000..61_000).contains(&rtt), "{rtt}");
    // And theirs is answered with our next report.
    let (then, before) = (w.now, w.phones[a].rtcp.len());
    while w.phones[a].rtcp.len() == before {
        w.run(20);
    }
    let d = *told(&w, a).1.last().expect("an answer");
    let waited = u64::from(d.delay_since_rr) * 1_000 / 65_536;
    assert_eq!((d.ssrc, d.last_rr), (w.phones[a].ssrc, 0x5555_6666));
    assert!(waited.abs_diff(w.now.since(then).as_millis() as u64) <= 40, "{waited} ms");
}

#[test]
fn what_the_peer_says_of_its_side_is_in_the_figures_and_what_it_says_of_others_is_not() {
    let mut w = World::new();
    let (a, b) = (w.phone(Pcma, Some(440.0)), w.phone(Pcma, Some(1_000.0)));
    w.bridge(1, &[a, b]);
    w.run(500);
    let ours = w.phones[a].got[0].1.ssrc;
    let metrics = VoipMetrics { loss: 9, mos_listening: Some(3.7), buffer_ms: 80, ..VoipMetrics::default() };
    reports(&mut w, a, Say { voip: Some((ours ^ 1, metrics)), ..Say::default() });
    assert_eq!(stats(&mut w, a).peer, None);
    reports(&mut w, a, Say { voip: Some((ours, metrics)), ..Say::default() });
    assert_eq!((stats(&mut w, a).peer, stats(&mut w, b).peer), (Some(metrics), None));
}

#[test]
fn reports_go_out_and_what_the_peer_reports_is_in_the_figures() {
    let mut w = World::new();
    let (a, b) = (w.phone(Pcma, Some(440.0)), w.phone(Pcma, Some(1_000.0)));
    w.bridge(1, &[a, b]);
    w.run(3_000);
    let report = w.phones[a].rtcp.first().cloned().expect("a report within three seconds");
    let mut packets = rtcp::parse(&report).expect("a compound");
    let Some(rtcp::Packet::Sender { ssrc, info, mut reports }) = packets.next() else { panic!("{report:?}") };
    assert_eq!(reports.next().map(|r| (r.ssrc, r.lost, r.fraction_lost)), Some((w.phones[a].ssrc, 0, 0)));
    assert_eq!(ssrc, w.phones[a].got[0].1.ssrc);
    // The phone answers; on its way there and back and in the phone 3 s less its delay went by.
    let about_us = rtcp::Report { ssrc, fraction_lost: 25, last_sr: (info.ntp >> 16) as u32, ..rtcp::Report::default() };
    let mut answer = [0; rtcp::WRITE_MAX];
    let n = rtcp::write(
        &rtcp::Say {
            ssrc: 100,
            info: None,
            report: Some(about_us),
            cname: "phone",
            extended: rtp::xr::Say::default(),
            bye: true,
        },
        &mut answer,
    );
    let (slot, from) = (w.phones[a].slot, SocketAddr::new(w.phones[a].at.ip(), 4_001));
    w.packet(slot, Plane::Rtcp, from, answer[..n].to_vec());
    w.tell(Command::Report { leg: LegId(0) });
    let Some(Event::Stats { stats: Stats { rtt_us: Some(rtt), peer_fraction_lost: Some(25), .. }, .. }) = w.did.events.last()
    else {
        panic!("{:?}", w.did.events.last());
    };
    assert!((100_000..3_000_000).contains(rtt), "{rtt}");
    w.tell(Command::Close { leg: LegId(0) });
    let (_, plane, _, goodbye) = w.did.sent.last().cloned().expect("a goodbye");
    assert_eq!(plane, Plane::Rtcp);
    assert!(rtcp::parse(&goodbye).expect("a compound").any(|p| p == rtcp::Packet::Bye { ssrc }));
    let Some(Event::Closed { stats, .. }) = w.did.events.last() else { panic!("not closed") };
    assert!(stats.packets_out >= 149 && stats.packets_in == 150, "{stats:?}");
}

#[test]
fn with_rtcp_on_the_rtp_port_reports_go_and_come_there_and_nowhere_else() {
    let mut w = World::new();
    let a = w.phone(Pcma, None);
    let (slot, at, remote) = (w.phones[a].slot, w.phones[a].at, w.remote(a));
    w.tell(Command::Agree { leg: LegId(0), remote: crate::wire::Remote { rtcp: at, ..remote } });
    for _ in 0..1_000 {
        w.now = w.now + Duration::from_millis(5);
        w.shard.tick(w.now, &mut w.did);
    }
    let reports: Vec<_> = w.did.sent.iter().filter(|s| rtcp::parse(&s.3).is_some()).collect();
    assert!(!reports.is_empty() && reports.iter().all(|s| (s.1, s.2) == (Plane::Rtp, at)));
    let receiver_report = vec![0x80, 201, 0, 1, 0, 0, 0, 1];
    w.packet(slot, Plane::Rtp, at, receiver_report.clone());
    assert_eq!(w.shard.totals().foreign, 0);
    w.packet(slot, Plane::Rtcp, SocketAddr::new(at.ip(), 4_001), receiver_report);
    assert_eq!(w.shard.totals().foreign, 1);
}
