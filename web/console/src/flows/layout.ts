// Where the nodes of a flow stand when it is drawn: in rows by their distance from the start, ordered so that edges cross little.

import type { components } from '../api/schema';

export type Drawing = components['schemas']['FlowDrawing'];
export interface Spot { name: string; x: number; y: number }
export const BOX = { w: 176, h: 52, gapX: 28, gapY: 62 };

export function layout(d: Drawing): { spots: Map<string, Spot>; width: number; height: number } {
  const out = new Map<string, string[]>();
  for (const e of d.edges) out.set(e.from, [...(out.get(e.from) ?? []), e.to]);
  // The row of a node is its longest way from the start, so that edges lead down; those that lead back to a node one came by are
  // left out of it. What nothing leads to (but errors and hang-ups do) comes last.
  const row = new Map<string, number>();
  const order: string[] = [];
  const [on, seen] = [new Set<string>(), new Set<string>()];
  const back = new Set<string>();
  const walk = (name: string): void => {
    seen.add(name);
    on.add(name);
    for (const to of out.get(name) ?? []) { if (on.has(to)) back.add(`${name} ${to}`); else if (!seen.has(to)) walk(to); }
    on.delete(name);
    order.unshift(name);
  };
  walk(d.start);
  for (const name of order) {
    const at = row.get(name) ?? 0;
    row.set(name, at);
    for (const to of out.get(name) ?? []) if (!back.has(`${name} ${to}`)) row.set(to, Math.max(row.get(to) ?? 0, at + 1));
  }
  const last = Math.max(0, ...row.values());
  for (const n of d.nodes) if (!row.has(n.name)) row.set(n.name, last + 1);
  const rows: string[][] = [];
  for (const n of d.nodes) (rows[row.get(n.name)!] ??= []).push(n.name);
  // A node stands below the middle of those that lead to it.
  const into = new Map<string, string[]>();
  for (const e of d.edges) if ((row.get(e.from) ?? 0) < (row.get(e.to) ?? 0)) into.set(e.to, [...(into.get(e.to) ?? []), e.from]);
  const place = new Map<string, number>();
  const settle = (names: string[]): void => names.forEach((name, i) => place.set(name, i - (names.length - 1) / 2));
  for (const names of rows) {
    const want = (name: string): number => { const from = (into.get(name) ?? []).map((f) => place.get(f) ?? 0); return from.length ? from.reduce((a, b) => a + b, 0) / from.length : 0; };
    names.sort((a, b) => want(a) - want(b));
    settle(names);
  }
  const widest = Math.max(1, ...rows.map((names) => names.length));
  const width = widest * (BOX.w + BOX.gapX) + BOX.gapX;
  const spots = new Map<string, Spot>();
  rows.forEach((names, y) => names.forEach((name) => spots.set(name, { name, x: width / 2 + place.get(name)! * (BOX.w + BOX.gapX) - BOX.w / 2, y: 16 + y * (BOX.h + BOX.gapY) })));
  return { spots, width, height: 32 + rows.length * (BOX.h + BOX.gapY) };
}
