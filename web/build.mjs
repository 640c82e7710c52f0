// Builds the console and the widget into dist/, packs what is served packed, and holds the sizes against their budgets.

import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'vite';

const root = import.meta.dirname;
const dist = join(root, 'dist');
const began = Date.now();

for (const part of ['console', 'widget']) rmSync(join(dist, part), { recursive: true, force: true });
const { output } = await build({ configFile: join(root, 'console/vite.config.mjs'), logLevel: 'warn' });
for (const [entry, name] of [['loader.ts', 'widget'], ['chat.ts', 'chat'], ['talk.ts', 'talk']]) {
  await build({
    configFile: false, root: join(root, 'widget'), logLevel: 'warn', publicDir: false,
    build: {
      outDir: join(dist, 'widget'), emptyOutDir: false, target: 'es2022', reportCompressedSize: false,
      lib: { entry: join(root, 'widget', entry), formats: ['iife'], name: 'ringdesk_' + name, fileName: () => `${name}.js` },
    },
  });
}

/** Bytes, packed, of every file that is served. */
const sizes = new Map();
const walk = (folder) => readdirSync(folder).forEach((name) => {
  const path = join(folder, name);
  if (statSync(path).isDirectory()) return walk(path);
  if (!/\.(js|css|html|svg)$/.test(name)) return sizes.set(relative(dist, path), statSync(path).size);
  const packed = gzipSync(readFileSync(path), { level: 9 });
  sizes.set(relative(dist, path), packed.length);
  if (!name.endsWith('.html')) writeFileSync(`${path}.gz`, packed);
});
walk(join(dist, 'console'));
walk(join(dist, 'widget'));

// What the first page loads is what its document names.
const html = readFileSync(join(dist, 'console/index.html'), 'utf8');
const first = [...html.matchAll(/(?:src|href)="\/(app\/[^"]+)"/g)].map((m) => `console/${m[1]}`);
const sum = (names) => names.reduce((n, name) => n + (sizes.get(name) ?? 0), 0);
const scripts = [...sizes.keys()].filter((n) => n.startsWith('console/app/') && n.endsWith('.js'));
const lazy = scripts.filter((n) => !first.includes(n));

// Words that come with a page: whoever uses them must bring their dictionary.
const chunks = new Map(output.filter((c) => c.type === 'chunk').map((c) => [c.fileName, c]));
const brings = (chunk, seen = new Set()) => {
  if (seen.has(chunk)) return [];
  seen.add(chunk);
  return [...chunk.moduleIds, ...chunk.imports.filter((n) => chunks.has(n)).flatMap((n) => brings(chunks.get(n), seen))];
};
const dictionaries = join(root, 'console/src/words');
let over = 0;
for (const name of readdirSync(dictionaries)) {
  const text = readFileSync(join(dictionaries, name), 'utf8');
  if (!/^learn\(/m.test(text)) continue;
  const keys = [...text.matchAll(/^  '([^']+)':/gm)].map((m) => m[1]);
  for (const chunk of chunks.values()) {
    if (brings(chunk).some((id) => id.endsWith(`/words/${name}`))) continue;
    for (const key of keys.filter((k) => chunk.code.includes(`\`${k}\``) || chunk.code.includes(`"${k}"`) || chunk.code.includes(`'${k}'`))) {
      over += 1;
      console.log(`WORDS ${basename(chunk.fileName)} uses '${key}' and does not bring words/${name}: import it there, or move the word to a dictionary of all pages`);
    }
  }
}

const kB = (n) => `${(n / 1000).toFixed(1)} kB`;
const budgets = [
  ['console, first scripts', sum(first.filter((n) => n.endsWith('.js'))), 180_000],
  ['console, styles', sum([...sizes.keys()].filter((n) => n.endsWith('.css'))), 20_000],
  ...lazy.map((n) => [n, sizes.get(n), /\/sip-/.test(n) ? 60_000 : 80_000]),
  ['widget, loader', sizes.get('widget/widget.js'), 5_000],
  ['widget, chat', sizes.get('widget/chat.js'), 35_000],
  ['widget, calls', sizes.get('widget/talk.js'), 60_000],
  ['everything', sum([...sizes.keys()]), 1_500_000],
];
for (const [name, size, most] of budgets) {
  const bad = size > most;
  over += bad;
  console.log(`${bad ? 'OVER ' : 'ok   '} ${kB(size).padStart(9)} of ${kB(most).padStart(9)}  ${name}`);
}
console.log(`built in ${((Date.now() - began) / 1000).toFixed(1)} s`);
process.exit(over ? 1 : 0);
