// Webhooks in the console: made, tried, seen to fail and to come back, told again.

import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { eventually, faults, person, signIn } from './kit.mjs';

/** A program outside that keeps what it is sent. */
async function receiver() {
  const got = [];
  const me = { got, answer: 200 };
  const server = createServer((request, response) => {
    let text = '';
    request.on('data', (part) => { text += part; });
    request.on('end', () => {
      got.push({ id: request.headers['webhook-id'], at: request.headers['webhook-timestamp'], signatures: request.headers['webhook-signature'], text, body: JSON.parse(text), answered: me.answer });
      response.writeHead(me.answer).end('noted');
    });
  });
  await new Promise((done) => { server.listen(0, '127.0.0.1', done); });
  me.url = `http://127.0.0.1:${server.address().port}/in`;
  me.end = () => { server.closeAllConnections(); server.close(); };
  return me;
}

const fits = (g, secret) => {
  const key = Buffer.from(secret.replace('whsec_', ''), 'base64');
  const want = `v1,${createHmac('sha256', key).update(`${g.id}.${g.at}.${g.text}`).digest('base64')}`;
  return g.signatures.split(' ').includes(want);
};

export const hooks = {
  async an_administrator_makes_a_webhook_tries_it_and_has_what_failed_told_again({ s, b, figure }) {
    await s.stop();
    writeFileSync(join(s.data, 'ringdesk.toml'), '[webhooks]\nallow = ["127.0.0.0/8"]\n');
    await s.start();
    const outside = await receiver();
    try {
      const { page } = await person(b);
      await signIn(page, s.origin, 'admin', s.users.admin);
      await page.goto(`${s.origin}/admin/webhooks`);
      await page.getByRole('button', { name: 'New webhook' }).click();
      const form = page.getByRole('dialog', { name: 'New webhook' });
      await form.getByLabel('Name').fill('crm');
      await form.getByLabel('Address').fill('https://10.0.0.1/in');
      await form.getByRole('button', { name: 'Create' }).click();
      await page.getByText('10.0.0.1 is not on the public internet').waitFor();
      await form.getByLabel('Address').fill(outside.url);
      await form.getByRole('checkbox', { name: 'Contacts' }).uncheck();
      assert.ok(await form.getByRole('checkbox', { name: 'Tickets' }).isChecked());
      await form.getByRole('button', { name: 'Create' }).click();
      const once = page.getByRole('dialog', { name: 'crm' });
      const secret = (await once.locator('code').textContent()).trim();
      assert.match(secret, /^whsec_/);
      await once.getByRole('button', { name: 'Close' }).click();

      const row = page.getByRole('row', { name: /^crm / });
      await row.getByText('told').waitFor();
      await page.getByRole('button', { name: 'Test: crm' }).click();
      await page.getByText(/^The trial was taken \(200/).waitFor();
      await s.ask('POST', '/tickets', { title: 'Broken box' });
      await eventually(async () => assert.ok(outside.got.some((g) => g.body.type === 'ticket')));
      assert.ok(outside.got.every((g) => fits(g, secret)), JSON.stringify(outside.got));

      outside.answer = 500;
      await s.ask('POST', '/tickets', { title: 'Lost box' });
      await row.getByText(/fails since/).waitFor();
      await page.getByRole('button', { name: 'Deliveries: crm' }).click();
      const log = page.getByRole('region', { name: 'Deliveries of crm' });
      await log.getByRole('row', { name: /waiting/ }).first().waitFor();
      outside.answer = 200;
      const failed = Date.now();
      await log.getByRole('button', { name: /^Give up/ }).first().waitFor({ state: 'detached' });
      figure(`told ${Date.now() - failed} ms after the receiver came back`);
      const before = outside.got.length;
      await log.getByRole('button', { name: /^Tell again: ticket/ }).first().click();
      await page.getByText('1 events will be told again.').waitFor();
      await eventually(async () => assert.ok(outside.got.length > before));
      assert.ok(outside.got.slice(0, before).some((g) => g.id === outside.got[before].id), 'under the same id');
      await log.getByRole('button', { name: /^Show: ticket/ }).first().click();
      const shown = page.getByRole('dialog', { name: /^ticket #/ });
      await shown.getByText('webhook-signature: v1,***').waitFor();
      await shown.getByText('noted').waitFor();
      await faults(page, 'one delivery');
      await shown.getByRole('button', { name: 'Close' }).click();
      await faults(page, 'webhooks');

      await page.getByRole('button', { name: 'Remove: crm' }).click();
      await page.getByRole('dialog', { name: 'Remove crm?' }).getByRole('button', { name: 'Remove' }).click();
      await page.getByText('No webhooks yet.').waitFor();
    } finally { outside.end(); }
  },
};
