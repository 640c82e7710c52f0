// Merging: several tickets of one matter become one. Nothing is lost: both histories stay, and the old number leads to the new one.

import { useState } from 'react';
import { api, take, type Problem } from '../api/client';
import type { TicketRow } from '../api/shapes';
import { act, notice, problemText } from '../lib/act';
import { t } from '../lib/i18n';
import { go } from '../lib/router';
import { Button, Dialog, Label } from '../ui/parts';

/** One ticket into another, which is named by its number. */
export function MergeInto({ id, open, onClose }: { id: string; open: boolean; onClose: () => void }) {
  const merge = async (form: HTMLFormElement): Promise<void> => {
    const into = String(new FormData(form).get('into')).trim();
    const asked = api.POST('/api/v1/tickets/{id}/changes', { params: { path: { id } }, body: { change: 'merged_into', into } });
    let target: string | undefined;
    if (await act(asked.then((r) => { target = (r.data as { ticket?: string } | undefined)?.ticket; return r; }))) {
      onClose();
      if (target) go(`/tickets/${target}?from=${id}`);
    }
  };
  return (
    <Dialog open={open} onClose={onClose} title={t('ticket.merge')}>
      <form className="grid gap-3" onSubmit={(e) => { e.preventDefault(); void merge(e.currentTarget); }}>
        <p className="text-soft">{t('tickets.merge.hint')}</p>
        <Label text={t('ticket.merge.number')}><input className="field" name="into" inputMode="numeric" pattern="#?[0-9]+" required autoFocus maxLength={20} /></Label>
        <Button look="main" type="submit">{t('ticket.merge.do')}</Button>
      </form>
    </Dialog>
  );
}

/** Several of a list into one of them. */
export function MergeMany({ rows, open, onClose, onDone }: { rows: TicketRow[]; open: boolean; onClose: () => void; onDone: () => void }) {
  const oldest = rows.toSorted((a, b) => a.number - b.number);
  const [chosen, setChosen] = useState('');
  const into = rows.some((r) => r.id === chosen) ? chosen : oldest[0]?.id ?? '';
  const merge = async (): Promise<void> => {
    const tickets = oldest.map((r) => r.id).filter((id) => id !== into);
    try {
      const done = await take(api.POST('/api/v1/tickets/changes', { body: { tickets, change: { change: 'merged_into', into } } }));
      const failed = done.refused.length;
      notice(failed ? t('tickets.bulk.some', { n: done.changed.length, failed }) : t('tickets.merged', { n: done.changed.length }), failed > 0);
      onDone();
    } catch (problem) { notice(problemText(problem as Problem), true); }
    onClose();
  };
  return (
    <Dialog open={open} onClose={onClose} title={t('tickets.merge.into', { n: rows.length })}>
      <form className="grid gap-3" onSubmit={(e) => { e.preventDefault(); void merge(); }}>
        <p className="text-soft">{t('tickets.merge.hint')}</p>
        <fieldset className="grid gap-1">
          <legend className="sr-only">{t('tickets.merge.into', { n: rows.length })}</legend>
          {oldest.map((r) => (
            <label key={r.id} className="flex min-h-9 items-center gap-3 rounded-lg border border-line px-3 has-checked:border-accent has-checked:bg-mine">
              <input type="radio" name="into" className="size-5" checked={into === r.id} onChange={() => setChosen(r.id)} /><span className="num text-soft">#{r.number}</span><span className="truncate">{r.title}</span>
            </label>
          ))}
        </fieldset>
        <Button look="main" type="submit">{t('ticket.merge.do')}</Button>
      </form>
    </Dialog>
  );
}
