//! What is spoken with whom: browsers, phones with keys, phones without, codecs; and sound that does not arrive.

use media::wire::{Codec, Event, LegId, Remote, Security, Stats};

use crate::{
    base::secs,
    center::{
        fact::{Fact, LegRole},
        settings::{Business, RecordingFormat},
    },
    sdp::{Offering, Srtp},
    sim::{Stage, Who, World, business, tape::Taped, world::FINGERPRINT},
};

/// The engine's leg to somebody, and what was agreed there.
fn leg(w: &World, who: Who) -> (LegId, &Remote) {
    let rtp = w.phone_of(who).call().expect("a call").1.rtp;
    let (id, leg) = w.media.legs().find(|(_, l)| l.remote.as_ref().is_some_and(|r| r.rtp == rtp)).expect("a leg");
    (*id, leg.remote.as_ref().expect("it was looked for by it"))
}

/// What somebody's phone agreed to.
fn theirs(w: &World, who: Who) -> &Remote {
    w.phone_of(who).call().expect("a call").1.agreed.as_ref().expect("something was agreed")
}

fn speaks(w: &mut World, who: Who, kind: Offering) -> Who {
    w.phone_mut(who).speaks = kind;
    who
}

#[test]
fn a_browser_calls_a_desk_phone_and_each_side_knows_whom_to_expect() {
    let mut w = World::new(71);
    let anna = w.agent("anna").ready();
    let there = w.phone("+3265551234").there();
    let caller = speaks(&mut w, there, Offering::Web);
    w.dials(caller, "4001");
    w.until(|w| w.rings(anna));
    w.answers(anna);
    w.until(|w| w.hear_each_other(caller, anna));
    let phone = w.phone_of(caller);
    let (id, remote) = leg(&w, caller);
    assert_eq!(remote.ice.as_ref(), Some(&phone.ice));
    assert_eq!(remote.rtcp, remote.rtp, "one port for both");
    assert!(matches!(remote.security, Security::Dtls { fingerprint, .. } if fingerprint == phone.fingerprint));
    assert!(matches!(theirs(&w, caller).security, Security::Dtls { fingerprint, .. } if fingerprint == FINGERPRINT));
    let ours = w.media.legs().find(|(l, _)| **l == id).unwrap().1.ice.clone().expect("opened for checks");
    assert_eq!((ours.ufrag.len(), ours.pwd.0.len()), (8, 32));
    assert_eq!(leg(&w, anna).1.security, Security::Clear);
    // The browser holds and comes back: the handshake stands.
    w.phone_hold(caller, true);
    w.pass(secs(2));
    w.phone_hold(caller, false);
    w.pass(secs(2));
    assert!(w.hear_each_other(caller, anna));
    assert!(matches!(leg(&w, caller).1.security, Security::Dtls { role: media::wire::DtlsRole::Server, .. }));
    assert_eq!(w.media.legs().find(|(l, _)| **l == id).unwrap().1.ice.as_ref(), Some(&ours), "nothing was restarted");
    // It comes by another network: new credentials on its side, and then on ours.
    w.phone_mut(caller).ice.ufrag = "moved".into();
    w.phone_hold(caller, false);
    w.pass(secs(2));
    assert_eq!(leg(&w, caller).1.ice.as_ref().unwrap().ufrag, "moved");
    assert_ne!(w.media.legs().find(|(l, _)| **l == id).unwrap().1.ice.as_ref(), Some(&ours));
    w.hangs_up(caller);
    w.nothing_is_left();
}

#[test]
fn a_browser_is_rung_with_an_offer_it_can_take_and_speaks_what_the_caller_speaks() {
    let mut w = World::new(75);
    let anna = w.browser("anna").ready();
    let caller = w.phone("+3265551234").dials("4001");
    w.until(|w| w.rings(anna));
    w.answers(anna);
    w.until(|w| w.hear_each_other(caller, anna));
    let (id, remote) = leg(&w, anna);
    assert_eq!(remote.ice.as_ref(), Some(&w.phone_of(anna).ice));
    assert!(matches!(remote.security, Security::Dtls { fingerprint, .. } if fingerprint == w.phone_of(anna).fingerprint));
    assert!(matches!(theirs(&w, anna).security, Security::Dtls { fingerprint, .. } if fingerprint == FINGERPRINT));
    assert!(w.media.legs().any(|(l, leg)| *l == id && leg.ice.is_some()), "opened for checks before it rang");
    assert_eq!(leg(&w, caller).1.codec, leg(&w, anna).1.codec, "a relay");
    w.phone_hold(anna, true);
    w.pass(secs(2));
    w.phone_hold(anna, false);
    w.pass(secs(2));
    assert!(w.hear_each_other(caller, anna));
    w.hangs_up(anna);
    w.until(|w| w.is_over(caller));
    w.nothing_is_left();
}

#[test]
fn where_keys_are_required_a_plain_phone_is_refused_and_one_with_keys_holds_the_same_as_the_engine() {
    let mut w = World::with(72, |b| {
        b.tenants.values_mut().for_each(|t| t.media.srtp = Some(Srtp::Required));
    });
    let anna = w.agent("anna").ready();
    speaks(&mut w, anna, Offering::Sdes);
    let plain = w.phone("+3265550000").dials("4001");
    w.until(|w| matches!(w.phone_of(plain).stage(), Some(Stage::Over(_))));
    assert_eq!(w.phone_of(plain).stage(), Some(Stage::Over(488)));

    let there = w.phone("+3265551234").there();
    let caller = speaks(&mut w, there, Offering::Sdes);
    w.dials(caller, "4001");
    w.until(|w| w.rings(anna));
    w.answers(anna);
    w.until(|w| w.hear_each_other(caller, anna));
    for who in [caller, anna] {
        let Security::Sdes { send, receive } = &leg(&w, who).1.security else { panic!("no keys") };
        assert_eq!(theirs(&w, who).security, Security::Sdes { send: receive.clone(), receive: send.clone() });
    }
    let id = w.contact(caller);
    let said: Vec<String> = w
        .facts_of(id)
        .filter_map(|r| if let Fact::LegDialog { media, .. } = &r.fact { Some(media.security.clone()) } else { None })
        .collect();
    assert!(said.len() >= 2 && said.iter().all(|s| s == "sdes"), "{said:?}");
    w.hangs_up(caller);
    w.nothing_is_left();
}

#[test]
fn an_agent_is_offered_the_callers_codec_first_and_speaks_another_only_for_want_of_it() {
    for (theirs, agents, spoken) in [
        (vec![Codec::G722], vec![Codec::G722, Codec::Pcma], (Codec::G722, Codec::G722)),
        (vec![Codec::Pcmu], vec![Codec::Pcma, Codec::Pcmu], (Codec::Pcmu, Codec::Pcmu)),
        (vec![Codec::G722], vec![Codec::Pcma], (Codec::G722, Codec::Pcma)),
    ] {
        let mut w = World::new(73);
        let anna = w.agent("anna").ready();
        w.phone_mut(anna).codecs = agents;
        let caller = w.phone("+3265551234").there();
        w.phone_mut(caller).codecs = theirs;
        w.dials(caller, "4001");
        w.until(|w| w.rings(anna));
        w.answers(anna);
        w.until(|w| w.hear_each_other(caller, anna));
        assert_eq!((leg(&w, caller).1.codec, leg(&w, anna).1.codec), spoken);
        w.hangs_up(caller);
        w.nothing_is_left();
    }
}

#[test]
fn one_way_sound_is_shown_while_it_lasts_and_stays_in_the_record() {
    let mut w = World::new(74);
    let anna = w.agent("anna").ready();
    let caller = w.phone("+3265551234").dials("4001");
    w.until(|w| w.rings(anna));
    w.answers(anna);
    w.until(|w| w.hear_each_other(caller, anna));
    let (id, (agents_leg, _)) = (w.contact(caller), leg(&w, anna));
    let shown = |w: &World| w.view().interactions[&id].unheard.clone();
    w.give(Taped::Media(Event::Silent { leg: agents_leg }));
    assert_eq!(shown(&w), [LegRole::Agent]);
    w.give(Taped::Media(Event::Quiet { leg: agents_leg }));
    let stats = Stats { packets_in: 250, ..Stats::default() };
    w.give(Taped::Media(Event::Stats { leg: agents_leg, stats }));
    assert_eq!(shown(&w), []);
    // A second silence that lasts as long as the first and the rest ends the call.
    w.give(Taped::Media(Event::Silent { leg: agents_leg }));
    w.give(Taped::Media(Event::Silent { leg: agents_leg }));
    w.until(|w| w.is_over(anna));
    assert_eq!(w.count(id, "leg_trouble"), 4, "unheard, muted, heard, unheard");
    let scores = w.facts_of(id).filter(|r| matches!(&r.fact, Fact::LegEnded { quality: Some(q), .. } if q.mos_min.is_some()));
    assert!(scores.count() >= 1);
    w.hangs_up(caller);
    w.nothing_is_left();
}

#[test]
fn a_caller_whose_browser_is_closed_is_gone_at_once() {
    let mut w = World::new(79);
    let anna = w.agent("anna").ready();
    let caller = w.browser("ben").there();
    w.until(|w| w.phone_of(caller).registered);
    w.dials(caller, "4001");
    w.until(|w| w.rings(anna));
    w.answers(anna);
    w.until(|w| w.hear_each_other(caller, anna));
    w.closes_page(caller);
    w.pass(secs(2));
    assert!(w.is_over(anna));
    w.nothing_is_left();
}

#[test]
fn a_shop_that_keeps_its_recordings_for_years_has_them_as_opus() {
    let opus = |b: &mut Business| {
        let t = b.tenants.get_mut(&business::tenant()).unwrap();
        t.recording_format = RecordingFormat::Opus;
    };
    let mut w = World::with(79, opus);
    let anna = w.agent("anna").ready();
    let caller = w.phone("+3265551234").dials("4001");
    w.until(|w| w.rings(anna));
    w.answers(anna);
    w.until(|w| w.hear_each_other(caller, anna));
    let id = w.contact(caller);
    let files: Vec<_> = w
        .facts_of(id)
        .filter_map(|r| if let Fact::RecordingStarted { file, .. } = &r.fact { Some(file.clone()) } else { None })
        .collect();
    // That the engine is told the same, its stand-in sees to.
    assert!(matches!(&files[..], [f] if f.ends_with(".ogg")), "{files:?}");
}

#[test]
fn when_a_call_was_bad_is_kept_with_the_end_of_its_leg_and_nothing_is_written_before() {
    let mut w = World::new(80);
    let anna = w.agent("anna").ready();
    let caller = w.phone("+3265551234").dials("4001");
    w.until(|w| w.rings(anna));
    w.answers(anna);
    w.until(|w| w.hear_each_other(caller, anna));
    let (id, (customers_leg, _)) = (w.contact(caller), leg(&w, caller));
    let before = w.facts_of(id).count();
    for n in 1..=6_u64 {
        let lost = if n < 4 { 0 } else { 50 };
        let stats = Stats { packets_in: 250 * n - lost, lost, jitter_us: 2_000, rtt_us: Some(40_000), ..Stats::default() };
        w.give(Taped::Media(Event::Stats { leg: customers_leg, stats }));
        w.pass(secs(5));
    }
    assert_eq!(w.facts_of(id).count(), before, "nothing is written while it goes on");
    let so_far = w.center.as_ref().expect("it runs").quality_now(&[customers_leg.0, 999_999]);
    assert_eq!(so_far.len(), 1, "of legs there are");
    assert_eq!(so_far[&customers_leg.0].spans.as_ref().unwrap().rows.len(), 6);
    w.hangs_up(caller);
    w.until(|w| w.is_over(anna));
    let legs = crate::center::quality::sounded(w.facts_of(id));
    let customer = legs.iter().find(|l| l.role == LegRole::Customer).unwrap();
    let spans = customer.quality.as_ref().unwrap().spans.as_ref().unwrap();
    let lost: Vec<u32> = spans.rows.iter().take(6).map(|s| s.lost).collect();
    assert_eq!(lost, [0, 0, 0, 50, 0, 0]);
    assert!(spans.rows[3].mos().unwrap() < 3.0 && spans.rows[4].mos().unwrap() > 4.0);
    w.nothing_is_left();
}
