//! SRTP and SRTCP (RFC 3711, RFC 6188, RFC 7714): one direction each, in place, without taking memory per packet.
//!
//! | file | what lives there |
//! |---|---|
//! | `mod` | [`Sender`] and [`Receiver`]: which packet gets which index, and which was seen before |
//! | `cipher` | session keys from the master key, encryption and tags of one packet |
//! | `window` | indices over the wrap of the sequence number, and the memory of what came |
//!
//! Where keys come from is the business of others: signalling (RFC 4568) or `dtls`. Not spoken: MKI, key derivation rates,
//! unencrypted or unauthenticated variants. What was not agreed is refused.
//!
//! **New keys are new contexts.** A key that is agreed once more changes nothing; another key begins with rollover counter
//! zero and an empty window, as RFC 4568 section 7.1.4 has it for SDES, and for DTLS because a new association derives
//! contexts of its own (RFC 5764 section 5.2). RFC 3711 section 3.3.1 keeps the counter when keys change *inside* one context
//! (MKI), and some peers read it so for SDES, too: for a source it does not know, a receiver tries other counters as well,
//! see [`Receiver`].

mod cipher;
#[cfg(test)]
mod tests;
mod window;

use crate::{limits::DATAGRAM_MAX, wire::SrtpKey};
use cipher::{RTCP_HEADER, Session, header_length};
use window::{Sources, nearest};

/// The most a packet grows when it is protected, bytes: GCM's tag and the SRTCP index.
pub const GROWTH_MAX: usize = 20;
/// Packets a direction can protect with one key: 2^48 (RTP) is never reached; 2^31 (RTCP) is checked.
const RTCP_INDICES: u32 = 1 << 31;
/// Rollover counters beyond zero that are tried for an unknown source, one a packet.
const HUNT: u32 = 8;

/// Why a packet does not count. Nothing was changed by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Shorter than its headers and tag, or they contradict each other.
    #[error("not an SRTP packet")]
    Malformed,
    /// The tag is wrong: other keys, or somebody changed it on the way.
    #[error("the tag is wrong")]
    Unauthentic,
    /// It came before, or is too old to say.
    #[error("seen before")]
    Replayed,
}

/// A key whose length does not fit its suite.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the key has not the length its suite asks for")]
pub struct BadKey;

/// Protects what we send.
#[derive(Debug)]
pub struct Sender {
    rtp: Session,
    rtcp: Session,
    sources: Sources,
    rtcp_next: u32,
}

impl Sender {
    /// From rollover counter zero.
    ///
    /// # Errors
    /// The key has not the length its suite asks for.
    pub fn new(key: &SrtpKey) -> Result<Self, BadKey> {
        let (rtp, rtcp) = Session::pair(key)?;
        Ok(Self { rtp, rtcp, sources: Sources::default(), rtcp_next: 0 })
    }

    /// Protect the RTP packet in `buffer[..length]` where it lies; room for [`GROWTH_MAX`] bytes must be behind it. Its new
    /// length.
    ///
    /// `None`: it is not RTP, or there is no room, or its number was used before: to encrypt two packets under one number would
    /// reveal both (RFC 3711 section 9.1). For the same reason a source beyond the fourth is not taken up.
    pub fn protect_rtp(&mut self, buffer: &mut [u8], length: usize) -> Option<usize> {
        let header = header_length(buffer.get(..length)?)?;
        let (seq, ssrc) = rtp_numbers(buffer)?;
        let known = self.sources.find(ssrc);
        let index = known.map_or(Some(u64::from(seq)), |w| nearest(w.highest(), seq))?;
        if known.is_some_and(|w| !w.is_new(index)) || known.is_none() && self.sources.full() {
            return None;
        }
        let length = self.rtp.seal_rtp(buffer, header, length, ssrc, index)?;
        self.sources.take(ssrc, index);
        Some(length)
    }

    /// Protect the compound RTCP packet in `buffer[..length]` where it lies, as [`Self::protect_rtp`] does.
    ///
    /// `None`: it is not RTCP, there is no room, or 2^31 were sent.
    pub fn protect_rtcp(&mut self, buffer: &mut [u8], length: usize) -> Option<usize> {
        let ssrc = rtcp_source(buffer.get(..length)?)?;
        if self.rtcp_next >= RTCP_INDICES {
            return None;
        }
        let length = self.rtcp.seal_rtcp(buffer, length, ssrc, self.rtcp_next)?;
        self.rtcp_next += 1;
        Some(length)
    }
}

/// Checks and opens what a peer sent.
///
/// The rollover counter of a source begins at zero, which is wrong when its first packets were lost around a wrap of the
/// sequence number, when we were restarted in the middle of a call, or when the peer keeps counting over new keys. So a packet of
/// an unknown source that does not open is tried with one other counter, the next packet with the next, up to eight wraps (three
/// hours of packets of 20 ms). The tag covers the counter: a wrong guess is never believed.
#[derive(Debug)]
pub struct Receiver {
    rtp: Session,
    rtcp: Session,
    sources: Sources,
    rtcp_sources: Sources,
    hunt: u32,
}

impl Receiver {
    /// Knows no source yet.
    ///
    /// # Errors
    /// The key has not the length its suite asks for.
    pub fn new(key: &SrtpKey) -> Result<Self, BadKey> {
        let (rtp, rtcp) = Session::pair(key)?;
        Ok(Self { rtp, rtcp, sources: Sources::default(), rtcp_sources: Sources::default(), hunt: 0 })
    }

    /// Check and open an RTP packet where it lies: its new length.
    ///
    /// # Errors
    /// It does not count, and `packet` may hold rubbish now.
    pub fn unprotect_rtp(&mut self, packet: &mut [u8]) -> Result<usize, Refused> {
        let header = header_length(packet).ok_or(Refused::Malformed)?;
        let (seq, ssrc) = rtp_numbers(packet).ok_or(Refused::Malformed)?;
        let Some(known) = self.sources.find(ssrc) else { return self.stranger(packet, header, ssrc, seq) };
        let index = nearest(known.highest(), seq).filter(|i| known.is_new(*i)).ok_or(Refused::Replayed)?;
        let length = self.rtp.open_rtp(packet, header, ssrc, index)?;
        self.sources.take(ssrc, index);
        Ok(length)
    }

    /// The first packet of a source.
    fn stranger(&mut self, packet: &mut [u8], header: usize, ssrc: u32, seq: u16) -> Result<usize, Refused> {
        // What does not open may be spoiled: the second try needs a copy.
        let mut copy = [0; DATAGRAM_MAX];
        let copy = copy.get_mut(..packet.len()).ok_or(Refused::Malformed)?;
        copy.copy_from_slice(packet);
        let mut index = u64::from(seq);
        let mut opened = self.rtp.open_rtp(packet, header, ssrc, index);
        if opened == Err(Refused::Unauthentic) {
            packet.copy_from_slice(copy);
            self.hunt = self.hunt % HUNT + 1;
            index |= u64::from(self.hunt) << 16;
            opened = self.rtp.open_rtp(packet, header, ssrc, index);
        }
        let length = opened?;
        self.sources.take(ssrc, index);
        Ok(length)
    }

    /// Check and open a compound RTCP packet where it lies: its new length.
    ///
    /// # Errors
    /// It does not count, and `packet` may hold rubbish now.
    pub fn unprotect_rtcp(&mut self, packet: &mut [u8]) -> Result<usize, Refused> {
        let ssrc = rtcp_source(packet).ok_or(Refused::Malformed)?;
        let (index, end) = self.rtcp.rtcp_index(packet).ok_or(Refused::Malformed)?;
        if self.rtcp_sources.find(ssrc).is_some_and(|w| !w.is_new(u64::from(index))) {
            return Err(Refused::Replayed);
        }
        let length = self.rtcp.open_rtcp(packet, end, ssrc, index)?;
        self.rtcp_sources.take(ssrc, u64::from(index));
        Ok(length)
    }
}

/// (sequence number, source) of an RTP packet.
fn rtp_numbers(packet: &[u8]) -> Option<(u16, u32)> {
    let h: &[u8; 12] = packet.first_chunk()?;
    Some((u16::from_be_bytes([h[2], h[3]]), u32::from_be_bytes([h[8], h[9], h[10], h[11]])))
}

/// The source of the first packet of a compound.
fn rtcp_source(packet: &[u8]) -> Option<u32> {
    let h: &[u8; RTCP_HEADER] = packet.first_chunk()?;
    (h[0] >> 6 == 2).then(|| u32::from_be_bytes([h[4], h[5], h[6], h[7]]))
}
