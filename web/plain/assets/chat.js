// The visitor's page. What a visitor writes is kept here until the server acknowledged it, and sent again after a broken
// connection under the same name, so that nothing is lost and nothing comes twice.

import { $, backoff, chrome, composingGuard, fill, h, keep, langTag, lang, remember, stickToEnd, t, timeOfDay, uid } from './ui.js';

const site = new URLSearchParams(location.search).get('site') ?? '';
const store = `chat.${site}`;
const saved = (() => { try { return JSON.parse(remember(store, 'sessionStorage')) ?? {}; } catch { return {}; } })();

let token = saved.token ?? null;
let interaction = saved.interaction ?? null;
let profile = saved.profile ?? null;      // set once the visitor has begun
let messages = [];                        // shown, by place
let outbox = saved.outbox ?? [];          // {client_id, body, failed}: written, not acknowledged
let state = 'none';
let agent = null;
let place = null;
let socket = null;
let tries = 0;
let greeted = false;
let ended = false;
let typingUntil = 0;

const save = () => keep(store, JSON.stringify({ token, interaction, profile, outbox: outbox.slice(-50) }), 'sessionStorage');

// ---- the line ----

async function session() {
  const answer = await fetch('/chat/v1/session', {
    method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(site ? { site } : {}),
  });
  if (!answer.ok) throw new Error(String(answer.status));
  token = (await answer.json()).token;
  save();
}

async function connect() {
  clearTimeout(connect.timer);
  try {
    if (!token) await session();
  } catch (error) {
    const refused = ['403', '404'].includes(error.message);
    lost(t(refused ? 'chat.refused' : 'chat.offline'));
    if (!refused) again();
    return;
  }
  greeted = false;
  const line = new WebSocket(`${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/chat/v1/socket`);
  socket = line;
  line.onopen = () => send({ type: 'hello', token, since: messages.at(-1)?.seq ?? 0, ...(interaction ? { interaction } : {}) });
  line.onmessage = (event) => { if (socket === line) take(JSON.parse(event.data)); };
  line.onclose = (event) => {
    if (socket !== line) return;
    socket = null;
    greeted = false;
    if (event.code === 4401) { token = null; interaction = null; messages = []; save(); }
    if (event.code === 4403) { lost(t('chat.refused')); return; }
    lost(t('chat.offline'));
    again();
  };
}
function again() { clearTimeout(connect.timer); connect.timer = setTimeout(connect, backoff(tries++)); }
addEventListener('online', () => { if (!socket && profile) { tries = 0; connect(); } });
addEventListener('visibilitychange', () => { if (!document.hidden && !socket && profile) { tries = 0; connect(); } });

const begin = ({ name = '', contact }) => send({ type: 'start', name, ...(contact ? { contact } : {}), lang: langTag(), page: document.referrer || location.href });
const send = (frame) => { if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(frame)); };

function lost(text) { $('#net').textContent = text; $('#net').hidden = false; }

function take(frame) {
  switch (frame.type) {
    case 'welcome':
      tries = 0;
      greeted = true;
      $('#net').hidden = true;
      if (frame.interaction !== interaction) { messages = []; interaction = frame.interaction; }
      state = frame.state;
      ended = state === 'closed';
      if (state === 'none' && profile) {
        begin(profile);
      }
      for (const item of outbox) if (!item.failed) say(item);
      save();
      break;
    case 'message':
      if (messages.some((m) => m.seq === frame.seq)) break;
      messages.push(frame);
      messages.sort((a, b) => a.seq - b.seq);
      if (frame.client_id) outbox = outbox.filter((o) => o.client_id !== frame.client_id);
      if (frame.from !== 'visitor') { typingUntil = 0; if (!document.hidden) send({ type: 'read', seq: frame.seq }); }
      ended = false;
      save();
      break;
    case 'ack':
      outbox = outbox.filter((o) => o.client_id !== frame.client_id);
      save();
      break;
    case 'refused': {
      const item = outbox.find((o) => o.client_id === frame.client_id);
      if (item) item.failed = frame.code;
      else if (frame.code === 'unavailable' || frame.code === 'closed') lost(t('chat.refused'));
      save();
      break;
    }
    case 'state': state = frame.state; agent = frame.name ?? null; if (state !== 'waiting') place = null; ended = false; break;
    case 'position': place = frame; break;
    case 'typing': typingUntil = Date.now() + 5000; setTimeout(draw, 5100); break;
    case 'closed': ended = true; state = 'closed'; typingUntil = 0; break;
    case 'ping': send({ type: 'pong' }); return;
    default: return;
  }
  draw();
}

// ---- what is shown ----

function who(m) {
  if (m.from === 'agent') return m.name || t('chat.agent');
  return m.from === 'bot' ? t('chat.bot') : '';
}

function bubble(m, before) {
  const named = m.from !== 'visitor' && m.from !== 'system' && (before?.from !== m.from || before?.name !== m.name);
  return h('li', { class: m.from },
    named && h('span', { class: 'from', text: who(m) }),
    m.from === 'visitor' && h('span', { class: 'hidden-text', text: t('chat.you') }),
    h('span', { class: 'words', text: m.body }),
    m.from !== 'system' && h('time', { class: 'when num', dateTime: m.at, text: timeOfDay(m.at) }));
}

function pending(o) {
  const failed = o.failed;
  const why = { too_fast: 'chat.slow', too_long: 'chat.toolong' }[failed] ?? 'chat.failed';
  return h('li', { class: `visitor ${failed ? 'failed' : 'waiting'}` },
    h('span', { class: 'words', text: o.body }),
    h('span', { class: 'when', text: failed ? t(why) : t('chat.sending') }),
    failed && h('button', { type: 'button', text: t('chat.retry'), onclick: () => { o.failed = null; say(o); draw(); } }));
}

function draw() {
  $('#begin').hidden = Boolean(profile);
  $('#talk').hidden = !profile;
  const log = $('#log');
  const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 60;
  // Only what is new is added, so that a reader's place and a screen reader's announcements stay true.
  const have = new Map([...log.children].map((li) => [li.dataset.key, li]));
  const wanted = [];
  messages.forEach((m, i) => wanted.push([`${lang()}:${interaction}:${m.seq}`, () => bubble(m, messages[i - 1])]));
  outbox.forEach((o) => wanted.push([`${lang()}:o:${o.client_id}:${o.failed ?? ''}`, () => pending(o)]));
  const keys = new Set(wanted.map(([k]) => k));
  for (const [key, li] of have) if (!keys.has(key)) li.remove();
  let before = null;
  for (const [key, make] of wanted) {
    let li = have.get(key);
    if (!li) { li = make(); li.dataset.key = key; }
    if (li.previousElementSibling !== before || li.parentNode !== log) before ? before.after(li) : log.prepend(li);
    before = li;
  }
  if (atEnd) log.scrollTop = log.scrollHeight;

  const last = messages.at(-1);
  const options = !ended && last && last.from !== 'visitor' && outbox.length === 0 ? (last.options ?? []) : [];
  $('#options').hidden = options.length === 0;
  fill($('#options'), options.map((o) => h('button', { type: 'button', text: o.label, 'data-key': o.send, onclick: () => write(o.send, o.label) })));

  $('#with').textContent = state === 'agent' && agent ? agent : t('chat.title');
  $('#state').textContent = ended ? '' : stateText();
  $('#typing').hidden = ended || Date.now() > typingUntil;
  $('#typer').textContent = `${agent || t('chat.agent')} ${t('chat.typing')}`;
  $('#compose').hidden = ended;
  $('#ended').hidden = !ended;
  $('#close').hidden = !profile || ended || state === 'none';
}

function stateText() {
  if (state === 'waiting') {
    if (!place) return t('chat.waiting');
    const wait = place.ewt_s ? ` · ${t('chat.ewt', { minutes: Math.max(1, Math.round(place.ewt_s / 60)) })}` : '';
    return t('chat.position', { position: place.position }) + wait;
  }
  if (state === 'agent') return agent ? t('chat.joined', { name: agent }) : t('chat.online');
  return state === 'bot' ? t('chat.bot') : '';
}

// ---- what the visitor does ----

function say(item) { if (greeted) send({ type: 'message', client_id: item.client_id, body: item.body }); }

function write(body) {
  const item = { client_id: uid(), body };
  outbox.push(item);
  say(item);
  save();
  draw();
  $('#log').scrollTop = $('#log').scrollHeight;
}

$('#begin').addEventListener('submit', (event) => {
  event.preventDefault();
  profile = { name: $('#name').value.trim(), contact: $('#contact').value.trim() };
  save();
  draw();
  connect();
  $('#write').focus();
});

const field = $('#write');
const composing = composingGuard(field);
const grow = () => { field.style.height = 'auto'; field.style.height = `${field.scrollHeight + 2}px`; };
field.addEventListener('input', () => {
  grow();
  const at = Date.now();
  if (field.value && at - (field.told ?? 0) > 3000) { field.told = at; send({ type: 'typing' }); }
});
field.addEventListener('keydown', (event) => {
  if (event.key === 'Enter' && !event.shiftKey && !composing(event)) { event.preventDefault(); $('#compose').requestSubmit(); }
});
$('#compose').addEventListener('submit', (event) => {
  event.preventDefault();
  const body = field.value.trim();
  if (!body) return;
  if (new TextEncoder().encode(body).length > 16384) { lost(t('chat.toolong')); return; }
  field.value = '';
  grow();
  write(body);
  field.focus();
});
$('#close').addEventListener('click', () => { if (confirm(t('chat.close.sure'))) send({ type: 'close' }); });
$('#again').addEventListener('click', () => {
  interaction = null; messages = []; outbox = []; ended = false; state = 'none'; agent = null;
  save();
  draw();
  begin(profile ?? {});
  field.focus();
});
document.addEventListener('visibilitychange', () => {
  const last = messages.findLast((m) => m.from !== 'visitor');
  if (!document.hidden && last) send({ type: 'read', seq: last.seq });
});

stickToEnd($('#log'));
chrome(draw);
draw();
if (profile) connect();
