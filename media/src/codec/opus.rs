//! Opus (RFC 6716) with the library the standard's authors keep: one channel, made for speech.

use crate::wire::{self, Rate};
use audiopus::{
    Application, Bandwidth, Bitrate, Channels, MutSignals, SampleRate, Signal,
    coder::{Decoder as LibDecoder, Encoder as LibEncoder},
    packet::Packet,
};

/// How hard an encoder tries at first.
const COMPLEXITY: u8 = 5;
/// Loss to be armed against before the peer reported any, if it asks for forward error correction.
const LOSS_PERCENT: u8 = 5;

const fn lib_rate(rate: Rate) -> SampleRate {
    match rate {
        Rate::K8 => SampleRate::Hz8000,
        Rate::K16 => SampleRate::Hz16000,
        Rate::K48 => SampleRate::Hz48000,
    }
}

/// Linear sound to packets.
#[derive(Debug)]
pub struct Encoder {
    lib: LibEncoder,
    dtx: bool,
}

impl Encoder {
    /// For sound at `rate`, within what the peer asks.
    pub fn new(rate: Rate, asked: wire::Opus) -> Self {
        let lib = LibEncoder::new(lib_rate(rate), Channels::Mono, Application::Voip).expect("an Opus encoder has memory");
        let mut encoder = Self { lib, dtx: asked.dtx };
        let heard = rate.min(asked.rate);
        let (bandwidth, suits) = match heard {
            Rate::K8 => (Bandwidth::Narrowband, 16_000),
            Rate::K16 => (Bandwidth::Wideband, 24_000),
            Rate::K48 => (Bandwidth::Fullband, 32_000),
        };
        // RFC 7587 section 6.1 has 6 to 510 kbit/s.
        let bits = asked.bitrate.map_or(suits, |most| most.min(suits)).max(6_000);
        [
            encoder.lib.set_max_bandwidth(bandwidth),
            encoder.lib.set_bitrate(Bitrate::BitsPerSecond(bits as i32)),
            encoder.lib.set_signal(Signal::Voice),
            encoder.lib.set_inband_fec(asked.fec),
            encoder.lib.set_dtx(asked.dtx),
        ]
        .into_iter()
        .collect::<Result<(), _>>()
        .expect("libopus knows the settings of its own documentation");
        encoder.set_complexity(COMPLEXITY);
        encoder.set_loss(LOSS_PERCENT);
        encoder
    }

    /// 0 (cheap) to 10 (best).
    pub fn set_complexity(&mut self, complexity: u8) {
        self.lib.set_complexity(complexity.min(10)).expect("0 to 10 are complexities");
    }

    /// How many packets of a hundred the peer misses: decides how much is spent on forward error correction.
    pub fn set_loss(&mut self, percent: u8) {
        self.lib.set_packet_loss_perc(percent.min(100)).expect("0 to 100 are percentages");
    }

    /// One packet of 2.5, 5, 10, 20, 40 or 60 ms; its length. 0: no such frame, no room, or a silence not worth a packet.
    pub fn encode(&mut self, pcm: &[i16], out: &mut [u8]) -> usize {
        match self.lib.encode(pcm, out) {
            // One or two bytes are a packet that need not be sent (RFC 7587 section 3.1.3).
            Ok(n) if self.dtx && n <= 2 => 0,
            Ok(n) => n,
            Err(_) => 0,
        }
    }
}

/// Packets to linear sound; stereo comes out as one channel.
#[derive(Debug)]
pub struct Decoder {
    lib: LibDecoder,
    /// Samples in 2.5 ms, of which every frame is a multiple.
    grain: usize,
}

impl Decoder {
    /// With sound at `rate`.
    pub fn new(rate: Rate) -> Self {
        let lib = LibDecoder::new(lib_rate(rate), Channels::Mono).expect("an Opus decoder has memory");
        Self { lib, grain: rate.samples(5) / 2 }
    }

    /// See [`super::Decoder::decode`].
    pub fn decode(&mut self, payload: &[u8], out: &mut [i16]) -> usize {
        self.run(Some(payload), out, false)
    }

    /// See [`super::Decoder::conceal`].
    pub fn conceal(&mut self, out: &mut [i16]) -> usize {
        let whole = out.len() / self.grain * self.grain;
        self.run(None, &mut out[..whole], false)
    }

    /// See [`super::Decoder::recover`].
    pub fn recover(&mut self, next_payload: &[u8], out: &mut [i16]) -> usize {
        let whole = out.len() / self.grain * self.grain;
        self.run(Some(next_payload), &mut out[..whole], true)
    }

    fn run(&mut self, payload: Option<&[u8]>, out: &mut [i16], fec: bool) -> usize {
        let Ok(packet) = payload.map(Packet::try_from).transpose() else { return 0 };
        let Ok(signals) = MutSignals::try_from(out) else { return 0 };
        self.lib.decode(packet, signals, fec).unwrap_or(0)
    }
}
