// A recording: the customer above, the agent below, what happened marked, how it sounded on the same axis.
//
// Everything can be done with the keyboard: the position is a slider, marks are buttons. Nothing is fetched before somebody wants
// to hear it, for that is noted in the audit log.

import { useEffect, useMemo, useRef, useState } from 'react';
import type { components } from '../api/schema';
import type { Fact, Recording } from '../api/shapes';
import { t } from '../lib/i18n';
import { clock, dateTime } from '../lib/time';
import { useLive } from '../live/live';
import { Button } from '../ui/parts';
import { Course, INSET } from './Course';
import { marksOf, spansOf, type Span } from './marks';

/** Bars drawn across the width. */
const BARS = 480;
/** A longer recording is played without its wave: decoding it would take the browser's memory. */
const WAVE_MAX_MS = 45 * 60_000;
/** Below this both sides are silent; so long a silence is skipped, seconds. */
const QUIET = 0.02;
const QUIET_MIN_S = 2;
const SPEEDS = [1, 1.5, 2];

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

/** The two sides through a gain each; both reach both ears. */
function twoSides(audio: HTMLAudioElement): { context: AudioContext; sides: [GainNode, GainNode] } {
  const context = new AudioContext();
  const split = context.createChannelSplitter(2);
  context.createMediaElementSource(audio).connect(split);
  const side = (channel: number): GainNode => { const gain = context.createGain(); split.connect(gain, channel); gain.connect(context.destination); return gain; };
  return { context, sides: [side(0), side(1)] };
}

interface Props {
  interaction: string; recording: Recording; facts: Fact[]; legs: components['schemas']['QualityLeg'][];
  /** An instant somebody wants to hear, and how often they have asked: the same may be asked twice. */
  wish: { at: number; n: number } | null;
  /** Where it plays, milliseconds since 1970. */
  onHead: (at: number | null) => void;
}

export function Player({ interaction, recording: r, facts, legs, wish, onHead }: Props) {
  const url = `/api/v1/interactions/${encodeURIComponent(interaction)}/recording?recording=${encodeURIComponent(r.id)}`;
  const live = useLive((l) => l);
  const audio = useRef<HTMLAudioElement>(null);
  const mixer = useRef<ReturnType<typeof twoSides> | null>(null);
  const [peaks, setPeaks] = useState<Peaks | null>(null);
  const [wanted, setWanted] = useState(false);
  const [at, setAt] = useState(0);
  const [long, setLong] = useState((r.ms ?? 0) / 1000);
  const [speed, setSpeed] = useState(1);
  const [plays, setPlays] = useState(false);
  const [skips, setSkips] = useState(false);
  const [heard, setHeard] = useState<[boolean, boolean]>([true, true]);
  const [failed, setFailed] = useState(false);
  const began = Date.parse(r.began_at);
  const end = began + long * 1000;
  const start = useRef(0);
  useEffect(() => {
    if (!wanted || (r.ms ?? 0) > WAVE_MAX_MS) return;
    let gone = false;
    peaksOf(url).then((p) => { if (!gone) setPeaks(p); }, () => { if (!gone) setFailed(true); });
    return () => { gone = true; };
  }, [wanted, url, r.ms]);
  useEffect(() => { if (audio.current) audio.current.playbackRate = speed; }, [speed, wanted]);
  useEffect(() => () => { void mixer.current?.context.close(); }, []);
  useEffect(() => { mixer.current?.sides.forEach((g, n) => { g.gain.value = heard[n] ? 1 : 0; }); }, [heard]);
  const jump = (s: number): void => {
    const to = Math.max(0, Math.min(long, s));
    start.current = to;
    if (audio.current) audio.current.currentTime = to;
    setAt(to);
    onHead(began + to * 1000);
  };
  // The latest of what is used below, without asking again for what was asked.
  const here = useRef({ jump, end });
  here.current = { jump, end };
  const asked = wish?.n ?? 0;
  const wishAt = wish?.at ?? 0;
  useEffect(() => {
    if (asked === 0 || !r.ended_at || wishAt < began - 1000 || wishAt > here.current.end) return;
    setWanted(true);
    here.current.jump((wishAt - began) / 1000);
    void audio.current?.play().catch(() => {});
  }, [asked, wishAt, began, r.ended_at]);
  const marks = useMemo(() => marksOf(facts, live).filter((m) => m.at >= began - 500 && m.at <= end), [facts, live, began, end]);
  const spans = useMemo(() => spansOf(facts, end).filter((s) => s.to > began && s.from < end), [facts, began, end]);
  const lanes = useMemo(() => lanesOf(marks.map((m) => (m.at - began) / Math.max(1, end - began))), [marks, began, end]);
  const gaps = spans.filter((s) => s.kind === 'paused');
  const silence = useMemo(() => quietOf(peaks, long), [peaks, long]);
  const place = (ms: number): string => `${Math.max(0, Math.min(100, (100 * (ms - began)) / Math.max(1, end - began)))}%`;
  const mixed = (): void => {
    if (!audio.current || mixer.current) return void mixer.current?.context.resume();
    mixer.current = twoSides(audio.current);
    mixer.current.sides.forEach((g, n) => { g.gain.value = heard[n] ? 1 : 0; });
  };
  const moved = (s: number): void => {
    setAt(s);
    onHead(began + s * 1000);
    const quiet = skips ? silence.find(([a, b]) => s >= a && s < b - 0.4) : undefined;
    if (quiet && audio.current && !audio.current.paused) jump(quiet[1] - 0.3);
  };
  return (
    <section className="card mb-4 p-4" aria-label={t(r.voicemail ? 'state.voicemail' : 'calls.recording')}>
      <div className="mb-2 flex flex-wrap items-center gap-3">
        <h2 className="h">{t(r.voicemail ? 'state.voicemail' : 'calls.recording')}</h2>
        <span className="num text-soft">{dateTime(r.began_at)} · {r.ms ? clock(r.ms) : t('calls.recording.runs')}</span>
        {r.trouble && <span className="text-bad">⚠ {t('calls.recording.trouble', { why: r.trouble })}</span>}
        <span className="grow" />
        <a className="btn btn-small" href={url} download={`${r.id}.wav`}>{t('calls.download')}</a>
      </div>
      {!wanted ? <div className="flex flex-wrap items-center gap-3"><Button look="main" disabled={!r.ended_at} onClick={() => setWanted(true)}>▶ {t('calls.listen')}</Button><span className="text-soft">{t('play.audited')}</span></div> : (
        <>
          <audio ref={audio} src={url} autoPlay onPlay={() => { mixed(); setPlays(true); }} onPause={() => setPlays(false)} onTimeUpdate={(e) => moved(e.currentTarget.currentTime)}
            onLoadedMetadata={(e) => { if (Number.isFinite(e.currentTarget.duration)) setLong(e.currentTarget.duration); if (start.current) e.currentTarget.currentTime = start.current; }} />
          <div className="mb-2 flex flex-wrap items-center gap-2">
            <Button look="main" small className="min-w-24" onClick={() => { const a = audio.current; if (a) void (a.paused ? a.play().catch(() => {}) : a.pause()); }}><span aria-hidden="true">{plays ? '❚❚' : '▶'}</span>{t(plays ? 'play.stop' : 'play.play')}</Button>
            <Button small title={t('play.back')} onClick={() => jump(at - 10)}>−10 s</Button>
            <Button small title={t('play.on')} onClick={() => jump(at + 10)}>+10 s</Button>
            <span className="num">{t('play.at', { at: clock(at * 1000), long: clock(long * 1000) })}</span>
            <span className="grow" />
            <span role="group" aria-label={t('play.speed')} className="flex gap-1">{SPEEDS.map((x) => <Button key={x} small aria-pressed={speed === x} onClick={() => setSpeed(x)}>{x}×</Button>)}</span>
            <Button small aria-pressed={skips} disabled={!peaks} onClick={() => setSkips((s) => !s)}>{t('play.skip')}</Button>
            <span role="group" aria-label={t('play.hear')} className="flex gap-1">
              {(['play.customer', 'play.agent'] as const).map((key, n) => <Button key={key} small aria-pressed={heard[n] ?? true} onClick={() => setHeard((h) => (n === 0 ? [!h[0], h[1]] : [h[0], !h[1]]))}><span aria-hidden="true">{heard[n] ? '✓' : '✕'}</span>{t(key)}</Button>)}
            </span>
          </div>
          <div className="relative" style={{ marginLeft: INSET, marginRight: 1 }}>
            {marks.length > 0 && (
              <div role="group" aria-label={t('mark.list')} className="relative" style={{ height: `${1.8 * Math.max(...lanes.map((l) => l + 1))}rem` }}>
                {marks.map((m, n) => <button key={m.seq} type="button" className="absolute min-h-6 min-w-6 -translate-x-1/2 rounded bg-raised text-[0.8em] text-ink" style={{ left: place(m.at), top: `${1.8 * (lanes[n] ?? 0)}rem` }} title={m.what} onClick={() => jump((m.at - began) / 1000)} aria-label={t('mark.at', { what: m.what, at: clock(m.at - began) })}>{m.sign}</button>)}
              </div>
            )}
            <div className="relative">
              {spans.map((s) => <Stretch key={`${s.kind}${s.seq}`} span={s} left={place(s.from)} right={place(s.to)} />)}
              <Wave peaks={peaks} done={long ? at / long : 0} heard={heard} onJump={(part) => jump(part * long)} />
            </div>
            <input type="range" className="mt-1 h-6 w-full accent-(--accent)" aria-label={t('play.seek')} aria-valuetext={t('play.at', { at: clock(at * 1000), long: clock(long * 1000) })} min={0} max={Math.max(1, long)} step={1} value={at} onChange={(e) => jump(Number(e.target.value))} />
          </div>
          {failed && <p className="text-soft">{t('calls.nowave')}</p>}
          {gaps.length > 0 && <p className="text-rest"><span aria-hidden="true">◌ </span>{t('play.gaps')}: <span className="num">{gaps.map((g) => `${clock(g.from - began)}–${clock(Math.min(g.to, end) - began)}`).join(', ')}</span></p>}
        </>
      )}
      {r.ended_at && !r.voicemail && <Course legs={legs} axis={{ from: began, to: Math.max(end, began + 1000), marks, spans, head: wanted ? began + at * 1000 : null, ...(wanted ? { onJump: (ms: number) => jump((ms - began) / 1000) } : {}) }} />}
    </section>
  );
}

/** Marks side by side do not lie on each other: in which row each stands. */
function lanesOf(places: number[]): number[] {
  const last: number[] = [];
  return places.map((p) => {
    const free = last.findIndex((q) => p - q > 0.03);
    const lane = free >= 0 ? free : last.length;
    last[lane] = p;
    return lane;
  });
}

const STRETCH = { held: 'bg-hold/20', lost: 'bg-bad/20', paused: 'bg-[repeating-linear-gradient(45deg,var(--rest)_0_2px,transparent_2px_8px)] opacity-70' };
function Stretch({ span, left, right }: { span: Span; left: string; right: string }) {
  return <span aria-hidden="true" title={span.what} className={`pointer-events-none absolute inset-y-0 ${STRETCH[span.kind]}`} style={{ left, right: `calc(100% - ${right})` }} />;
}

/** Where nobody says anything for a while: from and to, seconds. */
function quietOf(peaks: Peaks | null, long: number): [number, number][] {
  if (!peaks || peaks.length === 0) return [];
  const found: [number, number][] = [];
  let since = -1;
  for (let bar = 0; bar <= BARS; bar++) {
    const quiet = bar < BARS && peaks.every((lane) => (lane[bar] ?? 0) < QUIET);
    if (quiet && since < 0) since = bar;
    if (!quiet && since >= 0) {
      const [a, b] = [(since / BARS) * long, (bar / BARS) * long];
      if (b - a >= QUIET_MIN_S) found.push([a, b]);
      since = -1;
    }
  }
  return found;
}

function Wave({ peaks, done, heard, onJump }: { peaks: Peaks | null; done: number; heard: [boolean, boolean]; onJump: (part: number) => void }) {
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
      draw.globalAlpha = heard[n] === false ? 0.35 : 1;
      lane.forEach((top, bar) => {
        const x = (bar / BARS) * node.width;
        draw.fillStyle = (bar / BARS < done ? played : rest) ?? '#888';
        const size = Math.max(1, top * (height - 6));
        draw.fillRect(x, n * height + (height - size) / 2, node.width / BARS - 0.6, size);
      });
    });
    draw.globalAlpha = 1;
  }, [peaks, done, heard]);
  return <canvas ref={canvas} width={1440} height={160} className="block h-28 w-full cursor-pointer rounded bg-bg" aria-hidden="true" onClick={(e) => { const box = e.currentTarget.getBoundingClientRect(); onJump((e.clientX - box.left) / box.width); }} />;
}

/** The colour a theme's variable has right now: a canvas does not know `light-dark()`. */
function resolve(node: HTMLElement, colour: string): string {
  const was = node.style.color;
  node.style.color = colour;
  const is = getComputedStyle(node).color;
  node.style.color = was;
  return is;
}
