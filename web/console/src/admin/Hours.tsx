// Opening hours: the week, the days that differ, and the switch that closes everything at once.

import { useState } from 'react';
import { api, take, type Problem } from '../api/client';
import { notice, problemText } from '../lib/act';
import { t, tCode } from '../lib/i18n';
import { Button } from '../ui/parts';
import { change, refresh, useDraft, type Calendar, type Override } from './draft';
import { Form, Text, Things } from './Form';

const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];
const fresh = (name: string): Calendar => ({ name, zone: Intl.DateTimeFormat().resolvedOptions().timeZone, weekly: Object.fromEntries(DAYS.slice(0, 5).map((d) => [d, ['09:00-18:00']])), holidays: [], overrides: [], emergency: false });
/** `09:00-12:30, 13:30-18:00` */
const spans = (text: string): string[] => text.split(/[,，;\s]+/).filter(Boolean);

export function Hours() {
  return (
    <Form hint={t('hours.hint')}>
      {({ routing }) => {
        const set = (id: string, how: (calendar: Calendar) => void): void => change((tenant) => how(tenant.routing.calendars[id]!));
        return (
          <>
            <Things<Calendar> things={routing.calendars} label={t('config.hours')} make={t('hours.new')} none={t('hours.none')}
              columns={[
                [t('hours.zone'), (c) => c.zone],
                [t('hours.week'), (c) => DAYS.filter((d) => c.weekly[d]?.length).map((d) => tCode('day', d)).join(' ')],
                [t('hours.holidays'), (c) => <span className="num">{c.holidays.length}</span>],
                [t('hours.emergency'), (_, id) => <Emergency id={id} />],
              ]}
              onMake={(id, name) => change((tenant) => { tenant.routing.calendars[id] = fresh(name); })}
              onRemove={(id) => change((tenant) => { delete tenant.routing.calendars[id]; })}
              sheet={(c, id) => (
                <div className="grid gap-3 sm:grid-cols-2">
                  <Text text={t('form.name')} value={c.name} onChange={(v) => set(id, (x) => { x.name = v; })} />
                  <Text text={t('hours.zone')} hint="Asia/Shanghai, Europe/Brussels" value={c.zone} onChange={(v) => set(id, (x) => { x.zone = v; })} />
                  <fieldset className="label sm:col-span-2"><legend className="mb-1">{t('hours.week')}</legend>
                    <p className="mb-1 text-[0.9em] font-normal text-soft">{t('hours.week.hint')}</p>
                    {DAYS.map((d) => (
                      <label key={d} className="grid grid-cols-[6rem_1fr] items-center gap-2 font-normal"><span>{tCode('day', d)}</span><Lines value={c.weekly[d] ?? []} closed onChange={(v) => set(id, (x) => { if (v.length) x.weekly[d] = v; else delete x.weekly[d]; })} /></label>
                    ))}
                  </fieldset>
                  <fieldset className="label sm:col-span-2"><legend className="mb-1">{t('hours.holidays')}</legend>
                    {c.holidays.map((h, n) => (
                      <div key={n} className="grid grid-cols-[10rem_1fr_1fr_auto] items-center gap-2">
                        <input className="field num" type="date" aria-label={t('hours.date')} value={h.date} onChange={(e) => set(id, (x) => { x.holidays[n]!.date = e.target.value; })} />
                        <input className="field" aria-label={t('form.name')} value={h.name} placeholder={t('form.name')} onChange={(e) => set(id, (x) => { x.holidays[n]!.name = e.target.value; })} />
                        <Lines value={h.open} closed label={t('hours.open')} onChange={(v) => set(id, (x) => { x.holidays[n]!.open = v; })} />
                        <Button small look="bad" aria-label={`${t('do.remove')}: ${h.date}`} onClick={() => set(id, (x) => { x.holidays.splice(n, 1); })}>✕</Button>
                      </div>
                    ))}
                    <div><Button small onClick={() => set(id, (x) => { x.holidays.push({ date: new Date().toISOString().slice(0, 10), name: '', open: [] }); })}>{t('hours.holiday.add')}</Button></div>
                  </fieldset>
                  <fieldset className="label sm:col-span-2"><legend className="mb-1">{t('hours.overrides')}</legend>
                    <p className="mb-1 text-[0.9em] font-normal text-soft">{t('hours.overrides.hint')}</p>
                    {c.overrides.map((o, n) => {
                      const row = t('hours.override', { n: n + 1 });
                      const put = (next: Partial<Override>): void => set(id, (x) => { Object.assign(x.overrides[n]!, next); });
                      return (
                        <div key={n} className="grid grid-cols-[1fr_auto] items-center gap-2 border-b border-line pb-2 sm:grid-cols-[1fr_1fr_auto]">
                          <input className="field num" type="datetime-local" aria-label={`${t('hours.override.from')}, ${row}`} value={o.from.slice(0, 16)} onChange={(e) => put({ from: e.target.value })} />
                          <input className="field num" type="datetime-local" aria-label={`${t('hours.override.to')}, ${row}`} value={o.to.slice(0, 16)} onChange={(e) => put({ to: e.target.value })} />
                          <select className="field w-auto" aria-label={`${t('hours.override.how')}, ${row}`} value={String(o.open)} onChange={(e) => put({ open: e.target.value === 'true' })}><option value="false">{t('hours.closed')}</option><option value="true">{t('hours.override.open')}</option></select>
                          <input className="field sm:col-span-2" aria-label={`${t('hours.override.why')}, ${row}`} placeholder={t('hours.override.why')} value={o.why} maxLength={200} onChange={(e) => put({ why: e.target.value })} />
                          <Button small look="bad" className="justify-self-start" aria-label={`${t('do.remove')}: ${row}`} onClick={() => set(id, (x) => { x.overrides.splice(n, 1); })}>✕</Button>
                        </div>
                      );
                    })}
                    <div><Button small onClick={() => set(id, (x) => { const day = new Date().toISOString().slice(0, 10); x.overrides.push({ from: `${day}T12:00`, to: `${day}T18:00`, open: false, why: '' }); })}>{t('hours.override.add')}</Button></div>
                  </fieldset>
                </div>
              )} />
          </>
        );
      }}
    </Form>
  );
}

/** Spans of a day as text, kept as typed until the field is left. */
function Lines({ value, onChange, closed, label }: { value: string[]; onChange: (next: string[]) => void; closed?: boolean; label?: string }) {
  const [text, setText] = useState<string | null>(null);
  return <input className="field num" {...(label ? { 'aria-label': label } : {})} value={text ?? value.join(', ')} placeholder={closed ? t('hours.closed') : ''} onChange={(e) => setText(e.target.value)} onBlur={() => { if (text !== null) { onChange(spans(text)); setText(null); } }} />;
}

/** In force at once, whatever else is being changed: who needs it has no time for a list of differences. */
function Emergency({ id }: { id: string }) {
  const { kept, touched } = useDraft();
  const [busy, setBusy] = useState(false);
  const on = kept?.routing.calendars[id]?.emergency ?? false;
  if (!kept?.routing.calendars[id]) return <span className="text-soft">{t('hours.unsaved')}</span>;
  const flip = async (): Promise<void> => {
    setBusy(true);
    try {
      const { version, business } = await take(api.GET('/api/v1/config/document'));
      const all = business as unknown as { tenants: Record<string, { routing: { calendars: Record<string, Calendar> } }> };
      const calendar = Object.values(all.tenants)[0]?.routing.calendars[id];
      if (calendar) calendar.emergency = !on;
      await take(api.PUT('/api/v1/config', { params: { query: { version, dry_run: false } }, body: JSON.stringify(all), bodySerializer: (b) => b as string, headers: { 'content-type': 'application/yaml' } }));
      notice(t(on ? 'hours.emergency.off' : 'hours.emergency.on'));
      // What is being changed by hand stays, on top of it.
      await refresh();
    } catch (problem) { notice(problemText(problem as Problem), true); }
    setBusy(false);
  };
  return (
    <span className="inline-flex items-center gap-2">
      {on && <strong className="text-bad">⚠ {t('hours.emergency.now')}</strong>}
      <Button small look={on ? 'main' : 'bad'} disabled={busy} aria-pressed={on} onClick={() => void flip()} title={touched ? t('hours.emergency.alone') : undefined}>{t(on ? 'hours.emergency.end' : 'hours.emergency.begin')}</Button>
    </span>
  );
}
