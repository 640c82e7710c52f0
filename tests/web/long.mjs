// Long chats: they come by pages, at the visitor's as at the agent's, and whoever reads stays where they read.

import assert from 'node:assert/strict';
import { agent, beginChat, eventually, faults, person, visits } from './kit.mjs';

/** Messages an agent has written, besides the few of the beginning. */
const MANY = 420;
const PAGE = 100;

/** Reads upwards until a page more is there; by how much what was being read has moved, pixels. */
async function upwards(log, item) {
  const before = await log.evaluate((node, of) => {
    node.scrollTop = 160;
    const top = node.getBoundingClientRect().top;
    const read = [...node.querySelectorAll(of)].find((m) => m.getBoundingClientRect().bottom > top + 40);
    read.dataset.read = 'here';
    return { count: node.querySelectorAll(of).length, at: read.getBoundingClientRect().top - top };
  }, item);
  await eventually(async () => assert.ok(await log.evaluate((node, of) => node.querySelectorAll(of).length, item) > before.count));
  const at = await log.evaluate((node) => {
    const read = node.querySelector('[data-read=here]');
    delete read.dataset.read;
    return read.getBoundingClientRect().top - node.getBoundingClientRect().top;
  });
  return Math.abs(at - before.at);
}

export const long = {
  async a_chat_of_hundreds_of_messages_comes_by_pages_at_both_ends_and_who_reads_stays_where_they_read({ s, b, shop, figure }) {
    const anna = await agent(b, s);
    const guest = await person(b, { width: 1000, height: 720 });
    const w = await visits(guest, shop);
    await beginChat(w, 'Li Na');
    await anna.page.getByRole('button', { name: /^Accept/ }).click();
    await anna.page.getByRole('log').waitFor();
    const [{ id }] = (await s.ask('GET', '/interactions?live=true&channel=webchat')).interactions;
    await anna.page.evaluate(async ([chat, many]) => {
      const { csrf } = await (await fetch('/api/v1/me')).json();
      for (let n = 1; n <= many; n += 1) {
        const answer = await fetch(`/api/v1/interactions/${chat}/messages`, { method: 'POST', headers: { 'content-type': 'application/json', 'x-csrf-token': csrf }, body: JSON.stringify({ client_id: `m${n}`, body: `line ${n}` }) });
        if (!answer.ok) throw new Error(await answer.text());
      }
    }, [id, MANY]);
    await w.widget.getByText(`line ${MANY}`, { exact: true }).waitFor();

    // The visitor's page, loaded anew: the last of it, the rest while reading upwards.
    await guest.page.reload();
    await w.widget.getByText(`line ${MANY}`, { exact: true }).waitFor();
    const log = w.widget.locator('.log');
    const bubbles = () => log.locator('[data-key]').count();
    await eventually(async () => assert.equal(await bubbles(), PAGE));
    await faults(guest.page, 'a long chat in the widget');
    const moved = [await upwards(log, '[data-key]')];
    assert.ok(await bubbles() <= 2 * PAGE);
    // News while reading above: the place stays.
    const place = () => log.evaluate((node) => node.scrollTop);
    const before = await place();
    await anna.page.getByRole('textbox', { name: 'Write to the customer' }).fill('news');
    await anna.page.keyboard.press('Enter');
    await w.widget.getByText('news', { exact: true }).waitFor({ state: 'attached' });
    assert.equal(await place(), before);
    // By the button, to the beginning; there it is gone.
    const older = log.getByRole('button', { name: 'Earlier messages' });
    await eventually(async () => {
      if (await older.isVisible()) await older.click();
      assert.ok(!await older.isVisible());
    });
    await log.getByText('line 1', { exact: true }).waitFor({ state: 'attached' });
    const keys = await log.locator('[data-key]').evaluateAll((all) => all.map((m) => Number(m.dataset.key.split(' ')[1])));
    assert.deepEqual(keys, keys.toSorted((x, y) => x - y), 'in order, none twice');
    assert.equal(new Set(keys).size, keys.length);

    // The agent's page: no answer of the server has all of it.
    let most = 0;
    anna.page.on('response', (answer) => {
      if (/\/interactions\/[^/]+\/(messages|timeline)/.test(answer.url()) && answer.request().method() === 'GET') {
        void answer.json().then((told) => { most = Math.max(most, (told.messages ?? told.facts.filter((f) => f.fact === 'message')).length); }).catch(() => {});
      }
    });
    const from = Date.now();
    await anna.page.goto(`${s.origin}/w/${id}`);
    await anna.page.getByText('news', { exact: true }).waitFor();
    figure(`opened in ${Date.now() - from} ms`);
    const desk = anna.page.getByRole('log');
    const rows = () => desk.locator('li').count();
    await eventually(async () => assert.ok(await rows() <= PAGE + 1 && await rows() >= PAGE));
    await faults(anna.page, 'a long chat at the desk');
    moved.push(await upwards(desk, 'li'));
    const button = desk.getByRole('button', { name: 'Earlier messages' });
    await eventually(async () => {
      if (await button.isVisible()) await button.click();
      assert.ok(!await button.isVisible());
    });
    await desk.getByText('line 1', { exact: true }).waitFor({ state: 'attached' });
    assert.ok(most > 0 && most <= PAGE, `${most} messages in one answer`);
    assert.ok(moved.every((by) => by <= 2), `what was being read moved by ${moved} pixels`);
    // Afterwards, too.
    await anna.page.goto(`${s.origin}/calls/${id}`);
    await anna.page.getByText('news', { exact: true }).first().waitFor();
    assert.ok(most <= PAGE, `${most} messages in one answer`);
    figure(`moved ${moved.map((by) => by.toFixed(1)).join(' and ')} px`);
    assert.deepEqual([...anna.complaints, ...guest.complaints], []);
  },
};
