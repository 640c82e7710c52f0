// Who it is, what is open, what was: beside the contact, never in its way.

import { useState, type ReactNode } from 'react';
import { api } from '../api/client';
import type { Customer, CustomerChange, Identity, PastEntry } from '../api/shapes';
import { act } from '../lib/act';
import { t, tCode } from '../lib/i18n';
import { A } from '../lib/router';
import { clock, dateTime } from '../lib/time';
import { useLive } from '../live/live';
import { Callable } from '../phone/Dial';
import { Button, Channel, Dialog, Empty, Label } from '../ui/parts';
import type { Contact } from './contact';
import { Why } from './Why';

export const reachedAt = (i: Identity): string => i.number ?? i.address ?? (i.kind === 'external' ? `${i.system}: ${i.id}` : '');
const over = ['closed', 'merged', 'spam', 'resolved'];

export function CustomerPanel({ contact: c, onClose }: { contact: Contact; onClose?: (() => void) | undefined }) {
  const [opening, setOpening] = useState(false);
  const tickets = c.past.filter((e): e is Extract<PastEntry, { kind: 'ticket' }> => e.kind === 'ticket');
  const open = tickets.filter((e) => !over.includes(e.status));
  const linked = (id: string): boolean => id === (c.now?.ticket ?? c.detail?.record?.ticket);
  const link = (id: string): Promise<boolean> => act(api.POST('/api/v1/tickets/{id}/changes', { params: { path: { id } }, body: { change: 'linked', interaction: c.id } }), t('ticket.link.done'));
  const earlier = c.past.filter((e) => e.id !== c.id && (e.kind !== 'ticket' || over.includes(e.status))).slice(0, 8);
  return (
    <div className="grid gap-4 p-4">
      {onClose && <Button small className="justify-self-end" onClick={onClose}>{t('do.close')}</Button>}
      {c.customer ? <Who customer={c.customer} /> : <Empty>{t('customer.unknown')}</Empty>}
      <Section title={t('customer.open')} tool={<Button small onClick={() => setOpening(true)}>{t('ticket.new')}</Button>}>
        {open.length === 0 && <p className="text-soft">{t('customer.open.none')}</p>}
        <ul className="grid gap-1">{open.map((e) => <li key={e.id}><TicketLine entry={e} here={linked(e.id)} />{c.ticket && !linked(e.id) && <Button small look="plain" onClick={() => void link(e.id)}>{t('ticket.link')}</Button>}</li>)}</ul>
      </Section>
      <Section title={t('customer.earlier')}>
        {earlier.length === 0 && <p className="text-soft">{t('customer.earlier.none')}</p>}
        <ul className="grid gap-1">{earlier.map((e) => <li key={e.id}><Past entry={e} /></li>)}</ul>
      </Section>
      {c.now && c.now.path.length > 0 && (
        <Section title={t('customer.path')}><p className="text-soft">{c.now.path.join(' › ')}</p></Section>
      )}
      {c.decision && <Section title={t('why.title')}><Why decision={c.decision} most={5} /></Section>}
      <NewTicket open={opening} onClose={() => setOpening(false)} customer={c.customer} queue={c.queue} />
    </div>
  );
}

export function Section({ title, tool, children }: { title: string; tool?: ReactNode; children: ReactNode }) {
  return <section><div className="mb-1 flex items-center gap-2"><h2 className="h">{title}</h2><span className="grow" />{tool}</div>{children}</section>;
}

export function Who({ customer }: { customer: Customer }) {
  const [tag, setTag] = useState('');
  const change = (body: Parameters<typeof changed>[1]): Promise<boolean> => changed(customer.id, body);
  return (
    <section>
      <h2 className="flex items-baseline gap-2 text-[1.15rem] font-semibold">
        <A href={`/customers/${customer.id}`} className="link min-h-[24px] truncate">{customer.name || t('customer.noname')}</A>
        {customer.tier !== 'standard' && <span className="chip border-warn font-semibold uppercase text-warn">★ {customer.tier}</span>}
      </h2>
      <ul className="mt-1">{customer.identities.filter(reachedAt).map((i) => <li key={`${i.kind} ${reachedAt(i)}`} className="num break-all">{i.kind === 'number' && i.number ? <Callable number={i.number} /> : reachedAt(i)}{i.trust === 'verified' && <span className="text-good" title={t('customer.verified')}> ✓<span className="sr-only">{t('customer.verified')}</span></span>}</li>)}</ul>
      {Object.entries(customer.attributes).map(([k, v]) => <p key={k}><span className="text-soft">{k}</span> {v}</p>)}
      <div className="mt-1.5 flex flex-wrap items-center gap-1.5">
        {customer.tags.map((x) => <span key={x} className="chip">{x}<button type="button" className="min-h-6 min-w-6 text-soft" aria-label={t('tag.remove', { tag: x })} onClick={() => void change({ change: 'untagged', tag: x })}>✕</button></span>)}
        <form onSubmit={async (e) => { e.preventDefault(); if (tag.trim() && await change({ change: 'tagged', tag: tag.trim() })) setTag(''); }}>
          <input className="field min-h-[1.7rem] w-28 py-0" value={tag} onChange={(e) => setTag(e.target.value)} aria-label={t('tag.add')} placeholder={t('tag.add')} maxLength={60} />
        </form>
      </div>
    </section>
  );
}

const changed = (id: string, body: CustomerChange): Promise<boolean> =>
  act(api.POST('/api/v1/customers/{id}/changes', { params: { path: { id } }, body }));
export { changed as changeCustomer };

function TicketLine({ entry: e, here }: { entry: Extract<PastEntry, { kind: 'ticket' }>; here: boolean }) {
  return (
    <A href={`/tickets/${e.id}`} className={`block rounded-lg border px-2.5 py-1.5 hover:bg-raised ${here ? 'border-accent' : 'border-line'}`}>
      <span className="num text-soft">#{e.number}</span> {e.title}
      <span className="flex gap-2 text-[0.92em] text-soft"><span>{tCode('status', e.status)}</span>{here && <span className="text-accent">{t('ticket.this')}</span>}<span className="ml-auto">{dateTime(e.changed_at)}</span></span>
    </A>
  );
}

export function Past({ entry: e }: { entry: PastEntry }) {
  const codes = useLive((l) => l.codes.dispositions);
  const code = e.disposition ? codes.find((d) => d.id === e.disposition)?.name ?? e.disposition : null;
  if (e.kind === 'ticket') {
    return <A href={`/tickets/${e.id}`} className="flex gap-2 rounded px-1 py-0.5 hover:bg-raised"><span className="num text-soft">{dateTime(e.opened_at)}</span><span className="truncate">#{e.number} {e.title}</span></A>;
  }
  return (
    <A href={`/calls/${e.id}`} className="flex flex-wrap gap-x-2 rounded px-1 py-0.5 hover:bg-raised">
      <span className="num text-soft">{dateTime(e.opened_at)}</span>
      <span><Channel channel={e.channel} /> {e.talk_ms > 0 ? clock(e.talk_ms) : e.closed_at ? t('customer.notalk') : tCode('state', 'talking')}</span>
      {code && <span className="text-soft">{code}</span>}
    </A>
  );
}

export function NewTicket({ open, onClose, customer, queue }: { open: boolean; onClose: (made?: string) => void; customer?: Customer | undefined; queue?: string | null }) {
  const queues = useLive((l) => l.view.queues);
  const submit = async (form: HTMLFormElement): Promise<void> => {
    const data = new FormData(form);
    const text = (name: string): string => String(data.get(name) ?? '').trim();
    let made: string | undefined;
    const asked = api.POST('/api/v1/tickets', { body: {
      title: text('title'), priority: text('priority'), ...(text('body') ? { body: text('body') } : {}), ...(text('queue') ? { queue: text('queue') } : {}), ...(customer ? { customer: customer.id } : {}),
    } });
    if (await act(asked.then((r) => { made = (r.data as { ticket?: string } | undefined)?.ticket; return r; }), t('ticket.made'))) onClose(made);
  };
  return (
    <Dialog open={open} onClose={() => onClose()} title={t('ticket.new')}>
      <form className="grid gap-3" onSubmit={(e) => { e.preventDefault(); void submit(e.currentTarget); }}>
        {customer && <p className="text-soft">{t('ticket.for', { who: customer.name || t('customer.noname') })}</p>}
        <Label text={t('ticket.title')}><input className="field" name="title" required maxLength={200} autoFocus /></Label>
        <Label text={t('ticket.body')}><textarea className="field" name="body" rows={4} /></Label>
        <div className="grid grid-cols-2 gap-3">
          <Label text={t('ticket.priority')}><select className="field" name="priority" defaultValue="normal">{['low', 'normal', 'high', 'urgent'].map((p) => <option key={p} value={p}>{tCode('priority', p)}</option>)}</select></Label>
          <Label text={t('ticket.queue')}><select className="field" name="queue" defaultValue={queue ?? ''}><option value="">–</option>{Object.entries(queues).map(([id, q]) => <option key={id} value={id}>{q.name || id}</option>)}</select></Label>
        </div>
        <Button look="main" type="submit">{t('ticket.make')}</Button>
      </form>
    </Dialog>
  );
}
