// Carriers: whether they are there, how fast they answer, and a question to one of them.

import { useEffect, useState } from 'react';
import { api, take, type Problem } from '../api/client';
import { notice, problemText } from '../lib/act';
import { t, tCode } from '../lib/i18n';
import { useLoad } from '../lib/load';
import { go } from '../lib/router';
import { dateTime } from '../lib/time';
import { Button, Dialog, Empty, Label, Trouble } from '../ui/parts';

const SIGNS: Record<string, [string, string]> = { up: ['●', 'text-good'], down: ['✕', 'text-bad font-semibold'], unknown: ['○', 'text-soft'] };

export function Trunks() {
  const list = useLoad('trunks', () => take(api.GET('/api/v1/trunks')));
  const { reload } = list;
  const [testing, setTesting] = useState<string | null>(null);
  useEffect(() => { const again = setInterval(() => { if (!document.hidden) reload(); }, 5_000); return () => clearInterval(again); }, [reload]);
  const test = async (name: string): Promise<void> => {
    setTesting(name);
    try {
      const { reachable, rtt_ms } = await take(api.POST('/api/v1/trunks/{name}/test', { params: { path: { name } } }));
      notice(reachable ? t('trunks.answers', { name, ms: Math.round(rtt_ms ?? 0) }) : t('trunks.silent', { name }), !reachable);
      reload();
    } catch (problem) { notice(problemText(problem as Problem), true); }
    setTesting(null);
  };
  const [calling, setCalling] = useState<string | null>(null);
  const call = async (name: string, number: string): Promise<void> => {
    try {
      const { interaction } = await take(api.POST('/api/v1/trunks/{name}/call', { params: { path: { name } }, body: { number } }));
      setCalling(null);
      if (interaction) go(`/calls/${interaction}`);
    } catch (problem) { notice(problemText(problem as Problem), true); }
  };
  const rows = Object.entries(list.data ?? {});
  return (
    <>
      <p className="mb-3 text-soft">{t('trunks.hint')}</p>
      {list.problem && <Trouble problem={list.problem} again={reload} />}
      <div className="card overflow-x-auto">
        <table className="table">
          <caption className="sr-only">{t('config.trunks')}</caption>
          <thead><tr><th scope="col">{t('form.name')}</th><th scope="col">{t('users.state')}</th><th scope="col">{t('trunks.rtt')}</th><th scope="col">{t('trunks.registration')}</th><th scope="col">{t('trunks.calls')}</th><th scope="col">{t('trunks.since')}</th><th scope="col">{t('trunks.failure')}</th><th scope="col"><span className="sr-only">{t('users.do')}</span></th></tr></thead>
          <tbody>{rows.map(([name, x]) => {
            const [sign, look] = SIGNS[x.state] ?? SIGNS.unknown!;
            return (
              <tr key={name}>
                <td className="font-medium">{name}</td>
                <td><span className={look}><span aria-hidden="true">{sign} </span>{tCode('trunk', x.state)}</span>{x.paused_for_s ? <span className="block text-soft">{t('trunks.paused', { s: x.paused_for_s })}</span> : null}</td>
                <td className="num">{x.rtt_ms == null ? '–' : `${x.rtt_ms.toFixed(1)} ms`}{x.answered_at && <span className="block text-soft">{dateTime(x.answered_at)}</span>}</td>
                <td>{tCode('registration', x.registration)}{x.registrar_said && <span className="block text-soft">{x.registrar_said}</span>}</td>
                <td className="num">{x.calls}</td>
                <td className="num">{t('trunks.counts', { attempts: x.attempts, answered: x.answered, failed: x.failed, incoming: x.incoming })}{x.limited > 0 && <span className="block text-bad">{t('trunks.limited', { n: x.limited })}</span>}{x.callers_verified + x.callers_failed + x.callers_absent > 0 && <span className="block text-soft">{t('trunks.vouched', { good: x.callers_verified, bad: x.callers_failed, none: x.callers_absent })}</span>}</td>
                <td>{x.last_failure ?? '–'}{x.last_failure_at && <span className="block text-soft">{dateTime(x.last_failure_at)}</span>}</td>
                <td className="text-right"><Button small onClick={() => setCalling(name)} aria-label={`${t('trunks.call')}: ${name}`}>{t('trunks.call')}</Button> <Button small disabled={testing !== null} onClick={() => void test(name)} aria-label={`${t('trunks.test')}: ${name}`}>{t(testing === name ? 'trunks.testing' : 'trunks.test')}</Button></td>
              </tr>
            );
          })}</tbody>
        </table>
        {list.data && rows.length === 0 && <Empty>{t('trunks.none')}</Empty>}
      </div>
      <Dialog open={calling !== null} onClose={() => setCalling(null)} title={t('trunks.call.title', { name: calling ?? '' })}>
        <form className="grid gap-3" onSubmit={(e) => { e.preventDefault(); void call(calling!, String(new FormData(e.currentTarget).get('number')).trim()); }}>
          <p className="text-soft">{t('trunks.call.hint')}</p>
          <Label text={t('dial.number')}><input className="field" name="number" inputMode="tel" required maxLength={64} autoFocus autoComplete="off" /></Label>
          <Button look="main" type="submit">{t('do.dial')}</Button>
        </form>
      </Dialog>
    </>
  );
}
