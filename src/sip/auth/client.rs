//! The digest client: answers a trunk's challenge, and nobody else's.
//!
//! A phone that answers every challenge hands its digest to whoever asks (the known attack: call it, let it hang up, challenge
//! its BYE with a realm of one's own). So credentials name the realm they are for; a foreign realm gets nothing.

use super::{
    digest::{Algorithm, Ha1, Proof},
    params::{Params, quote},
};
use crate::base::{Rng, redact::Secret};

/// What we show to one trunk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The only realm answered. Configure the trunk's realm, or its host name when it uses that.
    pub realm: String,
    /// The user name.
    pub user: String,
    /// The password.
    pub password: Secret,
}

/// An answer and what it answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// The value of the `Authorization` (to 401) or `Proxy-Authorization` (to 407) header.
    pub value: String,
    /// The nonce answered: the same nonce again means the password is wrong.
    pub nonce: String,
}

impl Credentials {
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
        let (algorithm, p) = challenges
            .filter_map(Params::digest)
            .filter(|p| p.get("realm").is_some_and(|r| r.eq_ignore_ascii_case(&self.realm)))
            .filter_map(|p| Some((Algorithm::parse(p.get("algorithm"))?, p)))
            .min_by_key(|(a, _)| *a)?;
        let nonce = p.get("nonce").filter(|n| Some(*n) != answered)?;
        // Refused with a fresh nonce that is not called stale: the password is wrong, and asking again would lock the account.
        if answered.is_some() && !p.get("stale").is_some_and(|s| s.eq_ignore_ascii_case("true")) {
            return None;
        }
        let qop = match p.get("qop") {
            Some(list) if list.split(',').any(|q| q.trim().eq_ignore_ascii_case("auth")) => true,
            Some(_) => return None,
            None => false,
        };
        let realm = p.get("realm").unwrap_or_default();
        let cnonce = rng.hex(12);
        let nc = "00000001";
        let ha1 = Ha1::new(&self.user, realm, self.password.expose());
        let proof = Proof { algorithm, method, uri, nonce, auth: qop.then_some((nc, cnonce.as_str())) };
        let mut value = format!(
            "Digest username={}, realm={}, nonce={}, uri={}, response=\"{}\", algorithm={}",
            quote(&self.user),
            quote(realm),
            quote(nonce),
            quote(uri),
            proof.response(ha1.of(algorithm)),
            algorithm.as_str()
        );
        if qop {
            value.push_str(&format!(", cnonce=\"{cnonce}\", qop=auth, nc={nc}"));
        }
        if let Some(opaque) = p.get("opaque") {
            value.push_str(&format!(", opaque={}", quote(opaque)));
        }
        Some(Answered { value, nonce: nonce.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{base::Wall, sip::auth::server::DigestServer, sip::auth::server::Verdict};

    fn ours() -> Credentials {
        Credentials { realm: "carrier.example".into(), user: "shop".into(), password: Secret::new("pw") }
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
        let p = Params::digest(&a.value).unwrap();
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
}
