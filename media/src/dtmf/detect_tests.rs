//! Digits as tones: found at every level and twist the Recommendations name, once each, and never in a voice.

use super::*;
use crate::{
    dsp::{plc::Plc, speechlike},
    dtmf::{code, tones},
    time::Chance,
    wire::Rate,
};

const ALL: &str = "0123456789*#ABCD";

/// Digits as a telephone sends them: `on_ms` of two tones and `off_ms` of none, each tone at `dbfs`, the high one `twist`
/// louder, the pitch `off` times what it should be.
fn dialled(digits: &str, (on_ms, off_ms): (usize, usize), dbfs: f32, twist: f32, off: f32) -> Vec<i16> {
    let height = |db: f32| 32_767.0 * 10f32.powf(db / 20.0);
    let mut pcm = vec![0; 800];
    for d in digits.chars() {
        let (low, high) = tones(code(d).expect("a digit")).expect("two tones");
        let wave = |hz: f32, i: usize| (std::f32::consts::TAU * (hz * off * i as f32 / 8_000.0).fract()).sin();
        let sum = |i| height(dbfs) * wave(low, i) + height(dbfs + twist) * wave(high, i);
        pcm.extend((0..on_ms * 8).map(|i| sum(i) as i16));
        pcm.resize(pcm.len() + off_ms * 8, 0);
    }
    pcm.resize(pcm.len() + 800, 0);
    pcm
}

fn heard(pcm: &[i16]) -> String {
    let mut detector = Detector::default();
    pcm.chunks(160).filter_map(|f| detector.frame(f, false)).map(|(digit, _)| digit).collect()
}

fn noise(dbfs: f32, chance: &mut Chance) -> i16 {
    let height = 32_767.0 * 10f32.powf(dbfs / 20.0) * 1.22;
    (height * (chance.word() as i32 as f32 / 2_147_483_648.0)) as i16
}

#[test]
fn every_digit_is_heard_once_from_loud_to_faint_and_as_short_as_the_law_allows() {
    for dbfs in [-6.1, -12.0, -20.0, -31.0, -35.0] {
        for times in [(40, 40), (50, 50), (100, 100), (300, 60)] {
            assert_eq!(heard(&dialled(ALL, times, dbfs, 0.0, 1.0)), ALL, "{dbfs} dBFS, {times:?} ms");
            assert_eq!(heard(&dialled("1122", times, dbfs, 0.0, 1.0)), "1122", "{dbfs} dBFS, {times:?} ms");
        }
    }
}

#[test]
fn twist_and_a_pitch_that_is_a_little_off_are_forgiven() {
    for twist in [-8.0, -4.0, 4.0] {
        for off in [0.985, 1.0, 1.015] {
            assert_eq!(heard(&dialled(ALL, (60, 60), -16.0, twist, off)), ALL, "{twist} dB, {off}");
        }
    }
    assert_eq!(heard(&dialled(ALL, (100, 100), -16.0, 0.0, 1.04)), "", "4 % off is another signal");
    assert_eq!(heard(&dialled(ALL, (100, 100), -16.0, -14.0, 1.0)), "");
    assert_eq!(heard(&dialled(ALL, (100, 100), -55.0, 0.0, 1.0)), "", "too faint to be meant");
}

#[test]
fn a_digit_lasts_as_long_as_it_was_held() {
    let mut detector = Detector::default();
    let over: Vec<Pressed> =
        dialled("7", (500, 100), -12.0, 0.0, 1.0).chunks(160).filter_map(|f| detector.frame(f, false)).collect();
    assert!(matches!(over[..], [('7', held)] if (475..=515).contains(&held.as_millis())), "{over:?}");
    assert!(!detector.sounding());
}

#[test]
fn noise_fifteen_decibels_below_neither_hides_nor_makes_a_digit() {
    let mut chance = Chance::new(5);
    let mut pcm = dialled(&ALL.repeat(10), (60, 60), -16.0, 0.0, 1.0);
    // Each tone is at -16, both together at -13 dBFS.
    pcm.iter_mut().for_each(|s| *s = s.saturating_add(noise(-28.0, &mut chance)));
    assert_eq!(heard(&pcm), ALL.repeat(10));
    let mut chance = Chance::new(6);
    let only_noise: Vec<i16> = (0..8_000 * 120).map(|_| noise(-15.0, &mut chance)).collect();
    assert_eq!(heard(&only_noise), "");
}

#[test]
fn of_a_thousand_digits_with_one_frame_in_twenty_lost_none_is_heard_twice_and_hardly_one_missed() {
    let mut chance = Chance::new(11);
    let digits: String = (0..1_000).map(|_| char::from(ALL.as_bytes()[(chance.word() % 16) as usize])).collect();
    let mut pcm = dialled(&digits, (100, 100), -14.0, 0.0, 1.0);
    let (mut plc, mut detector) = (Plc::new(Rate::K8, 1), Detector::default());
    let mut got = String::new();
    for frame in pcm.chunks_exact_mut(160) {
        let lost = chance.word() % 100 < 5;
        if lost {
            plc.conceal(frame);
        } else {
            plc.heard(frame);
        }
        got.extend(detector.frame(frame, lost).map(|(digit, _)| digit));
    }
    // In order, with some missing at most.
    let mut rest = digits.chars();
    assert!(got.chars().all(|g| rest.any(|d| d == g)), "something was heard that nobody pressed");
    assert!(got.len() >= 995, "{} of 1,000", got.len());
}

#[test]
fn ten_minutes_of_voices_dial_nothing() {
    for (pitch, seed) in [(90.0, 1), (125.0, 2), (180.0, 3), (230.0, 4), (310.0, 5)] {
        let voice = speechlike::voice(Rate::K8, 120, pitch, seed);
        assert_eq!(heard(&voice), "", "a voice of {pitch} Hz");
    }
}
