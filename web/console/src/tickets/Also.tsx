// Who else looks at a ticket right now, and who is writing on it. Nothing of this is kept: everybody says it again while it is true.

import { useEffect, useRef, useState } from 'react';
import { api } from '../api/client';
import { t } from '../lib/i18n';
import { agentName, useBlinks, useLive } from '../live/live';

/** Said again this often, ms; not heard for a little longer, somebody is gone. */
const SAY_MS = 20_000;
const GONE_MS = 50_000;

interface Seen { at: number; writing: boolean }

export function Also({ id, writing }: { id: string; writing: boolean }) {
  const me = useLive((l) => l.me?.login);
  const live = useLive((l) => l);
  const up = useLive((l) => l.up);
  const [others, setOthers] = useState<ReadonlyMap<string, Seen>>(new Map());
  const path = { params: { path: { id } } };
  const say = useRef<(here: boolean) => void>(() => {});
  say.current = (here) => void api.POST('/api/v1/tickets/{id}/viewing', { ...path, body: { here, writing: here && writing } }).catch(() => {});
  useBlinks((b) => {
    if (b.type !== 'viewing' || b.ticket !== id || !b.by || b.by === me) return;
    const [by, here, now] = [b.by, b.here === true, Date.now()];
    // Somebody new does not know of those who were here before: they say so at once, a little apart from each other.
    if (here && !others.has(by)) setTimeout(() => { if (!document.hidden) say.current(true); }, 200 + Math.random() * 800);
    setOthers((was) => {
      const next = new Map([...was].filter(([, s]) => now - s.at < GONE_MS));
      if (here) next.set(by, { at: now, writing: b.writing === true }); else next.delete(by);
      return next;
    });
  });
  useEffect(() => {
    if (!up) return undefined;
    const tell = (): void => say.current(!document.hidden);
    tell();
    const again = setInterval(() => {
      tell();
      setOthers((was) => new Map([...was].filter(([, s]) => Date.now() - s.at < GONE_MS)));
    }, SAY_MS);
    document.addEventListener('visibilitychange', tell);
    return () => { clearInterval(again); document.removeEventListener('visibilitychange', tell); say.current(false); };
  }, [id, up]);
  const told = useRef(writing);
  useEffect(() => {
    if (told.current === writing) return;
    told.current = writing;
    if (up && !document.hidden) say.current(true);
  }, [writing, up]);
  return (
    <p role="status" className="flex flex-wrap items-center gap-2 text-soft">
      {others.size > 0 && <span>{t('ticket.also')}</span>}
      {[...others].map(([who, s]) => <span key={who} className={`chip ${s.writing ? 'border-warn text-warn' : ''}`}><span aria-hidden="true">{s.writing ? '✎' : '◉'}</span>{s.writing ? t('ticket.also.writing', { who: agentName(live, who) }) : agentName(live, who)}</span>)}
    </p>
  );
}
