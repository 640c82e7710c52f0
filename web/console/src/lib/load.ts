// Reading from the server: what was read before is shown at once, and replaced when the answer comes.

import { useCallback, useEffect, useRef, useState } from 'react';
import type { Problem } from '../api/client';

const kept = new Map<string, unknown>();
const MOST = 200;

export interface Loaded<T> { data: T | undefined; problem: Problem | null; loading: boolean; reload: () => void }

const others: (() => void)[] = [];
/** What else is to be forgotten then. */
export const forgotten = (how: () => void): void => { others.push(how); };
/** Forgets what was read: another person signs in. */
export const forget = (): void => { kept.clear(); for (const how of others) how(); };

export function useLoad<T>(key: string | null, read: () => Promise<T>): Loaded<T> {
  const [, redraw] = useState(0);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [loading, setLoading] = useState(false);
  const reader = useRef(read);
  reader.current = read;
  const current = useRef(key);
  current.current = key;
  const reload = useCallback(() => {
    if (key === null) return;
    setLoading(true);
    reader.current().then(
      (data) => {
        kept.delete(key);
        kept.set(key, data);
        if (kept.size > MOST) kept.delete(kept.keys().next().value ?? '');
        if (current.current === key) { setProblem(null); setLoading(false); redraw((n) => n + 1); }
      },
      (error: Problem) => { if (current.current === key) { setProblem(error); setLoading(false); } },
    );
  }, [key]);
  useEffect(() => { setProblem(null); reload(); }, [reload]);
  return { data: key === null ? undefined : (kept.get(key) as T | undefined), problem, loading, reload };
}
