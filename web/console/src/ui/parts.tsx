// The few parts every screen is made of.

import { Dialog as Box } from 'radix-ui';
import { useEffect, useRef, type ButtonHTMLAttributes, type ReactNode } from 'react';
import type { Problem } from '../api/client';
import { problemText } from '../lib/act';
import { t, tCode, type Key } from '../lib/i18n';
import { clock, now, onBeat } from '../lib/time';

/** A duration that counts by itself, without drawing anything else again. `max_s`: past it the number is a warning. */
export function Since({ at, max_s, label }: { at: string; max_s?: number; label?: string }) {
  const ref = useRef<HTMLSpanElement>(null);
  useEffect(() => {
    const from = Date.parse(at);
    const show = (): void => {
      const node = ref.current;
      if (!node) return;
      const ms = now() - from;
      const text = clock(ms) + (max_s !== undefined && ms > max_s * 1000 ? ' !' : '');
      if (node.textContent !== text) node.textContent = text;
      if (max_s !== undefined) node.dataset.late = String(ms > max_s * 1000);
    };
    show();
    return onBeat(show);
  }, [at, max_s]);
  return <span ref={ref} className="num data-[late=true]:font-bold data-[late=true]:text-bad" {...(label ? { title: label } : {})} />;
}

/** What is left until an instant; marked when little is. */
export function Until({ at, soon_s = 6 }: { at: string; soon_s?: number }) {
  const ref = useRef<HTMLSpanElement>(null);
  useEffect(() => {
    const end = Date.parse(at);
    const show = (): void => {
      const node = ref.current;
      if (!node) return;
      const left = end - now();
      const text = clock(left + 999);
      if (node.textContent !== text) node.textContent = text;
      node.dataset.soon = String(left < soon_s * 1000);
    };
    show();
    return onBeat(show);
  }, [at, soon_s]);
  return <span ref={ref} className="num data-[soon=true]:font-bold data-[soon=true]:text-bad" />;
}

/**
 * A promise as a chip: word, shape and colour say whether it is fine, soon due or late, and how long. Soon is the last fifth of
 * what was promised.
 */
export function Sla({ due, limit_s, what }: { due: string; limit_s: number; what: Key }) {
  const ref = useRef<HTMLSpanElement>(null);
  useEffect(() => {
    const end = Date.parse(due);
    let shown = '';
    const show = (): void => {
      const node = ref.current;
      if (!node) return;
      const left = end - now();
      const state = left < 0 ? 'late' : left < 200 * limit_s ? 'soon' : 'fine';
      const long = clock(Math.abs(left));
      if (`${state} ${long}` === shown) return;
      shown = `${state} ${long}`;
      const [sign, word] = [state === 'late' ? '!' : state === 'soon' ? '◔' : '✓', t(`sla.${state}`)];
      node.dataset.sla = state;
      node.title = t('sla.title', { what: t(what), state: word, left: long });
      node.textContent = `${sign} ${left < 0 ? '+' : ''}${long}${state === 'fine' ? '' : ` ${word}`}`;
    };
    show();
    return onBeat(show);
  }, [due, limit_s, what]);
  return <span ref={ref} className="num chip whitespace-nowrap data-[sla=fine]:border-line data-[sla=fine]:text-soft data-[sla=late]:border-2 data-[sla=late]:border-bad data-[sla=late]:font-bold data-[sla=late]:text-bad data-[sla=soon]:border-dashed data-[sla=soon]:border-warn data-[sla=soon]:text-warn" />;
}

const SHAPES: Record<string, [shape: string, colour: string]> = {
  ready: ['●', 'text-ready'], alerting: ['◔', 'text-ringing'], offered: ['◔', 'text-ringing'], talking: ['▲', 'text-talking'],
  hold: ['❚❚', 'text-hold'], wrap_up: ['✎', 'text-wrap'], not_ready: ['☕', 'text-rest'], away: ['○', 'text-gone'],
  signed_out: ['–', 'text-gone'], waiting: ['…', 'text-warn'], flow: ['⤳', 'text-soft'], voicemail: ['✉', 'text-wrap'],
};
export const shapeOf = (state: string): string => SHAPES[state]?.[0] ?? '·';

/** A state: shape, word and colour, never colour alone. */
export function State({ state, detail, quiet }: { state: string; detail?: string | null | undefined; quiet?: boolean }) {
  const [shape, colour] = SHAPES[state] ?? ['·', 'text-soft'];
  return (
    <span className={`inline-flex items-baseline gap-1.5 whitespace-nowrap ${colour}`}>
      <span aria-hidden="true" className="inline-block w-4 text-center text-[0.8em] font-bold tracking-tighter">{shape}</span>
      {!quiet && <span className="text-ink">{tCode('state', state)}{detail ? `: ${detail}` : ''}</span>}
    </span>
  );
}

export const channelSign = (channel: string): string => (channel === 'voice' ? '☎' : channel === 'webchat' ? '🗨' : '✉');
export function Channel({ channel }: { channel: string }) {
  return <span title={tCode('channel', channel)}><span aria-hidden="true">{channel === 'voice' ? '☎' : '▤'}</span><span className="sr-only">{tCode('channel', channel)}</span></span>;
}

/** In place of the channel: it is a call, and one that was asked for. */
export function CalledBack() {
  return <span title={t('state.scheduled')}><span aria-hidden="true">↩</span><span className="sr-only">{t('state.scheduled')}</span></span>;
}

interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> { look?: 'main' | 'bad' | 'plain' | undefined; small?: boolean; hotkey?: string | undefined }
export function Button({ look, small, hotkey, className = '', children, ...rest }: ButtonProps) {
  return (
    <button type="button" className={`btn ${look ? `btn-${look}` : ''} ${small ? 'btn-small' : ''} ${className}`} {...(hotkey ? { 'aria-keyshortcuts': hotkey } : {})} {...rest}>
      {children}
      {hotkey && <kbd className="kbd uppercase" aria-hidden="true">{hotkey}</kbd>}
    </button>
  );
}

export function Dialog({ open, onClose, title, children, wide }: { open: boolean; onClose: () => void; title: string; children: ReactNode; wide?: boolean }) {
  const width = wide ? 'w-[min(46rem,calc(100vw-2rem))]' : 'w-[min(30rem,calc(100vw-2rem))]';
  // Where the keyboard was: it goes back there. Looked at before anything in the dialog takes it.
  const before = useRef<Element | null>(null);
  const was = useRef(false);
  if (open && !was.current) before.current = document.activeElement;
  was.current = open;
  return (
    <Box.Root open={open} onOpenChange={(next) => { if (!next) onClose(); }}>
      <Box.Portal>
        <Box.Overlay className="fixed inset-0 z-40 bg-black/40" />
        <Box.Content className={`card fixed z-50 flex flex-col overflow-hidden shadow-xl left-1/2 top-[10vh] max-h-[82vh] -translate-x-1/2 ${width}`} aria-describedby={undefined}
          onCloseAutoFocus={(event) => { event.preventDefault(); if (before.current instanceof HTMLElement && before.current.isConnected) before.current.focus(); }}>
          <header className="flex items-center gap-3 border-b border-line px-4 py-3">
            <Box.Title className="text-[1.1rem] font-semibold">{title}</Box.Title>
            <span className="grow" />
            <Box.Close className="btn btn-plain btn-small" aria-label={t('do.close')}>✕</Box.Close>
          </header>
          <div className="scroll-pb-20 overflow-y-auto p-4">{children}</div>
        </Box.Content>
      </Box.Portal>
    </Box.Root>
  );
}

export function Label({ text, children, hint }: { text: string; children: ReactNode; hint?: string }) {
  return <label className="label"><span>{text}</span>{children}{hint && <span className="text-[0.9em] font-normal text-soft">{hint}</span>}</label>;
}

/** What a list shows when it shows nothing: why, and what to do about it. */
export function Empty({ children }: { children: ReactNode }) {
  return <p className="px-4 py-6 text-center text-soft">{children}</p>;
}

export function Trouble({ problem, again }: { problem: Problem; again?: () => void }) {
  return (
    <p role="alert" className="m-3 flex flex-wrap items-center gap-3 rounded-lg bg-bad-fill px-3 py-2 text-bad">
      <span aria-hidden="true">⚠</span><span>{problemText(problem)}</span>
      {again && <Button small onClick={again}>{t('do.again')}</Button>}
    </p>
  );
}

export function Page({ title, children, tools }: { title: string; children: ReactNode; tools?: ReactNode }) {
  useEffect(() => { document.title = `${title} · ringdesk`; }, [title]);
  return (
    <div className="flex h-full min-h-0 flex-col">
      <header className="flex flex-wrap items-center gap-x-4 gap-y-2 px-4 pb-2 pt-3">
        <h1 className="text-[1.25rem] font-semibold">{title}</h1>
        <span className="grow" />
        {tools}
      </header>
      <div className="min-h-0 grow overflow-auto px-4 pb-4">{children}</div>
    </div>
  );
}

export function Tabs<T extends string>({ label, value, tabs, onChange }: { label: string; value: T; tabs: readonly (readonly [T, Key])[]; onChange: (next: T) => void }) {
  return (
    <div role="group" aria-label={label} className="inline-flex flex-wrap gap-1 rounded-lg border border-line bg-raised p-1">
      {tabs.map(([id, key]) => (
        <button key={id} type="button" aria-pressed={id === value} onClick={() => onChange(id)}
          className="min-h-7 rounded-md px-3 font-medium aria-pressed:bg-panel aria-pressed:shadow-sm">{t(key)}</button>
      ))}
    </div>
  );
}

/** Where Enter belongs to an input method, not to us: while it composes and a moment after. */
export function useComposing(): { onCompositionEnd: () => void; composing: (event: { nativeEvent: KeyboardEvent }) => boolean } {
  const until = useRef(0);
  return {
    onCompositionEnd: () => { until.current = performance.now() + 80; },
    composing: (event) => event.nativeEvent.isComposing || performance.now() < until.current,
  };
}

export const uid = (): string => Array.from(crypto.getRandomValues(new Uint8Array(12)), (b) => b.toString(16).padStart(2, '0')).join('');
