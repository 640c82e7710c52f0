// A flow as a drawing. Nodes are buttons (they lead to their line), edges lines with their outcome; figures of the last days on
// top when they are wanted. Beside the drawing the same as a table, for whoever does not look.

import { useEffect, useMemo, useRef, useState } from 'react';
import type { components } from '../api/schema';
import { t, tCode, type Key } from '../lib/i18n';
import { Tabs } from '../ui/parts';
import { BOX, edgeOf, layout, type Drawing } from './layout';

export type Counts = components['schemas']['FlowCounts'];
const SIGNS: Record<string, string> = { say: '❝', gather: '⌨', branch: '◇', hours: '◷', queue: '☰', voicemail: '✉', transfer: '→', hangup: '■', return: '↩', http: '⇄', call: '⊞', set: '=', event: '✎' };
const DASH: Record<string, string> = { exhausted: '6 4', other_channel: '6 4', on_error: '2 4', on_hangup: '2 4' };

export function Graph({ drawing, counts, onPick, at }: { drawing: Drawing; counts: Counts | null; onPick: (line: number) => void; at?: string | null }) {
  const [as, setAs] = useState<'picture' | 'table'>('picture');
  const { spots, lanes, width, height } = useMemo(() => layout(drawing), [drawing]);
  // A drawing wider than its place is begun to be read where the flow begins.
  const paper = useRef<HTMLDivElement>(null);
  const begin = (spots.get(drawing.start)?.x ?? 0) + BOX.w / 2;
  useEffect(() => { if (paper.current) paper.current.scrollLeft = begin - paper.current.clientWidth / 2; }, [begin, as]);
  const times = new Map((counts?.edges ?? []).map((e) => [`${e.from} ${e.to}`, e.times]));
  const word = (e: Drawing['edges'][number]): string => (e.kind === 'exit' ? t('flows.key', { key: e.label }) : e.label || (e.kind === 'then' ? '' : tCode('edge', e.kind)));
  // What leads from one node to the same other is one line with all its outcomes.
  const lines = useMemo(() => {
    const all = new Map<string, Drawing['edges']>();
    for (const e of drawing.edges) all.set(`${e.from} ${e.to}`, [...(all.get(`${e.from} ${e.to}`) ?? []), e]);
    return [...all.values()];
  }, [drawing]);
  const label = (all: Drawing['edges']): string => [all.map((e) => word(e) || (all.length > 1 ? t('edge.then') : '')).filter(Boolean).join(', '), counts ? `${times.get(`${all[0]!.from} ${all[0]!.to}`) ?? 0}×` : ''].filter(Boolean).join(' · ');
  const dropped = (name: string, verb: string): number => (['hangup', 'return', 'queue', 'voicemail', 'transfer'].includes(verb) ? 0 : counts?.left[name] ?? 0);
  /** Where an edge goes at first: to a lane, or to its node. */
  const towards = (e: Drawing['edges'][number]): number => lanes.get(edgeOf(e.from, e.to))?.[0]?.x ?? (spots.get(e.to)?.x ?? 0) + BOX.w / 2;
  return (
    <div className="grid gap-2">
      <div><Tabs label={t('flows.shown')} value={as} onChange={setAs} tabs={[['picture', 'flows.picture' as Key], ['table', 'flows.table' as Key]] as const} /></div>
      {as === 'picture' ? (
        <div ref={paper} className="card max-h-[70vh] overflow-auto" tabIndex={0} role="region" aria-label={t('flows.drawing')}>
          <div className="relative mx-auto" style={{ width, height }}>
            <svg width={width} height={height} className="absolute inset-0" aria-hidden="true">
              <defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto-start-reverse"><path d="M0 0 8 4 0 8z" fill="var(--edge)" /></marker></defs>
              {lines.map((all, n) => {
                const e = all[0]!;
                const [a, b] = [spots.get(e.from), spots.get(e.to)];
                if (!a || !b) return null;
                const siblings = lines.filter((x) => x[0]!.from === e.from && (spots.get(x[0]!.to)?.y ?? 0) > a.y).sort((x, y) => towards(x[0]!) - towards(y[0]!));
                const down = b.y > a.y;
                const slot = (siblings.indexOf(all) + 1) / (siblings.length + 1);
                const [x1, y1] = down ? [a.x + BOX.w * slot, a.y + BOX.h] : [a.x + BOX.w, a.y + 16];
                const [x2, y2] = down ? [b.x + BOX.w / 2, b.y] : [b.x + BOX.w, b.y + BOX.h - 14];
                const bend = BOX.gapY / 2;
                const side = Math.max(x1, x2) + 36;
                // From its node through the lanes of the rows between to the other, upright where it meets any of them.
                const passes = lanes.get(edgeOf(e.from, e.to)) ?? [];
                const stops = [...passes.flatMap((p) => [{ ...p, to: p.y + BOX.h }]), { x: x2, y: y2, to: y2 }];
                const path = down ? `M${x1} ${y1}${stops.map((p, i) => { const [fx, fy] = i === 0 ? [x1, y1] : [stops[i - 1]!.x, stops[i - 1]!.to]; return `C${fx} ${fy + bend} ${p.x} ${p.y - bend} ${p.x} ${p.y}${p.to > p.y ? `V${p.to}` : ''}`; }).join('')}` : `M${x1} ${y1}C${side} ${y1} ${side} ${y2} ${x2} ${y2}`;
                const much = Math.min(5, 1.2 + Math.log10(1 + (times.get(`${e.from} ${e.to}`) ?? 0)));
                const soft = all.every((x) => x.kind in DASH);
                const text = label(all);
                return (
                  <g key={n}>
                    <path d={path} fill="none" stroke={all.every((x) => x.kind === 'on_error') ? 'var(--bad)' : 'var(--edge)'} strokeWidth={counts ? much : 1.4} strokeDasharray={soft ? DASH[e.kind]! : 'none'} markerEnd="url(#tip)" />
                    {text && <text x={down ? x1 + (stops[0]!.x - x1) * 0.12 : side - 8} y={down ? y1 + 14 + (siblings.indexOf(all) % 3) * 13 : (y1 + y2) / 2} textAnchor="middle" fontSize="11" fill="var(--soft)" stroke="var(--panel)" strokeWidth="3" paintOrder="stroke">{text.length > 30 ? `${text.slice(0, 29)}…` : text}</text>}
                  </g>
                );
              })}
            </svg>
            {drawing.nodes.map((n) => {
              const s = spots.get(n.name)!;
              const gone = dropped(n.name, n.verb);
              return (
                <button key={n.name} type="button" onClick={() => onPick(n.line)} title={t('flows.line', { n: n.line })} aria-current={at === n.name ? 'step' : undefined}
                  className={`absolute grid place-content-center border bg-panel px-2 text-center leading-tight hover:bg-raised aria-[current=step]:bg-mine aria-[current=step]:outline-2 aria-[current=step]:outline-accent ${n.name === drawing.start ? 'border-2 border-accent' : 'border-edge'} ${['hangup', 'return'].includes(n.verb) ? 'rounded-full' : 'rounded-lg'}`}
                  style={{ left: s.x, top: s.y, width: BOX.w, height: BOX.h }}>
                  <span className="truncate font-medium" style={{ maxWidth: BOX.w - 16 }}>{n.name}</span>
                  <span className="text-[0.82rem] text-soft"><span aria-hidden="true">{SIGNS[n.verb] ?? '·'} </span>{tCode('verb', n.verb)}{counts && <span className="num"> · {counts.nodes[n.name] ?? 0}×</span>}</span>
                  {gone > 0 && <span className="num text-[0.82rem] font-semibold text-bad">⚠ {t('flows.left', { n: gone })}</span>}
                </button>
              );
            })}
          </div>
        </div>
      ) : (
        <div className="card max-h-[70vh] overflow-auto" tabIndex={0} role="region" aria-label={t('flows.table')}>
          <table className="table">
            <caption className="sr-only">{t('flows.table')}</caption>
            <thead><tr><th scope="col">{t('flows.node')}</th><th scope="col">{t('flows.verb')}</th><th scope="col">{t('flows.ways')}</th>{counts && <><th scope="col">{t('flows.entered')}</th><th scope="col">{t('flows.dropped')}</th></>}</tr></thead>
            <tbody>{drawing.nodes.map((n) => (
              <tr key={n.name}>
                <td><button type="button" className="link" onClick={() => onPick(n.line)}>{n.name}</button></td><td>{tCode('verb', n.verb)}</td>
                <td>{lines.filter((all) => all[0]!.from === n.name).map((all) => `${label(all) || '·'} → ${all[0]!.to}`).join('; ')}</td>
                {counts && <><td className="num">{counts.nodes[n.name] ?? 0}</td><td className="num">{counts.left[n.name] ?? 0}</td></>}
              </tr>
            ))}</tbody>
          </table>
        </div>
      )}
    </div>
  );
}
