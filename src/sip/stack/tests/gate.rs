//! Who sends too much or guesses passwords is not answered; nobody else notices.

use super::*;
use crate::{base::limits::SIP_BAN, sip::gate::Rules};

fn strict() -> Bench {
    let mut b = Bench::new();
    b.waits(secs(100));
    let mut s = (**b.stack.current_settings()).clone();
    s.gate = Rules { requests_per_s: 5, ban_after: 4 };
    b.stack.settings(Arc::new(s));
    b
}

fn logs_in(b: &mut Bench, n: u32, password: &str) -> Vec<u16> {
    let first = b.says(&register(&format!("r{n}"), 2 * n, "anna", ""));
    if first != [401] {
        return first;
    }
    let answer = answer_to(&b.sent[0].clone(), "anna", password, "REGISTER", "sip:shop.example", Algorithm::Md5, 1);
    b.says(&register(&format!("s{n}"), 2 * n + 1, "anna", &format!("{answer}\n")))
}

#[test]
fn whoever_guesses_passwords_hears_nothing_more_for_a_while_whatever_they_guess() {
    let mut b = strict();
    for n in 1..=4 {
        b.waits(secs(1));
        assert_eq!(logs_in(&mut b, n, "guess"), [401]);
    }
    b.waits(secs(1));
    assert_eq!(logs_in(&mut b, 5, "pw"), [] as [u16; 0], "also not with the right one: who guesses must not learn that");
    assert_eq!((b.stack.counters().bans, b.stack.counters().barred), (1, 1));
    b.waits(SIP_BAN);
    assert_eq!(logs_in(&mut b, 6, "pw"), [200]);
    // From now on it is a registered phone, and one that forgets its password is asked as long as it likes.
    for n in 7..20 {
        b.waits(secs(1));
        assert_eq!(logs_in(&mut b, n, "guess"), [401]);
    }
}

#[test]
fn a_phone_nobody_has_set_up_does_not_shut_out_the_office_it_stands_in() {
    let mut b = strict();
    let office = [203, 0, 113, 7];
    for n in 1..=12 {
        b.waits(secs(2));
        b.from = (office, 5080).into();
        assert_eq!(logs_in(&mut b, n, "guess"), [401]);
        b.from = (office, 6_000 + n as u16).into();
        assert_eq!(b.says(&register(&format!("o{n}"), 900 + 2 * n, "ben", "")), [401]);
        let answer = answer_to(&b.sent[0].clone(), "ben", "pw2", "REGISTER", "sip:shop.example", Algorithm::Md5, 1);
        let more = format!("{answer}\n");
        let text = register(&format!("p{n}"), 901 + 2 * n, "ben", &more).replace("Call-ID: reg", "Call-ID: ben");
        assert_eq!(b.says(&text), [200]);
    }
    assert_eq!(b.stack.counters().bans, 0);
}

#[test]
fn a_flood_is_dropped_without_a_word_and_a_trunk_and_a_call_in_progress_are_not_counted() {
    let mut b = strict();
    assert_eq!(b.says(&invite("1", 1)), [100]);
    let (call, _) = b.incoming();
    b.respond(call, 200);
    let tag = b.tag();
    b.says(&request("ACK", "sip:4000@shop.example", "ack", 1, &format!("tag={tag}")));
    let flood =
        |b: &mut Bench| (0..100).filter(|n| !b.says(&request("OPTIONS", "sip:x", &format!("o{n}"), 1, "")).is_empty()).count();
    assert_eq!(flood(&mut b), 9, "two seconds' worth, less the call");
    assert_eq!(b.says(&request("BYE", "sip:4000@shop.example", "bye", 2, &format!("tag={tag}"))), [200]);
    b.from = ([198, 51, 100, 1], 5060).into();
    let from_the_trunk = (0..100).filter(|n| !b.says(&request("OPTIONS", "sip:x", &format!("t{n}"), 1, "")).is_empty()).count();
    assert_eq!(from_the_trunk, 100);
}

#[test]
fn a_scanner_that_gives_its_name_gets_no_answer_at_all() {
    let mut b = strict();
    let scan =
        |n: u32, agent: &str| request("OPTIONS", "sip:100@shop.example", &format!("n{n}"), 1, &format!("User-Agent: {agent}"));
    assert_eq!(b.says(&scan(1, "friendly-scanner")), [] as [u16; 0]);
    assert_eq!(b.says(&scan(2, "Yealink SIP-T46S 66.85.0.5")), [] as [u16; 0], "nor under another name");
    assert_eq!(b.stack.counters().bans, 1);
}
