//! The pages, embedded in the program: plain files, no build. Every answer carries a strict content policy.

use std::sync::Arc;

use axum::{
    Router,
    extract::Path,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use rust_embed::{EmbeddedFile, RustEmbed};

use super::Shared;

#[derive(RustEmbed)]
#[folder = "web/"]
struct Web;

/// Only our own files run, and nothing of a customer's text can become one: no inline script or style, no foreign image, no
/// frame around the desk.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self'; \
    connect-src 'self'; font-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// The routes of the pages.
pub fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/", get(|h: HeaderMap| async move { page("index.html", &h) }))
        .route("/chat", get(|h: HeaderMap| async move { page("chat.html", &h) }))
        .route("/desk", get(|h: HeaderMap| async move { page("desk.html", &h) }))
        .route(
            "/assets/{*path}",
            get(|Path(path): Path<String>, h: HeaderMap| async move { page(&format!("assets/{path}"), &h) }),
        )
}

fn page(name: &str, asked: &HeaderMap) -> Response {
    let Some(file) = Web::get(name) else { return StatusCode::NOT_FOUND.into_response() };
    let tag = etag(&file);
    let known = asked.get(header::IF_NONE_MATCH).is_some_and(|v| v.as_bytes() == tag.as_bytes());
    let mut response = if known { StatusCode::NOT_MODIFIED.into_response() } else { file.data.into_response() };
    let h = response.headers_mut();
    h.insert(header::ETAG, HeaderValue::from_str(&tag).expect("hex digits make a header"));
    // Asked for anew each time, answered with 304 when nothing changed: a new version is there at once.
    h.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    for (key, value) in [
        (header::CONTENT_TYPE, kind(name)),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "same-origin"),
    ] {
        h.insert(key, HeaderValue::from_static(value));
    }
    h.insert("cross-origin-opener-policy", HeaderValue::from_static("same-origin"));
    response
}

fn etag(file: &EmbeddedFile) -> String {
    let hash = file.metadata.sha256_hash();
    format!("\"{}\"", hash[..12].iter().map(|b| format!("{b:02x}")).collect::<String>())
}

fn kind(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, ext)| ext) {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("wav") => "audio/wav",
        Some("json") => "application/json",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_page_carries_a_script_or_a_style_the_policy_would_block() {
        let mut pages = 0;
        for name in Web::iter().filter(|n| n.ends_with(".html")) {
            let file = Web::get(&name).unwrap();
            let text = std::str::from_utf8(&file.data).unwrap().to_lowercase();
            for part in text.split("<script").skip(1) {
                assert!(part.split('>').next().unwrap().contains("src=\"/assets/"), "{name}: an inline script");
            }
            assert!(!text.contains("<style") && !text.contains(" style="), "{name}: an inline style");
            for on in [" onclick=", " onload=", " onsubmit=", "javascript:"] {
                assert!(!text.contains(on), "{name}: {on}");
            }
            pages += 1;
        }
        assert_eq!(pages, 3);
    }

    #[test]
    fn no_script_turns_text_into_markup() {
        for name in Web::iter().filter(|n| n.ends_with(".js")) {
            let file = Web::get(&name).unwrap();
            let text = std::str::from_utf8(&file.data).unwrap();
            for way in ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function"] {
                assert!(!text.contains(way), "{name}: {way}");
            }
        }
    }
}
