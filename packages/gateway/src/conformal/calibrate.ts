/** Fits the conformal state from forecasts whose outcome is known: lines of the sink, or of any other source. */
import { readdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { errorMessage, TollamaError } from '@tollama/core/errors';
import { z } from 'zod';
import { isSealed, parquetOf } from '../observe/sealed-journal.ts';
import { segmentCandidates } from '../route/segments.ts';
import {
  type Adjustment,
  applyAdjustment,
  type Band,
  coverageOf,
  fitAdjustment,
} from './adjustment.ts';

const Segments = {
  category: z.string().nullish(),
  liquidity_bucket: z.string().nullish(),
  tte_bucket: z.string().nullish(),
};

/** One forecast step and what came true: as the sink writes it, or with the band's own names. */
const Sample = z.union([
  z
    .object({
      low: z.number(),
      median: z.number(),
      high: z.number(),
      actual: z.number(),
      ...Segments,
    })
    .transform(({ low, median, high, ...rest }) => ({ q10: low, q50: median, q90: high, ...rest })),
  z.object({ q10: z.number(), q50: z.number(), q90: z.number(), actual: z.number(), ...Segments }),
]);
export type Sample = z.infer<typeof Sample>;

export interface CalibrationOptions {
  readonly targetCoverage: number;
  /** A segment with fewer samples gets no adjustment of its own. */
  readonly minSamples: number;
}

/** The state file, schema version 2. */
export interface StateDocument {
  readonly schema_version: 2;
  readonly default_adjustment: Adjustment;
  readonly segments: Readonly<Record<string, Adjustment>>;
}

export interface Calibration {
  readonly state: StateDocument;
  /** Of all samples, as forecast and after the default adjustment. */
  readonly coverageBefore: number;
  readonly coverageAfter: number;
}

const fit = (samples: readonly Sample[], { targetCoverage }: CalibrationOptions): Adjustment =>
  fitAdjustment(
    samples,
    samples.map(({ actual }) => actual),
    targetCoverage,
  );

/** Samples under each key that names only known segments. */
const bySegment = (samples: readonly Sample[]): Map<string, Sample[]> => {
  const groups = new Map<string, Sample[]>();
  for (const sample of samples) {
    for (const key of segmentCandidates(sample)) {
      if (key.includes('=unknown')) continue;
      const group = groups.get(key);
      if (group) group.push(sample);
      else groups.set(key, [sample]);
    }
  }
  return groups;
};

/** Throws INVALID_INPUT without samples. */
export const calibrate = (samples: readonly Sample[], options: CalibrationOptions): Calibration => {
  if (samples.length === 0) {
    throw new TollamaError('INVALID_INPUT', 'no forecast with an outcome to calibrate from', {
      hint: 'lines need q10, q50, q90 (or low, median, high) and actual',
    });
  }
  const actuals = samples.map(({ actual }) => actual);
  const fallback = fit(samples, options);
  const adjusted: Band[] = samples.map((sample) => applyAdjustment(sample, fallback));
  const segments = [...bySegment(samples)]
    .filter(([, group]) => group.length >= options.minSamples)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, group]): [string, Adjustment] => [key, fit(group, options)]);
  return {
    state: {
      schema_version: 2,
      default_adjustment: fallback,
      segments: Object.fromEntries(segments),
    },
    coverageBefore: coverageOf(samples, actuals).empirical_coverage,
    coverageAfter: coverageOf(adjusted, actuals).empirical_coverage,
  };
};

const parseRecord = (value: unknown, where: string): Sample | undefined => {
  try {
    const { kind } = (value ?? {}) as { kind?: unknown };
    // The sink writes forecasts beside outcomes.
    return kind === 'forecast' ? undefined : Sample.parse(value);
  } catch (cause) {
    throw new TollamaError(
      'INVALID_INPUT',
      `${where} is no forecast with its outcome: ${errorMessage(cause)}`,
      {
        cause,
      },
    );
  }
};

const parseLine = (line: string, where: string): Sample | undefined => {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (cause) {
    const message = `${where} is no JSON: ${errorMessage(cause)}`;
    throw new TollamaError('INVALID_INPUT', message, { cause });
  }
  return parseRecord(value, where);
};

const filesBelow = async (path: string): Promise<string[]> => {
  if ((await stat(path)).isFile()) return [path];
  const entries = await readdir(path, { recursive: true });
  return (
    entries
      // A sealed journal whose Parquet file is there was only not removed yet.
      .filter((name) => !isSealed(name) || !entries.includes(parquetOf(name)))
      .filter((name) => name.endsWith('.jsonl') || name.endsWith('.parquet'))
      .sort()
      .map((name) => join(path, name))
  );
};

/** Rows of a Parquet file; those that the sink wrote as outcomes. */
const parquetSamples = async (file: string): Promise<Sample[]> => {
  const [{ openByteSource }, { openParquet }] = await Promise.all([
    import('@tollama/ingest/byte-source'),
    import('@tollama/ingest/parquet'),
  ]);
  const { columns = [], batches } = await openParquet(await openByteSource(file));
  const samples: Sample[] = [];
  for await (const rows of batches) {
    for (const { cells, number } of rows) {
      const record = Object.fromEntries(columns.map((name, i) => [name, cells[i]]));
      const sample = parseRecord(record, `${file}: row ${number}`);
      if (sample) samples.push(sample);
    }
  }
  return samples;
};

/** Samples of files of JSON lines or Parquet, and of all such files below folders. */
export const readSamples = async (paths: readonly string[]): Promise<Sample[]> => {
  const samples: Sample[] = [];
  for (const file of (await Promise.all(paths.map(filesBelow))).flat()) {
    if (file.endsWith('.parquet')) {
      for (const sample of await parquetSamples(file)) samples.push(sample);
      continue;
    }
    const lines = (await readFile(file, 'utf8')).split('\n');
    lines.forEach((line, i) => {
      const sample = line.trim() === '' ? undefined : parseLine(line, `${file}:${i + 1}`);
      if (sample) samples.push(sample);
    });
  }
  return samples;
};

/** Writes the state beside its place and renames it: a gateway that watches never reads half a file. */
export const writeState = async (path: string, state: StateDocument): Promise<void> => {
  const draft = `${path}.${process.pid}.tmp`;
  await writeFile(draft, `${JSON.stringify(state, null, 2)}\n`);
  await rename(draft, path);
};
