// Queues: who is offered what, how long it may take, and what is promised.

import { t, tCode } from '../lib/i18n';
import { change, type Queue } from './draft';
import { Order } from './Order';
import { Form, Num, Pick, Several, Text, Things, Tick, pairs } from './Form';

const STRATEGIES = ['longest_idle', 'round_robin', 'fewest', 'best_skilled', 'weighted_random', 'ring_all'];
const STAFFING = ['any', 'signed_in', 'ready'];
const fresh = (name: string): Queue => ({
  name, strategy: 'longest_idle', ring_s: 20, retry_s: 30, wrap_up_s: 30, wrap_up_mandatory: false, sl_target_s: 20, sl_percent: 80, short_abandon_s: 5,
  join_empty: 'any', leave_empty: 'any', leave_empty_s: 0, needs: {}, relax: [], head_starts: [], expected_handle_s: 240, dispositions: [],
});

export function Queues() {
  return (
    <Form hint={t('queues.hint')}>
      {({ routing }) => {
        const serving = (id: string): number => Object.values(routing.agents).filter((a) => a.queues.some((q) => (typeof q === 'string' ? q : q.queue) === id)).length;
        const set = (id: string, how: (queue: Queue) => void): void => change((tenant) => how(tenant.routing.queues[id]!));
        return (
          <Things<Queue> things={routing.queues} label={t('config.queues')} make={t('queues.new')} none={t('wall.queues.none')}
            columns={[
              [t('queues.strategy'), (q) => tCode('strategy', q.strategy)],
              [t('queues.level'), (q) => <span className="num">{t('queues.level.of', { percent: q.sl_percent, s: q.sl_target_s })}</span>],
              [t('queues.ring'), (q) => <span className="num">{q.ring_s}</span>],
              [t('queues.wrap'), (q) => <span className="num">{q.wrap_up_s}</span>],
              [t('config.skills'), (q) => Object.entries(q.needs).map(([s, n]) => `${routing.skills[s]?.name || s} ${n}`).join(', ')],
              [t('config.agents'), (_, id) => <span className="num">{serving(id)}</span>],
            ]}
            onMake={(id, name) => change((tenant) => { tenant.routing.queues[id] = fresh(name); })}
            onRemove={(id) => change((tenant) => {
              delete tenant.routing.queues[id];
              for (const a of Object.values(tenant.routing.agents)) a.queues = a.queues.filter((q) => (typeof q === 'string' ? q : q.queue) !== id);
              if (tenant.alerts) tenant.alerts.rules = tenant.alerts.rules.filter((r) => r.queue !== id);
            })}
            sheet={(q, id) => (
              <div className="grid gap-3 sm:grid-cols-2">
                <Text text={t('form.name')} value={q.name} onChange={(v) => set(id, (x) => { x.name = v; })} />
                <Pick text={t('queues.strategy')} value={q.strategy} options={STRATEGIES.map((s) => [s, tCode('strategy', s)])} onChange={(v) => set(id, (x) => { x.strategy = v; })} />
                <Num text={t('queues.ring')} min={5} max={900} value={q.ring_s} onChange={(v) => set(id, (x) => { x.ring_s = v ?? 20; })} />
                <Num text={t('queues.wrap')} max={900} value={q.wrap_up_s} onChange={(v) => set(id, (x) => { x.wrap_up_s = v ?? 0; })} />
                <Num text={t('queues.target')} value={q.sl_target_s} onChange={(v) => set(id, (x) => { x.sl_target_s = v ?? 20; })} />
                <Num text={t('queues.percent')} max={100} value={q.sl_percent} onChange={(v) => set(id, (x) => { x.sl_percent = v ?? 80; })} />
                <Num text={t('queues.maxwait')} hint={t('form.nolimit')} value={q.max_wait_s} onChange={(v) => set(id, (x) => { if (v === undefined) delete x.max_wait_s; else x.max_wait_s = v; })} />
                <Num text={t('queues.maxlength')} hint={t('form.nolimit')} value={q.max_length} onChange={(v) => set(id, (x) => { if (v === undefined) delete x.max_length; else x.max_length = v; })} />
                <Num text={t('queues.short')} value={q.short_abandon_s} onChange={(v) => set(id, (x) => { x.short_abandon_s = v ?? 0; })} />
                <Num text={t('queues.hold')} hint={t('queues.hold.hint')} min={1} value={q.hold_max_s} onChange={(v) => set(id, (x) => { if (v === undefined) delete x.hold_max_s; else x.hold_max_s = v; })} />
                <Text text={t('queues.music')} hint={t('queues.music.hint')} value={q.music ?? ''} onChange={(v) => set(id, (x) => { if (v) x.music = v; else delete x.music; })} />
                <Pick text={t('config.hours')} none={t('form.always')} value={q.calendar ?? ''} options={pairs(routing.calendars)} onChange={(v) => set(id, (x) => { if (v) x.calendar = v; else delete x.calendar; })} />
                <Pick text={t('queues.join')} hint={t('queues.join.hint')} value={q.join_empty} options={STAFFING.map((s) => [s, tCode('staffing', s)])} onChange={(v) => set(id, (x) => { x.join_empty = v; })} />
                <div className="sm:col-span-2"><Tick text={t('queues.mandatory')} value={q.wrap_up_mandatory} onChange={(v) => set(id, (x) => { x.wrap_up_mandatory = v; })} /></div>
                <fieldset className="label sm:col-span-2"><legend className="mb-1">{t('queues.needs')}</legend>
                  <div className="flex flex-wrap gap-3">{pairs(routing.skills).map(([skill, name]) => (
                    <label key={skill} className="flex items-center gap-2 font-normal">{name}
                      <select className="field w-auto" value={q.needs[skill] ?? 0} onChange={(e) => set(id, (x) => { const n = Number(e.target.value); if (n) x.needs[skill] = n; else delete x.needs[skill]; })}>
                        {[0, 1, 2, 3, 4, 5].map((n) => <option key={n} value={n}>{n || '–'}</option>)}
                      </select>
                    </label>
                  ))}</div>
                </fieldset>
                <Order q={q} skills={pairs(routing.skills)} set={(how) => set(id, how)} />
                <div className="sm:col-span-2"><Several text={t('queues.codes')} value={q.dispositions} options={pairs(routing.dispositions)} onChange={(v) => set(id, (x) => { x.dispositions = v; })} /></div>
                <Several text={t('queues.members')} value={Object.entries(routing.agents).filter(([, a]) => a.queues.some((w) => (typeof w === 'string' ? w : w.queue) === id)).map(([a]) => a)} options={pairs(routing.agents)}
                  onChange={(now) => change((tenant) => {
                    for (const [agent, a] of Object.entries(tenant.routing.agents)) {
                      const there = a.queues.some((w) => (typeof w === 'string' ? w : w.queue) === id);
                      if (now.includes(agent) && !there) a.queues.push(id);
                      if (!now.includes(agent) && there) a.queues = a.queues.filter((w) => (typeof w === 'string' ? w : w.queue) !== id);
                    }
                  })} />
              </div>
            )} />
        );
      }}
    </Form>
  );
}
