//! Stories of the synthesiser. The engine is a stand-in written as a script, so that no test depends on what is installed;
//! the real espeak-ng is asked where it is there.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use tempfile::TempDir;

use super::*;

/// An engine that counts its runs in `runs` and says 0.1 s of a rising ramp, or whatever `instead` does.
fn script(dir: &Path, instead: Option<&str>) -> Engine {
    let program = dir.join("speak");
    let ramp = dir.join("ramp.wav");
    let spec = hound::WavSpec { channels: 1, sample_rate: 8_000, bits_per_sample: 16, sample_format: hound::SampleFormat::Int };
    let mut wav = hound::WavWriter::create(&ramp, spec).unwrap();
    (0..800).for_each(|i| wav.write_sample::<i16>(i * 10).unwrap());
    wav.finalize().unwrap();
    let at = dir.display();
    let usual = format!("cat > {at}/heard; echo \"$@\" >> {at}/runs; cat {at}/ramp.wav");
    let draft = dir.join("draft");
    fs::write(&draft, format!("#!/bin/sh\n{}\n", instead.unwrap_or(&usual))).unwrap();
    fs::set_permissions(&draft, fs::Permissions::from_mode(0o755)).unwrap();
    // Copied by another process: a file this one has open for writing, in whatever thread, cannot be run by its children.
    assert!(std::process::Command::new("cp").arg(draft).arg(&program).status().unwrap().success());
    Engine::EspeakNg { program }
}

fn runs(dir: &Path) -> usize {
    fs::read_to_string(dir.join("runs")).map_or(0, |s| s.lines().count())
}

async fn desk(instead: Option<&str>) -> (TempDir, TextToSpeech) {
    let dir = TempDir::new().unwrap();
    let engine = script(dir.path(), instead);
    let tts = TextToSpeech::open(engine, dir.path().join("tts")).await.unwrap();
    (dir, tts)
}

fn kept(dir: &Path) -> Vec<std::path::PathBuf> {
    fs::read_dir(dir.join("tts")).unwrap().map(|e| e.unwrap().path()).collect()
}

#[tokio::test]
async fn what_was_said_once_is_not_made_again_not_even_after_a_restart() {
    let (dir, tts) = desk(None).await;
    let clip = tts.say("Welcome; rm -rf / `reboot`", "en-US").await.unwrap();
    assert_eq!(clip.pcm.len(), 800);
    assert_eq!(fs::read_to_string(dir.path().join("heard")).unwrap(), "Welcome; rm -rf / `reboot`");
    let reborn = TextToSpeech::open(script(dir.path(), None), dir.path().join("tts")).await.unwrap();
    assert_eq!(reborn.say("Welcome; rm -rf / `reboot`", "en-US").await.unwrap(), clip);
    assert_eq!(runs(dir.path()), 1);
    reborn.say("Welcome; rm -rf / `reboot`", "zh-CN").await.unwrap();
    assert_eq!(runs(dir.path()), 2, "the same words in another voice are another sound");
    assert!(fs::read_to_string(dir.path().join("runs")).unwrap().contains("-v cmn-latn-pinyin"));
}

#[tokio::test]
async fn a_kept_file_that_was_damaged_is_made_again() {
    let (dir, tts) = desk(None).await;
    let clip = tts.say("hello", "en").await.unwrap();
    for (runs_after, damage) in [(2, &b"RIFF"[..]), (3, &fs::read(&kept(dir.path())[0]).unwrap()[..900])] {
        fs::write(&kept(dir.path())[0], damage).unwrap();
        assert_eq!(tts.say("hello", "en").await.unwrap(), clip);
        assert_eq!((runs(dir.path()), kept(dir.path()).len()), (runs_after, 1));
    }
}

#[tokio::test]
async fn an_engine_that_is_not_there_is_asked_for_by_the_name_of_its_package() {
    let dir = TempDir::new().unwrap();
    let engine = Engine::EspeakNg { program: dir.path().join("nothing-here") };
    let tts = TextToSpeech::open(engine, dir.path().join("tts")).await.unwrap();
    let why = tts.say("hello", "en").await.unwrap_err();
    assert!(why.to_string().contains("apt-get install espeak-ng"), "{why}");
    assert!(matches!(tts.check().await, Err(SpeechError::Missing { .. })));
}

#[tokio::test]
async fn an_engine_that_fails_is_silent_or_talks_rubbish_is_quoted_and_nothing_is_kept() {
    let (dir, tts) = desk(Some("cat >/dev/null; echo 'no such voice' >&2; exit 3")).await;
    let why = tts.say("hello", "en").await.unwrap_err().to_string();
    assert!(why.contains("no such voice") && why.contains('3'), "{why}");
    script(dir.path(), Some("exit 0"));
    assert!(matches!(tts.say("hello", "en").await, Err(SpeechError::Failed { .. })));
    script(dir.path(), Some("echo not a sound"));
    assert!(matches!(tts.say("hello", "en").await, Err(SpeechError::NotSound { bytes: 12 })));
    assert!(kept(dir.path()).is_empty());
}

#[tokio::test]
async fn an_engine_that_never_stops_is_stopped() {
    let (_dir, tts) = desk(Some("exec cat /dev/zero")).await;
    assert!(matches!(tts.say("hello", "en").await, Err(SpeechError::TooMuchSound)));
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_says_nothing_for_ever_is_given_up() {
    let (_dir, tts) = desk(Some("exec sleep 600")).await;
    assert!(matches!(tts.say("hello", "en").await, Err(SpeechError::Timeout)));
}

#[tokio::test]
async fn what_cannot_be_said_never_reaches_the_engine() {
    let (dir, tts) = desk(None).await;
    assert!(matches!(tts.say(" \n", "en").await, Err(SpeechError::Empty)));
    let long = "a".repeat(limits::SPEECH_TEXT_MAX + 1);
    assert!(matches!(tts.say(&long, "en").await, Err(SpeechError::TextTooLong { .. })));
    for lang in ["", "e", "english", "-v", "en;reboot", "../../x"] {
        assert!(matches!(tts.say("hello", lang).await, Err(SpeechError::Language { .. })), "{lang}");
    }
    assert_eq!(runs(dir.path()), 0);
}

#[tokio::test]
async fn the_folder_does_not_grow_for_ever() {
    let (dir, tts) = desk(None).await;
    for i in 0..8 {
        tts.say(&format!("your number is {i}"), "en").await.unwrap();
    }
    tts.cache.sweep(8).await.unwrap();
    assert_eq!(kept(dir.path()).len(), 6);
}

#[test]
fn chinese_and_english_get_the_voices_that_can_be_understood() {
    let voice = |lang| voice_for(lang).unwrap();
    assert_eq!([voice("zh"), voice("zh-CN"), voice("zh_TW")], ["cmn-latn-pinyin"; 3]);
    assert_eq!([voice("en"), voice("en-US"), voice("en-GB"), voice("zh-HK")], ["en-us", "en-us", "en-gb", "yue"]);
    assert_eq!([voice("nl-BE"), voice("de")], ["nl", "de"]);
}

#[tokio::test]
async fn the_real_engine_speaks_both_languages_where_it_is_installed() {
    let dir = TempDir::new().unwrap();
    let tts = TextToSpeech::open(Engine::default(), dir.path().into()).await.unwrap();
    match tts.check().await {
        // Whoever builds without the package still gets the stories above.
        Err(SpeechError::Missing { .. }) => return,
        other => other.unwrap(),
    }
    for (text, lang) in [("Hello, thank you for calling.", "en-US"), ("您好，欢迎致电。", "zh-CN")] {
        let first = tts.say(text, lang).await.unwrap();
        assert!(first.duration() > crate::base::ms(800), "{lang}: {:?}", first.duration());
        assert_eq!(tts.say(text, lang).await.unwrap(), first, "the sealed header reads as the stream did");
    }
}
