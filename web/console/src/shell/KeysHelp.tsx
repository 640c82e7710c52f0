// The keyboard map, by "?".

import { useState } from 'react';
import { DEFAULT_KEYS, keyOf, useActions, useKeysOn } from '../lib/actions';
import { t } from '../lib/i18n';
import { A } from '../lib/router';
import { Dialog } from '../ui/parts';
import { paletteKey } from './Bar';

export function KeysHelp() {
  const [shown, setShown] = useState(false);
  const on = useKeysOn();
  useActions([{ id: 'help', label: 'keys.title', group: 'view', run: () => setShown(true) }]);
  return (
    <Dialog open={shown} onClose={() => setShown(false)} title={t('keys.title')}>
      <dl className="grid grid-cols-[1fr_auto] gap-x-6 gap-y-2">
        <dt>{t('palette.open')}</dt><dd><kbd className="kbd">{paletteKey}</kbd></dd>
        {on && DEFAULT_KEYS.map(([id, label]) => <div key={id} className="contents"><dt>{t(label)}</dt><dd><kbd className="kbd uppercase">{keyOf(id) ?? '–'}</kbd></dd></div>)}
      </dl>
      <p className="mt-4 text-soft">{t(on ? 'keys.on' : 'keys.off')} <A href="/me" className="link" onClick={() => setShown(false)}>{t('keys.change')}</A></p>
    </Dialog>
  );
}
