//! Live copies of a leg's sound: what it says and what it hears, into pipes at whatever rate those have.

use crate::{
    dsp::resample::Resampler,
    limits::{TAP_LOST_EVERY, TAPS_MAX},
    time::At,
    wire::{Event, Pipe, Rate, TapId},
};

use super::Out;

/// 20 ms at the highest rate.
const FRAME_MAX: usize = Rate::K48.samples(20);

/// Who listens to a leg besides its bridge and its recordings.
#[derive(Debug, Default)]
pub(super) struct Live {
    taps: Vec<Tap>,
}

#[derive(Debug)]
struct Tap {
    id: TapId,
    said: Option<Copy>,
    heard: Option<Copy>,
    /// When a loss was last told.
    told: Option<At>,
}

/// One direction.
#[derive(Debug)]
struct Copy {
    pipe: Pipe,
    /// From the rate given, for as long as it stays the same.
    resampler: Option<(Rate, Box<Resampler>)>,
}

impl Copy {
    fn new(pipe: Pipe) -> Self {
        Self { pipe, resampler: None }
    }

    fn write(&mut self, rate: Rate, pcm: &[i16]) {
        if rate == self.pipe.rate() {
            self.pipe.write(pcm, true);
            return;
        }
        let (to, mut made) = (self.pipe.rate(), [0; FRAME_MAX]);
        let resampler = match &mut self.resampler {
            Some((from, r)) if *from == rate => r,
            other => &mut other.insert((rate, Box::new(Resampler::new(rate, to)))).1,
        };
        let n = resampler.process(pcm, &mut made);
        self.pipe.write(&made[..n], true);
    }
}

impl Live {
    /// A new tap, replacing one of its name. `false`: too many.
    pub fn tap(&mut self, id: TapId, said: Option<Pipe>, heard: Option<Pipe>) -> bool {
        self.stop(id);
        if self.taps.len() >= TAPS_MAX {
            return false;
        }
        self.taps.push(Tap { id, said: said.map(Copy::new), heard: heard.map(Copy::new), told: None });
        true
    }

    /// End a tap; its pipes are closed.
    pub fn stop(&mut self, id: TapId) {
        self.taps.retain(|t| {
            if t.id == id {
                t.close();
            }
            t.id != id
        });
    }

    /// The leg is gone.
    pub fn close(&self) {
        self.taps.iter().for_each(Tap::close);
    }

    /// Whether there is a tap of this name.
    pub fn has(&self, id: TapId) -> bool {
        self.taps.iter().any(|t| t.id == id)
    }

    /// Whether nobody listens.
    pub fn is_empty(&self) -> bool {
        self.taps.is_empty()
    }

    /// The highest rate at which somebody wants what the leg says.
    pub fn wants_said(&self) -> Option<Rate> {
        self.taps.iter().filter_map(|t| t.said.as_ref()).map(|c| c.pipe.rate()).max()
    }

    /// The same for what it hears.
    pub fn wants_heard(&self) -> Option<Rate> {
        self.taps.iter().filter_map(|t| t.heard.as_ref()).map(|c| c.pipe.rate()).max()
    }

    /// The leg said this.
    pub fn said(&mut self, rate: Rate, pcm: &[i16]) {
        self.taps.iter_mut().filter_map(|t| t.said.as_mut()).for_each(|c| c.write(rate, pcm));
    }

    /// The leg hears this.
    pub fn heard(&mut self, rate: Rate, pcm: &[i16]) {
        self.taps.iter_mut().filter_map(|t| t.heard.as_mut()).for_each(|c| c.write(rate, pcm));
    }

    /// Tell of readers that were too slow, at most once a second each.
    pub fn tell_losses(&mut self, now: At, out: &mut impl Out) {
        for t in &mut self.taps {
            if t.told.is_some_and(|told| now.since(told) < TAP_LOST_EVERY) {
                continue;
            }
            let lost = [&t.said, &t.heard]
                .into_iter()
                .flatten()
                .map(|c| std::time::Duration::from_micros(c.pipe.take_lost() * 1_000_000 / u64::from(c.pipe.rate().hz())));
            let lost = lost.max().unwrap_or_default();
            if !lost.is_zero() {
                t.told = Some(now);
                out.event(Event::TapLost { tap: t.id, lost });
            }
        }
    }
}

impl Tap {
    fn close(&self) {
        [&self.said, &self.heard].into_iter().flatten().for_each(|c| c.pipe.close());
    }
}
