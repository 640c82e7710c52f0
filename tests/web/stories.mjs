// What has to work in a browser, as stories.

import assert from 'node:assert/strict';
import { beginChat, eventually, faults, person, ready, signIn, visits } from './kit.mjs';

const enter = async (b, s, login, look) => {
  const p = await person(b, look);
  await signIn(p.page, s.origin, login, s.users[login]);
  return p;
};
const accept = (page) => page.getByRole('button', { name: /^(Accept|接受)/ });
/** The field of the conversation, once the cursor stands in it: keys pressed before would be commands. */
const writing = (page) => page.getByRole('textbox', { name: /^(Write to the customer|回复客户)/ }).and(page.locator(':focus')).waitFor();
const log = (page) => page.getByRole('log');

export const stories = {
  async a_wrong_password_is_refused_and_the_right_one_opens_the_workspace_and_stays_after_a_reload({ s, b }) {
    const p = await person(b);
    await p.page.goto(`${s.origin}/tickets`);
    await p.page.locator('input[name=login]').fill('anna');
    await p.page.locator('input[name=password]').fill('not her password');
    await p.page.locator('button[type=submit]').click();
    await p.page.getByRole('alert').getByText('not right').waitFor();
    await p.page.locator('input[name=password]').fill(s.users.anna);
    await p.page.locator('button[type=submit]').click();
    await p.page.getByRole('heading', { name: 'Tickets' }).waitFor();
    await p.page.reload();
    await p.page.getByRole('heading', { name: 'Tickets' }).waitFor();
    // Administration is not hers, whatever she types.
    await p.page.goto(`${s.origin}/admin/users`);
    await p.page.getByText('not for your role').waitFor();
    assert.equal(await p.page.getByRole('link', { name: 'Administration' }).count(), 0);
    // Signed out elsewhere is signed out here.
    await p.page.goto(`${s.origin}/w`);
    await p.page.getByRole('button', { name: 'Begin shift' }).waitFor();
    const admin = await enter(b, s, 'admin');
    await admin.page.goto(`${s.origin}/admin/users`);
    await admin.page.getByRole('row', { name: /^anna/ }).getByRole('button', { name: 'Lock' }).click();
    await admin.page.getByRole('dialog', { name: 'Lock: anna' }).getByRole('button', { name: 'Lock: anna' }).click();
    await p.page.getByText('Your session has ended').waitFor();
    assert.deepEqual([...p.complaints, ...admin.complaints], []);
  },

  async a_visitors_chat_reaches_the_agent_goes_both_ways_and_survives_a_reload_of_either({ s, b, shop }) {
    const anna = await enter(b, s, 'anna');
    await ready(anna.page);
    const guest = await person(b, { width: 1000, height: 720 });
    const w = await visits(guest, shop);
    await beginChat(w, 'Li Na');
    await accept(anna.page).waitFor();
    // Who it is is known before it is taken.
    await anna.page.getByText('Chat from Li Na').waitFor();
    assert.match(await anna.page.title(), /^\(1\)/);
    await accept(anna.page).click();
    const write = anna.page.getByRole('textbox', { name: 'Write to the customer' });
    await write.waitFor();
    await w.widget.locator('textarea').pressSequentially('Where is my order?');
    await anna.page.getByText('Li Na is typing').waitFor();
    await w.widget.locator('textarea').press('Enter');
    await log(anna.page).getByText('Where is my order?').waitFor();
    await anna.page.getByText('Li Na is typing').waitFor({ state: 'detached' });
    await write.fill('On its way <b>now</b>.');
    await write.press('Enter');
    // Text is text, at both ends.
    await w.widget.getByText('On its way <b>now</b>.').waitFor();
    await anna.page.getByRole('button', { name: /^Private note/ }).click();
    const note = anna.page.getByRole('textbox', { name: 'Note for colleagues' });
    await note.fill('sounds annoyed');
    await note.press('Enter');
    await log(anna.page).getByText('sounds annoyed').waitFor();

    await guest.page.reload();
    await w.widget.getByText('On its way <b>now</b>.').waitFor();
    assert.equal(await w.widget.getByText('sounds annoyed').count(), 0);
    assert.equal(await w.widget.locator('.log').getByText('Where is my order?').count(), 1);
    const began = Date.now();
    await anna.page.reload();
    await log(anna.page).getByText('Where is my order?').waitFor();
    const back = Date.now() - began;
    await w.widget.locator('textarea').fill('Thank you');
    await w.widget.locator('textarea').press('Enter');
    await log(anna.page).getByText('Thank you', { exact: true }).waitFor();

    // The outcome is given during the talk: nothing is left to do after it.
    await anna.page.keyboard.press('Escape');
    await anna.page.getByRole('button', { name: /Solved/ }).click();
    await anna.page.getByRole('button', { name: /Solved/, pressed: true }).waitFor();
    await anna.page.getByRole('button', { name: /^End chat/ }).click();
    await w.widget.getByText('This chat has ended').waitFor();
    await anna.page.getByRole('button', { name: 'Done' }).click();
    await anna.page.getByText('Choose a contact').or(anna.page.getByText('You are ready')).first().waitFor();
    assert.deepEqual([...anna.complaints, ...guest.complaints], []);
    return back;
  },

  async the_line_breaks_and_both_ends_go_on_where_they_were({ s, b, shop, figure }) {
    const anna = await enter(b, s, 'anna');
    await ready(anna.page);
    const guest = await person(b, { width: 1000, height: 720 });
    const w = await visits(guest, shop);
    await beginChat(w, 'Li Na');
    await accept(anna.page).click();
    await log(anna.page).waitFor();
    await anna.page.getByRole('button', { name: /^Transfer/ }).waitFor();
    await s.stop();
    await anna.page.getByText('Connection lost').waitFor();
    assert.ok(await anna.page.getByRole('button', { name: /^Transfer/ }).isDisabled());
    await w.widget.locator('textarea').fill('Written while nobody was there');
    await w.widget.locator('textarea').press('Enter');
    await s.start();
    const began = Date.now();
    await anna.page.getByText('Connection lost').waitFor({ state: 'detached' });
    figure(`console back ${Date.now() - began} ms after the server`);
    await log(anna.page).getByText('Written while nobody was there').waitFor();
    assert.equal(await log(anna.page).getByText('Written while nobody was there').count(), 1);
  },

  async the_wallboard_shows_who_waits_who_talks_and_lets_a_supervisor_change_a_state({ s, b, shop, figure }) {
    const susan = await enter(b, s, 'susan');
    await susan.page.goto(`${s.origin}/wall`);
    const tile = (name) => susan.page.locator('dl > div').filter({ has: susan.page.locator('dt', { hasText: new RegExp(`^${name}$`) }) }).locator('dd').first();
    await tile('Waiting').getByText('0', { exact: true }).waitFor();
    const guest = await person(b, { width: 1000, height: 720 });
    await beginChat(await visits(guest, shop), 'Li Na');
    await susan.page.getByRole('row', { name: /Li Na/ }).getByText('Waiting').waitFor();
    await tile('Waiting').getByText(/^1/).waitFor();

    const anna = await enter(b, s, 'anna');
    await ready(anna.page);
    await accept(anna.page).click();
    const clicked = Date.now();
    await susan.page.getByRole('row', { name: /Li Na/ }).getByText('Talking').waitFor();
    figure(`on the wallboard ${Date.now() - clicked} ms after the click`);
    await tile('Waiting').getByText('0', { exact: true }).waitFor();
    // A break asked for during the talk waits for its end.
    await susan.page.getByRole('button', { name: /^Anna/ }).click();
    await susan.page.getByRole('menuitem', { name: /Lunch/ }).click();
    await anna.page.getByText('Not ready after this').waitFor();

    const tv = await susan.context.newPage();
    await tv.goto(`${s.origin}/wall?tv=1`);
    await tv.getByText('Anna').waitFor();
    assert.equal(await tv.getByRole('navigation').count(), 0);
    const height = await tv.locator('dl > div dd').first().evaluate((node) => Number.parseFloat(getComputedStyle(node).fontSize) / innerHeight);
    assert.ok(height >= 0.06, `the numbers are ${(100 * height).toFixed(1)} % of the height`);
    assert.deepEqual(susan.complaints, []);
  },

  async an_agent_works_through_a_chat_by_keyboard_alone({ s, b, shop }) {
    const anna = await enter(b, s, 'anna');
    const { page } = anna;
    const palette = async (words) => {
      await page.keyboard.press('Control+k');
      await page.getByRole('dialog').getByRole('combobox').waitFor();
      await page.keyboard.type(words);
      await page.keyboard.press('Enter');
    };
    await palette('begin shift');
    await page.getByRole('button', { name: 'My state' }).waitFor();
    await palette('ready').catch(() => {});
    await page.getByRole('button', { name: 'My state' }).getByText('Ready', { exact: true }).waitFor();
    const guest = await person(b, { width: 1000, height: 720 });
    const w = await visits(guest, shop);
    await beginChat(w, 'Li Na');
    await accept(page).waitFor();
    await page.keyboard.press('a');
    await writing(page);
    await page.keyboard.type('Hello from the keyboard');
    // An input method's Enter confirms its word; only the next one sends.
    await page.evaluate(() => {
      const field = document.activeElement;
      field.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', isComposing: true, bubbles: true, cancelable: true }));
      field.dispatchEvent(new CompositionEvent('compositionend', { bubbles: true }));
      field.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true, cancelable: true }));
    });
    assert.equal(await page.getByRole('textbox', { name: 'Write to the customer' }).inputValue(), 'Hello from the keyboard');
    const from = await page.evaluate(() => performance.now());
    await page.waitForFunction((at) => performance.now() > at + 100, from);
    await page.keyboard.press('Enter');
    await w.widget.getByText('Hello from the keyboard').waitFor();
    await page.keyboard.press('Escape');
    await page.keyboard.press('t');
    await page.getByRole('dialog', { name: 'Transfer to' }).waitFor();
    await page.keyboard.press('Escape');
    await page.keyboard.press('2');
    await page.getByRole('button', { name: /Solved/, pressed: true }).waitFor();
    await page.keyboard.press('e');
    await page.getByRole('button', { name: 'Done' }).waitFor();
    await palette('done');
    await page.getByText('You are ready').waitFor();
    // Chinese labels are found by the initials of their pinyin.
    await page.evaluate(() => { localStorage.setItem('ringdesk.language', 'zh-CN'); });
    await page.reload();
    await page.getByRole('button', { name: '我的状态' }).waitFor();
    await palette('gd');
    await page.getByRole('heading', { name: '工单' }).waitFor();
  },

  async a_ticket_is_opened_worked_on_and_found_again_and_many_are_changed_at_once({ s, b }) {
    const susan = await enter(b, s, 'susan');
    const { page } = susan;
    for (const title of ['Broken lamp', 'Late parcel']) await s.ask('POST', '/tickets', { title, queue: 'support' });
    await page.goto(`${s.origin}/tickets`);
    await page.getByRole('button', { name: 'New ticket' }).click();
    await page.getByLabel('Subject').fill('<img src=x onerror=alert(1)>');
    await page.getByRole('button', { name: 'Open ticket' }).click();
    await page.getByRole('heading', { name: '<img src=x onerror=alert(1)>' }).waitFor();
    await page.getByPlaceholder('Write a note').fill('Called the carrier');
    await page.getByRole('button', { name: 'Add note' }).click();
    await page.getByRole('list', { name: 'What happened' }).getByText('Called the carrier').waitFor();
    await page.getByLabel('Priority').selectOption('urgent');
    await page.getByText('▲▲ Urgent').waitFor();
    await page.goto(`${s.origin}/tickets?q=lamp`);
    await page.getByRole('link', { name: 'Broken lamp' }).waitFor();
    assert.equal(await page.getByRole('link', { name: 'Late parcel' }).count(), 0);
    await page.goto(`${s.origin}/tickets`);
    await page.getByRole('link', { name: 'Late parcel' }).waitFor();
    for (const box of await page.getByRole('checkbox').all()) await box.check();
    await page.getByRole('toolbar').getByLabel('Assign').selectOption('ben');
    await page.getByText('3 tickets changed.').waitFor();
    await page.getByRole('row', { name: /Late parcel.*Ben/ }).waitFor();
    assert.deepEqual(susan.complaints, []);
  },

  async an_administrator_makes_a_user_and_changes_the_configuration_after_seeing_what_changes({ s, b }) {
    const admin = await enter(b, s, 'admin');
    const { page } = admin;
    await page.goto(`${s.origin}/admin/users`);
    await page.getByRole('button', { name: 'New user' }).click();
    await page.getByRole('textbox', { name: 'User' }).fill('dora');
    await page.getByRole('button', { name: 'Create' }).click();
    const secret = await page.getByRole('dialog', { name: 'dora' }).locator('code').first().innerText();
    const dora = await person(b);
    await signIn(dora.page, s.origin, 'dora', secret);
    await page.goto(`${s.origin}/admin/config`);
    const area = page.getByRole('textbox', { name: 'Configuration' });
    await area.filter({ hasText: 'queues:' }).waitFor();
    const yaml = await area.inputValue();
    await area.fill(yaml.replace('sl_target_s: 15', 'sl_target_s: fifteen'));
    await page.getByRole('button', { name: 'Check and show changes' }).click();
    await page.getByRole('alert').getByText('This cannot be put in force').waitFor();
    await area.fill(yaml.replace('sl_target_s: 15', 'sl_target_s: 45'));
    await page.getByRole('button', { name: 'Check and show changes' }).click();
    await page.getByRole('dialog').getByText('sl_target_s: 45').waitFor();
    await page.getByRole('button', { name: 'Put in force' }).click();
    await page.getByText('The configuration is in force').waitFor();
    // What the API shows of a queue follows within a turn of the server.
    await eventually(async () => assert.equal((await s.ask('GET', '/queues')).sales.sl_target_s, 45));
    await page.goto(`${s.origin}/admin/audit`);
    await page.getByText('config.apply').first().waitFor();
    assert.deepEqual(admin.complaints, []);
  },

  async no_screen_has_a_fault_axe_can_find_light_or_dark_english_or_chinese({ s, b, shop, figure }) {
    let looked = 0;
    const see = async (page, where) => { await faults(page, where); looked += 1; };
    const door = await person(b);
    await door.page.goto(s.origin);
    await door.page.locator('input[name=login]').waitFor();
    await see(door.page, 'sign-in');
    const anna = await enter(b, s, 'anna');
    await ready(anna.page);
    const guest = await person(b, { width: 1000, height: 720 });
    const w = await visits(guest, shop);
    await beginChat(w, '王伟');
    await accept(anna.page).waitFor();
    await see(anna.page, 'offer');
    await accept(anna.page).click();
    await log(anna.page).waitFor();
    await see(anna.page, 'chat');
    await writing(anna.page);
    await anna.page.keyboard.press('Escape');
    await anna.page.keyboard.press('t');
    await anna.page.getByRole('dialog').waitFor();
    await see(anna.page, 'transfer');
    await anna.page.keyboard.press('Escape');
    await anna.page.keyboard.press('Control+k');
    await anna.page.getByRole('dialog').waitFor();
    await see(anna.page, 'palette');
    await anna.page.keyboard.press('Escape');
    const susan = await enter(b, s, 'susan');
    const [{ id }] = (await s.ask('GET', '/interactions?live=true')).interactions;
    const [ticket] = (await s.ask('GET', '/tickets')).tickets;
    for (const path of ['/wall', '/wall?tv=1', '/tickets', `/tickets/${ticket.id}`, '/calls', `/calls/${id}`, '/customers', `/customers/${ticket.customer}`, '/me', `/w/${id}`]) {
      await susan.page.goto(`${s.origin}${path}`);
      await susan.page.locator('h1').first().waitFor();
      await susan.page.waitForLoadState('networkidle');
      await see(susan.page, path);
    }
    const admin = await enter(b, s, 'admin');
    for (const part of ['users', 'trunks', 'rules', 'config', 'widget', 'keys', 'webhooks', 'retention', 'audit', 'health']) {
      await admin.page.goto(`${s.origin}/admin/${part}`);
      await admin.page.waitForLoadState('networkidle');
      await see(admin.page, `admin ${part}`);
    }
    await anna.page.getByRole('button', { name: /^(End chat|结束会话)/ }).click();
    await anna.page.getByRole('button', { name: /^(Done|完成)$/ }).waitFor();
    await see(anna.page, 'wrap-up');
    await anna.page.getByRole('button', { name: /^(Done|完成)$/ }).click();
    await see(guest.page, 'widget');
    // The widget speaks as the page around it does.
    const other = await person(b, { width: 1000, height: 720 });
    const v = await visits(other, shop, 'zh-CN');
    await v.open();
    await see(other.page, 'widget in Chinese');
    for (const p of [door, anna, guest, other, susan, admin]) await p.context.close();
    figure(`${looked} screens`);
  },
};
