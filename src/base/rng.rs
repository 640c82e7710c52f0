//! The one source of chance, seeded: the roof seeds it from the system, the simulator from a number it prints.

use rand_chacha::{
    ChaCha12Rng,
    rand_core::{Rng as _, SeedableRng},
};

/// A cryptographically strong stream (ChaCha12). Tags, branches, nonces and ids come from here.
#[derive(Debug, Clone)]
pub struct Rng(ChaCha12Rng);

impl Rng {
    /// For tests and the simulator: the same number, the same stream.
    pub fn seeded(seed: u64) -> Self {
        Rng(ChaCha12Rng::seed_from_u64(seed))
    }
    /// For the running server: 256 bits from the system.
    pub fn from_entropy(seed: [u8; 32]) -> Self {
        Rng(ChaCha12Rng::from_seed(seed))
    }
    /// An independent stream, so that one room's draws do not shift another's.
    pub fn fork(&mut self) -> Self {
        Rng(ChaCha12Rng::from_seed(self.bytes()))
    }
    /// 64 random bits.
    pub fn u64(&mut self) -> u64 {
        self.0.next_u64()
    }
    /// 32 random bits.
    pub fn u32(&mut self) -> u32 {
        self.0.next_u32()
    }
    /// Uniform in `0..n`; 0 when `n` is 0. (Bias below 2^-32 for any `n` used here.)
    pub fn below(&mut self, n: u64) -> u64 {
        if n == 0 { 0 } else { ((u128::from(self.u64()) * u128::from(n)) >> 64) as u64 }
    }
    /// Uniform in `0.0..1.0`.
    pub fn unit(&mut self) -> f64 {
        (self.u64() >> 11) as f64 / (1u64 << 53) as f64
    }
    /// `N` random bytes.
    pub fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut b = [0; N];
        self.0.fill_bytes(&mut b);
        b
    }
    /// `n` random bytes as `2n` lower-case hex digits.
    pub fn hex(&mut self, n: usize) -> String {
        (0..n).map(|_| format!("{:02x}", self.u32() as u8)).collect()
    }
}
