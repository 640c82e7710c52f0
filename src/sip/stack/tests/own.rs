//! What a phone of ours says about itself is its own, or it is not heard; and a trunk calls from where it lives.

use super::*;

#[test]
fn whatever_a_phone_writes_into_contact_and_asserted_identity_its_calls_stay_its_own() {
    let mut b = Bench::new();
    b.says(&request("INVITE", "sip:4001@shop.example", "a", 1, ""));
    assert_eq!(b.codes(), [401]);
    let challenge = b.sent[0].clone();
    let proof = answer_to(&challenge, "anna", "pw", "INVITE", "sip:4001@shop.example", Algorithm::Md5, 1);
    let lies = format!("{proof}\nP-Asserted-Identity: <sip:ben@shop.example>\nRemote-Party-ID: <sip:ben@shop.example>");
    let invite = request("INVITE", "sip:4001@shop.example", "b", 2, &lies)
        .replace("<sip:ann@10.0.0.9>;tag", "<sip:anna@shop.example>;tag")
        .replace("Contact: <sip:ann@10.0.0.9:5060>", "Contact: \"Ben\" <sip:ben@198.51.100.99:5070>");
    assert_eq!(b.says(&invite), [100]);
    let (call, who) = b.incoming();
    assert_eq!(who, Who::User { tenant: demo(), user: "anna".into() });
    b.respond(call, 200);
    let ok = String::from_utf8_lossy(&b.sent[0].write()).into_owned();
    assert!(!ok.contains("198.51.100.99") && !ok.contains("ben"), "nothing of it is said again: {ok}");
    let tag = b.tag();
    let ack = request("ACK", "sip:4001@shop.example", "c", 2, &format!("tag={tag}"));
    b.says(&ack.replace("<sip:ann@10.0.0.9>;tag", "<sip:anna@shop.example>;tag"));
    // Whoever is named there hears nothing of us: what we ask goes the way her call came.
    let mut out = Vec::new();
    b.stack.handle(b.now, Input::Do(Action::Bye { dialog: call, headers: Headers::new() }), &mut out);
    let ways: Vec<_> =
        out.iter().filter_map(|o| if let Output::Send { flow, .. } = o { Some(flow.remote) } else { None }).collect();
    assert_eq!(ways, [std::net::SocketAddr::from(PHONE)]);
}

#[test]
fn a_trunk_is_known_by_its_networks_and_refused_where_it_is_denied() {
    let mut b = Bench::new();
    for (last, found) in [(1, Ok("carrier")), (6, Ok("carrier")), (4, Err(403)), (9, Err(401))] {
        b.from = ([198, 51, 100, last], 5060).into();
        let codes = b.says(&request("INVITE", "sip:4001@shop.example", &format!("n{last}"), u32::from(last), ""));
        match found {
            Ok(name) => assert_eq!(b.incoming().1, Who::Trunk(TrunkId::parse(name).unwrap()), "{last}"),
            Err(code) => assert_eq!(codes, [code], "{last}"),
        }
    }
}
