// What happened in a call, as marks and spans on the axis of its sound: hold, transfer, a line that broke and came back, pauses of
// the recording.

import type { Fact } from '../api/shapes';
import { t, tCode } from '../lib/i18n';
import { agentName, type Live } from '../live/live';

/** An instant, milliseconds since 1970. */
export interface Mark { seq: number; at: number; sign: string; what: string }
/** A stretch of time; one that has not ended reaches to the end of the axis. */
export interface Span { seq: number; from: number; to: number; kind: 'held' | 'paused' | 'lost'; what: string }

export function marksOf(facts: Fact[], live: Live): Mark[] {
  const marks: Mark[] = [];
  for (const f of facts) {
    const agent = agentName(live, String(f.agent ?? ''));
    const told = ((): [string, string] | null => {
      switch (f.fact) {
        case 'connected': return ['▲', t('mark.connected', { agent })];
        case 'held': return f.on ? ['❚❚', t('mark.held')] : null;
        case 'transferred': return ['↪', t('mark.transferred', { agent })];
        case 'consulted': return ['?', t('mark.consulted', { agent })];
        case 'supervised': return ['◉', t('mark.supervised', { who: agentName(live, String(f.supervisor ?? '')), how: tCode('sup', String(f.mode ?? '')) })];
        case 'leg_trouble': return f.trouble === 'lost' ? (f.on ? ['⚠', t('mark.lost', { agent: tCode('leg', String(f.role ?? '')) })] : ['↺', t('mark.back', { agent: tCode('leg', String(f.role ?? '')) })]) : null;
        case 'recording_paused': return f.on ? ['◌', t('mark.paused')] : null;
        case 'talk_ended': return ['■', t('mark.ended')];
        default: return null;
      }
    })();
    if (told) marks.push({ seq: f.seq, at: Date.parse(f.at), sign: told[0], what: told[1] });
  }
  return marks;
}

/** Stretches between an on and its off; what ends the talk ends them, too. */
export function spansOf(facts: Fact[], end: number): Span[] {
  const done: Span[] = [];
  const open = new Map<Span['kind'], Span>();
  const shut = (kind: Span['kind'], at: number): void => { const s = open.get(kind); if (s) { s.to = at; open.delete(kind); } };
  const turn = (kind: Span['kind'], f: Fact, what: string): void => {
    if (!f.on) return shut(kind, Date.parse(f.at));
    if (open.has(kind)) return;
    const span = { seq: f.seq, from: Date.parse(f.at), to: end, kind, what };
    open.set(kind, span);
    done.push(span);
  };
  for (const f of facts) {
    if (f.fact === 'held') turn('held', f, t('mark.held'));
    else if (f.fact === 'recording_paused') turn('paused', f, t('mark.paused'));
    else if (f.fact === 'leg_trouble' && f.trouble === 'lost') turn('lost', f, t('mark.lost', { agent: tCode('leg', String(f.role ?? '')) }));
    else if (f.fact === 'talk_ended') shut('held', Date.parse(f.at));
    else if (f.fact === 'recording_ended') shut('paused', Date.parse(f.at));
  }
  return done;
}
