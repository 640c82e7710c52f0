// Who did what, newest first.

import { useState } from 'react';
import { api, take } from '../api/client';
import type { AuditEntry } from '../api/shapes';
import { t, tCode } from '../lib/i18n';
import { useLoad } from '../lib/load';
import { dateTime } from '../lib/time';
import { Button, Empty, Trouble } from '../ui/parts';
import { Diff } from './Diff';

const PAGE = 100;
/** In words, where there are any. */
const what = (code: string): string => { const told = tCode('did', code); return told === code.replaceAll('_', ' ') ? '' : told; };

export function Audit() {
  const ask = async (before?: number): Promise<AuditEntry[]> =>
    ((await take(api.GET('/api/v1/audit', { params: { query: { limit: PAGE, ...(before ? { before } : {}) } } }))) as unknown as { entries: AuditEntry[] }).entries;
  const first = useLoad('audit', () => ask());
  const [more, setMore] = useState<AuditEntry[]>([]);
  const [end, setEnd] = useState(false);
  const [filter, setFilter] = useState('');
  const rows = [...(first.data ?? []), ...more];
  const word = filter.toLowerCase();
  const shown = rows.filter((e) => `${e.who} ${e.what} ${what(e.what)} ${e.subject}`.toLowerCase().includes(word));
  const last = rows.at(-1);
  return (
    <>
      <input type="search" className="field mb-3 w-72" value={filter} onChange={(e) => setFilter(e.target.value)} aria-label={t('list.filter')} placeholder={t('list.filter')} />
      {first.problem && <Trouble problem={first.problem} again={first.reload} />}
      <div className="card overflow-x-auto">
        <table className="table">
          <caption className="sr-only">{t('admin.audit')}</caption>
          <thead><tr><th scope="col">{t('calls.when')}</th><th scope="col">{t('audit.who')}</th><th scope="col">{t('audit.what')}</th><th scope="col">{t('audit.subject')}</th><th scope="col">{t('audit.change')}</th></tr></thead>
          <tbody>{shown.map((e) => (
            <tr key={e.n}>
              <td className="num whitespace-nowrap">{dateTime(e.at)}</td><td>{e.who}</td><td>{what(e.what)}<code className="block text-[0.86em] text-soft">{e.what}</code></td><td className="break-all">{e.subject}</td>
              <td className="max-w-xl">{e.after?.includes('\n') ? <details><summary className="link">{t('audit.show')}</summary><Diff text={e.after} /></details> : [e.before, e.after].filter(Boolean).join(' → ')}</td>
            </tr>
          ))}</tbody>
        </table>
        {first.data && shown.length === 0 && <Empty>{t('audit.none')}</Empty>}
      </div>
      {last && rows.length >= PAGE && !end && <div className="mt-3 text-center"><Button onClick={async () => { const page = await ask(last.n); setMore((was) => [...was, ...page]); if (page.length < PAGE) setEnd(true); }}>{t('list.more')}</Button></div>}
    </>
  );
}
