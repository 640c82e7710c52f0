// Every screen, light and dark, English and Chinese, as pictures for people to look at.
//
//     node tests/web/shots.mjs FOLDER [WORD]     only the screens whose name holds the word

import { mkdirSync } from 'node:fs';
import { beginChat, browser, person, ready, server, signIn, site, visits } from './kit.mjs';
import { baresip, headset } from './phones.mjs';

const [folder = 'shots', word = ''] = process.argv.slice(2);
mkdirSync(folder, { recursive: true });
const s = await server();
const b = await browser();
const shop = await site(s);
// What is only there when it was asked for: a carrier, calls back, somebody to vouch for it.
await s.configure((yaml) => yaml
  .replace(/\n( +)trunks: \{\}\n( +)routes:\n/, '\n$1trunks: {carrier: {host: "127.0.0.1:9", stir: {verify: inform}}}\n$2routes:\n$2- {match: "+*", to: {trunk: {trunk: carrier}}}\n')
  .replace(/^( *)gone_s: 600$/m, '$1gone_s: 600\n$1call_me: {queue: support, consent: {en: "Yes, you may call this number.", zh: "可以拨打此号码。"}}')
  .replace(/^( +)routing:$/m, '$1alerts: {rules: [{metric: longest, limit: 1}, {metric: waiting, limit: 0}, {metric: level}, {metric: free}, {metric: held}], clear_after_s: 1}\n$1routing:'));
// WIDTHS: as wide as this as well, pixels: 1100,800,360.
const widths = (process.env.WIDTHS ?? '').split(',').filter(Boolean).map(Number);
// LOOKS: only so many of them.
const looks = [['en', 'light'], ['zh-CN', 'dark'], ['en', 'dark'], ['zh-CN', 'light']].slice(0, Number(process.env.LOOKS ?? 4));
for (const [lang, theme] of looks) {
  const shot = async (page, name) => {
    if (!name.includes(word)) return;
    await page.screenshot({ path: `${folder}/${name}-${lang}-${theme}.png` });
    const was = page.viewportSize();
    for (const width of widths) {
      await page.setViewportSize({ ...was, width });
      await page.screenshot({ path: `${folder}/${name}-${lang}-${theme}-${width}.png` });
    }
    if (widths.length) await page.setViewportSize(was);
  };
  const door = await person(b, { lang, theme });
  await door.page.goto(s.origin);
  await door.page.locator('input[name=login]').waitFor();
  await shot(door.page, 'login');
  await door.context.close();

  const susan = await person(b, { lang, theme });
  await signIn(susan.page, s.origin, 'susan', s.users.susan);
  const asker = await person(b, { lang, theme, width: 1000, height: 720 });
  const wish = await visits(asker, shop, lang);
  await wish.open();
  await wish.widget.getByRole('button', { name: /^(Call me|给我回电)$/ }).click();
  const form = wish.widget.locator('form.callme');
  await form.waitFor();
  await shot(asker.page, 'widget-callme');
  await form.locator('input[type=tel]').fill('12345');
  await form.locator('input[type=checkbox]').check();
  await form.locator('button.main').click();
  await asker.page.waitForTimeout(300);
  await shot(asker.page, 'widget-callme-refused');
  await form.locator('input[type=tel]').fill('138 1234 5678');
  await form.locator('button.main').click();
  await form.getByRole('button', { name: /^(Call me|给我回电)$/ }).waitFor({ state: 'detached' });
  await shot(asker.page, 'widget-callme-done');
  await asker.context.close();
  await susan.page.getByText(/13812345678|138 1234 5678/).first().waitFor();
  await susan.page.waitForTimeout(2_500);
  await shot(susan.page, 'callback-list');
  const [callback] = (await s.ask('GET', '/interactions?live=true')).interactions;
  await susan.page.goto(`${s.origin}/w/${callback.id}`);
  await susan.page.waitForTimeout(600);
  await shot(susan.page, 'callback-waits');
  await susan.page.goto(`${s.origin}/wall`);
  await susan.page.locator('[data-alert]').first().waitFor();
  await shot(susan.page, 'wall-alerts');
  await susan.page.goto(`${s.origin}/tickets`);
  await susan.page.waitForTimeout(500);
  await shot(susan.page, 'badge');
  await s.ask('POST', `/interactions/${callback.id}/finish`);

  const anna = await person(b, { lang, theme });
  await signIn(anna.page, s.origin, 'anna', s.users.anna);
  await anna.page.waitForTimeout(300);
  await shot(anna.page, 'work-signed-out');
  await ready(anna.page).catch(() => {});
  const guest = await person(b, { lang, theme, width: 1000, height: 700 });
  const w = await visits(guest, shop, lang);
  await w.open();
  await guest.page.waitForTimeout(300);
  await shot(guest.page, 'widget-begin');
  await w.open();
  await beginChat(w, '王伟');
  await anna.page.getByRole('button', { name: /Accept|接受/ }).waitFor();
  await anna.page.waitForTimeout(600);
  await shot(anna.page, 'offer');
  await anna.page.getByRole('button', { name: /Accept|接受/ }).click();
  await w.widget.locator('textarea').fill(lang === 'en' ? 'Where is my order? It should have come on Monday.' : '我的订单还没到，原本周一应该送达。');
  await w.widget.locator('.compose button:not(.attach)').click();
  const write = anna.page.locator('form textarea').first();
  await write.fill(lang === 'en' ? 'Good morning! Let me look that up for you.' : '您好！我马上为您查询。');
  await write.press('Enter');
  await anna.page.waitForTimeout(700);
  await anna.page.keyboard.press('Escape');
  await anna.page.keyboard.press('n');
  await write.fill('VIP?');
  await anna.page.waitForTimeout(200);
  await shot(anna.page, 'work-chat');
  await shot(guest.page, 'widget-talk');
  await write.press('Escape');
  await anna.page.keyboard.press('t');
  await anna.page.waitForTimeout(300);
  await shot(anna.page, 'transfer');
  await anna.page.keyboard.press('Escape');
  await anna.page.keyboard.press('Control+k');
  await anna.page.waitForTimeout(300);
  await shot(anna.page, 'palette');
  await anna.page.keyboard.press('Escape');

  await susan.page.goto(`${s.origin}/wall`);
  await susan.page.waitForTimeout(800);
  await shot(susan.page, 'wall');
  await susan.page.goto(`${s.origin}/wall?tv=1`);
  await susan.page.waitForTimeout(800);
  await shot(susan.page, 'wall-tv');
  await anna.page.getByRole('button', { name: /End chat|结束会话/ }).click();
  await anna.page.waitForTimeout(500);
  await shot(anna.page, 'wrap-up');
  await anna.page.getByRole('button', { name: /Solved/ }).click();
  await anna.page.getByRole('button', { name: /^(Done|完成)$/ }).click();
  await anna.page.waitForTimeout(400);
  await susan.page.goto(`${s.origin}/tickets`);
  await susan.page.waitForTimeout(600);
  await shot(susan.page, 'tickets');
  await susan.page.locator('tbody a').first().click();
  await susan.page.waitForTimeout(600);
  await shot(susan.page, 'ticket');
  await susan.page.goto(`${s.origin}/calls`);
  await susan.page.waitForTimeout(600);
  await shot(susan.page, 'calls');
  await susan.page.locator('tbody a').first().click();
  await susan.page.waitForTimeout(600);
  await shot(susan.page, 'call');
  await susan.page.goto(`${s.origin}/customers?q=%E7%8E%8B`);
  await susan.page.waitForTimeout(600);
  await shot(susan.page, 'customers');
  await susan.page.locator('tbody a').first().click();
  await susan.page.waitForTimeout(600);
  await shot(susan.page, 'customer');
  await susan.page.goto(`${s.origin}/me`);
  await susan.page.waitForTimeout(400);
  await shot(susan.page, 'me');
  const admin = await person(b, { lang, theme });
  await signIn(admin.page, s.origin, 'admin', s.users.admin);
  const { customers } = await s.ask('GET', '/customers?q=%E7%8E%8B');
  await admin.page.goto(`${s.origin}/customers/${customers[0].id}`);
  await admin.page.getByRole('button', { name: /^(Hold|设为保全)$/ }).first().click();
  const why = admin.page.getByRole('dialog');
  await why.locator('input[name=reason]').fill(lang === 'en' ? 'Case 7, letter of the court' : '案件 7，法院来函');
  await shot(admin.page, 'hold-dialog');
  await why.locator('button[type=submit]').click();
  await why.waitFor({ state: 'detached' });
  await admin.page.waitForTimeout(400);
  await shot(admin.page, 'hold-on');
  await admin.page.locator('button', { hasText: /^(Erase|删除个人数据)$/ }).first().click();
  await admin.page.waitForTimeout(500);
  await shot(admin.page, 'erase-held');
  await admin.page.keyboard.press('Escape');
  await s.ask('DELETE', `/holds/customer/${customers[0].id}`);
  await admin.page.reload();
  await admin.page.locator('button', { hasText: /^(Erase|删除个人数据)$/ }).first().click();
  await admin.page.waitForTimeout(500);
  await shot(admin.page, 'erase-dialog');
  await admin.page.keyboard.press('Escape');
  for (const part of ['users', 'people', 'queues', 'numbers', 'hours', 'codes', 'trunks', 'rules', 'calls', 'alerts', 'flows', 'flows/main', 'config', 'widget', 'keys', 'webhooks', 'retention', 'audit', 'health']) {
    await admin.page.goto(`${s.origin}/admin/${part}`);
    await admin.page.waitForTimeout(700);
    await shot(admin.page, `admin-${part.replace('/', '-')}`);
    if (part === 'queues') {
      await admin.page.getByRole('button', { name: /^Support/ }).click();
      await admin.page.getByRole('dialog').waitFor();
      await shot(admin.page, 'admin-queue');
      await admin.page.getByRole('dialog').getByRole('textbox').first().fill('Support 24');
      await admin.page.getByRole('button', { name: /^(Keep in the draft|保留到草稿)$/ }).click();
      await admin.page.getByRole('button', { name: /^(Check and show changes|校验并查看差异)$/ }).click();
      await admin.page.getByRole('dialog').waitFor();
      await shot(admin.page, 'admin-diff');
      await admin.page.keyboard.press('Escape');
      await admin.page.getByRole('button', { name: /^(Undo all|撤销修改)$/ }).click();
    }
    if (part === 'trunks') {
      await admin.page.getByRole('button', { name: 'carrier', exact: true }).click();
      await admin.page.getByRole('dialog').waitFor();
      await shot(admin.page, 'admin-carrier');
      await admin.page.keyboard.press('Escape');
    }
    if (part === 'flows/main') {
      for (const [tab, what] of [[/^(Last 7 days|最近 7 天)$/, 'counts'], [/^(Table|表格)$/, 'table'], [/^(Text|文本)$/, 'text'], [/^(Try it|模拟)$/, 'try']]) {
        await admin.page.getByRole('button', { name: tab }).click();
        await admin.page.waitForTimeout(600);
        await shot(admin.page, `flow-${what}`);
      }
    }
  }
  await susan.page.goto(`${s.origin}/reports`);
  await susan.page.waitForTimeout(800);
  await shot(susan.page, 'reports');
  if (!word || word.startsWith('phone')) {
    const hers = await headset('ben');
    const ben = await person(hers, { lang, theme, phone: null });
    await signIn(ben.page, s.origin, 'ben', s.users.ben);
    await ben.page.getByRole('button', { name: /^(Begin shift|签入)$/ }).click();
    const check = ben.page.getByRole('dialog');
    await check.getByText(/You are heard|可以听到您的声音/).waitFor();
    await shot(ben.page, 'phone-check');
    await check.getByRole('button', { name: /^(Begin shift|签入)$/ }).click();
    await ben.page.getByRole('button', { name: /Phone: this browser|话机：本浏览器/ }).waitFor();
    await ready(ben.page);
    const caller = await baresip(s, '+8613812345678');
    caller.dial('4001');
    await ben.page.getByRole('button', { name: /^(Answer|接听)/ }).waitFor();
    await shot(ben.page, 'phone-offer');
    await ben.page.getByRole('button', { name: /^(Answer|接听)/ }).click();
    await ben.page.getByText(/^(Sound|音质):/).waitFor();
    await shot(ben.page, 'phone-call');
    await ben.page.getByRole('button', { name: /^(Keypad|拨号盘)/ }).click();
    await ben.page.getByRole('dialog').waitFor();
    await shot(ben.page, 'phone-keypad');
    await ben.page.keyboard.press('Escape');
    await ben.page.getByRole('button', { name: /^(Hang up|挂断)/ }).click();
    await ben.page.getByRole('button', { name: /^(Done|完成)$/ }).click();
    await ben.page.goto(`${s.origin}/me`);
    await ben.page.getByText(/You are heard|可以听到您的声音/).waitFor();
    await shot(ben.page, 'phone-settings');
    await ben.page.getByRole('button', { name: /^(My state|我的状态)/ }).click();
    await ben.page.getByRole('menuitem', { name: /End shift|签出/ }).click();
    await caller.end();
    await hers.close();
  }
  for (const p of [anna, susan, admin, guest]) {
    if (p.complaints.length) console.log(lang, theme, p.complaints);
    await p.context.close();
  }
  console.log(`${lang} ${theme}`);
}
await b.close();
shop.end();
await s.end();
