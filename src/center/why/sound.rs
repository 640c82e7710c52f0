//! Why nothing, or little, was heard of a leg that was up.

use super::{Code, Finding, HEARD_AFTER, Leg, LegTrouble, Quality, Side, Stage, said::Said, shown};
use crate::{base::is_private, call::Handshake};

/// A fraction lost that means: nearly all of it (of 255).
const NEARLY_ALL: u8 = 240;
/// Below this people complain.
const POOR_MOS: f32 = 3.1;
/// Above this as well, percent.
const POOR_LOSS: f64 = 5.0;

/// What the sound of a leg shows.
pub(super) fn find(leg: &Leg<'_>) -> Vec<Finding> {
    let (Some(up), Some((end, _, Some(q)))) = (leg.up, leg.ended) else { return troubles(leg) };
    if end.since(up) < HEARD_AFTER {
        return Vec::new();
    }
    let mut found: Vec<Finding> = nothing_came(leg, q).into_iter().collect();
    if found.is_empty() {
        found.extend(troubles(leg));
        found.extend(poor(leg, q));
    }
    found.extend(towards(leg, q));
    found
}

fn figures(q: &Quality) -> String {
    let mut text = format!("RTP: {} packets in, {} out, {} from strangers", q.packets_in, q.packets_out, q.foreign);
    if q.unauthentic > 0 {
        text += &format!(", {} with wrong keys", q.unauthentic);
    }
    text
}

/// Not one packet of the peer's was taken.
fn nothing_came(leg: &Leg<'_>, q: &Quality) -> Option<Finding> {
    if q.packets_in > 0 {
        return None;
    }
    let mut evidence = vec![figures(q)];
    let said = Said::new(&leg.steps);
    let described = said.as_ref().and_then(|s| s.described(false));
    if let Some((d, step)) = &described {
        let ip = d.ip.map_or("?".to_owned(), |ip| ip.to_string());
        evidence.push(format!("{}: sound announced at {ip}:{}, {}", shown(step), d.port, d.direction));
    }
    let (en, zh) = (leg.en(), leg.zh());
    if let Some((d, _)) = &described
        && ["recvonly", "inactive"].contains(&d.direction)
    {
        let en = format!("{en} announced that it sends nothing (a={}): it had the call on hold.", d.direction);
        let zh = format!("{zh}声明不发送语音（a={}）：对方处于保持状态。", d.direction);
        return Some(leg.finding(Code::OnHold, Side::Peer, Stage::Media, en, zh, evidence));
    }
    let security = leg.media.map_or("", |m| m.security.as_str());
    let finding = |code, side, step, en, zh, evidence| Some(leg.finding(code, side, step, en, zh, evidence));
    if security == "dtls" && q.handshake != Some(Handshake::Done) {
        return keys_missing(leg, q, evidence);
    }
    if q.unauthentic > 0 {
        let n = q.unauthentic;
        let en = format!("{en} sent {n} packets protected with other keys than agreed; none could be opened.");
        let zh = format!("{zh}发送的 {n} 个数据包使用了与协商不同的密钥，全部无法解密。");
        return finding(Code::WrongKeys, Side::Peer, Stage::Keys, en, zh, evidence);
    }
    if q.foreign > 0 {
        let (n, at) = (q.foreign, announced(&described));
        let en = format!(
            "{n} packets came for the leg of {en}, none of them from where it said it would send ({at}): they were not let in."
        );
        let zh = format!("{zh}收到 {n} 个数据包，但均非来自其声明的地址（{at}），未被接受。");
        return finding(Code::ForeignOnly, Side::Between, Stage::Media, en, zh, evidence);
    }
    if let Some((d, step)) = &described
        && let Some(ip) = d.ip.filter(|ip| is_private(*ip) && *ip != step.remote.ip())
    {
        let seen = step.remote.ip();
        let en = format!(
            "no sound ever came from {en}: it announced the private address {ip}, while its signalling comes from {seen}. It sits behind a NAT that does not let the sound through."
        );
        let zh = format!("{zh}从未送来语音：其声明的是私网地址 {ip}，而信令来自 {seen}。对方位于 NAT 之后，语音未能穿越。");
        return finding(Code::BehindNat, Side::Peer, Stage::Media, en, zh, evidence);
    }
    let (port, at) = (leg.media.map_or(0, |m| m.rtp_port), announced(&described));
    let en = format!(
        "no sound ever came from {en}: it was up, and not one packet from {at} reached our port {port}. It sends none, or a firewall in between stops it."
    );
    let zh =
        format!("{zh}从未送来语音：通话已接通，但没有来自 {at} 的数据包到达我方端口 {port}。对方未发送，或被中间防火墙拦截。");
    finding(Code::NoSound, Side::Peer, Stage::Media, en, zh, evidence)
}

fn announced(described: &Option<(super::said::Described, &super::Step)>) -> String {
    match described {
        Some((d, _)) => format!("{}:{}", d.ip.map_or("?".to_owned(), |ip| ip.to_string()), d.port),
        None => "its address".into(),
    }
}

/// A browser whose keys never came about.
fn keys_missing(leg: &Leg<'_>, q: &Quality, evidence: Vec<String>) -> Option<Finding> {
    let (en, zh) = (leg.en(), leg.zh());
    let (code, side, why, why_zh) = match q.handshake {
        Some(Handshake::Certificate) => {
            (Code::Handshake, Side::Peer, "it showed another certificate than it announced", "其证书与声明的指纹不符")
        }
        Some(Handshake::Profile) => (Code::Handshake, Side::Peer, "it knows no SRTP profile of ours", "没有共同的 SRTP 配置"),
        Some(Handshake::Version) => (Code::Handshake, Side::Peer, "it does not speak DTLS 1.2", "对方不支持 DTLS 1.2"),
        Some(Handshake::Failed) => (Code::Handshake, Side::Between, "the handshake broke off", "握手中断"),
        Some(Handshake::Done) => return None,
        None => {
            let en = format!(
                "No sound came from {en}: its connectivity checks (ICE) did not get through, so the handshake for the keys never began. Our media address and ports must be reachable from where it is."
            );
            let zh = format!("{zh}没有语音：ICE 连通性检查未通过，密钥握手从未开始。请确认对方网络可达我方媒体地址和端口。");
            return Some(leg.finding(Code::Ice, Side::Between, Stage::Keys, en, zh, evidence));
        }
    };
    let en = format!("the handshake for the keys (DTLS) with {en} failed: {why}.");
    let zh = format!("与{zh}的密钥握手（DTLS）失败：{why_zh}。");
    Some(leg.finding(code, side, Stage::Keys, en, zh, evidence))
}

/// What we sent, as far as anybody told us.
fn towards(leg: &Leg<'_>, q: &Quality) -> Option<Finding> {
    let (en, zh) = (leg.en(), leg.zh());
    let evidence = vec![figures(q)];
    if q.packets_out == 0 {
        let en = format!("ringdesk sent no sound to {en}: it was connected with nobody and nothing was played to it.");
        let zh = format!("ringdesk 未向{zh}发送语音：当时未与任何人接通，也未播放任何声音。");
        return Some(leg.finding(Code::NothingSent, Side::Us, Stage::Media, en, zh, evidence));
    }
    let lost = q.peer_loss.or(q.peer_fraction_lost).filter(|l| *l >= NEARLY_ALL)?;
    let percent = u32::from(lost) * 100 / 255;
    let n = q.packets_out;
    let en = format!(
        "{en} reports that it gets nothing of what we send ({percent} % of it lost, {n} packets sent): it hears nobody."
    );
    let zh = format!("{zh}报告收不到我方发送的语音（丢失 {percent} %，已发送 {n} 个数据包）：对方听不到声音。");
    Some(leg.finding(Code::NotHeardThere, Side::Between, Stage::Media, en, zh, evidence))
}

/// What people were alarmed about.
fn troubles(leg: &Leg<'_>) -> Vec<Finding> {
    let finding = |(trouble, at, over): &(LegTrouble, crate::base::Wall, bool)| {
        let stamp = at.rfc3339();
        let when = stamp.get(11..19).unwrap_or("");
        let (en, zh) = (leg.en(), leg.zh());
        let (more, more_zh) = if *over { (" It came back.", "之后恢复。") } else { ("", "") };
        let (code, en, zh) = match trouble {
            LegTrouble::Unheard => (
                Code::WentQuiet,
                format!("the sound of {en} stopped: since 20 s before {when} UTC nothing arrived.{more}"),
                format!("{zh}的语音中断：{when}（UTC）之前 20 秒起没有数据到达。{more_zh}"),
            ),
            LegTrouble::Muted => (
                Code::DeadMicrophone,
                format!("packets of {en} arrived with sound of nobody ({when} UTC): its microphone was muted or dead."),
                format!("{zh}的数据包到达但没有人声（{when} UTC）：麦克风被静音或失效。"),
            ),
            LegTrouble::Lost => (
                Code::PhoneLost,
                format!("{en} was lost in the middle of the call ({when} UTC).{more}"),
                format!("{zh}在通话中掉线（{when} UTC）。{more_zh}"),
            ),
        };
        leg.finding(code, Side::Peer, Stage::Media, en, zh, vec![format!("{stamp} {trouble:?}")])
    };
    leg.troubles.iter().map(finding).collect()
}

/// It came, and badly.
fn poor(leg: &Leg<'_>, q: &Quality) -> Option<Finding> {
    let missing = (q.lost + q.discarded) as f64;
    let loss = 100.0 * missing / (q.packets_in as f64 + missing).max(1.0);
    let mos = q.mos_avg.unwrap_or(5.0);
    if mos >= POOR_MOS && loss <= POOR_LOSS {
        return None;
    }
    let jitter = q.jitter_us / 1_000;
    let (en, zh) = (leg.en(), leg.zh());
    let en = format!("the sound of {en} arrived badly: {loss:.1} % lost or too late, jitter {jitter} ms, MOS {mos:.1}.");
    let zh = format!("{zh}的语音质量差：丢失或迟到 {loss:.1} %，抖动 {jitter} 毫秒，MOS {mos:.1}。");
    Some(leg.finding(Code::Poor, Side::Between, Stage::Media, en, zh, vec![figures(q)]))
}
