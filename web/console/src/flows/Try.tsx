// A flow tried out before anybody calls: keys are pressed, time passes, and what a caller would meet stands below.

import { useEffect, useState } from 'react';
import { api, take, type Problem } from '../api/client';
import type { components } from '../api/schema';
import { t, tCode } from '../lib/i18n';
import { Button, Trouble } from '../ui/parts';

type Met = components['schemas']['FlowMet'];
type Step = components['schemas']['FlowStep'];

const words = (s: Step): string => {
  const [kind, value] = Object.entries(s)[0] as [string, unknown];
  switch (kind) {
    case 'press': return t('try.pressed', { keys: String(value) });
    case 'say': return t('try.said', { words: String(value) });
    case 'wait': return t('try.waited', { s: Number(value) });
    case 'queue': return t('try.queue', { how: tCode('try.queue', String(value)) });
    case 'message': return t('try.message', { s: Number(value) });
    case 'talk_ended': return t('try.talked');
    default: return t('try.hungup');
  }
};

export function Try({ text, onAt }: { text: string; onAt: (node: string | null) => void }) {
  const [steps, setSteps] = useState<Step[]>([]);
  const [channel, setChannel] = useState('voice');
  const [lang, setLang] = useState('');
  const [said, setSaid] = useState('');
  const [met, setMet] = useState<Met | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  useEffect(() => {
    let stale = false;
    take(api.POST('/api/v1/flows/simulate', { body: { text, channel, steps, ...(lang ? { lang } : {}) } })).then(
      (got) => { if (!stale) { setMet(got); setProblem(null); onAt(got.steps.at(-1)?.node ?? null); } },
      (error: Problem) => { if (!stale) setProblem(error); },
    );
    return () => { stale = true; };
  }, [text, channel, lang, steps, onAt]);
  const add = (s: Step): void => setSteps((was) => [...was, s]);
  const over = met?.steps.at(-1)?.over ?? false;
  const queued = met?.steps.at(-1)?.told.some((x) => x.what === 'queued') ?? false;
  return (
    <div className="grid gap-4 wide:grid-cols-[22rem_1fr]">
      <div className="grid content-start gap-3">
        <div className="grid grid-cols-2 gap-2">
          <label className="label">{t('calls.channel')}<select className="field" value={channel} onChange={(e) => { setChannel(e.target.value); setSteps([]); }}><option value="voice">{tCode('channel', 'voice')}</option><option value="webchat">{tCode('channel', 'webchat')}</option></select></label>
          <label className="label">{t('customer.lang')}<select className="field" value={lang} onChange={(e) => { setLang(e.target.value); setSteps([]); }}><option value="">{t('try.nolang')}</option><option value="en-US">English</option><option value="zh-CN">中文</option></select></label>
        </div>
        <div role="group" aria-label={t('try.keys')} className="grid max-w-60 grid-cols-3 gap-1.5">
          {[...'123456789*0#'].map((k) => <Button key={k} disabled={over} className="num min-h-10" aria-label={t('try.key', { key: k })} onClick={() => add({ press: k })}>{k}</Button>)}
        </div>
        <form className="flex gap-2" onSubmit={(e) => { e.preventDefault(); if (said.trim()) { add({ say: said.trim() }); setSaid(''); } }}>
          <input className="field" aria-label={t('try.say')} placeholder={t('try.say')} value={said} onChange={(e) => setSaid(e.target.value)} /><Button type="submit" disabled={over || !said.trim()}>{t('do.send')}</Button>
        </form>
        <div className="flex flex-wrap gap-1.5">
          <Button small disabled={over} onClick={() => add({ wait: 5 })}>{t('try.wait', { s: 5 })}</Button>
          <Button small disabled={over} onClick={() => add({ wait: 60 })}>{t('try.wait', { s: 60 })}</Button>
          {(['answered', 'timeout', 'no_agents', 'full'] as const).map((how) => <Button key={how} small disabled={over || !queued} onClick={() => add({ queue: how })}>{tCode('try.queue', how)}</Button>)}
          <Button small disabled={over} onClick={() => add({ talk_ended: {} })}>{t('try.talked')}</Button>
          <Button small disabled={over} onClick={() => add({ message: 8 })}>{t('try.message', { s: 8 })}</Button>
          <Button small disabled={over} onClick={() => add({ hangup: {} })}>{t('try.hungup')}</Button>
        </div>
        <div className="flex gap-2"><Button disabled={steps.length === 0} onClick={() => setSteps((was) => was.slice(0, -1))}>{t('try.undo')}</Button><Button disabled={steps.length === 0} onClick={() => setSteps([])}>{t('try.again')}</Button></div>
        <p className="text-soft">{t('try.hint')}</p>
      </div>
      <div>
        {problem && <Trouble problem={problem} />}
        <div role="log" aria-label={t('try.log')} className="card max-h-[60vh] overflow-auto p-3" tabIndex={0}><ol className="space-y-1">
          {met?.steps.map((s, n) => (
            <li key={n}>
              {n > 0 && steps[n - 1] && <p className="my-1 w-fit rounded-lg bg-mine px-3 py-1 font-medium">{words(steps[n - 1]!)}</p>}
              {s.told.map((x, i) => <p key={i} className={x.what === 'heard' ? 'whitespace-pre-wrap' : 'text-[0.9em] text-soft'}>{x.what === 'heard' ? `“${x.text}”` : `${tCode('told', x.what)}${x.text ? `: ${x.text}` : ''}`}</p>)}
              {n === met.steps.length - 1 && <p className="mt-2 border-t border-line pt-1 font-medium">{t(s.over ? 'try.over' : 'try.at', { node: `${s.flow}/${s.node}` })}</p>}
            </li>
          ))}
        </ol></div>
      </div>
    </div>
  );
}
