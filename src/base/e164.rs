//! Telephone numbers: one written form inside, whatever the caller's phone or carrier sent.

/// Brings a dialled or presented number to `+` and digits (E.164) where that is certain, else to bare digits as they were.
///
/// `country` is the code without plus (`86`, `1`); `trunk_prefix` the national prefix (`0`), dropped before the code is put
/// in front. Short numbers (extensions, up to 6 digits) and anything with letters stay as they are, without separators.
/// `00` is read as the international prefix.
pub fn normalise(raw: &str, country: Option<&str>, trunk_prefix: Option<&str>) -> String {
    let text: String = raw.trim().chars().filter(|c| !matches!(c, ' ' | '-' | '.' | '(' | ')' | '/')).collect();
    let text = text.strip_prefix("tel:").unwrap_or(&text);
    let (plus, digits) = match text.strip_prefix('+') {
        Some(d) => (true, d),
        None => match text.strip_prefix("00") {
            Some(d) if d.len() > 6 => (true, d),
            _ => (false, text),
        },
    };
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return text.to_owned();
    }
    if plus {
        return format!("+{digits}");
    }
    match country {
        Some(cc) if digits.len() > 6 => {
            let national = trunk_prefix.filter(|p| !p.is_empty()).and_then(|p| digits.strip_prefix(p)).unwrap_or(digits);
            format!("+{cc}{national}")
        }
        _ => digits.to_owned(),
    }
}

/// Whether a number can be called from anywhere: `+`, and 7 to 15 digits that begin with a country code. The shortest there are
/// have seven (Niue: `+683` and four), 15 are the most E.164 allows, and no country code begins with 0.
pub fn is_whole(number: &str) -> bool {
    let digits = number.strip_prefix('+').unwrap_or("");
    (7..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()) && !digits.starts_with('0')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_person_calling_from_three_places_is_one_number() {
        for raw in ["+86 138-1234-5678", "008613812345678", "013812345678", "13812345678", "tel:+8613812345678"] {
            assert_eq!(normalise(raw, Some("86"), Some("0")), "+8613812345678", "{raw}");
        }
        assert_eq!(normalise("4000", Some("86"), Some("0")), "4000");
        assert_eq!(normalise("anna", Some("86"), Some("0")), "anna");
    }

    #[test]
    fn a_whole_number_has_its_country_and_neither_too_few_nor_too_many_digits() {
        for whole in ["+6834002", "+3265551234", "+861064000000", "+123456789012345"] {
            assert!(is_whole(whole), "{whole}");
        }
        for part in ["", "+", "4000", "3265551234", "+683400", "+0123456789", "+1234567890123456", "+32 65551234", "+anna123"] {
            assert!(!is_whole(part), "{part}");
        }
    }
}
