//! `kill -9` in the middle of everything, and the next start.

use serde_json::json;

use super::server::{Program, Visitor};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_kill_nine_everybody_is_where_they_were_and_nothing_is_said_twice() {
    let dir = tempfile::tempdir().unwrap();
    let first = Program::starts(dir.path());

    // One talking to Anna ..
    let anna = first.desk("anna").await;
    let mut desk = anna.begins_work("anna").await;
    let mut talker = Visitor::comes(first.at).await;
    talker.asks_for_a_person("Talker", None).await;
    let talk = anna.takes("anna", &mut desk).await;
    talker.says("t1", "I am talking").await;
    anna.post(&format!("/api/v1/interactions/{talk}/messages"), json!({"client_id": "a1", "body": "I am listening"})).await;
    talker.reads("I am listening").await;
    // .. who goes on a break after it and takes no more, so that two wait, in order ..
    anna.put("/api/v1/agents/me/state", json!({"state": "not_ready", "reason": "break"})).await;
    let mut waiters = Vec::new();
    for name in ["Waiter one", "Waiter two"] {
        let mut w = Visitor::comes(first.at).await;
        w.asks_for_a_person(name, None).await;
        w.until("a place", |v| v.position).await;
        waiters.push(w);
    }
    // .. one before the question of the flow ..
    let mut asked = Visitor::comes(first.at).await;
    asked.starts("Asked", "en", None).await;
    asked.until("the question", |v| v.option("My order")).await;
    // .. and a ticket that waits for the customer.
    let key = first.key();
    let ticket = key.post("/api/v1/tickets", json!({"title": "A lamp is missing", "priority": "high"})).await;
    let ticket = ticket["ticket"].as_str().unwrap().to_owned();
    key.post(&format!("/api/v1/tickets/{ticket}/changes"), json!({"change": "state", "to": "pending_customer"})).await;
    let before = key.get(&format!("/api/v1/tickets/{ticket}")).await;
    let mut watch = key.listens(None).await;
    let queue = watch
        .until("both wait", |e| (e.view["queues"]["support"]["waiting"] == 2).then(|| e.view["queues"]["support"].clone()))
        .await;
    let waiting: Vec<(String, serde_json::Value)> = places(&watch.view);
    let seq = watch.seq;

    first.killed();
    let second = Program::starts(dir.path());
    assert_eq!(
        second.demo.users,
        serde_json::from_str::<ringdesk::app::DemoCredentials>(
            &std::fs::read_to_string(dir.path().join("demo-credentials.json")).unwrap()
        )
        .unwrap()
        .users
    );

    // The event socket goes on after the last number it has.
    let key = second.key();
    let mut watch = key.listens(Some(seq)).await;
    assert_eq!(watch.resets, 0, "the numbers go on");
    assert!(watch.facts.iter().all(|f| f["seq"].as_u64().unwrap() > seq));
    // The waiting are where they were, as old as they were.
    watch.until("both wait again", |e| (e.view["queues"]["support"]["waiting"] == 2).then_some(())).await;
    assert_eq!(places(&watch.view), waiting);
    assert_eq!(watch.view["queues"]["support"]["longest_since"], queue["longest_since"]);
    for (n, w) in waiters.iter_mut().enumerate() {
        w.moves(second.at);
        let said = w.seen.len();
        w.connects().await;
        assert_eq!(w.state, "waiting");
        w.until("the place", |v| (v.position == Some(n as u64 + 1)).then_some(())).await;
        w.settles().await;
        assert_eq!(w.seen.len(), said, "nothing is said again: {:?}", &w.seen[said..]);
    }

    // The talk is still Anna's; she signs in as before and goes on.
    let anna = second.desk("anna").await;
    let mut desk = anna.listens(None).await;
    assert_eq!(desk.view["interactions"][&talk]["agent"], "anna", "{:#}", desk.view);
    assert_eq!(desk.work("anna", &talk), Some("talking"), "{:#}", desk.view["agents"]["anna"]);
    let pending = desk.view["agents"]["anna"]["pending"].clone();
    assert!(pending.to_string().contains("not_ready"), "she still wants her break: {pending}");
    talker.moves(second.at);
    talker.connects().await;
    assert_eq!(talker.state, "agent");
    assert_eq!(talker.says("t1", "I am talking").await, talker.acks["t1"]);
    let path = format!("/api/v1/interactions/{talk}/messages");
    anna.post(&path, json!({"client_id": "a1", "body": "I am listening"})).await; // sent again: she never saw the answer
    anna.post(&path, json!({"client_id": "a2", "body": "Still here"})).await;
    talker.reads("Still here").await;
    talker.says("t2", "Good").await;
    let all = anna.get(&path).await;
    let words: Vec<&str> = all["messages"].as_array().unwrap().iter().filter_map(|m| m["text"].as_str()).collect();
    for once in ["I am talking", "I am listening", "Still here", "Good"] {
        assert_eq!(words.iter().filter(|w| **w == once).count(), 1, "{once} in {words:?}");
    }
    assert_eq!(talker.seen.iter().filter(|m| m["body"] == "I am listening").count(), 1);

    // The question still stands: an answer to it leads on.
    asked.moves(second.at);
    asked.connects().await;
    assert_eq!(asked.state, "bot");
    asked.chooses("Talk to a person").await;
    asked.until("the queue", |v| (v.state == "waiting").then_some(())).await;

    // The ticket is what it was.
    let after = key.get(&format!("/api/v1/tickets/{ticket}")).await;
    assert_eq!(after, before);

    // Ready again: the one who waited longest is offered first; the talk ends as if nothing had been.
    anna.put("/api/v1/agents/me/state", json!({"state": "ready"})).await;
    let next = anna.takes("anna", &mut desk).await;
    assert_eq!(next, waiting[0].0);
    anna.post(&format!("/api/v1/interactions/{talk}/finish"), json!({})).await;
    talker.until("good-bye", |v| v.closed.then_some(())).await;
    desk.until("wrap-up", |e| (e.work("anna", &talk) == Some("wrap_up")).then_some(())).await;
    assert!(second.stops(), "it leaves politely when asked");
}

/// Who waits since when, first in line first.
fn places(view: &serde_json::Value) -> Vec<(String, serde_json::Value)> {
    let mut all: Vec<_> = view["interactions"]
        .as_object()
        .unwrap()
        .iter()
        .filter(|(_, i)| i["position"].is_u64())
        .map(|(id, i)| (i["position"].as_u64(), id.clone(), i["since"].clone()))
        .collect();
    all.sort_by_key(|(p, ..)| *p);
    all.into_iter().map(|(_, id, since)| (id, since)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_killed_again_and_again_loses_no_acknowledged_word() {
    let dir = tempfile::tempdir().unwrap();
    let mut server = Program::starts(dir.path());
    let mut li = Visitor::comes(server.at).await;
    let mut said = Vec::new();
    for round in 0..3 {
        for n in 0..5 {
            let words = format!("round {round} word {n}");
            li.says(&format!("{round}-{n}"), &words).await;
            said.push(words);
        }
        // One on its way when the lights go out; the page sends it again.
        let late = format!("round {round} late");
        li.sends(json!({"type": "message", "client_id": format!("{round}-late"), "body": late})).await;
        server.killed();
        server = Program::starts(dir.path());
        li.moves(server.at);
        li.connects().await;
        li.says(&format!("{round}-late"), &late).await;
        said.push(late);
    }
    let id = li.interaction.clone().unwrap();
    let all = server.key().get(&format!("/api/v1/interactions/{id}/messages?limit=500")).await;
    let own = |m: &&serde_json::Value| m["sender"] == "visitor";
    let kept: Vec<&str> = all["messages"].as_array().unwrap().iter().filter(own).filter_map(|m| m["text"].as_str()).collect();
    assert_eq!(kept, said);
}
