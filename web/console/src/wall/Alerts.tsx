// What is past its threshold now, what was, and what this screen watches for.

import { useEffect, useRef, useState } from 'react';
import type { QueueNow } from '../api/shapes';
import { t, type Key } from '../lib/i18n';
import { keep, remember } from '../lib/prefs';
import { clock, dateTime, now, onBeat } from '../lib/time';
import { notes } from '../phone/sound';
import { Button, Dialog, Empty, Label } from '../ui/parts';
import { judge, keepPast, keepRules, METRICS, pastKept, rulesKept, step, type Alert, type Board, type Metric, type Rule } from './alerts';

/** Who only listens to the page is told no more often, ms. */
const SAY_EVERY = 10_000;
const SHAPE: Record<Metric, string> = { waiting: '≡', longest: '◷', level: '▼', abandoned: '✕', free: '○', held: '❚❚' };
const shown = (metric: Metric, n: number): string => (metric === 'longest' || metric === 'held' ? clock(n * 1000) : metric === 'level' || metric === 'abandoned' ? `${n} %` : String(n));

/** Judged once a second: waits grow by themselves, without anything being told. */
function useBoard(queues: Record<string, QueueNow>, rules: Rule[], loud: boolean): [Board, (key: string) => void] {
  const [board, setBoard] = useState<Board>(() => ({ on: [], past: pastKept() }));
  const held = useRef({ queues, rules, loud, board });
  held.current = { queues, rules, loud, board };
  const calm = useRef(new Map<string, number>());
  useEffect(() => {
    let turn = 0;
    const look = (): void => {
      if (turn++ % 4 !== 0) return;
      const h = held.current;
      const { board: next, raised } = step(h.board, judge(h.queues, h.rules, now()), calm.current, now());
      if (JSON.stringify(next) === JSON.stringify(h.board)) return;
      if (raised.length > 0 && h.loud) notes([[880, 0], [660, 0.18], [880, 0.36]]);
      if (next.past.length !== h.board.past.length || next.on.length !== h.board.on.length) keepPast(next.past);
      held.current.board = next;
      setBoard(next);
    };
    look();
    return onBeat(look);
  }, []);
  const seen = (key: string): void => setBoard((b) => ({ ...b, on: b.on.map((a) => (a.key === key ? { ...a, seen: true } : a)) }));
  return [board, seen];
}

export function Alerts({ queues, tv }: { queues: Record<string, QueueNow>; tv: boolean }) {
  const [rules, setRules] = useState(rulesKept);
  const [loud, setLoud] = useState(remember('wall.loud') === 'on');
  const [open, setOpen] = useState(false);
  const [board, seen] = useBoard(queues, rules, loud);
  const name = (id: string): string => queues[id]?.name || id;
  const line = (a: Alert): string => t('alert.line', { queue: name(a.queue), metric: t(`alert.${a.metric}`), value: shown(a.metric, a.value), limit: shown(a.metric, a.limit) });
  return (
    <section aria-label={t('alert.title')} className="flex flex-wrap items-center gap-2">
      <Said count={board.on.length} />
      {board.on.map((a) => (
        <p key={a.key} data-alert={a.key} className={`flex items-center gap-2 rounded-lg border-2 px-3 py-1.5 font-semibold [[data-tv]_&]:text-[3vh] ${a.seen ? 'border-line bg-panel text-ink' : 'border-bad bg-bad-fill text-bad'}`}>
          <span aria-hidden="true">{SHAPE[a.metric]} !</span><span className="num">{line(a)}</span>
          {!a.seen && !tv && <Button small onClick={() => seen(a.key)}>{t('alert.seen')}<span className="sr-only"> {name(a.queue)}</span></Button>}
        </p>
      ))}
      {board.on.length === 0 && <p className="text-good"><span aria-hidden="true">✓ </span>{t('alert.none')}</p>}
      <span className="grow" />
      {!tv && <Button small onClick={() => setOpen(true)}>{t('alert.set')}</Button>}
      <Dialog wide open={open} onClose={() => setOpen(false)} title={t('alert.set')}>
        <Rules rules={rules} queues={queues} onChange={(next) => { setRules(next); keepRules(next); }} />
        <label className="my-3 flex min-h-8 items-center gap-3"><input type="checkbox" className="size-5" checked={loud} onChange={(e) => { keep('wall.loud', e.target.checked ? 'on' : 'off'); setLoud(e.target.checked); if (e.target.checked) notes([[880, 0]]); }} />{t('alert.loud')}</label>
        <h3 className="h mb-1">{t('alert.past')}</h3>
        {board.past.length === 0 ? <Empty>{t('alert.past.none')}</Empty> : (
          <ol className="grid max-h-60 gap-1 overflow-y-auto" tabIndex={0} aria-label={t('alert.past')}>
            {board.past.map((p) => <li key={`${p.key} ${p.from}`} className="num flex flex-wrap gap-x-3"><span className="text-soft">{dateTime(new Date(p.from).toISOString())}</span><span>{t('alert.was', { queue: name(p.queue), metric: t(`alert.${p.metric}`), worst: shown(p.metric, p.worst), limit: shown(p.metric, p.limit) })}</span><span className="text-soft">{p.to === 0 ? t('alert.still') : t('alert.for', { long: clock(p.to - p.from) })}</span></li>)}
          </ol>
        )}
      </Dialog>
    </section>
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

function Rules({ rules, queues, onChange }: { rules: Rule[]; queues: Record<string, QueueNow>; onChange: (next: Rule[]) => void }) {
  const [metric, setMetric] = useState<Metric>('waiting');
  return (
    <>
      <ul className="mb-3 grid gap-1">{rules.map((r, n) => (
        <li key={n} className="flex items-center gap-3"><span aria-hidden="true">{SHAPE[r.metric]}</span><span className="num grow">{t(r.limit === null ? `alert.rule.${r.metric}` as Key : `alert.rule.${r.metric === 'level' || r.metric === 'free' ? 'below' : 'above'}`, { queue: r.queue ? queues[r.queue]?.name || r.queue : t('alert.every'), metric: t(`alert.${r.metric}`), limit: r.limit === null ? '' : shown(r.metric, r.limit) })}</span><Button small onClick={() => onChange(rules.filter((_, i) => i !== n))}>{t('alert.drop')}<span className="sr-only"> {n + 1}</span></Button></li>
      ))}</ul>
      <form className="grid items-end gap-3 sm:grid-cols-4" onSubmit={(e) => {
        e.preventDefault();
        const data = new FormData(e.currentTarget);
        const limit = String(data.get('limit')).trim();
        onChange([...rules, { queue: String(data.get('queue')), metric, limit: limit === '' ? null : Number(limit) }]);
      }}>
        <Label text={t('wall.queue')}><select className="field" name="queue"><option value="">{t('alert.every')}</option>{Object.entries(queues).map(([id, q]) => <option key={id} value={id}>{q.name || id}</option>)}</select></Label>
        <Label text={t('alert.metric')}><select className="field" value={metric} onChange={(e) => setMetric(e.target.value as Metric)}>{METRICS.map((m) => <option key={m} value={m}>{t(`alert.${m}`)}</option>)}</select></Label>
        <Label text={t(`alert.limit.${metric}`)}><input className="field" name="limit" type="number" min={0} required={metric === 'waiting' || metric === 'abandoned'} /></Label>
        <Button look="main" type="submit">{t('alert.add')}</Button>
      </form>
    </>
  );
}
