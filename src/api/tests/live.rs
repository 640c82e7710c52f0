//! Stories of the event socket: a picture, what happens, what was missed.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{openapi::Event, *};
use crate::{
    base::{Channel, QueueId},
    center::{
        alerts::{Board, Metric},
        command::SuperviseMode,
        fact::AlertRaised,
        view::{AgentView, CallbackView, ConsultView, InteractionView, QueueView, SupervisorView, WorkView},
    },
    routing::AgentState,
};

fn state_of(who: &str) -> Fact {
    Fact::AgentState { agent: agent(who), state: AgentState::Ready, since: Wall(5), pending: None }
}

fn contact(of: &str) -> InteractionView {
    InteractionView {
        channel: Channel::Voice,
        way: crate::center::fact::Way::Inbound,
        stage: "talking".into(),
        stage_since: Wall(5),
        since: Wall(4),
        to: "4000".into(),
        from: "+8613800000000".into(),
        customer: CustomerId::new(kit_now(), &mut Rng::seeded(4)),
        customer_name: "Li Wei".into(),
        ticket: None,
        queue: Some(QueueId::parse("sales").unwrap()),
        position: None,
        agent: Some(agent(of)),
        path: vec!["welcome".into()],
        attributes: BTreeMap::new(),
        messages: 0,
        unheard: Vec::new(),
        streams: Vec::new(),
        talk_since: Some(Wall(6)),
        held_since: None,
        muted: false,
        recording: Some("running"),
        customer_left: false,
        callback: Some(CallbackView {
            number: "+3265551234".into(),
            tried: 1,
            attempts: 3,
            last: Some(crate::center::callback::Outcome::Busy),
            again_at: Some(Wall(9)),
            chosen_at: Some(Wall(9)),
        }),
        consult: Some(ConsultView {
            to: crate::center::command::TransferTo::Agent { agent: agent("ben") },
            helper: None,
            state: "ringing",
            since: Wall(7),
        }),
        supervisors: vec![SupervisorView {
            supervisor: agent("sue"),
            mode: SuperviseMode::Listen,
            joined: true,
            since: Wall(8),
        }],
    }
}

fn kit_now() -> crate::base::Now {
    crate::base::Now { mono: crate::base::Mono(1), wall: Wall::from_unix_s(1_795_406_706) }
}

/// Anna and Ben each talk to somebody.
fn busy(h: &House) -> (InteractionId, InteractionId) {
    let rng = &mut Rng::seeded(6);
    let (a, b) = (InteractionId::new(kit_now(), rng), InteractionId::new(kit_now(), rng));
    h.center.shows("demo", |v| {
        for (i, who) in [(a, "anna"), (b, "ben")] {
            v.interactions.insert(i, contact(who));
            let work = vec![WorkView {
                interaction: i,
                channel: Channel::Voice,
                work: "talking".into(),
                since: Wall(5),
                until: Some(Wall(9)),
                offer: Some(crate::base::OfferId::new(kit_now(), rng)),
            }];
            let view = AgentView {
                name: who.into(),
                state: "ready".into(),
                reason: None,
                since: Wall(5),
                pending: None,
                phone: true,
                number: None,
                console: true,
                work,
                skills: BTreeMap::from([("english".to_owned(), 3)]),
            };
            v.agents.insert(agent(who), view);
        }
        let queue = QueueView {
            name: "Sales".into(),
            waiting: 2,
            longest_since: Some(Wall(3)),
            signed_in: 2,
            ready: 1,
            free: 0,
            offered: 5,
            answered: 3,
            abandoned: 0,
            service_level: Some(0.75),
            sl_percent: 80,
            sl_target_s: 20,
            hold_max_s: 60,
            held_since: None,
        };
        v.queues.insert(QueueId::parse("sales").unwrap(), queue);
    });
    (a, b)
}

async fn listens(h: &House, b: &Browser, query: &str) -> kit::Socket {
    h.socket(&format!("/api/v1/events{query}"), &b.headers()).await.unwrap()
}

fn facts(frames: &[Value]) -> Vec<u64> {
    frames.iter().filter(|f| f["type"] == "fact").map(|f| f["seq"].as_u64().unwrap()).collect()
}

#[tokio::test]
async fn a_console_gets_the_picture_then_what_happens_and_after_a_break_what_it_missed() {
    let h = house().await;
    busy(&h);
    let sue = Browser::of(&h, "sue").await;
    let mut s = listens(&h, &sue, "").await;
    let hello = s.next().await.unwrap();
    assert_eq!((hello["type"].as_str(), hello["server_now"].as_str()), (Some("hello"), Some("2026-11-23T04:05:06.000Z")));
    let first = s.next().await.unwrap();
    assert_eq!((first["type"].as_str(), first["reset"].as_bool()), (Some("snapshot"), Some(false)));
    let one = h.center.happens("demo", state_of("anna"));
    assert_eq!(s.until("fact").await["seq"], one);
    drop(s);

    let two = h.center.happens("demo", state_of("ben"));
    h.center.happens("other", state_of("oscar"));
    let four = h.center.happens("demo", state_of("anna"));
    h.settled().await;
    let mut s = listens(&h, &sue, &format!("?since={one}")).await;
    let missed = s.all_until("snapshot").await;
    assert_eq!(facts(&missed), [two, four]);
    assert_eq!(missed.last().unwrap()["reset"], false);
    let five = h.center.happens("demo", state_of("ben"));
    assert_eq!(s.until("fact").await["seq"], five, "nothing twice");

    // A number nobody gave, as after a restored backup: begin anew.
    s.say(json!({"type": "subscribe", "since": 9_999})).await;
    assert_eq!(s.until("snapshot").await["reset"], true);
}

#[tokio::test]
async fn a_console_that_is_too_slow_gets_a_fresh_picture_instead_of_a_queue() {
    let h = house_of(4).await;
    busy(&h);
    let sue = Browser::of(&h, "sue").await;
    let mut s = listens(&h, &sue, "").await;
    s.until("snapshot").await;
    for seq in 1..=64 {
        let record =
            crate::center::fact::Record { seq, at: Wall(1), tenant: tenant("demo"), cause: None, fact: state_of("anna") };
        h.facts.send(Arc::from([record])).unwrap();
    }
    let seen = s.all_until("snapshot").await;
    assert_eq!(seen.last().unwrap()["reset"], true);
    assert!(facts(&seen).len() < 64);
}

#[tokio::test]
async fn an_agent_sees_the_teams_states_but_only_their_own_contacts() {
    let h = house().await;
    let (mine, bens) = busy(&h);
    let anna = Browser::of(&h, "anna").await;
    let mut s = listens(&h, &anna, "").await;
    let picture = s.until("snapshot").await["view"].clone();
    assert_eq!(picture["interactions"].as_object().unwrap().keys().collect::<Vec<_>>(), [&mine.to_string()]);
    assert_eq!(picture["agents"]["ben"]["state"], "ready");
    assert!(
        picture["agents"]["ben"]["work"][0]["offer"].is_null() && picture["agents"]["anna"]["work"][0]["offer"].is_string()
    );
    assert_eq!(picture["queues"]["sales"]["waiting"], 2);
    let words = |i, text: &str| {
        let sender = crate::text::Sender::Visitor;
        h.center.writes("demo", i, sender, text);
    };
    words(bens, "for Ben only");
    words(mine, "for Anna");
    h.center.happens("demo", state_of("ben"));
    let seen = s.all_until("fact").await;
    assert_eq!(seen.last().unwrap()["message"]["text"], "for Anna");
    assert!(!format!("{seen:?}").contains("for Ben only"));
    assert_eq!(s.until("fact").await["fact"], "agent_state");
    h.blinks.send((tenant("demo"), Blink::Typing { interaction: bens, by: "visitor".into() })).unwrap();
    h.blinks.send((tenant("demo"), Blink::Typing { interaction: mine, by: "visitor".into() })).unwrap();
    assert_eq!(s.until("blink").await["blink"]["interaction"], mine.to_string());
}

#[tokio::test]
async fn every_frame_is_an_event_of_the_document() {
    let h = house().await;
    let (mine, _) = busy(&h);
    let sue = Browser::of(&h, "sue").await;
    let mut s = listens(&h, &sue, "").await;
    let mut frames = s.all_until("snapshot").await;
    h.center.happens("demo", state_of("anna"));
    h.center.writes("demo", mine, crate::text::Sender::Bot, "hello");
    frames.extend(s.all_until("fact").await);
    frames.extend(s.all_until("fact").await);
    h.center.shows("demo", |v| {
        v.interactions.remove(&mine);
        v.alarms.insert("disk".into(), "the disk is full".into());
        let (queue, metric) = (QueueId::parse("sales").unwrap(), Metric::Longest);
        let mut board = Board::default();
        board.apply(Wall(9), &Fact::AlertRaised(AlertRaised { queue, metric, value: 21, limit: 20, began_at: Some(Wall(3)) }));
        v.alerts = board.on().map(|a| ("sales/longest".to_owned(), a.clone())).collect();
    });
    frames.extend(s.all_until("view").await);
    let view = frames.last().unwrap();
    assert_eq!(
        (view["gone"]["interactions"][0].as_str(), view["alarms"]["disk"].as_str()),
        (Some(&*mine.to_string()), Some("the disk is full"))
    );
    s.say(json!({"type": "ping"})).await;
    frames.extend(s.all_until("pong").await);
    s.say(json!({"type": "dance"})).await;
    frames.extend(s.all_until("error").await);
    for frame in frames {
        let read: Result<Event, _> = serde_json::from_value(frame.clone());
        assert!(read.is_ok(), "{frame}: {}", read.unwrap_err());
    }
    let doc: Value = serde_json::from_str(&openapi_json()).unwrap();
    assert!(doc["components"]["schemas"]["Event"]["oneOf"].as_array().unwrap().len() >= 8);
    assert!(doc["openapi"].as_str().unwrap().starts_with("3.1"));
}

#[tokio::test]
async fn a_foreign_page_cannot_listen_with_annas_cookie() {
    let h = house().await;
    let anna = Browser::of(&h, "anna").await;
    let evil = [("cookie", anna.cookie.as_str()), ("origin", "https://evil.example")];
    assert_eq!(h.socket("/api/v1/events", &evil).await.err(), Some(403));
    assert_eq!(h.socket("/api/v1/events", &[("cookie", anna.cookie.as_str())]).await.err(), Some(403));
    assert_eq!(h.socket("/api/v1/events", &[]).await.err(), Some(401));
    let key = bearer("demo", Role::Agent);
    assert!(h.socket("/api/v1/events", &[("authorization", key.as_str())]).await.is_ok());
}

#[tokio::test]
async fn a_reload_does_not_make_the_agent_unreachable_and_leaving_does() {
    let h = house().await;
    let anna = Browser::of(&h, "anna").await;
    let told = |on: bool| move |c: &Command| matches!(c, Command::Console { connected, .. } if *connected == on);
    let mut first = listens(&h, &anna, "").await;
    first.until("snapshot").await;
    h.center.is_asked(told(true)).await;
    drop(first);
    let mut second = listens(&h, &anna, "").await;
    second.until("snapshot").await;
    assert_eq!(h.center.times_asked(told(false)), 0);
    drop(second);
    h.center.is_asked(told(false)).await;
    assert_eq!(h.center.times_asked(told(false)), 1);
}

#[tokio::test]
async fn whoever_is_disabled_hears_nothing_more() {
    let h = house().await;
    let (ada, anna) = (Browser::of(&h, "ada").await, Browser::of(&h, "anna").await);
    let mut s = listens(&h, &anna, "").await;
    s.until("snapshot").await;
    assert_eq!(ada.ask(&h, "PUT", "/api/v1/users/anna", Some(r#"{"disabled":true}"#)).await.status, 200);
    s.until("signed_out").await;
    assert_eq!(s.closed().await, 4401);
}
