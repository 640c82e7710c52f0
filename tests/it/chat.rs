//! A chat from the first word to the record of it, through the real server: flow, queue, router, agent, store.

use serde_json::{Value, json};

use super::server::{Desk, Events, House, Visitor, program::run};

/// Talks end with an outcome, and the agent is free again.
async fn closes(desk: &Desk, agent: &str, events: &mut Events, id: &str, code: &str) {
    desk.post(&format!("/api/v1/interactions/{id}/finish"), json!({})).await;
    events.until("wrap-up", |e| (e.work(agent, id) == Some("wrap_up")).then_some(())).await;
    desk.post(&format!("/api/v1/interactions/{id}/dispose"), json!({"code": code, "note": "as asked"})).await;
    let (status, answer) = desk.asks("POST", &format!("/api/v1/interactions/{id}/wrap-up-done"), Some(json!({}))).await;
    // Giving the outcome may have finished the wrap-up already.
    assert!(status == 200 || status == 409, "{answer}");
    events.until("free again", |e| e.work(agent, id).is_none().then_some(())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_visitor_is_greeted_chooses_waits_and_talks_with_an_agent_until_it_is_solved() {
    let house = House::opens().await;
    let mut li = Visitor::comes(house.at).await;
    assert_eq!(li.state, "none");

    // The flow greets and asks; the answers are buttons.
    li.starts("Li Wei", "en", Some("+86 138 0013 8000")).await;
    li.until("the question", |v| v.option("My order")).await;
    assert!(li.seen.iter().all(|m| m["from"] == "bot"), "{:?}", li.seen);
    assert!(li.seen[0]["body"].as_str().unwrap().contains("welcome to the shop"), "{:?}", li.seen);

    // Somebody is at work, but on a break: the visitor waits and knows the place.
    let anna = house.desk("anna").await;
    let mut events = anna.listens(None).await;
    anna.post("/api/v1/agents/me/sign-in", json!({})).await;
    anna.put("/api/v1/agents/me/state", json!({"state": "not_ready", "reason": "break"})).await;
    li.chooses("Talk to a person").await;
    li.until("the queue", |v| (v.state == "waiting").then_some(())).await;
    li.until("the place", |v| v.position).await;
    assert_eq!(li.position, Some(1));

    // Ready: the router offers it, the console shows it, Anna takes it.
    anna.put("/api/v1/agents/me/state", json!({"state": "ready"})).await;
    let id = anna.takes("anna", &mut events).await;
    li.until("Anna", |v| (v.agent.as_deref() == Some("Anna")).then_some(())).await;
    assert_eq!(events.view["interactions"][&id]["customer_name"], "Li Wei");
    assert_eq!(li.state, "agent");

    // Words both ways; what is acknowledged is stored.
    let place = li.says("m1", "My parcel has not come").await;
    let stored = anna.get(&format!("/api/v1/interactions/{id}/messages?after={}", place - 1)).await;
    assert_eq!(stored["messages"][0]["text"], "My parcel has not come", "acknowledged means stored");
    events
        .until("the words", |e| {
            e.told("message").iter().any(|f| f["message"]["text"] == "My parcel has not come").then_some(())
        })
        .await;
    let path = format!("/api/v1/interactions/{id}/messages");
    anna.post(&path, json!({"client_id": "a1", "body": "Let me look"})).await;
    let shown = li.reads("Let me look").await;
    assert_eq!((shown["from"].as_str(), shown["name"].as_str()), (Some("agent"), Some("Anna")));
    anna.post(&format!("/api/v1/interactions/{id}/read"), json!({"seq": place})).await;
    li.until("it was read", |v| (v.read >= place).then_some(())).await;

    // The line breaks while Anna writes; a note to colleagues stays in the house.
    li.vanishes();
    anna.post(&path, json!({"client_id": "a2", "body": "It is with the courier"})).await;
    anna.post(&format!("/api/v1/interactions/{id}/notes"), json!({"client_id": "n1", "body": "third complaint this week"}))
        .await;
    anna.post(&path, json!({"client_id": "a3", "body": "It comes tomorrow"})).await;
    anna.post(&path, json!({"client_id": "a3", "body": "It comes tomorrow"})).await; // the console sent it again
    li.connects().await;
    assert_eq!(li.state, "agent");
    li.reads("It comes tomorrow").await;

    // The visitor's page is not sure whether its last word arrived, and sends it again.
    assert_eq!(li.says("m1", "My parcel has not come").await, place);
    li.says("m2", "Thank you").await;
    li.settles().await;
    for words in ["My parcel has not come", "Let me look", "It is with the courier", "It comes tomorrow", "Thank you"] {
        let times = li.seen.iter().filter(|m| m["body"] == words).count();
        // One's own words come back as a message or as an acknowledgement only.
        assert!(times <= 1 && (times == 1 || words.starts_with("My") || words.starts_with("Thank")), "{words}: {times}");
    }
    assert!(li.said("third complaint this week").is_none(), "a note left the house");
    let all = anna.get(&path).await;
    let words: Vec<&str> = all["messages"].as_array().unwrap().iter().filter_map(|m| m["text"].as_str()).collect();
    for once in ["My parcel has not come", "It comes tomorrow", "third complaint this week"] {
        assert_eq!(words.iter().filter(|w| **w == once).count(), 1, "{once} in {words:?}");
    }

    // Closed with an outcome; then Anna is free.
    closes(&anna, "anna", &mut events, &id, "solved").await;
    li.until("the end", |v| v.closed.then_some(())).await;
    assert!(li.said("Thank you for contacting us. Goodbye.").is_some(), "the flow has the last word: {:?}", li.seen);
    assert!(events.told("flow_event").iter().all(|f| f["name"] != "caller_left"), "it was not the visitor who left");
    assert_eq!(events.view["agents"]["anna"]["state"], "ready");

    // The next word of the same visitor is a new contact.
    li.says("m3", "One more thing").await;
    li.settles().await;
    house.closes().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agent_talks_with_three_visitors_at_once_and_the_fourth_waits_for_a_free_place() {
    let house = House::opens().await;
    let anna = house.desk("anna").await;
    let mut events = anna.begins_work("anna").await;
    let mut visitors = Vec::new();
    let mut chats = Vec::new();
    for n in 1..=3 {
        let mut v = Visitor::comes(house.at).await;
        v.asks_for_a_person(&format!("Visitor {n}"), None).await;
        chats.push(anna.takes("anna", &mut events).await);
        visitors.push(v);
    }
    let mut fourth = Visitor::comes(house.at).await;
    fourth.asks_for_a_person("Visitor 4", None).await;
    fourth.until("the place", |v| v.position).await;
    assert_eq!((fourth.state.as_str(), fourth.position), ("waiting", Some(1)));
    assert!(events.offer_to("anna").is_none(), "a fourth chat was offered");
    // Each hears only their own words.
    for (n, (v, id)) in visitors.iter_mut().zip(&chats).enumerate() {
        let words = format!("hello number {n}");
        anna.post(&format!("/api/v1/interactions/{id}/messages"), json!({"client_id": "h", "body": words})).await;
        v.reads(&words).await;
        assert_eq!(v.seen.iter().filter(|m| m["from"] == "agent").count(), 1);
    }
    closes(&anna, "anna", &mut events, &chats[1], "solved").await;
    let taken = anna.takes("anna", &mut events).await;
    fourth.until("Anna", |v| (v.state == "agent").then_some(())).await;
    assert!(!chats.contains(&taken));
    house.closes().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_chat_leaves_a_record_that_says_who_when_why_and_about_what() {
    let house = House::opens().await;
    let (anna, ben) = (house.desk("anna").await, house.desk("ben").await);
    let _console = anna.begins_work("anna").await;
    let _ben = ben.begins_work("ben").await;
    let mut li = Visitor::comes(house.at).await;
    li.starts("Li Wei", "en", Some("+8613800138000")).await;
    li.chooses("A complaint").await;
    // Complaints want level 3: Anna has 4, Ben 3. Whoever is chosen, the record says why.
    let boss = house.desk("susan").await;
    let mut watch = boss.listens(None).await;
    let (agent, id) = watch
        .until("an offer to somebody", |e| {
            ["anna", "ben"].iter().find_map(|a| e.offer_to(a).map(|(i, _)| ((*a).to_owned(), i)))
        })
        .await;
    let desk = if agent == "anna" { &anna } else { &ben };
    let (_, offer) = watch.offer_to(&agent).unwrap();
    desk.post(&format!("/api/v1/offers/{offer}/accept"), json!({})).await;
    watch.until("talking", |e| (e.work(&agent, &id) == Some("talking")).then_some(())).await;
    li.says("m1", "The vase came broken").await;
    desk.post(&format!("/api/v1/interactions/{id}/messages"), json!({"client_id": "a1", "body": "I am sorry"})).await;
    li.reads("I am sorry").await;
    closes(desk, &agent, &mut watch, &id, "follow_up").await;
    li.until("good-bye", |v| v.closed.then_some(())).await;

    // Why this agent: candidates, what each was weighed by, what decided.
    let why = boss.get(&format!("/api/v1/interactions/{id}/decisions")).await;
    let first = &why["decisions"][0];
    assert_eq!(first["outcome"], "accepted", "{why:#}");
    let decision = &first["decision"];
    assert_eq!(decision["agent"], agent.as_str());
    assert!(decision["needs"].to_string().contains("complaints"), "{decision}");
    let candidates: Vec<&str> = decision["candidates"].as_array().unwrap().iter().filter_map(|c| c["agent"].as_str()).collect();
    assert!(candidates.contains(&"anna") && candidates.contains(&"ben") && candidates.contains(&"chen"), "{decision:#}");
    assert!(!decision["tie_break"].as_str().unwrap().is_empty());

    // The timeline, in order, from the first word to the end.
    let timeline = boss.get(&format!("/api/v1/interactions/{id}/timeline")).await;
    let kinds: Vec<&str> = timeline["facts"].as_array().unwrap().iter().filter_map(|f| f["fact"].as_str()).collect();
    let mut from = 0;
    for kind in
        ["interaction_opened", "flow_started", "queued", "offered", "connected", "talk_ended", "disposed", "wrap_up_over"]
    {
        let at = kinds[from..].iter().position(|k| *k == kind).unwrap_or_else(|| panic!("{kind} after {from} in {kinds:?}"));
        from += at;
    }
    assert!(kinds.contains(&"interaction_closed"), "{kinds:?}");
    let record = boss.get(&format!("/api/v1/interactions/{id}")).await;
    assert_eq!(record["record"]["channel"], "webchat", "{record:#}");

    // The customer is found by the number given in the chat, and a ticket of theirs holds what was said.
    let found = boss.get("/api/v1/customers?q=13800138000").await;
    let customer = found["customers"][0]["id"].as_str().unwrap_or_else(|| panic!("{found:#}")).to_owned();
    let tickets = boss.get(&format!("/api/v1/tickets?customer={customer}")).await;
    let ticket = tickets["tickets"][0]["id"].as_str().unwrap_or_else(|| panic!("{tickets:#}")).to_owned();
    let one = boss.get(&format!("/api/v1/tickets/{ticket}")).await;
    let log = one["log"].to_string();
    assert!(log.contains("The vase came broken") && log.contains("I am sorry"), "{one:#}");

    // The same person in another browser, with the same number: the same customer and the same open matter.
    let mut again = Visitor::comes(house.at).await;
    again.starts("Li Wei", "en", Some("138 0013 8000")).await;
    again.until("the question", |v| v.option("My order")).await;
    again.settles().await;
    let now = boss.get("/api/v1/interactions?live=true").await;
    let live =
        now["interactions"].as_array().unwrap().iter().find(|i| i["stage"] != "wrap_up").unwrap_or_else(|| panic!("{now:#}"));
    assert_eq!(live["ticket"], ticket.as_str(), "the open matter is joined: {now:#}");
    let merged = boss.get("/api/v1/customers?q=13800138000").await;
    assert_eq!(merged["customers"].as_array().unwrap().len(), 1, "{merged:#}");
    house.closes().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_of_another_site_gets_in_nowhere_unless_the_house_lists_it() {
    let house = House::opens().await;
    let foreign = [("origin", "https://evil.example")];
    assert_eq!(super::server::socket(house.at, "/chat/v1/socket", &foreign).await.err(), Some(403));
    let anna = house.desk("anna").await;
    let cookie = ("cookie", anna.headers[0].1.as_str());
    let headers = [cookie, foreign[0]];
    assert_eq!(super::server::socket(house.at, "/api/v1/events", &headers).await.err(), Some(403));
    // Without a word about where it comes from a cookie opens nothing either; without a cookie nobody comes in.
    assert_eq!(super::server::socket(house.at, "/api/v1/events", &[cookie]).await.err(), Some(403));
    assert_eq!(super::server::socket(house.at, "/api/v1/events", &[]).await.err(), Some(401));
    let session = super::server::http()
        .post(format!("http://{}/chat/v1/session", house.at))
        .header("origin", "https://evil.example")
        .json(&json!({}))
        .send()
        .await
        .unwrap();
    assert_eq!(session.status(), 403);
    // A cookie without its token changes nothing.
    let bare = Desk { headers: anna.headers[..2].to_vec(), ..anna.clone() };
    let (status, problem) = bare.asks("PUT", "/api/v1/agents/me/state", Some(json!({"state": "ready"}))).await;
    assert_eq!((status, problem["code"].as_str()), (403, Some("csrf")), "{problem}");
    house.closes().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_guesses_learns_nothing_and_no_password_is_written_anywhere() {
    use std::os::unix::fs::PermissionsExt as _;
    let house = House::opens().await;
    let stranger = Desk::stranger(house.at);
    let mut answers = Vec::new();
    for (login, password) in [("anna", "wrong-password"), ("nobody", "wrong-password"), ("../etc", "x"), ("anna", "")] {
        let wish = json!({"login": login, "password": password, "tenant": "demo"});
        let (status, mut problem) = stranger.asks("POST", "/api/v1/auth/login", Some(wish)).await;
        problem["request_id"] = Value::Null;
        answers.push((status, problem));
    }
    assert!(answers.iter().all(|a| *a == answers[0]), "{answers:#?}");
    assert_eq!(answers[0].0, 401);
    let file = house.dir.path().join("demo-credentials.json");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);

    let anna = house.desk("anna").await;
    let metrics = super::server::http().get(format!("http://{}/metrics", house.at)).send().await.unwrap().text().await.unwrap();
    assert!(metrics.contains("# TYPE"), "{metrics}");
    let _ = anna.begins_work("anna").await;
    let demo = house.demo.clone();
    let dir = house.dir.path().to_path_buf();
    let house_dir = house.dir.path().join("ringdesk.sqlite");
    let secrets: Vec<String> = demo.users.values().chain(demo.sip_passwords.values()).chain([&demo.api_key]).cloned().collect();
    for s in &secrets {
        assert!(!metrics.contains(s.as_str()), "a secret in the metrics");
    }
    assert!(house_dir.exists());
    for entry in std::fs::read_dir(&dir).unwrap().flatten().filter(|e| e.path().is_file() && e.path() != file) {
        let bytes = std::fs::read(entry.path()).unwrap();
        for s in &secrets {
            let found = bytes.windows(s.len()).any(|w| w == s.as_bytes());
            assert!(!found, "a secret in clear in {}", entry.path().display());
        }
    }
    house.closes().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_house_on_the_same_server_sees_nothing_of_this_one() {
    let house = House::opens().await;
    let mut li = Visitor::comes(house.at).await;
    li.asks_for_a_person("Li Wei", Some("+8613800138000")).await;
    let anna = house.desk("anna").await;
    let mut events = anna.begins_work("anna").await;
    let id = anna.takes("anna", &mut events).await;

    let other = second_tenant(&house).await;
    for path in [
        format!("/api/v1/interactions/{id}"),
        format!("/api/v1/interactions/{id}/messages"),
        format!("/api/v1/interactions/{id}/timeline"),
    ] {
        let (status, problem) = other.asks("GET", &path, None).await;
        assert_eq!((status, problem["code"].as_str()), (404, Some("not_found")), "{path}: {problem}");
    }
    let (status, _) = other
        .asks("POST", &format!("/api/v1/interactions/{id}/messages"), Some(json!({"client_id": "x", "body": "hello"})))
        .await;
    assert_eq!(status, 404);
    assert_eq!(other.get("/api/v1/customers?q=Li").await["customers"], json!([]));
    assert_eq!(other.get("/api/v1/tickets").await["tickets"], json!([]));
    assert_eq!(other.get("/api/v1/interactions?live=true").await["interactions"], json!([]));
    assert_eq!(other.get("/api/v1/agents").await.as_object().unwrap().keys().collect::<Vec<_>>(), ["zoe"]);
    let theirs = other.listens(None).await;
    assert!(!theirs.view.to_string().contains("Li Wei"));
    assert!(!theirs.view["agents"].as_object().unwrap().contains_key("anna"));
    house.closes().await;
}

/// `north` with the agent zoe, applied while the server runs; its first administrator's key.
async fn second_tenant(house: &House) -> Desk {
    let key = house.key();
    let mut events = key.listens(None).await;
    let yaml = key.text("/api/v1/config").await.replace("Support 客户服务", "Support now") + NORTH;
    let file = house.dir.path().join("two.yaml");
    std::fs::write(&file, yaml).unwrap();
    let data = house.dir.path().to_str().unwrap();
    let (good, said, complaint) = run(&["apply", file.to_str().unwrap(), "--data", data]);
    assert!(good && said.contains("north"), "{said}{complaint}");
    // The running server looks at the store every few seconds.
    events.until("the new configuration", |e| (e.view["queues"]["support"]["name"] == "Support now").then_some(())).await;
    let (good, said, complaint) = run(&["user", "add", "zoe", "--tenant", "north", "--role", "admin", "--data", data]);
    assert!(good, "{said}{complaint}");
    let password = said.lines().find_map(|l| l.strip_prefix("password: ")).expect("it is printed once");
    Desk::tries(house.at, "north", "zoe", password).await.expect("the new house opens")
}

const NORTH: &str = r#"
  north:
    name: North House
    domains: [north.example]
    routing:
      queues: {desk: {name: Desk}}
      agents: {zoe: {name: Zoe, queues: [desk]}}
"#;
