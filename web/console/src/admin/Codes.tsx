// Codes agents choose from: outcomes, reasons for a break; and the replies they send again and again.

import { t } from '../lib/i18n';
import { change, type Canned, type Named } from './draft';
import { Form, Pick, Several, Text, Things, Tick, pairs } from './Form';
import { Label } from '../ui/parts';

export function Codes() {
  return (
    <Form hint={t('codes.hint')}>
      {({ routing, canned = {} }) => {
        const reply = (id: string, how: (c: Canned) => void): void => change((tenant) => how(tenant.canned![id]!));
        return (
          <div className="grid gap-6">
            <Things<Named> things={routing.dispositions} label={t('config.codes')} make={t('codes.outcome.new')} none={t('codes.none')}
              columns={[[t('config.queues'), (_, id) => Object.entries(routing.queues).filter(([, q]) => q.dispositions.length === 0 || q.dispositions.includes(id)).map(([q, v]) => v.name || q).join(', ')]]}
              onMake={(id, name) => change((tenant) => { tenant.routing.dispositions[id] = { name }; })}
              onRemove={(id) => change((tenant) => {
                delete tenant.routing.dispositions[id];
                for (const q of Object.values(tenant.routing.queues)) q.dispositions = q.dispositions.filter((d) => d !== id);
              })}
              sheet={(d, id) => <Text text={t('form.name')} value={d.name} onChange={(v) => change((tenant) => { tenant.routing.dispositions[id]!.name = v; })} />} />
            <Things<Named & { productive: boolean }> things={routing.reasons} label={t('config.reasons')} make={t('codes.reason.new')} none={t('codes.none')}
              columns={[[t('codes.productive'), (r) => (r.productive ? `✓ ${t('form.yes')}` : '–')]]}
              onMake={(id, name) => change((tenant) => { tenant.routing.reasons[id] = { name, productive: false }; })}
              onRemove={(id) => change((tenant) => { delete tenant.routing.reasons[id]; })}
              sheet={(r, id) => (
                <div className="grid gap-3">
                  <Text text={t('form.name')} value={r.name} onChange={(v) => change((tenant) => { tenant.routing.reasons[id]!.name = v; })} />
                  <Tick text={t('codes.productive.more')} value={r.productive} onChange={(v) => change((tenant) => { tenant.routing.reasons[id]!.productive = v; })} />
                </div>
              )} />
            <Things<Canned> things={canned} label={t('canned.title')} make={t('canned.new')} none={t('canned.none')}
              columns={[[t('canned.text'), (c) => <span className="line-clamp-2 max-w-xl">{c.text}</span>]]}
              onMake={(id, name) => change((tenant) => { tenant.canned = { ...tenant.canned, [id]: { name, text: '' } }; })}
              onRemove={(id) => change((tenant) => { delete tenant.canned![id]; if (Object.keys(tenant.canned!).length === 0) delete tenant.canned; })}
              sheet={(c, id) => (
                <div className="grid gap-3">
                  <Text text={t('form.name')} value={c.name} onChange={(v) => reply(id, (x) => { x.name = v; })} />
                  <Label text={t('canned.text')} hint={t('canned.text.hint')}><textarea className="field min-h-24" maxLength={2000} value={c.text} onChange={(e) => reply(id, (x) => { x.text = e.target.value; })} /></Label>
                  <Pick text={t('customer.lang')} none={t('canned.anylang')} value={c.lang ?? ''} options={[['en-US', 'English'], ['zh-CN', '中文']]} onChange={(v) => reply(id, (x) => { if (v) x.lang = v; else delete x.lang; })} />
                  <Several text={t('canned.queues')} value={c.queues ?? []} options={pairs(routing.queues)} onChange={(v) => reply(id, (x) => { if (v.length) x.queues = v; else delete x.queues; })} />
                </div>
              )} />
          </div>
        );
      }}
    </Form>
  );
}
