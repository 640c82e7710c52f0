//! G.711: mu-law and A-law against 16 bit linear samples. Pure functions and two tables; ITU-T G.711 tables 1 and 2.

/// Linear value of each mu-law byte.
pub static MU_TO_LINEAR: [i16; 256] = table(false);
/// Linear value of each A-law byte.
pub static A_TO_LINEAR: [i16; 256] = table(true);

/// The mu-law byte of silence.
pub const MU_SILENCE: u8 = 0xFF;
/// The A-law byte of silence.
pub const A_SILENCE: u8 = 0xD5;

/// Added before the segment is sought, so that segment borders fall on powers of two (14 bit 33, here in 16 bit).
const MU_BIAS: i32 = 132;

const fn table(a_law: bool) -> [i16; 256] {
    let mut t = [0; 256];
    let mut i = 0;
    while i < 256 {
        t[i] = if a_law { a_to_linear(i as u8) } else { mu_to_linear(i as u8) };
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
    let sign = if sample < 0 { 0x80u8 } else { 0 };
    let magnitude = i32::from(sample).abs().min(32_635) + MU_BIAS;
    // The highest set bit, 7 to 14, is the segment.
    let segment = 24 - magnitude.leading_zeros() as i32;
    let step = (magnitude >> (segment + 3)) & 15;
    !(sign | (segment << 4) as u8 | step as u8)
}

/// The A-law byte nearest to `sample`.
pub fn a_from_linear(sample: i16) -> u8 {
    let (sign, magnitude) = if sample >= 0 { (0x80u8, i32::from(sample)) } else { (0, !i32::from(sample)) };
    let segment = (24 - magnitude.leading_zeros() as i32).max(0);
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
}
