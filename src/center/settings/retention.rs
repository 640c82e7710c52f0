//! How long what is kept.

use serde::{Deserialize, Serialize};

/// States of agents and counts of so many days are needed for what is shown today.
const JOURNAL_DAYS_MIN: u32 = 8;
/// Nothing is a promise for longer.
const DAYS_MAX: u32 = 36_500;

/// Days after which something is deleted; for ever where it is 0. (Files of chats have their own: `chat.files.keep_days`.)
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Retention {
    /// Recordings and voicemail, from their beginning.
    pub recordings_days: u32,
    /// Messages of chats and transcripts of calls, from the end of the contact.
    pub messages_days: u32,
    /// Contacts with everything of theirs, from their end: recordings, messages, the messages on the wire, and what reports
    /// count.
    pub contacts_days: u32,
    /// Tickets, from their last change after they were closed.
    pub tickets_days: u32,
    /// The audit log.
    pub audit_days: u32,
    /// What became of webhooks' deliveries.
    pub deliveries_days: u32,
    /// What happened in no contact: states of agents, counts, calls kept in. At least 8.
    pub journal_days: u32,
}

impl Retention {
    /// Nothing is decided.
    pub fn is_default(&self) -> bool {
        *self == Retention::default()
    }

    /// Periods that cannot be, each a sentence that begins with its path.
    pub(super) fn problems(&self, at: &str, bad: &mut Vec<String>) {
        let all = [
            ("recordings", self.recordings_days),
            ("messages", self.messages_days),
            ("contacts", self.contacts_days),
            ("tickets", self.tickets_days),
            ("audit", self.audit_days),
            ("deliveries", self.deliveries_days),
            ("journal", self.journal_days),
        ];
        for (name, days) in all.into_iter().filter(|(_, days)| *days > DAYS_MAX) {
            bad.push(format!("{at}.retention.{name}_days: {days} is too long; expected at most {DAYS_MAX}"));
        }
        if (1..JOURNAL_DAYS_MIN).contains(&self.journal_days) {
            bad.push(format!(
                "{at}.retention.journal_days: {} is too short; expected 0 (for ever) or at least {JOURNAL_DAYS_MIN}",
                self.journal_days
            ));
        }
    }
}
