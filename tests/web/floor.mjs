// Who hears whom when more than two are on a call: supervision and consultation, measured at every end.

import assert from 'node:assert/strict';
import { faults, ready } from './kit.mjs';
import { baresip, hears, hearsOnly } from './phones.mjs';
import { answers, connected, desk } from './voice.mjs';

/** Begins the shift at a desk and takes calls. */
async function works({ page }) {
  await page.getByRole('button', { name: /^(Begin shift|签入)$/ }).click();
  await connected(page);
  await ready(page);
}
/** Everybody hears exactly these others. */
const sound = async (...ends) => { for (const [ear, voices, how] of ends) await hearsOnly(ear, voices, how); };
/** Asks a colleague before handing over. */
async function asks(page, name) {
  await page.getByRole('button', { name: /^(Transfer|转接)/ }).click();
  const dialog = page.getByRole('dialog', { name: /^(Transfer to|转接到)$/ });
  await dialog.getByRole('button', { name: /^(Ask first|咨询后转接)$/ }).click();
  await dialog.getByRole('option', { name }).click();
  await dialog.waitFor({ state: 'detached' });
}
/** Ben talks with the caller and asks Chen, who has just come. */
async function asksInACall(caller, ben, chen) {
  await works(ben);
  caller.dial('4001');
  await answers(ben.page);
  await hears(ben.ear, 'caller');
  await works(chen);
  await asks(ben.page, /陈晨/);
}
const consultation = (page) => page.getByRole('group', { name: /^(Asking for advice|咨询)$/ });
const done = (page) => page.getByRole('button', { name: /^(Done|完成)$/ });

export const floor = {
  async a_supervisor_listens_whispers_barges_in_and_takes_over_and_everybody_hears_exactly_whom_they_should({ s, figure }) {
    const [ben, susan] = [await desk(s, 'ben'), await desk(s, 'susan')];
    const caller = await baresip(s, '+8613800006666');
    try {
      await works(ben);
      caller.dial('4001');
      await answers(ben.page);
      await sound([ben.ear, ['caller']], [caller.ear, ['ben']]);
      await susan.page.goto(`${s.origin}/wall`);
      const part = susan.page.getByRole('group', { name: /^Join the contact/ });
      const way = async (name) => {
        const began = Date.now();
        await part.getByRole('button', { name }).click();
        await susan.page.getByText(new RegExp(`Susan: ${name}$`)).waitFor();
        return Date.now() - began;
      };
      await way('Listen');
      await sound([susan.ear, ['ben', 'caller']], [ben.ear, ['caller']], [caller.ear, ['ben']]);
      const whispered = await way('Whisper');
      await sound([ben.ear, ['caller', 'susan']], [susan.ear, ['ben', 'caller']], [caller.ear, ['ben']]);
      const barged = await way('Barge in');
      figure(`from listening to whispering ${whispered} ms, to taking part ${barged} ms`);
      assert.ok(Math.min(whispered, barged) <= 500 * s.slow, 'another way is there at once');
      await sound([caller.ear, ['ben', 'susan']], [ben.ear, ['caller', 'susan']], [susan.ear, ['ben', 'caller']]);
      // The agent leaves; supervisor and caller go on without a gap in the call.
      await part.getByRole('button', { name: 'Take over' }).click();
      await done(ben.page).waitFor();
      await sound([susan.ear, ['caller']], [caller.ear, ['susan']]);
      assert.ok(!caller.said.includes('CALL_CLOSED'));
      await susan.page.waitForURL(/\/w\//);
      await susan.page.getByRole('button', { name: /^Hang up/ }).click();
      await caller.saw('CALL_CLOSED');
      await done(ben.page).click();
      const log = await s.ask('GET', '/audit');
      for (const word of ['listen', 'whisper', 'barge']) assert.ok(JSON.stringify(log.entries).includes(word), `${word} is in the audit log`);
      assert.deepEqual([...ben.complaints, ...susan.complaints], []);
    } finally { await caller.end(); await susan.end(); await ben.end(); }
  },

  async an_agent_asks_a_colleague_swaps_and_hands_over_and_the_caller_hears_music_then_the_colleague({ s }) {
    const [ben, chen] = [await desk(s, 'ben'), await desk(s, 'chen')];
    const caller = await baresip(s, '+8613800007777');
    try {
      await asksInACall(caller, ben, chen);
      // The colleague knows that it is a colleague who calls, and has no key that ends the customer's call.
      await chen.page.getByText('Ben asks for your advice about +8613800007777').waitFor();
      await answers(chen.page);
      await chen.page.getByRole('button', { name: 'Leave the consultation' }).waitFor();
      assert.equal(await chen.page.getByRole('button', { name: /^(Hang up|Hold|Transfer)/ }).count(), 0);
      await sound([ben.ear, ['chen']], [chen.ear, ['ben']], [caller.ear, [], { music: true }]);
      await consultation(ben.page).getByRole('button', { name: 'Swap' }).click();
      await sound([ben.ear, ['caller']], [caller.ear, ['ben']], [chen.ear, [], { music: true }]);
      await consultation(ben.page).getByRole('button', { name: 'Swap' }).click();
      await sound([ben.ear, ['chen']], [chen.ear, ['ben']], [caller.ear, [], { music: true }]);
      await consultation(ben.page).getByRole('button', { name: 'Hand over' }).click();
      await sound([chen.ear, ['caller']], [caller.ear, ['chen']]);
      // The first agent is free as soon as the wrap-up is done.
      await done(ben.page).click();
      await ben.page.getByRole('button', { name: 'My state' }).getByText('Ready', { exact: true }).waitFor();
      await chen.page.getByRole('button', { name: /^Hang up/ }).click();
      await caller.saw('CALL_CLOSED');
      assert.deepEqual([...ben.complaints, ...chen.complaints], []);
    } finally { await caller.end(); await chen.end(); await ben.end(); }
  },

  async three_talk_together_and_when_one_leaves_the_other_two_go_on({ s }) {
    const [ben, chen] = [await desk(s, 'ben'), await desk(s, 'chen')];
    const caller = await baresip(s, '+8613800008888');
    try {
      await asksInACall(caller, ben, chen);
      await answers(chen.page);
      await sound([ben.ear, ['chen']], [chen.ear, ['ben']]);
      await consultation(ben.page).getByRole('button', { name: 'All together' }).click();
      await sound([ben.ear, ['caller', 'chen']], [chen.ear, ['ben', 'caller']], [caller.ear, ['ben', 'chen']]);
      await consultation(ben.page).getByRole('button', { name: 'Hand over' }).click();
      await sound([chen.ear, ['caller']], [caller.ear, ['chen']]);
      await done(ben.page).click();
      await chen.page.getByRole('button', { name: /^Hang up/ }).click();
      await caller.saw('CALL_CLOSED');
      assert.deepEqual([...ben.complaints, ...chen.complaints], []);
    } finally { await caller.end(); await chen.end(); await ben.end(); }
  },

  async no_screen_of_supervision_and_consultation_has_a_fault_axe_can_find({ s, figure }) {
    let looked = 0;
    const see = async (page, where) => { await faults(page, where); looked += 1; };
    const [ben, chen, susan] = [await desk(s, 'ben'), await desk(s, 'chen'), await desk(s, 'susan')];
    const caller = await baresip(s, '+8613800009999');
    try {
      await works(ben);
      caller.dial('4001');
      await answers(ben.page);
      await works(chen);
      await susan.page.goto(`${s.origin}/wall`);
      const part = susan.page.getByRole('group', { name: /^(Join the contact|加入与)/ });
      await part.getByRole('button', { name: /^(Barge in|强插)$/ }).click();
      await part.getByRole('button', { name: /^(Leave|退出)$/ }).waitFor();
      await see(susan.page, 'wallboard with a supervisor on a call');
      await ben.page.locator('header').getByText(/Susan: (Barge in|强插)/).waitFor();
      await see(ben.page, 'call with a supervisor on it');
      const [{ id }] = (await s.ask('GET', '/interactions?live=true')).interactions;
      await susan.page.locator(`a[href="/w/${id}"]`).first().click();
      await part.getByRole('button', { name: /^(Leave|退出)$/ }).waitFor();
      await see(susan.page, 'the supervisor at the call');
      await part.getByRole('button', { name: /^(Leave|退出)$/ }).click();
      await asks(ben.page, /陈晨/);
      await consultation(ben.page).waitFor();
      await see(ben.page, 'a colleague is called');
      await answers(chen.page);
      await consultation(ben.page).getByRole('button', { name: /^(Swap|切换)$/ }).waitFor();
      await see(ben.page, 'consultation');
      await see(chen.page, 'being asked');
      await consultation(ben.page).getByRole('button', { name: /^(All together|三方通话)$/ }).click();
      await consultation(ben.page).getByText(/All together with|三方通话中/).waitFor();
      await see(ben.page, 'three together');
      await consultation(ben.page).getByRole('button', { name: /^(Hand over|完成转接)$/ }).click();
      await done(ben.page).click();
      await chen.page.getByRole('button', { name: /^(Hang up|挂断)/ }).click();
      await done(chen.page).click();
      for (const p of [ben, chen]) {
        await p.page.getByRole('button', { name: /^(My state|我的状态)/ }).click();
        await p.page.getByRole('menuitem', { name: /End shift|签出/ }).click();
        await p.page.getByRole('button', { name: /^(Begin shift|签入)$/ }).waitFor();
      }
    } finally { await caller.end(); await susan.end(); await chen.end(); await ben.end(); }
    figure(`${looked} screens`);
  },
};
