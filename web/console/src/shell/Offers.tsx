// What is offered to me: over everything, said aloud, with what is known before it is taken.

import { useEffect, useRef, useState } from 'react';
import { api, take } from '../api/client';
import type { Customer, InteractionNow, PastEntry, WorkNow } from '../api/shapes';
import { act } from '../lib/act';
import { keyOf, useActions } from '../lib/actions';
import { t, tCode } from '../lib/i18n';
import { regionName } from '../lib/region';
import { clock, dateTime, now, onBeat } from '../lib/time';
import { go } from '../lib/router';
import { useLoad } from '../lib/load';
import { agentName, myself, queueName, useLive } from '../live/live';
import { answer, phoneNow, ringingFor, usePhone } from '../phone/state';
import { Button, Channel, Since, Until } from '../ui/parts';
import { learned, learnedName, VouchedNow } from '../ui/Vouched';
import { ring } from './ring';

const NONE: WorkNow[] = [];

export function Offers() {
  const work = useLive((l) => myself(l)?.work ?? NONE);
  const offers = work.filter((w) => w.work === 'alerting' && w.offer);
  const first = offers[0];
  const who = useLive((l) => { const i = first && l.view.interactions[first.interaction]; return i?.customer_name || i?.from || ''; });
  const latest = useRef(first);
  latest.current = first;
  useEffect(() => ring(offers.length, {
    who, call: latest.current?.channel === 'voice',
    // A click on the message is a click on the page: it may answer.
    take: () => { if (latest.current) void accept(latest.current); },
  }), [offers.length, who]);
  const rung = usePhone((p) => ringingFor(p.lines, first?.offer) !== undefined);
  useActions([
    first && (first.channel !== 'voice' || rung) && { id: 'offer.accept', label: first.channel === 'voice' ? 'do.answer' : 'do.accept', group: 'call', run: () => void accept(first) },
    first && { id: 'offer.decline', label: 'do.decline', group: 'call', run: () => void decline(first) },
  ]);
  return (
    <section aria-live="assertive" aria-label={t('offer.region')}>
      {offers.map((w, i) => <Offer key={w.offer} work={w} keys={i === 0} />)}
    </section>
  );
}

/** A call is taken by answering the phone that rings; if that is this browser's, here and now. */
async function accept(w: WorkNow): Promise<void> {
  if (w.channel === 'voice') {
    const line = ringingFor(phoneNow().lines, w.offer);
    if (line?.state === 'ringing') { answer(line.id); go(`/w/${w.interaction}`); }
    return;
  }
  if (await act(api.POST('/api/v1/offers/{id}/accept', { params: { path: { id: w.offer! } } }))) go(`/w/${w.interaction}`);
}
const decline = (w: WorkNow): Promise<boolean> => act(api.POST('/api/v1/offers/{id}/decline', { params: { path: { id: w.offer! } } }));

function Offer({ work, keys }: { work: WorkNow; keys: boolean }) {
  const i: InteractionNow | undefined = useLive((l) => l.view.interactions[work.interaction]);
  const queue = useLive((l) => queueName(l, i?.queue));
  const up = useLive((l) => l.up);
  const line = usePhone((p) => ringingFor(p.lines, work.offer));
  const number = useLive((l) => myself(l)?.number ?? null);
  const past = useLoad(i ? `past ${i.customer}` : null, async () =>
    (await take(api.GET('/api/v1/customers/{id}/timeline', { params: { path: { id: i!.customer }, query: { limit: 8 } } }))) as unknown as { entries: PastEntry[] });
  const customer = useLoad(i ? `customer ${i.customer}` : null, async () =>
    ((await take(api.GET('/api/v1/customers/{id}', { params: { path: { id: i!.customer } } }))) as unknown as { customer: Customer }).customer);
  const last = past.data?.entries.find((e) => e.kind === 'interaction' && e.id !== work.interaction && e.closed_at !== null);
  const codes = useLive((l) => l.codes.dispositions);
  const how = last?.kind === 'interaction' ? codes.find((d) => d.id === last.disposition)?.name ?? (last.talk_ms > 0 ? clock(last.talk_ms) : t('customer.notalk')) : '';
  const tickets = (past.data?.entries ?? []).filter((e) => e.kind === 'ticket' && !['closed', 'merged', 'spam', 'resolved'].includes(e.status));
  const who = i?.customer_name || i?.from || '';
  // A colleague asks before handing over: that is another call than a customer's.
  const asker = useLive((l) => (i?.consult && i.agent && i.agent !== l.me?.agent ? agentName(l, i.agent) : null));
  return (
    <div className="flex flex-wrap items-center gap-x-5 gap-y-2 border-b-2 border-ringing bg-warn-fill px-4 py-2.5">
      {work.until && <Ring since={work.since} until={work.until} />}
      <div className="min-w-0">
        <p className="text-[1.15rem] font-semibold"><Channel channel={work.channel} /> {asker ? t('consult.offer', { who: asker, customer: who }) : t('offer.from', { channel: tCode('channel', work.channel), who })}</p>
        <p className="flex flex-wrap gap-x-3 text-soft">
          {i && i.customer_name && i.from !== i.customer_name && <span className="num">{i.from}</span>}
          {regionName(i?.attributes['caller.region']) && <span>{regionName(i?.attributes['caller.region'])}</span>}
          {customer.data && customer.data.tier !== 'standard' && <strong className="text-ink">{tCode('tier', customer.data.tier)}</strong>}
          {queue && <span>{queue}</span>}
          {i && <span>{t('offer.waited')} <Since at={i.since} /></span>}
          <VouchedNow attributes={i?.attributes} />
          {learned(i?.attributes).slice(0, 3).map(([k, v]) => <span key={k} className="min-w-0 break-all">{learnedName(k)}: {v}</span>)}
        </p>
        {i && (
          <p className="flex flex-wrap gap-x-3 text-soft">
            {i.path.length > 0 && <span>{t('offer.path')} {i.path.slice(-4).join(' › ')}</span>}
            {past.data && !asker && <span>{last ? t('offer.last', { when: dateTime(last.opened_at), how }) : t('offer.first')}</span>}
          </p>
        )}
        {tickets.length > 0 && (
          <p className="flex flex-wrap gap-x-3">
            <span className="text-soft">{t('offer.tickets')}</span>
            {tickets.slice(0, 3).map((e) => e.kind === 'ticket' && <span key={e.id}>#{e.number} {e.title}</span>)}
          </p>
        )}
      </div>
      <span className="grow" />
      {work.channel === 'voice' && !line
        ? <strong className="text-warn">{number ? t('offer.number', { number }) : t('offer.phone')}</strong>
        : <Button look="main" className="min-h-11" disabled={!up || line?.state === 'answering'} hotkey={keys ? keyOf('offer.accept') : undefined} onClick={() => void accept(work)}>{t(line?.state === 'answering' ? 'call.answering' : line ? 'do.answer' : 'do.accept')}</Button>}
      <Button className="min-h-11" disabled={!up} hotkey={keys ? keyOf('offer.decline') : undefined} onClick={() => void decline(work)}>{t('do.decline')}</Button>
    </div>
  );
}

/** How much of the time to take it is left: a ring that empties around the seconds. */
function Ring({ since, until }: { since: string; until: string }) {
  const circle = useRef<SVGCircleElement>(null);
  const [whole] = useState(() => Math.max(1_000, Date.parse(until) - Date.parse(since)));
  useEffect(() => onBeat(() => {
    const left = Math.max(0, Math.min(1, (Date.parse(until) - now()) / whole));
    if (circle.current) circle.current.style.strokeDashoffset = String(100 * (1 - left));
  }), [until, whole]);
  return (
    <span className="relative grid size-13 place-items-center font-semibold" role="timer" aria-live="off">
      <svg viewBox="0 0 36 36" className="absolute inset-0 -rotate-90" aria-hidden="true">
        <circle cx="18" cy="18" r="15.9" fill="none" stroke="var(--line)" strokeWidth="3" />
        <circle ref={circle} cx="18" cy="18" r="15.9" fill="none" stroke="var(--ringing)" strokeWidth="3" pathLength={100} strokeDasharray="100" />
      </svg>
      <Until at={until} />
    </span>
  );
}

