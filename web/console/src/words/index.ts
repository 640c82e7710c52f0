// Every word the console shows: English, Simplified Chinese, and for what the palette offers the initials of its pinyin.
//
// What only one page shows comes with that page: such a dictionary ends with `learn`, and the page's module imports it. A key is
// checked against all of them, loaded or not; build.mjs refuses a page that uses the words of a dictionary it does not bring.

import { accounts } from './accounts';
import { admin } from './admin';
import { alerts } from './alerts';
import type { calls } from './calls';
import type { chat } from './chat';
import { codes } from './codes';
import type { config } from './config';
import { desk } from './desk';
import { did } from './did';
import { floor } from './floor';
import { keeping } from './keeping';
import { ladder } from './ladder';
import type { lists } from './lists';
import { phone } from './phone';
import { regions } from './regions';
import type { reports } from './reports';
import type { rules } from './rules';
import { screens } from './screens';
import { sight } from './sight';
import type { webhooks } from './webhooks';

export type Entry = readonly [en: string, zh: string, pinyin?: string];

const first = {
  ...accounts, ...admin, ...alerts, ...codes, ...desk, ...did, ...floor, ...keeping, ...ladder, ...phone, ...regions, ...screens, ...sight,
} as const;
export type Key = keyof typeof first | keyof typeof calls | keyof typeof chat | keyof typeof config | keyof typeof lists | keyof typeof reports | keyof typeof rules | keyof typeof webhooks;

const known = new Map<string, Entry>(Object.entries(first));

/** Adds a page's own words. */
export const learn = (more: Readonly<Record<string, Entry>>): void => Object.entries(more).forEach(([key, entry]) => known.set(key, entry));

export const hasWord = (key: string): key is Key => known.has(key);
/** The entry of a key; the key itself stands in for a word whose page did not bring it. */
export const word = (key: Key): Entry => known.get(key) ?? [key, key];
