//! ICE as a lite agent (RFC 8445 section 2.5): the peer checks, we answer, and remember from where it may send.
//!
//! One agent a leg, sans-I/O. An address counts once a check from there carried our username and was signed with our password;
//! sound goes to the pair the peer nominated. To anything else there is no answer, so an open port reflects nothing.
//!
//! Consent (RFC 7675) seen from the lite side: the peer goes on checking; when no check came for [`CONSENT`], we stop sending
//! until one comes.
//!
//! A restart (RFC 8445 section 9) is new credentials on either side: the old ones are answered, and the old pair is used, until
//! a check with the new ones came.

pub mod stun;

use std::net::SocketAddr;

use crate::{
    limits::{CONSENT, ICE_PAIRS_MAX},
    time::At,
    wire::Ice,
};
use stun::{ANSWER_MAX, Error, Password, Request};

/// Our name and password.
#[derive(Debug)]
struct Credentials {
    ufrag: Box<[u8]>,
    password: Password,
}

impl From<&Ice> for Credentials {
    fn from(ice: &Ice) -> Self {
        Self { ufrag: ice.ufrag.as_bytes().into(), password: Password::new(&ice.pwd.0) }
    }
}

/// An address the peer proved to be at.
#[derive(Debug, Clone, Copy)]
struct Pair {
    at: SocketAddr,
    checked: At,
}

/// What a STUN packet came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// Not for us, or from nobody we know: no answer.
    Foreign,
    /// The check counts: so many bytes of answer are to be sent back to where it came from.
    Checked(usize),
    /// It counts, and from now on sound goes there.
    Nominated(usize),
    /// It is from the peer and wrong; so many bytes of answer say why. Nothing changed.
    Refused(usize),
}

/// See the module.
#[derive(Debug)]
pub struct Agent {
    ours: Credentials,
    /// After a restart, until a check with the new ones came.
    before: Option<Credentials>,
    /// The peer's name, once it is known.
    theirs: Option<Box<[u8]>>,
    pairs: [Option<Pair>; ICE_PAIRS_MAX],
    selected: Option<SocketAddr>,
}

impl Agent {
    /// With our credentials. Checks may come before the peer's are known.
    pub fn new(ours: &Ice) -> Self {
        Self { ours: ours.into(), before: None, theirs: None, pairs: [None; ICE_PAIRS_MAX], selected: None }
    }

    /// The peer's credentials, as far as we need them: its name. Its password would sign checks of ours, which we do not send.
    pub fn peer(&mut self, theirs: &Ice) {
        self.theirs = Some(theirs.ufrag.as_bytes().into());
    }

    /// New credentials of ours. The same again change nothing.
    pub fn restart(&mut self, ours: &Ice) {
        if *self.ours.ufrag != *ours.ufrag.as_bytes() {
            self.before = Some(std::mem::replace(&mut self.ours, ours.into()));
            self.theirs = None;
        }
    }

    /// A STUN packet came. What is to be sent back is in `answer`.
    pub fn handle(&mut self, now: At, from: SocketAddr, packet: &[u8], answer: &mut [u8; ANSWER_MAX]) -> What {
        let Some(request) = Request::parse(packet) else { return What::Foreign };
        let Some((to, by)) = request.username() else { return What::Foreign };
        let old = match &self.before {
            Some(before) if *before.ufrag == *to => true,
            _ if *self.ours.ufrag == *to => false,
            _ => return What::Foreign,
        };
        let ours = self.before.as_ref().filter(|_| old).unwrap_or(&self.ours);
        if !request.signed_by(&ours.password) || !old && self.theirs.as_ref().is_some_and(|t| **t != *by) {
            return What::Foreign;
        }
        let error = if !request.unknown().is_empty() {
            Some(Error::UnknownAttribute)
        } else if request.controlled {
            Some(Error::RoleConflict)
        } else if request.priority.is_none() || !request.controlling {
            Some(Error::BadRequest)
        } else {
            None
        };
        if let Some(error) = error {
            return What::Refused(request.error(error, &ours.password, answer));
        }
        let n = request.success(from, &ours.password, answer);
        if !old && self.before.take().is_some() {
            // Pairs of before the restart end with it; the selected one is used until another is nominated.
            self.pairs = [None; ICE_PAIRS_MAX];
        }
        self.checked(now, from);
        if request.use_candidate && self.selected != Some(from) {
            self.selected = Some(from);
            return What::Nominated(n);
        }
        What::Checked(n)
    }

    /// The pair is kept; a new one takes the place of the one unchecked for longest, except the selected.
    fn checked(&mut self, now: At, from: SocketAddr) {
        let selected = self.selected;
        let rank = |p: &Option<Pair>| match p {
            Some(p) if p.at == from => (0, At(0)),
            None => (1, At(0)),
            Some(p) if Some(p.at) == selected => (3, p.checked),
            Some(p) => (2, p.checked),
        };
        if let Some(seat) = self.pairs.iter_mut().min_by_key(|p| rank(p)) {
            *seat = Some(Pair { at: from, checked: now });
        }
    }

    /// Whether the peer proved to be there.
    pub fn admits(&self, from: SocketAddr) -> bool {
        self.selected == Some(from) || self.pairs.iter().flatten().any(|p| p.at == from)
    }

    /// Where to send: to the nominated pair, or before that to the one checked last. `None` without consent.
    pub fn target(&self, now: At) -> Option<SocketAddr> {
        let fresh = |p: &&Pair| now.since(p.checked) < CONSENT;
        let newest = self.pairs.iter().flatten().max_by_key(|p| p.checked).filter(fresh)?;
        // Any check is the peer's will to be sent to (RFC 7675 section 5.1), at the pair it chose.
        Some(self.selected.unwrap_or(newest.at))
    }
}

#[cfg(test)]
mod tests {
    use super::{
        stun::ask::{Ask, read_answer},
        *,
    };
    use crate::wire::Secret;

    fn ice(ufrag: &str, pwd: &str) -> Ice {
        Ice { ufrag: ufrag.into(), pwd: Secret(pwd.as_bytes().into()) }
    }

    fn at(port: u16) -> SocketAddr {
        SocketAddr::from(([192, 0, 2, 7], port))
    }

    fn secs(s: u64) -> At {
        At(s * 1_000_000_000)
    }

    const OURS: &str = "an-ours-of-twenty-two-c";

    fn agent() -> Agent {
        let mut a = Agent::new(&ice("ours", OURS));
        a.peer(&ice("them", "a-password-we-never-need"));
        a
    }

    fn hears(a: &mut Agent, now: At, from: SocketAddr, ask: &Ask<'_>) -> (What, Vec<u8>) {
        let mut out = [0; ANSWER_MAX];
        let what = a.handle(now, from, &ask.bytes(), &mut out);
        let n = match what {
            What::Foreign => 0,
            What::Checked(n) | What::Nominated(n) | What::Refused(n) => n,
        };
        (what, out[..n].to_vec())
    }

    #[test]
    fn a_browser_checks_then_nominates_and_sound_goes_there() {
        let mut a = agent();
        assert!(a.target(secs(1)).is_none() && !a.admits(at(1)));
        let ask = Ask::new("ours:them", OURS);
        let (what, answer) = hears(&mut a, secs(1), at(1), &ask);
        assert!(matches!(what, What::Checked(_)));
        assert_eq!(read_answer(&answer, OURS), Some((0x0101, None, Some(at(1)))));
        assert_eq!((a.target(secs(1)), a.admits(at(1))), (Some(at(1)), true));
        hears(&mut a, secs(2), at(2), &ask);
        assert!(matches!(hears(&mut a, secs(3), at(1), &ask.clone().nominating()).0, What::Nominated(_)));
        assert!(matches!(hears(&mut a, secs(4), at(1), &ask.clone().nominating()).0, What::Checked(_)), "once");
        hears(&mut a, secs(5), at(2), &ask);
        assert_eq!(a.target(secs(5)), Some(at(1)), "the nominated one, whatever else is checked");
        assert!(a.admits(at(2)) && !a.admits(at(3)));
    }

    #[test]
    fn a_stranger_gets_no_answer_and_changes_nothing() {
        let mut a = agent();
        for ask in [
            Ask::new("ours:them", "another-password-of-22"),
            Ask::new("other:them", OURS),
            Ask::new("ours:other", OURS),
            Ask::new("ours", OURS),
        ] {
            assert_eq!(hears(&mut a, secs(1), at(1), &ask.nominating()).0, What::Foreign);
        }
        assert!(!a.admits(at(1)));
    }

    #[test]
    fn a_peer_that_errs_is_told_how() {
        let mut a = agent();
        let ask = || Ask::new("ours:them", OURS);
        for (ask, code) in [(ask().controlled(), 487), (ask().with(0x7777, b"?"), 420), (ask().without_priority(), 400)] {
            let (what, answer) = hears(&mut a, secs(1), at(1), &ask.nominating());
            assert!(matches!(what, What::Refused(_)));
            assert_eq!(read_answer(&answer, OURS), Some((0x0111, Some(code), None)));
        }
        assert!(!a.admits(at(1)));
        assert!(matches!(hears(&mut a, secs(1), at(1), &ask().with(0xC057, b"5G")).0, What::Checked(_)), "optional");
    }

    #[test]
    fn thirty_seconds_without_a_check_end_the_sending_and_a_check_resumes_it() {
        let mut a = agent();
        let ask = Ask::new("ours:them", OURS).nominating();
        hears(&mut a, secs(1), at(1), &ask);
        assert_eq!(a.target(secs(30)), Some(at(1)));
        assert_eq!(a.target(secs(31)), None);
        hears(&mut a, secs(40), at(1), &ask);
        assert_eq!(a.target(secs(41)), Some(at(1)));
    }

    #[test]
    fn a_restart_keeps_the_old_pair_until_the_new_credentials_are_heard() {
        let mut a = agent();
        let old = Ask::new("ours:them", OURS).nominating();
        hears(&mut a, secs(1), at(1), &old);
        a.restart(&ice("new", "another-password-of-22"));
        a.peer(&ice("they", "whatever-whatever-what"));
        assert!(matches!(hears(&mut a, secs(2), at(1), &old).0, What::Checked(_)));
        assert_eq!(a.target(secs(2)), Some(at(1)));
        let new = Ask::new("new:they", "another-password-of-22");
        assert!(matches!(hears(&mut a, secs(3), at(9), &new).0, What::Checked(_)));
        assert_eq!(a.target(secs(3)), Some(at(1)), "until another is nominated");
        assert_eq!(hears(&mut a, secs(3), at(1), &old).0, What::Foreign, "the old ones are over");
        assert!(matches!(hears(&mut a, secs(3), at(9), &new.nominating()).0, What::Nominated(_)));
        assert_eq!((a.target(secs(4)), a.admits(at(1))), (Some(at(9)), false));
    }

    #[test]
    fn many_addresses_take_no_more_room_than_a_few_and_the_chosen_one_stays() {
        let mut a = agent();
        let ask = Ask::new("ours:them", OURS);
        hears(&mut a, secs(0), at(1), &ask.clone().nominating());
        for n in 2..100 {
            hears(&mut a, secs(u64::from(n)), at(n), &ask);
        }
        assert!(a.admits(at(1)) && a.admits(at(99)) && !a.admits(at(50)));
        assert_eq!(a.target(secs(100)), Some(at(1)));
    }
}
