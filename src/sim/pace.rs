//! A loop that takes its time: what comes in waits its turn, and whoever decides about overload sees how long.
//!
//! Without a pace the center takes no time at all, which is what almost every story wants.

use std::{collections::VecDeque, time::Duration};

use super::{World, tape::Taped};
use crate::{
    base::{
        Admission, Mono,
        overload::{Governor, Verdict},
    },
    center::Input,
};

/// How long the center takes, and what waits for it.
#[derive(Debug)]
pub struct Pace {
    per_input: Duration,
    per_output: Duration,
    inbox: VecDeque<(Mono, Taped)>,
    busy_until: Mono,
    governor: Governor,
    /// The longest wait so far.
    pub longest: Duration,
    /// What was decided, and when.
    pub verdicts: Vec<(Mono, Verdict)>,
}

impl World {
    /// From now on an input takes so long, and so much more for each thing that follows from it.
    pub fn takes_time(&mut self, per_input: Duration, per_output: Duration) {
        self.pace = Some(Pace {
            per_input,
            per_output,
            inbox: VecDeque::new(),
            busy_until: self.now.mono,
            governor: Governor::default(),
            longest: Duration::ZERO,
            verdicts: Vec::new(),
        });
    }

    /// What the decisions about overload came to.
    pub fn pace(&self) -> &Pace {
        self.pace.as_ref().expect("a test asks that has set one")
    }

    /// Something reaches the center; it may have to wait.
    pub(super) fn arrives(&mut self, taped: Taped) {
        match &mut self.pace {
            None => self.give(taped),
            Some(pace) => pace.inbox.push_back((self.now.mono, taped)),
        }
    }

    /// Before this the center takes nothing.
    pub(super) fn free_at(&self) -> Mono {
        self.pace.as_ref().map_or(Mono(0), |p| p.busy_until)
    }

    /// When something that waits is taken, or the load is looked at.
    pub(super) fn pace_due(&self) -> Option<Mono> {
        let p = self.pace.as_ref()?;
        let looking = (p.governor.admission() != Admission::Open).then(|| p.governor.due().max(p.busy_until));
        let waiting = (!p.inbox.is_empty()).then_some(p.busy_until);
        waiting.into_iter().chain(looking).min()
    }

    /// Takes what waited longest, if it is time. False: it is not.
    pub(super) fn takes_next(&mut self) -> bool {
        let now = self.now.mono;
        let Some(p) = self.pace.as_mut().filter(|p| self.center.is_some() && p.busy_until <= now) else { return false };
        if now >= p.governor.due()
            && let Some(verdict) = p.governor.look(now, 0, 0)
        {
            p.verdicts.push((now, verdict));
            self.feed(Input::Overload(verdict));
            return true;
        }
        let Some((since, taped)) = p.inbox.pop_front() else { return false };
        let waited = now.since(since);
        p.governor.took(waited);
        p.longest = p.longest.max(waited);
        self.give(taped);
        true
    }

    /// So many things have followed from the input just taken.
    pub(super) fn took(&mut self, outputs: usize) {
        let now = self.now.mono;
        if let Some(p) = &mut self.pace {
            p.busy_until = p.busy_until.max(now) + p.per_input + p.per_output * u32::try_from(outputs).unwrap_or(u32::MAX);
        }
    }
}
