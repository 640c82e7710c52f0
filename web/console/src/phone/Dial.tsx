// Calling out: from the field of the bar, or by a click on a number anywhere. My phone rings first, then the number is called, on behalf of
// one of my queues; who serves several is asked for which.

import { useEffect, useRef, useState, useSyncExternalStore } from 'react';
import { api } from '../api/client';
import { act } from '../lib/act';
import { keyOf, useActions } from '../lib/actions';
import { t } from '../lib/i18n';
import { keep, remember } from '../lib/prefs';
import { liveNow, myself, useLive, type Live } from '../live/live';
import { Button, Dialog, Label } from '../ui/parts';

/** Somebody who has begun their shift calls out. */
const mayDial = (l: Live): boolean => (myself(l)?.state ?? 'signed_out') !== 'signed_out';
/** What looks like something a phone can call. */
const dialable = (number: string): boolean => /^\+?[0-9]{3,}$/.test(number.replace(/[\s().\-/]/g, ''));
const LAST = 'dial.queue';

// ---- the question, which is one for the whole page ----

let asking: { number: string } | null = null;
const watchers = new Set<() => void>();
function ask(next: typeof asking): void {
  asking = next;
  watchers.forEach((w) => w());
}
const watch = (w: () => void): (() => void) => { watchers.add(w); return () => { watchers.delete(w); }; };

const dial = (number: string, queue: string | undefined): Promise<boolean> =>
  act(api.POST('/api/v1/agents/{id}/dial', { params: { path: { id: 'me' } }, body: queue ? { number, queue } : { number } }), t('dial.ringing'));

/** Calls at once where there is nothing to choose, and asks where there is. Answers whether a call was begun. */
async function callOut(number: string): Promise<boolean> {
  const queues = liveNow().me?.queues ?? [];
  if (queues.length > 1) { ask({ number }); return false; }
  return dial(number, queues[0]);
}

export function DialDialog() {
  const open = useSyncExternalStore(watch, () => asking);
  return <Dialog open={open !== null} onClose={() => ask(null)} title={t('dial.title')}>{open && <Ask first={open.number} />}</Dialog>;
}

function Ask({ first }: { first: string }) {
  const mine = useLive((l) => l.me?.queues) ?? [];
  const names = useLive((l) => l.view.queues);
  const phone = useLive((l) => l.up && (myself(l)?.phone ?? false));
  const kept = remember(LAST);
  const [queue, setQueue] = useState(kept && mine.includes(kept) ? kept : mine[0]);
  const [number, setNumber] = useState(first);
  const go = useRef<HTMLButtonElement>(null);
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => { (first ? go : field).current?.focus(); }, [first]);
  return (
    <form className="grid gap-3" onSubmit={async (e) => {
      e.preventDefault();
      if (queue) keep(LAST, queue);
      if (number.trim() && await dial(number.trim(), queue)) ask(null);
    }}>
      <Label text={t('dial.number')}><input ref={field} className="field num" inputMode="tel" maxLength={64} required value={number} onChange={(e) => setNumber(e.target.value)} /></Label>
      {mine.length > 1 && <Label text={t('dial.queue')}><select className="field" value={queue ?? ''} onChange={(e) => setQueue(e.target.value)}>{mine.map((q) => <option key={q} value={q}>{names[q]?.name || q}</option>)}</select></Label>}
      {!phone && <p className="text-warn">{t('dial.nophone')}</p>}
      <button ref={go} type="submit" className="btn btn-main" disabled={!phone}>{t('do.dial')}</button>
    </form>
  );
}

// ---- the bar ----

/** The field of the bar; where the window is narrow, a button that asks for the number. */
export function DialField() {
  const can = useLive(mayDial);
  const up = useLive((l) => l.up);
  const phone = useLive((l) => myself(l)?.phone ?? false);
  const field = useRef<HTMLInputElement>(null);
  useActions([can && { id: 'call.dial', label: 'do.dial', group: 'call', run: () => { if (field.current?.checkVisibility()) field.current.focus(); else ask({ number: '' }); } }]);
  if (!can) return null;
  const submit = async (): Promise<void> => {
    const number = field.current?.value.trim();
    if (number && await callOut(number) && field.current) field.current.value = '';
  };
  return (
    <>
      <form className="hidden items-center gap-1 mid:flex" onSubmit={(event) => { event.preventDefault(); void submit(); }}>
        <input ref={field} className="field min-h-[1.9rem] w-40" inputMode="tel" maxLength={64} aria-label={t('dial.number')} placeholder={t('dial.number')} onKeyDown={(e) => { if (e.key === 'Escape') e.currentTarget.blur(); }} />
        <Button small type="submit" disabled={!up || !phone} title={phone ? undefined : t('dial.nophone')} hotkey={keyOf('call.dial')}>{t('do.dial')}</Button>
      </form>
      <Button small className="mid:hidden" aria-label={t('dial.title')} title={t('dial.title')} onClick={() => ask({ number: '' })}><span aria-hidden="true">☎</span></Button>
    </>
  );
}

// ---- numbers anywhere ----

/** A number that is called by a click; `bare`: only the sign, where the number stands beside it already. */
export function Callable({ number, bare }: { number: string; bare?: boolean }) {
  const can = useLive(mayDial) && dialable(number);
  const ready = useLive((l) => l.up && (myself(l)?.phone ?? false));
  if (!can) return bare ? null : <span className="num">{number}</span>;
  return (
    <button type="button" className="num link inline-flex min-h-[24px] min-w-[24px] items-center justify-center gap-1 disabled:text-soft disabled:no-underline" disabled={!ready} aria-label={t('dial.this', { number })} title={ready ? t('dial.this', { number }) : t('dial.nophone')} onClick={() => void callOut(number)}>
      {!bare && <span>{number}</span>}<span aria-hidden="true">☎</span>
    </button>
  );
}
