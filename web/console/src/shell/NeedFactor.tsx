// The administrator wants a second factor: nothing else is to be had before there is one.

import { api, take } from '../api/client';
import { t } from '../lib/i18n';
import { enter, leave } from '../live/live';
import { MakeFactor } from '../me/Factor';
import { Button } from '../ui/parts';
import { LookSwitches } from './Bar';

export function NeedFactor() {
  return (
    <main className="grid min-h-full place-items-center p-4">
      <div className="card w-[min(30rem,100%)] p-6 shadow-sm">
        <div className="mb-4 flex items-center gap-3"><h1 className="text-[1.25rem] font-semibold">{t('factor.needed')}</h1><span className="grow" /><LookSwitches /></div>
        <p className="mb-4">{t('factor.needed.why')}</p>
        <MakeFactor done={async () => { await enter(await take(api.GET('/api/v1/me'))); }} />
        <div className="mt-4"><Button small onClick={() => { void api.POST('/api/v1/auth/logout').then(() => leave(false)); }}>{t('factor.later')}</Button></div>
      </div>
    </main>
  );
}
