// The phone on every screen: its sign in the top bar, what is wrong with it, and the dialog a first shift begins with.

import { lazy, Suspense, useState, useSyncExternalStore } from 'react';
import { api } from '../api/client';
import { act } from '../lib/act';
import { t } from '../lib/i18n';
import { useLive, myself } from '../live/live';
import { Button, Dialog } from '../ui/parts';
import { allowed } from './devices';
import { choose, kind, takeHere, tryAgain, unsilence, useKind, usePhone, type Kind } from './state';

const Check = lazy(async () => ({ default: (await import('./Check')).Check }));

type Shown = null | 'look' | 'begin';
let shown: Shown = null;
const watchers = new Set<() => void>();
function show(next: Shown): void {
  shown = next;
  watchers.forEach((w) => w());
}

/** Opens the dialog about the phone. */
export const showPhone = (): void => show('look');

const signIn = (): Promise<boolean> => act(api.POST('/api/v1/agents/{id}/sign-in', { params: { path: { id: 'me' } } }));

/** A shift begins; before the first one in this browser it is said where calls are to ring, and tried. */
export async function beginShift(): Promise<void> {
  const chosen = kind();
  if (chosen === null || (chosen === 'browser' && !(await allowed()))) show('begin');
  else await signIn();
}

export function PhoneChip({ registered }: { registered: boolean }) {
  const chosen = useKind();
  const place = usePhone((p) => p.place);
  const trouble = usePhone((p) => p.trouble);
  const number = useLive((l) => myself(l)?.number ?? '');
  const mine = chosen === 'browser';
  const bad = mine ? trouble !== null : !registered;
  const text = number ? t(registered ? 'phone.number.at' : 'phone.number.down', { number }) : !mine ? t(registered ? 'phone.on' : 'phone.off') : trouble ? t('phone.fault') : !registered ? t('phone.connecting') : t(place === 'elsewhere' ? 'phone.elsewhere' : 'phone.here');
  return (
    <button type="button" className={`chip min-h-7 hover:bg-raised ${bad ? 'border-warn text-warn' : 'text-soft'}`} title={text} onClick={() => show('look')}>
      <span aria-hidden="true">☎{bad ? ' ✕' : !registered ? ' …' : ''}</span><span className="sr-only wide:not-sr-only">{text}</span>
    </button>
  );
}

/** What keeps the phone from working while its owner is at work. */
export function PhoneLine() {
  const trouble = usePhone((p) => p.trouble);
  const silenced = usePhone((p) => p.silenced);
  const up = useLive((l) => l.up);
  return (
    <div role="status">
      {silenced && (
        <p className="flex flex-wrap items-center justify-center gap-3 bg-warn-fill px-4 py-1.5 text-warn">
          {t('call.silenced')}<Button small onClick={unsilence}>{t('call.hear')}</Button>
        </p>
      )}
      {trouble && up && (
        <p className="flex flex-wrap items-center justify-center gap-3 bg-bad-fill px-4 py-1.5 text-bad">
          <span><span aria-hidden="true">☎ </span>{t(`trouble.${trouble}`)}</span>
          {trouble !== 'insecure' && <Button small onClick={tryAgain}>{t('do.again')}</Button>}
        </p>
      )}
    </div>
  );
}

export function PhoneDialog() {
  const now = useSyncExternalStore((w) => { watchers.add(w); return () => { watchers.delete(w); }; }, () => shown);
  if (now === null) return null;
  return <Open begins={now === 'begin'} />;
}

function Open({ begins }: { begins: boolean }) {
  const kept = useKind();
  const [wish, setWish] = useState<Kind>(kept ?? 'browser');
  const place = usePhone((p) => p.place);
  const on = useLive((l) => { const my = myself(l); return my !== undefined && my.state !== 'signed_out'; });
  const begin = async (): Promise<void> => {
    choose(wish);
    if (await signIn()) show(null);
  };
  return (
    <Dialog open onClose={() => show(null)} title={t(begins ? 'phone.begin' : 'phone.title')}>
      <Suspense fallback={null}>
        <Check chosen={wish} onChoose={begins ? setWish : (next) => { setWish(next); choose(next); }} />
      </Suspense>
      <div className="mt-4 flex flex-wrap justify-end gap-2">
        {!begins && on && place === 'elsewhere' && <Button onClick={takeHere}>{t('phone.take')}</Button>}
        {begins
          ? <Button look="main" className="min-h-11" disabled={wish === 'number' && kept !== 'number'} onClick={() => void begin()}>{t('check.start')}</Button>
          : <Button onClick={() => show(null)}>{t('do.close')}</Button>}
      </div>
    </Dialog>
  );
}
