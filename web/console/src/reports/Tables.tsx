// The tables of a report. A month by quarters of an hour has thousands of rows: they are drawn part by part, so that the page
// answers meanwhile, and a part that is drawn is drawn once.

import { memo, useEffect, useMemo, useState, type ReactNode } from 'react';
import type { components } from '../api/schema';
import { t, useLanguage, type Key } from '../lib/i18n';
import { clock, dateTime } from '../lib/time';
import { hasWord } from '../words';

export type Cell = components['schemas']['ReportInterval'];
export type Agent = components['schemas']['ReportAgent'];

export const percent = (n: number | null | undefined): string => (n === null || n === undefined ? '–' : `${(100 * n).toFixed(1)} %`);
/** How many were satisfied of those who said so, and how many said so. */
export const csat = (r: { rated: number; satisfied: number; handled: number }): string => (r.rated === 0 ? '–' : `${percent(r.satisfied / r.rated)} (${percent(r.handled > 0 ? r.rated / r.handled : null)})`);
export const time = (ms: number | null | undefined): string => (ms === null || ms === undefined ? '–' : clock(ms));

/** Rows of one part. */
const PART = 60;

/** Rows in parts; a part more with every turn of the page. */
function Parts<T, O>({ rows, row, of }: { rows: T[]; row: (r: T, of: O) => ReactNode; of: O }) {
  const parts = useMemo(() => Array.from({ length: Math.ceil(rows.length / PART) }, (_, n) => rows.slice(n * PART, (n + 1) * PART)), [rows]);
  const [drawn, setDrawn] = useState(1);
  useEffect(() => {
    if (drawn >= parts.length) return undefined;
    const next = setTimeout(() => setDrawn(drawn + 1));
    return () => clearTimeout(next);
  }, [drawn, parts]);
  return <>{parts.slice(0, drawn).map((part, n) => <Part key={n} rows={part as unknown[]} row={row as (r: unknown, of: unknown) => ReactNode} of={of} />)}</>;
}
const Part = memo(function Part({ rows, row, of }: { rows: unknown[]; row: (r: unknown, of: unknown) => ReactNode; of: unknown }) {
  return <tbody>{rows.map((r) => row(r, of))}</tbody>;
});

type Level = 'sl1' | 'sl2' | 'sl3' | 'sl4' | 'sl5';
interface CellsOf { sl: Level; queues: Record<string, string> | null }

function cell(r: Cell, { sl, queues }: CellsOf): ReactNode {
  return (
    <tr key={`${r.queue ?? ''} ${r.from ?? ''}`}><th scope="row" className="num font-medium!">{queues ? queues[r.queue ?? ''] ?? r.queue : dateTime(r.from ?? '')}</th><td className="num">{r.offered}</td><td className="num">{r.answered}</td><td className="num">{percent(r[sl])}</td><td className="num">{percent(r.abandonment)}</td><td className="num">{r.overflowed}</td><td className="num">{time(r.asa_ms)}</td><td className="num">{time(r.wait_p50_ms)}</td><td className="num">{time(r.wait_p90_ms)}</td><td className="num">{time(r.wait_p95_ms)}</td><td className="num">{clock(r.wait_max_ms)}</td><td className="num">{r.no_answer}</td><td className="num">{r.handled}</td><td className="num">{time(r.aht_ms)}</td><td className="num">{csat(r)}</td></tr>
  );
}

const explained = (head: Key): string | undefined => {
  const key = `${head}.is`;
  return hasWord(key) ? t(key) : undefined;
};

/** By interval, or by queue where their names are given. */
export const Cells = memo(function Cells({ rows, sl, queues }: { rows: Cell[] } & CellsOf) {
  const heads: Key[] = ['reports.offered', 'reports.answered', `reports.${sl}`, 'reports.abandoned', 'reports.overflowed', 'reports.asa', 'reports.p50', 'reports.p90', 'reports.p95', 'reports.longest', 'reports.noanswer', 'reports.handled', 'reports.aht', 'reports.csat'];
  const language = useLanguage();
  // Dates and words are of the language.
  const of = useMemo(() => ({ sl, queues, language }), [sl, queues, language]);
  return (
    <table className="table [&_td]:text-right [&_th[scope=col]:not(:first-child)]:text-right">
      <caption className="sr-only">{t(queues ? 'reports.queues' : 'reports.intervals')}</caption>
      <thead><tr><th scope="col">{t(queues ? 'wall.queue' : 'calls.when')}</th>{heads.map((h) => <th key={h} scope="col" title={explained(h)}>{t(h)}</th>)}</tr></thead>
      <Parts rows={rows} row={cell} of={of} />
    </table>
  );
});

interface AgentsOf { names: Record<string, string> }
function agent(a: Agent, { names }: AgentsOf): ReactNode {
  return (
    <tr key={a.agent}>
      <th scope="row" className="font-medium!">{names[a.agent] ?? a.agent}</th><td className="num">{a.handled}</td><td className="num">{time(a.aht_ms)}</td><td className="num">{csat(a)}</td><td className="num">{time(a.handle_p90_ms)}</td><td className="num">{clock(a.talk_ms)}</td><td className="num">{clock(a.hold_ms)}</td><td className="num">{clock(a.wrap_ms)}</td>
      <td className="num">{t('reports.ofoffers', { n: a.no_answer, of: a.offers })}</td><td className="num">{clock(a.signed_in_ms)}</td><td className="num">{clock(a.idle_ms)}</td><td className="num">{clock(a.alerting_ms)}</td><td className="num">{clock(a.not_ready_ms + a.away_ms)}</td>
      <td className="num font-semibold">{percent(a.occupancy)}</td><td className="num">{percent(a.utilisation)}</td>
    </tr>
  );
}

export const Agents = memo(function Agents({ rows, names }: { rows: Agent[]; names: Record<string, string> }) {
  const language = useLanguage();
  const of = useMemo(() => ({ names, language }), [names, language]);
  return (
    <table className="table [&_td]:text-right [&_th[scope=col]:not(:first-child)]:text-right">
      <caption className="sr-only">{t('reports.agents')}</caption>
      <thead><tr>{(['wall.agent', 'reports.handled', 'reports.aht', 'reports.csat', 'reports.p90', 'reports.talk', 'reports.hold', 'reports.wrap', 'reports.noanswer', 'reports.signedin', 'reports.idle', 'reports.ringing', 'reports.rest', 'reports.occupancy', 'reports.utilisation'] as const).map((h) => <th key={h} scope="col">{t(h)}</th>)}</tr></thead>
      <Parts rows={rows} row={agent} of={of} />
    </table>
  );
});
