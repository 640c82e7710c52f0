#!/usr/bin/env node
// People at their browsers, against the real program. RINGDESK_BIN names it (target/debug/ringdesk if not set).
//
//     tests/web/all [WORD]...     only the stories whose name holds one of the words

import { browser, server, site } from './kit.mjs';
import { ladder } from './ladder.mjs';
import { stories as screens } from './stories.mjs';
import { voice } from './voice.mjs';

const stories = { ...screens, ...voice, ...ladder };

const words = process.argv.slice(2);
const wanted = Object.entries(stories).filter(([name]) => words.length === 0 || words.some((w) => name.includes(w)));
let failed = 0;
const began = Date.now();
const b = await browser();
for (const [name, story] of wanted) {
  const from = Date.now();
  const s = await server();
  const shop = await site(s);
  const figures = [];
  let wrong = null;
  try { await story({ s, b, shop, figure: (text) => figures.push(text) }); } catch (error) { wrong = error; }
  for (const context of b.contexts()) await context.close();
  shop.end();
  await s.end();
  console.log(`${wrong ? 'FAILED' : 'ok    '} ${((Date.now() - from) / 1000).toFixed(1).padStart(6)} s  ${name.replaceAll('_', ' ')}${figures.length ? `   [${figures.join('; ')}]` : ''}`);
  if (wrong) { failed += 1; console.log(wrong.stack); }
}
await b.close();
console.log(`${wanted.length - failed} passed, ${failed} failed, ${((Date.now() - began) / 1000).toFixed(0)} s`);
process.exit(failed ? 1 : 0);
