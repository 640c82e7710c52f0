// What an administrator decides about what is kept of somebody: a hold, so that nothing goes, and erasure, so that all of it does.

import { useState } from 'react';
import { api, take } from '../api/client';
import { act } from '../lib/act';
import { t, type Key } from '../lib/i18n';
import { useLoad } from '../lib/load';
import { dateTime } from '../lib/time';
import { useLive } from '../live/live';
import { Button, Dialog, Label, Trouble } from './parts';

const useAdmin = (): boolean => useLive((l) => l.me?.role === 'admin');

/** Asks once more before a hold is lifted: what it kept may be deleted the same night. */
export function Lift({ of, onClose, onDone }: { of: { kind: string; id: string } | null; onClose: () => void; onDone: () => void }) {
  return (
    <Dialog open={of !== null} onClose={onClose} title={t('hold.lift.sure')}>
      <p>{t('hold.lift.text')}</p>
      <div className="mt-4 flex justify-end gap-2">
        <Button onClick={onClose}>{t('do.cancel')}</Button>
        <Button look="bad" onClick={async () => { if (of && await act(api.DELETE('/api/v1/holds/{kind}/{id}', { params: { path: of } }), t('hold.lifted'))) onDone(); onClose(); }}>{t('hold.lift')}</Button>
      </div>
    </Dialog>
  );
}

/** Says that a thing is held and why, and puts or lifts the hold. */
export function Hold({ kind, id }: { kind: 'customer' | 'interaction' | 'ticket'; id: string }) {
  const admin = useAdmin();
  const holds = useLoad(admin ? 'holds' : null, () => take(api.GET('/api/v1/holds')));
  const [open, setOpen] = useState(false);
  const [lifting, setLifting] = useState(false);
  const path = { params: { path: { kind, id } } };
  if (!admin || !holds.data) return null;
  const on = holds.data.holds.find((h) => h.kind === kind && h.id === id);
  const done = (well: boolean): void => { if (well) { holds.reload(); setOpen(false); } };
  return (
    <>
      {on && <span className="rounded-lg bg-warn-fill px-2 py-1 text-warn"><span aria-hidden="true">⚖ </span>{t('hold.on', { why: on.reason })}</span>}
      {on ? <Button small onClick={() => setLifting(true)}>{t('hold.lift')}</Button> : <Button small onClick={() => setOpen(true)}>{t('hold.put')}</Button>}
      <Lift of={lifting ? { kind, id } : null} onClose={() => setLifting(false)} onDone={holds.reload} />
      <Dialog open={open} onClose={() => setOpen(false)} title={t('hold.put.title')}>
        <form className="grid gap-3" onSubmit={async (e) => {
          e.preventDefault();
          const reason = String(new FormData(e.currentTarget).get('reason')).trim();
          done(await act(api.PUT('/api/v1/holds/{kind}/{id}', { ...path, body: { reason } }), t('hold.done')));
        }}>
          <Label text={t('hold.why')}><input className="field" name="reason" required maxLength={200} autoFocus autoComplete="off" /></Label>
          <Button look="main" type="submit">{t('hold.put')}</Button>
        </form>
      </Dialog>
    </>
  );
}

const GOES = ['recordings', 'messages', 'files'] as const;
const STAYS = ['contacts', 'tickets'] as const;

/** Erases a customer, after saying what goes. */
export function Erase({ id, erased, onDone }: { id: string; erased: boolean; onDone: () => void }) {
  const admin = useAdmin();
  const [open, setOpen] = useState(false);
  const [busy, setBusy] = useState(false);
  const there = useLoad(open ? `erasure ${id}` : null, () => take(api.GET('/api/v1/customers/{id}/erasure', { params: { path: { id } } })));
  if (!admin || erased) return null;
  const what = there.data;
  return (
    <>
      <Button small look="bad" onClick={() => setOpen(true)}>{t('erase.do')}</Button>
      <Dialog open={open} onClose={() => setOpen(false)} title={t('erase.title')}>
        {there.problem && <Trouble problem={there.problem} again={there.reload} />}
        {what && (
          <>
            <p className="mb-2">{t('erase.goes')}</p>
            <ul className="list-disc pl-5"><li>{t('erase.known')}</li>{GOES.map((k) => <li key={k}>{t(`erase.${k}` as Key)}: <b className="num">{what[k]}</b></li>)}</ul>
            <p className="mb-2 mt-3">{t('erase.stays')}</p>
            <ul className="list-disc pl-5">{STAYS.map((k) => <li key={k}>{t(`erase.${k}` as Key)}: <b className="num">{what[k]}</b></li>)}</ul>
            {what.held.length > 0 && <div role="alert" className="mt-3 rounded-lg bg-warn-fill px-3 py-2 text-warn"><p className="font-semibold">{t('erase.held')}</p><ul className="list-disc pl-5">{what.held.map((h) => <li key={`${h.kind} ${h.id}`}>{t(`hold.${h.kind}` as Key)}: {h.reason} ({h.who}, {dateTime(h.at)})</li>)}</ul></div>}
            <p className="mt-3 font-semibold">{t('erase.final')}</p>
          </>
        )}
        <div className="mt-4 flex justify-end gap-2">
          <Button onClick={() => setOpen(false)}>{t('do.cancel')}</Button>
          <Button look="bad" disabled={busy || !what || what.held.length > 0} onClick={async () => {
            setBusy(true);
            const well = await act(api.POST('/api/v1/customers/{id}/erasure', { params: { path: { id } } }), t('erase.done'));
            setBusy(false);
            if (well) { setOpen(false); onDone(); }
          }}>{t('erase.sure')}</Button>
        </div>
      </Dialog>
    </>
  );
}
