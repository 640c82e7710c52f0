//! Every bound of the engine by name. The line that meets a bound says who is disappointed.

use std::time::Duration;

/// Samples in one frame: 20 ms at 8 kHz.
pub const FRAME: usize = 160;
/// A frame lasts this long.
pub const FRAME_TIME: Duration = Duration::from_millis(20);
/// A frame is spread over so many phases, so that not every leg sends in the same instant.
pub const PHASES: u64 = 4;
/// Time between two phases.
pub const PHASE_TIME: Duration = Duration::from_millis(20 / PHASES);
/// Missed phases made up for at once; older ones are skipped (the listener hears a gap, not a burst).
pub const CATCH_UP_MAX: u32 = 24;

/// Largest datagram looked at, bytes. Longer ones are cut by the system and fail to parse.
pub const DATAGRAM_MAX: usize = 2_048;
/// Samples of the longest packet at 8 kHz: 120 ms.
pub const PAYLOAD_SAMPLES_MAX: usize = 960;
/// Largest payload we send, bytes: what fits into one datagram on any network. Packets are made shorter to keep to it.
pub const PAYLOAD_SENT_MAX: usize = 1_280;
/// Most legs of one bridge (a bit each in the audience row); those listed beyond stay outside.
pub const BRIDGE_LEGS_MAX: usize = 128;
/// Most legs on one shard; the opening beyond fails.
pub const SHARD_LEGS_MAX: usize = 16_384;
/// Most clips of one playback; those beyond are not played.
pub const PLAY_CLIPS_MAX: usize = 256;
/// Most taps on one leg; the one beyond is closed at once.
pub const TAPS_MAX: usize = 8;
/// A slow reader of a tap is told of at most so often.
pub const TAP_LOST_EVERY: Duration = Duration::from_secs(1);
/// Most encoded clips one shard keeps for all who are played the same; beyond, each listener is encoded for alone.
pub const SHARED_CLIPS_MAX: usize = 256;
/// An encoded clip nobody was played for so long is forgotten.
pub const SHARED_KEPT: Duration = Duration::from_secs(60);
/// Most digits waiting to be sent to one leg; those beyond are not sent.
pub const DTMF_QUEUE_MAX: usize = 128;
/// Most digits pressed in a mix that wait to be passed on to one listener; those beyond are not.
pub const DTMF_FORWARD_MAX: usize = 4;
/// Longest a digit pressed in a mix sounds at a listener.
pub const DTMF_FORWARD_TONE_MAX: Duration = Duration::from_millis(300);
/// Longest digit sent: the duration field of RFC 4733 holds 8.19 s at 8 kHz. A faster clock takes several segments for that.
pub const DTMF_TONE_MAX: Duration = Duration::from_millis(8_000);
/// A digit whose packets stop without an end is over after this long.
pub const DTMF_LOST_END: Duration = Duration::from_millis(200);
/// Every leg is looked at so often, whether or not it does anything: reports, silences, keepalives.
pub const LOOK_EVERY: Duration = Duration::from_millis(200);
/// Nothing sent for so long: one packet of silence keeps NAT bindings and firewalls open (RFC 6263).
pub const KEEPALIVE: Duration = Duration::from_secs(5);
/// Silence of ours that lasted so long is described to a peer that agreed to comfort noise, and no longer sent.
pub const COMFORT_AFTER: Duration = Duration::from_millis(200);
/// And described again so often, or when its level changes: a description may be lost, and the way is kept open.
pub const COMFORT_EVERY: Duration = Duration::from_millis(500);
/// Time between RTCP reports, before it is spread by half either way (RFC 3550 6.2).
pub const RTCP_EVERY: Duration = Duration::from_secs(5);

/// Packets nobody hears may lie in their socket for so long: three of them cost little more to take than one. A key pressed into
/// a prompt is noticed that much later, and its release at once.
pub const GATHER_TIME: Duration = Duration::from_millis(60);
/// Datagrams taken from a socket with one system call; the others need another one.
pub const GATHER_MAX: usize = 4;

/// Longest packet of sound taken, any codec. Longer: foreign.
pub const PAYLOAD_TIME_MAX: Duration = Duration::from_millis(120);
/// Largest packet of sound taken, bytes. Larger: foreign.
pub const PAYLOAD_BYTES_MAX: usize = 1_500;
/// Packets a jitter buffer can hold: half a second of 10 ms packets. Beyond, the oldest is not heard.
pub const JITTER_PACKETS_MAX: usize = 48;
/// Sound a jitter buffer can hold; it has the bytes for that, by codec. Beyond, the oldest is not heard.
pub const JITTER_HOLDS: Duration = Duration::from_millis(480);
/// Bytes a jitter buffer has for Opus, whose packets may have any length.
pub const JITTER_OPUS_BYTES: usize = 8_192;
/// Most delay of a speaker in a mix. What is later is not heard.
pub const JITTER_DELAY_MAX: Duration = Duration::from_millis(300);
/// Nothing came for so long: the speaker paused, and the next packet begins anew.
pub const JITTER_PAUSED: Duration = Duration::from_millis(300);
/// A timestamp so far out of step with the clock is no jitter but another count.
pub const JITTER_JUMP: Duration = Duration::from_millis(1_000);

/// Figures of a leg are said unasked so often once something was agreed.
pub const STATS_EVERY: Duration = Duration::from_secs(5);

/// What was said is kept back from a recording's file for so long, samples at 8 kHz: 200 ms. Nobody waits for it, so it
/// forgives what a listener would not.
pub const RECORD_DELAY: u32 = 1_600;
/// A block goes to the writer when its oldest packet is so old. With the delay, what a crash can cost stays under a second.
pub const RECORD_BLOCK: Duration = Duration::from_millis(500);
/// Payload bytes of one block: half a second of two G.711 sides. A block that is full goes to the writer earlier.
pub const RECORD_BYTES: usize = 8_192;
/// Packets of one block.
pub const RECORD_PIECES: usize = 128;
/// Jobs waiting for the writer; beyond, the newest block is lost and the recording says so.
pub const RECORD_QUEUE_MAX: usize = 8_192;
/// Longest recording. What comes later is not written.
pub const RECORD_MAX: Duration = Duration::from_secs(24 * 3_600);
/// Most recordings on one shard; the one beyond is refused as an overrun.
pub const RECORDS_MAX: usize = 8_192;

/// Commands waiting for the engine; beyond, the commander waits.
pub const COMMANDS_MAX: usize = 8_192;
/// Longest clip read from a file.
pub const CLIP_MAX: Duration = Duration::from_secs(30 * 60);
/// Largest WAV file read, bytes.
pub const WAV_BYTES_MAX: u64 = 512 << 20;

/// No connectivity check for so long: the peer does not want to be sent to any more (RFC 7675 section 5.1).
pub const CONSENT: Duration = Duration::from_secs(30);
/// Most addresses one peer is known at by its connectivity checks; the one unchecked for longest is forgotten.
pub const ICE_PAIRS_MAX: usize = 8;
/// A peer's packets under its last SRTP key are taken for so long after a new one was agreed.
pub const OLD_KEYS: Duration = Duration::from_secs(5);
/// Most datagrams one DTLS handshake is fed: one that needs more is given up.
pub const DTLS_DATAGRAMS_MAX: u32 = 64;
/// Most records of one DTLS datagram; one with more is not read.
pub const DTLS_RECORDS_MAX: usize = 16;
/// Most handshakes a peer may begin under one agreement; further hellos are not answered.
pub const DTLS_TRIES: u32 = 8;
/// Our last DTLS flight is kept for so long to be sent again, unless something under the new keys came before.
pub const DTLS_LINGER: Duration = Duration::from_secs(30);
