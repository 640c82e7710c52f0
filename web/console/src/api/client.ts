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

const noLine: Problem = { type: 'urn:ringdesk:problem:net', title: 'No connection', status: 0, code: 'net', detail: '' };

/** The answer's data, or the problem as an exception. */
export async function take<T>(asked: Promise<{ data?: T; error?: unknown; response: Response }>): Promise<T> {
  let answer;
  try { answer = await asked; } catch { throw noLine; }
  if (answer.response.ok) return answer.data as T;
  const told = answer.error as Partial<Problem> | undefined;
  throw { ...noLine, status: answer.response.status, code: 'other', ...(told?.code ? told : {}) } as Problem;
}
