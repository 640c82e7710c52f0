// A visitor asks to be called: a number, when, what is done with it, and thanks.

import type { Line } from './line';
import type { Words } from './words';

type Make = <K extends keyof HTMLElementTagNameMap>(tag: K, className?: string, text?: string) => HTMLElementTagNameMap[K];

/** The form, shown instead of the chat while it is open. `changed` is called when that begins or ends. */
export function callForm(make: Make, line: Line, w: Words, lang: string, changed: () => void): { form: HTMLFormElement; open: () => boolean; toggle: (on: boolean) => void } {
  const form = make('form', 'callme');
  form.hidden = true;
  form.setAttribute('aria-label', w.callme);
  const field = (label: string, input: HTMLInputElement): HTMLInputElement => {
    const wrap = make('label', '', label);
    wrap.append(input);
    return input;
  };
  const number = field(w.yournumber, make('input'));
  number.type = 'tel';
  number.autocomplete = 'tel';
  number.maxLength = 40;
  number.required = true;
  const name = field(w.name, make('input'));
  name.autocomplete = 'name';
  name.maxLength = 80;
  // Hours are told by the visitor's own clock; the server hears instants.
  const when = make('select');
  const whenever = make('label', '', w.when);
  const zone = make('span', 'said', w.yourclock.replace('{zone}', Intl.DateTimeFormat().resolvedOptions().timeZone));
  whenever.append(when, zone);
  const clock = (at: Date): string => new Intl.DateTimeFormat(lang, { hour: '2-digit', minute: '2-digit', hour12: false }).format(at);
  const dayOf = (at: Date): string => new Intl.DateTimeFormat(lang, { weekday: 'long', day: 'numeric', month: 'long' }).format(at);
  const choices = async (): Promise<void> => {
    const offered = line.callMe;
    whenever.hidden = !offered?.later;
    const asap = make('option', '', w.asap);
    asap.value = '';
    when.replaceChildren(...(offered?.now ? [asap] : []));
    if (!offered?.later) return;
    const days = new Map<string, HTMLOptGroupElement>();
    for (const at of await line.hours()) {
      const day = dayOf(at);
      let group = days.get(day);
      if (!group) {
        group = make('optgroup');
        group.label = day;
        days.set(day, group);
      }
      const option = make('option', '', clock(at));
      option.value = at.toISOString();
      group.append(option);
    }
    // Asked twice in a moment, the later answer counts alone.
    when.replaceChildren(...(offered.now ? [asap] : []), ...days.values());
  };
  const agree = make('label', 'agree');
  const yes = make('input');
  yes.type = 'checkbox';
  yes.required = true;
  const words = make('span');
  agree.append(yes, words);
  const trouble = make('p', 'why');
  trouble.setAttribute('role', 'alert');
  const send = make('button', 'main', w.callme);
  const back = make('button', 'plain', w.back);
  back.type = 'button';
  const all = [make('p', '', w.callintro), number.parentElement!, name.parentElement!, whenever, agree, trouble, send, back];
  const toggle = (on: boolean): void => {
    if (form.hidden !== on) return;
    form.hidden = !on;
    if (on) {
      words.textContent = line.callMe?.consent[lang.startsWith('zh') ? 'zh' : 'en'] ?? w.agree;
      trouble.textContent = '';
      form.replaceChildren(...all);
      void choices();
    }
    changed();
    if (on) number.focus();
  };
  back.onclick = () => toggle(false);
  form.onsubmit = async (event) => {
    event.preventDefault();
    send.disabled = true;
    trouble.textContent = '';
    const at = line.callMe?.later ? when.value : '';
    const wrong = await line.askCall({ number: number.value.trim(), name: name.value.trim(), ...(at ? { at } : {}) });
    send.disabled = false;
    if (wrong && at && (wrong === 'closed' || wrong === 'limit')) {
      trouble.textContent = wrong === 'closed' ? w.hourgone : w.waitsalready;
      if (wrong === 'closed') { await choices(); when.focus(); }
      return;
    }
    if (wrong) {
      trouble.textContent = wrong === 'invalid' ? w.badnumber : wrong === 'closed' ? w.nocalls : w.why[wrong as keyof typeof w.why] ?? w.why.unavailable;
      if (wrong === 'invalid') number.focus();
      return;
    }
    const hour = at ? new Date(at) : null;
    const thanks = make('p', 'thanks', (hour ? w.willcallat.replace('{day}', dayOf(hour)).replace('{time}', clock(hour)) : w.willcall).replace('{n}', number.value.trim()));
    thanks.setAttribute('role', 'status');
    thanks.tabIndex = -1;
    form.replaceChildren(thanks, back);
    thanks.focus();
  };
  return { form, open: () => !form.hidden, toggle };
}
