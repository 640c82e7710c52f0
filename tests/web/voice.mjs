// Calls with real browsers at one end or both, as stories: what is heard is measured.

import assert from 'node:assert/strict';
import { browser, eventually, faults, person, ready, signIn } from './kit.mjs';
import { baresip, headset, hears, listensIn, softphone } from './phones.mjs';

/** An agent who takes calls, by the API: in these stories the phone is looked at, not the console. */
const works = async (s, agent) => {
  await s.ask('POST', `/agents/${agent}/sign-in`);
  await s.ask('PUT', `/agents/${agent}/state`, { state: 'ready' });
};

/**
 * A page that is nothing but a phone registers, is called by another, holds, is loaded again in the call, hands the caller to a
 * desk phone, and the caller's page presses a key there: at each step it is measured who hears whom.
 */
async function anyPhone(s, library, figure, { secure = false } = {}) {
  // The certificate is made on the spot: nobody knows it.
  const more = secure ? ['--ignore-certificate-errors'] : [];
  const at = secure ? { ...s, origin: s.secure() } : s;
  const [hers, his] = [await headset('anna', more), await headset('ben', more)];
  // A server that was started again for https listens for desk phones elsewhere.
  const chen = secure ? null : await baresip(s, 'chen', { voice: 'chen', password: s.phones.chen });
  try {
    const anna = await softphone(hers, at, 'anna', library);
    const ben = await softphone(his, at, 'ben', library);
    assert.match(anna.login.ws_url, secure ? /^wss:\/\/.*\/sip$/ : /^ws:\/\/.*\/sip$/);
    await works(s, 'ben');
    const dialled = Date.now();
    await anna.does('dial', 'sip:4001@demo');
    await ben.saw('remote call');
    await ben.does('answer');
    await ben.saw('confirmed');
    await anna.saw('confirmed');
    figure(`up ${Date.now() - dialled} ms after dialling`);
    await hears(anna.ear, 'ben');
    await hears(ben.ear, 'anna');
    const { tls, dtls, codec, cipher } = await anna.figures();
    figure(`${codec}, ${cipher}, DTLS ${tls}`);
    // 1.2, whatever newer version the browser offers: the engine's DTLS speaks no other.
    assert.deepEqual([dtls, tls], ['connected', 'FEFD']);
    // The one on hold hears nothing, and both hear each other again.
    await ben.does('hold', true);
    await hears(ben.ear, null);
    await ben.does('hold', false);
    await hears(ben.ear, 'anna');
    await hears(anna.ear, 'ben');
    // The page is gone and comes back; the caller is kept, and the call is there again.
    await ben.reload();
    const back = Date.now();
    await ben.saw('remote call');
    await ben.does('answer');
    await hears(ben.ear, 'anna');
    figure(`heard again ${Date.now() - back} ms after the page had registered anew`);
    await hears(anna.ear, 'ben');
    assert.ok(!(await anna.sees()).some((e) => e.startsWith('ended')), 'the caller was kept');
    if (!chen) {
      await ben.does('hangUp');
      await anna.saw('ended');
      return;
    }
    // Handed on by the page itself (REFER), and a key that arrives at the other phone.
    await works(s, 'chen');
    await ben.does('refer', 'sip:chen@demo');
    await chen.accept();
    await ben.saw('ended');
    await hears(chen.ear, 'anna');
    await hears(anna.ear, 'chen');
    await anna.does('press', '5');
    await chen.saw('CALL_DTMF_START');
    await anna.does('hangUp');
    await chen.saw('CALL_CLOSED');
  } finally { await chen?.end(); await hers.close(); await his.close(); }
}

/** Somebody at the console with a headset. */
export async function desk(s, login, { look = {}, voice = login } = {}) {
  const b = await headset(voice);
  const p = await person(b, { phone: 'browser', ...look });
  const ear = await listensIn(p.page);
  if (process.env.V) p.page.on('websocket', (w) => { if (!w.url().endsWith('/sip')) return; const first = (f) => String(f.payload).split('\r\n').filter((l) => /^(SIP|[A-Z]+ sip|CSeq|Reason|X-|Warning)/.test(l)).join(' | '); w.on('framesent', (f) => console.log(Date.now() % 100000, '>>', first(f))); w.on('framereceived', (f) => console.log(Date.now() % 100000, '<<', first(f))); w.on('close', () => console.log('WS closed')); });
  await signIn(p.page, s.origin, login, s.users[login]);
  return { ...p, b, ear, end: () => b.close() };
}
/** Calls reach this page. */
export const connected = (page) => page.getByRole('button', { name: /Phone: this browser|话机：本浏览器/ }).waitFor();
export const answers = async (page) => {
  await page.getByRole('button', { name: /^(Answer|接听)/ }).click();
  await page.getByRole('button', { name: /^(Mute|静音)/ }).waitFor();
};

export const voice = {
  async an_agent_tries_the_headset_takes_a_real_call_holds_mutes_presses_keys_and_wraps_up({ s, figure }) {
    const ben = await desk(s, 'ben', { look: { phone: null } });
    const caller = await baresip(s, '+8613800001111');
    try {
      const { page } = ben;
      // The first shift in this browser: where do calls ring, and does the headset hear?
      await page.getByRole('button', { name: 'Begin shift' }).click();
      const check = page.getByRole('dialog', { name: 'How do you take calls?' });
      await check.getByText('You are heard.').waitFor();
      await check.getByRole('button', { name: 'Play a test tone' }).click();
      await check.getByRole('button', { name: 'Begin shift' }).click();
      await check.waitFor({ state: 'detached' });
      await connected(page);
      await ready(page);

      caller.dial('4001');
      const offered = page.getByRole('button', { name: /^Answer/ });
      await offered.waitFor();
      const clicked = Date.now();
      await answers(page);
      await caller.saw('CALL_ESTABLISHED');
      figure(`answered in ${Date.now() - clicked} ms`);
      await hears(ben.ear, 'caller');
      await hears(caller.ear, 'ben');
      // Muted is silence at the other end, and only there.
      await page.getByRole('button', { name: /^Mute/ }).click();
      await hears(caller.ear, null);
      await page.getByText('You speak, but you are muted').waitFor();
      await page.getByRole('button', { name: /^Unmute/ }).click();
      await hears(caller.ear, 'ben');
      // Music for the caller, silence for the agent; then both again.
      await page.getByRole('button', { name: /^Hold/ }).click();
      await hears(ben.ear, null);
      await page.getByRole('button', { name: /^Take back/ }).click();
      await hears(ben.ear, 'caller');
      await hears(caller.ear, 'ben');
      await page.getByRole('button', { name: /^Keypad/ }).click();
      await page.getByRole('button', { name: 'Key 5' }).click();
      await page.getByLabel('Pressed').getByText('5').waitFor();
      await caller.saw('CALL_DTMF_START');
      await page.getByRole('dialog').getByRole('button', { name: 'Close' }).click();
      await page.getByText(/^Sound:/).getByText('good').waitFor();
      await page.getByRole('button', { name: /^Hang up/ }).click();
      await caller.saw('CALL_CLOSED');
      await page.getByRole('button', { name: /Sold/ }).click();
      await page.getByRole('button', { name: 'Done' }).click();
      await page.getByText('You are ready').waitFor();
      assert.deepEqual(ben.complaints, []);
    } finally { await caller.end(); await ben.end(); }
  },

  async a_page_with_JsSIP_registers_calls_is_called_holds_is_reloaded_hands_on_and_presses_keys({ s, figure }) {
    await anyPhone(s, 'JsSIP', figure);
  },
  async a_page_with_SIPjs_registers_calls_is_called_holds_is_reloaded_hands_on_and_presses_keys({ s, figure }) {
    await anyPhone(s, 'SIP.js', figure);
  },
  async a_page_of_https_is_a_phone_by_JsSIP_over_a_secure_WebSocket_of_the_same_address({ s, figure }) {
    await s.stop();
    await s.start(['--http-tls', '127.0.0.1:0']);
    await anyPhone(s, 'JsSIP', figure, { secure: true });
  },
  async a_page_reloaded_in_a_call_has_the_same_call_again_within_two_seconds_and_the_caller_was_kept({ s, figure }) {
    const ben = await desk(s, 'ben');
    const caller = await baresip(s, '+8613800003333');
    try {
      const { page } = ben;
      await page.getByRole('button', { name: 'Begin shift' }).click();
      await connected(page);
      await ready(page);
      caller.dial('4001');
      await answers(page);
      await hears(ben.ear, 'caller');
      await hears(caller.ear, 'ben');
      const [before] = (await s.ask('GET', '/interactions?live=true')).interactions;
      const address = page.url();
      // Whoever leaves in the middle of a call is asked whether they mean it.
      let asked = 0;
      page.on('dialog', (d) => { asked += 1; void d.accept(); });
      await page.reload();
      const back = Date.now();
      await hears(ben.ear, 'caller');
      const ms = Date.now() - back;
      await hears(caller.ear, 'ben');
      figure(`heard again ${ms} ms after the page was back`);
      assert.equal(asked, 1);
      assert.ok(ms <= 2_000 * s.slow, `it took ${ms} ms`);
      assert.equal(page.url(), address);
      const [after] = (await s.ask('GET', '/interactions?live=true')).interactions;
      assert.equal(after.id, before.id);
      assert.ok(!caller.said.includes('CALL_CLOSED'));
      await page.getByText('The agent’s phone is back, same call').waitFor();
      await page.getByRole('button', { name: /^Hang up/ }).click();
      await caller.saw('CALL_CLOSED');
      assert.deepEqual(ben.complaints, []);
    } finally { await caller.end(); await ben.end(); }
  },

  async a_call_from_a_second_browser_is_handed_to_a_colleague_and_each_hears_the_other({ s }) {
    const [his, hers] = [await desk(s, 'ben'), await desk(s, 'chen')];
    const b = await headset('second');
    try {
      for (const { page } of [his, hers]) {
        await page.getByRole('button', { name: 'Begin shift' }).click();
        await connected(page);
      }
      await ready(his.page);
      const caller = await softphone(b, s, 'anna', 'JsSIP');
      await caller.does('dial', 'sip:4001@demo');
      await answers(his.page);
      await hears(his.ear, 'second');
      await hears(caller.ear, 'ben');
      await ready(hers.page);
      await his.page.getByRole('button', { name: /^Transfer/ }).click();
      await his.page.getByRole('dialog', { name: 'Transfer to' }).getByRole('option', { name: /陈晨/ }).click();
      await answers(hers.page);
      await hears(hers.ear, 'second');
      await hears(caller.ear, 'chen');
      await his.page.getByRole('button', { name: 'Done' }).click();
      await hers.page.getByRole('button', { name: /^Hang up/ }).click();
      await caller.saw('ended');
      assert.deepEqual([...his.complaints, ...hers.complaints], []);
    } finally { await b.close(); await hers.end(); await his.end(); }
  },

  async one_tab_has_the_phone_and_another_answers_with_it_takes_it_and_keeps_the_call({ s }) {
    const ben = await desk(s, 'ben');
    const caller = await baresip(s, '+8613800004444');
    try {
      const { page } = ben;
      await page.getByRole('button', { name: 'Begin shift' }).click();
      await connected(page);
      await ready(page);
      const second = await ben.context.newPage();
      const otherEar = await listensIn(second);
      await second.goto(`${s.origin}/w`);
      const elsewhere = second.getByRole('button', { name: 'Phone: another tab' });
      await elsewhere.waitFor();
      caller.dial('4001');
      await answers(second);
      // The sound is where the phone is.
      await hears(ben.ear, 'caller');
      await elsewhere.click();
      await second.getByRole('dialog').getByRole('button', { name: 'Use it in this tab' }).first().click();
      await page.getByRole('button', { name: 'Phone: another tab' }).waitFor();
      await hears(otherEar, 'caller');
      await hears(caller.ear, 'ben');
      // The tab that has the phone is closed: the first one takes over, and the call with it.
      await second.close();
      await hears(ben.ear, 'caller');
      await page.getByRole('button', { name: /^Hang up/ }).click();
      await caller.saw('CALL_CLOSED');
    } finally { await caller.end(); await ben.end(); }
  },

  async a_refused_microphone_and_a_headset_pulled_out_are_said_in_words_and_no_call_comes_meanwhile({ s }) {
    // A browser that was told to give no microphone: what to do about it stands there, and a desk phone can be chosen.
    const stern = await browser(['--use-fake-device-for-media-stream', '--deny-permission-prompts']);
    const anna = await person(stern, { phone: null });
    await anna.context.clearPermissions();
    await signIn(anna.page, s.origin, 'anna', s.users.anna);
    await anna.page.getByRole('button', { name: 'Begin shift' }).click();
    const check = anna.page.getByRole('dialog');
    await check.getByText('The browser was told not to give this page the microphone').waitFor();
    await check.getByRole('radio', { name: /desk phone/ }).check();
    await check.getByRole('button', { name: 'Begin shift' }).click();
    await anna.page.getByRole('button', { name: 'Phone not registered' }).waitFor();
    await stern.close();

    const ben = await desk(s, 'ben');
    try {
      const { page } = ben;
      await page.getByRole('button', { name: 'Begin shift' }).click();
      await connected(page);
      const plug = (there) => page.evaluate((on) => {
        window.real ??= navigator.mediaDevices.enumerateDevices.bind(navigator.mediaDevices);
        navigator.mediaDevices.enumerateDevices = on ? window.real : () => Promise.resolve([]);
        navigator.mediaDevices.dispatchEvent(new Event('devicechange'));
      }, there);
      await plug(false);
      await page.getByText('There is no microphone. Plug in the headset').waitFor();
      const phone = async () => (await s.ask('GET', '/agents')).ben?.phone;
      await eventually(async () => assert.equal(await phone(), false));
      await plug(true);
      await connected(page);
      await eventually(async () => assert.equal(await phone(), true));
    } finally { await ben.end(); }
  },

  async a_supervisor_listens_from_the_wallboard_whispers_without_being_called_again_and_leaves({ s }) {
    const [ben, susan] = [await desk(s, 'ben'), await desk(s, 'susan')];
    const caller = await baresip(s, '+8613800005555');
    try {
      await ben.page.getByRole('button', { name: 'Begin shift' }).click();
      await connected(ben.page);
      await ready(ben.page);
      caller.dial('4001');
      await answers(ben.page);
      await hears(ben.ear, 'caller');
      await susan.page.goto(`${s.origin}/wall`);
      const way = (name) => susan.page.getByRole('group', { name: /^Join the contact/ }).getByRole('button', { name });
      await way('Listen').click();
      await susan.page.getByText(/Susan: Listen$/).waitFor();
      await eventually(async () => assert.ok((await susan.ear())?.db > -45));
      await way('Whisper').click();
      await susan.page.getByText(/Susan: Whisper$/).waitFor();
      await way('Leave').click();
      await susan.page.getByText(/Susan: (Listen|Whisper)/).waitFor({ state: 'detached' });
      await hears(ben.ear, 'caller');
      assert.deepEqual(susan.complaints, []);
    } finally { await caller.end(); await susan.end(); await ben.end(); }
  },

  async no_screen_of_the_phone_has_a_fault_axe_can_find({ s, figure }) {
    let looked = 0;
    const see = async (page, where) => { await faults(page, where); looked += 1; };
    const ben = await desk(s, 'ben', { look: { phone: null } });
    const caller = await baresip(s, '+8613800002222');
    try {
      const { page } = ben;
      await page.getByRole('button', { name: /^(Begin shift|签入)$/ }).click();
      const check = page.getByRole('dialog');
      await check.getByText(/You are heard|可以听到您的声音/).waitFor();
      await see(page, 'device check');
      await check.getByRole('button', { name: /^(Begin shift|签入)$/ }).click();
      await connected(page);
      await ready(page);
      caller.dial('4001');
      await page.getByRole('button', { name: /^(Answer|接听)/ }).waitFor();
      await see(page, 'offered call');
      await answers(page);
      await page.getByText(/^(Sound|音质):/).waitFor();
      await see(page, 'call');
      await page.getByRole('button', { name: /^(Keypad|拨号盘)/ }).click();
      await page.getByRole('dialog').waitFor();
      await see(page, 'keypad');
      await page.keyboard.press('Escape');
      await page.getByRole('button', { name: /^(Hang up|挂断)/ }).click();
      await caller.saw('CALL_CLOSED');
      await page.getByRole('button', { name: /^(Done|完成)$/ }).click();
      await page.getByRole('button', { name: /Phone: this browser|话机：本浏览器/ }).click();
      await page.getByRole('dialog').getByText(/Connected: calls reach|已连接：来电/).waitFor();
      await see(page, 'phone dialog');
      await page.keyboard.press('Escape');
      await page.getByRole('button', { name: /^(My state|我的状态)/ }).click();
      await page.getByRole('menuitem', { name: /End shift|签出/ }).click();
      await page.getByRole('button', { name: /^(Begin shift|签入)$/ }).waitFor();
    } finally { await caller.end(); await ben.end(); }
    figure(`${looked} screens`);
  },
};
