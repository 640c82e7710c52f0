//! Who gets out and who does not; how much of an hour is left.

use super::*;
use crate::base::{mins, secs};

struct Desk {
    guard: Guard,
    toll: Toll,
    now: Mono,
}

impl Desk {
    fn new(toll: &str) -> Desk {
        Desk { guard: Guard::default(), toll: serde_saphyr::from_str(toll).unwrap(), now: Mono(0) + secs(100_000) }
    }
    fn asks(&mut self, agent: &str, source: &str, number: &str) -> Result<Permit, Denied> {
        let (tenant, trunk) = (TenantId::parse("demo").unwrap(), TrunkId::parse("carrier").unwrap());
        let agent = AgentId::parse(agent).ok();
        let wish = Wish {
            tenant: &tenant,
            agent: agent.as_ref(),
            source,
            diverted: None,
            trunk: &trunk,
            number,
            country: Some("32"),
            national: Some("0"),
            open: true,
        };
        self.guard.permit(self.now, &self.toll, wish)
    }
    fn says(&mut self, number: &str) -> &'static str {
        self.asks("anna", "anna", number).map_or_else(Denied::as_str, |_| "goes")
    }
    /// A call of so many minutes.
    fn talks(&mut self, agent: &str, number: &str, minutes: u64) -> Result<(), Denied> {
        let p = self.asks(agent, agent, number)?;
        self.guard.answered(self.now, p.id());
        self.now = self.now + mins(minutes);
        self.guard.over(self.now, p.id());
        Ok(())
    }
}

#[test]
fn nothing_leads_abroad_or_to_a_premium_number_unless_somebody_opened_it() {
    let mut d = Desk::new("{}");
    for (number, verdict) in [
        ("+32470000009", "goes"),
        ("0470000009", "goes"),
        ("+3290012345", "premium"),
        ("090012345", "premium"),
        ("+33123456789", "international"),
        ("0033123456789", "international"),
        ("+8835100012345", "premium"),
        ("1818", "short"),
        ("112", "short"),
        ("+32470000009;ext=5", "no_number"),
        ("%2B33123456789", "no_number"),
        ("+1", "no_number"),
        ("+0032470000009", "no_number"),
        ("33123456789@evil.example", "no_number"),
        ("anna", "no_number"),
        ("", "no_number"),
        ("+32470000009123456", "no_number"),
    ] {
        assert_eq!(d.says(number), verdict, "{number}");
    }
    let mut d = Desk::new("{allow: ['+33*', '1818'], deny: ['+336*'], emergency: ['112'], international: false}");
    for (number, verdict) in [
        ("+33123456789", "goes"),
        ("+33612345678", "closed"),
        ("1818", "goes"),
        ("112", "goes"),
        ("+44123456789", "international"),
    ] {
        assert_eq!(d.says(number), verdict, "{number}");
    }
    assert!(d.asks("anna", "anna", "112").unwrap().is_emergency());
}

#[test]
fn five_thousand_disguises_of_closed_numbers_lead_nowhere() {
    let mut rng = crate::base::Rng::seeded(1);
    let mut d = Desk::new("{}");
    let closed = ["33", "44", "882", "979", "1900", "1876", "3290", "3270", "881", "53", "252", "960"];
    let heads = ["+", "00", "+00", "000", "++", "+ ", "0 0", "%2B", "tel:+", "sip:+", "011", "*", "#31#+", "+32+", "00032"];
    let tails = ["", ";ext=1", ";phone-context=+32", "@evil.example", ",,1", "#", "p1", "?Diversion=x", "%00", "\u{0661}"];
    let pick = |rng: &mut crate::base::Rng, of: &[&'static str]| of[rng.below(of.len() as u64) as usize];
    for _ in 0..5_000 {
        let (head, cc, tail) = (pick(&mut rng, &heads), pick(&mut rng, &closed), pick(&mut rng, &tails));
        let rest: String = (0..7).map(|_| char::from(b'0' + rng.below(10) as u8)).collect();
        let number = format!("{head}{cc}{rest}{tail}");
        if let Ok(p) = d.asks("anna", "anna", &number) {
            // What goes is a number of this country, read by every carrier as that.
            let digits = p.number();
            assert!(digits.bytes().all(|b| b.is_ascii_digit()), "{digits}");
            assert!(!digits.starts_with("00"), "{digits}");
        }
    }
}

#[test]
fn calls_minutes_and_money_within_the_hour_have_an_end_and_the_next_hour_is_a_new_one() {
    let mut d = Desk::new("{per_agent: {calls_h: 3}, per_tenant: {minutes_h: 40}}");
    for _ in 0..3 {
        d.talks("anna", "+32470000009", 5).unwrap();
    }
    assert_eq!(d.talks("anna", "+32470000009", 5), Err(Denied::AgentCap), "the first over");
    d.talks("ben", "+32470000009", 20).unwrap();
    let p = d.asks("carl", "carl", "+32470000009").unwrap();
    assert_eq!(p.longest(), Some(mins(5)), "what is left of the forty");
    d.guard.answered(d.now, p.id());
    d.now = d.now + mins(5);
    assert_eq!(d.asks("ben", "ben", "+32470000009"), Err(Denied::TenantCap), "calls that are still running count");
    d.guard.over(d.now, p.id());
    d.now = d.now + mins(61);
    d.talks("anna", "+32470000009", 5).unwrap();
}

#[test]
fn money_is_counted_by_the_most_particular_rate_and_free_numbers_stay_free() {
    let mut d = Desk::new(
        "{international: true, per_source: {spend_h: 2.0}, rates: [{to: '+*', per_minute: 0.5}, {to: '+32*', per_minute: 0}]}",
    );
    assert_eq!(d.asks("anna", "x", "+33123456789").unwrap().longest(), Some(mins(4)));
    d.talks("anna", "+33123456789", 3).unwrap();
    assert_eq!(d.asks("anna", "anna", "+33123456789").unwrap().longest(), Some(mins(1)));
    d.talks("anna", "+33123456789", 1).unwrap();
    assert_eq!(d.asks("anna", "anna", "+33123456789"), Err(Denied::SourceCap));
    assert_eq!(d.asks("anna", "anna", "+32470000009"), Err(Denied::SourceCap), "who is suspect calls nobody");
    assert!(d.asks("ben", "ben", "+33123456789").is_ok(), "another source is another account");
    assert_eq!(d.guard.decided(), Decided { permitted: 5, denied: 2 });
}

#[test]
fn a_flood_of_callers_shares_the_last_account_and_memory_stays() {
    let mut d = Desk::new("{per_source: {calls_h: 1}}");
    for i in 0..(GUARD_SOURCES_MAX + 500) {
        let _ = d.asks("", &format!("+3247{i:07}"), "+32470000009");
    }
    assert!(d.guard.hours.len() <= GUARD_SOURCES_MAX + 2);
    assert_eq!(d.asks("", "+331", "+32470000009"), Err(Denied::SourceCap));
}
