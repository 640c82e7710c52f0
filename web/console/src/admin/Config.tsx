// The business configuration as text: checked, its differences shown, then put in force. Queues, numbers, hours, codes are in it.

import { useEffect, useRef, useState } from 'react';
import { api, take, type Problem } from '../api/client';
import { notice } from '../lib/act';
import { t, type Key } from '../lib/i18n';
import { useLoad } from '../lib/load';
import { Button, Dialog, Trouble } from '../ui/parts';
import { Diff } from './Diff';

const PLACES: readonly (readonly [string, Key])[] = [
  ['queues:', 'config.queues'], ['agents:', 'config.agents'], ['skills:', 'config.skills'], ['calendars:', 'config.hours'], ['routes:', 'config.routes'],
  ['trunks:', 'config.trunks'], ['reasons:', 'config.reasons'], ['dispositions:', 'config.codes'], ['slas:', 'config.slas'], ['chat:', 'config.chat'],
];

/** The largest file that is taken for a configuration, bytes: a text of so many nobody wrote. */
const LARGEST = 5_000_000;

export function Config() {
  const loaded = useLoad('config', async () => {
    // Which state the text is of is said beside it: a change names it, so that nobody writes over what they have not seen.
    const asked = api.GET('/api/v1/config', { parseAs: 'text' });
    const yaml = (await take(asked)) as string;
    return { yaml, version: (await asked).response.headers.get('etag')?.replaceAll('"', '') ?? null };
  });
  const [text, setText] = useState<string | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [diff, setDiff] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const area = useRef<HTMLTextAreaElement>(null);
  const kept = loaded.data?.yaml;
  const begun = useRef<string | null>(null);
  if (text === null) begun.current = loaded.data?.version ?? null;
  const now = text ?? kept ?? '';
  const touched = text !== null && text !== kept;
  useEffect(() => {
    if (!touched) return;
    const warn = (event: BeforeUnloadEvent): void => event.preventDefault();
    addEventListener('beforeunload', warn);
    return () => removeEventListener('beforeunload', warn);
  }, [touched]);
  const put = async (dry_run: boolean): Promise<string | null> => {
    setBusy(true);
    setProblem(null);
    try {
      const answer = await take(api.PUT('/api/v1/config', { params: { query: { dry_run, ...(begun.current ? { version: begun.current } : {}) } }, body: now, bodySerializer: (b) => b, headers: { 'content-type': 'application/yaml' } }));
      return answer.diff;
    } catch (error) {
      setProblem(error as Problem);
      return null;
    } finally { setBusy(false); }
  };
  const bring = async (file: File): Promise<void> => {
    if (file.size > LARGEST) { notice(t('config.import.large', { name: file.name, mb: LARGEST / 1_000_000 }), true); return; }
    setText(await file.text());
    setProblem(null);
    notice(t('config.import.read', { name: file.name }));
  };
  const jump = (word: string): void => {
    const node = area.current;
    const at = new RegExp(`^\\s*${word}`, 'm').exec(now)?.index;
    if (!node || at === undefined) return;
    const line = now.slice(0, at).split('\n').length;
    node.focus();
    node.setSelectionRange(at, at);
    node.scrollTop = (line - 1) * 20 - 40;
  };
  return (
    <div className="grid gap-3">
      <p className="text-soft">{t('config.hint')}</p>
      <div className="flex flex-wrap items-center gap-1.5" role="group" aria-label={t('config.jump')}>
        <span className="text-soft">{t('config.jump')}</span>
        {PLACES.filter(([word]) => new RegExp(`^\\s*${word}`, 'm').test(now)).map(([word, label]) => <Button key={word} small onClick={() => jump(word)}>{t(label)}</Button>)}
      </div>
      {loaded.problem && <Trouble problem={loaded.problem} again={loaded.reload} />}
      {problem && (
        <div role="alert" className="rounded-lg bg-bad-fill px-4 py-2 text-bad">
          <p className="font-semibold">{t('config.wrong')}</p>
          <ul className="list-disc pl-5">{(problem.problems?.length ? problem.problems : [problem.detail]).map((p) => <li key={p}>{p}</li>)}</ul>
        </div>
      )}
      <textarea ref={area} className="field h-[66vh] min-h-64 resize-y font-mono text-[0.93rem] leading-[20px]" spellCheck={false} aria-label={t('admin.config')} value={now} onChange={(e) => setText(e.target.value)} />
      <div className="flex flex-wrap gap-2">
        <Button look="main" disabled={!touched || busy} onClick={async () => { const d = await put(true); if (d !== null) setDiff(d); }}>{t('config.check')}</Button>
        <Button disabled={!touched} onClick={() => { setText(null); setProblem(null); }}>{t('config.undo')}</Button>
        <a className="btn" href="/api/v1/config" download="business.yaml">{t('config.export')}</a>
        <label className="btn">{t('config.import')}<input type="file" accept=".yaml,.yml,text/*" className="sr-only" onChange={(e) => { const file = e.target.files?.[0]; if (file) void bring(file); e.target.value = ''; }} /></label>
      </div>
      <Dialog wide open={diff !== null} onClose={() => setDiff(null)} title={t('config.diff')}>
        {diff === '' ? <p>{t('config.same')}</p> : <Diff text={diff ?? ''} />}
        <div className="mt-4 flex justify-end gap-2">
          <Button onClick={() => setDiff(null)}>{t('do.cancel')}</Button>
          <Button look="main" disabled={!diff || busy} onClick={async () => {
            if (await put(false) !== null) { notice(t('config.done')); setText(null); loaded.reload(); }
            setDiff(null);
          }}>{t('config.apply')}</Button>
        </div>
      </Dialog>
    </div>
  );
}
