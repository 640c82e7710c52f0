// The chosen contact: who it is, what can be done, what is said, and how it ends.

import { useState } from 'react';
import { api } from '../api/client';
import { act } from '../lib/act';
import { keyOf, useActions } from '../lib/actions';
import { t, tCode } from '../lib/i18n';
import { regionName } from '../lib/region';
import { A, go } from '../lib/router';
import { exactTime } from '../lib/time';
import { agentName, holdLimit, queueName, supervises, useLive } from '../live/live';
import { hangUp, lineOf, usePhone } from '../phone/state';
import { Sound, useLine } from '../phone/Talk';
import { Button, Channel, Empty, Since, State, Tabs, Trouble } from '../ui/parts';
import { Sure } from '../ui/Sure';
import { learned, learnedName, VouchedNow } from '../ui/Vouched';
import { Assign } from './Assign';
import type { Contact as C } from './contact';
import { Conversation } from './Conversation';
import { Consult } from './Consult';
import { Story } from './Story';
import { Pull, Supervise, Watchers } from './Supervise';
import { Following, Transcript, useTranscript } from './Transcript';
import { Transfer, type Way } from './Transfer';
import { WrapUp } from './WrapUp';

const path = (id: string) => ({ params: { path: { id } } });

export function Contact({ contact, onProfile }: { contact: C; onProfile: () => void }) {
  const [tab, setTab] = useState<'talk' | 'story'>('talk');
  const text = contact.channel === 'webchat';
  const { lines } = useTranscript(contact.id, true);
  const words = text || lines.length > 0;
  const shown = words ? tab : 'story';
  if (contact.missing) return <Empty>{t('work.gone')}</Empty>;
  return (
    <section className="flex min-h-0 min-w-0 flex-col" aria-label={contact.who}>
      <Head contact={contact} written={!text && lines.length > 0} onProfile={onProfile} />
      {contact.problem && <Trouble problem={contact.problem} again={contact.again} />}
      {words && <div className="px-4 py-2"><Tabs label={t('work.show')} value={tab} onChange={setTab} tabs={[['talk', text ? 'work.talk' : 'work.transcript'], ['story', 'work.story']]} /></div>}
      {shown === 'talk' && text && <Conversation key={contact.id} contact={contact} />}
      {shown === 'talk' && !text && <Following count={lines.length}><Transcript lines={lines} customer={contact.who} /></Following>}
      {shown === 'story' && <div className="min-h-0 grow overflow-y-auto px-4 py-3"><Story contact={contact} /></div>}
      <WrapUp contact={contact} />
    </section>
  );
}

function Head({ contact: c, written, onProfile }: { contact: C; written: boolean; onProfile: () => void }) {
  const queue = useLive((l) => queueName(l, c.queue));
  const agent = useLive((l) => (c.work ? '' : agentName(l, c.now?.agent)));
  const since = c.work?.since ?? c.now?.stage_since;
  const warn = useLive((l) => holdLimit(l, c.queue));
  return (
    <header className="border-b border-line bg-panel px-4 py-2.5">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
        <A href="/w" className="btn btn-plain btn-small mid:hidden" aria-label={t('do.back')}>←</A>
        <h1 className="min-w-0 truncate text-[1.3rem] font-semibold"><Channel channel={c.channel} /> {c.who}</h1>
        {c.from !== c.who && <span className="num text-soft">{c.from}</span>}
        {c.stage ? <span className="chip text-[1rem]"><State state={c.stage} />{since && <Since at={since} {...(c.stage === 'hold' && warn > 0 ? { max_s: warn } : {})} />}</span> : <span className="chip text-soft">{t('work.over')}</span>}
        {c.now?.callback && <span className="chip"><span aria-hidden="true">↩</span>{t('work.callback', { n: Math.min(c.now.callback.tried + 1, c.now.callback.attempts), of: c.now.callback.attempts })}{c.now.callback.last && c.stage === 'scheduled' && ` · ${tCode('callback', c.now.callback.last)}`}{c.now.callback.again_at && ` · ${t(c.now.callback.chosen_at === c.now.callback.again_at ? 'work.callback.chosen' : 'work.callback.next', { at: exactTime(c.now.callback.again_at) })}`}</span>}
        {c.paused && <span className="chip border-warn text-warn"><span aria-hidden="true">❚❚</span>{t('call.paused')}</span>}
        <Watchers i={c.now} />
        <span className="grow" />
        <Button small look="plain" className="wide:hidden" onClick={onProfile}>{t('work.profile')}</Button>
      </div>
      <p className="flex flex-wrap gap-x-4 text-soft">
        {regionName(c.region) && <span>{regionName(c.region)}</span>}
        {queue && <span>{queue}</span>}
        {c.now && c.stage === 'waiting' && <span>{t('offer.waited')} <Since at={c.now.since} /></span>}
        {agent && <span>{agent}</span>}
        {c.now?.to && c.channel === 'voice' && c.now.to !== c.now.from && <span className="num">{t('work.dialled', { to: c.now.to })}</span>}
        <VouchedNow attributes={c.now?.attributes} />
        {learned(c.now?.attributes).slice(0, 4).map(([k, v]) => <span key={k} className="min-w-0 break-all">{learnedName(k)}: {v}</span>)}
      </p>
      <Controls contact={c} written={written} />
      <Consult contact={c} />
      <Sound interaction={c.id} />
      {c.now && <div className="mt-2 empty:hidden"><Supervise id={c.id} i={c.now} /></div>}
    </header>
  );
}

function Controls({ contact: c, written }: { contact: C; written: boolean }) {
  const up = useLive((l) => l.up);
  const watches = useLive(supervises);
  const [handing, setHanding] = useState<Way | null>(null);
  const [assigning, setAssigning] = useState(false);
  const voice = c.channel === 'voice';
  const me = useLive((l) => l.me?.agent ?? null);
  const speaking = (c.stage === 'talking' || c.stage === 'hold') && Boolean(c.work || watches);
  // Who is asked, or supervises, is a guest on somebody else's call: no key of theirs holds it or ends it.
  const guest = voice && c.now !== undefined && me !== null && c.now.agent !== me && (c.now.consult?.helper === me || c.now.supervisors.some((s) => s.supervisor === me));
  const helping = guest && c.now?.consult?.helper === me;
  const mine = usePhone((p) => (guest ? lineOf(p.lines, c.id) : undefined));
  const talking = speaking && !guest;
  const waiting = watches && (c.stage === 'waiting' || c.stage === 'flow');
  const pullable = watches && !c.work && (c.stage === 'waiting' || c.stage === 'offered');
  const booked = watches && Boolean(c.now?.callback) && (c.stage === 'waiting' || c.stage === 'scheduled');
  const held = c.stage === 'hold';
  // Card data is kept out of both, by one button.
  const recording = written || c.recordings.some((r) => !r.ended_at);
  const hold = (): void => void act(api.POST('/api/v1/interactions/{id}/hold', { ...path(c.id), body: { on: !held } }));
  const pause = async (): Promise<void> => {
    if (await act(api.POST('/api/v1/interactions/{id}/recording', { ...path(c.id), body: { action: c.paused ? 'resume' : 'pause' } }))) c.setPaused(!c.paused);
  };
  const line = useLine(c.id, speaking && voice, c.work && !guest ? c.now?.muted ?? false : null);
  const leave = (): void => { if (mine) hangUp(mine.id); };
  const sooner = (): void => void act(api.POST('/api/v1/interactions/{id}/priority', { ...path(c.id), body: { minutes: 5 } }), t('do.sooner.done'));
  const finish = (): void => void act(api.POST('/api/v1/interactions/{id}/finish', path(c.id)));
  useActions([
    talking && voice && { id: 'call.hold', label: held ? 'do.unhold' : 'do.hold', group: 'call', run: hold },
    talking && { id: 'call.transfer', label: 'do.transfer', group: 'call', run: () => setHanding('blind') },
    talking && voice && { id: 'call.consult', label: 'transfer.consult', group: 'call', run: () => setHanding('consult') },
    talking && voice && recording && { id: 'call.record', label: c.paused ? 'do.resume' : 'do.pause', group: 'call', run: () => void pause() },
    talking && { id: 'call.end', label: voice ? 'do.finish' : 'do.finish.chat', group: 'call', run: finish },
    helping && mine !== undefined && { id: 'consult.leave', label: 'consult.leave', group: 'call', run: leave },
    waiting && { id: 'call.assign', label: 'do.move', group: 'call', run: () => setAssigning(true) },
    waiting && c.stage === 'waiting' && { id: 'call.sooner', label: 'do.sooner', group: 'call', run: sooner },
  ]);
  if (!speaking && !waiting && !booked && !pullable) return null;
  return (
    <div className="mt-2 flex flex-wrap gap-2" role="toolbar" aria-label={t('work.controls')}>
      {line.buttons}
      {talking && voice && <Button className="min-h-10" disabled={!up} aria-pressed={held} hotkey={keyOf('call.hold')} onClick={hold}>{t(held ? 'do.unhold' : 'do.hold')}</Button>}
      {talking && <Button className="min-h-10" disabled={!up} hotkey={keyOf('call.transfer')} onClick={() => setHanding('blind')}>{t('do.transfer')}</Button>}
      {talking && voice && recording && <Button className="min-h-10" disabled={!up} aria-pressed={c.paused} hotkey={keyOf('call.record')} onClick={() => void pause()}>{t(c.paused ? 'do.resume' : 'do.pause')}</Button>}
      {pullable && <Pull id={c.id} i={c.now} />}
      {waiting && <Button className="min-h-10" disabled={!up} onClick={() => setAssigning(true)}>{t('do.move')}</Button>}
      {waiting && c.stage === 'waiting' && <Button className="min-h-10" disabled={!up} onClick={sooner}>{t('do.sooner')}</Button>}
      <span className="grow" />
      {booked && <Sure className="min-h-10" look="bad" disabled={!up} title={t('do.callback.cancel')} what={t('callback.cancel.sure')} onSure={finish}>{t('do.callback.cancel')}</Sure>}
      {helping && mine && <Button className="min-h-10" look="bad" onClick={leave}>{t('consult.leave')}</Button>}
      {talking && <Button className="min-h-10" look="bad" disabled={!up} hotkey={keyOf('call.end')} onClick={finish}>{t(voice ? 'do.finish' : 'do.finish.chat')}</Button>}
      <Transfer way={handing} onClose={() => setHanding(null)} contact={c} onDone={() => { setHanding(null); if (!c.work) go('/w'); }} />
      <Assign open={assigning} onClose={() => setAssigning(false)} id={c.id} queue={c.queue} />
    </div>
  );
}

