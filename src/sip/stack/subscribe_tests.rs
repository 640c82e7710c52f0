//! SUBSCRIBE rule by rule: who may, what for, how many, and what becomes of NOTIFYs.
use super::{tests::Bench, *};
use crate::{
    base::{
        limits::{SIP_NOTIFY_GAP, SIP_SUBSCRIPTIONS_PER_USER},
        secs,
    },
    sip::{
        auth::{Algorithm, Ha1, digest::Proof},
        event::{CallState, Presence, Shown},
        msg::{AuthHeader, Method, Name},
    },
};

struct Wish<'a> {
    user: &'a str,
    whom: &'a str,
    event: &'a str,
    expires: u32,
    /// In the dialog of an earlier one: its To tag.
    tag: &'a str,
    call: u32,
    cseq: u32,
}

const LAMP: Wish<'_> = Wish { user: "anna", whom: "ben", event: "dialog", expires: 300, tag: "", call: 1, cseq: 1 };

fn text(w: &Wish<'_>, auth: &str) -> String {
    let Wish { user, whom, event, expires, tag, call, cseq } = w;
    let to = if tag.is_empty() { String::new() } else { format!(";tag={tag}") };
    let branch = format!("{call}x{cseq}x{}", auth.len());
    format!(
        "SUBSCRIBE sip:{whom}@shop.example SIP/2.0\nVia: SIP/2.0/UDP 10.0.0.9:5060;rport;branch=z9hG4bK{branch}\n\
         Max-Forwards: 70\nFrom: <sip:{user}@shop.example>;tag=w{call}\nTo: <sip:{whom}@shop.example>{to}\n\
         Call-ID: lamp-{call}\nCSeq: {cseq} SUBSCRIBE\nContact: <sip:{user}@10.0.0.9:5060>\nEvent: {event}\n\
         Expires: {expires}\n{auth}Content-Length: 0\n\n"
    )
}

/// Asks, answers the challenge, and gives the answer to that.
fn asks(b: &mut Bench, w: &Wish<'_>) -> u16 {
    if b.says(&text(w, "")) != [401] {
        return b.codes()[0];
    }
    let uri = format!("sip:{}@shop.example", w.whom);
    let p = b.sent[0].headers.all(&Name::WwwAuthenticate).filter_map(|v| AuthHeader::of_digest(&v)).last().unwrap();
    let nonce = p.get("nonce").unwrap();
    let password = if w.user == "anna" { "pw" } else { "pw2" };
    let (algorithm, method) = (Algorithm::Md5, "SUBSCRIBE");
    let proof = Proof { algorithm, method, uri: &uri, nonce: &nonce, auth: Some(("00000001", "abc")) };
    let response = proof.response(Ha1::new(w.user, "shop.example", password).of(algorithm));
    let auth = format!(
        "Authorization: Digest username=\"{}\", realm=\"shop.example\", nonce=\"{nonce}\", uri=\"{uri}\", \
         response=\"{response}\", algorithm=MD5, qop=auth, nc=00000001, cnonce=\"abc\"\n",
        w.user
    );
    let mut again = text(&Wish { cseq: w.cseq + 1, ..*w }, &auth);
    again = again.replace("branch=z9hG4bK", "branch=z9hG4bKa");
    b.says(&again)[0]
}

fn notified(b: &Bench) -> Option<&Message> {
    b.sent.iter().find(|m| m.method() == Some(&Method::Notify))
}

fn answers(b: &mut Bench, code: u16) {
    let notify = notified(b).expect("a NOTIFY is out").clone();
    let response = Message::response_to(&notify, code, "");
    b.says(&String::from_utf8(response.write().to_vec()).unwrap().replace("\r\n", "\n"));
}

fn rings(b: &mut Bench, on: bool) {
    let shown = on.then_some(Shown { state: CallState::Early, dialled: false });
    let tenant = TenantId::parse("demo").unwrap();
    b.does(Action::Lamp { tenant, user: "ben".into(), change: LampChange::Call(1, shown) });
}

#[test]
fn a_lamp_is_granted_told_at_once_renewed_and_taken_off() {
    let mut b = Bench::new();
    assert_eq!(asks(&mut b, &LAMP), 200);
    let tag = b.sent[0].to_tag().unwrap();
    assert_eq!(b.sent[0].headers.get(&Name::Expires).unwrap(), "300");
    let first = notified(&b).unwrap().clone();
    assert_eq!(first.headers.get(&Name::SubscriptionState).unwrap(), "active;expires=300");
    assert_eq!(first.headers.get(&Name::Event).unwrap(), "dialog");
    assert_eq!((first.to_tag().unwrap(), first.from_tag().unwrap()), ("w1".to_owned(), tag.clone()));
    answers(&mut b, 200);
    b.waits(SIP_NOTIFY_GAP);
    rings(&mut b, true);
    assert!(notified(&b).is_some_and(|m| String::from_utf8_lossy(&m.body).contains("early")));
    answers(&mut b, 200);
    b.waits(secs(100));
    assert_eq!(asks(&mut b, &Wish { tag: &tag, cseq: 3, ..LAMP }), 200);
    assert!(notified(&b).is_some_and(|m| String::from_utf8_lossy(&m.body).contains("state=\"full\"")));
    answers(&mut b, 200);
    b.waits(secs(299));
    assert_eq!(b.stack.counters().subscriptions, 1);
    assert_eq!(asks(&mut b, &Wish { tag: &tag, cseq: 5, expires: 0, ..LAMP }), 200);
    assert_eq!(notified(&b).unwrap().headers.get(&Name::SubscriptionState).unwrap(), "terminated;reason=timeout");
    assert_eq!(b.stack.counters().subscriptions, 0);
    assert_eq!(asks(&mut b, &Wish { tag: &tag, cseq: 7, ..LAMP }), 481);
}

#[test]
fn what_cannot_be_granted_is_refused_with_the_reason() {
    let mut b = Bench::new();
    assert_eq!(asks(&mut b, &Wish { event: "conference", ..LAMP }), 489);
    assert!(b.sent[0].headers.get(&Name::AllowEvents).unwrap().contains("message-summary"));
    assert_eq!(asks(&mut b, &Wish { expires: 59, call: 2, ..LAMP }), 423);
    assert_eq!(b.sent[0].headers.get(&Name::MinExpires).unwrap(), "60");
    assert_eq!(asks(&mut b, &Wish { whom: "nobody", call: 3, ..LAMP }), 404);
    for event in ["reg", "message-summary"] {
        let call = 4 + event.len() as u32;
        assert_eq!(asks(&mut b, &Wish { event, call, ..LAMP }), 403, "another's {event}");
    }
    // The password is Anna's, the name she gives is Ben's.
    let stolen = text(&Wish { call: 40, ..LAMP }, "").replace("From: <sip:anna@", "From: <sip:ben@");
    assert_eq!(b.says(&stolen), [401]);
    assert_eq!(asks(&mut b, &Wish { event: "message-summary", whom: "anna", expires: 0, call: 41, ..LAMP }), 200);
    assert!(notified(&b).is_some_and(|m| String::from_utf8_lossy(&m.body).contains("Voice-Message: 0/0")), "a look is a look");
    assert_eq!(b.stack.counters().subscriptions, 0);
}

#[test]
fn a_user_has_so_many_lamps_and_no_more_and_lost_phones_give_theirs_back() {
    let mut b = Bench::new();
    for call in 1..=SIP_SUBSCRIPTIONS_PER_USER as u32 {
        assert_eq!(asks(&mut b, &Wish { call, ..LAMP }), 200);
    }
    assert_eq!(asks(&mut b, &Wish { call: 9_999, ..LAMP }), 403);
    assert_eq!(asks(&mut b, &Wish { user: "ben", whom: "anna", call: 10_000, ..LAMP }), 200, "each has their own");
    // Nobody ever answers: three NOTIFYs each, and they are gone long before their time.
    for _ in 0..400 {
        b.waits(secs(1));
        if b.stack.counters().subscriptions == 0 {
            break;
        }
    }
    assert_eq!(b.stack.counters().subscriptions, 0);
}

#[test]
fn a_phone_that_says_481_is_told_no_more() {
    let mut b = Bench::new();
    assert_eq!(asks(&mut b, &Wish { event: "presence", ..LAMP }), 200);
    assert!(String::from_utf8_lossy(&notified(&b).unwrap().body).contains("<basic>closed</basic>"), "no phone is registered");
    answers(&mut b, 200);
    b.waits(SIP_NOTIFY_GAP);
    let tenant = TenantId::parse("demo").unwrap();
    b.does(Action::Lamp { tenant, user: "ben".into(), change: LampChange::Presence(Presence::Away("lunch".into())) });
    assert!(String::from_utf8_lossy(&notified(&b).unwrap().body).contains("<note>lunch</note>"));
    answers(&mut b, 481);
    assert_eq!(b.stack.counters().subscriptions, 0);
}
