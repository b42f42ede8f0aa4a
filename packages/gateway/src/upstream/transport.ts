/**
 * One HTTP exchange over pooled keep-alive connections, with a limit for each of its phases: waiting for a
 * connection, connecting, writing, reading.
 */
import { Agent, type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest, Agent as SecureAgent } from 'node:https';
import type { Socket } from 'node:net';
import { errorMessage } from '@tollama/core/errors';
import { schemaFailure, UpstreamFailure } from './failure.ts';

export interface PoolSettings {
  readonly maxConnections: number;
  readonly maxKeepAlive: number;
  readonly keepAliveExpiryMs: number;
}

export interface PhaseLimits {
  readonly poolMs: number;
  readonly connectMs: number;
  readonly writeMs: number;
  readonly readMs: number;
  /** For all phases together. */
  readonly totalMs: number;
}

export interface Exchange {
  readonly url: URL;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly limits: PhaseLimits;
}

export interface Answered {
  readonly status: number;
  readonly text: string;
}

const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

type Phase = 'Pool' | 'Connect' | 'Write' | 'Read';

const timeoutFailure = (phase: Phase, ms: number): UpstreamFailure =>
  new UpstreamFailure('RUNTIME_TIMEOUT', `${phase}Timeout`, `no progress within ${ms} ms`, {
    isTransient: true,
  });

const networkFailure = (phase: Phase, cause: unknown): UpstreamFailure => {
  const kind = phase === 'Connect' || phase === 'Pool' ? 'ConnectError' : 'RemoteProtocolError';
  return new UpstreamFailure('RUNTIME_NETWORK', kind, errorMessage(cause), {
    isTransient: true,
    cause,
  });
};

/** Arms one timer at a time, the shorter of the phase's limit and what is left of the whole. */
class PhaseTimer {
  readonly #limits: PhaseLimits;
  readonly #onTimeout: (failure: UpstreamFailure) => void;
  readonly #endsAt: number;
  #timer: NodeJS.Timeout | undefined;
  phase: Phase = 'Pool';

  constructor(limits: PhaseLimits, onTimeout: (failure: UpstreamFailure) => void) {
    this.#limits = limits;
    this.#onTimeout = onTimeout;
    this.#endsAt = performance.now() + limits.totalMs;
    this.enter('Pool', limits.poolMs);
  }

  enter(phase: Phase, ms: number): void {
    this.phase = phase;
    clearTimeout(this.#timer);
    const limit = Math.max(0, Math.min(ms, this.#endsAt - performance.now()));
    this.#timer = setTimeout(
      () => this.#onTimeout(timeoutFailure(phase, Math.round(limit))),
      limit,
    );
  }

  connecting(): void {
    this.enter('Connect', this.#limits.connectMs);
  }

  writing(): void {
    this.enter('Write', this.#limits.writeMs);
  }

  reading(): void {
    this.enter('Read', this.#limits.readMs);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}

const readBody = (
  response: IncomingMessage,
  done: (text: string) => void,
  fail: (error: unknown) => void,
): void => {
  const chunks: Buffer[] = [];
  let size = 0;
  response.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size > MAX_ANSWER_BYTES) {
      fail(schemaFailure('TooLarge', `the answer is larger than ${MAX_ANSWER_BYTES} bytes`));
    } else chunks.push(chunk);
  });
  response.on('end', () => done(Buffer.concat(chunks, size).toString('utf8')));
  response.on('error', fail);
};

const watchSocket = (request: ClientRequest, timer: PhaseTimer): void => {
  const onWritten = (): void => timer.reading();
  const onReady = (): void => {
    timer.writing();
    if (request.writableFinished) onWritten();
    else request.once('finish', onWritten);
  };
  request.once('socket', (socket: Socket) => {
    if (!socket.connecting) return onReady();
    timer.connecting();
    socket.once('connect', onReady);
  });
};

export class Transport implements Disposable {
  readonly #agent: Agent;
  readonly #isSecure: boolean;

  constructor(isSecure: boolean, pool: PoolSettings) {
    this.#isSecure = isSecure;
    const options = {
      keepAlive: true,
      maxSockets: pool.maxConnections,
      maxFreeSockets: pool.maxKeepAlive,
      timeout: pool.keepAliveExpiryMs,
      noDelay: true,
    };
    this.#agent = isSecure ? new SecureAgent(options) : new Agent(options);
  }

  /** Posts the body. Throws UpstreamFailure for everything but an answer, whatever its status. */
  post({ url, body, headers, limits }: Exchange): Promise<Answered> {
    return new Promise((resolve, reject) => {
      const send = this.#isSecure ? httpsRequest : httpRequest;
      const request = send(url, {
        method: 'POST',
        agent: this.#agent,
        headers: { ...headers, 'content-length': String(Buffer.byteLength(body)) },
      });
      const fail = (thrown: unknown): void => {
        timer.stop();
        request.destroy();
        const isKnown = thrown instanceof UpstreamFailure;
        reject(isKnown ? thrown : networkFailure(timer.phase, thrown));
      };
      const timer = new PhaseTimer(limits, fail);
      watchSocket(request, timer);
      request.once('response', (response) => {
        const done = (text: string): void => {
          timer.stop();
          resolve({ status: response.statusCode ?? 0, text });
        };
        readBody(response, done, fail);
      });
      request.once('upgrade', (response, socket) => {
        socket.destroy();
        fail(schemaFailure('ProtocolError', `status ${response.statusCode} where a body is due`));
      });
      request.on('error', fail);
      request.end(body);
    });
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }
}
