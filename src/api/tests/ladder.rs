//! The ladder of a contact, and why it went as it did: for supervisors, and noted.

use super::*;
use crate::{
    center::{
        fact::{Fact, LegRole},
        ladder::{Ladder, Party, Step},
    },
    sip::transport::Transport,
    store::LadderRow,
};

#[tokio::test]
async fn a_supervisor_reads_a_ladder_in_three_forms_and_why_and_the_log_says_so() {
    let h = house().await;
    let i = annas_call(&h).await;
    let opened =
        Fact::LegOpened { interaction: i, leg: 7, role: LegRole::Customer, party: "+32".into(), call_id: String::new() };
    let ended = Fact::LegEnded { interaction: i, leg: 7, cause: crate::call::Cause::NotFound, quality: None };
    h.center.happens("demo", opened);
    h.center.happens("demo", ended);
    h.settled().await;
    let step = |ms: i64, sent, text: &str| Step {
        at: Wall(1_795_406_706_000_000 + ms * 1_000),
        sent,
        leg: 7,
        transport: Transport::Udp,
        local: "192.0.2.1:5060".parse().unwrap(),
        remote: "192.0.2.2:5060".parse().unwrap(),
        text: text.into(),
    };
    let steps = vec![
        step(0, false, "INVITE sip:4 SIP/2.0\r\nTo: <sip:4>\r\nCSeq: 1 INVITE\r\n\r\n"),
        step(12, true, "SIP/2.0 404 Not Found\r\nCSeq: 1 INVITE\r\n\r\n"),
    ];
    let parties = vec![Party { leg: 7, role: LegRole::Customer, name: "+32".into() }];
    let body = Ladder { parties, steps, dropped: 0 }.pack();
    let row = LadderRow { tenant: tenant("demo"), interaction: i, at: Wall(1), messages: 2, body };
    h.store.ladder_put(vec![row]).await.unwrap();

    let sue = Browser::of(&h, "sue").await;
    let path = format!("/api/v1/interactions/{i}/ladder");
    let json = sue.ask(&h, "GET", &path, None).await;
    assert_eq!(json.status, 200, "{}", json.text());
    let json = json.json();
    assert_eq!((&json["messages"][1]["title"], &json["messages"][1]["after_ms"]), (&"404 Not Found".into(), &12.0.into()));
    assert_eq!(json["parties"][0]["role"], "customer");
    let text = sue.ask(&h, "GET", &format!("{path}?format=text"), None).await;
    assert!(text.text().contains(" 404 Not Found "), "{}", text.text());
    let pcap = sue.ask(&h, "GET", &format!("{path}?format=pcap"), None).await;
    assert_eq!((pcap.status, pcap.header("content-type")), (200, "application/vnd.tcpdump.pcap"));
    assert_eq!(sue.ask(&h, "GET", &format!("{path}?format=png"), None).await.status, 422);

    let why = sue.ask(&h, "GET", &format!("/api/v1/interactions/{i}/why"), None).await.json();
    assert_eq!((&why["findings"][0]["code"], &why["findings"][0]["side"]), (&"no_route".into(), &"us".into()), "{why}");
    assert!(why["findings"][0]["en"].as_str().unwrap().contains("404 Not Found"));

    let ada = Browser::of(&h, "ada").await;
    let log = ada.ask(&h, "GET", "/api/v1/audit", None).await.text();
    assert_eq!(log.matches("ladder.read").count(), 3, "{log}");
    let anna = Browser::of(&h, "anna").await;
    assert_eq!(anna.ask(&h, "GET", &path, None).await.status, 403);
    let oscar = Browser::of(&h, "oscar").await;
    assert_eq!(oscar.ask(&h, "GET", &path, None).await.status, 404);
}
