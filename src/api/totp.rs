//! Codes that change every half minute (RFC 6238), and the picture an authenticator reads its secret from. Time is an argument.

use qrcodegen::{QrCode, QrCodeEcc};
use ring::hmac;
use subtle::ConstantTimeEq;

use crate::base::Wall;

/// Bytes of a secret: the length of the hash, as RFC 4226 section 4 wants at least.
pub const SECRET_BYTES: usize = 20;
/// A step, seconds.
const STEP_S: u64 = 30;
/// Digits of a code.
const DIGITS: usize = 6;
/// Light modules around the picture (ISO/IEC 18004 wants four).
const QUIET: i32 = 4;

/// The code of a step: HMAC-SHA1, truncated (RFC 4226 section 5.3). Every authenticator knows this one; some know no other.
pub(super) fn code(secret: &[u8], step: u64) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret);
    let tag = hmac::sign(&key, &step.to_be_bytes());
    let tag = tag.as_ref();
    let at = usize::from(tag[19] & 0x0f);
    let n = u32::from_be_bytes([tag[at] & 0x7f, tag[at + 1], tag[at + 2], tag[at + 3]]);
    format!("{:06}", n % 1_000_000)
}

/// The step a code is of: the present one, the one before or the next, for clocks that differ. None when it is of none.
pub fn step_of(secret: &[u8], now: Wall, given: &str) -> Option<u64> {
    let given: String = given.chars().filter(|c| !c.is_whitespace()).collect();
    if given.len() != DIGITS || !given.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let present = u64::try_from(now.unix_s()).ok()? / STEP_S;
    let steps = [present, present.saturating_sub(1), present + 1];
    steps.into_iter().find(|step| bool::from(code(secret, *step).as_bytes().ct_eq(given.as_bytes())))
}

/// Base 32 without padding (RFC 4648 section 6): how people type a secret.
pub fn base32(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let bits = bytes.len() * 8;
    let bit = |i: usize| if i < bits { (bytes[i / 8] >> (7 - i % 8)) & 1 } else { 0 };
    let letter = |at: usize| (at..at + 5).fold(0u8, |n, i| (n << 1) | bit(i));
    (0..bits).step_by(5).map(|at| LETTERS[usize::from(letter(at))] as char).collect()
}

/// What the picture holds: the address authenticators take a secret from.
pub fn address(issuer: &str, account: &str, secret: &[u8]) -> String {
    let plain = |text: &str| {
        let keep = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~');
        text.bytes().map(|b| if keep(b) { (b as char).to_string() } else { format!("%{b:02X}") }).collect::<String>()
    };
    let (issuer, account) = (plain(issuer), plain(account));
    let secret = base32(secret);
    format!("otpauth://totp/{issuer}:{account}?secret={secret}&issuer={issuer}&algorithm=SHA1&digits=6&period=30")
}

/// A text as a QR code, SVG; none when it is too long for one.
pub fn picture(text: &str) -> Option<String> {
    let code = QrCode::encode_text(text, QrCodeEcc::Medium).ok()?;
    let size = code.size();
    let dark = (0..size).flat_map(|y| (0..size).map(move |x| (x, y))).filter(|(x, y)| code.get_module(*x, *y));
    let path: String = dark.map(|(x, y)| format!("M{},{}h1v1h-1z", x + QUIET, y + QUIET)).collect();
    let whole = size + 2 * QUIET;
    Some(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {whole} {whole}\" shape-rendering=\"crispEdges\">\
         <path fill=\"#fff\" d=\"M0,0h{whole}v{whole}h-{whole}z\"/><path fill=\"#000\" d=\"{path}\"/></svg>"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_codes_of_rfc_6238_are_what_its_appendix_says() {
        let secret = b"12345678901234567890";
        for (unix_s, want) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(code(secret, unix_s / 30), want, "{unix_s}");
            assert_eq!(step_of(secret, Wall::from_unix_s(unix_s as i64), want), Some(unix_s / 30));
        }
    }

    #[test]
    fn a_clock_half_a_minute_off_is_forgiven_and_more_is_not() {
        let (secret, now) = ([7; SECRET_BYTES], 1_800_000_000);
        let given = code(&secret, now / 30);
        let at = |off: i64| step_of(&secret, Wall::from_unix_s(now as i64 + off), &given);
        assert_eq!([at(-30), at(0), at(30)], [Some(now / 30); 3]);
        assert_eq!([at(-61), at(61)], [None; 2]);
        for wrong in ["", "12345", "1234567", "abcdef", "١٢٣٤٥٦"] {
            assert_eq!(step_of(&secret, Wall::from_unix_s(now as i64), wrong), None, "{wrong}");
        }
        let spaced = format!("{} {}", &given[..3], &given[3..]);
        assert!(step_of(&secret, Wall::from_unix_s(now as i64), &spaced).is_some(), "as authenticators show it");
    }

    #[test]
    fn secrets_are_written_as_rfc_4648_has_it_and_names_do_not_break_the_address() {
        assert_eq!(base32(b"foobar"), "MZXW6YTBOI");
        assert_eq!(base32(b""), "");
        let address = address("Lotus & Co: 家", "li.na", b"foobar");
        assert!(address.starts_with("otpauth://totp/Lotus%20%26%20Co%3A%20%E5%AE%B6:li.na?secret=MZXW6YTBOI&"), "{address}");
        let picture = picture(&address).unwrap();
        assert!(picture.starts_with("<svg") && picture.ends_with("</svg>") && picture.len() < 40_000, "{}", picture.len());
    }
}
