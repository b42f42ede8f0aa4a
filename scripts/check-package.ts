/**
 * Packs, installs into a fresh prefix without a network, and uses what was installed: help, a model without weights,
 * a checkpoint of Chronos-Bolt. The same from the archive with its own Node. Compiles programs in TypeScript against
 * its types, and runs the examples. Prints sizes and times.
 *
 *   node scripts/check-package.ts [--packed FOLDER] [--node PROGRAM]
 *
 * --packed takes the output of an earlier `scripts/pack.ts`; --node runs the installed command by another Node.
 */
import { execFile, spawn } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs, promisify } from 'node:util';
import { checkTypes } from './packaging/check-types.ts';
import { folderBytes } from './packaging/packages.ts';

const { values: options } = parseArgs({
  options: { packed: { type: 'string' }, node: { type: 'string', default: process.execPath } },
});

const run = promisify(execFile);
const ROOT = resolve(import.meta.dirname, '..');
const LIMIT_MS = 120_000;
const HORIZON = 24;
const scratch = await mkdtemp(join(tmpdir(), 'tollama-check-package-'));

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;

const freePort = (): Promise<number> =>
  new Promise((found) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => found(typeof address === 'object' && address ? address.port : 0));
    });
  });

const untilHealthy = async (url: string): Promise<void> => {
  for (let tries = 0; tries < 600; tries++) {
    const isHealthy = await fetch(`${url}/v1/health`).then(
      ({ ok }) => ok,
      () => false,
    );
    if (isHealthy) return;
    await sleep(100);
  }
  throw new Error(`the daemon at ${url} did not start`);
};

/** A command and its daemon in a home of its own, away from the repository, so that nothing of it is found by chance. */
const commandOf = async (name: string, argv: readonly string[]) => {
  const home = join(scratch, `home-${name}`);
  await mkdir(home);
  const env = {
    PATH: process.env.PATH,
    HOME: home,
    TOLLAMA_HOME: join(home, 'state'),
    TOLLAMA_HOST: `127.0.0.1:${await freePort()}`,
    NO_COLOR: '1',
  };
  const [program, ...before] = argv;
  const command = async (...args: string[]): Promise<string> => {
    const { stdout } = await run(program!, [...before, ...args], {
      cwd: home,
      env,
      timeout: LIMIT_MS,
      maxBuffer: 2 ** 26,
    });
    return stdout;
  };
  const daemon = spawn(program!, [...before, 'serve'], { cwd: home, env, stdio: 'ignore' });
  return {
    command,
    url: `http://${env.TOLLAMA_HOST}`,
    [Symbol.dispose]: () => void daemon.kill(),
  };
};

type Command = Awaited<ReturnType<typeof commandOf>>['command'];

const sampleFile = async (): Promise<string> => {
  const path = join(scratch, 'series.csv');
  const rows = Array.from(
    { length: 120 },
    (_, i) => `${new Date(Date.UTC(2024, 0, 1, i)).toISOString()},${10 + 3 * Math.sin(i / 4)}`,
  );
  await writeFile(path, `timestamp,value\n${rows.join('\n')}\n`);
  return path;
};

/** The mean of the first series of a forecast. */
const forecast = async (command: Command, model: string, input: string): Promise<number[]> => {
  const output = join(scratch, `${model}-${Math.random()}.json`);
  await command(
    'run',
    model,
    '-i',
    input,
    '--target-col',
    'value',
    '-h',
    String(HORIZON),
    '-o',
    output,
    '-q',
  );
  const written = JSON.parse(await readFile(output, 'utf8')) as {
    forecasts?: readonly { mean: number[] }[];
  };
  const mean = written.forecasts?.[0]?.mean ?? [];
  if (mean.length !== HORIZON || !mean.every(Number.isFinite)) {
    throw new Error(`${model} gave ${JSON.stringify(written).slice(0, 200)}`);
  }
  return mean;
};

/** Uses a command as a newcomer would. */
const use = async (
  name: string,
  argv: readonly string[],
  input: string,
  alsoUse?: (url: string) => Promise<void>,
): Promise<number[]> => {
  using started = await commandOf(name, argv);
  const { command, url } = started;
  await untilHealthy(url);
  const before = performance.now();
  const help = await command('--help');
  const firstMs = performance.now() - before;
  if (!help.includes('serve')) throw new Error(`${name}: the help is ${help.slice(0, 200)}`);
  const again = performance.now();
  await command('--version');
  const versionMs = performance.now() - again;
  await forecast(command, 'auto', input);
  const config = join(ROOT, 'bench/configs/chronos-bolt-tiny.json');
  await command('create', 'bolt', '--random', '--config', config, '-q');
  const mean = await forecast(command, 'bolt', input);
  await alsoUse?.(url);
  console.log(
    `${name}: first --help ${firstMs.toFixed(0)} ms, --version ${versionMs.toFixed(0)} ms, auto and a checkpoint forecast`,
  );
  return mean;
};

const installed = async (packed: string): Promise<string> => {
  const prefix = join(scratch, 'prefix');
  const tarballs = (await readdir(packed)).filter((name) => name.endsWith('.tgz'));
  const here = `-${process.platform}-${process.arch}-`;
  const wanted = tarballs.filter((name) => !name.includes('-runtime-') || name.includes(here));
  const args = ['install', '--global', '--offline', '--no-audit', '--no-fund', '--prefix', prefix];
  await run(
    'npm',
    [...args, '--cache', join(scratch, 'cache'), ...wanted.map((name) => `./${name}`)],
    {
      cwd: packed,
    },
  );
  const modules = join(prefix, 'lib/node_modules');
  console.log(`installed: ${megabytes(await folderBytes(modules))}`);
  return modules;
};

/** Types that hold, and examples that run as they are, where Node reads TypeScript. */
const useFromTypeScript = async (modules: string, url: string): Promise<void> => {
  const examples = await checkTypes(modules, join(scratch, 'project'), options.node);
  const { stdout: reads } = await run(options.node, ['-p', 'process.features.typescript']);
  if (reads.trim() !== 'strip') {
    return console.log('types hold; this Node does not read TypeScript, the examples did not run');
  }
  const env = { ...process.env, TOLLAMA_BASE_URL: url };
  for (const path of examples) await run(options.node, [path], { env, timeout: LIMIT_MS });
  console.log(`types hold, and ${examples.length} examples in TypeScript ran`);
};

const check = async (): Promise<void> => {
  const packed = resolve(options.packed ?? join(scratch, 'packed'));
  if (!options.packed) {
    await run(process.execPath, [join(ROOT, 'scripts/pack.ts'), '--output', packed], {
      maxBuffer: 2 ** 24,
    });
  }
  const input = await sampleFile();
  const modules = await installed(packed);
  const program = join(modules, 'tollama/bin/tollama.mjs');
  const fromNpm = await use('npm', [options.node, program], input, (url) =>
    useFromTypeScript(modules, url),
  );
  const folder = (await readdir(packed)).find((name) => /^tollama-[\d.]+-\w+-\w+$/.test(name));
  if (!folder) throw new Error(`no archive's folder in ${packed}`);
  console.log(`archive: ${megabytes(await folderBytes(join(packed, folder)))}`);
  const fromArchive = await use('archive', [join(packed, folder, 'bin/tollama')], input);
  const difference = Math.max(...fromNpm.map((value, i) => Math.abs(value - fromArchive[i]!)));
  if (difference > 1e-4) throw new Error(`npm and archive differ by ${difference}`);
  console.log('ok: both forecast the same');
};

try {
  await check();
} finally {
  await rm(scratch, { recursive: true, force: true });
}
