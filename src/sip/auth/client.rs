//! The digest client: answers a trunk's challenge, and nobody else's.
//!
//! A phone that answers every challenge hands its digest to whoever asks (the known attack: call it, let it hang up, challenge
//! its BYE with a realm of one's own). So credentials name the realm they are for, and the addresses they may be sent to; a
//! foreign realm or a foreign host gets nothing.
//!
//! [`Credentials::answer`] answers one request's challenge. [`Login`] remembers a challenge for the requests after it, so that
//! a registration is refused once a week and not every minute.

use std::{borrow::Cow, net::IpAddr};

use super::digest::{Algorithm, Ha1, Proof};
use crate::{
    base::{Rng, redact::Secret},
    sip::msg::{AuthHeader, Name, scan::quote},
};

/// What we show to one trunk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The only realm answered. Configure the trunk's realm, or its host name when it uses that.
    pub realm: String,
    /// The user name.
    pub user: String,
    /// The password.
    pub password: Secret,
    /// The only addresses an answer is sent to. Empty: wherever the request went, which is right for a request that could not
    /// have been led elsewhere.
    pub hosts: Vec<IpAddr>,
}

/// An answer and what it answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// The value of the `Authorization` (to 401) or `Proxy-Authorization` (to 407) header.
    pub value: String,
    /// The nonce answered: the same nonce again means the password is wrong.
    pub nonce: String,
}

/// A challenge of our realm that we can answer.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Challenge {
    algorithm: Algorithm,
    realm: String,
    nonce: String,
    opaque: Option<String>,
    /// `qop=auth`; without it the form of RFC 2069.
    auth: bool,
    stale: bool,
}

impl Challenge {
    /// `None`: it wants more than we can do (`auth-int` alone).
    fn read(algorithm: Algorithm, p: &AuthHeader) -> Option<Challenge> {
        let auth = match p.get("qop") {
            Some(list) if list.split(',').any(|q| q.trim().eq_ignore_ascii_case("auth")) => true,
            Some(_) => return None,
            None => false,
        };
        Some(Challenge {
            algorithm,
            realm: p.get("realm").unwrap_or_default().into_owned(),
            nonce: p.get("nonce")?.into_owned(),
            opaque: p.get("opaque").map(Cow::into_owned),
            auth,
            stale: p.get("stale").is_some_and(|s| s.eq_ignore_ascii_case("true")),
        })
    }
}

impl Credentials {
    /// Whether an answer may be sent to this address.
    pub fn are_for(&self, host: IpAddr) -> bool {
        self.hosts.is_empty() || self.hosts.contains(&host)
    }

    /// The strongest challenge of ours among the header values.
    fn strongest<'a>(&self, challenges: impl Iterator<Item = &'a str>) -> Option<Challenge> {
        let ours = challenges
            .filter_map(AuthHeader::of_digest)
            .filter(|p| p.get("realm").is_some_and(|r| r.eq_ignore_ascii_case(&self.realm)))
            .filter_map(|p| Some((Algorithm::parse(p.get("algorithm").as_deref())?, p)));
        let (algorithm, p) = ours.min_by_key(|(a, _)| *a)?;
        Challenge::read(algorithm, &p)
    }

    /// The header value that answers `c`, for the `uses`th time from 1.
    fn value(&self, rng: &mut Rng, c: &Challenge, uses: u32, method: &str, uri: &str) -> String {
        let (cnonce, nc) = (rng.hex(12), format!("{uses:08x}"));
        let ha1 = Ha1::new(&self.user, &c.realm, self.password.expose());
        let auth = c.auth.then_some((nc.as_str(), cnonce.as_str()));
        let proof = Proof { algorithm: c.algorithm, method, uri, nonce: &c.nonce, auth };
        let mut value = format!(
            "Digest username={}, realm={}, nonce={}, uri={}, response=\"{}\", algorithm={}",
            quote(&self.user),
            quote(&c.realm),
            quote(&c.nonce),
            quote(uri),
            proof.response(ha1.of(c.algorithm)),
            c.algorithm.as_str()
        );
        if c.auth {
            value.push_str(&format!(", cnonce=\"{cnonce}\", qop=auth, nc={nc}"));
        }
        if let Some(opaque) = &c.opaque {
            value.push_str(&format!(", opaque={}", quote(opaque)));
        }
        value
    }

    /// Answers the strongest challenge of ours among `challenges` (header values), if there is one that was not answered
    /// before. `answered` is the nonce answered last for this request.
    pub fn answer<'a>(
        &self,
        rng: &mut Rng,
        method: &str,
        uri: &str,
        challenges: impl Iterator<Item = &'a str>,
        answered: Option<&str>,
    ) -> Option<Answered> {
        let c = self.strongest(challenges)?;
        // The same nonce again, or a fresh one that is not called stale: the password is wrong, and asking again would lock
        // the account.
        if answered.is_some_and(|a| a == c.nonce || !c.stale) {
            return None;
        }
        Some(Answered { value: self.value(rng, &c, 1, method, uri), nonce: c.nonce })
    }
}

/// A challenge remembered between requests, with how often it has been answered (RFC 7616 3.4: `nc` counts up per nonce).
#[derive(Debug, Clone, Default)]
pub struct Login {
    challenge: Option<(Name, Challenge)>,
    uses: u32,
    /// Challenges of the request under way, not counting one that only said that a remembered nonce is too old.
    tries: u8,
    /// The request under way carries an answer to a challenge of an earlier one.
    ahead: bool,
}

impl Login {
    /// The header the next request carries, if there has been a challenge.
    pub fn authorize(&mut self, rng: &mut Rng, who: &Credentials, method: &str, uri: &str) -> Option<(Name, String)> {
        let (name, c) = self.challenge.as_ref()?;
        self.uses = self.uses.saturating_add(1);
        // Without qop there is no count: a nonce is good for one answer then, and a server that takes it again is kind.
        self.ahead = self.tries == 0;
        Some((name.clone(), who.value(rng, c, self.uses, method, uri)))
    }

    /// The request was challenged with 401 or 407. True: ask again; false: not our realm, or the password is wrong.
    pub fn challenged<'a>(&mut self, who: &Credentials, code: u16, challenges: impl Iterator<Item = &'a str>) -> bool {
        let tell = if code == 401 { Name::Authorization } else { Name::ProxyAuthorization };
        let Some(c) = who.strongest(challenges) else {
            self.forget();
            return false;
        };
        let again = std::mem::take(&mut self.ahead) || self.tries == 0 || (self.tries == 1 && c.stale);
        self.tries += 1;
        if !again {
            self.forget();
            return false;
        }
        self.challenge = Some((tell, c));
        self.uses = 0;
        true
    }

    /// The request was taken, or is over otherwise: the next one begins anew with what is remembered.
    pub fn done(&mut self) {
        (self.tries, self.ahead) = (0, false);
    }

    fn forget(&mut self) {
        *self = Login::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{base::Wall, sip::auth::server::DigestServer, sip::auth::server::Verdict};

    fn ours() -> Credentials {
        Credentials { realm: "carrier.example".into(), user: "shop".into(), password: Secret::new("pw"), hosts: vec![] }
    }
    fn answer(challenges: &[&str], answered: Option<&str>) -> Option<Answered> {
        ours().answer(&mut Rng::seeded(3), "INVITE", "sip:1@carrier.example", challenges.iter().copied(), answered)
    }

    #[test]
    fn our_own_server_takes_what_our_client_says() {
        let at = Wall::from_unix_s(1_795_406_706);
        let mut server = DigestServer::new(Rng::seeded(4));
        let c = server.challenges(at, "carrier.example", false);
        let a = answer(&[&c[1], &c[0]], None).unwrap();
        assert!(a.value.contains("SHA-256"));
        let p = AuthHeader::of_digest(&a.value).unwrap();
        let ha1 = Ha1::new("shop", "carrier.example", "pw");
        let v = server.judge(at, &p, "carrier.example", "INVITE", |u| u == "sip:1@carrier.example", Some(&ha1));
        assert_eq!(v, Verdict::Right);
    }

    #[test]
    fn a_challenge_of_a_foreign_realm_gets_nothing() {
        assert_eq!(answer(&[r#"Digest realm="attacker.example", nonce="n", qop="auth""#], None), None);
        assert_eq!(answer(&[r#"Basic realm="carrier.example""#], None), None);
    }

    #[test]
    fn a_password_is_tried_once_and_once_more_only_when_the_nonce_was_stale() {
        let first = r#"Digest realm="carrier.example", nonce="n1""#;
        assert_eq!(answer(&[first], None).unwrap().nonce, "n1");
        assert_eq!(answer(&[first], Some("n1")), None);
        assert_eq!(answer(&[r#"Digest realm="carrier.example", nonce="n2""#], Some("n1")), None);
        assert!(answer(&[r#"Digest realm="carrier.example", nonce="n2", stale=TRUE"#], Some("n1")).is_some());
    }

    #[test]
    fn an_integrity_only_challenge_is_left_alone() {
        assert_eq!(answer(&[r#"Digest realm="carrier.example", nonce="n", qop="auth-int""#], None), None);
    }

    #[test]
    fn a_remembered_challenge_is_answered_ahead_and_counted_and_a_wrong_password_is_told_at_once() {
        let (who, mut rng) = (ours(), Rng::seeded(5));
        let mut login = Login::default();
        let ask = |login: &mut Login, rng: &mut Rng| login.authorize(rng, &who, "REGISTER", "sip:carrier.example");
        assert!(ask(&mut login, &mut rng).is_none());
        let first = r#"Digest realm="carrier.example", nonce="n1", qop="auth""#;
        assert!(login.challenged(&who, 401, [first].into_iter()));
        let (name, value) = ask(&mut login, &mut rng).unwrap();
        assert!(name == Name::Authorization && value.contains("nc=00000001"), "{value}");
        login.done();
        let (_, value) = ask(&mut login, &mut rng).unwrap();
        assert!(value.contains("nc=00000002") && value.contains("\"n1\""), "{value}");
        // The server has forgotten the nonce and does not say that it is stale: that is no verdict on the password ..
        let second = r#"Digest realm="carrier.example", nonce="n2", qop="auth""#;
        assert!(login.challenged(&who, 401, [second].into_iter()));
        assert!(ask(&mut login, &mut rng).unwrap().1.contains("nc=00000001"));
        // .. but this is.
        assert!(!login.challenged(&who, 401, [r#"Digest realm="carrier.example", nonce="n3", qop="auth""#].into_iter()));
        assert!(ask(&mut login, &mut rng).is_none());
    }

    #[test]
    fn only_the_hosts_named_are_answered() {
        let mut who = ours();
        assert!(who.are_for([192, 0, 2, 1].into()));
        who.hosts = vec![[192, 0, 2, 7].into()];
        assert!(who.are_for([192, 0, 2, 7].into()) && !who.are_for([192, 0, 2, 1].into()));
    }
}
