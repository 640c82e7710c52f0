// What is spoken with a phone or a carrier: codecs, encryption, how digits come. What is left open holds as it does elsewhere.

import { t, tCode } from '../lib/i18n';
import { Label } from '../ui/parts';
import type { Media } from './draft';
import { bare, Pick } from './Form';

const SRTP = ['never', 'optional', 'required'] as const;
const DTMF = ['rfc4733', 'info', 'inband'] as const;

/** `none` says what holds where nothing is chosen. */
export function Spoken({ media = {}, none, set }: { media: Media | undefined; none: string; set: (next: Media | undefined) => void }) {
  const put = (next: Media): void => {
    const made = Object.fromEntries(Object.entries({ ...media, ...next }).filter(([, v]) => v !== undefined && v !== '' && !(Array.isArray(v) && v.length === 0))) as Media;
    set(bare(made) ? undefined : made);
  };
  const codecs = (media.codecs ?? []).join(' ');
  const noise = media.comfort_noise;
  return (
    <>
      <Label text={t('spoken.codecs')} hint={t('spoken.codecs.hint')}>
        <input key={codecs} className="field font-mono" defaultValue={codecs} placeholder={none} onBlur={(e) => put({ codecs: e.target.value.toLowerCase().split(/[\s,]+/).filter(Boolean) })} spellCheck={false} autoComplete="off" />
      </Label>
      <Pick text={t('spoken.srtp')} none={none} value={media.srtp ?? ''} options={SRTP.map((x) => [x, tCode('srtp', x)])} onChange={(v) => put({ srtp: v || undefined })} />
      <Pick text={t('spoken.dtmf')} none={none} value={media.dtmf ?? ''} options={DTMF.map((x) => [x, tCode('dtmf', x)])} onChange={(v) => put({ dtmf: v || undefined })} />
      <Pick text={t('spoken.noise')} none={none} value={noise === undefined ? '' : String(noise)} options={[['true', t('form.yes')], ['false', t('spoken.noise.no')]]} onChange={(v) => put({ comfort_noise: v ? v === 'true' : undefined })} />
    </>
  );
}
