// A chat: what was said, and what is being written. A reader who scrolled up is left in peace and told what came.

import { useEffect, useLayoutEffect, useRef, useState } from 'react';
import { api, take, type Problem } from '../api/client';
import type { Message } from '../api/shapes';
import { notice, problemText } from '../lib/act';
import { keyOf, useActions } from '../lib/actions';
import { t } from '../lib/i18n';
import { timeOfDay } from '../lib/time';
import { agentName, queueName, useBlinks, useLive } from '../live/live';
import { Button, Empty, uid, useComposing } from '../ui/parts';
import { CannedList, insert, listing, useCanned, type Reply } from './Canned';
import type { Contact } from './contact';
import { FileOf, GoingFiles, useFiles } from './Files';
import { Named, useMention } from './Mention';

/** Older messages are asked for when the reader is so near to the first one, pixels. */
const NEAR = 300;

const path = (id: string) => ({ params: { path: { id } } });

export function Conversation({ contact: c }: { contact: Contact }) {
  const [typing, setTyping] = useState(false);
  const [missed, setMissed] = useState(0);
  const box = useRef<HTMLDivElement>(null);
  const atEnd = useRef(true);
  const stop = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const last = c.messages.at(-1);
  const first = c.messages[0]?.seq ?? 0;
  const { earlier, more } = c.history;
  const mine = c.work?.work === 'talking' || c.work?.work === 'hold';
  useBlinks((b) => {
    if (b.type !== 'typing' || b.interaction !== c.id || b.by !== 'visitor') return;
    setTyping(true);
    clearTimeout(stop.current);
    stop.current = setTimeout(() => setTyping(false), 5_000);
  });
  useEffect(() => { if (last?.sender === 'visitor') setTyping(false); }, [last]);
  useLayoutEffect(() => {
    const list = box.current;
    if (!list) return;
    if (atEnd.current) { list.scrollTop = list.scrollHeight; setMissed(0); } else setMissed((n) => n + 1);
  }, [last?.seq]);
  // Older ones come in above: what is being read stays where it is.
  const was = useRef({ first: 0, height: 0 });
  useLayoutEffect(() => {
    const list = box.current;
    if (!list) return;
    if (first < was.current.first && !atEnd.current) list.scrollTop += list.scrollHeight - was.current.height;
    was.current = { first, height: list.scrollHeight };
  });
  // Read means looked at: by whoever has the contact, on a page that is visible.
  const seen = c.messages.findLast((m) => m.sender === 'visitor')?.seq ?? 0;
  useEffect(() => {
    const tell = (): void => {
      if (mine && seen > 0 && !document.hidden) void api.POST('/api/v1/interactions/{id}/read', { ...path(c.id), body: { seq: seen } }).catch(() => {});
    };
    tell();
    document.addEventListener('visibilitychange', tell);
    return () => document.removeEventListener('visibilitychange', tell);
  }, [c.id, mine, seen]);
  return (
    <div className="relative flex min-h-0 grow flex-col">
      <div ref={box} tabIndex={0} role="log" aria-label={t('work.talk')} className="min-h-0 grow overflow-y-auto px-4 py-3 [overflow-anchor:none]"
        onScroll={(e) => {
          const list = e.currentTarget;
          atEnd.current = list.scrollHeight - list.scrollTop - list.clientHeight < 80;
          if (atEnd.current && missed) setMissed(0);
          if (earlier && list.scrollTop < NEAR && !atEnd.current) void more();
        }}>
        {!last && <Empty>{t('talk.none')}</Empty>}
        <ol className="space-y-2">
        {earlier && <li className="text-center"><Button small onClick={() => { atEnd.current = false; void more(); }}>{t('talk.older')}</Button></li>}
        {c.messages.map((m) => <Bubble key={m.seq} contact={c.id} message={m} who={c.who} />)}
        </ol>
      </div>
      {missed > 0 && <Button small look="main" className="absolute bottom-24 left-1/2 -translate-x-1/2 shadow" onClick={() => { if (box.current) box.current.scrollTop = box.current.scrollHeight; }}>{t('talk.missed', { n: missed })} ↓</Button>}
      <p className="h-6 px-4 text-soft" role="status">{typing && t('talk.typing', { who: c.who })}</p>
      {(c.stage === 'talking' || c.stage === 'hold') && <Compose contact={c} />}
    </div>
  );
}

function Bubble({ contact, message: m, who }: { contact: string; message: Message; who: string }) {
  const agent = typeof m.sender === 'object' ? ('agent' in m.sender ? m.sender.agent : m.sender.note) : null;
  const note = typeof m.sender === 'object' && 'note' in m.sender;
  const name = useLive((l) => (agent ? agentName(l, agent) : m.sender === 'visitor' ? who : m.sender === 'bot' ? t('talk.bot') : ''));
  if (m.sender === 'system') return <li className="text-center text-soft">{m.text}</li>;
  const look = note ? 'ml-auto bg-note border-warn border-dashed' : agent ? 'ml-auto bg-mine' : m.sender === 'bot' ? 'ml-auto bg-raised' : 'bg-panel';
  return (
    <li className={`w-fit max-w-[min(40rem,85%)] rounded-xl border border-line px-3 py-1.5 ${look}`}>
      <span className="flex items-baseline gap-2 text-[0.86em] text-soft">{note && <span className="font-semibold text-warn">✎ {t('talk.note')}</span>}<span>{name}</span><time dateTime={m.at} className="num ml-auto">{timeOfDay(m.at)}</time></span>
      {m.file && <FileOf contact={contact} message={m} />}
      {m.text !== m.file?.name && <span className="block whitespace-pre-wrap break-words">{note ? <Named text={m.text} /> : m.text}</span>}
    </li>
  );
}

/** What is being written, by contact, kept while another one is looked at. */
const drafts = new Map<string, { text: string; note: boolean }>();

function Compose({ contact: c }: { contact: Contact }) {
  const kept = drafts.get(c.id);
  const [text, setText] = useState(kept?.text ?? '');
  const [note, setNote] = useState(kept?.note ?? false);
  const [busy, setBusy] = useState(false);
  const up = useLive((l) => l.up);
  const field = useRef<HTMLTextAreaElement>(null);
  const picker = useRef<HTMLInputElement>(null);
  const files = useFiles(c.id);
  const told = useRef(0);
  // The same name until it is accepted: Enter pressed twice on a bad line is one message.
  const name = useRef(uid());
  const { onCompositionEnd, composing } = useComposing();
  const replies = useCanned(text, c.now?.queue ?? null);
  const [at, setAt] = useState(0);
  const [shut, setShut] = useState('');
  const choosing = replies.length > 0 && shut !== text;
  const chosen = Math.min(at, replies.length - 1);
  const agent = useLive((l) => (l.me?.agent ? agentName(l, l.me.agent) : ''));
  const queue = useLive((l) => (c.now?.queue ? queueName(l, c.now.queue) : ''));
  const mention = useMention(text, note, (next) => { setText(next); field.current?.focus(); });
  const pick = (reply: Reply): void => {
    const values: Record<string, string> = { agent, queue, customer: c.who };
    setText(insert(text, reply.text.replace(/\{(customer|agent|queue)\}/g, (_, name: string) => values[name] ?? '')));
    setAt(0);
    field.current?.focus();
  };
  useEffect(() => { drafts.set(c.id, { text, note }); }, [c.id, text, note]);
  useEffect(() => { if (c.work) field.current?.focus(); }, [c.id, c.work?.work]);
  useActions([
    { id: 'call.note', label: 'do.note', group: 'call', run: () => { setNote(true); field.current?.focus(); } },
    { id: 'call.reply', label: 'do.reply', group: 'call', run: () => { setNote(false); field.current?.focus(); } },
  ]);
  const send = async (): Promise<void> => {
    const body = text.trim();
    if (!body || busy || !up) return;
    setBusy(true);
    try {
      await take(api.POST(note ? '/api/v1/interactions/{id}/notes' : '/api/v1/interactions/{id}/messages', { ...path(c.id), body: { client_id: name.current, body } }));
      name.current = uid();
      setText('');
    } catch (problem) {
      notice(problemText(problem as Problem), true);
    }
    setBusy(false);
    field.current?.focus();
  };
  return (
    <form className={`relative m-3 mt-0 rounded-xl border p-2 ${note ? 'border-dashed border-warn bg-note' : 'border-edge bg-panel'}`} onSubmit={(e) => { e.preventDefault(); void send(); }}
      onDragOver={(e) => { if (up && !note && e.dataTransfer.types.includes('Files')) e.preventDefault(); }}
      onDrop={(e) => { if (up && !note && e.dataTransfer.files.length) { e.preventDefault(); files.send(e.dataTransfer.files); } }}>
      <GoingFiles going={files.going} />
      {choosing ? <CannedList replies={replies} at={chosen} onPick={pick} /> : mention.list}
      <textarea ref={field} rows={2} value={text} aria-autocomplete="list" {...(choosing ? listing(chosen) : mention.listing)} aria-label={t(note ? 'talk.write.note' : 'talk.write')} placeholder={t(note ? 'talk.write.note' : 'talk.write')}
        className="block max-h-48 w-full resize-none rounded-md bg-transparent px-1.5 py-1 [field-sizing:content]"
        onCompositionEnd={onCompositionEnd}
        onPaste={(e) => { if (up && !note && e.clipboardData.files.length) { e.preventDefault(); files.send(e.clipboardData.files); } }}
        onChange={(e) => {
          setText(e.target.value);
          if (!note && c.work && e.target.value && Date.now() - told.current > 3_000) {
            told.current = Date.now();
            void api.POST('/api/v1/interactions/{id}/typing', path(c.id)).catch(() => {});
          }
        }}
        onKeyDown={(e) => {
          if (choosing && !composing(e)) {
            const reply = replies[chosen];
            if (e.key === 'ArrowDown' || e.key === 'ArrowUp') { e.preventDefault(); setAt((chosen + (e.key === 'ArrowDown' ? 1 : replies.length - 1)) % replies.length); return; }
            if ((e.key === 'Enter' || e.key === 'Tab') && reply) { e.preventDefault(); pick(reply); return; }
            if (e.key === 'Escape') { e.preventDefault(); setShut(text); return; }
          }
          if (!composing(e) && mention.key(e)) return;
          if (e.key === 'Escape') e.currentTarget.blur();
          if (e.key === 'Enter' && !e.shiftKey && !composing(e)) { e.preventDefault(); void send(); }
        }} />
      <div className="mt-2 flex flex-wrap items-center gap-2">
        <Button small aria-pressed={note} hotkey={keyOf('call.note')} onClick={() => { setNote((was) => !was); field.current?.focus(); }}>{t('do.note')}</Button>
        <span className={`text-[0.9em] text-soft ${note ? '' : 'hidden mid:inline'}`}>{t(note ? 'talk.note.hint' : 'talk.hint')}</span>
        <span className="grow" />
        <input ref={picker} type="file" multiple hidden onChange={(e) => { files.send(e.target.files ?? []); e.target.value = ''; }} />
        {!note && <Button small disabled={!up} onClick={() => picker.current?.click()}>{t('do.attach')}</Button>}
        <Button small look="main" type="submit" disabled={!up || busy || !text.trim()}>{t(note ? 'do.save' : 'do.send')}</Button>
      </div>
    </form>
  );
}
