//! What supervisors do is noted, who listens is not told to agents, and what was asked twice is done once.

use serde_json::json;

use super::{kit::House, *};
use crate::{
    call::Cause,
    center::{
        command::{Command, SuperviseMode},
        fact::{Fact, LegRole},
    },
};

async fn listened_to(h: &House) -> InteractionId {
    let i = annas_call(h).await;
    let leg = |role, leg| Fact::LegOpened { interaction: i, leg, role, party: "x".into(), call_id: String::new() };
    let ended = |leg| Fact::LegEnded { interaction: i, leg, cause: Cause::Normal, quality: None };
    let by = |mode| Fact::Supervised { interaction: i, supervisor: agent("sue"), mode };
    let gone = || Fact::SupervisionEnded { interaction: i, supervisor: agent("sue"), cause: None };
    for fact in [
        leg(LegRole::Agent, 2),
        leg(LegRole::Supervisor, 3),
        by(SuperviseMode::Listen),
        gone(),
        ended(3),
        by(SuperviseMode::Whisper),
        gone(),
        ended(2),
    ] {
        h.center.happens("demo", fact);
    }
    h.settled().await;
    i
}

#[tokio::test]
async fn an_agent_is_told_who_whispered_and_not_who_listened() {
    let h = house().await;
    let i = listened_to(&h).await;
    let path = format!("/api/v1/interactions/{i}/timeline");
    let kinds = |a: Answer| -> Vec<String> {
        let facts = a.json()["facts"].as_array().unwrap().clone();
        facts.iter().map(|f| format!("{} {}", f["fact"].as_str().unwrap(), f["mode"].as_str().unwrap_or(""))).collect()
    };
    let anna = kinds(Browser::of(&h, "anna").await.ask(&h, "GET", &path, None).await);
    let seen: Vec<&str> = anna.iter().skip(2).map(|k| k.trim()).collect();
    assert_eq!(seen, ["leg_opened", "supervised whisper", "supervision_ended", "leg_ended"]);
    let sue = kinds(Browser::of(&h, "sue").await.ask(&h, "GET", &path, None).await);
    assert_eq!(sue.len(), 10);
    let read: Result<crate::api::shapes::Timeline, _> =
        serde_json::from_value(Browser::of(&h, "sue").await.ask(&h, "GET", &path, None).await.json());
    read.unwrap();
}

#[tokio::test]
async fn what_a_supervisor_does_is_in_the_audit_log_and_asked_of_the_center_as_themselves() {
    let h = house().await;
    let i = annas_call(&h).await;
    let sue = Browser::of(&h, "sue").await;
    for (what, body) in [
        ("supervise", r#"{"mode":"whisper"}"#),
        ("take-over", "{}"),
        ("pull", "{}"),
        ("assign", r#"{"queue":"sales"}"#),
        ("priority", r#"{"minutes":5}"#),
    ] {
        let a = sue.ask(&h, "POST", &format!("/api/v1/interactions/{i}/{what}"), Some(body)).await;
        assert_eq!(a.status, 200, "{what}: {}", a.text());
    }
    assert_eq!(sue.ask(&h, "DELETE", &format!("/api/v1/interactions/{i}/supervise"), None).await.status, 200);
    let (_, asked) = h.center.is_asked(|c| matches!(c, Command::Supervise { .. })).await;
    let Command::Supervise { supervisor, mode, .. } = asked else { panic!("{asked:?}") };
    assert_eq!((supervisor, mode), (agent("sue"), SuperviseMode::Whisper));
    let log = Browser::of(&h, "ada").await.ask(&h, "GET", "/api/v1/audit", None).await.json();
    let what: Vec<&str> = log["entries"].as_array().unwrap().iter().filter_map(|e| e["what"].as_str()).collect();
    for word in ["supervise", "take_over", "pull", "assign", "priority", "supervise_end"] {
        assert!(what.contains(&&*format!("interaction.{word}")), "{word}: {what:?}");
    }
    let both = sue.ask(&h, "POST", &format!("/api/v1/interactions/{i}/assign"), Some(r#"{"queue":"q","agent":"a"}"#)).await;
    assert_eq!(both.status, 422);
}

#[tokio::test]
async fn contacts_read_as_they_are_described() {
    let h = house().await;
    let i = annas_call(&h).await;
    let sue = Browser::of(&h, "sue").await;
    let whole = sue.ask(&h, "GET", &format!("/api/v1/interactions/{i}"), None).await.json();
    let read: crate::api::shapes::InteractionWhole = serde_json::from_value(whole).unwrap();
    assert_eq!(read.record.unwrap().agent.as_deref(), Some("anna"));
    let list = sue.ask(&h, "GET", "/api/v1/interactions", None).await.json();
    let read: Vec<crate::api::shapes::InteractionLine> = serde_json::from_value(list["interactions"].clone()).unwrap();
    assert!(matches!(&read[..], [crate::api::shapes::InteractionLine::Past(p)] if p.id == i.to_string()));
}

#[tokio::test]
async fn a_request_that_names_itself_is_carried_out_once_and_answered_alike() {
    let h = house().await;
    let key = bearer("demo", Role::Agent);
    let named = |name: &'static str| vec![("authorization", key.as_str()), ("idempotency-key", name)];
    let dial = json!({"number": "+3227770000"}).to_string();
    let path = "/api/v1/agents/anna/dial";
    let times = |h: &House| h.center.times_asked(|c| matches!(c, Command::Dial { .. }));
    let supervisor = bearer("demo", Role::Supervisor);
    let named_by = |name: &'static str| vec![("authorization", supervisor.as_str()), ("idempotency-key", name)];
    let first = h.ask("POST", path, &named_by("one"), Some(&dial)).await;
    let second = h.ask("POST", path, &named_by("one"), Some(&dial)).await;
    assert_eq!((first.status, second.status, first.text()), (200, 200, second.text()), "{}", first.text());
    assert_eq!((first.header("idempotency-replayed"), second.header("idempotency-replayed")), ("", "true"));
    assert_eq!(times(&h), 1);
    let other = h.ask("POST", path, &named_by("one"), Some(r#"{"number":"+3227770001"}"#)).await;
    assert_eq!((other.status, other.json()["field"].as_str()), (422, Some("idempotency-key")));
    // Another caller's name is another name.
    let ticket = |title: &str| json!({"title": title}).to_string();
    assert_eq!(h.ask("POST", "/api/v1/tickets", &named("one"), Some(&ticket("a"))).await.status, 201);
    // What was refused may be sent again.
    let refused = json!({"number": "0"}).to_string();
    for _ in 0..2 {
        assert_eq!(h.ask("POST", path, &named_by("two"), Some(&refused)).await.status, 422);
    }
    assert_eq!(times(&h), 3);
    // After a day it is forgotten.
    h.center.pass(mins(24 * 60 + 1));
    assert_eq!(h.ask("POST", path, &named_by("one"), Some(&dial)).await.header("idempotency-replayed"), "");
    assert_eq!(times(&h), 4);
    let login = h.ask("POST", "/api/v1/sip/credentials", &named("three"), Some("{}")).await;
    assert_eq!((login.status, login.json()["field"].as_str()), (422, Some("idempotency-key")));
    assert_eq!(h.ask("POST", path, &named_by("a name with spaces"), Some(&dial)).await.status, 422);
}
