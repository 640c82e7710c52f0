// Microphones and speakers: which there are, which was chosen, and whether the browser lets us have them.

import { remember } from '../lib/prefs';
import type { Trouble } from './phone';

/** What to ask the browser for: the chosen microphone, or any when it is not plugged in. */
export function microphone(): MediaTrackConstraints {
  const chosen = remember('microphone');
  return { ...(chosen ? { deviceId: { ideal: chosen } } : {}), echoCancellation: true, noiseSuppression: true, autoGainControl: true };
}

export const secure = (): boolean => window.isSecureContext && Boolean(navigator.mediaDevices);

/** Why the browser gave no microphone. */
export function whyNot(error: unknown): Trouble {
  const name = error instanceof DOMException ? error.name : '';
  if (!secure()) return 'insecure';
  if (name === 'NotAllowedError' || name === 'SecurityError') return 'refused';
  if (name === 'NotReadableError' || name === 'AbortError') return 'microphone_busy';
  return 'no_microphone';
}

/** The microphone's sound, or why there is none. */
export async function listen(): Promise<MediaStream | Trouble> {
  if (!secure()) return 'insecure';
  try { return await navigator.mediaDevices.getUserMedia({ audio: microphone() }); } catch (error) { return whyNot(error); }
}

/** Whether a microphone can be had without asking the person again. */
export async function allowed(): Promise<boolean> {
  if (!secure()) return false;
  try { return (await navigator.permissions.query({ name: 'microphone' as PermissionName })).state === 'granted'; } catch { return false; }
}

export interface Devices { microphones: MediaDeviceInfo[]; speakers: MediaDeviceInfo[] }

/** What is plugged in. Names are known once a microphone was allowed. */
export async function devices(): Promise<Devices> {
  if (!secure()) return { microphones: [], speakers: [] };
  const all = await navigator.mediaDevices.enumerateDevices();
  return { microphones: all.filter((d) => d.kind === 'audioinput'), speakers: all.filter((d) => d.kind === 'audiooutput') };
}
