//! Session descriptions: target `sdp`.

use std::net::{IpAddr, Ipv4Addr};

use media::wire::{Codec, Direction, Ice, Rate, Secret, SrtpKey, SrtpSuite};
use ringdesk::sdp::{LocalMedia, Offering, Session, Srtp, Web, agreed, answer, offer, parse, reoffer};

const CODECS: [Codec; 4] = [Codec::Pcmu, Codec::G722, Codec::L16(Rate::K16), Codec::Pcma];

/// The first byte chooses what we can do; the rest is a description, taken as an offer and as an answer to ours.
pub fn check(data: &[u8]) {
    let Some((kind, text)) = data.split_first() else { return };
    let Ok(theirs) = parse(text) else { return };
    let written = theirs.write();
    let again = parse(written.as_bytes()).unwrap_or_else(|e| panic!("does not read back: {e}: {written}"));
    assert_eq!(again.write(), written, "written twice is not the same");
    assert_eq!(again.media.len(), theirs.media.len());

    let suite = SrtpSuite::Aes128Sha1Tag80;
    let (key, salt) = suite.lengths();
    let keys = [SrtpKey { suite, key_and_salt: Secret(vec![7; key + salt].into()) }];
    let ice = Ice { ufrag: "abcd".into(), pwd: Secret(Box::from(*b"0123456789012345678901")) };
    let local = LocalMedia {
        addr: IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)),
        rtp_port: 10_000,
        session_id: 7,
        version: 1,
        codecs: &CODECS[..1 + usize::from(kind & 3)],
        dtmf: kind & 4 != 0,
        comfort_noise: kind & 8 != 0,
        ptime_ms: 20,
        direction: if kind & 16 != 0 { Direction::SendOnly } else { Direction::SendRecv },
        srtp: [Srtp::Never, Srtp::Optional, Srtp::Optional, Srtp::Required][usize::from(kind >> 5 & 3)],
        keys: if kind & 64 != 0 { &keys } else { &[] },
        ice: (kind & 128 != 0).then_some(&ice),
        web: (kind & 128 != 0).then_some(Web { fingerprint: [9; 32], role: None }),
    };
    as_an_offer(&theirs, &local);
    let kinds = if local.web.is_some() {
        [Offering::Web, Offering::Web]
    } else if local.keys.is_empty() {
        [Offering::Plain, Offering::Plain]
    } else {
        [Offering::Opportunistic, Offering::Sdes]
    };
    for kind in kinds {
        let ours = offer(&local, kind);
        let Ok(a) = agreed(&ours, &theirs, None) else { continue };
        let offered = ours.media[0].formats.contains(&a.remote.recv_pt.to_string());
        assert!(offered, "we receive under a number we did not offer");
        assert!(local.codecs.contains(&a.remote.codec), "{:?} was not offered", a.remote.codec);
        assert!((10..=60).contains(&a.remote.ptime_ms), "{} ms", a.remote.ptime_ms);
    }
}

fn as_an_offer(theirs: &Session, local: &LocalMedia) {
    let Ok((ours, agreed)) = answer(theirs, local, None) else { return };
    assert_eq!(ours.media.len(), theirs.media.len(), "a line for a line");
    let mut taken = 0;
    for (a, b) in ours.media.iter().zip(&theirs.media) {
        assert!(a.kind.eq_ignore_ascii_case(&b.kind) && a.proto == b.proto, "each in its place: {} {}", a.kind, a.proto);
        assert!(a.port == 0 || b.port != 0, "a stream that is not offered is taken");
        assert!(a.formats.iter().all(|f| b.formats.contains(f)), "{:?} of {:?}", a.formats, b.formats);
        taken += usize::from(a.port != 0);
    }
    assert_eq!(taken, 1, "one stream is taken");
    assert!(local.codecs.contains(&agreed.remote.codec), "{:?} is not ours", agreed.remote.codec);
    assert!((10..=60).contains(&agreed.remote.ptime_ms), "{} ms", agreed.remote.ptime_ms);
    let written = ours.write();
    let read = parse(written.as_bytes()).unwrap_or_else(|e| panic!("our answer does not read: {e}: {written}"));
    assert_eq!(read.write(), written);

    let next = reoffer(&ours, &LocalMedia { direction: Direction::Inactive, ..*local });
    assert_eq!(next.media.len(), ours.media.len(), "streams stay in their places");
    assert!(next.origin.version.wrapping_sub(ours.origin.version) <= 1, "one change, one version");
}
