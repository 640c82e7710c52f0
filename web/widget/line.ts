// The line to the server: a session kept by the page, a socket that comes back, and what was written but not yet acknowledged.

import type { Login } from './talk';

interface FileShown { name: string; bytes: number; picture?: boolean }
export interface Shown { key: string; from: string; body: string; at: string; seq?: number; name?: string; client_id?: string; waiting?: boolean; failed?: string; file?: FileShown; part?: number }
interface Said { seq: number; from: string; body: string; at: string; name?: string; client_id?: string; options?: { send: string; label: string }[]; file?: FileShown }
/** `failed`: the word for why. `part`: how much of a file has gone, 0 to 1. */
interface Written { client_id: string; body: string; at: string; failed?: string; file?: FileShown; part?: number }
interface Profile { name: string; contact: string; answers?: Record<string, string> }
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
  /** The first place of the chat that is here, where there are more before it. */
  private oldest: number | null = null;
  private asking = false;
  /** Which files are taken; none when none are. */
  files: { largest: number; accept: string } | null = null;
  /** What is asked at the end; none when nothing is. */
  rating: { best: number; question: Record<string, string> } | null = null;
  rated = false;
  /** Calls can be asked for, at once or at an hour that is chosen, and what is agreed to by asking, by language. */
  callMe: { consent: Record<string, string>; now: boolean; later: boolean } | null = null;
  /** Visitors may call from the page now. */
  talkNow = false;
  trouble: Trouble | null = null;
  wasOpen = false;
  watching = (): boolean => false;
  private token: string | null = null;
  private interaction: string | null = null;
  private profile: Profile | null = null;
  private said: Said[] = [];
  private outbox: Written[] = [];
  /** The files of the outbox: they live as long as the page. */
  private blobs = new Map<string, File>();
  private going = new Map<string, XMLHttpRequest>();
  private socket: WebSocket | null = null;
  /** The connection a new one is to replace. */
  private before: WebSocket | null = null;
  private greeted = false;
  private tries = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private typingUntil = 0;
  private told = 0;

  constructor(private base: string, private site: string, private lang: string, private draw: () => void, private came: (m: Said) => void) {
    try {
      const kept = JSON.parse(sessionStorage.getItem(this.key()) ?? 'null');
      if (kept) ({ token: this.token, interaction: this.interaction, profile: this.profile, outbox: this.outbox, rated: this.rated = false, open: this.wasOpen } = kept);
      // A file that had not gone when the page was left is not here any more.
      for (const item of this.outbox) if (item.file) item.failed = 'lost';
    } catch { /* storage is forbidden: the chat lives as long as the page */ }
    addEventListener('online', () => this.hurry());
    addEventListener('visibilitychange', () => { if (!document.hidden) this.hurry(); });
  }
  private key(): string { return `ringdesk.chat.${this.site}`; }
  remember(open = this.wasOpen): void {
    this.wasOpen = open;
    if (!this.profile) return;
    try {
      sessionStorage.setItem(this.key(), JSON.stringify({ token: this.token, interaction: this.interaction, profile: this.profile, outbox: this.outbox.slice(-OUTBOX_MAX), rated: this.rated, open }));
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
      ...this.outbox.map((o) => ({ key: `o ${o.client_id} ${o.failed ?? ''}`, from: 'visitor', body: o.body, at: o.at, client_id: o.client_id, waiting: !o.failed, ...(o.failed ? { failed: o.failed } : {}), ...(o.file ? { file: o.file, part: o.part ?? 0 } : {}) })),
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
    this.rated = false;
    this.said = [];
    this.oldest = null;
    this.outbox = [];
    this.over = false;
    this.state = 'none';
    this.agent = '';
    this.remember();
    this.draw();
    this.start();
  }
  /** There is more that was said before what is here. */
  get more(): boolean { return this.oldest !== null; }
  /** Asks for it. */
  earlier(): void {
    if (this.oldest === null || this.asking || !this.greeted) return;
    this.asking = true;
    this.send({ type: 'earlier', interaction: this.interaction, before: this.oldest });
  }
  /** Says something; false when it is too long to be said. */
  say(body: string): boolean {
    if (new TextEncoder().encode(body).length > MESSAGE_MAX) { this.trouble = 'toolong'; this.draw(); return false; }
    const item: Written = { client_id: name(), body, at: new Date().toISOString() };
    this.outbox.push(item);
    this.trouble = this.greeted ? null : this.trouble;
    this.write(item);
    this.remember();
    this.draw();
    return true;
  }
  sendFile(file: File): void {
    if (!this.files || this.over) return;
    const item: Written = { client_id: name(), body: file.name, at: new Date().toISOString(), file: { name: file.name, bytes: file.size }, part: 0 };
    if (file.size > this.files.largest) item.failed = 'file_too_large';
    else if (file.size === 0) item.failed = 'file_empty';
    else this.blobs.set(item.client_id, file);
    this.outbox.push(item);
    this.write(item);
    this.remember();
    this.draw();
  }
  /** The bytes of a message's file. */
  async fetchFile(seq: number): Promise<Blob> {
    const answer = await fetch(`${this.base}/chat/v1/files/${this.interaction}/${seq}`, { headers: { authorization: `Bearer ${this.token}` }, credentials: 'omit' });
    if (!answer.ok) throw new Error(String(answer.status));
    return answer.blob();
  }
  /** Takes back what has not gone. */
  drop(client_id: string): void {
    this.going.get(client_id)?.abort();
    this.forget(client_id);
    this.remember();
    this.draw();
  }
  private forget(client_id: string): void {
    this.outbox = this.outbox.filter((o) => o.client_id !== client_id);
    this.blobs.delete(client_id);
    this.going.delete(client_id);
  }
  private upload(item: Written): void {
    const file = this.blobs.get(item.client_id);
    // Not before there is a chat to send it into.
    if (!file || item.failed || this.going.has(item.client_id) || this.state === 'none') return;
    const way = new XMLHttpRequest();
    this.going.set(item.client_id, way);
    const failed = (why: string): void => { item.failed = why; this.going.delete(item.client_id); this.remember(); this.draw(); };
    way.open('POST', `${this.base}/chat/v1/files?client_id=${item.client_id}&name=${encodeURIComponent(file.name.slice(-200))}`);
    way.setRequestHeader('authorization', `Bearer ${this.token}`);
    way.setRequestHeader('content-type', 'application/octet-stream');
    way.upload.onprogress = (event) => { if (event.lengthComputable) { item.part = event.loaded / event.total; this.draw(); } };
    way.onload = () => {
      // The message itself comes by the socket, once it is stored.
      if (way.status === 201) { item.part = 1; this.draw(); return; }
      let code = '';
      try { code = (JSON.parse(way.responseText) as { code?: string }).code ?? ''; } catch { /* not from us: a proxy's page */ }
      failed(way.status === 413 ? 'file_too_large' : code || 'unavailable');
    };
    way.onerror = () => failed('unavailable');
    way.send(file);
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
  /** Whether somebody of ours was there, so that it makes sense to ask. */
  helped(): boolean { return this.said.some((m) => m.from === 'agent'); }
  rate(score: number, comment: string): void {
    this.send({ type: 'rate', interaction: this.interaction, score, ...(comment ? { comment } : {}) });
  }
  /** `open`, `closed`, `nobody`; open when the server does not say. */
  async presence(): Promise<string> {
    try {
      const answer = await fetch(`${this.base}/chat/v1/state${this.site ? `?site=${encodeURIComponent(this.site)}` : ''}`, { credentials: 'omit' });
      if (!answer.ok) return 'open';
      const now = (await answer.json()) as { presence: string; call_me?: Line['callMe']; talk_now?: { max_min: number } };
      this.callMe = now.call_me ?? null;
      this.talkNow = now.talk_now !== undefined;
      return now.presence;
    } catch { return 'open'; }
  }
  /** Leaves words for whoever comes back first. Answers what went wrong: the empty word for nothing. */
  leave(words: { name: string; contact: string; text: string }): Promise<string> { return this.post('message', words); }
  /** The hours at which nobody is to be called yet, as instants. */
  async hours(): Promise<Date[]> {
    try {
      const answer = await fetch(`${this.base}/chat/v1/hours${this.site ? `?site=${encodeURIComponent(this.site)}` : ''}`, { credentials: 'omit' });
      return answer.ok ? ((await answer.json()) as { hours: string[] }).hours.map((at) => new Date(at)) : [];
    } catch { return []; }
  }
  /** Asks to be called. Answers as `leave`. */
  askCall(wish: { number: string; name: string; at?: string }): Promise<string> { return this.post('callback', { ...wish, consent: true }); }
  /** Asks for a login to call with; or what went wrong. */
  async askTalk(): Promise<Login | string> {
    const [wrong, login] = await this.ask('talk', { name: this.profile?.name ?? '' });
    return wrong || (login as Login);
  }
  private async post(what: string, words: object): Promise<string> { return (await this.ask(what, words))[0]; }
  /** What went wrong (the empty word for nothing), and what was answered. */
  private async ask(what: string, words: object): Promise<[string, unknown]> {
    try {
      if (!await this.known()) return ['unavailable', null];
      const answer = await fetch(`${this.base}/chat/v1/${what}`, {
        method: 'POST', credentials: 'omit', headers: { 'content-type': 'application/json', authorization: `Bearer ${this.token}` },
        body: JSON.stringify({ ...words, lang: this.lang, page: location.href.slice(0, 500) }),
      });
      if (answer.ok) return ['', await answer.json()];
      if (answer.status === 401) this.token = null;
      return [((await answer.json()) as { code?: string }).code ?? 'unavailable', null];
    } catch { return ['unavailable', null]; }
  }
  /** Gets a token where there is none; false when the server gives none just now. */
  private async known(): Promise<boolean> {
    if (this.token) return true;
    const answer = await fetch(`${this.base}/chat/v1/session`, {
      method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(this.site ? { site: this.site } : {}), credentials: 'omit',
    });
    if (answer.status === 403 || answer.status === 404) { this.trouble = 'refused'; this.draw(); return false; }
    if (!answer.ok) return false;
    this.token = ((await answer.json()) as { token: string }).token;
    this.remember();
    return true;
  }

  private write(item: Written): void {
    if (item.file) { if (this.greeted) this.upload(item); return; }
    if (this.greeted) this.send({ type: 'message', client_id: item.client_id, body: item.body });
  }
  private start(): void {
    const { name, contact, answers } = this.profile ?? { name: '', contact: '' };
    this.send({ type: 'start', name, ...(answers ? { answers } : {}), ...(contact ? { contact } : {}), lang: this.lang, page: location.href.slice(0, 500) });
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
    try {
      if (!await this.known()) { if (this.trouble !== 'refused') this.later('offline'); return; }
    } catch { return this.later('offline'); }
    this.greeted = false;
    const line = new WebSocket(`${this.base.replace(/^http/, 'ws')}/chat/v1/socket`);
    this.socket = line;
    line.onopen = () => this.send({ type: 'hello', token: this.token, since: this.said.at(-1)?.seq ?? 0, ...(this.interaction ? { interaction: this.interaction } : {}) });
    line.onmessage = (event) => { if (this.socket === line) this.take(JSON.parse(String(event.data))); };
    line.onclose = (event) => {
      if (this.socket !== line) return;
      // A file that was accepted and not stored is asked for again under its name.
      for (const [id, way] of this.going) if (way.readyState === XMLHttpRequest.DONE) this.going.delete(id);
      this.socket = null;
      this.greeted = false;
      if (event.code === 4401) { this.token = null; this.interaction = null; this.said = []; this.oldest = null; this.remember(); }
      if (event.code === 4403) { this.trouble = 'refused'; this.draw(); return; }
      this.later('offline');
    };
  }

  private take(frame: { type: string } & Record<string, never>): void {
    const f = frame as unknown as { type: string; seq: number; from: string; client_id?: string; state: string; name?: string; position: number; ewt_s?: number | null; interaction: string | null; code: string; first: number; more: boolean; files?: { largest: number; accept: string }; rating?: { best: number; question: Record<string, string> } };
    switch (f.type) {
      case 'welcome':
        this.tries = 0;
        this.asking = false;
        this.greeted = true;
        this.trouble = null;
        this.before?.close();
        this.before = null;
        // A chat that began on this page is learned of by its name now; what was said in it is here.
        if (f.interaction !== this.interaction && !this.interaction) this.interaction = f.interaction;
        if (f.interaction !== this.interaction) { this.rated = false; this.said = []; this.oldest = null; this.interaction = f.interaction; }
        this.state = f.state;
        this.files = f.files ?? null;
        this.rating = f.rating ?? null;
        this.over = f.state === 'closed';
        if (f.state === 'none') this.start();
        for (const item of this.outbox) if (!item.failed) this.write(item);
        break;
      case 'message': {
        const m = frame as unknown as Said;
        if (this.said.some((x) => x.seq === m.seq)) break;
        if (m.client_id) this.forget(m.client_id);
        const last = this.said.at(-1)?.seq ?? 0;
        this.said.push(m);
        // Of what is older a whole page comes, and is drawn once it is there.
        if (m.seq < last) { this.said.sort((a, b) => a.seq - b.seq); return; }
        if (m.from !== 'visitor') { this.typingUntil = 0; if (this.watching()) this.send({ type: 'read', seq: m.seq }); }
        this.over = false;
        this.came(m);
        break;
      }
      case 'earlier':
        // What is here and does not reach to what has just come would leave a hole.
        if (!this.asking) this.said = this.said.filter((m) => m.seq >= f.first);
        this.oldest = f.more ? f.first : null;
        this.asking = false;
        break;
      case 'ack': this.forget(f.client_id ?? ''); break;
      case 'refused': {
        const item = this.outbox.find((o) => o.client_id === f.client_id);
        if (f.code === 'rated') { this.rated = true; break; }
        if (item) { item.failed = f.code; this.trouble = f.code === 'too_fast' ? 'slow' : f.code === 'too_long' ? 'toolong' : this.trouble; } else if (f.code === 'unavailable' || f.code === 'closed') this.trouble = 'refused';
        break;
      }
      case 'state':
        this.state = f.state;
        this.agent = f.name ?? '';
        if (f.state !== 'waiting') this.place = 0;
        this.over = false;
        for (const item of this.outbox) if (item.file) this.upload(item);
        // Which chat it is is said in a welcome only: files and the rating need to know.
        if (!this.interaction && !this.before) { this.before = this.socket; void this.connect(); }
        break;
      case 'position': this.place = f.position; this.wait_s = f.ewt_s ?? 0; break;
      case 'typing': this.typingUntil = Date.now() + 5_000; setTimeout(this.draw, 5_100); break;
      case 'closed': this.over = true; this.state = 'closed'; this.typingUntil = 0; break;
      case 'rated': this.rated = true; break;
      case 'ping': this.send({ type: 'pong' }); return;
      default: return;
    }
    this.remember();
    this.draw();
  }
}

/** A name for a message that no other has. */
function name(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(12)), (b) => b.toString(16).padStart(2, '0')).join('');
}
