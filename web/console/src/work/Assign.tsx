// A supervisor gives a waiting contact to somebody.

import { api } from '../api/client';
import { act } from '../lib/act';
import { t } from '../lib/i18n';
import { useLive } from '../live/live';
import { Dialog, State } from '../ui/parts';

export function Assign({ open, onClose, id }: { open: boolean; onClose: () => void; id: string }) {
  const agents = useLive((l) => l.view.agents);
  const on = Object.entries(agents).filter(([, a]) => a.state !== 'signed_out');
  return (
    <Dialog open={open} onClose={onClose} title={t('do.assign')}>
      {on.length === 0 && <p className="text-soft">{t('assign.none')}</p>}
      <ul className="grid gap-1">
        {on.map(([agent, a]) => (
          <li key={agent}>
            <button type="button" className="btn w-full justify-start" onClick={async () => {
              if (await act(api.POST('/api/v1/interactions/{id}/assign', { params: { path: { id } }, body: { agent } }), t('assign.done', { name: a.name || agent }))) onClose();
            }}>{a.name || agent}<span className="ml-auto"><State state={a.work[0]?.work ?? a.state} /></span></button>
          </li>
        ))}
      </ul>
    </Dialog>
  );
}
