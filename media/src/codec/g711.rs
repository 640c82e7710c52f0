//! G.711: mu-law and A-law against 16 bit linear samples, and against each other. Pure functions and tables; ITU-T G.711
//! tables 1 to 4.

use crate::wire::Codec;

/// Linear value of each mu-law byte.
pub static MU_TO_LINEAR: [i16; 256] = table(false);
/// Linear value of each A-law byte.
pub static A_TO_LINEAR: [i16; 256] = table(true);
/// The A-law byte that stands for each mu-law byte.
static MU_TO_A: [u8; 256] = mu_to_a();
/// The mu-law byte that stands for each A-law byte.
static A_TO_MU: [u8; 256] = a_to_mu();

/// The mu-law byte of silence.
pub const MU_SILENCE: u8 = 0xFF;
/// The A-law byte of silence.
pub const A_SILENCE: u8 = 0xD5;

/// Added before the segment is sought, so that segment borders fall on powers of two (14 bit 33, here in 16 bit).
const MU_BIAS: i32 = 132;

/// Low bits of a sample that decide nothing: an entry of the tables below serves so many neighbours.
const MU_DULL: u32 = 2;
const A_DULL: u32 = 4;
/// The bytes of all samples: looking one up takes a third of the time of working it out.
static MU_FROM_LINEAR: [u8; 1 << 14] = mu_from_all();
static A_FROM_LINEAR: [u8; 1 << 12] = a_from_all();

/// Positive mu-law values, quietest first, as numbers of A-law values (table 3). Not always the nearest: so that most bytes
/// come back as they were after both conversions. Both tables agree in all 128 entries with those of the Recommendation as public
/// implementations have them, with Lindberg's two corrections of 1994 (one entry each).
#[rustfmt::skip]
const A_OF_MU: [u8; 128] = [
    0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7,
    8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23,
    24, 26, 28, 30, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43,
    45, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61,
    63, 64, 65, 66, 67, 68, 69, 70, 71, 72, 73, 74, 75, 76, 77, 78,
    79, 81, 82, 83, 84, 85, 86, 87, 88, 89, 90, 91, 92, 93, 94, 95,
    96, 97, 98, 99, 100, 101, 102, 103, 104, 105, 106, 107, 108, 109, 110, 111,
    112, 113, 114, 115, 116, 117, 118, 119, 120, 121, 122, 123, 124, 125, 126, 127,
];
/// Positive A-law values as numbers of mu-law values (table 4).
#[rustfmt::skip]
const MU_OF_A: [u8; 128] = [
    1, 3, 5, 7, 9, 11, 13, 15, 16, 17, 18, 19, 20, 21, 22, 23,
    24, 25, 26, 27, 28, 29, 30, 31, 32, 32, 33, 33, 34, 34, 35, 35,
    36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 48, 49, 49,
    50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63, 64, 64,
    65, 66, 67, 68, 69, 70, 71, 72, 73, 74, 75, 76, 77, 78, 79, 80,
    80, 81, 82, 83, 84, 85, 86, 87, 88, 89, 90, 91, 92, 93, 94, 95,
    96, 97, 98, 99, 100, 101, 102, 103, 104, 105, 106, 107, 108, 109, 110, 111,
    112, 113, 114, 115, 116, 117, 118, 119, 120, 121, 122, 123, 124, 125, 126, 127,
];

const fn table(a_law: bool) -> [i16; 256] {
    let mut t = [0; 256];
    let mut i = 0;
    while i < 256 {
        t[i] = if a_law { a_to_linear(i as u8) } else { mu_to_linear(i as u8) };
        i += 1;
    }
    t
}

const fn mu_from_all() -> [u8; 1 << 14] {
    let mut t = [0; 1 << 14];
    let mut i = 0;
    while i < t.len() {
        t[i] = mu_encode(((i as u16) << MU_DULL) as i16);
        i += 1;
    }
    t
}

const fn a_from_all() -> [u8; 1 << 12] {
    let mut t = [0; 1 << 12];
    let mut i = 0;
    while i < t.len() {
        t[i] = a_encode(((i as u16) << A_DULL) as i16);
        i += 1;
    }
    t
}

/// The first bit is the sign in both laws. mu-law counts inverted, A-law with every other bit inverted.
const fn mu_to_a() -> [u8; 256] {
    let mut t = [0; 256];
    let mut i = 0;
    while i < 256 {
        let b = !(i as u8);
        t[i] = (A_OF_MU[(b & 0x7F) as usize] | (!b & 0x80)) ^ 0x55;
        i += 1;
    }
    t
}

const fn a_to_mu() -> [u8; 256] {
    let mut t = [0; 256];
    let mut i = 0;
    while i < 256 {
        let b = (i as u8) ^ 0x55;
        t[i] = !(MU_OF_A[(b & 0x7F) as usize] | (!b & 0x80));
        i += 1;
    }
    t
}

const fn mu_to_linear(byte: u8) -> i16 {
    let b = !byte;
    let segment = ((b >> 4) & 7) as i32;
    let magnitude = ((((b & 15) as i32) << 3) + MU_BIAS) << segment;
    let magnitude = (magnitude - MU_BIAS) as i16;
    if b & 0x80 != 0 { -magnitude } else { magnitude }
}

const fn a_to_linear(byte: u8) -> i16 {
    // Even bits travel inverted, so that silence is not a long run of one bit.
    let b = byte ^ 0x55;
    let (segment, step) = (((b >> 4) & 7) as i32, (b & 15) as i32);
    let magnitude = match segment {
        0 => (step << 4) + 8,
        s => ((step << 4) + 0x108) << (s - 1),
    } as i16;
    if b & 0x80 != 0 { magnitude } else { -magnitude }
}

/// The mu-law byte nearest to `sample`.
pub fn mu_from_linear(sample: i16) -> u8 {
    MU_FROM_LINEAR[usize::from(sample as u16 >> MU_DULL)]
}

/// The A-law byte nearest to `sample`.
pub fn a_from_linear(sample: i16) -> u8 {
    A_FROM_LINEAR[usize::from(sample as u16 >> A_DULL)]
}

/// Make a payload of one law one of the other (ITU-T G.711 tables 3 and 4), in place.
///
/// Between codecs that are not the two laws of G.711 there is no such map: the payload stays as it is.
pub fn transcode(from: Codec, to: Codec, payload: &mut [u8]) {
    let table = match (from, to) {
        (Codec::Pcmu, Codec::Pcma) => &MU_TO_A,
        (Codec::Pcma, Codec::Pcmu) => &A_TO_MU,
        _ => return,
    };
    payload.iter_mut().for_each(|b| *b = table[usize::from(*b)]);
}

/// Samples below zero are counted from minus one, which gives both halves the same borders.
const fn mu_encode(sample: i16) -> u8 {
    let (sign, magnitude) = if sample < 0 { (0x80u8, !sample as i32) } else { (0, sample as i32) };
    let magnitude = if magnitude < 32_635 { magnitude } else { 32_635 } + MU_BIAS;
    // The highest set bit, 7 to 14, is the segment.
    let segment = 24 - magnitude.leading_zeros() as i32;
    let step = (magnitude >> (segment + 3)) & 15;
    !(sign | (segment << 4) as u8 | step as u8)
}

const fn a_encode(sample: i16) -> u8 {
    let (sign, magnitude) = if sample >= 0 { (0x80u8, sample as i32) } else { (0, !sample as i32) };
    let segment = 24 - magnitude.leading_zeros() as i32;
    let segment = if segment < 0 { 0 } else { segment };
    let step = if segment < 2 { (magnitude >> 4) & 15 } else { (magnitude >> (segment + 3)) & 15 };
    (sign | (segment << 4) as u8 | step as u8) ^ 0x55
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_laws_hit_the_end_points_of_the_recommendation() {
        assert_eq!(MU_TO_LINEAR[0x80], 32_124);
        assert_eq!(MU_TO_LINEAR[0x00], -32_124);
        assert_eq!(MU_TO_LINEAR[0xFF], 0);
        assert_eq!(A_TO_LINEAR[0xAA], 32_256);
        assert_eq!(A_TO_LINEAR[0x2A], -32_256);
        assert_eq!(A_TO_LINEAR[usize::from(A_SILENCE)], 8);
        assert_eq!((mu_from_linear(0), a_from_linear(0)), (MU_SILENCE, A_SILENCE));
    }

    #[test]
    fn every_byte_survives_decode_and_encode() {
        for b in 0..=255u8 {
            // mu-law has two zeroes; minus zero comes back as plus zero.
            let expected = if b == 0x7F { 0xFF } else { b };
            assert_eq!(mu_from_linear(MU_TO_LINEAR[usize::from(b)]), expected, "mu {b:#x}");
            assert_eq!(a_from_linear(A_TO_LINEAR[usize::from(b)]), b, "a {b:#x}");
        }
    }

    #[test]
    fn no_sample_is_off_by_more_than_half_a_step_of_its_segment() {
        for s in i16::MIN..=i16::MAX {
            let (mu, a) = (MU_TO_LINEAR[usize::from(mu_from_linear(s))], A_TO_LINEAR[usize::from(a_from_linear(s))]);
            let step = (i32::from(s).abs() / 16).max(16);
            assert!((i32::from(mu) - i32::from(s)).abs() <= step, "mu {s} -> {mu}");
            assert!((i32::from(a) - i32::from(s)).abs() <= step, "a {s} -> {a}");
        }
    }

    #[test]
    fn the_tables_serve_every_sample_as_the_arithmetic_does() {
        for s in i16::MIN..=i16::MAX {
            assert_eq!((mu_from_linear(s), a_from_linear(s)), (mu_encode(s), a_encode(s)), "{s}");
        }
    }

    #[test]
    fn one_law_becomes_the_other_as_the_recommendation_says_and_nearly_always_comes_back() {
        // Loudest, quietest, and the places where nearest would be something else (tables 3 and 4).
        assert_eq!((MU_TO_A[0x80], MU_TO_A[0x00], MU_TO_A[0xFF], MU_TO_A[0x7F]), (0xAA, 0x2A, 0xD5, 0x55));
        assert_eq!((MU_TO_A[0xA0], MU_TO_A[0xAE], MU_TO_A[0xAF]), (0x8A, 0x84, 0x9A));
        assert_eq!((A_TO_MU[0xAA], A_TO_MU[0x2A], A_TO_MU[0xD5], A_TO_MU[0x55]), (0x80, 0x00, 0xFE, 0x7E));
        let changed = |there: &[u8; 256], back: &[u8; 256]| {
            let off = |b: &u8| back[usize::from(there[usize::from(*b)])].abs_diff(*b);
            let off: Vec<u8> = (0..=255u8).map(|b| off(&b)).filter(|off| *off != 0).collect();
            (off.len(), off.into_iter().max())
        };
        assert_eq!(changed(&MU_TO_A, &A_TO_MU), (16, Some(1)), "mu, A, mu");
        assert_eq!(changed(&A_TO_MU, &MU_TO_A).0, 16, "A, mu, A");
        for b in 0..=255usize {
            let (mu, a) = (i32::from(MU_TO_LINEAR[b]), i32::from(A_TO_LINEAR[usize::from(MU_TO_A[b])]));
            assert!((mu - a).abs() <= mu.abs() / 30 + 8, "{b:#x}: {mu} became {a}");
        }
    }
}
