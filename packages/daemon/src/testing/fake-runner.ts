/** A runner that behaves as it is told: for tests of the supervisor. argv: a folder for notes, a protocol. */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const [, , notes = '.', protocol = '1'] = process.argv;

interface Request {
  readonly id: string;
  readonly method: string;
  readonly params: { readonly do?: string; readonly value?: unknown };
}

const print = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

const answer = (id: string, result: unknown): void => print(JSON.stringify({ id, result }));

const give = ({ id, params }: Request): void =>
  answer(id, { value: params.value, pid: process.pid });

const ORDERS: Readonly<Record<string, (request: Request) => void>> = {
  crash: () => process.exit(3),
  'crash once': (request) => {
    const mark = join(notes, 'crashed');
    if (existsSync(mark)) give(request);
    else {
      writeFileSync(mark, '');
      process.exit(4);
    }
  },
  hang: () => {},
  fail: ({ id }) => print(JSON.stringify({ id, error: { code: 'X', message: 'asked to fail' } })),
  noise: (request) => {
    print('a library prints\n{not json\n[1,2]\n\n{"id":"someone else","result":1}');
    give(request);
  },
  twice: (request) => {
    give(request);
    answer(request.id, { value: 'again' });
  },
  shout: (request) => {
    process.stderr.write('x'.repeat(2_000_000));
    give(request);
  },
};

createInterface({ input: process.stdin }).on('line', (line) => {
  const request = JSON.parse(line) as Request;
  if (request.method === 'hello') {
    answer(request.id, {
      name: 'fake',
      version: '0',
      protocol: Number(protocol),
      capabilities: ['ping'],
    });
  } else if (request.method === 'ping') answer(request.id, { ok: true });
  else (ORDERS[request.params.do ?? ''] ?? give)(request);
});
