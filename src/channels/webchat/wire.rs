//! The frames of the chat socket. Small, versioned by the path, and closed: what is not listed is refused.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{base::InteractionId, text};

/// What a page sends. Kinds without fields have braces all the same: without them serde would take any field and say nothing.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum FromVisitor {
    /// The first frame: who I am, and how far I got.
    Hello {
        /// From `POST /chat/v1/session`.
        token: String,
        /// The last place in the conversation the page has; 0 or absent for all.
        #[serde(default)]
        since: u64,
        /// The conversation that place is in.
        #[serde(default)]
        interaction: Option<InteractionId>,
    },
    /// Opens the chat without a word, so that the flow greets.
    Start {
        /// Shown to agents.
        #[serde(default)]
        name: Option<String>,
        /// Mail or number for a call back.
        #[serde(default)]
        contact: Option<String>,
        /// `zh-CN`, `en`.
        #[serde(default)]
        lang: Option<String>,
        /// The page the visitor is on.
        #[serde(default)]
        page: Option<String>,
        /// To the questions of `/chat/v1/look`, by key.
        #[serde(default)]
        answers: BTreeMap<String, String>,
    },
    /// Says something.
    Message {
        /// The page's own name for it; the same again is the same message.
        client_id: String,
        /// The words.
        body: String,
    },
    /// Everything up to here has been seen.
    Read {
        /// Place in the conversation.
        seq: u64,
    },
    /// What was said before this place, please.
    Earlier {
        /// In which chat.
        interaction: InteractionId,
        /// The first place the page has.
        before: u64,
    },
    /// How it was.
    Rate {
        /// Which chat.
        interaction: InteractionId,
        /// From 1 to the best of `welcome`.
        score: u8,
        /// In words.
        #[serde(default)]
        comment: String,
    },
    /// The visitor is writing.
    Typing {},
    /// The visitor says good-bye.
    Close {},
    /// A sign of life.
    Ping {},
    /// The answer to ours.
    Pong {},
}

impl FromVisitor {
    /// Reads a frame; else what is wrong with it. A list of values would be read as a frame, too, its fields in their order: it is
    /// none of those listed.
    pub fn read(text: &str) -> Result<Self, String> {
        if !text.trim_start().starts_with('{') {
            return Err("not an object".to_owned());
        }
        serde_json::from_str(text).map_err(|e| e.to_string())
    }
}

/// What a page gets.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ToVisitor {
    /// Who is recognised; what follows is the conversation after `since`.
    Welcome {
        /// The chat that is open.
        interaction: Option<InteractionId>,
        /// `none`, `bot`, `waiting`, `agent`, `closed`.
        state: &'static str,
        /// The server's clock, RFC 3339.
        server_now: String,
        /// Which files are taken; none when none are.
        #[serde(skip_serializing_if = "Option::is_none")]
        files: Option<FilesTaken>,
        /// What is asked when a chat is over; none when nothing is.
        #[serde(skip_serializing_if = "Option::is_none")]
        rating: Option<RatingAsked>,
    },
    /// The messages before this frame were the latest of a chat, or those before what the page asked with.
    Earlier {
        /// The first place of them. What a page has before it, without having asked, leaves a hole: it is to let go of that.
        first: u64,
        /// There are more before them.
        more: bool,
    },
    /// The rating is taken.
    Rated {},
    /// A message of the conversation, committed.
    Message {
        /// Its place, from 1.
        seq: u64,
        /// `visitor`, `agent`, `bot`, `system`.
        from: &'static str,
        /// The agent's display name.
        #[serde(skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        /// The words.
        body: String,
        /// When, RFC 3339.
        at: String,
        /// What the page called it, for the visitor's own.
        #[serde(skip_serializing_if = "Option::is_none")]
        client_id: Option<String>,
        /// Answers to choose from.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        options: Vec<Choice>,
        /// The file it carries.
        #[serde(skip_serializing_if = "Option::is_none")]
        file: Option<FileShown>,
    },
    /// The visitor's message is stored.
    Ack {
        /// What the page called it.
        client_id: String,
        /// Its place.
        seq: u64,
    },
    /// The visitor's message came to nothing; the page keeps the text.
    Refused {
        /// What the page called it.
        #[serde(skip_serializing_if = "Option::is_none")]
        client_id: Option<String>,
        /// A stable word: `too_fast`, `too_long`, `limit`, `closed`, `unavailable`, `invalid`, `bad_frame`.
        code: &'static str,
        /// A sentence.
        detail: String,
    },
    /// How the chat stands now: `bot`, `waiting`, `agent`.
    State {
        /// As in `welcome`.
        state: &'static str,
        /// The agent's display name, while one is there.
        #[serde(skip_serializing_if = "Option::is_none")]
        name: Option<String>,
    },
    /// Somebody of ours is writing.
    Typing,
    /// The place in the queue.
    Position {
        /// From 1.
        position: usize,
        /// Expected wait, seconds, when known well enough.
        ewt_s: Option<u64>,
    },
    /// Somebody of ours has read up to here.
    Read {
        /// Place in the conversation.
        seq: u64,
    },
    /// The chat is over. The next message opens a new one.
    Closed,
    /// A sign of life.
    Ping,
    /// The answer to the page's.
    Pong,
}

/// One answer to choose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Choice {
    /// What choosing it sends.
    pub send: String,
    /// What is written on it.
    pub label: String,
}

/// Which files a page may send.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FilesTaken {
    /// The largest, bytes.
    pub largest: u64,
    /// Endings, as the `accept` of a file field has them.
    pub accept: String,
}

/// How a page asks how it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RatingAsked {
    /// The best there is to give: 5 for stars, 2 for thumbs.
    pub best: u8,
    /// The question in the house's words, by language.
    pub question: BTreeMap<String, String>,
}

/// A file of a message. Its bytes are fetched by the message's place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FileShown {
    /// Its name.
    pub name: String,
    /// It can be drawn.
    pub picture: bool,
    /// How large it is.
    pub bytes: u64,
}

/// A message as the visitor sees it; none for what is not for their eyes.
pub fn shown(m: &text::Message, name_of: impl Fn(&crate::base::AgentId) -> Option<String>) -> Option<ToVisitor> {
    let (from, name) = match &m.sender {
        text::Sender::Visitor => ("visitor", None),
        text::Sender::Agent(a) => ("agent", name_of(a)),
        text::Sender::Bot => ("bot", None),
        text::Sender::System => ("system", None),
        // Colleagues only.
        text::Sender::Note(_) => return None,
    };
    let own = from == "visitor";
    Some(ToVisitor::Message {
        seq: m.seq,
        from,
        name,
        body: m.text.clone(),
        at: m.at.rfc3339(),
        client_id: m.client_id.as_ref().filter(|_| own).map(|c| c.as_str().to_owned()),
        options: m.options.iter().map(|(send, label)| Choice { send: send.clone(), label: label.clone() }).collect(),
        file: m.file.as_ref().map(|f| FileShown {
            name: f.name.clone(),
            picture: f.kind.class() == text::file::Class::Picture,
            bytes: f.bytes,
        }),
    })
}

/// What a chat offers besides words.
pub fn offered(chat: &crate::center::settings::Chat) -> (Option<FilesTaken>, Option<RatingAsked>) {
    let files = Some(chat.files.allowed()).filter(|f| f.any().is_ok());
    let files = files.map(|f| FilesTaken { largest: f.bytes, accept: f.accept() });
    let rating = chat.rating.as_ref().map(|r| RatingAsked { best: r.scale.best(), question: r.question.clone() });
    (files, rating)
}
