// What the loader gives the chat.

type Need = 'off' | 'optional' | 'required';
/** By language: `en`, `zh`. */
export type ByLang = Record<string, string>;
/** What the house wants: `GET /chat/v1/look`. */
export interface Look {
  color?: string;
  side?: 'left' | 'right';
  title?: ByLang;
  greeting?: ByLang;
  ask?: { name?: Need; contact?: Need; fields?: { key: string; label: ByLang; need?: Need }[] };
}

export interface Host {
  shadow: ShadowRoot;
  button: HTMLButtonElement;
  /** Origin of the server. */
  base: string;
  zh: boolean;
  site: string;
  title: string;
  side: 'left' | 'right';
  look: Look;
  unread: (n: number) => void;
  /** Gives the loader what a click on the bubble does from now on. */
  ready: (toggle: () => void) => void;
}
