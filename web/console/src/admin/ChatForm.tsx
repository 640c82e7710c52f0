// Web chat as a form: where it may stand, how it looks, what it asks, when nobody is there, files and ratings. Calls: VisitorCalls.

import { api, take } from '../api/client';
import { t, tCode } from '../lib/i18n';
import { useLoad } from '../lib/load';
import { Button, Label } from '../ui/parts';
import { changeChat as set, type ChatLook, type Tenant } from './draft';
import { Form, Num, Pick, Several, Tick, Words, bare, pairs } from './Form';
import { VisitorCalls } from './VisitorCalls';
import { WidgetPage } from './WidgetPage';

const NEEDS = ['off', 'optional', 'required'] as const;
const KINDS = ['picture', 'document', 'text', 'sound', 'film', 'archive'] as const;
const FIELDS_MAX = 8;
/** As the widget has it where nothing is said. */
const COLOUR = '#0b57b0';

export function ChatForm() {
  return (
    <Form hint={t('chat.hint')}>
      {(tenant) => <div className="grid gap-6"><section className="card p-4"><WidgetPage /></section><Ways tenant={tenant} /><Looks tenant={tenant} /><Away tenant={tenant} /><VisitorCalls tenant={tenant} /><After tenant={tenant} /></div>}
    </Form>
  );
}

const setLook = (how: (look: ChatLook) => void): void => set((x) => { x.widget ??= {}; how(x.widget); if (x.widget.ask && bare(x.widget.ask)) delete x.widget.ask; if (bare(x.widget)) delete x.widget; });
const needs = (): [string, string][] => NEEDS.map((n) => [n, tCode('need', n)]);
/** `optional` is what holds where nothing is written. */
const needed = <T extends string>(on: Partial<Record<T, string>>, key: T, v: string): void => { if (v === 'optional') delete on[key]; else on[key] = v; };

function Ways({ tenant: { chat } }: { tenant: Tenant }) {
  const flows = useLoad('flows', async () => (await take(api.GET('/api/v1/flows'))).flows);
  const names = (flows.data ?? []).map((f) => f.name);
  const all = chat.flow && !names.includes(chat.flow) ? [chat.flow, ...names] : names;
  const text = chat.origins.join('\n');
  return (
    <section className="card grid gap-3 p-4 sm:grid-cols-2">
      <h2 className="text-[1.05rem] font-semibold sm:col-span-2">{t('chat.ways')}</h2>
      <Pick text={t('chat.flow')} none={t('chat.flow.none')} value={chat.flow ?? ''} options={all.map((f) => [f, f])} onChange={(v) => set((x) => { x.flow = v || null; })} />
      <Label text={t('chat.origins')} hint={t('chat.origins.hint')}>
        <textarea key={text} className="field font-mono" rows={3} defaultValue={text} onBlur={(e) => { const origins = e.target.value.split(/[\s,]+/).filter(Boolean); set((x) => { x.origins = origins; }); }} spellCheck={false} autoComplete="off" />
      </Label>
      <Num text={t('chat.warn')} hint={t('chat.never')} value={chat.idle_warn_s} onChange={(v) => set((x) => { x.idle_warn_s = v ?? 0; })} />
      <Num text={t('chat.close')} hint={t('chat.never')} value={chat.idle_close_s} onChange={(v) => set((x) => { x.idle_close_s = v ?? 0; })} />
      <Num text={t('chat.gone')} hint={t('chat.gone.hint')} value={chat.gone_s} onChange={(v) => set((x) => { x.gone_s = v ?? 0; })} />
    </section>
  );
}

function Looks({ tenant: { chat } }: { tenant: Tenant }) {
  const look = chat.widget ?? {};
  const ask = look.ask ?? {};
  const fields = ask.fields ?? [];
  const setAsk = (how: (ask: NonNullable<ChatLook['ask']>) => void): void => setLook((x) => { x.ask ??= {}; how(x.ask); if (!x.ask.fields?.length) delete x.ask.fields; });
  const name = (n: number): string => t('chat.question', { n: n + 1 });
  return (
    <section className="card grid gap-3 p-4 sm:grid-cols-2">
      <div className="sm:col-span-2"><h2 className="text-[1.05rem] font-semibold">{t('chat.look')}</h2><p className="text-soft">{t('chat.look.hint')}</p></div>
      <Label text={t('chat.color')}>
        <span className="flex items-center gap-2">
          <input type="color" className="h-10 w-16 rounded-lg border border-edge bg-panel" value={look.color ?? COLOUR} onChange={(e) => setLook((x) => { x.color = e.target.value; })} />
          <code>{look.color ?? t('chat.color.ours')}</code>
          {look.color && <Button small onClick={() => setLook((x) => { delete x.color; })}>{t('do.remove')}</Button>}
        </span>
      </Label>
      <Pick text={t('chat.side')} value={look.side ?? 'right'} options={[['right', t('chat.right')], ['left', t('chat.left')]]} onChange={(v) => setLook((x) => { if (v === 'left') x.side = v; else delete x.side; })} />
      <Words text={t('chat.title')} value={look.title} onChange={(v) => setLook((x) => { if (bare(v)) delete x.title; else x.title = v; })} />
      <Words text={t('chat.greeting')} value={look.greeting} onChange={(v) => setLook((x) => { if (bare(v)) delete x.greeting; else x.greeting = v; })} />
      <Pick text={t('chat.ask.name')} value={ask.name ?? 'optional'} options={needs()} onChange={(v) => setAsk((x) => needed(x, 'name', v))} />
      <Pick text={t('chat.ask.contact')} value={ask.contact ?? 'optional'} options={needs()} onChange={(v) => setAsk((x) => needed(x, 'contact', v))} />
      <fieldset className="label sm:col-span-2"><legend className="mb-1">{t('chat.questions')}</legend>
        <p className="mb-1 text-[0.9em] font-normal text-soft">{t('chat.questions.hint')}</p>
        {fields.map((f, n) => (
          <div key={n} className="mb-2 grid items-center gap-2 sm:grid-cols-[9rem_1fr_1fr_8rem_auto]">
            <input className="field font-mono" aria-label={`${name(n)}: ${t('form.id')}`} placeholder="order_no" value={f.key} onChange={(e) => setAsk((x) => { x.fields![n]!.key = e.target.value; })} spellCheck={false} />
            {(['en', 'zh'] as const).map((lang) => (
              <input key={lang} className="field" aria-label={`${name(n)}: ${lang === 'en' ? 'English' : '中文'}`} placeholder={lang === 'en' ? 'English' : '中文'} value={f.label[lang] ?? ''}
                onChange={(e) => setAsk((x) => { const label = { ...x.fields![n]!.label }; if (e.target.value) label[lang] = e.target.value; else delete label[lang]; x.fields![n]!.label = label; })} />
            ))}
            <select className="field" aria-label={`${name(n)}: ${t('chat.need')}`} value={f.need ?? 'optional'} onChange={(e) => setAsk((x) => needed(x.fields![n]!, 'need', e.target.value))}>
              {needs().slice(1).map(([id, label]) => <option key={id} value={id}>{label}</option>)}
            </select>
            <Button small look="bad" aria-label={`${t('do.remove')}: ${f.key || name(n)}`} onClick={() => setAsk((x) => { x.fields!.splice(n, 1); })}>✕</Button>
          </div>
        ))}
        {fields.length < FIELDS_MAX && <div><Button small onClick={() => setAsk((x) => { x.fields = [...(x.fields ?? []), { key: '', label: {} }]; })}>{t('chat.question.add')}</Button></div>}
      </fieldset>
    </section>
  );
}

function Away({ tenant: { chat, routing } }: { tenant: Tenant }) {
  const off = chat.offline;
  return (
    <section className="card grid gap-3 p-4 sm:grid-cols-2">
      <h2 className="text-[1.05rem] font-semibold sm:col-span-2">{t('chat.away')}</h2>
      <div className="sm:col-span-2"><Tick text={t('chat.away.on')} value={off !== undefined} onChange={(v) => set((x) => { if (v) x.offline = { when_nobody: true }; else delete x.offline; })} /></div>
      {off && (
        <>
          <Pick text={t('config.hours')} none={t('form.always')} value={off.calendar ?? ''} options={pairs(routing.calendars)} onChange={(v) => set((x) => { if (v) x.offline!.calendar = v; else delete x.offline!.calendar; })} />
          <Pick text={t('chat.away.queue')} none={t('chat.away.any')} value={off.queue ?? ''} options={pairs(routing.queues)} onChange={(v) => set((x) => { if (v) x.offline!.queue = v; else delete x.offline!.queue; })} />
          <div className="sm:col-span-2"><Tick text={t('chat.away.nobody')} value={off.when_nobody} onChange={(v) => set((x) => { x.offline!.when_nobody = v; })} /></div>
        </>
      )}
    </section>
  );
}

function After({ tenant: { chat } }: { tenant: Tenant }) {
  const files = chat.files ?? {};
  const kinds = files.kinds ?? KINDS.filter((k) => k !== 'archive');
  // A key that is emptied means the house's own default again.
  const put = (key: 'largest_kb' | 'per_chat' | 'keep_days', v: number | undefined): void => set((x) => { x.files ??= {}; if (v === undefined) delete x.files[key]; else x.files[key] = v; if (bare(x.files)) delete x.files; });
  return (
    <section className="card grid gap-3 p-4 sm:grid-cols-2">
      <h2 className="text-[1.05rem] font-semibold sm:col-span-2">{t('chat.files')}</h2>
      <div className="sm:col-span-2"><Several text={t('chat.files.kinds')} value={[...kinds]} options={KINDS.map((k) => [k, tCode('file', k)])} onChange={(v) => set((x) => { x.files = { ...x.files, kinds: KINDS.filter((k) => v.includes(k)) }; })} /></div>
      <Num text={t('chat.files.largest')} min={1} value={files.largest_kb} onChange={(v) => put('largest_kb', v)} hint="10240" />
      <Num text={t('chat.files.most')} min={1} value={files.per_chat} onChange={(v) => put('per_chat', v)} hint="50" />
      <Num text={t('chat.files.keep')} hint={t('chat.never')} value={files.keep_days} onChange={(v) => put('keep_days', v)} />
      <h2 className="text-[1.05rem] font-semibold sm:col-span-2">{t('chat.rating')}</h2>
      <Pick text={t('chat.rating.scale')} none={t('chat.rating.off')} value={chat.rating?.scale ?? ''} options={[['five', t('chat.rating.five')], ['thumbs', t('chat.rating.thumbs')]]}
        onChange={(v) => set((x) => { if (v) x.rating = { ...x.rating, scale: v }; else delete x.rating; })} />
      <span aria-hidden="true" />
      {chat.rating && <Words text={t('chat.rating.question')} value={chat.rating.question} onChange={(v) => set((x) => { if (bare(v)) delete x.rating!.question; else x.rating!.question = v; })} />}
    </section>
  );
}
