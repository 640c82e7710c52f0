//! Speech recognition: a whole utterance in, its words out.
//!
//! Recognising is arithmetic that takes a good part of a second: it happens on threads of its own, below everything else in
//! the eyes of the scheduler, so that no call stutters because another caller speaks. What waits for them is bounded; an
//! utterance too many is answered at once with nothing, which a flow takes for something it did not understand.
//!
//! What an utterance is, `center::utterance` decides; whose it is and what becomes of the words, the center.

#[cfg(feature = "whisper")]
mod whisper;

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{
            AtomicBool, AtomicU64,
            Ordering::{Acquire, Relaxed, Release},
        },
        mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    },
    thread::JoinHandle,
};

use crate::base::limits;

/// How much nicer than everybody else the threads are, as of `nice(1)`.
#[cfg(target_os = "linux")]
const NICE: i32 = 10;

/// What was said.
#[derive(Debug, Clone, PartialEq)]
pub struct Words {
    /// The words.
    pub text: String,
    /// How sure, 0 to 1.
    pub confidence: f64,
}

/// Why there are no words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecogniseError {
    /// The program was built without it.
    #[error("speech.recogniser: this program was built without `{0}`; build it with `cargo build --release --features {0}`")]
    NotBuilt(&'static str),
    /// No model is named.
    #[error("speech.model: the recogniser needs the file of a model")]
    NoModel,
    /// The model is not there, or cannot be read.
    #[error("speech.model: cannot read {}: {why}", file.display())]
    Unreadable {
        /// Which file.
        file: PathBuf,
        /// What the system says.
        why: String,
    },
    /// The file is something else, or cut short.
    #[error("speech.model: {} is no whole whisper.cpp model", file.display())]
    Broken {
        /// Which file.
        file: PathBuf,
    },
    /// Memory or threads are not to be had.
    #[error("the recogniser cannot start: {0}")]
    Start(String),
    /// The model does not know this language.
    #[error("the model does not know the language `{0}`")]
    Language(String),
    /// It did not work, this time.
    #[error("the recogniser failed: {0}")]
    Failed(String),
}

/// Whether nobody wants to know any more. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Gone {
    /// The caller.
    caller: Arc<AtomicBool>,
    /// The program.
    program: Arc<AtomicBool>,
}

impl Gone {
    /// Whether that is so by now.
    pub fn is_so(&self) -> bool {
        self.caller.load(Acquire) || self.program.load(Acquire)
    }
}

/// Recognises one utterance: 16 kHz mono, the language as in `en-US`, and whether anybody still wants to know (to be asked
/// every now and then on the way; when not, the answer does not matter). No words: nobody spoke.
pub type Recogniser = Box<dyn FnMut(&[i16], &str, &Gone) -> Result<Option<Words>, RecogniseError>>;

/// Makes a recogniser on the thread it will work on.
pub type Maker = Box<dyn Fn() -> Result<Recogniser, RecogniseError> + Send>;

/// Which recogniser, as configured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// whisper.cpp, inside this process.
    Whisper,
}

/// Something to be recognised.
struct Job {
    pcm: Vec<i16>,
    lang: String,
    gone: Arc<AtomicBool>,
    answer: Box<dyn FnOnce(Option<Words>) + Send>,
}

/// The way to the threads; cheap to clone.
#[derive(Clone)]
pub struct Recognisers {
    queue: SyncSender<Job>,
    counts: Arc<Counts>,
}

/// What the threads did so far.
#[derive(Debug, Default)]
struct Counts {
    recognised: AtomicU64,
    dropped: AtomicU64,
    failed: AtomicU64,
    busy_us: AtomicU64,
}

/// The threads themselves. They end with this, whatever they are in the middle of.
pub struct Pool {
    threads: Vec<JoinHandle<()>>,
    stop: Arc<AtomicBool>,
    way: Option<Recognisers>,
}

impl std::fmt::Debug for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Pool({} threads)", self.threads.len())
    }
}

impl std::fmt::Debug for Recognisers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Recognisers").field(&self.counts).finish()
    }
}

/// Reads the model of a configured recogniser. Takes as long as reading the file does.
pub fn maker(kind: Kind, model: Option<&Path>) -> Result<Maker, RecogniseError> {
    let model = model.ok_or(RecogniseError::NoModel)?;
    match kind {
        #[cfg(feature = "whisper")]
        Kind::Whisper => whisper::load(model),
        #[cfg(not(feature = "whisper"))]
        Kind::Whisper => {
            let _ = model;
            Err(RecogniseError::NotBuilt("whisper"))
        }
    }
}

impl Pool {
    /// Starts `threads` of them, each with a recogniser of its own. Returns when all are ready, or with what kept one.
    ///
    /// `clock` counts microseconds.
    pub fn start(
        threads: usize,
        maker: Maker,
        clock: impl Fn() -> u64 + Clone + Send + 'static,
    ) -> Result<Pool, RecogniseError> {
        let (queue, jobs) = sync_channel::<Job>(limits::UTTERANCES_WAITING_MAX);
        let counts = Arc::new(Counts::default());
        let (jobs, maker) = (Arc::new(Mutex::new(jobs)), Arc::new(Mutex::new(maker)));
        let way = Recognisers { queue, counts: counts.clone() };
        let mut pool = Pool { threads: Vec::new(), stop: Arc::default(), way: Some(way) };
        for n in 0..threads.max(1) {
            let (told, ready) = sync_channel(1);
            let (jobs, maker, counts, stop, clock) =
                (jobs.clone(), maker.clone(), counts.clone(), pool.stop.clone(), clock.clone());
            let thread = std::thread::Builder::new().name(format!("recognise-{n}")).spawn(move || {
                be_nice();
                let made = maker.lock().unwrap_or_else(|e| e.into_inner())();
                let recogniser = match made {
                    Ok(r) => r,
                    // Who asked for it is waiting on the other side.
                    Err(e) => return drop(told.send(Err(e))),
                };
                // As above.
                drop(told.send(Ok(())));
                work(&jobs, recogniser, &counts, &stop, &clock);
            });
            pool.threads.push(thread.map_err(|e| RecogniseError::Start(e.to_string()))?);
            ready.recv().map_err(|_| RecogniseError::Start("a thread died".into()))??;
        }
        Ok(pool)
    }

    /// The way to it.
    pub fn way(&self) -> Recognisers {
        self.way.clone().expect("it is there until the pool is dropped")
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        // What is being recognised is given up, and what waits is answered with nothing.
        self.stop.store(true, Release);
        if let Some(way) = self.way.take() {
            // Wakes each thread, so that it sees that it is over; where there is no room they are awake.
            for _ in &self.threads {
                let (gone, answer) = (Arc::default(), Box::new(|_| ()));
                let _ = way.queue.try_send(Job { pcm: Vec::new(), lang: String::new(), gone, answer });
            }
        }
        for thread in self.threads.drain(..) {
            // One that panicked has said so.
            let _ = thread.join();
        }
    }
}

impl Recognisers {
    /// Recognises sound at 16 kHz and gives the words to `answer`, on a thread of the pool; at once and with nothing when too
    /// many wait already. `gone` set: nobody wants to know any more.
    pub fn recognise(
        &self,
        pcm: Vec<i16>,
        lang: &str,
        gone: Arc<AtomicBool>,
        answer: impl FnOnce(Option<Words>) + Send + 'static,
    ) {
        let job = Job { pcm, lang: lang.to_owned(), gone, answer: Box::new(answer) };
        let Err(TrySendError::Full(job) | TrySendError::Disconnected(job)) = self.queue.try_send(job) else { return };
        if self.counts.dropped.fetch_add(1, Relaxed).is_multiple_of(100) {
            tracing::warn!(
                "more is said than can be recognised: give the recogniser more threads ([speech] threads) or a smaller model"
            );
        }
        (job.answer)(None);
    }

    /// Figures for `/metrics`: `(name, value)`.
    pub fn figures(&self) -> [(&'static str, u64); 4] {
        let c = &self.counts;
        [
            ("ringdesk_speech_recognised_total", c.recognised.load(Relaxed)),
            ("ringdesk_speech_dropped_total", c.dropped.load(Relaxed)),
            ("ringdesk_speech_failed_total", c.failed.load(Relaxed)),
            ("ringdesk_speech_busy_us_total", c.busy_us.load(Relaxed)),
        ]
    }
}

fn work(
    jobs: &Mutex<Receiver<Job>>,
    mut recogniser: Recogniser,
    counts: &Counts,
    stop: &Arc<AtomicBool>,
    clock: &dyn Fn() -> u64,
) {
    loop {
        let job = jobs.lock().unwrap_or_else(|e| e.into_inner()).recv();
        let Ok(Job { pcm, lang, gone, answer }) = job else { return };
        let gone = Gone { caller: gone, program: stop.clone() };
        if gone.is_so() {
            answer(None);
            if stop.load(Acquire) {
                return;
            }
            continue;
        }
        let began = clock();
        let words = recogniser(&pcm, &lang, &gone);
        counts.busy_us.fetch_add(clock().saturating_sub(began), Relaxed);
        answer(match words {
            Ok(words) => {
                counts.recognised.fetch_add(1, Relaxed);
                words
            }
            Err(error) => {
                if counts.failed.fetch_add(1, Relaxed).is_multiple_of(100) {
                    tracing::warn!(%error, "an utterance was not recognised");
                }
                None
            }
        });
    }
}

/// This thread gives way to every other.
fn be_nice() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::setpriority_process(Some(rustix::thread::gettid()), NICE) {
        tracing::warn!(%error, "recognition competes with calls for the processor");
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Sender, channel};

    use super::*;

    /// A recogniser that says when it begins, and counts samples once it is let.
    fn counting() -> (Maker, Receiver<()>, Sender<()>) {
        let ((begins, begun), (go, waits)) = (channel(), channel());
        let waits = Arc::new(Mutex::new(waits));
        let maker: Maker = Box::new(move || {
            let (begins, waits) = (begins.clone(), waits.clone());
            Ok(Box::new(move |pcm, lang, _| {
                begins.send(()).unwrap();
                waits.lock().unwrap().recv().unwrap();
                match lang {
                    "tlh" => Err(RecogniseError::Language(lang.to_owned())),
                    _ => Ok(Some(Words { text: format!("{} samples", pcm.len()), confidence: 0.9 })),
                }
            }))
        });
        (maker, begun, go)
    }

    fn asked(way: &Recognisers, samples: usize, lang: &str, gone: &Arc<AtomicBool>, to: &Sender<(usize, Option<String>)>) {
        let to = to.clone();
        way.recognise(vec![0; samples], lang, gone.clone(), move |w| to.send((samples, w.map(|w| w.text))).unwrap());
    }

    #[test]
    fn utterances_are_recognised_in_turn_and_one_too_many_is_answered_at_once_with_nothing() {
        const MAX: usize = limits::UTTERANCES_WAITING_MAX;
        let (maker, begun, go) = counting();
        let pool = Pool::start(1, maker, || 0).unwrap();
        let (way, here, (to, from)) = (pool.way(), Arc::default(), channel());
        asked(&way, 0, "en-US", &here, &to);
        begun.recv().unwrap();
        (1..MAX + 2).for_each(|n| asked(&way, n, "en-US", &here, &to));
        assert_eq!(from.recv().unwrap(), (MAX + 1, None));
        (0..=MAX).for_each(|_| go.send(()).unwrap());
        for n in 0..=MAX {
            assert_eq!(from.recv().unwrap(), (n, Some(format!("{n} samples"))));
        }
        assert_eq!(way.figures().map(|f| f.1)[..2], [MAX as u64 + 1, 1]);
    }

    #[test]
    fn a_caller_who_hung_up_is_not_recognised_and_a_failure_is_no_words() {
        let (maker, _begun, go) = counting();
        let pool = Pool::start(1, maker, || 0).unwrap();
        let (way, here, gone, (to, from)) = (pool.way(), Arc::default(), Arc::new(AtomicBool::new(true)), channel());
        asked(&way, 7, "en-US", &gone, &to);
        assert_eq!(from.recv().unwrap(), (7, None), "before the recogniser was bothered");
        go.send(()).unwrap();
        asked(&way, 8, "tlh", &here, &to);
        assert_eq!(from.recv().unwrap(), (8, None));
        let figures = way.figures();
        assert_eq!((figures[0].1, figures[2].1), (0, 1));
    }

    #[test]
    fn a_recogniser_that_cannot_be_made_says_why() {
        let none = Pool::start(2, Box::new(|| Err(RecogniseError::NoModel)), || 0);
        assert_eq!(none.unwrap_err(), RecogniseError::NoModel);
        assert_eq!(maker(Kind::Whisper, None).err(), Some(RecogniseError::NoModel));
    }

    #[test]
    fn the_end_of_the_program_does_not_wait_for_what_is_being_said() {
        let slow: Maker = Box::new(|| {
            Ok(Box::new(|_, _, gone| {
                while !gone.is_so() {
                    std::thread::yield_now();
                }
                Ok(None)
            }))
        });
        let pool = Pool::start(2, slow, || 0).unwrap();
        let (way, (to, from)) = (pool.way(), channel());
        (0..5).for_each(|n| asked(&way, n, "en-US", &Arc::default(), &to));
        drop(pool);
        assert!(from.try_iter().all(|(_, words)| words.is_none()));
    }
}
