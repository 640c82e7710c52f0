//! Contacts as documents: what the store and the center serialise, described for the OpenAPI document. A test reads real
//! answers into these, so that the description cannot drift away from the thing.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::openapi::{FactKind, InteractionNow};

/// A row of a list of contacts.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum InteractionLine {
    /// Of the history.
    Past(InteractionPast),
    /// Going on.
    Live(InteractionLive),
}

/// A contact that goes on, with its id.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct InteractionLive {
    /// Its id.
    pub id: String,
    /// How it stands.
    #[serde(flatten)]
    pub now: InteractionNow,
}

/// A contact as the history has it, begun and maybe over. Instants are RFC 3339.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InteractionPast {
    /// Its id.
    pub id: String,
    /// `voice` or `webchat`.
    pub channel: String,
    /// Who began it: `inbound`, `outbound`, `internal`.
    pub way: String,
    /// The number dialled or the chat entry.
    pub to: String,
    /// The caller's number, or the name the visitor gave.
    pub from: String,
    /// Where the customer's number is from: its country (ISO 3166-1, `BE`), in China with the province (ISO 3166-2, `CN-GD`); none
    /// where that cannot be told.
    pub region: Option<String>,
    /// The person; after a merge maybe under an older id.
    pub customer: String,
    /// The matter.
    pub ticket: Option<String>,
    /// The visitor's session, for chats.
    pub visitor: Option<String>,
    /// The last queue it waited in.
    pub queue: Option<String>,
    /// The last agent it was connected with.
    pub agent: Option<String>,
    /// When it arrived.
    pub opened_at: String,
    /// When it was first connected with an agent.
    pub answered_at: Option<String>,
    /// When it was over for the customer.
    pub closed_at: Option<String>,
    /// Why it ended.
    pub cause: Option<String>,
    /// Who ended it: `customer`, `agent`, `system`.
    pub ended_by: Option<String>,
    /// Why it left its last queue.
    pub unqueued: Option<String>,
    /// Waiting, milliseconds.
    pub waited_ms: u64,
    /// Connected with agents, hold included, milliseconds.
    pub talk_ms: u64,
    /// On hold, milliseconds.
    pub hold_ms: u64,
    /// After-call work, milliseconds.
    pub wrap_ms: u64,
    /// The outcome.
    pub disposition: Option<String>,
    /// The outcome in words.
    pub note: Option<String>,
    /// Who vouches for the caller; none where nobody has looked.
    pub verdict: Option<CallerVerdict>,
}

/// What looking at a caller's Identity header came to (STIR/SHAKEN).
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CallerVerdict {
    /// `verified`, `failed`, `absent`.
    pub verstat: String,
    /// `A`: caller and number are known to who signs; `B`: the caller is; `C`: only where the call came in.
    pub attestation: Option<String>,
    /// Why it failed: `malformed`, `stale`, `caller`, `called`, `no_certificate`, `certificate`, `number`, `signature`, `replayed`.
    pub why: Option<String>,
    /// What who signed is asked about when the call has to be traced back.
    pub origid: Option<String>,
}

/// A recording.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordingLine {
    /// Its id.
    pub id: String,
    /// Of which contact.
    pub interaction: String,
    /// File below the recordings folder.
    pub file: String,
    /// A message somebody left.
    pub voicemail: bool,
    /// When it began, RFC 3339.
    pub began_at: String,
    /// When it was closed, RFC 3339; none while it runs.
    pub ended_at: Option<String>,
    /// How long it plays, milliseconds.
    pub ms: Option<u64>,
    /// Size of the file.
    pub bytes: Option<u64>,
    /// Why it is not whole.
    pub trouble: Option<String>,
}

/// One contact, whole.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InteractionWhole {
    /// Its id.
    pub id: String,
    /// As the history has it; none when it is so new that the store has not got it.
    pub record: Option<InteractionPast>,
    /// How it stands, while it goes on.
    pub now: Option<InteractionNow>,
    /// What was recorded.
    pub recordings: Vec<RecordingLine>,
    /// How the customer says it was.
    pub rating: Option<RatingLine>,
}

/// How the customer says it was.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RatingLine {
    /// When it was given, RFC 3339.
    pub at: String,
    /// From 1.
    pub score: u64,
    /// The best there was to give.
    pub best: u64,
    /// In words.
    pub comment: String,
}

/// A fact of the timeline. Further fields by kind.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct FactLine {
    /// Always `fact`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its place in the journal.
    pub seq: u64,
    /// When, RFC 3339.
    pub at: String,
    /// What.
    pub fact: FactKind,
    /// The fields of this kind.
    #[serde(flatten)]
    pub more: std::collections::BTreeMap<String, Value>,
}

/// Everything that happened to a contact, in order.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Timeline {
    /// Its id.
    pub interaction: String,
    /// The oldest first.
    pub facts: Vec<FactLine>,
}
