// What happened to a contact, in order, in words; used while it goes on and afterwards.

import type { Fact } from '../api/shapes';
import { t, tCode } from '../lib/i18n';
import { clock, exactTime } from '../lib/time';
import { agentName, queueName, useLive, type Live } from '../live/live';
import { Empty } from '../ui/parts';

interface Props {
  contact: { facts: Fact[] };
  /** Whether there is sound of an instant, milliseconds since 1970. */
  heard?: ((at: number) => boolean) | undefined;
  /** Somebody wants to hear it. */
  onSeek?: ((at: number) => void) | undefined;
  /** Where the recording plays: the line of what happened last is marked. */
  head?: number | null;
}

export function Story({ contact, heard, onSeek, head }: Props) {
  const live = useLive((l) => l);
  const rows = contact.facts.map((f) => [f, tell(f, live)] as const).filter(([, line]) => line !== null);
  const now = head ? rows.findLast(([f]) => heard?.(Date.parse(f.at)) && Date.parse(f.at) <= head + 1)?.[0] : undefined;
  if (rows.length === 0) return <Empty>{t('story.none')}</Empty>;
  return (
    <ol className="grid gap-0.5" aria-label={t('work.story')}>
      {rows.map(([f, line]) => (
        <li key={`${f.fact} ${f.seq}`} className={`grid grid-cols-[4.6rem_1.4rem_1fr] gap-2 ${f === now ? 'rounded-lg outline-2 outline-accent' : ''}`} {...(f === now ? { 'aria-current': true } : {})}>
          {onSeek && heard?.(Date.parse(f.at))
            ? <button type="button" className="link num min-h-[24px] text-left" title={t('transcript.seek')} aria-label={`${t('transcript.seek')}: ${exactTime(f.at)}`} onClick={() => onSeek(Date.parse(f.at))}><time dateTime={f.at}>{exactTime(f.at)}</time></button>
            : <time dateTime={f.at} className="num text-soft">{exactTime(f.at)}</time>}
          <span aria-hidden="true" className="text-center text-soft">{SIGNS[f.fact] ?? '·'}</span>
          <span className="min-w-0 break-words">{line}</span>
        </li>
      ))}
    </ol>
  );
}

const SIGNS: Record<string, string> = {
  interaction_opened: '→', callback_booked: '↩', callback_tried: '↩', queued: '…', offered: '◔', connected: '▲', held: '❚❚', transferred: '↪', consulted: '?', consult_answered: '◔', consult_merged: '▲', consult_ended: '■', supervised: '◉', supervision_ended: '○', talk_ended: '■', wrap_up: '✎', disposed: '✓',
  interaction_closed: '■', recording_started: '●', recording_ended: '●', recording_paused: '❚❚', voicemail_left: '✉', message: '▤', rated: '★', flow_entered: '⤳',
};

/** A fact as a sentence; none for what only machines care about. */
function tell(f: Fact, live: Live): string | null {
  const text = (name: string): string => String(f[name] ?? '');
  const agent = agentName(live, text('agent'));
  const long = (name: string): string => clock(Number(f[name] ?? 0));
  switch (f.fact) {
    case 'interaction_opened':
      if (f.way === 'outbound') return t('story.calls', { to: text('to') });
      // A visitor of a page has no number.
      return !f.from && f.visitor ? t('story.opened.page', { to: text('to') }) : t('story.opened', { from: text('from'), to: text('to') });
    case 'flow_entered': return t('story.node', { node: text('node') });
    case 'flow_event': return t('story.event', { name: text('name') });
    case 'callback_booked': {
      const { number, at } = f.plan as { number: string; at?: string };
      return at ? t('story.callback.at', { number, at: exactTime(at) }) : t('story.callback', { number });
    }
    case 'callback_tried': {
      const how = tCode('callback', text('outcome'));
      return f.again_at ? t('story.called.again', { n: text('attempt'), how, at: exactTime(text('again_at')) }) : t('story.called', { n: text('attempt'), how });
    }
    case 'queued': return t('story.queued', { queue: queueName(live, (f.entry as { queue?: string } | undefined)?.queue) });
    case 'unqueued': return t('story.unqueued', { why: tCode('why', text('why')), waited: long('waited_ms') });
    case 'offered': return t('story.offered', { agent });
    case 'offer_ended': return f.why === 'accepted' ? null : t('story.offerended', { agent, why: tCode('why', text('why')) });
    case 'connected': return t('story.connected', { agent });
    case 'held': return t(f.on ? 'story.held' : 'story.unheld', { agent });
    case 'transferred': {
      const to = f.to as { kind: string; queue?: string; agent?: string; number?: string };
      return t('story.transferred', { agent, to: to.number ?? (to.agent ? agentName(live, to.agent) : queueName(live, to.queue)) });
    }
    case 'consulted': {
      const to = f.to as { queue?: string; agent?: string; number?: string };
      return t('story.consulted', { agent, to: to.number ?? (to.agent ? agentName(live, to.agent) : queueName(live, to.queue)) });
    }
    case 'consult_answered': return f.helper ? t('story.consult.answered', { helper: agentName(live, text('helper')) }) : null;
    case 'consult_merged': return t('story.consult.merged', { agent });
    case 'consult_ended': return f.how === 'completed' && f.helper ? t('story.consult.completed', { helper: agentName(live, text('helper')) }) : t('story.consult.over');
    case 'supervised': return t('story.supervised', { who: agentName(live, text('supervisor')), how: tCode('sup', text('mode')) });
    case 'supervision_ended': return t('story.supervised.end', { who: agentName(live, text('supervisor')) });
    case 'talk_ended': return t('story.talked', { agent, talk: long('talk_ms'), hold: long('hold_ms') });
    case 'wrap_up': return t('story.wrap', { agent });
    case 'disposed': {
      const name = live.codes.dispositions.find((d) => d.id === f.code)?.name ?? text('code');
      return t('story.disposed', { agent, code: name }) + (f.note ? ` – ${text('note')}` : '');
    }
    case 'rated': return t('story.rated', { score: text('score'), best: text('best') }) + (f.comment ? ` – ${text('comment')}` : '');
    case 'wrap_up_over': return t('story.wrapped', { agent, wrap: long('wrap_ms') });
    case 'interaction_closed': return t('story.closed', { by: tCode('by', text('by')) });
    case 'recording_paused': return t(f.on ? 'story.rec.paused' : 'story.rec.resumed');
    case 'muted': return t(f.on ? 'story.muted' : 'story.unmuted', { agent });
    case 'keys_sent': return t('story.keys', { agent, digits: text('digits') });
    case 'recording_started': return t('story.rec');
    case 'recording_ended': return t('story.recorded', { long: long('ms') }) + (f.trouble ? ` ⚠ ${text('trouble')}` : '');
    case 'voicemail_left': return t('story.voicemail', { long: long('ms') });
    case 'leg_trouble': return f.trouble === 'lost' ? t(f.on ? 'story.lost' : 'story.back') : null;
    case 'leg_opened': return f.party ? t('story.leg', { role: tCode('leg', text('role')), party: agentName(live, text('party')) || text('party') }) : tCode('leg', text('role'));
    case 'leg_ended': return t('story.legended') + quality(f.quality as Quality | null);
    case 'message': {
      const m = f.message as { sender: unknown; text: string };
      return m.sender === 'visitor' || typeof m.sender === 'object' ? `${typeof m.sender === 'object' && 'note' in (m.sender ?? {}) ? `${t('talk.note')}: ` : ''}${m.text}` : null;
    }
    default: return null;
  }
}

interface Quality { packets_in: number; lost: number; jitter_us: number; rtt_us: number | null }
function quality(q: Quality | null): string {
  if (!q || !q.packets_in) return '';
  const lost = (100 * q.lost) / (q.packets_in + q.lost);
  const parts = [t('quality.lost', { n: lost.toFixed(1) }), t('quality.jitter', { n: Math.round(q.jitter_us / 1000) })];
  if (q.rtt_us) parts.push(t('quality.rtt', { n: Math.round(q.rtt_us / 1000) }));
  return ` (${parts.join(', ')})`;
}
