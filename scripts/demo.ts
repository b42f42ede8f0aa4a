/**
 * The demo: real series from a package, their end held out, forecast by the real command line through a
 * real daemon, drawn, and held against seasonal naive. Then a neural model with random weights, to show
 * that the whole way works without a download. Everything it starts, it stops.
 */
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const root = join(import.meta.dirname, '..');
const cli = join(root, 'packages/cli/bin/tollama.mjs');
const datasets = join(root, 'node_modules/vega-datasets/data');

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer();
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' && address ? address.port : 0;
      server.close(() => resolve(port));
    });
  });

const folder = mkdtempSync(join(tmpdir(), 'tollama-demo-'));
const port = await freePort();
const url = `http://127.0.0.1:${port}`;
const env = { ...process.env, TOLLAMA_HOME: join(folder, 'home'), TOLLAMA_LOG_LEVEL: 'error' };
const daemon = spawn(process.execPath, [cli, 'serve', '--port', String(port)], {
  env,
  stdio: 'inherit',
});
let hasExited = false;
const exited = new Promise((resolve) => daemon.once('exit', resolve)).then(() => {
  hasExited = true;
});

/** Prints a command as a user would type it, and runs it. */
const tollama = (...args: string[]): void => {
  const shown = args.map((arg) => arg.replace(`${folder}/`, '').replace(`${root}/`, ''));
  console.log(`$ tollama ${shown.join(' ')}`);
  execFileSync(process.execPath, [cli, ...args, '--base-url', url], {
    env,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
};

const untilHealthy = async (): Promise<void> => {
  for (let tries = 0; tries < 1000 && !hasExited; tries++) {
    const isHealthy = await fetch(`${url}/v1/health`).then(
      ({ ok }) => ok,
      () => false,
    );
    if (isHealthy) return;
    await sleep(10);
  }
  throw new Error('the daemon did not start');
};

/** The last `rows` rows of a CSV file of the package. */
const tail = (name: string, rows: number): string => {
  const [header, ...lines] = readFileSync(join(datasets, name), 'utf8').trim().split('\n');
  const path = join(folder, name);
  writeFileSync(path, `${[header, ...lines.slice(-rows)].join('\n')}\n`);
  return path;
};

const section = (title: string): void => console.log(`\n${title}\n${'─'.repeat(title.length)}`);

const show = async (): Promise<void> => {
  await untilHealthy();
  section('Monthly CO2 at Mauna Loa: the last three years held out');
  tollama(
    'run',
    '--input',
    tail('co2-concentration.csv', 240),
    '--target-col',
    'CO2',
    '--horizon',
    '36',
    '--holdout',
    '--quiet',
  );
  section('Daily maximum temperature in Seattle: the last eight weeks held out');
  tollama(
    'run',
    '--input',
    tail('seattle-weather.csv', 730),
    '--target-col',
    'temp_max',
    '--horizon',
    '56',
    '--holdout',
    '--quiet',
  );
  section('A foundation model from its own files (random weights here: no download, so no skill)');
  tollama(
    'create',
    'bolt-tiny-random',
    '--random',
    '--config',
    join(root, 'bench/configs/chronos-bolt-tiny.json'),
    '--quiet',
  );
  tollama(
    'run',
    'bolt-tiny-random',
    '--input',
    join(folder, 'co2-concentration.csv'),
    '--target-col',
    'CO2',
    '--horizon',
    '24',
    '--output',
    join(folder, 'forecast.csv'),
  );
  tollama('ps');
  console.log(
    '\nWith a network: tollama pull chronos-bolt-small && tollama run chronos-bolt-small --input data.csv',
  );
};

const stop = async (): Promise<void> => {
  if (!hasExited) daemon.kill('SIGTERM');
  await exited;
  rmSync(folder, { recursive: true, force: true });
};

try {
  await show();
} catch (error) {
  console.error(`the demo failed: ${(error as Error).message}`);
  process.exitCode = 1;
} finally {
  await stop();
}
