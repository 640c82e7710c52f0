// Carriers as forms: where they are, how one logs in, how much they carry, how they write numbers and callers, who
// vouches for callers, and which stand in for each other.

import { t } from '../lib/i18n';
import { Label } from '../ui/parts';
import { change, type Trunk } from './draft';
import { Form, Num, Pick, Text, Things, Tick } from './Form';
import { Groups } from './Groups';
import { Signing } from './Signing';
import { Spoken } from './Spoken';
import { Ways } from './Ways';

const TRANSPORTS = ['udp', 'tcp', 'tls', 'auto'];

export function Carriers() {
  return (
    <Form hint={t('carriers.hint')}>
      {({ trunks, trunk_groups, country, trunk_prefix }) => {
        const set = (id: string, how: (x: Trunk) => void): void => change((tenant) => how(tenant.trunks[id]!));
        const word = (id: string, key: 'username' | 'password_secret' | 'realm' | 'caller_id', v: string): void => set(id, (x) => { if (v) x[key] = v; else delete x[key]; });
        // They come together or not at all.
        const proves = (id: string, key: 'username' | 'password_secret', v: string): void => set(id, (x) => {
          const login = { username: '', password_secret: '', ...x.login, [key]: v };
          if (login.username || login.password_secret) x.login = login; else delete x.login;
        });
        return (
          <div className="grid gap-6">
          <Things<Trunk> unnamed things={trunks} label={t('config.trunks')} make={t('carriers.new')} none={t('trunks.none')}
            columns={[[t('carriers.host'), (x) => <code>{x.host || (x.login ? t('carriers.registered') : '')}</code>], [t('carriers.transport'), (x) => x.transport], [t('carriers.login'), (x) => x.username ?? '–'], [t('carriers.register'), (x) => (x.register ? `✓ ${t('form.yes')}` : '–')]]}
            onMake={(id) => change((tenant) => { tenant.trunks[id] = { host: '', transport: 'auto', from: [] }; })}
            onRemove={(id) => change((tenant) => { delete tenant.trunks[id]; for (const [name, all] of Object.entries(tenant.trunk_groups ?? {})) tenant.trunk_groups![name] = all.filter((m) => m.trunk !== id); })}
            sheet={(x, id) => (
              <div className="grid gap-3 sm:grid-cols-2">
                <Text text={t('carriers.host')} hint={t('carriers.host.hint')} mono value={x.host ?? ''} onChange={(v) => set(id, (c) => { c.host = v.trim(); })} />
                <Pick text={t('carriers.transport')} hint={t('carriers.transport.hint')} value={x.transport} options={TRANSPORTS.map((w) => [w, w])} onChange={(v) => set(id, (c) => { c.transport = v; })} />
                <Text text={t('carriers.login')} value={x.username ?? ''} onChange={(v) => word(id, 'username', v)} />
                <Text text={t('carriers.secret')} hint={t('carriers.secret.hint')} value={x.password_secret ?? ''} onChange={(v) => word(id, 'password_secret', v)} />
                <Text text={t('carriers.realm')} hint={t('carriers.realm.hint')} value={x.realm ?? ''} onChange={(v) => word(id, 'realm', v)} />
                <Text text={t('carriers.callerid')} hint={t('carriers.callerid.hint')} mono value={x.caller_id ?? ''} onChange={(v) => word(id, 'caller_id', v)} />
                <Num text={t('carriers.calls')} hint={t('form.nolimit')} min={1} value={x.max_calls} onChange={(v) => set(id, (c) => { if (v === undefined) delete c.max_calls; else c.max_calls = v; })} />
                <Num text={t('carriers.rate')} hint={t('form.nolimit')} min={1} value={x.calls_per_s} onChange={(v) => set(id, (c) => { if (v === undefined) delete c.calls_per_s; else c.calls_per_s = v; })} />
                <Text text={t('carriers.proves')} hint={t('carriers.proves.hint')} value={x.login?.username ?? ''} onChange={(v) => proves(id, 'username', v)} />
                <Text text={t('carriers.proves.secret')} hint={t('carriers.secret.hint')} value={x.login?.password_secret ?? ''} onChange={(v) => proves(id, 'password_secret', v)} />
                <Label text={t('carriers.from')} hint={t('carriers.from.hint')}>
                  <input className="field font-mono" defaultValue={x.from.join(' ')} onBlur={(e) => { const from = e.target.value.split(/[\s,]+/).filter(Boolean); set(id, (c) => { c.from = from; }); }} spellCheck={false} autoComplete="off" />
                </Label>
                <Label text={t('carriers.deny')} hint={t('carriers.deny.hint')}>
                  <input className="field font-mono" defaultValue={(x.deny ?? []).join(' ')} onBlur={(e) => { const deny = e.target.value.split(/[\s,]+/).filter(Boolean); set(id, (c) => { if (deny.length) c.deny = deny; else delete c.deny; }); }} spellCheck={false} autoComplete="off" />
                </Label>
                <div className="grid content-center gap-1">
                  <Tick text={t('carriers.register.more')} value={x.register !== undefined} onChange={(v) => set(id, (c) => { if (v) c.register = {}; else delete c.register; })} />
                  <Tick text={t('carriers.look')} value={x.options !== undefined} onChange={(v) => set(id, (c) => { if (v) c.options = {}; else delete c.options; })} />
                </div>
                <fieldset className="grid gap-3 sm:col-span-2 sm:grid-cols-2"><legend className="mb-1 font-semibold">{t('spoken.trunk')}</legend>
                  <Spoken media={x.media} none={t('spoken.as.phones')} set={(media) => set(id, (c) => { if (media) c.media = media; else delete c.media; })} />
                </fieldset>
                <Signing stir={x.stir} set={(stir) => set(id, (c) => { if (stir) c.stir = stir; else delete c.stir; })} />
                <Ways trunk={x} house={{ country: country ?? '', prefix: trunk_prefix ?? '' }} set={(how) => set(id, how)} />
              </div>
            )} />
          <Groups groups={trunk_groups ?? {}} trunks={Object.keys(trunks)} />
          </div>
        );
      }}
    </Form>
  );
}
