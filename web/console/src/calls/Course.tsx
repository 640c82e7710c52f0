// How each party sounded over time, on the axis of the recording where there is one; the same figures in a table.

import { useEffect, useMemo, useRef, useState } from 'react';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import type { components } from '../api/schema';
import { t, tCode, useLanguage, type Key } from '../lib/i18n';
import { watchPrefs } from '../lib/prefs';
import { clock } from '../lib/time';
import { agentName, useLive } from '../live/live';
import { Tabs } from '../ui/parts';
import type { Mark, Span } from './marks';

type Leg = components['schemas']['QualityLeg'];
type Columns = components['schemas']['QualityCourse'];
type Figure = 'mos' | 'loss' | 'jitter' | 'rtt' | 'concealed';
const COLUMN: Record<Figure, keyof Omit<Columns, 'from' | 'until_ms'>> = { mos: 'mos', loss: 'loss_percent', jitter: 'jitter_ms', rtt: 'rtt_ms', concealed: 'concealed_ms' };
const FIGURES = (['mos', 'loss', 'jitter', 'rtt', 'concealed'] as const).map((f) => [f, `sound.${f}` as Key] as const);
/** Each leg its own colour and its own dashes: colour alone would not do. */
const LOOKS: [colour: string, dash: number[]][] = [['--talking', []], ['--hold', [8, 4]], ['--rest', [2, 3]], ['--wrap', [10, 3, 2, 3]], ['--gone', [4, 4]]];
/** What the axis on the left takes: the wave above is set in by as much. */
export const INSET = 46;

/** Everything on one axis, seconds since `zero`; of each instant the figure of the span it lies in. */
function table(legs: Leg[], figure: Figure, zero: number): uPlot.AlignedData {
  const ends = legs.map((l) => { const from = Date.parse(l.course!.from) - zero; return [0, ...l.course!.until_ms].map((ms) => (from + ms) / 1000); });
  const at = [...new Set(ends.flat())].sort((a, b) => a - b);
  const rows = legs.map((l, n) => {
    const values = l.course![COLUMN[figure]];
    const own = ends[n]!;
    let i = 0;
    // The first place is where the first span begins.
    return at.map((x) => { while (i < own.length && own[i]! < x) i++; return x < own[0]! || i >= own.length ? null : values[Math.max(0, i - 1)] ?? null; });
  });
  return [at, ...rows] as uPlot.AlignedData;
}

interface Axis { from: number; to: number; marks: Mark[]; spans: Span[]; head?: number | null; onJump?: (at: number) => void }

export function Course({ legs: all, axis }: { legs: Leg[]; axis: Axis }) {
  const live = useLive((l) => l);
  const [figure, setFigure] = useState<Figure>('mos');
  const legs = useMemo(() => all.filter((l) => l.course), [all]);
  const name = (l: Leg): string => (l.role === 'agent' || l.role === 'helper' || l.role === 'supervisor' ? agentName(live, l.party) : l.party) || tCode('leg', l.role);
  if (all.length === 0) return null;
  const share = (l: Leg): string => { const due = l.packets_in + l.lost + l.discarded; return due > 0 ? `${((100 * (l.lost + l.discarded)) / due).toFixed(1)} %` : '–'; };
  const most = (values: (number | null)[] | undefined): string => { const known = (values ?? []).filter((v) => v !== null); return known.length ? Math.max(...known).toFixed(0) : '–'; };
  const score = (n: number | null | undefined): string => (n === null || n === undefined ? '–' : n.toFixed(2));
  return (
    <section aria-label={t('sound.title')} className="mt-3">
      <div className="mb-1 flex flex-wrap items-center gap-3">
        <h3 className="h">{t('sound.title')}</h3>
        {legs.length > 0 && <Tabs label={t('sound.which')} value={figure} onChange={setFigure} tabs={FIGURES} />}
      </div>
      {legs.length === 0 ? <p className="text-soft">{t('sound.none')}</p> : (
        <>
          <p className="mb-1 text-soft">{t(`sound.${figure}.is`)}</p>
          <Canvas legs={legs} figure={figure} axis={axis} names={legs.map(name).join('\n')} />
          <ul className="mt-1 flex flex-wrap gap-x-5" aria-hidden="true">
            {legs.map((l, n) => <li key={l.leg} className="flex items-center gap-2"><svg width="28" height="8"><line x1="0" x2="28" y1="4" y2="4" strokeWidth="2.5" stroke={`var(${LOOKS[n % LOOKS.length]![0]})`} strokeDasharray={LOOKS[n % LOOKS.length]![1].join(' ')} /></svg>{name(l)}</li>)}
          </ul>
        </>
      )}
      <div className="mt-2 overflow-x-auto" tabIndex={0} role="group" aria-label={t('sound.title')}>
        <table className="table">
          <caption className="sr-only">{t('sound.title')}</caption>
          <thead><tr>{(['sound.party', 'sound.mos', 'sound.worst', 'sound.peer', 'sound.loss', 'sound.jitter', 'sound.rtt', 'sound.concealed', 'sound.packets'] as const).map((k) => <th key={k} scope="col">{t(k)}</th>)}</tr></thead>
          <tbody>{all.map((l, n) => (
            <tr key={n}>
              <td className="font-medium">{name(l)} <span className="font-normal text-soft">{tCode('ladder.role', l.role)}</span></td>
              <td className="num">{score(l.mos_avg)}</td><td className="num">{score(l.mos_min)}</td><td className="num">{score(l.peer_mos)}</td><td className="num">{share(l)}</td>
              <td className="num">{l.course ? `${most(l.course.jitter_ms)} ms` : '–'}</td><td className="num">{l.course ? `${most(l.course.rtt_ms)} ms` : '–'}</td><td className="num">{l.concealed_ms} ms</td><td className="num">{l.packets_in}</td>
            </tr>
          ))}</tbody>
        </table>
      </div>
    </section>
  );
}

function Canvas({ legs, figure, axis, names }: { legs: Leg[]; figure: Figure; axis: Axis; names: string }) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const shown = useRef(axis);
  shown.current = axis;
  const speech = useLanguage();
  const [looks, again] = useState(0);
  useEffect(() => watchPrefs(() => again((n) => n + 1)), []);
  const { from, to, marks, spans } = axis;
  const data = useMemo(() => table(legs, figure, from), [legs, figure, from]);
  useEffect(() => {
    const node = box.current;
    if (!node) return;
    // A canvas knows no light-dark(): the colour is asked of an element that has it.
    const real = (name: string): string => { node.style.color = `var(${name})`; const c = getComputedStyle(node).color; node.style.color = ''; return c; };
    const [soft, line, hold, rest, bad] = ['--soft', '--line', '--hold', '--rest', '--bad'].map(real) as [string, string, string, string, string];
    const under = { held: hold, paused: rest, lost: bad };
    const grid = { stroke: soft, grid: { stroke: line, width: 1 }, ticks: { stroke: line, width: 1 } };
    const made = new uPlot({
      width: node.clientWidth, height: 170, padding: [8, 1, 0, 0], legend: { show: false }, cursor: { drag: { x: false, y: false }, y: false },
      scales: { x: { time: false, range: () => [0, (to - from) / 1000] }, y: { range: (_, __, top) => (figure === 'mos' ? [1, 4.5] : [0, Math.max(figure === 'loss' ? 5 : 20, (top ?? 0) * 1.1)]) } },
      axes: [{ ...grid, values: (_, ticks) => ticks.map((s) => clock(s * 1000)) }, { ...grid, size: INSET }],
      series: [{}, ...legs.map((_, n) => { const [colour, dash] = LOOKS[n % LOOKS.length]!; return { stroke: real(colour), width: 2, dash, paths: uPlot.paths.stepped!({ align: -1 }), points: { show: false } }; })],
      hooks: {
        drawClear: [(u) => {
          const { ctx, bbox } = u;
          ctx.save();
          for (const s of spans) {
            const [a, b] = [u.valToPos((Math.max(s.from, from) - from) / 1000, 'x', true), u.valToPos((Math.min(s.to, to) - from) / 1000, 'x', true)];
            if (b <= a) continue;
            ctx.globalAlpha = 0.18;
            ctx.fillStyle = under[s.kind];
            ctx.fillRect(a, bbox.top, b - a, bbox.height);
          }
          ctx.globalAlpha = 0.7;
          ctx.strokeStyle = soft;
          ctx.setLineDash([3, 3]);
          for (const m of marks) {
            if (m.at < from || m.at > to) continue;
            const x = Math.round(u.valToPos((m.at - from) / 1000, 'x', true)) + 0.5;
            ctx.beginPath();
            ctx.moveTo(x, bbox.top);
            ctx.lineTo(x, bbox.top + bbox.height);
            ctx.stroke();
          }
          ctx.restore();
        }],
      },
    }, data, node);
    plot.current = made;
    made.over.addEventListener('click', (e) => shown.current.onJump?.(from + (e.offsetX / made.over.clientWidth) * (to - from)));
    const fit = new ResizeObserver(() => made.setSize({ width: node.clientWidth, height: 170 }));
    fit.observe(node);
    return () => { fit.disconnect(); plot.current = null; made.destroy(); };
    // Marks and spans are new lists at each drawing of the page: what they hold is compared.
  }, [data, from, to, figure, names, speech, looks, JSON.stringify([marks, spans])]); // eslint-disable-line
  const head = axis.head ?? null;
  const part = head === null ? null : Math.min(1, Math.max(0, (head - from) / (to - from)));
  return (
    <div className="relative">
      <div ref={box} aria-hidden="true" className={`min-h-[170px] overflow-hidden ${axis.onJump ? 'cursor-pointer' : ''}`} />
      {part !== null && <span aria-hidden="true" className="pointer-events-none absolute bottom-8 top-2 w-0.5 bg-accent" style={{ left: `calc(${INSET}px + (100% - ${INSET + 1}px) * ${part})` }} />}
    </div>
  );
}
