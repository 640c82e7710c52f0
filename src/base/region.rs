//! Where a number is from: its country, and in China its province, as the public numbering plans say.
//!
//! Countries are those of ITU-T E.164 (list of assigned country codes); who shares `+1` is told apart by area code (North American
//! Numbering Plan), `+7` by its first digit. Provinces are those of the area codes of China's fixed network; a mobile number there
//! tells none, for it is carried from province to province. Names are left to whoever shows them: this says ISO 3166 codes.

use std::fmt;

/// A country, and the province where that can be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Region {
    /// ISO 3166-1 alpha-2: `BE`, `CN`.
    pub country: &'static str,
    /// The second part of ISO 3166-2: `GD` of `CN-GD`.
    pub province: Option<&'static str>,
}

/// `BE`, or `CN-GD`.
impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.province {
            Some(p) => write!(f, "{}-{p}", self.country),
            None => f.write_str(self.country),
        }
    }
}

impl Region {
    /// Of a number in E.164 with its plus; none for any other, and for numbers that are of no country.
    pub fn of(number: &str) -> Option<Self> {
        let digits = number.strip_prefix('+').filter(|_| super::e164::is_whole(number))?;
        let country = match digits.as_bytes()[0] {
            b'1' => north_american(digits.get(1..4)?)?,
            // Kazakhstan has +7 6 and +7 7.
            b'7' => {
                if matches!(digits.as_bytes()[1], b'6' | b'7') {
                    "KZ"
                } else {
                    "RU"
                }
            }
            _ => (1..=3).find_map(|n| country(digits.get(..n)?))?,
        };
        let province = if country == "CN" { province(&digits[2..]) } else { None };
        Some(Region { country, province })
    }
}

fn country(code: &str) -> Option<&'static str> {
    COUNTRIES.binary_search_by_key(&code, |(c, _)| *c).ok().map(|at| COUNTRIES[at].1)
}

/// The country of an area code under `+1`; none for those of none (toll-free, premium, personal).
fn north_american(area: &str) -> Option<&'static str> {
    if let Some((_, islands)) = ISLANDS.iter().find(|(areas, _)| areas.contains(&area)) {
        return Some(islands);
    }
    let nowhere = ["456", "500", "521", "522", "533", "544", "566", "577", "588", "600", "700", "710", "900"];
    let toll_free = area.len() == 3 && area.starts_with('8') && area.as_bytes()[1] == area.as_bytes()[2];
    match area {
        _ if toll_free || nowhere.contains(&area) || area.starts_with(['0', '1']) => None,
        _ if CANADA.contains(&area) => Some("CA"),
        _ => Some("US"),
    }
}

/// The province of a number of China without `+86`, if it is one of the fixed network.
fn province(national: &str) -> Option<&'static str> {
    // A mobile number begins with 1, and so does Beijing: those have ten digits in all, mobile ones eleven.
    if national.len() == 11 && national.starts_with('1') {
        return None;
    }
    // Two digits of the municipalities and the large cities, three of all others. The exceptions stand before their tens.
    let by = |codes: &[(&'static str, &'static str)]| codes.iter().find(|(c, _)| national.starts_with(c)).map(|(_, p)| *p);
    by(CITIES).or_else(|| by(ODD)).or_else(|| by(TENS))
}

/// Beijing, and cities of the first level.
const CITIES: &[(&str, &str)] = &[
    ("10", "BJ"),
    ("20", "GD"),
    ("21", "SH"),
    ("22", "TJ"),
    ("23", "CQ"),
    ("24", "LN"),
    ("25", "JS"),
    ("27", "HB"),
    ("28", "SC"),
    ("29", "SN"),
];

/// Area codes of another province than their neighbours.
const ODD: &[(&str, &str)] = &[
    ("335", "HE"),
    ("349", "SX"),
    ("482", "NM"),
    ("483", "NM"),
    ("631", "SD"),
    ("632", "SD"),
    ("633", "SD"),
    ("634", "SD"),
    ("635", "SD"),
    ("701", "JX"),
    ("898", "HI"),
    ("899", "HI"),
];

/// All others, by their first two digits.
const TENS: &[(&str, &str)] = &[
    ("31", "HE"),
    ("35", "SX"),
    ("37", "HA"),
    ("39", "HA"),
    ("41", "LN"),
    ("42", "LN"),
    ("43", "JL"),
    ("44", "JL"),
    ("45", "HL"),
    ("46", "HL"),
    ("47", "NM"),
    ("51", "JS"),
    ("52", "JS"),
    ("53", "SD"),
    ("54", "SD"),
    ("55", "AH"),
    ("56", "AH"),
    ("57", "ZJ"),
    ("58", "ZJ"),
    ("59", "FJ"),
    ("66", "GD"),
    ("69", "YN"),
    ("71", "HB"),
    ("72", "HB"),
    ("73", "HN"),
    ("74", "HN"),
    ("75", "GD"),
    ("76", "GD"),
    ("77", "GX"),
    ("79", "JX"),
    ("81", "SC"),
    ("82", "SC"),
    ("83", "SC"),
    ("85", "GZ"),
    ("87", "YN"),
    ("88", "YN"),
    ("89", "XZ"),
    ("90", "XJ"),
    ("91", "SN"),
    ("93", "GS"),
    ("94", "GS"),
    ("95", "NX"),
    ("97", "QH"),
    ("99", "XJ"),
];

/// Area codes of Canada.
const CANADA: &[&str] = &[
    "204", "226", "236", "249", "250", "257", "263", "289", "306", "343", "354", "365", "367", "368", "382", "387", "403",
    "416", "418", "428", "431", "437", "438", "450", "460", "468", "474", "506", "514", "519", "548", "579", "581", "584",
    "587", "604", "613", "639", "647", "672", "683", "705", "709", "742", "753", "778", "780", "782", "807", "819", "825",
    "867", "873", "879", "902", "905", "942",
];

/// Area codes of the other countries and territories under `+1`.
const ISLANDS: &[(&[&str], &str)] = &[
    (&["242"], "BS"),
    (&["246"], "BB"),
    (&["264"], "AI"),
    (&["268"], "AG"),
    (&["284"], "VG"),
    (&["340"], "VI"),
    (&["345"], "KY"),
    (&["441"], "BM"),
    (&["473"], "GD"),
    (&["649"], "TC"),
    (&["658", "876"], "JM"),
    (&["664"], "MS"),
    (&["670"], "MP"),
    (&["671"], "GU"),
    (&["684"], "AS"),
    (&["721"], "SX"),
    (&["758"], "LC"),
    (&["767"], "DM"),
    (&["784"], "VC"),
    (&["787", "939"], "PR"),
    (&["809", "829", "849"], "DO"),
    (&["868"], "TT"),
    (&["869"], "KN"),
];

/// Country codes of one country each, in order.
const COUNTRIES: &[(&str, &str)] = &[
    ("20", "EG"),
    ("211", "SS"),
    ("212", "MA"),
    ("213", "DZ"),
    ("216", "TN"),
    ("218", "LY"),
    ("220", "GM"),
    ("221", "SN"),
    ("222", "MR"),
    ("223", "ML"),
    ("224", "GN"),
    ("225", "CI"),
    ("226", "BF"),
    ("227", "NE"),
    ("228", "TG"),
    ("229", "BJ"),
    ("230", "MU"),
    ("231", "LR"),
    ("232", "SL"),
    ("233", "GH"),
    ("234", "NG"),
    ("235", "TD"),
    ("236", "CF"),
    ("237", "CM"),
    ("238", "CV"),
    ("239", "ST"),
    ("240", "GQ"),
    ("241", "GA"),
    ("242", "CG"),
    ("243", "CD"),
    ("244", "AO"),
    ("245", "GW"),
    ("246", "IO"),
    ("247", "AC"),
    ("248", "SC"),
    ("249", "SD"),
    ("250", "RW"),
    ("251", "ET"),
    ("252", "SO"),
    ("253", "DJ"),
    ("254", "KE"),
    ("255", "TZ"),
    ("256", "UG"),
    ("257", "BI"),
    ("258", "MZ"),
    ("260", "ZM"),
    ("261", "MG"),
    ("262", "RE"),
    ("263", "ZW"),
    ("264", "NA"),
    ("265", "MW"),
    ("266", "LS"),
    ("267", "BW"),
    ("268", "SZ"),
    ("269", "KM"),
    ("27", "ZA"),
    ("290", "SH"),
    ("291", "ER"),
    ("297", "AW"),
    ("298", "FO"),
    ("299", "GL"),
    ("30", "GR"),
    ("31", "NL"),
    ("32", "BE"),
    ("33", "FR"),
    ("34", "ES"),
    ("350", "GI"),
    ("351", "PT"),
    ("352", "LU"),
    ("353", "IE"),
    ("354", "IS"),
    ("355", "AL"),
    ("356", "MT"),
    ("357", "CY"),
    ("358", "FI"),
    ("359", "BG"),
    ("36", "HU"),
    ("370", "LT"),
    ("371", "LV"),
    ("372", "EE"),
    ("373", "MD"),
    ("374", "AM"),
    ("375", "BY"),
    ("376", "AD"),
    ("377", "MC"),
    ("378", "SM"),
    ("379", "VA"),
    ("380", "UA"),
    ("381", "RS"),
    ("382", "ME"),
    ("383", "XK"),
    ("385", "HR"),
    ("386", "SI"),
    ("387", "BA"),
    ("389", "MK"),
    ("39", "IT"),
    ("40", "RO"),
    ("41", "CH"),
    ("420", "CZ"),
    ("421", "SK"),
    ("423", "LI"),
    ("43", "AT"),
    ("44", "GB"),
    ("45", "DK"),
    ("46", "SE"),
    ("47", "NO"),
    ("48", "PL"),
    ("49", "DE"),
    ("500", "FK"),
    ("501", "BZ"),
    ("502", "GT"),
    ("503", "SV"),
    ("504", "HN"),
    ("505", "NI"),
    ("506", "CR"),
    ("507", "PA"),
    ("508", "PM"),
    ("509", "HT"),
    ("51", "PE"),
    ("52", "MX"),
    ("53", "CU"),
    ("54", "AR"),
    ("55", "BR"),
    ("56", "CL"),
    ("57", "CO"),
    ("58", "VE"),
    ("590", "GP"),
    ("591", "BO"),
    ("592", "GY"),
    ("593", "EC"),
    ("594", "GF"),
    ("595", "PY"),
    ("596", "MQ"),
    ("597", "SR"),
    ("598", "UY"),
    ("599", "CW"),
    ("60", "MY"),
    ("61", "AU"),
    ("62", "ID"),
    ("63", "PH"),
    ("64", "NZ"),
    ("65", "SG"),
    ("66", "TH"),
    ("670", "TL"),
    ("672", "NF"),
    ("673", "BN"),
    ("674", "NR"),
    ("675", "PG"),
    ("676", "TO"),
    ("677", "SB"),
    ("678", "VU"),
    ("679", "FJ"),
    ("680", "PW"),
    ("681", "WF"),
    ("682", "CK"),
    ("683", "NU"),
    ("685", "WS"),
    ("686", "KI"),
    ("687", "NC"),
    ("688", "TV"),
    ("689", "PF"),
    ("690", "TK"),
    ("691", "FM"),
    ("692", "MH"),
    ("81", "JP"),
    ("82", "KR"),
    ("84", "VN"),
    ("850", "KP"),
    ("852", "HK"),
    ("853", "MO"),
    ("855", "KH"),
    ("856", "LA"),
    ("86", "CN"),
    ("880", "BD"),
    ("886", "TW"),
    ("90", "TR"),
    ("91", "IN"),
    ("92", "PK"),
    ("93", "AF"),
    ("94", "LK"),
    ("95", "MM"),
    ("960", "MV"),
    ("961", "LB"),
    ("962", "JO"),
    ("963", "SY"),
    ("964", "IQ"),
    ("965", "KW"),
    ("966", "SA"),
    ("967", "YE"),
    ("968", "OM"),
    ("970", "PS"),
    ("971", "AE"),
    ("972", "IL"),
    ("973", "BH"),
    ("974", "QA"),
    ("975", "BT"),
    ("976", "MN"),
    ("977", "NP"),
    ("98", "IR"),
    ("992", "TJ"),
    ("993", "TM"),
    ("994", "AZ"),
    ("995", "GE"),
    ("996", "KG"),
    ("998", "UZ"),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn of(number: &str) -> String {
        Region::of(number).map_or_else(|| "-".to_owned(), |r| r.to_string())
    }

    #[test]
    fn a_number_tells_its_country_and_a_fixed_line_in_china_its_province() {
        let places = [
            ("+3265551234", "BE"),
            ("+442079460000", "GB"),
            ("+8613800007777", "CN"),
            ("+861064000000", "CN-BJ"),
            ("+862155500000", "CN-SH"),
            ("+862083000000", "CN-GD"),
            ("+8675583000000", "CN-GD"),
            ("+863358000000", "CN-HE"),
            ("+863498000000", "CN-SX"),
            ("+868988000000", "CN-HI"),
            ("+868916000000", "CN-XZ"),
            ("+867018000000", "CN-JX"),
            ("+866318000000", "CN-SD"),
            ("+852 2123 4567", "-"),
            ("+85221234567", "HK"),
            ("+886223456789", "TW"),
        ];
        for (number, place) in places {
            assert_eq!(of(number), place, "{number}");
        }
    }

    #[test]
    fn who_shares_a_country_code_is_told_apart_and_what_is_of_no_country_tells_none() {
        let places = [
            ("+12125550123", "US"),
            ("+14165550123", "CA"),
            ("+18765550123", "JM"),
            ("+17875550123", "PR"),
            ("+18005550123", "-"),
            ("+18885550123", "-"),
            ("+19005550123", "-"),
            ("+74951234567", "RU"),
            ("+77271234567", "KZ"),
            // Satellites, international networks, universal freephone.
            ("+881612345678", "-"),
            ("+882161234567", "-"),
            ("+80012345678", "-"),
            ("4000", "-"),
            ("anna", "-"),
            ("+", "-"),
            ("+1", "-"),
            ("+861", "-"),
            ("+32655512345678901", "-"),
        ];
        for (number, place) in places {
            assert_eq!(of(number), place, "{number}");
        }
    }

    #[test]
    fn the_table_is_in_order_and_no_code_begins_another() {
        assert!(COUNTRIES.windows(2).all(|w| w[0].0 < w[1].0));
        for (code, _) in COUNTRIES {
            assert!(!COUNTRIES.iter().any(|(other, _)| other != code && other.starts_with(code)), "{code}");
        }
    }
}
