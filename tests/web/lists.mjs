// Long lists: contacts found by number and called back, customers changed in bulk, what an administrator looks up.

import assert from 'node:assert/strict';
import { beginChat, eventually, faults, person, ready, signIn, visits } from './kit.mjs';
import { baresip } from './phones.mjs';
import { answers, connected, desk as headset } from './voice.mjs';

/** Chats of so many guests. */
const guests = async (b, shop, names) => {
  for (const name of names) {
    const guest = await person(b, { width: 1000, height: 720 });
    await beginChat(await visits(guest, shop), name);
    await guest.context.close();
  }
};
const enter = async (b, s, login, look) => {
  const p = await person(b, look);
  await signIn(p.page, s.origin, login, s.users[login]);
  return p;
};

export const lists = {
  async a_contact_is_found_by_its_number_however_it_is_typed_and_called_back_with_a_click({ s, b }) {
    await s.configure((yaml) => yaml.replace(/\n( +)trunks: \{\}\n( +)routes:\n/, '\n$1trunks: {carrier: {host: "127.0.0.1:9"}}\n$2routes:\n$2- {match: "+*", to: {trunk: {trunk: carrier}}}\n'));
    const ben = await headset(s, 'ben');
    const caller = await baresip(s, '+8613800007777');
    try {
      const { page } = ben;
      await page.getByRole('button', { name: 'Begin shift' }).click();
      await connected(page);
      await ready(page);
      caller.dial('4001');
      await answers(page);
      await page.getByRole('button', { name: /^Hang up/ }).click();
      await caller.saw('CALL_CLOSED');
      await page.getByRole('button', { name: 'Done' }).click();

      await page.goto(`${s.origin}/calls`);
      const field = page.getByRole('searchbox', { name: 'Number, last digits or name' });
      const rows = page.locator('tbody tr');
      for (const typed of ['0138 0000 7777', '+86 138-0000-7777', '7777']) {
        await field.fill(typed);
        await eventually(async () => { assert.equal(new URL(page.url()).searchParams.get('q'), typed); assert.equal(await rows.count(), 1, typed); });
      }
      await field.fill('7778');
      await page.getByText('Nothing like this').waitFor();
      await field.fill('7777');
      await eventually(async () => assert.equal(await rows.count(), 1));
      // Kept under a name, it is there after a reload, and only in this list.
      await page.getByRole('button', { name: 'Save as list' }).click();
      await page.getByRole('dialog', { name: 'Save as list' }).getByLabel('Name of the list').fill('Sevens');
      await page.getByRole('button', { name: 'Save', exact: true }).click();
      await page.getByRole('link', { name: 'Sevens' }).waitFor();
      await page.goto(`${s.origin}/calls`);
      await page.getByRole('link', { name: 'Sevens' }).click();
      await eventually(async () => { assert.equal(await field.inputValue(), '7777'); assert.equal(await rows.count(), 1); });
      await faults(page, 'contacts looked up');

      // Who serves several queues says on whose behalf; the sign beside the number calls it.
      await page.getByRole('button', { name: 'Call +8613800007777' }).click();
      const sheet = page.getByRole('dialog', { name: 'Call a number' });
      await sheet.getByLabel('On behalf of').selectOption('sales');
      await faults(page, 'calling a number');
      const asked = page.waitForRequest((r) => r.url().endsWith('/agents/me/dial'));
      await sheet.getByRole('button', { name: 'Call', exact: true }).click();
      assert.deepEqual((await asked).postDataJSON(), { number: '+8613800007777', queue: 'sales' });
      await page.getByText('Your phone rings first.').waitFor();
      await eventually(async () => assert.equal((await s.ask('GET', '/interactions?q=7777')).interactions.filter((i) => i.way === 'outbound').length, 1));
      await page.goto(`${s.origin}/customers`);
      assert.equal(await page.getByRole('link', { name: 'Sevens' }).count(), 0);

      // The ticket of the call plays what was recorded of it, and its customer is called from there as well.
      const [ticket] = (await s.ask('GET', '/interactions?q=7777')).interactions.filter((i) => i.way === 'inbound').map((i) => i.ticket);
      await page.goto(`${s.origin}/tickets/${ticket}`);
      await page.getByRole('button', { name: 'Call +8613800007777' }).waitFor();
      await page.getByRole('button', { name: /Recording 1$/ }).click();
      const played = page.getByRole('region', { name: 'Recording of contact 1' });
      await played.getByRole('button', { name: /Listen$/ }).click();
      await played.getByRole('slider', { name: 'Position' }).waitFor();
      await faults(page, 'a recording on a ticket');
      await eventually(async () => assert.ok((await s.ask('GET', '/audit?what=recording.play')).entries.some((e) => e.who === 'ben')));

      // Below 900 px there is a button instead of the field.
      const narrow = await enter(b, s, 'chen', { width: 800, height: 900 });
      await narrow.page.getByRole('button', { name: 'Begin shift' }).click();
      assert.ok(!(await narrow.page.getByRole('textbox', { name: 'Number to call' }).isVisible()));
      await narrow.page.getByRole('button', { name: 'Call a number' }).click();
      const there = narrow.page.getByRole('dialog', { name: 'Call a number' });
      await there.getByLabel('Number to call').fill('13800007777');
      await there.getByText('Your phone is not registered.').waitFor();
      assert.ok(await there.getByRole('button', { name: 'Call', exact: true }).isDisabled());
      assert.deepEqual([...ben.complaints, ...narrow.complaints], []);
    } finally { await caller.end(); await ben.end(); }
  },

  async customers_are_changed_together_two_become_one_and_only_an_administrator_erases({ s, b, shop }) {
    await guests(b, shop, ['Guest One', 'Guest Two', 'Guest Three']);
    const all = async () => (await s.ask('GET', '/customers?q=guest')).customers;
    await eventually(async () => assert.equal((await all()).length, 3));
    const susan = await enter(b, s, 'susan');
    const { page } = susan;
    await page.goto(`${s.origin}/customers?q=guest`);
    const pick = (who) => page.getByRole('checkbox', { name: `Choose ${who}` }).check();
    const tools = page.getByRole('toolbar', { name: 'Change the chosen customers' });
    await pick('Guest One');
    await pick('Guest Two');
    assert.equal(await tools.getByRole('button', { name: 'Erase the chosen' }).count(), 0);
    await faults(page, 'customers chosen');
    await tools.getByLabel('Tier for all chosen').selectOption('gold');
    await page.getByText('2 changed.').waitFor();
    await eventually(async () => assert.deepEqual((await all()).filter((c) => c.tier === 'gold').map((c) => c.name).sort(), ['Guest One', 'Guest Two']));
    await page.getByRole('combobox', { name: 'Tier', exact: true }).selectOption('gold');
    await eventually(async () => assert.equal(await page.locator('tbody tr').count(), 2));
    await pick('Guest One');
    await pick('Guest Two');
    await tools.getByLabel('Tag for all chosen').fill('fair');
    await page.keyboard.press('Enter');
    await eventually(async () => assert.equal((await all()).filter((c) => c.profile.tags.includes('fair')).length, 2));
    // The filters are kept as a list of customers.
    await page.getByRole('button', { name: 'Save as list' }).click();
    const named = page.getByRole('dialog', { name: 'Save as list' });
    await named.getByLabel('Name of the list').fill('Golden guests');
    await named.getByLabel('For everybody').check();
    await named.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByRole('link', { name: 'Golden guests' }).waitFor();
    assert.deepEqual((await s.ask('GET', '/views?kind=customers')).views.map((v) => v.query), [{ q: 'guest', tier: 'gold' }]);
    await pick('Guest One');
    await pick('Guest Two');
    await tools.getByRole('button', { name: 'Merge the two' }).click();
    const which = page.getByRole('dialog', { name: 'Which entry stays?' });
    await which.getByRole('radio', { name: /Guest Two/ }).check();
    await faults(page, 'merging the two chosen');
    await which.getByRole('button', { name: 'Merge into this one' }).click();
    await page.getByText('Merged.', { exact: true }).waitFor();
    await eventually(async () => assert.deepEqual((await all()).map((c) => c.name).sort(), ['Guest Three', 'Guest Two']));

    // Whoever is in a chat is not erased; whoever is held neither.
    const admin = await enter(b, s, 'admin');
    const three = (await all()).find((c) => c.name === 'Guest Three');
    await s.ask('PUT', `/holds/customer/${three.id}`, { reason: 'case 7' });
    await admin.page.goto(`${s.origin}/customers?q=three`);
    await admin.page.getByRole('checkbox', { name: 'Choose Guest Three' }).check();
    await admin.page.getByRole('button', { name: 'Erase the chosen' }).click();
    const sure = admin.page.getByRole('dialog', { name: 'Erase 1 customers for good?' });
    await sure.getByText(/^Guest Three\./).waitFor();
    await faults(admin.page, 'erasing the chosen');
    await sure.getByRole('button', { name: 'Erase 1 customers for good?' }).click();
    await admin.page.getByText(/0 are being erased, 1 not/).waitFor();
    assert.equal((await all()).filter((c) => c.name === 'Guest Three').length, 1);
    // The list of holds names her.
    await admin.page.goto(`${s.origin}/admin/retention`);
    await admin.page.getByRole('link', { name: 'Customer Guest Three' }).waitFor();
    assert.deepEqual([...susan.complaints, ...admin.complaints], []);
  },

  async an_administrator_finds_what_was_done_takes_it_away_and_sees_which_keys_nobody_uses({ s, b }) {
    await s.ask('POST', '/api-keys', { name: 'crm', role: 'agent' });
    await s.ask('PUT', '/users/anna', { disabled: false });
    const admin = await enter(b, s, 'admin');
    const { page } = admin;
    await page.goto(`${s.origin}/admin/audit`);
    const rows = page.locator('tbody tr');
    await page.getByText('key.create').first().waitFor();
    await page.getByRole('combobox', { name: 'What' }).selectOption('user.');
    await eventually(async () => { assert.equal(await rows.count(), 1); await rows.getByText('user.change', { exact: true }).waitFor(); });
    await page.getByRole('combobox', { name: 'What' }).selectOption('');
    await page.getByRole('searchbox', { name: 'On what' }).fill('cr');
    await eventually(async () => { assert.equal(await rows.count(), 1); await rows.getByText('key.create', { exact: true }).waitFor(); });
    await page.getByRole('searchbox', { name: 'Login or key:name' }).fill('nobody');
    await page.getByText('Nothing like this.').waitFor();
    await page.getByRole('searchbox', { name: 'Login or key:name' }).fill('key:demo');
    await eventually(async () => assert.equal(await rows.count(), 1));
    await faults(page, 'the audit log, looked through');
    const coming = page.waitForEvent('download');
    await page.getByRole('link', { name: 'As a table (CSV)' }).click();
    const table = await (await coming).createReadStream();
    let text = '';
    for await (const part of table) text += part;
    const lines = text.replace('\ufeff', '').trim().split('\r\n');
    assert.equal(lines[0], 'n,at,who,what,subject,before,after');
    assert.equal(lines.length, 2);
    assert.match(lines[1], /,key:demo,key\.create,crm,/);
    await eventually(async () => assert.equal((await s.ask('GET', '/audit?what=audit.export')).entries.length, 1));

    await page.goto(`${s.origin}/admin/keys`);
    await page.getByRole('row', { name: /^crm .* never/ }).waitFor();
    // The demo's key is used by this story all the time; that is noted beside its requests.
    await eventually(async () => { await page.reload(); await page.getByRole('row', { name: /^demo/ }).waitFor(); assert.equal(await page.getByRole('row', { name: /^demo .* never/ }).count(), 0); });
    await faults(page, 'keys with their use');
    assert.deepEqual(admin.complaints, []);
  },

  async whoever_ends_other_sign_ins_is_asked_first_and_the_others_are_out_at_once({ s, b }) {
    const [here, there] = [await enter(b, s, 'anna'), await enter(b, s, 'anna')];
    const { page } = here;
    await page.goto(`${s.origin}/me`);
    await page.getByRole('button', { name: 'End all others' }).click();
    const sure = page.getByRole('dialog', { name: 'End all others' });
    await faults(page, 'ending sign-ins');
    await sure.getByRole('button', { name: 'Cancel' }).click();
    await there.page.reload();
    await there.page.getByRole('button', { name: 'Begin shift' }).waitFor();
    await page.getByRole('button', { name: 'End all others' }).click();
    await sure.getByRole('button', { name: 'End all others' }).click();
    await there.page.getByText('Your session has ended').waitFor();
    await page.getByRole('button', { name: 'End all others' }).waitFor({ state: 'detached' });
    assert.deepEqual([...here.complaints, ...there.complaints], []);
  },
};
