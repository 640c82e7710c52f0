// Every word the console shows: English, Simplified Chinese, and for what the palette offers the initials of its pinyin.

import { admin } from './admin';
import { codes } from './codes';
import { ladder } from './ladder';
import { phone } from './phone';
import { reports } from './reports';
import { screens } from './screens';
import { sight } from './sight';

type Entry = readonly [en: string, zh: string, pinyin?: string];

const all = { ...admin, ...codes, ...ladder, ...phone, ...reports, ...screens, ...sight } as const;
export const words: { readonly [K in keyof typeof all]: Entry } = all;
