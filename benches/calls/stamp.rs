//! A stamp in the sound: who sent the packet, which one it was, and when, in samples so far apart that every G.711 path
//! carries them.
//!
//! Sixteen levels stand for four bits each. Passing through the other law moves a level by less than half of the
//! distance to the next, so that the nearest one is what was sent.

/// Samples a stamp takes.
pub const LENGTH: usize = STREAM + SEQUENCE + TIME;
const STREAM: usize = 5;
const SEQUENCE: usize = 6;
const TIME: usize = 12;

/// Which G.711.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Law {
    Mu,
    A,
}

/// What a stamp says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    /// Which of the streams.
    pub stream: u32,
    /// Which of its packets.
    pub sequence: u32,
    /// When it was sent, nanoseconds since the run began.
    pub time: u64,
}

/// The sixteen levels and back, for one law.
#[derive(Debug)]
pub struct Table {
    level: [u8; 16],
    nearest: [u8; 256],
}

impl Table {
    pub fn new(law: Law) -> Self {
        let code: Vec<i32> = (0..=255u8).map(|c| linear(law, c)).collect();
        let target = |n: usize| (n as i32 - 8) * 2_000 + 1_000;
        let near = |to: i32, of: &[i32]| (0..of.len()).min_by_key(|i| of[*i].abs_diff(to)).unwrap_or(0) as u8;
        let targets: Vec<i32> = (0..16).map(target).collect();
        Self {
            level: std::array::from_fn(|n| near(target(n), &code)),
            nearest: std::array::from_fn(|c| near(code[c], &targets)),
        }
    }

    /// Write a stamp to the front of a payload.
    pub fn write(&self, s: Stamp, payload: &mut [u8]) {
        let parts = [(u64::from(s.stream), STREAM), (u64::from(s.sequence), SEQUENCE), (s.time, TIME)];
        let digits = parts.into_iter().flat_map(|(v, n)| (0..n).map(move |i| (v >> (4 * i) & 15) as usize));
        for (p, d) in payload.iter_mut().zip(digits) {
            *p = self.level[d];
        }
    }

    /// Read it. `None` when the payload is too short; sound that is no stamp gives a senseless one.
    pub fn read(&self, payload: &[u8]) -> Option<Stamp> {
        let mut digits = payload.get(..LENGTH)?.iter().map(|c| u64::from(self.nearest[usize::from(*c)]));
        let mut part = |n: usize| (0..n).fold(0, |v, i| v | digits.next().unwrap_or(0) << (4 * i));
        Some(Stamp { stream: part(STREAM) as u32, sequence: part(SEQUENCE) as u32, time: part(TIME) })
    }
}

/// ITU-T G.711, expanded to 16 bit.
fn linear(law: Law, code: u8) -> i32 {
    let (c, negative) = match law {
        Law::Mu => (!code, code & 0x80 == 0),
        Law::A => (code ^ 0x55, (code ^ 0x55) & 0x80 == 0),
    };
    let (exponent, mantissa) = (i32::from(c >> 4 & 7), i32::from(c & 15));
    let magnitude = match law {
        Law::Mu => ((mantissa * 8 + 132) << exponent) - 132,
        Law::A if exponent == 0 => mantissa * 16 + 8,
        Law::A => (mantissa * 16 + 264) << (exponent - 1),
    };
    if negative { -magnitude } else { magnitude }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_survives_the_way_from_one_law_to_the_other_and_back() {
        let (mu, a) = (Table::new(Law::Mu), Table::new(Law::A));
        let to_a: Vec<u8> = (0..=255).map(|c| nearest_code(Law::A, linear(Law::Mu, c))).collect();
        let to_mu: Vec<u8> = (0..=255).map(|c| nearest_code(Law::Mu, linear(Law::A, c))).collect();
        let s = Stamp { stream: 0xA_BCDE, sequence: 0x12_3456, time: 0xFEDC_BA98_7654 };
        let mut payload = [0; 160];
        mu.write(s, &mut payload);
        assert_eq!(mu.read(&payload), Some(s));
        let passed = payload.map(|c| to_a[usize::from(c)]);
        assert_eq!(a.read(&passed), Some(s));
        assert_eq!(mu.read(&passed.map(|c| to_mu[usize::from(c)])), Some(s));
        assert_eq!(mu.read(&payload[..LENGTH - 1]), None);
    }

    fn nearest_code(law: Law, to: i32) -> u8 {
        (0..=255).min_by_key(|c| linear(law, *c).abs_diff(to)).unwrap_or(0)
    }
}
