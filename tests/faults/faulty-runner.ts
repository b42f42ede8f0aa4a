/** A runner with one fault, named by its argument. What it answers in order is the last value, repeated. */
import { createInterface } from 'node:readline';

const [, , fault = ''] = process.argv;

interface Request {
  readonly id: string;
  readonly method: string;
  readonly params: {
    readonly model: string;
    readonly horizon: number;
    readonly series: readonly {
      id: string;
      freq: string;
      timestamps: string[];
      target: number[];
    }[];
  };
}

const print = (value: unknown): boolean => process.stdout.write(`${JSON.stringify(value)}\n`);

const forecast = ({ params }: Request, value?: number): unknown => ({
  model: params.model,
  forecasts: params.series.map(({ id, freq, timestamps, target }) => ({
    id,
    freq,
    start_timestamp: timestamps.at(-1),
    mean: Array.from({ length: params.horizon }, () => value ?? target.at(-1)),
  })),
});

const right = (request: Request): void => {
  print({ id: request.id, result: forecast(request) });
};

const kept: Buffer[] = [];
const eatMemory = (): void => {
  kept.push(Buffer.alloc(20_000_000, 1));
  setImmediate(eatMemory);
};

const garbage = (): Buffer => Buffer.from(Array.from({ length: 4096 }, () => Math.random() * 256));

let waiting: Request | undefined;

const FORECASTS: Readonly<Record<string, (request: Request) => void>> = {
  garbage(request) {
    process.stdout.write(garbage());
    process.stdout.write('\n{"id": "1", "resu\n[]\nnull\n{}\n{"id": 7, "result": 1}\n');
    right(request);
    process.stdout.write(garbage());
    process.stdout.write('\n');
  },
  silent: () => {},
  twice(request) {
    right(request);
    print({ id: request.id, result: forecast(request, 666) });
  },
  'other id'(request) {
    print({ id: `${request.id}1`, result: forecast(request, 666) });
    print({ id: 'unknown', result: forecast(request, 666) });
    right(request);
  },
  // Two that wait get each other's answers.
  swapped(request) {
    if (!waiting) {
      waiting = request;
      return;
    }
    print({ id: request.id, result: forecast(waiting) });
    print({ id: waiting.id, result: forecast(request) });
    waiting = undefined;
  },
  short: (request) =>
    print({
      id: request.id,
      result: forecast({ ...request, params: { ...request.params, horizon: 1 } }),
    }),
  'no numbers'(request) {
    const result = JSON.stringify(forecast(request)).replace(/"mean":\[[^\]]*/g, '"mean":[null,1');
    process.stdout.write(`{"id":"${request.id}","result":${result}}\n`);
  },
  'no forecast': ({ id }) => print({ id, result: { ok: true } }),
  memory: eatMemory,
  exits: () => process.exit(0),
  killed: () => process.kill(process.pid, 'SIGSEGV'),
};

if (fault === 'exits at once') process.exit(0);
if (fault === 'garbage only') {
  const shout = (): void => {
    if (process.stdout.write(garbage().fill(1))) setImmediate(shout);
    else process.stdout.once('drain', shout);
  };
  shout();
}
createInterface({ input: process.stdin }).on('line', (line) => {
  const request = JSON.parse(line) as Request;
  if (fault === 'mute' || fault === 'garbage only') return;
  if (request.method === 'hello')
    print({ id: request.id, result: { name: fault, version: '0', capabilities: ['forecast'] } });
  else if (request.method === 'forecast') (FORECASTS[fault] ?? right)(request);
  else print({ id: request.id, error: { code: -32601, message: 'unknown' } });
});
