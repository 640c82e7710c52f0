// Who comes first in a queue, and what is asked for less and less; what of an agent's queues comes first for them.

import { t } from '../lib/i18n';
import { Button } from '../ui/parts';
import type { Agent, AgentQueue, Queue } from './draft';
import { Num, pairs } from './Form';

const number = (text: string): number => { const n = Number(text); return Number.isFinite(n) ? n : 0; };
const cell = 'field num w-24';

/** Rows of small fields with a way to take one out and to add one. */
function Rows<T>({ title, hint, rows, fresh, onChange, add, children }: { title: string; hint: string; rows: T[]; fresh: T; onChange: (next: T[]) => void; add: string; children: (row: T, set: (next: Partial<T>) => void, n: number) => React.ReactNode }) {
  return (
    <fieldset className="label sm:col-span-2">
      <legend className="mb-1">{title}</legend>
      <p className="mb-1 text-[0.9em] font-normal text-soft">{hint}</p>
      {rows.map((row, n) => (
        <div key={n} className="mb-1 flex flex-wrap items-center gap-2 font-normal">
          {children(row, (next) => onChange(rows.map((r, m) => (m === n ? { ...r, ...next } : r))), n + 1)}
          <Button small look="bad" aria-label={`${t('do.remove')}: ${title}, ${n + 1}`} onClick={() => onChange(rows.filter((_, m) => m !== n))}>✕</Button>
        </div>
      ))}
      <div><Button small onClick={() => onChange([...rows, fresh])}>{add}</Button></div>
    </fieldset>
  );
}

export function QueueOrder({ queue: q, skills, set }: { queue: Queue; skills: Record<string, { name?: string }>; set: (how: (queue: Queue) => void) => void }) {
  return (
    <>
      <Rows title={t('order.heads')} hint={t('order.heads.hint')} rows={q.head_starts} fresh={{ attribute: 'customer.tier', is: 'vip', minutes: 5 }} add={t('order.heads.add')} onChange={(v) => set((x) => { x.head_starts = v; })}>
        {(h, change, n) => (
          <>
            <input className="field w-44 font-mono" aria-label={`${t('order.attribute')}, ${n}`} value={h.attribute} maxLength={64} spellCheck={false} onChange={(e) => change({ attribute: e.target.value })} />
            <span>=</span>
            <input className="field w-28" aria-label={`${t('order.value')}, ${n}`} value={h.is} maxLength={64} onChange={(e) => change({ is: e.target.value })} />
            <input className={cell} type="number" min={-600} max={600} aria-label={`${t('order.minutes')}, ${n}`} value={h.minutes} onChange={(e) => change({ minutes: number(e.target.value) })} />
            <span>{t('order.minutes')}</span>
          </>
        )}
      </Rows>
      <Rows title={t('order.relax')} hint={t('order.relax.hint')} rows={q.relax} fresh={{ after_s: 60, to: 0 }} add={t('order.relax.add')} onChange={(v) => set((x) => { x.relax = v; })}>
        {(r, change, n) => (
          <>
            <span>{t('order.after')}</span>
            <input className={cell} type="number" min={0} max={86_400} aria-label={`${t('order.after')}, ${n}`} value={r.after_s} onChange={(e) => change({ after_s: number(e.target.value) })} />
            <span>{t('order.seconds')}</span>
            <select className="field w-auto" aria-label={`${t('order.skill')}, ${n}`} value={r.skill ?? ''} onChange={(e) => set((x) => { const row = x.relax[n - 1]!; if (e.target.value) row.skill = e.target.value; else delete row.skill; })}>
              <option value="">{t('order.skill.all')}</option>{pairs(skills).map(([id, name]) => <option key={id} value={id}>{name}</option>)}
            </select>
            <select className="field num w-auto" aria-label={`${t('order.level')}, ${n}`} value={r.to} onChange={(e) => change({ to: number(e.target.value) })}>
              {[0, 1, 2, 3, 4, 5].map((level) => <option key={level} value={level}>{level === 0 ? t('order.level.none') : `≥ ${level}`}</option>)}
            </select>
          </>
        )}
      </Rows>
    </>
  );
}

const whole = (q: AgentQueue): Exclude<AgentQueue, string> => (typeof q === 'string' ? { queue: q, priority_min: 0, delay_s: 0, weight: 1 } : { ...q, priority_min: q.priority_min ?? 0, delay_s: q.delay_s ?? 0, weight: q.weight ?? 1 });
/** As short as it can be written. */
const short = (q: Exclude<AgentQueue, string>): AgentQueue => (q.priority_min === 0 && q.delay_s === 0 && q.weight === 1 ? q.queue : q);

export function AgentOrder({ agent: a, queues, set }: { agent: Agent; queues: Record<string, { name?: string }>; set: (how: (agent: Agent) => void) => void }) {
  const put = (channel: string, v: number | undefined): void => set((x) => { if (v === undefined) delete x.capacity[channel]; else x.capacity[channel] = v; });
  return (
    <>
      <div className="grid gap-3 sm:grid-cols-2">
        <Num text={t('order.voice')} hint={t('order.voice.hint')} min={0} max={1} value={a.capacity.voice} onChange={(v) => put('voice', v)} />
        <Num text={t('order.chats')} hint={t('order.chats.hint')} min={0} max={20} value={a.capacity.webchat} onChange={(v) => put('webchat', v)} />
      </div>
      {a.queues.length > 0 && (
        <div className="overflow-x-auto">
          <table className="table">
            <caption className="pb-1 text-left">{t('order.queues')}</caption>
            <thead><tr><th scope="col">{t('wall.queue')}</th><th scope="col">{t('order.head')}</th><th scope="col">{t('order.delay')}</th><th scope="col">{t('order.weight')}</th></tr></thead>
            <tbody>{a.queues.map((q, n) => {
              const row = whole(q);
              const name = queues[row.queue]?.name || row.queue;
              const change = (next: Partial<typeof row>): void => set((x) => { x.queues[n] = short({ ...row, ...next }); });
              return (
                <tr key={row.queue}>
                  <th scope="row" className="font-normal">{name}</th>
                  <td><input className={cell} type="number" min={-600} max={600} aria-label={`${name}: ${t('order.head')}`} value={row.priority_min} onChange={(e) => change({ priority_min: number(e.target.value) })} /></td>
                  <td><input className={cell} type="number" min={0} max={3_600} aria-label={`${name}: ${t('order.delay')}`} value={row.delay_s} onChange={(e) => change({ delay_s: number(e.target.value) })} /></td>
                  <td><input className={cell} type="number" min={1} max={1_000} aria-label={`${name}: ${t('order.weight')}`} value={row.weight} onChange={(e) => change({ weight: number(e.target.value) })} /></td>
                </tr>
              );
            })}</tbody>
          </table>
        </div>
      )}
    </>
  );
}
