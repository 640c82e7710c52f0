// The second factor, as people meet it: made with an authenticator, asked for, guessed at, lost.

import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { eventually, faults, person, signIn } from './kit.mjs';

/** What an authenticator shows for the half minute `steps` from now (RFC 6238). */
function shows(secret, steps = 0) {
  const bits = [...secret].map((c) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(c).toString(2).padStart(5, '0')).join('');
  const key = Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => parseInt(byte, 2)));
  const step = Buffer.alloc(8);
  step.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000) + steps));
  const tag = createHmac('sha1', key).update(step).digest();
  return String((tag.readUInt32BE(tag[19] & 15) & 0x7fff_ffff) % 1_000_000).padStart(6, '0');
}

/** Signs in as far as the password goes. */
async function knocks(page, s, login) {
  await page.goto(`${s.origin}/`);
  await page.locator('input[name=login]').fill(login);
  await page.locator('input[name=password]').fill(s.users[login]);
  await page.locator('button[type=submit]').click();
}
const gives = async (page, code) => {
  await page.locator('input[name=code]').fill(code);
  await page.locator('button[type=submit]').click();
};
async function leaves(page) {
  await page.getByRole('button', { name: /^Anna/ }).click();
  await page.getByRole('menuitem', { name: 'Sign out' }).click();
  await page.locator('input[name=login]').waitFor();
}

export const factor = {
  async an_agent_makes_a_second_factor_is_asked_for_it_loses_it_and_an_administrator_helps({ s, b }) {
    const anna = await person(b);
    const { page } = anna;
    await signIn(page, s.origin, 'anna', s.users.anna);
    await page.goto(`${s.origin}/me`);
    const mine = page.locator('section').filter({ has: page.getByRole('heading', { name: 'Second factor' }) });
    // An open page is not enough to make one.
    await mine.getByLabel('Present password').fill('something else');
    await mine.getByRole('button', { name: 'Set up' }).click();
    await page.getByText('not right', { exact: false }).first().waitFor();
    await mine.getByLabel('Present password').fill(s.users.anna);
    await mine.getByRole('button', { name: 'Set up' }).click();
    await mine.getByRole('img', { name: 'QR code with the secret' }).waitFor();
    const secret = (await mine.locator('code').innerText()).trim();
    assert.match(secret, /^[A-Z2-7]{32}$/);
    await faults(page, 'the picture of a second factor');
    const right = shows(secret, -1);
    await mine.locator('input[name=code]').fill(right === '000000' ? '111111' : '000000');
    await mine.getByRole('button', { name: 'Confirm' }).click();
    await page.getByText(/is the clock of the telephone right/).first().waitFor();
    // The code of the half minute before still counts; each counts once, so the next is there for signing in.
    await mine.locator('input[name=code]').fill(shows(secret, -1));
    await mine.getByRole('button', { name: 'Confirm' }).click();
    const kept = mine.getByRole('list', { name: 'Recovery codes' }).getByRole('listitem');
    await kept.first().waitFor();
    const codes = await kept.allInnerTexts();
    assert.equal(codes.length, 10);
    await faults(page, 'the recovery codes');
    await mine.getByRole('button', { name: 'I have kept them' }).click();
    await mine.getByText('On. Recovery codes left: 10.').waitFor();
    await leaves(page);

    // The password alone opens nothing; neither does a wrong code, nor one that somebody has read over the shoulder.
    await knocks(page, s, 'anna');
    await page.locator('input[name=code]').waitFor();
    assert.equal(await page.evaluate(() => document.activeElement?.getAttribute('name')), 'code', 'the code is what is to be typed next');
    await faults(page, 'the door asks for a code');
    await gives(page, shows(secret) === '000000' ? '111111' : '000000');
    await page.getByText('The code is not right, or was used already.').waitFor();
    assert.equal(await page.evaluate(() => document.activeElement?.getAttribute('name')), 'code');
    assert.equal(await page.locator('input[name=code]').inputValue(), '', 'a wrong code is not to be rubbed out by hand');
    assert.equal(await page.locator('nav').count(), 0);
    const used = shows(secret);
    await gives(page, used);
    await page.locator('nav').first().waitFor();
    await leaves(page);
    await knocks(page, s, 'anna');
    await gives(page, used);
    await page.getByText('The code is not right, or was used already.').waitFor();

    // Without the telephone: a recovery code, once.
    await gives(page, codes[0]);
    await page.locator('nav').first().waitFor();
    await page.goto(`${s.origin}/me`);
    await mine.getByText('On. Recovery codes left: 9.').waitFor();

    // And without those an administrator: whoever is signed in as Anna is signed out, and the password is enough again.
    const admin = await person(b, { lang: 'zh-CN', theme: 'dark' });
    await signIn(admin.page, s.origin, 'admin', s.users.admin);
    await admin.page.goto(`${s.origin}/admin/users`);
    const row = admin.page.getByRole('row').filter({ has: admin.page.getByRole('cell', { name: /^anna/ }) });
    await row.getByText('两步验证', { exact: true }).waitFor();
    await faults(admin.page, 'logins with a second factor');
    await row.getByRole('button', { name: '重置两步验证' }).click();
    await admin.page.getByRole('dialog').getByRole('button', { name: /重置两步验证/ }).click();
    await admin.page.getByText('已重置两步验证').first().waitFor();
    await page.locator('input[name=login]').waitFor();
    await signIn(page, s.origin, 'anna', s.users.anna);
    const audit = await s.ask('GET', '/audit');
    for (const what of ['user.factor_on', 'user.recovery_code', 'user.factor_reset']) assert.ok(JSON.stringify(audit).includes(what), what);
    assert.deepEqual([...anna.complaints, ...admin.complaints], []);
  },

  async who_must_have_a_second_factor_sees_nothing_else_before_it_is_made({ s, b }) {
    await s.configure((yaml) => yaml.replace(/^( *)routing:$/m, '$1security: {second_factor: [agent]}\n$1routing:'));
    for (const [login, lang, theme] of [['anna', 'en', 'light'], ['ben', 'zh-CN', 'dark']]) {
      const one = await person(b, { lang, theme });
      const { page } = one;
      await knocks(page, s, login);
      await page.getByRole('heading', { name: lang === 'en' ? 'A second factor is needed' : '需要设置两步验证' }).waitFor();
      assert.equal(await page.locator('nav').count(), 0);
      await faults(page, `a second factor is needed, ${lang}, ${theme}`);
      await page.locator('input[name=password]').fill(s.users[login]);
      await page.locator('button[type=submit]').click();
      await page.locator('img[src^="data:image/svg"]').waitFor();
      const secret = (await page.locator('code').innerText()).trim();
      await gives(page, shows(secret));
      await page.getByRole('button', { name: lang === 'en' ? 'I have kept them' : '我已保存' }).click();
      await page.locator('nav').first().waitFor();
      await page.goto(`${s.origin}/me`);
      await page.getByText(lang === 'en' ? 'it cannot be switched off' : '无法关闭').waitFor();
      await eventually(() => assert.deepEqual(one.complaints, []));
    }
  },
};
