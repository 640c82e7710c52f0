// A question before what cannot be taken back.

import { useState, type ReactNode } from 'react';
import { t } from '../lib/i18n';
import { Button, Dialog } from './parts';

/** A button that asks first. `title` is the question, `what` the consequence. */
export function Sure({ children, title, what, onSure, ...look }: { children: ReactNode; title: string; what: string; onSure: () => void; small?: boolean; className?: string; disabled?: boolean; look?: 'bad' | 'plain'; 'aria-label'?: string }) {
  const [open, setOpen] = useState(false);
  return (
    <>
      <Button {...look} onClick={() => setOpen(true)}>{children}</Button>
      <Dialog open={open} onClose={() => setOpen(false)} title={title}>
        <p className="mb-4">{what}</p>
        <div className="flex justify-end gap-2">
          <Button onClick={() => setOpen(false)}>{t('do.cancel')}</Button>
          <Button look="bad" onClick={() => { setOpen(false); onSure(); }}>{title}</Button>
        </div>
      </Dialog>
    </>
  );
}
