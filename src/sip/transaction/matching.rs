//! Which transaction a message belongs to (RFC 3261 17.1.3, 17.2.3), with the old rules for branches without the magic cookie.

use crate::sip::msg::{HeaderError, Message, Method};

/// Names a client transaction: a response matches by the branch of its top Via and its CSeq method.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ClientKey {
    branch: String,
    method: Method,
}

impl ClientKey {
    /// For a request of ours.
    pub fn new(branch: &str, method: Method) -> Self {
        Self { branch: branch.to_ascii_lowercase(), method }
    }
    /// The branch.
    pub fn branch(&self) -> &str {
        &self.branch
    }
    /// The key a response asks for.
    pub fn of_response(response: &Message) -> Result<Self, HeaderError> {
        let branch = response.top_via()?.branch().unwrap_or_default();
        Ok(Self::new(&branch, response.cseq()?.method))
    }
}

/// Names a server transaction. An ACK asks for the INVITE's key; a CANCEL has its own and asks for another with
/// [`ServerKey::cancelled`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum ServerKey {
    /// RFC 3261: branch, sent-by, method.
    Branch {
        /// In lower case, for branches are compared so.
        branch: String,
        /// Host and port as written: other clients may make the same branch.
        sent_by: String,
        /// ACK counts as INVITE.
        method: Method,
    },
    /// RFC 2543: everything that stays the same when a request is repeated. (The To tag is left out: the ACK of a refusal
    /// carries ours, the INVITE did not.)
    Old {
        /// The Request-URI.
        uri: String,
        /// The From tag, possibly none.
        from_tag: Option<String>,
        /// The Call-ID.
        call_id: String,
        /// The CSeq number.
        cseq: u32,
        /// The whole top Via as it came.
        via: String,
        /// ACK counts as INVITE.
        method: Method,
    },
}

impl ServerKey {
    /// The key of a request.
    pub fn of_request(request: &Message) -> Result<Self, HeaderError> {
        let method = match request.method() {
            Some(Method::Ack) | None => Method::Invite,
            Some(m) => m.clone(),
        };
        Self::with_method(request, method)
    }

    /// The key of the request this CANCEL wants to stop (9.2). We cancel only INVITEs.
    pub fn cancelled(cancel: &Message) -> Result<Self, HeaderError> {
        Self::with_method(cancel, Method::Invite)
    }

    fn with_method(request: &Message, method: Method) -> Result<Self, HeaderError> {
        let via = request.top_via()?;
        if via.is_rfc3261() {
            let branch = via.branch().unwrap_or_default().to_ascii_lowercase();
            let port = via.port.map(|p| format!(":{p}")).unwrap_or_default();
            return Ok(ServerKey::Branch { branch, sent_by: format!("{}{port}", via.host), method });
        }
        Ok(ServerKey::Old {
            uri: request.uri().map(ToString::to_string).unwrap_or_default(),
            from_tag: request.from_tag(),
            call_id: request.call_id()?.into_owned(),
            cseq: request.cseq()?.number,
            via: via.to_string(),
            method,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sip::msg::{Name, Uri};

    fn request(method: Method, via: &str, to: &str) -> Message {
        let cseq = method.as_str().to_owned();
        let mut m = Message::request(method, Uri::parse("sip:4000@shop.example").unwrap());
        m.headers.push(Name::Via, via);
        m.headers.push(Name::From, "<sip:a@x>;tag=f");
        m.headers.push(Name::To, to);
        m.headers.push(Name::CallId, "c1");
        m.headers.push(Name::CSeq, format!("1 {cseq}"));
        m
    }
    fn key(method: Method, via: &str, to: &str) -> ServerKey {
        ServerKey::of_request(&request(method, via, to)).unwrap()
    }

    #[test]
    fn an_ack_finds_its_invite_and_a_cancel_finds_what_it_cancels() {
        for via in ["SIP/2.0/UDP h:5060;branch=z9hG4bKabc", "SIP/2.0/UDP h:5060;branch=1", "SIP/2.0/UDP h"] {
            let invite = key(Method::Invite, via, "<sip:4000@shop.example>");
            assert_eq!(invite, key(Method::Ack, via, "<sip:4000@shop.example>;tag=t"));
            let cancel = request(Method::Cancel, via, "<sip:4000@shop.example>");
            assert_eq!(invite, ServerKey::cancelled(&cancel).unwrap());
            assert_ne!(invite, ServerKey::of_request(&cancel).unwrap());
        }
    }

    #[test]
    fn two_phones_that_made_the_same_branch_are_two_transactions() {
        let a = key(Method::Invite, "SIP/2.0/UDP h:5060;branch=z9hG4bKabc", "<sip:b@x>");
        assert_ne!(a, key(Method::Invite, "SIP/2.0/UDP h:5062;branch=z9hG4bKabc", "<sip:b@x>"));
        assert_eq!(a, key(Method::Invite, "SIP/2.0/UDP h:5060;branch=z9hg4bkABC;rport", "<sip:b@x>"));
    }
}
