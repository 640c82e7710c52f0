// Every word the console shows: English, Simplified Chinese, and for what the palette offers the initials of its pinyin.

import { accounts } from './accounts';
import { admin } from './admin';
import { alerts } from './alerts';
import { calls } from './calls';
import { chat } from './chat';
import { codes } from './codes';
import { desk } from './desk';
import { keeping } from './keeping';
import { ladder } from './ladder';
import { phone } from './phone';
import { regions } from './regions';
import { reports } from './reports';
import { rules } from './rules';
import { screens } from './screens';
import { sight } from './sight';
import { webhooks } from './webhooks';

type Entry = readonly [en: string, zh: string, pinyin?: string];

const all = {
  ...accounts, ...admin, ...alerts, ...calls, ...chat, ...codes, ...desk, ...keeping, ...ladder, ...phone, ...regions, ...reports, ...rules, ...screens, ...sight, ...webhooks,
} as const;
export const words: { readonly [K in keyof typeof all]: Entry } = all;
