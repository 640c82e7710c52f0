// The visitor widget: the line a site needs.

import { notice } from '../lib/act';
import { t } from '../lib/i18n';
import { useLive } from '../live/live';
import { Button } from '../ui/parts';

export function WidgetPage() {
  const site = useLive((l) => l.me?.tenant);
  const line = `<script src="${location.origin}/widget.js" data-site="${site}" async></script>`;
  return (
    <div className="grid max-w-3xl gap-3">
      <p>{t('widget.hint')}</p>
      <div className="flex items-center gap-2">
        <code className="min-w-0 grow select-all break-all rounded-lg border border-line bg-panel px-3 py-2">{line}</code>
        {navigator.clipboard && <Button onClick={() => void navigator.clipboard.writeText(line).then(() => notice(t('once.copied')))}>{t('do.copy')}</Button>}
      </div>
      <p className="text-soft">{t('widget.options')}</p>
      <p className="text-soft">{t('widget.origins')}</p>
      <p><a className="link" href={`/chat?site=${encodeURIComponent(site ?? '')}`} target="_blank" rel="noreferrer">{t('widget.try')}</a></p>
    </div>
  );
}
