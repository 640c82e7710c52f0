// The line to the server: a session kept by the page, a socket that comes back, and what was written but not yet acknowledged.

export interface Shown { key: string; from: string; body: string; at: string; name?: string; client_id?: string; waiting?: boolean; failed?: boolean }
interface Said { seq: number; from: string; body: string; at: string; name?: string; client_id?: string; options?: { send: string; label: string }[] }
interface Written { client_id: string; body: string; at: string; failed?: boolean }
interface Profile { name: string; contact: string }
export type Trouble = 'offline' | 'refused' | 'slow' | 'toolong';

/** As the server has it: the longest message, bytes. */
const MESSAGE_MAX = 16_384;
const OUTBOX_MAX = 50;

export class Line {
  state = 'none';
  agent = '';
  place = 0;
  wait_s = 0;
  over = false;
  trouble: Trouble | null = null;
  wasOpen = false;
  watching = (): boolean => false;
  private token: string | null = null;
  private interaction: string | null = null;
  private profile: Profile | null = null;
  private said: Said[] = [];
  private outbox: Written[] = [];
  private socket: WebSocket | null = null;
  private greeted = false;
  private tries = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private typingUntil = 0;
  private told = 0;

  constructor(private base: string, private site: string, private lang: string, private draw: () => void, private came: (m: Said) => void) {
    try {
      const kept = JSON.parse(sessionStorage.getItem(this.key()) ?? 'null');
      if (kept) ({ token: this.token, interaction: this.interaction, profile: this.profile, outbox: this.outbox, open: this.wasOpen } = kept);
    } catch { /* storage is forbidden: the chat lives as long as the page */ }
    addEventListener('online', () => this.hurry());
    addEventListener('visibilitychange', () => { if (!document.hidden) this.hurry(); });
  }
  private key(): string { return `ringdesk.chat.${this.site}`; }
  remember(open = this.wasOpen): void {
    this.wasOpen = open;
    if (!this.profile) return;
    try {
      sessionStorage.setItem(this.key(), JSON.stringify({ token: this.token, interaction: this.interaction, profile: this.profile, outbox: this.outbox.slice(-OUTBOX_MAX), open }));
    } catch { /* as above */ }
  }
  get begun(): boolean { return this.profile !== null; }
  typing(): boolean { return !this.over && Date.now() < this.typingUntil; }
  options(): { send: string; label: string }[] {
    const last = this.said.at(-1);
    return this.over || this.outbox.length || !last || last.from === 'visitor' ? [] : last.options ?? [];
  }
  shown(): Shown[] {
    return [
      ...this.said.map((m) => ({ ...m, key: `${this.interaction} ${m.seq}` })),
      ...this.outbox.map((o) => ({ key: `o ${o.client_id} ${o.failed ?? ''}`, from: 'visitor', body: o.body, at: o.at, client_id: o.client_id, waiting: !o.failed, failed: o.failed ?? false })),
    ];
  }

  begin(profile: Profile): void {
    this.profile = profile;
    this.remember(true);
    this.draw();
    this.connect();
  }
  again(): void {
    this.interaction = null;
    this.said = [];
    this.outbox = [];
    this.over = false;
    this.state = 'none';
    this.agent = '';
    this.remember();
    this.draw();
    this.start();
  }
  /** Says something; false when it is too long to be said. */
  say(body: string): boolean {
    if (new TextEncoder().encode(body).length > MESSAGE_MAX) { this.trouble = 'toolong'; this.draw(); return false; }
    const bytes = crypto.getRandomValues(new Uint8Array(12));
    const item: Written = { client_id: Array.from(bytes, (b) => b.toString(16).padStart(2, '0')).join(''), body, at: new Date().toISOString() };
    this.outbox.push(item);
    this.trouble = this.greeted ? null : this.trouble;
    this.write(item);
    this.remember();
    this.draw();
    return true;
  }
  retry(client_id: string): void {
    const item = this.outbox.find((o) => o.client_id === client_id);
    if (!item) return;
    delete item.failed;
    this.write(item);
    this.draw();
  }
  typed(text: string): void {
    if (text && Date.now() - this.told > 3_000) { this.told = Date.now(); this.send({ type: 'typing' }); }
  }
  seen(): void {
    const last = this.said.findLast((m) => m.from !== 'visitor');
    if (last) this.send({ type: 'read', seq: last.seq });
  }
  close(): void { this.send({ type: 'close' }); }

  private write(item: Written): void { if (this.greeted) this.send({ type: 'message', client_id: item.client_id, body: item.body }); }
  private start(): void {
    const { name, contact } = this.profile ?? { name: '', contact: '' };
    this.send({ type: 'start', name, ...(contact ? { contact } : {}), lang: this.lang, page: location.href.slice(0, 500) });
  }
  private send(frame: object): void { if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(frame)); }
  private hurry(): void { if (this.begun && !this.socket) { this.tries = 0; void this.connect(); } }
  private later(trouble: Trouble): void {
    this.trouble = trouble;
    this.draw();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.connect(), Math.min(15_000, 500 * 2 ** this.tries++) * (0.7 + Math.random() * 0.6));
  }

  async connect(): Promise<void> {
    clearTimeout(this.timer);
    if (!this.token) {
      try {
        const answer = await fetch(`${this.base}/chat/v1/session`, {
          method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(this.site ? { site: this.site } : {}), credentials: 'omit',
        });
        if (answer.status === 403 || answer.status === 404) { this.trouble = 'refused'; this.draw(); return; }
        if (!answer.ok) return this.later('offline');
        this.token = ((await answer.json()) as { token: string }).token;
        this.remember();
      } catch { return this.later('offline'); }
    }
    this.greeted = false;
    const line = new WebSocket(`${this.base.replace(/^http/, 'ws')}/chat/v1/socket`);
    this.socket = line;
    line.onopen = () => this.send({ type: 'hello', token: this.token, since: this.said.at(-1)?.seq ?? 0, ...(this.interaction ? { interaction: this.interaction } : {}) });
    line.onmessage = (event) => { if (this.socket === line) this.take(JSON.parse(String(event.data))); };
    line.onclose = (event) => {
      if (this.socket !== line) return;
      this.socket = null;
      this.greeted = false;
      if (event.code === 4401) { this.token = null; this.interaction = null; this.said = []; this.remember(); }
      if (event.code === 4403) { this.trouble = 'refused'; this.draw(); return; }
      this.later('offline');
    };
  }

  private take(frame: { type: string } & Record<string, never>): void {
    const f = frame as unknown as { type: string; seq: number; from: string; client_id?: string; state: string; name?: string; position: number; ewt_s?: number | null; interaction: string | null; code: string };
    switch (f.type) {
      case 'welcome':
        this.tries = 0;
        this.greeted = true;
        this.trouble = null;
        if (f.interaction !== this.interaction) { this.said = []; this.interaction = f.interaction; }
        this.state = f.state;
        this.over = f.state === 'closed';
        if (f.state === 'none') this.start();
        for (const item of this.outbox) if (!item.failed) this.write(item);
        break;
      case 'message': {
        const m = frame as unknown as Said;
        if (this.said.some((x) => x.seq === m.seq)) break;
        this.said.push(m);
        this.said.sort((a, b) => a.seq - b.seq);
        if (m.client_id) this.outbox = this.outbox.filter((o) => o.client_id !== m.client_id);
        if (m.from !== 'visitor') { this.typingUntil = 0; if (this.watching()) this.send({ type: 'read', seq: m.seq }); }
        this.over = false;
        this.came(m);
        break;
      }
      case 'ack': this.outbox = this.outbox.filter((o) => o.client_id !== f.client_id); break;
      case 'refused': {
        const item = this.outbox.find((o) => o.client_id === f.client_id);
        if (item) { item.failed = true; this.trouble = f.code === 'too_fast' ? 'slow' : f.code === 'too_long' ? 'toolong' : this.trouble; } else if (f.code === 'unavailable' || f.code === 'closed') this.trouble = 'refused';
        break;
      }
      case 'state':
        this.state = f.state;
        this.agent = f.name ?? '';
        if (f.state !== 'waiting') this.place = 0;
        this.over = false;
        break;
      case 'position': this.place = f.position; this.wait_s = f.ewt_s ?? 0; break;
      case 'typing': this.typingUntil = Date.now() + 5_000; setTimeout(this.draw, 5_100); break;
      case 'closed': this.over = true; this.state = 'closed'; this.typingUntil = 0; break;
      case 'ping': this.send({ type: 'pong' }); return;
      default: return;
    }
    this.remember();
    this.draw();
  }
}
