// Addresses: the path says which screen, the query keeps its filters, back and reload come to the same place.

import { useSyncExternalStore, type AnchorHTMLAttributes } from 'react';

const watchers = new Set<() => void>();
const tell = (): void => watchers.forEach((w) => w());
addEventListener('popstate', tell);

export function go(to: string, how: 'push' | 'replace' = 'push'): void {
  if (to === location.pathname + location.search) return;
  history[how === 'push' ? 'pushState' : 'replaceState'](null, '', to);
  tell();
}

export interface Place { path: string; parts: string[]; query: URLSearchParams }

const watch = (w: () => void): (() => void) => { watchers.add(w); return () => { watchers.delete(w); }; };

export function usePlace(): Place {
  const at = useSyncExternalStore(watch, () => location.pathname + location.search);
  const url = new URL(at, location.origin);
  return { path: url.pathname, parts: url.pathname.split('/').filter(Boolean).map(decodeURIComponent), query: url.searchParams };
}

/** Changes one filter of the address; an empty value takes it away. */
export function setQuery(key: string, value: string | null): void {
  const url = new URL(location.href);
  if (value) url.searchParams.set(key, value);
  else url.searchParams.delete(key);
  go(url.pathname + url.search, 'replace');
}

export function A({ href, ...rest }: AnchorHTMLAttributes<HTMLAnchorElement> & { href: string }) {
  return (
    <a
      href={href}
      {...rest}
      onClick={(event) => {
        rest.onClick?.(event);
        if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
        event.preventDefault();
        go(href);
      }}
    />
  );
}
