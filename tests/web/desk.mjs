// The agent's desk in a browser: keys, clocks, lists, tickets of several, a whole shift without a mouse.

import assert from 'node:assert/strict';
import { beginChat, eventually, faults, person, ready, signIn, visits } from './kit.mjs';
import { baresip, hears } from './phones.mjs';
import { connected, desk as headset } from './voice.mjs';

const enter = async (b, s, login, look) => {
  const p = await person(b, look);
  await signIn(p.page, s.origin, login, s.users[login]);
  return p;
};
const palette = async (page, words) => {
  await page.keyboard.press('Control+k');
  await page.getByRole('dialog').getByRole('combobox').waitFor();
  await page.keyboard.type(words);
  await page.keyboard.press('Enter');
};

export const desk = {
  async an_agent_works_a_whole_shift_with_a_real_caller_by_keyboard_alone({ s }) {
    const ben = await headset(s, 'ben');
    const chen = await headset(s, 'chen');
    const caller = await baresip(s, '+8613800007777');
    try {
      const { page } = ben;
      await palette(page, 'begin shift');
      await connected(page);
      await palette(page, 'ready');
      await page.getByRole('button', { name: 'My state' }).getByText('Ready', { exact: true }).waitFor();
      await palette(chen.page, 'begin shift');
      await connected(chen.page);

      caller.dial('4001');
      await page.getByRole('button', { name: /^Answer/ }).waitFor();
      await page.keyboard.press('a');
      await page.getByRole('button', { name: /^Mute/ }).waitFor();
      await hears(ben.ear, 'caller');
      await hears(caller.ear, 'ben');
      await page.keyboard.press('h');
      await page.getByRole('button', { name: /^Take back/ }).waitFor();
      await hears(ben.ear, null);
      await page.keyboard.press('h');
      await page.getByRole('button', { name: /^Hold/ }).waitFor();
      await hears(ben.ear, 'caller');
      // The gap in the recording is said while it lasts, and afterwards in the story.
      await page.keyboard.press('r');
      await page.getByText('Not recorded').waitFor();
      await page.keyboard.press('r');
      await page.getByText('Not recorded').waitFor({ state: 'detached' });
      // The outcome is given during the talk.
      await page.keyboard.press('3');
      await page.getByRole('button', { name: /Sold/, pressed: true }).waitFor();
      // Asking first: one key, a few letters, Enter; the way can be changed by keyboard, too.
      await palette(chen.page, 'ready');
      await chen.page.getByRole('button', { name: 'My state' }).getByText('Ready', { exact: true }).waitFor();
      await page.keyboard.press('t');
      await page.getByRole('dialog', { name: 'Transfer to' }).getByRole('combobox').waitFor();
      await page.keyboard.press('Shift+Tab');
      await page.keyboard.press('Enter');
      await page.getByRole('button', { name: 'Ask first', pressed: true }).waitFor();
      await page.keyboard.press('Escape');
      await page.getByRole('dialog').waitFor({ state: 'detached' });
      await page.keyboard.press('q');
      await page.getByRole('button', { name: 'Ask first', pressed: true }).waitFor();
      await page.keyboard.type('chen');
      await page.keyboard.press('Enter');
      await chen.page.getByRole('button', { name: /^Answer/ }).waitFor();
      await chen.page.keyboard.press('a');
      await hears(ben.ear, 'chen');
      await palette(page, 'swap');
      await hears(ben.ear, 'caller');
      await palette(page, 'all together');
      await page.getByText('All together with').waitFor();
      await palette(page, 'hand over');
      await page.getByRole('button', { name: 'Done' }).waitFor();
      await hears(chen.ear, 'caller');
      await hears(caller.ear, 'chen');
      await palette(page, 'done');
      await page.getByText('You are ready').waitFor();
      // The ticket of the call: found, noted, left.
      await palette(page, 'tickets');
      await page.getByRole('heading', { name: 'Tickets' }).waitFor();
      await page.getByRole('link', { name: /8613800007777|Call/ }).first().waitFor();
      await page.keyboard.press('j');
      await page.keyboard.press('k');
      await page.keyboard.press('Enter');
      await page.getByRole('textbox', { name: 'Write a note' }).focus();
      await page.keyboard.type('Wants a blue one @che');
      await page.getByRole('option', { name: /@chen/ }).waitFor();
      await page.keyboard.press('Enter');
      await page.keyboard.press('Control+Enter');
      await page.getByRole('list', { name: 'What happened' }).getByText('Wants a blue one').waitFor();
      await chen.page.getByText('Ben mentioned you in ticket').waitFor();
      await chen.page.keyboard.press('e');
      await caller.saw('CALL_CLOSED');
      const [call] = (await s.ask('GET', '/interactions?limit=1')).interactions;
      await page.goto(`${s.origin}/calls/${call.id}`);
      await page.getByText('Recording paused: nothing is kept').waitFor();
      await page.getByText('Recording goes on').waitFor();
      assert.deepEqual([...ben.complaints, ...chen.complaints], []);
    } finally { await caller.end(); await chen.end(); await ben.end(); }
  },

  async a_microphone_that_ends_in_a_call_is_said_at_once_the_call_goes_on_and_nothing_more_is_offered({ s }) {
    const ben = await headset(s, 'ben');
    const caller = await baresip(s, '+8613800008888');
    try {
      const { page } = ben;
      await page.getByRole('button', { name: 'Begin shift' }).click();
      await connected(page);
      await ready(page);
      await page.evaluate(() => {
        const real = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
        navigator.mediaDevices.getUserMedia = async (wish) => { window.mouth = await real(wish); return window.mouth; };
      });
      caller.dial('4001');
      await page.getByRole('button', { name: /^Answer/ }).click();
      await page.getByRole('button', { name: /^Mute/ }).waitFor();
      await hears(caller.ear, 'ben');
      const [phone, from] = [async () => (await s.ask('GET', '/agents')).ben.phone, Date.now()];
      await page.evaluate(() => { const [track] = window.mouth.getAudioTracks(); track.stop(); track.dispatchEvent(new Event('ended')); });
      await page.getByText('The microphone ended in the middle of the call').waitFor();
      await eventually(async () => assert.equal(await phone(), false));
      const took = Date.now() - from;
      assert.ok(took <= 2_000 * s.slow, `it took ${took} ms`);
      await hears(ben.ear, 'caller');
      assert.ok(!caller.said.includes('CALL_CLOSED'));
      await page.getByRole('button', { name: /^Hang up/ }).click();
      await caller.saw('CALL_CLOSED');
    } finally { await caller.end(); await ben.end(); }
  },

  async a_chat_is_handed_to_a_colleague_who_reads_the_note_the_visitor_never_sees({ s, b, shop }) {
    const [anna, ben] = [await enter(b, s, 'anna'), await enter(b, s, 'ben')];
    await ready(anna.page);
    const guest = await person(b, { width: 1000, height: 720 });
    const w = await visits(guest, shop);
    await beginChat(w, 'Li Na');
    await anna.page.getByRole('button', { name: /^Accept/ }).click();
    const write = anna.page.getByRole('textbox', { name: 'Write to the customer' });
    await write.fill('I ask a colleague.');
    await write.press('Enter');
    await w.widget.getByText('I ask a colleague.').waitFor();
    await anna.page.getByRole('button', { name: /^Private note/ }).click();
    const note = anna.page.getByRole('textbox', { name: 'Note for colleagues' });
    await note.pressSequentially('Wants the blue one, @be');
    await anna.page.getByRole('option', { name: /@ben/ }).waitFor();
    await note.press('Enter');
    await note.press('Enter');
    await anna.page.getByRole('log').getByText('Wants the blue one').waitFor();
    await ready(ben.page);
    await anna.page.getByRole('button', { name: /^Transfer/ }).click();
    await anna.page.getByRole('dialog', { name: 'Transfer to' }).getByRole('option', { name: /Ben/ }).click();
    await ben.page.getByRole('button', { name: /^Accept/ }).click();
    await ben.page.getByRole('log').getByText('Wants the blue one').waitFor();
    const his = ben.page.getByRole('textbox', { name: 'Write to the customer' });
    await his.pressSequentially('Ben here');
    await his.press('Enter');
    await w.widget.getByText('Ben here').waitFor();
    assert.equal(await w.widget.getByText('Wants the blue one').count(), 0);
    assert.deepEqual([...anna.complaints, ...ben.complaints], []);
  },

  async a_waiting_contact_tells_by_word_shape_and_place_how_urgent_it_is({ s, b }) {
    const susan = await person(b);
    let tell;
    await susan.page.routeWebSocket(/\/api\/v1\/events/, (line) => {
      line.connectToServer();
      tell = (event) => line.send(JSON.stringify(event));
    });
    await signIn(susan.page, s.origin, 'susan', s.users.susan);
    await susan.page.getByRole('region', { name: 'Everything going on' }).or(susan.page.getByRole('searchbox')).first().waitFor();
    // Whoever is told of three at once: one just came, one is nearly due, one is late. (Sales promises 15 s, Support 20.)
    const waits = (queue, name, s_ago) => {
      const at = new Date(Date.now() - 1000 * s_ago).toISOString();
      return {
        channel: 'voice', way: 'inbound', stage: 'waiting', stage_since: at, since: at, to: '4001', from: name, customer: '0', customer_name: name, ticket: null, queue,
        position: 1, agent: null, path: [], attributes: {}, streams: [], unheard: [], messages: 0, talk_since: null, held_since: null, muted: false, recording: null,
        customer_left: false, consult: null, supervisors: [],
      };
    };
    const interactions = { a: waits('support', 'New Nora', 1), b: waits('sales', 'Soon Sam', 13.2), c: waits('support', 'Late Lou', 40) };
    tell({ type: 'view', seq: 1, at: new Date().toISOString(), agents: {}, queues: {}, interactions, gone: { agents: [], queues: [], interactions: [] } });
    const row = (name) => susan.page.getByRole('link', { name: new RegExp(name) });
    await row('Late Lou').getByText(/^! \+0:2\d late$/).waitFor();
    await row('Soon Sam').getByText(/^(◔ 0:0\d soon due|! \+0:0\d late)$/).waitFor();
    await row('New Nora').getByText(/^✓ 0:1\d$/).waitFor();
    const names = await susan.page.getByRole('link', { name: /New Nora|Soon Sam|Late Lou/ }).allInnerTexts();
    assert.deepEqual(names.map((text) => /New Nora|Soon Sam|Late Lou/.exec(text)[0]), ['Late Lou', 'Soon Sam', 'New Nora']);
  },

  async a_transcript_stays_where_it_is_read_and_says_how_much_came({ s }) {
    const ben = await headset(s, 'ben');
    const caller = await baresip(s, '+8613800009999');
    try {
      const { page } = ben;
      const said = (seq, id, at) => ({ type: 'fact', seq, at, fact: 'said', interaction: id, by: seq % 2 ? 'customer' : 'agent', agent: seq % 2 ? null : 'ben', text: `Line ${seq}`, confidence: 0.9, since: at, ms: 900 });
      const at = (n) => new Date(Date.UTC(2026, 0, 1, 8, 0, n)).toISOString();
      let tell;
      await page.routeWebSocket(/\/api\/v1\/events/, (line) => {
        line.connectToServer();
        tell = (event) => line.send(JSON.stringify(event));
      });
      await page.route(/\/transcript/, (asked) => {
        const id = /interactions\/([^/]+)\/transcript/.exec(asked.request().url())[1];
        return asked.fulfill({ json: { interaction: id, facts: Array.from({ length: 60 }, (_, n) => said(n + 1, id, at(n))) } });
      });
      await page.reload();
      await page.getByRole('button', { name: 'Begin shift' }).click();
      await connected(page);
      await ready(page);
      caller.dial('4001');
      await page.getByRole('button', { name: /^Answer/ }).click();
      const lines = page.getByRole('log', { name: 'What was said' });
      await lines.getByText('Line 60').waitFor();
      const [call] = (await s.ask('GET', '/interactions?live=true')).interactions;
      const box = lines.locator('..');
      // Read to the end, it follows.
      tell(said(100_001, call.id, at(61)));
      await lines.getByText('Line 100001').waitFor();
      const place = () => box.evaluate((node) => [node.scrollTop, node.scrollHeight - node.clientHeight]);
      await eventually(async () => { const [top, end] = await place(); assert.ok(end > 0 && Math.abs(top - end) < 3, `${top} of ${end}`); });
      // Scrolled up, it stays.
      await box.evaluate((node) => { node.scrollTop = 40; });
      await eventually(async () => assert.equal((await place())[0], 40));
      for (let n = 2; n <= 51; n++) tell(said(100_000 + n, call.id, at(60 + n)));
      await page.getByRole('button', { name: /^50 new/ }).waitFor();
      assert.equal((await place())[0], 40);
      await page.getByRole('button', { name: /^50 new/ }).click();
      await eventually(async () => { const [top, end] = await place(); assert.ok(Math.abs(top - end) < 3, `${top} of ${end}`); });
      await page.getByRole('button', { name: /^Hang up/ }).click();
      await caller.saw('CALL_CLOSED');
    } finally { await caller.end(); await ben.end(); }
  },

  async whoever_looks_elsewhere_is_told_by_icon_title_and_a_message_that_takes_the_contact({ s, b, shop }) {
    const anna = await person(b);
    await anna.context.addInitScript(() => {
      window.Notification = class { static permission = 'granted'; constructor(title) { window.told = title; window.note = this; } close() { window.shut = true; } };
    });
    await signIn(anna.page, s.origin, 'anna', s.users.anna);
    await ready(anna.page);
    const icon = () => anna.page.locator('link[rel~=icon]').getAttribute('href');
    const plain = await icon();
    await anna.page.evaluate(() => Object.defineProperty(document, 'hidden', { configurable: true, get: () => true }));
    const guest = await person(b, { width: 1000, height: 720 });
    const w = await visits(guest, shop);
    await beginChat(w, 'Li Na');
    await anna.page.getByRole('button', { name: /^Accept/ }).waitFor();
    await eventually(async () => assert.equal(await anna.page.evaluate(() => window.told), 'Li Na is offered to you'));
    assert.match(await icon(), /^data:image\/png/);
    assert.match(await anna.page.title(), /^\(1\)/);
    await anna.page.evaluate(() => window.note.onclick());
    await anna.page.getByRole('textbox', { name: 'Write to the customer' }).waitFor();
    await eventually(async () => assert.equal(await icon(), new URL(plain, s.origin).href));
    assert.doesNotMatch(await anna.page.title(), /^\(1\)/);
    assert.equal(await anna.page.evaluate(() => window.shut), true);
    assert.deepEqual(anna.complaints, []);
  },

  async keys_are_given_anew_not_twice_and_switched_off_and_the_palette_knows_initials({ s, b }) {
    const anna = await enter(b, s, 'anna');
    const { page } = anna;
    await page.goto(`${s.origin}/me`);
    const field = (name) => page.getByRole('textbox', { name: new RegExp(name) });
    await field('Mute').press('h');
    await page.getByText(/H.*Hold/).first().waitFor();
    assert.equal(await field('Mute').inputValue(), 'm', 'a key that is taken is not taken again');
    await field('Mute').press('y');
    assert.equal(await field('Mute').inputValue(), 'y');
    await page.locator('main').focus();
    await page.keyboard.press('?');
    await page.getByRole('dialog').getByText('y', { exact: true }).waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await page.getByRole('checkbox', { name: /single keys/i }).uncheck();
    await page.locator('main').focus();
    await page.keyboard.press('?');
    assert.equal(await page.getByRole('dialog').count(), 0, 'a key that is off does nothing');
    await page.evaluate(() => { localStorage.setItem('ringdesk.language', 'zh-CN'); });
    await page.reload();
    await page.getByRole('heading', { name: '键盘快捷键' }).first().waitFor();
    await page.keyboard.press('Control+k');
    await page.getByRole('combobox').waitFor();
    await page.keyboard.type('gd');
    await page.getByRole('option', { name: /工单/ }).first().waitFor();
    assert.deepEqual(anna.complaints, []);
  },

  async a_computer_whose_clock_is_wrong_counts_right({ s, b }) {
    const anna = await person(b);
    await anna.context.addInitScript(() => {
      const real = Date.now.bind(Date);
      Date.now = () => real() + 5 * 60_000;
    });
    await signIn(anna.page, s.origin, 'anna', s.users.anna);
    await ready(anna.page);
    const [, since] = [0, Date.parse((await s.ask('GET', '/agents')).anna.since)];
    const shown = async () => {
      const [, m, sec] = /(\d+):(\d\d)/.exec(await anna.page.getByRole('button', { name: 'My state' }).innerText());
      return 60 * Number(m) + Number(sec);
    };
    const off = async () => Math.abs(await shown() - (Date.now() - since) / 1000);
    await eventually(async () => assert.ok((await off()) <= 1.3, `the timer is ${await off()} s off`));
  },

  async lists_of_tickets_are_kept_shared_and_deleted_and_one_change_goes_to_many({ s, b }) {
    const [anna, susan] = [await enter(b, s, 'anna'), await enter(b, s, 'susan')];
    for (const title of ['Late parcel', 'Broken lamp']) await s.ask('POST', '/tickets', { title, queue: 'support', priority: 'high' });
    await s.ask('POST', '/tickets', { title: 'Invoice', queue: 'sales' });
    const save = async (page, name, all) => {
      await page.getByRole('button', { name: 'Save as list' }).click();
      const asked = page.getByRole('dialog', { name: 'Save as list' });
      await asked.getByLabel('Name of the list').fill(name);
      if (all) await asked.getByLabel('For everybody').check();
      else assert.equal(await asked.getByLabel('For everybody').count(), 0);
      await asked.getByRole('button', { name: 'Save' }).click();
    };
    await susan.page.goto(`${s.origin}/tickets`);
    await susan.page.getByRole('combobox', { name: 'Priority' }).first().selectOption('high');
    await susan.page.getByRole('link', { name: 'Invoice' }).waitFor({ state: 'detached' });
    await save(susan.page, 'Pressing', true);
    const lists = (page) => page.getByRole('list', { name: 'Saved lists' });
    await lists(susan.page).getByRole('link', { name: /Pressing/ }).waitFor();
    // What is shared, everybody has; what is one's own, nobody else.
    await anna.page.goto(`${s.origin}/tickets`);
    await lists(anna.page).getByRole('link', { name: /Pressing/ }).click();
    await anna.page.getByRole('link', { name: 'Late parcel' }).waitFor();
    assert.equal(await anna.page.getByRole('link', { name: 'Invoice' }).count(), 0);
    assert.equal(await anna.page.getByRole('button', { name: 'Delete the list Pressing' }).count(), 0);
    await anna.page.goto(`${s.origin}/tickets?view=unassigned&queue=sales`);
    await anna.page.getByRole('link', { name: 'Invoice' }).waitFor();
    await save(anna.page, 'Sales, nobody', false);
    await lists(anna.page).getByRole('link', { name: 'Sales, nobody' }).waitFor();
    await susan.page.reload();
    await lists(susan.page).getByRole('link', { name: /Pressing/ }).waitFor();
    assert.equal(await lists(susan.page).getByRole('link').count(), 1);
    // Promises are words and shapes, not only colours.
    await anna.page.goto(`${s.origin}/tickets`);
    const chip = anna.page.getByRole('row', { name: /Late parcel/ }).locator('[data-sla]');
    await chip.getByText(/^✓ \d+:\d\d/).waitFor();
    await anna.page.getByRole('button', { name: 'Delete the list Sales, nobody' }).click();
    await anna.page.getByText('List deleted.').waitFor();
    await faults(anna.page, 'tickets with lists');
    assert.deepEqual([...anna.complaints, ...susan.complaints], []);
  },

  async two_agents_meet_at_a_ticket_and_two_tickets_become_one_that_both_numbers_lead_to({ s, b }) {
    const [anna, ben] = [await enter(b, s, 'anna'), await enter(b, s, 'ben')];
    const open = async (title, body) => (await s.ask('POST', '/tickets', { title, body, queue: 'support' })).ticket;
    const [first, second] = [await open('Late parcel', 'Where is it?'), await open('Parcel again', 'Still not here')];
    await anna.page.goto(`${s.origin}/tickets/${first}`);
    await anna.page.getByRole('heading', { name: /Late parcel/ }).waitFor();
    await ben.page.goto(`${s.origin}/tickets/${first}`);
    await anna.page.getByRole('status').getByText(/Ben$/).waitFor();
    await ben.page.getByRole('status').getByText(/Anna$/).waitFor();
    await ben.page.getByRole('textbox', { name: 'Write a note' }).fill('I ask the carrier, @anna');
    await anna.page.getByText('Ben is writing').waitFor();
    await ben.page.keyboard.press('Control+Enter');
    await anna.page.getByText('Ben mentioned you in ticket').waitFor();
    await ben.page.goto(`${s.origin}/tickets/${second}`);
    await ben.page.getByRole('heading', { name: /Parcel again/ }).waitFor();
    const number = /#(\d+)/.exec(await ben.page.getByRole('heading', { name: /Parcel again/ }).innerText())[1];
    const target = /#(\d+)/.exec(await anna.page.getByRole('heading', { name: /Late parcel/ }).innerText())[1];
    await ben.page.getByRole('button', { name: 'Merge into another' }).click();
    await ben.page.getByLabel('Number of the other ticket').fill(target);
    await ben.page.getByRole('button', { name: 'Merge', exact: true }).click();
    await ben.page.getByRole('heading', { name: /Late parcel/ }).waitFor();
    await ben.page.getByText(`#${number} was merged into this ticket.`).waitFor();
    // Both histories are there; the old number leads here, and the old one can still be looked at.
    await ben.page.getByText(`What happened in #${number} Parcel again`).click();
    await ben.page.getByText('Still not here').waitFor();
    await ben.page.goto(`${s.origin}/tickets/${number}`);
    await ben.page.getByRole('heading', { name: /Late parcel/ }).waitFor();
    await ben.page.goto(`${s.origin}/tickets/${second}?stay=1`);
    await ben.page.getByText('This ticket was merged into').waitFor();
    assert.equal(await ben.page.getByRole('textbox', { name: 'Write a note' }).count(), 0);
    // The wrong two: undone, each is what it was, and each number leads to its own again.
    await ben.page.goto(`${s.origin}/tickets/${second}`);
    await ben.page.getByText(`#${number} was merged into this ticket.`).waitFor();
    await ben.page.getByRole('button', { name: 'Undo the merge', exact: true }).click();
    await ben.page.getByText('The merge is undone.').waitFor();
    await ben.page.getByRole('heading', { name: /Parcel again/ }).waitFor();
    await ben.page.getByText('undid the merge').waitFor();
    await ben.page.getByRole('textbox', { name: 'Write a note' }).waitFor();
    await ben.page.goto(`${s.origin}/tickets/${number}`);
    await ben.page.getByRole('heading', { name: /Parcel again/ }).waitFor();
    await anna.page.getByText(`taken out again: ticket #${number}`).waitFor();
    // Once somebody has gone on in the other it stays there, and nothing offers what would be refused.
    await s.ask('POST', `/tickets/${second}/changes`, { change: 'merged_into', into: target });
    const offer = anna.page.locator('details').getByText(`Undo the merge: #${number}`);
    await offer.waitFor({ state: 'attached' });
    await anna.page.getByRole('textbox', { name: 'Write a note' }).fill('The carrier has found it');
    await anna.page.keyboard.press('Control+Enter');
    await offer.waitFor({ state: 'detached' });
    await assert.rejects(s.ask('POST', `/tickets/${second}/changes`, { change: 'unmerged', out_of: target }), /409.*has gone on since/);
    await faults(anna.page, 'a ticket with others');
    assert.deepEqual([...anna.complaints, ...ben.complaints], []);
  },

  async a_lost_line_says_when_it_is_tried_again_and_what_is_off_meanwhile({ s, b }) {
    const anna = await enter(b, s, 'anna');
    await ready(anna.page);
    await s.stop();
    await anna.page.getByText('Connection lost').waitFor();
    await anna.page.getByText(/Next try in \d+ s/).waitFor();
    assert.ok(await anna.page.getByRole('button', { name: 'My state' }).isDisabled());
    await s.start();
    await anna.page.getByRole('button', { name: 'Try now' }).click().catch(() => {});
    await anna.page.getByText('Connection lost').waitFor({ state: 'detached' });
    assert.ok(await anna.page.getByRole('button', { name: 'My state' }).isEnabled());
  },

  async calls_ring_at_a_number_outside_when_the_agent_says_so_and_a_closed_one_is_refused_in_words({ s, b }) {
    await s.configure((yaml) => yaml.replace(/\n( +)trunks: \{\}\n( +)routes:\n/, '\n$1trunks: {carrier: {host: "127.0.0.1:9"}}\n$2routes:\n$2- {match: "+*", to: {trunk: {trunk: carrier}}}\n'));
    const anna = await enter(b, s, 'anna', { phone: null });
    const { page } = anna;
    await page.getByRole('button', { name: 'Begin shift' }).click();
    const asked = page.getByRole('dialog', { name: 'How do you take calls?' });
    await asked.getByRole('radio', { name: /mobile/ }).check();
    assert.ok(await asked.getByRole('button', { name: 'Begin shift' }).isDisabled(), 'there is no number yet');
    await asked.getByRole('textbox', { name: 'Number' }).fill('+442071234567');
    await asked.getByRole('button', { name: 'Use this number' }).click();
    await page.getByText(/country is closed|not allowed/i).first().waitFor();
    await asked.getByRole('textbox', { name: 'Number' }).fill('13800001234');
    await asked.getByRole('button', { name: 'Use this number' }).click();
    await asked.getByRole('status').getByText('Calls ring at +8613800001234').waitFor();
    await faults(page, 'a number outside');
    await asked.getByRole('button', { name: 'Begin shift' }).click();
    await page.getByRole('button', { name: 'Phone: +8613800001234' }).waitFor();
    // A colleague is not told the number, a supervisor is.
    const ben = await enter(b, s, 'ben');
    const told = await ben.page.evaluate(async () => (await (await fetch('/api/v1/agents')).json()).anna);
    assert.deepEqual([told.phone, told.number], [true, null]);
    assert.equal((await s.ask('GET', '/agents')).anna.number, '+8613800001234');
    await page.getByRole('button', { name: 'Phone: +8613800001234' }).click();
    await page.getByRole('dialog').getByRole('radio', { name: /desk phone/ }).check();
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Phone not registered' }).waitFor();
    assert.deepEqual(anna.complaints, []);
  },
};
