// Visitors who call from the page, as stories: what is heard is measured at both ends.

import assert from 'node:assert/strict';
import { eventually, faults, person, ready, visits } from './kit.mjs';
import { headset, hears, listensIn } from './phones.mjs';
import { answers, connected, desk } from './voice.mjs';

/** The demo's shop lets visitors call its sales queue. */
const offers = (s, more = '') => s.configure((yaml) => yaml.replace(/^( *)gone_s: 600$/m, `$1gone_s: 600\n$1talk_now: {to: {number: "4001"}${more}}`));

export const talknow = {
  async a_visitor_talks_from_the_page_mutes_presses_keys_and_the_agent_sees_where_they_are({ s, shop, figure }) {
    await offers(s);
    const ben = await desk(s, 'ben');
    const hers = await headset('anna');
    try {
      await connected(ben.page);
      await ready(ben.page);
      const guest = await person(hers, { width: 1000, height: 720 });
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
      await eventually(async () => assert.equal((await s.ask('GET', '/interactions?live=true')).interactions.filter((i) => i.id === id && i.stage === 'talking').length, 0));
      await strip.getByRole('button', { name: 'Close' }).click();
      // The next call has a login of its own.
      await talk.click();
      await strip.getByRole('button', { name: 'Mute', exact: true }).waitFor();
      await strip.getByRole('button', { name: 'Hang up' }).click();
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
};
