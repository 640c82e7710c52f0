//! A certificate that has ended: supervisors see it until another one is in force, which takes no restart.

use super::server::{
    House,
    authority::{Authority, For, Pair},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_that_has_ended_is_an_alarm_until_the_files_are_replaced() {
    let authority = Authority::new("web");
    let dir = tempfile::tempdir().unwrap();
    let (cert, key) = (dir.path().join("cert.pem"), dir.path().join("key.pem"));
    let lie = |pair: Pair| {
        std::fs::write(&cert, pair.cert).unwrap();
        std::fs::write(&key, pair.key).unwrap();
    };
    lie(authority.makes(For::PagesOfThePast));
    let house = House::opens_with(|c| {
        c.http.tls = Some(([127, 0, 0, 1], 0).into());
        (c.tls.cert, c.tls.key) = (Some(cert.clone()), Some(key.clone()));
    })
    .await;
    let mut events = house.key().listens(None).await;
    let said = |e: &super::server::Events| e.view["alarms"]["certificate"].as_str().map(str::to_owned);
    let alarm = events.until("the alarm", said).await;
    assert!(alarm.contains("has ended"), "{alarm}");
    lie(authority.makes(For::Pages));
    events.until("no alarm", |e| said(e).is_none().then_some(())).await;
    house.closes().await;
}
