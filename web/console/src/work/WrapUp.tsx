// The outcome: can be given during the talk, so that nothing is left to do after it. Number keys pick a code.

import { useEffect, useRef, useState } from 'react';
import { api } from '../api/client';
import { act } from '../lib/act';
import { keyOf, useActions } from '../lib/actions';
import { t } from '../lib/i18n';
import { useLive } from '../live/live';
import { Button, Until } from '../ui/parts';
import type { Contact } from './contact';

const notes = new Map<string, string>();
const path = (id: string) => ({ params: { path: { id } } });

export function WrapUp({ contact: c }: { contact: Contact }) {
  const codes = useLive((l) => l.codes.dispositions);
  const up = useLive((l) => l.up);
  const [note, setNote] = useState(notes.get(c.id) ?? '');
  const field = useRef<HTMLTextAreaElement>(null);
  const active = c.work && c.work.work !== 'alerting';
  const after = c.work?.work === 'wrap_up';
  const offered = codes.filter((d) => !d.queues?.length || !c.queue || d.queues.includes(c.queue));
  const chosen = c.disposed?.code ?? null;
  useEffect(() => { notes.set(c.id, note); }, [c.id, note]);
  const give = (code: string): Promise<boolean> => act(api.POST('/api/v1/interactions/{id}/dispose', { ...path(c.id), body: { code, note: note.trim() } }));
  const extend = (): void => void act(api.POST('/api/v1/interactions/{id}/extend-wrap-up', { ...path(c.id), body: { by_s: 60 } }));
  const done = async (): Promise<void> => {
    // A note written after the code was picked belongs to it.
    if (chosen && note.trim() !== (c.disposed?.note ?? '') && !(await give(chosen))) return;
    await act(api.POST('/api/v1/interactions/{id}/wrap-up-done', { ...path(c.id), body: {} }));
  };
  useActions([
    ...(active ? offered.slice(0, 9).map((d, i) => ({ id: `wrap.${d.id}`, label: 'wrap.give' as const, detail: d.name, key: String(i + 1), group: 'call' as const, run: () => void give(d.id) })) : []),
    after && { id: 'wrap.extend', label: 'wrap.extend', group: 'call', run: extend },
    after && { id: 'wrap.done', label: 'wrap.done', group: 'call', run: () => void done() },
  ]);
  if (!active) return null;
  return (
    <section aria-label={t('wrap.title')} className={`border-t px-4 py-2.5 ${after ? 'border-t-2 border-wrap bg-panel' : 'border-line bg-panel'}`}>
      <div className="flex flex-wrap items-center gap-2">
        <h2 className="h">{t(after ? 'wrap.title' : 'wrap.outcome')}</h2>
        <div role="group" aria-label={t('wrap.outcome')} className="flex flex-wrap gap-1.5">
          {offered.map((d, i) => (
            <Button key={d.id} small disabled={!up} aria-pressed={chosen === d.id} onClick={() => void give(d.id)}>
              {chosen === d.id && <span aria-hidden="true">✓</span>}{d.name}{i < 9 && <kbd className="kbd" aria-hidden="true">{i + 1}</kbd>}
            </Button>
          ))}
        </div>
        {after && (
          <div className="ml-auto flex flex-wrap items-center justify-end gap-2">
            {c.work?.until && <><span className="text-soft">{t('wrap.left')} <Until at={c.work.until} soon_s={10} /></span><Button small disabled={!up} hotkey={keyOf('wrap.extend')} onClick={extend}>{t('wrap.extend')}</Button></>}
            <Button look="main" disabled={!up} onClick={() => void done()}>{t('wrap.done')}</Button>
          </div>
        )}
      </div>
      <textarea ref={field} rows={1} className={`field mt-2 resize-none [field-sizing:content] ${after || chosen || note ? '' : 'hidden mid:block'}`} value={note} aria-label={t('wrap.note')} placeholder={t('wrap.note')}
        onChange={(e) => setNote(e.target.value)} onKeyDown={(e) => { if (e.key === 'Escape') e.currentTarget.blur(); }}
        onBlur={() => { if (chosen && note.trim() !== (c.disposed?.note ?? '')) void give(chosen); }} />
    </section>
  );
}
