//! Events a phone may subscribe to (RFC 6665), and what is said about them.
//!
//! | file | subject |
//! |---|---|
//! | `subscription` | one subscription: until when, and when a NOTIFY may go out |
//! | `dialog_info` | busy lamps: the calls of a user (RFC 4235) |
//! | `presence` | whether a user is there (RFC 3856, PIDF, RPID) |
//! | `summary` | messages that wait (RFC 3842) |
//! | `reg_info` | the user's own registrations (RFC 3680) |
//!
//! Pure words and machines: who may watch whom and by which way a NOTIFY goes is [`stack`](super::stack)'s. The subscription a
//! REFER makes has no life of its own, it ends with its call: `stack/refer.rs`.

pub mod dialog_info;
pub mod presence;
pub mod reg_info;
pub mod subscription;
pub mod summary;

use std::collections::BTreeMap;

pub use dialog_info::{CallState, Shown};
pub use presence::Presence;
pub use subscription::{Condition, Subscription, Why};
pub use summary::Waiting;

/// What can be subscribed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Package {
    /// Busy lamps.
    Dialog,
    /// Whether somebody is there.
    Presence,
    /// Messages that wait.
    Summary,
    /// One's own registrations.
    Reg,
}

/// For Allow-Events: every package, and the one a REFER subscribes to by itself.
pub const ALLOW_EVENTS: &str = "dialog, message-summary, presence, reg, refer";

impl Package {
    /// Every one.
    pub const ALL: [Package; 4] = [Package::Dialog, Package::Presence, Package::Summary, Package::Reg];

    /// The word of the Event header.
    pub const fn as_str(self) -> &'static str {
        match self {
            Package::Dialog => "dialog",
            Package::Presence => "presence",
            Package::Summary => "message-summary",
            Package::Reg => "reg",
        }
    }
    /// The type of its documents.
    pub const fn content_type(self) -> &'static str {
        match self {
            Package::Dialog => "application/dialog-info+xml",
            Package::Presence => "application/pidf+xml",
            Package::Summary => "application/simple-message-summary",
            Package::Reg => "application/reginfo+xml",
        }
    }
    /// Reads an Event header: the package and its `id`. `None`: none of ours.
    pub fn parse(event: &str) -> Option<(Package, Option<String>)> {
        let mut parts = event.split(';').map(str::trim);
        let word = parts.next()?;
        let package = Package::ALL.into_iter().find(|p| p.as_str().eq_ignore_ascii_case(word))?;
        let id = parts.filter_map(|p| p.split_once('=')).find(|(n, _)| n.trim().eq_ignore_ascii_case("id"));
        Some((package, id.map(|(_, v)| v.trim().to_owned())))
    }
    /// Whether an Accept value lets its documents in.
    pub fn fits(self, accept: &str) -> bool {
        let word = accept.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        word == self.content_type() || word == "*/*" || word == "application/*"
    }
}

/// What is known of a user, as far as it may be watched.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lamp {
    /// As the people upstairs say; `None`: whoever has a phone registered is there.
    pub presence: Option<Presence>,
    /// The calls of the user's phones, by a name that is never used twice.
    pub calls: BTreeMap<u64, Shown>,
    /// Messages for the user.
    pub waiting: Waiting,
}

/// Text inside an XML document, and inside its attributes. What XML cannot carry at all is left out.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_header_names_a_package_whatever_its_case_and_may_name_one_of_several() {
        assert_eq!(Package::parse("dialog"), Some((Package::Dialog, None)));
        assert_eq!(Package::parse("Message-Summary ; id = 7"), Some((Package::Summary, Some("7".into()))));
        assert_eq!(Package::parse("presence.winfo"), None);
        assert_eq!(Package::parse(""), None);
        assert!(Package::ALL.iter().all(|p| ALLOW_EVENTS.contains(p.as_str())));
        assert!(Package::Dialog.fits("application/dialog-info+xml;q=0.5") && !Package::Dialog.fits("application/sdp"));
    }

    #[test]
    fn a_name_from_outside_cannot_break_a_document() {
        assert_eq!(escape("a<b>&\"'\u{1}c"), "a&lt;b&gt;&amp;&quot;&apos;c");
    }
}
