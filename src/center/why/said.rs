//! What the messages of one leg say.

use std::net::IpAddr;

use super::Step;

/// The messages of a leg, read for one question.
#[derive(Debug)]
pub(super) struct Said<'a> {
    pub steps: &'a [&'a Step],
    /// We called.
    pub outgoing: bool,
}

/// What a description says, as far as it can be read without its keys.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Described {
    /// Where sound is wanted.
    pub ip: Option<IpAddr>,
    pub port: u16,
    pub codecs: Vec<String>,
    /// `RTP/AVP`, `RTP/SAVP`, `UDP/TLS/RTP/SAVPF`.
    pub profile: String,
    /// `sendrecv`, `sendonly`, `recvonly`, `inactive`.
    pub direction: &'static str,
}

impl<'a> Said<'a> {
    pub fn new(steps: &'a [&'a Step]) -> Option<Self> {
        let first = steps.iter().find(|s| s.status().is_none() && s.method() == "INVITE")?;
        Some(Said { steps, outgoing: first.sent })
    }

    /// INVITEs that begin a call, repeats included.
    pub fn invites(&self) -> impl Iterator<Item = &'a Step> {
        let first =
            |s: &&&Step| s.sent == self.outgoing && s.status().is_none() && s.method() == "INVITE" && !to(s).contains(";tag=");
        self.steps.iter().filter(first).copied()
    }

    /// Responses to INVITEs of whoever called.
    pub fn responses(&self) -> impl Iterator<Item = (u16, &'a Step)> {
        let of = |s: &&'a Step| Some((s.status().filter(|_| s.sent != self.outgoing && s.method() == "INVITE")?, *s));
        self.steps.iter().filter_map(of)
    }

    /// The last final one that is no challenge and no echo of a CANCEL; a 2xx before all others.
    pub fn verdict(&self) -> Option<(u16, &'a Step)> {
        let finals = || self.responses().filter(|(code, _)| *code >= 200);
        finals()
            .find(|(code, _)| *code < 300)
            .or_else(|| finals().filter(|(code, _)| ![401, 407, 487].contains(code)).last())
            .or_else(|| finals().last())
    }

    /// The first request of this method that `sent` says who sent.
    pub fn request(&self, method: &str, sent: bool) -> Option<&'a Step> {
        self.steps.iter().find(|s| s.status().is_none() && s.sent == sent && s.method() == method).copied()
    }

    /// What one side described last.
    pub fn described(&self, ours: bool) -> Option<(Described, &'a Step)> {
        self.steps.iter().rev().filter(|s| s.sent == ours).find_map(|s| Some((described(s)?, *s)))
    }

    /// What one side described first: its wishes.
    pub fn wished(&self, ours: bool) -> Option<Described> {
        self.steps.iter().filter(|s| s.sent == ours).find_map(|s| described(s))
    }
}

fn to(s: &Step) -> &str {
    s.header("To").or_else(|| s.header("t")).unwrap_or("")
}

/// The first audio stream of a description. Read by hand: masked keys are no keys to the parser.
fn described(s: &Step) -> Option<Described> {
    let body = s.description()?;
    let mut d = Described { direction: "sendrecv", ..Described::default() };
    let (mut formats, mut in_audio, mut seen) = (Vec::new(), false, false);
    for line in body.lines() {
        let line = line.trim_end();
        if let Some(media) = line.strip_prefix("m=") {
            if seen {
                break;
            }
            in_audio = media.starts_with("audio ");
            seen |= in_audio;
            if in_audio {
                let mut words = media.split_ascii_whitespace().skip(1);
                d.port = words.next().and_then(|p| p.parse().ok()).unwrap_or(0);
                d.profile = words.next().unwrap_or("").to_owned();
                formats = words.map(str::to_owned).collect();
            }
        } else if let Some(ip) = line.strip_prefix("c=").and_then(|c| c.split_ascii_whitespace().nth(2)) {
            if in_audio || !seen {
                d.ip = ip.parse().ok();
            }
        } else if let Some(word) =
            ["sendrecv", "sendonly", "recvonly", "inactive"].into_iter().find(|w| line.strip_prefix("a=") == Some(w))
        {
            d.direction = word;
        } else if let Some((pt, name)) = line.strip_prefix("a=rtpmap:").and_then(|r| r.split_once(' '))
            && let Some(at) = formats.iter().position(|f| f == pt)
        {
            formats[at] = name.split('/').next().unwrap_or(name).to_owned();
        }
    }
    let known = |f: String| match &*f {
        "0" => "PCMU".into(),
        "8" => "PCMA".into(),
        "9" => "G722".into(),
        "18" => "G729".into(),
        _ => f,
    };
    d.codecs = formats.into_iter().map(known).filter(|f| f != "telephone-event" && f != "CN" && f != "13").collect();
    seen.then_some(d)
}
