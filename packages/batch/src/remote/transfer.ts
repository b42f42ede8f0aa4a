/** Bytes over HTTP as they are: a server that stalls is left, and what may pass is tried again. */
import { type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { errorMessage, TollamaError } from '@tollama/core/errors';
import type { Patience } from './patience.ts';

export interface HttpRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

const MOST_REDIRECTS = 5;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** The answer once its headers are here; bodies come as they were stored, whatever their encoding. */
export const openAnswer = (
  { url, headers }: HttpRequest,
  { idleMs }: Patience,
  signal: AbortSignal,
): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    const request = url.startsWith('https:') ? requestHttps : requestHttp;
    const outgoing = request(url, { headers, signal, timeout: idleMs });
    outgoing.on('timeout', () =>
      outgoing.destroy(new Error(`the server was silent for ${idleMs / 1000} s`)),
    );
    outgoing.on('error', reject);
    outgoing.on('response', resolve);
    outgoing.end();
  });

/** Follows redirects; for addresses without credentials only. */
export const openFollowing = async (
  asked: HttpRequest,
  patience: Patience,
  signal: AbortSignal,
): Promise<IncomingMessage> => {
  let { url } = asked;
  for (let hop = 0; ; hop++) {
    const answer = await openAnswer({ ...asked, url }, patience, signal);
    const { location } = answer.headers;
    if (!REDIRECTS.has(answer.statusCode!) || location === undefined) return answer;
    answer.destroy();
    if (hop === MOST_REDIRECTS) {
      throw new TollamaError('INVALID_INPUT', `${asked.url} leads on and on, at last to ${url}`);
    }
    url = new URL(location, url).href;
  }
};

/** A short body whole. */
export const bodyText = async (answer: IncomingMessage): Promise<string> => {
  const parts: Buffer[] = [];
  for await (const part of answer) parts.push(part as Buffer);
  return Buffer.concat(parts).toString('utf8');
};

/** Whether the same request may succeed later: the server is too busy or broken at the moment. */
export const isPassingStatus = (status: number): boolean =>
  status >= 500 || status === 429 || status === 408;

/**
 * Tries again after failures of the connection and of a server that is too busy.
 *
 * @throws TollamaError PULL_FAILED that names `what` when no try went through
 */
export const trying = async <T>(
  what: string,
  attempt: () => Promise<T>,
  { patience, signal }: { readonly patience: Patience; readonly signal: AbortSignal },
): Promise<T> => {
  for (let tries = 1; ; tries++) {
    try {
      return await attempt();
    } catch (cause) {
      signal.throwIfAborted();
      if (cause instanceof TollamaError) throw cause;
      if (tries >= patience.attempts) {
        const code = (cause as { readonly code?: unknown }).code;
        const reason = errorMessage(cause) || String(code);
        throw new TollamaError('PULL_FAILED', `${what}: ${reason} (tried ${tries} times)`, {
          hint: 'check the address and the network; the same command goes on with what is here',
          cause,
        });
      }
      await sleep(patience.pauseMs * 2 ** (tries - 1), undefined, { signal }).catch(
        () => undefined,
      );
    }
  }
};
