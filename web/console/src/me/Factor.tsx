// The second factor: made by a picture and a code, taken away by a code. Recovery codes are shown once.

import { useState, type FormEvent } from 'react';
import { api, take, type Problem } from '../api/client';
import type { FactorNew } from '../api/shapes';
import { notice, problemText } from '../lib/act';
import { t } from '../lib/i18n';
import { useLoad } from '../lib/load';
import { Button, Label, Trouble } from '../ui/parts';

const say = (problem: unknown): void => notice(problemText(problem as Problem), true);
const field = (e: FormEvent<HTMLFormElement>, name: string): string => { e.preventDefault(); return String(new FormData(e.currentTarget).get(name) ?? ''); };

export function Code({ autoFocus }: { autoFocus?: boolean }) {
  return <Label text={t('factor.code')} hint={t('factor.code.hint')}><input className="field w-48 num" name="code" required maxLength={40} autoComplete="one-time-code" autoCapitalize="none" spellCheck={false} autoFocus={autoFocus} /></Label>;
}

/** Password, picture, code, recovery codes; then `done`. */
export function MakeFactor({ done }: { done: () => void | Promise<void> }) {
  const [made, setMade] = useState<FactorNew | null>(null);
  const [codes, setCodes] = useState<string[] | null>(null);
  if (codes) return (
    <div className="grid gap-3">
      <p className="rounded-lg bg-warn-fill px-3 py-2 text-warn"><span aria-hidden="true">⚠ </span>{t('factor.codes')}</p>
      <ul className="grid grid-cols-2 gap-1" aria-label={t('factor.codes.name')}>{codes.map((c) => <li key={c}><code className="select-all">{c}</code></li>)}</ul>
      <div className="flex gap-2">
        {navigator.clipboard && <Button onClick={() => void navigator.clipboard.writeText(codes.join('\n')).then(() => notice(t('once.copied')))}>{t('do.copy')}</Button>}
        <Button look="main" onClick={() => void done()}>{t('factor.kept')}</Button>
      </div>
    </div>
  );
  if (made) return (
    <form className="grid gap-3" onSubmit={async (e) => {
      const code = field(e, 'code');
      try { setCodes((await take(api.POST('/api/v1/auth/factor/confirm', { body: { code } }))).codes); } catch (problem) { say(problem); }
    }}>
      <p>{t('factor.scan')}</p>
      <img src={`data:image/svg+xml,${encodeURIComponent(made.picture)}`} alt={t('factor.picture')} className="size-56 rounded-lg" />
      <p className="text-soft">{t('factor.type')} <code className="select-all break-all">{made.secret}</code></p>
      <Code autoFocus />
      <Button look="main" type="submit">{t('factor.confirm')}</Button>
    </form>
  );
  return (
    <form className="grid gap-3" onSubmit={async (e) => {
      const password = field(e, 'password');
      try { setMade(await take(api.POST('/api/v1/auth/factor', { body: { password } }))); } catch (problem) { say(problem); }
    }}>
      <Label text={t('me.password.old')}><input className="field" type="password" name="password" autoComplete="current-password" required maxLength={256} /></Label>
      <Button look="main" type="submit">{t('factor.begin')}</Button>
    </form>
  );
}

export function Factor() {
  const state = useLoad('factor', () => take(api.GET('/api/v1/auth/factor')));
  const { on, required, recovery_left } = state.data ?? {};
  return (
    <section className="card p-4">
      <h2 className="mb-3 text-[1.1rem] font-semibold">{t('factor.title')}</h2>
      {state.problem && <Trouble problem={state.problem} again={state.reload} />}
      {state.data && !on && <><p className="mb-3 text-soft">{t('factor.why')}</p><MakeFactor done={state.reload} /></>}
      {on && <>
        <p className="mb-3"><span aria-hidden="true" className="text-good">● </span>{t('factor.on', { n: recovery_left ?? 0 })}</p>
        {required ? <p className="text-soft">{t('factor.required')}</p> : (
          <form className="flex flex-wrap items-end gap-3" onSubmit={async (e) => {
            const code = field(e, 'code');
            try { await take(api.POST('/api/v1/auth/factor/off', { body: { code } })); state.reload(); } catch (problem) { say(problem); }
          }}><Code /><Button look="bad" type="submit">{t('factor.off')}</Button></form>
        )}
      </>}
    </section>
  );
}
