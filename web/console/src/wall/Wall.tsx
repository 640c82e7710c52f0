// The floor at a glance: six numbers, every queue, every agent, what goes on, what is wrong. `?tv=1` is the same for the big screen.

import { DropdownMenu as Menu } from 'radix-ui';
import { memo, useEffect, useMemo, useRef, useState } from 'react';
import { api } from '../api/client';
import type { AgentNow, InteractionNow, QueueNow } from '../api/shapes';
import { act } from '../lib/act';
import { useActions } from '../lib/actions';
import { t, tCode, useLanguage } from '../lib/i18n';
import { A, go, setQuery, usePlace } from '../lib/router';
import { clock, exactTime, now, onBeat } from '../lib/time';
import { agentName, holdLimit, queueName, useLive, type Live } from '../live/live';
import { Row as MenuRow } from '../shell/Bar';
import { Button, CalledBack, Channel, Empty, Since, State } from '../ui/parts';
import { Pull, Supervise, Watchers } from '../work/Supervise';
import { Alerts } from './Alerts';

export default function Wall({ tv = false }: { tv?: boolean }) {
  const [paused, setPaused] = useState<Live | null>(null);
  const current = useLive((l) => l);
  const live = paused ?? current;
  const { view } = live;
  const speech = useLanguage();
  useEffect(() => { document.title = `${t('nav.wall')} · ringdesk`; }, [speech]);
  useActions([
    { id: 'wall.tv', label: tv ? 'wall.tv.leave' : 'wall.tv', group: 'view', run: () => go(tv ? '/wall' : '/wall?tv=1') },
    { id: 'wall.pause', label: paused ? 'wall.resume' : 'wall.pause', group: 'view', run: () => setPaused((was) => (was ? null : current)) },
  ]);
  return (
    <div className={`flex h-full min-h-0 flex-col gap-3 overflow-auto p-4 ${tv ? 'bg-bg' : ''}`} data-theme={tv ? 'dark' : undefined}>
      <header className="flex flex-wrap items-center gap-3">
        <h1 className="text-[1.25rem] font-semibold text-ink">{t('nav.wall')}</h1>
        <span className={`chip ${paused ? 'border-warn text-warn' : live.up ? 'text-good' : 'border-bad text-bad'}`}>
          <span aria-hidden="true">{paused ? '❚❚' : live.up ? '●' : '⚠'}</span>{paused ? t('wall.paused') : t(live.up ? 'line.live' : 'line.lost.short')}
        </span>
        <Now />
        <span className="grow" />
        <Button small aria-pressed={paused !== null} onClick={() => setPaused((was) => (was ? null : current))}>{t(paused ? 'wall.resume' : 'wall.pause')}</Button>
        <A href={tv ? '/wall' : '/wall?tv=1'} className="btn btn-small">{t(tv ? 'wall.tv.leave' : 'wall.tv')}</A>
      </header>
      <Alarms alarms={view.alarms} />
      <Alerts view={view} tv={tv} />
      <Tiles live={live} />
      <div className={`grid grow gap-3 wide:min-h-0 ${tv ? 'grid-cols-[minmax(0,3fr)_minmax(0,2fr)]' : 'wide:grid-cols-[minmax(0,3fr)_minmax(0,2fr)]'}`}>
        <div className="flex min-w-0 flex-col gap-3 wide:min-h-0">
          <Queues queues={view.queues} tv={tv} />
          {!tv && <Contacts live={live} />}
        </div>
        <Agents live={live} tv={tv} />
      </div>
    </div>
  );
}

function Now() {
  const ref = useRef<HTMLSpanElement>(null);
  useEffect(() => onBeat(() => { if (ref.current) ref.current.textContent = exactTime(new Date(now()).toISOString()); }), []);
  return <span ref={ref} className="num text-soft" />;
}

function Alarms({ alarms }: { alarms: Record<string, string> }) {
  const list = Object.entries(alarms);
  if (list.length === 0) return null;
  return (
    <ul aria-label={t('wall.alarms')} className="grid gap-1">
      {list.map(([id, text]) => <li key={id} className="flex gap-2 rounded-lg bg-bad-fill px-3 py-2 font-medium text-bad"><span aria-hidden="true">⚠</span>{text}</li>)}
    </ul>
  );
}

/** Six numbers, each with its goal beside it where it has one; past it the number is marked by shape and weight, not by colour alone. */
function Tiles({ live: { view } }: { live: Live }) {
  const queues = Object.values(view.queues);
  const agents = Object.values(view.agents);
  const sum = (pick: (q: QueueNow) => number): number => queues.reduce((n, q) => n + pick(q), 0);
  const waiting = sum((q) => q.waiting);
  const longest = queues.flatMap((q) => (q.longest_since ? [q.longest_since] : [])).sort()[0];
  const target = Math.max(...queues.map((q) => q.sl_target_s), 0);
  const rated = queues.filter((q) => q.service_level !== null && q.service_level !== undefined);
  const weight = rated.reduce((n, q) => n + q.answered + q.abandoned, 0);
  const level = weight > 0 ? rated.reduce((n, q) => n + (q.service_level ?? 0) * (q.answered + q.abandoned), 0) / weight : null;
  // The goal of all together is that of each, by what each has to answer.
  const goal = weight > 0 ? rated.reduce((n, q) => n + q.sl_percent * (q.answered + q.abandoned), 0) / weight / 100 : Math.max(...queues.map((q) => q.sl_percent), 0) / 100;
  const offered = sum((q) => q.offered);
  const left = offered > 0 ? sum((q) => q.abandoned) / offered : null;
  const on = agents.filter((a) => a.state !== 'signed_out');
  const idle = on.filter((a) => a.state === 'ready' && a.work.length === 0).length;
  const going = Object.values(view.interactions).filter((i) => i.stage === 'talking' || i.stage === 'hold').length;
  return (
    <dl className="grid grid-cols-2 gap-3 sm:grid-cols-3 wide:grid-cols-6">
      <Tile label={t('wall.waiting')} bad={waiting > 0 && idle === 0 && on.length > 0}>{waiting}</Tile>
      <Tile label={t('wall.longest')} note={target ? t('wall.goal', { goal: clock(target * 1000) }) : ''}>{longest ? <Since at={longest} max_s={target} /> : '–'}</Tile>
      <Tile label={t('wall.level')} note={queues.length > 0 ? t('wall.goal', { goal: `${Math.round(goal * 100)} %` }) : ''} bad={level !== null && level < goal}>{percent(level)}</Tile>
      <Tile label={t('wall.abandoned')} note={t('wall.of', { n: offered })}>{percent(left)}</Tile>
      <Tile label={t('wall.idle')} note={t('wall.on', { n: on.length })} bad={on.length > 0 && idle === 0 && waiting > 0}>{idle}</Tile>
      <Tile label={t('wall.talking')}>{going}</Tile>
    </dl>
  );
}

const percent = (n: number | null | undefined): string => (n === null || n === undefined ? '–' : `${Math.round(n * 100)} %`);

function Tile({ label, note, bad, children }: { label: string; note?: string; bad?: boolean; children: React.ReactNode }) {
  return (
    <div className={`card flex flex-col px-4 py-2.5 ${bad ? 'border-2 border-bad' : ''}`}>
      <dt className="text-soft">{label}</dt>
      <dd className={`num whitespace-nowrap text-[2.2rem] font-semibold leading-tight [[data-tv]_&]:text-[6.4vh] [[data-tv]_&]:tracking-tighter ${bad ? 'text-bad' : 'text-ink'}`}>{children}{bad && <span aria-label={t('wall.breach')}> !</span>}</dd>
      <dd className="num text-[0.9em] text-soft">{note || '\u00a0'}</dd>
    </div>
  );
}

function Queues({ queues, tv }: { queues: Record<string, QueueNow>; tv: boolean }) {
  const list = Object.entries(queues);
  return (
    <section className="card shrink-0 overflow-auto wide:shrink" aria-label={t('wall.queues')} tabIndex={0}>
      <table className={`table ${tv ? 'text-[1.15rem]' : ''}`}>
        <caption className="sr-only">{t('wall.queues')}</caption>
        <thead><tr>
          <th scope="col">{t('wall.queue')}</th><th scope="col" className="text-right!">{t('wall.waiting')}</th><th scope="col" className="text-right!">{t('wall.longest')}</th>
          <th scope="col" className="text-right!">{t('wall.level')}</th><th scope="col" className="text-right!">{t('wall.answered')}</th><th scope="col" className="text-right!">{t('wall.abandoned')}</th><th scope="col" className="text-right!">{t('wall.free')}</th>
        </tr></thead>
        <tbody>{list.map(([id, q]) => <QueueRow key={id} id={id} q={q} />)}</tbody>
      </table>
      {list.length === 0 && <Empty>{t('wall.queues.none')}</Empty>}
    </section>
  );
}

const QueueRow = memo(function QueueRow({ id, q }: { id: string; q: QueueNow }) {
  useLanguage();
  const low = q.service_level !== null && q.service_level !== undefined && 100 * q.service_level < q.sl_percent;
  return (
    <tr>
      <th scope="row" className="text-[1rem]! font-medium! text-ink!">{q.name || id}</th>
      <td className="num text-right text-[1.1em] font-semibold">{q.waiting}</td>
      <td className="num text-right">{q.longest_since ? <Since at={q.longest_since} max_s={q.sl_target_s} /> : '–'}</td>
      <td className={`num text-right ${low ? 'font-bold text-bad' : ''}`}>{percent(q.service_level)}{low && ' !'}<span className="block text-[0.86em] font-normal text-soft">{t('wall.within', { s: q.sl_target_s })}</span></td>
      <td className="num text-right">{q.answered}</td>
      <td className="num text-right">{q.abandoned}</td>
      <td className={`num text-right ${q.waiting > 0 && q.free === 0 ? 'font-bold text-bad' : ''}`}>{q.free}/{q.signed_in}</td>
    </tr>
  );
});

const ORDER = ['alerting', 'talking', 'hold', 'wrap_up', 'ready', 'not_ready', 'away', 'signed_out'];
const shownState = (a: AgentNow): string => a.work[0]?.work ?? a.state;

function Agents({ live, tv }: { live: Live; tv: boolean }) {
  const { query } = usePlace();
  const only = query.get('state') ?? '';
  const { agents } = live.view;
  const list = useMemo(() => Object.entries(agents)
    .filter(([, a]) => (only ? shownState(a) === only : !tv || a.state !== 'signed_out'))
    .sort(([x, a], [y, b]) => ORDER.indexOf(shownState(a)) - ORDER.indexOf(shownState(b)) || (a.name || x).localeCompare(b.name || y)), [agents, only, tv]);
  const counts = useMemo(() => {
    const by: Record<string, number> = {};
    for (const a of Object.values(agents)) by[shownState(a)] = (by[shownState(a)] ?? 0) + 1;
    return by;
  }, [agents]);
  return (
    <section className="card flex min-h-0 flex-col" aria-label={t('wall.agents')}>
      <div className="flex flex-wrap gap-1.5 border-b border-line p-2">
        {ORDER.filter((s) => counts[s] || s === only).map((s) => (
          <button key={s} type="button" aria-pressed={only === s} onClick={() => setQuery('state', only === s ? null : s)} className="chip min-h-7 aria-pressed:border-accent aria-pressed:bg-mine">
            <State state={s} /><span className="num font-semibold">{counts[s] ?? 0}</span>
          </button>
        ))}
      </div>
      <ul className="grid min-h-0 grow auto-rows-min grid-cols-[repeat(auto-fill,minmax(15rem,1fr))] gap-x-3 overflow-y-auto p-2" tabIndex={0} aria-label={t('wall.agents')}>
        {list.map(([id, a]) => <Agent key={id} id={id} a={a} tv={tv} />)}
      </ul>
      {list.length === 0 && <Empty>{t('wall.agents.none')}</Empty>}
    </section>
  );
}

const Agent = memo(function Agent({ id, a, tv }: { id: string; a: AgentNow; tv: boolean }) {
  useLanguage();
  const w = a.work[0];
  // Two hundred menus nobody opens would be most of the page's work: one is made when it is asked for.
  const [asked, setAsked] = useState(false);
  const limit = useLive((l) => (w?.work === 'hold' ? holdLimit(l, l.view.interactions[w.interaction]?.queue ?? null) : 0));
  const reason = useLive((l) => (a.reason && !w ? l.codes.reasons.find((r) => r.id === a.reason)?.name ?? tCode('why', a.reason) : null));
  const body = (
    <>
      <span className="min-w-0">
        <span className="block truncate font-medium">{a.name || id}</span>
        <span className="flex gap-1.5 text-[0.92em] text-soft"><State state={w?.work ?? a.state} detail={reason} />{a.work.length > 1 && <span>+{a.work.length - 1}</span>}</span>
      </span>
      <span className="ml-auto text-right text-soft">
        {a.state !== 'signed_out' && <Since at={w?.since ?? a.since} {...(w?.work === 'hold' && limit > 0 ? { max_s: limit } : {})} />}
        {a.state !== 'signed_out' && !a.phone && !a.console && <span className="block text-[0.86em] text-bad">⚠ {t('wall.unreachable')}</span>}
      </span>
    </>
  );
  if (tv) return <li className="flex items-start gap-2 border-b border-line py-1.5">{body}</li>;
  const look = 'flex w-full items-start gap-2 rounded px-1 py-1.5 text-left hover:bg-raised';
  const name = <span className="sr-only">{t('wall.change')}</span>;
  return (
    <li className="border-b border-line">
      {asked ? (
        <Menu.Root defaultOpen>
          <Menu.Trigger className={look}>{body}{name}</Menu.Trigger>
          <AgentMenu id={id} a={a} />
        </Menu.Root>
      ) : (
        <button type="button" className={look} aria-haspopup="menu" aria-expanded={false} onClick={() => setAsked(true)} onKeyDown={(e) => { if (e.key === 'ArrowDown') { e.preventDefault(); setAsked(true); } }}>{body}{name}</button>
      )}
    </li>
  );
});

function AgentMenu({ id, a }: { id: string; a: AgentNow }) {
  const reasons = useLive((l) => l.codes.reasons);
  const path = { params: { path: { id } } };
  const done = t('wall.changed', { name: a.name || id });
  const wish = (state: 'ready' | 'not_ready' | 'away', reason?: string): void =>
    void act(api.PUT('/api/v1/agents/{id}/state', { ...path, body: reason ? { state, reason } : { state } }), done);
  return (
    <Menu.Portal>
      <Menu.Content align="start" sideOffset={2} className="card z-50 min-w-60 p-1 shadow-lg">
        <p className="px-3 py-1.5 text-soft">{t('wall.change')}: {a.name || id}</p>
        {a.work.map((w) => <MenuRow key={w.interaction} run={() => go(`/w/${w.interaction}`)}><Channel channel={w.channel} />{t('wall.look')}</MenuRow>)}
        {a.state === 'signed_out'
          ? <MenuRow run={() => void act(api.POST('/api/v1/agents/{id}/sign-in', path), done)}>{t('state.in')}</MenuRow>
          : (
            <>
              <MenuRow run={() => wish('ready')} mark={a.state === 'ready'}><State state="ready" /></MenuRow>
              {reasons.map((r) => <MenuRow key={r.id} run={() => wish('not_ready', r.id)} mark={a.reason === r.id}><State state="not_ready" quiet />{r.name}</MenuRow>)}
              <MenuRow run={() => wish('away')} mark={a.state === 'away'}><State state="away" /></MenuRow>
              <MenuRow run={() => void act(api.POST('/api/v1/agents/{id}/sign-out', path), done)}><State state="signed_out" quiet />{t('state.out')}</MenuRow>
            </>
          )}
      </Menu.Content>
    </Menu.Portal>
  );
}

function Contacts({ live }: { live: Live }) {
  const list = Object.entries(live.view.interactions);
  return (
    <section className="card min-h-40 grow overflow-auto" aria-label={t('wall.contacts')} tabIndex={0}>
      <table className="table">
        <caption className="sr-only">{t('wall.contacts')}</caption>
        <thead><tr><th scope="col">{t('wall.contact')}</th><th scope="col">{t('wall.state')}</th><th scope="col">{t('wall.queue')}</th><th scope="col">{t('wall.agent')}</th><th scope="col" className="text-right!">{t('wall.time')}</th><th scope="col">{t('sup.who')}</th></tr></thead>
        <tbody>{list.map(([id, i]) => <ContactRow key={id} id={id} i={i} queue={queueName(live, i.queue)} agent={agentName(live, i.agent)} />)}</tbody>
      </table>
      {list.length === 0 && <Empty>{t('inbox.all.none')}</Empty>}
    </section>
  );
}

const ContactRow = memo(function ContactRow({ id, i, queue, agent }: { id: string; i: InteractionNow; queue: string; agent: string }) {
  useLanguage();
  const limit = useLive((l) => (i.stage === 'hold' ? holdLimit(l, i.queue) : 0));
  return (
    <tr>
      <td><A href={`/w/${id}`} className="link">{i.callback ? <CalledBack /> : <Channel channel={i.channel} />} {i.customer_name || i.from}</A></td>
      <td><State state={i.stage} /></td><td>{queue}</td><td>{agent}</td>
      <td className="text-right"><Since at={i.stage_since} {...(i.stage === 'hold' && limit > 0 ? { max_s: limit } : {})} /></td>
      <td><div className="flex flex-wrap items-center gap-2"><Pull id={id} i={i} small /><Supervise id={id} i={i} small /><Watchers i={i} /></div></td>
    </tr>
  );
});

