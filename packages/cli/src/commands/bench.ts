import { readFile, writeFile } from 'node:fs/promises';
import { EXIT } from '@tollama/core/errors';
import { Command } from 'commander';
import { positiveInteger, positiveNumber, withExamples } from './options.ts';

interface GatewayBenchOptions {
  readonly requests: number;
  readonly unique: number;
  readonly adapterLatencyMs: number;
  readonly budgetP95Ms: number;
  readonly budgetCycleS: number;
  readonly http?: boolean;
  readonly clients: number;
}

const benchGateway = async (options: GatewayBenchOptions): Promise<void> => {
  const { benchGateway: bench } = await import('@tollama/gateway/bench/bench');
  const { requests, unique, adapterLatencyMs, budgetP95Ms, budgetCycleS } = options;
  const lines = await bench({
    requests,
    unique,
    adapterLatencyMs,
    budgets: { p95Ms: budgetP95Ms, cycleS: budgetCycleS },
    clients: options.http ? options.clients : undefined,
  });
  for (const line of lines) console.log(line);
  process.exitCode = lines.at(-1) === 'SLO_PASS' ? EXIT.ok : EXIT.failure;
};

const gateway = (): Command =>
  withExamples(
    new Command('gateway')
      .description('measure the forecast gateway over an upstream of a fixed latency')
      .option('--requests <n>', 'requests', positiveInteger, 200)
      .option('--unique <n>', 'different ones among them', positiveInteger, 20)
      .option('--adapter-latency-ms <ms>', 'latency of the upstream', positiveNumber, 15)
      .option('--budget-p95-ms <ms>', 'budget of the 95th percentile', positiveNumber, 300)
      .option('--budget-cycle-s <s>', 'budget of all requests together', positiveNumber, 60)
      .option('--http', 'over HTTP; without, the pipeline alone')
      .option('--clients <n>', 'clients at the same time, with --http', positiveInteger, 1)
      .action(benchGateway),
    [
      'tollama bench gateway --requests 200 --unique 20',
      'tollama bench gateway --http --clients 32 --requests 20000 --unique 2000',
    ],
  );

interface VerdictOptions {
  readonly input: string;
  readonly output?: string;
  readonly p95ThresholdMs: number;
  readonly cycleThresholdS: number;
}

const judge = async (options: VerdictOptions): Promise<void> => {
  const { judgeLog } = await import('@tollama/gateway/bench/report');
  const report = judgeLog(await readFile(options.input, 'utf8'), {
    p95Ms: options.p95ThresholdMs,
    cycleS: options.cycleThresholdS,
  });
  const text = `${JSON.stringify(report, null, 2)}\n`;
  if (options.output === undefined) process.stdout.write(text);
  else await writeFile(options.output, text);
  console.log(report.ok ? 'PERF_GATE_PASS' : 'PERF_GATE_FAIL');
  process.exitCode = report.ok ? EXIT.ok : EXIT.failure;
};

const gatewayVerdict = (): Command =>
  new Command('gateway-verdict')
    .description('judge the output of `tollama bench gateway` again, as JSON')
    .requiredOption('--input <file>', 'what the bench printed')
    .option('--output <file>', 'where the JSON goes; by default it is printed')
    .option('--p95-threshold-ms <ms>', 'limit of the 95th percentile', positiveNumber, 300)
    .option('--cycle-threshold-s <s>', 'limit of all requests together', positiveNumber, 60)
    .action(judge);

export const benchCommand = (): Command =>
  new Command('bench')
    .description('measure parts of tollama')
    .addCommand(gateway())
    .addCommand(gatewayVerdict());
