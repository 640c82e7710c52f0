//! One request over HTTP, to addresses that may be reached.
//!
//! A name is resolved here and only what may be reached of its addresses is connected to, so a name that leads inside, now or
//! at the second look, leads nowhere. Redirects are not followed and proxies of the environment not used: either would lead
//! past this.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use reqwest::{
    Url,
    dns::{Addrs, Name, Resolve, Resolving},
};
use tokio::time::Instant;

use crate::{base::limits, webhook::Reach};

/// Longest address, bytes.
const URL_MAX: usize = 2_000;

/// Which addresses may be told.
#[derive(Debug, Clone)]
pub struct Rules(pub Arc<Reach>);

/// Makes requests. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Sender {
    /// Over TLS: to the public internet and networks allowed by name.
    secure: reqwest::Client,
    /// In clear: only to networks allowed by name.
    clear: reqwest::Client,
    rules: Rules,
}

/// What came of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// Of the answer; none when there was none.
    pub status: Option<u16>,
    /// The beginning of the answer, or why there was none.
    pub answer: String,
    /// When the receiver wants to be asked again.
    pub retry_after: Option<Duration>,
    /// How long it took, milliseconds.
    pub took_ms: u64,
}

impl Sent {
    /// Whether it was taken.
    pub fn taken(&self) -> bool {
        self.status.is_some_and(|s| (200..300).contains(&s))
    }
    /// There was no request.
    pub fn never(why: String) -> Sent {
        Sent { status: None, answer: why, retry_after: None, took_ms: 0 }
    }
    /// There is nothing left to be sent.
    pub fn void() -> Sent {
        Sent::never("what happened is no longer kept".into())
    }
}

impl Rules {
    /// Whether events may be sent there, as far as the address itself tells; what a name leads to is seen at every connection.
    pub fn check(&self, url: &str) -> Result<Url, String> {
        if url.len() > URL_MAX {
            return Err(format!("an address has at most {URL_MAX} bytes"));
        }
        let read = Url::parse(url).map_err(|e| format!("`{url}` is no address: {e}"))?;
        let encrypted = match read.scheme() {
            "https" => true,
            "http" => false,
            other => return Err(format!("`{other}` is not spoken here; expected https")),
        };
        if !read.username().is_empty() || read.password().is_some() {
            return Err("no login may stand in an address; events are signed".into());
        }
        if read.fragment().is_some() {
            return Err("what stands after `#` is never sent: leave it out".into());
        }
        let host = read.host_str().unwrap_or_default();
        match host.trim_matches(['[', ']']).parse::<IpAddr>() {
            Ok(ip) if !self.0.admits(ip, encrypted) => Err(refused(ip, encrypted)),
            Err(_) if !encrypted && self.0.allow.is_empty() => {
                Err("http in clear is spoken only to networks of [webhooks] allow; expected https".into())
            }
            _ => Ok(read),
        }
    }
}

fn refused(ip: IpAddr, encrypted: bool) -> String {
    match encrypted {
        true => format!("{ip} is not on the public internet, and [webhooks] allow does not name it"),
        false => format!("http in clear is spoken only to networks of [webhooks] allow, and {ip} is in none; expected https"),
    }
}

/// Resolves names to what may be reached.
struct Looker {
    rules: Rules,
    encrypted: bool,
}

impl Resolve for Looker {
    fn resolve(&self, name: Name) -> Resolving {
        let (rules, encrypted, host) = (self.rules.clone(), self.encrypted, name.as_str().to_owned());
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((host.as_str(), 0)).await?.collect();
            let may: Vec<SocketAddr> = found.iter().copied().filter(|a| rules.0.admits(a.ip(), encrypted)).collect();
            match (may.is_empty(), found.first()) {
                (true, Some(at)) => Err(refused(at.ip(), encrypted).into()),
                (true, None) => Err(format!("{host} leads nowhere").into()),
                (false, _) => Ok(Box::new(may.into_iter()) as Addrs),
            }
        })
    }
}

impl Sender {
    /// Reaches what `rules` let; `roots` are authorities trusted besides the system's, PEM.
    pub fn new(rules: Rules, roots: Option<&[u8]>) -> Result<Sender, reqwest::Error> {
        let roots = roots.map(reqwest::Certificate::from_pem_bundle).transpose()?.unwrap_or_default();
        let client = |encrypted| {
            reqwest::Client::builder()
                .redirect(reqwest::redirect::Policy::none())
                .no_proxy()
                .dns_resolver(Arc::new(Looker { rules: rules.clone(), encrypted }))
                .tls_certs_merge(roots.clone())
                .timeout(limits::WEBHOOK_PATIENCE)
                .pool_max_idle_per_host(limits::WEBHOOK_AT_ONCE_MAX)
                .user_agent(concat!("ringdesk/", env!("CARGO_PKG_VERSION")))
                .build()
        };
        Ok(Sender { secure: client(true)?, clear: client(false)?, rules })
    }

    /// Sends one event; whatever happens is told as what came of it.
    pub async fn send(&self, url: &str, id: &str, unix_s: i64, signature: &str, body: String) -> Sent {
        let url = match self.rules.check(url) {
            Ok(url) => url,
            Err(why) => return Sent::never(why),
        };
        let began = Instant::now();
        let client = if url.scheme() == "https" { &self.secure } else { &self.clear };
        let request = client
            .post(url)
            .header("content-type", "application/json")
            .header("webhook-id", id)
            .header("webhook-timestamp", unix_s)
            .header("webhook-signature", signature)
            .body(body);
        let took = || u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        match request.send().await {
            Ok(answer) => {
                let status = Some(answer.status().as_u16());
                let retry_after = answer.headers().get("retry-after").and_then(|v| v.to_str().ok()?.trim().parse().ok());
                let answer = beginning(answer).await;
                Sent { status, answer, retry_after: retry_after.map(Duration::from_secs), took_ms: took() }
            }
            Err(error) => Sent { took_ms: took(), ..Sent::never(why(&error)) },
        }
    }
}

/// The beginning of an answer. One that is cut off by its sender is what has come of it.
async fn beginning(mut answer: reqwest::Response) -> String {
    let mut bytes = Vec::new();
    while let Ok(Some(chunk)) = answer.chunk().await {
        let left = limits::WEBHOOK_ANSWER_MAX - bytes.len();
        bytes.extend_from_slice(&chunk[..chunk.len().min(left)]);
        if bytes.len() == limits::WEBHOOK_ANSWER_MAX {
            break;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The innermost reason, for people: the outer ones only say that something failed, and name the address.
fn why(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return format!("no answer within {} s", limits::WEBHOOK_PATIENCE.as_secs());
    }
    let mut inner: &dyn std::error::Error = error;
    while let Some(next) = inner.source() {
        inner = next;
    }
    inner.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(allow: &[&str]) -> Rules {
        Rules(Arc::new(Reach { allow: allow.iter().map(|n| n.parse().unwrap()).collect() }))
    }

    #[test]
    fn an_address_that_leads_inside_is_refused_when_it_is_entered_however_it_is_written() {
        for url in [
            "https://127.0.0.1/x",
            "https://2130706433/x",
            "https://0x7f.1/x",
            "https://017700000001/x",
            "https://[::1]/x",
            "https://[::ffff:127.0.0.1]/x",
            "https://169.254.169.254/latest/meta-data",
            "http://93.184.216.34/x",
            "http://example.org/x",
            "ftp://example.org/x",
            "gopher://example.org/x",
            "file:///etc/passwd",
            "https://user:secret@example.org/x",
            "https://example.org/x#y",
            "example.org",
            "",
        ] {
            assert!(rules(&[]).check(url).is_err(), "{url}");
        }
        assert!(rules(&[]).check("https://hooks.example.org/x?a=b").is_ok());
        assert!(rules(&["127.0.0.0/8"]).check("http://127.0.0.1:9/x").is_ok());
        assert!(rules(&["127.0.0.0/8"]).check("http://10.0.0.1/x").is_err());
    }

    #[tokio::test]
    async fn a_name_that_leads_inside_is_not_connected_to() {
        let _ = rustls::crypto::ring::default_provider().install_default(); // another test was first: just as good
        let canary = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://localhost:{}/x", canary.local_addr().unwrap().port());
        let sender = Sender::new(rules(&[]), None).unwrap();
        let sent = sender.send(&url, "evt_1", 0, "v1,x", "{}".into()).await;
        assert_eq!(sent.status, None);
        assert!(sent.answer.contains("[webhooks] allow"), "{}", sent.answer);
        let nobody = tokio::time::timeout(Duration::from_millis(50), canary.accept()).await;
        assert!(nobody.is_err(), "somebody connected");
    }
}
