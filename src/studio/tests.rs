//! Stories of the desk, with an engine that only listens.

use std::{collections::VecDeque, fs, path::Path};

use media::wire::{Codec, Direction, RecordFormat, RecordId, Remote, Stats};
use tempfile::TempDir;
use tokio::sync::{Notify, Semaphore};

use super::*;
use crate::base::{ms, secs};

const LEG: LegId = LegId(1);

/// What came out, in the order it did: commands to the engine and events of the studio's own.
#[derive(Debug, Default)]
struct Ear {
    heard: Mutex<VecDeque<String>>,
    more: Notify,
}

impl Ear {
    fn hear(&self, line: String) {
        self.heard.lock().unwrap().push_back(line);
        self.more.notify_one();
    }
    async fn next(&self) -> String {
        let wait = async {
            loop {
                if let Some(line) = self.heard.lock().unwrap().pop_front() {
                    return line;
                }
                self.more.notified().await;
            }
        };
        // Long enough for the busiest machine; a story that hangs should say where.
        tokio::time::timeout(secs(30), wait).await.expect("nothing was heard")
    }
    fn nothing(&self) -> bool {
        self.heard.lock().unwrap().is_empty()
    }
}

struct House {
    studio: Studio,
    ear: Arc<Ear>,
    /// The synthesiser speaks when this lets it.
    tongue: Arc<Semaphore>,
    dir: TempDir,
}

fn house() -> House {
    house_with(StudioConfig { recordings: ".".into(), record_free_min: 0 })
}

fn house_with(config: StudioConfig) -> House {
    let (ear, tongue, dir) = (Arc::new(Ear::default()), Arc::new(Semaphore::new(0)), TempDir::new().unwrap());
    let speaks = tongue.clone();
    let voice: Voice = Arc::new(move |text, _lang| {
        let speaks = speaks.clone();
        Box::pin(async move {
            speaks.acquire().await.unwrap().forget();
            if &*text == "unspeakable" { Err("no".to_owned()) } else { Ok(Clip { pcm: vec![1; text.len()].into() }) }
        })
    });
    let library = Library::new([dir.path().join("own"), dir.path().join("shared")], Some(voice));
    let (a, b) = (ear.clone(), ear.clone());
    let engine: CommandSink = Box::new(move |command| {
        a.hear(match command {
            Command::Play { play, clips, .. } => {
                format!("play {} {:?}", play.0, clips.iter().map(|c| c.pcm.len()).collect::<Vec<_>>())
            }
            Command::StopPlay { play, .. } => format!("stop {}", play.0),
            Command::Close { .. } => "close".into(),
            Command::Record { record, .. } => format!("record {}", record.0),
            Command::StopRecord { record } => format!("stop recording {}", record.0),
            other => format!("{other:?}"),
        });
    });
    let events: EventSink = Arc::new(move |event| {
        b.hear(match event {
            Event::Played { play, finished, .. } => format!("played {} {finished}", play.0),
            Event::Recorded { record, bytes, trouble, .. } => format!("recorded {} {bytes} {trouble:?}", record.0),
            Event::RecordTrouble { record, trouble } => format!("trouble {} {trouble:?}", record.0),
            other => format!("{other:?}"),
        });
    });
    let ears = Arc::new(Ears::new(&config, events));
    let studio = Studio::open(config, library, Handle::current(), engine, ears);
    House { studio, ear, tongue, dir }
}

fn wav(path: &Path, samples: usize) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let spec = hound::WavSpec { channels: 1, sample_rate: 8_000, bits_per_sample: 16, sample_format: hound::SampleFormat::Int };
    let mut file = hound::WavWriter::create(path, spec).unwrap();
    (0..samples).for_each(|_| file.write_sample::<i16>(7).unwrap());
    file.finalize().unwrap();
}

fn say(text: &str) -> Vec<Prompt> {
    vec![Prompt::Say { text: text.into(), lang: "en-US".into() }]
}

fn file(name: &str) -> Vec<Prompt> {
    vec![Prompt::File(name.into())]
}

impl House {
    fn play(&self, play: u64, prompts: Vec<Prompt>) {
        self.studio.play(LEG, PlayId(play), prompts, Repeat::Once);
    }
}

#[tokio::test]
async fn files_words_tones_and_silence_play_one_after_another_and_at_once_the_second_time() {
    let h = house();
    wav(&h.dir.path().join("shared/en/welcome.wav"), 80);
    h.tongue.add_permits(1);
    let mut prompts = file("en/welcome");
    prompts.extend(say("hello"));
    prompts.extend([Prompt::Silence(ms(10)), Prompt::Tone { hz: 440, ms: 20 }]);
    h.play(1, prompts.clone());
    assert_eq!(h.ear.next().await, "play 1 [80, 5, 80, 160]");
    h.play(2, prompts);
    assert!(!h.ear.nothing(), "nothing had to be fetched");
    assert_eq!(h.ear.next().await, "play 2 [80, 5, 80, 160]");
}

#[tokio::test]
async fn a_newer_prompt_wins_over_one_still_being_synthesised() {
    let h = house();
    wav(&h.dir.path().join("own/sorry.wav"), 40);
    h.play(1, say("a long story"));
    tokio::task::yield_now().await;
    h.play(2, file("sorry.wav"));
    assert_eq!(h.ear.next().await, "played 1 false");
    assert_eq!(h.ear.next().await, "play 2 [40]");
    h.tongue.add_permits(9);
    h.play(3, say("another"));
    assert_eq!(h.ear.next().await, "play 3 [7]", "and nothing of the first in between");
}

#[tokio::test]
async fn a_prompt_that_is_stopped_or_whose_caller_hangs_up_while_it_is_made_is_never_heard() {
    let h = house();
    h.play(1, say("one"));
    tokio::task::yield_now().await;
    h.studio.media(Command::StopPlay { leg: LEG, play: PlayId(1) });
    assert_eq!(h.ear.next().await, "played 1 false");
    h.play(2, say("two"));
    tokio::task::yield_now().await;
    h.studio.media(Command::Close { leg: LEG });
    assert_eq!([h.ear.next().await, h.ear.next().await], ["played 2 false", "close"]);
    h.tongue.add_permits(9);
    h.studio.play(LegId(2), PlayId(3), say("three"), Repeat::Once);
    assert_eq!(h.ear.next().await, "play 3 [5]");
    assert!(h.ear.nothing());
}

#[tokio::test]
async fn a_prompt_that_is_not_to_be_had_ends_at_once_and_words_nobody_can_speak_are_a_beep() {
    let h = house();
    fs::create_dir_all(h.dir.path().join("own")).unwrap();
    fs::write(h.dir.path().join("own/broken.wav"), b"RIFFxxxx").unwrap();
    fs::write(h.dir.path().join("secret.wav"), b"").unwrap();
    for (play, name) in [(1, "nowhere"), (2, "broken"), (3, "../secret"), (4, "/etc/passwd"), (5, "")] {
        h.play(play, file(name));
        assert_eq!(h.ear.next().await, format!("played {play} false"), "{name}");
    }
    h.play(6, vec![Prompt::Silence(limits::PROMPT_TONE_MAX + ms(1))]);
    assert_eq!(h.ear.next().await, "played 6 false");
    h.play(7, vec![Prompt::Silence(ms(1)); limits::PROMPTS_PER_PLAY + 1]);
    assert_eq!(h.ear.next().await, "played 7 false");
    h.tongue.add_permits(1);
    h.play(8, say("unspeakable"));
    let beep = tone_len();
    assert_eq!(h.ear.next().await, format!("play 8 [{beep}]"));
}

fn tone_len() -> usize {
    media::tone::beep().pcm.len()
}

#[tokio::test]
async fn there_is_always_music() {
    let h = house();
    let own = media::tone::hold_music().pcm.len();
    h.play(1, vec![Prompt::Music("default".into())]);
    assert_eq!(h.ear.next().await, format!("play 1 [{own}]"));
    h.play(2, vec![Prompt::Music("jazz".into())]);
    assert_eq!(h.ear.next().await, format!("play 2 [{own}]"));
    wav(&h.dir.path().join("own/default.wav"), 800);
    h.studio.forget_clips();
    h.play(3, vec![Prompt::Music("default".into())]);
    assert_eq!(h.ear.next().await, "play 3 [800]");
}

#[tokio::test]
async fn music_the_first_caller_did_not_stay_for_is_there_for_the_next() {
    let library = Library::new(Vec::<std::path::PathBuf>::new(), None);
    let music = [Prompt::Music("default".into())];
    {
        let mut first = std::pin::pin!(library.fetch(&music));
        let mut nobody = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(Future::poll(first.as_mut(), &mut nobody).is_pending());
    }
    // The work goes on by itself: nobody has asked again.
    let there = async {
        while library.at_hand(&music).is_none() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(secs(30), there).await.expect("music");
}

#[tokio::test]
async fn a_hundred_callers_with_one_announcement_make_it_once() {
    let h = house();
    for n in 0..100 {
        h.studio.play(LegId(n), PlayId(n), say("position one"), Repeat::Once);
    }
    h.tongue.add_permits(1);
    for _ in 0..100 {
        assert!(h.ear.next().await.ends_with("[12]"));
    }
    assert_eq!(h.tongue.available_permits(), 0);
}

#[tokio::test]
async fn with_a_full_disk_nothing_is_recorded_the_alarm_is_given_and_the_call_goes_on() {
    let dir = TempDir::new().unwrap();
    let h = house_with(StudioConfig { recordings: dir.path().into(), record_free_min: 0 });
    let record = |n| Command::Record {
        record: RecordId(n),
        left: Some(LEG),
        right: None,
        path: dir.path().join("a.wav"),
        format: RecordFormat::Wav,
    };
    h.studio.media(record(1));
    assert_eq!(h.ear.next().await, "record 1");
    lock(&h.studio.desk.ears.state).watch = Watch::new(u64::MAX, Some(0));
    h.studio.media(record(2));
    assert_eq!([h.ear.next().await, h.ear.next().await], ["trouble 2 DiskFull", "recorded 2 0 Some(DiskFull)"]);

    let h = house_with(StudioConfig { recordings: dir.path().into(), record_free_min: 1 });
    h.studio.media(record(3));
    h.studio.desk.measured(Some(0));
    assert_eq!(
        [h.ear.next().await, h.ear.next().await, h.ear.next().await],
        ["record 3", "trouble 3 DiskFull", "stop recording 3"]
    );
    h.studio.desk.ears.heard(Event::Recorded { record: RecordId(3), duration: ms(20), bytes: 640, trouble: None });
    assert_eq!(h.ear.next().await, "recorded 3 640 Some(DiskFull)");
    h.studio.desk.ears.heard(Event::Closed { leg: LEG, stats: Stats::default() });
    assert!(h.ear.next().await.starts_with("Closed"));
}

#[tokio::test]
async fn through_the_real_engine_words_become_packets_and_the_end_is_reported() {
    let dir = TempDir::new().unwrap();
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    let events: EventSink = Arc::new(move |event| drop(tell.send(event)));
    let voice: Voice = Arc::new(|_, _| Box::pin(async { Ok(media::tone::sine(440.0, -12.0, ms(60))) }));
    let loopback = std::net::IpAddr::from([127, 0, 0, 1]);
    let engine = EngineConfig { bind: loopback, ports: 41_000..=41_999, threads: 1, pin: false };
    let library = Library::new([dir.path().to_owned()], Some(voice));
    let (studio, _engine) =
        Studio::start(StudioConfig::new(dir.path().into()), engine, library, Handle::current(), events).unwrap();

    let mut next = async || tokio::time::timeout(secs(30), told.recv()).await.expect("the engine said nothing").unwrap();
    let phone = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    studio.media(Command::Open { leg: LEG, port: None, ice: None });
    assert!(matches!(next().await, Event::Opened { .. }));
    let rtp = phone.local_addr().unwrap();
    let (codec, direction) = (Codec::Pcmu, Direction::SendRecv);
    let remote = Remote { rtcp: rtp, direction, ..Remote::plain(rtp, codec, 0) };
    studio.media(Command::Agree { leg: LEG, remote });
    studio.play(LEG, PlayId(1), say("hello"), Repeat::Once);
    assert_eq!(next().await, Event::Played { leg: LEG, play: PlayId(1), finished: true });
    let mut packet = [0; 400];
    assert_eq!(phone.recv(&mut packet).await.unwrap(), 172, "12 bytes of RTP header, 160 samples");
    studio.media(Command::Close { leg: LEG });
    assert!(matches!(next().await, Event::Closed { .. }));
}
