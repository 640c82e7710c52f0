// What supervisors are told of: a rule a line, and how long something must be so before it counts.

import { t } from '../lib/i18n';
import { Button } from '../ui/parts';
import { change, type AlertRule, type AlertRules, type Tenant } from './draft';
import { Form, Num, pairs } from './Form';

const METRICS = ['longest', 'waiting', 'level', 'abandoned', 'free', 'ready', 'held'] as const;
type Metric = typeof METRICS[number];
/** What holds where nothing is written: the queues' own promises. */
const USUAL: AlertRules = { rules: [{ metric: 'longest' }, { metric: 'level' }, { metric: 'free', after_s: 10 }, { metric: 'held' }], raise_after_s: 0, clear_after_s: 10 };
/** These need no limit: the queue promises one itself. */
const OWN: readonly Metric[] = ['longest', 'level', 'free', 'held'];
const BAD: Record<Metric, 'alerts.longer' | 'alerts.above' | 'alerts.percent.below' | 'alerts.percent.above' | 'alerts.below.waiting' | 'alerts.below'> = {
  longest: 'alerts.longer', waiting: 'alerts.above', level: 'alerts.percent.below', abandoned: 'alerts.percent.above', free: 'alerts.below.waiting', ready: 'alerts.below', held: 'alerts.longer',
};

export function Alerts() {
  return <Form hint={t('alerts.hint')}>{(tenant) => <Rules tenant={tenant} />}</Form>;
}

function Rules({ tenant }: { tenant: Tenant }) {
  const { rules, raise_after_s, clear_after_s } = tenant.alerts ?? USUAL;
  const set = (how: (x: AlertRules) => void): void => change((x) => { const next = structuredClone(x.alerts ?? USUAL); how(next); x.alerts = next; });
  const rule = (n: number, next: Partial<AlertRule>): void => set((x) => {
    const made: AlertRule = { ...x.rules[n]!, ...next };
    if (!made.queue) delete made.queue;
    if (made.limit === undefined || Number.isNaN(made.limit)) delete made.limit;
    if (made.after_s === undefined || Number.isNaN(made.after_s)) delete made.after_s;
    x.rules[n] = made;
  });
  return (
    <div className="grid gap-6">
      <section>
        <div className="mb-2 flex items-center gap-3"><h2 className="text-[1.05rem] font-semibold">{t('alerts.rules')}</h2><span className="grow" />
          <Button look="main" small onClick={() => set((x) => { x.rules.push({ metric: 'waiting', limit: 10 }); })}>{t('alerts.add')}</Button></div>
        <div className="card overflow-x-auto">
          <table className="table">
            <caption className="sr-only">{t('alerts.rules')}</caption>
            <thead><tr><th scope="col">{t('alerts.queue')}</th><th scope="col">{t('alert.metric')}</th><th scope="col">{t('alerts.bad')}</th><th scope="col">{t('alerts.limit')}</th><th scope="col">{t('alerts.after')}</th><th scope="col"><span className="sr-only">{t('users.do')}</span></th></tr></thead>
            <tbody>{rules.map((r, n) => {
              const row = t('numbers.row', { n: n + 1 });
              const metric = METRICS.find((m) => m === r.metric) ?? 'waiting';
              const own = OWN.includes(metric);
              return (
                <tr key={n}>
                  <td><select className="field" aria-label={`${t('alerts.queue')}, ${row}`} value={r.queue ?? ''} onChange={(e) => rule(n, { queue: e.target.value })}>
                    <option value="">{t('alert.others')}</option>
                    {pairs(tenant.routing.queues).map(([id, name]) => <option key={id} value={id}>{name}</option>)}
                  </select></td>
                  <td><select className="field" aria-label={`${t('alert.metric')}, ${row}`} value={metric} onChange={(e) => rule(n, { metric: e.target.value, limit: undefined as unknown as number })}>
                    {METRICS.map((m) => <option key={m} value={m}>{t(`alert.${m}`)}</option>)}
                  </select></td>
                  <td className="text-soft">{t(BAD[metric])}</td>
                  <td><input className="field num min-w-32" type="number" min={0} aria-label={`${t('alerts.limit')}, ${row}`} value={r.limit ?? ''} required={!own} placeholder={own ? t(`alerts.own.${metric as 'longest'}`) : ''}
                    onChange={(e) => rule(n, { limit: e.target.value === '' ? Number.NaN : Number(e.target.value) })} /></td>
                  <td><input className="field num w-28" type="number" min={0} max={3600} aria-label={`${t('alerts.after')}, ${row}`} value={r.after_s ?? ''} placeholder={String(raise_after_s)}
                    onChange={(e) => rule(n, { after_s: e.target.value === '' ? Number.NaN : Number(e.target.value) })} /></td>
                  <td className="text-right"><Button small look="bad" aria-label={`${t('do.remove')}: ${row}`} onClick={() => set((x) => { x.rules.splice(n, 1); })}>✕</Button></td>
                </tr>
              );
            })}</tbody>
          </table>
          {rules.length === 0 && <p className="px-4 py-6 text-center text-soft">{t('alerts.none')}</p>}
        </div>
      </section>
      <section className="card grid gap-3 p-4 sm:grid-cols-2">
        <h2 className="text-[1.05rem] font-semibold sm:col-span-2">{t('alerts.calm')}</h2>
        <Num text={t('alerts.raise')} max={3600} value={raise_after_s} onChange={(v) => set((x) => { x.raise_after_s = v ?? 0; })} />
        <Num text={t('alerts.clear')} max={3600} value={clear_after_s} onChange={(v) => set((x) => { x.clear_after_s = v ?? 0; })} />
        <p className="text-soft sm:col-span-2">{t('alerts.margin')}</p>
      </section>
    </div>
  );
}
