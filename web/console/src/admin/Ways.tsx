// A carrier's ways: how it writes numbers, who it is told is calling, what else it wants to be told, and when the next one is tried.

import { t, tCode } from '../lib/i18n';
import { Button, Label } from '../ui/parts';
import type { HeaderRule, Identity, Numbers, Trunk } from './draft';
import { Num, Pick, Several, Text, Tick } from './Form';

const SEND = ['as_routed', 'e164', 'digits', 'national'] as const;
const TELL = ['asserted_identity', 'preferred_identity', 'remote_party_id', 'diversion', 'history_info'] as const;
const RULES = ['add', 'set', 'remove'] as const;
/** As the server has it where nothing is written. */
const SILENCE_MS = 4_000;
const CODES = [408, 500, 502, 503, 504];
/** A number of the house's own country and of another, as the carrier gets them. */
export function examples(n: Numbers, house: { country: string; prefix: string }): [string, string] | null {
  const country = n.country ?? house.country;
  if (!country) return null;
  const there = country === '1' ? '442012345678' : '12125550123';
  const here = `${country}${'2155501234'.slice(0, 9)}`;
  const send = n.send ?? 'as_routed';
  const write = (digits: string): string => {
    if (send === 'digits') return digits;
    if (send !== 'national') return `+${digits}`;
    return digits.startsWith(country) ? (n.national_prefix ?? house.prefix) + digits.slice(country.length) : (n.international_prefix ?? '00') + digits;
  };
  return [`+${here} → ${n.prefix ?? ''}${write(here)}`, `+${there} → ${n.prefix ?? ''}${write(there)}`];
}

export function Ways({ trunk, house, set }: { trunk: Trunk; house: { country: string; prefix: string }; set: (how: (x: Trunk) => void) => void }) {
  const numbers = trunk.numbers ?? {};
  const identity = trunk.identity ?? {};
  const rules = trunk.headers ?? [];
  const word = (key: keyof Numbers, v: string): void => set((x) => { const n = { ...x.numbers }; if (v) n[key] = v; else delete n[key]; if (Object.keys(n).length) x.numbers = n; else delete x.numbers; });
  const who = (next: Partial<Identity>): void => set((x) => { x.identity = { trusted: false, pass_caller: false, ...x.identity, ...next }; });
  const setRule = (n: number, next: HeaderRule): void => set((x) => { x.headers![n] = next; });
  const shown = numbers.send && numbers.send !== 'as_routed' ? examples(numbers, house) : null;
  const codes = (trunk.failover?.codes ?? CODES).join(' ');
  return (
    <>
      <fieldset className="grid gap-3 sm:col-span-2 sm:grid-cols-2"><legend className="mb-1 font-semibold">{t('ways.numbers')}</legend>
        <Pick text={t('ways.send')} value={numbers.send ?? 'as_routed'} options={SEND.map((s) => [s, tCode('send', s)])} onChange={(v) => word('send', v === 'as_routed' ? '' : v)} />
        <Text text={t('ways.prefix')} hint={t('ways.prefix.hint')} mono value={numbers.prefix ?? ''} onChange={(v) => word('prefix', v.trim())} />
        <Text text={t('ways.country')} hint={t('ways.house', { value: house.country || '–' })} mono value={numbers.country ?? ''} onChange={(v) => word('country', v.trim())} />
        <Text text={t('ways.national')} hint={t('ways.house', { value: house.prefix || '–' })} mono value={numbers.national_prefix ?? ''} onChange={(v) => word('national_prefix', v.trim())} />
        <Text text={t('ways.international')} hint={t('ways.international.hint')} mono value={numbers.international_prefix ?? ''} onChange={(v) => word('international_prefix', v.trim())} />
        {shown && <div className="label" role="status">{t('ways.example')}{shown.map((line) => <code key={line} className="block font-normal">{line}</code>)}</div>}
      </fieldset>
      <fieldset className="grid gap-2 sm:col-span-2"><legend className="mb-1 font-semibold">{t('ways.identity')}</legend>
        <Tick text={t('ways.trusted')} value={identity.trusted ?? false} onChange={(v) => who({ trusted: v })} />
        <Tick text={t('ways.pass')} value={identity.pass_caller ?? false} onChange={(v) => who({ pass_caller: v })} />
        <Several text={t('ways.tell')} value={identity.tell ?? []} options={TELL.map((h) => [h, tCode('tell', h)])} onChange={(v) => who({ tell: TELL.filter((h) => v.includes(h)) })} />
        <Tick text={t('ways.refer')} value={trunk.refer ?? false} onChange={(v) => set((x) => { if (v) x.refer = true; else delete x.refer; })} />
      </fieldset>
      <fieldset className="grid gap-2 sm:col-span-2"><legend className="mb-1 font-semibold">{t('ways.headers')}</legend>
        {rules.map((r, n) => {
          const kind = RULES.find((k) => r[k] !== undefined) ?? 'set';
          const name = r[kind] ?? '';
          const row = t('numbers.row', { n: n + 1 });
          const make = (as: typeof kind, header: string, value: string): HeaderRule => ({ [as]: header, ...(as !== 'remove' && value ? { value } : {}) });
          return (
            <div key={n} className="grid items-center gap-2 sm:grid-cols-[9rem_1fr_1fr_auto]">
              <select className="field" aria-label={`${t('ways.rule')}, ${row}`} value={kind} onChange={(e) => setRule(n, make(e.target.value as typeof kind, name, r.value ?? ''))}>
                {RULES.map((k) => <option key={k} value={k}>{tCode('rule', k)}</option>)}
              </select>
              <input className="field font-mono" aria-label={`${t('ways.header')}, ${row}`} placeholder="X-Account" value={name} onChange={(e) => setRule(n, make(kind, e.target.value.trim(), r.value ?? ''))} spellCheck={false} />
              {kind === 'remove' ? <span /> : <input className="field font-mono" aria-label={`${t('ways.value')}, ${row}`} value={r.value ?? ''} onChange={(e) => setRule(n, make(kind, name, e.target.value))} spellCheck={false} />}
              <Button small look="bad" aria-label={`${t('do.remove')}: ${name || row}`} onClick={() => set((x) => { x.headers!.splice(n, 1); if (!x.headers!.length) delete x.headers; })}>✕</Button>
            </div>
          );
        })}
        <div><Button small onClick={() => set((x) => { x.headers = [...(x.headers ?? []), { set: '' }]; })}>{t('ways.rule.add')}</Button></div>
      </fieldset>
      <fieldset className="grid gap-3 sm:col-span-2 sm:grid-cols-2"><legend className="mb-1 font-semibold">{t('ways.failover')}</legend>
        <Label text={t('ways.codes')} hint={t('ways.codes.hint')}>
          <input key={codes} className="field num font-mono" defaultValue={codes} onBlur={(e) => { const next = e.target.value.split(/[\s,]+/).map(Number).filter((c) => c > 0); set((x) => { x.failover = { codes: next, silence_ms: x.failover?.silence_ms ?? SILENCE_MS }; }); }} spellCheck={false} autoComplete="off" />
        </Label>
        <Num text={t('ways.silence')} min={500} max={32_000} value={trunk.failover?.silence_ms ?? SILENCE_MS} onChange={(v) => set((x) => { x.failover = { codes: x.failover?.codes ?? CODES, silence_ms: v ?? SILENCE_MS }; })} />
      </fieldset>
    </>
  );
}
