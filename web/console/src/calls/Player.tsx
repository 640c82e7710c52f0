// A recording: the customer above, the agent below; a click in the wave is a jump, and what happened is marked.

import { useEffect, useRef, useState } from 'react';
import type { Fact, Recording } from '../api/shapes';
import { t } from '../lib/i18n';
import { clock, dateTime } from '../lib/time';
import { Button } from '../ui/parts';

/** Bars drawn across the width. */
const BARS = 480;
/** A longer recording is played without its wave: decoding it would take the browser's memory. */
const WAVE_MAX_MS = 45 * 60_000;

type Peaks = Float32Array[];

async function peaksOf(url: string): Promise<Peaks> {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(String(answer.status));
  const context = new OfflineAudioContext(1, 1, 8_000);
  const sound = await context.decodeAudioData(await answer.arrayBuffer());
  const per = Math.max(1, Math.floor(sound.length / BARS));
  return Array.from({ length: sound.numberOfChannels }, (_, channel) => {
    const data = sound.getChannelData(channel);
    return Float32Array.from({ length: BARS }, (_, bar) => {
      let top = 0;
      for (let i = bar * per; i < Math.min(data.length, (bar + 1) * per); i++) top = Math.max(top, Math.abs(data[i] ?? 0));
      return top;
    });
  });
}

export function Player({ interaction, recording: r, facts }: { interaction: string; recording: Recording; facts: Fact[] }) {
  const url = `/api/v1/interactions/${encodeURIComponent(interaction)}/recording?recording=${encodeURIComponent(r.id)}`;
  const audio = useRef<HTMLAudioElement>(null);
  const [peaks, setPeaks] = useState<Peaks | null>(null);
  const [wanted, setWanted] = useState(false);
  const [at, setAt] = useState(0);
  const [long, setLong] = useState((r.ms ?? 0) / 1000);
  const [speed, setSpeed] = useState(1);
  const [failed, setFailed] = useState(false);
  // Listening is noted in the audit log: nothing is fetched before somebody wants to.
  useEffect(() => {
    if (!wanted || (r.ms ?? 0) > WAVE_MAX_MS) return;
    let gone = false;
    peaksOf(url).then((p) => { if (!gone) setPeaks(p); }, () => { if (!gone) setFailed(true); });
    return () => { gone = true; };
  }, [wanted, url, r.ms]);
  useEffect(() => { if (audio.current) audio.current.playbackRate = speed; }, [speed, wanted]);
  const began = Date.parse(r.began_at);
  const marks = facts.filter((f) => ['connected', 'held', 'transferred', 'talk_ended'].includes(f.fact))
    .map((f) => ({ seq: f.seq, s: (Date.parse(f.at) - began) / 1000, sign: f.fact === 'held' ? (f.on ? '❚❚' : '▶') : f.fact === 'transferred' ? '↪' : f.fact === 'connected' ? '▲' : '■' }))
    .filter((m) => m.s >= 0 && m.s <= long);
  // While it was paused silence was recorded: the reader sees that it is a gap, not a quiet customer.
  const gaps: { from: number; to: number }[] = [];
  for (const f of facts.filter((x) => x.fact === 'recording_paused' && x.recording === r.id)) {
    const s = (Date.parse(f.at) - began) / 1000;
    if (f.on) gaps.push({ from: s, to: long }); else { const last = gaps.at(-1); if (last) last.to = s; }
  }
  const jump = (s: number): void => { if (audio.current) { audio.current.currentTime = Math.max(0, Math.min(long, s)); setAt(s); } };
  return (
    <section className="card mb-4 p-4" aria-label={t('calls.recording')}>
      <div className="mb-2 flex flex-wrap items-center gap-3">
        <h2 className="h">{t(r.voicemail ? 'state.voicemail' : 'calls.recording')}</h2>
        <span className="num text-soft">{dateTime(r.began_at)} · {r.ms ? clock(r.ms) : t('calls.recording.runs')}</span>
        {r.trouble && <span className="text-bad">⚠ {t('calls.recording.trouble', { why: r.trouble })}</span>}
        <span className="grow" />
        {wanted && [1, 1.5, 2].map((x) => <Button key={x} small aria-pressed={speed === x} onClick={() => setSpeed(x)}>{x}×</Button>)}
        <a className="btn btn-small" href={url} download={`${r.id}.wav`}>{t('calls.download')}</a>
      </div>
      {!wanted ? <Button look="main" disabled={!r.ended_at} onClick={() => setWanted(true)}>▶ {t('calls.listen')}</Button> : (
        <>
          <div className="relative">
            <Wave peaks={peaks} done={long ? at / long : 0} onJump={(part) => jump(part * long)} />
            {long > 0 && gaps.map((g) => <span key={g.from} title={t('calls.gap')} className="pointer-events-none absolute inset-y-0 border-x border-warn bg-[repeating-linear-gradient(45deg,var(--warn)_0_2px,transparent_2px_8px)] opacity-60" style={{ left: `${(100 * g.from) / long}%`, width: `${(100 * (g.to - g.from)) / long}%` }}><span className="sr-only">{t('calls.gap')} {clock(g.from * 1000)}–{clock(g.to * 1000)}</span></span>)}
            {marks.map((m) => <button key={m.seq} type="button" className="absolute top-0 min-h-6 min-w-6 -translate-x-1/2 rounded bg-raised text-[0.8em]" style={{ left: `${(100 * m.s) / long}%` }} onClick={() => jump(m.s)} aria-label={t('calls.jump', { at: clock(m.s * 1000) })}>{m.sign}</button>)}
          </div>
          {failed && <p className="text-soft">{t('calls.nowave')}</p>}
          <audio ref={audio} src={url} controls autoPlay className="mt-2 w-full" aria-label={t('calls.recording')}
            onTimeUpdate={(e) => setAt(e.currentTarget.currentTime)} onLoadedMetadata={(e) => { if (Number.isFinite(e.currentTarget.duration)) setLong(e.currentTarget.duration); }} />
        </>
      )}
    </section>
  );
}

function Wave({ peaks, done, onJump }: { peaks: Peaks | null; done: number; onJump: (part: number) => void }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const node = canvas.current;
    const draw = node?.getContext('2d');
    if (!node || !draw) return;
    const style = getComputedStyle(document.documentElement);
    const [played, rest] = [style.getPropertyValue('--accent'), style.getPropertyValue('--edge')].map((c) => resolve(node, c));
    draw.clearRect(0, 0, node.width, node.height);
    const lanes = peaks ?? [];
    lanes.forEach((lane, n) => {
      const height = node.height / lanes.length;
      lane.forEach((top, bar) => {
        const x = (bar / BARS) * node.width;
        draw.fillStyle = (bar / BARS < done ? played : rest) ?? '#888';
        const size = Math.max(1, top * (height - 6));
        draw.fillRect(x, n * height + (height - size) / 2, node.width / BARS - 0.6, size);
      });
    });
  }, [peaks, done]);
  return <canvas ref={canvas} width={1440} height={160} className="h-28 w-full cursor-pointer rounded bg-bg" aria-hidden="true" onClick={(e) => { const box = e.currentTarget.getBoundingClientRect(); onJump((e.clientX - box.left) / box.width); }} />;
}

/** The colour a theme's variable has right now: a canvas does not know `light-dark()`. */
function resolve(node: HTMLElement, colour: string): string {
  const was = node.style.color;
  node.style.color = colour;
  const is = getComputedStyle(node).color;
  node.style.color = was;
  return is;
}
