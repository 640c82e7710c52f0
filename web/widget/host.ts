// What the loader gives the chat.

export interface Host {
  shadow: ShadowRoot;
  button: HTMLButtonElement;
  /** Origin of the server. */
  base: string;
  zh: boolean;
  site: string;
  title: string;
  side: 'left' | 'right';
  unread: (n: number) => void;
  /** Gives the loader what a click on the bubble does from now on. */
  ready: (toggle: () => void) => void;
}
