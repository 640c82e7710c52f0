// Customers as a list: by pages, by tier, two that are one person.

import assert from 'node:assert/strict';
import { beginChat, eventually, faults, person, signIn, visits } from './kit.mjs';

export const people = {
  async customers_are_listed_by_pages_and_two_of_one_person_become_one_after_they_were_read({ s, b, shop }) {
    const many = 5;
    for (let n = 0; n < many; n += 1) {
      const guest = await person(b, { width: 1000, height: 720 });
      await beginChat(await visits(guest, shop), `Guest 0${n}`);
      await guest.context.close();
    }
    const all = async () => { const rows = []; for (let after = ''; ;) { const page = await s.ask('GET', `/customers?limit=2${after}`); rows.push(...page.customers); if (!page.next) return rows; after = `&after=${page.next}`; } };
    await eventually(async () => assert.equal((await all()).length, many));
    assert.equal(new Set((await all()).map((c) => c.id)).size, many, 'none twice');

    // Agents look and correct; two entries are made one by who supervises.
    const anna = await person(b);
    await signIn(anna.page, s.origin, 'anna', s.users.anna);
    await anna.page.goto(`${s.origin}/customers`);
    await anna.page.getByRole('link', { name: 'Guest 03' }).click();
    await anna.page.getByRole('combobox', { name: 'Tier' }).waitFor();
    assert.equal(await anna.page.getByRole('button', { name: 'Same person as another' }).count(), 0);
    const susan = await person(b);
    const { page } = susan;
    await signIn(page, s.origin, 'susan', s.users.susan);
    // A page of the list is fifty rows; here the server is asked for two.
    await page.route(/\/api\/v1\/customers\?/, (asked) => asked.continue({ url: asked.request().url().replace('limit=50', 'limit=2') }));
    await page.goto(`${s.origin}/customers`);
    const rows = page.locator('tbody tr');
    for (const shown of [2, 4]) {
      await eventually(async () => assert.equal(await rows.count(), shown));
      await page.getByRole('button', { name: 'Show more' }).click();
    }
    await eventually(async () => assert.equal(await rows.count(), many));
    assert.equal(await page.getByRole('button', { name: 'Show more' }).count(), 0);
    await faults(page, 'customers');
    await page.getByRole('link', { name: 'Guest 01' }).click();
    await page.getByRole('combobox', { name: 'Tier' }).selectOption('gold');
    await page.goto(`${s.origin}/customers?tier=gold`);
    await eventually(async () => assert.equal(await rows.count(), 1));
    await page.getByRole('link', { name: 'Guest 01' }).click();
    await page.getByRole('button', { name: 'Same person as another' }).click();
    const asked = page.getByRole('dialog', { name: 'Who is the same person?' });
    assert.ok(await asked.getByRole('button', { name: 'Merge into this one' }).isDisabled());
    await asked.getByRole('searchbox').fill('02');
    await asked.getByRole('radio', { name: /Guest 02/ }).check();
    await faults(page, 'merging customers');
    await asked.getByRole('button', { name: 'Merge into this one' }).click();
    await page.getByText('Merged.', { exact: true }).waitFor();
    await eventually(async () => assert.equal((await all()).length, many - 1));
    assert.deepEqual([...anna.complaints, ...susan.complaints], []);
  },
};
