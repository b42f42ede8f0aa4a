/** A daemon process and runners with faults: no forecast is wrong, nobody else is hurt, nothing is left over. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { residentBytes } from '../../packages/daemon/src/runner/resident-memory.ts';
import {
  childrenOf,
  type DaemonProcess,
  isAlive,
  startDaemonProcess,
  stopDaemon,
  until,
} from './daemon-process.ts';

const PROGRAM = join(import.meta.dirname, 'faulty-runner.ts');
const FAULTS = [
  'garbage',
  'garbage only',
  'mute',
  'silent',
  'twice',
  'other id',
  'swapped',
  'short',
  'no numbers',
  'no forecast',
  'memory',
  'exits',
  'exits at once',
  'killed',
] as const;
type Fault = (typeof FAULTS)[number];
const nameOf = (fault: string): string => fault.replaceAll(' ', '-');

let folder: string;
let daemon: DaemonProcess;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tollama-runners-'));
  const home = join(folder, 'home');
  await mkdir(home);
  const models = [...FAULTS, 'sound'].map(nameOf);
  const command = (name: string): readonly string[] => [
    process.execPath,
    PROGRAM,
    name.replaceAll('-', ' '),
  ];
  const runner_commands = Object.fromEntries(models.map((name) => [name, command(name)]));
  await writeFile(join(home, 'config.json'), JSON.stringify({ daemon: { runner_commands } }));
  const registry = models.map(
    (name) =>
      `  - {name: ${name}, family: ${name}, source: {type: local, repo_id: x/${name}, revision: main}, license: {type: mit, needs_acceptance: false}}`,
  );
  await writeFile(join(folder, 'registry.yaml'), `models:\n${registry.join('\n')}\n`);
  daemon = await startDaemonProcess({
    env: {
      TOLLAMA_HOME: home,
      TOLLAMA_MODEL_REGISTRY_PATH: join(folder, 'registry.yaml'),
      TOLLAMA_RUNNER_MEMORY_MB: '400',
    },
  });
  for (const model of models)
    expect(await daemon.call('POST', '/api/pull', { model, stream: false })).toMatchObject({
      status: 200,
    });
});
afterAll(async () => {
  const pid = daemon.process.pid!;
  const runners = process.platform === 'linux' ? await childrenOf(pid) : [];
  await stopDaemon(daemon);
  for (const runner of runners) await until(async () => !(await isAlive(runner)));
  await rm(folder, { recursive: true, force: true });
});

let next = 0;
/** A forecast of a series like no other; on success its values are checked. */
const ask = async (fault: Fault | 'sound', timeout = 20) => {
  const value = ++next;
  const series = [
    { id: `s${value}`, freq: 'D', timestamps: ['2024-01-01', '2024-01-02'], target: [0, value] },
  ];
  const body = { model: nameOf(fault), horizon: 3, series, timeout };
  const answer = await daemon.call('POST', '/v1/forecast', body);
  if (answer.status !== 200) return answer;
  expect(answer.body).toMatchObject({
    forecasts: [{ id: `s${value}`, mean: [value, value, value] }],
  });
  return answer;
};

// The daemon is well after each of them, and so are the other runners.
afterEach(async () => {
  expect(await ask('sound')).toMatchObject({ status: 200 });
  expect(await daemon.call('GET', '/v1/health')).toMatchObject({ status: 200 });
});

const detail = (pattern: RegExp) => ({ detail: expect.stringMatching(pattern) });

describe('a runner that', () => {
  test.each(['garbage', 'twice', 'other id'] as const)(
    '%s: the right answer all the same',
    async (fault) => {
      const answers = await Promise.all(Array.from({ length: 8 }, () => ask(fault)));
      expect(answers.map(({ status }) => status)).toEqual(Array(8).fill(200));
    },
  );

  test.each(['short', 'no numbers', 'no forecast', 'swapped'] as const)(
    '%s: 502, and never as a forecast',
    async (fault) => {
      const answers = await Promise.all(Array.from({ length: 4 }, () => ask(fault)));
      for (const answer of answers)
        expect(answer).toMatchObject({
          status: 502,
          body: detail(/did not answer with a forecast/),
        });
    },
  );

  test.each(['silent', 'mute', 'garbage only'] as const)(
    '%s: 503 when the time is over, once and for all',
    async (fault) => {
      expect(await ask(fault, 1)).toMatchObject({
        status: 503,
        body: detail(/took longer|not ready/),
      });
    },
  );

  test.each(['exits', 'killed'] as const)('%s: tried once more, then refused', async (fault) => {
    expect(await ask(fault)).toMatchObject({ status: 503, body: detail(/ended its runner twice/) });
  });

  test('exits at once: 503', async () => {
    const answers = await Promise.all(Array.from({ length: 4 }, () => ask('exits at once')));
    for (const answer of answers)
      expect(answer).toMatchObject({ status: 503, body: detail(/exited with code 0/) });
  });

  test.runIf(process.platform === 'linux')(
    'eats memory: ended at its limit, and the client is told both figures',
    async () => {
      expect(await ask('memory')).toMatchObject({
        status: 503,
        body: detail(/took \d+ MB of memory, TOLLAMA_RUNNER_MEMORY_MB allows 400/),
      });
    },
  );
});

test.runIf(process.platform === 'linux')(
  'the daemon itself kept its size and its children',
  async () => {
    const pid = daemon.process.pid!;
    expect(await residentBytes(pid)).toBeLessThan(400e6);
    const { body } = await daemon.call('GET', '/api/info');
    const { runners } = body as { runners: { pid: number | null }[] };
    const known = runners.flatMap((runner) => runner.pid ?? []);
    const starting = await Promise.all(
      (await childrenOf(pid))
        .filter((child) => !known.includes(child))
        .map((child) => readFile(`/proc/${child}/cmdline`, 'utf8').catch(() => '')),
    );
    // Those that never said hello are given half a minute.
    expect(starting.filter((command) => !/mute|garbage only|^$/.test(command))).toEqual([]);
  },
);
