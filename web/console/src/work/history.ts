// What was said in a chat, by pages: the latest at first, and more when somebody reads upwards.

import { useCallback, useEffect, useRef, useState } from 'react';
import { api, take } from '../api/client';
import type { Fact, Message } from '../api/shapes';
import { forgotten } from '../lib/load';

/** Messages of one page. */
const PAGE = 100;

interface Page { interaction: string; messages: Message[]; earlier: boolean }
export interface History {
  messages: Message[];
  /** There are more before them. */
  earlier: boolean;
  /** Asks for them; true once they are there. */
  more: () => Promise<boolean>;
}

async function page(id: string, before?: number): Promise<Page> {
  return await take(api.GET('/api/v1/interactions/{id}/messages', { params: { path: { id }, query: { before: before ?? Number.MAX_SAFE_INTEGER, limit: PAGE } } })) as unknown as Page;
}

/** Older ones first, none twice. What does not reach to `next` is let go of: a hole would read as if nothing had been said in it. */
function join(was: Page | null, next: Page): Page {
  const first = next.messages[0]?.seq ?? 0;
  const last = was?.messages.at(-1)?.seq ?? 0;
  if (!was || was.interaction !== next.interaction || last + 1 < first) return next;
  const kept = was.messages.filter((m) => m.seq < first);
  const newer = was.messages.filter((m) => m.seq > (next.messages.at(-1)?.seq ?? 0));
  return { ...next, messages: [...kept, ...next.messages, ...newer], earlier: kept.length ? was.earlier : next.earlier };
}

/** What happened and what was said, as far as it is here, in one order. */
export function told(facts: Fact[], messages: Message[]): Fact[] {
  const said = messages.map((m): Fact => ({ type: 'fact', fact: 'message', seq: m.seq, at: m.at, message: m }));
  return [...facts.filter((f) => f.fact !== 'message'), ...said].sort((a, b) => Date.parse(a.at) - Date.parse(b.at));
}

/** The last ones looked at, so that who comes back to a contact sees it at once. */
const kept = new Map<string, Page>();
forgotten(() => kept.clear());

/** `id`: null where nothing is written. `fresh`: what came by the event socket. `up`: the line is there; when it comes back, what was missed is asked for. */
export function useHistory(id: string | null, fresh: Message[], up: boolean): History {
  const [, redraw] = useState(0);
  const asking = useRef(false);
  const put = useCallback((next: Page): void => {
    kept.delete(next.interaction);
    kept.set(next.interaction, next);
    if (kept.size > 20) kept.delete(kept.keys().next().value ?? '');
    redraw((n) => n + 1);
  }, []);
  useEffect(() => {
    // What cannot be read now is read when the line is back.
    if (id && up) void page(id).then((latest) => put(join(kept.get(id) ?? null, latest)), () => {});
  }, [id, up, put]);
  const now = id ? kept.get(id) : undefined;
  const more = useCallback(async (): Promise<boolean> => {
    const have = id ? kept.get(id) : undefined;
    if (!id || !have?.earlier || asking.current) return false;
    asking.current = true;
    try {
      const older = await page(id, have.messages[0]?.seq);
      const latest = kept.get(id);
      if (latest) put({ ...latest, messages: [...older.messages.filter((m) => m.seq < (latest.messages[0]?.seq ?? Infinity)), ...latest.messages], earlier: older.earlier });
      return true;
    } catch { return false; } finally { asking.current = false; }
  }, [id, put]);
  const last = now?.messages.at(-1)?.seq ?? 0;
  const news = fresh.filter((m) => m.seq > last);
  return { messages: now ? [...now.messages, ...news] : news, earlier: now?.earlier ?? false, more };
}
