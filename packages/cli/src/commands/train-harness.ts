/** `tollama train harness`: the scenarios that judge the training stack, and their exit codes. */
import { Command, InvalidArgumentError, Option } from 'commander';
import { positiveInteger, positiveNumber, withExamples } from './options.ts';

type ScenarioName = 'steady-train' | 'rollback' | 'tamiyo-timeout' | 'kasmina-prefetch';

const DESCRIPTIONS: Readonly<Record<ScenarioName, string>> = {
  'steady-train': 'a run without faults: epoch latency, loss, accuracy',
  rollback: 'restores from snapshots and checkpoints, and a deadline that cannot be kept',
  'tamiyo-timeout': 'a policy that hangs, answers late or throws on a share of its calls',
  'kasmina-prefetch': 'a burst of prefetches: latency, coalescing, cache, isolation',
};

interface HarnessFlags {
  readonly device: string;
  readonly epochs: number;
  readonly outputDir: string;
  readonly emitTelemetry?: boolean;
  readonly markdownReport?: boolean;
  readonly batchSize: number;
  readonly timeoutEvery?: number;
  readonly timeoutRatio?: number;
  readonly concurrency: number;
  readonly requests: number;
  readonly readyLatencyMs: number;
  readonly deadlineMs: number;
  readonly policyDeadlineMs: number;
  readonly optimize: boolean;
  readonly disableCompile?: boolean;
  readonly seed: number;
  readonly repeat: number;
  readonly warmup: number;
  readonly baseline?: string;
  readonly format: 'json' | 'text';
  readonly failOn: 'warn' | 'critical' | 'never';
  readonly inject?: string | boolean;
}

const wholeNumber = (text: string): number => {
  const number = Number(text);
  if (text.trim() !== '' && Number.isInteger(number)) return number;
  throw new InvalidArgumentError('use a whole number.');
};

/** Given once or often, or with commas. */
const further = (fault: string, before: unknown): string =>
  typeof before === 'string' ? `${before},${fault}` : fault;

const wholeFromZero = (text: string): number => {
  const number = wholeNumber(text);
  if (number >= 0) return number;
  throw new InvalidArgumentError('use a whole number of 0 or more.');
};

const nonNegativeNumber = (text: string): number => {
  const number = Number(text);
  if (text.trim() !== '' && Number.isFinite(number) && number >= 0) return number;
  throw new InvalidArgumentError('use a number of 0 or more.');
};

const ratio = (text: string): number => {
  const number = Number(text);
  if (text.trim() !== '' && number >= 0 && number <= 1) return number;
  throw new InvalidArgumentError('use a share from 0 to 1.');
};

const run = async (name: ScenarioName, flags: HarnessFlags): Promise<void> => {
  const { HARNESS_DEFAULTS, INJECTIONS } = await import('@tollama/training/harness/options');
  const { runHarness } = await import('@tollama/training/harness/run-harness');
  const { textReport } = await import('@tollama/training/harness/report');
  const { inject, disableCompile, device, timeoutEvery, timeoutRatio, baseline, ...rest } = flags;
  // The list of faults is the scenario's own, and is checked where it runs.
  const fault = inject === true ? INJECTIONS[name][0] : inject;
  const options = {
    ...HARNESS_DEFAULTS,
    ...rest,
    device: device as typeof HARNESS_DEFAULTS.device,
    optimize: flags.optimize && !disableCompile,
    timeoutEvery,
    timeoutRatio: timeoutRatio ?? HARNESS_DEFAULTS.timeoutRatio,
    baseline,
    inject: fault === false ? undefined : fault,
    emitTelemetry: flags.emitTelemetry ?? false,
    markdownReport: flags.markdownReport ?? false,
  };
  // The bus of a run is its JSON; what is streamed goes to stderr, so that stdout stays the result.
  const stream = options.emitTelemetry
    ? (event: unknown): void => void process.stderr.write(`${JSON.stringify(event)}\n`)
    : undefined;
  const { result, path, exitCode } = await runHarness(name, options, { stream });
  console.log(options.format === 'json' ? JSON.stringify(result, null, 2) : textReport(result));
  console.log(path);
  process.exitCode = exitCode;
};

const runOptions = (command: Command): Command =>
  command
    .option('--device <device>', 'device that computes', 'cpu')
    .option('--epochs <count>', 'epochs that are judged', positiveInteger, 3)
    .option('--output-dir <folder>', 'where results go', 'rc1_harness_results')
    .option('--emit-telemetry', 'keep every event in the JSON, and stream them to stderr')
    .option('--markdown-report', 'write summary.md too')
    .option('--batch-size <count>', 'series in a batch', positiveInteger, 4)
    .option('--seed <number>', 'of data, weights and faults', wholeNumber, 42)
    .option('--repeat <count>', 'runs; the worst is the verdict', positiveInteger, 1)
    .option('--warmup <count>', 'epochs that are reported, not judged', wholeFromZero, 1)
    .option('--no-optimize', 'onnxruntime leaves the graph as it is')
    .addOption(new Option('--disable-compile', 'the same').hideHelp())
    .addOption(new Option('--enable-graphs').hideHelp());

const faultOptions = (command: Command): Command =>
  command
    .addOption(
      new Option('--timeout-every <n>', 'every n-th call of the policy times out')
        .argParser(positiveInteger)
        .conflicts('timeoutRatio'),
    )
    .addOption(
      new Option('--timeout-ratio <share>', "share of the policy's calls that time out (0.3)")
        .argParser(ratio)
        .conflicts('timeoutEvery'),
    )
    .option('--policy-deadline-ms <ms>', 'of one call of the policy', positiveNumber, 2000)
    .option('--concurrency <count>', 'prefetches at a time', positiveInteger, 4)
    .option('--requests <count>', 'prefetches in the burst', positiveInteger, 32)
    .option('--ready-latency-ms <ms>', 'time of the adapter store', nonNegativeNumber, 40)
    .option('--deadline-ms <ms>', 'rollback deadline that cannot be kept', positiveNumber, 5)
    .option(
      '--inject [fault]',
      'a fault that must make the verdict fail; several with commas',
      further,
    );

const judgeOptions = (command: Command): Command =>
  command
    .option('--baseline <file>', 'an earlier <slug>_metrics.json to compare with')
    .addOption(
      new Option('--format <format>', 'of stdout').choices(['json', 'text']).default('text'),
    )
    .addOption(
      new Option('--fail-on <severity>', 'what gives exit code 3')
        .choices(['warn', 'critical', 'never'])
        .default('critical'),
    );

const scenarioCommand = (name: ScenarioName): Command =>
  judgeOptions(faultOptions(runOptions(new Command(name).description(DESCRIPTIONS[name])))).action(
    (flags: HarnessFlags) => run(name, flags),
  );

export const trainHarnessCommand = (): Command => {
  const command = new Command('harness').description(
    'measure training, rollback, time-outs and prefetch, and judge them against their limits',
  );
  for (const name of Object.keys(DESCRIPTIONS)) {
    command.addCommand(scenarioCommand(name as ScenarioName));
  }
  return withExamples(command, [
    'tollama train harness steady-train --markdown-report',
    'tollama train harness tamiyo-timeout --timeout-ratio 0.5 --output-dir results',
    'tollama train harness kasmina-prefetch --inject slow-backend',
  ]);
};
