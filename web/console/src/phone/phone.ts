// What a phone in this page is to the rest of the console, whatever library speaks SIP underneath.

/** Why there is no phone here; each has a sentence that says what to do. */
export type Trouble = 'insecure' | 'refused' | 'no_microphone' | 'microphone_busy' | 'mic_ended' | 'mic_muted' | 'login' | 'line';

/** One call at this phone. */
export interface Line {
  id: string;
  /** The contact it belongs to, and the offer it rings for; none for a call this agent asked for. */
  interaction: string | null;
  offer: string | null;
  state: 'ringing' | 'answering' | 'up';
  muted: boolean;
  /** It came back to a page that was reloaded. */
  resumed: boolean;
}

/** How the sound of a call travels, from what the browser counts. */
export interface Quality { rtt_ms: number; jitter_ms: number; lost: number; grade: 'good' | 'fair' | 'poor' }

export interface Report {
  registered: boolean;
  trouble: Trouble | null;
  lines: Line[];
  quality: Quality | null;
  /** The browser wants a click before it lets the page be heard. */
  silenced: boolean;
}

export interface Phone {
  answer(line: string): void;
  hangUp(line: string): void;
  mute(line: string, on: boolean): void;
  /** Digits as events beside the sound (RFC 4733). */
  press(line: string, digits: string): void;
  /** Another microphone or speaker was chosen. */
  devices(): void;
  /** Lets itself be heard, after a click. */
  unsilence(): void;
  /** Says that it is still there; asked for while the page sleeps and its timers do. */
  refresh(): void;
  /** How loud the microphone of the call is, 0 to 1. */
  level(): number;
  /** Registers no more. `leave`: without a word, so that the server keeps the caller for the phone that comes next. */
  close(leave: boolean): void;
}

export type Tell = (report: Report) => void;
