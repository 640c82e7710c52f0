#!/usr/bin/env node
// People at their browsers, against the real program. RINGDESK_BIN names it (target/debug/ringdesk if not set).
//
//     tests/web/all [WORD]...     only the stories whose name holds one of the words

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { browser, browsers, doing, root, server, site } from './kit.mjs';
import { administration } from './admin.mjs';
import { after } from './after.mjs';
import { budgets } from './budgets.mjs';
import { desk } from './desk.mjs';
import { factor } from './factor.mjs';
import { files } from './files.mjs';
import { floor } from './floor.mjs';
import { hooks } from './hooks.mjs';
import { keeping } from './keeping.mjs';
import { ladder } from './ladder.mjs';
import { lists } from './lists.mjs';
import { load } from './load.mjs';
import { long } from './long.mjs';
import { looks } from './looks.mjs';
import { rules } from './rules.mjs';
import { sight } from './sight.mjs';
import { stories as screens } from './stories.mjs';
import { people } from './people.mjs';
import { talknow } from './talknow.mjs';
import { voice } from './voice.mjs';
import { waiting } from './waiting.mjs';
import { walks } from './walks.mjs';
import { xss } from './xss.mjs';

const stories = { ...screens, ...administration, ...voice, ...floor, ...desk, ...files, ...after, ...budgets, ...factor, ...hooks, ...keeping, ...ladder, ...lists, ...load, ...long, ...looks, ...people, ...rules, ...sight, ...talknow, ...waiting, ...walks, ...xss };
/** A story that takes longer has got stuck, ms: several times what the longest takes on a busy machine. */
const LONGEST = 300_000 * Number(process.env.RINGDESK_SLOW ?? 1) + 2_000 * Number(process.env.RINGDESK_LOAD_S ?? 0);

/** The story, or the step at which it was given up. */
function inTime(story, name) {
  doing.step = 'nothing yet';
  let late;
  const limit = new Promise((_, failed) => {
    late = setTimeout(() => failed(new Error(`${name} did not come to an end within ${LONGEST / 1000} s; its last step: ${doing.step}`)), LONGEST);
  });
  // What it still does after it was given up fails by itself, and nobody asks any more.
  story.catch(() => {});
  return Promise.race([story, limit]).finally(() => clearTimeout(late));
}

const words = process.argv.slice(2);
const wanted = Object.entries(stories).filter(([name]) => words.length === 0 || words.some((w) => name.includes(w)));
let failed = 0;
const began = Date.now();
const b = await browser();
// Pages load these two; which they are is what npm was told to install.
const installed = (name) => JSON.parse(readFileSync(join(root, 'web/node_modules', name, 'package.json'), 'utf8')).version;
console.log(`Chromium ${b.version()}; JsSIP ${installed('jssip')}; SIP.js ${installed('sip.js')}`);
for (const [name, story] of wanted) {
  const from = Date.now();
  const s = await server();
  const shop = await site(s);
  const figures = [];
  let wrong = null;
  try { await inTime(story({ s, b, shop, figure: (text) => figures.push(text) }), name); } catch (error) { wrong = error; }
  for (const other of browsers) if (other !== b) await other.close();
  for (const context of b.contexts()) await context.close();
  shop.end();
  await s.end();
  console.log(`${wrong ? 'FAILED' : 'ok    '} ${((Date.now() - from) / 1000).toFixed(1).padStart(6)} s  ${name.replaceAll('_', ' ')}${figures.length ? `   [${figures.join('; ')}]` : ''}`);
  if (wrong) { failed += 1; console.log(`${wrong.stack}\n    last step: ${doing.step}`); }
}
await b.close();
console.log(`${wanted.length - failed} passed, ${failed} failed, ${((Date.now() - began) / 1000).toFixed(0)} s`);
process.exit(failed ? 1 : 0);
