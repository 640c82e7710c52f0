// Thresholds of a wallboard: when a queue's figure is past what this screen was told to watch for, what is on now, and what was.
//
// A pure step: figures and the time go in, what is on and what was comes out. What is watched for, and what was, is kept in this
// browser: a screen on the wall of Sales watches for other things than the one at Support.

import type { QueueNow } from '../api/shapes';
import { keep, remember } from '../lib/prefs';

export const METRICS = ['waiting', 'longest', 'level', 'abandoned', 'free', 'held'] as const;
export type Metric = typeof METRICS[number];
/** `queue` empty: every queue. `limit` null: the queue's own promise (for `longest`, `level` and `held`), or nobody free while somebody waits. */
export interface Rule { queue: string; metric: Metric; limit: number | null }
export interface Alert { key: string; queue: string; metric: Metric; value: number; limit: number; since: number; seen: boolean }
export interface Past { key: string; queue: string; metric: Metric; worst: number; limit: number; from: number; to: number }
export interface Board { on: Alert[]; past: Past[] }

/** What was is told of so many; the oldest goes. */
const PAST_MAX = 200;
/** A figure that was well for less is not well again: an alert does not flicker, ms. */
const CALM = 3_000;

/** Which of these are worse when they are smaller. */
export const LESS: readonly Metric[] = ['level', 'free'];
const USUAL: Rule[] = [{ queue: '', metric: 'longest', limit: null }, { queue: '', metric: 'level', limit: null }, { queue: '', metric: 'free', limit: null }, { queue: '', metric: 'held', limit: null }];

/** A queue's figure: counts, seconds, percent; none where there is nothing to judge. */
function figure(q: QueueNow, metric: Metric, now: number): number | null {
  switch (metric) {
    case 'waiting': return q.waiting;
    case 'longest': return q.longest_since ? Math.floor((now - Date.parse(q.longest_since)) / 1000) : null;
    case 'level': return q.service_level === null || q.service_level === undefined ? null : Math.round(q.service_level * 100);
    case 'abandoned': return q.offered > 0 ? Math.round((100 * q.abandoned) / q.offered) : null;
    case 'held': return q.held_since ? Math.floor((now - Date.parse(q.held_since)) / 1000) : null;
    case 'free': return q.waiting > 0 && q.signed_in > 0 ? q.free : null;
  }
}
function own(q: QueueNow, metric: Metric): number | null {
  return metric === 'longest' ? q.sl_target_s : metric === 'level' ? q.sl_percent : metric === 'free' ? 1 : metric === 'held' ? q.hold_max_s || null : null;
}

type Found = Pick<Alert, 'key' | 'queue' | 'metric' | 'value' | 'limit'>;
/** What is past its limit at this moment. */
export function judge(queues: Record<string, QueueNow>, rules: Rule[], now: number): Found[] {
  const found = new Map<string, Found>();
  for (const rule of rules) {
    for (const [queue, q] of Object.entries(queues)) {
      if (rule.queue && rule.queue !== queue) continue;
      const value = figure(q, rule.metric, now);
      const limit = rule.limit ?? own(q, rule.metric);
      if (value === null || limit === null || (LESS.includes(rule.metric) ? value >= limit : value <= limit)) continue;
      const key = `${queue} ${rule.metric}`;
      // A rule for one queue goes before the one for all.
      if (!found.has(key) || rule.queue) found.set(key, { key, queue, metric: rule.metric, value, limit });
    }
  }
  return [...found.values()];
}

/** The next board; `raised`: what has just come. */
export function step(was: Board, found: Found[], calm: Map<string, number>, now: number): { board: Board; raised: Alert[] } {
  const raised: Alert[] = [];
  const on: Alert[] = [];
  const past = was.past.map((p) => (p.to === 0 ? { ...p } : p));
  const before = new Map(was.on.map((a) => [a.key, a]));
  for (const f of found) {
    calm.delete(f.key);
    const old = before.get(f.key);
    const next = old ? { ...old, value: f.value, limit: f.limit } : { ...f, since: now, seen: false };
    if (!old) { raised.push(next); past.unshift({ key: f.key, queue: f.queue, metric: f.metric, worst: f.value, limit: f.limit, from: now, to: 0 }); }
    const open = past.find((p) => p.key === f.key && p.to === 0);
    if (open) open.worst = LESS.includes(f.metric) ? Math.min(open.worst, f.value) : Math.max(open.worst, f.value);
    before.delete(f.key);
    on.push(next);
  }
  for (const [key, a] of before) {
    const since = calm.get(key) ?? now;
    calm.set(key, since);
    if (now - since < CALM) { on.push(a); continue; }
    calm.delete(key);
    const open = past.find((p) => p.key === key && p.to === 0);
    if (open) open.to = now;
  }
  on.sort((a, b) => a.since - b.since || (a.key < b.key ? -1 : 1));
  return { board: { on, past: past.slice(0, PAST_MAX) }, raised };
}

function read<T>(key: string, or: T): T {
  try { const kept = remember(key); return kept ? (JSON.parse(kept) as T) : or; } catch { return or; }
}
export const rulesKept = (): Rule[] => read('wall.rules', USUAL);
export const keepRules = (rules: Rule[]): void => keep('wall.rules', JSON.stringify(rules));
/** What was going on when the page was left ended with it. */
export const pastKept = (): Past[] => read<Past[]>('wall.past', []).map((p) => (p.to === 0 ? { ...p, to: p.from } : p));
export const keepPast = (past: Past[]): void => keep('wall.past', JSON.stringify(past));
