//! The disk under the recordings: an alarm before it is full, and no recording that would fill it.
//!
//! Looking costs a system call that may hang on a network disk, so it is done every few seconds aside, and a recording that
//! starts is judged by the last look. A call never waits and never ends for it.

use std::{collections::BTreeSet, path::PathBuf, sync::Weak, time::Duration};

use media::wire::{Event, RecordId, RecordTrouble};

use super::Desk;
use crate::base::limits;

/// Bytes free for us on the disk of `path`, or of the nearest parent that exists. `None`: the system would not say.
pub fn free_bytes(path: &std::path::Path) -> Option<u64> {
    let there = path.ancestors().find(|p| p.exists()).filter(|p| !p.as_os_str().is_empty());
    let stat = rustix::fs::statvfs(there.unwrap_or(std::path::Path::new("."))).ok()?;
    Some(stat.f_bavail.saturating_mul(stat.f_frsize))
}

/// Which recordings run, and whether there is room.
#[derive(Debug)]
pub struct Watch {
    least: u64,
    full: bool,
    running: BTreeSet<RecordId>,
    /// Stopped by us for want of room, their files not closed yet.
    stopped: BTreeSet<RecordId>,
}

impl Watch {
    pub fn new(least: u64, free: Option<u64>) -> Self {
        // A disk nobody can measure may still take a recording; writing to it will tell.
        Self { least, full: free.is_some_and(|f| f < least), running: BTreeSet::new(), stopped: BTreeSet::new() }
    }

    /// A recording wants to start. Without room it is over before it began, and these events say so.
    pub fn begin(&mut self, record: RecordId) -> Result<(), Box<[Event; 2]>> {
        if !self.full {
            self.running.insert(record);
            return Ok(());
        }
        let trouble = RecordTrouble::DiskFull;
        let nothing = Event::Recorded { record, duration: Duration::ZERO, bytes: 0, trouble: Some(trouble) };
        Err(Box::new([Event::RecordTrouble { record, trouble }, nothing]))
    }

    /// A file was closed; true if we had it stopped.
    pub fn ended(&mut self, record: RecordId) -> bool {
        self.running.remove(&record);
        self.stopped.remove(&record)
    }

    /// The disk was looked at; these recordings have to stop.
    pub fn measured(&mut self, free: Option<u64>) -> BTreeSet<RecordId> {
        let full = free.is_some_and(|f| f < self.least);
        if full != self.full {
            tracing::warn!(free_bytes = free, least_bytes = self.least, full, "the disk for recordings");
        }
        self.full = full;
        if !full {
            return BTreeSet::new();
        }
        let stop = std::mem::take(&mut self.running);
        self.stopped.extend(&stop);
        stop
    }
}

/// Looks every few seconds for as long as the desk stands.
pub async fn watch(desk: Weak<Desk>, path: PathBuf) {
    loop {
        tokio::time::sleep(limits::DISK_WATCH_EVERY).await;
        let path = path.clone();
        let free = tokio::task::spawn_blocking(move || free_bytes(&path)).await.ok().flatten();
        let Some(desk) = desk.upgrade() else { return };
        desk.measured(free);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: RecordId = RecordId(1);
    const TWO: RecordId = RecordId(2);

    #[test]
    fn a_disk_that_fills_up_stops_what_runs_refuses_what_comes_and_recovers() {
        let mut watch = Watch::new(100, Some(500));
        watch.begin(ONE).unwrap();
        assert!(watch.measured(Some(100)).is_empty());
        assert_eq!(watch.measured(Some(99)), BTreeSet::from([ONE]));
        assert!(watch.measured(Some(98)).is_empty(), "once is enough");
        let [alarm, over] = *watch.begin(TWO).unwrap_err();
        assert_eq!(alarm, Event::RecordTrouble { record: TWO, trouble: RecordTrouble::DiskFull });
        assert!(matches!(over, Event::Recorded { bytes: 0, trouble: Some(RecordTrouble::DiskFull), .. }));
        assert!(watch.ended(ONE) && !watch.ended(ONE));
        assert!(watch.measured(Some(200)).is_empty());
        watch.begin(TWO).unwrap();
        assert!(!watch.ended(TWO), "this one was not ours to stop");
    }

    #[test]
    fn the_disk_of_a_folder_that_is_not_there_yet_is_its_parents() {
        let dir = tempfile::TempDir::new().unwrap();
        assert!(free_bytes(&dir.path().join("data/recordings")).is_some_and(|free| free > 0));
        assert!(free_bytes(std::path::Path::new("not/there")).is_some());
    }
}
