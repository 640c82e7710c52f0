//! Offer and answer (RFC 3264): who sends what, where to, under which payload type.

use std::net::{IpAddr, SocketAddr};

use media::wire::{Codec, Direction, Remote};

use super::{Connection, Media, Origin, RtpMap, Session};

/// The one profile spoken today.
const RTP_AVP: &str = "RTP/AVP";
/// The payload type we offer telephone-event under.
const EVENT_PT: u8 = 101;

/// Our side of a session.
#[derive(Debug, Clone, Copy)]
pub struct LocalMedia<'a> {
    /// The address peers reach our RTP port at.
    pub addr: IpAddr,
    /// Our RTP port; RTCP is one above.
    pub rtp_port: u16,
    /// Stays for the life of the dialog.
    pub session_id: u64,
    /// Version of the description; see [`Session::following`].
    pub version: u64,
    /// What we can speak, preferred first.
    pub codecs: &'a [Codec],
    /// Whether telephone-event (RFC 4733) is offered and taken.
    pub dtmf: bool,
    /// Packet time we would like to receive, milliseconds.
    pub ptime_ms: u8,
    /// What we want to do, seen from us.
    pub direction: Direction,
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
        let private = match self.audio_ip()? {
            ip if ip == seen || ip.is_unspecified() => false,
            IpAddr::V4(ip) => {
                let [a, b, ..] = ip.octets();
                ip.is_private() || ip.is_loopback() || ip.is_link_local() || (a == 100 && (64..128).contains(&b))
            }
            IpAddr::V6(ip) => ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local(),
        };
        private.then_some(seen)
    }
    fn ip_of(&self, media: &Media) -> Option<IpAddr> {
        match media.connection.as_ref().or(self.connection.as_ref())? {
            Connection::Ip(ip) => Some(*ip),
            Connection::Other(_) => None,
        }
    }
    fn direction_of(&self, media: &Media) -> Direction {
        media.direction.or(self.direction).unwrap_or_default()
    }
}

impl Media {
    fn encoding(&self, pt: u8) -> Option<Encoding> {
        let Some(map) = self.rtpmaps.iter().find(|m| m.pt == pt) else {
            return codecs().find(|(_, _, static_pt)| *static_pt == pt).map(|(c, ..)| Encoding::Codec(c));
        };
        if map.clock_hz != 8000 || map.channels != 1 {
            return None;
        }
        if map.name.eq_ignore_ascii_case("telephone-event") {
            return Some(Encoding::Event);
        }
        codecs().find(|(_, name, _)| map.name.eq_ignore_ascii_case(name)).map(|(c, ..)| Encoding::Codec(c))
    }
    /// The payload types we understand, in the order written.
    fn encodings(&self) -> impl Iterator<Item = (u8, Encoding)> {
        let pts = self.formats.iter().filter_map(|f| f.parse::<u8>().ok()).filter(|pt| *pt < 128);
        pts.filter_map(|pt| self.encoding(pt).map(|e| (pt, e)))
    }
    fn pt_of(&self, wanted: Encoding) -> Option<u8> {
        self.encodings().find(|(_, e)| *e == wanted).map(|(pt, _)| pt)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Codec(Codec),
    Event,
}

/// Every codec with its name and static payload type (RFC 3551 6).
fn codecs() -> impl Iterator<Item = (Codec, &'static str, u8)> {
    [Codec::Pcmu, Codec::Pcma].into_iter().filter_map(|c| Some((c, c.name(), c.static_pt()?)))
}

/// Our offer.
pub fn offer(local: &LocalMedia) -> Session {
    let mut audio = our_audio(local, RTP_AVP, local.direction);
    for (codec, pt) in local.codecs.iter().filter_map(|c| Some((c, c.static_pt()?))) {
        add(&mut audio, pt, codec.name());
    }
    if local.dtmf {
        add_event(&mut audio, EVENT_PT);
    }
    session(local, vec![audio])
}

/// Our new offer in a session that has one (hold, resume, a moved address): `last` is our last description, offer or answer.
///
/// Every stream stays in its place, and a payload number keeps its meaning (RFC 3264 8, 8.3.2). The version rises if anything
/// changed.
pub fn reoffer(last: &Session, local: &LocalMedia) -> Session {
    let mut media = last.media.clone();
    let active = media.iter().position(|m| m.kind.eq_ignore_ascii_case("audio") && m.port != 0);
    let mut audio = our_audio(local, RTP_AVP, local.direction);
    let known: Vec<(u8, Encoding)> = active.map(|i| media[i].encodings().collect()).unwrap_or_default();
    let taken = |pt: u8, audio: &Media| audio.rtpmaps.iter().any(|m| m.pt == pt);
    for (pt, encoding) in &known {
        match encoding {
            Encoding::Codec(codec) if local.codecs.contains(codec) => add(&mut audio, *pt, codec.name()),
            _ => {}
        }
    }
    for (codec, pt) in local.codecs.iter().filter_map(|c| Some((c, c.static_pt()?))) {
        let new = known.iter().all(|(_, e)| *e != Encoding::Codec(*codec));
        if new && !taken(pt, &audio) {
            add(&mut audio, pt, codec.name());
        }
    }
    if local.dtmf {
        let kept = known.iter().find(|(_, e)| *e == Encoding::Event).map(|(pt, _)| *pt);
        let free = (EVENT_PT..127).find(|pt| !taken(*pt, &audio));
        kept.or(free).into_iter().for_each(|pt| add_event(&mut audio, pt));
    }
    match active {
        Some(i) => media[i] = audio,
        None => media.push(audio),
    }
    session(local, media).following(last)
}

/// Our answer to `offer`, and what it settles. `nat`: the address the peer's signalling came from, when it sits behind a NAT.
///
/// The first acceptable audio stream is taken, with the offerer's favourite codec under the offerer's numbers; every other
/// stream is refused in its place.
pub fn answer(offer: &Session, local: &LocalMedia, nat: Option<IpAddr>) -> Result<(Session, Agreed), Rejected> {
    let mut why = "no audio stream offered";
    let mut taken = None;
    for (i, media) in offer.media.iter().enumerate() {
        if !media.kind.eq_ignore_ascii_case("audio") || media.port == 0 {
            continue;
        }
        match acceptable(offer, media, local.codecs) {
            Ok(stream) => {
                taken = Some((i, stream));
                break;
            }
            Err(reason) => why = reason,
        }
    }
    let (index, (rtp, pt, codec)) = taken.ok_or(Rejected { why })?;
    let theirs = &offer.media[index];
    let (direction, hold) = settle(offer.direction_of(theirs), rtp.ip(), local.direction);
    let event_pt = theirs.pt_of(Encoding::Event).filter(|_| local.dtmf);

    let mut ours = our_audio(local, &theirs.proto, direction);
    add(&mut ours, pt, codec.name());
    if let Some(pt) = event_pt {
        add_event(&mut ours, pt);
    }
    let refused = |m: &Media| Media { formats: m.formats.clone(), ..Media::named(&m.kind, &m.proto) };
    let media = offer.media.iter().enumerate().map(|(i, m)| if i == index { ours.clone() } else { refused(m) }).collect();
    let remote = Remote {
        rtcp: rtcp_of(theirs, rtp),
        dtmf_pt: event_pt.map(|pt| (pt, pt)),
        ptime_ms: ptime_of(theirs, local.ptime_ms),
        direction,
        nat,
        ..Remote::plain(rtp, codec, pt)
    };
    Ok((session(local, media), Agreed { remote, direction, hold }))
}

/// What `theirs`, the answer to our offer `ours`, settles.
///
/// We send under the numbers of the answer and receive under those of our offer (RFC 3264 5.1).
pub fn agreed(ours: &Session, theirs: &Session, nat: Option<IpAddr>) -> Result<Agreed, Rejected> {
    let index = ours.media.iter().position(|m| m.kind == "audio" && m.port != 0);
    let (index, offered) = index.map(|i| (i, &ours.media[i])).ok_or(Rejected { why: "we offered no audio" })?;
    let media = theirs.media.get(index).ok_or(Rejected { why: "the answer has fewer streams than the offer" })?;
    if !media.kind.eq_ignore_ascii_case("audio") {
        return Err(Rejected { why: "the answer changed the order of the streams" });
    }
    if media.port == 0 {
        return Err(Rejected { why: "the peer refused the audio stream" });
    }
    let codecs: Vec<Codec> =
        offered.encodings().filter_map(|(_, e)| if let Encoding::Codec(c) = e { Some(c) } else { None }).collect();
    let (rtp, send_pt, codec) = acceptable(theirs, media, &codecs).map_err(|why| Rejected { why })?;
    let recv_pt = offered.pt_of(Encoding::Codec(codec)).ok_or(Rejected { why: "no common codec" })?;
    let dtmf_pt = media.pt_of(Encoding::Event).zip(offered.pt_of(Encoding::Event));
    let (direction, hold) = settle(theirs.direction_of(media), rtp.ip(), ours.direction_of(offered));
    let default = offered.ptime_ms.and_then(|p| u8::try_from(p).ok()).unwrap_or(20);
    let ptime_ms = ptime_of(media, default);
    let plain = Remote::plain(rtp, codec, send_pt);
    let remote = Remote { rtcp: rtcp_of(media, rtp), recv_pt, dtmf_pt, ptime_ms, direction, nat, ..plain };
    Ok(Agreed { remote, direction, hold })
}

fn acceptable(session: &Session, media: &Media, codecs: &[Codec]) -> Result<(SocketAddr, u8, Codec), &'static str> {
    if media.proto != RTP_AVP {
        return Err("no profile in common (RTP/AVP is spoken)");
    }
    let ip = session.ip_of(media).ok_or("the stream's address is no unicast IP address")?;
    let common = media.encodings().find_map(|(pt, e)| match e {
        Encoding::Codec(codec) if codecs.contains(&codec) => Some((pt, codec)),
        _ => None,
    });
    let (pt, codec) = common.ok_or("no codec in common")?;
    Ok((SocketAddr::new(ip, media.port), pt, codec))
}

/// Their direction turned round and held against ours (RFC 3264 6.1). An address of zeros is nowhere to send to (8.4).
fn settle(theirs: Direction, at: IpAddr, ours: Direction) -> (Direction, bool) {
    let sends = |d| matches!(d, Direction::SendRecv | Direction::SendOnly);
    let listens = |d| matches!(d, Direction::SendRecv | Direction::RecvOnly);
    let hold = !listens(theirs) || at.is_unspecified();
    let direction = match (sends(ours) && !hold, listens(ours) && sends(theirs)) {
        (true, true) => Direction::SendRecv,
        (true, false) => Direction::SendOnly,
        (false, true) => Direction::RecvOnly,
        (false, false) => Direction::Inactive,
    };
    (direction, hold)
}

fn rtcp_of(media: &Media, rtp: SocketAddr) -> SocketAddr {
    match media.rtcp {
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
        ..Media::named("audio", proto)
    }
}

fn add(media: &mut Media, pt: u8, name: &str) {
    media.formats.push(pt.to_string());
    media.rtpmaps.push(RtpMap { pt, name: name.to_owned(), clock_hz: 8000, channels: 1 });
}

fn add_event(media: &mut Media, pt: u8) {
    add(media, pt, "telephone-event");
    // The sixteen DTMF events (RFC 4733 2.5.1.1).
    media.fmtps.push((pt, "0-15".to_owned()));
}

fn session(local: &LocalMedia, media: Vec<Media>) -> Session {
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
        media,
    }
}

#[cfg(test)]
mod tests;
