//! Payload types: what a number of an `m=` line means (RFC 3551, RFC 7587, RFC 4733, RFC 3389), and which we give out.

use media::wire::{Codec, Opus, Rate};

use super::{Media, RtpMap};

/// First number free for what has none of its own (RFC 3551 section 3).
const DYNAMIC: u8 = 96;
/// Comfort noise at 8 kHz.
const CN_PT: u8 = 13;

/// What a payload type carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Codec(Codec),
    /// telephone-event at this clock, which should be that of the sound it goes with (RFC 4733 section 2.1).
    Event(u32),
    /// Comfort noise at 8 kHz: what any codec may fall silent with.
    Comfort,
}

/// The number we offer a codec under: the one RFC 3551 gives it, else what most others use, too.
const fn usual_pt(codec: Codec) -> u8 {
    match codec {
        Codec::Pcmu => 0,
        Codec::Pcma => 8,
        Codec::G722 => 9,
        Codec::Opus => 111,
        Codec::L16(Rate::K8) => 113,
        Codec::L16(_) => 112,
    }
}

/// Parameters we write to a codec. Of Opus: what it is sent with may be repaired from the packet after it.
const fn fmtp(codec: Codec) -> Option<&'static str> {
    match codec {
        Codec::Opus => Some("minptime=10;useinbandfec=1"),
        Codec::Pcmu | Codec::Pcma | Codec::G722 | Codec::L16(_) => None,
    }
}

/// The number we offer telephone-event under at a clock.
const fn event_pt(clock_hz: u32) -> u8 {
    match clock_hz {
        8_000 => 101,
        48_000 => 110,
        _ => 102,
    }
}

/// The word for a codec in settings, records and the journal.
pub const fn codec_name(codec: Codec) -> &'static str {
    match codec {
        Codec::Pcmu => "pcmu",
        Codec::Pcma => "pcma",
        Codec::G722 => "g722",
        Codec::Opus => "opus",
        Codec::L16(Rate::K8) => "l16_8k",
        Codec::L16(Rate::K16) => "l16",
        Codec::L16(Rate::K48) => "l16_48k",
    }
}

/// Every such word.
pub fn codec_names() -> Vec<&'static str> {
    Codec::ALL.iter().map(|c| codec_name(*c)).collect()
}

/// The codec a word of the settings means.
pub fn codec_named(word: &str) -> Option<Codec> {
    Codec::ALL.iter().copied().find(|c| codec_name(*c).eq_ignore_ascii_case(word))
}

/// Two codecs that cost the same and can be turned into each other byte by byte: between them the peer's wish decides.
pub(super) fn alike(a: Codec, b: Codec) -> bool {
    let g711 = |c| matches!(c, Codec::Pcmu | Codec::Pcma);
    a == b || g711(a) && g711(b)
}

/// The parameters of an Opus number: what the peer asks of packets sent to it (RFC 7587 section 6.1). What is not said, or
/// cannot be read, is as the RFC has it.
pub(super) fn opus(fmtp: &str) -> Opus {
    let mut o = Opus::default();
    for (name, value) in fmtp.split(';').filter_map(|p| p.split_once('=')) {
        let (number, yes) = (value.trim().parse::<u32>().ok(), value.trim() == "1");
        match name.trim() {
            "maxplaybackrate" => {
                o.rate = match number {
                    Some(..16_000) => Rate::K8,
                    Some(..48_000) => Rate::K16,
                    _ => Rate::K48,
                }
            }
            // The range an encoder has (RFC 6716 section 2.1.1).
            "maxaveragebitrate" => o.bitrate = number.map(|n| n.clamp(6_000, 510_000)),
            "useinbandfec" => o.fec = yes,
            "usedtx" => o.dtx = yes,
            "stereo" => o.stereo = yes,
            _ => {}
        }
    }
    o
}

/// A payload type as it is written and no other way: an answer takes up the offer's own words, so `+8` and `008` are none.
fn number(format: &str) -> Option<u8> {
    format.parse::<u8>().ok().filter(|pt| *pt < 128 && pt.to_string() == format)
}

impl Media {
    fn encoding(&self, pt: u8) -> Option<Encoding> {
        let Some(map) = self.rtpmaps.iter().find(|m| m.pt == pt) else {
            // Without a line of its own a number means what RFC 3551 says.
            let fixed = Codec::ALL.iter().copied().find(|c| c.static_pt() == Some(pt)).map(Encoding::Codec);
            return fixed.or((pt == CN_PT).then_some(Encoding::Comfort));
        };
        let is = |name: &str, clock_hz, channels| {
            map.name.eq_ignore_ascii_case(name) && map.clock_hz == clock_hz && map.channels == channels
        };
        if map.name.eq_ignore_ascii_case("telephone-event") && map.channels == 1 {
            return Some(Encoding::Event(map.clock_hz));
        }
        if is("CN", 8_000, 1) {
            return Some(Encoding::Comfort);
        }
        let found = |c: &Codec| is(c.name(), c.clock_hz(), c.channels());
        Codec::ALL.iter().copied().find(found).map(Encoding::Codec)
    }

    /// The payload types we understand, in the order written.
    pub(super) fn encodings(&self) -> impl Iterator<Item = (u8, Encoding)> {
        let pts = self.formats.iter().filter_map(|f| number(f));
        pts.filter_map(|pt| self.encoding(pt).map(|e| (pt, e)))
    }

    /// Its codecs, in the order written.
    pub(super) fn codecs(&self) -> impl Iterator<Item = (u8, Codec)> {
        self.encodings().filter_map(|(pt, e)| if let Encoding::Codec(c) = e { Some((pt, c)) } else { None })
    }

    pub(super) fn pt_of(&self, wanted: Encoding) -> Option<u8> {
        self.encodings().find(|(_, e)| *e == wanted).map(|(pt, _)| pt)
    }

    /// The number of telephone-event that goes with a codec: at its clock; else at 8 kHz, which many phones offer alone and
    /// mean for every codec.
    pub(super) fn event_for(&self, codec: Codec) -> Option<(u8, u32)> {
        [codec.clock_hz(), 8_000].into_iter().find_map(|hz| self.pt_of(Encoding::Event(hz)).map(|pt| (pt, hz)))
    }

    /// The number comfort noise comes under with a codec: only what counts at 8 kHz falls silent with it.
    pub(super) fn comfort_for(&self, codec: Codec) -> Option<u8> {
        self.pt_of(Encoding::Comfort).filter(|_| codec.clock_hz() == 8_000)
    }

    pub(super) fn fmtp(&self, pt: u8) -> Option<&str> {
        self.fmtps.iter().find(|(p, _)| *p == pt).map(|(_, text)| text.as_str())
    }

    // ---- what we write ----

    pub(super) fn add_codec(&mut self, pt: u8, codec: Codec) {
        self.add(pt, codec.name(), codec.clock_hz(), codec.channels(), fmtp(codec));
    }

    pub(super) fn add_event(&mut self, pt: u8, clock_hz: u32) {
        // The sixteen DTMF events (RFC 4733 section 2.5.1.1).
        self.add(pt, "telephone-event", clock_hz, 1, Some("0-15"));
    }

    pub(super) fn add_comfort(&mut self, pt: u8) {
        self.add(pt, "CN", 8_000, 1, None);
    }

    fn add(&mut self, pt: u8, name: &str, clock_hz: u32, channels: u8, fmtp: Option<&str>) {
        self.formats.push(pt.to_string());
        self.rtpmaps.push(RtpMap { pt, name: name.to_owned(), clock_hz, channels });
        self.fmtps.extend(fmtp.map(|f| (pt, f.to_owned())));
    }

    /// Adds what is not there yet under the number it usually has, or the next free one.
    pub(super) fn add_new(&mut self, encoding: Encoding) {
        if self.pt_of(encoding).is_some() {
            return;
        }
        let usual = match encoding {
            Encoding::Codec(codec) => usual_pt(codec),
            Encoding::Event(clock_hz) => event_pt(clock_hz),
            Encoding::Comfort => CN_PT,
        };
        let taken = |pt: u8| self.rtpmaps.iter().any(|m| m.pt == pt);
        let free = std::iter::once(usual).chain(DYNAMIC..128).find(|pt| !taken(*pt));
        if let Some(pt) = free {
            self.add_as(pt, encoding);
        }
    }

    pub(super) fn add_as(&mut self, pt: u8, encoding: Encoding) {
        match encoding {
            Encoding::Codec(codec) => self.add_codec(pt, codec),
            Encoding::Event(clock_hz) => self.add_event(pt, clock_hz),
            Encoding::Comfort => self.add_comfort(pt),
        }
    }
}
