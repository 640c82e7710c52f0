//! The gate: how many new requests one address may send, and whom nobody listens to for a while.
//!
//! An address that keeps guessing passwords, or that says by its name that it is a scanner, is banned: its new requests are
//! dropped without a word. A right password in between forgives the wrong ones, for behind one address sits a whole office with
//! one phone nobody has set up. Over UDP an address can be forged, so whoever uses this asks for neither trunks nor phones that
//! are registered ([`stack`](super::stack)), and a ban is short.

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr},
};

use crate::base::{
    Mono,
    limits::{SIP_BAN, SIP_GATE_SOURCES_MAX, SIP_STRIKES_WITHIN},
    source,
};

/// What those who look for open exchanges call their programs, in lower case.
const SCANNERS: &[&str] =
    &["friendly-scanner", "sipvicious", "sundayddr", "sipcli", "vaxsipuseragent", "pplsip", "sip-scan", "iwar"];

/// Whether a program calls itself a scanner.
pub fn is_scanner(user_agent: &str) -> bool {
    let name = user_agent.to_ascii_lowercase();
    SCANNERS.iter().any(|s| name.contains(s))
}

/// How strict it is. 0 switches a rule off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rules {
    /// New requests a second from one address; twice as many at once.
    pub requests_per_s: u32,
    /// Wrong passwords from one address within [`SIP_STRIKES_WITHIN`], none right in between, before it is banned.
    pub ban_after: u32,
}

/// What becomes of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is looked at.
    Pass,
    /// Too many: it is dropped, and whoever means it repeats it.
    Limited,
    /// It is dropped.
    Banned,
}

#[derive(Debug, Clone, Copy)]
struct Seen {
    /// The bucket of requests is filled up to here.
    full_at: Mono,
    strikes: u32,
    first_strike: Mono,
    banned_until: Mono,
    last: Mono,
}

/// Every address that sent something lately.
#[derive(Debug, Default)]
pub struct Gate {
    seen: BTreeMap<IpAddr, Seen>,
    swept: Mono,
}

impl Gate {
    /// A new request comes.
    pub fn judge(&mut self, now: Mono, rules: Rules, from: IpAddr) -> Verdict {
        let seen = self.of(now, from);
        if seen.banned_until > now {
            return Verdict::Banned;
        }
        if rules.requests_per_s == 0 {
            return Verdict::Pass;
        }
        let each = 1_000_000_000 / u64::from(rules.requests_per_s);
        let start = seen.full_at.0.max(now.0.saturating_sub(2_000_000_000));
        if start + each > now.0 {
            return Verdict::Limited;
        }
        seen.full_at = Mono(start + each);
        Verdict::Pass
    }

    /// A wrong password came from there. True: now the address is banned.
    pub fn strike(&mut self, now: Mono, rules: Rules, from: IpAddr) -> bool {
        if rules.ban_after == 0 {
            return false;
        }
        let seen = self.of(now, from);
        if now.since(seen.first_strike) > SIP_STRIKES_WITHIN {
            (seen.strikes, seen.first_strike) = (0, now);
        }
        seen.strikes += 1;
        let banned = seen.strikes >= rules.ban_after && seen.banned_until <= now;
        if banned {
            (seen.banned_until, seen.strikes) = (now + SIP_BAN, 0);
        }
        banned
    }

    /// A scanner gave its name. True: it was not banned yet.
    pub fn ban(&mut self, now: Mono, rules: Rules, from: IpAddr) -> bool {
        if rules.ban_after == 0 {
            return false;
        }
        let seen = self.of(now, from);
        let news = seen.banned_until <= now;
        seen.banned_until = now + SIP_BAN;
        news
    }

    /// Somebody there knows a password.
    pub fn pardon(&mut self, from: IpAddr) {
        if let Some(seen) = self.seen.get_mut(&source(from)) {
            seen.strikes = 0;
        }
    }

    /// How many addresses are banned.
    pub fn banned(&self, now: Mono) -> usize {
        self.seen.values().filter(|s| s.banned_until > now).count()
    }

    fn of(&mut self, now: Mono, from: IpAddr) -> &mut Seen {
        let mut key = source(from);
        if self.seen.len() >= SIP_GATE_SOURCES_MAX && !self.seen.contains_key(&key) {
            // Looking through them all is work: once in a while, whoever sends.
            if now >= self.swept + SIP_STRIKES_WITHIN / 60 {
                self.swept = now;
                self.seen.retain(|_, s| s.banned_until > now || now.since(s.last) < SIP_STRIKES_WITHIN);
            }
            if self.seen.len() >= SIP_GATE_SOURCES_MAX {
                // Everybody new shares one account: forged addresses do not grow the table, and known ones are not affected.
                key = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
            }
        }
        let new = Seen { full_at: Mono(0), strikes: 0, first_strike: now, banned_until: Mono(0), last: now };
        let seen = self.seen.entry(key).or_insert(new);
        seen.last = now;
        seen
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{ms, secs};

    const RULES: Rules = Rules { requests_per_s: 10, ban_after: 3 };

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn two_seconds_worth_pass_at_once_then_the_rate_and_others_are_not_touched() {
        let (mut g, now) = (Gate::default(), Mono(0) + secs(100));
        let passed = |g: &mut Gate, now, from| (0..100).filter(|_| g.judge(now, RULES, from) == Verdict::Pass).count();
        assert_eq!(passed(&mut g, now, ip("192.0.2.1")), 20);
        assert_eq!(passed(&mut g, now + ms(500), ip("192.0.2.1")), 5);
        assert_eq!(passed(&mut g, now, ip("192.0.2.2")), 20);
        assert_eq!(passed(&mut g, now, ip("2001:db8::1")), 20);
        assert_eq!(passed(&mut g, now, ip("2001:db8::2")), 0, "the same house");
        assert_eq!(g.judge(now, Rules::default(), ip("192.0.2.1")), Verdict::Pass, "switched off");
    }

    #[test]
    fn whoever_guesses_is_banned_for_a_while_and_a_right_password_forgives() {
        let (mut g, mut now) = (Gate::default(), Mono(0) + secs(100));
        let (office, guesser) = (ip("192.0.2.1"), ip("192.0.2.2"));
        for _ in 0..20 {
            assert!(!g.strike(now, RULES, office));
            assert!(!g.strike(now, RULES, office));
            g.pardon(office);
        }
        assert!(!g.strike(now, RULES, guesser));
        assert!(!g.strike(now, RULES, guesser));
        now = now + SIP_STRIKES_WITHIN + secs(1);
        assert!(!g.strike(now, RULES, guesser), "two of an hour ago are forgotten");
        assert!(!g.strike(now, RULES, guesser));
        assert!(g.strike(now, RULES, guesser));
        assert_eq!((g.judge(now, RULES, guesser), g.judge(now, RULES, office)), (Verdict::Banned, Verdict::Pass));
        assert_eq!(g.banned(now), 1);
        now = now + SIP_BAN;
        assert_eq!(g.judge(now, RULES, guesser), Verdict::Pass);
    }

    #[test]
    fn forged_addresses_without_number_do_not_grow_the_table() {
        let (mut g, now) = (Gate::default(), Mono(0) + secs(100));
        let known = ip("192.0.2.1");
        g.judge(now, RULES, known);
        for n in 0..SIP_GATE_SOURCES_MAX as u32 + 500 {
            g.judge(now, RULES, IpAddr::V4(Ipv4Addr::from(0x0a00_0000 + n)));
        }
        assert!(g.seen.len() <= SIP_GATE_SOURCES_MAX + 1);
        assert_eq!(g.judge(now, RULES, ip("203.0.113.1")), Verdict::Limited, "newcomers share an account");
        assert_eq!(g.judge(now, RULES, known), Verdict::Pass);
        assert_eq!(
            g.judge(now + SIP_STRIKES_WITHIN * 2, RULES, ip("203.0.113.1")),
            Verdict::Pass,
            "the old ones are forgotten"
        );
    }

    #[test]
    fn scanners_are_known_by_what_they_call_themselves() {
        assert!(is_scanner("friendly-scanner") && is_scanner("sipcli/v1.8") && is_scanner("VaxSIPUserAgent/3.1"));
        assert!(!is_scanner("Yealink SIP-T46S 66.85.0.5") && !is_scanner("baresip v1.0.0 (x86_64/linux)"));
    }
}
