/**
 * What N machines of two cores would do, from the measured service times.
 *
 *   node bench/scale/main.ts [--model chronos-bolt-small] [--precision float32] [--requests 200000]
 *     [--price 0.05]   what a core costs an hour, for the cost of a million forecasts
 */
import { parseArgs } from 'node:util';
import { FAMILY_COSTS, serviceTimeOf } from './service-times.ts';
import { type Cluster, simulate } from './simulate.ts';

const { values } = parseArgs({
  options: {
    model: { type: 'string', default: 'chronos-bolt-small' },
    precision: { type: 'string', default: 'float32' },
    requests: { type: 'string', default: '200000' },
    price: { type: 'string', default: '0.05' },
  },
});

const table = (
  header: readonly string[],
  rows: readonly (readonly (string | number)[])[],
): void => {
  console.log(
    `| ${header.join(' | ')} |\n|${header.map((_, i) => (i === 0 ? ' --- ' : ' ---: ')).join('|')}|`,
  );
  for (const row of rows) console.log(`| ${row.join(' | ')} |`);
  console.log();
};

const costs = (): void => {
  const price = Number(values.price);
  table(
    ['model', 'precision', 'series/s', 'core hours a million', 'cost a million', 'memory, MB'],
    FAMILY_COSTS.map(({ model, precision, batchRate, memoryMegabytes }) => {
      const coreHours = (1e6 / batchRate / 3600) * 2;
      return [
        model,
        precision,
        batchRate,
        coreHours.toFixed(2),
        (coreHours * price).toFixed(3),
        memoryMegabytes,
      ];
    }),
  );
};

const found = FAMILY_COSTS.find(
  ({ model, precision }) => model === values.model && precision === values.precision,
);
if (!found)
  throw new Error(`--model ${values.model} --precision ${values.precision} was not measured`);
const service = serviceTimeOf(found);
const requests = Number(values.requests);

const usual: Cluster = {
  machines: 1,
  rate: 0,
  service,
  maxBatch: 32,
  maxQueue: 512,
  balancer: 'two-choices',
  overheadMs: 1.5,
  requests,
  seed: 1,
};

/** Series a second of one machine at full batches. */
const full = 32_000 / (service.fixedMs + 32 * service.eachMs);

const outcomeRow = (cluster: Cluster, what: string | number): readonly (string | number)[] => {
  const { throughput, utilization, meanBatch, p50Ms, p99Ms, refused, repeated } = simulate(cluster);
  const numbers = [p50Ms, p99Ms].map((ms) => ms.toFixed(1));
  return [
    what,
    cluster.rate.toFixed(0),
    throughput.toFixed(0),
    utilization.toFixed(2),
    meanBatch.toFixed(1),
    ...numbers,
    refused,
    repeated,
  ];
};

const HEADER = [
  '',
  'asked/s',
  'answered/s',
  'busy',
  'batch',
  'p50, ms',
  'p99, ms',
  'refused',
  'repeated',
];

costs();
console.log(
  `${found.model} ${found.precision}: ${service.fixedMs.toFixed(2)} ms a run + ${service.eachMs.toFixed(2)} ms a series\n`,
);
table(
  ['load of 4 machines', ...HEADER.slice(1)],
  [0.1, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 1.1].map((load) =>
    outcomeRow({ ...usual, machines: 4, rate: 4 * full * load }, load),
  ),
);
table(
  ['machines, at 0.8', ...HEADER.slice(1)],
  [1, 2, 4, 8, 16, 32, 64].map((machines) =>
    outcomeRow({ ...usual, machines, rate: machines * full * 0.8 }, machines),
  ),
);
table(
  ['balancer, 8 at 0.8', ...HEADER.slice(1)],
  (['random', 'round-robin', 'two-choices', 'shortest'] as const).map((balancer) =>
    outcomeRow({ ...usual, machines: 8, rate: 8 * full * 0.8, balancer }, balancer),
  ),
);
table(
  ['most of a batch, 4 at 0.5', ...HEADER.slice(1)],
  [1, 4, 8, 16, 32, 64].map((maxBatch) =>
    outcomeRow({ ...usual, machines: 4, rate: 4 * full * 0.5, maxBatch }, maxBatch),
  ),
);
table(
  ['one of 4 dies, at', ...HEADER.slice(1)],
  [0.5, 0.7, 0.8].map((load) => {
    const rate = 4 * full * load;
    return outcomeRow({ ...usual, machines: 4, rate, killAtMs: (requests / rate) * 500 }, load);
  }),
);
