/** A daemon that forecasts the last value, for tests; each request can be made to wait for something. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { ForecastBody } from '@tollama/client';

export interface FakeDaemon extends AsyncDisposable {
  readonly baseUrl: string;
  /** Requests so far. */
  readonly requests: number;
}

export const startFakeDaemon = async (
  onRequest: (count: number, body: ForecastBody) => Promise<void> | void = () => undefined,
): Promise<FakeDaemon> => {
  let requests = 0;
  const server = createServer(async (request, response) => {
    let text = '';
    for await (const part of request) text += part;
    const body = JSON.parse(text) as ForecastBody;
    await onRequest(++requests, body);
    const repeat = (value: number): number[] => new Array<number>(body.horizon).fill(value);
    const forecasts = body.series.map(({ id, target }) => ({
      id,
      freq: 'D',
      start_timestamp: '',
      mean: repeat(target.at(-1)!),
      quantiles: Object.fromEntries(
        (body.quantiles ?? []).map((level) => [String(level), repeat(target.at(-1)! + level)]),
      ),
    }));
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ model: body.model, forecasts, warnings: null, usage: {} }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { readonly port: number };
  return {
    baseUrl: `http://127.0.0.1:${port}`,
    get requests() {
      return requests;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
    },
  };
};
