// A server of its own with the demo shop, a browser, and people who use it.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = resolve(fileURLToPath(import.meta.url), '../../..');
const require = createRequire(join(root, 'web/package.json'));
const { chromium } = require('playwright-core');
const axeSource = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

/** Longest wait for something that should happen at once, ms: generous, for a machine that does five things. */
export const SOON = 15_000;

export async function server() {
  const data = mkdtempSync(join(tmpdir(), 'ringdesk-web-'));
  const binary = process.env.RINGDESK_BIN ?? join(root, 'target/debug/ringdesk');
  // Below the ports the system gives away by itself: any socket of a browser could be on one of those.
  const base = 12_000 + (process.pid % 100) * 200;
  let child;
  let http = '127.0.0.1:0';
  let https = null;
  const start = async (more = []) => {
    child = spawn(binary, ['serve', '--demo', '--data', data, '--http-bind', http, '--sip-bind', '127.0.0.1:0', '--rtp-ports', `${base}-${base + 198}`, ...more], {
      cwd: data, env: { ...process.env, RUST_LOG: 'warn' }, stdio: ['ignore', 'pipe', 'pipe'],
    });
    let said = '';
    const origin = await new Promise((done, failed) => {
      const hear = (chunk) => {
        said += chunk;
        const at = /is running: .*(http:\/\/[\d.:]+)/.exec(said);
        https = /is running: .*(https:\/\/[\d.:]+)/.exec(said)?.[1] ?? null;
        if (at && said.includes('\n', at.index)) done(at[1]);
      };
      child.stdout.on('data', hear);
      child.stderr.on('data', hear);
      child.once('exit', (code) => failed(new Error(`the server ended with ${code}:\n${said}`)));
    });
    http = origin.replace('http://', '');
    return origin;
  };
  const stop = () => new Promise((done) => {
    if (child.exitCode !== null) return done();
    child.removeAllListeners('exit');
    child.once('exit', done);
    child.kill('SIGTERM');
  });
  const origin = await start();
  const credentials = JSON.parse(readFileSync(join(data, 'demo-credentials.json'), 'utf8'));
  return {
    /** Bounds on times are this many times longer: for a machine that is known to be busy. */
    slow: Number(process.env.RINGDESK_SLOW ?? 1),
    origin, data, users: credentials.users, sip: credentials.sip, phones: credentials.sip_passwords, stop, start,
    /** Where https is spoken, of a server that was started with it. */
    secure: () => https,
    /** A request of a program, with the demo's key. */
    async ask(method, path, body) {
      const answer = await fetch(`${origin}/api/v1${path}`, {
        method, headers: { authorization: `Bearer ${credentials.api_key}`, 'content-type': 'application/json' }, ...(body ? { body: JSON.stringify(body) } : {}),
      });
      const text = await answer.text();
      if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
      return text ? JSON.parse(text) : null;
    },
    /** Changes the business configuration as an administrator would: the text, checked and put in force. */
    async configure(change) {
      const headers = { authorization: `Bearer ${credentials.api_key}`, 'content-type': 'application/yaml' };
      const now = await (await fetch(`${origin}/api/v1/config`, { headers })).text();
      const answer = await fetch(`${origin}/api/v1/config`, { method: 'PUT', headers, body: change(now) });
      if (!answer.ok) throw new Error(`the configuration was refused: ${await answer.text()}`);
    },
    async end() { await stop(); rmSync(data, { recursive: true, force: true }); },
  };
}

/** What a story does now: said when it does not come to an end. */
export const doing = { step: 'nothing yet' };
const STEPS = ['click', 'fill', 'check', 'press', 'pressSequentially', 'selectOption', 'setInputFiles', 'waitFor', 'innerText', 'inputValue', 'textContent'];
let followed = false;
function follow(page) {
  if (followed) return;
  followed = true;
  const places = Object.getPrototypeOf(page.locator('html'));
  for (const name of STEPS) {
    const real = places[name];
    places[name] = function step(...given) { doing.step = `${name} ${this}`; return real.apply(this, given); };
  }
}

/** Every browser that was opened, so that none outlives a story that was given up. */
export const browsers = new Set();
export async function browser(more = []) {
  const b = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: [...more, '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  });
  browsers.add(b);
  b.once('disconnected', () => browsers.delete(b));
  return b;
}

/**
 * A window of somebody's own; what its pages complain about is kept in `complaints`. `phone`: where this browser has been told
 * that calls ring, `browser` or `desk`; null: it was never asked.
 */
export async function person(b, { lang = 'en', theme = 'light', width = 1440, height = 900, phone = 'desk', scale = 1 } = {}) {
  const context = await b.newContext({ locale: lang, colorScheme: theme, viewport: { width, height }, deviceScaleFactor: scale, serviceWorkers: 'block', permissions: ['microphone'] });
  if (phone) await context.addInitScript((kind) => { if (location.protocol !== 'about:') localStorage.setItem('ringdesk.phone', kind); }, phone);
  const page = await context.newPage();
  page.setDefaultTimeout(SOON);
  follow(page);
  const complaints = [];
  page.on('console', (m) => { if (m.type() === 'error' && !/status of (401|403|409|422|503)|ERR_CONNECTION|WebSocket connection/.test(m.text())) complaints.push(`${m.text()} ${m.location().url}`); });
  page.on('pageerror', (e) => complaints.push(String(e)));
  return { context, page, complaints };
}

export async function signIn(page, origin, login, password) {
  await page.goto(`${origin}/`);
  await page.locator('input[name=login]').fill(login);
  await page.locator('input[name=password]').fill(password);
  await page.locator('button[type=submit]').click();
  await page.locator('nav').first().waitFor();
}

/** Begins the shift, unless it has begun, and takes work. */
export async function ready(page) {
  const begin = page.getByRole('button', { name: /^(Begin shift|签入)$/ });
  const mine = page.getByRole('button', { name: /^(My state|我的状态)/ });
  // A shift outlives the page it was begun on.
  await begin.or(mine).first().waitFor();
  if (await begin.isVisible()) await begin.click();
  await mine.waitFor();
  if (/Ready|示闲/.test(await mine.innerText()) && !/Not ready/.test(await mine.innerText())) return;
  await mine.click();
  await page.getByRole('menuitem', { name: /^(● ?)?(Ready|示闲)/ }).click();
}

/** A shop's site: another origin than the server's, let in by its configuration, with the widget's one line in its page. */
export async function site(of) {
  const page = (lang) => `<!doctype html><html lang="${lang}"><title>Shop</title><main><h1>A shop</h1></main><script src="${of.origin}/widget.js" data-site="demo" async></script></html>`;
  const shop = createServer((asked, answer) => {
    answer.setHeader('content-type', 'text/html; charset=utf-8');
    answer.end(page(asked.url.includes('zh') ? 'zh-CN' : 'en'));
  });
  await new Promise((done) => shop.listen(0, '127.0.0.1', done));
  const origin = `http://127.0.0.1:${shop.address().port}`;
  await of.configure((yaml) => yaml.replace('origins: []', `origins: ["${origin}"]`));
  return { origin, end: () => { shop.closeAllConnections(); shop.close(); } };
}

/** Somebody looks at the shop. */
export async function visits(p, shop, lang = 'en') {
  await p.page.goto(`${shop.origin}/${lang === 'zh-CN' ? 'zh' : ''}`);
  const widget = p.page.locator('ringdesk-chat');
  return { open: () => widget.locator('button.open').click(), widget };
}

export async function beginChat(w, name) {
  await w.open();
  await w.widget.locator('input[name=name]').fill(name);
  await w.widget.locator('.begin button.main').click();
  await w.widget.getByRole('button', { name: /Talk to a person|人工|转人工/ }).first().click();
}

/** Anna at her desk, ready. */
export async function agent(b, s, look) {
  const anna = await person(b, look);
  await signIn(anna.page, s.origin, 'anna', s.users.anna);
  await ready(anna.page);
  return anna;
}

/** Every language by every theme. */
export const LOOKS = [['en', 'light'], ['zh-CN', 'dark'], ['en', 'dark'], ['zh-CN', 'light']];

/** Has the page look so: as if another tab of the same browser had been told to. `null`: as nobody ever said. */
export async function look(page, lang, theme) {
  await page.evaluate((told) => {
    for (const [key, value] of Object.entries(told)) {
      if (localStorage.getItem(key) === value) continue;
      if (value === null) localStorage.removeItem(key); else localStorage.setItem(key, value);
      dispatchEvent(new StorageEvent('storage', { key, newValue: value }));
    }
    return new Promise((drawn) => { requestAnimationFrame(() => requestAnimationFrame(drawn)); });
  }, { 'ringdesk.language': lang, 'ringdesk.theme': theme });
}

/** What axe finds wrong with a page as it stands, or with a part of it. */
async function axe(page, part) {
  if (!await page.evaluate(() => Boolean(window.axe))) await page.evaluate(axeSource);
  return page.evaluate(async (within) => {
    const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
    const { violations } = await window.axe.run(within ? { include: within } : document, { runOnly: { type: 'tag', values: tags }, resultTypes: ['violations'], preload: false });
    return violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.html.slice(0, 160)).join(' | ')}`);
  }, part);
}

/**
 * That axe finds nothing wrong with a page as it stands, in every look it has: the console in both languages, light and dark; a
 * widget, which takes its language from the page around it, light and dark. `part`: a selector, where only that part is new.
 */
export async function faults(page, where, part = null) {
  const kind = await page.evaluate(() => (location.protocol === 'about:' ? 'bare' : document.querySelector('ringdesk-chat') ? 'widget' : 'console'));
  if (kind === 'bare') return assert.deepEqual(await axe(page, part), [], where);
  if (kind === 'widget') {
    const was = await page.evaluate(() => (matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light'));
    for (const colorScheme of ['light', 'dark']) {
      await page.emulateMedia({ colorScheme });
      assert.deepEqual(await axe(page, part), [], `${where}, ${colorScheme}`);
    }
    return page.emulateMedia({ colorScheme: was });
  }
  const was = await page.evaluate(() => ['language', 'theme'].map((key) => localStorage.getItem(`ringdesk.${key}`)));
  for (const [lang, theme] of LOOKS) {
    await look(page, lang, theme);
    assert.deepEqual(await axe(page, part), [], `${where}, ${lang}, ${theme}`);
  }
  return look(page, ...was);
}

/** Says it again until it holds: what is true a moment later is true enough. */
export async function eventually(claim) {
  for (const until = Date.now() + SOON; ;) {
    try { return await claim(); } catch (error) {
      if (Date.now() > until) throw error;
      await new Promise((go) => { setTimeout(go, 50); });
    }
  }
}

/** Looks at the differences and puts them in force. */
export async function inForce(page, expected) {
  await page.getByRole('button', { name: 'Check and show changes' }).click();
  const diff = page.getByRole('dialog', { name: 'What changes' });
  for (const words of expected) await diff.getByText(words).first().waitFor();
  await diff.getByRole('button', { name: 'Put in force' }).click();
  await page.getByText('The configuration is in force').first().waitFor();
}
