// Several carriers under one name: which is tried first, and how equals share the calls.

import { t } from '../lib/i18n';
import { Button } from '../ui/parts';
import { change, type Member } from './draft';
import { Things } from './Form';

/** As it is tried: by priority, and the share of each among its equals. */
const order = (all: Member[]): string => [...new Set(all.map((m) => m.priority))].sort((a, b) => a - b)
  .map((p) => {
    const equals = all.filter((m) => m.priority === p);
    const sum = equals.reduce((n, m) => n + m.weight, 0);
    return equals.map((m) => (equals.length > 1 && sum ? `${m.trunk} ${Math.round((100 * m.weight) / sum)} %` : m.trunk)).join(', ');
  }).join(' → ');

export function Groups({ groups, trunks }: { groups: Record<string, Member[]>; trunks: string[] }) {
  const set = (id: string, how: (all: Member[]) => void): void => change((x) => how(x.trunk_groups![id]!));
  const number = (v: string, least: number): number => Math.max(least, Math.min(65_535, Math.trunc(Number(v)) || 0));
  return (
    <Things<Member[]> things={groups} label={t('groups.title')} make={t('groups.new')} none={t('groups.none')} unnamed
      columns={[[t('groups.order'), (all) => order(all) || '–']]}
      onMake={(id) => change((x) => { (x.trunk_groups ??= {})[id] = trunks.slice(0, 1).map((trunk) => ({ trunk, priority: 1, weight: 1 })); })}
      onRemove={(id) => change((x) => { delete x.trunk_groups![id]; })}
      sheet={(all, id) => (
        <div className="grid gap-2">
          <p className="text-soft">{t('groups.hint')}</p>
          <table className="table">
            <caption className="sr-only">{t('groups.members')}</caption>
            <thead><tr><th scope="col">{t('groups.trunk')}</th><th scope="col">{t('groups.priority')}</th><th scope="col">{t('groups.weight')}</th><th scope="col"><span className="sr-only">{t('users.do')}</span></th></tr></thead>
            <tbody>{all.map((m, n) => {
              const row = t('numbers.row', { n: n + 1 });
              return (
                <tr key={n}>
                  <td><select className="field w-auto" aria-label={`${t('groups.trunk')}, ${row}`} value={m.trunk} onChange={(e) => set(id, (x) => { x[n]!.trunk = e.target.value; })}>
                    {!trunks.includes(m.trunk) && <option value={m.trunk}>{m.trunk}</option>}
                    {trunks.map((name) => <option key={name} value={name}>{name}</option>)}
                  </select></td>
                  <td><input className="field num w-24" type="number" min={0} max={65_535} aria-label={`${t('groups.priority')}, ${row}`} value={m.priority} onChange={(e) => set(id, (x) => { x[n]!.priority = number(e.target.value, 0); })} /></td>
                  <td><input className="field num w-24" type="number" min={0} max={65_535} aria-label={`${t('groups.weight')}, ${row}`} value={m.weight} onChange={(e) => set(id, (x) => { x[n]!.weight = number(e.target.value, 0); })} /></td>
                  <td className="text-right"><Button small look="bad" aria-label={`${t('do.remove')}: ${m.trunk}`} onClick={() => set(id, (x) => { x.splice(n, 1); })}>✕</Button></td>
                </tr>
              );
            })}</tbody>
          </table>
          <div><Button small disabled={trunks.length === 0} onClick={() => set(id, (x) => { x.push({ trunk: trunks.find((name) => !x.some((m) => m.trunk === name)) ?? trunks[0]!, priority: Math.max(1, ...x.map((m) => m.priority)), weight: 1 }); })}>{t('groups.add')}</Button></div>
        </div>
      )} />
  );
}
