// What a supervisor sees of a call afterwards: its recording with what happened in it, how it sounded, what was said, why this agent.

import assert from 'node:assert/strict';
import { beginChat, eventually, faults, inForce, person, ready, signIn, visits } from './kit.mjs';
import { baresip, hears } from './phones.mjs';
import { answers, connected, desk } from './voice.mjs';

/** A call that was held and whose recording was paused, long enough for a course; its id. */
async function aCall(s, ben, number) {
  const caller = await baresip(s, number);
  try {
    caller.dial('4001');
    await answers(ben.page);
    await hears(ben.ear, 'caller');
    const [{ id }] = (await s.ask('GET', '/interactions?live=true')).interactions;
    const rows = async (most) => eventually(async () => {
      const { legs } = await s.ask('GET', `/interactions/${id}/quality`);
      const long = Math.max(...legs.map((l) => l.course?.until_ms.length ?? 0));
      assert.ok(long >= most, `${long} spans so far`);
      return legs;
    });
    await rows(2);
    await s.ask('POST', `/interactions/${id}/hold`, { on: true });
    await s.ask('POST', `/interactions/${id}/recording`, { action: 'pause' });
    const legs = await rows(3);
    assert.ok(legs.some((l) => l.role === 'customer' && l.mos_avg > 3), 'of a call that goes on, how it has sounded so far');
    await s.ask('POST', `/interactions/${id}/hold`, { on: false });
    await s.ask('POST', `/interactions/${id}/recording`, { action: 'resume' });
    await rows(4);
    await ben.page.getByRole('button', { name: /^(Hang up|挂断)/ }).click();
    await caller.saw('CALL_CLOSED');
    await ben.page.getByRole('button', { name: /^(Done|完成)$/ }).click();
    await eventually(async () => assert.ok((await s.ask('GET', `/interactions/${id}`)).recordings[0]?.ended_at));
    return id;
  } finally { await caller.end(); }
}

export const sight = {
  async a_supervisor_hears_a_call_again_sees_where_it_was_held_and_how_it_sounded_and_mutes_one_side({ s, b, figure }) {
    const ben = await desk(s, 'ben');
    let looked = 0;
    try {
      await ben.page.getByRole('button', { name: /^(Begin shift|签入)$/ }).click();
      await connected(ben.page);
      await ready(ben.page);
      const id = await aCall(s, ben, '+8613800002222');
      const told = await s.ask('GET', `/interactions/${id}/timeline`);
      assert.ok(!JSON.stringify(told).includes('"spans"'), 'the timeline stays short');
      for (const [lang, theme] of [['en', 'light'], ['zh-CN', 'dark']]) {
        const susan = await person(b, { lang, theme });
        const { page } = susan;
        await signIn(page, s.origin, 'susan', s.users.susan);
        await page.goto(`${s.origin}/calls/${id}`);
        const sound = page.getByRole('region', { name: /^(How it sounded|通话质量)$/ });
        await sound.locator('canvas').waitFor();
        // The agent's leg and the customer's, each with its figures.
        assert.ok((await sound.getByRole('row').count()) >= 3);
        assert.match(await sound.getByRole('row').nth(1).innerText(), /[34]\.\d\d/);
        await page.getByText(/is the only one who can take it|只有 .* 可以接听/).waitFor();
        await faults(page, `a call, ${lang}, ${theme}`);
        await page.getByRole('button', { name: /^(▶ )?(Listen|收听)$/ }).click();
        const place = page.getByRole('slider', { name: /^(Position|播放位置)$/ });
        await place.waitFor();
        await page.getByText(/^(Not recorded|未录音)/).or(page.getByText(/(Not recorded|未录音): /)).first().waitFor();
        const marks = page.getByRole('group', { name: /^(Marks|标记)$/ });
        await marks.getByRole('button', { name: /^(On hold|保持)/ }).click();
        const at = async () => Number(await place.inputValue());
        await eventually(async () => assert.ok((await at()) >= 1, 'a mark is a jump'));
        // What happened leads into the recording, and where it plays is marked in what happened.
        const story = page.getByRole('list', { name: /^(What happened|经过)$/ });
        const lines = story.getByRole('listitem');
        const held = lines.filter({ hasText: /put it on hold|保持$/ }).first();
        const marked = () => lines.evaluateAll((all) => [all.findIndex((l) => l.ariaCurrent === 'true'), all.findIndex((l) => /put it on hold|保持$/.test(l.textContent))]);
        await place.focus();
        await page.keyboard.press('End');
        await eventually(async () => { const [now, then] = await marked(); assert.ok(now > then + 2, `line ${now} is marked at the end, not ${then}`); });
        await held.getByRole('button', { name: /^(Listen from here|从此处收听)/ }).click();
        // It plays on from there; the pause of the recording follows at once.
        await eventually(async () => { const [now, then] = await marked(); assert.ok(now >= then && now <= then + 2, `line ${now} is marked, the hold is ${then}`); });
        await page.getByText(lang === 'en' ? 'China' : '中国', { exact: true }).first().waitFor();
        await place.focus();
        await page.keyboard.press('Home');
        await eventually(async () => assert.ok((await at()) <= 2, 'the position is a slider of the keyboard'));
        const sides = page.getByRole('group', { name: /^(Who is heard|声道)$/ });
        const customer = sides.getByRole('button', { name: /(Customer|客户)$/ });
        await customer.click();
        assert.equal(await customer.getAttribute('aria-pressed'), 'false');
        await page.getByRole('group', { name: /^(Speed|速度)$/ }).getByRole('button', { name: '2×' }).click();
        await sound.getByRole('button', { name: /^(Jitter|抖动)$/ }).click();
        await faults(page, `a recording that plays, ${lang}, ${theme}`);
        if (process.env.SHOTS) await page.screenshot({ path: `${process.env.SHOTS}/call-${lang}-${theme}.png`, fullPage: true });
        looked += 2;
        assert.deepEqual(susan.complaints, []);
        await susan.context.close();
      }
      const noted = JSON.stringify(await s.ask('GET', '/audit'));
      assert.ok(noted.includes('recording.play'), 'who listened is noted');
    } finally { await ben.end(); }
    figure(`${looked} screens`);
  },

  async a_customer_on_hold_for_too_long_is_said_and_heard_at_the_desk_and_seen_on_the_wall({ s, b }) {
    await s.configure((yaml) => yaml.replace(/^( +)max_length: 20$/m, '$1max_length: 20\n$1hold_max_s: 2').replace(/^( +)routing:$/m, '$1alerts: {rules: [{metric: held}], clear_after_s: 1}\n$1routing:'));
    const ben = await desk(s, 'ben');
    const caller = await baresip(s, '+862155501234');
    try {
      const { page } = ben;
      await page.addInitScript(() => {
        const real = AudioContext.prototype.createOscillator;
        window.notesHeard = 0;
        AudioContext.prototype.createOscillator = function make() { window.notesHeard += 1; return real.call(this); };
      });
      await page.reload();
      await page.getByRole('button', { name: /^(Begin shift|签入)$/ }).click();
      await connected(page);
      await ready(page);
      const susan = await person(b, { lang: 'zh-CN', theme: 'dark' });
      await signIn(susan.page, s.origin, 'susan', s.users.susan);
      await susan.page.goto(`${s.origin}/wall`);
      caller.dial('4001');
      await page.getByRole('button', { name: /^Answer/ }).waitFor();
      await page.getByText('Shanghai, China').first().waitFor();
      await page.getByRole('button', { name: /^Answer/ }).click();
      await page.getByRole('button', { name: /^Hold/ }).click();
      const heard = await page.evaluate(() => window.notesHeard);
      const alert = page.getByRole('alert').filter({ hasText: 'has been on hold for longer than 0:02' });
      await alert.waitFor();
      await eventually(async () => assert.ok(await page.evaluate(() => window.notesHeard) > heard, 'it is heard, too'));
      await faults(page, 'somebody is on hold for too long');
      if (process.env.SHOTS) await page.screenshot({ path: `${process.env.SHOTS}/hold-en-light.png` });
      await susan.page.locator('[data-alert="sales/held"]').getByText(/最长保持/).first().waitFor();
      await faults(susan.page, 'a hold that is too long, on the wall');
      if (process.env.SHOTS) await susan.page.screenshot({ path: `${process.env.SHOTS}/hold-wall-zh-CN-dark.png` });
      await alert.getByRole('button', { name: 'Take back' }).click();
      await alert.waitFor({ state: 'detached' });
      await susan.page.locator('[data-alert="sales/held"]').waitFor({ state: 'detached' });
      await page.getByRole('button', { name: /^Hang up/ }).click();
      await caller.saw('CALL_CLOSED');
      assert.deepEqual([...ben.complaints, ...susan.complaints], []);
    } finally { await caller.end(); await ben.end(); }
  },

  async an_alert_is_set_by_form_seen_wherever_a_supervisor_is_taken_up_and_remembered({ s, b, shop, figure }) {
    const admin = await person(b);
    await signIn(admin.page, s.origin, 'admin', s.users.admin);
    await admin.page.goto(`${s.origin}/admin/alerts`);
    // What every queue promises by itself is watched from the beginning.
    await admin.page.getByLabel('Limit, row 1').waitFor();
    assert.equal(await admin.page.getByLabel('Limit, row 1').getAttribute('placeholder'), 'the queue’s target');
    await admin.page.getByRole('button', { name: 'Add a rule' }).click();
    await admin.page.getByLabel('Queue, row 5').selectOption('support');
    await admin.page.getByLabel('Figure, row 5').selectOption('waiting');
    await admin.page.getByRole('button', { name: 'Check and show changes' }).click();
    await admin.page.getByText(/rules\[4\]\.limit: `waiting` needs one/).waitFor();
    await admin.page.getByLabel('Limit, row 5').fill('0');
    await admin.page.getByLabel(/^Well again for so long/).fill('1');
    await faults(admin.page, 'what is watched for');
    await inForce(admin.page, ['clear_after_s: 1', 'metric: waiting', 'queue: support']);
    assert.deepEqual(admin.complaints, []);
    let looked = 0;
    for (const [lang, theme] of [['en', 'light'], ['zh-CN', 'dark']]) {
      const susan = await person(b, { lang, theme });
      const { page } = susan;
      await signIn(page, s.origin, 'susan', s.users.susan);
      await page.goto(`${s.origin}/tickets`);
      const guest = await person(b, { width: 1000, height: 700 });
      await beginChat(await visits(guest, shop), 'Wu Ming');
      // She is somewhere else, and is told all the same.
      const badge = page.locator('nav [data-alerts]');
      await badge.getByText(/1 (alerts nobody looks after|条告警待处理)/).waitFor({ state: 'attached' });
      await faults(page, `an alert while somebody looks at tickets, ${lang}, ${theme}`);
      await page.getByRole('link', { name: /Wallboard|监控大屏/ }).click();
      const alert = page.locator('[data-alert="support/waiting"]');
      await alert.getByText(/(waiting 1 \(limit 0\)|排队数 1（阈值 0）)$/).first().waitFor();
      await faults(page, `an alert, ${lang}, ${theme}`);
      if (process.env.SHOTS) await page.screenshot({ path: `${process.env.SHOTS}/alert-${lang}-${theme}.png` });
      await alert.getByRole('button', { name: /^(Look after it|我来处理)/ }).click();
      await alert.getByText(/^(Susan looks after it|Susan 正在处理)$/).waitFor();
      await alert.getByRole('button').waitFor({ state: 'detached' });
      await badge.waitFor({ state: 'detached' });
      await page.goto(`${s.origin}/wall?tv=1`);
      await alert.waitFor();
      await faults(page, `an alert on the big screen, ${lang}, ${theme}`);
      if (process.env.SHOTS) await page.screenshot({ path: `${process.env.SHOTS}/tv-${lang}-${theme}.png` });
      await page.goto(`${s.origin}/wall`);
      await alert.waitFor();
      const [{ id }] = (await s.ask('GET', '/interactions?live=true')).interactions;
      await s.ask('POST', `/interactions/${id}/finish`);
      await alert.waitFor({ state: 'detached' });
      await page.getByRole('button', { name: /^(This screen and earlier alerts|本屏设置与历史告警)$/ }).click();
      await page.getByRole('list', { name: /^(What was|历史告警)$/ }).getByText(/(waiting up to 1 \(limit 0\)|排队数 最差 1（阈值 0）)$/).first().waitFor();
      await faults(page, `what was, ${lang}, ${theme}`);
      // A screen at Sales has other things to look at.
      await page.getByRole('combobox', { name: /^(This screen shows alerts of|本屏显示的告警)/ }).selectOption('sales');
      looked += 4;
      assert.deepEqual(susan.complaints, []);
      await susan.context.close();
      await guest.context.close();
    }
    figure(`${looked} screens`);
  },

  async a_report_says_what_every_number_means_adds_up_and_is_kept_to_come_by_itself({ s, b, shop, figure }) {
    // Somebody was served, and somebody gave up.
    const anna = await person(b);
    await signIn(anna.page, s.origin, 'anna', s.users.anna);
    await ready(anna.page);
    const guest = await person(b, { width: 1000, height: 700 });
    await beginChat(await visits(guest, shop), 'Wu Ming');
    await anna.page.getByRole('button', { name: /^Accept/ }).click();
    await anna.page.getByRole('button', { name: /End chat/ }).click();
    await anna.page.getByRole('button', { name: /^Done$/ }).click();
    await eventually(async () => assert.equal((await s.ask('GET', '/reports/agents')).rows[0]?.handled, 1));
    let looked = 0;
    for (const [lang, theme] of [['en', 'light'], ['zh-CN', 'dark']]) {
      const susan = await person(b, { lang, theme });
      const { page } = susan;
      await signIn(page, s.origin, 'susan', s.users.susan);
      await page.goto(`${s.origin}/reports`);
      await page.getByText(/(1 offered = 1 answered \+ 0 abandoned|进线 1 = 接听 1)/).waitFor();
      await page.getByText(/^(What the numbers mean|指标定义)$/).click();
      await faults(page, `reports by interval, ${lang}, ${theme}`);
      if (process.env.SHOTS) await page.screenshot({ path: `${process.env.SHOTS}/reports-${lang}-${theme}.png` });
      await page.getByRole('button', { name: /^(By agent|按坐席)$/ }).click();
      await page.getByRole('row', { name: /^Anna / }).waitFor();
      await faults(page, `reports by agent, ${lang}, ${theme}`);
      if (process.env.SHOTS) await page.screenshot({ path: `${process.env.SHOTS}/reports-agents-${lang}-${theme}.png` });
      await page.getByRole('button', { name: /^(Keep this report|保存此报表)$/ }).click();
      const box = page.getByRole('dialog');
      await box.locator('input[name=name]').fill(`team-${theme}`);
      await box.locator('select[name=every]').selectOption('week');
      await faults(page, `keeping a report, ${lang}, ${theme}`);
      await box.getByRole('button', { name: /^(Keep this report|保存此报表)$/ }).click();
      await page.getByText(/^(Every Monday at 06:00|每周一 06:00)$/).first().waitFor();
      const file = page.waitForEvent('download');
      await page.getByRole('link', { name: /CSV/ }).click();
      assert.equal((await file).suggestedFilename(), 'agents.csv');
      looked += 3;
      assert.deepEqual(susan.complaints, []);
      await susan.context.close();
    }
    const kept = (await s.ask('GET', '/reports/saved')).reports;
    assert.deepEqual(kept.map((r) => [r.name, r.by, r.schedule.every]), [['team-dark', 'agents', 'week'], ['team-light', 'agents', 'week']]);
    const { whole, conserved } = await s.ask('GET', '/reports/intervals?step_min=15');
    assert.deepEqual([whole.offered, whole.answered, conserved], [1, 1, true]);
    figure(`${looked} screens`);
  },
};
