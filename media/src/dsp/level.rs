//! How loud sound is, frame by frame, and whether a microphone is dead.

use std::time::Duration;

/// Below this nobody is at the microphone: a quiet room is 10 dB louder, digital silence far below.
pub const DEAD_DBFS: f32 = -60.0;
/// Level of silence.
pub const SILENCE_DBFS: f32 = -120.0;
/// Mean square of a full-scale sine.
const FULL: f32 = 32_767.0 * 32_767.0 / 2.0;
/// Share of a new frame in the level shown: an old frame counts half after 70 ms.
const SHARE: f32 = 0.18;

/// Mean square of `pcm`; 0 of nothing.
pub fn power(pcm: &[i16]) -> f32 {
    // Exact in integers, and fast: 160 squares of 30 bits fit with room.
    let sum: i64 = pcm.iter().map(|s| i64::from(i32::from(*s) * i32::from(*s))).sum();
    sum as f32 / pcm.len().max(1) as f32
}

/// A mean square as dBFS: a full-scale sine is 0, silence [`SILENCE_DBFS`].
pub fn decibel(power: f32) -> f32 {
    if power <= 0.0 { SILENCE_DBFS } else { (10.0 * (power / FULL).log10()).max(SILENCE_DBFS) }
}

/// Level of `pcm`, dBFS.
pub fn dbfs(pcm: &[i16]) -> f32 {
    decibel(power(pcm))
}

/// The mean square of sound at `dbfs`.
pub fn power_of(dbfs: f32) -> f32 {
    FULL * 10f32.powf(dbfs / 10.0)
}

/// A level as a needle shows it.
#[derive(Debug, Clone, Default)]
pub struct Meter {
    power: f32,
    peak: u16,
}

impl Meter {
    /// The next frame.
    pub fn frame(&mut self, pcm: &[i16]) {
        self.power += SHARE * (power(pcm) - self.power);
        self.peak = pcm.iter().map(|s| s.unsigned_abs()).max().unwrap_or(0).max(self.peak - self.peak / 32);
    }

    /// dBFS.
    pub fn dbfs(&self) -> f32 {
        decibel(self.power)
    }

    /// The loudest sample lately, falling by half in half a second; 0 to 32,768.
    pub fn peak(&self) -> u16 {
        self.peak
    }
}

/// Notices sound of nobody: a muted or dead microphone.
#[derive(Debug, Clone)]
pub struct Dead {
    after: Duration,
    quiet: Duration,
}

impl Dead {
    /// To be told after so long.
    pub fn new(after: Duration) -> Self {
        Self { after, quiet: Duration::ZERO }
    }

    /// A frame that lasts `time`. `true` once when it has been quiet for the time given, and again after it was heard.
    pub fn frame(&mut self, pcm: &[i16], time: Duration) -> bool {
        if power(pcm) > power_of(DEAD_DBFS) {
            self.heard();
            return false;
        }
        self.silent(time)
    }

    /// Somebody was heard.
    pub fn heard(&mut self) {
        self.quiet = Duration::ZERO;
    }

    /// Nobody was, for so long; otherwise as [`Self::frame`].
    pub fn silent(&mut self, time: Duration) -> bool {
        let told = self.quiet >= self.after;
        self.quiet = (self.quiet + time).min(self.after);
        !told && self.quiet >= self.after
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tone;

    const FRAME: Duration = Duration::from_millis(20);

    #[test]
    fn a_meter_shows_a_tone_at_its_level_within_half_a_second_and_falls_after_it() {
        let mut m = Meter::default();
        let tone = tone::sine(1_000.0, -12.0, Duration::from_millis(500)).pcm;
        tone.chunks(160).for_each(|f| m.frame(f));
        assert!((m.dbfs() + 12.0).abs() < 0.2 && m.peak() > 8_000, "{m:?}");
        (0..50).for_each(|_| m.frame(&[0; 160]));
        assert!(m.dbfs() < -45.0 && m.peak() < 3_000, "{m:?}");
        assert_eq!(dbfs(&[0; 160]), SILENCE_DBFS);
        assert_eq!(dbfs(&[]), SILENCE_DBFS);
        assert!((dbfs(&[i16::MIN; 160]) - 3.01).abs() < 0.01, "a square wave is louder than any sine");
    }

    #[test]
    fn a_dead_microphone_is_told_once_and_again_after_it_was_heard() {
        let mut d = Dead::new(Duration::from_secs(10));
        let hum = tone::sine(100.0, -70.0, FRAME).pcm;
        let room = tone::sine(100.0, -50.0, FRAME).pcm;
        let told = |d: &mut Dead, pcm: &[i16], frames: usize| (0..frames).filter(|_| d.frame(pcm, FRAME)).count();
        assert_eq!(told(&mut d, &hum, 499), 0);
        assert_eq!(told(&mut d, &hum, 1), 1);
        assert_eq!(told(&mut d, &[0; 160], 2_000), 0);
        assert_eq!(told(&mut d, &room, 1), 0);
        assert_eq!(told(&mut d, &hum, 600), 1);
    }
}
