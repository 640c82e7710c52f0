// Webhooks: programs outside that are told what happens, what became of it, and telling again.

import { useEffect, useState, type FormEvent } from 'react';
import { api, take, type Problem } from '../api/client';
import type { EventGroup, Webhook } from '../api/shapes';
import { act, notice, problemText } from '../lib/act';
import { t, tCode } from '../lib/i18n';
import { useLoad } from '../lib/load';
import { dateTime } from '../lib/time';
import { Button, Dialog, Empty, Label, Trouble } from '../ui/parts';
import { Deliveries } from './Deliveries';
import { Once } from './Once';

const at = (name: string) => ({ params: { path: { name } } });
const say = (problem: unknown): void => notice(problemText(problem as Problem), true);

function Standing({ hook }: { hook: Webhook }) {
  const [sign, look, words] = hook.closed_why
    ? ['✕', 'text-bad font-semibold', t(hook.closed_why === 'gone' ? 'hooks.state.gone' : 'hooks.state.failing')]
    : !hook.active ? ['○', 'text-soft', t('hooks.state.off')]
      : hook.failing_since ? ['⚠', 'text-warn font-semibold', t('hooks.state.trouble', { at: dateTime(hook.failing_since) })]
        : ['●', 'text-good', t('hooks.state.on')];
  return <span className={look}><span aria-hidden="true">{sign} </span>{words}</span>;
}

function Fields({ groups, hook }: { groups: EventGroup[]; hook?: Webhook }) {
  const chosen = hook?.events ?? ['interaction', 'ticket'];
  const single = chosen.filter((e) => e !== '*' && !groups.some((g) => g.name === e));
  const [all, setAll] = useState(chosen.includes('*'));
  return (
    <>
      <Label text={t('hooks.url')} hint={t('hooks.url.hint')}><input className="field" name="url" type="url" required maxLength={2000} defaultValue={hook?.url ?? 'https://'} spellCheck={false} /></Label>
      <fieldset className="grid gap-1">
        <legend className="label">{t('hooks.events')}</legend>
        <label className="flex items-center gap-2"><input type="checkbox" checked={all} onChange={(e) => setAll(e.target.checked)} name="all" />{t('hooks.everything')}</label>
        <div className="grid grid-cols-2 gap-1">{groups.map((g) => (
          <label key={g.name} className="flex items-center gap-2" title={g.facts.join(', ')}><input type="checkbox" name="group" value={g.name} disabled={all} defaultChecked={chosen.includes(g.name)} />{tCode('group', g.name)}</label>
        ))}</div>
      </fieldset>
      <Label text={t('hooks.single')} hint={t('hooks.single.hint')}><input className="field" name="single" defaultValue={single.join(' ')} disabled={all} spellCheck={false} autoCapitalize="none" /></Label>
      <Label text={t('hooks.order')} hint={t('hooks.order.hint')}><input className="field w-24" name="at_once" type="number" min={1} max={8} defaultValue={hook?.at_once ?? 1} /></Label>
    </>
  );
}

function given(form: HTMLFormElement): { url: string; events: string[]; at_once: number } {
  const data = new FormData(form);
  const single = String(data.get('single') ?? '').split(/[\s,]+/).filter(Boolean);
  const events = data.get('all') ? ['*'] : [...data.getAll('group').map(String), ...single];
  return { url: String(data.get('url')).trim(), events, at_once: Number(data.get('at_once')) };
}

export function Webhooks() {
  const list = useLoad('webhooks', () => take(api.GET('/api/v1/webhooks')));
  const { reload } = list;
  const [making, setMaking] = useState(false);
  const [changing, setChanging] = useState<Webhook | null>(null);
  const [removing, setRemoving] = useState<string | null>(null);
  const [renewing, setRenewing] = useState<string | null>(null);
  const [shown, setShown] = useState<Webhook | null>(null);
  const [log, setLog] = useState<string | null>(null);
  useEffect(() => { const again = setInterval(() => { if (!document.hidden) reload(); }, 5_000); return () => clearInterval(again); }, [reload]);
  const hooks = list.data?.webhooks ?? [];
  const groups = list.data?.groups ?? [];
  const submit = (done: (form: HTMLFormElement) => Promise<void>) => async (e: FormEvent<HTMLFormElement>): Promise<void> => {
    e.preventDefault();
    try { await done(e.currentTarget); reload(); } catch (problem) { say(problem); }
  };
  const trial = async (name: string): Promise<void> => {
    if (!await act(api.POST('/api/v1/webhooks/{name}/test', at(name)), t('hooks.testing'))) return;
    // The receiver has 15 s, and the answer is written a little later.
    for (let n = 0; n < 40; n += 1) {
      await new Promise((next) => { setTimeout(next, 500); });
      const { data } = await api.GET('/api/v1/webhooks/{name}/deliveries/{seq}', { params: { path: { name, seq: 0 } } });
      if (!data || data.state === 'waiting') continue;
      const good = data.state === 'delivered';
      notice(good ? t('hooks.tested', { status: data.status ?? 0, ms: data.took_ms ?? 0 }) : t('hooks.refused', { why: `${data.status ?? ''} ${data.answer ?? ''}`.trim() }), !good);
      break;
    }
  };
  return (
    <>
      <div className="mb-3 flex items-center gap-3"><p className="text-soft">{t('hooks.hint')}</p><span className="grow" /><Button look="main" small onClick={() => setMaking(true)}>{t('hooks.new')}</Button></div>
      {list.problem && <Trouble problem={list.problem} again={reload} />}
      <div className="card overflow-x-auto">
        <table className="table">
          <caption className="sr-only">{t('admin.webhooks')}</caption>
          <thead><tr><th scope="col">{t('hooks.name')}</th><th scope="col">{t('hooks.url')}</th><th scope="col">{t('hooks.events')}</th><th scope="col">{t('users.state')}</th><th scope="col">{t('hooks.waiting')}</th><th scope="col">{t('hooks.failed')}</th><th scope="col"><span className="sr-only">{t('users.do')}</span></th></tr></thead>
          <tbody>{hooks.map((h) => (
            <tr key={h.name}>
              <td className="font-medium">{h.name}</td>
              <td className="break-all">{h.url}{h.old_secret_until && <span className="block text-soft">{t('hooks.secret.old', { at: dateTime(h.old_secret_until) })}</span>}</td>
              <td>{h.events.map((e) => (e === '*' ? t('hooks.everything') : groups.some((g) => g.name === e) ? tCode('group', e) : e)).join(', ')}</td>
              <td><Standing hook={h} /></td><td className="num">{h.waiting}</td><td className="num">{h.failed}</td>
              <td className="text-right"><span className="inline-flex flex-wrap justify-end gap-1">
                <Button small onClick={() => setLog(log === h.name ? null : h.name)} aria-expanded={log === h.name} aria-label={`${t('hooks.log.open')}: ${h.name}`}>{t('hooks.log.open')}</Button>
                <Button small onClick={() => void trial(h.name)} aria-label={`${t('hooks.test')}: ${h.name}`}>{t('hooks.test')}</Button>
                <Button small onClick={() => setChanging(h)} aria-label={`${t('hooks.change')}: ${h.name}`}>{t('hooks.change')}</Button>
                <Button small onClick={() => void act(api.PUT('/api/v1/webhooks/{name}', { ...at(h.name), body: { active: !h.active } })).then(reload)} aria-label={`${t(h.active ? 'hooks.off' : 'hooks.on')}: ${h.name}`}>{t(h.active ? 'hooks.off' : 'hooks.on')}</Button>
                <Button small onClick={() => setRenewing(h.name)} aria-label={`${t('hooks.secret.new')}: ${h.name}`}>{t('hooks.secret.new')}</Button>
                <Button small look="bad" onClick={() => setRemoving(h.name)} aria-label={`${t('do.remove')}: ${h.name}`}>{t('do.remove')}</Button>
              </span></td>
            </tr>
          ))}</tbody>
        </table>
        {list.data && hooks.length === 0 && <Empty>{t('hooks.none')}</Empty>}
      </div>
      {log && hooks.some((h) => h.name === log) && <Deliveries key={log} name={log} changed={reload} />}
      <Dialog open={making} onClose={() => setMaking(false)} title={t('hooks.new')}>
        <form className="grid gap-3" onSubmit={submit(async (form) => {
          const name = String(new FormData(form).get('name')).trim();
          setShown(await take(api.POST('/api/v1/webhooks', { body: { name, ...given(form) } })));
          setMaking(false);
        })}>
          <Label text={t('hooks.name')} hint={t('users.hint')}><input className="field" name="name" required maxLength={64} pattern="[a-z0-9_.\-]+" autoFocus autoCapitalize="none" spellCheck={false} /></Label>
          <Fields groups={groups} />
          <Button look="main" type="submit">{t('users.make')}</Button>
        </form>
      </Dialog>
      <Dialog open={changing !== null} onClose={() => setChanging(null)} title={changing?.name ?? ''}>
        <form className="grid gap-3" onSubmit={submit(async (form) => {
          await take(api.PUT('/api/v1/webhooks/{name}', { ...at(changing!.name), body: given(form) }));
          notice(t('hooks.saved'));
          setChanging(null);
        })}>
          {changing && <Fields groups={groups} hook={changing} />}
          <Button look="main" type="submit">{t('hooks.save')}</Button>
        </form>
      </Dialog>
      <Dialog open={renewing !== null} onClose={() => setRenewing(null)} title={t('hooks.secret.new')}>
        <p className="mb-4">{t('hooks.secret.sure')}</p>
        <div className="flex justify-end gap-2">
          <Button onClick={() => setRenewing(null)}>{t('do.cancel')}</Button>
          <Button look="main" onClick={async () => {
            try { setShown(await take(api.POST('/api/v1/webhooks/{name}/secret', at(renewing!)))); reload(); } catch (problem) { say(problem); }
            setRenewing(null);
          }}>{t('hooks.secret.new')}</Button>
        </div>
      </Dialog>
      <Dialog open={removing !== null} onClose={() => setRemoving(null)} title={t('hooks.remove', { name: removing ?? '' })}>
        <p className="mb-4">{t('hooks.remove.sure')}</p>
        <div className="flex justify-end gap-2">
          <Button onClick={() => setRemoving(null)}>{t('do.cancel')}</Button>
          <Button look="bad" onClick={async () => { if (await act(api.DELETE('/api/v1/webhooks/{name}', at(removing!)))) reload(); setRemoving(null); }}>{t('do.remove')}</Button>
        </div>
      </Dialog>
      <Once open={shown !== null} onClose={() => setShown(null)} title={shown?.name ?? ''} rows={[[t('hooks.secret'), shown?.secret]]} />
    </>
  );
}
