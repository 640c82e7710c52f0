// Skills: what every agent can and how well, as one matrix; and which queues they serve.

import { t } from '../lib/i18n';
import { Empty } from '../ui/parts';
import { change, type Agent, type Named } from './draft';
import { Form, Several, Text, Things, Tick, pairs } from './Form';
import { Share } from './Share';

const queueOf = (q: Agent['queues'][number]): string => (typeof q === 'string' ? q : q.queue);

export function People() {
  return (
    <Form hint={t('people.hint')}>
      {({ routing }) => {
        const set = (id: string, how: (agent: Agent) => void): void => change((tenant) => how(tenant.routing.agents[id]!));
        const skills = pairs(routing.skills);
        return (
          <div className="grid gap-6">
            <section>
              <h2 className="mb-2 text-[1.05rem] font-semibold">{t('people.matrix')}</h2>
              <div className="card overflow-x-auto">
                <table className="table">
                  <caption className="sr-only">{t('people.matrix')}</caption>
                  <thead><tr><th scope="col">{t('users.agent')}</th>{skills.map(([id, name]) => <th key={id} scope="col">{name}</th>)}</tr></thead>
                  <tbody>{Object.entries(routing.agents).map(([id, a]) => (
                    <tr key={id}>
                      <th scope="row" className="align-middle! text-[1rem]! font-medium text-ink!">{a.name || id}</th>
                      {skills.map(([skill, name]) => (
                        <td key={skill}>
                          <select className="field num w-auto" aria-label={`${a.name || id}: ${name}`} value={a.skills[skill] ?? 0} onChange={(e) => set(id, (x) => { const n = Number(e.target.value); if (n) x.skills[skill] = n; else delete x.skills[skill]; })}>
                            {[0, 1, 2, 3, 4, 5].map((n) => <option key={n} value={n}>{n || '–'}</option>)}
                          </select>
                        </td>
                      ))}
                    </tr>
                  ))}</tbody>
                </table>
                {Object.keys(routing.agents).length === 0 && <Empty>{t('people.none')}</Empty>}
              </div>
            </section>
            <Things<Agent> things={routing.agents} label={t('config.agents')} make={t('people.new')} none={t('people.none')}
              columns={[[t('config.queues'), (a) => a.queues.map((q) => routing.queues[queueOf(q)]?.name || queueOf(q)).join(', ')]]}
              onMake={(id, name) => change((tenant) => { tenant.routing.agents[id] = { name, skills: {}, queues: [], capacity: {}, voice_blocks_text: false }; })}
              onRemove={(id) => change((tenant) => { delete tenant.routing.agents[id]; })}
              sheet={(a, id) => (
                <div className="grid gap-3">
                  <Text text={t('form.name')} value={a.name} onChange={(v) => set(id, (x) => { x.name = v; })} />
                  <Several text={t('config.queues')} value={a.queues.map(queueOf)} options={pairs(routing.queues)} onChange={(now) => set(id, (x) => { x.queues = now.map((q) => x.queues.find((w) => queueOf(w) === q) ?? q); })} />
                  <Share agent={a} queues={routing.queues} set={(how) => set(id, how)} />
                  <Tick text={t('people.blocks')} value={a.voice_blocks_text} onChange={(v) => set(id, (x) => { x.voice_blocks_text = v; })} />
                </div>
              )} />
            <Things<Named> things={routing.skills} label={t('config.skills')} make={t('people.skill.new')} none={t('people.skill.none')}
              columns={[[t('config.agents'), (_, id) => <span className="num">{Object.values(routing.agents).filter((a) => a.skills[id]).length}</span>]]}
              onMake={(id, name) => change((tenant) => { tenant.routing.skills[id] = { name }; })}
              onRemove={(id) => change((tenant) => {
                delete tenant.routing.skills[id];
                for (const a of Object.values(tenant.routing.agents)) delete a.skills[id];
                for (const q of Object.values(tenant.routing.queues)) { delete q.needs[id]; q.relax = q.relax.filter((r) => r.skill !== id); }
              })}
              sheet={(s, id) => <Text text={t('form.name')} value={s.name} onChange={(v) => change((tenant) => { tenant.routing.skills[id]!.name = v; })} />} />
          </div>
        );
      }}
    </Form>
  );
}
