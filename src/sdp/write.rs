//! From [`Session`] to bytes.

use std::fmt::{self, Write};

use media::wire::Direction;

use super::{Connection, Session};

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
        direction(f, self.direction)?;
        for m in &self.media {
            write!(f, "m={} {} {}", Word(&m.kind), m.port, Word(&m.proto))?;
            m.formats.iter().try_for_each(|t| write!(f, " {}", Word(t)))?;
            f.write_str("\r\n")?;
            connection(f, m.connection.as_ref())?;
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
