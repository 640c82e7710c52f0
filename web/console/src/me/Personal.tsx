// What one person wishes: language, theme, sounds, keys, password.

import { useState } from 'react';
import { api, setSession, take, type Problem } from '../api/client';
import { notice, problemText } from '../lib/act';
import { DEFAULT_KEYS, giveKey, keyOf, switchKeys, useKeysOn } from '../lib/actions';
import { language, speak, t, type Key } from '../lib/i18n';
import { applyTheme, keep, remember } from '../lib/prefs';
import { Button, Label, Page, Tabs } from '../ui/parts';
import { useLive } from '../live/live';
import { PhoneSettings } from '../phone/Check';
import { ring, soundOn } from '../shell/ring';
import { Factor } from './Factor';
import { Sessions } from './Sessions';

const THEMES: readonly (readonly [string, Key])[] = [['auto', 'theme.auto'], ['light', 'theme.light'], ['dark', 'theme.dark']];

export default function Personal() {
  const [theme, setTheme] = useState(remember('theme') ?? 'auto');
  const [sound, setSound] = useState(soundOn());
  const agent = useLive((l) => l.me?.agent);
  return (
    <Page title={t('nav.me')}>
      <div className="grid max-w-5xl grid-cols-[minmax(0,1fr)] gap-4 mid:grid-cols-2">
        <section className="card grid content-start gap-4 p-4">
          <h2 className="text-[1.1rem] font-semibold">{t('me.look')}</h2>
          <Label text={t('me.language')}>
            <select className="field" value={language()} onChange={(e) => speak(e.target.value as 'en')}><option value="en" lang="en">English</option><option value="zh-CN" lang="zh-CN">简体中文</option></select>
          </Label>
          <div className="label"><span>{t('me.theme')}</span><div><Tabs label={t('me.theme')} value={theme} tabs={THEMES} onChange={(next) => { keep('theme', next); applyTheme(); setTheme(next); }} /></div></div>
          <label className="flex min-h-8 items-center gap-3"><input type="checkbox" className="size-5" checked={sound} onChange={(e) => { keep('sound', e.target.checked ? 'on' : 'off'); setSound(e.target.checked); }} />{t('me.sound')}</label>
          <div className="flex flex-wrap gap-2">
            <Button small disabled={!sound} onClick={() => { const stop = ring(1); setTimeout(stop, 800); }}>{t('me.sound.try')}</Button>
            {'Notification' in window && Notification.permission === 'default' && <Button small onClick={() => void Notification.requestPermission()}>{t('me.notify')}</Button>}
          </div>
        </section>
        {agent && <PhoneSettings />}
        <Password />
        <Factor />
        <Sessions />
        <Keys />
      </div>
    </Page>
  );
}

function Password() {
  const [busy, setBusy] = useState(false);
  return (
    <section className="card p-4">
      <h2 className="mb-3 text-[1.1rem] font-semibold">{t('me.password')}</h2>
      <form className="grid gap-3" onSubmit={async (e) => {
        e.preventDefault();
        const form = e.currentTarget;
        const data = new FormData(form);
        setBusy(true);
        try {
          setSession(await take(api.POST('/api/v1/auth/password', { body: { old: String(data.get('old')), new: String(data.get('new')) } })));
          form.reset();
          notice(t('me.password.done'));
        } catch (problem) { notice(problemText(problem as Problem), true); }
        setBusy(false);
      }}>
        <Label text={t('me.password.old')}><input className="field" type="password" name="old" autoComplete="current-password" required maxLength={256} /></Label>
        <Label text={t('me.password.new')} hint={t('me.password.hint')}><input className="field" type="password" name="new" autoComplete="new-password" required minLength={10} maxLength={256} /></Label>
        <Button look="main" type="submit" disabled={busy}>{t('me.password.change')}</Button>
      </form>
    </section>
  );
}

function Keys() {
  const on = useKeysOn();
  const [said, setSaid] = useState('');
  const [, redraw] = useState(0);
  const give = (id: string, key: string): void => {
    const other = giveKey(id, key);
    const label = DEFAULT_KEYS.find(([known]) => known === other)?.[1];
    setSaid(label ? t('keys.taken', { key: key.toUpperCase(), by: t(label) }) : '');
    redraw((n) => n + 1);
  };
  return (
    <section className="card p-4 mid:col-span-2">
      <h2 className="mb-3 text-[1.1rem] font-semibold">{t('keys.title')}</h2>
      <label className="mb-3 flex min-h-8 items-center gap-3"><input type="checkbox" className="size-5" checked={on} onChange={(e) => switchKeys(e.target.checked)} />{t('keys.switch')}</label>
      {said && <p role="alert" className="mb-2 text-bad">{said}</p>}
      <ul className="grid gap-x-8 gap-y-1.5 mid:grid-cols-2">
        {DEFAULT_KEYS.map(([id, label, first]) => (
          <li key={id} className="flex items-center gap-3">
            <span className="grow">{t(label)}</span>
            <input className="field w-14 text-center uppercase" disabled={!on} value={keyOf(id) ?? ''} aria-label={t('keys.key.of', { what: t(label) })} readOnly
              onKeyDown={(e) => {
                if (e.key === 'Tab') return;
                if (e.key === 'Backspace' || e.key === 'Delete') { e.preventDefault(); give(id, ''); }
                else if (e.key.length === 1 && e.key !== ' ' && !e.ctrlKey && !e.metaKey && !e.altKey) { e.preventDefault(); give(id, e.key.toLowerCase()); }
              }} />
            <Button small look="plain" disabled={!on || keyOf(id) === first} onClick={() => give(id, first)}>{t('keys.reset')}</Button>
          </li>
        ))}
      </ul>
    </section>
  );
}
