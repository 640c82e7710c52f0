//! Web chat of a tenant: the flow it begins with, patience, and what visitors may do besides writing.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{
    super::callback::{ChosenHours, Promise},
    TenantSettings,
};
use crate::{
    base::{CalendarId, FlowId, QueueId, SlaId, Wall, limits},
    call::route,
    routing::{self, hours::State},
    text::file::{Allowed, Class},
};

/// Web chat of one tenant.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Chat {
    /// The flow a chat begins with. No chat without one.
    pub flow: Option<FlowId>,
    /// Pages other than our own that may open a chat: `https://shop.example`.
    pub origins: Vec<String>,
    /// A silent visitor is reminded after so many seconds; never if 0.
    pub idle_warn_s: u32,
    /// A silent visitor's chat is closed after so many seconds; never if 0.
    pub idle_close_s: u32,
    /// A visitor who went away has so many seconds to come back; for ever if 0.
    pub gone_s: u32,
    /// How the widget looks, and what it asks before a chat.
    #[serde(skip_serializing_if = "super::is_default")]
    pub widget: super::Look,
    /// Files people may send each other in a chat.
    #[serde(skip_serializing_if = "super::is_default")]
    pub files: Files,
    /// Visitors are asked how it was when the chat is over; not if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rating: Option<Rating>,
    /// Visitors leave a message while nobody is there; they may wait instead if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offline: Option<Offline>,
    /// Visitors may ask to be called; not if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub call_me: Option<CallMe>,
    /// Visitors may call from the page by their browser; not if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub talk_now: Option<TalkNow>,
}

/// Visitors call from the page: one place, one call at a time each.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TalkNow {
    /// The one place they reach.
    pub to: TalkTo,
    /// Only within these hours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calendar: Option<CalendarId>,
    /// Such a call lasts so many minutes at most.
    #[serde(default = "half_an_hour")]
    pub max_min: u32,
    /// So many visitors talk at once, at most.
    #[serde(default = "ten")]
    pub at_once: u32,
}

/// Where visitors' calls lead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TalkTo {
    /// A flow.
    Flow(FlowId),
    /// Where this number leads callers of the tenant's trunks; never out.
    Number(String),
}

impl TalkTo {
    /// What their browsers dial: the user part of the Request-URI.
    pub fn dialled(&self) -> &str {
        match self {
            TalkTo::Flow(flow) => flow.as_str(),
            TalkTo::Number(number) => number,
        }
    }
}

fn half_an_hour() -> u32 {
    30
}

fn ten() -> u32 {
    10
}

impl super::Tenant {
    /// Where visitors' calls lead; nowhere out.
    pub fn talk_leads(&self, to: &TalkTo) -> Option<route::Destination> {
        match to {
            TalkTo::Flow(flow) => Some(route::Destination::Flow(flow.clone())),
            TalkTo::Number(number) => {
                let found = self.route_of(number, route::Asker::Trunk).map(|(r, _)| r.to.clone());
                found.filter(|to| !matches!(to, route::Destination::Trunk(_)))
            }
        }
    }

    pub(super) fn talk_problems(&self, at: &str, bad: &mut Vec<String>) {
        let (Some(talk), at) = (&self.chat.talk_now, format!("{at}.chat.talk_now")) else { return };
        if let TalkTo::Number(number) = &talk.to {
            let plain = number.chars().all(|c| c.is_ascii_alphanumeric() || "+*#-._".contains(c));
            if !plain || self.talk_leads(&talk.to).is_none() {
                bad.push(format!(
                    "{at}.to: `{number}` leads callers nowhere inside; expected a number with a route `from` trunks or public"
                ));
            }
        }
        if let Some(c) = talk.calendar.as_ref().filter(|c| !self.routing.calendars.contains_key(*c)) {
            bad.push(format!("{at}.calendar: there is no calendar `{c}`"));
        }
        if !(1..=limits::TALK_NOW_MINUTES_MAX).contains(&talk.max_min) {
            bad.push(format!("{at}.max_min: expected 1 to {}", limits::TALK_NOW_MINUTES_MAX));
        }
        if !(1..=limits::TALK_NOW_AT_ONCE_MAX).contains(&talk.at_once) {
            bad.push(format!("{at}.at_once: expected 1 to {}", limits::TALK_NOW_AT_ONCE_MAX));
        }
    }
}

/// Visitors ask to be called: one call back each, which waits in a queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CallMe {
    /// Whose work it is.
    pub queue: QueueId,
    /// Only within these hours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calendar: Option<CalendarId>,
    /// Calls to the visitor, at most.
    #[serde(default = "three")]
    pub attempts: u32,
    /// Seconds between two of them.
    #[serde(default = "five_minutes")]
    pub gap_s: u64,
    /// Who has answered is left to the agent; else a machine is no customer.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ignore_machines: bool,
    /// What a machine is told after its beep, by language (`en`, `zh`); it is hung up on if there is nothing.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub message: BTreeMap<String, String>,
    /// What becomes of a visitor nobody has reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket: Option<Promise>,
    /// What a visitor agrees to, by language (`en`, `zh`); the widget has words of its own.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub consent: BTreeMap<String, String>,
}

fn three() -> u32 {
    3
}

fn five_minutes() -> u64 {
    300
}

impl CallMe {
    fn problems(&self, at: &str, plan: &routing::Plan, slas: &BTreeMap<SlaId, super::Sla>, bad: &mut Vec<String>) {
        let queues = [Some(("queue", &self.queue)), self.ticket.as_ref().map(|t| ("ticket.queue", &t.queue))];
        for (key, q) in queues.into_iter().flatten().filter(|(_, q)| !plan.queues.contains_key(*q)) {
            bad.push(format!("{at}.{key}: there is no queue `{q}`"));
        }
        if let Some(s) = self.ticket.as_ref().and_then(|t| t.sla.as_ref()).filter(|s| !slas.contains_key(*s)) {
            bad.push(format!("{at}.ticket.sla: there is no SLA policy `{s}`"));
        }
        if let Some(c) = self.calendar.as_ref().filter(|c| !plan.calendars.contains_key(*c)) {
            bad.push(format!("{at}.calendar: there is no calendar `{c}`"));
        }
        if !(1..=limits::CALLBACK_ATTEMPTS_MAX).contains(&self.attempts) {
            bad.push(format!("{at}.attempts: expected 1 to {}", limits::CALLBACK_ATTEMPTS_MAX));
        }
        let (least, most) = (limits::CALLBACK_GAP_MIN.as_secs(), limits::CALLBACK_GAP_MAX.as_secs());
        if !(least..=most).contains(&self.gap_s) {
            bad.push(format!("{at}.gap_s: expected {least} to {most}"));
        }
        for (key, words) in [("message", &self.message), ("consent", &self.consent)] {
            for (lang, text) in words {
                if !matches!(lang.as_str(), "en" | "zh") {
                    bad.push(format!("{at}.{key}: `{lang}` is not known; expected en or zh"));
                }
                if text.trim().is_empty() || text.chars().count() > limits::CALLBACK_MESSAGE_MAX {
                    bad.push(format!("{at}.{key}.{lang}: expected 1 to {} characters", limits::CALLBACK_MESSAGE_MAX));
                }
            }
        }
    }
}

/// Files in chats. Pictures, documents, text, sound and film are taken where nothing is said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Files {
    /// What may be sent: `picture`, `document`, `text`, `sound`, `film`, `archive`. No files at all if empty.
    pub kinds: BTreeSet<Class>,
    /// The largest, kilobytes.
    pub largest_kb: u32,
    /// Most in one chat.
    pub per_chat: u32,
    /// A file is deleted so many days after it was sent; never if 0.
    pub keep_days: u32,
}

impl Default for Files {
    fn default() -> Self {
        Files {
            kinds: BTreeSet::from([Class::Picture, Class::Document, Class::Text, Class::Sound, Class::Film]),
            largest_kb: limits::FILE_DEFAULT_KB,
            per_chat: limits::FILES_PER_CHAT,
            keep_days: 0,
        }
    }
}

/// What visitors find while nobody is there: a form, whose words become a ticket.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Offline {
    /// Outside these hours, holidays included, there is the form.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calendar: Option<CalendarId>,
    /// Where the tickets go; whether anybody is there is asked of it too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queue: Option<QueueId>,
    /// There is the form also when nobody of the queue (of any, if none is named) is signed in.
    pub when_nobody: bool,
}

/// Whether a chat finds somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Presence {
    /// It may.
    Open,
    /// Outside the hours.
    Closed,
    /// Nobody is signed in.
    Nobody,
}

impl TenantSettings {
    /// What visitors are offered who want to be called, if they are now.
    pub fn call_me(&self, now: Wall) -> Option<&CallMe> {
        let offered = self.config.chat.call_me.as_ref()?;
        let calendar = offered.calendar.as_ref().and_then(|c| self.plan.calendars.get(c));
        calendar.is_none_or(|c| c.state(now) == State::Open).then_some(offered)
    }
    /// The hours customers of a queue may choose to be called back at, and the calendar they are of.
    pub fn callback_hours(&self, queue: &QueueId) -> Option<(&ChosenHours, &routing::hours::Calendar)> {
        let hours = self.config.callback_hours.get(queue)?;
        Some((hours, self.plan.calendars.get(&hours.calendar)?))
    }
    /// The hours visitors are offered, if they may choose one.
    pub fn call_me_later(&self) -> Option<(&CallMe, &ChosenHours, &routing::hours::Calendar)> {
        let offered = self.config.chat.call_me.as_ref()?;
        let (hours, calendar) = self.callback_hours(&offered.queue)?;
        Some((offered, hours, calendar))
    }
    /// What visitors are offered who want to talk, if they are now.
    pub fn talk_now(&self, now: Wall) -> Option<&TalkNow> {
        let offered = self.config.chat.talk_now.as_ref()?;
        let calendar = offered.calendar.as_ref().and_then(|c| self.plan.calendars.get(c));
        calendar.is_none_or(|c| c.state(now) == State::Open).then_some(offered)
    }
    /// Whether a chat finds somebody at `now`; `signed_in` says how many agents of a queue are, of all if none is named.
    pub fn chat_presence(&self, now: Wall, signed_in: impl FnOnce(Option<&QueueId>) -> usize) -> Presence {
        let Some(offline) = &self.config.chat.offline else { return Presence::Open };
        let calendar = offline.calendar.as_ref().and_then(|c| self.plan.calendars.get(c));
        match () {
            () if calendar.is_some_and(|c| c.state(now) != State::Open) => Presence::Closed,
            () if offline.when_nobody && signed_in(offline.queue.as_ref()) == 0 => Presence::Nobody,
            () => Presence::Open,
        }
    }
}

/// What visitors are asked when a chat is over.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Rating {
    /// What they answer with.
    pub scale: Scale,
    /// The question, by language (`en`, `zh`); the widget has one of its own.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub question: BTreeMap<String, String>,
}

/// What a rating is given with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scale {
    /// One to five stars.
    #[default]
    Five,
    /// Thumb up or down.
    Thumbs,
}

impl Scale {
    /// The best there is to give; the worst is 1.
    pub const fn best(self) -> u8 {
        match self {
            Scale::Five => 5,
            Scale::Thumbs => 2,
        }
    }
}

impl Files {
    /// As the machine has it.
    pub fn allowed(&self) -> Allowed {
        let bytes = u64::from(self.largest_kb) * 1_024;
        Allowed { bytes, classes: self.kinds.clone(), in_conversation: self.per_chat }
    }
}

impl Chat {
    pub(super) fn problems(&self, at: &str, plan: &routing::Plan, slas: &BTreeMap<SlaId, super::Sla>, bad: &mut Vec<String>) {
        if let Some(call_me) = &self.call_me {
            call_me.problems(&format!("{at}.call_me"), plan, slas, bad);
        }
        let Offline { calendar, queue, .. } = self.offline.clone().unwrap_or_default();
        if let Some(c) = calendar.filter(|c| !plan.calendars.contains_key(c)) {
            bad.push(format!("{at}.offline.calendar: there is no calendar `{c}`"));
        }
        if let Some(q) = queue.filter(|q| !plan.queues.contains_key(q)) {
            bad.push(format!("{at}.offline.queue: there is no queue `{q}`"));
        }
        for lang in self.rating.iter().flat_map(|r| r.question.keys()).filter(|l| !matches!(l.as_str(), "en" | "zh")) {
            bad.push(format!("{at}.rating.question: `{lang}` is not known; expected en or zh"));
        }
        self.widget.problems(&format!("{at}.widget"), bad);
        if self.files.largest_kb > limits::FILE_MAX_KB {
            bad.push(format!("{at}.files.largest_kb: {} is more than {}", self.files.largest_kb, limits::FILE_MAX_KB));
        }
    }
}
