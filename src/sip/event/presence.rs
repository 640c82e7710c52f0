//! Whether a user is there, as a PIDF document (RFC 3863) with what they do (RPID, RFC 4480).

use super::escape;

/// Whether somebody is there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Presence {
    /// Signed out.
    #[default]
    Offline,
    /// Ready.
    Available,
    /// Rung, or at work on something.
    Busy,
    /// There, but not now: the reason in the words of the house; may be empty.
    Away(String),
}

impl Presence {
    const fn open(&self) -> bool {
        !matches!(self, Presence::Offline)
    }
    /// What a person reads.
    fn words(&self) -> &str {
        match self {
            Presence::Offline => "Offline",
            Presence::Available => "Available",
            Presence::Busy => "Busy",
            Presence::Away(why) if why.is_empty() => "Away",
            Presence::Away(why) => why,
        }
    }
}

/// A document. `talks`: a phone of theirs is in a call.
pub fn write(entity: &str, presence: &Presence, talks: bool) -> String {
    let activity = match presence {
        _ if talks => "<rpid:on-the-phone />",
        Presence::Busy => "<rpid:busy />",
        Presence::Away(_) => "<rpid:away />",
        Presence::Available | Presence::Offline => "",
    };
    let (words, open) = match talks {
        true => ("On the phone", true),
        false => (presence.words(), presence.open()),
    };
    let (entity, words) = (escape(entity), escape(words));
    let basic = if open { "open" } else { "closed" };
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n\
         <presence xmlns=\"urn:ietf:params:xml:ns:pidf\" xmlns:dm=\"urn:ietf:params:xml:ns:pidf:data-model\" \
         xmlns:rpid=\"urn:ietf:params:xml:ns:pidf:rpid\" entity=\"{entity}\">\r\n\
         <tuple id=\"phone\"><status><basic>{basic}</basic></status><contact>{entity}</contact><note>{words}</note></tuple>\r\n\
         <dm:person id=\"agent\"><rpid:activities>{activity}</rpid:activities><dm:note>{words}</dm:note></dm:person>\r\n\
         </presence>\r\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_colleague_is_there_at_lunch_on_the_phone_or_gone() {
        let said = |p: Presence, talks| write("sip:ben@demo.example", &p, talks);
        let ready = said(Presence::Available, false);
        assert!(
            ready.contains("<basic>open</basic>") && ready.contains("<note>Available</note>") && !ready.contains("<rpid:away")
        );
        let lunch = said(Presence::Away("lunch".into()), false);
        assert!(
            lunch.contains("<basic>open</basic>") && lunch.contains("<rpid:away />") && lunch.contains("<note>lunch</note>")
        );
        assert!(said(Presence::Busy, false).contains("<rpid:busy />"));
        assert!(said(Presence::Offline, false).contains("<basic>closed</basic>"));
        let talks = said(Presence::Offline, true);
        assert!(talks.contains("<rpid:on-the-phone />") && talks.contains("<basic>open</basic>"), "a phone in use is there");
    }
}
