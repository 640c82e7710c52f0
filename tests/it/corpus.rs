//! The corpus of the fuzzers (`tests/fuzz`): what they found, and what they learned from, held to the same promises; and copies
//! of it with a few bytes changed, from a seed. `RINGDESK_FUZZ` says how many copies of each file, for a long search on a
//! machine without cargo-fuzz.

#[path = "../fuzz/targets/mod.rs"]
mod targets;

#[cfg(feature = "server")]
#[path = "../fuzz/targets/chat.rs"]
mod chat;
#[cfg(feature = "server")]
#[path = "../fuzz/targets/keys.rs"]
mod keys;

use std::path::PathBuf;

use ringdesk::base::Rng;
use targets::{dialog, flow, identity, message, sdp};

/// Changed copies of each file, unless somebody wants more.
const COPIES: u64 = 20;

#[expect(clippy::disallowed_methods, reason = "how long to search is up to who starts the test")]
fn copies() -> u64 {
    std::env::var("RINGDESK_FUZZ").ok().and_then(|n| n.parse().ok()).unwrap_or(COPIES)
}

/// Every file of one target as it is, without its last byte, its first half, and changed.
fn holds(target: &str, check: fn(&[u8])) {
    let dir = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus").join(target);
    let mut files: Vec<PathBuf> = std::fs::read_dir(&dir).unwrap().map(|f| f.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty(), "{} is empty", dir.display());
    let texts: Vec<Vec<u8>> = files.iter().map(|f| std::fs::read(f).unwrap()).collect();
    let mut rng = Rng::seeded(4475);
    for (file, data) in files.iter().zip(&texts) {
        let keeps = |what: &str, data: &[u8]| {
            let outcome = std::panic::catch_unwind(|| check(data));
            // As text that Rust reads, to become a file of the corpus.
            assert!(
                outcome.is_ok(),
                "{target}: {}, {what}; the reason stands above: b\"{}\"",
                file.display(),
                data.escape_ascii()
            );
        };
        keeps("as it is", data);
        keeps("without its last byte", &data[..data.len().saturating_sub(1)]);
        keeps("the first half", &data[..data.len() / 2]);
        for n in 0..copies() {
            let other = &texts[rng.below(texts.len() as u64) as usize];
            keeps(&format!("changed copy {n}"), &changed(data, other, &mut rng));
        }
    }
}

/// A few changes of the kind that networks, bugs and attackers make.
fn changed(data: &[u8], other: &[u8], rng: &mut Rng) -> Vec<u8> {
    const SPICE: &[&[u8]] = &[
        b"\r\n",
        b"\n",
        b"\r",
        b"\0",
        b":",
        b";",
        b",",
        b"\"",
        b"\\",
        b"<",
        b">",
        b"%",
        b"@",
        b"=",
        b"[",
        b"/",
        b" ",
        b"\t",
        b"0",
        b"65536",
        b"99999999999",
        b"\xff\xfe",
        b"\xe5\xae\xa2",
        b"%00",
        b"{",
        b"}",
        b"- ",
        b"  ",
    ];
    let mut d = data.to_vec();
    for _ in 0..=rng.below(5) {
        let length = d.len();
        let at = rng.below(length as u64 + 1) as usize;
        let span = |most: u64, rng: &mut Rng| at..(at + rng.below(most) as usize).min(length);
        match rng.below(8) {
            0 if at < d.len() => d[at] ^= 1 << rng.below(8),
            1 if at < d.len() => d[at] = rng.below(256) as u8,
            2 => d.truncate(at.max(d.len() / 2)),
            3 => drop(d.drain(span(20, rng))),
            4 => {
                let again = d[span(60, rng)].to_vec();
                drop(d.splice(at..at, again));
            }
            5 => {
                let from = rng.below(other.len() as u64 + 1) as usize;
                let to = (from + rng.below(80) as usize).min(other.len());
                drop(d.splice(at..at, other[from..to].iter().copied()));
            }
            6 if at < d.len() => {
                let from = rng.below(other.len() as u64 + 1) as usize;
                d[at..].iter_mut().zip(&other[from..]).take(16).for_each(|(to, o)| *to = *o);
            }
            _ => drop(d.splice(at..at, SPICE[rng.below(SPICE.len() as u64) as usize].iter().copied())),
        }
    }
    d
}

#[test]
fn every_message_of_the_corpus_is_refused_well_or_reads_back_the_same() {
    holds("message", message::check);
    holds("uri", message::uri);
    holds("headers", message::headers);
}

#[test]
fn every_body_of_the_corpus_gives_up_its_description_whole_or_says_why_not() {
    holds("multipart", message::multipart);
}

#[test]
fn every_stream_of_the_corpus_is_the_same_wherever_it_is_cut() {
    holds("stream", message::stream);
    holds("message", message::stream);
}

#[test]
fn every_connection_of_the_corpus_is_answered_on_itself_and_leaves_nothing() {
    holds("websocket", message::websocket);
}

#[test]
fn every_offer_of_the_corpus_is_answered_line_by_line() {
    holds("sdp", sdp::check);
}

#[test]
fn every_run_of_the_corpus_ends_each_call_once_and_every_timer() {
    holds("dialog", dialog::check);
}

#[test]
fn every_flow_of_the_corpus_is_read_or_its_mistakes_have_a_place() {
    holds("flow", flow::check);
}

#[test]
fn every_signature_of_the_corpus_vouches_for_who_calls_or_for_nobody() {
    holds("identity", identity::check);
}

#[cfg(feature = "server")]
#[test]
fn every_packet_of_the_corpus_stays_inside_its_lengths_and_its_keys() {
    holds("stun", keys::stun);
    holds("rtp", keys::rtp);
    holds("srtp", keys::srtp);
}

#[cfg(feature = "server")]
#[test]
fn every_frame_of_the_corpus_is_one_of_the_list() {
    holds("chat", chat::check);
}
