// What happens during calls: what is recorded and written down, who is told of whom, where the sound is copied to, and the values
// flows read.

import { useState } from 'react';
import { t, tCode } from '../lib/i18n';
import { Button, Label } from '../ui/parts';
import { change, type Media, type Stream, type Tenant } from './draft';
import { bare, Form, NewThing, Num, Pick, Several, Text, Things, Tick, pairs } from './Form';
import { Spoken } from './Spoken';

const REMINDER_S = 60;

export function Calls() {
  return (
    <Form hint={t('calls.hint')}>
      {(tenant) => <div className="grid gap-6"><During tenant={tenant} /><Phones tenant={tenant} /><Supervision tenant={tenant} /><Streams tenant={tenant} /><Values tenant={tenant} /></div>}
    </Form>
  );
}

function During({ tenant }: { tenant: Tenant }) {
  const calls = { hold_reminder_s: REMINDER_S, mask_keys: false, ...tenant.calls };
  const set = (next: Partial<typeof calls>): void => change((x) => {
    const made = { ...calls, ...next };
    if (made.hold_reminder_s === REMINDER_S && !made.mask_keys) delete x.calls; else x.calls = made;
  });
  const written = (next: NonNullable<Tenant['transcripts']>): void => change((x) => {
    const made = { ...x.transcripts, ...next };
    if (!made.queues?.length) delete made.queues;
    if (!made.numbers?.length) delete made.numbers;
    if (made.queues || made.numbers) x.transcripts = made; else delete x.transcripts;
  });
  const numbers = (tenant.transcripts?.numbers ?? []).join(' ');
  return (
    <section className="card grid gap-3 p-4 sm:grid-cols-2">
      <h2 className="text-[1.05rem] font-semibold sm:col-span-2">{t('calls.during')}</h2>
      <Pick text={t('calls.record')} hint={t('calls.record.hint')} value={tenant.recording ?? 'always'} options={[['always', t('calls.record.always')], ['never', t('calls.record.never')]]} onChange={(v) => change((x) => { x.recording = v; })} />
      <Pick text={t('calls.format')} value={tenant.recording_format ?? 'wav'} options={[['wav', t('calls.format.wav')], ['opus', t('calls.format.opus')]]} onChange={(v) => change((x) => { if (v === 'wav') delete x.recording_format; else x.recording_format = v; })} />
      <Num text={t('calls.reminder')} hint={t('calls.reminder.hint')} value={calls.hold_reminder_s} onChange={(v) => set({ hold_reminder_s: v ?? 0 })} />
      <div className="grid content-center"><Tick text={t('calls.mask')} value={calls.mask_keys} onChange={(v) => set({ mask_keys: v })} /></div>
      <Several text={t('calls.written')} value={tenant.transcripts?.queues ?? []} options={pairs(tenant.routing.queues)} onChange={(v) => written({ queues: v })} />
      <Label text={t('calls.written.numbers')} hint={t('calls.written.hint')}>
        <input key={numbers} className="field font-mono" defaultValue={numbers} onBlur={(e) => written({ numbers: e.target.value.split(/[\s,]+/).filter(Boolean) })} spellCheck={false} autoComplete="off" />
      </Label>
    </section>
  );
}

/** What is spoken with phones, and with those of some agents instead. */
function Phones({ tenant }: { tenant: Tenant }) {
  const set = (id: string, media: Media | undefined): void => change((x) => { x.phones = { ...x.phones, [id]: media ?? {} }; });
  return (
    <>
      <section className="card grid gap-3 p-4 sm:grid-cols-2">
        <h2 className="text-[1.05rem] font-semibold sm:col-span-2">{t('spoken.phones')}</h2>
        <p className="text-soft sm:col-span-2">{t('spoken.hint')}</p>
        <Spoken media={tenant.media} none={t('spoken.as.house')} set={(media) => change((x) => { if (media) x.media = media; else delete x.media; })} />
      </section>
      <Things<Media> unnamed things={tenant.phones ?? {}} label={t('spoken.some')} make={t('spoken.some.new')} none={t('spoken.some.none')}
        columns={[[t('spoken.codecs'), (m) => <code>{m.codecs?.join(' ') ?? '–'}</code>], [t('spoken.srtp'), (m) => (m.srtp ? tCode('srtp', m.srtp) : '–')], [t('spoken.dtmf'), (m) => (m.dtmf ? tCode('dtmf', m.dtmf) : '–')]]}
        onMake={(id) => set(id, undefined)} onRemove={(id) => change((x) => { delete x.phones?.[id]; if (x.phones && bare(x.phones)) delete x.phones; })}
        sheet={(media, id) => <div className="grid gap-3 sm:grid-cols-2"><Spoken media={media} none={t('spoken.as.phones')} set={(next) => set(id, next)} /></div>} />
    </>
  );
}

function Supervision({ tenant }: { tenant: Tenant }) {
  const { tell_agents = false, queues = {} } = tenant.supervision ?? {};
  const [making, setMaking] = useState(false);
  const set = (told: boolean, only: Record<string, string[]>): void => change((x) => {
    if (!told && Object.keys(only).length === 0) delete x.supervision;
    else x.supervision = { tell_agents: told, ...(Object.keys(only).length ? { queues: only } : {}) };
  });
  const without = (who: string): Record<string, string[]> => Object.fromEntries(Object.entries(queues).filter(([id]) => id !== who));
  return (
    <section className="card grid gap-3 p-4">
      <h2 className="text-[1.05rem] font-semibold">{t('calls.supervision')}</h2>
      <Tick text={t('calls.tell')} value={tell_agents} onChange={(v) => set(v, queues)} />
      <p className="text-soft">{t('calls.part.hint')}</p>
      {Object.entries(queues).map(([who, of]) => (
        <div key={who} className="flex flex-wrap items-start gap-3 border-t border-line pt-2">
          <div className="grow"><Several text={t('calls.part', { who })} value={of} options={pairs(tenant.routing.queues)} onChange={(v) => set(tell_agents, { ...queues, [who]: v })} /></div>
          <Button small look="bad" aria-label={`${t('do.remove')}: ${who}`} onClick={() => set(tell_agents, without(who))}>✕</Button>
        </div>
      ))}
      <div><Button small onClick={() => setMaking(true)}>{t('calls.part.add')}</Button></div>
      <NewThing unnamed open={making} onClose={() => setMaking(false)} title={t('calls.part.add')} taken={(id) => id in queues} onMake={(id) => { set(tell_agents, { ...queues, [id]: [] }); setMaking(false); }} />
    </section>
  );
}

function Streams({ tenant }: { tenant: Tenant }) {
  const streams = tenant.streams ?? {};
  const set = (id: string, how: (s: Stream) => void): void => change((x) => how(x.streams![id]!));
  return (
    <div className="grid gap-2">
      <Things<Stream> unnamed things={streams} label={t('calls.streams')} make={t('calls.stream.new')} none={t('calls.stream.none')}
        columns={[[t('calls.stream.url'), (s) => <code>{s.url}</code>], [t('calls.stream.rate'), (s) => <span className="num">{s.rate ?? 8000}</span>], [t('calls.stream.all'), (_, id) => (tenant.stream_talks === id ? `✓ ${t('form.yes')}` : '–')]]}
        onMake={(id) => change((x) => { (x.streams ??= {})[id] = { url: 'wss://' }; })}
        onRemove={(id) => change((x) => { delete x.streams![id]; if (Object.keys(x.streams!).length === 0) delete x.streams; if (x.stream_talks === id) delete x.stream_talks; })}
        sheet={(s, id) => (
          <div className="grid gap-3 sm:grid-cols-2">
            <Text text={t('calls.stream.url')} hint={t('calls.stream.url.hint')} mono value={s.url} onChange={(v) => set(id, (x) => { x.url = v.trim(); })} />
            <Pick text={t('calls.stream.rate')} value={String(s.rate ?? 8000)} options={[['8000', '8000'], ['16000', '16000']]} onChange={(v) => set(id, (x) => { x.rate = Number(v); })} />
            <Text text={t('calls.stream.token')} hint={t('calls.stream.token.hint')} value={s.token_secret ?? ''} onChange={(v) => set(id, (x) => { if (v.trim()) x.token_secret = v.trim(); else delete x.token_secret; })} />
            <div className="grid content-center"><Tick text={t('calls.stream.all.more')} value={tenant.stream_talks === id} onChange={(v) => change((x) => { if (v) x.stream_talks = id; else delete x.stream_talks; })} /></div>
          </div>
        )} />
    </div>
  );
}

/** What flows read as `config.NAME`. */
function Values({ tenant }: { tenant: Tenant }) {
  const [making, setMaking] = useState(false);
  const values = Object.entries(tenant.flow_config ?? {});
  return (
    <section className="card grid gap-3 p-4">
      <h2 className="text-[1.05rem] font-semibold">{t('calls.values')}</h2>
      <p className="text-soft">{t('calls.values.hint')}</p>
      {values.map(([key, value]) => (
        <div key={key} className="grid items-center gap-2 sm:grid-cols-[14rem_1fr_auto]"><code>config.{key}</code>
          <input className="field" aria-label={`config.${key}`} value={value} onChange={(e) => change((x) => { x.flow_config[key] = e.target.value; })} spellCheck={false} autoComplete="off" />
          <Button small look="bad" aria-label={`${t('do.remove')}: ${key}`} onClick={() => change((x) => { delete x.flow_config[key]; })}>✕</Button>
        </div>
      ))}
      <div><Button small onClick={() => setMaking(true)}>{t('calls.value.add')}</Button></div>
      <NewThing unnamed open={making} onClose={() => setMaking(false)} title={t('calls.value.add')} taken={(id) => id in (tenant.flow_config ?? {})} onMake={(id) => { change((x) => { (x.flow_config ??= {})[id] = ''; }); setMaking(false); }} />
    </section>
  );
}
