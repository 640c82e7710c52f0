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
}
