//! The whole contract of the engine: what it may be told ([`Command`]) and what it says back ([`Event`]).
//!
//! Closed sets on purpose: whoever commands the engine never holds a reference into it, and a fake that answers these
//! messages is a complete stand-in for it in the simulator.

pub use crate::pipe::Pipe;

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

/// A live copy of a leg's sound. Named by the commander, never used twice in a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TapId(pub u64);

/// An audio encoding the engine can decode and encode. A new codec is a new variant, and the compiler shows where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Codec {
    /// G.711 mu-law, 8 kHz.
    Pcmu,
    /// G.711 A-law, 8 kHz.
    Pcma,
    /// G.722 at 64 kbit/s, 16 kHz.
    G722,
    /// Opus (RFC 6716, RFC 7587), up to 48 kHz. Only a build with the feature `opus` can speak it.
    Opus,
    /// 16 bit linear in network order, one channel (RFC 3551 section 4.5.11).
    L16(Rate),
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

/// How many samples of linear sound a second holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum Rate {
    /// 8 kHz: the telephone.
    #[default]
    K8,
    /// 16 kHz: wideband, and what recognisers want.
    K16,
    /// 48 kHz: all of Opus.
    K48,
}

impl Rate {
    /// In hertz.
    pub const fn hz(self) -> u32 {
        match self {
            Self::K8 => 8_000,
            Self::K16 => 16_000,
            Self::K48 => 48_000,
        }
    }

    /// Samples in `ms` milliseconds.
    pub const fn samples(self, ms: u32) -> usize {
        (self.hz() / 1_000 * ms) as usize
    }
}

/// What the peer asks of Opus packets sent to it (`a=fmtp`, RFC 7587 section 6.1). Without meaning for other codecs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Opus {
    /// More than this it would not play (`maxplaybackrate`).
    pub rate: Rate,
    /// Most bits a second (`maxaveragebitrate`); `None`: what suits the rate.
    pub bitrate: Option<u32>,
    /// It can use in-band forward error correction (`useinbandfec`).
    pub fec: bool,
    /// It would rather not be sent silence (`usedtx`).
    pub dtx: bool,
    /// It can hear two channels (`stereo`); we send one all the same, and count it only when reading what comes.
    pub stereo: bool,
}

impl Default for Opus {
    /// What RFC 7587 says of an absent `fmtp`.
    fn default() -> Self {
        Self { rate: Rate::K48, bitrate: None, fec: false, dtx: false, stereo: false }
    }
}

/// Bytes nobody may print: keys, passwords.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub Box<[u8]>);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Secret({} bytes)", self.0.len())
    }
}

/// A cipher and a tag for SRTP (RFC 3711, RFC 4568 section 6.2, RFC 6188, RFC 7714).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SrtpSuite {
    /// `AES_CM_128_HMAC_SHA1_80`, mandatory in both SDES and DTLS-SRTP.
    Aes128Sha1Tag80,
    /// `AES_CM_128_HMAC_SHA1_32`: SRTCP keeps the long tag.
    Aes128Sha1Tag32,
    /// `AES_256_CM_HMAC_SHA1_80`.
    Aes256Sha1Tag80,
    /// `AEAD_AES_128_GCM`.
    Aes128Gcm,
    /// `AEAD_AES_256_GCM`.
    Aes256Gcm,
}

impl SrtpSuite {
    /// Every suite, preferred first.
    pub const ALL: [Self; 5] =
        [Self::Aes256Gcm, Self::Aes128Gcm, Self::Aes256Sha1Tag80, Self::Aes128Sha1Tag80, Self::Aes128Sha1Tag32];

    /// Its name in `a=crypto` (IANA registry of RFC 4568).
    pub const fn name(self) -> &'static str {
        match self {
            Self::Aes128Sha1Tag80 => "AES_CM_128_HMAC_SHA1_80",
            Self::Aes128Sha1Tag32 => "AES_CM_128_HMAC_SHA1_32",
            Self::Aes256Sha1Tag80 => "AES_256_CM_HMAC_SHA1_80",
            Self::Aes128Gcm => "AEAD_AES_128_GCM",
            Self::Aes256Gcm => "AEAD_AES_256_GCM",
        }
    }

    /// Bytes of (master key, master salt).
    pub const fn lengths(self) -> (usize, usize) {
        match self {
            Self::Aes128Sha1Tag80 | Self::Aes128Sha1Tag32 => (16, 14),
            Self::Aes256Sha1Tag80 => (32, 14),
            Self::Aes128Gcm => (16, 12),
            Self::Aes256Gcm => (32, 12),
        }
    }
}

/// Master key and salt of one direction, concatenated as `a=crypto` carries them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SrtpKey {
    /// What they are for.
    pub suite: SrtpSuite,
    /// Key, then salt: [`SrtpSuite::lengths`] bytes together.
    pub key_and_salt: Secret,
}

/// Who begins the DTLS handshake (RFC 5763 section 5), seen from us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DtlsRole {
    /// `a=setup:active`: we send the first message.
    Client,
    /// `a=setup:passive`: the peer does.
    Server,
}

/// How packets of a leg are protected. There is no falling back to a weaker one: what does not fit is foreign.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Security {
    /// Plain RTP.
    #[default]
    Clear,
    /// Keys from the signalling (SDES, RFC 4568).
    Sdes {
        /// For what we send.
        send: SrtpKey,
        /// For what the peer sends.
        receive: SrtpKey,
    },
    /// Keys from a handshake in the media path (RFC 5764). Nothing is sent or taken before it is done.
    Dtls {
        /// Who begins.
        role: DtlsRole,
        /// SHA-256 of the certificate the peer will show (`a=fingerprint:sha-256`).
        fingerprint: [u8; 32],
    },
}

/// One side's short-term credentials for connectivity checks (RFC 8445 section 5.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ice {
    /// `a=ice-ufrag`, 4 to 256 characters.
    pub ufrag: String,
    /// `a=ice-pwd`, 22 to 256 characters.
    pub pwd: Secret,
}

/// What offer/answer agreed for one leg. [`Remote::plain`] is a telephone of the plainest kind.
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
    /// Payload type of comfort noise (RFC 3389) both ways: 13 at 8 kHz. `None`: silence is sent as sound.
    pub cn_pt: Option<u8>,
    /// What the peer asks of Opus.
    pub opus: Opus,
    /// Protection.
    pub security: Security,
    /// The peer's credentials when the leg was opened with ours ([`Command::Open`]): packets count only from addresses that
    /// passed a connectivity check, and the address it nominates is the one sent to. RTCP shares the port.
    pub ice: Option<Ice>,
}

impl Remote {
    /// Plain RTP to and from `rtp`, RTCP one port above, 20 ms, both ways, no telephone events.
    pub fn plain(rtp: SocketAddr, codec: Codec, pt: u8) -> Self {
        Self {
            rtp,
            rtcp: SocketAddr::new(rtp.ip(), rtp.port().saturating_add(1)),
            codec,
            send_pt: pt,
            recv_pt: pt,
            dtmf_pt: None,
            ptime_ms: 20,
            direction: Direction::SendRecv,
            nat: None,
            cn_pt: None,
            opus: Opus::default(),
            security: Security::Clear,
            ice: None,
        }
    }
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
    /// Jitter the peer reported about us, microseconds.
    pub peer_jitter_us: Option<u32>,
    /// How much of what the peer should have said was made up or left silent, milliseconds. Known only where we decode.
    pub concealed_ms: u32,
    /// Packets whose SRTP tag was wrong or that were replayed; part of `foreign`.
    pub unauthentic: u64,
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
