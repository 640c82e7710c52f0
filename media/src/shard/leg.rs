//! One party: where its packets may come from, what is played to it, what it has seen.

use std::{
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use super::{
    Out, Plane, Slot,
    live::Live,
    outgoing::{Outgoing, Piece, Target},
    play::Playing,
    recorder::{self, Recorder, Said, Source, Tap},
    sample::{Sample, Verdict},
};
use crate::{
    dsp::{agc::Agc, level::Dead},
    dtmf,
    limits::{FRAME, FRAME_TIME, JITTER_DELAY_MAX, PAYLOAD_SENT_MAX},
    playout::Playout,
    rtp::{length, stats},
    secure::Guard,
    time::{At, Chance},
    wire::{BridgeId, Codec, Direction, Event, LegId, Rate, RecordId, Remote, Stats, VoipMetrics},
};

#[derive(Debug)]
pub(super) struct Leg {
    pub id: LegId,
    pub slot: Slot,
    /// Which quarter of the 20 ms this leg has its tick in, and what it adds to that.
    pub phase: u64,
    pub load: u32,
    pub remote: Option<Remote>,
    pub latched: Option<SocketAddr>,
    pub rtcp_latched: Option<SocketAddr>,
    pub out: Outgoing,
    pub received: stats::Receiver,
    pub stats: Stats,
    pub dtmf_in: dtmf::receive::Receiver,
    pub dtmf_out: dtmf::send::Sender,
    pub play: Option<Box<Playing>>,
    pub bridge: Option<BridgeId>,
    /// In a relay: who gets what this leg says.
    pub relay_to: Option<Slot>,
    /// In a mix: its rate.
    pub mixed: Option<Rate>,
    /// What this leg says, decoded on the tick: in a mix, or where somebody listens to it.
    pub ear: Option<Box<Ear>>,
    /// The recordings that listen.
    pub taps: Vec<Tap>,
    /// Who else listens, and for what.
    pub live: Option<Box<Live>>,
    /// What the peer says need not be handed over at once.
    pub gathers: bool,
    /// On the list of those with something to do every 20 ms.
    pub awake: bool,
    /// When something valid was last received, or watching began.
    pub heard: At,
    pub watch: Option<Duration>,
    pub watch_said: bool,
    /// While watched: whether what arrives is anybody's sound.
    pub dead: Option<Dead>,
    /// While watched and not decoded: what it is judged by.
    pub sample: Option<Box<Sample>>,
    pub report_due: Option<At>,
    /// When figures are next said unasked.
    pub stats_due: Option<At>,
    /// The peer's last receiver reference time: who said it, its middle 32 bits, and when it came.
    pub peer_time: Option<(u32, u32, At)>,
    /// Packets sent when the last report went out.
    pub reported_out: u64,
    pub cname: Box<str>,
    /// Phase of an in-band digit, samples since its start.
    pub inband: u32,
    /// Ticks of a mix in which this leg was silent, up to what makes it one of the audience.
    pub still: u8,
}

/// The way from packets to frames, and at which rate.
#[derive(Debug)]
pub(super) struct Ear {
    pub rate: Rate,
    pub codec: Codec,
    pub playout: Playout,
    /// Its loudness among others.
    pub gain: Agc,
}

impl Leg {
    pub fn new(now: At, id: LegId, chance: &mut Chance) -> Self {
        Self {
            id,
            slot: Slot(0),
            phase: 0,
            load: 0,
            remote: None,
            latched: None,
            rtcp_latched: None,
            out: Outgoing::new(chance),
            received: stats::Receiver::default(),
            stats: Stats::default(),
            dtmf_in: dtmf::receive::Receiver::default(),
            dtmf_out: dtmf::send::Sender::default(),
            play: None,
            bridge: None,
            relay_to: None,
            mixed: None,
            ear: None,
            taps: Vec::new(),
            live: None,
            gathers: false,
            awake: false,
            heard: now,
            watch: None,
            watch_said: false,
            dead: None,
            sample: None,
            report_due: None,
            stats_due: None,
            peer_time: None,
            reported_out: 0,
            cname: format!("{:016x}", chance.bits()).into(),
            inband: 0,
            still: 0,
        }
    }

    /// What was agreed, first time or again. A new address or codec begins anew; everything else goes on.
    pub fn agree(&mut self, now: At, remote: Remote) {
        let moved = self.remote.as_ref().is_none_or(|r| (r.rtp, r.rtcp, r.nat) != (remote.rtp, remote.rtcp, remote.nat));
        if moved {
            (self.latched, self.rtcp_latched) = (None, None);
        }
        if self.remote.as_ref().is_none_or(|r| (r.codec, r.send_pt) != (remote.codec, remote.send_pt)) {
            self.out.interrupt(now, remote.codec.clock_hz());
            self.received.set_clock(remote.codec.clock_hz());
        }
        self.remote = Some(remote);
    }

    /// The agreed codec.
    pub fn codec(&self) -> Option<Codec> {
        self.remote.as_ref().map(|r| r.codec)
    }

    /// The highest rate at which it makes sense to hear and be heard.
    pub fn best_rate(&self) -> Rate {
        match &self.remote {
            Some(Remote { codec: Codec::Opus, opus, .. }) => opus.rate,
            Some(r) => r.codec.sample_rate(),
            None => Rate::K8,
        }
    }

    /// Be able to hear at this rate, or stop hearing.
    pub fn listen(&mut self, rate: Option<Rate>) {
        let wanted = rate.zip(self.codec());
        if let Some(ear) = self.ear.take_if(|e| wanted != Some((e.rate, e.codec))) {
            self.stats.concealed_ms += ear.playout.concealed_ms();
        }
        if let Some((rate, codec)) = wanted.filter(|_| self.ear.is_none()) {
            self.ear =
                Some(Box::new(Ear { rate, codec, playout: Playout::new(codec, rate, self.out.ssrc), gain: Agc::default() }));
        }
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
        let mut ptime_ms = u32::from(r.codec.ptime_ms(r.ptime_ms.clamp(10, 60)));
        // Linear sound is large: no packet is to be cut in pieces on its way.
        if let Some(bytes) = length::bytes(r.codec, ptime_ms).filter(|n| *n > PAYLOAD_SENT_MAX) {
            ptime_ms /= bytes.div_ceil(PAYLOAD_SENT_MAX) as u32;
        }
        let to = self.reach(self.latched, r.rtp)?;
        Some(Target { slot: self.slot, to, pt: r.send_pt, codec: r.codec, opus: r.opus, ptime_ms, comfort_pt: r.cn_pt })
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

    /// Whether nobody needs what the peer says the moment it comes: nobody hears or records it, no key is down, and checks of
    /// the way and reports come elsewhere.
    pub fn is_unheard(&self) -> bool {
        self.relay_to.is_none()
            && self.ear.is_none()
            && self.taps.is_empty()
            && !self.dtmf_in.holds()
            && self.latched.is_some()
            && self.remote.as_ref().is_some_and(|r| r.ice.is_none() && r.rtcp != r.rtp)
    }

    /// Whether something of our own takes the place of what the bridge says.
    pub fn occupied(&self) -> bool {
        self.play.is_some() || self.dtmf_out.busy()
    }

    /// One frame of sound at `rate` to this leg, and to those who record what it hears.
    pub fn say(&mut self, now: At, sound: (Rate, &[i16]), records: &mut BTreeMap<RecordId, Recorder>, out: &mut impl Out) {
        let Some(t) = self.target() else { return };
        let source = Source { leg: self.id, said: Said::ToLeg, ssrc: self.out.ssrc, codec: t.codec };
        let taps = &self.taps;
        self.out.frame(now, &t, sound, out, |ts, payload, out| {
            recorder::hear(records, taps, now, source, ts, payload, out);
        });
    }

    /// The same for sound that was encoded for others, too: `packet` writes the payload of each packet that is due.
    pub fn say_shared(
        &mut self,
        now: At,
        t: &Target,
        records: &mut BTreeMap<RecordId, Recorder>,
        out: &mut impl Out,
        packet: impl FnMut(&mut [u8]) -> Piece,
    ) {
        let source = Source { leg: self.id, said: Said::ToLeg, ssrc: self.out.ssrc, codec: t.codec };
        let taps = &self.taps;
        self.out.shared(now, t, out, packet, |ts, payload, out| {
            recorder::hear(records, taps, now, source, ts, payload, out);
        });
    }

    /// Silence in one packet, to keep the way open.
    pub fn keep_alive(&mut self, now: At, records: &mut BTreeMap<RecordId, Recorder>, out: &mut impl Out) {
        if let Some(t) = self.target() {
            if t.codec == Codec::Opus {
                // 20 ms of nothing (RFC 6716: CELT, one frame); not worth an encoder.
                let t = Target { ptime_ms: 20, ..t };
                self.say_shared(now, &t, records, out, |room| {
                    room[..3].copy_from_slice(&[0xF8, 0xFF, 0xFE]);
                    Piece { length: 3, silence: None }
                });
            } else {
                self.say(now, (Rate::K8, &[0; FRAME]), records, out);
            }
        }
        // Counted as sent even when a long packet time still holds it back, or nothing may be sent.
        self.out.last = Some(now);
    }

    /// Some of what this leg says, which stands for `time`: is its microphone dead?
    pub fn check_alive(&mut self, pcm: &[i16], time: Duration, out: &mut impl Out) {
        if self.dead.as_mut().is_some_and(|d| d.frame(pcm, time)) {
            out.event(Event::Quiet { leg: self.id });
        }
    }

    /// The same where it is not decoded packet by packet. Not on the way of a packet.
    pub fn check_sample(&mut self, now: At, out: &mut impl Out) {
        let watched = self.codec().filter(|_| self.dead.is_some() && self.ear.is_none());
        if self.sample.as_ref().map(|s| s.codec()) != watched {
            self.sample = watched.and_then(Sample::of);
        }
        let Some(verdict) = self.sample.as_mut().and_then(|s| s.judge(now)) else { return };
        let Some(dead) = &mut self.dead else { return };
        match verdict {
            Verdict::Alive => dead.heard(),
            Verdict::Dead(time) if dead.silent(time) => out.event(Event::Quiet { leg: self.id }),
            Verdict::Dead(_) => {}
        }
    }

    /// Whether there is something to do for it every 20 ms.
    pub fn busy(&self) -> bool {
        self.occupied()
            || self.dtmf_in.holds()
            || self.ear.is_some() && self.mixed.is_none()
            || self.out.last.is_none() && self.remote.is_some()
    }

    /// How what the peer sends sounds here.
    pub fn voip_metrics(&self, now: At) -> VoipMetrics {
        let (stats, (loss, lie, burst_ms, gap_ms)) = (self.stats(), self.received.losses());
        let came = stats.packets_in + stats.lost + stats.discarded;
        let delay = self.ear.as_ref().and_then(|e| e.playout.delay(now));
        let ms = |d: Duration| u16::try_from(d.as_millis()).unwrap_or(u16::MAX);
        let buffer_ms = delay.map_or(0, ms);
        VoipMetrics {
            loss,
            discard: (stats.discarded * 256 / came.max(1)).min(255) as u8,
            burst_density: lie.burst_density,
            gap_density: lie.gap_density,
            burst_ms,
            gap_ms,
            round_trip_ms: stats.rtt_us.map_or(0, |us| u16::try_from(us / 1_000).unwrap_or(u16::MAX)),
            // A relay keeps nothing; whoever is decoded waits for its buffer and for the tick.
            end_system_ms: delay.map_or(0, |d| ms(d + FRAME_TIME)),
            r_factor: stats.r_factor().map(|r| r.round() as u8),
            mos_listening: stats.mos_listening(),
            mos_conversation: stats.mos(),
            buffer_ms,
            buffer_max_ms: if delay.is_some() { ms(JITTER_DELAY_MAX) } else { 0 },
        }
    }

    /// The figures of this moment.
    pub fn stats(&self) -> Stats {
        Stats {
            packets_out: self.out.packets,
            bytes_out: self.out.bytes,
            lost: self.received.lost(),
            jitter_us: self.received.jitter_us(),
            concealed_ms: self.stats.concealed_ms + self.ear.as_ref().map_or(0, |e| e.playout.concealed_ms()),
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
