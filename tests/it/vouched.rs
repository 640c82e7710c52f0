//! Who vouches for callers, over real sockets: a notary and the servers it fetches from, and two servers of ours, one of which
//! signs what the other checks.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ringdesk::{
    base::{Mono, Now, Wall, redact::Secret, secs},
    net::{Notary, NotaryConfig, pen},
    sip::stir::{Attestation, Claims, Fault, Named, Seal, identity},
};
use serde_json::{Value, json};

use super::server::{
    House,
    authority::{Authority, Book, For, Pair, Shelf},
    outward::{OUT, applies, business, calls},
};

fn now() -> Now {
    // The certificates of the tests are good for centuries; the clock of a story is the story's.
    Now { mono: Mono(0) + secs(1_000), wall: Wall::from_unix_s(1_795_406_706) }
}

/// What a caller's INVITE would have to be looked at.
fn seal(url: &str, pair: &Pair) -> Seal {
    seal_as(Attestation::A, url, pair)
}

fn seal_as(attestation: Attestation, url: &str, pair: &Pair) -> Seal {
    let iat = now().wall.timestamp().as_second();
    let claims = Claims { attestation, orig: "3228880000", dest: "32470000009", iat, origid: "one" };
    let value = identity(&claims, url, &pen(&pair.key).unwrap()).unwrap();
    let (signed, signature) = value.split(';').next().unwrap().rsplit_once('.').unwrap();
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap().try_into().unwrap();
    let who = Named::Number(claims.orig.into());
    Seal { who, url: url.to_owned(), signed: signed.to_owned(), signature }
}

fn notary(authority: &Authority, pages: &Authority, inside: &[&str]) -> Notary {
    let inside = inside.iter().map(|n| n.parse().unwrap()).collect();
    let (roots, https_ca) = (authority.pem.clone().into_bytes(), pages.pem.clone().into_bytes());
    Notary::new(&NotaryConfig { roots, https_ca, inside }).unwrap()
}

#[tokio::test]
async fn a_seal_holds_when_its_certificate_leads_to_an_authority_and_is_for_calls_and_its_key_signed() {
    let (ours, other, pages) = (Authority::new("ours"), Authority::new("other"), Authority::new("pages"));
    let (good, foreign, past) = (ours.makes(For::Calls), other.makes(For::Calls), ours.makes(For::CallsOfThePast));
    let (web, plain) = (ours.makes(For::Pages), ours.makes(For::Nothing));
    let shelf = Shelf::opens(&pages, |at| {
        let book = |p: &Pair| (String::new(), p.cert.clone().into_bytes());
        let moved = |to: String| (format!("Location: {to}\r\n"), Vec::new());
        let far: Vec<(&str, Book)> = vec![
            ("/good", book(&good)),
            ("/foreign", book(&foreign)),
            ("/past", book(&past)),
            ("/web", book(&web)),
            ("/plain", book(&plain)),
            ("/large", (String::new(), vec![b'x'; 70_000])),
            ("/empty", (String::new(), b"-----BEGIN NOTHING-----\n".to_vec())),
            ("/moved", moved(format!("https://localhost:{}/good", at.port()))),
            ("/open", moved(format!("http://localhost:{}/good", at.port()))),
            ("/inside", moved(format!("https://[::1]:{}/good", at.port()))),
            ("/round", moved("/round".into())),
        ];
        far.into_iter().map(|(path, book)| (path.to_owned(), book)).collect()
    })
    .await;
    let n = notary(&ours, &pages, &["127.0.0.0/8"]);
    let look = async |path: &str, pair: &Pair| n.look(now(), &seal(&shelf.url(path), pair)).await;
    assert_eq!(look("/good", &good).await, Ok(()));
    let asked = shelf.asked();
    assert_eq!(look("/good", &good).await, Ok(()));
    assert_eq!(look("/good", &foreign).await, Err(Fault::Signature), "another key signed");
    let mut changed = seal(&shelf.url("/good"), &good);
    changed.signed.push('x');
    assert_eq!(n.look(now(), &changed).await, Err(Fault::Signature));
    assert_eq!(shelf.asked(), asked, "what was fetched is remembered");
    for (path, pair) in [("/foreign", &foreign), ("/past", &past), ("/web", &web), ("/plain", &plain)] {
        assert_eq!(look(path, pair).await, Err(Fault::Certificate), "{path}");
    }
    assert_eq!(look("/moved", &good).await, Ok(()), "a certificate may have moved");
    for path in ["/large", "/empty", "/nowhere", "/open", "/inside", "/round"] {
        assert_eq!(look(path, &good).await, Err(Fault::NoCertificate), "{path}");
    }
    // An authority's own list is what counts, whoever asks.
    let nobody = Notary::new(&NotaryConfig { https_ca: pages.pem.clone().into(), ..NotaryConfig::default() }).unwrap();
    assert!(!nobody.trusts_anybody());
    assert!(
        Notary::new(&NotaryConfig { roots: b"-----BEGIN CERTIFICATE-----\nAA".to_vec(), ..NotaryConfig::default() }).is_err()
    );
}

#[tokio::test]
async fn a_certificate_for_some_numbers_vouches_for_these_alone_and_so_does_what_it_was_used_to_make() {
    let (ours, pages) = (Authority::new("ours"), Authority::new("pages"));
    let (own, others) = (ours.makes(For::CallsOf("3228880000")), ours.makes(For::CallsOf("3227770000")));
    let (given, given_others) = (ours.gives("an enterprise", "3228880000"), ours.gives("another", "3227770000"));
    let (below, above) = (given.makes(For::CallsOf("3228880000")), given_others.makes(For::Calls));
    let shelf = Shelf::opens(&pages, |_| {
        let book = |path: &str, pem: String| (path.to_owned(), (String::new(), pem.into_bytes()));
        [
            book("/own", own.cert.clone()),
            book("/others", others.cert.clone()),
            book("/below", format!("{}{}", below.cert, given.pem)),
            book("/above", format!("{}{}", above.cert, given_others.pem)),
        ]
        .into()
    })
    .await;
    let n = notary(&ours, &pages, &["127.0.0.0/8"]);
    let look = async |path: &str, pair: &Pair| n.look(now(), &seal(&shelf.url(path), pair)).await;
    assert_eq!(look("/own", &own).await, Ok(()));
    assert_eq!(look("/others", &others).await, Err(Fault::Number));
    assert_eq!(look("/below", &below).await, Ok(()));
    assert_eq!(look("/above", &above).await, Err(Fault::Number), "nobody gives on what was not given");
}

#[tokio::test]
async fn a_certificate_that_may_vouch_as_b_does_not_vouch_as_a() {
    let (ours, pages) = (Authority::new("ours"), Authority::new("pages"));
    let pair = ours.makes(For::CallsAsB);
    let shelf = Shelf::opens(&pages, |_| [("/b".to_owned(), (String::new(), pair.cert.clone().into()))].into()).await;
    let n = notary(&ours, &pages, &["127.0.0.0/8"]);
    let look = async |as_what| n.look(now(), &seal_as(as_what, &shelf.url("/b"), &pair)).await;
    assert_eq!(look(Attestation::B).await, Ok(()));
    assert_eq!(look(Attestation::A).await, Err(Fault::Certificate));
}

#[tokio::test]
async fn nobody_makes_us_look_around_inside_the_network_and_nobody_makes_us_fetch_without_end() {
    let (ours, pages) = (Authority::new("ours"), Authority::new("pages"));
    let good = ours.makes(For::Calls);
    let shelf = Shelf::opens(&pages, |_| [("/good".to_owned(), (String::new(), good.cert.clone().into()))].into()).await;
    let n = notary(&ours, &pages, &[]);
    let port = shelf.at.port();
    for host in ["localhost", "127.0.0.1", "127.1", "0x7f000001", "2130706433", "[::ffff:127.0.0.1]", "[::1]", "0.0.0.0"] {
        let url = format!("https://{host}:{port}/good");
        assert_eq!(n.look(now(), &seal(&url, &good)).await, Err(Fault::NoCertificate), "{host}");
    }
    assert_eq!(shelf.asked(), 0, "no connection was made");
    // A caller a moment with an address each: 240 a minute are fetched, then no more until there is room again.
    let n = notary(&ours, &pages, &["127.0.0.0/8"]);
    for i in 0..300 {
        assert_eq!(n.look(now(), &seal(&shelf.url(&format!("/{i}")), &good)).await, Err(Fault::NoCertificate));
    }
    assert_eq!(shelf.asked(), 240);
    assert_eq!(n.look(now(), &seal(&shelf.url("/good"), &good)).await, Err(Fault::NoCertificate));
    let later = Now { mono: now().mono + secs(60), ..now() };
    assert_eq!(n.look(later, &seal(&shelf.url("/good"), &good)).await, Ok(()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_we_sign_is_verified_at_another_server_of_ours_and_one_we_do_not_sign_is_not_let_in() {
    let (authority, pages) = (Authority::new("policy administrator"), Authority::new("pages"));
    let pair = authority.makes(For::Calls);
    let shelf = Shelf::opens(&pages, |_| [("/stir.pem".to_owned(), (String::new(), pair.cert.clone().into()))].into()).await;
    let files = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = files.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    std::fs::create_dir(files.path().join("flows")).unwrap();
    file("flows/main.yaml", OUT);

    let secrets: BTreeMap<String, Secret> = [("stir".to_owned(), Secret::new(pair.key.clone()))].into();
    let signs = House::opens_knowing(secrets, |c| c.flows.dir = Some(files.path().join("flows"))).await;
    let checks = House::opens_with(|c| {
        c.stir.roots = vec![file("roots.pem", &authority.pem)];
        c.stir.inside = vec!["127.0.0.0/8".parse().unwrap()];
        c.tls.ca = Some(file("pages.pem", &pages.pem));
    })
    .await;
    let trunk = |stir: &str| format!("{{host: \"{}\", caller_id: \"+3228880000\"{stir}}}", checks.sip);
    let here = "{match: \"4000\", to: {flow: main}, from: public}\n      - {match: \"+*\", to: {trunk: {trunk: other}}}";
    let url = shelf.url("/stir.pem");
    applies(&signs.key(), business(&trunk(&format!(", stir: {{key_secret: stir, cert_url: \"{url}\"}}")), here)).await;
    let there = "{match: \"+32470000009\", to: {queue: support}, from: trunks}";
    let asks = format!("{{host: \"{}\", from: [127.0.0.1], stir: {{verify: require}}}}", signs.sip);
    let key = checks.key();
    applies(&key, business(&asks, there)).await;

    let mut watch = key.listens(None).await;
    let caller = tokio::spawn(calls(signs.sip, "first"));
    let id = watch
        .until("the call", |e| {
            let (id, i) = e.view["interactions"].as_object()?.iter().next()?;
            (i["attributes"]["caller.attestation"] == "A").then(|| id.clone())
        })
        .await;
    assert_eq!(watch.view["interactions"][&id]["from"], "+3228880000");
    assert_eq!(watch.view["interactions"][&id]["attributes"]["caller.verstat"], "verified");
    // Nobody works there today: whoever waits is sent away by hand.
    key.post(&format!("/api/v1/interactions/{id}/finish"), json!({})).await;
    caller.await.unwrap();
    watch.until("the end", |e| e.view["interactions"].as_object()?.is_empty().then_some(())).await;
    let record = &key.get(&format!("/api/v1/interactions/{id}")).await["record"];
    assert_eq!(
        (&record["verdict"]["verstat"], &record["verdict"]["attestation"]),
        (&json!("verified"), &json!("A")),
        "{record}"
    );

    applies(&signs.key(), business(&trunk(""), here)).await;
    calls(signs.sip, "second").await;
    // Its answer is of a picture that was taken after the question.
    let trunks = key.post("/api/v1/trunks/other/test", json!({})).await;
    let counts = |name: &str| trunks["trunk"][name].clone();
    assert_eq!((counts("callers_verified"), counts("callers_absent")), (json!(1), json!(1)), "{trunks}");
    let history = key.get("/api/v1/interactions?live=false").await;
    assert_eq!(history["interactions"].as_array().map(Vec::len), Some(1), "who was refused is no contact: {history}");
    let said: Value = signs.key().get("/api/v1/trunks").await;
    assert!(said["other"]["last_failure"].is_null(), "a refusal of one call is no failure of the trunk: {said}");
    signs.closes().await;
    checks.closes().await;
}
