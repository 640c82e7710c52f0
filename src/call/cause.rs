//! Why a leg ended: one table between our word, the SIP status and the Q.850 cause. Nobody else maps causes.

use serde::{Deserialize, Serialize};

/// Why a leg ended, in our words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// Somebody hung up after talking.
    Normal,
    /// The caller hung up before it was answered.
    CallerGaveUp,
    /// Rang and nobody came.
    NoAnswer,
    /// Engaged.
    Busy,
    /// Refused by a person.
    Declined,
    /// Another device or agent took it.
    ElsewhereAnswered,
    /// Known, but no device can be reached.
    Unreachable,
    /// No such number.
    NotFound,
    /// Not with these rights.
    NotAllowed,
    /// No codec both understand.
    NoCodec,
    /// Nothing was heard from the other side for too long.
    MediaTimeout,
    /// The signalling path broke: timeout, transport error.
    Network,
    /// No room: ports, calls, overload.
    Congestion,
    /// The other side answered something we cannot use.
    Protocol,
    /// The server went down and the leg could not be resumed.
    ServerRestart,
    /// We have a bug; only this call is ended.
    Internal,
}

struct Row {
    cause: Cause,
    word: &'static str,
    /// Status when an INVITE is refused for it.
    status: u16,
    reason: &'static str,
    /// ITU-T Q.850 cause for the Reason header (RFC 3326).
    q850: u8,
}

const fn row(cause: Cause, word: &'static str, status: u16, reason: &'static str, q850: u8) -> Row {
    Row { cause, word, status, reason, q850 }
}

static TABLE: [Row; 16] = [
    row(Cause::Normal, "normal", 487, "Request Terminated", 16),
    row(Cause::CallerGaveUp, "caller_gave_up", 487, "Request Terminated", 16),
    row(Cause::NoAnswer, "no_answer", 480, "Temporarily Unavailable", 19),
    row(Cause::Busy, "busy", 486, "Busy Here", 17),
    row(Cause::Declined, "declined", 603, "Decline", 21),
    row(Cause::ElsewhereAnswered, "elsewhere_answered", 487, "Request Terminated", 26),
    row(Cause::Unreachable, "unreachable", 480, "Temporarily Unavailable", 20),
    row(Cause::NotFound, "not_found", 404, "Not Found", 1),
    row(Cause::NotAllowed, "not_allowed", 403, "Forbidden", 57),
    row(Cause::NoCodec, "no_codec", 488, "Not Acceptable Here", 88),
    row(Cause::MediaTimeout, "media_timeout", 480, "Temporarily Unavailable", 41),
    row(Cause::Network, "network", 408, "Request Timeout", 102),
    row(Cause::Congestion, "congestion", 503, "Service Unavailable", 34),
    row(Cause::Protocol, "protocol", 502, "Bad Gateway", 111),
    row(Cause::ServerRestart, "server_restart", 503, "Service Unavailable", 41),
    row(Cause::Internal, "internal", 500, "Server Internal Error", 127),
];

impl Cause {
    fn row(self) -> &'static Row {
        TABLE.iter().find(|r| r.cause == self).expect("the table has a row for every cause; a test counts them")
    }
    /// The word used in records, API and database.
    pub fn as_str(self) -> &'static str {
        self.row().word
    }
    /// Status and reason phrase when an INVITE is refused for this.
    pub fn status(self) -> (u16, &'static str) {
        let r = self.row();
        (r.status, r.reason)
    }
    /// ITU-T Q.850 cause value.
    pub fn q850(self) -> u8 {
        self.row().q850
    }
    /// The value of a Reason header (RFC 3326).
    pub fn reason_header(self) -> String {
        format!("Q.850;cause={};text=\"{}\"", self.q850(), self.as_str())
    }
    /// What a final refusal of our INVITE means.
    pub fn from_status(code: u16) -> Cause {
        match code {
            486 | 600 => Cause::Busy,
            603 | 607 | 608 => Cause::Declined,
            404 | 410 | 484 | 604 => Cause::NotFound,
            401 | 403 | 407 => Cause::NotAllowed,
            408 | 504 => Cause::Network,
            480 | 430 => Cause::Unreachable,
            // Elsewhere: a phone that forwards, a number that has moved. Nobody is called for whom no route was asked (a
            // forwarded call is how a toll-fraud begins), so it is as if nobody were there.
            300..=399 => Cause::Unreachable,
            487 => Cause::CallerGaveUp,
            406 | 415 | 488 | 606 => Cause::NoCodec,
            500 | 503 | 429 => Cause::Congestion,
            _ => Cause::Protocol,
        }
    }
    /// What a Reason header says (RFC 3326): of several values the Q.850 one, which says most; else the SIP status. `None` when
    /// it says nothing we know.
    pub fn from_reason(header: &str) -> Option<Cause> {
        let cause = |protocol: &str| {
            let value = header
                .split(',')
                .map(str::trim)
                .find(|v| v.split(';').next().is_some_and(|p| p.trim().eq_ignore_ascii_case(protocol)))?;
            value.split(';').find_map(|p| p.trim().strip_prefix("cause=")).and_then(|v| v.trim().parse::<u16>().ok())
        };
        let elsewhere = |code| matches!(code, 200).then_some(Cause::ElsewhereAnswered);
        match (cause("Q.850"), cause("SIP")) {
            (Some(value), sip) => Some(u8::try_from(value).map_or(Cause::Normal, Cause::from_q850))
                .filter(|c| *c != Cause::Normal || sip.is_none())
                .or(sip.and_then(elsewhere))
                .or(Some(Cause::Normal)),
            (None, Some(200)) => Some(Cause::ElsewhereAnswered),
            (None, Some(code)) if code >= 300 => Some(Cause::from_status(code)),
            (None, _) => None,
        }
    }
    /// What a Q.850 value in a BYE means; anything unknown is a normal end.
    pub fn from_q850(value: u8) -> Cause {
        TABLE.iter().find(|r| r.q850 == value).map_or(Cause::Normal, |r| r.cause)
    }
}

impl std::fmt::Display for Cause {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cause_has_one_row_whose_word_is_its_name_in_the_journal() {
        for r in &TABLE {
            assert_eq!(serde_json::to_value(r.cause).unwrap(), r.word);
        }
        let mut causes: Vec<_> = TABLE.iter().map(|r| r.cause).collect();
        causes.dedup();
        assert_eq!((causes.len(), *causes.last().unwrap()), (16, Cause::Internal));
    }

    #[test]
    fn what_the_far_end_answered_is_kept_apart() {
        assert_eq!(Cause::from_status(486), Cause::Busy);
        assert_eq!(Cause::from_status(603), Cause::Declined);
        assert_eq!(Cause::from_status(488), Cause::NoCodec);
        assert_eq!((Cause::from_status(302), Cause::from_status(380)), (Cause::Unreachable, Cause::Unreachable));
        assert_eq!(Cause::from_q850(17), Cause::Busy);
        assert_eq!(Cause::from_q850(99), Cause::Normal);
        assert_eq!(Cause::from_reason("Q.850;cause=17;text=\"busy\""), Some(Cause::Busy));
        assert_eq!(Cause::from_reason("SIP;cause=486;text=\"Busy\", Q.850 ; cause=19"), Some(Cause::NoAnswer));
        assert_eq!(Cause::from_reason("SIP;cause=200;text=\"Call completed elsewhere\""), Some(Cause::ElsewhereAnswered));
        assert_eq!(Cause::from_reason("SIP;cause=603"), Some(Cause::Declined));
        assert_eq!(Cause::from_reason("Preemption;cause=1"), None);
    }
}
