//! An alert on its way: from the floor to whoever supervises, to a program outside, and back to well.

use serde_json::{Value, json};

use super::{
    server::{Desk, Events, House, Visitor},
    webhooks::{Got, Receiver},
};

/// One waiting in support is one too many; a second of calm is enough. `more` goes beside it.
async fn watches(admin: &Desk, more: &str) {
    let rules =
        format!("    alerts: {{rules: [{{metric: waiting, queue: support, limit: 0}}], clear_after_s: 1}}\n{more}    routing:");
    let yaml = admin.text("/api/v1/config").await.replacen("    routing:", &rules, 1);
    let mut request = admin.http.put(format!("http://{}/api/v1/config", admin.at));
    for (name, value) in &admin.headers {
        request = request.header(name, value);
    }
    let answer = request.header("content-type", "application/yaml").body(yaml).send().await.unwrap();
    assert_eq!(answer.status(), 200, "{}", answer.text().await.unwrap());
}

fn told(got: &[Got]) -> Vec<&str> {
    got.iter().filter_map(|g| g.body["type"].as_str()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_alert_reaches_supervisors_and_programs_is_taken_up_once_and_ends_when_it_is_well() {
    let house = House::opens_with(|c| c.webhooks.allow = vec!["127.0.0.0/8".parse().unwrap()]).await;
    let (admin, susan, anna) = (house.desk("admin").await, house.desk("susan").await, house.desk("anna").await);
    watches(&admin, "").await;
    let receiver = Receiver::opens().await;
    let wish = json!({"name": "pager", "url": format!("http://{}/in", receiver.at), "events": ["alert"]});
    admin.post("/api/v1/webhooks", wish).await;
    let (mut wall, mut desk) = (susan.listens(None).await, anna.listens(None).await);

    let mut li = Visitor::comes(house.at).await;
    li.asks_for_a_person("Li Wei", None).await;
    let alert = |e: &Events| e.view["alerts"].get("support/waiting").cloned();
    let raised = wall.until("the alert", alert).await;
    assert_eq!((&raised["value"], &raised["limit"], &raised["acked_by"]), (&json!(1), &json!(0), &Value::Null));
    let listed = susan.get("/api/v1/alerts").await;
    assert_eq!(listed["on"], json!([raised]));
    assert_eq!(anna.asks("GET", "/api/v1/alerts", None).await.0, 403);

    let path = "/api/v1/alerts/support/waiting/acknowledge";
    assert_eq!(anna.asks("POST", path, Some(json!({}))).await.0, 403);
    susan.post(path, json!({})).await;
    wall.until("who looks after it", |e| (alert(e)?["acked_by"] == "susan").then_some(())).await;
    admin.post(path, json!({})).await;
    assert_eq!(susan.get("/api/v1/alerts").await["on"][0]["acked_by"], "susan", "the first one keeps it");
    assert!(admin.get("/api/v1/audit").await.to_string().contains("alert.acknowledge"));

    let mut events = anna.begins_work("anna").await;
    anna.takes("anna", &mut events).await;
    wall.until("that all is well", |e| alert(e).is_none().then_some(())).await;
    let past = &susan.get("/api/v1/alerts").await["past"][0];
    assert_eq!((&past["worst"], &past["acked_by"]), (&json!(1), &json!("susan")));
    receiver.until("all three", |g| (told(g) == ["alert_raised", "alert_acked", "alert_cleared"]).then_some(())).await;

    // Agents have other things to look at.
    let talks = |e: &Events| e.view["agents"]["anna"]["work"][0]["work"] == "talking";
    desk.until("the talk", |e| talks(e).then_some(())).await;
    assert_eq!(desk.view["alerts"], json!({}));
    assert!(desk.facts.iter().all(|f| !f["fact"].as_str().unwrap().starts_with("alert_")));
    house.closes().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_supervisor_of_some_queues_is_told_of_their_alerts_only_and_an_administrator_of_all() {
    let house = House::opens_with(|_| {}).await;
    let (admin, susan) = (house.desk("admin").await, house.desk("susan").await);
    watches(&admin, "    supervision: {queues: {susan: [sales], admin: [sales]}}\n").await;
    let (mut wall, mut desk) = (admin.listens(None).await, susan.listens(None).await);

    let mut li = Visitor::comes(house.at).await;
    li.asks_for_a_person("Li Wei", None).await;
    let alert = |e: &Events| e.view["alerts"].get("support/waiting").cloned();
    wall.until("the alert", alert).await;
    assert_eq!(admin.get("/api/v1/alerts").await["on"][0]["queue"], "support");
    assert_eq!(susan.get("/api/v1/alerts").await["on"], json!([]));

    // The supervisor sees everything else of the floor; what came before the end of it would have come by then.
    let anna = house.desk("anna").await;
    let mut events = anna.begins_work("anna").await;
    anna.takes("anna", &mut events).await;
    wall.until("that all is well", |e| alert(e).is_none().then_some(())).await;
    let talks = |e: &Events| e.view["agents"]["anna"]["work"][0]["work"] == "talking";
    desk.until("the talk", |e| talks(e).then_some(())).await;
    assert_eq!(desk.view["alerts"], json!({}));
    let words = |e: &Events| e.facts.iter().map(|f| f["fact"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
    assert!(words(&wall).iter().any(|w| w == "alert_raised"));
    assert!(words(&desk).iter().all(|w| !w.starts_with("alert_")), "{:?}", words(&desk));
    assert_eq!(susan.get("/api/v1/alerts").await["past"], json!([]));
    assert_eq!(admin.get("/api/v1/alerts").await["past"][0]["queue"], "support");
    house.closes().await;
}
