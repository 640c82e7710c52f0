// Why this agent: the decision record, so that a person understands it.

import type { Decision, Verdict } from '../api/shapes';
import { t, tCode } from '../lib/i18n';
import { hasWord } from '../words';
import { clock, exactTime } from '../lib/time';
import { agentName, useLive, type Live } from '../live/live';

function reason(verdict: Verdict, at: string): string {
  if ('eligible' in verdict) {
    return verdict.eligible.map(([measure, n]) => `${tCode('why', measure)} ${measure === 'idle_since' ? clock(Date.parse(at) - n / 1000) : n}`).join(', ');
  }
  const f = verdict.filtered;
  if (typeof f === 'string') return tCode('why', f);
  const [kind, more] = Object.entries(f)[0] ?? ['', ''];
  const detail = typeof more === 'object' && more !== null ? Object.entries(more).map(([k, v]) => `${k} ${String(v)}`).join(', ') : String(more);
  return `${tCode('why', kind)}${detail ? `: ${detail}` : ''}`;
}

/** Of these measures more is better; of the others less. */
const MORE = ['skill_sum'];

/** What decided between the agents, from the record itself: the server's sentence is English, and names ids. */
function sentence(d: Decision, live: Live): string {
  const name = (id: string): string => agentName(live, id) || id;
  const able = d.candidates.flatMap((c) => ('eligible' in c.verdict ? [{ agent: c.agent, score: c.verdict.eligible }] : []));
  if (d.strategy === 'ring_all' && !d.kept_for) return t('why.level.ring_all', { n: Math.max(d.able ?? 0, able.length) });
  if (d.kept_for === d.agent) return t('why.level.kept', { first: name(d.agent) });
  const differ = (a: [string, number][], b: [string, number][]): number => a.findIndex(([, n], i) => b[i] !== undefined && b[i][1] !== n);
  const [first, second] = able.toSorted((a, b) => {
    const at = differ(a.score, b.score);
    const [measure, x] = a.score[at] ?? ['', 0];
    const y = b.score[at]?.[1] ?? 0;
    return at < 0 ? (a.agent < b.agent ? -1 : 1) : MORE.includes(measure) ? y - x : x - y;
  });
  if (!first || !second) return t('why.level.only', { first: name(d.agent) });
  const names = { first: name(first.agent), second: name(second.agent) };
  const at = differ(first.score, second.score);
  const [measure, x] = first.score[at] ?? ['', 0];
  const y = second.score[at]?.[1] ?? 0;
  if (at < 0) return t('why.level.equal', names);
  const shown = (n: number): string => (measure === 'idle_since' ? exactTime(new Date(n / 1000).toISOString()) : String(n));
  const key = `why.level.${measure}`;
  return hasWord(key) ? t(key, { ...names, x: shown(x), y: shown(y) }) : d.tie_break;
}

export function Why({ decision: d, most = 12 }: { decision: Decision; most?: number }) {
  const live = useLive((l) => l);
  const kept = d.kept_back ?? [];
  const left = Math.max(0, d.candidates.length - most) + d.candidates_omitted - kept.reduce((sum, [, n]) => sum + n, 0);
  return (
    <div>
      <p>{sentence(d, live)}</p>
      {d.needs.length > 0 && <p className="text-soft">{t('why.needs')} {d.needs.map(([skill, level]) => `${skill} ≥ ${level}`).join(', ')}</p>}
      <ol className="mt-1.5 grid gap-1">
        {d.candidates.slice(0, most).map((c) => {
          const chosen = c.agent === d.agent;
          return (
            <li key={c.agent} className="grid grid-cols-[1rem_1fr] gap-1.5">
              <span aria-hidden="true" className={chosen ? 'text-good' : 'text-soft'}>{chosen ? '✓' : 'eligible' in c.verdict ? '○' : '✕'}</span>
              <span><span className={chosen ? 'font-semibold' : ''}>{agentName(live, c.agent)}</span>{chosen && <span className="sr-only"> {t('why.chosen')}</span>} <span className="text-soft">{reason(c.verdict, d.at)}</span></span>
            </li>
          );
        })}
      </ol>
      {kept.length > 0 && <p className="text-soft">{kept.map(([why, n]) => `${tCode('why', why)}: ${n}`).join(', ')}</p>}
      {left > 0 && <p className="text-soft">{t('why.more', { n: left })}</p>}
    </div>
  );
}
