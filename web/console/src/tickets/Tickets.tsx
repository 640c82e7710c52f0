// Tickets: views, a list that can be worked through by keyboard and in bulk, and one ticket with all that happened to it.

import { useEffect, useMemo, useRef, useState } from 'react';
import { api, take, type Problem } from '../api/client';
import type { Promise_, TicketChange, TicketRow } from '../api/shapes';
import { notice, problemText } from '../lib/act';
import { useActions } from '../lib/actions';
import { t, tCode, type Key } from '../lib/i18n';
import { useLoad } from '../lib/load';
import { A, go, setQuery, usePlace } from '../lib/router';
import { dateTime } from '../lib/time';
import { agentName, queueName, useFacts, useLive } from '../live/live';
import { Button, Empty, Page, Since, Sla, Tabs, Trouble } from '../ui/parts';
import { NewTicket } from '../work/CustomerPanel';
import { Views } from '../lists/Views';
import { Search } from '../ui/Search';
import { MergeMany } from './Merge';
import { Ticket } from './Ticket';

/** Most tickets one request changes. */
const AT_ONCE = 200;

const OPEN = 'new,open,pending_customer,pending_internal';
type ViewId = 'mine' | 'open' | 'unassigned' | 'waiting' | 'done' | 'all';
const VIEWS: readonly (readonly [ViewId, Key])[] = [
  ['mine', 'tickets.mine'], ['open', 'tickets.open'], ['unassigned', 'tickets.unassigned'], ['waiting', 'tickets.waiting'], ['done', 'tickets.done'], ['all', 'tickets.all'],
];
const filters: Record<ViewId, { status?: string; owner?: string }> = {
  mine: { status: OPEN, owner: 'me' }, open: { status: OPEN }, unassigned: { status: OPEN, owner: 'nobody' }, waiting: { status: 'pending_customer,pending_internal' },
  done: { status: 'resolved,closed,merged,spam' }, all: {},
};

interface Page_ { tickets: TicketRow[]; next: string | null }

export default function Tickets({ selected }: { selected: string | null }) {
  return selected ? <Ticket key={selected} id={selected} /> : <List />;
}

function List() {
  const { query } = usePlace();
  const view = (query.get('view') as ViewId | null) ?? 'open';
  const q = query.get('q') ?? '';
  const queue = query.get('queue') ?? '';
  const [owner, priority, status] = [query.get('owner') ?? '', query.get('priority') ?? '', query.get('status') ?? ''];
  const agents = useLive((l) => l.view.agents);
  const [more, setMore] = useState<TicketRow[]>([]);
  const [next, setNext] = useState<string | null>(null);
  const [picked, setPicked] = useState<ReadonlySet<string>>(new Set());
  const [at, setAt] = useState(0);
  const [opening, setOpening] = useState(false);
  const queues = useLive((l) => l.view.queues);
  const field = useRef<HTMLInputElement>(null);
  // What is asked for: the view's own filters, and what was chosen beside it.
  const wanted: { q?: string; status?: string; owner?: string; queue?: string; priority?: string } = {
    ...filters[view], ...(status ? { status } : {}), ...(owner ? { owner } : {}), ...(priority ? { priority } : {}), ...(q ? { q } : {}), ...(queue ? { queue } : {}),
  };
  const key = `tickets ${JSON.stringify(wanted)}`;
  const ask = async (after?: string): Promise<Page_> => (await take(api.GET('/api/v1/tickets', { params: { query: {
    ...wanted, ...(after ? { after } : {}), limit: 50,
  } } }))) as unknown as Page_;
  const first = useLoad(key, () => ask());
  useEffect(() => { setMore([]); setNext(null); setPicked(new Set()); setAt(0); }, [key]);
  const pause = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  useFacts((f) => {
    if (f.fact !== 'ticket') return;
    // A busy floor changes tickets all the time: asked for again once it has gone quiet for a moment.
    clearTimeout(pause.current);
    pause.current = setTimeout(first.reload, 400);
  });
  const rows = useMemo(() => [...(first.data?.tickets ?? []), ...more], [first.data, more]);
  const cursor = next ?? (more.length === 0 ? first.data?.next ?? null : null);
  const toggle = (id: string): void => setPicked((was) => { const set = new Set(was); if (!set.delete(id)) set.add(id); return set; });
  const walk = (by: number): void => {
    const to = Math.min(rows.length - 1, Math.max(0, at + by));
    setAt(to);
    document.getElementById(`ticket-${rows[to]?.id}`)?.focus();
  };
  useActions([
    { id: 'list.next', label: 'list.next', group: 'view', run: () => walk(1) },
    { id: 'list.previous', label: 'list.previous', group: 'view', run: () => walk(-1) },
    { id: 'list.filter', label: 'list.filter', group: 'view', run: () => field.current?.focus() },
    rows[at] && { id: 'list.pick', label: 'list.pick', key: 'x', group: 'view', run: () => { const r = rows[at]; if (r) toggle(r.id); } },
    { id: 'ticket.new', label: 'ticket.new', group: 'view', run: () => setOpening(true) },
  ]);
  return (
    <Page title={t('nav.tickets')} tools={<Button look="main" onClick={() => setOpening(true)}>{t('ticket.new')}</Button>}>
      <div className="mb-3 flex flex-wrap items-center gap-3">
        <Tabs label={t('tickets.view')} value={view} tabs={VIEWS} onChange={(v) => go(v === 'open' ? '/tickets' : `/tickets?view=${v}`)} />
        <Search field={field} value={q} label={t('tickets.search')} onChange={(text) => setQuery('q', text)} />
        <select className="field w-auto" value={queue} aria-label={t('wall.queue')} onChange={(e) => setQuery('queue', e.target.value)}>
          <option value="">{t('tickets.anyqueue')}</option>{Object.entries(queues).map(([id, x]) => <option key={id} value={id}>{x.name || id}</option>)}
        </select>
        <select className="field w-auto" value={owner} aria-label={t('ticket.owner')} onChange={(e) => setQuery('owner', e.target.value)}>
          <option value="">{t('tickets.anyowner')}</option><option value="me">{t('tickets.mine')}</option><option value="nobody">{t('tickets.nobody')}</option>{Object.entries(agents).map(([id, a]) => <option key={id} value={id}>{a.name || id}</option>)}
        </select>
        <select className="field w-auto" value={priority} aria-label={t('ticket.priority')} onChange={(e) => setQuery('priority', e.target.value)}>
          <option value="">{t('tickets.anypriority')}</option>{['low', 'normal', 'high', 'urgent'].map((p) => <option key={p} value={p}>{tCode('priority', p)}</option>)}
        </select>
      </div>
      <Views kind="tickets" path="/tickets?view=all" here={query.get('list')} query={wanted} />
      {picked.size > 0 && <Bulk picked={picked} rows={rows} done={() => { setPicked(new Set()); first.reload(); }} />}
      {first.problem && <Trouble problem={first.problem} again={first.reload} />}
      <div className="card overflow-x-auto">
        <table className="table">
          <caption className="sr-only">{t('nav.tickets')}</caption>
          <thead><tr>
            <th scope="col"><span className="sr-only">{t('list.pick')}</span></th><th scope="col">#</th><th scope="col">{t('ticket.title')}</th><th scope="col">{t('ticket.status')}</th>
            <th scope="col">{t('sla.due')}</th><th scope="col">{t('ticket.unanswered')}</th><th scope="col">{t('ticket.priority')}</th><th scope="col">{t('ticket.owner')}</th><th scope="col">{t('ticket.queue')}</th><th scope="col">{t('ticket.changed')}</th>
          </tr></thead>
          <tbody>
            {rows.map((r, n) => <Line key={r.id} row={r} picked={picked.has(r.id)} onPick={() => toggle(r.id)} onFocus={() => setAt(n)} />)}
          </tbody>
        </table>
        {first.data && rows.length === 0 && <Empty>{t(q ? 'tickets.none.found' : 'tickets.none')}</Empty>}
      </div>
      {cursor && <div className="mt-3 text-center"><Button onClick={async () => { const page = await ask(cursor); setMore((was) => [...was, ...page.tickets]); setNext(page.next); }}>{t('list.more')}</Button></div>}
      <NewTicket open={opening} onClose={(made) => { setOpening(false); if (made) go(`/tickets/${made}`); }} />
    </Page>
  );
}

function Line({ row: r, picked, onPick, onFocus }: { row: TicketRow; picked: boolean; onPick: () => void; onFocus: () => void }) {
  const owner = useLive((l) => agentName(l, r.owner));
  const queue = useLive((l) => queueName(l, r.queue));
  return (
    <tr aria-selected={picked}>
      <td><input type="checkbox" className="size-5 align-middle" checked={picked} onChange={onPick} aria-label={t('tickets.pick', { n: r.number })} /></td>
      <td className="num text-soft">{r.number}</td>
      <td className="min-w-56"><A id={`ticket-${r.id}`} href={`/tickets/${r.id}`} className="link" onFocus={onFocus}>{r.title}</A></td>
      <td className="whitespace-nowrap">{tCode('status', r.status)}</td>
      <td><Due promise={r.promise} /></td>
      <td>{r.unanswered && !['resolved', 'closed', 'merged', 'spam'].includes(r.status) ? <span className="chip border-warn text-warn"><span aria-hidden="true">◔</span><Since at={r.unanswered} /></span> : <span className="text-soft">–</span>}</td>
      <td><Priority value={r.priority} /></td>
      <td>{owner || <span className="text-soft">–</span>}</td><td>{queue || <span className="text-soft">–</span>}</td>
      <td className="num whitespace-nowrap text-soft">{dateTime(r.changed_at)}</td>
    </tr>
  );
}

/** When a promise is due, if one runs. */
export function Due({ promise: p }: { promise: Promise_ | null | undefined }) {
  if (!p?.due) return <span className="text-soft">–</span>;
  const what = `sla.${p.clock}` as Key;
  return <Sla due={p.due} limit_s={p.limit_s} what={what} />;
}

export function Priority({ value }: { value: string }) {
  const strong = value === 'high' || value === 'urgent';
  return <span className={strong ? 'font-semibold text-bad' : value === 'low' ? 'text-soft' : ''}>{value === 'urgent' ? '▲▲ ' : value === 'high' ? '▲ ' : value === 'low' ? '▽ ' : ''}{tCode('priority', value)}</span>;
}

/** The same change to many; says how many it could not be done to. */
function Bulk({ picked, rows, done }: { picked: ReadonlySet<string>; rows: TicketRow[]; done: () => void }) {
  const agents = useLive((l) => l.view.agents);
  const [busy, setBusy] = useState(false);
  const [merging, setMerging] = useState(false);
  const chosen = rows.filter((r) => picked.has(r.id));
  const run = async (change: TicketChange): Promise<void> => {
    setBusy(true);
    try {
      const { changed, refused } = await take(api.POST('/api/v1/tickets/changes', { body: { tickets: chosen.map((r) => r.id).slice(0, AT_ONCE), change } }));
      const failed = refused.length;
      notice(failed ? t('tickets.bulk.some', { n: changed.length, failed }) : t('tickets.bulk.done', { n: changed.length }), failed > 0);
      done();
    } catch (problem) { notice(problemText(problem as Problem), true); }
    setBusy(false);
  };
  return (
    <div className="card mb-3 flex flex-wrap items-center gap-2 border-accent p-2" role="toolbar" aria-label={t('tickets.bulk')}>
      <span className="px-2 font-medium">{t('tickets.picked', { n: picked.size })}</span>
      <Button small disabled={busy} onClick={() => void run({ change: 'assigned', owner: 'me' })}>{t('ticket.take')}</Button>
      <select className="field min-h-[1.9rem] w-auto" disabled={busy} value="" aria-label={t('ticket.assign')} onChange={(e) => void run({ change: 'assigned', owner: e.target.value })}>
        <option value="" disabled>{t('ticket.assign')}</option>{Object.entries(agents).map(([id, a]) => <option key={id} value={id}>{a.name || id}</option>)}
      </select>
      <select className="field min-h-[1.9rem] w-auto" disabled={busy} value="" aria-label={t('ticket.status')} onChange={(e) => void run({ change: 'state', to: e.target.value as 'open' })}>
        <option value="" disabled>{t('ticket.status')}</option>{(['open', 'pending_customer', 'resolved', 'closed', 'spam'] as const).map((s) => <option key={s} value={s}>{tCode('status', s)}</option>)}
      </select>
      <select className="field min-h-[1.9rem] w-auto" disabled={busy} value="" aria-label={t('ticket.priority')} onChange={(e) => void run({ change: 'prioritised', priority: e.target.value })}>
        <option value="" disabled>{t('ticket.priority')}</option>{['low', 'normal', 'high', 'urgent'].map((p) => <option key={p} value={p}>{tCode('priority', p)}</option>)}
      </select>
      {chosen.length > 1 && <Button small disabled={busy} onClick={() => setMerging(true)}>{t('tickets.merge')}</Button>}
      <MergeMany rows={chosen} open={merging} onClose={() => setMerging(false)} onDone={done} />
    </div>
  );
}
