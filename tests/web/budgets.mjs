// What a page may cost whoever looks at it. Judged is what does not hang on the machine's other work: the page's own time on the
// processor, what is asked for, what is drawn, what moves. What a clock on the wall says is told, and judged by whoever reads it.

import assert from 'node:assert/strict';
import { agent, beginChat, eventually, person, signIn, visits } from './kit.mjs';

/** Most of a page's own processor time, ms (CONSOLE.md, section 4): until it is first painted, by a key, for a conversation. */
const COLD = 1_500;
const WARM = 400;
const KEY = 100;
const CLICK = 200;
const CONVERSATION = 500;

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

/** Asks how long the page's own thread has been at work since it was asked before, ms. */
async function thread(page) {
  const cdp = await page.context().newCDPSession(page);
  await cdp.send('Performance.enable', { timeDomain: 'threadTicks' });
  let was = 0;
  const all = async () => 1000 * (await cdp.send('Performance.getMetrics')).metrics.find((m) => m.name === 'TaskDuration').value;
  const since = async () => {
    const now = await all();
    const took = now - was;
    was = now;
    return took;
  };
  // `all`: since the document that is shown was begun.
  return Object.assign(since, { all });
}

/** Twice painted since: what an event changed is on the screen. */
const painted = (page) => page.evaluate(() => new Promise((done) => { requestAnimationFrame(() => requestAnimationFrame(done)); }));

export const budgets = {
  async the_console_is_there_within_its_budgets_and_answers_keys_and_clicks_at_once({ s, b, figure }) {
    const paint = async (p) => p.evaluate(() => new Promise((done) => {
      const seen = performance.getEntriesByName('first-contentful-paint')[0];
      if (seen) return done(seen.startTime);
      new PerformanceObserver((list) => { const e = list.getEntriesByName('first-contentful-paint')[0]; if (e) done(e.startTime); }).observe({ type: 'paint', buffered: true });
    }));
    const opened = { cold: [], warm: [] };
    for (let n = 0; n < 5; n += 1) {
      const somebody = await person(b);
      const busy = await thread(somebody.page);
      for (const [how, go] of [['cold', () => somebody.page.goto(s.origin)], ['warm', () => somebody.page.reload()]]) {
        await go();
        const wall = await paint(somebody.page);
        opened[how].push([wall, await busy.all()]);
      }
      await somebody.context.close();
    }
    const [cold, warm] = [opened.cold, opened.warm].map((all) => [median(all.map(([wall]) => wall)), median(all.map(([, work]) => work))]);
    figure(`first paint ${cold[0].toFixed(0)} ms cold, ${warm[0].toFixed(0)} ms warm; at work for it ${cold[1].toFixed(0)} and ${warm[1].toFixed(0)} ms`);

    for (let n = 0; n < 60; n += 1) await s.ask('POST', '/tickets', { title: `Parcel ${n}`, queue: n % 2 ? 'support' : 'sales' });
    const susan = await person(b);
    const { page } = susan;
    await page.addInitScript(() => {
      window.felt = [];
      new PerformanceObserver((list) => { for (const e of list.getEntries()) if (e.interactionId) window.felt.push(e.duration); }).observe({ type: 'event', durationThreshold: 16 });
    });
    await signIn(page, s.origin, 'susan', s.users.susan);
    const busy = await thread(page);
    const took = [];
    /** Does it five times; what it changes must be seen before it counts, and is undone outside of the count. */
    const tries = async (what, most, act, seen, undo) => {
      const [work, wall] = [[], []];
      for (let n = 0; n < 5; n += 1) {
        await painted(page);
        await busy();
        const from = await page.evaluate(() => performance.now());
        await act();
        await seen();
        await painted(page);
        work.push(await busy());
        wall.push(await page.evaluate((then) => performance.now() - then, from));
        await undo();
      }
      took.push([what, most, median(work), median(wall)]);
    };
    const dialog = page.getByRole('dialog');
    const escape = async () => { await page.keyboard.press('Escape'); await dialog.waitFor({ state: 'detached' }); };
    await tries('the palette by its key', KEY, () => page.keyboard.press('Control+k'), () => dialog.getByRole('combobox').waitFor(), escape);
    await page.keyboard.press('Control+k');
    await dialog.getByRole('combobox').waitFor();
    await tries('a letter in it', KEY, () => page.keyboard.press('w'), () => eventually(async () => assert.equal(await dialog.getByRole('combobox').inputValue(), 'w')), () => page.keyboard.press('Backspace'));
    await escape();
    await page.goto(`${s.origin}/tickets`);
    const rows = page.locator('tbody tr');
    await eventually(async () => assert.equal(await rows.count(), 50));
    await page.locator('body').click({ position: { x: 5, y: 880 } });
    await tries('the next of fifty tickets by its key', KEY, () => page.keyboard.press('j'), () => page.locator('tbody a:focus').waitFor(), async () => {});
    await tries('choosing it by its key', KEY, () => page.keyboard.press('x'), () => page.getByRole('toolbar').waitFor(), async () => { await page.keyboard.press('x'); await page.getByRole('toolbar').waitFor({ state: 'detached' }); });
    await tries('a dialog by a click', CLICK, () => page.getByRole('button', { name: 'New ticket' }).click(), () => dialog.waitFor(), escape);
    await tries('another list by a click', CLICK, () => page.getByRole('button', { name: 'No owner' }).click(), () => page.getByRole('button', { name: 'No owner', pressed: true }).waitFor(), () => page.getByRole('button', { name: 'Open', exact: true }).click());
    const felt = await page.evaluate(() => window.felt);
    figure(`${took.map(([what, , work, wall]) => `${what}: ${work.toFixed(0)} ms at work, seen after ${wall.toFixed(0)} ms`).join('; ')}; longest of ${felt.length} felt interactions ${Math.max(0, ...felt)} ms`);
    // A slower processor is slower at this too.
    assert.ok(cold[1] <= COLD * s.slow && warm[1] <= WARM * s.slow, 'until it is there');
    for (const [what, most, work] of took) assert.ok(work <= most * s.slow, `${what}: ${work.toFixed(0)} ms at work`);
    assert.deepEqual(susan.complaints, []);
  },

  async a_conversation_of_ten_thousand_messages_opens_with_one_page_of_them({ s, b, shop, figure }) {
    const MANY = 10_000;
    const PAGE = 100;
    const anna = await agent(b, s);
    const { page } = anna;
    const guest = await person(b, { width: 1000, height: 720 });
    await beginChat(await visits(guest, shop), 'Li Na');
    await page.getByRole('button', { name: /^Accept/ }).click();
    await page.getByRole('log').waitFor();
    const [{ id }] = (await s.ask('GET', '/interactions?live=true&channel=webchat')).interactions;
    // Nobody looks meanwhile: ten thousand messages drawn as they come are another matter.
    await guest.context.close();
    await page.goto(`${s.origin}/me`);
    const began = Date.now();
    const cookie = (await anna.context.cookies()).map((c) => `${c.name}=${c.value}`).join('; ');
    const { csrf } = await (await fetch(`${s.origin}/api/v1/me`, { headers: { cookie } })).json();
    let next = 0;
    await Promise.all(Array.from({ length: 16 }, async () => {
      while (next < MANY) {
        next += 1;
        const n = next;
        const answer = await fetch(`${s.origin}/api/v1/interactions/${id}/messages`, {
          method: 'POST', headers: { 'content-type': 'application/json', 'x-csrf-token': csrf, cookie, origin: s.origin }, body: JSON.stringify({ client_id: `m${n}`, body: `line ${n}: a lamp, a parcel, and everything else there is to say of them` }),
        });
        if (!answer.ok) throw new Error(await answer.text());
      }
    }));
    const written = (Date.now() - began) / 1000;
    await page.goto(`${s.origin}/tickets`);
    await page.locator('h1').first().waitFor();
    let answers = [];
    let open = 0;
    page.on('request', () => { open += 1; });
    for (const over of ['requestfinished', 'requestfailed']) page.on(over, () => { open -= 1; });
    page.on('response', (answer) => { if (answer.url().includes('/api/v1/')) answers.push(answer.body().then((body) => [body.length, answer.url()], () => [0, answer.url()])); });
    const busy = await thread(page);
    const count = () => page.evaluate(() => document.querySelectorAll('*').length);
    const opens = async (path, item) => {
      await eventually(async () => assert.ok(await count() < 1_000));
      await busy();
      answers = [];
      const from = Date.now();
      await page.evaluate((to) => { history.pushState(null, '', to); dispatchEvent(new PopStateEvent('popstate')); }, path);
      await eventually(async () => assert.ok(await page.locator(item).count() >= PAGE));
      const wall = Date.now() - from;
      // What was asked for in the background counts as well.
      for (let calm = 0; calm < 5; calm = open > 0 ? 0 : calm + 1) await painted(page);
      const work = await busy();
      const sizes = await Promise.all(answers);
      return { work, wall, asked: sizes.length, bytes: sizes.reduce((n, [size]) => n + size, 0), largest: sizes.toSorted(([x], [y]) => y - x)[0], items: await page.locator(item).count(), nodes: await count() };
    };
    const told = [];
    const [ticket] = (await s.ask('GET', '/tickets')).tickets;
    // A ticket's log is one answer, whole; of it, too, only the end is drawn.
    for (const [where, path, item, most] of [['at the desk', `/w/${id}`, '[role=log] li', 150_000], ['afterwards', `/calls/${id}`, 'main ol li', 150_000], ['its ticket', `/tickets/${ticket.id}`, 'main ol li', 4_000_000]]) {
      const seen = await opens(path, item);
      told.push(`${where}: ${seen.work.toFixed(0)} ms at work, ${seen.asked} answers of ${(seen.bytes / 1000).toFixed(0)} kB, ${seen.items} rows, ${seen.nodes} nodes, ${seen.wall} ms`);
      figure(told.at(-1));
      assert.ok(seen.work <= CONVERSATION * s.slow, `${seen.work.toFixed(0)} ms at work`);
      assert.ok(seen.asked <= 15 && seen.bytes <= most, `one page of it is asked for, not ${seen.largest}`);
      assert.ok(seen.nodes <= 3_000, 'one page of it is drawn');
      await page.evaluate((to) => { history.pushState(null, '', to); dispatchEvent(new PopStateEvent('popstate')); }, '/tickets');
      await page.locator('table').first().waitFor();
    }
    figure(`${MANY} messages written in ${written.toFixed(0)} s`);
    assert.deepEqual(anna.complaints, []);
  },

  async the_widget_moves_nothing_of_the_page_it_stands_on_and_asks_for_little_until_it_is_opened({ s, b, shop, figure }) {
    const watch = () => {
      window.moved = [];
      // A page with something on it that could move.
      addEventListener('DOMContentLoaded', () => { for (let n = 0; n < 40; n += 1) document.querySelector('main').append(Object.assign(document.createElement('p'), { textContent: `A lamp, number ${n}` })); });
      new PerformanceObserver((list) => { for (const e of list.getEntries()) window.moved.push(`${e.value.toFixed(4)}${e.hadRecentInput ? ' by hand' : ''}: ${e.sources.map((of) => `${of.node?.className ?? of.node} from ${Math.round(of.previousRect.top)} to ${Math.round(of.currentRect.top)}`).join(', ')}`); }).observe({ type: 'layout-shift', buffered: true });
    };
    const all = async (page) => { await painted(page); await painted(page); return page.evaluate(() => window.moved); };
    /** What has moved by itself, once what has happened is drawn: as the measure has it, not what a hand just asked for. */
    const moved = async (page) => (await all(page)).filter((m) => !m.includes('by hand'));
    const guest = await person(b, { width: 1000, height: 720 });
    const { page } = guest;
    await page.addInitScript(watch);
    const asked = [];
    page.on('response', (answer) => { if (answer.url().startsWith(s.origin)) asked.push([new URL(answer.url()).pathname, answer.body().then((body) => body.length, () => 0)]); });
    const w = await visits(guest, shop);
    await w.widget.locator('button.open').waitFor();
    assert.deepEqual(await moved(page), [], 'as it comes');
    const first = asked.splice(0);
    assert.deepEqual([...new Set(first.map(([path]) => path))].sort(), ['/chat/v1/look', '/widget.js'], 'until it is opened');
    await beginChat(w, 'Li Na');
    await w.widget.locator('.log [data-key]').first().waitFor();
    await w.widget.locator('textarea').fill('Where is my order?');
    await w.widget.locator('textarea').press('Enter');
    await w.widget.getByText('Where is my order?').waitFor();
    await w.widget.locator('button.shut').click();
    assert.deepEqual(await moved(page), [], 'opened, used and closed');
    // What does move is seen.
    await page.evaluate(() => document.querySelector('main').prepend(Object.assign(document.createElement('div'), { style: 'height: 200px' })));
    await eventually(async () => assert.ok((await all(page)).length > 0, 'a page that moves'));
    const sizes = await Promise.all(first.map(([, size]) => size));
    figure(`before it is opened ${first.length} answers, ${(sizes.reduce((n, size) => n + size, 0) / 1000).toFixed(1)} kB unpacked`);
    assert.deepEqual(guest.complaints, []);
  },
};
