//! Every bound of the house by name. The line that meets a bound says who is disappointed: oldest, newest, or peer.

use std::time::Duration;

use super::time::{mins, ms, secs};

/// Largest SIP message taken, bytes (RFC 3261 18.1.1 allows 65535 on UDP). Larger: the peer gets 513.
pub const SIP_MESSAGE_MAX: usize = 65_535;
/// Most header lines in a SIP message. More: 400.
pub const SIP_HEADERS_MAX: usize = 256;
/// Longest SIP header line after unfolding, bytes. Longer: 400.
pub const SIP_LINE_MAX: usize = 8_192;
/// Most values of one list header that are looked at (Via, Route, Contact). More: 400.
pub const SIP_LIST_MAX: usize = 64;
/// A stream peer that has sent half a message must send the rest within this.
pub const SIP_STREAM_STALL: Duration = secs(15);
/// A stream without a message or keep-alive is closed after this.
pub const SIP_STREAM_IDLE: Duration = mins(15);
/// Most SIP stream connections at once; the newest is refused.
pub const SIP_STREAMS_MAX: usize = 10_000;
/// Most SIP stream connections from one address.
pub const SIP_STREAMS_PER_IP: usize = 256;
/// Messages waiting to be written to one stream; more means its peer does not read: the message is refused to the sender.
pub const SIP_STREAM_QUEUE: usize = 256;
/// A stream to a peer must be open within this.
pub const SIP_CONNECT_TIMEOUT: Duration = secs(5);
/// A stream that cannot be framed stays open this long, so that the answer saying so gets out.
pub const SIP_STREAM_LINGER: Duration = secs(1);
/// Most SIP transactions alive; a new request beyond gets 503.
pub const SIP_TRANSACTIONS_MAX: usize = 100_000;
/// Most dialogs alive; a new INVITE beyond gets 503.
pub const SIP_DIALOGS_MAX: usize = 50_000;
/// Most bindings of one address of record (RFC 3261 10.3); the registration beyond is refused.
pub const SIP_BINDINGS_PER_AOR: usize = 10;
/// How long a digest nonce is good for.
pub const SIP_NONCE_LIFE: Duration = mins(5);
/// Most nonces whose use counts are remembered; the oldest is forgotten and its user asked again.
pub const SIP_NONCES_MAX: usize = 100_000;
/// Largest SDP body, bytes.
pub const SDP_MAX: usize = 16_384;
/// Most media sections in an SDP.
pub const SDP_MEDIA_MAX: usize = 16;

/// Largest flow file, bytes.
pub const FLOW_BYTES_MAX: usize = 1 << 20;
/// Most nodes in a flow.
pub const FLOW_NODES_MAX: usize = 1_000;
/// Most steps a run may take without waiting for the outside: beyond is a loop the linter missed; the run takes its error edge.
pub const FLOW_STEPS_MAX: u32 = 200;
/// Deepest nesting of sub-flow calls.
pub const FLOW_DEPTH_MAX: usize = 8;
/// Deepest nesting of an expression.
pub const EXPR_DEPTH_MAX: usize = 32;
/// Longest text a flow variable may hold, bytes.
pub const FLOW_TEXT_MAX: usize = 8_192;

/// Most interactions waiting in one tenant; beyond, the newest overflows as "full".
pub const WAITING_MAX: usize = 100_000;
/// Decision records kept in memory per tenant; the oldest goes (the journal has them all).
pub const DECISIONS_KEPT: usize = 1_000;
/// Candidates written out in one decision record; the rest is counted.
pub const DECISION_CANDIDATES_MAX: usize = 50;

/// Longest chat message, bytes of UTF-8. Longer: refused, the visitor keeps the text.
pub const MESSAGE_MAX: usize = 16_384;
/// Most messages of one conversation kept in memory; older ones are read from the store.
pub const MESSAGES_IN_MEMORY: usize = 500;
/// Messages a visitor may send per minute; more are refused with a hint.
pub const VISITOR_MESSAGES_PER_MIN: u32 = 60;

/// Inputs waiting for the loop; beyond, SIP over UDP is dropped (peers repeat), everything else waits.
pub const INBOX_MAX: usize = 16_384;
/// Facts waiting for the store; beyond, new interactions are refused with 503.
pub const JOURNAL_BACKLOG_MAX: usize = 100_000;
/// Facts in one group commit.
pub const JOURNAL_BATCH_MAX: usize = 2_000;
/// Events a slow console may be behind before it gets a fresh snapshot instead.
pub const EVENTS_BEHIND_MAX: usize = 4_096;

/// An offer rings this long unless the queue says otherwise.
pub const RING_DEFAULT: Duration = secs(20);
/// After-call work lasts this long unless the queue says otherwise.
pub const WRAP_UP_DEFAULT: Duration = secs(30);
/// A caller who was cut off finds the old place for this long when calling again.
pub const PLACE_KEPT: Duration = mins(15);
/// Longest voicemail.
pub const VOICEMAIL_MAX: Duration = mins(5);
/// Two DTMF digits are taken as typed ahead when they come within this of each other.
pub const INTER_DIGIT_DEFAULT: Duration = ms(3_000);
