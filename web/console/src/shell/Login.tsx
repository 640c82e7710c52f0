// The door. Says plainly what is missing on this computer before a call finds out.

import { useEffect, useRef, useState } from 'react';
import { api, take, type Problem } from '../api/client';
import { problemText } from '../lib/act';
import { t, useLanguage } from '../lib/i18n';
import { Code } from '../me/Factor';
import { Button, Label } from '../ui/parts';
import { enter, useLive } from '../live/live';
import { LookSwitches } from './Bar';

export function Login() {
  const ended = useLive((l) => l.ended);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [busy, setBusy] = useState(false);
  const [several, setSeveral] = useState(false);
  // The password was right, and a code is asked for as well.
  const [second, setSecond] = useState(false);
  const first = useRef<HTMLInputElement>(null);
  const speech = useLanguage();
  useEffect(() => { document.title = `${t('login.title')} · ringdesk`; }, [speech]);
  useEffect(() => { first.current?.focus(); }, []);
  const submit = async (form: HTMLFormElement): Promise<void> => {
    const data = new FormData(form);
    const text = (name: string): string => String(data.get(name) ?? '').trim();
    setBusy(true);
    setProblem(null);
    try {
      const [tenant, code] = [text('tenant'), text('code')];
      await enter(await take(api.POST('/api/v1/auth/login', { body: { login: text('login'), password: String(data.get('password') ?? ''), ...(tenant ? { tenant } : {}), ...(code ? { code } : {}) } })));
    } catch (error) {
      const asked = (error as Problem).code === 'second_factor';
      if (asked) setSecond(true);
      setProblem(asked ? null : error as Problem);
      setBusy(false);
      // A code that was not right is typed anew.
      const field = form.elements.namedItem('code');
      if ((error as Problem).code === 'bad_code' && field instanceof HTMLInputElement) { field.value = ''; field.focus(); }
    }
  };
  const said = problem?.code === 'locked' ? t('login.locked', { minutes: Math.ceil((problem.retry_after_s ?? 900) / 60) }) : problem && problemText(problem);
  return (
    <main className="grid min-h-full place-items-center p-4">
      <div className="card w-[min(24rem,100%)] p-6 shadow-sm">
        <div className="mb-5 flex items-center gap-3">
          <img src="/assets/icon.svg" alt="" className="size-8" />
          <span className="text-[1.15rem] font-semibold">ringdesk</span>
          <span className="grow" />
          <LookSwitches />
        </div>
        <h1 className="mb-4 text-[1.4rem] font-semibold">{t('login.title')}</h1>
        {ended && !problem && <p role="status" className="mb-3 rounded-lg bg-warn-fill px-3 py-2 text-warn">{t('login.ended')}</p>}
        {said && <p role="alert" className="mb-3 rounded-lg bg-bad-fill px-3 py-2 text-bad">{said}</p>}
        <form className="grid gap-4" onSubmit={(event) => { event.preventDefault(); void submit(event.currentTarget); }}>
          <Label text={t('login.user')}><input ref={first} className="field" name="login" autoComplete="username" autoCapitalize="none" spellCheck={false} required maxLength={64} /></Label>
          <Label text={t('login.password')}><input className="field" name="password" type="password" autoComplete="current-password" required maxLength={256} /></Label>
          {second && <Code autoFocus />}
          {several
            ? <Label text={t('login.tenant')}><input className="field" name="tenant" autoCapitalize="none" spellCheck={false} maxLength={64} /></Label>
            : <button type="button" className="link justify-self-start" onClick={() => setSeveral(true)}>{t('login.several')}</button>}
          <Button look="main" type="submit" disabled={busy} className="min-h-11">{t('login.go')}</Button>
        </form>
        {!window.isSecureContext && <p className="mt-4 flex gap-2 text-[0.95em] text-warn"><span aria-hidden="true">⚠</span>{t('login.insecure')}</p>}
      </div>
    </main>
  );
}
