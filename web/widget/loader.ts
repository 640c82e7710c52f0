// One script tag on any site: a bubble in a corner. The chat itself is fetched when somebody wants it, so that the page that
// carries us pays almost nothing. Nothing of ours touches the page's styles: all of it lives in a shadow root.

import type { Host } from './host';

declare global { interface Window { ringdeskChat?: (host: Host) => void } }

const tag = document.currentScript as HTMLScriptElement | null;
if (tag && !document.querySelector('ringdesk-chat')) begin(tag);

function begin(script: HTMLScriptElement): void {
  const set = script.dataset;
  const base = new URL(script.src).origin;
  const zh = (set.lang ?? document.documentElement.lang ?? navigator.language).toLowerCase().startsWith('zh');
  const colour = /^#[0-9a-f]{3,8}$/i.test(set.color ?? '') ? set.color! : '#0b57b0';
  const element = document.createElement('ringdesk-chat');
  const shadow = element.attachShadow({ mode: 'open' });
  const style = new CSSStyleSheet();
  style.replaceSync(`
    :host { all: initial; position: fixed; z-index: 2147483000; bottom: 20px; ${set.side === 'left' ? 'left' : 'right'}: 20px; font: 15px/1.45 system-ui, -apple-system, "PingFang SC", "Microsoft YaHei", sans-serif; --c: ${colour}; }
    .open { width: 56px; height: 56px; border: 0; border-radius: 50%; background: var(--c); color: #fff; cursor: pointer; box-shadow: 0 4px 16px #0005; position: relative; }
    .open:focus-visible { outline: 3px solid #fff; box-shadow: 0 0 0 6px var(--c); }
    .open svg { width: 28px; height: 28px; vertical-align: middle; }
    .count { position: absolute; top: -4px; right: -4px; min-width: 22px; border-radius: 11px; background: #a51d12; color: #fff; font-weight: 600; font-size: 13px; line-height: 22px; }
    .count:empty { display: none; }
    @media (max-width: 480px) { .open[aria-expanded=true] { display: none; } }
    @media print { :host { display: none; } }`);
  shadow.adoptedStyleSheets = [style];
  const button = document.createElement('button');
  button.className = 'open';
  button.setAttribute('aria-label', set.title || (zh ? '在线咨询' : 'Chat with us'));
  button.setAttribute('aria-expanded', 'false');
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('fill', 'currentColor');
  const path = document.createElementNS('http://www.w3.org/2000/svg', 'path');
  path.setAttribute('d', 'M4 4h16a2 2 0 0 1 2 2v9a2 2 0 0 1-2 2h-8l-5 4v-4H4a2 2 0 0 1-2-2V6a2 2 0 0 1 2-2z');
  svg.append(path);
  const count = document.createElement('span');
  count.className = 'count';
  button.append(svg, count);
  shadow.append(button);

  let asked = false;
  let toggle: (() => void) | null = null;
  const host: Host = {
    shadow, button, base, zh, site: set.site ?? '', title: set.title ?? '', side: set.side === 'left' ? 'left' : 'right',
    unread: (n) => { count.textContent = n > 0 ? String(n) : ''; },
    ready: (run) => { toggle = run; },
  };
  const fetchChat = (then?: () => void): void => {
    if (asked) return;
    asked = true;
    const chat = document.createElement('script');
    chat.src = `${base}/widget/chat.js`;
    chat.onload = () => { window.ringdeskChat?.(host); then?.(); };
    // The next click tries again.
    chat.onerror = () => { asked = false; chat.remove(); };
    document.head.append(chat);
  };
  button.onclick = () => { if (toggle) toggle(); else fetchChat(() => toggle?.()); };
  document.body.append(element);
  // Somebody who was talking goes on where they were, also on the site's next page.
  try { if (sessionStorage.getItem(`ringdesk.chat.${host.site}`)) fetchChat(); } catch { /* storage is forbidden: nothing to go on with */ }
}
