//! Ears: the taps of calls somebody listens to, cut into utterances and given to the recognisers.
//!
//! One task an ear empties its pipe every 20 ms. It ends when the pipe is closed; the center is told so when the last words of
//! the ear are told. An ear that is forgotten takes its utterances along, be they waiting or in the middle of recognition.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{
            AtomicBool,
            Ordering::{Relaxed, Release},
        },
    },
    time::Duration,
};

use media::wire::TapId;
use tokio::sync::Semaphore;

use super::{
    clock::Clock,
    driver::{Inbox, Wake},
};
use crate::{
    base::{Mono, limits},
    center::{
        Input,
        hearing::{Heard, HearingOpen, HearingOrder},
        utterance::{Cut, Cutter, Utterance},
    },
    speech::recognise::Recognisers,
};

/// How often a pipe is emptied.
const EVERY: Duration = Duration::from_millis(20);
/// A pipe that was empty so often in a row has no sound to come: 100 ms.
const IDLE_TICKS: u32 = 5;

/// The desk of the ears. Cheap to clone.
#[derive(Clone)]
pub struct Ears {
    recognisers: Option<Recognisers>,
    inbox: Inbox,
    clock: Clock,
    runtime: tokio::runtime::Handle,
    room: Arc<Semaphore>,
    open: Arc<Mutex<BTreeMap<TapId, Arc<Ear>>>>,
}

/// What is known of an ear from outside its task.
#[derive(Default)]
struct Ear {
    muted: AtomicBool,
    gone: Arc<AtomicBool>,
}

/// Tells that an ear is over when the last who holds it lets go: its task, and every utterance on its way.
struct Life {
    tap: TapId,
    ears: Ears,
}

impl Drop for Life {
    fn drop(&mut self) {
        self.ears.all().remove(&self.tap);
        self.ears.tell(self.tap, Heard::Over);
    }
}

impl Ears {
    /// With nobody to recognise anything, there is nothing to hear.
    pub fn new(recognisers: Option<Recognisers>, inbox: Inbox, clock: Clock) -> Self {
        Ears {
            recognisers,
            inbox,
            clock,
            runtime: tokio::runtime::Handle::current(),
            room: Arc::new(Semaphore::new(limits::EARS_MAX)),
            open: Arc::default(),
        }
    }

    /// Does what the center wants.
    pub fn order(&self, order: HearingOrder) {
        match order {
            HearingOrder::Mute { tap, on } => {
                if let Some(ear) = self.all().get(&tap) {
                    ear.muted.store(on, Relaxed);
                }
            }
            HearingOrder::Forget { tap } => {
                if let Some(ear) = self.all().get(&tap) {
                    ear.gone.store(true, Release);
                }
            }
            HearingOrder::Open(open) => {
                let life = Arc::new(Life { tap: open.tap, ears: self.clone() });
                let (Some(recognisers), Ok(room)) = (self.recognisers.clone(), self.room.clone().try_acquire_owned()) else {
                    tracing::warn!(interaction = %open.interaction, "nobody is free to listen to a call");
                    return;
                };
                let ear = Arc::new(Ear::default());
                self.all().insert(open.tap, ear.clone());
                let me = self.clone();
                self.runtime.spawn(async move {
                    me.listen(&open, &ear, &life, &recognisers).await;
                    drop(room);
                });
            }
        }
    }

    fn all(&self) -> std::sync::MutexGuard<'_, BTreeMap<TapId, Arc<Ear>>> {
        self.open.lock().unwrap_or_else(|e| e.into_inner())
    }

    fn tell(&self, tap: TapId, heard: Heard) {
        self.inbox.put(Wake::Center(Input::Heard { tap, heard }));
    }

    /// Until the pipe is closed.
    async fn listen(&self, open: &HearingOpen, ear: &Ear, life: &Arc<Life>, recognisers: &Recognisers) {
        let mut cutter = Cutter::new(open.sound.rate());
        let (mut frame, silence) = (vec![0i16; cutter.frame_len()], vec![0i16; cutter.frame_len()]);
        let mut tick = tokio::time::interval(EVERY);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let (mut muted, mut idle) = (false, 0);
        let heard = |cut| match cut {
            Some(Cut::Began) => self.tell(open.tap, Heard::Began),
            Some(Cut::Said(u)) => self.recognise(open, ear, life, recognisers, u),
            None => {}
        };
        loop {
            tick.tick().await;
            // Asked before reading: what was written before the end is still heard.
            let closed = open.sound.closed();
            if ear.muted.load(Relaxed) != muted {
                muted = !muted;
                cutter.forget();
            }
            idle = (idle + 1).min(IDLE_TICKS + 1);
            while open.sound.waiting() >= frame.len() {
                open.sound.read(&mut frame);
                idle = 0;
                if !muted {
                    heard(cutter.frame(&frame));
                }
            }
            // A phone that sends nothing while nobody speaks has fallen silent all the same.
            if idle > IDLE_TICKS && !muted {
                heard(cutter.frame(&silence));
            }
            if closed {
                if let Some(u) = cutter.finish().filter(|_| !muted) {
                    self.recognise(open, ear, life, recognisers, u);
                }
                return;
            }
        }
    }

    fn recognise(&self, open: &HearingOpen, ear: &Ear, life: &Arc<Life>, recognisers: &Recognisers, u: Utterance) {
        let (life, me) = (life.clone(), self.clone());
        let ago = u64::try_from(u.ago.as_nanos()).unwrap_or(0);
        let since = Mono(self.clock.now().mono.0.saturating_sub(ago));
        let length = u.length;
        recognisers.recognise(u.pcm, &open.lang, ear.gone.clone(), move |words| {
            let words = words.map(|w| (w.text, w.confidence));
            me.tell(life.tap, Heard::Said { since, length, words });
            // Held until here: that the ear is over must not overtake its words.
            drop(life);
        });
    }
}
