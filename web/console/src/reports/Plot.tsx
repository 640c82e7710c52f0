// A plot over time. The same numbers stand in the table below it, for whoever does not look.

import { useEffect, useRef } from 'react';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';

export interface Line { label: string; values: (number | null)[]; colour: string; dash?: number[]; bars?: boolean }

export function Plot({ at, lines, label, max }: { at: number[]; lines: Line[]; label: string; max?: number }) {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const node = box.current;
    if (!node || at.length === 0) return;
    const style = getComputedStyle(node);
    const colour = (name: string): string => style.getPropertyValue(name).trim() || '#888';
    // Canvas knows no light-dark(): the colour is asked of an element that has it.
    const real = (name: string): string => { node.style.color = `var(${name})`; const c = getComputedStyle(node).color; node.style.color = ''; return c || colour(name); };
    const axis = { stroke: real('--soft'), grid: { stroke: real('--line'), width: 1 }, ticks: { stroke: real('--line'), width: 1 } };
    const plot = new uPlot({
      width: node.clientWidth, height: 200, cursor: { drag: { x: false, y: false } },
      // A single interval has no width of its own: an hour on both sides. (The library would give it years.)
      scales: { x: { time: true, range: () => (at.length > 1 ? [at[0]!, at.at(-1)!] : [at[0]! - 3600, at[0]! + 3600]) }, y: { range: (_, __, top) => [0, Math.max(1, max ?? top * 1.1)] } },
      axes: [axis, axis],
      series: [{}, ...lines.map((l) => ({
        label: l.label, stroke: real(l.colour), width: 2, ...(l.dash ? { dash: l.dash } : {}),
        ...(l.bars ? { fill: real(l.colour), paths: uPlot.paths.bars!({ size: [0.7, 40] }) } : { points: { show: at.length < 60 } }),
      }))],
    }, [at, ...lines.map((l) => l.values)] as uPlot.AlignedData, node);
    const fit = new ResizeObserver(() => plot.setSize({ width: node.clientWidth, height: 200 }));
    fit.observe(node);
    return () => { fit.disconnect(); plot.destroy(); };
  }, [at, lines, max]);
  return <figure className="card min-w-0 p-3"><figcaption className="h mb-1">{label}</figcaption><div ref={box} aria-hidden="true" className="min-h-[200px] overflow-hidden" /></figure>;
}
