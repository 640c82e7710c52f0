// What this browser remembers of a person's wishes, and does without where storage is forbidden.

type Watcher = () => void;
const watchers = new Set<Watcher>();
const mirror = new Map<string, string>();

export function remember(key: string): string | null {
  const kept = mirror.get(key);
  if (kept !== undefined) return kept;
  try { return localStorage.getItem(`ringdesk.${key}`); } catch { return null; }
}

export function keep(key: string, value: string): void {
  mirror.set(key, value);
  try { localStorage.setItem(`ringdesk.${key}`, value); } catch { /* a private window: forgotten with the page */ }
  watchers.forEach((w) => w());
}

export function watchPrefs(watcher: Watcher): () => void {
  watchers.add(watcher);
  return () => { watchers.delete(watcher); };
}

/** Another tab of this browser was told to look otherwise: this one follows at once, and `then` does the rest. */
export function followOtherTabs(then: () => void): void {
  addEventListener('storage', ({ key }) => {
    if (key !== 'ringdesk.language' && key !== 'ringdesk.theme') return;
    mirror.delete(key.slice('ringdesk.'.length));
    then();
    watchers.forEach((w) => w());
  });
}

export function applyTheme(): void {
  const theme = remember('theme');
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
}

export function otherTheme(): void {
  const dark = document.documentElement.dataset.theme ?? (matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light');
  keep('theme', dark === 'dark' ? 'light' : 'dark');
  applyTheme();
}
