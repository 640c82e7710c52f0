//! One RTP packet (RFC 3550 section 5.1), read without copying and written in place.
//!
//! Whose packet it is and whether it may count is decided in `shard`.

use std::ops::Range;

/// Bytes of a header without contributing sources and extension.
pub const HEADER: usize = 12;

/// What the fixed header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// First packet of a talkspurt (audio, RFC 3551 4.1) or of a telephone event (RFC 4733 2.3).
    pub marker: bool,
    /// Payload type, 0 to 127.
    pub pt: u8,
    /// Sequence number.
    pub seq: u16,
    /// Timestamp in ticks of the codec's clock.
    pub ts: u32,
    /// Synchronisation source.
    pub ssrc: u32,
}

/// Read a packet: its header, and where in `bytes` the payload lies (behind contributing sources and extension, before
/// padding). `None` when it is not RTP version 2 or lies about its lengths.
pub fn parse(bytes: &[u8]) -> Option<(Header, Range<usize>)> {
    let fixed: &[u8; HEADER] = bytes.first_chunk()?;
    if fixed[0] >> 6 != 2 {
        return None;
    }
    let mut start = HEADER + usize::from(fixed[0] & 0x0F) * 4;
    if fixed[0] & 0x10 != 0 {
        let length = bytes.get(start + 2..start + 4)?;
        start += 4 + usize::from(u16::from_be_bytes([length[0], length[1]])) * 4;
    }
    let mut end = bytes.len();
    if fixed[0] & 0x20 != 0 {
        // The last byte counts the padding, itself included: zero would be a lie.
        let padding = usize::from(*bytes.last()?);
        if padding == 0 {
            return None;
        }
        end = end.checked_sub(padding)?;
    }
    if start > end {
        return None;
    }
    let header = Header {
        marker: fixed[1] & 0x80 != 0,
        pt: fixed[1] & 0x7F,
        seq: u16::from_be_bytes([fixed[2], fixed[3]]),
        ts: u32::from_be_bytes([fixed[4], fixed[5], fixed[6], fixed[7]]),
        ssrc: u32::from_be_bytes([fixed[8], fixed[9], fixed[10], fixed[11]]),
    };
    Some((header, start..end))
}

/// Write the twelve bytes of a plain header.
pub fn write_header(h: &Header, out: &mut [u8; HEADER]) {
    out[0] = 0x80;
    out[1] = u8::from(h.marker) << 7 | (h.pt & 0x7F);
    out[2..4].copy_from_slice(&h.seq.to_be_bytes());
    out[4..8].copy_from_slice(&h.ts.to_be_bytes());
    out[8..12].copy_from_slice(&h.ssrc.to_be_bytes());
}

/// Put a fresh header straight before the payload at `payload` and give the packet back: a relayed packet loses its
/// contributing sources, extension and padding without a byte of payload being moved.
pub fn write_before<'a>(h: &Header, bytes: &'a mut [u8], payload: Range<usize>) -> Option<&'a [u8]> {
    let start = payload.start.checked_sub(HEADER)?;
    let packet = bytes.get_mut(start..payload.end)?;
    write_header(h, packet.first_chunk_mut()?);
    Some(packet)
}

/// RTCP on the RTP port (RFC 5761 section 4): packet types 192 to 223 never are payload types.
pub fn looks_like_rtcp(bytes: &[u8]) -> bool {
    bytes.len() >= 8 && bytes[0] >> 6 == 2 && (192..=223).contains(&bytes[1])
}

#[cfg(test)]
mod tests {
    use super::*;

    const H: Header = Header { marker: true, pt: 8, seq: 65_535, ts: 0xDEAD_BEEF, ssrc: 7 };

    fn plain(payload: &[u8]) -> Vec<u8> {
        let mut p = vec![0; HEADER];
        write_header(&H, p.first_chunk_mut().expect("twelve bytes"));
        p.extend_from_slice(payload);
        p
    }

    #[test]
    fn a_packet_reads_back_as_it_was_written() {
        assert_eq!(parse(&plain(b"hello")), Some((H, 12..17)));
    }

    #[test]
    fn sources_extension_and_padding_are_stepped_over_and_stripped_when_relayed() {
        let mut p = plain(b"");
        p[0] |= 0x20 | 0x10 | 2;
        p.extend([0; 8]); // two contributing sources
        p.extend([0xBE, 0xDE, 0, 1, 1, 2, 3, 4]); // one word of extension
        p.extend(b"voice");
        p.extend([0, 0, 3]);
        let (h, payload) = parse(&p).expect("valid");
        assert_eq!((h, &p[payload.clone()]), (H, &b"voice"[..]));
        assert_eq!(write_before(&H, &mut p, payload), Some(&plain(b"voice")[..]));
    }

    #[test]
    fn a_packet_that_lies_about_its_lengths_is_refused() {
        for (first, rest) in
            [(0xB0u8, &[0u8, 0, 0, 9][..]), (0xA0, &[0][..]), (0xA0, &[200][..]), (0x8F, &[][..]), (0x40, &[][..])]
        {
            let mut p = plain(rest);
            p[0] = first;
            assert_eq!(parse(&p), None, "{first:#x} {rest:?}");
        }
        assert_eq!(parse(&plain(b"")[..11]), None);
    }
}
