//! The desk in front of the media engine: what is to be heard comes in as words, file names and tones, and goes on as
//! clips.
//!
//! Reading a file or making speech takes time, the loop has none, and the caller may hang up meanwhile. So the studio
//! accepts a playback at once, fetches the clips on its own tasks, and hands the engine a `Play` only if nothing newer was
//! said about that leg. Whatever happens, every playback ends with one `Event::Played`.
//!
//! It leaves to `call` who hears what when, to the engine how it sounds, and to `speech` how words become sound: the
//! synthesiser is handed in from the roof as a [`Voice`].

mod disk;
mod library;
mod lru;
mod order;

pub use crate::call::Prompt;
pub use disk::free_bytes;
pub use library::{Library, PromptError, Voice};

use std::{
    fmt, io,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use media::{
    Engine, EngineConfig,
    wire::{Clip, Command, Event, LegId, PlayId, RecordTrouble, Repeat},
};
use tokio::{runtime::Handle, task::AbortHandle};

use crate::base::limits;
use disk::Watch;
use order::{Effect, Order};

/// Where the engine's events, and the studio's own in their place, go. Called from several threads; must not wait.
pub type EventSink = Arc<dyn Fn(Event) + Send + Sync>;
/// Where commands for the engine go. Must not wait.
pub type CommandSink = Box<dyn Fn(Command) + Send + Sync>;

/// What the studio needs to know at start.
#[derive(Debug, Clone)]
pub struct StudioConfig {
    /// The folder recordings are written to; its disk is watched.
    pub recordings: PathBuf,
    /// With less free space than this, bytes, nothing is recorded.
    pub record_free_min: u64,
}

impl StudioConfig {
    /// Recordings in `recordings`, the usual reserve on its disk.
    pub fn new(recordings: PathBuf) -> Self {
        Self { recordings, record_free_min: limits::RECORD_FREE_MIN }
    }
}

/// The desk. Cheap to clone; the engine lives as long as its command sink does.
#[derive(Clone)]
pub struct Studio {
    desk: Arc<Desk>,
    runtime: Handle,
}

/// What goes towards the engine. The lock keeps two threads from overtaking each other on the way; it may be held while
/// the engine's inbox is full, so nothing the engine's threads call may take it.
struct Desk {
    ears: Arc<Ears>,
    library: Library,
    engine: Mutex<CommandSink>,
}

/// What comes from the engine. Its lock is held for moments only.
struct Ears {
    state: Mutex<State>,
    events: EventSink,
}

struct State {
    order: Order<AbortHandle>,
    watch: Watch,
}

impl fmt::Debug for Studio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Studio").field("library", &self.desk.library).finish_non_exhaustive()
    }
}

impl Studio {
    /// Starts a media engine and opens the desk in front of it. The engine is handed out for its counters; it stops when
    /// both it and the last clone of the studio are dropped, so drop neither on a thread that must not wait.
    ///
    /// Tasks run on `runtime`; they end when the last clone of the studio is gone.
    pub fn start(
        config: StudioConfig,
        engine: EngineConfig,
        library: Library,
        runtime: Handle,
        events: EventSink,
    ) -> io::Result<(Self, Arc<Engine>)> {
        let ears = Arc::new(Ears::new(&config, events));
        let hears = ears.clone();
        let engine = Arc::new(Engine::start(engine, move |event| hears.heard(event))?);
        let speaks = engine.clone();
        let studio = Self::open(config, library, runtime, Box::new(move |command| speaks.send(command)), ears);
        Ok((studio, engine))
    }

    fn open(config: StudioConfig, library: Library, runtime: Handle, engine: CommandSink, ears: Arc<Ears>) -> Self {
        let desk = Arc::new(Desk { ears, library, engine: Mutex::new(engine) });
        runtime.spawn(disk::watch(Arc::downgrade(&desk), config.recordings));
        Self { desk, runtime }
    }

    /// Passes a command on, after whatever it overtakes.
    pub fn media(&self, command: Command) {
        let desk = &*self.desk;
        let engine = lock(&desk.engine);
        let effects = {
            let mut state = lock(&desk.ears.state);
            match &command {
                Command::Record { record, .. } => state.watch.begin(*record).map(|()| state.order.command(command)),
                _ => Ok(state.order.command(command)),
            }
        };
        match effects {
            Ok(effects) => desk.carry_out(&engine, effects),
            Err(refusal) => refusal.into_iter().for_each(|event| (desk.ears.events)(event)),
        }
    }

    /// Plays prompts to a leg, one after another. Prompts that were played before start at once.
    ///
    /// Ends with `Event::Played` in any case: `finished: false` also when a prompt is not to be had.
    pub fn play(&self, leg: LegId, play: PlayId, prompts: Vec<Prompt>, repeat: Repeat) {
        if prompts.len() <= limits::PROMPTS_PER_PLAY
            && let Some(clips) = self.desk.library.at_hand(&prompts)
        {
            self.media(Command::Play { leg, play, clips, repeat });
            return;
        }
        // The task cannot report before it is written down: it needs the lock we hold.
        let engine = lock(&self.desk.engine);
        let desk = self.desk.clone();
        let task = self.runtime.spawn(async move {
            let clips = desk.library.fetch(&prompts).await;
            desk.fetched(leg, play, repeat, clips);
        });
        let effects = lock(&self.desk.ears.state).order.play(leg, play, task.abort_handle());
        self.desk.carry_out(&engine, effects);
    }

    /// Forgets the clips made from files, after prompts were changed on disk. Playbacks that run go on as they are.
    pub fn forget_clips(&self) {
        self.desk.library.forget();
    }
}

impl Desk {
    fn carry_out(&self, engine: &CommandSink, effects: Vec<Effect<AbortHandle>>) {
        for effect in effects {
            match effect {
                Effect::Engine(command) => engine(command),
                Effect::Say(event) => (self.ears.events)(event),
                Effect::Abandon(task) => task.abort(),
            }
        }
    }

    fn fetched(&self, leg: LegId, play: PlayId, repeat: Repeat, clips: Result<Vec<Arc<Clip>>, PromptError>) {
        let engine = lock(&self.engine);
        let effects = {
            let mut state = lock(&self.ears.state);
            match clips {
                Ok(clips) => state.order.fetched(leg, play, clips, repeat),
                Err(why) => {
                    tracing::warn!(leg = leg.0, error = %why, "a prompt could not be played");
                    state.order.failed(leg, play)
                }
            }
        };
        self.carry_out(&engine, effects);
    }

    /// The disk was looked at.
    fn measured(&self, free: Option<u64>) {
        let engine = lock(&self.engine);
        let stop = lock(&self.ears.state).watch.measured(free);
        for record in stop {
            (self.ears.events)(Event::RecordTrouble { record, trouble: RecordTrouble::DiskFull });
            engine(Command::StopRecord { record });
        }
    }
}

impl Ears {
    fn new(config: &StudioConfig, events: EventSink) -> Self {
        let watch = Watch::new(config.record_free_min, free_bytes(&config.recordings));
        Self { state: Mutex::new(State { order: Order::default(), watch }), events }
    }

    /// An event of the engine on its way to the event sink.
    fn heard(&self, mut event: Event) {
        {
            let mut state = lock(&self.state);
            if let Event::Recorded { record, trouble, .. } = &mut event
                && state.watch.ended(*record)
            {
                trouble.get_or_insert(RecordTrouble::DiskFull);
            }
            state.order.heard(&event);
        }
        (self.events)(event);
    }
}

/// A panic elsewhere must not silence every other call.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
