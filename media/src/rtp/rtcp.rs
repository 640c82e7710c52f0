//! RTCP (RFC 3550 section 6): sender and receiver reports, source description and goodbye, read and written.
//!
//! What extended reports say is in [`xr`]. When to report is decided in `shard`.

use super::xr;

/// What one receiver says about one sender (RFC 3550 6.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Report {
    /// The sender spoken of.
    pub ssrc: u32,
    /// Share lost since the last report, in 256ths.
    pub fraction_lost: u8,
    /// Lost in all; negative when duplicates outnumber losses.
    pub lost: i32,
    /// Highest sequence number received, with its cycles.
    pub highest_seq: u32,
    /// Interarrival jitter in timestamp ticks.
    pub jitter: u32,
    /// Middle 32 bits of the NTP stamp of the last sender report; zero if none came.
    pub last_sr: u32,
    /// Time since that report came, in 65536ths of a second.
    pub delay_since_sr: u32,
}

/// What a sender says about itself (RFC 3550 6.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SenderInfo {
    /// Wall clock, NTP format: seconds in the upper half.
    pub ntp: u64,
    /// The same instant as an RTP timestamp.
    pub ts: u32,
    /// RTP packets sent.
    pub packets: u32,
    /// Payload bytes sent.
    pub bytes: u32,
}

/// One packet of a compound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packet<'a> {
    /// SR.
    Sender {
        /// Who reports.
        ssrc: u32,
        /// About itself.
        info: SenderInfo,
        /// About others.
        reports: Reports<'a>,
    },
    /// RR.
    Receiver {
        /// Who reports.
        ssrc: u32,
        /// About others.
        reports: Reports<'a>,
    },
    /// SDES: of the first chunk, the canonical name.
    Description {
        /// Who is described.
        ssrc: u32,
        /// Canonical name, if given.
        cname: Option<&'a [u8]>,
    },
    /// XR (RFC 3611).
    Extended {
        /// Who reports.
        ssrc: u32,
        /// What.
        blocks: xr::Blocks<'a>,
    },
    /// BYE of the first source named.
    Bye {
        /// Who leaves.
        ssrc: u32,
    },
    /// A type we do not act on.
    Other(u8),
}

/// The report blocks of one packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reports<'a>(&'a [u8]);

const BLOCK: usize = 24;

impl Iterator for Reports<'_> {
    type Item = Report;
    fn next(&mut self) -> Option<Report> {
        let (b, rest) = self.0.split_at_checked(BLOCK)?;
        self.0 = rest;
        // 24 bits with sign: shifted up and down again to carry the sign along.
        let lost = (i32::from_be_bytes([b[5], b[6], b[7], 0])) >> 8;
        Some(Report {
            ssrc: word(b, 0)?,
            fraction_lost: b[4],
            lost,
            highest_seq: word(b, 8)?,
            jitter: word(b, 12)?,
            last_sr: word(b, 16)?,
            delay_since_sr: word(b, 20)?,
        })
    }
}

pub(super) fn word(b: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(*b.get(at..at + 4)?.first_chunk()?))
}

/// The packets of a compound, until it ends or stops making sense.
#[derive(Debug, Clone)]
pub struct Compound<'a>(&'a [u8]);

/// Read a compound. `None` unless it begins with a report of version 2 without padding (RFC 3550 A.2).
pub fn parse(bytes: &[u8]) -> Option<Compound<'_>> {
    let head: &[u8; 4] = bytes.first_chunk()?;
    (head[0] & 0xE0 == 0x80 && matches!(head[1], 200 | 201) && bytes.len() >= 8).then_some(Compound(bytes))
}

impl<'a> Iterator for Compound<'a> {
    type Item = Packet<'a>;
    fn next(&mut self) -> Option<Packet<'a>> {
        let head: &[u8; 4] = self.0.first_chunk()?;
        if head[0] >> 6 != 2 {
            return None;
        }
        let length = (usize::from(u16::from_be_bytes([head[2], head[3]])) + 1) * 4;
        let (packet, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        let mut body = &packet[4..];
        if head[0] & 0x20 != 0 {
            let padding = usize::from(*body.last()?);
            body = body.get(..body.len().checked_sub(padding)?)?;
        }
        one(head[1], usize::from(head[0] & 0x1F), body)
    }
}

fn one(kind: u8, count: usize, body: &[u8]) -> Option<Packet<'_>> {
    Some(match kind {
        200 => {
            let info = SenderInfo {
                ntp: u64::from(word(body, 4)?) << 32 | u64::from(word(body, 8)?),
                ts: word(body, 12)?,
                packets: word(body, 16)?,
                bytes: word(body, 20)?,
            };
            Packet::Sender { ssrc: word(body, 0)?, info, reports: Reports(body.get(24..24 + count * BLOCK)?) }
        }
        201 => Packet::Receiver { ssrc: word(body, 0)?, reports: Reports(body.get(4..4 + count * BLOCK)?) },
        202 if count > 0 => Packet::Description { ssrc: word(body, 0)?, cname: cname(body.get(4..)?) },
        203 if count > 0 => Packet::Bye { ssrc: word(body, 0)? },
        xr::KIND => Packet::Extended { ssrc: word(body, 0)?, blocks: xr::Blocks(body.get(4..)?) },
        other => Packet::Other(other),
    })
}

fn cname(mut items: &[u8]) -> Option<&[u8]> {
    loop {
        let (&kind, rest) = items.split_first()?;
        let (&length, rest) = rest.split_first()?;
        let text = rest.get(..usize::from(length))?;
        match kind {
            0 => return None,
            1 => return Some(text),
            _ => items = &rest[usize::from(length)..],
        }
    }
}

/// What we say in one compound.
#[derive(Debug, Clone, Copy)]
pub struct Say<'a> {
    /// Our source.
    pub ssrc: u32,
    /// If we sent since the last report: a sender report, else a receiver report.
    pub info: Option<SenderInfo>,
    /// About the peer, if it sent.
    pub report: Option<Report>,
    /// Our canonical name (RFC 7022 section 4: without user or host).
    pub cname: &'a str,
    /// More than every peer wants to hear.
    pub extended: xr::Say,
    /// We leave.
    pub bye: bool,
}

/// Longest compound [`write`] makes, bytes.
pub const WRITE_MAX: usize = 4 + 24 + BLOCK + 4 + 4 + 2 + 64 + 4 + 8 + xr::WRITE_MAX;

/// Write a compound into `out`; the number of bytes.
pub fn write(say: &Say<'_>, out: &mut [u8; WRITE_MAX]) -> usize {
    let mut w = Writer { out, at: 0 };
    let kind = if say.info.is_some() { 200 } else { 201 };
    let begin = w.head(u8::from(say.report.is_some()), kind);
    w.word(say.ssrc);
    if let Some(i) = &say.info {
        for part in [(i.ntp >> 32) as u32, i.ntp as u32, i.ts, i.packets, i.bytes] {
            w.word(part);
        }
    }
    if let Some(r) = &say.report {
        w.word(r.ssrc);
        let lost = r.lost.clamp(-0x80_0000, 0x7F_FFFF) as u32 & 0xFF_FFFF;
        w.word(u32::from(r.fraction_lost) << 24 | lost);
        for part in [r.highest_seq, r.jitter, r.last_sr, r.delay_since_sr] {
            w.word(part);
        }
    }
    w.close(begin);
    let begin = w.head(1, 202);
    w.word(say.ssrc);
    let name = &say.cname.as_bytes()[..say.cname.len().min(60)];
    w.bytes(&[1, name.len() as u8]);
    w.bytes(name);
    // At least one zero ends the chunk, then up to the next word.
    w.bytes(&[0, 0, 0, 0][..4 - w.at % 4]);
    w.close(begin);
    if !say.extended.is_empty() {
        let begin = w.head(0, xr::KIND);
        w.word(say.ssrc);
        say.extended.write(|b| w.bytes(b));
        w.close(begin);
    }
    if say.bye {
        let begin = w.head(1, 203);
        w.word(say.ssrc);
        w.close(begin);
    }
    w.at
}

struct Writer<'a> {
    out: &'a mut [u8; WRITE_MAX],
    at: usize,
}

impl Writer<'_> {
    fn bytes(&mut self, b: &[u8]) {
        self.out[self.at..self.at + b.len()].copy_from_slice(b);
        self.at += b.len();
    }
    fn word(&mut self, w: u32) {
        self.bytes(&w.to_be_bytes());
    }
    fn head(&mut self, count: u8, kind: u8) -> usize {
        self.bytes(&[0x80 | count, kind, 0, 0]);
        self.at - 4
    }
    fn close(&mut self, begin: usize) {
        let words = ((self.at - begin) / 4 - 1) as u16;
        self.out[begin + 2..begin + 4].copy_from_slice(&words.to_be_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sender_report_with_name_and_goodbye_reads_back() {
        let info = SenderInfo { ntp: 0x1122_3344_5566_7788, ts: 9, packets: 10, bytes: 1_600 };
        let report =
            Report { ssrc: 5, fraction_lost: 12, lost: -3, highest_seq: 70_000, jitter: 17, last_sr: 1, delay_since_sr: 2 };
        let mut out = [0; WRITE_MAX];
        let n = write(
            &Say {
                ssrc: 42,
                info: Some(info),
                report: Some(report),
                cname: "abcdefgh",
                extended: xr::Say::default(),
                bye: true,
            },
            &mut out,
        );
        let packets: Vec<_> = parse(&out[..n]).expect("a compound").collect();
        let [Packet::Sender { ssrc: 42, info: i, reports }, Packet::Description { cname, .. }, Packet::Bye { ssrc: 42 }] =
            packets[..]
        else {
            panic!("{packets:?}");
        };
        assert_eq!((i, reports.collect::<Vec<_>>(), cname), (info, vec![report], Some(&b"abcdefgh"[..])));
    }

    #[test]
    fn a_goodbye_longer_than_its_packet_is_not_read() {
        let mut p = vec![0x80, 201, 0, 1, 0, 0, 0, 1];
        p.extend([0x9F, 203, 0, 0]);
        let packets: Vec<_> = parse(&p).expect("a compound").collect();
        assert_eq!(packets.len(), 1, "{packets:?}");
        assert!(parse(&[0x81, 203, 0, 1, 0, 0, 0, 1]).is_none(), "a compound begins with a report");
    }
}
