// Customers: found by name, number or address; one with everything they ever had to do with us.

import { useState } from 'react';
import { api, take } from '../api/client';
import type { Customer, CustomerRow, PastEntry } from '../api/shapes';
import { t, tCode } from '../lib/i18n';
import { useLoad } from '../lib/load';
import { A, setQuery, usePlace } from '../lib/router';
import { dateTime } from '../lib/time';
import { useFacts } from '../live/live';
import { Button, Empty, Label, Page, Trouble } from '../ui/parts';
import { changeCustomer, NewTicket, Past, reachedAt, Section, Who } from '../work/CustomerPanel';
import { Erase, Hold } from '../ui/Keep';
import { Search } from '../tickets/Tickets';

export default function Customers({ selected }: { selected: string | null }) {
  return selected ? <One key={selected} id={selected} /> : <Find />;
}

function Find() {
  const { query } = usePlace();
  const q = query.get('q') ?? '';
  const found = useLoad(q ? `customers ${q}` : null, async () =>
    (await take(api.GET('/api/v1/customers', { params: { query: { q, limit: 50 } } }))) as unknown as { customers: CustomerRow[] });
  const rows = found.data?.customers;
  return (
    <Page title={t('nav.customers')}>
      <Search value={q} label={t('customers.search')} onChange={(text) => setQuery('q', text)} />
      {found.problem && <Trouble problem={found.problem} again={found.reload} />}
      <div className="card mt-3 overflow-x-auto">
        {rows && rows.length > 0 && (
          <table className="table">
            <caption className="sr-only">{t('nav.customers')}</caption>
            <thead><tr><th scope="col">{t('customer.name')}</th><th scope="col">{t('customer.reached')}</th><th scope="col">{t('customer.tier')}</th><th scope="col">{t('customer.tags')}</th><th scope="col">{t('ticket.changed')}</th></tr></thead>
            <tbody>{rows.map((c) => (
              <tr key={c.id}>
                <td><A className="link" href={`/customers/${c.id}`}>{c.name || t('customer.noname')}</A></td>
                <td className="num">{c.profile.identities.map(reachedAt).filter(Boolean).join(', ')}</td>
                <td>{tCode('tier', c.tier)}</td><td>{c.profile.tags.join(', ')}</td><td className="num text-soft">{dateTime(c.changed_at)}</td>
              </tr>
            ))}</tbody>
          </table>
        )}
        {!q && <Empty>{t('customers.hint')}</Empty>}
        {q && rows?.length === 0 && <Empty>{t('customers.none', { q })}</Empty>}
      </div>
    </Page>
  );
}

function One({ id }: { id: string }) {
  const path = { params: { path: { id } } };
  const [opening, setOpening] = useState(false);
  const customer = useLoad(`customer ${id}`, async () => ((await take(api.GET('/api/v1/customers/{id}', path))) as unknown as { customer: Customer }).customer);
  const past = useLoad(`history ${id}`, async () => (await take(api.GET('/api/v1/customers/{id}/timeline', { params: { path: { id }, query: { limit: 100 } } }))) as unknown as { entries: PastEntry[] });
  useFacts((f) => { if (f.fact === 'customer') customer.reload(); if (f.fact === 'ticket' || f.fact === 'interaction_closed') past.reload(); });
  if (customer.problem && !customer.data) return <Trouble problem={customer.problem} again={customer.reload} />;
  const c = customer.data;
  if (!c) return null;
  return (
    <Page title={c.erased ? t('erase.was', { at: dateTime(c.erased) }) : c.name || t('customer.noname')} tools={<><Hold kind="customer" id={c.id} /><Erase id={c.id} erased={c.erased !== undefined} onDone={() => { customer.reload(); past.reload(); }} /><A href="/customers" className="btn btn-small">← {t('nav.customers')}</A><Button small look="main" onClick={() => setOpening(true)}>{t('ticket.new')}</Button></>}>
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
