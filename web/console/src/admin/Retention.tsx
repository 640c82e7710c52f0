// How long what is kept, with what would go before anything does; and what is held.

import { useState } from 'react';
import { api, take } from '../api/client';
import type { components } from '../api/schema';
import { notice, problemText } from '../lib/act';
import { t, type Key } from '../lib/i18n';
import { useLoad } from '../lib/load';
import { A } from '../lib/router';
import { dateTime } from '../lib/time';
import { Lift } from '../ui/Keep';
import { Button, Dialog, Empty, Trouble } from '../ui/parts';
import type { Problem } from '../api/client';

type Periods = components['schemas']['Periods'];
type Kind = keyof Periods;
type Shown = components['schemas']['RetentionShown'];

export function Retention() {
  const [draft, setDraft] = useState<Partial<Periods>>({});
  const [asking, setAsking] = useState(false);
  const [busy, setBusy] = useState(false);
  const [wrong, setWrong] = useState<Problem | null>(null);
  const kept = useLoad('retention', () => take(api.GET('/api/v1/retention', { params: { query: {} } })));
  const touched = kept.data !== undefined && Object.entries(draft).some(([k, v]) => v !== kept.data!.periods[k as Kind]);
  const tried = useLoad(touched ? `retention ${JSON.stringify(draft)}` : null, () => take(api.GET('/api/v1/retention', { params: { query: draft } })));
  const shown = (touched ? tried.data : kept.data) ?? kept.data;
  const fresh = !touched || (tried.data !== undefined && !tried.loading);
  const go = (shown?.kinds ?? []).filter((k) => k.would_go > 0);
  const apply = async (): Promise<void> => {
    if (!kept.data) return;
    setBusy(true);
    try {
      await take(api.PUT('/api/v1/retention', { body: { ...kept.data.periods, ...draft } }));
      notice(t('keep.done'));
      setDraft({});
      setWrong(null);
      kept.reload();
    } catch (error) { setWrong(error as Problem); } finally { setBusy(false); setAsking(false); }
  };
  if (!kept.data) return kept.problem ? <Trouble problem={kept.problem} again={kept.reload} /> : null;
  return (
    <div className="grid gap-6">
      <section className="grid gap-3" aria-label={t('admin.retention')}>
        <p className="text-soft">{t('keep.hint')}</p>
        {wrong && <p role="alert" className="rounded-lg bg-bad-fill px-4 py-2 text-bad">{problemText(wrong)}</p>}
        {tried.problem && touched && <Trouble problem={tried.problem} again={tried.reload} />}
        <Table shown={shown!} draft={draft} fresh={fresh} onChange={(kind, days) => setDraft((d) => ({ ...d, [kind]: days }))} />
        <div className="flex justify-end gap-2">
          {touched && <Button onClick={() => { setDraft({}); setWrong(null); }}>{t('config.undo')}</Button>}
          <Button look="main" disabled={!touched || !fresh || busy} onClick={() => setAsking(true)}>{t('keep.apply')}</Button>
        </div>
      </section>
      <Holds />
      <Dialog open={asking} onClose={() => setAsking(false)} title={t('keep.sure')}>
        {go.length === 0 ? <p>{t('keep.sure.none')}</p> : (
          <><p className="mb-2">{t('keep.sure.text')}</p>
            <ul className="list-disc pl-5">{go.map((k) => <li key={k.kind}>{t(`keep.${k.kind}` as Key)}: <b className="num">{k.would_go}</b></li>)}</ul></>
        )}
        <div className="mt-4 flex justify-end gap-2">
          <Button onClick={() => setAsking(false)}>{t('do.cancel')}</Button>
          <Button look={go.length > 0 ? 'bad' : 'main'} disabled={busy} onClick={() => void apply()}>{go.length > 0 ? t('keep.delete') : t('keep.apply')}</Button>
        </div>
      </Dialog>
    </div>
  );
}

function Table({ shown, draft, fresh, onChange }: { shown: Shown; draft: Partial<Periods>; fresh: boolean; onChange: (kind: Kind, days: number) => void }) {
  return (
    <div className="card overflow-x-auto">
      <table className="table">
        <caption className="sr-only">{t('admin.retention')}</caption>
        <thead><tr><th scope="col">{t('keep.kind')}</th><th scope="col">{t('keep.days')}</th><th scope="col">{t('keep.would')}</th><th scope="col">{t('keep.held')}</th></tr></thead>
        <tbody>{shown.kinds.map((k) => {
          const kind = k.kind as Kind;
          const days = draft[kind] ?? shown.periods[kind] ?? 0;
          return (
            <tr key={kind}>
              <th scope="row" className="text-left font-normal"><span className="text-[1rem] font-medium text-ink">{t(`keep.${kind}`)}</span><span className="block text-soft">{t(`keep.${kind}.of`)}</span></th>
              <td><input className="field num w-28" type="number" inputMode="numeric" min={0} max={36500} aria-label={`${t(`keep.${kind}`)}: ${t('keep.days')}`} placeholder="∞"
                value={days || ''} onChange={(e) => onChange(kind, Math.max(0, Math.trunc(Number(e.target.value) || 0)))} /></td>
              <td className="num" data-go={kind}>{days === 0 ? <span className="text-soft">{t('keep.ever')}</span> : fresh ? k.would_go : '…'}</td>
              <td className="num">{days === 0 || !fresh ? '–' : k.held}</td>
            </tr>
          );
        })}</tbody>
      </table>
    </div>
  );
}

const WHERE: Record<string, string> = { customer: '/customers', interaction: '/calls', ticket: '/tickets' };

function Holds() {
  const holds = useLoad('holds', () => take(api.GET('/api/v1/holds')));
  const [lifting, setLifting] = useState<{ kind: string; id: string } | null>(null);
  const rows = holds.data?.holds ?? [];
  return (
    <section className="grid gap-2" aria-label={t('hold.title')}>
      <h2 className="text-[1.05rem] font-semibold">{t('hold.title')}</h2>
      <p className="text-soft">{t('hold.hint')}</p>
      {holds.problem && <Trouble problem={holds.problem} again={holds.reload} />}
      <div className="card overflow-x-auto">
        {rows.length > 0 && (
          <table className="table">
            <caption className="sr-only">{t('hold.title')}</caption>
            <thead><tr><th scope="col">{t('hold.what')}</th><th scope="col">{t('hold.why')}</th><th scope="col">{t('hold.who')}</th><th scope="col">{t('hold.since')}</th><th scope="col">{t('users.do')}</th></tr></thead>
            <tbody>{rows.map((h) => (
              <tr key={`${h.kind} ${h.id}`}>
                <td><A className="link" href={`${WHERE[h.kind]}/${h.id}`}>{t(`hold.${h.kind}` as Key)}{h.number != null && <span className="num"> #{h.number}</span>} {h.name || <code>{h.id.slice(0, 8)}</code>}</A>{h.began && <span className="num block text-soft">{dateTime(h.began)}</span>}</td>
                <td>{h.reason}</td><td>{h.who}</td><td className="num whitespace-nowrap">{dateTime(h.at)}</td>
                <td><Button small onClick={() => setLifting(h)}>{t('hold.lift')}<span className="sr-only"> {h.reason}</span></Button></td>
              </tr>
            ))}</tbody>
          </table>
        )}
        {holds.data && rows.length === 0 && <Empty>{t('hold.none')}</Empty>}
      </div>
      <Lift of={lifting} onClose={() => setLifting(null)} onDone={holds.reload} />
    </section>
  );
}
