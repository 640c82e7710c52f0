// The alert: a sound whether or not the page has the focus, the count in the title, and one tab that rings for all.
//
// Browsers let a page sound after the person has done something on it; signing in is that.

import { remember } from '../lib/prefs';
import { t } from '../lib/i18n';
import { notes } from '../phone/sound';

let leader = false;
// One tab holds the lock for as long as it lives; when it closes, the next one takes over.
void navigator.locks?.request('ringdesk.sound', () => { leader = true; return new Promise<void>(() => {}); });

const tone = (): void => notes([[740, 0], [988, 0.16], [740, 0.32]]);

export const soundOn = (): boolean => remember('sound') !== 'off';

/** Rings while something is offered. Answers how to stop. */
export function ring(offers: number): () => void {
  const plain = document.title.replace(/^\(\d+\) /, '');
  if (offers === 0) { document.title = plain; return () => {}; }
  document.title = `(${offers}) ${plain}`;
  const sound = (): void => { if (leader && soundOn()) tone(); };
  sound();
  const again = setInterval(sound, 2_500);
  let shown: Notification | undefined;
  if (leader && document.hidden && 'Notification' in window && Notification.permission === 'granted') {
    shown = new Notification(t('offer.region'), { tag: 'ringdesk.offer' });
    shown.onclick = () => { window.focus(); shown?.close(); };
  }
  return () => {
    clearInterval(again);
    shown?.close();
    document.title = document.title.replace(/^\(\d+\) /, '');
  };
}
