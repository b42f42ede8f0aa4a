/** One measurement of one side, in a process of its own. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import type { FamilyCase } from './families.ts';

/** Where the reference and the checkpoints lie; nothing of it is part of the repository. */
export interface Places {
  /** Folder with bench.py, write.py and configs/. */
  readonly rig: string;
  /** Folder with an environment of Python for each group. */
  readonly environments: string;
  /** Folder with the sources of the references that no registry has. */
  readonly sources: string;
  /** Folder of the checkpoints; those that are missing are made. */
  readonly checkpoints: string;
  /** Folder where our graph files are kept, as a daemon keeps them. */
  readonly cache: string;
}

export interface Settings {
  readonly threads: number;
  readonly batch: number;
  /** Seconds of each timed series of calls. */
  readonly seconds: number;
}

/** The fields that both sides print. */
export interface Measurement {
  /** Milliseconds until a forecast can be asked for. */
  readonly load: number;
  /** Milliseconds of the first forecast, all before it included. */
  readonly start: number;
  /** Median milliseconds of one series. */
  readonly b1: number;
  /** Series a second of the batch. */
  readonly throughput: number;
  /** Resident megabytes after forecasts of one series. */
  readonly memory: number;
  /** Millions of parameters, or of megabytes of weights where the side knows no parameters. */
  readonly line: Readonly<Record<string, unknown>>;
}

const lastLine = async (
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<Readonly<Record<string, unknown>>> => {
  const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let [output, errors] = ['', ''];
  child.stdout.on('data', (chunk) => (output += chunk));
  child.stderr.on('data', (chunk) => (errors += chunk));
  const code = await new Promise((done, fail) => child.on('error', fail).on('close', done));
  if (code !== 0) throw new Error(`${command} ${args.join(' ')}\n${errors.slice(-2000)}`);
  return JSON.parse(output.trim().split('\n').at(-1)!);
};

const pythonOf = (places: Places, { environment }: FamilyCase): string =>
  join(places.environments, environment, 'bin', 'python');

const pythonEnv = (places: Places, { sources = [] }: FamilyCase): NodeJS.ProcessEnv => ({
  ...process.env,
  PYTHONPATH: sources.map((source) => join(places.sources, source)).join(delimiter),
});

const folderOf = (places: Places, { config }: FamilyCase): string =>
  join(places.checkpoints, config);

/** Says what is missing to measure a family; undefined where all is there. */
export const missingFor = (places: Places, one: FamilyCase): string | undefined =>
  [join(places.rig, 'bench.py'), pythonOf(places, one)].find((path) => !existsSync(path));

/** Random weights of the published size, made once by the reference itself. */
export const ensureCheckpoint = async (places: Places, one: FamilyCase): Promise<void> => {
  const folder = folderOf(places, one);
  if (existsSync(join(folder, 'model.safetensors'))) return;
  const config = join(places.rig, 'configs', one.config);
  const args = [join(places.rig, 'write.py'), '--config', config, '--output', folder];
  await lastLine(pythonOf(places, one), args, pythonEnv(places, one));
};

const common = (places: Places, one: FamilyCase, settings: Settings): string[] => [
  ...['--model', folderOf(places, one)],
  ...['--threads', String(settings.threads)],
  ...['--batch', String(one.batch ?? settings.batch)],
  ...['--seconds', String(settings.seconds)],
];

const number = (line: Readonly<Record<string, unknown>>, field: string): number => {
  const value = line[field];
  if (typeof value !== 'number') throw new Error(`a measurement without ${field}`);
  return value;
};

/** The interpreter's own start, some 20 ms, is not in the Python figures. */
export const measureTheirs = async (
  places: Places,
  one: FamilyCase,
  settings: Settings,
): Promise<Measurement> => {
  const more = one.reference ?? [];
  const args = [join(places.rig, 'bench.py'), '--family', one.family];
  const line = await lastLine(
    pythonOf(places, one),
    [...args, ...common(places, one, settings), ...more],
    pythonEnv(places, one),
  );
  const load = 1000 * (number(line, 'import_s') + number(line, 'load_s'));
  return {
    load,
    start: load + number(line, 'first_ms'),
    b1: number(line, 'b1_ms'),
    throughput: number(line, 'batch_series_per_s'),
    memory: number(line, 'rss_mb'),
    line,
  };
};

export const measureOurs = async (
  places: Places,
  one: FamilyCase,
  settings: Settings,
  precision: string,
): Promise<Measurement> => {
  const args = [join(import.meta.dirname, '..', 'ours.ts'), ...common(places, one, settings)];
  const asked = [
    ...['--precision', precision, '--cache', join(places.cache, one.config)],
    ...['--options', JSON.stringify(one.options ?? {})],
    ...(one.quantiles === false ? ['--mean'] : []),
  ];
  // What type stripping gave is kept, as the programs of the product keep it.
  const compiled = process.env.NODE_COMPILE_CACHE ?? join(tmpdir(), 'tollama-bench-compiled');
  const env = { ...process.env, NODE_COMPILE_CACHE: compiled };
  const line = await lastLine(process.execPath, [...args, ...asked], env);
  const [start, first] = [number(line, 'start_to_first_ms'), number(line, 'first_ms')];
  return {
    load: start - first,
    start,
    b1: number(line, 'b1_ms'),
    throughput: number(line, 'batch_series_per_s'),
    memory: number(line, 'rss_mb'),
    line,
  };
};

/** Load averages of the machine, where it tells them. */
export const machineLoad = async (): Promise<string> =>
  (await readFile('/proc/loadavg', 'utf8').catch(() => '')).split(' ').slice(0, 3).join(' ');
