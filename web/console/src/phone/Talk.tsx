// What a call in this browser adds to the contact: mute, keypad, and how the sound is.

import { useEffect, useRef, useState, type ReactNode } from 'react';
import { api } from '../api/client';
import { act } from '../lib/act';
import { keyOf, useActions } from '../lib/actions';
import { t } from '../lib/i18n';
import { onBeat } from '../lib/time';
import { Button, Dialog } from '../ui/parts';
import { lineOf, micLevel, mute, press, usePhone } from './state';

/**
 * Mute and keypad of the call: of this browser's line where it has one. A desk phone or a mobile is muted by the server, which also
 * sends the keys; `elsewhere` says whether it is muted so, and is null where the call is not this agent's.
 */
export function useLine(interaction: string, talking: boolean, elsewhere: boolean | null): { buttons: ReactNode } {
  const line = usePhone((p) => (talking ? lineOf(p.lines, interaction) : undefined));
  const [keys, setKeys] = useState(false);
  const path = { params: { path: { id: interaction } } };
  const there = line !== undefined || (talking && elsewhere !== null);
  const muted = line ? line.muted : elsewhere === true;
  const flip = (): void => { if (line) mute(line.id, !line.muted); else void act(api.POST('/api/v1/interactions/{id}/mute', { ...path, body: { on: !muted } })); };
  const key = (digit: string): void => { if (line) press(line.id, digit); else void act(api.POST('/api/v1/interactions/{id}/dtmf', { ...path, body: { digits: digit } })); };
  useActions([
    there && { id: 'call.mute', label: muted ? 'do.unmute' : 'do.mute', group: 'call', run: flip },
    there && { id: 'call.keypad', label: 'do.keypad', group: 'call', run: () => setKeys(true) },
  ]);
  if (!there) return { buttons: null };
  return {
    buttons: (
      <>
        <Button className="min-h-10" aria-pressed={muted} hotkey={keyOf('call.mute')} onClick={flip}>{t(muted ? 'do.unmute' : 'do.mute')}</Button>
        <Button className="min-h-10" hotkey={keyOf('call.keypad')} onClick={() => setKeys(true)}>{t('do.keypad')}</Button>
        <Dialog open={keys} onClose={() => setKeys(false)} title={t('do.keypad')}><Keypad onPress={key} /></Dialog>
      </>
    ),
  };
}

const KEYS = ['1', '2', '3', '4', '5', '6', '7', '8', '9', '*', '0', '#'];

function Keypad({ onPress }: { onPress: (digit: string) => void }) {
  const [pressed, setPressed] = useState('');
  const key = (digit: string): void => { onPress(digit); setPressed((was) => (was + digit).slice(-24)); };
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => { box.current?.querySelector('button')?.focus(); }, []);
  return (
    <div ref={box} className="grid justify-items-center gap-3" onKeyDown={(e) => { if (KEYS.includes(e.key)) { e.preventDefault(); key(e.key); } }}>
      <output className="num min-h-8 text-[1.3rem]" aria-label={t('keypad.pressed')}>{pressed}</output>
      <div className="grid grid-cols-3 gap-2">
        {KEYS.map((k) => <Button key={k} className="min-h-12 min-w-18 text-[1.2rem]" aria-label={t('keypad.key', { key: k })} onClick={() => key(k)}>{k}</Button>)}
      </div>
    </div>
  );
}

/** Below this nobody is speaking. */
const SPEAKING = 0.45;

/** How loud one is, how it travels, and a word when somebody talks to a muted microphone. */
export function Sound({ interaction }: { interaction: string }) {
  const line = usePhone((p) => lineOf(p.lines, interaction));
  const quality = usePhone((p) => p.quality);
  const here = usePhone((p) => p.place === 'here');
  const bar = useRef<HTMLSpanElement>(null);
  const [lost, setLost] = useState(false);
  const muted = line?.muted ?? false;
  const up = line?.state === 'up';
  useEffect(() => {
    if (!up || !here) return undefined;
    let loud = 0;
    const stop = onBeat(() => {
      const level = micLevel();
      if (bar.current) bar.current.style.transform = `scaleX(${level.toFixed(3)})`;
      loud = level > SPEAKING ? Math.min(loud + 1, 8) : Math.max(loud - 1, 0);
      setLost(muted && loud >= 4);
    });
    return () => { stop(); setLost(false); };
  }, [up, here, muted]);
  if (!line) return null;
  if (line.state === 'answering') return <p role="status" className="mt-2 text-soft">{t('call.answering')}</p>;
  const colour = quality?.grade === 'poor' ? 'text-bad' : quality?.grade === 'fair' ? 'text-warn' : 'text-good';
  return (
    <div className="mt-2 flex flex-wrap items-center gap-x-4 gap-y-1 text-soft">
      {here && <span className="inline-flex items-center gap-2"><span>{t('check.microphone')}</span><span aria-hidden="true" className="h-2 w-24 overflow-hidden rounded-full border border-edge bg-raised"><span ref={bar} style={{ transform: 'scaleX(0)' }} className={`block h-full origin-left ${muted ? 'bg-soft' : 'bg-good'}`} /></span></span>}
      {quality && (
        <span title={t('quality.figures', { rtt: quality.rtt_ms, jitter: quality.jitter_ms, lost: (100 * quality.lost).toFixed(1) })}>
          {t('call.quality')}: <span className={colour}><span aria-hidden="true">{quality.grade === 'poor' ? '▂' : quality.grade === 'fair' ? '▂▄' : '▂▄▆'} </span>{t(`quality.${quality.grade}`)}</span>
        </span>
      )}
      <span role="status">{lost && <strong className="text-warn">⚠ {t('call.muted')}</strong>}</span>
    </div>
  );
}
