//! Phones in the browser: the WebSocket `/sip` (RFC 7118) on the address of the pages, and the short-lived logins for it.
//!
//! What is said over the socket is the SIP stack's; here is only its handshake. Nobody is let in or kept out by a cookie: a
//! phone proves who it is by digest, like any other.

use std::{
    net::{IpAddr, SocketAddr},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use axum::{
    Extension, Json, Router,
    body::Bytes,
    extract::{
        ConnectInfo, Request, State,
        ws::{Message, WebSocket, WebSocketUpgrade},
    },
    http::{HeaderMap, HeaderValue, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::get,
};
use futures_util::{Sink, Stream};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    Problem, Shared,
    guard::{self, Pass, Who},
    password,
    users::realm,
};
use crate::{
    base::limits,
    net::{Net, WebFrame},
    sip::{
        auth::{Grant, Ha1},
        msg::parse_ip,
        transport::Transport,
    },
};

/// The name of SIP among WebSocket subprotocols (RFC 7118 4.1).
const SUBPROTOCOL: &str = "sip";
/// Bytes read from it at once.
const READ: usize = 4_096;
/// Where the socket is.
const PATH: &str = "/sip";

/// What the socket leads to.
#[derive(Debug, Clone)]
pub struct SipDoor {
    /// The connections.
    pub net: Arc<Net>,
    /// The address the pages are served on.
    pub plain: SocketAddr,
    /// And the one they are served on by TLS.
    pub tls: Option<SocketAddr>,
    /// Whose word on where a browser is we take.
    pub proxies: Vec<IpAddr>,
}

/// Marks a request that came by TLS, and how its answers are sealed.
#[derive(Debug, Clone, Copy)]
pub struct OverTls;

/// The same pages for a listener that speaks TLS: cookies stay on it, and its phones are secure.
pub fn over_tls(router: Router) -> Router {
    router.layer(middleware::from_fn(async |mut request: Request, next: Next| {
        request.extensions_mut().insert(OverTls);
        let mut response = next.run(request).await;
        let cookies: Vec<HeaderValue> = response.headers().get_all(header::SET_COOKIE).iter().cloned().collect();
        response.headers_mut().remove(header::SET_COOKIE);
        for cookie in cookies {
            let text = cookie.to_str().unwrap_or_default();
            let sealed = if text.contains("; Secure") { text.to_owned() } else { format!("{text}; Secure") };
            if let Ok(value) = HeaderValue::from_str(&sealed) {
                response.headers_mut().append(header::SET_COOKIE, value);
            }
        }
        response
    }))
}

/// A login for a phone in this browser.
#[derive(Debug, Serialize, ToSchema)]
pub struct PhoneLogin {
    /// The address of record to register: `sip:anna@shop.example`.
    aor: String,
    /// The user name of the digest; not the one in the address.
    username: String,
    /// Good for `expires_in_s` seconds, and no longer than the session.
    #[schema(format = "password")]
    password: String,
    /// The realm it is good for.
    realm: String,
    /// The WebSocket to register over, subprotocol `sip`.
    ws_url: String,
    /// Ask for the next one before this: a phone registers again every minute or two.
    expires_in_s: u64,
}

/// Makes a short-lived SIP login for the signed-in person's phone in the browser.
///
/// Up to eight are good at once (tabs); the oldest goes. All end with the session they were made in.
#[utoipa::path(post, path = "/api/v1/sip/credentials", tag = "agents",
    responses((status = 201, body = PhoneLogin), (status = 403, body = Problem)))]
pub async fn credentials(
    State(shared): State<Arc<Shared>>,
    who: Who,
    tls: Option<Extension<OverTls>>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (Some(user), Pass::Cookie { hash, .. }) = (who.actor.agent(), &who.by) else {
        return Err(Problem::not_allowed("an API key has no phone: sign in as the person whose phone it is"));
    };
    let realm = realm(&shared.door.settings(), &who.tenant);
    let (username, password) = shared.with_rng(|r| (r.hex(12), password::generate(r)));
    let lasts = limits::SIP_GRANT_LIFE;
    shared.door.grant_phone(Grant {
        tenant: who.tenant.clone(),
        user: user.to_string(),
        ha1: Ha1::new(&username, &realm, &password),
        username: username.clone(),
        session: hash.clone(),
        lasts,
        only: None,
    });
    let host = headers.get(header::HOST).and_then(|h| h.to_str().ok()).map_or(shared.sip.plain.to_string(), str::to_owned);
    let scheme = if shared.https || tls.is_some() { "wss" } else { "ws" };
    let answer = PhoneLogin {
        aor: format!("sip:{user}@{realm}"),
        username,
        password,
        realm,
        ws_url: format!("{scheme}://{host}{PATH}"),
        expires_in_s: lasts.as_secs(),
    };
    Ok((StatusCode::CREATED, [(header::CACHE_CONTROL, "no-store")], Json(answer)).into_response())
}

/// The socket. Outside the guard: its users log in by digest.
pub fn routes() -> Router<Arc<Shared>> {
    Router::new().route(PATH, get(open))
}

async fn open(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(remote): ConnectInfo<SocketAddr>,
    tls: Option<Extension<OverTls>>,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Result<Response, Problem> {
    // Another site's page has no business here. A phone that is no browser sends no Origin.
    if headers.contains_key(header::ORIGIN) && !visitors_talk_from(&shared, &headers) {
        guard::same_origin(&shared, &headers)?;
    }
    let offered = headers.get_all(header::SEC_WEBSOCKET_PROTOCOL).iter().filter_map(|v| v.to_str().ok());
    if !offered.flat_map(|v| v.split(',')).any(|p| p.trim().eq_ignore_ascii_case(SUBPROTOCOL)) {
        let said = "a WebSocket for SIP has to offer the subprotocol `sip` (RFC 7118)";
        return Err(Problem::new(StatusCode::BAD_REQUEST, "subprotocol", said));
    }
    let door = &shared.sip;
    let (transport, local) = match (tls, door.tls) {
        (Some(_), Some(local)) => (Transport::Wss, local),
        _ => (Transport::Ws, door.plain),
    };
    let remote = behind(&door.proxies, remote, &headers);
    let Some(seat) = door.net.web_seat(transport, local, remote) else {
        let said = "there are too many SIP connections, here or from your address";
        return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "busy", said).retry_after(5));
    };
    let net = door.net.clone();
    let upgrade = upgrade.protocols([SUBPROTOCOL]).max_message_size(limits::SIP_MESSAGE_MAX);
    // A phone that is only registered says little, and there are thousands: the library would hold 128 KiB for each.
    let upgrade = upgrade.max_frame_size(limits::SIP_MESSAGE_MAX).read_buffer_size(READ);
    Ok(upgrade.on_upgrade(move |socket| async move { net.web_serve(seat, Frames(socket)).await }))
}

/// Whether the page is of a site whose visitors may talk. No cookie counts on this socket: whoever comes by it has a login of
/// their own, and a visitor's is good for one call.
fn visitors_talk_from(shared: &Shared, headers: &HeaderMap) -> bool {
    let Some(origin) = headers.get(header::ORIGIN).and_then(|v| v.to_str().ok()) else { return false };
    let settings = shared.door.settings();
    let chats = settings.tenants.values().map(|t| &t.config.chat).filter(|c| c.talk_now.is_some());
    chats.flat_map(|c| &c.origins).any(|o| o.trim_end_matches('/') == origin)
}

/// Where a browser is: the last address in `X-Forwarded-For` that is no proxy of ours, if a proxy of ours wrote it. What stands
/// before that the browser may have written itself.
pub(super) fn behind(proxies: &[IpAddr], remote: SocketAddr, headers: &HeaderMap) -> SocketAddr {
    // A listener of both families shows the older one in the clothes of the newer.
    let remote = SocketAddr::new(remote.ip().to_canonical(), remote.port());
    if !proxies.contains(&remote.ip()) {
        return remote;
    }
    let lines = headers.get_all("x-forwarded-for").iter().filter_map(|v| v.to_str().ok());
    let named: Vec<&str> = lines.flat_map(|line| line.split(',')).map(str::trim).collect();
    let first = named.iter().rev().map(|text| parse_ip(text)).find(|ip| ip.is_none_or(|ip| !proxies.contains(&ip)));
    first.flatten().map_or(remote, |ip| SocketAddr::new(ip, remote.port()))
}

/// A socket of the HTTP library as the frames of [`Net`].
struct Frames(WebSocket);

impl Stream for Frames {
    type Item = WebFrame;
    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<WebFrame>> {
        Poll::Ready(match ready!(Pin::new(&mut self.0).poll_next(cx)) {
            Some(Ok(Message::Text(text))) => Some(WebFrame::Data(text.into())),
            Some(Ok(Message::Binary(data))) => Some(WebFrame::Data(data)),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => Some(WebFrame::Alive),
            Some(Ok(Message::Close(_)) | Err(_)) | None => None,
        })
    }
}

impl Sink<WebFrame> for Frames {
    type Error = axum::Error;
    fn poll_ready(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), axum::Error>> {
        Pin::new(&mut self.0).poll_ready(cx)
    }
    fn start_send(mut self: Pin<&mut Self>, frame: WebFrame) -> Result<(), axum::Error> {
        let message = match frame {
            // Text where it can be: that is what browsers' phones expect.
            WebFrame::Data(data) => match axum::extract::ws::Utf8Bytes::try_from(data.clone()) {
                Ok(text) => Message::Text(text),
                Err(_) => Message::Binary(data),
            },
            WebFrame::Ping | WebFrame::Alive => Message::Ping(Bytes::new()),
        };
        Pin::new(&mut self.0).start_send(message)
    }
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), axum::Error>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }
    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), axum::Error>> {
        Pin::new(&mut self.0).poll_close(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browsers_address_is_believed_from_a_proxy_of_ours_and_from_nobody_else() {
        let at = |ip: &str| SocketAddr::new(ip.parse().unwrap(), 40_000);
        let proxies: [IpAddr; 2] = ["10.0.0.1".parse().unwrap(), "10.0.0.2".parse().unwrap()];
        let seen = |remote: &str, lines: &[&str]| {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append("x-forwarded-for", line.parse().unwrap());
            }
            behind(&proxies, at(remote), &headers).ip().to_string()
        };
        assert_eq!(seen("203.0.113.9", &["198.51.100.1"]), "203.0.113.9", "anybody can write a header");
        assert_eq!(seen("10.0.0.1", &[]), "10.0.0.1");
        assert_eq!(seen("10.0.0.1", &["198.51.100.1"]), "198.51.100.1");
        assert_eq!(seen("10.0.0.1", &["1.1.1.1, 198.51.100.1"]), "198.51.100.1", "what the browser wrote is before it");
        assert_eq!(seen("10.0.0.1", &["1.1.1.1, 198.51.100.1", "10.0.0.2"]), "198.51.100.1", "two proxies of ours");
        assert_eq!(seen("10.0.0.1", &["2001:db8::1"]), "2001:db8::1");
        assert_eq!(seen("10.0.0.1", &["unknown"]), "10.0.0.1");
    }
}
