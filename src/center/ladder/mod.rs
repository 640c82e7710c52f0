//! The ladder of a contact: every SIP message of its legs, without secrets, with who it was between and when.
//!
//! `keep` holds together which legs a contact has had; the messages themselves stay with the stack as they came. When the contact
//! is over they leave the center as an [`Order`]; whoever takes it makes a [`Ladder`] of it, off the loop: masked, in the order of
//! the wire. A ladder is drawn as text (`draw`), written as a capture file (`pcap`), and asked why a call failed (`center::why`).

mod draw;
mod keep;
mod pcap;

use std::{collections::BTreeMap, net::SocketAddr};

use serde::{Deserialize, Serialize};

pub(super) use keep::Keep;

use super::fact::LegRole;
use crate::{
    base::{InteractionId, TenantId, Wall},
    sip::{mask::mask, msg::Message, stack::Trail, transport::Transport},
};

/// What is to be put away of a contact that is over.
#[derive(Debug, Clone)]
pub struct Order {
    /// Whose.
    pub tenant: TenantId,
    /// Which contact.
    pub interaction: InteractionId,
    /// Its legs, in the order they came, with all that went over the wire of each.
    pub legs: Vec<(Party, Vec<Trail>)>,
    /// Legs beyond the limit.
    pub dropped: u64,
}

/// One column beside ours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Party {
    /// The leg's number, as in the facts.
    pub leg: u64,
    /// What it is for.
    pub role: LegRole,
    /// Number, or agent.
    pub name: String,
}

/// One message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// When it was read, or given to the sockets.
    pub at: Wall,
    /// Ours; else theirs.
    pub sent: bool,
    /// Of which leg.
    pub leg: u64,
    /// By which transport.
    pub transport: Transport,
    /// Our address; unspecified where we listen on all.
    pub local: SocketAddr,
    /// Theirs.
    pub remote: SocketAddr,
    /// The message, masked.
    pub text: String,
}

/// The whole.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ladder {
    /// Who took part besides us.
    pub parties: Vec<Party>,
    /// What was said, in order.
    pub steps: Vec<Step>,
    /// Messages left out because a limit was reached.
    pub dropped: u64,
}

impl Order {
    /// Masks every message and brings them in order.
    pub fn ladder(&self) -> Ladder {
        let mut steps = Vec::new();
        let mut dropped = self.dropped;
        for (party, trails) in &self.legs {
            for trail in trails {
                dropped += trail.dropped;
                steps.extend(trail.entries.iter().map(|e| {
                    let sent = matches!(e.wire, crate::sip::stack::Wire::Sent(_));
                    let (transport, local, remote) = (e.flow.transport, e.flow.local, e.flow.remote);
                    (e.n, Step { at: e.at, sent, leg: party.leg, transport, local, remote, text: mask(&e.wire.bytes()) })
                }));
            }
        }
        steps.sort_by_key(|(n, _)| *n);
        let parties = self.legs.iter().map(|(party, _)| party.clone()).collect();
        Ladder { parties, steps: steps.into_iter().map(|(_, s)| s).collect(), dropped }
    }
}

impl Step {
    /// As a message; `None` for what cannot be read any more without what was masked.
    pub fn message(&self) -> Option<Message> {
        Message::parse_datagram(bytes::Bytes::copy_from_slice(self.text.as_bytes())).ok()
    }

    /// The value of the first header of this name.
    pub fn header(&self, name: &str) -> Option<&str> {
        let lines = self.text.split("\r\n").skip(1).take_while(|l| !l.is_empty());
        lines.filter_map(|l| l.split_once(':')).find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.trim())
    }

    /// `INVITE`; of a response the method it answers.
    pub fn method(&self) -> &str {
        match self.status() {
            Some(_) => self.header("CSeq").and_then(|v| v.split_ascii_whitespace().nth(1)).unwrap_or(""),
            None => self.text.split(' ').next().unwrap_or(""),
        }
    }

    /// 100 to 699, of a response.
    pub fn status(&self) -> Option<u16> {
        self.text.strip_prefix("SIP/2.0 ")?.get(..3)?.parse().ok()
    }

    /// The session description in the body, alone or among other parts: what is stored has been judged, so looking for it is enough.
    pub fn description(&self) -> Option<&str> {
        let kind = self.header("Content-Type").or_else(|| self.header("c"))?.to_ascii_lowercase();
        let (_, body) = self.text.split_once("\r\n\r\n")?;
        if kind.starts_with("application/sdp") {
            return Some(body);
        }
        let from = body.find("\nv=0").filter(|_| kind.starts_with("multipart/"))? + 1;
        let part = &body[from..];
        Some(part.split_once("\r\n--").map_or(part, |(part, _)| part))
    }

    /// On one line: `INVITE (SDP)`, `180 Ringing`, `200 OK (BYE)`.
    pub fn title(&self) -> String {
        let first = self.text.split("\r\n").next().unwrap_or("");
        let sdp = self.description().is_some();
        let mut more = Vec::new();
        let mut title = match first.strip_prefix("SIP/2.0 ") {
            Some(status) => {
                let of = self.method();
                if of != "INVITE" && !of.is_empty() {
                    more.push(of);
                }
                status.to_owned()
            }
            None => self.method().to_owned(),
        };
        if sdp {
            more.push("SDP");
        }
        if !more.is_empty() {
            title = format!("{title} ({})", more.join(", "));
        }
        title
    }
}

/// As it is stored: every line once, since the messages of a call say most things again and again.
#[derive(Serialize, Deserialize)]
struct Packed {
    parties: Vec<Party>,
    dropped: u64,
    /// The first stamp; steps count from there.
    at: Wall,
    ways: Vec<(String, SocketAddr, SocketAddr)>,
    lines: Vec<String>,
    /// Microseconds, ours, leg, way, lines.
    steps: Vec<(i64, bool, u64, usize, Vec<usize>)>,
}

impl Ladder {
    /// As text for the store.
    pub fn pack(&self) -> String {
        let at = self.steps.first().map_or(Wall(0), |s| s.at);
        let mut ways: Vec<(Transport, SocketAddr, SocketAddr)> = Vec::new();
        let mut known: BTreeMap<&str, usize> = BTreeMap::new();
        let mut lines: Vec<&str> = Vec::new();
        let mut steps = Vec::with_capacity(self.steps.len());
        for s in &self.steps {
            let way = (s.transport, s.local, s.remote);
            let way = ways.iter().position(|w| *w == way).unwrap_or_else(|| {
                ways.push(way);
                ways.len() - 1
            });
            let numbers = s.text.split("\r\n").map(|line| {
                *known.entry(line).or_insert_with(|| {
                    lines.push(line);
                    lines.len() - 1
                })
            });
            steps.push((s.at.0 - at.0, s.sent, s.leg, way, numbers.collect()));
        }
        let packed = Packed {
            parties: self.parties.clone(),
            dropped: self.dropped,
            at,
            ways: ways.into_iter().map(|(t, l, r)| (t.as_str().to_owned(), l, r)).collect(),
            lines: lines.into_iter().map(str::to_owned).collect(),
            steps,
        };
        serde_json::to_string(&packed).expect("plain data")
    }

    /// From such text. Says what is wrong with it.
    pub fn unpack(text: &str) -> Result<Ladder, String> {
        let packed: Packed = serde_json::from_str(text).map_err(|e| e.to_string())?;
        let mut steps = Vec::with_capacity(packed.steps.len());
        for (us, sent, leg, way, numbers) in packed.steps {
            let (transport, local, remote) = packed.ways.get(way).ok_or("a way that is not there")?;
            let transport = Transport::parse(transport).ok_or("a transport nobody knows")?;
            let lines: Option<Vec<&str>> = numbers.iter().map(|n| packed.lines.get(*n).map(String::as_str)).collect();
            let text = lines.ok_or("a line that is not there")?.join("\r\n");
            let at = Wall(packed.at.0.saturating_add(us));
            steps.push(Step { at, sent, leg, transport, local: *local, remote: *remote, text });
        }
        Ok(Ladder { parties: packed.parties, steps, dropped: packed.dropped })
    }

    /// The first message of another is one of this: they are of the same run of the program.
    pub fn knows(&self, other: &Ladder) -> bool {
        let Some(first) = other.steps.first() else { return true };
        self.steps.iter().any(|s| (s.leg, s.sent, &s.text) == (first.leg, first.sent, &first.text))
    }

    /// What another part of the same contact's life has.
    pub fn append(&mut self, other: Ladder) {
        for p in other.parties {
            if !self.parties.contains(&p) {
                self.parties.push(p);
            }
        }
        self.steps.extend(other.steps);
        self.steps.sort_by_key(|s| s.at);
        self.dropped += other.dropped;
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A ladder of messages `(milliseconds, ours, leg, text)` between us and one address a leg.
    pub fn ladder(parties: &[(u64, LegRole, &str)], steps: &[(i64, bool, u64, &str)]) -> Ladder {
        let parties: Vec<Party> =
            parties.iter().map(|(leg, role, name)| Party { leg: *leg, role: *role, name: (*name).into() }).collect();
        let steps = steps.iter().map(|(ms, sent, leg, text)| Step {
            at: Wall(1_795_406_706_000_000 + ms * 1_000),
            sent: *sent,
            leg: *leg,
            transport: Transport::Udp,
            local: "192.0.2.1:5060".parse().unwrap(),
            remote: format!("198.51.100.{leg}:5060").parse().unwrap(),
            text: (*text).to_owned(),
        });
        Ladder { parties, steps: steps.collect(), dropped: 0 }
    }

    pub fn short() -> Ladder {
        let invite = "INVITE sip:4000@x SIP/2.0\r\nCSeq: 1 INVITE\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n";
        let ok = "SIP/2.0 200 OK\r\nCSeq: 1 INVITE\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n";
        ladder(
            &[(1, LegRole::Customer, "+3265551234"), (2, LegRole::Agent, "anna")],
            &[
                (0, false, 1, invite),
                (1, true, 1, "SIP/2.0 100 Trying\r\nCSeq: 1 INVITE\r\n\r\n"),
                (2, true, 2, invite),
                (12, false, 2, "SIP/2.0 180 Ringing\r\nCSeq: 1 INVITE\r\n\r\n"),
                (2_500, false, 2, ok),
                (2_501, true, 2, "ACK sip:x SIP/2.0\r\nCSeq: 1 ACK\r\n\r\n"),
                (9_000, true, 2, "BYE sip:x SIP/2.0\r\nCSeq: 2 BYE\r\n\r\n"),
                (9_001, false, 2, "SIP/2.0 200 OK\r\nCSeq: 2 BYE\r\n\r\n"),
            ],
        )
    }

    #[test]
    fn what_is_stored_is_read_back_as_it_was_and_says_every_line_once() {
        let whole = short();
        let packed = whole.pack();
        assert_eq!(packed.matches("INVITE sip:4000").count(), 1, "{packed}");
        assert_eq!(Ladder::unpack(&packed), Ok(whole));
        assert!(Ladder::unpack("{}").is_err());
        let bad = packed.replace("\"UDP\"", "\"PIGEON\"");
        assert!(Ladder::unpack(&bad).is_err());
    }

    #[test]
    fn a_line_says_what_a_message_is() {
        let titles: Vec<String> = short().steps.iter().map(Step::title).collect();
        let expected =
            ["INVITE (SDP)", "100 Trying", "INVITE (SDP)", "180 Ringing", "200 OK (SDP)", "ACK", "BYE", "200 OK (BYE)"];
        assert_eq!(titles, expected);
        let mut among_others = short();
        among_others.steps[0].text =
            "INVITE sip:4000@x SIP/2.0\r\nc: multipart/mixed;boundary=b\r\n\r\n--b\r\nContent-Type: application/sdp\r\n\r\n\
             v=0\r\nm=audio 4000 RTP/AVP 8\r\n--b\r\nContent-Type: application/isup\r\n\r\nm=\r\n--b--\r\n"
                .into();
        assert_eq!(among_others.steps[0].title(), "INVITE (SDP)");
        assert_eq!(among_others.steps[0].description(), Some("v=0\r\nm=audio 4000 RTP/AVP 8"));
    }
}
