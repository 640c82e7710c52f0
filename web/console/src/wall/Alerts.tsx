// What is past its threshold now, who looks after it, and what was. The server judges; this screen shows, and makes a sound if it is to.

import { useEffect, useRef, useState } from 'react';
import { api, take } from '../api/client';
import type { AlertNow, View } from '../api/shapes';
import { act } from '../lib/act';
import { t } from '../lib/i18n';
import { useLoad } from '../lib/load';
import { keep, remember } from '../lib/prefs';
import { clock, dateTime, now, onBeat } from '../lib/time';
import { notes } from '../phone/sound';
import { Button, Dialog, Empty, Label } from '../ui/parts';

type Metric = AlertNow['metric'];
/** Who only listens to the page is told no more often, ms. */
const SAY_EVERY = 10_000;
const SHAPE: Record<Metric, string> = { waiting: '≡', longest: '◷', level: '▼', abandoned: '✕', free: '○', ready: '○', held: '❚❚' };
const TIMES: readonly Metric[] = ['longest', 'held'];
const SHARES: readonly Metric[] = ['level', 'abandoned'];
const LESS: readonly Metric[] = ['level', 'free', 'ready'];
const shown = (metric: Metric, n: number): string => (TIMES.includes(metric) ? clock(n * 1000) : SHARES.includes(metric) ? `${n} %` : String(n));
const value = (a: AlertNow): number => (a.began_at ? Math.floor((now() - Date.parse(a.began_at)) / 1000) : a.value);

export function Alerts({ view, tv }: { view: View; tv: boolean }) {
  const [loud, setLoud] = useState(remember('wall.loud') === 'on');
  const [only, setOnly] = useState(remember('wall.only') ?? '');
  const [open, setOpen] = useState(false);
  const { queues, agents } = view;
  const on = Object.entries(view.alerts).filter(([, a]) => !only || a.queue === only).sort(([, a], [, b]) => Date.parse(a.since) - Date.parse(b.since));
  const name = (id: string): string => queues[id]?.name || id;
  const told = useRef<Set<string> | null>(null);
  useEffect(() => {
    // What was on already when the page was opened is no news.
    const fresh = on.some(([key, a]) => told.current && !told.current.has(`${key} ${a.since}`));
    if (view.seq > 0) told.current = new Set(on.map(([key, a]) => `${key} ${a.since}`));
    if (fresh && loud) notes([[880, 0], [660, 0.18], [880, 0.36]]);
  });
  return (
    <section aria-label={t('alert.title')} className="flex flex-wrap items-center gap-2">
      <Said count={on.length} />
      {on.map(([key, a]) => (
        <div key={key} data-alert={key} className={`flex flex-wrap items-center gap-x-2 rounded-lg border-2 px-3 py-1.5 font-semibold [[data-tv]_&]:text-[3vh] ${a.acked_by ? 'border-line bg-panel text-ink' : 'border-bad bg-bad-fill text-bad'}`}>
          <span aria-hidden="true">{SHAPE[a.metric]} !</span><Line a={a} queue={name(a.queue)} />
          {a.acked_by && <span className="font-normal text-soft">{t('alert.acked', { who: agents[a.acked_by]?.name || a.acked_by })}</span>}
          {!a.acked_by && !tv && (
            <Button small onClick={() => void act(api.POST('/api/v1/alerts/{queue}/{metric}/acknowledge', { params: { path: { queue: a.queue, metric: a.metric } } }))}>
              {t('alert.ack')}<span className="sr-only"> {name(a.queue)}, {t(`alert.${a.metric}`)}</span>
            </Button>
          )}
        </div>
      ))}
      {on.length === 0 && <p className="text-good"><span aria-hidden="true">✓ </span>{t('alert.none')}</p>}
      <span className="grow" />
      {!tv && <Button small onClick={() => setOpen(true)}>{t('alert.more')}</Button>}
      <Dialog wide open={open} onClose={() => setOpen(false)} title={t('alert.more')}>
        <div className="grid gap-3 sm:grid-cols-2">
          <Label text={t('alert.only')}><select className="field" value={only} onChange={(e) => { keep('wall.only', e.target.value); setOnly(e.target.value); told.current = null; }}><option value="">{t('alert.every')}</option>{Object.entries(queues).map(([id, q]) => <option key={id} value={id}>{q.name || id}</option>)}</select></Label>
          <label className="flex min-h-8 items-center gap-3"><input type="checkbox" className="size-5" checked={loud} onChange={(e) => { keep('wall.loud', e.target.checked ? 'on' : 'off'); setLoud(e.target.checked); if (e.target.checked) notes([[880, 0]]); }} />{t('alert.loud')}</label>
        </div>
        <p className="my-3 text-soft">{t('alert.rules')}</p>
        {open && <Past name={name} on={Object.keys(view.alerts).join(' ')} />}
      </Dialog>
    </section>
  );
}

/** Waits grow by themselves, without anything being told. */
function Line({ a, queue }: { a: AlertNow; queue: string }) {
  const [, beat] = useState(0);
  useEffect(() => (a.began_at ? onBeat(() => beat((n) => n + 1)) : undefined), [a.began_at]);
  return <span className="num">{t('alert.line', { queue, metric: t(`alert.${a.metric}`), value: shown(a.metric, value(a)), limit: shown(a.metric, a.limit) })}</span>;
}

function Past({ name, on }: { name: (queue: string) => string; on: string }) {
  const list = useLoad('alerts', () => take(api.GET('/api/v1/alerts')));
  const { reload } = list;
  // One that ends while somebody looks is one that was.
  useEffect(() => reload(), [on, reload]);
  const past = list.data?.past ?? [];
  return (
    <>
      <h3 className="h mb-1">{t('alert.past')}</h3>
      {list.data && past.length === 0 ? <Empty>{t('alert.past.none')}</Empty> : (
        <ol className="grid max-h-60 gap-1 overflow-y-auto" tabIndex={0} aria-label={t('alert.past')}>
          {past.map((p) => (
            <li key={`${p.queue} ${p.metric} ${p.since}`} className="num flex flex-wrap gap-x-3">
              <span className="text-soft">{dateTime(p.since)}</span>
              <span>{t(LESS.includes(p.metric) ? 'alert.was.less' : 'alert.was', { queue: name(p.queue), metric: t(`alert.${p.metric}`), worst: shown(p.metric, p.worst), limit: shown(p.metric, p.limit) })}</span>
              <span className="text-soft">{t('alert.for', { long: clock(Date.parse(p.until) - Date.parse(p.since)) })}</span>
            </li>
          ))}
        </ol>
      )}
    </>
  );
}

/** One sentence for whoever does not look, and not at every change. */
function Said({ count }: { count: number }) {
  const [said, setSaid] = useState(count);
  const at = useRef(0);
  useEffect(() => {
    if (count === said) return;
    const late = setTimeout(() => { at.current = Date.now(); setSaid(count); }, Math.max(0, at.current + SAY_EVERY - Date.now()));
    return () => clearTimeout(late);
  }, [count, said]);
  return <p role="status" className="sr-only">{said > 0 ? t('alert.count', { n: said }) : ''}</p>;
}
