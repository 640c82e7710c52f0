// Administration by forms and by drawings: what is changed in the console is what the next call meets.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { beginChat, eventually, faults, person, ready, signIn, visits } from './kit.mjs';
import { baresip } from './phones.mjs';

const enter = async (b, s, login, look) => {
  const p = await person(b, look);
  await signIn(p.page, s.origin, login, s.users[login]);
  return p;
};
const goes = async (page, s, part) => {
  // By the page's own links: a draft of the forms lives as long as the page does.
  const link = page.getByRole('navigation', { name: /^(Parts|分类)$/ }).locator(`a[href="/admin/${part}"]`);
  if (await link.count() === 0) await page.goto(`${s.origin}/admin/${part}`);
  else await link.click();
};
const sheet = (page, name) => page.getByRole('dialog', { name, exact: true });
/** Makes a thing on a form and leaves its sheet open. */
async function makes(page, button, id, name) {
  await page.getByRole('button', { name: button, exact: true }).click();
  const asked = page.getByRole('dialog', { name: button });
  await asked.getByLabel('Id').fill(id);
  await asked.getByLabel('Name').fill(name);
  await asked.getByRole('button', { name: 'Add' }).click();
  await asked.waitFor({ state: 'detached' });
}
/** Looks at the differences and puts them in force. */
async function inForce(page, expected) {
  await page.getByRole('button', { name: 'Check and show changes' }).click();
  const diff = page.getByRole('dialog', { name: 'What changes' });
  for (const words of expected) await diff.getByText(words).first().waitFor();
  await diff.getByRole('button', { name: 'Put in force' }).click();
  await page.getByText('The configuration is in force').waitFor();
}

const FLOW = `flow: night
schema: 1
channels: [voice]
languages: [en-US]
start: hello
defaults:
  on_error: {goto: line}
prompts:
  hello:
    en-US: {say: "Press 1 for the repair team."}
  sorry:
    en-US: {say: "Sorry."}
grammars:
  one:
    dtmf: {"1": repair}
nodes:
  hello:
    gather: {prompt: [hello], input: [dtmf], grammar: one, retries: 1}
    no_match: {say: [sorry]}
    when: {repair: line}
    exhausted: line
  line:
    queue: {queue: repair}
    when: {answered: end, timeout: end, no_agents: end, full: end}
    on_error: {goto: end}
  end:
    hangup: {}
tests:
  - name: a caller presses one
    steps: [{dtmf: "1"}, {expect: {queue: {queue: repair}}}]
`;

export const administration = {
  async an_administrator_adds_a_queue_a_flow_and_a_number_and_the_next_call_uses_all_three({ s, b, figure }) {
    const admin = await enter(b, s, 'admin');
    const anna = await enter(b, s, 'anna');
    await ready(anna.page);
    const { page } = admin;
    await page.goto(`${s.origin}/admin/queues`);
    await makes(page, 'New queue', 'repair', 'Repairs');
    const queue = sheet(page, 'repair');
    await queue.getByLabel('Answered within, seconds').fill('12');
    await queue.getByLabel('Wrap-up, seconds').fill('0');
    await queue.getByLabel('Anna').check();
    await queue.getByRole('button', { name: 'Keep in the draft' }).click();
    await inForce(page, ['repair:', 'sl_target_s: 12']);

    await goes(page, s, 'flows');
    await page.getByRole('button', { name: 'New flow' }).click();
    const asked = page.getByRole('dialog', { name: 'New flow' });
    await asked.getByLabel('Id').fill('night');
    await asked.getByRole('button', { name: 'Add' }).click();
    const text = page.getByRole('textbox', { name: 'Text' });
    // A mistake is named with its line, and nothing with a mistake can be published.
    await text.fill(FLOW.replace('when: {repair: line}', 'when: {repair: lime}'));
    const line = FLOW.split('\n').findIndex((l) => l.includes('when: {repair')) + 1;
    await page.getByRole('region', { name: 'What was found' }).getByRole('button', { name: `line ${line}` }).first().waitFor();
    assert.ok(await page.getByRole('button', { name: 'Publish' }).isDisabled());
    await text.fill(FLOW);
    await page.getByText('Nothing keeps it from being published').waitFor();
    await page.getByRole('button', { name: 'Try it' }).click();
    const log = page.getByRole('log', { name: 'What the caller meets' });
    await log.getByText('Press 1 for the repair team.').waitFor();
    await page.getByRole('button', { name: 'Press 1', exact: true }).click();
    await log.getByText('Waits in queue: repair').waitFor();
    await page.getByRole('button', { name: 'Drawing' }).click();
    await page.getByRole('region', { name: 'Drawing' }).getByRole('button', { name: /^hello/ }).waitFor();
    await page.getByRole('button', { name: 'Publish' }).click();
    await page.getByRole('dialog', { name: 'Publish night' }).getByRole('button', { name: 'Publish' }).click();
    await page.getByText('night: version 1 is in force').waitFor();

    await goes(page, s, 'numbers');
    await page.getByRole('button', { name: 'New number' }).click();
    const last = (await page.getByRole('textbox', { name: /^Number, row/ }).count());
    await page.getByRole('textbox', { name: `Number, row ${last}`, exact: true }).fill('4777');
    await page.getByRole('combobox', { name: `Leads to, row ${last}`, exact: true }).selectOption('flow');
    await page.getByRole('combobox', { name: `Which, row ${last}`, exact: true }).selectOption('night');
    await inForce(page, ['4777']);

    const caller = await baresip(s, '+8613800001212');
    const phone = await baresip(s, 'anna', { voice: 'anna', password: s.phones.anna });
    try {
      await eventually(async () => assert.equal((await s.ask('GET', '/agents')).anna.phone, true));
      const dialled = Date.now();
      caller.dial('4777');
      await caller.saw('CALL_ESTABLISHED');
      await eventually(async () => {
        const [call] = (await s.ask('GET', '/interactions?live=true')).interactions;
        assert.ok(call?.path?.includes('hello'), JSON.stringify(call));
      });
      caller.press('1');
      await phone.accept();
      figure(`with an agent of the new queue ${Date.now() - dialled} ms after dialling the new number`);
      const [call] = (await s.ask('GET', '/interactions?live=true')).interactions;
      assert.equal(call.queue, 'repair');
      assert.equal(call.agent, 'anna');
      caller.hangUp();
      await phone.saw('CALL_CLOSED');
    } finally { await caller.end(); await phone.end(); }

    // What was walked stands at the edges.
    await goes(page, s, 'flows');
    await page.getByRole('link', { name: 'night', exact: true }).click();
    await page.getByRole('button', { name: 'Last 7 days' }).click();
    await page.getByText(/^1 contacts from/).waitFor();
    await page.getByRole('button', { name: 'Table', exact: true }).click();
    await page.getByRole('row', { name: /hello.*repair, no more tries · 1× → line/ }).waitFor();
    // The next version is published and taken back again.
    await page.getByRole('button', { name: 'Text', exact: true }).click();
    await text.fill(FLOW.replace('Press 1 for the repair team.', 'Press 1 for repairs.'));
    await page.getByRole('button', { name: 'Publish' }).click();
    await page.getByRole('dialog', { name: 'Publish night' }).getByRole('button', { name: 'Publish' }).click();
    await page.getByText('night: version 2 is in force').waitFor();
    await page.getByRole('button', { name: 'Versions' }).click();
    await page.getByRole('row', { name: /^1 / }).getByRole('button', { name: 'Take this back' }).click();
    await page.getByText('night: version 3 is in force').waitFor();
    await page.getByRole('row', { name: /^3 version 1 again/ }).getByText('in force').waitFor();
    const entries = (await s.ask('GET', '/audit')).entries.map((e) => e.what);
    for (const what of ['flow.publish', 'flow.rollback', 'config.apply']) assert.ok(entries.includes(what), what);
    assert.deepEqual([...admin.complaints, ...anna.complaints], []);
  },

  async two_administrators_change_the_same_configuration_and_neither_loses_what_they_did({ s, b }) {
    const [one, two] = [await enter(b, s, 'admin'), await enter(b, s, 'admin')];
    await one.page.goto(`${s.origin}/admin/queues`);
    await two.page.goto(`${s.origin}/admin/codes`);
    await one.page.getByRole('button', { name: 'Sales 销售' }).click();
    await sheet(one.page, 'sales').getByLabel('Rings, seconds').fill('25');
    await sheet(one.page, 'sales').getByRole('button', { name: 'Keep in the draft' }).click();
    await makes(two.page, 'New outcome', 'call_back', 'Call back');
    await sheet(two.page, 'call_back').getByRole('button', { name: 'Keep in the draft' }).click();
    await inForce(two.page, ['call_back:']);
    // The first one is told, and sees the differences again before anything is in force.
    await one.page.getByRole('button', { name: 'Check and show changes' }).click();
    await one.page.getByText('Somebody else changed the configuration meanwhile').waitFor();
    await inForce(one.page, ['ring_s: 25']);
    const codes = await s.ask('GET', '/codes');
    assert.ok(codes.dispositions.some((d) => d.id === 'call_back'));
    const { business } = await s.ask('GET', '/config/document');
    assert.equal(business.tenants.demo.routing.queues.sales.ring_s, 25);
    // A mistake is refused with its place, and can be taken back.
    await one.page.getByRole('button', { name: 'Sales 销售' }).click();
    await sheet(one.page, 'sales').getByLabel('Rings, seconds').fill('2');
    await sheet(one.page, 'sales').getByRole('button', { name: 'Keep in the draft' }).click();
    await one.page.getByRole('button', { name: 'Check and show changes' }).click();
    await one.page.getByRole('alert').getByText(/queues\.sales\.ring_s: 2 is outside/).waitFor();
    await one.page.getByRole('button', { name: 'Undo all' }).click();
    // The emergency switch closes at once.
    await goes(one.page, s, 'hours');
    await one.page.getByRole('button', { name: 'Close now' }).click();
    await one.page.getByText('closed by hand').waitFor();
    await eventually(async () => assert.equal((await s.ask('GET', '/config/document')).business.tenants.demo.routing.calendars.shop.emergency, true));
    await one.page.getByRole('button', { name: 'Open again' }).click();
    await one.page.getByRole('button', { name: 'Close now' }).waitFor();
    // Skills are a matrix.
    await goes(one.page, s, 'people');
    await one.page.getByRole('combobox', { name: /^Anna: Sales/ }).selectOption('4');
    await inForce(one.page, ['sales: 4']);
    assert.deepEqual([...one.complaints, ...two.complaints], []);
  },

  async an_agent_types_a_slash_and_sends_a_canned_reply_with_the_customers_name_in_it({ s, b, shop }) {
    await s.configure((yaml) => yaml.replace(/^( +)slas:/m, '$1canned:\n$1  thanks: {name: "Thank you", text: "Thank you, {customer}. {agent} will call you back."}\n$1  wait: {text: "One moment, please."}\n$1slas:'));
    const anna = await enter(b, s, 'anna');
    await ready(anna.page);
    const guest = await person(b, { width: 1000, height: 720 });
    const w = await visits(guest, shop);
    await beginChat(w, 'Li Na');
    await anna.page.getByRole('button', { name: /^Accept/ }).click();
    const write = anna.page.getByRole('textbox', { name: 'Write to the customer' }).and(anna.page.locator(':focus'));
    await write.waitFor();
    await anna.page.keyboard.type('Hello! /tha');
    await anna.page.getByRole('listbox', { name: 'Canned replies' }).getByRole('option', { name: /thanks/, selected: true }).waitFor();
    await faults(anna.page, 'canned replies');
    await anna.page.keyboard.press('Enter');
    assert.equal(await write.inputValue(), 'Hello! Thank you, Li Na. Anna will call you back.');
    await anna.page.keyboard.press('Enter');
    await w.widget.getByText('Hello! Thank you, Li Na. Anna will call you back.').waitFor();
    assert.deepEqual([...anna.complaints, ...guest.complaints], []);
  },

  async a_supervisor_reads_what_came_and_what_every_number_means_and_takes_it_away_as_a_table({ s, b, shop }) {
    const anna = await enter(b, s, 'anna');
    await ready(anna.page);
    const guest = await person(b, { width: 1000, height: 720 });
    await beginChat(await visits(guest, shop), 'Li Na');
    await anna.page.getByRole('button', { name: /^Accept/ }).click();
    await anna.page.getByRole('button', { name: /^End chat/ }).click();
    await anna.page.getByRole('button', { name: 'Done' }).click();
    const susan = await enter(b, s, 'susan');
    await eventually(async () => {
      await susan.page.goto(`${s.origin}/reports`);
      await susan.page.getByRole('row', { name: /^\w.* 1 1 100\.0 %/ }).waitFor({ timeout: 2_000 });
    });
    const tile = (name) => susan.page.locator('dl > div').filter({ has: susan.page.locator('dt', { hasText: new RegExp(`^${name}`) }) });
    await tile('Service level').getByText('100.0 %').waitFor();
    await susan.page.getByText('short abandons').first().waitFor();
    await susan.page.getByRole('button', { name: 'By agent' }).click();
    await susan.page.getByRole('row', { name: /^Anna 1/ }).waitFor();
    await susan.page.getByRole('button', { name: 'By queue' }).click();
    await susan.page.getByRole('row', { name: /^Support .* 1 1 100\.0 %/ }).waitFor();
    const [file] = await Promise.all([susan.page.waitForEvent('download'), susan.page.getByRole('link', { name: 'CSV' }).click()]);
    assert.equal(file.suggestedFilename(), 'intervals.csv');
    // Agents have no reports.
    await anna.page.goto(`${s.origin}/reports`);
    await anna.page.getByText('not for your role').waitFor();
    assert.deepEqual(susan.complaints, []);
  },

  async a_configuration_is_brought_as_a_file_read_for_what_it_changes_and_put_in_force({ s, b }) {
    const { page, complaints } = await enter(b, s, 'admin');
    await page.goto(`${s.origin}/admin/config`);
    const text = page.getByRole('textbox', { name: 'Configuration' });
    await text.filter({ hasText: 'queues:' }).waitFor();
    // What was taken out is what is brought back, changed by somebody's editor.
    const [taken] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'Export' }).click()]);
    assert.equal(taken.suggestedFilename(), 'business.yaml');
    const yaml = readFileSync(await taken.path(), 'utf8');
    const bring = async (name, content, how) => {
      const [chooser] = await Promise.all([page.waitForEvent('filechooser'), how()]);
      assert.ok(!chooser.isMultiple());
      await chooser.setFiles({ name, mimeType: 'application/yaml', buffer: Buffer.from(content) });
    };
    const byKeys = async () => { await page.getByLabel('Import').focus(); await page.keyboard.press('Enter'); };
    const byMouse = () => page.getByText('Import', { exact: true }).click();
    const level = async () => (await s.ask('GET', '/queues')).sales.sl_target_s;
    // A file with a mistake in it: the mistake is said, and nothing changes.
    await bring('wrong.yaml', yaml.replace('sl_target_s: 15', 'sl_target_s: soon'), byMouse);
    await page.getByText('wrong.yaml has been read').waitFor();
    await page.getByRole('button', { name: 'Check and show changes' }).click();
    await page.getByRole('alert').getByText('This cannot be put in force').waitFor();
    assert.equal(await level(), 15);
    await bring('shop.yaml', yaml.replace('sl_target_s: 15', 'sl_target_s: 35'), byKeys);
    await page.getByText('shop.yaml has been read').waitFor();
    await page.getByText('This cannot be put in force').waitFor({ state: 'detached' });
    assert.match(await text.inputValue(), /sl_target_s: 35/);
    assert.equal(await level(), 15, 'read is not in force');
    await inForce(page, ['sl_target_s: 35']);
    await eventually(async () => assert.equal(await level(), 35));
    await text.filter({ hasText: 'sl_target_s: 35' }).waitFor();
    // The same text once more changes nothing; what is far too large is not even read.
    await bring('same.yaml', await text.inputValue(), byMouse);
    await page.getByText('same.yaml has been read').waitFor();
    await page.getByRole('button', { name: 'Check and show changes', disabled: true }).waitFor();
    await bring('film.yaml', '#'.repeat(5_000_001), byMouse);
    await page.getByText('film.yaml is larger than 5 MB').waitFor();
    assert.match(await text.inputValue(), /sl_target_s: 35/);
    assert.deepEqual(complaints, []);
  },

  async no_screen_of_administration_and_reports_has_a_fault_axe_can_find({ s, b, figure }) {
    let looked = 0;
    const admin = await enter(b, s, 'admin');
    const { page } = admin;
    const see = async (where) => { await page.waitForLoadState('networkidle'); await faults(page, where); looked += 1; };
    for (const part of ['people', 'queues', 'numbers', 'hours', 'codes', 'trunks', 'flows', 'flows/main']) {
      await page.goto(`${s.origin}/admin/${part}`);
      await page.locator('h2, table').first().waitFor();
      await see(`admin ${part}`);
    }
    for (const [tab, what] of [[/^(Table|表格)$/, 'table'], [/^(Text|文本)$/, 'text'], [/^(Try it|模拟)$/, 'try'], [/^(Versions|版本)$/, 'versions']]) {
      await page.getByRole('button', { name: tab }).click();
      await see(`flow, ${what}`);
    }
    for (const [part, name] of [['queues', /^Support/], ['hours', /^Shop hours/], ['people', /^Ben/], ['codes', /^Solved/]]) {
      await page.goto(`${s.origin}/admin/${part}`);
      await page.getByRole('button', { name }).first().click();
      await page.getByRole('dialog').waitFor();
      await see(`admin ${part}, a sheet`);
      await page.getByRole('dialog').getByRole('textbox').first().fill('X');
      await page.getByRole('dialog').getByRole('button', { name: /^(Keep in the draft|保留到草稿)$/ }).click();
      await see(`admin ${part}, with a draft`);
      await page.getByRole('button', { name: /^(Check and show changes|校验并查看差异)$/ }).click();
      await page.getByRole('dialog').waitFor();
      await see(`admin ${part}, the differences`);
      await page.keyboard.press('Escape');
      await page.getByRole('button', { name: /^(Undo all|撤销修改)$/ }).click();
    }
    await page.goto(`${s.origin}/reports`);
    await page.locator('h1').first().waitFor();
    await see('reports');
    await admin.context.close();
    figure(`${looked} screens`);
  },
};
