/** A stand-in for a tollama daemon on a free port: scripted answers, and a record of what was asked. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Behaviour =
  | { readonly kind: 'ok' }
  /** Answers once `release` is called. */
  | { readonly kind: 'held' }
  | { readonly kind: 'status'; readonly code: number }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'rows'; readonly rows: readonly (readonly number[])[] }
  /** Reads the request, then closes without a byte. */
  | { readonly kind: 'drop' }
  /** Promises a body, sends part of it, closes. */
  | { readonly kind: 'cut' }
  | { readonly kind: 'hang' };

export interface Asked {
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  // biome-ignore lint/suspicious/noExplicitAny: bodies differ by endpoint
  readonly body: any;
}

export interface FakeUpstream extends AsyncDisposable {
  readonly url: string;
  readonly asked: Asked[];
  /** What requests get that no script is left for. */
  always: Behaviour;
  script(...behaviours: readonly Behaviour[]): void;
  release(): void;
}

const readBody = async (request: IncomingMessage): Promise<string> => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
};

const LEVELS = ['0.1', '0.5', '0.9'];

const answerText = (body: Asked['body'], behaviour: Behaviour): string => {
  if (behaviour.kind === 'text') return behaviour.text;
  const target: readonly number[] = body.series?.[0]?.target ?? body.series ?? [0];
  const horizon = body.horizon_steps ?? body.horizon ?? 1;
  const last = target.at(-1) ?? 0;
  const rows =
    behaviour.kind === 'rows'
      ? behaviour.rows
      : [-0.5, 0, 0.5].map((shift) => Array.from({ length: horizon }, () => last + shift));
  const quantiles = Object.fromEntries(LEVELS.map((level, i) => [level, rows[i]]));
  return JSON.stringify({ quantiles, meta: { upstream: 'fake' } });
};

export const openFakeUpstream = async (): Promise<FakeUpstream> => {
  const asked: Asked[] = [];
  let queue: Behaviour[] = [];
  let held: (() => void)[] = [];
  const play = (behaviour: Behaviour, body: Asked['body'], response: ServerResponse): void => {
    switch (behaviour.kind) {
      case 'status':
        response.writeHead(behaviour.code).end('{"error":"scripted"}');
        return;
      case 'drop':
        response.socket?.destroy();
        return;
      case 'cut':
        response.writeHead(200, { 'content-length': 1000 }).write('{"quantiles"', () => {
          response.socket?.destroy();
        });
        return;
      case 'hang':
        return;
      case 'held':
        held.push(() => response.end(answerText(body, { kind: 'ok' })));
        return;
      default:
        response.end(answerText(body, behaviour));
    }
  };
  const fake = { always: { kind: 'ok' } as Behaviour };
  const server = createServer(async (request, response) => {
    if (request.method === 'GET') return void response.end('{"status":"ok"}');
    const text = await readBody(request).catch(() => undefined);
    if (text === undefined) return;
    const body = JSON.parse(text);
    asked.push({ path: request.url ?? '', headers: request.headers, body });
    play(queue.shift() ?? fake.always, body, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return Object.assign(fake, {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    script: (...behaviours: readonly Behaviour[]) => {
      queue = [...behaviours];
    },
    release: () => {
      const now = held;
      held = [];
      for (const end of now) end();
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  });
};
