// Where one is signed in, and the end of what one does not know.

import { api, take, type Problem } from '../api/client';
import type { SessionRow } from '../api/shapes';
import { notice, problemText } from '../lib/act';
import { t } from '../lib/i18n';
import { useLoad } from '../lib/load';
import { dateTime } from '../lib/time';
import { Trouble } from '../ui/parts';
import { Sure } from '../ui/Sure';
import '../words/lists';

/** What a browser said of itself, in a few words. */
export function device(text: string): string {
  const browser = /(Firefox|Edg|OPR|Chrome|Safari)\/(\d+)/.exec(text);
  const system = /(Windows|Android|iPhone|iPad|Mac OS X|Linux)/.exec(text);
  const names: Record<string, string> = { Edg: 'Edge', OPR: 'Opera' };
  const short = [browser && `${names[browser[1]!] ?? browser[1]} ${browser[2]}`, system?.[1]].filter(Boolean).join(', ');
  return short || text.slice(0, 60) || '–';
}

export function SessionTable({ rows, end, name }: { rows: SessionRow[]; end?: (id: string) => void; name: string }) {
  return (
    <table className="table">
      <caption className="sr-only">{name}</caption>
      <thead><tr><th scope="col">{t('sessions.device')}</th><th scope="col">{t('sessions.address')}</th><th scope="col">{t('sessions.seen')}</th><th scope="col">{t('sessions.made')}</th>{end && <th scope="col"><span className="sr-only">{t('users.do')}</span></th>}</tr></thead>
      <tbody>{rows.map((s) => (
        <tr key={s.id}>
          <td title={s.device}>{device(s.device)}{s.current && <span className="text-soft"> ({t('sessions.this')})</span>}</td>
          <td className="num">{s.address || '–'}</td><td className="num whitespace-nowrap">{dateTime(s.seen_at)}</td><td className="num whitespace-nowrap">{dateTime(s.made_at)}</td>
          {end && <td className="text-right">{!s.current && <Sure small look="bad" aria-label={`${t('sessions.end')}: ${device(s.device)} ${s.address}`} title={`${t('sessions.end')}: ${device(s.device)}`} what={t('sessions.end.sure')} onSure={() => end(s.id)}>{t('sessions.end')}</Sure>}</td>}
        </tr>
      ))}</tbody>
    </table>
  );
}

export function Sessions() {
  const list = useLoad('sessions', async () => (await take(api.GET('/api/v1/auth/sessions'))).sessions);
  const end = async (which: { id?: string; others: boolean }): Promise<void> => {
    try { await take(api.POST('/api/v1/auth/sessions/end', { body: which })); notice(t('sessions.ended')); list.reload(); } catch (problem) { notice(problemText(problem as Problem), true); }
  };
  return (
    <section className="card p-4 mid:col-span-2">
      <h2 className="mb-3 text-[1.1rem] font-semibold">{t('sessions.title')}</h2>
      {list.problem && <Trouble problem={list.problem} again={list.reload} />}
      <div className="overflow-x-auto" tabIndex={0} role="group" aria-label={t('sessions.title')}>{list.data && <SessionTable name={t('sessions.title')} rows={list.data} end={(id) => void end({ id, others: false })} />}</div>
      {(list.data?.length ?? 0) > 1 && <div className="mt-3"><Sure title={t('sessions.others')} what={t('sessions.end.sure')} onSure={() => void end({ others: true })}>{t('sessions.others')}</Sure></div>}
    </section>
  );
}
