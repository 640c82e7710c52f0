//! Live sound between the engine and one other thread: a ring of samples with one writer and one reader, without a lock.
//!
//! The engine never waits: what does not fit is dropped by the writer and counted, what is not there is silence for the
//! reader. Whoever sits at the other end looks in every so often (20 ms); there is nobody to wake.

use std::sync::{
    Arc,
    atomic::{
        AtomicBool, AtomicI16, AtomicU64,
        Ordering::{Acquire, Relaxed, Release},
    },
};

use crate::wire::Rate;

/// See the module. Clones are the same pipe; one of them writes, one reads.
#[derive(Clone)]
pub struct Pipe(Arc<Ring>);

struct Ring {
    rate: Rate,
    samples: Box<[AtomicI16]>,
    /// Samples ever written and ever read.
    written: AtomicU64,
    read: AtomicU64,
    lost: AtomicU64,
    closed: AtomicBool,
}

impl std::fmt::Debug for Pipe {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Pipe({} Hz, {} waiting)", self.0.rate.hz(), self.waiting())
    }
}

impl PartialEq for Pipe {
    /// The same ring.
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Pipe {
    /// Room for `ms` milliseconds of mono sound.
    pub fn new(rate: Rate, ms: u32) -> Self {
        let samples = (0..rate.samples(ms.max(1))).map(|_| AtomicI16::new(0)).collect();
        Self(Arc::new(Ring {
            rate,
            samples,
            written: AtomicU64::new(0),
            read: AtomicU64::new(0),
            lost: AtomicU64::new(0),
            closed: AtomicBool::new(false),
        }))
    }

    /// Of the sound in it.
    pub fn rate(&self) -> Rate {
        self.0.rate
    }

    /// Samples written and not read yet.
    pub fn waiting(&self) -> usize {
        // Read first: a writer in between only makes it more.
        let read = self.0.read.load(Acquire);
        (self.0.written.load(Acquire) - read) as usize
    }

    /// Room for so many samples more.
    pub fn room(&self) -> usize {
        self.0.samples.len() - self.waiting()
    }

    /// Append; how many samples found room. The rest is counted as lost when `drop` says that nobody will bring it again.
    pub fn write(&self, pcm: &[i16], drop: bool) -> usize {
        let ring = &*self.0;
        let n = pcm.len().min(self.room());
        let start = ring.written.load(Relaxed);
        for (i, s) in pcm[..n].iter().enumerate() {
            ring.samples[((start + i as u64) % ring.samples.len() as u64) as usize].store(*s, Relaxed);
        }
        ring.written.store(start + n as u64, Release);
        if drop && n < pcm.len() {
            ring.lost.fetch_add((pcm.len() - n) as u64, Relaxed);
        }
        n
    }

    /// Take as many samples as there are and fit; how many.
    pub fn read(&self, out: &mut [i16]) -> usize {
        let ring = &*self.0;
        let n = out.len().min(self.waiting());
        let start = ring.read.load(Relaxed);
        for (i, o) in out[..n].iter_mut().enumerate() {
            *o = ring.samples[((start + i as u64) % ring.samples.len() as u64) as usize].load(Relaxed);
        }
        ring.read.store(start + n as u64, Release);
        n
    }

    /// Samples that found no room since this was last asked.
    pub fn take_lost(&self) -> u64 {
        self.0.lost.swap(0, Relaxed)
    }

    /// Nothing more will be written.
    pub fn close(&self) {
        self.0.closed.store(true, Release);
    }

    /// Whether the writer said that nothing more will come; what waits can still be read.
    pub fn closed(&self) -> bool {
        self.0.closed.load(Acquire)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_in_order_across_the_end_of_the_ring() {
        let p = Pipe::new(Rate::K8, 1);
        let mut out = [0; 8];
        for round in 0..5i16 {
            let said: Vec<i16> = (0..6).map(|i| round * 6 + i).collect();
            assert_eq!(p.write(&said, false), 6);
            assert_eq!(p.read(&mut out), 6);
            assert_eq!(out[..6], said);
        }
    }

    #[test]
    fn what_finds_no_room_is_lost_and_counted_once() {
        let p = Pipe::new(Rate::K8, 1);
        assert_eq!(p.write(&[7; 10], true), 8);
        assert_eq!((p.take_lost(), p.take_lost(), p.room()), (2, 0, 0));
        p.close();
        assert!(p.closed() && p.waiting() == 8);
    }

    #[test]
    fn a_writer_and_a_reader_on_two_threads_agree_on_every_sample() {
        // Miri looks at every access, and takes its time.
        const SAMPLES: i16 = if cfg!(miri) { 200 } else { 20_000 };
        let p = Pipe::new(Rate::K16, 4);
        let writer = p.clone();
        let t = std::thread::spawn(move || {
            let mut next = 0i16;
            while next < SAMPLES {
                next += writer.write(&[next], false) as i16;
                std::hint::spin_loop();
            }
            writer.close();
        });
        let (mut out, mut expected) = ([0; 7], 0i16);
        while !(p.closed() && p.waiting() == 0) {
            std::hint::spin_loop();
            let n = p.read(&mut out);
            for s in &out[..n] {
                assert_eq!(*s, expected);
                expected += 1;
            }
        }
        t.join().expect("the writer writes");
        assert_eq!(expected, SAMPLES);
    }
}
