// Who vouches for a caller's number (STIR/SHAKEN): one word to trust by, and why not.

import { t, tCode } from '../lib/i18n';

type Verdict = { verstat: string; attestation?: string | null | undefined; why?: string | null | undefined };

const LOOKS: Record<string, [sign: string, look: string]> = { verified: ['✓', 'text-good'], partly: ['◐', 'text-warn'], failed: ['✕', 'font-semibold text-bad'], absent: ['○', 'text-soft'] };

/** Nothing where nobody has looked. */
export function Vouched({ verdict: v }: { verdict: Verdict | null | undefined }) {
  if (!v) return null;
  // B and C say who let the call in, not whose number it is.
  const partly = v.verstat === 'verified' && v.attestation != null && v.attestation !== 'A';
  const [sign, look] = LOOKS[partly ? 'partly' : v.verstat] ?? LOOKS.absent!;
  const words = v.verstat === 'verified' ? tCode('attestation', v.attestation ?? 'none') : tCode('verstat', v.verstat);
  return (
    <span className={look} title={t('verstat.title')}>
      <span aria-hidden="true">{sign} </span>{words}{v.why && `: ${tCode('verstat.why', v.why)}`}
    </span>
  );
}

/** The same from the attributes of a contact that goes on. */
export function VouchedNow({ attributes: a }: { attributes: Record<string, string> | undefined }) {
  const verstat = a?.['caller.verstat'];
  return verstat ? <Vouched verdict={{ verstat, attestation: a['caller.attestation'], why: a['caller.verstat_why'] }} /> : null;
}

/** What the flow learned, without what is shown otherwise. */
export const learned = (attributes: Record<string, string> | undefined): [string, string][] =>
  Object.entries(attributes ?? {}).filter(([k, v]) => v && k !== 'lang' && !k.startsWith('caller.'));
/** What the house itself writes there has a name; what flows and sites write is called as they call it. */
export const learnedName = (key: string): string => (key === 'asked_on' || key === 'page' ? t(`learned.${key}`) : key);
