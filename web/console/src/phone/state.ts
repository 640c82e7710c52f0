// The one phone of this browser: which tab has it, what it does, and the same picture in every other tab.
//
// One tab holds a lock for as long as it lives; it registers, rings and speaks. The others are told what it tells and hand it
// what is asked of them. A tab that dies gives the lock back, and the next one takes over.

import { useSyncExternalStore } from 'react';
import { api } from '../api/client';
import { act } from '../lib/act';
import { t } from '../lib/i18n';
import { keep, remember } from '../lib/prefs';
import { liveNow, myself, onPulse, watchLive } from '../live/live';
import type { Line, Phone, Report } from './phone';

/** Where an agent is rung. `null`: never asked. A number outside is the server's to know, whatever this browser was told. */
export type Kind = 'browser' | 'desk' | 'number';
export const kind = (): Kind | null => {
  if (myself(liveNow())?.number) return 'number';
  const kept = remember('phone');
  return kept === 'browser' || kept === 'desk' ? kept : null;
};

export interface PhoneNow extends Report {
  /** Nowhere yet, in this tab, in another tab of this browser. */
  place: 'none' | 'here' | 'elsewhere';
}

const nothing: Report = { registered: false, trouble: null, lines: [], quality: null, silenced: false };
let now: PhoneNow = { ...nothing, place: 'none' };
const watchers = new Set<() => void>();
function set(change: Partial<PhoneNow>): void {
  now = { ...now, ...change };
  watchers.forEach((w) => w());
}

export const phoneNow = (): PhoneNow => now;
export function usePhone<T>(pick: (now: PhoneNow) => T): T {
  return useSyncExternalStore((w) => { watchers.add(w); return () => { watchers.delete(w); }; }, () => pick(now));
}

// ---- one tab ----

const LOCK = 'ringdesk.phone';
type Word = { say: Report } | { who: true } | { do: Deed };
type Deed = ['answer' | 'hangUp', string] | ['mute', string, boolean] | ['press', string, string] | ['devices'] | ['again'];
const tabs = 'BroadcastChannel' in window ? new BroadcastChannel(LOCK) : null;

let phone: Phone | null = null;
let wanted = false;
let letGo: (() => void) | null = null;
let asking: AbortController | null = null;

/** A leading tab has the lock: it opens the phone, and holds the lock until it is told to let go or somebody takes it. */
async function lead(): Promise<void> {
  const over = new Promise<void>((done) => { letGo = done; });
  const { open } = await import('./sip');
  if (!wanted) return;
  phone = open((report) => { set(report); tabs?.postMessage({ say: report } satisfies Word); });
  set({ ...nothing, place: 'here' });
  await over;
}

function shut(place: PhoneNow['place']): void {
  // Whoever is still at work goes on in another tab, or in this one in a moment.
  phone?.close(wanted);
  phone = null;
  letGo?.();
  letGo = null;
  set({ ...nothing, place });
}

function ask(steal: boolean): void {
  asking?.abort();
  const mine = new AbortController();
  asking = mine;
  const locks = navigator.locks;
  // Without locks (a page that is not secure) there is no microphone either; the phone says so itself.
  const held = locks ? locks.request(LOCK, steal ? { steal: true } : { signal: mine.signal }, lead) : lead();
  // Another tab took it over, or it is no longer wanted.
  held.catch(() => { if (asking === mine) shut(wanted ? 'elsewhere' : 'none'); if (wanted && asking === mine) ask(false); });
  if (!steal) tabs?.postMessage({ who: true } satisfies Word);
}

tabs?.addEventListener('message', ({ data }: MessageEvent<Word>) => {
  if ('say' in data) { if (!phone && wanted) set({ ...data.say, place: 'elsewhere' }); }
  else if ('who' in data) { if (phone) { const { place: _, ...report } = now; tabs.postMessage({ say: report } satisfies Word); } }
  else if (phone) perform(data.do);
});

function perform(deed: Deed): void {
  if (!phone) { tabs?.postMessage({ do: deed } satisfies Word); return; }
  switch (deed[0]) {
    case 'answer': phone.answer(deed[1]); return;
    case 'hangUp': phone.hangUp(deed[1]); return;
    case 'mute': phone.mute(deed[1], deed[2]); return;
    case 'press': phone.press(deed[1], deed[2]); return;
    case 'devices': phone.devices(); return;
    case 'again': shut('none'); ask(false); return;
  }
}

/** Somebody who is not at work needs it all the same: a supervisor who listens. */
let called = false;

/** The phone is wanted while its owner is at work and has chosen this browser. */
let before: Kind | null = null;
function look(): void {
  if (kind() !== before) { before = kind(); set({}); }
  const my = myself(liveNow());
  // While the line is away nothing is known, and nothing is changed.
  if (liveNow().me && !liveNow().ready) return;
  const want = kind() === 'browser' && Boolean(liveNow().me) && my !== undefined && (called || my.state !== 'signed_out');
  if (want === wanted) return;
  wanted = want;
  if (want) ask(false);
  else { asking?.abort(); asking = null; shut('none'); }
}

watchLive(look);
onPulse(() => phone?.refresh());

// Audio waits for a touch of the page where the browser wants one.
for (const touch of ['pointerdown', 'keydown'] as const) addEventListener(touch, () => { if (now.silenced) phone?.unsilence(); });
addEventListener('beforeunload', (event) => { if (phone && now.lines.some((l) => l.state === 'up')) event.preventDefault(); });

/** How long a phone may take to be there, ms. */
const THERE_MS = 8_000;

/** Opens the phone for whoever is not on a shift. Answers whether it can be rung. */
export function phoneThere(): Promise<boolean> {
  called = true;
  look();
  return new Promise((done) => {
    const over = setTimeout(() => end(false), THERE_MS);
    const end = (there: boolean): void => { clearTimeout(over); watchers.delete(see); done(there); };
    const see = (): void => { if (now.registered) end(true); else if (now.trouble) end(false); };
    watchers.add(see);
    see();
  });
}

// ---- what screens ask ----

export const useKind = (): Kind | null => useSyncExternalStore((w) => { watchers.add(w); return () => { watchers.delete(w); }; }, kind);

/** Calls ring at this browser, or at a phone that registers by itself: no longer at a number outside. */
export function choose(next: Kind): void {
  if (next === 'number') return;
  keep('phone', next);
  if (myself(liveNow())?.number) void act(api.PUT('/api/v1/agents/{id}/endpoint', { params: { path: { id: 'me' } }, body: { kind: 'phone' } }));
  look();
  set({});
}

/** Calls ring at a number outside, where whoever answers presses 1. Answers whether the server lets it be called. */
export const chooseNumber = (number: string): Promise<boolean> =>
  act(api.PUT('/api/v1/agents/{id}/endpoint', { params: { path: { id: 'me' } }, body: { kind: 'number', number } }), t('phone.number.used', { number }));

export const takeHere = (): void => ask(true);
export const tryAgain = (): void => perform(['again']);
export const answer = (line: string): void => perform(['answer', line]);
export const hangUp = (line: string): void => perform(['hangUp', line]);
export const mute = (line: string, on: boolean): void => perform(['mute', line, on]);
export const press = (line: string, digits: string): void => perform(['press', line, digits]);
export const devicesChanged = (): void => perform(['devices']);
export const unsilence = (): void => phone?.unsilence();
/** How loud the microphone is; known in the tab that has it. */
export const micLevel = (): number => phone?.level() ?? 0;

export const lineOf = (lines: Line[], interaction: string): Line | undefined => lines.find((l) => l.interaction === interaction && l.state !== 'ringing');
export const ringingFor = (lines: Line[], offer: string | null | undefined): Line | undefined => lines.find((l) => l.offer !== null && l.offer === offer);
