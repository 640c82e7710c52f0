//! One party: where its packets may come from, what is played to it, what it has seen.

use std::{
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use super::{
    Out, Plane, Slot,
    outgoing::{Outgoing, Target},
    recorder::{self, Recorder, Said, Source, Tap},
};
use crate::{
    codec::{Decoder, Encoder},
    dtmf,
    jitter::Jitter,
    limits::{FRAME, PLAY_CLIPS_MAX, SAMPLES_PER_MS},
    rtp::stats,
    secure::Guard,
    time::{At, Chance},
    wire::{BridgeId, Clip, Codec, Direction, LegId, Opus, PlayId, Rate, RecordId, Remote, Repeat, Stats},
};

#[derive(Debug)]
pub(super) struct Leg {
    pub id: LegId,
    pub slot: Slot,
    /// Which quarter of the 20 ms this leg sends in.
    pub phase: u64,
    pub remote: Option<Remote>,
    pub latched: Option<SocketAddr>,
    pub rtcp_latched: Option<SocketAddr>,
    pub out: Outgoing,
    pub encoder: Encoder,
    pub decoder: Decoder,
    pub received: stats::Receiver,
    pub stats: Stats,
    pub dtmf_in: dtmf::receive::Receiver,
    pub dtmf_out: dtmf::send::Sender,
    pub play: Option<Playing>,
    pub bridge: Option<BridgeId>,
    /// In a relay: who gets what this leg says.
    pub relay_to: Option<Slot>,
    /// In a mix: what this leg said, waiting for the tick.
    pub jitter: Option<Jitter>,
    pub taps: Vec<Tap>,
    /// When something valid was last received, or watching began.
    pub heard: At,
    pub watch: Option<Duration>,
    pub watch_said: bool,
    pub report_due: Option<At>,
    /// Packets sent when the last report went out.
    pub reported_out: u64,
    pub cname: String,
    /// Phase of an in-band digit, samples since its start.
    pub inband: u32,
}

/// A playback and how far it is.
#[derive(Debug)]
pub(super) struct Playing {
    pub id: PlayId,
    clips: Vec<Arc<Clip>>,
    repeat: Repeat,
    clip: usize,
    at: usize,
}

impl Playing {
    pub fn new(id: PlayId, mut clips: Vec<Arc<Clip>>, repeat: Repeat) -> Self {
        clips.truncate(PLAY_CLIPS_MAX);
        clips.retain(|c| !c.pcm.is_empty());
        Self { id, clips, repeat, clip: 0, at: 0 }
    }

    /// The next 20 ms, filled up with silence at the very end. `false`: nothing is left.
    pub fn frame(&mut self, out: &mut [i16; FRAME]) -> bool {
        let mut filled = 0;
        while filled < FRAME {
            let Some(clip) = self.clips.get(self.clip) else {
                if self.repeat == Repeat::Forever && !self.clips.is_empty() {
                    self.clip = 0;
                    continue;
                }
                break;
            };
            let n = (clip.pcm.len() - self.at).min(FRAME - filled);
            out[filled..filled + n].copy_from_slice(&clip.pcm[self.at..self.at + n]);
            (filled, self.at) = (filled + n, self.at + n);
            if self.at == clip.pcm.len() {
                (self.clip, self.at) = (self.clip + 1, 0);
            }
        }
        out[filled..].fill(0);
        filled > 0
    }
}

impl Leg {
    pub fn new(now: At, id: LegId, chance: &mut Chance) -> Self {
        Self {
            id,
            slot: Slot(0),
            phase: 0,
            remote: None,
            latched: None,
            rtcp_latched: None,
            out: Outgoing::new(chance),
            encoder: Encoder::new(Codec::Pcmu, Rate::K8, Opus::default()),
            decoder: Decoder::new(Codec::Pcmu, Rate::K8),
            received: stats::Receiver::default(),
            stats: Stats::default(),
            dtmf_in: dtmf::receive::Receiver::default(),
            dtmf_out: dtmf::send::Sender::default(),
            play: None,
            bridge: None,
            relay_to: None,
            jitter: None,
            taps: Vec::new(),
            heard: now,
            watch: None,
            watch_said: false,
            report_due: None,
            reported_out: 0,
            cname: format!("{:016x}", chance.bits()),
            inband: 0,
        }
    }

    /// What was agreed, first time or again. A new address or codec begins anew; everything else goes on.
    pub fn agree(&mut self, remote: Remote) {
        let moved = self.remote.as_ref().is_none_or(|r| (r.rtp, r.rtcp, r.nat) != (remote.rtp, remote.rtcp, remote.nat));
        if moved {
            (self.latched, self.rtcp_latched) = (None, None);
        }
        if self.remote.as_ref().is_none_or(|r| (r.codec, r.send_pt) != (remote.codec, remote.send_pt)) {
            self.encoder = Encoder::new(remote.codec, Rate::K8, remote.opus);
            self.decoder = Decoder::new(remote.codec, Rate::K8);
            self.out.interrupt();
        }
        self.remote = Some(remote);
    }

    /// Whether RTP from here counts: from the latched address, or before that from the announced one, or for a peer behind a
    /// NAT from any port of the address its signalling came from.
    pub fn admits(&self, from: SocketAddr) -> bool {
        if let Some(checks) = self.checks() {
            return checks.admits(from);
        }
        match (self.latched, &self.remote) {
            (Some(latched), _) => latched == from,
            (None, Some(r)) => r.rtp == from || r.nat == Some(from.ip()),
            (None, None) => false,
        }
    }

    /// The same for RTCP, which has a port of its own.
    pub fn admits_rtcp(&self, from: SocketAddr) -> bool {
        match (self.rtcp_latched, &self.remote) {
            (Some(latched), _) => latched == from,
            (None, Some(r)) => r.rtcp == from || r.nat == Some(from.ip()),
            (None, None) => false,
        }
    }

    /// Where and how to send sound; `None` while nothing may be sent.
    pub fn target(&self) -> Option<Target> {
        let r = self.remote.as_ref()?;
        let shut = self.out.guard.as_ref().is_some_and(|g| g.is_shut());
        if shut || !matches!(r.direction, Direction::SendRecv | Direction::SendOnly) {
            return None;
        }
        let ptime = usize::from(r.ptime_ms.clamp(10, 60)) * SAMPLES_PER_MS as usize;
        Some(Target { slot: self.slot, to: self.reach(self.latched, r.rtp)?, pt: r.send_pt, ptime })
    }

    /// The same for telephone events; `None` also when the peer did not agree to them.
    pub fn event_target(&self) -> Option<Target> {
        let (pt, _) = self.remote.as_ref()?.dtmf_pt?;
        Some(Target { pt, ..self.target()? })
    }

    /// Where reports go, and from which socket.
    pub fn rtcp_target(&self) -> Option<(Plane, SocketAddr)> {
        let r = self.remote.as_ref()?;
        if r.rtcp == r.rtp {
            return Some((Plane::Rtp, self.reach(self.latched, r.rtp)?));
        }
        Some((Plane::Rtcp, self.reach(self.rtcp_latched, r.rtcp)?))
    }

    /// The latched address, or the announced one if it means anything from here: `0.0.0.0` and port 0 are how old phones say
    /// "hold", and a private address of somebody behind a NAT is some other machine in our own network.
    fn reach(&self, latched: Option<SocketAddr>, announced: SocketAddr) -> Option<SocketAddr> {
        if let Some(checks) = self.checks() {
            return checks.target();
        }
        let nat = self.remote.as_ref().and_then(|r| r.nat);
        let elsewhere = nat.is_some_and(|nat| nat != announced.ip() && private(announced.ip()));
        let said = (!announced.ip().is_unspecified() && announced.port() != 0).then_some(announced);
        latched.filter(|_| said.is_some()).or(said.filter(|_| !elsewhere))
    }

    /// The guard, if the peer checks connectivity: then addresses are its business.
    fn checks(&self) -> Option<&Guard> {
        self.out.guard.as_deref().filter(|g| g.decides_addresses())
    }

    /// Whether the peer may send.
    pub fn listens(&self) -> bool {
        self.remote.as_ref().is_some_and(|r| matches!(r.direction, Direction::SendRecv | Direction::RecvOnly))
    }

    /// Whether something of our own takes the place of what the bridge says.
    pub fn occupied(&self) -> bool {
        self.play.is_some() || self.dtmf_out.busy()
    }

    /// One frame of sound to this leg, and to those who record what it hears.
    pub fn say(&mut self, now: At, pcm: &[i16; FRAME], records: &mut BTreeMap<RecordId, Recorder>, out: &mut impl Out) {
        let (Some(t), Some(codec)) = (self.target(), self.remote.as_ref().map(|r| r.codec)) else { return };
        let source = Source { leg: self.id, said: Said::ToLeg, ssrc: self.out.ssrc, codec };
        let taps = &self.taps;
        self.out.frame(now, &t, &mut self.encoder, pcm, out, |ts, payload, out| {
            recorder::hear(records, taps, now, source, ts, payload, out);
        });
    }

    /// The figures of this moment.
    pub fn stats(&self) -> Stats {
        Stats {
            packets_out: self.out.packets,
            bytes_out: self.out.bytes,
            lost: self.received.lost(),
            jitter_us: self.received.jitter_us(),
            ..self.stats
        }
    }
}

/// Addresses that mean something only inside somebody's network (RFC 1918, RFC 6598, RFC 4193, loopback, link-local).
fn private(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(v4) => {
            let [a, b, ..] = v4.octets();
            v4.is_private() || v4.is_loopback() || v4.is_link_local() || (a == 100 && (64..128).contains(&b))
        }
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local(),
    }
}
