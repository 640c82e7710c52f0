//! G.722 at 64 kbit/s: 7 kHz of sound in two bands, each with adaptive prediction (ITU-T G.722, 1988 and 2012).
//!
//! Two samples at 16 kHz make one byte: two bits for the upper band, six for the lower. Names of variables follow the blocks
//! of the Recommendation (sections 3 and 6), whose fixed-point arithmetic this is to the bit.

/// Quadrature mirror filter, one half of its 24 symmetric coefficients (table 11).
const QMF: [i32; 12] = [3, -11, 12, 32, -210, 951, 3876, -805, 362, -156, 53, -11];

/// Decision levels of the 6 bit quantiser of the lower band (table 14), from the second.
#[rustfmt::skip]
const Q6: [i32; 29] = [
    35, 72, 110, 150, 190, 233, 276, 323, 370, 422, 473, 530, 587, 650, 714, 786, 858, 940, 1023, 1121, 1219, 1339, 1458,
    1612, 1765, 1980, 2195, 2557, 2919,
];

/// Output of the inverse quantiser of 2 bits, upper band.
const QM2: [i32; 4] = [-7408, -1616, 7408, 1616];
/// Output of the inverse quantiser of 4 bits, lower band: what prediction adapts by.
#[rustfmt::skip]
const QM4: [i32; 16] = [
    0, -20456, -12896, -8968, -6288, -4240, -2584, -1200, 20456, 12896, 8968, 6288, 4240, 2584, 1200, 0,
];
/// Output of the inverse quantiser of 6 bits, lower band: what is heard.
#[rustfmt::skip]
const QM6: [i32; 64] = [
    -136, -136, -136, -136, -24808, -21904, -19008, -16704, -14984, -13512, -12280, -11192, -10232, -9360, -8576, -7856,
    -7192, -6576, -6000, -5456, -4944, -4464, -4008, -3576, -3168, -2776, -2400, -2032, -1688, -1360, -1040, -728,
    24808, 21904, 19008, 16704, 14984, 13512, 12280, 11192, 10232, 9360, 8576, 7856, 7192, 6576, 6000, 5456, 4944, 4464,
    4008, 3576, 3168, 2776, 2400, 2032, 1688, 1360, 1040, 728, 432, 136, -432, -136,
];
/// Logarithmic scale factor: how a code of 4 bits moves it, lower band.
const WL4: [i32; 16] = [-60, 3042, 1198, 538, 334, 172, 58, -30, 3042, 1198, 538, 334, 172, 58, -30, -60];
/// The same for the upper band's 2 bits.
const WH2: [i32; 4] = [798, -214, 798, -214];
/// Powers of two with 5 bits after the point: from the logarithmic scale factor to the linear.
#[rustfmt::skip]
const ILB: [i32; 32] = [
    2048, 2093, 2139, 2186, 2233, 2282, 2332, 2383, 2435, 2489, 2543, 2599, 2656, 2714, 2774, 2834,
    2896, 2960, 3025, 3091, 3158, 3228, 3298, 3371, 3444, 3520, 3597, 3676, 3756, 3838, 3922, 4008,
];

fn saturate(x: i32) -> i32 {
    x.clamp(i32::from(i16::MIN), i32::from(i16::MAX))
}

/// What both ends know of one band: the step of the quantiser and the predictor of two poles and six zeroes.
#[derive(Debug, Clone)]
struct Band {
    /// Logarithmic scale factor (`NBL`, `NBH`).
    nb: i32,
    /// Linear scale factor (`DETL`, `DETH`).
    det: i32,
    /// Prediction of the next sample (`SL`, `SH`), and the part of it the zeroes made (`SZL`, `SZH`).
    s: i32,
    sz: i32,
    /// Reconstructed and partially reconstructed signal, latest first.
    r: [i32; 2],
    p: [i32; 2],
    /// Coefficients of the poles and the zeroes.
    a: [i32; 2],
    b: [i32; 6],
    /// Quantised differences, latest first.
    d: [i32; 6],
}

impl Band {
    const fn new(det: i32) -> Self {
        Self { nb: 0, det, s: 0, sz: 0, r: [0; 2], p: [0; 2], a: [0; 2], b: [0; 6], d: [0; 6] }
    }

    /// Blocks LOGSCL, SCALEL of the lower band, LOGSCH, SCALEH of the upper.
    fn rescale(&mut self, step: i32, highest: i32, exponent: i32) {
        self.nb = (((self.nb * 127) >> 7) + step).clamp(0, highest);
        let (mantissa, shift) = (ILB[((self.nb >> 6) & 31) as usize], exponent - (self.nb >> 11));
        self.det = if shift < 0 { mantissa << -shift } else { mantissa >> shift } << 2;
    }

    /// Adapt to a quantised difference, and predict (block 4: PARREC to PREDIC).
    fn adapt(&mut self, d: i32) {
        let r = saturate(self.s + d);
        let p = saturate(self.sz + d);
        let same = |x: i32, y: i32| (x < 0) == (y < 0);
        // UPPOL2
        let a = saturate(self.a[0] << 2);
        let a = if same(p, self.p[0]) { saturate(-a) } else { a };
        let toward = if same(p, self.p[1]) { 128 } else { -128 };
        let a2 = ((a >> 7) + toward + ((self.a[1] * 32_512) >> 15)).clamp(-12_288, 12_288);
        // UPPOL1
        let toward = if same(p, self.p[0]) { 192 } else { -192 };
        let most = 15_360 - a2;
        let a1 = saturate(toward + ((self.a[0] * 32_640) >> 15)).clamp(-most, most);
        // UPZERO
        let leak = if d == 0 { 0 } else { 128 };
        for (b, old) in self.b.iter_mut().zip(self.d) {
            *b = saturate(if same(d, old) { leak } else { -leak } + ((*b * 32_640) >> 15));
        }
        // DELAYA
        self.d.rotate_right(1);
        self.d[0] = d;
        (self.r, self.p, self.a) = ([r, self.r[0]], [p, self.p[0]], [a1, a2]);
        // FILTEP, FILTEZ, PREDIC
        let sp: i32 = self.a.iter().zip(self.r).map(|(a, r)| (a * saturate(2 * r)) >> 15).sum();
        let sz: i32 = self.b.iter().zip(self.d).map(|(b, d)| (b * saturate(2 * d)) >> 15).sum();
        self.sz = saturate(sz);
        self.s = saturate(saturate(sp) + self.sz);
    }

    fn lower(&mut self, four_bits: usize) {
        let d = (self.det * QM4[four_bits]) >> 15;
        self.rescale(WL4[four_bits], 18_432, 8);
        self.adapt(d);
    }

    /// The difference it stood for.
    fn upper(&mut self, two_bits: usize) -> i32 {
        let d = (self.det * QM2[two_bits]) >> 15;
        self.rescale(WH2[two_bits], 22_528, 10);
        self.adapt(d);
        d
    }
}

/// Both bands and the filter that divides or joins them.
#[derive(Debug, Clone)]
struct State {
    low: Band,
    high: Band,
    /// Pairs of (even, odd) samples, latest first.
    pairs: [(i32, i32); 12],
}

impl State {
    const fn new() -> Self {
        Self { low: Band::new(32), high: Band::new(8), pairs: [(0, 0); 12] }
    }

    /// The two halves of the mirror filter over the latest pairs.
    fn qmf(&mut self, even: i32, odd: i32) -> (i32, i32) {
        self.pairs.rotate_right(1);
        self.pairs[0] = (even, odd);
        self.pairs
            .iter()
            .zip(QMF)
            .zip(QMF.iter().rev())
            .fold((0, 0), |(e, o), ((pair, forth), back)| (e + pair.0 * back, o + pair.1 * forth))
    }
}

/// Linear sound at 16 kHz to bytes.
#[derive(Debug, Clone)]
pub struct Encoder(State);

impl Encoder {
    /// After silence.
    pub const fn new() -> Self {
        Self(State::new())
    }

    /// Encode pairs of samples as long as there is room for their bytes; the number of bytes written. An odd last sample is
    /// left out.
    pub fn encode(&mut self, pcm: &[i16], out: &mut [u8]) -> usize {
        let pairs = pcm.chunks_exact(2);
        out.iter_mut().zip(pairs).map(|(o, p)| *o = self.pair(i32::from(p[0]), i32::from(p[1]))).count()
    }

    fn pair(&mut self, first: i32, second: i32) -> u8 {
        let (even, odd) = self.0.qmf(first, second);
        let (low, high) = (saturate((odd + even) >> 14), saturate((odd - even) >> 14));
        let lower = quantise_low(saturate(low - self.0.low.s), self.0.low.det);
        self.0.low.lower(usize::from(lower >> 2));
        let upper = quantise_high(saturate(high - self.0.high.s), self.0.high.det);
        self.0.high.upper(usize::from(upper));
        (upper << 6) | lower
    }
}

impl Default for Encoder {
    fn default() -> Self {
        Self::new()
    }
}

/// Block QUANTL: 6 bits. Levels are in the order of loudness; codes count down from 61 (plus) or 31 (minus), but the two
/// quietest levels below zero are 63 and 62 (table 15).
fn quantise_low(difference: i32, det: i32) -> u8 {
    let magnitude = if difference < 0 { !difference } else { difference };
    let level = Q6.iter().take_while(|q| magnitude >= (*q * det) >> 12).count() as u8;
    match (difference < 0, level) {
        (false, _) => 61 - level,
        (true, 0 | 1) => 63 - level,
        (true, _) => 33 - level,
    }
}

/// Block QUANTH: 2 bits.
fn quantise_high(difference: i32, det: i32) -> u8 {
    let magnitude = if difference < 0 { !difference } else { difference };
    let loud = magnitude >= (564 * det) >> 12;
    match (difference < 0, loud) {
        (false, true) => 2,
        (false, false) => 3,
        (true, true) => 0,
        (true, false) => 1,
    }
}

/// Bytes to linear sound at 16 kHz.
#[derive(Debug, Clone)]
pub struct Decoder(State);

impl Decoder {
    /// After silence.
    pub const fn new() -> Self {
        Self(State::new())
    }

    /// Decode bytes as long as there is room for two samples each; the number of samples written. Every byte means something.
    pub fn decode(&mut self, payload: &[u8], out: &mut [i16]) -> usize {
        let pairs = out.chunks_exact_mut(2);
        2 * pairs.zip(payload).map(|(o, b)| (o[0], o[1]) = self.byte(*b)).count()
    }

    fn byte(&mut self, byte: u8) -> (i16, i16) {
        let State { low, high, .. } = &mut self.0;
        let (lower, upper) = (usize::from(byte & 63), usize::from(byte >> 6));
        let limit = |x: i32| x.clamp(-16_384, 16_383);
        let rl = limit(low.s + ((low.det * QM6[lower]) >> 15));
        low.lower(lower >> 2);
        let predicted = high.s;
        let rh = limit(predicted + high.upper(upper));
        let (even, odd) = self.0.qmf(rl + rh, rl - rh);
        (saturate(odd >> 11) as i16, saturate(even >> 11) as i16)
    }
}

impl Default for Decoder {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chance(x: &mut u32) -> i32 {
        *x = x.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (*x >> 16) as i32
    }

    /// Two seconds like a voice, now soft, now hoarse, now far too loud: pulses of 120 Hz and noise through a resonance.
    fn voice() -> Vec<i16> {
        let (mut x, mut y) = (1, [0; 2]);
        (0..32_000)
            .map(|i| {
                let noise = (chance(&mut x) - 32_768) * (i / 1_600 % 10) / 64;
                let pulse = if i % 133 == 0 { 12_000 } else { 0 };
                y = [pulse + noise + (y[0] * 28 - y[1] * 15) / 16, y[0]];
                saturate(y[0]) as i16
            })
            .collect()
    }

    /// FNV-1a, 64 bit.
    fn digest(bytes: impl IntoIterator<Item = u8>) -> u64 {
        bytes.into_iter().fold(0xCBF2_9CE4_8422_2325, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01B3))
    }

    fn decoded(bytes: &[u8]) -> Vec<i16> {
        let mut pcm = vec![0; bytes.len() * 2];
        assert_eq!(Decoder::new().decode(bytes, &mut pcm), pcm.len());
        pcm
    }

    /// The three digests were taken where FFmpeg 5.1 made the very same bytes and samples.
    #[test]
    fn bytes_and_samples_are_those_of_another_implementation_to_the_bit() {
        let voice = voice();
        let mut bytes = vec![0; 16_000];
        assert_eq!(Encoder::new().encode(&voice, &mut bytes), 16_000);
        assert_eq!(digest(bytes.iter().copied()), 0x263E_62B1_05CD_9900, "encoded");
        let samples = |bytes: &[u8]| digest(decoded(bytes).into_iter().flat_map(i16::to_le_bytes));
        assert_eq!(samples(&bytes), 0x34BE_FF70_7F0F_65CC, "decoded");
        let mut x = 7;
        let nonsense: Vec<u8> = (0..16_000).map(|_| (chance(&mut x) >> 8) as u8).collect();
        assert_eq!(samples(&nonsense), 0xE5EE_9005_73E4_A25E, "decoded nonsense");
    }

    #[test]
    fn a_voice_comes_back_22_samples_later_and_far_above_the_noise() {
        let voice = voice();
        let mut bytes = vec![0; 16_000];
        Encoder::new().encode(&voice, &mut bytes);
        let pcm = decoded(&bytes);
        let power = |of: &dyn Fn(usize) -> f64| (0..31_900).map(|i| of(i).powi(2)).sum::<f64>();
        let said = power(&|i| f64::from(voice[i]));
        let noise = power(&|i| f64::from(voice[i]) - f64::from(pcm[i + 22]));
        let snr = 10.0 * (said / noise).log10();
        assert!(snr > 22.0, "{snr:.1} dB");
    }

    #[test]
    fn half_a_pair_and_a_lack_of_room_are_left_out() {
        let (mut bytes, mut pcm) = ([0; 4], [0; 5]);
        assert_eq!(Encoder::new().encode(&[1; 7], &mut bytes), 3);
        assert_eq!(Encoder::new().encode(&[1; 70], &mut bytes), 4);
        assert_eq!(Decoder::new().decode(&[9; 70], &mut pcm), 4);
        assert_eq!(Decoder::new().decode(&[], &mut pcm), 0);
    }
}
