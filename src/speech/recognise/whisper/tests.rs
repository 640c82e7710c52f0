//! The recogniser on the phrases of `tests/asr`.

use std::{
    fs,
    path::PathBuf,
    sync::{Arc, atomic::AtomicBool},
};

use media::{
    dsp::resample::Resampler,
    wire::{Clip, Rate},
};

use super::{super::Recogniser, *};

fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/asr").join(name)
}

fn recogniser() -> Recogniser {
    load(&file("ivr-tiny.en-q5_0.bin")).unwrap()().unwrap()
}

/// As a tap of the engine hands it over.
fn at_16_khz(clip: &Clip) -> Vec<i16> {
    let (mut resampler, mut made) = (Resampler::new(Rate::K8, Rate::K16), [0; 320]);
    let mut pcm = Vec::new();
    for frame in clip.pcm.chunks(160) {
        let n = resampler.process(frame, &mut made);
        pcm.extend_from_slice(&made[..n]);
    }
    pcm
}

fn clip(name: &str) -> Vec<i16> {
    at_16_khz(&media::wav::read(&file(name)).unwrap())
}

/// Words changed, missing or too many, of so many said.
fn word_errors(said: &str, heard: &str) -> (usize, usize) {
    let (a, b): (Vec<_>, Vec<_>) = (said.split(' ').collect(), heard.split_whitespace().collect());
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut corner = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.iter().enumerate() {
            let best = (corner + usize::from(x != y)).min(row[j] + 1).min(row[j + 1] + 1);
            corner = std::mem::replace(&mut row[j + 1], best);
        }
    }
    (row[b.len()], a.len())
}

#[test]
fn telephone_voices_never_heard_before_are_understood_by_a_tiny_model() {
    let mut recogniser = recogniser();
    let (mut wrong, mut all, mut missed, mut sure) = (0, 0, Vec::new(), 0);
    let list = fs::read_to_string(file("transcripts.tsv")).unwrap();
    for line in list.lines() {
        let [wav, said, kind] = line.split('\t').collect::<Vec<_>>()[..] else { panic!("{line}") };
        let heard = recogniser(&clip(wav), "en-US", &Gone::default()).unwrap();
        let (text, confidence) = heard.map_or((String::new(), 0.0), |w| (w.text, w.confidence));
        assert!((0.0..=1.0).contains(&confidence), "{wav}: {confidence}");
        if text != said {
            missed.push(format!("{wav}: {said} / {text} {confidence}"));
        }
        // What is not in its vocabulary it calls unknown; that is no word.
        if kind == "phrase" || kind == "digits" {
            let (errors, words) = word_errors(said, &text);
            (wrong, all) = (wrong + errors, all + words);
            sure += usize::from(text == said && confidence >= 0.5);
        }
    }
    let accuracy = 100.0 * (1.0 - wrong as f64 / all as f64);
    eprintln!("{accuracy:.1} % of {all} words, {sure} utterances right and sure");
    assert!(accuracy >= 80.0, "{accuracy:.1} % of {all} words; missed: {missed:#?}");
    assert!(sure >= 24, "only {sure} right and sure; missed: {missed:#?}");
}

#[test]
fn a_model_that_is_not_there_is_none_or_is_cut_short_is_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let absent = dir.path().join("absent.bin");
    let e = load(&absent).err().unwrap().to_string();
    assert!(e.starts_with("speech.model: cannot read") && e.contains("absent.bin"), "{e}");
    let whole = fs::read(file("ivr-tiny.en-q5_0.bin")).unwrap();
    let (other, cut) = (dir.path().join("song.wav"), dir.path().join("cut.bin"));
    fs::write(&other, b"RIFF....WAVE").unwrap();
    for part in [4, 40, whole.len() / 100, whole.len() / 2, whole.len() - 100] {
        fs::write(&cut, &whole[..part]).unwrap();
        assert_eq!(load(&cut).err(), Some(RecogniseError::Broken { file: cut.clone() }), "the first {part} bytes");
    }
    assert_eq!(load(&other).err(), Some(RecogniseError::Broken { file: other }));
}

#[test]
fn a_recogniser_for_english_refuses_chinese_rather_than_making_english_of_it() {
    let mut recogniser = recogniser();
    let pcm = clip("0020_phrase.wav");
    assert_eq!(recogniser(&pcm, "zh-CN", &Gone::default()), Err(RecogniseError::Language("zh".into())));
    assert_eq!(recogniser(&pcm, "en_GB", &Gone::default()).unwrap().unwrap().text, "sales");
}

#[test]
fn a_recognition_nobody_waits_for_is_given_up_and_the_next_one_is_not() {
    let mut recogniser = recogniser();
    let (pcm, gone) = (clip("0020_phrase.wav"), Gone { caller: Arc::new(AtomicBool::new(true)), ..Gone::default() });
    assert_eq!(recogniser(&pcm, "en-US", &gone), Ok(None));
    assert_eq!(recogniser(&pcm, "en-US", &Gone::default()).unwrap().unwrap().text, "sales");
}

#[test]
fn what_a_model_remarks_about_sounds_is_no_words() {
    for (written, said) in [
        (" Where is my order? ", "Where is my order?"),
        ("[BLANK_AUDIO]", ""),
        (" (coughs) Yes. *music*", "Yes."),
        (" ...", ""),
        ("（音乐） 我要 退款", "我要 退款"),
        ("left open (for ever", "left open"),
    ] {
        assert_eq!(spoken(written), said);
    }
}
