// What a minute to which numbers costs: what caps on money are counted by.

import { t } from '../lib/i18n';
import { Button } from '../ui/parts';
import type { TollRate } from './draft';

export function Rates({ rates, set }: { rates: TollRate[]; set: (next: TollRate[]) => void }) {
  const put = (n: number, next: Partial<TollRate>): void => set(rates.map((r, i) => (i === n ? { ...r, ...next } : r)));
  return (
    <div className="sm:col-span-2">
      <table className="table">
        <caption className="pb-1 text-left font-medium">{t('rates.title')}<span className="block font-normal text-soft">{t('rates.hint')}</span></caption>
        <thead><tr><th scope="col">{t('rates.to')}</th><th scope="col">{t('rates.price')}</th><th scope="col"><span className="sr-only">{t('users.do')}</span></th></tr></thead>
        <tbody>{rates.map((r, n) => {
          const row = t('numbers.row', { n: n + 1 });
          return (
            <tr key={n}>
              <td><input className="field font-mono" aria-label={`${t('rates.to')}, ${row}`} placeholder="+44*" value={r.to} onChange={(e) => put(n, { to: e.target.value.trim() })} spellCheck={false} autoComplete="off" /></td>
              <td><input className="field num w-28" type="number" min={0} step="any" aria-label={`${t('rates.price')}, ${row}`} value={Number.isNaN(r.per_minute) ? '' : r.per_minute} onChange={(e) => put(n, { per_minute: Number(e.target.value) })} /></td>
              <td className="text-right"><Button small look="bad" aria-label={`${t('do.remove')}: ${r.to || row}`} onClick={() => set(rates.filter((_, i) => i !== n))}>✕</Button></td>
            </tr>
          );
        })}</tbody>
      </table>
      {rates.length === 0 && <p className="py-2 text-soft">{t('rates.none')}</p>}
      <div className="mt-2"><Button small onClick={() => set([...rates, { to: rates.length ? '' : '*', per_minute: 0 }])}>{t('rates.add')}</Button></div>
    </div>
  );
}
