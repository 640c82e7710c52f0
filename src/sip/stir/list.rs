//! Whom a certificate speaks for: the list of providers and numbers it was given (TNAuthorizationList, RFC 8226 section 9).
//!
//! ```text
//! SEQUENCE OF ( [0] code of a provider | [1] SEQUENCE { first number, how many } | [2] one number )
//! ```
//! A provider's code says nothing about numbers: which are its own is in nobody's certificate, and the provider is believed
//! (ATIS-1000074). A list of numbers alone speaks for these and nobody else; that is how an enterprise is given some of a
//! provider's numbers to sign for (RFC 9060).

use super::Named;

/// Tags of DER.
pub(super) const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
pub(super) const IA5: u8 = 0x16;
const PROVIDER: u8 = 0xa0;
const RANGE: u8 = 0xa1;
const ONE: u8 = 0xa2;
/// The longest telephone number (RFC 8226 section 9).
const NUMBER_MAX: usize = 15;

/// Whether a certificate with this list speaks for whoever calls. `None`: it is no list.
pub fn speaks_for(list: &[u8], who: &Named) -> Option<bool> {
    let (SEQUENCE, mut entries, []) = element(list)? else { return None };
    if entries.is_empty() {
        return None;
    }
    let mut speaks = false;
    while !entries.is_empty() {
        let (tag, entry, rest) = element(entries)?;
        let covers = match tag {
            PROVIDER => text(entry).map(|code| !code.is_empty())?,
            RANGE => {
                let (SEQUENCE, range, []) = element(entry)? else { return None };
                // What may come after the two is of a later day, and does not make the range larger.
                let (IA5, first, after) = element(range)? else { return None };
                let (INTEGER, count, _) = element(after)? else { return None };
                within(who, number(first)?, counted(count)?)
            }
            ONE => {
                let one = number(text(entry)?)?;
                matches!(who, Named::Number(n) if n == one)
            }
            // A kind of a later day gives nobody anything.
            _ => false,
        };
        speaks |= covers;
        entries = rest;
    }
    Some(speaks)
}

/// Whether a number is one of so many from the first on. Only numbers of the same length follow each other.
fn within(who: &Named, first: &str, count: u64) -> bool {
    let Named::Number(n) = who else { return false };
    let (Ok(first_value), Ok(value)) = (first.parse::<u64>(), n.parse::<u64>()) else { return false };
    n.len() == first.len() && value.checked_sub(first_value).is_some_and(|nth| nth < count)
}

/// Tag and contents of the first element, and what follows it.
pub(super) fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&[tag, length], rest) = der.split_first_chunk()?;
    let (length, rest) = match length {
        ..=0x7f => (usize::from(length), rest),
        // Longer ones: so many bytes of length, in the shortest form (X.690 section 10.1).
        0x81 => rest.split_first().filter(|(n, _)| **n >= 0x80).map(|(n, rest)| (usize::from(*n), rest))?,
        0x82 => {
            rest.split_first_chunk().map(|(n, rest)| (usize::from(u16::from_be_bytes(*n)), rest)).filter(|(n, _)| *n > 0xff)?
        }
        _ => return None,
    };
    let (contents, rest) = rest.split_at_checked(length)?;
    Some((tag, contents, rest))
}

/// The one string in an element.
fn text(der: &[u8]) -> Option<&[u8]> {
    match element(der)? {
        (IA5, text, []) => Some(text),
        _ => None,
    }
}

fn number(text: &[u8]) -> Option<&str> {
    let plain = (1..=NUMBER_MAX).contains(&text.len()) && text.iter().all(|b| b.is_ascii_digit() || matches!(b, b'*' | b'#'));
    std::str::from_utf8(text).ok().filter(|_| plain)
}

/// A count from 2 (a single number has an entry of its own); more than numbers can be are as many as there are.
fn counted(integer: &[u8]) -> Option<u64> {
    if integer.first()? & 0x80 != 0 || integer.len() > 9 {
        return None;
    }
    let n = integer.iter().try_fold(0u64, |n, b| n.checked_mul(256)?.checked_add(u64::from(*b)))?;
    (n >= 2).then_some(n)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn der(tag: u8, contents: &[u8]) -> Vec<u8> {
        let mut out = vec![tag];
        match contents.len() {
            n @ ..=0x7f => out.push(n as u8),
            n @ 0x80..=0xff => out.extend([0x81, n as u8]),
            n => out.extend([0x82, (n >> 8) as u8, n as u8]),
        }
        out.extend(contents);
        out
    }
    fn provider(code: &str) -> Vec<u8> {
        der(PROVIDER, &der(IA5, code.as_bytes()))
    }
    fn range(first: &str, count: &[u8]) -> Vec<u8> {
        der(RANGE, &der(SEQUENCE, &[der(IA5, first.as_bytes()), der(INTEGER, count)].concat()))
    }
    fn one(n: &str) -> Vec<u8> {
        der(ONE, &der(IA5, n.as_bytes()))
    }
    fn speaks(entries: &[Vec<u8>], who: &str) -> Option<bool> {
        speaks_for(&der(SEQUENCE, &entries.concat()), &Named::Number(who.into()))
    }

    #[test]
    fn a_provider_is_believed_and_a_list_of_numbers_is_for_these_alone() {
        assert_eq!(speaks(&[provider("1234")], "3228880000"), Some(true));
        assert_eq!(speaks(&[one("3228880000")], "3228880000"), Some(true));
        assert_eq!(speaks(&[one("3228880000")], "3228880001"), Some(false));
        let list = [range("3228880000", &[100]), one("3227770000")];
        for (who, yes) in [
            ("3228880000", true),
            ("3228880099", true),
            ("3228880100", false),
            ("3228879999", false),
            ("032288800", false),
            ("03228880000", false),
            ("3227770000", true),
            ("3228880*", false),
        ] {
            assert_eq!(speaks(&list, who), Some(yes), "{who}");
        }
        assert_eq!(speaks(&[list.concat(), provider("1234")], "1"), Some(true), "a provider's besides");
        let anna = Named::Uri("sip:anna@shop.example".into());
        let only = |entries: &[Vec<u8>]| speaks_for(&der(SEQUENCE, &entries.concat()), &anna);
        assert_eq!(
            (only(&[one("1")]), only(&[range("1", &[2])]), only(&[provider("1")])),
            (Some(false), Some(false), Some(true))
        );
    }

    #[test]
    fn long_lists_and_large_ranges_are_read() {
        let many: Vec<Vec<u8>> = (0..2_000).map(|n| one(&format!("32288{n:05}"))).collect();
        assert_eq!((speaks(&many, "3228801999"), speaks(&many, "3228802000")), (Some(true), Some(false)));
        assert_eq!(speaks(&[range("3200000000", &[0, 0xff, 0xff, 0xff, 0xff])], "3299999999"), Some(true));
        assert_eq!(speaks(&[range("320000000000000", &[0x7f; 8])], "399999999999999"), Some(true));
        assert_eq!(speaks(&[der(0xa3, b"of a later day"), one("1")], "1"), Some(true));
    }

    #[test]
    fn what_is_no_list_speaks_for_nobody() {
        let good = der(SEQUENCE, &one("1"));
        for bad in [
            &b""[..],
            b"\x30\x00",
            b"\x30\x80\x00\x00",
            b"\x30\x81\x03\xa2\x01\x16",
            b"\x31\x05\xa2\x03\x16\x011",
            b"\x30\x84\xff\xff\xff\xff",
            &good[..good.len() - 1],
            &[&good[..], &[0]].concat(),
            &der(SEQUENCE, &one("")),
            &der(SEQUENCE, &one("1234567890123456")),
            &der(SEQUENCE, &one("+1")),
            &der(SEQUENCE, &provider("")[..2]),
            &der(SEQUENCE, &range("1", &[1])),
            &der(SEQUENCE, &range("1", &[0xff])),
            &der(SEQUENCE, &range("1", &[])),
            &der(SEQUENCE, &range("1", &[1; 9])),
        ] {
            assert_eq!(speaks_for(bad, &Named::Number("1".into())), None, "{}", bad.escape_ascii());
        }
    }
}
