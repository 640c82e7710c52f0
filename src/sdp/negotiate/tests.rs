//! Offers real phones send, and what becomes of them.

use media::wire::Rate;

use super::*;
use crate::{base::Rng, sdp::parse};

pub(crate) const US: LocalMedia<'static> = LocalMedia {
    addr: IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1)),
    rtp_port: 10_000,
    session_id: 7,
    version: 1,
    codecs: &[Codec::Pcmu, Codec::Pcma],
    dtmf: true,
    comfort_noise: true,
    ptime_ms: 20,
    direction: Direction::SendRecv,
    srtp: Srtp::Optional,
    keys: &[],
    ice: None,
    web: None,
};

fn offer(local: &LocalMedia) -> Session {
    super::offer(local, Offering::Plain)
}

pub(crate) fn phone(lines: &str) -> Session {
    let text = format!("v=0\r\no=- 1 1 IN IP4 198.51.100.9\r\ns=-\r\nc=IN IP4 198.51.100.9\r\nt=0 0\r\n{lines}");
    parse(text.replace('|', "\r\n").as_bytes()).unwrap()
}

fn answered(lines: &str) -> (Session, Agreed) {
    answer(&phone(lines), &US, None).unwrap()
}

#[test]
fn a_plain_phone_is_answered_with_its_favourite_codec_under_its_own_numbers() {
    let (ours, agreed) = answered("m=audio 4000 RTP/AVP 9 8 0 96|a=rtpmap:96 telephone-event/8000|a=fmtp:96 0-16|a=ptime:30|");
    let r = &agreed.remote;
    assert_eq!((r.codec, r.send_pt, r.recv_pt, r.dtmf_pt, r.ptime_ms), (Codec::Pcma, 8, 8, Some((96, 96)), 30));
    assert_eq!((r.rtp.to_string(), r.rtcp.to_string()), ("198.51.100.9:4000".into(), "198.51.100.9:4001".into()));
    assert_eq!(
        ours.write(),
        "v=0\r\no=- 7 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 10000 RTP/AVP 8 96\r\n\
         a=rtpmap:8 PCMA/8000\r\na=rtpmap:96 telephone-event/8000\r\na=fmtp:96 0-15\r\na=ptime:20\r\na=sendrecv\r\n"
    );
    assert!(!agreed.hold);
}

#[test]
fn the_video_and_the_secure_twin_are_refused_in_their_places() {
    let (ours, agreed) = answered(
        "m=video 5000 RTP/AVP 96|a=rtpmap:96 H264/90000|m=audio 4002 RTP/SAVP 0|m=audio 4000 RTP/AVP 0|m=audio 4004 RTP/AVP 8|",
    );
    let ports: Vec<_> = ours.media.iter().map(|m| (m.kind.as_str(), m.proto.as_str(), m.port)).collect();
    assert_eq!(
        ports,
        [("video", "RTP/AVP", 0), ("audio", "RTP/SAVP", 0), ("audio", "RTP/AVP", 10_000), ("audio", "RTP/AVP", 0)]
    );
    assert_eq!(agreed.remote.rtp.port(), 4000);
}

#[test]
fn what_we_cannot_speak_is_refused_with_a_reason() {
    for (lines, why) in [
        ("m=audio 4000 RTP/SAVP 0|", "no SRTP suite and key"),
        ("m=audio 4000 UDP/TLS/RTP/SAVPF 0|", "fingerprint"),
        ("m=audio 4000 TCP/RTP/AVP 0|", "profile"),
        ("m=audio 4000 RTP/AVP 18 4|", "codec"),
        ("m=video 4000 RTP/AVP 31|", "no audio"),
        ("m=audio 0 RTP/AVP 0|", "no audio"),
        ("m=audio 4000 RTP/AVP 0|c=IN IP4 224.2.1.1/127|", "address"),
        // Number 0 may be given another meaning; then it is not PCMU.
        ("m=audio 4000 RTP/AVP 0|a=rtpmap:0 L16/44100|", "codec"),
        ("", "no audio"),
    ] {
        let e = answer(&phone(lines), &US, None).unwrap_err();
        assert!(e.why.contains(why), "{lines}: {}", e.why);
    }
}

#[test]
fn our_order_decides_between_codecs_of_different_cost_and_theirs_between_those_alike() {
    let wide = LocalMedia { codecs: &[Codec::Pcma, Codec::Pcmu, Codec::G722, Codec::L16(Rate::K16)], ..US };
    let l16 = "a=rtpmap:97 L16/16000|a=rtpmap:98 telephone-event/16000|a=rtpmap:99 telephone-event/8000|";
    let said = |formats: &str, local: &LocalMedia| {
        let theirs = phone(&format!("m=audio 4000 RTP/AVP {formats} 98 99|{l16}"));
        let r = answer(&theirs, local, None).unwrap().1.remote;
        (r.codec, r.send_pt, r.dtmf_pt)
    };
    assert_eq!(said("9 97 0 8", &wide), (Codec::Pcmu, 0, Some((99, 99))));
    assert_eq!(said("97 9", &wide), (Codec::G722, 9, Some((99, 99))));
    assert_eq!(said("97", &wide), (Codec::L16(Rate::K16), 97, Some((98, 98))), "digits at the clock of the sound");
    let sound_first = LocalMedia { codecs: &[Codec::G722, Codec::Pcma], ..US };
    assert_eq!(said("8 9", &sound_first), (Codec::G722, 9, Some((99, 99))));
    assert_eq!(favourite(&phone("m=audio 4000 RTP/AVP 9 0 8|"), wide.codecs), Some(Codec::Pcmu));
    // Comfort noise counts at 8 kHz, and only who asks for it gets it.
    let quiet = |lines: &str| answered(lines).1.remote.cn_pt;
    assert_eq!((quiet("m=audio 4000 RTP/AVP 0 13|"), quiet("m=audio 4000 RTP/AVP 0|")), (Some(13), None));
    assert!(!offer(&US).write().contains("CN/8000"));
}

#[test]
fn numbers_given_once_stay_while_codecs_come_and_go() {
    let all = LocalMedia { codecs: &[Codec::Pcma, Codec::G722, Codec::L16(Rate::K16)], ..US };
    let first = offer(&all);
    assert_eq!(first.media[0].formats, ["8", "9", "112", "101", "102"]);
    let fewer = reoffer(&first, &LocalMedia { codecs: &[Codec::L16(Rate::K16)], ..US });
    assert_eq!(fewer.media[0].formats, ["112", "101", "102"]);
    let again = reoffer(&fewer, &all);
    assert_eq!(again.media[0].formats, ["112", "101", "102", "8", "9"]);
    // A peer that means something else by a number of ours keeps it: ours moves.
    let (ours, _) = answer(&phone("m=audio 4000 RTP/AVP 112|a=rtpmap:112 PCMA/8000|"), &all, None).unwrap();
    let more = reoffer(&ours, &all);
    assert_eq!(more.media[0].pt_of(Encoding::Codec(Codec::Pcma)), Some(112));
    assert_eq!(more.media[0].pt_of(Encoding::Codec(Codec::L16(Rate::K16))), Some(96));
    let r = agreed(&first, &phone("m=audio 4000 RTP/AVP 97 98|a=rtpmap:97 L16/16000|a=rtpmap:98 telephone-event/16000|"), None);
    let r = r.unwrap().remote;
    assert_eq!((r.codec, r.send_pt, r.recv_pt, r.dtmf_pt), (Codec::L16(Rate::K16), 97, 112, Some((98, 102))));
}

#[cfg(feature = "server")]
#[test]
fn opus_is_offered_at_its_own_clock_and_spoken_as_the_peer_asks() {
    let local = LocalMedia { codecs: &[Codec::Opus, Codec::Pcma], ..US };
    let ours = offer(&local);
    let text = ours.write();
    assert!(text.contains("m=audio 10000 RTP/AVP 111 8 101 110\r\na=rtpmap:111 opus/48000/2\r\n"), "{text}");
    assert!(
        text.contains("a=fmtp:111 minptime=10;useinbandfec=1\r\n") && text.contains("a=rtpmap:110 telephone-event/48000\r\n")
    );
    let theirs = phone(
        "m=audio 4000 RTP/AVP 96 101|a=rtpmap:96 opus/48000/2|a=rtpmap:101 telephone-event/8000|a=ptime:30|\
         a=fmtp:96 maxplaybackrate=16000; maxaveragebitrate=20000;stereo=1; useinbandfec=1;usedtx=1;cbr=0|",
    );
    let r = agreed(&ours, &theirs, None).unwrap().remote;
    assert_eq!((r.codec, r.send_pt, r.recv_pt, r.ptime_ms), (Codec::Opus, 96, 111, 20));
    assert_eq!(r.dtmf_pt, Some((101, 101)), "many a phone has no other clock for digits");
    assert_eq!(r.opus, Opus { rate: Rate::K16, bitrate: Some(20_000), fec: true, dtx: true, stereo: true });
    let (said, settled) = answer(&theirs, &local, None).unwrap();
    assert_eq!((said.media[0].formats.join(" ").as_str(), settled.remote.opus), ("96 101", r.opus));
    // One channel is no Opus of RFC 7587.
    assert!(answer(&phone("m=audio 4000 RTP/AVP 96|a=rtpmap:96 opus/48000|"), &local, None).is_err());
}

#[test]
fn hold_in_each_of_its_spellings_silences_us_and_is_answered_in_kind() {
    for (lines, direction, hold, word) in [
        ("m=audio 4000 RTP/AVP 0|a=sendonly|", Direction::RecvOnly, true, "a=recvonly"),
        ("m=audio 4000 RTP/AVP 0|a=inactive|", Direction::Inactive, true, "a=inactive"),
        ("m=audio 4000 RTP/AVP 0|a=recvonly|", Direction::SendOnly, false, "a=sendonly"),
        ("m=audio 4000 RTP/AVP 0|c=IN IP4 0.0.0.0|", Direction::RecvOnly, true, "a=recvonly"),
        ("a=sendonly|m=audio 4000 RTP/AVP 0|", Direction::RecvOnly, true, "a=recvonly"),
        ("a=sendonly|m=audio 4000 RTP/AVP 0|a=sendrecv|", Direction::SendRecv, false, "a=sendrecv"),
    ] {
        let (ours, agreed) = answered(lines);
        assert_eq!((agreed.direction, agreed.hold), (direction, hold), "{lines}");
        assert_eq!(agreed.remote.direction, direction);
        assert!(ours.write().contains(word), "{lines}");
    }
    // We hold; the peer is happy to talk.
    let holding = LocalMedia { direction: Direction::SendOnly, ..US };
    let (_, agreed) = answer(&phone("m=audio 4000 RTP/AVP 0|"), &holding, None).unwrap();
    assert_eq!((agreed.direction, agreed.hold), (Direction::SendOnly, false));
}

#[test]
fn an_answer_under_other_numbers_is_sent_by_theirs_and_received_by_ours() {
    let ours = offer(&US);
    let theirs = phone(
        "m=audio 4000 RTP/AVP 8 120|a=rtpmap:120 telephone-event/8000|a=ptime:40|a=maxptime:20|a=rtcp:4444 IN IP4 198.51.100.10|",
    );
    let agreed = agreed(&ours, &theirs, Some([203, 0, 113, 5].into())).unwrap();
    let r = agreed.remote;
    assert_eq!((r.codec, r.send_pt, r.recv_pt, r.dtmf_pt), (Codec::Pcma, 8, 8, Some((120, 101))));
    assert_eq!((r.ptime_ms, r.rtcp.to_string()), (20, "198.51.100.10:4444".into()));
    assert_eq!(r.nat, Some([203, 0, 113, 5].into()));
    let dynamic = phone("m=audio 4000 RTP/AVP 97|a=rtpmap:97 pcmu/8000|");
    let r = super::agreed(&ours, &dynamic, None).unwrap().remote;
    assert_eq!((r.codec, r.send_pt, r.recv_pt, r.dtmf_pt), (Codec::Pcmu, 97, 0, None));
}

#[test]
fn extended_reports_go_to_whom_asks_and_are_asked_of_who_knows_them() {
    let xr = |voip, round_trip| Xr { voip, round_trip };
    for (line, wanted, said) in [
        ("", xr(false, false), None),
        ("a=rtcp-xr:voip-metrics|", xr(true, false), Some("a=rtcp-xr:voip-metrics\r\n")),
        ("a=rtcp-xr:pkt-loss-rle rcvr-rtt=sender:120|", xr(false, true), Some("a=rtcp-xr:rcvr-rtt=all\r\n")),
        ("a=rtcp-xr:stat-summary=loss,jitt voip-metrics rcvr-rtt=all|", xr(true, true), Some("rcvr-rtt=all voip-metrics\r\n")),
        ("a=rtcp-xr:|", xr(false, false), None),
    ] {
        let lines = format!("m=audio 4000 RTP/AVP 8|{line}");
        let (ours, settled) = answered(&lines);
        assert_eq!((settled.remote.xr, ours.media[0].rtcp_xr), (wanted, wanted), "{line}");
        assert!(said.map_or(!ours.write().contains("rtcp-xr"), |said| ours.write().contains(said)), "{}", ours.write());
        assert_eq!(agreed(&offer(&US), &phone(&lines), None).unwrap().remote.xr, wanted, "{line}");
    }
    assert!(offer(&US).write().contains("a=rtcp-xr:rcvr-rtt=all voip-metrics\r\n"));
}

#[test]
fn a_refusing_or_shrinking_answer_is_no_agreement() {
    let ours = offer(&US);
    for lines in ["m=audio 0 RTP/AVP 0|", "", "m=video 4000 RTP/AVP 0|", "m=audio 4000 RTP/AVP 18|", "m=audio 4000 RTP/SAVP 0|"]
    {
        assert!(agreed(&ours, &phone(lines), None).is_err(), "{lines}");
    }
}

#[test]
fn the_version_rises_only_when_something_changed() {
    let first = offer(&US);
    assert_eq!(offer(&LocalMedia { version: 99, session_id: 3, ..US }).following(&first), first);
    let held = offer(&LocalMedia { direction: Direction::SendOnly, ..US }).following(&first);
    assert_eq!((held.origin.version, held.origin.session_id), (2, 7));
}

#[test]
fn holding_a_video_phone_keeps_its_streams_in_place_and_its_numbers() {
    let (ours, _) = answered(
        "m=video 5000 RTP/AVP 96|a=rtpmap:96 H264/90000|m=audio 4000 RTP/AVP 97 98|a=rtpmap:97 PCMA/8000|a=rtpmap:98 telephone-event/8000|",
    );
    let held = reoffer(&ours, &LocalMedia { direction: Direction::SendOnly, ..US });
    assert_eq!(held.origin.version, ours.origin.version + 1);
    assert_eq!((held.media[0].port, held.media[1].port), (0, 10_000));
    assert_eq!(held.media[1].formats, ["97", "98", "0"]);
    assert_eq!(reoffer(&held, &LocalMedia { direction: Direction::SendOnly, ..US }), held);
    let theirs = phone(
        "m=video 0 RTP/AVP 96|m=audio 4000 RTP/AVP 97 98|a=rtpmap:97 PCMA/8000|a=rtpmap:98 telephone-event/8000|a=recvonly|",
    );
    let agreed = agreed(&held, &theirs, None).unwrap();
    assert_eq!((agreed.direction, agreed.hold), (Direction::SendOnly, false));
    assert_eq!((agreed.remote.recv_pt, agreed.remote.dtmf_pt), (97, Some((98, 98))));
    // Talking again from the first offer on.
    assert_eq!(reoffer(&offer(&US), &US), offer(&US));
}

#[test]
fn a_phone_with_ipv6_and_one_behind_a_home_router_are_understood() {
    let text = b"v=0\no=- 1 1 IN IP6 2001:db8::9\ns=\nc=IN IP6 2001:db8::9\nm=audio 4000 RTP/AVP 0\n";
    let (_, agreed) = answer(&parse(text).unwrap(), &US, None).unwrap();
    assert_eq!(agreed.remote.rtp.to_string(), "[2001:db8::9]:4000");
    let home = phone("m=audio 4000 RTP/AVP 0|c=IN IP4 192.168.1.20|");
    let seen: IpAddr = [203, 0, 113, 5].into();
    assert_eq!(home.behind_nat(seen), Some(seen));
    assert_eq!(home.behind_nat([192, 168, 1, 20].into()), None);
    assert_eq!(phone("m=audio 4000 RTP/AVP 0|").behind_nat(seen), None);
}

#[test]
fn a_broken_description_is_told_by_its_line() {
    for (text, line) in [
        ("", 0),
        ("o=x", 1),
        ("v=1", 1),
        ("v=0\r\nnonsense", 2),
        ("v=0\r\no=- a 1 IN IP4 1.2.3.4", 2),
        ("v=0\r\no=- 1 1 IN IP4 1.2.3.4\r\nc=IN IP4", 3),
        ("v=0\r\no=- 1 1 IN IP4 1.2.3.4\r\nm=audio 70000 RTP/AVP 0", 3),
        ("v=0\r\no=- 1 1 IN IP4 1.2.3.4\r\nm=audio 7000 RTP/AVP 0", 0),
    ] {
        assert_eq!(parse(text.as_bytes()).unwrap_err().line, line, "{text}");
    }
    let many = format!("v=0\r\no=- 1 1 IN IP4 1.2.3.4\r\nc=IN IP4 1.2.3.4\r\n{}", "m=audio 1 RTP/AVP 0\r\n".repeat(17));
    assert_eq!(parse(many.as_bytes()).unwrap_err().line, 20);
}

#[test]
fn ten_thousand_broken_descriptions_break_nothing_and_are_written_as_they_read() {
    let secured = "a=group:BUNDLE 0|a=ice-lite|a=ice-ufrag:abcd|a=ice-pwd:0123456789abcdef012345|m=audio 4000 RTP/SAVP 0|a=mid:0|\
                   a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz WSH=64|a=setup:actpass|\
                   a=candidate:1 1 udp 99 198.51.100.9 4000 typ host|a=rtcp-mux|a=end-of-candidates|";
    let seeds = [
        offer(&US).write(),
        phone(secured).write(),
        phone("a=sendonly|m=audio 4000/2 RTP/AVP 8 96 97|a=rtpmap:96 telephone-event/8000|a=fmtp:96 0-16|a=ptime:20.0|a=rtcp:4444 IN IP6 2001:db8::1|m=video 0 RTP/SAVPF 31|").write(),
        "v=0\no=u 99999999999999999999999 2 IN IP6 ::1\ns=x\nc=IN IP4 0.0.0.0\nb=AS:64\nt=0 0\na=inactive\nm=audio 1 RTP/AVP 0\na=maxptime:9\n".to_owned(),
    ];
    let mut rng = Rng::seeded(8866);
    let mut agreed_on = 0;
    for _ in 0..10_000 {
        let mut d = seeds[rng.below(4) as usize].clone().into_bytes();
        for _ in 0..=rng.below(4) {
            let at = rng.below(d.len() as u64) as usize;
            match rng.below(4) {
                0 => d[at] = rng.u32() as u8,
                1 => d[at] = b"0123456789 /:=\r\n"[rng.below(16) as usize],
                2 => drop(d.drain(at..(at + rng.below(12) as usize).min(d.len() - 1).max(at))),
                _ => {
                    let copy = d[at..(at + rng.below(40) as usize).min(d.len())].to_vec();
                    drop(d.splice(at..at, copy));
                }
            }
        }
        let Ok(session) = parse(&d) else { continue };
        let text = session.write();
        assert_eq!(parse(text.as_bytes()).map(|s| s.write()), Ok(text));
        let _ = agreed(&offer(&US), &session, None);
        if let Ok((ours, agreed)) = answer(&session, &US, None) {
            agreed_on += 1;
            assert_eq!(ours.media.len(), session.media.len());
            assert!((10..=60).contains(&agreed.remote.ptime_ms));
            assert!(parse(ours.write().as_bytes()).is_ok());
        }
    }
    assert!(agreed_on > 1_000, "{agreed_on}");
}
