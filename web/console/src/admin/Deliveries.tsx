// What became of the events of one webhook: request and answer, telling again, giving up.

import { useEffect, useState } from 'react';
import { api, take, type Problem } from '../api/client';
import type { Delivery } from '../api/shapes';
import { act, notice, problemText } from '../lib/act';
import { t, tCode } from '../lib/i18n';
import { useLoad } from '../lib/load';
import { dateTime } from '../lib/time';
import { Button, Dialog, Empty, Label, Trouble } from '../ui/parts';
import { Sure } from '../ui/Sure';
import '../words/lists';

const PAGE = 50;
const SIGNS: Record<string, [string, string]> = { delivered: ['●', 'text-good'], waiting: ['…', 'text-warn font-semibold'], failed: ['✕', 'text-bad font-semibold'] };
/** What a field of local time holds, as an instant. */
const instant = (text: FormDataEntryValue | null): string | undefined => (text ? new Date(String(text)).toISOString() : undefined);

export function Deliveries({ name, changed }: { name: string; changed: () => void }) {
  const [state, setState] = useState('');
  const ask = async (before?: number): Promise<Delivery[]> =>
    (await take(api.GET('/api/v1/webhooks/{name}/deliveries', { params: { path: { name }, query: { limit: PAGE, ...(state ? { state } : {}), ...(before ? { before } : {}) } } }))).deliveries;
  const first = useLoad(`deliveries ${name} ${state}`, () => ask());
  const { reload } = first;
  const [more, setMore] = useState<Delivery[]>([]);
  const [open, setOpen] = useState<Delivery | null>(null);
  useEffect(() => { setMore([]); }, [state]);
  useEffect(() => { const again = setInterval(() => { if (!document.hidden) reload(); }, 5_000); return () => clearInterval(again); }, [reload]);
  const rows = [...(first.data ?? []), ...more];
  const last = rows.at(-1);
  const again = async (body: { seq: number } | { from: string; to?: string }): Promise<void> => {
    try {
      const { events } = await take(api.POST('/api/v1/webhooks/{name}/replay', { params: { path: { name } }, body }));
      notice(t('hooks.again.done', { n: events }));
      reload();
      changed();
    } catch (problem) { notice(problemText(problem as Problem), true); }
  };
  const look = async (seq: number): Promise<void> => {
    try { setOpen(await take(api.GET('/api/v1/webhooks/{name}/deliveries/{seq}', { params: { path: { name, seq } } }))); } catch (problem) { notice(problemText(problem as Problem), true); }
  };
  return (
    <section aria-label={t('hooks.log', { name })} className="mt-4">
      <h2 className="mb-2 font-semibold">{t('hooks.log', { name })}</h2>
      <div className="mb-3 flex flex-wrap items-end gap-4">
        <Label text={t('users.state')}>
          <select className="field" value={state} onChange={(e) => setState(e.target.value)}>
            <option value="">{t('hooks.log.all')}</option>
            {Object.keys(SIGNS).map((s) => <option key={s} value={s}>{tCode('delivery', s)}</option>)}
          </select>
        </Label>
        <form className="flex flex-wrap items-end gap-2" onSubmit={(e) => {
          e.preventDefault();
          const data = new FormData(e.currentTarget);
          const [from, to] = [instant(data.get('from')), instant(data.get('to'))];
          if (from) void again({ from, ...(to ? { to } : {}) });
        }}>
          <Label text={t('hooks.from')}><input className="field" type="datetime-local" name="from" required /></Label>
          <Label text={t('hooks.to')}><input className="field" type="datetime-local" name="to" /></Label>
          <Button type="submit">{t('hooks.again.span')}</Button>
        </form>
      </div>
      {first.problem && <Trouble problem={first.problem} again={reload} />}
      <div className="card overflow-x-auto">
        <table className="table">
          <caption className="sr-only">{t('hooks.log', { name })}</caption>
          <thead><tr><th scope="col">{t('hooks.when')}</th><th scope="col">{t('hooks.event')}</th><th scope="col">{t('users.state')}</th><th scope="col">{t('hooks.tries')}</th><th scope="col">{t('hooks.answer')}</th><th scope="col"><span className="sr-only">{t('users.do')}</span></th></tr></thead>
          <tbody>{rows.map((d) => {
            const [sign, colour] = SIGNS[d.state] ?? ['·', ''];
            return (
              <tr key={d.seq}>
                <td className="num whitespace-nowrap">{d.last_at ? dateTime(d.last_at) : '–'}</td>
                <td><code>{d.event}</code>{d.seq > 0 && <span className="text-soft num"> #{d.seq}</span>}</td>
                <td><span className={colour}><span aria-hidden="true">{sign} </span>{tCode('delivery', d.state)}</span>{d.due_at && d.last_at && <span className="block text-soft">{t('hooks.next', { at: dateTime(d.due_at) })}</span>}</td>
                <td className="num">{d.tries}</td>
                <td className="max-w-md truncate">{d.status ?? (d.last_at ? t('hooks.no.answer') : '–')}{d.took_ms != null && d.status != null && <span className="text-soft num"> {d.took_ms} ms</span>}{d.status == null && d.answer && <span className="block truncate text-soft">{d.answer}</span>}</td>
                <td className="text-right"><span className="inline-flex gap-1">
                  <Button small onClick={() => void look(d.seq)} aria-label={`${t('hooks.show')}: ${d.event} ${d.seq}`}>{t('hooks.show')}</Button>
                  {d.seq > 0 && d.state !== 'waiting' && <Button small onClick={() => void again({ seq: d.seq })} aria-label={`${t('hooks.again')}: ${d.event} ${d.seq}`}>{t('hooks.again')}</Button>}
                  {d.state === 'waiting' && <Sure small look="bad" title={`${t('hooks.give.up')}: ${d.event} #${d.seq}`} what={t('hooks.give.up.sure')} onSure={() => void act(api.DELETE('/api/v1/webhooks/{name}/deliveries/{seq}', { params: { path: { name, seq: d.seq } } })).then(() => { reload(); changed(); })} aria-label={`${t('hooks.give.up')}: ${d.event} ${d.seq}`}>{t('hooks.give.up')}</Sure>}
                </span></td>
              </tr>
            );
          })}</tbody>
        </table>
        {first.data && rows.length === 0 && <Empty>{t('hooks.log.none')}</Empty>}
      </div>
      {last && last.seq > 0 && rows.length >= PAGE && rows.length % PAGE === 0 && <div className="mt-3 text-center"><Button onClick={async () => { const page = await ask(last.seq); setMore((was) => [...was, ...page]); }}>{t('list.more')}</Button></div>}
      <Dialog wide open={open !== null} onClose={() => setOpen(null)} title={`${open?.event ?? ''} #${open?.seq ?? ''}`}>
        <h3 className="font-semibold">{t('hooks.request')}</h3>
        {open?.request
          ? <pre tabIndex={0} className="mb-3 overflow-x-auto whitespace-pre-wrap break-all rounded bg-raised p-2">{[open.request.line, ...open.request.headers, '', JSON.stringify(open.request.body, null, 2)].join('\n')}</pre>
          : <p className="mb-3 text-soft">{t('hooks.request.gone')}</p>}
        <h3 className="font-semibold">{t('hooks.answer')}</h3>
        <pre tabIndex={0} className="overflow-x-auto whitespace-pre-wrap break-all rounded bg-raised p-2">{[open?.status ?? t('hooks.no.answer'), open?.answer].filter(Boolean).join('\n')}</pre>
      </Dialog>
    </section>
  );
}
