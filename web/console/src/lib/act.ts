// Doing things: one way to ask, to say what went wrong, and to say what was done.

import { useSyncExternalStore } from 'react';
import { take, type Problem } from '../api/client';
import { t, tCode } from './i18n';
import { hasWord } from '../words';

export interface Notice { id: number; text: string; bad: boolean }
let notices: Notice[] = [];
let last = 0;
const watchers = new Set<() => void>();
const tell = (): void => watchers.forEach((w) => w());

export function notice(text: string, bad = false): void {
  const id = ++last;
  notices = [...notices.slice(-2), { id, text, bad }];
  tell();
  setTimeout(() => dismiss(id), bad ? 8_000 : 4_000);
}
export function dismiss(id: number): void {
  notices = notices.filter((n) => n.id !== id);
  tell();
}
export const useNotices = (): Notice[] =>
  useSyncExternalStore((w) => { watchers.add(w); return () => { watchers.delete(w); }; }, () => notices);

/** What went wrong, in the reader's language; the server's sentence is added where it names the mistake. */
export function problemText(problem: Problem): string {
  const known = hasWord(`error.${problem.code}`);
  const text = known ? tCode('error', problem.code) : t('error.other');
  const more = ['invalid', 'wrong_state', 'bad_json'].includes(problem.code) || !known ? problem.detail : '';
  return more ? `${text} ${more}` : text;
}

/** Asks, and says what went wrong. Answers whether it was done. */
export async function act(asked: Promise<{ data?: unknown; error?: unknown; response: Response }>, done?: string): Promise<boolean> {
  try {
    await take(asked);
    if (done) notice(done);
    return true;
  } catch (problem) {
    notice(problemText(problem as Problem), true);
    return false;
  }
}
