// What is done all day, without a mouse; and what a page does when it is narrow.

import assert from 'node:assert/strict';
import { beginChat, eventually, faults, person, ready, signIn, visits } from './kit.mjs';
import { baresip, hears, hearsOnly } from './phones.mjs';
import { answers, connected, desk as headset } from './voice.mjs';

const palette = async (page, words) => {
  await page.keyboard.press('Control+k');
  await page.getByRole('dialog').getByRole('combobox').waitFor();
  await page.keyboard.type(words);
  await page.keyboard.press('Enter');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
};
/** Tab, until the keyboard is at what is looked for; whoever never gets there is trapped. */
const tabTo = async (page, place, back = false) => {
  for (let n = 0; n < 120; n += 1) {
    if (await place.evaluateAll((all) => all.includes(document.activeElement))) {
      const ring = await page.evaluate(() => { const look = getComputedStyle(document.activeElement); return look.outlineStyle !== 'none' && Number.parseFloat(look.outlineWidth) >= 2; });
      assert.ok(ring, 'what has the keyboard is seen to have it');
      return;
    }
    await page.keyboard.press(back ? 'Shift+Tab' : 'Tab');
  }
  assert.fail(`the keyboard does not get to ${place}`);
};

const FLOW = 'flow: keys\nschema: 1\nchannels: [voice]\nlanguages: [en-US]\nstart: bye\nnodes:\n  bye:\n    hangup: {}\ntests:\n  - name: good bye\n    steps: [{expect: {ended: hangup}}]\n';

export const walks = {
  async an_agent_signs_in_takes_a_chat_and_answers_with_a_canned_reply_by_keyboard_alone({ s, b, shop }) {
    await s.configure((yaml) => yaml.replace(/^( +)slas:/m, '$1canned:\n$1  thanks: {name: "Thank you", text: "Thank you, {customer}."}\n$1slas:'));
    const { page, complaints } = await person(b);
    await page.goto(s.origin);
    await tabTo(page, page.locator('input[name=login]'));
    await page.keyboard.type('anna');
    await page.keyboard.press('Tab');
    await page.keyboard.type(s.users.anna);
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Begin shift' }).waitFor();
    // The first stop leads past everything that is on every page.
    await page.keyboard.press('Tab');
    await tabTo(page, page.getByRole('link', { name: /^Skip/ }));
    await page.keyboard.press('Enter');
    await palette(page, 'begin shift');
    await page.getByRole('button', { name: 'My state' }).waitFor();
    await palette(page, 'ready');
    await page.getByRole('button', { name: 'My state' }).getByText('Ready', { exact: true }).waitFor();
    const guest = await person(b, { width: 1000, height: 720 });
    const w = await visits(guest, shop);
    await beginChat(w, 'Li Na');
    await page.getByRole('button', { name: /^Accept/ }).waitFor();
    await page.keyboard.press('a');
    await page.getByRole('textbox', { name: 'Write to the customer' }).and(page.locator(':focus')).waitFor();
    await page.keyboard.type('/tha');
    await page.getByRole('listbox', { name: 'Canned replies' }).waitFor();
    await page.keyboard.press('Enter');
    await page.keyboard.press('Enter');
    await w.widget.getByText('Thank you, Li Na.').waitFor();
    // A dialog gives the keyboard back to where it was.
    const hand = page.getByRole('button', { name: /^Transfer/ });
    await tabTo(page, hand, true);
    await page.keyboard.press('Enter');
    await page.getByRole('dialog', { name: 'Transfer to' }).waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await eventually(async () => assert.ok(await hand.evaluate((node) => node === document.activeElement), 'the keyboard is back at the button'));
    for (const [words, heading] of [['tickets', 'Tickets'], ['customers', 'Customers'], ['settings', 'My settings']]) {
      await palette(page, words);
      await page.getByRole('heading', { name: heading, level: 1 }).waitFor();
    }
    assert.deepEqual(complaints, []);
  },

  async a_supervisor_listens_whispers_barges_in_and_leaves_by_keyboard_alone({ s, figure }) {
    const [ben, susan] = [await headset(s, 'ben'), await headset(s, 'susan')];
    const caller = await baresip(s, '+8613800006161');
    try {
      await ben.page.getByRole('button', { name: 'Begin shift' }).click();
      await connected(ben.page);
      await ready(ben.page);
      caller.dial('4001');
      await answers(ben.page);
      await hears(ben.ear, 'caller');
      const { page } = susan;
      await palette(page, '+8613800006161');
      await page.waitForURL(/\/w\//);
      const took = [];
      for (const [words, said] of [['listen', 'Listen'], ['whisper', 'Whisper'], ['barge', 'Barge in']]) {
        await page.getByRole('button', { name: said }).waitFor();
        const began = Date.now();
        await palette(page, words);
        await page.locator('header .chip').getByText(new RegExp(`Susan: ${said}$`)).waitFor();
        if (words !== 'listen') took.push(Date.now() - began);
      }
      await hearsOnly(susan.ear, ['ben', 'caller']);
      await palette(page, 'leave');
      await page.locator('header .chip').getByText(/Susan:/).waitFor({ state: 'detached' });
      figure(`another way ${took.join(' and ')} ms after the first key`);
      await ben.page.getByRole('button', { name: /^Hang up/ }).click();
      await caller.saw('CALL_CLOSED');
      assert.deepEqual([...ben.complaints, ...susan.complaints], []);
    } finally { await caller.end(); await susan.end(); await ben.end(); }
  },

  async an_administrator_writes_tries_and_publishes_a_flow_and_takes_it_back_by_keyboard_alone({ s, b }) {
    const { page, complaints } = await person(b);
    await signIn(page, s.origin, 'admin', s.users.admin);
    await palette(page, 'administration');
    await tabTo(page, page.getByRole('navigation', { name: 'Parts' }).getByRole('link', { name: 'Flows' }));
    await page.keyboard.press('Enter');
    await tabTo(page, page.getByRole('button', { name: 'New flow' }));
    await page.keyboard.press('Enter');
    await page.getByRole('dialog', { name: 'New flow' }).getByLabel('Id').and(page.locator(':focus')).waitFor();
    await page.keyboard.type('keys');
    await page.keyboard.press('Enter');
    const text = page.getByRole('textbox', { name: 'Text' });
    await text.waitFor();
    await tabTo(page, text);
    await page.keyboard.press('Control+a');
    await page.keyboard.insertText(FLOW);
    await page.getByText('Nothing keeps it from being published').waitFor();
    await tabTo(page, page.getByRole('button', { name: 'Publish' }), true);
    await page.keyboard.press('Enter');
    const asked = page.getByRole('dialog', { name: 'Publish keys' });
    await asked.waitFor();
    await tabTo(page, asked.getByRole('button', { name: 'Publish' }));
    await page.keyboard.press('Enter');
    await page.getByText('keys: version 1 is in force').waitFor();
    assert.ok((await s.ask('GET', '/flows')).flows.some((f) => f.name === 'keys'));
    assert.deepEqual(complaints, []);
  },

  async a_page_as_narrow_as_a_telephone_shows_everything_without_scrolling_sideways({ s, b, shop, figure }) {
    let looked = 0;
    for (const [lang, theme] of [['en', 'light'], ['zh-CN', 'dark']]) {
      const look = { lang, theme, width: 320, height: 640 };
      const narrow = async (page, where) => {
        const [wide, room, who] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth,
          [...document.querySelectorAll('body *')].filter((node) => node.getBoundingClientRect().right > innerWidth + 1).map((node) => `${node.tagName.toLowerCase()}.${node.className} ${Math.round(node.getBoundingClientRect().right)}`).slice(0, 12)]);
        assert.ok(wide <= room, `${where}, ${lang}: ${wide} pixels in ${room}: ${who.join(' | ')}`);
        // Neither does what a screen scrolls in: a table may, in a box of its own.
        const inside = await page.locator('#main > .overflow-auto, #main > div > .overflow-auto').evaluateAll((all) => all.map((node) => [node.scrollWidth, node.clientWidth]));
        for (const [has, gets] of inside) assert.ok(has <= gets, `${where}, ${lang}: the screen has ${has} pixels in ${gets}`);
        await faults(page, `${where}, 320 pixels`);
        looked += 1;
      };
      const anna = await person(b, look);
      await anna.page.goto(s.origin);
      await anna.page.locator('input[name=login]').waitFor();
      await narrow(anna.page, 'sign-in');
      await signIn(anna.page, s.origin, 'anna', s.users.anna);
      await ready(anna.page);
      const guest = await person(b, look);
      const w = await visits(guest, shop, lang);
      await w.open();
      await narrow(guest.page, 'the widget, before');
      const box = await w.widget.locator('section.box').boundingBox();
      assert.deepEqual([Math.round(box.x), Math.round(box.y), Math.round(box.width), Math.round(box.height)], [0, 0, 320, 640], 'the chat fills the telephone');
      await w.widget.locator('input[name=name]').fill('王伟');
      await w.widget.locator('.begin button.main').click();
      await w.widget.getByRole('button', { name: /Talk to a person|人工|转人工/ }).first().click();
      await anna.page.getByRole('button', { name: /^(Accept|接受)/ }).waitFor();
      await narrow(anna.page, 'an offer');
      await anna.page.getByRole('button', { name: /^(Accept|接受)/ }).click();
      const write = anna.page.getByRole('textbox', { name: /^(Write to the customer|回复客户)/ });
      await write.fill(lang === 'en' ? 'A very long answer about lamps, parcels and everything else.' : '关于灯具、包裹与其他一切事项的很长的回复。');
      await write.press('Enter');
      await w.widget.locator('.log .agent').first().waitFor();
      await narrow(anna.page, 'a chat');
      await narrow(guest.page, 'the widget, a chat');
      await anna.page.getByRole('button', { name: /^(Customer|客户资料)$/ }).click();
      await narrow(anna.page, 'the customer beside it');
      await anna.page.getByRole('complementary').getByRole('button', { name: /^(Close|关闭)$/ }).click();
      await anna.page.getByRole('button', { name: /^(End chat|结束会话)/ }).click();
      await anna.page.getByRole('button', { name: /^(Done|完成)$/ }).click();
      const [ticket] = (await s.ask('GET', '/tickets')).tickets;
      for (const path of ['/tickets', `/tickets/${ticket.id}`, '/customers', `/customers/${ticket.customer}`, '/calls', '/me']) {
        await anna.page.goto(`${s.origin}${path}`);
        await anna.page.locator('h1').first().waitFor();
        await anna.page.waitForLoadState('networkidle');
        await narrow(anna.page, path);
      }
      await anna.context.close();
      await guest.context.close();
    }
    figure(`${looked} screens`);
  },

  async axe_finds_the_four_faults_of_a_page_made_with_four({ b }) {
    const { page } = await person(b);
    await page.setContent('<!doctype html><html lang="en"><title>Faults</title><main><h1>Faults</h1><button></button><input><p style="color:#ccc;background:#fff">pale</p><a href="#a" style="display:inline-block;width:10px;height:10px;font-size:8px">a</a><a href="#b" style="display:inline-block;width:10px;height:10px;font-size:8px">b</a></main></html>');
    const found = await faults(page, 'four').then(() => '', (error) => error.message + JSON.stringify(error.actual));
    for (const id of ['button-name', 'label', 'color-contrast', 'target-size']) assert.ok(found.includes(`${id}:`), `${id} is not among ${found}`);
  },
};
