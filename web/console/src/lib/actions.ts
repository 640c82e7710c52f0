// Everything that can be done right now: registered by what is on the screen, run by its button, its key, or the palette.
//
// Single keys work outside text fields only, can be changed and can be switched off altogether (WCAG 2.1.4).

import { useEffect, useRef, useSyncExternalStore } from 'react';
import type { Key } from './i18n';
import { keep, remember, watchPrefs } from './prefs';

export interface Action {
  id: string;
  label: Key;
  /** Further words of the row in the palette: the queue's name, the reason. */
  detail?: string;
  /** The key it has unless somebody gave it another. */
  key?: string;
  group: 'call' | 'state' | 'go' | 'view';
  run: () => void;
}

let actions: Action[] = [];
const watchers = new Set<() => void>();
let scheduled = false;
function changed(): void {
  if (scheduled) return;
  scheduled = true;
  queueMicrotask(() => { scheduled = false; watchers.forEach((w) => w()); });
}

/** Offers actions for as long as the component is there. Null ones are not possible now. */
export function useActions(list: (Action | null | false | undefined)[]): void {
  const latest = useRef<Action[]>([]);
  const wanted = list.filter((a): a is Action => Boolean(a));
  latest.current = wanted;
  const shape = wanted.map((a) => `${a.id} ${a.detail ?? ''}`).join('\n');
  useEffect(() => {
    const mine: Action[] = latest.current.map((a, i) => ({ ...a, run: () => latest.current[i]?.run() }));
    actions = [...actions, ...mine];
    changed();
    return () => {
      actions = actions.filter((a) => !mine.includes(a));
      changed();
    };
  }, [shape]);
}

const watch = (w: () => void): (() => void) => { watchers.add(w); return () => { watchers.delete(w); }; };
export const useAllActions = (): Action[] => useSyncExternalStore(watch, () => actions);

// ---- keys ----

const KEPT = 'keys';
function changes(): Record<string, string> {
  try { return JSON.parse(remember(KEPT) ?? '{}') as Record<string, string>; } catch { return {}; }
}

export const keysOn = (): boolean => remember('keys.off') !== '1';
export const switchKeys = (on: boolean): void => keep('keys.off', on ? '0' : '1');
export const useKeysOn = (): boolean => useSyncExternalStore(watchPrefs, keysOn);

/** The keys that can be had without anybody on a call: shown in the settings, with the actions they belong to. */
export const DEFAULT_KEYS: readonly (readonly [id: string, label: Key, key: string])[] = [
  ['offer.accept', 'do.accept', 'a'],
  ['offer.decline', 'do.decline', 'd'],
  ['call.hold', 'do.hold', 'h'],
  ['call.mute', 'do.mute', 'm'],
  ['call.keypad', 'do.keypad', 'p'],
  ['call.transfer', 'do.transfer', 't'],
  ['call.consult', 'transfer.consult', 'q'],
  ['call.record', 'do.pause', 'r'],
  ['call.end', 'do.finish', 'e'],
  ['call.note', 'do.note', 'n'],
  ['call.dial', 'do.dial', 'c'],
  ['wrap.extend', 'wrap.extend', 'x'],
  ['list.next', 'list.next', 'j'],
  ['list.previous', 'list.previous', 'k'],
  ['list.filter', 'list.filter', '/'],
  ['help', 'keys.title', '?'],
];

export function keyOf(id: string): string | undefined {
  const own = changes()[id];
  if (own !== undefined) return own || undefined;
  return DEFAULT_KEYS.find(([known]) => known === id)?.[2];
}

/** Gives an action another key; answers whose key it was if it is taken. */
export function giveKey(id: string, key: string): string | null {
  const taken = DEFAULT_KEYS.find(([other]) => other !== id && keyOf(other) === key);
  if (key && taken) return taken[0];
  keep(KEPT, JSON.stringify({ ...changes(), [id]: key }));
  return null;
}

const typing = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && (target.isContentEditable || ['INPUT', 'TEXTAREA', 'SELECT'].includes(target.tagName));

addEventListener('keydown', (event) => {
  if (event.defaultPrevented || event.isComposing || event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
  if (!keysOn() || event.key.length !== 1) return;
  // A dialog has the keyboard to itself.
  if (document.querySelector('[role="dialog"][data-state="open"], [role="menu"][data-state="open"]')) return;
  const key = event.key.toLowerCase();
  const action = actions.findLast((a) => (a.key ?? keyOf(a.id)) === key);
  if (!action) return;
  event.preventDefault();
  action.run();
});
