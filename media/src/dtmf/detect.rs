//! Digits as tones in the sound (ITU-T Q.23), for peers that did not agree to telephone events.
//!
//! Sound is looked at in blocks of 12.75 ms: how much of it lies at each of the eight frequencies (Goertzel's algorithm).
//! A block holds a digit when one low and one high frequency stand out from the rest of their group, are about equally
//! loud, and together are nearly all there is: no voice is so pure, which is what keeps speech from dialling. Two blocks in
//! a row begin a digit, two without it end it. Levels, twist and times after ITU-T Q.24, annex A (AT&T) with some reserve.

use std::time::Duration;

use super::{digit, receive::Pressed};

/// Samples of a block at 8 kHz: the frequencies of a group fall between each other's bins.
const BLOCK: usize = 102;
/// Quietest tone, mean square: -38 dBFS. Q.24 asks for -25 dBm each, which is -31 dBFS.
const QUIETEST: f32 = 85_000.0;
/// The high tone may be so much louder than the low one: 6 dB (Q.24: 4 dB).
const HIGH_LOUDER: f32 = 4.0;
/// And so much quieter: 10 dB (Q.24: 8 dB).
const HIGH_QUIETER: f32 = 10.0;
/// How much louder than the others of its group a tone is: 8 dB.
const STANDS_OUT: f32 = 6.3;
/// Share of all sound that the two tones are. Tones 1.5 % off lose a fifth to the width of a block.
const PURE: f32 = 0.70;
/// Blocks in a row that begin a digit, and without it that end it.
const IN_A_ROW: u8 = 2;
/// Blocks made up for lost packets through which a digit is taken to go on: 100 ms.
const MADE_UP_MAX: u8 = 8;
/// A block lasts so long.
const BLOCK_TIME: Duration = Duration::from_micros(BLOCK as u64 * 125);

/// Listens to one leg at 8 kHz.
#[derive(Debug, Clone)]
pub struct Detector {
    /// 2 cos w of the four low and the four high frequencies.
    turn: [f32; 8],
    past: [[f32; 2]; 8],
    energy: f32,
    filled: usize,
    /// Something in this block was made up.
    made_up: bool,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum State {
    Nothing,
    /// So many blocks of this code.
    Maybe(u8, u8),
    Down {
        code: u8,
        blocks: u32,
        without: u8,
        made_up: u8,
    },
}

impl Default for Detector {
    fn default() -> Self {
        let frequencies = [697.0, 770.0, 852.0, 941.0, 1_209.0, 1_336.0, 1_477.0, 1_633.0f32];
        Self {
            turn: frequencies.map(|hz| 2.0 * (std::f32::consts::TAU * hz / 8_000.0).cos()),
            past: [[0.0; 2]; 8],
            energy: 0.0,
            filled: 0,
            made_up: false,
            state: State::Nothing,
        }
    }
}

impl Detector {
    /// The next sound, at most 20 ms of it. `made_up`: for lost packets, so what it lacks was not said either.
    ///
    /// A digit comes out when it is over, with how long it sounded, to the nearest block.
    pub fn frame(&mut self, pcm: &[i16], made_up: bool) -> Option<Pressed> {
        let mut over = None;
        let mut rest = pcm;
        while !rest.is_empty() {
            let (now, later) = rest.split_at(rest.len().min(BLOCK - self.filled));
            self.listen(now);
            self.made_up |= made_up;
            self.filled += now.len();
            rest = later;
            if self.filled == BLOCK {
                let code = self.judge();
                over = self.step(code).or(over);
                self.past = [[0.0; 2]; 8];
                (self.energy, self.filled, self.made_up) = (0.0, 0, false);
            }
        }
        over
    }

    /// Whether a digit is sounding: what is heard now is no speech.
    pub fn sounding(&self) -> bool {
        matches!(self.state, State::Down { .. })
    }

    fn listen(&mut self, pcm: &[i16]) {
        for s in pcm {
            let s = f32::from(*s);
            self.energy += s * s;
            for (past, turn) in self.past.iter_mut().zip(&self.turn) {
                *past = [s + turn * past[0] - past[1], past[0]];
            }
        }
    }

    /// The digit of a full block.
    fn judge(&self) -> Option<u8> {
        let n = BLOCK as f32;
        let mut power = [0f32; 8];
        for ((p, [a, b]), turn) in power.iter_mut().zip(self.past).zip(self.turn) {
            *p = 2.0 * (a * a + b * b - turn * a * b) / (n * n);
        }
        let (low, high) = (loudest(&power[..4])?, loudest(&power[4..])?);
        let (low_power, high_power) = (power[low], power[4 + high]);
        let loud = low_power > QUIETEST && high_power > QUIETEST;
        let balanced = high_power < low_power * HIGH_LOUDER && low_power < high_power * HIGH_QUIETER;
        let pure = low_power + high_power > PURE * self.energy / n;
        (loud && balanced && pure).then(|| CODES[low][high])
    }

    fn step(&mut self, code: Option<u8>) -> Option<Pressed> {
        match (&mut self.state, code) {
            (State::Down { code: held, blocks, without, made_up }, code) => {
                if code == Some(*held) {
                    *blocks += 1 + u32::from(*without) + u32::from(*made_up);
                    (*without, *made_up) = (0, 0);
                    return None;
                }
                if self.made_up && *made_up < MADE_UP_MAX {
                    *made_up += 1;
                    return None;
                }
                *without += 1;
                if *without < IN_A_ROW {
                    return None;
                }
                let (held, blocks) = (*held, *blocks);
                self.state = code.map_or(State::Nothing, |c| State::Maybe(c, 1));
                digit(held).map(|d| (d, BLOCK_TIME * blocks))
            }
            (State::Maybe(maybe, times), Some(code)) if *maybe == code => {
                *times += 1;
                if *times >= IN_A_ROW {
                    self.state = State::Down { code, blocks: u32::from(IN_A_ROW), without: 0, made_up: 0 };
                }
                None
            }
            (State::Maybe(..), None) if self.made_up => None,
            (_, Some(code)) => {
                self.state = State::Maybe(code, 1);
                None
            }
            (_, None) => {
                self.state = State::Nothing;
                None
            }
        }
    }
}

/// Event codes by row and column.
const CODES: [[u8; 4]; 4] = [[1, 2, 3, 12], [4, 5, 6, 13], [7, 8, 9, 14], [10, 0, 11, 15]];

/// Which one stands out.
fn loudest(group: &[f32]) -> Option<usize> {
    let best = (0..group.len()).max_by(|a, b| group[*a].total_cmp(&group[*b]))?;
    let alone = group.iter().enumerate().all(|(i, p)| i == best || p * STANDS_OUT < group[best]);
    alone.then_some(best)
}

#[cfg(test)]
#[path = "detect_tests.rs"]
mod tests;
