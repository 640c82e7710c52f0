//! Numbers as a carrier writes them, to and from E.164.

use serde::{Deserialize, Serialize};

/// How a carrier writes numbers.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Numbers {
    /// Its country code without plus; the tenant's where none is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// What it puts before a number of its own country; the tenant's where none is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub national_prefix: Option<String>,
    /// What it puts before a number of another country; `00` if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub international_prefix: Option<String>,
    /// How we write numbers to it.
    pub send: Form,
    /// What it wants before every number called (a technical prefix).
    #[serde(skip_serializing_if = "String::is_empty")]
    pub prefix: String,
}

/// A way to write a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// As the route made it.
    #[default]
    AsRouted,
    /// `+32470000009`.
    E164,
    /// `32470000009`.
    Digits,
    /// `0470000009`, and `0033123456789` for other countries.
    National,
}

/// The number in the user part of an address. What carriers put behind it says something about it: where it has been carried to (RFC
/// 4694), what line it is of, what was found of it (`verstat`); RFC 3261 19.1.1 and RFC 3966 let them. A name may hold a `;`, and
/// stays whole.
pub(in crate::call) fn subscriber(user: &str) -> &str {
    let is_number = |n: &&str| n.bytes().any(|b| b.is_ascii_digit()) && n.bytes().all(|b| b"0123456789+*#-.()".contains(&b));
    user.split_once(';').map(|(number, _)| number).filter(is_number).unwrap_or(user)
}

impl Numbers {
    /// The same with the tenant's plan where it says nothing.
    pub fn over(&self, country: Option<&str>, national: Option<&str>) -> Numbers {
        let own = |mine: &Option<String>, theirs: Option<&str>| mine.clone().or_else(|| theirs.map(str::to_owned));
        let national_prefix = own(&self.national_prefix, national);
        Numbers { country: own(&self.country, country), national_prefix, ..self.clone() }
    }

    fn abroad(&self) -> &str {
        self.international_prefix.as_deref().unwrap_or("00")
    }

    /// A number from the carrier in E.164, where that is certain; else as it came.
    pub fn read(&self, raw: &str) -> String {
        let text: String = raw.trim().chars().filter(|c| !matches!(c, ' ' | '-' | '.' | '(' | ')' | '/')).collect();
        let text = text.strip_prefix(&*self.prefix).unwrap_or(&text);
        let plain = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit());
        if let Some(digits) = text.strip_prefix('+') {
            return if plain(digits) { text.to_owned() } else { raw.to_owned() };
        }
        if !plain(text) {
            return raw.to_owned();
        }
        let abroad = text.strip_prefix(self.abroad()).filter(|d| d.len() > 6 && !self.abroad().is_empty());
        if let Some(digits) = abroad {
            return format!("+{digits}");
        }
        let Some(cc) = self.country.as_deref().filter(|_| text.len() > 6) else { return text.to_owned() };
        let national = self.national_prefix.as_deref().filter(|p| !p.is_empty());
        if let Some(rest) = national.and_then(|p| text.strip_prefix(p)) {
            return format!("+{cc}{rest}");
        }
        // A carrier that writes `32470000009` for a number of its own country; no national number is that long.
        let whole = text.starts_with(cc) && self.send == Form::Digits;
        if whole { format!("+{text}") } else { format!("+{cc}{text}") }
    }

    /// A number as it is presented to the carrier.
    pub fn write(&self, number: &str) -> String {
        let form = self.send;
        if form == Form::AsRouted {
            return number.to_owned();
        }
        let e164 = self.read(number);
        let Some(digits) = e164.strip_prefix('+') else { return number.to_owned() };
        let own = self.country.as_deref().and_then(|cc| digits.strip_prefix(cc));
        match (form, own) {
            (Form::AsRouted | Form::E164, _) => e164,
            (Form::Digits, _) => digits.to_owned(),
            (Form::National, Some(rest)) => format!("{}{rest}", self.national_prefix.as_deref().unwrap_or("")),
            (Form::National, None) => format!("{}{digits}", self.abroad()),
        }
    }

    /// A number called, as the carrier wants it.
    pub fn call(&self, number: &str) -> String {
        format!("{}{}", self.prefix, self.write(number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(send: Form, prefix: &str) -> Numbers {
        Numbers { send, prefix: prefix.into(), ..Numbers::default() }.over(Some("32"), Some("0"))
    }

    #[test]
    fn one_number_is_written_as_each_carrier_wants_it_and_read_back_the_same() {
        for (form, home, away) in [
            (Form::E164, "+32470000009", "+33123456789"),
            (Form::Digits, "32470000009", "33123456789"),
            (Form::National, "0470000009", "0033123456789"),
        ] {
            let n = plan(form, "");
            assert_eq!((n.write("+32470000009").as_str(), n.write("0033123456789").as_str()), (home, away));
            assert_eq!(n.read(home), "+32470000009");
            assert!(form == Form::Digits || n.read(away) == "+33123456789");
        }
        assert_eq!(plan(Form::AsRouted, "").call("9110"), "9110");
        assert_eq!(plan(Form::E164, "77#").call("0470000009"), "77#+32470000009");
        assert_eq!(plan(Form::E164, "").write("4000"), "4000");
        assert_eq!(plan(Form::E164, "").read("anonymous"), "anonymous");
    }

    #[test]
    fn what_stands_behind_a_number_is_no_part_of_it_and_a_name_stays_whole() {
        for (user, number) in [
            ("+12125550100;npdi;rn=+12125550000", "+12125550100"),
            ("2125550100;phone-context=+1", "2125550100"),
            ("+12125550100;verstat=TN-Validation-Passed", "+12125550100"),
            ("4000", "4000"),
            ("anna;desk", "anna;desk"),
            (";ext=1", ";ext=1"),
            ("+;ext=1", "+;ext=1"),
        ] {
            assert_eq!(subscriber(user), number);
        }
    }

    #[test]
    fn north_america_writes_abroad_its_own_way() {
        let n = Numbers { international_prefix: Some("011".into()), send: Form::National, ..Numbers::default() };
        let n = n.over(Some("1"), Some("1"));
        assert_eq!(n.read("01132470000009"), "+32470000009");
        assert_eq!((n.write("+32470000009"), n.write("+12125550100")), ("01132470000009".into(), "12125550100".into()));
    }
}
