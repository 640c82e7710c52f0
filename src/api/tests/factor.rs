//! A second factor from the picture to the lost telephone, and sign-ins that are seen and ended.

use super::*;
use crate::{api::totp, base::secs};

fn hex_of(base32: &str) -> Vec<u8> {
    let mut bits = Vec::new();
    for c in base32.bytes() {
        let n = if c.is_ascii_uppercase() { c - b'A' } else { c - b'2' + 26 };
        bits.extend((0..5).rev().map(|i| (n >> i) & 1));
    }
    bits.chunks_exact(8).map(|b| b.iter().fold(0, |n, bit| (n << 1) | bit)).collect()
}

/// What the authenticator shows now.
fn shows(h: &House, secret: &[u8]) -> String {
    totp::code(secret, h.center.at().wall.unix_s() as u64 / 30)
}

async fn with_code(h: &House, login: &str, of: &str, password: &str, code: Option<&str>) -> Answer {
    let mut body = json!({"login": login, "password": password, "tenant": of});
    if let Some(code) = code {
        body["code"] = code.into();
    }
    h.ask("POST", "/api/v1/auth/login", &[("user-agent", "Firefox on a tablet")], Some(&body.to_string())).await
}

/// Makes one for a login that is in; its secret and recovery codes.
async fn makes(h: &House, who: &Browser) -> (Vec<u8>, Vec<String>) {
    let wrong = who.ask(h, "POST", "/api/v1/auth/factor", Some(r#"{"password":"wrong"}"#)).await;
    assert_eq!(wrong.status, 403, "an open page is not enough");
    let begin = json!({"password": PASSWORD}).to_string();
    let new = who.ask(h, "POST", "/api/v1/auth/factor", Some(&begin)).await.json();
    assert!(new["picture"].as_str().unwrap().starts_with("<svg") && new["address"].as_str().unwrap().starts_with("otpauth://"));
    let secret = hex_of(new["secret"].as_str().unwrap());
    let bad = who.ask(h, "POST", "/api/v1/auth/factor/confirm", Some(r#"{"code":"12"}"#)).await;
    assert_eq!(bad.status, 422);
    let code = json!({"code": shows(h, &secret)}).to_string();
    let made = who.ask(h, "POST", "/api/v1/auth/factor/confirm", Some(&code)).await;
    assert_eq!(made.status, 200, "{}", made.text());
    let codes = made.json()["codes"].as_array().unwrap().iter().map(|c| c.as_str().unwrap().to_owned()).collect();
    (secret, codes)
}

#[tokio::test]
async fn a_password_alone_does_not_open_where_there_is_a_second_factor_and_no_code_opens_twice() {
    let h = house().await;
    let anna = Browser::of(&h, "anna").await;
    let (secret, recovery) = makes(&h, &anna).await;
    assert_eq!(recovery.len(), 10);
    let sign_in = async |code: Option<&str>| {
        let a = with_code(&h, "anna", "demo", PASSWORD, code).await;
        (a.status, if a.status == 200 { String::new() } else { a.code() })
    };
    assert_eq!(sign_in(None).await, (401, "second_factor".into()));
    assert_eq!(with_code(&h, "anna", "demo", "wrong", None).await.code(), "bad_login", "only after the right password");
    let used = shows(&h, &secret);
    assert_eq!(sign_in(Some(&used)).await, (401, "bad_code".into()), "it has confirmed the factor");
    h.center.pass(secs(30));
    let fresh = shows(&h, &secret);
    assert_eq!(sign_in(Some(&fresh)).await.0, 200);
    assert_eq!(sign_in(Some(&fresh)).await, (401, "bad_code".into()), "whoever looked over the shoulder is late");
    assert_eq!(sign_in(Some(&recovery[0].to_uppercase())).await.0, 200);
    assert_eq!(sign_in(Some(&recovery[0])).await, (401, "bad_code".into()));
    let shown = anna.ask(&h, "GET", "/api/v1/auth/factor", None).await.json();
    assert_eq!((&shown["on"], &shown["required"], &shown["recovery_left"]), (&json!(true), &json!(false), &json!(9)));

    // Guessing codes locks like guessing passwords, and asking without a code forgives nothing.
    for _ in 0..10 {
        sign_in(Some("000000")).await;
        sign_in(None).await;
    }
    assert_eq!(sign_in(Some(&recovery[1])).await, (429, "locked".into()));
    h.center.pass(mins(16));
    assert_eq!(sign_in(Some(&recovery[1])).await.0, 200);

    // The telephone is lost: an administrator helps, and it is on record.
    let ada = Browser::of(&h, "ada").await;
    assert_eq!(ada.ask(&h, "DELETE", "/api/v1/users/ada/factor", None).await.status, 409, "not one's own");
    assert_eq!(ada.ask(&h, "DELETE", "/api/v1/users/anna/factor", None).await.status, 204);
    assert_eq!(anna.ask(&h, "GET", "/api/v1/me", None).await.status, 401, "signed out everywhere");
    assert_eq!(sign_in(None).await.0, 200);
    let log = ada.ask(&h, "GET", "/api/v1/audit", None).await.text();
    for what in ["user.factor_on", "user.recovery_code", "user.factor_reset"] {
        assert!(log.contains(what), "{what}: {log}");
    }
}

#[tokio::test]
async fn whose_role_needs_a_second_factor_can_do_nothing_before_there_is_one() {
    let h = house().await;
    let hash = password::hash_with_salt(Secret::new(PASSWORD), [1; 16]).await.unwrap();
    let (of, login, password) = (tenant("other"), agent("olga"), Secret::new(hash));
    let user = User { tenant: of, login, role: Role::Supervisor, password, sip_md5: None, sip_sha256: None, disabled: false };
    h.store.user_put(Wall(0), &user).await.unwrap();
    let a = with_code(&h, "olga", "other", PASSWORD, None).await;
    assert_eq!((a.status, &a.json()["factor_needed"]), (200, &json!(true)));
    let cookie = a.header("set-cookie").split(';').next().unwrap().to_owned();
    let olga = Browser { cookie, csrf: a.json()["csrf"].as_str().unwrap().to_owned(), origin: format!("http://{}", h.addr) };
    let refused = olga.ask(&h, "GET", "/api/v1/agents", None).await;
    assert_eq!((refused.status, refused.code().as_str()), (403, "factor_needed"));
    assert!(h.socket("/api/v1/events", &olga.headers()).await.is_err(), "nor listen");
    let (secret, _) = makes(&h, &olga).await;
    assert_eq!(olga.ask(&h, "GET", "/api/v1/agents", None).await.status, 200);
    h.center.pass(secs(60));
    let off = json!({"code": shows(&h, &secret)}).to_string();
    let kept = olga.ask(&h, "POST", "/api/v1/auth/factor/off", Some(&off)).await;
    assert_eq!((kept.status, kept.code().as_str()), (409, "wrong_state"));
    let me = olga.ask(&h, "GET", "/api/v1/me", None).await.json();
    assert_eq!(me["factor_needed"], json!(false));
}

#[tokio::test]
async fn anna_sees_where_she_is_signed_in_and_ends_what_she_does_not_know() {
    let h = house().await;
    let (here, there) = (Browser::of(&h, "anna").await, Browser::of(&h, "anna").await);
    assert_eq!(with_code(&h, "anna", "demo", PASSWORD, None).await.status, 200);
    let listed = here.ask(&h, "GET", "/api/v1/auth/sessions", None).await.json();
    let all = listed["sessions"].as_array().unwrap().clone();
    assert_eq!(all.len(), 3);
    assert_eq!(all.iter().filter(|s| s["current"] == true).count(), 1);
    let tablet = all.iter().find(|s| s["device"] == "Firefox on a tablet").unwrap();
    assert_eq!(tablet["address"], "127.0.0.1");
    let wish = json!({"id": tablet["id"]}).to_string();
    let left = here.ask(&h, "POST", "/api/v1/auth/sessions/end", Some(&wish)).await.json();
    assert_eq!(left["sessions"].as_array().unwrap().len(), 2);
    assert_eq!(here.ask(&h, "POST", "/api/v1/auth/sessions/end", Some(&wish)).await.status, 404);
    assert_eq!(here.ask(&h, "POST", "/api/v1/auth/sessions/end", Some(r#"{"others":true}"#)).await.status, 200);
    assert_eq!(there.ask(&h, "GET", "/api/v1/me", None).await.status, 401);
    assert_eq!(here.ask(&h, "GET", "/api/v1/me", None).await.status, 200);

    // A new password ends the others; an administrator ends all.
    let other = Browser::of(&h, "anna").await;
    let change = json!({"old": PASSWORD, "new": "a wholly new password"}).to_string();
    let a = here.ask(&h, "POST", "/api/v1/auth/password", Some(&change)).await;
    assert_eq!(a.status, 200, "{}", a.text());
    assert_eq!(other.ask(&h, "GET", "/api/v1/me", None).await.status, 401);
    let ada = Browser::of(&h, "ada").await;
    let seen = ada.ask(&h, "GET", "/api/v1/users/anna/sessions", None).await.json();
    assert_eq!(seen["sessions"].as_array().unwrap().len(), 1, "the one the new password opened");
    assert_eq!(ada.ask(&h, "DELETE", "/api/v1/users/anna/sessions", None).await.status, 204);
    let seen = ada.ask(&h, "GET", "/api/v1/users/anna/sessions", None).await.json();
    assert!(seen["sessions"].as_array().unwrap().is_empty());
}
