// What strangers write is read, never run: every vector of vectors.mjs through every field there is, looked at on every screen.

import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { SOON, eventually, person, ready, signIn, visits } from './kit.mjs';
import { packed, vectors } from './vectors.mjs';

const MARK = 'xss-probe';
/** White space is the layout's: one blank is as good as a line's end. */
const flat = (text) => text.replace(/\s+/g, ' ').trim();

/** A person on whose pages everything that must not happen is written down. */
async function watched(b, look) {
  const p = await person(b, look);
  p.wrong = [];
  await p.context.exposeFunction('ringdeskTells', (what) => { p.wrong.push(what); });
  await p.context.addInitScript(() => {
    const tell = (what) => { window.ringdeskTells(`${what} at ${location.href}`); };
    window.xss = () => tell('a script ran');
    for (const ask of ['alert', 'confirm', 'prompt']) window[ask] = () => tell(ask);
    document.addEventListener('securitypolicyviolation', (e) => tell(`the policy had to stop ${e.blockedURI} (${e.violatedDirective})`));
  });
  p.allowed = new Set();
  p.context.on('request', (r) => {
    const url = new URL(r.url());
    if (url.pathname.includes(MARK) && !url.pathname.startsWith('/api/v1/') && !r.isNavigationRequest()) p.wrong.push(`asked for ${r.url()}`);
    if (/^(http|ws)s?:$/.test(url.protocol) && !p.allowed.has(url.host)) p.wrong.push(`left for ${r.url()}`);
  });
  p.page.on('dialog', (d) => { p.wrong.push(`a dialog: ${d.message()}`); void d.dismiss(); });
  return p;
}

/** All that can be read on a page, in shadows and fields, too; and every piece of markup that has no business there. */
const look = (page) => page.evaluate(() => {
  const [texts, odd] = [[], []];
  const read = (root) => {
    const walk = document.createTreeWalker(root, NodeFilter.SHOW_TEXT | NodeFilter.SHOW_ELEMENT);
    for (let n = walk.nextNode(); n; n = walk.nextNode()) {
      if (n.nodeType === Node.TEXT_NODE) { texts.push(n.data); continue; }
      if (n.shadowRoot) read(n.shadowRoot);
      if ('value' in n && typeof n.value === 'string') texts.push(n.value);
      for (const a of ['title', 'aria-label', 'placeholder']) if (n.hasAttribute(a)) texts.push(n.getAttribute(a));
      const name = n.localName;
      if (/^(iframe|object|embed|portal|base|math|marquee|plaintext|xmp|foreignobject|animate|set|use|x-y)$/.test(name)) odd.push(`<${name}>`);
      if (name === 'script' && (n.textContent || !/^http:\/\/127\.0\.0\.1:\d+\/[\w./-]+\.js$/.test(n.src) || /xss/.test(n.src))) odd.push(`<script ${n.src}>`);
      if (name === 'meta' && n.httpEquiv) odd.push('<meta http-equiv>');
      for (const { name: a, value } of n.attributes) {
        if (a.startsWith('on')) odd.push(`${name} ${a}`);
        if (/^(href|src|action|formaction|data|xlink:href|ping|srcdoc)$/.test(a) && /^\s*(javascript|data:text|vbscript|feed|view-source):/i.test(value)) odd.push(`${name} ${a}=${value}`);
      }
    }
  };
  read(document.documentElement);
  return { text: texts.join('\u0001'), title: document.title, odd };
});

/** Waits until every one of these can be read as it was written, and that nothing on the page is more than text. */
async function reads(p, where, wanted) {
  await eventually(async () => {
    const seen = await look(p.page);
    assert.deepEqual(seen.odd, [], where);
    const text = flat(seen.text);
    const missing = wanted.map(flat).filter((v) => !text.includes(v));
    // Lists come in parts.
    const more = p.page.getByRole('button', { name: 'Show more' });
    if (missing.length && await more.count()) await more.click();
    assert.deepEqual(missing.slice(0, 3), [], `${where}: ${missing.length} of ${wanted.length} cannot be read`);
  });
  assert.deepEqual(p.wrong, [], where);
}

/** Callers of whom the console's search shows all at once. */
const TOGETHER = 40;
const area = (i) => `+8613${10 + Math.floor(i / TOGETHER)}`;
const number = (i) => `${area(i)}${String(20_000_000 + i)}`;

/** Calls from everywhere whose From and User-Agent are these; each is let go once it is answered. */
async function callers(sip, names, first) {
  const [host, port] = sip.split(':');
  const socket = createSocket('udp4');
  await new Promise((done) => { socket.bind(0, '127.0.0.1', done); });
  const here = `127.0.0.1:${socket.address().port}`;
  const send = (text) => socket.send(text, Number(port), host);
  const sdp = `v=0\no=- 1 1 IN IP4 127.0.0.1\ns=-\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 9 RTP/AVP 8\n`.replaceAll('\n', '\r\n');
  const request = (method, i, branch, to = '', more = '', body = '') => {
    const quoted = flat(names[i]).replace(/["\\]/g, '\\$&');
    const from = `"${quoted}" <sip:${number(first + i)}@127.0.0.1>;tag=f${first + i}`;
    const head = `${method} sip:4000@${sip} SIP/2.0\nVia: SIP/2.0/UDP ${here};branch=z9hG4bK${branch}${first + i};rport\nMax-Forwards: 70\nFrom: ${from}\nTo: <sip:4000@${sip}>${to}\nCall-ID: xss${first + i}\nCSeq: ${method === 'BYE' ? 2 : 1} ${method}\n`;
    return `${head}Contact: <sip:x@${here}>\nUser-Agent: ${flat(names[i])}\n${more}Content-Length: ${body.length}\n\n`.replaceAll('\n', '\r\n') + body;
  };
  // Where each call stands: asked, answered (with the tag of who answered), over.
  const calls = names.map(() => ({ tag: null, over: false }));
  const begin = (i) => send(request('INVITE', i, 'i', '', 'Content-Type: application/sdp\n', sdp));
  const end = (i) => send(request('BYE', i, 'b', calls[i].tag));
  const done = new Promise((good, bad) => {
    const until = Date.now() + SOON;
    // Over UDP whoever asks asks again.
    const again = setInterval(() => {
      const open = calls.flatMap((c, i) => (c.over ? [] : [i]));
      if (open.length === 0) { clearInterval(again); good(); return; }
      if (Date.now() > until) { clearInterval(again); bad(new Error(`these calls do not end: ${open.map((i) => names[i]).join(' and ')}`)); return; }
      for (const i of open) (calls[i].tag === null ? begin : end)(i);
    }, 500);
    socket.on('message', (bytes) => {
      const text = bytes.toString();
      const code = Number(/^SIP\/2\.0 (\d{3})/.exec(text)?.[1] ?? 0);
      const i = Number(/^Call-ID: xss(\d+)/im.exec(text)?.[1] ?? -1) - first;
      if (code < 200 || i < 0) return;
      if (/^CSeq: 1 INVITE/im.test(text)) {
        calls[i].tag = /^To: [^\r\n]*?(;tag=[^\r\n;]+)/im.exec(text)?.[1] ?? '';
        send(request('ACK', i, code < 300 ? 'a' : 'i', calls[i].tag));
        if (code < 300) end(i);
        else calls[i].over = true;
      } else calls[i].over = true;
    });
  });
  names.forEach((_, i) => begin(i));
  await done;
  socket.close();
}

export const xss = {
  async whatever_strangers_write_is_read_on_every_screen_and_nothing_of_it_ever_runs({ s, b, shop, figure }) {
    assert.ok(vectors.length >= 300, `${vectors.length}`);
    const titles = packed(vectors, 190).map(flat);
    const texts = packed(vectors, 7_000);
    const short = packed(vectors.filter((v) => v.length <= 80), 80);
    const pages = packed(vectors.filter((v) => v.length <= 200), 440);
    const ours = [new URL(s.origin).host, new URL(shop.origin).host];
    const enter = async (login) => {
      const p = await watched(b);
      ours.forEach((host) => p.allowed.add(host));
      await signIn(p.page, s.origin, login, s.users[login]);
      return p;
    };

    // The business itself is named like that.
    await s.configure((yaml) => ['Support 客户服务', 'Ben', 'Solved 已解决', 'Lotus Home 莲居', 'Lunch 午餐'].reduce((y, name, i) => {
      const named = y.replace(`name: ${name}`, `name: ${JSON.stringify(short[i])}`);
      assert.notEqual(named, y, name);
      return named;
    }, yaml));

    // Calls: From and User-Agent. Tickets: subject, matter, notes. Searches.
    const names = short.map(flat);
    // In groups: the server of these stories has ports for a hundred calls at once.
    for (let i = 0; i < names.length; i += TOGETHER) await callers(s.sip, names.slice(i, i + TOGETHER), i);
    const tickets = [];
    for (const [i, title] of titles.entries()) tickets.push((await s.ask('POST', '/tickets', { title, queue: 'support', ...(i < texts.length ? { body: texts[i] } : {}) })).ticket);
    for (const text of texts) await s.ask('POST', `/tickets/${tickets[0]}/changes`, { change: 'noted', text });
    for (const tag of packed(vectors.filter((v) => v.length <= 30), 30).slice(0, 10)) await s.ask('POST', `/tickets/${tickets[0]}/changes`, { change: 'tagged', tag }).catch((e) => assert.match(String(e), /422/));

    // Somebody chats, from a page with an address like that.
    const anna = await enter('anna');
    await ready(anna.page);
    const guest = await watched(b, { width: 1000, height: 720 });
    ours.forEach((host) => guest.allowed.add(host));
    const w = await visits(guest, shop);
    await guest.page.goto(`${shop.origin}/?q=${encodeURIComponent(pages[0])}#${encodeURIComponent(vectors[0])}`);
    await w.open();
    await w.widget.locator('input[name=name]').fill(short[0].slice(0, 80));
    await w.widget.locator('.begin button.main').click();
    await w.widget.getByRole('button', { name: /Talk to a person/ }).first().click();
    const accept = anna.page.getByRole('button', { name: /^Accept/ });
    await accept.waitFor();
    await reads(anna, 'the offer', [short[0]]);
    await accept.click();
    await anna.page.getByRole('log').waitFor();
    const [{ id, customer }] = (await s.ask('GET', '/interactions?live=true&channel=webchat')).interactions;
    for (const text of texts) {
      await w.widget.locator('textarea').fill(text);
      await w.widget.locator('textarea').press('Enter');
      await reads(guest, 'the widget', [text]);
    }
    const hers = (method, path, body) => anna.page.evaluate(async ([m, p, given]) => {
      const { csrf } = await (await fetch('/api/v1/me')).json();
      const answer = await fetch(`/api/v1${p}`, { method: m, headers: { 'content-type': 'application/json', 'x-csrf-token': csrf }, body: JSON.stringify(given) });
      if (!answer.ok) throw new Error(`${p}: ${answer.status} ${await answer.text()}`);
    }, [method, path, body]);
    for (const [i, body] of texts.entries()) {
      await hers('POST', `/interactions/${id}/messages`, { client_id: `m${i}`, body: `> ${body}` });
      await hers('POST', `/interactions/${id}/notes`, { client_id: `n${i}`, body: `note ${body}` });
    }
    await reads(anna, 'the conversation', texts.flatMap((t) => [t, `> ${t}`, `note ${t}`]));
    await reads(guest, 'the widget, answered', texts.map((t) => `> ${t}`));

    // More visitors, with more names, from more pages: they wait, and are seen on the wallboard.
    const waiting = short.slice(5, 11);
    await guest.page.goto(`${s.origin}/chat`);
    await guest.page.evaluate(async ([names, from]) => {
      for (const [i, name] of names.entries()) {
        const { token } = await (await fetch('/chat/v1/session', { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"site":"demo"}' })).json();
        const socket = new WebSocket(`${location.origin.replace('http', 'ws')}/chat/v1/socket`);
        await new Promise((go) => { socket.onopen = go; });
        const heard = (good) => new Promise((go) => { socket.onmessage = (m) => { const f = JSON.parse(m.data); if (good(f)) go(f); }; });
        const welcome = heard((f) => f.type === 'welcome');
        socket.send(JSON.stringify({ type: 'hello', token }));
        await welcome;
        const asked = heard((f) => f.options?.length);
        socket.send(JSON.stringify({ type: 'start', name, contact: name, lang: 'en', page: from[i % from.length] }));
        const { options } = await asked;
        const queued = heard((f) => f.type === 'state' && f.state !== 'bot');
        socket.send(JSON.stringify({ type: 'message', client_id: 'c', body: options.find((o) => /person/.test(o.label)).send }));
        await queued;
      }
    }, [waiting, pages]);
    await reads(guest, 'the chat page', []);
    // One customer is given every name, one after the other; the last stays, and so do the attributes.
    for (const [i, value] of titles.slice(0, 12).entries()) await s.ask('POST', `/customers/${customer}/changes`, { change: 'attribute', key: `k${i}`, value });
    await s.ask('POST', `/customers/${customer}/changes`, { change: 'named', name: titles[1] });

    const admin = await enter('admin');
    const screen = async (path, wanted = []) => {
      await admin.page.goto(`${s.origin}${path}`);
      // What has to be read tells when the screen is there; where nothing has, it is there when it has asked for everything.
      if (wanted.length === 0) await admin.page.waitForLoadState('networkidle');
      await reads(admin, path, wanted);
    };
    const calls = (await s.ask('GET', '/interactions?channel=voice&limit=200')).interactions;
    assert.equal(calls.length, Math.min(names.length, 200), 'every call came in');
    let screens = 0;
    for (const [path, wanted] of [
      ['/wall', [...waiting, short[0], short[1]]], ['/wall?tv=1', [short[0]]],
      ['/tickets', titles], [`/tickets/${tickets[0]}`, [titles[0], ...texts]], [`/tickets/${tickets[1]}`, [titles[1], texts[1]]],
      [`/tickets?q=${encodeURIComponent(vectors[0])}`, [vectors[0]]], [`/tickets/${encodeURIComponent(vectors[3])}`], [`/${encodeURIComponent(vectors[4])}`],
      ['/calls'], [`/calls/${id}`, texts], [`/calls/${calls[0].id}`],
      ...names.flatMap((_, i) => (i % TOGETHER ? [] : [[`/customers?q=${encodeURIComponent(area(i))}`, names.slice(i, i + TOGETHER)]])),
      [`/customers/${customer}`, [titles[1], ...titles.slice(0, 12)]],
      [`/w/${id}`, texts], ['/me'], ['/admin/users'], ['/admin/config', [short[1]]], ['/admin/widget'], ['/admin/keys'], ['/admin/audit'], ['/admin/health'],
    ]) {
      await screen(path, wanted);
      screens += 1;
    }
    await admin.page.keyboard.press('Control+k');
    await admin.page.getByRole('dialog').getByRole('combobox').fill(vectors[7]);
    await reads(admin, 'the palette', [vectors[7]]);

    // The talk ends with a note like that.
    await hers('POST', `/interactions/${id}/dispose`, { code: 'solved', note: texts[0].slice(0, 3_000) });
    await screen(`/calls/${id}`, []);
    await reads(anna, 'the wrap-up', [short[2]]);
    figure(`${vectors.length} vectors, ${screens + 6} screens`);
  },
};
