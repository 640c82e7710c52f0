"""Tones made, found and measured. A prompt is a tone of its own, so a recording says which prompt was heard, when, and how loud.

Everything is 8000 Hz. Levels are dBFS of a full-scale sine (0 dBFS: peaks at 32767).
"""

import array
import cmath
import math
import struct

RATE = 8000
WINDOW = 400  # 50 ms: 20 Hz apart is told apart
FRAME = 160  # 20 ms


def sine(hz, seconds, dbfs):
    """Samples of a tone. Whole cycles in every 50 ms if `hz` is a multiple of 20, so nothing leaks when measured."""
    peak = 32767 * 10 ** (dbfs / 20)
    cycle = [round(peak * math.sin(2 * math.pi * hz * n / RATE)) for n in range(WINDOW)]
    windows = round(seconds * RATE / WINDOW)
    return array.array("h", cycle * windows)


def write_wav(path, samples):
    data = samples.tobytes()
    with open(path, "wb") as f:
        f.write(b"RIFF" + struct.pack("<I", 36 + len(data)) + b"WAVE")
        f.write(b"fmt " + struct.pack("<IHHIIHH", 16, 1, 1, RATE, RATE * 2, 2, 16))
        f.write(b"data" + struct.pack("<I", len(data)) + data)


ALAW_XOR = 0x55


def alaw_decode(byte):
    byte ^= ALAW_XOR
    exponent, mantissa = (byte >> 4) & 7, byte & 15
    value = (mantissa << 4) + 8
    if exponent:
        value = (value + 0x100) << (exponent - 1)
    return value if byte & 0x80 else -value


def ulaw_decode(byte):
    byte = ~byte & 0xFF
    value = (((byte & 15) << 3) + 0x84) << ((byte >> 4) & 7)
    value -= 0x84
    return -value if byte & 0x80 else value


ALAW = [alaw_decode(b) for b in range(256)]
ULAW = [ulaw_decode(b) for b in range(256)]


def alaw_encode(samples):
    """A-law bytes; the nearest code of the table, found by halving."""
    order = sorted(range(256), key=lambda b: ALAW[b])
    values = [ALAW[b] for b in order]
    out = bytearray()
    for s in samples:
        low, high = 0, 255
        while high - low > 1:
            middle = (low + high) // 2
            if values[middle] <= s:
                low = middle
            else:
                high = middle
        out.append(order[low if abs(values[low] - s) <= abs(values[high] - s) else high])
    return bytes(out)


class Sound:
    """Samples of every channel of a file."""

    def __init__(self, rate, channels):
        self.rate, self.channels = rate, channels

    @property
    def seconds(self):
        return len(self.channels[0]) / self.rate


def read_wav(path):
    """PCM16, A-law and mu-law. Lengths in the header that reach beyond the file are cut to the file, as players do."""
    raw = open(path, "rb").read()
    if raw[:4] != b"RIFF" or raw[8:12] != b"WAVE":
        raise ValueError(f"{path}: not a WAV file ({len(raw)} bytes)")
    at, fmt, data = 12, None, None
    while at + 8 <= len(raw):
        name, size = raw[at : at + 4], struct.unpack("<I", raw[at + 4 : at + 8])[0]
        body = raw[at + 8 : at + 8 + size]
        if name == b"fmt ":
            fmt = struct.unpack("<HHIIHH", body[:16])
        elif name == b"data":
            # Some recorders write the length when they close: a file being written says 0.
            data = body if size else raw[at + 8 :]
            break
        at += 8 + size + (size & 1)
    if fmt is None or data is None:
        raise ValueError(f"{path}: no fmt or no data chunk")
    kind, count, rate = fmt[0], fmt[1], fmt[2]
    if kind in (1, 0xFFFE) and fmt[5] == 16:
        samples = array.array("h", data[: len(data) // 2 * 2])
    elif kind in (6, 7):
        table = ALAW if kind == 6 else ULAW
        samples = array.array("h", (table[b] for b in data))
    else:
        raise ValueError(f"{path}: format {kind}, {fmt[5]} bit")
    return Sound(rate, [samples[c::count] for c in range(count)])


def level(samples, hz, rate=RATE):
    """dBFS of the tone `hz` in the samples (Goertzel)."""
    w = 2 * math.pi * hz / rate
    k = 2 * math.cos(w)
    a = b = 0.0
    for s in samples:
        a, b = s + k * a - b, a
    amplitude = abs(a - b * cmath.exp(-1j * w)) * 2 / max(1, len(samples))
    return 20 * math.log10(max(amplitude, 1e-3) / 32767)


def loudness(samples):
    """dBFS of everything in the samples, as of a sine of the same power."""
    power = sum(s * s for s in samples) / max(1, len(samples))
    return 10 * math.log10(max(2 * power, 1e-3)) - 20 * math.log10(32767)


class Heard:
    """One stretch of one tone (or of silence: hz 0, or of something else: hz None)."""

    def __init__(self, hz, start, seconds, dbfs):
        self.hz, self.start, self.seconds, self.dbfs = hz, start, seconds, dbfs

    def __repr__(self):
        return f"{self.hz}Hz@{self.start:.2f}s for {self.seconds:.2f}s {self.dbfs:.1f}dB"


def listen(samples, tones, rate=RATE):
    """What is heard, in order. A window counts as a tone when nearly all its power is that tone's."""
    size = rate * WINDOW // RATE
    out = []
    for i in range(0, len(samples) - size + 1, size):
        part = samples[i : i + size]
        total = loudness(part)
        hz, db = 0, total
        if total > -50:
            db, hz = max((level(part, t, rate), t) for t in tones)
            if db < total - 1.5:
                hz = None
        if out and out[-1].hz == hz:
            out[-1].seconds += size / rate
            out[-1].dbfs = max(out[-1].dbfs, db)
        else:
            out.append(Heard(hz, i / rate, size / rate, db))
    return out


def order(heard, least=0.15):
    """The tones in the order they began, without gaps and bits shorter than `least` seconds."""
    names = [h.hz for h in heard if h.hz and h.seconds >= least]
    return [hz for i, hz in enumerate(names) if i == 0 or names[i - 1] != hz]


def seconds_of(heard, hz):
    return sum(h.seconds for h in heard if h.hz == hz)


def level_of(samples, hz, rate=RATE):
    """The level of a tone over the windows that hold it: the median, which a cut window at either end does not move."""
    size = rate * WINDOW // RATE
    levels = []
    for i in range(0, len(samples) - size + 1, size):
        part = samples[i : i + size]
        db = level(part, hz, rate)
        if db > -50 and db > loudness(part) - 1.5:
            levels.append(db)
    levels.sort()
    return levels[len(levels) // 2] if levels else -100.0


def write_pcap(path, payloads, kind, events=()):
    """An RTP stream sipp can play: `payloads` of 20 ms each, 20 ms apart. Addresses and ports are sipp's to rewrite."""
    with open(path, "wb") as f:
        f.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        for n, payload in enumerate(payloads):
            rtp = struct.pack("!BBHII", 0x80, kind | (0x80 if n == 0 else 0), n & 0xFFFF, n * FRAME, 0x5E11E5) + payload
            udp = struct.pack("!HHHH", 6000, 6000, 8 + len(rtp), 0) + rtp
            ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), n & 0xFFFF, 0, 64, 17, 0, b"\x7f\0\0\1", b"\x7f\0\0\1") + udp
            frame = b"\0" * 12 + b"\x08\x00" + ip
            at = n * 20_000
            f.write(struct.pack("<IIII", at // 1_000_000, at % 1_000_000, len(frame), len(frame)) + frame)
