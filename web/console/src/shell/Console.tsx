// The frame around every screen: who is signed in, where one is, what is offered, what went wrong.

import { lazy, Suspense, useEffect, useRef } from 'react';
import { api, take } from '../api/client';
import type { TicketDetail } from '../api/shapes';
import { dismiss, notice, useNotices } from '../lib/act';
import { t, useLanguage } from '../lib/i18n';
import { go, usePlace } from '../lib/router';
import { onBeat } from '../lib/time';
import { agentName, liveNow, retryNow, supervises, useFacts, useLive } from '../live/live';
import { PhoneDialog, PhoneLine } from '../phone/Chip';
import { DialDialog } from '../phone/Dial';
import { mentioned } from '../work/Mention';
import { Workspace } from '../work/Workspace';
import { Bar } from './Bar';
import { Held } from './Held';
import { KeysHelp } from './KeysHelp';
import { Login } from './Login';
import { NeedFactor } from './NeedFactor';
import { Nav, useGoActions } from './Nav';
import { Offers } from './Offers';
import { Palette } from './Palette';
import { desktop } from './ring';

const Wall = lazy(() => import('../wall/Wall'));
const Tickets = lazy(() => import('../tickets/Tickets'));
const Customers = lazy(() => import('../customers/Customers'));
const Calls = lazy(() => import('../calls/Calls'));
const Reports = lazy(() => import('../reports/Reports'));
const Admin = lazy(() => import('../admin/Admin'));
const Personal = lazy(() => import('../me/Personal'));

export function Console() {
  useLanguage();
  const me = useLive((l) => l.me);
  const ready = useLive((l) => l.ready);
  const { parts, query } = usePlace();
  const tv = parts[0] === 'wall' && query.get('tv') === '1';
  useEffect(() => {
    document.documentElement.toggleAttribute('data-tv', tv);
  }, [tv]);
  useEffect(() => {
    if (me && (parts.length === 0 || parts[0] === 'login')) go(me.agent ? '/w' : '/wall', 'replace');
  }, [me, parts]);
  if (me === undefined) return null;
  if (me === null) return <><Login /><Notices /></>;
  if (me.factor_needed) return <><NeedFactor /><Notices /></>;
  if (tv) return <main className="h-full"><Suspense fallback={null}>{ready && <Wall tv />}</Suspense></main>;
  return (
    <div className="grid h-full grid-cols-[minmax(0,1fr)] grid-rows-[auto_auto_1fr]">
      <a href="#main" className="sr-only focus:not-sr-only focus:fixed focus:left-2 focus:top-2 focus:z-50 focus:rounded focus:bg-panel focus:p-2">{t('skip')}</a>
      <Bar />
      <div><Line /><PhoneLine /><Held /><Offers /></div>
      <div className="flex min-h-0 flex-col-reverse mid:flex-row">
        <Nav />
        <main id="main" tabIndex={-1} className="min-h-0 min-w-0 grow outline-none">
          <Suspense fallback={null}>{ready && <Screen parts={parts} />}</Suspense>
        </main>
      </div>
      <Shared />
      <Notices />
    </div>
  );
}

/** What listens on every screen. */
function Shared() {
  useGoActions();
  useMentions();
  return <><Palette /><KeysHelp /><PhoneDialog /><DialDialog /></>;
}

/** A colleague has named me in a note on a ticket. */
function useMentions(): void {
  useFacts((f) => {
    const me = liveNow().me?.agent;
    const entry = f.entry as { change?: string; text?: string; by?: unknown } | undefined;
    if (f.fact !== 'ticket' || entry?.change !== 'noted' || !me || !mentioned(entry.text ?? '').includes(me)) return;
    const by = typeof entry.by === 'object' && entry.by !== null && 'agent' in entry.by ? String(entry.by.agent) : '';
    if (by === me) return;
    const id = String(f.ticket);
    void take(api.GET('/api/v1/tickets/{id}', { params: { path: { id } } })).then((told) => {
      const { ticket } = told as unknown as TicketDetail;
      const text = t('notify.mention', { who: agentName(liveNow(), by) || by, number: ticket.number });
      notice(text);
      desktop(text, `ringdesk.mention.${id}`, () => go(`/tickets/${id}`));
    }).catch(() => {});
  });
}

function Screen({ parts }: { parts: string[] }) {
  const mayWatch = useLive(supervises);
  const admin = useLive((l) => l.me?.role === 'admin');
  switch (parts[0]) {
    case 'w': return <Workspace selected={parts[1] ?? null} />;
    case 'wall': return mayWatch ? <Wall /> : <Nowhere />;
    case 'tickets': return <Tickets selected={parts[1] ?? null} />;
    case 'customers': return <Customers selected={parts[1] ?? null} />;
    case 'calls': return <Calls selected={parts[1] ?? null} />;
    case 'reports': return mayWatch ? <Reports /> : <Nowhere />;
    case 'admin': return admin ? <Admin part={parts[1] ?? 'users'} /> : <Nowhere />;
    case 'me': return <Personal />;
    case undefined: case 'login': return null;
    default: return <Nowhere />;
  }
}

const Nowhere = () => <p className="p-8 text-center text-soft">{t('nowhere')}</p>;

/** How long until the next try, and a button for whoever knows better. */
function Retry() {
  const ref = useRef<HTMLSpanElement>(null);
  useEffect(() => onBeat(() => {
    const left = Math.max(0, Math.ceil((liveNow().retryAt - Date.now()) / 1000));
    if (ref.current) ref.current.textContent = t('line.retry', { s: left });
  }), []);
  return <><span ref={ref} className="num" aria-live="off" /><button type="button" className="btn btn-small" onClick={retryNow}>{t('line.retry.now')}</button></>;
}

/** The connection, when it is not there. */
function Line() {
  const up = useLive((l) => l.up);
  const ready = useLive((l) => l.ready);
  const stale = useLive((l) => l.stale);
  return (
    <div role="status">
      {!up && ready && <p className="flex items-center justify-center gap-2 bg-bad-fill px-4 py-1.5 font-medium text-bad"><span aria-hidden="true">⚠</span>{t('line.lost')} <Retry /></p>}
      {up && stale && (
        <p className="flex items-center justify-center gap-3 bg-warn-fill px-4 py-1.5 text-warn">
          {t('line.stale')}<button type="button" className="btn btn-small" onClick={() => location.reload()}>{t('line.reload')}</button>
        </p>
      )}
    </div>
  );
}

/** A live region of its own, so that a dialog that is open does not hide what went wrong in it. */
function Notices() {
  const notices = useNotices();
  return (
    <div aria-live="polite" className="pointer-events-none fixed bottom-14 left-1/2 z-50 grid w-max max-w-[90vw] -translate-x-1/2 gap-2 mid:bottom-4">
      {notices.map((n) => (
        <div key={n.id} role={n.bad ? 'alert' : 'status'} className={`card pointer-events-auto flex items-center gap-3 px-4 py-2 shadow-lg ${n.bad ? 'border-bad text-bad' : ''}`}>
          <span aria-hidden="true">{n.bad ? '⚠' : '✓'}</span><span>{n.text}</span>
          <button type="button" className="btn btn-plain btn-small" aria-label={t('do.close')} onClick={() => dismiss(n.id)}>✕</button>
        </div>
      ))}
    </div>
  );
}
