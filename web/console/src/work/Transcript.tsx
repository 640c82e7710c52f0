// What was said in a call, as recognised: a line an utterance, while it goes on and afterwards.

import { useCallback, useEffect, useLayoutEffect, useRef, useState, type ReactNode } from 'react';
import { api, take } from '../api/client';
import type { Fact } from '../api/shapes';
import { t, tCode } from '../lib/i18n';
import { useLoad } from '../lib/load';
import { timeOfDay } from '../lib/time';
import { agentName, useFacts, useLive } from '../live/live';
import { Button } from '../ui/parts';

export interface Line { seq: number; since: string; by: string; agent?: string; text: string; confidence: number }

/** Lines of one question. */
const PAGE = 200;

const ask = async (id: string, after: number): Promise<Fact[]> =>
  ((await take(api.GET('/api/v1/interactions/{id}/transcript', { params: { path: { id }, query: { after, limit: PAGE } } }))) as unknown as { facts: Fact[] }).facts;

/**
 * The lines of a contact, in the order in which they were begun; empty when nothing is written down. `more` asks for the next page,
 * where there is one. `whole`: all pages are asked for at once, for whoever follows a call that goes on.
 */
export function useTranscript(id: string, whole = false): { lines: Line[]; more: (() => void) | null } {
  const told = useLoad(`transcript ${id}${whole ? ' whole' : ''}`, async () => {
    const facts = await ask(id, 0);
    for (let last = facts.length; whole && last === PAGE;) {
      const next = await ask(id, facts.at(-1)?.seq ?? 0);
      facts.push(...next);
      last = next.length;
    }
    return facts;
  });
  const [fresh, setFresh] = useState<Fact[]>([]);
  const [pages, setPages] = useState<Fact[][]>([]);
  const up = useLive((l) => l.up);
  const { reload } = told;
  // The line was away: what was missed is asked for again.
  useEffect(() => { if (up) reload(); }, [up, reload]);
  useEffect(() => { setFresh([]); setPages([]); }, [id]);
  useFacts((f) => {
    if (f.interaction !== id || f.fact !== 'said') return;
    setFresh((was) => (was.some((o) => o.seq === f.seq) ? was : [...was, f]));
  });
  const first = told.data ?? [];
  const kept = [...first, ...pages.flat()];
  const last = kept.at(-1)?.seq ?? 0;
  const full = !whole && (pages.at(-1) ?? first).length === PAGE;
  const next = useCallback(() => { ask(id, last).then((page) => setPages((was) => [...was, page]), reload); }, [id, last, reload]);
  // Between a page and what is said now lines would be missing: first the pages.
  const lines = [...kept, ...(full ? [] : fresh.filter((f) => f.seq > last))] as unknown as Line[];
  // One may speak long while the other's short word is understood first.
  return { lines: lines.toSorted((a, b) => a.since.localeCompare(b.since) || a.seq - b.seq), more: full ? next : null };
}

/** A list that follows what comes, until its reader scrolls up: then it stays where it is read, and says how much came. */
export function Following({ count, children }: { count: number; children: ReactNode }) {
  const box = useRef<HTMLDivElement>(null);
  const atEnd = useRef(true);
  const seen = useRef(count);
  const top = useRef(0);
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
        // Only who goes up leaves the end: that the end moved away, because the list grew or its place shrank, is nobody's wish.
        const up = list.scrollTop < top.current;
        top.current = list.scrollTop;
        if (list.scrollHeight - list.scrollTop - list.clientHeight < 40) atEnd.current = true;
        else if (up) atEnd.current = false;
        else if (atEnd.current) list.scrollTop = list.scrollHeight;
        if (atEnd.current) { seen.current = count; setMissed(0); }
      }}>{children}</div>
      {missed > 0 && <Button small look="main" className="absolute bottom-3 left-1/2 -translate-x-1/2 shadow" onClick={follow}>{t('transcript.new', { n: missed })} ↓</Button>}
    </div>
  );
}

/** Below this the recogniser was guessing. */
const SURE = 0.5;

interface Props {
  lines: Line[]; customer: string; more?: (() => void) | null;
  /** Somebody wants to hear a line. */
  onSeek?: ((at: number) => void) | undefined;
  /** Where the recording plays, milliseconds since 1970: the line spoken then is marked. */
  head?: number | null;
}

export function Transcript({ lines, customer, more, onSeek, head }: Props) {
  const live = useLive((l) => l);
  const spoken = head ? lines.findLast((l) => Date.parse(l.since) <= head)?.seq : undefined;
  return (
    <>
      <ol className="grid gap-1" role="log" aria-label={t('work.transcript')}>
        {lines.map((l) => (
          <li key={l.seq} className={`grid grid-cols-[4.6rem_1fr] gap-2 rounded-lg px-2 py-0.5 ${l.by === 'customer' ? 'mr-[12%]' : 'ml-[12%] bg-mine'} ${l.seq === spoken ? 'outline-2 outline-accent' : ''}`} {...(l.seq === spoken ? { 'aria-current': true } : {})}>
            {onSeek
              ? <button type="button" className="link num min-h-[24px] text-left" title={t('transcript.seek')} aria-label={`${t('transcript.seek')}: ${timeOfDay(l.since)}`} onClick={() => onSeek(Date.parse(l.since))}><time dateTime={l.since}>{timeOfDay(l.since)}</time></button>
              : <time dateTime={l.since} className="num text-soft">{timeOfDay(l.since)}</time>}
            <span className={`min-w-0 break-words ${l.confidence < SURE ? 'text-soft' : ''}`} title={l.confidence < SURE ? t('work.unsure') : undefined}>
              <span className="font-semibold">{l.by === 'customer' ? customer : agentName(live, l.agent) || tCode('leg', l.by)}</span> {l.text}
            </span>
          </li>
        ))}
      </ol>
      {more && <Button small className="mt-2" onClick={more}>{t('transcript.more')}</Button>}
    </>
  );
}
