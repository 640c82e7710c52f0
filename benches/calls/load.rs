//! Plays the phones: sends what they say packet by packet, spread over the frame, and measures what they hear.
//!
//! One thread that never sleeps, so that a packet leaves when it is due and the server is not paced by our waking up.

use std::{
    io,
    net::{Ipv4Addr, SocketAddrV4, UdpSocket},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use media::{
    srtp,
    wire::{Codec, Secret, SrtpKey, SrtpSuite},
};

use crate::{
    browser::Browser,
    proc,
    stamp::{Law, Stamp, Table},
    sys::{self, Batch, ROOM},
    voice,
};

/// Sockets all phones share: the server sees an address of ours for several of its ports, which is nothing to it, and we
/// take many packets with one system call.
const SOCKETS: usize = 32;
/// A frame, and into how many parts phones are spread over it.
const FRAME: Duration = Duration::from_millis(20);
const PARTS: usize = 80;
/// Packets stamped with one look at the clock.
const STAMPED: usize = 16;
/// What of the sound's size is in a frame of G.711.
const SAMPLES: usize = 160;
/// Packets from one check of a browser to the next: two and a half seconds, as browsers do.
const CHECK_EVERY: usize = 125;
/// Payload type of Opus.
pub const OPUS_PT: u8 = 111;
/// Room for each of our sockets: what arrives while we send.
const SOCKET_ROOM: i32 = 4 << 20;
/// After the window, for what is still on its way.
const DRAIN: Duration = Duration::from_millis(250);
/// Parts of the frame sent so much too late make a measurement ours, not the server's.
const LATE: Duration = Duration::from_millis(3);

/// What a phone says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Says {
    /// Nothing: it is on hold, or only listens.
    Nothing,
    /// Stamps, in this law, that somebody hears as stamps.
    Stamps(Law),
    /// Something like speech, for a mixer or nobody: what is heard is not what was said.
    Sound(Codec),
}

/// What is made of what a phone hears.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hears {
    /// Stamps, in this law: each packet is told apart and its delay known.
    Stamps(Law),
    /// Packets, counted.
    Packets,
}

/// One end of a call.
#[derive(Debug, Clone, Copy)]
pub struct Phone {
    /// Where it sends.
    pub to: SocketAddrV4,
    /// What.
    pub says: Says,
    /// What comes back.
    pub hears: Hears,
    /// What protects both ways.
    pub armour: Armour,
}

/// How a phone protects its packets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Armour {
    /// Not at all.
    Clear,
    /// SRTP with the keys of [`keys`].
    Sdes,
    /// SRTP with the keys of a handshake, and checks that it is still there.
    Browser,
}

/// What protects packets (to the server, from the server): the same for all phones, whose sources differ.
pub fn keys() -> (SrtpKey, SrtpKey) {
    let key = |byte| {
        let (suite, (key, salt)) = (SrtpSuite::Aes128Sha1Tag80, SrtpSuite::Aes128Sha1Tag80.lengths());
        SrtpKey { suite, key_and_salt: Secret(vec![byte; key + salt].into()) }
    };
    (key(1), key(2))
}

/// How long.
#[derive(Debug, Clone, Copy)]
pub struct Length {
    /// Before anything counts.
    pub warm: Duration,
    /// What counts.
    pub window: Duration,
}

/// What came of it.
#[derive(Debug, Clone, Default)]
pub struct Measured {
    /// Packets that should have been heard in the window.
    pub expected: u64,
    /// Packets that were.
    pub heard: u64,
    /// Run time of the server in the window, nanoseconds.
    pub cpu_ns: u64,
    /// Length of the window, nanoseconds.
    pub window_ns: u64,
    /// Memory of the server at its end, bytes.
    pub rss: u64,
    /// Delays of stamped packets, microseconds.
    pub delay: Delays,
    /// Parts of a frame sent late by us.
    pub late: u64,
}

impl Measured {
    /// Share of the packets that did not arrive.
    pub fn loss(&self) -> f64 {
        1.0 - self.heard.min(self.expected) as f64 / self.expected.max(1) as f64
    }

    /// Microseconds of the server's time for each packet heard.
    pub fn per_packet_us(&self) -> f64 {
        self.cpu_ns as f64 / 1e3 / self.heard.max(1) as f64
    }

    /// Share of one processor the server used.
    pub fn core(&self) -> f64 {
        self.cpu_ns as f64 / self.window_ns.max(1) as f64
    }
}

/// How many packets took how long, by the microsecond up to 100 ms.
#[derive(Debug, Clone)]
pub struct Delays {
    counts: Vec<u32>,
    total: u64,
    max_us: u64,
}

impl Default for Delays {
    fn default() -> Self {
        Self { counts: vec![0; 100_001], total: 0, max_us: 0 }
    }
}

impl Delays {
    /// One more, microseconds.
    pub fn add(&mut self, us: u64) {
        self.counts[us.min(100_000) as usize] += 1;
        self.total += 1;
        self.max_us = self.max_us.max(us);
    }

    /// So many of a hundred packets took at most so many milliseconds. `None` without packets.
    pub fn percentile(&self, percent: f64) -> Option<f64> {
        let rank = (self.total as f64 * percent / 100.0).ceil() as u64;
        let mut seen = 0;
        let us = self.counts.iter().position(|n| {
            seen += u64::from(*n);
            seen >= rank.max(1)
        })?;
        Some(us as f64 / 1e3)
    }

    /// The longest, milliseconds.
    pub fn max(&self) -> f64 {
        self.max_us as f64 / 1e3
    }
}

/// Sockets to play phones on.
#[derive(Debug)]
pub struct Exchange {
    sockets: Vec<UdpSocket>,
    addresses: Vec<SocketAddrV4>,
}

impl Exchange {
    pub fn open() -> io::Result<Self> {
        let mut it = Self { sockets: Vec::new(), addresses: Vec::new() };
        for _ in 0..SOCKETS {
            let s = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
            s.set_nonblocking(true)?;
            sys::stamp_arrivals(&s)?;
            sys::receive_room(&s, SOCKET_ROOM)?;
            it.addresses.push(SocketAddrV4::new(Ipv4Addr::LOCALHOST, s.local_addr()?.port()));
            it.sockets.push(s);
        }
        Ok(it)
    }

    /// Where the `phone`th hears.
    pub fn address(&self, phone: usize) -> SocketAddrV4 {
        self.addresses[phone % SOCKETS]
    }

    /// Where the `phone`th speaks and hears.
    pub fn socket(&self, phone: usize) -> &UdpSocket {
        &self.sockets[phone % SOCKETS]
    }

    /// Play. `pid` is the server's; `browsers`: the phones that are browsers, in their order.
    pub fn play(&self, phones: &[Phone], browsers: &[Browser], pid: u32, length: Length) -> io::Result<Measured> {
        let mut run = Run::new(self, phones, browsers)?;
        let end_warm = length.warm.as_nanos() as u64;
        let end = end_warm + length.window.as_nanos() as u64;
        run.until(end_warm);
        let (from, cpu) = (run.now(), proc::cpu_ns(pid)?);
        run.counts_from = from;
        run.until(end);
        run.counts_to = run.now();
        let cpu_ns = proc::cpu_ns(pid)?.saturating_sub(cpu);
        let mut measured = Measured { cpu_ns, window_ns: run.counts_to - from, rss: proc::rss(pid)?, ..Measured::default() };
        // The calls go on while the last packets of the window arrive: a server is not measured on its way to rest.
        run.until(end + DRAIN.as_nanos() as u64);
        let listeners = phones.iter().filter(|p| p.hears == Hears::Packets).count() as u64;
        measured.expected = run.sent + listeners * measured.window_ns / FRAME.as_nanos() as u64;
        measured.heard = run.heard;
        measured.delay = run.delay;
        measured.late = run.late;
        Ok(measured)
    }
}

/// One stream's state.
#[derive(Debug, Clone, Copy)]
struct Stream {
    phone: usize,
    sequence: u32,
}

struct Run<'a> {
    exchange: &'a Exchange,
    phones: &'a [Phone],
    /// Streams by part of the frame.
    parts: Vec<Vec<Stream>>,
    next_part: usize,
    due: u64,
    base: u64,
    mu: Table,
    a: Table,
    /// The codecs spoken, and a second of each.
    voices: Vec<(Codec, Vec<Vec<u8>>)>,
    /// Of each phone.
    guards: Vec<Option<(srtp::Sender, srtp::Receiver)>>,
    /// Of each phone: the connectivity check it repeats.
    checks: Vec<Option<&'a [u8]>>,
    /// By the server's port: which phone hears it.
    hearer: Box<[u32]>,
    batch: Batch,
    next_socket: usize,
    counts_from: u64,
    counts_to: u64,
    sent: u64,
    heard: u64,
    delay: Delays,
    late: u64,
}

impl<'a> Run<'a> {
    fn new(exchange: &'a Exchange, phones: &'a [Phone], browsers: &'a [Browser]) -> io::Result<Self> {
        let mut parts = vec![Vec::new(); PARTS];
        for phone in (0..phones.len()).filter(|i| phones[*i].says != Says::Nothing) {
            // A step that has no divisor with the parts: the two ends of a call speak at different moments.
            parts[phone * 37 % PARTS].push(Stream { phone, sequence: 0 });
        }
        // Phones of one socket next to each other: they can leave with one call.
        parts.iter_mut().for_each(|p| p.sort_by_key(|s| s.phone % SOCKETS));
        let mut hearer = vec![u32::MAX; 65_536].into_boxed_slice();
        for (i, p) in phones.iter().enumerate() {
            hearer[usize::from(p.to.port())] = i as u32;
        }
        let mut voices: Vec<(Codec, Vec<Vec<u8>>)> = Vec::new();
        for p in phones {
            if let Says::Sound(codec) = p.says
                && !voices.iter().any(|v| v.0 == codec)
            {
                voices.push((codec, voice::frames(codec)));
            }
        }
        let (to, from) = keys();
        let guard = |send, receive| {
            let pair = || Ok::<_, srtp::BadKey>((srtp::Sender::new(send)?, srtp::Receiver::new(receive)?));
            pair().map_err(|_| io::Error::other("a key of the wrong length"))
        };
        let (mut guards, mut checks, mut connected) = (Vec::new(), Vec::new(), browsers.iter());
        for p in phones {
            let browser = connected.by_ref().take(usize::from(p.armour == Armour::Browser)).next();
            let keys = match (p.armour, browser) {
                (Armour::Sdes, _) => Some((&to, &from)),
                (_, browser) => browser.map(|b| (&b.keys.send, &b.keys.receive)),
            };
            guards.push(keys.map(|(send, receive)| guard(send, receive)).transpose()?);
            checks.push(browser.map(|b| &*b.check));
        }
        Ok(Self {
            exchange,
            phones,
            voices,
            guards,
            checks,
            parts,
            next_part: 0,
            due: 0,
            base: real_ns(),
            mu: Table::new(Law::Mu),
            a: Table::new(Law::A),
            hearer,
            batch: Batch::new(),
            next_socket: 0,
            counts_from: u64::MAX,
            counts_to: u64::MAX,
            sent: 0,
            heard: 0,
            delay: Delays::default(),
            late: 0,
        })
    }

    /// Nanoseconds since the run began.
    fn now(&self) -> u64 {
        real_ns().saturating_sub(self.base)
    }

    fn until(&mut self, end: u64) {
        loop {
            let now = self.now();
            if now >= end {
                return;
            }
            if now >= self.due {
                if now > self.due + LATE.as_nanos() as u64 && self.counting(now) {
                    self.late += 1;
                }
                self.speak();
                self.due += FRAME.as_nanos() as u64 / PARTS as u64;
                self.next_part = (self.next_part + 1) % PARTS;
            } else {
                self.listen();
            }
        }
    }

    fn counting(&self, at: u64) -> bool {
        (self.counts_from..self.counts_to).contains(&at)
    }

    fn speak(&mut self) {
        let mut streams = std::mem::take(&mut self.parts[self.next_part]);
        let mut i = 0;
        while i < streams.len() {
            let socket = streams[i].phone % SOCKETS;
            let time = self.now();
            let counts = self.counting(time);
            let mut n = 0;
            while n < STAMPED && !self.batch.is_full() && streams.get(i).is_some_and(|s| s.phone % SOCKETS == socket) {
                self.check(streams[i]);
                self.packet(&mut streams[i], time);
                self.sent += u64::from(counts && matches!(self.phones[streams[i].phone].says, Says::Stamps(_)));
                (i, n) = (i + 1, n + 1);
            }
            // What the kernel did not take counts as lost on the way: the window's loss shows it.
            self.batch.send(&self.exchange.sockets[socket]);
        }
        self.parts[self.next_part] = streams;
    }

    /// A browser asks again and again whether it is still wanted (RFC 7675).
    fn check(&mut self, stream: Stream) {
        if let Some(check) =
            self.checks[stream.phone].filter(|_| (stream.sequence as usize + stream.phone).is_multiple_of(CHECK_EVERY))
        {
            self.batch.push(self.phones[stream.phone].to, |b| {
                b[..check.len()].copy_from_slice(check);
                check.len()
            });
        }
    }

    fn packet(&mut self, stream: &mut Stream, time: u64) {
        let Self { phones, batch, mu, a, voices, guards, .. } = self;
        let (phone, guard) = (&phones[stream.phone], &mut guards[stream.phone]);
        let sequence = stream.sequence;
        stream.sequence += 1;
        batch.push(phone.to, |b| {
            let length = match phone.says {
                Says::Nothing => 0,
                Says::Stamps(law) => {
                    let (table, pt) = if law == Law::A { (a, 8) } else { (mu, 0) };
                    header(b, pt, sequence, stream.phone as u32, SAMPLES as u32);
                    table.write(Stamp { stream: stream.phone as u32, sequence, time }, &mut b[12..12 + SAMPLES]);
                    12 + SAMPLES
                }
                Says::Sound(codec) => {
                    let (pt, step) = match codec {
                        Codec::Opus => (OPUS_PT, 960),
                        Codec::Pcma => (8, SAMPLES as u32),
                        _ => (0, SAMPLES as u32),
                    };
                    header(b, pt, sequence, stream.phone as u32, step);
                    let frames = voices.iter().find(|v| v.0 == codec).map(|v| &v.1);
                    let frame = frames.map_or(&[][..], |f| &f[sequence as usize % f.len()]);
                    b[12..12 + frame.len()].copy_from_slice(frame);
                    12 + frame.len()
                }
            };
            // What cannot be protected is not sent: an empty datagram is nothing to anybody.
            guard.as_mut().map_or(Some(length), |g| g.0.protect_rtp(b, length)).unwrap_or(0)
        });
    }

    fn listen(&mut self) {
        let socket = &self.exchange.sockets[self.next_socket];
        self.next_socket = (self.next_socket + 1) % SOCKETS;
        let n = self.batch.receive(socket);
        for i in 0..n {
            let r = self.batch.get(i);
            let Some(phone) = self.phones.get(self.hearer[usize::from(r.from.port())] as usize) else { continue };
            // RTCP of the server (RFC 5761 section 4), and its answers to checks (RFC 7983), are not what is counted.
            if r.bytes.len() < 12 || r.bytes[0] >> 6 != 2 || (192..=223).contains(&r.bytes[1]) {
                continue;
            }
            let mut open = [0; ROOM];
            let payload = match &mut self.guards[self.hearer[usize::from(r.from.port())] as usize] {
                None => &r.bytes[12..],
                Some(guard) => {
                    open[..r.bytes.len()].copy_from_slice(r.bytes);
                    let Ok(n) = guard.1.unprotect_rtp(&mut open[..r.bytes.len()]) else { continue };
                    &open[12..n]
                }
            };
            let at = r.at.map_or_else(|| self.now(), |at| at.saturating_sub(self.base));
            let table = match phone.hears {
                Hears::Stamps(Law::Mu) => &self.mu,
                Hears::Stamps(Law::A) => &self.a,
                Hears::Packets => {
                    if self.counting(at) {
                        self.heard += 1;
                    }
                    continue;
                }
            };
            let Some(s) = table.read(payload) else { continue };
            if self.counting(s.time) && (s.stream as usize) < self.phones.len() {
                self.heard += 1;
                self.delay.add(at.saturating_sub(s.time) / 1_000);
            }
        }
        self.batch.clear();
    }
}

/// An RTP header (RFC 3550 section 5.1) of a stream that began at zero.
fn header(packet: &mut [u8], pt: u8, sequence: u32, ssrc: u32, step: u32) {
    packet[0] = 0x80;
    packet[1] = pt;
    packet[2..4].copy_from_slice(&(sequence as u16).to_be_bytes());
    packet[4..8].copy_from_slice(&sequence.wrapping_mul(step).to_be_bytes());
    packet[8..12].copy_from_slice(&(0x1000_0000 + ssrc).to_be_bytes());
}

/// The clock the kernel stamps arrivals with, nanoseconds since 1970.
#[expect(clippy::disallowed_methods, reason = "a load generator measures the world")]
pub fn real_ns() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos() as u64
}
