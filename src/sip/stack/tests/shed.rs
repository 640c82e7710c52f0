//! Whom load turns away, and whom never.

use super::*;
use crate::base::Admission;

/// An INVITE of its own from a place of its own.
fn call(b: &mut Bench, n: u16, to: &str, more: &str) -> Vec<u16> {
    b.from = ([203, 0, 113, 50], 10_000 + n).into();
    let uri = format!("sip:{to}@shop.example");
    b.says(&request("INVITE", &uri, &format!("n{n}"), 1, more).replace("Call-ID: call-1", &format!("Call-ID: call-n{n}")))
}

#[test]
fn who_is_turned_away_is_asked_to_come_back_at_some_time_and_nothing_is_kept_of_them() {
    let mut b = Bench::new();
    b.stack.admission(Admission::Closed);
    let mut waits = Vec::new();
    for n in 0..200 {
        assert_eq!(call(&mut b, n, "4000", ""), [503]);
        waits.push(b.sent[0].headers.get(&Name::RetryAfter).unwrap().parse::<u64>().unwrap());
        assert!(b.sent[0].to_tag().is_some());
    }
    let (least, most) = (waits.iter().min().unwrap(), waits.iter().max().unwrap());
    assert_eq!((*least, *most), (5, 30), "spread over the whole time, so that they do not come back together");
    assert!(b.events.is_empty());
    assert_eq!((b.stack.counters().transactions, b.stack.counters().dialogs, b.stack.counters().shed), (0, 0, 200));
    // The ACK to it belongs to nothing, and is no reason to answer.
    assert_eq!(b.says(&request("ACK", "sip:4000@shop.example", "n199", 1, "tag=x")), [] as [u16; 0]);
}

#[test]
fn a_share_is_drawn_by_call_and_a_repeated_request_draws_the_same() {
    let mut b = Bench::new();
    b.stack.admission(Admission::Part(700));
    let first: Vec<u16> = (0..1_000).map(|n| call(&mut b, n, "4000", "")[0]).collect();
    let away = first.iter().filter(|c| **c == 503).count();
    assert!((640..760).contains(&away), "{away} of a thousand");
    let again: Vec<u16> = (0..1_000).map(|n| call(&mut b, n, "4000", "")[0]).collect();
    assert_eq!(first, again);
}

#[test]
fn emergency_calls_options_and_what_belongs_to_a_call_come_in_whatever_the_load() {
    let mut b = Bench::new();
    let mut s = (**b.stack.current_settings()).clone();
    s.emergency = vec![(demo(), "112".into())];
    s.public_numbers.push((demo(), NumberPattern::parse("112").unwrap()));
    b.stack.settings(Arc::new(s));
    assert_eq!(b.says(&invite("1", 1)), [100]);
    let (first, _) = b.incoming();
    b.respond(first, 200);
    let tag = b.tag();
    b.stack.admission(Admission::Closed);
    b.says(&request("ACK", "sip:4000@shop.example", "ack", 1, &format!("tag={tag}")));
    assert!(matches!(b.events.pop(), Some(Event::Acked { .. })));
    assert_eq!(call(&mut b, 1, "112", ""), [100], "somebody needs help");
    let (_, _) = b.incoming();
    assert_eq!(b.says(&request("OPTIONS", "sip:shop.example", "o", 1, "")), [200]);
    let takes = format!("Replaces: call-1;to-tag={tag};from-tag=caller");
    let codes = call(&mut b, 2, "4000", &takes);
    assert_eq!(codes, [100], "it takes the place of a call in progress");
    assert_eq!(call(&mut b, 3, "4000", "Replaces: nothing;to-tag=a;from-tag=b"), [503], "and this one does not");
    b.from = PHONE.into();
    let again = request("INVITE", "sip:4000@shop.example", "re", 2, &format!("tag={tag}\nContent-Type: application/sdp"));
    assert_ne!(b.says(&again), [503], "a re-INVITE");
    let codes = b.says(&request("BYE", "sip:4000@shop.example", "bye", 3, &format!("tag={tag}")));
    assert_eq!(codes[0], 200, "{codes:?}");
}

#[test]
fn a_registered_phone_calls_and_refreshes_and_a_new_one_waits_only_when_nobody_is_let_in() {
    let mut b = Bench::new();
    let log_in = |b: &mut Bench, n: u32| {
        assert_eq!(b.says(&register(&format!("r{n}"), n, "anna", "")), [401]);
        let answer = answer_to(&b.sent[0].clone(), "anna", "pw", "REGISTER", "sip:shop.example", Algorithm::Md5, 1);
        b.says(&register(&format!("s{n}"), n + 1, "anna", &format!("{answer}\n")))
    };
    b.stack.admission(Admission::Part(990));
    assert_eq!(log_in(&mut b, 1), [200], "registering is dearer to lose than a call");
    b.stack.admission(Admission::Closed);
    assert_eq!(log_in(&mut b, 3), [200], "a phone that is known stays so");
    let by_name = request("INVITE", "sip:ben@shop.example", "i", 1, "");
    assert_eq!(b.says(&by_name), [401], "its call is asked for a password as ever");
    b.from = ([203, 0, 113, 99], 5060).into();
    assert_eq!(b.says(&register("x", 1, "ben", "")), [503]);
}
