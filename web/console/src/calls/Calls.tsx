// What was: every contact, filtered, and one of them in detail.

import { useEffect, useState } from 'react';
import { api, take } from '../api/client';
import type { InteractionRow } from '../api/shapes';
import { t, tCode } from '../lib/i18n';
import { regionName } from '../lib/region';
import { useLoad } from '../lib/load';
import { A, setQuery, usePlace } from '../lib/router';
import { clock, dateTime } from '../lib/time';
import { agentName, queueName, supervises, useFacts, useLive } from '../live/live';
import { Views } from '../lists/Views';
import { Callable } from '../phone/Dial';
import { Search } from '../ui/Search';
import { Button, Channel, Empty, Page, Trouble } from '../ui/parts';
import { Detail } from './Detail';

export default function Calls({ selected }: { selected: string | null }) {
  return selected ? <Detail key={selected} id={selected} /> : <List />;
}

const FILTERS = ['q', 'channel', 'queue', 'agent', 'from', 'to'] as const;

interface Answer { interactions: InteractionRow[]; next?: string }

function List() {
  const { query } = usePlace();
  const queues = useLive((l) => l.view.queues);
  const agents = useLive((l) => l.view.agents);
  const watches = useLive(supervises);
  const [more, setMore] = useState<InteractionRow[]>([]);
  const [next, setNext] = useState<string | null>(null);
  // An agent's list is their own, whoever a shared one was made for.
  const wanted = Object.fromEntries(FILTERS.map((k) => [k, query.get(k) ?? '']).filter(([k, v]) => v && (watches || k !== 'agent'))) as Partial<Record<(typeof FILTERS)[number], string>>;
  const { q = '', channel = '', queue = '', agent = '', from = '', to = '' } = wanted;
  const key = `calls ${JSON.stringify(wanted)}`;
  // The last day is meant whole.
  const until = to ? new Date(`${to}T00:00`) : null;
  until?.setDate(until.getDate() + 1);
  const ask = async (after?: string): Promise<Answer> => (await take(api.GET('/api/v1/interactions', { params: { query: {
    ...(q ? { q } : {}), ...(channel ? { channel } : {}), ...(queue ? { queue } : {}), ...(agent ? { agent } : {}), ...(from ? { from: new Date(`${from}T00:00`).toISOString() } : {}), ...(until ? { to: until.toISOString() } : {}), ...(after ? { after } : {}), limit: 50,
  } } }))) as unknown as Answer;
  const first = useLoad(key, () => ask());
  useEffect(() => { setMore([]); setNext(null); }, [key]);
  useFacts((f) => { if (f.fact === 'interaction_closed') first.reload(); });
  const rows = [...(first.data?.interactions ?? []), ...more];
  const cursor = next ?? (more.length === 0 ? first.data?.next ?? null : null);
  const filter = (name: string, value: string, label: string, options: [string, string][]) => (
    <select className="field w-auto" aria-label={label} value={value} onChange={(e) => setQuery(name, e.target.value)}>
      <option value="">{label}: {t('list.any')}</option>{options.map(([id, text]) => <option key={id} value={id}>{text}</option>)}
    </select>
  );
  return (
    <Page title={t('nav.calls')}>
      <div className="mb-3 flex flex-wrap items-center gap-2">
        <Search value={q} label={t('calls.search')} onChange={(text) => setQuery('q', text)} />
        {filter('channel', channel, t('calls.channel'), ['voice', 'webchat'].map((c) => [c, tCode('channel', c)]))}
        {filter('queue', queue, t('wall.queue'), Object.entries(queues).map(([id, q]) => [id, q.name || id]))}
        {watches && filter('agent', agent, t('wall.agent'), Object.entries(agents).map(([id, a]) => [id, a.name || id]))}
        <label className="flex items-center gap-2"><span className="text-soft">{t('calls.from')}</span><input type="date" className="field w-auto" value={from} onChange={(e) => setQuery('from', e.target.value)} /></label>
        <label className="flex items-center gap-2"><span className="text-soft">{t('calls.until')}</span><input type="date" className="field w-auto" value={to} onChange={(e) => setQuery('to', e.target.value)} /></label>
      </div>
      <Views kind="contacts" path="/calls" here={query.get('list')} query={wanted} />
      {first.problem && <Trouble problem={first.problem} again={first.reload} />}
      <div className="card overflow-x-auto">
        <table className="table">
          <caption className="sr-only">{t('nav.calls')}</caption>
          <thead><tr>
            <th scope="col">{t('calls.when')}</th><th scope="col">{t('wall.contact')}</th><th scope="col">{t('wall.queue')}</th><th scope="col">{t('wall.agent')}</th>
            <th scope="col" className="text-right!">{t('calls.waited')}</th><th scope="col" className="text-right!">{t('calls.talked')}</th><th scope="col">{t('calls.result')}</th>
          </tr></thead>
          <tbody>{rows.map((r) => <Line key={r.id} row={r} />)}</tbody>
        </table>
        {first.data && rows.length === 0 && <Empty>{t(q ? 'calls.none.found' : 'calls.none')}</Empty>}
      </div>
      {cursor && <div className="mt-3 text-center"><Button onClick={async () => { const page = await ask(cursor); setMore((was) => [...was, ...page.interactions]); setNext(page.next ?? null); }}>{t('list.more')}</Button></div>}
    </Page>
  );
}

function Line({ row: r }: { row: InteractionRow }) {
  const queue = useLive((l) => queueName(l, r.queue));
  const agent = useLive((l) => agentName(l, r.agent));
  const code = useLive((l) => (r.disposition ? l.codes.dispositions.find((d) => d.id === r.disposition)?.name ?? r.disposition : ''));
  const missed = r.closed_at && !r.answered_at;
  const voice = r.channel === 'voice';
  const theirs = r.way === 'outbound' ? r.to : r.from;
  return (
    <tr>
      <td className="num whitespace-nowrap">{dateTime(r.opened_at)}</td>
      <td><A className="link" href={`/calls/${r.id}`}><Channel channel={r.channel} /> {theirs || t('customer.noname')}</A> {voice && <Callable bare number={theirs} />} {r.region && <span className="text-soft">{regionName(r.region)} </span>}<span className="text-soft" title={tCode('way', r.way)}>{r.way === 'outbound' ? '↗' : r.way === 'internal' ? '⇄' : '↙'}<span className="sr-only">{tCode('way', r.way)}</span></span></td>
      <td>{queue || <span className="text-soft">–</span>}</td><td>{agent || <span className="text-soft">–</span>}</td>
      <td className="num text-right">{r.waited_ms ? clock(r.waited_ms) : '–'}</td>
      <td className="num text-right">{r.talk_ms ? clock(r.talk_ms) : '–'}</td>
      <td>{!r.closed_at ? <span className="chip text-talking">▲ {t('calls.live')}</span> : missed ? <span className="font-medium text-bad">✕ {tCode('why', r.unqueued) || t('calls.missed')}</span> : code || <span className="text-soft">–</span>}</td>
    </tr>
  );
}
