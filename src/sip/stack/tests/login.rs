//! A trunk that logs in by digest: it is what its password proves, and what it writes decides nothing.

use super::*;
use crate::base::Admission;

/// The bench, and a trunk `branch` that calls from one network by a password.
fn bench() -> Bench {
    let mut b = Bench::new();
    let mut s = (**b.stack.current_settings()).clone();
    s.trunks.push(TrunkPeer {
        id: TrunkId::parse("branch").unwrap(),
        tenant: demo(),
        addresses: vec![("203.0.113.0/24".parse().unwrap(), None)],
        deny: vec!["203.0.113.66".parse().unwrap()],
        login: Some(("branch".into(), Ha1::new("branch", "shop.example", "pw3"))),
    });
    b.stack.settings(Arc::new(s));
    b
}

/// An INVITE that says to be from Anna, with an answer to the last challenge if there is one.
fn calls(b: &mut Bench, n: u32, proof: &str) -> Vec<u16> {
    let invite = request("INVITE", "sip:4001@shop.example", &format!("i{n}"), n, proof);
    b.says(&invite.replace("<sip:ann@10.0.0.9>;tag", "<sip:anna@shop.example>;tag"))
}

fn proof(b: &Bench, user: &str, password: &str, nc: u32) -> String {
    answer_to(&b.sent[0].clone(), user, password, "INVITE", "sip:4001@shop.example", Algorithm::Md5, nc)
}

#[test]
fn a_trunk_that_logs_in_is_itself_whoever_it_says_is_calling_and_each_count_of_a_nonce_once() {
    let mut b = bench();
    assert_eq!(calls(&mut b, 1, ""), [401], "its address alone proves nothing");
    let challenged = b.sent[0].clone();
    let first = proof(&b, "branch", "pw3", 1);
    assert_eq!(calls(&mut b, 2, &first), [100]);
    assert_eq!(b.incoming().1, Who::Trunk(TrunkId::parse("branch").unwrap()));
    assert_eq!(calls(&mut b, 3, &first), [401], "what was heard on the wire is worth nothing");
    assert!(b.sent[0].headers.get(&Name::WwwAuthenticate).unwrap().contains("stale=true"));
    b.sent = vec![challenged];
    let second = proof(&b, "branch", "pw3", 2);
    assert_eq!(calls(&mut b, 4, &second), [100]);
    assert_eq!(b.incoming().1, Who::Trunk(TrunkId::parse("branch").unwrap()));
}

#[test]
fn a_wrong_password_and_an_unknown_trunk_hear_the_same_and_from_elsewhere_the_right_one_is_refused() {
    let mut b = bench();
    let mut said = Vec::new();
    for (n, user) in [(10, "branch"), (20, "nobody"), (30, "anna")] {
        calls(&mut b, n, "");
        let wrong = proof(&b, user, "guess", 1);
        assert_eq!(calls(&mut b, n + 1, &wrong), [401]);
        let text = String::from_utf8_lossy(&b.sent[0].write()).into_owned();
        let own = |l: &&str| !["Via", "To:", "CSeq", "WWW-A"].iter().any(|h| l.starts_with(h));
        said.push(text.lines().filter(own).map(str::to_owned).collect::<Vec<_>>());
    }
    assert!(said.windows(2).all(|two| two[0] == two[1]), "{said:?}");
    for (n, from) in [(40, [203, 0, 113, 66]), (50, [192, 0, 2, 99])] {
        b.from = (from, 5060).into();
        calls(&mut b, n, "");
        let right = proof(&b, "branch", "pw3", 1);
        assert_eq!(calls(&mut b, n + 1, &right), [403]);
    }
    assert!(b.events.is_empty());
}

#[test]
fn a_number_for_everybody_is_the_trunks_call_from_where_the_trunk_calls_and_a_strangers_from_elsewhere() {
    let mut b = bench();
    assert_eq!(b.says(&invite("p1", 60)), [401]);
    b.from = ([192, 0, 2, 99], 5060).into();
    assert_eq!(b.says(&invite("p2", 61)), [100]);
    assert_eq!(b.incoming().1, Who::Stranger);
}

/// Registers this name with the trunk's password.
fn registers(b: &mut Bench, n: u32, aor: &str) -> Vec<u16> {
    assert_eq!(b.says(&register(&format!("r{n}"), n, aor, "")), [401]);
    let answer = answer_to(&b.sent[0].clone(), "branch", "pw3", "REGISTER", "sip:shop.example", Algorithm::Md5, 1);
    b.says(&register(&format!("s{n}"), n + 1, aor, &format!("{answer}\n")))
}

#[test]
fn a_trunk_registers_itself_and_nobody_else() {
    let mut b = bench();
    assert_eq!(registers(&mut b, 1, "anna"), [403]);
    assert_eq!(registers(&mut b, 3, "branch"), [200]);
    assert!(matches!(b.events.pop(), Some(Event::Registered { user, contacts: 1, .. }) if user == "branch"));
    assert_eq!(b.stack.bindings(&demo(), "branch")[0].flow.remote, std::net::SocketAddr::from(PHONE));
}

#[test]
fn under_load_the_calls_of_a_registered_exchange_are_customers_and_its_registration_is_kept() {
    let mut b = bench();
    assert_eq!(registers(&mut b, 1, "branch"), [200]);
    b.stack.admission(Admission::Closed);
    assert_eq!(calls(&mut b, 70, ""), [503]);
    assert_eq!(registers(&mut b, 3, "branch"), [200]);
}
