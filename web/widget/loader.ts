// One script tag on any site: a bubble in a corner. The chat itself is fetched when somebody wants it, so that the page that
// carries us pays almost nothing. Nothing of ours touches the page's styles: all of it lives in a shadow root.

import type { Host, Look } from './host';

declare global { interface Window { ringdeskChat?: (host: Host) => void } }

const tag = document.currentScript as HTMLScriptElement | null;
if (tag && !document.querySelector('ringdesk-chat')) void lookOf(tag).then((look) => begin(tag, look));

/** What the house wants it to look like. Nobody waits for that longer than a moment. */
async function lookOf(script: HTMLScriptElement): Promise<Look> {
  try {
    const site = script.dataset.site;
    const answer = await fetch(`${new URL(script.src).origin}/chat/v1/look${site ? `?site=${encodeURIComponent(site)}` : ''}`, { credentials: 'omit', signal: AbortSignal.timeout(2_000) });
    return answer.ok ? ((await answer.json()) as Look) : {};
  } catch { return {}; }
}

/** White or black, whichever is seen better on a colour (WCAG 2, relative luminance). */
function inkOn(colour: string): string {
  const hex = colour.length < 7 ? colour.slice(1, 4).replace(/./g, '$&$&') : colour.slice(1, 7);
  const [r, g, b] = [0, 2, 4].map((at) => { const v = parseInt(hex.slice(at, at + 2), 16) / 255; return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; }) as [number, number, number];
  const light = 0.2126 * r + 0.7152 * g + 0.0722 * b;
  return 1.05 / (light + 0.05) >= (light + 0.05) / 0.05 ? '#fff' : '#000';
}

function begin(script: HTMLScriptElement, look: Look): void {
  const set = script.dataset;
  const base = new URL(script.src).origin;
  const zh = (set.lang ?? document.documentElement.lang ?? navigator.language).toLowerCase().startsWith('zh');
  const colour = [set.color, look.color].find((c) => /^#([0-9a-f]{3}){1,2}$/i.test(c ?? '')) ?? '#0b57b0';
  const side = (set.side ?? look.side) === 'left' ? 'left' : 'right';
  const title = set.title || look.title?.[zh ? 'zh' : 'en'] || '';
  const element = document.createElement('ringdesk-chat');
  const shadow = element.attachShadow({ mode: 'open' });
  const style = new CSSStyleSheet();
  style.replaceSync(`
    :host { all: initial; position: fixed; z-index: 2147483000; bottom: 20px; ${side}: 20px; font: 15px/1.45 system-ui, -apple-system, "PingFang SC", "Microsoft YaHei", sans-serif; --c: ${colour}; --on: ${inkOn(colour)}; }
    .open { width: 56px; height: 56px; border: 0; border-radius: 50%; background: var(--c); color: var(--on); cursor: pointer; box-shadow: 0 4px 16px #0005; position: relative; }
    .open:focus-visible { outline: 3px solid #fff; box-shadow: 0 0 0 6px var(--c); }
    .open svg { width: 28px; height: 28px; vertical-align: middle; }
    .count { position: absolute; top: -4px; right: -4px; min-width: 22px; border-radius: 11px; background: #a51d12; color: #fff; font-weight: 600; font-size: 13px; line-height: 22px; }
    .count:empty { display: none; }
    @media (max-width: 480px) { .open[aria-expanded=true] { display: none; } }
    @media print { :host { display: none; } }`);
  shadow.adoptedStyleSheets = [style];
  const button = document.createElement('button');
  button.className = 'open';
  button.setAttribute('aria-label', title || (zh ? '在线咨询' : 'Chat with us'));
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
    shadow, button, base, zh, site: set.site ?? '', title, side, look,
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
