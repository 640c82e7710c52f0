// Who of a queue goes first, and what is asked of agents less strictly when somebody has waited long.

import { t, tCode } from '../lib/i18n';
import { Button } from '../ui/parts';
import type { Queue } from './draft';
import { Num, Pick } from './Form';

const STAFFING = ['any', 'signed_in', 'ready'];

export function Order({ q, skills, set }: { q: Queue; skills: [string, string][]; set: (how: (x: Queue) => void) => void }) {
  const row = (n: number): string => t('numbers.row', { n: n + 1 });
  const off = (n: number, what: string, run: () => void) => <Button small look="bad" aria-label={`${t('do.remove')}: ${what}, ${row(n)}`} onClick={run}>✕</Button>;
  return (
    <>
      <fieldset className="grid gap-2 sm:col-span-2"><legend className="mb-1 font-semibold">{t('order.first')}</legend>
        <p className="text-soft">{t('order.first.hint')}</p>
        {q.head_starts.map((h, n) => (
          <div key={n} className="grid items-center gap-2 sm:grid-cols-[1fr_1fr_9rem_auto]">
            <input className="field font-mono" aria-label={`${t('order.attribute')}, ${row(n)}`} placeholder="customer.tier" value={h.attribute} onChange={(e) => set((x) => { x.head_starts[n]!.attribute = e.target.value.trim(); })} spellCheck={false} autoComplete="off" />
            <input className="field" aria-label={`${t('order.is')}, ${row(n)}`} placeholder="vip" value={h.is} onChange={(e) => set((x) => { x.head_starts[n]!.is = e.target.value; })} spellCheck={false} autoComplete="off" />
            <input className="field num" type="number" aria-label={`${t('order.minutes')}, ${row(n)}`} value={h.minutes} onChange={(e) => set((x) => { x.head_starts[n]!.minutes = Math.trunc(Number(e.target.value)) || 0; })} />
            {off(n, t('order.first'), () => set((x) => { x.head_starts.splice(n, 1); }))}
          </div>
        ))}
        <div><Button small onClick={() => set((x) => { x.head_starts.push({ attribute: 'customer.tier', is: '', minutes: 5 }); })}>{t('order.first.add')}</Button></div>
      </fieldset>
      <fieldset className="grid gap-2 sm:col-span-2"><legend className="mb-1 font-semibold">{t('order.relax')}</legend>
        <p className="text-soft">{t('order.relax.hint')}</p>
        {q.relax.map((r, n) => (
          <div key={n} className="grid items-center gap-2 sm:grid-cols-[9rem_1fr_9rem_auto]">
            <input className="field num" type="number" min={0} aria-label={`${t('order.after')}, ${row(n)}`} value={r.after_s} onChange={(e) => set((x) => { x.relax[n]!.after_s = Math.max(0, Math.trunc(Number(e.target.value)) || 0); })} />
            <select className="field" aria-label={`${t('order.skill')}, ${row(n)}`} value={r.skill ?? ''} onChange={(e) => set((x) => { if (e.target.value) x.relax[n]!.skill = e.target.value; else delete x.relax[n]!.skill; })}>
              <option value="">{t('order.skill.all')}</option>
              {skills.map(([id, name]) => <option key={id} value={id}>{name}</option>)}
            </select>
            <select className="field" aria-label={`${t('order.to')}, ${row(n)}`} value={r.to} onChange={(e) => set((x) => { x.relax[n]!.to = Number(e.target.value); })}>
              {[0, 1, 2, 3, 4].map((level) => <option key={level} value={level}>{level ? t('order.level', { n: level }) : t('order.level.none')}</option>)}
            </select>
            {off(n, t('order.relax'), () => set((x) => { x.relax.splice(n, 1); }))}
          </div>
        ))}
        <div><Button small onClick={() => set((x) => { x.relax.push({ after_s: 60, to: 0 }); })}>{t('order.relax.add')}</Button></div>
      </fieldset>
      <Pick text={t('order.leave')} hint={t('queues.join.hint')} value={q.leave_empty} options={STAFFING.map((s) => [s, tCode('staffing', s)])} onChange={(v) => set((x) => { x.leave_empty = v; })} />
      {q.leave_empty !== 'any' && <Num text={t('order.leave.s')} value={q.leave_empty_s} onChange={(v) => set((x) => { x.leave_empty_s = v ?? 0; })} />}
      <Pick text={t('order.noanswer')} none={t('order.noanswer.usual')} value={q.on_no_answer ?? ''} options={[['not_ready', t('order.noanswer.not_ready')], ['stay_ready', t('order.noanswer.stay_ready')]]} onChange={(v) => set((x) => { if (v) x.on_no_answer = v; else delete x.on_no_answer; })} />
      <Num text={t('order.retry')} value={q.retry_s} onChange={(v) => set((x) => { x.retry_s = v ?? 0; })} />
      <Num text={t('order.handle')} hint={t('order.handle.hint')} min={1} value={q.expected_handle_s} onChange={(v) => set((x) => { x.expected_handle_s = v ?? 240; })} />
    </>
  );
}
