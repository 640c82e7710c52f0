// Asking somebody before handing over: who is asked, whom one speaks with, and how it goes on.

import { api } from '../api/client';
import { act } from '../lib/act';
import { useActions } from '../lib/actions';
import { t, type Key } from '../lib/i18n';
import { agentName, queueName, useLive } from '../live/live';
import { Button, Since } from '../ui/parts';
import type { Contact } from './contact';

const HELPER: Record<string, Key> = { ringing: 'consult.helping', talking: 'consult.helping', held: 'consult.waiting', merged: 'consult.together' };
const STATES: Record<string, Key> = { ringing: 'consult.ringing', talking: 'consult.talking', held: 'consult.held', merged: 'consult.merged' };

export function Consult({ contact: c }: { contact: Contact }) {
  const live = useLive((l) => l);
  const asked = c.now?.consult;
  const mine = c.now !== undefined && c.now.agent === live.me?.agent;
  const path = { params: { path: { id: c.id } } };
  const talking = asked && asked.state !== 'ringing';
  const swap = (): void => void act(api.POST('/api/v1/interactions/{id}/consult/swap', path));
  const merge = (): void => void act(api.POST('/api/v1/interactions/{id}/consult/merge', path));
  const complete = (): void => void act(api.POST('/api/v1/interactions/{id}/consult/complete', path));
  const cancel = (): void => void act(api.POST('/api/v1/interactions/{id}/consult/cancel', path));
  useActions([
    mine && talking && asked.state !== 'merged' && { id: 'consult.swap', label: 'consult.swap', group: 'call', run: swap },
    mine && talking && asked.state !== 'merged' && { id: 'consult.merge', label: 'consult.merge', group: 'call', run: merge },
    mine && asked && { id: 'consult.complete', label: 'consult.complete', group: 'call', run: complete },
    mine && asked && { id: 'consult.cancel', label: 'consult.cancel', group: 'call', run: cancel },
  ]);
  const helping = asked?.helper !== undefined && asked?.helper !== null && asked.helper === live.me?.agent;
  if (!asked) return null;
  const name = asked.helper ? agentName(live, asked.helper) : asked.to.kind === 'agent' ? agentName(live, asked.to.agent) : asked.to.kind === 'queue' ? queueName(live, asked.to.queue) : asked.to.number;
  return (
    <div className="mt-2 flex flex-wrap items-center gap-2 rounded-lg bg-mine px-3 py-2" role="group" aria-label={t('consult.label')}>
      <p role="status" className="font-medium">{helping ? t(HELPER[asked.state] ?? 'consult.helping', { who: agentName(live, c.now?.agent) }) : t(STATES[asked.state] ?? 'consult.ringing', { who: name })} <Since at={asked.since} /></p>
      <span className="grow" />
      {mine && talking && asked.state !== 'merged' && (
        <>
          <Button className="min-h-10" onClick={swap}>{t('consult.swap')}</Button>
          <Button className="min-h-10" onClick={merge}>{t('consult.merge')}</Button>
        </>
      )}
      {mine && <Button look="main" className="min-h-10" onClick={complete}>{t('consult.complete')}</Button>}
      {mine && <Button className="min-h-10" onClick={cancel}>{t('consult.cancel')}</Button>}
    </div>
  );
}
