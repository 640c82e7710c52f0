//! Why a leg did not come up, or what ended it.

use super::{Code, Finding, Leg, Side, Stage, Step, said::Said, shown};
use crate::call::Cause;

/// What the signalling of a leg shows; nothing when it came up and ended as legs do.
pub(super) fn find(leg: &Leg<'_>) -> Option<Finding> {
    let said = Said::new(&leg.steps);
    let verdict = said.as_ref().and_then(Said::verdict);
    match (&said, verdict) {
        (Some(said), Some((200..=299, ok))) => not_acknowledged(leg, said, ok).or_else(|| broken(leg)),
        _ if leg.up.is_some() => broken(leg),
        _ if leg.ended.is_none() => None,
        _ if leg.cause() == Some(Cause::ElsewhereAnswered) => None,
        (Some(said), Some((code, step))) if said.outgoing => Some(refused(leg, said, code, step)),
        (Some(said), Some((code, step))) => we_refused(leg, said, code, step),
        (Some(said), None) if said.outgoing => Some(unanswered(leg, said)),
        _ => by_cause(leg),
    }
}

/// `Q.850 17 (busy)` of a Reason header (RFC 3326).
fn q850(step: &Step) -> Option<String> {
    let reason = step.header("Reason")?;
    let cause = reason.split(',').find(|v| v.trim_start().to_ascii_uppercase().starts_with("Q.850"))?;
    let number = cause.split(';').find_map(|p| p.trim().strip_prefix("cause="))?;
    let text = cause.split(';').find_map(|p| p.trim().strip_prefix("text=")).map(|t| t.trim_matches('"'));
    Some(text.map_or(format!("Q.850 {number}"), |t| format!("Q.850 {number} ({t})")))
}

fn evidence(step: &Step) -> Vec<String> {
    let mut all = vec![shown(step)];
    all.extend(step.header("Reason").map(|r| format!("Reason: {r}")));
    all.extend(step.header("Warning").map(|w| format!("Warning: {w}")));
    all
}

/// Why descriptions did not meet: what each side wanted.
fn described(leg: &Leg<'_>, said: &Said<'_>, step: &Step, side: Side) -> Finding {
    let mut evidence = evidence(step);
    let (ours, theirs) = (said.wished(true), said.wished(false));
    let line = |who: &str, d: &super::said::Described| format!("{who}: {} over {}", d.codecs.join(", "), d.profile);
    evidence.extend(ours.iter().map(|d| line("ours", d)));
    evidence.extend(theirs.iter().map(|d| line("theirs", d)));
    let warning = step.header("Warning").unwrap_or("").to_ascii_lowercase();
    let secure = |d: &super::said::Described| d.profile.contains("SAVP");
    let protected =
        ["crypt", "srtp", "dtls", "keys", "protect", "fingerprint", "certificate"].iter().any(|w| warning.contains(w));
    let offer = if said.outgoing { &ours } else { &theirs };
    // Without a word of the refuser: whoever takes no protected offer, or only such.
    let differ = matches!((&ours, &theirs), (Some(a), Some(b)) if secure(a) != secure(b));
    if protected || differ {
        let wants = |d: &Option<_>| d.as_ref().map_or("?".to_owned(), |d: &super::said::Described| d.profile.clone());
        let profile = wants(offer);
        let en = format!("{} and ringdesk could not agree on how the sound is protected: offered was {profile}.", leg.en());
        let zh = format!("{}与 ringdesk 就语音加密方式未能达成一致：提供的是 {profile}。", leg.zh());
        return leg.finding(Code::Encryption, side, Stage::Description, en, zh, evidence);
    }
    let list = |d: &Option<super::said::Described>| d.as_ref().map_or("?".into(), |d| d.codecs.join(", "));
    let offered = list(offer);
    let (en, zh) = match side {
        Side::Us => (
            format!(
                "There is no codec in common with {}: it offered {offered}, and ringdesk takes none of these there.",
                leg.en()
            ),
            format!("与{}没有共同的编解码：对方提供 {offered}，此处 ringdesk 均不接受。", leg.zh()),
        ),
        _ => (
            format!("{} takes none of the codecs it was offered ({offered}).", leg.en()),
            format!("{}不接受所提供的任何编解码（{offered}）。", leg.zh()),
        ),
    };
    leg.finding(Code::NoCodec, side, Stage::Description, en, zh, evidence)
}

fn status_line(step: &Step) -> &str {
    step.text.split("\r\n").next().and_then(|l| l.strip_prefix("SIP/2.0 ")).unwrap_or("")
}

/// We called and were refused.
fn refused(leg: &Leg<'_>, said: &Said<'_>, code: u16, step: &Step) -> Finding {
    let status = status_line(step);
    match code {
        401 | 407 => {
            let en = format!("{} wants credentials ({status}), and did not take ours, or there are none.", leg.en());
            let zh = format!("{}要求鉴权（{status}），我方凭据未被接受或未配置。", leg.zh());
            leg.finding(Code::Credentials, Side::Us, Stage::Setup, en, zh, evidence(step))
        }
        // The echo of our CANCEL.
        487 if said.request("CANCEL", true).is_some() => rang_out(leg, said),
        406 | 415 | 488 | 606 => described(leg, said, step, Side::Peer),
        _ => {
            let cause = q850(step).map_or(String::new(), |c| format!(", {c}"));
            let who = step.remote;
            let en = format!("{} refused the call with {status}{cause}; the answer came from {who}.", leg.en());
            let zh = format!("{}拒绝了呼叫：{status}{cause}；应答来自 {who}。", leg.zh());
            leg.finding(Code::Refused, Side::Peer, Stage::Setup, en, zh, evidence(step))
        }
    }
}

/// We called, and no final answer came.
fn unanswered(leg: &Leg<'_>, said: &Said<'_>) -> Finding {
    if said.responses().next().is_some() {
        return rang_out(leg, said);
    }
    let invites: Vec<&Step> = said.invites().collect();
    let (Some(first), Some(last)) = (invites.first(), invites.last()) else { return rang_out(leg, said) };
    let to: std::collections::BTreeSet<String> = invites.iter().map(|s| format!("{} {}", s.transport, s.remote)).collect();
    let to = to.into_iter().collect::<Vec<_>>().join(", ");
    let (n, s) = (invites.len(), last.at.since(first.at).as_secs());
    let en = format!("{} never answered: the INVITE was sent {n} times within {s} s to {to}, and nothing came back.", leg.en());
    let zh = format!("{}从未应答：{s} 秒内向 {to} 发送了 {n} 次 INVITE，没有任何回复。", leg.zh());
    leg.finding(Code::NeverAnswered, Side::Between, Stage::Setup, en, zh, vec![shown(first), shown(last)])
}

/// It was reached, and nobody came.
fn rang_out(leg: &Leg<'_>, said: &Said<'_>) -> Finding {
    let rang = said.responses().find(|(code, _)| (180..200).contains(code));
    let end = leg.ended.map_or(leg.opened, |(at, ..)| at);
    let evidence: Vec<String> = rang.iter().map(|(_, s)| shown(s)).chain(said.request("CANCEL", true).map(shown)).collect();
    let gave_up = leg.cause() != Some(Cause::NoAnswer);
    let (en, zh) = match rang {
        Some((_, step)) => {
            let s = end.since(step.at).as_secs();
            let why = if gave_up { "the call was withdrawn before anybody answered" } else { "nobody answered" };
            let why_zh = if gave_up { "有人接听之前呼叫已撤回" } else { "无人接听" };
            (format!("{} rang for {s} s and {why}.", leg.en()), format!("{}振铃 {s} 秒，{why_zh}。", leg.zh()))
        }
        None => (
            format!("{} took the call but never rang: only 100 Trying came back.", leg.en()),
            format!("{}收到呼叫但从未振铃：只回复了 100 Trying。", leg.zh()),
        ),
    };
    let code = if rang.is_some() && gave_up { Code::GaveUp } else { Code::RangOut };
    leg.finding(code, Side::Peer, Stage::Setup, en, zh, evidence)
}

/// They called and we refused, or they gave up.
fn we_refused(leg: &Leg<'_>, said: &Said<'_>, code: u16, step: &Step) -> Option<Finding> {
    let status = status_line(step);
    let cause = q850(step).map_or(String::new(), |c| format!(", {c}"));
    Some(match code {
        487 => return by_cause(leg),
        401 | 407 => {
            let en = format!("{} was asked for credentials ({status}) and showed none that are right.", leg.en());
            let zh = format!("已要求{}鉴权（{status}），对方未提供正确凭据。", leg.zh());
            leg.finding(Code::Credentials, Side::Peer, Stage::Setup, en, zh, evidence(step))
        }
        404 | 484 => {
            let en = format!("No route leads to the number {} dialled: ringdesk answered {status}{cause}.", leg.en());
            let zh = format!("{}所拨号码没有路由：ringdesk 回复 {status}{cause}。", leg.zh());
            leg.finding(Code::NoRoute, Side::Us, Stage::Route, en, zh, evidence(step))
        }
        406 | 415 | 488 | 606 => described(leg, said, step, Side::Us),
        _ => {
            let en = format!("Ringdesk refused the call of {} with {status}{cause}.", leg.en());
            let zh = format!("ringdesk 拒绝了{}的呼叫：{status}{cause}。", leg.zh());
            leg.finding(Code::RefusedByUs, Side::Us, Stage::Setup, en, zh, evidence(step))
        }
    })
}

/// Our 200 is out and no ACK came: the caller's side does not get what we send.
fn not_acknowledged(leg: &Leg<'_>, said: &Said<'_>, ok: &Step) -> Option<Finding> {
    if said.outgoing || leg.ended.is_none() || said.request("ACK", false).is_some() {
        return None;
    }
    let n = said.responses().filter(|(code, _)| (200..300).contains(code)).count();
    let to = ok.remote;
    let en = format!(
        "{} never acknowledged our answer: 200 OK was sent {n} times to {to}. What we send does not get there, or its ACK not here.",
        leg.en()
    );
    let zh = format!("{}从未确认我方应答：200 OK 已向 {to} 发送 {n} 次。我方消息未送达，或其 ACK 未到。", leg.zh());
    Some(leg.finding(Code::NotAcknowledged, Side::Between, Stage::Setup, en, zh, vec![shown(ok)]))
}

/// It was up: did it end as legs do?
fn broken(leg: &Leg<'_>) -> Option<Finding> {
    let bye = leg.steps.iter().find(|s| s.status().is_none() && s.method() == "BYE");
    let evidence = || bye.map_or(Vec::new(), |s| evidence(s));
    let (code, side, en, zh) = match leg.cause()? {
        Cause::Network => (
            Code::PathBroke,
            Side::Between,
            format!("the signalling of {} broke off in the middle of the call.", leg.en()),
            format!("{}的信令在通话中中断。", leg.zh()),
        ),
        Cause::Internal if leg.ended.and_then(|e| e.2).and_then(|q| q.handshake).is_none() => (
            Code::Internal,
            Side::Us,
            format!("ringdesk ended the call with {} for a reason of its own: this is a bug of ours, see the log.", leg.en()),
            format!("ringdesk 因自身错误结束了与{}的通话，请查看日志。", leg.zh()),
        ),
        Cause::ServerRestart => (
            Code::Restart,
            Side::Us,
            format!("the server went down while {} was connected.", leg.en()),
            format!("{}通话期间服务器重启。", leg.zh()),
        ),
        Cause::NoCodec => {
            let said = Said::new(&leg.steps)?;
            let (_, ok) = said.verdict()?;
            return Some(described(leg, &said, ok, Side::Between));
        }
        _ => return None,
    };
    Some(leg.finding(code, side, Stage::End, en, zh, evidence()))
}

/// Without messages that say more: the leg's cause.
fn by_cause(leg: &Leg<'_>) -> Option<Finding> {
    let (at, cause, _) = leg.ended?;
    let s = at.since(leg.opened).as_secs();
    let (status, _) = cause.status();
    let evidence = vec![format!("{cause}: SIP {status}, Q.850 {}", cause.q850())];
    let (code, side, en, zh) = match cause {
        Cause::Normal | Cause::ElsewhereAnswered => return None,
        Cause::CallerGaveUp => (
            Code::GaveUp,
            Side::Peer,
            format!("{} hung up after {s} s, before anybody answered.", leg.en()),
            format!("{}在 {s} 秒后、接听之前挂断。", leg.zh()),
        ),
        Cause::NoAnswer => (
            Code::RangOut,
            Side::Peer,
            format!("{} was rung for {s} s and nobody answered.", leg.en()),
            format!("{}振铃 {s} 秒无人接听。", leg.zh()),
        ),
        Cause::Unreachable => (
            Code::NeverAnswered,
            Side::Peer,
            format!("{} cannot be reached: no phone is registered there.", leg.en()),
            format!("无法接通{}：没有已注册的话机。", leg.zh()),
        ),
        Cause::Network => (
            Code::NeverAnswered,
            Side::Between,
            format!("nothing came back from {} within {s} s.", leg.en()),
            format!("{s} 秒内{}没有任何回复。", leg.zh()),
        ),
        Cause::Congestion => (
            Code::RefusedByUs,
            Side::Us,
            format!("there was no room for {}: media ports or call limits are used up.", leg.en()),
            format!("{}没有可用资源：媒体端口或并发上限已用尽。", leg.zh()),
        ),
        other => (
            Code::Refused,
            Side::Between,
            format!("{} did not come up: {other}.", leg.en()),
            format!("{}未能接通：{other}。", leg.zh()),
        ),
    };
    Some(leg.finding(code, side, Stage::Setup, en, zh, evidence))
}
