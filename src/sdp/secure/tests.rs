//! Browsers, phones with keys, phones that require them, and what is said to each.

use media::wire::{Codec, Secret, SrtpKey, SrtpSuite};

use super::*;
use crate::sdp::{
    Agreed, Rejected, agreed, answer,
    negotiate::tests::{US, phone},
    offer, parse, reoffer,
};

/// An offer as Chromium makes it for a call with sound and a data channel, gathering done.
const CHROMIUM: &str = "v=0\r\n\
    o=- 4962303333179871722 2 IN IP4 127.0.0.1\r\n\
    s=-\r\n\
    t=0 0\r\n\
    a=group:BUNDLE 0 1\r\n\
    a=extmap-allow-mixed\r\n\
    a=msid-semantic: WMS 3c28442e-f15e-4d3a-a5c1-5e4b7f0a9d11\r\n\
    m=audio 51706 UDP/TLS/RTP/SAVPF 111 63 9 0 8 13 110 126\r\n\
    c=IN IP4 198.51.100.7\r\n\
    a=rtcp:9 IN IP4 0.0.0.0\r\n\
    a=candidate:1467250027 1 udp 2122260223 192.168.1.20 51706 typ host generation 0 network-id 1 network-cost 10\r\n\
    a=candidate:435653019 1 udp 2122194687 5f0f1c3e-2d7a-4c36-9a55-2b1d0c8f6e77.local 60911 typ host generation 0 network-id 2\r\n\
    a=candidate:1853887674 1 udp 1686052607 198.51.100.7 51706 typ srflx raddr 192.168.1.20 rport 51706 generation 0\r\n\
    a=candidate:1467250027 1 tcp 1518280447 192.168.1.20 9 typ host tcptype active generation 0\r\n\
    a=ice-ufrag:EsAw\r\n\
    a=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\n\
    a=ice-options:trickle\r\n\
    a=fingerprint:sha-256 D1:2C:BE:AD:C4:F6:64:5C:25:16:11:9C:AF:E7:0F:73:79:36:4E:9C:1E:15:54:39:0C:06:8B:ED:96:86:00:39\r\n\
    a=setup:actpass\r\n\
    a=mid:0\r\n\
    a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level\r\n\
    a=extmap:2 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time\r\n\
    a=sendrecv\r\n\
    a=msid:3c28442e-f15e-4d3a-a5c1-5e4b7f0a9d11 0c1f6a0e-7bb8-4d59-8a4f-8f7a35d2ce6d\r\n\
    a=rtcp-mux\r\n\
    a=rtpmap:111 opus/48000/2\r\n\
    a=rtcp-fb:111 transport-cc\r\n\
    a=fmtp:111 minptime=10;useinbandfec=1\r\n\
    a=rtpmap:63 red/48000/2\r\n\
    a=fmtp:63 111/111\r\n\
    a=rtpmap:9 G722/8000\r\n\
    a=rtpmap:0 PCMU/8000\r\n\
    a=rtpmap:8 PCMA/8000\r\n\
    a=rtpmap:13 CN/8000\r\n\
    a=rtpmap:110 telephone-event/48000\r\n\
    a=rtpmap:126 telephone-event/8000\r\n\
    a=ssrc:1399694169 cname:yGn5zHkT1vOeVv2p\r\n\
    a=ssrc:1399694169 msid:3c28442e-f15e-4d3a-a5c1-5e4b7f0a9d11 0c1f6a0e-7bb8-4d59-8a4f-8f7a35d2ce6d\r\n\
    m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n\
    c=IN IP4 0.0.0.0\r\n\
    a=ice-ufrag:EsAw\r\n\
    a=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\n\
    a=fingerprint:sha-256 D1:2C:BE:AD:C4:F6:64:5C:25:16:11:9C:AF:E7:0F:73:79:36:4E:9C:1E:15:54:39:0C:06:8B:ED:96:86:00:39\r\n\
    a=setup:actpass\r\n\
    a=mid:1\r\n\
    a=sctp-port:5000\r\n\
    a=max-message-size:262144\r\n";

const WEB: Web = Web { fingerprint: [0xC0; 32], role: None };

fn ice() -> Ice {
    Ice { ufrag: "ours".into(), pwd: Secret(b"0123456789012345678901".as_slice().into()) }
}

fn key(suite: SrtpSuite, byte: u8) -> SrtpKey {
    let (key, salt) = suite.lengths();
    SrtpKey { suite, key_and_salt: Secret(vec![byte; key + salt].into()) }
}

fn keys(byte: u8) -> Vec<SrtpKey> {
    SrtpSuite::ALL.into_iter().map(|s| key(s, byte)).collect()
}

fn crypto(tag: u32, suite: SrtpSuite, byte: u8) -> String {
    format!("a=crypto:{}|", Crypto { tag, key: key(suite, byte) })
}

fn web(offer: &str, role: Option<DtlsRole>) -> Result<(Session, Agreed), Rejected> {
    let (ours, web) = (ice(), Web { role, ..WEB });
    answer(&parse(offer.as_bytes()).unwrap(), &LocalMedia { ice: Some(&ours), web: Some(web), ..US }, None)
}

#[test]
fn a_browser_is_answered_on_one_port_with_our_certificate_and_its_data_channel_is_refused_in_place() {
    let (ours, agreed) = web(CHROMIUM, None).unwrap();
    let r = agreed.remote;
    assert_eq!((r.codec, r.send_pt, r.dtmf_pt, r.cn_pt), (Codec::Pcmu, 0, Some((126, 126)), Some(13)));
    assert_eq!((r.rtp.to_string(), r.rtcp), ("198.51.100.7:51706".into(), r.rtp));
    let Security::Dtls { role: DtlsRole::Server, fingerprint } = r.security else { panic!("{:?}", r.security) };
    assert_eq!((fingerprint[0], fingerprint[31]), (0xD1, 0x39));
    let theirs = r.ice.unwrap();
    assert_eq!((theirs.ufrag.as_str(), &*theirs.pwd.0), ("EsAw", b"P2uYro0UCOQ4zxjKXaWCBui1".as_slice()));
    assert!(!agreed.hold && r.nat.is_none());
    let hash = vec!["C0"; 32].join(":");
    assert_eq!(
        ours.write(),
        format!(
            "v=0\r\no=- 7 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\na=group:BUNDLE 0\r\na=ice-lite\r\n\
             m=audio 10000 UDP/TLS/RTP/SAVPF 0 13 126\r\na=mid:0\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:13 CN/8000\r\n\
             a=rtpmap:126 telephone-event/8000\r\na=fmtp:126 0-15\r\na=ptime:20\r\na=rtcp-mux\r\n\
             a=ice-ufrag:ours\r\na=ice-pwd:0123456789012345678901\r\na=fingerprint:sha-256 {hash}\r\na=setup:passive\r\n\
             a=candidate:1 1 udp 2130706431 192.0.2.1 10000 typ host\r\na=end-of-candidates\r\na=sendrecv\r\n\
             m=application 0 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:1\r\n"
        )
    );
}

#[test]
fn a_browser_that_trickles_has_no_address_yet_and_is_not_on_hold_for_it() {
    let lines = CHROMIUM.lines().filter(|l| !l.starts_with("a=candidate")).collect::<Vec<_>>().join("\r\n") + "\r\n";
    let trickling = lines.replace("c=IN IP4 198.51.100.7", "c=IN IP4 0.0.0.0").replace("m=audio 51706", "m=audio 9");
    let (_, agreed) = web(&trickling, None).unwrap();
    assert_eq!((agreed.hold, agreed.direction), (false, media::wire::Direction::SendRecv));
    assert!(agreed.remote.ice.is_some());
}

#[test]
fn without_a_certificate_a_browser_is_told_so() {
    let offer = parse(CHROMIUM.as_bytes()).unwrap();
    assert!(offer.wants_ice());
    let why = answer(&offer, &US, None).unwrap_err().why;
    assert!(why.contains("no certificate"), "{why}");
    let weak = CHROMIUM.replace("sha-256", "sha-1");
    assert!(web(&weak, None).unwrap_err().why.contains("SHA-256"));
}

#[test]
fn the_handshake_is_not_turned_round_by_a_later_offer_and_an_ice_restart_is_taken() {
    let restarted = CHROMIUM.replace("EsAw", "Fresh").replace("P2uYro0UCOQ4zxjKXaWCBui1", "anotherpasswordof24chars");
    for (role, word) in [(DtlsRole::Server, "passive"), (DtlsRole::Client, "active")] {
        let (ours, agreed) = web(&restarted, Some(role)).unwrap();
        assert!(matches!(agreed.remote.security, Security::Dtls { role: r, .. } if r == role));
        assert!(ours.write().contains(&format!("a=setup:{word}")));
        assert_eq!(agreed.remote.ice.unwrap().ufrag, "Fresh");
        // Ours, about the same: the browser may take the handshake as it stands.
        let credentials = ice();
        let local = LocalMedia { ice: Some(&credentials), web: Some(WEB), direction: media::wire::Direction::SendOnly, ..US };
        let held = reoffer(&ours, &local).write();
        for line in
            ["a=setup:actpass", "a=group:BUNDLE 0", "a=mid:0", "a=ice-lite", "a=rtcp-mux", "a=ice-ufrag:ours", "a=sendonly"]
        {
            assert!(held.contains(line), "{line} in {held}");
        }
        assert!(held.contains("m=audio 10000 UDP/TLS/RTP/SAVPF 0 13 126 8\r\n"), "{held}");
    }
}

#[test]
fn a_browser_we_call_answers_our_offer_and_begins_the_handshake() {
    let credentials = ice();
    let local = LocalMedia { ice: Some(&credentials), web: Some(WEB), ..US };
    let ours = offer(&local, Offering::Web);
    let text = ours.write();
    for line in [
        "a=group:BUNDLE 0",
        "a=ice-lite",
        "a=mid:0",
        "a=setup:actpass",
        "a=rtcp-mux",
        "m=audio 10000 UDP/TLS/RTP/SAVPF 0 8 101",
    ] {
        assert!(text.contains(line), "{line} in {text}");
    }
    let answered =
        CHROMIUM.split("m=application").next().unwrap().replace("actpass", "active").replace("BUNDLE 0 1", "BUNDLE 0");
    let r = agreed(&ours, &parse(answered.as_bytes()).unwrap(), None).unwrap().remote;
    assert!(matches!(r.security, Security::Dtls { role: DtlsRole::Server, .. }));
    assert_eq!((r.send_pt, r.recv_pt, r.dtmf_pt, r.rtcp), (0, 0, Some((126, 101)), r.rtp));
    assert_eq!(r.ice.unwrap().ufrag, "EsAw");
    let bare = answered.lines().filter(|l| !l.contains("fingerprint")).collect::<Vec<_>>().join("\r\n");
    assert!(agreed(&ours, &parse(bare.as_bytes()).unwrap(), None).unwrap_err().why.contains("no certificate"));
}

#[test]
fn a_phone_with_keys_gets_the_strongest_suite_both_have_under_its_own_tag() {
    let ours = keys(1);
    let local = LocalMedia { keys: &ours, ..US };
    let (short, long, gcm) = (SrtpSuite::Aes128Sha1Tag32, SrtpSuite::Aes128Sha1Tag80, SrtpSuite::Aes128Gcm);
    for proto in ["RTP/SAVP", "RTP/SAVPF", "RTP/AVP"] {
        let lines = format!("m=audio 4000 {proto} 0|{}{}{}", crypto(1, short, 9), crypto(2, long, 8), crypto(7, gcm, 7));
        let (said, agreed) = answer(&phone(&lines), &local, None).unwrap();
        let Security::Sdes { send, receive } = agreed.remote.security else { panic!("not secured over {proto}") };
        assert_eq!((send, receive), (key(gcm, 1), key(gcm, 7)));
        assert_eq!((said.media[0].proto.as_str(), said.media[0].cryptos.len(), said.media[0].cryptos[0].tag), (proto, 1, 7));
        assert_eq!(parse(said.write().as_bytes()).unwrap().media[0].cryptos, said.media[0].cryptos);
    }
}

#[test]
fn policy_says_who_is_refused_and_nobody_falls_back_to_plain_by_himself() {
    let ours = keys(1);
    let with = |srtp| LocalMedia { keys: &ours, srtp, ..US };
    let line = crypto(1, SrtpSuite::Aes128Sha1Tag80, 2);
    let (plain, both) = ("m=audio 4000 RTP/AVP 0|".to_owned(), format!("m=audio 4000 RTP/AVP 0|{line}"));
    let (keyed, foreign) =
        (format!("m=audio 4000 RTP/SAVP 0|{line}"), "m=audio 4000 RTP/SAVP 0|a=crypto:1 F8 inline:x|".to_owned());
    let said = |lines: &str, srtp| match answer(&phone(lines), &with(srtp), None) {
        Ok((_, agreed)) if agreed.remote.security == Security::Clear => "plain",
        Ok(_) => "keys",
        Err(e) => e.why,
    };
    assert_eq!((said(&plain, Srtp::Never), said(&plain, Srtp::Optional)), ("plain", "plain"));
    assert!(said(&plain, Srtp::Required).contains("SRTP is required"));
    assert_eq!((said(&both, Srtp::Never), said(&both, Srtp::Optional), said(&both, Srtp::Required)), ("plain", "keys", "keys"));
    assert!(said(&keyed, Srtp::Never).contains("not taken"));
    assert_eq!((said(&keyed, Srtp::Optional), said(&keyed, Srtp::Required)), ("keys", "keys"));
    assert!(said(&foreign, Srtp::Optional).contains("in common"));
    // A phone that offers both on lines of their own is taken where policy lets it.
    let twins = format!("{plain}{keyed}");
    assert_eq!((said(&twins, Srtp::Required), said(&twins, Srtp::Never)), ("keys", "plain"));
}

#[test]
fn our_keys_come_back_with_the_tag_of_the_line_taken_or_not_at_all() {
    let ours = keys(1);
    let local = LocalMedia { keys: &ours, ..US };
    let required = offer(&local, Offering::Sdes);
    assert_eq!((required.media[0].proto.as_str(), required.media[0].cryptos.len()), ("RTP/SAVP", 5));
    let opportunistic = offer(&local, Offering::Opportunistic);
    assert_eq!((opportunistic.media[0].proto.as_str(), opportunistic.media[0].cryptos.len()), ("RTP/AVP", 5));
    let suite = SrtpSuite::Aes128Sha1Tag80;
    let tag = required.media[0].cryptos.iter().find(|c| c.key.suite == suite).unwrap().tag;
    let taken = |proto, line: String| phone(&format!("m=audio 4000 {proto} 0|{line}"));
    let r = agreed(&required, &taken("RTP/SAVP", crypto(tag, suite, 5)), None).unwrap().remote;
    assert_eq!(r.security, Security::Sdes { send: key(suite, 1), receive: key(suite, 5) });
    assert!(agreed(&required, &taken("RTP/SAVP", crypto(tag + 9, suite, 5)), None).is_err(), "a tag nobody offered");
    assert!(agreed(&required, &taken("RTP/SAVP", String::new()), None).is_err(), "no key");
    assert!(agreed(&required, &taken("RTP/AVP", String::new()), None).is_err(), "plain instead of keys");
    let r = agreed(&opportunistic, &taken("RTP/AVP", String::new()), None).unwrap().remote;
    assert_eq!(r.security, Security::Clear, "an old phone");
    let r = agreed(&opportunistic, &taken("RTP/AVP", crypto(tag, suite, 5)), None).unwrap().remote;
    assert!(matches!(r.security, Security::Sdes { .. }));
    // Hold keeps the keys and only rises the version.
    let held = reoffer(&required, &LocalMedia { direction: media::wire::Direction::SendOnly, keys: &keys(77), ..US });
    assert_eq!((&held.media[0].cryptos, held.origin.version), (&required.media[0].cryptos, 2));
}

#[test]
fn ice_on_a_plain_phone_is_taken_only_when_its_address_is_one_it_checks_from() {
    let lines = |c: &str| {
        format!(
            "c=IN IP4 198.51.100.9|a=ice-ufrag:abcd|a=ice-pwd:0123456789abcdef012345|m=audio 4000 RTP/AVP 0|a=rtcp-mux|\
             a=candidate:1 1 UDP 2130706431 {c} 4000 typ host|a=candidate:1 2 UDP 2130706430 {c} 4001 typ host|"
        )
    };
    let credentials = ice();
    let local = LocalMedia { ice: Some(&credentials), ..US };
    let (ours, agreed) = answer(&phone(&lines("198.51.100.9")), &local, None).unwrap();
    assert_eq!(agreed.remote.ice.unwrap().ufrag, "abcd");
    assert!(ours.ice_lite && ours.media[0].rtcp_mux);
    let behind_a_meddler = phone(&lines("10.0.0.9"));
    assert!(!behind_a_meddler.wants_ice());
    let (ours, agreed) = answer(&behind_a_meddler, &local, None).unwrap();
    assert!(agreed.remote.ice.is_none() && !ours.ice_lite && ours.media[0].transport.ice.is_none());
    let lite = phone(&lines("198.51.100.9").replace("a=ice-ufrag", "a=ice-lite|a=ice-ufrag"));
    assert!(!lite.wants_ice(), "two lite agents check nothing");
}
