// What was said in a call, as recognised: a line an utterance, while it goes on and afterwards.

import { useEffect, useState } from 'react';
import { api, take } from '../api/client';
import type { Fact } from '../api/shapes';
import { t, tCode } from '../lib/i18n';
import { useLoad } from '../lib/load';
import { timeOfDay } from '../lib/time';
import { agentName, useFacts, useLive } from '../live/live';

interface Line { seq: number; since: string; by: string; agent?: string; text: string; confidence: number }

/** The lines of a contact, in the order in which they were begun; empty when nothing is written down. */
export function useTranscript(id: string): Line[] {
  const told = useLoad(`transcript ${id}`, async () =>
    (await take(api.GET('/api/v1/interactions/{id}/transcript', { params: { path: { id } } }))) as unknown as { facts: Fact[] });
  const [fresh, setFresh] = useState<Fact[]>([]);
  const up = useLive((l) => l.up);
  const { reload } = told;
  // The line was away: what was missed is asked for again.
  useEffect(() => { if (up) reload(); }, [up, reload]);
  useEffect(() => setFresh([]), [id]);
  useFacts((f) => {
    if (f.interaction !== id || f.fact !== 'said') return;
    setFresh((was) => (was.some((o) => o.seq === f.seq) ? was : [...was, f]));
  });
  const kept = told.data?.facts ?? [];
  const last = kept.at(-1)?.seq ?? 0;
  const lines = [...kept, ...fresh.filter((f) => f.seq > last)] as unknown as Line[];
  // One may speak long while the other's short word is understood first.
  return lines.toSorted((a, b) => a.since.localeCompare(b.since) || a.seq - b.seq);
}

/** Below this the recogniser was guessing. */
const SURE = 0.5;

export function Transcript({ lines, customer }: { lines: Line[]; customer: string }) {
  const live = useLive((l) => l);
  return (
    <ol className="grid gap-1" role="log" aria-label={t('work.transcript')}>
      {lines.map((l) => (
        <li key={l.seq} className="grid grid-cols-[4.6rem_1fr] gap-2">
          <time dateTime={l.since} className="num text-soft">{timeOfDay(l.since)}</time>
          <span className={`min-w-0 break-words ${l.confidence < SURE ? 'text-soft' : ''}`} title={l.confidence < SURE ? t('work.unsure') : undefined}>
            <span className="font-semibold">{l.by === 'customer' ? customer : agentName(live, l.agent) || tCode('leg', l.by)}</span> {l.text}
          </span>
        </li>
      ))}
    </ol>
  );
}
