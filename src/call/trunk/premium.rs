//! Which numbers cost more than talking: premium-rate ranges, satellite and international networks, and the islands that share
//! a country code with a continent.
//!
//! National numbering plans change: the list is a floor under the administrator's own `deny`, not a register. What is on it was
//! looked up in July 2026: for codes that are no country's in the ITU's list of assigned country codes (complement to E.164); for
//! countries in the ranges libphonenumber's metadata calls premium-rate, and shared-cost where abusers are paid for those (Ofcom's
//! plan for 084, 087 and 070; the Bundesnetzagentur's for 0137, 0180 and 118). Left out are ranges only their length tells from
//! ordinary numbers: Ireland's 15, China's 160 and 168.

/// Prefixes of premium-rate numbers, with the plus, by where they are.
const PREMIUM: &[&[&str]] = &[
    // No country's: shared cost, satellites (Inmarsat; Iridium, Globalstar), personal numbers, international networks, disaster
    // relief, premium rate, the trial of a service that never came.
    &["+808", "+870", "+878", "+881", "+882", "+883", "+888", "+979", "+991"],
    // North America.
    &["+1900", "+1976"],
    // Great Britain: 09, service numbers 084 and 087, personal numbers 070.
    &["+449", "+4484", "+4487", "+4470"],
    // Germany: premium, mass calling, service, directory.
    &["+49900", "+49137", "+49138", "+49180", "+49118"],
    // Belgium, Netherlands, Luxembourg.
    &["+3290", "+3270", "+327879", "+31900", "+31906", "+31909", "+352900", "+352901", "+352905"],
    // France: all of 08 but 080, which is free, and 087, which is telephones.
    &["+3381", "+3382", "+3383", "+3384", "+3385", "+3386", "+3388", "+3389"],
    // Spain, Portugal.
    &["+34803", "+34806", "+34807", "+34905", "+34907"],
    &["+351601", "+351607", "+351608", "+351646", "+351760", "+351761", "+351762"],
    // Italy, Greece.
    &["+39144", "+39163", "+39164", "+39166", "+39199", "+3989", "+30901", "+30909"],
    // Switzerland, Austria.
    &["+41900", "+41901", "+41906", "+4390", "+4393"],
    // Poland, Czechia, Slovakia, Hungary.
    &["+4870", "+42090", "+420976", "+421900", "+42197", "+42198", "+3690", "+3691"],
    // Romania, Bulgaria, Slovenia, Croatia, Turkey.
    &["+4090", "+35990", "+38689", "+38690", "+38560", "+38561", "+38564", "+38565", "+38569", "+90900", "+90888", "+90898"],
    // Sweden, Norway, Denmark, Finland, Estonia, Latvia, Lithuania.
    &["+46900", "+46939", "+46944", "+4699", "+4782", "+4590", "+358600", "+358700", "+372900", "+37190", "+37090", "+370910"],
    // Russia, Ukraine.
    &["+7803", "+7809", "+380900"],
    // Israel, the Emirates, South Africa.
    &["+97219", "+971900", "+27862", "+27863", "+27864", "+27865", "+27866", "+27867", "+27868", "+27869", "+2790"],
    // Brazil, Mexico.
    &["+55900", "+55500", "+52900"],
    // Japan: premium, and 0570, which costs by the caller; Korea, Taiwan, Hong Kong, Singapore.
    &["+81990", "+81570", "+8260", "+88620", "+852900", "+651900"],
    // India (its 900 are mobiles), Australia, New Zealand.
    &["+91186", "+61190", "+6490"],
];

/// Area codes of +1 that are neither in the United States nor in Canada.
const ISLANDS: &[&str] = &[
    "242", "246", "264", "268", "284", "345", "441", "473", "649", "658", "664", "721", "758", "767", "784", "809", "829",
    "849", "868", "869", "876",
];

/// Whether a number in E.164 (with plus) is of a premium range.
pub fn is_premium(number: &str) -> bool {
    PREMIUM.iter().copied().flatten().any(|p| number.starts_with(p))
}

/// Whether a number in E.164 (with plus) belongs to the country of this code.
pub fn is_home(number: &str, country: Option<&str>) -> bool {
    let Some(rest) = country.and_then(|cc| number.strip_prefix('+')?.strip_prefix(cc)) else { return false };
    // +7 is shared as well: 6 and 7 are Kazakhstan's.
    match country {
        Some("1") => !ISLANDS.iter().any(|a| rest.starts_with(a)),
        Some("7") => !rest.starts_with(['6', '7']),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_island_in_the_same_plan_is_abroad() {
        assert!(is_home("+12125550100", Some("1")) && !is_home("+18765550100", Some("1")));
        assert!(is_home("+3225550100", Some("32")) && !is_home("+3325550100", Some("32")) && !is_home("+3225550100", None));
    }

    #[test]
    fn what_pays_its_owner_is_premium_and_what_only_begins_alike_is_not() {
        for costly in ["+19005550100", "+8835100012345", "+881612345678", "+870773123456", "+34806123456", "+449061234567"] {
            assert!(is_premium(costly), "{costly}");
        }
        // New York; a mobile in Kolkata; free calls in Spain and France; a mobile in Shanghai.
        for plain in ["+12125550100", "+919007123456", "+34800123456", "+33800123456", "+8616612345678", "+35315301234"] {
            assert!(!is_premium(plain), "{plain}");
        }
    }

    #[test]
    fn the_table_holds_prefixes_and_nothing_twice() {
        let all: Vec<&str> = PREMIUM.iter().copied().flatten().copied().collect();
        for (i, p) in all.iter().enumerate() {
            assert!(p.strip_prefix('+').is_some_and(|d| d.len() >= 2 && d.bytes().all(|b| b.is_ascii_digit())), "{p}");
            assert!(!all[..i].iter().any(|q| p.starts_with(q) || q.starts_with(p)), "{p} is there already");
        }
    }
}
