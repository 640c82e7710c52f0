// Visitors who want to speak rather than write, as a form: they are called, or call from the page.

import { api, take } from '../api/client';
import { t } from '../lib/i18n';
import { useLoad } from '../lib/load';
import { change, changeChat as set, type CallMe, type ChosenHours, type TalkNow, type Tenant } from './draft';
import { Num, Pick, Text, Tick, Words, bare, pairs } from './Form';

/** As the program has it where nothing is said (docs/chat.md). */
const OURS = { attempts: 3, gap_s: 300, max_min: 30, at_once: 10, each: 2, ahead_min: 30, days: 7 };
const EVERY = [15, 30, 60];

export function VisitorCalls({ tenant }: { tenant: Tenant }) {
  const { chat, routing } = tenant;
  const flows = useLoad('flows', async () => (await take(api.GET('/api/v1/flows'))).flows);
  const names = (flows.data ?? []).map((f) => f.name);
  const { call_me: call, talk_now: talk } = chat;
  const all = talk?.to.flow && !names.includes(talk.to.flow) ? [talk.to.flow, ...names] : names;
  const setCall = (how: (x: CallMe) => void): void => set((x) => how(x.call_me!));
  const setTalk = (how: (x: TalkNow) => void): void => set((x) => how(x.talk_now!));
  const chosen = call && tenant.callback_hours?.[call.queue];
  const setChosen = (how: (x: ChosenHours) => void): void => change((x) => how(x.callback_hours![call!.queue]!));
  const offerHours = (on: boolean): void => change((x) => {
    x.callback_hours ??= {};
    if (on) x.callback_hours[call!.queue] = { calendar: Object.keys(routing.calendars)[0] ?? '' };
    else delete x.callback_hours[call!.queue];
    if (bare(x.callback_hours)) delete x.callback_hours;
  });
  const num = (text: string, key: 'each' | 'ahead_min' | 'days', max?: number) => (
    <Num text={text} min={key === 'ahead_min' ? 0 : 1} {...(max === undefined ? {} : { max })} value={chosen?.[key]} hint={String(OURS[key])} onChange={(v) => setChosen((x) => { if (v === undefined) delete x[key]; else x[key] = v; })} />
  );
  const hours = (value: string | undefined, put: (v: string) => void) => (
    <Pick text={t('config.hours')} none={t('form.always')} value={value ?? ''} options={pairs(routing.calendars)} onChange={put} />
  );
  return (
    <section className="card grid gap-3 p-4 sm:grid-cols-2">
      <h2 className="text-[1.05rem] font-semibold sm:col-span-2">{t('chat.calls')}</h2>
      <div className="sm:col-span-2"><Tick text={t('chat.callme')} value={call !== undefined} onChange={(v) => set((x) => { if (v) x.call_me = { queue: Object.keys(routing.queues)[0] ?? '' }; else delete x.call_me; })} /></div>
      {call && (
        <>
          <Pick text={t('chat.callme.queue')} value={call.queue} options={pairs(routing.queues)} onChange={(v) => setCall((x) => { x.queue = v; })} />
          {hours(call.calendar, (v) => setCall((x) => { if (v) x.calendar = v; else delete x.calendar; }))}
          <Num text={t('chat.callme.attempts')} min={1} value={call.attempts} hint={String(OURS.attempts)} onChange={(v) => setCall((x) => { if (v === undefined) delete x.attempts; else x.attempts = v; })} />
          <Num text={t('chat.callme.gap')} min={1} value={call.gap_s} hint={String(OURS.gap_s)} onChange={(v) => setCall((x) => { if (v === undefined) delete x.gap_s; else x.gap_s = v; })} />
          <Words text={t('chat.callme.consent')} value={call.consent} onChange={(v) => setCall((x) => { if (bare(v)) delete x.consent; else x.consent = v; })} />
          <div className="sm:col-span-2"><Tick text={t('chat.hours')} value={chosen !== undefined} onChange={offerHours} /></div>
          {chosen && (
            <>
              <Pick text={t('chat.hours.calendar')} value={chosen.calendar} options={pairs(routing.calendars)} onChange={(v) => setChosen((x) => { x.calendar = v; })} />
              <Pick text={t('chat.hours.every')} value={String(chosen.every_min ?? 30)} options={EVERY.map((n) => [String(n), String(n)])} onChange={(v) => setChosen((x) => { if (v === '30') delete x.every_min; else x.every_min = Number(v); })} />
              {num(t('chat.hours.each'), 'each')}
              {num(t('chat.hours.ahead'), 'ahead_min', 1440)}
              {num(t('chat.hours.days'), 'days', 30)}
              <span aria-hidden="true" />
            </>
          )}
        </>
      )}
      <div className="sm:col-span-2"><Tick text={t('chat.talk')} value={talk !== undefined} onChange={(v) => set((x) => { if (v) x.talk_now = { to: { number: '' } }; else delete x.talk_now; })} /></div>
      {talk && (
        <>
          <Pick text={t('chat.talk.to')} none={t('chat.talk.number')} value={talk.to.flow ?? ''} options={all.map((f) => [f, t('chat.talk.flow', { name: f })])} onChange={(v) => setTalk((x) => { x.to = v ? { flow: v } : { number: '' }; })} />
          {talk.to.flow === undefined
            ? <Text text={t('chat.talk.dialled')} hint={t('chat.talk.dialled.hint')} mono value={talk.to.number ?? ''} onChange={(v) => setTalk((x) => { x.to = { number: v }; })} />
            : <span aria-hidden="true" />}
          {hours(talk.calendar, (v) => setTalk((x) => { if (v) x.calendar = v; else delete x.calendar; }))}
          <span aria-hidden="true" />
          <Num text={t('chat.talk.longest')} min={1} max={240} value={talk.max_min} hint={String(OURS.max_min)} onChange={(v) => setTalk((x) => { if (v === undefined) delete x.max_min; else x.max_min = v; })} />
          <Num text={t('chat.talk.most')} min={1} max={200} value={talk.at_once} hint={String(OURS.at_once)} onChange={(v) => setTalk((x) => { if (v === undefined) delete x.at_once; else x.at_once = v; })} />
          <p className="text-soft sm:col-span-2">{t('chat.talk.hint')}</p>
        </>
      )}
    </section>
  );
}
