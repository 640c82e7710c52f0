//! The whole contract of the engine: what it may be told ([`Command`]) and what it says back ([`Event`]).
//!
//! Closed sets on purpose: whoever commands the engine never holds a reference into it, and a fake that answers these
//! messages is a complete stand-in for it in the simulator.

use std::{
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

/// One party's media attachment: one local RTP/RTCP port pair. Named by the commander, never used twice in a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LegId(pub u64);

/// Legs that hear each other. Named by the commander, never used twice in a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BridgeId(pub u64);

/// One playback on one leg. Named by the commander, never used twice in a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PlayId(pub u64);

/// One recording. Named by the commander, never used twice in a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordId(pub u64);

/// An audio encoding the engine can decode and encode. A new codec is a new variant, and the compiler shows where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Codec {
    /// G.711 mu-law, 8 kHz.
    Pcmu,
    /// G.711 A-law, 8 kHz.
    Pcma,
}

/// Which way audio flows, seen from us (RFC 3264 section 6.1, already turned round).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Direction {
    /// Both ways.
    #[default]
    SendRecv,
    /// We send, the peer does not: what it sends is counted and dropped.
    SendOnly,
    /// We listen only.
    RecvOnly,
    /// Neither; the port stays open.
    Inactive,
}

/// What offer/answer agreed for one leg.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remote {
    /// Where to send RTP.
    pub rtp: SocketAddr,
    /// Where to send RTCP: RTP port + 1 unless `a=rtcp` said otherwise; equal to `rtp` with rtcp-mux.
    pub rtcp: SocketAddr,
    /// The agreed codec.
    pub codec: Codec,
    /// Payload type we put on packets we send.
    pub send_pt: u8,
    /// Payload type the peer puts on packets it sends (asymmetric numbering is legal, RFC 3264 section 5.1).
    pub recv_pt: u8,
    /// Payload types for telephone-event (RFC 4733): (we send, we receive).
    pub dtmf_pt: Option<(u8, u8)>,
    /// Packet time we send, milliseconds: 10 to 60.
    pub ptime_ms: u8,
    /// Who sends.
    pub direction: Direction,
    /// When the peer sits behind a NAT: the address its signalling came from. Packets from this IP may latch the stream,
    /// once, to the port they come from. `None`: only `rtp` counts.
    pub nat: Option<IpAddr>,
}

/// Audio held in memory: mono, 16 bit linear at 8 kHz. Shared by all listeners.
#[derive(PartialEq, Eq)]
pub struct Clip {
    /// Samples at 8 kHz.
    pub pcm: Box<[i16]>,
}

impl std::fmt::Debug for Clip {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Clip({:?})", self.duration())
    }
}

impl Clip {
    /// How long it plays.
    pub fn duration(&self) -> Duration {
        Duration::from_micros(self.pcm.len() as u64 * 125)
    }
}

/// How often a playback plays its clips.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Repeat {
    /// Play the clips once, then say [`Event::Played`].
    Once,
    /// Start over without a gap until stopped (queue music, ringback).
    Forever,
}

/// Who hears whom in a bridge, and how loud. A row per listener: the legs it hears. What is not listed is silent.
///
/// Listen, whisper and barge are three rows of this table and nothing else.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Audience {
    /// `(listener, speakers)`.
    pub rows: Vec<(LegId, Vec<LegId>)>,
}

impl Audience {
    /// Everybody hears everybody else.
    pub fn all(legs: &[LegId]) -> Self {
        let others = |me: &LegId| legs.iter().copied().filter(|l| l != me).collect();
        Self { rows: legs.iter().map(|me| (*me, others(me))).collect() }
    }
}

/// What the engine may be told. Order is kept.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Bind an RTP/RTCP port pair for a leg. Answered by [`Event::Opened`] or [`Event::OpenFailed`].
    Open {
        /// The new leg.
        leg: LegId,
        /// This even port (a restart wants its old one back), else the next free pair.
        port: Option<u16>,
    },
    /// What offer/answer agreed, first time or again. A new remote address lets the stream latch anew.
    Agree {
        /// Whose.
        leg: LegId,
        /// What.
        remote: Remote,
    },
    /// Give the port back. Answered by [`Event::Closed`] with the leg's final [`Stats`].
    Close {
        /// Which leg.
        leg: LegId,
    },
    /// Put legs together; each leaves the bridge it was in. Two legs of one codec that hear each other are relayed packet
    /// by packet; anything else is mixed. The engine changes between the two without a jump in sequence or timestamp.
    /// The same bridge again with other rows changes who hears whom; legs no longer named leave it.
    Bridge {
        /// Its name.
        bridge: BridgeId,
        /// Who hears whom.
        audience: Audience,
    },
    /// Take one leg out of its bridge. A bridge without legs is gone.
    Unbridge {
        /// Which leg.
        leg: LegId,
    },
    /// Play clips to a leg, one after another, instead of whatever it would hear. A newer playback ends the older one.
    /// Before something was agreed the playback waits; on hold it runs on unheard.
    Play {
        /// To whom.
        leg: LegId,
        /// Name of the playback.
        play: PlayId,
        /// What, in order.
        clips: Vec<Arc<Clip>>,
        /// How often.
        repeat: Repeat,
    },
    /// End a playback if it still runs. [`Event::Played`] follows with `finished: false`.
    StopPlay {
        /// On which leg.
        leg: LegId,
        /// Which playback; a newer one goes on.
        play: PlayId,
    },
    /// Send digits as RFC 4733 events, in order, or as tones in the sound to a peer that did not agree to events.
    /// Answered by [`Event::DtmfSent`].
    SendDtmf {
        /// To whom.
        leg: LegId,
        /// `0-9*#A-D`; anything else is skipped.
        digits: String,
        /// How long each sounds; 40 ms to 8 s.
        tone: Duration,
        /// Silence after each.
        gap: Duration,
    },
    /// Record two legs into one new WAV file. A side that is not there yet is silence, with one exception: while there is no
    /// right side the right channel is what the left leg hears (prompts, music).
    Record {
        /// Name of the recording.
        record: RecordId,
        /// Says what is on the left channel.
        left: Option<LegId>,
        /// Says what is on the right channel.
        right: Option<LegId>,
        /// The file. Folders are made; an existing file is not written over.
        path: PathBuf,
    },
    /// From now on the channels are fed by these legs, without a break.
    RecordSides {
        /// Which recording.
        record: RecordId,
        /// Says what is on the left channel.
        left: Option<LegId>,
        /// Says what is on the right channel.
        right: Option<LegId>,
    },
    /// Write silence instead of sound (card digits), or go on writing sound. The 200 ms before a pause are silenced, too.
    RecordPause {
        /// Which recording.
        record: RecordId,
        /// Silence, or sound again.
        paused: bool,
    },
    /// Close the file. Answered by [`Event::Recorded`].
    StopRecord {
        /// Which recording.
        record: RecordId,
    },
    /// Say [`Event::Silent`] once when nothing valid was received for so long, and again after the next silence.
    WatchSilence {
        /// Which leg.
        leg: LegId,
        /// How long, from now; `None` stops watching.
        after: Option<Duration>,
    },
    /// Send [`Event::Stats`] for this leg now.
    Report {
        /// Which leg.
        leg: LegId,
    },
}

/// Why a port pair could not be opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// Every pair of the range is taken: answer 503.
    #[error("no free RTP port pair in {lo}-{hi}")]
    NoPorts {
        /// First port of the range.
        lo: u16,
        /// Last port of the range.
        hi: u16,
    },
    /// The pair asked for by number is taken.
    #[error("RTP port {port} is in use")]
    InUse {
        /// The port asked for.
        port: u16,
    },
    /// The system refused: out of file descriptors, for example.
    #[error("cannot bind an RTP port: {reason}")]
    System {
        /// What the system said.
        reason: String,
    },
}

/// Why a recording is shorter than the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RecordTrouble {
    /// No room on the disk (or over quota).
    DiskFull,
    /// The file could not be created or written.
    Io,
    /// The writer could not keep up and blocks were dropped.
    Overrun,
}

/// What a leg has seen so far.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Stats {
    /// RTP packets received and taken.
    pub packets_in: u64,
    /// RTP packets sent.
    pub packets_out: u64,
    /// Payload bytes received.
    pub bytes_in: u64,
    /// Payload bytes sent.
    pub bytes_out: u64,
    /// Packets the sequence numbers say were lost (RFC 3550 A.3).
    pub lost: u64,
    /// Packets that were not RTP, not for us, or from a stranger: dropped.
    pub foreign: u64,
    /// Packets that came twice or too late.
    pub discarded: u64,
    /// Interarrival jitter (RFC 3550 A.8), microseconds.
    pub jitter_us: u32,
    /// Round trip from RTCP (RFC 3550 6.4.1), microseconds; `None` until a report came back.
    pub rtt_us: Option<u32>,
    /// Fraction lost the peer reported about us, 0 to 255 (RFC 3550 6.4.1).
    pub peer_fraction_lost: Option<u8>,
}

impl Stats {
    /// What a listener would say of the sound that came in, 1 (bad) to 4.4: the E-model (ITU-T G.107) for G.711 with losses
    /// concealed (G.113: Bpl 25.1), from loss, jitter, and half the round trip. `None` before the first packet.
    pub fn mos(&self) -> Option<f32> {
        if self.packets_in == 0 {
            return None;
        }
        let missing = (self.lost + self.discarded) as f32;
        let loss = 100.0 * missing / (self.packets_in as f32 + missing);
        // One way: half the round trip, a frame, and a buffer of twice the jitter.
        let delay = self.rtt_us.unwrap_or(0) as f32 / 2_000.0 + 20.0 + 2.0 * self.jitter_us as f32 / 1_000.0;
        let by_delay = 0.024 * delay + 0.11 * (delay - 177.3).max(0.0);
        let r = 93.2 - by_delay - 95.0 * loss / (loss + 25.1);
        Some(match r {
            r if r <= 0.0 => 1.0,
            r => (1.0 + 0.035 * r + r * (r - 60.0) * (100.0 - r) * 7e-6).clamp(1.0, 4.5),
        })
    }
}

/// What the engine says.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// The pair is bound; RTCP is `rtp_port + 1`.
    Opened {
        /// Which leg.
        leg: LegId,
        /// The even port.
        rtp_port: u16,
    },
    /// No port; the leg does not exist.
    OpenFailed {
        /// Which leg.
        leg: LegId,
        /// Why.
        error: OpenError,
    },
    /// The first packet of the agreed peer arrived. The stream stays with this address until something new is agreed.
    Latched {
        /// Which leg.
        leg: LegId,
        /// Where it comes from.
        from: SocketAddr,
    },
    /// A digit was pressed and released (RFC 4733), reported exactly once.
    Digit {
        /// By whom.
        leg: LegId,
        /// `0-9*#A-D`.
        digit: char,
        /// How long the key was down.
        held: Duration,
    },
    /// A playback is over: to its end, or stopped, replaced, or its leg closed.
    Played {
        /// On which leg.
        leg: LegId,
        /// Which playback.
        play: PlayId,
        /// To its end.
        finished: bool,
    },
    /// Every digit asked for is on the wire.
    DtmfSent {
        /// To whom.
        leg: LegId,
    },
    /// The file is closed.
    Recorded {
        /// Which recording.
        record: RecordId,
        /// How long it plays.
        duration: Duration,
        /// Size of the file; 0 if there is none.
        bytes: u64,
        /// Set when it is not whole.
        trouble: Option<RecordTrouble>,
    },
    /// The recording is in trouble right now; the call is not. Said once per recording.
    RecordTrouble {
        /// Which recording.
        record: RecordId,
        /// What happened.
        trouble: RecordTrouble,
    },
    /// Nothing valid was received for the time [`Command::WatchSilence`] named.
    Silent {
        /// Which leg.
        leg: LegId,
    },
    /// Answer to [`Command::Report`].
    Stats {
        /// Which leg.
        leg: LegId,
        /// Its figures so far.
        stats: Stats,
    },
    /// The leg is gone and its port is free. Comes unasked, too, when the engine had to give a leg up.
    Closed {
        /// Which leg.
        leg: LegId,
        /// Its final figures.
        stats: Stats,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clean_call_is_good_one_in_twenty_lost_is_fair_and_a_third_lost_is_bad() {
        let mos = |lost, rtt_us| Stats { packets_in: 1_000 - lost, lost, rtt_us, ..Stats::default() }.mos().expect("packets");
        assert!(mos(0, Some(20_000)) > 4.3);
        assert!((3.3..4.0).contains(&mos(50, None)), "{}", mos(50, None));
        assert!(mos(330, None) < 2.2);
        assert!(mos(0, Some(800_000)) < 3.7, "a satellite is no pleasure");
        assert_eq!(Stats::default().mos(), None);
    }
}
