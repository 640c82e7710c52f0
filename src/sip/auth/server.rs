//! The digest server: makes challenges and judges answers.
//!
//! A nonce is `time | random | HMAC(secret, time | random | realm)`: it can be checked without having been remembered, so a
//! flood of requests without credentials costs no memory. Only a nonce that was used *rightly* is remembered, with the counts
//! (`nc`) seen. A right answer to an old or worn nonce is `stale`: the phone repeats without asking its owner.
//!
//! An unknown user is judged against a decoy with the same work and the same verdict as a wrong password.

use std::{collections::BTreeMap, time::Duration};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::{Choice, ConstantTimeEq};

use super::digest::{Algorithm, Ha1, Proof, hex};
use crate::{
    base::{
        Rng, Wall,
        limits::{SIP_NONCE_LIFE, SIP_NONCES_MAX},
    },
    sip::msg::{AuthHeader, scan::quote},
};

/// What an answer is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The user knows the password, now.
    Right,
    /// The user knows the password, but the nonce is old, worn or not of this process: ask again with `stale=true`.
    Stale,
    /// Wrong password, unknown user, another realm, nonsense.
    Wrong,
    /// The `uri` parameter is not the request's URI (RFC 7616 3.4.6): 400.
    OtherUri,
}

/// Time (6 bytes, unix milliseconds) and chance (8 bytes).
type NonceId = [u8; 14];

/// Which counts of a nonce were seen: the highest, and a bit for each of the 64 below it.
#[derive(Debug, Clone, Copy, Default)]
struct Seen {
    highest: u32,
    below: u64,
}

impl Seen {
    /// Takes a count once. UDP may turn two requests round, so a little disorder is no replay.
    fn take(&mut self, nc: u32) -> bool {
        if nc > self.highest {
            let shift = nc - self.highest;
            self.below = self.below.checked_shl(shift).unwrap_or(0);
            if self.highest > 0 && shift <= 64 {
                self.below |= 1u64 << (shift - 1);
            }
            self.highest = nc;
            return true;
        }
        let back = self.highest - nc;
        if nc == 0 || back == 0 || back > 64 {
            return false;
        }
        let bit = 1u64 << (back - 1);
        let fresh = self.below & bit == 0;
        self.below |= bit;
        fresh
    }
}

/// The guard.
#[derive(Debug)]
pub struct DigestServer {
    rng: Rng,
    secret: [u8; 32],
    opaque: String,
    decoy: Ha1,
    used: BTreeMap<NonceId, Seen>,
    /// Nonces up to here were forgotten: they are stale even if their time is not up.
    floor: NonceId,
}

impl DigestServer {
    /// With fresh secrets: nonces do not survive a restart, the first request after it is asked again.
    pub fn new(mut rng: Rng) -> Self {
        let secret = rng.bytes();
        let opaque = rng.hex(8);
        let decoy = Ha1::new(&rng.hex(8), &rng.hex(8), &rng.hex(16));
        Self { rng, secret, opaque, decoy, used: BTreeMap::new(), floor: [0; 14] }
    }

    /// The values of as many `WWW-Authenticate` (or `Proxy-Authenticate`) headers, the strongest first (RFC 8760 2.4).
    pub fn challenges(&mut self, now: Wall, realm: &str, stale: bool) -> [String; 2] {
        let mut id: NonceId = [0; 14];
        id[..6].copy_from_slice(&unix_ms(now).to_be_bytes()[2..]);
        id[6..].copy_from_slice(&self.rng.bytes::<8>());
        let nonce = hex(&id) + &hex(&self.seal(&id, realm)[..16]);
        [Algorithm::Sha256, Algorithm::Md5].map(|a| {
            format!(
                "Digest realm={}, nonce=\"{nonce}\", opaque=\"{}\", algorithm={}, qop=\"auth\"{}",
                quote(realm),
                self.opaque,
                a.as_str(),
                if stale { ", stale=true" } else { "" }
            )
        })
    }

    /// Judges one answer. `request_uri` as it stands on the request line; `ha1` of the user named in it, if there is one.
    pub fn judge(
        &mut self,
        now: Wall,
        answer: &AuthHeader,
        realm: &str,
        method: &str,
        same_uri: impl Fn(&str) -> bool,
        ha1: Option<&Ha1>,
    ) -> Verdict {
        let get = |name| answer.get(name);
        let (Some(algorithm), Some(nonce), Some(uri), Some(response), Some(nc), Some(cnonce)) = (
            Algorithm::parse(get("algorithm").as_deref()),
            get("nonce"),
            get("uri"),
            get("response"),
            get("nc").filter(|n| n.len() == 8),
            get("cnonce"),
        ) else {
            return Verdict::Wrong;
        };
        let (nonce, uri, response, nc, cnonce) = (&*nonce, &*uri, &*response, &*nc, &*cnonce);
        let Ok(count) = u32::from_str_radix(nc, 16) else { return Verdict::Wrong };
        // We always offer qop, so an answer without it is a downgrade to a form that can be replayed.
        if !get("qop").is_some_and(|q| q.eq_ignore_ascii_case("auth")) || get("realm").as_deref() != Some(realm) {
            return Verdict::Wrong;
        }
        let known = Choice::from(u8::from(ha1.is_some()));
        let proof = Proof { algorithm, method, uri, nonce, auth: Some((nc, cnonce)) };
        let expected = proof.response(ha1.unwrap_or(&self.decoy).of(algorithm));
        let same = expected.as_bytes().ct_eq(response.to_ascii_lowercase().as_bytes());
        if !bool::from(same & known) {
            return Verdict::Wrong;
        }
        if !same_uri(uri) {
            return Verdict::OtherUri;
        }
        match self.fresh(now, nonce, realm) {
            Some(id) if self.count(id, count) => Verdict::Right,
            _ => Verdict::Stale,
        }
    }

    /// The id of a nonce that we made for this realm and that is still good.
    fn fresh(&self, now: Wall, nonce: &str, realm: &str) -> Option<NonceId> {
        let bytes = unhex::<30>(nonce)?;
        let id: NonceId = bytes[..14].try_into().ok()?;
        if !bool::from(self.seal(&id, realm)[..16].ct_eq(&bytes[14..])) {
            return None;
        }
        let mut made = [0; 8];
        made[2..].copy_from_slice(&id[..6]);
        let age = Duration::from_millis(unix_ms(now).checked_sub(u64::from_be_bytes(made)).unwrap_or(u64::MAX));
        (age <= SIP_NONCE_LIFE && (id > self.floor || self.used.contains_key(&id))).then_some(id)
    }

    fn count(&mut self, id: NonceId, nc: u32) -> bool {
        let ok = self.used.entry(id).or_default().take(nc);
        // Ids begin with their time, so the first is the oldest: it is forgotten and its user asked again.
        while self.used.len() > SIP_NONCES_MAX {
            if let Some((oldest, _)) = self.used.pop_first() {
                self.floor = self.floor.max(oldest);
            }
        }
        ok
    }

    /// Forgets nonces whose time is up; call it now and then.
    pub fn sweep(&mut self, now: Wall) {
        let mut limit: NonceId = [0; 14];
        let life = u64::try_from(SIP_NONCE_LIFE.as_millis()).unwrap_or(u64::MAX);
        limit[..6].copy_from_slice(&unix_ms(now).saturating_sub(life).to_be_bytes()[2..]);
        self.used = self.used.split_off(&limit);
    }

    /// How many nonces are remembered.
    pub fn remembered(&self) -> usize {
        self.used.len()
    }

    fn seal(&self, id: &NonceId, realm: &str) -> [u8; 32] {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.secret).expect("HMAC takes a key of any length");
        mac.update(id);
        mac.update(realm.as_bytes());
        mac.finalize().into_bytes().into()
    }
}

fn unix_ms(now: Wall) -> u64 {
    u64::try_from(now.unix_ms()).unwrap_or(0)
}

fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digits = text.as_bytes();
    if digits.len() != 2 * N {
        return None;
    }
    let value = |b: u8| char::from(b).to_digit(16).and_then(|d| u8::try_from(d).ok());
    let mut out = [0; N];
    for (byte, pair) in out.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = value(pair[0])? << 4 | value(pair[1])?;
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::secs;

    const REALM: &str = "shop.example";
    const START: Wall = Wall::from_unix_s(1_795_406_706);

    fn server() -> DigestServer {
        DigestServer::new(Rng::seeded(1))
    }
    fn anna() -> Ha1 {
        Ha1::new("anna", REALM, "secret")
    }
    fn answer(challenge: &str, password: &str, nc: u32) -> AuthHeader {
        let p = AuthHeader::of_digest(challenge).unwrap();
        let algorithm = Algorithm::parse(p.get("algorithm").as_deref()).unwrap();
        let (nc, nonce) = (format!("{nc:08x}"), p.get("nonce").unwrap());
        let proof = Proof { algorithm, method: "REGISTER", uri: "sip:shop.example", nonce: &nonce, auth: Some((&nc, "c")) };
        let response = proof.response(Ha1::new("anna", &p.get("realm").unwrap(), password).of(algorithm));
        AuthHeader::of_digest(&format!(
            "Digest username=\"anna\", realm=\"{}\", nonce=\"{}\", uri=\"sip:shop.example\", response=\"{response}\", \
             algorithm={}, qop=auth, nc={nc}, cnonce=\"c\"",
            p.get("realm").unwrap(),
            proof.nonce,
            algorithm.as_str()
        ))
        .unwrap()
    }
    fn judge(s: &mut DigestServer, at: Wall, a: &AuthHeader, ha1: Option<&Ha1>) -> Verdict {
        s.judge(at, a, REALM, "REGISTER", |u| u == "sip:shop.example", ha1)
    }

    #[test]
    fn both_hashes_are_offered_the_strong_one_first_and_both_are_taken() {
        let mut s = server();
        let offered = s.challenges(START, REALM, false);
        assert!(offered[0].contains("algorithm=SHA-256") && offered[1].contains("algorithm=MD5"));
        for (i, c) in offered.iter().enumerate() {
            let nc = u32::try_from(i).unwrap() + 1;
            assert_eq!(judge(&mut s, START, &answer(c, "secret", nc), Some(&anna())), Verdict::Right);
        }
    }

    #[test]
    fn a_recorded_answer_played_again_is_stale() {
        let mut s = server();
        let c = &s.challenges(START, REALM, false)[0];
        let mut used = |nc| judge(&mut s, START, &answer(c, "secret", nc), Some(&anna()));
        assert_eq!(used(1), Verdict::Right);
        assert_eq!(used(1), Verdict::Stale);
        assert_eq!(used(4), Verdict::Right);
        assert_eq!(used(3), Verdict::Right, "two requests changed places on the way");
        assert_eq!(used(3), Verdict::Stale);
        assert_eq!(used(1000), Verdict::Right);
        assert_eq!(used(4), Verdict::Stale);
        assert_eq!(used(0), Verdict::Stale);
    }

    #[test]
    fn a_nonce_is_good_for_five_minutes_for_one_realm_and_one_server() {
        let mut s = server();
        let c = s.challenges(START, REALM, false)[1].clone();
        let a = answer(&c, "secret", 1);
        assert_eq!(judge(&mut s, START + SIP_NONCE_LIFE + secs(1), &a, Some(&anna())), Verdict::Stale);
        assert_eq!(judge(&mut DigestServer::new(Rng::seeded(2)), START, &a, Some(&anna())), Verdict::Stale);
        let other = s.judge(START, &a, "other.example", "REGISTER", |_| true, Some(&anna()));
        assert_eq!(other, Verdict::Wrong);
        assert_eq!(judge(&mut s, START - secs(5), &a, Some(&anna())), Verdict::Stale, "from the future");
        assert_eq!(judge(&mut s, START, &a, Some(&anna())), Verdict::Right);
        s.sweep(START + SIP_NONCE_LIFE + secs(1));
        assert_eq!(s.remembered(), 0);
    }

    #[test]
    fn an_unknown_user_and_a_wrong_password_get_the_same_answer() {
        let mut s = server();
        let c = s.challenges(START, REALM, false)[0].clone();
        assert_eq!(judge(&mut s, START, &answer(&c, "guess", 1), Some(&anna())), Verdict::Wrong);
        assert_eq!(judge(&mut s, START, &answer(&c, "secret", 1), None), Verdict::Wrong);
        assert_eq!(s.remembered(), 0, "guessing costs no memory");
    }

    #[test]
    fn an_answer_made_for_another_uri_is_told_so() {
        let mut s = server();
        let c = s.challenges(START, REALM, false)[0].clone();
        let a = answer(&c, "secret", 1);
        assert_eq!(s.judge(START, &a, REALM, "REGISTER", |_| false, Some(&anna())), Verdict::OtherUri);
    }

    #[test]
    fn ten_thousand_nonces_are_all_different() {
        let mut s = server();
        let mut all = std::collections::BTreeSet::new();
        for _ in 0..10_000 {
            let c = &s.challenges(START, REALM, false)[0];
            assert!(all.insert(AuthHeader::of_digest(c).unwrap().get("nonce").unwrap().into_owned()));
        }
    }
}
