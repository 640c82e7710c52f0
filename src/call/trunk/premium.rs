//! Which numbers cost more than talking: premium-rate ranges of the countries most of our users are in, satellite and
//! international networks, and the islands that share a country code with a continent.
//!
//! National numbering plans change: the list is a floor under the administrator's own `deny`, not a register. Sources: ITU-T
//! E.164 lists of assigned codes, and each country's published plan.

/// Prefixes of premium-rate numbers, with the plus.
const PREMIUM: &[&str] = &[
    // Worldwide: international premium rate, satellite, international networks, shared cost.
    "+979", "+870", "+881", "+882", "+883", "+808", "+878", // North America: 900 and 976 exchanges.
    "+1900", "+1976", // United Kingdom: 09, 087 and 084 service numbers, 070 personal numbers.
    "+449", "+4487", "+4484", "+4470", // Germany: 0900, 0137 mass calling, 0180 service.
    "+49900", "+49137", "+49180", "+49118", // Belgium, Netherlands, France, Spain, Italy.
    "+3290", "+3270", "+31900", "+31906", "+31909", "+3389", "+3480", "+34905", "+34907", "+39144", "+39166", "+3989",
    "+39199", // Switzerland, Austria, Poland, Sweden, Norway, Denmark, Finland.
    "+41900", "+41901", "+41906", "+4390", "+4393", "+4870", "+46900", "+46939", "+46944", "+4782", "+4590", "+358600",
    "+358700", // Japan, Australia, New Zealand, India.
    "+81990", "+81570", "+6119", "+64900", "+91900",
];

/// Area codes of +1 that are neither in the United States nor in Canada.
const ISLANDS: &[&str] = &[
    "242", "246", "264", "268", "284", "345", "441", "473", "649", "658", "664", "721", "758", "767", "784", "809", "829",
    "849", "868", "869", "876",
];

/// Whether a number in E.164 (with plus) is of a premium range.
pub fn is_premium(number: &str) -> bool {
    PREMIUM.iter().any(|p| number.starts_with(p))
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
        assert!(is_premium("+19005550100") && is_premium("+8835100012345") && !is_premium("+12125550100"));
    }
}
