// What is kept how long, what is held, and who is forgotten, as an administrator decides it in the console.

import assert from 'node:assert/strict';
import { eventually, faults, person, signIn, visits } from './kit.mjs';

export const keeping = {
  async an_administrator_sees_what_would_go_before_a_period_is_in_force({ s, b }) {
    const { page } = await person(b);
    await signIn(page, s.origin, 'admin', s.users.admin);
    await page.goto(`${s.origin}/admin/retention`);
    const days = page.getByLabel('Recordings and voicemail: Kept for days');
    await days.fill('30');
    await page.locator('[data-go="recordings"]').getByText('0').waitFor();
    await page.getByLabel('States of agents and counts: Kept for days').fill('3');
    await page.getByRole('button', { name: 'Apply' }).click();
    const sure = page.getByRole('dialog', { name: 'Delete what is older?' });
    await sure.getByRole('button', { name: 'Apply' }).click();
    await page.getByText(/journal_days: 3 is too short/).waitFor();
    await page.getByLabel('States of agents and counts: Kept for days').fill('60');
    await page.getByRole('button', { name: 'Apply' }).click();
    await sure.getByText('Nothing is older now.').waitFor();
    await sure.getByRole('button', { name: 'Apply' }).click();
    await page.getByText('The periods are in force.').waitFor();
    const kept = await s.ask('GET', '/retention');
    assert.deepEqual([kept.periods.recordings, kept.periods.journal, kept.periods.contacts], [30, 60, 0]);
    await faults(page, 'retention');
    await page.close();
  },

  async a_customer_who_is_held_is_not_erased_and_one_who_is_not_is_nowhere({ s, b, shop }) {
    await s.configure((yaml) => yaml.replace(/^( *)gone_s: 600$/m, '$1gone_s: 600\n$1offline:\n$1  queue: support\n$1  when_nobody: true'));
    const w = await visits(await person(b, { width: 1000, height: 720 }), shop);
    await w.open();
    const form = w.widget.locator('form.offline');
    await form.locator('input').nth(0).fill('Li Na');
    await form.locator('input').nth(1).fill('li.na@example.com');
    await form.locator('textarea').fill('Where is my lamp?');
    await form.getByRole('button').click();
    await form.getByText('We have your message').waitFor();
    const { page } = await person(b);
    await signIn(page, s.origin, 'admin', s.users.admin);
    const { customers } = await s.ask('GET', '/customers?q=Li');
    const id = customers[0].id;
    const name = customers[0].name;
    const { tickets } = await s.ask('GET', '/tickets');
    assert.equal(tickets[0].title, 'Message from Li Na');
    await page.goto(`${s.origin}/customers/${id}`);
    await page.getByRole('button', { name: 'Hold' }).click();
    const why = page.getByRole('dialog', { name: /^Hold/ });
    await why.getByLabel('Reason').fill('case 7');
    await why.getByRole('button', { name: 'Hold' }).click();
    await page.getByText('Held: case 7').waitFor();
    await page.getByRole('button', { name: 'Erase' }).click();
    const sure = page.getByRole('dialog', { name: /^Erase everything/ });
    await sure.getByText('Nothing can be erased while it is held').waitFor();
    assert.ok(await sure.getByRole('button', { name: 'Erase for good' }).isDisabled());
    await faults(page, 'erasure of somebody who is held');
    await sure.getByRole('button', { name: 'Cancel' }).click();
    await page.getByRole('button', { name: 'Lift' }).click();
    await page.getByRole('dialog', { name: 'Lift the hold?' }).getByRole('button', { name: 'Lift' }).click();
    await page.getByText('Held: case 7').waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Erase' }).click();
    await sure.getByRole('button', { name: 'Erase for good' }).click();
    await page.getByRole('heading', { name: /^Erased at their wish/ }).waitFor();
    await eventually(async () => assert.ok((await s.ask('GET', `/customers/${id}/erasure`)).done_at));
    const told = JSON.stringify([await s.ask('GET', `/customers/${id}`), await s.ask('GET', `/customers/${id}/timeline`), await s.ask('GET', `/customers?q=${encodeURIComponent(name)}`), await s.ask('GET', `/tickets/${tickets[0].id}`)]);
    assert.ok(!told.includes(name), told);
    await page.close();
  },
};
