// The few helpers every page uses: building elements, language, theme, times. No framework, no inline anything.

import { words } from './words.js';

/** Builds an element. `props`: class, text, on{event}, aria-*, data-*, plain properties. Text never becomes markup. */
export function h(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(props ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (key === 'class') node.className = value;
    else if (key === 'text') node.textContent = value;
    else if (key.startsWith('on')) node.addEventListener(key.slice(2), value);
    else if (key.includes('-') || key === 'role' || key === 'for' || key === 'lang' || key === 'href') node.setAttribute(key, value === true ? '' : value);
    else node[key] = value;
  }
  node.append(...children.flat().filter((c) => c !== undefined && c !== null && c !== false));
  return node;
}

export const $ = (selector) => document.querySelector(selector);

/** Replaces what is inside `box`, keeping the keyboard focus on the element with the same data-key. */
export function fill(box, ...children) {
  const held = box.contains(document.activeElement) ? document.activeElement.getAttribute('data-key') : null;
  box.replaceChildren(...children.flat().filter(Boolean));
  if (held) box.querySelector(`[data-key="${CSS.escape(held)}"]`)?.focus({ preventScroll: true });
}

// ---- language ----

const LANGUAGES = { en: 'en', zh: 'zh-CN' };
let language = pick();

function pick() {
  const kept = remember('language');
  if (kept in LANGUAGES) return kept;
  return (navigator.language || 'en').toLowerCase().startsWith('zh') ? 'zh' : 'en';
}

export const lang = () => language;
export const langTag = () => LANGUAGES[language];

/** The words for a key, `{name}` filled in. A missing key shows itself, so that it is noticed. */
export function t(key, values = {}) {
  const entry = words[key];
  const text = entry ? entry[language === 'zh' ? 1 : 0] : key;
  return text.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? '');
}

/** Fills every element that says what it says by key. */
export function translate(root = document) {
  document.documentElement.lang = langTag();
  for (const node of root.querySelectorAll('[data-t]')) node.textContent = t(node.dataset.t);
  for (const node of root.querySelectorAll('[data-t-label]')) node.setAttribute('aria-label', t(node.dataset.tLabel));
  for (const node of root.querySelectorAll('[data-t-title]')) node.title = t(node.dataset.tTitle);
  for (const node of root.querySelectorAll('[data-t-placeholder]')) node.placeholder = t(node.dataset.tPlaceholder);
  if (document.body.dataset.title) document.title = t(document.body.dataset.title);
}

/** Wires the language and theme switches of a page; `changed` redraws what was built by code. */
export function chrome(changed = () => {}) {
  const theme = remember('theme');
  if (theme) document.documentElement.dataset.theme = theme;
  for (const button of document.querySelectorAll('[data-do=language]')) {
    button.addEventListener('click', () => {
      language = language === 'zh' ? 'en' : 'zh';
      keep('language', language);
      translate();
      changed();
    });
  }
  for (const button of document.querySelectorAll('[data-do=theme]')) {
    button.addEventListener('click', () => {
      const dark = matchMedia('(prefers-color-scheme: dark)').matches;
      const now = document.documentElement.dataset.theme ?? (dark ? 'dark' : 'light');
      document.documentElement.dataset.theme = now === 'dark' ? 'light' : 'dark';
      keep('theme', document.documentElement.dataset.theme);
    });
  }
  translate();
}

// ---- what a page remembers (and does without when the browser forbids it) ----

export function remember(key, store = 'localStorage') {
  try { return window[store].getItem(`ringdesk.${key}`); } catch { return null; }
}
export function keep(key, value, store = 'localStorage') {
  try {
    if (value === null) window[store].removeItem(`ringdesk.${key}`);
    else window[store].setItem(`ringdesk.${key}`, value);
  } catch { /* private mode: this page simply forgets */ }
}

// ---- time ----

export const timeOfDay = (stamp) => new Intl.DateTimeFormat(langTag(), { hour: '2-digit', minute: '2-digit' }).format(Date.parse(stamp));

/** True while an input method is composing: Enter then belongs to it, not to us. */
export function composingGuard(field) {
  let until = 0;
  field.addEventListener('compositionend', () => { until = performance.now() + 80; });
  return (event) => event.isComposing || performance.now() < until;
}

export const uid = () => {
  const b = crypto.getRandomValues(new Uint8Array(12));
  return Array.from(b, (x) => x.toString(16).padStart(2, '0')).join('');
};

/** Waits between tries of a lost connection: 0.5 s doubling to 15 s, spread so that a thousand tabs do not return at once. */
export const backoff = (tries) => Math.min(15000, 500 * 2 ** tries) * (0.7 + Math.random() * 0.6);

/** Keeps a log at its end while its reader is there, whatever changes its size; a reader who scrolled up is left in peace. */
export function stickToEnd(box) {
  let end = true;
  let last = 0;
  // Only a reader scrolls up; a box that shrank or text that came has not moved the reader.
  box.addEventListener('scroll', () => {
    if (box.scrollHeight - box.scrollTop - box.clientHeight < 80) end = true;
    else if (box.scrollTop < last) end = false;
    last = box.scrollTop;
  });
  const follow = () => { if (end) box.scrollTop = box.scrollHeight; };
  new ResizeObserver(follow).observe(box);
  new MutationObserver(follow).observe(box, { childList: true });
}
