// What of an agent's queues comes first for them, and how many contacts they have at once.

import { t } from '../lib/i18n';
import type { Agent, AgentQueue } from './draft';
import { Num } from './Form';

const number = (text: string): number => { const n = Number(text); return Number.isFinite(n) ? n : 0; };
const cell = 'field num w-24';

const whole = (q: AgentQueue): Exclude<AgentQueue, string> => (typeof q === 'string' ? { queue: q, priority_min: 0, delay_s: 0, weight: 1 } : { ...q, priority_min: q.priority_min ?? 0, delay_s: q.delay_s ?? 0, weight: q.weight ?? 1 });
/** As short as it can be written. */
const short = (q: Exclude<AgentQueue, string>): AgentQueue => (q.priority_min === 0 && q.delay_s === 0 && q.weight === 1 ? q.queue : q);

export function Share({ agent: a, queues, set }: { agent: Agent; queues: Record<string, { name?: string }>; set: (how: (agent: Agent) => void) => void }) {
  const put = (channel: string, v: number | undefined): void => set((x) => { if (v === undefined) delete x.capacity[channel]; else x.capacity[channel] = v; });
  return (
    <>
      <div className="grid gap-3 sm:grid-cols-2">
        <Num text={t('share.voice')} hint={t('share.voice.hint')} min={0} max={1} value={a.capacity.voice} onChange={(v) => put('voice', v)} />
        <Num text={t('share.chats')} hint={t('share.chats.hint')} min={0} max={20} value={a.capacity.webchat} onChange={(v) => put('webchat', v)} />
      </div>
      {a.queues.length > 0 && (
        <div className="overflow-x-auto">
          <table className="table">
            <caption className="pb-1 text-left">{t('share.queues')}</caption>
            <thead><tr><th scope="col">{t('wall.queue')}</th><th scope="col">{t('share.head')}</th><th scope="col">{t('share.delay')}</th><th scope="col">{t('share.weight')}</th></tr></thead>
            <tbody>{a.queues.map((q, n) => {
              const row = whole(q);
              const name = queues[row.queue]?.name || row.queue;
              const change = (next: Partial<typeof row>): void => set((x) => { x.queues[n] = short({ ...row, ...next }); });
              return (
                <tr key={row.queue}>
                  <th scope="row" className="font-normal">{name}</th>
                  <td><input className={cell} type="number" min={-600} max={600} aria-label={`${name}: ${t('share.head')}`} value={row.priority_min} onChange={(e) => change({ priority_min: number(e.target.value) })} /></td>
                  <td><input className={cell} type="number" min={0} max={3_600} aria-label={`${name}: ${t('share.delay')}`} value={row.delay_s} onChange={(e) => change({ delay_s: number(e.target.value) })} /></td>
                  <td><input className={cell} type="number" min={1} max={1_000} aria-label={`${name}: ${t('share.weight')}`} value={row.weight} onChange={(e) => change({ weight: number(e.target.value) })} /></td>
                </tr>
              );
            })}</tbody>
          </table>
        </div>
      )}
    </>
  );
}
