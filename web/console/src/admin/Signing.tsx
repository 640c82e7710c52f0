// STIR/SHAKEN on a carrier: whether we vouch for callers to it, and what is asked of those it brings.

import { useState } from 'react';
import { t, tCode } from '../lib/i18n';
import type { Stir } from './draft';
import { Num, Pick, Text, Tick } from './Form';

const DEMANDS = ['off', 'inform', 'require'];
/** RFC 8224 recommends it. */
const MAX_AGE_S = 60;

export function Signing({ stir, set }: { stir: Stir | undefined; set: (next: Stir | undefined) => void }) {
  const signs = stir?.key_secret !== undefined || stir?.cert_url !== undefined;
  const [owns, setOwns] = useState<string | null>(null);
  const put = (next: Partial<Stir>): void => {
    const made: Stir = { ...stir, ...next };
    if (made.verify === 'off') delete made.verify;
    if (made.max_age_s === undefined || made.max_age_s === MAX_AGE_S) delete made.max_age_s;
    if (!made.owns?.length) delete made.owns;
    set(Object.keys(made).length ? made : undefined);
  };
  const sign = (on: boolean): void => {
    const { key_secret: _key, cert_url: _cert, owns: _owns, ...rest } = stir ?? {};
    if (on) put({ key_secret: '', cert_url: '' }); else set(Object.keys(rest).length ? rest : undefined);
  };
  return (
    <fieldset className="grid gap-3 sm:col-span-2 sm:grid-cols-2"><legend className="mb-1 font-semibold">{t('stir.title')}</legend>
      <div className="sm:col-span-2"><Tick text={t('stir.sign')} value={signs} onChange={sign} /></div>
      {signs && (
        <>
          <Text text={t('stir.key')} hint={t('stir.key.hint')} value={stir?.key_secret ?? ''} onChange={(v) => put({ key_secret: v.trim() })} />
          <Text text={t('stir.cert')} hint={t('stir.cert.hint')} mono value={stir?.cert_url ?? ''} onChange={(v) => put({ cert_url: v.trim() })} />
          <label className="label sm:col-span-2">{t('stir.owns')}
            <input className="field font-mono" value={owns ?? (stir?.owns ?? []).join(' ')} onChange={(e) => setOwns(e.target.value)} spellCheck={false} autoComplete="off"
              onBlur={() => { if (owns !== null) { put({ owns: owns.split(/[\s,]+/).filter(Boolean) }); setOwns(null); } }} />
            <span className="text-[0.9em] font-normal text-soft">{t('stir.owns.hint')}</span>
          </label>
        </>
      )}
      <Pick text={t('stir.verify')} hint={t('stir.verify.hint')} value={stir?.verify ?? 'off'} options={DEMANDS.map((d) => [d, tCode('stir.verify', d)])} onChange={(v) => put({ verify: v })} />
      {stir?.verify && <Num text={t('stir.age')} min={1} max={3600} value={stir.max_age_s ?? MAX_AGE_S} onChange={(v) => put({ max_age_s: v ?? MAX_AGE_S })} />}
    </fieldset>
  );
}
