// Calls with real browsers at one end or both, as stories: what is heard is measured.

import assert from 'node:assert/strict';
import { baresip, headset, hears, softphone } from './phones.mjs';

/** An agent who takes calls, by the API: in these stories the phone is looked at, not the console. */
const works = async (s, agent) => {
  await s.ask('POST', `/agents/${agent}/sign-in`);
  await s.ask('PUT', `/agents/${agent}/state`, { state: 'ready' });
};

/** A page that is nothing but a phone registers, is called by a browser and by baresip, and is measured in both directions. */
async function anyPhone(s, library, figure) {
  const [hers, his] = [await headset('anna'), await headset('ben')];
  try {
    const anna = await softphone(hers, s, 'anna', library);
    const ben = await softphone(his, s, 'ben', library);
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
    assert.equal(dtls, 'connected');
    console.log(await anna.figures());
    // The one on hold hears nothing, and both hear each other again.
    await ben.does('hold', true);
    await hears(ben.ear, null);
    await ben.does('hold', false);
    await hears(ben.ear, 'anna');
    await hears(anna.ear, 'ben');
    await ben.does('hangUp');
    await anna.saw('ended');
  } finally { await hers.close(); await his.close(); }
}

export const voice = {
  async a_page_with_JsSIP_registers_calls_is_called_holds_and_hears_and_is_heard({ s, figure }) {
    await anyPhone(s, 'JsSIP', figure);
  },
  async a_page_with_SIPjs_registers_calls_is_called_holds_and_hears_and_is_heard({ s, figure }) {
    await anyPhone(s, 'SIP.js', figure);
  },
};
