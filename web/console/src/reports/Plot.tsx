// A plot over time. The same numbers stand in the table below it, for whoever does not look.

import { useEffect, useRef, useState } from 'react';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { useLanguage } from '../lib/i18n';
import { watchPrefs } from '../lib/prefs';
import { dateTime, day, timeOfDay } from '../lib/time';

export interface Line { label: string; values: (number | null)[]; colour: string; dash?: number[]; bars?: boolean }

const DAY_S = 86_400;
const stamp = (s: number): string => new Date(s * 1000).toISOString();
const figure = (n: number | null | undefined): string => (n === null || n === undefined ? '–' : String(Math.round(n * 10) / 10));

export function Plot({ at, lines, label, max }: { at: number[]; lines: Line[]; label: string; max?: number }) {
  const box = useRef<HTMLDivElement>(null);
  const told = useRef<HTMLUListElement>(null);
  const speech = useLanguage();
  // Painted once: another theme paints it anew.
  const [looks, again] = useState(0);
  useEffect(() => {
    const system = matchMedia('(prefers-color-scheme: dark)');
    const paint = (): void => again((n) => n + 1);
    system.addEventListener('change', paint);
    const stop = watchPrefs(paint);
    return () => { system.removeEventListener('change', paint); stop(); };
  }, []);
  useEffect(() => {
    const node = box.current;
    if (!node || at.length === 0) return;
    // Canvas knows no light-dark(): the colour is asked of an element that has it.
    const real = (name: string): string => { node.style.color = `var(${name})`; const c = getComputedStyle(node).color; node.style.color = ''; return c; };
    const axis = { stroke: real('--soft'), grid: { stroke: real('--line'), width: 1 }, ticks: { stroke: real('--line'), width: 1 } };
    /** Hours, and the day where it begins; days, where the ticks are that far apart. */
    const when = (_: uPlot, ticks: number[], __: number, ___: number, step: number): string[] => ticks.map((s, n) => {
      if (step >= DAY_S) return day(stamp(s));
      const time = timeOfDay(stamp(s));
      return n === 0 || time === '00:00' ? `${time}\n${day(stamp(s))}` : time;
    });
    const plot = new uPlot({
      width: node.clientWidth, height: 200, padding: [8, 22, 0, 0], legend: { show: false }, cursor: { drag: { x: false, y: false }, y: false },
      // A single interval has no width of its own: an hour on both sides. (The library would give it years.)
      scales: { x: { time: true, range: () => (at.length > 1 ? [at[0]!, at.at(-1)!] : [at[0]! - 3600, at[0]! + 3600]) }, y: { range: (_, __, top) => [0, Math.max(1, max ?? top * 1.1)] } },
      axes: [{ ...axis, values: when }, axis],
      series: [{}, ...lines.map((l) => ({
        label: l.label, stroke: real(l.colour), width: 2, ...(l.dash ? { dash: l.dash } : {}),
        ...(l.bars ? { fill: real(l.colour), paths: uPlot.paths.bars!({ size: [0.7, 40] }), points: { show: false } } : { points: { show: at.length < 60 } }),
      }))],
      hooks: {
        // The figures of where the pointer is, beside the names.
        setCursor: [(u) => {
          const here = u.cursor.idx ?? null;
          told.current?.querySelectorAll('b').forEach((place, n) => { place.textContent = here === null ? '' : n === 0 ? dateTime(stamp(at[here]!)) : figure(lines[n - 1]?.values[here]); });
        }],
      },
    }, [at, ...lines.map((l) => l.values)] as uPlot.AlignedData, node);
    const fit = new ResizeObserver(() => plot.setSize({ width: node.clientWidth, height: 200 }));
    fit.observe(node);
    return () => { fit.disconnect(); plot.destroy(); };
  }, [at, lines, max, speech, looks]);
  return (
    <figure className="card min-w-0 p-3">
      <figcaption className="h mb-1">{label}</figcaption>
      <div ref={box} aria-hidden="true" className="min-h-[200px] overflow-hidden" />
      <ul ref={told} aria-hidden="true" className="num mt-1 flex min-h-[1.5rem] flex-wrap items-center justify-center gap-x-4 text-[0.86rem] text-soft">
        <li className="empty:hidden"><b className="font-medium text-ink" /></li>
        {lines.map((l) => (
          <li key={l.label} className="flex items-center gap-1.5">
            <svg viewBox="0 0 20 10" className="w-5" stroke={`var(${l.colour})`} fill={`var(${l.colour})`}>
              {l.bars ? <rect x="5" y="0" width="10" height="10" stroke="none" /> : <line x1="0" y1="5" x2="20" y2="5" strokeWidth="2.5" {...(l.dash ? { strokeDasharray: l.dash.join(' ') } : {})} />}
            </svg>
            {l.label} <b className="font-semibold text-ink" />
          </li>
        ))}
      </ul>
    </figure>
  );
}
