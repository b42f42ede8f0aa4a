/** Clients of a chaos run: they ask without pause and hold every answer to what was promised. */
import { Agent, request as httpRequest } from 'node:http';

export interface Tally {
  requests: number;
  /** Neither a valid forecast nor a typed error. */
  invalid: number;
  late: number;
  slowestMs: number;
  readonly byOutcome: Map<string, number>;
  firstInvalid: string | undefined;
}

export interface LoadOptions {
  readonly url: string;
  readonly clients: number;
  readonly limitMs: number;
  readonly isOver: () => boolean;
}

const POINTS = 64;

/** Half of the requests repeat one of a few markets, the others are new. */
const bodyOf = (index: number): string => {
  const isRepeat = index % 2 === 0;
  const market = isRepeat ? `m-${index % 200}` : `n-${index}`;
  const y = Array.from(
    { length: POINTS },
    (_, i) => 0.4 + 0.01 * ((i + (isRepeat ? 0 : index)) % 7),
  );
  return JSON.stringify({ market_id: market, as_of_ts: '2026-02-20T12:00:00Z', y });
};

interface Reply {
  readonly status: number;
  readonly text: string;
}

const post = (url: string, agent: Agent, body: string): Promise<Reply> =>
  new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'content-length': body.length };
    const sent = httpRequest(`${url}/tsfm/forecast`, { method: 'POST', agent, headers }, (got) => {
      const chunks: Buffer[] = [];
      got.on('data', (chunk: Buffer) => chunks.push(chunk));
      got.on('end', () => {
        resolve({ status: got.statusCode ?? 0, text: Buffer.concat(chunks).toString() });
      });
      got.on('error', reject);
    });
    sent.on('error', reject);
    sent.end(body);
  });

interface Forecast {
  readonly yhat_q?: Readonly<Record<string, readonly number[]>>;
  readonly meta?: {
    readonly runtime: string;
    readonly cache_state: string;
    readonly failure_code?: string;
  };
  readonly failure_code?: string;
}

const isSafe = ({ yhat_q: rows }: Forecast): boolean => {
  const [low, middle, high] = ['0.1', '0.5', '0.9'].map((level) => rows?.[level] ?? []);
  return (
    low!.length === 12 &&
    low!.every((a, i) => 0 <= a && a <= middle![i]! && middle![i]! <= high![i]! && high![i]! <= 1)
  );
};

/** A word for the outcome; undefined when it is none that was promised. */
const outcomeOf = ({ status, text }: Reply): string | undefined => {
  const body = JSON.parse(text) as Forecast;
  if (status !== 200) return body.failure_code && `error ${body.failure_code}`;
  if (!isSafe(body)) return undefined;
  const { runtime, cache_state, failure_code } = body.meta!;
  return failure_code ?? (cache_state === 'miss' ? runtime : cache_state);
};

const client = async (options: LoadOptions, tally: Tally, agent: Agent): Promise<void> => {
  while (!options.isOver()) {
    const body = bodyOf(tally.requests++);
    const asked = performance.now();
    const reply = await post(options.url, agent, body).catch((error) => ({
      status: 0,
      text: JSON.stringify(String(error)),
    }));
    const ms = performance.now() - asked;
    const outcome = outcomeOf(reply);
    if (outcome === undefined) {
      tally.invalid++;
      tally.firstInvalid ??= `${reply.status} ${reply.text.slice(0, 300)}`;
    } else tally.byOutcome.set(outcome, (tally.byOutcome.get(outcome) ?? 0) + 1);
    if (ms > options.limitMs) tally.late++;
    tally.slowestMs = Math.max(tally.slowestMs, ms);
  }
};

export const newTally = (): Tally => ({
  requests: 0,
  invalid: 0,
  late: 0,
  slowestMs: 0,
  byOutcome: new Map(),
  firstInvalid: undefined,
});

export const runLoad = async (options: LoadOptions, tally: Tally): Promise<void> => {
  const agent = new Agent({ keepAlive: true, maxSockets: options.clients });
  await Promise.all(Array.from({ length: options.clients }, () => client(options, tally, agent)));
  agent.destroy();
};
