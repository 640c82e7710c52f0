// Rules of the house: what it is called, who needs a second factor, what is promised on tickets, who may call out where.

import { t, tCode } from '../lib/i18n';
import { Label } from '../ui/parts';
import { change, type Caps, type Sla, type Tenant, type Toll } from './draft';
import { Rates } from './Rates';
import { Form, Num, Pick, Several, Text, Things, Tick, pairs } from './Form';

const ROLES = ['agent', 'supervisor', 'admin'] as const;
const CAPS = ['per_agent', 'per_source', 'per_tenant'] as const;
const patterns = (text: string): string[] => text.split(/[\s,]+/).filter(Boolean);
/** A number that need not be there. */
const put = <T extends object>(on: T, key: keyof T, value: number | undefined): void => { if (value === undefined) delete on[key]; else on[key] = value as T[keyof T]; };

export function Rules() {
  return (
    <Form hint={t('rules.hint')}>
      {(tenant) => <div className="grid gap-6"><House tenant={tenant} /><Promises tenant={tenant} /><Guard tenant={tenant} /></div>}
    </Form>
  );
}

function House({ tenant }: { tenant: Tenant }) {
  const word = (key: 'country' | 'trunk_prefix', v: string): void => change((x) => { x[key] = v || null; });
  return (
    <section className="card grid gap-3 p-4 sm:grid-cols-2">
      <h2 className="text-[1.05rem] font-semibold sm:col-span-2">{t('rules.house')}</h2>
      <Text text={t('form.name')} value={tenant.name} onChange={(v) => change((x) => { x.name = v; })} />
      <Pick text={t('rules.language')} value={tenant.language ?? ''} options={[['en-US', 'English'], ['zh-CN', '中文']]} onChange={(v) => change((x) => { x.language = v; })} />
      <Text text={t('rules.country')} hint={t('rules.country.hint')} value={tenant.country ?? ''} onChange={(v) => word('country', v)} />
      <Text text={t('rules.prefix')} hint={t('rules.prefix.hint')} value={tenant.trunk_prefix ?? ''} onChange={(v) => word('trunk_prefix', v)} />
      <div className="sm:col-span-2"><Several text={t('rules.factor')} value={tenant.security?.second_factor ?? []} options={ROLES.map((r) => [r, tCode('role', r)])}
        onChange={(v) => change((x) => { if (v.length) x.security = { second_factor: ROLES.filter((r) => v.includes(r)) }; else delete x.security; })} /></div>
    </section>
  );
}

function Promises({ tenant }: { tenant: Tenant }) {
  const set = (id: string, how: (s: Sla) => void): void => change((x) => how(x.slas[id]!));
  const within = (n: number | null | undefined): string => (n ? t('rules.minutes', { n }) : '–');
  return (
    <div className="grid gap-2">
      <Things<Sla> things={tenant.slas} label={t('config.slas')} make={t('rules.sla.new')} none={t('rules.sla.none')}
        columns={[[t('rules.sla.first'), (s) => within(s.first_reply_min)], [t('rules.sla.next'), (s) => within(s.next_reply_min)], [t('rules.sla.resolve'), (s) => within(s.resolve_min)], [t('rules.sla.default'), (_, id) => (tenant.default_sla === id ? `✓ ${t('form.yes')}` : '–')]]}
        onMake={(id, name) => change((x) => { x.slas[id] = { name, first_reply_min: 60, resolve_min: 1440 }; x.default_sla ??= id; })}
        onRemove={(id) => change((x) => { delete x.slas[id]; if (x.default_sla === id) x.default_sla = null; })}
        sheet={(s, id) => (
          <div className="grid gap-3 sm:grid-cols-2">
            <Text text={t('form.name')} value={s.name} onChange={(v) => set(id, (x) => { x.name = v; })} />
            <Pick text={t('config.hours')} none={t('form.always')} value={s.calendar ?? ''} options={pairs(tenant.routing.calendars)} onChange={(v) => set(id, (x) => { x.calendar = v || null; })} />
            <Num text={t('rules.sla.first.min')} hint={t('form.nolimit')} min={1} value={s.first_reply_min ?? undefined} onChange={(v) => set(id, (x) => put(x, 'first_reply_min', v))} />
            <Num text={t('rules.sla.next.min')} hint={t('form.nolimit')} min={1} value={s.next_reply_min ?? undefined} onChange={(v) => set(id, (x) => put(x, 'next_reply_min', v))} />
            <Num text={t('rules.sla.resolve.min')} hint={t('form.nolimit')} min={1} value={s.resolve_min ?? undefined} onChange={(v) => set(id, (x) => put(x, 'resolve_min', v))} />
            <Num text={t('rules.sla.ack.min')} hint={t('form.nolimit')} min={1} value={s.owner_ack_min ?? undefined} onChange={(v) => set(id, (x) => put(x, 'owner_ack_min', v))} />
            <Num text={t('rules.sla.reopen')} hint={t('rules.sla.reopen.hint')} value={s.reopen_h ?? undefined} onChange={(v) => set(id, (x) => put(x, 'reopen_h', v))} />
            <div className="sm:col-span-2"><Tick text={t('rules.sla.default')} value={tenant.default_sla === id} onChange={(v) => change((x) => { x.default_sla = v ? id : null; })} /></div>
          </div>
        )} />
    </div>
  );
}

function Guard({ tenant }: { tenant: Tenant }) {
  const toll = tenant.toll ?? {};
  const set = (how: (x: Toll) => void): void => change((x) => { x.toll ??= {}; how(x.toll); });
  const list = (key: 'allow' | 'deny' | 'emergency', v: string): void => set((x) => { const all = patterns(v); if (all.length) x[key] = all; else delete x[key]; });
  const cap = (who: typeof CAPS[number], key: keyof Caps, v: number | undefined): void => set((x) => { const caps = { ...x[who] }; put(caps, key, v); x[who] = caps; });
  const lines = (key: 'allow' | 'deny' | 'emergency') => (
    <Label text={t(`rules.toll.${key}`)} hint={t('rules.toll.patterns')}>
      <input key={(toll[key] ?? []).join(' ')} className="field font-mono" defaultValue={(toll[key] ?? []).join(' ')} onBlur={(e) => list(key, e.target.value)} spellCheck={false} autoComplete="off" />
    </Label>
  );
  return (
    <section className="card grid gap-3 p-4 sm:grid-cols-2">
      <div className="sm:col-span-2"><h2 className="text-[1.05rem] font-semibold">{t('rules.toll')}</h2><p className="text-soft">{t('rules.toll.hint')}</p></div>
      <Tick text={t('rules.toll.international')} value={toll.international ?? false} onChange={(v) => set((x) => { x.international = v; })} />
      <Tick text={t('rules.toll.premium')} value={toll.premium ?? false} onChange={(v) => set((x) => { x.premium = v; })} />
      {lines('allow')}{lines('deny')}{lines('emergency')}
      <Pick text={t('rules.toll.calendar')} none={t('form.always')} value={toll.calendar ?? ''} options={pairs(tenant.routing.calendars)} onChange={(v) => set((x) => { if (v) x.calendar = v; else delete x.calendar; })} />
      <Num text={t('rules.toll.longest')} hint={t('form.nolimit')} min={1} value={toll.max_call_min ?? undefined} onChange={(v) => set((x) => put(x, 'max_call_min', v))} />
      <table className="table sm:col-span-2">
        <caption className="pb-1 text-left font-medium">{t('rules.toll.hourly')}</caption>
        <thead><tr><th scope="col"><span className="sr-only">{t('rules.toll.whom')}</span></th><th scope="col">{t('rules.toll.calls')}</th><th scope="col">{t('rules.toll.minutes')}</th><th scope="col">{t('rules.toll.spend')}</th></tr></thead>
        <tbody>{CAPS.map((who) => (
          <tr key={who}><th scope="row" className="text-left font-normal">{t(`rules.toll.${who}`)}</th>
            {(['calls_h', 'minutes_h', 'spend_h'] as const).map((key) => (
              <td key={key}><input className="field num w-28" type="number" min={0} aria-label={`${t(`rules.toll.${who}`)}: ${t(key === 'calls_h' ? 'rules.toll.calls' : key === 'minutes_h' ? 'rules.toll.minutes' : 'rules.toll.spend')}`}
                value={toll[who]?.[key] ?? ''} onChange={(e) => cap(who, key, e.target.value === '' ? undefined : Number(e.target.value))} /></td>
            ))}</tr>
        ))}</tbody>
      </table>
      <Rates rates={toll.rates ?? []} set={(rates) => set((x) => { if (rates.length) x.rates = rates; else delete x.rates; })} />
    </section>
  );
}
