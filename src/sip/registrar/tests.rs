//! Section 10.3 as a phone lives it.
use super::*;
use crate::base::ms;

const T0: Mono = Mono(0);

fn anna() -> Aor {
    Aor { tenant: TenantId::parse("demo").unwrap(), user: "anna".into() }
}
fn flow(port: u16) -> Flow {
    Flow::udp("192.0.2.1:5060".parse().unwrap(), ([203, 0, 113, 7], port).into())
}
fn request(call_id: &str, cseq: u32, contacts: &[(&str, u32)]) -> Request {
    let set = contacts.iter().map(|(c, e)| (NameAddr::parse(c).unwrap(), *e)).collect();
    Request {
        call_id: call_id.into(),
        cseq,
        wish: Wish::Set(set),
        flow: flow(4000),
        user_agent: "phone".into(),
        path: vec![],
        outbound: false,
    }
}
const DESK: &str = "<sip:anna@192.168.1.2:5060>;q=0.5";
const SOFT: &str = "<sip:anna@192.168.1.3:5060>";

#[test]
fn two_phones_ring_the_preferred_first_and_each_leaves_when_its_time_is_up() {
    let mut r = Registrar::default();
    assert_eq!(r.register(T0, &anna(), &request("a", 1, &[(DESK, 60)])), Ok(Reach::Registered(1)));
    assert_eq!(r.register(T0, &anna(), &request("b", 1, &[(SOFT, 7200)])), Ok(Reach::Registered(2)));
    assert_eq!(r.bindings(&anna())[0].contact.to_string(), "sip:anna@192.168.1.3:5060");
    assert_eq!(r.bindings(&anna())[0].expires_s(T0), u64::from(EXPIRES_MAX_S), "a longer wish is cut");
    assert_eq!(r.deadline(), Some(T0 + secs(60)));
    assert_eq!(r.expire(T0 + secs(60)), [(anna(), Reach::Registered(1))]);
    assert_eq!(r.expire(T0 + secs(u64::from(EXPIRES_MAX_S))), [(anna(), Reach::Unregistered)]);
    assert!(r.is_empty() && r.deadline().is_none());
}

#[test]
fn renewing_keeps_one_binding_and_an_overtaken_request_changes_nothing() {
    let mut r = Registrar::default();
    r.register(T0, &anna(), &request("a", 5, &[(DESK, 60)])).unwrap();
    assert_eq!(r.register(T0 + secs(30), &anna(), &request("a", 6, &[(DESK, 60)])), Ok(Reach::Same));
    assert_eq!(r.register(T0 + secs(31), &anna(), &request("a", 5, &[(DESK, 0)])), Err(RegisterError::OutOfOrder));
    assert_eq!(r.bindings(&anna()).len(), 1);
    assert_eq!(r.bindings(&anna())[0].expires_s(T0 + secs(30) + ms(500)), 60);
    // After a reboot the phone has a new Call-ID and may start counting anew.
    assert_eq!(r.register(T0 + secs(40), &anna(), &request("b", 1, &[(DESK, 60)])), Ok(Reach::Same));
    assert_eq!(r.register(T0 + secs(41), &anna(), &request("b", 2, &[(DESK, 0)])), Ok(Reach::Unregistered));
}

#[test]
fn a_star_removes_all_and_a_tiny_lifetime_is_refused_as_a_whole() {
    let mut r = Registrar::default();
    let both = request("a", 1, &[(DESK, 60), (SOFT, 59)]);
    assert_eq!(r.register(T0, &anna(), &both), Err(RegisterError::TooBrief));
    assert!(r.is_empty());
    r.register(T0, &anna(), &request("a", 2, &[(DESK, 60), (SOFT, 60)])).unwrap();
    let star = Request { wish: Wish::Clear, ..request("a", 3, &[]) };
    assert_eq!(r.register(T0, &anna(), &star), Ok(Reach::Unregistered));
}

#[test]
fn the_eleventh_phone_is_refused() {
    let mut r = Registrar::default();
    for i in 0..=SIP_BINDINGS_PER_AOR {
        let contact = format!("<sip:anna@192.168.1.{i}>");
        let done = r.register(T0, &anna(), &request(&format!("c{i}"), 1, &[(&contact, 60)]));
        assert_eq!(done.is_err(), i == SIP_BINDINGS_PER_AOR);
    }
}

#[test]
fn a_phone_that_moved_to_another_port_replaces_itself_when_it_names_its_instance() {
    let mut r = Registrar::default();
    let with = |port: u16| format!("<sip:anna@192.168.1.2:{port}>;+sip.instance=\"<urn:uuid:1>\"");
    r.register(T0, &anna(), &request("a", 1, &[(&with(5060), 60)])).unwrap();
    assert_eq!(r.register(T0, &anna(), &request("b", 1, &[(&with(5999), 60)])), Ok(Reach::Same));
    assert_eq!(r.bindings(&anna()).len(), 1);
}

#[test]
fn a_closed_stream_takes_the_phone_behind_a_nat_with_it_but_not_the_one_that_can_be_dialled() {
    let mut r = Registrar::default();
    let over = |conn| Flow { conn: Some(ConnId(conn)), transport: crate::sip::transport::Transport::Tcp, ..flow(40000) };
    let natted = Request { flow: over(1), ..request("a", 1, &[(DESK, 60)]) };
    let open = Request { flow: over(2), ..request("b", 1, &[("<sip:anna@203.0.113.7:5070;transport=tcp>", 60)]) };
    r.register(T0, &anna(), &natted).unwrap();
    r.register(T0, &anna(), &open).unwrap();
    assert_eq!(r.closed(ConnId(2)), []);
    assert_eq!(r.closed(ConnId(1)), [(anna(), Reach::Registered(1))]);
    assert_eq!(r.bindings(&anna())[0].flow.remote.port(), 5070);
}

/// Anna's phone, over one of its two flows.
fn outbound(id: u32, cseq: u32, expires: u32) -> Request {
    let contact = format!("<sip:anna@192.168.1.2:5060>;+sip.instance=\"<urn:uuid:1>\";reg-id={id}");
    let way = Flow { transport: crate::sip::transport::Transport::Tcp, conn: Some(ConnId(u64::from(id))), ..flow(40_000) };
    Request { flow: way, outbound: true, ..request(&format!("flow{id}"), cseq, &[(&contact, expires)]) }
}

#[test]
fn a_phone_with_two_flows_is_one_phone_and_is_called_over_the_one_it_renewed_last() {
    let mut r = Registrar::default();
    assert_eq!(r.register(T0, &anna(), &outbound(1, 1, 100)), Ok(Reach::Registered(1)));
    assert_eq!(r.register(T0 + secs(1), &anna(), &outbound(2, 1, 100)), Ok(Reach::Registered(2)));
    assert_eq!(r.register(T0 + secs(2), &anna(), &request("desk", 1, &[(SOFT, 60)])), Ok(Reach::Registered(3)));
    let conns = |r: &Registrar| -> Vec<Vec<Option<u64>>> {
        let all =
            |(b, others): (&Binding, Vec<Flow>)| std::iter::once(b.flow).chain(others).map(|f| f.conn.map(|c| c.0)).collect();
        ways(r.bindings(&anna())).into_iter().map(all).collect()
    };
    assert_eq!(conns(&r), [vec![Some(2), Some(1)], vec![None]]);
    assert_eq!(r.register(T0 + secs(50), &anna(), &outbound(1, 2, 100)), Ok(Reach::Same));
    assert_eq!(conns(&r)[0], [Some(1), Some(2)]);
    // A broken flow takes its binding, and only that: nobody could open the connection again.
    assert_eq!(r.closed(ConnId(1)), [(anna(), Reach::Registered(2))]);
    assert_eq!(conns(&r), [vec![Some(2)], vec![None]]);
    let gone = r.bindings(&anna())[0].clone();
    assert_eq!(r.flow_failed(&gone.contact, &gone.flow), [(anna(), Reach::Registered(1))]);
}

#[test]
fn a_number_of_a_flow_counts_only_from_a_phone_that_says_which_one_it_is_and_knows_flows() {
    let mut r = Registrar::default();
    let anonymous = request("a", 1, &[("<sip:anna@192.168.1.2>;reg-id=1", 60)]);
    r.register(T0, &anna(), &Request { outbound: true, ..anonymous }).unwrap();
    assert_eq!(r.bindings(&anna())[0].reg_id, None);
    let plain = Request { outbound: false, ..outbound(2, 1, 60) };
    r.register(T0, &anna(), &plain).unwrap();
    assert!(r.bindings(&anna()).iter().all(|b| b.reg_id.is_none()));
}
