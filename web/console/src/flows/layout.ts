// Where the nodes of a flow stand when it is drawn: in rows by their distance from the start, ordered so that edges cross little. An
// edge that passes rows has a place of its own in each of them, so that it runs between the nodes and not behind them.

import type { components } from '../api/schema';

export type Drawing = components['schemas']['FlowDrawing'];
export interface Spot { name: string; x: number; y: number }
export const BOX = { w: 176, h: 52, gapX: 28, gapY: 62 };
/** What a passing edge takes of a row, pixels. */
const LANE = 10;
export const edgeOf = (from: string, to: string): string => `${from} ${to}`;

/** `lanes`: by edge, where it passes the rows between its ends: x, and the row's upper side. */
export function layout(d: Drawing): { spots: Map<string, Spot>; lanes: Map<string, { x: number; y: number }[]>; width: number; height: number } {
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
  // A node stands below the middle of those that lead to it; a lane stands below what it comes from.
  const into = new Map<string, string[]>();
  const leads = (from: string, to: string): void => { into.set(to, [...(into.get(to) ?? []), from]); };
  const passing = new Map<string, string[]>();
  for (const edge of new Set(d.edges.map((e) => edgeOf(e.from, e.to)))) {
    const [from, to] = edge.split(' ') as [string, string];
    const [first, end] = [row.get(from) ?? 0, row.get(to) ?? 0];
    let before = from;
    for (let y = first + 1; y < end; y += 1) {
      const lane = `${edge} ${y}`;
      rows[y]!.push(lane);
      passing.set(edge, [...(passing.get(edge) ?? []), lane]);
      leads(before, lane);
      before = lane;
    }
    if (first < end) leads(before, to);
  }
  const place = new Map<string, number>();
  const wide = (name: string): number => (spotless(name) ? LANE : BOX.w);
  for (const names of rows) {
    const want = new Map(names.map((name) => { const from = (into.get(name) ?? []).map((f) => place.get(f) ?? 0); return [name, from.length ? from.reduce((a, b) => a + b, 0) / from.length : 0]; }));
    names.sort((a, b) => want.get(a)! - want.get(b)!);
    let right = -Infinity;
    for (const name of names) {
      const x = Math.max(want.get(name)!, right + BOX.gapX + wide(name) / 2);
      place.set(name, x);
      right = x + wide(name) / 2;
    }
    // What had to make room is to the right of where it would be: half of that is given to the left.
    const off = names.reduce((n, name) => n + place.get(name)! - want.get(name)!, 0) / Math.max(1, names.length);
    for (const name of names) place.set(name, place.get(name)! - off);
  }
  const [leftmost, rightmost] = [Math.min(...[...place].map(([name, x]) => x - wide(name) / 2)), Math.max(...[...place].map(([name, x]) => x + wide(name) / 2))];
  const at = (name: string): number => place.get(name)! - leftmost + BOX.gapX;
  const top = (y: number): number => 16 + y * (BOX.h + BOX.gapY);
  const spots = new Map<string, Spot>();
  rows.forEach((names, y) => names.filter((name) => !spotless(name)).forEach((name) => spots.set(name, { name, x: at(name) - BOX.w / 2, y: top(y) })));
  const lanes = new Map([...passing].map(([edge, names]) => [edge, names.map((name) => ({ x: at(name), y: top(Number(name.split(' ')[2])) }))]));
  // Room at the right for what leads back up.
  return { spots, lanes, width: rightmost - leftmost + 2 * BOX.gapX + 24, height: 32 + rows.length * (BOX.h + BOX.gapY) };
}

/** A lane's name has what a node's has not. */
const spotless = (name: string): boolean => name.includes(' ');
