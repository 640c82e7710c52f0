//! How the legs of a contact sounded, from its facts: who it was, from when, the sums, and the course where there is one.
//!
//! A pure fold. Legs that go on have only begun here; how they sound so far is asked of the center
//! ([`Door::quality`](super::door::Door::quality)).

use std::collections::BTreeMap;

use super::{
    Center,
    fact::{Fact, LegRole, Quality, Record},
};
use crate::{base::Wall, call::LegId};

/// One leg.
#[derive(Debug, Clone, PartialEq)]
pub struct Sounded {
    /// Its number, as in the timeline.
    pub leg: u64,
    /// What it was for.
    pub role: LegRole,
    /// Number, or agent.
    pub party: String,
    /// When it began.
    pub from: Wall,
    /// When it ended; none while it goes on.
    pub until: Option<Wall>,
    /// What its media saw; none where none was opened, or it goes on.
    pub quality: Option<Quality>,
}

/// The legs of a contact, in the order they came.
pub fn sounded<'a>(facts: impl Iterator<Item = &'a Record>) -> Vec<Sounded> {
    let mut legs: Vec<Sounded> = Vec::new();
    // A number is given again after a restart; the restart ended the legs of before.
    let mut open: BTreeMap<u64, usize> = BTreeMap::new();
    for r in facts {
        match &r.fact {
            Fact::LegOpened { leg, role, party, .. } => {
                open.insert(*leg, legs.len());
                legs.push(Sounded { leg: *leg, role: *role, party: party.clone(), from: r.at, until: None, quality: None });
            }
            Fact::LegEnded { leg, quality, .. } => {
                if let Some(l) = open.remove(leg).and_then(|at| legs.get_mut(at)) {
                    (l.until, l.quality) = (Some(r.at), quality.clone());
                }
            }
            _ => {}
        }
    }
    legs
}

impl Center {
    /// How these legs have sounded so far; those that are gone are left out.
    pub fn quality_now(&self, legs: &[u64]) -> BTreeMap<u64, Quality> {
        let so_far = |leg: &u64| Some((*leg, self.calls.quality_now(LegId(*leg))?.into()));
        legs.iter().filter_map(so_far).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        base::{InteractionId, Mono, Now, Rng, TenantId},
        call::Cause,
    };

    #[test]
    fn a_number_given_again_after_a_restart_is_another_leg() {
        let id = InteractionId::new(Now { mono: Mono(0), wall: Wall(0) }, &mut Rng::seeded(3));
        let record =
            |seq: u64, fact| Record { seq, at: Wall(seq as i64), tenant: TenantId::parse("t").unwrap(), cause: None, fact };
        let opened = |seq, role| {
            record(seq, Fact::LegOpened { interaction: id, leg: 1, role, party: "p".into(), call_id: String::new() })
        };
        let ended = |seq, quality| record(seq, Fact::LegEnded { interaction: id, leg: 1, cause: Cause::Normal, quality });
        let facts = [
            opened(1, LegRole::Customer),
            ended(2, None),
            opened(3, LegRole::Agent),
            ended(4, Some(Quality { packets_in: 9, ..Quality::default() })),
            opened(5, LegRole::Helper),
        ];
        let legs = sounded(facts.iter());
        let told: Vec<_> = legs.iter().map(|l| (l.role, l.until, l.quality.as_ref().map(|q| q.packets_in))).collect();
        let wanted =
            [(LegRole::Customer, Some(Wall(2)), None), (LegRole::Agent, Some(Wall(4)), Some(9)), (LegRole::Helper, None, None)];
        assert_eq!(told, wanted);
    }
}
