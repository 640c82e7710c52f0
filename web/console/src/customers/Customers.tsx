// Customers: found by name, number or address; one with everything they ever had to do with us.

import { useEffect, useState } from 'react';
import { api, take } from '../api/client';
import type { Customer, CustomerRow, PastEntry } from '../api/shapes';
import { act } from '../lib/act';
import { t, tCode } from '../lib/i18n';
import { useLoad } from '../lib/load';
import { A, setQuery, usePlace } from '../lib/router';
import { dateTime } from '../lib/time';
import { supervises, useFacts, useLive } from '../live/live';
import { Button, Dialog, Empty, Label, Page, Trouble } from '../ui/parts';
import { changeCustomer, NewTicket, Past, reachedAt, Section, Who } from '../work/CustomerPanel';
import { Erase, Hold } from '../ui/Keep';
import { Views } from '../lists/Views';
import { Search } from '../ui/Search';
import { Bulk } from './Bulk';

export default function Customers({ selected }: { selected: string | null }) {
  return selected ? <One key={selected} id={selected} /> : <Find />;
}

interface Found { customers: CustomerRow[]; next: string | null }
const TIERS = ['standard', 'gold', 'vip'];

function Find() {
  const { query } = usePlace();
  const [q, tier] = [query.get('q') ?? '', query.get('tier') ?? ''];
  const key = `customers ${q} ${tier}`;
  const [more, setMore] = useState<CustomerRow[]>([]);
  const [next, setNext] = useState<string | null>(null);
  const ask = async (after?: string): Promise<Found> => (await take(api.GET('/api/v1/customers', { params: { query: {
    ...(q ? { q } : {}), ...(tier ? { tier } : {}), ...(after ? { after } : {}), limit: 50,
  } } }))) as unknown as Found;
  const first = useLoad(key, () => ask());
  const [picked, setPicked] = useState<ReadonlySet<string>>(new Set());
  const toggle = (id: string): void => setPicked((was) => { const set = new Set(was); if (!set.delete(id)) set.add(id); return set; });
  useEffect(() => { setMore([]); setNext(null); setPicked(new Set()); }, [key]);
  const again = (): void => { setPicked(new Set()); setMore([]); setNext(null); first.reload(); };
  const rows = [...(first.data?.customers ?? []), ...more];
  const cursor = next ?? (more.length === 0 ? first.data?.next ?? null : null);
  return (
    <Page title={t('nav.customers')}>
      <div className="flex flex-wrap items-center gap-3">
        <Search value={q} label={t('customers.search')} onChange={(text) => setQuery('q', text)} />
        <select className="field w-auto" value={tier} aria-label={t('customer.tier')} onChange={(e) => setQuery('tier', e.target.value)}>
          <option value="">{t('customers.tier')}</option>{TIERS.map((x) => <option key={x} value={x}>{tCode('tier', x)}</option>)}
        </select>
      </div>
      <div className="mt-3"><Views kind="customers" path="/customers" here={query.get('list')} query={{ ...(q ? { q } : {}), ...(tier ? { tier } : {}) }} /></div>
      {picked.size > 0 && <Bulk rows={rows.filter((r) => picked.has(r.id))} done={again} />}
      {first.problem && <Trouble problem={first.problem} again={first.reload} />}
      <div className="card overflow-x-auto">
        {rows.length > 0 && (
          <table className="table">
            <caption className="sr-only">{t('nav.customers')}</caption>
            <thead><tr><th scope="col"><span className="sr-only">{t('list.pick')}</span></th><th scope="col">{t('customer.name')}</th><th scope="col">{t('customer.reached')}</th><th scope="col">{t('customer.tier')}</th><th scope="col">{t('customer.tags')}</th><th scope="col">{t('ticket.changed')}</th></tr></thead>
            <tbody>{rows.map((c) => (
              <tr key={c.id} aria-selected={picked.has(c.id)}>
                <td>{!c.profile.erased && <input type="checkbox" className="size-5 align-middle" checked={picked.has(c.id)} onChange={() => toggle(c.id)} aria-label={t('customers.pick', { who: c.name || t('customer.noname') })} />}</td>
                <td><A className="link" href={`/customers/${c.id}`}>{c.name || t('customer.noname')}</A></td>
                <td className="num">{c.profile.identities.map(reachedAt).filter(Boolean).join(', ')}</td>
                <td>{tCode('tier', c.tier)}</td><td>{c.profile.tags.join(', ')}</td><td className="num text-soft">{dateTime(c.changed_at)}</td>
              </tr>
            ))}</tbody>
          </table>
        )}
        {first.data && rows.length === 0 && <Empty>{q ? t('customers.none', { q }) : t('customers.empty')}</Empty>}
      </div>
      {cursor && <div className="mt-3 text-center"><Button onClick={async () => { const page = await ask(cursor); setMore((was) => [...was, ...page.customers]); setNext(page.next); }}>{t('list.more')}</Button></div>}
    </Page>
  );
}

/** Another entry of the same person: found by a few letters, shown with what it is known by, merged after it was read. */
function Merge({ customer: c, open, onClose, onDone }: { customer: Customer; open: boolean; onClose: () => void; onDone: () => void }) {
  const [q, setQ] = useState('');
  const [chosen, setChosen] = useState('');
  const found = useLoad(open && q ? `customers ${q}` : null, async () => (await take(api.GET('/api/v1/customers', { params: { query: { q, limit: 20 } } }))) as unknown as Found);
  const others = (found.data?.customers ?? []).filter((x) => x.id !== c.id && !x.profile.erased);
  const shut = (): void => { setQ(''); setChosen(''); onClose(); };
  return (
    <Dialog open={open} onClose={shut} title={t('customer.merge.title')}>
      <form className="grid gap-3" onSubmit={async (e) => {
        e.preventDefault();
        if (chosen && await act(api.POST('/api/v1/customers/{id}/changes', { params: { path: { id: c.id } }, body: { change: 'absorbed', from: chosen } }), t('customer.merge.done'))) { shut(); onDone(); }
      }}>
        <Search value={q} label={t('customers.search')} onChange={(text) => { setQ(text); setChosen(''); }} />
        {q && found.data && others.length === 0 && <p className="text-soft">{t('customer.merge.none')}</p>}
        <fieldset className="grid gap-1">
          <legend className="sr-only">{t('customer.merge.title')}</legend>
          {others.map((x) => (
            <label key={x.id} className="flex min-h-9 items-center gap-3 rounded-lg border border-line px-3 has-checked:border-accent has-checked:bg-mine">
              <input type="radio" name="other" className="size-5" checked={chosen === x.id} onChange={() => setChosen(x.id)} /><span className="truncate">{x.name || t('customer.noname')}</span><span className="num ml-auto text-soft">{x.profile.identities.map(reachedAt).filter(Boolean).join(', ')}</span>
            </label>
          ))}
        </fieldset>
        <p className="text-soft">{t('customer.merge.hint')}</p>
        <Button look="bad" type="submit" disabled={!chosen}>{t('customer.merge.do')}</Button>
      </form>
    </Dialog>
  );
}

function One({ id }: { id: string }) {
  const path = { params: { path: { id } } };
  const [opening, setOpening] = useState(false);
  const [merging, setMerging] = useState(false);
  const may = useLive(supervises);
  const customer = useLoad(`customer ${id}`, async () => ((await take(api.GET('/api/v1/customers/{id}', path))) as unknown as { customer: Customer }).customer);
  const past = useLoad(`history ${id}`, async () => (await take(api.GET('/api/v1/customers/{id}/timeline', { params: { path: { id }, query: { limit: 100 } } }))) as unknown as { entries: PastEntry[] });
  useFacts((f) => { if (f.fact === 'customer') customer.reload(); if (f.fact === 'ticket' || f.fact === 'interaction_closed') past.reload(); });
  if (customer.problem && !customer.data) return <Trouble problem={customer.problem} again={customer.reload} />;
  const c = customer.data;
  if (!c) return null;
  return (
    <Page title={c.erased ? t('erase.was', { at: dateTime(c.erased) }) : c.name || t('customer.noname')} tools={<><Hold kind="customer" id={c.id} /><Erase id={c.id} erased={c.erased !== undefined} onDone={() => { customer.reload(); past.reload(); }} />{!c.erased && may && <Button small onClick={() => setMerging(true)}>{t('customer.merge')}</Button>}<A href="/customers" className="btn btn-small">← {t('nav.customers')}</A><Button small look="main" onClick={() => setOpening(true)}>{t('ticket.new')}</Button></>}>
      <div className="grid gap-4 mid:grid-cols-[20rem_1fr]">
        <div className="grid content-start gap-4">
          <div className="card p-4"><Who customer={c} /></div>
          {!c.erased && <Known customer={c} />}
        </div>
        <div className="card p-4">
          <Section title={t('customer.history')}>
            {past.data?.entries.length === 0 && <Empty>{t('customer.earlier.none')}</Empty>}
            <ul className="grid gap-1">{past.data?.entries.map((e) => <li key={e.id}><Past entry={e} /></li>)}</ul>
          </Section>
        </div>
      </div>
      <NewTicket open={opening} onClose={() => setOpening(false)} customer={c} />
      <Merge customer={c} open={merging} onClose={() => setMerging(false)} onDone={() => { customer.reload(); past.reload(); }} />
    </Page>
  );
}

function Known({ customer: c }: { customer: Customer }) {
  const submit = (field: string, text: string): void => {
    if (field === 'name' && text && text !== c.name) void changeCustomer(c.id, { change: 'named', name: text });
    if (field === 'lang' && text !== (c.lang ?? '')) void changeCustomer(c.id, { change: 'speaks', lang: text || null });
  };
  return (
    <div className="card grid gap-3 p-4">
      <Label text={t('customer.name')}><input key={c.name} className="field" defaultValue={c.name} maxLength={200} onBlur={(e) => submit('name', e.target.value.trim())} /></Label>
      <Label text={t('customer.lang')}><input key={c.lang} className="field" defaultValue={c.lang ?? ''} maxLength={35} onBlur={(e) => submit('lang', e.target.value.trim())} /></Label>
      <Label text={t('customer.tier')}>
        <select className="field" value={c.tier} onChange={(e) => void changeCustomer(c.id, { change: 'tiered', tier: e.target.value })}>
          {[...new Set(['standard', 'gold', 'vip', c.tier])].map((x) => <option key={x} value={x}>{tCode('tier', x)}</option>)}
        </select>
      </Label>
      <form className="grid gap-2" onSubmit={async (e) => {
        e.preventDefault();
        const form = e.currentTarget;
        const text = String(new FormData(form).get('reach') ?? '').trim();
        if (!text) return;
        const identity = text.includes('@') ? { kind: 'mail' as const, address: text } : { kind: 'number' as const, number: text };
        if (await changeCustomer(c.id, { change: 'linked', identity, verified: false })) form.reset();
      }}>
        <Label text={t('customer.add')}><input className="field" name="reach" maxLength={200} placeholder={t('customer.add.hint')} /></Label>
      </form>
    </div>
  );
}
