/**
 * Records runs under an exploring policy, learns from them, and compares the learned policy with the heuristic on
 * runs that neither has seen. Prints a table; with a path, writes the weights there.
 *
 *     node bench/tamiyo.ts [recorded runs] [held-out runs] [weights file]
 */
import { writeFile } from 'node:fs/promises';
import { seededRandom } from '@tollama/training/clock/seeded-random';
import { PolicyLab } from '@tollama/training/harness/policy-lab';
import type { Episode } from '@tollama/training/policy/episode';
import { HeuristicPolicy } from '@tollama/training/policy/heuristic';
import { ExploringPolicy, LearnedPolicy, learn } from '@tollama/training/policy/learned';
import { LEARNED_WEIGHTS } from '@tollama/training/policy/learned-weights';
import { CHOICES } from '@tollama/training/policy/options-of-state';
import { issue, type Policy } from '@tollama/training/policy/policy';

const HELD_OUT_SEED = 10_000;
const [recorded = 40, heldOut = 12] = process.argv.slice(2, 4).map(Number);
const weightsFile = process.argv[4];

/** Never grows anything: what the bias alone can do. */
const idle: Policy = {
  name: 'no seeds',
  evaluate: async (state) => issue({ kind: 'WAIT' }, state, 0),
  state: () => null,
  load: () => {},
};

const named = (name: string, policy: Policy): Policy => ({
  name,
  evaluate: (state, signal) => policy.evaluate(state, signal),
  state: () => policy.state(),
  load: (state) => policy.load(state),
});

const relative = ({ firstLoss, finalLoss }: Episode): number => finalLoss / firstLoss;
const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

await using lab = await PolicyLab.open(1);
const episodes: Episode[] = [];
for (let seed = 1; seed <= recorded; seed++) {
  episodes.push(await lab.run(new ExploringPolicy(seededRandom(seed)), seed));
}
console.error(`recorded ${episodes.length} runs, mean loss ${mean(episodes.map(relative))}`);
const weights = learn(episodes);
if (weightsFile) await writeFile(weightsFile, JSON.stringify(weights));

const policies: readonly (() => Policy)[] = [
  () => idle,
  () => new HeuristicPolicy(),
  () => named('heuristic, blueprints of the learned', new HeuristicPolicy({ blueprints: CHOICES })),
  () => named('learned, as it is shipped', new LearnedPolicy(LEARNED_WEIGHTS)),
  () => named('learned, anew', new LearnedPolicy(weights)),
];
const results: Episode[][] = [];
for (const make of policies) {
  const runs: Episode[] = [];
  for (let i = 0; i < heldOut; i++) runs.push(await lab.run(make(), HELD_OUT_SEED + i));
  results.push(runs);
}
const heuristic = results[1]!;
console.log('| policy | final loss / first loss | runs better than heuristic | seed parameters |');
console.log('| --- | --- | --- | --- |');
for (const runs of results) {
  const better = runs.filter((run, i) => run.finalLoss < heuristic[i]!.finalLoss).length;
  const cells = [
    runs[0]!.policy,
    mean(runs.map(relative)).toFixed(3),
    `${better} of ${runs.length}`,
    Math.round(mean(runs.map(({ parameters }) => parameters))),
  ];
  console.log(`| ${cells.join(' | ')} |`);
}
