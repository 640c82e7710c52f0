// The chat in its shadow root. What a visitor writes is kept until the server has it, and sent again after a broken line
// under the same name: nothing is lost, nothing comes twice. Text never becomes markup.

import { offlineForm, ratingForm } from './after';
import { callForm } from './call';
import { fileOf, takeFiles } from './files';
import type { Host } from './host';
import { Line, type Shown } from './line';
import { STYLE } from './style';
import { talkBox } from './talkbox';
import { wordsOf } from './words';

window.ringdeskChat = (host: Host): void => {
  const w = wordsOf(host.zh);
  const style = new CSSStyleSheet();
  style.replaceSync(STYLE);
  host.shadow.adoptedStyleSheets = [...host.shadow.adoptedStyleSheets, style];

  const make = <K extends keyof HTMLElementTagNameMap>(tag: K, className = '', text = ''): HTMLElementTagNameMap[K] => {
    const node = document.createElement(tag);
    if (className) node.className = className;
    if (text) node.textContent = text;
    return node;
  };
  const box = make('section', `box ${host.side}`);
  box.hidden = true;
  box.setAttribute('role', 'dialog');
  box.setAttribute('aria-label', host.title || w.title);
  box.lang = host.zh ? 'zh-CN' : 'en';
  const head = make('header');
  const titles = make('div', 'titles');
  const title = make('strong', '', host.title || w.title);
  const state = make('span', 'state');
  state.setAttribute('role', 'status');
  titles.append(title, state);
  const end = make('button', 'plain', w.end);
  const shut = make('button', 'plain shut', '✕');
  shut.setAttribute('aria-label', w.minimise);
  const ring = make('button', 'plain', w.callme);
  ring.hidden = true;
  const speak = make('button', 'plain', w.talk);
  speak.hidden = true;
  // A row of their own: beside the others a title has no room on a telephone.
  const ways = make('div', 'ways');
  ways.append(speak, ring);
  head.append(titles, end, shut, ways);
  const trouble = make('p', 'trouble');
  trouble.setAttribute('role', 'alert');
  trouble.hidden = true;

  const begin = make('form', 'begin');
  const mine = host.zh ? 'zh' : 'en';
  const { ask } = host.look;
  const hello = make('p', '', host.look.greeting?.[mine] || w.intro);
  const field = (label: string, name: string, complete: AutoFill, need = 'optional'): HTMLInputElement => {
    const input = make('input');
    input.name = name;
    input.maxLength = 120;
    input.autocomplete = complete;
    input.required = need === 'required';
    const wrap = make('label', '', input.required ? label : `${label} ${w.optional}`);
    wrap.append(input);
    if (need !== 'off') begin.append(wrap);
    return input;
  };
  begin.append(hello);
  const name = field(w.name, 'name', 'name', ask?.name);
  const contact = field(w.contact, 'contact', 'email', ask?.contact);
  const asked = (ask?.fields ?? []).map((f) => [f.key, field(f.label[mine] || f.label.en || f.label.zh || f.key, `ask.${f.key}`, 'off', f.need)] as const);
  const go = make('button', 'main', w.start);
  begin.append(go);

  const talk = make('div', 'talk');
  const log = make('div', 'log');
  log.setAttribute('role', 'log');
  log.setAttribute('aria-label', w.log);
  log.tabIndex = 0;
  const older = make('button', 'choice older', w.earlier);
  older.type = 'button';
  older.onclick = () => line.earlier();
  const typing = make('p', 'typing');
  const options = make('div', 'options');
  options.setAttribute('role', 'group');
  options.setAttribute('aria-label', w.choose);
  const form = make('form', 'compose');
  const write = make('textarea');
  write.rows = 1;
  write.placeholder = w.write;
  write.setAttribute('aria-label', w.write);
  const attach = make('button', 'plain attach');
  attach.type = 'button';
  attach.setAttribute('aria-label', w.attach);
  attach.title = w.attach;
  attach.append(clip());
  const send = make('button', 'main', w.send);
  form.append(attach, write, send);
  const over = make('div', 'over');
  const again = make('button', 'main', w.again);
  over.append(make('p', '', w.closed));
  talk.append(log, typing, options, form, over);
  box.append(head, trouble, begin, talk);
  host.shadow.prepend(box);

  let unread = 0;
  const line = new Line(host.base, host.site, host.zh ? 'zh-CN' : 'en', draw, (m) => {
    if (box.hidden && m.from !== 'visitor') host.unread(++unread);
  });

  const away = offlineForm(make, line, w);
  const rate = ratingForm(make, line, w, box.lang);
  const call = callForm(make, line, w, box.lang, () => { draw(); if (!call.open()) ring.focus(); });
  talk.before(call.form);
  const onair = talkBox(make, line, w, host.base, () => draw());
  trouble.before(onair.strip);
  speak.onclick = () => onair.begin();
  ring.onclick = () => call.toggle(!call.open());
  over.append(rate.form, again);
  let presence = 'open';

  function bubble(m: Shown): HTMLElement {
    const item = make('div', m.failed ? `${m.from} failed` : m.waiting ? `${m.from} waiting` : m.from);
    if (m.from === 'agent' || m.from === 'bot') item.append(make('span', 'from', m.from === 'agent' ? m.name || w.agent : w.bot));
    if (m.file) {
      item.append(fileOf(m, line, w, box.lang));
      if (m.body !== m.file.name) item.append(make('span', 'words', m.body));
      if (m.waiting) {
        const bar = make('progress');
        bar.max = 1;
        bar.setAttribute('aria-label', `${w.sending}: ${m.file.name}`);
        item.append(bar);
      }
    } else item.append(make('span', 'words', m.body));
    if (m.failed) {
      const why = w.why[m.failed as keyof typeof w.why];
      item.append(make('span', 'why', `${w.failed}${why ? ` ${why}` : ''}`));
      // What the house does not take will not be taken the second time either.
      if (!['lost', 'file_too_large', 'file_empty', 'file_kind', 'files_off', 'limit'].includes(m.failed)) {
        const retry = make('button', 'plain', w.retry);
        retry.onclick = () => line.retry(m.client_id!);
        item.append(retry);
      }
      const drop = make('button', 'plain', w.drop);
      drop.onclick = () => { line.drop(m.client_id!); write.focus(); };
      item.append(drop);
    } else if (m.from !== 'system') {
      item.append(make('span', 'when', m.waiting ? w.sending : new Intl.DateTimeFormat(box.lang, { hour: '2-digit', minute: '2-digit', hour12: false }).format(Date.parse(m.at))));
    }
    return item;
  }

  function draw(): void {
    const s = line;
    const calls = call.open();
    ring.hidden = !s.callMe;
    speak.hidden = !s.talkNow || onair.busy();
    ways.hidden = ring.hidden && speak.hidden;
    ring.setAttribute('aria-expanded', String(calls));
    begin.hidden = calls || s.begun || presence !== 'open';
    away.form.hidden = calls;
    if (s.begun || presence === 'open') away.form.remove();
    else if (!away.form.parentNode) talk.before(away.form);
    rate.draw();
    talk.hidden = calls || !s.begun;
    end.hidden = !s.begun || s.over || s.state === 'none';
    trouble.hidden = !s.trouble;
    trouble.textContent = s.trouble ? w[s.trouble] : '';
    title.textContent = s.state === 'agent' && s.agent ? s.agent : host.title || w.title;
    state.textContent = s.over ? '' : s.state === 'waiting'
      ? s.place ? w.place.replace('{n}', String(s.place)) + (s.wait_s ? ` · ${w.wait.replace('{n}', String(Math.max(1, Math.round(s.wait_s / 60))))}` : '') : w.waiting
      : s.state === 'agent' ? w.withyou : s.state === 'bot' ? w.bot : '';
    const below = log.scrollHeight - log.scrollTop;
    const atEnd = below - log.clientHeight < 60;
    const first = log.querySelector<HTMLElement>('[data-key]');
    const shown = s.shown();
    // Only what is new is added: a reader's place and a screen reader's announcements stay true.
    const have = new Map([...log.querySelectorAll<HTMLElement>('[data-key]')].map((li) => [li.dataset.key!, li]));
    const keys = new Set(shown.map((m) => m.key));
    for (const [key, li] of have) if (!keys.has(key)) li.remove();
    const bare = older.hidden;
    older.hidden = !s.more;
    if (older.parentNode !== log) log.prepend(older);
    let before: Element = older;
    for (const m of shown) {
      let li: Element | undefined = have.get(m.key);
      if (!li) { li = bubble(m); (li as HTMLElement).dataset.key = m.key; }
      const bar = m.file && m.waiting ? li.querySelector('progress') : null;
      if (bar) bar.value = m.part ?? 0;
      if (li.previousElementSibling !== before || li.parentNode !== log) before.after(li);
      before = li;
    }
    if (atEnd) log.scrollTop = log.scrollHeight;
    // What came in above pushes down nothing that is being read.
    else if (bare !== older.hidden || (first && first !== log.querySelector('[data-key]'))) log.scrollTop = log.scrollHeight - below;
    typing.textContent = s.typing() ? w.typing.replace('{who}', s.agent || w.agent) : '';
    options.replaceChildren(...s.options().map((o) => {
      const button = make('button', 'choice', o.label);
      button.type = 'button';
      button.onclick = () => { line.say(o.send); write.focus(); };
      return button;
    }));
    // Until it is known whether files are taken its place is kept: nothing moves when it is.
    attach.hidden = s.state !== 'none' && !s.files;
    attach.disabled = !s.files;
    form.hidden = s.over;
    over.hidden = !s.over;
    if (atEnd) log.scrollTop = log.scrollHeight;
  }

  log.onscroll = () => { if (log.scrollTop < 200) line.earlier(); };
  form.append(takeFiles(box, write, attach, line));

  const show = (on: boolean): void => {
    box.hidden = !on;
    host.button.setAttribute('aria-expanded', String(on));
    if (on) {
      unread = 0;
      host.unread(0);
      log.scrollTop = log.scrollHeight;
      line.seen();
      (line.begun ? write : begin.querySelector('input') ?? go).focus();
      void line.presence().then((now) => {
        presence = now;
        away.show(now);
        draw();
        if (now !== 'open' && !line.begun && !call.open()) away.first.focus();
      });
    } else host.button.focus();
  };
  host.ready(() => show(box.hidden));
  shut.onclick = () => show(false);
  box.onkeydown = (event) => { if (event.key === 'Escape') show(false); event.stopPropagation(); };
  let composed = 0;
  write.addEventListener('compositionend', () => { composed = performance.now() + 80; });
  write.onkeydown = (event) => {
    if (event.key === 'Enter' && !event.shiftKey && !event.isComposing && performance.now() > composed) { event.preventDefault(); form.requestSubmit(); }
  };
  write.oninput = () => {
    write.style.height = 'auto';
    write.style.height = `${Math.min(140, write.scrollHeight + 2)}px`;
    line.typed(write.value);
  };
  form.onsubmit = (event) => {
    event.preventDefault();
    const body = write.value.trim();
    if (!body) return;
    if (!line.say(body)) return;
    write.value = '';
    write.style.height = 'auto';
    log.scrollTop = log.scrollHeight;
    write.focus();
  };
  begin.onsubmit = (event) => {
    event.preventDefault();
    const answers = asked.map(([key, input]) => [key, input.value.trim()] as const).filter(([, said]) => said);
    line.begin({ name: name.value.trim(), contact: contact.value.trim(), ...(answers.length ? { answers: Object.fromEntries(answers) } : {}) });
    write.focus();
  };
  end.onclick = () => line.close();
  again.onclick = () => { line.again(); write.focus(); };
  document.addEventListener('visibilitychange', () => { if (!document.hidden && !box.hidden) line.seen(); });
  line.watching = () => !box.hidden && !document.hidden;
  draw();
  if (line.begun) {
    line.connect();
    if (line.wasOpen) show(true);
  }
  addEventListener('pagehide', () => line.remember(!box.hidden));
};

/** A paper clip. */
function clip(): SVGSVGElement {
  const ns = 'http://www.w3.org/2000/svg';
  const svg = document.createElementNS(ns, 'svg');
  for (const [key, value] of Object.entries({ viewBox: '0 0 24 24', width: '22', height: '22', fill: 'none', stroke: 'currentColor', 'stroke-width': '2', 'stroke-linecap': 'round', 'aria-hidden': 'true' })) svg.setAttribute(key, value);
  const path = document.createElementNS(ns, 'path');
  path.setAttribute('d', 'M20 11l-8.5 8.5a5 5 0 0 1-7-7L13 4a3.4 3.4 0 0 1 4.8 4.8l-8.5 8.5a1.7 1.7 0 0 1-2.4-2.4L14.5 7.3');
  svg.append(path);
  return svg;
}
