// The SIP messages of a call as a ladder: a column for each party, an arrow for each message; one opens as it went over the wire.

import { useState } from 'react';
import { api, take } from '../api/client';
import type { components } from '../api/schema';
import { t, tCode } from '../lib/i18n';
import { useLoad } from '../lib/load';
import { Button, Dialog, Empty, Trouble } from '../ui/parts';

type Kept = components['schemas']['Ladder'];
type Message = components['schemas']['LadderMessage'];

/** A pause that is worth a line of its own. */
const GAP_MS = 1_000;

export function Ladder({ interaction }: { interaction: string }) {
  // Looking is noted in the audit log: nothing is fetched before somebody wants to.
  const [wanted, setWanted] = useState(false);
  const read = useLoad(wanted ? `ladder ${interaction}` : null, () => take(api.GET('/api/v1/interactions/{id}/ladder', { params: { path: { id: interaction } } })) as Promise<Kept>);
  const url = `/api/v1/interactions/${encodeURIComponent(interaction)}/ladder?format=`;
  return (
    <section className="card mt-4 p-4" aria-label={t('ladder.title')}>
      <div className="mb-2 flex flex-wrap items-center gap-3">
        <h2 className="h">{t('ladder.title')}</h2>
        <span className="text-soft">{t('ladder.audited')}</span>
        <span className="grow" />
        {read.data && <a className="btn btn-small" href={`${url}text`} download={`${interaction}.txt`}>{t('ladder.text')}</a>}
        {read.data && <a className="btn btn-small" href={`${url}pcap`} download={`${interaction}.pcap`}>{t('ladder.pcap')}</a>}
      </div>
      {!wanted && <Button onClick={() => setWanted(true)}>{t('ladder.show')}</Button>}
      {wanted && read.problem?.status === 404 && <Empty>{t('ladder.none')}</Empty>}
      {wanted && read.problem && read.problem.status !== 404 && <Trouble problem={read.problem} again={read.reload} />}
      {read.data && <Drawn kept={read.data} />}
    </section>
  );
}

function Drawn({ kept }: { kept: Kept }) {
  const [open, setOpen] = useState<Message | null>(null);
  // The customer on the left of us, everybody else on the right: as the call came through the house.
  const left = kept.parties.filter((p) => p.role === 'customer');
  const columns = [...left, null, ...kept.parties.filter((p) => p.role !== 'customer')];
  const us = left.length;
  const place = (leg: number): number => columns.findIndex((c) => c?.leg === leg);
  const middle = (column: number): number => (100 * (column + 0.5)) / columns.length;
  const named = (column: number): string => columns[column]?.name ?? t('ladder.us');
  return (
    <div className="overflow-x-auto" tabIndex={0} role="group" aria-label={t('ladder.title')}>
      <div style={{ minWidth: `${11 + 11 * columns.length}rem` }}>
        <div className="sticky top-0 flex border-b border-line pb-1">
          <span className="w-44 shrink-0" />
          {columns.map((c, n) => (
            <span key={n} className="grow basis-0 truncate text-center">
              <span className="font-semibold">{named(n)}</span>{c && <span className="block text-[0.9em] text-soft">{tCode('ladder.role', c.role)}</span>}
            </span>
          ))}
        </div>
        <ol>
          {kept.messages.map((m, n) => {
            const them = place(m.leg);
            if (them < 0) return null;
            const [from, to] = m.sent ? [us, them] : [them, us];
            const pause = n > 0 ? m.after_ms - (kept.messages[n - 1]?.after_ms ?? 0) : 0;
            const after = `+${(m.after_ms / 1000).toFixed(3)}`;
            const at = m.at.slice(11, 23);
            const bad = m.status != null && m.status >= 400 && m.status !== 401 && m.status !== 407;
            return (
              <li key={n}>
                {pause >= GAP_MS && <p className="num flex items-center gap-2 py-0.5 text-soft"><span className="w-44 shrink-0 text-right">⋮</span>{t('ladder.gap', { s: (pause / 1000).toFixed(1) })}</p>}
                <button type="button" className="relative flex w-full items-stretch rounded text-left hover:bg-raised" onClick={() => setOpen(m)}>
                  <span className="sr-only">{t('ladder.step', { at, after, from: named(from), to: named(to), title: m.title })}</span>
                  <span className="num w-44 shrink-0 self-end pb-0.5 text-soft" aria-hidden="true">{at} <span className="float-right pr-2">{after}</span></span>
                  <span className="relative h-9 grow" aria-hidden="true">
                    {columns.map((_, c) => <span key={c} className="absolute inset-y-0 w-px bg-line" style={{ left: `${middle(c)}%` }} />)}
                    <span className={`absolute bottom-1.5 border-t-2 ${bad ? 'border-bad' : m.sent ? 'border-accent' : 'border-edge'}`}
                      style={{ left: `${Math.min(middle(from), middle(to))}%`, width: `${Math.abs(middle(to) - middle(from))}%` }}>
                      <span className={`absolute -top-[0.72rem] leading-none ${to > from ? '-right-0.5' : '-left-0.5'} ${bad ? 'text-bad' : m.sent ? 'text-accent' : 'text-edge'}`}>{to > from ? '▸' : '◂'}</span>
                    </span>
                    <span className={`absolute top-0 max-w-44 -translate-x-1/2 truncate bg-panel px-1 ${bad ? 'font-semibold text-bad' : ''}`}
                      style={{ left: `${middle(them > us ? them - 0.5 : them + 0.5)}%` }}>{m.title}</span>
                  </span>
                </button>
              </li>
            );
          })}
        </ol>
        {kept.dropped > 0 && <p className="text-soft">{t('ladder.dropped', { n: kept.dropped })}</p>}
      </div>
      <Dialog open={open !== null} onClose={() => setOpen(null)} wide title={open ? t('ladder.message', { title: open.title, at: open.at.slice(11, 23) }) : ''}>
        {open && <p className="num mb-2 text-soft">{open.transport} {open.sent ? `${open.local} → ${open.remote}` : `${open.remote} → ${open.local}`}</p>}
        {open && <pre className="overflow-x-auto whitespace-pre-wrap break-all rounded bg-raised p-3 font-mono text-[0.92em]" tabIndex={0}>{open.text}</pre>}
      </Dialog>
    </div>
  );
}
