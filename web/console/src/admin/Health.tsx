// Whether every part of the house is well.

import { useEffect } from 'react';
import { api } from '../api/client';
import { t } from '../lib/i18n';
import { useLoad } from '../lib/load';
import { Trouble } from '../ui/parts';

export function Health() {
  const health = useLoad('health', async () => {
    const answer = await api.GET('/healthz');
    // A house in trouble answers 503 with the same document.
    const told = answer.data ?? answer.error;
    if (!told || !('components' in told)) throw { code: 'net', status: 0, detail: '', title: '', type: '' };
    return told;
  });
  const { reload } = health;
  useEffect(() => { const again = setInterval(reload, 10_000); return () => clearInterval(again); }, [reload]);
  if (health.problem && !health.data) return <Trouble problem={health.problem} again={reload} />;
  if (!health.data) return null;
  return (
    <div className="card max-w-2xl">
      <table className="table">
        <caption className="p-3 text-left">{health.data.status === 'ok' ? <span className="font-semibold text-good">✓ {t('health.ok')}</span> : <span className="font-semibold text-bad">⚠ {t('health.trouble')}</span>} <span className="text-soft">ringdesk {health.data.version}</span></caption>
        <thead><tr><th scope="col">{t('health.part')}</th><th scope="col">{t('users.state')}</th><th scope="col">{t('health.detail')}</th></tr></thead>
        <tbody>{health.data.components.map((c) => (
          <tr key={c.name}><td className="font-medium">{c.name}</td><td className="whitespace-nowrap">{c.ok ? <span className="text-good">✓ {t('health.well')}</span> : <span className="font-semibold text-bad">✕ {t('health.ill')}</span>}</td><td className="text-soft">{c.detail}</td></tr>
        ))}</tbody>
      </table>
    </div>
  );
}
