//! ringdesk's media engine by itself, in a process of its own: commands come line by line, and what it says goes back so.
//!
//! | line | means |
//! |---|---|
//! | `open LEG [browser]` | answered by `opened LEG PORT` or `failed LEG REASON` |
//! | `fingerprint` | answered by that of the server's certificate |
//! | `agree LEG ADDRESS CODEC [sdes]` | RTP of that codec with that address, plain or protected with the load's keys |
//! | `agree LEG ADDRESS CODEC dtls FINGERPRINT` | the same with a browser, once it has checked and shaken hands |
//! | `bridge NAME LEG:LEG,LEG LEG:LEG ..` | a row for each listener: whom it hears |
//! | `play LEG` | ten seconds of sound, over and over, the same for all |
//! | `record NAME LEFT RIGHT PATH` | two channels into a file |

use std::{
    io::{self, BufRead},
    net::{IpAddr, Ipv4Addr, SocketAddrV4},
    path::Path,
    sync::Arc,
    time::Duration,
};

use media::{
    Engine, EngineConfig, tone,
    wire::{
        Audience, BridgeId, Clip, Codec, Command, DtlsRole, Event, LegId, OpenError, PlayId, RecordFormat, RecordId, Remote,
        Repeat, Security,
    },
};

use crate::{
    browser::{self, Browser},
    load::{Armour, Exchange, Hears, OPUS_PT, Phone, Says, keys},
    server::{Ours, Places, local},
    stamp::Law,
};

/// What the engine is to do with the calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// Two legs of one codec.
    Relay,
    /// The same, and a file with a channel for each.
    Record,
    /// PCMU on one side, PCMA on the other.
    OtherLaw,
    /// PCMU on one side, Opus on the other.
    Opus,
    /// SRTP on one side.
    Srtp,
    /// A browser on one side: ICE-lite, DTLS-SRTP.
    Browser,
    /// Three legs: two talk, a third hears both and is heard by the second only.
    Whisper,
    /// One leg that is played to and talks.
    Play,
    /// One leg that is played to and silent.
    Hold,
}

impl Work {
    /// Phones of one call.
    pub fn phones(self) -> usize {
        match self {
            Work::Relay | Work::Record | Work::OtherLaw | Work::Opus | Work::Srtp | Work::Browser => 2,
            Work::Whisper => 3,
            Work::Play | Work::Hold => 1,
        }
    }

    /// What the `n`th phone of a call says and hears.
    pub fn phone(self, n: usize, to: SocketAddrV4) -> Phone {
        let (says, hears) = match (self, n) {
            (Work::Relay | Work::Record | Work::Srtp | Work::Browser, _) | (Work::OtherLaw, 0) => {
                (Says::Stamps(Law::Mu), Hears::Stamps(Law::Mu))
            }
            (Work::OtherLaw, _) => (Says::Stamps(Law::A), Hears::Stamps(Law::A)),
            (Work::Hold, _) => (Says::Nothing, Hears::Packets),
            (Work::Whisper | Work::Play | Work::Opus, _) => (Says::Sound(self.codec(n)), Hears::Packets),
        };
        Phone { to, says, hears, armour: self.armour(n) }
    }

    fn codec(self, n: usize) -> Codec {
        match (self, n) {
            (Work::OtherLaw, 1) => Codec::Pcma,
            (Work::Opus, 1) => Codec::Opus,
            _ => Codec::Pcmu,
        }
    }

    fn armour(self, n: usize) -> Armour {
        match (self, n) {
            (Work::Srtp, 0) => Armour::Sdes,
            (Work::Browser, 0) => Armour::Browser,
            _ => Armour::Clear,
        }
    }
}

/// Open, agree and join: where each phone is to send, and what its browsers have agreed.
pub fn connect(
    server: &mut Ours,
    work: Work,
    phones: &[SocketAddrV4],
    exchange: &Exchange,
    files: &Path,
) -> io::Result<(Vec<SocketAddrV4>, Vec<Browser>)> {
    let mut to = vec![local(0); phones.len()];
    let mut browsers = Vec::new();
    let theirs = match work {
        Work::Browser => {
            server.tell("fingerprint\n")?;
            unhex(&server.answer()?).ok_or_else(|| io::Error::other("no fingerprint"))?
        }
        _ => [0; 32],
    };
    // In portions: neither side waits for the other with its pipe full.
    for (p, portion) in phones.chunks(100).enumerate() {
        let browser = |leg| if work.armour(leg % work.phones()) == Armour::Browser { " browser" } else { "" };
        let lines = (0..portion.len()).map(|i| p * 100 + i).map(|leg| format!("open {leg}{}\n", browser(leg)));
        server.tell(&lines.collect::<String>())?;
        for _ in portion {
            let line = server.answer()?;
            match line.split_whitespace().collect::<Vec<_>>()[..] {
                ["opened", leg, port] => {
                    let (Ok(leg), Ok(port)) = (leg.parse::<usize>(), port.parse()) else { return Err(io::Error::other(line)) };
                    to[leg] = local(port);
                }
                _ => return Err(io::Error::other(line)),
            }
        }
    }
    for (call, own) in phones.chunks(work.phones()).enumerate() {
        let first = call * work.phones();
        let mut lines = String::new();
        for (n, address) in own.iter().enumerate() {
            let protection = match work.armour(n) {
                Armour::Clear => String::new(),
                Armour::Sdes => " sdes".into(),
                Armour::Browser => format!(" dtls {}", hex(&browser::fingerprint())),
            };
            lines += &format!("agree {} {address} {}{protection}\n", first + n, work.codec(n).name());
        }
        let [a, b, c] = [first, first + 1, first + 2];
        match work {
            Work::Play | Work::Hold => lines += &format!("play {a}\n"),
            Work::Whisper => lines += &format!("bridge {call} {a}:{b} {b}:{a},{c} {c}:{a},{b}\n"),
            _ => lines += &format!("bridge {call} {a}:{b} {b}:{a}\n"),
        }
        if work == Work::Record {
            lines += &format!("record {call} {a} {b} {}\n", files.join(format!("{call}.wav")).display());
        }
        server.tell(&lines)?;
        for leg in (0..work.phones()).filter(|n| work.armour(*n) == Armour::Browser).map(|n| first + n) {
            browsers.push(browser::connect(exchange.socket(leg), to[leg], leg as u64, theirs)?);
        }
    }
    Ok((to, browsers))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    let bytes: Option<Vec<u8>> =
        text.as_bytes().chunks(2).map(|c| u8::from_str_radix(std::str::from_utf8(c).ok()?, 16).ok()).collect();
    bytes?.try_into().ok()
}

/// The child: does as told until its input ends.
pub fn serve() -> io::Result<()> {
    let config = EngineConfig { bind: IpAddr::V4(Ipv4Addr::LOCALHOST), ports: 10_000..=60_000, threads: 1, pin: false };
    let engine = Engine::start(config, |e| match e {
        Event::Opened { leg, rtp_port } => crate::say(&format!("opened {} {rtp_port}", leg.0)),
        Event::OpenFailed { leg, error: OpenError::NoPorts { .. } } => crate::say(&format!("failed {} no ports", leg.0)),
        Event::OpenFailed { leg, error } => crate::say(&format!("failed {} {error}", leg.0)),
        _ => {}
    })?;
    let clip = Arc::new(tone::sine(440.0, -12.0, Duration::from_secs(10)));
    for line in io::stdin().lock().lines() {
        let line = line?;
        let words: Vec<&str> = line.split_whitespace().collect();
        if words == ["fingerprint"] {
            crate::say(&hex(&browser::fingerprint()));
            continue;
        }
        let command = parse(&words, &clip).ok_or_else(|| io::Error::other(format!("not a command: {line}")))?;
        engine.send(command);
    }
    engine.shutdown();
    Ok(())
}

fn parse(words: &[&str], clip: &Arc<Clip>) -> Option<Command> {
    let leg = |w: &str| w.parse().ok().map(LegId);
    Some(match words {
        ["open", l] => Command::Open { leg: leg(l)?, port: None, ice: None },
        ["open", l, "browser"] => Command::Open { leg: leg(l)?, port: None, ice: Some(browser::server(leg(l)?.0)) },
        ["agree", l, address, codec, protection @ ..] => {
            let (codec, pt) = match *codec {
                "PCMU" => (Codec::Pcmu, 0),
                "PCMA" => (Codec::Pcma, 8),
                "opus" => (Codec::Opus, OPUS_PT),
                _ => return None,
            };
            let mut remote = Remote::plain(address.parse().ok()?, codec, pt);
            match protection {
                [] => {}
                ["sdes"] => {
                    let (receive, send) = keys();
                    remote.security = Security::Sdes { send, receive };
                }
                ["dtls", fingerprint] => {
                    remote.security = Security::Dtls { role: DtlsRole::Server, fingerprint: unhex(fingerprint)? };
                    remote.ice = Some(browser::ours());
                    remote.rtcp = remote.rtp;
                }
                _ => return None,
            }
            Command::Agree { leg: leg(l)?, remote }
        }
        ["bridge", name, rows @ ..] => {
            let row = |r: &&str| {
                let (listener, speakers) = r.split_once(':')?;
                Some((leg(listener)?, speakers.split(',').map(leg).collect::<Option<Vec<_>>>()?))
            };
            let rows = rows.iter().map(row).collect::<Option<Vec<_>>>()?;
            Command::Bridge { bridge: BridgeId(name.parse().ok()?), audience: Audience { rows } }
        }
        ["play", l] => {
            let leg = leg(l)?;
            Command::Play { leg, play: PlayId(leg.0), clips: vec![clip.clone()], repeat: Repeat::Forever }
        }
        ["record", name, left, right, path] => Command::Record {
            record: RecordId(name.parse().ok()?),
            left: Some(leg(left)?),
            right: Some(leg(right)?),
            path: path.into(),
            format: RecordFormat::Wav,
        },
        _ => return None,
    })
}

/// The engine with these phones connected: where each is to send.
pub fn start(places: Places) -> io::Result<Ours> {
    Ours::start("engine", places)
}
