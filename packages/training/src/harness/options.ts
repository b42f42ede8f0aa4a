/** What the harness is told, and what of it cannot be. */
import { TollamaError } from '@tollama/core/errors';
import { DEVICES, type Device } from '@tollama/graph';

export const SCENARIOS = [
  'steady-train',
  'rollback',
  'tamiyo-timeout',
  'kasmina-prefetch',
] as const;
export type ScenarioName = (typeof SCENARIOS)[number];

/** File names and scenario fields of the reference, kept so that old and new results lie side by side. */
export const SLUGS: Readonly<Record<ScenarioName, string>> = {
  'steady-train': 'steady_train',
  rollback: 'rollback_deadline',
  'tamiyo-timeout': 'tamiyo_timeout',
  'kasmina-prefetch': 'kasmina_prefetch',
};

export const SCENARIO_FIELDS: Readonly<Record<ScenarioName, string>> = {
  ...SLUGS,
  'kasmina-prefetch': 'kasmina_prefetch_burst',
};

/** Faults that must make a verdict fail; the first is the one that `--inject` alone means. */
export const INJECTIONS: Readonly<Record<ScenarioName, readonly string[]>> = {
  'steady-train': ['failed-epoch', 'slow-epoch', 'tamiyo-error'],
  rollback: ['corrupt-snapshot', 'wrong-state', 'slow-restore', 'no-deadline'],
  'tamiyo-timeout': ['uncounted-timeout', 'slow-policy', 'lost-epoch'],
  'kasmina-prefetch': [
    'slow-backend',
    'instant-backend',
    'corrupt-adapter',
    'lost-request',
    'isolation-violation',
  ],
};

export const FAIL_ON = ['warn', 'critical', 'never'] as const;
export type FailOn = (typeof FAIL_ON)[number];

export interface HarnessOptions {
  readonly device: Device;
  readonly epochs: number;
  readonly outputDir: string;
  readonly emitTelemetry: boolean;
  readonly markdownReport: boolean;
  readonly batchSize: number;
  /** Every n-th call of the policy times out; excludes the ratio. */
  readonly timeoutEvery: number | undefined;
  /** Share of the policy's calls that time out. */
  readonly timeoutRatio: number;
  readonly concurrency: number;
  readonly requests: number;
  readonly readyLatencyMs: number;
  /** Of a rollback that shall not be possible in time. */
  readonly deadlineMs: number;
  /** Of one call of the policy. */
  readonly policyDeadlineMs: number;
  /** onnxruntime optimises the step graph. */
  readonly optimize: boolean;
  readonly seed: number;
  readonly repeat: number;
  /** Epochs, or requests for each place of concurrency, that are reported and not judged. */
  readonly warmup: number;
  readonly baseline: string | undefined;
  readonly format: 'json' | 'text';
  readonly failOn: FailOn;
  /** One fault, or several with commas between them. */
  readonly inject: string | undefined;
}

/** Whether a fault is among those that are asked for. */
export const isInjected = ({ inject }: Pick<HarnessOptions, 'inject'>, fault: string): boolean =>
  inject?.split(',').includes(fault) ?? false;

export const HARNESS_DEFAULTS: HarnessOptions = {
  device: 'cpu',
  epochs: 3,
  outputDir: 'rc1_harness_results',
  emitTelemetry: false,
  markdownReport: false,
  batchSize: 4,
  timeoutEvery: undefined,
  timeoutRatio: 0.3,
  concurrency: 4,
  requests: 32,
  readyLatencyMs: 40,
  deadlineMs: 5,
  policyDeadlineMs: 2000,
  optimize: true,
  seed: 42,
  repeat: 1,
  warmup: 1,
  baseline: undefined,
  format: 'text',
  failOn: 'critical',
  inject: undefined,
};

const refuse = (field: string, value: unknown, hint: string): never => {
  throw new TollamaError('INVALID_REQUEST', `${field} = ${String(value)} cannot be`, { hint });
};

const WHOLE: readonly (readonly [keyof HarnessOptions, number])[] = [
  ['epochs', 1],
  ['batchSize', 1],
  ['concurrency', 1],
  ['requests', 1],
  ['repeat', 1],
  ['warmup', 0],
];

/** @throws TollamaError INVALID_REQUEST that names the option, its value and what would do */
export const checkHarnessOptions = (name: ScenarioName, options: HarnessOptions): void => {
  for (const [field, least] of WHOLE) {
    const value = options[field] as number;
    if (!Number.isInteger(value) || value < least) refuse(field, value, `use ${least} or more`);
  }
  const { device, timeoutRatio, timeoutEvery, readyLatencyMs, deadlineMs, inject, seed } = options;
  if (!DEVICES.includes(device)) refuse('device', device, `known are ${DEVICES.join(', ')}`);
  if (!(timeoutRatio >= 0 && timeoutRatio <= 1)) {
    refuse('timeoutRatio', timeoutRatio, 'use a share from 0 to 1');
  }
  if (timeoutEvery !== undefined && !(Number.isInteger(timeoutEvery) && timeoutEvery >= 1)) {
    refuse('timeoutEvery', timeoutEvery, 'use 1 or more');
  }
  if (!(readyLatencyMs >= 0)) refuse('readyLatencyMs', readyLatencyMs, 'use 0 or more');
  if (!(options.policyDeadlineMs > 0)) {
    refuse('policyDeadlineMs', options.policyDeadlineMs, 'use more than 0');
  }
  if (!(deadlineMs > 0)) refuse('deadlineMs', deadlineMs, 'use more than 0');
  if (!Number.isInteger(seed)) refuse('seed', seed, 'use a whole number');
  const unknown = inject?.split(',').find((fault) => !INJECTIONS[name].includes(fault));
  if (unknown !== undefined) {
    refuse('inject', unknown, `${name} knows ${INJECTIONS[name].join(', ')}`);
  }
};
