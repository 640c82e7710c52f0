// Reports under a name: opened again with one press, and made by themselves over the day, week or month that has just ended.

import { useState } from 'react';
import { api, take } from '../api/client';
import { act } from '../lib/act';
import { t, type Key } from '../lib/i18n';
import { useLoad } from '../lib/load';
import { A } from '../lib/router';
import { dateTime } from '../lib/time';
import { queueName, useLive } from '../live/live';
import { Button, Dialog, Empty, Label, Trouble } from '../ui/parts';
import { Sure } from '../ui/Sure';

interface Asked { by: 'intervals' | 'agents'; step_min: number; span: string; queue?: string }

export function Saved({ asked, onChange }: { asked: Asked; onChange: () => void }) {
  const live = useLive((l) => l);
  const list = useLoad('saved reports', async () => (await take(api.GET('/api/v1/reports/saved'))).reports);
  const [keeping, setKeeping] = useState(false);
  const changed = (): void => { list.reload(); onChange(); };
  return (
    <section className="card p-4" aria-label={t('saved.title')}>
      <div className="mb-2 flex flex-wrap items-center gap-3"><h2 className="h">{t('saved.title')}</h2><span className="grow" /><Button small onClick={() => setKeeping(true)}>{t('saved.keep')}</Button></div>
      {list.problem && <Trouble problem={list.problem} again={list.reload} />}
      {list.data?.length === 0 && <Empty>{t('saved.none')}</Empty>}
      <ul className="grid gap-3">{list.data?.map((r) => (
        <li key={r.name} className="grid gap-1 border-b border-line pb-2 last:border-0 last:pb-0">
          <div className="flex flex-wrap items-center gap-x-4 gap-y-1">
            <A className="link font-medium" href={`/reports?${new URLSearchParams({ span: r.span, step: String(r.step_min), by: r.by, ...(r.queue ? { queue: r.queue } : {}) })}`}>{r.name}</A>
            <span className="text-soft">{t(r.by === 'agents' ? 'reports.agents' : 'reports.intervals')}{r.queue ? ` · ${queueName(live, r.queue)}` : ''} · {r.owner}</span>
            <span>{r.schedule ? t(`saved.${r.schedule.every}` as Key, { hour: `${String(r.schedule.hour).padStart(2, '0')}:00` }) : t('saved.never')}</span>
            <span className="grow" />
            <Sure small look="bad" title={`${t('saved.forget')} ${r.name}`} what={t('saved.forget.sure')} onSure={() => void act(api.DELETE('/api/v1/reports/saved/{name}', { params: { path: { name: r.name } } }), t('saved.gone', { name: r.name })).then(changed)}>{t('saved.forget')}<span className="sr-only"> {r.name}</span></Sure>
          </div>
          {r.files.length > 0 && (
            <details><summary>{t('saved.files', { n: r.files.length })}</summary>
              <ul className="mt-1 flex flex-wrap gap-x-4 gap-y-1">{r.files.map((f) => <li key={f.due_at}><a className="link num" download href={`/api/v1/reports/saved/${encodeURIComponent(r.name)}/${encodeURIComponent(f.due_at)}`}>{t('saved.span', { from: dateTime(f.from), to: dateTime(f.to) })}</a></li>)}</ul>
            </details>
          )}
        </li>
      ))}</ul>
      <Dialog open={keeping} onClose={() => setKeeping(false)} title={t('saved.keep')}>
        <form className="grid gap-3" onSubmit={(e) => {
          e.preventDefault();
          const data = new FormData(e.currentTarget);
          const every = String(data.get('every'));
          const name = String(data.get('name')).trim();
          const schedule = every ? { schedule: { every, hour: Number(data.get('hour')) } } : {};
          void act(api.PUT('/api/v1/reports/saved/{name}', { params: { path: { name } }, body: { ...asked, ...schedule } }), t('saved.kept', { name })).then((done) => { if (done) { setKeeping(false); changed(); } });
        }}>
          <p className="text-soft">{t('saved.what')}</p>
          <Label text={t('saved.name')} hint={t('users.hint')}><input className="field" name="name" required maxLength={64} pattern="[a-z0-9_.\-]+" autoFocus autoCapitalize="none" spellCheck={false} /></Label>
          <Label text={t('saved.every')}><select className="field" name="every"><option value="">{t('saved.never')}</option>{['day', 'week', 'month'].map((x) => <option key={x} value={x}>{t(`saved.every.${x}` as Key)}</option>)}</select></Label>
          <Label text={t('saved.hour')}><input className="field" name="hour" type="number" min={0} max={23} defaultValue={6} /></Label>
          <Button look="main" type="submit">{t('saved.keep')}</Button>
        </form>
      </Dialog>
    </section>
  );
}
