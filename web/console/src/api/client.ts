// Requests, typed from the server's own description (schema.d.ts is generated: `npm run types`).

import createClient, { type Middleware } from 'openapi-fetch';
import type { components, paths } from './schema';

export type Problem = components['schemas']['Problem'];
export type Me = components['schemas']['Me'];

let csrf: string | null = null;
let signedOut: () => void = () => {};
/** Who is to be told that the session is over. */
export const onSignedOut = (tell: () => void): void => { signedOut = tell; };

export function setSession(me: Me | null): void {
  csrf = me?.csrf ?? null;
}

const session: Middleware = {
  onRequest({ request }) {
    if (csrf && request.method !== 'GET') request.headers.set('x-csrf-token', csrf);
    return request;
  },
  onResponse({ response, request }) {
    if (response.status === 401 && !request.url.endsWith('/auth/login') && !request.url.endsWith('/api/v1/me')) signedOut();
    return response;
  },
};

export const api = createClient<paths>({ baseUrl: location.origin });
api.use(session);

/** Sends a file as it is; `part` is told how much of it has gone, 0 to 1. */
export function sendFile(path: string, file: File, part: (gone: number) => void): Promise<void> {
  return new Promise((done, failed) => {
    const way = new XMLHttpRequest();
    way.open('POST', path);
    way.setRequestHeader('content-type', 'application/octet-stream');
    if (csrf) way.setRequestHeader('x-csrf-token', csrf);
    way.upload.onprogress = (event) => { if (event.lengthComputable) part(event.loaded / event.total); };
    way.onerror = () => failed(noLine);
    way.onload = () => {
      if (way.status < 300) return done();
      if (way.status === 401) signedOut();
      let told: Partial<Problem> = {};
      try { told = JSON.parse(way.responseText) as Partial<Problem>; } catch { /* not from us: a proxy's page */ }
      failed({ ...noLine, status: way.status, code: way.status === 413 ? 'file_too_large' : 'other', ...told } as Problem);
    };
    way.send(file);
  });
}

const noLine: Problem = { type: 'urn:ringdesk:problem:net', title: 'No connection', status: 0, code: 'net', detail: '' };

/** The answer's data, or the problem as an exception. */
export async function take<T>(asked: Promise<{ data?: T; error?: unknown; response: Response }>): Promise<T> {
  let answer;
  try { answer = await asked; } catch { throw noLine; }
  if (answer.response.ok) return answer.data as T;
  const told = answer.error as Partial<Problem> | undefined;
  throw { ...noLine, status: answer.response.status, code: 'other', ...(told?.code ? told : {}) } as Problem;
}
