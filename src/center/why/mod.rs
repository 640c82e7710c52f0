//! Why a call failed, or why there was no sound: which leg, which side, which step, in a sentence, with the evidence.
//!
//! A pure function over what is kept: the facts of a contact, what the media of each leg saw, and the ladder where there is one. It
//! says only what follows from these. The first finding is what a person should be told; those behind it are other things that
//! went wrong, and then what merely happened.
//!
//! | file | what it looks at |
//! |---|---|
//! | `said` | one leg's messages: who asked, who refused, what was described |
//! | `signalling` | why a leg did not come up, or who ended it |
//! | `sound` | why nothing, or little, was heard of a leg that was up |

mod said;
mod signalling;
mod sound;
#[cfg(test)]
mod tests;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{
    fact::{Fact, LegRole, LegTrouble, Quality, Record},
    ladder::{Ladder, Step},
};
use crate::{base::Wall, call};

/// What was found. A word for programs; people get the sentences.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// A call to the outside was kept in by the guard.
    KeptIn,
    /// No route leads to the number.
    NoRoute,
    /// Descriptions that cannot be brought together.
    NoCodec,
    /// One side wants the sound protected in a way the other does not.
    Encryption,
    /// Credentials were asked for, and what was shown was not taken.
    Credentials,
    /// The other side refused.
    Refused,
    /// We refused.
    RefusedByUs,
    /// Nothing at all came back.
    NeverAnswered,
    /// It rang, and nobody came.
    RangOut,
    /// Our answer was never acknowledged.
    NotAcknowledged,
    /// The path of the signalling broke.
    PathBroke,
    /// No packet came along any path the browser was offered.
    Ice,
    /// The handshake for the keys failed.
    Handshake,
    /// Packets came, protected with other keys.
    WrongKeys,
    /// Packets came, from elsewhere only.
    ForeignOnly,
    /// No packet came, and the address announced was a private one.
    BehindNat,
    /// No packet came.
    NoSound,
    /// Nothing was sent by us.
    NothingSent,
    /// What we sent did not arrive there.
    NotHeardThere,
    /// Sound came, and stopped.
    WentQuiet,
    /// Packets came with sound of nobody.
    DeadMicrophone,
    /// A phone was lost in the middle.
    PhoneLost,
    /// Much was lost on the way, or came too unevenly.
    Poor,
    /// We have a bug.
    Internal,
    /// The server went down under it.
    Restart,
    /// The caller hung up before anybody answered.
    GaveUp,
    /// The other side had put it on hold.
    OnHold,
    /// It ended as calls end.
    Ended,
}

/// Whose side of a leg it is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// Theirs.
    Peer,
    /// Ours.
    Us,
    /// The network in between, as far as can be told.
    Between,
}

/// Where on its way the leg was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Before an INVITE went out.
    Route,
    /// Until the final answer.
    Setup,
    /// Offer and answer.
    Description,
    /// Checks and handshake.
    Keys,
    /// Packets of sound.
    Media,
    /// BYE and what comes with it.
    End,
}

/// One thing that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// What.
    pub code: Code,
    /// It went wrong; else it merely happened.
    pub fault: bool,
    /// Of which leg; none: of the contact.
    pub leg: Option<u64>,
    /// What that leg is for.
    pub role: Option<LegRole>,
    /// Number, or agent.
    pub party: String,
    /// On which side.
    pub side: Side,
    /// At which step.
    pub step: Stage,
    /// A sentence.
    pub en: String,
    /// The same in Chinese.
    pub zh: String,
    /// What it follows from: messages and figures.
    pub evidence: Vec<String>,
}

/// One leg, put together.
#[derive(Debug)]
struct Leg<'a> {
    id: u64,
    role: LegRole,
    party: String,
    opened: Wall,
    /// It stood, since.
    up: Option<Wall>,
    media: Option<&'a call::LegSnapshot>,
    ended: Option<(Wall, call::Cause, Option<&'a Quality>)>,
    /// What was wrong with its sound, since when, and whether it was over before the leg was.
    troubles: Vec<(LegTrouble, Wall, bool)>,
    steps: Vec<&'a Step>,
}

/// A leg that stood shorter than this says nothing about its sound.
const HEARD_AFTER: Duration = Duration::from_millis(1_500);

/// Asks why. At least one finding, what matters most first.
pub fn why(facts: &[Record], ladder: Option<&Ladder>) -> Vec<Finding> {
    let legs = legs(facts, ladder);
    let talked = facts.iter().any(|r| matches!(r.fact, Fact::Connected { .. }));
    let mut found = kept_in(facts);
    for leg in &legs {
        let mut here: Vec<Finding> = signalling::find(leg).into_iter().collect();
        here.extend(sound::find(leg));
        for f in &mut here {
            // One agent who does not answer is no failure of a call that another took.
            f.fault &= leg.role == LegRole::Customer || leg.up.is_some() || !talked;
        }
        found.extend(here);
    }
    // Whoever waited for a leg that was refused is refused with the same words: that is an echo and no cause.
    let elsewhere = found.iter().any(|f| f.fault && f.side != Side::Us && matches!(f.step, Stage::Setup | Stage::Description));
    found.retain(|f| !elsewhere || !matches!(f.code, Code::NoRoute | Code::RefusedByUs));
    found.sort_by_key(|f| (!f.fault, f.code, f.role));
    if found.is_empty() {
        found.push(end_of_all(facts));
    }
    found
}

fn legs<'a>(facts: &'a [Record], ladder: Option<&'a Ladder>) -> Vec<Leg<'a>> {
    let mut legs: Vec<Leg<'a>> = Vec::new();
    for r in facts {
        match &r.fact {
            Fact::LegOpened { leg, role, party, .. } => {
                let steps = ladder.into_iter().flat_map(|l| &l.steps).filter(|s| s.leg == *leg).collect();
                let (id, role, party) = (*leg, *role, party.clone());
                let (up, media, ended, troubles) = (None, None, None, Vec::new());
                legs.push(Leg { id, role, party, opened: r.at, up, media, ended, troubles, steps });
            }
            Fact::LegDialog { leg, media, .. } => {
                if let Some(l) = legs.iter_mut().rfind(|l| l.id == *leg) {
                    l.up.get_or_insert(r.at);
                    l.media = Some(media);
                }
            }
            Fact::LegTrouble { leg, trouble, on, .. } => {
                if let Some(l) = legs.iter_mut().rfind(|l| l.id == *leg) {
                    match on {
                        true => l.troubles.push((*trouble, r.at, false)),
                        false => l.troubles.iter_mut().filter(|(t, ..)| t == trouble).for_each(|t| t.2 = true),
                    }
                }
            }
            Fact::LegEnded { leg, cause, quality, .. } => {
                if let Some(l) = legs.iter_mut().rfind(|l| l.id == *leg) {
                    l.ended = Some((r.at, *cause, quality.as_ref()));
                }
            }
            _ => {}
        }
    }
    legs
}

/// Calls to the outside that the guard kept in.
fn kept_in(facts: &[Record]) -> Vec<Finding> {
    let denied = facts.iter().filter_map(|r| match &r.fact {
        Fact::CallOut { denied: Some(d), trunk, to, .. } => Some((d.as_str(), trunk, to)),
        _ => None,
    });
    let finding = |(rule, trunk, to): (&str, &crate::base::TrunkId, &String)| Finding {
        code: Code::KeptIn,
        fault: true,
        leg: None,
        role: None,
        party: to.clone(),
        side: Side::Us,
        step: Stage::Route,
        en: format!("The call to {to} by trunk {trunk} was not let out: the toll-fraud guard's rule `{rule}` forbids it."),
        zh: format!("经中继 {trunk} 呼叫 {to} 未被放行：话费防盗规则 `{rule}` 不允许。"),
        evidence: vec![format!("call_out denied: {rule}")],
    };
    denied.map(finding).collect()
}

/// Nothing was found on any leg: how the contact ended.
fn end_of_all(facts: &[Record]) -> Finding {
    let end = facts.iter().rev().find_map(|r| match &r.fact {
        Fact::InteractionClosed { cause, by, .. } => Some((*cause, *by)),
        _ => None,
    });
    let (en, zh, evidence) = match end {
        Some((cause, by)) => {
            let (status, phrase) = cause.status();
            let by = format!("{by:?}").to_lowercase();
            let evidence = format!("{cause}: SIP {status} {phrase}, Q.850 {}", cause.q850());
            let en = format!("Nothing wrong was found: it was ended by the {by} ({cause}).");
            (en, format!("未发现问题：由{}结束（{cause}）。", by_zh(&by)), vec![evidence])
        }
        None => ("It goes on, and nothing wrong was found so far.".into(), "仍在进行，目前未发现问题。".into(), Vec::new()),
    };
    let (code, fault, leg, role, party) = (Code::Ended, false, None, None, String::new());
    Finding { code, fault, leg, role, party, side: Side::Between, step: Stage::End, en, zh, evidence }
}

fn by_zh(by: &str) -> &'static str {
    match by {
        "customer" => "客户",
        "agent" => "坐席",
        _ => "系统",
    }
}

impl Leg<'_> {
    /// `the customer (+3265551234)`
    fn en(&self) -> String {
        let role = match self.role {
            LegRole::Customer => "the customer's side",
            LegRole::Agent => "the phone of agent",
            LegRole::Outside => "the outside party",
            LegRole::Helper => "the phone of helper",
            LegRole::Supervisor => "the phone of supervisor",
        };
        format!("{role} {}", self.party)
    }
    fn zh(&self) -> String {
        let role = match self.role {
            LegRole::Customer => "客户侧",
            LegRole::Agent => "坐席话机",
            LegRole::Outside => "外部号码",
            LegRole::Helper => "协助方话机",
            LegRole::Supervisor => "主管话机",
        };
        // A blank stands between Chinese and other scripts.
        format!("{role} {} ", self.party)
    }
    fn cause(&self) -> Option<call::Cause> {
        self.ended.map(|(_, cause, _)| cause)
    }
    fn finding(&self, code: Code, side: Side, step: Stage, en: String, zh: String, evidence: Vec<String>) -> Finding {
        let (leg, role, party) = (Some(self.id), Some(self.role), self.party.clone());
        // Sentences begin with a capital, whoever they are about.
        let en = en.chars().take(1).flat_map(char::to_uppercase).chain(en.chars().skip(1)).collect();
        let fault = !matches!(code, Code::GaveUp | Code::OnHold | Code::Ended);
        Finding { code, fault, leg, role, party, side, step, en, zh, evidence }
    }
}

/// A message as evidence: `04:05:06.789 ← 486 Busy Here (UDP 198.51.100.2:5060)`.
fn shown(s: &Step) -> String {
    let stamp = s.at.rfc3339();
    let arrow = if s.sent { "→" } else { "←" };
    format!("{} {arrow} {} ({} {})", stamp.get(11..23).unwrap_or(""), s.title(), s.transport, s.remote)
}
