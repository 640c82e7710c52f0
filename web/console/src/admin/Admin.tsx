// What an administrator sees to.

import { lazy, Suspense } from 'react';
import { t, type Key } from '../lib/i18n';
import '../words/calls';
import '../words/chat';
import '../words/rules';
import '../words/webhooks';
import { A } from '../lib/router';
import { Page } from '../ui/parts';
import { Alerts } from './Alerts';
import { Audit } from './Audit';
import { Calls } from './Calls';
import { Codes } from './Codes';
import { Config } from './Config';
import { Hours } from './Hours';
import { Keys } from './Keys';
import { Numbers } from './Numbers';
import { People } from './People';
import { Queues } from './Queues';
import { Carriers } from './Carriers';
import { ChatForm } from './ChatForm';
import { Retention } from './Retention';
import { Rules } from './Rules';
import { Trunks } from './Trunks';
import { Users } from './Users';
import { Health } from './Health';
import { Webhooks } from './Webhooks';

const Flows = lazy(async () => ({ default: (await import('../flows/Flows')).Flows }));

const PARTS: readonly (readonly [string, Key])[] = [
  ['users', 'admin.users'], ['people', 'admin.people'], ['queues', 'admin.queues'], ['numbers', 'admin.numbers'], ['flows', 'admin.flows'], ['hours', 'admin.hours'],
  ['codes', 'admin.codes'], ['trunks', 'admin.trunks'], ['calls', 'admin.calls'], ['rules', 'admin.rules'], ['alerts', 'admin.alerts'], ['config', 'admin.config'], ['widget', 'admin.widget'], ['keys', 'admin.keys'], ['webhooks', 'admin.webhooks'], ['retention', 'admin.retention'], ['audit', 'admin.audit'], ['health', 'admin.health'],
];

export default function Admin({ part }: { part: string }) {
  const here = PARTS.find(([id]) => id === part) ?? PARTS[0]!;
  return (
    <Page title={`${t('nav.admin')} · ${t(here[1])}`}>
      <nav aria-label={t('admin.parts')} className="mb-4 flex flex-wrap gap-1">
        {PARTS.map(([id, label]) => <A key={id} href={`/admin/${id}`} aria-current={id === here[0] ? 'page' : undefined} className="btn btn-small aria-[current=page]:border-accent aria-[current=page]:bg-mine">{t(label)}</A>)}
      </nav>
      {here[0] === 'users' && <Users />}
      {here[0] === 'people' && <People />}
      {here[0] === 'queues' && <Queues />}
      {here[0] === 'numbers' && <Numbers />}
      {here[0] === 'flows' && <Suspense fallback={null}><Flows /></Suspense>}
      {here[0] === 'hours' && <Hours />}
      {here[0] === 'codes' && <Codes />}
      {here[0] === 'trunks' && <div className="grid gap-6"><div><Trunks /></div><Carriers /></div>}
      {here[0] === 'calls' && <Calls />}
      {here[0] === 'rules' && <Rules />}
      {here[0] === 'alerts' && <Alerts />}
      {here[0] === 'config' && <Config />}
      {here[0] === 'widget' && <ChatForm />}
      {here[0] === 'keys' && <Keys />}
      {here[0] === 'webhooks' && <Webhooks />}
      {here[0] === 'retention' && <Retention />}
      {here[0] === 'audit' && <Audit />}
      {here[0] === 'health' && <Health />}
    </Page>
  );
}
