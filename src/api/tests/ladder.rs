//! The ladder of a contact, and why it went as it did: for supervisors, and noted.

use super::*;
use crate::{
    center::{
        fact::{Fact, LegRole, Quality},
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

#[tokio::test]
async fn how_a_call_sounded_is_read_by_whoever_had_it_and_the_timeline_stays_short() {
    let h = house().await;
    let i = annas_call(&h).await;
    let leg =
        |leg, role, party: &str| Fact::LegOpened { interaction: i, leg, role, party: party.into(), call_id: String::new() };
    let ended = |leg, quality| Fact::LegEnded { interaction: i, leg, cause: crate::call::Cause::Normal, quality };
    let rows = [(250, 0), (200, 50), (0, 0)];
    let span = |(packets_in, lost)| crate::call::Span { ms: 5_000, packets_in, lost, jitter_us: 1_234, ..Default::default() };
    let spans = crate::call::Spans { from: Wall(1_795_406_706_000_000), rows: rows.map(span).to_vec() };
    let quality = Quality { packets_in: 450, lost: 50, mos_min: Some(2.2), spans: Some(Box::new(spans)), ..Quality::default() };
    h.center.happens("demo", leg(7, LegRole::Customer, "+32"));
    h.center.happens("demo", leg(8, LegRole::Supervisor, "sue"));
    h.center.happens("demo", ended(7, Some(quality)));
    h.center.happens("demo", ended(8, None));
    h.settled().await;

    let path = format!("/api/v1/interactions/{i}/quality");
    let sue = Browser::of(&h, "sue").await;
    let told = sue.ask(&h, "GET", &path, None).await.json();
    assert_eq!(told["legs"].as_array().unwrap().len(), 2);
    let course = &told["legs"][0]["course"];
    assert_eq!((&course["from"], &course["until_ms"]), (&json!("2026-11-23T04:05:06.000Z"), &json!([5_000, 10_000, 15_000])));
    assert_eq!(
        (&course["loss_percent"], &course["jitter_ms"]),
        (&json!([0.0, 20.0, null]), &json!([1.23, 1.23, null])),
        "{told}"
    );
    assert_eq!((&course["mos"][2], course["mos"][1].as_f64().unwrap() < 3.0), (&json!(null), true));
    let anna = Browser::of(&h, "anna").await;
    let told = anna.ask(&h, "GET", &path, None).await.json();
    assert_eq!(told["legs"].as_array().unwrap().len(), 1, "that somebody listened is not for agents: {told}");
    let line = anna.ask(&h, "GET", &format!("/api/v1/interactions/{i}/timeline"), None).await.text();
    assert!(line.contains("mos_min") && !line.contains("spans"), "{line}");
    let ben = Browser::of(&h, "ben").await;
    assert_eq!(ben.ask(&h, "GET", &path, None).await.status, 403);
}
