//! Flows and reports at the door: mistakes have their line, a try tells what a caller meets, and nobody writes over a colleague.

use serde_json::json;

use super::*;

fn text(h: &House) -> String {
    h.center.flow_text("demo", "demo-agent")
}

#[tokio::test]
async fn a_text_is_checked_tried_out_and_only_a_good_one_that_replaces_what_is_there_is_published() {
    let h = house().await;
    let ada = Browser::of(&h, "ada").await;
    let ask = async |path: &str, body: serde_json::Value| ada.ask(&h, "POST", path, Some(&body.to_string())).await;
    let listed = ada.ask(&h, "GET", "/api/v1/flows", None).await.json();
    assert_eq!((listed["flows"][0]["name"].as_str(), listed["flows"][0]["own"].as_bool()), (Some("demo-agent"), Some(true)));
    let shown = ada.ask(&h, "GET", "/api/v1/flows/demo-agent", None).await.json();
    assert_eq!((shown["drawing"]["start"].as_str(), shown["text"].as_str()), (Some("a"), Some(text(&h).as_str())));
    assert!(
        shown["drawing"]["edges"].as_array().unwrap().iter().any(|e| e["from"] == "a" && e["to"] == "q" && e["kind"] == "then")
    );

    let wrong = text(&h).replace("queue: sales", "queue: nowhere");
    let line = wrong.lines().position(|l| l.contains("nowhere")).unwrap() + 1;
    let checked = ask("/api/v1/flows/validate", json!({"text": wrong})).await.json();
    let errors: Vec<_> = checked["findings"].as_array().unwrap().iter().filter(|f| f["severity"] == "error").collect();
    assert_eq!((checked["good"].as_bool(), errors.len(), errors[0]["line"].as_u64()), (Some(false), 1, Some(line as u64)));
    let a = ask("/api/v1/flows", json!({"text": wrong, "replaces": shown["hash"]})).await;
    assert!(
        a.status == 422 && a.json()["problems"][0].as_str().unwrap().starts_with(&format!("line {line}: ")),
        "{}",
        a.text()
    );
    let broken = ask("/api/v1/flows/validate", json!({"text": "flow: [x"})).await.json();
    assert_eq!((broken["good"].as_bool(), broken["findings"][0]["rule"].as_str()), (Some(false), Some("read")));

    let tried = json!({"text": text(&h), "steps": [{"queue": "answered"}, {"talk_ended": {}}]});
    let met = ask("/api/v1/flows/simulate", tried).await.json();
    assert!(met["steps"][0]["told"].as_array().unwrap().iter().any(|t| t["what"] == "queued" && t["text"] == "sales"), "{met}");
    assert_eq!(met["steps"].as_array().unwrap().last().unwrap()["over"], true, "{met}");
    let a = ask("/api/v1/flows/simulate", json!({"text": text(&h), "steps": [{"press": "x"}]})).await;
    assert_eq!((a.status, a.json()["field"].as_str()), (422, Some("steps")));

    let good = text(&h).replace("Hello.", "Good day.");
    let a = ask("/api/v1/flows", json!({"text": good})).await;
    assert_eq!((a.status, a.code().as_str()), (409, "changed"), "it exists, and which one is replaced was not said");
    let a = ask("/api/v1/flows", json!({"text": good, "replaces": shown["hash"]})).await;
    assert_eq!(a.status, 201, "{}", a.text());
    // What was there before is kept as well, so that there is a way back.
    assert_eq!(a.json()["version"], 2);
    let log = ada.ask(&h, "GET", "/api/v1/audit", None).await.json();
    assert_eq!(log["entries"][0]["what"], "flow.publish");
    assert!(log["entries"][0]["after"].as_str().unwrap().contains("Good day."), "{log}");
}

#[tokio::test]
async fn a_form_that_was_read_before_somebody_elses_change_is_refused_and_agents_read_their_replies() {
    let h = house().await;
    let ada = Browser::of(&h, "ada").await;
    let read = ada.ask(&h, "GET", "/api/v1/config/document", None).await.json();
    let version = read["version"].as_str().unwrap();
    let yaml = ada.ask(&h, "GET", "/api/v1/config", None).await;
    assert_eq!(yaml.header("etag"), format!("\"{version}\""), "text and document are one thing");
    let mut business = read["business"].clone();
    assert!(business["tenants"]["other"].is_null());
    business["tenants"]["demo"]["routing"]["queues"]["sales"]["ring_s"] = json!(33);
    // JSON is YAML: what a form writes is read as the text is.
    let path = format!("/api/v1/config?dry_run=true&version={version}");
    let a = ada.ask(&h, "PUT", &path, Some(&business.to_string())).await;
    assert!(a.status == 200 && a.json()["diff"].as_str().unwrap().contains("ring_s: 33"), "{}", a.text());
    let a = ada.ask(&h, "PUT", "/api/v1/config?dry_run=true&version=0000", Some(&business.to_string())).await;
    assert_eq!((a.status, a.code().as_str()), (409, "changed"));
    let anna = Browser::of(&h, "anna").await;
    let replies = anna.ask(&h, "GET", "/api/v1/canned", None).await.json();
    assert_eq!(replies["replies"][0]["text"], "Thank you, {customer}.");
}

#[tokio::test]
async fn a_report_is_asked_for_a_span_that_makes_sense_and_is_a_table_as_well() {
    let h = house().await;
    let sue = Browser::of(&h, "sue").await;
    let span = "from=2026-11-23T00:00:00Z&to=2026-11-24T00:00:00Z";
    let a = sue.ask(&h, "GET", &format!("/api/v1/reports/intervals?{span}&step_min=15"), None).await;
    assert_eq!((a.status, a.json()["rows"].as_array().map(Vec::len)), (200, Some(0)), "{}", a.text());
    let a = sue.ask(&h, "GET", &format!("/api/v1/reports/agents?{span}&format=csv"), None).await;
    assert_eq!((a.status, a.text().as_str()), (200, "agent,handled,talk_ms,hold_ms,wrap_ms,rated,satisfied\r\n"));
    assert!(a.header("content-type").starts_with("text/csv"));
    for wrong in ["from=2026-11-24T00:00:00Z&to=2026-11-23T00:00:00Z", "from=2020-01-01T00:00:00Z&step_min=1", "format=pdf"] {
        assert_eq!(sue.ask(&h, "GET", &format!("/api/v1/reports/intervals?{wrong}"), None).await.status, 422, "{wrong}");
    }
    assert_eq!(Browser::of(&h, "anna").await.ask(&h, "GET", "/api/v1/reports/agents", None).await.status, 403);
}
