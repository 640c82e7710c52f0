// One contact afterwards: how long everything took, what was said, why this agent, what happened, and what the wire saw.

import { useState } from 'react';
import { api, take } from '../api/client';
import type { Decision, Fact, InteractionDetail, Message } from '../api/shapes';
import { t, tCode } from '../lib/i18n';
import { useLoad } from '../lib/load';
import { regionName } from '../lib/region';
import { A } from '../lib/router';
import { clock, dateTime, now, timeOfDay } from '../lib/time';
import { agentName, queueName, supervises, useFacts, useLive } from '../live/live';
import { Button, Empty, Page, Trouble } from '../ui/parts';
import { Callable } from '../phone/Dial';
import { Hold } from '../ui/Keep';
import { Vouched } from '../ui/Vouched';
import { Section } from '../work/CustomerPanel';
import { FileOf } from '../work/Files';
import { told as tellAll, useHistory } from '../work/history';
import { Story } from '../work/Story';
import { Transcript, useTranscript } from '../work/Transcript';
import { Why } from '../work/Why';
import { Course } from './Course';
import { Diagnosis } from './Diagnosis';
import { Ladder } from './Ladder';
import { marksOf, spansOf } from './marks';
import { Player } from './Player';

const path = (id: string) => ({ params: { path: { id } } });

export function Detail({ id }: { id: string }) {
  const one = useLoad(`interaction ${id}`, async () => (await take(api.GET('/api/v1/interactions/{id}', path(id)))) as unknown as InteractionDetail);
  const told = useLoad(`facts ${id}`, async () => (await take(api.GET('/api/v1/interactions/{id}/timeline', { params: { path: { id }, query: { messages: false } } }))) as unknown as { facts: Fact[] });
  const whys = useLoad(`why ${id}`, async () => (await take(api.GET('/api/v1/interactions/{id}/decisions', path(id)))) as unknown as { decisions: { decision: Decision }[] });
  const live = useLive((l) => l);
  const said = useTranscript(id);
  const sound = useLoad(`sound ${id}`, () => take(api.GET('/api/v1/interactions/{id}/quality', path(id))));
  const [wish, setWish] = useState<{ at: number; n: number } | null>(null);
  const [head, setHead] = useState<number | null>(null);
  const mayLook = useLive(supervises);
  const [fresh, setFresh] = useState<Message[]>([]);
  const up = useLive((l) => l.up);
  const history = useHistory(one.data?.record?.channel === 'webchat' ? id : null, fresh, up);
  useFacts((f) => {
    if (f.interaction !== id) return;
    if (f.fact === 'message') setFresh((was) => [...was, f.message as Message]);
    else { one.reload(); told.reload(); sound.reload(); }
  });
  if (one.problem && !one.data) return <Trouble problem={one.problem} again={one.reload} />;
  if (!one.data || !told.data) return null;
  const r = one.data.record;
  const theirs = r?.way === 'outbound' ? r.to : r?.from ?? '';
  const talk = history.messages;
  const facts = tellAll(told.data.facts, talk);
  const legs = sound.data?.legs ?? [];
  const seek = (at: number): void => setWish((was) => ({ at, n: (was?.n ?? 0) + 1 }));
  const recorded = one.data.recordings.filter((rec) => rec.ended_at);
  // Without a recording the course has the contact itself for its axis.
  const bare = recorded.some((rec) => !rec.voicemail) || legs.length === 0 ? null : { from: Math.min(...legs.map((l) => Date.parse(l.from))), to: Math.max(...legs.map((l) => (l.until ? Date.parse(l.until) : now()))) };
  const code = r?.disposition ? live.codes.dispositions.find((d) => d.id === r.disposition)?.name ?? r.disposition : null;
  return (
    <Page title={r ? `${tCode('channel', r.channel)} · ${theirs}` : t('nav.calls')} tools={<><Hold kind="interaction" id={id} /><A href="/calls" className="btn btn-small">← {t('nav.calls')}</A></>}>
      {r && (
        <dl className="card mb-4 flex flex-wrap gap-x-8 gap-y-2 px-4 py-3 [&_dt]:text-[0.86em] [&_dt]:text-soft">
          <div><dt>{t('calls.when')}</dt><dd className="num">{dateTime(r.opened_at)}</dd></div>
          <div><dt>{t('customer.title')}</dt><dd><A className="link" href={`/customers/${r.customer}`}>{one.data.now?.customer_name || theirs}</A> {r.channel === 'voice' && <Callable bare number={theirs} />}</dd></div>
          {r.verdict && <div><dt>{t('calls.vouched')}</dt><dd><Vouched verdict={r.verdict} />{r.verdict.origid && <span className="num block text-soft">{t('calls.origid', { id: r.verdict.origid })}</span>}</dd></div>}
          {r.region && <div><dt>{t('calls.region')}</dt><dd>{regionName(r.region)}</dd></div>}
          <div><dt>{t('calls.to')}</dt><dd className="num">{r.to}</dd></div>
          <div><dt>{t('wall.queue')}</dt><dd>{queueName(live, r.queue) || '–'}</dd></div>
          <div><dt>{t('wall.agent')}</dt><dd>{agentName(live, r.agent) || '–'}</dd></div>
          <div><dt>{t('wrap.outcome')}</dt><dd>{code ?? '–'}{r.note && <span className="block max-w-96 text-soft">{r.note}</span>}</dd></div>
          {one.data.rating && <div><dt>{t('reports.csat')}</dt><dd className="num">{t('story.rated', { score: one.data.rating.score, best: one.data.rating.best })}{one.data.rating.comment && <span className="block max-w-96 text-soft">{one.data.rating.comment}</span>}</dd></div>}
          {r.ended_by && <div><dt>{t('calls.endedby')}</dt><dd>{tCode('by', r.ended_by)}</dd></div>}
          {r.ticket && <div><dt>{t('calls.ticket')}</dt><dd><A className="link" href={`/tickets/${r.ticket}`}>{t('calls.ticket.open')}</A></dd></div>}
        </dl>
      )}
      {r && <Bars waited={r.waited_ms} talked={r.talk_ms - r.hold_ms} held={r.hold_ms} wrapped={r.wrap_ms} />}
      {mayLook && r?.channel === 'voice' && <Diagnosis interaction={id} over={r.closed_at} />}
      {one.data.recordings.map((rec) => <Player key={rec.id} interaction={id} recording={rec} facts={facts} legs={legs} wish={wish} onHead={setHead} />)}
      {bare && bare.to > bare.from && <div className="card mb-4 p-4 pt-1"><Course legs={legs} axis={{ ...bare, marks: marksOf(facts, live), spans: spansOf(facts, bare.to) }} /></div>}
      <div className="grid gap-4 wide:grid-cols-2">
        <div className="card p-4"><Section title={t('work.story')}><Story contact={{ facts }} head={head} heard={(at) => recorded.some((rec) => at >= Date.parse(rec.began_at) && at <= Date.parse(rec.began_at) + (rec.ms ?? 0))} onSeek={seek} /></Section></div>
        <div className="grid content-start gap-4">
          <div className="card p-4">
            <Section title={t('why.title')}>
              {whys.data?.decisions.length === 0 && <Empty>{t('why.none')}</Empty>}
              <ol className="grid gap-4">{whys.data?.decisions.map(({ decision: d }, n) => (
                <li key={d.offer}><p className="num text-soft">{t('why.offer', { n: n + 1, at: timeOfDay(d.at), age: clock(d.age_ms) })}</p><Why decision={d} /></li>
              ))}</ol>
            </Section>
          </div>
          {said.lines.length > 0 && <div className="card p-4"><Section title={t('work.transcript')}><Transcript lines={said.lines} more={said.more} head={head} onSeek={recorded.length > 0 ? seek : undefined} customer={one.data.now?.customer_name || r?.from || ''} /></Section></div>}
          {talk.length > 0 && (
            <div className="card p-4"><Section title={t('work.talk')}>
              {history.earlier && <p className="mb-2 text-center"><Button small onClick={() => void history.more()}>{t('talk.older')}</Button></p>}
              <ol className="grid gap-1.5">{talk.map((m) => {
                const ours = typeof m.sender === 'object' ? agentName(live, 'agent' in m.sender ? m.sender.agent : m.sender.note) : m.sender === 'visitor' ? r?.from ?? '' : m.sender === 'bot' ? t('talk.bot') : '';
                return <li key={m.seq}><span className="num text-soft">{timeOfDay(m.at)} {ours}{typeof m.sender === 'object' && 'note' in m.sender ? ` (${t('talk.note')})` : ''}</span> {m.file ? <FileOf contact={id} message={m} /> : null}{m.text !== m.file?.name && <span className="whitespace-pre-wrap break-words">{m.text}</span>}</li>;
              })}</ol>
            </Section></div>
          )}
        </div>
      </div>
      {mayLook && r?.channel === 'voice' && <Ladder interaction={id} />}
    </Page>
  );
}

/** Where the time went, drawn to scale and said in numbers. */
function Bars({ waited, talked, held, wrapped }: { waited: number; talked: number; held: number; wrapped: number }) {
  const parts = ([['calls.waited', waited, 'bg-warn'], ['calls.talked', talked, 'bg-talking'], ['calls.held', held, 'bg-hold'], ['calls.wrapped', wrapped, 'bg-wrap']] as const).filter(([, ms]) => ms > 0);
  const whole = parts.reduce((n, [, ms]) => n + ms, 0);
  if (whole === 0) return null;
  return (
    <div className="card mb-4 px-4 py-3">
      <div className="flex h-3 gap-0.5 overflow-hidden rounded-full" aria-hidden="true">{parts.map(([key, ms, colour]) => <span key={key} className={colour} style={{ flexGrow: ms, minWidth: 3 }} />)}</div>
      <ul className="mt-2 flex flex-wrap gap-x-6">{parts.map(([key, ms, colour]) => <li key={key} className="flex items-center gap-2"><span aria-hidden="true" className={`size-2.5 rounded-full ${colour}`} />{t(key)} <span className="num font-semibold">{clock(ms)}</span></li>)}</ul>
    </div>
  );
}
