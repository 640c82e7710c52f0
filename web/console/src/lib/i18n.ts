// The console's two languages. A key that is in no dictionary does not compile, and neither does one with a missing language.

import { useSyncExternalStore } from 'react';
import { hasWord, word, type Key } from '../words';
import { keep, remember, watchPrefs } from './prefs';

export type { Key };
export type Language = 'en' | 'zh-CN';

export function language(): Language {
  const kept = remember('language');
  if (kept === 'en' || kept === 'zh-CN') return kept;
  // The pages before this console kept it so.
  if (kept === 'zh') return 'zh-CN';
  return navigator.language.toLowerCase().startsWith('zh') ? 'zh-CN' : 'en';
}

export function speak(next: Language): void {
  keep('language', next);
  document.documentElement.lang = next;
}

export function t(key: Key, values?: Record<string, string | number>): string {
  const text: string = word(key)[language() === 'zh-CN' ? 1 : 0];
  return values ? text.replace(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? '')) : text;
}

/** Words for a code of the server, or the code itself where the dictionary has none: `stage.` + `waiting`. */
export function tCode(prefix: string, code: string | null | undefined): string {
  if (!code) return '';
  const key = `${prefix}.${code}`;
  return hasWord(key) ? t(key) : code.replaceAll('_', ' ');
}

/** Initials of the label's pinyin, so that "zj" finds 转接. */
export const pinyin = (key: Key): string => word(key)[2] ?? '';

/** Makes a component be drawn again when the language changes. */
export const useLanguage = (): Language => useSyncExternalStore(watchPrefs, language);
