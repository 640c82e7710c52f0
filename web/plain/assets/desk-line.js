// The desk's line to the server: requests with the session's token, and the event socket that comes back by itself.

import { backoff, serverTime } from './ui.js';

let csrf = null;

/** Asks the server. Throws {status, code, ...problem}; the page shows words for the code. */
export async function ask(method, path, body) {
  let answer;
  try {
    answer = await fetch(`/api/v1${path}`, {
      method,
      headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...(csrf && { 'x-csrf-token': csrf }) },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch {
    throw { status: 0, code: 'net' };
  }
  const json = answer.headers.get('content-type')?.includes('json') ? await answer.json() : null;
  if (!answer.ok) throw json ?? { status: answer.status, code: 'other' };
  if (json?.csrf) csrf = json.csrf;
  return json;
}

/** The event socket. `on(event)` gets every frame; `status(up, waitMs)` whether it is there. */
export function listen(on, status) {
  let socket = null;
  let since = null;
  let tries = 0;
  let over = false;
  let heard = Date.now();
  let timer = null;
  const connect = () => {
    clearTimeout(timer);
    if (over) return;
    const line = new WebSocket(`${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/api/v1/events${since ? `?since=${since}` : ''}`);
    socket = line;
    line.onmessage = (message) => {
      if (socket !== line) return;
      heard = Date.now();
      const event = JSON.parse(message.data);
      if (event.type === 'hello') { serverTime(event.server_now); tries = 0; status(true, 0); }
      if (event.type === 'ping') { serverTime(event.now); line.send('{"type":"pong"}'); return; }
      if (event.type === 'fact' || event.type === 'snapshot') since = Math.max(event.type === 'snapshot' && event.reset ? 0 : since ?? 0, event.seq);
      if (event.type === 'signed_out') over = true;
      on(event);
    };
    line.onclose = async () => {
      if (socket !== line || over) return;
      socket = null;
      // A refused handshake does not say why: ask whether we are still signed in.
      try { await ask('GET', '/me'); } catch (problem) { if (problem.status === 401) { over = true; on({ type: 'signed_out' }); return; } }
      const wait = backoff(tries++);
      status(false, wait);
      timer = setTimeout(connect, wait);
    };
  };
  // A line that says nothing for two pings is dead, whatever the browser believes.
  const watch = setInterval(() => { if (socket && Date.now() - heard > 40000) { heard = Date.now(); socket.close(); } }, 5000);
  addEventListener('online', () => { if (!socket) { tries = 0; connect(); } });
  connect();
  return () => { over = true; clearTimeout(timer); clearInterval(watch); socket?.close(); };
}
