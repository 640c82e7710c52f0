// Numbers: which dialled number leads where, and who may dial it.

import { api, take } from '../api/client';
import { t, tCode } from '../lib/i18n';
import { useLoad } from '../lib/load';
import { Button, Empty } from '../ui/parts';
import { change, type Route, type Tenant } from './draft';
import { Form, pairs } from './Form';

type Kind = 'flow' | 'queue' | 'agent' | 'trunk';
const kindOf = (r: Route): Kind => (Object.keys(r.to)[0] ?? 'queue') as Kind;
const targetOf = (r: Route): string => { const to = Object.values(r.to)[0]; return typeof to === 'string' ? to : String((to as { trunk?: string } | undefined)?.trunk ?? ''); };

export function Numbers() {
  const flows = useLoad('flows', async () => (await take(api.GET('/api/v1/flows'))).flows);
  const targets = (tenant: Tenant, kind: Kind): [string, string][] => {
    switch (kind) {
      case 'flow': return (flows.data ?? []).map((f) => [f.name, f.name]);
      case 'queue': return pairs(tenant.routing.queues);
      case 'agent': return pairs(tenant.routing.agents);
      case 'trunk': return [...Object.keys(tenant.trunks), ...Object.keys(tenant.trunk_groups ?? {})].map((id) => [id, id]);
    }
  };
  const set = (n: number, how: (r: Route) => void): void => change((tenant) => how(tenant.routes[n]!));
  return (
    <Form hint={t('numbers.hint')}>
      {(tenant) => {
        const lead = (n: number, kind: Kind, target: string): void => set(n, (r) => {
          r.to = kind === 'trunk' ? { trunk: { ...(typeof r.to.trunk === 'object' ? r.to.trunk : { strip: 0, prefix: '' }), trunk: target } } : { [kind]: target };
          if (kind === 'trunk' && r.from === 'public') r.from = 'users';
        });
        return (
          <section>
            <div className="mb-2 flex items-center"><h2 className="text-[1.05rem] font-semibold">{t('config.routes')}</h2><span className="grow" />
              <Button look="main" small onClick={() => change((x) => { x.routes.push({ match: '', to: { queue: Object.keys(x.routing.queues)[0] ?? '' }, from: 'public' }); })}>{t('numbers.new')}</Button></div>
            <div className="card overflow-x-auto">
              <table className="table">
                <caption className="sr-only">{t('config.routes')}</caption>
                <thead><tr><th scope="col">{t('numbers.match')}</th><th scope="col">{t('numbers.kind')}</th><th scope="col">{t('numbers.to')}</th><th scope="col">{t('numbers.from')}</th><th scope="col"><span className="sr-only">{t('users.do')}</span></th></tr></thead>
                <tbody>{tenant.routes.map((r, n) => {
                  const kind = kindOf(r);
                  const name = t('numbers.row', { n: n + 1 });
                  return (
                    <tr key={n}>
                      <td><input className="field num w-40 font-mono" aria-label={`${t('numbers.match')}, ${name}`} value={r.match} placeholder="4000" onChange={(e) => set(n, (x) => { x.match = e.target.value; })} spellCheck={false} /></td>
                      <td><select className="field w-auto" aria-label={`${t('numbers.kind')}, ${name}`} value={kind} onChange={(e) => { const next = e.target.value as Kind; lead(n, next, targets(tenant, next)[0]?.[0] ?? ''); }}>
                        {(['flow', 'queue', 'agent', 'trunk'] as const).map((k) => <option key={k} value={k}>{tCode('target', k)}</option>)}
                      </select></td>
                      <td><select className="field w-auto" aria-label={`${t('numbers.to')}, ${name}`} value={targetOf(r)} onChange={(e) => lead(n, kind, e.target.value)}>
                        {!targets(tenant, kind).some(([id]) => id === targetOf(r)) && <option value={targetOf(r)}>{targetOf(r) || '–'}</option>}
                        {targets(tenant, kind).map(([id, label]) => <option key={id} value={id}>{label}</option>)}
                      </select></td>
                      <td><select className="field w-auto" aria-label={`${t('numbers.from')}, ${name}`} value={r.from} onChange={(e) => set(n, (x) => { x.from = e.target.value; })}>
                        {['users', 'trunks', ...(kind === 'trunk' ? [] : ['public'])].map((f) => <option key={f} value={f}>{tCode('audience', f)}</option>)}
                      </select></td>
                      <td className="text-right"><Button small look="bad" aria-label={`${t('do.remove')}: ${r.match || name}`} onClick={() => change((x) => { x.routes.splice(n, 1); })}>{t('do.remove')}</Button></td>
                    </tr>
                  );
                })}</tbody>
              </table>
              {tenant.routes.length === 0 && <Empty>{t('numbers.none')}</Empty>}
            </div>
          </section>
        );
      }}
    </Form>
  );
}
