// The visitor's call by JsSIP. A script of its own: whoever only writes never loads it.

import { C, UA, WebSocketInterface } from 'jssip';
import type { EndEvent, IceCandidateEvent, PeerConnectionEvent } from 'jssip/lib/RTCSession';

/** `POST /chat/v1/talk`. */
export interface Login { aor: string; username: string; password: string; realm: string; target: string; path: string; max_min: number }
export type Stage = 'ringing' | 'up' | 'over';
/** `why`, of a call that never was: what to say about it. */
export type Tell = (stage: Stage, why?: 'busy' | 'lost' | 'unavailable') => void;
export interface Call { hangUp: () => void; mute: (on: boolean) => void; press: (key: string) => void }

declare global { interface Window { ringdeskTalk?: (base: string, login: Login, mouth: MediaStream, tell: Tell) => Call } }

/** A line that does not come within this is given up, ms. */
const LOST_MS = 8_000;

window.ringdeskTalk = (base, login, mouth, tell) => {
  const ear = document.createElement('audio');
  ear.autoplay = true;
  const ua = new UA({
    sockets: new WebSocketInterface(base.replace(/^http/, 'ws') + login.path),
    uri: login.aor, authorization_user: login.username, password: login.password, realm: login.realm, register: false,
  });
  let session: ReturnType<UA['call']> | null = null;
  let lost: ReturnType<typeof setTimeout> | undefined;
  let over = false;
  const end = (why?: 'busy' | 'lost' | 'unavailable'): void => {
    if (over) return;
    over = true;
    clearTimeout(lost);
    ear.srcObject = null;
    for (const track of mouth.getTracks()) track.stop();
    if (session && !session.isEnded()) { try { session.terminate(); } catch { /* ended in this very moment */ } }
    // It says good-bye first, and then the line goes.
    ua.stop();
    tell('over', why);
  };
  const begin = (): void => {
    session = ua.call(login.target, {
      mediaStream: mouth,
      mediaConstraints: { audio: true, video: false },
      pcConfig: { iceServers: [] },
      eventHandlers: {
        peerconnection: ({ peerconnection }: PeerConnectionEvent) => {
          peerconnection.addEventListener('track', (event: RTCTrackEvent) => {
            ear.srcObject = event.streams[0] ?? new MediaStream([event.track]);
            // The visitor has just clicked: no browser keeps this silent.
            void ear.play().catch(() => {});
          });
        },
        // The server is reached at the address it names; what else the browser finds is not worth waiting for.
        icecandidate: (event: IceCandidateEvent) => event.ready(),
        progress: () => { if (!over) tell('ringing'); },
        accepted: () => { if (!over) tell('up'); },
        ended: () => end(),
        failed: ({ cause }: EndEvent) => end(cause === C.causes.BUSY ? 'busy' : cause === C.causes.CANCELED ? undefined : 'unavailable'),
      },
    });
  };
  ua.on('connected', () => {
    clearTimeout(lost);
    lost = undefined;
    if (!session && !over) begin();
  });
  // The server ends a call with the line it came by: another line knows nothing of it.
  ua.on('disconnected', () => { if (session) end('lost'); else if (!over) lost ??= setTimeout(() => end('lost'), LOST_MS); });
  ua.start();
  return {
    hangUp: () => end(),
    mute: (on) => { if (on) session?.mute({ audio: true }); else session?.unmute({ audio: true }); },
    press: (key) => { if (session?.isEstablished()) session.sendDTMF(key, { transportType: C.DTMF_TRANSPORT.RFC2833 }); },
  };
};
