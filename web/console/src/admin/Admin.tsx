// What an administrator sees to.

import { t, type Key } from '../lib/i18n';
import { A } from '../lib/router';
import { Page } from '../ui/parts';
import { Audit } from './Audit';
import { Config } from './Config';
import { Keys } from './Keys';
import { Users } from './Users';
import { Health } from './Health';
import { WidgetPage } from './WidgetPage';

const PARTS: readonly (readonly [string, Key])[] = [
  ['users', 'admin.users'], ['config', 'admin.config'], ['widget', 'admin.widget'], ['keys', 'admin.keys'], ['audit', 'admin.audit'], ['health', 'admin.health'],
];

export default function Admin({ part }: { part: string }) {
  const here = PARTS.find(([id]) => id === part) ?? PARTS[0]!;
  return (
    <Page title={`${t('nav.admin')} · ${t(here[1])}`}>
      <nav aria-label={t('nav.admin')} className="mb-4 flex flex-wrap gap-1">
        {PARTS.map(([id, label]) => <A key={id} href={`/admin/${id}`} aria-current={id === here[0] ? 'page' : undefined} className="btn btn-small aria-[current=page]:border-accent aria-[current=page]:bg-mine">{t(label)}</A>)}
      </nav>
      {here[0] === 'users' && <Users />}
      {here[0] === 'config' && <Config />}
      {here[0] === 'widget' && <WidgetPage />}
      {here[0] === 'keys' && <Keys />}
      {here[0] === 'audit' && <Audit />}
      {here[0] === 'health' && <Health />}
    </Page>
  );
}
