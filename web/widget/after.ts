// What comes when nobody is there, and when it is over: a form for words, and the question how it was.

import type { Line } from './line';
import type { Words } from './words';

type Make = <K extends keyof HTMLElementTagNameMap>(tag: K, className?: string, text?: string) => HTMLElementTagNameMap[K];

/** The form for words while nobody is there. */
export function offlineForm(make: Make, line: Line, w: Words): { form: HTMLFormElement; first: HTMLElement; show: (why: string) => void } {
  const form = make('form', 'offline');
  const why = make('p');
  const field = <T extends HTMLInputElement | HTMLTextAreaElement>(label: string, input: T): T => {
    const wrap = make('label', '', label);
    wrap.append(input);
    form.append(wrap);
    return input;
  };
  form.append(why);
  const name = field(`${w.name} ${w.optional}`, make('input'));
  name.autocomplete = 'name';
  name.maxLength = 80;
  const contact = field(w.reach, make('input'));
  contact.autocomplete = 'email';
  contact.maxLength = 120;
  contact.required = true;
  const text = field(w.message, make('textarea'));
  text.rows = 4;
  text.maxLength = 4_000;
  text.required = true;
  const trouble = make('p', 'why');
  trouble.setAttribute('role', 'alert');
  const send = make('button', 'main', w.leave);
  form.append(trouble, send);
  form.onsubmit = async (event) => {
    event.preventDefault();
    if (!text.value.trim()) { text.focus(); return; }
    send.disabled = true;
    trouble.textContent = '';
    const wrong = await line.leave({ name: name.value.trim(), contact: contact.value.trim(), text: text.value.trim() });
    send.disabled = false;
    if (wrong) {
      // What was written stays where it is.
      trouble.textContent = wrong === 'invalid' ? w.badcontact : w.why[wrong as keyof typeof w.why] ?? w.why.unavailable;
      if (wrong === 'invalid') contact.focus();
      return;
    }
    const thanks = make('p', 'thanks', w.left);
    thanks.setAttribute('role', 'status');
    thanks.tabIndex = -1;
    form.replaceChildren(thanks);
    thanks.focus();
  };
  return { form, first: name, show: (presence) => { why.textContent = presence === 'closed' ? w.closednow : w.nobody; } };
}

/** The question at the end: stars or thumbs, a word with them, and thanks. */
export function ratingForm(make: Make, line: Line, w: Words, lang: string): { form: HTMLFormElement; draw: () => void } {
  const form = make('form', 'rate');
  let drawn = '';
  const draw = (): void => {
    const asked = line.over && line.rating && line.helped() ? line.rating : null;
    form.hidden = !asked;
    if (!asked) { drawn = ''; form.replaceChildren(); }
    const now = `${line.rated} ${asked?.best}`;
    if (!asked || now === drawn) return;
    const thanked = drawn !== '' && line.rated;
    drawn = now;
    if (line.rated) {
      const thanks = make('p', 'thanks', w.thanks);
      thanks.setAttribute('role', 'status');
      thanks.tabIndex = -1;
      form.replaceChildren(thanks);
      if (thanked) thanks.focus();
      return;
    }
    const set = make('fieldset');
    set.append(make('legend', '', asked.question[lang.startsWith('zh') ? 'zh' : 'en'] ?? w.howwas));
    const row = make('div', 'stars');
    const scores = Array.from({ length: asked.best }, (_, i) => (asked.best === 2 ? 2 - i : i + 1));
    for (const score of scores) {
      const label = make('label');
      const pick = make('input');
      pick.type = 'radio';
      pick.name = 'score';
      pick.value = String(score);
      pick.required = true;
      const sign = make('span', 'sign', asked.best === 2 ? (score === 2 ? '👍' : '👎') : '★');
      sign.setAttribute('aria-hidden', 'true');
      label.append(pick, sign, make('span', 'said', asked.best === 2 ? (score === 2 ? w.good : w.bad) : w.stars.replace('{n}', String(score))));
      row.append(label);
    }
    set.append(row);
    const comment = make('textarea');
    comment.rows = 2;
    comment.maxLength = 1_000;
    comment.placeholder = w.comment;
    comment.setAttribute('aria-label', w.comment);
    form.replaceChildren(set, comment, make('button', 'main', w.rate));
    form.onsubmit = (event) => {
      event.preventDefault();
      const score = Number(new FormData(form).get('score'));
      if (score) line.rate(score, comment.value.trim());
    };
  };
  return { form, draw };
}
