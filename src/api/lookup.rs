//! What people type to find a contact: a number as it is written somewhere, its last digits, or a name.

use super::{Problem, Shared, guard::Who};
use crate::{base::limits, store::ContactSearch};

/// Fewest digits that are looked for as the end of a number.
const DIGITS_MIN: usize = 3;
/// From so many digits on a number may be a whole one, as it is dialled.
const NUMBER_MIN: usize = 7;

/// What to look for, if anything.
pub fn search(shared: &Shared, who: &Who, q: Option<&str>) -> Result<Option<ContactSearch>, Problem> {
    let q = q.map(str::trim).unwrap_or_default();
    if q.chars().count() > limits::SEARCH_CHARS_MAX {
        return Err(Problem::invalid("q", format!("expected at most {} characters", limits::SEARCH_CHARS_MAX)));
    }
    if q.is_empty() {
        return Ok(None);
    }
    let settings = shared.door.settings();
    let inside = |q: &str| settings.tenants.get(&who.tenant).map_or_else(|| q.to_owned(), |t| t.config.number(q));
    Ok(Some(match ends(q, inside) {
        Some(ends) => ContactSearch::Number(ends),
        None => ContactSearch::Name(q.to_owned()),
    }))
}

/// What a number may end with that was typed so; none for what is no number. `inside` writes a whole one as the house keeps it.
///
/// The last digits stand for themselves. A whole number is the one the house keeps, and, where it was typed with the zero of a call
/// within the country, also every number that goes on so behind it.
fn ends(typed: &str, inside: impl Fn(&str) -> String) -> Option<Vec<String>> {
    let digits = |s: &str| s.chars().filter(char::is_ascii_digit).collect::<String>();
    let as_typed = digits(typed);
    if as_typed.len() < DIGITS_MIN || !typed.chars().all(|c| c.is_ascii_digit() || "+-.()/ \u{a0}".contains(c)) {
        return None;
    }
    let mut ends = vec![as_typed];
    if ends[0].len() >= NUMBER_MIN {
        let bare = ends[0].trim_start_matches('0').to_owned();
        ends.extend([digits(&inside(typed)), bare].into_iter().filter(|e| e.len() >= NUMBER_MIN));
    }
    ends.sort();
    ends.dedup();
    Some(ends)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::e164;

    #[test]
    fn a_number_is_looked_for_by_its_end_however_it_was_typed() {
        let china = |q: &str| e164::normalise(q, Some("86"), Some("0"));
        let found = |typed: &str, kept: &str| {
            let kept: String = kept.chars().filter(char::is_ascii_digit).collect();
            ends(typed, china).is_some_and(|ends| ends.iter().any(|e| kept.ends_with(e.as_str())))
        };
        let kept = "+8613812345678";
        for typed in
            ["+86 138 1234 5678", "0138 1234 5678", "13812345678", "0086-138-1234-5678", "(0138) 1234.5678", "5678", "678"]
        {
            assert!(found(typed, kept), "{typed}: {:?}", ends(typed, china));
        }
        for typed in ["+86 138 1234 5679", "1238", "+32 138 1234 5678"] {
            assert!(!found(typed, kept), "{typed}: {:?}", ends(typed, china));
        }
        assert!(found("0042", "+3265550042"), "zeros of the last digits count");
        assert!(found("101", "101"), "a number inside the house");
        for word in ["Li Wei", "78", "", "007 Bond"] {
            assert_eq!(ends(word, china), None, "{word}");
        }
    }
}
