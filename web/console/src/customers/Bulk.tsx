// The same for many customers: a tier, a tag; two of them made one; all of them forgotten.

import { useState } from 'react';
import { api, take, type Problem } from '../api/client';
import type { CustomerChange, CustomerRow } from '../api/shapes';
import { act, notice, problemText } from '../lib/act';
import { t, tCode } from '../lib/i18n';
import { supervises, useLive } from '../live/live';
import { Button, Dialog } from '../ui/parts';
import { Sure } from '../ui/Sure';
import { reachedAt } from '../work/CustomerPanel';

/** Most customers one request changes. */
const AT_ONCE = 200;
/** Most customers erased at once: each is a piece of work, and nobody reads longer lists before saying yes. */
const ERASED_AT_ONCE = 20;

const nameOf = (c: CustomerRow): string => c.name || c.profile.identities.map(reachedAt).find(Boolean) || t('customer.noname');

export function Bulk({ rows, done }: { rows: CustomerRow[]; done: () => void }) {
  const supervisor = useLive(supervises);
  const admin = useLive((l) => l.me?.role === 'admin');
  const [busy, setBusy] = useState(false);
  const [merging, setMerging] = useState(false);
  const run = async (change: CustomerChange): Promise<void> => {
    setBusy(true);
    try {
      const { changed, refused } = await take(api.POST('/api/v1/customers/changes', { body: { customers: rows.map((r) => r.id).slice(0, AT_ONCE), change } }));
      const failed = refused.length;
      notice(failed ? t('customers.bulk.some', { n: changed.length, failed }) : t('customers.bulk.done', { n: changed.length }), failed > 0);
      done();
    } catch (problem) { notice(problemText(problem as Problem), true); }
    setBusy(false);
  };
  const erase = async (): Promise<void> => {
    setBusy(true);
    let well = 0;
    const why = new Set<string>();
    for (const { id } of rows) {
      try { await take(api.POST('/api/v1/customers/{id}/erasure', { params: { path: { id } } })); well += 1; } catch (problem) { why.add(problemText(problem as Problem)); }
    }
    const failed = rows.length - well;
    notice(failed ? t('customers.bulk.erased.some', { n: well, failed, why: [...why].join(' ') }) : t('customers.bulk.erased', { n: well }), failed > 0);
    setBusy(false);
    done();
  };
  return (
    <div className="card mb-3 flex flex-wrap items-center gap-2 border-accent p-2" role="toolbar" aria-label={t('customers.bulk')}>
      <span className="px-2 font-medium">{t('customers.picked', { n: rows.length })}</span>
      <select className="field min-h-[1.9rem] w-auto" disabled={busy} value="" aria-label={t('customers.bulk.tier')} onChange={(e) => void run({ change: 'tiered', tier: e.target.value })}>
        <option value="" disabled>{t('customer.tier')}</option>{['standard', 'gold', 'vip'].map((x) => <option key={x} value={x}>{tCode('tier', x)}</option>)}
      </select>
      <form onSubmit={(e) => { e.preventDefault(); const tag = String(new FormData(e.currentTarget).get('tag')).trim(); if (tag) void run({ change: 'tagged', tag }); }}>
        <input className="field min-h-[1.9rem] w-44" name="tag" disabled={busy} aria-label={t('customers.bulk.tag')} placeholder={t('customers.bulk.tag')} maxLength={60} />
      </form>
      {supervisor && rows.length === 2 && <Button small disabled={busy} onClick={() => setMerging(true)}>{t('customers.bulk.merge')}</Button>}
      {admin && <Sure small look="bad" disabled={busy || rows.length > ERASED_AT_ONCE} title={t('customers.bulk.erase.title', { n: rows.length })} what={`${rows.map(nameOf).join(', ')}. ${t('customers.bulk.erase.what')}`} onSure={() => void erase()}>{t('customers.bulk.erase')}</Sure>}
      {admin && rows.length > ERASED_AT_ONCE && <span className="text-soft">{t('customers.bulk.toomany', { n: ERASED_AT_ONCE })}</span>}
      <MergeTwo rows={rows} open={merging} onClose={() => setMerging(false)} onDone={done} />
    </div>
  );
}

/** Two entries of one person: the one that stays is chosen, the other goes into it. */
function MergeTwo({ rows, open, onClose, onDone }: { rows: CustomerRow[]; open: boolean; onClose: () => void; onDone: () => void }) {
  const oldest = rows.toSorted((a, b) => a.made_at.localeCompare(b.made_at));
  const [chosen, setChosen] = useState('');
  const into = oldest.find((r) => r.id === chosen) ?? oldest[0];
  const from = oldest.find((r) => r !== into);
  const merge = async (): Promise<void> => {
    if (!into || !from) return;
    if (await act(api.POST('/api/v1/customers/{id}/changes', { params: { path: { id: into.id } }, body: { change: 'absorbed', from: from.id } }), t('customer.merge.done'))) { onClose(); onDone(); }
  };
  return (
    <Dialog open={open} onClose={onClose} title={t('customers.bulk.merge.title')}>
      <form className="grid gap-3" onSubmit={(e) => { e.preventDefault(); void merge(); }}>
        <fieldset className="grid gap-1">
          <legend className="sr-only">{t('customers.bulk.merge.title')}</legend>
          {oldest.map((c) => (
            <label key={c.id} className="flex min-h-9 items-center gap-3 rounded-lg border border-line px-3 has-checked:border-accent has-checked:bg-mine">
              <input type="radio" name="into" className="size-5" checked={into === c} onChange={() => setChosen(c.id)} /><span className="truncate">{c.name || t('customer.noname')}</span><span className="num ml-auto text-soft">{c.profile.identities.map(reachedAt).filter(Boolean).join(', ')}</span>
            </label>
          ))}
        </fieldset>
        <p className="text-soft">{t('customer.merge.hint')}</p>
        <Button look="bad" type="submit">{t('customer.merge.do')}</Button>
      </form>
    </Dialog>
  );
}
