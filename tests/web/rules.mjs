// What used to be set by file only: promises, who may call out where, carriers, what the house is called.

import assert from 'node:assert/strict';
import { eventually, faults, inForce, person, ready, signIn, visits } from './kit.mjs';
import { baresip, hears } from './phones.mjs';

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

  async an_administrator_says_how_a_carrier_writes_numbers_and_puts_two_under_one_name({ s, b }) {
    await s.configure((yaml) => yaml.replace(/^( *)trunks: \{\}$/m, '$1trunks: {carrier: {host: "127.0.0.1:5998"}, spare: {host: "127.0.0.1:5997"}}'));
    const { page, complaints } = await person(b);
    await signIn(page, s.origin, 'admin', s.users.admin);
    await page.goto(`${s.origin}/admin/trunks`);
    await page.getByRole('button', { name: 'carrier', exact: true }).click();
    const carrier = page.getByRole('dialog', { name: 'carrier', exact: true });
    await carrier.getByLabel('Numbers are sent').selectOption('national');
    await carrier.getByRole('textbox', { name: /^Its country code/ }).fill('32');
    await carrier.getByRole('textbox', { name: /^Its national prefix/ }).fill('0');
    // What it comes to is shown before anybody is called.
    await carrier.getByText('→ 0215550123').waitFor();
    await carrier.getByText('+12125550123 → 0012125550123').waitFor();
    await carrier.getByRole('checkbox', { name: 'What it says about callers is believed' }).check();
    await carrier.getByRole('checkbox', { name: 'P-Asserted-Identity' }).check();
    await carrier.getByRole('button', { name: 'Add a rule' }).click();
    await carrier.getByLabel('Header, row 1').fill('X-Account');
    await carrier.getByLabel('Value, row 1').fill('shop');
    await faults(page, 'a carrier’s ways');
    await carrier.getByRole('button', { name: 'Keep in the draft' }).click();
    await page.getByRole('button', { name: 'New group' }).click();
    const named = page.getByRole('dialog', { name: 'New group' });
    await named.getByLabel('Id').fill('outside');
    await named.getByRole('button', { name: 'Add' }).click();
    const group = page.getByRole('dialog', { name: 'outside', exact: true });
    await group.getByLabel('Weight, row 1').fill('3');
    await group.getByRole('button', { name: 'Add a trunk' }).click();
    assert.equal(await group.getByLabel('Trunk, row 2').inputValue(), 'spare');
    await faults(page, 'a group of carriers');
    await group.getByRole('button', { name: 'Keep in the draft' }).click();
    await page.getByText('carrier 75 %, spare 25 %').waitFor();
    await inForce(page, ['send: national', 'trusted: true', '- asserted_identity', 'X-Account', 'outside:', 'weight: 3']);
    const { business } = await s.ask('GET', '/config/document');
    const [tenant] = Object.values(business.tenants);
    assert.deepEqual(tenant.trunk_groups.outside, [{ trunk: 'carrier', priority: 1, weight: 3 }, { trunk: 'spare', priority: 1, weight: 1 }]);
    assert.deepEqual(tenant.trunks.carrier.numbers, { country: '32', national_prefix: '0', send: 'national' });
    assert.deepEqual(complaints, []);
  },

  async an_administrator_says_who_vouches_what_a_minute_costs_and_what_happens_in_calls_by_forms({ s, b }) {
    await s.configure((yaml) => yaml.replace(/^( *)trunks: \{\}$/m, '$1trunks: {carrier: {host: "127.0.0.1:5998"}}'));
    const { page, complaints } = await person(b);
    await signIn(page, s.origin, 'admin', s.users.admin);
    await page.goto(`${s.origin}/admin/trunks`);
    await page.getByRole('button', { name: 'carrier', exact: true }).click();
    const carrier = page.getByRole('dialog', { name: 'carrier', exact: true });
    await carrier.getByLabel('Calls that come in').selectOption('require');
    await carrier.getByLabel('Signed at most so many seconds ago').fill('30');
    await carrier.getByRole('checkbox', { name: 'Calls out are signed' }).check();
    await carrier.getByLabel('Secret with the private key').fill('stir_key');
    await carrier.getByLabel('Numbers of the house besides the one shown').fill('+3228880*, +3228881*');
    await faults(page, 'who vouches');
    await carrier.getByRole('button', { name: 'Keep in the draft' }).click();
    await page.getByRole('button', { name: 'Check and show changes' }).click();
    await page.getByText(/trunks\.carrier\.stir\.cert_url: expected an address/).waitFor();
    await page.getByRole('button', { name: 'carrier', exact: true }).click();
    await carrier.getByLabel('Address of the certificate').fill('https://cert.shop.example/stir.pem');
    await carrier.getByRole('button', { name: 'Keep in the draft' }).click();

    await page.getByRole('link', { name: 'Rules', exact: true }).click();
    await page.getByRole('button', { name: 'Add a price' }).click();
    await page.getByLabel('A minute, row 1').fill('0.5');
    await page.getByRole('button', { name: 'Add a price' }).click();
    await page.getByLabel('Numbers, row 2').fill('+86*');
    await page.getByLabel('A minute, row 2').fill('0.02');
    await page.getByRole('spinbutton', { name: 'everybody together: Money' }).fill('200');
    await faults(page, 'what a minute costs');

    await page.getByRole('link', { name: 'Calls', exact: true }).last().click();
    await page.getByLabel('Files of recordings').selectOption('opus');
    await page.getByRole('checkbox', { name: 'Keys an agent presses are written down as x' }).check();
    await page.getByRole('checkbox', { name: /^Agents see that somebody listens/ }).check();
    await page.getByRole('button', { name: 'Limit a supervisor' }).click();
    const who = page.getByRole('dialog', { name: 'Limit a supervisor' });
    await who.getByLabel('Id').fill('susan');
    await who.getByRole('button', { name: 'Add' }).click();
    await page.getByRole('group', { name: 'susan supervises' }).getByRole('checkbox', { name: /^Support/ }).check();
    await page.getByRole('button', { name: 'Add a value' }).click();
    const value = page.getByRole('dialog', { name: 'Add a value' });
    await value.getByLabel('Id').fill('hotline');
    await value.getByRole('button', { name: 'Add' }).click();
    await page.getByLabel('config.hotline').fill('+3228880000');
    await page.getByRole('button', { name: 'New program' }).click();
    const named = page.getByRole('dialog', { name: 'New program' });
    await named.getByLabel('Id').fill('asr');
    await named.getByRole('button', { name: 'Add' }).click();
    const stream = page.getByRole('dialog', { name: 'asr', exact: true });
    await stream.getByRole('textbox', { name: /^Address/ }).fill('wss://asr.example/calls');
    await stream.getByLabel('Samples a second').selectOption('16000');
    await stream.getByRole('button', { name: 'Keep in the draft' }).click();
    await faults(page, 'what happens in calls');
    await inForce(page, ['verify: require', 'recording_format: opus', 'hotline:', 'stir_key']);
    const { business } = await s.ask('GET', '/config/document');
    const [tenant] = Object.values(business.tenants);
    assert.deepEqual(tenant.trunks.carrier.stir, { key_secret: 'stir_key', cert_url: 'https://cert.shop.example/stir.pem', owns: ['+3228880*', '+3228881*'], verify: 'require', max_age_s: 30 });
    assert.deepEqual([tenant.toll.rates, tenant.toll.per_tenant], [[{ to: '*', per_minute: 0.5 }, { to: '+86*', per_minute: 0.02 }], { spend_h: 200 }]);
    assert.deepEqual([tenant.calls.mask_keys, tenant.supervision], [true, { tell_agents: true, queues: { susan: ['support'] } }]);
    assert.deepEqual([tenant.flow_config, tenant.streams], [{ hotline: '+3228880000' }, { asr: { url: 'wss://asr.example/calls', rate: 16000 } }]);
    assert.deepEqual(complaints, []);
  },

  async an_administrator_says_how_the_chat_looks_and_what_it_asks_and_the_answer_comes_with_the_offer({ s, b, shop }) {
    const { page, complaints } = await person(b);
    await signIn(page, s.origin, 'admin', s.users.admin);
    await page.goto(`${s.origin}/admin/widget`);
    await page.getByLabel('Colour').fill('#ffd54f');
    await page.getByLabel('Corner').selectOption('left');
    await page.getByLabel('Title · English').fill('Ask Lotus');
    await page.getByLabel('Phone or e-mail').selectOption('off');
    await page.getByRole('button', { name: 'Add a question' }).click();
    await page.getByLabel('Question 1: Id').fill('order no');
    await page.getByLabel('Question 1: English').fill('Your order number');
    await page.getByLabel('Question 1: 中文').fill('订单号');
    await page.getByLabel('Question 1: Needed').selectOption('required');
    await page.getByRole('checkbox', { name: /^Visitors leave a message/ }).check();
    await page.getByLabel('Tickets go to').selectOption('support');
    await page.getByRole('checkbox', { name: 'Also in opening hours when nobody is signed in' }).uncheck();
    await page.getByRole('checkbox', { name: 'archives' }).check();
    await faults(page, 'the chat’s form');
    await page.getByRole('button', { name: 'Check and show changes' }).click();
    await page.getByText(/`order no` cannot name an answer/).waitFor();
    await page.getByLabel('Question 1: Id').fill('order_no');
    await inForce(page, ['#ffd54f', 'order_no', 'need: required', '- archive']);
    assert.deepEqual(complaints, []);

    const anna = await person(b);
    await signIn(anna.page, s.origin, 'anna', s.users.anna);
    await ready(anna.page);
    for (const [lang, theme, title, label] of [['zh-CN', 'dark', '在线咨询', '订单号'], ['en', 'light', 'Ask Lotus', 'Your order number']]) {
      const guest = await person(b, { lang, theme, width: 1000, height: 720 });
      const w = await visits(guest, shop, lang);
      await w.open();
      await w.widget.getByText(title, { exact: true }).first().waitFor();
      const box = await w.widget.locator('button.open').boundingBox();
      assert.ok(box.x < 100, `it sits on the left: ${box.x}`);
      // Black is what is seen on this yellow.
      await faults(guest.page, `a widget of the house’s colour, ${lang}, ${theme}`);
      assert.equal(await w.widget.locator('input[name=contact]').count(), 0);
      await w.widget.locator('.begin button.main').click();
      assert.equal(await w.widget.locator('.begin').isVisible(), true, 'nothing begins without the answer');
      if (lang !== 'en') { assert.deepEqual(guest.complaints, []); await guest.context.close(); continue; }
      await w.widget.getByLabel(label).fill('L-4711');
      await w.widget.locator('.begin button.main').click();
      await w.widget.getByRole('button', { name: 'Talk to a person' }).first().click();
      await anna.page.getByRole('button', { name: /^Accept/ }).waitFor();
      await anna.page.getByText('order_no: L-4711').first().waitFor();
      assert.deepEqual([...guest.complaints, ...anna.complaints], []);
    }
  },

  async an_administrator_tries_a_trunk_with_a_call_and_reads_how_it_went({ s, b }) {
    const far = await baresip(s, '+8613800009000');
    try {
      await s.configure((yaml) => yaml.replace(/\n( +)trunks: \{\}\n/, `\n$1trunks: {carrier: {host: "${far.at}"}}\n`));
      const admin = await person(b);
      const { page } = admin;
      await signIn(page, s.origin, 'admin', s.users.admin);
      await page.goto(`${s.origin}/admin/trunks`);
      await page.getByRole('button', { name: 'Test call: carrier' }).click();
      const asked = page.getByRole('dialog', { name: 'Test call by carrier' });
      await faults(page, 'a test call');
      // What the guard keeps in is kept in here as well, and said.
      await asked.getByLabel('Number to call').fill('+19005550100');
      await asked.getByRole('button', { name: 'Call' }).click();
      await page.getByRole('alert').first().waitFor();
      assert.ok(!far.said.includes('CALL_INCOMING'));
      await asked.getByLabel('Number to call').fill('13800009000');
      await asked.getByRole('button', { name: 'Call' }).click();
      await page.waitForURL(/\/calls\//);
      await page.getByText('Called +8613800009000').waitFor();
      await far.accept();
      await hears(far.ear, 1_004);
      await far.saw('CALL_CLOSED');
      const [call] = (await s.ask('GET', '/interactions?limit=1')).interactions;
      await eventually(async () => assert.ok((await s.ask('GET', `/interactions/${call.id}`)).record.closed_at));
      assert.deepEqual([call.way, call.ticket, call.agent], ['outbound', null, null]);
      const { messages } = await eventually(async () => { const told = await s.ask('GET', `/interactions/${call.id}/ladder`); assert.ok(told.messages.length >= 4); return told; });
      assert.ok(messages.some((m) => JSON.stringify(m).includes('INVITE')));
      assert.ok(JSON.stringify(await s.ask('GET', '/audit')).includes('trunk.call'));
      assert.deepEqual(admin.complaints, []);
    } finally { await far.end(); }
  },

  async an_administrator_says_how_much_an_agent_has_at_once_and_which_queue_comes_first_for_them({ s, b }) {
    const admin = await person(b);
    const { page } = admin;
    await signIn(page, s.origin, 'admin', s.users.admin);
    await page.goto(`${s.origin}/admin/people`);
    await page.getByRole('button', { name: /^Ben/ }).click();
    const ben = page.getByRole('dialog', { name: 'ben' });
    await ben.getByLabel('Chats at once').fill('2');
    await ben.getByLabel(/^Sales.*: Only who has waited, seconds$/).fill('30');
    await faults(page, 'what an agent has at once');
    await ben.getByRole('button', { name: 'Keep in the draft' }).click();
    await inForce(page, [/webchat: 2/, /delay_s: 30/]);
    const { routing } = (await s.ask('GET', '/config/document')).business.tenants.demo;
    assert.deepEqual([routing.agents.ben.capacity.webchat, routing.agents.ben.queues.find((q) => q.queue === 'sales').delay_s], [2, 30]);
    assert.deepEqual(admin.complaints, []);
  },

  async an_administrator_says_what_phones_speak_whom_a_carrier_refuses_and_when_a_calendar_differs({ s, b }) {
    await s.configure((yaml) => yaml.replace(/^( *)trunks: \{\}$/m, '$1trunks: {carrier: {host: "127.0.0.1:5998", from: ["192.0.2.0/24"]}}'));
    const { page, complaints } = await person(b);
    await signIn(page, s.origin, 'admin', s.users.admin);
    await page.goto(`${s.origin}/admin/calls`);
    await page.getByLabel('Codecs, preferred first').fill('G722, pcma');
    await page.getByLabel('Encryption of the sound (SRTP)').selectOption('required');
    await page.getByRole('button', { name: 'Another phone' }).click();
    const named = page.getByRole('dialog', { name: 'Another phone' });
    await named.getByLabel('Id').fill('ben');
    await named.getByRole('button', { name: 'Add' }).click();
    const phone = page.getByRole('dialog', { name: 'ben', exact: true });
    await phone.getByLabel('Keys come').selectOption('info');
    await faults(page, 'a phone that differs');
    await phone.getByRole('button', { name: 'Keep in the draft' }).click();

    await page.getByRole('link', { name: 'Trunks', exact: true }).click();
    await page.getByRole('button', { name: 'carrier', exact: true }).click();
    const carrier = page.getByRole('dialog', { name: 'carrier', exact: true });
    await carrier.getByLabel('Of these, refused').fill('192.0.2.64/26');
    await carrier.getByLabel('Codecs, preferred first').fill('speex');
    await carrier.getByLabel('May fall silent with comfort noise').selectOption('true');
    await carrier.getByRole('button', { name: 'Keep in the draft' }).click();
    await page.getByRole('button', { name: 'Check and show changes' }).click();
    await page.getByText(/trunks\.carrier\.media\.codecs: `speex` is not known/).waitFor();
    await page.getByRole('button', { name: 'carrier', exact: true }).click();
    await carrier.getByLabel('Codecs, preferred first').fill('');
    await faults(page, 'what is spoken with a carrier');
    await carrier.getByRole('button', { name: 'Keep in the draft' }).click();

    await page.getByRole('link', { name: 'Hours', exact: true }).click();
    await page.getByRole('button', { name: /^Shop hours/ }).click();
    const shop = page.getByRole('dialog', { name: 'shop', exact: true });
    await shop.getByRole('button', { name: 'Add an exception' }).click();
    await shop.getByLabel('From, exception 1').fill('2031-12-24T14:00');
    await shop.getByLabel('Until, exception 1').fill('2031-12-24T18:30');
    await shop.getByLabel('Why, exception 1').fill('Christmas party');
    await faults(page, 'exceptions of a calendar');
    await shop.getByRole('button', { name: 'Keep in the draft' }).click();
    await inForce(page, ['srtp: required', 'dtmf: info', 'comfort_noise: true', '192.0.2.64/26', 'Christmas party']);
    const { business } = await s.ask('GET', '/config/document');
    const [tenant] = Object.values(business.tenants);
    assert.deepEqual([tenant.media, tenant.phones], [{ codecs: ['g722', 'pcma'], srtp: 'required' }, { ben: { dtmf: 'info' } }]);
    assert.deepEqual([tenant.trunks.carrier.deny, tenant.trunks.carrier.media], [['192.0.2.64/26'], { comfort_noise: true }]);
    assert.deepEqual(tenant.routing.calendars.shop.overrides.map((o) => [o.from.slice(0, 16), o.to.slice(0, 16), o.open, o.why]), [['2031-12-24T14:00', '2031-12-24T18:30', false, 'Christmas party']]);
    // Taken back, nothing of it is written.
    await page.getByRole('button', { name: /^Shop hours/ }).click();
    await shop.getByRole('button', { name: 'Remove: exception 1' }).click();
    await shop.getByRole('button', { name: 'Keep in the draft' }).click();
    await inForce(page, ['Christmas party']);
    await eventually(() => assert.deepEqual(complaints, []));
  },
};
