//! Clips from WAV files: 16 bit PCM of any usual rate, mono or stereo, brought to mono at 8 kHz.

use std::{
    fs,
    io::{self, Read},
    path::{Path, PathBuf},
    time::Duration,
};

use crate::{
    limits::{CLIP_MAX, WAV_BYTES_MAX},
    wire::Clip,
};

/// Why a file is no clip. Every message names the file, what was found and what is expected.
#[derive(Debug, thiserror::Error)]
pub enum WavError {
    /// Cannot be opened or read.
    #[error("{path}: cannot be read")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Not a WAV file, or damaged.
    #[error("{path}: not a readable WAV file ({found}); expected RIFF/WAVE, PCM, 16 bit, mono or stereo, 8 to 48 kHz")]
    NotWav {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        found: String,
    },
    /// A WAV file of a kind we do not take.
    #[error("{path}: {found}; expected PCM, 16 bit, mono or stereo, 8, 16, 22.05, 24, 32, 44.1 or 48 kHz")]
    Format {
        /// The file.
        path: PathBuf,
        /// What it is.
        found: String,
    },
    /// Longer or larger than a prompt may be.
    #[error("{path}: {found}; a clip may last {max:?} at most", max = CLIP_MAX)]
    TooLong {
        /// The file.
        path: PathBuf,
        /// How long it is.
        found: String,
    },
}

/// Read a file as a clip.
pub fn read(path: &Path) -> Result<Clip, WavError> {
    let read = |source| WavError::Read { path: path.into(), source };
    let file = fs::File::open(path).map_err(read)?;
    let size = file.metadata().map_err(read)?.len();
    if size > WAV_BYTES_MAX {
        return Err(WavError::TooLong { path: path.into(), found: format!("{size} bytes") });
    }
    decode(path, io::BufReader::new(file))
}

/// Read a clip from bytes (an upload, the output of a synthesiser); `name` is what errors call it.
pub fn read_bytes(name: &str, bytes: &[u8]) -> Result<Clip, WavError> {
    decode(Path::new(name), bytes)
}

fn decode(path: &Path, from: impl Read) -> Result<Clip, WavError> {
    let not_wav = |e: hound::Error| WavError::NotWav { path: path.into(), found: e.to_string() };
    let reader = hound::WavReader::new(from).map_err(not_wav)?;
    let spec = reader.spec();
    if spec.sample_format != hound::SampleFormat::Int || spec.bits_per_sample != 16 {
        let kind = if spec.sample_format == hound::SampleFormat::Int { "PCM" } else { "floating point" };
        return Err(WavError::Format { path: path.into(), found: format!("{} bit {kind}", spec.bits_per_sample) });
    }
    if !matches!(spec.channels, 1 | 2) {
        return Err(WavError::Format { path: path.into(), found: format!("{} channels", spec.channels) });
    }
    if !matches!(spec.sample_rate, 8_000 | 16_000 | 22_050 | 24_000 | 32_000 | 44_100 | 48_000) {
        return Err(WavError::Format { path: path.into(), found: format!("{} Hz", spec.sample_rate) });
    }
    let length = Duration::from_secs_f64(f64::from(reader.duration()) / f64::from(spec.sample_rate));
    // The header of a stream (a synthesiser writing to a pipe) claims gigabytes: believe the samples, within the bound.
    let most = CLIP_MAX.as_secs() as usize * spec.sample_rate as usize * usize::from(spec.channels);
    let streamed = reader.len() >= 0x7FFF_0000 / 2;
    if length > CLIP_MAX && !streamed {
        return Err(WavError::TooLong { path: path.into(), found: format!("{} s", length.as_secs()) });
    }
    let mut all = Vec::new();
    for sample in reader.into_samples::<i16>().take(most) {
        match sample {
            Ok(s) => all.push(s),
            // A file cut short plays as far as it goes if it plays at all.
            Err(_) if !all.is_empty() => break,
            Err(e) => return Err(not_wav(e)),
        }
    }
    let mono: Vec<f32> = match spec.channels {
        2 => all.chunks_exact(2).map(|c| (f32::from(c[0]) + f32::from(c[1])) / 2.0).collect(),
        _ => all.into_iter().map(f32::from).collect(),
    };
    Ok(Clip { pcm: to_8k(&mono, spec.sample_rate) })
}

/// Half the length of the low-pass, in samples at 8 kHz.
const REACH: f64 = 24.0;
/// Edge of the low-pass, hertz: below 4 kHz by the width of its slope.
const EDGE: f64 = 3_600.0;

/// Bring samples at `rate` to 8 kHz: a windowed sinc around every output sample.
fn to_8k(input: &[f32], rate: u32) -> Box<[i16]> {
    let quantise = |s: f32| s.round().clamp(-32_768.0, 32_767.0) as i16;
    if rate == 8_000 {
        return input.iter().map(|s| quantise(*s)).collect();
    }
    let ratio = f64::from(rate) / 8_000.0;
    let half = REACH * ratio;
    let edge = 2.0 * EDGE / f64::from(rate);
    // The filter for every phase an output sample can have between two input samples: 1 to 80 of them.
    let phases = 8_000 / gcd(rate, 8_000) as usize;
    let taps = half.floor() as isize;
    let bank: Vec<Vec<f32>> = (0..phases)
        .map(|p| {
            let offset = (p as f64 * ratio).fract();
            let mut h: Vec<f64> = (-taps..=taps + 1).map(|k| kernel(k as f64 - offset, half, edge)).collect();
            let sum: f64 = h.iter().sum();
            h.iter_mut().for_each(|x| *x /= sum);
            h.into_iter().map(|x| x as f32).collect()
        })
        .collect();
    let count = (input.len() as f64 / ratio) as usize;
    let one = |n: usize| {
        let first = (n as u64 * u64::from(rate) / 8_000) as isize - taps;
        let h = &bank[n % phases];
        let sum: f32 = h
            .iter()
            .enumerate()
            .filter_map(|(i, h)| usize::try_from(first + i as isize).ok().and_then(|at| input.get(at)).map(|s| s * h))
            .sum();
        quantise(sum)
    };
    (0..count).map(one).collect()
}

/// Sinc under a Blackman window.
fn kernel(x: f64, half: f64, edge: f64) -> f64 {
    use std::f64::consts::PI;
    if x.abs() >= half {
        return 0.0;
    }
    let sinc = if x == 0.0 { 1.0 } else { (PI * edge * x).sin() / (PI * edge * x) };
    let t = PI * x / half;
    sinc * (0.42 + 0.5 * t.cos() + 0.08 * (2.0 * t).cos())
}

fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::tone_dbfs;

    fn wav(rate: u32, channels: u16, hz: f64) -> Vec<u8> {
        let mut bytes = io::Cursor::new(Vec::new());
        let spec = hound::WavSpec { channels, sample_rate: rate, bits_per_sample: 16, sample_format: hound::SampleFormat::Int };
        let mut w = hound::WavWriter::new(&mut bytes, spec).expect("a writer");
        for i in 0..rate {
            let s = 8_192.0 * (std::f64::consts::TAU * hz * f64::from(i) / f64::from(rate)).sin();
            (0..channels).for_each(|_| w.write_sample(s as i16).expect("room"));
        }
        w.finalize().expect("room");
        bytes.into_inner()
    }

    #[test]
    fn a_tone_keeps_its_level_at_every_rate_and_what_is_above_hearing_is_gone() {
        for rate in [8_000, 16_000, 22_050, 24_000, 44_100, 48_000] {
            for channels in [1, 2] {
                let clip = read_bytes("tone.wav", &wav(rate, channels, 1_000.0)).expect("a clip");
                let level = tone_dbfs(&clip.pcm, 1_000.0);
                assert!((level + 12.0).abs() < 0.3, "{rate} Hz {channels} ch: {level}");
                assert!((7_990..=8_000).contains(&clip.pcm.len()), "{}", clip.pcm.len());
            }
        }
        // 5 kHz would fold to 3 kHz.
        let folded = read_bytes("high.wav", &wav(44_100, 1, 5_000.0)).expect("a clip");
        assert!(tone_dbfs(&folded.pcm, 3_000.0) < -60.0, "{}", tone_dbfs(&folded.pcm, 3_000.0));
    }

    #[test]
    fn a_file_of_another_kind_says_what_it_is_and_what_is_wanted() {
        let e = read_bytes("x.wav", b"ID3 this is an mp3").expect_err("no WAV").to_string();
        assert!(e.contains("x.wav") && e.contains("16 bit"), "{e}");
        let e = read_bytes("odd.wav", &wav(11_025, 1, 440.0)).expect_err("an odd rate").to_string();
        assert!(e.contains("11025 Hz") && e.contains("22.05"), "{e}");
        let e = read(Path::new("/nowhere/hello.wav")).expect_err("no file").to_string();
        assert!(e.contains("/nowhere/hello.wav"), "{e}");
    }

    #[test]
    fn a_file_cut_short_plays_as_far_as_it_goes() {
        let whole = wav(8_000, 1, 440.0);
        let clip = read_bytes("cut.wav", &whole[..whole.len() / 2]).expect("a clip");
        assert!(clip.pcm.len() > 3_900);
    }
}
