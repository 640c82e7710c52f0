// What the page itself makes heard: the ring and the test tone, over one context that the first touch of the page unlocks.

import { remember } from '../lib/prefs';

let context: AudioContext | null = null;

/** The page's one audio context. Before anybody has touched the page it may be silent. */
export function audio(): AudioContext {
  context ??= new AudioContext();
  if (context.state === 'suspended') void context.resume().catch(() => {});
  return context;
}

for (const touch of ['pointerdown', 'keydown'] as const) addEventListener(touch, () => { if (context?.state === 'suspended') void context.resume().catch(() => {}); });

/** Chromium can send a context to a device of choice. */
type Directed = AudioContext & { setSinkId?: (id: string) => Promise<void> };

/** Sounds these notes, each Hz from so many seconds on, at the device named in the settings. */
export function notes(list: readonly (readonly [hz: number, from: number])[], device: 'ring' | 'speaker' = 'ring'): void {
  const at = audio() as Directed;
  void at.setSinkId?.(remember(device) ?? '').catch(() => {});
  for (const [hz, from] of list) {
    const wave = at.createOscillator();
    const volume = at.createGain();
    const start = at.currentTime + from;
    wave.frequency.value = hz;
    volume.gain.setValueAtTime(0, start);
    volume.gain.linearRampToValueAtTime(0.16, start + 0.02);
    volume.gain.exponentialRampToValueAtTime(0.001, start + 0.15);
    wave.connect(volume).connect(at.destination);
    wave.start(start);
    wave.stop(start + 0.16);
  }
}

/** Three steps up: whoever hears them has chosen the right speaker. */
export const testTone = (): void => notes([[523, 0], [659, 0.2], [784, 0.4]], 'speaker');

export interface Meter { level: () => number; stop: () => void }

/** How loud a microphone is, 0 to 1: the power of the last moment on a scale of ears. It ends the stream when it stops. */
export function meter(stream: MediaStream): Meter {
  const at = audio();
  const look = at.createAnalyser();
  look.fftSize = 1024;
  const source = at.createMediaStreamSource(stream);
  source.connect(look);
  const samples = new Float32Array(look.fftSize);
  return {
    level: () => {
      look.getFloatTimeDomainData(samples);
      const power = samples.reduce((sum, s) => sum + s * s, 0) / samples.length;
      // -60 dB is silence, -6 dB is as loud as anybody should be.
      return Math.max(0, Math.min(1, (10 * Math.log10(power + 1e-12) + 60) / 54));
    },
    stop: () => { source.disconnect(); for (const track of stream.getTracks()) track.stop(); },
  };
}
