// Reports: what came, what became of it, and what every number means. The server counts; percentages and percentiles of several
// intervals or queues are its own, for they cannot be added up.

import { useMemo, useState } from 'react';
import { api, take } from '../api/client';
import type { components } from '../api/schema';
import { t, useLanguage, type Key } from '../lib/i18n';
import '../words/reports';
import { useLoad } from '../lib/load';
import { setQuery, usePlace } from '../lib/router';
import { now } from '../lib/time';
import { useLive, type Live } from '../live/live';
import { Empty, Page, Tabs, Trouble } from '../ui/parts';
import { Plot } from './Plot';
import { Saved } from './Saved';
import { Agents, Cells, csat, percent, time, type Agent, type Cell } from './Tables';

type Figures = components['schemas']['QueueFigures'];
const SPANS: Record<string, number> = { day: 1, week: 7, month: 30 };
const STEPS = ['15', '30', '60', '1440'];
const NO_CELLS: Cell[] = [];
const NO_AGENTS: Agent[] = [];
const LEVELS = ['sl1', 'sl2', 'sl3', 'sl4', 'sl5'] as const;

const tenth = (n: number | null | undefined): number | null => (n === null || n === undefined ? null : Math.round(1000 * n) / 10);

/** Names by id, the same object as long as they are the same. */
function useNames(of: (live: Live) => Record<string, { name: string }>): Record<string, string> {
  const told = useLive((l) => JSON.stringify(Object.entries(of(l)).map(([id, x]) => [id, x.name || id])));
  return useMemo(() => Object.fromEntries(JSON.parse(told) as [string, string][]), [told]);
}

export default function Reports() {
  const { query } = usePlace();
  const span = query.get('span') ?? 'day';
  const step = query.get('step') ?? '30';
  const queue = query.get('queue') ?? '';
  const sl = LEVELS.find((l) => l === query.get('sl')) ?? 'sl1';
  const by = (['queues', 'agents'] as const).find((x) => x === query.get('by')) ?? 'intervals';
  // Only the names: what happens on the floor ten times a second draws no report again.
  const [queues, names] = [useNames((l) => l.view.queues), useNames((l) => l.view.agents)];
  const [kept, setKept] = useState(0);
  // To the minute, so that going back and forth asks the same question.
  const { from, to } = useMemo(() => {
    const end = Math.ceil(now() / 60_000) * 60_000;
    return { from: new Date(end - (SPANS[span] ?? 1) * 86_400_000).toISOString(), to: new Date(end).toISOString() };
  }, [span, kept]);
  const more = queue ? { queue } : {};
  const report = useLoad(`report ${from} ${step} ${queue}`, () => take(api.GET('/api/v1/reports/intervals', { params: { query: { from, to, step_min: Number(step), ...more } } })));
  const agents = useLoad(by === 'agents' ? `report agents ${from} ${queue}` : null, async () => (await take(api.GET('/api/v1/reports/agents', { params: { query: { from, to, ...more } } }))).rows);
  const r = report.data;
  const speech = useLanguage();
  const plots = useMemo(() => ({
    at: (r?.intervals ?? []).map((i) => Date.parse(i.from ?? '') / 1000),
    volume: [
      { label: t('reports.offered'), values: (r?.intervals ?? []).map((i) => i.offered), colour: '--edge', bars: true },
      { label: t('reports.answered'), values: (r?.intervals ?? []).map((i) => i.answered), colour: '--talking' },
      { label: t('reports.abandoned'), values: (r?.intervals ?? []).map((i) => i.abandoned), colour: '--bad', dash: [4, 4] },
    ],
    levels: [{ label: t(`reports.${sl}`), values: (r?.intervals ?? []).map((i) => tenth(i[sl])), colour: '--good' }],
    waits: [
      { label: t('reports.asa'), values: (r?.intervals ?? []).map((i) => (i.asa_ms ?? null) === null ? null : i.asa_ms! / 1000), colour: '--talking' },
      { label: t('reports.p90'), values: (r?.intervals ?? []).map((i) => (i.wait_p90_ms ?? null) === null ? null : i.wait_p90_ms! / 1000), colour: '--hold', dash: [6, 4] },
    ],
  }), [r, sl, speech]);
  const csv = `/api/v1/reports/${by === 'agents' ? 'agents' : 'intervals'}?${new URLSearchParams({ from, to, format: 'csv', ...(by === 'agents' ? {} : { step_min: step }), ...more })}`;
  const filter = 'field w-auto';
  return (
    <Page title={t('nav.reports')} tools={
      <>
        <select className={filter} aria-label={t('reports.span')} value={span} onChange={(e) => setQuery('span', e.target.value)}><option value="day">{t('reports.today')}</option><option value="week">{t('reports.week')}</option><option value="month">{t('reports.month')}</option></select>
        <select className={filter} aria-label={t('reports.step')} value={step} onChange={(e) => setQuery('step', e.target.value)}>{STEPS.map((s) => <option key={s} value={s}>{t(`reports.step.${s}` as Key)}</option>)}</select>
        <select className={filter} aria-label={t('ticket.queue')} value={queue} onChange={(e) => setQuery('queue', e.target.value)}><option value="">{t('tickets.anyqueue')}</option>{Object.entries(queues).map(([id, name]) => <option key={id} value={id}>{name}</option>)}</select>
        <select className={filter} aria-label={t('reports.level')} value={sl} onChange={(e) => setQuery('sl', e.target.value)}>{LEVELS.map((l) => <option key={l} value={l}>{t(`reports.${l}`)}</option>)}</select>
        <a className="btn" href={csv} download>{t('reports.csv')}</a>
      </>
    }>
      <p className="mb-3 text-soft">{t('reports.by')}{r && ` ${t('reports.zone', { zone: r.zone })}`}</p>
      {report.problem && <Trouble problem={report.problem} again={report.reload} />}
      {r && <Tiles f={r.whole} sl={sl} conserved={r.conserved} />}
      {r && r.intervals.length === 0 ? <div className="card mb-3"><Empty>{t('reports.none')}</Empty></div> : r && (
        <div className="mb-3 grid gap-3 wide:grid-cols-3"><Plot at={plots.at} lines={plots.volume} label={t('reports.volume')} /><Plot at={plots.at} lines={plots.levels} label={`${t(`reports.${sl}`)}, %`} max={105} /><Plot at={plots.at} lines={plots.waits} label={t('reports.waits')} /></div>
      )}
      <div className="mb-2"><Tabs label={t('reports.step')} value={by} onChange={(next) => setQuery('by', next)} tabs={[['intervals', 'reports.intervals'], ['queues', 'reports.queues'], ['agents', 'reports.agents']] as const} /></div>
      <div className="card relative mb-3 min-w-0 overflow-x-auto" tabIndex={0} role="group" aria-label={t(`reports.${by}`)}>
        {agents.problem && <Trouble problem={agents.problem} again={agents.reload} />}
        {by === 'agents' ? <Agents rows={agents.data ?? NO_AGENTS} names={names} /> : <Cells rows={(by === 'queues' ? r?.queues : r?.intervals) ?? NO_CELLS} sl={sl} queues={by === 'queues' ? queues : null} />}
        {((by === 'agents' && agents.data?.length === 0) || (by !== 'agents' && r?.[by].length === 0)) && <Empty>{t('reports.none')}</Empty>}
      </div>
      <details className="card mb-3 p-4">
        <summary className="font-medium">{t('reports.definition')}</summary>
        <dl className="mt-2 grid gap-x-4 gap-y-1.5 sm:grid-cols-[12rem_1fr]">
          {DEFINED.map((key) => <div key={key} className="contents"><dt className="font-medium">{t(key)}</dt><dd className="text-soft">{t(`${key}.is` as Key)}</dd></div>)}
        </dl>
      </details>
      <Saved asked={{ by: by === 'agents' ? 'agents' : 'intervals', step_min: Number(step), span, ...more }} onChange={() => setKept((n) => n + 1)} />
    </Page>
  );
}

const DEFINED = ['reports.offered', 'reports.answered', 'reports.abandoned', 'reports.overflowed', 'reports.lost', 'reports.sl1', 'reports.sl2', 'reports.sl3', 'reports.sl4', 'reports.sl5', 'reports.asa', 'reports.p50', 'reports.p90', 'reports.p95', 'reports.aht', 'reports.csat', 'reports.occupancy', 'reports.utilisation', 'reports.noanswer'] as const satisfies Key[];

/** The whole span in seven numbers, each with what it means; and that nothing was lost in counting. */
function Tiles({ f, sl, conserved }: { f: Figures; sl: typeof LEVELS[number]; conserved: boolean }) {
  const tiles: [Key, Key, string, string?][] = [
    ['reports.offered', 'reports.offered.is', String(f.offered)],
    ['reports.answered', 'reports.answered.is', String(f.answered), percent(f.offered > 0 ? f.answered / f.offered : null)],
    [`reports.${sl}`, `reports.${sl}.is`, percent(f[sl])],
    ['reports.abandoned', 'reports.abandoned.is', percent(f.abandonment), t('reports.short', { n: f.abandoned, short: f.abandoned_short })],
    ['reports.asa', 'reports.asa.is', time(f.asa_ms), t('reports.percentiles', { p50: time(f.wait_p50_ms), p90: time(f.wait_p90_ms), p95: time(f.wait_p95_ms) })],
    ['reports.csat', 'reports.csat.is', csat(f)],
    ['reports.aht', 'reports.aht.is', time(f.aht_ms), t('reports.percentiles', { p50: time(f.handle_p50_ms), p90: time(f.handle_p90_ms), p95: time(f.handle_p95_ms) })],
  ];
  const sum = t('reports.sum', { offered: f.offered, answered: f.answered, abandoned: f.abandoned, overflowed: f.overflowed, back: f.called_back, lost: f.lost, waiting: f.waiting });
  return (
    <>
      <dl className="mb-2 flex flex-wrap gap-3">
        {tiles.map(([label, is, value, note]) => (
          <div key={label} className="card flex min-w-0 grow basis-64 flex-col px-4 py-3">
            <dt className="font-medium">{t(label)}<span className="block text-[0.86rem] font-normal text-soft">{t(is)}</span></dt>
            <dd className="num -order-1 text-[1.6rem] font-semibold">{value}{note && <span className="ml-3 text-[0.86rem] font-normal text-soft">{note}</span>}</dd>
          </div>
        ))}
      </dl>
      <p className={`num mb-3 ${conserved ? 'text-soft' : 'font-semibold text-bad'}`}><span aria-hidden="true">{conserved ? '✓' : '⚠'} </span>{sum}{!conserved && ` ${t('reports.unsound')}`}</p>
    </>
  );
}
