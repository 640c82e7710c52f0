//! What offer/answer settles for one leg: codec, addresses, packet time, protection.

use std::net::{IpAddr, SocketAddr};

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

/// Extended reports (RFC 3611 section 5.1) the peer wants to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Xr {
    /// VoIP metrics: how it sounds to us (`voip-metrics`).
    pub voip: bool,
    /// Answers to its receiver reference times, and ours (`rcvr-rtt`): a round trip even while we send nothing.
    pub round_trip: bool,
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
    /// More reports than everybody gets.
    pub xr: Xr,
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
            xr: Xr::default(),
            security: Security::Clear,
            ice: None,
        }
    }
}
