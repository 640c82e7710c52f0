// Why a call failed or was silent: which leg, which side, in a sentence, with what it follows from.

import { api, take } from '../api/client';
import { language, t } from '../lib/i18n';
import { useLoad } from '../lib/load';

export function Diagnosis({ interaction, over }: { interaction: string; over: string | null }) {
  const why = useLoad(`diagnosis ${interaction} ${over ?? ''}`, () => take(api.GET('/api/v1/interactions/{id}/why', { params: { path: { id: interaction } } })));
  const found = why.data?.findings;
  if (!found) return null;
  return (
    <section className="card mb-4 p-4" aria-label={t('fault.title')}>
      <h2 className="h mb-1">{t('fault.title')}</h2>
      <ul className="grid gap-2">
        {found.map((f, n) => (
          <li key={n} className="grid grid-cols-[1.2rem_1fr] gap-1.5">
            <span aria-hidden="true" className={f.fault ? 'text-bad' : 'text-soft'}>{f.fault ? '✕' : '·'}</span>
            <div>
              <p><span className="sr-only">{t(f.fault ? 'fault.wrong' : 'fault.noted')} </span>{language() === 'zh-CN' ? f.zh : f.en}</p>
              {f.evidence.length > 0 && (
                <details className="text-soft">
                  <summary>{t('fault.evidence')}</summary>
                  <ul className="num mt-1 grid gap-0.5 break-words">{f.evidence.map((e, i) => <li key={i}>{e}</li>)}</ul>
                </details>
              )}
            </div>
          </li>
        ))}
      </ul>
    </section>
  );
}
