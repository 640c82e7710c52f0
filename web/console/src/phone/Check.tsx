// The device check: is there a microphone and does it hear, which speaker, and does the line stand. Says in words what is wrong
// and what to do about it.

import { useEffect, useRef, useState } from 'react';
import { t, type Key } from '../lib/i18n';
import { keep, remember } from '../lib/prefs';
import { onBeat } from '../lib/time';
import { myself, useLive } from '../live/live';
import { Button, Label } from '../ui/parts';
import { devices, listen, type Devices } from './devices';
import type { Trouble } from './phone';
import { meter, testTone } from './sound';
import { choose, chooseNumber, devicesChanged, takeHere, tryAgain, useKind, usePhone, type Kind } from './state';

const KINDS: readonly (readonly [Kind, Key, Key])[] = [
  ['browser', 'phone.kind.browser', 'phone.kind.browser.more'],
  ['desk', 'phone.kind.desk', 'phone.kind.desk.more'],
  ['number', 'phone.kind.number', 'phone.kind.number.more'],
];

/** Where calls ring, and for a browser whether it can. */
export function Check({ chosen, onChoose }: { chosen: Kind; onChoose: (kind: Kind) => void }) {
  return (
    <div className="grid gap-4">
      <fieldset className="grid gap-2">
        <legend className="label mb-1">{t('phone.kind')}</legend>
        {KINDS.map(([id, name, more]) => (
          <label key={id} className="flex min-h-10 items-start gap-3 rounded-lg border border-line px-3 py-2 has-checked:border-accent has-checked:bg-mine">
            <input type="radio" name="phone" className="mt-0.5 size-5 shrink-0" checked={chosen === id} onChange={() => onChoose(id)} />
            <span><span className="block font-medium">{t(name)}</span><span className="text-[0.92em] text-soft">{t(more)}</span></span>
          </label>
        ))}
      </fieldset>
      {chosen === 'browser' && <Headset />}
      {chosen === 'number' && <Outside />}
    </div>
  );
}

/** The number calls ring at; the server says at once whether it may be called. */
function Outside() {
  const kept = useLive((l) => myself(l)?.number ?? '');
  const there = useLive((l) => myself(l)?.phone ?? false);
  const [number, setNumber] = useState(kept);
  return (
    <form className="grid gap-2" onSubmit={(e) => { e.preventDefault(); if (number.trim()) void chooseNumber(number.trim()); }}>
      <div className="grid items-end gap-2 mid:grid-cols-[1fr_auto]">
        <Label text={t('phone.number')}><input className="field" type="tel" autoComplete="tel" maxLength={64} required value={number} onChange={(e) => setNumber(e.target.value)} /></Label>
        <Button type="submit">{t('phone.number.use')}</Button>
      </div>
      <p role="status" className={kept && there ? 'text-good' : 'text-soft'}>
        {kept ? <><span aria-hidden="true">{there ? '● ' : '○ '}</span>{t(there ? 'phone.number.used' : 'phone.number.down', { number: kept })}</> : t('phone.number.first')}
      </p>
    </form>
  );
}

/** The same in the settings, where a choice counts at once. */
export function PhoneSettings() {
  const kept = useKind() ?? 'browser';
  // A number counts once it is given; until then it is only being asked for.
  const [asking, setAsking] = useState(false);
  const chosen = asking ? 'number' : kept;
  const pick = (next: Kind): void => { setAsking(next === 'number'); choose(next); };
  return (
    <section className="card grid content-start gap-3 p-4">
      <h2 className="text-[1.1rem] font-semibold">{t('phone.title')}</h2>
      <Check chosen={chosen} onChoose={pick} />
    </section>
  );
}

function Headset() {
  const [found, setFound] = useState<Devices>({ microphones: [], speakers: [] });
  const [sound, setSound] = useState<MediaStream | Trouble | null>(null);
  const [tries, setTries] = useState(0);
  useEffect(() => {
    let over = false;
    let mine: MediaStream | null = null;
    const look = (): void => void devices().then((d) => { if (!over) setFound(d); });
    void listen().then((heard) => {
      if (typeof heard !== 'string') {
        mine = heard;
        if (over) { for (const track of heard.getTracks()) track.stop(); return; }
      }
      if (!over) { setSound(heard); look(); }
    });
    const plugged = (): void => { look(); setTries((n) => n + 1); };
    navigator.mediaDevices?.addEventListener('devicechange', plugged);
    return () => {
      over = true;
      navigator.mediaDevices?.removeEventListener('devicechange', plugged);
      for (const track of mine?.getTracks() ?? []) track.stop();
    };
  }, [tries]);
  const pick = (what: 'microphone' | 'speaker' | 'ring') => (id: string): void => {
    keep(what, id);
    devicesChanged();
    if (what === 'microphone') setTries((n) => n + 1);
  };
  return (
    <div className="grid gap-4">
      {sound === null && <p className="text-soft" role="status">{t('check.allow')}</p>}
      {typeof sound === 'string' && <Trouble of={sound} again={() => { setTries((n) => n + 1); tryAgain(); }} />}
      {sound !== null && typeof sound !== 'string' && (
        <>
          <div className="grid gap-2">
            <Choice label={t('check.microphone')} kept="microphone" list={found.microphones} onPick={pick('microphone')} />
            <Level sound={sound} />
          </div>
          <div className="grid items-end gap-2 mid:grid-cols-[1fr_auto]">
            <Choice label={t('check.speaker')} kept="speaker" list={found.speakers} onPick={pick('speaker')} />
            <Button onClick={testTone}>{t('check.tone')}</Button>
          </div>
          <Choice label={t('check.ring')} kept="ring" list={found.speakers} onPick={pick('ring')} />
        </>
      )}
      <Connection />
    </div>
  );
}

export function Trouble({ of, again }: { of: Trouble; again?: () => void }) {
  return (
    <div role="alert" className="grid gap-2 rounded-lg bg-bad-fill px-3 py-2 text-bad">
      <p className="flex gap-2"><span aria-hidden="true">⚠</span>{t(`trouble.${of}`)}</p>
      {again && of !== 'insecure' && <Button small className="justify-self-start" onClick={again}>{t('do.again')}</Button>}
    </div>
  );
}

function Choice({ label, kept, list, onPick }: { label: string; kept: 'microphone' | 'speaker' | 'ring'; list: MediaDeviceInfo[]; onPick: (id: string) => void }) {
  const chosen = remember(kept) ?? '';
  const real = list.filter((d) => d.deviceId && d.deviceId !== 'default' && d.deviceId !== 'communications');
  return (
    <Label text={label}>
      <select className="field" value={real.some((d) => d.deviceId === chosen) ? chosen : ''} onChange={(e) => onPick(e.target.value)}>
        <option value="">{t('check.default')}</option>
        {real.map((d) => <option key={d.deviceId} value={d.deviceId}>{d.label || d.deviceId.slice(0, 8)}</option>)}
      </select>
    </Label>
  );
}

/** A bar that moves with the voice, and a sentence for whoever cannot see it. */
function Level({ sound }: { sound: MediaStream }) {
  const bar = useRef<HTMLDivElement>(null);
  const [heard, setHeard] = useState<boolean | null>(null);
  useEffect(() => {
    const mine = meter(sound.clone());
    let loud = 0;
    let since = 0;
    const stop = onBeat(() => {
      const level = mine.level();
      if (bar.current) {
        bar.current.style.transform = `scaleX(${level.toFixed(3)})`;
        bar.current.parentElement?.setAttribute('aria-valuenow', String(Math.round(level * 100)));
      }
      since += 1;
      if (level > 0.3) loud += 1;
      if (loud >= 2) setHeard(true); else if (since > 16) setHeard(false);
    });
    return () => { stop(); mine.stop(); };
  }, [sound]);
  return (
    <div className="grid gap-1">
      <div role="meter" aria-label={t('check.level')} aria-valuemin={0} aria-valuemax={100} aria-valuenow={0} className="h-3 overflow-hidden rounded-full border border-edge bg-raised">
        <div ref={bar} className="h-full origin-left bg-good" style={{ transform: 'scaleX(0)' }} />
      </div>
      <p role="status" className={heard ? 'text-good' : heard === false ? 'text-warn' : 'text-soft'}>{t(heard ? 'check.heard' : heard === false ? 'check.silent' : 'check.say')}</p>
    </div>
  );
}

function Connection() {
  const place = usePhone((p) => p.place);
  const registered = usePhone((p) => p.registered);
  const trouble = usePhone((p) => p.trouble);
  const on = useLive((l) => { const my = myself(l); return my !== undefined && my.state !== 'signed_out'; });
  const [rtt, setRtt] = useState<number | null>(null);
  useEffect(() => {
    let over = false;
    void (async () => {
      // Once to open the connection, once to measure it.
      await fetch('/healthz');
      const began = performance.now();
      await fetch('/healthz');
      if (!over) setRtt(Math.max(1, Math.round(performance.now() - began)));
    })().catch(() => { /* the line says so itself */ });
    return () => { over = true; };
  }, []);
  return (
    <div className="grid gap-1">
      <p className="label">{t('check.line')}</p>
      <p role="status" className="flex flex-wrap items-center gap-x-3 gap-y-1">
        <span className={registered ? 'text-good' : 'text-soft'}>
          <span aria-hidden="true">{registered ? '● ' : '○ '}</span>
          {!on ? t('phone.shift') : place === 'elsewhere' ? t('phone.elsewhere.more') : registered ? t('phone.registered') : trouble ? t('phone.fault') : t('phone.connecting')}
        </span>
        {rtt !== null && <span className="num text-soft">{t('phone.rtt', { ms: rtt })}</span>}
        {place === 'elsewhere' && <Button small onClick={takeHere}>{t('phone.take')}</Button>}
      </p>
      {on && (trouble === 'login' || trouble === 'line') && <Trouble of={trouble} again={tryAgain} />}
    </div>
  );
}
