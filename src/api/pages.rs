//! The pages, embedded in the program. Every answer carries a strict content policy.
//!
//! | folder | what |
//! |---|---|
//! | `web/plain` | pages written as they are served: the visitor's page, and a first page for a program without a console |
//! | `web/dist` | the console and the widget as `make build` makes them; empty where nobody built them |
//!
//! So the program compiles, runs and is tested without Node: it only has no console then, and says how to get one.

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
#[folder = "web/plain/"]
struct Plain;

#[derive(RustEmbed)]
#[folder = "web/dist/"]
struct Built;

/// Only our own files run, and nothing of a customer's text can become one: no inline script or style, no foreign image, no
/// frame around the page.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self'; \
    connect-src 'self'; font-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// The console's: its dialogs place themselves by inline styles. What a style could fetch is bound to our own address as well.
const CONSOLE_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
    media-src 'self' blob:; connect-src 'self'; font-src 'self'; manifest-src 'self'; worker-src 'self'; base-uri 'none'; \
    form-action 'self'; frame-ancestors 'none'";

/// The first words of the console's addresses; what comes after them the console reads itself.
const SCREENS: &[&str] = &["login", "w", "wall", "calls", "tickets", "customers", "reports", "admin", "me"];

/// How long a file may be kept by the browser.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Keep {
    /// Asked for anew each time, answered with 304 when nothing changed: a new version is there at once.
    No,
    /// Its name holds its content's hash: it never changes.
    Forever,
}

/// The routes of the pages.
pub fn routes() -> Router<Arc<Shared>> {
    let mut routes =
        Router::new()
            .route("/", get(|h: HeaderMap| async move { console(&h).unwrap_or_else(|| plain("index.html", &h)) }))
            .route("/chat", get(|h: HeaderMap| async move { plain("chat.html", &h) }))
            .route("/widget.js", get(|h: HeaderMap| async move { built("widget/widget.js", &h, Keep::No) }))
            .route("/widget/chat.js", get(|h: HeaderMap| async move { built("widget/chat.js", &h, Keep::No) }))
            .route("/widget/talk.js", get(|h: HeaderMap| async move { built("widget/talk.js", &h, Keep::No) }))
            .route(
                "/assets/{*path}",
                get(|Path(path): Path<String>, h: HeaderMap| async move { plain(&format!("assets/{path}"), &h) }),
            )
            .route(
                "/app/{*path}",
                get(|Path(path): Path<String>, h: HeaderMap| async move {
                    built(&format!("console/app/{path}"), &h, Keep::Forever)
                }),
            );
    for screen in SCREENS {
        let page = || get(|h: HeaderMap| async move { console(&h).unwrap_or_else(|| StatusCode::NOT_FOUND.into_response()) });
        routes = routes.route(&format!("/{screen}"), page()).route(&format!("/{screen}/{{*rest}}"), page());
    }
    routes
}

fn plain(name: &str, asked: &HeaderMap) -> Response {
    match Plain::get(name) {
        Some(file) => answer(file, name, asked, POLICY, Keep::No, false),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// The console's page; none when it was not built.
fn console(asked: &HeaderMap) -> Option<Response> {
    let name = "console/index.html";
    Built::get(name).map(|file| answer(file, name, asked, CONSOLE_POLICY, Keep::No, false))
}

/// A built file; packed beforehand where the browser takes that.
fn built(name: &str, asked: &HeaderMap, keep: Keep) -> Response {
    let takes = asked.get(header::ACCEPT_ENCODING).and_then(|v| v.to_str().ok()).is_some_and(|v| v.contains("gzip"));
    if let Some(file) = takes.then(|| Built::get(&format!("{name}.gz"))).flatten() {
        return answer(file, name, asked, CONSOLE_POLICY, keep, true);
    }
    match Built::get(name) {
        Some(file) => answer(file, name, asked, CONSOLE_POLICY, keep, false),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

fn answer(file: EmbeddedFile, name: &str, asked: &HeaderMap, policy: &'static str, keep: Keep, packed: bool) -> Response {
    let tag = etag(&file);
    let known = asked.get(header::IF_NONE_MATCH).is_some_and(|v| v.as_bytes() == tag.as_bytes());
    let mut response = if known { StatusCode::NOT_MODIFIED.into_response() } else { file.data.into_response() };
    let h = response.headers_mut();
    h.insert(header::ETAG, HeaderValue::from_str(&tag).expect("hex digits make a header"));
    let caching = if keep == Keep::Forever { "public, max-age=31536000, immutable" } else { "no-cache" };
    for (key, value) in [
        (header::CACHE_CONTROL, caching),
        (header::CONTENT_TYPE, kind(name)),
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "same-origin"),
        (header::VARY, "accept-encoding"),
    ] {
        h.insert(key, HeaderValue::from_static(value));
    }
    if packed {
        h.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    h.insert("cross-origin-opener-policy", HeaderValue::from_static("same-origin"));
    // The widget is the one thing other sites' pages load from here.
    let whose = if name.starts_with("widget/") { "cross-origin" } else { "same-origin" };
    h.insert("cross-origin-resource-policy", HeaderValue::from_static(whose));
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

    /// Every page there is: those of `web/plain`, and the console's if it was built.
    fn pages() -> Vec<(String, EmbeddedFile)> {
        let plain = Plain::iter().map(|n| (n.to_string(), Plain::get(&n).unwrap()));
        plain
            .chain(Built::iter().map(|n| (n.to_string(), Built::get(&n).unwrap())))
            .filter(|(n, _)| n.ends_with(".html"))
            .collect()
    }

    #[test]
    fn no_page_carries_a_script_or_a_style_the_policy_would_block() {
        for (name, file) in pages() {
            let text = std::str::from_utf8(&file.data).unwrap().to_lowercase();
            for part in text.split("<script").skip(1) {
                let tag = part.split('>').next().unwrap();
                assert!(tag.contains("src=\"/assets/") || tag.contains("src=\"/app/"), "{name}: an inline script");
            }
            assert!(!text.contains("<style") && !text.contains(" style="), "{name}: an inline style");
            for on in [" onclick=", " onload=", " onsubmit=", "javascript:"] {
                assert!(!text.contains(on), "{name}: {on}");
            }
        }
        assert!(pages().len() >= 2);
    }

    /// What is written here, not what a framework brings along: in the console only React makes markup.
    #[test]
    fn no_script_of_ours_turns_text_into_markup() {
        let mut folders = vec![std::path::PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("web")];
        let mut read = 0;
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                let name = path.file_name().unwrap().to_string_lossy().into_owned();
                if path.is_dir() {
                    if name != "node_modules" && name != "dist" {
                        folders.push(path);
                    }
                    continue;
                }
                if ![".js", ".ts", ".tsx"].iter().any(|end| name.ends_with(end)) {
                    continue;
                }
                let text = std::fs::read_to_string(&path).unwrap();
                let ways = [
                    "innerHTML",
                    "outerHTML",
                    "insertAdjacentHTML",
                    "document.write",
                    "eval(",
                    "new Function",
                    "dangerouslySet",
                ];
                for way in ways {
                    assert!(!text.contains(way), "{}: {way}", path.display());
                }
                read += 1;
            }
        }
        assert!(read > 3);
    }
}
