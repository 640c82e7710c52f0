// A visitor talks from the page: what is seen of it. The call itself is a script of its own, fetched when somebody wants to talk.

import type { Line } from './line';
import type { Call, Login, Stage } from './talk';
import type { Words } from './words';

type Make = <K extends keyof HTMLElementTagNameMap>(tag: K, className?: string, text?: string) => HTMLElementTagNameMap[K];

const KEYS = ['1', '2', '3', '4', '5', '6', '7', '8', '9', '*', '0', '#'];

/** The script of calls; asked for again where it did not come. */
function fetched(base: string): Promise<boolean> {
  if (window.ringdeskTalk) return Promise.resolve(true);
  return new Promise((done) => {
    const script = document.createElement('script');
    script.src = `${base}/widget/talk.js`;
    script.onload = () => done(true);
    script.onerror = () => { script.remove(); done(false); };
    document.head.append(script);
  });
}

/** The strip above the chat, which stays usable. `changed` is called when a call begins or ends. */
export function talkBox(make: Make, line: Line, w: Words, base: string, changed: () => void): { strip: HTMLElement; busy: () => boolean; begin: () => void } {
  const strip = make('section', 'onair');
  strip.hidden = true;
  strip.setAttribute('aria-label', w.talk);
  const state = make('p', 'stage');
  state.setAttribute('role', 'status');
  // Told to eyes only: nobody wants every second read out.
  const clock = make('span', 'clock');
  clock.setAttribute('aria-hidden', 'true');
  const trouble = make('p', 'why');
  trouble.setAttribute('role', 'alert');
  const mute = make('button', 'choice', w.mute);
  const pad = make('button', 'choice', w.keypad);
  const hang = make('button', 'choice hang', w.hangup);
  const close = make('button', 'choice', w.shut);
  const keys = make('div', 'keys');
  keys.setAttribute('role', 'group');
  keys.setAttribute('aria-label', w.keypad);
  for (const key of KEYS) {
    const button = make('button', 'choice', key);
    button.type = 'button';
    button.onclick = () => call?.press(key);
    keys.append(button);
  }
  const row = make('div', 'row');
  row.append(mute, pad, hang, close);
  const top = make('div', 'row');
  top.append(state, clock);
  strip.append(top, trouble, row, keys);
  for (const button of [mute, pad, hang, close]) button.type = 'button';

  let call: Call | null = null;
  /** Which attempt is the present one: what an earlier one still brings is not wanted any more. */
  let turn = 0;
  let stage: 'none' | 'connecting' | Stage = 'none';
  let since = 0;
  let ticking: ReturnType<typeof setInterval> | undefined;

  const tick = (): void => {
    const s = Math.floor((Date.now() - since) / 1000);
    clock.textContent = `${Math.floor(s / 60)}:${String(s % 60).padStart(2, '0')}`;
  };
  const show = (to: typeof stage, wrong = ''): void => {
    if (to === 'up' && stage !== 'up') {
      since = Date.now();
      tick();
      ticking = setInterval(tick, 1_000);
    }
    if (to !== 'up') { clearInterval(ticking); ticking = undefined; }
    stage = to;
    strip.hidden = to === 'none';
    state.textContent = to === 'connecting' ? w.connecting : to === 'ringing' ? w.ringing : to === 'up' ? w.talking : to === 'over' ? w.callover : '';
    trouble.textContent = wrong;
    trouble.hidden = !wrong;
    clock.hidden = to !== 'up' && !(to === 'over' && since);
    mute.hidden = pad.hidden = to !== 'up';
    hang.hidden = to === 'over';
    close.hidden = to !== 'over';
    if (to !== 'up') { keys.hidden = true; pad.setAttribute('aria-expanded', 'false'); }
    changed();
  };
  const silent = (on: boolean): void => {
    call?.mute(on);
    mute.textContent = on ? w.unmute : w.mute;
  };
  const busy = (): boolean => stage !== 'none' && stage !== 'over';
  const over = (wrong = ''): void => {
    const mine = strip.getRootNode() instanceof ShadowRoot && strip.contains((strip.getRootNode() as ShadowRoot).activeElement);
    call = null;
    turn += 1;
    show('over', wrong);
    if (mine) close.focus();
  };

  const begin = async (): Promise<void> => {
    if (busy()) return;
    const my = ++turn;
    since = 0;
    mute.textContent = w.mute;
    show('connecting');
    hang.focus();
    if (!window.isSecureContext || !navigator.mediaDevices) return over(w.notsecure);
    let mouth: MediaStream;
    try {
      mouth = await navigator.mediaDevices.getUserMedia({ audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true } });
    } catch (error) {
      const refused = error instanceof DOMException && (error.name === 'NotAllowedError' || error.name === 'SecurityError');
      if (my === turn) over(refused ? w.micrefused : w.nomic);
      return;
    }
    const drop = (): void => mouth.getTracks().forEach((track) => track.stop());
    const here = await fetched(base);
    // The login is good for a short while: it is asked for last.
    const login: Login | string = my === turn && here ? await line.askTalk() : '';
    if (my !== turn) return drop();
    if (!here || typeof login === 'string') {
      drop();
      return over(!here ? w.why.unavailable : login === 'closed' ? w.notalks : login === 'limit' ? w.manytalk : w.why[login as keyof typeof w.why] ?? w.why.unavailable);
    }
    call = window.ringdeskTalk!(base, login, mouth, (to, why) => {
      if (my !== turn) return;
      if (to === 'over') over(why === 'busy' ? w.manytalk : why === 'lost' ? w.linelost : why ? w.notalks : '');
      else show(to);
    });
  };
  hang.onclick = () => {
    const mine = call;
    over();
    mine?.hangUp();
  };
  mute.onclick = () => silent(mute.textContent === w.mute);
  pad.onclick = () => {
    keys.hidden = !keys.hidden;
    pad.setAttribute('aria-expanded', String(!keys.hidden));
  };
  close.onclick = () => show('none');
  addEventListener('pagehide', () => call?.hangUp());
  return { strip, busy, begin: () => void begin() };
}
