// Why this agent: the decision record, so that a person understands it.

import type { Decision, Verdict } from '../api/shapes';
import { t, tCode } from '../lib/i18n';
import { clock } from '../lib/time';
import { agentName, useLive } from '../live/live';

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

export function Why({ decision: d, most = 12 }: { decision: Decision; most?: number }) {
  const live = useLive((l) => l);
  const kept = d.kept_back ?? [];
  const left = Math.max(0, d.candidates.length - most) + d.candidates_omitted - kept.reduce((sum, [, n]) => sum + n, 0);
  return (
    <div>
      <p>{d.tie_break}</p>
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
