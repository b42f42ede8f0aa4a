/**
 * Times this project on a checkpoint folder and prints one JSON line with the fields of the Python rig:
 *
 *   node bench/ours.ts --model DIR [--precision float32|int8] [--threads 2] [--context 512] [--horizon 64]
 *                      [--batch 32] [--seconds 8] [--repeats N] [--options JSON] [--mean]
 *
 * --options are the family's own, --mean asks for no quantiles.
 * start_to_first_ms counts from the start of the process, the runtime's own start included.
 */
import { parseArgs } from 'node:util';
import { type OpenModel, openModel } from '@tollama/models';

const { values } = parseArgs({
  options: {
    model: { type: 'string' },
    precision: { type: 'string', default: 'float32' },
    threads: { type: 'string', default: '2' },
    context: { type: 'string', default: '512' },
    horizon: { type: 'string', default: '64' },
    batch: { type: 'string', default: '32' },
    seconds: { type: 'string', default: '8' },
    repeats: { type: 'string' },
    cache: { type: 'string' },
    options: { type: 'string', default: '{}' },
    mean: { type: 'boolean', default: false },
  },
});

const horizon = Number(values.horizon);
const quantiles = values.mean ? [] : [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9];
const options = JSON.parse(values.options) as Readonly<Record<string, unknown>>;

/** Seasons, a trend and a little noise, another one for each series. */
const series = (i: number) => ({
  id: String(i),
  targets: [
    Float64Array.from(
      { length: Number(values.context) },
      (_, t) =>
        10 * Math.sin((2 * Math.PI * t) / 24 + i) + 0.02 * t + Math.sin(t * 12.9898 + i * 78.233),
    ),
  ],
});

const median = (list: readonly number[]): number =>
  list.toSorted((a, b) => a - b)[list.length >> 1]!;

/** Milliseconds of each timed call; as many as fit into the budget, 3 to 30, after one untimed call. */
const time = async (model: OpenModel, count: number): Promise<number[]> => {
  const task = {
    series: Array.from({ length: count }, (_, i) => series(i)),
    horizon,
    quantiles,
    options,
  };
  const once = async (): Promise<number> => {
    const started = performance.now();
    await model.forecast(task);
    return performance.now() - started;
  };
  const first = await once();
  const fitting = Math.floor((Number(values.seconds) * 1000) / first);
  const repeats = values.repeats ? Number(values.repeats) : Math.min(30, Math.max(3, fitting));
  const times: number[] = [];
  for (let i = 0; i < repeats; i++) times.push(await once());
  return times;
};

const megabytes = (): number => Math.round(process.memoryUsage().rss / 1e5) / 10;

const loading = performance.now();
await using model = await openModel(values.model!, {
  threads: Number(values.threads),
  precision: values.precision as 'float32' | 'int8',
  cacheDir: values.cache,
});
const loaded = performance.now();
await model.forecast({ series: [series(0)], horizon, quantiles, options });
const first = performance.now();
const one = await time(model, 1);
const rss = megabytes();
const batch = Number(values.batch);
const many = batch > 0 ? await time(model, batch) : [];

console.log(
  JSON.stringify({
    family: model.family,
    precision: values.precision,
    load_s: (loaded - loading) / 1000,
    first_ms: first - loaded,
    start_to_first_ms: first,
    b1_ms: median(one),
    b1_min_ms: Math.min(...one),
    batch,
    batch_series_per_s: many.length > 0 ? (batch / median(many)) * 1000 : null,
    rss_mb: rss,
    weights_mb: model.checkpoint.sizeBytes / 1e6,
    peak_rss_mb: Math.round(process.resourceUsage().maxRSS / 1024),
  }),
);
