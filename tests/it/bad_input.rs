//! Nonsense from everywhere: a clear answer that names the place, and a server that keeps running.

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream, UdpSocket},
    path::Path,
};

use serde_json::{Value, json};

use super::server::{Desk, House, PATIENCE, Program, Visitor, hear, program::run, say, socket};

/// Runs a command that must fail, and says why in these words.
#[track_caller]
fn refuses(args: &[&str], words: &[&str]) {
    let (good, said, complaint) = run(args);
    assert!(!good, "{args:?} was taken: {said}");
    let all = said + &complaint;
    for w in words {
        assert!(all.contains(w), "{args:?} does not say `{w}`:\n{all}");
    }
    assert!(!all.contains("panicked"), "{all}");
}

fn write(dir: &Path, name: &str, text: impl AsRef<[u8]>) -> String {
    let path = dir.join(name);
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

async fn is_well(at: SocketAddr) {
    let answer = super::server::http().get(format!("http://{at}/healthz")).send().await.unwrap();
    assert_eq!(answer.status(), 200, "{}", answer.text().await.unwrap());
}

#[test]
fn a_broken_settings_file_is_refused_with_the_place() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let data = data.to_str().unwrap();
    for (text, words) in [
        ("[sip]\nbind = \"0.0.0.0:5060\"\nbnid = 3\n", ["line 3", "bnid", "bind"]),
        ("[http]\nbind = \"nonsense\"\n", ["line 2", "bind", "address"]),
        ("[media]\nrtp_ports = \"9-3\"\n", ["media.rtp_ports", "9-3", "LO < HI"]),
        ("[data\n", ["line 1", "ringdesk.toml", "data"]),
    ] {
        let file = write(dir.path(), "ringdesk.toml", text);
        refuses(&["config", "print", "--config", &file], &words);
        refuses(&["serve", "--demo", "--data", data, "--config", &file], &words);
    }
    refuses(&["serve", "--config", "/nowhere/ringdesk.toml"], &["/nowhere/ringdesk.toml"]);
    refuses(&["serve", "--sip-bind", "here"], &["--sip-bind"]);
    assert!(!Path::new(data).exists(), "nothing was begun");
}

#[test]
fn a_broken_flow_is_refused_with_file_line_and_column() {
    let dir = tempfile::tempdir().unwrap();
    let good = std::fs::read_to_string("ivr-flows/main.yaml").unwrap();
    std::fs::copy("ivr-flows/order-status.yaml", dir.path().join("order-status.yaml")).unwrap();
    let data = dir.path().join("data");
    let (data, flows) = (data.to_str().unwrap(), dir.path().to_str().unwrap());
    for (from, to, words) in [
        ("gather: {prompt: [menu,", "gather: {promt: [menu,", ["main.yaml:", "promt", "did you mean `prompt`"]),
        ("then: menu\n", "then: mneu\n", ["main.yaml:", "mneu", "menu"]),
        ("start: known_language", "start: [", ["main.yaml:", "line", ""]),
    ] {
        let text = good.replacen(from, to, 1);
        assert_ne!(text, good);
        let line = text.lines().position(|l| l.contains(to.trim_end())).unwrap() + 1;
        let file = write(dir.path(), "main.yaml", &text);
        let (fine, said, complaint) = run(&["flow", "lint", &file]);
        let all = said + &complaint;
        assert!(!fine, "{all}");
        // Where a bracket was never closed the end of the file is as good a place as any.
        if !to.ends_with('[') {
            assert!(all.contains(&format!("main.yaml:{line}:")), "line {line}:\n{all}");
            words.iter().for_each(|w| assert!(all.contains(w), "`{w}` is not in\n{all}"));
        } else {
            assert!(all.contains("main.yaml:"), "{all}");
        }
        if !to.contains("mneu") {
            refuses(&["check", "--flows", flows, "--data", data], &["main.yaml:"]);
            refuses(
                &[
                    "serve",
                    "--demo",
                    "--flows",
                    flows,
                    "--data",
                    data,
                    "--sip-bind",
                    "127.0.0.1:0",
                    "--http-bind",
                    "127.0.0.1:0",
                ],
                &["main.yaml:"],
            );
        }
    }
    // A story that does not come true is a failure with its step.
    let story = good.replacen("- expect_prompt: recorded", "- expect_prompt: closed", 1);
    let file = write(dir.path(), "main.yaml", story);
    refuses(&["flow", "test", &file], &["a caller in Chinese asks for a person", "closed"]);
}

#[test]
fn a_broken_business_configuration_is_refused_with_the_path_and_nothing_changes() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let data = data.to_str().unwrap();
    let good = std::fs::read_to_string("src/app/demo.yaml").unwrap();
    let file = write(dir.path(), "good.yaml", &good);
    let (fine, said, complaint) = run(&["apply", &file, "--data", data]);
    assert!(fine, "{said}{complaint}");
    let (_, before, _) = run(&["export", "--data", data]);
    for (from, to, words) in [
        ("ring_s: 15", "ring_s: soon", ["shop.yaml", "line ", "ring_s"]),
        ("ring_s: 15", "rnig_s: 15", ["shop.yaml", "rnig_s", "ring_s"]),
        ("queues: [support]}", "queues: [nowhere]}", ["shop.yaml", "tenants.demo.routing.agents.anna.queues[0]", "nowhere"]),
        ("to: {flow: main}", "to: {flow: mian}", ["shop.yaml", "tenants.demo.routes[0]", "mian"]),
        ("orders: 5,", "orders: 9,", ["shop.yaml", "tenants.demo.routing.agents.anna.skills.orders", "1 to 5"]),
        ("Asia/Shanghai", "Asia/Atlantis", ["shop.yaml", "tenants.demo.routing.calendars.shop", "Atlantis"]),
    ] {
        let text = good.replacen(from, to, 1);
        assert_ne!(text, good, "{from}");
        let file = write(dir.path(), "shop.yaml", text);
        refuses(&["apply", &file, "--data", data], &words);
        refuses(&["apply", &file, "--dry-run", "--data", data], &words);
    }
    assert_eq!(run(&["export", "--data", data]).1, before);
}

#[test]
fn every_command_says_what_it_did_and_ends_with_a_code_scripts_can_trust() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let data = data.to_str().unwrap();
    let (good, said, _) = run(&["version"]);
    assert!(good && said == format!("ringdesk {}\n", env!("CARGO_PKG_VERSION")));
    refuses(&["export", "--data", data], &["no business configuration", "apply"]);
    refuses(&["user", "add", "zoe", "--tenant", "demo", "--data", data], &["no business configuration"]);

    // Put in force, with a look before.
    let yaml = std::fs::read_to_string("src/app/demo.yaml").unwrap();
    let file = write(dir.path(), "shop.yaml", &yaml);
    let (good, said, _) = run(&["apply", &file, "--dry-run", "--data", data]);
    assert!(good && said.contains("anna"), "{said}");
    refuses(&["export", "--data", data], &["no business configuration"]);
    let (good, said, _) = run(&["apply", &file, "--data", data]);
    assert!(good && said.contains("version 1"), "{said}");
    let (good, said, _) = run(&["check", "--data", data]);
    assert!(good && said.contains("version 1") && said.contains("main"), "{said}");

    // What is exported is what was applied, and applying it again changes nothing.
    let (good, exported, _) = run(&["export", "--data", data]);
    assert!(good && exported.contains("Lotus Home"));
    let again = write(dir.path(), "again.yaml", &exported);
    let (good, said, _) = run(&["apply", &again, "--data", data]);
    assert!(good && said == "nothing changes\n", "{said}");
    let changed = write(dir.path(), "changed.yaml", exported.replacen("ring_s: 15", "ring_s: 25", 1));
    let (good, said, _) = run(&["apply", &changed, "--dry-run", "--data", data]);
    assert!(good && said.contains("15") && said.contains("25") && said.contains("ring_s"), "{said}");
    assert!(!said.contains("Lotus"), "only what changes is shown: {said}");

    // Logins.
    refuses(&["user", "add", "zoe", "--tenant", "nobody", "--data", data], &["no tenant `nobody`", "demo"]);
    refuses(&["user", "add", "zoe", "--tenant", "demo", "--role", "king", "--data", data], &["king", "supervisor"]);
    let (good, said, _) = run(&["user", "add", "zoe", "--tenant", "demo", "--role", "admin", "--data", data]);
    assert!(good && said.contains("password: ") && said.contains("(new)"), "{said}");

    // Settings are printed without what nobody should see.
    let file = write(dir.path(), "ringdesk.toml", "[data]\ndatabase = \"postgres://ring:geheim@db.local/ring\"\n");
    let (good, said, _) = run(&["config", "print", "--config", &file, "--sip-bind", "127.0.0.1:5070"]);
    assert!(
        good && said.contains("127.0.0.1:5070") && said.contains("ring:***@db.local") && !said.contains("geheim"),
        "{said}"
    );

    // Flows.
    let both = ["flow", "lint", "ivr-flows/main.yaml", "ivr-flows/order-status.yaml", "--business", "src/app/demo.yaml"];
    refuses(&both, &["order-status.yaml:35:18: error R20", "http://127.0.0.1:8090"]);
    let (good, said, _) = run(&[&both[..], &["--http-allow", "http://127.0.0.1:8090/"]].concat());
    assert!(good && said.contains("2 flow(s)"), "{said}");
    let (good, said, _) = run(&["flow", "test", "ivr-flows/main.yaml"]);
    assert!(good && said.contains("15 passed, 0 failed\n"), "{said}");
    let (good, said, _) = run(&["flow", "graph", "ivr-flows/main.yaml"]);
    assert!(good && said.starts_with("digraph") && said.contains("to_support"), "{said}");
    refuses(&["flow", "lint", "/nowhere/main.yaml"], &["/nowhere/main.yaml"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_request_is_answered_with_a_problem_that_names_the_field() {
    let house = House::opens().await;
    let anna = house.desk("anna").await;
    let key = house.key();
    let mut li = Visitor::comes(house.at).await;
    let mut events = anna.begins_work("anna").await;
    li.asks_for_a_person("Li", None).await;
    let id = anna.takes("anna", &mut events).await;
    let messages = format!("/api/v1/interactions/{id}/messages");
    let (dispose, transfer) = (format!("/api/v1/interactions/{id}/dispose"), format!("/api/v1/interactions/{id}/transfer"));
    type Case<'a> = (&'a Desk, &'a str, &'a str, Value, u16, Option<&'a str>);
    let cases: Vec<Case> = vec![
        (&anna, "PUT", "/api/v1/agents/me/state", json!({"state": "not_ready"}), 422, Some("reason")),
        (&anna, "PUT", "/api/v1/agents/me/state", json!({"state": "asleep"}), 422, Some("state")),
        (&anna, "PUT", "/api/v1/agents/me/state", json!({"state": "ready", "mood": 1}), 422, Some("mood")),
        (&anna, "POST", "/api/v1/agents/me/dial", json!({"number": ""}), 422, Some("number")),
        (&anna, "POST", &messages, json!({"client_id": "", "body": "x"}), 422, Some("client_id")),
        (&anna, "POST", &messages, json!({"client_id": "a", "body": ""}), 422, Some("body")),
        (&anna, "POST", &messages, json!({"client_id": "a", "body": "x".repeat(20_000)}), 422, Some("body")),
        (&anna, "POST", &messages, json!({"client_id": "a", "body": 7}), 422, Some("body")),
        (&anna, "POST", &messages, json!({"client_id": "a"}), 422, Some("body")),
        (&key, "POST", "/api/v1/tickets", json!({"title": "x", "priority": "huge"}), 422, Some("priority")),
        (&key, "POST", "/api/v1/tickets", json!({"title": "x", "queue": "No Such"}), 422, Some("queue")),
        (&key, "POST", "/api/v1/users", json!({"login": "../x", "role": "agent"}), 422, Some("login")),
        (&key, "POST", "/api/v1/users", json!({"login": "zed", "role": "king"}), 422, Some("role")),
        (&anna, "POST", &dispose, json!({"code": "nope"}), 422, None),
        (&anna, "POST", &transfer, json!({"to": {"kind": "moon"}}), 422, Some("to")),
        (&anna, "POST", "/api/v1/interactions/nonsense/finish", json!({}), 404, None),
        (&anna, "GET", "/api/v1/nothing", Value::Null, 404, None),
        (&anna, "DELETE", "/api/v1/me", Value::Null, 405, None),
        (&anna, "POST", "/api/v1/users", json!({"login": "zed", "role": "admin"}), 403, None),
        (&key, "POST", "/api/v1/tickets", json!({"title": "x".repeat(400_000)}), 413, None),
    ];
    for (who, method, path, body, status, field) in cases {
        let shown = body.to_string().chars().take(80).collect::<String>();
        let (got, problem) = who.asks(method, path, Some(body).filter(|b| !b.is_null())).await;
        assert_eq!(got, status, "{method} {path} {shown}: {problem}");
        assert_eq!(problem["status"], status, "{method} {path} {shown}: {problem}");
        assert!(problem["detail"].as_str().is_some_and(|d| d.len() > 5), "{method} {path}: {problem}");
        assert!(problem["request_id"].is_string(), "{problem}");
        if let Some(field) = field {
            let named = problem["field"].as_str().unwrap_or_default().starts_with(field)
                || problem["detail"].as_str().unwrap().contains(field);
            assert!(named, "{method} {path} {shown}: `{field}` is not named: {problem}");
        }
    }
    // A configuration through the API: checked whole, every mistake with its path.
    let http = super::server::http();
    let yaml = key.text("/api/v1/config").await;
    for (text, status, words) in [
        (yaml.replacen("- support", "- nowhere", 1), 422, "nowhere"),
        ("tenants: [".to_owned(), 422, "line"),
        (yaml.clone(), 200, "diff"),
    ] {
        let answer = http
            .put(format!("http://{}/api/v1/config?dry_run=true", house.at))
            .header("authorization", format!("Bearer {}", house.demo.api_key))
            .header("content-type", "application/yaml")
            .body(text)
            .send()
            .await
            .unwrap();
        let (got, said) = (answer.status().as_u16(), answer.text().await.unwrap());
        assert!(got == status && said.contains(words), "{got} {said}");
    }
    // Nobody was hurt.
    anna.post(&messages, json!({"client_id": "last", "body": "Still here"})).await;
    li.reads("Still here").await;
    is_well(house.at).await;
    house.closes().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_that_talks_nonsense_is_told_so_and_others_do_not_notice() {
    use futures_util::SinkExt as _;
    use tokio_tungstenite::tungstenite::Message;
    let house = House::opens().await;
    let mut good = Visitor::comes(house.at).await;
    good.starts("Good", "en", None).await;

    let mut odd = Visitor::comes(house.at).await;
    odd.starts("Odd", "en", None).await;
    odd.until("the question", |v| v.option("My order")).await;
    for (frame, code) in [
        (json!({"type": "message", "client_id": "a", "body": "x".repeat(17_000)}), "too_long"),
        (json!({"type": "message", "client_id": "b", "body": "   "}), "invalid"),
        (json!({"type": "message", "client_id": "has space", "body": "x"}), "invalid"),
        (json!({"type": "message", "client_id": "c"}), "bad_frame"),
        (json!({"type": "shout", "body": "x"}), "bad_frame"),
        (json!({"type": "hello", "token": "again"}), "bad_frame"),
        (json!([1, 2, 3]), "bad_frame"),
        (json!({"type": "message", "client_id": "d", "body": "x", "as": "admin"}), "bad_frame"),
    ] {
        let before = odd.refused.len();
        odd.sends(frame.clone()).await;
        odd.until("a refusal", |v| (v.refused.len() > before).then_some(())).await;
        assert_eq!(odd.refused[before]["code"], code, "{:.100}: {}", frame.to_string(), odd.refused[before]);
    }
    odd.says("e", "A proper word").await;

    // No hello, a wrong token, bytes that are no text, a frame larger than any message.
    for first in [json!({"type": "typing"}), json!({"type": "hello", "token": "0".repeat(64)}), json!("?")] {
        let mut s = socket(house.at, "/chat/v1/socket", &[]).await.unwrap();
        say(&mut s, first).await;
        assert_eq!(hear(&mut s).await, Err(4401));
    }
    let mut s = socket(house.at, "/chat/v1/socket", &[]).await.unwrap();
    s.send(Message::Binary(vec![0xff; 1_000].into())).await.unwrap();
    assert!(hear(&mut s).await.is_err());
    let mut s = socket(house.at, "/chat/v1/socket", &[]).await.unwrap();
    let _ = s.send(Message::Text("x".repeat(1 << 20).into())).await; // cut off while we still send
    assert!(hear(&mut s).await.is_err());

    good.until("the question", |v| v.option("My order")).await;
    is_well(house.at).await;
    house.closes().await;
}

/// Bytes no peer should send: text, halves of messages, claims of absurd lengths, noise.
fn nonsense() -> Vec<Vec<u8>> {
    let mut noise = Vec::new();
    let mut x = 0x2545_f491_4f6c_dd1d_u64;
    for _ in 0..2_000 {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        noise.push(x as u8);
    }
    vec![
        b"hello\r\n\r\n".to_vec(),
        b"\r\n\r\n\r\n\r\n".to_vec(),
        b"INVITE sip:4000@example SIP/2.0\r\nVia: \xff\xfe\x00\r\n\r\n".to_vec(),
        b"INVITE sip:4000@example SIP/2.0\r\nContent-Length: 99999999999999999999\r\n\r\n".to_vec(),
        b"SIP/2.0 200 OK\r\n\r\n".to_vec(),
        b"OPTIONS sip:x SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:c@d>\r\nCall-ID: 1\r\nCSeq: 4294967296 OPTIONS\r\nContent-Length: -5\r\n\r\n".to_vec(),
        [b"GET / HTTP/1.1\r\nX: ".to_vec(), vec![b'a'; 70_000], b"\r\n\r\n".to_vec()].concat(),
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec(),
        noise,
        vec![0; 1_400],
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn noise_on_every_port_stops_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let server = Program::starts(dir.path());
    let (at, sip) = (server.at, server.sip);
    let floods = tokio::task::spawn_blocking(move || {
        let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
        for junk in nonsense() {
            for part in junk.chunks(60_000) {
                let _ = udp.send_to(part, sip);
            }
            for to in [sip, at] {
                let mut line = TcpStream::connect(to).unwrap();
                // The other side may hang up in the middle, which is its right.
                let _ = line.write_all(&junk);
                let _ = line.shutdown(std::net::Shutdown::Write);
                line.set_read_timeout(Some(PATIENCE)).unwrap();
                let _ = line.read_to_end(&mut Vec::new());
            }
        }
    });
    floods.await.unwrap();
    is_well(at).await;
    let mut li = Visitor::comes(at).await;
    li.starts("Li", "en", None).await;
    li.until("the question", |v| v.option("My order")).await;
    assert!(!server.log.lock().unwrap().contains("panicked"));
    assert!(server.stops());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broken_recording_is_named_and_the_call_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let flows = dir.path().join("flows");
    std::fs::create_dir(&flows).unwrap();
    std::fs::copy("ivr-flows/order-status.yaml", flows.join("order-status.yaml")).unwrap();
    let text = std::fs::read_to_string("ivr-flows/main.yaml").unwrap();
    let broken = text.replacen("en-US: {say: \"普通话", "en-US: {file: broken.wav, say: \"普通话", 1);
    let broken = broken.replacen("zh-CN: {say: \"普通话", "zh-CN: {file: broken.wav, say: \"普通话", 1);
    assert_ne!(broken, text);
    let main = write(&flows, "main.yaml", broken);
    write(&flows, "broken.wav", b"RIFF\x24\x00\x00\x00WAVEfmt not really");

    // The linter finds it before a customer does.
    let (_, said, complaint) = run(&["flow", "lint", &main]);
    assert!(format!("{said}{complaint}").contains("broken.wav"), "{said}{complaint}");

    let server = Program::starts_with(&dir.path().join("data"), &["--flows", flows.to_str().unwrap()]);
    let sip = server.sip;
    let call = tokio::task::spawn_blocking(move || {
        let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
        udp.set_read_timeout(Some(PATIENCE)).unwrap();
        let me = udp.local_addr().unwrap();
        let sdp = format!(
            "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio {} RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\n",
            me.port()
        );
        let invite = format!(
            "INVITE sip:4000@{sip} SIP/2.0\r\nVia: SIP/2.0/UDP {me};branch=z9hG4bKone;rport\r\nMax-Forwards: 70\r\n\
             From: <sip:+8613800138000@{me}>;tag=a\r\nTo: <sip:4000@{sip}>\r\nCall-ID: one@{me}\r\nCSeq: 1 INVITE\r\n\
             Contact: <sip:me@{me}>\r\nContent-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{sdp}",
            sdp.len()
        );
        udp.send_to(invite.as_bytes(), sip).unwrap();
        let mut buf = vec![0; 65_536];
        loop {
            let n = udp.recv(&mut buf).expect("an answer");
            let text = String::from_utf8_lossy(&buf[..n]).into_owned();
            if text.starts_with("SIP/2.0 200") && text.contains("INVITE") {
                return (udp, me, text);
            }
        }
    });
    let (udp, me, answer) = call.await.unwrap();
    let head = |name: &str| answer.lines().find_map(|l| l.strip_prefix(name)).unwrap_or_default().trim().to_owned();
    let request = |method: &str, branch: &str, seq: u32| {
        format!(
            "{method} sip:4000@{sip} SIP/2.0\r\nVia: SIP/2.0/UDP {me};branch=z9hG4bK{branch};rport\r\nMax-Forwards: 70\r\n\
             From: <sip:+8613800138000@{me}>;tag=a\r\nTo: {}\r\nCall-ID: one@{me}\r\nCSeq: {seq} {method}\r\nContent-Length: 0\r\n\r\n",
            head("To:")
        )
    };
    udp.send_to(request("ACK", "two", 1).as_bytes(), sip).unwrap();
    // The call stands in the flow although its first prompt is no recording: it goes on to the next question by itself.
    let mut watch = server.key().listens(None).await;
    watch
        .until("the flow goes on", |e| {
            let i = e.view["interactions"].as_object()?.values().next()?.clone();
            (i["stage"] == "flow").then_some(())
        })
        .await;
    server.logs("broken.wav").await;
    is_well(server.at).await;
    udp.send_to(request("BYE", "three", 2).as_bytes(), sip).unwrap();
    watch.until("the end", |e| e.view["interactions"].as_object()?.is_empty().then_some(())).await;
}
