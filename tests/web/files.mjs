// Files in a chat, as stories.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { deflateSync } from 'node:zlib';
import { agent, beginChat, eventually, faults, person, visits } from './kit.mjs';

/** A picture of one colour (PNG, ISO/IEC 15948). */
export function picture(width, height) {
  const table = Array.from({ length: 256 }, (_, n) => { let c = n; for (let k = 0; k < 8; k += 1) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1; return c >>> 0; });
  const crc = (bytes) => { let c = 0xffffffff; for (const b of bytes) c = table[(c ^ b) & 255] ^ (c >>> 8); return (c ^ 0xffffffff) >>> 0; };
  const chunk = (kind, data) => {
    const body = Buffer.concat([Buffer.from(kind), data]);
    const out = Buffer.alloc(8 + body.length);
    out.writeUInt32BE(data.length, 0);
    body.copy(out, 4);
    out.writeUInt32BE(crc(body), 4 + body.length);
    return out;
  };
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([8, 2, 0, 0, 0], 8);
  const row = Buffer.concat([Buffer.from([0]), Buffer.alloc(width * 3, 0x7a)]);
  const rows = Buffer.concat(Array.from({ length: height }, () => row));
  return Buffer.concat([Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]), chunk('IHDR', head), chunk('IDAT', deflateSync(rows)), chunk('IEND', Buffer.alloc(0))]);
}

/** Gives files to a field of the chat as a paste or a drop would. */
const gives = (place, kind, name, text) => place.evaluate((node, [event, called, words]) => {
  const data = new DataTransfer();
  data.items.add(new File([words], called, { type: 'text/plain' }));
  const given = event === 'paste' ? new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }) : new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true });
  node.dispatchEvent(given);
}, [kind, name, text]);

export const files = {
  async a_picture_a_dropped_file_and_an_invoice_go_both_ways_and_stay_after_a_reload({ s, b, shop, figure }) {
    await s.configure((yaml) => yaml.replace(/^( *)gone_s: 600$/m, '$1gone_s: 600\n$1files:\n$1  largest_kb: 100'));
    const anna = await agent(b, s);
    const guest = await person(b, { width: 1000, height: 720 });
    const w = await visits(guest, shop);
    await beginChat(w, 'Li Na');
    await anna.page.getByRole('button', { name: /^Accept/ }).click();
    const log = anna.page.getByRole('log');
    const mine = w.widget.getByRole('log');
    await anna.page.getByRole('textbox', { name: 'Write to the customer' }).waitFor();

    // The visitor picks a picture: the agent sees it, small.
    const began = Date.now();
    await w.widget.locator('input[type=file]').setInputFiles({ name: 'lamp.png', mimeType: 'image/png', buffer: picture(640, 480) });
    const link = log.getByRole('link', { name: /lamp\.png/ });
    await link.waitFor();
    figure(`a picture at the agent ${Date.now() - began} ms after it was picked`);
    await eventually(async () => assert.equal(await link.locator('img').evaluate((img) => img.naturalWidth), 640));
    await mine.locator('.file.drawn canvas').waitFor();
    // Dropped on the conversation, pasted into the field.
    await gives(mine, 'drop', 'order list.txt', 'two lamps');
    await log.getByRole('link', { name: /order list\.txt/ }).waitFor();
    await gives(w.widget.locator('textarea'), 'paste', 'address.txt', 'Main street 1');
    await log.getByRole('link', { name: /address\.txt/ }).waitFor();
    const saved = await Promise.all([anna.page.waitForEvent('download'), log.getByRole('link', { name: /address\.txt/ }).click()]);
    assert.equal(String(await readFile(await saved[0].path())), 'Main street 1');

    // What could run, and what is too large, is refused with a reason; the rest goes on.
    await w.widget.locator('input[type=file]').setInputFiles({ name: 'photo.png', mimeType: 'image/png', buffer: Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>') });
    await mine.getByText('Files of this kind are not taken').waitFor();
    await mine.getByRole('button', { name: 'Take back' }).click();
    await w.widget.locator('input[type=file]').setInputFiles({ name: 'film.mp4', mimeType: 'video/mp4', buffer: Buffer.alloc(200_000, 1) });
    await mine.getByText('The file is too large').waitFor();
    await mine.getByRole('button', { name: 'Take back' }).click();

    // The agent sends an invoice back.
    await anna.page.locator('input[type=file]').setInputFiles({ name: '发票.pdf', mimeType: 'application/pdf', buffer: Buffer.from('%PDF-1.4\ninvoice') });
    const invoice = mine.getByRole('button', { name: /^发票\.pdf/ });
    await invoice.waitFor();
    const [download] = await Promise.all([guest.page.waitForEvent('download'), invoice.click()]);
    assert.equal(download.suggestedFilename(), '发票.pdf');
    assert.equal(String(await readFile(await download.path())), '%PDF-1.4\ninvoice');
    await anna.page.locator('input[type=file]').setInputFiles({ name: 'page.html', mimeType: 'text/html', buffer: Buffer.from('<html>') });
    await anna.page.getByText('page.html: Files of this kind are not taken').waitFor();
    await faults(guest.page, 'files in the widget');
    await faults(anna.page, 'files at the agent');

    // Reloaded, everything is there; sent while nobody listens, it arrives once somebody does.
    await guest.page.reload();
    await mine.locator('.file.drawn canvas').waitFor();
    await mine.getByRole('button', { name: /^发票\.pdf/ }).waitFor();
    await s.stop();
    await w.widget.getByText('Connection lost').waitFor();
    await gives(w.widget.locator('textarea'), 'paste', 'late.txt', 'sent into the dark');
    await s.start();
    await log.getByRole('link', { name: /late\.txt/ }).waitFor();
    assert.equal(await log.getByRole('link', { name: /late\.txt/ }).count(), 1);

    // Nobody else gets it: another visitor, and whoever is not signed in.
    const [{ id }] = (await s.ask('GET', '/interactions?live=true')).interactions;
    const { messages } = await s.ask('GET', `/interactions/${id}/messages`);
    const seq = messages.find((m) => m.file?.name === 'lamp.png').seq;
    assert.equal((await fetch(`${s.origin}/api/v1/interactions/${id}/files/${seq}`)).status, 401);
    const { token } = await (await fetch(`${s.origin}/chat/v1/session`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"site":"demo"}' })).json();
    assert.equal((await fetch(`${s.origin}/chat/v1/files/${id}/${seq}`, { headers: { authorization: `Bearer ${token}` } })).status, 404);
    const meant = (said) => !/status of (415|413)/.test(said);
    assert.deepEqual([...anna.complaints, ...guest.complaints].filter(meant), []);
  },
};
