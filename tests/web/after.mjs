// Ratings, and messages while nobody is there, as stories.

import assert from 'node:assert/strict';
import { agent, beginChat, eventually, faults, person, signIn, visits } from './kit.mjs';

export const after = {
  async a_visitor_rates_a_chat_by_keyboard_alone_and_it_is_seen_in_its_record_and_in_the_reports({ s, b, shop }) {
    const anna = await agent(b, s);
    const guest = await person(b, { width: 1000, height: 720 });
    const w = await visits(guest, shop);
    await beginChat(w, 'Li Na');
    await anna.page.getByRole('button', { name: /^Accept/ }).click();
    await anna.page.getByRole('textbox', { name: 'Write to the customer' }).fill('Hello');
    await anna.page.getByRole('button', { name: 'Send', exact: true }).click();
    await w.widget.getByText('Hello', { exact: true }).waitFor();
    const [{ id }] = (await s.ask('GET', '/interactions?live=true')).interactions;
    await anna.page.getByRole('button', { name: /^End chat/ }).click();
    await w.widget.getByText('How was this chat?').waitFor();
    await faults(guest.page, 'the question how it was');
    await w.widget.getByRole('radio').first().focus();
    await guest.page.keyboard.press('Space');
    for (let i = 0; i < 3; i += 1) await guest.page.keyboard.press('ArrowRight');
    await guest.page.keyboard.press('Tab');
    await guest.page.keyboard.type('quick help');
    await guest.page.keyboard.press('Tab');
    await guest.page.keyboard.press('Enter');
    await w.widget.getByText('Thank you for your rating').waitFor();
    await eventually(async () => assert.deepEqual({ ...(await s.ask('GET', `/interactions/${id}`)).rating, at: '' }, { at: '', score: 4, best: 5, comment: 'quick help' }));
    // Asked once: neither a reload nor coming back asks again.
    await guest.page.reload();
    await w.widget.getByText('This chat has ended').waitFor();
    await w.widget.getByText('Thank you for your rating').waitFor();
    const susan = await person(b);
    await signIn(susan.page, s.origin, 'susan', s.users.susan);
    await susan.page.goto(`${s.origin}/calls/${id}`);
    await susan.page.getByText('Rated 4 of 5').first().waitFor();
    await susan.page.getByText('quick help').first().waitFor();
    await susan.page.goto(`${s.origin}/reports`);
    await susan.page.getByText('100.0 % (100.0 %)').first().waitFor();
    const { rows } = await s.ask('GET', '/reports/agents');
    assert.deepEqual(rows.map((r) => [r.agent, r.rated, r.satisfied]), [['anna', 1, 1]]);
    assert.deepEqual([...anna.complaints, ...guest.complaints, ...susan.complaints], []);
  },

  async a_message_left_while_nobody_is_there_is_a_ticket_and_a_chat_begins_once_somebody_is({ s, b, shop }) {
    await s.configure((yaml) => yaml.replace(/^( *)gone_s: 600$/m, '$1gone_s: 600\n$1offline:\n$1  queue: support\n$1  when_nobody: true'));
    for (const [lang, theme, width] of [['en', 'light', 1000], ['zh-CN', 'dark', 375]]) {
      const guest = await person(b, { lang, theme, width, height: 720 });
      const w = await visits(guest, shop, lang);
      await w.open();
      const form = w.widget.locator('form.offline');
      await form.getByText(lang === 'en' ? 'Nobody is here right now' : '暂无客服在线').waitFor();
      await faults(guest.page, `the form while nobody is there, ${lang}, ${theme}`);
      await guest.page.keyboard.type(lang === 'en' ? 'Li Na' : '李娜');
      await guest.page.keyboard.press('Tab');
      await guest.page.keyboard.type('nowhere');
      await guest.page.keyboard.press('Tab');
      await guest.page.keyboard.type('Where is my lamp?');
      await guest.page.keyboard.press('Tab');
      await guest.page.keyboard.press('Enter');
      await form.getByText(lang === 'en' ? 'Please give a phone number' : '请填写电话号码或邮箱').waitFor();
      await form.locator('input').nth(1).fill(`li.na.${lang}@example.com`);
      await form.getByRole('button').click();
      await form.getByText(lang === 'en' ? 'We have your message' : '我们已收到您的留言').waitFor();
      assert.deepEqual(guest.complaints, []);
    }
    const { tickets } = await s.ask('GET', '/tickets');
    assert.deepEqual(tickets.map((t) => [t.title, t.queue]).sort(), [['Message from Li Na', 'support'], ['Message from 李娜', 'support']]);
    const anna = await agent(b, s);
    await anna.page.goto(`${s.origin}/tickets/${tickets[0].id}`);
    await anna.page.getByText('Where is my lamp?').first().waitFor();
    await eventually(async () => assert.equal((await s.ask('GET', '/queues')).support.signed_in, 1));
    const guest = await person(b, { width: 1000, height: 720 });
    const w = await visits(guest, shop);
    await w.open();
    await w.widget.getByRole('button', { name: 'Start the chat' }).waitFor();
  },

  async a_visitor_asks_to_be_called_and_waits_at_the_desk_like_a_caller({ s, b, shop }) {
    await s.configure((yaml) => yaml
      .replace(/\n( +)trunks: \{\}\n( +)routes:\n/, '\n$1trunks: {carrier: {host: "127.0.0.1:9"}}\n$2routes:\n$2- {match: "+*", to: {trunk: {trunk: carrier}}}\n')
      .replace(/^( *)gone_s: 600$/m, '$1gone_s: 600\n$1call_me: {queue: support, consent: {en: "Yes, you may call this number.", zh: "可以拨打此号码。"}}'));
    for (const [lang, theme, width, number] of [['en', 'light', 1000, '010 6555 1234'], ['zh-CN', 'dark', 375, '+86 138 1234 5678']]) {
      const guest = await person(b, { lang, theme, width, height: 720 });
      const w = await visits(guest, shop, lang);
      const said = (en, zh) => (lang === 'en' ? en : zh);
      await w.open();
      await w.widget.getByRole('button', { name: said('Call me', '给我回电') }).click();
      const form = w.widget.locator('form.callme');
      await form.getByText(said('Yes, you may call this number.', '可以拨打此号码。')).waitFor();
      await faults(guest.page, `the wish to be called, ${lang}, ${theme}`);
      // By keyboard alone: a number nobody may call first.
      await guest.page.keyboard.type('12345');
      await guest.page.keyboard.press('Tab');
      await guest.page.keyboard.type('Li Na');
      await guest.page.keyboard.press('Tab');
      await guest.page.keyboard.press('Space');
      await guest.page.keyboard.press('Tab');
      await guest.page.keyboard.press('Enter');
      await form.getByText(said('We cannot call this number', '无法拨打此号码')).waitFor();
      await form.locator('input[type=tel]').fill(number);
      await form.locator('button.main').click();
      await form.getByText(said('as soon as somebody is free', '客服空闲后会拨打')).waitFor();
      await form.getByRole('button', { name: said('Back to the chat', '返回在线咨询') }).click();
      await w.widget.getByRole('button', { name: said('Start the chat', '开始咨询') }).waitFor();
      assert.deepEqual(guest.complaints, []);
    }
    // The picture is a moment behind what was answered.
    const waiting = await eventually(async () => {
      const { interactions } = await s.ask('GET', '/interactions?live=true');
      assert.deepEqual(interactions.map((i) => [i.from, i.stage, i.callback.attempts]).sort(), [['+861065551234', 'waiting', 3], ['+8613812345678', 'waiting', 3]]);
      return interactions;
    });
    const susan = await person(b);
    await signIn(susan.page, s.origin, 'susan', s.users.susan);
    await susan.page.goto(`${s.origin}/w/${waiting[0].id}`);
    await susan.page.getByText('Call back, call 1 of 3').waitFor();
    await faults(susan.page, 'a call back that waits');
    await susan.page.getByRole('button', { name: 'Do not call back' }).click();
    await susan.page.getByRole('dialog').getByRole('button', { name: 'Do not call back' }).click();
    await eventually(async () => assert.equal((await s.ask('GET', '/interactions?live=true')).interactions.length, 1));
    assert.deepEqual(susan.complaints, []);
  },
};
