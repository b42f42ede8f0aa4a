import { benchInProcess } from './in-process.ts';
import { benchOverHttp } from './over-http.ts';
import { type Budgets, reportLines } from './report.ts';

export interface GatewayBench {
  readonly requests: number;
  readonly unique: number;
  readonly adapterLatencyMs: number;
  readonly budgets: Budgets;
  /** Over HTTP with so many clients; in the process, one after the other, when absent. */
  readonly clients: number | undefined;
}

/** Runs a bench; the lines to print, of which the last are the verdict. */
export const benchGateway = async (bench: GatewayBench): Promise<string[]> => {
  const { requests, unique, adapterLatencyMs, clients, budgets } = bench;
  const task = { requests, unique, adapterLatencyMs };
  const measured =
    clients === undefined
      ? await benchInProcess(task)
      : await benchOverHttp({ ...task, concurrency: clients });
  return reportLines(measured, budgets);
};
