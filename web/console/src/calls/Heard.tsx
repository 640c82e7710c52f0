// What was recorded of a contact, played where the contact is only mentioned: on a ticket. Fetched when somebody wants to hear it.

import { api, take } from '../api/client';
import type { Fact, InteractionDetail } from '../api/shapes';
import { t } from '../lib/i18n';
import { useLoad } from '../lib/load';
import { Trouble } from '../ui/parts';
import '../words/lists';
import { Player } from './Player';

const path = (id: string) => ({ params: { path: { id } } });

export default function Heard({ id }: { id: string }) {
  const one = useLoad(`interaction ${id}`, async () => (await take(api.GET('/api/v1/interactions/{id}', path(id)))) as unknown as InteractionDetail);
  const recordings = one.data?.recordings ?? [];
  const some = recordings.length > 0;
  const told = useLoad(some ? `facts ${id}` : null, async () => (await take(api.GET('/api/v1/interactions/{id}/timeline', { params: { path: { id }, query: { messages: false } } }))) as unknown as { facts: Fact[] });
  const sound = useLoad(some ? `sound ${id}` : null, () => take(api.GET('/api/v1/interactions/{id}/quality', path(id))));
  if (one.problem && !one.data) return <Trouble problem={one.problem} again={one.reload} />;
  if (!one.data) return null;
  if (!some) return <p className="card mb-3 px-4 py-3 text-soft">{t('ticket.play.none')}</p>;
  return recordings.map((r) => <Player key={r.id} interaction={id} recording={r} facts={told.data?.facts ?? []} legs={sound.data?.legs ?? []} wish={null} onHead={() => {}} />);
}
