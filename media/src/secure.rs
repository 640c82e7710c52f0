//! What stands between a leg and the network: who may send to it, and what protects its packets.
//!
//! One [`Guard`] a leg, boxed, so that a leg without one pays a pointer. It takes every datagram of the leg, answers
//! connectivity checks and handshakes itself, and hands on opened RTP and RTCP; what the leg sends goes through it, too. There is
//! no way round it to a weaker protection: before keys are there nothing is taken and nothing sent.
//!
//! | first byte (RFC 7983) | is | goes to |
//! |---|---|---|
//! | 0..3 | STUN | `ice` |
//! | 20..63 | DTLS | `dtls` |
//! | 128..191 | RTP, RTCP | `srtp`, then the leg |

use std::net::SocketAddr;

use crate::{
    dtls::{self, Association, Outcome},
    ice::{self, stun::ANSWER_MAX},
    limits::{DATAGRAM_MAX, OLD_KEYS},
    rtp::packet::looks_like_rtcp,
    shard::Plane,
    srtp::{BadKey, GROWTH_MAX, Receiver, Refused, Sender},
    time::At,
    wire::{Ice, Remote, Security},
};

/// Room for the largest packet once it is protected, bytes.
pub const ROOM: usize = DATAGRAM_MAX + GROWTH_MAX;

/// What a guard does to the world. Called in the middle of its work: must not call back.
pub trait Outside {
    /// Send from the leg's RTP socket.
    fn send(&mut self, to: SocketAddr, packet: &[u8]);
    /// Keys came out of a handshake: sound flows.
    fn secured(&mut self);
    /// There will be no keys until something new is agreed.
    fn unsecured(&mut self, reason: &'static str);
}

/// What a datagram is to the leg.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Incoming {
    /// A clear RTP packet of this length now lies where the datagram lay.
    Rtp(usize),
    /// The same of a compound RTCP packet.
    Rtcp(usize),
    /// It was for the guard.
    Done,
    /// Not for us, or not now: no answer.
    Foreign,
    /// Its tag is wrong, or it came before: no answer.
    Unauthentic,
}

/// Keys of both directions.
#[derive(Debug)]
struct Keys {
    sender: Sender,
    receiver: Receiver,
    /// What the peer sent under its last key is still on its way: until the first packet under the new one, or this long.
    before: Option<(Receiver, At)>,
}

#[derive(Debug)]
enum Mode {
    Clear,
    /// Nothing may be sent or taken: a handshake is not done, or keys are no keys.
    Shut,
    Open(Box<Keys>),
}

/// See the module.
#[derive(Debug)]
pub struct Guard {
    ice: Option<ice::Agent>,
    agreed: Security,
    mode: Mode,
    dtls: Option<Box<Association>>,
    /// Where handshakes go: the announced address, or where the peer's first one came from, or by its checks.
    peer: Option<SocketAddr>,
    target: Option<SocketAddr>,
}

impl Guard {
    fn new() -> Self {
        Self { ice: None, agreed: Security::Clear, mode: Mode::Clear, dtls: None, peer: None, target: None }
    }

    /// Our credentials for a peer that checks connectivity; other ones later are a restart. Nothing is taken or sent before
    /// something was agreed.
    pub fn credentials(guard: &mut Option<Box<Guard>>, ours: &Ice) {
        let fresh = guard.is_none();
        let guard = guard.get_or_insert_with(|| Box::new(Self::new()));
        if fresh {
            guard.mode = Mode::Shut;
        }
        match &mut guard.ice {
            Some(agent) => agent.restart(ours),
            None => guard.ice = Some(ice::Agent::new(ours)),
        }
    }

    /// What was agreed, first time or again. What is the same as before goes on as before.
    pub fn agree(guard: &mut Option<Box<Guard>>, now: At, remote: &Remote, out: &mut impl Outside) {
        if guard.is_none() && remote.security == Security::Clear {
            return;
        }
        let g = guard.get_or_insert_with(|| Box::new(Self::new()));
        match (&mut g.ice, &remote.ice) {
            (Some(agent), Some(theirs)) => agent.peer(theirs),
            // The peer does not check connectivity after all (RFC 8445 section 5.4): addresses are as announced.
            (Some(_), None) => g.ice = None,
            (None, _) => {}
        }
        if g.ice.is_none() && remote.security == Security::Clear {
            *guard = None;
            return;
        }
        if g.ice.is_none() {
            g.peer = (!remote.rtp.ip().is_unspecified() && remote.rtp.port() != 0).then_some(remote.rtp);
        }
        g.secure(now, &remote.security, out);
    }

    fn secure(&mut self, now: At, security: &Security, out: &mut impl Outside) {
        match security {
            Security::Clear => self.mode = Mode::Clear,
            _ if *security == self.agreed && !matches!(self.mode, Mode::Clear) => {}
            Security::Sdes { send, receive } => {
                let old = match &self.agreed {
                    Security::Sdes { send, receive } => Some((send.clone(), receive.clone())),
                    _ => None,
                };
                let keys = match std::mem::replace(&mut self.mode, Mode::Shut) {
                    Mode::Open(keys) => Some(*keys),
                    Mode::Clear | Mode::Shut => None,
                };
                let same = (old.as_ref().is_some_and(|o| o.0 == *send), old.as_ref().is_some_and(|o| o.1 == *receive));
                match rekey(keys, same, || Sender::new(send), || Receiver::new(receive), now) {
                    Ok(keys) => self.mode = Mode::Open(Box::new(keys)),
                    Err(BadKey) => out.unsecured("a key has not the length its suite asks for"),
                }
            }
            // Another role or certificate is another association (RFC 8842 section 4): what the last one gave is over.
            Security::Dtls { role, fingerprint } => {
                self.mode = Mode::Shut;
                self.dtls = Some(Box::new(Association::new(dtls::identity(), *role, *fingerprint)));
                self.start(now, out);
            }
        }
        if !matches!(security, Security::Dtls { .. }) {
            self.dtls = None;
        }
        self.agreed = security.clone();
    }

    /// As the client of a handshake, begin it once the way is known.
    fn start(&mut self, now: At, out: &mut impl Outside) {
        let to = if self.ice.is_some() { self.target } else { self.peer };
        if let (Some(dtls), Some(to)) = (&mut self.dtls, to) {
            let outcome = dtls.start(now, &mut |packet| out.send(to, packet));
            self.became(now, outcome, out);
        }
    }

    fn became(&mut self, now: At, outcome: Outcome, out: &mut impl Outside) {
        match outcome {
            Outcome::Going => {}
            Outcome::Keys(new) => {
                let keys = match std::mem::replace(&mut self.mode, Mode::Shut) {
                    Mode::Open(keys) => Some(*keys),
                    Mode::Clear | Mode::Shut => None,
                };
                let made = rekey(keys, (false, false), || Sender::new(&new.send), || Receiver::new(&new.receive), now);
                self.mode = Mode::Open(Box::new(made.expect("a handshake cuts its keys to the length of their suite")));
                out.secured();
            }
            // A handshake over again that fails leaves the keys of the last one.
            Outcome::Failed(reason) if self.is_shut() => out.unsecured(reason),
            Outcome::Failed(_) => {}
        }
    }

    /// Whether this leg's peer is where its connectivity checks came from, whatever was announced.
    pub fn decides_addresses(&self) -> bool {
        self.ice.is_some()
    }

    /// Whether the peer proved by its checks to be there.
    pub fn admits(&self, from: SocketAddr) -> bool {
        self.ice.as_ref().is_some_and(|a| a.admits(from))
    }

    /// Where the peer wants to be sent to by its connectivity checks: `None` before the first and 30 s after the last one, and
    /// for a peer that does not check ([`Self::decides_addresses`]).
    pub fn target(&self) -> Option<SocketAddr> {
        self.target
    }

    /// Nothing may be sent yet, or any more.
    pub fn is_shut(&self) -> bool {
        matches!(self.mode, Mode::Shut)
    }

    /// A datagram came in. `admitted`: the leg would take packets from there; counts for a peer that does not check
    /// connectivity.
    pub fn incoming(
        &mut self,
        now: At,
        plane: Plane,
        from: SocketAddr,
        admitted: bool,
        bytes: &mut [u8],
        out: &mut impl Outside,
    ) -> Incoming {
        let admitted = self.ice.as_ref().map_or(admitted, |a| plane == Plane::Rtp && a.admits(from));
        match bytes.first() {
            Some(0..=3) if plane == Plane::Rtp => self.check(now, from, bytes, out),
            Some(20..=63) if admitted && plane == Plane::Rtp => self.handshake(now, from, bytes, out),
            Some(128..=191) if admitted => self.open(now, plane == Plane::Rtcp || looks_like_rtcp(bytes), bytes),
            _ => Incoming::Foreign,
        }
    }

    fn check(&mut self, now: At, from: SocketAddr, bytes: &[u8], out: &mut impl Outside) -> Incoming {
        let Some(agent) = &mut self.ice else { return Incoming::Foreign };
        let mut answer = [0; ANSWER_MAX];
        let n = match agent.handle(now, from, bytes, &mut answer) {
            ice::What::Foreign => return Incoming::Foreign,
            ice::What::Checked(n) | ice::What::Nominated(n) | ice::What::Refused(n) => n,
        };
        self.target = agent.target(now);
        out.send(from, &answer[..n]);
        self.start(now, out);
        Incoming::Done
    }

    fn handshake(&mut self, now: At, from: SocketAddr, bytes: &[u8], out: &mut impl Outside) -> Incoming {
        let Some(dtls) = &mut self.dtls else { return Incoming::Foreign };
        let outcome = dtls.read(now, bytes, &mut |packet| out.send(from, packet));
        self.peer = Some(from);
        self.became(now, outcome, out);
        Incoming::Done
    }

    fn open(&mut self, now: At, rtcp: bool, bytes: &mut [u8]) -> Incoming {
        let opened = match &mut self.mode {
            Mode::Clear => Ok(bytes.len()),
            Mode::Shut => return Incoming::Foreign,
            Mode::Open(keys) => keys.open(now, rtcp, bytes),
        };
        if let (Ok(_), Some(dtls)) = (opened, &mut self.dtls) {
            dtls.arrived();
        }
        match opened {
            Ok(n) if rtcp => Incoming::Rtcp(n),
            Ok(n) => Incoming::Rtp(n),
            Err(Refused::Malformed) => Incoming::Foreign,
            Err(Refused::Unauthentic | Refused::Replayed) => Incoming::Unauthentic,
        }
    }

    /// The packet as it goes out: itself, or protected in `room`. `None`: it must not be sent.
    pub fn protect<'a>(&mut self, rtcp: bool, packet: &'a [u8], room: &'a mut [u8; ROOM]) -> Option<&'a [u8]> {
        match &mut self.mode {
            Mode::Clear => Some(packet),
            Mode::Shut => None,
            Mode::Open(keys) => {
                room.get_mut(..packet.len())?.copy_from_slice(packet);
                let n = if rtcp {
                    keys.sender.protect_rtcp(room, packet.len())?
                } else {
                    keys.sender.protect_rtp(room, packet.len())?
                };
                room.get(..n)
            }
        }
    }

    /// When [`Self::tick`] is due at the latest. `None`: nothing waits.
    pub fn deadline(&self) -> Option<At> {
        self.dtls.as_ref().and_then(|d| d.deadline())
    }

    /// Time passed: handshakes are repeated, consent ends.
    pub fn tick(&mut self, now: At, out: &mut impl Outside) {
        if let Some(agent) = &self.ice {
            self.target = agent.target(now);
        }
        let (Some(dtls), Some(to)) = (&mut self.dtls, self.target.or(self.peer)) else { return };
        if dtls.deadline().is_some_and(|due| due <= now) {
            let outcome = dtls.tick(now, &mut |packet| out.send(to, packet));
            self.became(now, outcome, out);
        }
    }
}

/// Keys where each direction goes on if its key is the same as before. `same`: (send, receive).
fn rekey(
    keys: Option<Keys>,
    same: (bool, bool),
    sender: impl FnOnce() -> Result<Sender, BadKey>,
    receiver: impl FnOnce() -> Result<Receiver, BadKey>,
    now: At,
) -> Result<Keys, BadKey> {
    let Some(keys) = keys else { return Ok(Keys { sender: sender()?, receiver: receiver()?, before: None }) };
    let sender = if same.0 { keys.sender } else { sender()? };
    let (receiver, before) =
        if same.1 { (keys.receiver, keys.before) } else { (receiver()?, Some((keys.receiver, now + OLD_KEYS))) };
    Ok(Keys { sender, receiver, before })
}

impl Keys {
    fn open(&mut self, now: At, rtcp: bool, bytes: &mut [u8]) -> Result<usize, Refused> {
        let read = |r: &mut Receiver, b: &mut [u8]| if rtcp { r.unprotect_rtcp(b) } else { r.unprotect_rtp(b) };
        if self.before.as_ref().is_some_and(|b| b.1 <= now) {
            self.before = None;
        }
        let Some((old, _)) = &mut self.before else { return read(&mut self.receiver, bytes) };
        // A packet that does not open may be spoiled, so the second try needs a copy.
        let mut copy = [0; DATAGRAM_MAX];
        let copy = copy.get_mut(..bytes.len()).ok_or(Refused::Malformed)?;
        copy.copy_from_slice(bytes);
        match read(&mut self.receiver, bytes) {
            Err(Refused::Unauthentic) => {
                bytes.copy_from_slice(copy);
                read(old, bytes)
            }
            Ok(n) => {
                self.before = None;
                Ok(n)
            }
            refused => refused,
        }
    }
}

#[cfg(test)]
mod tests;
