//! The writer of recordings: jobs in, files and events out. One thread serves all shards (`engine`); the machine here knows
//! no thread.
//!
//!     Open ──▶ writing ──block──▶ sound first, then the header that counts it
//!                │ └─ it fails ─▶ cut back to what was whole, say so once, try again with the next block
//!                └──Close──▶ Recorded (with the trouble, if there was any)
//!
//! A write that fails never reaches the call: the block is lost, its time becomes silence when a later one gets through.

use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::{FileExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

#[cfg(feature = "opus")]
use super::ogg::Ogg;
use super::{FRAME_BYTES, HEADER_BYTES, Job, duration, header, timeline::Timeline};
use crate::{
    limits::RECORD_MAX,
    wire::{Event, RecordFormat, RecordId, RecordTrouble},
};

/// Where recordings go: the file system, or in tests something that fails.
pub trait Store: Send {
    /// Make a new file; an error if there is one already.
    fn create(&mut self, path: &Path) -> io::Result<Box<dyn Pages>>;
}

/// One file being written.
pub trait Pages: Send {
    /// Write all of `bytes` at this place.
    fn write_at(&mut self, at: u64, bytes: &[u8]) -> io::Result<()>;
    /// Cut or stretch to this many bytes.
    fn set_len(&mut self, bytes: u64) -> io::Result<()>;
    /// Nothing more comes: bring it to the disk.
    fn finish(&mut self) -> io::Result<()>;
}

/// The file system.
#[derive(Debug, Default)]
pub struct Disk;

impl Store for Disk {
    fn create(&mut self, path: &Path) -> io::Result<Box<dyn Pages>> {
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        // What people said is nobody else's business.
        Ok(Box::new(OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?))
    }
}

impl Pages for File {
    fn write_at(&mut self, at: u64, bytes: &[u8]) -> io::Result<()> {
        self.write_all_at(bytes, at)
    }
    fn set_len(&mut self, bytes: u64) -> io::Result<()> {
        File::set_len(self, bytes)
    }
    fn finish(&mut self) -> io::Result<()> {
        self.sync_data()
    }
}

/// See the module.
pub struct Writer<S> {
    store: S,
    open: BTreeMap<RecordId, Open>,
    bytes: Vec<u8>,
}

impl<S> std::fmt::Debug for Writer<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Writer({} open)", self.open.len())
    }
}

struct Open {
    path: PathBuf,
    format: RecordFormat,
    /// `None` while it cannot be created.
    file: Option<Box<dyn Pages>>,
    /// Samples per channel that are whole in the file.
    frames: u64,
    trouble: Option<RecordTrouble>,
    timeline: Timeline,
    #[cfg(feature = "opus")]
    ogg: Option<Box<Ogg>>,
}

impl<S: Store> Writer<S> {
    /// A writer into `store`.
    pub fn new(store: S) -> Self {
        Self { store, open: BTreeMap::new(), bytes: Vec::new() }
    }

    /// Do one job.
    pub fn handle(&mut self, job: Job, event: &mut dyn FnMut(Event)) {
        match job {
            Job::Open { record, path, format } => {
                let mut open = Open::new(path, format);
                if let Err(e) = open.create(&mut self.store, record) {
                    open.fails(record, &e, event);
                }
                self.open.insert(record, open);
            }
            Job::Block { record, until, block } => {
                self.pages(record, event, |t, page| t.take(until, &block, page));
                block.give_back();
            }
            Job::Pause { record, at, paused } => self.pages(record, event, |t, page| t.pause(at, paused, page)),
            Job::Close { record, at, trouble } => {
                self.pages(record, event, |t, page| t.close(at, page));
                if let Some(open) = self.open.remove(&record) {
                    event(open.close(record, trouble));
                }
            }
        }
    }

    /// Write what the timeline hands out.
    fn pages(
        &mut self,
        record: RecordId,
        event: &mut dyn FnMut(Event),
        f: impl FnOnce(&mut Timeline, &mut dyn FnMut(u64, &[i16])),
    ) {
        let Some(open) = self.open.get_mut(&record) else { return };
        let mut timeline = std::mem::take(&mut open.timeline);
        f(&mut timeline, &mut |at, pcm| {
            if let Err(e) = open.write(&mut self.store, record, at, pcm, &mut self.bytes) {
                open.fails(record, &e, event);
            }
        });
        open.timeline = timeline;
    }

    /// Close what is still open: the engine stops.
    pub fn finish(mut self, event: &mut dyn FnMut(Event)) {
        for (record, open) in std::mem::take(&mut self.open) {
            event(open.close(record, None));
        }
    }
}

impl Open {
    fn new(path: PathBuf, format: RecordFormat) -> Self {
        Self {
            path,
            format,
            file: None,
            frames: 0,
            trouble: None,
            timeline: Timeline::default(),
            #[cfg(feature = "opus")]
            ogg: None,
        }
    }

    #[cfg_attr(not(feature = "opus"), expect(unused_variables, reason = "only Ogg streams have a number"))]
    fn create(&mut self, store: &mut impl Store, record: RecordId) -> io::Result<()> {
        #[cfg(not(feature = "opus"))]
        if self.format == RecordFormat::OggOpus {
            return Err(io::ErrorKind::Unsupported.into());
        }
        let mut file = store.create(&self.path)?;
        match self.format {
            RecordFormat::Wav => file.write_at(0, &header(0))?,
            // The serial number only has to differ where streams share a file.
            #[cfg(feature = "opus")]
            RecordFormat::OggOpus => self.ogg = Some(Box::new(Ogg::begin(record.0 as u32, &mut *file)?)),
            #[cfg(not(feature = "opus"))]
            RecordFormat::OggOpus => {}
        }
        self.file = Some(file);
        Ok(())
    }

    fn write(&mut self, store: &mut impl Store, record: RecordId, at: u64, pcm: &[i16], bytes: &mut Vec<u8>) -> io::Result<()> {
        if duration(at) >= RECORD_MAX {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        if self.file.is_none() {
            self.create(store, record)?;
        }
        let Some(file) = &mut self.file else { return Ok(()) };
        let frames = self.frames.max(at + pcm.len() as u64 / 2);
        #[cfg(feature = "opus")]
        if let Some(ogg) = &mut self.ogg {
            ogg.write(&mut **file, at, pcm)?;
            self.frames = frames;
            return Ok(());
        }
        if pcm.is_empty() {
            // Only so that silence at the end is there.
            file.set_len(HEADER_BYTES as u64 + at * FRAME_BYTES)?;
        } else {
            bytes.clear();
            bytes.extend(pcm.iter().flat_map(|s| s.to_le_bytes()));
            file.write_at(HEADER_BYTES as u64 + at * FRAME_BYTES, bytes)?;
        }
        file.write_at(0, &header(frames))?;
        self.frames = frames;
        Ok(())
    }

    /// Bytes of the file that are whole.
    fn whole(&self) -> u64 {
        #[cfg(feature = "opus")]
        if let Some(ogg) = &self.ogg {
            return ogg.bytes;
        }
        HEADER_BYTES as u64 + self.frames * FRAME_BYTES
    }

    fn fails(&mut self, record: RecordId, e: &io::Error, event: &mut dyn FnMut(Event)) {
        let whole = self.whole();
        if let Some(file) = &mut self.file {
            // Half a block is cut off again; if even that fails, the header still counts only what is whole.
            let _ = file.set_len(whole);
        }
        if self.trouble.is_none() {
            let trouble = match e.kind() {
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
                    RecordTrouble::DiskFull
                }
                _ => RecordTrouble::Io,
            };
            self.trouble = Some(trouble);
            event(Event::RecordTrouble { record, trouble });
        }
    }

    fn close(mut self, record: RecordId, trouble: Option<RecordTrouble>) -> Event {
        let whole = self.whole();
        let bytes = match &mut self.file {
            Some(file) => {
                if file.finish().is_err() {
                    self.trouble = self.trouble.or(Some(RecordTrouble::Io));
                }
                whole
            }
            None => 0,
        };
        Event::Recorded { record, duration: duration(self.frames), bytes, trouble: self.trouble.or(trouble) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        codec::Encoder,
        measure::tone_dbfs,
        record::{Block, RATE, repair},
        tone,
        wire::{Codec, Opus, Rate},
    };
    use std::{
        sync::{Arc, Mutex},
        time::Duration,
    };

    const R: RecordId = RecordId(1);

    /// Seconds of a 440 Hz left and a 1 kHz right channel, as blocks of half a second.
    fn blocks(seconds: u64) -> Vec<Job> {
        let second = Duration::from_secs(1);
        let tones = [tone::sine(440.0, -12.0, second), tone::sine(1_000.0, -12.0, second)];
        let half = |n: u64| {
            let mut block = Box::<Block>::default();
            for i in 0..25 {
                let at = n * 4_000 + i * 160;
                for (side, tone) in tones.iter().enumerate() {
                    let mut payload = [0; 160];
                    let start = at as usize % 8_000;
                    Encoder::new(Codec::Pcma, Rate::K8, Opus::default()).encode(&tone.pcm[start..start + 160], &mut payload);
                    block.push(side as u8, 0, Codec::Pcma, at, at as u32, &payload);
                }
            }
            Job::Block { record: R, until: (n + 1) * 4_000, block }
        };
        (0..seconds * 2).map(half).collect()
    }

    fn open(path: &Path) -> Job {
        Job::Open { record: R, path: path.into(), format: RecordFormat::Wav }
    }

    fn channels(path: &Path) -> (Vec<i16>, Vec<i16>) {
        let mut reader = hound::WavReader::open(path).expect("a WAV file");
        assert_eq!((reader.spec().channels, reader.spec().sample_rate), (2, RATE));
        let all: Vec<i16> = reader.samples().map(|s| s.expect("whole")).collect();
        (all.iter().step_by(2).copied().collect(), all.iter().skip(1).step_by(2).copied().collect())
    }

    #[test]
    fn a_recording_whose_process_was_killed_plays_both_channels_up_to_the_last_block() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("calls/one.wav");
        let mut events = Vec::new();
        let mut w = Writer::new(Disk);
        w.handle(open(&path), &mut |e| events.push(e));
        for (i, block) in blocks(3).into_iter().enumerate() {
            w.handle(block, &mut |e| events.push(e));
            // Nobody closes anything: this is what kill -9 leaves.
            let (left, right) = channels(&path);
            // The last 200 ms may still be taken back by a pause.
            assert_eq!(left.len(), (i + 1) * 4_000 - 1_600);
            assert!((tone_dbfs(&left, 440.0) + 12.0).abs() < 0.2 && (tone_dbfs(&right, 1_000.0) + 12.0).abs() < 0.2);
        }
        assert_eq!(events, []);
    }

    #[cfg(feature = "opus")]
    #[test]
    fn an_opus_recording_torn_at_any_byte_is_repaired_and_its_time_is_right() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("one.opus");
        let (mut events, mut w) = (Vec::new(), Writer::new(Disk));
        w.handle(Job::Open { record: R, path: path.clone(), format: RecordFormat::OggOpus }, &mut |e| events.push(e));
        blocks(4).into_iter().for_each(|b| w.handle(b, &mut |e| events.push(e)));
        let killed = fs::read(&path).expect("readable");
        w.handle(Job::Close { record: R, at: 32_100, trouble: None }, &mut |e| events.push(e));
        let whole = fs::read(&path).expect("readable");
        let Some(Event::Recorded { duration: long, bytes, trouble: None, .. }) = events.last() else { panic!("{events:?}") };
        assert_eq!((*long, *bytes), (duration(32_100), whole.len() as u64));
        assert!(whole.len() < 20_000, "{} bytes for four seconds", whole.len());
        assert_eq!(repair(&path).expect("whole"), duration(32_100));
        fs::write(&path, &killed).expect("room");
        let played = repair(&path).expect("whole").as_millis();
        assert!((3_750..=3_800).contains(&played), "all but what may still be taken back: {played} ms");
        let mut before = Duration::ZERO;
        for cut in [1, 2, 3].into_iter().chain((4..whole.len()).step_by(97)) {
            fs::write(&path, &whole[..cut]).expect("room");
            let played = repair(&path).expect("repaired");
            assert!(played >= before && fs::metadata(&path).expect("there").len() <= cut as u64);
            assert_eq!(repair(&path).expect("again"), played);
            before = played;
        }
        assert!(before > Duration::from_secs(3));
    }

    #[test]
    fn a_recording_torn_at_any_byte_is_repaired_and_plays() {
        let dir = tempfile::tempdir().expect("a folder");
        let whole = dir.path().join("whole.wav");
        let mut w = Writer::new(Disk);
        w.handle(open(&whole), &mut |_| {});
        blocks(2).into_iter().for_each(|b| w.handle(b, &mut |_| {}));
        let bytes = fs::read(&whole).expect("readable");
        let torn = dir.path().join("torn.wav");
        for cut in [0, 1, 17, 43, 44, 45, 46, 47, 48, 1_000, 32_043, 57_599, bytes.len()] {
            // The worst order: the page with the header counts more than what reached the disk.
            fs::write(&torn, &bytes[..cut]).expect("room");
            let frames = cut.saturating_sub(44) / 4;
            assert_eq!(repair(&torn).expect("repaired"), duration(frames as u64), "cut at {cut}");
            assert_eq!(channels(&torn).0.len(), frames);
            assert_eq!(repair(&torn).expect("again"), duration(frames as u64));
        }
        // Data without its header: as if killed between the two writes.
        let mut headless = bytes.clone();
        headless[..44].copy_from_slice(&header(10));
        fs::write(&torn, &headless).expect("room");
        assert_eq!(repair(&torn).expect("repaired"), Duration::from_millis(1_800));
        fs::write(&torn, b"ID3 somebody's song, much longer than a header of ours is").expect("room");
        assert!(matches!(repair(&torn), Err(RepairError::Foreign { .. })));
    }
    use crate::record::RepairError;

    /// A disk with room for so many bytes.
    struct Small(Arc<Mutex<(u64, Vec<u8>)>>);
    impl Store for Small {
        fn create(&mut self, _: &Path) -> io::Result<Box<dyn Pages>> {
            Ok(Box::new(Small(self.0.clone())))
        }
    }
    impl Pages for Small {
        fn write_at(&mut self, at: u64, bytes: &[u8]) -> io::Result<()> {
            let (room, held) = &mut *self.0.lock().expect("no panic");
            let end = at as usize + bytes.len();
            if end as u64 > *room {
                return Err(io::ErrorKind::StorageFull.into());
            }
            held.resize(held.len().max(end), 0);
            held[at as usize..end].copy_from_slice(bytes);
            Ok(())
        }
        fn set_len(&mut self, bytes: u64) -> io::Result<()> {
            self.0.lock().expect("no panic").1.truncate(bytes as usize);
            Ok(())
        }
        fn finish(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_full_disk_is_said_once_and_the_recording_goes_on_when_there_is_room_again() {
        let disk = Arc::new(Mutex::new((44 + 16_000 * 2, Vec::new())));
        let mut events = Vec::new();
        let mut w = Writer::new(Small(disk.clone()));
        w.handle(open(Path::new("x.wav")), &mut |e| events.push(e));
        let mut jobs = blocks(4).into_iter();
        jobs.by_ref().take(5).for_each(|b| w.handle(b, &mut |e| events.push(e)));
        assert_eq!(events, [Event::RecordTrouble { record: R, trouble: RecordTrouble::DiskFull }]);
        assert_eq!(disk.lock().expect("no panic").1.len(), 44 + 25_600, "what was whole is whole");
        disk.lock().expect("no panic").0 = u64::MAX;
        jobs.for_each(|b| w.handle(b, &mut |e| events.push(e)));
        w.handle(Job::Close { record: R, at: 32_000, trouble: None }, &mut |e| events.push(e));
        let Some(Event::Recorded { duration, trouble, .. }) = events.last() else { panic!("{events:?}") };
        assert_eq!((*duration, *trouble, events.len()), (Duration::from_secs(4), Some(RecordTrouble::DiskFull), 2));
        let held = disk.lock().expect("no panic").1.clone();
        assert_eq!(&held[..44], &header(32_000));
        // What was lost is silence, and what follows is in its place.
        assert!(held[44 + 25_600..44 + 73_600].iter().all(|b| *b == 0));
        assert!(held[44 + 73_600..].iter().any(|b| *b != 0));
    }

    #[test]
    fn an_existing_recording_is_never_written_over() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("old.wav");
        fs::write(&path, b"precious").expect("room");
        let mut events = Vec::new();
        let mut w = Writer::new(Disk);
        w.handle(open(&path), &mut |e| events.push(e));
        blocks(1).into_iter().for_each(|b| w.handle(b, &mut |e| events.push(e)));
        w.finish(&mut |e| events.push(e));
        assert_eq!(events.len(), 2, "{events:?}");
        assert!(matches!(events[1], Event::Recorded { bytes: 0, trouble: Some(RecordTrouble::Io), .. }));
        assert_eq!(fs::read(&path).expect("readable"), b"precious");
    }
}
