//! Our registration with a carrier (RFC 3261 10.2): refreshed in time, repeated after a failure, never a burden.
//!
//! ```text
//! Due ─▶ Asking ──200──▶ Due after 70 to 80 % of what was granted          (good until the rest is over)
//!          ├───401─────▶ Asking, once, with an answer
//!          ├───423─────▶ Asking for as long as the carrier wants, once
//!          └───else────▶ Due after 5 s, 10 s, 20 s .. 5 min, half of it left to chance; `Retry-After` if that is longer
//! ```
//! A refresh that fails does not end what was granted before. Who has refused the password or the user is asked again only
//! every five minutes: faster would lock the account.
//!
//! Tests: an arrow each, below; with a registrar at the other end in `sim::tests::trunks`.

use std::time::Duration;

use crate::{
    base::{Mono, Now, Rng, Wall, secs},
    sip::{
        auth::{Credentials, Login},
        msg::{Contacts, Message, Name, NameAddr},
    },
};

/// The first wait after a failure.
const WAIT_MIN: Duration = secs(5);
/// The longest wait of ours.
const WAIT_MAX: Duration = secs(300);
/// The longest wait a carrier may ask for.
const RETRY_AFTER_MAX: Duration = secs(3_600);
/// The longest registration that is believed.
const GRANT_MAX_S: u32 = 7 * 86_400;
/// The longest a carrier may want it to be (423).
const MIN_EXPIRES_MAX_S: u32 = 86_400;

/// What the carrier said last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// When.
    pub at: Wall,
    /// Its status; 408 also when it said nothing.
    pub code: u16,
    /// Its words.
    pub reason: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Due(Mono),
    Asking,
}

/// One registration.
#[derive(Debug)]
pub struct Registration {
    step: Step,
    call_id: String,
    cseq: u32,
    /// Asked for, seconds: as configured, or longer if the carrier wants that.
    ask_s: u32,
    /// The carrier has been obeyed in that already.
    lengthened: bool,
    login: Login,
    failures: u32,
    good_until: Option<Mono>,
    said: Option<Said>,
}

/// The request to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The same for all.
    pub call_id: String,
    /// Counts up.
    pub cseq: u32,
    /// Seconds; 0: forget us.
    pub expires_s: u32,
    /// The answer to a challenge.
    pub authorization: Option<(Name, String)>,
}

impl Registration {
    /// Due at once.
    pub fn new(now: Mono, rng: &mut Rng, expires_s: u32) -> Self {
        Registration {
            step: Step::Due(now),
            call_id: rng.hex(16),
            cseq: 0,
            ask_s: expires_s,
            lengthened: false,
            login: Login::default(),
            failures: 0,
            good_until: None,
            said: None,
        }
    }

    /// When the next request is due; `None` while one is out.
    pub fn due(&self) -> Option<Mono> {
        match self.step {
            Step::Due(at) => Some(at),
            Step::Asking => None,
        }
    }

    /// Whether the carrier knows where we are.
    pub fn is_good(&self, now: Mono) -> bool {
        self.good_until.is_some_and(|until| until > now)
    }

    /// Until when it does.
    pub fn good_until(&self) -> Option<Mono> {
        self.good_until
    }

    /// What it said last.
    pub fn said(&self) -> Option<&Said> {
        self.said.as_ref()
    }

    /// The next request.
    pub fn request(&mut self, rng: &mut Rng, who: Option<&Credentials>, uri: &str) -> Request {
        self.step = Step::Asking;
        self.next(rng, who, uri, self.ask_s)
    }

    /// A last request, by which the carrier forgets us; its answer changes nothing.
    pub fn farewell(&mut self, rng: &mut Rng, who: Option<&Credentials>, uri: &str) -> Option<Request> {
        self.good_until?;
        self.login.done();
        Some(self.next(rng, who, uri, 0))
    }

    fn next(&mut self, rng: &mut Rng, who: Option<&Credentials>, uri: &str, expires_s: u32) -> Request {
        self.cseq += 1;
        let authorization = who.and_then(|who| self.login.authorize(rng, who, "REGISTER", uri));
        Request { call_id: self.call_id.clone(), cseq: self.cseq, expires_s, authorization }
    }

    /// The final answer; without a message nobody answered. `ours` is the Contact we sent, `who` credentials that may be shown
    /// to whoever answered.
    pub fn answered(
        &mut self,
        now: Now,
        rng: &mut Rng,
        who: Option<&Credentials>,
        ours: &NameAddr,
        code: u16,
        answer: Option<&Message>,
    ) {
        if self.step != Step::Asking {
            return;
        }
        let challenged = matches!(code, 401 | 407);
        let name = if code == 401 { Name::WwwAuthenticate } else { Name::ProxyAuthenticate };
        if let (true, Some(who), Some(m)) = (challenged, who, answer) {
            let challenges: Vec<String> = m.headers.all(&name).map(|c| c.into_owned()).collect();
            if self.login.challenged(who, code, challenges.iter().map(String::as_str)) {
                self.step = Step::Due(now.mono);
                return;
            }
        }
        let wanted = answer.and_then(|m| m.seconds(&Name::MinExpires)).filter(|w| code == 423 && *w > self.ask_s);
        if let Some(wanted) = wanted.filter(|w| *w <= MIN_EXPIRES_MAX_S && !self.lengthened) {
            (self.ask_s, self.lengthened, self.step) = (wanted, true, Step::Due(now.mono));
            return;
        }
        self.login.done();
        self.lengthened = false;
        let phrase = answer.and_then(|m| m.reason()).filter(|r| !r.is_empty()).map(str::to_owned);
        let reason = phrase.unwrap_or_else(|| crate::sip::msg::reason_phrase(code).to_owned());
        self.said = Some(Said { at: now.wall, code, reason });
        let granted = answer.filter(|_| (200..300).contains(&code)).map_or(0, |m| granted(m, ours).unwrap_or(self.ask_s));
        if granted > 0 {
            let lasts = Duration::from_secs(u64::from(granted.min(GRANT_MAX_S)));
            // Not all at once, should the whole town have started together.
            let part = u32::try_from(70 + rng.below(11)).unwrap_or(75);
            self.failures = 0;
            self.good_until = Some(now.mono + lasts);
            self.step = Step::Due(now.mono + lasts * part / 100);
            return;
        }
        if challenged || (400..500).contains(&code) && code != 408 {
            // It knows us no more, or not any longer.
            self.good_until = None;
        }
        let wait = match code {
            408 | 500..=599 => WAIT_MAX.min(WAIT_MIN * 2u32.saturating_pow(self.failures.min(10))),
            _ => WAIT_MAX,
        };
        self.failures = self.failures.saturating_add(1);
        let asked = answer.and_then(|m| m.seconds(&Name::RetryAfter)).map_or(Duration::ZERO, |s| secs(u64::from(s)));
        let half = u64::try_from(wait.as_millis() / 2).unwrap_or(0);
        let wait = wait / 2 + Duration::from_millis(rng.below(half + 1));
        self.step = Step::Due(now.mono + wait.max(asked.min(RETRY_AFTER_MAX)));
    }
}

/// How long our Contact is good for (10.2.4): its own parameter, else the header; `None`: the answer does not say.
fn granted(answer: &Message, ours: &NameAddr) -> Option<u32> {
    let own = match answer.contacts() {
        Ok(Contacts::List(list)) => list.into_iter().find(|c| c.uri.same(&ours.uri)).and_then(|c| c.expires()),
        _ => None,
    };
    own.or_else(|| answer.expires())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::redact::Secret;

    fn who() -> Credentials {
        Credentials { realm: "c".into(), user: "shop".into(), password: Secret::new("pw"), hosts: vec![] }
    }
    fn ours() -> NameAddr {
        NameAddr::parse("<sip:shop@192.0.2.1:5060>").unwrap()
    }
    fn at(s: u64) -> Now {
        Now { mono: Mono(0) + secs(s), wall: Wall::from_unix_s(1_795_406_706) }
    }
    fn answer(code: u16, headers: &[(Name, &str)]) -> Message {
        let mut m = Message::response(code, "");
        headers.iter().for_each(|(n, v)| m.headers.push(n.clone(), v));
        m
    }
    /// Asks at `s`, is told this, and says how long it waits then, milliseconds.
    fn turn(r: &mut Registration, rng: &mut Rng, s: u64, code: u16, headers: &[(Name, &str)]) -> u64 {
        r.request(rng, Some(&who()), "sip:c");
        let m = answer(code, headers);
        r.answered(at(s), rng, Some(&who()), &ours(), code, Some(&m).filter(|_| code != 408));
        r.due().unwrap().since(at(s).mono).as_millis() as u64
    }

    #[test]
    fn what_was_granted_to_our_own_contact_is_refreshed_in_time() {
        let mut rng = Rng::seeded(1);
        let mut r = Registration::new(at(0).mono, &mut rng, 600);
        let contacts = "<sip:other@192.0.2.9>;expires=3000, <sip:shop@192.0.2.1:5060>;expires=100";
        let wait = turn(&mut r, &mut rng, 0, 200, &[(Name::Contact, contacts), (Name::Expires, "999")]);
        assert!((70_000..=80_000).contains(&wait), "{wait}");
        assert!(r.is_good(at(99).mono) && !r.is_good(at(100).mono));
    }

    #[test]
    fn failures_make_it_slower_and_slower_up_to_five_minutes_and_success_forgets_them() {
        let mut rng = Rng::seeded(2);
        let mut r = Registration::new(at(0).mono, &mut rng, 600);
        turn(&mut r, &mut rng, 0, 200, &[]);
        let waits: Vec<u64> = (0..10).map(|_| turn(&mut r, &mut rng, 1, 408, &[])).collect();
        for (i, wait) in waits.iter().enumerate() {
            let full = 300_000.min(5_000 << i);
            assert!((full / 2..=full).contains(wait), "{i}: {wait}");
        }
        assert!(r.is_good(at(1).mono), "what was granted stays");
        turn(&mut r, &mut rng, 2, 200, &[]);
        assert!(turn(&mut r, &mut rng, 3, 500, &[]) <= 5_000);
        assert!(turn(&mut r, &mut rng, 3, 503, &[(Name::RetryAfter, "120")]) >= 120_000);
    }

    #[test]
    fn a_longer_registration_is_asked_for_once_when_the_carrier_wants_it() {
        let mut rng = Rng::seeded(3);
        let mut r = Registration::new(at(0).mono, &mut rng, 60);
        assert_eq!(turn(&mut r, &mut rng, 0, 423, &[(Name::MinExpires, "1800")]), 0);
        assert_eq!(r.request(&mut rng, None, "sip:c").expires_s, 1800);
        r.answered(at(0), &mut rng, None, &ours(), 423, Some(&answer(423, &[(Name::MinExpires, "7200")])));
        assert!(r.due().unwrap() > at(60).mono, "a carrier that haggles is a carrier that refuses");
        assert_eq!(r.said().unwrap().code, 423);
    }

    #[test]
    fn a_refused_password_is_not_tried_again_soon_and_a_foreign_realm_never() {
        let mut rng = Rng::seeded(4);
        let mut r = Registration::new(at(0).mono, &mut rng, 600);
        let ours_says = |n: &str| format!("Digest realm=\"c\", nonce=\"{n}\", qop=\"auth\"");
        assert_eq!(turn(&mut r, &mut rng, 0, 401, &[(Name::WwwAuthenticate, &ours_says("1"))]), 0);
        assert!(turn(&mut r, &mut rng, 0, 401, &[(Name::WwwAuthenticate, &ours_says("2"))]) >= 150_000);
        let foreign = "Digest realm=\"attacker.example\", nonce=\"x\"";
        assert!(turn(&mut r, &mut rng, 400, 401, &[(Name::WwwAuthenticate, foreign)]) >= 150_000);
        assert_eq!(r.request(&mut rng, Some(&who()), "sip:c").authorization, None);
    }
}
