//! The writing end of the journal: facts in, group commits, and only then the news of them.
//!
//! The loop appends without waiting; one task drains what has gathered, up to [`limits::JOURNAL_BATCH_MAX`] facts, into one
//! transaction with their projections. While the database is away it tries again, in order, for as long as it takes. Admission
//! looks at [`JournalHandle::backlog`] and [`JournalHandle::healthy`] and refuses new contacts in time; what is going on may
//! still add facts, up to [`limits::JOURNAL_BACKLOG_HARD`].
//!
//!     Well ──commit fails──▶ Failing{error} ──commit succeeds──▶ Well
//!       └──a hole, a foreign fact, or the hard bound──▶ Broken{error}     the node must stop: nothing can be kept any more
//!
//! There is one journal per database: a second process is noticed by its facts standing where ours should
//! ([`StoreError::Taken`]). Tests: `tests/journal.rs`.

mod commit;

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use tokio::{
    sync::{broadcast, mpsc, watch},
    task::JoinHandle,
    time::Instant,
};

use super::{
    Store,
    error::{Result, StoreError},
};
use crate::{
    base::{limits, ms, secs},
    center::fact::Record,
};

use commit::Committer;

/// Wait after the first failed commit; doubled after each further one.
const BACK_OFF: Duration = ms(50);
/// Longest wait between two tries.
const BACK_OFF_MAX: Duration = secs(2);
/// Group commits a slow listener may be behind before it has to take a fresh snapshot. They stay in memory meanwhile.
const COMMITS_BEHIND_MAX: usize = 256;
/// Time from the beginning of one group commit to that of the next, at least, by how many facts the first had: under load groups
/// grow, and with them what one wait for the disk is good for. What is written most is not facts but pages of indexes they touch,
/// each once in every group: fewer, larger groups write less. Calls do not wait for commits; commands do, so not much longer.
///
/// After a pause a fact is committed at once. 64 facts in 5 ms are several hundred calls a second, 256 in 20 ms are as well.
const COMMIT_EVERY: [(usize, Duration); 3] = [(256, ms(50)), (64, ms(20)), (0, ms(5))];

/// How the journal is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JournalHealth {
    /// The last commit succeeded.
    Well,
    /// The database is away; facts are kept in memory and tried again.
    Failing {
        /// What it said last.
        error: String,
    },
    /// Nothing more can be kept; the node must stop.
    Broken {
        /// Why.
        error: String,
    },
}

/// Figures since the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct JournalStats {
    /// Group commits done.
    pub commits: u64,
    /// Facts committed.
    pub facts: u64,
    /// Facts committed whose projections the database refused: the lists lack them until they are rebuilt.
    pub unprojected: u64,
    /// Tries that failed.
    pub failures: u64,
    /// The longest group commit that succeeded, microseconds.
    pub commit_us_max: u64,
    /// All successful group commits together, microseconds.
    pub commit_us_sum: u64,
    /// Facts waiting now.
    pub backlog: u64,
}

/// Facts were appended to a journal that cannot keep them. The node must stop; nothing of this was acknowledged to anybody.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the journal cannot keep fact {seq}: {why}")]
pub struct NotKept {
    /// The first of them.
    pub seq: u64,
    /// Why not.
    pub why: String,
}

#[derive(Debug, Default)]
struct Counters {
    backlog: AtomicUsize,
    commits: AtomicU64,
    facts: AtomicU64,
    unprojected: AtomicU64,
    failures: AtomicU64,
    commit_us_max: AtomicU64,
    commit_us_sum: AtomicU64,
}

/// Where facts are appended. Cheap to clone.
#[derive(Debug, Clone)]
pub struct JournalHandle {
    // The channel itself has no bound: the counter beside it has, and `append` must never wait.
    facts: mpsc::UnboundedSender<Vec<Record>>,
    stop: Arc<watch::Sender<bool>>,
    counters: Arc<Counters>,
    health: Arc<watch::Sender<JournalHealth>>,
    committed: broadcast::Sender<Arc<[Record]>>,
}

/// The task behind the handles.
#[derive(Debug)]
pub struct Journal {
    task: JoinHandle<usize>,
    handle: JournalHandle,
}

impl Journal {
    /// Begins to write. `on_committed` is told of every group right after its commit, from the journal's task, before the
    /// event sockets are: it must not block.
    pub fn start(store: Store, on_committed: impl FnMut(Arc<[Record]>) + Send + 'static) -> Journal {
        let (facts, inbox) = mpsc::unbounded_channel();
        let (stop, stopped) = watch::channel(false);
        let handle = JournalHandle {
            facts,
            stop: Arc::new(stop),
            counters: Arc::default(),
            health: Arc::new(watch::Sender::new(JournalHealth::Well)),
            committed: broadcast::Sender::new(COMMITS_BEHIND_MAX),
        };
        let worker = Worker {
            committer: Committer::new(store),
            inbox,
            stopped,
            pending: VecDeque::new(),
            counters: handle.counters.clone(),
            health: handle.health.clone(),
            committed: handle.committed.clone(),
            on_committed: Box::new(on_committed),
        };
        Journal { task: tokio::spawn(worker.run()), handle }
    }

    /// A handle to append with.
    pub fn handle(&self) -> JournalHandle {
        self.handle.clone()
    }

    /// Commits what is waiting and ends. While the database is away it goes on trying for `patience`; how many facts are
    /// lost then.
    pub async fn shut_down(mut self, patience: Duration) -> usize {
        self.handle.stop.send_replace(true);
        match tokio::time::timeout(patience, &mut self.task).await {
            Ok(Ok(left)) => left,
            Ok(Err(_)) => self.handle.backlog(),
            Err(_) => {
                self.task.abort();
                self.handle.backlog()
            }
        }
    }

    /// Ends at once, wherever it stands, as a crash would: for tests of recovery.
    pub fn kill(self) {
        self.task.abort();
    }
}

impl JournalHandle {
    /// Takes facts, in the order of their numbers; never waits. They are news when `on_committed` or the subscription says so.
    ///
    /// Refused only when the journal is broken or at its hard bound, and from then on for ever: the node must stop.
    pub fn append(&self, records: Vec<Record>) -> Result<(), NotKept> {
        let Some(seq) = records.first().map(|r| r.seq) else { return Ok(()) };
        let n = records.len();
        if let JournalHealth::Broken { error } = &*self.health.borrow() {
            return Err(NotKept { seq, why: error.clone() });
        }
        if self.counters.backlog.fetch_add(n, Relaxed) + n > limits::JOURNAL_BACKLOG_HARD {
            self.counters.backlog.fetch_sub(n, Relaxed);
            // A later append that found room would leave a hole, so there is no way back from here.
            let why = format!("{} facts are waiting already", limits::JOURNAL_BACKLOG_HARD);
            self.health.send_replace(JournalHealth::Broken { error: why.clone() });
            return Err(NotKept { seq, why });
        }
        self.facts.send(records).map_err(|_| {
            self.counters.backlog.fetch_sub(n, Relaxed);
            NotKept { seq, why: "the journal was shut down".into() }
        })
    }

    /// Facts not committed yet.
    pub fn backlog(&self) -> usize {
        self.counters.backlog.load(Relaxed)
    }

    /// True while new contacts may be admitted: the last commit succeeded and the backlog is below
    /// [`limits::JOURNAL_BACKLOG_MAX`].
    pub fn healthy(&self) -> bool {
        *self.health.borrow() == JournalHealth::Well && self.backlog() < limits::JOURNAL_BACKLOG_MAX
    }

    /// How it is, and every change of that: for the alarm.
    pub fn health(&self) -> watch::Receiver<JournalHealth> {
        self.health.subscribe()
    }

    /// The groups committed from now on. Who falls too far behind is told so by the channel and reads on from the store.
    pub fn subscribe(&self) -> broadcast::Receiver<Arc<[Record]>> {
        self.committed.subscribe()
    }

    /// Where to subscribe later, as often as there are listeners.
    pub fn news(&self) -> broadcast::Sender<Arc<[Record]>> {
        self.committed.clone()
    }

    /// Figures for `/metrics`.
    pub fn stats(&self) -> JournalStats {
        let c = &*self.counters;
        JournalStats {
            commits: c.commits.load(Relaxed),
            facts: c.facts.load(Relaxed),
            unprojected: c.unprojected.load(Relaxed),
            failures: c.failures.load(Relaxed),
            commit_us_max: c.commit_us_max.load(Relaxed),
            commit_us_sum: c.commit_us_sum.load(Relaxed),
            backlog: c.backlog.load(Relaxed) as u64,
        }
    }
}

struct Worker {
    committer: Committer,
    inbox: mpsc::UnboundedReceiver<Vec<Record>>,
    stopped: watch::Receiver<bool>,
    pending: VecDeque<Record>,
    counters: Arc<Counters>,
    health: Arc<watch::Sender<JournalHealth>>,
    committed: broadcast::Sender<Arc<[Record]>>,
    on_committed: Box<dyn FnMut(Arc<[Record]>) + Send>,
}

impl Worker {
    /// Until it is stopped and nothing is left, or it is broken; how many facts are left.
    async fn run(mut self) -> usize {
        let mut next = Instant::now();
        loop {
            while let Ok(more) = self.inbox.try_recv() {
                self.pending.extend(more);
            }
            if self.pending.is_empty() {
                let news = tokio::select! {
                    biased;
                    more = self.inbox.recv() => more,
                    _ = self.stopped.wait_for(|s| *s) => None,
                };
                match news {
                    Some(more) => self.pending.extend(more),
                    None => {
                        // Whoever appends from now on is told that nobody is here.
                        self.inbox.close();
                        while let Ok(more) = self.inbox.try_recv() {
                            self.pending.extend(more);
                        }
                        if self.pending.is_empty() {
                            return 0;
                        }
                    }
                }
                continue;
            }
            if self.pending.len() < limits::JOURNAL_BATCH_MAX && !*self.stopped.borrow() && Instant::now() < next {
                tokio::time::sleep_until(next).await;
                continue;
            }
            let n = self.pending.len().min(limits::JOURNAL_BATCH_MAX);
            let pause = COMMIT_EVERY.iter().find(|(least, _)| n > *least).map_or(Duration::ZERO, |(_, pause)| *pause);
            next = Instant::now() + pause;
            let batch: Arc<[Record]> = self.pending.drain(..n).collect();
            if let Err(error) = self.write(&batch).await {
                tracing::error!(%error, "the journal cannot go on");
                self.health.send_replace(JournalHealth::Broken { error: error.to_string() });
                return self.counters.backlog.load(Relaxed);
            }
            (self.on_committed)(batch.clone());
            // Nobody listening is fine.
            let _ = self.committed.send(batch);
        }
    }

    /// Commits a group, however often it takes. Fails only when trying again is of no use.
    async fn write(&mut self, batch: &[Record]) -> Result<()> {
        let group = self.committer.prepare(batch)?;
        let mut wait = BACK_OFF;
        let unprojected = loop {
            let begun = Instant::now();
            match self.committer.commit(batch, &group).await {
                Ok(unprojected) => {
                    let us = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
                    self.counters.commit_us_max.fetch_max(us, Relaxed);
                    self.counters.commit_us_sum.fetch_add(us, Relaxed);
                    break unprojected;
                }
                Err(error) if !error.is_passing() => return Err(error),
                Err(error) => {
                    self.counters.failures.fetch_add(1, Relaxed);
                    tracing::warn!(%error, first = batch[0].seq, facts = batch.len(), "a group commit failed; trying again");
                    self.become_(JournalHealth::Failing { error: error.to_string() });
                }
            }
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(BACK_OFF_MAX);
        };
        self.counters.commits.fetch_add(1, Relaxed);
        self.counters.facts.fetch_add(batch.len() as u64, Relaxed);
        self.counters.unprojected.fetch_add(unprojected, Relaxed);
        self.counters.backlog.fetch_sub(batch.len(), Relaxed);
        self.become_(JournalHealth::Well);
        Ok(())
    }

    /// Says how it is, if that is news. Broken stays broken.
    fn become_(&self, health: JournalHealth) {
        self.health.send_if_modified(|h| {
            let news = *h != health && !matches!(h, JournalHealth::Broken { .. });
            if news {
                *h = health;
            }
            news
        });
    }
}

impl StoreError {
    /// True when the rows themselves are refused, whoever brings them: trying again changes nothing.
    fn is_about_the_data(&self) -> bool {
        use sqlx::error::ErrorKind::{CheckViolation, ForeignKeyViolation, NotNullViolation, UniqueViolation};
        match self {
            StoreError::Conflict { .. } | StoreError::Unreadable { .. } => true,
            StoreError::Database { source: sqlx::Error::Database(e), .. } => {
                matches!(e.kind(), UniqueViolation | ForeignKeyViolation | NotNullViolation | CheckViolation)
                    // PostgreSQL: class 22, data exceptions; class 54, beyond a limit of the program. SQLite: too big.
                    || e.code().is_some_and(|c| c.len() == 5 && (c.starts_with("22") || c.starts_with("54")) || c == "18")
            }
            _ => false,
        }
    }
}
