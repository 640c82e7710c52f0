// The top bar: my state, my phone, calling out, and the way to everything (the palette).

import { DropdownMenu as Menu } from 'radix-ui';
import { api } from '../api/client';
import { act } from '../lib/act';
import { useActions } from '../lib/actions';
import { language, speak, t, tCode } from '../lib/i18n';
import { otherTheme } from '../lib/prefs';
import { go } from '../lib/router';
import { leave, myself, useLive } from '../live/live';
import { beginShift, PhoneChip } from '../phone/Chip';
import { DialField } from '../phone/Dial';
import { Button, Since, State } from '../ui/parts';
import { openPalette } from './Palette';

export function LookSwitches() {
  const other = language() === 'en' ? 'zh-CN' : 'en';
  return (
    <>
      <Button look="plain" small lang={other} onClick={() => speak(other)}>{other === 'en' ? 'English' : '中文'}</Button>
      <Button look="plain" small onClick={otherTheme} aria-label={t('theme.switch')} title={t('theme.switch')}>◐</Button>
    </>
  );
}

const isMac = /Mac|iPhone|iPad/.test(navigator.userAgent);
export const paletteKey = isMac ? '⌘K' : 'Ctrl K';

export function Bar() {
  const me = useLive((l) => l.me);
  return (
    <header className="flex flex-wrap items-center gap-x-2 gap-y-1 border-b border-line bg-panel px-3 py-1 min-h-[2.9rem]">
      <img src="/assets/icon.svg" alt="" className="hidden size-6 mid:block" />
      <span className="hidden font-semibold mid:inline">{me?.tenant_name}</span>
      <Mine />
      <span className="grow" />
      <DialField />
      <Button small onClick={openPalette} aria-keyshortcuts={isMac ? 'Meta+K' : 'Control+K'} className="text-soft">
        <span aria-hidden="true">⌕</span><span className="sr-only mid:not-sr-only">{t('palette.open')}</span><kbd className="kbd">{paletteKey}</kbd>
      </Button>
      <Who />
    </header>
  );
}

function Who() {
  const me = useLive((l) => l.me);
  const agent = useLive(myself);
  const other = language() === 'en' ? 'zh-CN' : 'en';
  const out = async (): Promise<void> => { if (await act(api.POST('/api/v1/auth/logout'))) { leave(false); go('/login'); } };
  return (
    <Menu.Root>
      <Menu.Trigger className="btn btn-plain btn-small"><span className="max-w-28 truncate mid:max-w-60">{agent?.name || me?.login}</span> <span aria-hidden="true">▾</span></Menu.Trigger>
      <Menu.Portal>
        <Menu.Content align="end" className="card z-50 min-w-52 p-1 shadow-lg" sideOffset={4}>
          <p className="px-3 py-1.5 text-soft">{me?.login} · {tCode('role', me?.role)}</p>
          <Row run={() => go('/me')}>{t('nav.me')}</Row>
          <Row run={() => speak(other)}><span lang={other}>{other === 'en' ? 'English' : '中文'}</span></Row>
          <Row run={otherTheme}>{t('theme.switch')}</Row>
          <Menu.Separator className="my-1 h-px bg-line" />
          <Row run={() => void out()}>{t('login.out')}</Row>
        </Menu.Content>
      </Menu.Portal>
    </Menu.Root>
  );
}

export function Row({ children, run, disabled, mark }: { children: React.ReactNode; run: () => void; disabled?: boolean; mark?: boolean }) {
  return (
    <Menu.Item disabled={disabled ?? false} onSelect={run} className="flex min-h-9 items-center gap-2 rounded-md px-3 outline-none data-[disabled]:text-soft data-[highlighted]:bg-raised">
      {children}{mark && <span className="ml-auto" aria-hidden="true">✓</span>}
    </Menu.Item>
  );
}

/** My state: what it is, since when, what comes next; a break chosen during a call waits for its end. */
function Mine() {
  const my = useLive(myself);
  const me = useLive((l) => l.me);
  const up = useLive((l) => l.up);
  const codes = useLive((l) => l.codes);
  const wish = (state: 'ready' | 'not_ready' | 'away', reason?: string): void =>
    void act(api.PUT('/api/v1/agents/{id}/state', { params: { path: { id: 'me' } }, body: reason ? { state, reason } : { state } }));
  const shift = (on: boolean): void =>
    void (on ? beginShift() : act(api.POST('/api/v1/agents/{id}/sign-out', { params: { path: { id: 'me' } } })));
  const on = my && my.state !== 'signed_out';
  useActions([
    my && !on && { id: 'state.in', label: 'state.in', group: 'state', run: () => shift(true) },
    on && my.state !== 'ready' && { id: 'state.ready', label: 'state.ready', group: 'state', run: () => wish('ready') },
    ...(on ? codes.reasons.map((r) => ({ id: `state.${r.id}`, label: 'state.not_ready' as const, detail: r.name, group: 'state' as const, run: () => wish('not_ready', r.id) })) : []),
    on && { id: 'state.away', label: 'state.away', group: 'state', run: () => wish('away') },
    on && { id: 'state.out', label: 'state.out', group: 'state', run: () => shift(false) },
  ]);
  if (!me?.agent || !my) return null;
  if (!on) return <Button look="main" small disabled={!up} onClick={() => shift(true)}>{t('state.in')}</Button>;
  const reasonName = codes.reasons.find((r) => r.id === my.reason)?.name ?? (my.reason ? tCode('why', my.reason) : null);
  return (
    <div className="flex items-center gap-2">
      <Menu.Root>
        <Menu.Trigger className="btn btn-small" disabled={!up}>
          <span className="sr-only">{t('state.label')}: </span>
          <State state={my.state} detail={reasonName} />
          <span className="text-soft"><Since at={my.since} /></span>
          <span aria-hidden="true">▾</span>
        </Menu.Trigger>
        <Menu.Portal>
          <Menu.Content align="start" sideOffset={4} className="card z-50 min-w-60 p-1 shadow-lg">
            {my.work.length > 0 && <p className="px-3 py-1.5 text-soft">{t('state.after')}</p>}
            <Row run={() => wish('ready')} mark={my.state === 'ready'}><State state="ready" /></Row>
            {codes.reasons.map((r) => <Row key={r.id} run={() => wish('not_ready', r.id)} mark={my.state === 'not_ready' && my.reason === r.id}><State state="not_ready" quiet />{r.name}</Row>)}
            <Row run={() => wish('away')} mark={my.state === 'away'}><State state="away" /></Row>
            <Menu.Separator className="my-1 h-px bg-line" />
            <Row run={() => shift(false)}><State state="signed_out" quiet />{t('state.out')}</Row>
          </Menu.Content>
        </Menu.Portal>
      </Menu.Root>
      {my.pending && <span className="chip border-warn text-warn">{t('state.next', { state: tCode('state', my.pending) })}</span>}
      <PhoneChip registered={my.phone} />
    </div>
  );
}
