//! Listening to calls: what a caller answers to a flow's question, and the transcript of a talk.
//!
//! Whoever is listened to has an ear: a tap on their leg, read by the edge, which cuts utterances and has them recognised. The
//! ears a call should have are a function of how it stands; when that changes, ears are opened and closed. A question wants
//! the customer's, for as long as its flow waits for an answer. A transcript wants everybody's the customer hears, and the
//! customer's, while they are together; on hold nobody is listened to, and card digits are not heard either.
//!
//! | told by the edge | a question | a transcript |
//! |---|---|---|
//! | somebody begins to speak | the patience of the question waits for the end of it | |
//! | words, or none | the answer, or something not understood | a line |
//! | over | | the last line was told before |

use std::time::Duration;

use super::{
    Center, LegUse, Output, Step,
    fact::{Fact, LegRole, millis},
    interaction::Interaction,
};
use crate::{
    base::{AgentId, InteractionId, Mono, Now, TenantId, limits},
    call::Action,
    ivr,
};
use media::{
    pipe::Pipe,
    wire::{LegId, Rate, TapId},
};

/// What the edge is told.
#[derive(Debug)]
pub enum HearingOrder {
    /// Listen. It is over, and told as [`Heard::Over`], when the pipe is closed and the last words are told.
    Open(Box<HearingOpen>),
    /// Do not hear what is said (card digits), or hear it again.
    Mute {
        /// Which.
        tap: TapId,
        /// Deaf, or not.
        on: bool,
    },
    /// Nobody wants to know any more what was said, be it recognised or not.
    Forget {
        /// Which.
        tap: TapId,
    },
}

/// Somebody to be listened to.
#[derive(Debug)]
pub struct HearingOpen {
    /// Name of the ear: what is heard is told by it.
    pub tap: TapId,
    /// Which call.
    pub interaction: InteractionId,
    /// What is said.
    pub sound: Pipe,
    /// The language, `en-US`.
    pub lang: String,
}

/// What an ear heard.
#[derive(Debug, Clone, PartialEq)]
pub enum Heard {
    /// Somebody begins to speak.
    Began,
    /// Somebody spoke.
    Said {
        /// When it began.
        since: Mono,
        /// How long it was.
        length: Duration,
        /// The words and how sure they are, 0 to 1; none: not understood.
        words: Option<(String, f64)>,
    },
    /// Nothing more comes by this ear.
    Over,
}

/// An ear.
#[derive(Debug)]
pub(super) struct Ear {
    id: InteractionId,
    by: LegRole,
    agent: Option<AgentId>,
    /// A flow waits for an answer.
    question: bool,
    /// What is said is written down.
    transcript: bool,
    /// The tap runs.
    open: bool,
}

/// An ear a call should have.
#[derive(Debug)]
struct Wish {
    leg: LegId,
    by: LegRole,
    agent: Option<AgentId>,
    question: bool,
    transcript: bool,
    lang: String,
}

/// Whether the administrator wants this call written down.
fn written_down(i: &Interaction) -> bool {
    let config = &i.settings.config;
    config.transcripts.wants(i.queue.as_ref(), &[&i.to, &config.number(&i.to)])
}

impl Center {
    /// Opens the ears this call should have, and closes those it should not.
    pub(super) fn listen(&mut self, id: InteractionId, out: &mut Vec<Output>) {
        if !self.config.hears {
            return;
        }
        let Some(i) = self.interactions.get(&id) else { return };
        let wanted = self.ears_wanted(i);
        let Some(v) = self.interactions.get_mut(&id).and_then(|i| i.voice.as_mut()) else { return };
        let (kept, closed): (Vec<_>, Vec<_>) =
            std::mem::take(&mut v.ears).into_iter().partition(|(leg, _)| wanted.iter().any(|w| w.leg == *leg));
        v.ears = kept;
        let deaf = v.deaf;
        for (_, tap) in closed {
            self.ear_close(tap, out);
        }
        for w in wanted {
            let Some(v) = self.interactions.get_mut(&id).and_then(|i| i.voice.as_mut()) else { return };
            if let Some((_, tap)) = v.ears.iter().find(|(leg, _)| *leg == w.leg) {
                if let Some(ear) = self.ears.get_mut(tap) {
                    (ear.question, ear.transcript) = (w.question, w.transcript);
                }
                continue;
            }
            let tap = TapId(self.name());
            let sound = Pipe::new(Rate::K16, limits::EAR_PIPE_MS);
            let Some(v) = self.interactions.get_mut(&id).and_then(|i| i.voice.as_mut()) else { return };
            v.ears.push((w.leg, tap));
            let ear = Ear { id, by: w.by, agent: w.agent, question: w.question, transcript: w.transcript, open: true };
            self.ears.insert(tap, ear);
            let open = HearingOpen { tap, interaction: id, sound: sound.clone(), lang: w.lang };
            out.push(Output::Hearing(HearingOrder::Open(Box::new(open))));
            if deaf {
                out.push(Output::Hearing(HearingOrder::Mute { tap, on: true }));
            }
            self.call(Action::Tap { tap, leg: w.leg, said: sound, heard: None });
        }
    }

    /// Whom to listen to as the call stands.
    fn ears_wanted(&self, i: &Interaction) -> Vec<Wish> {
        let Some(v) = i.voice.as_ref() else { return Vec::new() };
        let there = |l: &LegId| self.calls.has(*l) && !self.calls.is_closing(*l);
        let Some(customer) = v.leg.filter(|l| v.up && there(l)) else { return Vec::new() };
        let kept = written_down(i);
        let asks = i.run.as_ref().filter(|_| i.talk.is_none() && i.waiting.is_none()).and_then(ivr::Run::listens);
        let lang = i.run.as_ref().map(ivr::Run::lang).filter(|l| !l.is_empty());
        let lang = lang.unwrap_or_else(|| match i.settings.config.language.as_str() {
            "" => "en-US".to_owned(),
            known => known.to_owned(),
        });
        let hears = v.rows.rows.iter().find(|(l, _)| *l == customer && kept).map(|(_, speakers)| speakers);
        let mut all = Vec::new();
        if asks.is_some() || hears.is_some() {
            // What is secret in a flow is not written down by another way.
            let transcript = kept && asks.as_ref().is_none_or(|a| !a.secret);
            let question = asks.is_some();
            all.push(Wish { leg: customer, by: LegRole::Customer, agent: None, question, transcript, lang: lang.clone() });
        }
        for leg in hears.into_iter().flatten().filter(|l| there(l)) {
            let (by, agent) = match self.legs.get(leg) {
                Some((_, LegUse::Agent | LegUse::Offer(_))) => (LegRole::Agent, i.talk.as_ref().map(|t| t.agent.clone())),
                Some((_, LegUse::Supervisor(who))) => (LegRole::Supervisor, Some(who.clone())),
                Some((_, LegUse::Helper)) => (LegRole::Helper, i.consult().and_then(|c| c.helper.clone())),
                Some((_, LegUse::Outside)) => (LegRole::Outside, None),
                Some((_, LegUse::Customer)) | None => continue,
            };
            all.push(Wish { leg: *leg, by, agent, question: false, transcript: true, lang: lang.clone() });
        }
        all
    }

    /// The customer is gone: nobody waits for words any more.
    pub(super) fn ears_end(&mut self, id: InteractionId, out: &mut Vec<Output>) {
        let Some(v) = self.interactions.get_mut(&id).and_then(|i| i.voice.as_mut()) else { return };
        for (_, tap) in std::mem::take(&mut v.ears) {
            self.ear_close(tap, out);
            out.push(Output::Hearing(HearingOrder::Forget { tap }));
        }
    }

    fn ear_close(&mut self, tap: TapId, out: &mut Vec<Output>) {
        let Some(ear) = self.ears.get_mut(&tap) else { return };
        ear.open = false;
        let forget = !ear.transcript;
        self.call(Action::StopTap { tap });
        if forget {
            out.push(Output::Hearing(HearingOrder::Forget { tap }));
        }
    }

    /// Card digits are about to be spoken, or were. True when there is a transcript they would be in.
    pub(super) fn ears_mute(&mut self, id: InteractionId, on: bool, out: &mut Vec<Output>) -> bool {
        let Some(i) = self.interactions.get_mut(&id).filter(|i| self.config.hears && written_down(i)) else { return false };
        let Some(v) = i.voice.as_mut() else { return false };
        if std::mem::replace(&mut v.deaf, on) != on {
            out.extend(v.ears.iter().map(|(_, tap)| Output::Hearing(HearingOrder::Mute { tap: *tap, on })));
        }
        true
    }

    /// An ear heard something.
    pub(super) fn heard(&mut self, now: Now, tap: TapId, heard: Heard, out: &mut Vec<Output>) {
        let Some(ear) = self.ears.get(&tap) else { return };
        let id = ear.id;
        let asked = ear.open && ear.question;
        match heard {
            Heard::Began if asked => self.step(Step::Run(id, ivr::Input::Speaking)),
            Heard::Began => {}
            Heard::Said { since, length, words } => {
                let Some(i) = self.interactions.get(&id).filter(|i| !i.closed) else { return };
                if i.voice.as_ref().is_none_or(|v| v.deaf) {
                    return;
                }
                if let Some((text, confidence)) = words.as_ref().filter(|_| ear.transcript) {
                    let text = text.chars().take(limits::TRANSCRIPT_LINE_MAX).collect();
                    let (by, agent, since) = (ear.by, ear.agent.clone(), now.wall_at(since));
                    let tenant: TenantId = i.tenant.clone();
                    let (confidence, ms) = (*confidence, millis(length));
                    self.fact(now, &tenant, Fact::Said { interaction: id, by, agent, text, confidence, since, ms }, out);
                }
                if asked {
                    let input = match words {
                        Some((text, confidence)) => ivr::Input::Words { text, confidence },
                        None => ivr::Input::Unclear,
                    };
                    self.step(Step::Run(id, input));
                }
            }
            Heard::Over => {
                if self.ears.remove(&tap).is_some_and(|ear| ear.open) {
                    // Nobody was free to listen.
                    self.call(Action::StopTap { tap });
                }
                if let Some(v) = self.interactions.get_mut(&id).and_then(|i| i.voice.as_mut()) {
                    v.ears.retain(|(_, t)| *t != tap);
                }
            }
        }
    }
}
