//! Offer and answer (RFC 3264): who sends what, where to, under which payload type.

use std::net::{IpAddr, SocketAddr};

use media::wire::{Codec, Direction, Ice, Opus, Remote, SrtpKey, Xr};

use super::{
    Connection, Media, Origin, Session, Transport,
    codec::{Encoding, alike},
    secure::{self, Offering, Srtp, Web},
};
use crate::base::is_private;

/// The profile of a plain telephone.
const RTP_AVP: &str = "RTP/AVP";

/// The reports we like to read, and send to whoever asks.
const EXTENDED: Xr = Xr { voip: true, round_trip: true };

/// Our side of a session.
#[derive(Debug, Clone, Copy)]
pub struct LocalMedia<'a> {
    /// The address peers reach our RTP port at.
    pub addr: IpAddr,
    /// Our RTP port; RTCP is one above, or on the same where the peer shares its own.
    pub rtp_port: u16,
    /// Stays for the life of the dialog.
    pub session_id: u64,
    /// Version of the description; see [`Session::following`].
    pub version: u64,
    /// What we can speak, preferred first.
    pub codecs: &'a [Codec],
    /// Whether telephone-event (RFC 4733) is offered and taken.
    pub dtmf: bool,
    /// Whether a peer that offers comfort noise (RFC 3389) may describe its silence, and has ours described. We do not ask for it.
    pub comfort_noise: bool,
    /// Packet time we would like to receive, milliseconds.
    pub ptime_ms: u8,
    /// What we want to do, seen from us.
    pub direction: Direction,
    /// Whether sound is encrypted with keys from the signalling.
    pub srtp: Srtp,
    /// A key of ours for each suite, preferred first. Empty: SDES is neither offered nor taken.
    pub keys: &'a [SrtpKey],
    /// Our credentials, where the port was opened with some.
    pub ice: Option<&'a Ice>,
    /// Our certificate, where there is one.
    pub web: Option<Web>,
}

/// What both sides settled on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agreed {
    /// For the media engine.
    pub remote: Remote,
    /// Who sends, seen from us; the same as in `remote`.
    pub direction: Direction,
    /// True when the peer put us on hold: it does not want to hear us.
    pub hold: bool,
}

/// Nothing in common. Answered 488.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("media not acceptable: {why}")]
pub struct Rejected {
    /// For the Warning header and the log.
    pub why: &'static str,
}

impl Rejected {
    /// Not Acceptable Here (RFC 3261 21.4.26).
    pub const CODE: u16 = 488;
}

impl Session {
    /// This description as the one after `last` in the same dialog: the version is one more if anything changed, else the
    /// same (RFC 3264 8).
    pub fn following(mut self, last: &Session) -> Session {
        self.origin.session_id = last.origin.session_id;
        self.origin.version = last.origin.version;
        if self != *last {
            self.origin.version = last.origin.version.wrapping_add(1);
        }
        self
    }
    /// The address announced for audio.
    pub fn audio_ip(&self) -> Option<IpAddr> {
        self.media.iter().filter(|m| m.kind.eq_ignore_ascii_case("audio") && m.port != 0).find_map(|m| self.ip_of(m))
    }
    /// `seen`, the address the signalling came from, when the announced one is private and another: the peer does not know
    /// its own address and its packets will come from there.
    pub fn behind_nat(&self, seen: IpAddr) -> Option<IpAddr> {
        let ip = self.audio_ip()?;
        (ip != seen && is_private(ip)).then_some(seen)
    }
    pub(super) fn ip_of(&self, media: &Media) -> Option<IpAddr> {
        match media.connection.as_ref().or(self.connection.as_ref())? {
            Connection::Ip(ip) => Some(*ip),
            Connection::Other(_) => None,
        }
    }
    fn direction_of(&self, media: &Media) -> Direction {
        media.direction.or(self.direction).unwrap_or_default()
    }
}

/// Our offer.
pub fn offer(local: &LocalMedia, offering: Offering) -> Session {
    let mut audio = our_audio(local, RTP_AVP, local.direction);
    audio.offer_as(local, offering);
    local.codecs.iter().for_each(|c| audio.add_new(Encoding::Codec(*c)));
    add_events(&mut audio, local);
    let bundle = audio.mid.iter().cloned().collect();
    session(local, vec![audio], bundle)
}

/// Our new offer in a session that has one (hold, resume, a moved address): `last` is our last description, offer or answer.
///
/// Every stream stays in its place and is protected as it was, and a payload number keeps its meaning (RFC 3264 8, 8.3.2). The
/// version rises if anything changed.
pub fn reoffer(last: &Session, local: &LocalMedia) -> Session {
    let mut media = last.media.clone();
    let active = media.iter().position(|m| m.kind.eq_ignore_ascii_case("audio") && m.port != 0);
    let mut audio = our_audio(local, RTP_AVP, local.direction);
    if let Some(was) = active.map(|i| &media[i]) {
        audio.offer_like(was, local);
        let wanted = |e: &Encoding| match e {
            Encoding::Codec(codec) => local.codecs.contains(codec),
            Encoding::Event(_) => local.dtmf,
            Encoding::Comfort => local.comfort_noise,
        };
        was.encodings().filter(|(_, e)| wanted(e)).for_each(|(pt, e)| audio.add_as(pt, e));
    }
    local.codecs.iter().for_each(|c| audio.add_new(Encoding::Codec(*c)));
    add_events(&mut audio, local);
    match active {
        Some(i) => media[i] = audio,
        None => media.push(audio),
    }
    session(local, media, last.bundle.clone()).following(last)
}

/// The codec [`answer`] would take of an offer, of ours, preferred first.
pub fn favourite(offer: &Session, codecs: &[Codec]) -> Option<Codec> {
    offered_audio(offer).find_map(|(_, m)| chosen(m, codecs)).map(|(_, codec)| codec)
}

fn offered_audio(offer: &Session) -> impl Iterator<Item = (usize, &Media)> {
    offer.media.iter().enumerate().filter(|(_, m)| m.kind.eq_ignore_ascii_case("audio") && m.port != 0)
}

/// Our answer to `offer`, and what it settles. `nat`: the address the peer's signalling came from, when it sits behind a NAT.
///
/// The first acceptable audio stream is taken, with the best codec by our order under the offerer's numbers; every other stream
/// is refused in its place. Among codecs that are alike to us the offerer's order counts (RFC 3264 6.1 asks for it throughout;
/// a codec that costs a conversion per packet is reason enough not to).
pub fn answer(offer: &Session, local: &LocalMedia, nat: Option<IpAddr>) -> Result<(Session, Agreed), Rejected> {
    let mut why = "no audio stream offered";
    let mut taken = None;
    for (i, media) in offered_audio(offer) {
        let fits = secure::accept(offer, media, local).and_then(|protection| {
            let rtp = offer.at(media, protection.ice.is_some())?;
            let (pt, codec) = chosen(media, local.codecs).ok_or("no codec in common")?;
            Ok((protection, rtp, pt, codec))
        });
        match fits {
            Ok(stream) => {
                taken = Some((i, stream));
                break;
            }
            Err(reason) => why = reason,
        }
    }
    let (index, (protection, rtp, pt, codec)) = taken.ok_or(Rejected { why })?;
    let theirs = &offer.media[index];
    let (direction, hold) = settle(offer.direction_of(theirs), rtp.ip(), protection.ice.is_some(), local.direction);
    let event = theirs.event_for(codec).filter(|_| local.dtmf);
    let cn_pt = theirs.comfort_for(codec).filter(|_| local.comfort_noise);

    let mut ours = our_audio(local, &theirs.proto, direction);
    // Whoever does not know them is not bothered with them.
    ours.rtcp_xr = theirs.rtcp_xr;
    ours.answer_as(theirs, &protection, local);
    ours.add_codec(pt, codec);
    if let Some(pt) = cn_pt {
        ours.add_comfort(pt);
    }
    if let Some((pt, clock_hz)) = event {
        ours.add_event(pt, clock_hz);
    }
    let muxed = ours.rtcp_mux;
    let bundle = ours.mid.iter().filter(|mid| offer.bundle.contains(mid)).cloned().collect();
    let refused = |m: &Media| Media { formats: m.formats.clone(), mid: m.mid.clone(), ..Media::named(&m.kind, &m.proto) };
    let media = offer.media.iter().enumerate().map(|(i, m)| if i == index { ours.clone() } else { refused(m) }).collect();
    let remote = Remote {
        rtcp: rtcp_of(theirs, rtp, muxed),
        dtmf_pt: event.map(|(pt, _)| (pt, pt)),
        ptime_ms: codec.ptime_ms(ptime_of(theirs, local.ptime_ms)),
        direction,
        nat: nat.filter(|_| protection.ice.is_none()),
        cn_pt,
        opus: opus_of(theirs, pt),
        xr: theirs.rtcp_xr,
        security: protection.security,
        ice: protection.ice,
        ..Remote::plain(rtp, codec, pt)
    };
    Ok((session(local, media, bundle), Agreed { remote, direction, hold }))
}

/// What `theirs`, the answer to our offer `ours`, settles.
///
/// We send under the numbers of the answer and receive under those of our offer (RFC 3264 5.1).
pub fn agreed(ours: &Session, theirs: &Session, nat: Option<IpAddr>) -> Result<Agreed, Rejected> {
    let fail = |why| Rejected { why };
    let index = ours.media.iter().position(|m| m.kind == "audio" && m.port != 0);
    let (index, offered) = index.map(|i| (i, &ours.media[i])).ok_or(fail("we offered no audio"))?;
    let media = theirs.media.get(index).ok_or(fail("the answer has fewer streams than the offer"))?;
    if !media.kind.eq_ignore_ascii_case("audio") {
        return Err(fail("the answer changed the order of the streams"));
    }
    if media.port == 0 {
        return Err(fail("the peer refused the audio stream"));
    }
    let protection = secure::settled(ours, offered, theirs, media).map_err(fail)?;
    let rtp = theirs.at(media, protection.ice.is_some()).map_err(fail)?;
    let both = |c: Codec| offered.pt_of(Encoding::Codec(c));
    let common = media.codecs().find_map(|(pt, c)| both(c).map(|recv_pt| (pt, recv_pt, c)));
    let (send_pt, recv_pt, codec) = common.ok_or(fail("no codec in common"))?;
    let event = |hz| media.pt_of(Encoding::Event(hz)).zip(offered.pt_of(Encoding::Event(hz)));
    let dtmf_pt = event(codec.clock_hz()).or_else(|| event(8_000));
    let cn_pt = media.comfort_for(codec).and(offered.comfort_for(codec));
    let checked = protection.ice.is_some();
    let (direction, hold) = settle(theirs.direction_of(media), rtp.ip(), checked, ours.direction_of(offered));
    let default = offered.ptime_ms.and_then(|p| u8::try_from(p).ok()).unwrap_or(20);
    let remote = Remote {
        rtcp: rtcp_of(media, rtp, offered.rtcp_mux && media.rtcp_mux),
        recv_pt,
        dtmf_pt,
        ptime_ms: codec.ptime_ms(ptime_of(media, default)),
        direction,
        nat: nat.filter(|_| !checked),
        cn_pt,
        opus: opus_of(media, send_pt),
        xr: media.rtcp_xr,
        security: protection.security,
        ice: protection.ice,
        ..Remote::plain(rtp, codec, send_pt)
    };
    Ok(Agreed { remote, direction, hold })
}

/// The best of a line's codecs by our order; among those alike to us, the first written.
fn chosen(media: &Media, codecs: &[Codec]) -> Option<(u8, Codec)> {
    let rank = |c: Codec| codecs.contains(&c).then(|| codecs.iter().position(|o| alike(*o, c))).flatten();
    media.codecs().filter_map(|(pt, c)| rank(c).map(|r| (r, pt, c))).min_by_key(|(r, ..)| *r).map(|(_, pt, c)| (pt, c))
}

/// Their direction turned round and held against ours (RFC 3264 6.1). An address of zeros is nowhere to send to (8.4),
/// unless connectivity checks find the peer.
fn settle(theirs: Direction, at: IpAddr, checked: bool, ours: Direction) -> (Direction, bool) {
    let sends = |d| matches!(d, Direction::SendRecv | Direction::SendOnly);
    let listens = |d| matches!(d, Direction::SendRecv | Direction::RecvOnly);
    let hold = !listens(theirs) || at.is_unspecified() && !checked;
    let direction = match (sends(ours) && !hold, listens(ours) && sends(theirs)) {
        (true, true) => Direction::SendRecv,
        (true, false) => Direction::SendOnly,
        (false, true) => Direction::RecvOnly,
        (false, false) => Direction::Inactive,
    };
    (direction, hold)
}

fn rtcp_of(media: &Media, rtp: SocketAddr, muxed: bool) -> SocketAddr {
    match media.rtcp {
        _ if muxed => rtp,
        Some((port, ip)) => SocketAddr::new(ip.unwrap_or(rtp.ip()), port),
        None => SocketAddr::new(rtp.ip(), rtp.port().checked_add(1).unwrap_or(rtp.port())),
    }
}

/// The packet time the peer wants, or ours; whole tens of milliseconds from 10 to 60, not above its `maxptime`.
fn ptime_of(media: &Media, ours: u8) -> u8 {
    let wanted = media.ptime_ms.filter(|p| *p > 0).unwrap_or(u16::from(ours));
    let most = media.maxptime_ms.filter(|p| *p > 0).unwrap_or(60);
    let tens = (wanted.min(most).clamp(10, 60) / 10) * 10;
    u8::try_from(tens).unwrap_or(20)
}

fn our_audio(local: &LocalMedia, proto: &str, direction: Direction) -> Media {
    Media {
        port: local.rtp_port,
        ptime_ms: Some(u16::from(local.ptime_ms)),
        direction: Some(direction),
        rtcp_xr: EXTENDED,
        ..Media::named("audio", proto)
    }
}

/// What the peer asks of Opus packets (RFC 7587 section 6.1), by the parameters it wrote to the number it wants them under.
fn opus_of(media: &Media, pt: u8) -> Opus {
    media.fmtp(pt).map_or_else(Opus::default, super::codec::opus)
}

/// Digits at the clock of every codec, and at 8 kHz, which some phones mean for all of them.
fn add_events(media: &mut Media, local: &LocalMedia) {
    if local.dtmf {
        let clocks = media.codecs().map(|(_, c)| c.clock_hz()).collect::<Vec<_>>();
        [8_000].into_iter().chain(clocks).for_each(|hz| media.add_new(Encoding::Event(hz)));
    }
}

fn session(local: &LocalMedia, media: Vec<Media>, bundle: Vec<String>) -> Session {
    Session {
        origin: Origin {
            user: "-".to_owned(),
            session_id: local.session_id,
            version: local.version,
            address: local.addr.to_string(),
        },
        name: "-".to_owned(),
        connection: Some(Connection::Ip(local.addr)),
        direction: None,
        bundle,
        ice_lite: media.iter().any(|m| m.transport.ice.is_some()),
        transport: Transport::default(),
        media,
    }
}

#[cfg(test)]
pub(super) mod tests;
