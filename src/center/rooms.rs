//! Who hears whom in a call: one function of how the contact stands, told to the engine whenever the answer changes.
//!
//! | row | hears | is heard by |
//! |---|---|---|
//! | customer | the agent, a helper put together with them, supervisors who barge in | everybody |
//! | agent | everybody, whispers included | everybody, unless muted |
//! | supervisor, listening | everybody | nobody |
//! | supervisor, whispering | everybody | the agent |
//! | supervisor, barging in | everybody | everybody |
//!
//! A customer on hold is in no room; agent, helper and supervisors go on without them. Nobody sits in a room alone. A number that
//! is being rung and already says something is together with whoever waits for it: the agent who dialled, or the customer.

use media::wire::{Audience, LegId};

use super::{
    Center, Step,
    command::SuperviseMode,
    interaction::{Interaction, Talk},
};
use crate::{base::InteractionId, call::Action};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// Customer, helper, outside party.
    Guest,
    Agent {
        muted: bool,
    },
    Supervisor(SuperviseMode),
}

/// Whether `listener` hears `speaker`.
fn hears(listener: Part, speaker: Part) -> bool {
    match speaker {
        Part::Guest => true,
        Part::Agent { muted } => !muted,
        Part::Supervisor(SuperviseMode::Listen) => false,
        Part::Supervisor(SuperviseMode::Whisper) => matches!(listener, Part::Agent { .. }),
        Part::Supervisor(SuperviseMode::Barge) => true,
    }
}

/// Who is in the room.
fn room(i: &Interaction) -> Vec<(LegId, Part)> {
    let Some(v) = i.voice.as_ref() else { return Vec::new() };
    let customer = v.leg.filter(|_| v.up);
    let Some((talk, agent)) = i.talk.as_ref().filter(|t| t.connected && t.up).and_then(|t| Some((t, t.leg?))) else {
        let early = |leg: &LegId| v.early == Some(*leg);
        let two = match &i.talk {
            // An agent who dials hears the number before it answers.
            Some(t) if !t.connected => t.leg.zip(v.leg.filter(early)),
            // Handed to a number outside: no agent, and nobody to look over the shoulder of.
            _ => customer.zip(v.outside.as_ref().filter(|o| o.up || early(&o.leg)).map(|o| o.leg)),
        };
        return two.map(|(a, b)| vec![(a, Part::Guest), (b, Part::Guest)]).unwrap_or_default();
    };
    let held = talk.held_since.is_some();
    let helper = v.consult.as_ref().filter(|c| c.up && (c.merged || held)).and_then(|c| c.leg);
    let guests = customer.filter(|_| !held).into_iter().chain(helper).map(|l| (l, Part::Guest));
    let above = i.supervisors.values().filter(|s| s.up).filter_map(|s| s.leg.map(|l| (l, Part::Supervisor(s.mode))));
    guests.chain([(agent, Part::Agent { muted: talk.muted })]).chain(above).collect()
}

/// Who hears whom; `there` says which legs still stand.
fn audience(i: &Interaction, there: impl Fn(LegId) -> bool) -> Audience {
    let room: Vec<(LegId, Part)> = room(i).into_iter().filter(|(l, _)| there(*l)).collect();
    if room.len() < 2 {
        return Audience::default();
    }
    let heard_by = |(me, part): &(LegId, Part)| {
        let others = room.iter().filter(|(l, p)| l != me && hears(*part, *p));
        (*me, others.map(|(l, _)| *l).collect())
    };
    Audience { rows: room.iter().map(heard_by).collect() }
}

/// What is recorded on the left and on the right. With one agent and nobody else to be heard the right side is the agent;
/// otherwise it is whatever the customer hears, which is what an empty right side means to the engine: a helper and a
/// supervisor who barges in are in the recording, music on hold is, and what agents say among themselves is not.
pub(super) fn sides(i: &Interaction) -> (Option<LegId>, Option<LegId>) {
    let left = i.customer_leg();
    let alone = |t: &&Talk| {
        let merged = i.consult().is_some_and(|c| c.merged);
        let barged = i.supervisors.values().any(|s| s.up && s.mode == SuperviseMode::Barge);
        t.held_since.is_none() && !t.muted && !merged && !barged
    };
    (left, i.talk.as_ref().filter(alone).and_then(|t| t.leg))
}

impl Center {
    /// Tells the engine who hears whom in this contact now, if that is something new.
    pub(super) fn remix(&mut self, id: InteractionId) {
        let fresh = self.bridge_id();
        let Some(i) = self.interactions.get(&id) else { return };
        let wanted = audience(i, |l| self.calls.has(l) && !self.calls.is_closing(l));
        let sides = sides(i);
        let Some(v) = self.interactions.get_mut(&id).and_then(|i| i.voice.as_mut()) else { return };
        self.steps.push_back(Step::Listen(id));
        if v.rows != wanted {
            let before = std::mem::replace(&mut v.rows, wanted.clone());
            if wanted.rows.is_empty() {
                v.bridge = None;
                for (leg, _) in before.rows {
                    self.call(Action::Unbridge { leg });
                }
            } else {
                let bridge = *v.bridge.get_or_insert(fresh);
                self.call(Action::Audience { bridge, audience: wanted });
            }
        }
        if let Some(record) = self.record_told(id, sides) {
            self.call(Action::RecordSides { record, left: sides.0, right: sides.1 });
        }
    }
}
