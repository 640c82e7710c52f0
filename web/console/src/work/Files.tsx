// Files in a chat: what came is shown and saved, what goes shows how far it has got.

import { useState } from 'react';
import { sendFile, type Problem } from '../api/client';
import type { Message } from '../api/shapes';
import { notice, problemText } from '../lib/act';
import { language, t } from '../lib/i18n';
import { uid } from '../ui/parts';

const PICTURES = ['png', 'jpeg', 'gif', 'webp'];

const size = (bytes: number): string => {
  const [unit, by] = bytes < 1_000_000 ? ['kilobyte', 1_000] : ['megabyte', 1_000_000];
  return new Intl.NumberFormat(language(), { style: 'unit', unit, maximumFractionDigits: by === 1_000 ? 0 : 1 }).format(Math.max(bytes / Number(by), 1));
};

/** The file of a message: a picture small, anything else by its name; a click saves it. */
export function FileOf({ contact, message: m }: { contact: string; message: Message }) {
  const [broken, setBroken] = useState(false);
  const file = m.file!;
  const path = `/api/v1/interactions/${contact}/files/${m.seq}`;
  return (
    <a href={path} download={file.name} className="link block min-h-6 break-all">
      {PICTURES.includes(file.kind) && !broken && <img src={path} alt="" loading="lazy" className="mb-1 block h-40 max-w-full rounded-lg object-contain object-left" onError={() => setBroken(true)} />}
      {file.name} <span className="num text-soft">{size(file.bytes)}</span>
    </a>
  );
}

interface Going { id: string; name: string; part: number }

/** Sends files into a chat, one after the other, in the order they were given. */
export function useFiles(contact: string): { going: Going[]; send: (files: Iterable<File>) => void } {
  const [going, setGoing] = useState<Going[]>([]);
  const one = async (file: File, id: string): Promise<void> => {
    try {
      await sendFile(`/api/v1/interactions/${contact}/files?client_id=${id}&name=${encodeURIComponent(file.name.slice(-200))}`, file,
        (part) => setGoing((was) => was.map((g) => (g.id === id ? { ...g, part } : g))));
    } catch (problem) {
      notice(`${file.name}: ${problemText(problem as Problem)}`, true);
    }
    setGoing((was) => was.filter((g) => g.id !== id));
  };
  const send = (files: Iterable<File>): void => {
    const named = [...files].map((file) => [file, uid()] as const);
    setGoing((was) => [...was, ...named.map(([file, id]) => ({ id, name: file.name, part: 0 }))]);
    void named.reduce((before, [file, id]) => before.then(() => one(file, id)), Promise.resolve());
  };
  return { going, send };
}

export function GoingFiles({ going }: { going: Going[] }) {
  return (
    <ul className="grid gap-1 px-1">
      {going.map((g) => (
        <li key={g.id} className="flex items-center gap-2 text-[0.9em]">
          <span className="min-w-0 truncate">{g.name}</span>
          <progress className="h-2 grow" max={1} value={g.part} aria-label={t('talk.sending', { name: g.name })} />
        </li>
      ))}
    </ul>
  );
}
