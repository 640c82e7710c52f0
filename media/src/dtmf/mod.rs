//! Telephone events (RFC 4733): the four bytes of payload, and what the digits are called.
//!
//! [`receive`] turns repeated, lost and reordered packets into digits reported once; [`send`] makes the packets;
//! [`detect`] finds digits that come as tones in the sound.

pub mod detect;
pub mod receive;
pub mod send;

/// The payload of one event packet (RFC 4733 2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Payload {
    /// Event code; 0 to 15 are the digits.
    pub code: u8,
    /// The event is over.
    pub end: bool,
    /// Power, 0 to 63, in -dBm0.
    pub volume: u8,
    /// How long the event lasts so far, timestamp ticks.
    pub duration: u16,
}

const NAMES: &[u8; 16] = b"0123456789*#ABCD";

impl Payload {
    /// The first event of a packet; `None` if too short.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let &[code, flags, hi, lo] = bytes.first_chunk()?;
        Some(Self { code, end: flags & 0x80 != 0, volume: flags & 0x3F, duration: u16::from_be_bytes([hi, lo]) })
    }

    /// As bytes.
    pub fn bytes(self) -> [u8; 4] {
        let [hi, lo] = self.duration.to_be_bytes();
        [self.code, u8::from(self.end) << 7 | (self.volume & 0x3F), hi, lo]
    }
}

/// The digit of an event code; `None` for events that are no digit.
pub fn digit(code: u8) -> Option<char> {
    NAMES.get(usize::from(code)).map(|b| char::from(*b))
}

/// The event code of a digit.
pub fn code(digit: char) -> Option<u8> {
    NAMES.iter().position(|n| char::from(*n) == digit.to_ascii_uppercase()).map(|i| i as u8)
}

/// The two frequencies of a code, hertz (ITU-T Q.23), for peers that did not agree to events.
pub fn tones(code: u8) -> Option<(f32, f32)> {
    const LOW: [f32; 4] = [697.0, 770.0, 852.0, 941.0];
    const HIGH: [f32; 4] = [1_209.0, 1_336.0, 1_477.0, 1_633.0];
    let (row, column) = match code {
        0 => (3, 1),
        1..=9 => ((code - 1) / 3, (code - 1) % 3),
        10 => (3, 0),
        11 => (3, 2),
        12..=15 => (code - 12, 3),
        _ => return None,
    };
    Some((LOW[usize::from(row)], HIGH[usize::from(column)]))
}
