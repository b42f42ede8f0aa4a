/** Training steps beside the same steps in Python: the sides alternate in blocks, the medians of all steps count. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Feeds } from '@tollama/graph';
import type { TrainingStep } from '@tollama/training';

export interface Block {
  readonly times: readonly number[];
  readonly losses: readonly number[];
  /** Of the processor, a step, in milliseconds: all threads together. */
  readonly cpu: number;
}

export interface Side {
  readonly facts?: unknown;
  readonly run: (count: number) => Promise<Block>;
}

/** Our steps on the same feeds again and again. */
export const oursOf = (step: TrainingStep, feeds: Feeds, learningRate: number): Side => ({
  run: async (count) => {
    const [times, losses] = [[] as number[], [] as number[]];
    const before = process.cpuUsage();
    for (let k = 0; k < count; k++) {
      const started = performance.now();
      const result = await step.run(feeds, { learningRate });
      result.commit();
      times.push(performance.now() - started);
      losses.push(result.loss);
    }
    const { user, system } = process.cpuUsage(before);
    return { times, losses, cpu: (user + system) / 1000 / count };
  },
});

/** A script that prints its facts, then answers a line with a number of steps by their times and losses. */
export const openPeer = async (
  python: string,
  script: string,
  spec: Readonly<Record<string, unknown>>,
): Promise<Side & { readonly close: () => void }> => {
  const text = JSON.stringify(spec);
  const child: ChildProcessWithoutNullStreams = spawn(python, ['-c', script, text]);
  const errors: string[] = [];
  child.stderr.on('data', (chunk) => errors.push(String(chunk)));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<unknown> => {
    const { value, done } = await lines.next();
    if (done) throw new Error(`the peer ended: ${errors.join('').slice(-2000)}`);
    return JSON.parse(value);
  };
  const facts = await next();
  return {
    facts,
    run: async (count) => {
      child.stdin.write(`${count}\n`);
      return (await next()) as Block;
    },
    close: () => child.stdin.end(),
  };
};

const median = (list: readonly number[]): number =>
  list.toSorted((a, b) => a - b)[list.length >> 1]!;
const rounded = (value: number): number => Number(value.toPrecision(4));

const WARM_UP = 3;

/** First losses, medians and their ratio, ours over theirs. */
export const compareSteps = async (
  ours: Side,
  peer: Side | undefined,
  { rounds, steps }: { readonly rounds: number; readonly steps: number },
): Promise<Readonly<Record<string, unknown>>> => {
  const first = await ours.run(WARM_UP);
  const peerFirst = await peer?.run(WARM_UP);
  const times = { ours: [] as number[], peer: [] as number[] };
  const cpu = { ours: [] as number[], peer: [] as number[] };
  for (let round = 0; round < rounds; round++) {
    const block = await ours.run(steps);
    times.ours.push(...block.times);
    cpu.ours.push(block.cpu);
    if (!peer) continue;
    const other = await peer.run(steps);
    times.peer.push(...other.times);
    cpu.peer.push(other.cpu);
  }
  const both = (of: typeof times) => ({
    ours: rounded(median(of.ours)),
    ...(peer && { peer: rounded(median(of.peer)) }),
  });
  return {
    peer: peer?.facts,
    first_loss: { ours: first.losses[0], peer: peerFirst?.losses[0] },
    median_ms: both(times),
    median_cpu_ms: both(cpu),
    ...(peer && { ratio: rounded(median(times.ours) / median(times.peer)) }),
  };
};
