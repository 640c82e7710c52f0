// Named lists: one's own, and those a supervisor shares with the house. A list is nothing but the filters of the address.

import { useState } from 'react';
import { api, take, type Problem } from '../api/client';
import type { SavedView, ViewKind } from '../api/shapes';
import { act, notice, problemText } from '../lib/act';
import '../words/lists';
import { t } from '../lib/i18n';
import { useLoad } from '../lib/load';
import { A, go } from '../lib/router';
import { supervises, useLive } from '../live/live';
import { Button, Dialog, Label } from '../ui/parts';
import { Sure } from '../ui/Sure';

/** `path` is the list without filters; `here` the named list that is shown, `query` what is asked for now. */
export function Views({ kind, path, here, query }: { kind: ViewKind; path: string; here: string | null; query: Record<string, string> }) {
  const kept = useLoad(`views ${kind}`, async () => (await take(api.GET('/api/v1/views', { params: { query: { kind } } }))).views);
  const addressOf = (view: SavedView): string => {
    const to = new URL(path, location.origin);
    to.searchParams.set('list', view.id);
    for (const [key, value] of Object.entries(view.query)) if (value) to.searchParams.set(key, value);
    return to.pathname + to.search;
  };
  const me = useLive((l) => l.me?.login);
  const may = useLive(supervises);
  const [naming, setNaming] = useState(false);
  const save = async (form: HTMLFormElement): Promise<void> => {
    const data = new FormData(form);
    try {
      const made = await take(api.POST('/api/v1/views', { body: { kind, name: String(data.get('name')).trim(), shared: data.get('shared') === 'on', query } }));
      notice(t('views.saved'));
      setNaming(false);
      kept.reload();
      go(addressOf(made));
    } catch (problem) { notice(problemText(problem as Problem), true); }
  };
  const remove = async (view: SavedView): Promise<void> => {
    if (await act(api.DELETE('/api/v1/views/{id}', { params: { path: { id: view.id } } }), t('views.gone'))) { kept.reload(); if (here === view.id) go(path.split('?')[0] ?? path); }
  };
  const views = kept.data ?? [];
  return (
    <div className="mb-3 flex flex-wrap items-center gap-2">
      {views.length > 0 && (
        <ul className="flex flex-wrap gap-1.5" aria-label={t('views.title')}>
          {views.map((v) => (
            <li key={v.id} className={`chip gap-1 ${v.id === here ? 'border-accent bg-mine' : ''}`}>
              <A href={addressOf(v)} aria-current={v.id === here ? 'true' : undefined} className="min-h-6 leading-6">{v.shared && <span aria-hidden="true">⚑ </span>}{v.name}{v.shared && <span className="sr-only"> ({t('views.shared')})</span>}</A>
              {(v.owner === me || (v.shared && may)) && <Sure small look="plain" className="min-h-6 min-w-6 text-soft" aria-label={t('views.remove', { name: v.name })} title={t('views.remove', { name: v.name })} what={t('views.remove.sure')} onSure={() => void remove(v)}>✕</Sure>}
            </li>
          ))}
        </ul>
      )}
      {me && <Button small onClick={() => setNaming(true)}>{t('views.save')}</Button>}
      <Dialog open={naming} onClose={() => setNaming(false)} title={t('views.save')}>
        <form className="grid gap-3" onSubmit={(e) => { e.preventDefault(); void save(e.currentTarget); }}>
          <Label text={t('views.name')}><input className="field" name="name" required maxLength={60} autoFocus /></Label>
          {may && <label className="flex min-h-8 items-center gap-3"><input type="checkbox" className="size-5" name="shared" />{t('views.shared')}</label>}
          <Button look="main" type="submit">{t('do.save')}</Button>
        </form>
      </Dialog>
    </div>
  );
}
