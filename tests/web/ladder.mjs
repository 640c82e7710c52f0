// What a supervisor sees of a call's signalling afterwards, with the keyboard, in both languages and themes.

import assert from 'node:assert/strict';
import { eventually, faults, person, signIn } from './kit.mjs';
import { baresip } from './phones.mjs';

const caller = '+8613800007777';

export const ladder = {
  async a_supervisor_reads_why_a_call_went_as_it_did_and_opens_its_messages_with_the_keyboard({ s, b, figure }) {
    const phone = await baresip(s, caller);
    let id;
    try {
      phone.dial('4000');
      await phone.saw('CALL_ESTABLISHED');
      id = await eventually(async () => {
        const { interactions } = await s.ask('GET', '/interactions?live=true');
        assert.equal(interactions.length, 1);
        return interactions[0].id;
      });
    } finally { await phone.end(); }
    await eventually(async () => assert.ok((await s.ask('GET', `/interactions/${id}`)).record.closed_at));
    let looked = 0;
    for (const [lang, theme] of [['en', 'light'], ['zh-CN', 'dark']]) {
      const susan = await person(b, { lang, theme });
      const { page } = susan;
      await signIn(page, s.origin, 'susan', s.users.susan);
      await page.goto(`${s.origin}/calls/${id}`);
      await page.getByRole('heading', { name: /^(Why it went so|通话诊断)$/ }).waitFor();
      const show = page.getByRole('button', { name: /^(Show the messages|显示消息)$/ });
      await faults(page, `the page of a call, ${lang}, ${theme}`);
      await show.focus();
      await page.keyboard.press('Enter');
      const first = page.getByRole('button', { name: /INVITE \(SDP\)$/ }).first();
      await first.waitFor();
      await faults(page, `the ladder, ${lang}, ${theme}`);
      await first.focus();
      await page.keyboard.press('Enter');
      const box = page.getByRole('dialog');
      await box.getByText(/^INVITE sip:4000@/).waitFor();
      await faults(page, `a message, ${lang}, ${theme}`);
      await page.keyboard.press('Escape');
      await box.waitFor({ state: 'detached' });
      looked += 3;
      const file = page.waitForEvent('download');
      await page.getByRole('link', { name: /pcap/ }).click();
      assert.equal((await file).suggestedFilename(), `${id}.pcap`);
      assert.deepEqual(susan.complaints, []);
      await susan.context.close();
    }
    const noted = JSON.stringify(await s.ask('GET', '/audit'));
    assert.ok(noted.includes('ladder.read') && noted.includes(id), 'who looked is noted');
    figure(`${looked} screens`);
  },
};
