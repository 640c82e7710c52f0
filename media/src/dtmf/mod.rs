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

#[cfg(test)]
mod tests {
    use super::{
        receive::Receiver,
        send::{Due, Sender},
    };
    use crate::time::{At, Chance};
    use std::time::Duration;

    #[test]
    fn a_thousand_digits_over_a_bad_network_are_each_told_exactly_once_and_in_order() {
        const MS: u64 = 1_000_000;
        let mut chance = Chance::new(1);
        let wanted: String = (0..1_000).map(|_| super::digit((chance.word() % 16) as u8).expect("16 digits")).collect();
        let (mut sender, mut receiver) = (Sender::default(), Receiver::default());
        let (mut digits, mut told) = (wanted.chars(), String::new());
        let mut on_the_way: Vec<(u64, u32, [u8; 4])> = Vec::new();
        let (mut ts, mut last) = (0u32, 0);
        for tick in 0u64.. {
            let now = tick * 20 * MS;
            if !sender.busy() {
                match digits.next() {
                    Some(d) => sender.push(&d.to_string(), Duration::from_millis(100), Duration::from_millis(100)),
                    None if on_the_way.is_empty() => break,
                    None => {}
                }
            }
            if let Due::Packet { payload, first } = if sender.busy() { sender.tick() } else { Due::Gap } {
                if first {
                    ts = (tick * 160) as u32;
                }
                // 1 % twice, 5 % lost, up to 100 ms of jitter, and 2 % that skip the queue.
                for _ in 0..if chance.word() % 100 < 1 { 2 } else { 1 } {
                    let wait = u64::from(chance.word() % 100) * MS;
                    let skips = chance.word() % 100 < 2;
                    if chance.word() % 100 >= 5 {
                        let due = if skips { now } else { (now + wait).max(last) };
                        last = last.max(due);
                        on_the_way.push((due, ts, payload.bytes()));
                    }
                }
            }
            sender.asked();
            on_the_way.sort_by_key(|p| p.0);
            while on_the_way.first().is_some_and(|p| p.0 <= now) {
                let (due, ts, bytes) = on_the_way.remove(0);
                let payload = super::Payload::parse(&bytes).expect("four bytes");
                told.extend(receiver.packet(At(due), ts, payload).into_iter().flatten().map(|(d, _)| d));
            }
            told.extend(receiver.tick(At(now)).map(|(d, _)| d));
        }
        told.extend(receiver.tick(At(u64::MAX)).map(|(d, _)| d));
        assert_eq!(told, wanted);
    }
}
