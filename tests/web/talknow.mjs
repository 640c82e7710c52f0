// Visitors who call from the page, as stories: what is heard is measured at both ends. And those who choose when they are called.

import assert from 'node:assert/strict';
import { eventually, faults, person, ready, signIn, visits } from './kit.mjs';
import { headset, hears, listensIn } from './phones.mjs';
import { answers, connected, desk } from './voice.mjs';

/** The demo's shop lets visitors call its sales queue. */
const offers = (s, more = '') => s.configure((yaml) => yaml.replace(/^( *)gone_s: 600$/m, `$1gone_s: 600\n$1talk_now: {to: {number: "4001"}${more}}`));

/** To a browser that cleans speech a tone is noise, and the longer it sounds the less is left of it: here it comes as it is. */
const uncleaned = (page) => page.addInitScript(() => {
  const devices = navigator.mediaDevices;
  if (!devices) return;
  const real = devices.getUserMedia.bind(devices);
  devices.getUserMedia = (wanted) => real({ ...wanted, audio: wanted.audio && { ...wanted.audio, echoCancellation: false, noiseSuppression: false, autoGainControl: false } });
});
/** Ben at his desk, who takes calls. */
async function benWorks(s) {
  const ben = await desk(s, 'ben');
  await uncleaned(ben.page);
  await ben.page.reload();
  await ready(ben.page);
  await connected(ben.page);
  return ben;
}
const live = async (s) => (await s.ask('GET', '/interactions?live=true')).interactions.filter((i) => i.stage === 'talking');
const wrapsUp = (page) => page.getByRole('button', { name: /^(Done|完成)$/ }).click();

export const talknow = {
  async a_visitor_talks_from_the_page_mutes_presses_keys_and_the_agent_sees_where_they_are({ s, shop, figure }) {
    await offers(s);
    const ben = await benWorks(s);
    const hers = await headset('anna');
    try {
      const guest = await person(hers, { width: 1000, height: 720 });
      await uncleaned(guest.page);
      const loaded = [];
      guest.page.on('request', (r) => loaded.push(new URL(r.url()).pathname));
      const ear = await listensIn(guest.page);
      const w = await visits(guest, shop);
      await w.open();
      const talk = w.widget.getByRole('button', { name: 'Talk now' });
      await talk.waitFor();
      assert.ok(!loaded.includes('/widget/talk.js'), 'who only looks does not load what calls need');
      const clicked = Date.now();
      await talk.click();
      const strip = w.widget.getByRole('region', { name: 'Talk now' });
      await ben.page.getByRole('button', { name: /^Answer/ }).waitFor();
      figure(`offered ${Date.now() - clicked} ms after the click`);
      await answers(ben.page);
      await strip.getByText('Connected', { exact: true }).waitFor();
      await hears(ben.ear, 'anna');
      await hears(ear, 'ben');
      await faults(guest.page, 'a call from the page');
      // Muted is silence at the other end, and only there.
      await strip.getByRole('button', { name: 'Mute', exact: true }).click();
      await hears(ben.ear, null);
      await hears(ear, 'ben');
      await strip.getByRole('button', { name: 'Unmute' }).click();
      await hears(ben.ear, 'anna');
      await strip.getByRole('button', { name: 'Keypad' }).click();
      await strip.getByRole('button', { name: '5', exact: true }).click();
      const [{ id, attributes }] = (await s.ask('GET', '/interactions?live=true')).interactions;
      assert.equal(attributes.page, `${shop.origin}/`);
      assert.equal(attributes.asked_on, 'web');
      await strip.getByRole('button', { name: 'Hang up' }).click();
      await strip.getByText('The call has ended.').waitFor();
      await eventually(async () => assert.deepEqual((await live(s)).filter((i) => i.id === id), []));
      await strip.getByRole('button', { name: 'Close' }).click();
      await wrapsUp(ben.page);
      // The next call has a login of its own; this time it is the agent who has said everything.
      await talk.click();
      await answers(ben.page);
      await hears(ben.ear, 'anna');
      await ben.page.getByRole('button', { name: /^Hang up/ }).click();
      await strip.getByText('The call has ended.').waitFor();
      assert.deepEqual(guest.complaints, []);
    } finally { await ben.end(); await hers.close(); }
  },

  async a_visitor_who_keeps_the_microphone_to_themselves_is_told_so_in_their_language({ s, b, shop }) {
    await offers(s);
    for (const [lang, theme, width] of [['en', 'light', 1000], ['zh-CN', 'dark', 375]]) {
      // A browser without a microphone, or one that gives none.
      const guest = await person(b, { lang, theme, width, height: 720 });
      const w = await visits(guest, shop, lang);
      await w.open();
      await w.widget.getByRole('button', { name: lang === 'en' ? 'Talk now' : '立即通话' }).click();
      await w.widget.getByText(lang === 'en' ? /microphone/ : /麦克风/).waitFor();
      await faults(guest.page, `a call without a microphone, ${lang}, ${theme}`);
      await w.widget.getByRole('button', { name: lang === 'en' ? 'Close' : '关闭', exact: true }).click();
    }
  },

  async a_visitor_calls_by_keyboard_alone_in_chinese_and_an_agent_is_not_left_talking_to_a_page_that_is_gone({ s, shop, figure }) {
    await offers(s);
    const ben = await benWorks(s);
    const hers = await headset('anna');
    try {
      const guest = await person(hers, { lang: 'zh-CN', theme: 'dark', width: 375, height: 720 });
      await uncleaned(guest.page);
      const { keyboard } = guest.page;
      const w = await visits(guest, shop, 'zh-CN');
      await w.widget.locator('button.open').focus();
      await keyboard.press('Enter');
      const talk = w.widget.getByRole('button', { name: '立即通话' });
      await talk.waitFor();
      await talk.focus();
      await keyboard.press('Enter');
      const strip = w.widget.getByRole('region', { name: '立即通话' });
      await answers(ben.page);
      await strip.getByText('通话中', { exact: true }).waitFor();
      await hears(ben.ear, 'anna');
      await faults(guest.page, 'a call from the page, zh-CN, dark');
      // The way from what ends the call to what silences it, and back.
      await strip.getByRole('button', { name: '挂断' }).focus();
      await keyboard.press('Shift+Tab');
      await keyboard.press('Shift+Tab');
      await keyboard.press('Space');
      await hears(ben.ear, null);
      await keyboard.press('Space');
      await hears(ben.ear, 'anna');
      await keyboard.press('Tab');
      await keyboard.press('Enter');
      await strip.getByRole('group', { name: '拨号键盘' }).getByRole('button', { name: '#', exact: true }).waitFor();
      await faults(guest.page, 'the keypad of a call from the page, zh-CN, dark');
      assert.equal((await live(s)).length, 1);
      // The browser's tab dies. Nobody says good-bye.
      const gone = Date.now();
      await guest.page.goto('chrome://crash').catch(() => {});
      await eventually(async () => assert.deepEqual(await live(s), []));
      await ben.page.getByRole('button', { name: /^Done$/ }).waitFor();
      figure(`the call of a dead page is over after ${Date.now() - gone} ms`);
    } finally { await ben.end(); await hers.close(); }
  },

  async a_visitor_chooses_the_hour_they_are_called_at_which_nobody_else_gets_and_the_desk_sees_it({ s, b, shop }) {
    await s.configure((yaml) => yaml
      .replace(/\n( +)trunks: \{\}\n( +)routes:\n/, '\n$1trunks: {carrier: {host: "127.0.0.1:9"}}\n$2routes:\n$2- {match: "+*", to: {trunk: {trunk: carrier}}}\n')
      .replace(/^( *)gone_s: 600$/m, '$1gone_s: 600\n$1call_me: {queue: support}')
      .replace(/^( *)slas:/m, '$1callback_hours: {support: {calendar: shop, each: 1}}\n$1slas:'));
    const opens = async (lang, theme, width) => {
      const guest = await person(b, { lang, theme, width, height: 720 });
      const w = await visits(guest, shop, lang);
      await w.open();
      await w.widget.getByRole('button', { name: lang === 'en' ? 'Call me' : '给我回电' }).click();
      const form = w.widget.locator('form.callme');
      const when = form.getByLabel(lang === 'en' ? 'When' : '回电时间');
      await when.locator('optgroup option').first().waitFor({ state: 'attached' });
      await faults(guest.page, `the hours to be called at, ${lang}, ${theme}`);
      return { guest, form, when, hours: () => when.locator('optgroup option').evaluateAll((all) => all.map((o) => o.value)) };
    };
    const asks = async ({ form }, number) => {
      await form.locator('input[type=tel]').fill(number);
      await form.locator('input[type=checkbox]').check();
      await form.locator('button.main').click();
    };
    const [li, wang] = [await opens('en', 'light', 1000), await opens('zh-CN', 'dark', 375)];
    const [first, second] = await li.hours();
    // Both see it free; the one who is quicker has it.
    for (const who of [li, wang]) await who.when.selectOption(first);
    await asks(li, '010 6555 1234');
    await li.form.getByText(/We call 010 6555 1234 on .*, soon after \d\d:\d\d/).waitFor();
    await asks(wang, '+86 138 1234 5678');
    await wang.form.getByText('该时段已约满').waitFor();
    await eventually(async () => assert.ok(!(await wang.hours()).includes(first), 'a taken hour is not shown'));
    await wang.when.selectOption(second);
    await wang.form.locator('button.main').click();
    await wang.form.getByText(/我们会在.*后尽快拨打/).waitFor();
    const at = (text) => Date.parse(text);
    const booked = await eventually(async () => {
      const { interactions } = await s.ask('GET', '/interactions?live=true');
      assert.deepEqual(interactions.map((i) => [i.from, i.stage, at(i.callback.chosen_at)]).sort(), [['+861065551234', 'scheduled', at(first)], ['+8613812345678', 'scheduled', at(second)]]);
      return interactions;
    });
    const susan = await person(b);
    await signIn(susan.page, s.origin, 'susan', s.users.susan);
    await susan.page.goto(`${s.origin}/w/${booked[0].id}`);
    await susan.page.getByText(/at the hour they chose/).first().waitFor();
    await faults(susan.page, 'a call back at an hour');
    await susan.page.getByRole('button', { name: 'Do not call back' }).click();
    await susan.page.getByRole('dialog').getByRole('button', { name: 'Do not call back' }).click();
    await eventually(async () => assert.equal((await s.ask('GET', '/interactions?live=true')).interactions.length, 1));
    assert.deepEqual([...li.guest.complaints, ...wang.guest.complaints, ...susan.complaints], []);
  },
};
