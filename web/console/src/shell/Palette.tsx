// Ctrl/Cmd-K: everything that can be done now, each row with its key; Chinese labels also by their initials ("zj" for 转接).

import { Command } from 'cmdk';
import { useEffect, useRef, useState } from 'react';
import { keyOf, useAllActions, type Action } from '../lib/actions';
import { pinyin, t } from '../lib/i18n';
import { go } from '../lib/router';
import { useLive } from '../live/live';

let open: () => void = () => {};
export const openPalette = (): void => open();

const GROUPS: readonly Action['group'][] = ['call', 'state', 'view', 'go'];

export function Palette() {
  const [shown, setShown] = useState(false);
  const [text, setText] = useState('');
  const actions = useAllActions();
  const contacts = useLive((l) => l.view.interactions);
  useEffect(() => {
    open = () => { setText(''); setShown(true); };
    const hear = (event: KeyboardEvent): void => {
      if (event.key.toLowerCase() === 'k' && (event.ctrlKey || event.metaKey) && !event.shiftKey && !event.altKey) {
        event.preventDefault();
        setText('');
        setShown((was) => !was);
      }
    };
    addEventListener('keydown', hear);
    return () => removeEventListener('keydown', hear);
  }, []);
  // Closed without a choice, the keyboard goes back to where it was.
  const before = useRef<Element | null>(null);
  const was = useRef(false);
  if (shown && !was.current) before.current = document.activeElement;
  was.current = shown;
  useEffect(() => {
    if (shown) return undefined;
    const back = setTimeout(() => { if (document.activeElement === document.body && before.current instanceof HTMLElement && before.current.isConnected) before.current.focus(); }, 50);
    return () => clearTimeout(back);
  }, [shown]);
  const run = (what: () => void): void => {
    setShown(false);
    // The dialog gives the focus back first; what runs may want it elsewhere.
    setTimeout(what, 0);
  };
  return (
    <Command.Dialog open={shown} onOpenChange={setShown} label={t('palette.open')} loop
      overlayClassName="fixed inset-0 z-50 bg-black/40"
      contentClassName="card fixed left-1/2 top-[10vh] z-50 w-[min(38rem,calc(100vw-2rem))] -translate-x-1/2 overflow-hidden shadow-2xl">
      <Command.Input value={text} onValueChange={setText} placeholder={t('palette.hint')} className="w-full border-b border-line bg-transparent px-4 py-3 text-[1.1rem] outline-none" />
      <Command.List className="max-h-[55vh] overflow-y-auto p-2">
        <Command.Empty className="px-3 py-4 text-soft">{t('palette.none')}</Command.Empty>
        {GROUPS.map((group) => {
          const rows = actions.filter((a) => a.group === group && a.id !== 'list.next' && a.id !== 'list.previous');
          return rows.length === 0 ? null : (
            <Command.Group key={group} heading={t(`palette.${group}`)} className="[&_[cmdk-group-heading]]:px-3 [&_[cmdk-group-heading]]:py-1 [&_[cmdk-group-heading]]:text-[0.86rem] [&_[cmdk-group-heading]]:text-soft">
              {rows.map((a) => {
                const key = a.key ?? keyOf(a.id);
                return (
                  <Command.Item key={a.id} value={`${t(a.label)} ${a.detail ?? ''}`} keywords={[pinyin(a.label), a.id]} onSelect={() => run(a.run)}
                    className="flex min-h-9 items-center gap-3 rounded-md px-3 data-[selected=true]:bg-mine">
                    <span>{t(a.label)}{a.detail ? `: ${a.detail}` : ''}</span>
                    {key && <kbd className="kbd ml-auto uppercase">{key}</kbd>}
                  </Command.Item>
                );
              })}
            </Command.Group>
          );
        })}
        {Object.keys(contacts).length > 0 && (
          <Command.Group heading={t('palette.contacts')} className="[&_[cmdk-group-heading]]:px-3 [&_[cmdk-group-heading]]:py-1 [&_[cmdk-group-heading]]:text-[0.86rem] [&_[cmdk-group-heading]]:text-soft">
            {Object.entries(contacts).slice(0, 50).map(([id, i]) => (
              <Command.Item key={id} value={`${i.customer_name || i.from} ${i.from} ${id}`} onSelect={() => run(() => go(`/w/${id}`))} className="flex min-h-9 items-center gap-3 rounded-md px-3 data-[selected=true]:bg-mine">
                <span aria-hidden="true">{i.channel === 'voice' ? '☎' : '▤'}</span>{i.customer_name || i.from}
              </Command.Item>
            ))}
          </Command.Group>
        )}
        {text.trim().length > 1 && (
          <Command.Group heading={t('palette.find')} forceMount className="[&_[cmdk-group-heading]]:px-3 [&_[cmdk-group-heading]]:py-1 [&_[cmdk-group-heading]]:text-[0.86rem] [&_[cmdk-group-heading]]:text-soft">
            {(['customers', 'tickets', 'calls'] as const).map((where) => (
              <Command.Item key={where} forceMount value={`find ${where} ${text}`} onSelect={() => run(() => go(`/${where}?q=${encodeURIComponent(text.trim())}`))} className="flex min-h-9 items-center gap-3 rounded-md px-3 data-[selected=true]:bg-mine">
                <span aria-hidden="true">⌕</span>{t(`nav.${where}`)}: {text.trim()}
              </Command.Item>
            ))}
          </Command.Group>
        )}
      </Command.List>
    </Command.Dialog>
  );
}
