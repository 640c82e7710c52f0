//! The whole contract of the engine: what it may be told ([`Command`]) and what it says back ([`Event`]).
//!
//! Closed sets on purpose: whoever commands the engine never holds a reference into it, and a fake that answers these
//! messages is a complete stand-in for it in the simulator.

mod agreed;
mod stats;

pub use crate::pipe::Pipe;
pub use agreed::{Codec, Direction, DtlsRole, Ice, Opus, Rate, Remote, Secret, Security, SrtpKey, SrtpSuite, Xr};
pub use stats::{Stats, VoipMetrics};

use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

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

/// A live copy of a leg's sound. Named by the commander, never used twice in a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TapId(pub u64);

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
        /// Our credentials for a peer that checks connectivity (a browser): we are a lite agent (RFC 8445 section 2.5), and
        /// RTCP shares the RTP port.
        ice: Option<Ice>,
    },
    /// Other credentials of ours: a restart of ICE (RFC 8445 section 9), agreed right after. The old ones, and the pair they
    /// found, serve until a check with the new ones comes.
    Credentials {
        /// Whose.
        leg: LegId,
        /// The new ones.
        ice: Ice,
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
    /// Play what is being made at this moment (speech synthesis, an outside socket) until its writer closes it. A pipe that
    /// runs dry is silence. Otherwise as [`Command::Play`].
    PlayPipe {
        /// To whom.
        leg: LegId,
        /// Name of the playback.
        play: PlayId,
        /// Where the sound comes from.
        pipe: Pipe,
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
    /// Record two legs into one new file. A side that is not there yet is silence, with one exception: while there is no
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
        /// What the file holds.
        format: RecordFormat,
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
    /// Copy what a leg says, or is told, into a pipe from now on, one pipe a direction. A reader that is too slow loses its
    /// own copy: [`Event::TapLost`].
    Tap {
        /// Name of the tap.
        tap: TapId,
        /// Whose.
        leg: LegId,
        /// What the leg says goes here.
        said: Option<Pipe>,
        /// What the leg hears goes here.
        heard: Option<Pipe>,
    },
    /// End a tap; its pipes are closed.
    StopTap {
        /// Which tap.
        tap: TapId,
    },
    /// Look for these in what a leg says, from now on; what is not named is no longer looked for.
    Detect {
        /// Which leg.
        leg: LegId,
        /// What for.
        detect: Detect,
    },
    /// Send [`Event::Stats`] for this leg now.
    Report {
        /// Which leg.
        leg: LegId,
    },
}

/// What a recording's file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum RecordFormat {
    /// WAV, 16 bit linear, 8 kHz, two channels.
    #[default]
    Wav,
    /// Ogg with one stereo Opus stream (RFC 7845): a tenth of the size. In a build without Opus there is no file, and
    /// [`Event::RecordTrouble`] says [`RecordTrouble::Io`].
    OggOpus,
}

/// What is looked for in the sound a leg sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Detect {
    /// Digits as tones (ITU-T Q.23): told as [`Event::Digit`]. For peers that did not agree to telephone events.
    pub tones: bool,
    /// Begin and end of speech: [`Event::Voice`].
    pub voice: bool,
    /// Whether a person or a machine answered, and the machine's beep: [`Event::Answerer`], [`Event::Beep`].
    pub answerer: bool,
}

/// Who picked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Answerer {
    /// A short greeting, then silence.
    Human,
    /// A long announcement.
    Machine,
    /// Nothing to go by in time.
    Unclear,
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
    /// What arrives from a leg is sound of nobody for the time [`Command::WatchSilence`] named: a muted or dead microphone.
    /// Known where we decode, and of G.711 in a relay.
    /// Said once, and again after it was heard.
    Quiet {
        /// Which leg.
        leg: LegId,
    },
    /// The handshake of [`Security::Dtls`] is done: sound flows.
    Secured {
        /// Which leg.
        leg: LegId,
    },
    /// The handshake failed, or the certificate is not the one announced. Nothing will flow until something new is agreed.
    Unsecured {
        /// Which leg.
        leg: LegId,
        /// For the log and the ladder.
        reason: &'static str,
    },
    /// Speech began or ended.
    Voice {
        /// Whose.
        leg: LegId,
        /// Began.
        speaking: bool,
    },
    /// Who picked up.
    Answerer {
        /// Which leg.
        leg: LegId,
        /// Who.
        by: Answerer,
    },
    /// The machine's beep is over: it records from now on.
    Beep {
        /// Which leg.
        leg: LegId,
    },
    /// The reader of a tap was too slow; so much of its copy is missing. Said at most once a second.
    TapLost {
        /// Which tap.
        tap: TapId,
        /// Missing since the last time it was said.
        lost: Duration,
    },
    /// Answer to [`Command::Report`], and unasked every few seconds once something was agreed.
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
