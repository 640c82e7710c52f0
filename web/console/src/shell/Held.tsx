// A customer of mine who has been on hold for longer than the queue allows: said, and heard, until somebody takes them back.

import { useEffect, useState } from 'react';
import { api } from '../api/client';
import { act } from '../lib/act';
import { t } from '../lib/i18n';
import { A } from '../lib/router';
import { clock, now, onBeat } from '../lib/time';
import { myself, useLive } from '../live/live';
import { notes } from '../phone/sound';
import { Button, Since } from '../ui/parts';
import { soundOn } from './ring';

/** Heard again after so long, ms. */
const AGAIN = 20_000;

interface One { id: string; since: string; limit: number; who: string }

export function Held() {
  const told = useLive((l) => JSON.stringify((myself(l)?.work ?? []).flatMap((w): One[] => {
    const i = l.view.interactions[w.interaction];
    const limit = i?.queue ? l.view.queues[i.queue]?.hold_max_s ?? 0 : 0;
    return w.work === 'hold' && i && limit > 0 ? [{ id: w.interaction, since: i.held_since ?? w.since, limit, who: i.customer_name || i.from }] : [];
  })));
  const [late, setLate] = useState('');
  useEffect(() => onBeat(() => setLate((JSON.parse(told) as One[]).filter((h) => now() - Date.parse(h.since) > h.limit * 1000).map((h) => h.id).join(' '))), [told]);
  const up = useLive((l) => l.up);
  useEffect(() => {
    if (!late) return undefined;
    const sound = (): void => { if (soundOn()) notes([[523, 0], [392, 0.2]]); };
    sound();
    const again = setInterval(sound, AGAIN);
    return () => clearInterval(again);
  }, [late]);
  const ids = late.split(' ');
  const list = (JSON.parse(told) as One[]).filter((h) => ids.includes(h.id));
  return (
    <div role="alert">
      {list.map((h) => (
        <p key={h.id} className="flex flex-wrap items-center justify-center gap-3 bg-warn-fill px-4 py-1.5 font-medium text-warn">
          <span aria-hidden="true">❚❚</span>
          <A href={`/w/${h.id}`} className="link">{t('hold.long', { who: h.who, limit: clock(h.limit * 1000) })}</A>
          <span aria-hidden="true"><Since at={h.since} /></span>
          <Button small disabled={!up} onClick={() => void act(api.POST('/api/v1/interactions/{id}/hold', { params: { path: { id: h.id } }, body: { on: false } }))}>{t('do.unhold')}</Button>
        </p>
      ))}
    </div>
  );
}
