// API keys for programs.

import { useState } from 'react';
import { api, take, type Problem } from '../api/client';
import type { KeyRow } from '../api/shapes';
import { notice, problemText } from '../lib/act';
import { t, tCode } from '../lib/i18n';
import { useLoad } from '../lib/load';
import { dateTime } from '../lib/time';
import '../words/lists';
import { Button, Dialog, Empty, Label, Trouble } from '../ui/parts';
import { Once } from './Once';

export function Keys() {
  const list = useLoad('keys', async () => (await take(api.GET('/api/v1/api-keys'))).keys);
  const [making, setMaking] = useState(false);
  const [removing, setRemoving] = useState<string | null>(null);
  const [shown, setShown] = useState<KeyRow | null>(null);
  return (
    <>
      <div className="mb-3"><Button look="main" onClick={() => setMaking(true)}>{t('keys.new')}</Button></div>
      {list.problem && <Trouble problem={list.problem} again={list.reload} />}
      <div className="card overflow-x-auto">
        <table className="table">
          <caption className="sr-only">{t('admin.keys')}</caption>
          <thead><tr><th scope="col">{t('keys.name')}</th><th scope="col">{t('users.role')}</th><th scope="col">{t('keys.made')}</th><th scope="col">{t('keys.used')}</th><th scope="col"><span className="sr-only">{t('users.do')}</span></th></tr></thead>
          <tbody>{list.data?.map((k) => (
            <tr key={k.name}><td className="font-medium">{k.name}</td><td>{tCode('role', k.role)}</td><td className="num">{dateTime(k.made_at)}</td>
              <td><span className="num">{k.used_at ? dateTime(k.used_at) : t('keys.never')}</span>{k.unused && <span className="chip ml-2 border-warn text-warn"><span aria-hidden="true">⚠</span>{t('keys.unused')}</span>}</td>
              <td className="text-right"><Button small look="bad" onClick={() => setRemoving(k.name)}>{t('keys.revoke')}</Button></td></tr>
          ))}</tbody>
        </table>
        {list.data?.length === 0 && <Empty>{t('keys.none')}</Empty>}
      </div>
      <Dialog open={making} onClose={() => setMaking(false)} title={t('keys.new')}>
        <form className="grid gap-3" onSubmit={async (e) => {
          e.preventDefault();
          const data = new FormData(e.currentTarget);
          try {
            setShown(await take(api.POST('/api/v1/api-keys', { body: { name: String(data.get('name')).trim(), role: String(data.get('role')) } })));
            setMaking(false);
            list.reload();
          } catch (problem) { notice(problemText(problem as Problem), true); }
        }}>
          <Label text={t('keys.name')} hint={t('users.hint')}><input className="field" name="name" required maxLength={64} pattern="[a-z0-9_.\-]+" autoFocus autoCapitalize="none" spellCheck={false} /></Label>
          <Label text={t('users.role')}><select className="field" name="role">{['agent', 'supervisor', 'admin'].map((r) => <option key={r} value={r}>{tCode('role', r)}</option>)}</select></Label>
          <Button look="main" type="submit">{t('users.make')}</Button>
        </form>
      </Dialog>
      <Dialog open={removing !== null} onClose={() => setRemoving(null)} title={t('keys.revoke.title', { name: removing ?? '' })}>
        <p className="mb-4">{t('keys.revoke.sure')}</p>
        <div className="flex justify-end gap-2">
          <Button onClick={() => setRemoving(null)}>{t('do.cancel')}</Button>
          <Button look="bad" onClick={async () => {
            try { await take(api.DELETE('/api/v1/api-keys/{name}', { params: { path: { name: removing! } } })); list.reload(); } catch (problem) { notice(problemText(problem as Problem), true); }
            setRemoving(null);
          }}>{t('keys.revoke')}</Button>
        </div>
      </Dialog>
      <Once open={shown !== null} onClose={() => setShown(null)} title={shown?.name ?? ''} rows={[[t('keys.key'), shown?.key]]} />
    </>
  );
}
