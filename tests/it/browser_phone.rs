//! The phone in the agent's browser: let in by its session, rung over its socket, gone with it.

use futures_util::{SinkExt as _, StreamExt as _};
use ringdesk::sip::msg::{Host, Method};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite;

use super::server::{
    House, PATIENCE,
    browser::{Browser, connect},
    http,
    outward::applies,
};

const OFFER: &str = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 40000 RTP/AVP 0\r\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_browser_is_rung_over_the_socket_it_registered_on_and_cannot_be_reached_once_the_tab_is_closed() {
    let house = House::opens().await;
    let (anna, ben) = (house.desk("anna").await, house.desk("ben").await);
    let mut events = ben.begins_work("ben").await;
    let mut page = Browser::opens(&ben, "ben").await;
    let answer = page.registers().await;
    assert_eq!(answer.code(), Some(200));
    let contact = answer.contact().unwrap();
    assert_eq!(contact.uri.sip().unwrap().host, Host::parse("df7jal23ls0d.invalid").unwrap());
    events.until("the phone", |e| (e.view["agents"]["ben"]["phone"] == true).then_some(())).await;

    // Anna calls the queue Ben serves, from her own tab.
    let mut caller = Browser::opens(&anna, "anna").await;
    let to = format!("sip:4001@{}", caller.aor.split('@').nth(1).unwrap());
    let call = tokio::spawn(async move {
        let answer = caller.asks("INVITE", &to, "Content-Type: application/sdp\r\n", OFFER).await;
        (caller, answer)
    });
    let invite = page.is_asked(&Method::Invite).await;
    let via = invite.top_via().unwrap();
    assert_eq!(via.protocol.as_str(), "WS");
    let target = invite.uri().unwrap().to_string();
    assert!(target.starts_with("sip:ben@df7jal23ls0d.invalid"), "{target}");
    let ours = invite.contact().unwrap().uri.to_string();
    assert!(ours.contains(&house.at.port().to_string()) && ours.contains("transport=ws"), "{ours}");
    page.answers(&invite, 180).await;

    // The tab is closed while it rings: the next moment nobody thinks Ben has a phone, and the caller still waits.
    page.socket.close(None).await.unwrap();
    events.until("no phone", |e| (e.view["agents"]["ben"]["phone"] == false).then_some(())).await;
    let (_caller, answer) = call.await.unwrap();
    assert_eq!(answer.code(), Some(200), "{answer:?}");
    house.closes().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_phones_login_ends_with_the_session_it_was_made_in_and_is_good_for_nobody_else() {
    let house = House::opens().await;
    let anna = house.desk("anna").await;
    let mut page = Browser::opens(&anna, "anna").await;
    assert_eq!(page.registers().await.code(), Some(200));
    page.aor = page.aor.replace("anna", "ben");
    assert_eq!(page.registers().await.code(), Some(403), "nobody registers another");
    page.aor = page.aor.replace("ben", "anna");
    anna.post("/api/v1/auth/logout", json!({})).await;
    assert_eq!(page.registers().await.code(), Some(401), "the session is over");
    let (status, _) = house.key().asks("POST", "/api/v1/sip/credentials", Some(Value::Null)).await;
    assert_eq!(status, 403, "a program has no phone");
    house.closes().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_socket_speaks_sip_only_and_only_to_our_own_pages() {
    let house = House::opens().await;
    assert_eq!(connect(house.at, None, None).await.err(), Some(400), "no subprotocol");
    assert_eq!(connect(house.at, Some("https://evil.example"), Some("sip")).await.err(), Some(403));
    // A softphone is no page and has no origin.
    let mut phone = connect(house.at, None, Some("sip")).await.unwrap();
    let next = async |phone: &mut super::server::Socket| {
        tokio::time::timeout(PATIENCE, phone.next()).await.expect("a frame within the patience")
    };
    let options = "OPTIONS sip:demo SIP/2.0\r\nVia: SIP/2.0/WS x.invalid;branch=z9hG4bK1\r\nFrom: <sip:a@demo>;tag=1\r\n\
                   To: <sip:demo>\r\nCall-ID: o\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\n\r\n";
    for frame in [tungstenite::Message::text(options), tungstenite::Message::binary(options.replace("bK1", "bK2"))] {
        phone.send(frame).await.unwrap();
        let answer = next(&mut phone).await.unwrap().unwrap().into_text().unwrap();
        assert!(answer.starts_with("SIP/2.0 200 OK\r\n"), "{answer}");
    }
    phone.send(tungstenite::Message::text("\r\n\r\n")).await.unwrap();
    assert_eq!(next(&mut phone).await.unwrap().unwrap(), tungstenite::Message::text("\r\n"));
    // Broken, but with a sender who can be told; then no SIP at all.
    phone.send(tungstenite::Message::text(options.replace("CSeq: 1", "CSeq: 99999999999"))).await.unwrap();
    let answer = next(&mut phone).await.unwrap().unwrap().into_text().unwrap();
    assert!(answer.starts_with("SIP/2.0 400 "), "{answer}");
    phone.send(tungstenite::Message::text("{\"type\":\"hello\"}")).await.unwrap();
    while let Some(Ok(frame)) = next(&mut phone).await {
        assert!(frame.is_close(), "{frame:?}");
    }
    // A frame longer than the longest message ends its connection, and nothing else.
    let mut phone = connect(house.at, None, Some("sip")).await.unwrap();
    // The other side may have closed before all of it is written.
    let _ = phone.send(tungstenite::Message::text("x".repeat(70_000))).await;
    assert!(!matches!(next(&mut phone).await, Some(Ok(tungstenite::Message::Text(_)))));
    let metrics = house.key().text("/metrics").await;
    let value = |name: &str| metrics.lines().find_map(|l| l.strip_prefix(name)).map(|v| v.trim().to_owned());
    assert_eq!(value("ringdesk_net_unframed ").as_deref(), Some("1"), "{metrics}");
    house.closes().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shops_page_opens_the_socket_while_its_visitors_may_talk_and_calls_one_place_once() {
    let house = House::opens().await;
    let (boss, shop) = (house.desk("admin").await, "https://shop.example");
    let yaml = boss.text("/api/v1/config").await;
    let listed = yaml.replace("origins: []", "origins: ['https://shop.example']");
    assert_ne!(yaml, listed);
    applies(&boss, listed.clone()).await;
    assert_eq!(connect(house.at, Some(shop), Some("sip")).await.err(), Some(403), "listed, but nobody talks there");
    let offered = listed.replace("gone_s: 600\n", "gone_s: 600\n      talk_now: {to: {number: '4001'}}\n");
    assert_ne!(offered, listed);
    applies(&boss, offered).await;
    for foreign in ["https://evil.example", "https://shop.example.evil.example", "http://shop.example", "null"] {
        assert_eq!(connect(house.at, Some(foreign), Some("sip")).await.err(), Some(403), "{foreign}");
    }

    let asks = async |path: &str, token: &str| {
        let request = http().post(format!("http://{}/chat/v1/{path}", house.at)).header("origin", shop);
        let answer = request.header("authorization", format!("Bearer {token}")).json(&json!({})).send().await.unwrap();
        let status = answer.status().as_u16();
        (status, answer.json::<Value>().await.unwrap())
    };
    let (_, session) = asks("session", "").await;
    let (status, login) = asks("talk", session["token"].as_str().unwrap()).await;
    assert_eq!((status, login["path"].as_str()), (201, Some("/sip")), "{login}");
    assert_eq!(asks("talk", "somebody").await.0, 401);

    let socket = connect(house.at, Some(shop), Some("sip")).await.unwrap();
    let mut page = Browser::with(socket, &login, "guest");
    let (target, sound) = (login["target"].as_str().unwrap(), "Content-Type: application/sdp\r\n");
    assert_eq!(page.registers().await.code(), Some(403));
    assert_eq!(page.asks("INVITE", &target.replace("4001", "4000"), sound, OFFER).await.code(), Some(403));
    assert_eq!(page.asks("INVITE", target, sound, OFFER).await.code(), Some(200));
    assert_eq!(page.asks("INVITE", target, sound, OFFER).await.code(), Some(401), "it was good for one call");

    // The page is gone, and so is its call, at once.
    let key = house.key();
    let waiting = async || key.get("/api/v1/interactions?live=true").await["interactions"].as_array().unwrap().len();
    assert_eq!(waiting().await, 1);
    let mut events = key.listens(None).await;
    page.socket.close(None).await.unwrap();
    events.until("the end of the call", |e| (!e.told("interaction_closed").is_empty()).then_some(())).await;
    house.closes().await;
}
