//! From [`Session`] to bytes.

use std::fmt::{self, Write};

use media::wire::{Direction, Xr};

use super::{Connection, Session, Setup, Transport};

impl Session {
    /// The description as a body (`application/sdp`).
    pub fn write(&self) -> String {
        self.to_string()
    }
}

/// Words of the description; a line end in one of them would begin another line.
struct Word<'a>(&'a str);

impl fmt::Display for Word<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().filter(|c| !matches!(c, '\r' | '\n' | '\0')).try_for_each(|c| f.write_char(c))
    }
}

impl fmt::Display for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let o = &self.origin;
        let family = if o.address.contains(':') { "IP6" } else { "IP4" };
        write!(f, "v=0\r\no={} {} {} IN {family} {}\r\n", Word(&o.user), o.session_id, o.version, Word(&o.address))?;
        write!(f, "s={}\r\n", if self.name.is_empty() { Word("-") } else { Word(&self.name) })?;
        connection(f, self.connection.as_ref())?;
        f.write_str("t=0 0\r\n")?;
        if !self.bundle.is_empty() {
            f.write_str("a=group:BUNDLE")?;
            self.bundle.iter().try_for_each(|mid| write!(f, " {}", Word(mid)))?;
            f.write_str("\r\n")?;
        }
        if self.ice_lite {
            f.write_str("a=ice-lite\r\n")?;
        }
        transport(f, &self.transport)?;
        direction(f, self.direction)?;
        for m in &self.media {
            write!(f, "m={} {} {}", Word(&m.kind), m.port, Word(&m.proto))?;
            m.formats.iter().try_for_each(|t| write!(f, " {}", Word(t)))?;
            f.write_str("\r\n")?;
            connection(f, m.connection.as_ref())?;
            m.mid.as_ref().map_or(Ok(()), |mid| write!(f, "a=mid:{}\r\n", Word(mid)))?;
            for map in &m.rtpmaps {
                write!(f, "a=rtpmap:{} {}/{}", map.pt, Word(&map.name), map.clock_hz)?;
                if map.channels > 1 {
                    write!(f, "/{}", map.channels)?;
                }
                f.write_str("\r\n")?;
            }
            m.fmtps.iter().try_for_each(|(pt, text)| write!(f, "a=fmtp:{pt} {}\r\n", Word(text)))?;
            m.ptime_ms.map_or(Ok(()), |p| write!(f, "a=ptime:{p}\r\n"))?;
            m.maxptime_ms.map_or(Ok(()), |p| write!(f, "a=maxptime:{p}\r\n"))?;
            match m.rtcp {
                Some((port, Some(ip))) => {
                    write!(f, "a=rtcp:{port} IN {} {ip}\r\n", if ip.is_ipv6() { "IP6" } else { "IP4" })?;
                }
                Some((port, None)) => write!(f, "a=rtcp:{port}\r\n")?,
                None => {}
            }
            if m.rtcp_mux {
                f.write_str("a=rtcp-mux\r\n")?;
            }
            match m.rtcp_xr {
                Xr { voip: true, round_trip: true } => f.write_str("a=rtcp-xr:rcvr-rtt=all voip-metrics\r\n")?,
                Xr { voip: true, .. } => f.write_str("a=rtcp-xr:voip-metrics\r\n")?,
                Xr { round_trip: true, .. } => f.write_str("a=rtcp-xr:rcvr-rtt=all\r\n")?,
                Xr { .. } => {}
            }
            m.cryptos.iter().try_for_each(|c| write!(f, "a=crypto:{c}\r\n"))?;
            transport(f, &m.transport)?;
            for (i, c) in m.candidates.iter().enumerate() {
                let (at, kind) = (c.addr, Word(&c.kind));
                write!(f, "a=candidate:{} 1 udp {} {} {} typ {kind}\r\n", i + 1, c.priority, at.ip(), at.port())?;
            }
            if m.end_of_candidates {
                f.write_str("a=end-of-candidates\r\n")?;
            }
            direction(f, m.direction)?;
        }
        Ok(())
    }
}

fn connection(f: &mut fmt::Formatter<'_>, c: Option<&Connection>) -> fmt::Result {
    match c {
        None => Ok(()),
        Some(Connection::Ip(ip)) => write!(f, "c=IN {} {ip}\r\n", if ip.is_ipv6() { "IP6" } else { "IP4" }),
        Some(Connection::Other(text)) => {
            write!(f, "c=IN {} {}\r\n", if text.contains(':') { "IP6" } else { "IP4" }, Word(text))
        }
    }
}

fn transport(f: &mut fmt::Formatter<'_>, t: &Transport) -> fmt::Result {
    if let Some(ice) = &t.ice {
        let pwd = String::from_utf8_lossy(&ice.pwd.0);
        write!(f, "a=ice-ufrag:{}\r\na=ice-pwd:{}\r\n", Word(&ice.ufrag), Word(&pwd))?;
    }
    if let Some(hash) = &t.fingerprint {
        f.write_str("a=fingerprint:sha-256 ")?;
        for (i, b) in hash.iter().enumerate() {
            write!(f, "{}{b:02X}", if i == 0 { "" } else { ":" })?;
        }
        f.write_str("\r\n")?;
    }
    let setup = match t.setup {
        None => return Ok(()),
        Some(Setup::Active) => "active",
        Some(Setup::Passive) => "passive",
        Some(Setup::ActPass) => "actpass",
    };
    write!(f, "a=setup:{setup}\r\n")
}

fn direction(f: &mut fmt::Formatter<'_>, d: Option<Direction>) -> fmt::Result {
    let word = match d {
        None => return Ok(()),
        Some(Direction::SendRecv) => "sendrecv",
        Some(Direction::SendOnly) => "sendonly",
        Some(Direction::RecvOnly) => "recvonly",
        Some(Direction::Inactive) => "inactive",
    };
    write!(f, "a={word}\r\n")
}
