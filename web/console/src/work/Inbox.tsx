// My contacts, and for supervisors everything that is going on. j and k walk, / filters.

import { useMemo, useRef } from 'react';
import type { InteractionNow, WorkNow } from '../api/shapes';
import { useActions } from '../lib/actions';
import { t, tCode } from '../lib/i18n';
import { A, go } from '../lib/router';
import { agentName, myself, queueName, supervises, useLive } from '../live/live';
import { CalledBack, Channel, Empty, Since, Sla, State, Until } from '../ui/parts';

const NONE: WorkNow[] = [];
interface Row { id: string; now: InteractionNow | undefined; work: WorkNow | undefined }

export function Inbox({ selected, filter, onFilter }: { selected: string | null; filter: string; onFilter: (text: string) => void }) {
  const all = useLive((l) => l.view.interactions);
  const queues = useLive((l) => l.view.queues);
  const work = useLive((l) => myself(l)?.work ?? NONE);
  const watches = useLive(supervises);
  const agent = useLive(myself);
  const field = useRef<HTMLInputElement>(null);
  const [mine, others] = useMemo(() => {
    const fits = (i: InteractionNow | undefined): boolean => {
      const words = `${i?.customer_name ?? ''} ${i?.from ?? ''} ${i?.queue ?? ''} ${i?.agent ?? ''}`.toLowerCase();
      return filter.toLowerCase().split(/\s+/).every((w) => words.includes(w));
    };
    const own: Row[] = work.filter((w) => w.work !== 'alerting').map((w) => ({ id: w.interaction, now: all[w.interaction], work: w }));
    const has = new Set(own.map((r) => r.id));
    const rest: Row[] = watches ? Object.entries(all).filter(([id]) => !has.has(id)).map(([id, now]) => ({ id, now, work: undefined })) : [];
    // Whose promise is due first stands first; who waits for nothing keeps the order of arrival.
    const due = ({ now: i }: Row): number => (i?.stage === 'waiting' && i.queue && queues[i.queue]?.sl_target_s ? Date.parse(i.since) + 1000 * queues[i.queue]!.sl_target_s : Infinity);
    const urgent = rest.filter((r) => fits(r.now)).toSorted((a, b) => { const [x, y] = [due(a), due(b)]; return x === y ? 0 : x - y; });
    return [own.filter((r) => fits(r.now)), urgent];
  }, [all, work, watches, filter, queues]);
  const walk = (by: number): void => {
    const ids = [...mine, ...others].map((r) => r.id);
    const at = ids.indexOf(selected ?? '');
    const next = ids[at < 0 ? 0 : Math.min(ids.length - 1, Math.max(0, at + by))];
    if (next) go(`/w/${next}`);
  };
  useActions([
    { id: 'list.next', label: 'list.next', group: 'view', run: () => walk(1) },
    { id: 'list.previous', label: 'list.previous', group: 'view', run: () => walk(-1) },
    { id: 'list.filter', label: 'list.filter', group: 'view', run: () => field.current?.focus() },
  ]);
  return (
    <div>
      <div className="p-2">
        <input ref={field} type="search" className="field" value={filter} onChange={(e) => onFilter(e.target.value)} aria-label={t('list.filter')} placeholder={t('list.filter')}
          onKeyDown={(e) => { if (e.key === 'Escape') { onFilter(''); e.currentTarget.blur(); } }} />
      </div>
      {agent && <Group title={t('inbox.mine')} rows={mine} selected={selected} empty={t(agent.state === 'ready' ? 'inbox.none.ready' : 'inbox.none')} />}
      {watches && <Group title={t('inbox.all')} rows={others} selected={selected} empty={t('inbox.all.none')} />}
    </div>
  );
}

function Group({ title, rows, selected, empty }: { title: string; rows: Row[]; selected: string | null; empty: string }) {
  return (
    <section aria-label={title}>
      <h2 className="h flex px-3 py-1.5">{title}{rows.length > 0 && <span className="num ml-auto">{rows.length}</span>}</h2>
      {rows.length === 0 ? <Empty>{empty}</Empty> : <ul>{rows.map((r) => <li key={r.id}><Item row={r} here={r.id === selected} /></li>)}</ul>}
    </section>
  );
}

function Item({ row: { id, now, work }, here }: { row: Row; here: boolean }) {
  const queue = useLive((l) => queueName(l, now?.queue));
  const agent = useLive((l) => (work ? '' : agentName(l, now?.agent)));
  const stage = work?.work ?? now?.stage ?? 'flow';
  const target = useLive((l) => (now?.queue ? l.view.queues[now.queue]?.sl_target_s : undefined));
  return (
    <A href={`/w/${id}`} aria-current={here ? 'true' : undefined} className="block border-l-3 border-transparent px-3 py-2 hover:bg-raised aria-[current=true]:border-accent aria-[current=true]:bg-mine">
      <span className="flex items-baseline gap-2">
        {now?.callback ? <CalledBack /> : <Channel channel={work?.channel ?? now?.channel ?? 'voice'} />}
        <span className="truncate font-medium">{now?.customer_name || now?.from || tCode('channel', work?.channel)}</span>
        <span className="ml-auto">
          {work?.work === 'wrap_up' && work.until ? <Until at={work.until} />
            : stage === 'waiting' && now ? (target ? <Sla due={new Date(Date.parse(now.since) + 1000 * target).toISOString()} limit_s={target} what="sla.answer" /> : <Since at={now.since} />)
            : <Since at={work?.since ?? now?.stage_since ?? ''} />}
        </span>
      </span>
      <span className="mt-0.5 flex gap-2 truncate text-[0.92em] text-soft"><State state={stage} /><span className="truncate">{[queue, agent].filter(Boolean).join(' · ')}</span></span>
    </A>
  );
}
