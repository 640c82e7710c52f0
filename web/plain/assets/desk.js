// The agent desk. The picture comes from the server and is drawn as it is; nothing is assumed before the server says so.

import { $, chrome, clock, composingGuard, dateTime, fill, h, stickToEnd, t, tick, timeOfDay, uid } from './ui.js';
import { ask, listen } from './desk-line.js';

const SIGN = { alerting: '◔', offered: '◔', talking: '▲', hold: '❚❚', wrap_up: '✎', waiting: '…', flow: '⤳', voicemail: '✉' };
const STATE = { ready: '●', not_ready: '☕', away: '○', signed_out: '–' };

let me = null;
let codes = { reasons: [], dispositions: [] };
let view = { agents: {}, queues: {}, interactions: {}, alarms: {} };
let stop = null;
let up = false;
let selected = null;
let talk = [];                 // the messages of the selected contact
let detail = {};               // its record, decisions, customer
let draft = {};                // what is being written, by contact
let picked = {};               // outcome chosen, by contact
let pausing = {};              // recording paused, by contact
let noting = false;
let typingUntil = 0;
const ringing = new Map();     // offer -> when we first saw it, for the bar

const supervises = () => me && me.role !== 'agent';
const myself = () => (me?.agent ? view.agents[me.agent] : null);
const work = () => myself()?.work ?? [];
const workOn = (id) => work().find((w) => w.interaction === id);
const who = (i) => i?.customer_name || i?.from || '';

// ---- saying what went wrong ----

function toast(text) {
  const box = $('#said');
  box.textContent = text;
  box.hidden = false;
  clearTimeout(toast.timer);
  toast.timer = setTimeout(() => { box.hidden = true; }, 5000);
}
const known = ['not_found', 'not_allowed', 'wrong_state', 'invalid', 'limit', 'unavailable', 'net'];
const words = (problem) => `${t(`error.${known.includes(problem.code) ? problem.code : 'other'}`)}${problem.detail && problem.code === 'invalid' ? ` (${problem.detail})` : ''}`;
async function act(method, path, body) {
  try { return await ask(method, path, body) ?? {}; } catch (problem) {
    if (problem.status === 401) out(t('login.ended'));
    else toast(words(problem));
    return null;
  }
}
const post = (path, body = {}) => act('POST', path, body);

// ---- in and out ----

$('#login').addEventListener('submit', async (event) => {
  event.preventDefault();
  const form = event.target;
  const data = Object.fromEntries(new FormData(form));
  if (!data.tenant) delete data.tenant;
  try {
    me = await ask('POST', '/auth/login', data);
    form.reset();
    enter();
  } catch (problem) {
    const text = problem.code === 'locked' ? t('login.locked', { minutes: Math.ceil((problem.retry_after_s ?? 900) / 60) })
      : problem.code === 'bad_login' ? t('login.wrong') : words(problem);
    $('#login-said').textContent = text;
    $('#login-said').hidden = false;
  }
});

function out(text = '') {
  stop?.();
  stop = null;
  me = null;
  selected = null;
  $('#desk').hidden = true;
  $('#door').hidden = false;
  $('#login-said').textContent = text;
  $('#login-said').hidden = !text;
  $('#login [name=login]').focus();
}
$('#logout').addEventListener('click', async () => { await post('/auth/logout'); out(); });

async function enter() {
  $('#door').hidden = true;
  $('#desk').hidden = false;
  $('#login-said').hidden = true;
  codes = await act('GET', '/codes') ?? codes;
  stop = listen(take, (is, wait) => {
    up = is;
    $('#live').classList.toggle('on', up);
    $('#live').textContent = up ? t('net.live') : t('net.connecting');
    $('#trouble').hidden = up;
    if (!up) $('#trouble').textContent = t('net.lost', { s: Math.max(1, Math.round(wait / 1000)) });
    if (up && selected) load(selected);
    draw();
  });
  draw();
}

// ---- what the server says ----

function take(event) {
  switch (event.type) {
    case 'snapshot': view = event.view; break;
    case 'view':
      for (const part of ['agents', 'queues', 'interactions']) {
        Object.assign(view[part], event[part]);
        for (const id of event.gone[part]) delete view[part][id];
      }
      if (event.alarms) view.alarms = event.alarms;
      break;
    case 'fact':
      if (event.fact === 'message' && event.interaction === selected) {
        add(event.message);
        // What was being typed has come.
        if (event.message.sender === 'visitor') { typingUntil = 0; $('#typing').hidden = true; }
      }
      if (event.fact === 'talk_ended' && event.interaction === selected) { typingUntil = 0; $('#typing').hidden = true; }
      if (event.fact === 'offered' && event.interaction === selected) why(selected);
      if (event.fact === 'recording_ended' && event.interaction === selected) load(selected);
      if (event.fact === 'disposed' && event.interaction === selected) $('#wrap-said').textContent = t('wrap.saved');
      return;
    case 'blink':
      if (event.blink.type === 'typing' && event.blink.interaction === selected && event.blink.by === 'visitor') {
        typingUntil = Date.now() + 5000;
        $('#typing').hidden = false;
      }
      return;
    case 'signed_out': out(t('login.ended')); return;
    default: return;
  }
  const first = work().find((w) => w.work !== 'alerting');
  if (!selected && first) choose(first.interaction);
  draw();
}

// ---- drawing ----

function draw() {
  if (!me) return;
  drawMine();
  drawOffers();
  drawLists();
  drawQueues();
  drawTeam();
  drawPane();
  tick();
}

function drawMine() {
  const box = $('#mine');
  const my = myself();
  $('#dial').hidden = !my || my.state === 'signed_out';
  if (!my) { fill(box, h('span', { class: 'soft', text: me.login })); return; }
  if (my.state === 'signed_out') {
    fill(box, h('span', { text: my.name || me.login }), h('button', { class: 'main', 'data-key': 'in', disabled: !up, text: t('state.signin'), onclick: () => post('/agents/me/sign-in') }));
    return;
  }
  const now = my.state === 'not_ready' ? `not_ready:${my.reason ?? ''}` : my.state;
  const option = (value, text) => h('option', { value, text, selected: value === now });
  const reasons = codes.reasons.map((r) => option(`not_ready:${r.id}`, `${STATE.not_ready} ${r.name}`));
  if (my.state === 'not_ready' && !codes.reasons.some((r) => r.id === my.reason)) reasons.push(option(now, `${STATE.not_ready} ${my.reason ?? t('state.not_ready')}`));
  const select = h('select', { 'aria-label': t('state.label'), 'data-key': 'state', disabled: !up, onchange: (e) => {
    const [state, reason] = e.target.value.split(':');
    act('PUT', '/agents/me/state', reason ? { state, reason } : { state }).then(draw);
  } }, option('ready', `${STATE.ready} ${t('state.ready')}`), reasons, option('away', `${STATE.away} ${t('state.away')}`));
  // A picker that is open under somebody's hand is not replaced by the next picture.
  if (box.contains(document.activeElement) && document.activeElement.tagName === 'SELECT' && box.dataset.now === now + up) return;
  box.dataset.now = now + up;
  fill(box,
    h('span', { class: 'soft', text: my.name || me.login }),
    h('span', { role: 'img', 'aria-label': t(my.phone ? 'state.phone.on' : 'state.phone.off'), title: t(my.phone ? 'state.phone.on' : 'state.phone.off'), class: my.phone ? 'soft' : 'soft off', text: my.phone ? '☎' : '☎ ✕' }),
    select,
    h('span', { class: 'num soft', 'data-since': my.since }),
    my.pending && h('span', { class: 'soft', text: t('state.pending', { state: t(`state.${my.pending}`) }) }),
    h('button', { class: 'plain', 'data-key': 'out', disabled: !up, text: t('state.signout'), onclick: () => post('/agents/me/sign-out') }));
}

function drawOffers() {
  const offers = work().filter((w) => w.work === 'alerting');
  const box = $('#offers');
  const key = offers.map((w) => w.offer ?? w.interaction).join() + up + document.documentElement.lang;
  for (const w of offers) if (!ringing.has(w.offer)) ringing.set(w.offer, w.since);
  if (box.dataset.key === key) return;
  box.dataset.key = key;
  document.title = offers.length ? `(${offers.length}) ${t('desk.title')}` : t('desk.title');
  fill(box, offers.map((w) => {
    const i = view.interactions[w.interaction];
    const text = w.channel === 'webchat';
    return h('div', { class: 'offer', role: 'group', 'aria-label': t('offer.for', { channel: t(`channel.${w.channel}`), who: who(i) }) },
      h('div', {}, h('strong', { text: t('offer.for', { channel: t(`channel.${w.channel}`), who: who(i) }) }),
        h('span', { class: 'soft', text: [view.queues[i?.queue]?.name ?? i?.queue, ...(i?.path ?? []).slice(-3)].filter(Boolean).join(' → ') })),
      h('span', { class: 'grow' }),
      w.until && h('progress', { max: 1, value: 1, 'aria-hidden': 'true', 'data-bar-from': ringing.get(w.offer), 'data-bar-until': w.until }),
      w.until && h('span', { class: 'time num', role: 'timer', 'aria-live': 'off', 'aria-label': t('offer.left'), 'data-until': w.until }),
      text ? h('button', { class: 'main', 'data-key': `a${w.offer}`, disabled: !up, text: t('offer.accept'), onclick: async () => { if (await post(`/offers/${w.offer}/accept`)) choose(w.interaction); } })
        : h('strong', { text: t('offer.phone') }),
      h('button', { 'data-key': `d${w.offer}`, disabled: !up, text: t('offer.decline'), onclick: () => post(`/offers/${w.offer}/decline`) }));
  }));
}

function row(id, i, w) {
  const stage = w?.work ?? i?.stage ?? '';
  const label = t(`${w ? 'work' : 'stage'}.${stage}`);
  return h('li', {}, h('button', { 'data-key': id, 'aria-current': id === selected ? 'true' : undefined, onclick: () => choose(id) },
    h('span', { class: 'sign', 'aria-hidden': 'true', text: SIGN[stage] ?? '·' }),
    h('span', { class: 'name', text: who(i) || t(`channel.${w?.channel ?? i?.channel}`) }),
    w?.work === 'wrap_up' && w.until ? h('span', { class: 'num', 'data-until': w.until }) : h('span', { class: 'num soft', 'data-since': w?.since ?? i.stage_since }),
    h('span', { class: 'under', text: [t(`channel.${w?.channel ?? i?.channel}`), label, view.queues[i?.queue]?.name, !w && i?.agent && (view.agents[i.agent]?.name || i.agent)].filter(Boolean).join(' · ') })));
}

function drawLists() {
  const mine = work().filter((w) => w.work !== 'alerting');
  fill($('#own'), mine.length ? mine.map((w) => row(w.interaction, view.interactions[w.interaction], w)) : h('li', { class: 'empty', text: t('list.mine.none') }));
  $('#all-box').hidden = !supervises();
  if (supervises()) {
    const live = Object.entries(view.interactions);
    fill($('#all'), live.length ? live.map(([id, i]) => row(id, i)) : h('li', { class: 'empty', text: t('list.live.none') }));
  }
}

function drawQueues() {
  fill($('#queues'), Object.entries(view.queues).map(([id, q]) => h('li', {},
    h('strong', { text: q.name || id }),
    h('span', { class: 'num', text: `${q.waiting} ${t('queue.waiting')}` }),
    h('span', { class: 'under num' },
      q.longest_since && h('span', {}, `${t('queue.longest')} `, h('span', { 'data-since': q.longest_since }), ' · '),
      `${t('queue.free')} ${t('queue.of', { free: q.free, on: q.signed_in })}`,
      q.service_level === null ? '' : ` · ${t('queue.sl')} ${Math.round(q.service_level * 100)} % (${q.sl_target_s} s)`))));
}

function drawTeam() {
  const order = { ready: 0, not_ready: 1, away: 2, signed_out: 3 };
  const team = Object.entries(view.agents).sort(([a, x], [b, y]) => order[x.state] - order[y.state] || a.localeCompare(b));
  fill($('#team'), team.map(([id, a]) => {
    const w = a.work[0];
    const word = w ? t(`work.${w.work}`) : t(`state.${a.state}`) + (a.reason ? `: ${codes.reasons.find((r) => r.id === a.reason)?.name ?? a.reason}` : '');
    return h('li', {},
      h('span', { 'aria-hidden': 'true', text: w ? SIGN[w.work] : STATE[a.state] }),
      h('span', {}, a.name || id, h('span', { class: 'under', text: `  ${word}` })),
      a.state !== 'signed_out' && h('span', { class: 'num soft', 'data-since': w?.since ?? a.since }));
  }));
}

// ---- the chosen contact ----

async function choose(id) {
  if (selected && selected !== id) draft[selected] = $('#write').value;
  selected = id;
  talk = [];
  detail = {};
  noting = false;
  $('#write').value = draft[id] ?? '';
  $('#wrap-note').value = picked[id]?.note ?? '';
  $('#wrap-said').textContent = '';
  $('#log').replaceChildren();
  $('#context').hidden = true;
  $('#why').hidden = true;
  draw();
  await load(id);
}

async function load(id) {
  const quiet = (path) => ask('GET', path).catch(() => null);
  const [one, said] = await Promise.all([quiet(`/interactions/${id}`), quiet(`/interactions/${id}/messages?after=${talk.at(-1)?.seq ?? 0}`)]);
  if (id !== selected) return;
  detail = { ...detail, ...one };
  for (const m of said?.messages ?? []) add(m, true);
  const i = view.interactions[id] ?? one?.now ?? one?.record;
  if (i?.customer) {
    const [c, past] = await Promise.all([quiet(`/customers/${i.customer}`), quiet(`/customers/${i.customer}/timeline?limit=8`)]);
    if (id !== selected) return;
    detail.customer = c?.customer;
    detail.past = past?.entries ?? [];
  }
  if (i?.ticket) { detail.ticket = (await quiet(`/tickets/${i.ticket}`))?.ticket; }
  if (id !== selected) return;
  drawContext();
  drawPane();
  why(id);
}

function add(m, old = false) {
  if (talk.some((x) => x.seq === m.seq)) return;
  talk.push(m);
  talk.sort((a, b) => a.seq - b.seq);
  const log = $('#log');
  const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 80;
  const item = bubble(m);
  item.dataset.seq = m.seq;
  const after = [...log.children].find((li) => Number(li.dataset.seq) > m.seq);
  after ? after.before(item) : log.append(item);
  if (atEnd || old) log.scrollTop = log.scrollHeight;
  if (m.sender === 'visitor') {
    $('#typing').hidden = true;
    if (!document.hidden && workOn(selected)) ask('POST', `/interactions/${selected}/read`, { seq: m.seq }).catch(() => {});
  }
}

function bubble(m) {
  const agent = m.sender?.agent ?? m.sender?.note;
  const kind = m.sender?.note ? 'us note' : m.sender?.agent ? 'us' : m.sender;
  const name = agent ? view.agents[agent]?.name || agent : m.sender === 'bot' ? t('chat.bot') : m.sender === 'visitor' ? who(view.interactions[selected]) : '';
  return h('li', { class: kind },
    kind !== 'system' && h('span', { class: 'from', text: [m.sender?.note && t('pane.note'), name, timeOfDay(m.at)].filter(Boolean).join(' · ') }),
    h('span', { class: 'words', text: m.text }));
}

function drawPane() {
  const id = selected;
  const i = id ? view.interactions[id] ?? detail.now ?? detail.record : null;
  const w = id ? workOn(id) : null;
  // Without a contact there is nobody to tell about.
  if (!id) for (const box of ['#way', '#context', '#why']) $(box).hidden = true;
  $('#none').hidden = Boolean(id);
  $('#open').hidden = !id;
  if (!id) return;
  const text = (i?.channel ?? w?.channel) === 'webchat';
  const stage = w?.work ?? view.interactions[id]?.stage;
  const talking = ['talking', 'hold'].includes(stage);
  const mayAct = up && talking && (w || supervises());
  const button = (key, label, run, extra = {}) => h('button', { 'data-key': key, text: label, disabled: !up, onclick: run, ...extra });
  fill($('#head'),
    h('div', {}, h('h1', { text: who(i) || id }),
      h('p', { class: 'facts' }, [t(`channel.${text ? 'webchat' : 'voice'}`), stage && t(`${w ? 'work' : 'stage'}.${stage}`)].filter(Boolean).join(' · '), ' ',
        (w || i?.stage_since) && stage && h('span', { class: 'num', 'data-since': w?.since ?? i.stage_since }))),
    h('span', { class: 'grow' }),
    mayAct && !text && button('hold', stage === 'hold' ? t('do.unhold') : t('do.hold'), () => post(`/interactions/${id}/hold`, { on: stage !== 'hold' }), { 'aria-pressed': String(stage === 'hold') }),
    mayAct && !text && button('pause', t(pausing[id] ? 'do.resume' : 'do.pause'), async () => {
      if (await post(`/interactions/${id}/record-pause`, { paused: !pausing[id] })) { pausing[id] = !pausing[id]; draw(); }
    }, { 'aria-pressed': String(Boolean(pausing[id])) }),
    mayAct && button('transfer', t('do.transfer'), handover),
    supervises() && view.interactions[id]?.stage === 'waiting' && h('select', { 'data-key': 'assign', 'aria-label': t('do.assign'), onchange: (e) => e.target.value && post(`/interactions/${id}/assign`, { agent: e.target.value }) },
      h('option', { value: '', text: `${t('do.assign')} …` }), Object.entries(view.agents).filter(([, a]) => a.state !== 'signed_out').map(([a, v]) => h('option', { value: a, text: v.name || a }))),
    mayAct && button('finish', t('do.finish'), () => post(`/interactions/${id}/finish`), { class: 'bad' }));

  // Where people speak, the way they came is the content; where they write, the words are, and the way stands beside them.
  fill($(text ? '#way' : '#call'), [
    i?.path?.length && h('div', {}, h('h2', { text: t('pane.path') }), h('ol', { class: 'path' }, i.path.map((n) => h('li', { text: n })))),
    Object.keys(i?.attributes ?? {}).length && h('div', {}, h('h2', { text: t('pane.known') }), h('dl', { class: 'known' }, Object.entries(i.attributes).filter(([, v]) => v).map(([k, v]) => h('div', { class: 'row' }, h('dt', { class: 'soft', text: k }), h('dd', { text: v }))))),
  ].filter(Boolean));
  if (text) $('#call').replaceChildren(); else $('#way').replaceChildren();
  $('#way').hidden = !$('#way').children.length;
  $('#log').hidden = !text && talk.length === 0;
  $('#typing').hidden = Date.now() > typingUntil;
  const writes = up && (talking || stage === 'wrap_up' || supervises());
  $('#compose').hidden = !(text && writes);
  // Whoever does not have the chat can only leave a note; the wish of the button is kept apart from that.
  const forced = !(talking && w);
  // What was begun as a note stays one when the chat becomes one's own: it must not go to the customer by surprise.
  if ($('#compose').dataset.forced === `${id} true` && !forced && $('#write').value) noting = true;
  $('#compose').dataset.forced = `${id} ${forced}`;
  const note = noting || forced;
  $('#note').setAttribute('aria-pressed', String(note));
  $('#note').disabled = !(talking && w);
  $('#compose').classList.toggle('note', note);
  $('#compose').dataset.note = String(note);
  $('#write').placeholder = note ? t('pane.note.hint') : t('pane.compose');
  drawWrap(id, i, w, talking);
}

function drawWrap(id, i, w, talking) {
  const wrapping = w?.work === 'wrap_up';
  $('#wrap').hidden = !(w && (wrapping || talking));
  $('#left').hidden = !wrapping || !w?.until;
  if (wrapping && w.until) $('#left').dataset.until = w.until;
  $('#note-box').hidden = !wrapping && !picked[id]?.code;
  $('#extend').hidden = !wrapping;
  $('#done').hidden = !wrapping;
  const offered = codes.dispositions.filter((c) => !c.queues?.length || c.queues.includes(i?.queue));
  const list = offered.length ? offered : codes.dispositions;
  fill($('#codes'), list.map((c) => h('button', { type: 'button', role: 'radio', 'data-key': `c${c.id}`, 'aria-checked': String(picked[id]?.code === c.id), text: c.name,
    onclick: () => { picked[id] = { ...picked[id], code: c.id }; $('#wrap-said').textContent = ''; drawPane(); tick(); } })));
}

function drawContext() {
  const i = view.interactions[selected] ?? detail.now ?? detail.record;
  const c = detail.customer;
  const tk = detail.ticket;
  const line = (label, value) => value && [h('dt', { text: label }), h('dd', {}, value)];
  const sound = detail.recordings?.find((r) => r.ended_at);
  $('#context').hidden = false;
  fill($('#context'),
    h('h2', { text: t('pane.customer') }),
    h('dl', {}, [
      line(t('pane.customer'), [c?.name || i?.customer_name || i?.from, c?.tier && c.tier !== 'standard' ? ` · ${c.tier}` : ''].join('')),
      line(t('pane.reached'), reachable(c)),
      line(t('pane.dialled'), i?.to), line(t('pane.queue'), view.queues[i?.queue]?.name ?? i?.queue),
      line(t('pane.ticket'), tk && h('a', { href: `/api/v1/tickets/${i.ticket}`, target: '_blank', rel: 'noopener', text: `#${tk.number} ${tk.title}` })),
    ].flat(2).filter(Boolean)),
    h('h2', { text: t('pane.history') }),
    past(),
    sound && h('h2', { text: t('pane.recording') }),
    sound && h('audio', { controls: true, preload: 'none', src: `/api/v1/interactions/${selected}/recording?recording=${sound.id}` }));
}

/** How the customer can be reached, as far as they said. */
function reachable(c) {
  return Object.values(c?.identities ?? {}).map((x) => x.identity ?? x).map((x) => x.number ?? x.mail ?? x.address).filter((x) => typeof x === 'string').join(', ');
}

function past() {
  const rows = (detail.past ?? []).filter((e) => e.id !== selected).slice(0, 6);
  if (!rows.length) return h('p', { class: 'soft', text: t('pane.history.none') });
  return h('ul', { class: 'team' }, rows.map((e) => h('li', {},
    h('span', { 'aria-hidden': 'true', text: e.kind === 'ticket' ? '▤' : e.channel === 'voice' ? '☎' : '✎' }),
    h('span', { text: e.kind === 'ticket' ? `#${e.number} ${e.title}` : `${t(`channel.${e.channel}`)}${e.disposition ? ` · ${e.disposition}` : ''}` }),
    h('span', { class: 'under', text: dateTime(e.opened_at) }))));
}

// ---- why this agent ----

/** A word of the decision record, translated where there is a translation. */
const whyWord = (word) => { const key = `why.${word}`; const text = t(key); return text === key ? word.replaceAll('_', ' ') : text; };

async function why(id) {
  const answer = await ask('GET', `/interactions/${id}/decisions`).catch(() => null);
  if (id !== selected || !answer) return;
  const box = $('#why');
  box.hidden = false;
  const last = answer.decisions.at(-1)?.decision;
  if (!last) { fill(box, h('h2', { text: t('why.title') }), h('p', { class: 'soft', text: t('why.none') })); return; }
  const reason = (v) => {
    if (v.eligible) return v.eligible.map(([m, n]) => `${whyWord(m)} ${m === 'idle_since' ? clock(Date.parse(last.at) - n / 1000) : n}`).join(', ');
    const f = v.filtered;
    if (typeof f === 'string') return whyWord(f);
    const [kind, more] = Object.entries(f)[0];
    return `${whyWord(kind)}: ${typeof more === 'object' ? Object.entries(more).map(([k, x]) => `${k} ${x}`).join(', ') : more}`;
  };
  fill(box, h('h2', { text: t('why.title') }), h('p', { text: last.tie_break }),
    h('ol', { class: 'why team' }, last.candidates.slice(0, 12).map((c) => h('li', {},
      h('span', { 'aria-hidden': 'true', text: c.agent === last.agent ? '●' : '○' }),
      h('span', { class: c.agent === last.agent ? 'chosen' : '' }, view.agents[c.agent]?.name || c.agent,
        h('span', { class: 'hidden-text', text: ` ${t(c.agent === last.agent ? 'why.chosen' : 'why.passed')}` })),
      h('span', { class: 'under', text: reason(c.verdict) })))));
}

// ---- what the agent does ----

const field = $('#write');
const composing = composingGuard(field);
field.addEventListener('keydown', (event) => {
  if (event.key === 'Enter' && !event.shiftKey && !composing(event)) { event.preventDefault(); $('#compose').requestSubmit(); }
});
field.addEventListener('input', () => {
  const at = Date.now();
  if ($('#compose').dataset.note !== 'true' && field.value && at - (field.told ?? 0) > 3000) { field.told = at; ask('POST', `/interactions/${selected}/typing`, {}).catch(() => {}); }
});
$('#compose').addEventListener('submit', async (event) => {
  event.preventDefault();
  const body = field.value.trim();
  const id = selected;
  if (!body || !id) return;
  const path = $('#compose').dataset.note === 'true' ? 'notes' : 'messages';
  // The same name until it is accepted: pressing Enter twice on a bad line is one message.
  if (draft.name?.body !== body || draft.name?.id !== id || draft.name?.path !== path) draft.name = { id, body, path, client_id: uid() };
  if (await post(`/interactions/${id}/${path}`, { client_id: draft.name.client_id, body })) {
    draft.name = null;
    if (selected === id) field.value = '';
    draft[id] = '';
  }
  field.focus();
});
$('#note').addEventListener('click', () => { noting = !noting; drawPane(); tick(); field.focus(); });

async function dispose() {
  const id = selected;
  const code = picked[id]?.code;
  if (!code) { $('#wrap-said').textContent = t('wrap.pick'); return false; }
  const done = await post(`/interactions/${id}/dispose`, { code, note: $('#wrap-note').value.trim() });
  if (done) $('#wrap-said').textContent = t('wrap.saved');
  return Boolean(done);
}
$('#wrap-note').addEventListener('input', (event) => { picked[selected] = { ...picked[selected], note: event.target.value }; });
$('#dispose').addEventListener('click', dispose);
$('#extend').addEventListener('click', () => post(`/interactions/${selected}/extend-wrap-up`, { by_s: 60 }));
$('#wrap').addEventListener('submit', (event) => event.preventDefault());
$('#done').addEventListener('click', async () => {
  const id = selected;
  if (picked[id]?.code && !(await dispose())) return;
  if (await post(`/interactions/${id}/wrap-up-done`)) { delete picked[id]; delete draft[id]; selected = null; draw(); $('#pane').focus(); }
});
$('#dial').addEventListener('submit', async (event) => {
  event.preventDefault();
  const number = $('#number').value.trim();
  if (number && await post('/agents/me/dial', { number })) $('#number').value = '';
});

function handover() {
  const id = selected;
  const none = () => h('option', { value: '', text: '–' });
  fill($('#to-queue'), none(), Object.entries(view.queues).map(([q, v]) => h('option', { value: q, text: `${v.name || q} (${v.waiting} ${t('queue.waiting')}, ${v.free} ${t('queue.free')})` })));
  fill($('#to-agent'), none(), Object.entries(view.agents).filter(([a, v]) => a !== me.agent && v.state !== 'signed_out').map(([a, v]) => h('option', { value: a, text: `${STATE[v.state]} ${v.name || a}` })));
  $('#to-number').value = '';
  const dialog = $('#handover');
  dialog.onclose = () => {
    if (dialog.returnValue !== 'go') return;
    const [queue, agent, number] = [$('#to-queue').value, $('#to-agent').value, $('#to-number').value.trim()];
    const to = number ? { kind: 'number', number } : agent ? { kind: 'agent', agent } : queue ? { kind: 'queue', queue } : null;
    if (to) post(`/interactions/${id}/transfer`, { to });
  };
  dialog.returnValue = '';
  dialog.showModal();
}

// ---- begin ----

stickToEnd($('#log'));

chrome(() => { $('#log').replaceChildren(); const said = talk; talk = []; said.forEach((m) => add(m, true)); $('#offers').dataset.key = ''; $('#mine').dataset.now = ''; if (selected) drawContext(); draw(); });
setInterval(() => { tick(); if (Date.now() > typingUntil) $('#typing').hidden = true; }, 500);
ask('GET', '/me').then((who) => { me = who; enter(); }, () => out());
