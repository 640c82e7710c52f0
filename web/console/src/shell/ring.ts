// The alert: a sound whether or not the page has the focus, the count in title and icon, a message on the desktop, and one tab
// that rings for all.
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

/** The icon of the tab with the number of those who wait on it; none is the plain one. */
function badge(count: number): void {
  const link = document.querySelector<HTMLLinkElement>('link[rel~="icon"]');
  if (!link) return;
  link.dataset.plain ??= link.href;
  if (count === 0) { link.href = link.dataset.plain; return; }
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = 32;
  const draw = canvas.getContext('2d');
  if (!draw) return;
  draw.fillStyle = '#b3261e';
  draw.beginPath();
  draw.arc(16, 16, 16, 0, 2 * Math.PI);
  draw.fill();
  draw.fillStyle = '#fff';
  draw.font = 'bold 22px sans-serif';
  draw.textAlign = 'center';
  draw.textBaseline = 'middle';
  draw.fillText(count > 9 ? '9+' : String(count), 16, 17);
  link.href = canvas.toDataURL('image/png');
}

export interface Alert { who: string; call: boolean; take: () => void }

/** A message on the desktop for whoever looks elsewhere; one tab shows it. Answers how to take it away. */
export function desktop(title: string, tag: string, click: () => void): () => void {
  if (!leader || !document.hidden || !('Notification' in window) || Notification.permission !== 'granted') return () => {};
  const shown = new Notification(title, { tag, icon: '/assets/icon.svg' });
  shown.onclick = () => { window.focus(); click(); shown.close(); };
  return () => shown.close();
}

/** Rings while something is offered. Answers how to stop. */
export function ring(offers: number, alert?: Alert): () => void {
  const plain = document.title.replace(/^\(\d+\) /, '');
  badge(offers);
  if (offers === 0) { document.title = plain; return () => {}; }
  document.title = `(${offers}) ${plain}`;
  const sound = (): void => { if (leader && soundOn()) tone(); };
  sound();
  const again = setInterval(sound, 2_500);
  const away = alert ? desktop(t(alert.call ? 'notify.call' : 'notify.look', { who: alert.who }), 'ringdesk.offer', alert.take) : () => {};
  return () => {
    clearInterval(again);
    away();
    badge(0);
    document.title = document.title.replace(/^\(\d+\) /, '');
  };
}
