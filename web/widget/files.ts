// Files in the chat: picked, dropped or pasted; shown with the browser's own means, and saved, never opened here.

import type { Line, Shown } from './line';
import type { Words } from './words';

/** Width of a small picture as it is drawn, device-independent pixels, twice for sharp screens. */
const SMALL = 400;

export const size = (bytes: number, lang: string): string =>
  new Intl.NumberFormat(lang, { style: 'unit', unit: bytes < 1_000_000 ? 'kilobyte' : 'megabyte', maximumFractionDigits: bytes < 1_000_000 ? 0 : 1 }).format(Math.max(bytes / (bytes < 1_000_000 ? 1_000 : 1_000_000), 1));

/** What a message with a file shows in the place of words. */
export function fileOf(m: Shown, line: Line, w: Words, lang: string): HTMLElement {
  const file = m.file!;
  const button = document.createElement('button');
  button.type = 'button';
  button.className = 'file';
  button.title = w.save;
  const name = document.createElement('span');
  name.className = 'name';
  name.textContent = file.name;
  const much = document.createElement('span');
  much.className = 'when';
  much.textContent = size(file.bytes, lang);
  button.append(name, ' ', much);
  const kept = m.seq;
  if (kept === undefined) { button.disabled = true; return button; }
  button.onclick = () => {
    button.disabled = true;
    line.fetchFile(kept).then(
      (blob) => {
        const link = document.createElement('a');
        link.href = URL.createObjectURL(blob);
        link.download = file.name;
        link.click();
        setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
      },
      () => { much.textContent = w.gone; },
    ).finally(() => { button.disabled = false; });
  };
  if (file.picture) {
    const canvas = document.createElement('canvas');
    button.prepend(canvas);
    button.classList.add('picture');
    // Only what is looked at is fetched.
    const seen = new IntersectionObserver((entries) => {
      if (!entries.some((e) => e.isIntersecting)) return;
      seen.disconnect();
      line.fetchFile(kept).then((blob) => createImageBitmap(blob, blob.size > 100_000 ? { resizeWidth: SMALL } : {})).then((small) => {
        canvas.width = small.width;
        canvas.height = small.height;
        canvas.getContext('2d')?.drawImage(small, 0, 0);
        small.close();
        button.classList.add('drawn');
      }, () => { canvas.remove(); });
    });
    seen.observe(button);
  }
  return button;
}

/** Lets files come by button, by dropping them on the chat, and out of the clipboard. */
export function takeFiles(box: HTMLElement, write: HTMLTextAreaElement, button: HTMLButtonElement, line: Line): HTMLInputElement {
  const field = document.createElement('input');
  field.type = 'file';
  field.multiple = true;
  field.hidden = true;
  const send = (files: Iterable<File>): void => { for (const file of files) line.sendFile(file); write.focus(); };
  button.onclick = () => { field.accept = line.files?.accept ?? ''; field.click(); };
  field.onchange = () => { send(field.files ?? []); field.value = ''; };
  write.addEventListener('paste', (event) => {
    const files = event.clipboardData?.files;
    if (files?.length && line.files) { event.preventDefault(); send(files); }
  });
  const carries = (event: DragEvent): boolean => line.files !== null && !line.over && (event.dataTransfer?.types.includes('Files') ?? false);
  box.addEventListener('dragover', (event) => { if (carries(event)) { event.preventDefault(); box.classList.add('drop'); } });
  box.addEventListener('dragleave', (event) => { if (!box.contains(event.relatedTarget as Node | null)) box.classList.remove('drop'); });
  box.addEventListener('drop', (event) => {
    box.classList.remove('drop');
    if (!carries(event)) return;
    event.preventDefault();
    send(event.dataTransfer!.files);
  });
  return field;
}
