// Naming a colleague in a note: `@` and a few letters find one, Enter puts the name where the cursor is.

import { useState, type KeyboardEvent, type ReactNode } from 'react';
import { t } from '../lib/i18n';
import { useLive } from '../live/live';

const LIST = 'mentions';
const SHOWN = 8;

/** What is typed after an `@` at the beginning of a word, at the end of the text. */
const sought = (text: string): string | null => /(?:^|\s)@([^\s@]*)$/.exec(text)?.[1]?.toLowerCase() ?? null;

/** The colleagues a text names, by login. */
export const mentioned = (text: string): string[] => [...text.matchAll(/(?:^|[\s(])@([a-z0-9][a-z0-9_.-]*[a-z0-9]|[a-z0-9])/gi)].map((m) => m[1]!.toLowerCase());

interface Mention { list: ReactNode; listing: Record<string, string>; key: (event: KeyboardEvent) => boolean }

/**
 * The list under what is being written. `key` answers true when a key was for the list; whoever asks has made sure that no input
 * method is at work.
 */
export function useMention(text: string, on: boolean, setText: (text: string) => void): Mention {
  const agents = useLive((l) => l.view.agents);
  const me = useLive((l) => l.me?.agent);
  const [at, setAt] = useState(0);
  const [shut, setShut] = useState('');
  const word = on ? sought(text) : null;
  const found = word === null || shut === text ? [] : Object.entries(agents)
    .filter(([id, a]) => id !== me && `${id} ${a.name}`.toLowerCase().split(/\s+/).some((part) => part.startsWith(word))).slice(0, SHOWN);
  const chosen = Math.min(at, Math.max(0, found.length - 1));
  const put = (id: string): void => { setText(text.replace(/@[^\s@]*$/, `@${id} `)); setAt(0); };
  if (found.length === 0) return { list: null, listing: {}, key: () => false };
  return {
    listing: { 'aria-controls': LIST, 'aria-activedescendant': `${LIST}-${chosen}` },
    key: (event) => {
      // Ctrl+Enter sends what stands there.
      if (event.ctrlKey || event.metaKey || event.altKey) return false;
      if (event.key === 'ArrowDown' || event.key === 'ArrowUp') setAt((chosen + (event.key === 'ArrowDown' ? 1 : found.length - 1)) % found.length);
      else if (event.key === 'Enter' || event.key === 'Tab') { const [one] = found[chosen] ?? []; if (one) put(one); }
      else if (event.key === 'Escape') setShut(text);
      else return false;
      event.preventDefault();
      return true;
    },
    list: (
      <div className="card absolute inset-x-3 bottom-full z-20 mb-1 overflow-hidden shadow-lg">
        <ul id={LIST} role="listbox" aria-label={t('mention.title')}>
          {found.map(([id, a], n) => (
            <li key={id} id={`${LIST}-${n}`} role="option" aria-selected={n === chosen} onMouseDown={(e) => { e.preventDefault(); put(id); }} className="cursor-pointer px-3 py-1.5 aria-selected:bg-mine">
              <span className="font-medium">@{id}</span> <span className="text-soft">{a.name}</span>
            </li>
          ))}
        </ul>
        <p className="border-t border-line px-3 py-1 text-[0.86rem] text-soft">{t('mention.pick')}</p>
      </div>
    ),
  };
}

/** A text with the colleagues it names set off; one's own name more so. */
export function Named({ text }: { text: string }) {
  const agents = useLive((l) => l.view.agents);
  const me = useLive((l) => l.me?.agent);
  const parts = text.split(/((?:^|(?<=[\s(]))@[a-z0-9][a-z0-9_.-]*)/gi);
  return <>{parts.map((part, n) => {
    const id = part.startsWith('@') ? part.slice(1).toLowerCase() : null;
    if (id === null || !agents[id]) return part;
    return <strong key={n} className={id === me ? 'rounded bg-warn-fill px-0.5 text-warn' : 'text-accent'}>@{agents[id].name || id}</strong>;
  })}</>;
}
