//! A two-channel Opus stream in Ogg (RFC 3533, RFC 7845), written page by page: what is on the disk plays, whatever happens.
//!
//! A page ends with every block, about twice a second. A page that cannot be written is left out; its time becomes silence.

use std::io;

use audiopus::{Application, Bitrate, Channels, SampleRate, coder::Encoder};

use super::writer::Pages;

/// Samples of both channels in a packet: 20 ms.
const PACKET: usize = 320;
/// What Opus needs before the first sample comes out, ticks of 48 kHz: told to players, who skip it.
const PRE_SKIP: u64 = 312;
/// Ticks of 48 kHz in a sample at 8 kHz.
const TICKS: u64 = 6;
/// Packets of one page: a second.
const PAGE_PACKETS: usize = 50;
/// Bits a second, both channels.
const BITRATE: i32 = 24_000;
/// Bytes of a page before its table.
pub(super) const PAGE_HEADER: usize = 27;

const CRC: [u32; 256] = {
    let mut table = [0; 256];
    let mut i = 0;
    while i < 256 {
        let (mut r, mut bit) = ((i as u32) << 24, 0);
        while bit < 8 {
            r = if r & 0x8000_0000 != 0 { r << 1 ^ 0x04C1_1DB7 } else { r << 1 };
            bit += 1;
        }
        table[i] = r;
        i += 1;
    }
    table
};

/// The check sum of a page whose own field is zero (RFC 3533 section 6).
pub(super) fn crc(page: &[u8]) -> u32 {
    page.iter().fold(0, |sum, b| sum << 8 ^ CRC[usize::from((sum >> 24) as u8 ^ b)])
}

/// How long a stream plays whose last page says `granule`, samples at 8 kHz.
pub(super) fn samples(granule: u64) -> u64 {
    granule.saturating_sub(PRE_SKIP) / TICKS
}

/// See the module.
pub(super) struct Ogg {
    encoder: Encoder,
    serial: u32,
    sequence: u32,
    /// Bytes that are whole in the file.
    pub bytes: u64,
    /// Samples per channel in whole pages.
    done: u64,
    /// Less than a packet, waiting for the rest.
    rest: Vec<i16>,
    /// Lengths and bytes of the packets of the page being made.
    lengths: Vec<usize>,
    body: Vec<u8>,
}

impl Ogg {
    /// Begin a file.
    pub fn begin(serial: u32, file: &mut dyn Pages) -> io::Result<Self> {
        let mut encoder = Encoder::new(SampleRate::Hz8000, Channels::Stereo, Application::Voip).map_err(io::Error::other)?;
        encoder.set_bitrate(Bitrate::BitsPerSecond(BITRATE)).map_err(io::Error::other)?;
        let (rest, lengths, body) = (Vec::new(), Vec::new(), Vec::new());
        let mut ogg = Self { encoder, serial, sequence: 0, bytes: 0, done: 0, rest, lengths, body };
        let mut head = b"OpusHead\x01\x02".to_vec();
        head.extend((PRE_SKIP as u16).to_le_bytes());
        head.extend(8_000u32.to_le_bytes());
        // No gain, and the one mapping for left and right.
        head.extend([0, 0, 0]);
        ogg.packet(&head);
        ogg.page(file, 0x02, 0)?;
        ogg.packet(b"OpusTags\x08\0\0\0ringdesk\0\0\0\0");
        ogg.page(file, 0, 0)?;
        Ok(ogg)
    }

    /// Sound of both channels that belongs at `at`; silence up to there. Nothing at all is the end, which is at `at`.
    pub fn write(&mut self, file: &mut dyn Pages, at: u64, pcm: &[i16]) -> io::Result<()> {
        let done = self.write_pages(file, at, pcm);
        if done.is_err() {
            // The page that did not get through is taken up as silence by what comes next.
            self.done -= (self.lengths.len() * PACKET / 2) as u64;
            self.lengths.clear();
            self.body.clear();
            self.rest.clear();
        }
        done
    }

    fn write_pages(&mut self, file: &mut dyn Pages, at: u64, pcm: &[i16]) -> io::Result<()> {
        let mut missing = at.saturating_sub(self.done + self.rest.len() as u64 / 2);
        while missing > 0 {
            let n = missing.min(PACKET as u64 / 2);
            self.sound(file, &[0; PACKET][..n as usize * 2])?;
            missing -= n;
        }
        self.sound(file, pcm)?;
        if !pcm.is_empty() {
            return if self.lengths.is_empty() { Ok(()) } else { self.page(file, 0, self.done * TICKS) };
        }
        let end = PRE_SKIP + at * TICKS;
        while self.done * TICKS < end {
            let fill = PACKET - self.rest.len();
            self.sound(file, &[0; PACKET][..fill])?;
        }
        self.page(file, 0x04, end)
    }

    fn sound(&mut self, file: &mut dyn Pages, mut pcm: &[i16]) -> io::Result<()> {
        while !pcm.is_empty() {
            let n = pcm.len().min(PACKET - self.rest.len());
            self.rest.extend_from_slice(&pcm[..n]);
            pcm = &pcm[n..];
            if self.rest.len() < PACKET {
                break;
            }
            let mut packet = [0; 1_275];
            let n = self.encoder.encode(&self.rest, &mut packet[..]).map_err(io::Error::other)?;
            self.rest.clear();
            self.packet(&packet[..n]);
            self.done += PACKET as u64 / 2;
            if self.lengths.len() == PAGE_PACKETS {
                self.page(file, 0, self.done * TICKS)?;
            }
        }
        Ok(())
    }

    fn packet(&mut self, packet: &[u8]) {
        self.lengths.push(packet.len());
        self.body.extend_from_slice(packet);
    }

    /// The packets so far as a page; `kind` is 2 for the first and 4 for the last (RFC 3533 section 6).
    fn page(&mut self, file: &mut dyn Pages, kind: u8, granule: u64) -> io::Result<()> {
        let mut page = b"OggS\0".to_vec();
        page.push(kind);
        page.extend(granule.to_le_bytes());
        page.extend(self.serial.to_le_bytes());
        page.extend(self.sequence.to_le_bytes());
        page.extend([0; 4]);
        // A packet is so many times 255 bytes and a rest, which may be nothing.
        let table: Vec<u8> =
            self.lengths.iter().flat_map(|n| std::iter::repeat_n(255, n / 255).chain([(n % 255) as u8])).collect();
        page.push(table.len() as u8);
        page.extend(table);
        page.extend_from_slice(&self.body);
        let sum = crc(&page);
        page[22..26].copy_from_slice(&sum.to_le_bytes());
        file.write_at(self.bytes, &page)?;
        self.bytes += page.len() as u64;
        self.sequence += 1;
        self.lengths.clear();
        self.body.clear();
        Ok(())
    }
}
