// What an administrator sees to.

import { lazy, Suspense } from 'react';
import { t, type Key } from '../lib/i18n';
import '../words/calls';
import '../words/chat';
import '../words/config';
import '../words/rules';
import '../words/webhooks';
import { A, go } from '../lib/router';
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

type Part = readonly [string, Key];
/** By what somebody is after: who works here, how contacts come in, what carries calls, what holds for all, what was. */
const GROUPS: readonly (readonly [Key, readonly Part[]])[] = [
  ['parts.people', [['users', 'admin.users'], ['people', 'admin.people']]],
  ['parts.contacts', [['queues', 'admin.queues'], ['numbers', 'admin.numbers'], ['flows', 'admin.flows'], ['hours', 'admin.hours'], ['codes', 'admin.codes'], ['widget', 'admin.widget']]],
  ['parts.phones', [['trunks', 'admin.trunks'], ['calls', 'admin.calls']]],
  ['parts.house', [['rules', 'admin.rules'], ['alerts', 'admin.alerts'], ['config', 'admin.config'], ['keys', 'admin.keys'], ['webhooks', 'admin.webhooks']]],
  ['parts.records', [['retention', 'admin.retention'], ['audit', 'admin.audit'], ['health', 'admin.health']]],
];
const PARTS = GROUPS.flatMap(([, parts]) => parts);

/** Where there is room a list beside the page, by groups; on a telephone one field to choose from. */
function Parts({ here }: { here: string }) {
  return (
    <>
      <select className="field mb-3 mid:hidden" aria-label={t('admin.parts')} value={here} onChange={(e) => go(`/admin/${e.target.value}`)}>
        {GROUPS.map(([group, parts]) => <optgroup key={group} label={t(group)}>{parts.map(([id, label]) => <option key={id} value={id}>{t(label)}</option>)}</optgroup>)}
      </select>
      <nav aria-label={t('admin.parts')} className="mb-4 hidden flex-wrap gap-x-4 gap-y-1 mid:flex wide:sticky wide:top-0 wide:mb-0 wide:block wide:self-start">
        {GROUPS.map(([group, parts]) => (
          <div key={group} className="contents wide:mb-3 wide:block">
            <p className="h hidden px-2.5 pb-0.5 wide:block">{t(group)}</p>
            <ul className="contents wide:block">
              {parts.map(([id, label]) => <li key={id}><A href={`/admin/${id}`} aria-current={id === here ? 'page' : undefined} className="block rounded-md px-2.5 py-1 hover:bg-raised aria-[current=page]:bg-mine aria-[current=page]:font-semibold">{t(label)}</A></li>)}
            </ul>
          </div>
        ))}
      </nav>
    </>
  );
}

export default function Admin({ part }: { part: string }) {
  const here = PARTS.find(([id]) => id === part) ?? PARTS[0]!;
  return (
    <Page title={`${t('nav.admin')} · ${t(here[1])}`}>
      <div className="wide:grid wide:grid-cols-[11.5rem_minmax(0,1fr)] wide:gap-5">
        <Parts here={here[0]} />
        <div className="min-w-0 [&>.grid]:grid-cols-[minmax(0,1fr)]">
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
        </div>
      </div>
    </Page>
  );
}
