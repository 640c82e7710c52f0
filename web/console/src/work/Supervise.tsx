// Listening, whispering, taking part, taking over: one control that says what each does, and changes without calling anew.

import { api } from '../api/client';
import type { InteractionNow } from '../api/shapes';
import { act, notice } from '../lib/act';
import { useActions, type Action } from '../lib/actions';
import { t, type Key } from '../lib/i18n';
import { go } from '../lib/router';
import { agentName, liveNow, myself, supervises, useLive } from '../live/live';
import { showPhone } from '../phone/Chip';
import { kind, phoneThere } from '../phone/state';

type Mode = 'listen' | 'whisper' | 'barge';
const MODES: readonly (readonly [Mode, Key, Key, string])[] = [
  ['listen', 'sup.listen', 'sup.listen.more', '◌'],
  ['whisper', 'sup.whisper', 'sup.whisper.more', '◐'],
  ['barge', 'sup.barge', 'sup.barge.more', '●'],
];
const path = (id: string) => ({ params: { path: { id } } });

/** A call needs a phone: this browser's is opened if that is where mine rings. */
async function reachable(i: InteractionNow): Promise<boolean> {
  if (i.channel !== 'voice' || myself(liveNow())?.phone) return true;
  if (kind() === null) { showPhone(); return false; }
  if (await phoneThere()) return true;
  notice(t('sup.nophone'), true);
  return false;
}

const begin = async (id: string, i: InteractionNow, mode: Mode): Promise<void> => {
  if (await reachable(i)) await act(api.POST('/api/v1/interactions/{id}/supervise', { ...path(id), body: { mode } }));
};
const leave = (id: string): Promise<boolean> => act(api.DELETE('/api/v1/interactions/{id}/supervise', path(id)));
const takeOver = async (id: string, i: InteractionNow): Promise<void> => {
  if ((await reachable(i)) && (await act(api.POST('/api/v1/interactions/{id}/take-over', { ...path(id), body: {} })))) go(`/w/${id}`);
};

/** Who waits, or is offered to somebody, becomes mine. */
const pull = async (id: string, i: InteractionNow): Promise<void> => {
  if ((await reachable(i)) && (await act(api.POST('/api/v1/interactions/{id}/pull', { ...path(id), body: {} })))) go(`/w/${id}`);
};

export function Pull({ id, i, small = false }: { id: string; i: InteractionNow | undefined; small?: boolean }) {
  const may = useLive((l) => supervises(l) && l.me?.agent != null);
  const up = useLive((l) => l.up);
  const can = may && i !== undefined && (i.stage === 'waiting' || i.stage === 'offered');
  useActions([can && !small && { id: 'call.pull', label: 'do.pull', group: 'call', run: () => void pull(id, i) }]);
  if (!can) return null;
  return <button type="button" disabled={!up} title={t('do.pull.more')} className={`btn ${small ? 'btn-small' : 'min-h-10'}`} onClick={() => void pull(id, i)}>{t('do.pull')}{small && <span className="sr-only"> {i.customer_name || i.from}</span>}</button>;
}

/** Whether this contact can be supervised by me now: somebody else talks with the customer. */
function useWatching(i: InteractionNow | undefined): { can: boolean; mine: Mode | null; joined: boolean } {
  const may = useLive(supervises);
  const me = useLive((l) => l.me?.agent ?? null);
  const mine = i?.supervisors.find((s) => s.supervisor === me);
  const can = may && me !== null && i !== undefined && ['talking', 'hold'].includes(i.stage) && i.agent !== me;
  return { can, mine: (mine?.mode as Mode | undefined) ?? null, joined: mine?.joined ?? false };
}

/** The control itself; `small` on the wallboard, where there is one a row. */
export function Supervise({ id, i, small = false }: { id: string; i: InteractionNow | undefined; small?: boolean }) {
  const { can, mine, joined } = useWatching(i);
  const up = useLive((l) => l.up);
  const who = i?.customer_name || i?.from || '';
  const actions: (Action | false)[] = i && !small && can
    ? [...MODES.map(([mode, label]): Action | false => mode !== mine && { id: `sup.${mode}`, label, group: 'call', run: () => void begin(id, i, mode) }),
      { id: 'sup.takeover', label: 'sup.takeover', group: 'call', run: () => void takeOver(id, i) },
      mine !== null && { id: 'sup.leave', label: 'sup.leave', group: 'call', run: () => void leave(id) }]
    : [];
  useActions(actions);
  if (!can || !i) return null;
  const size = small ? 'min-h-7 px-2 text-[0.92em]' : 'min-h-9 px-3';
  return (
    <div className="grid gap-1">
      <div role="group" aria-label={t('sup.label', { who })} className="inline-flex flex-wrap items-center gap-1">
        <span className="inline-flex rounded-lg border border-line bg-raised p-0.5">
          {MODES.map(([mode, label, more, sign]) => (
            <button key={mode} type="button" disabled={!up} aria-pressed={mine === mode} title={t(more)} onClick={() => void (mine === mode ? leave(id) : begin(id, i, mode))}
              className={`inline-flex items-center gap-1 rounded-md font-medium disabled:text-soft aria-pressed:bg-mine aria-pressed:shadow-sm aria-pressed:outline aria-pressed:outline-accent ${size}`}>
              <span aria-hidden="true" className="text-[0.8em]">{sign}</span>{t(label)}
            </button>
          ))}
        </span>
        <button type="button" disabled={!up} title={t('sup.takeover.more')} onClick={() => void takeOver(id, i)} className={`btn ${small ? 'btn-small' : ''}`}>{t('sup.takeover')}</button>
        {mine && <button type="button" disabled={!up} onClick={() => void leave(id)} className={`btn ${small ? 'btn-small' : ''}`}>{t('sup.leave')}</button>}
      </div>
      {!small && <p role="status" className="text-[0.92em] text-soft">{mine ? (joined ? t(MODES.find(([m]) => m === mine)?.[2] ?? 'sup.listen.more') : t('sup.calling')) : t('sup.hint')}</p>}
    </div>
  );
}

/** Who else is on the call: one reads at a glance who hears and who speaks. */
export function Watchers({ i }: { i: InteractionNow | undefined }) {
  const live = useLive((l) => l);
  if (!i || i.supervisors.length === 0) return null;
  return (
    <span className="inline-flex flex-wrap gap-1.5">
      {i.supervisors.map((s) => {
        const [, label, more, sign] = MODES.find(([m]) => m === s.mode) ?? MODES[0]!;
        return <span key={s.supervisor} className="chip" title={t(more)}><span aria-hidden="true">{sign}</span>{agentName(live, s.supervisor)}: {t(label)}{!s.joined && ' …'}</span>;
      })}
    </span>
  );
}
