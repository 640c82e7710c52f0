//! Who is listened to, and a recogniser that understands what the story says was said.
//!
//! The sound is made up, but it is sound: it runs through the same cutter as a real call's, so words come when they would.

use std::{collections::BTreeMap, time::Duration};

use media::{
    pipe::Pipe,
    wire::{Rate, TapId},
};

use super::{Who, tape::Taped, world::World};
use crate::{
    base::{InteractionId, Mono, ms},
    center::{
        hearing::{Heard, HearingOpen, HearingOrder},
        utterance::{Cut, Cutter},
    },
};

/// A frame.
const FRAME: Duration = ms(20);
/// How long the recogniser thinks.
const THINKS: Duration = ms(300);

/// One ear.
#[derive(Debug)]
pub struct Ear {
    /// Which call.
    pub interaction: InteractionId,
    /// The language asked for.
    pub lang: String,
    sound: Pipe,
    cutter: Cutter,
    muted: bool,
    forgotten: bool,
    over: bool,
    /// Until then words are on their way.
    busy: Mono,
}

/// All of them.
pub type Ears = BTreeMap<TapId, Ear>;

impl World {
    /// Somebody says something, and it is understood.
    pub fn says(&mut self, who: Who, words: &str) {
        self.speaks(who, words, Some(0.9));
    }

    /// Somebody says something that is understood so well, 0 to 1, or not at all. It takes a tenth of a second a letter.
    pub fn speaks(&mut self, who: Who, words: &str, confidence: Option<f64>) {
        let leg = self.leg_of(who).expect("who speaks is on the line");
        let frames = (words.chars().count() * 5).max(10);
        for tap in self.media.taps(leg) {
            let now = self.now.mono;
            let Some(ear) = self.ears.get_mut(&tap).filter(|e| !e.muted) else { continue };
            let mut told = Vec::new();
            for n in 0..frames + 40 {
                let at = now + FRAME * u32::try_from(n + 1).unwrap_or(u32::MAX);
                match ear.cutter.frame(&frame(n, n < frames)) {
                    Some(Cut::Began) => told.push((at, Heard::Began)),
                    Some(Cut::Said(u)) => {
                        let words = confidence.filter(|_| !u.goes_on).map(|c| (words.to_owned(), c));
                        let since = Mono(at.0.saturating_sub(u64::try_from(u.ago.as_nanos()).unwrap_or(0)));
                        told.push((at + THINKS, Heard::Said { since, length: u.length, words }));
                        ear.busy = at + THINKS;
                    }
                    None => {}
                }
            }
            for (at, heard) in told {
                self.hears_at(at, tap, heard);
            }
        }
    }

    /// Who is listened to.
    pub fn listened_to(&self, who: Who) -> Option<&Ear> {
        let taps = self.media.taps(self.leg_of(who)?);
        taps.iter().find_map(|tap| self.ears.get(tap))
    }

    /// What the center says of ears.
    pub(super) fn hearing(&mut self, order: HearingOrder) {
        match order {
            HearingOrder::Open(open) => {
                let HearingOpen { tap, interaction, sound, lang } = *open;
                let (cutter, busy) = (Cutter::new(Rate::K8), self.now.mono);
                let ear = Ear { interaction, lang, sound, cutter, muted: false, forgotten: false, over: false, busy };
                self.ears.insert(tap, ear);
            }
            HearingOrder::Mute { tap, on } => {
                if let Some(ear) = self.ears.get_mut(&tap) {
                    ear.muted = on;
                    ear.cutter.forget();
                }
            }
            HearingOrder::Forget { tap } => {
                if let Some(ear) = self.ears.get_mut(&tap) {
                    ear.forgotten = true;
                }
            }
        }
    }

    /// Ears whose taps are gone are over once the last words are told.
    pub(super) fn ears_over(&mut self) {
        let now = self.now.mono;
        let mut over = Vec::new();
        for (tap, ear) in self.ears.iter_mut().filter(|(_, e)| !e.over && e.sound.closed()) {
            ear.over = true;
            over.push((*tap, if ear.forgotten { now } else { ear.busy.max(now) } + ms(1)));
        }
        for (tap, at) in over {
            self.hears_at(at, tap, Heard::Over);
        }
    }

    /// What an ear heard reaches the center, if anybody wants it.
    pub(super) fn ear_says(&mut self, tap: TapId, heard: Heard) {
        match (&heard, self.ears.get(&tap)) {
            (_, None) => return,
            (Heard::Over, _) => drop(self.ears.remove(&tap)),
            (_, Some(ear)) if ear.forgotten || ear.muted => return,
            _ => {}
        }
        self.give(Taped::Heard(tap, heard));
    }
}

/// 20 ms of somebody who speaks, or does not: no two frames are equally loud.
fn frame(n: usize, voice: bool) -> Vec<i16> {
    let loud = if voice { [9_000, 2_500, 6_000, 1_200][n % 4] } else { 0 };
    (0..160).map(|i| if i % 16 < 8 { loud } else { -loud }).collect()
}
