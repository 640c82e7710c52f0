// Telephones of the stories: a browser with a voice of its own, a page that is nothing but a phone (by JsSIP or by SIP.js), and
// baresip. Each says one tone and is asked which tone it hears.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { createRequire } from 'node:module';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SOON, browser, doing, root } from './kit.mjs';

const require = createRequire(join(root, 'web/package.json'));

/** Hz of everybody's voice: multiples of 20, none near a multiple of another. */
export const VOICES = { caller: 1820, anna: 2060, ben: 2300, chen: 2540, susan: 2780, second: 1940 };
/** How far the measured tone may be from the spoken one, Hz. */
const NEAR = 20;
/** The quietest tone that counts, dB of full scale. */
const AUDIBLE = -45;

/** A tone at -12 dB, 16 bit mono. Chromium plays a file over and over; baresip hangs up where it ends. */
function wav(path, hz, rate, seconds = 1) {
  const data = Buffer.alloc(rate * 2 * seconds);
  for (let n = 0; n < rate * seconds; n += 1) data.writeInt16LE(Math.round(8230 * Math.sin((2 * Math.PI * hz * n) / rate)), n * 2);
  const head = Buffer.alloc(44);
  head.write('RIFF', 0); head.writeUInt32LE(36 + data.length, 4); head.write('WAVEfmt ', 8); head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20); head.writeUInt16LE(1, 22); head.writeUInt32LE(rate, 24); head.writeUInt32LE(rate * 2, 28);
  head.writeUInt16LE(2, 32); head.writeUInt16LE(16, 34); head.write('data', 36); head.writeUInt32LE(data.length, 40);
  writeFileSync(path, Buffer.concat([head, data]));
  return path;
}

const scratch = mkdtempSync(join(tmpdir(), 'ringdesk-voices-'));
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }));

/** A browser whose microphone says one tone, for ever. */
export const headset = (voice, more = []) => browser([
  ...more,
  '--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream',
  `--use-file-for-fake-audio-capture=${wav(join(scratch, `${voice}.wav`), VOICES[voice], 48_000)}`,
]);

/** The loudest tone of these samples, and how loud it is in dB of full scale. */
export function loudest(samples, rate) {
  const from = samples.slice(-Math.min(samples.length, rate / 4));
  let best = { hz: 0, db: -120 };
  for (let hz = 100; hz < Math.min(3_700, rate / 2); hz += 10) {
    const turn = 2 * Math.cos((2 * Math.PI * hz) / rate);
    let [before, last] = [0, 0];
    for (const s of from) [before, last] = [last, s + turn * last - before];
    const power = last * last + before * before - turn * last * before;
    const db = 20 * Math.log10((2 * Math.sqrt(Math.max(power, 1e-9))) / from.length / 32_768 + 1e-9);
    if (db > best.db) best = { hz, db: Math.round(db) };
  }
  return best;
}

/** Waits until this voice (or, for null, nothing at all) is what `ear` hears. Answers after how many milliseconds. */
export async function hears(ear, voice) {
  doing.step = `hears ${voice ?? 'nothing'}`;
  const wanted = typeof voice === 'number' ? voice : VOICES[voice];
  const began = Date.now();
  for (let got; ;) {
    got = await ear();
    const quiet = !got || got.db < AUDIBLE;
    if (voice === null ? quiet : !quiet && Math.abs(got.hz - wanted) <= NEAR) return Date.now() - began;
    assert.ok(Date.now() - began < SOON, `${voice ?? 'silence'} (${wanted ?? '-'} Hz) was not heard, but ${JSON.stringify(got)}`);
    await new Promise((go) => { setTimeout(go, 50); });
  }
}

/**
 * Waits until exactly these voices are heard, at once: each of them, and none of the others. `music`: something else must sound.
 * What two people say together is a sum of tones; each is looked for by itself.
 */
export async function hearsOnly(ear, voices, { music = false } = {}) {
  doing.step = `hears ${voices.join(' and ') || 'none of them'}${music ? ' but music' : ''}`;
  const names = Object.keys(VOICES);
  let [got, held] = [null, 0];
  for (const until = Date.now() + SOON; ;) {
    got = await ear.levels(names.map((n) => VOICES[n]));
    const sound = got && names.filter((_, i) => got.each[i] > AUDIBLE);
    const right = sound && sound.length === voices.length && voices.every((v) => sound.includes(v)) && (!music || got.any > AUDIBLE);
    // Looked at twice: what is on its way out is not what is heard.
    held = right ? held + 1 : 0;
    if (held > 2) return;
    assert.ok(Date.now() < until, `wanted only ${voices.join(' and ') || 'none of them'}${music ? ' but music' : ''}; heard, dB: ${JSON.stringify(got && { ...Object.fromEntries(names.map((n, i) => [n, got.each[i]])), any: got.any })}`);
    await new Promise((go) => { setTimeout(go, 100); });
  }
}

/** How loud a tone is in these samples, dB of full scale; a window keeps neighbours apart. */
function level(samples, rate, wanted) {
  let best = -120;
  for (let hz = wanted - NEAR; hz <= wanted + NEAR; hz += 4) {
    let [re, im] = [0, 0];
    for (let n = 0; n < samples.length; n += 1) {
      const weight = 0.5 - 0.5 * Math.cos((2 * Math.PI * n) / samples.length);
      re += samples[n] * weight * Math.cos((2 * Math.PI * hz * n) / rate);
      im -= samples[n] * weight * Math.sin((2 * Math.PI * hz * n) / rate);
    }
    best = Math.max(best, 20 * Math.log10((4 * Math.hypot(re, im)) / samples.length / 32_768 + 1e-9));
  }
  return Math.round(best);
}

/** What a page hears on its newest connection: every stream that reaches it is measured. Install before the page is opened. */
export async function listensIn(page) {
  await page.addInitScript(() => {
    const Real = window.RTCPeerConnection;
    window.heard = [];
    window.RTCPeerConnection = class extends Real {
      constructor(...given) {
        super(...given);
        const mine = { pc: this, track: null, look: null };
        window.heard.push(mine);
        this.addEventListener('track', (e) => { mine.track = e.track; });
      }
    };
    let context = null;
    window.ear = (wanted) => {
      const mine = window.heard.findLast((h) => h.track && h.pc.connectionState === 'connected');
      if (!mine) return null;
      context ??= new AudioContext();
      if (context.state !== 'running') { void context.resume(); return wanted ? null : { hz: 0, db: -120, context: context.state }; }
      if (!mine.look) {
        mine.look = context.createAnalyser();
        mine.look.fftSize = 8192;
        mine.look.smoothingTimeConstant = 0;
        mine.source = context.createMediaStreamSource(new MediaStream([mine.track]));
        mine.source.connect(mine.look);
      }
      const bins = new Float32Array(mine.look.frequencyBinCount);
      mine.look.getFloatFrequencyData(bins);
      if (wanted) {
        const bin = (hz) => Math.round((hz * mine.look.fftSize) / context.sampleRate);
        return { each: wanted.map((hz) => Math.round(Math.max(...bins.slice(bin(hz - 20), bin(hz + 20) + 1)))), any: Math.round(Math.max(...bins.slice(2))) };
      }
      const at = bins.reduce((best, v, i) => (i > 1 && v > bins[best] ? i : best), 2);
      return { hz: Math.round((at * context.sampleRate) / mine.look.fftSize), db: Math.round(bins[at]) };
    };
    window.figures = async () => {
      const mine = window.heard.findLast((h) => h.track);
      const of = {};
      for (const r of (await mine.pc.getStats()).values()) {
        if (r.type === 'inbound-rtp') Object.assign(of, { received: r.packetsReceived, lost: r.packetsLost });
        if (r.type === 'outbound-rtp') of.sent = r.packetsSent;
        if (r.type === 'transport') Object.assign(of, { dtls: r.dtlsState, tls: r.tlsVersion, cipher: r.srtpCipher });
        if (r.type === 'codec') of.codec = r.mimeType;
      }
      return of;
    };
  });
  return Object.assign(() => page.evaluate(() => window.ear()), { levels: (wanted) => page.evaluate((hz) => window.ear(hz), wanted) });
}

let libraries;
/** JsSIP and SIP.js as one script for a page. */
async function bundled() {
  libraries ??= (async () => {
    const { build } = await import(require.resolve('vite').replace(/index\.cjs$/, 'dist/node/index.js'));
    const entry = join(root, 'web', `.phones-${process.pid}.js`);
    writeFileSync(entry, "import JsSIP from 'jssip'; import * as SIP from 'sip.js'; Object.assign(window, { JsSIP, SIP });");
    try {
      const made = await build({
        configFile: false, root: join(root, 'web'), logLevel: 'error', publicDir: false,
        build: { write: false, minify: false, reportCompressedSize: false, lib: { entry, formats: ['iife'], name: 'phones', fileName: () => 'phones.js' } },
      });
      return [made].flat()[0].output[0].code;
    } finally { rmSync(entry, { force: true }); }
  })();
  return libraries;
}

/** What runs in the page that is a phone by JsSIP. */
function byJsSip(login) {
  const { JsSIP } = window;
  const ua = new JsSIP.UA({
    sockets: [new JsSIP.WebSocketInterface(login.ws_url)], uri: login.aor, authorization_user: login.username, password: login.password,
    realm: login.realm, register: true, session_timers: false,
  });
  const said = [];
  const how = { mediaConstraints: { audio: true, video: false }, pcConfig: { iceServers: [] } };
  let session = null;
  ua.on('newRTCSession', (e) => {
    session = e.session;
    said.push(`${e.originator} call`);
    for (const event of ['progress', 'confirmed', 'ended', 'failed', 'hold', 'unhold']) session.on(event, (x) => said.push(x?.cause ? `${event} ${x.cause}` : event));
  });
  window.phone = {
    said,
    answer: () => session.answer(how),
    dial: (to) => { ua.call(to, how); },
    hangUp: () => session.terminate(),
    hold: (on) => new Promise((done) => { session[on ? 'hold' : 'unhold']({}, done); }),
    press: (digit) => session.sendDTMF(digit, { transportType: JsSIP.C.DTMF_TRANSPORT.RFC2833 }),
    refer: (to) => session.refer(to),
  };
  return new Promise((ok, failed) => {
    ua.on('registered', () => ok());
    ua.on('registrationFailed', (e) => failed(new Error(`not registered: ${e.cause}`)));
    ua.start();
  });
}

/** The same by SIP.js. */
async function bySipJs(login) {
  const { SIP } = window;
  const uri = SIP.UserAgent.makeURI(login.aor);
  const said = [];
  let session = null;
  const follow = (s) => {
    session = s;
    s.stateChange.addListener((now) => said.push({ Established: 'confirmed', Terminated: 'ended' }[now] ?? now));
  };
  const how = { sessionDescriptionHandlerOptions: { constraints: { audio: true, video: false } } };
  const ua = new SIP.UserAgent({
    uri, authorizationUsername: login.username, authorizationPassword: login.password, transportOptions: { server: login.ws_url }, logLevel: 'error',
    sessionDescriptionHandlerFactoryOptions: { peerConnectionConfiguration: { iceServers: [] } },
    delegate: { onInvite: (invitation) => { follow(invitation); said.push('remote call'); } },
  });
  await ua.start();
  window.phone = {
    said,
    answer: () => session.accept(how),
    dial: (to) => { const inviter = new SIP.Inviter(ua, SIP.UserAgent.makeURI(to), how); follow(inviter); void inviter.invite(); },
    hangUp: () => session.bye(),
    hold: (on) => new Promise((done, failed) => {
      session.invite({ sessionDescriptionHandlerOptions: { hold: on }, requestDelegate: { onAccept: () => done(), onReject: (r) => failed(new Error(String(r.message.statusCode))) }, sessionDescriptionHandlerModifiers: on ? [SIP.Web.holdModifier] : [] }).catch(failed);
    }),
    press: (digit) => session.sessionDescriptionHandler.sendDtmf(digit),
    refer: (to) => session.refer(SIP.UserAgent.makeURI(to)),
  };
  const registerer = new SIP.Registerer(ua);
  await new Promise((ok, failed) => {
    registerer.stateChange.addListener((now) => { if (now === 'Registered') ok(); });
    registerer.register({ requestDelegate: { onReject: (r) => failed(new Error(`not registered: ${r.message.statusCode}`)) } }).catch(failed);
  });
}

/** A page that is nothing but somebody's phone, with the login the console would have. */
export async function softphone(b, s, login, library) {
  const context = await b.newContext({ serviceWorkers: 'block', permissions: ['microphone'] });
  const page = await context.newPage();
  page.setDefaultTimeout(SOON);
  const ear = await listensIn(page);
  const script = await bundled();
  // Of the server's own address, and empty enough: the answer of a request.
  await page.goto(`${s.origin}/api/v1/me`);
  const credentials = await becomesPhone(page, script, s, login, library);
  return {
    page, ear, login: credentials, figures: () => page.evaluate(() => window.figures()),
    does: (what, ...given) => page.evaluate(([name, args]) => window.phone[name](...args), [what, given]),
    saw: (what) => page.waitForFunction((w) => window.phone.said.some((e) => e.startsWith(w)), what),
    sees: () => page.evaluate(() => window.phone.said),
    /** The page is loaded again, in the middle of whatever it does, and registers as it did at first. */
    reload: async () => { await page.reload(); await becomesPhone(page, script, s, login, library); },
    end: () => context.close(),
  };
}

/** Makes an empty page somebody's phone; answers with its login. */
async function becomesPhone(page, script, s, login, library) {
  await page.evaluate(script);
  await page.evaluate(() => { document.body.append(Object.assign(document.createElement('audio'), { autoplay: true })); });
  // A person has touched the page: it may make sounds.
  await page.mouse.click(10, 10);
  const credentials = await page.evaluate(async ([name, password]) => {
    const ask = (path, body, more) => fetch(`/api/v1${path}`, { method: 'POST', headers: { 'content-type': 'application/json', ...more }, ...(body ? { body: JSON.stringify(body) } : {}) });
    const me = await (await ask('/auth/login', { login: name, password })).json();
    return (await ask('/sip/credentials', null, { 'x-csrf-token': me.csrf })).json();
  }, [login, s.users[login]]);
  await page.evaluate(library === 'SIP.js' ? bySipJs : byJsSip, credentials);
  // Chromium gives a remote stream sound only where an element plays it.
  await page.evaluate(() => { setInterval(() => { const h = window.heard.findLast((x) => x.track); const a = document.querySelector('audio'); if (h && a.srcObject?.getTracks()[0] !== h.track) a.srcObject = new MediaStream([h.track]); }, 20); });
  return credentials;
}

const freePort = () => new Promise((done) => {
  const probe = createServer().listen(0, '127.0.0.1', () => { const { port } = probe.address(); probe.close(() => done(port)); });
});

// baresip takes the next port as well, for TLS, and cannot where a connection ended a moment ago: so not among those the system
// gives to connections.
const phonePort = () => 30_000 + 2 * Math.floor(Math.random() * 1_300);

/** baresip: says one tone, writes down what it hears, does what it is told. With a password it is that user's phone. */
export async function baresip(s, user, { voice = 'caller', password } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'rb'));
  const said = [];
  let told = '';
  let child;
  let line;
  let at;
  for (let tries = 12; !line; tries -= 1) {
    assert.ok(tries > 0, `baresip does not start:\n${told}`);
    const [sip, control] = [phonePort(), await freePort()];
    at = `127.0.0.1:${sip}`;
    const modules = ['/usr/lib/baresip/modules', ...(existsSync('/usr/lib') ? readdirSync('/usr/lib').map((d) => `/usr/lib/${d}/baresip/modules`) : [])].find(existsSync);
    const values = { IP: '127.0.0.1', SIP: at, CONTROL: `127.0.0.1:${control}`, RTP: '10000-11800', VOICE: wav(join(folder, 'v.wav'), VOICES[voice], 8_000, 180), FOLDER: folder, MODULES: modules };
    const config = readFileSync(join(root, 'tests/peers/baresip.config'), 'utf8').replace(/@(\w+)@/g, (_, name) => values[name]);
    const login = password ? `;auth_user=${user};auth_pass=${password};regint=60` : ';regint=0';
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'config'), config);
    writeFileSync(join(folder, 'accounts'), `<sip:${user}@${s.sip};transport=udp>${login};answermode=manual;audio_codecs=pcma/8000/1,pcmu/8000/1\n`);
    writeFileSync(join(folder, 'contacts'), '');
    child = spawn('baresip', ['-4', '-f', folder], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
    for (const out of [child.stdout, child.stderr]) out.on('data', (chunk) => { told = (told + chunk).slice(-20_000); });
    let over = false;
    child.once('exit', () => { over = true; });
    while (!line && !over) {
      line = await new Promise((done) => { const c = connect(control, '127.0.0.1', () => done(c)); c.once('error', () => done(null)); });
      if (!line) await new Promise((go) => { setTimeout(go, 50); });
    }
  }
  let rest = Buffer.alloc(0);
  line.on('error', () => {});
  line.on('data', (more) => {
    rest = Buffer.concat([rest, more]);
    for (let at; (at = rest.indexOf(':')) > 0;) {
      const size = Number(rest.subarray(0, at));
      if (rest.length < at + size + 2) return;
      const message = JSON.parse(rest.subarray(at + 1, at + 1 + size));
      rest = rest.subarray(at + size + 2);
      if (message.event) said.push(message.type);
    }
  });
  /** The last quarter second that came out of the earpiece. baresip writes as it hears; only the header comes at the end. */
  const last = () => {
    const name = readdirSync(folder).filter((f) => /^dump-.*-dec\.wav$/.test(f)).sort().at(-1);
    if (!name) return null;
    const sound = readFileSync(join(folder, name)).subarray(44);
    if (sound.length < 4_000) return null;
    const end = sound.subarray(-4_000 - (sound.length % 2));
    return Array.from({ length: 2_000 }, (_, n) => end.readInt16LE(n * 2));
  };
  const tell = (command, params = '') => { const m = JSON.stringify({ command, params, token: 't' }); line.write(`${Buffer.byteLength(m)}:${m},`); };
  const saw = async (event) => {
    doing.step = `${user}'s phone sees ${event}`;
    for (const until = Date.now() + SOON; !said.includes(event);) {
      assert.ok(Date.now() < until, `${user}'s phone: no ${event}; it saw ${said.join(' ')}\n${told}`);
      await new Promise((go) => { setTimeout(go, 20); });
    }
  };
  return {
    /** Where it is called, without a registration. */
    at,
    saw, said,
    dial: (number) => tell('dial', `sip:${number}@${s.sip}`),
    accept: async () => { await saw('CALL_INCOMING'); tell('accept'); await saw('CALL_ESTABLISHED'); },
    hangUp: () => tell('hangup'),
    press: (digit) => tell('sndcode', digit),
    ear: Object.assign(() => { const samples = last(); return samples && loudest(samples, 8_000); }, {
      levels: (wanted) => { const samples = last(); return samples && { each: wanted.map((hz) => level(samples, 8_000, hz)), any: loudest(samples, 8_000).db }; },
    }),
    end: () => new Promise((done) => { line.destroy(); child.once('exit', () => { rmSync(folder, { recursive: true, force: true }); done(); }); child.kill('SIGTERM'); if (child.exitCode !== null) done(); }),
  };
}
