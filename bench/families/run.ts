/**
 * Measures every family beside its Python package: same random checkpoint of the published size, same machine,
 * one sitting a family in which the sides take turns. Prints a table and appends JSON lines.
 *
 *   node bench/families/run.ts --rig FOLDER --environments FOLDER --sources FOLDER --checkpoints FOLDER
 *     [--families a,b] [--rounds 3] [--seconds 5] [--batch 32] [--threads 2] [--int8-over 20] [--lines FILE]
 *     [--table FILE]
 *
 * --table makes the table of a file of JSON lines again, the newest sitting of each family, and measures nothing.
 */
import { appendFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { FAMILIES, type FamilyCase } from './families.ts';
import {
  ensureCheckpoint,
  type Measurement,
  machineLoad,
  measureOurs,
  measureTheirs,
  missingFor,
  type Places,
} from './sides.ts';
import { best, type Sitting, tableOf } from './table.ts';

const { values } = parseArgs({
  options: {
    rig: { type: 'string', default: '' },
    environments: { type: 'string', default: '' },
    sources: { type: 'string', default: '' },
    checkpoints: { type: 'string', default: '' },
    families: { type: 'string' },
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '5' },
    batch: { type: 'string', default: '32' },
    threads: { type: 'string', default: '2' },
    'int8-over': { type: 'string', default: '20' },
    lines: { type: 'string', default: join(tmpdir(), 'tollama-bench-families.jsonl') },
    table: { type: 'string' },
  },
});

const settings = {
  threads: Number(values.threads),
  batch: Number(values.batch),
  seconds: Number(values.seconds),
};

const chosen = (names: string | undefined): readonly FamilyCase[] => {
  if (names === undefined) return FAMILIES;
  return names.split(',').map((name) => {
    const found = FAMILIES.find(({ family, config }) => name === family || name === config);
    if (!found) {
      const known = FAMILIES.map(({ family }) => family).join(', ');
      throw new Error(`--families: '${name}' is none of ${known}`);
    }
    return found;
  });
};

/** Both sides of one family, in turns. */
const sit = async (places: Places, one: FamilyCase): Promise<Sitting> => {
  await ensureCheckpoint(places, one);
  const theirs: Measurement[] = [];
  const ours: Record<string, Measurement[]> = {};
  const loads = [await machineLoad()];
  for (let round = 0; round < Number(values.rounds); round++) {
    const reference = await measureTheirs(places, one, settings);
    theirs.push(reference);
    const millions = Number(reference.line.parameters) / 1e6;
    const precisions = millions > Number(values['int8-over']) ? ['float32', 'int8'] : ['float32'];
    for (const precision of precisions) {
      ours[precision] ??= [];
      ours[precision].push(await measureOurs(places, one, settings, precision));
    }
    loads.push(await machineLoad());
  }
  const sitting = {
    of: one,
    millions: Number(theirs[0]!.line.parameters) / 1e6,
    theirs: best(theirs),
    ours: Object.fromEntries(Object.entries(ours).map(([name, rounds]) => [name, best(rounds)])),
  };
  const record = { at: new Date().toISOString(), ...sitting, loads, rounds: { theirs, ours } };
  await appendFile(values.lines, `${JSON.stringify(record)}\n`);
  return sitting;
};

/** The newest sitting of each family, in the order of the list. */
const readSittings = async (file: string): Promise<readonly Sitting[]> => {
  const lines = (await readFile(file, 'utf8')).trim().split('\n');
  const newest = new Map<string, Sitting>();
  for (const line of lines) {
    const sitting = JSON.parse(line) as Sitting;
    newest.set(sitting.of.config, sitting);
  }
  return FAMILIES.flatMap(({ config }) => newest.get(config) ?? []);
};

const measure = async (): Promise<readonly Sitting[]> => {
  const { rig, environments, sources, checkpoints } = values;
  const cache = await mkdtemp(join(tmpdir(), 'tollama-bench-'));
  const places = { rig, environments, sources, checkpoints, cache };
  const sittings: Sitting[] = [];
  try {
    for (const one of chosen(values.families)) {
      const missing = missingFor(places, one);
      if (missing) {
        console.error(`SKIPPED: ${one.family}: nothing at ${missing}`);
        continue;
      }
      const sitting = await sit(places, one);
      sittings.push(sitting);
      console.error(tableOf([sitting]).split('\n').slice(2).join('\n'));
    }
  } finally {
    await rm(cache, { recursive: true, force: true });
  }
  return sittings;
};

const sittings = values.table === undefined ? await measure() : await readSittings(values.table);
if (sittings.length > 0) console.log(tableOf(sittings));
