//! One measurement: a fresh server, so many calls, a window. And the search for the most calls that hold.

use std::{fs, io, net::SocketAddrV4, path::PathBuf, time::Duration};

use crate::{
    browser::Browser,
    engine::{self, Work},
    load::{Exchange, Length, Measured, Phone},
    proc,
    rtpengine::Rtpengine,
    server::{self, Places},
};

/// A line of the table: who serves, and what is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Row {
    Floor,
    Rtpengine,
    Ours(Work),
}

impl Row {
    /// In the order in which they are measured and shown.
    pub const ALL: [Row; 11] = [
        Row::Floor,
        Row::Rtpengine,
        Row::Ours(Work::Relay),
        Row::Ours(Work::Record),
        Row::Ours(Work::OtherLaw),
        Row::Ours(Work::Opus),
        Row::Ours(Work::Srtp),
        Row::Ours(Work::Browser),
        Row::Ours(Work::Whisper),
        Row::Ours(Work::Play),
        Row::Ours(Work::Hold),
    ];
    /// Those whose highest number of calls is looked for.
    pub const SEARCHED: [Row; 3] = [Row::Floor, Row::Rtpengine, Row::Ours(Work::Relay)];

    /// For arguments and raw lines.
    pub fn name(self) -> &'static str {
        match self {
            Row::Floor => "floor",
            Row::Rtpengine => "rtpengine",
            Row::Ours(Work::Relay) => "relay",
            Row::Ours(Work::Record) => "relay+recording",
            Row::Ours(Work::OtherLaw) => "pcmu-pcma",
            Row::Ours(Work::Opus) => "pcmu-opus",
            Row::Ours(Work::Srtp) => "srtp-rtp",
            Row::Ours(Work::Browser) => "browser-rtp",
            Row::Ours(Work::Whisper) => "three-whisper",
            Row::Ours(Work::Play) => "prompt",
            Row::Ours(Work::Hold) => "music-on-hold",
        }
    }

    /// How many calls to measure where the others have `calls`: as many legs where a call has one, fewer where each is dear.
    pub fn calls(self, calls: usize) -> usize {
        match self {
            Row::Ours(Work::Play | Work::Hold) => calls * 2,
            Row::Ours(Work::Opus) => calls.div_ceil(3),
            _ => calls,
        }
    }

    /// Phones of one call.
    pub fn phones(self) -> usize {
        match self {
            Row::Ours(work) => work.phones(),
            Row::Floor | Row::Rtpengine => 2,
        }
    }
}

/// What was measured.
#[derive(Debug, Clone)]
pub struct Sample {
    pub row: Row,
    pub calls: usize,
    pub m: Measured,
    /// Memory of the server with the calls less what it holds with one, for each call, bytes.
    pub rss_per_call: f64,
    /// Mean number of processes that wanted to run meanwhile: what else this machine did.
    pub load: f64,
}

impl Sample {
    /// Loss at most 0.1 %, and all but a hundredth of the packets within 40 ms.
    pub fn holds(&self) -> bool {
        self.m.loss() <= 0.001 && self.m.delay.percentile(99.0).is_some_and(|ms| ms <= 40.0)
    }

    /// We could not keep the pace ourselves: more than a hundredth of the frames' parts left late.
    pub fn ours_failed(&self) -> bool {
        let parts = self.m.window_ns as f64 / 250_000.0;
        self.m.late as f64 > parts / 100.0
    }
}

/// The most that held, and whether it was us who could not play more.
#[derive(Debug, Clone, Copy)]
pub struct Highest {
    pub calls: usize,
    pub limited_by_us: bool,
}

/// What all measurements share.
#[derive(Debug)]
pub struct Bench {
    pub exchange: Exchange,
    pub places: Places,
    /// Where recordings go; emptied after each measurement.
    pub files: PathBuf,
}

impl Bench {
    /// `None` where the server is not installed. `base`: its memory with one call, bytes.
    pub fn measure(&self, row: Row, base: u64, calls: usize, length: Length) -> io::Result<Option<Sample>> {
        let heard_at: Vec<SocketAddrV4> = (0..calls * row.phones()).map(|i| self.exchange.address(i)).collect();
        let sample = match row {
            Row::Floor => {
                let (server, to) = server::floor(&heard_at, self.places)?;
                self.play(row, calls, (&to, &[]), server.pid(), base, length)?
            }
            Row::Rtpengine => {
                let Some(mut server) = Rtpengine::start(self.places)? else { return Ok(None) };
                let to = server.connect(&heard_at)?;
                self.play(row, calls, (&to, &[]), server.pid(), base, length)?
            }
            Row::Ours(work) => {
                let mut server = engine::start(self.places)?;
                let (to, browsers) = engine::connect(&mut server, work, &heard_at, &self.exchange, &self.files)?;
                self.play(row, calls, (&to, &browsers), server.pid(), base, length)?
            }
        };
        match fs::remove_dir_all(&self.files) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
            _ => Ok(Some(sample)),
        }
    }

    /// Whether whoever serves this row can do it: of one call most is heard. Its memory with that call, bytes.
    pub fn can(&self, row: Row) -> io::Result<Option<u64>> {
        let moment = Duration::from_millis(500);
        let one = self.measure(row, 0, 1, Length { warm: moment, window: moment })?;
        Ok(one.filter(|s| s.m.loss() < 0.5).map(|s| s.m.rss))
    }

    fn play(
        &self,
        row: Row,
        calls: usize,
        (to, browsers): (&[SocketAddrV4], &[Browser]),
        pid: u32,
        base: u64,
        length: Length,
    ) -> io::Result<Sample> {
        let work = if let Row::Ours(work) = row { work } else { Work::Relay };
        let phones: Vec<Phone> = to.iter().enumerate().map(|(i, to)| work.phone(i % row.phones(), *to)).collect();
        let m = self.exchange.play(&phones, browsers, pid, length)?;
        let rss_per_call = m.rss.saturating_sub(base) as f64 / (calls - 1).max(1) as f64;
        Ok(Sample { row, calls, m, rss_per_call, load: proc::load_average() })
    }

    /// From a guess up or down by steps of an eighth, then halved twice. A failure of ours ends the way up.
    pub fn highest(
        &self,
        (row, base): (Row, u64),
        guess: usize,
        mut probed: impl FnMut(&Sample) -> io::Result<()>,
    ) -> io::Result<Highest> {
        let length = Length { warm: Duration::from_secs(1), window: Duration::from_secs(3) };
        let (mut good, mut bad, mut limited) = (0, usize::MAX, false);
        let mut calls = guess.max(50);
        for _ in 0..10 {
            let Some(s) = self.measure(row, base, calls, length)? else { break };
            probed(&s)?;
            if s.holds() {
                (good, limited) = (calls, false);
            } else {
                (bad, limited) = (calls, s.ours_failed());
            }
            calls = match (good, bad) {
                (0, _) => calls * 7 / 8,
                (_, usize::MAX) => calls * 9 / 8,
                _ if bad - good <= good / 25 => break,
                _ => good.midpoint(bad),
            };
        }
        Ok(Highest { calls: good, limited_by_us: limited })
    }
}
