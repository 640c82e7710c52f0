// The live picture: one event socket for the whole console, and what it has told.
//
// A snapshot replaces everything, deltas change entries, facts go to whoever asked for them. After a broken connection the
// socket goes on where it was; while it is away nothing can be asked for, and the page says so.

import { useEffect, useRef, useSyncExternalStore } from 'react';
import { api, onSignedOut, setSession, take, type Me } from '../api/client';
import type { Codes, Fact, LiveEvent, View } from '../api/shapes';
import { forget } from '../lib/load';
import { serverTime } from '../lib/time';

export interface Live {
  /** Undefined until the server has said whether somebody is signed in. */
  me: Me | null | undefined;
  view: View;
  /** The first picture is here. */
  ready: boolean;
  up: boolean;
  /** When the next try comes, by this computer's clock. */
  retryAt: number;
  codes: Codes;
  /** The server runs another version than the one this page came from. */
  stale: boolean;
  /** The session ended while somebody worked. */
  ended: boolean;
}

const nothing: View = { seq: 0, at: '', agents: {}, queues: {}, interactions: {}, alarms: {}, alerts: {} };
const start: Live = {
  me: undefined, view: nothing, ready: false, up: false, retryAt: 0, codes: { reasons: [], dispositions: [], hold_warn_s: 0 }, stale: false, ended: false,
};

let live: Live = start;
const watchers = new Set<() => void>();
function set(change: Partial<Live>): void {
  live = { ...live, ...change };
  watchers.forEach((w) => w());
}

const watch = (w: () => void): (() => void) => { watchers.add(w); return () => { watchers.delete(w); }; };

/** Reads from the live picture; drawn again when what `pick` answers is another value. */
export function useLive<T>(pick: (live: Live) => T): T {
  return useSyncExternalStore(watch, () => pick(live));
}
export const liveNow = (): Live => live;
/** Calls whenever anything of the live picture changed. */
export const watchLive = watch;

/** What wants to be woken by the server's signs of life: this computer's timers sleep while the page is hidden. */
const pulses = new Set<() => void>();
export const onPulse = (beat: () => void): void => { pulses.add(beat); };

// ---- facts and passing signs ----

type Hear = (fact: Fact) => void;
type Blink = { type: string; interaction?: string; ticket?: string; by?: string; position?: number; here?: boolean; writing?: boolean };
const hearers = new Set<Hear>();
const blinkers = new Set<(blink: Blink) => void>();

/** Hears every fact this login may know of, in order. */
export function useFacts(hear: Hear): void {
  const latest = useRef(hear);
  latest.current = hear;
  useEffect(() => {
    const mine: Hear = (fact) => latest.current(fact);
    hearers.add(mine);
    return () => { hearers.delete(mine); };
  }, []);
}

export function useBlinks(see: (blink: Blink) => void): void {
  const latest = useRef(see);
  latest.current = see;
  useEffect(() => {
    const mine = (blink: Blink): void => latest.current(blink);
    blinkers.add(mine);
    return () => { blinkers.delete(mine); };
  }, []);
}

// ---- the socket ----

let socket: WebSocket | null = null;
let since: number | null = null;
let tries = 0;
let heard = 0;
let over = true;
let timer: ReturnType<typeof setTimeout> | undefined;
let watchdog: ReturnType<typeof setInterval> | undefined;
let build: string | null = null;

/** Half a second, doubling to eight, spread so that a floor of agents does not come back in one moment. */
const backoff = (n: number): number => Math.min(8_000, 500 * 2 ** n) * (0.7 + Math.random() * 0.5);
/** Longer than two of the server's signs of life: the line is dead, whatever the browser believes. */
const SILENCE_MAX_MS = 40_000;

function connect(): void {
  clearTimeout(timer);
  if (over) return;
  const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
  const line = new WebSocket(`${scheme}://${location.host}/api/v1/events${since === null ? '' : `?since=${since}`}`);
  socket = line;
  heard = Date.now();
  line.onmessage = (message) => {
    if (socket !== line) return;
    heard = Date.now();
    told(line, JSON.parse(String(message.data)) as LiveEvent);
  };
  line.onclose = async () => {
    if (socket !== line || over) return;
    socket = null;
    const wait = backoff(tries++);
    set({ up: false, retryAt: Date.now() + wait });
    // A refused handshake does not say why: ask whether somebody is still signed in.
    const { response } = await api.GET('/api/v1/me').catch(() => ({ response: null }));
    if (response?.status === 401) { leave(true); return; }
    timer = setTimeout(connect, wait);
  };
}

function told(line: WebSocket, event: LiveEvent): void {
  switch (event.type) {
    case 'hello':
      serverTime(event.server_now);
      tries = 0;
      set({ stale: build !== null && build !== event.build });
      build ??= event.build;
      return;
    case 'snapshot':
      since = event.reset || since === null ? event.seq : Math.max(since, event.seq);
      set({ view: event.view, ready: true, up: true });
      return;
    case 'view': {
      const view = { ...live.view, seq: event.seq, at: event.at };
      for (const part of ['agents', 'queues', 'interactions'] as const) {
        const gone: string[] = event.gone[part];
        if (Object.keys(event[part]).length === 0 && gone.length === 0) continue;
        const next: Record<string, unknown> = { ...view[part], ...event[part] };
        for (const id of gone) delete next[id];
        (view as Record<string, unknown>)[part] = next;
      }
      if (event.alarms) view.alarms = event.alarms;
      if (event.alerts) view.alerts = event.alerts;
      set({ view });
      return;
    }
    case 'fact':
      since = Math.max(since ?? 0, event.seq);
      hearers.forEach((h) => h(event as unknown as Fact));
      return;
    case 'blink': blinkers.forEach((b) => b(event.blink as unknown as Blink)); return;
    case 'ping':
      serverTime(event.now);
      line.send('{"type":"pong"}');
      pulses.forEach((beat) => beat());
      return;
    case 'signed_out': leave(true); return;
    case 'pong': case 'error': return;
    default: {
      const unheard: never = event;
      return unheard;
    }
  }
}

/** Tries again at once. */
export const retryNow = (): void => { if (!over && !socket) { tries = 0; connect(); } };
addEventListener('online', () => { if (!over && !socket) { tries = 0; connect(); } });
// Timers of hidden pages sleep; whoever looks again wants the truth at once.
addEventListener('visibilitychange', () => { if (!document.hidden && !over && !socket) { tries = 0; connect(); } });

// ---- in and out ----

/** Somebody is signed in: reads what never changes during a shift, and listens. */
export async function enter(me: Me): Promise<void> {
  setSession(me);
  serverTime(me.server_now);
  forget();
  over = false;
  since = null;
  tries = 0;
  set({ ...start, me, ended: false });
  // Nothing else is answered before the second factor is made.
  if (me.factor_needed) return;
  clearInterval(watchdog);
  watchdog = setInterval(() => { if (socket && Date.now() - heard > SILENCE_MAX_MS) socket.close(); }, 5_000);
  connect();
  set({ codes: await take(api.GET('/api/v1/codes')) });
}

/** Nobody is signed in any more. */
export function leave(ended: boolean): void {
  over = true;
  clearTimeout(timer);
  clearInterval(watchdog);
  const line = socket;
  socket = null;
  line?.close();
  setSession(null);
  set({ ...start, me: null, ended });
}
onSignedOut(() => { if (live.me) leave(true); });

/** Whether the browser still has a session. */
export async function resume(): Promise<void> {
  try {
    await enter(await take(api.GET('/api/v1/me')));
  } catch {
    if (!live.me) leave(false);
  }
}

// ---- what most screens ask ----

export const supervises = (l: Live): boolean => l.me?.role === 'supervisor' || l.me?.role === 'admin';
export const myself = (l: Live) => (l.me?.agent ? l.view.agents[l.me.agent] : undefined);
export const agentName = (l: Live, id: string | null | undefined): string => (id ? l.view.agents[id]?.name || id : '');
/** How long a customer may be on hold, seconds; 0 where nobody says. */
export const holdLimit = (l: Live, queue: string | null | undefined): number => (queue && l.view.queues[queue]?.hold_max_s) || l.codes.hold_warn_s;
/** Alerts nobody looks after yet. */
export const alertsOpen = (l: Live): number => Object.values(l.view.alerts).filter((a) => !a.acked_by).length;
export const queueName = (l: Live, id: string | null | undefined): string => (id ? l.view.queues[id]?.name || id : '');
