/**
 * Holds exported models to their golden numbers where it counts: in Python's onnxruntime, in a virtual environment
 * that is thrown away. Every checkpoint below golden/ is exported; its example must come out as tollama computed it,
 * and where the model takes plain series, the golden cases must come out as the reference computed them.
 *
 *   node scripts/check-export.ts [--golden FOLDER] [--families a,b] [--python PROGRAM] [--precision int8]
 *
 * --python uses a Python that has onnxruntime and numpy already. Where neither that nor `python3 -m venv` with a
 * package registry is to be had, it says SKIPPED and ends well, unless --required.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { type GoldenSeries, goldenCases } from './export/golden-series.ts';
import { worstError } from './export/worst-error.ts';

const { values: options } = parseArgs({
  options: {
    golden: { type: 'string', default: resolve(import.meta.dirname, '../golden') },
    families: { type: 'string' },
    python: { type: 'string' },
    precision: { type: 'string', default: 'float32' },
    required: { type: 'boolean', default: false },
  },
});

const run = promisify(execFile);
const CLI = resolve(import.meta.dirname, '../packages/cli/bin/tollama.mjs');
/** Of the spread of a case's numbers. */
const TOLERANCE = 1e-3;
const scratch = await mkdtemp(join(tmpdir(), 'tollama-check-export-'));

const preparePython = async (): Promise<string | undefined> => {
  if (options.python) return options.python;
  try {
    const folder = join(scratch, 'venv');
    await run('python3', ['-m', 'venv', folder]);
    const python = join(folder, 'bin', 'python');
    await run(python, ['-m', 'pip', 'install', '-q', 'onnxruntime', 'numpy'], { timeout: 300_000 });
    return python;
  } catch (error) {
    console.log(`SKIPPED: no Python with onnxruntime: ${(error as Error).message.split('\n')[0]}`);
    return undefined;
  }
};

const setsBelow = async (golden: string): Promise<readonly string[]> => {
  const wanted = options.families?.split(',');
  const families = (await readdir(golden)).filter((name) => wanted?.includes(name) ?? true);
  const sets = await Promise.all(
    families.map(async (family) =>
      (await readdir(join(golden, family))).map((name) => join(family, name)),
    ),
  );
  return sets.flat().filter((set) => existsSync(join(golden, set, 'config.json')));
};

const exportSet = async (folder: string, output: string): Promise<void> => {
  const adapter = existsSync(join(folder, 'adapter_config.json')) ? ['--adapter', folder] : [];
  const args = [CLI, 'export', folder, '-o', output, '-q', '--precision', options.precision];
  await run(process.execPath, [...args, ...adapter]);
};

/** The worst error of the golden cases that the exported model answers in one pass. */
const heldToGolden = async (
  python: string,
  output: string,
  cases: readonly GoldenSeries[],
): Promise<number> => {
  let worst = 0;
  for (const [i, { name, contexts, horizon, expected }] of cases.entries()) {
    const input = join(output, `case-${i}.json`);
    await writeFile(input, JSON.stringify(contexts));
    const args = [join(output, 'client.py'), '--input', input, '--horizon', String(horizon)];
    const { stdout } = await run(python, args, { maxBuffer: 2 ** 27 });
    const answer = JSON.parse(stdout) as { levels: number[]; values: number[][][] };
    const error = worstError(answer, expected);
    if (error > TOLERANCE) console.log(`  ${name}: ${error.toExponential(1)}`);
    worst = Math.max(worst, error);
  }
  return worst;
};

const check = async (python: string, set: string): Promise<boolean> => {
  const folder = join(options.golden, set);
  const output = join(scratch, set);
  await exportSet(folder, output);
  const model = JSON.parse(await readFile(join(output, 'model.json'), 'utf8')) as {
    feeding?: unknown;
    example?: unknown;
  };
  const isExact = options.precision === 'float32';
  let verdict = 'no example: the checkpoint wants covariates';
  if (model.example) {
    await run(python, [join(output, 'client.py'), '--tolerance', isExact ? '1e-3' : '0.05']);
    verdict = 'example ok';
  }
  if (!model.feeding || !isExact) {
    console.log(`${set.padEnd(32)} ${verdict}`);
    return true;
  }
  const cases = await goldenCases(folder);
  const worst = await heldToGolden(python, output, cases);
  const isGood = worst <= TOLERANCE;
  const shown =
    cases.length === 0 ? '' : `, ${cases.length} golden cases: ${worst.toExponential(1)}`;
  console.log(`${set.padEnd(32)} ${verdict}${shown}${isGood ? '' : '  FAILED'}`);
  return isGood;
};

const checkAll = async (): Promise<void> => {
  const python = await preparePython();
  if (!python) {
    if (options.required) process.exitCode = 1;
    return;
  }
  let failed = 0;
  const sets = await setsBelow(options.golden);
  for (const set of sets) {
    const isGood = await check(python, set).catch((error: Error) => {
      console.log(`${set.padEnd(32)} FAILED: ${error.message}`);
      return false;
    });
    if (!isGood) failed++;
  }
  console.log(`${sets.length - failed} of ${sets.length} exported models hold in Python`);
  if (failed > 0) process.exitCode = 1;
};

try {
  await checkAll();
} finally {
  await rm(scratch, { recursive: true, force: true });
}
