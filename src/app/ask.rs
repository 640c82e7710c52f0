//! Outside HTTP questions of flows. Only addresses the process was told to allow are asked; everything else is refused
//! before a connection is made, so a flow cannot be used to look around inside the network.

use std::{sync::Arc, time::Duration};

use serde_json::{Map, Value};

use super::driver::{Inbox, Wake};
use crate::{
    center::{Ask, Input},
    ivr::{Answer, HttpAsk, HttpError, HttpResult},
};

/// Most bytes of an answer that are read.
const BODY_MAX: usize = 256 * 1024;
/// Questions at once; more wait for their turn within their own timeout.
const AT_ONCE: usize = 64;

/// Asks, and puts the answers into the loop.
#[derive(Clone)]
pub struct Asker {
    client: reqwest::Client,
    allow: Arc<[String]>,
    inbox: Inbox,
    runtime: tokio::runtime::Handle,
    gate: Arc<tokio::sync::Semaphore>,
}

impl Asker {
    /// `allow` holds the beginnings of addresses that may be asked.
    pub fn new(allow: &[String], inbox: Inbox) -> anyhow::Result<Self> {
        // A redirect could lead where the list does not.
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).user_agent("ringdesk").build()?;
        let runtime = tokio::runtime::Handle::current();
        Ok(Asker { client, allow: allow.into(), inbox, runtime, gate: Arc::new(tokio::sync::Semaphore::new(AT_ONCE)) })
    }

    /// Asks; the answer arrives in the loop within the question's own time.
    pub fn ask(&self, ask: Ask) {
        let me = self.clone();
        self.runtime.spawn(async move {
            let patience = ask.http.timeout.saturating_mul(ask.http.retries + 1) + Duration::from_millis(200);
            let result = match tokio::time::timeout(patience, me.tries(&ask.http)).await {
                Ok(result) => result,
                Err(_) => Err(HttpError::Timeout),
            };
            if let Err(error) = &result {
                tracing::info!(interaction = %ask.interaction, ?error, "a flow's question was not answered");
            }
            me.inbox.put(Wake::Center(Input::Answer(ask.id, result)));
        });
    }

    async fn tries(&self, http: &HttpAsk) -> HttpResult {
        if !allowed(&self.allow, &http.url) {
            tracing::warn!(url = %http.url.split('?').next().unwrap_or_default(), "a flow asked an address that [flows] http_allow does not name");
            return Err(HttpError::Refused);
        }
        let _turn = self.gate.acquire().await.map_err(|_| HttpError::Unreachable)?;
        let mut last = Err(HttpError::Unreachable);
        for _ in 0..=http.retries {
            last = match tokio::time::timeout(http.timeout, self.once(http)).await {
                Ok(Ok(answer)) if answer.status < 500 => return Ok(answer),
                Ok(other) => other,
                Err(_) => Err(HttpError::Timeout),
            };
        }
        last
    }

    async fn once(&self, http: &HttpAsk) -> HttpResult {
        let method = reqwest::Method::from_bytes(http.method.as_str().as_bytes()).map_err(|_| HttpError::Refused)?;
        let mut url = reqwest::Url::parse(&http.url).map_err(|_| HttpError::Refused)?;
        if !http.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&http.query);
        }
        let mut request = self.client.request(method, url);
        for (name, value) in &http.headers {
            request = request.header(name, value);
        }
        if !http.body.is_empty() || !http.secret_body.is_empty() {
            let mut body: Map<String, Value> = http.body.iter().cloned().collect();
            body.extend(http.secret_body.iter().map(|(k, v)| (k.clone(), Value::String(v.expose().to_owned()))));
            request = request.json(&body);
        }
        let mut answer = request.send().await.map_err(|_| HttpError::Unreachable)?;
        let status = answer.status().as_u16();
        let mut bytes = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(|_| HttpError::Unreachable)? {
            if bytes.len() + chunk.len() > BODY_MAX {
                return Err(HttpError::Refused);
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(Answer { status, body: serde_json::from_slice(&bytes).unwrap_or(Value::Null) })
    }
}

/// Whether an address begins with one of those allowed, host and port whole.
pub(super) fn allowed(allow: &[String], url: &str) -> bool {
    let Ok(url) = reqwest::Url::parse(url) else { return false };
    allow.iter().filter_map(|a| reqwest::Url::parse(a).ok()).any(|a| {
        a.scheme() == url.scheme()
            && a.host_str() == url.host_str()
            && a.port_or_known_default() == url.port_or_known_default()
            && url.path().starts_with(a.path())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_the_process_was_told_of_are_dialled() {
        let allow = ["wss://asr.example/calls/".to_owned()];
        assert!(allowed(&allow, "wss://asr.example/calls/one"));
        for other in [
            "ws://asr.example/calls/one",
            "wss://asr.example.evil.org/calls/",
            "wss://asr.example:8443/calls/",
            "wss://asr.example/",
            "x",
        ] {
            assert!(!allowed(&allow, other), "{other}");
        }
        assert!(!allowed(&[], "wss://asr.example/calls/one"));
    }
}
