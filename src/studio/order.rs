//! What is said about a leg later wins over what was said earlier and is still being fetched.
//!
//! Per leg at most one playback waits for its clips:
//!
//!     play ─▶ Waiting ──fetched──▶ (the engine has it)
//!               ├──failed──────▶ Played{finished: false}, and what played before stops
//!               └──newer play, Play, StopPlay, Close──▶ Played{finished: false}; the fetch is abandoned
//!
//! Generic over the handle of the fetching task, so that the stories below need no tasks. Pure: the caller holds the lock.

use std::{collections::BTreeMap, sync::Arc};

use media::wire::{Clip, Command, Event, LegId, PlayId, Repeat};

/// What is to be done now, in this order.
#[derive(Debug, PartialEq)]
pub enum Effect<T> {
    /// Tell the engine.
    Engine(Command),
    /// Tell whoever listens to the engine.
    Say(Event),
    /// Nobody wants these clips any more.
    Abandon(T),
}

#[derive(Debug, Default)]
struct Leg<T> {
    waiting: Option<(PlayId, T)>,
    /// What the engine was last told to play and has not finished.
    playing: Option<PlayId>,
}

/// The legs something is fetched for or played to.
#[derive(Debug)]
pub struct Order<T> {
    legs: BTreeMap<LegId, Leg<T>>,
}

impl<T> Default for Order<T> {
    fn default() -> Self {
        Self { legs: BTreeMap::new() }
    }
}

impl<T> Order<T> {
    /// A playback whose clips are being fetched by `task`.
    pub fn play(&mut self, leg: LegId, play: PlayId, task: T) -> Vec<Effect<T>> {
        let mut effects = self.overtake(leg, None);
        let entry = self.legs.entry(leg).or_insert(Leg { waiting: None, playing: None });
        entry.waiting = Some((play, task));
        effects.shrink_to_fit();
        effects
    }

    /// The clips are there.
    pub fn fetched(&mut self, leg: LegId, play: PlayId, clips: Vec<Arc<Clip>>, repeat: Repeat) -> Vec<Effect<T>> {
        let Some(entry) = self.legs.get_mut(&leg).filter(|l| l.waits_for(play)) else { return Vec::new() };
        entry.waiting = None;
        entry.playing = Some(play);
        vec![Effect::Engine(Command::Play { leg, play, clips, repeat })]
    }

    /// The clips are not to be had.
    pub fn failed(&mut self, leg: LegId, play: PlayId) -> Vec<Effect<T>> {
        let Some(entry) = self.legs.get_mut(&leg).filter(|l| l.waits_for(play)) else { return Vec::new() };
        entry.waiting = None;
        let old = entry.playing;
        self.tidy(leg);
        // It would have ended what plays now; that it cannot be heard itself does not change this.
        let stop = old.map(|play| Effect::Engine(Command::StopPlay { leg, play }));
        stop.into_iter().chain([Effect::Say(unheard(leg, play))]).collect()
    }

    /// A command on its way to the engine.
    pub fn command(&mut self, command: Command) -> Vec<Effect<T>> {
        let mut effects = match &command {
            Command::Play { leg, .. } | Command::Close { leg } => self.overtake(*leg, None),
            Command::StopPlay { leg, play } => self.overtake(*leg, Some(*play)),
            _ => Vec::new(),
        };
        match &command {
            // It never reached the engine, so there is nothing to stop there.
            Command::StopPlay { .. } if !effects.is_empty() => return effects,
            Command::Play { leg, play, .. } => {
                self.legs.entry(*leg).or_insert(Leg { waiting: None, playing: None }).playing = Some(*play);
            }
            _ => {}
        }
        effects.push(Effect::Engine(command));
        effects
    }

    /// The engine said something.
    pub fn heard(&mut self, event: &Event) {
        match event {
            Event::Played { leg, play, .. } => {
                if let Some(entry) = self.legs.get_mut(leg).filter(|l| l.playing == Some(*play)) {
                    entry.playing = None;
                    self.tidy(*leg);
                }
            }
            Event::Closed { leg, .. } => {
                if let Some(entry) = self.legs.get_mut(leg) {
                    entry.playing = None;
                    self.tidy(*leg);
                }
            }
            _ => {}
        }
    }

    /// Gives up what waits on a leg, or only if it is `this`.
    fn overtake(&mut self, leg: LegId, this: Option<PlayId>) -> Vec<Effect<T>> {
        let Some(entry) = self.legs.get_mut(&leg) else { return Vec::new() };
        if this.is_some_and(|play| !entry.waits_for(play)) {
            return Vec::new();
        }
        let Some((play, task)) = entry.waiting.take() else { return Vec::new() };
        self.tidy(leg);
        vec![Effect::Abandon(task), Effect::Say(unheard(leg, play))]
    }

    fn tidy(&mut self, leg: LegId) {
        if self.legs.get(&leg).is_some_and(|l| l.waiting.is_none() && l.playing.is_none()) {
            self.legs.remove(&leg);
        }
    }
}

impl<T> Leg<T> {
    fn waits_for(&self, play: PlayId) -> bool {
        self.waiting.as_ref().is_some_and(|(waiting, _)| *waiting == play)
    }
}

fn unheard(leg: LegId, play: PlayId) -> Event {
    Event::Played { leg, play, finished: false }
}

#[cfg(test)]
mod tests {
    use media::wire::Stats;

    use super::*;

    const LEG: LegId = LegId(1);
    const A: PlayId = PlayId(10);
    const B: PlayId = PlayId(11);

    fn to_engine(play: PlayId) -> Effect<&'static str> {
        Effect::Engine(Command::Play { leg: LEG, play, clips: vec![], repeat: Repeat::Once })
    }
    fn fetched(order: &mut Order<&'static str>, play: PlayId) -> Vec<Effect<&'static str>> {
        order.fetched(LEG, play, vec![], Repeat::Once)
    }
    fn given_up(task: &'static str, play: PlayId) -> [Effect<&'static str>; 2] {
        [Effect::Abandon(task), Effect::Say(unheard(LEG, play))]
    }

    #[test]
    fn a_newer_prompt_wins_whichever_is_ready_first() {
        let mut order = Order::default();
        assert_eq!(order.play(LEG, A, "a"), []);
        assert_eq!(order.play(LEG, B, "b"), given_up("a", A));
        assert_eq!(fetched(&mut order, A), [], "too late");
        assert_eq!(fetched(&mut order, B), [to_engine(B)]);
    }

    #[test]
    fn a_prompt_stopped_while_it_is_made_is_never_heard_and_the_engine_is_not_bothered() {
        let mut order = Order::default();
        order.play(LEG, A, "a");
        assert_eq!(order.command(Command::StopPlay { leg: LEG, play: A }), given_up("a", A));
        assert_eq!(fetched(&mut order, A), []);
        assert!(order.legs.is_empty());
    }

    #[test]
    fn stopping_the_old_prompt_does_not_stop_the_new_one() {
        let mut order = Order::default();
        order.play(LEG, A, "a");
        fetched(&mut order, A);
        order.play(LEG, B, "b");
        let stop = || Command::StopPlay { leg: LEG, play: A };
        assert_eq!(order.command(stop()), [Effect::Engine(stop())]);
        assert_eq!(fetched(&mut order, B), [to_engine(B)]);
    }

    #[test]
    fn a_caller_who_hangs_up_while_a_prompt_is_made_leaves_nothing_behind() {
        let mut order = Order::default();
        order.play(LEG, A, "a");
        fetched(&mut order, A);
        order.play(LEG, B, "b");
        let [abandon, say] = given_up("b", B);
        assert_eq!(order.command(Command::Close { leg: LEG }), [abandon, say, Effect::Engine(Command::Close { leg: LEG })]);
        assert_eq!(fetched(&mut order, B), []);
        order.heard(&Event::Closed { leg: LEG, stats: Stats::default() });
        assert!(order.legs.is_empty());
    }

    #[test]
    fn a_prompt_that_cannot_be_had_ends_the_music_before_it_and_says_so() {
        let mut order = Order::default();
        order.play(LEG, A, "a");
        fetched(&mut order, A);
        order.play(LEG, B, "b");
        let stop = Effect::Engine(Command::StopPlay { leg: LEG, play: A });
        assert_eq!(order.failed(LEG, B), [stop, Effect::Say(unheard(LEG, B))]);
        order.heard(&unheard(LEG, A));
        assert!(order.legs.is_empty());
    }
}
