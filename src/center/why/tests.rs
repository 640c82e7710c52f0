//! Each reason a call can fail or be silent for, from records as they are stored.

use super::*;
use crate::{
    base::{InteractionId, Mono, Now, Rng, TenantId, TrunkId},
    call::{Cause, Handshake, LegSnapshot, trunk::Denied},
    center::{fact::EndedBy, ladder},
    sip::{dialog::DialogSnapshot, transport::Transport},
};

const AT: i64 = 1_795_406_706_000_000;
const OURS: &str = "192.0.2.1:5060";

/// One leg of a call, told in order.
struct Told {
    id: InteractionId,
    facts: Vec<Record>,
    ladder: Ladder,
    peer: &'static str,
}

fn told(role: LegRole) -> Told {
    let id = InteractionId::new(Now { mono: Mono(0), wall: Wall(AT) }, &mut Rng::seeded(1));
    let mut t = Told { id, facts: Vec::new(), ladder: Ladder::default(), peer: "198.51.100.7:5060" };
    let party = if role == LegRole::Customer { "+3265551234" } else { "anna" };
    t.ladder.parties.push(ladder::Party { leg: 1, role, name: party.into() });
    t.fact(0, Fact::LegOpened { interaction: id, leg: 1, role, party: party.into(), call_id: String::new() });
    t
}

impl Told {
    fn fact(&mut self, ms: i64, fact: Fact) -> &mut Self {
        let seq = self.facts.len() as u64 + 1;
        let tenant = TenantId::parse("demo").unwrap();
        self.facts.push(Record { seq, at: Wall(AT + ms * 1_000), tenant, cause: None, fact });
        self
    }
    fn wire(&mut self, ms: i64, sent: bool, text: &str) -> &mut Self {
        self.ladder.steps.push(Step {
            at: Wall(AT + ms * 1_000),
            sent,
            leg: 1,
            transport: Transport::Udp,
            local: OURS.parse().unwrap(),
            remote: self.peer.parse().unwrap(),
            text: text.replace('\n', "\r\n"),
        });
        self
    }
    fn invite(&mut self, ms: i64, sent: bool, sdp: &str) -> &mut Self {
        let text = format!("INVITE sip:x SIP/2.0\nTo: <sip:x>\nCSeq: 1 INVITE\nContent-Type: application/sdp\n\n{sdp}");
        self.wire(ms, sent, &text)
    }
    fn response(&mut self, ms: i64, sent: bool, status: &str) -> &mut Self {
        self.wire(ms, sent, &format!("SIP/2.0 {status}\nCSeq: 1 INVITE\n\n"))
    }
    fn ok(&mut self, ms: i64, sent: bool, sdp: &str) -> &mut Self {
        self.wire(ms, sent, &format!("SIP/2.0 200 OK\nCSeq: 1 INVITE\nContent-Type: application/sdp\n\n{sdp}"))
    }
    fn ended(&mut self, ms: i64, cause: Cause, quality: Option<Quality>) -> &mut Self {
        self.fact(ms, Fact::LegEnded { interaction: self.id, leg: 1, cause, quality })
    }
    /// It stood from 1 s to 11 s, and this is what its media saw.
    fn stood(&mut self, security: &str, quality: Quality) -> &mut Self {
        let media = LegSnapshot {
            rtp_port: 30_000,
            remote: "198.51.100.7:4000".parse().unwrap(),
            codec: "pcmu".into(),
            session: (1, 1),
            security: security.into(),
            trunk: None,
        };
        self.fact(1_000, Fact::LegDialog { interaction: self.id, leg: 1, dialog: dialog(), media });
        self.ended(11_000, Cause::Normal, Some(quality))
    }
    fn why(&self) -> Vec<Finding> {
        why(&self.facts, Some(&self.ladder))
    }
    #[track_caller]
    fn says(&self, code: Code, side: Side, words: &[&str]) {
        let found = self.why();
        assert_eq!((found[0].code, found[0].side), (code, side), "{found:#?}");
        for w in words {
            assert!(found[0].en.contains(w), "`{w}` is not in: {}", found[0].en);
        }
        assert!(found[0].zh.chars().any(|c| ('\u{4e00}'..'\u{9fff}').contains(&c)), "{}", found[0].zh);
    }
}

fn dialog() -> DialogSnapshot {
    DialogSnapshot {
        call_id: "c".into(),
        local: "<sip:x@x>;tag=b".into(),
        remote: "<sip:a@x>;tag=a".into(),
        local_seq: 1,
        remote_seq: None,
        route_set: Vec::new(),
        remote_target: "sip:a@x".into(),
        transport: "udp".into(),
        local_addr: OURS.parse().unwrap(),
        remote_addr: "198.51.100.7:5060".parse().unwrap(),
        sticky: false,
        caller: false,
    }
}

const PLAIN: &str = "v=0\nc=IN IP4 198.51.100.7\nm=audio 4000 RTP/AVP 0 8 101\na=rtpmap:101 telephone-event/8000\n";

fn came(packets_in: u64) -> Quality {
    Quality { packets_in, packets_out: 500, ..Quality::default() }
}

#[test]
fn a_refusal_is_told_with_who_said_it_its_status_and_its_q850_cause() {
    let mut t = told(LegRole::Customer);
    t.invite(0, true, PLAIN).response(10, false, "100 Trying");
    t.wire(90, false, "SIP/2.0 486 Busy Here\nCSeq: 1 INVITE\nReason: Q.850;cause=17;text=\"user busy\"\n\n");
    t.ended(100, Cause::Busy, None);
    t.says(Code::Refused, Side::Peer, &["486 Busy Here", "Q.850 17 (user busy)", "198.51.100.7:5060", "+3265551234"]);
    let found = t.why();
    assert!(found[0].evidence[0].contains("← 486 Busy Here"), "{:?}", found[0].evidence);
    assert_eq!((found[0].leg, found[0].step, found[0].fault), (Some(1), Stage::Setup, true));
}

#[test]
fn a_carrier_that_says_nothing_and_one_that_wants_other_credentials_are_told_apart() {
    let mut t = told(LegRole::Customer);
    for ms in [0, 500, 1_500, 3_500] {
        t.invite(ms, true, PLAIN);
    }
    t.ended(32_000, Cause::Network, None);
    t.says(Code::NeverAnswered, Side::Between, &["4 times within 3 s", "UDP 198.51.100.7:5060"]);

    let mut t = told(LegRole::Customer);
    t.invite(0, true, PLAIN).response(20, false, "407 Proxy Authentication Required");
    t.invite(30, true, PLAIN).response(50, false, "407 Proxy Authentication Required");
    t.ended(60, Cause::NotAllowed, None);
    t.says(Code::Credentials, Side::Us, &["407 Proxy Authentication Required"]);
}

#[test]
fn a_phone_that_rang_and_one_that_never_did_are_told_apart() {
    let mut t = told(LegRole::Agent);
    t.invite(0, true, PLAIN).response(200, false, "180 Ringing");
    t.wire(20_200, true, "CANCEL sip:x SIP/2.0\nCSeq: 1 CANCEL\n\n").response(20_210, false, "487 Request Terminated");
    t.ended(20_200, Cause::NoAnswer, None);
    t.says(Code::RangOut, Side::Peer, &["rang for 20 s", "nobody answered"]);

    let mut t = told(LegRole::Agent);
    t.invite(0, true, PLAIN).response(10, false, "100 Trying");
    t.ended(20_000, Cause::NoAnswer, None);
    t.says(Code::RangOut, Side::Peer, &["never rang"]);
}

#[test]
fn descriptions_that_do_not_meet_are_told_with_what_was_offered() {
    let mut t = told(LegRole::Customer);
    t.invite(0, false, "v=0\nc=IN IP4 198.51.100.7\nm=audio 4000 RTP/AVP 18 97\na=rtpmap:97 iLBC/8000\n");
    t.wire(5, true, "SIP/2.0 488 Not Acceptable Here\nCSeq: 1 INVITE\nWarning: 399 ringdesk \"no codec in common\"\n\n");
    t.ended(6, Cause::NoCodec, None);
    t.says(Code::NoCodec, Side::Us, &["G729, iLBC"]);

    let mut t = told(LegRole::Customer);
    t.invite(0, false, PLAIN);
    let refusal = "SIP/2.0 488 Not Acceptable Here\nCSeq: 1 INVITE\nWarning: 399 ringdesk \"plain RTP is offered, and SRTP is required here\"\n\n";
    t.wire(5, true, refusal).ended(6, Cause::NoCodec, None);
    t.says(Code::Encryption, Side::Us, &["RTP/AVP"]);
}

#[test]
fn a_number_nobody_has_and_a_call_kept_in_are_our_own_doing() {
    let mut t = told(LegRole::Customer);
    t.invite(0, false, PLAIN).response(2, true, "404 Not Found").ended(3, Cause::NotFound, None);
    t.says(Code::NoRoute, Side::Us, &["404 Not Found"]);

    let mut t = told(LegRole::Agent);
    let (trunk, to) = (TrunkId::parse("carrier").unwrap(), "+881600".to_owned());
    let fact = Fact::CallOut {
        interaction: Some(t.id),
        agent: None,
        trunk,
        to,
        denied: Some(Denied::International),
        source: String::new(),
        permit: None,
        per_minute: 0,
    };
    t.fact(5, fact);
    t.says(Code::KeptIn, Side::Us, &["+881600", "international"]);
}

#[test]
fn an_answer_that_is_never_acknowledged_is_a_path_that_works_one_way() {
    let mut t = told(LegRole::Customer);
    t.invite(0, false, PLAIN);
    for ms in [100, 600, 1_600] {
        t.ok(ms, true, PLAIN);
    }
    t.ended(32_100, Cause::Network, None);
    t.says(Code::NotAcknowledged, Side::Between, &["sent 3 times", "198.51.100.7:5060"]);
}

#[test]
fn no_sound_is_told_by_what_kept_it_away() {
    let invited = |t: &mut Told, ip: &str| {
        let sdp = PLAIN.replace("198.51.100.7", ip);
        t.invite(0, false, &sdp).ok(10, true, PLAIN).wire(20, false, "ACK sip:x SIP/2.0\nCSeq: 1 ACK\n\n");
    };
    let mut t = told(LegRole::Customer);
    invited(&mut t, "198.51.100.7");
    t.stood("", came(0));
    t.says(Code::NoSound, Side::Peer, &["No sound ever came", "198.51.100.7:4000", "port 30000"]);

    let mut t = told(LegRole::Customer);
    invited(&mut t, "192.168.1.20");
    t.stood("", came(0));
    t.says(Code::BehindNat, Side::Peer, &["private address 192.168.1.20", "signalling comes from 198.51.100.7", "NAT"]);

    let mut t = told(LegRole::Customer);
    invited(&mut t, "198.51.100.7");
    t.stood("", Quality { foreign: 480, ..came(0) });
    t.says(Code::ForeignOnly, Side::Between, &["480 packets", "198.51.100.7:4000"]);

    let mut t = told(LegRole::Customer);
    invited(&mut t, "198.51.100.7");
    t.stood("sdes", Quality { foreign: 480, unauthentic: 480, ..came(0) });
    t.says(Code::WrongKeys, Side::Peer, &["480 packets", "other keys"]);

    let mut t = told(LegRole::Customer);
    t.invite(0, false, &format!("{PLAIN}a=inactive\n")).ok(10, true, PLAIN).wire(
        20,
        false,
        "ACK sip:x SIP/2.0\nCSeq: 1 ACK\n\n",
    );
    t.stood("", came(0));
    let found = t.why();
    assert_eq!((found[0].code, found[0].fault), (Code::OnHold, false), "{found:#?}");
}

#[test]
fn a_browser_without_sound_is_told_whether_the_checks_or_the_handshake_failed() {
    let mut t = told(LegRole::Agent);
    t.stood("dtls", came(0));
    t.says(Code::Ice, Side::Between, &["ICE"]);
    let mut t = told(LegRole::Agent);
    t.stood("dtls", Quality { handshake: Some(Handshake::Certificate), ..came(0) });
    t.says(Code::Handshake, Side::Peer, &["another certificate"]);
    let mut t = told(LegRole::Agent);
    t.stood("dtls", Quality { handshake: Some(Handshake::Done), ..came(0) });
    t.says(Code::NoSound, Side::Peer, &["port 30000"]);
}

#[test]
fn the_other_way_is_looked_at_as_well() {
    let mut t = told(LegRole::Customer);
    t.stood("", Quality { peer_fraction_lost: Some(255), ..came(500) });
    t.says(Code::NotHeardThere, Side::Between, &["100 % of it lost", "500 packets sent"]);
    let mut t = told(LegRole::Customer);
    t.stood("", Quality { packets_out: 0, ..came(500) });
    t.says(Code::NothingSent, Side::Us, &["sent no sound"]);
}

#[test]
fn alarms_of_the_call_and_bad_lines_are_told_with_their_time_and_figures() {
    let mut t = told(LegRole::Customer);
    let (interaction, trouble) = (t.id, LegTrouble::Unheard);
    t.fact(9_000, Fact::LegTrouble { interaction, leg: 1, role: LegRole::Customer, trouble, on: true });
    t.stood("", came(300));
    t.says(Code::WentQuiet, Side::Peer, &["before 04:05:15 UTC"]);
    let mut t = told(LegRole::Customer);
    t.stood("", Quality { lost: 100, mos_avg: Some(2.4), jitter_us: 40_000, ..came(400) });
    t.says(Code::Poor, Side::Between, &["20.0 %", "jitter 40 ms", "MOS 2.4"]);
}

#[test]
fn a_call_that_went_well_says_so_and_who_ended_it() {
    let mut t = told(LegRole::Customer);
    t.invite(0, false, PLAIN).ok(10, true, PLAIN).wire(20, false, "ACK sip:x SIP/2.0\nCSeq: 1 ACK\n\n");
    t.stood("", came(500));
    let fact = Fact::InteractionClosed { interaction: t.id, cause: Cause::Normal, by: EndedBy::Customer };
    t.fact(11_100, fact);
    let found = t.why();
    assert_eq!((found.len(), found[0].code, found[0].fault), (1, Code::Ended, false), "{found:#?}");
    assert!(found[0].en.contains("ended by the customer"), "{}", found[0].en);
}
