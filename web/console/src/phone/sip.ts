// The phone by JsSIP. A chunk of its own: whoever works with a desk phone never loads it.

import { C, UA, WebSocketInterface } from 'jssip';
import type { IceCandidateEvent, PeerConnectionEvent, RTCSession } from 'jssip/lib/RTCSession';
import type { IncomingRTCSessionEvent, UAConfiguration } from 'jssip/lib/UA';
import { api, take } from '../api/client';
import { remember } from '../lib/prefs';
import { allowed, listen, microphone, secure, whyNot } from './devices';
import type { Line, Phone, Quality, Report, Tell, Trouble } from './phone';
import { meter, type Meter } from './sound';

/** Ask for the next login when so much of the present one has passed. */
const RENEW_AT = 0.7;
/** A registration is told again after this, when anything at all wakes the page, ms: timers of hidden pages sleep. */
const REFRESH_MS = 50_000;
/** How often the figures of a call are read, ms. */
const FIGURES_MS = 2_000;

interface Call { session: RTCSession; line: Line; ear: HTMLAudioElement; level: Meter | null; mouth: MediaStream | null }

class JsSipPhone implements Phone {
  private ua: UA | null = null;
  private socket: WebSocketInterface | null = null;
  private calls = new Map<string, Call>();
  private report: Report = { registered: false, trouble: null, lines: [], quality: null, silenced: false };
  private closed = false;
  private renew: ReturnType<typeof setTimeout> | undefined;
  private figures: ReturnType<typeof setInterval> | undefined;
  private told = 0;
  private plugged = (): void => { void this.look(); };
  private grant: PermissionStatus | null = null;

  constructor(private tell: Tell) {
    void this.open();
  }

  private say(change: Partial<Report>): void {
    this.report = { ...this.report, ...change, lines: [...this.calls.values()].map((c) => c.line) };
    if (!this.closed) this.tell(this.report);
  }

  private async login() {
    const login = await take(api.POST('/api/v1/sip/credentials'));
    clearTimeout(this.renew);
    this.renew = setTimeout(() => void this.again(), login.expires_in_s * 1000 * RENEW_AT);
    return login;
  }

  private async open(): Promise<void> {
    if (!secure()) return this.say({ trouble: 'insecure' });
    // Asked for now, not when the first caller waits; given back at once, so that no lamp burns for nothing.
    const mouth = await listen();
    if (this.closed) return;
    navigator.mediaDevices.addEventListener('devicechange', this.plugged);
    // Somebody takes the microphone away from the page while nobody calls: that is known now, not when the next caller waits.
    this.grant ??= await navigator.permissions.query({ name: 'microphone' as PermissionName }).catch(() => null);
    this.grant?.addEventListener('change', this.plugged);
    if (this.closed) return;
    if (typeof mouth === 'string') return this.say({ trouble: mouth });
    for (const track of mouth.getTracks()) track.stop();
    try {
      const login = await this.login();
      if (this.closed) return;
      this.socket = new WebSocketInterface(login.ws_url);
      const config: UAConfiguration = {
        sockets: this.socket, uri: login.aor, authorization_user: login.username, password: login.password,
        realm: login.realm, register: true, connection_recovery_min_interval: 1, connection_recovery_max_interval: 8,
      };
      const ua = new UA(config);
      this.ua = ua;
      ua.on('registered', () => { this.told = Date.now(); this.say({ registered: true, trouble: null }); });
      ua.on('unregistered', () => this.say({ registered: false }));
      ua.on('disconnected', () => this.say({ registered: false, trouble: 'line' }));
      ua.on('registrationFailed', () => { this.say({ registered: false, trouble: 'login' }); if (!this.closed) this.renew = setTimeout(() => void this.again(), 5_000); });
      ua.on('newRTCSession', (event: IncomingRTCSessionEvent) => { if (event.originator === 'remote') this.rings(event); });
      ua.start();
    } catch {
      this.say({ trouble: 'login' });
      if (!this.closed) this.renew = setTimeout(() => void this.open(), 5_000);
    }
  }

  /** Another login for the same registration. */
  private async again(): Promise<void> {
    if (this.closed || !this.ua) return;
    try {
      const login = await this.login();
      this.ua.set('authorization_user', login.username);
      this.ua.set('password', login.password);
      this.ua.register();
    } catch { if (!this.closed) this.renew = setTimeout(() => void this.again(), 5_000); }
  }

  /** Something was plugged in or pulled out: without a microphone nobody is to be put through to this page. */
  private async look(): Promise<void> {
    const found = await navigator.mediaDevices.enumerateDevices();
    const gone = !found.some((d) => d.kind === 'audioinput');
    const denied = this.grant?.state === 'denied';
    if (denied && this.report.trouble !== 'refused') {
      this.ua?.unregister();
      this.say({ trouble: 'refused' });
    } else if (gone && this.report.trouble !== 'no_microphone') {
      this.ua?.unregister();
      this.say({ trouble: 'no_microphone' });
    } else if (gone || denied) {
      return;
    } else if (this.report.trouble && (await allowed())) {
      if (this.ua) this.ua.register(); else await this.open();
    }
  }

  private rings({ session, request }: IncomingRTCSessionEvent): void {
    const mark = (name: string): string | null => request.getHeader(name) ?? null;
    const line: Line = {
      id: session.id, interaction: mark('X-CC-Call-Id'), offer: mark('X-CC-Offer-Id'), state: 'ringing', muted: false, resumed: mark('X-CC-Reattach') !== null,
    };
    // The line of a contact that comes back takes the place of the one that was lost.
    for (const other of this.calls.values()) if (line.resumed && other.line.interaction === line.interaction) this.drop(other.line.id);
    const ear = document.createElement('audio');
    ear.autoplay = true;
    this.calls.set(line.id, { session, line, ear, level: null, mouth: null });
    session.on('peerconnection', ({ peerconnection }: PeerConnectionEvent) => {
      peerconnection.addEventListener('track', (event: RTCTrackEvent) => {
        ear.srcObject = event.streams[0] ?? new MediaStream([event.track]);
        void this.play(ear);
      });
    });
    // The server is reached at the address it names; what else the browser finds is not worth waiting for.
    session.on('icecandidate', (event: IceCandidateEvent) => event.ready());
    session.on('confirmed', () => this.change(line.id, { state: 'up' }));
    session.on('accepted', () => this.change(line.id, { state: 'up' }));
    session.on('getusermediafailed', (error: unknown) => this.say({ trouble: whyNot(error) }));
    session.on('ended', () => this.drop(line.id));
    session.on('failed', () => this.drop(line.id));
    this.say({});
    // A leg this agent has asked for: a number dialled, a contact that comes back, a colleague's call to listen to.
    if (!line.offer || mark('X-CC-Auto-Answer') !== null) this.answer(line.id);
  }

  private change(id: string, change: Partial<Line>): void {
    const call = this.calls.get(id);
    if (!call) return;
    call.line = { ...call.line, ...change };
    this.figures ??= setInterval(() => void this.count(), FIGURES_MS);
    this.say({});
  }

  private drop(id: string): void {
    const call = this.calls.get(id);
    if (!call) return;
    this.calls.delete(id);
    call.level?.stop();
    call.ear.srcObject = null;
    for (const track of call.mouth?.getTracks() ?? []) track.stop();
    if (!call.session.isEnded()) { try { call.session.terminate(); } catch { /* ended in this very moment */ } }
    if (this.calls.size === 0) { clearInterval(this.figures); this.figures = undefined; }
    this.say(this.calls.size === 0 ? { quality: null, silenced: false } : {});
  }

  private async play(ear: HTMLAudioElement): Promise<void> {
    const speaker = remember('speaker');
    if (speaker) await ear.setSinkId?.(speaker).catch(() => {});
    try { await ear.play(); this.say({ silenced: false }); } catch (error) {
      if (error instanceof DOMException && error.name === 'NotAllowedError') this.say({ silenced: true });
    }
  }

  answer(id: string): void {
    const call = this.calls.get(id);
    if (!call || call.line.state !== 'ringing') return;
    this.change(id, { state: 'answering' });
    void (async () => {
      const mouth = await listen();
      if (typeof mouth === 'string') {
        this.say({ trouble: mouth as Trouble });
        call.session.terminate({ status_code: 480 });
        return;
      }
      if (!this.calls.has(id)) { for (const track of mouth.getTracks()) track.stop(); return; }
      call.mouth = mouth;
      this.minds(id, mouth);
      // Of its own: it is to see who speaks while they are muted.
      call.level = meter(mouth.clone());
      call.session.answer({ mediaStream: mouth, pcConfig: { iceServers: [] } });
    })();
  }

  /** The microphone of a call ends, or is muted by the system: the agent is told at once, and so is the server, which offers nothing. */
  private minds(id: string, mouth: MediaStream): void {
    const [track] = mouth.getAudioTracks();
    if (!track) return;
    const ours = (): boolean => this.calls.get(id)?.mouth === mouth;
    track.addEventListener('ended', () => { if (ours()) { this.ua?.unregister(); this.say({ trouble: 'mic_ended' }); } });
    track.addEventListener('mute', () => { if (ours()) this.say({ trouble: 'mic_muted' }); });
    track.addEventListener('unmute', () => { if (ours() && this.report.trouble === 'mic_muted') this.say({ trouble: null }); });
    if (this.report.trouble === 'mic_ended') { this.ua?.register(); this.say({ trouble: null }); }
  }

  hangUp(id: string): void {
    const call = this.calls.get(id);
    if (call && !call.session.isEnded()) call.session.terminate(call.line.state === 'ringing' ? { status_code: 603 } : undefined);
  }

  mute(id: string, on: boolean): void {
    const call = this.calls.get(id);
    if (!call) return;
    if (on) call.session.mute({ audio: true }); else call.session.unmute({ audio: true });
    this.change(id, { muted: on });
  }

  press(id: string, digits: string): void {
    const clean = digits.replace(/[^0-9A-D*#]/gi, '');
    if (clean) this.calls.get(id)?.session.sendDTMF(clean, { transportType: C.DTMF_TRANSPORT.RFC2833 });
  }

  devices(): void {
    for (const call of this.calls.values()) {
      void call.ear.setSinkId?.(remember('speaker') ?? '').catch(() => {});
      void (async () => {
        const next = await navigator.mediaDevices.getUserMedia({ audio: microphone() }).catch(() => null);
        const [track] = next?.getAudioTracks() ?? [];
        const sender = call.session.connection?.getSenders().find((s) => s.track?.kind === 'audio');
        if (!next || !track || !sender) return;
        track.enabled = !call.line.muted;
        await sender.replaceTrack(track);
        for (const old of call.mouth?.getTracks() ?? []) old.stop();
        call.level?.stop();
        call.mouth = next;
        this.minds(call.line.id, next);
        call.level = meter(next.clone());
      })();
    }
  }

  unsilence(): void {
    for (const call of this.calls.values()) void this.play(call.ear);
  }

  refresh(): void {
    if (this.report.registered && Date.now() - this.told > REFRESH_MS) { this.told = Date.now(); this.ua?.register(); }
  }

  level(): number {
    return Math.max(0, ...[...this.calls.values()].map((c) => c.level?.level() ?? 0));
  }

  private async count(): Promise<void> {
    const call = [...this.calls.values()].find((c) => c.line.state === 'up');
    const stats = await call?.session.connection?.getStats().catch(() => null);
    if (!stats) return;
    const q = { rtt_ms: 0, jitter_ms: 0, lost: 0 };
    stats.forEach((s) => {
      if (s.type === 'inbound-rtp' && s.kind === 'audio') {
        q.jitter_ms = Math.round(1000 * (s.jitter ?? 0));
        q.lost = (s.packetsLost ?? 0) / Math.max(1, (s.packetsReceived ?? 0) + (s.packetsLost ?? 0));
      }
      if (s.type === 'candidate-pair' && s.nominated) q.rtt_ms = Math.round(1000 * (s.currentRoundTripTime ?? 0));
    });
    this.say({ quality: { ...q, grade: grade(q) } });
  }

  close(leave: boolean): void {
    this.closed = true;
    if (leave) this.socket?.disconnect();
    clearTimeout(this.renew);
    clearInterval(this.figures);
    navigator.mediaDevices?.removeEventListener('devicechange', this.plugged);
    this.grant?.removeEventListener('change', this.plugged);
    for (const id of [...this.calls.keys()]) this.drop(id);
    this.ua?.stop();
  }
}

/** ITU-T G.114 calls 150 ms one way unnoticed and 400 ms too much; a twentieth of the packets lost is heard by everybody. */
function grade(q: Omit<Quality, 'grade'>): Quality['grade'] {
  if (q.rtt_ms > 400 || q.lost > 0.05 || q.jitter_ms > 60) return 'poor';
  return q.rtt_ms > 200 || q.lost > 0.01 || q.jitter_ms > 30 ? 'fair' : 'good';
}

export const open = (tell: Tell): Phone => new JsSipPhone(tell);
