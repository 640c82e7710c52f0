//! Stories of visitors: what is committed is shown, once, in order, whatever the line does.

use serde_json::{Value, json};

use super::*;

#[allow(clippy::duplicate_mod, reason = "the rooms know nothing of each other, but their tests furnish the same house")]
#[path = "../../api/tests/kit.rs"]
mod kit;

use kit::{House, Socket, agent};

use crate::{
    base::{AgentId, InteractionId},
    center::command::Command,
    text::Sender,
};

async fn house() -> House {
    House::build(64, |g| {
        router(Parts {
            door: g.door,
            store: g.store,
            vault: g.vault,
            facts: g.facts.subscribe(),
            blinks: g.blinks,
            rng: Rng::seeded(1),
        })
    })
    .await
}

async fn visitor(h: &House) -> String {
    let a = h.ask("POST", "/chat/v1/session", &[], Some(r#"{"site":"demo"}"#)).await;
    assert_eq!(a.status, 201, "{}", a.text());
    a.json()["token"].as_str().unwrap().to_owned()
}

async fn comes(h: &House, token: &str, since: u64, interaction: Option<&str>) -> (Socket, Value) {
    let mut s = h.socket("/chat/v1/socket", &[]).await.unwrap();
    let mut hello = json!({"type": "hello", "token": token, "since": since});
    if let Some(i) = interaction {
        hello["interaction"] = json!(i);
    }
    s.say(hello).await;
    let welcome = s.until("welcome").await;
    (s, welcome)
}

fn ours(a: &str) -> Sender {
    let a: AgentId = agent(a);
    Sender::Agent(a)
}

async fn chat_of(h: &House) -> InteractionId {
    match h.center.is_asked(|c| matches!(c, Command::ChatPresence { connected: true, .. })).await.1 {
        Command::ChatPresence { interaction, .. } => interaction,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_visitor_writes_and_is_told_only_when_it_is_stored() {
    let h = house().await;
    let token = visitor(&h).await;
    let (mut s, welcome) = comes(&h, &token, 0, None).await;
    assert_eq!(welcome["state"], "none");
    s.say(json!({"type": "start", "name": "Li Wei", "lang": "zh-CN"})).await;
    s.until("state").await;
    h.center.hold_journal();
    s.say(json!({"type": "message", "client_id": "m1", "body": "你好"})).await;
    h.center.is_asked(|c| matches!(c, Command::Say { .. })).await;
    s.say(json!({"type": "ping"})).await;
    let before = s.all_until("pong").await;
    assert!(!before.iter().any(|f| f["type"] == "ack" || f["type"] == "message"), "told before it was stored: {before:?}");
    h.center.release_journal();
    let ack = s.until("ack").await;
    assert_eq!((ack["client_id"].as_str(), ack["seq"].as_u64()), (Some("m1"), Some(1)));
}

#[tokio::test]
async fn a_visitor_who_comes_back_gets_what_was_missed_once_and_in_order() {
    let h = house().await;
    let token = visitor(&h).await;
    let (mut s, _) = comes(&h, &token, 0, None).await;
    s.say(json!({"type": "message", "client_id": "m1", "body": "one"})).await;
    s.until("ack").await;
    let chat = chat_of(&h).await;
    drop(s);
    h.center.is_asked(|c| matches!(c, Command::ChatPresence { connected: false, .. })).await;
    h.center.writes("demo", chat, ours("anna"), "two");
    h.center.writes("demo", chat, Sender::Note(agent("anna")), "the customer is cross");
    h.center.writes("demo", chat, Sender::Bot, "four");
    h.settled().await;

    let (mut s, welcome) = comes(&h, &token, 1, Some(&chat.to_string())).await;
    assert_eq!(welcome["interaction"], chat.to_string());
    h.center.writes("demo", chat, ours("anna"), "five");
    let mut bodies = Vec::new();
    while bodies.len() < 3 {
        let m = s.until("message").await;
        bodies.push((
            m["seq"].as_u64().unwrap(),
            m["body"].as_str().unwrap().to_owned(),
            m["name"].as_str().map(str::to_owned),
        ));
    }
    assert_eq!(bodies[0], (2, "two".into(), Some("Anna".into())));
    assert_eq!(bodies[1], (4, "four".into(), None));
    assert_eq!(bodies[2].1, "five");
    s.say(json!({"type": "ping"})).await;
    let rest = s.all_until("pong").await;
    assert!(!rest.iter().any(|f| f["type"] == "message"), "twice: {rest:?}");
}

#[tokio::test]
async fn a_message_sent_again_after_a_lost_acknowledgement_is_stored_once_and_acknowledged() {
    let h = house().await;
    let token = visitor(&h).await;
    let (mut s, _) = comes(&h, &token, 0, None).await;
    s.say(json!({"type": "message", "client_id": "m1", "body": "once"})).await;
    s.until("ack").await;
    let chat = chat_of(&h).await;
    drop(s);
    let (mut s, _) = comes(&h, &token, 0, Some(&chat.to_string())).await;
    s.until("message").await;
    s.say(json!({"type": "message", "client_id": "m1", "body": "once"})).await;
    let ack = s.until("ack").await;
    assert_eq!((ack["client_id"].as_str(), ack["seq"].as_u64()), (Some("m1"), Some(1)));
    let kept = h.store.message_list(&kit::tenant("demo"), chat, 0, 10).await.unwrap();
    assert_eq!(kept.len(), 1);
}

#[tokio::test]
async fn a_note_between_colleagues_never_reaches_the_visitor() {
    let h = house().await;
    let token = visitor(&h).await;
    let (mut s, _) = comes(&h, &token, 0, None).await;
    s.say(json!({"type": "start"})).await;
    let chat = chat_of(&h).await;
    h.center.writes("demo", chat, Sender::Note(agent("anna")), "secret");
    h.center.writes("demo", chat, ours("anna"), "hello");
    let seen = s.all_until("message").await;
    assert!(!format!("{seen:?}").contains("secret"));
    assert_eq!(seen.last().unwrap()["body"], "hello");
}

#[tokio::test]
async fn a_closed_chat_says_so_and_the_next_word_opens_a_new_one() {
    let h = house().await;
    let token = visitor(&h).await;
    let (mut s, _) = comes(&h, &token, 0, None).await;
    s.say(json!({"type": "message", "client_id": "m1", "body": "hi"})).await;
    s.until("ack").await;
    let chat = chat_of(&h).await;
    s.say(json!({"type": "close"})).await;
    s.until("closed").await;
    s.say(json!({"type": "message", "client_id": "m2", "body": "one more thing"})).await;
    s.until("ack").await;
    let opened = h.center.times_asked(|c| matches!(c, Command::ChatOpen { .. }));
    assert_eq!(opened, 2);
    // Whoever comes back to the first one sees how it ended.
    drop(s);
    let (mut s, welcome) = comes(&h, &token, 0, None).await;
    assert_ne!(welcome["interaction"], chat.to_string());
    assert_eq!(s.until("message").await["body"], "one more thing");
}

#[tokio::test]
async fn another_sites_page_gets_in_only_when_the_house_has_listed_it() {
    let h = house().await;
    let evil = [("origin", "https://evil.example")];
    assert_eq!(h.ask("POST", "/chat/v1/session", &evil, Some("{}")).await.code(), "origin");
    assert_eq!(h.socket("/chat/v1/socket", &evil).await.err(), Some(403));
    let shop = [("origin", "https://shop.example")];
    let a = h.ask("POST", "/chat/v1/session", &shop, Some("{}")).await;
    assert_eq!((a.status, a.header("access-control-allow-origin")), (201, "https://shop.example"));
    let own = format!("http://{}", h.addr);
    assert!(h.socket("/chat/v1/socket", &[("origin", own.as_str())]).await.is_ok());
    let mut s = h.socket("/chat/v1/socket", &shop).await.unwrap();
    s.say(json!({"type": "hello", "token": "guess"})).await;
    assert_eq!(s.closed().await, 4401);
}

#[tokio::test]
async fn an_address_that_makes_visitors_by_the_dozen_is_told_to_wait() {
    let h = house().await;
    for _ in 0..session::PER_ADDRESS {
        visitor(&h).await;
    }
    let a = h.ask("POST", "/chat/v1/session", &[], Some("{}")).await;
    assert_eq!((a.status, a.code().as_str()), (429, "limit"));
    h.center.pass(Duration::from_secs(61));
    visitor(&h).await;
}

#[tokio::test]
async fn a_visitor_who_floods_is_slowed_down_and_keeps_the_words() {
    let h = house().await;
    let token = visitor(&h).await;
    let (mut s, _) = comes(&h, &token, 0, None).await;
    let most = crate::base::limits::VISITOR_MESSAGES_PER_MIN;
    for i in 0..=most {
        s.say(json!({"type": "message", "client_id": format!("m{i}"), "body": "again"})).await;
    }
    let refused = s.until("refused").await;
    assert_eq!(refused["code"], "too_fast");
    let large = "x".repeat(crate::base::limits::MESSAGE_MAX + 1);
    s.say(json!({"type": "message", "client_id": "big", "body": large})).await;
    let frames = s.all_until("refused").await;
    assert_eq!(frames.last().unwrap()["code"], "too_long");
    s.say(json!({"type": "shout", "body": "?"})).await;
    assert_eq!(s.until("refused").await["code"], "bad_frame");
}

#[tokio::test]
async fn a_frame_with_a_field_nobody_knows_is_refused_and_the_field_is_named() {
    let h = house().await;
    let token = visitor(&h).await;
    let (mut s, _) = comes(&h, &token, 0, None).await;
    for kind in ["typing", "close", "ping", "pong", "read", "message", "start"] {
        s.say(json!({"type": kind, "seq": 1, "client_id": "m1", "body": "x", "admin": true})).await;
        let refused = s.until("refused").await;
        assert_eq!(refused["code"], "bad_frame", "{kind}");
        assert!(refused["detail"].as_str().unwrap().contains("unknown field"), "{kind}: {refused}");
    }
    assert_eq!(h.center.times_asked(|c| matches!(c, Command::ChatOpen { .. } | Command::Typing { .. })), 0);
}

#[tokio::test]
async fn a_visitor_sends_a_file_and_gets_it_back_and_nobody_else_does() {
    let h = house().await;
    let token = visitor(&h).await;
    let (mut s, welcome) = comes(&h, &token, 0, None).await;
    assert_eq!(welcome["files"]["largest"], 10_240 * 1_024);
    let mine = format!("Bearer {token}");
    let me = [("authorization", mine.as_str())];
    let send = "/chat/v1/files?client_id=f1&name=list.html";
    assert_eq!(h.ask("POST", send, &me, Some("two lamps")).await.code(), "closed", "there is no chat yet");
    s.say(json!({"type": "message", "client_id": "m1", "body": "hello"})).await;
    s.until("ack").await;
    let chat = chat_of(&h).await;
    for _ in 0..2 {
        let a = h.ask("POST", send, &me, Some("two lamps")).await;
        assert_eq!((a.status, a.json()["seq"].as_u64()), (201, Some(2)), "{}", a.text());
    }
    let shown = s.until("message").await;
    assert_eq!((shown["client_id"].as_str(), shown["file"]["name"].as_str()), (Some("f1"), Some("list.html.txt")));
    let path = format!("/chat/v1/files/{chat}/2");
    let a = h.ask("GET", &path, &me, None).await;
    assert_eq!((a.status, a.text().as_str()), (200, "two lamps"));
    assert_eq!(a.header("content-type"), "text/plain; charset=utf-8");
    assert_eq!(a.header("x-content-type-options"), "nosniff");
    assert_eq!(a.header("content-security-policy"), "default-src 'none'; sandbox");
    assert!(a.header("content-disposition").starts_with("attachment;"));

    let other = format!("Bearer {}", visitor(&h).await);
    assert_eq!(h.ask("GET", &path, &[("authorization", &other)], None).await.status, 404);
    assert_eq!(h.ask("GET", &path, &[], None).await.status, 401);
    assert_eq!(h.ask("GET", &format!("/chat/v1/files/{chat}/1"), &me, None).await.status, 404, "words are no file");
    let evil = [("authorization", mine.as_str()), ("origin", "https://evil.example")];
    assert_eq!(h.ask("GET", &path, &evil, None).await.code(), "origin");
    let page = h.ask("POST", "/chat/v1/files?client_id=f2&name=a.png", &me, Some("<script>alert(1)</script>")).await;
    assert_eq!((page.status, page.code().as_str()), (415, "file_kind"));
    let odd = h.ask("POST", "/chat/v1/files?client_id=f2&name=a.png&run=1", &me, Some("x")).await;
    assert_eq!((odd.status, odd.code().as_str()), (422, "invalid"));
    for n in 0..crate::base::limits::VISITOR_FILES_PER_MIN {
        h.ask("POST", &format!("/chat/v1/files?client_id=n{n}&name=a.txt"), &me, Some("x")).await;
    }
    let a = h.ask("POST", "/chat/v1/files?client_id=last&name=a.txt", &me, Some("x")).await;
    assert_eq!((a.status, a.code().as_str()), (429, "too_fast"));
}

#[tokio::test]
async fn a_visitor_says_once_how_it_was_and_only_of_their_own_chat() {
    let h = house().await;
    let token = visitor(&h).await;
    let (mut s, welcome) = comes(&h, &token, 0, None).await;
    assert_eq!(welcome["rating"]["best"], 5);
    s.say(json!({"type": "message", "client_id": "m1", "body": "hi"})).await;
    s.until("ack").await;
    let chat = chat_of(&h).await;
    s.say(json!({"type": "close"})).await;
    s.until("closed").await;
    let other = visitor(&h).await;
    let (mut eve, _) = comes(&h, &other, 0, None).await;
    eve.say(json!({"type": "rate", "interaction": chat.to_string(), "score": 1})).await;
    assert_eq!(eve.until("refused").await["code"], "invalid");
    s.say(json!({"type": "rate", "interaction": chat.to_string(), "score": 5, "comment": "谢谢"})).await;
    s.until("rated").await;
    h.settled().await;
    s.say(json!({"type": "rate", "interaction": chat.to_string(), "score": 1})).await;
    assert_eq!(s.until("refused").await["code"], "rated");
    let kept = h.store.rating_get(&kit::tenant("demo"), chat).await.unwrap().unwrap();
    assert_eq!((kept.score, kept.best, kept.comment.as_str()), (5, 5, "谢谢"));
}

#[tokio::test]
async fn words_left_while_nobody_is_there_are_taken_a_few_times_and_need_an_address_to_answer_to() {
    let h = house().await;
    let a = h.ask("GET", "/chat/v1/state?site=demo", &[], None).await;
    assert_eq!((a.status, a.json()["presence"].as_str()), (200, Some("open")), "{}", a.text());
    let mine = format!("Bearer {}", visitor(&h).await);
    let me = [("authorization", mine.as_str())];
    let body = r#"{"name": "Li Wei", "contact": "li@example.com", "text": "Where is my lamp?"}"#;
    assert_eq!(h.ask("POST", "/chat/v1/message", &[], Some(body)).await.status, 401);
    assert_eq!(
        h.ask("POST", "/chat/v1/message", &me, Some(r#"{"contact": "x", "text": "y", "admin": true}"#)).await.code(),
        "invalid"
    );
    assert_eq!(h.ask("POST", "/chat/v1/message", &me, Some(r#"{"text": "no address"}"#)).await.code(), "invalid");
    for _ in 0..crate::base::limits::LEFT_PER_VISITOR {
        assert_eq!(h.ask("POST", "/chat/v1/message", &me, Some(body)).await.status, 201);
    }
    assert_eq!(h.ask("POST", "/chat/v1/message", &me, Some(body)).await.code(), "too_fast");
    h.center.pass(LEFT_WINDOW);
    assert_eq!(h.ask("POST", "/chat/v1/message", &me, Some(body)).await.status, 201);
    let (_, asked) = h.center.is_asked(|c| matches!(c, Command::Leave { .. })).await;
    let Command::Leave { contact, text, .. } = asked else { panic!() };
    assert_eq!((contact.as_str(), text.as_str()), ("li@example.com", "Where is my lamp?"));
}

#[tokio::test]
async fn a_long_chat_is_shown_from_its_end_and_the_rest_by_pages_when_somebody_asks() {
    let h = house().await;
    let token = visitor(&h).await;
    let (mut s, _) = comes(&h, &token, 0, None).await;
    s.say(json!({"type": "message", "client_id": "m1", "body": "hello"})).await;
    s.until("ack").await;
    let chat = chat_of(&h).await;
    let most = limits::MESSAGES_SHOWN as u64;
    for n in 2..=2 * most + 30 {
        h.center.writes("demo", chat, ours("anna"), &format!("line {n}"));
    }
    h.settled().await;
    drop(s);
    let (mut s, _) = comes(&h, &token, 0, Some(&chat.to_string())).await;
    let seqs = |frames: &[Value]| {
        frames.iter().filter(|f| f["type"] == "message").map(|f| f["seq"].as_u64().unwrap()).collect::<Vec<_>>()
    };
    let mut end = 2 * most + 31;
    for (count, more) in [(most, true), (most, true), (30, false)] {
        let frames = s.all_until("earlier").await;
        let first = end - count;
        assert_eq!(seqs(&frames), (first..end).collect::<Vec<_>>());
        let last = frames.last().unwrap();
        assert_eq!((&last["first"], &last["more"]), (&json!(first), &json!(more)));
        s.say(json!({"type": "earlier", "interaction": chat.to_string(), "before": first})).await;
        end = first;
    }
    // What comes now comes once.
    h.center.writes("demo", chat, ours("anna"), "news");
    assert_eq!(s.until("message").await["body"], "news");
    let (mut eve, _) = comes(&h, &visitor(&h).await, 0, None).await;
    eve.say(json!({"type": "earlier", "interaction": chat.to_string(), "before": 9})).await;
    assert_eq!(eve.until("refused").await["code"], "invalid");
    // Who was away for longer than a page holds gets the latest, and hears where it begins; who was not, what was missed.
    let total = 2 * most + 31;
    for (since, told, hole) in [(5, total - most + 1..=total, true), (total - 2, total - 1..=total, false)] {
        let (mut s, _) = comes(&h, &token, since, Some(&chat.to_string())).await;
        let frames = s.all_until("state").await;
        assert_eq!(seqs(&frames), told.clone().collect::<Vec<_>>());
        let said = frames.iter().find(|f| f["type"] == "earlier").map(|f| f["first"].as_u64().unwrap());
        assert_eq!(said, hole.then_some(*told.start()));
    }
}

#[tokio::test]
async fn a_page_is_told_how_the_house_looks_and_its_answers_go_with_the_chat() {
    let h = house().await;
    let ours = [("origin", "https://shop.example")];
    let a = h.ask("GET", "/chat/v1/look?site=demo", &ours, None).await;
    assert_eq!(a.json()["color"], "#7a1fa2", "{}", a.text());
    assert_eq!(a.json()["ask"]["fields"][0]["key"], "order_no");
    assert_eq!(h.ask("GET", "/chat/v1/look?site=demo", &[("origin", "https://evil.example")], None).await.status, 403);
    assert_eq!(h.ask("GET", "/chat/v1/look?site=nobody", &[], None).await.status, 404);
    let (mut s, _) = comes(&h, &visitor(&h).await, 0, None).await;
    s.say(json!({"type": "start", "name": "Li Wei", "answers": {"order_no": "4711"}})).await;
    let (_, asked) = h.center.is_asked(|c| matches!(c, Command::ChatOpen { .. })).await;
    let Command::ChatOpen { answers, .. } = asked else { panic!() };
    assert_eq!(answers.get("order_no").map(String::as_str), Some("4711"));
}

#[tokio::test]
async fn a_visitor_asks_to_be_called_a_few_times_and_nobody_has_one_number_called_all_day() {
    let h = house().await;
    let a = h.ask("GET", "/chat/v1/state?site=demo", &[], None).await;
    assert_eq!(a.json()["call_me"]["consent"]["en"], "Yes, call me.", "{}", a.text());
    let mine = format!("Bearer {}", visitor(&h).await);
    let me = [("authorization", mine.as_str())];
    let body = |number: &str| format!(r#"{{"number": "{number}", "name": "Li Wei", "consent": true, "lang": "zh-CN"}}"#);
    let path = "/chat/v1/callback";
    assert_eq!(h.ask("POST", path, &[], Some(&body("+3265551234"))).await.status, 401);
    let evil = [("authorization", mine.as_str()), ("origin", "https://evil.example")];
    assert_eq!(h.ask("POST", path, &evil, Some(&body("+3265551234"))).await.code(), "origin");
    let silent = r#"{"number": "+3265551234", "consent": false}"#;
    assert_eq!(h.ask("POST", path, &me, Some(silent)).await.code(), "consent");
    assert_eq!(h.ask("POST", path, &me, Some(r#"{"number": "+3265551234"}"#)).await.code(), "invalid");
    for n in 0..limits::CALL_ME_PER_VISITOR {
        assert_eq!(h.ask("POST", path, &me, Some(&body(&format!("+326555000{n}")))).await.status, 201);
    }
    assert_eq!(h.ask("POST", path, &me, Some(&body("+3265551234"))).await.code(), "too_fast");
    let (by, asked) = h.center.is_asked(|c| matches!(c, Command::CallMe { .. })).await;
    let Command::CallMe { visitor: who, number, name, at: None, .. } = asked else { panic!() };
    assert_eq!((number.as_str(), name.as_str()), ("+3265550000", "Li Wei"));
    assert_eq!(by, crate::center::command::Actor::Visitor { visitor: who });
    // Several visitors want the same number called.
    for n in 0..=limits::CALL_ME_PER_NUMBER {
        h.center.pass(LEFT_WINDOW);
        let other = format!("Bearer {}", visitor(&h).await);
        let a = h.ask("POST", path, &[("authorization", other.as_str())], Some(&body("+3265551234"))).await;
        assert_eq!(a.status, if n < limits::CALL_ME_PER_NUMBER { 201 } else { 429 }, "{n}");
    }
}

#[tokio::test]
async fn a_visitor_is_shown_the_hours_they_may_be_called_at_and_chooses_one_of_them() {
    let h = house().await;
    let a = h.ask("GET", "/chat/v1/state?site=demo", &[], None).await;
    assert_eq!((&a.json()["call_me"]["now"], &a.json()["call_me"]["later"]), (&json!(true), &json!(true)), "{}", a.text());
    assert_eq!(h.ask("GET", "/chat/v1/hours?site=demo", &[("origin", "https://evil.example")], None).await.code(), "origin");
    let shown = h.ask("GET", "/chat/v1/hours?site=demo", &[], None).await.json();
    assert_eq!(shown["minutes"], 60);
    let hour = shown["hours"][0].as_str().unwrap().to_owned();
    let mine = format!("Bearer {}", visitor(&h).await);
    let me = [("authorization", mine.as_str())];
    let body = |at: &str| format!(r#"{{"number": "+3265551234", "consent": true, "at": "{at}"}}"#);
    assert_eq!(h.ask("POST", "/chat/v1/callback", &me, Some(&body("at three"))).await.code(), "invalid");
    assert_eq!(h.ask("POST", "/chat/v1/callback", &me, Some(&body(&hour))).await.status, 201);
    let (_, asked) = h.center.is_asked(|c| matches!(c, Command::CallMe { .. })).await;
    let Command::CallMe { at: Some(at), .. } = asked else { panic!("{asked:?}") };
    assert_eq!(at.rfc3339(), hour);
}

#[tokio::test]
async fn a_visitor_is_given_a_login_for_one_place_a_few_times_and_a_strangers_page_none() {
    let h = house().await;
    let a = h.ask("GET", "/chat/v1/state?site=demo", &[], None).await;
    assert_eq!(a.json()["talk_now"]["max_min"], 20, "{}", a.text());
    let mine = format!("Bearer {}", visitor(&h).await);
    let me = [("authorization", mine.as_str()), ("origin", "https://shop.example")];
    let (path, body) = ("/chat/v1/talk", r#"{"name": "Li Wei", "lang": "zh-CN", "page": "https://shop.example/lamps"}"#);
    assert_eq!(h.ask("POST", path, &[], Some(body)).await.status, 401);
    let evil = [("authorization", mine.as_str()), ("origin", "https://evil.example")];
    assert_eq!(h.ask("POST", path, &evil, Some(body)).await.code(), "origin");
    assert_eq!(h.ask("POST", path, &me, Some(r#"{"to": "+3265551234"}"#)).await.code(), "invalid");
    let mut seen = Vec::new();
    for _ in 0..limits::TALK_NOW_PER_VISITOR {
        let a = h.ask("POST", path, &me, Some(body)).await;
        assert_eq!(a.status, 201, "{}", a.text());
        let login = a.json();
        let text = |key: &str| login[key].as_str().unwrap().to_owned();
        assert_eq!(text("target"), format!("sip:demo-agent@{}", text("realm")));
        assert_eq!(text("aor"), format!("sip:{}@{}", text("username"), text("realm")));
        seen.extend([text("username"), text("password")]);
        let told = h.center.is_asked(|c| matches!(c, Command::TalkNow { username, .. } if *username == text("username"))).await;
        let (by, Command::TalkNow { visitor, ha1, page, .. }) = told else { panic!() };
        assert_eq!(by, crate::center::command::Actor::Visitor { visitor });
        assert_eq!(ha1, crate::sip::auth::Ha1::new(&text("username"), &text("realm"), &text("password")));
        assert_eq!(page.as_deref(), Some("https://shop.example/lamps"));
    }
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 2 * limits::TALK_NOW_PER_VISITOR as usize, "none is given twice");
    assert_eq!(h.ask("POST", path, &me, Some(body)).await.code(), "too_fast");
}
