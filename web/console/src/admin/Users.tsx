// Logins: made, given another role, locked; passwords are made by the server and shown once.

import { useState } from 'react';
import { api, take, type Problem } from '../api/client';
import type { User } from '../api/shapes';
import { act, notice, problemText } from '../lib/act';
import { t, tCode } from '../lib/i18n';
import { useLoad } from '../lib/load';
import { useLive } from '../live/live';
import { Button, Dialog, Label, Trouble } from '../ui/parts';
import { Sure } from '../ui/Sure';
import '../words/lists';
import { SessionTable } from '../me/Sessions';
import { Once } from './Once';

const ROLES = ['agent', 'supervisor', 'admin'] as const;

export function Users() {
  const list = useLoad('users', async () => (await take(api.GET('/api/v1/users'))).users);
  const me = useLive((l) => l.me?.login);
  const agents = useLive((l) => l.view.agents);
  const [making, setMaking] = useState(false);
  const [removing, setRemoving] = useState<string | null>(null);
  const [shown, setShown] = useState<User | null>(null);
  const [looking, setLooking] = useState<string | null>(null);
  const sessions = useLoad(looking && `sessions ${looking}`, async () => (await take(api.GET('/api/v1/users/{id}/sessions', { params: { path: { id: looking! } } }))).sessions);
  const run = async (asked: Promise<{ data?: User; error?: unknown; response: Response }>): Promise<boolean> => {
    try {
      const user = await take(asked);
      if (user.password || user.sip_password) setShown(user);
      list.reload();
      return true;
    } catch (problem) { notice(problemText(problem as Problem), true); return false; }
  };
  const change = (login: string, body: { role?: string; disabled?: boolean; new_password?: boolean; new_sip_password?: boolean }): void =>
    void run(api.PUT('/api/v1/users/{id}', { params: { path: { id: login } }, body: { new_password: false, new_sip_password: false, ...body } }));
  return (
    <>
      <div className="mb-3"><Button look="main" onClick={() => setMaking(true)}>{t('users.new')}</Button></div>
      {list.problem && <Trouble problem={list.problem} again={list.reload} />}
      <div className="card overflow-x-auto">
        <table className="table">
          <caption className="sr-only">{t('admin.users')}</caption>
          <thead><tr><th scope="col">{t('login.user')}</th><th scope="col">{t('users.agent')}</th><th scope="col">{t('users.role')}</th><th scope="col">{t('users.state')}</th><th scope="col"><span className="sr-only">{t('users.do')}</span></th></tr></thead>
          <tbody>{list.data?.map((u) => (
            <tr key={u.login}>
              <td className="font-medium">{u.login}{u.login === me && <span className="text-soft"> ({t('users.you')})</span>}</td>
              <td>{agents[u.login]?.name ?? <span className="text-soft">{t('users.noagent')}</span>}</td>
              <td><select className="field w-auto" value={u.role} disabled={u.login === me} aria-label={`${t('users.role')} ${u.login}`} onChange={(e) => change(u.login, { role: e.target.value })}>{ROLES.map((r) => <option key={r} value={r}>{tCode('role', r)}</option>)}</select></td>
              <td>{u.disabled ? <span className="text-bad">✕ {t('users.locked')}</span> : <span className="text-good">✓ {t('users.active')}</span>}{u.factor && <span className="block text-soft">{t('factor.title')}</span>}</td>
              <td><div className="flex flex-wrap justify-end gap-1.5">
                <Sure small title={`${t('users.password')}: ${u.login}`} what={t('users.password.sure')} onSure={() => change(u.login, { new_password: true })}>{t('users.password')}</Sure>
                <Sure small title={`${t('users.sip')}: ${u.login}`} what={t('users.sip.sure')} onSure={() => change(u.login, { new_sip_password: true })}>{t('users.sip')}</Sure>
                <Button small onClick={() => setLooking(u.login)} aria-label={`${t('sessions.title')}: ${u.login}`}>{t('sessions.title')}</Button>
                {u.factor && u.login !== me && <Sure small look="bad" title={`${t('factor.reset')}: ${u.login}`} what={t('factor.reset.sure')} onSure={() => void act(api.DELETE('/api/v1/users/{id}/factor', { params: { path: { id: u.login } } }), t('factor.reset.done')).then(list.reload)}>{t('factor.reset')}</Sure>}
                {u.login !== me && (u.disabled ? <Button small onClick={() => change(u.login, { disabled: false })}>{t('users.unlock')}</Button> : <Sure small title={`${t('users.lock')}: ${u.login}`} what={t('users.lock.sure')} onSure={() => change(u.login, { disabled: true })}>{t('users.lock')}</Sure>)}
                {u.login !== me && <Button small look="bad" onClick={() => setRemoving(u.login)}>{t('do.remove')}</Button>}
              </div></td>
            </tr>
          ))}</tbody>
        </table>
      </div>
      <Dialog open={making} onClose={() => setMaking(false)} title={t('users.new')}>
        <form className="grid gap-3" onSubmit={async (e) => {
          e.preventDefault();
          const data = new FormData(e.currentTarget);
          if (await run(api.POST('/api/v1/users', { body: { login: String(data.get('login')).trim(), role: String(data.get('role')) } }))) setMaking(false);
        }}>
          <Label text={t('login.user')} hint={t('users.hint')}><input className="field" name="login" required maxLength={64} pattern="[a-z0-9_.\-]+" autoFocus autoCapitalize="none" spellCheck={false} /></Label>
          <Label text={t('users.role')}><select className="field" name="role">{ROLES.map((r) => <option key={r} value={r}>{tCode('role', r)}</option>)}</select></Label>
          <Button look="main" type="submit">{t('users.make')}</Button>
        </form>
      </Dialog>
      <Dialog open={removing !== null} onClose={() => setRemoving(null)} title={t('users.remove', { login: removing ?? '' })}>
        <p className="mb-4">{t('users.remove.sure')}</p>
        <div className="flex justify-end gap-2">
          <Button onClick={() => setRemoving(null)}>{t('do.cancel')}</Button>
          <Button look="bad" onClick={async () => {
            try { await take(api.DELETE('/api/v1/users/{id}', { params: { path: { id: removing! } } })); list.reload(); } catch (problem) { notice(problemText(problem as Problem), true); }
            setRemoving(null);
          }}>{t('do.remove')}</Button>
        </div>
      </Dialog>
      <Dialog wide open={looking !== null} onClose={() => setLooking(null)} title={`${t('sessions.title')}: ${looking ?? ''}`}>
        {sessions.problem && <Trouble problem={sessions.problem} again={sessions.reload} />}
        {sessions.data && <SessionTable name={t('sessions.title')} rows={sessions.data} />}
        <div className="mt-3 flex justify-end"><Sure look="bad" disabled={!sessions.data?.length} title={`${t('sessions.all')}: ${looking ?? ''}`} what={t('sessions.all.sure')} onSure={() => void act(api.DELETE('/api/v1/users/{id}/sessions', { params: { path: { id: looking! } } }), t('sessions.ended')).then((done) => { if (done) setLooking(null); })}>{t('sessions.all')}</Sure></div>
      </Dialog>
      <Once open={shown !== null} onClose={() => setShown(null)} title={shown?.login ?? ''} rows={[
        [t('login.password'), shown?.password], [t('users.sip'), shown?.sip_password], [t('users.realm'), shown?.sip_realm],
      ]} />
    </>
  );
}
