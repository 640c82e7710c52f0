// The parts the forms of the configuration are made of: fields, the frame that loads the draft, and the bar that puts it in force.

import { useState, type ReactNode } from 'react';
import { notice } from '../lib/act';
import { t } from '../lib/i18n';
import { Button, Dialog, Label, Trouble } from '../ui/parts';
import { Diff } from './Diff';
import { put, undo, useDraft, type ByLang, type Tenant } from './draft';

/** What may name a thing: the same on every form. */
export const SLUG = '[a-z0-9_.\\-]+';
/** Whether nothing is said any more: what is empty is not written. */
export const bare = (o: object): boolean => Object.keys(o).length === 0;

export function Text({ text, hint, value, onChange, mono, ...rest }: { text: string; hint?: string; value: string; onChange: (next: string) => void; mono?: boolean; required?: boolean; pattern?: string; placeholder?: string; type?: string; list?: string }) {
  return <Label text={text} {...(hint ? { hint } : {})}><input className={`field ${mono ? 'font-mono' : ''}`} value={value} onChange={(e) => onChange(e.target.value)} autoComplete="off" spellCheck={false} {...rest} /></Label>;
}

/** A number with its unit in the label; empty is allowed where there need not be one. */
export function Num({ text, hint, value, onChange, min = 0, max }: { text: string; hint?: string; value: number | undefined; onChange: (next: number | undefined) => void; min?: number; max?: number }) {
  return <Label text={text} {...(hint ? { hint } : {})}><input className="field num" type="number" inputMode="numeric" min={min} {...(max === undefined ? {} : { max })} value={value ?? ''} onChange={(e) => onChange(e.target.value === '' ? undefined : Number(e.target.value))} /></Label>;
}

export function Pick({ text, hint, value, options, onChange, none }: { text: string; hint?: string; value: string; options: readonly (readonly [string, string])[]; onChange: (next: string) => void; none?: string }) {
  return (
    <Label text={text} {...(hint ? { hint } : {})}>
      <select className="field" value={value} onChange={(e) => onChange(e.target.value)}>
        {none !== undefined && <option value="">{none}</option>}
        {options.map(([id, label]) => <option key={id} value={id}>{label}</option>)}
      </select>
    </Label>
  );
}

export function Tick({ text, value, onChange }: { text: string; value: boolean; onChange: (next: boolean) => void }) {
  return <label className="flex min-h-8 items-center gap-2"><input type="checkbox" className="size-5" checked={value} onChange={(e) => onChange(e.target.checked)} />{text}</label>;
}

export function Several({ text, value, options, onChange }: { text: string; value: string[]; options: readonly (readonly [string, string])[]; onChange: (next: string[]) => void }) {
  return (
    <fieldset className="label"><legend className="mb-1">{text}</legend>
      <div className="flex flex-wrap gap-x-4">{options.map(([id, label]) => <Tick key={id} text={label} value={value.includes(id)} onChange={(on) => onChange(on ? [...value, id] : value.filter((v) => v !== id))} />)}</div>
    </fieldset>
  );
}

/** The same words in both languages. */
export function Words({ text, value, onChange }: { text: string; value: ByLang | undefined; onChange: (next: ByLang) => void }) {
  const put = (lang: 'en' | 'zh', v: string): void => { const next = { ...value }; if (v) next[lang] = v; else delete next[lang]; onChange(next); };
  return (
    <>
      <Text text={`${text} · English`} value={value?.en ?? ''} onChange={(v) => put('en', v)} />
      <Text text={`${text} · 中文`} value={value?.zh ?? ''} onChange={(v) => put('zh', v)} />
    </>
  );
}

/** A name for a new thing, asked once: afterwards it is what everything else calls it. */
export function NewThing({ open, title, onClose, taken, onMake, unnamed }: { open: boolean; title: string; onClose: () => void; taken: (id: string) => boolean; onMake: (id: string, name: string) => void; unnamed?: boolean | undefined }) {
  const [bad, setBad] = useState(false);
  return (
    <Dialog open={open} onClose={onClose} title={title}>
      <form className="grid gap-3" onSubmit={(e) => {
        e.preventDefault();
        const data = new FormData(e.currentTarget);
        const id = String(data.get('id')).trim();
        if (taken(id)) { setBad(true); return; }
        setBad(false);
        onMake(id, unnamed ? '' : String(data.get('name')).trim());
      }}>
        <Label text={t('form.id')} hint={t('users.hint')}><input className="field" name="id" required maxLength={64} pattern={SLUG} autoFocus autoCapitalize="none" autoComplete="off" spellCheck={false} /></Label>
        {bad && <p role="alert" className="text-bad">{t('form.taken')}</p>}
        {!unnamed && <Label text={t('form.name')} hint={t('form.name.hint')}><input className="field" name="name" maxLength={100} autoComplete="off" /></Label>}
        <Button look="main" type="submit">{t('form.add')}</Button>
      </form>
    </Dialog>
  );
}

/** Loads the draft, shows what is wrong with it, and keeps the way to put it in force in sight. */
export function Form({ hint, children }: { hint: string; children: (tenant: Tenant) => ReactNode }) {
  const { mine, kept, problem, touched, merged } = useDraft();
  const [diff, setDiff] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const ask = async (dry: boolean): Promise<string | null> => { setBusy(true); try { return await put(dry); } finally { setBusy(false); } };
  if (!mine) return problem ? <Trouble problem={problem} /> : null;
  return (
    <div className="grid gap-3 pb-2">
      <p className="text-soft">{hint}</p>
      {merged && <p role="alert" className="rounded-lg bg-warn-fill px-4 py-2 text-warn"><span aria-hidden="true">⚠ </span>{t('form.merged')}</p>}
      {problem && (
        <div role="alert" className="rounded-lg bg-bad-fill px-4 py-2 text-bad">
          <p className="font-semibold">{t('config.wrong')}</p>
          <ul className="list-disc pl-5">{(problem.problems?.length ? problem.problems : [problem.detail]).map((p) => <li key={p}>{p}</li>)}</ul>
        </div>
      )}
      {children(mine)}
      {touched && kept && (
        <div className="card sticky bottom-2 z-10 flex flex-wrap items-center gap-2 px-4 py-2 shadow-lg" role="region" aria-label={t('form.pending')}>
          <span className="font-medium"><span aria-hidden="true">✎ </span>{t('form.pending')}</span>
          <span className="grow" />
          <Button onClick={undo}>{t('config.undo')}</Button>
          <Button look="main" disabled={busy} onClick={async () => setDiff(await ask(true))}>{t('config.check')}</Button>
        </div>
      )}
      <Dialog wide open={diff !== null} onClose={() => setDiff(null)} title={t('config.diff')}>
        {diff === '' ? <p>{t('config.same')}</p> : <Diff text={diff ?? ''} />}
        <div className="mt-4 flex justify-end gap-2">
          <Button onClick={() => setDiff(null)}>{t('do.cancel')}</Button>
          <Button look="main" disabled={!diff || busy} onClick={async () => { if (await ask(false) !== null) notice(t('config.done')); setDiff(null); }}>{t('config.apply')}</Button>
        </div>
      </Dialog>
    </div>
  );
}

/** Things of one kind by id, with a button for a new one and a sheet for the one being looked at. `unnamed`: the id is all they are called by. */
export function Things<T>({ things, columns, label, make, onMake, sheet, onRemove, none, unnamed }: {
  things: Record<string, T>; columns: readonly (readonly [string, (thing: T, id: string) => ReactNode])[]; label: string; make: string;
  onMake: (id: string, name: string) => void; sheet: (thing: T, id: string) => ReactNode; onRemove: (id: string) => void; none: string; unnamed?: boolean;
}) {
  const [making, setMaking] = useState(false);
  const [open, setOpen] = useState<string | null>(null);
  const shown = open === null ? undefined : things[open];
  return (
    <section>
      <div className="mb-2 flex items-center gap-3"><h2 className="text-[1.05rem] font-semibold">{label}</h2><span className="grow" /><Button look="main" small onClick={() => setMaking(true)}>{make}</Button></div>
      <div className="card overflow-x-auto">
        <table className="table">
          <caption className="sr-only">{label}</caption>
          <thead><tr><th scope="col">{t('form.name')}</th>{columns.map(([head]) => <th key={head} scope="col">{head}</th>)}</tr></thead>
          <tbody>{Object.entries(things).map(([id, thing]) => (
            <tr key={id}>
              <td><button type="button" className="link text-left font-medium" onClick={() => setOpen(id)}>{(thing as { name?: string }).name || id}</button>{(thing as { name?: string }).name && <span className="ml-2 text-soft">{id}</span>}</td>
              {columns.map(([head, cell]) => <td key={head}>{cell(thing, id)}</td>)}
            </tr>
          ))}</tbody>
        </table>
        {Object.keys(things).length === 0 && <p className="px-4 py-6 text-center text-soft">{none}</p>}
      </div>
      <NewThing unnamed={unnamed} open={making} onClose={() => setMaking(false)} title={make} taken={(id) => id in things} onMake={(id, name) => { onMake(id, name); setMaking(false); setOpen(id); }} />
      <Dialog wide open={shown !== undefined} onClose={() => setOpen(null)} title={open ?? ''}>
        {shown !== undefined && open !== null && (
          <div className="grid gap-4">
            {sheet(shown, open)}
            <div className="sticky -bottom-4 -mx-4 -mb-4 flex justify-between gap-2 border-t border-line bg-panel px-4 py-3"><Button look="bad" onClick={() => { onRemove(open); setOpen(null); }}>{t('do.remove')}</Button><Button look="main" onClick={() => setOpen(null)}>{t('form.keep')}</Button></div>
          </div>
        )}
      </Dialog>
    </section>
  );
}

export const pairs = (of: Record<string, { name?: string }>): [string, string][] => Object.entries(of).map(([id, v]) => [id, v.name || id]);
