// Secrets that are shown this one time.

import { notice } from '../lib/act';
import { t } from '../lib/i18n';
import { Button, Dialog } from '../ui/parts';

export function Once({ open, onClose, title, rows }: { open: boolean; onClose: () => void; title: string; rows: [string, string | null | undefined][] }) {
  return (
    <Dialog open={open} onClose={onClose} title={title}>
      <p className="mb-3 rounded-lg bg-warn-fill px-3 py-2 text-warn"><span aria-hidden="true">⚠ </span>{t('once.note')}</p>
      <dl className="grid gap-3">
        {rows.filter(([, secret]) => secret).map(([label, secret]) => (
          <div key={label}>
            <dt className="text-soft">{label}</dt>
            <dd className="flex items-center gap-2"><code className="min-w-0 grow select-all break-all rounded bg-raised px-2 py-1">{secret}</code>
              {navigator.clipboard && <Button small onClick={() => void navigator.clipboard.writeText(secret!).then(() => notice(t('once.copied')))}>{t('do.copy')}</Button>}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
