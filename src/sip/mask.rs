//! A message with everything taken out that opens a door or was typed in confidence: what may be stored and shown.
//!
//! | where | what goes |
//! |---|---|
//! | `Authorization`, `Proxy-Authorization` and their `-Info` | the response of a digest; of any other scheme, everything |
//! | headers named after tokens, secrets, passwords, API keys, cookies | the value |
//! | URIs | the password of the user part; parameters named like those headers, push tokens (RFC 8599) |
//! | descriptions | SDES keys (`a=crypto`), MIKEY (`a=key-mgmt`), ICE passwords, `k=` |
//! | INFO | the digits |
//!
//! In a body each character is replaced by one star, so that `Content-Length` stays right. Numbers and names stay: who may read
//! a ladder may read who called.

use std::{borrow::Cow, ops::Range};

/// What stands for a secret in a header.
const STARS: &str = "***";

/// The headers of nearly every message, none of which is named after a secret.
const PLAIN_HEADERS: [&str; 14] = [
    "via",
    "from",
    "to",
    "call-id",
    "cseq",
    "contact",
    "max-forwards",
    "allow",
    "supported",
    "user-agent",
    "server",
    "content-type",
    "content-length",
    "session-expires",
];

/// Words in the names of headers whose values are nobody's business.
const SECRET_HEADERS: [&str; 6] = ["token", "secret", "password", "api-key", "apikey", "cookie"];

/// Names of parameters whose values are nobody's business.
const SECRET_PARAMS: [&str; 13] = [
    "token",
    "access_token",
    "id_token",
    "password",
    "passwd",
    "pwd",
    "secret",
    "api_key",
    "apikey",
    "api-key",
    "pn-prid",
    "pn-param",
    "authorization",
];

/// The message without its secrets. What is no text becomes U+FFFD.
pub fn mask(message: &[u8]) -> String {
    let text = String::from_utf8_lossy(message);
    let (head, body) = text.split_once("\r\n\r\n").map_or((&*text, None), |(head, body)| (head, Some(body)));
    let mut out = String::with_capacity(text.len());
    let mut digits_only = false;
    for (n, line) in head.split("\r\n").enumerate() {
        if n > 0 {
            out.push_str("\r\n");
        }
        match line.split_once(':') {
            Some((name, value)) if n > 0 => {
                out.push_str(name);
                out.push(':');
                out.push_str(&header(name.trim(), value));
                let value = value.trim_ascii();
                digits_only |= name.trim_ascii().eq_ignore_ascii_case("content-type")
                    && value.split(';').next().is_some_and(|t| t.trim_ascii().eq_ignore_ascii_case("application/dtmf"));
            }
            _ => out.push_str(&without(line, uris(line), Fill::Stars)),
        }
    }
    if let Some(body) = body {
        out.push_str("\r\n\r\n");
        for (n, line) in body.split('\n').enumerate() {
            if n > 0 {
                out.push('\n');
            }
            let secret = if digits_only { just(0..line.trim_end().len()) } else { in_body(line) };
            out.push_str(&without(line, secret, Fill::Each));
        }
    }
    out
}

fn header<'a>(name: &str, value: &'a str) -> Cow<'a, str> {
    if PLAIN_HEADERS.iter().any(|plain| name.eq_ignore_ascii_case(plain)) {
        return without(value, uris(value), Fill::Stars);
    }
    let name = name.to_ascii_lowercase();
    let whole = |value: &'a str| value.len() - value.trim_ascii_start().len()..value.len();
    let secret = match &*name {
        "authorization" | "proxy-authorization" => {
            let (scheme, _) = value.trim_ascii_start().split_once(' ').unwrap_or((value, ""));
            match scheme.eq_ignore_ascii_case("digest") {
                true => params(value, &["response", "cnonce"]),
                false => just(value.find(scheme).map_or(0, |at| at + scheme.len() + 1).min(value.len())..value.len()),
            }
        }
        "authentication-info" | "proxy-authentication-info" => params(value, &["rspauth", "cnonce"]),
        n if SECRET_HEADERS.iter().any(|s| n.contains(s)) => vec![whole(value)],
        _ => uris(value),
    };
    without(value, secret, Fill::Stars)
}

fn just(one: Range<usize>) -> Vec<Range<usize>> {
    std::iter::once(one).collect()
}

/// Secrets in one line of a body.
fn in_body(line: &str) -> Vec<Range<usize>> {
    let end = line.trim_end().len();
    let text = &line[..end];
    let begins = |with: &str| text.get(..with.len()).is_some_and(|t| t.eq_ignore_ascii_case(with));
    if begins("a=crypto:") {
        let keys = text.match_indices("inline:").map(|(at, word)| {
            let from = at + word.len();
            let len = text[from..].find(['|', ';', ' ']).unwrap_or(end - from);
            from..from + len
        });
        return keys.collect();
    }
    for with in ["a=ice-pwd:", "a=key-mgmt:", "k=", "authorization:", "proxy-authorization:"] {
        if begins(with) {
            return just(with.len()..end);
        }
    }
    if begins("signal")
        && let Some(at) = text.find('=')
    {
        return just(at + 1..end);
    }
    uris(text)
}

/// Passwords and secret parameters of every URI of a text.
fn uris(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices('@') {
        let from = text[..at].rfind([' ', '<', '>', '"', ',']).map_or(0, |i| i + 1);
        let scheme = ["sip:", "sips:"].iter().find_map(|s| Some(place(&text[from..at], s)? + s.len()));
        if let Some(user) = scheme.map(|i| from + i)
            && let Some(colon) = text[user..at].find(':')
        {
            found.push(user + colon + 1..at);
        }
    }
    if text.contains('=') {
        found.extend(params(text, &SECRET_PARAMS));
    }
    found
}

/// Values of `name=value`, quoted or not, of these names.
fn params(text: &str, names: &[&str]) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices('=') {
        let name = text[..at].trim_ascii_end();
        let begin = name.rfind([';', ',', '?', '&', ' ', '\t']).map_or(0, |i| i + 1);
        if !names.iter().any(|n| name[begin..].eq_ignore_ascii_case(n)) {
            continue;
        }
        let value = &text[at + 1..];
        let blanks = value.len() - value.trim_ascii_start().len();
        let value = &value[blanks..];
        let from = at + 1 + blanks;
        found.push(match value.strip_prefix('"') {
            Some(quoted) => from + 1..from + 1 + quoted.find('"').unwrap_or(quoted.len()),
            None => from..from + value.find([';', ',', '&', '>', ' ', '?', '"']).unwrap_or(value.len()),
        });
    }
    found
}

/// Where `word` stands for the first time, whatever its case.
fn place(text: &str, word: &str) -> Option<usize> {
    text.as_bytes().windows(word.len()).position(|w| w.eq_ignore_ascii_case(word.as_bytes()))
}

#[derive(Clone, Copy)]
enum Fill {
    /// Three stars, however long it was.
    Stars,
    /// One for each byte.
    Each,
}

fn without(text: &str, mut secrets: Vec<Range<usize>>, fill: Fill) -> Cow<'_, str> {
    secrets.retain(|r| r.start < r.end);
    if secrets.is_empty() {
        return Cow::Borrowed(text);
    }
    secrets.sort_by_key(|r| r.start);
    let (mut out, mut at) = (String::with_capacity(text.len()), 0);
    for Range { start, end } in secrets {
        // Rather a letter too many hidden than one cut in two.
        let (start, end) = (text.floor_char_boundary(start), text.ceil_char_boundary(end));
        // Two rules may mean the same place.
        if start < at {
            continue;
        }
        out.push_str(&text[at..start]);
        match fill {
            Fill::Stars => out.push_str(STARS),
            Fill::Each => out.extend(std::iter::repeat_n('*', end - start)),
        }
        at = end;
    }
    out.push_str(&text[at..]);
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_opens_a_door_is_gone_and_who_called_whom_stays() {
        let sdp = "v=0\r\nc=IN IP4 192.0.2.7\r\nm=audio 4000 RTP/SAVP 0\r\n\
                   a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz|2^20|1:4\r\n\
                   a=ice-ufrag:abcd\r\na=ice-pwd:asd88fgpdd777uzjYhagZg\r\n";
        let text = format!(
            "INVITE sip:4000:hunter2@pbx.example;token=abc SIP/2.0\r\n\
             Via: SIP/2.0/UDP 10.0.0.5:5060;branch=z9hG4bKx\r\n\
             From: \"Anna\" <sip:+3265551234:pin99@pbx.example>;tag=a\r\n\
             Contact: <sip:anna@10.0.0.5;pn-prid=push-me;transport=tcp>\r\n\
             Authorization: Digest username=\"anna\", realm=\"pbx\", nonce=\"n0\", uri=\"sip:4000@pbx\", response=\"6629fae49393a05397450978507c4ef1\", cnonce=\"0a4f113b\"\r\n\
             Proxy-Authorization: Bearer eyJhbGciOi.secret\r\n\
             X-Api-Key: rk_123\r\n\
             Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{sdp}",
            sdp.len()
        );
        let masked = mask(text.as_bytes());
        for secret in
            ["hunter2", "=abc", "pin99", "push-me", "6629fae4", "0a4f113b", "eyJhbGciOi", "rk_123", "WVNfX19z", "asd88fgp"]
        {
            assert!(!masked.contains(secret), "{secret} in\n{masked}");
        }
        for open in [
            "INVITE sip:4000:***@pbx.example;token=*** SIP/2.0\r\n",
            "From: \"Anna\" <sip:+3265551234:***@pbx.example>;tag=a\r\n",
            "<sip:anna@10.0.0.5;pn-prid=***;transport=tcp>",
            "Digest username=\"anna\", realm=\"pbx\", nonce=\"n0\", uri=\"sip:4000@pbx\", response=\"***\", cnonce=\"***\"\r\n",
            "Bearer ***\r\n",
            "inline:****************************************|2^20|1:4\r\n",
            "a=ice-ufrag:abcd\r\na=ice-pwd:**********************\r\n",
        ] {
            assert!(masked.contains(open), "{open} not in\n{masked}");
        }
        let body = masked.split_once("\r\n\r\n").unwrap().1;
        assert_eq!(body.len(), sdp.len(), "the length announced stays right");
    }

    #[test]
    fn keys_pressed_are_not_told() {
        let relay = "INFO sip:x SIP/2.0\r\nContent-Type: application/dtmf-relay\r\n\r\nSignal= 7\r\nDuration=160\r\n";
        assert!(mask(relay.as_bytes()).ends_with("Signal=**\r\nDuration=160\r\n"));
        let bare = "INFO sip:x SIP/2.0\r\nContent-Type: application/dtmf\r\n\r\n7";
        assert!(mask(bare.as_bytes()).ends_with("\r\n\r\n*"));
    }

    #[test]
    fn nothing_that_comes_makes_it_fall() {
        for text in [
            "",
            "\r\n\r\n",
            "x",
            "A:\r\nAuthorization:\r\nAuthorization: x\r\n\r\nk=",
            "sip:@:\"=\r\n: =\"",
            "é=ü\r\nß: sip:ü:ö@ä",
            "x\r\nX-Api-Key:ü\r\nAuthorization:ü\r\n",
        ] {
            for cut in 0..text.len() {
                let _ = mask(&text.as_bytes()[cut..]);
            }
        }
        assert_eq!(mask(b"SIP/2.0 200 OK\r\nX: \xff\r\n\r\n"), "SIP/2.0 200 OK\r\nX: \u{fffd}\r\n\r\n");
    }
}
