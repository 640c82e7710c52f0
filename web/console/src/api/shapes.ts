// What the description calls only an object: rows of the history, tickets, customers, decisions.

import type { components } from './schema';

type S = components['schemas'];
export type View = S['Picture'];
export type AgentNow = S['AgentNow'];
export type QueueNow = S['QueueNow'];
export type AlertNow = S['AlertNow'];
export type InteractionNow = S['InteractionNow'];
export type WorkNow = S['WorkNow'];
export type Codes = S['Codes'];
export type LiveEvent = S['Event'];
export type User = S['UserShown'];
export type TicketChange = S['TicketChange'];
export type CustomerChange = S['CustomerChange'];
export type KeyRow = S['KeyShown'];
export type FactorNew = S['FactorNew'];
export type SessionRow = S['SessionShown'];
export type Webhook = S['WebhookShown'];
export type EventGroup = S['EventGroup'];
export type Delivery = S['DeliveryShown'];

export interface InteractionRow {
  id: string; channel: string; way: string; to: string; from: string; region: string | null; customer: string; ticket: string | null; queue: string | null;
  agent: string | null; opened_at: string; answered_at: string | null; closed_at: string | null; cause: string | null;
  ended_by: string | null; unqueued: string | null; waited_ms: number; talk_ms: number; hold_ms: number; wrap_ms: number;
  disposition: string | null; note: string | null;
  verdict: { verstat: string; attestation?: string | null; why?: string | null; origid?: string | null } | null;
}

export interface Recording {
  id: string; interaction: string; voicemail: boolean; began_at: string; ended_at: string | null; ms: number | null;
  bytes: number | null; trouble: string | null;
}

export interface InteractionDetail { id: string; record: InteractionRow | null; now: InteractionNow | null; recordings: Recording[]; rating?: { at: string; score: number; best: number; comment: string } | null }

export type Sender = 'visitor' | 'bot' | 'system' | { agent: string } | { note: string };
export interface Message { id: string; seq: number; sender: Sender; text: string; at: string; client_id?: string; options?: [string, string][]; file?: { id: string; name: string; kind: string; bytes: number } }

export interface Fact { type: 'fact'; seq: number; at: string; fact: string; interaction?: string; [more: string]: unknown }

export type Verdict = { eligible: [string, number][] } | { filtered: string | Record<string, unknown> };
export interface Decision {
  offer: string; queue: string | null; channel: string; at: string; age_ms: number; strategy: unknown; needs: [string, number][];
  needs_at_first: [string, number][] | null; kept_for: string | null; agent: string; candidates: { agent: string; verdict: Verdict }[];
  able?: number; kept_back?: [string, number][]; candidates_omitted: number; tie_break: string; order: unknown[]; order_omitted: number;
}

export type Promise_ = S['Promise'];
export type ViewKind = S['ViewKind'];
export type SavedView = S['ViewShown'];
export interface TicketRow {
  promise?: Promise_ | null;
  id: string; number: number; title: string; status: string; priority: string; owner: string | null; queue: string | null;
  customer: string | null; disposition: string | null; wakes_at: string | null; unanswered: string | null; opened_at: string; changed_at: string;
}
export interface TicketHead {
  id: string; number: number; title: string; state: string; owner: string | null; queue: string | null; priority: string;
  customer: string | null; channel: string | null; sla: string | null; disposition: string | null; tags: string[];
  interactions: string[]; absorbed: string[]; created: string; updated: string; first_reply: string | null; unanswered: string | null;
}
export interface TicketEntry { n: number; at: string; by: string | Record<string, string>; change: string; text?: string; [more: string]: unknown }
export interface TicketDetail {
  ticket: TicketHead; log: TicketEntry[]; promises: Promise_[];
  merged: { id: string; number: number; title: string; log: TicketEntry[]; undoable: boolean }[];
  into: { id: string; number: number; title: string; undoable: boolean } | null;
}

export interface Identity { kind: string; number?: string; address?: string; channel?: string; id?: string; system?: string; trust: string }
export interface Customer {
  id: string; name: string; lang: string | null; tier: string; tags: string[]; attributes: Record<string, string>;
  identities: Identity[]; consents: unknown[]; erased?: string; created: string; updated: string;
}
export type PastEntry = ({ kind: 'ticket' } & TicketRow) | ({ kind: 'interaction' } & InteractionRow);

export interface AuditEntry { n: number; at: string; who: string; what: string; subject: string; before: string | null; after: string | null }
export interface CustomerRow { id: string; name: string; tier: string; made_at: string; changed_at: string; profile: Customer }
