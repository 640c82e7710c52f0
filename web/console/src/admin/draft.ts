// The configuration while it is being changed by forms: one draft over all of them, put in force as a whole. The text page and
// the forms write the same thing.

import { useEffect, useSyncExternalStore } from 'react';
import { api, take, type Problem } from '../api/client';

export interface Named { name: string }
export interface Queue extends Named {
  strategy: string; ring_s: number; retry_s: number; wrap_up_s: number; wrap_up_mandatory: boolean; sl_target_s: number; sl_percent: number;
  short_abandon_s: number; max_wait_s?: number; max_length?: number; join_empty: string; leave_empty: string; leave_empty_s: number;
  needs: Record<string, number>; relax: { after_s: number; skill?: string; to: number }[]; head_starts: { attribute: string; is: string; minutes: number }[];
  expected_handle_s: number; on_no_answer?: string; music?: string; hold_max_s?: number; calendar?: string; dispositions: string[];
}
export type AgentQueue = string | { queue: string; priority_min: number; delay_s: number; weight: number };
export interface Agent extends Named { skills: Record<string, number>; queues: AgentQueue[]; capacity: Record<string, number>; voice_blocks_text: boolean }
export interface Holiday { date: string; name: string; open: string[] }
/** From and to as in the calendar's own zone: `2026-11-23T14:00`. */
export interface Override { from: string; to: string; open: boolean; why: string }
export interface Calendar extends Named { zone: string; weekly: Record<string, string[]>; holidays: Holiday[]; overrides: Override[]; emergency: boolean }
export interface Route { match: string; to: Record<string, unknown>; from: string }
export interface Canned extends Named { text: string; lang?: string; queues?: string[] }
export interface Sla extends Named { calendar?: string | null; first_reply_min?: number | null; next_reply_min?: number | null; resolve_min?: number | null; owner_ack_min?: number | null; reopen_h?: number | null }
export interface Caps { calls_h?: number; minutes_h?: number; spend_h?: number }
export interface TollRate { to: string; per_minute: number }
export interface Toll {
  allow?: string[]; deny?: string[]; emergency?: string[]; international?: boolean; premium?: boolean; calendar?: string; max_call_min?: number | null;
  per_agent?: Caps; per_source?: Caps; per_tenant?: Caps; rates?: TollRate[]; [other: string]: unknown;
}
/** By language: `en`, `zh`. */
export type ByLang = Partial<Record<'en' | 'zh', string>>;
export interface ChatLook {
  color?: string; side?: string; title?: ByLang; greeting?: ByLang;
  ask?: { name?: string; contact?: string; fields?: { key: string; label: ByLang; need?: string }[] };
}
export interface Chat {
  flow: string | null; origins: string[]; idle_warn_s: number; idle_close_s: number; gone_s: number; widget?: ChatLook;
  files?: { kinds?: string[]; largest_kb?: number; per_chat?: number; keep_days?: number };
  rating?: { scale: string; question?: ByLang }; offline?: { calendar?: string; queue?: string; when_nobody: boolean };
  call_me?: CallMe; talk_now?: TalkNow;
}
/** Visitors ask to be called. What has no field here is written as text, and stays as it is. */
export interface CallMe { queue: string; calendar?: string; attempts?: number; gap_s?: number; consent?: ByLang; [other: string]: unknown }
/** Hours customers may choose to be called back at. */
export interface ChosenHours { calendar: string; every_min?: number; each?: number; ahead_min?: number; days?: number }
/** Visitors call from the page: where a number leads, or to a flow. */
export interface TalkNow { to: { number?: string; flow?: string }; calendar?: string; max_min?: number; at_once?: number }
export interface Numbers { country?: string; national_prefix?: string; international_prefix?: string; send?: string; prefix?: string }
export interface Identity { trusted?: boolean; pass_caller?: boolean; tell?: string[] }
export interface Member { trunk: string; priority: number; weight: number }
export interface HeaderRule { add?: string; set?: string; remove?: string; value?: string }
/** `verify`: `off`, `inform`, `require`. */
export interface Stir { key_secret?: string; cert_url?: string; owns?: string[]; verify?: string; max_age_s?: number }
export interface Trunk {
  host?: string; transport: string; from: string[]; login?: { username: string; password_secret: string }; username?: string; password_secret?: string; realm?: string; caller_id?: string; max_calls?: number; calls_per_s?: number;
  register?: Record<string, unknown>; options?: Record<string, unknown>; numbers?: Numbers; identity?: Identity; headers?: HeaderRule[]; refer?: boolean;
  failover?: { codes?: number[]; silence_ms?: number }; stir?: Stir; deny?: string[]; media?: Media; [other: string]: unknown;
}
/** What is spoken: codecs, preferred first; `never`, `optional`, `required`; `rfc4733`, `info`, `inband`. */
export interface Media { codecs?: string[] | undefined; srtp?: string | undefined; dtmf?: string | undefined; comfort_noise?: boolean | undefined }
export interface Stream { url: string; rate?: number; token_secret?: string }
export interface Supervision { tell_agents?: boolean; queues?: Record<string, string[]> }
export interface AlertRule { metric: string; queue?: string; limit?: number; after_s?: number }
export interface AlertRules { rules: AlertRule[]; raise_after_s: number; clear_after_s: number }
export interface Tenant {
  name: string; language?: string; country?: string | null; trunk_prefix?: string | null; security?: { second_factor: string[] };
  slas: Record<string, Sla>; default_sla?: string | null; toll?: Toll; alerts?: AlertRules;
  media?: Media; phones?: Record<string, Media>; recording?: string; recording_format?: string; calls?: { hold_reminder_s?: number; mask_keys?: boolean }; supervision?: Supervision;
  transcripts?: { queues?: string[]; numbers?: string[] }; streams?: Record<string, Stream>; stream_talks?: string | null; flow_config: Record<string, string>;
  routing: {
    skills: Record<string, Named>; queues: Record<string, Queue>; agents: Record<string, Agent>; calendars: Record<string, Calendar>;
    reasons: Record<string, Named & { productive: boolean }>; dispositions: Record<string, Named>;
  };
  trunks: Record<string, Trunk>; trunk_groups?: Record<string, Member[]>; chat: Chat; callback_hours?: Record<string, ChosenHours>; routes: Route[]; canned?: Record<string, Canned>; flows?: Record<string, string>;
  [other: string]: unknown;
}

interface State { id: string; version: string; kept: Tenant | null; mine: Tenant | null; problem: Problem | null; merged: boolean }
const nothing: State = { id: '', version: '', kept: null, mine: null, problem: null, merged: false };
let state = nothing;
const watchers = new Set<() => void>();
function set(next: Partial<State>): void {
  state = { ...state, ...next };
  watchers.forEach((w) => w());
}
const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);
const plain = (v: unknown): v is Record<string, unknown> => typeof v === 'object' && v !== null && !Array.isArray(v);

/** What I changed since `base`, put on top of what somebody else made of it. Where both changed the same thing, mine stays, and the differences shown before it is in force say so. */
export function merge(base: unknown, mine: unknown, theirs: unknown): unknown {
  if (same(mine, base)) return theirs;
  if (same(theirs, base) || !plain(mine) || !plain(theirs)) return mine;
  const was = plain(base) ? base : {};
  const all = new Set([...Object.keys(theirs), ...Object.keys(mine)]);
  const out: Record<string, unknown> = {};
  for (const key of all) {
    const value = merge(was[key], mine[key], theirs[key]);
    if (value !== undefined) out[key] = value;
  }
  return out;
}

export async function refresh(): Promise<void> {
  try {
    const { version, business } = await take(api.GET('/api/v1/config/document'));
    const [id, tenant] = Object.entries((business as unknown as { tenants: Record<string, Tenant> }).tenants)[0] ?? ['', null];
    const touched = state.mine !== null && !same(state.mine, state.kept);
    set({ id, version, kept: tenant, mine: touched ? (merge(state.kept, state.mine, tenant) as Tenant) : tenant, problem: null, merged: touched && version !== state.version });
  } catch (problem) { set({ problem: problem as Problem }); }
}

/** Changes the draft. */
export function change(how: (tenant: Tenant) => void): void {
  if (!state.mine) return;
  const next = structuredClone(state.mine);
  how(next);
  set({ mine: next });
}
/** The part of it that is web chat's. */
export const changeChat = (how: (chat: Chat) => void): void => change((x) => how(x.chat));
export const undo = (): void => set({ mine: state.kept, merged: false, problem: null });
export const forgetDraft = (): void => { state = nothing; };

/** Checks the draft, or puts it in force: the differences, or null when it was refused (`problem` says why). */
export async function put(dry_run: boolean): Promise<string | null> {
  const body = JSON.stringify({ tenants: { [state.id]: state.mine } });
  const ask = (): Promise<{ diff: string }> => take(api.PUT('/api/v1/config', { params: { query: { dry_run, version: state.version } }, body, bodySerializer: (b) => b as string, headers: { 'content-type': 'application/yaml' } }));
  try {
    const { diff } = await ask();
    set({ problem: null });
    if (!dry_run) { set({ kept: state.mine, merged: false }); await refresh(); }
    return diff;
  } catch (error) {
    const problem = error as Problem;
    // Somebody was faster: mine is put on top of theirs, and is to be looked at again.
    if (problem.code === 'changed') { await refresh(); set({ merged: true }); } else set({ problem });
    return null;
  }
}

export function useDraft(): State & { touched: boolean } {
  const now = useSyncExternalStore((w) => { watchers.add(w); return () => { watchers.delete(w); }; }, () => state);
  useEffect(() => { void refresh(); }, []);
  const touched = now.mine !== null && !same(now.mine, now.kept);
  useEffect(() => {
    if (!touched) return;
    const warn = (event: BeforeUnloadEvent): void => event.preventDefault();
    addEventListener('beforeunload', warn);
    return () => removeEventListener('beforeunload', warn);
  }, [touched]);
  return { ...now, touched };
}
