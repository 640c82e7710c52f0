// One contact as the workspace knows it: the live part from the picture, the rest asked for and kept current by facts.

import { useEffect, useState } from 'react';
import { api, take, type Problem } from '../api/client';
import type { Customer, Decision, Fact, InteractionDetail, InteractionNow, Message, PastEntry, Recording, WorkNow } from '../api/shapes';
import { useLoad } from '../lib/load';
import { myself, useFacts, useLive } from '../live/live';
import { told as tellAll, useHistory, type History } from './history';

export interface Contact {
  id: string;
  now: InteractionNow | undefined;
  work: WorkNow | undefined;
  detail: InteractionDetail | undefined;
  channel: string;
  /** As the agent's work or, for others, the contact's stage has it. */
  stage: string | null;
  who: string;
  from: string;
  /** Where the number is from; `regionName` says it in words. */
  region: string | undefined;
  queue: string | null;
  customer: Customer | undefined;
  past: PastEntry[];
  /** The ticket it belongs to, by id. */
  ticket: string | null;
  decision: Decision | undefined;
  recordings: Recording[];
  messages: Message[];
  history: History;
  facts: Fact[];
  disposed: { code: string; note: string } | null;
  paused: boolean;
  setPaused: (paused: boolean) => void;
  missing: boolean;
  /** What could not be read, and how it is read again. */
  problem: Problem | null;
  again: () => void;
}

const path = (id: string) => ({ params: { path: { id } } });

export function useContact(id: string): Contact {
  const now = useLive((l) => l.view.interactions[id]);
  const work = useLive((l) => myself(l)?.work.find((w) => w.interaction === id));
  const up = useLive((l) => l.up);
  const detail = useLoad(`interaction ${id}`, async () => (await take(api.GET('/api/v1/interactions/{id}', path(id)))) as unknown as InteractionDetail);
  const base = now ?? detail.data?.now ?? detail.data?.record ?? null;
  const customerId = base?.customer;
  const ticketId = base?.ticket;
  const customer = useLoad(customerId ? `customer ${customerId}` : null, async () =>
    ((await take(api.GET('/api/v1/customers/{id}', path(customerId!)))) as unknown as { customer: Customer }).customer);
  const past = useLoad(customerId ? `past ${customerId}` : null, async () =>
    (await take(api.GET('/api/v1/customers/{id}/timeline', { params: { path: { id: customerId! }, query: { limit: 12 } } }))) as unknown as { entries: PastEntry[] });
  const decisions = useLoad(`why ${id}`, async () => (await take(api.GET('/api/v1/interactions/{id}/decisions', path(id)))) as unknown as { decisions: { decision: Decision }[] });
  const told = useLoad(`facts ${id}`, async () => (await take(api.GET('/api/v1/interactions/{id}/timeline', { params: { path: { id }, query: { messages: false } } }))) as unknown as { facts: Fact[] });
  const [fresh, setFresh] = useState<Fact[]>([]);
  const [paused, setPaused] = useState(false);
  useFacts((fact) => {
    if (fact.fact === 'customer' && customerId) { customer.reload(); return; }
    if (fact.fact === 'ticket') { past.reload(); return; }
    if (fact.interaction !== id) return;
    setFresh((was) => (was.some((f) => f.seq === fact.seq) ? was : [...was, fact]));
    if (['offered', 'connected'].includes(fact.fact)) decisions.reload();
    if (['recording_started', 'recording_ended', 'interaction_closed', 'connected'].includes(fact.fact)) detail.reload();
  });
  // The line was away: what was missed is asked for again.
  const { reload: again } = told;
  useEffect(() => { if (up) again(); }, [up, again]);

  const read = [detail, told, customer, past, decisions];
  // Refused is an answer; none, or that of a server in trouble, is said, for nothing would look like "nothing was".
  const unanswered = (p: Problem | null): boolean => p !== null && (p.status === 0 || p.status >= 500);
  const failed = read.find((r) => r.data === undefined && unanswered(r.problem));
  const kept = told.data?.facts ?? [];
  const last = kept.at(-1)?.seq ?? 0;
  const facts = [...kept, ...fresh.filter((f) => f.seq > last)];
  const channel = work?.channel ?? base?.channel ?? 'voice';
  const history = useHistory(channel === 'webchat' ? id : null, fresh.filter((f) => f.fact === 'message').map((f) => f.message as Message), up);
  const outcome = facts.findLast((f) => f.fact === 'disposed');
  return {
    id, now, work, detail: detail.data, facts: tellAll(facts, history.messages), messages: history.messages, history, channel,
    stage: work?.work ?? now?.stage ?? null,
    who: now?.customer_name || customer.data?.name || base?.from || '',
    from: base?.from ?? '',
    region: now?.attributes['caller.region'] ?? detail.data?.record?.region ?? undefined,
    queue: base?.queue ?? null,
    customer: customer.data, past: past.data?.entries ?? [], ticket: ticketId ?? null,
    decision: decisions.data?.decisions.at(-1)?.decision,
    recordings: detail.data?.recordings ?? [],
    disposed: outcome ? { code: String(outcome.code), note: String(outcome.note ?? '') } : null,
    // The server knows of a recording; where only words are written down, this page does.
    paused: now?.recording ? now.recording === 'paused' : paused, setPaused,
    missing: detail.problem !== null && !unanswered(detail.problem) && !now,
    problem: failed?.problem ?? null, again: () => read.forEach((r) => { if (r.problem) r.reload(); }),
  };
}
