// What used to be set by file only: promises, who may call out where, carriers, what the house is called.

import assert from 'node:assert/strict';
import { eventually, faults, person, signIn } from './kit.mjs';

/** Looks at the differences and puts them in force. */
async function inForce(page, expected) {
  await page.getByRole('button', { name: 'Check and show changes' }).click();
  const diff = page.getByRole('dialog', { name: 'What changes' });
  for (const words of expected) await diff.getByText(words).first().waitFor();
  await diff.getByRole('button', { name: 'Put in force' }).click();
  await page.getByText('The configuration is in force').first().waitFor();
}

export const rules = {
  async an_administrator_sets_promises_the_toll_guard_and_a_carrier_by_forms({ s, b }) {
    const { page } = await person(b);
    await signIn(page, s.origin, 'admin', s.users.admin);
    await page.goto(`${s.origin}/admin/rules`);
    await page.getByRole('textbox', { name: /^Country code/ }).fill('32');
    await page.getByRole('button', { name: 'New promise' }).click();
    const asked = page.getByRole('dialog', { name: 'New promise' });
    await asked.getByLabel('Id').fill('gold');
    await asked.getByLabel('Name').fill('Gold');
    await asked.getByRole('button', { name: 'Add' }).click();
    const sheet = page.getByRole('dialog', { name: 'gold', exact: true });
    await sheet.getByLabel('First reply within, minutes').fill('15');
    await sheet.getByRole('checkbox', { name: 'Holds where a ticket names none' }).check();
    await faults(page, 'a promise');
    await sheet.getByRole('button', { name: 'Keep in the draft' }).click();
    await page.getByLabel('Open in any case').fill('+31* 1818');
    await page.getByLabel('No call longer than, minutes').fill('90');
    await page.getByRole('spinbutton', { name: 'each agent: Calls' }).fill('40');
    await faults(page, 'rules');
    await inForce(page, ['gold:', 'first_reply_min: 15', 'max_call_min: 90', 'calls_h: 40']);

    await page.getByRole('link', { name: 'Trunks', exact: true }).click();
    await page.getByRole('button', { name: 'New trunk' }).click();
    const named = page.getByRole('dialog', { name: 'New trunk' });
    await named.getByLabel('Id').fill('belgian');
    await named.getByRole('button', { name: 'Add' }).click();
    const carrier = page.getByRole('dialog', { name: 'belgian', exact: true });
    await carrier.getByRole('textbox', { name: /^Login/ }).fill('lotus');
    await faults(page, 'a carrier');
    await carrier.getByRole('button', { name: 'Keep in the draft' }).click();
    // What is wrong is said before anything is in force.
    await page.getByRole('button', { name: 'Check and show changes' }).click();
    await page.getByText(/trunks\.belgian\.host: is empty/).waitFor();
    await page.getByText(/username and password_secret come together/).waitFor();
    await page.getByRole('button', { name: 'belgian', exact: true }).click();
    await carrier.getByRole('textbox', { name: /^Host/ }).fill('127.0.0.1:5999');
    await carrier.getByLabel('Secret with the password').fill('belgian');
    await carrier.getByLabel('It logs in with us as').fill('belgian-in');
    await carrier.getByLabel('Secret with its password').fill('belgian_in');
    await carrier.getByLabel('Addresses calls come from').fill('192.0.2.1, 192.0.2.2');
    await carrier.getByLabel('Transport').selectOption('udp');
    await carrier.getByRole('button', { name: 'Keep in the draft' }).click();
    await inForce(page, ['belgian:', 'password_secret: belgian', 'username: belgian-in', 'password_secret: belgian_in', '192.0.2.2']);
    await eventually(async () => {
      const text = await page.evaluate(async () => (await fetch('/api/v1/config')).text());
      for (const line of ['default_sla: gold', 'country: ', '+31*', '127.0.0.1:5999']) assert.ok(text.includes(line), line);
    });
  },
};
