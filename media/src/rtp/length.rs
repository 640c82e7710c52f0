//! How long the sound in a payload lasts, without decoding it.

use crate::wire::{Codec, Rate};

/// Opus packets last up to 120 ms (RFC 6716 section 3.2.5); ticks of its 48 kHz clock.
const OPUS_MAX: u32 = 5_760;

/// Ticks of the codec's RTP clock that `payload` lasts. `None`: no payload of this codec has this form.
pub fn ticks(codec: Codec, payload: &[u8]) -> Option<u32> {
    let bytes = payload.len() as u32;
    match codec {
        // G.722 has two samples in a byte and a clock that counts every second one (RFC 3551 section 4.5.2).
        Codec::Pcmu | Codec::Pcma | Codec::G722 => (bytes > 0).then_some(bytes),
        Codec::L16(_) => (bytes > 0 && bytes.is_multiple_of(2)).then_some(bytes / 2),
        Codec::Opus => opus(payload),
    }
}

/// The first byte says how long a frame is and, with the second, how many there are (RFC 6716 section 3.1).
fn opus(payload: &[u8]) -> Option<u32> {
    let &toc = payload.first()?;
    let config = usize::from(toc >> 3);
    let frame = match config {
        0..12 => [480, 960, 1_920, 2_880][config % 4],
        12..16 => [480, 960][config % 2],
        _ => [120, 240, 480, 960][config % 4],
    };
    let count = match toc & 3 {
        0 => 1,
        1 | 2 => 2,
        _ => u32::from(payload.get(1)? & 0x3F),
    };
    let all = frame * count;
    (1..=OPUS_MAX).contains(&all).then_some(all)
}

/// Bytes of `ms` milliseconds in a codec whose payloads have a fixed rate; `None` for Opus.
pub fn bytes(codec: Codec, ms: u32) -> Option<usize> {
    match codec {
        Codec::Pcmu | Codec::Pcma | Codec::G722 => Some(Rate::K8.samples(ms)),
        Codec::L16(rate) => Some(2 * rate.samples(ms)),
        Codec::Opus => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_codec_says_how_long_its_payload_is() {
        assert_eq!(ticks(Codec::Pcmu, &[0; 160]), Some(160));
        assert_eq!(ticks(Codec::G722, &[0; 160]), Some(160));
        assert_eq!(ticks(Codec::L16(Rate::K16), &[0; 640]), Some(320));
        assert_eq!(ticks(Codec::L16(Rate::K16), &[0; 3]), None);
        // SILK 60 ms, hybrid 20 ms twice, CELT 2.5 ms, and 48 times 20 ms, which is too much.
        let opus = |p: &[u8]| ticks(Codec::Opus, p);
        assert_eq!((opus(&[3 << 3]), opus(&[13 << 3 | 1]), opus(&[16 << 3])), (Some(2_880), Some(1_920), Some(120)));
        assert_eq!((opus(&[31 << 3 | 3, 48]), opus(&[3]), opus(&[])), (None, None, None));
    }
}
