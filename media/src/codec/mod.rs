//! Audio encodings: what they are called, and samples to bytes and back.
//!
//! A codec is a variant of [`Codec`]; [`Encoder`] and [`Decoder`] have an enum of them inside, so that one with memory brings
//! its own state without a trait object on the way of every packet. Both speak linear sound at the rate their owner works
//! at, whatever the codec's own is. Neither allocates after `new`, and neither panics, whatever a peer sends.

pub mod cn;
pub mod g711;
pub mod g722;
#[cfg_attr(not(feature = "opus"), path = "opus_absent.rs")]
pub mod opus;

use crate::{
    dsp::resample::Resampler,
    wire::{self, Codec, Rate},
};

/// The longest a packet may last, milliseconds (Opus: RFC 6716 section 3.2.5).
pub const FRAME_MS_MAX: u32 = 120;
/// Samples of the longest packet at 48 kHz: with so much room nothing is ever cut.
pub const FRAME_MAX: usize = Rate::K48.samples(FRAME_MS_MAX);
/// How hard an encoder with a choice tries at first, of 0 (cheap) to 10 (best).
pub const COMPLEXITY: u8 = 5;
/// Samples coded at once where rates differ: 10 ms at the highest.
const CHUNK: usize = Rate::K48.samples(10);

impl Codec {
    /// Every codec this build can decode and encode, by how well they sound.
    #[cfg(feature = "opus")]
    pub const ALL: &[Codec] =
        &[Codec::Opus, Codec::L16(Rate::K16), Codec::G722, Codec::L16(Rate::K8), Codec::Pcma, Codec::Pcmu];
    /// Every codec this build can decode and encode, by how well they sound.
    #[cfg(not(feature = "opus"))]
    pub const ALL: &[Codec] = &[Codec::L16(Rate::K16), Codec::G722, Codec::L16(Rate::K8), Codec::Pcma, Codec::Pcmu];

    /// Whether this build can decode and encode it.
    pub const fn available(self) -> bool {
        cfg!(feature = "opus") || !matches!(self, Codec::Opus)
    }

    /// Encoding name in SDP (RFC 3551 section 6, RFC 7587 section 7).
    pub const fn name(self) -> &'static str {
        match self {
            Codec::Pcmu => "PCMU",
            Codec::Pcma => "PCMA",
            Codec::G722 => "G722",
            Codec::Opus => "opus",
            Codec::L16(_) => "L16",
        }
    }

    /// RTP clock rate, hertz. Not always the sample rate: G.722 counts at 8000 (RFC 3551 section 4.5.2), Opus always at
    /// 48000 (RFC 7587 section 4.1).
    pub const fn clock_hz(self) -> u32 {
        match self {
            Codec::Pcmu | Codec::Pcma | Codec::G722 => 8_000,
            Codec::Opus => 48_000,
            Codec::L16(rate) => rate.hz(),
        }
    }

    /// The highest sample rate whose sound it carries whole.
    pub const fn sample_rate(self) -> Rate {
        match self {
            Codec::Pcmu | Codec::Pcma => Rate::K8,
            Codec::G722 => Rate::K16,
            Codec::Opus => Rate::K48,
            Codec::L16(rate) => rate,
        }
    }

    /// Channels in `a=rtpmap`: always two for Opus (RFC 7587 section 7), whatever is sent.
    pub const fn channels(self) -> u8 {
        match self {
            Codec::Opus => 2,
            Codec::Pcmu | Codec::Pcma | Codec::G722 | Codec::L16(_) => 1,
        }
    }

    /// Payload type fixed by RFC 3551 table 4, if it has one.
    pub const fn static_pt(self) -> Option<u8> {
        match self {
            Codec::Pcmu => Some(0),
            Codec::Pcma => Some(8),
            Codec::G722 => Some(9),
            Codec::Opus | Codec::L16(_) => None,
        }
    }

    /// The packet time nearest below `asked_ms` the codec has a frame for: Opus knows 10, 20, 40 and 60 ms, the others any.
    pub const fn ptime_ms(self, asked_ms: u8) -> u8 {
        match (self, asked_ms) {
            (Codec::Opus, 0..=19) => 10,
            (Codec::Opus, 20..=39) => 20,
            (Codec::Opus, 40..=59) => 40,
            (Codec::Opus, _) => 60,
            _ => asked_ms,
        }
    }
}

#[derive(Debug)]
enum Encode {
    Pcmu,
    Pcma,
    G722(Box<g722::Encoder>),
    L16,
    Opus(opus::Encoder),
}

impl Encode {
    fn encode(&mut self, pcm: &[i16], out: &mut [u8]) -> usize {
        match self {
            Self::Pcmu => g711(pcm, out, g711::mu_from_linear),
            Self::Pcma => g711(pcm, out, g711::a_from_linear),
            Self::G722(encoder) => encoder.encode(pcm, out),
            Self::L16 => {
                let room = out.chunks_exact_mut(2);
                2 * room.zip(pcm).map(|(o, s)| o.copy_from_slice(&s.to_be_bytes())).count()
            }
            Self::Opus(encoder) => encoder.encode(pcm, out),
        }
    }
}

fn g711(pcm: &[i16], out: &mut [u8], one: impl Fn(i16) -> u8) -> usize {
    out.iter_mut().zip(pcm).map(|(o, s)| *o = one(*s)).count()
}

/// Samples to bytes, for one stream.
#[derive(Debug)]
pub struct Encoder {
    codec: Encode,
    resampler: Option<Box<Resampler>>,
}

impl Encoder {
    /// A fresh encoder of sound at `rate`. `opus` is what the peer asks; it means nothing to other codecs.
    pub fn new(codec: Codec, rate: Rate, opus: wire::Opus) -> Self {
        let encode = match codec {
            Codec::Pcmu => Encode::Pcmu,
            Codec::Pcma => Encode::Pcma,
            Codec::G722 => Encode::G722(Box::default()),
            Codec::L16(_) => Encode::L16,
            Codec::Opus => Encode::Opus(opus::Encoder::new(rate, opus)),
        };
        Self { codec: encode, resampler: resampler(codec, rate, codec.sample_rate()) }
    }

    /// Encode a frame, or as much of it as fits into `out`; the number of bytes written.
    ///
    /// The frame is a whole number of milliseconds; for Opus it is 10, 20, 40 or 60 ms ([`Codec::ptime_ms`]). 0 means that
    /// nothing is to be sent: Opus left out a silence the peer does not want, or the frame was none.
    pub fn encode(&mut self, pcm: &[i16], out: &mut [u8]) -> usize {
        let Some(resampler) = &mut self.resampler else { return self.codec.encode(pcm, out) };
        let mut own = [0; CHUNK];
        let mut written = 0;
        for chunk in pcm.chunks(CHUNK / resampler.growth()) {
            let n = resampler.process(chunk, &mut own);
            written += self.codec.encode(&own[..n], &mut out[written..]);
        }
        written
    }

    /// How hard to try: 0 (cheap) to 10 (best). [`COMPLEXITY`] until said otherwise; only Opus has a choice.
    pub fn set_complexity(&mut self, complexity: u8) {
        if let Encode::Opus(encoder) = &mut self.codec {
            encoder.set_complexity(complexity);
        }
    }

    /// What an encoder with a choice was told last.
    #[cfg(test)]
    pub fn complexity(&self) -> Option<u8> {
        if let Encode::Opus(encoder) = &self.codec { encoder.complexity() } else { None }
    }

    /// How many packets of a hundred the peer misses. 0 until said otherwise; Opus sends forward error correction from 1 on,
    /// if the peer asked for it.
    pub fn set_loss(&mut self, percent: u8) {
        if let Encode::Opus(encoder) = &mut self.codec {
            encoder.set_loss(percent);
        }
    }
}

#[derive(Debug)]
enum Decode {
    Pcmu,
    Pcma,
    G722(Box<g722::Decoder>),
    L16,
    Opus(opus::Decoder),
}

impl Decode {
    /// (bytes read, samples written). Nothing read: there is no more to be had from this payload.
    fn decode(&mut self, payload: &[u8], out: &mut [i16]) -> (usize, usize) {
        let by_table =
            |table: &[i16; 256], out: &mut [i16]| out.iter_mut().zip(payload).map(|(o, b)| *o = table[usize::from(*b)]).count();
        match self {
            Self::Pcmu => {
                let n = by_table(&g711::MU_TO_LINEAR, out);
                (n, n)
            }
            Self::Pcma => {
                let n = by_table(&g711::A_TO_LINEAR, out);
                (n, n)
            }
            Self::G722(decoder) => {
                let n = decoder.decode(payload, out);
                (n / 2, n)
            }
            Self::L16 => {
                let samples = payload.chunks_exact(2);
                let n = out.iter_mut().zip(samples).map(|(o, b)| *o = i16::from_be_bytes([b[0], b[1]])).count();
                (2 * n, n)
            }
            Self::Opus(decoder) => (payload.len(), decoder.decode(payload, out)),
        }
    }
}

/// Bytes to samples, for one stream.
#[derive(Debug)]
pub struct Decoder {
    codec: Decode,
    resampler: Option<Box<Resampler>>,
}

impl Decoder {
    /// A fresh decoder to sound at `rate`.
    pub fn new(codec: Codec, rate: Rate) -> Self {
        let decode = match codec {
            Codec::Pcmu => Decode::Pcmu,
            Codec::Pcma => Decode::Pcma,
            Codec::G722 => Decode::G722(Box::default()),
            Codec::L16(_) => Decode::L16,
            Codec::Opus => Decode::Opus(opus::Decoder::new(rate)),
        };
        Self { codec: decode, resampler: resampler(codec, codec.sample_rate(), rate) }
    }

    /// Decode as much of `payload` as fits into `out`; the number of samples written.
    ///
    /// Any bytes will do. 0 means that they are no sound: empty, or nonsense to Opus, or an Opus packet longer than `out`
    /// ([`FRAME_MS_MAX`] is always room enough). Whoever needs a frame then takes it from [`Decoder::conceal`].
    pub fn decode(&mut self, payload: &[u8], out: &mut [i16]) -> usize {
        let Some(resampler) = &mut self.resampler else { return self.codec.decode(payload, out).1 };
        let mut own = [0; CHUNK];
        let (mut rest, mut written) = (payload, 0);
        while written < out.len() {
            let (used, n) = self.codec.decode(rest, &mut own);
            if used == 0 {
                break;
            }
            rest = &rest[used..];
            written += resampler.process(&own[..n], &mut out[written..]);
        }
        written
    }

    /// Make up for a lost packet of as many samples as `out` holds, up to [`FRAME_MS_MAX`]; the number of samples written.
    /// 0: the codec has nothing to make it from.
    pub fn conceal(&mut self, out: &mut [i16]) -> usize {
        match &mut self.codec {
            Decode::Opus(decoder) => decoder.conceal(out),
            _ => 0,
        }
    }

    /// Make up for a lost packet of as many samples as `out` holds from what the packet after it says about it (in-band
    /// forward error correction), else as [`Decoder::conceal`]; the number of samples written. Decode the next packet after
    /// this as ever.
    pub fn recover(&mut self, next_payload: &[u8], out: &mut [i16]) -> usize {
        match &mut self.codec {
            Decode::Opus(decoder) => decoder.recover(next_payload, out),
            _ => self.conceal(out),
        }
    }
}

/// Between the codec's rate and its owner's; Opus works at any.
fn resampler(codec: Codec, from: Rate, to: Rate) -> Option<Box<Resampler>> {
    (from != to && codec != Codec::Opus).then(|| Box::new(Resampler::new(from, to)))
}
