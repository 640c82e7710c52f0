// A supervisor gives a waiting contact to somebody, or lets it wait elsewhere.

import { api } from '../api/client';
import { act } from '../lib/act';
import { t } from '../lib/i18n';
import { useLive } from '../live/live';
import { Dialog, State } from '../ui/parts';

export function Assign({ open, onClose, id, queue }: { open: boolean; onClose: () => void; id: string; queue: string | null }) {
  const agents = useLive((l) => l.view.agents);
  const queues = useLive((l) => l.view.queues);
  const on = Object.entries(agents).filter(([, a]) => a.state !== 'signed_out');
  const others = Object.entries(queues).filter(([other]) => other !== queue);
  const give = async (body: { agent: string } | { queue: string }, said: string): Promise<void> => {
    if (await act(api.POST('/api/v1/interactions/{id}/assign', { params: { path: { id } }, body }), said)) onClose();
  };
  return (
    <Dialog open={open} onClose={onClose} title={t('do.move')}>
      <h3 className="h mb-1">{t('assign.agents')}</h3>
      {on.length === 0 && <p className="text-soft">{t('assign.none')}</p>}
      <ul className="grid gap-1">
        {on.map(([agent, a]) => (
          <li key={agent}><button type="button" className="btn w-full justify-start" onClick={() => void give({ agent }, t('assign.done', { name: a.name || agent }))}>{a.name || agent}<span className="ml-auto"><State state={a.work[0]?.work ?? a.state} /></span></button></li>
        ))}
      </ul>
      {others.length > 0 && <h3 className="h mb-1 mt-4">{t('assign.queues')}</h3>}
      <ul className="grid gap-1">
        {others.map(([other, q]) => (
          <li key={other}><button type="button" className="btn w-full justify-start" onClick={() => void give({ queue: other }, t('assign.moved', { name: q.name || other }))}>{q.name || other}<span className="num ml-auto text-soft">{t('transfer.wait', { waiting: q.waiting, free: q.free, on: q.signed_in })}</span></button></li>
        ))}
      </ul>
    </Dialog>
  );
}
