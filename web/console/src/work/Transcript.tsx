// What was said in a call, as recognised: a line an utterance, while it goes on and afterwards.

import { useEffect, useLayoutEffect, useRef, useState, type ReactNode } from 'react';
import { api, take } from '../api/client';
import type { Fact } from '../api/shapes';
import { t, tCode } from '../lib/i18n';
import { useLoad } from '../lib/load';
import { timeOfDay } from '../lib/time';
import { agentName, useFacts, useLive } from '../live/live';
import { Button } from '../ui/parts';

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

/** A list that follows what comes, until its reader scrolls up: then it stays where it is read, and says how much came. */
export function Following({ count, children }: { count: number; children: ReactNode }) {
  const box = useRef<HTMLDivElement>(null);
  const atEnd = useRef(true);
  const seen = useRef(count);
  const [missed, setMissed] = useState(0);
  const follow = (): void => {
    const list = box.current;
    if (list) list.scrollTop = list.scrollHeight;
    atEnd.current = true;
    seen.current = count;
    setMissed(0);
  };
  useLayoutEffect(() => { if (atEnd.current) follow(); else setMissed(Math.max(0, count - seen.current)); }, [count]);
  // What stands around the list grows and shrinks: who follows goes on following.
  useEffect(() => {
    const list = box.current;
    if (!list) return undefined;
    const watch = new ResizeObserver(() => { if (atEnd.current) list.scrollTop = list.scrollHeight; });
    watch.observe(list);
    return () => watch.disconnect();
  }, []);
  return (
    <div className="relative flex min-h-0 grow flex-col">
      <div ref={box} tabIndex={0} className="min-h-0 grow overflow-y-auto px-4 py-3" onScroll={(e) => {
        const list = e.currentTarget;
        atEnd.current = list.scrollHeight - list.scrollTop - list.clientHeight < 40;
        if (atEnd.current) { seen.current = count; setMissed(0); }
      }}>{children}</div>
      {missed > 0 && <Button small look="main" className="absolute bottom-3 left-1/2 -translate-x-1/2 shadow" onClick={follow}>{t('transcript.new', { n: missed })} ↓</Button>}
    </div>
  );
}

/** Below this the recogniser was guessing. */
const SURE = 0.5;

export function Transcript({ lines, customer }: { lines: Line[]; customer: string }) {
  const live = useLive((l) => l);
  return (
    <ol className="grid gap-1" role="log" aria-label={t('work.transcript')}>
      {lines.map((l) => (
        <li key={l.seq} className={`grid grid-cols-[4.6rem_1fr] gap-2 rounded-lg px-2 py-0.5 ${l.by === 'customer' ? 'mr-[12%]' : 'ml-[12%] bg-mine'}`}>
          <time dateTime={l.since} className="num text-soft">{timeOfDay(l.since)}</time>
          <span className={`min-w-0 break-words ${l.confidence < SURE ? 'text-soft' : ''}`} title={l.confidence < SURE ? t('work.unsure') : undefined}>
            <span className="font-semibold">{l.by === 'customer' ? customer : agentName(live, l.agent) || tCode('leg', l.by)}</span> {l.text}
          </span>
        </li>
      ))}
    </ol>
  );
}
