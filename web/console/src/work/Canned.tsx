// Replies somebody wrote beforehand: `/` and a few letters find one, Enter puts it where the cursor is.

import { useEffect, useRef } from 'react';
import { api, take } from '../api/client';
import type { components } from '../api/schema';
import { language, t } from '../lib/i18n';
import { useLoad } from '../lib/load';

export type Reply = components['schemas']['CannedReply'];
const LIST = 'canned-replies';
/** Most that are shown at once: who wants another types one more letter. */
const SHOWN = 8;

/** What is typed after a `/` at the beginning of a word, at the end of the text. */
export const sought = (text: string): string | null => /(?:^|\s)\/([^\s/]*)$/.exec(text)?.[1]?.toLowerCase() ?? null;
/** The text with the words in place of what was typed. */
export const insert = (text: string, words: string): string => text.replace(/\/[^\s/]*$/, () => words);

/** The replies that fit, those of the reader's language first. */
export function useCanned(text: string, queue: string | null): Reply[] {
  const word = sought(text);
  const all = useLoad(word === null ? null : 'canned', async () => (await take(api.GET('/api/v1/canned'))).replies);
  if (word === null) return [];
  const mine = language() === 'zh-CN' ? 'zh' : 'en';
  return (all.data ?? [])
    .filter((r) => (r.queues.length === 0 || (queue !== null && r.queues.includes(queue))) && `${r.id} ${r.name}`.toLowerCase().includes(word))
    .sort((a, b) => Number(!(a.lang ?? mine).startsWith(mine)) - Number(!(b.lang ?? mine).startsWith(mine)))
    .slice(0, SHOWN);
}

export const listing = (at: number): Record<string, string> => ({ 'aria-controls': LIST, 'aria-activedescendant': `${LIST}-${at}` });

export function CannedList({ replies, at, onPick }: { replies: Reply[]; at: number; onPick: (reply: Reply) => void }) {
  const list = useRef<HTMLUListElement>(null);
  useEffect(() => { list.current?.children[at]?.scrollIntoView({ block: 'nearest' }); }, [at]);
  return (
    <div className="card absolute inset-x-3 bottom-full z-20 mb-1 overflow-hidden shadow-lg">
      <ul ref={list} id={LIST} role="listbox" aria-label={t('canned.title')} className="max-h-60 overflow-y-auto">
        {replies.map((r, n) => (
          <li key={r.id} id={`${LIST}-${n}`} role="option" aria-selected={n === at} onMouseDown={(e) => { e.preventDefault(); onPick(r); }} className="cursor-pointer px-3 py-1.5 aria-selected:bg-mine">
            <span className="font-medium">/{r.id}</span> <span className="text-soft">{r.name}</span>
            <span className="line-clamp-1 text-[0.9em] text-soft">{r.text}</span>
          </li>
        ))}
      </ul>
      <p className="border-t border-line px-3 py-1 text-[0.86rem] text-soft">{t('canned.pick')}</p>
    </div>
  );
}
