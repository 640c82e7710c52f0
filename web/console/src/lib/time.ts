// Times: the server's clock, not this computer's; durations as people read them.

import { language } from './i18n';

let skew = 0;

/** Takes over the server's clock from a stamp that has just arrived. */
export function serverTime(stamp: string): void {
  const at = Date.parse(stamp);
  if (Number.isFinite(at)) skew = at - Date.now();
}

/** Now, by the server's clock, milliseconds. */
export const now = (): number => Date.now() + skew;

const two = (n: number): string => String(n).padStart(2, '0');

/** 0:07, 12:40, 1:02:03 */
export function clock(ms: number): string {
  const s = Math.max(0, Math.floor(ms / 1000));
  return s >= 3600 ? `${Math.floor(s / 3600)}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}` : `${Math.floor(s / 60)}:${two(s % 60)}`;
}

const formats = new Map<string, Intl.DateTimeFormat>();
function format(name: string, options: Intl.DateTimeFormatOptions, stamp: string): string {
  const key = `${language()} ${name}`;
  let made = formats.get(key);
  if (!made) formats.set(key, (made = new Intl.DateTimeFormat(language(), options)));
  const at = Date.parse(stamp);
  return Number.isFinite(at) ? made.format(at) : '';
}

export const timeOfDay = (stamp: string): string => format('time', { hour: '2-digit', minute: '2-digit', hour12: false }, stamp);
export const exactTime = (stamp: string): string => format('exact', { hour: '2-digit', minute: '2-digit', second: '2-digit', hour12: false }, stamp);
export const day = (stamp: string): string => format('day', { month: 'short', day: 'numeric' }, stamp);
export const dateTime = (stamp: string): string =>
  format('both', { month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit', hour12: false }, stamp);

/** One heart beat for every timer on the page. */
const beats = new Set<() => void>();
let heart: ReturnType<typeof setInterval> | undefined;
export function onBeat(beat: () => void): () => void {
  beats.add(beat);
  heart ??= setInterval(() => beats.forEach((b) => b()), 250);
  return () => {
    beats.delete(beat);
    if (beats.size === 0) { clearInterval(heart); heart = undefined; }
  };
}
