// Reports: what came, what became of it, and what every number means.

import { useMemo, useState } from 'react';
import { api, take } from '../api/client';
import type { components } from '../api/schema';
import { t, type Key } from '../lib/i18n';
import { useLoad } from '../lib/load';
import { setQuery, usePlace } from '../lib/router';
import { clock, dateTime, now } from '../lib/time';
import { agentName, queueName, useLive } from '../live/live';
import { Empty, Page, Tabs, Trouble } from '../ui/parts';
import { Plot } from './Plot';

type Row = components['schemas']['ReportInterval'];
const SPANS: Record<string, number> = { day: 1, week: 7, month: 30 };
const STEPS = ['15', '30', '60', '1440'];

interface Sums { offered: number; answered: number; inTime: number; abandoned: number; short: number; overflowed: number; waited: number; longest: number; handled: number; talk: number; wrap: number; rated: number; satisfied: number }
const zero = (): Sums => ({ offered: 0, answered: 0, inTime: 0, abandoned: 0, short: 0, overflowed: 0, waited: 0, longest: 0, handled: 0, talk: 0, wrap: 0, rated: 0, satisfied: 0 });
function add(s: Sums, r: Row): Sums {
  s.offered += r.offered; s.answered += r.answered; s.inTime += r.answered_in_time; s.abandoned += r.abandoned; s.short += r.abandoned_short; s.overflowed += r.overflowed;
  s.waited += r.answered_wait_ms; s.longest = Math.max(s.longest, r.wait_ms_max); s.handled += r.handled; s.talk += r.talk_ms; s.wrap += r.wrap_ms; s.rated += r.rated; s.satisfied += r.satisfied;
  return s;
}
const part = (a: number, b: number): number | null => (b > 0 ? a / b : null);
const level = (s: Sums): number | null => part(s.inTime, s.answered + s.abandoned - s.short);
const abandon = (s: Sums): number | null => part(s.abandoned - s.short, s.offered - s.short);
const asa = (s: Sums): number | null => part(s.waited, s.answered);
const aht = (s: Sums): number | null => part(s.talk + s.wrap, s.handled);
/** How many were satisfied of those who said so, and how many said so. */
const csat = (r: { rated: number; satisfied: number; handled: number }): string => (r.rated === 0 ? '–' : `${percent(part(r.satisfied, r.rated))} (${percent(part(r.rated, r.handled))})`);
const percent = (n: number | null): string => (n === null ? '–' : `${(100 * n).toFixed(1)} %`);
const time = (ms: number | null): string => (ms === null ? '–' : clock(ms));

export default function Reports() {
  const { query } = usePlace();
  const span = query.get('span') ?? 'day';
  const step = query.get('step') ?? '30';
  const queue = query.get('queue') ?? '';
  const [by, setBy] = useState<'intervals' | 'queues' | 'agents'>('intervals');
  const live = useLive((l) => l);
  // To the hour, so that going back and forth asks the same question.
  const { from, to } = useMemo(() => {
    const end = Math.ceil(now() / 60_000) * 60_000;
    return { from: new Date(end - (SPANS[span] ?? 1) * 86_400_000).toISOString(), to: new Date(end).toISOString() };
  }, [span]);
  const more = queue ? { queue } : {};
  const rows = useLoad(`report ${from} ${step} ${queue}`, async () => (await take(api.GET('/api/v1/reports/intervals', { params: { query: { from, to, step_min: Number(step), ...more } } }))).rows);
  const agents = useLoad(by === 'agents' ? `report agents ${from} ${queue}` : null, async () => (await take(api.GET('/api/v1/reports/agents', { params: { query: { from, to, ...more } } }))).rows);
  const all = rows.data;
  const total = useMemo(() => (all ?? []).reduce(add, zero()), [all]);
  const byTime = useMemo(() => group(all ?? [], (r) => r.from), [all]);
  const byQueue = useMemo(() => group(all ?? [], (r) => r.queue), [all]);
  const plots = useMemo(() => ({
    at: byTime.map(([stamp]) => Date.parse(stamp) / 1000),
    volume: [
      { label: t('reports.offered'), values: byTime.map(([, s]) => s.offered), colour: '--edge', bars: true },
      { label: t('reports.answered'), values: byTime.map(([, s]) => s.answered), colour: '--talking' },
      { label: t('reports.abandoned'), values: byTime.map(([, s]) => s.abandoned), colour: '--bad', dash: [4, 4] },
    ],
    levels: [{ label: t('reports.level'), values: byTime.map(([, s]) => { const n = level(s); return n === null ? null : Math.round(1000 * n) / 10; }), colour: '--good' }],
  }), [byTime]);
  const tiles: [Key, Key, string][] = [
    ['reports.offered', 'reports.offered.is', String(total.offered)],
    ['reports.answered', 'reports.answered.is', String(total.answered)],
    ['reports.level', 'reports.level.is', percent(level(total))],
    ['reports.abandoned', 'reports.abandoned.is', percent(abandon(total))],
    ['reports.asa', 'reports.asa.is', time(asa(total))],
    ['reports.aht', 'reports.aht.is', time(aht(total))],
    ['reports.csat', 'reports.csat.is', csat(total)],
  ];
  const csv = `/api/v1/reports/${by === 'agents' ? 'agents' : 'intervals'}?${new URLSearchParams({ from, to, format: 'csv', ...(by === 'agents' ? {} : { step_min: step }), ...more })}`;
  const filter = 'field w-auto';
  return (
    <Page title={t('nav.reports')} tools={
      <>
        <select className={filter} aria-label={t('reports.span')} value={span} onChange={(e) => setQuery('span', e.target.value)}><option value="day">{t('reports.today')}</option><option value="week">{t('reports.week')}</option><option value="month">{t('reports.month')}</option></select>
        <select className={filter} aria-label={t('reports.step')} value={step} onChange={(e) => setQuery('step', e.target.value)}>{STEPS.map((s) => <option key={s} value={s}>{t(`reports.step.${s}` as Key)}</option>)}</select>
        <select className={filter} aria-label={t('ticket.queue')} value={queue} onChange={(e) => setQuery('queue', e.target.value)}><option value="">{t('tickets.anyqueue')}</option>{Object.entries(live.view.queues).map(([id, q]) => <option key={id} value={id}>{q.name || id}</option>)}</select>
        <a className="btn" href={csv} download>{t('reports.csv')}</a>
      </>
    }>
      <p className="mb-3 text-soft">{t('reports.by')}</p>
      {rows.problem && <Trouble problem={rows.problem} again={rows.reload} />}
      <dl className="mb-3 grid gap-3 sm:grid-cols-2 wide:grid-cols-3">
        {tiles.map(([label, is, value]) => (
          <div key={label} className="card grid grid-cols-[1fr_auto] items-baseline gap-x-3 px-4 py-3">
            <dt className="font-medium">{t(label)}<span className="block text-[0.86rem] font-normal text-soft">{t(is)}</span></dt>
            <dd className="num text-[1.6rem] font-semibold">{value}</dd>
          </div>
        ))}
      </dl>
      {all && all.length === 0 ? <div className="card"><Empty>{t('reports.none')}</Empty></div> : (
        <>
          <div className="mb-3 grid gap-3 wide:grid-cols-2"><Plot at={plots.at} lines={plots.volume} label={t('reports.volume')} /><Plot at={plots.at} lines={plots.levels} label={t('reports.levels')} max={105} /></div>
          <div className="mb-2"><Tabs label={t('reports.step')} value={by} onChange={setBy} tabs={[['intervals', 'reports.intervals'], ['queues', 'reports.queues'], ['agents', 'reports.agents']] as const} /></div>
          <div className="card overflow-x-auto">
            {agents.problem && <Trouble problem={agents.problem} again={agents.reload} />}
            {by === 'agents' ? (
              <table className="table">
                <caption className="sr-only">{t('reports.agents')}</caption>
                <thead><tr><th scope="col">{t('wall.agent')}</th><th scope="col">{t('reports.handled')}</th><th scope="col">{t('reports.talk')}</th><th scope="col">{t('reports.hold')}</th><th scope="col">{t('reports.wrap')}</th><th scope="col">{t('reports.aht')}</th><th scope="col">{t('reports.csat')}</th></tr></thead>
                <tbody>{agents.data?.map((a) => <tr key={a.agent}><td className="font-medium">{agentName(live, a.agent)}</td><td className="num">{a.handled}</td><td className="num">{clock(a.talk_ms)}</td><td className="num">{clock(a.hold_ms)}</td><td className="num">{clock(a.wrap_ms)}</td><td className="num">{time(part(a.talk_ms + a.wrap_ms, a.handled))}</td><td className="num">{csat(a)}</td></tr>)}</tbody>
              </table>
            ) : (
              <table className="table">
                <caption className="sr-only">{t(by === 'queues' ? 'reports.queues' : 'reports.intervals')}</caption>
                <thead><tr><th scope="col">{t(by === 'queues' ? 'wall.queue' : 'calls.when')}</th><th scope="col">{t('reports.offered')}</th><th scope="col">{t('reports.answered')}</th><th scope="col">{t('reports.level')}</th><th scope="col">{t('reports.abandoned')}</th><th scope="col">{t('reports.overflowed')}</th><th scope="col">{t('reports.asa')}</th><th scope="col">{t('reports.longest')}</th><th scope="col">{t('reports.handled')}</th><th scope="col">{t('reports.aht')}</th><th scope="col">{t('reports.csat')}</th></tr></thead>
                <tbody>{(by === 'queues' ? byQueue : byTime).map(([key, s]) => (
                  <tr key={key}><td className="num font-medium">{by === 'queues' ? queueName(live, key) : dateTime(key)}</td><td className="num">{s.offered}</td><td className="num">{s.answered}</td><td className="num">{percent(level(s))}</td><td className="num">{percent(abandon(s))}</td><td className="num">{s.overflowed}</td><td className="num">{time(asa(s))}</td><td className="num">{clock(s.longest)}</td><td className="num">{s.handled}</td><td className="num">{time(aht(s))}</td><td className="num">{csat(s)}</td></tr>
                ))}</tbody>
              </table>
            )}
          </div>
        </>
      )}
    </Page>
  );
}

function group(rows: Row[], key: (r: Row) => string): [string, Sums][] {
  const sums = new Map<string, Sums>();
  for (const r of rows) { const k = key(r); sums.set(k, add(sums.get(k) ?? zero(), r)); }
  return [...sums].sort(([a], [b]) => (a < b ? -1 : 1));
}
