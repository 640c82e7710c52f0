// Flows: what callers meet before a person. Drawn, written, tried out, published, taken back.

import { useCallback, useEffect, useRef, useState } from 'react';
import { Diff } from '../admin/Diff';
import { NewThing } from '../admin/Form';
import { api, take, type Problem } from '../api/client';
import type { components } from '../api/schema';
import { notice, problemText } from '../lib/act';
import { t, tCode, type Key } from '../lib/i18n';
import { useLoad } from '../lib/load';
import { A, go, usePlace } from '../lib/router';
import { dateTime } from '../lib/time';
import { Button, Dialog, Empty, Tabs, Trouble } from '../ui/parts';
import { Graph, type Counts } from './Graph';
import { Try } from './Try';

type Checked = components['schemas']['FlowChecked'];
const path = (name: string) => ({ params: { path: { name } } });

/** What is being written, by flow, kept while something else is looked at. */
const drafts = new Map<string, string>();
const skeleton = (name: string): string => `flow: ${name}
schema: 1
channels: [voice]
languages: [en-US]
start: hello

prompts:
  hello:
    en-US: {say: "Hello, and welcome."}

nodes:
  hello:
    say: [hello]
    on_error: {goto: end}
    then: end
  end:
    hangup: {}

tests:
  - name: a caller is greeted
    steps: [{expect: {ended: hangup}}]
`;

export function Flows() {
  const { parts } = usePlace();
  const name = parts[2] ?? null;
  return name ? <Flow key={name} name={name} /> : <List />;
}

function List() {
  const list = useLoad('flows', async () => (await take(api.GET('/api/v1/flows'))).flows);
  const [making, setMaking] = useState(false);
  return (
    <>
      <div className="mb-3 flex items-center gap-3"><p className="text-soft">{t('flows.hint')}</p><span className="grow" /><Button look="main" small onClick={() => setMaking(true)}>{t('flows.new')}</Button></div>
      {list.problem && <Trouble problem={list.problem} again={list.reload} />}
      <div className="card overflow-x-auto">
        <table className="table">
          <caption className="sr-only">{t('admin.flows')}</caption>
          <thead><tr><th scope="col">{t('form.name')}</th><th scope="col">{t('config.routes')}</th><th scope="col">{t('calls.channel')}</th><th scope="col">{t('customer.lang')}</th><th scope="col">{t('flows.nodes')}</th><th scope="col">{t('flows.from')}</th></tr></thead>
          <tbody>{list.data?.map((f) => (
            <tr key={f.name}>
              <td><A className="link font-medium" href={`/admin/flows/${f.name}`}>{f.name}</A></td>
              <td className="num">{f.numbers.join(', ') || '–'}</td><td>{f.channels.map((c) => tCode('channel', c)).join(', ')}</td><td>{f.languages.join(', ')}</td>
              <td className="num">{f.nodes}</td><td>{t(f.own ? 'flows.own' : 'flows.bundled')}</td>
            </tr>
          ))}</tbody>
        </table>
        {list.data?.length === 0 && <Empty>{t('flows.none')}</Empty>}
      </div>
      <NewThing open={making} onClose={() => setMaking(false)} title={t('flows.new')} taken={(id) => list.data?.some((f) => f.name === id) ?? false}
        onMake={(id) => { drafts.set(id, skeleton(id)); setMaking(false); go(`/admin/flows/${id}`); }} />
    </>
  );
}

type View = 'picture' | 'text' | 'try' | 'versions';

function Flow({ name }: { name: string }) {
  const kept = useLoad(`flow ${name}`, async () => {
    // A flow that is only being written is not there yet.
    if (drafts.has(name) && !(await take(api.GET('/api/v1/flows'))).flows.some((f) => f.name === name)) return null;
    return await take(api.GET('/api/v1/flows/{name}', path(name)));
  });
  const [text, setText] = useState<string | null>(drafts.get(name) ?? null);
  const [view, setView] = useState<View>(text === null ? 'picture' : 'text');
  const [checked, setChecked] = useState<Checked | null>(null);
  const [counts, setCounts] = useState<Counts | null>(null);
  const [at, setAt] = useState<string | null>(null);
  const [publishing, setPublishing] = useState(false);
  const [busy, setBusy] = useState(false);
  const area = useRef<HTMLTextAreaElement>(null);
  const line = useRef<number | null>(null);
  const now = text ?? kept.data?.text ?? '';
  const touched = text !== null && text !== (kept.data?.text ?? '');
  useEffect(() => {
    if (!now) return;
    let stale = false;
    const soon = setTimeout(() => {
      take(api.POST('/api/v1/flows/validate', { body: { text: now } })).then((got) => { if (!stale) setChecked(got); }, () => {});
    }, 300);
    return () => { stale = true; clearTimeout(soon); };
  }, [now, kept.data?.hash]);
  const write = (next: string): void => { drafts.set(name, next); setText(next); };
  const jump = useCallback((to: number): void => { line.current = to; setView('text'); }, []);
  useEffect(() => {
    const node = area.current;
    if (view !== 'text' || !node || line.current === null) return;
    const lines = node.value.split('\n');
    const from = lines.slice(0, line.current - 1).reduce((n, l) => n + l.length + 1, 0);
    node.focus();
    node.setSelectionRange(from, from + (lines[line.current - 1]?.length ?? 0));
    node.scrollTop = (line.current - 1) * 20 - 80;
    line.current = null;
  });
  const publish = async (): Promise<void> => {
    setBusy(true);
    try {
      const done = await take(api.POST('/api/v1/flows', { body: { text: now, ...(kept.data ? { replaces: kept.data.hash } : {}) } }));
      drafts.delete(name);
      setText(null);
      notice(t('flows.published', { name: done.name, n: done.version }));
      kept.reload();
    } catch (problem) { notice(problemText(problem as Problem), true); }
    setPublishing(false);
    setBusy(false);
  };
  const drawing = checked?.drawing ?? kept.data?.drawing ?? null;
  const bad = checked?.findings.filter((f) => f.severity === 'error').length ?? 0;
  if (kept.problem) return <Trouble problem={kept.problem} again={kept.reload} />;
  if (kept.data === undefined) return null;
  const renamed = checked?.name && checked.name !== name;
  return (
    <div className="grid gap-3">
      <div className="flex flex-wrap items-center gap-2">
        <A className="btn btn-small" href="/admin/flows"><span aria-hidden="true">←</span> {t('admin.flows')}</A>
        <h2 className="text-[1.1rem] font-semibold">{name}</h2>
        <span className="chip">{t(kept.data === null ? 'flows.unpublished' : kept.data.own ? 'flows.own' : 'flows.bundled')}</span>
        {touched && <span className="chip text-warn">✎ {t('flows.draft')}</span>}
        <span className="grow" />
        {view === 'picture' && kept.data && (
          <Button small aria-pressed={counts !== null} onClick={async () => {
            if (counts) { setCounts(null); return; }
            try { setCounts(await take(api.GET('/api/v1/flows/{name}/counts', path(name)))); } catch (problem) { notice(problemText(problem as Problem), true); }
          }}>{t('flows.counts')}</Button>
        )}
        {touched && <Button small onClick={() => { drafts.delete(name); if (kept.data === null) go('/admin/flows'); setText(null); }}>{t('config.undo')}</Button>}
        <Button small look="main" disabled={!touched || !checked?.good || Boolean(renamed)} onClick={() => setPublishing(true)}>{t('flows.publish')}</Button>
      </div>
      <div><Tabs<View> label={t('flows.view')} value={view} onChange={setView} tabs={[['picture', 'flows.drawing' as Key], ['text', 'flows.text' as Key], ['try', 'flows.try' as Key], ['versions', 'flows.versions' as Key]] as const} /></div>
      {renamed && <p role="alert" className="rounded-lg bg-bad-fill px-4 py-2 text-bad">{t('flows.renamed', { name })}</p>}
      {checked && (
        <section aria-label={t('flows.findings')}>
          <p role="status" className={bad ? 'font-semibold text-bad' : 'text-good'}>{bad ? `✕ ${t('flows.bad', { n: bad })}` : `✓ ${t('flows.good')}`}</p>
          {checked.findings.length > 0 && (
            <ul className="card max-h-40 divide-y divide-line overflow-auto" tabIndex={0}>{checked.findings.map((f, n) => (
              <li key={n} className="flex flex-wrap gap-2 px-3 py-1">
                <span className={f.severity === 'error' ? 'font-semibold text-bad' : f.severity === 'warning' ? 'text-warn' : 'text-soft'}>{f.severity === 'error' ? '✕' : f.severity === 'warning' ? '⚠' : 'ℹ'} {tCode('severity', f.severity)}</span>
                <button type="button" className="link num" onClick={() => jump(f.line)}>{t('flows.line', { n: f.line })}</button>
                <span>{f.say}{f.hint && <span className="text-soft"> — {f.hint}</span>}</span>
              </li>
            ))}</ul>
          )}
        </section>
      )}
      {view === 'picture' && (drawing ? <Graph drawing={drawing} counts={counts} onPick={jump} at={at} /> : <Empty>{t('flows.unread')}</Empty>)}
      {view === 'picture' && counts && <p className="text-soft">{t('flows.counted', { n: counts.contacts, from: dateTime(counts.from), to: dateTime(counts.to) })}{counts.cut && ` ${t('flows.cut')}`}</p>}
      {view === 'text' && <textarea ref={area} className="field h-[60vh] min-h-64 resize-y font-mono text-[0.93rem] leading-[20px]" wrap="off" spellCheck={false} aria-label={t('flows.text')} value={now} onChange={(e) => write(e.target.value)} />}
      {view === 'try' && (drawing && checked?.drawing ? <Try text={now} onAt={setAt} /> : <Empty>{t('flows.unread')}</Empty>)}
      {view === 'versions' && <Versions name={name} published={kept.data !== null} onTaken={() => { drafts.delete(name); setText(null); kept.reload(); }} onCopy={(old) => { write(old); setView('text'); }} />}
      <Dialog wide open={publishing} onClose={() => setPublishing(false)} title={t('flows.publish.title', { name })}>
        <Diff text={checked?.diff ?? ''} />
        <p className="mt-3 text-soft">{t('flows.publish.hint')}</p>
        <div className="mt-4 flex justify-end gap-2"><Button onClick={() => setPublishing(false)}>{t('do.cancel')}</Button><Button look="main" disabled={busy} onClick={() => void publish()}>{t('flows.publish')}</Button></div>
      </Dialog>
    </div>
  );
}

function Versions({ name, published, onTaken, onCopy }: { name: string; published: boolean; onTaken: () => void; onCopy: (text: string) => void }) {
  const list = useLoad(published ? `flow versions ${name}` : null, async () => (await take(api.GET('/api/v1/flows/{name}/versions', path(name)))).versions);
  const back = async (version: number): Promise<void> => {
    try {
      const done = await take(api.POST('/api/v1/flows/{name}/rollback', { ...path(name), body: { version } }));
      notice(t('flows.published', { name, n: done.version }));
      onTaken();
      list.reload();
    } catch (problem) { notice(problemText(problem as Problem), true); }
  };
  const look = async (version: number): Promise<void> => {
    try { onCopy((await take(api.GET('/api/v1/flows/{name}/versions/{version}', { params: { path: { name, version } } }))).text ?? ''); } catch (problem) { notice(problemText(problem as Problem), true); }
  };
  return (
    <div className="card overflow-x-auto">
      {list.problem && <Trouble problem={list.problem} again={list.reload} />}
      <table className="table">
        <caption className="sr-only">{t('flows.versions')}</caption>
        <thead><tr><th scope="col">{t('flows.version')}</th><th scope="col">{t('calls.when')}</th><th scope="col">{t('audit.who')}</th><th scope="col">{t('users.state')}</th><th scope="col"><span className="sr-only">{t('users.do')}</span></th></tr></thead>
        <tbody>{list.data?.map((v) => (
          <tr key={v.version}>
            <td className="num font-medium">{v.version} {v.restored ? <span className="font-normal text-soft">{t('flows.restored', { n: v.restored })}</span> : null}</td>
            <td className="num">{dateTime(v.at)}</td><td>{v.by}</td><td>{v.in_force ? <span className="text-good">● {t('flows.inforce')}</span> : '–'}</td>
            <td className="space-x-2 text-right"><Button small onClick={() => void look(v.version)}>{t('flows.edit')}</Button><Button small disabled={v.in_force} onClick={() => void back(v.version)}>{t('flows.back')}</Button></td>
          </tr>
        ))}</tbody>
      </table>
      {(!published || list.data?.length === 0) && <Empty>{t('flows.versions.none')}</Empty>}
    </div>
  );
}
