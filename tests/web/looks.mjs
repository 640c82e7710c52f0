// How the console looks where little else is tried: every screen without its data, under a palette and under a dialog, in every
// language and theme; with text set wider; without colours; and in a language that was chosen in another tab.

import assert from 'node:assert/strict';
import { beginChat, eventually, faults, look, person, signIn, visits } from './kit.mjs';

const PARTS = ['users', 'people', 'queues', 'numbers', 'flows', 'flows/main', 'hours', 'codes', 'trunks', 'calls', 'rules', 'alerts', 'config', 'widget', 'keys', 'webhooks', 'retention', 'audit', 'health'];

/** Addresses of all screens; a chat waits (or is `over`), and so there is a customer, a ticket and a contact. */
async function screens(s, b, shop, { over = false } = {}) {
  const guest = await person(b, { width: 1000, height: 720 });
  await beginChat(await visits(guest, shop), '王伟');
  const [one, ticket] = await eventually(async () => {
    const [interaction] = (await s.ask('GET', '/interactions?live=true')).interactions;
    const [first] = (await s.ask('GET', '/tickets')).tickets;
    assert.ok(interaction && first);
    return [interaction, first];
  });
  if (over) {
    await s.ask('POST', `/interactions/${one.id}/finish`);
    await eventually(async () => assert.equal((await s.ask('GET', '/interactions?live=true')).interactions.length, 0));
  }
  return ['/w', `/w/${one.id}`, '/wall', '/tickets', `/tickets/${ticket.id}`, '/customers', `/customers/${ticket.customer}`, '/calls', `/calls/${one.id}`, '/reports', '/me', ...PARTS.map((p) => `/admin/${p}`)];
}

/** An administrator, whose page goes from screen to screen by itself and is waited for until every answer is there. */
async function walker(s, b, wires = async () => {}) {
  const admin = await person(b);
  const { page } = admin;
  let open = 0;
  page.on('request', () => { open += 1; });
  for (const over of ['requestfinished', 'requestfailed']) page.on(over, () => { open -= 1; });
  await wires(page);
  await signIn(page, s.origin, 'admin', s.users.admin);
  const quiet = async () => {
    for (let calm = 0; calm < 3;) {
      await page.evaluate(() => new Promise((drawn) => { requestAnimationFrame(() => requestAnimationFrame(drawn)); }));
      calm = open > 0 ? 0 : calm + 1;
    }
  };
  const to = async (path) => {
    await page.evaluate((p) => { history.pushState(null, '', p); dispatchEvent(new PopStateEvent('popstate')); }, path);
    // What a screen is made of may have to be fetched first; meanwhile the one before it is kept, unseen.
    await page.locator('#main > :visible').first().waitFor();
    await quiet();
  };
  return { ...admin, to, quiet };
}

const DATA = /\/api\/v1\/(?!me$|auth|events|codes$)|\/healthz$/;
/** The server cannot answer. */
const broken = (page) => page.route(DATA, (route) => (route.request().method() === 'GET'
  ? route.fulfill({ status: 500, contentType: 'application/problem+json', body: JSON.stringify({ type: 'urn:ringdesk:problem:internal', title: 'Internal error', status: 500, code: 'internal', detail: 'the store does not answer' }) })
  : route.continue()));

/** What could be many is none. */
const bare = (told) => Object.fromEntries(Object.entries(told).map(([key, value]) => [key, Array.isArray(value) ? [] : value]));
async function empty(page) {
  await page.routeWebSocket(/\/api\/v1\/events/, (line) => {
    const server = line.connectToServer();
    server.onMessage((message) => {
      const told = JSON.parse(String(message));
      if (told.type === 'view') return;
      if (told.type === 'snapshot') Object.assign(told.view, { agents: {}, queues: {}, interactions: {}, alarms: {}, alerts: {} });
      line.send(JSON.stringify(told));
    });
  });
  await page.route(DATA, async (route) => {
    if (route.request().method() !== 'GET') return route.continue();
    const answer = await route.fetch();
    if (!answer.ok() || !answer.headers()['content-type']?.includes('json')) return route.fulfill({ response: answer });
    // You yourself, the kinds of what is kept, the parts of the house: these are always some.
    if (/\/users$|\/retention$|\/healthz$/.test(route.request().url())) return route.fulfill({ response: answer });
    const told = await answer.json();
    if (route.request().url().endsWith('/config/document')) {
      for (const tenant of Object.values(told.business.tenants)) {
        Object.assign(tenant, { trunks: {}, routes: [], canned: {}, slas: {}, flows: {} });
        for (const kind of Object.keys(tenant.routing)) tenant.routing[kind] = {};
      }
    }
    return route.fulfill({ response: answer, json: bare(told) });
  });
}

export const looks = {
  async every_screen_is_sound_in_every_look_under_the_palette_under_a_dialog_without_answers_and_without_data({ s, b, shop, figure }) {
    const all = await screens(s, b, shop);
    const took = [];
    const walk = async (name, wires, see) => {
      const began = Date.now();
      const me = await walker(s, b, wires);
      for (const path of all) {
        await me.to(path);
        await see(me, path);
      }
      took.push(`${name} ${((Date.now() - began) / 1000).toFixed(0)} s`);
      await me.context.close();
      return me.complaints;
    };
    assert.deepEqual(await walk('as it is', undefined, async ({ page }, path) => {
      await faults(page, path);
      for (const [keys, what] of [['Control+k', 'palette'], ['?', 'keys']]) {
        // A key is a command only where nothing is being typed.
        await page.evaluate(() => document.activeElement?.blur());
        await page.keyboard.press(keys);
        await page.getByRole('dialog').waitFor();
        await faults(page, `${path}, ${what}`, '[role=dialog]');
        await page.keyboard.press('Escape');
        await page.getByRole('dialog').waitFor({ state: 'detached' });
      }
    }), []);
    const silent = [];
    await walk('without answers', broken, async ({ page }, path) => {
      // These show what the browser and the event socket know.
      if (!['/w', '/wall', '/me'].includes(path) && !await page.locator('#main [role=alert]').first().waitFor({ timeout: 2_000 }).then(() => true, () => false)) silent.push(path);
      await faults(page, `${path}, no answer`, '#main');
    });
    assert.deepEqual(silent, [], 'screens that say nothing where there was no answer');
    const dumb = [];
    assert.deepEqual(await walk('without data', empty, async ({ page }, path) => {
      const blank = await page.locator('#main table').evaluateAll((tables) => tables.filter((table) => table.tBodies.length === 0 || [...table.tBodies].every((body) => body.rows.length === 0))
        // What stands beside the table in its box says why there is nothing in it.
        .filter((table) => table.parentElement.innerText.trim() === table.innerText.trim()).map((table) => table.caption?.innerText ?? 'a table'));
      if (blank.length || await page.locator('#main').innerText() === '') dumb.push(`${path}: ${blank.join(', ')}`);
      await faults(page, `${path}, empty`, '#main');
    }), []);
    assert.deepEqual(dumb, [], 'screens that say nothing where there is nothing');
    figure(`${all.length} screens in 4 looks and 5 states: ${took.join(', ')}`);
  },

  async whoever_sets_text_wider_still_reads_all_of_it({ s, b, shop, figure }) {
    // WCAG 2.1, 1.4.12.
    const WIDE = '* { line-height: 1.5 !important; letter-spacing: 0.12em !important; word-spacing: 0.16em !important; } p { margin-bottom: 2em !important; }';
    const spaced = (page) => page.evaluate((css) => {
      for (const root of [document, ...[...document.querySelectorAll('ringdesk-chat')].map((n) => n.shadowRoot)]) {
        const sheet = new CSSStyleSheet();
        sheet.replaceSync(css);
        root.adoptedStyleSheets = [...root.adoptedStyleSheets, sheet];
      }
    }, WIDE);
    /** Text that is outside of what clips it, or of the button it stands on. */
    const cut = (page) => page.evaluate(() => {
      const found = [];
      const up = (node) => node.parentElement ?? (node.getRootNode() instanceof ShadowRoot ? node.getRootNode().host : null);
      const look = (root) => {
        const texts = document.createTreeWalker(root, NodeFilter.SHOW_TEXT | NodeFilter.SHOW_ELEMENT);
        for (let node = texts.nextNode(); node; node = texts.nextNode()) {
          if (node.shadowRoot) look(node.shadowRoot);
          if (node.nodeType !== Node.TEXT_NODE || !node.data.trim()) continue;
          const element = node.parentElement;
          if (!element?.checkVisibility({ visibilityProperty: true }) || element.closest('.sr-only, style, script, option, svg')) continue;
          const range = document.createRange();
          range.selectNodeContents(node);
          const rects = [...range.getClientRects()].filter((r) => r.width > 0);
          // A name that is too long for its line is cut with or without: its end is said by the dots.
          for (let box = element; box; box = up(box)) {
            const style = getComputedStyle(box);
            if (style.textOverflow === 'ellipsis') break;
            const clips = [/hidden|clip/.test(style.overflowX), /hidden|clip/.test(style.overflowY)];
            const holds = box.matches('button, .chip, .kbd, a.btn');
            const at = box.getBoundingClientRect();
            const [wide, high] = [clips[0] || holds, clips[1] || holds];
            if (rects.some((r) => (wide && (r.left < at.left - 1 || r.right > at.right + 1)) || (high && (r.top < at.top - 2 || r.bottom > at.bottom + 2)))) found.push(`${box.tagName.toLowerCase()}.${box.className}: ${node.data.trim().slice(0, 40)}`);
            // What can be scrolled is not lost.
            if (/auto|scroll/.test(style.overflowX + style.overflowY)) break;
          }
        }
      };
      look(document.body);
      if (document.documentElement.scrollWidth > innerWidth) found.push(`the page is ${document.documentElement.scrollWidth} pixels wide in ${innerWidth}`);
      return found;
    });
    const me = await walker(s, b);
    const all = await screens(s, b, shop);
    let looked = 0;
    for (const [lang, width] of [['en', 1440], ['zh-CN', 1000]]) {
      await me.page.setViewportSize({ width, height: 900 });
      for (const path of all) {
        await me.to(path);
        if (looked === 0) await spaced(me.page);
        await look(me.page, lang, 'light');
        assert.deepEqual(await cut(me.page), [], `${path}, ${lang}, ${width} pixels`);
        looked += 1;
      }
    }
    const guest = await person(b, { width: 400, height: 720 });
    const w = await visits(guest, shop);
    await w.open();
    await spaced(guest.page);
    assert.deepEqual(await cut(guest.page), [], 'the widget');
    // And what is cut is found: a line of text in a box that is too low for two.
    await guest.page.setContent('<!doctype html><title>Cut</title><div style="height: 20px; width: 60px; overflow: hidden">more than one line</div>');
    assert.equal((await cut(guest.page)).length, 1);
    figure(`${looked + 1} screens`);
    assert.deepEqual(me.complaints, []);
  },

  async states_are_told_apart_by_shape_and_word_where_there_is_no_colour({ s, b, figure }) {
    const STATES = ['ready', 'not_ready', 'away', 'signed_out', 'alerting', 'talking', 'hold', 'wrap_up'];
    const susan = await person(b, { scale: 4 });
    const { page } = susan;
    await page.routeWebSocket(/\/api\/v1\/events/, (line) => {
      const server = line.connectToServer();
      server.onMessage((message) => {
        const told = JSON.parse(String(message));
        if (told.type === 'view') return;
        if (told.type === 'snapshot') {
          const since = told.view.at;
          told.view.agents = Object.fromEntries(STATES.map((state, n) => [state, {
            name: `Agent ${n}`, console: true, phone: true, since, skills: {}, state: n < 4 ? state : 'ready', work: n < 4 ? [] : [{ channel: 'voice', interaction: `i${n}`, since, work: state }],
          }]));
        }
        line.send(JSON.stringify(told));
      });
    });
    await signIn(page, s.origin, 'susan', s.users.susan);
    await page.goto(`${s.origin}/wall`);
    const cdp = await page.context().newCDPSession(page);
    await cdp.send('Emulation.setEmulatedVisionDeficiency', { type: 'achromatopsia' });
    const eye = await (await b.newContext()).newPage();
    /** How much of two pictures is not the same, of what is drawn in either. */
    const apart = (one, other) => eye.evaluate(async (pictures) => {
      const ink = await Promise.all(pictures.map(async (data) => {
        const image = new Image();
        image.src = `data:image/png;base64,${data}`;
        await image.decode();
        const canvas = new OffscreenCanvas(image.width, image.height);
        const draw = canvas.getContext('2d');
        draw.drawImage(image, 0, 0);
        const { data: dots } = draw.getImageData(0, 0, image.width, image.height);
        const grey = Array.from({ length: dots.length / 4 }, (_, n) => dots[4 * n]);
        const ground = grey[0];
        return { width: image.width, at: new Set(grey.flatMap((g, n) => (Math.abs(g - ground) > 40 ? [n] : []))), coloured: grey.some((_, n) => Math.abs(dots[4 * n] - dots[4 * n + 2]) > 8) };
      }));
      const [x, y] = ink;
      const both = [...x.at].filter((n) => y.at.has(n)).length;
      const either = x.at.size + y.at.size - both;
      return { differs: either ? 1 - both / either : 0, coloured: x.coloured || y.coloured };
    }, [one, other]);
    let least = 1;
    for (const [lang, theme] of [['en', 'light'], ['zh-CN', 'dark']]) {
      await look(page, lang, theme);
      const rows = page.getByRole('list', { name: /^(Agents|坐席)$/ }).getByRole('listitem');
      await eventually(async () => assert.equal(await rows.count(), STATES.length));
      const shapes = [];
      const words = [];
      for (let n = 0; n < STATES.length; n += 1) {
        const row = rows.filter({ hasText: `Agent ${n}` });
        const shape = row.locator('span[aria-hidden=true]').first();
        shapes.push((await shape.screenshot()).toString('base64'));
        words.push(await shape.locator('xpath=following-sibling::span').innerText());
      }
      assert.equal(new Set(words).size, STATES.length, `each has its word: ${words.join(', ')}`);
      for (let n = 0; n < shapes.length; n += 1) {
        for (let m = 0; m < n; m += 1) {
          const { differs, coloured } = await apart(shapes[n], shapes[m]);
          assert.ok(!coloured, 'the pictures are grey');
          assert.ok(differs > 0.2, `${words[n]} and ${words[m]} look alike: ${(100 * differs).toFixed(0)} % of their ink differs`);
          least = Math.min(least, differs);
        }
      }
    }
    figure(`${STATES.length} states, the two most alike differ in ${(100 * least).toFixed(0)} % of their ink`);
    assert.deepEqual(susan.complaints, []);
  },

  async a_language_and_a_theme_chosen_in_one_tab_hold_in_the_other_and_no_word_of_the_old_one_stays({ s, b, shop, figure }) {
    const all = await screens(s, b, shop, { over: true });
    const me = await walker(s, b);
    const { page } = me;
    // Times go on; words stay.
    const words = async () => (await page.locator('body').innerText()).replaceAll(/[\d:.,/ ]+/g, ' ').split('\n').map((l) => l.trim()).filter(Boolean);
    for (const path of all) {
      await look(page, 'en', 'light');
      await me.to(path);
      await look(page, 'zh-CN', 'dark');
      const switched = await words();
      await page.goto(`${s.origin}${path}`);
      await page.locator('h1').first().waitFor();
      await me.quiet();
      await eventually(async () => {
        const opened = await words();
        assert.deepEqual(switched.filter((line) => !opened.includes(line)), [], `${path}: what is not said where it is opened in Chinese`);
      });
    }
    // As people do it: in a tab of their own.
    const other = await me.context.newPage();
    await other.goto(`${s.origin}/me`);
    await other.getByLabel('语言').selectOption('en');
    await other.getByRole('button', { name: 'Light', exact: true }).click();
    await page.getByRole('navigation', { name: 'Screens' }).or(page.getByRole('link', { name: 'Wallboard' })).first().waitFor();
    await eventually(async () => assert.deepEqual(await page.evaluate(() => [document.documentElement.lang, document.documentElement.dataset.theme]), ['en', 'light']));
    figure(`${all.length} screens`);
    assert.deepEqual(me.complaints, []);
  },
};
