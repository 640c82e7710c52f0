// One ticket: what happened to it on the left, what it is on the right.

import { lazy, Suspense, useEffect, useRef, useState } from 'react';
import { api, take } from '../api/client';
import type { Customer, Promise_, TicketChange, TicketDetail, TicketEntry, TicketHead } from '../api/shapes';
import { act } from '../lib/act';
import { useActions } from '../lib/actions';
import { t, tCode } from '../lib/i18n';
import { useLoad } from '../lib/load';
import { A, go, usePlace } from '../lib/router';
import { dateTime } from '../lib/time';
import { agentName, queueName, useFacts, useLive, type Live } from '../live/live';
import { Button, Channel, Label, Page, Since, Trouble, useComposing } from '../ui/parts';
import { Hold } from '../ui/Keep';
import { Section, Who } from '../work/CustomerPanel';
import { Named, useMention } from '../work/Mention';
import { Also } from './Also';
import { MergeInto } from './Merge';
import { Due, Priority } from './Tickets';

// The player comes when somebody wants to hear something.
const Heard = lazy(() => import('../calls/Heard'));

type Change = TicketChange;

/** Entries of a ticket that are drawn at once. */
const PAGE = 100;

export function Ticket({ id }: { id: string }) {
  const path = { params: { path: { id } } };
  const loaded = useLoad(`ticket ${id}`, async () => (await take(api.GET('/api/v1/tickets/{id}', path))) as unknown as TicketDetail);
  const head = loaded.data?.ticket;
  const customer = useLoad(head?.customer ? `customer ${head.customer}` : null, async () =>
    ((await take(api.GET('/api/v1/customers/{id}', { params: { path: { id: head!.customer! } } }))) as unknown as { customer: Customer }).customer);
  useFacts((f) => { if (f.fact === 'ticket') loaded.reload(); if (f.fact === 'customer') customer.reload(); });
  const change = async (body: Change): Promise<boolean> => {
    const done = await act(api.POST('/api/v1/tickets/{id}/changes', { ...path, body }));
    if (done) loaded.reload();
    return done;
  };
  const { query } = usePlace();
  const [merging, setMerging] = useState(false);
  const [writing, setWriting] = useState(false);
  const [heard, setHeard] = useState<string | null>(null);
  const into = loaded.data?.into;
  const stay = query.get('stay') === '1';
  // The old number leads to the matter as it is now; whoever wants the old one looks there.
  useEffect(() => { if (into && !stay) go(`/tickets/${into.id}?from=${id}`, 'replace'); }, [into, stay, id]);
  // Undone from either side: the ticket that went in is what it was.
  const undo = async (which: string, out_of: string): Promise<void> => {
    if (await act(api.POST('/api/v1/tickets/{id}/changes', { params: { path: { id: which } }, body: { change: 'unmerged', out_of } }), t('ticket.unmerged'))) go(`/tickets/${which}?stay=1`);
  };
  const from = loaded.data?.merged.find((m) => m.id === query.get('from'));
  const final = head ? ['closed', 'merged', 'spam'].includes(head.state) : true;
  useActions([
    !final && { id: 'ticket.take', label: 'ticket.take', group: 'call', run: () => void change({ change: 'assigned', owner: 'me' }) },
    !final && { id: 'ticket.merge', label: 'ticket.merge', group: 'call', run: () => setMerging(true) },
    !final && { id: 'ticket.resolve', label: 'ticket.resolve', group: 'call', run: () => void change({ change: 'state', to: 'resolved' }) },
  ]);
  if (loaded.problem && !head) return <Trouble problem={loaded.problem} again={loaded.reload} />;
  if (!head || !loaded.data) return null;
  return (
    <Page title={`#${head.number} ${head.title}`} tools={<><Also id={head.id} writing={writing} /><Hold kind="ticket" id={head.id} />{!final && <Button small onClick={() => setMerging(true)}>{t('ticket.merge')}</Button>}<A href="/tickets" className="btn btn-small">← {t('nav.tickets')}</A></>}>
      {from && <p role="status" className="mb-3 flex flex-wrap items-center gap-3 rounded-lg bg-mine px-3 py-2">{t('ticket.merged.here', { number: from.number })} <A className="link" href={`/tickets/${from.id}?stay=1`}>{t('ticket.merged.stay')}</A>{from.undoable && <Button small onClick={() => void undo(from.id, head.id)}>{t('ticket.unmerge')}</Button>}</p>}
      {into && <p className="mb-3 rounded-lg bg-warn-fill px-3 py-2 text-warn">{t('ticket.merged.into')} <A className="link" href={`/tickets/${into.id}`}>#{into.number} {into.title}</A> {into.undoable && <Button small onClick={() => void undo(head.id, into.id)}>{t('ticket.unmerge')}</Button>}</p>}
      <MergeInto id={head.id} open={merging} onClose={() => setMerging(false)} />
      <div className="grid gap-4 mid:grid-cols-[1fr_20rem]">
        <div className="min-w-0">
          {heard && <section aria-label={t('ticket.play.of', { n: head.interactions.indexOf(heard) + 1 })}><Suspense fallback={null}><Heard key={heard} id={heard} /></Suspense></section>}
          <Thread log={loaded.data.log} />
          {!final && <Write change={change} onWriting={setWriting} />}
          {loaded.data.merged.map((m) => (
            <details key={m.id} className="card mt-3 p-3">
              <summary className="cursor-pointer font-medium">{t('ticket.merged.from', { number: m.number, title: m.title })}</summary>
              <div className="mt-2"><Thread log={m.log} /></div>
              {m.undoable && <div className="mt-2"><Button small onClick={() => void undo(m.id, head.id)} title={t('ticket.unmerge.hint')}>{t('ticket.unmerge')}: #{m.number}</Button></div>}
            </details>
          ))}
        </div>
        <aside className="grid content-start gap-4">
          <Properties head={head} promises={loaded.data.promises} change={change} final={final} />
          {customer.data && <div className="card p-4"><Who customer={customer.data} /></div>}
          {head.interactions.length > 0 && (
            <div className="card p-4"><Section title={t('ticket.contacts')}>
              <ul className="grid gap-1">{head.interactions.map((x, n) => <li key={x}><A className="link" href={`/calls/${x}`}>{head.channel ? <Channel channel={head.channel} /> : null} {t('ticket.contact', { n: n + 1 })}</A>{head.channel !== 'webchat' && <Button small look="plain" className="ml-2" aria-expanded={heard === x} onClick={() => setHeard((was) => (was === x ? null : x))}><span aria-hidden="true">▶</span>{t('ticket.play')}<span className="sr-only"> {n + 1}</span></Button>}</li>)}</ul>
            </Section></div>
          )}
        </aside>
      </div>
    </Page>
  );
}

function by(entry: TicketEntry, live: Live): string {
  if (typeof entry.by === 'string') return tCode('actor', entry.by);
  const [kind, who] = Object.entries(entry.by)[0] ?? ['', ''];
  return kind === 'agent' ? agentName(live, who) : who;
}

function sentence(e: TicketEntry, live: Live): string {
  const text = (name: string): string => String(e[name] ?? '');
  switch (e.change) {
    case 'opened': return t('log.opened');
    case 'state': {
      const to = e.to as string | Record<string, unknown>;
      const word = typeof to === 'string' ? to : String(to.state ?? to.to ?? Object.keys(to)[0] ?? '');
      return t('log.state', { to: tCode('status', word) });
    }
    case 'assigned': return e.owner ? t('log.assigned', { who: agentName(live, text('owner')) }) : t('log.unassigned');
    case 'queued': return t('log.queued', { queue: queueName(live, text('queue')) || '–' });
    case 'prioritised': return t('log.priority', { to: tCode('priority', text('priority')) });
    case 'titled': return t('log.titled', { title: text('title') });
    case 'tagged': return `+ ${text('tag')}`;
    case 'untagged': return `− ${text('tag')}`;
    case 'absorbed': return t('log.absorbed', { number: text('number') });
    case 'released': return t('log.released', { number: text('number') });
    case 'linked': return t('log.linked');
    case 'viewed': return t('log.viewed');
    case 'disposed': return t('log.disposed', { code: live.codes.dispositions.find((d) => d.id === e.code)?.name ?? (text('code') || '–') });
    default: return tCode('log', e.change);
  }
}

function Thread({ log }: { log: TicketEntry[] }) {
  const live = useLive((l) => l);
  // A long chat's ticket has thousands of them: the latest first, older ones when somebody wants them.
  const [most, setMost] = useState(PAGE);
  return (
    <ol className="grid gap-2" aria-label={t('ticket.thread')}>
      {log.length > most && <li className="text-center"><Button small onClick={() => setMost(most + PAGE)}>{t('talk.older')}</Button></li>}
      {log.slice(-most).map((e) => {
        if (!e.text) return <li key={e.n} className="flex flex-wrap gap-x-2 px-3 text-soft"><span className="num">{dateTime(e.at)}</span><span>{by(e, live)}</span><span>{sentence(e, live)}</span></li>;
        const note = e.change === 'noted';
        const ours = note || e.change === 'replied';
        return (
          <li key={e.n} className={`rounded-xl border px-4 py-2 ${note ? 'border-dashed border-warn bg-note' : ours ? 'border-line bg-mine' : 'border-line bg-panel'}`}>
            <p className="flex gap-2 text-[0.92em] text-soft"><span className="font-medium text-ink">{by(e, live)}</span><span>{note ? t('talk.note') : tCode('log', e.change)}</span><time className="num ml-auto" dateTime={e.at}>{dateTime(e.at)}</time></p>
            <p className="whitespace-pre-wrap break-words">{note ? <Named text={e.text} /> : e.text}</p>
          </li>
        );
      })}
    </ol>
  );
}

function Write({ change, onWriting }: { change: (c: Change) => Promise<boolean>; onWriting: (on: boolean) => void }) {
  const [text, setText] = useState('');
  const field = useRef<HTMLTextAreaElement>(null);
  const mention = useMention(text, true, (next) => { setText(next); field.current?.focus(); });
  const busy = text.trim() !== '';
  useEffect(() => onWriting(busy), [busy]);
  const { onCompositionEnd, composing } = useComposing();
  const save = async (kind: 'noted' | 'replied'): Promise<void> => { if (text.trim() && await change({ change: kind, text: text.trim() })) setText(''); };
  return (
    <form className="card relative mt-3 p-3" onSubmit={(e) => { e.preventDefault(); void save('noted'); }}>
      {mention.list}
      <textarea ref={field} className="field min-h-20 [field-sizing:content]" value={text} aria-autocomplete="list" {...mention.listing} onChange={(e) => setText(e.target.value)} onCompositionEnd={onCompositionEnd} aria-label={t('ticket.write')} placeholder={t('ticket.write')}
        onKeyDown={(e) => { if (!composing(e) && mention.key(e)) return; if (e.key === 'Enter' && (e.ctrlKey || e.metaKey) && !composing(e)) { e.preventDefault(); void save('noted'); } }} />
      <div className="mt-2 flex flex-wrap items-center gap-2">
        <span className="text-soft">{t('ticket.write.hint')}</span><span className="grow" />
        <Button disabled={!text.trim()} onClick={() => void save('replied')}>{t('ticket.replied')}</Button>
        <Button look="main" type="submit" disabled={!text.trim()}>{t('ticket.note')}</Button>
      </div>
    </form>
  );
}

const STATES = ['open', 'pending_customer', 'pending_internal', 'resolved', 'closed', 'spam'] as const;

function Properties({ head, promises, change, final }: { head: TicketHead; promises: Promise_[]; change: (c: Change) => Promise<boolean>; final: boolean }) {
  const agents = useLive((l) => l.view.agents);
  const queues = useLive((l) => l.view.queues);
  const codes = useLive((l) => l.codes.dispositions);
  const [tag, setTag] = useState('');
  const [later, setLater] = useState(false);
  return (
    <section className="card grid gap-3 p-4" aria-label={t('ticket.properties')}>
      <p className="flex flex-wrap items-center gap-2"><strong>{tCode('status', head.state)}</strong><Priority value={head.priority} />
        {head.unanswered && !final && <span className="chip border-warn text-warn"><span aria-hidden="true">◔</span>{t('ticket.unanswered')} <Since at={head.unanswered} /></span>}</p>
      {promises.length > 0 && !final && (
        <dl className="grid grid-cols-[auto_1fr] items-center gap-x-3 gap-y-1">
          {promises.map((p) => [<dt key={p.clock} className="text-soft first-letter:uppercase">{tCode('sla', p.clock)}</dt>, <dd key={`${p.clock} due`}>{p.phase === 'running' ? <Due promise={p} /> : <span className={p.missed ? 'text-bad' : 'text-soft'}>{t(p.missed ? 'sla.late' : p.phase === 'paused' ? 'sla.paused' : 'sla.fine')}</span>}</dd>])}
        </dl>
      )}
      <Label text={t('ticket.status')}>
        <select className="field" disabled={final} value={STATES.includes(head.state as 'open') ? head.state : ''} onChange={(e) => {
          const to = e.target.value as (typeof STATES)[number];
          if (to === 'pending_internal') setLater(true); else void change({ change: 'state', to });
        }}>
          {!STATES.includes(head.state as 'open') && <option value="">{tCode('status', head.state)}</option>}
          {STATES.map((s) => <option key={s} value={s}>{tCode('status', s)}</option>)}
        </select>
      </Label>
      {later && (
        <form className="grid gap-2" onSubmit={async (e) => {
          e.preventDefault();
          const at = new Date(String(new FormData(e.currentTarget).get('until')));
          if (await change({ change: 'state', to: 'pending_internal', until: at.toISOString() })) setLater(false);
        }}>
          <Label text={t('ticket.until')}><input className="field" type="datetime-local" name="until" required /></Label>
          <Button type="submit" small look="main">{t('do.save')}</Button>
        </form>
      )}
      {!final && <Label text={t('ticket.title')}><input key={head.title} className="field" defaultValue={head.title} maxLength={200} onKeyDown={(e) => { if (e.key === 'Enter') e.currentTarget.blur(); }}
        onBlur={(e) => { const title = e.target.value.trim(); if (title && title !== head.title) void change({ change: 'titled', title }); }} /></Label>}
      <Label text={t('ticket.owner')}>
        <select className="field" disabled={final} value={head.owner ?? ''} onChange={(e) => void change({ change: 'assigned', owner: e.target.value || null })}>
          <option value="">–</option>{Object.entries(agents).map(([id, a]) => <option key={id} value={id}>{a.name || id}</option>)}
        </select>
      </Label>
      <Label text={t('ticket.priority')}>
        <select className="field" disabled={final} value={head.priority} onChange={(e) => void change({ change: 'prioritised', priority: e.target.value })}>
          {['low', 'normal', 'high', 'urgent'].map((p) => <option key={p} value={p}>{tCode('priority', p)}</option>)}
        </select>
      </Label>
      <Label text={t('ticket.queue')}>
        <select className="field" disabled={final} value={head.queue ?? ''} onChange={(e) => void change({ change: 'queued', queue: e.target.value || null })}>
          <option value="">–</option>{Object.entries(queues).map(([id, q]) => <option key={id} value={id}>{q.name || id}</option>)}
        </select>
      </Label>
      <Label text={t('wrap.outcome')}>
        <select className="field" disabled={final} value={head.disposition ?? ''} onChange={(e) => void change({ change: 'disposed', code: e.target.value || null })}>
          <option value="">–</option>{codes.map((d) => <option key={d.id} value={d.id}>{d.name}</option>)}
        </select>
      </Label>
      <div className="flex flex-wrap items-center gap-1.5">
        {head.tags.map((x) => <span key={x} className="chip">{x}{!final && <button type="button" className="min-h-6 min-w-6 text-soft" aria-label={t('tag.remove', { tag: x })} onClick={() => void change({ change: 'untagged', tag: x })}>✕</button>}</span>)}
        {!final && <form onSubmit={async (e) => { e.preventDefault(); if (tag.trim() && await change({ change: 'tagged', tag: tag.trim() })) setTag(''); }}>
          <input className="field min-h-[1.7rem] w-28 py-0" value={tag} onChange={(e) => setTag(e.target.value)} aria-label={t('tag.add')} placeholder={t('tag.add')} maxLength={60} />
        </form>}
      </div>
      <dl className="grid grid-cols-[auto_1fr] gap-x-3 text-soft">
        <dt>{t('ticket.created')}</dt><dd className="num">{dateTime(head.created)}</dd>
        <dt>{t('ticket.firstreply')}</dt><dd className="num">{head.first_reply ? dateTime(head.first_reply) : '–'}</dd>
        {head.sla && <><dt>{t('ticket.sla')}</dt><dd>{head.sla}</dd></>}
      </dl>
    </section>
  );
}
