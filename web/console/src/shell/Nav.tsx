// Where one can go, by role.

import { useActions } from '../lib/actions';
import { t, type Key } from '../lib/i18n';
import { A, go, usePlace } from '../lib/router';
import { alertsOpen, myself, supervises, useLive } from '../live/live';

function useScreens(): [path: string, label: Key, sign: string][] {
  const mayWatch = useLive(supervises);
  const admin = useLive((l) => l.me?.role === 'admin');
  return [
    ['/w', 'nav.work', '◫'],
    ...(mayWatch ? [['/wall', 'nav.wall', '▦'] as [string, Key, string]] : []),
    ['/tickets', 'nav.tickets', '▤'],
    ['/customers', 'nav.customers', '☺'],
    ['/calls', 'nav.calls', '↺'],
    ...(mayWatch ? [['/reports', 'nav.reports', '▥'] as [string, Key, string]] : []),
    ...(admin ? [['/admin', 'nav.admin', '⚙'] as [string, Key, string]] : []),
  ];
}

export function useGoActions(): void {
  const screens = useScreens();
  useActions([
    ...screens.map(([path, label]) => ({ id: `go${path}`, label, group: 'go' as const, run: () => go(path) })),
    { id: 'go/me', label: 'nav.me', group: 'go', run: () => go('/me') },
  ]);
}

export function Nav() {
  const { parts } = usePlace();
  const waiting = useLive((l) => Object.values(l.view.queues).reduce((n, q) => n + q.waiting, 0));
  const mine = useLive((l) => myself(l)?.work.length ?? 0);
  const watches = useLive(supervises);
  const alerts = useLive(alertsOpen);
  return (
    <nav aria-label={t('nav.label')} className="flex shrink-0 justify-around gap-1 border-t border-line bg-panel p-1 mid:w-[7.6rem] mid:flex-col mid:justify-start mid:border-r mid:border-t-0 mid:p-1.5">
      {useScreens().map(([path, label, sign]) => {
        const here = `/${parts[0] ?? ''}` === path;
        const count = path === '/w' ? mine : path === '/wall' && watches ? waiting : 0;
        return (
          <A key={path} href={path} aria-current={here ? 'page' : undefined}
            className="relative grid min-h-11 place-items-center rounded-lg px-0.5 py-1.5 text-center text-[0.86rem] leading-tight text-soft hover:bg-raised aria-[current=page]:bg-mine aria-[current=page]:font-medium aria-[current=page]:text-ink">
            <span aria-hidden="true" className="text-[1.25rem] leading-6">{sign}</span>{t(label)}
            {path === '/wall' && alerts > 0 && <span data-alerts className="num absolute left-1.5 top-1 rounded border border-bad bg-bad-fill px-1 text-[0.8rem] font-semibold text-bad"><span aria-hidden="true">! {alerts}</span><span className="sr-only"> {t('alert.open', { n: alerts })}</span></span>}
            {count > 0 && <span className="num absolute right-1.5 top-1 min-w-5 rounded-full bg-accent px-1 text-[0.8rem] font-semibold text-on-accent">{count}</span>}
          </A>
        );
      })}
    </nav>
  );
}
