//! IPv6 beside IPv4: phones of either family register, call and are heard, each at an address of its own family.

use ringdesk::{
    app::Config,
    sip::msg::{Host, Method},
};

use super::server::{
    House, PATIENCE,
    browser::Browser,
    phone::{Phone, wanted_at},
};

/// A server on both: SIP by UDP and TCP on each loopback, its pages on the newer one.
fn both(c: &mut Config) {
    let listens = |transport: &str| format!("[[sip.listen]]\ntransport = \"{transport}\"\nbind = \"[::1]:0\"\n");
    let more: Config = toml::from_str(&(listens("udp") + &listens("tcp"))).unwrap();
    c.sip.listen = more.sip.listen;
    c.sip.public = Some([127, 0, 0, 1].into());
    c.http.bind = "[::1]:0".parse().unwrap();
    c.media.bind = Some("::".parse().unwrap());
}

/// Where there is no IPv6 at all there is nothing to be told.
fn has_ipv6() -> bool {
    let has = std::net::UdpSocket::bind("[::1]:0").is_ok();
    if !has {
        eprintln!("this machine has no IPv6");
    }
    has
}

/// Both talk at once, and each hears the other, from where it was told.
async fn hear_each_other(caller: &Phone, to_caller: &str, agent: &Phone, to_agent: &str) {
    let (there, here) = (wanted_at(to_caller), wanted_at(to_agent));
    let talk = async { tokio::join!(caller.talks(there, 0x21, 0x42), agent.talks(here, 0x42, 0x21)) };
    let (a, b) = tokio::time::timeout(PATIENCE, talk).await.expect("both are heard");
    assert_eq!((a, b), (there, here), "sound comes from where it is sent to");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_on_ipv6_reaches_an_agent_on_ipv6_and_one_on_ipv4_the_same_agent_and_all_hear_each_other() {
    if !has_ipv6() {
        return;
    }
    let house = House::opens_with(both).await;
    let on = |v6: bool| house.spoken.iter().filter(move |a| a.is_ipv6() == v6).copied().collect::<Vec<_>>();
    let (newer, older) = (on(true), on(false));
    let [udp, tcp] = newer[..] else { panic!("{newer:?}") };
    let ben = house.desk("ben").await;
    let mut events = ben.begins_work("ben").await;
    let mut phone = Phone::by_tcp(tcp, "ben", Some(&house.demo.sip_passwords["ben"])).await;
    let listed = phone.registers().await.contact().unwrap();
    assert_eq!(listed.uri.sip().unwrap().host, Host::Ip(phone.me.ip()));
    assert!(listed.uri.sip().unwrap().to_string().contains("@[::1]:"), "in brackets: {listed:?}");
    events.until("the phone", |e| (e.view["agents"]["ben"]["phone"] == true).then_some(())).await;

    for (n, server) in [udp, older[0]].into_iter().enumerate() {
        let mut caller = Phone::by_udp(server, &format!("+3247000000{n}"), None).await;
        let (answer, to_caller) = caller.calls("4001").await;
        assert_eq!(wanted_at(&to_caller).is_ipv6(), server.is_ipv6(), "each in its own family: {to_caller}");
        let ours = answer.contact().unwrap();
        assert_eq!(ours.uri.sip().unwrap().host.ip(), Some(server.ip()));

        let invite = phone.is_asked(&Method::Invite).await;
        let via = invite.top_via().unwrap().to_string();
        assert!(via.contains(&format!("TCP [::1]:{}", tcp.port())), "{via}");
        let to_agent = String::from_utf8(invite.body.to_vec()).unwrap();
        assert!(to_agent.contains("c=IN IP6 "), "{to_agent}");
        phone.takes(&invite).await;
        hear_each_other(&caller, &to_caller, &phone, &to_agent).await;

        let contact = ours.uri.to_string();
        let talk = events.until("the talk", |e| e.talks("ben")).await;
        ben.post(&format!("/api/v1/interactions/{talk}/finish"), serde_json::json!({})).await;
        for phone in [&mut caller, &mut phone] {
            let bye = phone.is_asked(&Method::Bye).await;
            phone.agrees(&bye).await;
        }
        assert!(contact.contains(&server.to_string()), "{contact}");
        ben.post(&format!("/api/v1/interactions/{talk}/wrap-up-done"), serde_json::json!({})).await;
        events.until("free again", |e| e.view["agents"]["ben"]["work"].as_array()?.is_empty().then_some(())).await;
    }
    house.closes().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_browser_on_ipv6_is_told_a_candidate_it_can_reach() {
    if !has_ipv6() {
        return;
    }
    let house = House::opens_with(both).await;
    assert!(house.at.is_ipv6());
    let chen = house.desk("chen").await;
    let mut events = chen.begins_work("chen").await;
    let mut page = Browser::opens(&chen, "chen").await;
    assert_eq!(page.registers().await.code(), Some(200));
    events.until("the phone", |e| (e.view["agents"]["chen"]["phone"] == true).then_some(())).await;
    let older = house.spoken.iter().find(|a| a.is_ipv4()).copied().unwrap();
    let mut caller = Phone::by_udp(older, "+32470000003", None).await;
    let (_, to_caller) = caller.calls("4001").await;
    assert!(wanted_at(&to_caller).is_ipv4());
    let invite = page.is_asked(&Method::Invite).await;
    let offer = String::from_utf8(invite.body.to_vec()).unwrap();
    let candidate = offer.lines().find(|l| l.starts_with("a=candidate:")).unwrap().to_owned();
    let ip: std::net::IpAddr = candidate.split(' ').nth(4).unwrap().parse().unwrap();
    assert!(ip.is_ipv6() && offer.contains("c=IN IP6 "), "{offer}");
    let ours = invite.contact().unwrap().uri.to_string();
    assert!(ours.contains(&format!("[::1]:{}", house.at.port())), "{ours}");
    house.closes().await;
}
