// Who did what, newest first: looked for on the server, and taken away as a table.

import { useEffect, useState } from 'react';
import { api, take } from '../api/client';
import type { AuditEntry } from '../api/shapes';
import { t, tCode } from '../lib/i18n';
import { useLoad } from '../lib/load';
import { setQuery, usePlace } from '../lib/router';
import { dateTime } from '../lib/time';
import { did } from '../words/did';
import '../words/lists';
import { Button, Empty, Trouble } from '../ui/parts';
import { Search } from '../ui/Search';
import { Diff } from './Diff';

const PAGE = 100;
/** In words, where there are any. */
const what = (code: string): string => { const told = tCode('did', code); return told === code.replaceAll('_', ' ') ? '' : told; };
/** What can have been done, by what it was done to: `user.` stands for everything about logins. */
const ACTS = Object.keys(did).map((key) => key.slice('did.'.length)).sort();
const KINDS = [...new Set(ACTS.map((a) => a.slice(0, a.indexOf('.') + 1)))];

export function Audit() {
  const { query } = usePlace();
  const [who, act, subject, from, to] = ['who', 'what', 'subject', 'from', 'to'].map((k) => query.get(k) ?? '') as [string, string, string, string, string];
  // The last day is meant whole.
  const until = to ? new Date(`${to}T00:00`) : null;
  until?.setDate(until.getDate() + 1);
  const wanted = { ...(who ? { who } : {}), ...(act ? { what: act } : {}), ...(subject ? { subject } : {}), ...(from ? { from: new Date(`${from}T00:00`).toISOString() } : {}), ...(until ? { to: until.toISOString() } : {}) };
  const key = `audit ${JSON.stringify(wanted)}`;
  const ask = async (before?: number): Promise<AuditEntry[]> =>
    ((await take(api.GET('/api/v1/audit', { params: { query: { ...wanted, limit: PAGE, ...(before ? { before } : {}) } } }))) as unknown as { entries: AuditEntry[] }).entries;
  const first = useLoad(key, () => ask());
  const [more, setMore] = useState<AuditEntry[]>([]);
  const [end, setEnd] = useState(false);
  useEffect(() => { setMore([]); setEnd(false); }, [key]);
  const rows = [...(first.data ?? []), ...more];
  const last = rows.at(-1);
  const table = `/api/v1/audit?${new URLSearchParams({ ...wanted, format: 'csv' })}`;
  return (
    <>
      <div className="mb-3 flex flex-wrap items-center gap-2">
        <Search value={who} label={t('audit.filter.who')} onChange={(text) => setQuery('who', text)} />
        <select className="field w-auto" value={act} aria-label={t('audit.what')} onChange={(e) => setQuery('what', e.target.value)}>
          <option value="">{t('audit.what')}: {t('list.any')}</option>
          {KINDS.map((kind) => <optgroup key={kind} label={kind}><option value={kind}>{t('audit.kind', { kind })}</option>{ACTS.filter((a) => a.startsWith(kind)).map((a) => <option key={a} value={a}>{what(a)}</option>)}</optgroup>)}
        </select>
        <Search value={subject} label={t('audit.filter.subject')} onChange={(text) => setQuery('subject', text)} />
        <label className="flex items-center gap-2"><span className="text-soft">{t('calls.from')}</span><input type="date" className="field w-auto" value={from} onChange={(e) => setQuery('from', e.target.value)} /></label>
        <label className="flex items-center gap-2"><span className="text-soft">{t('calls.until')}</span><input type="date" className="field w-auto" value={to} onChange={(e) => setQuery('to', e.target.value)} /></label>
        <a className="btn btn-small" href={table} download="audit.csv" title={t('audit.csv.hint')}>{t('audit.csv')}</a>
      </div>
      {first.problem && <Trouble problem={first.problem} again={first.reload} />}
      <div className="card overflow-x-auto">
        <table className="table">
          <caption className="sr-only">{t('admin.audit')}</caption>
          <thead><tr><th scope="col">{t('calls.when')}</th><th scope="col">{t('audit.who')}</th><th scope="col">{t('audit.what')}</th><th scope="col">{t('audit.subject')}</th><th scope="col">{t('audit.change')}</th></tr></thead>
          <tbody>{rows.map((e) => (
            <tr key={e.n}>
              <td className="num whitespace-nowrap">{dateTime(e.at)}</td><td>{e.who}</td><td>{what(e.what)}<code className="block text-[0.86em] text-soft">{e.what}</code></td><td className="break-all">{e.subject}</td>
              <td className="max-w-xl">{e.after?.includes('\n') ? <details><summary className="link">{t('audit.show')}</summary><Diff text={e.after} /></details> : [e.before, e.after].filter(Boolean).join(' → ')}</td>
            </tr>
          ))}</tbody>
        </table>
        {first.data && rows.length === 0 && <Empty>{t(Object.keys(wanted).length > 0 ? 'audit.none.found' : 'audit.none')}</Empty>}
      </div>
      {last && rows.length >= PAGE && !end && <div className="mt-3 text-center"><Button onClick={async () => { const page = await ask(last.n); setMore((was) => [...was, ...page]); if (page.length < PAGE) setEnd(true); }}>{t('list.more')}</Button></div>}
    </>
  );
}
