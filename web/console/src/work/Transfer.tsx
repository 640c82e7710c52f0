// Handing over in two strokes: type a few letters, press Enter. Who cannot take it is shown with the reason, not hidden.

import { Command } from 'cmdk';
import { useState } from 'react';
import { api } from '../api/client';
import { act } from '../lib/act';
import { t, tCode } from '../lib/i18n';
import { useLive } from '../live/live';
import { Dialog, Since, State, Tabs } from '../ui/parts';
import type { Contact } from './contact';

type To = { kind: 'queue'; queue: string } | { kind: 'agent'; agent: string } | { kind: 'number'; number: string };

export type Way = 'blind' | 'consult';

/** `way` is how it was asked for; null while it was not. */
export function Transfer({ way, onClose, onDone, contact }: { way: Way | null; onClose: () => void; onDone: () => void; contact: Contact }) {
  return <Dialog open={way !== null} onClose={onClose} title={t('transfer.title')} wide><Targets contact={contact} first={way ?? 'blind'} onDone={onDone} /></Dialog>;
}

const rank: Record<string, number> = { ready: 0, not_ready: 1, away: 2, signed_out: 3 };

function Targets({ contact, first, onDone }: { contact: Contact; first: Way; onDone: () => void }) {
  const [text, setText] = useState('');
  const [asks, setAsks] = useState<Way>(first);
  const agents = useLive((l) => l.view.agents);
  const queues = useLive((l) => l.view.queues);
  const me = useLive((l) => l.me?.agent);
  const hand = async (to: To): Promise<void> => {
    const asked = { params: { path: { id: contact.id } }, body: { to } };
    if (asks === 'consult') {
      if (await act(api.POST('/api/v1/interactions/{id}/consult', asked), t('transfer.asked'))) onDone();
    } else if (await act(api.POST('/api/v1/interactions/{id}/transfer', asked), t('transfer.done'))) onDone();
  };
  const number = text.replace(/[\s().-]/g, '');
  const dialable = contact.channel === 'voice' && /^\+?[0-9*#]{2,}$/.test(number);
  const heading = '[&_[cmdk-group-heading]]:px-2 [&_[cmdk-group-heading]]:pt-2 [&_[cmdk-group-heading]]:text-[0.86rem] [&_[cmdk-group-heading]]:font-semibold [&_[cmdk-group-heading]]:text-soft';
  const row = 'flex min-h-10 items-center gap-3 rounded-md px-2 data-[disabled=true]:text-soft data-[selected=true]:bg-mine';
  return (
    <Command label={t('transfer.title')} loop>
      {contact.channel === 'voice' && <div className="mb-2" onKeyDown={(e) => { if (e.key === 'Enter') e.stopPropagation(); /* chooses the way, not the first in the list */ }}><Tabs label={t('transfer.how')} value={asks} onChange={setAsks} tabs={[['blind', 'transfer.blind'], ['consult', 'transfer.consult']]} /></div>}
      <Command.Input autoFocus value={text} onValueChange={setText} placeholder={t('transfer.hint')} className="field mb-2" />
      <Command.List className="max-h-[50vh] overflow-y-auto">
        <Command.Empty className="px-2 py-4 text-soft">{t('palette.none')}</Command.Empty>
        {dialable && (
          <Command.Group heading={t('transfer.number')} className={heading}>
            <Command.Item value={`number ${number}`} keywords={[text]} onSelect={() => void hand({ kind: 'number', number })} className={row}><span className="num">{text}</span></Command.Item>
          </Command.Group>
        )}
        <Command.Group heading={t('transfer.queue')} className={heading}>
          {Object.entries(queues).map(([id, q]) => (
            <Command.Item key={id} value={`queue ${id}`} keywords={[q.name]} onSelect={() => void hand({ kind: 'queue', queue: id })} className={row}>
              <span>{q.name || id}</span>
              <span className="num ml-auto text-soft">{t('transfer.wait', { waiting: q.waiting, free: q.free, on: q.signed_in })}{q.longest_since && <> · <Since at={q.longest_since} /></>}</span>
            </Command.Item>
          ))}
        </Command.Group>
        <Command.Group heading={t('transfer.agent')} className={heading}>
          {Object.entries(agents).filter(([id]) => id !== me).sort(([, a], [, b]) => (rank[a.state] ?? 9) - (rank[b.state] ?? 9)).map(([id, a]) => {
            const why = a.state === 'signed_out' ? tCode('state', 'signed_out') : contact.channel === 'voice' && !a.phone ? t('phone.off') : contact.channel !== 'voice' && !a.console ? t('transfer.noconsole') : null;
            return (
              <Command.Item key={id} value={`agent ${id}`} keywords={[a.name]} disabled={why !== null} onSelect={() => void hand({ kind: 'agent', agent: id })} className={row}>
                <span>{a.name || id}</span>
                <span className="ml-auto">{why ?? <State state={a.work[0]?.work ?? a.state} />}</span>
              </Command.Item>
            );
          })}
        </Command.Group>
      </Command.List>
    </Command>
  );
}
